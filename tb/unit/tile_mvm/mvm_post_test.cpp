// SPDX-License-Identifier: Apache-2.0
#include "Vmvm_post_test_dut.h"
#include "tb/unit/tile_mvm/mvm_bench.h"

using namespace ohmac::tb;

namespace {
constexpr unsigned kLanes = 16, kCols = 64, kMux = kCols / kLanes;

class MvmPost : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->cal_we_i = dut->job_valid_i = dut->op_done_i = dut->wr_gnt_i = dut->hold_i = 0;
    dut.reset();
  }
  void set_cal(unsigned column, Cal c) {
    cal[column] = c;
    dut->cal_we_i = 1;
    dut->cal_addr_i = static_cast<uint16_t>(column);
    dut->cal_wdata_i = uint32_t{static_cast<uint16_t>(c.offset)} << 16 | c.gain;
    dut.tick();
    dut->cal_we_i = 0;
  }
  void cycle() {
    dut.settle();
    dut->wr_gnt_i = dut->wr_req_o && rng() % 100 < grant_percent;
    dut.settle();
    if (dut->wr_gnt_i) {
      ++writes;
      for (unsigned b = 0; b < 32; ++b) {
        if (dut->wr_strb_o >> b & 1)
          out[dut->wr_addr_o * 32u + b] = static_cast<uint8_t>(dut->wr_data_o[b / 4] >> (8 * (b % 4)));
      }
    }
    sats += dut->sats_o;
    releases += dut->acc_release_o;
    finished += dut->op_finished_o;
    signals += dut->sig_valid_o;
    const bool re = dut->acc_re_o;
    const unsigned bank = dut->acc_bank_o, block = dut->acc_block_o;
    dut.tick();
    if (re) {
      for (unsigned w = 0; w < kLanes * 24 / 32; ++w) dut->acc_i[w] = 0;
      for (unsigned l = 0; l < kLanes; ++l) {
        for (unsigned b = 0; b < 24; ++b) {
          const unsigned at = 24 * l + b;
          dut->acc_i[at / 32] |= (static_cast<uint32_t>(acc[bank][block * kLanes + l]) >> b & 1) << (at % 32);
        }
      }
    }
    dut.settle();
  }
  void job(bool signal, uint32_t dst, unsigned count = 0) {
    dut->job_valid_i = 1;
    dut->job_signal_i = signal;
    dut->job_dst_i = dst;
    dut->job_slot_i = 0;
    dut->job_token_i = 7;
    dut->job_count_i = static_cast<uint8_t>(count);
    cycle();
    dut->job_valid_i = 0;
  }
  void done() {
    dut->op_done_i = 1;
    cycle();
    dut->op_done_i = 0;
  }
  std::mt19937_64 rng{1};
  std::vector<Cal> cal = std::vector<Cal>(kCols);
  int32_t acc[2][kCols] = {};
  std::map<uint32_t, uint8_t> out;
  unsigned grant_percent = 100, writes = 0, releases = 0, finished = 0, signals = 0;
  uint64_t sats = 0;
  Clocked<Vmvm_post_test_dut> dut;
};
}  // namespace

