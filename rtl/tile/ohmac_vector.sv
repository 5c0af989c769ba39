// SPDX-License-Identifier: Apache-2.0
// Vector unit: dst = f(a [+ b]) over LEN elements, 8 a step: saturating add, ReLU, requantisation
// to int8. One step a cycle while the SRAM grants; 6 stages from read data to the write, 4 cycles
// between two operations.
//
//   read -> add -> saturate, ReLU -> partial products -> product -> shift -> round, clamp -> write
//
// The pipeline moves as a whole and stops when its write is refused. int32 results take the same
// path with MULT = 1, SHIFT = 0. An operation whose operand lines overlap results still in the
// pipeline waits for them, so operations of this unit see what earlier ones wrote. Inside one
// operation dst may equal a or b; a dst ahead of a or b is the program's error.
module ohmac_vector
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
(
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     item_valid_i,
  output logic                     item_ready_o,
  input  vec_item_t                item_i,
  input  vec_cfg_t [NumVecCfg-1:0] cfg_i,
  output logic                     wait_valid_o,
  output logic [3:0]               wait_token_o,
  output logic [7:0]               wait_count_o,
  input  logic                     wait_gnt_i,
  output logic                     sig_valid_o,
  output logic [3:0]               sig_token_o,
  output logic [7:0]               sig_count_o,
  output logic                     rda_req_o,
  output logic [15:0]              rda_addr_o,
  input  logic                     rda_gnt_i,
  input  logic                     rda_rvalid_i,
  input  logic [LineBits-1:0]      rda_rdata_i,
  output logic                     rdb_req_o,
  output logic [15:0]              rdb_addr_o,
  input  logic                     rdb_gnt_i,
  input  logic                     rdb_rvalid_i,
  input  logic [LineBits-1:0]      rdb_rdata_i,
  output logic                     wr_req_o,
  output logic [15:0]              wr_addr_o,
  output logic [LineBytes-1:0]     wr_strb_o,
  output logic [LineBits-1:0]      wr_data_o,
  input  logic                     wr_gnt_i,
  input  logic                     drop_waits_i,
  output logic                     idle_o,
  output fault_e                   fault_o,
  output logic                     ev_step_o,
  output logic [3:0]               ev_sats_o,   // saturated elements, 0..8
  output logic [1:0]               ev_rd_o,     // lines read: bit 0 of a, bit 1 of b
  output logic                     ev_wr_o
);
  localparam int unsigned N = VecLanes;
  // steps of one operation, 1..512
  localparam int unsigned StepBits = VeccfgLenBits - $clog2(N) + 1;
  localparam int unsigned Stages = 6;

  // What travels beside the data of a step, or a SIGNAL on its way to the end of the pipeline.
  typedef struct packed {
    logic         sig;
    logic [3:0]   token;
    logic [7:0]   count;
    logic [2:0]   cfg;
    logic [15:0]  line;
    logic [1:0]   part;  // int8: which 8 bytes of the line
    logic [N-1:0] mask;  // elements that exist
  } meta_t;

  // ---- front: one item at a time ----
  typedef enum logic [2:0] {
    StIdle,    // takes an item
    StWait,    // WAIT: until the token is granted
    StSignal,  // SIGNAL: into the pipeline
    StCheck,   // operation: until no operand overlaps a result in the pipeline
    StRun      // operation: reads, and joins a and b into the pipeline
  } state_e;
  state_e state_q, state_d;

  vec_item_t item_q;
  logic [VeccfgLenBits-1:0] len;  // of the item's slot
  logic requant;
  logic [StepBits-1:0] a_left_q, b_left_q, left_q, steps;
  logic [15:0] a_line_q, b_line_q;
  logic [17:0] dst8_q;  // in units of 8 bytes
  logic [N-1:0] tail;
  logic a_valid, b_valid, a_empty, b_empty, join_ok, advance, overlap, start, insert;
  logic [LineBits-1:0] a_data, b_data;
  meta_t join_meta;

  logic [Stages:1] valid_q;
  meta_t [Stages:1] meta_q;
  logic pipe_busy;
  assign pipe_busy = valid_q != '0;

  assign len     = cfg_i[item_q.cfg].len;
  assign requant = cfg_i[item_q.cfg].requant;
  assign steps   = StepBits'((13'(len) + 13'(N - 1)) >> $clog2(N));
  always_comb begin
    for (int unsigned i = 0; i < N; i++) begin
      tail[i] = left_q != StepBits'(1) || len[2:0] == 3'd0 || 3'(i) < len[2:0];
    end
  end

  // Lines written by the operations in the pipeline: lo_q..hi_q, valid while it is busy.
  logic [15:0] lo_q, hi_q, src_a, src_b, dst_lo, dst_hi, last;
  assign src_a  = item_q.a[20:5];
  assign src_b  = item_q.b[20:5];
  assign last   = 16'(steps) - 16'd1;
  assign dst_lo = item_q.dst[20:5];
  assign dst_hi = requant ? 16'((item_q.dst[20:3] + 18'(last)) >> 2) : dst_lo + last;
  assign overlap = pipe_busy && ((src_a <= hi_q && src_a + last >= lo_q) ||
      (item_q.use_b && src_b <= hi_q && src_b + last >= lo_q));

  always_comb begin
    state_d = state_q;
    start   = 1'b0;
    unique case (state_q)
      StIdle: if (item_valid_i) begin
        unique case (item_i.kind)
          ItemWait:   state_d = StWait;
          ItemSignal: state_d = StSignal;
          default:    state_d = StCheck;
        endcase
      end
      StWait:   if (wait_gnt_i || drop_waits_i) state_d = StIdle;
      StSignal: if (advance) state_d = StIdle;
      StCheck:  if (!overlap) begin
        start   = 1'b1;
        state_d = StRun;
      end
      StRun:    if (insert && left_q == StepBits'(1)) state_d = StIdle;
      default:  state_d = StIdle;
    endcase
  end

  assign item_ready_o = state_q == StIdle;
  assign wait_valid_o = state_q == StWait;
  assign wait_token_o = item_q.token;
  assign wait_count_o = item_q.count;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q  <= StIdle;
      a_left_q <= '0;
      b_left_q <= '0;
    end else begin
      state_q <= state_d;
      if (start) begin
        a_left_q <= steps;
        b_left_q <= item_q.use_b ? steps : '0;
      end else begin
        if (rda_gnt_i) a_left_q <= a_left_q - StepBits'(1);
        if (rdb_gnt_i) b_left_q <= b_left_q - StepBits'(1);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (state_q == StIdle) item_q <= item_i;
    if (start) begin
      a_line_q <= src_a;
      b_line_q <= src_b;
      dst8_q   <= item_q.dst[20:3];
      left_q   <= steps;
      lo_q     <= (pipe_busy && lo_q < dst_lo) ? lo_q : dst_lo;
      hi_q     <= (pipe_busy && hi_q > dst_hi) ? hi_q : dst_hi;
    end else begin
      if (rda_gnt_i) a_line_q <= a_line_q + 16'd1;
      if (rdb_gnt_i) b_line_q <= b_line_q + 16'd1;
      if (insert && state_q == StRun) begin
        left_q <= left_q - StepBits'(1);
        dst8_q <= dst8_q + (requant ? 18'd1 : 18'd4);
      end
    end
  end

  ohmac_read_buf u_read_a (
    .clk_i, .rst_ni, .addr_valid_i(a_left_q != '0), .addr_i(a_line_q), .rd_req_o(rda_req_o),
    .rd_addr_o(rda_addr_o),
    .rd_rvalid_i(rda_rvalid_i), .rd_rdata_i(rda_rdata_i),
    .valid_o(a_valid), .ready_i(insert && state_q == StRun), .data_o(a_data), .empty_o(a_empty)
  );
  ohmac_read_buf u_read_b (
    .clk_i, .rst_ni, .addr_valid_i(b_left_q != '0), .addr_i(b_line_q), .rd_req_o(rdb_req_o),
    .rd_addr_o(rdb_addr_o),
    .rd_rvalid_i(rdb_rvalid_i), .rd_rdata_i(rdb_rdata_i),
    .valid_o(b_valid), .ready_i(insert && state_q == StRun && item_q.use_b), .data_o(b_data),
    .empty_o(b_empty)
  );

  // ---- join: one step, or a SIGNAL, enters the pipeline ----
  assign join_ok = state_q == StSignal ||
      (state_q == StRun && a_valid && (b_valid || !item_q.use_b));
  assign insert  = join_ok && advance;
  always_comb begin
    join_meta       = '0;
    join_meta.sig   = state_q == StSignal;
    join_meta.token = item_q.token;
    join_meta.count = item_q.count;
    join_meta.cfg   = item_q.cfg;
    join_meta.line  = dst8_q[17:2];
    join_meta.part  = dst8_q[1:0];
    join_meta.mask  = tail;
  end

  // A refused write stops every stage; a SIGNAL at the end never waits.
  assign advance = !wr_req_o || wr_gnt_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (advance) valid_q <= {valid_q[Stages-1:1], join_ok};
  end
  always_ff @(posedge clk_i) begin
    if (advance) meta_q <= {meta_q[Stages-1:1], join_meta};
  end

  // ---- stages 1..6 of each lane ----
  logic relu1, requant4, requant5, requant6_q;
  logic [30:0] mult2;   // int32 results pass as x * 1 / 2^0
  logic [5:0]  shift4;
  assign relu1    = cfg_i[meta_q[1].cfg].relu;
  assign mult2    = cfg_i[meta_q[2].cfg].requant ? cfg_i[meta_q[2].cfg].mult : 31'd1;
  assign requant4 = cfg_i[meta_q[4].cfg].requant;
  assign shift4   = requant4 ? cfg_i[meta_q[4].cfg].shift : 6'd0;
  assign requant5 = cfg_i[meta_q[5].cfg].requant;

  logic [N-1:0] sat2_q;
  logic [N-1:0][31:0] out_q;
  for (genvar i = 0; i < N; i++) begin : gen_lane
    localparam int unsigned ProdBits = 63;

    logic signed [32:0] sum1_q;
    logic sat1;
    logic signed [31:0] x1, x2_q;
    logic [31:0] ll3_q;                  // low x low
    logic [30:0] lh3_q;                  // low x high
    logic signed [32:0] hl3_q, hh3_q;    // high (signed) x low, high x high
    logic signed [ProdBits-1:0] prod4_q;
    logic signed [ProdBits:0] shifted4;  // bit 0: the half below the result
    logic sticky4, fits4;
    logic [31:0] q5_q;
    logic up5_q, fits5_q, neg5_q;
    logic signed [9:0] rounded5;
    logic [7:0] clamped5;

    // 1 -> 2: saturate to 32 bits, then ReLU.
    assign sat1 = sum1_q[32] != sum1_q[31];
    always_comb begin
      x1 = sum1_q[31:0];
      if (sat1) x1 = sum1_q[32] ? 32'sh8000_0000 : 32'sh7FFF_FFFF;
      if (relu1 && sum1_q[32]) x1 = '0;
    end

    // 2 -> 3: four partial products of 16 bits; 3 -> 4: their sum.

    // 4 -> 5: arithmetic shift by SHIFT; what fell out decides the rounding: half to even.
    assign shifted4 = $signed({prod4_q, 1'b0}) >>> shift4;
    assign sticky4  = ({prod4_q, 1'b0} & ~({(ProdBits + 1){1'b1}} << shift4)) != '0;
    assign fits4    = shifted4[ProdBits:9] == '0 || shifted4[ProdBits:9] == '1;

    // 5 -> 6: round, clamp to +-127. A quotient of more than 9 bits is beyond the clamp,
    // rounded or not.
    assign rounded5 = 10'($signed(q5_q[8:0])) + 10'($signed({1'b0, up5_q}));
    always_comb begin
      if (!fits5_q) clamped5 = neg5_q ? 8'h81 : 8'h7F;
      else if (rounded5 > 10'sd127) clamped5 = 8'h7F;
      else if (rounded5 < -10'sd127) clamped5 = 8'h81;
      else clamped5 = rounded5[7:0];
    end

    always_ff @(posedge clk_i) begin
      if (advance) begin
        sum1_q    <= 33'($signed(a_data[32*i +: 32])) +
            (item_q.use_b ? 33'($signed(b_data[32*i +: 32])) : 33'sd0);
        sat2_q[i] <= sat1;
        x2_q      <= x1;
        ll3_q     <= 32'(x2_q[15:0]) * 32'(mult2[15:0]);
        lh3_q     <= 31'(x2_q[15:0]) * 31'(mult2[30:16]);
        hl3_q     <= 33'($signed(x2_q[31:16])) * 33'($signed({1'b0, mult2[15:0]}));
        hh3_q     <= 33'($signed(x2_q[31:16])) * 33'($signed({1'b0, mult2[30:16]}));
        prod4_q   <= ProdBits'($signed({1'b0, ll3_q})) + (ProdBits'(hl3_q) << 16) +
            (ProdBits'($signed({1'b0, lh3_q})) << 16) + (ProdBits'(hh3_q) << 32);
        q5_q      <= shifted4[32:1];
        up5_q     <= shifted4[0] && (sticky4 || shifted4[1]);
        fits5_q   <= fits4;
        neg5_q    <= prod4_q[ProdBits-1];
        out_q[i]  <= requant5 ? {24'd0, clamped5} : q5_q;
      end
    end
  end

  // ---- write ----
  logic fresh2_q;
  always_ff @(posedge clk_i) begin
    if (advance) requant6_q <= requant5;
  end
  // A stalled stage 2 must count its saturations once.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) fresh2_q <= 1'b0;
    else fresh2_q <= advance;
  end

  assign wr_req_o  = valid_q[Stages] && !meta_q[Stages].sig;
  assign wr_addr_o = meta_q[Stages].line;
  always_comb begin
    wr_data_o = out_q;
    wr_strb_o = '0;
    for (int unsigned i = 0; i < N; i++) begin
      if (requant6_q) begin
        for (int unsigned p = 0; p < 4; p++) wr_data_o[64*p + 8*i +: 8] = out_q[i][7:0];
        wr_strb_o[{meta_q[Stages].part, 3'(i)}] = meta_q[Stages].mask[i];
      end else begin
        wr_strb_o[4*i +: 4] = {4{meta_q[Stages].mask[i]}};
      end
    end
  end

  assign sig_valid_o = valid_q[Stages] && meta_q[Stages].sig;
  assign sig_token_o = meta_q[Stages].token;
  assign sig_count_o = meta_q[Stages].count;

  assign idle_o  = state_q == StIdle && !pipe_busy && a_empty && b_empty;
  assign fault_o = FaultNone;  // addresses and slots were checked at issue

  // ---- events ----
  assign ev_step_o = wr_req_o && wr_gnt_i;
  assign ev_wr_o   = wr_req_o && wr_gnt_i;
  assign ev_rd_o   = {rdb_gnt_i, rda_gnt_i};
  always_comb begin
    ev_sats_o = '0;
    if (fresh2_q && valid_q[2] && !meta_q[2].sig) begin
      for (int unsigned i = 0; i < N; i++) ev_sats_o += 4'(sat2_q[i] && meta_q[2].mask[i]);
    end
  end

  ohmac_hold_check #(.Width(16 + LineBytes + LineBits)) u_write_holds (
    .clk_i, .rst_ni, .valid_i(wr_req_o), .taken_i(wr_gnt_i),
    .data_i({wr_addr_o, wr_strb_o, wr_data_o})
  );
  always_ff @(posedge clk_i) begin
    if (rst_ni) SlotIsLegal: assert (!start || (len != '0 && cfg_i[item_q.cfg].shift != 6'd63));
    if (rst_ni) NothingLeftBehind: assert (
        !(state_q == StIdle) || (a_empty && b_empty && a_left_q == '0 && b_left_q == '0));
  end
endmodule
