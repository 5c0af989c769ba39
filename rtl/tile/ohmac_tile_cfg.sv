// SPDX-License-Identifier: Apache-2.0
// Configuration space of a tile: scalars, MVM and vector slots, analog timing, traps, write-verify;
// AGU, CAL and REPAIR words are passed on to their owners. Two writers: SETR of the sequencer and the NoC; who waited goes
// first when both want. A write shows the next cycle. MVM slots are checked by one shared
// multiplier two cycles after a write: mvm_ok_o is valid while busy_o is low. Words are
// 0x000..0x3FF (the writers check); words that name nothing are ignored. An illegal REPAIR word is
// dropped: seq_bad_o tells the sequencer before it writes, a NoC write raises fault_o.
module ohmac_tile_cfg
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned Rows  = 256,
  parameter int unsigned Cols  = 256,
  parameter int unsigned Lanes = 32,
  parameter int unsigned Spares = Lanes
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        seq_valid_i,
  output logic                        seq_ready_o,
  input  logic [9:0]                  seq_addr_i,
  input  logic [31:0]                 seq_wdata_i,
  output logic                        seq_bad_o,     // this word would be an illegal REPAIR
  input  logic                        rx_valid_i,
  output logic                        rx_ready_o,
  input  logic [9:0]                  rx_addr_i,
  input  logic [31:0]                 rx_wdata_i,
  input  logic                        mvm_idle_i,
  output logic [NumScalar-1:0][15:0]  scalar_o,
  output mvm_cfg_t [NumMvmCfg-1:0]    mvm_cfg_o,
  output logic [NumMvmCfg-1:0]        mvm_ok_o,
  output vec_cfg_t [NumVecCfg-1:0]    vec_cfg_o,
  output timing_cfg_t                 timing_o,
  output logic [TrapWatchdogBits-1:0] watchdog_o,
  output logic                        trap_overflow_o,
  output prog_cfg_t                   prog_o,
  output logic                        prog_ok_o,
  output logic                        busy_o,
  output fault_e                      fault_o,       // one cycle
  output logic                        agu_we_o,
  output logic [$clog2(NumAgu)-1:0]   agu_sel_o,
  output logic [2:0]                  agu_word_o,
  output logic [AddrBits-1:0]         agu_wdata_o,
  output logic                        cal_we_o,
  output logic [8:0]                  cal_addr_o,
  output logic [31:0]                 cal_wdata_o,
  output logic                        repair_we_o,
  output logic [6:0]                  repair_lane_o,
  output logic [31:0]                 repair_wdata_o
);
  localparam int unsigned CfgWordBits = 10;
  localparam int unsigned Blocks = Cols / Lanes;
  localparam logic [2:0] RepairPage = 3'(CfgRepairBase >> 7);

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
  logic is_scalar, is_agu, is_mvm, is_vec, is_timing, is_trap, is_prog, is_repair;
  assign is_scalar = we && addr[9:3] == 7'(CfgScalarBase >> 3);
  assign is_agu    = we && addr[9:6] == 4'(CfgAguBase >> 6);
  assign is_mvm    = we && addr[9:5] == 5'(CfgMvmcfgBase >> 5);
  assign is_vec    = we && addr[9:5] == 5'(CfgVeccfgBase >> 5);
  assign is_timing = we && addr == CfgWordBits'(CfgTimingBase);
  assign is_trap   = we && addr == CfgWordBits'(CfgTrapBase);
  assign is_prog   = we && addr[9:2] == 8'(CfgProgBase >> 2);
  assign is_repair = we && addr[9:7] == RepairPage;

  assign agu_we_o    = is_agu;
  assign agu_sel_o   = addr[5:3];
  assign agu_word_o  = addr[2:0];
  assign agu_wdata_o = wdata[AddrBits-1:0];
  assign cal_we_o    = we && addr[9];
  assign cal_addr_o  = addr[8:0];
  assign cal_wdata_o = wdata;

  // ---- repair: what the macro is told ----
  function automatic logic bad_repair(logic [CfgWordBits-1:0] word, logic en, logic [5:0] block);
    return word[9:7] == RepairPage && en && (32'(word[6:0]) >= Spares || 32'(block) >= Blocks);
  endfunction
  logic illegal;
  assign seq_bad_o = bad_repair(seq_addr_i, seq_wdata_i[RepairEnLsb],
                                seq_wdata_i[RepairBlockLsb +: RepairBlockBits]);
  assign illegal   = is_repair && (!mvm_idle_i ||
      bad_repair(addr, wdata[RepairEnLsb], wdata[RepairBlockLsb +: RepairBlockBits]));

  assign fault_o        = illegal ? FaultConfig : FaultNone;
  assign repair_we_o    = is_repair && !illegal && 32'(addr[6:0]) < Spares;
  assign repair_lane_o  = addr[6:0];
  assign repair_wdata_o = wdata;

  // ---- slots ----
  mvm_cfg_t [NumMvmCfg-1:0] mvm_q;
  vec_cfg_t [NumVecCfg-1:0] vec_q;
  logic [NumScalar-1:0][15:0] scalar_q;
  timing_cfg_t timing_q;
  logic [TrapWatchdogBits-1:0] watchdog_q;
  logic overflow_q;
  prog_cfg_t prog_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scalar_q        <= '0;
      mvm_q           <= '0;
      vec_q           <= '0;
      timing_q.settle <= 8'd4;
      timing_q.integ  <= 8'd32;
      watchdog_q      <= '0;
      overflow_q      <= 1'b1;
      prog_q          <= '0;
    end else begin
      if (is_scalar) scalar_q[addr[2:0]] <= wdata[15:0];
      if (is_timing) begin
        timing_q.settle <= wdata[TimingSettleLsb +: TimingSettleBits];
        timing_q.integ  <= wdata[TimingIntegLsb +: TimingIntegBits];
      end
      if (is_trap) begin
        watchdog_q <= wdata[TrapWatchdogLsb +: TrapWatchdogBits];
        overflow_q <= wdata[TrapOverflowLsb];
      end
      if (is_prog) begin
        unique case (32'(addr[1:0]))
          ProgToleranceWord: begin
            prog_q.tolerance <= wdata[ProgToleranceLsb +: ProgToleranceBits];
            prog_q.limit     <= wdata[ProgLimitLsb +: ProgLimitBits];
          end
          ProgAmpFirstWord: begin
            prog_q.amp_first <= wdata[ProgAmpFirstLsb +: ProgAmpFirstBits];
            prog_q.amp_last  <= wdata[ProgAmpLastLsb +: ProgAmpLastBits];
            prog_q.amp_every <= wdata[ProgAmpEveryLsb +: ProgAmpEveryBits];
            prog_q.pulse     <= wdata[ProgPulseLsb +: ProgPulseBits];
          end
          ProgVerifyXWord: prog_q.verify_x <= wdata[ProgVerifyXLsb +: ProgVerifyXBits];
          default: ;
        endcase
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
  assign prog_o    = prog_q;
  assign prog_ok_o = prog_q.limit != '0 && prog_q.pulse != '0 && prog_q.verify_x != '0;
  assign watchdog_o      = watchdog_q;
  assign trap_overflow_o = overflow_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) OneWriterAtATime: assert (!(seq_valid_i && seq_ready_o && rx_valid_i && rx_ready_o));
  end
  NocWaitsOneCycle: assert property (@(posedge clk_i) disable iff (!rst_ni)
    rx_valid_i && !rx_ready_o |=> rx_ready_o);
endmodule
