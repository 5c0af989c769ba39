// SPDX-License-Identifier: Apache-2.0
// Turns a staged vector into phases: for each row group and, inside, each input slice (low bits first) it loads a latch bank and
// drives it. Loading runs one phase ahead of driving; a bank is loaded again only after its drive ended.
// conv_valid_o is the sample cycle: the conversions of the phase begin in the next one.
// The first phase of an operation also waits for a free accumulator bank: two operations may be between here and the post stage.
module ohmac_mvm_phase
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Rows = 256,
  localparam int unsigned WordW = $clog2(Rows / 4)
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  mvm_cfg_t [NumMvmCfg-1:0] cfg_i,
  input  timing_cfg_t              timing_i,
  // staged vector
  input  logic                     op_valid_i,
  output logic                     op_ready_o,     // its last phase is loaded
  input  logic [1:0]               op_slot_i,
  output logic                     op_re_o,
  output logic [WordW-1:0]         op_addr_o,
  input  logic [31:0]              op_rdata_i,
  // words for the macro that are no row words, while no vector is staged
  input  logic                     word_valid_i,
  input  logic [7:0]               word_addr_i,
  input  logic [31:0]              word_wdata_i,
  // row and drive pins
  output logic                     row_we_o,
  output logic                     row_bank_o,
  output logic [7:0]               row_addr_o,
  output logic [31:0]              row_wdata_o,
  output logic [1:0]               row_clr_o,
  output logic                     drive_o,
  output logic                     bank_o,         // of the drive and of the sample
  output logic                     int_rst_o,
  output logic                     integrate_o,
  output logic                     sample_o,
  // phase in its sample cycle
  output logic                     conv_valid_o,
  output logic [1:0]               conv_slot_o,
  output logic                     conv_first_o,   // of the operation
  output logic                     conv_last_o,
  output logic [2:0]               conv_shift_o,   // weight of its codes, bits
  input  logic                     acc_release_i   // the post stage has read an accumulator bank
);
  typedef struct packed {
    logic [1:0] slot;
    logic       first;
    logic       last;
    logic [2:0] shift;
  } phase_t;

  // --- Loading
  mvm_cfg_t       cfg;
  logic [WordW:0] word_q, words_left, words;  // first word of the group, to the end of the vector, of this group
  logic [7:0]     group_words, vector_words;
  logic [2:0]     shift_q;
  logic [3:0]     next_shift;
  logic           first_q, load_bank_q, last_group, last_slice;
  logic [1:0]     banks_used_q;               // latch banks loading, loaded or driven
  logic           load_start, load_busy, load_done;
  phase_t         loaded, ready_phase, phase_q;
  logic           ready_valid, loaded_ready;
  logic [1:0]     loaded_count;

  assign cfg          = cfg_i[op_slot_i];
  assign vector_words = 8'((cfg.k + 10'd3) >> 2);
  assign group_words  = 8'((11'(cfg.group_rows) + 11'd3) >> 2);
  assign words_left   = (WordW + 1)'(vector_words) - word_q;
  assign last_group   = group_words == '0 || group_words >= 8'(words_left);
  assign words        = last_group ? words_left : (WordW + 1)'(group_words);

  always_comb begin
    unique case (cfg.in_slice)
      2'd0: next_shift = 4'(shift_q) + 4'd7;
      2'd1: next_shift = 4'(shift_q) + 4'd4;
      2'd2: next_shift = 4'(shift_q) + 4'd2;
      2'd3: next_shift = 4'(shift_q) + 4'd1;
    endcase
  end
  assign last_slice = next_shift >= 4'd7;

  assign load_start = op_valid_i & !load_busy & (banks_used_q != 2'd2);
  assign op_ready_o = load_done & last_group & last_slice;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q       <= '0;
      shift_q      <= '0;
      first_q      <= 1'b1;
      load_bank_q  <= 1'b0;
      banks_used_q <= '0;
    end else begin
      if (load_start != sample_o) begin
        banks_used_q <= load_start ? banks_used_q + 2'd1 : banks_used_q - 2'd1;
      end
      if (load_done) begin
        load_bank_q <= !load_bank_q;
        first_q     <= op_ready_o;
        shift_q     <= last_slice ? '0 : next_shift[2:0];
        if (last_slice) word_q <= last_group ? '0 : word_q + words;
      end
    end
  end

  ohmac_dac_ctrl #(
    .Rows(Rows)
  ) u_dac_ctrl (
    .clk_i,
    .rst_ni,
    .start_i    (load_start),
    .busy_o     (load_busy),
    .done_o     (load_done),
    .bank_i     (load_bank_q),
    .row_word_i (8'(cfg.row_base >> 2) + 8'(word_q)),
    .mem_word_i (word_q[WordW-1:0]),
    .words_i    (words),
    .in_slice_i (cfg.in_slice),
    .shift_i    (shift_q),
    .mem_re_o   (op_re_o),
    .mem_addr_o (op_addr_o),
    .mem_rdata_i(op_rdata_i),
    .word_valid_i,
    .word_addr_i,
    .word_wdata_i,
    .row_we_o,
    .row_bank_o,
    .row_addr_o,
    .row_wdata_o,
    .row_clr_o
  );

  assign loaded = '{slot: op_slot_i, first: first_q, last: op_ready_o, shift: shift_q};

  // --- Loaded phases wait for their drive
  logic     start, start_valid, start_ready, acc_free;
  logic [1:0] acc_used_q;
  mvm_cfg_t start_cfg;

  ohmac_fifo #(
    .Width($bits(phase_t)),
    .Depth(2)
  ) u_loaded (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(load_done),
    .ready_o(loaded_ready),
    .data_i (loaded),
    .valid_o(ready_valid),
    .ready_i(start),
    .data_o (ready_phase),
    .count_o(loaded_count)
  );

  assign acc_free    = acc_used_q != 2'd2;
  assign start_valid = ready_valid & (!ready_phase.first | acc_free);
  assign start       = start_valid & start_ready;
  assign start_cfg   = cfg_i[ready_phase.slot];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_used_q <= '0;
    end else if ((start & ready_phase.first) != acc_release_i) begin
      acc_used_q <= acc_release_i ? acc_used_q - 2'd1 : acc_used_q + 2'd1;
    end
  end

  always_ff @(posedge clk_i) if (start) phase_q <= ready_phase;

  ohmac_sense_ctrl u_sense_ctrl (
    .clk_i,
    .rst_ni,
    .timing_i,
    .valid_i      (start_valid),
    .ready_o      (start_ready),
    .conv_cycles_i(start_cfg.mux_count * (10'(start_cfg.adc_bits) + 10'd2)),
    .drive_o,
    .bank_o,
    .int_rst_o,
    .integrate_o,
    .sample_o
  );

  assign conv_valid_o = sample_o;
  assign conv_slot_o  = phase_q.slot;
  assign conv_first_o = phase_q.first;
  assign conv_last_o  = phase_q.last;
  assign conv_shift_o = phase_q.shift;

  logic unused;
  assign unused = ^{cfg, start_cfg, vector_words, loaded_count, loaded_ready};

  always_ff @(posedge clk_i) begin
    if (rst_ni) DrivenBankIsNotWritten: assert (
        !drive_o || (!(row_we_o && row_bank_o == bank_o) && !row_clr_o[bank_o]));
    if (rst_ni) LoadedPhaseHasRoom: assert (!load_done || loaded_ready);
    if (rst_ni) ReleaseMeetsUse: assert (!acc_release_i || acc_used_q != '0);
  end
endmodule
