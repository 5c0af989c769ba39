// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include "models/converters/adc.h"
#include "models/converters/sar_dac.h"
#include "models/device/simd.h"
#include "models/macro/macro.h"
#include "tb/unit/models/pin_timeline.h"

namespace {

using namespace ohmac;
using test::PinTimeline;
using Codes = std::vector<int8_t>;

std::vector<int8_t> random_codes(size_t n, std::mt19937& g, int limit = 127) {
  std::vector<int8_t> v(n);
  for (auto& x : v) x = static_cast<int8_t>(std::uniform_int_distribution<int>(-limit, limit)(g));
  return v;
}

MacroConfig config(const Geometry& geometry, EffectSet effects) {
  MacroConfig c;
  c.geometry = geometry;
  c.effects = effects;
  return c;
}

EffectSet only(Effect e) {
  EffectSet s = EffectSet::none();
  s.set(e, true);
  return s;
}

/// clamp(floor(s / 2^range + 1/2)) in integers.
int integer_code(int s, uint32_t range, uint32_t bits) {
  const int half = 1 << (bits - 1);
  const int code = (2 * s + (1 << range)) >> (range + 1);
  return std::min(half - 1, std::max(-half, code));
}

struct Recorder : ConversionTrace {
  struct Entry {
    uint32_t tile;
    uint64_t drive;
    uint32_t block;
    Codes codes;
    bool operator==(const Entry& o) const {
      return std::tie(tile, drive, block, codes) == std::tie(o.tile, o.drive, o.block, o.codes);
    }
  };
  std::vector<Entry> entries;
  void conversion(uint32_t tile, uint64_t drive, uint32_t block, const int8_t* codes, uint32_t lanes) override {
    entries.push_back({tile, drive, block, Codes(codes, codes + lanes)});
  }
};

// A random workload, as waveform and as calls.
struct Workload {
  struct Conversion {
    uint32_t block, hold, range, bits;
  };
  struct Drive {
    std::vector<int8_t> x;
    uint32_t integrate;
    std::vector<Conversion> conversions;
  };
  std::vector<Drive> drives;
  PinTimeline pins;
};

/// Phases with random inputs, integration, blocks, ranges and idle times; the load and drive of one overlap the
/// conversions of the one before.
Workload random_workload(const Geometry& g, std::mt19937& rng, int drives) {
  Workload w;
  const auto pick = [&](uint32_t lo, uint32_t hi) { return std::uniform_int_distribution<uint32_t>(lo, hi)(rng); };
  size_t bank_free[2] = {0, 0}, drive_free = 0, adc_free = 0, load_free = 0;
  for (int k = 0; k < drives; ++k) {
    const bool bank = k & 1;
    Workload::Drive d;
    d.x.assign(g.rows + 1, 0);
    const uint32_t first = pick(0, g.rows - 1), count = pick(1, g.rows - first);
    const int limit = pick(0, 2) == 0 ? 1 : 127;
    for (uint32_t r = first; r < first + count; ++r) d.x[r] = random_codes(1, rng, limit)[0];
    if (pick(0, 4) == 0) d.x[g.rows] = random_codes(1, rng)[0];
    d.integrate = pick(1, 40);
    const uint32_t settle = pick(1, 6);
    const size_t loaded = w.pins.load(std::max(load_free, bank_free[bank]), bank, d.x);
    load_free = loaded;
    size_t start = std::max(loaded, drive_free);
    start += pick(0, 3);
    // The sample must not come before the conversions already scheduled are over (issue rule of the tile).
    if (start + settle + d.integrate + 1 < adc_free) start = adc_free - (settle + d.integrate + 1);
    const size_t sampled = start + settle + d.integrate;
    drive_free = w.pins.drive(start, bank, bank, settle, d.integrate);
    bank_free[bank] = drive_free;
    size_t t = sampled + 1 + pick(0, 2) * pick(0, 50);
    const uint32_t blocks = pick(1, g.mux()), first_block = pick(0, g.mux() - blocks);
    const uint32_t range = pick(0, 15), bits = pick(1, 8);
    for (uint32_t b = first_block; b < first_block + blocks; ++b) {
      d.conversions.push_back({b, static_cast<uint32_t>(t + 1 - sampled), range, bits});
      t = w.pins.convert(t, bank, static_cast<uint8_t>(b), static_cast<uint8_t>(range), bits);
    }
    adc_free = t;
    w.drives.push_back(std::move(d));
  }
  return w;
}

std::vector<Codes> run_functions(Macro* m, const Workload& w) {
  std::vector<Codes> out;
  for (const auto& d : w.drives) {
    m->drive(d.x.data(), d.integrate);
    for (const auto& c : d.conversions) {
      out.emplace_back(m->config().geometry.lanes);
      m->convert(c.block, c.hold, c.range, c.bits, out.back().data());
    }
  }
  return out;
}

uint64_t test_seed() {
  const char* s = std::getenv("OHMAC_TEST_SEED");
  return s != nullptr ? std::strtoull(s, nullptr, 0) : 20240611;
}

class MacroOnGeometry : public ::testing::TestWithParam<Geometry> {};
INSTANTIATE_TEST_SUITE_P(Sizes, MacroOnGeometry,
                         ::testing::Values(tiny_geometry(), reference_geometry(), Geometry{1, 1, 64, 120, 24, 16384, 5},
                                           Geometry{1, 1, 4, 8, 8, 16384, 0}));

TEST_P(MacroOnGeometry, IdealEqualsTheIntegerFormulaAtBothLevels) {
  const Geometry g = GetParam();
  std::mt19937 rng(static_cast<unsigned>(test_seed()));
  RecordProperty("seed", std::to_string(test_seed()));
  for (int round = 0; round < 6; ++round) {
    MacroConfig ideal = config(g, EffectSet::none());
    ideal.dac = round % 2 ? DacMode::kPwm : DacMode::kVoltage;
    Macro by_pins(ideal);
    const auto w = random_codes(g.rows * g.cols, rng);
    by_pins.program_cells(0, 0, g.rows, g.cols, w.data());
    by_pins.set_age(round * 1e6);
    Macro by_calls(by_pins);
    Workload work = random_workload(g, rng, 12);
    const auto pins = work.pins.run(&by_pins);
    const auto calls = run_functions(&by_calls, work);
    ASSERT_TRUE(by_pins.protocol_errors().empty()) << by_pins.protocol_errors()[0].rule;
    size_t k = 0;
    for (const auto& d : work.drives) {
      for (const auto& c : d.conversions) {
        for (uint32_t l = 0; l < g.lanes; ++l) {
          const uint32_t col = c.block * g.lanes + l;
          int s = 127 * d.x[g.rows];
          for (uint32_t r = 0; r < g.rows; ++r) s += d.x[r] * w[r * g.cols + col];
          ASSERT_EQ(pins[k][l], integer_code(s, c.range, c.bits))
              << "seed " << test_seed() << " column " << col << " s " << s;
          ASSERT_EQ(calls[k][l], pins[k][l]) << "seed " << test_seed();
        }
        ++k;
      }
    }
  }
}

TEST_P(MacroOnGeometry, PinLevelEqualsFunctionLevelWithEveryEffectOn) {
  const Geometry g = GetParam();
  std::mt19937 rng(static_cast<unsigned>(test_seed()) + 1);
  for (int round = 0; round < 6; ++round) {
    MacroConfig c = config(g, EffectSet::all());
    c.dac = round % 3 == 1 ? DacMode::kPwm : DacMode::kVoltage;
    c.tile = rng() % 64;
    c.chip_seed = rng();
    c.run_seed = static_cast<uint64_t>(rng()) << 32 | rng();
    c.age_s = round == 0 ? 0 : std::pow(10.0, round);
    c.clock_ns = round == 4 ? 0.5 : round % 2 ? 4.0 : 2.5;  // 0.5 ns: comparators are undecided now and then
    Macro by_pins(c);
    by_pins.program_cells(0, 0, g.rows, g.cols, random_codes(g.rows * g.cols, rng).data());
    by_pins.set_drive_count(round == 5 ? (uint64_t{1} << 32) - 3 : 17);
    Macro by_calls(by_pins);
    Recorder trace_pins, trace_calls;
    by_pins.set_trace(&trace_pins);
    by_calls.set_trace(&trace_calls);
    Workload work = random_workload(g, rng, 20);
    const auto pins = work.pins.run(&by_pins);
    const auto calls = run_functions(&by_calls, work);
    ASSERT_TRUE(by_pins.protocol_errors().empty()) << by_pins.protocol_errors()[0].rule;
    ASSERT_EQ(pins, calls) << "seed " << test_seed() << " round " << round;
    ASSERT_EQ(by_pins.drive_count(), by_calls.drive_count());
    ASSERT_EQ(trace_pins.entries.size(), trace_calls.entries.size());
    for (size_t i = 0; i < pins.size(); ++i) {
      ASSERT_TRUE(trace_pins.entries[i] == trace_calls.entries[i]) << i;
      ASSERT_EQ(trace_calls.entries[i].codes, calls[i]);
    }
  }
}

TEST_P(MacroOnGeometry, EverySimdLevelGivesTheSameCodes) {
  const Geometry g = GetParam();
  const Simd before = simd_level();
  std::vector<Codes> want;
  for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(level)) continue;
    force_simd(level);
    std::mt19937 rng(77);
    MacroConfig c = config(g, EffectSet::all());
    c.age_s = 1e4;
    c.clock_ns = 1.0;
    Macro m(c);
    m.program_cells(0, 0, g.rows, g.cols, random_codes(g.rows * g.cols, rng).data());
    const auto got = run_functions(&m, random_workload(g, rng, 20));
    if (want.empty()) want = got;
    EXPECT_EQ(got, want) << simd_name(level);
  }
  force_simd(before);
}

