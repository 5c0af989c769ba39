// SPDX-License-Identifier: Apache-2.0
// Programs one row by write-verify, as README.md says. It takes a PROG when the MVM pipe is empty (pipe_idle_i) and then owns it:
//   Idle -> Load -> Read -> (Mask -> Pulse) a class of columns -> Load ... -> Drain -> Fail -> Idle
// A verify read is an operation of one row word for the phase, ADC and post stages (op_*, job_*); the engine overrides K, ROW_BASE,
// GROUP_ROWS, IN_SLICE and W_SLICES of the slot while busy_o. The psums come back on psum_*; hold_o stalls the post stage.
// A mask word goes out through the row word register of the DAC control (word_*), one cycle later, with pin mask_we.
// drop_i (the tile stops): no further iteration, and no pulses if the running one has not begun with them.
module ohmac_prog_ctrl
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Cols = 256,
  parameter int unsigned Lanes = 32
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      item_valid_i,
  output logic                      item_ready_o,
  input  mvm_item_t                 item_i,
  input  mvm_cfg_t                  cfg_i,         // the slot of item_i
  input  prog_cfg_t                 prog_cfg_i,
  input  logic                      drop_i,
  input  logic                      pipe_idle_i,
  output logic                      busy_o,
  output logic [7:0]                row_word_o,   // row / 4
  // verify read
  output logic                      job_valid_o,
  output logic [AddrBits-1:0]       job_dst_o,
  output logic                      op_valid_o,
  input  logic                      op_ready_i,
  output logic [1:0]                op_slot_o,
  output logic [31:0]               op_rdata_o,
  input  logic                      psum_valid_i,
  input  logic [VecLanes-1:0][31:0] psum_i,
  output logic                      hold_o,
  // SRAM
  output logic                      rd_req_o,
  output logic [15:0]               rd_addr_o,
  input  logic                      rd_gnt_i,
  input  logic                      rd_rvalid_i,
  input  logic [LineBits-1:0]       rd_rdata_i,
  output logic                      wr_req_o,
  output logic [15:0]               wr_addr_o,
  output logic [LineBits-1:0]       wr_data_o,
  input  logic                      wr_gnt_i,
  // mask words and pins
  output logic                      word_valid_o,
  output logic [7:0]                word_addr_o,
  output logic [31:0]               word_wdata_o,
  output logic                      en_o,
  output logic                      mask_we_o,
  output logic [9:0]                pulse_row_o,
  output logic                      neg_o,
  output logic                      set_o,
  output logic [3:0]                amp_o,
  output logic                      pulse_o,
  // events
  output logic                      read_o,
  output logic [9:0]                pulses_o,
  output logic [9:0]                fails_o
);
  localparam int unsigned Words = (Cols + 31) / 32;

  typedef enum logic [2:0] {
    StIdle,
    StLoad,   // the phase stage loads the row latches
    StRead,   // drive, conversions, compare
    StMask,   // mask words of a class
    StPulse,
    StDrain,  // the last psums are written
    StFail    // fail lines
  } state_e;

  state_e      state_q, state_d;
  logic        take, verify, read_done, read_start_q, class_end, iteration_end;

  // Item
  logic [15:0]         src_line_q, fail_line_q;
  logic [AddrBits-1:0] dst_q;
  logic [9:0]          row_q;
  logic [1:0]          slot_q;
  logic [6:0]          first_q, end_q, groups_q;  // groups of 8 columns
  logic [6:0]          first, groups;

  // Iteration
  logic [7:0] iter_q, every_q;
  logic [3:0] amp_q, amp_next;
  logic       last_iter, amp_step;

  // Classes
  logic [3:0][9:0] counts;
  logic [3:0]      present, left_q, left_d;
  logic [1:0]      class_q;
  logic [4:0]      word_q;
  logic            word_read, word_read_q;
  logic [7:0]      pulse_left_q;
  logic            any_off;

  logic                     state_we;
  logic [6:0]               state_group;
  logic [VecLanes-1:0][2:0] state;
  logic                     fail_start, fail_re, fail_done;
  logic [6:0]               fail_group;
  logic [31:0]              mask;
  logic [VecLanes-1:0]      off;

  function automatic logic [1:0] lowest(logic [2:0] bits);  // of four, one of which is set
    return bits[0] ? 2'd0 : bits[1] ? 2'd1 : bits[2] ? 2'd2 : 2'd3;
  endfunction

  assign item_ready_o = state_q == StIdle && pipe_idle_i;
  assign take         = item_valid_i & item_ready_o;
  assign first        = 7'(32'(cfg_i.mux_first) * (Lanes / VecLanes));
  assign groups       = 7'(32'(cfg_i.mux_count) * (Lanes / VecLanes));

  assign present   = {counts[3] != '0, counts[2] != '0, counts[1] != '0, counts[0] != '0};
  assign any_off   = present != '0;
  assign last_iter = iter_q + 8'd1 == prog_cfg_i.limit;
  assign amp_step  = every_q + 8'd1 == prog_cfg_i.amp_every;  // 0: never, pulses follow at most 254 reads

  always_comb begin
    amp_next = amp_q;
    if (amp_step && amp_q < prog_cfg_i.amp_last) amp_next = amp_q + 4'd1;
    else if (amp_step && amp_q > prog_cfg_i.amp_last) amp_next = amp_q - 4'd1;
  end

  // Mask words are read in cycles 0 .. Words-1 of StMask, and go to the row word register one cycle later.
  assign word_read     = state_q == StMask && word_q != 5'(Words);
  assign class_end     = state_q == StPulse && pulse_left_q == 8'd1;
  assign left_d        = left_q & ~(4'd1 << class_q);
  assign iteration_end = class_end && left_d == '0;

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle: if (take) state_d = StLoad;
      StLoad: if (op_ready_i) state_d = StRead;
      StRead: if (read_done) state_d = (!any_off || last_iter || drop_i) ? StDrain : StMask;
      StMask: if (!word_read) state_d = StPulse;
      StPulse: begin
        if (iteration_end) state_d = drop_i ? StDrain : StLoad;
        else if (class_end) state_d = StMask;
      end
      StDrain: if (pipe_idle_i) state_d = StFail;
      StFail: if (fail_done) state_d = StIdle;
      default: state_d = StIdle;
    endcase
  end

  assign verify = state_d == StLoad && state_q != StLoad;  // the next cycle is the first of a verify read

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= StIdle;
      read_start_q <= 1'b0;
      word_read_q  <= 1'b0;
    end else begin
      state_q      <= state_d;
      read_start_q <= verify;
      word_read_q  <= word_read;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      src_line_q  <= 16'(item_i.src >> 5);
      fail_line_q <= 16'(item_i.wrap_base >> 5);
      row_q       <= item_i.wrap_len[9:0];
      dst_q       <= item_i.dst;
      slot_q      <= item_i.cfg;
      first_q     <= first;
      groups_q    <= groups;
      end_q       <= first + groups;
      iter_q      <= '0;
      every_q     <= '0;
      amp_q       <= prog_cfg_i.amp_first;
    end else if (iteration_end) begin
      iter_q  <= iter_q + 8'd1;
      every_q <= amp_step ? '0 : every_q + 8'd1;
      amp_q   <= amp_next;
    end
    if (state_q == StRead) begin
      left_q  <= present;
      class_q <= lowest(present[2:0]);
    end else if (class_end) begin
      left_q  <= left_d;
      class_q <= lowest(left_d[2:0]);
    end
    if (state_q != StMask) word_q <= '0;
    else if (word_read) word_q <= word_q + 5'd1;
    pulse_left_q <= (state_q == StPulse) ? pulse_left_q - 8'd1 : prog_cfg_i.pulse;
  end

  // --- Verify read
  assign busy_o      = state_q != StIdle;
  assign row_word_o  = row_q[9:2];
  assign op_valid_o  = state_q == StLoad;
  assign op_slot_o   = slot_q;
  assign op_rdata_o  = {25'd0, prog_cfg_i.verify_x} << {row_q[1:0], 3'd0};
  assign job_valid_o = read_start_q;
  assign job_dst_o   = dst_q;

  ohmac_prog_compare u_compare (
    .clk_i,
    .rst_ni,
    .start_i      (read_start_q),
    .src_line_i   (src_line_q),
    .groups_i     (groups_q),
    .tolerance_i  (prog_cfg_i.tolerance),
    .rd_req_o,
    .rd_addr_o,
    .rd_gnt_i,
    .rd_rvalid_i,
    .rd_rdata_i,
    .psum_valid_i,
    .psum_i,
    .hold_o,
    .state_we_o   (state_we),
    .state_group_o(state_group),
    .state_o      (state),
    .counts_o     (counts),
    .done_o       (read_done)
  );

  ohmac_prog_columns #(
    .Cols(Cols)
  ) u_columns (
    .clk_i,
    .first_i (first_q),
    .end_i   (end_q),
    .we_i    (state_we),
    .group_i (first_q + state_group),
    .state_i (state),
    .re_i    (word_read | fail_re),
    .rgroup_i(fail_re ? fail_group : {word_q, 2'd0}),
    .neg_i   (class_q[1]),
    .set_i   (!class_q[0]),
    .mask_o  (mask),
    .off_o   (off)
  );

  // --- Fail lines
  assign fail_start = state_q == StDrain && pipe_idle_i;

  ohmac_prog_fail u_fail (
    .clk_i,
    .rst_ni,
    .start_i  (fail_start),
    .line_i   (fail_line_q),
    .first_i  (first_q),
    .end_i    (end_q),
    .re_o     (fail_re),
    .rgroup_o (fail_group),
    .off_i    (off),
    .wr_req_o,
    .wr_addr_o,
    .wr_data_o,
    .wr_gnt_i,
    .done_o   (fail_done)
  );

  // --- Mask words and pins. The word register adds a cycle, so do the pins.
  logic       en_q, mask_we_q, pulse_q, neg_q, set_q;
  logic [3:0] amp_pin_q;
  logic [4:0] word_addr_q;
  logic [9:0] fails_q;

  assign word_valid_o = word_read_q;
  assign word_addr_o  = 8'(word_addr_q);
  assign word_wdata_o = mask;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      en_q      <= 1'b0;
      mask_we_q <= 1'b0;
      pulse_q   <= 1'b0;
    end else begin
      en_q      <= state_q == StMask || state_q == StPulse;
      mask_we_q <= word_read_q;
      pulse_q   <= state_q == StPulse;
    end
  end

  always_ff @(posedge clk_i) begin
    word_addr_q <= word_q;
    // In the first cycle of the masks of a class the pulse of the one before may still be high.
    if (state_q == StMask) begin
      neg_q     <= class_q[1];
      set_q     <= !class_q[0];
      amp_pin_q <= amp_q;
    end
    fails_q <= counts[0] + counts[1] + counts[2] + counts[3];
  end

  assign en_o        = en_q;
  assign mask_we_o   = mask_we_q;
  assign pulse_row_o = row_q;
  assign neg_o       = neg_q;
  assign set_o       = set_q;
  assign amp_o       = amp_pin_q;
  assign pulse_o     = pulse_q;

  assign read_o   = read_start_q;
  assign pulses_o = (state_q == StMask && !word_read) ? counts[class_q] : '0;
  assign fails_o  = fail_done ? fails_q : '0;

  // Fields of the item and of the slot that a PROG does not use, and low bits of aligned addresses.
  logic unused;
  assign unused = ^{item_i, cfg_i};

  always_ff @(posedge clk_i) begin
    if (rst_ni) LegalSettings: assert (!busy_o || (prog_cfg_i.limit != '0 && prog_cfg_i.pulse != '0
        && prog_cfg_i.verify_x != '0));
    if (rst_ni) PulsedClassHasColumns: assert (state_q != StPulse || counts[class_q] != '0);
    if (rst_ni) FailLinesFollowPsums: assert (!wr_req_o || pipe_idle_i);
  end
  PulsePinsHold: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !(pulse_q && $past(pulse_q)) || $stable({pulse_row_o, neg_q, set_q, amp_pin_q}));
endmodule
