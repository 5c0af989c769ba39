// SPDX-License-Identifier: Apache-2.0
// Conversions of a phase and the column accumulators. conv_valid_i is the sample cycle; the mux_count conversions follow at
// once, bits + 2 cycles each: cycle 0 mux settles, 1..bits one trial each, bits + 1 result. Pins are registered and constant
// during a conversion. The caller never offers a phase whose conversions would begin before those of the last one end.
// Accumulators: 2 banks of Mux words of Lanes sums; the operations alternate between them. The result of the last phase is
// in memory one cycle after op_done_o. Sums saturate, counted in sats_o.
module ohmac_mvm_adc
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Cols = 256,
  parameter int unsigned Lanes = 32,
  localparam int unsigned Mux = Cols / Lanes,
  localparam int unsigned MuxW = (Mux > 1) ? $clog2(Mux) : 1
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  mvm_cfg_t [NumMvmCfg-1:0]          cfg_i,
  // phase in its sample cycle
  input  logic                              conv_valid_i,
  input  logic [1:0]                        conv_slot_i,
  input  logic                              conv_first_i,
  input  logic                              conv_last_i,
  input  logic [2:0]                        conv_shift_i,
  input  logic                              conv_bank_i,
  // pins
  output logic                              sar_strobe_o,
  output logic                              mux_bank_o,
  output logic [5:0]                        mux_sel_o,
  output logic [3:0]                        range_o,
  output logic [Lanes-1:0][MaxAdcBits-1:0]  sar_code_o,
  input  logic [Lanes-1:0]                  cmp_i,
  // accumulators of a finished operation: data the cycle after re, held
  output logic                              op_done_o,
  input  logic                              post_re_i,
  input  logic                              post_bank_i,
  input  logic [MuxW-1:0]                   post_block_i,
  output logic [Lanes-1:0][ColAccBits-1:0]  post_acc_o,
  output logic [1:0][14:0]                  shift_sum_o,  // of each bank: sum of 2^shift over its phases
  // events
  output logic                              conversion_o,
  output logic [7:0]                        clips_o,
  output logic [7:0]                        sats_o,
  output logic                              busy_o
);
  typedef logic [Lanes-1:0][ColAccBits-1:0] acc_word_t;
  localparam logic signed [ColAccBits-1:0] AccMax = {1'b0, {(ColAccBits - 1) {1'b1}}};
  localparam logic signed [ColAccBits-1:0] AccMin = ~AccMax;

  mvm_cfg_t         cfg;
  logic             busy_q, strobe_q, mux_bank_q, first_q, last_q, acc_bank_q;
  logic [3:0]       cycle_q, bits_q, range_q;
  logic [2:0]       shift_q;
  logic [5:0]       block_q, blocks_left_q;
  logic             result, last_block, read, write_q, write_bank_q, done_q, conv_bank;
  logic [MuxW-1:0]  write_block_q;
  logic [Lanes-1:0] clip;
  logic [1:0][14:0] shift_sum_q;
  acc_word_t        sum, sum_q, base;
  acc_word_t [1:0]  rdata;
  logic [Lanes-1:0] sat;
  logic [7:0]       clip_count, sat_count, clips_q, sats_q;

  assign cfg        = cfg_i[conv_slot_i];
  assign result     = busy_q && cycle_q == bits_q + 4'd1;
  assign read       = strobe_q && cycle_q == bits_q && !first_q;
  assign last_block = blocks_left_q == 6'd1;
  assign conv_bank  = acc_bank_q ^ conv_first_i;  // accumulator bank of the phase offered

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q     <= 1'b0;
      strobe_q   <= 1'b0;
      write_q    <= 1'b0;
      done_q     <= 1'b0;
      acc_bank_q <= 1'b1;  // the first operation uses bank 0
      clips_q    <= '0;
      sats_q     <= '0;
    end else begin
      if (conv_valid_i) busy_q <= 1'b1;
      else if (result && last_block) busy_q <= 1'b0;
      strobe_q <= busy_q && cycle_q < bits_q;
      write_q  <= result;
      done_q   <= result & last_block & last_q;
      clips_q  <= result ? clip_count : '0;
      sats_q   <= result ? sat_count : '0;
      if (conv_valid_i) acc_bank_q <= conv_bank;
    end
  end

  // Pins of the macro hold when idle: they change only with the first cycle of a conversion.
  always_ff @(posedge clk_i) begin
    if (conv_valid_i) begin
      cycle_q       <= '0;
      bits_q        <= cfg.adc_bits;
      range_q       <= cfg.range;
      block_q       <= cfg.mux_first;
      blocks_left_q <= cfg.mux_count;
      mux_bank_q    <= conv_bank_i;
      first_q       <= conv_first_i;
      last_q        <= conv_last_i;
      shift_q       <= conv_shift_i;
      shift_sum_q[conv_bank] <= (conv_first_i ? '0 : shift_sum_q[conv_bank]) + (15'd1 << conv_shift_i);
    end else if (busy_q) begin
      cycle_q <= result ? '0 : cycle_q + 4'd1;
      if (result && !last_block) begin
        block_q       <= block_q + 6'd1;
        blocks_left_q <= blocks_left_q - 6'd1;
      end
    end
    if (result) begin
      sum_q         <= sum;
      write_block_q <= MuxW'(block_q);
      write_bank_q  <= acc_bank_q;
    end
  end

  ohmac_sar #(
    .Lanes(Lanes)
  ) u_sar (
    .clk_i,
    .init_i (busy_q && cycle_q == '0),
    .bits_i (bits_q),
    .trial_i(strobe_q),
    .cmp_i,
    .code_o (sar_code_o),
    .clip_o (clip)
  );

  assign base = rdata[acc_bank_q];
  always_comb begin
    logic signed [ColAccBits-1:0] code;
    logic signed [ColAccBits:0]   wide;
    clip_count = '0;
    sat_count  = '0;
    sum        = '0;
    sat        = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      code = ColAccBits'(signed'(sar_code_o[l])) <<< shift_q;
      wide = (first_q ? '0 : (ColAccBits + 1)'(signed'(base[l]))) + (ColAccBits + 1)'(code);
      sat[l] = wide[ColAccBits] != wide[ColAccBits-1];
      sum[l] = !sat[l] ? wide[ColAccBits-1:0] : wide[ColAccBits] ? AccMin : AccMax;
      clip_count += 8'(clip[l]);
      sat_count  += 8'(sat[l]);
    end
  end

  for (genvar b = 0; b < 2; b++) begin : gen_bank
    logic post_here;
    assign post_here = post_re_i && post_bank_i == 1'(b);
    ohmac_mvm_mem #(
      .Width(Lanes * ColAccBits),
      .Depth(Mux)
    ) u_acc (
      .clk_i,
      .we_i   (write_q && write_bank_q == 1'(b)),
      .waddr_i(write_block_q),
      .wdata_i(sum_q),
      .re_i   (post_here || (read && acc_bank_q == 1'(b))),
      .raddr_i(post_here ? post_block_i : MuxW'(block_q)),
      .rdata_o(rdata[b])
    );

    always_ff @(posedge clk_i) begin
      if (rst_ni) AccumulatorHasOneReader: assert (!(post_here && read && acc_bank_q == 1'(b)));
    end
  end

  logic post_bank_q;
  always_ff @(posedge clk_i) if (post_re_i) post_bank_q <= post_bank_i;

  assign post_acc_o   = rdata[post_bank_q];
  assign shift_sum_o  = shift_sum_q;
  assign op_done_o    = done_q;
  assign sar_strobe_o = strobe_q;
  assign mux_bank_o   = mux_bank_q;
  assign mux_sel_o    = block_q;
  assign range_o      = range_q;
  assign conversion_o = result;
  assign clips_o      = clips_q;
  assign sats_o       = sats_q;
  assign busy_o       = busy_q;

  logic unused;
  assign unused = ^cfg;

  ConversionStartsOneCycleAfterSample: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !$past(conv_valid_i) || (busy_q && cycle_q == '0 && !strobe_q));
  always_ff @(posedge clk_i) begin
    if (rst_ni) ConversionsNeverOverlap: assert (!(conv_valid_i && busy_q) || (result && last_block));
  end
  MuxHoldsInConversion: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !(busy_q && cycle_q != '0) || $stable({mux_bank_q, block_q, range_q, bits_q}));
  always_ff @(posedge clk_i) begin
    if (rst_ni) MuxSettlesBeforeFirstTrial: assert (!strobe_q || (busy_q && cycle_q != '0 && cycle_q <= bits_q));
  end
endmodule
