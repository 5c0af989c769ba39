// SPDX-License-Identifier: Apache-2.0
// Local SRAM of a tile: banks of 256-bit lines behind a crossbar. bank = line % SramBanks. Two
// writers go first: 0, NoC receive (what it holds up fills links that others need), and 1, results
// of the MVM engine (what they hold up stops the ADCs). They never have a bank more than twice in a
// row while others wait for it. Both groups take turns inside, so every requester is served within
// 18 cycles. Grant is combinational; read data come one cycle after it and last one cycle (no
// back-pressure: a reader asks only for what it can take). A write is visible to reads granted
// after it.
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
  input  logic [Writers-1:0][15:0]          wr_addr_i,   // line
  input  logic [Writers-1:0][LineBytes-1:0] wr_strb_i,
  input  logic [Writers-1:0][LineBits-1:0]  wr_data_i,
  output logic [Writers-1:0]                wr_gnt_o,
  input  logic [Readers-1:0]                rd_req_i,
  input  logic [Readers-1:0][15:0]          rd_addr_i,   // line
  output logic [Readers-1:0]                rd_gnt_o,
  output logic [Readers-1:0]                rd_rvalid_o,
  output logic [Readers-1:0][LineBits-1:0]  rd_rdata_o
);
  localparam int unsigned Ports    = Writers + Readers;
  localparam logic [Ports-1:0] Urgent = Ports'(3);  // writers 0 and 1
  localparam int unsigned Lines    = SramBytes / LineBytes;
  localparam int unsigned Depth    = Lines / SramBanks;
  localparam int unsigned RowBits  = $clog2(Depth);
  localparam int unsigned BankBits = (SramBanks > 1) ? $clog2(SramBanks) : 1;

  if (SramBanks != 1 << $clog2(SramBanks) || Depth < 2 || Depth != 1 << RowBits || Lines > 1 << 16)
  begin : gen_illegal
    $fatal(1, "ohmac_sram_xbar: SramBanks, SramBytes must be powers of two, two lines a bank or more, not %0d, %0d",
           SramBanks, SramBytes);
  end

  logic [Ports-1:0] req, gnt;
  logic [Ports-1:0][15:0] addr;
  logic [SramBanks-1:0][Ports-1:0] bank_req, bank_gnt;
  logic [SramBanks-1:0][LineBits-1:0] bank_rdata;

  assign req  = {rd_req_i, wr_req_i};
  assign addr = {rd_addr_i, wr_addr_i};

  localparam logic [15:0] BankMask = 16'(SramBanks - 1);
  function automatic logic [BankBits-1:0] bank_of(logic [15:0] line);
    return BankBits'(line & BankMask);
  endfunction

  always_comb begin
    gnt = '0;
    for (int unsigned b = 0; b < SramBanks; b++) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        bank_req[b][p] = req[p] && bank_of(addr[p]) == BankBits'(b);
      end
      gnt |= bank_gnt[b];
    end
  end
  assign {rd_gnt_o, wr_gnt_o} = gnt;

  for (genvar b = 0; b < SramBanks; b++) begin : gen_bank
    logic [RowBits-1:0]   row;
    logic [LineBytes-1:0] strb;
    logic [LineBits-1:0]  wdata;

    logic [Ports-1:0] urgent, rest, urgent_gnt, rest_gnt;
    logic urgent_goes;
    logic [1:0] urgent_q;  // in the last two cycles
    assign urgent      = bank_req[b] & Urgent;
    assign rest        = bank_req[b] & ~Urgent;
    assign urgent_goes = urgent != '0 && !(urgent_q == '1 && rest != '0);
    assign bank_gnt[b] = urgent_goes ? urgent_gnt : rest_gnt;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) urgent_q <= '0;
      else urgent_q <= {urgent_q[0], urgent_goes};
    end
    ohmac_rr_arb #(.N(Ports)) u_urgent_arb (
      .clk_i, .rst_ni, .req_i(urgent), .update_i(urgent_goes), .gnt_o(urgent_gnt)
    );
    ohmac_rr_arb #(.N(Ports)) u_arb (
      .clk_i, .rst_ni, .req_i(rest), .update_i(!urgent_goes), .gnt_o(rest_gnt)
    );

    always_comb begin
      row   = '0;
      strb  = '0;
      wdata = '0;
      for (int unsigned p = 0; p < Ports; p++) begin
        if (bank_gnt[b][p]) row |= RowBits'(addr[p] >> $clog2(SramBanks));
      end
      for (int unsigned w = 0; w < Writers; w++) begin
        if (bank_gnt[b][w]) begin
          strb  |= wr_strb_i[w];
          wdata |= wr_data_i[w];
        end
      end
    end

    ohmac_sram #(.Width(LineBits), .Depth(Depth)) u_sram (
      .clk_i, .req_i(|bank_gnt[b]), .we_i(|bank_gnt[b][Writers-1:0]), .addr_i(row), .strb_i(strb),
      .wdata_i(wdata), .rdata_o(bank_rdata[b])
    );

    always_ff @(posedge clk_i) begin
      if (rst_ni) OneGrantABank: assert ($onehot0(bank_gnt[b]));
      if (rst_ni) BankNotIdle: assert (!(bank_req[b] != '0) || (bank_gnt[b] != '0));
    end
  end

  logic [Readers-1:0] rvalid_q;
  logic [Readers-1:0][BankBits-1:0] rbank_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) rvalid_q <= '0;
    else rvalid_q <= rd_gnt_o;
  end
  always_ff @(posedge clk_i) begin
    for (int unsigned r = 0; r < Readers; r++) if (rd_gnt_o[r]) rbank_q[r] <= bank_of(rd_addr_i[r]);
  end

  assign rd_rvalid_o = rvalid_q;
  for (genvar r = 0; r < Readers; r++) begin : gen_rdata
    assign rd_rdata_o[r] = bank_rdata[rbank_q[r]];
  end

  for (genvar p = 0; p < Ports; p++) begin : gen_promise
    always_ff @(posedge clk_i) begin
      if (rst_ni) GrantNeedsRequest: assert (!gnt[p] || req[p]);
      if (rst_ni) LineExists: assert (!req[p] || (32'(addr[p]) < Lines));
    end
  end
  for (genvar w = 0; w < Writers; w++) begin : gen_hold
    WriteHoldsUntilGranted: assert property (@(posedge clk_i) disable iff (!rst_ni)
      wr_req_i[w] && !wr_gnt_o[w] |=>
        wr_req_i[w] && $stable(wr_addr_i[w]) && $stable(wr_strb_i[w]) && $stable(wr_data_i[w]));
  end
endmodule
