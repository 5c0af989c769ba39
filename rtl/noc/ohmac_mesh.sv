// SPDX-License-Identifier: Apache-2.0
// MeshX x MeshY routers. Tile number = y * MeshX + x. Every port is valid/ready and every output is registered; the host port is the West
// link of router (0, 0), its credits are turned into valid/ready here. A flit for a place outside the mesh is a design error
// (assertion): senders check destinations.
module ohmac_mesh
  import ohmac_pkg::*;
#(
  parameter  int unsigned MeshX = 4,
  parameter  int unsigned MeshY = 4,
  localparam int unsigned Tiles = MeshX * MeshY
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  // From the tiles into the mesh.
  input  flit_t [Tiles-1:0] tile_i_flit,
  input  logic  [Tiles-1:0] tile_i_valid,
  output logic  [Tiles-1:0] tile_i_ready,
  // Out of the mesh to the tiles.
  output flit_t [Tiles-1:0] tile_o_flit,
  output logic  [Tiles-1:0] tile_o_valid,
  input  logic  [Tiles-1:0] tile_o_ready,
  // From and to the host (DMA).
  input  flit_t             host_i_flit,
  input  logic              host_i_valid,
  output logic              host_i_ready,
  output flit_t             host_o_flit,
  output logic              host_o_valid,
  input  logic              host_o_ready,

  output logic              busy_o         // a flit is inside or waits at a port
);
  localparam int unsigned Depth = 4;
  localparam int unsigned CreditBits = $clog2(Depth + 1);
  localparam int unsigned North = 0, East = 1, South = 2, West = 3;

  if (MeshX < 1 || MeshX > 2 ** CoordBits || MeshY < 1 || MeshY > 2 ** CoordBits) begin : gen_bad_mesh
    $fatal(1, "ohmac_mesh: MeshX and MeshY must be 1 .. 8, not %0d and %0d", MeshX, MeshY);
  end

  flit_t [Tiles-1:0][3:0] in_flit, out_flit;
  logic [Tiles-1:0][3:0] in_valid, in_credit, out_valid, out_credit;

  logic [Tiles-1:0] router_active;

  for (genvar y = 0; y < MeshY; y++) begin : gen_y
    for (genvar x = 0; x < MeshX; x++) begin : gen_x
      localparam int unsigned T = y * MeshX + x;

      // A router rests where no flit and no credit passes.
      logic router_clk;
      ohmac_clk_gate u_clk_gate (.clk_i, .en_i(router_active[T]), .clk_o(router_clk));
      ohmac_router #(.Depth(Depth)) u_router (
        .clk_i(router_clk), .rst_ni, .active_o(router_active[T]), .x_i(CoordBits'(x)), .y_i(CoordBits'(y)),
        .local_i_flit(tile_i_flit[T]), .local_i_valid(tile_i_valid[T]), .local_i_ready(tile_i_ready[T]),
        .link_i_flit(in_flit[T]), .link_i_valid(in_valid[T]), .link_i_credit(in_credit[T]),
        .local_o_flit(tile_o_flit[T]), .local_o_valid(tile_o_valid[T]), .local_o_ready(tile_o_ready[T]),
        .link_o_flit(out_flit[T]), .link_o_valid(out_valid[T]), .link_o_credit(out_credit[T])
      );

      // What comes in at a side is what the neighbour on that side sends back towards us.
      if (y > 0) begin : gen_north
        assign in_flit[T][North]    = out_flit[T-MeshX][South];
        assign in_valid[T][North]   = out_valid[T-MeshX][South];
        assign out_credit[T][North] = in_credit[T-MeshX][South];
      end else begin : gen_north_edge
        assign in_flit[T][North]    = '0;
        assign in_valid[T][North]   = 1'b0;
        assign out_credit[T][North] = 1'b0;
        always_ff @(posedge clk_i) begin
          if (rst_ni) StaysInsideNorth: assert (!out_valid[T][North]);
        end
      end
      if (y < MeshY - 1) begin : gen_south
        assign in_flit[T][South]    = out_flit[T+MeshX][North];
        assign in_valid[T][South]   = out_valid[T+MeshX][North];
        assign out_credit[T][South] = in_credit[T+MeshX][North];
      end else begin : gen_south_edge
        assign in_flit[T][South]    = '0;
        assign in_valid[T][South]   = 1'b0;
        assign out_credit[T][South] = 1'b0;
        always_ff @(posedge clk_i) begin
          if (rst_ni) StaysInsideSouth: assert (!out_valid[T][South]);
        end
      end
      if (x < MeshX - 1) begin : gen_east
        assign in_flit[T][East]    = out_flit[T+1][West];
        assign in_valid[T][East]   = out_valid[T+1][West];
        assign out_credit[T][East] = in_credit[T+1][West];
      end else begin : gen_east_edge
        assign in_flit[T][East]    = '0;
        assign in_valid[T][East]   = 1'b0;
        assign out_credit[T][East] = 1'b0;
        always_ff @(posedge clk_i) begin
          if (rst_ni) StaysInsideEast: assert (!out_valid[T][East]);
        end
      end
      if (x > 0) begin : gen_west
        assign in_flit[T][West]    = out_flit[T-1][East];
        assign in_valid[T][West]   = out_valid[T-1][East];
        assign out_credit[T][West] = in_credit[T-1][East];
      end else if (y > 0) begin : gen_west_edge
        assign in_flit[T][West]    = '0;
        assign in_valid[T][West]   = 1'b0;
        assign out_credit[T][West] = 1'b0;
        always_ff @(posedge clk_i) begin
          if (rst_ni) StaysInsideWest: assert (!out_valid[T][West]);
        end
      end
    end
  end

  // Host into the mesh: one credit a free place of the router's West FIFO.
  logic [CreditBits-1:0] host_credit_q;
  logic host_send;
  assign host_i_ready      = host_credit_q != '0;
  assign host_send         = host_i_valid & host_i_ready;
  assign in_flit[0][West]  = host_i_flit;
  assign in_valid[0][West] = host_send;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) host_credit_q <= CreditBits'(Depth);
    else if (host_send != in_credit[0][West]) begin
      host_credit_q <= host_send ? host_credit_q - CreditBits'(1) : host_credit_q + CreditBits'(1);
    end
  end

  // Mesh out to the host: this FIFO is the other end of the credits.
  logic host_fifo_ready, host_credit_back_q;
  logic [CreditBits-1:0] host_count;
  ohmac_fifo #(.Width($bits(flit_t)), .Depth(Depth)) u_host_out (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(out_valid[0][West]), .ready_o(host_fifo_ready), .data_i(out_flit[0][West]),
    .valid_o(host_o_valid), .ready_i(host_o_ready), .data_o(host_o_flit), .count_o(host_count)
  );
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) host_credit_back_q <= 1'b0;
    else host_credit_back_q <= host_o_valid & host_o_ready;
  end
  assign out_credit[0][West] = host_credit_back_q;

  // A router whose clock rests holds no flit; credits on their way back count as busy.
  assign busy_o = router_active != '0 || host_i_valid || host_count != '0;

  always_ff @(posedge clk_i) begin
    if (rst_ni) HostFifoHasPlace: assert (!out_valid[0][West] || host_fifo_ready);
    if (rst_ni) OnlyHostFlitsLeaveWest: assert (!out_valid[0][West] || out_flit[0][West].host);
    if (rst_ni) HostSendsIntoTheMesh: assert (!host_i_valid || !host_i_flit.host);
  end
endmodule
