// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "Vmesh_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/common/flit.h"

namespace ohmac::tb {
namespace {

/// Valid/ready endpoints at every port; the host is node kTiles.
class Mesh : public ::testing::Test {
 protected:
  static constexpr unsigned kX = 4, kY = 3, kTiles = kX * kY, kHost = kTiles;
  void SetUp() override { dut.reset(); }

  Flit flit(unsigned from, unsigned to, uint32_t serial) {
    Flit f;
    f.host = to == kHost;
    if (to != kHost) f.x = static_cast<uint8_t>(to % kX), f.y = static_cast<uint8_t>(to / kX);
    f.data = {serial, from, to, ~serial};
    f.addr = serial & 0xFFFFFF;
    f.strb = static_cast<uint16_t>(serial * 7);
    return f;
  }
  void tick(double p, double q) {
    std::uniform_real_distribution<> u(0, 1);
    for (unsigned t = 0; t <= kTiles; ++t) {
      if (!offered[t] && !in[t].empty() && u(rng) < p) offered[t] = true;
      const bool ready = u(rng) < q;
      if (t == kHost) {
        dut->host_i_valid = offered[t];
        if (offered[t]) pack(in[t].front(), dut->host_i_flit);
        dut->host_o_ready = ready;
      } else {
        dut->tile_i_valid = static_cast<uint16_t>((dut->tile_i_valid & ~(1u << t)) | (offered[t] ? 1u << t : 0u));
        if (offered[t]) pack_at(in[t].front(), dut->tile_i_flit, t);
        dut->tile_o_ready = static_cast<uint16_t>((dut->tile_o_ready & ~(1u << t)) | (ready ? 1u << t : 0u));
      }
    }
    dut.settle();
    bool waiting = inside > 0;
    for (const bool o : offered) waiting |= o;
    if (waiting) {
      EXPECT_TRUE(dut->busy_o) << "a flit is inside or offered, cycle " << dut.cycle();
    }
    idle = waiting ? 0 : idle + 1;
    if (idle > kCreditTrip) {
      EXPECT_FALSE(dut->busy_o) << "nothing was inside for " << idle << " cycles";
      rests = true;
    }
    for (unsigned t = 0; t <= kTiles; ++t) {
      const bool host = t == kHost;
      if (offered[t] && (host ? dut->host_i_ready : dut->tile_i_ready >> t & 1)) {
        in[t].pop_front();
        offered[t] = false;
        ++inside;
      }
      const bool valid = host ? dut->host_o_valid : dut->tile_o_valid >> t & 1;
      if (shown[t]) {
        EXPECT_TRUE(valid) << "valid fell before ready at " << t;
      }
      if (!valid) continue;
      const Flit f = host ? unpack(dut->host_o_flit) : unpack_at(dut->tile_o_flit, t);
      if (shown[t]) {
        EXPECT_TRUE(f == last[t]) << "payload moved while stalled at " << t;
      }
      last[t] = f;
      shown[t] = !(host ? dut->host_o_ready : dut->tile_o_ready >> t & 1);
      if (!shown[t]) {
        out[t].push_back({dut.cycle(), f});
        --inside;
      }
    }
    dut.tick();
  }

  Clocked<Vmesh_test_dut> dut;
  std::mt19937_64 rng{1};
  std::deque<Flit> in[kTiles + 1];
  std::deque<std::pair<uint64_t, Flit>> out[kTiles + 1];
  bool offered[kTiles + 1] = {}, shown[kTiles + 1] = {};
  Flit last[kTiles + 1];
  static constexpr unsigned kCreditTrip = 4;  // after the last flit a credit goes back
  unsigned inside = 0, idle = 0;
  bool rests = false;
};

TEST_F(Mesh, AllToAllKeepsOrderAndDrains) {
  const uint64_t seed = test_seed(5);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  std::map<std::pair<unsigned, unsigned>, std::deque<uint32_t>> expected;
  unsigned total = 0;
  for (unsigned from = 0; from <= kTiles; ++from) {
    for (unsigned i = 0; i < 2500; ++i) {
      unsigned to = rng() % (kTiles + 1);
      if (from == kHost && to == kHost) to = 0;
      in[from].push_back(flit(from, to, total));
      expected[{from, to}].push_back(total++);
    }
  }
  auto pending = [&] {
    size_t n = 0;
    for (auto& q : out) n += q.size();
    return total - n;
  };
  for (unsigned n = 0; n < 100000 && pending(); ++n) {
    const unsigned phase = n / 500 % 4;
    tick(phase & 1 ? 1.0 : 0.2, phase & 2 ? 1.0 : 0.2);
  }
  EXPECT_EQ(pending(), 0u);
  for (unsigned n = 0; n < 20; ++n) tick(1, 1);
  EXPECT_TRUE(rests);
  for (unsigned to = 0; to <= kTiles; ++to) {
    for (const auto& [cycle, f] : out[to]) {
      ASSERT_EQ(f.data[2], to);
      auto& queue = expected[{f.data[1], to}];
      ASSERT_FALSE(queue.empty());
      ASSERT_EQ(f.data[0], queue.front());
      ASSERT_TRUE(f == flit(f.data[1], to, queue.front()));
      queue.pop_front();
    }
  }
}

TEST_F(Mesh, EveryoneToTheHostWhileTheHostAnswersEveryone) {
  for (unsigned t = 0; t < kTiles; ++t) {
    for (unsigned i = 0; i < 200; ++i) {
      in[t].push_back(flit(t, kHost, i));
      in[kHost].push_back(flit(kHost, t, i));
    }
  }
  for (unsigned n = 0; n < 4000; ++n) tick(1, 1);
  EXPECT_EQ(out[kHost].size(), 200u * kTiles);
  for (unsigned t = 0; t < kTiles; ++t) EXPECT_EQ(out[t].size(), 200u);
}

// One flit at a time over every pair, held back at its end: busy from the offer to the last handshake.
TEST_F(Mesh, BusyWhileOneFlitIsInside) {
  for (unsigned from = 0; from <= kTiles; ++from) {
    for (unsigned to = 0; to <= kTiles; ++to) {
      if (from == kHost && to == kHost) continue;
      in[from].push_back(flit(from, to, from * 100 + to));
      for (unsigned n = 0; n < 20; ++n) tick(1, 0);
      EXPECT_EQ(inside, 1u);
      rests = false;
      for (unsigned n = 0; n < 8; ++n) tick(1, 1);
      EXPECT_EQ(inside, 0u);
      EXPECT_TRUE(rests) << from << " to " << to;
    }
  }
}

TEST_F(Mesh, HostStreamsAFlitACycle) {
  for (unsigned i = 0; i < 500; ++i) in[kHost].push_back(flit(kHost, kTiles - 1, i));
  for (unsigned n = 0; n < 600; ++n) tick(1, 1);
  auto& o = out[kTiles - 1];
  ASSERT_EQ(o.size(), 500u);
  EXPECT_EQ(o.back().first - o.front().first, 499u);
  // West link in, 5 links on the way to (3, 2), then the local output.
  EXPECT_EQ(o.front().first - 2, 1u + 5 + 1);
}

}  // namespace
}  // namespace ohmac::tb
