// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "Vtile_tokens_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/bits.h"

using namespace ohmac::tb;

namespace {

constexpr unsigned kEngines = 4, kTokens = 16;

class Tokens : public ::testing::Test {
 protected:
  void SetUp() override {
    dut.reset();
    quiet();
  }
  void quiet() {
    dut->wait_valid_i = 0;
    dut->sig_valid_i = 0;
    dut->rx_valid_i = 0;
    dut->clear_i = 0;
  }
  void wait(unsigned engine, unsigned token, unsigned count) {
    dut->wait_valid_i |= 1u << engine;
    set_bits(dut->wait_token_i, 4 * engine, 4, token);
    set_bits(dut->wait_count_i, 8 * engine, 8, count);
  }
  void signal(unsigned engine, unsigned token, unsigned count) {
    dut->sig_valid_i |= 1u << engine;
    set_bits(dut->sig_token_i, 4 * engine, 4, token);
    set_bits(dut->sig_count_i, 8 * engine, 8, count);
  }
  void receive(unsigned token) {
    dut->rx_valid_i = 1;
    dut->rx_token_i = token;
  }
  /// One cycle; returns the grants of it.
  unsigned step() {
    dut.settle();
    const unsigned gnt = dut->wait_gnt_o;
    dut.tick();
    quiet();
    return gnt;
  }
  Clocked<Vtile_tokens_test_dut> dut;
};

TEST_F(Tokens, GrantsOnlyWhatWasSignalled) {
  wait(1, 3, 2);
  EXPECT_EQ(step(), 0u);
  signal(2, 3, 1);
  wait(1, 3, 2);
  EXPECT_EQ(step(), 0u);
  receive(3);
  EXPECT_EQ(step(), 0u);
  wait(1, 3, 2);
  EXPECT_EQ(step(), 2u);
  wait(1, 3, 1);
  EXPECT_EQ(step(), 0u);
}

TEST_F(Tokens, LowestEngineWinsTheOthersRetry) {
  signal(0, 5, 6);
  step();
  for (const unsigned expected : {0b0010u, 0b0100u, 0b1000u}) {
    for (unsigned e = 1; e < kEngines; ++e) {
      if ((1u << e) >= expected) wait(e, 5, 2);  // those not served yet
    }
    EXPECT_EQ(step(), expected);
  }
}

TEST_F(Tokens, EngineThatIsNotCoveredDoesNotBlockAHigherOne) {
  signal(0, 7, 1);
  step();
  wait(1, 7, 2);
  wait(3, 7, 1);
  EXPECT_EQ(step(), 0b1000u);
}

TEST_F(Tokens, SaturatesAndReportsOverflow) {
  signal(0, 9, 255);
  dut.settle();
  EXPECT_FALSE(dut->overflow_o);
  step();
  receive(9);
  dut.settle();
  EXPECT_TRUE(dut->overflow_o);
  step();
  wait(2, 9, 255);
  EXPECT_EQ(step(), 0b0100u);
  wait(2, 9, 1);
  EXPECT_EQ(step(), 0u);
}

TEST_F(Tokens, ClearTakesWhatWasThereAndKeepsWhatArrives) {
  for (unsigned t = 0; t < kTokens; ++t) {
    signal(0, t, 255);
    step();
  }
  dut->clear_i = 1;
  receive(4);
  signal(2, 5, 255);
  dut.settle();
  EXPECT_FALSE(dut->overflow_o);
  step();
  for (unsigned t = 0; t < kTokens; ++t) {
    wait(1, t, t == 5 ? 255 : 1);
    EXPECT_EQ(step(), t == 4 || t == 5 ? 2u : 0u) << t;
    wait(1, t, 1);
    EXPECT_EQ(step(), 0u) << t;
  }
}

TEST_F(Tokens, FollowsTheModelUnderRandomTraffic) {
  const uint64_t seed = test_seed(3);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  std::array<int, kTokens> count{};
  for (int cycle = 0; cycle < 50000; ++cycle) {
    const unsigned busy = 1 + rng() % 4;  // few tokens at times, so that engines collide
    std::array<int, kTokens> next = count;
    unsigned expected = 0;
    std::array<bool, kTokens> taken{};
    for (unsigned e = 0; e < kEngines; ++e) {
      if (rng() & 1) {
        const unsigned t = rng() % (4 * busy), n = rng() % 8 ? rng() % 6 : rng() % 256;
        wait(e, t, n);
        if (!taken[t] && count[t] >= static_cast<int>(n)) {
          expected |= 1u << e;
          taken[t] = true;
          next[t] -= static_cast<int>(n);
        }
      }
      if (rng() % 3 == 0) {
        const unsigned t = rng() % (4 * busy), n = rng() % 16 ? rng() % 4 : rng() % 256;
        signal(e, t, n);
        next[t] += static_cast<int>(n);
      }
    }
    if (rng() & 1) {
      const unsigned t = rng() % kTokens;
      receive(t);
      ++next[t];
    }
    bool overflow = false;
    for (int& n : next) {
      overflow |= n > 255;
      n = std::min(n, 255);
    }
    dut.settle();
    ASSERT_EQ(dut->overflow_o, overflow) << "cycle " << cycle;
    ASSERT_EQ(step(), expected) << "cycle " << cycle;
    count = next;
  }
}

}  // namespace
