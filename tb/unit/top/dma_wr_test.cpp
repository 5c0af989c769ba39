// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "Vdma_wr_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/common/flit.h"

namespace ohmac::tb {
namespace {

class DmaWr : public ::testing::Test {
 protected:
  struct Burst {
    uint64_t addr;
    unsigned beats;
  };
  void SetUp() override {
    dut->win_base_i[0] = 0, dut->win_base_i[1] = 0, dut->win_size_i[0] = 0xFFFF'FFFF, dut->win_write_i = 1;
    dut->out_base_i = 0x100000;
    dut->resp_base_i = 0x800000;
    dut.reset();
  }
  void tick() {
    if (!offered && !in.empty() && rng() % stall != 1) offered = true;
    dut->flit_valid_i = offered;
    if (offered) pack(in.front(), dut->flit_i);
    dut->aw_ready_i = rng() % stall != 1;
    dut->w_ready_i = rng() % stall != 1;
    if (!shown && acks && !hold && rng() % stall != 1) shown = true;
    dut->b_valid_i = shown;
    dut->b_resp_i = shown && acked.front().addr == bad ? 3 : 0;
    dut.settle();
    if (dut->flit_valid_i && dut->flit_ready_o) in.pop_front(), offered = false;
    if (dut->aw_valid_o && dut->aw_ready_i)
      aw.push_back({dut->aw_addr_o, dut->aw_len_o + 1u}), bursts.push_back(aw.back());
    if (dut->w_valid_o && dut->w_ready_i) {
      beats.push_back({dut->w_strb_o, dut->w_data_o[0], dut->w_last_o != 0});
    }
    if (dut->b_valid_i && dut->b_ready_o) shown = false, --acks, acked.pop_front();
    if (dut->token_valid_o) notes.push_back({'t', dut->token_o}), at_note.push_back(written());
    if (dut->resp_done_o) notes.push_back({'r', 0}), at_note.push_back(written());
    if (dut->drain_done_o) notes.push_back({'d', 0}), at_note.push_back(written());
    complete();
    if (dut->refuse_o) refusals.push_back(dut->refuse_addr_o);
    if (dut->fail_o) fails.push_back(dut->fail_addr_o);
    dut.tick();
    dut->drain_i = 0;
  }
  /// Carries out bursts that have all their beats; their B follows.
  void complete() {
    while (!aw.empty() && beats.size() >= aw.front().beats) {
      for (unsigned i = 0; i < aw.front().beats; ++i) {
        EXPECT_EQ(beats.front().last, i + 1 == aw.front().beats);
        if (beats.front().strb) memory[aw.front().addr + 16 * i] = {beats.front().strb, beats.front().word};
        beats.pop_front();
      }
      acked.push_back(aw.front());
      aw.pop_front();
      ++acks;
    }
  }
  static Flit write(uint32_t addr, uint32_t word, uint16_t strb = 0xFFFF, int token = -1) {
    Flit f;
    f.host = true, f.addr = addr, f.strb = strb, f.data[0] = word;
    f.token_en = token >= 0, f.token = token >= 0 ? static_cast<uint8_t>(token) : uint8_t{0};
    return f;
  }
  static Flit resp(uint32_t addr, uint32_t word, bool last) {
    Flit f = write(addr, word);
    f.kind = FlitKind::kResp, f.token_en = last;
    return f;
  }
  void run(unsigned n = 2000) {
    while (n--) tick();
  }
  unsigned written() const { return static_cast<unsigned>(memory.size()); }

