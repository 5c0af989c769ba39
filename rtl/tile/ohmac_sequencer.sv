// SPDX-License-Identifier: Apache-2.0
// Tile sequencer: fetches 64-bit instructions, runs the hardware loops, resolves and checks
// addresses, fills the engine queues.
//
//   1 fetch: line buffers, loop stack, next pc
//   2 execute: AGUs, SETR, WAIT and SIGNAL of SEQ, HALT
//   3 check: address range, then the queue
//
// One instruction a cycle in straight-line code and across loop jumps whose target is in the two
// line buffers (the first line of the innermost loop is prefetched on its last one); otherwise a
// jump costs 2 cycles and what the SRAM makes it wait. One cycle more for each further loop that
// ends at the same instruction, and for a loop that ends with SETR. LOOP with a scalar count waits
// until stage 2 is empty (SETR before it).
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
  localparam logic [15:0] CfgWords  = 16'(CfgCalBase) + 16'd512;

  typedef enum logic [1:0] {
    StIdle,   // not running
    StRun,    // fetching
    StDrain,  // a HALT or a faulty instruction was fetched: it is the last one
    StStop    // fault: engines finish what is queued
  } state_e;
  state_e state_q, state_d;

  // ---------------------------------------------------------------- stage 1: fetch and loops
  logic [15:0] pc_q, pc_d;
  logic tail_q, tail_d;  // the instruction at pc was issued; a loop end there is still to be done

  // Loop stack; top is depth_q - 1.
  logic [DepthBits-1:0] depth_q, depth_d;
  logic [LoopDepth-1:0][15:0] first_q, last_q, remain_q;
  logic [1:0] top, below_top;
  logic [15:0] top_last;
  logic in_loop, at_end, outer_ends;
  assign top        = 2'(depth_q - DepthBits'(1));
  assign below_top  = 2'(depth_q - DepthBits'(2));
  assign in_loop    = depth_q != '0;
  assign top_last   = last_q[top];
  assign at_end     = in_loop && top_last == pc_q;
  assign outer_ends = depth_q >= DepthBits'(2) && last_q[below_top] == pc_q;

  // Two line buffers.
  logic [1:0] buf_valid_q;
  logic [1:0][LineIdx-1:0] buf_tag_q;
  logic [1:0][LineBits-1:0] buf_q;
  logic fly_buf_q;  // buffer that the line on its way goes to
  logic fly_valid_q;
  logic [LineIdx-1:0] fly_tag_q, pc_line, ahead_line, want_line;
  logic [1:0] hit;
  logic hit_any, ahead_there, pc_there, victim;
  logic [LineBits-1:0] cur_line;
  logic [InstrBits-1:0] instr1;
  instr_loop_t loop1;

  assign pc_line = pc_q[15:2];
  always_comb begin
    for (int unsigned b = 0; b < 2; b++) hit[b] = buf_valid_q[b] && buf_tag_q[b] == pc_line;
  end
  assign hit_any  = hit != '0;
  assign cur_line = hit[1] ? buf_q[1] : buf_q[0];
  assign instr1   = cur_line[64 * pc_q[1:0] +: 64];
  assign loop1    = instr_loop_t'(instr1);

  // On the last line of a loop that will jump, its first line comes next; else the next line.
  assign ahead_line  = (in_loop && top_last[15:2] == pc_line && remain_q[top] > 16'd1) ?
      first_q[top][15:2] : pc_line + LineIdx'(1);
  assign pc_there    = hit_any || (fly_valid_q && fly_tag_q == pc_line);
  assign ahead_there = (buf_valid_q[0] && buf_tag_q[0] == ahead_line) ||
      (buf_valid_q[1] && buf_tag_q[1] == ahead_line) || (fly_valid_q && fly_tag_q == ahead_line);
  assign want_line   = pc_there ? ahead_line : pc_line;
  // Never the buffer of the current line, nor the one a line is on its way to.
  assign victim      = hit_any ? hit[0] : (fly_valid_q ? !fly_buf_q : 1'b0);
  assign rd_req_o    = state_q == StRun && 32'(want_line) < Lines && !(pc_there && ahead_there) &&
      !(hit_any && fly_valid_q);
  assign rd_addr_o   = 16'(want_line);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      buf_valid_q <= '0;
      fly_valid_q <= 1'b0;
    end else begin
      fly_valid_q <= rd_gnt_i;
      if (rd_gnt_i) buf_valid_q[victim] <= 1'b0;
      if (rd_rvalid_i) buf_valid_q[fly_buf_q] <= 1'b1;
      if (state_q == StIdle) buf_valid_q <= '0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (rd_gnt_i) begin
      fly_buf_q <= victim;
      fly_tag_q <= want_line;
    end
    if (rd_rvalid_i) begin
      buf_q[fly_buf_q]     <= rd_rdata_i;
      buf_tag_q[fly_buf_q] <= fly_tag_q;
    end
  end

  // What stage 1 hands to stage 2.
  typedef struct packed {
    logic                 real_instr;  // counted; else only a loop end
    fault_e               fault;
    logic                 inc;         // afterwards every AGU adds inc[inc_depth]
    logic [1:0]           inc_depth;
    logic [15:0]          pc;
    logic [InstrBits-1:0] instr;
  } stage2_t;

  logic s2_valid_q, s2_leave, s2_free, s1_avail, s1_fire, s1_last;
  stage2_t s2_q, s1_out;
  logic s1_is_loop, bad_loop, pc_outside, push;
  logic [15:0] body_last, count1;
  opcode_e op1;

  assign op1        = opcode_e'(instr1[63:58]);
  assign pc_outside = 32'(pc_q) >= SramBytes / (InstrBits / 8);
  assign bad_loop   = depth_q == DepthBits'(LoopDepth) || loop1.len == '0 || body_last < pc_q ||
      (in_loop && body_last > top_last);
  assign s1_is_loop = !tail_q && !pc_outside && op1 == OpLoop;
  assign body_last  = pc_q + 16'(loop1.len);
  assign count1     = loop1.use_scalar ? scalar_i[loop1.scalar] : loop1.count;
  assign s2_free    = !s2_valid_q || s2_leave;
  assign s1_avail   = state_q == StRun && (tail_q || pc_outside || hit_any) &&
      !(s1_is_loop && loop1.use_scalar && s2_valid_q);
  assign s1_fire    = s1_avail && s2_free;

  always_comb begin
    pc_d             = pc_q;
    tail_d           = 1'b0;
    depth_d          = depth_q;
    push             = 1'b0;
    s1_last          = 1'b0;
    s1_out           = '0;
    s1_out.real_instr = !tail_q;
    s1_out.fault     = FaultNone;
    s1_out.pc        = pc_q;
    s1_out.instr     = tail_q ? '0 : instr1;
    s1_out.inc_depth = top;
    if (!tail_q && pc_outside) begin
      s1_out.fault = FaultAddress;
      s1_last      = 1'b1;
    end else if (s1_is_loop) begin
      if (bad_loop) begin
        s1_out.fault = FaultLoop;
        s1_last      = 1'b1;
      end else if (count1 == '0) begin
        tail_d = in_loop && body_last == top_last;  // the skipped body ends the enclosing one
        pc_d   = tail_d ? body_last : body_last + 16'd1;
      end else begin
        push    = 1'b1;
        depth_d = depth_q + DepthBits'(1);
        pc_d    = pc_q + 16'd1;
      end
    end else if (!tail_q && op1 == OpHalt) begin
      s1_last = 1'b1;
    end else if (at_end && !tail_q && op1 == OpSetr) begin
      tail_d = 1'b1;  // it may write an AGU: the increments follow one cycle later
    end else if (at_end) begin
      s1_out.inc = 1'b1;
      if (remain_q[top] > 16'd1) begin
        pc_d = first_q[top];
      end else begin
        depth_d = depth_q - DepthBits'(1);
        tail_d  = outer_ends;
        pc_d    = outer_ends ? pc_q : pc_q + 16'd1;
      end
    end else begin
      pc_d = pc_q + 16'd1;
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
  logic agu_step;
  for (genvar a = 0; a < NumAgu; a++) begin : gen_agu
    ohmac_agu u_agu (
      .clk_i, .rst_ni,
      .we_i(agu_we_i && agu_sel_i == 3'(a)), .word_i(agu_word_i), .wdata_i(agu_wdata_i),
      .step_i(agu_step), .depth_i(s2_q.inc_depth),
      .addr_o(agu_addr[a]), .wrap_base_o(agu_base[a]), .wrap_len_o(agu_len[a])
    );
  end

  // Effective address: AGU.addr + 16 * offset, wrapped once; the comparison does not wait for
  // the sum.
  function automatic logic [AddrBits-1:0] effective(
      logic [AddrBits-1:0] addr, logic [AddrBits-1:0] base, logic [AddrBits-1:0] len,
      logic [11:0] offset);
    logic signed [AddrBits+2:0] a, b, l, o, over;
    a    = (AddrBits+3)'($signed(addr));
    b    = (AddrBits+3)'($signed(base));
    l    = (AddrBits+3)'($signed({1'b0, len}));
    o    = (AddrBits+3)'($signed({1'b0, offset, 4'b0}));
    over = a + o - b - l;
    if (len != '0 && over >= 0) return AddrBits'(a + o - l);
    return AddrBits'(a + o);
  endfunction

  logic [2:0][14:0] operand;  // {AGU, offset}
  logic [2:0][AddrBits-1:0] ea;
  assign operand[0] = mvm2.src;                              // src of MVM, PROG and SEND, a of VEC
  assign operand[1] = mvm2.dst;                              // dst of MVM and PROG, b of VEC
  assign operand[2] = (op2 == OpSend) ? send2.dst : vec2.dst;  // fail of PROG, too
  always_comb begin
    for (int unsigned o = 0; o < 3; o++) begin
      ea[o] = effective(agu_addr[operand[o][14:12]], agu_base[operand[o][14:12]],
                        agu_len[operand[o][14:12]], operand[o][11:0]);
    end
  end

  // What stage 2 hands to stage 3.
  typedef struct packed {
    logic                    real_instr;
    fault_e                  fault;
    logic [15:0]             pc;
    engine_e                 engine;     // EngineSeq: no queue
    item_kind_e              kind;
    logic [3:0]              token;
    logic [7:0]              count;
    logic [2:0][AddrBits-1:0] ea;
    logic [2:0]              check;      // ea must lie in the SRAM
    logic [2:0]              align32;    // else 16
    logic                    host;       // ea[2] is an outbox offset
    logic [2:0][LenBits-1:0] len;
    logic [AddrBits-1:0]     wrap_base;
    logic [AddrBits-1:0]     wrap_len;
    logic [2:0]              cfg;
    logic                    prog;       // wrap_len is the row
    logic                    use_b;
    logic [6:0]              tile;
    logic [11:0]             send_len;
    logic                    token_en;
  } stage3_t;

  logic s3_valid_q, s3_leave, s3_free, s3_bad, flush;
  fault_e ext_fault_q;
  stage3_t s3_q, s2_out;
  logic cond2, halt2, halt_done, fence_open;
  logic [LenBits-1:0] columns2, mvm_len2;
  assign columns2 = LenBits'(32'(mvm_cfg_i[mvm2.cfg].mux_count) * Lanes);
  assign mvm_len2 = LenBits'({columns2, 2'b00}) >> mvm_cfg_i[mvm2.cfg].w_slices;
  logic [VeccfgLenBits-1:0] vec_len2;
  logic vec_requant2;
  assign vec_len2     = vec_cfg_i[vec2.cfg].len;
  assign vec_requant2 = vec_cfg_i[vec2.cfg].requant;

  // Nothing is queued or on its way to a queue.
  assign fence_open = engines_idle_i && !s3_valid_q;

  logic is_setr2, is_seq_wait2, is_seq_sig2, setr_ok2, count_ok2;
  assign setr_ok2     = setr2.addr < CfgWords;
  assign count_ok2    = wait2.count != '0;
  assign is_setr2     = op2 == OpSetr && setr_ok2 && !cfg_bad_i;
  assign is_seq_wait2 = op2 == OpWait && wait2.engine == EngineSeq && count_ok2;
  assign is_seq_sig2  = op2 == OpSignal && wait2.engine == EngineSeq && count_ok2;
  assign halt2        = s2_valid_q && s2_q.fault == FaultNone && s2_q.real_instr && op2 == OpHalt;

  // May this instruction do its work now? flush: an older one is faulty, nothing younger may act.
  logic act2, plain2;
  assign plain2 = s2_q.real_instr && s2_q.fault == FaultNone;
  assign act2   = s2_valid_q && s3_free && !flush && plain2;

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
      else if (op2 == OpHalt) cond2 = 1'b0;  // ends in this stage
      else if (op2 == OpMvm || op2 == OpProg) cond2 = !cfg_busy_i;
    end
  end
  assign s2_leave  = s2_valid_q && s3_free && !flush && cond2;
  assign agu_step  = s2_leave && s2_q.inc;
  assign halt_done = halt2 && act2 && fence_open && settled_i;

  always_comb begin
    s2_out            = '0;
    s2_out.real_instr = s2_q.real_instr;
    s2_out.fault      = s2_q.fault;
    s2_out.pc         = s2_q.pc;
    s2_out.engine     = EngineSeq;
    s2_out.kind       = ItemOp;
    s2_out.token      = wait2.token;
    s2_out.count      = wait2.count;
    s2_out.ea         = ea;
    s2_out.wrap_base  = agu_base[operand[0][14:12]];
    s2_out.wrap_len   = agu_len[operand[0][14:12]];
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
          s2_out.len[1]     = mvm_len2;
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
          s2_out.wrap_len   = agu_addr[prog2.row_agu];
          s2_out.len[0]     = columns2;
          s2_out.len[1]     = LenBits'({columns2, 2'b00});
          s2_out.len[2]     = LenBits'(((32'(columns2) + 32'd255) >> 8) * LineBytes);
          if (!mvm_ok_i[prog2.cfg] || timing_i.settle == '0 || timing_i.integ == '0 || !prog_ok_i) begin
            s2_out.fault = FaultConfig;
          end
        end
        OpVec: begin
          s2_out.engine  = EngineVec;
          s2_out.check   = {1'b1, vec2.use_b, 1'b1};
          s2_out.align32 = {!vec_requant2, 2'b11};
          s2_out.len[0]  = LenBits'({vec_len2, 2'b00});
          s2_out.len[1]  = LenBits'({vec_len2, 2'b00});
          s2_out.len[2]  = vec_requant2 ? LenBits'(vec_len2) : LenBits'({vec_len2, 2'b00});
          if (vec_len2 == '0 || vec_cfg_i[vec2.cfg].shift == 6'd63) s2_out.fault = FaultConfig;
        end
        OpSend: begin
          s2_out.engine = EngineNet;
          s2_out.token  = send2.token;
          s2_out.check  = 3'b101;
          s2_out.len[0] = LenBits'(send2.len);
          s2_out.len[2] = LenBits'(send2.len);
          if (send2.tile >= tiles_i && send2.tile != 7'(HostTile)) s2_out.fault = FaultIllegalInstr;
          else if (send2.len == '0 && !send2.token_en) s2_out.fault = FaultConfig;
        end
        default: s2_out.fault = FaultIllegalInstr;
      endcase
    end
  end

  // ---------------------------------------------------------------- stage 3: check and queue
  fault_e s3_fault;
  logic s3_queue_ready;
  logic [2:0] bounded, outside, wrong;
  always_comb begin
    // an outbox has no size that a tile knows
    bounded = {!s3_q.host || s3_q.engine != EngineNet, 2'b11};
    for (int unsigned o = 0; o < 3; o++) begin
      outside[o] = bounded[o] && 32'(s3_q.ea[o]) + 32'(s3_q.len[o]) > SramBytes;
      wrong[o]   = s3_q.check[o] && (outside[o] || s3_q.ea[o][CfgSpaceBit] ||
          s3_q.ea[o][3:0] != '0 || (s3_q.align32[o] && s3_q.ea[o][4]));
    end
    s3_fault = s3_q.fault;
    if (s3_q.fault == FaultNone && (wrong != '0 || (s3_q.prog && 32'(s3_q.wrap_len) >= Rows))) begin
      s3_fault = FaultAddress;
    end
  end

  always_comb begin
    unique case (s3_q.engine)
      EngineMvm: s3_queue_ready = mvm_ready_i;
      EngineVec: s3_queue_ready = vec_ready_i;
      EngineNet: s3_queue_ready = net_ready_i;
      default:   s3_queue_ready = 1'b1;
    endcase
  end

  logic s3_push;
  assign s3_bad      = s3_valid_q && s3_fault != FaultNone;
  assign flush       = s3_bad || (ext_fault_q != FaultNone && state_q != StStop);
  assign s3_push     = s3_valid_q && !s3_bad;
  assign s3_leave    = s3_push && s3_queue_ready;
  assign s3_free     = !s3_valid_q || s3_leave;
  assign mvm_valid_o = s3_push && s3_q.engine == EngineMvm;
  assign vec_valid_o = s3_push && s3_q.engine == EngineVec;
  assign net_valid_o = s3_push && s3_q.engine == EngineNet;

  always_comb begin
    mvm_item_o.kind      = s3_q.kind;
    mvm_item_o.token     = s3_q.token;
    mvm_item_o.count     = s3_q.count;
    mvm_item_o.src       = s3_q.ea[0];
    mvm_item_o.prog      = s3_q.prog;
    mvm_item_o.wrap_base = s3_q.prog ? s3_q.ea[2] : s3_q.wrap_base;
    mvm_item_o.wrap_len  = s3_q.wrap_len;
    mvm_item_o.dst       = s3_q.ea[1];
    mvm_item_o.cfg       = s3_q.cfg[1:0];
    vec_item_o.kind      = s3_q.kind;
    vec_item_o.token     = s3_q.token;
    vec_item_o.count     = s3_q.count;
    vec_item_o.a         = s3_q.ea[0];
    vec_item_o.b         = s3_q.ea[1];
    vec_item_o.use_b     = s3_q.use_b;
    vec_item_o.dst       = s3_q.ea[2];
    vec_item_o.cfg       = s3_q.cfg;
    net_item_o.kind      = s3_q.kind;
    net_item_o.token     = s3_q.token;
    net_item_o.count     = s3_q.count;
    net_item_o.token_en  = s3_q.token_en;
    net_item_o.src       = s3_q.ea[0];
    net_item_o.tile      = s3_q.tile;
    net_item_o.dst       = s3_q.ea[2];
    net_item_o.len       = s3_q.send_len;
  end

  // ---------------------------------------------------------------- control
  logic halted_q, halted_d;
  fault_e fault_q, fault_d, ext_fault_d;
  logic [15:0] oldest_pc;

  // Faults of the other parts act one cycle later. In that cycle stage 2 does nothing more; what it
  // has done before (SETR, WAIT, SIGNAL) still leaves stage 3, so no instruction is done by half.
  // STOPPED and WATCHDOG are for a tile that runs: one that halts in that cycle has no fault.
  logic issuing, idle_fault;
  assign issuing    = state_q == StRun || state_q == StDrain;
  assign idle_fault = ext_fault_q != FaultNone && ext_fault_q != FaultStopped &&
      ext_fault_q != FaultWatchdog;
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
    if (s2_valid_q) oldest_pc = s2_q.pc;
    if (s3_valid_q) oldest_pc = s3_q.pc;
  end

  logic [15:0] stop_pc;
  always_comb begin
    stop_pc = oldest_pc;
    if (s3_leave) stop_pc = s2_valid_q ? s2_q.pc : pc_q;
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
          if (fault_d == FaultNone) fault_d = ext_fault_q;
          if (start_i) state_d = StStop;
          else halted_d = 1'b1;
        end
      end
      StRun, StDrain: begin
        if (s1_fire && s1_last) state_d = StDrain;
        if (halt_done) begin
          state_d  = StIdle;
          halted_d = 1'b1;
        end
        if (flush) begin
          fault_d = s3_bad ? s3_fault : ext_fault_q;
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
      pc_q       <= '0;
      tail_q     <= 1'b0;
      depth_q    <= '0;
      s2_valid_q <= 1'b0;
      s3_valid_q <= 1'b0;
    end else begin
      state_q  <= state_d;
      halted_q <= halted_d;
      fault_q  <= fault_d;
      ext_fault_q <= ext_fault_d;
      if (state_q == StIdle) begin
        if (start_i) begin
          pc_q    <= start_pc_i;
          tail_q  <= 1'b0;
          depth_q <= '0;
        end
      end else if (flush) begin
        pc_q <= stop_pc;
      end else if (s1_fire) begin
        pc_q    <= pc_d;
        tail_q  <= tail_d;
        depth_q <= depth_d;
      end
      if (flush || halt_done) begin
        s2_valid_q <= 1'b0;
        s3_valid_q <= 1'b0;
      end else begin
        if (s2_free) s2_valid_q <= s1_fire;
        if (s3_free) s3_valid_q <= s2_leave;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (s1_fire) s2_q <= s1_out;
    if (s2_leave) s3_q <= s2_out;
    if (s1_fire && push) begin
      first_q[depth_q[1:0]]  <= pc_q + 16'd1;
      last_q[depth_q[1:0]]   <= body_last;
      remain_q[depth_q[1:0]] <= count1;
    end else if (s1_fire && s1_out.inc) begin
      remain_q[top] <= remain_q[top] - 16'd1;
    end
  end

  assign clear_o      = clear_i && state_q == StIdle;
  assign drop_waits_o = state_q == StStop;
  assign active_o     = state_q != StIdle || ext_fault_q != FaultNone;
  assign ev_instr_o   = (s3_leave && s3_q.real_instr) || halt_done;

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
        !(state_q == StRun && depth_q >= DepthBits'(2)) || (top_last <= last_q[below_top]));
    if (rst_ni) HaltLeavesNothing: assert (!halt_done || (engines_idle_i && !s3_valid_q));
    if (rst_ni) NoIssueAfterFault: assert (
        !(state_q == StStop) || (!mvm_valid_o && !vec_valid_o && !net_valid_o && !cfg_valid_o && !sig_valid_o));
    if (rst_ni) ConfigWaitsForEngines: assert (!(cfg_valid_o && setr2.addr >= CfgMvmcfgBase) || engines_idle_i);
  end
endmodule
