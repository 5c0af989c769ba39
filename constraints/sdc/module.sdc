# One module of a tile on its own, for work on its timing: what comes from a neighbour is there after 1.2 ns (a flop, a few gates and the
# wire), what goes to one must be there after 1.6 ns. The truth is the whole tile (tile.sdc).
create_clock -name clk -period $ohmac_period [get_ports clk_i]
set_clock_uncertainty -setup [expr {$ohmac_margin * $ohmac_period}] [get_clocks clk]
set_clock_uncertainty -hold 0.05 [get_clocks clk]
set_clock_transition 0.15 [get_clocks clk]
foreach port [all_inputs] {
  if {[get_full_name $port] ni {clk_i rst_ni}} { set_input_delay -clock clk 1.2 $port }
}
set_output_delay -clock clk 1.6 [all_outputs]
set_driving_cell -lib_cell $ohmac_buffer [all_inputs]
set_load 0.1 [all_outputs]
