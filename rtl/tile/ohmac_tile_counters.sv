// SPDX-License-Identifier: Apache-2.0
// Event counters of a tile: 32 bits, wrap, zero at reset, never cleared by a start. The read port
// is combinational from state, so that it works while the tile clock is off. CntActive counts the
// edges of that clock.
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
  input  logic [4:0]  sel_i,
  output logic [31:0] cnt_o
);
  logic [NumCounters-1:0][31:0] count_q;
  logic [NumCounters-1:0][9:0] inc;

  always_comb begin
    inc                 = '0;
    inc[CntInstr]       = 10'(instr_i);
    inc[CntMvmOps]      = 10'(mvm_i.mvm_op);
    inc[CntDrives]      = 10'(mvm_i.drive);
    inc[CntConversions] = mvm_i.conversion ? 10'(Lanes) : '0;
    inc[CntTrials]      = mvm_i.trial ? 10'(Lanes) : '0;
    inc[CntClips]       = 10'(mvm_i.clips);
    inc[CntRowWords]    = 10'(mvm_i.row_word);
    inc[CntVecLines]    = 10'(vec_step_i);
    inc[CntSats]        = 10'(mvm_i.sats) + 10'(vec_sats_i);
    inc[CntFlitsOut]    = 10'(tx_flit_i);
    inc[CntFlitsIn]     = 10'(rx_flit_i);
    inc[CntSramRd]      = 10'(mvm_i.sram_rd) + 10'(vec_rd_i[0]) + 10'(vec_rd_i[1]) + 10'(tx_rd_i);
    inc[CntSramWr]      = 10'(mvm_i.sram_wr) + 10'(vec_wr_i) + 10'(rx_wr_i);
    inc[CntAdcBusy]     = 10'(mvm_i.adc_busy);
    inc[CntActive]      = 10'd1;
    inc[CntProgReads]   = 10'(mvm_i.prog_read);
    inc[CntPulses]      = 10'(mvm_i.pulses);
    inc[CntProgFails]   = 10'(mvm_i.prog_fails);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
    end else begin
      for (int unsigned c = 0; c < NumCounters; c++) begin
        if (inc[c] != '0) count_q[c] <= count_q[c] + 32'(inc[c]);
      end
    end
  end

  assign cnt_o = (32'(sel_i) < NumCounters) ? count_q[sel_i] : '0;
endmodule
