// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "Vrouter_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/common/flit.h"

namespace ohmac::tb {
namespace {

enum Port : unsigned { kLocal, kNorth, kEast, kSouth, kWest, kPorts };

/// Neighbours that keep the credit rules: they send only with a credit and give places back when they please.
class Router : public ::testing::Test {
 protected:
  static constexpr unsigned kDepth = 4;

  void SetUp() override { place(2, 3); }
  void place(unsigned x, unsigned y) {
    dut->x_i = x_ = x;
    dut->y_i = y_ = y;
    dut.reset();
    for (unsigned l = 0; l < 4; ++l) credits[l] = kDepth, held[l] = 0;
    for (unsigned p = 0; p < kPorts; ++p) in[p].clear(), out[p].clear();
    inside = 0;
  }

  /// XY routing from the page: x first, then y, then Local, or West for the host.
  unsigned route(const Flit& f) const {
    const unsigned x = f.host ? 0 : f.x, y = f.host ? 0 : f.y;
    if (x != x_) return x > x_ ? kEast : kWest;
    if (y != y_) return y > y_ ? kSouth : kNorth;
    return f.host ? kWest : kLocal;
  }

  void tick() {
    dut.settle();
    const bool moves = dut->local_i_valid || dut->link_i_valid || dut->link_o_credit || dut->link_i_credit;
    EXPECT_EQ(dut->active_o, moves || inside) << "flits inside: " << inside;
    inside += (dut->local_i_valid && dut->local_i_ready) - (dut->local_o_valid && dut->local_o_ready);
    for (unsigned l = 0; l < 4; ++l) {
      inside += (dut->link_i_valid >> l & 1) - (dut->link_o_valid >> l & 1);
      if (dut->link_o_valid >> l & 1) {
        ++held[l];
        EXPECT_LE(held[l], kDepth) << "sent without a place";
        out[l + 1].push_back(unpack_at(dut->link_o_flit, l));
      }
      if (dut->link_i_credit >> l & 1) ++credits[l];
      EXPECT_LE(credits[l], kDepth);
    }
    if (dut->local_o_valid && dut->local_o_ready) out[kLocal].push_back(unpack(dut->local_o_flit));
    if (dut->local_i_valid && dut->local_i_ready) in[kLocal].pop_front();
    const uint8_t sent = dut->link_i_valid;
    for (unsigned l = 0; l < 4; ++l) {
      if (sent >> l & 1) in[l + 1].pop_front();
    }
    if (dut->local_o_valid && !dut->local_o_ready) {
      const Flit held_flit = unpack(dut->local_o_flit);
      dut.tick();
      EXPECT_TRUE(dut->local_o_valid);
      EXPECT_TRUE(held_flit == unpack(dut->local_o_flit));
    } else {
      dut.tick();
    }
    dut->link_i_valid = 0;
    dut->link_o_credit = 0;
  }
  /// Offers what is queued; each with probability p. Sinks take with probability q.
  void drive(std::mt19937_64& rng, double p, double q) {
    std::uniform_real_distribution<> u(0, 1);
    for (unsigned l = 0; l < 4; ++l) {
      if (!in[l + 1].empty() && credits[l] && u(rng) < p) {
        pack_at(in[l + 1].front(), dut->link_i_flit, l);
        dut->link_i_valid |= static_cast<uint8_t>(1u << l);
        --credits[l];
      }
      if (held[l] && u(rng) < q) {
        --held[l];
        dut->link_o_credit |= static_cast<uint8_t>(1u << l);
      }
    }
    if (!dut->local_i_valid) dut->local_i_valid = !in[kLocal].empty() && u(rng) < p;
    if (in[kLocal].empty()) dut->local_i_valid = 0;
    if (dut->local_i_valid) pack(in[kLocal].front(), dut->local_i_flit);
    dut->local_o_ready = u(rng) < q;
  }

