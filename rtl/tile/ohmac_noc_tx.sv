// SPDX-License-Identifier: Apache-2.0
// NET engine: SEND items become streams of FlitWrite, commands of the receiver become streams of
// FlitResp to the host. One flit of 16 bytes a cycle while SRAM and NoC keep up; 3 cycles from an
// item to its first flit. Commands go between SENDs and also pass a WAIT that blocks the queue: the
// host can always read a tile that waits.
module ohmac_noc_tx
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                item_valid_i,
  output logic                item_ready_o,
  input  net_item_t           item_i,
  input  logic                cmd_valid_i,   // answer a FlitRead
  output logic                cmd_ready_o,
  input  logic [AddrBits-1:0] cmd_addr_i,
  input  logic [15:0]         cmd_len_i,     // bytes, 0: one empty flit
  input  logic [3:0]          mesh_x_i,      // columns of the mesh, 1..8, constant
  output logic                wait_valid_o,
  output logic [3:0]          wait_token_o,
  output logic [7:0]          wait_count_o,
  input  logic                wait_gnt_i,
  output logic                sig_valid_o,
  output logic [3:0]          sig_token_o,
  output logic [7:0]          sig_count_o,
  output logic                rd_req_o,
  output logic [15:0]         rd_addr_o,
  input  logic                rd_gnt_i,
  input  logic                rd_rvalid_i,
  input  logic [LineBits-1:0] rd_rdata_i,
  output flit_t               flit_o,
  output logic                flit_valid_o,
  input  logic                flit_ready_i,
  input  logic                drop_waits_i,
  output logic                idle_o,
  output fault_e              fault_o,
  output logic                ev_flit_o,
  output logic                ev_rd_o
);
  localparam int unsigned FlitCntBits = 13;  // flits of one transfer, up to 65535 / 16 + 1
  localparam int unsigned LineCntBits = 12;

  // Legal path: StIdle -> {StWait, StSignal, StXfer} -> StIdle; StWait -> StXfer -> StWait for
  // a command.
  typedef enum logic [1:0] {
    StIdle,    // takes a command or an item
    StWait,    // WAIT: until the token is granted
    StSignal,  // SIGNAL: until the last flit has left
    StXfer     // emits flits
  } state_e;
  state_e state_q, state_d;

  logic [3:0] wait_token_q;  // WAIT, SIGNAL
  logic [7:0] wait_count_q;
  logic resume_q, resume_d;  // a WAIT was passed by the command that runs
  logic take_item, take_cmd;

  // The transfer that runs.
  logic [FlitCntBits-1:0] flits_q;   // left
  logic [LineCntBits-1:0] lines_q;   // left to request
  logic [15:0] line_q;
  logic half_q, first_half, empty_q, resp_q, host_q, token_en_q;
  logic [3:0] token_q, tail_q;
  logic [CoordBits-1:0] x_q, y_q;
  logic [AddrBits-1:0] addr_q;

  logic line_valid, line_ready, line_empty, emit, last;
  logic [LineBits-1:0] line_data;
  flit_t flit_d, flit_q;
  logic flit_valid_q;

  assign last = flits_q == FlitCntBits'(1);
  assign emit = state_q == StXfer && (line_valid || empty_q) && (!flit_valid_q || flit_ready_i);

  always_comb begin
    state_d   = state_q;
    resume_d  = resume_q;
    take_item = 1'b0;
    take_cmd  = 1'b0;
    unique case (state_q)
      StIdle: begin
        if (cmd_valid_i) begin
          take_cmd = 1'b1;
          state_d  = StXfer;
          resume_d = 1'b0;
        end else if (item_valid_i) begin
          take_item = 1'b1;
          resume_d  = 1'b0;
          unique case (item_i.kind)
            ItemWait:   state_d = StWait;
            ItemSignal: state_d = StSignal;
            default:    state_d = StXfer;
          endcase
        end
      end
      StWait: begin
        if (wait_gnt_i || drop_waits_i) begin
          state_d = StIdle;
        end else if (cmd_valid_i) begin
          take_cmd = 1'b1;
          state_d  = StXfer;
          resume_d = 1'b1;
        end
      end
      StSignal: if (!flit_valid_q) state_d = StIdle;
      StXfer:   if (emit && last) state_d = resume_q ? StWait : StIdle;
      default:  state_d = StIdle;
    endcase
  end

  // A command is taken before an item.
  assign cmd_ready_o  = state_q == StIdle || (state_q == StWait && !wait_gnt_i && !drop_waits_i);
  assign item_ready_o = state_q == StIdle && !cmd_valid_i;

  // Tile number -> mesh coordinates: as many rows as fit below the number.
  logic [CoordBits-1:0] tile_y;
  logic [6:0] row_start;
  always_comb begin
    tile_y    = '0;
    row_start = '0;
    for (int unsigned r = 1; r < 1 << CoordBits; r++) begin
      if (item_i.tile >= 7'(r * 32'(mesh_x_i))) begin
        tile_y    = CoordBits'(r);
        row_start = 7'(r * 32'(mesh_x_i));
      end
    end
  end

  // Length and first address of what is taken now.
  logic [15:0] len;
  logic [20:4] src;
  logic [FlitCntBits-1:0] flits;
  assign len        = take_cmd ? cmd_len_i : 16'(item_i.len);
  assign src        = take_cmd ? cmd_addr_i[20:4] : item_i.src[20:4];
  assign flits      = (len == '0) ? FlitCntBits'(1) : FlitCntBits'((17'(len) + 17'd15) >> 4);
  assign first_half = src[4];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q  <= StIdle;
      resume_q <= 1'b0;
      lines_q  <= '0;
    end else begin
      state_q  <= state_d;
      resume_q <= resume_d;
      if (take_cmd || take_item) begin
        lines_q <= (len == '0 || (take_item && item_i.kind != ItemOp)) ? '0 :
            LineCntBits'((flits + FlitCntBits'(first_half) + FlitCntBits'(1)) >> 1);
      end else if (rd_gnt_i) begin
        lines_q <= lines_q - LineCntBits'(1);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (take_item) begin
      wait_token_q <= item_i.token;
      wait_count_q <= item_i.count;
    end
    if (take_cmd || take_item) begin
      flits_q    <= flits;
      line_q     <= src[20:5];
      half_q     <= first_half;
      empty_q    <= len == '0;
      tail_q     <= len[3:0];
      resp_q     <= take_cmd;
      host_q     <= take_cmd || item_i.tile == 7'(HostTile);
      token_en_q <= take_cmd || item_i.token_en;
      token_q    <= take_cmd ? 4'd0 : item_i.token;
      x_q        <= CoordBits'(item_i.tile - row_start);
      y_q        <= tile_y;
      addr_q     <= take_cmd ? '0 : item_i.dst;
    end else begin
      if (rd_gnt_i) line_q <= line_q + 16'd1;
      if (emit) begin
        flits_q <= flits_q - FlitCntBits'(1);
        half_q  <= !half_q;
        addr_q  <= addr_q + AddrBits'(StrbBits);
      end
    end
  end

  ohmac_read_buf u_read (
    .clk_i, .rst_ni, .addr_valid_i(lines_q != '0), .addr_i(line_q), .rd_req_o, .rd_addr_o,
    .rd_rvalid_i,
    .rd_rdata_i, .valid_o(line_valid), .ready_i(line_ready), .data_o(line_data),
    .empty_o(line_empty)
  );
  assign line_ready = emit && !empty_q && (half_q || last);

  always_comb begin
    flit_d          = '0;
    flit_d.host     = host_q;
    flit_d.x        = host_q ? '0 : x_q;
    flit_d.y        = host_q ? '0 : y_q;
    flit_d.kind     = resp_q ? FlitResp : FlitWrite;
    flit_d.token_en = last && token_en_q;
    flit_d.token    = flit_d.token_en ? token_q : '0;
    flit_d.addr     = addr_q;
    flit_d.data     = half_q ? line_data[LineBits-1:DataBits] : line_data[DataBits-1:0];
    for (int unsigned b = 0; b < StrbBits; b++) begin
      flit_d.strb[b] = !empty_q && (!last || tail_q == 4'd0 || 4'(b) < tail_q);
    end
    if (empty_q) flit_d.data = '0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) flit_valid_q <= 1'b0;
    else if (emit) flit_valid_q <= 1'b1;
    else if (flit_ready_i) flit_valid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) if (emit) flit_q <= flit_d;

  assign flit_o       = flit_q;
  assign flit_valid_o = flit_valid_q;
  assign wait_valid_o = state_q == StWait;
  assign wait_token_o = wait_token_q;
  assign wait_count_o = wait_count_q;
  assign sig_valid_o  = state_q == StSignal && !flit_valid_q;
  assign sig_token_o  = wait_token_q;
  assign sig_count_o  = wait_count_q;
  assign idle_o       = state_q == StIdle && !flit_valid_q && line_empty;
  assign fault_o      = FaultNone;  // addresses were checked at issue
  assign ev_flit_o    = flit_valid_q && flit_ready_i;
  assign ev_rd_o      = rd_gnt_i;

  ohmac_hold_check #(.Width($bits(flit_t))) u_flit_holds (
    .clk_i, .rst_ni, .valid_i(flit_valid_o), .taken_i(flit_ready_i),
    .data_i(flit_o)
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) NothingLeftBehind: assert (!(state_q != StXfer) || (line_empty && lines_q == '0));
    if (rst_ni) DestinationInMesh: assert (!(flit_valid_o && !flit_o.host) || (4'(flit_o.x) < mesh_x_i));
  end
endmodule
