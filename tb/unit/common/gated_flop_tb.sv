// SPDX-License-Identifier: Apache-2.0
// A flop behind a clock gate that never opens: reset has to reach it without a clock.
module gated_flop_tb (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic en_i,
  output logic q_o
);
  logic gated;
  ohmac_clk_gate u_gate (.clk_i, .en_i, .clk_o(gated));
  always_ff @(posedge gated or negedge rst_ni) begin
    if (!rst_ni) q_o <= 1'b1;
    else q_o <= !q_o;
  end
endmodule
