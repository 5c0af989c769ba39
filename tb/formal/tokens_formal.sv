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
  logic overflow_o;
  ohmac_tokens #(.Engines(Engines)) u_dut (.*);

  // The counter again, in an integer wide enough for one cycle.
  logic [11:0] have_q, have;
  always_comb begin
    have = clear_i ? '0 : have_q;
    for (int unsigned e = 0; e < Engines; e++) begin
      if (wait_gnt_o[e] && 32'(wait_token_i[e]) == Which) have -= 12'(wait_count_i[e]);
      if (sig_valid_i[e] && 32'(sig_token_i[e]) == Which) have += 12'(sig_count_i[e]);
    end
    if (rx_valid_i && 32'(rx_token_i) == Which) have += 12'd1;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) have_q <= '0;
    else have_q <= (32'(have) > Max) ? 12'(Max) : have;
  end

  // What is taken and given, and who could be served if it were alone.
  logic [11:0] taken, given;
  logic [Engines-1:0] wants;
  always_comb begin
    taken = '0;
    given = 12'(rx_valid_i && 32'(rx_token_i) == Which);
    for (int unsigned e = 0; e < Engines; e++) begin
      if (wait_gnt_o[e] && 32'(wait_token_i[e]) == Which) taken += 12'(wait_count_i[e]);
      if (sig_valid_i[e] && 32'(sig_token_i[e]) == Which) given += 12'(sig_count_i[e]);
      wants[e] = wait_valid_i[e] && 32'(wait_token_i[e]) == Which && 12'(wait_count_i[e]) <= have_q;
    end
  end

  logic [Engines-1:0] gnt_here;
  always_comb begin
    for (int unsigned e = 0; e < Engines; e++) gnt_here[e] = wait_gnt_o[e] && 32'(wait_token_i[e]) == Which;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      NoWaitWhileCleared: assume (!clear_i || wait_valid_i == '0);
      NeverBelowZero:    assert (taken <= have_q);
      SumConserved:      assert (12'(u_dut.count_q[Which]) == have_q);
      OverflowIsSeen:    assert (32'(have) <= Max || overflow_o);
      GrantNeedsRequest: assert ((wait_gnt_o & ~wait_valid_i) == '0);
      LowestEngineWins:  assert (gnt_here == (wants & (~wants + Engines'(1))));
      AllAtOnce:         cover (rx_valid_i && sig_valid_i == '1 && given == 12'd9 && taken == 12'd5);
      TwoWantOne:        cover ($countones(wants) == 2 && taken != '0);
      Overflows:         cover (overflow_o);
    end
  end
endmodule
