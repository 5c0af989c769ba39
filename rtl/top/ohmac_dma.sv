// SPDX-License-Identifier: Apache-2.0
// DMA job control: fetches descriptors (ISA.md) and executes them in order; ohmac_dma_rd and ohmac_dma_wr move the data.
// REPEAT runs from a table, so its iterations fetch nothing; five cycles a descriptor, hidden behind the data of the one before.
// M2T is posted: it is over when the read side has taken it. T2M, START, WAIT and END first let earlier M2T data leave for the NoC; T2M is
// over when its data are acknowledged in memory.
// An error (or dma_abort) stops the job: no new burst of the job, what is outstanding drains, then error_o. The first error is kept.
// The answer to a FlitRead is awaited AnswerCycles cycles at most once dma_abort is seen, so abort ends a job even if a tile is dead. A late
// answer is discarded, and no FlitRead goes out before it has come.
// Outbox writes are accepted at any time; outside a job their errors set error_o and the status as well, tokens are ignored.
// Two jobs: the doorbell takes job_addr and out_base. While a job runs one more is kept and starts when it has ended, in the only cycle in
// Idle between them.
// Legal path: Idle -> Fetch -> Data -> Examine -> Token -> (operation) -> Next -> Fetch | Load -> Examine ...; END -> Drain -> Idle;
// every error -> Quiet -> Flush -> Idle.
module ohmac_dma
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter  int unsigned MeshX = 4,
  parameter  int unsigned MeshY = 4,
  parameter  int unsigned NumWindows = 4,
  parameter  int unsigned AnswerCycles = 16384,  // beyond any answer of a tile that lives: 4 KiB behind other traffic
  localparam int unsigned Tiles = MeshX * MeshY
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // Registers. Windows are read while a job runs and for every outbox flit: change them when idle.
  input  logic                        doorbell_i,   // one cycle; ignored while a job is queued or abort_i is high
  input  logic                        abort_i,      // level
  input  logic [63:0]                 job_addr_i,
  input  logic [63:0]                 out_base_i,
  input  logic [NumWindows-1:0][63:0] win_base_i,
  input  logic [NumWindows-1:0][31:0] win_size_i,
  input  logic [NumWindows-1:0]       win_read_i,
  input  logic [NumWindows-1:0]       win_write_i,
  output logic                        busy_o,
  output logic                        queued_o,
  output logic                        done_o,       // one cycle: END reached
  output logic                        error_o,      // one cycle: stopped by an error and drained, or dropped
  output dma_err_e                    err_code_o,   // first since a doorbell that found no job
  output logic [15:0]                 err_index_o,
  output logic [63:0]                 err_addr_o,
  output logic [7:0]                  err_job_o,
  output logic [7:0]                  accepted_o,   // jobs since reset
  output logic [7:0]                  succeeded_o,
  output logic [7:0]                  failed_o,
  output logic                        reading_o,    // data under way, for traces
  output logic                        writing_o,

  // Tiles: start by wire, data by NoC.
  output logic [Tiles-1:0]            start_o,
  output logic [15:0]                 start_pc_o,
  output flit_t                       noc_o_flit,
  output logic                        noc_o_valid,
  input  logic                        noc_o_ready,
  input  flit_t                       noc_i_flit,
  input  logic                        noc_i_valid,
  output logic                        noc_i_ready,

  // Memory, AXI4, 16-byte beats, one id.
  output logic [63:0]                 ar_addr_o,
  output logic [7:0]                  ar_len_o,
  output logic                        ar_valid_o,
  input  logic                        ar_ready_i,
  input  logic [DataBits-1:0]         r_data_i,
  input  logic [1:0]                  r_resp_i,
  input  logic                        r_last_i,
  input  logic                        r_valid_i,
  output logic                        r_ready_o,
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
  localparam int unsigned DescBits  = DescBytes * 8;
  localparam int unsigned DescBeats = DescBits / DataBits;
  localparam int unsigned MaxChunk  = 4096;  // bytes of one FlitRead
  localparam int unsigned ChunkBits = $clog2(MaxChunk + 1);
  localparam int unsigned TableBits = $clog2(MaxRepeatDesc);
  localparam int unsigned MaxTiles  = 64;    // of the descriptor format

  typedef enum logic [4:0] {
    Idle,        // no job
    Fetch,       // ask for a descriptor
    Data,        // its beats
    Examine,     // is it legal?
    Token,       // wait for the DMA token
    M2t,         // hand over to the read side
    T2mOrder,    // earlier M2T data must have left
    T2mSplit,    // the next chunk of a T2M
    T2mCheck,    // its window
    T2mSend,     // FlitRead
    T2mWait,     // its data, until acknowledged in memory
    StartOrder,  // earlier M2T data must have left
    Fence,       // a written tile left to ask?
    FenceSend,   // FlitRead of length zero
    FenceWait,   // its answer: data before it have arrived
    Start,       // the wire
    Wait,        // earlier M2T data must have left
    Collect,     // REPEAT: keep what was fetched
    Next,        // advance
    Load,        // descriptor from the table
    EndOrder,    // earlier M2T data must have left
    Drain,       // END: every write acknowledged
    Quiet,       // stopped: what was asked for comes back
    Flush        // stopped: every write acknowledged
  } state_e;

  // The part of a descriptor that is kept in the table.
  typedef struct packed {
    logic [DescOpBits-1:0]         op;
    logic [DescTileBits-1:0]       tile;
    logic [DescLenBits-1:0]        len;
    logic [63:0]                   mem;
    logic [DescTileAddrBits-1:0]   tile_addr;
    logic [DescMemStrideBits-1:0]  mem_stride;
    logic [DescTileStrideBits-1:0] tile_stride;
    logic [DescTileSlotsBits-1:0]  tile_slots;
    logic                          wait_en;
    logic [3:0]                    wait_token;
    logic [DescWaitCountBits-1:0]  wait_count;
    logic                          sig_en;
    logic [3:0]                    sig_token;
  } desc_t;

  // Where the iterations of a table entry are; d.mem moves in place.
  typedef struct packed {
    desc_t                        d;
    logic [DescTileAddrBits-1:0]  tile_base;
    logic [DescTileSlotsBits-1:0] slot;
  } entry_t;

  state_e state_q, state_d;
  logic [63:0] job_q;                         // address of the first descriptor
  logic [63:0] base_q;                        // outbox of the job
  logic [63:0] ring_base;                     // of the one that starts, or of the register
  logic queued_q, ring;                       // a job waits; one starts
  logic failed_q, aborted_q, stopped;         // an error is recorded; dma_abort was seen; one of them
  logic any_error, read_failed;

  // Current descriptor
  logic [DescBits-1:0] raw_q;
  logic [$clog2(DescBeats)-1:0] raw_beat_q;
  desc_t raw, cur_q;
  logic [MaxTiles-1:0] raw_mask, mask_q;
  logic [DescRepeatDescBits-1:0] raw_n;
  logic [15:0] fetch_index_q, cur_index_q;  // next to fetch, being executed
  logic desc_valid;
  logic [DataBits-1:0] desc_data;

  always_comb begin
    raw.op          = raw_q[DescOpLsb+:DescOpBits];
    raw.tile        = raw_q[DescTileLsb+:DescTileBits];
    raw.len         = raw_q[DescLenLsb+:DescLenBits];
    raw.mem         = {raw_q[DescMemHiLsb+:DescMemHiBits], raw_q[DescMemLoLsb+:DescMemLoBits]};
    raw.tile_addr   = raw_q[DescTileAddrLsb+:DescTileAddrBits];
    raw.mem_stride  = raw_q[DescMemStrideLsb+:DescMemStrideBits];
    raw.tile_stride = raw_q[DescTileStrideLsb+:DescTileStrideBits];
    raw.tile_slots  = raw_q[DescTileSlotsLsb+:DescTileSlotsBits];
    raw.wait_en     = raw_q[DescWaitEnLsb];
    raw.wait_token  = raw_q[DescWaitTokenLsb+:DescWaitTokenBits];
    raw.wait_count  = raw_q[DescWaitCountLsb+:DescWaitCountBits];
    raw.sig_en      = raw_q[DescSigEnLsb];
    raw.sig_token   = raw_q[DescSigTokenLsb+:DescSigTokenBits];
    raw_mask        = {raw_q[DescMaskHiLsb+:DescMaskHiBits], raw_q[DescMaskLoLsb+:DescMaskLoBits]};
    raw_n           = raw_q[DescRepeatDescLsb+:DescRepeatDescBits];
  end

  // REPEAT: collect_q while its descriptors are fetched, repeat_q while they run.
  entry_t table_q [MaxRepeatDesc];
  entry_t entry, entry_next;
  logic collect_q, collect_d, repeat_q, repeat_d;
  logic [TableBits-1:0] slot_q, slot_d;        // entry being fetched or run
  logic [TableBits-1:0] slot_last_q;           // index of the last entry
  logic [DescLenBits-1:0] left_iter_q, left_iter_d;
  logic slot_is_last, load_raw, load_table, advance, enter_repeat;

  assign entry        = table_q[slot_q];
  assign slot_is_last = slot_q == slot_last_q;

  // Iteration i: MEM + i * MEM_STRIDE and TILE_ADDR + (TILE_SLOTS ? i % TILE_SLOTS : i) * TILE_STRIDE, by additions.
  always_comb begin
    entry_next       = entry;
    entry_next.d.mem = entry.d.mem + {{32{entry.d.mem_stride[31]}}, entry.d.mem_stride};
    if (entry.d.tile_slots != '0 && entry.slot == entry.d.tile_slots - DescTileSlotsBits'(1)) begin
      entry_next.d.tile_addr = entry.tile_base;
      entry_next.slot        = '0;
    end else begin
      entry_next.d.tile_addr = entry.d.tile_addr + entry.d.tile_stride;
      entry_next.slot        = entry.slot + DescTileSlotsBits'(1);
    end
  end

  // Tokens
  logic [NumTokens-1:0][TokenBits-1:0] token_q;
  logic token_inc, token_take, token_overflow, token_enough;
  logic token_full;  // the counter that is incremented cannot take it
  logic [3:0] token_inc_id;
  assign token_enough   = token_q[cur_q.wait_token] >= cur_q.wait_count;
  assign token_take     = state_q == Token && cur_q.wait_en && token_enough;
  assign token_full     = token_q[token_inc_id] == '1
                        && !(token_take && cur_q.wait_token == token_inc_id && cur_q.wait_count != '0);
  assign token_overflow = state_q != Idle && token_inc && token_full;

  for (genvar t = 0; t < NumTokens; t++) begin : gen_token
    logic [TokenBits-1:0] sub;
    logic add;
    assign sub = (token_take && cur_q.wait_token == 4'(t)) ? cur_q.wait_count : '0;
    assign add = token_inc && token_inc_id == 4'(t) && !token_full;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) token_q[t] <= '0;
      else if (state_q == Idle) token_q[t] <= '0;  // a job starts with none
      else token_q[t] <= token_q[t] - sub + TokenBits'(add);
    end
  end

  // Legality of the current descriptor
  logic illegal, tile_exists, moves_data;
  assign tile_exists = 7'(cur_q.tile) < 7'(Tiles);
  assign moves_data  = cur_q.op == DmaM2t || cur_q.op == DmaT2m;
  always_comb begin
    logic [MaxTiles:0] beyond;  // bits of tiles that do not exist
    beyond  = {(MaxTiles + 1){1'b1}} << Tiles;
    illegal = 1'b0;
    if (moves_data) begin
      illegal = cur_q.len == '0 || cur_q.mem[3:0] != '0 || cur_q.tile_addr[3:0] != '0 || !tile_exists;
    end else begin
      case (cur_q.op)
        DmaEnd:    illegal = repeat_q;
        DmaWait:   illegal = 1'b0;
        DmaStart:  illegal = repeat_q || ({1'b0, mask_q} & beyond) != '0;
        DmaRepeat: illegal = repeat_q || cur_q.len == '0 || raw_n == '0 || raw_n > 4'(MaxRepeatDesc);
        default:   illegal = 1'b1;
      endcase
    end
  end

  // Coordinates of the tile
  logic [CoordBits-1:0] cur_x, cur_y, fence_x, fence_y;
  logic [TileIdBits-1:0] fence_tile;
  function automatic logic [2*CoordBits-1:0] coordinates(logic [TileIdBits-1:0] tile);
    logic [CoordBits-1:0] x, y;
    x = CoordBits'(tile);
    y = '0;
    for (int unsigned row = 1; row < MeshY; row++) begin
      if (32'(tile) >= row * MeshX) begin
        x = CoordBits'(32'(tile) - row * MeshX);
        y = CoordBits'(row);
      end
    end
    return {y, x};
  endfunction
  assign {cur_y, cur_x}     = coordinates(cur_q.tile);
  assign {fence_y, fence_x} = coordinates(fence_tile);

  // Tiles written since the last fence; kept from job to job, END does not fence.
  logic [Tiles-1:0] dirty_q, dirty_d;
  always_comb begin
    fence_tile = '0;
    for (int t = int'(Tiles) - 1; t >= 0; t--) if (dirty_q[t]) fence_tile = TileIdBits'(t);
  end

  // T2M chunk
  logic [63:0] chunk_mem_q, chunk_mem_d;
  logic [AddrBits-1:0] chunk_tile_q, chunk_tile_d, chunk_left_q, chunk_left_d;
  logic [ChunkBits-1:0] chunk_len_q, chunk_len_d, chunk_page;
  logic chunk_ok;
  assign chunk_page = ChunkBits'(MaxChunk) - {1'b0, chunk_mem_q[ChunkBits-2:0]};

  ohmac_dma_window #(.NumWindows(NumWindows), .LenBits(ChunkBits)) u_window (
    .win_base_i, .win_size_i, .win_en_i(win_write_i), .addr_i(chunk_mem_q), .len_i(chunk_len_q), .ok_o(chunk_ok)
  );

  // Read side
  logic rd_valid, rd_ready, rd_idle, rd_refuse, rd_fail;
  logic [63:0] rd_refuse_addr, rd_fail_addr;
  logic [15:0] rd_refuse_index, rd_fail_index;
  logic rd_flit_valid, rd_flit_ready;
  flit_t rd_flit;
  logic fetching;
  assign fetching = state_q == Fetch;
  assign rd_valid = fetching || state_q == M2t;

  ohmac_dma_rd #(.NumWindows(NumWindows)) u_rd (
    .clk_i, .rst_ni,
    .cmd_valid_i(rd_valid), .cmd_ready_o(rd_ready), .cmd_desc_i(fetching),
    .cmd_mem_i(fetching ? job_q + {42'b0, fetch_index_q, 6'b0} : cur_q.mem),
    .cmd_len_i(fetching ? AddrBits'(DescBytes) : cur_q.len),
    .cmd_x_i(cur_x), .cmd_y_i(cur_y), .cmd_tile_addr_i(cur_q.tile_addr),
    .cmd_sig_en_i(cur_q.sig_en), .cmd_sig_token_i(cur_q.sig_token),
    .cmd_index_i(fetching ? fetch_index_q : cur_index_q),
    .stop_i(stopped), .drop_i(read_failed),
    .win_base_i, .win_size_i, .win_read_i,
    .ar_addr_o, .ar_len_o, .ar_valid_o, .ar_ready_i, .r_data_i, .r_resp_i, .r_last_i, .r_valid_i, .r_ready_o,
    .flit_o(rd_flit), .flit_valid_o(rd_flit_valid), .flit_ready_i(rd_flit_ready),
    .desc_valid_o(desc_valid), .desc_data_o(desc_data),
    .refuse_o(rd_refuse), .refuse_addr_o(rd_refuse_addr), .refuse_index_o(rd_refuse_index),
    .fail_o(rd_fail), .fail_addr_o(rd_fail_addr), .fail_index_o(rd_fail_index), .idle_o(rd_idle)
  );

  // The answer that an aborted job stopped waiting for is still out.
  logic given_up_q, give_up;
  logic [$clog2(AnswerCycles+1)-1:0] answer_cycles_q;

  // Write side
  logic drain, drain_done, drain_asked_q, resp_done, wr_refuse, wr_fail;
  logic [63:0] wr_refuse_addr, wr_fail_addr;
  assign drain = (state_q == Drain || state_q == Flush) && !drain_asked_q;

  ohmac_dma_wr #(.NumWindows(NumWindows)) u_wr (
    .clk_i, .rst_ni,
    .flit_i(noc_i_flit), .flit_valid_i(noc_i_valid), .flit_ready_o(noc_i_ready),
    .out_base_i((state_q == Idle) ? ring_base : base_q), .resp_base_i(chunk_mem_q),
    .drop_resp_i(failed_q | given_up_q),
    .win_base_i, .win_size_i, .win_write_i,
    .drain_i(drain), .drain_done_o(drain_done), .resp_done_o(resp_done),
    .token_valid_o(token_inc), .token_o(token_inc_id),
    .refuse_o(wr_refuse), .refuse_addr_o(wr_refuse_addr), .fail_o(wr_fail), .fail_addr_o(wr_fail_addr),
    .busy_o(writing_o),
    .aw_addr_o, .aw_len_o, .aw_valid_o, .aw_ready_i, .w_data_o, .w_strb_o, .w_last_o, .w_valid_o, .w_ready_i,
    .b_resp_i, .b_valid_i, .b_ready_o
  );

  // To the NoC: FlitRead is only sent when the read side is idle, so the two never meet.
  flit_t ask;
  logic ask_valid;
  always_comb begin
    ask      = '0;
    ask.kind = FlitRead;
    if (state_q == FenceSend) begin
      ask.x = fence_x;
      ask.y = fence_y;
    end else begin
      ask.x    = cur_x;
      ask.y    = cur_y;
      ask.addr = chunk_tile_q;
      ask.data = DataBits'(chunk_len_q);
    end
  end
  assign ask_valid     = (state_q == FenceSend || state_q == T2mSend) && !given_up_q;
  assign noc_o_valid   = rd_flit_valid | ask_valid;
  assign noc_o_flit    = rd_flit_valid ? rd_flit : ask;
  assign rd_flit_ready = noc_o_ready;

  // Errors
  logic desc_error, chunk_refuse;
  dma_err_e err_code;
  logic [15:0] err_index;
  logic [63:0] err_addr;
  assign stopped     = failed_q | aborted_q;
  assign desc_error  = state_q == Examine && illegal;
  assign chunk_refuse = state_q == T2mCheck && !chunk_ok;

  always_comb begin
    any_error = 1'b1;
    err_code  = DmaErrNone;
    err_index = cur_index_q;
    err_addr  = '0;
    if (rd_fail) begin
      err_code  = DmaErrAxiRead;
      err_index = rd_fail_index;
      err_addr  = rd_fail_addr;
    end else if (wr_fail) begin
      err_code = DmaErrAxiWrite;
      err_addr = wr_fail_addr;
    end else if (rd_refuse) begin
      err_code  = DmaErrWindow;
      err_index = rd_refuse_index;
      err_addr  = rd_refuse_addr;
    end else if (wr_refuse) begin
      err_code = DmaErrWindow;
      err_addr = wr_refuse_addr;
    end else if (chunk_refuse) begin
      err_code = DmaErrWindow;
      err_addr = chunk_mem_q;
    end else if (token_overflow) begin
      err_code = DmaErrToken;
    end else if (desc_error) begin
      err_code = DmaErrDescriptor;
      err_addr = job_q + {42'b0, cur_index_q, 6'b0};
    end else begin
      any_error = 1'b0;
    end
  end

  // The queue
  logic take, drop, fresh, misaligned_job, error_outside;
  logic [63:0] next_job_q, next_base_q, ring_job;
  logic [7:0] accepted_q, succeeded_q, failures_q, number_q;  // number_q: of the job that runs or ran last
  assign take           = doorbell_i && !queued_q && !abort_i;
  assign ring           = state_q == Idle && (take || (queued_q && !abort_i));
  assign drop           = queued_q && abort_i;
  assign fresh          = take && state_q == Idle;  // the doorbell found no job
  assign ring_job       = queued_q ? next_job_q : job_addr_i;
  assign ring_base      = queued_q ? next_base_q : out_base_i;
  assign misaligned_job = ring_job[5:0] != '0;

  logic job_failed;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      queued_q    <= 1'b0;
      accepted_q  <= '0;
      succeeded_q <= '0;
      failures_q  <= '0;
      number_q    <= '0;
    end else begin
      if (drop || ring) queued_q <= 1'b0;
      else if (take) queued_q <= 1'b1;
      if (ring) number_q <= accepted_q + 8'(take);
      accepted_q  <= accepted_q + 8'(take);
      succeeded_q <= succeeded_q + 8'(done_o);
      failures_q  <= failures_q + 8'(job_failed) + 8'(drop);
    end
  end
  always_ff @(posedge clk_i) begin
    if (take) begin
      next_job_q  <= job_addr_i;
      next_base_q <= out_base_i;
    end
  end

  // The first error of the running job stops it; the status keeps the first since the last fresh doorbell.
  dma_err_e known;
  logic record;
  assign known  = fresh ? DmaErrNone : err_code_o;
  assign record = known == DmaErrNone && ((ring && misaligned_job) || (any_error && !stopped));
  // Of the outbox, no job running.
  assign error_outside = state_q == Idle && any_error && record;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      failed_q    <= 1'b0;
      aborted_q   <= 1'b0;
      read_failed <= 1'b0;
      err_code_o  <= DmaErrNone;
      err_index_o <= '0;
      err_addr_o  <= '0;
      err_job_o   <= '0;
    end else begin
      if (ring || state_d == Idle) begin
        failed_q    <= ring && misaligned_job;
        aborted_q   <= 1'b0;
        read_failed <= 1'b0;
      end else if (!stopped) begin
        failed_q    <= any_error;
        aborted_q   <= !any_error && abort_i;
        read_failed <= any_error && err_code == DmaErrAxiRead;
      end

      if (fresh) begin
        err_code_o  <= DmaErrNone;
        err_index_o <= '0;
        err_addr_o  <= '0;
        err_job_o   <= '0;
      end
      if (record && any_error) begin
        err_code_o  <= err_code;
        err_index_o <= err_index;
        err_addr_o  <= err_addr;
        err_job_o   <= number_q;
      end else if (record) begin
        err_code_o  <= DmaErrDescriptor;
        err_index_o <= '0;
        err_addr_o  <= ring_job;
        err_job_o   <= accepted_q + 8'(take);
      end else if (!stopped && abort_i && state_q != Idle && state_d != Idle && known == DmaErrNone) begin
        err_index_o <= cur_index_q;
        err_addr_o  <= '0;
        err_job_o   <= number_q;
      end
    end
  end

  // Control
  logic resp_due_q, resp_due_d;  // a FlitRead is out, its last answer not yet in memory
  logic next_fetch;
  always_comb begin
    state_d      = state_q;
    collect_d    = collect_q;
    repeat_d     = repeat_q;
    slot_d       = slot_q;
    left_iter_d  = left_iter_q;
    dirty_d      = dirty_q;
    chunk_mem_d  = chunk_mem_q;
    chunk_tile_d = chunk_tile_q;
    chunk_left_d = chunk_left_q;
    chunk_len_d  = chunk_len_q;
    resp_due_d   = resp_due_q & ~resp_done;
    load_raw     = 1'b0;
    load_table   = 1'b0;
    advance      = 1'b0;
    enter_repeat = 1'b0;
    next_fetch   = 1'b0;
    give_up      = 1'b0;
    done_o       = 1'b0;
    error_o      = drop;
    job_failed   = 1'b0;

    unique case (state_q)
      Idle: begin
        if (ring) state_d = misaligned_job ? Quiet : Fetch;
        collect_d = 1'b0;
        repeat_d  = 1'b0;
        slot_d    = '0;
        if (error_outside) error_o = 1'b1;
      end
      Fetch: if (rd_ready) state_d = Data;
      Data: begin
        if (desc_valid && raw_beat_q == '1) begin
          next_fetch = 1'b1;
          state_d    = Collect;
        end
      end
      Collect: begin
        // Outside a REPEAT this only unpacks.
        load_raw = 1'b1;
        if (!collect_q) begin
          state_d = Examine;
        end else if (slot_is_last) begin
          collect_d = 1'b0;
          repeat_d  = 1'b1;
          slot_d    = '0;
          state_d   = Load;
        end else begin
          slot_d  = slot_q + TableBits'(1);
          state_d = Fetch;
        end
      end
      Load: begin
        load_table = 1'b1;
        state_d    = Examine;
      end
      Examine: if (!illegal) state_d = Token;
      Token: begin
        if (!cur_q.wait_en || token_enough) begin
          case (cur_q.op)
            DmaM2t:   state_d = M2t;
            DmaT2m:   state_d = T2mOrder;
            DmaStart: state_d = StartOrder;
            DmaWait:  state_d = Wait;
            DmaEnd:   state_d = EndOrder;
            default: begin  // REPEAT
              enter_repeat = 1'b1;
              collect_d    = 1'b1;
              slot_d       = '0;
              left_iter_d  = cur_q.len;
              state_d      = Fetch;
            end
          endcase
        end
      end
      M2t: begin
        if (rd_ready) begin
          for (int unsigned t = 0; t < Tiles; t++) if (cur_q.tile == TileIdBits'(t)) dirty_d[t] = 1'b1;
          state_d = Next;
        end
      end
      T2mOrder: begin
        chunk_mem_d  = cur_q.mem;
        chunk_tile_d = cur_q.tile_addr;
        chunk_left_d = cur_q.len;
        if (rd_idle) state_d = T2mSplit;
      end
      T2mSplit: begin
        // A chunk ends with its 4 KiB page.
        chunk_len_d = (chunk_left_q < AddrBits'(chunk_page)) ? chunk_left_q[ChunkBits-1:0] : chunk_page;
        state_d     = T2mCheck;
      end
      T2mCheck: if (chunk_ok) state_d = T2mSend;
      T2mSend: begin
        if (ask_valid && noc_o_ready) begin
          resp_due_d = 1'b1;
          state_d    = T2mWait;
        end
      end
      T2mWait: begin
        if (resp_done) begin
          chunk_mem_d  = chunk_mem_q + 64'(chunk_len_q);
          chunk_tile_d = chunk_tile_q + AddrBits'(chunk_len_q);
          chunk_left_d = chunk_left_q - AddrBits'(chunk_len_q);
          state_d      = (chunk_left_d == '0) ? Next : T2mSplit;
        end
      end
      StartOrder: if (rd_idle) state_d = Fence;
      Fence: state_d = (dirty_q == '0) ? Start : FenceSend;
      FenceSend: begin
        if (ask_valid && noc_o_ready) begin
          resp_due_d = 1'b1;
          state_d    = FenceWait;
        end
      end
      FenceWait: begin
        if (resp_done) begin
          for (int unsigned t = 0; t < Tiles; t++) if (fence_tile == TileIdBits'(t)) dirty_d[t] = 1'b0;
          state_d = Fence;
        end
      end
      Start: state_d = Next;
      Wait: if (rd_idle) state_d = Next;
      Next: begin
        if (!repeat_q) begin
          state_d = Fetch;
        end else begin
          advance = 1'b1;
          slot_d  = slot_is_last ? '0 : slot_q + TableBits'(1);
          state_d = Load;
          if (slot_is_last) begin
            left_iter_d = left_iter_q - DescLenBits'(1);
            if (left_iter_q == DescLenBits'(1)) begin
              repeat_d = 1'b0;
              state_d  = Fetch;
            end
          end
        end
      end
      EndOrder: if (rd_idle) state_d = Drain;
      Drain: begin
        if (drain_done) begin
          done_o  = !stopped && !any_error;
          state_d = done_o ? Idle : Quiet;
        end
      end
      Quiet: begin
        give_up = resp_due_q && answer_cycles_q == '0;
        if (rd_idle && (!resp_due_q || given_up_q)) state_d = Flush;
      end
      Flush: begin
        if (drain_done) begin
          error_o    = 1'b1;
          job_failed = 1'b1;
          state_d    = Idle;
        end
      end
      default: state_d = Idle;
    endcase

    // Leave whatever was going on. An offered FlitRead stands until it is taken, a drain in progress is awaited.
    if (stopped) begin
      unique case (state_q)
        Idle, Drain, Quiet, Flush: ;
        T2mSend, FenceSend: if (noc_o_ready || !ask_valid) state_d = Quiet;
        default: state_d = Quiet;
      endcase
    end
  end

  assign busy_o      = state_q != Idle || queued_q;
  assign queued_o    = queued_q;
  assign accepted_o  = accepted_q;
  assign succeeded_o = succeeded_q;
  assign failed_o    = failures_q;
  assign reading_o   = !rd_idle;
  assign start_o    = (state_q == Start && !stopped) ? mask_q[Tiles-1:0] : '0;
  assign start_pc_o = cur_q.tile_addr[15:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q       <= Idle;
      collect_q     <= 1'b0;
      repeat_q      <= 1'b0;
      slot_q        <= '0;
      raw_beat_q    <= '0;
      dirty_q       <= '0;
      resp_due_q    <= 1'b0;
      given_up_q    <= 1'b0;
      drain_asked_q <= 1'b0;
      fetch_index_q <= '0;
      cur_index_q   <= '0;
    end else begin
      state_q    <= state_d;
      collect_q  <= collect_d;
      repeat_q   <= repeat_d;
      slot_q     <= slot_d;
      dirty_q    <= dirty_d;
      resp_due_q <= resp_due_d;
      given_up_q <= resp_due_d && (given_up_q || give_up);
      if (drain) drain_asked_q <= 1'b1;
      else if (drain_done) drain_asked_q <= 1'b0;
      if (state_q == Fetch) raw_beat_q <= '0;
      else if (desc_valid) raw_beat_q <= raw_beat_q + 2'd1;
      if (ring) fetch_index_q <= '0;
      else if (next_fetch) fetch_index_q <= fetch_index_q + 16'd1;
      // The index of a table entry counts from the first one, which follows the REPEAT.
      if (state_q == Fetch) cur_index_q <= fetch_index_q;
      else if (load_table) cur_index_q <= fetch_index_q - 16'd1 - 16'(slot_last_q) + 16'(slot_q);
    end
  end

  // Values: no reset, each is written before it is read.
  always_ff @(posedge clk_i) begin
    left_iter_q  <= left_iter_d;
    chunk_mem_q  <= chunk_mem_d;
    chunk_tile_q <= chunk_tile_d;
    chunk_left_q <= chunk_left_d;
    chunk_len_q  <= chunk_len_d;
    if (state_q != Quiet) answer_cycles_q <= ($clog2(AnswerCycles + 1))'(AnswerCycles);
    else if (abort_i && answer_cycles_q != '0) answer_cycles_q <= answer_cycles_q - 1'b1;
    if (ring) begin
      job_q  <= ring_job;
      base_q <= ring_base;
    end
    if (desc_valid) raw_q[DataBits*raw_beat_q+:DataBits] <= desc_data;
    if (load_raw) begin
      cur_q  <= raw;
      mask_q <= raw_mask;
    end else if (load_table) begin
      cur_q <= entry.d;
    end
    if (enter_repeat) slot_last_q <= TableBits'(raw_n - 4'd1);
    if (load_raw && collect_q) table_q[slot_q] <= '{d: raw, tile_base: raw.tile_addr, slot: '0};
    else if (advance) table_q[slot_q] <= entry_next;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) ReadAloneOnTheNoc: assert (!ask_valid || !rd_flit_valid);
    if (rst_ni) OneErrorOrDone: assert (!(done_o && job_failed));
    if (rst_ni) QueuedJobIsKept: assert (!(take && state_q != Idle) || !queued_q);
    if (rst_ni) OneReadOutstanding: assert (!ask_valid || !resp_due_q);
  end
  ohmac_hold_check #(.Width($bits(ask))) u_read_holds (
    .clk_i, .rst_ni, .valid_i(ask_valid), .taken_i(noc_o_ready),
    .data_i(ask)
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) AnswerWasAsked: assert (!resp_done || resp_due_q);
  end
endmodule
