// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vdac_ctrl_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile_mvm/mvm_model.h"

using namespace ohmac::tb;

namespace {
class DacCtrl : public ::testing::Test {
 protected:
  static constexpr unsigned kWords = 8;
  void SetUp() override {
    dut->start_i = dut->word_valid_i = 0;
    dut.reset();
  }
  void tick() {
    dut.settle();
    const bool re = dut->mem_re_o;
    const unsigned a = dut->mem_addr_o;
    dut.tick();
    if (re) {
      dut->mem_rdata_i = 0;
      for (unsigned b = 0; b < 4; ++b) dut->mem_rdata_i |= uint32_t{static_cast<uint8_t>(mem[4 * a + b])} << (8 * b);
    }
    dut.settle();
  }
  Clocked<Vdac_ctrl_test_dut> dut;
  int8_t mem[4 * kWords] = {};
};
}  // namespace

TEST_F(DacCtrl, ClearsThenWritesOneWordACycle) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (int round = 0; round < 2000; ++round) {
    for (auto& v : mem) v = static_cast<int8_t>(rng() % 5 ? rng() : 0x80);
    const unsigned words = 1 + rng() % kWords, first = rng() % (kWords - words + 1), row = rng() % 200,
                   bank = rng() & 1;
    Cfg c;
    c.in_slice = rng() % 4;
    const unsigned index = rng() % c.slices();
    dut->bank_i = bank;
    dut->row_word_i = row;
    dut->mem_word_i = first;
    dut->words_i = words;
    dut->in_slice_i = c.in_slice;
    dut->shift_i = index * c.slice_bits();
    dut->start_i = 1;
    dut.settle();
    ASSERT_FALSE(dut->busy_o);
    ASSERT_FALSE(dut->row_we_o);
    tick();
    dut->start_i = 0;
    dut.settle();
    ASSERT_EQ(dut->row_clr_o, 1u << bank);
    ASSERT_FALSE(dut->row_we_o);
    for (unsigned w = 0; w < words; ++w) {
      ASSERT_FALSE(dut->done_o);
      tick();
      ASSERT_EQ(dut->row_clr_o, 0);
      ASSERT_TRUE(dut->row_we_o);
      ASSERT_EQ(dut->row_bank_o, bank);
      ASSERT_EQ(dut->row_addr_o, row + w);
      for (unsigned b = 0; b < 4; ++b) {
        ASSERT_EQ(dut->row_wdata_o >> (8 * b) & 0xff, slice_byte(mem[4 * (first + w) + b], c.slice_bits(), index));
      }
    }
    ASSERT_TRUE(dut->done_o);
    tick();
  }
}

TEST_F(DacCtrl, SlicesOfAllValuesAddUpToTheValue) {
  // Independent of slice_byte: the slices, put back at their weight, give min(|v|, 127) with the sign of v.
  for (unsigned mode = 0; mode < 4; ++mode) {
    Cfg c;
    c.in_slice = mode;
    for (int base = -128; base < 128; base += 4) {
      for (int b = 0; b < 4; ++b) mem[b] = static_cast<int8_t>(base + b);
      int sum[4] = {};
      for (unsigned i = 0; i < c.slices(); ++i) {
        dut->mem_word_i = 0;
        dut->words_i = 1;
        dut->in_slice_i = mode;
        dut->shift_i = i * c.slice_bits();
        dut->start_i = 1;
        tick();
        dut->start_i = 0;
        tick();
        for (unsigned b = 0; b < 4; ++b) {
          const uint8_t byte = static_cast<uint8_t>(dut->row_wdata_o >> (8 * b));
          ASSERT_EQ(byte % (1 << (7 - c.slice_bits())), 0) << "not aligned to the top";
          sum[b] += latch_value(byte) / (1 << (7 - c.slice_bits())) * (1 << (i * c.slice_bits()));
        }
        tick();
      }
      for (int b = 0; b < 4; ++b) ASSERT_EQ(sum[b], std::max(base + b, -127));
    }
  }
}

TEST_F(DacCtrl, PassesOtherWordsOnBetweenLoads) {
  std::mt19937_64 rng(3);
  for (unsigned i = 0; i < 200; ++i) {
    const auto addr = static_cast<uint8_t>(rng());
    const auto data = static_cast<uint32_t>(rng());
    dut->word_valid_i = 1;
    dut->word_addr_i = addr;
    dut->word_wdata_i = data;
    tick();
    dut->word_valid_i = 0;
    dut->word_addr_i = static_cast<uint8_t>(~addr);
    dut->word_wdata_i = ~data;
    for (unsigned hold = rng() % 3 + 1; hold > 0; --hold) {
      dut.settle();
      ASSERT_EQ(dut->row_addr_o, addr);
      ASSERT_EQ(dut->row_wdata_o, data);
      ASSERT_FALSE(dut->row_we_o);
      ASSERT_EQ(dut->row_clr_o, 0);
      if (hold > 1) tick();
    }
  }
}
