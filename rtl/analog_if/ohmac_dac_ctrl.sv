// SPDX-License-Identifier: Apache-2.0
// Row-latch loader: clears one latch bank, then writes one input slice of a row group, 4 rows a cycle.
// From start_i in cycle 0: row_clr in cycle 1, row_we in cycles 2..words_i+1, done_o in the last of these. The arguments hold
// from start_i to done_o. The caller picks a bank that is not driven; words_i >= 1.
// Values come from a memory with one cycle of latency (mem_re_o, mem_addr_o -> mem_rdata_i).
// Between two loads other words may pass through the address and data registers (word_*): on the pins one cycle later, without row_we.
module ohmac_dac_ctrl #(
  parameter int unsigned Rows = 256,
  localparam int unsigned WordW = $clog2(Rows / 4)
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             start_i,
  output logic             busy_o,
  output logic             done_o,
  input  logic             bank_i,
  input  logic [7:0]       row_word_i,   // first word of the row latches
  input  logic [WordW-1:0] mem_word_i,   // first word of the input vector
  input  logic [WordW:0]   words_i,
  input  logic [1:0]       in_slice_i,   // magnitude bits a phase: 0 = 7, 1 = 4, 2 = 2, 3 = 1
  input  logic [2:0]       shift_i,      // lowest magnitude bit of the slice
  output logic             mem_re_o,
  output logic [WordW-1:0] mem_addr_o,
  input  logic [31:0]      mem_rdata_i,
  input  logic             word_valid_i, // a word for the macro that is no row word
  input  logic [7:0]       word_addr_i,
  input  logic [31:0]      word_wdata_i,
  output logic             row_we_o,
  output logic             row_bank_o,
  output logic [7:0]       row_addr_o,
  output logic [31:0]      row_wdata_o,
  output logic [1:0]       row_clr_o
);
  logic             busy_q, rvalid_q, done_q, row_we_q, row_bank_q;
  logic [1:0]       row_clr_q;
  logic [7:0]       row_addr_q;
  logic [31:0]      row_wdata_q;
  logic [WordW:0]   rcnt_q, wcnt_q;   // words read, words written
  logic             last_word;

  // int8 -> {sign, slice aligned to the top of 7 magnitude bits}. -128 counts as -127.
  function automatic logic [7:0] slice_of(logic [7:0] v, logic [1:0] mode, logic [2:0] shift);
    logic [6:0] mag, low, aligned;
    mag = !v[7] ? v[6:0] : (v[6:0] == '0) ? 7'd127 : ~v[6:0] + 7'd1;
    low = mag >> shift;
    unique case (mode)
      2'd0: aligned = low;
      2'd1: aligned = {low[3:0], 3'd0};
      2'd2: aligned = {low[1:0], 5'd0};
      2'd3: aligned = {low[0], 6'd0};
    endcase
    return {v[7], aligned};
  endfunction

  assign mem_re_o   = start_i | (busy_q & (rcnt_q != words_i));
  assign mem_addr_o = mem_word_i + (busy_q ? rcnt_q[WordW-1:0] : '0);
  assign last_word  = wcnt_q + 1'b1 == words_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q    <= 1'b0;
      rvalid_q  <= 1'b0;
      done_q    <= 1'b0;
      row_we_q  <= 1'b0;
      row_clr_q <= '0;
    end else begin
      rvalid_q  <= mem_re_o;
      row_we_q  <= rvalid_q;
      done_q    <= rvalid_q & last_word;
      row_clr_q <= start_i ? 2'b01 << bank_i : '0;
      if (start_i) busy_q <= 1'b1;
      else if (done_q) busy_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      rcnt_q     <= (WordW + 1)'(1);
      wcnt_q     <= '0;
      row_bank_q <= bank_i;
    end else begin
      if (mem_re_o) rcnt_q <= rcnt_q + 1'b1;
      if (rvalid_q) wcnt_q <= wcnt_q + 1'b1;
    end
    if (rvalid_q) begin
      row_addr_q <= row_word_i + 8'(wcnt_q);
      for (int unsigned b = 0; b < 4; b++) begin
        row_wdata_q[8*b+:8] <= slice_of(mem_rdata_i[8*b+:8], in_slice_i, shift_i);
      end
    end else if (word_valid_i) begin
      row_addr_q  <= word_addr_i;
      row_wdata_q <= word_wdata_i;
    end
  end

  assign busy_o      = busy_q;
  assign done_o      = done_q;
  assign row_we_o    = row_we_q;
  assign row_bank_o  = row_bank_q;
  assign row_addr_o  = row_addr_q;
  assign row_wdata_o = row_wdata_q;
  assign row_clr_o   = row_clr_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) NoStartWhileBusy: assert (!start_i || !busy_q);
    if (rst_ni) OtherWordsMeetNoLoad: assert (!word_valid_i || !busy_q);
    if (rst_ni) NoEmptyLoad: assert (!start_i || words_i != '0);
  end
  ohmac_hold_check #(
    .Width(1 + $bits(row_word_i) + $bits(mem_word_i) + $bits(words_i) + $bits(in_slice_i) + $bits(shift_i))
  ) u_arguments_hold (
    .clk_i, .rst_ni, .valid_i(start_i || busy_q), .taken_i(done_q && !start_i),
    .data_i({bank_i, row_word_i, mem_word_i, words_i, in_slice_i, shift_i})
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) ClearComesBeforeWrites: assert (row_clr_q == '0 || !row_we_q);
  end
endmodule
