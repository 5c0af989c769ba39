// SPDX-License-Identifier: Apache-2.0
// Turns a stream of line addresses into a stream of lines: asks the SRAM only while there is room
// for the answer, and passes the answer on in the cycle it arrives if the taker is ready. One line
// a cycle when every request is granted at once. The address source watches the grant itself and
// moves on with it. Data come out in the order of the addresses.
module ohmac_read_buf
  import ohmac_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                addr_valid_i,
  input  logic [15:0]         addr_i,       // line
  output logic                rd_req_o,
  output logic [15:0]         rd_addr_o,
  input  logic                rd_rvalid_i,
  input  logic [LineBits-1:0] rd_rdata_i,
  output logic                valid_o,
  input  logic                ready_i,
  output logic [LineBits-1:0] data_o,
  output logic                empty_o       // nothing stored, nothing on its way
);
  logic [1:0] count_q, count_d;
  logic [LineBits-1:0] head_q, next_q;
  logic pop;

  // A line granted in the cycle before arrives now: it needs one of the two places too.
  assign rd_req_o  = addr_valid_i && (count_q + 2'(rd_rvalid_i)) < 2'd2;
  assign rd_addr_o = addr_i;
  assign valid_o   = count_q != 2'd0 || rd_rvalid_i;
  assign data_o    = (count_q != 2'd0) ? head_q : rd_rdata_i;
  assign empty_o   = count_q == 2'd0 && !rd_rvalid_i;
  assign pop       = valid_o && ready_i;
  assign count_d   = count_q + 2'(rd_rvalid_i) - 2'(pop);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= 2'd0;
    else count_q <= count_d;
  end
  always_ff @(posedge clk_i) begin
    if (pop && count_q == 2'd2) head_q <= next_q;
    else if (rd_rvalid_i && (count_q == 2'd0 || pop)) head_q <= rd_rdata_i;
    if (rd_rvalid_i) next_q <= rd_rdata_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) NeverOverfull: assert (!rd_rvalid_i || (count_q < 2'd2));
  end
  ohmac_hold_check #(.Width($bits(data_o))) u_line_holds (
    .clk_i, .rst_ni, .valid_i(valid_o), .taken_i(ready_i),
    .data_i(data_o)
  );
endmodule
