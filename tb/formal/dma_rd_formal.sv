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

  // Rules
  logic stall_q, flit_stall_q;
  logic [63:0] addr_q;
  logic [7:0] ar_len_q;
  flit_t flit_q;
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
      SplitAtPage:  cover (ar_take && ar_addr_o[11:4] == '0 && addr_q[11:4] != '0 && count_q == 4'd1);
      AllOut:       cover (32'(count_q) == MaxBursts);
      FailedRead:   cover (fail_o && beat_q == 8'd1);
      Refused:      cover (refuse_o && count_q != '0);
    end
  end
endmodule
