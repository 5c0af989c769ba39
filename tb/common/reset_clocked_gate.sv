// SPDX-License-Identifier: Apache-2.0
// Stands in for ohmac_clk_gate in simulations that reset a running chip (name it in SOURCES): the same gate, open while the chip is in reset.
// The simulator looks at `disable iff` only at clock edges, so an assertion over two cycles of a stopped clock would not see the reset
// between them, and compare a value after reset with one before. The flops are reset without a clock, with this gate or without.
package reset_clocked_gate_pkg;
  logic in_reset;
endpackage

module ohmac_clk_gate (
  input  logic clk_i,
  input  logic en_i,
  output logic clk_o
);
  logic en_latched;

  always_latch begin
    if (!clk_i) en_latched = en_i | reset_clocked_gate_pkg::in_reset;
  end

  assign clk_o = clk_i & en_latched;
endmodule

module reset_clocked_gate_watch (
  input logic rst_ni
);
  always_comb reset_clocked_gate_pkg::in_reset = !rst_ni;
endmodule

bind ohmac_top reset_clocked_gate_watch u_reset_watch (.rst_ni);
