// SPDX-License-Identifier: Apache-2.0
// Local SRAM of a tile: banks of 256-bit lines behind a crossbar. bank = line % SramBanks. Two
// writers go first: 0, NoC receive (what it holds up fills links that others need), and 1, results
// of the MVM engine (what they hold up stops the ADCs). They never have a bank more than twice in a
// row while others wait for it. Both groups take turns inside, so every requester is served within
// 18 cycles. Grant is combinational; read data come one cycle after it and last one cycle (no
// back-pressure: a reader asks only for what it can take). A write is visible to reads granted
// after it.
//
// Every byte has an even parity bit. A line that was read is checked as a whole, whatever part the
// reader uses: parity_o in the cycle after its data. After reset the banks are cleared line by line,
// all at once; nothing is granted until then.
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
  output logic [Readers-1:0][LineBits-1:0]  rd_rdata_o,
  output logic                              parity_o,    // one cycle: a line was read wrong
  output logic                              clearing_o,
  output logic                              busy_o       // clears, or a read is not checked yet
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
  logic [SramBanks-1:0] bank_bad;

  // One parity bit a byte.
  localparam int unsigned Words = LineBits / 32;
  function automatic logic [3:0] parity_of(logic [31:0] word);
    logic [31:0] x;
    x = word ^ (word >> 4);
    x = x ^ (x >> 2);
    x = x ^ (x >> 1);
    return {x[24], x[16], x[8], x[0]};
  endfunction

  // Of every writer, beside the arbitration.
  logic [Writers-1:0][LineBytes-1:0] wr_par;
  always_comb begin
    wr_par = '0;
    for (int unsigned w = 0; w < Writers; w++) begin
      if (wr_req_i[w]) begin
        for (int unsigned i = 0; i < Words; i++) begin
          wr_par[w][4*i +: 4] = parity_of(wr_data_i[w][32*i +: 32]);
        end
      end
    end
  end

  // Clear after reset
  logic clear_q;
  logic [RowBits-1:0] clear_row_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_q     <= 1'b1;
      clear_row_q <= '0;
    end else if (clear_q) begin
      clear_q     <= clear_row_q != RowBits'(Depth - 1);
      clear_row_q <= clear_row_q + RowBits'(1);
    end
  end
  assign clearing_o = clear_q;

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
        bank_req[b][p] = req[p] && !clear_q && bank_of(addr[p]) == BankBits'(b);
      end
      gnt |= bank_gnt[b];
    end
  end
  assign {rd_gnt_o, wr_gnt_o} = gnt;

  for (genvar b = 0; b < SramBanks; b++) begin : gen_bank
    logic [RowBits-1:0]   row;
    logic [LineBytes-1:0] strb;
    logic [LineBytes-1:0] par, rpar;
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
      row   = clear_q ? clear_row_q : '0;
      strb  = {LineBytes{clear_q}};
      wdata = '0;
      par   = '0;
      for (int unsigned p = 0; p < Ports; p++) begin
        if (bank_gnt[b][p]) row |= RowBits'(addr[p] >> $clog2(SramBanks));
      end
      for (int unsigned w = 0; w < Writers; w++) begin
        if (bank_gnt[b][w]) begin
          strb  |= wr_strb_i[w];
          wdata |= wr_data_i[w];
          par   |= wr_par[w];
        end
      end
    end

    ohmac_sram #(.Width(LineBits), .Depth(Depth)) u_sram (
      .clk_i, .req_i(|bank_gnt[b] || clear_q), .we_i(|bank_gnt[b][Writers-1:0] || clear_q),
      .addr_i(row), .strb_i(strb), .wdata_i(wdata), .wpar_i(par), .rdata_o(bank_rdata[b]),
      .rpar_o(rpar)
    );

    // The check ends in a register for every four bytes.
    logic read_q;
    logic [Words-1:0] bad_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        read_q <= 1'b0;
        bad_q  <= '0;
      end else begin
        read_q <= |bank_gnt[b][Ports-1:Writers];
        bad_q  <= '0;
        if (read_q) begin
          for (int unsigned i = 0; i < Words; i++) begin
            bad_q[i] <= parity_of(bank_rdata[b][32*i +: 32]) != rpar[4*i +: 4];
          end
        end
      end
    end
    assign bank_bad[b] = bad_q != '0;

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
  assign parity_o    = bank_bad != '0;
  assign busy_o      = clear_q || rvalid_q != '0 || parity_o;
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
    ohmac_hold_check #(.Width(16 + LineBytes + LineBits)) u_write_holds (
      .clk_i, .rst_ni, .valid_i(wr_req_i[w]), .taken_i(wr_gnt_o[w]),
      .data_i({wr_addr_i[w], wr_strb_i[w], wr_data_i[w]})
    );
  end
endmodule
