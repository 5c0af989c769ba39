// SPDX-License-Identifier: Apache-2.0
// Programming and repair in the MVM engine at the tiny geometry (6 spares): 4 blocks of 8 columns, one mask word.
#include "Vprog_test_dut.h"
#include "tb/unit/tile_mvm/prog_random.h"

using namespace ohmac::tb;
using Bench = MvmBench<Vprog_test_dut, 32, 32, 8, 16384>;

namespace {
Item prog_item(unsigned row) {
  Item it;
  it.prog = true;
  it.src = 64;
  it.dst = 8192;
  it.wrap_base = 12288;
  it.wrap_len = static_cast<int32_t>(row);
  return it;
}
void set_targets(Bench& b, const std::vector<int>& t) {
  for (unsigned i = 0; i < t.size(); ++i) b.sram[64 + i] = static_cast<uint8_t>(t[i]);
}
int32_t psum(const Bench& b, unsigned n) {
  uint32_t x = 0;
  for (unsigned i = 4; i-- > 0;) x = x << 8 | b.sram[8192 + 4 * n + i];
  return static_cast<int32_t>(x);
}
}  // namespace

TEST(Prog, PulsesTheFourClassesOfARowAsCalculatedByHand) {
  // A read of weight w gives psum 256 w exactly (x 64, step 64, gain 1), and a pulse this short moves a device by one.
  Bench b(1);
  Cfg c;
  c.k = c.seg_len = c.group_rows = 4;
  c.range = 6;
  c.mux_first = 1;
  b.set_cfgs({c});
  for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 0});
  ProgCfg p;
  p.tolerance = 255;
  p.limit = 3;
  p.amp_first = 1;
  p.amp_last = 3;
  p.amp_every = 1;
  p.pulse = 1;
  p.verify_x = 64;
  b.set_prog(p);
  const unsigned row = 6, first = row * Bench::kCols + 8;
  for (unsigned i = 0; i < 8; ++i) b.devices.plus[first + i] = b.devices.minus[first + i] = 0;
  b.devices.plus[first] = 3;       // target 0, too large
  b.devices.minus[first + 7] = 9;  // target -5, too large
  set_targets(b, {0, 1, -1, 127, -127, -128, 5, -5});
  b.push(prog_item(row));
  ASSERT_TRUE(b.run(2000));
  b.check_end();
  const std::vector<std::array<unsigned, 4>> want = {
      // mask, neg, set, amp
      {0x4a00, 0, 1, 1}, {0x0100, 0, 0, 1}, {0x3400, 1, 1, 1}, {0x8000, 1, 0, 1},  // 1, 127, 5; 0; -1, -127, -128; -5
      {0x4800, 0, 1, 2}, {0x0100, 0, 0, 2}, {0x3000, 1, 1, 2}, {0x8000, 1, 0, 2},  // 1 and -1 are there
  };
  ASSERT_EQ(b.steps_seen.size(), 2 * want.size());
  for (unsigned i = 0; i < want.size(); ++i) {
    EXPECT_EQ(b.steps_seen[2 * i].mask, want[i][0]) << i;
    const ProgStep& pulse = b.steps_seen[2 * i + 1];
    EXPECT_EQ((std::array<unsigned, 4>{want[i][0], pulse.neg, pulse.set, pulse.amp}), want[i]) << i;
    EXPECT_EQ(pulse.row, row);
    EXPECT_EQ(pulse.cycles, 1u);
  }
  const std::vector<int> psums = {256, 256, -256, 512, -512, -512, 512, -7 * 256};
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(psum(b, i), psums[i]) << i;
  EXPECT_EQ(b.sram[12288], 0xf9);  // all but 1 and -1
  for (unsigned i = 1; i < 32; ++i) EXPECT_EQ(b.sram[12288 + i], 0);
  EXPECT_EQ(b.events.prog_read, 3u);
  EXPECT_EQ(b.events.pulses, 3u + 1 + 3 + 1 + 2 + 1 + 2 + 1);
  EXPECT_EQ(b.events.prog_fails, 6u);
  EXPECT_EQ(b.events.sram_rd, 3u);
  EXPECT_EQ(b.events.sram_wr, 3u + 1);
  EXPECT_EQ(b.events.mvm_op, 0u);
}

TEST(Prog, FreshRowsConverge) {
  Bench b(2);
  converge(b, {0, 1, 2, 3, 30, 31});
}

TEST(Prog, EndsAtOnceWhenEveryColumnIsWithinTheTolerance) {
  Bench b(3);
  exact_reads(b);
  ProgCfg p;
  p.tolerance = 65535;
  b.set_prog(p);
  set_targets(b, std::vector<int>(32, 0));
  b.push(prog_item(9));
  ASSERT_TRUE(b.run(1000));
  b.check_end();
  EXPECT_EQ(b.events.prog_read, 1u);
  EXPECT_EQ(b.events.pulses, 0u);
  EXPECT_TRUE(b.steps_seen.empty());
}

