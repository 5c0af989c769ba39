// SPDX-License-Identifier: Apache-2.0
// The macro with wires: weights and codes against ngspice, reads of single rows, read noise against the exact
// linearised law and against devices that fluctuate one by one in the exact network.
#include "models/crossbar/wired.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "models/device/simd.h"
#include "models/macro/macro.h"
#include "models/macro/snapshot.h"
#include "tb/unit/models/ngspice.h"

namespace {

using namespace ohmac;

constexpr double kGmax = 25e-6, kUnit = 127 / kGmax;

/// A differential array of PCM devices: half of them near 0, noise as of the law of physics at about a day.
struct Pairs {
  Pairs(uint32_t num_rows, uint32_t num_cols, const WireOhms& w, unsigned seed)
      : rows(num_rows), cols(num_cols), wires(w) {
    std::mt19937_64 r(seed);
    std::normal_distribution<double> n;
    for (uint32_t k = 0; k < rows * cols; ++k) {
      const double target = std::min(1.0, std::max(-1.0, 0.4 * n(r)));
      for (int p = 0; p < 2; ++p) {
        const double x = std::max(0.0, p == 0 ? target : -target), g = kGmax * std::max(0.0, x + 0.01 * n(r));
        d.g.push_back(g);
        d.sigma.push_back(g * 3.5 * (x > 0 ? std::min(0.2, 0.0088 / std::pow(x, 0.65)) : 0.2));
      }
    }
  }
  EffectiveMatrix matrix() const {
    EffectiveMatrix m(rows, cols, true);
    apply_wires(d, wires, kUnit, &m);
    return m;
  }
  uint32_t rows, cols;
  WireOhms wires;
  PairReadings d;
};

std::vector<int8_t> inputs(uint32_t rows, int kind, unsigned seed) {
  std::mt19937 r(seed);
  std::vector<int8_t> x(rows + 1);
  for (uint32_t i = 0; i < rows; ++i) {
    const int u = static_cast<int>(r() % 255) - 127;
    x[i] = static_cast<int8_t>(kind == 0    ? u
                               : kind == 1  ? std::abs(u)
                               : kind == 2  ? 127
                               : i % 5 == 0 ? std::abs(u)
                                            : 0);
  }
  return x;
}

/// Variance of every column by the adjoint form without approximation: sum over all devices of (s u a)^2, u from the
/// network driven by x, a from the network driven at the column's sense nodes, which is the turned network.
std::vector<double> exact_variance(const Pairs& a, const std::vector<int8_t>& x) {
  const uint32_t width = 2 * a.cols;
  std::vector<double> turned(a.d.g.size());
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < width; ++j) turned[(width - 1 - j) * a.rows + a.rows - 1 - i] = a.d.g[i * width + j];
  WireField forward(a.rows, width, a.d.g.data(), a.wires);
  WireField back(width, a.rows, turned.data(), {a.wires.col, a.wires.row, a.wires.sense, a.wires.driver});
  forward.solve(std::vector<double>(x.begin(), x.end()).data());
  std::vector<double> out(a.cols);
  for (uint32_t c = 0; c < a.cols; ++c) {
    std::vector<double> v(width);
    v[width - 1 - 2 * c] = 1;
    v[width - 2 - 2 * c] = -1;
    back.solve(v.data());
    for (uint32_t i = 0; i < a.rows; ++i) {
      for (uint32_t j = 0; j < width; ++j) {
        const double u = forward.row_volt(i, j) - forward.col_volt(i, j);
        const double adjoint =
            back.row_volt(width - 1 - j, a.rows - 1 - i) - back.col_volt(width - 1 - j, a.rows - 1 - i);
        const double s = a.d.sigma[i * width + j] * kUnit * u * adjoint;
        out[c] += s * s;
      }
    }
  }
  return out;
}

std::vector<double> fast_variance(const EffectiveMatrix& m, const std::vector<int8_t>& x) {
  ActiveRows rows;
  rows.assign(x.data(), m.rows + 1);
  std::vector<double> out;
  for (uint32_t chunk = 0; chunk < m.chunks(); ++chunk) {
    float s[kChunk], var[kChunk];
    column_sums(m, rows, chunk, s, var);
    add_wire_variance(m, rows, chunk, var);
    out.insert(out.end(), var, var + std::min(kChunk, m.cols - chunk * kChunk));
  }
  return out;
}

