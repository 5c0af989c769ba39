// SPDX-License-Identifier: Apache-2.0
// Stands in for ohmac_fifo in a simulation (name it in SOURCES): the same FIFO, whose output stays away for a random time each time a new
// word comes to its head; an output once shown stays, so the handshake rules hold. +ohmac_stall=<percent> is the chance a cycle
// that a hidden word stays hidden (count_o tells of it all the same); without it this is ohmac_fifo to the cycle. Reproducible by the random seed of the simulator.
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
  int unsigned percent;
  logic [Width-1:0] mem_q [Depth];
  int unsigned wptr_q, rptr_q, count_q;  // pointers count words; mod Depth
  logic shown_q, push, pop;

  initial if (!$value$plusargs("ohmac_stall=%d", percent)) percent = 0;

  assign ready_o = count_q != Depth;
  assign valid_o = count_q != 0 && (shown_q || percent == 0);
  assign data_o  = mem_q[rptr_q%Depth];
  assign count_o = ($clog2(Depth + 1))'(count_q);
  assign push    = valid_i & ready_o;
  assign pop     = valid_o & ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q  <= 0;
      rptr_q  <= 0;
      count_q <= 0;
      shown_q <= 1'b0;
    end else if (clear_i) begin
      wptr_q  <= 0;
      rptr_q  <= 0;
      count_q <= 0;
      shown_q <= 1'b0;
    end else begin
      wptr_q  <= wptr_q + 32'(push);
      rptr_q  <= rptr_q + 32'(pop);
      count_q <= count_q + 32'(push) - 32'(pop);
      shown_q <= (valid_o && !pop) || $urandom_range(99) >= percent;
    end
  end
  always_ff @(posedge clk_i) if (push) mem_q[wptr_q%Depth] <= data_i;
endmodule