// --- One effect at a time. Columns hold a known signal: row 0 is driven with 127, cell (0, c) holds the weight.

class OneEffect : public ::testing::Test {
 protected:
  static constexpr uint32_t kRange = 7;  // step 128

  static Macro macro(Effect e, const std::vector<int8_t>& row, uint32_t tile = 0) {
    MacroConfig c = config(tiny_geometry(), only(e));
    c.tile = tile;
    Macro m(c);
    m.program_cells(0, 0, 1, 32, row.data());
    return m;
  }
  static std::vector<int8_t>
  ramp() {  // y from -126 to 126 steps, none near a code boundary by construction of 127 w / 128
    std::vector<int8_t> w(32);
    for (int i = 0; i < 32; ++i) w[static_cast<size_t>(i)] = static_cast<int8_t>(8 * i - 124);
    return w;
  }
  static Codes convert_all(Macro* m, uint32_t integrate, uint32_t hold, int8_t x0 = 127) {
    std::vector<int8_t> x(33, 0);
    x[0] = x0;
    m->drive(x.data(), integrate);
    Codes all(32);
    for (uint32_t b = 0; b < 4; ++b) m->convert(b, hold, kRange, 8, all.data() + 8 * b);
    return all;
  }
  /// Codes must be floor(y + 1/2), except where y is within 1e-3 of a boundary.
  static void expect_law(const Codes& codes, const std::vector<double>& y) {
    for (size_t c = 0; c < codes.size(); ++c) {
      const double v = std::min(127.0, std::max(-128.0, y[c])) + 0.5;
      if (std::fabs(v - std::round(v)) < 1e-3) continue;
      EXPECT_EQ(codes[c], std::min(127.0, std::floor(v))) << "column " << c << " y " << y[c];
    }
  }
};

