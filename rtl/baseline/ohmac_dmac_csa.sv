// SPDX-License-Identifier: Apache-2.0
// Carry-save adder: rows of unsigned numbers to fewer rows of the same sum, in levels of full adders. Combinational.
// The caller chooses Width so that the whole sum fits; then no carry leaves it.
module ohmac_dmac_csa
  import ohmac_dmac_pkg::*;
#(
  parameter int unsigned Width = 18,
  parameter int unsigned Rows = 18,
  parameter int unsigned Levels = 6,
  localparam int unsigned Left = csa_rows(Rows, Levels)
) (
  input  logic [Rows-1:0][Width-1:0] rows_i,
  output logic [Left-1:0][Width-1:0] rows_o
);
  for (genvar l = 0; l < int'(Levels); l++) begin : gen_level
    localparam int unsigned In = csa_rows(Rows, l);
    localparam int unsigned Out = csa_rows(Rows, l + 1);
    logic [ In-1:0][Width-1:0] in;
    logic [Out-1:0][Width-1:0] out;

    if (l == 0) begin : gen_first
      assign in = rows_i;
    end else begin : gen_next
      assign in = gen_level[l-1].out;
    end

    if (In < 3) begin : gen_done
      assign out = in;
    end else begin : gen_add
      for (genvar g = 0; g < int'(In / 3); g++) begin : gen_three
        logic [Width-1:0] carry;
        assign carry = (in[3*g] & in[3*g+1]) | (in[3*g] & in[3*g+2]) | (in[3*g+1] & in[3*g+2]);
        assign out[2*g]   = in[3*g] ^ in[3*g+1] ^ in[3*g+2];
        assign out[2*g+1] = carry << 1;
      end
      for (genvar r = 0; r < int'(In % 3); r++) begin : gen_rest
        assign out[In/3*2+r] = in[In/3*3+r];
      end
    end
  end

  assign rows_o = gen_level[Levels-1].out;
endmodule
