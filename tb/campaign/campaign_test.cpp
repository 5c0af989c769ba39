// SPDX-License-Identifier: Apache-2.0
// A small campaign with asserted outcomes, and proofs that a planted flip arrives where it should.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "models/systemc/axi.h"
#include "sw/compiler/codegen.h"
#include "sw/hal/csr.h"
#include "tb/campaign/campaign.h"
#include "tb/common/clocked.h"

namespace ohmac::campaign {
namespace {

constexpr uint32_t kParallel = 2;

/// The chip is powered on once; experiments run in processes of their own.
Rig& rig() {
  static Rig r;
  return r;
}
const Rig::Reference& reference() {
  static const Rig::Reference r = Rig::measure();
  return r;
}
uint32_t find(const std::string& name) {
  const auto& all = rig().registers();
  for (uint32_t i = 0; i < all.size(); ++i) {
    if (all[i].scope + "." + all[i].name == name) return i;
  }
  throw std::runtime_error("no register " + name);
}
void flip(const std::string& name, uint64_t bit) {
  rig().registers()[find(name)].flip(bit);
  rig().bench().settle();
}

// Registers that the host can read: the flipped bit, and no other, is what it then sees.
TEST(Campaign, FlipsOfHostRegistersAreWhatTheHostReads) {
  struct Field {
    std::string name;
    uint32_t addr, lsb, bits;
  };
  const std::string f = "u_csr.u_csr.field_storage.";
  std::vector<Field> fields{
      {f + "job_addr_lo.value.value", csr::kJobAddrLo, 0, 32},
      {f + "job_addr_hi.value.value", csr::kJobAddrHi, 0, 32},
      {f + "out_base_lo.value.value", csr::kOutBaseLo, 0, 32},
      {f + "out_base_hi.value.value", csr::kOutBaseHi, 0, 32},
      {f + "irq_enable.job_done.value", csr::kIrqEnable, OHMAC_CSR__IRQ_ENABLE__JOB_DONE_bp, 1},
      {f + "irq_enable.tile_fault.value", csr::kIrqEnable, OHMAC_CSR__IRQ_ENABLE__TILE_FAULT_bp, 1},
      {f + "cnt_sel.tile.value", csr::kCntSel, OHMAC_CSR__CNT_SEL__TILE_bp, 6},
      {f + "cnt_sel.index.value", csr::kCntSel, OHMAC_CSR__CNT_SEL__INDEX_bp, 5}};
  for (uint32_t w = 0; w < csr::kMaxWindows; ++w) {
    const std::string window = f + "window[" + std::to_string(w) + "].";
    fields.push_back({window + "base_lo.value.value", csr::window_base_lo(w), 0, 32});
    fields.push_back({window + "base_hi.value.value", csr::window_base_hi(w), 0, 32});
    fields.push_back({window + "size.value.value", csr::window_size(w), 0, 32});
    fields.push_back({window + "attr.write.value", csr::window_attr(w), WINDOW_RF__ATTR__WRITE_bp, 1});
  }
  for (const Field& x : fields) {
    SCOPED_TRACE(x.name);
    const uint32_t before = rig().csr(x.addr);
    for (uint32_t b = 0; b < x.bits; b += 5) {
      flip(x.name, b);
      EXPECT_EQ(rig().csr(x.addr), before ^ 1u << (x.lsb + b));
      flip(x.name, b);
    }
    EXPECT_EQ(rig().csr(x.addr), before);
  }
}

// Nothing but the flip: no clock edge between it and the output it drives.
TEST(Campaign, FlipsReachTheLogicBehindThemAtOnce) {
  const std::string enable = "u_csr.u_csr.field_storage.irq_enable.job_done.value";
  const std::string cause = "u_csr.u_csr.field_storage.irq_cause.job_done.value";
  rig().bench().csr_write(csr::kIrqCause, csr::kIrqAll);
  rig().bench().csr_write(csr::kIrqEnable, 0);
  flip(cause, 0);
  EXPECT_FALSE(rig().bench().irq());
  flip(enable, 0);
  EXPECT_TRUE(rig().bench().irq());
  flip(cause, 0);
  EXPECT_FALSE(rig().bench().irq());
  flip(enable, 0);
}

// Struct and array layout inside a tile, by way of its counters: [17:0][31:0] packed, counter i in bits 32 i on.
TEST(Campaign, FlipsOfATileCounterAreWhatTheHostReads) {
  for (uint32_t tile = 0; tile < 2; ++tile) {
    for (const isa::Counter c : {isa::Counter::kInstr, isa::Counter::kFlitsIn}) {
      const std::string name = "gen_tile[" + std::to_string(tile) + "].u_tile.u_counters.count_q";
      rig().bench().csr_write(csr::kCntSel, tile | static_cast<uint32_t>(c) << 8);
      const uint32_t before = rig().csr(csr::kCntValue);
      for (const uint32_t bit : {0u, 7u, 31u}) {
        flip(name, 32 * static_cast<uint32_t>(c) + bit);
        EXPECT_EQ(rig().csr(csr::kCntValue), before ^ 1u << bit);
        flip(name, 32 * static_cast<uint32_t>(c) + bit);
      }
    }
  }
}

TEST(Campaign, IntervalIsWilsons) {
  // 5 of 50: 0.0435 .. 0.2136, the example in textbooks; 0 of n: 0 .. z^2 / (n + z^2)
  EXPECT_NEAR(wilson(5, 50).low, 0.0435, 1e-4);
  EXPECT_NEAR(wilson(5, 50).high, 0.2136, 1e-4);
  EXPECT_DOUBLE_EQ(wilson(0, 50).low, 0);
  EXPECT_NEAR(wilson(0, 50).high, 0.0713, 1e-4);
}

// A bit that flips and flips back between two edges is no fault.
TEST(Campaign, FlipAndBackIsAlwaysMasked) {
  std::vector<Shot> shots;
  for (const FlipRow& row : plan_flips(rig(), reference(), 5, 1)) shots.push_back(row.shots[0]);
  for (Shot& s : shots) s.twice = true;
  const std::vector<Result> results = run_all(rig(), reference(), shots, kParallel);
  for (size_t i = 0; i < shots.size(); ++i) {
    const Register& r = rig().registers()[shots[i].reg];
    EXPECT_EQ(results[i].outcome, Outcome::kMasked) << r.scope << "." << r.name << " " << results[i].sign;
  }
}

/// The bit of a tile's SRAM at a byte, data or parity.
Shot sram_shot(uint32_t tile, uint32_t addr, uint32_t bit, const char* name) {
  const uint32_t line = addr / 32;
  const std::string bank =
      "gen_tile[" + std::to_string(tile) + "].u_tile.u_xbar.gen_bank[" + std::to_string(line % 4) + "].u_sram." + name;
  Shot s;
  s.reg = find(bank);
  s.bit = uint64_t{line / 4} * rig().registers()[s.reg].bits + (name[0] == 'm' ? 8 * (addr % 32) + bit : addr % 32);
  return s;
}

// Bytes of a program line, data and parity, are read before the first vector: detected without exception.
TEST(Campaign, FlipsOfProgramWordsAreDetectedByParity) {
  uint32_t in_flight = 0;
  std::vector<Shot> shots;
  std::mt19937 rng(1);
  for (const compiler::TilePlan& p : compiler::generate(rig().compiled(), &in_flight)) {
    for (const char* name : {"mem", "par"}) {
      for (uint32_t byte = 0; byte < 32; byte += 3) {
        shots.push_back(sram_shot(p.piece.tile, p.program_addr / 32 * 32 + byte, rng() % 8, name));
      }
    }
  }
  for (const Result& r : run_all(rig(), reference(), shots, kParallel)) {
    EXPECT_EQ(r.sign, "tile: SRAM parity");
    EXPECT_EQ(r.outcome, Outcome::kRecovered);
  }
}

// What parity cannot see: a bit of a bias together with its parity bit. The campaign must call it silent.
TEST(Campaign, WrongResultsWithoutASignAreCalledSilent) {
  uint32_t in_flight = 0;
  std::vector<Shot> shots;
  for (const compiler::TilePlan& p : compiler::generate(rig().compiled(), &in_flight)) {
    if (p.piece.layer != 1) continue;  // int32 results, where every bias shows
    for (uint32_t n = 0; n < p.piece.n; ++n) {
      Shot s = sram_shot(p.piece.tile, p.bias_addr + 4 * n, n % 8, "mem");
      const Shot parity = sram_shot(p.piece.tile, p.bias_addr + 4 * n, 0, "par");
      s.also.push_back({parity.reg, parity.bit});
      shots.push_back(s);
    }
  }
  ASSERT_EQ(shots.size(), 8u);
  for (const Result& r : run_all(rig(), reference(), shots, kParallel)) {
    EXPECT_EQ(r.outcome, Outcome::kSilent);
    EXPECT_EQ(r.sign, "");
  }
}

// Registers that firmware has written once and cannot read back in the tile: recovery has to write them again.
TEST(Campaign, RecoveryRepairsWindowsAndTiming) {
  const std::string window = "u_csr.u_csr.field_storage.window[0].";
  const std::vector<std::tuple<std::string, uint32_t, std::string>> cases{
      {window + "base_lo.value.value", 20, "DMA: window"},
      {window + "base_hi.value.value", 3, "DMA: window"},
      {window + "size.value.value", 16, "DMA: window"},  // 64 KiB becomes 0
      {window + "attr.read.value", 0, "DMA: window"},
      {window + "attr.write.value", 0, "DMA: window"},
      {"gen_tile[0].u_tile.u_cfg.timing_q", 10, "tile: configuration"},  // SETTLE 4 becomes 0
      {"gen_tile[1].u_tile.u_cfg.timing_q", 5, "tile: configuration"}};  // INTEG 32 becomes 0
  std::vector<Shot> shots;
  for (const auto& [name, bit, sign] : cases) {
    Shot s;
    s.reg = find(name);
    s.bit = bit;
    shots.push_back(s);
  }
  const std::vector<Result> results = run_all(rig(), reference(), shots, kParallel);
  for (size_t i = 0; i < shots.size(); ++i) {
    SCOPED_TRACE(std::get<0>(cases[i]));
    EXPECT_EQ(results[i].sign, std::get<2>(cases[i]));
    EXPECT_EQ(results[i].outcome, Outcome::kRecovered);
  }
}

// A pointer of a queue that a fault has moved: once the queue was empty, words come out as they went in. The later the
// flip in the job, the more of what follows is wrong if not.
TEST(Campaign, NoQueueStaysOutOfStepAfterRecovery) {
  std::vector<Shot> shots;
  const auto& job = reference().jobs[0];
  for (const char* queue : {"u_mvm_queue", "u_vec_queue", "u_net_queue"}) {
    for (const char* pointer : {"rptr_q", "wptr_q"}) {
      for (uint32_t tile = 0; tile < 2; ++tile) {
        for (const uint64_t cycle : {uint64_t{0}, job.begin + job.cycles / 2, job.begin + job.cycles * 3 / 4}) {
          Shot s;
          s.reg = find("gen_tile[" + std::to_string(tile) + "].u_tile." + queue + "." + pointer);
          s.bit = (tile + cycle) % 3;
          s.cycle = cycle;
          shots.push_back(s);
        }
      }
    }
  }
  uint32_t recovered = 0, reset = 0;
  const std::vector<Result> results = run_all(rig(), reference(), shots, kParallel);
  for (size_t i = 0; i < shots.size(); ++i) {
    const Register& r = rig().registers()[shots[i].reg];
    const std::string where =
        r.scope + "." + r.name + ":" + std::to_string(shots[i].bit) + ":" + std::to_string(shots[i].cycle);
    EXPECT_NE(results[i].outcome, Outcome::kBadRecovery) << where;
    if (shots[i].cycle == 0) EXPECT_EQ(results[i].outcome, Outcome::kMasked) << where << " " << results[i].sign;
    recovered += results[i].outcome == Outcome::kRecovered;
    reset += results[i].outcome == Outcome::kReset;
  }
  std::printf("%u recovered, %u needed a reset\n", recovered, reset);
  EXPECT_GE(recovered, 3u);
}

// Anywhere in the lines in use, at any time: parity or nothing.
TEST(Campaign, NoFlipOfSramDataIsSilent) {
  std::vector<Shot> shots;
  for (const FlipRow& row : plan_flips(rig(), reference(), 6, 24)) {
    if (row.part.rfind("SRAM data, lines in use", 0) == 0)
      shots.insert(shots.end(), row.shots.begin(), row.shots.end());
  }
  ASSERT_EQ(shots.size(), 48u);
  uint32_t detected = 0;
  for (const Result& r : run_all(rig(), reference(), shots, kParallel)) {
    if (r.outcome == Outcome::kMasked) continue;
    ++detected;
    EXPECT_EQ(r.sign, "tile: SRAM parity");
    EXPECT_EQ(r.outcome, Outcome::kRecovered);
  }
  EXPECT_GE(detected, 10u);
}

// Errors of the memory: every third of all beats and responses, both kinds. Cause and address as documented
// (rtl/top/README.md): the first address of the burst.
TEST(Campaign, AxiErrorsAreDetectedAndRecovered) {
  const std::vector<AxiShot> all = plan_axi(reference());
  ASSERT_GT(all.size(), 200u);
  std::vector<AxiShot> shots;
  for (size_t i = 0; i < all.size(); i += 3) shots.push_back(all[i]);
  uint32_t writes = 0;
  const std::vector<Result> results = run_all(rig(), reference(), shots, kParallel);
  for (size_t i = 0; i < shots.size(); ++i) {
    const AxiEvent& e = (shots[i].write ? reference().writes : reference().reads)[shots[i].index];
    SCOPED_TRACE(e.phase);
    writes += shots[i].write;
    EXPECT_EQ(results[i].sign, shots[i].write ? "DMA: AXI write" : "DMA: AXI read");
    EXPECT_EQ(results[i].address, e.burst);
    EXPECT_EQ(results[i].outcome, Outcome::kRecovered);
  }
  EXPECT_GE(writes, 5u);
}

// The same seed gives the same outcomes, however many processes work; every run ends with an outcome.
TEST(Campaign, OutcomesAreReproducible) {
  const uint64_t seed = tb::test_seed(7);
  std::vector<Shot> shots;
  for (const FlipRow& row : plan_flips(rig(), reference(), seed, 1))
    shots.insert(shots.end(), row.shots.begin(), row.shots.end());
  const std::vector<Result> a = run_all(rig(), reference(), shots, 1), b = run_all(rig(), reference(), shots, 3);
  for (size_t i = 0; i < shots.size(); ++i) {
    EXPECT_EQ(a[i].outcome, b[i].outcome) << i;
    EXPECT_EQ(a[i].sign, b[i].sign) << i;
    EXPECT_EQ(a[i].latency, b[i].latency) << i;
  }
}

}  // namespace
}  // namespace ohmac::campaign