TEST_F(OneEffect, SettlingLosesWhatTheIntegrationIsTooShortFor) {
  Macro m = macro(Effect::kSettling, ramp());
  for (uint32_t cycles : {1u, 3u, 8u, 32u, 200u}) {
    std::vector<double> y;
    for (int w : ramp()) y.push_back(127 * w / 128.0 * (1 - std::exp(-4.0 * cycles / 16)));
    expect_law(convert_all(&m, cycles, 2), y);
  }
}

TEST_F(OneEffect, DroopDecaysTheHeldValue) {
  Macro m = macro(Effect::kDroop, ramp());
  for (uint32_t hold : {1u, 100u, 5000u, 40000u}) {
    std::vector<double> y;
    for (int w : ramp()) y.push_back(127 * w / 128.0 * std::exp(-4.0 * hold / 100e3));
    expect_law(convert_all(&m, 32, hold), y);
  }
}

TEST_F(OneEffect, LaneGainAndOffsetAreTheLanesOwn) {
  for (uint32_t tile = 0; tile < 20; ++tile) {
    for (bool gain : {true, false}) {
      Macro m = macro(gain ? Effect::kLaneGain : Effect::kLaneOffset, ramp(), tile);
      const auto e = fabricate_lanes(8, static_cast<uint16_t>(tile), 1, gain ? 5 : 0, gain ? 0 : 6);
      std::vector<double> y;
      for (size_t c = 0; c < 32; ++c) y.push_back(127 * ramp()[c] / 128.0 * e.gain[c % 8] + e.offset[c % 8]);
      expect_law(convert_all(&m, 32, 2), y);
    }
  }
}

