// SPDX-License-Identifier: Apache-2.0
// Whole MVMs: every shape, every cut into batches, every SIMD level and any number of threads give the codes of the
// slow way: a plain loop of std::fma, read noise of one vector, and the ADC's search trial by trial.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "models/converters/adc.h"
#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/device/philox.h"
#include "models/device/simd.h"
#include "models/macro/macro.h"
#include "models/macro/mvm_batch.h"

namespace {

using namespace ohmac;

constexpr uint8_t kReadKind = 4, kComparatorKind = 7;

struct RestoreSimd {
  Simd before = simd_level();
  ~RestoreSimd() { force_simd(before); }
};

/// A random array behind random lanes.
struct Case {
  EffectiveMatrix m;
  uint32_t lanes;
  LaneErrors errors;
  AdcColumns adc;
  MvmSettings s;
  std::vector<int8_t> x;
  uint32_t n;
  uint64_t drive;
};

Case random_case(std::mt19937& g, uint32_t rows, uint32_t cols, uint32_t n) {
  const auto pick = [&](uint32_t lo, uint32_t hi) { return std::uniform_int_distribution<uint32_t>(lo, hi)(g); };
  Case c{EffectiveMatrix(rows, cols, pick(0, 3) != 0), pick(1, 40), {}, {}, {}, {}, n, uint64_t{g()} << pick(0, 16)};
  for (auto& w : c.m.w) w = std::normal_distribution<float>(0, 50)(g);
  for (auto& v : c.m.v) v = std::uniform_real_distribution<float>(0, 9)(g);
  const bool spread = pick(0, 1) != 0;
  c.errors = fabricate_lanes(c.lanes, 3, g(), spread ? 5 : 0, spread ? 6 : 0);
  c.adc = AdcColumns(c.errors, c.lanes, cols);
  for (uint32_t k = 0; k < cols; ++k) c.adc.droop[k] = 1 - 0.001f * static_cast<float>(k / c.lanes);
  c.s.run_seed = g() * 0x100000001ull;
  c.s.tile = static_cast<uint16_t>(pick(0, 15));
  c.s.read_noise_kind = kReadKind;
  c.s.comparator_kind = pick(0, 2) != 0 ? kComparatorKind : uint8_t{0};
  c.s.settled = pick(0, 1) != 0 ? 0.9996f : 1.0f;
  // About a third of the codes' range.
  const double sigma = 64 * 50 * std::sqrt(rows);
  c.s.bits = pick(1, 8);
  c.s.range = static_cast<uint32_t>(std::max(0.0, std::log2(sigma * 3 / (1 << (c.s.bits - 1)))));
  c.s.first_column = pick(0, 3) == 0 ? pick(0, cols - 1) : 0;
  c.s.columns = pick(0, 3) == 0 ? pick(1, cols - c.s.first_column) : cols - c.s.first_column;
  // Dense inputs, inputs with rows at 0, groups of rows.
  c.x.assign(static_cast<size_t>(n) * (rows + 1), 0);
  for (uint32_t v = 0; v < n; ++v) {
    const uint32_t way = pick(0, 2), first = way == 2 ? pick(0, rows) : 0, last = way == 2 ? pick(first, rows) : rows;
    for (uint32_t r = first; r <= last; ++r) {
      const int code = static_cast<int>(pick(0, 254)) - 127;
      c.x[static_cast<size_t>(v) * (rows + 1) + r] = static_cast<int8_t>(way == 1 && pick(0, 3) != 0 ? 0 : code);
    }
  }
  return c;
}

/// The slow way, on vectors of four lanes.
std::vector<int8_t> slow_codes(const Case& c) {
  const RestoreSimd restore;
  force_simd(Simd::kBaseline);
  const uint32_t rows = c.m.rows, padded = c.m.chunks() * kChunk;
  std::vector<int8_t> out(static_cast<size_t>(c.n) * c.s.columns);
  std::vector<float> sum(padded), var(padded);
  for (uint32_t v = 0; v < c.n; ++v) {
    const int8_t* x = c.x.data() + static_cast<size_t>(v) * (rows + 1);
    for (uint32_t k = 0; k < padded; ++k) {
      float s = 0, q = 0;
      for (uint32_t r = 0; r <= rows; ++r) {
        s = std::fma(static_cast<float>(x[r]), c.m.w[c.m.index(r, k)], s);
        if (!c.m.v.empty()) q = std::fma(static_cast<float>(x[r] * x[r]), c.m.v[c.m.index(r, k)], q);
      }
      sum[k] = s;
      var[k] = q;
    }
    for (uint32_t k = 0; !c.m.v.empty() && k < c.m.chunks(); ++k)
      add_read_noise(k, c.s.run_seed, kReadKind, c.drive + v, c.s.tile, &var[k * kChunk], &sum[k * kChunk]);
    for (float& s : sum) s *= c.s.settled;
    sum.resize(padded + c.lanes);
    for (uint32_t block = 0; block * c.lanes < c.m.cols; ++block) {
      std::vector<float> y(c.errors.gain.size());
      adc_levels(c.errors, &sum[block * c.lanes], 1 - 0.001f * static_cast<float>(block), c.s.range, c.lanes, y.data());
      const ComparatorNoise noise{c.s.comparator_kind, c.s.tile, c.s.run_seed, c.drive + v, block};
      std::vector<int> u(c.lanes, 0);
      std::vector<int8_t> t(c.lanes);
      std::vector<uint8_t> cmp(c.lanes);
      const int half = 1 << (c.s.bits - 1);
      for (uint32_t i = 0; i < c.s.bits; ++i) {
        for (uint32_t l = 0; l < c.lanes; ++l) t[l] = static_cast<int8_t>((u[l] | half >> i) - half);
        sar_trial(noise, i, y.data(), t.data(), c.lanes, cmp.data());
        for (uint32_t l = 0; l < c.lanes; ++l) u[l] |= cmp[l] != 0 ? half >> i : 0;
      }
      for (uint32_t l = 0; l < c.lanes; ++l) {
        const uint32_t col = block * c.lanes + l;
        if (col < c.s.first_column || col >= c.s.first_column + c.s.columns) continue;
        out[static_cast<size_t>(v) * c.s.columns + col - c.s.first_column] = static_cast<int8_t>(u[l] - half);
      }
    }
  }
  return out;
}

std::vector<int8_t> batch_codes(const Case& c, std::mt19937* cut) {
  std::vector<int8_t> out(static_cast<size_t>(c.n) * c.s.columns);
  MvmBatch batch;
  for (uint32_t done = 0; done < c.n;) {
    const uint32_t n = cut == nullptr ? c.n : 1 + (*cut)() % (c.n - done);
    batch.run(c.m, c.adc, c.s, c.x.data() + static_cast<size_t>(done) * (c.m.rows + 1), n, c.drive + done,
              out.data() + static_cast<size_t>(done) * c.s.columns);
    done += n;
  }
  return out;
}

void check(const Case& c, std::mt19937& g) {
  const auto where = [&] {
    return ::testing::Message() << c.m.rows << "x" << c.m.cols << ", " << c.n << " vectors, " << c.lanes << " lanes, "
                                << c.s.bits << " bits, columns " << c.s.first_column << "+" << c.s.columns << ", "
                                << simd_name(simd_level());
  };
  const auto want = slow_codes(c);
  const RestoreSimd restore;
  for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(level)) continue;
    force_simd(level);
    ASSERT_EQ(batch_codes(c, nullptr), want) << where();
    ASSERT_EQ(batch_codes(c, &g), want) << where() << ", cut";
    std::vector<int8_t> shared(want.size());
    run_mvm_batch(c.m, c.adc, c.s, c.x.data(), c.n, c.drive, shared.data(), 1 + g() % 4);
    ASSERT_EQ(shared, want) << where() << ", threads";
  }
}

