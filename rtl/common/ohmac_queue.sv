// SPDX-License-Identifier: Apache-2.0
// ohmac_fifo whose head is a register: data_o comes from flops, so that its user may decode it in the same cycle. A word is
// visible two cycles after it was pushed; one word a cycle in and out. Users tell by count_o whether it is empty.
module ohmac_queue #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4   // at least 2: the head is one of them
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       valid_i,
  output logic                       ready_o,
  input  logic [Width-1:0]           data_i,
  output logic                       valid_o,
  input  logic                       ready_i,
  output logic [Width-1:0]           data_o,
  output logic [$clog2(Depth+1)-1:0] count_o
);
  localparam int unsigned CntBits = $clog2(Depth + 1);

  if (Depth < 2) begin : gen_bad_size
    $fatal(1, "ohmac_queue: Depth must be at least 2, not %0d", Depth);
  end

  logic head_valid_q, next_valid, take;
  logic [Width-1:0] head_q, next;
  logic [$clog2(Depth)-1:0] behind;

  ohmac_fifo #(.Width(Width), .Depth(Depth - 1)) u_behind (
    .clk_i, .rst_ni, .clear_i(1'b0), .valid_i, .ready_o, .data_i,
    .valid_o(next_valid), .ready_i(take), .data_o(next), .count_o(behind)
  );
  assign take = !head_valid_q || ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) head_valid_q <= 1'b0;
    else if (take) head_valid_q <= next_valid;
  end
  always_ff @(posedge clk_i) if (take && next_valid) head_q <= next;

  assign valid_o = head_valid_q;
  assign data_o  = head_q;
  assign count_o = CntBits'(behind) + CntBits'(head_valid_q);
endmodule