TEST_F(OneEffect, DriftShrinksEveryColumnByItsExponent) {
  Macro m = macro(Effect::kDrift, std::vector<int8_t>(32, 127));
  EXPECT_EQ(convert_all(&m, 32, 2), Codes(32, 126));  // age 0: 127 * 127 / 128 = 126.008
  double mean = 0;
  m.set_age(1e6 - 20);
  for (int8_t c : convert_all(&m, 32, 2)) mean += c / 32.0;
  // nu = 0.049 +- 0.008 at x = 1: factor (5e4)^-0.049 = 0.588, spread 0.051 a column.
  EXPECT_NEAR(mean, 126.008 * 0.590, 126 * 0.051 / std::sqrt(32.0) * 5 + 0.5);
  m.set_age(0);
  EXPECT_EQ(convert_all(&m, 32, 2), Codes(32, 126));
}

TEST_F(OneEffect, ProgrammingNoiseIsFrozenAtProgramming) {
  Macro m = macro(Effect::kProgrammingNoise, std::vector<int8_t>(32, 64));
  const Codes first = convert_all(&m, 32, 2);
  EXPECT_EQ(convert_all(&m, 32, 900), first);
  m.set_age(1e7);
  EXPECT_EQ(convert_all(&m, 1, 2), first);
  double mean = 0, var = 0;
  for (int8_t c : first) mean += c / 32.0;
  for (int8_t c : first) var += (c - mean) * (c - mean) / 31.0;
  // G+ about 64 with sigma 0.955 uS = 4.85 codes, G- the half gaussian of 0.263 uS: mean 0.534, sigma 0.78 codes.
  EXPECT_NEAR(mean, (64 - 0.53) * 127 / 128.0, 5 * 4.9 / std::sqrt(32.0));
  EXPECT_NEAR(std::sqrt(var), 4.9, 3.2);
  m.program_cells(0, 0, 1, 32, std::vector<int8_t>(32, 64).data());
  EXPECT_NE(convert_all(&m, 32, 2), first);
}

TEST_F(OneEffect, ReadNoiseIsRedrawnEachDriveWithTheVarianceOfItsLaw) {
  Macro m = macro(Effect::kReadNoise, std::vector<int8_t>(32, 64));
  constexpr int kDrives = 4000;
  std::vector<double> mean(32), second(32);
  for (int i = 0; i < kDrives; ++i) {
    const Codes c = convert_all(&m, 32, 2);
    for (size_t k = 0; k < 32; ++k) {
      mean[k] += c[k] / static_cast<double>(kDrives);
      second[k] += c[k] * c[k] / static_cast<double>(kDrives);
    }
  }
  const double sigma = 63.5 * 0.0088 / std::pow(64 / 127.0, 0.65) * std::sqrt(std::log((20 + 250e-9) / 500e-9));
  for (size_t k = 0; k < 32; ++k) {
    const double want = sigma * sigma + 1.0 / 12;  // rounding to codes adds 1/12
    EXPECT_NEAR(mean[k], 63.5, 5 * std::sqrt(want / kDrives));
    EXPECT_NEAR((second[k] - mean[k] * mean[k]) / want, 1, 5 * std::sqrt(2.0 / kDrives));
  }
  // The same drive number draws the same noise.
  m.set_drive_count(5);
  const Codes a = convert_all(&m, 32, 2);
  m.set_drive_count(5);
  EXPECT_EQ(convert_all(&m, 32, 2), a);
  m.set_drive_count(5);
  m.set_run_seed(2);
  EXPECT_NE(convert_all(&m, 32, 2), a);
}

