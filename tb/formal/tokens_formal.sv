// SPDX-License-Identifier: Apache-2.0
// ohmac_tokens with free engines and receiver. One counter is kept a second time, by integer arithmetic
// on the ports.
module tokens_formal
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Engines = 4,
  parameter int unsigned Which = 0  // the counter that is looked at
) (
  input logic                              clk_i,
  input logic [Engines-1:0]                wait_valid_i,
  input logic [Engines-1:0][3:0]           wait_token_i,
  input logic [Engines-1:0][TokenBits-1:0] wait_count_i,
  input logic [Engines-1:0]                sig_valid_i,
  input logic [Engines-1:0][3:0]           sig_token_i,
  input logic [Engines-1:0][TokenBits-1:0] sig_count_i,
  input logic                              rx_valid_i,
  input logic [3:0]                        rx_token_i,
  input logic                              clear_i
);
  localparam int unsigned Max = 2 ** TokenBits - 1;
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [Engines-1:0] wait_gnt_o;
  logic overflow_o, signals_o, busy_o;
  ohmac_tokens #(.Engines(Engines)) u_dut (.*);

  // What is given and cleared, two cycles late, and what was taken, one cycle late, is what the counter shows in the next cycle.
  logic [11:0] given, given_q, given_qq, taken, taken_q;
  logic clear_q, clear_qq;
  always_comb begin
    taken = '0;
    given = 12'(rx_valid_i && 32'(rx_token_i) == Which);
    for (int unsigned e = 0; e < Engines; e++) begin
      if (wait_gnt_o[e] && 32'(wait_token_i[e]) == Which) taken += 12'(wait_count_i[e]);
      if (sig_valid_i[e] && 32'(sig_token_i[e]) == Which) given += 12'(sig_count_i[e]);
    end
  end
  always_ff @(posedge clk_i) begin
    given_q  <= rst_ni ? given : '0;
    given_qq <= rst_ni ? given_q : '0;
    taken_q  <= rst_ni ? taken : '0;
    clear_q  <= rst_ni && clear_i;
    clear_qq <= !rst_ni || clear_q;  // a reset clears
  end

  // The counter again, in an integer wide enough for one cycle.
  logic [11:0] have_q, have;
  logic over_q;
  assign have = (clear_qq ? '0 : have_q) - taken_q + given_qq;
  always_ff @(posedge clk_i) begin
    have_q <= !rst_ni ? '0 : (32'(have) > Max) ? 12'(Max) : have;
    over_q <= rst_ni && 32'(have) > Max;
  end

  // Who wants the token, could be served if it were alone, and was already so in the cycle before.
  logic [Engines-1:0] wants, wants_q, gnt_here, stands_q;
  logic [Engines-1:0][3:0] token_q;
  logic [Engines-1:0][TokenBits-1:0] count_q;
  always_comb begin
    for (int unsigned e = 0; e < Engines; e++) begin
      wants[e]    = wait_valid_i[e] && 32'(wait_token_i[e]) == Which && 12'(wait_count_i[e]) <= have_q;
      gnt_here[e] = wait_gnt_o[e] && 32'(wait_token_i[e]) == Which;
    end
  end
  always_ff @(posedge clk_i) begin
    wants_q   <= rst_ni ? wants : '0;
    stands_q  <= rst_ni ? wait_valid_i & ~wait_gnt_o : '0;
    token_q   <= wait_token_i;
    count_q   <= wait_count_i;
  end

  // Nothing is on its way to a grant of this token.
  logic quiet_q;
  always_ff @(posedge clk_i) quiet_q <= rst_ni && u_dut.covered_q == '0 && !u_dut.take_q;

  logic rx_given_q;
  always_ff @(posedge clk_i) rx_given_q <= rst_ni && rx_valid_i && 32'(rx_token_i) == Which;

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      NoWaitWhileCleared: assume (!(clear_i || clear_q || clear_qq) || wait_valid_i == '0);
      NeverBelowZero:    assert (taken_q <= have_q && (taken == '0 || taken_q == '0));
      SumConserved:      assert (12'(u_dut.count_q[Which]) == have_q);
      OverflowIsSeen:    assert (!over_q || overflow_o);
      GrantNeedsRequest: assert ((wait_gnt_o & ~wait_valid_i) == '0);
      OneGrant:          assert ((wait_gnt_o & (wait_gnt_o - Engines'(1))) == '0);
      GrantWasWanted:    assert ((gnt_here & ~wants_q) == '0);
      LowestEngineWins:  assert (gnt_here == '0 || gnt_here == (wants_q & (~wants_q + Engines'(1))) || !quiet_q);
      ServedAtOnce:      assert (!quiet_q || wants_q == '0 || (stands_q & ~wait_valid_i) != '0 || wait_gnt_o != '0);
      SignalsAreShown:   assert (signals_o || given_q == 12'(rx_given_q));
      BusyUntilCounted:  assert (busy_o || (given_q == '0 && given_qq == '0 && taken_q == '0 && !clear_qq));
      AllAtOnce:         cover (given_qq == 12'd9 && taken_q == 12'd3);
      TwoWantOne:        cover ($countones(wants) == 2 && taken != '0);
      Overflows:         cover (overflow_o);
    end
  end
  for (genvar e = 0; e < Engines; e++) begin : gen_hold
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        RequestHolds: assume (!(stands_q[e] && wait_valid_i[e]) || (wait_token_i[e] == token_q[e] && wait_count_i[e] == count_q[e]));
      end
    end
  end
endmodule
