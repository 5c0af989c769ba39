// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

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
  /// Until what was signalled is counted.
  void arrive() {
    for (int n = 0; n < 3; ++n) step();
  }
  /// Holds one request; the engine that was granted, kRefused if none is for a while.
  int ask(unsigned engine, unsigned token, unsigned count) {
    for (int n = 0; n < 6; ++n) {
      wait(engine, token, count);
      const unsigned gnt = step();
      if (gnt != 0) return __builtin_ctz(gnt);
    }
    return kRefused;
  }
  static constexpr int kRefused = -1;
  Clocked<Vtile_tokens_test_dut> dut;
};

TEST_F(Tokens, GrantsOnlyWhatWasSignalled) {
  EXPECT_EQ(ask(1, 3, 2), kRefused);
  signal(2, 3, 1);
  arrive();
  EXPECT_EQ(ask(1, 3, 2), kRefused);
  receive(3);
  arrive();
  EXPECT_EQ(ask(1, 3, 2), 1);
  EXPECT_EQ(ask(1, 3, 1), kRefused);
}

// The rule of the header to the cycle: a request that is covered is granted one cycle after it was made, a blocked one
// in the fourth cycle after the signal.
TEST_F(Tokens, GrantComesOneCycleAfterItIsCovered) {
  signal(0, 3, 4);
  arrive();
  for (int round = 0; round < 2; ++round) {
    wait(2, 3, 2);
    EXPECT_EQ(step(), 0u);
    wait(2, 3, 2);
    EXPECT_EQ(step(), 0b0100u);
    step(), step();
  }
  wait(2, 3, 1);
  signal(1, 3, 1);
  EXPECT_EQ(step(), 0u);
  for (int n = 1; n < 4; ++n) {
    wait(2, 3, 1);
    EXPECT_EQ(step(), 0u) << n;
  }
  wait(2, 3, 1);
  EXPECT_EQ(step(), 0b0100u);
}

TEST_F(Tokens, LowestEngineWinsTheOthersRetry) {
  signal(0, 5, 6);
  arrive();
  std::vector<unsigned> order;
  for (unsigned left = 0b1110; left != 0;) {
    for (unsigned e = 1; e < kEngines; ++e) {
      if (left >> e & 1) wait(e, 5, 2);  // those not served yet
    }
    const unsigned gnt = step();
    if (gnt != 0) order.push_back(gnt);
    ASSERT_LT(dut.cycle(), 100u);
    left &= ~gnt;
  }
  EXPECT_EQ(order, (std::vector<unsigned>{0b0010, 0b0100, 0b1000}));
}

TEST_F(Tokens, EngineThatIsNotCoveredDoesNotBlockAHigherOne) {
  signal(0, 7, 1);
  arrive();
  wait(1, 7, 2);
  wait(3, 7, 1);
  EXPECT_EQ(step(), 0u);
  wait(1, 7, 2);
  wait(3, 7, 1);
  EXPECT_EQ(step(), 0b1000u);
}

// A stopping tile drops its waits: nothing is taken for a request that went before its grant.
TEST_F(Tokens, WithdrawnRequestTakesNothing) {
  signal(0, 7, 1);
  arrive();
  wait(1, 7, 1);
  EXPECT_EQ(step(), 0u);
  EXPECT_EQ(step(), 0u);
  EXPECT_EQ(ask(2, 7, 1), 2);
}

TEST_F(Tokens, SaturatesAndReportsOverflow) {
  signal(0, 9, 255);
  for (int n = 0; n < 5; ++n) {
    EXPECT_FALSE(dut->overflow_o);
    step();
  }
  receive(9);
  for (int n = 0; n < 3; ++n) {
    EXPECT_FALSE(dut->overflow_o);
    step();
  }
  EXPECT_TRUE(dut->overflow_o);
  step();
  EXPECT_FALSE(dut->overflow_o);
  EXPECT_EQ(ask(2, 9, 255), 2);
  EXPECT_EQ(ask(2, 9, 1), kRefused);
}

// One cycle's sum may be above what any field holds.
TEST_F(Tokens, AllSourcesAtOnceOverflow) {
  for (unsigned e = 0; e < kEngines; ++e) signal(e, 2, 255);
  receive(2);
  step(), step(), step();
  EXPECT_TRUE(dut->overflow_o);
  EXPECT_EQ(ask(3, 2, 255), 3);
  EXPECT_EQ(ask(3, 2, 1), kRefused);
}

