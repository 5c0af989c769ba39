// SPDX-License-Identifier: Apache-2.0
// Synchronous FIFO, valid/ready on both sides, registered storage, no combinational path from input to output.
// It does not bypass: a word is visible one cycle after it was pushed. Users tell by count_o whether it is empty, not by valid_o: a
// simulation may withhold valid_o (tb/common/stalling_fifo.sv).
module ohmac_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       clear_i,   // drops every word
  input  logic                       valid_i,
  output logic                       ready_o,
  input  logic [Width-1:0]           data_i,
  output logic                       valid_o,
  input  logic                       ready_i,
  output logic [Width-1:0]           data_o,
  output logic [$clog2(Depth+1)-1:0] count_o
);
  localparam int unsigned PtrBits = (Depth > 1) ? $clog2(Depth) : 1;
  localparam int unsigned CntBits = $clog2(Depth + 1);

  if (Width < 1 || Depth < 1) begin : gen_bad_size
    $fatal(1, "ohmac_fifo: Width and Depth must be at least 1, not %0d and %0d", Width, Depth);
  end

  logic [Width-1:0] mem_q [Depth];
  logic [PtrBits-1:0] wptr_q, rptr_q;
  logic [CntBits-1:0] count_q;
  logic push, pop;

  assign ready_o = count_q != CntBits'(Depth);
  assign valid_o = count_q != '0;
  assign data_o  = mem_q[rptr_q];
  assign count_o = count_q;
  assign push    = valid_i & ready_o;
  assign pop     = valid_o & ready_i;

  function automatic logic [PtrBits-1:0] next_ptr(logic [PtrBits-1:0] p);
    return (p == PtrBits'(Depth - 1)) ? '0 : p + PtrBits'(1);
  endfunction

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      count_q <= '0;
    end else if (clear_i) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      count_q <= '0;
    end else begin
      if (push) wptr_q <= next_ptr(wptr_q);
      if (pop) rptr_q <= next_ptr(rptr_q);
      // No change without a fault: a pointer that a flipped bit has moved is right again once the FIFO was empty.
      else if (count_q == '0) rptr_q <= wptr_q;
      if (push != pop) count_q <= push ? count_q + CntBits'(1) : count_q - CntBits'(1);
    end
  end

  // Storage has no reset: a word is only read after it was written.
  always_ff @(posedge clk_i) if (push) mem_q[wptr_q] <= data_i;

  always_ff @(posedge clk_i) begin
    if (rst_ni) NeverOverfull: assert (32'(count_q) <= Depth);
  end
endmodule
