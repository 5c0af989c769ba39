// SPDX-License-Identifier: Apache-2.0
// One tile: sequencer, engines, SRAM, tokens, configuration, counters around one analog macro. All
// tiles are this one module. clk_i is gated outside: it runs in every cycle in which start_i, stop_i,
// clear_i, noc_i_valid or active_o is high before the edge; status and counters can be read with the
// clock off. Here noc_i_* / noc_o_* name the direction of the stream, not of the wire.
module ohmac_tile
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned Rows      = 256,
  parameter int unsigned Cols      = 256,
  parameter int unsigned Lanes     = 32,
  parameter int unsigned Spares    = Lanes,
  parameter int unsigned SramBytes = 65536,
  parameter int unsigned SramBanks = 8
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic                             start_i,
  input  logic [15:0]                      start_pc_i,
  input  logic                             stop_i,
  input  logic                             clear_i,
  output tile_status_t                     status_o,
  output logic                             active_o,
  output tile_busy_t                       busy_o,
  input  logic [4:0]                       cnt_sel_i,
  output logic [31:0]                      cnt_o,
  input  logic [3:0]                       mesh_x_i,
  input  logic [6:0]                       tiles_i,
  input  flit_t                            noc_i_flit,
  input  logic                             noc_i_valid,
  output logic                             noc_i_ready,
  output flit_t                            noc_o_flit,
  output logic                             noc_o_valid,
  input  logic                             noc_o_ready,
  output macro_pins_t                      pins_o,
  output macro_prog_t                      prog_o,
  output logic [Lanes-1:0][MaxAdcBits-1:0] sar_code_o,
  input  logic [Lanes-1:0]                 cmp_i
);
  localparam int unsigned QueueDepth = 8;      // MVM, NET
  localparam int unsigned VecQueueDepth = 16;  // four items a vector, four vectors behind one that waits for its MVM
  localparam int unsigned Writers = 3;
  localparam int unsigned Readers = 5;
  // Crossbar ports
  localparam int unsigned WrRx = 0, WrMvm = 1, WrVec = 2;
  localparam int unsigned RdMvm = 0, RdVecA = 1, RdVecB = 2, RdTx = 3, RdSeq = 4;

  // ---- wires, in the order data flow ----
  logic [Writers-1:0] wr_req, wr_gnt;
  logic [Writers-1:0][15:0] wr_addr;
  logic [Writers-1:0][LineBytes-1:0] wr_strb;
  logic [Writers-1:0][LineBits-1:0] wr_data;
  logic [Readers-1:0] rd_req, rd_gnt, rd_rvalid;
  logic [Readers-1:0][15:0] rd_addr;
  logic [Readers-1:0][LineBits-1:0] rd_rdata;

  logic [3:0] wait_valid, wait_gnt, sig_valid;
  logic [3:0][3:0] wait_token, sig_token;
  logic [3:0][7:0] wait_count, sig_count;
  logic tok_valid, token_overflow;
  logic [3:0] tok_token;

  logic seq_cfg_valid, seq_cfg_ready, seq_cfg_bad, rx_cfg_valid, rx_cfg_ready, cfg_busy;
  logic [9:0] seq_cfg_addr, rx_cfg_addr;
  logic [31:0] seq_cfg_wdata, rx_cfg_wdata, cal_wdata;
  logic [AddrBits-1:0] agu_wdata;
  logic [NumScalar-1:0][15:0] scalar;
  mvm_cfg_t [NumMvmCfg-1:0] mvm_cfg;
  logic [NumMvmCfg-1:0] mvm_ok;
  vec_cfg_t [NumVecCfg-1:0] vec_cfg;
  timing_cfg_t timing_cfg;
  prog_cfg_t prog_cfg;
  logic [TrapWatchdogBits-1:0] watchdog_limit;
  logic trap_overflow, prog_ok;
  logic agu_we, cal_we, repair_we;
  logic [6:0] repair_lane;
  logic [31:0] repair_wdata;
  logic [$clog2(NumAgu)-1:0] agu_sel;
  logic [2:0] agu_word;
  logic [8:0] cal_addr;

  logic mvm_push, mvm_room, mvm_valid, mvm_ready, vec_push, vec_room, vec_valid, vec_ready;
  logic net_push, net_room, net_valid, net_ready;
  mvm_item_t mvm_new, mvm_item;
  vec_item_t vec_new, vec_item;
  net_item_t net_new, net_item;
  logic [$clog2(QueueDepth+1)-1:0] mvm_count, net_count;
  logic [$clog2(VecQueueDepth+1)-1:0] vec_count;

  logic cmd_valid, cmd_ready;
  logic [AddrBits-1:0] cmd_addr;
  logic [15:0] cmd_len;

  logic mvm_idle, vec_idle, tx_idle, rx_idle, engines_idle, drop_waits, seq_active, prog_busy;
  logic xbar_busy, clearing, token_clear, watchdog, parity, overflow_q, any_event;
  fault_e mvm_fault, vec_fault, tx_fault, rx_fault, cfg_fault;

  logic ev_instr, ev_step, ev_vec_wr, ev_tx_flit, ev_tx_rd, ev_rx_flit, ev_rx_wr;
  logic [3:0] ev_vec_sats;
  logic [1:0] ev_vec_rd;
  mvm_events_t ev_mvm;

  // ---- commands and straps: from far away on the chip, so they are registered where they arrive ----
  logic start_q, stop_q, clear_q;
  logic [15:0] start_pc_q;
  logic [3:0] mesh_x_q;
  logic [6:0] tiles_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {start_q, stop_q, clear_q} <= '0;
    else {start_q, stop_q, clear_q} <= {start_i, stop_i, clear_i};
  end
  always_ff @(posedge clk_i) begin
    start_pc_q <= start_pc_i;
    mesh_x_q   <= mesh_x_i;  // constant; the clock runs after reset while the SRAM clears
    tiles_q    <= tiles_i;
  end

  // ---- receive ----
  ohmac_noc_rx #(.SramBytes(SramBytes)) u_rx (
    .clk_i, .rst_ni, .flit_i(noc_i_flit), .flit_valid_i(noc_i_valid), .flit_ready_o(noc_i_ready),
    .wr_req_o(wr_req[WrRx]), .wr_addr_o(wr_addr[WrRx]), .wr_strb_o(wr_strb[WrRx]),
    .wr_data_o(wr_data[WrRx]),
    .wr_gnt_i(wr_gnt[WrRx]),
    .cfg_valid_o(rx_cfg_valid), .cfg_ready_i(rx_cfg_ready), .cfg_addr_o(rx_cfg_addr),
    .cfg_wdata_o(rx_cfg_wdata),
    .tok_valid_o(tok_valid), .tok_token_o(tok_token),
    .cmd_valid_o(cmd_valid), .cmd_ready_i(cmd_ready), .cmd_addr_o(cmd_addr), .cmd_len_o(cmd_len),
    .fault_o(rx_fault), .idle_o(rx_idle), .ev_flit_o(ev_rx_flit), .ev_wr_o(ev_rx_wr)
  );

  ohmac_tile_cfg #(.Rows(Rows), .Cols(Cols), .Lanes(Lanes), .Spares(Spares)) u_cfg (
    .clk_i, .rst_ni,
    .seq_valid_i(seq_cfg_valid), .seq_ready_o(seq_cfg_ready), .seq_addr_i(seq_cfg_addr),
    .seq_wdata_i(seq_cfg_wdata), .seq_bad_o(seq_cfg_bad),
    .rx_valid_i(rx_cfg_valid), .rx_ready_o(rx_cfg_ready), .rx_addr_i(rx_cfg_addr),
    .rx_wdata_i(rx_cfg_wdata), .mvm_idle_i(mvm_idle),
    .scalar_o(scalar), .mvm_cfg_o(mvm_cfg), .mvm_ok_o(mvm_ok), .vec_cfg_o(vec_cfg),
    .timing_o(timing_cfg), .watchdog_o(watchdog_limit), .trap_overflow_o(trap_overflow),
    .prog_o(prog_cfg), .prog_ok_o(prog_ok),
    .busy_o(cfg_busy), .fault_o(cfg_fault), .agu_we_o(agu_we), .agu_sel_o(agu_sel), .agu_word_o(agu_word),
    .agu_wdata_o(agu_wdata),
    .cal_we_o(cal_we), .cal_addr_o(cal_addr), .cal_wdata_o(cal_wdata),
    .repair_we_o(repair_we), .repair_lane_o(repair_lane), .repair_wdata_o(repair_wdata)
  );

  // ---- sequencer and its queues ----
  ohmac_sequencer #(.Rows(Rows), .Lanes(Lanes), .SramBytes(SramBytes)) u_seq (
    .clk_i, .rst_ni, .start_i(start_q), .start_pc_i(start_pc_q), .stop_i(stop_q), .clear_i(clear_q),
    .clear_o(token_clear), .status_o,
    .rd_req_o(rd_req[RdSeq]), .rd_addr_o(rd_addr[RdSeq]), .rd_gnt_i(rd_gnt[RdSeq]),
    .rd_rvalid_i(rd_rvalid[RdSeq]), .rd_rdata_i(rd_rdata[RdSeq]),
    .scalar_i(scalar), .mvm_cfg_i(mvm_cfg), .mvm_ok_i(mvm_ok), .vec_cfg_i(vec_cfg),
    .timing_i(timing_cfg), .prog_ok_i(prog_ok), .tiles_i(tiles_q),
    .cfg_busy_i(cfg_busy), .agu_we_i(agu_we), .agu_sel_i(agu_sel), .agu_word_i(agu_word),
    .agu_wdata_i(agu_wdata),
    .cfg_valid_o(seq_cfg_valid), .cfg_ready_i(seq_cfg_ready), .cfg_bad_i(seq_cfg_bad),
    .cfg_addr_o(seq_cfg_addr), .cfg_wdata_o(seq_cfg_wdata),
    .wait_valid_o(wait_valid[EngineSeq]), .wait_token_o(wait_token[EngineSeq]),
    .wait_count_o(wait_count[EngineSeq]),
    .wait_gnt_i(wait_gnt[EngineSeq]),
    .sig_valid_o(sig_valid[EngineSeq]), .sig_token_o(sig_token[EngineSeq]),
    .sig_count_o(sig_count[EngineSeq]),
    .mvm_valid_o(mvm_push), .mvm_ready_i(mvm_room), .mvm_item_o(mvm_new),
    .vec_valid_o(vec_push), .vec_ready_i(vec_room), .vec_item_o(vec_new),
    .net_valid_o(net_push), .net_ready_i(net_room), .net_item_o(net_new),
    .engines_idle_i(engines_idle), .settled_i(!xbar_busy && !overflow_q),
    .mvm_fault_i(mvm_fault), .rx_fault_i(rx_fault), .token_fault_i(token_overflow),
    .cfg_fault_i(cfg_fault), .parity_fault_i(parity), .overflow_fault_i(overflow_q),
    .watchdog_i(watchdog),
    .drop_waits_o(drop_waits), .active_o(seq_active), .ev_instr_o(ev_instr)
  );

  ohmac_fifo #(.Width($bits(mvm_item_t)), .Depth(QueueDepth)) u_mvm_queue (
    .clk_i, .rst_ni, .clear_i(1'b0), .valid_i(mvm_push), .ready_o(mvm_room), .data_i(mvm_new),
    .valid_o(mvm_valid), .ready_i(mvm_ready), .data_o(mvm_item), .count_o(mvm_count)
  );
  ohmac_fifo #(.Width($bits(vec_item_t)), .Depth(VecQueueDepth)) u_vec_queue (
    .clk_i, .rst_ni, .clear_i(1'b0), .valid_i(vec_push), .ready_o(vec_room), .data_i(vec_new),
    .valid_o(vec_valid), .ready_i(vec_ready), .data_o(vec_item), .count_o(vec_count)
  );
  ohmac_fifo #(.Width($bits(net_item_t)), .Depth(QueueDepth)) u_net_queue (
    .clk_i, .rst_ni, .clear_i(1'b0), .valid_i(net_push), .ready_o(net_room), .data_i(net_new),
    .valid_o(net_valid), .ready_i(net_ready), .data_o(net_item), .count_o(net_count)
  );
  assign engines_idle = mvm_count == '0 && vec_count == '0 && net_count == '0 &&
      mvm_idle && vec_idle && tx_idle;

  // ---- engines ----
  ohmac_mvm #(
    .Rows(Rows), .Cols(Cols), .Lanes(Lanes), .Spares(Spares), .SramBytes(SramBytes)
  ) u_mvm (
    .clk_i, .rst_ni, .item_valid_i(mvm_valid), .item_ready_o(mvm_ready), .item_i(mvm_item),
    .cfg_i(mvm_cfg), .timing_i(timing_cfg), .prog_cfg_i(prog_cfg), .cal_we_i(cal_we),
    .cal_addr_i(cal_addr), .cal_wdata_i(cal_wdata),
    .repair_we_i(repair_we), .repair_lane_i(repair_lane), .repair_wdata_i(repair_wdata),
    .wait_valid_o(wait_valid[EngineMvm]), .wait_token_o(wait_token[EngineMvm]),
    .wait_count_o(wait_count[EngineMvm]),
    .wait_gnt_i(wait_gnt[EngineMvm]),
    .sig_valid_o(sig_valid[EngineMvm]), .sig_token_o(sig_token[EngineMvm]),
    .sig_count_o(sig_count[EngineMvm]),
    .rd_req_o(rd_req[RdMvm]), .rd_addr_o(rd_addr[RdMvm]), .rd_gnt_i(rd_gnt[RdMvm]),
    .rd_rvalid_i(rd_rvalid[RdMvm]), .rd_rdata_i(rd_rdata[RdMvm]),
    .wr_req_o(wr_req[WrMvm]), .wr_addr_o(wr_addr[WrMvm]), .wr_strb_o(wr_strb[WrMvm]),
    .wr_data_o(wr_data[WrMvm]),
    .wr_gnt_i(wr_gnt[WrMvm]),
    .pins_o, .prog_o, .sar_code_o, .cmp_i, .drop_waits_i(drop_waits), .idle_o(mvm_idle),
    .prog_busy_o(prog_busy), .fault_o(mvm_fault),
    .events_o(ev_mvm)
  );

  ohmac_vector u_vec (
    .clk_i, .rst_ni, .item_valid_i(vec_valid), .item_ready_o(vec_ready), .item_i(vec_item),
    .cfg_i(vec_cfg),
    .wait_valid_o(wait_valid[EngineVec]), .wait_token_o(wait_token[EngineVec]),
    .wait_count_o(wait_count[EngineVec]),
    .wait_gnt_i(wait_gnt[EngineVec]),
    .sig_valid_o(sig_valid[EngineVec]), .sig_token_o(sig_token[EngineVec]),
    .sig_count_o(sig_count[EngineVec]),
    .rda_req_o(rd_req[RdVecA]), .rda_addr_o(rd_addr[RdVecA]), .rda_gnt_i(rd_gnt[RdVecA]),
    .rda_rvalid_i(rd_rvalid[RdVecA]), .rda_rdata_i(rd_rdata[RdVecA]),
    .rdb_req_o(rd_req[RdVecB]), .rdb_addr_o(rd_addr[RdVecB]), .rdb_gnt_i(rd_gnt[RdVecB]),
    .rdb_rvalid_i(rd_rvalid[RdVecB]), .rdb_rdata_i(rd_rdata[RdVecB]),
    .wr_req_o(wr_req[WrVec]), .wr_addr_o(wr_addr[WrVec]), .wr_strb_o(wr_strb[WrVec]),
    .wr_data_o(wr_data[WrVec]),
    .wr_gnt_i(wr_gnt[WrVec]),
    .drop_waits_i(drop_waits), .idle_o(vec_idle), .fault_o(vec_fault),
    .ev_step_o(ev_step), .ev_sats_o(ev_vec_sats), .ev_rd_o(ev_vec_rd), .ev_wr_o(ev_vec_wr)
  );

  ohmac_noc_tx u_tx (
    .clk_i, .rst_ni, .item_valid_i(net_valid), .item_ready_o(net_ready), .item_i(net_item),
    .cmd_valid_i(cmd_valid), .cmd_ready_o(cmd_ready), .cmd_addr_i(cmd_addr), .cmd_len_i(cmd_len),
    .mesh_x_i(mesh_x_q),
    .wait_valid_o(wait_valid[EngineNet]), .wait_token_o(wait_token[EngineNet]),
    .wait_count_o(wait_count[EngineNet]),
    .wait_gnt_i(wait_gnt[EngineNet]),
    .sig_valid_o(sig_valid[EngineNet]), .sig_token_o(sig_token[EngineNet]),
    .sig_count_o(sig_count[EngineNet]),
    .rd_req_o(rd_req[RdTx]), .rd_addr_o(rd_addr[RdTx]), .rd_gnt_i(rd_gnt[RdTx]),
    .rd_rvalid_i(rd_rvalid[RdTx]), .rd_rdata_i(rd_rdata[RdTx]),
    .flit_o(noc_o_flit), .flit_valid_o(noc_o_valid), .flit_ready_i(noc_o_ready),
    .drop_waits_i(drop_waits), .idle_o(tx_idle), .fault_o(tx_fault), .ev_flit_o(ev_tx_flit),
    .ev_rd_o(ev_tx_rd)
  );

  // ---- shared parts ----
  ohmac_tokens u_tokens (
    .clk_i, .rst_ni, .wait_valid_i(wait_valid), .wait_token_i(wait_token),
    .wait_count_i(wait_count),
    .wait_gnt_o(wait_gnt), .sig_valid_i(sig_valid), .sig_token_i(sig_token),
    .sig_count_i(sig_count),
    .rx_valid_i(tok_valid), .rx_token_i(tok_token), .clear_i(token_clear),
    .overflow_o(token_overflow)
  );

  ohmac_sram_xbar #(
    .SramBytes(SramBytes), .SramBanks(SramBanks), .Writers(Writers), .Readers(Readers)
  ) u_xbar (
    .clk_i, .rst_ni, .wr_req_i(wr_req), .wr_addr_i(wr_addr), .wr_strb_i(wr_strb),
    .wr_data_i(wr_data),
    .wr_gnt_o(wr_gnt), .rd_req_i(rd_req), .rd_addr_i(rd_addr), .rd_gnt_o(rd_gnt),
    .rd_rvalid_o(rd_rvalid),
    .rd_rdata_o(rd_rdata), .parity_o(parity), .clearing_o(clearing), .busy_o(xbar_busy)
  );

  ohmac_tile_counters #(.Lanes(Lanes)) u_counters (
    .clk_i, .rst_ni, .instr_i(ev_instr), .mvm_i(ev_mvm), .vec_step_i(ev_step),
    .vec_sats_i(ev_vec_sats),
    .vec_rd_i(ev_vec_rd), .vec_wr_i(ev_vec_wr), .tx_flit_i(ev_tx_flit), .tx_rd_i(ev_tx_rd),
    .rx_flit_i(ev_rx_flit), .rx_wr_i(ev_rx_wr), .sel_i(cnt_sel_i), .cnt_o
  );

  // ---- traps ----
  // Whatever moves a counter but ACTIVE.
  assign any_event = ev_instr || ev_mvm != '0 || ev_step || ev_vec_sats != '0 || ev_vec_rd != '0 ||
      ev_vec_wr || ev_tx_flit || ev_tx_rd || ev_rx_flit || ev_rx_wr;
  ohmac_watchdog u_watchdog (
    .clk_i, .rst_ni, .run_i(status_o.running && !drop_waits && !clearing), .event_i(any_event),
    .limit_i(watchdog_limit), .bite_o(watchdog)
  );
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) overflow_q <= 1'b0;
    else overflow_q <= trap_overflow && (ev_mvm.sats != '0 || ev_vec_sats != '0);
  end

  assign active_o = start_q || stop_q || clear_q || seq_active || !engines_idle || !rx_idle || cfg_busy || xbar_busy ||
      overflow_q || prog_o.repair_we;

  assign busy_o.seq  = status_o.running;
  assign busy_o.mvm  = mvm_count != '0 || !mvm_idle;
  assign busy_o.vec  = vec_count != '0 || !vec_idle;
  assign busy_o.net  = net_count != '0 || !tx_idle;
  assign busy_o.rx   = !rx_idle;
  assign busy_o.prog = prog_busy;

  // Vector unit and sender are given checked addresses only.
  always_ff @(posedge clk_i) begin
    if (rst_ni) CheckedAtIssue: assert (vec_fault == FaultNone && tx_fault == FaultNone);
  end
endmodule
