// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vrr_arb_test_dut.h"
#include "tb/common/clocked.h"

using ohmac::tb::Clocked;

TEST(RrArb, GrantsInTurnAndOnlyRequests) {
  constexpr unsigned kN = 5;
  const uint64_t seed = ohmac::tb::test_seed(2);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  Clocked<Vrr_arb_test_dut> dut;
  dut.reset();
  unsigned next = 0;  // the one to look at first
  for (int i = 0; i < 20000; ++i) {
    if (rng() % 64 == 0) {  // often: only the first grant after reset may go to any request
      dut.reset();
      next = 0;
    }
    dut->req_i = rng() % (1u << kN);
    dut->update_i = rng() & 1;
    dut.settle();
    unsigned expected = 0, winner = 0;
    for (unsigned k = 0; k < kN && !expected; ++k) {
      winner = (next + k) % kN;
      if (dut->req_i >> winner & 1) expected = 1u << winner;
    }
    ASSERT_EQ(dut->gnt_o, expected) << "cycle " << i;
    if (expected && dut->update_i) next = (winner + 1) % kN;
    dut.tick();
  }
}
