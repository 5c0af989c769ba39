# The chip but its tiles (ohmac_top with stubs of ohmac_tile): mesh, DMA, registers, clock gates. Times in ns.

# Period and margin as in tile.sdc.
create_clock -name clk -period $ohmac_period [get_ports clk_i]
set_clock_uncertainty -setup [expr {$ohmac_margin * $ohmac_period}] [get_clocks clk]
set_clock_uncertainty -hold 0.05 [get_clocks clk]
set_clock_transition 0.15 [get_clocks clk]

# Released in step with the clock outside the chip (rtl/top/README.md).
set_false_path -from [get_ports rst_ni]

# Both AXI ports meet a register slice of the interconnect on the same die: 1 ns of its logic and wires each way.
set_input_delay -clock clk 1.0 [get_ports {
  s_axil_awaddr* s_axil_awvalid s_axil_wdata* s_axil_wstrb* s_axil_wvalid s_axil_bready s_axil_araddr* s_axil_arvalid s_axil_rready
  m_axi_awready m_axi_wready m_axi_bid* m_axi_bresp* m_axi_bvalid m_axi_arready m_axi_rid* m_axi_rdata* m_axi_rresp* m_axi_rlast m_axi_rvalid}]
set_output_delay -clock clk 1.0 [get_ports {
  s_axil_awready s_axil_wready s_axil_bresp* s_axil_bvalid s_axil_arready s_axil_rdata* s_axil_rresp* s_axil_rvalid
  m_axi_awid* m_axi_awaddr* m_axi_awlen* m_axi_awsize* m_axi_awburst* m_axi_awvalid m_axi_wdata* m_axi_wstrb* m_axi_wlast m_axi_wvalid
  m_axi_bready m_axi_arid* m_axi_araddr* m_axi_arlen* m_axi_arsize* m_axi_arburst* m_axi_arvalid m_axi_rready}]
# Level-sensitive, asynchronous to who takes it; traces are for simulation.
set_output_delay -clock clk 1.0 [get_ports {irq_o trace_o* trace_dma_o*}]

# From tile to macro: the same wires as in tile.sdc, there is no logic here.
set_output_delay -clock clk 0.5 [get_ports {pins_o* prog_o* sar_code_o*}]
set_input_delay -clock clk 2.4 [get_ports cmp_i*]

set_driving_cell -lib_cell $ohmac_buffer [all_inputs]
set_load 0.05 [all_outputs]
