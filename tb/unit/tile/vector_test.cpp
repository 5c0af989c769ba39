// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <limits>
#include <vector>

#include "Vtile_vector_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/bits.h"

using namespace ohmac::tb;

namespace {

constexpr unsigned kLines = 512;
enum Kind { kOp = 0, kWait = 1, kSignal = 2 };

struct Slot {
  unsigned len = 1;
  bool requant = false, relu = false;
  uint32_t mult = 0;
  unsigned shift = 0;
};
struct Item {
  Kind kind = kOp;
  unsigned token = 0, count = 0;
  unsigned a = 0, b = 0, dst = 0;  // bytes
  bool use_b = false;
  unsigned cfg = 0;
};

/// clamp(rne(x * mult / 2^shift), -127, 127), by exact division in 128 bits.
int8_t requantise(int32_t x, uint32_t mult, unsigned shift) {
  const __int128 p = static_cast<__int128>(x) * mult, d = static_cast<__int128>(1) << shift;
  __int128 q = p / d, r = p % d;
  if (r < 0) {
    r += d;
    --q;
  }
  if (2 * r > d || (2 * r == d && q % 2 != 0)) ++q;
  return static_cast<int8_t>(q > 127 ? 127 : q < -127 ? -127 : q);
}

class Vector : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->item_valid_i = 0;
    dut->wait_gnt_i = 0;
    dut->rda_gnt_i = dut->rdb_gnt_i = dut->rda_rvalid_i = dut->rdb_rvalid_i = 0;
    dut->wr_gnt_i = 0;
    dut->drop_waits_i = 0;
    dut.reset();
    ram.assign(kLines * 32, 0);
  }
  void slot(unsigned i, const Slot& s) {
    slots[i] = s;
    pack(dut->cfg_i, {{12, s.len}, {1, s.requant}, {1, s.relu}, {31, s.mult}, {6, s.shift}}, 51 * i);
  }
  static int32_t word(const std::vector<uint8_t>& m, unsigned a) {
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; ++i) v |= static_cast<uint32_t>(m[a + i]) << (8 * i);
    return static_cast<int32_t>(v);
  }
  void put(unsigned a, int32_t v) {
    for (unsigned i = 0; i < 4; ++i) ram[a + i] = static_cast<uint8_t>(static_cast<uint32_t>(v) >> (8 * i));
  }
  /// One operation on `m`, element by element in steps of 8; counts saturations.
  void execute(const Item& it, std::vector<uint8_t>& m) {
    const Slot& s = slots[it.cfg];
    for (unsigned step = 0; step < s.len; step += 8) {
      std::array<int64_t, 8> x{};
      for (unsigned e = step; e < std::min(step + 8, s.len); ++e) {
        int64_t v = word(m, it.a + 4 * e);
        if (it.use_b) v += word(m, it.b + 4 * e);
        const int64_t lo = std::numeric_limits<int32_t>::min(), hi = std::numeric_limits<int32_t>::max();
        if (v < lo || v > hi) ++sats;
        v = std::min(std::max(v, lo), hi);
        x[e - step] = s.relu ? std::max<int64_t>(v, 0) : v;
      }
      for (unsigned e = step; e < std::min(step + 8, s.len); ++e) {
        const int32_t v = static_cast<int32_t>(x[e - step]);
        if (s.requant) {
          m[it.dst + e] = static_cast<uint8_t>(requantise(v, s.mult, s.shift));
        } else {
          for (unsigned i = 0; i < 4; ++i)
            m[it.dst + 4 * e + i] = static_cast<uint8_t>(static_cast<uint32_t>(v) >> (8 * i));
        }
      }
      ++steps;
      reads += 1 + it.use_b;
    }
  }
  /// Runs the items, SRAM and tokens granting with probability grant/8. Signals are appended to `signalled`.
  void run(const std::vector<Item>& items, std::mt19937_64& rng, unsigned grant, unsigned max_cycles = 1000000) {
    std::deque<Item> queue(items.begin(), items.end());
    int line_a = -1, line_b = -1;
    unsigned quiet = 0;
    for (unsigned cycle = 0; cycle < max_cycles && quiet < 3; ++cycle) {
      dut->item_valid_i = !queue.empty() && (grant == 8 || rng() % 4 != 0);
      if (!queue.empty()) {
        const Item& it = queue.front();
        pack(dut->item_i, {{2, static_cast<uint64_t>(it.kind)},
                           {4, it.token},
                           {8, it.count},
                           {24, it.a},
                           {24, it.b},
                           {1, it.use_b},
                           {24, it.dst},
                           {3, it.cfg}});
      }
      const auto respond = [&](int line, auto& rvalid, auto& rdata) {
        rvalid = line >= 0;
        for (unsigned i = 0; i < 8; ++i) {
          rdata[i] = line >= 0 ? static_cast<uint32_t>(word(ram, static_cast<unsigned>(line) * 32 + 4 * i))
                               : static_cast<uint32_t>(rng());
        }
      };
      respond(line_a, dut->rda_rvalid_i, dut->rda_rdata_i);
      respond(line_b, dut->rdb_rvalid_i, dut->rdb_rdata_i);
      dut->rda_gnt_i = dut->rdb_gnt_i = dut->wr_gnt_i = dut->wait_gnt_i = 0;
      dut.settle();
      const auto granted = [&] { return rng() % 8 < grant; };
      dut->rda_gnt_i = dut->rda_req_o && granted();
      dut->rdb_gnt_i = dut->rdb_req_o && granted();
      dut->wr_gnt_i = dut->wr_req_o && granted();
      dut->wait_gnt_i = dut->wait_valid_o && granted();
      line_a = dut->rda_gnt_i ? dut->rda_addr_o : -1;
      line_b = dut->rdb_gnt_i ? dut->rdb_addr_o : -1;
      dut.settle();
      // The SRAM serves reads of this cycle before its write lands.
      const int read_a = line_a, read_b = line_b;
      std::array<uint8_t, 64> kept{};
      for (unsigned i = 0; i < 32; ++i) {
        if (read_a >= 0) kept[i] = ram[static_cast<unsigned>(read_a) * 32 + i];
        if (read_b >= 0) kept[32 + i] = ram[static_cast<unsigned>(read_b) * 32 + i];
      }
      if (dut->sig_valid_o) signalled.push_back({dut->sig_token_o, dut->sig_count_o, writes_granted});
      if (dut->wait_gnt_i) waited.push_back({dut->wait_token_o, dut->wait_count_o});
      counted_steps += dut->ev_step_o;
      counted_sats += dut->ev_sats_o;
      counted_reads += (dut->ev_rd_o & 1) + (dut->ev_rd_o >> 1);
      if (dut->wr_gnt_i) {
        ++writes_granted;
        ASSERT_LT(dut->wr_addr_o, kLines);
        // A read of the same line granted in this very cycle is a hazard that the unit must not produce.
        ASSERT_TRUE(in_place || (read_a != dut->wr_addr_o && read_b != dut->wr_addr_o));
        for (unsigned i = 0; i < 32; ++i) {
          if (dut->wr_strb_o >> i & 1)
            ram[dut->wr_addr_o * 32u + i] = static_cast<uint8_t>(get_bits(dut->wr_data_o, 8 * i, 8));
        }
      }
      if (dut->item_valid_i && dut->item_ready_o) queue.pop_front();
      quiet = queue.empty() && dut->idle_o && !dut->wr_req_o ? quiet + 1 : 0;
      dut.tick();
      cycles = cycle;
    }
    ASSERT_TRUE(queue.empty() && dut->idle_o) << "did not finish";
  }

  struct Sig {
    unsigned token, count, after_writes;
  };
  struct Wait {
    unsigned token, count;
  };
  Clocked<Vtile_vector_test_dut> dut;
  std::vector<uint8_t> ram;
  std::array<Slot, 8> slots;
  std::vector<Sig> signalled;
  std::vector<Wait> waited;
  unsigned steps = 0, sats = 0, reads = 0, counted_steps = 0, counted_sats = 0, counted_reads = 0, writes_granted = 0;
  unsigned cycles = 0;
  bool in_place = false;
};

