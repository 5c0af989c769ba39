// SPDX-License-Identifier: Apache-2.0
// Round-robin arbiter: grants one of the requests in the cycle they are made. The one after the last granted goes first,
// so a request that holds is granted within N grants. update_i moves the pointer: raise it when the grant is used.
module ohmac_rr_arb #(
  parameter int unsigned N = 4
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic [N-1:0] req_i,
  input  logic         update_i,
  output logic [N-1:0] gnt_o   // one-hot, 0 if no request
);
  logic [N-1:0] mask_q;        // 1 = at or after the pointer
  logic [N-1:0] masked, gnt_masked, gnt_plain;

  assign masked     = req_i & mask_q;
  assign gnt_masked = masked & (~masked + N'(1));
  assign gnt_plain  = req_i & (~req_i + N'(1));
  assign gnt_o      = (masked != '0) ? gnt_masked : gnt_plain;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) mask_q <= '1;
    else if (update_i && gnt_o != '0) mask_q <= ~(gnt_o | (gnt_o - N'(1)));
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) OneGrant: assert ($onehot0(gnt_o));
    if (rst_ni) GrantNeedsRequest: assert ((gnt_o & ~req_i) == '0);
  end
endmodule
