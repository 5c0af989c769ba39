// SPDX-License-Identifier: Apache-2.0
// Programming at the reference geometry: results, and what an iteration costs.
#include "Vprog_rate_test_dut.h"
#include "tb/unit/tile_mvm/prog_random.h"

using namespace ohmac::tb;
using Bench = MvmBench<Vprog_rate_test_dut, 256, 256, 32, 65536>;

TEST(ProgRate, RandomProgramsBetweenMvmsMatchTheModel) {
  const uint64_t seed = test_seed(1);
  for (uint64_t round = 0; round < 12; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    Bench b(seed + round);
    random_programs(b, 10, 5, 400000);
    if (HasFailure()) break;
  }
}

TEST(ProgRate, FreshRowsConverge) {
  Bench b(2);
  converge(b, {0, 101, 255});
  RecordProperty("iterations_3_rows", static_cast<int>(b.events.prog_read));
}

TEST(ProgRate, AnIterationCostsItsReadAndItsPulses) {
  // Every column is off every time. 128 columns of each sign: two classes, or all four from random devices.
  for (const unsigned classes : {2u, 4u}) {
    Bench b(3);
    exact_reads(b);
    for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {1 << 14, 1});
    ProgCfg p;
    p.tolerance = 0;
    p.limit = 10;
    p.pulse = 25;
    p.amp_first = 0;
    b.set_prog(p);
    for (unsigned c = 0; c < Bench::kCols; ++c) {
      const int target = (c % 2 ? -1 : 1) * (classes == 4 && c % 4 < 2 ? 1 : 120);
      b.sram[c] = static_cast<uint8_t>(target);
      b.devices.plus[256 * 9 + c] = target > 0 ? 60 : 0;
      b.devices.minus[256 * 9 + c] = target > 0 ? 0 : 60;
    }
    Item it;
    it.prog = true;
    it.dst = 32768;
    it.wrap_base = 65536 - 32;
    it.wrap_len = 9;
    b.push(it);
    ASSERT_TRUE(b.run(10000));
    b.check_end();
    ASSERT_EQ(b.drive_cycles.size(), 10u);
    // S + I + 1 cycles of drive, 80 of conversions, 41 until the last of 32 groups of psums is compared; each class has
    // 8 mask words, one cycle until they are out, and its pulse; 4 to load the row latches.
    for (unsigned i = 1; i < 10; ++i)
      EXPECT_EQ(b.drive_cycles[i] - b.drive_cycles[i - 1], 37u + 80 + 41 + classes * (8 + 1 + 25) + 4) << i;
    RecordProperty("cycles_iteration_" + std::to_string(classes) + "_classes",
                   static_cast<int>(b.drive_cycles[1] - b.drive_cycles[0]));
  }
}
