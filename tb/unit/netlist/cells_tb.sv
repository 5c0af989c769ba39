// SPDX-License-Identifier: Apache-2.0
// One of each cell of fixture.lib, all on the same inputs.
module cells_tb (
  input  logic a_i,
  input  logic b_i,
  input  logic c_i,
  input  logic d_i,
  output logic inv_o,
  output logic buf_o,
  output logic and_o,
  output logic mix_y_o,
  output logic mix_z_o,
  output logic mix_one_o,
  // Registers: clock or enable a, data d, clear b, preset c
  output logic ffn_q_o,
  output logic ffn_qn_o,
  output logic ffe_q_o,
  output logic ffl_q_o,
  output logic ffl_qn_o,
  output logic ffh_q_o,
  output logic ffh_qn_o,
  output logic lat_q_o,
  output logic lat_qn_o,
  // Clock gates: clock a, enable d, test b
  output logic icg_o,
  output logic icg_before_o,
  output logic icg_after_o
);
  INV u_inv (.A(a_i), .Y(inv_o));
  BUF u_buf (.A(a_i), .Y(buf_o));
  AND2 u_and (.A(a_i), .B(b_i), .Y(and_o));
  MIX u_mix (.A(a_i), .B(b_i), .C(c_i), .D(d_i), .Y(mix_y_o), .Z(mix_z_o), .ONE(mix_one_o));
  FFN u_ffn (.CK(a_i), .D(d_i), .Q(ffn_q_o), .QN(ffn_qn_o));
  FFE u_ffe (.CK(a_i), .A(b_i), .D(d_i), .E(c_i), .Q(ffe_q_o));
  FFL u_ffl (.CK(a_i), .D(d_i), .R(b_i), .S(c_i), .Q(ffl_q_o), .QN(ffl_qn_o));
  FFH u_ffh (.CK(a_i), .D(d_i), .R(b_i), .S(c_i), .Q(ffh_q_o), .QN(ffh_qn_o));
  LAT u_lat (.G(a_i), .D(d_i), .R(b_i), .Q(lat_q_o), .QN(lat_qn_o));
  ICG u_icg (.CK(a_i), .E(d_i), .GCK(icg_o));
  ICGB u_icg_before (.CK(a_i), .E(d_i), .T(b_i), .GCK(icg_before_o));
  ICGA u_icg_after (.CK(a_i), .E(d_i), .T(b_i), .GCK(icg_after_o));
endmodule