TEST_F(Tokens, ClearTakesWhatWasThereAndKeepsWhatArrives) {
  for (unsigned t = 0; t < kTokens; ++t) {
    signal(0, t, 255);  // the last ones are still on their way
    step();
  }
  dut->clear_i = 1;
  receive(4);
  signal(2, 5, 255);
  for (int n = 0; n < 5; ++n) {
    step();
    EXPECT_FALSE(dut->overflow_o);
  }
  for (unsigned t = 0; t < kTokens; ++t) {
    EXPECT_EQ(ask(1, t, t == 5 ? 255 : 1), t == 4 || t == 5 ? 1 : kRefused) << t;
    EXPECT_EQ(ask(1, t, 1), kRefused) << t;
  }
}

TEST_F(Tokens, TellsWhatIsOnItsWay) {
  receive(3);
  step();
  EXPECT_TRUE(dut->busy_o);
  EXPECT_FALSE(dut->signals_o);
  step(), step();
  EXPECT_FALSE(dut->busy_o);
  signal(1, 3, 255);
  step();
  EXPECT_TRUE(dut->busy_o && dut->signals_o);
  step();
  EXPECT_TRUE(dut->busy_o && dut->signals_o);
  step();
  EXPECT_TRUE(dut->overflow_o && dut->signals_o);
  step();
  EXPECT_FALSE(dut->busy_o || dut->signals_o);
}

TEST_F(Tokens, FollowsTheModelUnderRandomTraffic) {
  const uint64_t seed = test_seed(3);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  using Counts = std::array<int, kTokens>;
  struct Request {
    bool valid = false;
    unsigned token = 0, count = 0;
  };
  Counts count{};
  std::array<Counts, 2> given{};  // signals on their way
  std::array<Request, kEngines> request;
  unsigned covered = 0;
  int taken_token = -1, taken = 0;
  unsigned grants = 0, overflows = 0;
  bool overflow = false;
  for (int cycle = 0; cycle < 50000; ++cycle) {
    const unsigned busy = 1 + rng() % 4;  // few tokens at times, so that engines collide
    Counts now{};
    for (unsigned e = 0; e < kEngines; ++e) {
      Request& r = request[e];
      if (!r.valid && rng() & 1) {
        r = {true, static_cast<unsigned>(rng() % (4 * busy)), static_cast<unsigned>(rng() % 8 ? rng() % 6 : rng() % 256)};
      } else if (rng() % 64 == 0) {
        r.valid = false;
      }
      if (r.valid) wait(e, r.token, r.count);
      if (rng() % 3 == 0) {
        const unsigned t = rng() % (4 * busy), n = rng() % 16 ? rng() % 4 : rng() % 256;
        signal(e, t, n);
        now[t] += static_cast<int>(n);
      }
    }
    if (rng() & 1) {
      const unsigned t = rng() % kTokens;
      receive(t);
      ++now[t];
    }
    // Who was covered first is granted; then who is covered now.
    int first = -1;
    for (unsigned e = kEngines; e-- > 0;) {
      if (covered >> e & 1) first = static_cast<int>(e);
    }
    const unsigned expected = first >= 0 && request[first].valid ? 1u << first : 0;
    unsigned next_covered = 0;
    for (unsigned e = 0; e < kEngines; ++e) {
      const Request& r = request[e];
      const bool busy_token = (first >= 0 && request[first].token == r.token) || taken_token == static_cast<int>(r.token);
      if (r.valid && !busy_token && count[r.token] >= static_cast<int>(r.count)) next_covered |= 1u << e;
    }
    dut.settle();
    ASSERT_EQ(dut->overflow_o, overflow) << "cycle " << cycle;
    ASSERT_EQ(step(), expected) << "cycle " << cycle;
    grants += expected != 0;
    overflows += overflow;
    overflow = false;
    for (unsigned t = 0; t < kTokens; ++t) {
      count[t] += given[1][t] - (taken_token == static_cast<int>(t) ? taken : 0);
      overflow |= count[t] > 255;
      count[t] = std::min(count[t], 255);
    }
    given = {now, given[0]};
    covered = next_covered;
    taken_token = expected ? static_cast<int>(request[first].token) : -1;
    taken = expected ? static_cast<int>(request[first].count) : 0;
    if (expected) request[first].valid = false;
  }
  EXPECT_GT(grants, 10000u);
  EXPECT_GT(overflows, 10u);
}

}  // namespace
