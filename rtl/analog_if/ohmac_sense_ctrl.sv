// SPDX-License-Identifier: Apache-2.0
// Drive, integrate and sample timing of one phase, and the rule when a phase may start.
// valid_i & ready_o in cycle -1 starts a phase; with S = settle, I = integ the pins are, whatever the back-pressure:
//   drive 0..S+I, int_rst 0, integrate S..S+I-1, sample S+I; the conversions of the phase own the ADC from S+I+1 on.
// ready_o: rows are at rest (so drive is low for a cycle between phases), and every conversion scheduled so far ends before
// those of this phase begin. Latch bank and sample bank alternate drive by drive and are the same bit.
module ohmac_sense_ctrl
  import ohmac_pkg::*;
(
  input  logic        clk_i,
  input  logic        rst_ni,
  input  timing_cfg_t timing_i,
  input  logic        valid_i,
  output logic        ready_o,
  input  logic [9:0]  conv_cycles_i,  // of all conversions of the phase, >= 1
  output logic        drive_o,
  output logic        bank_o,
  output logic        int_rst_o,
  output logic        integrate_o,
  output logic        sample_o
);
  // cycles from the first drive cycle to the first conversion cycle, less one: S + I
  logic [8:0]  last_cycle;
  logic [8:0]  cnt_q, cnt_d;
  logic [10:0] adc_left_q;  // scheduled conversion time left after this cycle, waiting included
  logic        drive_q, drive_d, int_rst_q, integrate_q, sample_q, bank_q, start;

  assign last_cycle = {1'b0, timing_i.settle} + {1'b0, timing_i.integ};
  assign ready_o    = !drive_q && adc_left_q <= 11'(last_cycle) + 11'd1;
  assign start      = valid_i & ready_o;

  always_comb begin
    drive_d = drive_q;
    cnt_d   = cnt_q + 9'd1;
    if (start) begin
      drive_d = 1'b1;
      cnt_d   = '0;
    end else if (sample_q) begin
      drive_d = 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      drive_q     <= 1'b0;
      int_rst_q   <= 1'b0;
      integrate_q <= 1'b0;
      sample_q    <= 1'b0;
      bank_q      <= 1'b1;  // the first drive uses bank 0
      adc_left_q  <= '0;
    end else begin
      drive_q     <= drive_d;
      int_rst_q   <= start;
      integrate_q <= drive_d && cnt_d >= 9'(timing_i.settle) && cnt_d < last_cycle;
      sample_q    <= drive_d && cnt_d == last_cycle;
      if (start) begin
        bank_q     <= !bank_q;
        adc_left_q <= 11'(last_cycle) + 11'(conv_cycles_i);
      end else if (adc_left_q != '0) begin
        adc_left_q <= adc_left_q - 11'd1;
      end
    end
  end

  always_ff @(posedge clk_i) cnt_q <= cnt_d;

  assign drive_o     = drive_q;
  assign bank_o      = bank_q;
  assign int_rst_o   = int_rst_q;
  assign integrate_o = integrate_q;
  assign sample_o    = sample_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) IntegrateInsideDrive: assert (!integrate_q || drive_q);
  end
  ResetStartsDrive: assert property (@(posedge clk_i) disable iff (!rst_ni) int_rst_q == $rose(drive_q));
  always_ff @(posedge clk_i) begin
    if (rst_ni) SampleEndsDrive: assert (sample_q == (drive_q && !drive_d));
  end
  SampleFollowsIntegrate: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !sample_q || (!integrate_q && $past(integrate_q)));
  BankHoldsInDrive: assert property (@(posedge clk_i) disable iff (!rst_ni)
    !(drive_q && !int_rst_q) || $stable(bank_q));
endmodule
