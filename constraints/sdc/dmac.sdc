# The digital baseline (ohmac_dmac) with stubs of its slices. Times in ns.

# Period and margin as in tile.sdc.
create_clock -name clk -period $ohmac_period [get_ports clk_i]
set_clock_uncertainty -setup [expr {$ohmac_margin * $ohmac_period}] [get_clocks clk]
set_clock_uncertainty -hold 0.05 [get_clocks clk]
set_clock_transition 0.15 [get_clocks clk]
set_false_path -from [get_ports rst_ni]

# Neighbours in the tile: flops, a few gates and wires.
set_input_delay -clock clk 1.2 [get_ports {w_valid_i w_slice_i* w_word_i* w_data_i* last_word_i* act_valid_i act_data_i* sum_ready_i}]
set_output_delay -clock clk 1.2 [get_ports {w_ready_o act_ready_o sum_valid_o sum_last_o sum_data_o* busy_o}]

set_driving_cell -lib_cell $ohmac_buffer [all_inputs]
set_load 0.05 [all_outputs]
