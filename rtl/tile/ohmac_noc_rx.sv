// SPDX-License-Identifier: Apache-2.0
// NoC receive: flits into SRAM (one a cycle) or configuration words (one word a cycle), tokens
// after the write, FlitRead to the sender as a command. In order, so the answer to a FlitRead proves
// that every earlier write is done. Never waits for the send side: the host keeps one FlitRead
// outstanding, so the command register is free (assertion).
//
// A flit is half a line and an SRAM access takes a whole one: a flit stays one cycle in the line
// register, and if the next one is the other half of its line, both are written at once. A stream
// then needs every second cycle of the SRAM and loses none to a single refusal.
module ohmac_noc_rx
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned SramBytes = 65536
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  flit_t                flit_i,
  input  logic                 flit_valid_i,
  output logic                 flit_ready_o,
  output logic                 wr_req_o,
  output logic [15:0]          wr_addr_o,    // line
  output logic [LineBytes-1:0] wr_strb_o,
  output logic [LineBits-1:0]  wr_data_o,
  input  logic                 wr_gnt_i,
  output logic                 cfg_valid_o,
  input  logic                 cfg_ready_i,
  output logic [9:0]           cfg_addr_o,   // configuration word
  output logic [31:0]          cfg_wdata_o,
  output logic                 tok_valid_o,
  output logic [3:0]           tok_token_o,
  output logic                 cmd_valid_o,  // to the sender: answer a FlitRead
  input  logic                 cmd_ready_i,
  output logic [AddrBits-1:0]  cmd_addr_o,
  output logic [15:0]          cmd_len_o,
  output fault_e               fault_o,      // one cycle
  output logic                 idle_o,
  output logic                 ev_flit_o,
  output logic                 ev_wr_o
);
  // The whole configuration space is 1024 words.
  localparam int unsigned CfgBytesLog2 = 12;

  flit_t flit;
  logic valid, pop, fifo_ready;
  logic [1:0] fifo_count;

  ohmac_fifo #(.Width($bits(flit_t)), .Depth(2)) u_fifo (
    .clk_i, .rst_ni, .clear_i(1'b0), .valid_i(flit_valid_i), .ready_o(fifo_ready), .data_i(flit_i),
    .valid_o(valid), .ready_i(pop), .data_o(flit), .count_o(fifo_count)
  );
  assign flit_ready_o = fifo_ready;

  logic is_write, is_read, has_data, is_cfg, aligned, in_sram, in_cfg, bad_write, bad_read;
  logic [1:0] word_q;
  logic word_on, word_done, cmd_valid_q;
  logic [AddrBits-1:0] cmd_addr_q;
  logic [15:0] cmd_len_q, len;

  assign is_write  = flit.kind == FlitWrite;
  assign is_read   = flit.kind == FlitRead;
  assign has_data  = flit.strb != '0;
  assign is_cfg    = flit.addr[CfgSpaceBit];
  assign len       = flit.data[15:0];
  assign aligned   = flit.addr[3:0] == 4'd0;
  assign in_sram   = !is_cfg && 32'(flit.addr) < SramBytes;
  assign in_cfg    = is_cfg && flit.addr[CfgSpaceBit-1:CfgBytesLog2] == '0;
  assign bad_write = is_write && has_data && !(aligned && (in_sram || in_cfg));
  assign bad_read  = is_read && !(aligned && !is_cfg && 32'(flit.addr) + 32'(len) <= SramBytes);

  // SRAM: the line register asks while it holds something, together with the head if that is its
  // other half. What was refused stays as it is: nothing joins it later.
  logic to_sram, join_head, line_valid_q, line_open_q, line_tok_q, line_done, load_line;
  logic [15:0] line_q;
  logic [LineBytes-1:0] line_strb_q, head_strb;
  logic [LineBits-1:0] line_data_q;
  logic [3:0] line_token_q;

  assign to_sram   = valid && is_write && has_data && aligned && in_sram;
  assign head_strb = flit.addr[4] ? {flit.strb, {StrbBits{1'b0}}} : {{StrbBits{1'b0}}, flit.strb};
  assign join_head = line_valid_q && line_open_q && to_sram && flit.addr[4] &&
      flit.addr[20:5] == line_q;
  assign line_done = line_valid_q && wr_gnt_i;
  assign load_line = to_sram && !join_head && (!line_valid_q || line_done);

  assign wr_req_o  = line_valid_q;
  assign wr_addr_o = line_q;
  assign wr_strb_o = join_head ? line_strb_q | head_strb : line_strb_q;
  assign wr_data_o = join_head ? {flit.data, line_data_q[DataBits-1:0]} : line_data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) line_valid_q <= 1'b0;
    else if (load_line) line_valid_q <= 1'b1;
    else if (line_done) line_valid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (load_line) begin
      line_q       <= flit.addr[20:5];
      line_strb_q  <= head_strb;
      line_data_q  <= {2{flit.data}};
      line_open_q  <= !flit.addr[4] && !flit.token_en;
      line_tok_q   <= flit.token_en;
      line_token_q <= flit.token;
    end else if (line_valid_q) begin
      line_strb_q <= wr_strb_o;
      line_data_q <= wr_data_o;
      line_open_q <= 1'b0;
      if (join_head) begin
        line_tok_q   <= flit.token_en;
        line_token_q <= flit.token;
      end
    end
  end

  // Configuration: the four words in turn; a word without all its strobes is skipped.
  assign word_on     = flit.strb[4*word_q +: 4] == 4'hF;
  assign cfg_valid_o = valid && !line_valid_q && is_write && has_data && aligned && in_cfg && word_on;
  assign cfg_addr_o  = {flit.addr[CfgBytesLog2-1:4], word_q};
  assign cfg_wdata_o = flit.data[32*word_q +: 32];
  assign word_done   = cfg_ready_i || !word_on;

  // Whatever is not for the SRAM waits until the line register is empty.
  always_comb begin
    pop = !line_valid_q;
    if (to_sram) pop = load_line || join_head;
    else if (is_write && has_data && !bad_write) pop = !line_valid_q && word_done && word_q == 2'd3;
    else if (is_read) pop = !line_valid_q && !cmd_valid_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q      <= 2'd0;
      cmd_valid_q <= 1'b0;
    end else begin
      if (valid && !line_valid_q && is_write && has_data && !bad_write && is_cfg && word_done) begin
        word_q <= word_q + 2'd1;
      end
      if (valid && is_read && pop) cmd_valid_q <= 1'b1;
      else if (cmd_ready_i) cmd_valid_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (valid && is_read && pop) begin
      cmd_addr_q <= flit.addr;
      cmd_len_q  <= bad_read ? '0 : len;
    end
  end

  assign cmd_valid_o = cmd_valid_q;
  assign cmd_addr_o  = cmd_addr_q;
  assign cmd_len_o   = cmd_len_q;
  assign tok_valid_o = line_valid_q ? wr_gnt_i && (join_head ? flit.token_en : line_tok_q) :
      valid && pop && is_write && flit.token_en && !bad_write && !to_sram;
  assign tok_token_o = (line_valid_q && !join_head) ? line_token_q : flit.token;
  assign fault_o     = (valid && pop && (bad_write || bad_read)) ? FaultAddress : FaultNone;
  assign idle_o      = fifo_count == '0 && !cmd_valid_q && !line_valid_q;
  assign ev_flit_o   = valid && pop;
  assign ev_wr_o     = pop && to_sram;

  ohmac_hold_check #(.Width(16 + LineBytes + LineBits)) u_write_holds (
    .clk_i, .rst_ni, .valid_i(wr_req_o), .taken_i(wr_gnt_i),
    .data_i({wr_addr_o, wr_strb_o, wr_data_o})
  );
  ohmac_hold_check #(.Width($bits(cfg_addr_o) + 32)) u_config_holds (
    .clk_i, .rst_ni, .valid_i(cfg_valid_o), .taken_i(cfg_ready_i),
    .data_i({cfg_addr_o, cfg_wdata_o})
  );
  ohmac_hold_check #(.Width(AddrBits + 16)) u_command_holds (
    .clk_i, .rst_ni, .valid_i(cmd_valid_o), .taken_i(cmd_ready_i),
    .data_i({cmd_addr_o, cmd_len_o})
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) OneReadOutstanding: assert (!(valid && is_read) || !cmd_valid_q);
    if (rst_ni) TokenAfterItsWrite: assert (!(tok_valid_o && line_valid_q) || wr_gnt_i);
  end
endmodule
