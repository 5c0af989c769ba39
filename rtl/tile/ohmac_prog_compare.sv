// SPDX-License-Identifier: Apache-2.0
// Compares the psums of a verify read with their targets: which columns are off, and which pulse each of them needs.
// From start_i on it reads the target lines ahead of the psums, two at most, and takes psum_i (8 columns) when psum_valid_i;
// hold_o asks for the psums to wait, because their targets have not arrived. A group takes three cycles from psum_i to state_o:
//   difference -> class -> state_o, counts. done_o comes when the states and counts of all groups are there.
module ohmac_prog_compare
  import ohmac_pkg::*;
(
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      start_i,
  input  logic [15:0]               src_line_i,   // these three hold from start_i to done_o
  input  logic [6:0]                groups_i,     // groups of 8 columns, >= 1
  input  logic [15:0]               tolerance_i,
  // targets
  output logic                      rd_req_o,
  output logic [15:0]               rd_addr_o,
  input  logic                      rd_gnt_i,
  input  logic                      rd_rvalid_i,
  input  logic [LineBits-1:0]       rd_rdata_i,
  // psums
  input  logic                      psum_valid_i,
  input  logic [VecLanes-1:0][31:0] psum_i,
  output logic                      hold_o,
  // result
  output logic                      state_we_o,
  output logic [6:0]                state_group_o,  // counted from the first group of the operation
  output logic [VecLanes-1:0][2:0]  state_o,        // {off, neg, set}
  output logic [3:0][9:0]           counts_o,       // columns off: G+ SET, G+ RESET, G- SET, G- RESET
  output logic                      done_o
);
  localparam int unsigned GroupsALine = LineBytes / VecLanes;

  // --- Target lines
  logic                active_q, inflight_q, target_valid, target_ready, line_end, take, last;
  logic [4:0]          lines_left_q;
  logic [15:0]         line_q;
  logic [6:0]          group_q;
  logic [1:0]          target_count;
  logic [LineBits-1:0] line;
  logic [VecLanes-1:0][7:0] target;

  // A line that was granted last cycle arrives now and needs its room as well.
  assign rd_req_o  = lines_left_q != '0 && !target_count[1] && !(target_count[0] && inflight_q);
  assign rd_addr_o = line_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lines_left_q <= '0;
      inflight_q   <= 1'b0;
      active_q     <= 1'b0;
    end else begin
      inflight_q <= rd_req_o & rd_gnt_i;
      if (start_i) lines_left_q <= 5'((groups_i + 7'(GroupsALine - 1)) >> 2);
      else if (rd_req_o && rd_gnt_i) lines_left_q <= lines_left_q - 5'd1;
      if (start_i) active_q <= 1'b1;
      else if (take && last) active_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) line_q <= src_line_i;
    else if (rd_req_o && rd_gnt_i) line_q <= line_q + 16'd1;
    if (start_i) group_q <= '0;
    else if (take) group_q <= group_q + 7'd1;
  end

  ohmac_fifo #(
    .Width(LineBits),
    .Depth(2)
  ) u_targets (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(rd_rvalid_i & inflight_q),
    .ready_o(target_ready),
    .data_i (rd_rdata_i),
    .valid_o(target_valid),
    .ready_i(take & line_end),
    .data_o (line),
    .count_o(target_count)
  );

  assign hold_o   = active_q & !target_valid;
  assign take     = psum_valid_i & active_q;
  assign last     = group_q + 7'd1 == groups_i;
  assign line_end = last || group_q[1:0] == 2'(GroupsALine - 1);
  assign target   = line[group_q[1:0]*(8*VecLanes)+:8*VecLanes];

  // --- Difference, class, counts
  logic [VecLanes-1:0][32:0] diff_q;   // psum - (target << 8), exact
  logic [VecLanes-1:0]       negative_q, zero_q;
  logic [VecLanes-1:0][2:0]  state, state_q;
  logic                      diff_valid_q, diff_last_q, state_valid_q, state_last_q, done_q;
  logic [6:0]                diff_group_q, state_group_q;
  logic [3:0][9:0]           counts_q, counts;

  always_ff @(posedge clk_i) begin
    if (take) begin
      for (int unsigned c = 0; c < VecLanes; c++) begin
        diff_q[c]     <= 33'(signed'(psum_i[c])) - 33'(signed'({target[c], 8'd0}));
        negative_q[c] <= target[c][7];
        zero_q[c]     <= target[c] == '0;
      end
    end
    diff_group_q  <= group_q;
    diff_last_q   <= last;
    state_q       <= state;
    state_group_q <= diff_group_q;
    state_last_q  <= diff_last_q;
  end

  always_comb begin
    for (int unsigned c = 0; c < VecLanes; c++) begin
      logic        below, above_low, off, neg, set;
      logic [31:0] size;  // |e|, less one below 0
      below     = diff_q[c][32];
      size      = below ? ~diff_q[c][31:0] : diff_q[c][31:0];
      above_low = below ? size[15:0] >= tolerance_i : size[15:0] > tolerance_i;
      off       = size[31:16] != '0 || above_low;
      neg       = negative_q[c] | (zero_q[c] & below);
      set       = !zero_q[c] & (negative_q[c] ^ below);
      state[c]  = {off, neg, set};
    end
  end

  always_comb begin
    counts = counts_q;
    for (int unsigned k = 0; k < 4; k++) begin
      logic [3:0] columns;
      columns = '0;
      for (int unsigned c = 0; c < VecLanes; c++) columns += 4'(state_q[c] == {1'b1, k[1], !k[0]});
      counts[k] = counts_q[k] + 10'(columns);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      diff_valid_q  <= 1'b0;
      state_valid_q <= 1'b0;
      done_q        <= 1'b0;
      counts_q      <= '0;
    end else begin
      diff_valid_q  <= take;
      state_valid_q <= diff_valid_q;
      done_q        <= state_valid_q & state_last_q;
      if (start_i) counts_q <= '0;
      else if (state_valid_q) counts_q <= counts;
    end
  end

  assign state_we_o    = state_valid_q;
  assign state_group_o = state_group_q;
  assign state_o       = state_q;
  assign counts_o      = counts_q;
  assign done_o        = done_q;

  always_ff @(posedge clk_i) begin
    if (rst_ni) TargetsArriveOnlyWithRoom: assert (!(rd_rvalid_i && inflight_q) || target_ready);
    if (rst_ni) PsumsWaitForTargets: assert (!take || target_valid);
    if (rst_ni) OneVerifyAtATime: assert (!start_i || (!active_q && lines_left_q == '0 && target_count == '0));
  end
  ohmac_hold_check #(.Width(16)) u_request_holds (
    .clk_i, .rst_ni, .valid_i(rd_req_o), .taken_i(rd_gnt_i),
    .data_i(rd_addr_o)
  );
endmodule
