// SPDX-License-Identifier: Apache-2.0
// Speed of the macro model: whole MVMs at function level, pin-level cycles, kernels at each SIMD level.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "models/device/simd.h"
#include "models/macro/macro.h"

namespace {

using namespace ohmac;

MacroConfig config(bool ideal) {
  MacroConfig c;
  if (ideal) c.effects = EffectSet::none();
  return c;
}

std::vector<int8_t> codes(size_t n, unsigned seed, int limit) {
  std::mt19937 g(seed);
  std::vector<int8_t> v(n);
  for (auto& x : v) x = static_cast<int8_t>(static_cast<int>(g() % (2u * static_cast<unsigned>(limit) + 1)) - limit);
  return v;
}

Macro programmed(bool ideal) {
  Macro m(config(ideal));
  m.program_cells(0, 0, 256, 256, codes(65536, 1, 127).data());
  return m;
}

bool use_level(benchmark::State& state, int64_t level) {
  const auto l = static_cast<Simd>(level);
  if (!simd_supported(l)) {
    state.SkipWithError("not supported by this machine");
    return false;
  }
  force_simd(l);
  state.SetLabel(simd_name(l));
  return true;
}

/// One drive of 256 dense rows and eight conversions: a whole 256 x 256 MVM of one phase.
void MvmAndConvert(benchmark::State& state) {
  if (!use_level(state, state.range(1))) return;
  Macro m = programmed(state.range(0) != 0);
  auto x = codes(257, 2, 127);
  x[256] = 0;
  int8_t out[32];
  for (auto _ : state) {
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 8; ++b) m.convert(b, 2 + 10 * b, 10, 8, out);
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MvmAndConvert)->ArgNames({"ideal", "simd"})->ArgsProduct({{1, 0}, {0, 1, 2}});

/// The same with one conversion: a layer of 32 columns.
void MvmOneBlock(benchmark::State& state) {
  if (!use_level(state, state.range(1))) return;
  Macro m = programmed(state.range(0) != 0);
  auto x = codes(257, 2, 127);
  int8_t out[32];
  for (auto _ : state) {
    m.drive(x.data(), 32);
    m.convert(3, 2, 10, 8, out);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MvmOneBlock)->ArgNames({"ideal", "simd"})->ArgsProduct({{1, 0}, {0, 1, 2}});

/// Whole MVMs of 16 tiles in turn, as a chip makes them: the matrices no longer fit the level-2 cache.
void MvmSixteenTiles(benchmark::State& state) {
  const auto w = codes(65536, 1, 127);
  std::vector<Macro> tiles;
  for (uint32_t t = 0; t < 16; ++t) {
    MacroConfig c = config(state.range(0) != 0);
    c.tile = t;
    tiles.emplace_back(c);
    tiles.back().program_cells(0, 0, 256, 256, w.data());
  }
  const auto x = codes(257, 2, 127);
  int8_t out[32];
  for (auto _ : state) {
    for (auto& m : tiles) {
      m.drive(x.data(), 32);
      for (uint32_t b = 0; b < 8; ++b) m.convert(b, 2 + 10 * b, 10, 8, out);
    }
  }
  state.SetItemsProcessed(state.iterations() * 16);
}
BENCHMARK(MvmSixteenTiles)->ArgName("ideal")->Arg(1)->Arg(0);

/// A cycle in which nothing happens.
void StepIdle(benchmark::State& state) {
  Macro m = programmed(false);
  PinsIn p;
  int8_t code[32] = {};
  uint8_t cmp[32];
  for (auto _ : state) m.step(p, code, cmp);
}
BENCHMARK(StepIdle);

/// A cycle with a trial of 32 lanes, in conversions of 8 trials and 2 quiet cycles; time is a cycle of the ten.
void StepConversion(benchmark::State& state) {
  Macro m = programmed(state.range(0) != 0);
  PinsIn p;
  int8_t code[32] = {};
  uint8_t cmp[32] = {};
  const auto x = codes(257, 2, 127);
  for (uint32_t r = 0; r < 256; r += 4) {
    p = {};
    p.row_we = true;
    p.row_addr = static_cast<uint8_t>(r / 4);
    for (uint32_t i = 0; i < 4; ++i)
      p.row_wdata |= static_cast<uint32_t>(x[r + i] < 0 ? 0x80 | -x[r + i] : x[r + i]) << (8 * i);
    m.step(p, code, cmp);
  }
  for (uint32_t c = 0; c <= 36; ++c) {
    p = {};
    p.drive = true;
    p.int_rst = c == 0;
    p.integrate = c >= 4 && c < 36;
    p.sample = c == 36;
    m.step(p, code, cmp);
  }
  p = {};
  p.range = 10;
  int cycles = 0;
  for (auto _ : state) {
    p.mux_sel = static_cast<uint8_t>((p.mux_sel + 1) % 8);
    p.sar_strobe = false;
    m.step(p, code, cmp);
    p.sar_strobe = true;
    int u[32] = {};
    for (int j = 7; j >= 0; --j) {
      for (int l = 0; l < 32; ++l) code[l] = static_cast<int8_t>((u[l] | 1 << j) - 128);
      m.step(p, code, cmp);
      for (int l = 0; l < 32; ++l) u[l] |= cmp[l] << j;
    }
    p.sar_strobe = false;
    m.step(p, code, cmp);
    cycles += 10;
  }
  if (!m.protocol_errors().empty()) state.SkipWithError("protocol error");
  state.counters["s_per_cycle"] = benchmark::Counter(cycles, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(StepConversion)->ArgName("ideal")->Arg(1)->Arg(0);

/// Formula programming of one tile and its first effective matrix.
void ProgramTile(benchmark::State& state) {
  const auto w = codes(65536, 1, 127);
  std::vector<int8_t> x(257, 0);
  int8_t out[32];
  for (auto _ : state) {
    Macro m(config(false));
    m.program_cells(0, 0, 256, 256, w.data());
    m.drive(x.data(), 32);
    m.convert(0, 2, 10, 8, out);
  }
}
BENCHMARK(ProgramTile)->Unit(benchmark::kMillisecond);

/// A new age: every device drifts, the effective matrix is computed again.
void NewAge(benchmark::State& state) {
  Macro m = programmed(false);
  std::vector<int8_t> x(257, 0);
  int8_t out[32];
  double age = 1;
  for (auto _ : state) {
    m.set_age(age += 1);
    m.drive(x.data(), 32);
    m.convert(0, 2, 10, 8, out);
  }
}
BENCHMARK(NewAge)->Unit(benchmark::kMillisecond);

/// A fresh row in the write-verify of PROG: verify reads of all 256 columns, each followed by up to four pulses, one a
/// class. Time is an iteration: a verify read and its pulses.
void VerifyAndPulse(benchmark::State& state) {
  Macro m(config(false));
  const auto target = codes(256, 7, 127);
  std::vector<int8_t> x(257, 0);
  int8_t out[256];
  uint32_t mask[4][8];
  uint32_t row = 0, iteration = 0, amp = 15;
  uint64_t pulsed = 0;
  x[0] = 64;
  for (auto _ : state) {
    if (++iteration == 12) {
      iteration = 0;
      amp = 15;
      x[row] = 0;
      row = (row + 1) % 256;
      x[row] = 64;
    }
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 8; ++b) m.convert(b, 2 + 10 * b, 6, 8, out + 32 * b);
    for (auto& words : mask)
      for (auto& word : words) word = 0;
    for (uint32_t c = 0; c < 256; ++c) {
      const int e = out[c] - target[c];
      if (e >= -2 && e <= 2) continue;
      const bool neg = target[c] < 0, set = neg ? e > 0 : e < 0;
      mask[2 * neg + !set][c / 32] |= 1u << (c % 32);
      ++pulsed;
    }
    for (uint32_t k = 0; k < 4; ++k) m.pulse(row, k / 2, k % 2 == 0, amp, 25, mask[k]);
    if (amp > 0) --amp;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["pulsed"] = static_cast<double>(pulsed) / static_cast<double>(state.iterations());
}
BENCHMARK(VerifyAndPulse)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