// Drops of a few percent up to a fifth of the voltage; the law without wires is off by 10 to 60 % there.
TEST(WireNoise, VarianceIsThatOfTheAdjointForm) {
  for (const WireOhms& w : {WireOhms{5, 5, 0, 0}, WireOhms{10, 0, 50, 50}, WireOhms{0, 10, 50, 50},
                            WireOhms{0, 0, 100, 200}, WireOhms{8, 3, 100, 20}}) {
    const Pairs a(72, 20, w, 5);
    const EffectiveMatrix m = a.matrix();
    for (int kind = 0; kind < 4; ++kind) {
      const auto x = inputs(a.rows, kind, 6);
      const auto want = exact_variance(a, x), got = fast_variance(m, x);
      for (uint32_t c = 0; c < a.cols; ++c) {
        EXPECT_NEAR(got[c] / want[c], 1, 0.01) << "inputs " << kind << " column " << c << " row wire " << w.row;
      }
    }
  }
}

TEST(WireNoise, TheLawWithoutWiresWouldBeFarOff) {
  const Pairs a(72, 20, {5, 5, 0, 0}, 5);
  const auto x = inputs(a.rows, 1, 6);
  const auto want = exact_variance(a, x);
  double worst_ratio = 1;
  for (uint32_t c = 0; c < a.cols; ++c) {
    double v = 0;
    for (uint32_t i = 0; i < a.rows; ++i)
      for (uint32_t p = 0; p < 2; ++p) v += std::pow(a.d.sigma[(i * a.cols + c) * 2 + p] * kUnit * x[i], 2);
    worst_ratio = std::max(worst_ratio, v / want[c]);
  }
  EXPECT_GT(worst_ratio, 1.15);
}

/// Largest distance of an empirical distribution from a normal one.
double distance_to_normal(std::vector<double> v, double mean, double sigma) {
  std::sort(v.begin(), v.end());
  double d = 0;
  const auto n = static_cast<double>(v.size());
  for (size_t i = 0; i < v.size(); ++i) {
    const double p = 0.5 * std::erfc((mean - v[i]) / (sigma * std::sqrt(2.0))), k = static_cast<double>(i);
    d = std::max({d, p - k / n, (k + 1) / n - p});
  }
  return d;
}

// Every device redrawn, the whole network eliminated again: mean, variance and shape.
TEST(WireNoise, AsDevicesThatFluctuateInTheExactNetwork) {
  constexpr int kReads = 10000;
  const Pairs a(24, 8, {20, 20, 100, 100}, 7);
  const EffectiveMatrix m = a.matrix();
  const auto x = inputs(a.rows, 1, 8);
  const auto variance = fast_variance(m, x);
  const auto current = [&](const std::vector<double>& g) {
    const auto e = effective_differential(a.rows, a.cols, g.data(), a.wires);
    std::vector<double> s(a.cols);
    for (uint32_t i = 0; i < a.rows; ++i)
      for (uint32_t c = 0; c < a.cols; ++c) s[c] += e[i * a.cols + c] * kUnit * x[i];
    return s;
  };
  const auto quiet = current(a.d.g);
  std::mt19937_64 r(9);
  std::normal_distribution<double> n;
  std::vector<std::vector<double>> reads(a.cols);
  std::vector<double> g(a.d.g.size());
  for (int k = 0; k < kReads; ++k) {
    for (size_t i = 0; i < g.size(); ++i) g[i] = std::max(0.0, a.d.g[i] + 0.3 * a.d.sigma[i] * n(r));
    const auto s = current(g);
    for (uint32_t c = 0; c < a.cols; ++c) reads[c].push_back(s[c]);
  }
  for (uint32_t c = 0; c < a.cols; ++c) {
    const double sigma = 0.3 * std::sqrt(variance[c]);
    double mean = 0, second = 0;
    for (double s : reads[c]) mean += s / kReads;
    for (double s : reads[c]) second += (s - mean) * (s - mean) / kReads;
    EXPECT_NEAR(mean, quiet[c], 5 * sigma / std::sqrt(kReads)) << c;
    EXPECT_NEAR(second / (sigma * sigma), 1, 5 * std::sqrt(2.0 / kReads)) << c;
    // Kolmogorov-Smirnov: exceeded once in 10^4 if the laws are equal.
    EXPECT_LE(distance_to_normal(reads[c], quiet[c], sigma) * std::sqrt(kReads), 2.225) << c;
  }
}

TEST(WireNoise, EverySimdLevelGivesTheSameBits) {
  const Simd before = simd_level();
  const Pairs a(40, 70, {5, 5, 10, 10}, 5);
  const auto x = inputs(a.rows, 0, 6);
  force_simd(Simd::kBaseline);
  const auto want = fast_variance(a.matrix(), x);
  for (Simd s : {Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(s)) continue;
    force_simd(s);
    EXPECT_EQ(fast_variance(a.matrix(), x), want) << simd_name(s);
  }
  force_simd(before);
}

