// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "Vtile_counters_test_dut.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/bits.h"

namespace ohmac::tb {
namespace {

using isa::Counter;

TEST(TileCounters, CountEachEventAndSumSharedOnes) {
  constexpr unsigned kLanes = 8;
  const uint64_t seed = test_seed(8);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  Clocked<Vtile_counters_test_dut> dut;
  dut.reset();
  std::array<uint32_t, isa::kNumCounters> model{};
  const auto at = [&](Counter c) -> uint32_t& { return model[static_cast<size_t>(c)]; };
  for (int i = 0; i < 3000; ++i) {
    const auto bit = [&] { return static_cast<uint8_t>(rng() & 1); };
    const uint8_t op = bit(), drive = bit(), conversion = bit(), trial = bit(), row = bit(), rd = bit(), wr = bit(),
                  busy = bit(), prog_read = bit();
    const uint8_t clips = static_cast<uint8_t>(rng()), sats = static_cast<uint8_t>(rng());
    const unsigned pulses = rng() % 513, prog_fails = rng() % 513;
    pack(dut->mvm_i, {{1, op},
                      {1, drive},
                      {1, conversion},
                      {1, trial},
                      {8, clips},
                      {1, row},
                      {8, sats},
                      {1, rd},
                      {1, wr},
                      {1, busy},
                      {1, prog_read},
                      {10, pulses},
                      {10, prog_fails}});
    dut->instr_i = bit(), dut->vec_step_i = bit(), dut->vec_sats_i = rng() % 9, dut->vec_rd_i = rng() % 4,
    dut->vec_wr_i = bit();
    dut->tx_flit_i = bit(), dut->tx_rd_i = bit(), dut->rx_flit_i = bit(), dut->rx_wr_i = bit();
    at(Counter::kInstr) += dut->instr_i;
    at(Counter::kMvmOps) += op;
    at(Counter::kDrives) += drive;
    at(Counter::kConversions) += conversion * kLanes;
    at(Counter::kTrials) += trial * kLanes;
    at(Counter::kClips) += clips;
    at(Counter::kRowWords) += row;
    at(Counter::kVecLines) += dut->vec_step_i;
    at(Counter::kSats) += sats + dut->vec_sats_i;
    at(Counter::kFlitsOut) += dut->tx_flit_i;
    at(Counter::kFlitsIn) += dut->rx_flit_i;
    at(Counter::kSramRd) += rd + (dut->vec_rd_i & 1) + (dut->vec_rd_i >> 1) + dut->tx_rd_i;
    at(Counter::kSramWr) += wr + dut->vec_wr_i + dut->rx_wr_i;
    at(Counter::kAdcBusy) += busy;
    at(Counter::kActive) += 1;
    at(Counter::kProgReads) += prog_read;
    at(Counter::kPulses) += pulses;
    at(Counter::kProgFails) += prog_fails;
    dut.tick();
    for (unsigned c = 0; c < 32; ++c) {
      dut->sel_i = static_cast<uint8_t>(c);
      dut.settle();
      ASSERT_EQ(dut->cnt_o, c < model.size() ? model[c] : 0u) << "counter " << c << " cycle " << i;
    }
  }
}

}  // namespace
}  // namespace ohmac::tb
