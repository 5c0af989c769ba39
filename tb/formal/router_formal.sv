// SPDX-License-Identifier: Apache-2.0
// ohmac_router between neighbours that keep their credits. One flit, any one at any input, is followed from the cycle it enters to the cycle it
// leaves; the flits inside are counted. The neighbours are: at an input link, a sender that sends only with a credit and routes x first; at
// an output link, a receiver that gives a credit back for each flit, any time later; the tile, with free valid and ready.
module router_formal
  import ohmac_pkg::*;
#(
  parameter int unsigned Depth = 4
) (
  input logic                 clk_i,
  input logic [CoordBits-1:0] x_i,
  input logic [CoordBits-1:0] y_i,
  input logic [4:0]                host_i,   // where the flits at the inputs (tile, North, East, South, West) go
  input logic [4:0][CoordBits-1:0] to_x_i,
  input logic [4:0][CoordBits-1:0] to_y_i,
  input logic [4:0][1:0]           word_i,   // and what they carry
  input logic                 local_i_valid,
  input logic  [3:0]          link_i_valid,
  input logic                 local_o_ready,
  input logic  [3:0]          link_o_credit,
  input logic  [2:0]          in_i,      // input that is watched, always the same
  input logic                 follow_i   // follow the flit that enters there now
);
  localparam int unsigned Ports = 5;
  localparam int unsigned Local = 0, North = 1, East = 2, South = 3, West = 4;
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  // The router looks at host, x and y. All it carries besides is two bits, again and again: a place that held another bit of the
  // same flit would not be seen, a place of another flit is.
  localparam int unsigned CarriedBits = $bits(flit_t) - 1 - 2 * CoordBits;
  flit_t local_i_flit;
  flit_t [3:0] link_i_flit;
  function automatic flit_t flit(logic host, logic [CoordBits-1:0] x, logic [CoordBits-1:0] y, logic [1:0] word);
    return {host, x, y, CarriedBits'({(CarriedBits + 1) / 2{word}})};
  endfunction
  always_comb begin
    local_i_flit = flit(host_i[Local], to_x_i[Local], to_y_i[Local], word_i[Local]);
    for (int unsigned l = 0; l < 4; l++) link_i_flit[l] = flit(host_i[l+1], to_x_i[l+1], to_y_i[l+1], word_i[l+1]);
  end

  logic local_i_ready, local_o_valid, active_o;
  flit_t local_o_flit;
  logic [3:0] link_i_credit, link_o_valid;
  flit_t [3:0] link_o_flit;
  ohmac_router #(.Depth(Depth)) u_dut (.*);

  // Where a flit leaves: x first; a flit for the host goes to (0, 0) and from there West.
  function automatic logic [Ports-1:0] exit_of(flit_t f, logic [CoordBits-1:0] x, logic [CoordBits-1:0] y);
    logic [CoordBits-1:0] tx, ty;
    tx = f.host ? '0 : f.x;
    ty = f.host ? '0 : f.y;
    if (tx != x) return (tx > x) ? Ports'(1) << East : Ports'(1) << West;
    if (ty != y) return (ty > y) ? Ports'(1) << South : Ports'(1) << North;
    return f.host ? Ports'(1) << West : Ports'(1) << Local;
  endfunction

  logic [Ports-1:0] enters, leaves;  // leaves: the switch, towards each output
  flit_t [Ports-1:0] in_flit;
  assign enters  = {link_i_valid, local_i_valid && local_i_ready};
  assign in_flit = {link_i_flit, local_i_flit};
  assign leaves  = {link_o_valid, u_dut.out_valid[Local]};

  // Environment
  logic [CoordBits-1:0] x_q, y_q;
  logic [2:0] in_q;
  logic [3:0][3:0] sender_q, outstanding_q;  // credits of the senders; flits out whose credit is not back
  logic [3:0] no_credit, no_flit_out, turns_back;
  always_ff @(posedge clk_i) begin
    x_q  <= x_i;
    y_q  <= y_i;
    in_q <= in_i;
    for (int unsigned l = 0; l < 4; l++) begin
      if (!rst_ni) begin
        sender_q[l]      <= 4'(Depth);
        outstanding_q[l] <= '0;
      end else begin
        sender_q[l]      <= sender_q[l] - 4'(link_i_valid[l]) + 4'(link_i_credit[l]);
        outstanding_q[l] <= outstanding_q[l] + 4'(link_o_valid[l]) - 4'(link_o_credit[l]);
      end
    end
  end
  always_comb begin
    for (int unsigned l = 0; l < 4; l++) begin
      no_credit[l]   = link_i_valid[l] && sender_q[l] == '0;
      no_flit_out[l] = link_o_credit[l] && outstanding_q[l] == '0;
      turns_back[l]  = link_i_valid[l] && exit_of(link_i_flit[l], x_i, y_i)[l+1];
    end
  end
  always_ff @(posedge clk_i) begin
    Watched: assume (32'(in_i) < Ports);
    if (rst_ni) begin
      Fixed:           assume (x_i == x_q && y_i == y_q && in_i == in_q);
      SendersKeep:     assume (no_credit == '0);
      ReceiversKeep:   assume (no_flit_out == '0);
      NobodyTurnsBack: assume (turns_back == '0);
    end
  end

  // The stall of the tile.
  logic stall_q;
  flit_t local_q;
  always_ff @(posedge clk_i) begin
    stall_q <= rst_ni && local_o_valid && !local_o_ready;
    local_q <= local_o_flit;
  end

  // The followed flit.
  typedef enum logic [1:0] {Nowhere, AtInput, AtTile} place_e;
  place_e place_q;
  logic [3:0] ahead_q;      // flits that leave that place before it
  flit_t flit_q;
  logic [Ports-1:0] way;
  logic [3:0] inside_q;     // flits of the watched input that have not passed the switch
  logic [3:0] tile_q;       // flits behind the switch, on their way to the tile
  logic goes, pop, tile_takes;
  assign pop        = u_dut.pop[in_i];
  assign goes       = place_q == AtInput && ahead_q == '0 && pop;
  assign tile_takes = local_o_valid && local_o_ready;
  assign way        = exit_of(flit_q, x_i, y_i);
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      place_q  <= Nowhere;
      inside_q <= '0;
      tile_q   <= '0;
    end else begin
      inside_q <= inside_q + 4'(enters[in_i]) - 4'(pop);
      tile_q   <= tile_q + 4'(leaves[Local]) - 4'(tile_takes);
      unique case (place_q)
        Nowhere: begin
          if (enters[in_i] && follow_i) begin
            place_q <= AtInput;
            ahead_q <= inside_q - 4'(pop);
            flit_q  <= in_flit[in_i];
          end
        end
        AtInput: begin
          if (pop) ahead_q <= ahead_q - 4'd1;
          if (goes) begin
            place_q <= way[Local] ? AtTile : Nowhere;
            ahead_q <= tile_q - 4'(tile_takes);
          end
        end
        default: begin
          if (tile_takes) begin
            ahead_q <= ahead_q - 4'd1;
            if (ahead_q == '0) place_q <= Nowhere;
          end
        end
      endcase
    end
  end
  flit_t out_flit;  // what leaves where the followed flit has to leave
  always_comb begin
    out_flit = u_dut.out_flit[Local];
    for (int unsigned l = 0; l < 4; l++) if (way[l+1]) out_flit = link_o_flit[l];
  end

  // Turns of the watched head: grants of its output to others while it waits.
  logic [2:0] others_q;
  logic head_waits;
  logic [Ports-1:0] head_way;
  assign head_waits = u_dut.head_valid[in_i] && !pop;
  assign head_way   = u_dut.route[in_i];
  always_ff @(posedge clk_i) begin
    if (!rst_ni || !head_waits) others_q <= '0;
    else if ((u_dut.out_ready & head_way) != '0) others_q <= others_q + 3'd1;
  end

  logic [3:0] credit_waits;  // an output without credit though every flit it sent is acknowledged
  always_comb begin
    for (int unsigned l = 0; l < 4; l++) credit_waits[l] = outstanding_q[l] == '0 && !u_dut.out_ready[l+1];
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      LeavesWhereItMust:   assert (!goes || (leaves & way) == way);
      UnchangedByTheWay:   assert (!goes || out_flit == flit_q);
      OneCopy:             assert ($countones(leaves) == $countones(u_dut.pop));
      ReachesTheTile:      assert (!(place_q == AtTile && ahead_q == '0) || (local_o_valid && local_o_flit == flit_q));
      StillThere:          assert (place_q != AtInput || ahead_q < inside_q);
      StillAtTile:         assert (place_q != AtTile || ahead_q < tile_q);
      StallHolds:          assert (!stall_q || (local_o_valid && local_o_flit == local_q));
      CreditsComeBack:     assert (credit_waits == '0);
      WinsInTurn:          assert (32'(others_q) < Ports);
      ClockMayRest:        assert (active_o || (enters == '0 && leaves == '0 && !local_o_valid));
      // For the induction: what the states of the shadow mean.
      Places:              assert (place_q == Nowhere || place_q == AtInput || (place_q == AtTile && way[Local]));
      TileCount:           assert (tile_q == 4'(u_dut.local_count) && 32'(tile_q) <= 2);
      TilePlace:           assert (place_q != AtTile || u_dut.u_local_out.mem_q[1'(32'(u_dut.u_local_out.rptr_q) + 32'(ahead_q))] == flit_q);
      TilePointers:        assert (1'(32'(u_dut.u_local_out.rptr_q) + 32'(tile_q)) == u_dut.u_local_out.wptr_q);
      FollowedGoesEast:    cover (goes && way[East] && $countones(leaves) == 4);
      FollowedReachesTile: cover (place_q == AtTile && ahead_q == 4'd0 && local_o_ready && in_i == 3'd3);
      LongestWait:         cover (others_q == 3'd3);
      AllCreditsOut:       cover (32'(outstanding_q[1]) == Depth && link_o_credit[1]);
    end
  end

  // For the induction, in every part of the router.
  if (Depth != 4) begin : gen_depth
    $fatal(1, "router_formal: the pointers below are those of a FIFO of 4 places");
  end
  for (genvar i = 0; i < Ports; i++) begin : gen_in
    logic [2:0] count;
    logic [1:0] rptr, wptr;
    logic [3:0] u_turn;  // of the place n after the head, if it is used
    assign count = u_dut.gen_in[i].u_fifo.count_q;
    assign rptr  = u_dut.gen_in[i].u_fifo.rptr_q;
    assign wptr  = u_dut.gen_in[i].u_fifo.wptr_q;
    always_comb begin
      for (int unsigned n = 0; n < 4; n++) begin
        logic [Ports-1:0] out;
        out = exit_of(u_dut.gen_in[i].u_fifo.mem_q[2'(32'(rptr) + n)], x_i, y_i);
        u_turn[n] = n < 32'(count) && out[i] && i != Local;
      end
    end
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        Pointers:    assert (count <= 3'd4 && 2'(32'(rptr) + 32'(count)) == wptr);
        Inside:      assert (32'(in_i) != i || inside_q == 4'(count));
        Followed:    assert (32'(in_i) != i || place_q != AtInput ||
                             u_dut.gen_in[i].u_fifo.mem_q[2'(32'(rptr) + 32'(ahead_q))] == flit_q);
        NoUTurnWait: assert (u_turn == '0);
      end
    end
  end
  for (genvar l = 0; l < 4; l++) begin : gen_link
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        CreditsOfSender:   assert (32'(sender_q[l]) + 32'(gen_in[l+1].count) + 32'(link_i_credit[l]) == Depth);
        CreditsOfReceiver: assert (32'(outstanding_q[l]) + 32'(u_dut.gen_credit[l].credit_q) == Depth);
      end
    end
  end
  for (genvar o = 0; o < Ports; o++) begin : gen_out
    // Inputs that the pointer of the arbiter passes before it comes to the watched one.
    logic [Ports-1:0] mask;
    logic [3:0] pointer, away;
    assign mask = u_dut.gen_out[o].u_arb.mask_q;
    always_comb begin
      pointer = 4'd5;
      for (int unsigned i = 0; i < Ports; i++) if (mask[i]) pointer -= 4'd1;
      away = (4'(in_i) >= pointer) ? 4'(in_i) - pointer : 4'd5 - pointer + 4'(in_i);
      if (pointer == 4'd5) away = 4'(in_i);
    end
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        PointerIsAMask:  assert ((mask & ~(mask >> 1) & 5'b01111) == '0);
        TurnComesNearer: assert (!u_dut.head_valid[in_i] || !head_way[o] || 4'(others_q) + away < 4'd5);
      end
    end
  end
endmodule