TEST_F(Vector, RoundsHalfToEven) {
  // x * 1 / 2: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -0.5 -> 0, -1.5 -> -2, -2.5 -> -2, 126.5 -> 126, -126.5 -> -126
  const int32_t x[8] = {1, 3, 5, -1, -3, -5, 253, -253};
  const int8_t expected[8] = {0, 2, 2, 0, -2, -2, 126, -126};
  for (unsigned i = 0; i < 8; ++i) put(4 * i, x[i]);
  slot(0, {8, true, false, 1, 1});
  std::mt19937_64 rng(1);
  run({{kOp, 0, 0, 0, 0, 64, false, 0}}, rng, 8);
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(static_cast<int8_t>(ram[64 + i]), expected[i]) << x[i];
}

TEST_F(Vector, SaturatesAtTheExtremes) {
  const int32_t lo = std::numeric_limits<int32_t>::min(), hi = std::numeric_limits<int32_t>::max();
  const int32_t a[8] = {hi, lo, hi, lo, hi - 1, lo + 1, 0, -1}, b[8] = {1, -1, hi, lo, 1, -1, hi, lo};
  const int32_t sum[8] = {hi, lo, hi, lo, hi, lo, hi, lo};
  for (unsigned i = 0; i < 8; ++i) {
    put(4 * i, a[i]);
    put(32 + 4 * i, b[i]);
  }
  slot(1, {8, false, false, 0, 0});
  slot(2, {8, true, false, 0x7FFFFFFF, 0});   // the largest products
  slot(3, {8, true, false, 0x7FFFFFFF, 62});  // |x * mult| <= 2^62: -1, 0 or 1
  std::mt19937_64 rng(1);
  run({{kOp, 0, 0, 0, 32, 64, true, 1}, {kOp, 0, 0, 0, 0, 96, false, 2}, {kOp, 0, 0, 0, 0, 128, false, 3}}, rng, 8);
  EXPECT_EQ(counted_sats, 5u);  // hi+1, lo-1, hi+hi, lo+lo, -1+lo
  const int8_t big[8] = {127, -127, 127, -127, 127, -127, 0, -127}, small[8] = {1, -1, 1, -1, 1, -1, 0, 0};
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(word(ram, 64 + 4 * i), sum[i]);
    EXPECT_EQ(static_cast<int8_t>(ram[96 + i]), big[i]);
    EXPECT_EQ(static_cast<int8_t>(ram[128 + i]), small[i]);
  }
}