TEST(MvmBatch, EveryShapeGivesTheCodesOfTheSlowWay) {
  std::mt19937 g(11);
  for (int i = 0; i < 150; ++i) {
    const uint32_t rows = 1 + g() % (i % 10 == 0 ? 512 : 80), cols = 1 + g() % (i % 10 == 0 ? 512 : 150);
    check(random_case(g, rows, cols, 1 + g() % 13), g);
    if (HasFatalFailure()) return;
  }
}

TEST(MvmBatch, SmallestAndLargestShapes) {
  std::mt19937 g(12);
  for (const auto& [rows, cols, n] : {std::array<uint32_t, 3>{1, 1, 1},
                                      {1, 1, 30},
                                      {1, 512, 3},
                                      {512, 1, 7},
                                      {512, 512, 5},
                                      {256, 256, 53},
                                      {63, 64, 25},
                                      {64, 65, 6}}) {
    check(random_case(g, rows, cols, n), g);
    if (HasFatalFailure()) return;
  }
}

TEST(MvmBatch, BadInputThrows) {
  std::mt19937 g(13);
  Case c = random_case(g, 20, 30, 3);
  c.s.first_column = 0;
  c.s.columns = 30;
  std::vector<int8_t> out(90);
  MvmBatch batch;
  const auto run = [&] { batch.run(c.m, c.adc, c.s, c.x.data(), c.n, 0, out.data()); };
  EXPECT_NO_THROW(run());
  for (size_t at : {size_t{0}, size_t{20}, size_t{62}}) {  // first code, a reference row, the very last
    const int8_t before = c.x[at];
    c.x[at] = -128;
    EXPECT_THROW(run(), std::out_of_range) << at;
    EXPECT_THROW(run_mvm_batch(c.m, c.adc, c.s, c.x.data(), c.n, 0, out.data(), 2), std::out_of_range) << at;
    c.x[at] = before;
  }
  EXPECT_THROW(run_mvm_batch(c.m, c.adc, c.s, c.x.data(), c.n, 0, out.data(), 0), std::invalid_argument);
  c.s.columns = 31;
  EXPECT_THROW(run(), std::out_of_range);
  c.s.columns = 30;
  c.s.bits = 9;
  EXPECT_THROW(run(), std::out_of_range);
  c.s.bits = 8;
  c.adc = AdcColumns(c.errors, c.lanes, 10);
  EXPECT_THROW(run(), std::out_of_range);
}

