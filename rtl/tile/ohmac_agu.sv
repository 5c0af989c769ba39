// SPDX-License-Identifier: Apache-2.0
// One address generator: a byte address, one signed increment a loop depth, a circular window.
// step_i adds the increment of depth_i and wraps once; addr_o shows it the next cycle. Sums are
// exact (27 bits), the address keeps the low 24 bits.
module ohmac_agu
  import ohmac_isa_pkg::*;
(
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                we_i,       // wins over step_i
  input  logic [2:0]          word_i,     // of the AGU group, ISA.md; 7 names nothing
  input  logic [AddrBits-1:0] wdata_i,
  input  logic                step_i,
  input  logic [1:0]          depth_i,
  output logic [AddrBits-1:0] addr_o,
  output logic [AddrBits-1:0] wrap_base_o,
  output logic [AddrBits-1:0] wrap_len_o
);
  localparam int unsigned SumBits = AddrBits + 3;
  typedef logic signed [SumBits-1:0] sum_t;

  logic [AddrBits-1:0] addr_q, base_q, len_q;
  logic [LoopDepth-1:0][AddrBits-1:0] inc_q;

  sum_t addr, inc, base, len, above, below;
  logic [AddrBits-1:0] wrapped;

  function automatic sum_t sext(logic [AddrBits-1:0] v);
    return sum_t'($signed(v));
  endfunction

  // The comparisons use their own sums, so that no adder waits for another.
  assign addr  = sext(addr_q);
  assign inc   = sext(inc_q[depth_i]);
  assign base  = sext(base_q);
  assign len   = sum_t'({3'b0, len_q});
  assign above = addr + inc - base - len;  // >= 0: past the window
  assign below = addr + inc - base;        // < 0: before it

  always_comb begin
    wrapped = AddrBits'(addr + inc);
    if (len_q != '0) begin
      if (above >= 0) wrapped = AddrBits'(addr + inc - len);
      else if (below < 0) wrapped = AddrBits'(addr + inc + len);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      addr_q <= '0;
      inc_q  <= '0;
      base_q <= '0;
      len_q  <= '0;
    end else if (we_i) begin
      unique case (32'(word_i))
        AguAddrWord:     addr_q   <= wdata_i;
        AguInc0Word:     inc_q[0] <= wdata_i;
        AguInc1Word:     inc_q[1] <= wdata_i;
        AguInc2Word:     inc_q[2] <= wdata_i;
        AguInc3Word:     inc_q[3] <= wdata_i;
        AguWrapBaseWord: base_q   <= wdata_i;
        AguWrapLenWord:  len_q    <= wdata_i;
        default: ;
      endcase
    end else if (step_i) begin
      addr_q <= wrapped;
    end
  end

  assign addr_o      = addr_q;
  assign wrap_base_o = base_q;
  assign wrap_len_o  = len_q;
endmodule
