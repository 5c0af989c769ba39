// SPDX-License-Identifier: Apache-2.0
#include "Vmvm_phase_test_dut.h"
#include "tb/unit/tile_mvm/mvm_bench.h"

using namespace ohmac::tb;

namespace {
constexpr unsigned kRows = 32, kSettle = 2, kInteg = 5;

class MvmPhase : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->timing_i = kSettle << 8 | kInteg;
    dut->op_valid_i = dut->acc_release_i = dut->word_valid_i = 0;
    for (auto& l : latch) l.assign(kRows + 1, 0);
    dut.reset();
  }
  struct Sampled {
    unsigned slot, first, last, shift, bank;
    std::vector<uint8_t> latch;
  };
  void cycle() {
    dut.settle();
    for (unsigned b = 0; b < 2; ++b) {
      if (dut->row_clr_o >> b & 1) latch[b].assign(kRows + 1, 0);
    }
    if (dut->row_we_o) {
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned row = dut->row_addr_o * 4u + i;
        if (row <= kRows) latch[dut->row_bank_o][row] = static_cast<uint8_t>(dut->row_wdata_o >> (8 * i));
      }
    }
    if (dut->conv_valid_o) {
      EXPECT_TRUE(dut->sample_o);
      sampled.push_back(
          {dut->conv_slot_o, dut->conv_first_o, dut->conv_last_o, dut->conv_shift_o, dut->bank_o, latch[dut->bank_o]});
    }
    const bool re = dut->op_re_o, done = dut->op_valid_i && dut->op_ready_o;
    const unsigned a = dut->op_addr_o;
    dut.tick();
    if (re) {
      dut->op_rdata_i = 0;
      for (unsigned b = 0; b < 4; ++b) dut->op_rdata_i |= uint32_t{static_cast<uint8_t>(vec.at(4 * a + b))} << (8 * b);
    }
    if (done) {
      dut->op_valid_i = 0;
      ++ops;
    }
    dut.settle();
  }
  /// Offers a staged vector until its last phase is loaded.
  void load(unsigned slot, std::vector<int8_t> v) {
    v.resize((v.size() + 3) / 4 * 4, 0);
    vec = v;
    dut->op_slot_i = slot;
    dut->op_valid_i = 1;
    for (int i = 0; i < 20000 && dut->op_valid_i; ++i) cycle();
    ASSERT_FALSE(dut->op_valid_i);
  }
  std::vector<int8_t> vec;
  std::vector<uint8_t> latch[2];
  std::vector<Sampled> sampled;
  unsigned ops = 0;
  Clocked<Vmvm_phase_test_dut> dut;
};
}  // namespace

TEST_F(MvmPhase, WalksGroupsThenSlicesAndAlternatesBanks) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  unsigned drives = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<Cfg> cfgs;
    for (unsigned i = 0; i < kCfgSlots; ++i) cfgs.push_back(random_cfg(rng, kRows, 8, 4));
    pack_cfgs(cfgs, dut->cfg_i);
    const unsigned slot = rng() % kCfgSlots;
    std::vector<int8_t> v(cfgs[slot].k);
    for (auto& x : v) x = static_cast<int8_t>(rng());
    const std::vector<Phase> want = phases(cfgs[slot], v, kRows, slot);
    sampled.clear();
    load(slot, v);
    for (int i = 0; i < 3000 && sampled.size() < want.size(); ++i) cycle();
    ASSERT_EQ(sampled.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(sampled[i].slot, slot);
      ASSERT_EQ(sampled[i].first, i == 0);
      ASSERT_EQ(sampled[i].last, i + 1 == want.size());
      ASSERT_EQ(sampled[i].shift, want[i].shift);
      ASSERT_EQ(sampled[i].bank, drives++ & 1);
      ASSERT_EQ(sampled[i].latch, want[i].latch);
    }
    dut->acc_release_i = 1;
    cycle();
    dut->acc_release_i = 0;
  }
}

TEST_F(MvmPhase, StartsNoThirdOperationBeforeAnAccumulatorBankIsRead) {
  Cfg c;
  c.k = c.seg_len = 4;
  pack_cfgs({c}, dut->cfg_i);
  for (int i = 0; i < 3; ++i) load(0, {1, 2, 3, 4});
  for (int i = 0; i < 300; ++i) cycle();
  EXPECT_EQ(sampled.size(), 2u);
  dut->acc_release_i = 1;
  cycle();
  dut->acc_release_i = 0;
  for (int i = 0; i < 300; ++i) cycle();
  EXPECT_EQ(sampled.size(), 3u);
}
