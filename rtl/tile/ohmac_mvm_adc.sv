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
  localparam int unsigned Part = 5;
  localparam int unsigned CodeBits = 3 * Part;  // a shifted code fits
  localparam int unsigned UpBits = ColAccBits - CodeBits;

  mvm_cfg_t         cfg;
  logic             busy_q, strobe_q, mux_bank_q, first_q, last_q, acc_bank_q;
  logic [3:0]       cycle_q, bits_q, range_q;
  logic [2:0]       shift_q;
  logic [6:0]       weight_q;         // 2^shift
  logic [5:0]       block_q, blocks_left_q;
  logic             result, last_block, read, write_q, write_bank_q, done_q, conv_bank;
  logic [MuxW-1:0]  write_block_q;
  logic [Lanes-1:0] clip;
  logic [1:0][14:0] shift_sum_q;
  logic             begin_q;          // first cycle of a phase's conversions
  logic [Lanes-1:0][CodeBits-1:0] code, low_q;
  logic [Lanes-1:0][UpBits-1:0]   up_q;
  logic [Lanes-1:0]               carry_q, neg_q;
  acc_word_t        base, total;
  acc_word_t [1:0]  rdata;
  logic [Lanes-1:0] sat, sat_q, clip_q;
  logic             written_q;
  logic [7:0]       clips_q, sats_q;

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
      begin_q    <= 1'b0;
      written_q  <= 1'b0;
      clips_q    <= '0;
      sats_q     <= '0;
    end else begin
      begin_q <= conv_valid_i;
      if (conv_valid_i) busy_q <= 1'b1;
      else if (result && last_block) busy_q <= 1'b0;
      strobe_q <= busy_q && cycle_q < bits_q;
      write_q  <= result;
      done_q   <= result & last_block & last_q;
      clips_q   <= write_q ? ones(clip_q) : '0;
      written_q <= write_q;
      sats_q    <= written_q ? ones(sat_q) : '0;
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
      weight_q      <= 7'd1 << conv_shift_i;
    end else if (busy_q) begin
      cycle_q <= result ? '0 : cycle_q + 4'd1;
      if (result && !last_block) begin
        block_q       <= block_q + 6'd1;
        blocks_left_q <= blocks_left_q - 6'd1;
      end
    end
    if (begin_q) shift_sum_q[acc_bank_q] <= (first_q ? '0 : shift_sum_q[acc_bank_q]) + 15'(weight_q);
    if (result) begin
      clip_q        <= clip;
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

  // The low bits of acc + code and their carry, in parts with both carries in.
  function automatic logic [CodeBits:0] plus(logic [CodeBits-1:0] acc, logic [CodeBits-1:0] code);
    logic [Part:0]       sum0, sum1;
    logic [CodeBits-1:0] low;
    logic                carry;
    carry = 1'b0;
    for (int unsigned p = 0; p < CodeBits; p += Part) begin
      sum0 = {1'b0, acc[p+:Part]} + {1'b0, code[p+:Part]};
      sum1 = (Part + 1)'(({1'b0, acc[p+:Part], 1'b1} + {1'b0, code[p+:Part], 1'b1}) >> 1);
      low[p+:Part] = carry ? sum1[Part-1:0] : sum0[Part-1:0];
      carry = carry ? sum1[Part] : sum0[Part];
    end
    return {carry, low};
  endfunction

  function automatic logic [7:0] ones(logic [Lanes-1:0] bits);
    localparam int unsigned Leaves = 1 << $clog2(Lanes);
    logic [Leaves-1:0][7:0] s;
    for (int unsigned i = 0; i < Leaves; i++) s[i] = (i < Lanes) ? 8'(bits[i]) : '0;
    for (int unsigned n = Leaves / 2; n != 0; n /= 2) begin
      for (int unsigned i = 0; i < n; i++) s[i] = s[2*i] + s[2*i+1];
    end
    return s[0];
  endfunction

  assign base = first_q ? '0 : rdata[acc_bank_q];
  always_comb begin
    for (int unsigned l = 0; l < Lanes; l++) code[l] = CodeBits'(signed'(sar_code_o[l])) <<< shift_q;
  end

  // In the cycle of the result the low bits are added; in the next one the high bits, which are those of acc, one more or one less.
  always_ff @(posedge clk_i) begin
    if (result) begin
      for (int unsigned l = 0; l < Lanes; l++) begin
        {carry_q[l], low_q[l]} <= plus(base[l][CodeBits-1:0], code[l]);
        up_q[l]                <= base[l][ColAccBits-1:CodeBits];
        neg_q[l]               <= code[l][CodeBits-1];
      end
    end
    if (write_q) sat_q <= sat;
  end
  always_comb begin
    logic [UpBits:0] up, step;
    for (int unsigned l = 0; l < Lanes; l++) begin
      up   = {up_q[l][UpBits-1], up_q[l]};
      step = up + {{UpBits{neg_q[l]}}, 1'b1};
      if (carry_q[l] != neg_q[l]) up = step;
      sat[l]   = up[UpBits] != up[UpBits-1];
      total[l] = !sat[l] ? {up[UpBits-1:0], low_q[l]} : up[UpBits] ? AccMin : AccMax;
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
      .wdata_i(total),
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
