# One tile (ohmac_tile), with the analog macro at its pins. Times in ns; ohmac_period and ohmac_margin come from the flow.

# 250 MHz. A fifth of the period is kept back for what a mapped netlist does not know: clock skew and jitter, wires longer than the
# wire-load model says, and cells slower than typical.
create_clock -name clk -period $ohmac_period [get_ports clk_i]
set_clock_uncertainty -setup [expr {$ohmac_margin * $ohmac_period}] [get_clocks clk]
# Skew between neighbouring flops of one clock tree.
set_clock_uncertainty -hold 0.05 [get_clocks clk]
set_clock_transition 0.15 [get_clocks clk]

# Released in step with the clock outside the tile (rtl/top/README.md), asserted at any time: recovery is checked there.
set_false_path -from [get_ports rst_ni]

# Straps and commands cross the chip: they have most of the period for wires and are registered where they arrive.
set_input_delay -clock clk 2.0 [get_ports {start_i start_pc_i* stop_i clear_i mesh_x_i* tiles_i*}]
# Selection of a counter and its value: registered at the far end, half the period of wires.
set_input_delay -clock clk 0.5 [get_ports cnt_sel_i*]
set_output_delay -clock clk 0.5 [get_ports cnt_o*]
# A router is beside its tile; flits come from its FIFO and go into one, a third of the period is spent there.
set_input_delay -clock clk 1.2 [get_ports {noc_i_flit* noc_i_valid noc_o_ready}]
set_output_delay -clock clk 1.2 [get_ports {noc_o_flit* noc_o_valid noc_i_ready}]
# Clock gate enable, status and traces.
set_output_delay -clock clk 1.2 [get_ports {active_o busy_o* status_o*}]

# Analog macro: latches take pins with 0.5 ns; from trial code to comparator bit there are 1.6 ns for the capacitor array to settle and
# 0.8 ns for the comparator.
set_output_delay -clock clk 0.5 [get_ports {pins_o* prog_o* sar_code_o*}]
set_input_delay -clock clk 2.4 [get_ports cmp_i*]

set_driving_cell -lib_cell $ohmac_buffer [all_inputs]
set_load 0.05 [all_outputs]