TEST(WiredRows, AReadAfterAChangeIsThatOfTheWholeNetwork) {
  Pairs a(40, 22, {5, 5, 10, 10}, 5);
  WiredRows rows(a.rows, a.cols, a.d, a.wires, kUnit);
  EffectiveMatrix reference(a.rows, a.cols, true);
  for (uint32_t row : {0u, 17u, 39u, 17u}) {
    const Pairs other(1, a.cols, a.wires, 50 + row);
    const size_t at = row * 2 * a.cols;
    std::copy(other.d.g.begin(), other.d.g.end(), a.d.g.begin() + static_cast<ptrdiff_t>(at));
    std::copy(other.d.sigma.begin(), other.d.sigma.end(), a.d.sigma.begin() + static_cast<ptrdiff_t>(at));
    rows.set_row(row, other.d.g.data(), other.d.sigma.data());
    const auto got = rows.read(row, reference);
    EXPECT_EQ(rows.read(row, reference), got) << "known";
    const EffectiveMatrix want = a.matrix();
    std::vector<int8_t> x(a.rows + 1);
    x[row] = 1;
    const auto variance = exact_variance(a, x);
    const double largest = *std::max_element(variance.begin(), variance.end());
    for (uint32_t c = 0; c < a.cols; ++c) {
      EXPECT_NEAR(got->w[got->index(0, c)], want.w[want.index(row, c)], 1e-5);
      // What other columns add by way of the row is left out; it shows where a cell itself is silent.
      EXPECT_NEAR(got->v[got->index(0, c)], variance[c], 0.01 * variance[c] + 1e-5 * largest);
    }
  }
}

MacroConfig config(EffectSet effects) {
  MacroConfig c;
  c.geometry = {1, 1, 24, 16, 8, 16384, 0};
  c.effects = effects;
  c.effects.set(Effect::kWire, true);
  c.wires = {20, 20, 100, 100};
  return c;
}

std::vector<int8_t> codes(Macro* m, const std::vector<int8_t>& x, uint32_t range) {
  m->drive(x.data(), 30);
  std::vector<int8_t> out(16);
  for (uint32_t b = 0; b < 2; ++b) m->convert(b, 2, range, 8, out.data() + 8 * b);
  return out;
}

// Ideal devices in wires, all rows or a group of them driven, undriven rows at 0 V: codes as of the currents of
// ngspice.
TEST(WiredMacro, CodesAreThoseOfNgspice) {
  const MacroConfig c = config(EffectSet::none());
  Macro m(c);
  std::mt19937 r(3);
  std::vector<int8_t> w(24 * 16);
  for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(r() % 255) - 127);
  m.program_cells(0, 0, 24, 16, w.data());
  Array net{24, 32, {}, c.wires};
  for (int8_t v : w)
    for (int p : {1, -1}) net.g.push_back(std::max(0, p * v) / 127.0 * kGmax);
  int wrong_without_wires = 0;
  for (int kind = 0; kind < 4; ++kind) {
    const auto x = inputs(24, kind, 4);
    const auto i = ngspice(net, std::vector<double>(x.begin(), x.begin() + 24));
    const auto got = codes(&m, x, 10);
    for (uint32_t k = 0; k < 16; ++k) {
      const double y = (i[2 * k] - i[2 * k + 1]) * kUnit / 1024 + 0.5;
      if (std::fabs(y - std::round(y)) > 1e-4) {
        EXPECT_EQ(got[k], std::min(127.0, std::max(-128.0, std::floor(y)))) << kind << " " << k;
      }
      double ideal = 0;
      for (uint32_t row = 0; row < 24; ++row) ideal += x[row] * w[row * 16 + k];
      wrong_without_wires += got[k] != std::floor(ideal / 1024 + 0.5);
    }
  }
  EXPECT_GT(wrong_without_wires, 16);
}

// A pulse changes what its row reads; the read of the row and the whole matrix agree.
TEST(WiredMacro, VerifyReadsFollowPulses) {
  EffectSet e = EffectSet::none();
  e.set(Effect::kPulseNoise, true);
  Macro m(config(e));
  const uint32_t mask[1] = {0xa5f3};
  std::vector<int8_t> x(25);
  x[7] = 127;
  std::vector<int8_t> before = codes(&m, x, 7);
  for (int pulse = 0; pulse < 6; ++pulse) {
    m.pulse(7, pulse % 2 == 1, true, 14, 25, mask);
    const auto got = codes(&m, x, 7);
    EXPECT_NE(got, before);
    before = got;
    const auto w = m.weights(7, 0, 1, 16);  // by elimination
    for (uint32_t k = 0; k < 16; ++k) {
      const double y = 127.0 * w[k] / 128 + 0.5;
      if (std::fabs(y - std::round(y)) > 1e-4) {
        EXPECT_EQ(got[k], std::min(127.0, std::max(-128.0, std::floor(y)))) << pulse << " " << k;
      }
    }
  }
}

