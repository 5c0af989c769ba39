// SPDX-License-Identifier: Apache-2.0
// One address generator: a byte address, one signed increment a loop depth, a circular window.
// A step takes three cycles, each in its turn: next_i chooses the increment of depth_i, sum_i adds it
// and compares with the window, step_i wraps once; addr_o shows it the next cycle. What is written
// in between is not seen; end_o (first byte behind the window) follows a write one cycle late. Sums are exact (27 bits),
// the address keeps the low 24 bits. Zero from the first edge after reset on: the flops have no reset of their own.
module ohmac_agu
  import ohmac_isa_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                we_i,       // of the address: wins over step_i
  input  logic [2:0]          word_i,     // of the AGU group, ISA.md; 7 names nothing
  input  logic [AddrBits-1:0] wdata_i,
  input  logic                next_i,
  input  logic [1:0]          depth_i,
  input  logic                sum_i,
  input  logic                step_i,
  output logic [AddrBits-1:0] addr_o,
  output logic [AddrBits-1:0] wrap_base_o,
  output logic [AddrBits-1:0] wrap_len_o,
  output logic [AddrBits+1:0] wrap_end_o  // signed
);
  localparam int unsigned SumBits = AddrBits + 3;
  typedef logic signed [SumBits-1:0] sum_t;

  logic init_q;  // first edge after reset
  logic [AddrBits-1:0] addr_q, base_q, len_q, chosen_q, sum_q, wdata;
  logic [LoopDepth-1:0][AddrBits-1:0] inc_q;
  logic [AddrBits+1:0] end_q;
  logic above_q, below_q;  // past the window, before it

  sum_t addr, inc, above, below;
  logic [AddrBits-1:0] correction, wrapped;

  function automatic sum_t sext(logic [AddrBits-1:0] v);
    return sum_t'($signed(v));
  endfunction

  // The comparisons use their own sums, so that no adder waits for another.
  assign addr  = sext(addr_q);
  assign inc   = sext(chosen_q);
  assign above = addr + inc - sum_t'($signed(end_q));
  assign below = addr + inc - sext(base_q);

  assign correction = above_q ? ~len_q : below_q ? len_q : '0;
  assign wrapped    = sum_q + correction + AddrBits'(above_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) init_q <= 1'b1;
    else init_q <= 1'b0;
  end

  function automatic logic writes(int unsigned word);
    return init_q || (we_i && 32'(word_i) == word);
  endfunction
  assign wdata = init_q ? '0 : wdata_i;

  always_ff @(posedge clk_i) begin
    if (writes(AguAddrWord)) addr_q <= wdata;
    else if (step_i) addr_q <= wrapped;
    if (writes(AguInc0Word)) inc_q[0] <= wdata;
    if (writes(AguInc1Word)) inc_q[1] <= wdata;
    if (writes(AguInc2Word)) inc_q[2] <= wdata;
    if (writes(AguInc3Word)) inc_q[3] <= wdata;
    if (writes(AguWrapBaseWord)) base_q <= wdata;
    if (writes(AguWrapLenWord)) len_q <= wdata;
    end_q <= (AddrBits + 2)'($signed(base_q)) + (AddrBits + 2)'(len_q);
    if (next_i) chosen_q <= inc_q[depth_i];
    if (sum_i) begin
      sum_q   <= addr_q + chosen_q;
      above_q <= len_q != '0 && above >= 0;
      below_q <= len_q != '0 && below < 0;
    end
  end

  assign addr_o      = addr_q;
  assign wrap_base_o = base_q;
  assign wrap_len_o  = len_q;
  assign wrap_end_o  = end_q;
endmodule
