// SPDX-License-Identifier: Apache-2.0
// ohmac_fifo with free users on both sides. One word of the stream, any one, is followed by a shadow: which number it has is free.
module fifo_formal #(
  parameter int unsigned Width = 2,
  parameter int unsigned Depth = 4
) (
  input logic             clk_i,
  input logic             clear_i,
  input logic             valid_i,
  input logic [Width-1:0] data_i,
  input logic             ready_i,
  input logic             follow_i  // follow the word that is pushed now
);
  localparam int unsigned CntBits = $clog2(Depth + 1);
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic ready_o, valid_o;
  logic [Width-1:0] data_o;
  logic [CntBits-1:0] count_o;
  ohmac_fifo #(.Width(Width), .Depth(Depth)) u_dut (.*);

  logic push, pop;
  assign push = valid_i && ready_o && !clear_i;
  assign pop  = valid_o && ready_i && !clear_i;

  // Words inside, counted apart from the block.
  logic [CntBits:0] inside_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) inside_q <= '0;
    else inside_q <= inside_q + (CntBits + 1)'(push) - (CntBits + 1)'(pop);
  end

  // The followed word: its value and how many leave before it.
  logic follow_q;
  logic [CntBits:0] ahead_q;
  logic [Width-1:0] word_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      follow_q <= 1'b0;
    end else if (!follow_q) begin
      if (push && follow_i) begin
        follow_q <= 1'b1;
        word_q   <= data_i;
        ahead_q  <= inside_q - (CntBits + 1)'(pop);
      end
    end else if (pop) begin
      if (ahead_q == '0) follow_q <= 1'b0;
      ahead_q <= ahead_q - (CntBits + 1)'(1);
    end
  end

  // Where the shadow has to be in the memory: what ties it to the state of the block for the induction.
  logic [$clog2(2*Depth)-1:0] place;
  assign place = $clog2(2 * Depth)'(u_dut.rptr_q) + $clog2(2 * Depth)'(ahead_q);

  logic full_q, clear_q, stall_q;
  logic [Width-1:0] data_q;
  always_ff @(posedge clk_i) begin
    full_q  <= rst_ni && count_o == CntBits'(Depth);
    clear_q <= rst_ni && clear_i;
    stall_q <= rst_ni && valid_o && !ready_i && !clear_i;
    data_q  <= data_o;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      CountIsRight:    assert (32'(count_o) == 32'(inside_q) && 32'(inside_q) <= Depth);
      NoOverflow:      assert (ready_o == (32'(inside_q) < Depth));
      NoUnderflow:     assert (valid_o == (inside_q != '0));
      ClearEmpties:    assert (!clear_q || (count_o == '0 && !valid_o && ready_o));
      StallHolds:      assert (!stall_q || (valid_o && data_o == data_q));
      OrderAndData:    assert (!(follow_q && ahead_q == '0) || (valid_o && data_o == word_q));
      FollowedIsThere: assert (!follow_q || ahead_q < inside_q);
      FollowedStays:   assert (!follow_q || u_dut.mem_q[(32'(place) >= Depth) ? 32'(place) - Depth : 32'(place)] == word_q);
      Pointers:        assert (32'(u_dut.rptr_q) < Depth && 32'(u_dut.wptr_q) < Depth &&
                               (32'(u_dut.rptr_q) + 32'(inside_q)) % Depth == 32'(u_dut.wptr_q));
      FillsAndEmpties: cover (full_q && count_o == '0);
      FollowedLeaves:  cover (follow_q && ahead_q == '0 && pop && (Depth == 1 || u_dut.rptr_q != '0));
      ClearWhileFull:  cover (clear_i && 32'(count_o) == Depth);
    end
  end
endmodule