TEST_F(OneEffect, ComparatorNoiseIsRedrawnEachTrial) {
  // One-bit conversion: code 0 if y + n >= -1/2. y = -64/128 exactly on the threshold: one half; y = -24/128: 1.04
  // sigma above.
  std::vector<int8_t> w(32, -64);
  for (size_t k = 16; k < 32; ++k) w[k] = -24;
  Macro m = macro(Effect::kComparatorNoise, w);
  std::vector<int8_t> x(33, 0);
  x[0] = 1;
  constexpr int kDrives = 2000;
  int hits[2] = {0, 0};
  for (int i = 0; i < kDrives; ++i) {
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 4; ++b) {
      int8_t c[8];
      m.convert(b, 2, kRange, 1, c);
      for (int8_t v : c) hits[b / 2] += v == 0;
    }
  }
  const double n = 16.0 * kDrives, p = 0.5 * std::erfc(-(0.5 - 24 / 128.0) / 0.3 / std::sqrt(2.0));
  EXPECT_NEAR(hits[0] / n, 0.5, 5 * std::sqrt(0.25 / n));
  EXPECT_NEAR(hits[1] / n, p, 5 * std::sqrt(p * (1 - p) / n));
}

TEST_F(OneEffect, SaturationBendsWhatIsNearFullScale) {
  Macro m = macro(Effect::kSaturation, ramp());
  std::vector<double> y;
  for (int w : ramp()) {
    const double s = 127 * w / 128.0;
    y.push_back(s / std::pow(1 + std::pow(std::fabs(s) / 160, 8), 0.125));
  }
  expect_law(convert_all(&m, 32, 2), y);
  EXPECT_EQ(convert_all(&m, 32, 2)[0], -121);  // -123.03 / (1 + 0.769^8)^(1/8) = -121.24
}

TEST_F(OneEffect, SarMismatchMovesEveryLanesThresholds) {
  for (uint32_t tile = 0; tile < 20; ++tile) {
    Macro m = macro(Effect::kSarMismatch, ramp(), tile);
    const SarDac dac(8, static_cast<uint16_t>(tile), 1, 25);
    const Codes codes = convert_all(&m, 32, 2);
    for (size_t c = 0; c < codes.size(); ++c) {  // y lies between the code's own threshold and the next one's
      const double y = 127 * ramp()[c] / 128.0;
      const auto threshold = [&](int code) {
        return code - 0.5 + dac.shift(static_cast<uint32_t>(c % 8), static_cast<int8_t>(code));
      };
      if (codes[c] > -128) {
        EXPECT_GE(y, threshold(codes[c]) - 1e-3);
      }
      if (codes[c] < 127) {
        EXPECT_LT(y, threshold(codes[c] + 1) + 1e-3);
      }
    }
  }
}

