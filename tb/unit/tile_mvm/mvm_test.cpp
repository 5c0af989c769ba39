// SPDX-License-Identifier: Apache-2.0
// The whole MVM engine at the tiny geometry.
#include "Vmvm_test_dut.h"
#include "tb/unit/tile_mvm/mvm_bench.h"

using namespace ohmac::tb;
using Bench = MvmBench<Vmvm_test_dut, 32, 32, 8, 16384>;

TEST(Mvm, OneOperationMatchesTheModel) {
  Bench b(1);
  Cfg c;
  c.k = c.seg_len = c.group_rows = 32;
  c.mux_count = 4;
  c.range = 10;
  b.set_cfgs({c});
  for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 0});
  Item it;
  it.dst = 8192;
  b.push(it);
  ASSERT_TRUE(b.run(2000));
  b.check_end();
}

TEST(Mvm, RandomOperationsMatchTheModel) {
  const uint64_t seed = test_seed(1);
  for (uint64_t round = 0; round < 60; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    Bench b(seed + round);
    b.set_timing(1 + b.rng() % 6, 1 + b.rng() % 40);
    b.grant_percent = round % 3 ? 30 + b.rng() % 70 : 100;
    b.token_percent = round % 2 ? 20 : 100;
    b.item_percent = round % 5 ? 100 : 10;
    for (unsigned i = 0; i < Bench::kCols; ++i) {
      b.set_cal(i, {static_cast<uint16_t>(b.rng() % 3 ? 16384 - 500 + b.rng() % 1000 : b.rng()),
                    static_cast<int16_t>(b.rng())});
    }
    std::vector<Cfg> cfgs;
    for (unsigned i = 0; i < kCfgSlots; ++i)
      cfgs.push_back(random_cfg(b.rng, Bench::kRows, Bench::kLanes, Bench::kMux));
    b.set_cfgs(cfgs);
    for (int i = 0; i < 24; ++i) {
      Item it;
      it.token = b.rng() % 16;
      it.count = 1 + b.rng() % 255;
      const unsigned what = b.rng() % 4;
      it.kind = what == 0 ? Item::kWait : Item::kSignal;
      if (what >= 2) {
        const unsigned slot = b.rng() % kCfgSlots;
        it = random_op(b.rng, cfgs[slot], slot, Bench::kSram, Bench::kLanes);
      }
      b.push(it);
    }
    if (!b.run(400000)) break;
    b.check_end();
    if (HasFailure()) break;
  }
}

TEST(Mvm, FaultsOnSegmentsOutsideTheSramAndCompletes) {
  for (const int32_t src : {-20, 16384 - 10}) {
    Bench b(3);
    Cfg c;
    c.k = c.seg_len = c.group_rows = 32;
    c.range = 8;
    b.set_cfgs({c});
    for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 7});
    Item it;
    it.src = src;
    it.dst = 8192;
    b.push(it);
    ASSERT_TRUE(b.run(2000));
    EXPECT_TRUE(b.expect_fault);
    b.check_end();
  }
}

TEST(Mvm, DropsWaitsWhileStopping) {
  Bench b(4);
  Cfg c;
  c.k = c.seg_len = c.group_rows = 8;
  b.set_cfgs({c});
  for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 0});
  b.token_percent = 0;
  Item wait;
  wait.kind = Item::kWait;
  wait.count = 1;
  Item op;
  op.dst = 8192;
  Item sig;
  sig.kind = Item::kSignal;
  sig.count = 2;
  for (const Item& it : {wait, op, wait, sig}) b.push(it);
  for (int i = 0; i < 20; ++i) b.dut.tick();
  b.dut->drop_waits_i = 1;
  ASSERT_TRUE(b.run(2000));
  b.check_end();
}

TEST(Mvm, DrivesBackToBackWithTheRowsAtRestForOneCycle) {
  // One block of 4 bits (6 cycles) is shorter than a phase, so the phase time S + I + 1 and one cycle of rest set the
  // pace.
  Bench b(5);
  b.set_timing(3, 10);
  Cfg c;
  c.k = c.seg_len = 8;
  c.group_rows = 4;
  c.in_slice = 3;
  c.adc_bits = 4;
  b.set_cfgs({c});
  for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 0});
  Item it;
  it.dst = 8192;
  b.push(it);
  ASSERT_TRUE(b.run(2000));
  b.check_end();
  ASSERT_EQ(b.drive_cycles.size(), 14u);
  for (size_t i = 2; i < b.drive_cycles.size(); ++i) EXPECT_EQ(b.drive_cycles[i] - b.drive_cycles[i - 1], 15u);
}
