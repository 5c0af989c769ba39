// SPDX-License-Identifier: Apache-2.0
// MVM engine: fetch -> phase -> ADC -> post, all overlapping. Ports as in INTERFACES.md, arithmetic and timing as in README.md.
// At most two operations are staged, two hold accumulators. Pins are registered, except that nothing is gated: they rest low.
// A PROG waits at the queue until the pipe is empty; then ohmac_prog_ctrl feeds its verify reads into phase, ADC and post.
module ohmac_mvm
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Rows = 256,
  parameter int unsigned Cols = 256,
  parameter int unsigned Lanes = 32,
  parameter int unsigned Spares = Lanes,
  parameter int unsigned SramBytes = 65536
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  // queue head
  input  logic                             item_valid_i,
  output logic                             item_ready_o,
  input  mvm_item_t                        item_i,
  // configuration
  input  mvm_cfg_t [NumMvmCfg-1:0]         cfg_i,
  input  timing_cfg_t                      timing_i,
  input  prog_cfg_t                        prog_cfg_i,
  input  logic                             cal_we_i,
  input  logic [8:0]                       cal_addr_i,
  input  logic [31:0]                      cal_wdata_i,
  input  logic                             repair_we_i,
  input  logic [6:0]                       repair_lane_i,
  input  logic [31:0]                      repair_wdata_i,
  // tokens
  output logic                             wait_valid_o,
  output logic [3:0]                       wait_token_o,
  output logic [7:0]                       wait_count_o,
  input  logic                             wait_gnt_i,
  input  logic                             drop_waits_i,
  output logic                             sig_valid_o,
  output logic [3:0]                       sig_token_o,
  output logic [7:0]                       sig_count_o,
  // SRAM
  output logic                             rd_req_o,
  output logic [15:0]                      rd_addr_o,
  input  logic                             rd_gnt_i,
  input  logic                             rd_rvalid_i,
  input  logic [LineBits-1:0]              rd_rdata_i,
  output logic                             wr_req_o,
  output logic [15:0]                      wr_addr_o,
  output logic [31:0]                      wr_strb_o,
  output logic [LineBits-1:0]              wr_data_o,
  input  logic                             wr_gnt_i,
  // macro
  output macro_pins_t                      pins_o,
  output macro_prog_t                      prog_o,
  output logic [Lanes-1:0][MaxAdcBits-1:0] sar_code_o,
  input  logic [Lanes-1:0]                 cmp_i,
  // status
  output mvm_events_t                      events_o,
  output logic                             idle_o,
  output logic                             prog_busy_o,
  output fault_e                           fault_o
);
  localparam int unsigned WordW = $clog2(Rows / 4);
  localparam int unsigned Mux = Cols / Lanes;
  localparam int unsigned MuxW = (Mux > 1) ? $clog2(Mux) : 1;

  if (Cols % Lanes != 0 || Lanes % VecLanes != 0 || Lanes > 128) begin : gen_bad_lanes
    $fatal(1, "ohmac_mvm: Cols must be a multiple of Lanes, Lanes of 8 and at most 128, not %0d and %0d", Cols, Lanes);
  end
  if (Rows % 4 != 0 || Rows < 8 || Rows > 1020) begin : gen_bad_rows
    $fatal(1, "ohmac_mvm: Rows must be a multiple of 4, 8 .. 1020, not %0d", Rows);
  end
  if (Cols > 512 || Mux > 63) begin : gen_bad_cols
    $fatal(1, "ohmac_mvm: at most 512 columns and 63 column blocks, not %0d and %0d", Cols, Mux);
  end

  if (Spares > Lanes) begin : gen_bad_spares
    $fatal(1, "ohmac_mvm: at most one spare column a lane, not %0d for %0d lanes", Spares, Lanes);
  end

  mvm_cfg_t [NumMvmCfg-1:0] cfg;
  logic                is_prog, fetch_ready, prog_ready, prog_busy, pipe_idle;
  logic                job_valid, job_ready, job_signal, prog_job;
  logic [3:0]          job_token;
  logic [7:0]          job_count;
  logic [AddrBits-1:0] job_dst, prog_dst;
  logic [1:0]          job_slot, prog_slot;
  logic                op_valid, op_ready, op_re, prog_op;
  logic [1:0]          op_slot;
  logic [WordW-1:0]    op_addr;
  logic [31:0]         op_rdata, prog_rdata;
  logic [7:0]          prog_row_word;
  logic                psum_valid, psum_hold;
  logic [VecLanes-1:0][31:0] psum;
  logic                fetch_rd, prog_rd, post_wr, prog_wr;
  logic [15:0]         fetch_rd_addr, prog_rd_addr, post_wr_addr, prog_wr_addr;
  logic [31:0]         post_wr_strb;
  logic [LineBits-1:0] post_wr_data, prog_wr_data;
  logic                mask_valid;
  logic [7:0]          mask_addr;
  logic [31:0]         mask_wdata;
  logic                conv_valid, conv_first, conv_last;
  logic [1:0]          conv_slot;
  logic [2:0]          conv_shift;
  logic                op_done, acc_re, acc_bank, acc_release;
  logic [MuxW-1:0]     acc_block;
  logic [Lanes-1:0][ColAccBits-1:0] acc;
  logic [1:0][14:0]    shift_sum;
  logic                fetch_idle, post_idle, op_finished, conversion, adc_busy, bank;
  logic [7:0]          clips, acc_sats;
  logic [3:0]          psum_sats;

  // --- The queue head goes to the fetch stage, or to the programming control
  assign is_prog      = item_i.kind == ItemOp && item_i.prog;
  assign item_ready_o = is_prog ? prog_ready : fetch_ready & !prog_busy;

  // A verify read is an operation with one group of 4 rows, 7-bit slices and one column a weight.
  always_comb begin
    cfg = cfg_i;
    for (int unsigned s = 0; s < NumMvmCfg; s++) begin
      if (prog_busy) begin
        cfg[s].k          = 10'd4;
        cfg[s].row_base   = {prog_row_word, 2'd0};
        cfg[s].group_rows = 10'd4;
        cfg[s].in_slice   = 2'd0;
        cfg[s].w_slices   = 2'd0;
      end
    end
  end

  ohmac_mvm_fetch #(
    .Rows     (Rows),
    .SramBytes(SramBytes)
  ) u_fetch (
    .clk_i,
    .rst_ni,
    .item_valid_i(item_valid_i & !is_prog & !prog_busy),
    .item_ready_o(fetch_ready),
    .item_i,
    .cfg_i,
    .wait_valid_o,
    .wait_token_o,
    .wait_count_o,
    .wait_gnt_i,
    .drop_waits_i,
    .rd_req_o    (fetch_rd),
    .rd_addr_o   (fetch_rd_addr),
    .rd_gnt_i,
    .rd_rvalid_i,
    .rd_rdata_i,
    .job_valid_o (job_valid),
    .job_ready_i (job_ready),
    .job_signal_o(job_signal),
    .job_token_o (job_token),
    .job_count_o (job_count),
    .job_dst_o   (job_dst),
    .job_slot_o  (job_slot),
    .op_valid_o  (op_valid),
    .op_ready_i  (op_ready),
    .op_slot_o   (op_slot),
    .op_re_i     (op_re),
    .op_addr_i   (op_addr),
    .op_rdata_o  (op_rdata),
    .idle_o      (fetch_idle),
    .fault_o
  );

  ohmac_mvm_phase #(
    .Rows(Rows)
  ) u_phase (
    .clk_i,
    .rst_ni,
    .cfg_i        (cfg),
    .timing_i,
    .op_valid_i   (prog_busy ? prog_op : op_valid),
    .op_ready_o   (op_ready),
    .op_slot_i    (prog_busy ? prog_slot : op_slot),
    .op_re_o      (op_re),
    .op_addr_o    (op_addr),
    .op_rdata_i   (prog_busy ? prog_rdata : op_rdata),
    .word_valid_i (mask_valid | repair_we_i),
    .word_addr_i  (mask_valid ? mask_addr : 8'(repair_lane_i)),
    .word_wdata_i (mask_valid ? mask_wdata : repair_wdata_i),
    .row_we_o     (pins_o.row_we),
    .row_bank_o   (pins_o.row_bank),
    .row_addr_o   (pins_o.row_addr),
    .row_wdata_o  (pins_o.row_wdata),
    .row_clr_o    (pins_o.row_clr),
    .drive_o      (pins_o.drive),
    .bank_o       (bank),
    .int_rst_o    (pins_o.int_rst),
    .integrate_o  (pins_o.integrate),
    .sample_o     (pins_o.sample),
    .conv_valid_o (conv_valid),
    .conv_slot_o  (conv_slot),
    .conv_first_o (conv_first),
    .conv_last_o  (conv_last),
    .conv_shift_o (conv_shift),
    .acc_release_i(acc_release)
  );
  assign pins_o.drive_bank  = bank;
  assign pins_o.sample_bank = bank;

  ohmac_mvm_adc #(
    .Cols (Cols),
    .Lanes(Lanes)
  ) u_adc (
    .clk_i,
    .rst_ni,
    .cfg_i       (cfg),
    .conv_valid_i(conv_valid),
    .conv_slot_i (conv_slot),
    .conv_first_i(conv_first),
    .conv_last_i (conv_last),
    .conv_shift_i(conv_shift),
    .conv_bank_i (bank),
    .sar_strobe_o(pins_o.sar_strobe),
    .mux_bank_o  (pins_o.mux_bank),
    .mux_sel_o   (pins_o.mux_sel),
    .range_o     (pins_o.range),
    .sar_code_o,
    .cmp_i,
    .op_done_o   (op_done),
    .post_re_i   (acc_re),
    .post_bank_i (acc_bank),
    .post_block_i(acc_block),
    .post_acc_o  (acc),
    .shift_sum_o (shift_sum),
    .conversion_o(conversion),
    .clips_o     (clips),
    .sats_o      (acc_sats),
    .busy_o      (adc_busy)
  );

  ohmac_mvm_post #(
    .Cols (Cols),
    .Lanes(Lanes)
  ) u_post (
    .clk_i,
    .rst_ni,
    .cfg_i        (cfg),
    .cal_we_i,
    .cal_addr_i,
    .cal_wdata_i,
    .job_valid_i  (prog_busy ? prog_job : job_valid),
    .job_ready_o  (job_ready),
    .job_signal_i (job_signal & !prog_busy),
    .job_token_i  (job_token),
    .job_count_i  (job_count),
    .job_dst_i    (prog_busy ? prog_dst : job_dst),
    .job_slot_i   (prog_busy ? prog_slot : job_slot),
    .op_done_i    (op_done),
    .acc_re_o     (acc_re),
    .acc_bank_o   (acc_bank),
    .acc_block_o  (acc_block),
    .acc_i        (acc),
    .shift_sum_i  (shift_sum),
    .acc_release_o(acc_release),
    .hold_i       (psum_hold),
    .psum_valid_o (psum_valid),
    .psum_o       (psum),
    .wr_req_o     (post_wr),
    .wr_addr_o    (post_wr_addr),
    .wr_strb_o    (post_wr_strb),
    .wr_data_o    (post_wr_data),
    .wr_gnt_i,
    .sig_valid_o,
    .sig_token_o,
    .sig_count_o,
    .op_finished_o(op_finished),
    .sats_o       (psum_sats),
    .idle_o       (post_idle)
  );

  // --- Programming and repair
  ohmac_prog_ctrl #(
    .Cols (Cols),
    .Lanes(Lanes)
  ) u_prog (
    .clk_i,
    .rst_ni,
    .item_valid_i(item_valid_i & is_prog),
    .item_ready_o(prog_ready),
    .item_i,
    .cfg_i       (cfg_i[item_i.cfg]),
    .prog_cfg_i,
    .drop_i      (drop_waits_i),
    .pipe_idle_i (pipe_idle),
    .busy_o      (prog_busy),
    .row_word_o  (prog_row_word),
    .job_valid_o (prog_job),
    .job_dst_o   (prog_dst),
    .op_valid_o  (prog_op),
    .op_ready_i  (op_ready),
    .op_slot_o   (prog_slot),
    .op_rdata_o  (prog_rdata),
    .psum_valid_i(psum_valid),
    .psum_i      (psum),
    .hold_o      (psum_hold),
    .rd_req_o    (prog_rd),
    .rd_addr_o   (prog_rd_addr),
    .rd_gnt_i,
    .rd_rvalid_i,
    .rd_rdata_i,
    .wr_req_o    (prog_wr),
    .wr_addr_o   (prog_wr_addr),
    .wr_data_o   (prog_wr_data),
    .wr_gnt_i,
    .word_valid_o(mask_valid),
    .word_addr_o (mask_addr),
    .word_wdata_o(mask_wdata),
    .en_o        (prog_o.en),
    .mask_we_o   (prog_o.mask_we),
    .pulse_row_o (prog_o.row),
    .neg_o       (prog_o.neg),
    .set_o       (prog_o.set),
    .amp_o       (prog_o.amp),
    .pulse_o     (prog_o.pulse),
    .read_o      (events_o.prog_read),
    .pulses_o    (events_o.pulses),
    .fails_o     (events_o.prog_fails)
  );

  // REPAIR words were checked by ohmac_tile_cfg. They pass the register of the row words; no row word is near when the engine rests.
  logic repair_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) repair_q <= 1'b0;
    else repair_q <= repair_we_i;
  end
  assign prog_o.repair_we  = repair_q;
  assign prog_o.repair_clr = !rst_ni;

  // One read port and one write port: fetch and programming never work at the same time, psums are written before fail lines.
  assign rd_req_o  = fetch_rd | prog_rd;
  assign rd_addr_o = prog_busy ? prog_rd_addr : fetch_rd_addr;
  assign wr_req_o  = post_wr | prog_wr;
  assign wr_addr_o = prog_wr ? prog_wr_addr : post_wr_addr;
  assign wr_strb_o = prog_wr ? '1 : post_wr_strb;
  assign wr_data_o = prog_wr ? prog_wr_data : post_wr_data;

  // A job leaves the post stage last of all, so an empty post stage means empty stages before it.
  assign pipe_idle   = fetch_idle & post_idle;
  assign prog_busy_o = prog_busy;
  assign idle_o      = pipe_idle & !prog_busy;

  assign events_o.mvm_op     = op_finished & !prog_busy;
  assign events_o.drive      = pins_o.int_rst;
  assign events_o.conversion = conversion;
  assign events_o.trial      = pins_o.sar_strobe;
  assign events_o.clips      = clips;
  assign events_o.row_word   = pins_o.row_we;
  assign events_o.sats       = acc_sats + 8'(psum_sats);
  assign events_o.sram_rd    = rd_req_o & rd_gnt_i;
  assign events_o.sram_wr    = wr_req_o & wr_gnt_i;
  assign events_o.adc_busy   = adc_busy;

  always_ff @(posedge clk_i) begin
    if (rst_ni) OneReader: assert (!(fetch_rd && prog_rd) && !(prog_busy && op_valid));
    if (rst_ni) OneWriter: assert (!(post_wr && prog_wr));
    if (rst_ni) JobsHaveRoom: assert (!prog_job || job_ready);
    if (rst_ni) ProgrammingExcludesReading: assert (!prog_o.en
        || !(pins_o.drive || pins_o.integrate || pins_o.sample || pins_o.sar_strobe));
    if (rst_ni) MaskWordsMeetNoRowWords: assert (!prog_o.mask_we || !(pins_o.row_we || prog_o.pulse));
    if (rst_ni) PulseOnlyWhenEnabled: assert (prog_o.en || !(prog_o.mask_we || prog_o.pulse));
    if (rst_ni) RepairOnlyAtRest: assert (!repair_we_i || idle_o);
    if (rst_ni) RepairedLaneHasASpare: assert (!repair_we_i || 32'(repair_lane_i) + 32'd1 <= Spares);
    if (rst_ni) RepairMeetsNoOtherPin: assert (!repair_q || !(prog_o.en || pins_o.drive || pins_o.row_we));
  end
  EnableComesFirst: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !(prog_o.mask_we || prog_o.pulse) || $past(prog_o.en));
endmodule