TEST_F(OneEffect, DacErrorsAreTheRowsOwn) {
  for (Effect e : {Effect::kDacGain, Effect::kDacOffset, Effect::kDacInl}) {
    for (uint32_t tile = 0; tile < 20; ++tile) {
      Macro m = macro(e, ramp(), tile);
      RowDac::Config c;
      c.rows = 33;
      c.tile = static_cast<uint16_t>(tile);
      c.chip_seed = 1;
      (e == Effect::kDacGain     ? c.gain_kind
       : e == Effect::kDacOffset ? c.offset_kind
                                 : c.inl_kind) = kEffects[static_cast<unsigned>(e)].kind;
      const uint32_t row = 0;
      float x = 90, x2;
      RowDac(c).apply(1, 0, 128, &row, 1, &x, &x2);
      EXPECT_NE(x, 90.0f);
      std::vector<double> y;
      for (int w : ramp()) y.push_back(x * w / 128.0);
      expect_law(convert_all(&m, 32, 2, 90), y);
    }
  }
}

/// Variances of all columns' codes over drives of row 0 with x, rounding included.
void expect_variance(Macro* m, const std::vector<int8_t>& x, double sigma_steps) {
  constexpr int kDrives = 4000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDrives; ++i) {
    m->drive(x.data(), 32);
    int8_t code[8];
    m->convert(i % 4, 2, 0, 8, code);
    sum += code[0];
    squares += code[0] * code[0];
  }
  const double mean = sum / kDrives, var = squares / kDrives - mean * mean;
  const double want = sigma_steps * sigma_steps + 1.0 / 12;
  EXPECT_NEAR(var / want, 1, 5 * std::sqrt(2.0 / kDrives));
}

TEST_F(OneEffect, DacNoiseIsRedrawnEachDrive) {
  Macro m = macro(Effect::kDacNoise, std::vector<int8_t>(32, 10));
  std::vector<int8_t> x(33, 0);
  x[0] = 5;
  expect_variance(&m, x, 10 * 0.129);  // step 1: the weight times the row's noise
}

TEST_F(OneEffect, HoldNoiseIsRedrawnEachDrive) {
  // One-bit conversions of a signal a threshold's width away, as of the comparator: sigma is below a step.
  Macro m = macro(Effect::kHoldNoise, std::vector<int8_t>(32, -70));
  std::vector<int8_t> x(33, 0);
  x[0] = 1;
  constexpr int kDrives = 4000;
  int hits = 0;
  for (int i = 0; i < kDrives; ++i) {
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 4; ++b) {
      int8_t c[8], again[8];
      m.convert(b, 2, kRange, 1, c);
      m.convert(b, 2, kRange, 1, again);  // what is held is held
      for (size_t l = 0; l < 8; ++l) {
        EXPECT_EQ(c[l], again[l]);
        hits += c[l] == 0;
      }
    }
  }
  const double n = 32.0 * kDrives, p = 0.5 * std::erfc((70 / 128.0 - 0.5) / 0.07368 / std::sqrt(2.0));
  EXPECT_NEAR(hits / n, p, 5 * std::sqrt(p * (1 - p) / n));
}

TEST_F(OneEffect, UncertaintyNeedsAFastClock) {
  for (double clock_ns : {4.0, 0.5}) {
    MacroConfig c = config(tiny_geometry(), only(Effect::kComparatorUncertainty));
    c.clock_ns = clock_ns;
    Macro m(c), ideal(config(tiny_geometry(), EffectSet::none()));
    for (Macro* p : {&m, &ideal}) p->program_cells(0, 0, 1, 32, ramp().data());
    if (clock_ns == 4.0) {
      EXPECT_EQ(convert_all(&m, 32, 2), convert_all(&ideal, 32, 2));
    } else {
      EXPECT_NE(convert_all(&m, 32, 2), convert_all(&ideal, 32, 2));
    }
  }
}

TEST_F(OneEffect, PwmIsCutByTheIntegrationAndVoltageIsNot) {
  MacroConfig c = config(tiny_geometry(), only(Effect::kSettling));
  c.dac = DacMode::kPwm;
  Macro m(c);
  m.program_cells(0, 0, 1, 32, ramp().data());
  for (uint32_t cycles : {5u, 10u, 32u, 100u}) {
    const double t = 4.0 * cycles, w = std::min(127.0, t);
    const double level = w - (std::exp(-(t - w)) - std::exp(-t));  // 1 ns a LSB, tau 1 ns
    std::vector<double> y;
    for (int weight : ramp()) y.push_back(level * weight / 128.0);
    expect_law(convert_all(&m, cycles, 2), y);
  }
}

