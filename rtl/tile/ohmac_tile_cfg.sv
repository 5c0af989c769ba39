// SPDX-License-Identifier: Apache-2.0
// Configuration space of a tile: scalars, MVM and vector slots, analog timing; AGU and CAL words
// are passed on to their owners. Two writers: SETR of the sequencer and the NoC; who waited goes
// first when both want. A write shows the next cycle. MVM slots are checked by one shared
// multiplier two cycles after a write: mvm_ok_o is valid while busy_o is low. Words are
// 0x000..0x3FF (the writers check); words that name nothing are ignored.
module ohmac_tile_cfg
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned Rows  = 256,
  parameter int unsigned Cols  = 256,
  parameter int unsigned Lanes = 32
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        seq_valid_i,
  output logic                        seq_ready_o,
  input  logic [9:0]                  seq_addr_i,
  input  logic [31:0]                 seq_wdata_i,
  input  logic                        rx_valid_i,
  output logic                        rx_ready_o,
  input  logic [9:0]                  rx_addr_i,
  input  logic [31:0]                 rx_wdata_i,
  output logic [NumScalar-1:0][15:0]  scalar_o,
  output mvm_cfg_t [NumMvmCfg-1:0]    mvm_cfg_o,
  output logic [NumMvmCfg-1:0]        mvm_ok_o,
  output vec_cfg_t [NumVecCfg-1:0]    vec_cfg_o,
  output timing_cfg_t                 timing_o,
  output logic                        busy_o,
  output logic                        agu_we_o,
  output logic [$clog2(NumAgu)-1:0]   agu_sel_o,
  output logic [2:0]                  agu_word_o,
  output logic [AddrBits-1:0]         agu_wdata_o,
  output logic                        cal_we_o,
  output logic [8:0]                  cal_addr_o,
  output logic [31:0]                 cal_wdata_o
);
  localparam int unsigned CfgWordBits = 10;

  // ---- one write a cycle ----
  logic rx_first_q;  // the NoC was refused in the cycle before
  logic we;
  logic [CfgWordBits-1:0] addr;
  logic [31:0] wdata;

  assign seq_ready_o = !rx_first_q;
  assign rx_ready_o  = rx_first_q || !seq_valid_i;

  always_comb begin
    we    = seq_valid_i || rx_valid_i;
    addr  = rx_addr_i;
    wdata = rx_wdata_i;
    if (seq_valid_i && seq_ready_o) begin
      addr  = seq_addr_i;
      wdata = seq_wdata_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) rx_first_q <= 1'b0;
    else rx_first_q <= rx_valid_i && !rx_ready_o;
  end

  // ---- decode: a group is a range of words ----
  logic is_scalar, is_agu, is_mvm, is_vec, is_timing;
  assign is_scalar = we && addr[9:3] == 7'(CfgScalarBase >> 3);
  assign is_agu    = we && addr[9:6] == 4'(CfgAguBase >> 6);
  assign is_mvm    = we && addr[9:5] == 5'(CfgMvmcfgBase >> 5);
  assign is_vec    = we && addr[9:5] == 5'(CfgVeccfgBase >> 5);
  assign is_timing = we && addr == CfgWordBits'(CfgTimingBase);

  assign agu_we_o    = is_agu;
  assign agu_sel_o   = addr[5:3];
  assign agu_word_o  = addr[2:0];
  assign agu_wdata_o = wdata[AddrBits-1:0];
  assign cal_we_o    = we && addr[9];
  assign cal_addr_o  = addr[8:0];
  assign cal_wdata_o = wdata;

  // ---- slots ----
  mvm_cfg_t [NumMvmCfg-1:0] mvm_q;
  vec_cfg_t [NumVecCfg-1:0] vec_q;
  logic [NumScalar-1:0][15:0] scalar_q;
  timing_cfg_t timing_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scalar_q        <= '0;
      mvm_q           <= '0;
      vec_q           <= '0;
      timing_q.settle <= 8'd4;
      timing_q.integ  <= 8'd32;
    end else begin
      if (is_scalar) scalar_q[addr[2:0]] <= wdata[15:0];
      if (is_timing) begin
        timing_q.settle <= wdata[TimingSettleLsb +: TimingSettleBits];
        timing_q.integ  <= wdata[TimingIntegLsb +: TimingIntegBits];
      end
      for (int unsigned s = 0; s < NumMvmCfg; s++) begin
        if (is_mvm && addr[4:3] == 2'(s)) begin
          unique case (32'(addr[2:0]))
            MvmcfgKWord: begin
              mvm_q[s].k        <= wdata[MvmcfgKLsb +: MvmcfgKBits];
              mvm_q[s].row_base <= wdata[MvmcfgRowBaseLsb +: MvmcfgRowBaseBits];
            end
            MvmcfgSegLenWord: begin
              mvm_q[s].seg_len <= wdata[MvmcfgSegLenLsb +: MvmcfgSegLenBits];
              mvm_q[s].n_seg   <= wdata[MvmcfgNSegLsb +: MvmcfgNSegBits];
            end
            MvmcfgSegStrideWord: begin
              mvm_q[s].seg_stride <= wdata[MvmcfgSegStrideLsb +: MvmcfgSegStrideBits];
            end
            MvmcfgPadTopWord: begin
              mvm_q[s].pad_top    <= wdata[MvmcfgPadTopLsb +: MvmcfgPadTopBits];
              mvm_q[s].pad_bottom <= wdata[MvmcfgPadBottomLsb +: MvmcfgPadBottomBits];
              mvm_q[s].pad_left   <= wdata[MvmcfgPadLeftLsb +: MvmcfgPadLeftBits];
              mvm_q[s].pad_right  <= wdata[MvmcfgPadRightLsb +: MvmcfgPadRightBits];
            end
            MvmcfgPadValueWord: begin
              mvm_q[s].pad_value <= wdata[MvmcfgPadValueLsb +: MvmcfgPadValueBits];
              mvm_q[s].in_slice  <= wdata[MvmcfgInSliceLsb +: MvmcfgInSliceBits];
              mvm_q[s].w_slices  <= wdata[MvmcfgWSlicesLsb +: MvmcfgWSlicesBits];
              mvm_q[s].adc_bits  <= wdata[MvmcfgAdcBitsLsb +: MvmcfgAdcBitsBits];
              mvm_q[s].range     <= wdata[MvmcfgRangeLsb +: MvmcfgRangeBits];
            end
            MvmcfgGroupRowsWord: begin
              mvm_q[s].group_rows <= wdata[MvmcfgGroupRowsLsb +: MvmcfgGroupRowsBits];
              mvm_q[s].mux_first  <= wdata[MvmcfgMuxFirstLsb +: MvmcfgMuxFirstBits];
              mvm_q[s].mux_count  <= wdata[MvmcfgMuxCountLsb +: MvmcfgMuxCountBits];
            end
            default: ;
          endcase
        end
      end
      for (int unsigned s = 0; s < NumVecCfg; s++) begin
        if (is_vec && addr[4:2] == 3'(s)) begin
          unique case (32'(addr[1:0]))
            VeccfgLenWord: begin
              vec_q[s].len     <= wdata[VeccfgLenLsb +: VeccfgLenBits];
              vec_q[s].requant <= wdata[VeccfgRequantLsb];
              vec_q[s].relu    <= wdata[VeccfgReluLsb];
            end
            VeccfgMultWord:  vec_q[s].mult  <= wdata[VeccfgMultLsb +: VeccfgMultBits];
            VeccfgShiftWord: vec_q[s].shift <= wdata[VeccfgShiftLsb +: VeccfgShiftBits];
            default: ;
          endcase
        end
      end
    end
  end

  // ---- check of the slot written last: pick it, multiply and compare, one register each ----
  localparam int unsigned Blocks = Cols / Lanes;
  logic chk_valid_q, res_valid_q;
  logic [1:0] chk_slot_q, res_slot_q;
  mvm_cfg_t c;
  logic res_ranges_q;
  logic [9:0] res_k_q;
  logic [19:0] res_prod_q;
  logic [NumMvmCfg-1:0] ok_q;
  logic ranges;

  assign c = mvm_q[chk_slot_q];
  always_comb begin
    ranges = c.k != '0 && 32'(c.k) <= Rows && c.row_base[1:0] == 2'b00;
    if (32'(c.row_base) == Rows) ranges &= c.k <= 10'd4;  // the reference row
    else ranges &= 32'(c.row_base) + 32'(c.k) <= Rows;
    ranges &= c.w_slices <= 2'd2;
    ranges &= c.adc_bits >= 4'd4 && 32'(c.adc_bits) <= MaxAdcBits;
    ranges &= c.group_rows != '0 && (c.group_rows[1:0] == 2'b00 || c.group_rows >= c.k);
    ranges &= c.mux_count != '0 && 32'(c.mux_first) + 32'(c.mux_count) <= Blocks;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      chk_valid_q <= 1'b0;
      res_valid_q <= 1'b0;
      ok_q        <= '0;
    end else begin
      chk_valid_q <= is_mvm;
      res_valid_q <= chk_valid_q;
      if (res_valid_q) ok_q[res_slot_q] <= res_ranges_q && res_prod_q == 20'(res_k_q);
    end
  end
  always_ff @(posedge clk_i) begin
    chk_slot_q   <= addr[4:3];
    res_slot_q   <= chk_slot_q;
    res_ranges_q <= ranges;
    res_k_q      <= c.k;
    res_prod_q   <= c.n_seg * c.seg_len;
  end

  assign busy_o    = chk_valid_q || res_valid_q;
  assign mvm_ok_o  = ok_q;
  assign mvm_cfg_o = mvm_q;
  assign vec_cfg_o = vec_q;
  assign scalar_o  = scalar_q;
  assign timing_o  = timing_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) OneWriterAtATime: assert (!(seq_valid_i && seq_ready_o && rx_valid_i && rx_ready_o));
  end
  NocWaitsOneCycle: assert property (@(posedge clk_i) disable iff (!rst_ni)
    rx_valid_i && !rx_ready_o |=> rx_ready_o);
endmodule
