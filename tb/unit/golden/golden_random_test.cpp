// SPDX-License-Identifier: Apache-2.0
// Random programs on the golden tile: they end as they should, twice the same, and whatever the moment their flits
// arrive.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "tb/common/random_program.h"
#include "tb/unit/golden/program.h"

namespace ohmac::test {
namespace {

using golden::TileStop;
using tb::RandomOptions;
using tb::RandomProgram;

struct End {
  TileStop stop;
  golden::TileStatus status;
  std::vector<uint8_t> sram;
  std::vector<uint32_t> config;
  std::vector<uint8_t> tokens;
  std::vector<uint32_t> counters;
  std::vector<golden::Flit> sent;
  uint64_t drives;
};

/// Delivers the flits `spacing` cycles apart; ideal = without noise.
End execute(const RandomProgram& p, uint64_t spacing, bool ideal) {
  MacroConfig c;
  c.geometry = p.geometry;
  if (ideal) c.effects = EffectSet::none();
  Macro macro(c);
  macro.program_cells(0, 0, p.geometry.rows, p.geometry.cols, p.cells.data());
  GoldenTile t(p.geometry, macro);
  std::memcpy(t.sram(), p.sram.data(), p.sram.size());
  for (const auto& [word, value] : p.config) t.write_config(word, value);
  t.start(p.pc);
  for (const golden::Flit& f : p.flits) {
    t.run(spacing);
    t.deliver(f);
  }
  End e;
  e.stop = t.run(uint64_t{1} << 32);
  e.status = t.status();
  e.sram.assign(t.sram(), t.sram() + t.sram_bytes());
  for (uint32_t w = 0; w < 0x400; ++w) e.config.push_back(t.config(w));
  for (uint32_t i = 0; i < isa::kNumTokens; ++i) e.tokens.push_back(t.token(i));
  for (const auto& info : isa::kCounters)
    e.counters.push_back(info.exact ? t.counter(static_cast<isa::Counter>(info.index)) : 0);
  e.sent = t.sent();
  e.drives = t.macro().drive_count();
  return e;
}

void expect_equal(const End& a, const End& b) {
  EXPECT_EQ(a.status.fault, b.status.fault);
  EXPECT_EQ(a.sram, b.sram);
  EXPECT_EQ(a.config, b.config);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.counters, b.counters);
  EXPECT_EQ(a.drives, b.drives);
  ASSERT_EQ(a.sent.size(), b.sent.size());
  for (size_t i = 0; i < a.sent.size(); ++i) {
    EXPECT_EQ(a.sent[i].addr, b.sent[i].addr);
    EXPECT_EQ(std::memcmp(a.sent[i].data, b.sent[i].data, 16), 0);
  }
}

/// OHMAC_SEED reruns one seed.
std::pair<uint64_t, uint64_t> seeds(uint64_t n) {
  if (const char* s = std::getenv("OHMAC_SEED")) {
    const uint64_t v = std::strtoull(s, nullptr, 0);
    return {v, v + 1};
  }
  return {0, n};
}

TEST(RandomPrograms, HaltAndRepeat) {
  const auto [first, last] = seeds(600);
  uint64_t total[isa::kNumCounters] = {}, loops = 0;
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE("OHMAC_SEED=" + std::to_string(seed));
    RandomOptions o;
    o.prog = seed % 4 < 2;
    const RandomProgram p = tb::random_program(seed, o);
    const End a = execute(p, 0, seed % 2 != 0), b = execute(p, 0, seed % 2 != 0), c = execute(p, 3000, seed % 2 != 0);
    ASSERT_EQ(a.stop, TileStop::kHalted) << "fault " << static_cast<int>(a.status.fault) << " at " << a.status.pc
                                         << "\n"
                                         << p.listing();
    expect_equal(a, b);
    expect_equal(a, c);  // late flits
    for (uint32_t i = 0; i < isa::kNumTokens; ++i) EXPECT_EQ(a.tokens[i], 0) << i;
    for (size_t i = 0; i < a.counters.size(); ++i) total[i] += a.counters[i];
    for (uint32_t i = 0; i < p.instructions; ++i) {
      uint64_t w;
      std::memcpy(&w, &p.sram[(p.pc + i) * 8], 8);
      loops += isa::kOpcode.get(w) == static_cast<uint64_t>(isa::Op::kLoop);
    }
    if (::testing::Test::HasFailure()) return;
  }
  if (last - first < 100) return;
  for (const auto& info : isa::kCounters) {
    if (!info.exact) continue;
    EXPECT_GT(total[info.index], last - first) << info.name;
    RecordProperty(info.name, static_cast<int>(total[info.index] / (last - first)));
  }
  EXPECT_GT(loops, last - first);
}

TEST(RandomPrograms, FaultWithTheKnownCause) {
  const auto [first, last] = seeds(300);
  RandomOptions o;
  o.faulty = true;
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE("OHMAC_SEED=" + std::to_string(seed));
    const RandomProgram p = tb::random_program(seed, o);
    const End a = execute(p, 0, true), b = execute(p, 500, true);
    ASSERT_EQ(a.stop, TileStop::kFaulted) << p.listing();
    ASSERT_EQ(a.status.fault, p.fault) << p.listing();
    if (p.fault_pc >= 0) {
      EXPECT_EQ(a.status.pc, p.fault_pc);
    }
    expect_equal(a, b);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RandomPrograms, ReferenceGeometry) {
  const auto [first, last] = seeds(20);
  RandomOptions o;
  o.geometry = reference_geometry();
  o.max_phases = 100;
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE("OHMAC_SEED=" + std::to_string(seed));
    const RandomProgram p = tb::random_program(seed, o);
    const End a = execute(p, 0, true);
    ASSERT_EQ(a.stop, TileStop::kHalted) << p.listing();
    expect_equal(a, execute(p, 1000, true));
  }
}

}  // namespace
}  // namespace ohmac::test