TEST_F(OneEffect, StuckDevicesIgnoreTheirTarget) {
  MacroConfig c = config(reference_geometry(), only(Effect::kStuck));
  int stuck = 0;
  for (uint32_t tile = 0; tile < 4; ++tile) {
    c.tile = tile;
    Macro m(c);
    m.program_cells(0, 0, 256, 256, std::vector<int8_t>(65536, 64).data());
    for (uint32_t r = 0; r < 256; ++r) {  // row by row: a cell reads 64 unless a device of it is stuck
      std::vector<int8_t> x(257, 0);
      x[r] = 1;
      m.drive(x.data(), 32);
      for (uint32_t b = 0; b < 8; ++b) {
        int8_t codes[32];
        m.convert(b, 2, 0, 8, codes);
        for (int8_t v : codes) {
          if (v == 64) continue;
          // G+ at 0: 0, G+ at Gmax: 127, G- at Gmax: 64 - 127 = -63; G- stuck at 0 is not seen.
          EXPECT_TRUE(v == 0 || v == 127 || v == -63) << int{v};
          ++stuck;
        }
      }
    }
  }
  EXPECT_NEAR(stuck, 4 * 65536 * 0.0015, 5 * std::sqrt(4 * 65536 * 0.0015));  // three of four kinds are visible
}

// --- Copies, reproducibility, input checks.

class MacroState : public ::testing::Test {
 protected:
  std::mt19937 rng{5};
  Geometry g = tiny_geometry();
  std::vector<int8_t> w = random_codes(32 * 32, rng), x = random_codes(33, rng);

  Macro make(uint64_t chip_seed = 1, uint64_t run_seed = 1) {
    MacroConfig c = config(g, EffectSet());
    c.chip_seed = chip_seed;
    c.run_seed = run_seed;
    Macro m(c);
    m.program_cells(0, 0, 32, 32, w.data());
    return m;
  }
  Codes read(Macro* m) {
    m->drive(x.data(), 32);
    Codes all(32);
    for (uint32_t b = 0; b < 4; ++b) m->convert(b, 2, 8, 8, all.data() + 8 * b);
    return all;
  }
};

TEST_F(MacroState, SameSeedsSameBits) {
  Macro a = make(), b = make(), other_chip = make(2), other_run = make(1, 2);
  const Codes first = read(&a);
  EXPECT_EQ(read(&b), first);
  EXPECT_NE(read(&other_chip), first);
  EXPECT_NE(read(&other_run), first);
  EXPECT_NE(read(&a), first);  // next drive, next noise
  a.set_drive_count(0);
  EXPECT_EQ(read(&a), first);
}

TEST_F(MacroState, ShardsContinueAtTheirDriveCount) {
  Macro whole = make();
  std::vector<Codes> want;
  for (int i = 0; i < 10; ++i) want.push_back(read(&whole));
  Macro base = make();
  for (uint64_t i : {7u, 2u, 9u}) {
    Macro shard(base);
    shard.set_drive_count(i);
    EXPECT_EQ(read(&shard), want[i]);
  }
}

TEST_F(MacroState, CopiesAreIndependent) {
  Macro a = make();
  const Codes first = read(&a);
  a.set_drive_count(0);
  Macro b(a), c = make(9);
  c = a;
  b.program_cells(3, 4, 1, 2, w.data());
  b.set_age(1e6);
  b.set_run_seed(4);
  read(&b);
  EXPECT_EQ(a.drive_count(), 0u);
  EXPECT_EQ(read(&a), first);
  EXPECT_EQ(read(&c), first);
  Macro d(b);
  b.set_drive_count(0);
  d.set_drive_count(0);
  EXPECT_EQ(read(&b), read(&d));
  EXPECT_NE(b.config().age_s, a.config().age_s);
}