// The reference row is outside the wires: it still measures lanes.
TEST(WiredMacro, TheReferenceRowHasNoWires) {
  Macro m(config(EffectSet::none()));
  m.program_cells(0, 0, 24, 16, std::vector<int8_t>(24 * 16, 100).data());
  std::vector<int8_t> x(25);
  x[24] = 127;
  for (int8_t c : codes(&m, x, 8)) EXPECT_EQ(c, 63);  // floor(127 * 127 / 256 + 1/2)
  x[3] = 1;                                           // beside one row
  const auto w = m.weights(3, 0, 1, 16);
  const auto got = codes(&m, x, 8);
  for (uint32_t k = 0; k < 16; ++k) EXPECT_EQ(got[k], std::floor((127 * 127 + w[k]) / 256 + 0.5));
}

// All effects: what was read before, copies, a snapshot and the SIMD level change no bit.
TEST(WiredMacro, BitsDependOnStateAndDriveOnly) {
  const Simd level = simd_level();
  std::vector<int8_t> w(24 * 16), one(25);
  std::mt19937 r(3);
  for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(r() % 255) - 127);
  one[5] = 99;
  const auto all = inputs(24, 0, 4);
  const uint32_t mask[1] = {0xffff};
  const auto start = [&] {
    Macro m(config(EffectSet{}));
    m.program_cells(0, 0, 24, 16, w.data());
    m.advance_time(100);
    return m;
  };
  const auto end = [&](Macro m) {
    m.set_drive_count(1000);
    auto a = codes(&m, one, 5), b = codes(&m, all, 9);
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  Macro plain = start();
  plain.pulse(5, false, true, 8, 25, mask);
  const auto want = end(plain);
  Macro busy = start();
  codes(&busy, all, 9);
  codes(&busy, one, 5);
  const Macro shared = busy;
  busy.pulse(5, false, true, 8, 25, mask);
  EXPECT_EQ(end(busy), want);
  EXPECT_NE(end(shared), want);
  Macro restored(config(EffectSet{}));
  restored.set_device_state(plain.device_state());
  EXPECT_EQ(end(restored), want);
  for (Simd s : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(s)) continue;
    force_simd(s);
    Macro m = start();
    m.pulse(5, false, true, 8, 25, mask);
    EXPECT_EQ(end(m), want) << simd_name(s);
  }
  force_simd(level);
}

TEST(WiredMacro, OffByDefaultAndWithoutResistanceNothingChanges) {
  EXPECT_FALSE(EffectSet{}.has(Effect::kWire));
  std::vector<int8_t> w(24 * 16, 77);
  const auto x = inputs(24, 0, 4);
  MacroConfig c = config(EffectSet{});
  c.wires = {};
  Macro with(c);
  c.effects.set(Effect::kWire, false);
  c.wires = {20, 20, 20, 20};
  Macro without(c);
  for (Macro* m : {&with, &without}) m->program_cells(0, 0, 24, 16, w.data());
  EXPECT_EQ(codes(&with, x, 9), codes(&without, x, 9));
  EXPECT_EQ(with.weights(0, 0, 24, 16), without.weights(0, 0, 24, 16));
}

TEST(WiredMacro, WrongConfigurationsAreRefused) {
  MacroConfig c = config(EffectSet{});
  c.wires.col = -1;
  EXPECT_THROW(Macro{c}, std::domain_error);
  c = config(EffectSet{});
  c.read_noise = ReadNoise::kDevice;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
}

TEST(WiredMacro, ASnapshotKnowsItsWires) {
  const MacroConfig c = config(EffectSet{});
  Snapshot s;
  s.chip = chip_identity(c);
  s.tiles = {Macro(c).device_state()};
  const auto bytes = encode_snapshot(s);
  const Snapshot back = decode_snapshot(bytes.data(), bytes.size(), "f");
  const WireOhms w = back.macro_config(0).wires;
  EXPECT_EQ(std::memcmp(&w, &c.wires, sizeof w), 0);
  MacroConfig other = c;
  other.wires.sense = 99;
  EXPECT_THROW(require_same_chip(back, chip_identity(other), "f"), SnapshotError);
}

}  // namespace
