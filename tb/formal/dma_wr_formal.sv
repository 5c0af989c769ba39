// SPDX-License-Identifier: Apache-2.0
// AXI rules of ohmac_dma_wr: free flits for the host, a memory that takes AW and W at any time and answers with B, in order, any time after the
// last W beat of the burst. One window is open over all addresses or closed, as it likes.
module dma_wr_formal
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned MaxBursts = 4,
  parameter int unsigned MaxBeats  = 16,
  parameter int unsigned IdleFlush = 2
) (
  input logic                 clk_i,
  input logic [AddrBits-1:4]  flit_addr_i,
  input logic                 flit_resp_i,
  input logic                 flit_token_i,
  input logic                 flit_empty_i,  // no bytes
  input logic                 flit_valid_i,
  input logic [63:0]          out_base_i,
  input logic [63:0]          resp_base_i,
  input logic                 drop_resp_i,
  input logic [31:0]          win_size_i,
  input logic                 drain_i,
  input logic                 aw_ready_i,
  input logic                 w_ready_i,
  input logic [1:0]           b_resp_i,
  input logic                 b_valid_i
);
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  flit_t flit;
  always_comb begin
    flit          = '0;
    flit.host     = 1'b1;
    flit.kind     = flit_resp_i ? FlitResp : FlitWrite;
    flit.token_en = flit_token_i;
    flit.addr     = {flit_addr_i, 4'b0};
    flit.strb     = flit_empty_i ? '0 : '1;
    flit.data     = DataBits'(flit_addr_i);  // so that beats differ
  end

  logic flit_ready_o, drain_done_o, resp_done_o, token_valid_o, refuse_o, fail_o, busy_o;
  logic [3:0] token_o;
  logic [63:0] refuse_addr_o, fail_addr_o, aw_addr_o;
  logic [7:0] aw_len_o;
  logic aw_valid_o, w_last_o, w_valid_o, b_ready_o;
  logic [DataBits-1:0] w_data_o;
  logic [StrbBits-1:0] w_strb_o;
  ohmac_dma_wr #(
    .NumWindows(1), .MaxBursts(MaxBursts), .MaxBeats(MaxBeats), .IdleFlush(IdleFlush)
  ) u_dut (
    .flit_i(flit), .win_base_i('0), .win_write_i(1'b1), .*
  );

  // Environment
  logic held_q, b_held_q, drain_open_q;
  logic [AddrBits-1:4] addr_q;
  logic [2:0] flags_q;
  logic [63:0] out_q, resp_q;
  logic [1:0] b_resp_q;
  logic [3:0] aw_count_q, w_count_q;  // bursts whose AW (last W) was taken and whose B was not
  logic aw_take, w_end, b_take;
  assign aw_take = aw_valid_o && aw_ready_i;
  assign w_end   = w_valid_o && w_ready_i && w_last_o;
  assign b_take  = b_valid_i && b_ready_o;
  always_ff @(posedge clk_i) begin
    held_q   <= rst_ni && flit_valid_i && !flit_ready_o;
    b_held_q <= rst_ni && b_valid_i && !b_ready_o;
    addr_q   <= flit_addr_i;
    flags_q  <= {flit_resp_i, flit_token_i, flit_empty_i};
    out_q    <= out_base_i;
    resp_q   <= resp_base_i;
    b_resp_q <= b_resp_i;
    if (!rst_ni) begin
      drain_open_q <= 1'b0;
      aw_count_q   <= '0;
      w_count_q    <= '0;
    end else begin
      drain_open_q <= (drain_open_q && !drain_done_o) || drain_i;
      aw_count_q   <= aw_count_q + 4'(aw_take) - 4'(b_take);
      w_count_q    <= w_count_q + 4'(w_end) - 4'(b_take);
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      FlitHolds:    assume (!held_q || (flit_valid_i && flit_addr_i == addr_q && {flit_resp_i, flit_token_i, flit_empty_i} == flags_q));
      BasesHold:    assume (out_base_i == out_q && resp_base_i == resp_q && resp_base_i[3:0] == '0);
      AnswersInTime: assume (!b_valid_i || (aw_count_q != '0 && w_count_q != '0));
      AnswerHolds:  assume (!b_held_q || (b_valid_i && b_resp_i == b_resp_q));
      OneDrain:     assume (!drain_i || !drain_open_q);
    end
  end

  // Rules
  logic aw_stall_q, w_stall_q, w_last_q;
  logic [63:0] aw_addr_q;
  logic [7:0] aw_len_q;
  logic [DataBits-1:0] w_data_q;
  logic [StrbBits-1:0] w_strb_q;
  logic [7:0] beat_q;  // of the W burst
  always_ff @(posedge clk_i) begin
    aw_stall_q <= rst_ni && aw_valid_o && !aw_ready_i;
    w_stall_q  <= rst_ni && w_valid_o && !w_ready_i;
    aw_addr_q  <= aw_addr_o;
    aw_len_q   <= aw_len_o;
    w_data_q   <= w_data_o;
    w_strb_q   <= w_strb_o;
    w_last_q   <= w_last_o;
    if (!rst_ni || w_end) beat_q <= '0;
    else if (w_valid_o && w_ready_i) beat_q <= beat_q + 8'd1;
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      AwHolds:       assert (!aw_stall_q || (aw_valid_o && aw_addr_o == aw_addr_q && aw_len_o == aw_len_q));
      WHolds:        assert (!w_stall_q || (w_valid_o && w_data_o == w_data_q && w_strb_o == w_strb_q && w_last_o == w_last_q));
      LastBeatOfLen: assert (!w_valid_o || w_last_o == (beat_q == aw_len_o));
      BurstLength:   assert (!aw_valid_o || 32'(aw_len_o) < MaxBeats);
      InsidePage:    assert (!aw_valid_o || 32'(aw_addr_o[11:4]) + 32'(aw_len_o) <= 32'd255);
      BeatAligned:   assert (!aw_valid_o || aw_addr_o[3:0] == '0);
      Outstanding:   assert (32'(aw_count_q) + 32'(aw_valid_o) <= MaxBursts && 32'(w_count_q) <= MaxBursts);
      OneAwOneW:     assert (aw_count_q == w_count_q || aw_count_q == w_count_q + 4'd1 || w_count_q == aw_count_q + 4'd1);
      BReadyForIt:   assert (!b_ready_o || 32'(aw_count_q) + 32'(aw_valid_o) != 0);
      DoneWhenAsked: assert (!drain_done_o || drain_open_q);
      TwoBeats:      cover (w_end && beat_q == 8'd1);
      EndsPage:      cover (aw_take && aw_addr_o[11:4] + aw_len_o == 8'd255 && aw_len_o == 8'd1);
      FailedWrite:   cover (fail_o);
      AllOut:        cover (32'(aw_count_q) == 2);
      Drained:       cover (drain_done_o && aw_count_q == '0);
    end
  end
endmodule
