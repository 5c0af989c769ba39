// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "Vtile_cfg_test_dut.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/bits.h"

using namespace ohmac::tb;
namespace cfg = ohmac::isa::cfg;
namespace m = ohmac::isa::cfg::mvmcfg;

namespace {

constexpr unsigned kRows = 32, kCols = 32, kLanes = 8;
constexpr unsigned kMvmBits = 138, kVecBits = 51;

/// The rules of rtl/tile/README.md and ISA.md on the raw words of one slot.
bool mvm_legal(const std::array<uint32_t, 8>& w) {
  const auto f = [&w](const ohmac::isa::Field& field) { return static_cast<unsigned>(field.get(w[field.word])); };
  const unsigned k = f(m::k), row = f(m::row_base);
  if (k < 1 || k > kRows || row % 4) return false;
  if (!(row + k <= kRows || (row == kRows && k <= 4))) return false;
  if (f(m::n_seg) * f(m::seg_len) != k) return false;
  if (f(m::w_slices) > 2 || f(m::adc_bits) < 4 || f(m::adc_bits) > 8) return false;
  const unsigned g = f(m::group_rows);
  if (g == 0 || (g % 4 && g < k)) return false;
  return f(m::mux_count) >= 1 && (f(m::mux_first) + f(m::mux_count)) * kLanes <= kCols;
}

class TileCfg : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->seq_valid_i = 0;
    dut->rx_valid_i = 0;
    dut.reset();
  }
  void write(unsigned addr, uint32_t data) {
    dut->seq_valid_i = 1;
    dut->seq_addr_i = addr;
    dut->seq_wdata_i = data;
    dut.settle();
    while (!dut->seq_ready_o) dut.tick();
    dut.tick();
    dut->seq_valid_i = 0;
    dut.settle();
  }
  void settle_checks() {
    for (int i = 0; i < 4 && dut->busy_o; ++i) dut.tick();
    ASSERT_FALSE(dut->busy_o);
  }
  Clocked<Vtile_cfg_test_dut> dut;
};

TEST_F(TileCfg, ResetValues) {
  EXPECT_EQ(dut->timing_o, 4u << 8 | 32u);  // {settle, integ}
  EXPECT_EQ(dut->mvm_ok_o, 0u);
  EXPECT_EQ(get_bits(dut->vec_cfg_o, 0, 64), 0u);
}

TEST_F(TileCfg, EveryFieldOfAnMvmSlotArrives) {
  const uint64_t seed = test_seed(5);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (int round = 0; round < 200; ++round) {
    const unsigned slot = rng() % 4;
    std::array<uint32_t, 8> w;
    for (unsigned i = 0; i < 8; ++i) {
      w[i] = static_cast<uint32_t>(rng());
      write(cfg::kMvmcfgBase + 8 * slot + i, w[i]);
    }
    // Fields of mvm_cfg_t, most significant first.
    const ohmac::isa::Field fields[] = {m::k,         m::row_base,   m::seg_len,  m::n_seg,     m::seg_stride,
                                        m::pad_top,   m::pad_bottom, m::pad_left, m::pad_right, m::pad_value,
                                        m::in_slice,  m::w_slices,   m::adc_bits, m::range,     m::group_rows,
                                        m::mux_first, m::mux_count};
    unsigned lsb = kMvmBits * (slot + 1);
    for (const auto& f : fields) {
      lsb -= f.bits;
      ASSERT_EQ(get_bits(dut->mvm_cfg_o, lsb, f.bits), f.get(w[f.word])) << "word " << f.word << " lsb " << f.lsb;
    }
    ASSERT_EQ(lsb, kMvmBits * slot);
  }
}

TEST_F(TileCfg, VectorSlotsTimingAndScalars) {
  const uint64_t seed = test_seed(6);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (unsigned i = 0; i < 8; ++i) {
    const uint32_t w0 = static_cast<uint32_t>(rng()), w1 = static_cast<uint32_t>(rng()),
                   w2 = static_cast<uint32_t>(rng());
    write(cfg::kVeccfgBase + 4 * i, w0);
    write(cfg::kVeccfgBase + 4 * i + 1, w1);
    write(cfg::kVeccfgBase + 4 * i + 2, w2);
    write(cfg::kVeccfgBase + 4 * i + 3, ~0u);
    const uint64_t expected = (w0 & 0xFFFull) << 39 | (w0 >> 16 & 1ull) << 38 | (w0 >> 17 & 1ull) << 37 |
                              (w1 & 0x7FFFFFFFull) << 6 | (w2 & 63);
    EXPECT_EQ(get_bits(dut->vec_cfg_o, kVecBits * i, kVecBits), expected);
    write(cfg::kScalarBase + i, w1);
    EXPECT_EQ(get_bits(dut->scalar_o, 16 * i, 16), w1 & 0xFFFF);
  }
  write(cfg::kTimingBase, 0x1207);
  EXPECT_EQ(dut->timing_o, 7u << 8 | 0x12u);
  write(cfg::kTimingBase + 1, 0);  // names nothing
  EXPECT_EQ(dut->timing_o, 7u << 8 | 0x12u);
}

