// SPDX-License-Identifier: Apache-2.0
// Puts the AXI4 rules on the memory port of every ohmac_dma. Add this file and axi_checker.sv to the sources of a simulation.
bind ohmac_dma axi_checker #(.AddrBits(64), .DataBits(128), .MaxBeats(16)) u_axi_checker (
  .clk_i, .rst_ni,
  .aw_addr_i(aw_addr_o), .aw_len_i(aw_len_o), .aw_size_i(3'd4), .aw_burst_i(2'b01), .aw_valid_i(aw_valid_o), .aw_ready_i,
  .w_data_i(w_data_o), .w_strb_i(w_strb_o), .w_last_i(w_last_o), .w_valid_i(w_valid_o), .w_ready_i,
  .b_resp_i, .b_valid_i, .b_ready_i(b_ready_o),
  .ar_addr_i(ar_addr_o), .ar_len_i(ar_len_o), .ar_size_i(3'd4), .ar_burst_i(2'b01), .ar_valid_i(ar_valid_o), .ar_ready_i,
  .r_data_i, .r_resp_i, .r_last_i, .r_valid_i, .r_ready_i(r_ready_o)
);
