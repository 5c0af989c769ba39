// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vsense_ctrl_test_dut.h"
#include "tb/common/clocked.h"

using namespace ohmac::tb;

// Random phases: every start comes at the earliest cycle the rule allows, and every pin is where the specification puts
// it.
TEST(SenseCtrl, StartsAsEarlyAsTheRuleAllowsWithConstantPins) {
  const uint64_t seed = test_seed(1);
  for (uint64_t round = 0; round < 40; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    std::mt19937_64 rng(seed + round);
    Clocked<Vsense_ctrl_test_dut> dut;
    const uint64_t settle = 1 + rng() % (round % 4 ? 8 : 255), integ = 1 + rng() % (round % 4 ? 40 : 255);
    const uint64_t t_phase = settle + integ + 1;
    const unsigned valid_percent = round % 3 ? 100 : 5;
    dut->timing_i = static_cast<uint16_t>(settle << 8 | integ);
    dut->valid_i = 0;
    dut->conv_cycles_i = 1;
    dut.reset();
    uint64_t start = 0, conv_end = 0, drives = 0;
    bool active = false;
    for (uint64_t t = 0; t < 6000; ++t) {
      // `t` is the cycle on the pins; an accepted phase starts in t + 1.
      const uint64_t at = t - start;
      const bool driving = active && at < t_phase;
      ASSERT_EQ(dut->drive_o, driving);
      ASSERT_EQ(dut->int_rst_o, driving && at == 0);
      ASSERT_EQ(dut->integrate_o, driving && at >= settle && at < settle + integ);
      ASSERT_EQ(dut->sample_o, driving && at == settle + integ);
      if (driving) {
        ASSERT_EQ(dut->bank_o, (drives - 1) & 1);
      }
      const bool may = !driving && conv_end <= t + 1 + t_phase;
      ASSERT_EQ(dut->ready_o, may) << "cycle " << t;
      if (!dut->valid_i && rng() % 100 < valid_percent) {
        dut->valid_i = 1;
        dut->conv_cycles_i = 1 + rng() % (rng() % 2 ? 80 : 630);
      }
      dut.settle();
      ASSERT_EQ(dut->ready_o, may) << "ready depends on valid";
      if (dut->valid_i && may) {
        active = true;
        start = t + 1;
        conv_end = start + t_phase + dut->conv_cycles_i;
        ++drives;
        dut.tick();
        dut->valid_i = 0;
      } else {
        dut.tick();
      }
      dut.settle();
    }
    ASSERT_GT(drives, 3u);
  }
}
