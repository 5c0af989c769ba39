// SPDX-License-Identifier: Apache-2.0
// Clock gate: latch and AND. en_i must settle before the rising edge; it is held while the clock is high, so clk_o never glitches.
// The only latch of the chip; synthesis replaces it with a library cell where there is one.
module ohmac_clk_gate (
  input  logic clk_i,
  input  logic en_i,
  output logic clk_o
);
  logic en_latched;

  always_latch begin
    if (!clk_i) en_latched = en_i;
  end

  assign clk_o = clk_i & en_latched;
endmodule
