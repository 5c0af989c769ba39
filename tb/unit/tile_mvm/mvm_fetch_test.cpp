// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "Vmvm_fetch_test_dut.h"
#include "tb/unit/tile_mvm/mvm_bench.h"

using namespace ohmac::tb;

namespace {
constexpr unsigned kRows = 32, kSram = 16384;

class MvmFetch : public ::testing::Test {
 protected:
  void SetUp() override {
    rng.seed(test_seed(1));
    sram.resize(kSram);
    for (auto& b : sram) b = static_cast<uint8_t>(rng());
    dut->item_valid_i = dut->wait_gnt_i = dut->drop_waits_i = dut->rd_gnt_i = dut->rd_rvalid_i = 0;
    dut->job_ready_i = 1;
    dut->op_ready_i = dut->op_re_i = 0;
    dut.reset();
  }
  /// One cycle of the SRAM side.
  void cycle() {
    dut.settle();
    dut->rd_gnt_i = dut->rd_req_o && rng() % 100 < grant_percent;
    dut.settle();
    const bool read = dut->rd_gnt_i;
    const uint32_t line = dut->rd_addr_o;
    lines += read;
    faults += dut->fault_o == 2;
    dut.tick();
    dut->rd_rvalid_i = read;
    for (unsigned i = 0; i < 8; ++i) {
      uint32_t w = static_cast<uint32_t>(rng());
      if (read) {
        w = 0;
        for (unsigned b = 0; b < 4; ++b) w |= uint32_t{sram[line * 32 + 4 * i + b]} << (8 * b);
      }
      dut->rd_rdata_i[i] = w;
    }
    dut.settle();
  }
  void give(const Item& it) {
    pack_item(it, dut->item_i);
    dut->item_valid_i = 1;
    for (int i = 0; i < 10000 && !dut->item_ready_o; ++i) cycle();
    ASSERT_TRUE(dut->item_ready_o);
    cycle();
    dut->item_valid_i = 0;
  }
  /// Waits for a staged vector, reads its words and frees the buffer.
  std::vector<int8_t> take(unsigned k, unsigned slot) {
    for (int i = 0; i < 10000 && !dut->op_valid_o; ++i) cycle();
    EXPECT_TRUE(dut->op_valid_o);
    EXPECT_EQ(dut->op_slot_o, slot);
    std::vector<int8_t> v;
    for (unsigned w = 0; w < (k + 3) / 4; ++w) {
      dut->op_re_i = 1;
      dut->op_addr_i = w;
      cycle();
      for (unsigned b = 0; b < 4; ++b) v.push_back(static_cast<int8_t>(dut->op_rdata_o >> (8 * b)));
    }
    dut->op_re_i = 0;
    dut->op_ready_i = 1;
    cycle();
    dut->op_ready_i = 0;
    return v;
  }
  std::mt19937_64 rng;
  std::vector<uint8_t> sram;
  unsigned grant_percent = 100, lines = 0, faults = 0;
  Clocked<Vmvm_fetch_test_dut> dut;
};
}  // namespace

TEST_F(MvmFetch, StagesSegmentsPadsAndWrapsOfRandomOperations) {
  SCOPED_TRACE(test_seed(1));
  for (int round = 0; round < 400; ++round) {
    grant_percent = round % 2 ? 100 : 40;
    std::vector<Cfg> cfgs;
    for (unsigned i = 0; i < kCfgSlots; ++i) cfgs.push_back(random_cfg(rng, kRows, 8, 4));
    pack_cfgs(cfgs, dut->cfg_i);
    std::deque<std::pair<Item, Fetched>> staged;
    for (unsigned n = 0; n < 6; ++n) {
      const unsigned slot = rng() % kCfgSlots;
      Item it = random_op(rng, cfgs[slot], slot, kSram, 8);
      if (rng() % 16 == 0) it.src = static_cast<int32_t>(rng() % (3 * kSram)) - static_cast<int32_t>(kSram);
      if (staged.size() == 2 || (!staged.empty() && rng() % 2)) {
        const auto [op, want] = staged.front();
        staged.pop_front();
        std::vector<int8_t> padded = want.v;
        padded.resize((padded.size() + 3) / 4 * 4, 0);
        ASSERT_EQ(take(cfgs[op.cfg].k, op.cfg), padded);
      }
      give(it);
      staged.emplace_back(it, fetch(cfgs[slot], it, sram));
    }
    while (!staged.empty()) {
      const auto [op, want] = staged.front();
      staged.pop_front();
      std::vector<int8_t> padded = want.v;
      padded.resize((padded.size() + 3) / 4 * 4, 0);
      ASSERT_EQ(take(cfgs[op.cfg].k, op.cfg), padded);
    }
  }
}

