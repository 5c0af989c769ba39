// SPDX-License-Identifier: Apache-2.0
// Programming where nothing is a power of two: 504 columns in 21 blocks of 24, so windows begin inside mask words, the
// last mask word and the last target line are in part, and there are one or two fail lines.
#include "Vprog_wide_test_dut.h"
#include "tb/unit/tile_mvm/prog_random.h"

using namespace ohmac::tb;
using Bench = MvmBench<Vprog_wide_test_dut, 32, 504, 24, 16384>;

TEST(ProgWide, RandomProgramsBetweenMvmsMatchTheModel) {
  const uint64_t seed = test_seed(1);
  for (uint64_t round = 0; round < 20; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    Bench b(seed + round);
    random_programs(b, 10, 4, 400000);
    if (HasFailure()) break;
  }
}

TEST(ProgWide, FreshRowsConverge) {
  Bench b(2);
  converge(b, {7});  // one row: the targets of the next would not be aligned
}