// Levels at and next to every place where the search could go wrong: thresholds, midpoints, and two steps off.
TEST(Sar, ThreeDrawsGiveTheCodesOfTheSearch) {
  const RestoreSimd restore;
  EXPECT_LE(std::sqrt(62 * std::log(2.0)), static_cast<double>(kGaussianMost));
  std::mt19937 g(14);
  constexpr uint32_t kLanes = 200;
  for (int round = 0; round < 400; ++round) {
    const uint32_t bits = 1 + g() % 8;
    const int half = 1 << (bits - 1);
    std::vector<float> y(208);
    for (auto& v : y) {
      const int quarters = static_cast<int>(g() % static_cast<unsigned>(8 * half + 41)) - 4 * half - 20;
      v = static_cast<float>(quarters) / 4;
      if (g() % 3 == 0) v = std::nextafter(v, g() % 2 ? 1e9f : -1e9f);
      if (g() % 3 == 0) v += std::uniform_real_distribution<float>(-0.25f, 0.25f)(g);
      if (g() % 50 == 0) v = g() % 2 ? 1e9f : -1e9f;
    }
    const ComparatorNoise noise{static_cast<uint8_t>(round % 5 == 0 ? 0 : kComparatorKind), 2, g(), g(), 5};
    std::vector<int> u(kLanes, 0);
    std::vector<int8_t> t(kLanes), codes(kLanes);
    std::vector<uint8_t> cmp(kLanes);
    for (uint32_t i = 0; i < bits; ++i) {
      for (uint32_t l = 0; l < kLanes; ++l) t[l] = static_cast<int8_t>((u[l] | half >> i) - half);
      sar_trial(noise, i, y.data(), t.data(), kLanes, cmp.data());
      for (uint32_t l = 0; l < kLanes; ++l) u[l] |= cmp[l] != 0 ? half >> i : 0;
    }
    for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
      if (!simd_supported(level)) continue;
      force_simd(level);
      sar_convert(noise, y.data(), bits, kLanes, codes.data());
      for (uint32_t l = 0; l < kLanes; ++l)
        ASSERT_EQ(codes[l], u[l] - half) << y[l] << ", " << bits << " bits, " << simd_name(level);
    }
  }
}

