// SPDX-License-Identifier: Apache-2.0
// Host-visible registers: the generated block plus what it leaves outside, the tile[] block, cycle counter, beat counters and interrupt.
// AXI4-Lite, one access at a time; tile[] takes one cycle more. tile[i] with i >= Tiles reads 0 and ignores writes.
// A start written here and a START of the DMA reach the tile by the same wire, one cycle wide; in one cycle the DMA's pc wins. stop and clear
// of one write come in the same cycle as its start.
module ohmac_csr_top
  import ohmac_isa_pkg::*;
  import ohmac_pkg::*;
#(
  parameter  int unsigned MeshX = 4,
  parameter  int unsigned MeshY = 4,
  parameter  int unsigned Rows = 256,
  parameter  int unsigned Cols = 256,
  parameter  int unsigned Lanes = 32,
  parameter  int unsigned Spares = Lanes,
  parameter  int unsigned SramBytes = 65536,
  parameter  int unsigned NumWindows = 4,
  localparam int unsigned Tiles = MeshX * MeshY
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,

  // Host.
  input  logic [10:0]                 s_axil_awaddr,
  input  logic                        s_axil_awvalid,
  output logic                        s_axil_awready,
  input  logic [31:0]                 s_axil_wdata,
  input  logic [3:0]                  s_axil_wstrb,
  input  logic                        s_axil_wvalid,
  output logic                        s_axil_wready,
  output logic [1:0]                  s_axil_bresp,
  output logic                        s_axil_bvalid,
  input  logic                        s_axil_bready,
  input  logic [10:0]                 s_axil_araddr,
  input  logic                        s_axil_arvalid,
  output logic                        s_axil_arready,
  output logic [31:0]                 s_axil_rdata,
  output logic [1:0]                  s_axil_rresp,
  output logic                        s_axil_rvalid,
  input  logic                        s_axil_rready,
  output logic                        irq_o,          // level

  // DMA.
  output logic                        doorbell_o,
  output logic                        abort_o,
  output logic [63:0]                 job_addr_o,
  output logic [63:0]                 out_base_o,
  output logic [NumWindows-1:0][63:0] win_base_o,
  output logic [NumWindows-1:0][31:0] win_size_o,
  output logic [NumWindows-1:0]       win_read_o,
  output logic [NumWindows-1:0]       win_write_o,
  input  logic                        dma_busy_i,
  input  logic                        dma_queued_i,
  input  logic                        dma_done_i,
  input  logic                        dma_error_i,
  input  dma_err_e                    dma_err_code_i,
  input  logic [15:0]                 dma_err_index_i,
  input  logic [63:0]                 dma_err_addr_i,
  input  logic [7:0]                  dma_err_job_i,
  input  logic [7:0]                  dma_accepted_i,
  input  logic [7:0]                  dma_succeeded_i,
  input  logic [7:0]                  dma_failed_i,
  input  logic [Tiles-1:0]            dma_start_i,
  input  logic [15:0]                 dma_start_pc_i,
  input  logic                        rd_beat_i,      // a read data beat was taken
  input  logic                        wr_beat_i,

  input  logic                        noc_busy_i,

  // Tiles.
  output logic [Tiles-1:0]            start_o,
  output logic [Tiles-1:0][15:0]      start_pc_o,
  output logic [Tiles-1:0]            stop_o,
  output logic [Tiles-1:0]            clear_o,
  input  tile_status_t [Tiles-1:0]    status_i,
  output logic [4:0]                  cnt_sel_o,
  input  logic [Tiles-1:0][31:0]      cnt_i
);
  localparam int unsigned TileSlots = 64;  // of the register map
  localparam logic [31:0] Id = 32'h4F48_4D43;
  localparam logic [15:0] VersionMajor = 16'd1, VersionMinor = 16'd1;

  ohmac_csr_pkg::ohmac_csr__in_t hw_in;
  ohmac_csr_pkg::ohmac_csr__out_t hw_out;

  ohmac_csr u_csr (
    .clk(clk_i), .arst_n(rst_ni),
    .s_axil_awready, .s_axil_awvalid, .s_axil_awaddr, .s_axil_awprot(3'b0),
    .s_axil_wready, .s_axil_wvalid, .s_axil_wdata, .s_axil_wstrb,
    .s_axil_bready, .s_axil_bvalid, .s_axil_bresp,
    .s_axil_arready, .s_axil_arvalid, .s_axil_araddr, .s_axil_arprot(3'b0),
    .s_axil_rready, .s_axil_rvalid, .s_axil_rdata, .s_axil_rresp,
    .hwif_in(hw_in), .hwif_out(hw_out)
  );

  // Tile block: answered one cycle after the request, which lasts one cycle.
  logic [TileSlots-1:0] tile_rd_ack_q, tile_wr_ack_q;
  logic [31:0] tile_rdata_q, tile_rdata;
  logic [TileSlots-1:0] tile_req;
  logic tile_is_wr;
  logic [2:0] tile_addr;
  logic [31:0] tile_wdata, tile_biten;
  logic [Tiles-1:0] csr_start_q, csr_stop_q, csr_clear_q;
  logic [Tiles-1:0][15:0] csr_pc_q;

  for (genvar t = 0; t < TileSlots; t++) begin : gen_tile_slot
    assign tile_req[t] = hw_out.tile[t].req;
    assign hw_in.tile[t].rd_ack  = tile_rd_ack_q[t];
    assign hw_in.tile[t].wr_ack  = tile_wr_ack_q[t];
    assign hw_in.tile[t].rd_data = tile_rdata_q;
  end
  // The request is the same for every slot but for its select.
  assign tile_is_wr = hw_out.tile[0].req_is_wr;
  assign tile_addr  = hw_out.tile[0].addr;
  assign tile_wdata = hw_out.tile[0].wr_data;
  assign tile_biten = hw_out.tile[0].wr_biten;

  logic [Tiles-1:0] ctrl_wr;
  logic [18:16] ctrl_bits;
  assign ctrl_wr   = tile_req[Tiles-1:0] & {Tiles{tile_is_wr && !tile_addr[2]}};
  assign ctrl_bits = tile_wdata[18:16] & tile_biten[18:16];

  always_comb begin
    tile_rdata = '0;
    for (int unsigned t = 0; t < Tiles; t++) begin
      if (tile_req[t]) begin
        tile_rdata = tile_addr[2] ? {status_i[t].pc, status_i[t].fault, 6'b0, status_i[t].halted, status_i[t].running}
                                  : {16'b0, csr_pc_q[t]};
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tile_rd_ack_q <= '0;
      tile_wr_ack_q <= '0;
      csr_start_q   <= '0;
      csr_stop_q    <= '0;
      csr_clear_q   <= '0;
      csr_pc_q      <= '0;
    end else begin
      tile_rd_ack_q <= tile_is_wr ? '0 : tile_req;
      tile_wr_ack_q <= tile_is_wr ? tile_req : '0;
      for (int unsigned t = 0; t < Tiles; t++) begin
        csr_start_q[t] <= ctrl_wr[t] && ctrl_bits[16];
        csr_stop_q[t]  <= ctrl_wr[t] && ctrl_bits[17];
        csr_clear_q[t] <= ctrl_wr[t] && ctrl_bits[18];
        if (ctrl_wr[t]) begin
          csr_pc_q[t] <= (tile_wdata[15:0] & tile_biten[15:0]) | (csr_pc_q[t] & ~tile_biten[15:0]);
        end
      end
    end
  end
  always_ff @(posedge clk_i) tile_rdata_q <= tile_rdata;

  for (genvar t = 0; t < Tiles; t++) begin : gen_start
    assign start_o[t]    = csr_start_q[t] | dma_start_i[t];
    assign start_pc_o[t] = dma_start_i[t] ? dma_start_pc_i : csr_pc_q[t];
  end

  assign stop_o  = csr_stop_q;
  assign clear_o = csr_clear_q;

  // Tile events: the cycle in which a status first shows it.
  logic [Tiles-1:0] halted, faulted, running, halted_q, faulted_q;
  for (genvar t = 0; t < Tiles; t++) begin : gen_event
    assign halted[t]  = status_i[t].halted;
    assign faulted[t] = status_i[t].fault != FaultNone;
    assign running[t] = status_i[t].running;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      halted_q  <= '0;
      faulted_q <= '0;
    end else begin
      halted_q  <= halted;
      faulted_q <= faulted;
    end
  end

  // Counters. Reading cycle_lo latches the upper half, so the pair belongs together.
  logic [63:0] cycle_q;
  logic [31:0] cycle_hi_q, rd_beats_q, wr_beats_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cycle_q    <= '0;
      cycle_hi_q <= '0;
      rd_beats_q <= '0;
      wr_beats_q <= '0;
    end else begin
      cycle_q <= cycle_q + 64'd1;
      if (hw_out.cycle_lo.value.swacc) cycle_hi_q <= cycle_q[63:32];
      rd_beats_q <= rd_beats_q + 32'(rd_beat_i);
      wr_beats_q <= wr_beats_q + 32'(wr_beat_i);
    end
  end

  logic [31:0] cnt_value;
  always_comb begin
    cnt_value = '0;
    for (int unsigned t = 0; t < Tiles; t++) begin
      if (32'(hw_out.cnt_sel.tile.value) == t) cnt_value = cnt_i[t];
    end
  end
  assign cnt_sel_o = hw_out.cnt_sel.index.value;

  // Into the block
  assign hw_in.id.value.next              = Id;
  assign hw_in.version.major.next         = VersionMajor;
  assign hw_in.version.minor.next         = VersionMinor;
  assign hw_in.cap_chip.tiles.next        = 8'(Tiles);
  assign hw_in.cap_chip.mesh_x.next       = 8'(MeshX);
  assign hw_in.cap_chip.mesh_y.next       = 8'(MeshY);
  assign hw_in.cap_chip.isa.next          = 8'(IsaVersion);
  assign hw_in.cap_array.rows.next        = 16'(Rows);
  assign hw_in.cap_array.cols.next        = 16'(Cols);
  assign hw_in.cap_adc.lanes.next         = 8'(Lanes);
  assign hw_in.cap_adc.adc_bits.next      = 8'(MaxAdcBits);
  assign hw_in.cap_adc.windows.next       = 8'(NumWindows);
  assign hw_in.cap_adc.counters.next      = 8'(NumCounters);
  assign hw_in.cap_sram.bytes.next        = 32'(SramBytes);
  assign hw_in.cap_repair.spares.next     = 8'(Spares);
  assign hw_in.status.noc_busy.next       = noc_busy_i;
  assign hw_in.status.job_queued.next     = dma_queued_i;
  assign hw_in.dma_status.job.next        = dma_err_job_i;
  assign hw_in.jobs.accepted.next         = dma_accepted_i;
  assign hw_in.jobs.done.next             = dma_succeeded_i;
  assign hw_in.jobs.failed.next           = dma_failed_i;
  assign hw_in.status.dma_busy.next       = dma_busy_i;
  assign hw_in.status.tile_running.next   = running != '0;
  assign hw_in.irq_cause.job_done.hwset   = dma_done_i;
  assign hw_in.irq_cause.job_error.hwset  = dma_error_i;
  assign hw_in.irq_cause.tile_halt.hwset  = (halted & ~halted_q) != '0;
  assign hw_in.irq_cause.tile_fault.hwset = (faulted & ~faulted_q) != '0;
  assign hw_in.dma_status.error.next      = dma_err_code_i;
  assign hw_in.dma_status.index.next      = dma_err_index_i;
  assign hw_in.dma_err_lo.value.next      = dma_err_addr_i[31:0];
  assign hw_in.dma_err_hi.value.next      = dma_err_addr_i[63:32];
  assign hw_in.cycle_lo.value.next        = cycle_q[31:0];
  assign hw_in.cycle_hi.value.next        = cycle_hi_q;
  assign hw_in.cnt_value.value.next       = cnt_value;
  assign hw_in.axi_rd_beats.value.next    = rd_beats_q;
  assign hw_in.axi_wr_beats.value.next    = wr_beats_q;

  // Out of the block
  assign doorbell_o = hw_out.doorbell.ring.value;
  assign abort_o    = hw_out.ctrl.dma_abort.value;
  assign job_addr_o = {hw_out.job_addr_hi.value.value, hw_out.job_addr_lo.value.value};
  assign out_base_o = {hw_out.out_base_hi.value.value, hw_out.out_base_lo.value.value};
  for (genvar w = 0; w < NumWindows; w++) begin : gen_window
    assign win_base_o[w]  = {hw_out.window[w].base_hi.value.value, hw_out.window[w].base_lo.value.value};
    assign win_size_o[w]  = hw_out.window[w].size.value.value;
    assign win_read_o[w]  = hw_out.window[w].attr.read.value;
    assign win_write_o[w] = hw_out.window[w].attr.write.value;
  end

  assign irq_o = (hw_out.irq_cause.job_done.value & hw_out.irq_enable.job_done.value)
               | (hw_out.irq_cause.job_error.value & hw_out.irq_enable.job_error.value)
               | (hw_out.irq_cause.tile_halt.value & hw_out.irq_enable.tile_halt.value)
               | (hw_out.irq_cause.tile_fault.value & hw_out.irq_enable.tile_fault.value);
endmodule
