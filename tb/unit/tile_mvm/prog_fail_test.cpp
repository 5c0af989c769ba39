// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "Vprog_fail_test_dut.h"
#include "tb/common/clocked.h"

using namespace ohmac::tb;

TEST(ProgFail, WritesOneBitAColumnInLinesOf256) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  Clocked<Vprog_fail_test_dut> dut;
  dut->start_i = dut->wr_gnt_i = 0;
  dut.reset();
  for (unsigned round = 0; round < 300; ++round) {
    const unsigned first = rng() % 64, groups = 1 + rng() % (64 - first), line = rng() % 0xff00,
                   percent = round % 2 ? 5 + rng() % 95 : 100;
    uint8_t off[64];
    for (auto& o : off) o = static_cast<uint8_t>(rng());
    dut->first_i = static_cast<uint8_t>(first);
    dut->end_i = static_cast<uint8_t>(first + groups);
    dut->line_i = static_cast<uint16_t>(line);
    dut->start_i = 1;
    dut.tick();
    dut->start_i = 0;
    const uint64_t begin = dut.cycle();
    const unsigned lines = (groups + 31) / 32;
    unsigned written = 0, reads = 0;
    for (bool done = false; !done;) {
      ASSERT_LT(dut.cycle(), begin + 5000) << "no end";
      dut.settle();
      dut->wr_gnt_i = dut->wr_req_o && rng() % 100 < percent;
      dut.settle();
      if (dut->wr_gnt_i) {
        ASSERT_EQ(dut->wr_addr_o, line + written);
        for (unsigned b = 0; b < 32; ++b) {
          const unsigned g = 32 * written + b, want = g < groups ? off[first + g] : 0;
          ASSERT_EQ(dut->wr_data_o[b / 4] >> (8 * (b % 4)) & 0xff, want) << "byte " << b << " of line " << written;
        }
        ++written;
      }
      done = dut->done_o;
      ASSERT_EQ(done, dut->wr_gnt_i && written == lines);
      const bool re = dut->re_o;
      const unsigned group = dut->rgroup_o;
      if (re) {
        ASSERT_EQ(group, first + reads);
        ++reads;
      }
      dut.tick();
      dut->off_i = re ? off[group] : static_cast<uint8_t>(rng());
    }
    ASSERT_EQ(reads, groups);
    if (percent == 100) {
      ASSERT_EQ(dut.cycle() - begin, 34u * lines);
    }
    for (unsigned i = rng() % 3; i > 0; --i) {
      dut.settle();
      ASSERT_FALSE(dut->wr_req_o);
      dut.tick();
    }
  }
}