// Draws beyond six sigma, found by a search over drives, still turn the decision of a trial nearly two steps away.
TEST(Sar, TheRarestNoiseDecidesTheNearestThreshold) {
  const RestoreSimd restore;
  constexpr uint32_t kLanes = 100, kBlock = 5;
  struct Rare {
    uint64_t drive;
    uint32_t lane;
    float y;  // seen from the threshold of code 0
  };
  for (const Rare& rare : {Rare{6784338, 15, -1.95f}, Rare{42881846, 78, 1.83f}}) {
    const auto r = philox(1, Draw{kComparatorKind, rare.drive, 2, static_cast<uint16_t>(rare.lane), kBlock * 16});
    const double u = ((r[0] >> 1) + 1.0) * std::pow(2.0, -31), half_turns = static_cast<int32_t>(r[1]) * 0x1p-32;
    const double noise = 0.3 * std::sqrt(-2 * std::log(u)) * std::sin(std::acos(-1.0) * half_turns);
    ASSERT_LT(rare.y * (rare.y + noise), 0);  // the noise turns it
    const std::vector<float> y(112, rare.y - 0.5f);
    for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
      if (!simd_supported(level)) continue;
      force_simd(level);
      for (uint32_t bits = 3; bits <= 8; ++bits) {
        std::vector<int8_t> codes(kLanes);
        sar_convert({kComparatorKind, 2, 1, rare.drive, kBlock}, y.data(), bits, kLanes, codes.data());
        // The trials that follow see y on the far side of the code and stay within its four.
        if (noise > 0) {
          EXPECT_EQ(codes[rare.lane], 0) << bits << " bits, " << simd_name(level);
        } else {
          EXPECT_EQ(codes[rare.lane], -1) << bits << " bits, " << simd_name(level);
        }
      }
    }
  }
}

struct Listener : ConversionTrace {
  std::vector<int> heard;
  void conversion(uint32_t tile, uint64_t drive, uint32_t block, const int8_t* codes, uint32_t lanes) override {
    for (int v : {static_cast<int>(tile), static_cast<int>(drive), static_cast<int>(block)}) heard.push_back(v);
    heard.insert(heard.end(), codes, codes + lanes);
  }
};

