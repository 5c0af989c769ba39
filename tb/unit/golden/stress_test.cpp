// SPDX-License-Identifier: Apache-2.0
// Random programs on the Verilated tile, disturbed: back-pressure on NoC, SRAM and queues, faults of every kind in the
// program, a stop by the host, a bit error in the SRAM or a reset at any moment. What has no fault ends as in the
// golden tile, bit for bit; what has one halts with the cause that the golden tile reports; after a clear or a reset
// the tile runs the next program as a new one would. It never hangs. Registers without reset start with random values.
#include <array>
#include <optional>

#include "Vgolden_stress_test_dut.h"
#include "Vgolden_stress_test_dut___024root.h"
#include "models/golden/disasm.h"
#include "tb/unit/golden/rtl_tile.h"

namespace ohmac::test {
namespace {

using golden::TileStatus;
using isa::Fault;
using tb::RandomOptions;
using tb::RandomProgram;
using Tile = RtlTile<Vgolden_stress_test_dut>;

enum class Event { kNone, kStop, kSpoil, kReset };

/// How often what happened, over all seeds.
struct Tally {
  uint32_t programs = 0, well = 0, resets = 0, state = 0;
  uint64_t rtl_cycles = 0, golden_cycles = 0;  // of programs that nothing cut short
  std::array<uint32_t, 16> cause{};
};

struct Plan {
  explicit Plan(uint64_t seed) : rng(seed * 0x9E3779B97F4A7C15u + 1) {
    first.faulty = below(2) == 0;
    first.prog = below(4) != 0;
    first.traps = true;
    first.traffic = below(2) * below(80);
    next.prog = below(2) == 0;
    next.traps = true;
    next.traffic = below(2) * below(20);
    constexpr Event kEvents[] = {Event::kStop, Event::kStop, Event::kSpoil, Event::kReset};
    const uint32_t e = below(10);
    event = e < 4 ? kEvents[e] : Event::kNone;
    stall = 25 * below(4);
    refuse = 25 * below(4);
    hide = 25 * below(4);
    clear = below(3) != 0;
    probe = below(2) == 0;
  }
  uint32_t below(uint64_t n) { return static_cast<uint32_t>(rng() % n); }