TEST_F(Vector, FollowsTheModelWithRandomStalls) {
  const uint64_t seed = test_seed(8);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (int round = 0; round < 120; ++round) {
    for (auto& byte : ram) byte = static_cast<uint8_t>(rng());
    for (unsigned w = 0; w < ram.size(); w += 4) {  // many small and some extreme values
      if (rng() % 2) put(w, static_cast<int32_t>(rng()) >> (rng() % 30));
      if (rng() % 16 == 0)
        put(w, rng() % 2 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min());
    }
    for (unsigned i = 0; i < 8; ++i) {
      slot(i, {1 + static_cast<unsigned>(rng() % (rng() % 8 ? 40 : 500)), rng() % 2 == 0, rng() % 3 == 0,
               static_cast<uint32_t>(rng() & 0x7FFFFFFF) >> (rng() % 28), static_cast<unsigned>(rng() % 63)});
    }
    std::vector<Item> items;
    std::vector<uint8_t> expected = ram;
    std::vector<Sig> signals;
    std::vector<Wait> waits;
    const unsigned window = rng() % 2 ? 40 : kLines;  // a small window makes operations depend on each other
    unsigned writes = writes_granted;
    for (unsigned n = 0; n < 12; ++n) {
      Item it;
      it.kind = rng() % 4 ? kOp : rng() % 2 ? kWait : kSignal;
      it.token = rng() % 16;
      it.count = 1 + rng() % 255;
      it.cfg = rng() % 8;
      const Slot& s = slots[it.cfg];
      const unsigned in_lines = (s.len + 7) / 8, out_lines = s.requant ? (s.len + 31) / 32 : in_lines;
      const auto place = [&](unsigned lines) {
        return 32 * static_cast<unsigned>(rng() % (std::max(window, lines + 1) - lines));
      };
      it.use_b = rng() % 2;
      it.a = place(in_lines);
      it.b = place(in_lines);
      // dst of one operation: apart from a and b, or the same place.
      const auto clash = [&](unsigned src) {
        return it.dst / 32 < src / 32 + in_lines && src / 32 < it.dst / 32 + out_lines;
      };
      for (int tries = 0; tries < 50; ++tries) {
        it.dst = rng() % 4 == 0 ? it.a : place(out_lines);
        if ((it.dst == it.a || !clash(it.a)) && (!it.use_b || it.dst == it.b || !clash(it.b))) break;
        it.dst = 32 * (kLines - out_lines);
        it.a = it.b = 0;
      }
      if (s.requant && it.dst != it.a && it.dst != it.b && rng() % 2 && it.dst / 32 + out_lines + 1 < kLines &&
          !clash(it.a) && !clash(it.b)) {
        const unsigned old = it.dst;
        it.dst += 16;  // int8 results may start in the middle of a line
        if (clash(it.a) || clash(it.b) ||
            ((it.dst + s.len + 31) / 32 > it.a / 32 && it.dst / 32 < it.a / 32 + in_lines) ||
            ((it.dst + s.len + 31) / 32 > it.b / 32 && it.dst / 32 < it.b / 32 + in_lines)) {
          it.dst = old;
        }
      }
      items.push_back(it);
      if (it.kind == kOp) {
        execute(it, expected);
        writes += in_lines;
      } else if (it.kind == kSignal) {
        signals.push_back({it.token, it.count, writes});
      } else {
        waits.push_back({it.token, it.count});
      }
    }
    in_place = true;
    signalled.clear();
    waited.clear();
    run(items, rng, 1 + static_cast<unsigned>(rng() % 8));
    if (HasFatalFailure()) return;
    ASSERT_EQ(ram, expected) << "round " << round;
    ASSERT_EQ(signalled.size(), signals.size());
    for (unsigned i = 0; i < signals.size(); ++i) {
      ASSERT_EQ(signalled[i].token, signals[i].token);
      ASSERT_EQ(signalled[i].count, signals[i].count);
      ASSERT_EQ(signalled[i].after_writes, signals[i].after_writes) << "a signal passed a write";
    }
    ASSERT_EQ(waited.size(), waits.size());
    for (unsigned i = 0; i < waits.size(); ++i) ASSERT_EQ(waited[i].token, waits[i].token);
    ASSERT_EQ(counted_steps, steps);
    ASSERT_EQ(counted_sats, sats);
    ASSERT_EQ(counted_reads, reads);
  }
  EXPECT_GT(sats, 100u);
}

TEST_F(Vector, OneStepACycleWhenGranted) {
  slot(0, {800, true, false, 1, 0});
  std::mt19937_64 rng(1);
  run({{kOp, 0, 0, 0, 4096, 8192, true, 0}}, rng, 8);
  EXPECT_EQ(counted_steps, 100u);
  EXPECT_LE(cycles, 100u + 14u);
}

TEST_F(Vector, DropsWaitsWhenTheTileStops) {
  slot(0, {8, false, false, 0, 0});
  dut->drop_waits_i = 1;
  std::mt19937_64 rng(1);
  put(0, 77);
  run({{kWait, 1, 1, 0, 0, 0, false, 0}, {kOp, 0, 0, 0, 0, 64, false, 0}, {kWait, 2, 1, 0, 0, 0, false, 0}}, rng,
      0 + 8);
  EXPECT_EQ(word(ram, 64), 77);
}

}  // namespace
