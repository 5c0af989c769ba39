// SPDX-License-Identifier: Apache-2.0
// Configuration space of a tile: scalars, MVM and vector slots, analog timing, traps, write-verify;
// AGU, CAL and REPAIR words are passed on to their owners. Two writers: SETR of the sequencer and the NoC; both take turns
// when both want, and who comes first after the other waits a cycle. A write shows the next cycle. MVM slots are checked by one shared
// multiplier three cycles after a write: mvm_ok_o is valid while busy_o is low. All words but TIMING and TRAP
// are cleared by the first edge after reset, not by the reset. Words are
// 0x000..0x3FF (the writers check); words that name nothing are ignored. An illegal REPAIR word is
// dropped: seq_bad_o tells the sequencer before it writes, a NoC write raises fault_o in
// the next cycle.
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

  // ---- one write a cycle; whose turn it is is known before, and changes when only the other one wants ----
  logic rx_turn_q;
  logic init_q;  // first edge after reset: the slots have no reset of their own
  logic we;
  logic [CfgWordBits-1:0] addr;
  logic [31:0] wdata, slot_wdata;

  assign seq_ready_o = !rx_turn_q;
  assign rx_ready_o  = rx_turn_q;
  assign we          = rx_turn_q ? rx_valid_i : seq_valid_i;
  assign addr        = rx_turn_q ? rx_addr_i : seq_addr_i;
  assign wdata       = rx_turn_q ? rx_wdata_i : seq_wdata_i;
  assign slot_wdata  = init_q ? '0 : wdata;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rx_turn_q <= 1'b0;
      init_q    <= 1'b1;
    end else begin
      rx_turn_q <= rx_turn_q ? !seq_valid_i : rx_valid_i;
      init_q    <= 1'b0;
    end
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
  logic illegal, fault_q;
  assign seq_bad_o = bad_repair(seq_addr_i, seq_wdata_i[RepairEnLsb],
                                seq_wdata_i[RepairBlockLsb +: RepairBlockBits]);
  assign illegal   = is_repair && (!mvm_idle_i ||
      bad_repair(addr, wdata[RepairEnLsb], wdata[RepairBlockLsb +: RepairBlockBits]));

  assign fault_o        = fault_q ? FaultConfig : FaultNone;
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
      timing_q.settle <= 8'd4;
      timing_q.integ  <= 8'd32;
      watchdog_q      <= '0;
      overflow_q      <= 1'b1;
    end else begin
      if (is_timing) begin
        timing_q.settle <= wdata[TimingSettleLsb +: TimingSettleBits];
        timing_q.integ  <= wdata[TimingIntegLsb +: TimingIntegBits];
      end
      if (is_trap) begin
        watchdog_q <= wdata[TrapWatchdogLsb +: TrapWatchdogBits];
        overflow_q <= wdata[TrapOverflowLsb];
      end
    end
  end

  // A word of a slot is written, or cleared with all others.
  function automatic logic writes(logic slot, logic [2:0] word, int unsigned which);
    return init_q || (slot && 32'(word) == which);
  endfunction
  always_ff @(posedge clk_i) begin
    for (int unsigned s = 0; s < NumScalar; s++) begin
      if (writes(is_scalar, addr[2:0], s)) scalar_q[s] <= slot_wdata[15:0];
    end
    if (writes(is_prog, {1'b0, addr[1:0]}, ProgToleranceWord)) begin
      prog_q.tolerance <= slot_wdata[ProgToleranceLsb +: ProgToleranceBits];
      prog_q.limit     <= slot_wdata[ProgLimitLsb +: ProgLimitBits];
    end
    if (writes(is_prog, {1'b0, addr[1:0]}, ProgAmpFirstWord)) begin
      prog_q.amp_first <= slot_wdata[ProgAmpFirstLsb +: ProgAmpFirstBits];
      prog_q.amp_last  <= slot_wdata[ProgAmpLastLsb +: ProgAmpLastBits];
      prog_q.amp_every <= slot_wdata[ProgAmpEveryLsb +: ProgAmpEveryBits];
      prog_q.pulse     <= slot_wdata[ProgPulseLsb +: ProgPulseBits];
    end
    if (writes(is_prog, {1'b0, addr[1:0]}, ProgVerifyXWord)) prog_q.verify_x <= slot_wdata[ProgVerifyXLsb +: ProgVerifyXBits];
    for (int unsigned s = 0; s < NumMvmCfg; s++) begin
      if (writes(is_mvm && addr[4:3] == 2'(s), addr[2:0], MvmcfgKWord)) begin
        mvm_q[s].k        <= slot_wdata[MvmcfgKLsb +: MvmcfgKBits];
        mvm_q[s].row_base <= slot_wdata[MvmcfgRowBaseLsb +: MvmcfgRowBaseBits];
      end
      if (writes(is_mvm && addr[4:3] == 2'(s), addr[2:0], MvmcfgSegLenWord)) begin
        mvm_q[s].seg_len <= slot_wdata[MvmcfgSegLenLsb +: MvmcfgSegLenBits];
        mvm_q[s].n_seg   <= slot_wdata[MvmcfgNSegLsb +: MvmcfgNSegBits];
      end
      if (writes(is_mvm && addr[4:3] == 2'(s), addr[2:0], MvmcfgSegStrideWord)) begin
        mvm_q[s].seg_stride <= slot_wdata[MvmcfgSegStrideLsb +: MvmcfgSegStrideBits];
      end
      if (writes(is_mvm && addr[4:3] == 2'(s), addr[2:0], MvmcfgPadTopWord)) begin
        mvm_q[s].pad_top    <= slot_wdata[MvmcfgPadTopLsb +: MvmcfgPadTopBits];
        mvm_q[s].pad_bottom <= slot_wdata[MvmcfgPadBottomLsb +: MvmcfgPadBottomBits];
        mvm_q[s].pad_left   <= slot_wdata[MvmcfgPadLeftLsb +: MvmcfgPadLeftBits];
        mvm_q[s].pad_right  <= slot_wdata[MvmcfgPadRightLsb +: MvmcfgPadRightBits];
      end
      if (writes(is_mvm && addr[4:3] == 2'(s), addr[2:0], MvmcfgPadValueWord)) begin
        mvm_q[s].pad_value <= slot_wdata[MvmcfgPadValueLsb +: MvmcfgPadValueBits];
        mvm_q[s].in_slice  <= slot_wdata[MvmcfgInSliceLsb +: MvmcfgInSliceBits];
        mvm_q[s].w_slices  <= slot_wdata[MvmcfgWSlicesLsb +: MvmcfgWSlicesBits];
        mvm_q[s].adc_bits  <= slot_wdata[MvmcfgAdcBitsLsb +: MvmcfgAdcBitsBits];
        mvm_q[s].range     <= slot_wdata[MvmcfgRangeLsb +: MvmcfgRangeBits];
      end
      if (writes(is_mvm && addr[4:3] == 2'(s), addr[2:0], MvmcfgGroupRowsWord)) begin
        mvm_q[s].group_rows <= slot_wdata[MvmcfgGroupRowsLsb +: MvmcfgGroupRowsBits];
        mvm_q[s].mux_first  <= slot_wdata[MvmcfgMuxFirstLsb +: MvmcfgMuxFirstBits];
        mvm_q[s].mux_count  <= slot_wdata[MvmcfgMuxCountLsb +: MvmcfgMuxCountBits];
      end
    end
    for (int unsigned s = 0; s < NumVecCfg; s++) begin
      if (writes(is_vec && addr[4:2] == 3'(s), {1'b0, addr[1:0]}, VeccfgLenWord)) begin
        vec_q[s].len     <= slot_wdata[VeccfgLenLsb +: VeccfgLenBits];
        vec_q[s].requant <= slot_wdata[VeccfgRequantLsb];
        vec_q[s].relu    <= slot_wdata[VeccfgReluLsb];
      end
      if (writes(is_vec && addr[4:2] == 3'(s), {1'b0, addr[1:0]}, VeccfgMultWord))  vec_q[s].mult <= slot_wdata[VeccfgMultLsb +: VeccfgMultBits];
      if (writes(is_vec && addr[4:2] == 3'(s), {1'b0, addr[1:0]}, VeccfgShiftWord)) vec_q[s].shift <= slot_wdata[VeccfgShiftLsb +: VeccfgShiftBits];
    end
  end

  // ---- check of the slot written last: pick it, multiply and compare, one register each ----
  logic chk_valid_q, mul_valid_q, res_valid_q;
  logic [1:0] chk_slot_q, mul_slot_q, res_slot_q;
  mvm_cfg_t c;
  logic mul_ranges_q, res_ranges_q;
  logic [9:0] mul_k_q, res_k_q;
  logic [7:0] mul_n_seg_q;
  logic [11:0] mul_seg_len_q;
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
      mul_valid_q <= 1'b0;
      res_valid_q <= 1'b0;
      fault_q     <= 1'b0;
      ok_q        <= '0;
    end else begin
      chk_valid_q <= is_mvm;
      mul_valid_q <= chk_valid_q;
      res_valid_q <= mul_valid_q;
      fault_q     <= illegal;
      if (res_valid_q) ok_q[res_slot_q] <= res_ranges_q && res_prod_q == 20'(res_k_q);
    end
  end
  always_ff @(posedge clk_i) begin
    if (is_mvm) chk_slot_q <= addr[4:3];
    if (chk_valid_q) begin
      mul_slot_q    <= chk_slot_q;
      mul_ranges_q  <= ranges;
      mul_k_q       <= c.k;
      mul_n_seg_q   <= c.n_seg;
      mul_seg_len_q <= c.seg_len;
    end
    if (mul_valid_q) begin
      res_slot_q   <= mul_slot_q;
      res_ranges_q <= mul_ranges_q;
      res_k_q      <= mul_k_q;
      res_prod_q   <= mul_n_seg_q * mul_seg_len_q;
    end
  end

  assign busy_o    = chk_valid_q || mul_valid_q || res_valid_q || fault_q;
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
