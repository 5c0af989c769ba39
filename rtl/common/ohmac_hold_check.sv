// SPDX-License-Identifier: Apache-2.0
// Checker of a promise that every stream gives: what is offered and not taken is offered again in the next cycle,
// unchanged. No output: nothing of it is left after synthesis. Not `$stable` in an assertion of the stream's owner:
// the simulator would copy the payload at every evaluation, not once a cycle and only while the stream stands.
module ohmac_hold_check #(
  parameter int unsigned Width = 1
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             valid_i,  // offered
  input logic             taken_i,  // by ready, a grant or a flush
  input logic [Width-1:0] data_i
);
  logic stands_q;
  logic [Width-1:0] data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) stands_q <= 1'b0;
    else stands_q <= valid_i && !taken_i;
  end
  always_ff @(posedge clk_i) begin
    if (valid_i && !taken_i) data_q <= data_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) HoldsUntilTaken: assert (!stands_q || (valid_i && data_i == data_q));
  end
endmodule
