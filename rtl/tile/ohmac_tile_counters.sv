// SPDX-License-Identifier: Apache-2.0
// Event counters of a tile: 32 bits, wrap, never cleared by a start. Zero from the first edge after reset on: the flops have no
// reset of their own. An event is registered and counts one cycle later; until then busy_o asks for
// the clock. The read port is combinational from state, so that it works while the tile clock is
// off. CntActive counts the edges of that clock.
module ohmac_tile_counters
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned Lanes = 32
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        instr_i,
  input  mvm_events_t mvm_i,
  input  logic        vec_step_i,
  input  logic [3:0]  vec_sats_i,
  input  logic [1:0]  vec_rd_i,    // one bit a line
  input  logic        vec_wr_i,
  input  logic        tx_flit_i,
  input  logic        tx_rd_i,
  input  logic        rx_flit_i,
  input  logic        rx_wr_i,
  output logic        busy_o,      // an event is not counted yet
  input  logic [4:0]  sel_i,
  output logic [31:0] cnt_o
);
  // Low part and high part: the high one only ever takes one, which is there before the carry.
  localparam int unsigned LowBits  = 10;
  localparam int unsigned HighBits = 32 - LowBits;
  typedef logic [LowBits-1:0] inc_t;

  logic [NumCounters-1:0][LowBits-1:0] low_q;
  logic [NumCounters-1:0][HighBits-1:0] high_q;
  inc_t [NumCounters-1:0] event_d, event_q, inc;
  logic init_q;  // first edge after reset

  always_comb begin
    event_d                 = '0;
    event_d[CntInstr]       = inc_t'(instr_i);
    event_d[CntMvmOps]      = inc_t'(mvm_i.mvm_op);
    event_d[CntDrives]      = inc_t'(mvm_i.drive);
    event_d[CntConversions] = inc_t'(mvm_i.conversion);
    event_d[CntTrials]      = inc_t'(mvm_i.trial);
    event_d[CntClips]       = inc_t'(mvm_i.clips);
    event_d[CntRowWords]    = inc_t'(mvm_i.row_word);
    event_d[CntVecLines]    = inc_t'(vec_step_i);
    event_d[CntSats]        = inc_t'(mvm_i.sats) + inc_t'(vec_sats_i);
    event_d[CntFlitsOut]    = inc_t'(tx_flit_i);
    event_d[CntFlitsIn]     = inc_t'(rx_flit_i);
    event_d[CntSramRd]      = inc_t'(mvm_i.sram_rd) + inc_t'(vec_rd_i[0]) + inc_t'(vec_rd_i[1]) + inc_t'(tx_rd_i);
    event_d[CntSramWr]      = inc_t'(mvm_i.sram_wr) + inc_t'(vec_wr_i) + inc_t'(rx_wr_i);
    event_d[CntAdcBusy]     = inc_t'(mvm_i.adc_busy);
    event_d[CntProgReads]   = inc_t'(mvm_i.prog_read);
    event_d[CntPulses]      = inc_t'(mvm_i.pulses);
    event_d[CntProgFails]   = inc_t'(mvm_i.prog_fails);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      init_q  <= 1'b1;
      event_q <= '0;
    end else begin
      init_q  <= 1'b0;
      event_q <= event_d;
    end
  end
  assign busy_o = event_q != '0;

  always_comb begin
    inc = event_q;
    inc[CntConversions] = event_q[CntConversions][0] ? inc_t'(Lanes) : '0;
    inc[CntTrials]      = event_q[CntTrials][0] ? inc_t'(Lanes) : '0;
    inc[CntActive]      = inc_t'(1);
  end

  for (genvar c = 0; c < NumCounters; c++) begin : gen_counter
    logic carry;
    logic [LowBits-1:0] low_sum;
    assign {carry, low_sum} = (LowBits + 1)'(low_q[c]) + (LowBits + 1)'(inc[c]);
    always_ff @(posedge clk_i) begin
      if (init_q) low_q[c] <= (c == CntActive) ? inc_t'(1) : '0;
      else if (inc[c] != '0) low_q[c] <= low_sum;
      if (init_q) high_q[c] <= '0;
      else if (carry) high_q[c] <= high_q[c] + HighBits'(1);
    end
  end

  assign cnt_o = (32'(sel_i) < NumCounters) ? {high_q[sel_i], low_q[sel_i]} : '0;
endmodule
