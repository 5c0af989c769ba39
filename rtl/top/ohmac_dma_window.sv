// SPDX-License-Identifier: Apache-2.0
// Window check: ok_o if the bytes addr_i .. addr_i + len_i - 1 lie whole inside one window with the right for the direction.
// Combinational. Bytes count, not beats; two adjoining windows do not make one. A window may end at, but not pass, the top of memory.
module ohmac_dma_window #(
  parameter int unsigned NumWindows = 4,
  parameter int unsigned LenBits = 13
) (
  input  logic [NumWindows-1:0][63:0] win_base_i,
  input  logic [NumWindows-1:0][31:0] win_size_i,  // bytes, 0 = closed
  input  logic [NumWindows-1:0]       win_en_i,    // right for the direction that is checked
  input  logic [63:0]                 addr_i,
  input  logic [LenBits-1:0]          len_i,       // >= 1
  output logic                        ok_o
);
  logic [64:0] last;  // one bit more: an access that wraps round the top is in no window
  logic [NumWindows-1:0] hit;

  assign last = {1'b0, addr_i} + 65'(len_i);

  for (genvar w = 0; w < NumWindows; w++) begin : gen_window
    logic [64:0] limit;
    assign limit  = {1'b0, win_base_i[w]} + 65'(win_size_i[w]);
    assign hit[w] = win_en_i[w] && addr_i >= win_base_i[w] && last <= limit;
  end

  assign ok_o = hit != '0;
endmodule
