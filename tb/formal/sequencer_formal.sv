// SPDX-License-Identifier: Apache-2.0
// ohmac_sequencer is never stuck. Any program (what the SRAM returns is free), any configuration, any trap, start, stop and clear in any cycle. A
// cycle is blocked if the sequencer needs something of its surroundings and is refused: the line of its pc, a place in a queue, a configuration
// write, a token, engines at rest. Blocked cycles may come at any time and last for ever; of the others at most MaxQuiet come in a row without an
// instruction that leaves, a fault that is taken or a stop that ends. A word of the SRAM, any one, is followed through the line buffers.
module sequencer_formal
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Rows      = 256,
  parameter int unsigned Lanes     = 32,
  parameter int unsigned SramBytes = 65536,
  parameter int unsigned MaxQuiet  = 7   // reached: see the cover point LongestQuiet
) (
  input logic                       clk_i,
  input logic                       start_i,
  input logic [15:0]                start_pc_i,
  input logic                       stop_i,
  input logic                       clear_i,
  input logic                       rd_gnt_i,
  input logic [LineBits-1:0]        line_data_i,  // any line
  input logic [NumScalar-1:0][15:0] scalar_i,
  input mvm_cfg_t [NumMvmCfg-1:0]   mvm_cfg_i,
  input logic [NumMvmCfg-1:0]       mvm_ok_i,
  input vec_cfg_t [NumVecCfg-1:0]   vec_cfg_i,
  input timing_cfg_t                timing_i,
  input logic                       prog_ok_i,
  input logic [6:0]                 tiles_i,
  input logic                       cfg_busy_i,
  input logic                       agu_we_i,
  input logic [$clog2(NumAgu)-1:0]  agu_sel_i,
  input logic [2:0]                 agu_word_i,
  input logic [AddrBits-1:0]        agu_wdata_i,
  input logic                       cfg_ready_i,
  input logic                       cfg_bad_i,
  input logic                       wait_gnt_i,
  input logic                       mvm_ready_i,
  input logic                       vec_ready_i,
  input logic                       net_ready_i,
  input logic                       engines_idle_i,
  input logic                       settled_i,
  input logic [7:0]                 mvm_fault_code_i,
  input logic [7:0]                 rx_fault_code_i,
  input logic                       token_fault_i,
  input logic [7:0]                 cfg_fault_code_i,
  input logic                       parity_fault_i,
  input logic                       overflow_fault_i,
  input logic                       watchdog_i,
  input logic [13:0]                line_i,        // line that is followed and what it holds, always the same
  input logic [LineBits-1:0]        line_word_i
);
  localparam logic [1:0] StIdle = 2'd0, StRun = 2'd1, StDrain = 2'd2, StStop = 2'd3;
  localparam int unsigned QuietBits = 5;
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic clear_o, rd_req_o, rd_rvalid_i, cfg_valid_o, wait_valid_o, sig_valid_o, mvm_valid_o, vec_valid_o, net_valid_o;
  logic drop_waits_o, active_o, ev_instr_o;
  tile_status_t status_o;
  logic [15:0] rd_addr_o;
  logic [LineBits-1:0] rd_rdata_i;
  logic [9:0] cfg_addr_o;
  logic [31:0] cfg_wdata_o;
  logic [3:0] wait_token_o, sig_token_o;
  logic [7:0] wait_count_o, sig_count_o;
  mvm_item_t mvm_item_o;
  vec_item_t vec_item_o;
  net_item_t net_item_o;
  fault_e mvm_fault_i, rx_fault_i, cfg_fault_i;
  assign mvm_fault_i = fault_e'(mvm_fault_code_i);
  assign rx_fault_i  = fault_e'(rx_fault_code_i);
  assign cfg_fault_i = fault_e'(cfg_fault_code_i);
  ohmac_sequencer #(.Rows(Rows), .Lanes(Lanes), .SramBytes(SramBytes)) u_dut (.*);

  function automatic logic of_sequencer(fault_e fault);
    return fault == FaultStopped || fault == FaultWatchdog;
  endfunction

  // The SRAM: grants as it likes, data one cycle later.
  logic gnt_q;
  logic [15:0] gnt_addr_q;
  logic [13:0] line_q;
  logic [LineBits-1:0] line_word_q;
  always_ff @(posedge clk_i) begin
    gnt_q       <= rst_ni && rd_gnt_i;
    gnt_addr_q  <= rd_addr_o;
    line_q      <= line_i;
    line_word_q <= line_word_i;
  end
  assign rd_rvalid_i = gnt_q;
  assign rd_rdata_i  = (gnt_addr_q == 16'(line_i)) ? line_word_i : line_data_i;

  // ohmac_tile_cfg lets no slot pass that converts nothing.
  logic [NumMvmCfg-1:0] slot_empty;
  always_comb begin
    for (int unsigned s = 0; s < NumMvmCfg; s++) slot_empty[s] = mvm_ok_i[s] && mvm_cfg_i[s].mux_count == '0;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      GrantNeedsRequest: assume (!rd_gnt_i || rd_req_o);
      PartsHaveTheirCauses: assume (!of_sequencer(mvm_fault_i) && !of_sequencer(rx_fault_i) && !of_sequencer(cfg_fault_i));
      TilesOfTheMesh:    assume (32'(tiles_i) <= HostTile);
      SlotsHaveColumns:  assume (cfg_busy_i || slot_empty == '0);
      SameLine:          assume (line_i == line_q && line_word_i == line_word_q);
    end
  end

  // ---- where the oldest instruction is ----
  logic issuing, at3, at2, at1, bubble, halt2, fence2;
  assign issuing = u_dut.state_q == StRun || u_dut.state_q == StDrain;
  assign at3     = u_dut.s3_valid_q && (u_dut.s3_q.real_instr || u_dut.s3_bad);
  assign at2     = !at3 && u_dut.s2_valid_q && u_dut.s2_q.real_instr;
  assign at1     = !at3 && !at2;
  assign bubble  = u_dut.s2_valid_q && !u_dut.s2_q.real_instr;  // the end of a loop on its way

  opcode_e op2;
  instr_setr_t setr2;
  assign op2    = opcode_e'(u_dut.s2_q.instr[63:58]);
  assign setr2  = instr_setr_t'(u_dut.s2_q.instr);
  assign halt2  = op2 == OpHalt && u_dut.s2_q.fault == FaultNone;
  assign fence2 = op2 == OpSetr && u_dut.s2_q.fault == FaultNone && !cfg_bad_i &&
                  setr2.addr >= CfgMvmcfgBase && setr2.addr < CfgCalBase + 16'd512;

  logic op3;  // an operation, not WAIT or SIGNAL
  assign op3 = u_dut.s3_q.kind == ItemOp;

  // ---- refused ----
  logic no_line, no_place, no_config, no_token, no_rest, no_check, blocked;
  assign no_line   = issuing && at1 && !bubble && !u_dut.tail_q && rd_req_o && !rd_gnt_i && rd_addr_o == 16'(u_dut.pc_line);
  assign no_place  = (mvm_valid_o && !mvm_ready_i) || (vec_valid_o && !vec_ready_i) || (net_valid_o && !net_ready_i);
  assign no_config = cfg_valid_o && !cfg_ready_i;
  assign no_token  = wait_valid_o && !wait_gnt_i;
  assign no_rest   = (issuing && at2 && (fence2 || halt2) && !engines_idle_i) || (issuing && at2 && halt2 && !settled_i) ||
                     (u_dut.state_q == StStop && !(engines_idle_i && settled_i));
  assign no_check  = issuing && at2 && u_dut.s2_q.fault == FaultNone && (op2 == OpMvm || op2 == OpProg) && cfg_busy_i;
  assign blocked   = no_line || no_place || no_config || no_token || no_rest || no_check;

  logic moves;
  logic [QuietBits-1:0] quiet_q;
  assign moves = ev_instr_o || (u_dut.flush && issuing);
  always_ff @(posedge clk_i) begin
    if (!rst_ni || moves || !status_o.running) quiet_q <= '0;
    else if (!blocked) quiet_q <= quiet_q + QuietBits'(1);
  end

  // Free cycles that may still pass before something moves: the line of the pc (2), two stages, one for each loop that ends here.
  // At depth 4 the first two ends hide behind the instruction that ends the loops (TailFollows).
  logic [QuietBits-1:0] left, fetch, ends;
  always_comb begin
    fetch = 5'd2;
    if (u_dut.hit_any || u_dut.pc_outside) fetch = 5'd0;
    else if (u_dut.fly_valid_q && u_dut.fly_tag_q == u_dut.pc_line) fetch = 5'd1;
    ends = '0;
    for (int unsigned i = 0; i < LoopDepth; i++) begin
      if (i < 32'(u_dut.depth_q) && u_dut.last_q[i] == u_dut.pc_q) ends += 5'd1;
    end
    left = 5'd0;
    if (issuing) begin
      if (at2) left = 5'(!halt2) + 5'((halt2 || fence2) && u_dut.s3_valid_q);  // these two want stage 3 empty
      else if (at1) left = u_dut.tail_q ? ends + 5'd5 : fetch + 5'd2 + 5'(bubble);
    end
  end

  // ---- traps ----
  logic trap, own_trap, trap_q, own_trap_q, own_trap_qq, must_stop_q, stop_ends_q;
  assign own_trap = mvm_fault_i != FaultNone || rx_fault_i != FaultNone || token_fault_i || cfg_fault_i != FaultNone ||
                    parity_fault_i || overflow_fault_i;
  assign trap     = own_trap || watchdog_i || stop_i;
  fault_e fault_q;
  logic kept_q;  // nothing that clears the cause
  logic [1:0] state_q;
  always_ff @(posedge clk_i) begin
    trap_q      <= rst_ni && trap && issuing;
    own_trap_q  <= rst_ni && own_trap;
    own_trap_qq <= rst_ni && own_trap_q;
    must_stop_q <= rst_ni && trap_q && issuing;
    stop_ends_q <= rst_ni && u_dut.state_q == StStop && engines_idle_i && settled_i;
    fault_q     <= status_o.fault;
    kept_q      <= rst_ni && !start_i && !clear_i;
    state_q     <= u_dut.state_q;
  end

  // ---- stalls ----
  logic mvm_stall_q, vec_stall_q, net_stall_q, cfg_stall_q, wait_stall_q;
  mvm_item_t mvm_item_q;
  vec_item_t vec_item_q;
  net_item_t net_item_q;
  logic [41:0] cfg_q;
  logic [11:0] wait_q;
  always_ff @(posedge clk_i) begin
    mvm_stall_q  <= rst_ni && mvm_valid_o && !mvm_ready_i && !u_dut.flush;
    vec_stall_q  <= rst_ni && vec_valid_o && !vec_ready_i && !u_dut.flush;
    net_stall_q  <= rst_ni && net_valid_o && !net_ready_i && !u_dut.flush;
    cfg_stall_q  <= rst_ni && cfg_valid_o && !cfg_ready_i;
    wait_stall_q <= rst_ni && wait_valid_o && !wait_gnt_i;
    mvm_item_q   <= mvm_item_o;
    vec_item_q   <= vec_item_o;
    net_item_q   <= net_item_o;
    cfg_q        <= {cfg_addr_o, cfg_wdata_o};
    wait_q       <= {wait_token_o, wait_count_o};
  end

  // ---- instructions in flight, oldest first ----
  logic [1:0] flight_q, flight_d;
  logic [1:0][15:0] flight_pc_q, flight_pc_d;
  logic enters;
  assign enters = u_dut.s1_fire && u_dut.s1_out.real_instr;
  always_comb begin
    flight_d    = flight_q;
    flight_pc_d = flight_pc_q;
    if (ev_instr_o) begin
      flight_d       = flight_d - 2'd1;
      flight_pc_d[0] = flight_pc_d[1];
    end
    if (enters) begin
      flight_pc_d[flight_d[0]] = u_dut.pc_q;
      flight_d                 = flight_d + 2'd1;
    end
  end
  always_ff @(posedge clk_i) begin
    flight_pc_q <= flight_pc_d;
    if (!rst_ni || (u_dut.flush && issuing) || !issuing) flight_q <= '0;
    else flight_q <= flight_d;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      // Never stuck
      MovesInTime:       assert (32'(quiet_q) <= MaxQuiet);
      TrapStops:         assert (!must_stop_q || (u_dut.state_q == StStop && status_o.fault != FaultNone));
      StopEnds:          assert (!stop_ends_q || (!status_o.running && status_o.halted && status_o.fault != FaultNone));
      WaitsAreDropped:   assert (u_dut.state_q != StStop || drop_waits_o);
      ClockStaysOn:      assert (!status_o.running || active_o);
      // Causes
      NoTrapIsLost:      assert (!own_trap_qq || status_o.fault != FaultNone);
      FirstCauseStays:   assert (!(kept_q && fault_q != FaultNone) || status_o.fault == fault_q);
      RunsWithoutFault:  assert (!issuing || (status_o.fault == FaultNone && !status_o.halted));
      // After a fault nothing is issued
      NothingAfterFault: assert (issuing || !(mvm_valid_o || vec_valid_o || net_valid_o || cfg_valid_o || wait_valid_o || sig_valid_o ||
                                              rd_req_o || u_dut.agu_step || ev_instr_o));
      StopIsFinal:       assert (!(state_q == StStop && issuing));
      // Handshakes
      MvmHolds:          assert (!mvm_stall_q || (mvm_valid_o && mvm_item_o == mvm_item_q));
      VecHolds:          assert (!vec_stall_q || (vec_valid_o && vec_item_o == vec_item_q));
      NetHolds:          assert (!net_stall_q || (net_valid_o && net_item_o == net_item_q));
      ConfigHolds:       assert (!cfg_stall_q || u_dut.flush || cfg_bad_i || !engines_idle_i ||
                                 (cfg_valid_o && {cfg_addr_o, cfg_wdata_o} == cfg_q));
      WaitHolds:         assert (!wait_stall_q || u_dut.flush || (wait_valid_o && {wait_token_o, wait_count_o} == wait_q));
      OneQueue:          assert ($onehot0({mvm_valid_o, vec_valid_o, net_valid_o}));
      // Every instruction once, in order, as the SRAM holds it
      LeavesInOrder:     assert (!ev_instr_o || (flight_q != '0 && flight_pc_q[0] == status_o.pc));
      RunsWhatIsThere:   assert (!(u_dut.s1_fire && enters && !u_dut.pc_outside) || u_dut.pc_q[15:2] != line_i ||
                                 u_dut.instr1 == line_word_i[64*u_dut.pc_q[1:0]+:64]);
      FetchInside:       assert (!rd_req_o || 32'(rd_addr_o) < SramBytes / LineBytes);
      // Queued operations lie in the SRAM
      MvmInside:         assert (!(mvm_valid_o && mvm_item_o.kind == ItemOp) ||
                                 (mvm_item_o.dst[4:0] == '0 && 32'(mvm_item_o.dst) < SramBytes));
      ProgInside:        assert (!(mvm_valid_o && mvm_item_o.kind == ItemOp && mvm_item_o.prog) ||
                                 (mvm_item_o.src[4:0] == '0 && 32'(mvm_item_o.src) < SramBytes &&
                                  mvm_item_o.wrap_base[4:0] == '0 && 32'(mvm_item_o.wrap_base) < SramBytes &&
                                  32'(mvm_item_o.wrap_len) < Rows));
      SendInside:        assert (!(net_valid_o && net_item_o.kind == ItemOp) ||
                                 (net_item_o.src[3:0] == '0 && 32'(net_item_o.src) + 32'(net_item_o.len) <= SramBytes &&
                                  net_item_o.dst[3:0] == '0 && !net_item_o.dst[CfgSpaceBit] &&
                                  (net_item_o.tile == 7'(HostTile) ||
                                   (net_item_o.tile < 7'(HostTile) && 32'(net_item_o.dst) + 32'(net_item_o.len) <= SramBytes))));
      VecInside:         assert (!(vec_valid_o && vec_item_o.kind == ItemOp) ||
                                 (vec_item_o.a[4:0] == '0 && 32'(vec_item_o.a) < SramBytes && vec_item_o.dst[3:0] == '0 &&
                                  32'(vec_item_o.dst) < SramBytes &&
                                  (!vec_item_o.use_b || (vec_item_o.b[4:0] == '0 && 32'(vec_item_o.b) < SramBytes))));
      // For the induction: what the registers mean
      QuietPlusLeft:     assert (!issuing || 32'(quiet_q) + 32'(left) <= MaxQuiet);
      StopIsQuiet:       assert (u_dut.state_q != StStop || quiet_q == '0);
      StopHasCause:      assert (u_dut.state_q != StStop || status_o.fault != FaultNone);
      EmptyUnlessIssuing: assert (issuing || (!u_dut.s2_valid_q && !u_dut.s3_valid_q));
      RunHasNoLast:      assert (!(u_dut.state_q == StRun && u_dut.s2_valid_q) ||
                                 (u_dut.s2_q.fault == FaultNone && !(u_dut.s2_q.real_instr && op2 == OpHalt)));
      DrainHasLast:      assert (u_dut.state_q != StDrain ||
                                 (u_dut.s2_valid_q && u_dut.s2_q.real_instr && (u_dut.s2_q.fault != FaultNone || op2 == OpHalt)) ||
                                 (u_dut.s3_valid_q && u_dut.s3_q.fault != FaultNone));
      Tail2:             assert (!bubble || u_dut.s2_q.fault == FaultNone);
      Tail3:             assert (!(u_dut.s3_valid_q && !u_dut.s3_q.real_instr) ||
                                 (u_dut.s3_q.fault == FaultNone && u_dut.s3_q.engine == EngineSeq && u_dut.s3_q.check == '0 &&
                                  !u_dut.s3_q.prog));
      TailIsAtEnd:       assert (!(u_dut.state_q == StRun && u_dut.tail_q) ||
                                 (u_dut.depth_q != '0 && u_dut.last_q[2'(u_dut.depth_q - 3'd1)] == u_dut.pc_q));
      TailFollows:       assert (!(u_dut.state_q == StRun && u_dut.tail_q) ||
                                 (u_dut.s2_valid_q && 32'(u_dut.depth_q) + 32'(bubble) + 32'(bubble && !at3) <= LoopDepth));
      TrapIsInside:      assert (own_trap_q == (u_dut.ext_fault_q != FaultNone && !of_sequencer(u_dut.ext_fault_q)) &&
                                 (!trap_q || u_dut.ext_fault_q != FaultNone));
      QueuedMvm:         assert (!(u_dut.s3_push && op3 && u_dut.s3_q.engine == EngineMvm) ||
                                 (u_dut.s3_q.check[1] && u_dut.s3_q.align32[1] && u_dut.s3_q.len[1] != '0 &&
                                  (!u_dut.s3_q.prog || (u_dut.s3_q.check == '1 && u_dut.s3_q.align32 == '1 &&
                                                        u_dut.s3_q.len[0] != '0 && u_dut.s3_q.len[2] != '0))));
      QueuedVec:         assert (!(u_dut.s3_push && op3 && u_dut.s3_q.engine == EngineVec) ||
                                 (u_dut.s3_q.check == {1'b1, u_dut.s3_q.use_b, 1'b1} && u_dut.s3_q.align32[1:0] == '1 &&
                                  u_dut.s3_q.len[0] != '0 && u_dut.s3_q.len[1] != '0 && u_dut.s3_q.len[2] != '0));
      QueuedSend:        assert (!(u_dut.s3_push && op3 && u_dut.s3_q.engine == EngineNet) ||
                                 (u_dut.s3_q.check == 3'b101 && u_dut.s3_q.host == (u_dut.s3_q.tile == 7'(HostTile)) &&
                                  u_dut.s3_q.tile <= 7'(HostTile) && u_dut.s3_q.len[0] == 15'(u_dut.s3_q.send_len) &&
                                  u_dut.s3_q.len[2] == u_dut.s3_q.len[0]));
      HaltIsNotInStage3: assert (!u_dut.halt_done || !u_dut.s3_valid_q);
      FliesAsGranted:    assert (u_dut.fly_valid_q == gnt_q && (!gnt_q || gnt_addr_q == 16'(u_dut.fly_tag_q)));
      BuffersDiffer:     assert (u_dut.buf_valid_q != 2'b11 || u_dut.buf_tag_q[0] != u_dut.buf_tag_q[1]);
      FliesToEmpty:      assert (!u_dut.fly_valid_q || (!u_dut.buf_valid_q[u_dut.fly_buf_q] &&
                                 !(u_dut.buf_valid_q[!u_dut.fly_buf_q] && u_dut.buf_tag_q[!u_dut.fly_buf_q] == u_dut.fly_tag_q)));
      FlightCount:       assert (!issuing || 32'(flight_q) == 32'(u_dut.s2_valid_q && u_dut.s2_q.real_instr) +
                                                            32'(u_dut.s3_valid_q && u_dut.s3_q.real_instr));
      FlightStage3:      assert (!(issuing && u_dut.s3_valid_q && u_dut.s3_q.real_instr) || flight_pc_q[0] == u_dut.s3_q.pc);
      FlightStage2:      assert (!(issuing && u_dut.s2_valid_q && u_dut.s2_q.real_instr) ||
                                 flight_pc_q[u_dut.s3_valid_q && u_dut.s3_q.real_instr] == u_dut.s2_q.pc);
      // Reached
      LongestQuiet:      cover (32'(quiet_q) == MaxQuiet);
      HaltsByProgram:    cover (u_dut.halt_done && ev_instr_o);
      StopEndsWait:      cover (stop_ends_q && status_o.fault == FaultStopped && wait_q != '0);
      WatchdogEndsWait:  cover (stop_ends_q && status_o.fault == FaultWatchdog);
      FourLoops:         cover (u_dut.depth_q == 3'd4 && at1 && u_dut.tail_q);
      BadAddress:        cover (stop_ends_q && status_o.fault == FaultAddress && u_dut.pc_q == 16'd2);
      QueueStalls:       cover (mvm_stall_q && mvm_item_o.prog);
      SendQueued:        cover (net_valid_o && net_ready_i && net_item_o.len > 12'd16);
    end
  end
  for (genvar i = 1; i < LoopDepth; i++) begin : gen_nest
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        Nested: assert (!(u_dut.state_q == StRun && i < 32'(u_dut.depth_q)) || u_dut.last_q[i] <= u_dut.last_q[i-1]);
      end
    end
  end
  for (genvar b = 0; b < 2; b++) begin : gen_buffer
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        BufferHoldsLine: assert (!(u_dut.buf_valid_q[b] && u_dut.buf_tag_q[b] == line_i) || u_dut.buf_q[b] == line_word_i);
      end
    end
  end
endmodule
