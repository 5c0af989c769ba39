// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "Vsar_test_dut.h"

namespace {
constexpr unsigned kLanes = 4;

class Sar : public ::testing::Test {
 protected:
  void tick() {
    dut.clk_i = 0;
    dut.eval();
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  int8_t code(unsigned lane) { return static_cast<int8_t>(dut.code_o >> (8 * lane)); }

  /// One conversion of held values y, in ADC steps; as the comparator decides y >= threshold - 1/2. `pause`: cycles
  /// without a trial before each one.
  void convert(unsigned bits, const double (&y)[kLanes], unsigned pause = 0) {
    dut.bits_i = bits;
    dut.init_i = 1;
    dut.trial_i = 0;
    dut.cmp_i = 0xf;  // means nothing without a trial
    tick();
    dut.init_i = 0;
    for (unsigned t = 0; t < bits; ++t) {
      dut.trial_i = 0;
      for (unsigned i = 0; i < pause; ++i) tick();
      dut.trial_i = 1;
      dut.cmp_i = 0;
      for (unsigned l = 0; l < kLanes; ++l) {
        if (y[l] >= code(l) - 0.5) dut.cmp_i |= 1 << l;
      }
      dut.eval();
      tick();
    }
    dut.trial_i = 0;
    dut.eval();
  }
  Vsar_test_dut dut;
};
}  // namespace

TEST_F(Sar, RoundsHalfUpAndClampsAtEveryResolution) {
  for (int bits = 4; bits <= 8; ++bits) {
    const int half = 1 << (bits - 1);
    for (int q = -5 * half; q <= 5 * half; ++q) {  // quarter steps, past both ends
      const double levels[kLanes] = {q / 4.0, -q / 4.0, (q + 1) / 4.0, 0.0};
      for (unsigned turn = 0; turn < kLanes; ++turn) {  // every lane sees every level
        double y[kLanes];
        for (unsigned l = 0; l < kLanes; ++l) y[l] = levels[(l + turn) % kLanes];
        convert(bits, y);
        for (unsigned l = 0; l < kLanes; ++l) {
          const int want = std::max(-half, std::min(half - 1, static_cast<int>(std::floor(y[l] + 0.5))));
          ASSERT_EQ(code(l), want) << bits << " bits, y = " << y[l];
          ASSERT_EQ(dut.clip_o >> l & 1, want == -half || want == half - 1);
        }
      }
    }
  }
}

TEST_F(Sar, PausesBetweenTrialsChangeNothing) {
  for (unsigned pause = 1; pause < 4; ++pause) {
    const double y[kLanes] = {-100.2, 37.6, -1, 126.4};
    convert(8, y, pause);
    EXPECT_EQ(code(0), -100);
    EXPECT_EQ(code(1), 38);
    EXPECT_EQ(code(2), -1);
    EXPECT_EQ(code(3), 126);
  }
}

TEST_F(Sar, StartsAtZeroAndHoldsWhenIdle) {
  dut.bits_i = 8;
  dut.init_i = 1;
  dut.trial_i = 0;
  tick();
  EXPECT_EQ(dut.code_o, 0u);
  const double y[kLanes] = {1, 2, -3, 100};
  convert(8, y);
  const uint32_t held = dut.code_o;
  for (int i = 0; i < 5; ++i) {
    dut.cmp_i = static_cast<uint8_t>(i);
    tick();
    EXPECT_EQ(dut.code_o, held);
  }
}
