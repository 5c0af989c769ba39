# A slice of the digital baseline (ohmac_dmac_slice). Times in ns; the outside is ohmac_dmac.

# Period and margin as in tile.sdc.
create_clock -name clk -period $ohmac_period [get_ports clk_i]
set_clock_uncertainty -setup [expr {$ohmac_margin * $ohmac_period}] [get_clocks clk]
set_clock_uncertainty -hold 0.05 [get_clocks clk]
set_clock_transition 0.15 [get_clocks clk]
set_false_path -from [get_ports rst_ni]

# Counters and flags decide a step and cross the core to all slices: 2 ns.
set_input_delay -clock clk 2.0 [get_ports {adv_i read_i first_i sum_first_i word_i* we_i load_i}]
# Weights and activations come from the ports of the core.
set_input_delay -clock clk 1.6 [get_ports {wdata_i* act_i*}]
# Digits, and the counts of negative ones (netlist: rows), change a cycle before weights come: the slice asserts it.
set_multicycle_path -setup 2 -from [get_cells {digit_q* gen_col*.rows*}]
set_multicycle_path -hold 1 -from [get_cells {digit_q* gen_col*.rows*}]
# Six levels of adders of the column's tree, and the way there.
set_output_delay -clock clk 2.7 [get_ports {sum_o*}]

set_driving_cell -lib_cell $ohmac_buffer [all_inputs]
set_load 0.05 [all_outputs]
