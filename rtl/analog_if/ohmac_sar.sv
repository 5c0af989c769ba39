// SPDX-License-Identifier: Apache-2.0
// Successive approximation of all ADC lanes in lockstep. code_o is the trial threshold while searching and the result after
// the last trial; it holds when idle. Thresholds are signed: the first trial decides the sign at 0, each later one a bit.
// init_i in the cycle before the first trial; trial_i in the cycle of each trial, cmp_i is taken at its end.
module ohmac_sar
  import ohmac_pkg::*;
#(
  parameter int unsigned Lanes = 32
) (
  input  logic                                    clk_i,
  input  logic                                    init_i,
  input  logic [3:0]                              bits_i,  // 4..8, holds from init_i to the result
  input  logic                                    trial_i,
  input  logic [Lanes-1:0]                        cmp_i,
  output logic signed [Lanes-1:0][MaxAdcBits-1:0] code_o,
  output logic [Lanes-1:0]                        clip_o   // the code is the lowest or the highest
);
  logic [MaxAdcBits-1:0]            bit_q;    // one-hot: the bit under trial
  logic [MaxAdcBits-1:0]            top_bit, magnitude;
  logic                             sign_trial;
  logic [Lanes-1:0][MaxAdcBits-1:0] code_q;

  assign top_bit    = MaxAdcBits'(1) << (bits_i - 4'd1);
  assign magnitude  = top_bit - MaxAdcBits'(1);  // the bits below the sign
  assign sign_trial = bit_q == top_bit;

  always_ff @(posedge clk_i) begin
    if (init_i) begin
      bit_q  <= top_bit;
      code_q <= '0;
    end else if (trial_i) begin
      bit_q <= bit_q >> 1;
      for (int unsigned l = 0; l < Lanes; l++) begin
        // Two's complement: "below 0" sets the sign and all bits above; "below the threshold" takes the trial bit back.
        if (cmp_i[l]) code_q[l] <= code_q[l] | (bit_q >> 1);
        else if (sign_trial) code_q[l] <= ~magnitude | (bit_q >> 1);
        else code_q[l] <= (code_q[l] & ~bit_q) | (bit_q >> 1);
      end
    end
  end

  assign code_o = code_q;
  for (genvar l = 0; l < int'(Lanes); l++) begin : gen_clip
    assign clip_o[l] = code_q[l] == magnitude || code_q[l] == ~magnitude;
  end

  always_ff @(posedge clk_i) begin
    OneTrialBit: assert (!trial_i || $onehot(bit_q));
  end
endmodule
