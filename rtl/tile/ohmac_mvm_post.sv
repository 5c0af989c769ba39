// SPDX-License-Identifier: Apache-2.0
// Column post-processing: gain and offset of 8 physical columns a cycle, weight slices combined, psums written to SRAM.
// Jobs (operations and SIGNALs) come in order; an operation starts when the ADC stage has finished it, a SIGNAL fires when
// every write before it was granted. Pipeline, registers between all:
//   accumulator and CAL read -> partial products -> products -> corrected -> psum (saturated) -> 2 write lines
// It moves when the write lines have room, so a grant of the SRAM never reaches into the pipeline in its own cycle. hold_i stops it
// while psums are at its end; they leave it in the cycle of psum_valid_o, 8 columns in order (with W_SLICES 0).
module ohmac_mvm_post
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Cols = 256,
  parameter int unsigned Lanes = 32,
  localparam int unsigned Mux = Cols / Lanes,
  localparam int unsigned MuxW = (Mux > 1) ? $clog2(Mux) : 1,
  localparam int unsigned ColGroups = Cols / VecLanes,
  localparam int unsigned ColGroupW = (ColGroups > 1) ? $clog2(ColGroups) : 1
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  mvm_cfg_t [NumMvmCfg-1:0]          cfg_i,
  // CAL memory: gain and offset of a physical column
  input  logic                              cal_we_i,
  input  logic [8:0]                        cal_addr_i,
  input  logic [31:0]                       cal_wdata_i,
  // jobs
  input  logic                              job_valid_i,
  output logic                              job_ready_o,
  input  logic                              job_signal_i,
  input  logic [3:0]                        job_token_i,
  input  logic [7:0]                        job_count_i,
  input  logic [AddrBits-1:0]               job_dst_i,
  input  logic [1:0]                        job_slot_i,
  // accumulators
  input  logic                              op_done_i,
  output logic                              acc_re_o,
  output logic                              acc_bank_o,
  output logic [MuxW-1:0]                   acc_block_o,
  input  logic [Lanes-1:0][ColAccBits-1:0]  acc_i,
  input  logic [1:0][14:0]                  shift_sum_i,
  output logic                              acc_release_o,  // the oldest accumulator bank was read
  // psums on their way to the write lines
  input  logic                              hold_i,
  output logic                              psum_valid_o,
  output logic [VecLanes-1:0][31:0]         psum_o,
  // SRAM
  output logic                              wr_req_o,
  output logic [15:0]                       wr_addr_o,
  output logic [31:0]                       wr_strb_o,
  output logic [LineBits-1:0]               wr_data_o,
  input  logic                              wr_gnt_i,
  // tokens
  output logic                              sig_valid_o,
  output logic [3:0]                        sig_token_o,
  output logic [7:0]                        sig_count_o,
  // events
  output logic                              op_finished_o,
  output logic [3:0]                        sats_o,
  output logic                              idle_o
);
  localparam int unsigned SubW = (Lanes > VecLanes) ? $clog2(Lanes / VecLanes) : 1;
  localparam int unsigned LoBits = ColAccBits + 9;        // signed sum x unsigned byte
  localparam int unsigned ProdBits = ColAccBits + 17;     // signed sum x gain
  localparam int unsigned OffBits = 32;                   // signed offset x shift sum
  // A product loses 6 fraction bits; with the offset added, one more bit.
  localparam int unsigned CorrBits = ProdBits - 6 + 1;
  localparam int unsigned PsumBits = CorrBits + 8;        // four slices, shifts up to 6
  // Operations and signals between the token wait and here: at full rate 4 operations, each with a SIGNAL.
  localparam int unsigned JobDepth = 10;

  typedef struct packed {
    logic                is_signal;
    logic [3:0]          token;
    logic [7:0]          count;
    logic [AddrBits-1:0] dst;
    logic [1:0]          slot;
  } job_t;

  // What travels beside the data of 8 columns
  typedef struct packed {
    logic        last;      // of the operation
    logic [1:0]  w_slices;
    logic [1:0]  part;      // of the line: which half or quarter
    logic [15:0] line;
  } step_t;

  job_t job, job_in;
  logic job_valid, job_pop;
  logic [$clog2(JobDepth+1)-1:0] job_level;

  assign job_in = '{is_signal: job_signal_i, token: job_token_i, count: job_count_i, dst: job_dst_i,
                    slot: job_slot_i};
  ohmac_fifo #(
    .Width($bits(job_t)),
    .Depth(JobDepth)
  ) u_jobs (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(job_valid_i),
    .ready_o(job_ready_o),
    .data_i (job_in),
    .valid_o(job_valid),
    .ready_i(job_pop),
    .data_o (job),
    .count_o(job_level)
  );

  // --- Walk over the column groups of an operation
  mvm_cfg_t             cfg;
  logic [1:0]           pending_q;     // operations the ADC stage has finished and this walk has not
  logic                 bank_q;        // accumulator bank of the oldest
  logic [SubW-1:0]      sub_q;         // 8 columns inside a block
  logic [5:0]           block_q;       // blocks done
  logic [1:0]           part_q;
  logic [15:0]          line_q;        // lines done
  logic                 walk, step, step_sub_last, step_last, part_last, adv;
  logic [5:0]           block;
  logic [4:0]           valid_q;       // a stage holds 8 columns
  step_t                s1_q, s2_q, s3_q, s4_q, s5_q;
  logic                 s1_bank_q;
  logic [SubW-1:0]      s1_sub_q;
  logic                 drained, out_ready, out_valid;
  logic [1:0]           out_count;

  assign cfg           = cfg_i[job.slot];
  assign walk          = job_valid & !job.is_signal & (pending_q != '0);
  assign step          = walk & adv;
  assign step_sub_last = Lanes == VecLanes || sub_q == SubW'(Lanes / VecLanes - 1);
  assign step_last     = step_sub_last && block_q + 6'd1 == cfg.mux_count;
  assign block         = cfg.mux_first + block_q;

  // Lines fill as whole lines, halves or quarters: 8, 4 or 2 psums from 8 columns.
  always_comb begin
    unique case (cfg.w_slices)
      2'd0: part_last = 1'b1;
      2'd1: part_last = part_q[0];
      default: part_last = &part_q;
    endcase
  end

  assign acc_re_o    = step && sub_q == '0;
  assign acc_bank_o  = bank_q;
  assign acc_block_o = MuxW'(block);

  assign drained     = valid_q == '0 && out_count == '0;
  assign sig_valid_o = job_valid & job.is_signal & drained;
  assign sig_token_o = job.token;
  assign sig_count_o = job.count;
  assign job_pop     = sig_valid_o | (step & step_last);
  assign adv         = out_ready & !(valid_q[4] & hold_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pending_q <= '0;
      bank_q    <= 1'b0;
      sub_q     <= '0;
      block_q   <= '0;
      part_q    <= '0;
      line_q    <= '0;
      valid_q   <= '0;
    end else begin
      if (op_done_i != (step & step_last)) begin
        pending_q <= op_done_i ? pending_q + 2'd1 : pending_q - 2'd1;
      end
      if (step) begin
        sub_q   <= step_sub_last ? '0 : sub_q + SubW'(1);
        part_q  <= (part_last || step_last) ? '0 : part_q + 2'd1;
        if (step_sub_last) block_q <= step_last ? '0 : block_q + 6'd1;
        if (step_last) line_q <= '0;
        else if (part_last) line_q <= line_q + 16'd1;
        if (step_last) bank_q <= !bank_q;
      end
      if (adv) valid_q <= {valid_q[3:0], walk};
    end
  end

  always_ff @(posedge clk_i) begin
    if (adv) begin
      s1_q <= '{last: step_last, w_slices: cfg.w_slices, part: part_q, line: 16'(job.dst >> 5) + line_q};
      s1_bank_q <= bank_q;
      s1_sub_q  <= sub_q;
      s2_q <= s1_q;
      s3_q <= s2_q;
      s4_q <= s3_q;
      s5_q <= s4_q;
    end
  end

  // Held until the partial products are taken: only then may the ADC stage use the bank (and its read port) again.
  assign acc_release_o = adv & valid_q[0] & s1_q.last;

  // --- CAL memory: 8 columns side by side, 32 bits each
  logic [VecLanes-1:0][31:0] cal;
  logic [ColGroupW-1:0]      cal_group;
  assign cal_group = ColGroupW'(32'(block) * (Lanes / VecLanes) + 32'(sub_q));
  for (genvar c = 0; c < int'(VecLanes); c++) begin : gen_cal
    ohmac_mvm_mem #(
      .Width(32),
      .Depth(ColGroups)
    ) u_cal (
      .clk_i,
      .we_i   (cal_we_i && cal_addr_i[2:0] == 3'(c) && 32'(cal_addr_i) < Cols),
      .waddr_i(ColGroupW'(cal_addr_i >> 3)),
      .wdata_i(cal_wdata_i),
      .re_i   (step),
      .raddr_i(cal_group),
      .rdata_o(cal[c])
    );
  end

  // --- Arithmetic of 8 columns
  logic [14:0]                                 shift_sum;
  logic [VecLanes-1:0][ColAccBits-1:0]         acc8;
  // All signed; packed, so that no tool takes them for memories.
  logic [VecLanes-1:0][LoBits-1:0]             gain_lo_q, gain_hi_q;
  logic [VecLanes-1:0][24:0]                   off_lo_q;
  logic [VecLanes-1:0][23:0]                   off_hi_q;
  logic [VecLanes-1:0][ProdBits-1:0]           prod_q;
  logic [VecLanes-1:0][OffBits-1:0]            off_q;
  logic [VecLanes-1:0][CorrBits-1:0]           corr_q;
  logic [VecLanes/2-1:0][PsumBits-1:0]         sum4;
  logic [VecLanes-1:0][PsumBits-1:0]           corr, wide;
  logic [VecLanes-1:0]        sat;
  logic [VecLanes-1:0][31:0]  psum, psum_q;
  logic [3:0]                 sat_count, sat_count_q;

  assign shift_sum = shift_sum_i[s1_bank_q];
  if (Lanes == VecLanes) begin : gen_one_group
    assign acc8 = acc_i;
    logic unused_sub;
    assign unused_sub = ^s1_sub_q;
  end else begin : gen_groups
    assign acc8 = acc_i[s1_sub_q*VecLanes+:VecLanes];
  end

  always_ff @(posedge clk_i) begin
    if (adv) begin
      for (int unsigned c = 0; c < VecLanes; c++) begin
        // Two halves of each product, then their sum: a 24 x 16 multiplier in two stages.
        gain_lo_q[c] <= signed'(acc8[c]) * signed'({1'b0, cal[c][7:0]});
        gain_hi_q[c] <= signed'(acc8[c]) * signed'({1'b0, cal[c][15:8]});
        off_lo_q[c]  <= signed'(cal[c][31:16]) * signed'({1'b0, shift_sum[7:0]});
        off_hi_q[c]  <= signed'(cal[c][31:16]) * signed'({1'b0, shift_sum[14:8]});
        prod_q[c]    <= {gain_hi_q[c], 8'd0} + ProdBits'(signed'(gain_lo_q[c]));
        off_q[c]     <= {off_hi_q[c], 8'd0} + OffBits'(signed'(off_lo_q[c]));
        // (prod + 2^5) >>> 6: the bit below the cut is the carry
        corr_q[c]    <= CorrBits'(signed'(prod_q[c][ProdBits-1:6])) + CorrBits'(signed'(off_q[c]))
                        + CorrBits'(prod_q[c][5]);
      end
      psum_q      <= psum;
      sat_count_q <= sat_count;
    end
  end

  always_comb begin
    sat_count = '0;
    psum      = '0;
    sat       = '0;
    wide      = '0;
    for (int unsigned c = 0; c < VecLanes; c++) corr[c] = PsumBits'(signed'(corr_q[c]));
    for (int unsigned p = 0; p < VecLanes / 2; p++) begin
      sum4[p] = corr[2*p] + (corr[2*p+1] << ((s4_q.w_slices == 2'd1) ? 4 : 2));
    end
    unique case (s4_q.w_slices)
      2'd0: wide = corr;
      2'd1: wide[VecLanes/2-1:0] = sum4;
      default: begin
        for (int unsigned c = 0; c < VecLanes / 4; c++) wide[c] = sum4[2*c] + (sum4[2*c+1] << 4);
      end
    endcase
    for (int unsigned c = 0; c < VecLanes; c++) begin
      sat[c]  = wide[c][PsumBits-1:31] != '0 && wide[c][PsumBits-1:31] != '1;
      psum[c] = !sat[c] ? wide[c][31:0] : wide[c][PsumBits-1] ? 32'h8000_0000 : 32'h7fff_ffff;
      sat_count += 4'(sat[c]);
    end
  end

  // --- Write lines
  typedef struct packed {
    logic                last;
    logic [15:0]         line;
    logic [31:0]         strb;
    logic [LineBits-1:0] data;
  } out_t;
  out_t out_in, out;

  always_comb begin
    out_in = '{last: s5_q.last, line: s5_q.line, strb: '1, data: psum_q};
    unique case (s5_q.w_slices)
      2'd0: ;
      2'd1: begin
        out_in.data = {2{psum_q[3:0]}};
        out_in.strb = 32'h0000_ffff << {s5_q.part[0], 4'd0};
      end
      default: begin
        out_in.data = {4{psum_q[1:0]}};
        out_in.strb = 32'h0000_00ff << {s5_q.part, 3'd0};
      end
    endcase
  end

  ohmac_fifo #(
    .Width($bits(out_t)),
    .Depth(2)
  ) u_out (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(psum_valid_o),
    .ready_o(out_ready),
    .data_i (out_in),
    .valid_o(out_valid),
    .ready_i(wr_gnt_i),
    .data_o (out),
    .count_o(out_count)
  );

  assign psum_valid_o  = valid_q[4] & adv;
  assign psum_o        = psum_q;
  assign wr_req_o      = out_valid;
  assign wr_addr_o     = out.line;
  assign wr_strb_o     = out.strb;
  assign wr_data_o     = out.data;
  assign op_finished_o = out_valid & wr_gnt_i & out.last;
  assign sats_o        = psum_valid_o ? sat_count_q : '0;
  assign idle_o        = job_level == '0 && drained;

  logic unused;
  assign unused = ^cfg;

  always_ff @(posedge clk_i) begin
    if (rst_ni) OnlyFinishedOperationsAreRead: assert (!acc_re_o || pending_q != '0);
    if (rst_ni) AtMostTwoOperationsPending: assert (!op_done_i || pending_q != 2'd2);
    if (rst_ni) SignalAfterWrites: assert (!sig_valid_o || !wr_req_o);
  end
  ohmac_hold_check #(.Width(16 + LineBytes + LineBits)) u_write_holds (
    .clk_i, .rst_ni, .valid_i(wr_req_o), .taken_i(wr_gnt_i),
    .data_i({wr_addr_o, wr_strb_o, wr_data_o})
  );
endmodule
