// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vclk_gate_test_dut.h"
#include "tb/common/clocked.h"

using ohmac::tb::Clocked;

TEST(ClkGate, ResetReachesAFlopWhoseClockStands) {
  Clocked<Vclk_gate_test_dut> dut;
  EXPECT_EQ(dut->q_o, 1);  // in reset from construction on
  dut.reset();
  EXPECT_EQ(dut->q_o, 1);
}

TEST(ClkGate, PassesExactlyTheEnabledEdges) {
  const uint64_t seed = ohmac::tb::test_seed(3);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  Clocked<Vclk_gate_test_dut> dut;
  dut.reset();
  unsigned q = 1;
  for (int i = 0; i < 5000; ++i) {
    const unsigned en = rng() & 1;
    dut->en_i = en;
    dut.tick();
    q ^= en;
    ASSERT_EQ(dut->q_o, q) << "cycle " << i;
  }
}

TEST(ClkGate, EnableThatMovesWhileTheClockIsHighMakesNoEdge) {
  Clocked<Vclk_gate_test_dut> dut;
  dut.reset();
  for (const unsigned en : {0u, 1u}) {
    dut->en_i = en;
    dut->clk_i = 0;
    dut->eval();
    const unsigned q = dut->q_o ^ en;
    dut->clk_i = 1;
    dut->eval();
    ASSERT_EQ(dut->q_o, q);
    for (int i = 0; i < 4; ++i) {
      dut->en_i = !dut->en_i;
      dut->eval();
      ASSERT_EQ(dut->q_o, q) << "a glitch was an edge";
    }
    dut->en_i = 0;
    dut->clk_i = 0;
    dut->eval();
    ASSERT_EQ(dut->q_o, q);
  }
}
