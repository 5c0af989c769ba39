// SPDX-License-Identifier: Apache-2.0
// Mesh router: five ports, XY routing (x first), one flit is one packet. One cycle a hop: a flit that arrives in cycle t can leave in
// cycle t + 1. Local speaks valid/ready; the four links carry flit and valid forward and a credit back one cycle after a place frees.
// Round robin an output; order is kept between any source and destination. A flit for the host leaves West at (0, 0).
// Local output passes a register stage (two places), so the valid that wakes a tile's clock comes from a flop.
module ohmac_router
  import ohmac_pkg::*;
#(
  parameter int unsigned Depth = 4  // places of an input FIFO = credits of the output that feeds it
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic [CoordBits-1:0] x_i,
  input  logic [CoordBits-1:0] y_i,

  // From the tile.
  input  flit_t                local_i_flit,
  input  logic                 local_i_valid,
  output logic                 local_i_ready,
  // From the neighbours: 0 North, 1 East, 2 South, 3 West.
  input  flit_t [3:0]          link_i_flit,
  input  logic  [3:0]          link_i_valid,
  output logic  [3:0]          link_i_credit,

  // To the tile.
  output flit_t                local_o_flit,
  output logic                 local_o_valid,
  input  logic                 local_o_ready,
  // To the neighbours.
  output flit_t [3:0]          link_o_flit,
  output logic  [3:0]          link_o_valid,
  input  logic  [3:0]          link_o_credit,

  output logic                 active_o  // some state changes at the next edge, or may: keep my clock
);
  localparam int unsigned Ports = 5;
  localparam int unsigned Local = 0, North = 1, East = 2, South = 3, West = 4;
  localparam int unsigned CreditBits = $clog2(Depth + 1);

  if (Depth < 3) begin : gen_bad_depth
    $fatal(1, "ohmac_router: Depth must be at least 3, the round trip of a credit, not %0d", Depth);
  end

  flit_t [Ports-1:0] head;
  logic [Ports-1:0] head_valid, in_ready, pop, in_valid;
  flit_t [Ports-1:0] in_flit, out_flit;
  logic [Ports-1:0][Ports-1:0] route, req, gnt;  // route, [input][output]; req and gnt, [output][input]
  logic [Ports-1:0] out_ready, out_valid, in_used;

  // Inputs
  assign in_flit = {link_i_flit, local_i_flit};
  assign in_valid = {link_i_valid, local_i_valid};
  assign local_i_ready = in_ready[Local];

  for (genvar i = 0; i < Ports; i++) begin : gen_in
    logic [CreditBits-1:0] count;
    assign in_used[i] = count != '0;
    ohmac_fifo #(.Width($bits(flit_t)), .Depth(Depth)) u_fifo (
      .clk_i, .rst_ni, .clear_i(1'b0),
      .valid_i(in_valid[i]), .ready_o(in_ready[i]), .data_i(in_flit[i]),
      .valid_o(head_valid[i]), .ready_i(pop[i]), .data_o(head[i]), .count_o(count)
    );

    always_comb begin
      logic [CoordBits-1:0] x, y;
      x = head[i].host ? '0 : head[i].x;
      y = head[i].host ? '0 : head[i].y;
      route[i] = '0;
      if (x > x_i) route[i][East] = 1'b1;
      else if (x < x_i) route[i][West] = 1'b1;
      else if (y > y_i) route[i][South] = 1'b1;
      else if (y < y_i) route[i][North] = 1'b1;
      else if (head[i].host) route[i][West] = 1'b1;
      else route[i][Local] = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) link_i_credit <= '0;
    else link_i_credit <= pop[Ports-1:1];
  end

  // Switch
  for (genvar o = 0; o < Ports; o++) begin : gen_out
    for (genvar i = 0; i < Ports; i++) begin : gen_req
      assign req[o][i] = head_valid[i] & route[i][o];
    end

    ohmac_rr_arb #(.N(Ports)) u_arb (
      .clk_i, .rst_ni, .req_i(req[o]), .update_i(out_ready[o]), .gnt_o(gnt[o])
    );

    assign out_valid[o] = (req[o] != '0) & out_ready[o];
    always_comb begin
      out_flit[o] = '0;
      for (int unsigned i = 0; i < Ports; i++) out_flit[o] |= head[i] & {$bits(flit_t){gnt[o][i]}};
    end
  end

  always_comb begin
    pop = '0;
    for (int unsigned o = 0; o < Ports; o++) pop |= gnt[o] & {Ports{out_ready[o]}};
  end

  // Outputs
  logic [1:0] local_count;
  ohmac_fifo #(.Width($bits(flit_t)), .Depth(2)) u_local_out (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(out_valid[Local]), .ready_o(out_ready[Local]), .data_i(out_flit[Local]),
    .valid_o(local_o_valid), .ready_i(local_o_ready), .data_o(local_o_flit), .count_o(local_count)
  );

  assign link_o_flit  = out_flit[Ports-1:1];
  assign link_o_valid = out_valid[Ports-1:1];

  for (genvar l = 0; l < 4; l++) begin : gen_credit
    logic [CreditBits-1:0] credit_q;  // free places of the FIFO at the other end
    assign out_ready[l+1] = credit_q != '0;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) credit_q <= CreditBits'(Depth);
      else if (link_o_valid[l] != link_o_credit[l]) begin
        credit_q <= link_o_valid[l] ? credit_q - CreditBits'(1) : credit_q + CreditBits'(1);
      end
    end

    always_ff @(posedge clk_i) begin
      if (rst_ni) NoCreditTooMany: assert (!link_o_credit[l] || (credit_q != CreditBits'(Depth)));
      if (rst_ni) NoPushWithoutPlace: assert (!link_i_valid[l] || in_ready[l+1]);
      if (rst_ni) NoUTurn: assert (!(head_valid[l+1] && route[l+1][l+1]));
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) EachHeadOneWay: assert (
        $onehot(route[Local]) && $onehot(route[North]) && $onehot(route[East]) && $onehot(route[South]) &&
        $onehot(route[West]));
  end

  // A flit or a credit comes, a credit is on its way back, or a flit waits inside.
  assign active_o = local_i_valid || link_i_valid != '0 || link_o_credit != '0 || link_i_credit != '0 ||
                    in_used != '0 || local_count != '0;
endmodule
