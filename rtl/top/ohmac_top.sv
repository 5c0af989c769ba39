// SPDX-License-Identifier: Apache-2.0
// The digital chip: mesh, tiles with their clock gates, DMA and registers. The analog macros are outside, one set of pins a tile.
// Default parameters are the reference geometry. A tile's clock runs in every cycle in which it is started, stopped or cleared, a flit waits
// for it or it is active; the rest runs on the free clock. rst_ni is asynchronous and must be released in step with clk_i outside.
module ohmac_top
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter  int unsigned MeshX = 4,
  parameter  int unsigned MeshY = 4,
  parameter  int unsigned Rows = 256,        // of a macro
  parameter  int unsigned Cols = 256,        // physical columns of a macro
  parameter  int unsigned Lanes = 32,        // SAR lanes of a tile
  parameter  int unsigned Spares = Lanes,    // lanes of a macro that have a spare column
  parameter  int unsigned SramBytes = 65536, // of a tile
  parameter  int unsigned SramBanks = 8,
  localparam int unsigned Tiles = MeshX * MeshY
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,

  // Registers, AXI4-Lite.
  input  logic [10:0]                      s_axil_awaddr,
  input  logic                             s_axil_awvalid,
  output logic                             s_axil_awready,
  input  logic [31:0]                      s_axil_wdata,
  input  logic [3:0]                       s_axil_wstrb,
  input  logic                             s_axil_wvalid,
  output logic                             s_axil_wready,
  output logic [1:0]                       s_axil_bresp,
  output logic                             s_axil_bvalid,
  input  logic                             s_axil_bready,
  input  logic [10:0]                      s_axil_araddr,
  input  logic                             s_axil_arvalid,
  output logic                             s_axil_arready,
  output logic [31:0]                      s_axil_rdata,
  output logic [1:0]                       s_axil_rresp,
  output logic                             s_axil_rvalid,
  input  logic                             s_axil_rready,

  // Memory, AXI4: id 0, INCR, 16-byte beats.
  output logic [3:0]                       m_axi_awid,
  output logic [63:0]                      m_axi_awaddr,
  output logic [7:0]                       m_axi_awlen,
  output logic [2:0]                       m_axi_awsize,
  output logic [1:0]                       m_axi_awburst,
  output logic                             m_axi_awvalid,
  input  logic                             m_axi_awready,
  output logic [DataBits-1:0]              m_axi_wdata,
  output logic [StrbBits-1:0]              m_axi_wstrb,
  output logic                             m_axi_wlast,
  output logic                             m_axi_wvalid,
  input  logic                             m_axi_wready,
  input  logic [3:0]                       m_axi_bid,
  input  logic [1:0]                       m_axi_bresp,
  input  logic                             m_axi_bvalid,
  output logic                             m_axi_bready,
  output logic [3:0]                       m_axi_arid,
  output logic [63:0]                      m_axi_araddr,
  output logic [7:0]                       m_axi_arlen,
  output logic [2:0]                       m_axi_arsize,
  output logic [1:0]                       m_axi_arburst,
  output logic                             m_axi_arvalid,
  input  logic                             m_axi_arready,
  input  logic [3:0]                       m_axi_rid,
  input  logic [DataBits-1:0]              m_axi_rdata,
  input  logic [1:0]                       m_axi_rresp,
  input  logic                             m_axi_rlast,
  input  logic                             m_axi_rvalid,
  output logic                             m_axi_rready,

  output logic                             irq_o,

  // Analog macros.
  output macro_pins_t [Tiles-1:0]          pins_o,
  output macro_prog_t [Tiles-1:0]          prog_o,
  output logic [Tiles-1:0][Lanes-1:0][7:0] sar_code_o,
  input  logic [Tiles-1:0][Lanes-1:0]      cmp_i,

  // What works, for traces.
  output tile_busy_t [Tiles-1:0]           trace_o,
  output logic [1:0]                       trace_dma_o  // {read, write}
);
  localparam int unsigned NumWindows = 4;
  localparam logic [2:0] SizeBeat = 3'($clog2(StrbBits));
  localparam logic [1:0] BurstIncr = 2'b01;

  if (MeshX < 1 || MeshX > 8 || MeshY < 1 || MeshY > 8) begin : gen_bad_mesh
    $fatal(1, "ohmac_top: MeshX and MeshY must be 1 .. 8, not %0d and %0d", MeshX, MeshY);
  end
  if (Rows < 8 || Rows > 1020 || Rows % 4 != 0) begin : gen_bad_rows
    $fatal(1, "ohmac_top: Rows must be a multiple of 4, 8 .. 1020, not %0d", Rows);
  end
  if (Lanes < 8 || Lanes > 128 || Lanes % 8 != 0) begin : gen_bad_lanes
    $fatal(1, "ohmac_top: Lanes must be a multiple of 8, 8 .. 128, not %0d", Lanes);
  end
  if (Lanes == 0 || Cols % Lanes != 0 || Cols < Lanes || Cols / Lanes > 63 || Cols > 512) begin : gen_bad_cols
    $fatal(1, "ohmac_top: Cols must be a multiple of Lanes, at most 63 times Lanes and at most 512, not %0d", Cols);
  end
  if (Spares > Lanes) begin : gen_bad_spares
    $fatal(1, "ohmac_top: Spares must be at most Lanes, not %0d", Spares);
  end
  if (SramBanks < 1 || SramBanks > 32 || (SramBanks & (SramBanks - 1)) != 0) begin : gen_bad_banks
    $fatal(1, "ohmac_top: SramBanks must be a power of two, 1 .. 32, not %0d", SramBanks);
  end
  if (SramBytes < 2 * LineBytes * SramBanks || SramBytes > 2 ** 20 ||
      (SramBytes & (SramBytes - 1)) != 0) begin : gen_bad_sram
    $fatal(1, "ohmac_top: SramBytes must be a power of two, two lines a bank .. 1 MiB, not %0d", SramBytes);
  end

  // Registers
  logic doorbell, abort, dma_busy, dma_queued, dma_done, dma_error;
  logic [63:0] job_addr, out_base, err_addr;
  logic [NumWindows-1:0][63:0] win_base;
  logic [NumWindows-1:0][31:0] win_size;
  logic [NumWindows-1:0] win_read, win_write;
  dma_err_e err_code;
  logic [15:0] err_index, dma_start_pc;
  logic [7:0] err_job, jobs_accepted, jobs_succeeded, jobs_failed;
  logic noc_busy_q;
  logic [Tiles-1:0] dma_start, start, stop, clear;
  logic [Tiles-1:0][15:0] start_pc;
  tile_status_t [Tiles-1:0] status;
  logic [4:0] cnt_sel;
  logic [Tiles-1:0][31:0] cnt;

  ohmac_csr_top #(
    .MeshX(MeshX), .MeshY(MeshY), .Rows(Rows), .Cols(Cols), .Lanes(Lanes), .Spares(Spares),
    .SramBytes(SramBytes), .NumWindows(NumWindows)
  ) u_csr (
    .clk_i, .rst_ni,
    .s_axil_awaddr, .s_axil_awvalid, .s_axil_awready, .s_axil_wdata, .s_axil_wstrb, .s_axil_wvalid, .s_axil_wready,
    .s_axil_bresp, .s_axil_bvalid, .s_axil_bready, .s_axil_araddr, .s_axil_arvalid, .s_axil_arready,
    .s_axil_rdata, .s_axil_rresp, .s_axil_rvalid, .s_axil_rready, .irq_o,
    .doorbell_o(doorbell), .abort_o(abort), .job_addr_o(job_addr), .out_base_o(out_base),
    .win_base_o(win_base), .win_size_o(win_size), .win_read_o(win_read), .win_write_o(win_write),
    .dma_busy_i(dma_busy), .dma_queued_i(dma_queued), .dma_done_i(dma_done), .dma_error_i(dma_error),
    .dma_err_code_i(err_code), .dma_err_index_i(err_index), .dma_err_addr_i(err_addr),
    .dma_err_job_i(err_job),
    .dma_accepted_i(jobs_accepted), .dma_succeeded_i(jobs_succeeded), .dma_failed_i(jobs_failed),
    .dma_start_i(dma_start), .dma_start_pc_i(dma_start_pc),
    .rd_beat_i(m_axi_rvalid & m_axi_rready), .wr_beat_i(m_axi_wvalid & m_axi_wready),
    .noc_busy_i(noc_busy_q),
    .start_o(start), .start_pc_o(start_pc), .stop_o(stop), .clear_o(clear), .status_i(status),
    .cnt_sel_o(cnt_sel), .cnt_i(cnt)
  );

  // DMA
  flit_t host_i_flit, host_o_flit;  // into and out of the mesh
  logic host_i_valid, host_i_ready, host_o_valid, host_o_ready;

  ohmac_dma #(.MeshX(MeshX), .MeshY(MeshY), .NumWindows(NumWindows)) u_dma (
    .clk_i, .rst_ni,
    .doorbell_i(doorbell), .abort_i(abort), .job_addr_i(job_addr), .out_base_i(out_base),
    .win_base_i(win_base), .win_size_i(win_size), .win_read_i(win_read), .win_write_i(win_write),
    .busy_o(dma_busy), .queued_o(dma_queued), .done_o(dma_done), .error_o(dma_error),
    .err_code_o(err_code), .err_index_o(err_index), .err_addr_o(err_addr), .err_job_o(err_job),
    .accepted_o(jobs_accepted), .succeeded_o(jobs_succeeded), .failed_o(jobs_failed),
    .reading_o(trace_dma_o[1]), .writing_o(trace_dma_o[0]),
    .start_o(dma_start), .start_pc_o(dma_start_pc),
    .noc_o_flit(host_i_flit), .noc_o_valid(host_i_valid), .noc_o_ready(host_i_ready),
    .noc_i_flit(host_o_flit), .noc_i_valid(host_o_valid), .noc_i_ready(host_o_ready),
    .ar_addr_o(m_axi_araddr), .ar_len_o(m_axi_arlen), .ar_valid_o(m_axi_arvalid), .ar_ready_i(m_axi_arready),
    .r_data_i(m_axi_rdata), .r_resp_i(m_axi_rresp), .r_last_i(m_axi_rlast), .r_valid_i(m_axi_rvalid),
    .r_ready_o(m_axi_rready),
    .aw_addr_o(m_axi_awaddr), .aw_len_o(m_axi_awlen), .aw_valid_o(m_axi_awvalid), .aw_ready_i(m_axi_awready),
    .w_data_o(m_axi_wdata), .w_strb_o(m_axi_wstrb), .w_last_o(m_axi_wlast), .w_valid_o(m_axi_wvalid),
    .w_ready_i(m_axi_wready), .b_resp_i(m_axi_bresp), .b_valid_i(m_axi_bvalid), .b_ready_o(m_axi_bready)
  );

  assign m_axi_awid    = '0;
  assign m_axi_awsize  = SizeBeat;
  assign m_axi_awburst = BurstIncr;
  assign m_axi_arid    = '0;
  assign m_axi_arsize  = SizeBeat;
  assign m_axi_arburst = BurstIncr;

  OnlyIdZero: assert property (@(posedge clk_i) disable iff (!rst_ni)
      (m_axi_bvalid |-> m_axi_bid == '0) and (m_axi_rvalid |-> m_axi_rid == '0));

  // Mesh and tiles
  flit_t [Tiles-1:0] tile_in_flit, tile_out_flit;  // seen from the tile
  logic [Tiles-1:0] tile_in_valid, tile_in_ready, tile_out_valid, tile_out_ready, active;
  logic mesh_busy;

  ohmac_mesh #(.MeshX(MeshX), .MeshY(MeshY)) u_mesh (
    .clk_i, .rst_ni,
    .tile_i_flit(tile_out_flit), .tile_i_valid(tile_out_valid), .tile_i_ready(tile_out_ready),
    .tile_o_flit(tile_in_flit), .tile_o_valid(tile_in_valid), .tile_o_ready(tile_in_ready),
    .host_i_flit, .host_i_valid, .host_i_ready, .host_o_flit, .host_o_valid, .host_o_ready,
    .busy_o(mesh_busy)
  );

  // From port to port without a gap: mesh, receivers, senders.
  logic [Tiles-1:0] tile_holds_flit;
  always_comb begin
    for (int unsigned t = 0; t < Tiles; t++) tile_holds_flit[t] = trace_o[t].rx | trace_o[t].net;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) noc_busy_q <= 1'b0;
    else noc_busy_q <= mesh_busy || tile_holds_flit != '0;
  end

  for (genvar t = 0; t < Tiles; t++) begin : gen_tile
    logic tile_clk;

    ohmac_clk_gate u_gate (
      .clk_i, .en_i(start[t] | stop[t] | clear[t] | tile_in_valid[t] | active[t]), .clk_o(tile_clk)
    );

    ohmac_tile #(
      .Rows(Rows), .Cols(Cols), .Lanes(Lanes), .Spares(Spares), .SramBytes(SramBytes), .SramBanks(SramBanks)
    ) u_tile (
      .clk_i(tile_clk), .rst_ni,
      .start_i(start[t]), .start_pc_i(start_pc[t]), .stop_i(stop[t]), .clear_i(clear[t]),
      .status_o(status[t]), .active_o(active[t]), .busy_o(trace_o[t]),
      .cnt_sel_i(cnt_sel), .cnt_o(cnt[t]), .mesh_x_i(4'(MeshX)), .tiles_i(7'(Tiles)),
      .noc_i_flit(tile_in_flit[t]), .noc_i_valid(tile_in_valid[t]), .noc_i_ready(tile_in_ready[t]),
      .noc_o_flit(tile_out_flit[t]), .noc_o_valid(tile_out_valid[t]), .noc_o_ready(tile_out_ready[t]),
      .pins_o(pins_o[t]), .prog_o(prog_o[t]), .sar_code_o(sar_code_o[t]), .cmp_i(cmp_i[t])
    );
  end
endmodule
