// SPDX-License-Identifier: Apache-2.0
// Stands in for ohmac_sram_xbar in a simulation (name it in SOURCES): an SRAM without banks that refuses each request by chance.
// +ohmac_refuse=<percent> is the chance a cycle; without it every request is granted at once. No requester waits longer than 64
// cycles. Cleared after reset in as many cycles as the real one. Parity fails once for each time that a test sets `spoil`
// (stalling_sram.vlt): with the next read. Reproducible by the random seed of the simulator.
module ohmac_sram_xbar
  import ohmac_pkg::*;
#(
  parameter int unsigned SramBytes = 65536,
  parameter int unsigned SramBanks = 8,
  parameter int unsigned Writers   = 3,
  parameter int unsigned Readers   = 5
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic [Writers-1:0]                wr_req_i,
  input  logic [Writers-1:0][15:0]          wr_addr_i,
  input  logic [Writers-1:0][LineBytes-1:0] wr_strb_i,
  input  logic [Writers-1:0][LineBits-1:0]  wr_data_i,
  output logic [Writers-1:0]                wr_gnt_o,
  input  logic [Readers-1:0]                rd_req_i,
  input  logic [Readers-1:0][15:0]          rd_addr_i,
  output logic [Readers-1:0]                rd_gnt_o,
  output logic [Readers-1:0]                rd_rvalid_o,
  output logic [Readers-1:0][LineBits-1:0]  rd_rdata_o,
  output logic                              parity_o,
  output logic                              clearing_o,
  output logic                              busy_o
);
  localparam int unsigned Lines = SramBytes / LineBytes;
  localparam int unsigned Ports = Writers + Readers;

  int unsigned percent;
  initial if (!$value$plusargs("ohmac_refuse=%d", percent)) percent = 0;

  logic [LineBits-1:0] mem_q [Lines];
  logic [Ports-1:0] open_q;                 // would be granted in this cycle
  int unsigned refused_q [Ports];
  int unsigned clear_q;
  logic parity_q;
  logic spoil;                              // the next line to be read is wrong
  logic [Readers-1:0] rvalid_q;
  logic [Readers-1:0][LineBits-1:0] rdata_q;

  assign clearing_o = clear_q != Lines / SramBanks;
  assign {rd_gnt_o, wr_gnt_o} = clearing_o ? '0 : {rd_req_i, wr_req_i} & open_q;
  assign rd_rvalid_o = rvalid_q;
  assign rd_rdata_o  = rdata_q;
  assign parity_o    = parity_q;
  assign busy_o      = clearing_o || rvalid_q != '0 || parity_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_q  <= 0;
      rvalid_q <= '0;
      open_q   <= '1;
      parity_q <= 1'b0;
      spoil    <= 1'b0;
      for (int unsigned p = 0; p < Ports; p++) refused_q[p] <= 0;
    end else begin
      if (clearing_o) clear_q <= clear_q + 1;
      rvalid_q <= rd_gnt_o;
      parity_q <= spoil && rvalid_q != '0;
      if (rvalid_q != '0) spoil <= 1'b0;
      for (int unsigned p = 0; p < Ports; p++) begin
        open_q[p]    <= refused_q[p] >= 63 || percent == 0 || $urandom_range(99) >= percent;
        refused_q[p] <= open_q[p] ? 0 : refused_q[p] + 1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned r = 0; r < Readers; r++) rdata_q[r] <= mem_q[32'(rd_addr_i[r])%Lines];
    if (clearing_o) begin
      for (int unsigned b = 0; b < SramBanks; b++) mem_q[clear_q*SramBanks+b] <= '0;
    end
    for (int unsigned w = 0; w < Writers; w++) begin
      for (int unsigned b = 0; b < LineBytes; b++) begin
        if (wr_gnt_o[w] && wr_strb_i[w][b]) mem_q[32'(wr_addr_i[w])%Lines][8*b+:8] <= wr_data_i[w][8*b+:8];
      end
    end
  end
endmodule
