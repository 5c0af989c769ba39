// SPDX-License-Identifier: Apache-2.0
// The MVM engine at the reference geometry: the ADC is the bound, everything else hides behind it.
#include "Vmvm_rate_test_dut.h"
#include "tb/unit/tile_mvm/mvm_bench.h"

using namespace ohmac::tb;
using Bench = MvmBench<Vmvm_rate_test_dut, 256, 256, 32, 65536>;

namespace {
/// `ops` full-size operations of 8 bits over 8 blocks, each with a SIGNAL; returns the cycles from one to the next.
std::vector<uint64_t> periods(Bench& b, unsigned ops) {
  Cfg c;
  c.k = c.seg_len = c.group_rows = 256;
  c.mux_count = 8;
  c.range = 13;
  b.set_cfgs({c});
  for (unsigned i = 0; i < Bench::kCols; ++i)
    b.set_cal(i, {static_cast<uint16_t>(16000 + b.rng() % 800), static_cast<int16_t>(b.rng() % 512)});
  for (unsigned i = 0; i < ops; ++i) {
    Item it;
    it.src = static_cast<int32_t>(256 * i);
    it.dst = 32768 + 1024 * (i % 32);
    b.push(it);
    Item sig;
    sig.kind = Item::kSignal;
    sig.token = 3;
    sig.count = 1;
    b.push(sig);
  }
  EXPECT_TRUE(b.run(200 * ops + 1000));
  b.check_end();
  std::vector<uint64_t> p;
  for (size_t i = 1; i < b.drive_cycles.size(); ++i) p.push_back(b.drive_cycles[i] - b.drive_cycles[i - 1]);
  return p;
}
}  // namespace

TEST(MvmRate, BackToBackOperationsTakeEightyCyclesEach) {
  Bench b(1);
  const std::vector<uint64_t> p = periods(b, 40);
  ASSERT_EQ(p.size(), 39u);
  for (size_t i = 0; i < p.size(); ++i) EXPECT_EQ(p[i], 80u) << "operation " << i + 1;
  // From its first conversion to its last the ADC never rests.
  const auto first = std::find(b.adc_busy.begin(), b.adc_busy.end(), true);
  const auto last = std::find(b.adc_busy.rbegin(), b.adc_busy.rend(), true).base();
  EXPECT_EQ(last - first, 40 * 80);
  EXPECT_EQ(std::count(first, last, true), 40 * 80);
  for (size_t i = 1; i < b.op_cycles.size(); ++i) EXPECT_EQ(b.op_cycles[i] - b.op_cycles[i - 1], 80u);
}

TEST(MvmRate, LosesLessThanTwoPercentWhenOneGrantInTenIsLost) {
  // The post stage reads 32 lines in the 43 cycles it has; a burst of lost grants may cost a few cycles now and then.
  Bench b(2);
  b.grant_percent = 90;
  const std::vector<uint64_t> p = periods(b, 100);
  uint64_t sum = 0;
  for (const uint64_t x : p) {
    EXPECT_GE(x, 80u);
    sum += x;
  }
  RecordProperty("cycles_100_ops", static_cast<int>(sum));
  EXPECT_LT(sum, p.size() * 80 * 102 / 100);
}

TEST(MvmRate, RandomOperationsMatchTheModel) {
  const uint64_t seed = test_seed(100);
  for (uint64_t round = 0; round < 4; ++round) {
    SCOPED_TRACE(::testing::Message() << "OHMAC_SEED=" << seed + round);
    Bench b(seed + round);
    b.grant_percent = 60;
    for (unsigned i = 0; i < Bench::kCols; ++i)
      b.set_cal(i, {static_cast<uint16_t>(b.rng()), static_cast<int16_t>(b.rng())});
    std::vector<Cfg> cfgs;
    for (unsigned i = 0; i < kCfgSlots; ++i)
      cfgs.push_back(random_cfg(b.rng, Bench::kRows, Bench::kLanes, Bench::kMux));
    b.set_cfgs(cfgs);
    for (unsigned slot = 0; slot < kCfgSlots; ++slot) {
      b.push(random_op(b.rng, cfgs[slot], slot, Bench::kSram, Bench::kLanes));
    }
    if (!b.run(1000000)) break;
    b.check_end();
    if (HasFailure()) break;
  }
}
