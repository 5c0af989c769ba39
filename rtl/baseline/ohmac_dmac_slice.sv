// SPDX-License-Identifier: Apache-2.0
// A few rows of the matrix: their bank of weights, their activations, and their multipliers for StepCols columns a cycle.
// Activations stand still for a whole MVM, so they are the ones that are Booth-coded (radix 4), once, and weights stream past:
//   cycle 0 read_i -> 1 weights at the SRAM -> 2 weight register -> 3 sum_o, carry-save
// Digits change with the first read_i, when no weights are at the SRAM: they have two cycles before they meet weights.
// A slice whose activations are all 0 does not read, and its weight register and adders do not switch, in that MVM.
// sum_o is biased by 2^WeightBits of every Booth digit (inverted sign bits instead of sign extension): unsigned, so the rows
// are widened with zeros; ohmac_dmac_column takes the bias of all rows off.
module ohmac_dmac_slice
  import ohmac_dmac_pkg::*;
#(
  parameter int unsigned WeightBits = 8,
  parameter int unsigned ActBits = 8,
  parameter int unsigned Words = 64,  // of StepCols columns
  localparam int unsigned K = slice_k(WeightBits),
  localparam int unsigned SumBits = WeightBits + ActBits + $clog2(K),
  localparam int unsigned SliceRows = slice_rows(WeightBits, ActBits),
  localparam int unsigned WordW = $clog2(Words)
) (
  input  logic                                            clk_i,
  input  logic                                            rst_ni,
  // weights: [StepCols][K] of a word; not in a cycle of read_i
  input  logic                                            we_i,
  input  logic [BankBits-1:0]                             wdata_i,
  input  logic [WordW-1:0]                                word_i,
  // activations of the next MVM
  input  logic                                            load_i,
  input  logic [K-1:0][ActBits-1:0]                       act_i,
  // steps; nothing behind the SRAM moves without adv_i, and read_i comes only with it
  input  logic                                            adv_i,
  input  logic                                            read_i,
  input  logic                                            first_i,      // of an MVM, with read_i
  input  logic                                            sum_first_i,  // it is in the weight register
  output logic [StepCols-1:0][SliceRows-1:0][SumBits-1:0] sum_o
);
  localparam int unsigned Digits = ActBits / 2;
  localparam int unsigned CountBits = $clog2(K + 1);
  localparam int unsigned Products = slice_products(WeightBits, ActBits);
  localparam int unsigned RowsIn = slice_rows_in(WeightBits, ActBits);
  localparam slice_mask_t Mask = slice_mask(WeightBits, ActBits);

  // Radix-4 digit: neg ? -m : m with m = 2 two + one.
  typedef struct packed {
    logic neg;
    logic two;
    logic one;
  } digit_t;

  // --- Activations
  logic [K-1:0][ActBits-1:0]        next_q;
  logic                             next_nz_q, nz_q;
  digit_t [Digits-1:0][K-1:0]       digit, digit_q;
  logic [Digits-1:0][CountBits-1:0] negs, negs_q;  // negative digits of a place: what their complements lack

  always_comb begin
    logic [ActBits:0] act;
    logic [2:0]       bits;
    negs = '0;
    for (int unsigned k = 0; k < K; k++) begin
      act = {next_q[k], 1'b0};
      for (int unsigned d = 0; d < Digits; d++) begin
        bits = act[2*d+:3];
        digit[d][k].one = bits[1] ^ bits[0];
        digit[d][k].two = bits == 3'b100 || bits == 3'b011;
        digit[d][k].neg = bits[2] & (bits[1:0] != 2'b11);
        negs[d] += CountBits'(digit[d][k].neg);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (load_i) begin
      next_q    <= act_i;
      next_nz_q <= act_i != '0;
    end
    if (read_i && first_i) begin
      digit_q <= digit;
      negs_q  <= negs;
      nz_q    <= next_nz_q;
    end
  end

  // --- Weights
  logic                                       read, read_q, weight_valid_q;
  logic [BankBits-1:0]                        rdata;
  logic [StepCols-1:0][K-1:0][WeightBits-1:0] weight_q;
  logic [BankBits/8-1:0]                      unused_par;

  assign read = read_i & (first_i ? next_nz_q : nz_q);

  ohmac_sram #(
    .Width(BankBits),
    .Depth(Words)
  ) u_bank (
    .clk_i,
    .req_i  (read | we_i),
    .we_i,
    .addr_i (word_i),
    .strb_i ('1),
    .wdata_i,
    .wpar_i ('0),
    .rdata_o(rdata),
    .rpar_o (unused_par)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      read_q         <= 1'b0;
      weight_valid_q <= 1'b0;
    end else if (adv_i) begin
      read_q         <= read;
      weight_valid_q <= read_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (adv_i && read_q) weight_q <= rdata;
  end

  // --- Products
  logic [StepCols-1:0][SliceRows-1:0][SumBits-1:0] sum;
  for (genvar c = 0; c < int'(StepCols); c++) begin : gen_col
    logic [RowsIn-1:0][SumBits-1:0] rows;

    // A digit times a weight, in one's complement, sign bit inverted; rows of one place side by side, so adders are full.
    always_comb begin
      logic [WeightBits:0] m;
      rows = '0;
      for (int unsigned d = 0; d < Digits; d++) begin
        for (int unsigned k = 0; k < K; k++) begin
          m = ({(WeightBits + 1) {digit_q[d][k].one}} & {weight_q[c][k][WeightBits-1], weight_q[c][k]})
              | ({(WeightBits + 1) {digit_q[d][k].two}} & {weight_q[c][k], 1'b0});
          m = m ^ {(WeightBits + 1) {digit_q[d][k].neg}};
          rows[d*K+k] = SumBits'({!m[WeightBits], m[WeightBits-1:0]}) << (2 * d);
        end
      end
      // What makes two's complements of them: counts of every second place do not overlap, so two rows hold all.
      for (int unsigned d = 0; d < Digits; d++) begin
        rows[Products+d%2] |= SumBits'(negs_q[d]) << (2 * d);
      end
    end

    ohmac_dmac_csa #(
      .Width (SumBits),
      .Rows  (RowsIn),
      .Levels(SliceLevels)
    ) u_csa (
      .rows_i(rows),
      .rows_o(sum[c])
    );
  end

  always_ff @(posedge clk_i) begin
    if (adv_i && (weight_valid_q || sum_first_i)) sum_o <= sum;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) ReadsOnlyWhenMoving: assert (!read_i || adv_i);
    for (int unsigned c = 0; c < StepCols; c++) begin
      for (int unsigned r = 0; r < SliceRows; r++) begin
        if (rst_ni) MaskHoldsEveryOne: assert (!weight_valid_q || (sum[c][r] & ~SumBits'(Mask[r])) == '0);
      end
    end
    if (rst_ni) DigitsHaveTwoCycles: assert (!(read_i && first_i) || !read_q);
    if (rst_ni) OnePortOneAccess: assert (!(read_i && we_i));
  end
endmodule
