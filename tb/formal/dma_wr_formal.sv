// SPDX-License-Identifier: Apache-2.0
// AXI rules of ohmac_dma_wr: free flits for the host, a memory that takes AW and W at any time and answers with B, in order, any time after the
// last W beat of the burst. One window is open over all addresses or closed, as it likes. One beat, any one, is followed from the coalescer to W.
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
  input logic                 b_valid_i,
  input logic                 follow_i       // follow the beat that is stored now
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
  // ---- inside ----
  // A burst, or a note alone, as ohmac_dma_wr packs it.
  typedef struct packed {
    logic        burst;
    logic [63:0] addr;
    logic [4:0]  beats;
    logic [1:0]  note;
    logic [3:0]  token;
  } job_t;
  localparam logic [1:0] NoteDrain = 2'd3;
  if (MaxBursts != 4 || MaxBeats != 16) begin : gen_size
    $fatal(1, "dma_wr_formal: the pointers below are those of 4 bursts of 16 beats");
  end

  function automatic logic legal(logic [63:0] addr, logic [4:0] beats);
    return beats != '0 && 32'(beats) <= MaxBeats && addr[3:0] == '0 && 32'(addr[11:4]) + 32'(beats) <= 32'd256;
  endfunction
  function automatic logic [63:0] beat_addr(logic [63:0] addr, logic [4:0] beat);  // inside the page
    return {addr[63:12], addr[11:4] + 8'(beat), 4'b0};
  endfunction

  job_t [1:0] jobs;       // closed bursts, oldest first
  logic [1:0] jobs_there, jobs_legal;
  job_t [3:0] waits;      // bursts and notes that wait for B, oldest first
  logic [3:0] waits_there;
  flit_t [1:0] ins;
  logic [1:0] ins_aligned;
  logic [5:0] beats_inside;
  logic [2:0] bursts_waiting, drains;
  always_comb begin
    beats_inside   = 6'(u_dut.w_left_q) + (u_dut.open_q ? 6'(u_dut.beats_q) : 6'd0);
    bursts_waiting = '0;
    drains         = 3'(u_dut.drain_q);
    for (int unsigned n = 0; n < 2; n++) begin
      jobs[n]       = job_t'(u_dut.u_jobs.mem_q[1'(32'(u_dut.u_jobs.rptr_q) + n)]);
      jobs_there[n] = n < 32'(u_dut.u_jobs.count_q);
      jobs_legal[n] = !jobs_there[n] || !jobs[n].burst || legal(jobs[n].addr, jobs[n].beats);
      if (jobs_there[n] && jobs[n].burst) beats_inside += 6'(jobs[n].beats);
      if (jobs_there[n] && jobs[n].note == NoteDrain) drains += 3'd1;
      ins[n]         = flit_t'(u_dut.u_in.mem_q[1'(32'(u_dut.u_in.rptr_q) + n)]);
      ins_aligned[n] = n >= 32'(u_dut.u_in.count_q) || ins[n].addr[3:0] == '0;
    end
    for (int unsigned n = 0; n < 4; n++) begin
      waits[n]       = job_t'(u_dut.u_wait.mem_q[2'(32'(u_dut.u_wait.rptr_q) + n)]);
      waits_there[n] = n < 32'(u_dut.u_wait.count_q);
      if (waits_there[n] && waits[n].burst) bursts_waiting += 3'd1;
      if (waits_there[n] && waits[n].note == NoteDrain) drains += 3'd1;
    end
  end

  // The followed beat: what it is, where it must go, how many leave before it.
  logic follow_q, w_take, leaves;
  logic [5:0] ahead_q;
  logic [63:0] follow_addr_q;
  logic [DataBits+StrbBits-1:0] follow_word_q;
  assign w_take = w_valid_o && w_ready_i;
  assign leaves = follow_q && ahead_q == '0 && w_take;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      follow_q <= 1'b0;
    end else if (!follow_q) begin
      if (u_dut.beat_push && follow_i) begin
        follow_q      <= 1'b1;
        ahead_q       <= u_dut.beat_count - 6'(w_take);
        follow_addr_q <= u_dut.c_addr_q;
        follow_word_q <= {u_dut.c_strb_q, u_dut.c_data_q};
      end
    end else if (w_take) begin
      ahead_q <= ahead_q - 6'd1;
      if (ahead_q == '0) follow_q <= 1'b0;
    end
  end
  // The burst it is in, and its beat there.
  logic [5:0] place;
  logic [63:0] planned;
  logic found;
  always_comb begin
    place   = ahead_q;
    planned = beat_addr(aw_addr_o, 5'(beat_q) + 5'(place));
    found   = place < 6'(u_dut.w_left_q);
    if (!found) place -= 6'(u_dut.w_left_q);
    for (int unsigned n = 0; n < 2; n++) begin
      if (!found && jobs_there[n] && jobs[n].burst) begin
        planned = beat_addr(jobs[n].addr, 5'(place));
        found   = place < 6'(jobs[n].beats);
        if (!found) place -= 6'(jobs[n].beats);
      end
    end
    if (!found) begin
      planned = beat_addr(u_dut.first_q, 5'(place));
      found   = u_dut.open_q && place < 6'(u_dut.beats_q);
    end
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
      RightPlace:    assert (!leaves || ({w_strb_o, w_data_o} == follow_word_q && beat_addr(aw_addr_o, 5'(beat_q)) == follow_addr_q));
      NoGapsInW:     assert (w_valid_o == (u_dut.w_left_q != '0));
      // For the induction: what the registers mean
      InPointers:    assert (u_dut.u_in.count_q <= 2'd2 && 1'(32'(u_dut.u_in.rptr_q) + 32'(u_dut.u_in.count_q)) == u_dut.u_in.wptr_q);
      JobPointers:   assert (u_dut.u_jobs.count_q <= 2'd2 &&
                             1'(32'(u_dut.u_jobs.rptr_q) + 32'(u_dut.u_jobs.count_q)) == u_dut.u_jobs.wptr_q);
      WaitPointers:  assert (u_dut.u_wait.count_q <= 3'd4 &&
                             2'(32'(u_dut.u_wait.rptr_q) + 32'(u_dut.u_wait.count_q)) == u_dut.u_wait.wptr_q);
      BeatPointers:  assert (u_dut.u_beats.count_q <= 6'd32 &&
                             5'(32'(u_dut.u_beats.rptr_q) + 32'(u_dut.u_beats.count_q)) == u_dut.u_beats.wptr_q);
      Aligned:       assert (ins_aligned == '1 && (!u_dut.a_valid_q || u_dut.a_addr_q[3:0] == '0) &&
                             (!u_dut.c_valid_q || u_dut.c_addr_q[3:0] == '0));
      NoteOfFlit:    assert (!u_dut.c_valid_q || u_dut.c_note_q != NoteDrain);
      JobsLegal:     assert (jobs_legal == '1);
      OpenBurst:     assert (!u_dut.open_q || (legal(u_dut.first_q, u_dut.beats_q + 5'd1) &&
                                               u_dut.beats_q != '0 && u_dut.next_q == beat_addr(u_dut.first_q, u_dut.beats_q)));
      BeatsBelong:   assert (u_dut.u_beats.count_q == beats_inside);
      WLeft:         assert ((u_dut.w_left_q == '0) ? beat_q == '0 : 32'(u_dut.w_left_q) + 32'(beat_q) == 32'(aw_len_o) + 32'd1);
      BurstLegal:    assert (!(aw_valid_o || u_dut.w_left_q != '0) || (32'(aw_len_o) < MaxBeats && legal(aw_addr_o, 5'(aw_len_o) + 5'd1)));
      AwCounted:     assert (32'(aw_count_q) + 32'(aw_valid_o) == 32'(bursts_waiting));
      WCounted:      assert (32'(w_count_q) + 32'(u_dut.w_left_q != '0) == 32'(bursts_waiting));
      DrainCounted:  assert (drains == 3'(drain_open_q));
      FollowedPlace: assert (!follow_q || (ahead_q < u_dut.u_beats.count_q && found && planned == follow_addr_q));
      FollowedWord:  assert (!follow_q || u_dut.u_beats.mem_q[5'(u_dut.u_beats.rptr_q + 5'(ahead_q))] == follow_word_q);
      FollowedGoes:  cover (leaves && beat_q == 8'd1 && aw_valid_o);
      TwoBeats:      cover (w_end && beat_q == 8'd1);
      EndsPage:      cover (aw_take && aw_addr_o[11:4] + aw_len_o == 8'd255 && aw_len_o == 8'd1);
      FailedWrite:   cover (fail_o);
      AllOut:        cover (32'(aw_count_q) == 2);
      Drained:       cover (drain_done_o && aw_count_q == '0);
    end
  end
endmodule