TEST_F(MvmFetch, ReadsALineOnceAndReportsBytesOutsideTheSram) {
  SCOPED_TRACE(test_seed(1));
  for (int round = 0; round < 400; ++round) {
    const Cfg c = random_cfg(rng, kRows, 8, 4);
    pack_cfgs({c}, dut->cfg_i);
    Item it = random_op(rng, c, 0, kSram, 8);
    if (round % 2) it.src = static_cast<int32_t>(rng() % 64) + (rng() % 2 ? -32 : static_cast<int32_t>(kSram) - 32);
    const Fetched want = fetch(c, it, sram);
    lines = faults = 0;
    give(it);
    take(c.k, 0);
    ASSERT_EQ(lines, want.lines);
    ASSERT_EQ(faults != 0, want.out_of_range);
  }
}

TEST_F(MvmFetch, MovesFourAlignedBytesACycle) {
  Cfg c;
  c.k = c.seg_len = 32;
  pack_cfgs({c}, dut->cfg_i);
  Item it;
  it.src = 64;
  give(it);  // taken in cycle 0
  unsigned cycles = 0;
  while (!dut->op_valid_o && cycles < 100) {
    cycle();
    ++cycles;
  }
  // setup, segment, 8 chunks, then request, data, pack
  EXPECT_EQ(cycles, 2u + 8u + 3u);
}

TEST_F(MvmFetch, StagesAtMostTwoVectors) {
  Cfg c;
  c.k = c.seg_len = 8;
  pack_cfgs({c}, dut->cfg_i);
  Item it;
  give(it);
  give(it);
  dut->item_valid_i = 1;
  for (int i = 0; i < 100; ++i) {
    cycle();
    ASSERT_FALSE(dut->item_ready_o);
  }
  dut->item_valid_i = 0;
  take(8, 0);
  for (int i = 0; i < 3; ++i) cycle();
  EXPECT_TRUE(dut->item_ready_o);
}

TEST_F(MvmFetch, WaitsForItsTokenAndAnnouncesJobsInOrder) {
  pack_cfgs({Cfg{}}, dut->cfg_i);
  Item wait;
  wait.kind = Item::kWait;
  wait.token = 9;
  wait.count = 200;
  give(wait);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(dut->wait_valid_o);
    EXPECT_EQ(dut->wait_token_o, 9);
    EXPECT_EQ(dut->wait_count_o, 200);
    EXPECT_FALSE(dut->item_ready_o);
    EXPECT_FALSE(dut->idle_o);
    cycle();
  }
  dut->wait_gnt_i = 1;
  cycle();
  dut->wait_gnt_i = 0;
  dut.settle();
  EXPECT_FALSE(dut->wait_valid_o);
  EXPECT_TRUE(dut->idle_o);
  Item sig;
  sig.kind = Item::kSignal;
  sig.token = 5;
  sig.count = 77;
  pack_item(sig, dut->item_i);
  dut->item_valid_i = 1;
  dut->job_ready_i = 0;
  dut.settle();
  EXPECT_FALSE(dut->item_ready_o);
  dut->job_ready_i = 1;
  dut.settle();
  EXPECT_TRUE(dut->job_valid_o);
  EXPECT_TRUE(dut->job_signal_o);
  EXPECT_EQ(dut->job_token_o, 5);
  EXPECT_EQ(dut->job_count_o, 77);
  cycle();
  dut->item_valid_i = 0;
}
