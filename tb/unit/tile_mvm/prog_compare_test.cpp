// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "Vprog_compare_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile_mvm/prog_model.h"

using namespace ohmac::tb;

namespace {
constexpr unsigned kClassNeg[] = {0, 0, 1, 1}, kClassSet[] = {1, 0, 1, 0};

class ProgCompare : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->start_i = dut->rd_gnt_i = dut->rd_rvalid_i = dut->psum_valid_i = 0;
    dut.reset();
  }
  /// One verify read: psums are offered with `psum_percent`, reads granted with `grant_percent` a cycle.
  void run(const std::vector<int8_t>& targets, const std::vector<int32_t>& psums, unsigned tolerance) {
    const unsigned groups = static_cast<unsigned>(psums.size() / 8), first_line = rng() % 0xff00;
    dut->groups_i = static_cast<uint8_t>(groups);
    dut->src_line_i = static_cast<uint16_t>(first_line);
    dut->tolerance_i = static_cast<uint16_t>(tolerance);
    dut->start_i = 1;
    dut.tick();
    dut->start_i = 0;
    std::vector<Compared> seen(psums.size(), Compared{true, true, true});
    unsigned given = 0, written = 0, reads = 0;
    uint64_t last_write = 0;
    const uint64_t begin = dut.cycle();
    for (bool done = false; !done;) {
      ASSERT_LT(dut.cycle(), begin + 10000) << "no end";
      for (unsigned c = 0; c < 8; ++c)
        dut->psum_i[c] = static_cast<uint32_t>(psums[std::min(given, groups - 1) * 8 + c]);
      dut.settle();
      dut->psum_valid_i = given < groups && !dut->hold_o && rng() % 100 < psum_percent;
      dut->rd_gnt_i = dut->rd_req_o && rng() % 100 < grant_percent;
      dut.settle();
      if (dut->state_we_o) {
        ASSERT_EQ(dut->state_group_o, written);
        for (unsigned c = 0; c < 8; ++c) {
          const unsigned s = dut->state_o >> (3 * c) & 7;
          seen[8 * written + c] = {(s & 4) != 0, (s & 2) != 0, (s & 1) != 0};
        }
        last_write = dut.cycle();
        ++written;
      }
      done = dut->done_o;
      if (done) {
        ASSERT_EQ(dut.cycle(), last_write + 1) << "counts are there one cycle after the last states";
        ASSERT_EQ(written, groups);
      }
      const bool read = dut->rd_gnt_i;
      const unsigned line = dut->rd_addr_o - first_line;
      given += dut->psum_valid_i;
      reads += read;
      const std::array<uint64_t, 1> counts{dut->counts_o};
      dut.tick();
      dut->rd_rvalid_i = read;
      for (unsigned b = 0; b < 32; ++b) {
        const unsigned i = 32 * line + b;
        const auto byte = static_cast<uint8_t>(read && i < targets.size() ? targets[i] : static_cast<int>(rng()));
        dut->rd_rdata_i[b / 4] = (dut->rd_rdata_i[b / 4] & ~(0xffu << (8 * (b % 4)))) | uint32_t{byte} << (8 * (b % 4));
      }
      if (done) {
        unsigned want[4] = {};
        for (unsigned i = 0; i < psums.size(); ++i) {
          const Compared w = compare(psums[i], targets[i], tolerance);
          EXPECT_EQ(seen[i].off, w.off) << psums[i] << " for " << int{targets[i]} << " +- " << tolerance;
          if (!w.off) continue;
          EXPECT_EQ(seen[i].neg, w.neg) << psums[i] << " for " << int{targets[i]};
          EXPECT_EQ(seen[i].set, w.set) << psums[i] << " for " << int{targets[i]};
          for (unsigned k = 0; k < 4; ++k) want[k] += w.neg == kClassNeg[k] && w.set == kClassSet[k];
        }
        for (unsigned k = 0; k < 4; ++k) EXPECT_EQ(counts[0] >> (10 * k) & 0x3ff, want[k]) << "class " << k;
      }
    }
    EXPECT_EQ(reads, (psums.size() + 31) / 32);
    EXPECT_FALSE(dut->rd_req_o);
    EXPECT_FALSE(dut->hold_o) << "psums of MVMs have no targets";
    cycles = dut.cycle() - begin;
  }
  std::mt19937_64 rng{1};
  unsigned grant_percent = 100, psum_percent = 100;
  uint64_t cycles = 0;
  Clocked<Vprog_compare_test_dut> dut;
};
}  // namespace

TEST_F(ProgCompare, TellsTheEdgesOfTheTolerance) {
  // e = -tolerance - 1 .. tolerance + 1 around every kind of target, and psums at both ends of int32
  for (const unsigned tolerance : {0u, 1u, 255u, 256u, 32768u, 65535u}) {
    for (const int target : {0, 1, -1, 127, -127, -128}) {
      const int t = static_cast<int>(tolerance), base = 256 * target;
      const std::vector<int32_t> psums = {base - t - 1, base - t,  base,      base + t,
                                          base + t + 1, INT32_MIN, INT32_MAX, base + 1};
      run(std::vector<int8_t>(8, static_cast<int8_t>(target)), psums, tolerance);
      std::vector<int32_t> far;
      for (unsigned bit = 15; bit < 31; ++bit) far.insert(far.end(), {1 << bit, -(1 << bit)});
      run(std::vector<int8_t>(far.size(), static_cast<int8_t>(target)), far, tolerance);
    }
  }
}

TEST_F(ProgCompare, TakesRandomRowsWithLateReadsAndPsums) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  for (unsigned round = 0; round < 300 && !HasFailure(); ++round) {
    grant_percent = round % 3 ? 10 + rng() % 90 : 100;
    psum_percent = round % 2 ? 10 + rng() % 90 : 100;
    const unsigned n = 8 * (1 + rng() % 64), tolerance = rng() % 65536 >> rng() % 16;
    std::vector<int8_t> targets;
    std::vector<int32_t> psums;
    for (unsigned i = 0; i < n; ++i) {
      targets.push_back(static_cast<int8_t>(rng() % 4 ? rng() : 0));
      const int e = static_cast<int>(rng() % (2 * tolerance + 9)) - static_cast<int>(tolerance) - 4;
      psums.push_back(rng() % 4 ? 256 * targets.back() + e : static_cast<int32_t>(rng()));
    }
    run(targets, psums, tolerance);
  }
}

TEST_F(ProgCompare, TakesAGroupACycle) {
  run(std::vector<int8_t>(256, 3), std::vector<int32_t>(256, 0), 10);
  // Request, data and FIFO come before the first of 32 groups, difference, state and counts after the last.
  EXPECT_EQ(cycles, 2u + 32u + 3u);
}
