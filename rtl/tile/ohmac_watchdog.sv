// SPDX-License-Identifier: Apache-2.0
// Watchdog of a tile: bite_o when 256 * limit_i cycles in a row were run and none of them had an event; it stays until a cycle
// without run_i or with an event. limit_i 0: never. One cycle from an input to the count, so bite_o comes in the second cycle after
// the last of them.
module ohmac_watchdog (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        run_i,
  input  logic        event_i,
  input  logic [15:0] limit_i,
  output logic        bite_o
);
  localparam int unsigned CountBits = 24;
  logic quiet_q;
  logic [CountBits-1:0] count_q;  // quiet cycles in a row

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      quiet_q <= 1'b0;
      count_q <= '0;
    end else begin
      quiet_q <= run_i && !event_i;
      if (!quiet_q) count_q <= '0;
      else if (count_q != '1) count_q <= count_q + CountBits'(1);
    end
  end

  // A limit that shrinks below the count bites at once.
  assign bite_o = limit_i != '0 && count_q >= {limit_i, 8'd0};
endmodule