// The macro's two ways at function level, every effect and fault on or off.
TEST(MacroMvm, EqualsDriveAndConvert) {
  std::mt19937 g(15);
  for (int i = 0; i < 60; ++i) {
    MacroConfig config;
    config.geometry = i % 3 == 0 ? reference_geometry() : tiny_geometry();
    if (i % 3 == 1) config.geometry = Geometry{1, 1, 36, 72, 24, 16384, 4};
    config.tile = g() % 16;
    config.chip_seed = g();
    config.run_seed = g();
    config.age_s = 1000;
    for (uint32_t e = 0; e < kNumEffects; ++e) config.effects.set(static_cast<Effect>(e), g() % 4 != 0);
    config.faults.dead_lanes = g() % 3;
    config.faults.open_columns = g() % 3;
    const Geometry& k = config.geometry;
    Macro a(config);
    std::vector<int8_t> w(static_cast<size_t>(k.rows) * k.cols);
    for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
    a.program_cells(0, 0, k.rows, k.cols, w.data());
    Macro b(a);
    Listener heard_a, heard_b;
    a.set_trace(&heard_a);
    b.set_trace(&heard_b);
    Conversions c{0, k.mux(), 2, 10, 8, 8};
    for (int round = 0; round < 7; ++round) {
      const uint32_t n = 1 + g() % 9;
      std::vector<int8_t> x(static_cast<size_t>(n) * (k.rows + 1));
      for (auto& v : x) v = static_cast<int8_t>(g() % 3 == 0 ? 0 : static_cast<int>(g() % 255) - 127);
      switch (round) {  // one thing at a time, with holds that droop by codes
        case 1: c.first_block = 1 + g() % (k.mux() - 1); [[fallthrough]];
        case 2: c.blocks = 1 + g() % (k.mux() - c.first_block); break;
        case 3: c.hold_cycles = 3000; break;
        case 4: c.period_cycles = 900; break;
        case 5: c.range = 6 + g() % 6; break;
        case 6: c.bits = 1 + g() % 7; break;
        default: break;
      }
      const uint32_t integrate = 1 + g() % 40;
      std::vector<int8_t> want(static_cast<size_t>(n) * c.blocks * k.lanes), got(want.size());
      for (uint32_t v = 0; v < n; ++v) {
        a.drive(&x[static_cast<size_t>(v) * (k.rows + 1)], integrate);
        for (uint32_t m = 0; m < c.blocks; ++m)
          a.convert(c.first_block + m, c.hold_cycles + m * c.period_cycles, c.range, c.bits,
                    &want[(static_cast<size_t>(v) * c.blocks + m) * k.lanes]);
      }
      b.mvm(x.data(), n, integrate, c, got.data());
      ASSERT_EQ(got, want) << "case " << i << " round " << round;
      ASSERT_EQ(a.drive_count(), b.drive_count());
      if (round == 1) {  // what follows sees new devices
        std::vector<uint32_t> mask((k.cols + 31) / 32, 0xffffffffu);
        if (k.cols % 32 != 0) mask.back() = (1u << (k.cols % 32)) - 1;
        for (Macro* m : {&a, &b}) {
          m->pulse(3, false, true, 9, 25, mask.data());
          m->repair(0, true, 1);
          m->advance_time(50);
        }
      }
    }
    EXPECT_EQ(heard_a.heard, heard_b.heard);
  }
}

TEST(MacroMvm, BadArgumentsThrowAndChangeNothing) {
  MacroConfig config;
  config.geometry = tiny_geometry();
  Macro m(config);
  const std::vector<int8_t> x(33, 1);
  std::vector<int8_t> codes(32);
  const Conversions ok{0, 4, 2, 10, 7, 8};
  const auto with = [&](auto change) {
    Conversions c = ok;
    change(c);
    return c;
  };
  EXPECT_THROW(m.mvm(x.data(), 1, 0, ok, codes.data()), std::invalid_argument);
  EXPECT_THROW(m.mvm(x.data(), 1, 32, with([](auto& c) { c.blocks = 5; }), codes.data()), std::out_of_range);
  EXPECT_THROW(m.mvm(x.data(), 1, 32, with([](auto& c) { c.first_block = 0xffffffff; }), codes.data()),
               std::out_of_range);
  EXPECT_THROW(m.mvm(x.data(), 1, 32, with([](auto& c) { c.range = 16; }), codes.data()), std::out_of_range);
  EXPECT_THROW(m.mvm(x.data(), 1, 32, with([](auto& c) { c.bits = 0; }), codes.data()), std::out_of_range);
  EXPECT_EQ(m.drive_count(), 0u);
  m.mvm(x.data(), 1, 32, ok, codes.data());
  EXPECT_EQ(m.drive_count(), 1u);
  EXPECT_THROW(m.convert(0, 2, 7, 8, codes.data()), std::logic_error);  // nothing stays sampled
}

}  // namespace
