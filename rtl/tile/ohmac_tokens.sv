// SPDX-License-Identifier: Apache-2.0
// Token counters of a tile. Engines (SEQ 0, MVM 1, VEC 2, NET 3) consume, engines and NoC receive
// produce; all may hit one counter in one cycle. A grant is combinational and subtracts at the end
// of the cycle: a consumer sees the counts at its start. A count above the maximum saturates and
// raises overflow_o for that cycle: a token is never lost in silence. clear_i: nobody consumes.
module ohmac_tokens
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Engines = 4
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic [Engines-1:0]                wait_valid_i,
  input  logic [Engines-1:0][3:0]           wait_token_i,
  input  logic [Engines-1:0][TokenBits-1:0] wait_count_i,
  output logic [Engines-1:0]                wait_gnt_o,   // token >= count: subtracted now
  input  logic [Engines-1:0]                sig_valid_i,
  input  logic [Engines-1:0][3:0]           sig_token_i,
  input  logic [Engines-1:0][TokenBits-1:0] sig_count_i,
  input  logic                              rx_valid_i,   // one token from the NoC
  input  logic [3:0]                        rx_token_i,
  input  logic                              clear_i,      // every count becomes 0, then this cycle's tokens are added
  output logic                              overflow_o
);
  localparam int unsigned SumBits = TokenBits + $clog2(Engines + 2) + 1;

  logic [NumTokens-1:0][TokenBits-1:0] count_q, count_d;
  logic [NumTokens-1:0] over;

  // Two engines that want the same token in one cycle: the lowest one gets it, the other retries.
  always_comb begin
    wait_gnt_o = '0;
    for (int unsigned e = 0; e < Engines; e++) begin
      logic taken;
      taken = 1'b0;
      for (int unsigned l = 0; l < e; l++) begin
        if (wait_gnt_o[l] && wait_token_i[l] == wait_token_i[e]) taken = 1'b1;
      end
      wait_gnt_o[e] = wait_valid_i[e] && !taken && count_q[wait_token_i[e]] >= wait_count_i[e];
    end
  end

  always_comb begin
    for (int unsigned t = 0; t < NumTokens; t++) begin
      logic [SumBits-1:0] sum;
      sum = clear_i ? '0 : SumBits'(count_q[t]);
      for (int unsigned e = 0; e < Engines; e++) begin
        if (wait_gnt_o[e] && wait_token_i[e] == 4'(t)) sum -= SumBits'(wait_count_i[e]);
        if (sig_valid_i[e] && sig_token_i[e] == 4'(t)) sum += SumBits'(sig_count_i[e]);
      end
      if (rx_valid_i && rx_token_i == 4'(t)) sum += SumBits'(1);
      over[t]    = sum[SumBits-1:TokenBits] != '0;
      count_d[t] = over[t] ? '1 : sum[TokenBits-1:0];
    end
  end

  assign overflow_o = |over;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else count_q <= count_d;
  end

  for (genvar e = 0; e < Engines; e++) begin : gen_promise
    always_ff @(posedge clk_i) begin
      if (rst_ni) GrantIsCovered: assert (
          !wait_gnt_o[e] || (wait_valid_i[e] && count_q[wait_token_i[e]] >= wait_count_i[e]));
    end
    for (genvar l = 0; l < e; l++) begin : gen_pair
      always_ff @(posedge clk_i) begin
        if (rst_ni) OneConsumerAToken: assert (
            !(wait_gnt_o[e] && wait_gnt_o[l] && wait_token_i[e] == wait_token_i[l]));
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) NobodyConsumesWhileCleared: assert (!clear_i || wait_gnt_o == '0);
  end
  for (genvar t = 0; t < NumTokens; t++) begin : gen_keep
    always_ff @(posedge clk_i) begin
      if (rst_ni) TokensStayWithoutTraffic: assert (
          wait_gnt_o != '0 || sig_valid_i != '0 || rx_valid_i || clear_i || count_d[t] == count_q[t]);
    end
  end
endmodule
