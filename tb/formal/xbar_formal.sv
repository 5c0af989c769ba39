// SPDX-License-Identifier: Apache-2.0
// ohmac_sram_xbar with free requesters: writers hold what they ask, readers come and go. One requester and one byte of the memory, any,
// are watched.
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
  localparam logic [Readers-1:0] Direct = Readers'('b00110);
  // Cycles until the access, that of the access included; of a reader from its grant on.
  localparam int unsigned UrgentBound = 3;
  localparam int unsigned VectorBound = 12;
  localparam int unsigned ReadBound   = 15;
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic [Writers-1:0] wr_gnt_o;
  logic [Readers-1:0] rd_gnt_o, rd_rvalid_o;
  logic [Readers-1:0][LineBits-1:0] rd_rdata_o;
  logic parity_o, clearing_o, busy_o;
  ohmac_sram_xbar #(
    .SramBytes(SramBytes), .SramBanks(SramBanks), .Writers(Writers), .Readers(Readers), .Direct(Direct)
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

  // How long the watched writer waits.
  localparam int unsigned WaitBits = 5;
  logic [WaitBits-1:0] waits_q;  // cycles without grant, up to the last one
  logic watch_wr;
  assign watch_wr = 32'(who_i) < Writers;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clearing_o || !watch_wr || !req[who_i] || gnt[who_i]) waits_q <= '0;
    else waits_q <= waits_q + WaitBits'(1);
  end

  // Readers: what was granted and has not come, and since when.
  logic [Readers-1:0] out_q;
  logic [Readers-1:0][LineIdx-1:0] out_line_q;
  logic [Readers-1:0][WaitBits-1:0] since_q;  // of a direct reader its grant; else since the bus asks for it
  logic [Readers-1:0][1:0] passed_q;          // others that the shared bus served since
  always_ff @(posedge clk_i) begin
    for (int unsigned r = 0; r < Readers; r++) begin
      if (!rst_ni) out_q[r] <= 1'b0;
      else if (rd_gnt_o[r]) out_q[r] <= 1'b1;
      else if (rd_rvalid_o[r]) out_q[r] <= 1'b0;
      if (rd_gnt_o[r]) out_line_q[r] <= line[Writers+r];
      if (rd_gnt_o[r] || !(Direct[r] ? u_dut.full_q[r] : u_dut.pick_q[r])) since_q[r] <= WaitBits'(1);
      else since_q[r] <= since_q[r] + WaitBits'(1);
      if (rd_gnt_o[r]) passed_q[r] <= '0;
      else if (u_dut.full_q[r] && (u_dut.served & ~Direct & ~(Readers'(1) << r)) != '0) passed_q[r] <= passed_q[r] + 2'd1;
    end
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

  if (!Data) begin : gen_arbitration
    logic [Readers-1:0] refused, waits_too_long, passed_too_often;
    always_comb begin
      for (int unsigned r = 0; r < Readers; r++) begin
        refused[r]          = rd_req_i[r] && !rd_gnt_o[r];
        // since_q counts the cycle of the grant: a direct reader may be served in it, the others not before the next one.
        waits_too_long[r]   = u_dut.full_q[r] && (Direct[r] || u_dut.pick_q[r]) && 32'(since_q[r]) >= ReadBound;
        passed_too_often[r] = !Direct[r] && u_dut.full_q[r] && 32'(passed_q[r]) > Readers - 3;
      end
    end
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        GrantNeedsRequest:   assert ((gnt & ~req) == '0);
        NothingWhileCleared: assert (!clearing_o || gnt == '0);
        WritersInTime:       assert (!watch_wr || 32'(waits_q) < ((32'(who_i) < 2) ? UrgentBound : VectorBound));
        ReadersInTime:       assert (!waits_too_long[who_i - Writers] || watch_wr);
        SharedInTurn:        assert (!passed_too_often[who_i - Writers] || watch_wr);
        RefusedOnlyIfOneWaits: assert (clearing_o || (refused & ~(out_q & ~rd_rvalid_o)) == '0);
        OneOnItsWay:         assert ((rd_gnt_o & out_q & ~rd_rvalid_o) == '0);
        DataWereAsked:       assert ((rd_rvalid_o & ~out_q) == '0);
        // Ties the place to what is on its way.
        PlaceIsOnItsWay:     assert (out_q == (u_dut.full_q | rd_rvalid_o) && (u_dut.full_q & rd_rvalid_o) == '0);
        LongWriterWait:      cover (watch_wr && gnt[who_i] && 32'(waits_q) == VectorBound - 1);
        LongReaderWait:      cover (u_dut.served[1] && 32'(since_q[1]) >= 10);
        AllBanksServe:       cover ($countones(u_dut.served) + $countones(wr_gnt_o) == SramBanks && req == '1);
      end
    end
    for (genvar b = 0; b < SramBanks; b++) begin : gen_bank
      logic [Writers-1:0] wr_here;
      logic [2:0] rd_here, rd_goes;  // buses
      always_comb begin
        for (int unsigned w = 0; w < Writers; w++) wr_here[w] = wr_req_i[w] && 32'(line[w]) % SramBanks == b;
        for (int unsigned s = 0; s < 3; s++) begin
          rd_here[s] = (u_dut.bus_old[s] || u_dut.bus_new[s]) && 32'(u_dut.bus_line[s]) % SramBanks == b;
          rd_goes[s] = u_dut.bank_rd[s][b];
        end
      end
      always_ff @(posedge clk_i) begin
        if (rst_ni) begin
          OneGrantABank: assert ($onehot0({rd_goes, wr_gnt_o & wr_here}));
          BankServes:    assert ({rd_here, wr_here} == '0 || clearing_o || {rd_goes, wr_gnt_o & wr_here} != '0);
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
    // Data are those of the cycle before, the access; they come in the order of the grants, at most one is on its way.
    logic [Readers-1:0] as_written, place_holds;
    always_comb begin
      for (int unsigned r = 0; r < Readers; r++) begin
        as_written[r]  = !rd_rvalid_o[r] || out_line_q[r] != line_i || rd_rdata_o[r][8*byte_i+:8] == value_q;
        place_holds[r] = !u_dut.full_q[r] || u_dut.line_q[r] == out_line_q[r];
      end
    end
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        ReadsWhatWasWritten: assert (as_written == '1);
        NoParityError:       assert (!parity_o);
        PlaceHoldsItsLine:   assert (place_holds == '1);
        WrittenThenRead:     cover (rd_rvalid_o[0] && rd_rvalid_o[1] && out_line_q[0] == line_i && value_q == 8'h5A);
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
          NotCleared: assert (!clearing_o || (!u_dut.gen_bank[b].read_q && value_q == '0 && u_dut.full_q == '0 && rd_rvalid_o == '0));
        end
      end
    end
  end
endmodule
