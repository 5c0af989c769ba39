// SPDX-License-Identifier: Apache-2.0
// Weight-stationary digital matrix-vector multiplier, exact: y[c] = sum over r of w[r][c] a[r], two's complement. The baseline for
// the analog tile, not part of the chip. All rows times StepCols columns a cycle: an MVM takes Cols / StepCols + 1
// cycles, back to back, less if it needs fewer columns; its first results come 8 cycles after its last activations were taken.
// Weights are read once an MVM, those of slices without activations not at all. Pipeline, registers between all:
//   issue -> SRAM -> weights -> slice sums -> tree -> tree -> sums (two steps make one transfer)
// It stands still while a transfer waits and the next one is complete. Nothing is clocked in a stage without data.
module ohmac_dmac
  import ohmac_dmac_pkg::*;
#(
  parameter int unsigned Rows = 256,
  parameter int unsigned Cols = 256,
  parameter int unsigned WeightBits = 8,
  parameter int unsigned ActBits = 8,
  localparam int unsigned K = slice_k(WeightBits),
  localparam int unsigned Slices = Rows / K,
  localparam int unsigned SliceW = (Slices > 1) ? $clog2(Slices) : 1,
  localparam int unsigned Words = Cols / StepCols,
  localparam int unsigned WordW = $clog2(Words),
  localparam int unsigned LineRows = LineBits / ActBits,
  localparam int unsigned SumBits = WeightBits + ActBits + $clog2(Rows)
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  // weights [StepCols][K] of one slice; taken between MVMs, which wait for them
  input  logic                             w_valid_i,
  output logic                             w_ready_o,
  input  logic [SliceW-1:0]                w_slice_i,
  input  logic [WordW-1:0]                 w_word_i,
  input  logic [BankBits-1:0]              w_data_i,
  // columns in use: their number / StepCols - 1, odd; stands still while the core is busy
  input  logic [WordW-1:0]                 last_word_i,
  // activations: rows in order, LineRows a transfer; the last transfer of all rows starts the MVM
  input  logic                             act_valid_i,
  output logic                             act_ready_o,
  input  logic [LineRows-1:0][ActBits-1:0] act_data_i,
  // results, signed: OutCols columns a transfer, in order
  output logic                             sum_valid_o,
  input  logic                             sum_ready_i,
  output logic                             sum_last_o,   // of the MVM
  output logic [OutCols-1:0][SumBits-1:0]  sum_data_o,
  output logic                             busy_o        // something is between act and sum
);
  localparam int unsigned Lines = Rows / LineRows;
  localparam int unsigned LineW = (Lines > 1) ? $clog2(Lines) : 1;
  localparam int unsigned LineSlices = LineRows / K;
  localparam int unsigned PartBits = WeightBits + ActBits + $clog2(K);
  localparam int unsigned SliceRows = slice_rows(WeightBits, ActBits);

  if (!(WeightBits inside {4, 8}) || !(ActBits inside {4, 8})) begin : gen_bits
    $fatal(1, "ohmac_dmac: WeightBits and ActBits must be 4 or 8, not %0d and %0d", WeightBits, ActBits);
  end
  if (Rows < LineRows || Rows > 256 || (Rows & (Rows - 1)) != 0) begin : gen_rows
    $fatal(1, "ohmac_dmac: Rows must be a power of two, %0d .. 256, not %0d", LineRows, Rows);
  end
  if (Cols < 2 * OutCols || (Cols & (Cols - 1)) != 0) begin : gen_cols
    $fatal(1, "ohmac_dmac: Cols must be a power of two, at least %0d, not %0d", 2 * OutCols, Cols);
  end

  // What travels beside the data
  typedef struct packed {
    logic last;  // of the MVM
    logic odd;   // second half of a transfer
  } step_t;

  // --- Activations of the next MVM
  logic              full_q;   // complete
  logic [LineW-1:0]  line_q;
  logic              line_last, act_take, start;

  assign act_ready_o = !full_q;
  assign act_take    = act_valid_i & act_ready_o;
  assign line_last   = line_q == LineW'(Lines - 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      full_q <= 1'b0;
      line_q <= '0;
    end else begin
      if (act_take && line_last) full_q <= 1'b1;
      else if (start) full_q <= 1'b0;
      if (act_take) line_q <= line_last ? '0 : line_q + LineW'(1);
    end
  end

  // --- Steps: valid_q[0] words at the SRAMs, [1] in the weight registers, [2] slice sums, [3] and [4] in the tree
  logic [WordW-1:0] word_q;
  logic             between_q;  // no word of an MVM was issued, or all
  logic             issue, adv;
  logic [4:0]       valid_q;
  logic [1:0]       first_q;  // of the MVM: at the SRAMs, in the weight registers
  step_t            s0, s1_q, s2_q, s3_q, s4_q, s5_q;

  assign w_ready_o = between_q;
  // A cycle without issue between MVMs, in which the digits of the activations settle (ohmac_dmac_slice)
  assign start     = adv & between_q & full_q & !w_valid_i & !valid_q[0];
  assign issue     = adv & !between_q | start;
  assign s0        = '{last: word_q == last_word_i, odd: word_q[0]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q    <= '0;
      between_q <= 1'b1;
      valid_q   <= '0;
    end else if (adv) begin
      if (issue) begin
        word_q    <= s0.last ? '0 : word_q + WordW'(1);
        between_q <= s0.last;
      end
      valid_q <= {valid_q[3:0], issue};
    end
  end
  always_ff @(posedge clk_i) begin
    if (adv) begin
      first_q <= {first_q[0], between_q};
      s1_q <= s0;
      s2_q <= s1_q;
      s3_q <= s2_q;
      s4_q <= s3_q;
      s5_q <= s4_q;
    end
  end

  // --- Slices and trees
  logic [Slices-1:0][StepCols-1:0][SliceRows-1:0][PartBits-1:0] parts;
  logic [WordW-1:0]                                             word;
  logic                                                         w_take;
  logic [StepCols-1:0][SumBits-1:0]                             sum;

  assign w_take = w_valid_i & w_ready_o;
  assign word   = w_take ? w_word_i : word_q;

  for (genvar s = 0; s < int'(Slices); s++) begin : gen_slice
    ohmac_dmac_slice #(
      .WeightBits(WeightBits),
      .ActBits   (ActBits),
      .Words     (Words)
    ) u_slice (
      .clk_i,
      .rst_ni,
      .we_i       (w_take && w_slice_i == SliceW'(s)),
      .wdata_i    (w_data_i),
      .word_i     (word),
      .load_i     (act_take && line_q == LineW'(s / LineSlices)),
      .act_i      (act_data_i[(s%LineSlices)*K+:K]),
      .adv_i      (adv),
      .read_i     (issue),
      .first_i    (between_q),
      .sum_first_i(valid_q[1] & first_q[1]),
      .sum_o      (parts[s])
    );
  end

  for (genvar c = 0; c < int'(StepCols); c++) begin : gen_col
    logic [Slices-1:0][SliceRows-1:0][PartBits-1:0] of_col;
    for (genvar s = 0; s < int'(Slices); s++) begin : gen_part
      assign of_col[s] = parts[s][c];
    end
    ohmac_dmac_column #(
      .Rows      (Rows),
      .WeightBits(WeightBits),
      .ActBits   (ActBits)
    ) u_column (
      .clk_i,
      .take_i ({adv & valid_q[3], adv & valid_q[2]}),
      .parts_i(of_col),
      .sum_o  (sum[c])
    );
  end

  // --- Results: the first half waits for the second, which needs the transfer before it to be gone.
  logic                             sum_valid_q, last_q, out;
  logic [StepCols-1:0][SumBits-1:0] half_q;
  logic [OutCols-1:0][SumBits-1:0]  sum_q;

  assign adv = !(valid_q[4] & s5_q.odd & sum_valid_q);
  assign out = valid_q[4] & s5_q.odd & !sum_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sum_valid_q <= 1'b0;
    else if (out) sum_valid_q <= 1'b1;
    else if (sum_ready_i) sum_valid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (valid_q[4] && !s5_q.odd) half_q <= sum;
    if (out) begin
      sum_q  <= {sum, half_q};
      last_q <= s5_q.last;
    end
  end

  assign sum_valid_o = sum_valid_q;
  assign sum_data_o  = sum_q;
  assign sum_last_o  = last_q;
  assign busy_o      = line_q != '0 || full_q || !between_q || valid_q != '0 || sum_valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) WeightsStandStillInAnMvm: assert (!(w_take && issue));
    if (rst_ni) MvmsEndWithATransfer: assert (!issue || last_word_i[0] && word_q <= last_word_i);
  end
  ohmac_hold_check #(.Width(OutCols * SumBits + 1)) u_sum_holds (
    .clk_i, .rst_ni, .valid_i(sum_valid_o), .taken_i(sum_ready_i), .data_i({sum_last_o, sum_data_o})
  );
endmodule
