// SPDX-License-Identifier: Apache-2.0
// Token counters of a tile. Engines (SEQ 0, MVM 1, VEC 2, NET 3) consume, engines and NoC receive
// produce; all may produce for one counter in one cycle.
//   Wait: a request holds until it is granted. It is judged in one cycle (token >= count) and granted in the next, one grant
//   a cycle, lowest engine first; the others stay judged. A token that was granted a cycle or two before is not judged.
// Zero from the first edge after reset on.
//   Signal: registered, merged with the others for the same token, added: the count shows it in
//   the third cycle after. clear_i goes the same way: tokens before it are gone, those that come with it stay.
// A count above the maximum saturates and raises overflow_o for one cycle, the third after: a token is never lost in silence.
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
  output logic [Engines-1:0]                wait_gnt_o,   // taken
  input  logic [Engines-1:0]                sig_valid_i,
  input  logic [Engines-1:0][3:0]           sig_token_i,
  input  logic [Engines-1:0][TokenBits-1:0] sig_count_i,
  input  logic                              rx_valid_i,   // one token from the NoC
  input  logic [3:0]                        rx_token_i,
  input  logic                              clear_i,      // every count becomes 0, then this cycle's tokens are added
  output logic                              overflow_o,
  output logic                              signals_o,    // a signal of an engine is on its way, or its overflow
  output logic                              busy_o        // anything is on its way
);
  localparam int unsigned Sources = Engines + 1;  // the last one is the receiver
  localparam int unsigned SumBits = TokenBits + $clog2(Engines + 1);
  localparam int unsigned Groups  = 4;            // of tokens, for the overflow
  typedef logic [TokenBits-1:0] count_t;

  count_t [NumTokens-1:0] count_q;

  // ---- waits: judge, grant, take ----
  logic [Engines-1:0] covered_q, covered_d, first;
  logic take_q, take_d;
  logic [3:0] take_token_q, first_token;
  count_t take_count_q, first_count;

  assign first      = covered_q & (~covered_q + Engines'(1));
  assign wait_gnt_o = first & wait_valid_i;
  assign take_d     = wait_gnt_o != '0;

  always_comb begin
    first_token = '0;
    first_count = '0;
    for (int unsigned e = 0; e < Engines; e++) begin
      if (first[e]) first_token |= wait_token_i[e];
      if (first[e]) first_count |= wait_count_i[e];
    end
    for (int unsigned e = 0; e < Engines; e++) begin
      covered_d[e] = wait_valid_i[e] && count_q[wait_token_i[e]] >= wait_count_i[e] &&
          !(covered_q != '0 && first_token == wait_token_i[e]) &&
          !(take_q && take_token_q == wait_token_i[e]);
    end
  end

  // ---- signals: who else signals the same token ----
  logic [Sources-1:0] src_valid, src_valid_q;
  logic [Sources-1:0][3:0] src_token, src_token_q;
  count_t [Engines-1:0] src_count_q;
  logic [Sources-1:0][Sources-1:0] same, same_q;  // [i][j], i < j: j signals the token of i
  logic clear_q;

  assign src_valid = {rx_valid_i, sig_valid_i};
  assign src_token = {rx_token_i, sig_token_i};
  always_comb begin
    same = '0;
    for (int unsigned i = 0; i < Sources; i++) begin
      for (int unsigned j = i + 1; j < Sources; j++) begin
        same[i][j] = src_valid[i] && src_valid[j] && src_token[i] == src_token[j];
      end
    end
  end

  // ---- merge: the lowest source of a token adds for all of them; more than a counter holds is too much in any case ----
  logic [Sources-1:0] add_valid, add_valid_q, add_over, add_over_q;
  logic [Sources-1:0][3:0] add_row_q, add_col_q;  // token, one of four twice; row 0: nothing to add
  count_t [Sources-1:0] add_count, add_count_q;
  logic clear_qq;

  always_comb begin
    for (int unsigned i = 0; i < Sources; i++) begin
      logic [SumBits-1:0] sum;
      sum = (i < Engines) ? SumBits'(src_count_q[i]) : SumBits'(1);
      add_valid[i] = src_valid_q[i];
      for (int unsigned j = 0; j < Sources; j++) begin
        if (j < i && same_q[j][i]) add_valid[i] = 1'b0;
        if (j > i && j < Engines && same_q[i][j]) sum += SumBits'(src_count_q[j]);
        if (j > i && j == Engines) sum += SumBits'(same_q[i][j]);
      end
      add_over[i]  = sum[SumBits-1:TokenBits] != '0;
      add_count[i] = sum[TokenBits-1:0];
    end
  end

  // ---- count ----
  count_t [NumTokens-1:0] count_d;
  logic [NumTokens-1:0] over;
  logic [Groups-1:0] over_q;
  always_comb begin
    for (int unsigned t = 0; t < NumTokens; t++) begin
      logic [TokenBits:0] sum;
      count_t add, sub;
      logic much;
      add  = '0;
      much = 1'b0;
      for (int unsigned i = 0; i < Sources; i++) begin
        if (add_row_q[i][t / 4] && add_col_q[i][t % 4]) begin
          add  |= add_count_q[i];
          much |= add_over_q[i];
        end
      end
      sub        = (take_q && take_token_q == 4'(t)) ? take_count_q : '0;
      // Neither is sub above the count, nor is anything taken while it is cleared.
      sum        = (clear_qq ? '0 : (TokenBits + 1)'(count_q[t])) - (TokenBits + 1)'(sub) + (TokenBits + 1)'(add);
      over[t]    = much || sum[TokenBits];
      count_d[t] = over[t] ? '1 : sum[TokenBits-1:0];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      covered_q   <= '0;
      take_q      <= 1'b0;
      src_valid_q <= '0;
      add_valid_q <= '0;
      add_row_q   <= '0;
      clear_q     <= 1'b0;
      clear_qq    <= 1'b1;  // the counts have no reset of their own
      over_q      <= '0;
    end else begin
      covered_q   <= covered_d;
      take_q      <= take_d;
      src_valid_q <= src_valid;
      add_valid_q <= add_valid;
      for (int unsigned i = 0; i < Sources; i++) begin
        add_row_q[i] <= add_valid[i] ? 4'b1 << src_token_q[i][3:2] : '0;
      end
      clear_q     <= clear_i;
      clear_qq    <= clear_q;
      for (int unsigned g = 0; g < Groups; g++) over_q[g] <= over[NumTokens / Groups * g +: NumTokens / Groups] != '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_q || add_valid_q != '0 || clear_qq) count_q <= count_d;
    if (covered_q != '0) begin
      take_token_q <= first_token;
      take_count_q <= first_count;
    end
    src_token_q <= src_token;
    same_q      <= same;
    for (int unsigned e = 0; e < Engines; e++) if (sig_valid_i[e]) src_count_q[e] <= sig_count_i[e];
    add_over_q  <= add_over;
    for (int unsigned i = 0; i < Sources; i++) begin
      add_col_q[i] <= 4'b1 << src_token_q[i][1:0];
      if (src_valid_q[i]) add_count_q[i] <= add_count[i];
    end
  end

  assign overflow_o = over_q != '0;
  assign signals_o  = src_valid_q[Engines-1:0] != '0 || add_valid_q[Engines-1:0] != '0 || overflow_o;
  assign busy_o     = signals_o || src_valid_q[Engines] || add_valid_q[Engines] || take_q || clear_q || clear_qq;

  for (genvar e = 0; e < Engines; e++) begin : gen_promise
    always_ff @(posedge clk_i) begin
      if (rst_ni) GrantIsCovered: assert (!wait_gnt_o[e] || count_q[wait_token_i[e]] >= wait_count_i[e]);
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) OneGrant: assert ($onehot0(wait_gnt_o));
    if (rst_ni) TakenIsThere: assert (!take_q || count_q[take_token_q] >= take_count_q);
    if (rst_ni) NobodyConsumesWhileCleared: assert (!(clear_i || clear_q || clear_qq) || (wait_gnt_o == '0 && !take_q));
  end
endmodule
