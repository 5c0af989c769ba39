// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vtile_read_buf_test_dut.h"
#include "tb/common/clocked.h"

namespace ohmac::tb {
namespace {

// Lines 0, 1, 2, ... from an SRAM that grants at random; what a line holds follows from its number.
class ReadBuf : public ::testing::Test {
 protected:
  void SetUp() override { dut.reset(); }
  static uint32_t word(unsigned line, unsigned w) {
    return static_cast<uint32_t>((line * 8 + w + 1) * 0x9E37'79B9'7F4A'7C15u >> 32);
  }
  /// @return true if a line was taken
  bool cycle(bool grant, bool ready, bool ask = true) {
    dut->addr_valid_i = ask && asked < lines;
    dut->addr_i = static_cast<uint16_t>(asked);
    dut->rd_rvalid_i = arriving;
    for (unsigned w = 0; w < 8; ++w) dut->rd_rdata_i[w] = arriving ? word(last, w) : 0xDEADBEEF;
    dut->ready_i = ready;
    dut.settle();
    const bool take = dut->valid_o && ready;
    EXPECT_TRUE(dut->addr_valid_i || !dut->rd_req_o) << "asks without an address";
    if (dut->rd_req_o) {
      EXPECT_EQ(dut->rd_addr_o, asked);
    }
    if (take) {
      for (unsigned w = 0; w < 8; ++w) EXPECT_EQ(dut->data_o[w], word(taken, w));
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
  for (unsigned n = 0; taken < lines && n < 60000; ++n) cycle(rng() % 3 != 0, rng() & 1, rng() % 4 != 0);
  EXPECT_EQ(taken, lines);
  EXPECT_EQ(stored, 0u);
}

TEST_F(ReadBuf, ResetForgetsWhatIsStored) {
  lines = 2;
  for (int i = 0; i < 4; ++i) cycle(true, false);
  EXPECT_EQ(stored, 2u);
  dut->rd_rvalid_i = 0;
  dut.reset();
  EXPECT_TRUE(dut->empty_o);
  EXPECT_FALSE(dut->valid_o);
}

}  // namespace
}  // namespace ohmac::tb
