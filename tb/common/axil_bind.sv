// SPDX-License-Identifier: Apache-2.0
// Puts the AXI4-Lite rules on the host port of every ohmac_csr_top. Add this file and axi_checker.sv to the sources of a simulation.
bind ohmac_csr_top axi_checker #(.AddrBits(11), .DataBits(32), .MaxBeats(1), .Lite(1'b1)) u_axil_checker (
  .clk_i, .rst_ni,
  .aw_addr_i(s_axil_awaddr), .aw_len_i(8'd0), .aw_size_i(3'd2), .aw_burst_i(2'b01),
  .aw_valid_i(s_axil_awvalid), .aw_ready_i(s_axil_awready),
  .w_data_i(s_axil_wdata), .w_strb_i(s_axil_wstrb), .w_last_i(1'b1), .w_valid_i(s_axil_wvalid), .w_ready_i(s_axil_wready),
  .b_resp_i(s_axil_bresp), .b_valid_i(s_axil_bvalid), .b_ready_i(s_axil_bready),
  .ar_addr_i(s_axil_araddr), .ar_len_i(8'd0), .ar_size_i(3'd2), .ar_burst_i(2'b01),
  .ar_valid_i(s_axil_arvalid), .ar_ready_i(s_axil_arready),
  .r_data_i(s_axil_rdata), .r_resp_i(s_axil_rresp), .r_last_i(1'b1), .r_valid_i(s_axil_rvalid), .r_ready_i(s_axil_rready)
);
