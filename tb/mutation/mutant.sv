// SPDX-License-Identifier: Apache-2.0
// The number of the mutant to run, from the environment (mutant.cpp), constant during a run.
module ohmac_mutant #(
  parameter int unsigned Width = 8
) (
  output logic [Width-1:0] mutant_o
);
  import "DPI-C" function int unsigned ohmac_mutant_number();
  initial mutant_o = Width'(ohmac_mutant_number());
endmodule