  std::mt19937_64 rng;
  RandomOptions first, next;
  Event event;
  uint32_t stall, refuse, hide;  ///< percent: flits, SRAM grants, heads of queues
  bool clear, probe;             ///< recover by tile.ctrl.clear, not by reset; look at the tokens before
};

/// Cycles in which the RTL must have come to rest, however much it is held up.
uint64_t bound(const GoldenTile& g) { return 100 * g.now() + 100000; }

/// The program is over on both, undisturbed.
void expect_end(Tile& r, const std::vector<uint32_t>& before, const GoldenTile& g, const RandomProgram& p, bool tokens,
                Tally* tally) {
  const TileStatus s = g.status(), rs = r.status();
  if (!overflowed(p, s)) {
    EXPECT_EQ(s.fault, p.fault) << "golden machine";
  }
  EXPECT_EQ(rs.fault, s.fault) << "rtl " << text(rs) << ", golden " << text(s);
  EXPECT_TRUE(rs.halted && !rs.running) << text(rs);
  if (overflowed(p, s)) return;
  if (p.fault == Fault::kNone || p.fault_pc >= 0) {
    EXPECT_EQ(rs.pc, s.pc);
  }
  if (!p.compare_state) return;
  ++tally->state;
  expect_same_end(r, before, g);
  expect_same_sram(r.read_sram(), g.sram());
  if (tokens) expect_tokens(r, [&](uint32_t t) { return g.token(t); });
}

void expect_fresh(Tile& r) {
  EXPECT_EQ(r.status().fault, Fault::kNone);
  EXPECT_FALSE(r.status().running || r.status().halted);
  for (const uint32_t v : exact_counters(r)) EXPECT_EQ(v, 0u);
  for (const uint8_t b : r.read_sram())
    if (b != 0) return static_cast<void>(ADD_FAILURE() << "the SRAM is not cleared");
  for (const int32_t block : r.macro.device_state().array.spare_block) EXPECT_EQ(block, -1) << "a repair has survived";
}

void run_seed(uint64_t seed, Tally* tally) {
  Plan plan(seed);
  const RandomProgram first = tb::random_program(2 * seed, plan.first);
  MacroConfig mc;
  mc.geometry = first.geometry;
  Macro macro(mc);
  macro.program_cells(0, 0, first.geometry.rows, first.geometry.cols, first.cells.data());
  GoldenTile g(first.geometry, macro);
  run_golden(g, first);

  const std::string refuse = "+ohmac_refuse=" + std::to_string(plan.refuse),
                    hide = "+ohmac_stall=" + std::to_string(plan.hide);
  Tile r(first.geometry, macro, seed, [&](VerilatedContext& context) {
    const char* args[] = {"tile", refuse.c_str(), hide.c_str()};
    context.commandArgs(3, args);
    context.randReset(2);
    context.randSeed(static_cast<int>(seed % 0x7FFFFFFF) + 1);
  });
  load(r, first, true);
  const std::vector<uint32_t> before = exact_counters(r);
  r.set_stall(plan.stall);
  const uint64_t from = r.now;
  r.start(first.pc);
  for (const golden::Flit& f : first.flits) r.push(to_rtl(f));
  ++tally->programs;

  std::optional<Fault> allowed;  // besides what the program ends with
  bool rests = false;
  if (plan.event != Event::kNone) rests = r.run(1 + plan.below(2 * g.now() + 50));
  if (plan.event == Event::kReset) {
    ++tally->resets;
    r.reset();
    r.set_stall(0);
    expect_fresh(r);
    expect_tokens(r, [](uint32_t) { return 0; });
    plan.clear = false;
    g.reset();
  } else {
    auto& spoil = r.dut().rootp->ohmac_tile__DOT__u_xbar__DOT__spoil;
    const TileStatus s = r.status();
    if (plan.event == Event::kStop) {
      if (s.running && s.fault == Fault::kNone) allowed = Fault::kStopped;
      r.stop();
      rests = false;
    } else if (plan.event == Event::kSpoil) {
      allowed = Fault::kSramParity;
      spoil = 1;
    }
    if (!rests) rests = r.run(bound(g));
    ASSERT_TRUE(rests) << "the tile hangs: " << text(r.status());
    spoil = 0;
    r.set_stall(0);
    if (plan.event == Event::kNone) {
      tally->rtl_cycles += r.now - from;
      tally->golden_cycles += g.now();
    }
    ++tally->cause[static_cast<size_t>(r.status().fault)];
    tally->well += r.status().fault == Fault::kNone;
    const bool stopped = allowed && r.status().fault == *allowed;
    if (!stopped) expect_end(r, before, g, first, plan.probe, tally);
    EXPECT_TRUE(r.status().halted && !r.status().running) << text(r.status());
    if (r.status().fault == Fault::kNone && plan.event == Event::kNone) return expect_no_protocol_error(r.macro);
    if (plan.clear) {
      r.clear();
      EXPECT_EQ(r.status().fault, Fault::kNone);
      expect_tokens(r, [](uint32_t) { return 0; });
    } else {
      r.reset();
      expect_fresh(r);
    }
    g = GoldenTile(first.geometry, macro);
  }
  if (::testing::Test::HasFailure()) return;

  // The next program, with the devices as they are now.
  const RandomProgram next = tb::random_program(2 * seed + 1, plan.next);
  r.sent.clear();
  load(r, next, !plan.clear);
  g.macro() = r.macro;
  g.macro().repair_clear();
  run_golden(g, next);
  const std::vector<uint32_t> between = exact_counters(r);
  r.set_stall(plan.stall);
  r.start(next.pc);
  for (const golden::Flit& f : next.flits) r.push(to_rtl(f));
  ++tally->programs;
  ASSERT_TRUE(r.run(bound(g))) << "the next program hangs: " << text(r.status());
  r.set_stall(0);
  tally->well += r.status().fault == Fault::kNone;
  expect_end(r, between, g, next, true, tally);
  expect_no_protocol_error(r.macro);
  if (::testing::Test::HasFailure()) std::printf("next program\n%s", next.listing().c_str());
}

TEST(Stress, RandomPrograms) {
  const auto [first, last] = seed_range(800);
  Tally tally;
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE(rerun(seed));
    run_seed(seed, &tally);
    if (HasFailure()) {
      std::printf("%s", tb::random_program(2 * seed, Plan(seed).first).listing().c_str());
      return;
    }
  }
  const double slower = static_cast<double>(tally.rtl_cycles) / static_cast<double>(tally.golden_cycles);
  std::printf(
      "%u programs: %u ended well, %u were reset, %u compared in every bit; %.1f times the cycles of calm ones;"
      " first programs ended with",
      tally.programs, tally.well, tally.resets, tally.state, slower);
  for (size_t i = 1; i < tally.cause.size(); ++i)
    if (tally.cause[i] != 0) std::printf(" %s %u", golden::fault_name(static_cast<Fault>(i)), tally.cause[i]);
  std::printf("\n");
  if (last - first < 500) return;
  // Calm programs agree within 0.4 % (lockstep_test); most of a stall hides behind conversions and pulses.
  EXPECT_GT(slower, 1.05) << "the disturbances do not disturb";
  for (const Fault f : {Fault::kIllegalInstr, Fault::kAddress, Fault::kLoop, Fault::kTokenOverflow, Fault::kConfig,
                        Fault::kWatchdog, Fault::kSramParity, Fault::kOverflow, Fault::kStopped})
    EXPECT_GT(tally.cause[static_cast<size_t>(f)], 0u) << golden::fault_name(f);
}

}  // namespace
}  // namespace ohmac::test
