// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "Vtile_agu_test_dut.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/common/clocked.h"

namespace ohmac::tb {
namespace {

int64_t sext24(int64_t v) { return (v & 0xFFFFFF) - ((v & 0x800000) << 1); }

class Agu : public ::testing::Test {
 protected:
  enum { kAddr = 0, kInc0 = 1, kWrapBase = 5, kWrapLen = 6 };  // words of the group, ISA.md
  void SetUp() override { dut.reset(); }
  void write(unsigned word, int64_t value) {
    dut->we_i = 1, dut->word_i = static_cast<uint8_t>(word), dut->wdata_i = static_cast<uint32_t>(value & 0xFFFFFF);
    dut.tick();
    dut->we_i = 0;
  }
  void step(unsigned depth) {
    dut->step_i = 1, dut->depth_i = static_cast<uint8_t>(depth);
    dut.tick();
    dut->step_i = 0;
  }
  Clocked<Vtile_agu_test_dut> dut;
};

TEST_F(Agu, StepsByTheIncrementOfItsDepth) {
  write(kAddr, 100);
  for (unsigned d = 0; d < 4; ++d) write(kInc0 + d, d == 3 ? -7 : 10 * (d + 1));
  for (unsigned d = 0; d < 4; ++d) step(d);
  EXPECT_EQ(dut->addr_o, 100u + 10 + 20 + 30 - 7);
}

TEST_F(Agu, WrapsInBothDirections) {
  write(kAddr, 0x1000), write(kInc0, 32), write(kInc0 + 1, -32), write(kWrapBase, 0x1000), write(kWrapLen, 64);
  step(0);
  EXPECT_EQ(dut->addr_o, 0x1020u);
  step(0);
  EXPECT_EQ(dut->addr_o, 0x1000u);
  step(1);
  EXPECT_EQ(dut->addr_o, 0x1020u);
}

TEST_F(Agu, WriteWinsOverStep) {
  write(kInc0, 5);
  dut->step_i = 1;
  write(kAddr, 0x40);
  EXPECT_EQ(dut->addr_o, 0x40u);
}

// README: sums and comparisons are exact, the address keeps the low 24 bits; ADDR, INC and WRAP_BASE are signed,
// WRAP_LEN is not.
TEST_F(Agu, RandomStepsMatchExactArithmetic) {
  const uint64_t seed = test_seed(6);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  int64_t addr = 0, inc[4] = {}, base = 0, len = 0;
  for (int i = 0; i < 50000; ++i) {
    if (rng() % 4 == 0) {  // the next step of depth 0 ends within a byte of an end of the window
      inc[0] = sext24(base + (rng() & 1 ? len : 0) + static_cast<int64_t>(rng() % 3) - 1 - addr);
      write(kInc0, inc[0]);
    } else if (rng() % 64 == 0) {
      len = int64_t{1} << rng() % 24;
      write(kWrapLen, len);
    } else if (rng() % 1024 == 0) {
      dut.reset();
      addr = base = len = 0;
      std::fill(std::begin(inc), std::end(inc), 0);
    } else if (rng() % 3 == 0) {
      const unsigned word = rng() % 8;
      const int64_t v = static_cast<int64_t>(rng() & (rng() & 1 ? 0xFFFFFF : 0xFF));
      write(word, v);
      if (word == kAddr) addr = sext24(v);
      if (word >= kInc0 && word < kInc0 + 4) inc[word - kInc0] = sext24(v);
      if (word == kWrapBase) base = sext24(v);
      if (word == kWrapLen) len = v;
    } else {
      const unsigned d = rng() & 1 ? rng() % 4 : 0;
      step(d);
      int64_t sum = addr + inc[d];
      if (len != 0 && sum >= base + len)
        sum -= len;
      else if (len != 0 && sum < base)
        sum += len;
      addr = sext24(sum);
    }
    ASSERT_EQ(dut->addr_o, static_cast<uint32_t>(addr & 0xFFFFFF)) << "step " << i;
    ASSERT_EQ(dut->wrap_base_o, static_cast<uint32_t>(base & 0xFFFFFF));
    ASSERT_EQ(dut->wrap_len_o, static_cast<uint32_t>(len));
  }
}

}  // namespace
}  // namespace ohmac::tb
