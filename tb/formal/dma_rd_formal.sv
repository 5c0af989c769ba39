// SPDX-License-Identifier: Apache-2.0
// AXI rules of ohmac_dma_rd: free commands, a memory that takes AR at any time and returns the beats asked for, in order, a NoC that takes flits
// at any time. One window is open over all addresses or closed, as it likes.
module dma_rd_formal
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned MaxBursts = 4,
  parameter int unsigned MaxBeats  = 16
) (
  input logic                clk_i,
  input logic                cmd_valid_i,
  input logic                cmd_desc_i,
  input logic [63:4]         cmd_mem_i,
  input logic [AddrBits-1:0] cmd_len_i,
  input logic                cmd_sig_en_i,
  input logic                stop_i,
  input logic                drop_i,
  input logic [31:0]         win_size_i,
  input logic                ar_ready_i,
  input logic [1:0]          r_resp_i,
  input logic                r_valid_i,
  input logic                flit_ready_i
);
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic cmd_ready_o, ar_valid_o, r_ready_o, flit_valid_o, desc_valid_o, refuse_o, fail_o, idle_o, r_last;
  logic [63:0] ar_addr_o, refuse_addr_o, fail_addr_o;
  logic [7:0] ar_len_o;
  flit_t flit_o;
  logic [DataBits-1:0] desc_data_o;
  logic [15:0] refuse_index_o, fail_index_o;
  ohmac_dma_rd #(.NumWindows(1), .MaxBursts(MaxBursts), .MaxBeats(MaxBeats)) u_dut (
    .cmd_mem_i({cmd_mem_i, 4'b0}), .cmd_x_i('0), .cmd_y_i('0), .cmd_tile_addr_i('0), .cmd_sig_token_i('0), .cmd_index_i('0),
    .win_base_i('0), .win_read_i(1'b1), .r_data_i('0), .r_last_i(r_last), .*
  );

  // The memory: lengths of the bursts it has taken, oldest first.
  logic [MaxBursts:0][7:0] len_q, len_d;
  logic [3:0] count_q;
  logic [7:0] beat_q;
  logic ar_take, r_take, r_end;
  assign ar_take = ar_valid_o && ar_ready_i;
  assign r_take  = r_valid_i && r_ready_o;
  assign r_last  = beat_q == len_q[0];
  assign r_end   = r_take && r_last;
  always_comb begin
    len_d = len_q;
    if (r_end) for (int unsigned i = 0; i < MaxBursts; i++) len_d[i] = len_q[i+1];
    for (int unsigned i = 0; i <= MaxBursts; i++) begin
      if (ar_take && 32'(count_q) - 32'(r_end) == i) len_d[i] = ar_len_o;
    end
  end
  logic r_held_q;
  logic [1:0] r_resp_q;
  always_ff @(posedge clk_i) begin
    len_q    <= len_d;
    r_held_q <= rst_ni && r_valid_i && !r_ready_o;
    r_resp_q <= r_resp_i;
    if (!rst_ni) begin
      count_q <= '0;
      beat_q  <= '0;
    end else begin
      count_q <= count_q + 4'(ar_take) - 4'(r_end);
      if (r_take) beat_q <= r_last ? '0 : beat_q + 8'd1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      CommandNotEmpty: assume (!cmd_valid_i || cmd_len_i != '0);
      OnlyWhatWasAsked: assume (!r_valid_i || count_q != '0);
      DataHold:        assume (!r_held_q || (r_valid_i && r_resp_i == r_resp_q));
    end
  end

  // ---- inside ----
  // A burst as ohmac_dma_rd packs it.
  typedef struct packed {
    logic                 desc;
    logic [CoordBits-1:0] x;
    logic [CoordBits-1:0] y;
    logic [AddrBits-1:0]  tile_addr;
    logic [63:0]          mem;
    logic [4:0]           beats;
    logic                 last;
    logic [3:0]           tail;
    logic                 sig_en;
    logic [3:0]           sig_token;
    logic [15:0]          index;
  } burst_t;
  localparam logic [1:0] Idle = 2'd0, Issue = 2'd3;
  if (MaxBursts != 4 || MaxBeats != 16) begin : gen_size
    $fatal(1, "dma_rd_formal: the pointers below are those of 4 bursts of 16 beats");
  end
  burst_t burst;
  logic planned;              // the burst is split off
  logic [24:0] beats_left;    // of the command
  burst_t [3:0] list;         // oldest first
  logic [3:0] list_right;
  always_comb begin
    burst      = burst_t'(u_dut.burst_q);
    planned    = u_dut.state_q[1];
    beats_left = (25'(u_dut.left_q) + 25'd15) >> 4;
    for (int unsigned n = 0; n < 4; n++) begin
      list[n]       = burst_t'(u_dut.u_list.mem_q[2'(32'(u_dut.u_list.rptr_q) + n)]);
      list_right[n] = n >= 32'(u_dut.u_list.count_q) ||
                      (list[n].beats == ((n < 32'(count_q)) ? 5'(len_q[n]) + 5'd1 : burst.beats) &&
                       list[n].beats != '0 && 32'(list[n].beats) <= MaxBeats && (n >= 32'(count_q) || 32'(len_q[n]) < MaxBeats));
    end
  end

  // Rules
  logic stall_q, flit_stall_q;
  logic [63:0] addr_q;
  logic [7:0] ar_len_q;
  logic [7:0] end_q;  // beat of the page at which the burst before ended
  flit_t flit_q;
  always_ff @(posedge clk_i) if (ar_take) end_q <= ar_addr_o[11:4] + ar_len_o;
  always_ff @(posedge clk_i) begin
    stall_q      <= rst_ni && ar_valid_o && !ar_ready_i;
    addr_q       <= ar_addr_o;
    ar_len_q     <= ar_len_o;
    flit_stall_q <= rst_ni && flit_valid_o && !flit_ready_i;
    flit_q       <= flit_o;
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      ArHolds:      assert (!stall_q || (ar_valid_o && ar_addr_o == addr_q && ar_len_o == ar_len_q));
      FlitHolds:    assert (!flit_stall_q || (flit_valid_o && flit_o == flit_q));
      BurstLength:  assert (!ar_valid_o || 32'(ar_len_o) < MaxBeats);
      InsidePage:   assert (!ar_valid_o || 32'(ar_addr_o[11:4]) + 32'(ar_len_o) <= 32'd255);
      BeatAligned:  assert (!ar_valid_o || ar_addr_o[3:0] == '0);
      Outstanding:  assert (32'(count_q) + 32'(ar_valid_o) <= MaxBursts);
      IdleIsIdle:   assert (!idle_o || (count_q == '0 && !ar_valid_o && !flit_valid_o));
      TakesWhatCame: assert (!r_ready_o || 32'(count_q) + 32'(ar_valid_o) != 0);
      // For the induction: what the registers mean
      BurstPlanned: assert (!planned || (burst.beats != '0 && 32'(burst.beats) <= MaxBeats &&
                                         32'(burst.mem[11:4]) + 32'(burst.beats) <= 32'd256 &&
                                         beats_left >= 25'(burst.beats) && burst.last == (beats_left == 25'(burst.beats)) &&
                                         u_dut.bytes_q == (burst.last ? u_dut.left_q[8:0] : {burst.beats, 4'b0})));
      CommandLeft:  assert (u_dut.state_q == Idle || (u_dut.left_q != '0 && burst.mem[3:0] == '0));
      ListCounted:  assert (32'(u_dut.u_list.count_q) == 32'(count_q) + 32'(u_dut.state_q == Issue) && u_dut.u_list.count_q <= 3'd4);
      ListPointers: assert (2'(32'(u_dut.u_list.rptr_q) + 32'(u_dut.u_list.count_q)) == u_dut.u_list.wptr_q);
      ListRight:    assert (list_right == '1);
      BeatsAgree:   assert (beat_q == 8'(u_dut.beat_q) && ((count_q == '0) ? beat_q == '0 : beat_q <= len_q[0]));
      FlitPointers: assert (u_dut.u_flit.count_q <= 2'd2 &&
                            1'(32'(u_dut.u_flit.rptr_q) + 32'(u_dut.u_flit.count_q)) == u_dut.u_flit.wptr_q);
      // Reached
      SplitAtPage:  cover (ar_take && ar_addr_o[11:4] == '0 && end_q == '1 && count_q == 4'd1 && !u_dut.burst_q.desc);
      AllOut:       cover (32'(count_q) == MaxBursts);
      FailedRead:   cover (fail_o && beat_q == 8'd1);
      Refused:      cover (refuse_o && count_q != '0);
    end
  end
endmodule
