// SPDX-License-Identifier: Apache-2.0
// Local SRAM of a tile: banks of 256-bit lines behind a crossbar. bank = line % SramBanks.
//
// Writers 0, NoC receive (what it holds up fills links that others need), and 1, results of the MVM
// engine (what they hold up stops the ADCs), take turns and go first, in one bank at most twice in a
// row while others wait for it; writer 2 and the readers take turns. A write is done in the cycle of
// its grant, which depends on the requests of the writers (they hold) and on state only.
//
// A read is accepted in the cycle of its grant, which depends on state only, and done in that cycle
// (readers in Direct) or a later one: a place for one line address a reader. Data come in the order
// of the grants, one cycle after the access, and last one cycle (no back-pressure: a reader asks
// only for what it can take). At most one read of a reader is on its way when a cycle begins; a
// reader in Direct can have one accepted every cycle, the others every second one. The latter share
// one data bus and pass it one a cycle.
//
// A write is visible to reads granted after it. A read that was granted may see a later write until
// its data have come. Cycles to the access, that of the access included (tb/formal): writers 0 and 1
// three, writer 2 twelve, a reader in Direct 15 from its grant, the others 15 once the bus is theirs.
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
  parameter int unsigned Readers   = 5,
  parameter logic [Readers-1:0] Direct = Readers'('b00110)  // operands of the vector unit: two, a line a cycle each
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
  output logic                              busy_o       // clears, or a read is not done and checked yet
);
  localparam int unsigned Lines    = SramBytes / LineBytes;
  localparam int unsigned Depth    = Lines / SramBanks;
  localparam int unsigned RowBits  = $clog2(Depth);
  localparam int unsigned LineIdx  = $clog2(Lines);

  if (SramBanks != 1 << $clog2(SramBanks) || Depth < 2 || Depth != 1 << RowBits || Lines > 1 << 16)
  begin : gen_illegal
    $fatal(1, "ohmac_sram_xbar: SramBanks, SramBytes must be powers of two, two lines a bank or more, not %0d, %0d",
           SramBanks, SramBytes);
  end
  if (Writers != 3 || Readers < 3 || $countones(Direct) != 2) begin : gen_bad_ports
    $fatal(1, "ohmac_sram_xbar: 3 writers, 2 direct readers and at least one more, not %0d, %b of %0d",
           Writers, Direct, Readers);
  end

  // Who wants a bank for a read: the shared bus and the two direct readers
  localparam int unsigned Buses = 3;
  typedef logic [SramBanks-1:0] banks_t;  // one-hot, or 0

  function automatic banks_t bank_of(logic [LineIdx-1:0] line);
    return banks_t'(1) << (line & LineIdx'(SramBanks - 1));
  endfunction
  function automatic logic [RowBits-1:0] row_of(logic [LineIdx-1:0] line);
    return RowBits'(line >> $clog2(SramBanks));
  endfunction

  // One parity bit a byte.
  localparam int unsigned Words = LineBits / 32;
  function automatic logic [3:0] parity_of(logic [31:0] word);
    logic [31:0] x;
    x = word ^ (word >> 4);
    x = x ^ (x >> 2);
    x = x ^ (x >> 1);
    return {x[24], x[16], x[8], x[0]};
  endfunction

  // ---- clear after reset ----
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

  // ---- writers: grants side by side, from bits of the banks that are registered ----
  banks_t results_q;  // of writers 0 and 1, 1 goes next
  banks_t yield_q;    // writers 0 and 1 went twice while others waited, who still do
  banks_t round_q;    // readers that wait go before writer 2
  banks_t urgent_goes;
  banks_t [Writers-1:0] wr_bank, bank_wr;
  logic [Writers-1:0] wr_go;
  logic [Writers-1:0][LineBytes-1:0] wr_par;

  always_comb begin
    wr_par = '0;
    for (int unsigned w = 0; w < Writers; w++) begin
      wr_bank[w] = bank_of(LineIdx'(wr_addr_i[w]));
      if (wr_req_i[w]) begin
        for (int unsigned i = 0; i < Words; i++) begin
          wr_par[w][4*i +: 4] = parity_of(wr_data_i[w][32*i +: 32]);
        end
      end
    end
  end

  function automatic logic here(banks_t bank, banks_t what);
    return (bank & what) != '0;
  endfunction
  function automatic logic same(logic [15:0] a, logic [15:0] b);
    return ((a ^ b) & 16'(SramBanks - 1)) == '0;
  endfunction

  always_comb begin
    logic met;
    met      = same(wr_addr_i[0], wr_addr_i[1]);
    wr_go[0] = wr_req_i[0] && !clear_q && !here(wr_bank[0], yield_q) &&
        !(wr_req_i[1] && met && here(wr_bank[0], results_q));
    wr_go[1] = wr_req_i[1] && !clear_q && !here(wr_bank[1], yield_q) &&
        !(wr_req_i[0] && met && here(wr_bank[1], ~results_q));
    wr_go[2] = wr_req_i[2] && !clear_q && !here(wr_bank[2], round_q) && (here(wr_bank[2], yield_q) ||
        !((wr_req_i[0] && same(wr_addr_i[0], wr_addr_i[2])) || (wr_req_i[1] && same(wr_addr_i[1], wr_addr_i[2]))));
    for (int unsigned w = 0; w < Writers; w++) bank_wr[w] = wr_bank[w] & {SramBanks{wr_go[w]}};
  end
  assign wr_gnt_o    = wr_go;
  assign urgent_goes = bank_wr[0] | bank_wr[1];

  // ---- readers: places for the address that was accepted ----
  logic [Readers-1:0] full_q, full_d, accept, pick_q, pick_d, served;
  logic [Readers-1:0][LineIdx-1:0] line_q;
  logic [Buses-1:0] bus_old, bus_new, bus_served;  // asks since an earlier cycle; asks in the cycle of its grant
  logic [Buses-1:0][LineIdx-1:0] bus_line;

  assign rd_gnt_o = rd_req_i & ~full_q & {Readers{!clear_q}};
  assign accept   = rd_gnt_o;
  assign full_d   = (full_q | accept) & ~served;

  // The shared bus stays with the reader it asks for until that is served; then the next in turn.
  always_comb begin
    logic [Readers-1:0] wait_d, after;
    wait_d = full_d & ~Direct;
    after  = wait_d & ~(pick_q | (pick_q - Readers'(1)));  // behind the one now
    if (after == '0) after = wait_d;
    pick_d = (full_q & pick_q & ~served) != '0 ? pick_q : after & (~after + Readers'(1));
  end

  always_comb begin
    int unsigned d;
    d          = 1;
    bus_new    = '0;
    bus_old    = '0;
    bus_line   = '0;
    bus_old[0] = pick_q != '0;
    for (int unsigned r = 0; r < Readers; r++) begin
      if (Direct[r]) begin
        bus_old[d]  = full_q[r];
        bus_new[d]  = accept[r];
        bus_line[d] = full_q[r] ? line_q[r] : LineIdx'(rd_addr_i[r]);
        d++;
      end else if (pick_q[r]) begin
        bus_line[0] |= line_q[r];
      end
    end
  end
  always_comb begin
    int unsigned d;
    d      = 1;
    served = '0;
    for (int unsigned r = 0; r < Readers; r++) begin
      served[r] = bus_served[0] && pick_q[r];
      if (Direct[r]) begin
        served[r] = bus_served[d];
        d++;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      full_q <= '0;
      pick_q <= '0;
    end else begin
      full_q <= full_d;
      pick_q <= pick_d;
    end
  end
  always_ff @(posedge clk_i) begin
    for (int unsigned r = 0; r < Readers; r++) if (accept[r]) line_q[r] <= LineIdx'(rd_addr_i[r]);
  end

  // ---- banks ----
  banks_t [Buses-1:0] bus_bank, bank_rd, select_q;
  logic [SramBanks-1:0][LineBits-1:0] bank_rdata;
  banks_t bank_bad;

  for (genvar s = 0; s < int'(Buses); s++) begin : gen_bus
    assign bus_bank[s]   = bank_of(bus_line[s]);
    assign bus_served[s] = bank_rd[s] != '0;
  end

  for (genvar b = 0; b < int'(SramBanks); b++) begin : gen_bank
    logic [Buses-1:0] old_req, new_req, old_gnt, gnt;
    logic             written;  // a writer goes
    always_comb begin
      for (int unsigned s = 0; s < Buses; s++) begin
        old_req[s] = bus_old[s] && bus_bank[s][b];
        new_req[s] = bus_new[s] && bus_bank[s][b];
      end
    end
    assign written = bank_wr[0][b] || bank_wr[1][b] || bank_wr[2][b];

    // Turns: readers at or behind the pointer (mask_q), writer 2, readers before it.
    logic [Buses-1:0] mask_q, mask_d, behind, left;
    logic [1:0]       lost_q, lost_d;  // times in a row that writers 0 and 1 went before one who waits
    logic             others;
    always_comb begin
      behind  = old_req & mask_q;
      old_gnt = (behind != '0) ? behind & (~behind + Buses'(1)) : old_req & (~old_req + Buses'(1));
      // What was asked just now goes only where nobody waits.
      gnt = '0;
      if (!written) gnt = (old_req != '0) ? old_gnt : new_req & (~new_req + Buses'(1));
      left   = (old_req | new_req) & ~gnt;
      mask_d = mask_q;
      if (bank_wr[2][b]) mask_d = '1;
      else if (!written && old_req != '0) mask_d = ~(old_gnt | (old_gnt - Buses'(1)));
      others = (old_req | new_req) != '0 || (wr_req_i[2] && wr_bank[2][b]);
      lost_d = '0;
      if (urgent_goes[b] && others) lost_d = lost_q + 2'd1;
    end
    for (genvar s = 0; s < int'(Buses); s++) begin : gen_bus
      assign bank_rd[s][b] = gnt[s];
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        mask_q       <= '1;
        lost_q       <= '0;
        yield_q[b]   <= 1'b0;
        round_q[b]   <= 1'b0;
        results_q[b] <= 1'b0;
      end else begin
        mask_q     <= mask_d;
        lost_q     <= lost_d;
        yield_q[b] <= lost_d == 2'd2;
        round_q[b] <= (left & mask_d) != '0;
        if (urgent_goes[b]) results_q[b] <= bank_wr[0][b];
      end
    end

    logic [RowBits-1:0]   row;
    logic [LineBytes-1:0] strb, par, rpar;
    logic [LineBits-1:0]  wdata;
    always_comb begin
      row   = clear_q ? clear_row_q : '0;
      strb  = {LineBytes{clear_q}};
      wdata = '0;
      par   = '0;
      for (int unsigned s = 0; s < Buses; s++) if (gnt[s]) row |= row_of(bus_line[s]);
      for (int unsigned w = 0; w < Writers; w++) begin
        if (bank_wr[w][b]) begin
          row   |= row_of(LineIdx'(wr_addr_i[w]));
          strb  |= wr_strb_i[w];
          wdata |= wr_data_i[w];
          par   |= wr_par[w];
        end
      end
    end

    ohmac_sram #(.Width(LineBits), .Depth(Depth)) u_sram (
      .clk_i, .req_i(written || gnt != '0 || clear_q), .we_i(written || clear_q),
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
        read_q <= gnt != '0;
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
      if (rst_ni) OneGrantABank: assert ($onehot0({gnt, bank_wr[2][b], bank_wr[1][b], bank_wr[0][b]}));
      if (rst_ni) TurnsAreOfThoseWhoWait: assert (!round_q[b] || (old_req & mask_q) != '0);
      if (rst_ni) YieldsToThoseWhoWait: assert (!yield_q[b] || others);
    end
  end

  // ---- data ----
  logic [Readers-1:0] rvalid_q;
  logic [Buses-1:0][LineBits-1:0] bus_data;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rvalid_q <= '0;
      select_q <= '0;
    end else begin
      rvalid_q <= served;
      select_q <= bank_rd;
    end
  end
  always_comb begin
    bus_data = '0;
    for (int unsigned s = 0; s < Buses; s++) begin
      for (int unsigned b = 0; b < SramBanks; b++) bus_data[s] |= bank_rdata[b] & {LineBits{select_q[s][b]}};
    end
  end
  always_comb begin
    int unsigned d;
    d = 1;
    for (int unsigned r = 0; r < Readers; r++) begin
      rd_rdata_o[r] = bus_data[0];
      if (Direct[r]) begin
        rd_rdata_o[r] = bus_data[d];
        d++;
      end
    end
  end

  assign rd_rvalid_o = rvalid_q;
  assign parity_o    = bank_bad != '0;
  assign busy_o      = clear_q || full_q != '0 || rvalid_q != '0 || parity_o;

  // ---- promises ----
  for (genvar r = 0; r < int'(Readers); r++) begin : gen_reader
    always_ff @(posedge clk_i) begin
      if (rst_ni) LineExists: assert (!rd_req_i[r] || 32'(rd_addr_i[r]) < Lines);
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) OnePick: assert ($onehot0(pick_q));
    if (rst_ni) SharedBusIsNotIdle: assert ((full_q & ~Direct) == '0 || (full_q & pick_q & ~Direct) != '0);
    if (rst_ni) PickIsFull: assert ((pick_q & ~full_q) == '0);
  end
  for (genvar w = 0; w < int'(Writers); w++) begin : gen_writer
    always_ff @(posedge clk_i) begin
      if (rst_ni) LineExists: assert (!wr_req_i[w] || 32'(wr_addr_i[w]) < Lines);
    end
    ohmac_hold_check #(.Width(16 + LineBytes + LineBits)) u_write_holds (
      .clk_i, .rst_ni, .valid_i(wr_req_i[w]), .taken_i(wr_gnt_o[w]),
      .data_i({wr_addr_i[w], wr_strb_i[w], wr_data_i[w]})
    );
  end
endmodule
