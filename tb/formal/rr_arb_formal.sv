// SPDX-License-Identifier: Apache-2.0
// ohmac_rr_arb with free requests. One requester, any one, is watched: while it asks, at most N - 1 grants go to others.
module rr_arb_formal #(
  parameter int unsigned N = 5
) (
  input logic         clk_i,
  input logic [N-1:0] req_i,
  input logic         update_i,
  input logic [7:0]   who_i
);
  localparam int unsigned Bits = $clog2(N + 1) + 1;
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [N-1:0] gnt_o;
  ohmac_rr_arb #(.N(N)) u_dut (.*);

  // The watched requester: any, but always the same.
  logic [Bits-1:0] who;
  logic [7:0] who_q;
  assign who = Bits'(who_i);
  always_ff @(posedge clk_i) who_q <= who_i;

  logic asks, served;
  logic [Bits-1:0] others_q;  // grants to others since it asks
  assign asks   = req_i[who];
  assign served = gnt_o[who];
  always_ff @(posedge clk_i) begin
    if (!rst_ni || !asks || served) others_q <= '0;
    else if (update_i) others_q <= others_q + Bits'(1);
  end

  // Requesters that the pointer passes before it comes to the watched one. mask_q is ones from the pointer up.
  logic [Bits-1:0] pointer, away;
  always_comb begin
    pointer = Bits'(N);
    for (int unsigned i = 0; i < N; i++) if (u_dut.mask_q[i]) pointer -= Bits'(1);
    away = (who >= pointer) ? who - pointer : Bits'(N) - pointer + who;
    if (pointer == Bits'(N)) away = who;
  end

  always_ff @(posedge clk_i) begin
    Watched: assume (32'(who_i) < N);
    if (rst_ni) begin
      SameWatched:       assume (who_i == who_q);
      OneWinner:         assert ($onehot0(gnt_o));
      WinnerAsked:       assert ((gnt_o & ~req_i) == '0);
      SomeoneWins:       assert (req_i == '0 || gnt_o != '0);
      PointerIsAMask:    assert ((u_dut.mask_q & (~u_dut.mask_q >> 1) & ~(N'(1) << (N - 1))) == '0);
      ServedInTurn:      assert (32'(others_q) < N);
      TurnComesNearer:   assert (32'(others_q) + 32'(away) < N);
      LongestWait:       cover (served && 32'(others_q) == N - 1);
      AllAskOneWins:     cover (req_i == '1 && gnt_o[N-1] && update_i);
    end
  end
endmodule
