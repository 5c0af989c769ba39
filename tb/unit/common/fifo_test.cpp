// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>

#include "Vfifo_test_dut.h"
#include "tb/common/clocked.h"

using ohmac::tb::Clocked;

class Fifo : public ::testing::Test {
 protected:
  static constexpr unsigned kDepth = 3;
  void SetUp() override { dut.reset(); }
  Clocked<Vfifo_test_dut> dut;
};

TEST_F(Fifo, IsEmptyAfterReset) {
  EXPECT_FALSE(dut->valid_o);
  EXPECT_TRUE(dut->ready_o);
}

TEST_F(Fifo, KeepsOrderUnderRandomStalls) {
  const uint64_t seed = ohmac::tb::test_seed(1);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  std::deque<uint16_t> model;
  for (int i = 0; i < 20000; ++i) {
    dut->valid_i = rng() & 1;
    dut->ready_i = rng() & 1;
    dut->data_i = static_cast<uint16_t>(rng());
    dut->clear_i = rng() % 97 == 0;
    dut.settle();
    ASSERT_EQ(dut->valid_o, !model.empty());
    ASSERT_EQ(dut->ready_o, model.size() < kDepth);
    ASSERT_EQ(dut->count_o, model.size());
    if (!model.empty()) {
      ASSERT_EQ(dut->data_o, model.front());
    }
    const bool push = dut->valid_i && dut->ready_o;
    const bool pop = dut->valid_o && dut->ready_i;
    if (pop) model.pop_front();
    if (push) model.push_back(dut->data_i);
    if (dut->clear_i) model.clear();
    dut.tick();
  }
}