TEST_F(MvmPost, CorrectsCombinesAndWritesRandomOperations) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  uint64_t want_sats = 0;
  for (unsigned op = 0; op < 400; ++op) {
    const unsigned bank = op & 1;
    grant_percent = op % 3 ? 50 : 100;
    const bool extreme = op % 5 == 0;
    for (unsigned i = 0; i < kCols; ++i) {
      const Cal c{static_cast<uint16_t>(extreme ? (rng() & 1 ? 0xffff : 0) : rng()),
                  static_cast<int16_t>(extreme ? (rng() & 1 ? 0x7fff : 0x8000) : rng())};
      set_cal(i, c);
      acc[bank][i] = static_cast<int32_t>(static_cast<uint32_t>(rng()) << 8) >> (extreme ? 8 : 8 + rng() % 20);
      if (extreme) acc[bank][i] = rng() & 1 ? (1 << 23) - 1 : -(1 << 23);
    }
    Cfg c = random_cfg(rng, 32, kLanes, kMux);
    pack_cfgs({c}, dut->cfg_i);
    const unsigned shift_sum = 1 + rng() % 0x7fff;
    dut->shift_sum_i =
        static_cast<uint32_t>(bank ? shift_sum << 15 | (rng() & 0x7fff) : shift_sum | (rng() & 0x7fff) << 15);
    const uint32_t dst = 32 * (rng() % 1000);
    const std::vector<int32_t> columns(&acc[bank][c.mux_first * kLanes],
                                       &acc[bank][(c.mux_first + c.mux_count) * kLanes]);
    const std::vector<int32_t> want = post(c, columns, cal, kLanes, shift_sum, want_sats);
    out.clear();
    writes = releases = finished = 0;
    job(false, dst);
    for (int i = 0; i < 5; ++i) cycle();
    ASSERT_EQ(writes, 0u) << "before the ADC stage is done";
    done();
    for (int i = 0; i < 500 && !dut->idle_o; ++i) cycle();
    ASSERT_EQ(out.size(), 4 * want.size());
    for (unsigned n = 0; n < want.size(); ++n) {
      uint32_t x = 0;
      for (unsigned b = 0; b < 4; ++b) x |= uint32_t{out[dst + 4 * n + b]} << (8 * b);
      ASSERT_EQ(static_cast<int32_t>(x), want[n]) << "psum " << n << " of operation " << op;
    }
    ASSERT_EQ(writes, c.mux_count * kLanes / 8);
    ASSERT_EQ(releases, 1u);
    ASSERT_EQ(finished, 1u);
  }
  EXPECT_EQ(sats, want_sats);
  EXPECT_GT(want_sats, 100u);
}

TEST_F(MvmPost, SignalWaitsForTheLastGrant) {
  Cfg c;
  c.mux_count = 2;
  pack_cfgs({c}, dut->cfg_i);
  grant_percent = 0;
  job(false, 0);
  job(true, 0, 55);
  done();
  for (int i = 0; i < 50; ++i) cycle();
  EXPECT_EQ(signals, 0u);
  EXPECT_FALSE(dut->idle_o);
  grant_percent = 100;
  for (int i = 0; i < 50 && !dut->sig_valid_o; ++i) cycle();
  EXPECT_TRUE(dut->sig_valid_o);
  EXPECT_EQ(dut->sig_token_o, 7);
  EXPECT_EQ(dut->sig_count_o, 55);
  EXPECT_EQ(writes, 4u);
  cycle();
  EXPECT_TRUE(dut->idle_o);
}

TEST_F(MvmPost, TakesOneCycleForEightColumns) {
  Cfg c;
  c.mux_count = 4;
  pack_cfgs({c}, dut->cfg_i);
  job(false, 0);
  done();
  unsigned cycles = 0;
  for (; finished == 0 && cycles < 100; ++cycles) cycle();
  // read, 5 stages and the write, of which the 8 column groups overlap all but one cycle each
  EXPECT_EQ(cycles, 7u + 8u - 1u);
}

TEST_F(MvmPost, PsumsWaitWhileHeldAndPassOnceInOrder) {
  const uint64_t seed = test_seed(1);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  Cfg c;
  c.mux_count = kMux;
  pack_cfgs({c}, dut->cfg_i);
  dut->shift_sum_i = 1 | 1 << 15;
  for (unsigned i = 0; i < kCols; ++i) set_cal(i, {static_cast<uint16_t>(rng()), static_cast<int16_t>(rng())});
  for (unsigned op = 0; op < 50; ++op) {
    for (unsigned i = 0; i < kCols; ++i) acc[op & 1][i] = static_cast<int32_t>(static_cast<uint32_t>(rng()) << 8) >> 8;
    uint64_t none = 0;
    const std::vector<int32_t> want = post(c, {acc[op & 1], acc[op & 1] + kCols}, cal, kLanes, 1, none);
    grant_percent = op % 2 ? 40 : 100;
    writes = 0;
    job(false, 0);
    done();
    std::vector<int32_t> seen;
    for (int i = 0; i < 2000 && !dut->idle_o; ++i) {
      dut->hold_i = rng() % 2;
      dut.settle();
      if (dut->hold_i) {
        ASSERT_FALSE(dut->psum_valid_o);
      }
      if (dut->psum_valid_o) {
        for (unsigned l = 0; l < 8; ++l) seen.push_back(static_cast<int32_t>(dut->psum_o[l]));
      }
      cycle();
    }
    dut->hold_i = 0;
    ASSERT_EQ(seen, want);
    ASSERT_EQ(writes, kCols / 8);
  }
}
