// SPDX-License-Identifier: Apache-2.0
// Shape of the digital MAC core: what its modules have to agree about.
package ohmac_dmac_pkg;
  localparam int unsigned StepCols = 4;      // columns multiplied in a cycle
  localparam int unsigned OutCols = 8;       // columns of a transfer of results, those of a line of psums
  localparam int unsigned BankBits = 128;    // weights a slice reads in a cycle
  localparam int unsigned LineBits = 256;    // activations of a transfer, a line of a tile's SRAM
  localparam int unsigned SliceLevels = 6;   // full adders in sequence in a slice: 18 rows to 2
  localparam int unsigned TreeLevels = 6;    // the same in the first stage of a column's tree: 128 rows to 12
  localparam int unsigned MergeLevels = 5;   // and in its second: at most 13 rows to 2

  // Rows left of n after some levels of full adders: three become two.
  function automatic int unsigned csa_rows(int unsigned n, int unsigned levels);
    int unsigned left = n;
    for (int unsigned l = 0; l < levels; l++) left = left - left / 3;
    return left;
  endfunction

  // Rows of the matrix in a slice.
  function automatic int unsigned slice_k(int unsigned weight_bits);
    return BankBits / (StepCols * weight_bits);
  endfunction

  // Partial products of a column in a slice: one a radix-4 digit of an activation.
  function automatic int unsigned slice_products(int unsigned weight_bits, int unsigned act_bits);
    return slice_k(weight_bits) * act_bits / 2;
  endfunction

  // Rows that a slice adds for a column, and the carry-save rows that it gives.
  function automatic int unsigned slice_rows_in(int unsigned weight_bits, int unsigned act_bits);
    return slice_products(weight_bits, act_bits) + 2;
  endfunction
  function automatic int unsigned slice_rows(int unsigned weight_bits, int unsigned act_bits);
    return csa_rows(slice_rows_in(weight_bits, act_bits), SliceLevels);
  endfunction

  // Bits of the rows that a slice gives that can be 1: the same adders over what can be 1 in their inputs.
  typedef logic [slice_rows_in(4, 8)-1:0][31:0] slice_mask_t;
  function automatic slice_mask_t slice_mask(int unsigned weight_bits, int unsigned act_bits);
    int unsigned n = slice_rows_in(weight_bits, act_bits);
    int unsigned k_bits = $clog2(slice_k(weight_bits) + 1);
    slice_mask_t rows = '0, left;
    for (int unsigned p = 0; p < n - 2; p++) begin
      rows[p] = 32'((2 << weight_bits) - 1) << (2 * (p / slice_k(weight_bits)));
    end
    for (int unsigned d = 0; d < act_bits / 2; d++) begin
      rows[n-2+d%2] |= 32'((1 << k_bits) - 1) << (2 * d);
    end
    for (int unsigned l = 0; l < SliceLevels; l++) begin
      left = '0;
      for (int unsigned g = 0; g < n / 3; g++) begin
        left[2*g]   = rows[3*g] | rows[3*g+1] | rows[3*g+2];
        left[2*g+1] = ((rows[3*g] & rows[3*g+1]) | (rows[3*g] & rows[3*g+2]) | (rows[3*g+1] & rows[3*g+2])) << 1;
      end
      for (int unsigned r = 0; r < n % 3; r++) left[n/3*2+r] = rows[n/3*3+r];
      rows = left;
      n = csa_rows(n, 1);
    end
    return rows;
  endfunction
endpackage
