// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>

#include "Vqueue_test_dut.h"
#include "tb/common/clocked.h"

using ohmac::tb::Clocked;

class Queue : public ::testing::Test {
 protected:
  static constexpr unsigned kDepth = 3;
  void SetUp() override { dut.reset(); }
  Clocked<Vqueue_test_dut> dut;
};

TEST_F(Queue, ShowsAWordTwoCyclesAfterItWasPushed) {
  EXPECT_TRUE(dut->ready_o);
  dut->valid_i = 1, dut->data_i = 0x1234;
  dut.tick();
  dut->valid_i = 0;
  dut.settle();
  EXPECT_FALSE(dut->valid_o);
  EXPECT_EQ(dut->count_o, 1u);
  dut.tick();
  EXPECT_TRUE(dut->valid_o);
  EXPECT_EQ(dut->data_o, 0x1234u);
  EXPECT_EQ(dut->count_o, 1u);
}

TEST_F(Queue, TakesAndGivesOneWordACycle) {
  dut->valid_i = dut->ready_i = 1;
  for (unsigned i = 0; i < 100; ++i) {
    dut->data_i = static_cast<uint16_t>(i);
    dut.settle();
    ASSERT_TRUE(dut->ready_o) << i;
    ASSERT_EQ(dut->valid_o, i >= 2);
    if (i >= 2) {
      ASSERT_EQ(dut->data_o, i - 2);
    }
    dut.tick();
  }
}

TEST_F(Queue, KeepsOrderUnderRandomStalls) {
  const uint64_t seed = ohmac::tb::test_seed(1);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  std::deque<uint16_t> model;
  bool head = false;  // the first word has reached the register
  unsigned full = 0;
  for (int i = 0; i < 20000; ++i) {
    dut->valid_i = rng() % 3 != 0;
    dut->ready_i = rng() & 1;
    dut->data_i = static_cast<uint16_t>(rng());
    dut.settle();
    ASSERT_EQ(dut->count_o, model.size());
    ASSERT_EQ(dut->valid_o, head);
    ASSERT_EQ(dut->ready_o, model.size() - head < kDepth - 1);
    if (head) {
      ASSERT_EQ(dut->data_o, model.front());
    }
    full += model.size() == kDepth;
    const bool push = dut->valid_i && dut->ready_o, pop = dut->valid_o && dut->ready_i;
    if (pop) model.pop_front();
    if (pop || !head) head = !model.empty();
    if (push) model.push_back(dut->data_i);
    dut.tick();
  }
  EXPECT_GT(full, 1000u);
}
