// SPDX-License-Identifier: Apache-2.0
// Tile sequencer: fetches 64-bit instructions, runs the hardware loops, resolves and checks
// addresses, fills the engine queues.
//
//   F fetch: line buffers, next pc, ends of loops (told from the pc alone)
//   1 decode: LOOP, HALT
//   2 execute: operands of the AGUs, SETR, WAIT and SIGNAL of SEQ
//   3 address: effective addresses
//   4 check: address range, then the queue
//
// One instruction a cycle in straight-line code and across loop jumps whose target is in the two
// line buffers (the first line of the innermost loop is prefetched on its last one); otherwise a
// jump costs 3 cycles and what the SRAM makes it wait. The AGUs step every other cycle: one cycle
// more an iteration for a body of one instruction, two for each further loop that ends at the same
// instruction. One more for a LOOP of one instruction, 3 for a LOOP with count 0, up to three
// between SETR of an AGU and the loop end behind it (or that it is), one between SETR of a window and
// its use. LOOP with a scalar count waits until stage 2 is empty (SETR before it). SETR, WAIT and
// SIGNAL of SEQ wait until an operation before them has left stage 4: who acts is not behind a fault.
// Legal path: StIdle -> StRun -> StDrain -> StIdle (HALT); StRun or StDrain -> StStop -> StIdle
// (fault, or stop_i).
module ohmac_sequencer
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned Rows      = 256,
  parameter int unsigned Lanes     = 32,
  parameter int unsigned SramBytes = 65536
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic                       start_i,
  input  logic [15:0]                start_pc_i,
  input  logic                       stop_i,         // by the host
  input  logic                       clear_i,
  output logic                       clear_o,        // not running: clear the tokens
  output tile_status_t               status_o,
  output logic                       rd_req_o,
  output logic [15:0]                rd_addr_o,      // line
  input  logic                       rd_gnt_i,
  input  logic                       rd_rvalid_i,
  input  logic [LineBits-1:0]        rd_rdata_i,
  input  logic [NumScalar-1:0][15:0] scalar_i,
  input  mvm_cfg_t [NumMvmCfg-1:0]   mvm_cfg_i,
  input  logic [NumMvmCfg-1:0]       mvm_ok_i,
  input  vec_cfg_t [NumVecCfg-1:0]   vec_cfg_i,
  input  timing_cfg_t                timing_i,
  input  logic                       prog_ok_i,      // PROG words are legal
  input  logic [6:0]                 tiles_i,        // of the mesh
  input  logic                       cfg_busy_i,     // mvm_ok_i is not settled
  input  logic                       agu_we_i,
  input  logic [$clog2(NumAgu)-1:0]  agu_sel_i,
  input  logic [2:0]                 agu_word_i,
  input  logic [AddrBits-1:0]        agu_wdata_i,
  output logic                       cfg_valid_o,    // SETR
  input  logic                       cfg_ready_i,
  input  logic                       cfg_bad_i,      // it would be illegal
  output logic [9:0]                 cfg_addr_o,
  output logic [31:0]                cfg_wdata_o,
  output logic                       wait_valid_o,
  output logic [3:0]                 wait_token_o,
  output logic [7:0]                 wait_count_o,
  input  logic                       wait_gnt_i,
  output logic                       sig_valid_o,
  output logic [3:0]                 sig_token_o,
  output logic [7:0]                 sig_count_o,
  output logic                       mvm_valid_o,
  input  logic                       mvm_ready_i,
  output mvm_item_t                  mvm_item_o,
  output logic                       vec_valid_o,
  input  logic                       vec_ready_i,
  output vec_item_t                  vec_item_o,
  output logic                       net_valid_o,
  input  logic                       net_ready_i,
  output net_item_t                  net_item_o,
  input  logic                       engines_idle_i, // queues empty, engines idle
  input  logic                       settled_i,      // no trap on its way here for what engines have done
  input  fault_e                     mvm_fault_i,    // one cycle each
  input  fault_e                     rx_fault_i,
  input  logic                       token_fault_i,
  input  fault_e                     cfg_fault_i,
  input  logic                       parity_fault_i,
  input  logic                       overflow_fault_i,
  input  logic                       watchdog_i,     // until the tile stops
  output logic                       drop_waits_o,
  output logic                       active_o,
  output logic                       ev_instr_o
);
  localparam int unsigned Lines     = SramBytes / LineBytes;
  localparam int unsigned LineIdx   = 14;  // pc / 4
  localparam int unsigned DepthBits = $clog2(LoopDepth + 1);
  localparam int unsigned LenBits   = 15;  // bytes of one operand, up to 4 * 4095
  localparam int unsigned RowBits   = $clog2(Rows);
  localparam int unsigned EndBits   = $clog2(SramBytes) + 1;
  localparam logic [15:0] CfgWords  = 16'(CfgCalBase) + 16'd512;

  if (SramBytes < 2 ** LenBits / 2) begin : gen_bad_size
    $fatal(1, "ohmac_sequencer: SramBytes must be at least %0d, the longest operand, not %0d", 2 ** LenBits / 2, SramBytes);
  end

  typedef enum logic [1:0] {
    StIdle,   // not running
    StRun,    // fetching
    StDrain,  // a HALT or a faulty instruction was fetched: it is the last one
    StStop    // fault: engines finish what is queued
  } state_e;
  state_e state_q, state_d;

  // ---------------------------------------------------------------- fetch
  logic [15:0] pc_q, pc_d;
  logic tail_q, tail_d;  // only the end of a loop is still to be done at pc

  // Loop stack, innermost loop at 0.
  logic [DepthBits-1:0] depth_q;
  logic [LoopDepth-1:0][15:0] first_q, last_q, remain_q;
  logic [LoopDepth-1:0] again_q;  // remain > 1
  logic in_loop, at_end, outer_ends;
  assign in_loop    = depth_q != '0;
  assign at_end     = in_loop && last_q[0] == pc_q;
  assign outer_ends = depth_q >= DepthBits'(2) && last_q[1] == pc_q;

  // Two line buffers.
  logic [1:0] buf_valid_q;
  logic [1:0][LineIdx-1:0] buf_tag_q, buf_prev_q;  // the line, and the one before it
  logic [1:0][LineBits-1:0] buf_q;
  logic req_q, fly_valid_q;
  logic fly_buf_q;  // buffer that the line on its way goes to
  logic [LineIdx-1:0] req_tag_q, fly_tag_q, fly_prev_q, pc_line, next_line, want_line;
  logic [1:0] hit;
  logic hit_any, loops_back, ahead_there, next_there, first_there, pc_there, victim, want;
  logic [1:0][InstrBits-1:0] word;

  // The line is in a buffer or will be; prev: the one behind it.
  function automatic logic there(logic [LineIdx-1:0] line, logic prev);
    return (buf_valid_q[0] && (prev ? buf_prev_q[0] : buf_tag_q[0]) == line) ||
        (buf_valid_q[1] && (prev ? buf_prev_q[1] : buf_tag_q[1]) == line) ||
        (fly_valid_q && (prev ? fly_prev_q : fly_tag_q) == line);
  endfunction

  assign pc_line = pc_q[15:2];
  always_comb begin
    for (int unsigned b = 0; b < 2; b++) begin
      hit[b]  = buf_valid_q[b] && buf_tag_q[b] == pc_line;
      word[b] = buf_q[b][64 * pc_q[1:0] +: 64];
    end
  end
  assign hit_any = hit != '0;

  // On the last line of a loop that will jump, its first line comes next; else the next line.
  assign next_line   = pc_line + LineIdx'(1);
  assign loops_back  = in_loop && last_q[0][15:2] == pc_line && again_q[0];
  assign next_there  = there(pc_line, 1'b1) || 32'(pc_line) >= Lines - 1;
  assign first_there = there(first_q[0][15:2], 1'b0);
  assign ahead_there = loops_back ? first_there : next_there;
  assign pc_there    = there(pc_line, 1'b0) || 32'(pc_line) >= Lines;
  assign want_line   = !pc_there ? pc_line : loops_back ? first_q[0][15:2] : next_line;
  assign want        = state_q == StRun && !req_q && !(pc_there && ahead_there);
  // One line on its way at a time; never into the buffer of the current line.
  assign rd_req_o    = req_q && !fly_valid_q && state_q == StRun;
  assign rd_addr_o   = 16'(req_tag_q);
  assign victim      = hit[0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      buf_valid_q <= '0;
      req_q       <= 1'b0;
      fly_valid_q <= 1'b0;
    end else begin
      if (state_q != StRun || rd_gnt_i) req_q <= 1'b0;
      else if (want) req_q <= 1'b1;
      if (rd_gnt_i) fly_valid_q <= 1'b1;
      else if (rd_rvalid_i) fly_valid_q <= 1'b0;
      if (rd_gnt_i) buf_valid_q[victim] <= 1'b0;
      if (rd_rvalid_i) buf_valid_q[fly_buf_q] <= 1'b1;
      if (state_q == StIdle) buf_valid_q <= '0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!req_q) req_tag_q <= want_line;
    if (rd_gnt_i) begin
      fly_buf_q <= victim;
      fly_tag_q <= req_tag_q;
      fly_prev_q <= req_tag_q - LineIdx'(1);
    end
    if (rd_rvalid_i) begin
      buf_q[fly_buf_q]     <= rd_rdata_i;
      buf_tag_q[fly_buf_q] <= fly_tag_q;
      buf_prev_q[fly_buf_q] <= fly_prev_q;
    end
  end

  // What fetch hands to stage 1, and stage 1 to stage 2.
  typedef struct packed {
    logic                 real_instr;  // counted; else only a loop end
    fault_e               fault;
    logic                 inc;         // afterwards every AGU adds its increment
    logic [15:0]          pc;
    logic [InstrBits-1:0] instr;
  } uop_t;

  logic flush;  // the tile stops: nothing in a stage is done any more
  logic s1_valid_q, s1_free, s1_fire, fetch, emit, ends, pc_outside, skip_q, skip_bad_q;
  uop_t s1_q, fetched;
  logic [1:0] top, s1_depth_q;  // of the loop that ends
  typedef struct packed {
    logic loop;
    logic one;       // LOOP of one instruction
    logic setr;
    logic agu;       // SETR of an AGU
    logic window;    // of its window
    logic operands;  // effective addresses
    logic halt;
  } kind_t;
  kind_t kind, s1_kind_q;
  instr_loop_t loop0;
  instr_setr_t setr0;
  opcode_e op0;
  assign pc_outside = 32'(pc_q) >= SramBytes / (InstrBits / 8);
  // A loop of one instruction ends where fetch already is while its LOOP is in stage 1.
  assign fetch      = state_q == StRun && (tail_q || pc_outside || hit_any) && s1_free && !skip_q && !(s1_valid_q && s1_kind_q.one);
  assign ends       = at_end && (tail_q || !pc_outside);
  assign top        = 2'(depth_q - DepthBits'(1));
  assign emit       = fetch && (!tail_q || ends);  // a LOOP with count 0 leaves a tail that may end nothing
  always_comb begin
    fetched.real_instr = !tail_q;
    fetched.fault      = (!tail_q && pc_outside) ? FaultAddress : FaultNone;
    fetched.inc        = ends;
    fetched.pc         = pc_q;
    fetched.instr      = hit[1] ? word[1] : word[0];
  end
  assign loop0 = instr_loop_t'(fetched.instr);
  assign setr0 = instr_setr_t'(fetched.instr);
  assign op0   = opcode_e'(fetched.instr[63:58]);
  always_comb begin
    kind = '0;
    if (!tail_q && !pc_outside) begin
      kind.loop     = op0 == OpLoop;
      kind.one      = op0 == OpLoop && loop0.len == 12'd1;
      kind.setr     = op0 == OpSetr;
      kind.agu      = op0 == OpSetr && setr0.addr[15:6] == 10'(CfgAguBase >> 6);
      kind.window   = kind.agu && (32'(setr0.addr[2:0]) == AguWrapBaseWord || 32'(setr0.addr[2:0]) == AguWrapLenWord);
      kind.operands = op0 == OpMvm || op0 == OpVec || op0 == OpSend || op0 == OpProg;
      kind.halt     = op0 == OpHalt;
    end
  end
  always_comb begin
    tail_d = ends && !again_q[0] && outer_ends;
    pc_d   = pc_q + 16'd1;
    if (tail_d) pc_d = pc_q;
    if (ends && again_q[0]) pc_d = first_q[0];
  end

  // ---------------------------------------------------------------- stage 1: decode
  logic s2_valid_q, s2_leave, s2_free, s1_avail, s1_last, split, split_q, agu2_q, window2_q, agu_wrote_q;
  uop_t s2_q, s1_out;
  logic bad_loop, push, s1_inc, again1, loop_waits;
  logic [15:0] body_last, count1;
  instr_loop_t loop1, loop2;

  assign loop1      = instr_loop_t'(s1_q.instr);
  assign loop2      = instr_loop_t'(s2_q.instr);
  assign body_last  = s1_q.pc + 16'(loop1.len);
  // What ends a loop cannot begin one inside it.
  assign bad_loop   = depth_q == DepthBits'(LoopDepth) || loop1.len == '0 || body_last < s1_q.pc ||
      s1_q.inc || (in_loop && body_last > last_q[0]);
  assign count1     = loop1.use_scalar ? scalar_i[loop1.scalar] : loop1.count;
  assign push       = s1_kind_q.loop && !bad_loop && count1 != '0;
  assign loop_waits = s1_valid_q && s1_kind_q.loop;
  assign s2_free    = !s2_valid_q || s2_leave;
  // An increment was chosen when its instruction was fetched; what SETR wrote since then is chosen again.
  assign again1     = agu_wrote_q && s1_valid_q && s1_q.inc;
  // The AGUs add in this cycle what they wrap in the next: not before the last step is over and what SETR wrote has
  // arrived. A window that was written arrives a cycle later.
  assign s1_avail   = s1_valid_q && !skip_q && !(s1_kind_q.loop && loop1.use_scalar && s2_valid_q) &&
      !(s1_inc && ((s2_valid_q && (s2_q.inc || agu2_q)) || agu_wrote_q)) &&
      !(s1_kind_q.operands && s2_valid_q && window2_q);
  assign s1_fire    = s1_avail && s2_free;
  // SETR may write an AGU: the increments of a loop that ends with it follow one cycle later.
  assign split      = s1_kind_q.setr && s1_q.inc && !split_q;
  assign s1_free    = !s1_valid_q || (s1_fire && !split);
  assign s1_last    = s1_q.fault != FaultNone || s1_kind_q.halt;
  assign s1_inc     = s1_q.inc && !split && !s1_last && !s1_kind_q.loop;
  always_comb begin
    s1_out            = s1_q;
    s1_out.real_instr = s1_q.real_instr && !split_q;
    s1_out.inc        = s1_inc;
    if (s1_kind_q.loop && bad_loop) s1_out.fault = FaultLoop;
  end

  // In the cycle after a LOOP that is not entered what was fetched behind it goes.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s1_valid_q <= 1'b0;
      split_q    <= 1'b0;
      skip_q     <= 1'b0;
      agu_wrote_q <= 1'b0;
    end else begin
      if (flush || skip_q || (s1_fire && s1_last)) s1_valid_q <= 1'b0;
      else if (s1_free) s1_valid_q <= emit;
      if (flush) split_q <= 1'b0;
      else if (s1_fire) split_q <= split;
      agu_wrote_q <= s2_valid_q && agu2_q;
      skip_q <= !flush && s1_fire && s1_kind_q.loop && !push;
    end
  end
  always_ff @(posedge clk_i) begin
    if (emit) s1_q <= fetched;
    if (emit) s1_depth_q <= top;
    if (emit) s1_kind_q <= kind;
    skip_bad_q <= bad_loop;
    // What is pushed is known before whether it is. A LOOP in stage 1 and the end of a loop in fetch do not meet, but behind a
    // LOOP that is a fault.
    if (loop_waits ? s1_fire && push : fetch && ends) begin
      if (loop_waits) begin
        first_q  <= {first_q[LoopDepth-2:0], s1_q.pc + 16'd1};
        last_q   <= {last_q[LoopDepth-2:0], body_last};
        remain_q <= {remain_q[LoopDepth-2:0], count1};
        again_q  <= {again_q[LoopDepth-2:0], count1 > 16'd1};
      end else if (again_q[0]) begin
        remain_q[0] <= remain_q[0] - 16'd1;
        again_q[0]  <= remain_q[0] > 16'd2;
      end else begin
        first_q  <= {first_q[LoopDepth-1], first_q[LoopDepth-1:1]};
        last_q   <= {last_q[LoopDepth-1], last_q[LoopDepth-1:1]};
        remain_q <= {remain_q[LoopDepth-1], remain_q[LoopDepth-1:1]};
        again_q  <= {again_q[LoopDepth-1], again_q[LoopDepth-1:1]};
      end
    end
  end

  // ---------------------------------------------------------------- stage 2: execute
  instr_setr_t setr2;
  instr_wait_t wait2;
  instr_mvm_t  mvm2;
  instr_vec_t  vec2;
  instr_send_t send2;
  instr_prog_t prog2;
  opcode_e op2;
  assign setr2 = instr_setr_t'(s2_q.instr);
  assign wait2 = instr_wait_t'(s2_q.instr);  // SIGNAL has the same fields
  assign mvm2  = instr_mvm_t'(s2_q.instr);
  assign vec2  = instr_vec_t'(s2_q.instr);
  assign send2 = instr_send_t'(s2_q.instr);
  assign prog2 = instr_prog_t'(s2_q.instr);
  assign op2   = opcode_e'(s2_q.instr[63:58]);

  logic [NumAgu-1:0][AddrBits-1:0] agu_addr, agu_base, agu_len;
  logic [NumAgu-1:0][AddrBits+1:0] agu_end;
  logic agu_step;
  for (genvar a = 0; a < NumAgu; a++) begin : gen_agu
    ohmac_agu u_agu (
      .clk_i, .rst_ni,
      .we_i(agu_we_i && agu_sel_i == 3'(a)), .word_i(agu_word_i), .wdata_i(agu_wdata_i),
      .next_i((emit && ends) || again1), .depth_i(again1 ? s1_depth_q : top), .sum_i(s1_inc && !(s2_valid_q && s2_q.inc)), .step_i(agu_step),
      .addr_o(agu_addr[a]), .wrap_base_o(agu_base[a]), .wrap_len_o(agu_len[a]), .wrap_end_o(agu_end[a])
    );
  end

  logic [2:0][14:0] operand;  // {AGU, offset}
  assign operand[0] = mvm2.src;                              // src of MVM, PROG and SEND, a of VEC
  assign operand[1] = mvm2.dst;                              // dst of MVM and PROG, b of VEC
  assign operand[2] = (op2 == OpSend) ? send2.dst : vec2.dst;  // fail of PROG, too
  // What stage 2 hands to stage 3, and stage 3 to stage 4.
  typedef struct packed {
    logic                    real_instr;
    fault_e                  fault;
    logic [15:0]             pc;
    engine_e                 engine;     // EngineSeq: no queue
    item_kind_e              kind;
    logic [3:0]              token;
    logic [7:0]              count;
    logic [2:0]              check;      // ea must lie in the SRAM
    logic [2:0]              align32;    // else 16
    logic                    host;       // ea[2] is an outbox offset
    logic [2:0]              cfg;
    logic                    prog;       // row is used
    logic                    row_bad;
    logic [RowBits-1:0]      row;
    logic                    use_b;
    logic [6:0]              tile;
    logic [11:0]             send_len;
    logic                    token_en;
  } item_t;
  typedef struct packed {
    logic [AddrBits-1:0] addr;
    logic [AddrBits-1:0] len;
    logic [AddrBits+1:0] past;    // first byte behind the window
    logic [11:0]         offset;
  } operand_t;

  logic s3_valid_q, s3_free, s4_valid_q, s4_leave, s4_free, s4_bad, hold, clean3, clean4, idle_q;
  fault_e ext_fault_q, ext_late_q;
  item_t s3_q, s4_q, s2_out;
  operand_t [2:0] op_q, op_d;
  logic [2:0][LenBits-1:0] len3_q, len2;
  logic [2:0][EndBits-1:0] limit, limit_q;  // highest address for the length
  logic [2:0][AddrBits-1:0] ea_q;
  logic [AddrBits-1:0] base3_q, wrap_base_q, wrap_len_q, row2;
  logic cond2, halt2, halt_done, fence_open;
  always_comb begin
    for (int unsigned o = 0; o < 3; o++) begin
      op_d[o].addr   = agu_addr[operand[o][14:12]];
      op_d[o].past   = agu_end[operand[o][14:12]];
      op_d[o].len    = agu_len[operand[o][14:12]];
      op_d[o].offset = operand[o][11:0];
    end
  end
  assign row2 = agu_addr[prog2.row_agu];
  logic [LenBits-1:0] columns2, mvm_len2;
  assign columns2 = LenBits'(32'(mvm_cfg_i[mvm2.cfg].mux_count) * Lanes);
  assign mvm_len2 = LenBits'({columns2, 2'b00}) >> mvm_cfg_i[mvm2.cfg].w_slices;
  logic [VeccfgLenBits-1:0] vec_len2;
  logic vec_requant2;
  assign vec_len2     = vec_cfg_i[vec2.cfg].len;
  assign vec_requant2 = vec_cfg_i[vec2.cfg].requant;

  // Nothing is queued or on its way to a queue. idle_q is a cycle late, but knows what was queued in that cycle.
  assign fence_open = idle_q && !s3_valid_q && !s4_valid_q;

  logic is_setr2, is_seq_wait2, is_seq_sig2, setr_ok2, count_ok2;
  assign setr_ok2     = setr2.addr < CfgWords;
  assign count_ok2    = wait2.count != '0;
  assign is_setr2     = op2 == OpSetr && setr_ok2 && !cfg_bad_i;
  assign is_seq_wait2 = op2 == OpWait && wait2.engine == EngineSeq && count_ok2;
  assign is_seq_sig2  = op2 == OpSignal && wait2.engine == EngineSeq && count_ok2;
  assign halt2        = s2_valid_q && s2_q.fault == FaultNone && s2_q.real_instr && op2 == OpHalt;

  // May this instruction do its work now? Not behind one that may be faulty, nor when the tile is about to stop. What
  // stages 3 and 4 hold otherwise leaves without a stop.
  logic act2, plain2;
  assign clean3 = !s3_valid_q || (s3_q.engine == EngineSeq && s3_q.fault == FaultNone);
  assign clean4 = !s4_valid_q || (s4_q.engine == EngineSeq && s4_q.fault == FaultNone);
  assign plain2 = s2_q.real_instr && s2_q.fault == FaultNone;
  assign act2   = s2_valid_q && clean3 && clean4 && !hold && plain2;

  assign cfg_valid_o  = act2 && is_setr2 && (setr2.addr < CfgMvmcfgBase || fence_open);
  assign cfg_addr_o   = setr2.addr[9:0];
  assign cfg_wdata_o  = setr2.imm;
  assign wait_valid_o = act2 && is_seq_wait2;
  assign wait_token_o = wait2.token;
  assign wait_count_o = wait2.count;
  assign sig_valid_o  = act2 && is_seq_sig2;
  assign sig_token_o  = wait2.token;
  assign sig_count_o  = wait2.count;

  always_comb begin
    cond2 = 1'b1;
    if (plain2) begin
      if (is_setr2) cond2 = cfg_valid_o && cfg_ready_i;
      else if (is_seq_wait2) cond2 = wait_gnt_i;
      else if (is_seq_sig2) cond2 = sig_valid_o;
      else if (op2 == OpHalt) cond2 = 1'b0;  // ends in this stage
      else if (op2 == OpMvm || op2 == OpProg) cond2 = !cfg_busy_i;
    end
  end
  assign s2_leave  = s2_valid_q && s3_free && !hold && cond2;
  assign agu_step  = s2_leave && s2_q.inc;
  assign halt_done = halt2 && act2 && fence_open && settled_i;

  always_comb begin
    s2_out            = '0;
    len2              = '0;
    s2_out.real_instr = s2_q.real_instr;
    s2_out.fault      = s2_q.fault;
    s2_out.pc         = s2_q.pc;
    s2_out.engine     = EngineSeq;
    s2_out.kind       = ItemOp;
    s2_out.token      = wait2.token;
    s2_out.count      = wait2.count;
    s2_out.row        = row2[RowBits-1:0];
    s2_out.row_bad    = 32'(row2) >= Rows;
    s2_out.cfg        = vec2.cfg;
    s2_out.use_b      = vec2.use_b;
    s2_out.tile       = send2.tile;
    s2_out.send_len   = send2.len;
    s2_out.token_en   = send2.token_en;
    s2_out.host       = send2.tile == 7'(HostTile);
    if (plain2) begin
      unique case (op2)
        OpNop, OpHalt, OpLoop: ;
        OpSetr: begin
          if (!setr_ok2) s2_out.fault = FaultAddress;
          else if (cfg_bad_i) s2_out.fault = FaultConfig;
        end
        OpWait, OpSignal: begin
          s2_out.engine = engine_e'(wait2.engine);
          s2_out.kind   = (op2 == OpWait) ? ItemWait : ItemSignal;
          if (!count_ok2) s2_out.fault = FaultIllegalInstr;
        end
        OpMvm: begin
          s2_out.engine     = EngineMvm;
          s2_out.check[1]   = 1'b1;
          s2_out.align32[1] = 1'b1;
          s2_out.cfg        = {1'b0, mvm2.cfg};
          len2[1]     = mvm_len2;
          if (!mvm_ok_i[mvm2.cfg] || timing_i.settle == '0 || timing_i.integ == '0) begin
            s2_out.fault = FaultConfig;
          end
        end
        OpProg: begin
          s2_out.engine     = EngineMvm;
          s2_out.check      = 3'b111;
          s2_out.align32    = 3'b111;
          s2_out.cfg        = {1'b0, prog2.cfg};
          s2_out.prog       = 1'b1;
          len2[0]     = columns2;
          len2[1]     = LenBits'({columns2, 2'b00});
          len2[2]     = LenBits'(((32'(columns2) + 32'd255) >> 8) * LineBytes);
          if (!mvm_ok_i[prog2.cfg] || timing_i.settle == '0 || timing_i.integ == '0 || !prog_ok_i) begin
            s2_out.fault = FaultConfig;
          end
        end
        OpVec: begin
          s2_out.engine  = EngineVec;
          s2_out.check   = {1'b1, vec2.use_b, 1'b1};
          s2_out.align32 = {!vec_requant2, 2'b11};
          len2[0]  = LenBits'({vec_len2, 2'b00});
          len2[1]  = LenBits'({vec_len2, 2'b00});
          len2[2]  = vec_requant2 ? LenBits'(vec_len2) : LenBits'({vec_len2, 2'b00});
          if (vec_len2 == '0 || vec_cfg_i[vec2.cfg].shift == 6'd63) s2_out.fault = FaultConfig;
        end
        OpSend: begin
          s2_out.engine = EngineNet;
          s2_out.token  = send2.token;
          s2_out.check  = 3'b101;
          len2[0] = LenBits'(send2.len);
          len2[2] = LenBits'(send2.len);
          if (send2.tile >= tiles_i && send2.tile != 7'(HostTile)) s2_out.fault = FaultIllegalInstr;
          else if (send2.len == '0 && !send2.token_en) s2_out.fault = FaultConfig;
        end
        default: s2_out.fault = FaultIllegalInstr;
      endcase
    end
  end

  // ---------------------------------------------------------------- stage 3: effective addresses
  // Effective address: AGU.addr + 16 * offset, wrapped once; the comparison does not wait for
  // the sum.
  function automatic logic [AddrBits-1:0] effective(operand_t op);
    logic signed [AddrBits+2:0] a, o, past, over;
    a    = (AddrBits+3)'($signed(op.addr));
    past = (AddrBits+3)'($signed(op.past));
    o    = (AddrBits+3)'($signed({1'b0, op.offset, 4'b0}));
    over = a + o - past;
    if (op.len != '0 && over >= 0) return op.addr + AddrBits'({op.offset, 4'b0}) - op.len;
    return op.addr + AddrBits'({op.offset, 4'b0});
  endfunction
  logic [2:0][AddrBits-1:0] ea;
  always_comb begin
    for (int unsigned o = 0; o < 3; o++) begin
      ea[o]    = effective(op_q[o]);
      limit[o] = EndBits'(SramBytes - 32'(len3_q[o]));
    end
  end

  // ---------------------------------------------------------------- stage 4: check and queue
  fault_e s4_fault;
  logic s4_queue_ready;
  logic [2:0] bounded, outside, wrong;
  always_comb begin
    // an outbox has no size that a tile knows
    bounded = {!s4_q.host || s4_q.engine != EngineNet, 2'b11};
    for (int unsigned o = 0; o < 3; o++) begin
      outside[o] = bounded[o] && (ea_q[o][AddrBits-1:EndBits] != '0 || ea_q[o][EndBits-1:0] > limit_q[o]);
      wrong[o]   = s4_q.check[o] && (outside[o] || ea_q[o][CfgSpaceBit] ||
          ea_q[o][3:0] != '0 || (s4_q.align32[o] && ea_q[o][4]));
    end
    s4_fault = s4_q.fault;
    if (s4_q.fault == FaultNone && (wrong != '0 || (s4_q.prog && s4_q.row_bad))) s4_fault = FaultAddress;
  end

  always_comb begin
    unique case (s4_q.engine)
      EngineMvm: s4_queue_ready = mvm_ready_i;
      EngineVec: s4_queue_ready = vec_ready_i;
      EngineNet: s4_queue_ready = net_ready_i;
      default:   s4_queue_ready = 1'b1;
    endcase
  end

  // A faulty instruction leaves too, and everything with it (flush): who waits for room need not know.
  logic s4_push;
  assign s4_bad      = s4_valid_q && s4_fault != FaultNone;
  assign hold        = ext_fault_q != FaultNone || ext_late_q != FaultNone;
  assign flush       = s4_bad || (ext_late_q != FaultNone && state_q != StStop);
  assign s4_push     = s4_valid_q && !s4_bad;
  assign s4_leave    = s4_push && s4_queue_ready;
  assign s4_free     = !s4_valid_q || s4_queue_ready;
  assign s3_free     = !s3_valid_q || s4_free;
  assign mvm_valid_o = s4_push && s4_q.engine == EngineMvm;
  assign vec_valid_o = s4_push && s4_q.engine == EngineVec;
  assign net_valid_o = s4_push && s4_q.engine == EngineNet;

  always_comb begin
    mvm_item_o.kind      = s4_q.kind;
    mvm_item_o.token     = s4_q.token;
    mvm_item_o.count     = s4_q.count;
    mvm_item_o.src       = ea_q[0];
    mvm_item_o.prog      = s4_q.prog;
    mvm_item_o.wrap_base = s4_q.prog ? ea_q[2] : wrap_base_q;
    mvm_item_o.wrap_len  = s4_q.prog ? AddrBits'(s4_q.row) : wrap_len_q;
    mvm_item_o.dst       = ea_q[1];
    mvm_item_o.cfg       = s4_q.cfg[1:0];
    vec_item_o.kind      = s4_q.kind;
    vec_item_o.token     = s4_q.token;
    vec_item_o.count     = s4_q.count;
    vec_item_o.a         = ea_q[0];
    vec_item_o.b         = ea_q[1];
    vec_item_o.use_b     = s4_q.use_b;
    vec_item_o.dst       = ea_q[2];
    vec_item_o.cfg       = s4_q.cfg;
    net_item_o.kind      = s4_q.kind;
    net_item_o.token     = s4_q.token;
    net_item_o.count     = s4_q.count;
    net_item_o.token_en  = s4_q.token_en;
    net_item_o.src       = ea_q[0];
    net_item_o.tile      = s4_q.tile;
    net_item_o.dst       = ea_q[2];
    net_item_o.len       = s4_q.send_len;
  end

  // ---------------------------------------------------------------- control
  logic halted_q, halted_d, instr_q, instr_done;
  fault_e fault_q, fault_d, ext_fault_d;
  logic [15:0] oldest_pc;

  // Faults of the other parts are registered and act one cycle later. In those two cycles stage 2 does nothing more; what it
  // has done before (SETR, WAIT, SIGNAL) leaves stage 4 by then, so no instruction is done by half.
  // STOPPED and WATCHDOG are for a tile that runs: one that halts in that cycle has no fault.
  logic issuing, idle_fault;
  assign issuing    = state_q == StRun || state_q == StDrain;
  assign idle_fault = ext_late_q != FaultNone && ext_late_q != FaultStopped &&
      ext_late_q != FaultWatchdog;
  always_comb begin
    ext_fault_d = FaultNone;
    if (mvm_fault_i != FaultNone) ext_fault_d = mvm_fault_i;
    else if (rx_fault_i != FaultNone) ext_fault_d = rx_fault_i;
    else if (token_fault_i) ext_fault_d = FaultTokenOverflow;
    else if (cfg_fault_i != FaultNone) ext_fault_d = cfg_fault_i;
    else if (parity_fault_i) ext_fault_d = FaultSramParity;
    else if (overflow_fault_i) ext_fault_d = FaultOverflow;
    else if (watchdog_i && issuing) ext_fault_d = FaultWatchdog;
    else if (stop_i && issuing) ext_fault_d = FaultStopped;
  end

  always_comb begin
    oldest_pc = pc_q;
    if (s1_valid_q) oldest_pc = s1_q.pc;
    if (s2_valid_q) oldest_pc = s2_q.pc;
    if (s3_valid_q) oldest_pc = s3_q.pc;
    if (s4_valid_q) oldest_pc = s4_q.pc;
  end

  // What is not done when the tile stops.
  logic [15:0] stop_pc;
  always_comb begin
    stop_pc = oldest_pc;
    if (s4_leave) begin
      stop_pc = pc_q;
      if (s1_valid_q) stop_pc = s1_q.pc;
      if (s2_valid_q) stop_pc = s2_q.pc;
      if (s3_valid_q) stop_pc = s3_q.pc;
    end
  end

  always_comb begin
    state_d  = state_q;
    halted_d = halted_q;
    fault_d  = fault_q;
    unique case (state_q)
      StIdle: begin
        if (clear_i) fault_d = FaultNone;
        if (start_i) begin
          state_d  = StRun;
          halted_d = 1'b0;
          fault_d  = FaultNone;
        end
        if (idle_fault) begin
          if (fault_d == FaultNone) fault_d = ext_late_q;
          if (start_i) state_d = StStop;
          else halted_d = 1'b1;
        end
      end
      StRun, StDrain: begin
        if ((s1_fire && s1_last) || (skip_q && skip_bad_q)) state_d = StDrain;
        if (halt_done) begin
          state_d  = StIdle;
          halted_d = 1'b1;
        end
        if (flush) begin
          fault_d = s4_bad ? s4_fault : ext_late_q;
          state_d = StStop;
        end
      end
      StStop: begin
        if (engines_idle_i && settled_i) begin
          state_d  = StIdle;
          halted_d = 1'b1;
        end
      end
      default: state_d = StIdle;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q    <= StIdle;
      halted_q   <= 1'b0;
      fault_q    <= FaultNone;
      ext_fault_q <= FaultNone;
      ext_late_q <= FaultNone;
      pc_q       <= '0;
      tail_q     <= 1'b0;
      depth_q    <= '0;
      s2_valid_q <= 1'b0;
      s3_valid_q <= 1'b0;
      s4_valid_q <= 1'b0;
      idle_q     <= 1'b0;
      instr_q    <= 1'b0;
    end else begin
      state_q  <= state_d;
      halted_q <= halted_d;
      fault_q  <= fault_d;
      ext_fault_q <= ext_fault_d;
      ext_late_q  <= (state_q == StIdle && (ext_fault_q == FaultStopped || ext_fault_q == FaultWatchdog)) ? FaultNone : ext_fault_q;
      idle_q   <= engines_idle_i && !s4_push;
      instr_q  <= instr_done;
      if (state_q == StIdle) begin
        if (start_i) begin
          pc_q    <= start_pc_i;
          tail_q  <= 1'b0;
          depth_q <= '0;
        end
      end else if (flush) begin
        pc_q <= stop_pc;
      end else if (halt_done) begin
        pc_q <= s2_q.pc;
      end else if (skip_q) begin
        pc_q   <= s2_q.pc + 16'(loop2.len);  // the end of the body that is skipped may end the enclosing one
        tail_q <= 1'b1;
      end else begin
        if (fetch) pc_q <= pc_d;
        if (fetch) tail_q <= tail_d;
        if (loop_waits ? s1_fire && push : fetch && ends && !again_q[0]) begin
          depth_q <= loop_waits ? depth_q + DepthBits'(1) : depth_q - DepthBits'(1);
        end
      end
      if (flush || halt_done) begin
        s2_valid_q <= 1'b0;
        s3_valid_q <= 1'b0;
        s4_valid_q <= 1'b0;
      end else begin
        if (s2_free) s2_valid_q <= s1_fire;
        if (s3_free) s3_valid_q <= s2_leave;
        if (s4_free) s4_valid_q <= s3_valid_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (s1_fire) begin
      s2_q      <= s1_out;
      agu2_q    <= s1_kind_q.agu && !split_q;
      window2_q <= s1_kind_q.window && !split_q;
    end
    if (s2_leave) begin
      s3_q <= s2_out;
      op_q <= op_d;
      len3_q <= len2;
      base3_q <= agu_base[operand[0][14:12]];
    end
    if (s3_valid_q && s4_free) begin
      s4_q        <= s3_q;
      ea_q        <= ea;
      limit_q     <= limit;
      wrap_base_q <= base3_q;
      wrap_len_q  <= op_q[0].len;
    end
  end

  assign clear_o      = clear_i && state_q == StIdle;
  assign drop_waits_o = state_q == StStop;
  assign active_o     = state_q != StIdle || hold || instr_q;
  assign instr_done   = (s4_leave && s4_q.real_instr) || halt_done;
  assign ev_instr_o   = instr_q;

  assign status_o.running = state_q != StIdle;
  assign status_o.halted  = halted_q;
  assign status_o.fault   = fault_q;
  assign status_o.pc      = oldest_pc;

  // ---------------------------------------------------------------- promises
  ohmac_hold_check #(.Width($bits(mvm_item_t))) u_mvm_item_holds (
    .clk_i, .rst_ni, .valid_i(mvm_valid_o), .taken_i(mvm_ready_i || flush),
    .data_i(mvm_item_o)
  );
  ohmac_hold_check #(.Width($bits(vec_item_t))) u_vec_item_holds (
    .clk_i, .rst_ni, .valid_i(vec_valid_o), .taken_i(vec_ready_i || flush),
    .data_i(vec_item_o)
  );
  ohmac_hold_check #(.Width($bits(net_item_t))) u_net_item_holds (
    .clk_i, .rst_ni, .valid_i(net_valid_o), .taken_i(net_ready_i || flush),
    .data_i(net_item_o)
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) OneBufferALine: assert (!(state_q == StRun) || (hit != 2'b11));
    if (rst_ni) DepthInRange: assert (depth_q <= DepthBits'(LoopDepth));
    if (rst_ni) LoopsNest: assert (
        !(state_q == StRun && depth_q >= DepthBits'(2)) || (last_q[0] <= last_q[1]));
    if (rst_ni) HaltLeavesNothing: assert (!halt_done || (idle_q && !s3_valid_q && !s4_valid_q));
    if (rst_ni) NothingFliesAtRest: assert (!(state_q == StIdle) || !fly_valid_q);
    if (rst_ni) NoIssueAfterFault: assert (
        !(state_q == StStop) || (!mvm_valid_o && !vec_valid_o && !net_valid_o && !cfg_valid_o && !sig_valid_o));
    if (rst_ni) ConfigWaitsForEngines: assert (!(cfg_valid_o && setr2.addr >= CfgMvmcfgBase) || idle_q);
  end
endmodule