  Clocked<Vrouter_test_dut> dut;
  unsigned x_ = 0, y_ = 0, credits[4] = {}, held[4] = {}, inside = 0;
  std::deque<Flit> in[kPorts], out[kPorts];
};

TEST_F(Router, RoutesXFirstAndTheHostWest) {
  std::mt19937_64 rng(1);
  for (auto [px, py] : {std::pair<unsigned, unsigned>{2, 3}, {0, 0}, {7, 7}}) {
    place(px, py);
    for (unsigned x = 0; x < 8; ++x) {
      for (unsigned y = 0; y < 8; ++y) {
        for (bool host : {false, true}) {
          Flit f;
          f.x = static_cast<uint8_t>(x), f.y = static_cast<uint8_t>(y), f.host = host;
          f.data[0] = x * 8 + y;
          in[kLocal].push_back(f);
          for (int i = 0; i < 8; ++i) drive(rng, 1, 1), tick();
          const unsigned to = route(f);
          ASSERT_EQ(out[to].size(), 1u) << x << "," << y << " host " << host;
          EXPECT_TRUE(out[to].front() == f);
          out[to].clear();
        }
      }
    }
  }
}

TEST_F(Router, OneCycleAHopAndFullRate) {
  std::mt19937_64 rng(2);
  Flit f;
  f.x = 7, f.y = 3;
  for (unsigned i = 0; i < 100; ++i) f.data[0] = i, in[kWest].push_back(f);
  drive(rng, 1, 1);
  tick();
  EXPECT_TRUE(out[kEast].empty());
  drive(rng, 1, 1);
  dut.settle();
  EXPECT_TRUE(dut->link_o_valid >> (kEast - 1) & 1) << "it leaves in the cycle after it came";
  for (int i = 0; i < 100; ++i) tick(), drive(rng, 1, 1);
  EXPECT_EQ(out[kEast].size(), 100u);
}

TEST_F(Router, SharesAnOutputFairly) {
  std::mt19937_64 rng(3);
  for (unsigned i = 0; i < 300; ++i) {
    for (unsigned p : {kLocal, kNorth, kSouth, kWest}) {
      Flit f;
      f.x = 7, f.y = 3;
      f.data[0] = p;
      in[p].push_back(f);
    }
  }
  for (int i = 0; i < 410; ++i) drive(rng, 1, 1), tick();
  std::map<unsigned, unsigned> share;
  for (unsigned i = 0; i < 400; ++i) ++share[out[kEast][i].data[0]];
  for (unsigned p : {kLocal, kNorth, kSouth, kWest}) EXPECT_NEAR(share[p], 100, 4) << p;
}

TEST_F(Router, LosesNothingAndKeepsOrderUnderRandomStalls) {
  const uint64_t seed = test_seed(4);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  const auto word = [&] { return static_cast<uint32_t>(rng()); };
  for (auto [px, py] : {std::pair<unsigned, unsigned>{2, 3}, {4, 4}, {0, 0}, {7, 1}, {3, 7}, {5, 2}}) {
    SCOPED_TRACE(::testing::Message() << "at " << px << ", " << py);
    place(px, py);
    std::deque<Flit> expected[kPorts][kPorts];  // [from][to]
    unsigned waiting = 0;
    for (unsigned p = 0; p < kPorts; ++p) {
      for (unsigned i = 0; i < 600; ++i) {
        Flit f;
        f.host = rng() % 8 == 0;
        f.x = static_cast<uint8_t>(rng() & 1 ? px : rng() % 8), f.y = static_cast<uint8_t>(rng() & 1 ? py : rng() % 8);
        f.kind = static_cast<FlitKind>(rng() % 3);
        f.token_en = rng() & 1, f.token = rng() % 16;
        f.addr = word() & 0xFFFFFF, f.strb = static_cast<uint16_t>(word());
        f.data = {word(), word(), word(), word()};
        if (route(f) == p && p != kLocal) continue;  // no U-turn in a mesh
        in[p].push_back(f);
        expected[p][route(f)].push_back(f);
        ++waiting;
      }
    }
    for (unsigned n = 0; n < 20000 && waiting; ++n) {
      const unsigned phase = n / 400 % 4;
      drive(rng, phase & 1 ? 0.9 : 0.3, phase & 2 ? 0.9 : 0.3);
      tick();
      for (unsigned o = 0; o < kPorts; ++o) {
        for (; !out[o].empty(); out[o].pop_front(), --waiting) {
          unsigned from = 0;  // the data are random: a flit is like one of the oldest from each side, or wrong
          while (from < kPorts && (expected[from][o].empty() || !(expected[from][o].front() == out[o].front()))) ++from;
          ASSERT_LT(from, kPorts) << "lost, changed or out of order, to " << o;
          expected[from][o].pop_front();
        }
      }
    }
    EXPECT_EQ(waiting, 0u);
    for (unsigned n = 0; n < 20; ++n) drive(rng, 1, 1), tick();
    EXPECT_FALSE(dut->active_o);
  }
}

}  // namespace
}  // namespace ohmac::tb
