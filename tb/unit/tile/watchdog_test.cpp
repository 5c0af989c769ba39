// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vtile_watchdog_test_dut.h"
#include "tb/common/clocked.h"

using namespace ohmac::tb;

namespace {

class Watchdog : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->run_i = dut->event_i = 0;
    dut->limit_i = 0;
    dut.reset();
  }
  bool step(bool run, bool event) {
    dut->run_i = run;
    dut->event_i = event;
    dut.tick();
    return dut->bite_o;
  }
  Clocked<Vtile_watchdog_test_dut> dut;
};

TEST_F(Watchdog, BitesAfterExactlyItsCyclesWithoutAnEvent) {
  for (const unsigned limit : {1u, 2u, 5u}) {
    dut->limit_i = static_cast<uint16_t>(limit);
    step(true, true), step(true, true);
    for (unsigned n = 1; n <= 256 * limit; ++n) ASSERT_FALSE(step(true, false)) << limit << " after " << n;
    EXPECT_TRUE(step(true, true)) << "one event later is too late";
    EXPECT_FALSE(step(true, true));
  }
}

TEST_F(Watchdog, OneCycleLessIsNotEnough) {
  dut->limit_i = 1;
  for (int round = 0; round < 5; ++round) {
    for (int n = 0; n < 255; ++n) ASSERT_FALSE(step(true, false));
    ASSERT_FALSE(step(round % 2, round % 2));  // an event, or a cycle that does not run
  }
}

TEST_F(Watchdog, ZeroNeverBites) {
  for (int n = 0; n < 70000; ++n) ASSERT_FALSE(step(true, false));
  dut->limit_i = 0xFFFF;
  EXPECT_FALSE(step(true, false));
  dut->limit_i = 0x100;  // already passed
  dut.settle();
  EXPECT_TRUE(dut->bite_o);
}

TEST_F(Watchdog, CountDoesNotWrap) {
  dut->limit_i = 0xFFFF;
  for (int n = 0; n < (1 << 24) + 1000; ++n) step(true, false);
  EXPECT_TRUE(dut->bite_o);
}

}  // namespace
