// SPDX-License-Identifier: Apache-2.0
// DMA write side: flits that reach the host become AXI write bursts. FlitWrite goes to the outbox (out_base + addr), FlitResp to the
// running T2M (resp_base + addr); both share one coalescer, so memory sees them in the order of arrival. Consecutive 16-byte addresses join
// one INCR burst of up to 16 beats, not across 4 KiB. A burst is closed when it is full or ends a page, by a flit that does not follow, by a flit
// with a token, by drain_i, or after IdleFlush cycles without a flit. Every flit's bytes are checked against the windows two cycles after arrival.
// Things that wait for memory (a token, the end of a read, a drain) travel behind the data in order and come out when all
// bursts before them have their B. A flit without bytes makes no burst.
// After a flit arrives: address, check, coalesce, one cycle each; a stream runs at one flit a cycle inside a burst.
module ohmac_dma_wr
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned NumWindows = 4,
  parameter int unsigned MaxBursts = 4,
  parameter int unsigned MaxBeats = 16,
  parameter int unsigned IdleFlush = 16
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // From the NoC.
  input  flit_t                       flit_i,
  input  logic                        flit_valid_i,
  output logic                        flit_ready_o,
  input  logic [63:0]                 out_base_i,   // low 4 bits are ignored
  input  logic [63:0]                 resp_base_i,  // holds while a read is under way
  input  logic                        drop_resp_i,  // responses are consumed and not written

  input  logic [NumWindows-1:0][63:0] win_base_i,
  input  logic [NumWindows-1:0][31:0] win_size_i,
  input  logic [NumWindows-1:0]       win_write_i,

  // Drain: drain_i asks (one cycle), drain_done_o answers when all that arrived before has its B.
  input  logic                        drain_i,
  output logic                        drain_done_o,

  // In memory now, one cycle each.
  output logic                        resp_done_o,   // the last response of a read
  output logic                        token_valid_o,
  output logic [3:0]                  token_o,

  // Errors, one cycle. The flit was dropped (refuse), a burst was answered by an error (fail).
  output logic                        refuse_o,
  output logic [63:0]                 refuse_addr_o,
  output logic                        fail_o,
  output logic [63:0]                 fail_addr_o,   // first address of the burst

  output logic                        busy_o,        // a flit is inside or a burst awaits its B

  // Memory.
  output logic [63:0]                 aw_addr_o,
  output logic [7:0]                  aw_len_o,
  output logic                        aw_valid_o,
  input  logic                        aw_ready_i,
  output logic [DataBits-1:0]         w_data_o,
  output logic [StrbBits-1:0]         w_strb_o,
  output logic                        w_last_o,
  output logic                        w_valid_o,
  input  logic                        w_ready_i,
  input  logic [1:0]                  b_resp_i,
  input  logic                        b_valid_i,
  output logic                        b_ready_o
);
  localparam int unsigned BeatFifo = 2 * MaxBeats;  // one burst fills while another leaves
  localparam int unsigned IdleBits = $clog2(IdleFlush + 1);

  if (MaxBeats < 1 || MaxBeats > 16 || MaxBursts < 1) begin : gen_bad_bursts
    $fatal(1, "ohmac_dma_wr: MaxBeats must be 1 .. 16 and MaxBursts at least 1, not %0d and %0d", MaxBeats, MaxBursts);
  end

  typedef enum logic [1:0] {
    NoteNone,
    NoteToken,  // increment a DMA token
    NoteResp,   // a read is complete
    NoteDrain
  } note_e;

  // A burst, or a note alone, in order of arrival.
  typedef struct packed {
    logic        burst;
    logic [63:0] addr;
    logic [4:0]  beats;
    note_e       note;
    logic [3:0]  token;
  } job_t;

  // 1. Arrival and address
  flit_t in_flit;
  logic in_valid, in_take;
  logic [1:0] in_count;
  ohmac_fifo #(.Width($bits(flit_t)), .Depth(2)) u_in (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(flit_valid_i), .ready_o(flit_ready_o), .data_i(flit_i),
    .valid_o(in_valid), .ready_i(in_take), .data_o(in_flit), .count_o(in_count)
  );

  logic a_valid_q, a_take;
  logic [63:0] a_addr_q;
  flit_t a_flit_q;
  assign in_take = ~a_valid_q | a_take;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) a_valid_q <= 1'b0;
    else if (in_take) a_valid_q <= in_valid;
  end
  always_ff @(posedge clk_i) begin
    if (in_take) begin
      a_flit_q <= in_flit;
      a_addr_q <= ((in_flit.kind == FlitResp) ? resp_base_i : {out_base_i[63:4], 4'b0}) + 64'(in_flit.addr);
    end
  end

  // 2. Window check
  logic [4:0] a_bytes;  // to the last strobed byte
  logic a_ok;
  always_comb begin
    a_bytes = '0;
    for (int unsigned b = 0; b < StrbBits; b++) if (a_flit_q.strb[b]) a_bytes = 5'(b + 1);
  end

  ohmac_dma_window #(.NumWindows(NumWindows), .LenBits(5)) u_window (
    .win_base_i, .win_size_i, .win_en_i(win_write_i), .addr_i(a_addr_q), .len_i(a_bytes), .ok_o(a_ok)
  );

  logic c_valid_q, c_take;
  logic c_write_q, c_refuse_q;
  note_e c_note_q;
  logic [63:0] c_addr_q;
  logic [3:0] c_token_q;
  logic [StrbBits-1:0] c_strb_q;
  logic [DataBits-1:0] c_data_q;
  logic a_resp, a_has_bytes, a_refuse;
  assign a_take      = ~c_valid_q | c_take;
  assign a_resp      = a_flit_q.kind == FlitResp;
  assign a_has_bytes = a_flit_q.strb != '0 & ~(a_resp & drop_resp_i);
  assign a_refuse    = a_has_bytes & ~a_ok;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) c_valid_q <= 1'b0;
    else if (a_take) c_valid_q <= a_valid_q;
  end
  always_ff @(posedge clk_i) begin
    if (a_take) begin
      c_addr_q   <= a_addr_q;
      c_token_q  <= a_flit_q.token;
      c_strb_q   <= a_flit_q.strb;
      c_data_q   <= a_flit_q.data;
      c_write_q  <= a_has_bytes & a_ok;
      c_refuse_q <= a_refuse;
      // A refused flit takes its token with it; the end of a read must be seen in any case.
      if (!a_flit_q.token_en) c_note_q <= NoteNone;
      else if (a_resp) c_note_q <= NoteResp;
      else c_note_q <= a_refuse ? NoteNone : NoteToken;
    end
  end

  assign refuse_o      = c_valid_q & c_take & c_refuse_q;
  assign refuse_addr_o = c_addr_q;

  // 3. Coalescer
  logic open_q, open_d;
  logic [63:0] first_q, first_d;  // address of the open burst
  logic [63:0] next_q, next_d;    // address that would follow
  logic [4:0] beats_q, beats_d;
  logic [IdleBits-1:0] idle_q, idle_d;
  logic drain_q, drain_d;         // a drain is asked and not yet in the list
  logic follows, fills;
  logic beat_push, beat_ready, job_push, job_ready;
  job_t job;

  assign follows = open_q && c_addr_q == next_q;

  always_comb begin
    open_d    = open_q;
    first_d   = first_q;
    next_d    = next_q;
    beats_d   = beats_q;
    idle_d    = open_q ? idle_q + IdleBits'(1) : '0;
    drain_d   = drain_q | drain_i;
    c_take    = 1'b0;
    beat_push = 1'b0;
    job_push  = 1'b0;
    job       = '{burst: open_q, addr: first_q, beats: beats_q, note: NoteNone, token: c_token_q};
    // A burst that starts with this flit or goes on with it, and whether it then ends a page.
    fills     = (follows ? beats_q == 5'(MaxBeats - 1) : MaxBeats == 1) || c_addr_q[11:4] == '1;

    if (drain_q) begin
      job_push = job_ready;
      job.note = NoteDrain;
      if (job_ready) begin
        open_d  = 1'b0;
        drain_d = drain_i;
      end
    end else if (c_valid_q && !c_write_q) begin
      // No bytes: a note closes the burst before it and shares its entry.
      c_take = c_note_q == NoteNone || job_ready;
      if (c_note_q != NoteNone && job_ready) begin
        job_push = 1'b1;
        job.note = c_note_q;
        open_d   = 1'b0;
      end
    end else if (c_valid_q && open_q && !follows) begin
      job_push = job_ready;
      if (job_ready) open_d = 1'b0;
    end else if (c_valid_q) begin
      if (beat_ready && (job_ready || !(fills || c_note_q != NoteNone))) begin
        c_take    = 1'b1;
        beat_push = 1'b1;
        open_d    = 1'b1;
        first_d   = open_q ? first_q : c_addr_q;
        next_d    = c_addr_q + 64'(StrbBits);
        beats_d   = open_q ? beats_q + 5'd1 : 5'd1;
        idle_d    = '0;
        if (fills || c_note_q != NoteNone) begin
          job_push = 1'b1;
          job      = '{burst: 1'b1, addr: first_d, beats: beats_d, note: c_note_q, token: c_token_q};
          open_d   = 1'b0;
        end
      end
    end else if (open_q && idle_q == IdleBits'(IdleFlush)) begin
      job_push = job_ready;
      idle_d   = idle_q;
      if (job_ready) open_d = 1'b0;
    end
    if (idle_d > IdleBits'(IdleFlush)) idle_d = IdleBits'(IdleFlush);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q  <= 1'b0;
      idle_q  <= '0;
      drain_q <= 1'b0;
    end else begin
      open_q  <= open_d;
      idle_q  <= idle_d;
      drain_q <= drain_d;
    end
  end
  always_ff @(posedge clk_i) begin
    first_q <= first_d;
    next_q  <= next_d;
    beats_q <= beats_d;
  end

  // Beats of closed bursts and of the open one.
  logic beat_valid, beat_pop;
  logic [$clog2(BeatFifo+1)-1:0] beat_count;
  ohmac_fifo #(.Width(DataBits + StrbBits), .Depth(BeatFifo)) u_beats (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(beat_push), .ready_o(beat_ready), .data_i({c_strb_q, c_data_q}),
    .valid_o(beat_valid), .ready_i(beat_pop), .data_o({w_strb_o, w_data_o}), .count_o(beat_count)
  );

  logic list_valid, list_pop;
  job_t next_job;
  logic [1:0] unused_job_count;
  ohmac_fifo #(.Width($bits(job_t)), .Depth(2)) u_jobs (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(job_push), .ready_o(job_ready), .data_i(job),
    .valid_o(list_valid), .ready_i(list_pop), .data_o(next_job), .count_o(unused_job_count)
  );

  // 4. AW and W of one burst; the next starts when both are through.
  logic aw_valid_q;
  logic [4:0] w_left_q;
  logic [63:0] aw_addr_q;
  logic [7:0] aw_len_q;
  logic wait_ready;

  assign list_pop   = wait_ready & ~aw_valid_q & (w_left_q == '0);
  assign aw_valid_o = aw_valid_q;
  assign aw_addr_o  = aw_addr_q;
  assign aw_len_o   = aw_len_q;
  assign w_valid_o  = w_left_q != '0 & beat_valid;
  assign w_last_o   = w_left_q == 5'd1;
  assign beat_pop   = w_left_q != '0 & w_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_left_q   <= '0;
    end else if (list_valid && list_pop) begin
      aw_valid_q <= next_job.burst;
      w_left_q   <= next_job.burst ? next_job.beats : '0;
    end else begin
      if (aw_ready_i) aw_valid_q <= 1'b0;
      if (w_valid_o && w_ready_i) w_left_q <= w_left_q - 5'd1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (list_valid && list_pop) begin
      aw_addr_q <= next_job.addr;
      aw_len_q  <= 8'(next_job.beats) - 8'd1;
    end
  end

  // 5. Waiting for B, oldest first
  logic done_valid, done_pop, done_good;
  job_t done;
  logic [$clog2(MaxBursts+1)-1:0] wait_count;
  ohmac_fifo #(.Width($bits(job_t)), .Depth(MaxBursts)) u_wait (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(list_valid & list_pop), .ready_o(wait_ready), .data_i(next_job),
    .valid_o(done_valid), .ready_i(done_pop), .data_o(done), .count_o(wait_count)
  );

  logic retire;
  assign b_ready_o     = done_valid & done.burst;
  assign done_pop      = ~done.burst | b_valid_i;
  assign retire        = done_valid & done_pop;
  assign done_good     = ~done.burst | b_resp_i == 2'b00;
  assign fail_o        = retire & ~done_good;
  assign fail_addr_o   = done.addr;
  assign token_valid_o = retire & done_good & done.note == NoteToken;
  assign token_o       = done.token;
  assign resp_done_o   = retire & done.note == NoteResp;
  assign drain_done_o  = retire & done.note == NoteDrain;
  assign busy_o        = in_count != '0 || a_valid_q || c_valid_q || beat_count != '0 || wait_count != '0;

  always_ff @(posedge clk_i) begin
    if (rst_ni) AnswerHasBurst: assert (!b_valid_i || (wait_count != '0));
    if (rst_ni) HostGetsNoRead: assert (!flit_valid_i || (flit_i.host && flit_i.kind != FlitRead));
    if (rst_ni) FlitAligned: assert (!flit_valid_i || (flit_i.addr[3:0] == '0));
    if (rst_ni) BurstInPage: assert (!aw_valid_o || (13'(aw_addr_o[11:0]) + 13'({aw_len_o, 4'b0}) <= 13'd4080));
  end
endmodule