TEST_F(TileCfg, ForwardsAguAndCalWords) {
  for (unsigned a = 0; a < 1024; ++a) {
    dut->seq_valid_i = 1;
    dut->seq_addr_i = a;
    dut->seq_wdata_i = a * 0x01010101u;
    dut.settle();
    ASSERT_EQ(dut->agu_we_o, a >= 0x40 && a < 0x80) << a;
    ASSERT_EQ(dut->cal_we_o, a >= 0x200) << a;
    if (dut->agu_we_o) {
      ASSERT_EQ(dut->agu_sel_o, (a - 0x40) / 8);
      ASSERT_EQ(dut->agu_word_o, a % 8);
      ASSERT_EQ(dut->agu_wdata_o, (a * 0x01010101u) & 0xFFFFFF);
    }
    if (dut->cal_we_o) {
      ASSERT_EQ(dut->cal_addr_o, a - 0x200);
      ASSERT_EQ(dut->cal_wdata_o, a * 0x01010101u);
    }
    dut.tick();
  }
}

TEST_F(TileCfg, JudgesMvmSlotsAsThePageSays) {
  const uint64_t seed = test_seed(7);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  std::array<std::array<uint32_t, 8>, 4> words{};
  int legal = 0;
  for (int round = 0; round < 6000; ++round) {
    const unsigned slot = rng() % 4;
    auto& w = words[slot];
    // A legal slot, then one field at random in two of three rounds.
    const unsigned n_seg = 1 + rng() % 4, seg_len = 1 + rng() % 8, k = n_seg * seg_len;
    const bool reference = k <= 4 && rng() % 2;
    const unsigned row = reference ? kRows : (kRows - k) / 4 * 4;
    w[0] = static_cast<uint32_t>(m::k.put(k) | m::row_base.put(row));
    w[1] = static_cast<uint32_t>(m::seg_len.put(seg_len) | m::n_seg.put(n_seg));
    w[4] = static_cast<uint32_t>(m::w_slices.put(rng() % 3) | m::adc_bits.put(4 + rng() % 5));
    const unsigned first = rng() % 4;
    w[5] = static_cast<uint32_t>(m::group_rows.put(rng() % 2 ? 4 + 4 * (rng() % 8) : k) | m::mux_first.put(first) |
                                 m::mux_count.put(1 + rng() % (4 - first)));
    if (rng() % 3) {
      const ohmac::isa::Field odd[] = {m::k,        m::row_base,   m::seg_len,   m::n_seg,    m::w_slices,
                                       m::adc_bits, m::group_rows, m::mux_first, m::mux_count};
      const auto f = odd[rng() % 9];
      const uint64_t v = rng() % 2 ? rng() % 40 : rng();
      w[f.word] = static_cast<uint32_t>((w[f.word] & ~(f.mask() << f.lsb)) | f.put(v));
    }
    for (const unsigned i : {0u, 1u, 4u, 5u}) write(cfg::kMvmcfgBase + 8 * slot + i, w[i]);
    settle_checks();
    for (unsigned s = 0; s < 4; ++s)
      ASSERT_EQ(dut->mvm_ok_o >> s & 1, mvm_legal(words[s])) << "round " << round << " slot " << s;
    legal += mvm_legal(w);
  }
  EXPECT_GT(legal, 2000);
  EXPECT_LT(legal, 5500);
}

TEST_F(TileCfg, NeitherWriterStarves) {
  dut->seq_valid_i = 1;
  dut->rx_valid_i = 1;
  dut->seq_addr_i = cfg::kScalarBase;
  dut->rx_addr_i = cfg::kScalarBase + 1;
  int seq = 0, rx = 0;
  for (int i = 0; i < 100; ++i) {
    dut->seq_wdata_i = seq + 1;
    dut->rx_wdata_i = rx + 1;
    dut.settle();
    const bool s = dut->seq_ready_o, r = dut->rx_ready_o;
    ASSERT_NE(s, r);
    dut.tick();
    seq += s;
    rx += r;
    ASSERT_EQ(get_bits(dut->scalar_o, 0, 16), static_cast<unsigned>(seq));
    ASSERT_EQ(get_bits(dut->scalar_o, 16, 16), static_cast<unsigned>(rx));
  }
  EXPECT_EQ(seq, 50);
  EXPECT_EQ(rx, 50);
}

}  // namespace
