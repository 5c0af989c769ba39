// SPDX-License-Identifier: Apache-2.0
// Test bench of the sequencer: it and the configuration space, wired as in the tile, with the queue items as flat ports.
module sequencer_tb
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
(
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         start_i,
  input  logic [15:0]  start_pc_i,
  input  logic         stop_i,
  input  logic         clear_i,
  input  logic [6:0]   tiles_i,
  output logic         clear_o,
  output logic         running_o,
  output logic         halted_o,
  output logic [7:0]   fault_o,
  output logic [15:0]  pc_o,
  output logic         rd_req_o,
  output logic [15:0]  rd_addr_o,
  input  logic         rd_gnt_i,
  input  logic         rd_rvalid_i,
  input  logic [255:0] rd_rdata_i,
  input  logic         rx_valid_i,
  output logic         rx_ready_o,
  input  logic [9:0]   rx_addr_i,
  input  logic [31:0]  rx_wdata_i,
  output logic         setr_o,        // a SETR writes in this cycle
  output logic [9:0]   setr_addr_o,
  output logic [31:0]  setr_wdata_o,
  output logic         wait_valid_o,
  output logic [3:0]   wait_token_o,
  output logic [7:0]   wait_count_o,
  input  logic         wait_gnt_i,
  output logic         sig_valid_o,
  output logic [3:0]   sig_token_o,
  output logic [7:0]   sig_count_o,
  output logic         mvm_valid_o,
  input  logic         mvm_ready_i,
  output logic [1:0]   mvm_kind_o,
  output logic [3:0]   mvm_token_o,
  output logic [7:0]   mvm_count_o,
  output logic [23:0]  mvm_src_o,
  output logic [23:0]  mvm_wrap_base_o,
  output logic [23:0]  mvm_wrap_len_o,
  output logic [23:0]  mvm_dst_o,
  output logic [1:0]   mvm_cfg_o,
  output logic         mvm_prog_o,
  output logic         vec_valid_o,
  input  logic         vec_ready_i,
  output logic [1:0]   vec_kind_o,
  output logic [3:0]   vec_token_o,
  output logic [7:0]   vec_count_o,
  output logic [23:0]  vec_a_o,
  output logic [23:0]  vec_b_o,
  output logic         vec_use_b_o,
  output logic [23:0]  vec_dst_o,
  output logic [2:0]   vec_cfg_o,
  output logic         net_valid_o,
  input  logic         net_ready_i,
  output logic [1:0]   net_kind_o,
  output logic [3:0]   net_token_o,
  output logic [7:0]   net_count_o,
  output logic         net_token_en_o,
  output logic [23:0]  net_src_o,
  output logic [6:0]   net_tile_o,
  output logic [23:0]  net_dst_o,
  output logic [11:0]  net_len_o,
  input  logic         engines_idle_i,
  input  logic         settled_i,
  input  logic [7:0]   mvm_fault_i,
  input  logic [7:0]   rx_fault_i,
  input  logic         token_fault_i,
  input  logic         parity_fault_i,
  input  logic         overflow_fault_i,
  input  logic         watchdog_i,
  output logic         drop_waits_o,
  output logic         active_o,
  output logic         ev_instr_o
);
  localparam int unsigned Rows = 32, Cols = 32, Lanes = 8, SramBytes = 16384;

  logic seq_valid, seq_ready, seq_bad, cfg_busy, agu_we, cal_we, prog_ok;
  logic [9:0] seq_addr;
  logic [31:0] seq_wdata, cal_wdata;
  logic [AddrBits-1:0] agu_wdata;
  logic [NumScalar-1:0][15:0] scalar;
  mvm_cfg_t [NumMvmCfg-1:0] mvm_cfg;
  logic [NumMvmCfg-1:0] mvm_ok;
  vec_cfg_t [NumVecCfg-1:0] vec_cfg;
  timing_cfg_t timing_cfg;
  logic [2:0] agu_sel, agu_word;
  logic [8:0] cal_addr;
  tile_status_t status;
  fault_e cfg_fault;
  mvm_item_t mvm_item;
  vec_item_t vec_item;
  net_item_t net_item;

  ohmac_tile_cfg #(.Rows(Rows), .Cols(Cols), .Lanes(Lanes)) u_cfg (
    .clk_i, .rst_ni, .seq_valid_i(seq_valid), .seq_ready_o(seq_ready), .seq_addr_i(seq_addr), .seq_wdata_i(seq_wdata),
    .seq_bad_o(seq_bad), .mvm_idle_i(engines_idle_i), .fault_o(cfg_fault), .prog_ok_o(prog_ok),
    .watchdog_o(), .trap_overflow_o(), .prog_o(), .repair_we_o(), .repair_lane_o(), .repair_wdata_o(),
    .rx_valid_i, .rx_ready_o, .rx_addr_i, .rx_wdata_i,
    .scalar_o(scalar), .mvm_cfg_o(mvm_cfg), .mvm_ok_o(mvm_ok), .vec_cfg_o(vec_cfg), .timing_o(timing_cfg),
    .busy_o(cfg_busy), .agu_we_o(agu_we), .agu_sel_o(agu_sel), .agu_word_o(agu_word), .agu_wdata_o(agu_wdata),
    .cal_we_o(cal_we), .cal_addr_o(cal_addr), .cal_wdata_o(cal_wdata)
  );

  ohmac_sequencer #(.Rows(Rows), .Lanes(Lanes), .SramBytes(SramBytes)) u_seq (
    .clk_i, .rst_ni, .start_i, .start_pc_i, .stop_i, .clear_i, .clear_o, .status_o(status), .rd_req_o, .rd_addr_o, .rd_gnt_i, .rd_rvalid_i, .rd_rdata_i,
    .scalar_i(scalar), .mvm_cfg_i(mvm_cfg), .mvm_ok_i(mvm_ok), .vec_cfg_i(vec_cfg), .timing_i(timing_cfg),
    .prog_ok_i(prog_ok), .tiles_i, .cfg_bad_i(seq_bad), .cfg_busy_i(cfg_busy), .agu_we_i(agu_we), .agu_sel_i(agu_sel), .agu_word_i(agu_word), .agu_wdata_i(agu_wdata),
    .cfg_valid_o(seq_valid), .cfg_ready_i(seq_ready), .cfg_addr_o(seq_addr), .cfg_wdata_o(seq_wdata),
    .wait_valid_o, .wait_token_o, .wait_count_o, .wait_gnt_i, .sig_valid_o, .sig_token_o, .sig_count_o,
    .mvm_valid_o, .mvm_ready_i, .mvm_item_o(mvm_item), .vec_valid_o, .vec_ready_i, .vec_item_o(vec_item),
    .net_valid_o, .net_ready_i, .net_item_o(net_item), .engines_idle_i, .settled_i,
    .mvm_fault_i(fault_e'(mvm_fault_i)), .rx_fault_i(fault_e'(rx_fault_i)), .token_fault_i,
    .cfg_fault_i(cfg_fault), .parity_fault_i, .overflow_fault_i, .watchdog_i,
    .drop_waits_o, .active_o, .ev_instr_o
  );

  assign running_o    = status.running;
  assign halted_o     = status.halted;
  assign fault_o      = status.fault;
  assign pc_o         = status.pc;
  assign setr_o       = seq_valid && seq_ready;
  assign setr_addr_o  = seq_addr;
  assign setr_wdata_o = seq_wdata;

  assign mvm_kind_o      = mvm_item.kind;
  assign mvm_token_o     = mvm_item.token;
  assign mvm_count_o     = mvm_item.count;
  assign mvm_src_o       = mvm_item.src;
  assign mvm_wrap_base_o = mvm_item.wrap_base;
  assign mvm_wrap_len_o  = mvm_item.wrap_len;
  assign mvm_dst_o       = mvm_item.dst;
  assign mvm_cfg_o       = mvm_item.cfg;
  assign mvm_prog_o      = mvm_item.prog;
  assign vec_kind_o      = vec_item.kind;
  assign vec_token_o     = vec_item.token;
  assign vec_count_o     = vec_item.count;
  assign vec_a_o         = vec_item.a;
  assign vec_b_o         = vec_item.b;
  assign vec_use_b_o     = vec_item.use_b;
  assign vec_dst_o       = vec_item.dst;
  assign vec_cfg_o       = vec_item.cfg;
  assign net_kind_o      = net_item.kind;
  assign net_token_o     = net_item.token;
  assign net_count_o     = net_item.count;
  assign net_token_en_o  = net_item.token_en;
  assign net_src_o       = net_item.src;
  assign net_tile_o      = net_item.tile;
  assign net_dst_o       = net_item.dst;
  assign net_len_o       = net_item.len;
endmodule
