// SPDX-License-Identifier: Apache-2.0
// Types shared by the whole chip: NoC flits, pin bundle of the analog macro, tile status. Geometry is a parameter of the
// modules; a packed type that depends on it is declared in the module with the localparams it needs.
package ohmac_pkg;
  import ohmac_isa_pkg::*;

  localparam int unsigned DataBits = 128;           // NoC, AXI
  localparam int unsigned StrbBits = DataBits / 8;
  localparam int unsigned LineBits = 256;           // SRAM line: what engines read and write in one access
  localparam int unsigned LineBytes = LineBits / 8;
  localparam int unsigned VecLanes = 8;             // int32 lanes of the vector unit and of the column post-processing
  localparam int unsigned MaxAdcBits = 8;
  localparam int unsigned ColAccBits = 24;          // column accumulator
  localparam int unsigned CoordBits = 3;            // mesh coordinate, up to 8 x 8 tiles
  localparam int unsigned TileIdBits = 6;

  // One flit is one packet. Tiles are (x, y), tile number = y * MeshX + x. The host (DMA) hangs at the west port of
  // router (0, 0); a host flit routes to (0, 0) and leaves west.
  typedef enum logic [1:0] {
    FlitWrite = 2'd0,  // write strb bytes at addr (tile: SRAM or configuration; host: outbox offset)
    FlitRead  = 2'd1,  // host -> tile: read data[15:0] bytes at addr; the answer is a stream of FlitResp
    FlitResp  = 2'd2   // tile -> host: addr is the byte offset from the start of the read
  } flit_kind_e;

  typedef struct packed {
    logic                 host;
    logic [CoordBits-1:0] x;
    logic [CoordBits-1:0] y;
    flit_kind_e           kind;
    logic                 token_en;  // increment `token` at the destination after the write
    logic [3:0]           token;
    logic [AddrBits-1:0]  addr;      // 16-byte aligned; the strobes select bytes
    logic [StrbBits-1:0]  strb;
    logic [DataBits-1:0]  data;
  } flit_t;

  // Pins towards the analog macro, without the lane buses, which are sized by the geometry:
  // sar_code [Lanes][MaxAdcBits] signed trial threshold (out), cmp [Lanes] (in). See models/macro/README.md for the protocol.
  typedef struct packed {
    logic        row_we;      // write 4 row latches: sign-magnitude bytes {sign, magnitude[6:0]}
    logic        row_bank;
    logic [7:0]  row_addr;    // word = row / 4; word Rows/4, byte 0 is the reference row
    logic [31:0] row_wdata;
    logic [1:0]  row_clr;     // clear every latch of a bank
    logic        drive;       // rows driven from latch bank drive_bank while high
    logic        drive_bank;
    logic        integrate;   // integrators connected while high
    logic        int_rst;     // integrators reset
    logic        sample;      // sample-and-hold of every column into bank sample_bank, at the end of this cycle
    logic        sample_bank;
    logic        sar_strobe;  // comparators decide in this cycle: cmp = held / step >= sar_code - 1/2
    logic        mux_bank;    // sample bank and column block the lanes look at
    logic [5:0]  mux_sel;
    logic [3:0]  range;       // ADC step = 2^range unit products
  } macro_pins_t;

  // Programming and repair pins of the macro, beside macro_pins_t. Words travel on its row_addr / row_wdata.
  typedef struct packed {
    logic       en;         // program mode: the read path is off
    logic       mask_we;    // column mask word row_addr = row_wdata (bit i of word w: physical column 32 w + i)
    logic [9:0] row;        // row whose devices are pulsed
    logic       neg;        // 0: the G+ devices, 1: the G- devices
    logic       set;        // 0: RESET pulse, 1: SET pulse
    logic [3:0] amp;
    logic       pulse;      // devices of the row under the mask are pulsed while high
    logic       repair_we;  // spare of lane row_addr: row_wdata as a REPAIR word
    logic       repair_clr; // no spare is used (reset)
  } macro_prog_t;

  typedef struct packed {
    logic        running;
    logic        halted;      // since the last start
    fault_e      fault;
    logic [15:0] pc;          // instruction index
  } tile_status_t;

  // What works in this cycle, for traces. No function of the chip depends on it.
  typedef struct packed {
    logic seq;   // sequencer runs
    logic mvm;   // MVM engine or its queue holds something
    logic vec;
    logic net;
    logic rx;
    logic prog;  // a PROG is executing
  } tile_busy_t;

  // Items of the engine queues. The sequencer resolves addresses and wraps before it queues an item.
  typedef enum logic [1:0] {
    ItemOp     = 2'd0,
    ItemWait   = 2'd1,
    ItemSignal = 2'd2
  } item_kind_e;

  typedef struct packed {
    item_kind_e          kind;
    logic [3:0]          token;      // WAIT, SIGNAL
    logic [7:0]          count;
    logic                prog;       // ItemOp: PROG, not MVM
    logic [AddrBits-1:0] src;
    logic [AddrBits-1:0] wrap_base;  // MVM: window of the AGU of src; PROG: address of the fail bits
    logic [AddrBits-1:0] wrap_len;   // MVM: 0 = no wrap; PROG: row
    logic [AddrBits-1:0] dst;
    logic [1:0]          cfg;
  } mvm_item_t;

  typedef struct packed {
    item_kind_e          kind;
    logic [3:0]          token;
    logic [7:0]          count;
    logic [AddrBits-1:0] a;
    logic [AddrBits-1:0] b;
    logic                use_b;
    logic [AddrBits-1:0] dst;
    logic [2:0]          cfg;
  } vec_item_t;

  typedef struct packed {
    item_kind_e          kind;
    logic [3:0]          token;      // of WAIT/SIGNAL, or the remote token of SEND
    logic [7:0]          count;
    logic                token_en;
    logic [AddrBits-1:0] src;
    logic [6:0]          tile;
    logic [AddrBits-1:0] dst;
    logic [11:0]         len;
  } net_item_t;

  // Decoded configuration slots; fields as in ISA.md.
  typedef struct packed {
    logic [9:0]          k;
    logic [9:0]          row_base;
    logic [11:0]         seg_len;
    logic [7:0]          n_seg;
    logic [AddrBits-1:0] seg_stride;  // signed
    logic [7:0]          pad_top;
    logic [7:0]          pad_bottom;
    logic [7:0]          pad_left;
    logic [7:0]          pad_right;
    logic [7:0]          pad_value;
    logic [1:0]          in_slice;
    logic [1:0]          w_slices;
    logic [3:0]          adc_bits;
    logic [3:0]          range;
    logic [9:0]          group_rows;
    logic [5:0]          mux_first;
    logic [5:0]          mux_count;
  } mvm_cfg_t;

  typedef struct packed {
    logic [11:0] len;
    logic        requant;
    logic        relu;
    logic [30:0] mult;
    logic [5:0]  shift;
  } vec_cfg_t;

  typedef struct packed {
    logic [7:0] settle;
    logic [7:0] integ;
  } timing_cfg_t;

  // Write-verify settings (PROG words).
  typedef struct packed {
    logic [15:0] tolerance;
    logic [7:0]  limit;
    logic [3:0]  amp_first;
    logic [3:0]  amp_last;
    logic [7:0]  amp_every;
    logic [7:0]  pulse;
    logic [6:0]  verify_x;
  } prog_cfg_t;

  // What happened in this cycle, towards the event counters.
  typedef struct packed {
    logic       mvm_op;
    logic       drive;
    logic       conversion;  // one conversion by all lanes
    logic       trial;       // one trial by all lanes
    logic [7:0] clips;
    logic       row_word;
    logic [7:0] sats;
    logic       sram_rd;
    logic       sram_wr;
    logic       adc_busy;
    logic       prog_read;
    logic [9:0] pulses;      // columns of the mask of a pulse that starts
    logic [9:0] prog_fails;
  } mvm_events_t;
endpackage
