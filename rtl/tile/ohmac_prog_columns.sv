// SPDX-License-Identifier: Apache-2.0
// What the last verify read found of every column: off (outside the tolerance) and the pulse it needs. Written 8 columns a cycle;
// read 32 columns a cycle as a mask word of one pulse class, or 8 as bits of the fail lines. Both appear the cycle after re_i.
// Groups of 8 columns outside [first_i, end_i) were not looked at and read as 0.
module ohmac_prog_columns
  import ohmac_pkg::*;
#(
  parameter int unsigned Cols = 256,
  localparam int unsigned Words = (Cols + 31) / 32,
  localparam int unsigned WordW = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic                     clk_i,
  input  logic [6:0]               first_i,   // groups of 8 physical columns
  input  logic [6:0]               end_i,
  input  logic                     we_i,
  input  logic [6:0]               group_i,
  input  logic [VecLanes-1:0][2:0] state_i,   // {off, neg, set}
  input  logic                     re_i,
  input  logic [6:0]               rgroup_i,  // a group of the word that is read
  input  logic                     neg_i,     // class of mask_o
  input  logic                     set_i,
  output logic [31:0]              mask_o,    // columns of the word that are off and of this class
  output logic [VecLanes-1:0]      off_o      // columns of the group that are off
);
  logic [3:0][VecLanes-1:0][2:0] state;
  logic [3:0]                    inside_q;
  logic [1:0]                    rpart_q;

  for (genvar p = 0; p < 4; p++) begin : gen_part
    ohmac_mvm_mem #(
      .Width(3 * VecLanes),
      .Depth(Words)
    ) u_state (
      .clk_i,
      .we_i   (we_i && group_i[1:0] == 2'(p)),
      .waddr_i(WordW'(group_i >> 2)),
      .wdata_i(state_i),
      .re_i,
      .raddr_i(WordW'(rgroup_i >> 2)),
      .rdata_o(state[p])
    );

    logic [6:0] group;
    assign group = {rgroup_i[6:2], 2'(p)};
    always_ff @(posedge clk_i) if (re_i) inside_q[p] <= group >= first_i && group < end_i;

    for (genvar c = 0; c < int'(VecLanes); c++) begin : gen_column
      assign mask_o[p*VecLanes+c] = inside_q[p] && state[p][c] == {1'b1, neg_i, set_i};
    end
  end

  always_ff @(posedge clk_i) if (re_i) rpart_q <= rgroup_i[1:0];

  always_comb begin
    for (int unsigned c = 0; c < VecLanes; c++) off_o[c] = inside_q[rpart_q] & state[rpart_q][c][2];
  end

  always_ff @(posedge clk_i) begin
    WrittenGroupIsOneOfTheOperation: assert (!we_i || (group_i >= first_i && group_i < end_i));
  end
endmodule