  Clocked<Vdma_wr_test_dut> dut;
  std::map<uint64_t, std::pair<uint16_t, uint32_t>> memory;  // 16-byte address -> strobes, first word
  std::mt19937_64 rng{1};
  unsigned stall = 1, acks = 0;
  std::deque<Flit> in;
  std::deque<Burst> aw, acked;
  std::vector<Burst> bursts;
  struct Beat {
    uint16_t strb;
    uint32_t word;
    bool last;
  };
  std::deque<Beat> beats;
  std::vector<std::pair<char, unsigned>> notes;
  std::vector<unsigned> at_note;
  std::vector<uint64_t> refusals, fails;
  uint64_t bad = ~uint64_t{0};
  bool offered = false, shown = false, hold = false;
};

TEST_F(DmaWr, RandomFlitsReachMemoryInOrderAndTokensComeBehindThem) {
  const uint64_t seed = test_seed(22);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  std::map<uint64_t, std::pair<uint16_t, uint32_t>> expected;
  std::vector<std::pair<char, unsigned>> expected_notes;
  std::vector<unsigned> expected_written;
  uint32_t at = 0xF00;
  for (uint32_t n = 0; n < 4000; ++n) {
    stall = 1 + n / 1000;
    const bool is_resp = rng() % 3 == 0;
    const int token = rng() % 8 == 0 ? static_cast<int>(rng() % 16) : -1;
    Flit f = is_resp ? resp(at, n, token >= 0) : write(at, n, rng() % 4 ? 0xFFFF : static_cast<uint16_t>(rng()), token);
    at += rng() % 8 ? 16 : 16 * (2 + rng() % 30);  // every address once
    in.push_back(f);
    if (f.strb) expected[(is_resp ? 0x800000 : 0x100000) + f.addr] = {f.strb, n};
    if (token >= 0) {
      expected_notes.push_back(is_resp ? std::pair<char, unsigned>{'r', 0u} : std::pair<char, unsigned>{'t', f.token});
      expected_written.push_back(static_cast<unsigned>(expected.size()));
    }
    if (rng() % 4 == 0) run(rng() % 40);
  }
  run(60000);
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(memory, expected);
  EXPECT_EQ(notes, expected_notes);
  ASSERT_EQ(at_note.size(), expected_written.size());
  for (size_t i = 0; i < at_note.size(); ++i)
    EXPECT_GE(at_note[i], expected_written[i]) << "note " << i << " overtook its data";
}

TEST_F(DmaWr, StreamsNearlyAFlitACycle) {
  for (uint32_t n = 0; n < 512; ++n) in.push_back(write(16 * n, n));
  unsigned cycles = 0;
  while (written() < 512 && cycles < 2000) tick(), ++cycles;
  EXPECT_EQ(bursts.size(), 32u);
  EXPECT_LE(cycles, 512u * 17 / 16 + 40);
}

TEST_F(DmaWr, FourBurstsAwaitB) {
  hold = true;
  for (uint32_t n = 0; n < 12; ++n) in.push_back(write(0x100 * n, n));
  run(500);
  EXPECT_EQ(bursts.size(), 4u);
  hold = false;
  run(500);
  EXPECT_EQ(bursts.size(), 12u);
}

TEST_F(DmaWr, DrainAnswersBehindWhatArrived) {
  hold = true;
  in.push_back(write(0, 1));
  in.push_back(write(0x10, 1));
  run(8);
  dut->drain_i = 1;
  run(100);
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(bursts.size(), 1u) << "closed by the drain";
  hold = false;
  run(20);
  EXPECT_EQ(notes, (std::vector<std::pair<char, unsigned>>{{'d', 0}}));
}

TEST_F(DmaWr, RefusedFlitLosesItsTokenAFailedBurstToo) {
  dut->win_size_i[0] = 0x100040;
  in.push_back(write(0x30, 1, 0xFFFF, 1));
  in.push_back(write(0x40, 2, 0xFFFF, 2));
  in.push_back(write(0x20, 3, 0xFFFF, 3));
  bad = 0x100020;
  run(200);
  EXPECT_EQ(refusals, std::vector<uint64_t>{0x100040});
  EXPECT_EQ(fails, std::vector<uint64_t>{0x100020});
  EXPECT_EQ(notes, (std::vector<std::pair<char, unsigned>>{{'t', 1}}));
}

TEST_F(DmaWr, DroppedResponsesStillEnd) {
  dut->drop_resp_i = 1;
  for (uint32_t n = 0; n < 20; ++n) in.push_back(resp(16 * n, n, n == 19));
  run(200);
  EXPECT_TRUE(bursts.empty());
  EXPECT_EQ(notes, (std::vector<std::pair<char, unsigned>>{{'r', 0}}));
}

}  // namespace
}  // namespace ohmac::tb
