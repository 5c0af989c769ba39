// SPDX-License-Identifier: Apache-2.0
// Head of the MVM engine: takes queue items, waits for tokens, and reads input vectors from SRAM into two staging buffers.
//   item -> Idle -> (WAIT: Wait) | (operation: Setup -> Seg -> Run -> Seg -> Run ... -> Idle)
// Every operation and every SIGNAL is announced on job_* when it is taken; an operation appears on op_* when all its bytes are staged.
// Chunks of up to 4 bytes inside one 16-byte word pass four stages, one chunk a cycle:
//   address (Run) -> request (holds until granted) -> data captured in the line buffer -> bytes packed, words staged.
// An operation costs 2 cycles of setup, one a segment, and one a chunk, as long as SRAM grants at once.
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

  // Item registers
  logic [3:0]          token_q;
  logic [7:0]          count_q;
  logic [1:0]          slot_q;
  logic [AddrBits-1:0] wrap_base_q, wrap_end_q, wrap_len_q;
  logic                take, take_op;
  mvm_cfg_t            cfg;

  // Buffers: reserved when an operation is taken, free again when its last phase is loaded.
  logic [1:0] reserved_q;
  logic       op_pop, stage_done;

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
  assign cfg          = cfg_i[slot_q];

  // Request stage, described below: a chunk there, and whether it needs a grant
  logic req_valid_q, req_read_q, req_go;

  // --- Address stage. Addresses are 24-bit two's complement: `lo` is the distance from the window's first byte and `hi` from its
  // end, so their signs tell which bytes wrap, and their small values where a chunk must stop.
  logic [AddrBits-1:0] seg_raw_q, seg_lo_q, seg_hi_q;  // first byte of the segment
  logic [AddrBits-1:0] raw_q, lo_q, hi_q;              // next data byte
  logic [AddrBits-1:0] addr;
  logic [7:0]          seg_q;
  logic [11:0]         left_q, end_q;                  // [left, end) of a segment is data
  logic [11:0]         data_len_q, right_len_q, rem_q;
  region_e             region_q, region_d;
  logic                seg_pad, last_seg, has_data, chunk_data, chunk_go, region_end, seg_end, wrap_en;
  logic [2:0]          n_rem, n_word, n_lo, n_hi, n_data, n;
  logic                below, beyond, in_sram;

  function automatic logic [2:0] min3(logic [2:0] a, logic [2:0] b);
    return (a < b) ? a : b;
  endfunction

  // Bytes up to the next multiple of a power of two that the upper bits say is less than 4 away; 4 if it is farther.
  function automatic logic [2:0] room(logic near, logic [1:0] low);
    return near ? 3'd4 - {1'b0, low} : 3'd4;
  endfunction

  assign wrap_en  = wrap_len_q != '0;
  assign seg_pad  = seg_q < cfg.pad_top || {1'b0, seg_q} + {1'b0, cfg.pad_bottom} >= {1'b0, cfg.n_seg};
  assign last_seg = seg_q + 8'd1 == cfg.n_seg;
  assign has_data = end_q > left_q;

  assign below    = wrap_en & lo_q[AddrBits-1];
  assign beyond   = wrap_en & !lo_q[AddrBits-1] & !hi_q[AddrBits-1];
  assign addr     = raw_q + (below ? wrap_len_q : beyond ? -wrap_len_q : '0);
  assign in_sram  = addr < AddrBits'(SramBytes);

  assign n_rem    = (rem_q < 12'd4) ? rem_q[2:0] : 3'd4;
  assign n_word   = room(&addr[3:2], addr[1:0]);
  assign n_lo     = room(wrap_en & (&lo_q[AddrBits-1:2]), lo_q[1:0]);
  assign n_hi     = room(wrap_en & (&hi_q[AddrBits-1:2]), hi_q[1:0]);
  assign n_data   = min3(n_word, min3(n_lo, n_hi));

  assign chunk_data = region_q == RegData;
  assign n          = chunk_data ? min3(n_rem, n_data) : n_rem;
  assign region_end = rem_q == 12'(n);
  assign seg_end    = region_end && (region_q == RegRight || right_len_q == '0)
                      && !(region_q == RegLeft && data_len_q != '0);

  always_comb begin
    region_d = RegRight;
    if (state_q == StSeg) begin
      if (!seg_pad && left_q != '0) region_d = RegLeft;
      else if (!seg_pad && has_data) region_d = RegData;
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
      // The last chunk of the operation before may still wait for its grant; behind it comes room for the flush.
      StSetup: if (!req_valid_q) state_d = StSeg;
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
      if (take_op != op_pop) reserved_q <= take_op ? reserved_q + 2'd1 : reserved_q - 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    unique case (state_q)
      StIdle: begin
        if (take) begin
          token_q     <= item_i.token;
          count_q     <= item_i.count;
          slot_q      <= item_i.cfg;
          wrap_base_q <= item_i.wrap_base;
          wrap_end_q  <= item_i.wrap_base + item_i.wrap_len;
          wrap_len_q  <= item_i.wrap_len;
          seg_raw_q   <= item_i.src;
          seg_q       <= '0;
        end
      end
      StSetup: begin
        seg_lo_q <= seg_raw_q - wrap_base_q;
        seg_hi_q <= seg_raw_q - wrap_end_q;
        left_q   <= (12'(cfg.pad_left) < cfg.seg_len) ? 12'(cfg.pad_left) : cfg.seg_len;
        end_q    <= (12'(cfg.pad_right) < cfg.seg_len) ? cfg.seg_len - 12'(cfg.pad_right) : '0;
      end
      StSeg: begin
        raw_q       <= seg_raw_q + AddrBits'(left_q);
        lo_q        <= seg_lo_q + AddrBits'(left_q);
        hi_q        <= seg_hi_q + AddrBits'(left_q);
        data_len_q  <= (has_data && !seg_pad) ? end_q - left_q : '0;
        right_len_q <= cfg.seg_len - (has_data ? end_q : left_q);
        unique case (region_d)
          RegLeft: rem_q <= left_q;
          RegData: rem_q <= end_q - left_q;
          default: rem_q <= cfg.seg_len;
        endcase
        seg_raw_q   <= seg_raw_q + cfg.seg_stride;
        seg_lo_q    <= seg_lo_q + cfg.seg_stride;
        seg_hi_q    <= seg_hi_q + cfg.seg_stride;
      end
      StRun: begin
        if (chunk_go) begin
          if (chunk_data) begin
            raw_q <= raw_q + AddrBits'(n);
            lo_q  <= lo_q + AddrBits'(n);
            hi_q  <= hi_q + AddrBits'(n);
          end
          if (!region_end) rem_q <= rem_q - 12'(n);
          else rem_q <= (region_d == RegData) ? data_len_q : right_len_q;
          if (seg_end) seg_q <= seg_q + 8'd1;
        end
      end
      default: ;
    endcase
    if (state_q == StSeg || chunk_go) region_q <= region_d;
  end

  // --- Request stage
  logic        line_valid_q, need_line;
  logic [15:0] req_line_q, last_line_q, line;
  chunk_t      chunk, req_q, data_q, pack_q;
  logic        data_valid_q, pack_valid_q;
  fault_e      fault_q;

  assign line      = 16'(addr >> 5);
  assign need_line = chunk_data && in_sram && !(line_valid_q && last_line_q == line);
  assign req_go    = !req_read_q | rd_gnt_i;  // the chunk there (if any) moves on
  assign chunk_go  = state_q == StRun && (!req_valid_q || req_go);

  always_comb begin
    chunk            = '0;
    chunk.last       = seg_end & last_seg;
    chunk.slot       = slot_q;
    chunk.fill       = !chunk_data | !in_sram;
    chunk.fill_value = chunk_data ? '0 : cfg.pad_value;
    chunk.n          = n;
    chunk.offset     = addr[4:0];
  end

  assign rd_req_o  = req_valid_q & req_read_q;
  assign rd_addr_o = req_line_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      req_valid_q  <= 1'b0;
      line_valid_q <= 1'b0;
      data_valid_q <= 1'b0;
      pack_valid_q <= 1'b0;
      fault_q      <= FaultNone;
    end else begin
      if (chunk_go) req_valid_q <= 1'b1;
      else if (req_go) req_valid_q <= 1'b0;
      if (state_q == StSetup) line_valid_q <= 1'b0;
      else if (chunk_go && need_line) line_valid_q <= 1'b1;
      data_valid_q <= req_valid_q & req_go;
      pack_valid_q <= data_valid_q;
      fault_q      <= (chunk_go && chunk_data && !in_sram) ? FaultAddress : FaultNone;
    end
  end

  logic [LineBits-1:0] line_q;
  always_ff @(posedge clk_i) begin
    if (chunk_go) begin
      req_q      <= chunk;
      req_read_q <= need_line;
      req_line_q <= line;
      if (need_line) last_line_q <= line;
    end
    data_q <= req_q;
    pack_q <= data_q;
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
      if (op_pop) st_rbuf_q <= !st_rbuf_q;
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
  assign op_pop = op_valid_o & op_ready_i;
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
  DataFollowsGrant: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !$past(rd_req_o && rd_gnt_i) || rd_rvalid_i);
  always_ff @(posedge clk_i) begin
    if (rst_ni) ChunkIsNotEmpty: assert (!chunk_go || (n != '0 && n <= 3'd4 && 12'(n) <= rem_q));
    if (rst_ni) FlushMeetsNoChunk: assert (!flush_q || !pack_valid_q);
  end
endmodule
