// SPDX-License-Identifier: Apache-2.0
// DMA read side: turns a command (memory range) into AXI read bursts and the data into flits, or into descriptor beats.
// Bursts: INCR, up to 16 beats, never across 4 KiB, each checked against the windows before its AR. Up to MaxBursts are outstanding, on one
// id, so data return in order; AR runs ahead of the data by that much, across commands. A burst takes three cycles to issue, a
// command one cycle more, so descriptors of four or more beats stream without a gap.
// A bad response discards that beat and, with drop_i, all data behind it. Path of a burst: Idle -> Split -> Check -> Issue -> Split | Idle.
module ohmac_dma_rd
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter int unsigned NumWindows = 4,
  parameter int unsigned MaxBursts = 4,
  parameter int unsigned MaxBeats = 16
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // Command. len in bytes, >= 1; addresses 16-byte aligned. index comes back with an error.
  input  logic                        cmd_valid_i,
  output logic                        cmd_ready_o,
  input  logic                        cmd_desc_i,   // data go to desc_*_o instead of a tile
  input  logic [63:0]                 cmd_mem_i,
  input  logic [AddrBits-1:0]         cmd_len_i,
  input  logic [CoordBits-1:0]        cmd_x_i,
  input  logic [CoordBits-1:0]        cmd_y_i,
  input  logic [AddrBits-1:0]         cmd_tile_addr_i,
  input  logic                        cmd_sig_en_i,
  input  logic [3:0]                  cmd_sig_token_i,
  input  logic [15:0]                 cmd_index_i,
  input  logic                        stop_i,       // issue no more bursts, forget the command
  input  logic                        drop_i,       // data of outstanding bursts are discarded

  input  logic [NumWindows-1:0][63:0] win_base_i,
  input  logic [NumWindows-1:0][31:0] win_size_i,
  input  logic [NumWindows-1:0]       win_read_i,

  // Memory.
  output logic [63:0]                 ar_addr_o,
  output logic [7:0]                  ar_len_o,
  output logic                        ar_valid_o,
  input  logic                        ar_ready_i,
  input  logic [DataBits-1:0]         r_data_i,
  input  logic [1:0]                  r_resp_i,
  input  logic                        r_last_i,
  input  logic                        r_valid_i,
  output logic                        r_ready_o,

  // Data out.
  output flit_t                       flit_o,
  output logic                        flit_valid_o,
  input  logic                        flit_ready_i,
  output logic                        desc_valid_o,  // always taken
  output logic [DataBits-1:0]         desc_data_o,

  // Errors, one cycle. A burst outside the windows is not issued (refuse), a response was not OKAY (fail).
  output logic                        refuse_o,
  output logic [63:0]                 refuse_addr_o,
  output logic [15:0]                 refuse_index_o,
  output logic                        fail_o,
  output logic [63:0]                 fail_addr_o,   // first address of the burst
  output logic [15:0]                 fail_index_o,
  output logic                        idle_o         // no command, no burst outstanding, every flit taken by the NoC
);
  localparam int unsigned BeatShift = $clog2(StrbBits);       // 4: bytes of a beat
  localparam int unsigned LastBits = 5;                       // bytes in the last beat, 1..16

  if (MaxBeats < 1 || MaxBeats > 16 || MaxBursts < 1) begin : gen_bad_bursts
    $fatal(1, "ohmac_dma_rd: MaxBeats must be 1 .. 16 and MaxBursts at least 1, not %0d and %0d", MaxBeats, MaxBursts);
  end

  typedef enum logic [1:0] {
    Idle,   // no command
    Split,  // how far the next burst goes
    Check,  // inside a window, and a place in the list of outstanding bursts?
    Issue   // AR offered
  } state_e;

  // What to do with the data of an outstanding burst.
  typedef struct packed {
    logic                 desc;
    logic [CoordBits-1:0] x;
    logic [CoordBits-1:0] y;
    logic [AddrBits-1:0]  tile_addr;
    logic [63:0]          mem;
    logic [4:0]           beats;
    logic                 last;       // last burst of the command
    logic [3:0]           tail;       // bytes of the last beat, 0 = 16
    logic                 sig_en;
    logic [3:0]           sig_token;
    logic [15:0]          index;
  } burst_t;

  state_e state_q, state_d;
  burst_t burst_q, burst_d;                // the burst being issued; its fields that belong to the command hold
  logic [AddrBits-1:0] left_q, left_d;     // bytes of the command from this burst on
  logic [8:0] bytes_q, bytes_d;            // bytes of this burst
  logic window_ok;

  logic list_push, list_ready, list_valid, list_pop;
  burst_t head;

  // Split: beats to the end of the command, of the 4 KiB page, at most MaxBeats.
  logic [AddrBits-BeatShift:0] beats_left;
  logic [8:0] beats_page;
  logic [4:0] beats;
  always_comb begin
    beats_left = (AddrBits - BeatShift + 1)'((25'(left_q) + 25'(StrbBits - 1)) >> BeatShift);
    beats_page = 9'd256 - {1'b0, burst_q.mem[11:BeatShift]};
    beats = 5'(MaxBeats);
    if (beats_left < (AddrBits - BeatShift + 1)'(beats)) beats = beats_left[4:0];
    if (beats_page < 9'(beats)) beats = beats_page[4:0];
  end

  ohmac_dma_window #(.NumWindows(NumWindows), .LenBits(9)) u_window (
    .win_base_i, .win_size_i, .win_en_i(win_read_i), .addr_i(burst_q.mem), .len_i(bytes_q), .ok_o(window_ok)
  );

  always_comb begin
    state_d   = state_q;
    burst_d   = burst_q;
    left_d    = left_q;
    bytes_d   = bytes_q;
    list_push = 1'b0;
    refuse_o  = 1'b0;
    unique case (state_q)
      Idle: begin
        if (cmd_valid_i && cmd_ready_o) begin
          state_d           = Split;
          burst_d.desc      = cmd_desc_i;
          burst_d.x         = cmd_x_i;
          burst_d.y         = cmd_y_i;
          burst_d.tile_addr = cmd_tile_addr_i;
          burst_d.mem       = cmd_mem_i;
          burst_d.tail      = cmd_len_i[3:0];
          burst_d.sig_en    = cmd_sig_en_i;
          burst_d.sig_token = cmd_sig_token_i;
          burst_d.index     = cmd_index_i;
          left_d            = cmd_len_i;
        end
      end
      Split: begin
        burst_d.beats = beats;
        burst_d.last  = beats_left == (AddrBits - BeatShift + 1)'(beats);
        bytes_d       = burst_d.last ? left_q[8:0] : {beats, 4'b0};
        state_d       = stop_i ? Idle : Check;
      end
      Check: begin
        if (stop_i) begin
          state_d = Idle;
        end else if (!window_ok) begin
          refuse_o = 1'b1;
          state_d  = Idle;
        end else if (list_ready) begin
          list_push = 1'b1;
          state_d   = Issue;
        end
      end
      Issue: begin
        if (ar_ready_i) begin
          burst_d.mem       = burst_q.mem + 64'({burst_q.beats, 4'b0});
          burst_d.tile_addr = burst_q.tile_addr + AddrBits'({burst_q.beats, 4'b0});
          left_d            = left_q - AddrBits'(bytes_q);
          state_d           = (burst_q.last || stop_i) ? Idle : Split;
        end
      end
      default: state_d = Idle;
    endcase
  end

  assign cmd_ready_o    = state_q == Idle && !stop_i;
  assign ar_valid_o     = state_q == Issue;
  assign ar_addr_o      = burst_q.mem;
  assign ar_len_o       = 8'(burst_q.beats) - 8'd1;
  assign refuse_addr_o  = burst_q.mem;
  assign refuse_index_o = burst_q.index;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) state_q <= Idle;
    else state_q <= state_d;
  end
  always_ff @(posedge clk_i) begin
    burst_q <= burst_d;
    left_q  <= left_d;
    bytes_q <= bytes_d;
  end

  // Outstanding bursts, oldest first.
  logic [$clog2(MaxBursts+1)-1:0] list_count;
  ohmac_fifo #(.Width($bits(burst_t)), .Depth(MaxBursts)) u_list (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(list_push), .ready_o(list_ready), .data_i(burst_q),
    .valid_o(list_valid), .ready_i(list_pop), .data_o(head), .count_o(list_count)
  );

  // Data: one beat, one flit.
  logic [3:0] beat_q;         // beat of the oldest burst
  logic beat, beat_last, good, flit_push, flit_ready;
  flit_t flit;

  assign r_ready_o = list_valid & (head.desc | drop_i | flit_ready);
  assign beat      = r_valid_i & r_ready_o;
  assign beat_last = 5'(beat_q) == head.beats - 5'd1;
  assign list_pop  = beat & beat_last;
  assign good      = r_resp_i == 2'b00;
  assign flit_push = beat & good & ~drop_i & ~head.desc;

  assign fail_o       = beat & ~good;
  assign fail_addr_o  = head.mem;
  assign fail_index_o = head.index;
  assign desc_valid_o = beat & good & ~drop_i & head.desc;
  assign desc_data_o  = r_data_i;

  always_comb begin
    logic [LastBits-1:0] last_bytes;
    last_bytes    = (head.tail == '0) ? LastBits'(StrbBits) : LastBits'(head.tail);
    flit          = '0;
    flit.x        = head.x;
    flit.y        = head.y;
    flit.kind     = FlitWrite;
    flit.token_en = head.sig_en & head.last & beat_last;
    flit.token    = flit.token_en ? head.sig_token : '0;
    flit.addr     = head.tile_addr + AddrBits'({beat_q, 4'b0});
    flit.data     = r_data_i;
    for (int unsigned b = 0; b < StrbBits; b++) begin
      flit.strb[b] = !(head.last && beat_last) || LastBits'(b) < last_bytes;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) beat_q <= '0;
    else if (beat) beat_q <= beat_last ? '0 : beat_q + 4'd1;
  end

  logic [1:0] flit_count;
  ohmac_fifo #(.Width($bits(flit_t)), .Depth(2)) u_flit (
    .clk_i, .rst_ni, .clear_i(1'b0),
    .valid_i(flit_push), .ready_o(flit_ready), .data_i(flit),
    .valid_o(flit_valid_o), .ready_i(flit_ready_i), .data_o(flit_o), .count_o(flit_count)
  );

  assign idle_o = state_q == Idle && list_count == '0 && flit_count == '0;

  always_ff @(posedge clk_i) begin
    if (rst_ni) LastWhereExpected: assert (!beat || (r_last_i == beat_last));
    if (rst_ni) NoDataUnasked: assert (!r_valid_i || (list_count != '0));
    if (rst_ni) CommandAligned: assert (!cmd_valid_i || (cmd_mem_i[3:0] == '0 && cmd_len_i != '0));
  end
endmodule
