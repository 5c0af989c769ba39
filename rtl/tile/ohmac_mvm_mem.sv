// SPDX-License-Identifier: Apache-2.0
// Small memory, one read and one write port: read data one cycle after re_i, held until the next read.
// No reset and no bypass: a read in the cycle of a write to the same word gives the old word; users keep them apart.
module ohmac_mvm_mem #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 16,
  localparam int unsigned AddrW = (Depth > 1) ? $clog2(Depth) : 1
) (
  input  logic             clk_i,
  input  logic             we_i,
  input  logic [AddrW-1:0] waddr_i,
  input  logic [Width-1:0] wdata_i,
  input  logic             re_i,
  input  logic [AddrW-1:0] raddr_i,
  output logic [Width-1:0] rdata_o
);
  logic [Width-1:0] mem_q [Depth];

  always_ff @(posedge clk_i) begin
    if (we_i) mem_q[waddr_i] <= wdata_i;
    if (re_i) rdata_o <= mem_q[raddr_i];
  end

  always_ff @(posedge clk_i) begin
    NoReadOfTheWordBeingWritten: assert (!(we_i && re_i && waddr_i == raddr_i));
  end
endmodule
