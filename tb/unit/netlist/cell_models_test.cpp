// SPDX-License-Identifier: Apache-2.0
// Models written from fixture.lib (constraints/flow/cell_models.py), simulated. Expected values: truth tables by hand.
#include <gtest/gtest.h>

#include <memory>

#include "Vcell_models_test_dut.h"

namespace ohmac::test {
namespace {

class Cells : public ::testing::Test {
 protected:
  void set(int a, int b, int c, int d) {
    dut->a_i = a;
    dut->b_i = b;
    dut->c_i = c;
    dut->d_i = d;
    dut->eval();
  }
  /// A rising and a falling edge of input a with the others as given.
  void clock(int b, int c, int d) {
    set(0, b, c, d);
    set(1, b, c, d);
    set(0, b, c, d);
  }
  VerilatedContext context;
  std::unique_ptr<Vcell_models_test_dut> dut = std::make_unique<Vcell_models_test_dut>(&context);
};

TEST_F(Cells, Gates) {
  // abcd = 0..15. mix_y = a + b (c ^ d), mix_z = (a + b)' c' d.
  const int y[] = {0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1};
  const int z[] = {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 16; ++i) {
    const int a = i >> 3, b = i >> 2 & 1, c = i >> 1 & 1, d = i & 1;
    set(a, b, c, d);
    EXPECT_EQ(dut->inv_o, 1 - a);
    EXPECT_EQ(dut->buf_o, a);
    EXPECT_EQ(dut->and_o, i >= 12);
    EXPECT_EQ(dut->mix_y_o, y[i]) << i;
    EXPECT_EQ(dut->mix_z_o, z[i]) << i;
    EXPECT_EQ(dut->mix_one_o, 1);
  }
}

TEST_F(Cells, FlopOfTheFallingEdge) {
  set(1, 1, 1, 1);
  set(0, 1, 1, 1);
  EXPECT_EQ(dut->ffn_q_o, 1);
  EXPECT_EQ(dut->ffn_qn_o, 0);
  set(0, 1, 1, 0);
  set(1, 1, 1, 0);
  EXPECT_EQ(dut->ffn_q_o, 1) << "the rising edge is none";
  set(0, 1, 1, 0);
  EXPECT_EQ(dut->ffn_q_o, 0);
  EXPECT_EQ(dut->ffn_qn_o, 1);
}

TEST_F(Cells, FlopWithEnableAndGatedClock) {
  clock(1, 1, 1);
  EXPECT_EQ(dut->ffe_q_o, 1);
  clock(1, 0, 0);
  EXPECT_EQ(dut->ffe_q_o, 1) << "not enabled";
  clock(0, 1, 0);
  EXPECT_EQ(dut->ffe_q_o, 1) << "no clock";
  clock(1, 1, 0);
  EXPECT_EQ(dut->ffe_q_o, 0);
}

TEST_F(Cells, ClearAndPresetLow) {  // b = R, c = S, active low; both: 0 and 0
  clock(1, 1, 1);
  EXPECT_EQ(dut->ffl_q_o, 1);
  EXPECT_EQ(dut->ffl_qn_o, 0);
  set(0, 0, 1, 1);  // no edge of the clock
  EXPECT_EQ(dut->ffl_q_o, 0);
  EXPECT_EQ(dut->ffl_qn_o, 1);
  clock(0, 1, 1);
  EXPECT_EQ(dut->ffl_q_o, 0) << "held by clear";
  set(0, 1, 0, 0);
  EXPECT_EQ(dut->ffl_q_o, 1);
  clock(1, 0, 0);
  EXPECT_EQ(dut->ffl_q_o, 1) << "held by preset";
  set(0, 0, 0, 0);
  EXPECT_EQ(dut->ffl_q_o, 0);
  EXPECT_EQ(dut->ffl_qn_o, 0);
  set(0, 1, 0, 0);
  EXPECT_EQ(dut->ffl_q_o, 1) << "preset stays when clear goes";
  EXPECT_EQ(dut->ffl_qn_o, 0);
  clock(1, 1, 0);
  EXPECT_EQ(dut->ffl_q_o, 0);
}

TEST_F(Cells, ClearAndPresetHigh) {  // b = R, c = S, active high; both: 1 and 0
  clock(0, 0, 1);
  EXPECT_EQ(dut->ffh_q_o, 1);
  set(0, 1, 0, 1);
  EXPECT_EQ(dut->ffh_q_o, 0);
  EXPECT_EQ(dut->ffh_qn_o, 1);
  set(0, 1, 1, 0);
  EXPECT_EQ(dut->ffh_q_o, 1);
  EXPECT_EQ(dut->ffh_qn_o, 0);
  set(0, 1, 0, 0);
  EXPECT_EQ(dut->ffh_q_o, 0) << "clear stays when preset goes";
  clock(0, 0, 1);
  EXPECT_EQ(dut->ffh_q_o, 1);
}

TEST_F(Cells, Latch) {  // open while a is low, b = R active low
  set(0, 1, 1, 1);
  EXPECT_EQ(dut->lat_q_o, 1);
  set(0, 1, 1, 0);
  EXPECT_EQ(dut->lat_q_o, 0);
  EXPECT_EQ(dut->lat_qn_o, 1);
  set(0, 1, 1, 1);
  set(1, 1, 1, 1);
  set(1, 1, 1, 0);
  EXPECT_EQ(dut->lat_q_o, 1) << "closed";
  set(1, 0, 1, 0);
  EXPECT_EQ(dut->lat_q_o, 0) << "cleared";
  set(1, 1, 1, 0);
  EXPECT_EQ(dut->lat_q_o, 0);
}

TEST_F(Cells, ClockGates) {  // clock a, enable d, test b
  set(0, 0, 1, 1);
  EXPECT_EQ(dut->icg_o, 0);
  set(1, 0, 1, 1);
  EXPECT_EQ(dut->icg_o, 1);
  set(1, 0, 1, 0);
  EXPECT_EQ(dut->icg_o, 1) << "the enable is looked at while the clock is low";
  EXPECT_EQ(dut->icg_before_o, 1);
  EXPECT_EQ(dut->icg_after_o, 1);
  set(0, 0, 1, 0);
  set(1, 0, 1, 0);
  EXPECT_EQ(dut->icg_o, 0);
  set(1, 1, 1, 1);
  EXPECT_EQ(dut->icg_o, 0) << "too late";
  EXPECT_EQ(dut->icg_before_o, 0) << "the test pin goes through the latch";
  EXPECT_EQ(dut->icg_after_o, 1) << "the test pin is behind the latch";
  set(0, 1, 1, 0);
  set(1, 1, 1, 0);
  EXPECT_EQ(dut->icg_o, 0);
  EXPECT_EQ(dut->icg_before_o, 1);
  EXPECT_EQ(dut->icg_after_o, 1);
}

}  // namespace
}  // namespace ohmac::test
