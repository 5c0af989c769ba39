// SPDX-License-Identifier: Apache-2.0
// AXI4-Lite rules of ohmac_csr_top, the generated register block and the tile[] block behind it included. The host is free but for the rules that
// bind it: valid stays and its payload holds until ready. Everything else that comes in (DMA, tiles, counters) is free.
module csr_formal
  import ohmac_pkg::*;
  import ohmac_isa_pkg::*;
#(
  parameter int unsigned Tiles = 2,
  parameter int unsigned NumWindows = 4
) (
  input logic                   clk_i,
  input logic [10:0]            s_axil_awaddr,
  input logic                   s_axil_awvalid,
  input logic [31:0]            s_axil_wdata,
  input logic [3:0]             s_axil_wstrb,
  input logic                   s_axil_wvalid,
  input logic                   s_axil_bready,
  input logic [10:0]            s_axil_araddr,
  input logic                   s_axil_arvalid,
  input logic                   s_axil_rready,
  input logic                   dma_busy_i,
  input logic                   dma_queued_i,
  input logic                   dma_done_i,
  input logic                   dma_error_i,
  input logic [7:0]             dma_code_i,
  input logic [15:0]            dma_err_index_i,
  input logic [63:0]            dma_err_addr_i,
  input logic [7:0]             dma_err_job_i,
  input logic [7:0]             dma_accepted_i,
  input logic [7:0]             dma_succeeded_i,
  input logic [7:0]             dma_failed_i,
  input logic [Tiles-1:0]       dma_start_i,
  input logic [15:0]            dma_start_pc_i,
  input logic                   rd_beat_i,
  input logic                   wr_beat_i,
  input logic                   noc_busy_i,
  input tile_status_t [Tiles-1:0] status_i,
  input logic [Tiles-1:0][31:0] cnt_i
);
  localparam logic [31:0] Id = 32'h4F48_4D43;  // what register 0 reads: "OHMC"
  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  logic s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rvalid, irq_o, doorbell_o, abort_o;
  logic [1:0] s_axil_bresp, s_axil_rresp;
  logic [31:0] s_axil_rdata;
  logic [63:0] job_addr_o, out_base_o;
  logic [NumWindows-1:0][63:0] win_base_o;
  logic [NumWindows-1:0][31:0] win_size_o;
  logic [NumWindows-1:0] win_read_o, win_write_o;
  logic [Tiles-1:0] start_o, stop_o, clear_o;
  logic [Tiles-1:0][15:0] start_pc_o;
  logic [4:0] cnt_sel_o;
  dma_err_e dma_err_code_i;
  assign dma_err_code_i = dma_err_e'(dma_code_i);
  ohmac_csr_top #(
    .MeshX(Tiles), .MeshY(1), .Rows(32), .Cols(32), .Lanes(8), .SramBytes(16384), .NumWindows(NumWindows)
  ) u_dut (.*);

  // The host
  logic aw_held_q, w_held_q, ar_held_q;
  logic [10:0] awaddr_q, araddr_q;
  logic [35:0] w_q;
  always_ff @(posedge clk_i) begin
    aw_held_q <= rst_ni && s_axil_awvalid && !s_axil_awready;
    w_held_q  <= rst_ni && s_axil_wvalid && !s_axil_wready;
    ar_held_q <= rst_ni && s_axil_arvalid && !s_axil_arready;
    awaddr_q  <= s_axil_awaddr;
    araddr_q  <= s_axil_araddr;
    w_q       <= {s_axil_wstrb, s_axil_wdata};
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      AwHolds: assume (!aw_held_q || (s_axil_awvalid && s_axil_awaddr == awaddr_q));
      WHolds:  assume (!w_held_q || (s_axil_wvalid && {s_axil_wstrb, s_axil_wdata} == w_q));
      ArHolds: assume (!ar_held_q || (s_axil_arvalid && s_axil_araddr == araddr_q));
    end else begin
      NothingInReset: assume (!s_axil_awvalid && !s_axil_wvalid && !s_axil_arvalid);
    end
  end

  // What is outstanding, counted at the pins. Of each read: does it read register 0? Oldest first.
  logic aw_take, w_take, b_take, ar_take, r_take;
  logic [2:0] aw_q, w_out_q, ar_q;
  logic [3:0] is_id_q, is_id_d;
  assign aw_take = s_axil_awvalid && s_axil_awready;
  assign w_take  = s_axil_wvalid && s_axil_wready;
  assign b_take  = s_axil_bvalid && s_axil_bready;
  assign ar_take = s_axil_arvalid && s_axil_arready;
  assign r_take  = s_axil_rvalid && s_axil_rready;
  always_comb begin
    is_id_d = r_take ? is_id_q >> 1 : is_id_q;
    if (ar_take) is_id_d[2'(ar_q - 3'(r_take))] = s_axil_araddr[10:2] == '0;
  end
  always_ff @(posedge clk_i) begin
    is_id_q <= is_id_d;
    if (!rst_ni) begin
      aw_q    <= '0;
      w_out_q <= '0;
      ar_q    <= '0;
    end else begin
      aw_q    <= aw_q + 3'(aw_take) - 3'(b_take);
      w_out_q <= w_out_q + 3'(w_take) - 3'(b_take);
      ar_q    <= ar_q + 3'(ar_take) - 3'(r_take);
    end
  end

  // Cycles in a row in which the host refuses no answer, a request is complete and nothing is answered.
  logic refused, wanted;
  logic [2:0] quiet_q, left;
  assign refused = (s_axil_bvalid && !s_axil_bready) || (s_axil_rvalid && !s_axil_rready);
  assign wanted  = ar_q != '0 || (aw_q != '0 && w_out_q != '0);
  always_ff @(posedge clk_i) begin
    if (!rst_ni || b_take || r_take || !wanted) quiet_q <= '0;
    else if (!refused) quiet_q <= quiet_q + 3'd1;
  end

  // Inside: answers in the buffer, a tile access under way, requests in the registers.
  logic [1:0] buffered;
  logic pending, pending_wr_q, read_ready, write_ready, external;
  assign buffered    = u_dut.u_csr.axil_resp_wptr - u_dut.u_csr.axil_resp_rptr;
  assign pending     = u_dut.u_csr.external_pending;
  assign read_ready  = u_dut.u_csr.axil_arvalid;
  assign write_ready = u_dut.u_csr.axil_awvalid && u_dut.u_csr.axil_wvalid;
  assign external    = u_dut.u_csr.decoded_req_is_external;
  always_ff @(posedge clk_i) if (external) pending_wr_q <= u_dut.u_csr.decoded_req_is_wr;
  always_comb begin
    left = 3'd0;
    if (buffered == '0) left = pending ? 3'd1 : 3'd2;
  end

  // Turns: accesses of the other kind since one waits.
  logic [2:0] reads_passed_q, writes_passed_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || !write_ready || u_dut.u_csr.axil_aw_accept) reads_passed_q <= '0;
    else if (u_dut.u_csr.axil_ar_accept) reads_passed_q <= reads_passed_q + 3'd1;
    if (!rst_ni || !read_ready || u_dut.u_csr.axil_ar_accept) writes_passed_q <= '0;
    else if (u_dut.u_csr.axil_aw_accept) writes_passed_q <= writes_passed_q + 3'd1;
  end

  // Reads inside, oldest first: answered ones, the tile access, the register.
  logic [1:0] is_wr, at_read;
  logic [1:0][31:0] rdata;
  logic [2:0] reads, writes;
  logic ids_right;
  always_comb begin
    reads     = '0;
    writes    = '0;
    ids_right = 1'b1;
    for (int unsigned n = 0; n < 2; n++) begin
      is_wr[n]   = u_dut.u_csr.axil_resp_buffer_is_wr[1'(32'(u_dut.u_csr.axil_resp_rptr) + n)];
      rdata[n]   = u_dut.u_csr.axil_resp_buffer_rdata[1'(32'(u_dut.u_csr.axil_resp_rptr) + n)];
      at_read[n] = n < 32'(buffered) && !is_wr[n];
      if (at_read[n] && is_id_q[2'(reads)] && rdata[n] != Id) ids_right = 1'b0;
      if (at_read[n]) reads += 3'd1;
      else if (n < 32'(buffered)) writes += 3'd1;
    end
    if (pending && !pending_wr_q && is_id_q[2'(reads)]) ids_right = 1'b0;
    reads  += 3'(pending && !pending_wr_q);
    writes += 3'(pending && pending_wr_q);
    if (read_ready && is_id_q[2'(reads)] != (u_dut.u_csr.axil_araddr[10:2] == '0)) ids_right = 1'b0;
  end

  logic b_stall_q, r_stall_q;
  logic [1:0] bresp_q, rresp_q;
  logic [31:0] rdata_q;
  always_ff @(posedge clk_i) begin
    b_stall_q <= rst_ni && s_axil_bvalid && !s_axil_bready;
    r_stall_q <= rst_ni && s_axil_rvalid && !s_axil_rready;
    bresp_q   <= s_axil_bresp;
    rresp_q   <= s_axil_rresp;
    rdata_q   <= s_axil_rdata;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      BHolds:           assert (!b_stall_q || (s_axil_bvalid && s_axil_bresp == bresp_q));
      RHolds:           assert (!r_stall_q || (s_axil_rvalid && s_axil_rresp == rresp_q && s_axil_rdata == rdata_q));
      BAfterAwAndW:     assert (!s_axil_bvalid || (aw_q != '0 && w_out_q != '0));
      RAfterAr:         assert (!s_axil_rvalid || ar_q != '0);
      AlwaysOkay:       assert ((!s_axil_bvalid || s_axil_bresp == '0) && (!s_axil_rvalid || s_axil_rresp == '0));
      Outstanding:      assert (aw_q <= 3'd3 && w_out_q <= 3'd3 && ar_q <= 3'd3);
      AnswersInTime:    assert (quiet_q <= 3'd2);
      WritesTakeTurns:  assert (writes_passed_q <= 3'd1);
      ReadsTakeTurns:   assert (reads_passed_q <= 3'd1);
      ReadsTheId:       assert (!(s_axil_rvalid && is_id_q[0]) || s_axil_rdata == Id);
      StartIsOneWrite:  assert (start_o == '0 || dma_start_i != '0 || u_dut.tile_wr_ack_q != '0);
      // For the induction: what the registers mean
      ReadsCounted:     assert (ar_q == reads + 3'(read_ready));
      WritesCounted:    assert (aw_q == writes + 3'(u_dut.u_csr.axil_awvalid) && w_out_q == writes + 3'(u_dut.u_csr.axil_wvalid));
      InFlight:         assert (3'(u_dut.u_csr.axil_n_in_flight) == 3'(buffered) + 3'(pending) &&
                                u_dut.u_csr.axil_n_in_flight <= 2'd2);
      IdsInOrder:       assert (ids_right);
      BufferedIsOkay:   assert (!u_dut.u_csr.axil_resp_buffer_err[0] && !u_dut.u_csr.axil_resp_buffer_err[1]);
      TileAnswers:      assert (pending == (u_dut.tile_rd_ack_q != '0 || u_dut.tile_wr_ack_q != '0) &&
                                (!pending || (u_dut.tile_wr_ack_q != '0) == pending_wr_q) &&
                                (u_dut.tile_rd_ack_q == '0 || u_dut.tile_wr_ack_q == '0));
      QuietPlusLeft:    assert (!wanted || quiet_q + left <= 3'd2);
      PassedThenTurn:   assert ((reads_passed_q != 3'd1 || u_dut.u_csr.axil_prev_was_rd) &&
                                (writes_passed_q != 3'd1 || !u_dut.u_csr.axil_prev_was_rd));
      // Reached
      BothFull:         cover (ar_q == 3'd3 && aw_q == 3'd1 && !s_axil_arready);
      TileRead:         cover (r_take && quiet_q == 3'd2);
      IdRead:           cover (r_take && is_id_q[0] && ar_q == 3'd2);
      WriteWaits:       cover (reads_passed_q == 3'd1 && b_stall_q);
      TileStarts:       cover (start_o == Tiles'(1) && dma_start_i == '0);
    end else begin
      SilentInReset:    assert (!s_axil_bvalid && !s_axil_rvalid);
    end
  end
endmodule
