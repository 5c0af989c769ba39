// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vtile_read_buf_test_dut.h"
#include "tb/common/clocked.h"

namespace ohmac::tb {
namespace {

// Lines 0, 1, 2, ... from an SRAM that grants at random; each line holds its own number.
class ReadBuf : public ::testing::Test {
 protected:
  void SetUp() override { dut.reset(); }
  /// @return true if a line was taken
  bool cycle(bool grant, bool ready) {
    dut->addr_valid_i = asked < lines;
    dut->addr_i = static_cast<uint16_t>(asked);
    dut->rd_rvalid_i = arriving;
    for (unsigned w = 0; w < 8; ++w) dut->rd_rdata_i[w] = arriving ? last * 8 + w : 0xDEADBEEF;
    dut->ready_i = ready;
    dut.settle();
    const bool take = dut->valid_o && ready;
    if (take) {
      for (unsigned w = 0; w < 8; ++w) EXPECT_EQ(dut->data_o[w], taken * 8 + w);
      ++taken;
    }
    EXPECT_EQ(dut->empty_o, stored + arriving == 0);
    stored = stored + arriving - take;
    arriving = dut->rd_req_o && grant;
    if (arriving) last = asked++;
    dut.tick();
    return take;
  }
  Clocked<Vtile_read_buf_test_dut> dut;
  unsigned lines = 0, asked = 0, taken = 0, last = 0, stored = 0;
  bool arriving = false;
};

TEST_F(ReadBuf, StreamsALineACycle) {
  lines = 100;
  unsigned cycles = 0;
  while (taken < lines && cycles < 1000) cycle(true, true), ++cycles;
  EXPECT_EQ(cycles, lines + 1);
}

TEST_F(ReadBuf, LosesNothingUnderRandomStalls) {
  const uint64_t seed = test_seed(7);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  lines = 5000;
  for (unsigned n = 0; taken < lines && n < 60000; ++n) cycle(rng() % 3 != 0, rng() & 1);
  EXPECT_EQ(taken, lines);
  EXPECT_EQ(stored, 0u);
}

}  // namespace
}  // namespace ohmac::tb
