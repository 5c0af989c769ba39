// SPDX-License-Identifier: Apache-2.0
// Adder tree of one column a cycle: the carry-save sums of all slices, the bias of all rows taken off, one signed number of
// exactly the bits that the largest product needs. Two registers in the tree, none at its end:
//   parts_i -> TreeLevels of full adders -> register (take_i[0]) -> bias, MergeLevels -> register (take_i[1]) -> adder -> sum_o
module ohmac_dmac_column
  import ohmac_dmac_pkg::*;
#(
  parameter int unsigned Rows = 256,
  parameter int unsigned WeightBits = 8,
  parameter int unsigned ActBits = 8,
  localparam int unsigned K = slice_k(WeightBits),
  localparam int unsigned Slices = Rows / K,
  localparam int unsigned SliceRows = slice_rows(WeightBits, ActBits),
  localparam int unsigned PartBits = WeightBits + ActBits + $clog2(K),
  localparam int unsigned SumBits = WeightBits + ActBits + $clog2(Rows)
) (
  input  logic                                           clk_i,
  input  logic [1:0]                                     take_i,
  input  logic [Slices-1:0][SliceRows-1:0][PartBits-1:0] parts_i,
  output logic [SumBits-1:0]                             sum_o     // signed
);
  localparam int unsigned Parts = Slices * SliceRows;
  localparam slice_mask_t Mask = slice_mask(WeightBits, ActBits);  // no adders for bits that are always 0
  localparam int unsigned Mid = csa_rows(Parts, TreeLevels);
  localparam int unsigned Merged = csa_rows(Mid + 1, MergeLevels);
  // Every Booth digit of every row came with 2^WeightBits at its place: 1 + 4 + 16 ...
  localparam int unsigned Places = ((1 << ActBits) - 1) / 3;
  localparam logic [SumBits-1:0] MinusBias = SumBits'(-(Rows * Places << WeightBits));

  if (Merged != 2) begin : gen_deep
    $fatal(1, "ohmac_dmac_column: %0d rows of the matrix are too many for TreeLevels and MergeLevels", Rows);
  end

  logic [Parts-1:0][SumBits-1:0]  parts;
  logic [Mid-1:0][SumBits-1:0]    mid, mid_q;
  logic [Merged-1:0][SumBits-1:0] merged, merged_q;

  for (genvar s = 0; s < int'(Slices); s++) begin : gen_part
    for (genvar r = 0; r < int'(SliceRows); r++) begin : gen_row
      assign parts[s*SliceRows+r] = SumBits'(parts_i[s][r] & PartBits'(Mask[r]));
    end
  end

  ohmac_dmac_csa #(
    .Width (SumBits),
    .Rows  (Parts),
    .Levels(TreeLevels)
  ) u_tree (
    .rows_i(parts),
    .rows_o(mid)
  );
  ohmac_dmac_csa #(
    .Width (SumBits),
    .Rows  (Mid + 1),
    .Levels(MergeLevels)
  ) u_merge (
    .rows_i({MinusBias, mid_q}),
    .rows_o(merged)
  );

  always_ff @(posedge clk_i) begin
    if (take_i[0]) mid_q <= mid;
    if (take_i[1]) merged_q <= merged;
  end

  assign sum_o = merged_q[0] + merged_q[1];
endmodule
