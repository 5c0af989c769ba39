// SPDX-License-Identifier: Apache-2.0
// Stands in for ohmac_fifo in the chip of reset_proof: the same FIFO, but the one with 16 places, the queue of the vector unit, is empty at
// power-on and forgotten by reset. reset_test must find that.
module ohmac_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       clear_i,
  input  logic                       valid_i,
  output logic                       ready_o,
  input  logic [Width-1:0]           data_i,
  output logic                       valid_o,
  input  logic                       ready_i,
  output logic [Width-1:0]           data_o,
  output logic [$clog2(Depth+1)-1:0] count_o
);
  logic [Width-1:0] mem_q [Depth];
  int unsigned wptr_q = 0, rptr_q = 0, count_q = 0;
  logic reset, push, pop;

  assign reset   = !rst_ni && Depth != 16;
  assign ready_o = count_q != Depth;
  assign valid_o = count_q != 0;
  assign data_o  = mem_q[rptr_q%Depth];
  assign count_o = ($clog2(Depth + 1))'(count_q);
  assign push    = valid_i & ready_o;
  assign pop     = valid_o & ready_i;

  always_ff @(posedge clk_i or posedge reset) begin
    if (reset || clear_i) begin
      wptr_q  <= 0;
      rptr_q  <= 0;
      count_q <= 0;
    end else begin
      wptr_q  <= (wptr_q + 32'(push)) % Depth;
      rptr_q  <= (rptr_q + 32'(pop)) % Depth;
      count_q <= count_q + 32'(push) - 32'(pop);
    end
  end
  always_ff @(posedge clk_i) if (push) mem_q[wptr_q] <= data_i;
endmodule
