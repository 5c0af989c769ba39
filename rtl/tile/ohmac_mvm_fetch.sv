// SPDX-License-Identifier: Apache-2.0
// Head of the MVM engine: takes queue items, waits for tokens, and reads input vectors from SRAM into two staging buffers.
//   item -> Idle -> (WAIT: Wait) | (operation: Setup -> Seg -> Run -> Seg -> Run ... -> Idle)
// Every operation and every SIGNAL is announced on job_* when it is taken; an operation appears on op_* when all its bytes are staged.
// Chunks of up to 4 bytes inside one 16-byte word pass six stages, one chunk a cycle:
//   bytes (Run) -> address -> request (holds until granted) -> access -> data captured in the line buffer -> bytes packed, words staged.
// An operation costs 2 cycles of setup, one a segment, and one a chunk, as long as SRAM grants at once and of two chunks in a row one
// at most needs a line (a line every second cycle). At most one read is on its way: grants come only when the line before it has.
module ohmac_mvm_fetch
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Rows = 256,
  parameter int unsigned SramBytes = 65536,
  localparam int unsigned WordW = $clog2(Rows / 4)
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  // queue head
  input  logic                     item_valid_i,
  output logic                     item_ready_o,
  input  mvm_item_t                item_i,
  input  mvm_cfg_t [NumMvmCfg-1:0] cfg_i,
  // tokens
  output logic                     wait_valid_o,
  output logic [3:0]               wait_token_o,
  output logic [7:0]               wait_count_o,
  input  logic                     wait_gnt_i,
  input  logic                     drop_waits_i,
  // SRAM
  output logic                     rd_req_o,
  output logic [15:0]              rd_addr_o,
  input  logic                     rd_gnt_i,
  input  logic                     rd_rvalid_i,
  input  logic [LineBits-1:0]      rd_rdata_i,
  // towards the post stage, in order of issue
  output logic                     job_valid_o,
  input  logic                     job_ready_i,
  output logic                     job_signal_o,  // a SIGNAL, else an operation
  output logic [3:0]               job_token_o,
  output logic [7:0]               job_count_o,
  output logic [AddrBits-1:0]      job_dst_o,
  output logic [1:0]               job_slot_o,
  // towards the phase stage: the oldest staged vector and its words
  output logic                     op_valid_o,
  input  logic                     op_ready_i,
  input  logic                     op_done_i,     // the words of the oldest one taken were read
  output logic [1:0]               op_slot_o,
  input  logic                     op_re_i,
  input  logic [WordW-1:0]         op_addr_i,
  output logic [31:0]              op_rdata_o,
  output logic                     idle_o,        // no item inside; staged vectors belong to their jobs
  output fault_e                   fault_o
);
  typedef enum logic [2:0] {
    StIdle,   // takes an item
    StWait,   // waits for a token
    StSetup,  // pads of a segment, distance from the wrap window
    StSeg,    // start of a segment
    StRun     // one chunk a cycle
  } state_e;

  typedef enum logic [1:0] {
    RegLeft,  // leading pad of a segment
    RegData,
    RegRight  // trailing pad, or a whole segment of pad
  } region_e;

  typedef struct packed {
    logic       last;  // of the operation
    logic [1:0] slot;
    logic       fill;  // bytes are fill_value, not memory
    logic [7:0] fill_value;
    logic [2:0] n;     // bytes, 1..4
    logic [4:0] offset;
  } chunk_t;

  state_e state_q, state_d;

  // Item registers, and what an operation needs of its slot
  logic [3:0]          token_q;
  logic [7:0]          count_q;
  logic [1:0]          slot_q;
  logic [AddrBits-1:0] wrap_base_q, wrap_len_q, stride_q;
  logic [11:0]         seg_len_q;
  logic [7:0]          pad_top_q, pad_bottom_q, pad_left_q, pad_right_q, pad_value_q;
  logic                wrap_q, take, take_op;
  mvm_cfg_t            cfg;

  // Buffers: reserved when an operation is taken, free again when its last phase is loaded.
  logic [1:0] reserved_q;
  logic       stage_done;

  assign item_ready_o = state_q == StIdle && job_ready_i && reserved_q != 2'd2;
  assign take         = item_valid_i & item_ready_o;
  assign take_op      = take && item_i.kind == ItemOp;

  assign job_valid_o  = take && item_i.kind != ItemWait;
  assign job_signal_o = item_i.kind == ItemSignal;
  assign job_token_o  = item_i.token;
  assign job_count_o  = item_i.count;
  assign job_dst_o    = item_i.dst;
  assign job_slot_o   = item_i.cfg;

  assign wait_valid_o = state_q == StWait && !drop_waits_i;
  assign wait_token_o = token_q;
  assign wait_count_o = count_q;
  assign cfg          = cfg_i[item_i.cfg];

  // Stages behind the first one, described below: which hold a chunk, and whether it moves on
  logic addr_valid_q, req_valid_q, fly_valid_q, addr_go, req_go, data_go;

  // Numbers of bytes 1..4 by their steps: at_least[k] = k bytes or more.
  typedef logic [4:2] at_least_t;

  // --- Bytes of a chunk. Addresses are 24-bit two's complement: `lo` is the distance from the window's first byte and `hi` from its
  // end, so their signs tell which bytes wrap, and their small values where a chunk must stop.
  logic [AddrBits-1:0] start_raw_q, start_lo_q;        // first byte of the next segment
  logic [AddrBits-1:0] to_end_q;                       // from there to `hi` of its first data byte
  logic [AddrBits-1:0] raw_q, lo_q, hi_q;              // next data byte
  logic [3:0]          word_byte;                      // its place in its 16 bytes of memory
  logic [7:0]          seg_q, segs_left_q;             // segments begun, and not begun
  logic [11:0]         left_q, end_q, right_q;         // [left, end) of a segment is data, `right` bytes of pad follow
  logic [11:0]         data_len_q, right_len_q, rem_q, next_len;
  region_e             region_q, region_d;
  logic                seg_pad_q;                      // the next segment is padding
  logic                last_seg, has_data, chunk_data, chunk_go, region_end, seg_end, below, beyond;
  at_least_t           n_rem, n_data, n;
  logic                few;                            // less than 4 bytes of the region are left

  // Sums in two halves, the upper one for both carries: half the time of one carry chain.
  function automatic logic [AddrBits-1:0] sum(logic [AddrBits-1:0] a, logic [AddrBits-1:0] b, logic carry);
    localparam int unsigned Half = AddrBits / 2;
    logic [Half:0]   low;
    logic [Half-1:0] up0, up1;
    low = (Half + 1)'(({1'b0, a[Half-1:0], 1'b1} + {1'b0, b[Half-1:0], carry}) >> 1);
    up0 = a[AddrBits-1:Half] + b[AddrBits-1:Half];
    up1 = Half'(({a[AddrBits-1:Half], 1'b1} + {b[AddrBits-1:Half], 1'b1}) >> 1);
    return {low[Half] ? up1 : up0, low[Half-1:0]};
  endfunction

  // Bytes up to the next multiple of 4 that the upper bits say is less than 4 away; 4 if it is farther.
  function automatic at_least_t room(logic near, logic [1:0] low);
    return {!near || low == 2'd0, !near || !low[1], !near || low != 2'd3};
  endfunction

  // a + count: every sum is ready before the count is
  function automatic logic [AddrBits-1:0] plus(logic [AddrBits-1:0] a, at_least_t count);
    logic [3:0] low;
    low = {1'b0, a[2:0]} + (count[4] ? 4'd4 : 4'd3);
    if (!count[3]) low = {1'b0, a[2:0]} + (count[2] ? 4'd2 : 4'd1);
    return {low[3] ? a[AddrBits-1:3] + 1'b1 : a[AddrBits-1:3], low[2:0]};
  endfunction

  // a - count, count <= a, likewise
  function automatic logic [11:0] minus(logic [11:0] a, at_least_t count);
    logic [3:0] low;
    low = {1'b0, a[2:0]} - (count[4] ? 4'd4 : 4'd3);
    if (!count[3]) low = {1'b0, a[2:0]} - (count[2] ? 4'd2 : 4'd1);
    return {low[3] ? a[11:3] - 1'b1 : a[11:3], low[2:0]};
  endfunction

  assign last_seg  = segs_left_q == '0;
  assign has_data  = end_q > left_q;
  assign below     = wrap_q & lo_q[AddrBits-1];
  assign beyond    = wrap_q & !lo_q[AddrBits-1] & !hi_q[AddrBits-1];
  assign word_byte = below ? raw_q[3:0] + wrap_len_q[3:0] : beyond ? raw_q[3:0] - wrap_len_q[3:0] : raw_q[3:0];

  assign few      = rem_q[11:2] == '0;
  assign n_rem    = {!few, !few || rem_q[1:0] == 2'd3, !few || rem_q[1]};
  assign n_data   = room(&word_byte[3:2], word_byte[1:0]) & room(wrap_q & (&lo_q[AddrBits-1:2]), lo_q[1:0])
                    & room(wrap_q & (&hi_q[AddrBits-1:2]), hi_q[1:0]);

  assign chunk_data = region_q == RegData;
  assign n          = n_rem & (n_data | {3{!chunk_data}});
  // The chunk has all that is left.
  always_comb begin
    region_end = 1'b0;
    if (few) region_end = !chunk_data || (rem_q[1] ? n_data[rem_q[0] ? 3 : 2] : 1'b1);
    else if (rem_q[11:0] == 12'd4) region_end = !chunk_data || n_data[4];
  end
  assign seg_end    = region_end && (region_q == RegRight || right_len_q == '0)
                      && !(region_q == RegLeft && data_len_q != '0);

  assign next_len = (region_q == RegLeft && data_len_q != '0) ? data_len_q : right_len_q;

  always_comb begin
    region_d = RegRight;
    if (state_q == StSeg) begin
      if (!seg_pad_q && left_q != '0) region_d = RegLeft;
      else if (!seg_pad_q && has_data) region_d = RegData;
    end else if (!region_end) begin
      region_d = region_q;
    end else if (region_q == RegLeft && data_len_q != '0) begin
      region_d = RegData;
    end
  end

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle: begin
        if (take && item_i.kind == ItemWait) state_d = StWait;
        else if (take_op) state_d = StSetup;
      end
      StWait: if (wait_gnt_i || drop_waits_i) state_d = StIdle;
      // The last chunk of the operation before may still compare its line.
      StSetup: if (!addr_valid_q && !(req_valid_q && !req_go)) state_d = StSeg;
      StSeg: state_d = StRun;
      StRun: if (chunk_go && seg_end) state_d = last_seg ? StIdle : StSeg;
      default: state_d = StIdle;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q    <= StIdle;
      reserved_q <= '0;
    end else begin
      state_q <= state_d;
      if (take_op != op_done_i) reserved_q <= take_op ? reserved_q + 2'd1 : reserved_q - 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StIdle: begin
        if (take) begin
          token_q     <= item_i.token;
          count_q     <= item_i.count;
        end
        if (take_op) begin
          slot_q       <= item_i.cfg;
          wrap_base_q  <= item_i.wrap_base;
          wrap_len_q   <= item_i.wrap_len;
          wrap_q       <= item_i.wrap_len != '0;
          start_raw_q  <= item_i.src;
          seg_q        <= '0;
          segs_left_q  <= cfg.n_seg;
          stride_q     <= cfg.seg_stride;
          seg_len_q    <= cfg.seg_len;
          pad_top_q    <= cfg.pad_top;
          pad_bottom_q <= cfg.pad_bottom;
          pad_left_q   <= cfg.pad_left;
          pad_right_q  <= cfg.pad_right;
          pad_value_q  <= cfg.pad_value;
        end
      end
      StSetup: begin
        start_lo_q <= sum(start_raw_q, ~wrap_base_q, 1'b1);
        to_end_q   <= sum(AddrBits'(pad_left_q), ~wrap_len_q, 1'b1);
        left_q     <= (12'(pad_left_q) < seg_len_q) ? 12'(pad_left_q) : seg_len_q;
        right_q    <= (12'(pad_right_q) < seg_len_q) ? 12'(pad_right_q) : seg_len_q;
        end_q      <= (12'(pad_right_q) < seg_len_q) ? seg_len_q - 12'(pad_right_q) : '0;
      end
      StSeg: begin
        // Of no meaning where the pad fills the segment.
        raw_q       <= sum(start_raw_q, AddrBits'(pad_left_q), 1'b0);
        lo_q        <= sum(start_lo_q, AddrBits'(pad_left_q), 1'b0);
        hi_q        <= sum(start_lo_q, to_end_q, 1'b0);
        data_len_q  <= (has_data && !seg_pad_q) ? end_q - left_q : '0;
        right_len_q <= has_data ? right_q : seg_len_q - left_q;
        unique case (region_d)
          RegLeft: rem_q <= left_q;
          RegData: rem_q <= end_q - left_q;
          default: rem_q <= seg_len_q;
        endcase
        start_raw_q <= sum(start_raw_q, stride_q, 1'b0);
        start_lo_q  <= sum(start_lo_q, stride_q, 1'b0);
        seg_q       <= seg_q + 8'd1;
        segs_left_q <= segs_left_q - 8'd1;
      end
      StRun: begin
        if (chunk_go) begin
          if (chunk_data) begin
            raw_q <= plus(raw_q, n);
            lo_q  <= plus(lo_q, n);
            hi_q  <= plus(hi_q, n);
          end
          rem_q <= region_end ? next_len : minus(rem_q, n);
        end
      end
      default: ;
    endcase
    seg_pad_q <= seg_q < pad_top_q || segs_left_q <= pad_bottom_q;
    if (state_q == StSeg || chunk_go) region_q <= region_d;
  end

  // --- Address
  typedef struct packed {
    logic       last;  // of the operation
    logic [1:0] slot;
    logic       data;  // bytes of memory, else pad
    logic [7:0] pad;
    logic [2:0] n;
  } bytes_t;

  bytes_t              chunk, addr_q, req_q;
  logic [AddrBits-1:0] raw2_q, wrap_add, wrap_add_q, req_addr_q;

  assign chunk    = '{last: seg_end & last_seg, slot: slot_q, data: chunk_data, pad: pad_value_q, n: 3'd1 + 3'(n[2]) + 3'(n[3]) + 3'(n[4])};
  assign wrap_add = below ? wrap_len_q : beyond ? -wrap_len_q : '0;
  assign chunk_go = state_q == StRun && (!addr_valid_q || addr_go);
  assign addr_go  = !req_valid_q | req_go;

  always_ff @(posedge clk_i) begin
    if (chunk_go) begin
      addr_q     <= chunk;
      raw2_q     <= raw_q;
      wrap_add_q <= wrap_add;
    end
    if (addr_valid_q && addr_go) begin
      req_q      <= addr_q;
      req_addr_q <= sum(raw2_q, wrap_add_q, 1'b0);
    end
  end

  // --- Request, access, data
  logic        gap;  // behind the last chunk of an operation, for its flush
  logic        line_valid_q, in_sram, need_line, fly_read_q, data_valid_q, data_read_q, pack_valid_q;
  logic [15:0] last_line_q, line;
  chunk_t      fly_q, data_q, pack_q;
  fault_e      fault_q;

  assign line      = 16'(req_addr_q >> 5);
  assign in_sram   = req_addr_q < AddrBits'(SramBytes);
  assign need_line = req_q.data && in_sram && !(line_valid_q && last_line_q == line);
  assign data_go   = !(data_valid_q & data_read_q) | rd_rvalid_i;
  assign gap       = fly_valid_q & fly_q.last;
  assign req_go    = data_go & !gap & (!need_line | rd_gnt_i);  // the chunk there (if any) moves on

  assign rd_req_o  = req_valid_q & need_line & !gap;
  assign rd_addr_o = line;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      addr_valid_q <= 1'b0;
      req_valid_q  <= 1'b0;
      line_valid_q <= 1'b0;
      fly_valid_q  <= 1'b0;
      data_valid_q <= 1'b0;
      pack_valid_q <= 1'b0;
      fault_q      <= FaultNone;
    end else begin
      if (chunk_go) addr_valid_q <= 1'b1;
      else if (addr_go) addr_valid_q <= 1'b0;
      if (addr_go) req_valid_q <= addr_valid_q;
      // The last chunk of the operation before is leaving, or has left.
      if (state_d == StSeg && state_q == StSetup) line_valid_q <= 1'b0;
      else if (rd_req_o && rd_gnt_i) line_valid_q <= 1'b1;
      if (data_go) begin
        fly_valid_q  <= req_valid_q & req_go;
        data_valid_q <= fly_valid_q;
      end
      pack_valid_q <= data_valid_q & data_go;
      fault_q      <= (req_valid_q && req_go && req_q.data && !in_sram) ? FaultAddress : FaultNone;
    end
  end

  logic [LineBits-1:0] line_q;
  always_ff @(posedge clk_i) begin
    if (rd_req_o && rd_gnt_i) last_line_q <= line;
    if (data_go) begin
      fly_q      <= '{last: req_q.last, slot: req_q.slot, fill: !(req_q.data && in_sram),
                      fill_value: req_q.data ? '0 : req_q.pad, n: req_q.n, offset: req_addr_q[4:0]};
      fly_read_q  <= need_line;
      data_q      <= fly_q;
      data_read_q <= fly_read_q;
      pack_q      <= data_q;
    end
    // Chunks of the line before are past this point: they read line_q at the latest in the cycle of this edge.
    if (rd_rvalid_i) line_q <= rd_rdata_i;
  end

  assign fault_o = fault_q;

  // --- Pack stage: bytes to 32-bit words
  logic [127:0] word16;
  logic [31:0]  bytes, keep;
  logic [23:0]  rest_q;
  logic [1:0]   rest_n_q;
  logic [2:0]   fill_n;  // bytes held after this chunk
  logic [55:0]  joined;
  logic         flush_q, st_we, st_wbuf_q, st_rbuf_q;
  logic [1:0]   flush_slot_q, st_slot;
  logic [31:0]  st_wdata;
  logic [WordW-1:0] st_word_q;

  always_comb begin
    word16 = pack_q.offset[4] ? line_q[255:128] : line_q[127:0];
    bytes  = 32'(word16 >> {pack_q.offset[3:0], 3'd0});
    if (pack_q.fill) bytes = {4{pack_q.fill_value}};
    keep = '0;
    for (int unsigned b = 0; b < 4; b++) if (3'(b) < pack_q.n) keep[8*b+:8] = 8'hff;
    joined = 56'(rest_q) | (56'(bytes & keep) << {rest_n_q, 3'd0});
    fill_n = {1'b0, rest_n_q} + pack_q.n;
  end

  // The bytes left over after the last chunk take one more write; the next operation is still in its setup then.
  assign st_we      = flush_q | (pack_valid_q & (fill_n[2] | pack_q.last));
  assign st_wdata   = flush_q ? 32'(rest_q) : joined[31:0];
  assign st_slot    = flush_q ? flush_slot_q : pack_q.slot;
  assign stage_done = flush_q | (pack_valid_q & pack_q.last & (fill_n <= 3'd4));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      flush_q   <= 1'b0;
      rest_n_q  <= '0;
      rest_q    <= '0;
      st_wbuf_q <= 1'b0;
      st_rbuf_q <= 1'b0;
      st_word_q <= '0;
    end else begin
      flush_q <= pack_valid_q & pack_q.last & (fill_n > 3'd4);
      if (stage_done) begin
        rest_n_q  <= '0;
        rest_q    <= '0;
        st_word_q <= '0;
        st_wbuf_q <= !st_wbuf_q;
      end else begin
        if (pack_valid_q) begin
          rest_n_q <= fill_n[1:0];
          rest_q   <= fill_n[2] ? joined[55:32] : joined[23:0];
        end
        if (st_we) st_word_q <= st_word_q + 1'b1;
      end
      if (op_done_i) st_rbuf_q <= !st_rbuf_q;
    end
  end

  always_ff @(posedge clk_i) if (pack_valid_q) flush_slot_q <= pack_q.slot;

  ohmac_mvm_mem #(
    .Width(32),
    .Depth(2 << WordW)
  ) u_staging (
    .clk_i,
    .we_i   (st_we),
    .waddr_i({st_wbuf_q, st_word_q}),
    .wdata_i(st_wdata),
    .re_i   (op_re_i),
    .raddr_i({st_rbuf_q, op_addr_i}),
    .rdata_o(op_rdata_o)
  );

  logic [1:0] staged_count;
  logic       staged_ready;
  ohmac_fifo #(
    .Width(2),
    .Depth(2)
  ) u_staged (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(stage_done),
    .ready_o(staged_ready),
    .data_i (st_slot),
    .valid_o(op_valid_o),
    .ready_i(op_ready_i),
    .data_o (op_slot_o),
    .count_o(staged_count)
  );
  assign idle_o = state_q == StIdle;

  // Fields of the slot that later stages use, and of the item that only one kind has.
  logic unused;
  assign unused = ^{item_i.prog, cfg, staged_count, staged_ready};

  always_ff @(posedge clk_i) begin
    if (rst_ni) ReservationCoversStagedVectors: assert (staged_count <= reserved_q);
    if (rst_ni) StagedVectorHasRoom: assert (!stage_done || staged_ready);
  end
  ohmac_hold_check #(.Width(16)) u_request_holds (
    .clk_i, .rst_ni, .valid_i(rd_req_o), .taken_i(rd_gnt_i),
    .data_i(rd_addr_o)
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) OneReadOnItsWay: assert (!(rd_req_o && rd_gnt_i) || data_go);
    if (rst_ni) RegionEndsWithItsBytes: assert (!chunk_go
        || (12'(chunk.n) <= rem_q && region_end == (12'(chunk.n) == rem_q)));
    if (rst_ni) FlushMeetsNoChunk: assert (!flush_q || !pack_valid_q);
  end
endmodule