TEST_F(MacroState, ReprogrammingAfterAReadEqualsReprogrammingBefore) {
  Macro a = make(), b = make();
  read(&a);
  for (Macro* m : {&a, &b}) {
    m->program_cells(3, 4, 8, 20, w.data());
    m->set_drive_count(0);
  }
  EXPECT_EQ(read(&a), read(&b));
}

TEST_F(MacroState, ASampleKeepsWhatWasProgrammedWhenItWasTaken) {
  Macro a = make(), b = make();
  Codes want(32), got(32);
  a.drive(x.data(), 32);
  for (uint32_t k = 0; k < 4; ++k) a.convert(k, 2, 8, 8, want.data() + 8 * k);
  b.drive(x.data(), 32);
  Macro copy(b);
  b.program_cells(0, 0, 32, 32, random_codes(32 * 32, rng).data());
  b.set_age(1e7);
  b.set_run_seed(99);
  b.set_run_seed(1);  // a conversion draws its comparator noise with the seed of its own time
  for (uint32_t k = 0; k < 4; ++k) b.convert(k, 2, 8, 8, got.data() + 8 * k);
  EXPECT_EQ(got, want);
  for (uint32_t k = 0; k < 4; ++k) copy.convert(k, 2, 8, 8, got.data() + 8 * k);
  EXPECT_EQ(got, want);
}

TEST_F(MacroState, CopiesDriveOnThreadsWithTheSameResult) {
  Macro base = make();
  const Codes want = [&] {
    Macro m = make();
    return read(&m);
  }();
  Codes got[4];
  std::vector<std::thread> threads;
  for (auto& out : got) {
    threads.emplace_back([copy = Macro(base), &out, this]() mutable { out = read(&copy); });
  }
  for (auto& t : threads) t.join();
  for (const auto& out : got) EXPECT_EQ(out, want);
}

TEST_F(MacroState, BadInputThrowsAndChangesNothing) {
  Macro m = make();
  int8_t codes[8];
  EXPECT_THROW(m.convert(0, 2, 8, 8, codes), std::logic_error);
  auto bad = x;
  bad[32] = -128;
  EXPECT_THROW(m.drive(bad.data(), 32), std::out_of_range);
  EXPECT_THROW(m.drive(x.data(), 0), std::invalid_argument);
  EXPECT_EQ(m.drive_count(), 0u);
  m.drive(x.data(), 32);
  EXPECT_THROW(m.convert(4, 2, 8, 8, codes), std::out_of_range);
  EXPECT_THROW(m.convert(0, 2, 16, 8, codes), std::out_of_range);
  EXPECT_THROW(m.convert(0, 2, 8, 0, codes), std::out_of_range);
  EXPECT_THROW(m.convert(0, 2, 8, 9, codes), std::out_of_range);
  EXPECT_THROW(m.program_cells(0, 1, 1, 32, w.data()), std::out_of_range);
  EXPECT_THROW(m.program_cells(32, 0, 1, 1, w.data()), std::out_of_range);  // the reference row is not programmable
  EXPECT_THROW(m.set_age(-1), std::domain_error);
  EXPECT_THROW(m.set_age(std::nan("")), std::domain_error);
  EXPECT_THROW(m.set_age(std::numeric_limits<double>::infinity()), std::domain_error);
  MacroConfig c = m.config();
  c.geometry.lanes = 12;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = m.config();
  c.geometry.rows = 30;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = m.config();
  c.geometry.cols = 36;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = m.config();
  c.clock_ns = 0;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = m.config();
  c.age_s = -5;
  EXPECT_THROW(Macro{c}, std::domain_error);
}

TEST(Effects, TableNamesAndKindsAreDistinct) {
  for (uint32_t i = 0; i < kNumEffects; ++i) {
    Effect e;
    ASSERT_TRUE(find_effect(kEffects[i].name, &e));
    EXPECT_EQ(static_cast<uint32_t>(e), i);
    for (uint32_t j = 0; j < i; ++j) EXPECT_TRUE(kEffects[i].kind == 0 || kEffects[i].kind != kEffects[j].kind);
  }
  Effect e;
  EXPECT_FALSE(find_effect("no_such_effect", &e));
}

}  // namespace
