// SPDX-License-Identifier: Apache-2.0
// Single-port SRAM of 9-bit bytes: eight bits of data and one of parity, one strobe for both. Read data one cycle after the request, held
// until the next read. It stores the parity bits it is given and does not look at them.
// A black box in synthesis (hard macro); contents are undefined after power-on.
module ohmac_sram #(
  parameter int unsigned Width = 256,
  parameter int unsigned Depth = 256
) (
  input  logic                     clk_i,
  input  logic                     req_i,
  input  logic                     we_i,
  input  logic [$clog2(Depth)-1:0] addr_i,
  input  logic [Width/8-1:0]       strb_i,
  input  logic [Width-1:0]         wdata_i,
  input  logic [Width/8-1:0]       wpar_i,
  output logic [Width-1:0]         rdata_o,
  output logic [Width/8-1:0]       rpar_o
);
  logic [Width-1:0] mem [Depth];
  logic [Width/8-1:0] par [Depth];  // beside mem for the speed of simulation

  always_ff @(posedge clk_i) begin
    if (req_i) begin
      if (we_i) begin
        for (int unsigned b = 0; b < Width / 8; b++) begin
          if (strb_i[b]) mem[addr_i][8*b+:8] <= wdata_i[8*b+:8];
        end
        par[addr_i] <= (par[addr_i] & ~strb_i) | (wpar_i & strb_i);
      end else begin
        rdata_o <= mem[addr_i];
        rpar_o  <= par[addr_i];
      end
    end
  end
endmodule