TEST(Prog, StopsAtTheLimitAndReportsEveryColumn) {
  // The offset keeps each psum 1/256 step away from every target, and nothing else is tolerated.
  for (const unsigned limit : {1u, 2u, 255u}) {
    Bench b(4);
    exact_reads(b);
    for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 1});
    ProgCfg p;
    p.tolerance = 0;
    p.limit = limit;
    p.amp_every = 20;
    p.amp_last = 15;
    b.set_prog(p);
    std::vector<int> targets(32);
    for (int i = 0; i < 32; ++i) targets[i] = (const int[]){0, 127, -127, -128}[i % 4];
    set_targets(b, targets);
    b.push(prog_item(17));
    ASSERT_TRUE(b.run(1000 * limit));
    b.check_end();
    EXPECT_EQ(b.events.prog_read, limit);
    EXPECT_EQ(b.events.pulses, 32u * (limit - 1));
    EXPECT_EQ(b.events.prog_fails, 32u);
    for (unsigned i = 0; i < 32; ++i) EXPECT_EQ(b.sram[12288 + i], i < 4 ? 0xff : 0);
  }
}

TEST(Prog, RandomProgramsBetweenMvmsMatchTheModel) {
  const uint64_t seed = test_seed(1);
  for (uint64_t round = 0; round < 60; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    Bench b(seed + round);
    random_programs(b, 16, 8, 400000);
    if (HasFailure()) break;
  }
}

TEST(Prog, LateGrantsChangeNothing) {
  std::vector<uint8_t> sram[2];
  std::vector<ProgStep> steps[2];
  for (unsigned i = 0; i < 2; ++i) {
    Bench b(5);
    exact_reads(b);
    b.push(prog_item(3));
    b.grant_percent = i ? 5 : 100;
    ASSERT_TRUE(b.run(200000));
    b.check_end();
    sram[i] = b.sram;
    steps[i] = b.steps_seen;
  }
  EXPECT_EQ(sram[0], sram[1]);
  EXPECT_GT(steps[0].size(), 20u);
  EXPECT_EQ(steps[0], steps[1]);
}

TEST(Prog, AStoppingTileEndsItAfterTheRunningIteration) {
  for (const bool in_pulses : {false, true}) {
    SCOPED_TRACE(in_pulses);
    Bench b(6);
    exact_reads(b);
    b.stop_at = 2;
    b.stop_in_pulses = in_pulses;
    b.push(prog_item(5));
    b.stop_at = 0;  // what is queued still runs, with one verify read
    b.stop_in_pulses = false;
    b.push(prog_item(8));
    for (int i = 0; i < 5000 && !(b.drives_seen() == 3 && b.pulsing() == in_pulses); ++i) b.cycle();
    ASSERT_EQ(b.drives_seen(), 3u);
    b.dut->drop_waits_i = 1;
    ASSERT_TRUE(b.run(5000));
    b.check_end();
    EXPECT_EQ(b.events.prog_read, 4u);
    EXPECT_GT(b.events.prog_fails, 2u);
  }
}

TEST(Prog, WorksAfterAResetAtAnyTime) {
  const uint64_t seed = test_seed(1);
  for (uint64_t round = 0; round < 40; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    Bench b(seed + round);
    exact_reads(b);
    b.grant_percent = 70;
    b.push(prog_item(12));
    const unsigned cycles = b.rng() % 700;
    for (unsigned i = 0; i < cycles; ++i) b.cycle();
    b.reset();
    EXPECT_TRUE(b.dut->idle_o);
    EXPECT_FALSE(b.dut->prog_busy_o);
    Item mvm;
    mvm.dst = 9000 / 32 * 32;
    b.push(mvm);
    b.push(prog_item(12));
    b.push(mvm);
    ASSERT_TRUE(b.run(100000));
    b.check_end();
    if (HasFailure()) break;
  }
}

TEST(Prog, PassesRepairWordsOnBeforeAndBetweenOperations) {
  Bench b(7);
  exact_reads(b);
  for (unsigned lane = 0; lane < 6; ++lane)
    b.repair(lane, static_cast<uint32_t>(b.rng()));  // one a cycle, as from one flit
  for (unsigned i = 0; i < 3; ++i) {
    Item it = i == 1 ? prog_item(4) : Item{};
    it.dst = 9216;
    b.push(it);
    b.repair(5 - i, 1u << 8 | i);  // in the cycle in which the item is taken
    ASSERT_TRUE(b.run(50000));
    b.repair(i, 0);
    b.cycle();
  }
  b.check_end();
  EXPECT_EQ(b.repairs, 12u);
}
