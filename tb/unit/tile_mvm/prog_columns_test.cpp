// SPDX-License-Identifier: Apache-2.0
// 72 columns: 9 groups of 8, the last of 3 mask words is in part.
#include <gtest/gtest.h>

#include "Vprog_columns_test_dut.h"
#include "tb/common/clocked.h"

TEST(ProgColumns, GivesMaskWordsByClassAndBitsByGroup) {
  constexpr unsigned kGroups = 9;
  const uint64_t seed = ohmac::tb::test_seed(1);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  VerilatedContext context;
  Vprog_columns_test_dut dut(&context);
  auto tick = [&dut] {
    dut.clk_i = 0, dut.eval();
    dut.clk_i = 1, dut.eval();
  };
  for (unsigned round = 0; round < 500; ++round) {
    const unsigned first = rng() % kGroups, end = first + 1 + rng() % (kGroups - first);
    unsigned state[8 * kGroups] = {};  // 0 where nothing was looked at
    dut.first_i = static_cast<uint8_t>(first);
    dut.end_i = static_cast<uint8_t>(end);
    dut.re_i = 0;
    dut.we_i = 1;
    for (unsigned g = first; g < end; ++g) {
      dut.group_i = static_cast<uint8_t>(g);
      dut.state_i = rng() & 0xffffff;
      for (unsigned c = 0; c < 8; ++c) state[8 * g + c] = dut.state_i >> (3 * c) & 7;
      tick();
    }
    dut.we_i = 0;
    for (unsigned i = 0; i < 40; ++i) {
      const unsigned g = rng() % kGroups;
      dut.re_i = 1;
      dut.rgroup_i = static_cast<uint8_t>(g);
      tick();
      dut.re_i = 0;
      dut.rgroup_i = static_cast<uint8_t>(rng() % kGroups);  // what was read holds
      if (i % 2) tick();
      const unsigned cls = rng() % 4;
      dut.neg_i = cls >> 1;
      dut.set_i = cls & 1;
      dut.eval();
      uint32_t mask = 0, off = 0;
      for (unsigned c = 0; c < 32; ++c) {
        const unsigned column = 32 * (g / 4) + c;
        mask |= uint32_t{column < 8 * kGroups && state[column] == (4 | cls)} << c;
      }
      for (unsigned c = 0; c < 8; ++c) off |= (state[8 * g + c] >> 2) << c;
      ASSERT_EQ(dut.mask_o, mask) << "word " << g / 4 << " class " << cls << " groups " << first << ".." << end;
      ASSERT_EQ(dut.off_o, off) << "group " << g << " of " << first << ".." << end;
    }
  }
}
