// SPDX-License-Identifier: Apache-2.0
// ohmac_sram_xbar with free requesters that hold what they ask (writers by contract; the wait of a reader counts while it does not change its
// line). One requester and one byte of the memory, any, are watched.
module xbar_formal
  import ohmac_pkg::*;
#(
  parameter int unsigned SramBytes = 128,
  parameter int unsigned SramBanks = 2,
  parameter int unsigned Writers   = 3,
  parameter int unsigned Readers   = 5,
  parameter bit          Data      = 1'b0   // prove the data, else the arbitration
) (
  input logic                              clk_i,
  input logic [Writers-1:0]                wr_req_i,
  input logic [Writers-1:0][15:0]          wr_addr_i,
  input logic [Writers-1:0][LineBytes-1:0] wr_strb_i,
  input logic [Writers-1:0][LineBits-1:0]  wr_data_i,
  input logic [Readers-1:0]                rd_req_i,
  input logic [Readers-1:0][15:0]          rd_addr_i,
  // What is watched: any port, any byte, always the same.
  input logic [$clog2(Writers+Readers)-1:0]        who_i,
  input logic [$clog2(SramBytes/LineBytes)-1:0]    line_i,
  input logic [$clog2(LineBytes)-1:0]              byte_i
);
  localparam int unsigned Ports = Writers + Readers;
  localparam int unsigned Lines = SramBytes / LineBytes;
  localparam int unsigned LineIdx = $clog2(Lines);
  localparam int unsigned Bound = 18;  // cycles until served, the cycle of the grant included
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [Writers-1:0] wr_gnt_o;
  logic [Readers-1:0] rd_gnt_o, rd_rvalid_o;
  logic [Readers-1:0][LineBits-1:0] rd_rdata_o;
  logic parity_o, clearing_o, busy_o;
  ohmac_sram_xbar #(
    .SramBytes(SramBytes), .SramBanks(SramBanks), .Writers(Writers), .Readers(Readers)
  ) u_dut (.*);

  logic [Ports-1:0] req, gnt;
  logic [Ports-1:0][LineIdx-1:0] line;
  always_comb begin
    req = {rd_req_i, wr_req_i};
    gnt = {rd_gnt_o, wr_gnt_o};
    for (int unsigned w = 0; w < Writers; w++) line[w] = LineIdx'(wr_addr_i[w]);
    for (int unsigned r = 0; r < Readers; r++) line[Writers+r] = LineIdx'(rd_addr_i[r]);
  end

  logic [$clog2(Ports)-1:0] who_q;
  logic [LineIdx-1:0] line_q;
  logic [$clog2(LineBytes)-1:0] byte_q;
  always_ff @(posedge clk_i) begin
    who_q  <= who_i;
    line_q <= line_i;
    byte_q <= byte_i;
  end

  // How long the watched port waits.
  logic [4:0] waits_q;  // cycles without grant, up to the last one
  logic [LineIdx-1:0] asked_q;
  logic [4:0] waits;
  always_ff @(posedge clk_i) asked_q <= line[who_i];
  assign waits = (asked_q == line[who_i]) ? waits_q : 5'd0;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clearing_o || !req[who_i] || gnt[who_i]) waits_q <= '0;
    else waits_q <= waits + 5'd1;
  end

  // Writers hold: what they asked in the last cycle and did not get.
  logic [Writers-1:0] held_q;
  logic [Writers-1:0][15:0] held_addr_q;
  logic [Writers-1:0][LineBytes-1:0] held_strb_q;
  logic [Writers-1:0][LineBits-1:0] held_data_q;
  always_ff @(posedge clk_i) begin
    held_q      <= rst_ni ? wr_req_i & ~wr_gnt_o : '0;
    held_addr_q <= wr_addr_i;
    held_strb_q <= wr_strb_i;
    held_data_q <= wr_data_i;
  end

  logic [Writers-1:0] holds, wr_inside;
  logic [Readers-1:0] rd_inside;
  always_comb begin
    for (int unsigned w = 0; w < Writers; w++) begin
      holds[w] = !held_q[w] || (wr_req_i[w] && wr_addr_i[w] == held_addr_q[w] && wr_strb_i[w] == held_strb_q[w] &&
                                wr_data_i[w] == held_data_q[w]);
      wr_inside[w] = !wr_req_i[w] || 32'(wr_addr_i[w]) < Lines;
    end
    for (int unsigned r = 0; r < Readers; r++) begin
      rd_inside[r] = !rd_req_i[r] || 32'(rd_addr_i[r]) < Lines;
    end
  end

  always_ff @(posedge clk_i) begin
    Watched: assume (32'(who_i) < Ports);
    if (rst_ni) begin
      SameWatched:         assume (who_i == who_q && line_i == line_q && byte_i == byte_q);
      WritersHold:         assume (holds == '1);
      LinesExist:          assume (wr_inside == '1 && rd_inside == '1);
    end
  end

  logic [Readers-1:0] rd_gnt_q;
  always_ff @(posedge clk_i) rd_gnt_q <= rst_ni ? rd_gnt_o : '0;

  if (!Data) begin : gen_arbitration
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        GrantNeedsRequest:   assert ((gnt & ~req) == '0);
        NothingWhileCleared: assert (!clearing_o || gnt == '0);
        ServedInTime:        assert (32'(waits) < Bound);
        DataAfterGrant:      assert (rd_rvalid_o == rd_gnt_q);
        LongWait:            cover (gnt[who_i] && 32'(waits) >= 12);
        AllBanksServe:       cover ($countones(gnt) == SramBanks && req == '1);
      end
    end
    for (genvar b = 0; b < SramBanks; b++) begin : gen_bank
      logic [Ports-1:0] here;  // asks this bank
      always_comb begin
        for (int unsigned p = 0; p < Ports; p++) here[p] = req[p] && 32'(line[p]) % SramBanks == b;
      end
      always_ff @(posedge clk_i) begin
        if (rst_ni) begin
          OneGrantABank: assert ($onehot0(gnt & here));
          BankServes:    assert (here == '0 || clearing_o || (gnt & here) != '0);
        end
      end
    end
  end else begin : gen_data
    // The watched byte after the writes granted so far; cleared at first.
    logic [7:0] value_q;
    logic [Writers-1:0] hit;
    always_comb begin
      for (int unsigned w = 0; w < Writers; w++) begin
        hit[w] = wr_gnt_o[w] && line[w] == line_i && wr_strb_i[w][byte_i];
      end
    end
    always_ff @(posedge clk_i) begin
      if (clearing_o) value_q <= '0;
      for (int unsigned w = 0; w < Writers; w++) begin
        if (hit[w]) value_q <= wr_data_i[w][8*byte_i+:8];
      end
    end
    // Read data one cycle after the grant.
    logic [Readers-1:0] read_q;     // the watched line
    logic [7:0] read_value_q;
    always_ff @(posedge clk_i) begin
      read_value_q <= value_q;
      for (int unsigned r = 0; r < Readers; r++) begin
        read_q[r] <= rst_ni && rd_gnt_o[r] && line[Writers+r] == line_i;
      end
    end
    logic [Readers-1:0] as_written;
    always_comb begin
      for (int unsigned r = 0; r < Readers; r++) begin
        as_written[r] = !read_q[r] || rd_rdata_o[r][8*byte_i+:8] == read_value_q;
      end
    end
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        ReadsWhatWasWritten: assert (as_written == '1);
        NoParityError:       assert (!parity_o);
        WrittenThenRead:     cover (read_q == Readers'(2) && read_value_q == 8'h5A);
      end
    end

    // What ties the shadow and the parity to the memory, for the induction.
    function automatic logic [LineBytes-1:0] parity(logic [LineBits-1:0] data);
      for (int unsigned i = 0; i < LineBytes; i++) parity[i] = ^data[8*i+:8];
    endfunction
    localparam int unsigned Rows = Lines / SramBanks;
    for (genvar b = 0; b < SramBanks; b++) begin : gen_bank
      for (genvar i = 0; i < Rows; i++) begin : gen_row
        logic cleared;
        assign cleared = !u_dut.clear_q || 32'(u_dut.clear_row_q) > i;
        always_ff @(posedge clk_i) begin
          if (rst_ni) begin
            ByteInMemory: assert (!cleared || 32'(line_i) != i * SramBanks + b ||
                                  u_dut.gen_bank[b].u_sram.mem[i][8*byte_i+:8] == value_q);
            ParityInMemory: assert (!cleared ||
                                    u_dut.gen_bank[b].u_sram.par[i] == parity(u_dut.gen_bank[b].u_sram.mem[i]));
          end
        end
      end
      always_ff @(posedge clk_i) begin
        if (rst_ni) begin
          ParityRead: assert (!u_dut.gen_bank[b].read_q ||
                              u_dut.gen_bank[b].rpar == parity(u_dut.bank_rdata[b]));
          NotCleared: assert (!clearing_o || (!u_dut.gen_bank[b].read_q && value_q == '0 && read_q == '0));
        end
      end
    end
  end
endmodule
