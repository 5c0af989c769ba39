// SPDX-License-Identifier: Apache-2.0
// Writes the fail lines of a PROG: bit i = column i of the operation was left off, 256 columns a line, the rest 0.
// Collects 8 columns a cycle (off_i comes the cycle after re_o), 33 cycles a line, then writes it. done_o with the last grant.
module ohmac_prog_fail
  import ohmac_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                start_i,
  input  logic [15:0]         line_i,    // these three hold from start_i to done_o
  input  logic [6:0]          first_i,   // groups of 8 physical columns
  input  logic [6:0]          end_i,
  output logic                re_o,
  output logic [6:0]          rgroup_o,
  input  logic [VecLanes-1:0] off_i,
  output logic                wr_req_o,
  output logic [15:0]         wr_addr_o,
  output logic [LineBits-1:0] wr_data_o,
  input  logic                wr_gnt_i,
  output logic                done_o
);
  localparam int unsigned GroupsALine = LineBits / VecLanes;

  typedef enum logic [1:0] {
    StIdle,
    StGather,  // reads a group a cycle
    StShift,   // the last one arrives
    StWrite
  } state_e;

  state_e              state_q, state_d;
  logic [6:0]          group_q;          // next group, counted from the first
  logic [7:0]          physical;
  logic                wanted, wanted_q, shift_q;
  logic [LineBits-1:0] line_q;

  assign physical = 8'(first_i) + 8'(group_q);
  assign wanted   = physical < 8'(end_i);
  assign re_o     = state_q == StGather && wanted;
  assign rgroup_o = physical[6:0];

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      StIdle: if (start_i) state_d = StGather;
      StGather: if (group_q[4:0] == 5'(GroupsALine - 1)) state_d = StShift;
      StShift: state_d = StWrite;
      StWrite: if (wr_gnt_i) state_d = wanted ? StGather : StIdle;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      shift_q <= 1'b0;
    end else begin
      state_q <= state_d;
      shift_q <= state_q == StGather;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) group_q <= '0;
    else if (state_q == StGather) group_q <= group_q + 7'd1;
    wanted_q <= wanted;
    if (shift_q) line_q <= {wanted_q ? off_i : '0, line_q[LineBits-1:VecLanes]};
  end

  assign wr_req_o  = state_q == StWrite;
  assign wr_addr_o = line_i + 16'(group_q[6]);
  assign wr_data_o = line_q;
  assign done_o    = wr_req_o & wr_gnt_i & !wanted;

  always_ff @(posedge clk_i) begin
    if (rst_ni) StartsWhenIdle: assert (!start_i || state_q == StIdle);
  end
endmodule
