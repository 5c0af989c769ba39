// SPDX-License-Identifier: Apache-2.0
#include "Vmvm_adc_test_dut.h"
#include "tb/unit/tile_mvm/mvm_bench.h"

using namespace ohmac::tb;

namespace {
constexpr unsigned kLanes = 8, kCols = 32, kMux = kCols / kLanes;

class MvmAdc : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->conv_valid_i = dut->post_re_i = 0;
    dut->cmp_i = 0;
    dut.reset();
  }
  void cycle() {
    dut.settle();
    unsigned cmp = static_cast<unsigned>(rng());
    if (dut->sar_strobe_o) {
      cmp = 0;
      for (unsigned l = 0; l < kLanes; ++l) {
        const auto code = static_cast<int8_t>(dut->sar_code_o >> (8 * l));
        const int64_t y = held[dut->mux_bank_o][dut->mux_sel_o * kLanes + l];
        if (2 * y >= (2 * int64_t{code} - 1) * (int64_t{1} << dut->range_o)) cmp |= 1u << l;
      }
    }
    dut->cmp_i = static_cast<uint8_t>(cmp);
    dut.settle();
    busy += dut->busy_o;
    conversions += dut->conversion_o;
    clips += dut->clips_o;
    sats += dut->sats_o;
    done += dut->op_done_o;
    dut.tick();
  }
  /// One phase: its sample cycle, then its conversions, the last cycle of which is left to the next phase's sample.
  void phase(const Cfg& c, bool first, bool last, unsigned shift, bool bank, unsigned slot = 0) {
    dut->conv_valid_i = 1;
    dut->conv_slot_i = slot;
    dut->conv_first_i = first;
    dut->conv_last_i = last;
    dut->conv_shift_i = shift;
    dut->conv_bank_i = bank;
    cycle();
    dut->conv_valid_i = 0;
    for (unsigned i = 0; i + 1 < c.mux_count * (c.adc_bits + 2); ++i) cycle();
  }
  std::vector<int32_t> read(bool bank, const Cfg& c) {
    std::vector<int32_t> acc;
    for (unsigned m = 0; m < c.mux_count; ++m) {
      dut->post_re_i = 1;
      dut->post_bank_i = bank;
      dut->post_block_i = c.mux_first + m;
      cycle();
      dut->post_re_i = 0;
      if (m & 1) cycle();  // the data hold
      for (unsigned l = 0; l < kLanes; ++l) {
        uint32_t x = 0;
        for (unsigned b = 0; b < 24; ++b) {
          const unsigned at = 24 * l + b;
          x |= (dut->post_acc_o[at / 32] >> (at % 32) & 1) << b;
        }
        acc.push_back(static_cast<int32_t>(x << 8) >> 8);
      }
    }
    return acc;
  }
  std::mt19937_64 rng{1};
  int64_t held[2][kCols] = {};
  unsigned busy = 0, conversions = 0, done = 0;
  uint64_t clips = 0, sats = 0;
  Clocked<Vmvm_adc_test_dut> dut;
};
}  // namespace

TEST_F(MvmAdc, AccumulatesRandomPhasesOfManyOperations) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  bool bank = false;
  for (unsigned op = 0; op < 200; ++op) {
    std::vector<Cfg> cfgs;
    for (unsigned i = 0; i < kCfgSlots; ++i) cfgs.push_back(random_cfg(rng, 32, kLanes, kMux));
    pack_cfgs(cfgs, dut->cfg_i);
    const unsigned slot = rng() % kCfgSlots;
    const Cfg c = cfgs[slot];
    const bool many = rng() % 16 == 0;  // weights that fill their sum
    const unsigned n = many ? 200 + rng() % 56 : 1 + rng() % 6;
    std::vector<int32_t> want(c.mux_count * kLanes, 0);
    unsigned shift_sum = 0;
    uint64_t want_clips = 0;
    busy = conversions = done = 0;
    clips = sats = 0;
    for (unsigned p = 0; p < n; ++p, bank = !bank) {
      const unsigned shift = many ? 6 : rng() % 7;
      const int64_t full = int64_t{1} << (c.range + c.adc_bits);
      for (auto& y : held[bank]) y = static_cast<int64_t>(rng() % static_cast<uint64_t>(2 * full)) - full;
      for (unsigned i = 0; i < want.size(); ++i) {
        const int32_t code = adc_code(held[bank][c.mux_first * kLanes + i], c.range, c.adc_bits),
                      half = 1 << (c.adc_bits - 1);
        want[i] += code * (1 << shift);
        want_clips += code == -half || code == half - 1;
      }
      shift_sum += 1u << shift;
      phase(c, p == 0, p + 1 == n, shift, bank, slot);
    }
    for (int i = 0; i < 3; ++i) cycle();
    EXPECT_EQ(done, 1u);
    EXPECT_EQ(busy, n * c.mux_count * (c.adc_bits + 2));
    EXPECT_EQ(conversions, n * c.mux_count);
    EXPECT_EQ(clips, want_clips);
    EXPECT_EQ(sats, 0u);
    EXPECT_EQ(dut->shift_sum_o >> (op & 1 ? 15 : 0) & 0x7fff, shift_sum);
    ASSERT_EQ(read(op & 1, c), want) << "operation " << op;
  }
}

TEST_F(MvmAdc, SaturatesAndCounts) {
  Cfg c;
  c.adc_bits = 8;
  c.range = 0;
  c.mux_first = 2;
  pack_cfgs({c}, dut->cfg_i);
  for (unsigned l = 0; l < kCols; ++l) held[0][l] = l % 8 < 3 ? 127 : -128;
  // -128 << 6 is 2^-10 of the range to -2^23: the 1024th phase reaches it exactly, the 1025th saturates; +127 needs
  // 1033.
  const unsigned n = 1040;
  for (unsigned p = 0; p < n; ++p) phase(c, p == 0, p + 1 == n, 6, false);
  for (int i = 0; i < 3; ++i) cycle();
  const std::vector<int32_t> acc = read(false, c);
  for (unsigned l = 0; l < kLanes; ++l) EXPECT_EQ(acc[l], l < 3 ? (1 << 23) - 1 : -(1 << 23));
  // 127 << 6 = 8128; floor((2^23 - 1) / 8128) = 1032 phases fit
  EXPECT_EQ(sats, 5u * (n - 1024) + 3u * (n - 1032));
}
