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
    dut->mvm_idle_i = 1;
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
  EXPECT_EQ(dut->watchdog_o, 0u);
  EXPECT_EQ(dut->trap_overflow_o, 1u);
  EXPECT_EQ(dut->prog_o, 0u);
  EXPECT_FALSE(dut->prog_ok_o);
}

TEST_F(TileCfg, TrapAndProgWordsArrive) {
  namespace p = cfg::prog;
  write(cfg::kTrapBase, 0x0000'1234);
  EXPECT_EQ(dut->watchdog_o, 0x1234u);
  EXPECT_EQ(dut->trap_overflow_o, 0u);
  write(cfg::kTrapBase, static_cast<uint32_t>(cfg::trap::overflow.put(1)));
  EXPECT_EQ(dut->trap_overflow_o, 1u);
  write(cfg::kProgBase, static_cast<uint32_t>(p::tolerance.put(0xABCD) | p::limit.put(0x12)));
  write(cfg::kProgBase + 1,
        static_cast<uint32_t>(p::amp_first.put(3) | p::amp_last.put(9) | p::amp_every.put(0x45) | p::pulse.put(0x67)));
  EXPECT_FALSE(dut->prog_ok_o);
  write(cfg::kProgBase + 2, static_cast<uint32_t>(p::verify_x.put(0x79)));
  EXPECT_TRUE(dut->prog_ok_o);
  // {tolerance 16, limit 8, amp_first 4, amp_last 4, amp_every 8, pulse 8, verify_x 7}
  EXPECT_EQ(dut->prog_o, uint64_t{0xABCD'1239'4567} << 7 | 0x79);
  for (const unsigned word : {0u, 1u, 2u}) {  // LIMIT, PULSE, VERIFY_X
    const uint32_t keep[] = {0x12ABCD, 0x674593, 0x79};
    write(cfg::kProgBase + word, 0);
    EXPECT_FALSE(dut->prog_ok_o) << word;
    write(cfg::kProgBase + word, keep[word]);
    EXPECT_TRUE(dut->prog_ok_o) << word;
  }
  write(cfg::kProgBase + 3, ~0u);  // names nothing
  write(cfg::kTrapBase + 1, 0);
  EXPECT_TRUE(dut->prog_ok_o);
  EXPECT_EQ(dut->trap_overflow_o, 1u);
}

TEST_F(TileCfg, RepairWordsPassOrAreRefused) {
  const auto noc = [this](unsigned lane, uint32_t data) {  // {written, fault}
    dut->rx_valid_i = 1;
    dut->rx_addr_i = cfg::kRepairBase + lane;
    dut->rx_wdata_i = data;
    dut.settle();
    const auto seen = std::make_pair(dut->repair_we_o != 0, static_cast<unsigned>(dut->fault_o));
    if (seen.first) {
      EXPECT_EQ(dut->repair_lane_o, lane);
      EXPECT_EQ(dut->repair_wdata_o, data);
    }
    dut.tick();
    dut->rx_valid_i = 0;
    dut.settle();
    EXPECT_FALSE(dut->repair_we_o);
    EXPECT_EQ(dut->fault_o, 0u);
    return seen;
  };
  constexpr uint32_t kEn = 1u << 8;
  const unsigned config = static_cast<unsigned>(ohmac::isa::Fault::kConfig);
  EXPECT_EQ(noc(0, kEn | 3), std::make_pair(true, 0u));
  EXPECT_EQ(noc(4, kEn), std::make_pair(true, 0u));
  EXPECT_EQ(noc(4, 63), std::make_pair(true, 0u));  // not EN: switched off, the block does not matter
  EXPECT_EQ(noc(5, kEn), std::make_pair(false, config));
  EXPECT_EQ(noc(127, kEn), std::make_pair(false, config));
  EXPECT_EQ(noc(5, 0), std::make_pair(false, 0u));  // a spare that does not exist is off
  EXPECT_EQ(noc(0, kEn | 4), std::make_pair(false, config));
  dut->mvm_idle_i = 0;
  EXPECT_EQ(noc(0, kEn), std::make_pair(false, config));
  EXPECT_EQ(noc(0, 0), std::make_pair(false, config));
  dut->seq_addr_i = cfg::kRepairBase + 5;
  dut->seq_wdata_i = kEn;
  dut.settle();
  EXPECT_TRUE(dut->seq_bad_o);
  dut->seq_addr_i = cfg::kRepairBase + 4;
  dut.settle();
  EXPECT_FALSE(dut->seq_bad_o);
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
