// SPDX-License-Identifier: Apache-2.0
// The phase start rule of the MVM engine: ohmac_mvm_phase with ohmac_mvm_adc behind it, between a free fetch stage (vectors and their slots) and a
// free post stage (releases of accumulator banks). Every legal slot and timing at once: they are free and do not change. The
// comparators are free, so nothing at the pins may depend on data or on back-pressure.
module mvm_formal
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Rows = 8,
  parameter int unsigned Cols = 16,
  parameter int unsigned Lanes = 8,
  localparam int unsigned WordW = $clog2(Rows / 4),
  localparam int unsigned Mux = Cols / Lanes
) (
  input logic                     clk_i,
  input mvm_cfg_t [NumMvmCfg-1:0] cfg_i,
  input timing_cfg_t              timing_i,
  input logic                     op_valid_i,
  input logic [1:0]               op_slot_i,
  input logic [31:0]              op_rdata_i,
  input logic                     word_valid_i,
  input logic [7:0]               word_addr_i,
  input logic [31:0]              word_wdata_i,
  input logic                     acc_release_i,
  input logic [Lanes-1:0]         cmp_i
);
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic op_ready_o, op_re_o, row_we_o, row_bank_o, drive_o, bank_o, int_rst_o, integrate_o, sample_o;
  logic [WordW-1:0] op_addr_o;
  logic [7:0] row_addr_o;
  logic [31:0] row_wdata_o;
  logic [1:0] row_clr_o, conv_slot_o;
  logic conv_valid_o, conv_first_o, conv_last_o;
  logic [2:0] conv_shift_o;
  ohmac_mvm_phase #(.Rows(Rows)) u_phase (.*);

  logic sar_strobe, mux_bank, op_done, conversion, busy;
  logic [5:0] mux_sel;
  logic [3:0] range;
  logic [Lanes-1:0][MaxAdcBits-1:0] sar_code;
  logic [Lanes-1:0][ColAccBits-1:0] acc;
  logic [1:0][14:0] shift_sum;
  logic [7:0] clips, sats;
  ohmac_mvm_adc #(.Cols(Cols), .Lanes(Lanes)) u_adc (
    .clk_i, .rst_ni, .cfg_i,
    .conv_valid_i(conv_valid_o), .conv_slot_i(conv_slot_o), .conv_first_i(conv_first_o), .conv_last_i(conv_last_o),
    .conv_shift_i(conv_shift_o), .conv_bank_i(bank_o),
    .sar_strobe_o(sar_strobe), .mux_bank_o(mux_bank), .mux_sel_o(mux_sel), .range_o(range), .sar_code_o(sar_code), .cmp_i,
    .op_done_o(op_done), .post_re_i(1'b0), .post_bank_i(1'b0), .post_block_i('0), .post_acc_o(acc),
    .shift_sum_o(shift_sum), .conversion_o(conversion), .clips_o(clips), .sats_o(sats), .busy_o(busy)
  );

  // Environment: slots as ohmac_tile_cfg lets them pass, a vector offered until it is taken.
  mvm_cfg_t [NumMvmCfg-1:0] cfg_q;
  timing_cfg_t timing_q;
  logic [NumMvmCfg-1:0] legal;
  logic offered_q;
  logic [1:0] slot_q;
  always_ff @(posedge clk_i) begin
    cfg_q     <= cfg_i;
    timing_q  <= timing_i;
    offered_q <= rst_ni && op_valid_i && !op_ready_o;
    slot_q    <= op_slot_i;
  end
  always_comb begin
    for (int unsigned s = 0; s < NumMvmCfg; s++) begin
      legal[s] = cfg_i[s].k != '0 && 32'(cfg_i[s].row_base) + 32'(cfg_i[s].k) <= Rows && cfg_i[s].row_base[1:0] == '0 &&
                 cfg_i[s].group_rows != '0 && (cfg_i[s].group_rows[1:0] == '0 || cfg_i[s].group_rows >= cfg_i[s].k) &&
                 cfg_i[s].mux_count != '0 && 32'(cfg_i[s].mux_first) + 32'(cfg_i[s].mux_count) <= Mux &&
                 cfg_i[s].adc_bits >= 4'd4 && cfg_i[s].adc_bits <= 4'd8;
    end
  end
  always_ff @(posedge clk_i) begin
    SlotsLegal:  assume (legal == '1);
    TimingLegal: assume (timing_i.settle != '0 && timing_i.integ != '0);
    if (rst_ni) begin
      ConfigurationHolds: assume (cfg_i == cfg_q && timing_i == timing_q);
      VectorHolds:        assume (!offered_q || (op_valid_i && op_slot_i == slot_q));
      ReleasesWhatIsUsed: assume (!acc_release_i || u_phase.acc_used_q != '0);
      OtherWordsBetween:  assume (!word_valid_i || (!op_valid_i && !u_phase.load_busy));
    end
  end

  // Seen from the pins: cycle t of the drive; what is in the two latch banks; accumulator banks taken by operations.
  localparam int unsigned TimeBits = 12;
  logic drive_q, sample_q;
  logic [TimeBits-1:0] t_q, settle, sample_at;
  logic [1:0] loaded_q;  // 1 = cleared, every word of its phase written, not driven since
  logic [1:0] used_q;
  assign settle    = TimeBits'(timing_i.settle);
  assign sample_at = TimeBits'(timing_i.settle) + TimeBits'(timing_i.integ);
  always_ff @(posedge clk_i) begin
    drive_q  <= rst_ni && drive_o;
    sample_q <= rst_ni && sample_o;
    // t_q is the number of this cycle, if drive is high in it.
    t_q <= (rst_ni && drive_o && !sample_o) ? t_q + TimeBits'(1) : '0;
    if (!rst_ni) begin
      loaded_q <= '0;
      used_q   <= '0;
    end else begin
      if (u_phase.load_done) loaded_q[row_bank_o] <= 1'b1;
      if (sample_o) loaded_q[bank_o] <= 1'b0;
      used_q <= used_q + 2'(u_phase.start && u_phase.ready_phase.first) - 2'(acc_release_i);
    end
  end

  // Cycles the ADC still needs, this one included.
  logic [TimeBits-1:0] need, left, bits2;
  logic [TimeBits-1:0] adc_left;
  assign bits2    = TimeBits'(u_adc.bits_q) + TimeBits'(2);
  assign left     = (u_adc.blocks_left_q == 6'd2) ? bits2 : '0;
  assign need     = busy ? left + bits2 - TimeBits'(u_adc.cycle_q) : '0;
  assign adc_left = TimeBits'(u_phase.u_sense_ctrl.adc_left_q);

  logic [TimeBits-1:0] plan;  // conversion cycles of the phase that is driven
  mvm_cfg_t conv_cfg;
  assign conv_cfg = cfg_i[conv_slot_o];
  assign plan = ((conv_cfg.mux_count == 6'd2) ? TimeBits'(2) : TimeBits'(1)) * (TimeBits'(conv_cfg.adc_bits) + TimeBits'(2));

  logic [7:0] rcnt, wcnt;
  assign rcnt = 8'(u_phase.u_dac_ctrl.rcnt_q);
  assign wcnt = 8'(u_phase.u_dac_ctrl.wcnt_q);

  // The banks that hold a phase: the driven one and those in the list behind it.
  logic [1:0] expect_loaded;
  always_comb begin
    expect_loaded = '0;
    if (drive_o) expect_loaded[bank_o] = 1'b1;
    if (u_phase.loaded_count != '0) expect_loaded[!bank_o] = 1'b1;
    if (u_phase.loaded_count == 2'd2) expect_loaded[bank_o] = 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      // Start
      RowsRestFirst:        assert (!(int_rst_o && drive_q));
      DrivesALoadedBank:    assert (!drive_o || loaded_q[bank_o]);
      AccumulatorFree:      assert (used_q <= 2'd2);
      FirstWaitsForAccu:    assert (!(u_phase.start && u_phase.ready_phase.first) || used_q != 2'd2);
      AdcFreeInTime:        assert (!drive_o || need + t_q <= sample_at + TimeBits'(1));
      StartsWhenItCan:      assert (!(u_phase.ready_valid && !drive_o && !busy && used_q != 2'd2) || u_phase.start);
      // Intervals
      ResetFirst:           assert (int_rst_o == (drive_o && t_q == '0));
      IntegratesAfterS:     assert (integrate_o == (drive_o && t_q >= settle && t_q < sample_at));
      SamplesAtSPlusI:      assert (sample_o == (drive_o && t_q == sample_at));
      DriveEndsWithSample:  assert (!sample_q || !drive_o);
      DriveLasts:           assert (!drive_q || drive_o || sample_q);
      ConvertsAfterSample:  assert (!sample_q || (busy && u_adc.cycle_q == '0 && !sar_strobe));
      TrialsAreConstant:    assert (sar_strobe == (busy && u_adc.cycle_q >= 4'd1 && u_adc.cycle_q <= u_adc.bits_q));
      // Banks
      DrivenBankUnwritten:  assert (!drive_o || !((row_we_o && row_bank_o == bank_o) || row_clr_o[bank_o]));
      SampleMeetsNoTrial:   assert (!sample_o || !sar_strobe);
      SampleOtherBank:      assert (!(sample_o && busy) || bank_o != mux_bank);
      LastConversionEnds:   assert (!(sample_o && busy) || (conversion && u_adc.blocks_left_q == 6'd1));
      // For the induction: what the registers mean.
      CycleOfDrive:         assert (!drive_o || (TimeBits'(u_phase.u_sense_ctrl.cnt_q) == t_q && t_q <= sample_at));
      NoDriveNoTime:        assert (drive_o || t_q == '0);
      PlanOfDrive:          assert (!drive_o || adc_left + t_q == sample_at + plan);
      PlanOfConversion:     assert (drive_o || adc_left == ((need == '0) ? '0 : need - TimeBits'(1)));
      ConversionRuns:       assert (!busy || (u_adc.cycle_q <= u_adc.bits_q + 4'd1 && u_adc.bits_q >= 4'd4 && u_adc.bits_q <= 4'd8 &&
                                              (u_adc.blocks_left_q == 6'd1 || u_adc.blocks_left_q == 6'd2)));
      BitOfTrial:           assert (!sar_strobe || u_adc.u_sar.bit_q == 8'd1 << (u_adc.bits_q - u_adc.cycle_q));
      BanksCounted:         assert (3'(u_phase.banks_used_q) == 3'(u_phase.load_busy) + 3'(u_phase.loaded_count) + 3'(drive_o) &&
                                    u_phase.banks_used_q <= 2'd2);
      BanksAlternate:       assert (u_phase.load_bank_q == (!bank_o ^ u_phase.loaded_count[0]));
      LoadedMeansLoaded:    assert (loaded_q == expect_loaded);
      MuxBankIsLast:        assert (!busy || mux_bank == (bank_o ^ drive_o));
      LoadBank:             assert (!u_phase.load_busy || row_bank_o == u_phase.load_bank_q);
      WritesWhileLoading:   assert ((!row_we_o && !u_phase.load_done && !u_phase.u_dac_ctrl.rvalid_q && row_clr_o == '0) ||
                                    u_phase.load_busy);
      ClearsThatBank:       assert (row_clr_o == '0 || row_clr_o == 2'd1 << u_phase.load_bank_q);
      LoadCounts:           assert (!u_phase.load_busy ||
                                    (rcnt == wcnt + 8'(u_phase.u_dac_ctrl.rvalid_q) && rcnt <= 8'(u_phase.words) &&
                                     u_phase.u_dac_ctrl.rvalid_q == !u_phase.load_done && (row_clr_o == '0) == (wcnt != '0) &&
                                     row_we_o == (wcnt != '0) && (!u_phase.load_done || wcnt == 8'(u_phase.words))));
      LoadHasVector:        assert (!(u_phase.load_busy || u_phase.word_q != '0) || op_valid_i);
      VectorLasts:          assert (u_phase.word_q == '0 || 8'(u_phase.word_q) < u_phase.vector_words);
      UsedIsUsed:           assert (used_q == u_phase.acc_used_q);
      LoadedPointers:       assert (u_phase.loaded_count <= 2'd2 &&
                                    1'(32'(u_phase.u_loaded.rptr_q) + 32'(u_phase.loaded_count)) == u_phase.u_loaded.wptr_q);
      // Reached
      DriveDuringConversion: cover (sample_o && busy && bank_o != mux_bank);
      WaitsForAdc:           cover (u_phase.ready_valid && !drive_o && used_q != 2'd2 && !u_phase.start);
      WaitsForAccu:          cover (u_phase.ready_valid && u_phase.ready_phase.first && used_q == 2'd2 && !drive_o && !busy);
      LoadsDuringDrive:      cover (row_we_o && drive_o && row_bank_o != bank_o);
    end
  end
endmodule
