// SPDX-License-Identifier: Apache-2.0
// Back-pressure on the NoC: in this chip every FIFO of mesh, routers, DMA and tiles holds its words back for random
// times (tb/common/stalling_fifo.sv). No bit of the results may change. Real digits, reference geometry.
#include <cstdio>

#include "Vchip_stalling.h"
#include "models/systemc/verilated_chip.h"
#include "tb/common/clocked.h"
#include "tb/system/main_job.h"

namespace ohmac {
namespace {
struct {
  uint32_t percent = 0;
  int seed = 1;
} noc;
}  // namespace

/// In place of the chips of models/systemc.
std::unique_ptr<RtlChip> make_rtl_chip(const Geometry& g) {
  const std::string arg = "+ohmac_stall=" + std::to_string(noc.percent);
  const auto setup = [&](VerilatedContext& c) {
    const char* argv[] = {"noc_stall_test", arg.c_str()};
    c.commandArgs(2, argv);
    c.randSeed(noc.seed);
  };
  setup(*Verilated::threadContextp());  // of the tiles, which are hierarchical blocks
  return std::make_unique<VerilatedChip<Vchip_stalling>>(g, setup);
}

namespace cli {
namespace {

constexpr uint32_t kImages = 8;

TEST(NocStalls, DoNotChangeABit) {
  const int seed = static_cast<int>(tb::test_seed(1));
  std::printf("seed %d\n", seed);
  const Workload w = prepare(options(Fidelity::kRtl, kImages));
  const RunOutcome fast = run(w, options(Fidelity::kFast, kImages)), calm = run(w, options(Fidelity::kRtl, kImages));
  expect_same(calm, fast);
  const uint64_t cycles = calm.record.cycles_total;
  constexpr std::pair<uint32_t, uint32_t> kPercent[] = {{30, 0}, {60, 0}, {90, 0}, {30, 30}, {60, 50}};
  for (int n = 0; n < 10; ++n) {
    const auto [noc_percent, axi_percent] = kPercent[n % 5];
    const int s = seed + n;
    SCOPED_TRACE("NoC " + std::to_string(noc_percent) + " %, AXI " + std::to_string(axi_percent) + " %, seed " +
                 std::to_string(s));
    noc = {noc_percent, s};
    RunOptions o = options(Fidelity::kRtl, kImages);
    o.stall_percent = axi_percent;
    o.stall_seed = static_cast<uint64_t>(s);
    const RunOutcome stalled = run(w, o);
    expect_same(calm, stalled);
    std::printf("NoC %u %%, AXI %u %%, seed %d: %lu cycles (calm %lu)\n", noc_percent, axi_percent, s,
                static_cast<unsigned long>(stalled.record.cycles_total), static_cast<unsigned long>(cycles));
    EXPECT_GT(stalled.record.cycles_total, cycles) << "nothing stalled";
  }
}

}  // namespace
}  // namespace cli
}  // namespace ohmac
