// SPDX-License-Identifier: Apache-2.0
// AXI protocol rules for one id, as assertions; no outputs. Serves AXI4 and AXI4-Lite (Lite = 1: every burst is one beat, last is ignored).
// Checked: valid stays and payload holds until ready; INCR, full beats, bursts of at most MaxBeats inside 4 KiB; WLAST and RLAST in the right
// beat; B only after its AW and its last W, R only after its AR; nothing is answered that was not asked; every valid is low in reset.
// Bind it (axi_bind.sv, axil_bind.sv) or instantiate it beside any interface.
module axi_checker #(
  parameter int unsigned AddrBits = 64,
  parameter int unsigned DataBits = 128,
  parameter int unsigned MaxBeats = 16,
  parameter bit          Lite = 1'b0,
  parameter int unsigned MaxBursts = 64     // outstanding in either direction
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic [AddrBits-1:0]   aw_addr_i,
  input logic [7:0]            aw_len_i,
  input logic [2:0]            aw_size_i,
  input logic [1:0]            aw_burst_i,
  input logic                  aw_valid_i,
  input logic                  aw_ready_i,
  input logic [DataBits-1:0]   w_data_i,
  input logic [DataBits/8-1:0] w_strb_i,
  input logic                  w_last_i,
  input logic                  w_valid_i,
  input logic                  w_ready_i,
  input logic [1:0]            b_resp_i,
  input logic                  b_valid_i,
  input logic                  b_ready_i,
  input logic [AddrBits-1:0]   ar_addr_i,
  input logic [7:0]            ar_len_i,
  input logic [2:0]            ar_size_i,
  input logic [1:0]            ar_burst_i,
  input logic                  ar_valid_i,
  input logic                  ar_ready_i,
  input logic [DataBits-1:0]   r_data_i,
  input logic [1:0]            r_resp_i,
  input logic                  r_last_i,
  input logic                  r_valid_i,
  input logic                  r_ready_i
);
  localparam int unsigned BeatBytes = DataBits / 8;
  localparam int unsigned PtrBits = $clog2(MaxBursts);
  localparam logic [1:0] Incr = 2'b01;

  // Bytes from the start of the page to the end of the burst, of an address aligned down to its beat.
  function automatic logic inside_page(logic [11:0] addr, logic [7:0] len);
    return 32'(addr) / BeatBytes * BeatBytes + (32'(len) + 32'd1) * BeatBytes <= 32'd4096;
  endfunction

  // Handshakes
  AwHolds: assert property (@(posedge clk_i) disable iff (!rst_ni)
      aw_valid_i && !aw_ready_i |=> aw_valid_i && $stable({aw_addr_i, aw_len_i, aw_size_i, aw_burst_i}));
  WHolds: assert property (@(posedge clk_i) disable iff (!rst_ni)
      w_valid_i && !w_ready_i |=> w_valid_i && $stable({w_data_i, w_strb_i, w_last_i}));
  BHolds: assert property (@(posedge clk_i) disable iff (!rst_ni)
      b_valid_i && !b_ready_i |=> b_valid_i && $stable(b_resp_i));
  ArHolds: assert property (@(posedge clk_i) disable iff (!rst_ni)
      ar_valid_i && !ar_ready_i |=> ar_valid_i && $stable({ar_addr_i, ar_len_i, ar_size_i, ar_burst_i}));
  RHolds: assert property (@(posedge clk_i) disable iff (!rst_ni)
      r_valid_i && !r_ready_i |=> r_valid_i && $stable({r_data_i, r_resp_i, r_last_i}));

  ValidLowInReset: assert property (@(posedge clk_i)
      rst_ni || !(aw_valid_i || w_valid_i || b_valid_i || ar_valid_i || r_valid_i));

  // Bursts
  if (!Lite) begin : gen_burst
    AwBurst: assert property (@(posedge clk_i) disable iff (!rst_ni)
        aw_valid_i |-> aw_burst_i == Incr && 32'(aw_size_i) == $clog2(BeatBytes) && 32'(aw_len_i) < MaxBeats);
    AwInPage: assert property (@(posedge clk_i) disable iff (!rst_ni)
        aw_valid_i |-> inside_page(aw_addr_i[11:0], aw_len_i));
    ArBurst: assert property (@(posedge clk_i) disable iff (!rst_ni)
        ar_valid_i |-> ar_burst_i == Incr && 32'(ar_size_i) == $clog2(BeatBytes) && 32'(ar_len_i) < MaxBeats);
    ArInPage: assert property (@(posedge clk_i) disable iff (!rst_ni)
        ar_valid_i |-> inside_page(ar_addr_i[11:0], ar_len_i));
  end

  // Writes. W may run ahead of AW: lengths of both are kept and compared where both are known.
  logic [7:0] aw_len_q [MaxBursts];
  logic [7:0] w_len_q [MaxBursts];
  logic [PtrBits:0] aw_count_q, w_count_q, b_count_q, match_q;
  logic [7:0] w_beat_q;
  logic aw_take, w_take, w_end, b_take;
  assign aw_take = aw_valid_i & aw_ready_i;
  assign w_take  = w_valid_i & w_ready_i;
  assign w_end   = w_take & (w_last_i | Lite);
  assign b_take  = b_valid_i & b_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_count_q <= '0;
      w_count_q  <= '0;
      b_count_q  <= '0;
      match_q    <= '0;
      w_beat_q   <= '0;
    end else begin
      if (aw_take) begin
        aw_len_q[aw_count_q[PtrBits-1:0]] <= aw_len_i;
        aw_count_q <= aw_count_q + 1'b1;
      end
      if (w_take) w_beat_q <= w_end ? '0 : w_beat_q + 8'd1;
      if (w_end) begin
        w_len_q[w_count_q[PtrBits-1:0]] <= w_beat_q;
        w_count_q <= w_count_q + 1'b1;
      end
      if (b_take) b_count_q <= b_count_q + 1'b1;
      if (match_q != aw_count_q && match_q != w_count_q) match_q <= match_q + 1'b1;
    end
  end

  WLastInTheRightBeat: assert property (@(posedge clk_i) disable iff (!rst_ni)
      match_q != aw_count_q && match_q != w_count_q |->
      aw_len_q[match_q[PtrBits-1:0]] == w_len_q[match_q[PtrBits-1:0]]);
  BAfterAwAndLastW: assert property (@(posedge clk_i) disable iff (!rst_ni)
      b_valid_i |-> b_count_q != aw_count_q && b_count_q != w_count_q);

  // Reads
  logic [7:0] ar_len_q [MaxBursts];
  logic [PtrBits:0] ar_count_q, r_count_q;
  logic [7:0] r_beat_q;
  logic r_end;
  assign r_end = r_beat_q == ar_len_q[r_count_q[PtrBits-1:0]];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ar_count_q <= '0;
      r_count_q  <= '0;
      r_beat_q   <= '0;
    end else begin
      if (ar_valid_i && ar_ready_i) begin
        ar_len_q[ar_count_q[PtrBits-1:0]] <= ar_len_i;
        ar_count_q <= ar_count_q + 1'b1;
      end
      if (r_valid_i && r_ready_i) begin
        r_beat_q <= r_end ? '0 : r_beat_q + 8'd1;
        if (r_end) r_count_q <= r_count_q + 1'b1;
      end
    end
  end

  RAfterAr: assert property (@(posedge clk_i) disable iff (!rst_ni) r_valid_i |-> r_count_q != ar_count_q);
  if (!Lite) begin : gen_rlast
    RLastInTheRightBeat: assert property (@(posedge clk_i) disable iff (!rst_ni)
        r_valid_i && r_count_q != ar_count_q |-> r_last_i == r_end);
  end
endmodule
