// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/device/philox.h"
#include "models/device/simd.h"

namespace {

using namespace ohmac;

constexpr double kUnit = 127 / 25.0;  // codes a microsiemens

ArrayConfig ideal(uint32_t rows, uint32_t cols) {
  ArrayConfig c;
  c.rows = rows;
  c.cols = cols;
  c.chip_seed = 5;
  return c;
}

std::vector<int8_t> random_codes(size_t n, std::mt19937& g, int limit = 127) {
  std::vector<int8_t> v(n);
  for (auto& x : v) x = static_cast<int8_t>(std::uniform_int_distribution<int>(-limit, limit)(g));
  return v;
}

/// E[f(n)] of a standard gaussian by the trapezoid rule: exact to rounding for these smooth-but-one-kink laws at this
/// step.
template <class F>
double expect(F f) {
  constexpr double kStep = 1e-4;
  double sum = 0;
  for (double n = -8; n <= 8; n += kStep) sum += f(n) * std::exp(-n * n / 2);
  return sum * kStep / std::sqrt(2 * std::acos(-1.0));
}

struct Moments {
  double mean, second;
};

// The laws of physics once more, in libm: programmed and clamped, drifted.
Moments programmed_law(double x) {
  const double sigma = 0.26348 + 1.9650 * x - 1.1731 * x * x;
  const auto g = [&](double n) { return std::max(0.0, 25 * x + sigma * n); };
  return {expect([&](double n) { return g(n); }), expect([&](double n) { return g(n) * g(n); })};
}
Moments drift_law(double x, double age_s) {
  const double lx = std::log(std::max(x, 1e-30));
  const double mean = std::min(std::max(-0.0155 * lx + 0.0244, 0.049), 0.1);
  const double std = std::min(std::max(-0.0125 * lx - 0.0059, 0.008), 0.045);
  const double l = std::log((age_s + 20) / 20);
  return {expect([&](double n) { return std::exp(-std::fabs(mean + std * n) * l); }),
          expect([&](double n) { return std::exp(-2 * std::fabs(mean + std * n) * l); })};
}

// 1e5 cells at one target: mean and spread of the effective weight against the integrated clamped law.
TEST(Array, WeightMomentsFollowTheClampedLaw) {
  constexpr uint32_t kRows = 250, kCols = 400;
  ArrayConfig c = ideal(kRows, kCols);
  c.programming_kind = 1;
  c.drift_kind = 3;
  for (int target : {0, 4, -20, 64, 127}) {
    DeviceArray a(c);
    a.program(0, 0, kRows, kCols, std::vector<int8_t>(kRows * kCols, static_cast<int8_t>(target)).data());
    for (double age : {0.0, 3600.0, 1e7}) {
      const auto m = a.effective(age);
      double mean = 0, second = 0;
      for (uint32_t r = 0; r < kRows; ++r) {
        for (uint32_t k = 0; k < kCols; ++k) {
          const double w = m.w[m.index(r, k)];
          mean += w / (kRows * kCols);
          second += w * w / (kRows * kCols);
        }
      }
      const double var = second - mean * mean;
      const double x = std::abs(target) / 127.0;
      const Moments on = programmed_law(x), off = programmed_law(0), d_on = drift_law(x, age),
                    d_off = drift_law(0, age);
      const double want_mean = kUnit * (on.mean * d_on.mean - off.mean * d_off.mean) * (target < 0 ? -1 : 1);
      const double want_var = kUnit * kUnit *
                              (on.second * d_on.second - std::pow(on.mean * d_on.mean, 2) + off.second * d_off.second -
                               std::pow(off.mean * d_off.mean, 2));
      EXPECT_NEAR(mean, want_mean, 5 * std::sqrt(want_var / (kRows * kCols))) << target << " at " << age;
      EXPECT_NEAR(var / want_var, 1, 0.03) << target << " at " << age;
    }
  }
}

TEST(Array, IdealWeightsAreExactIntegersAndReferenceRowIs127) {
  DeviceArray a(ideal(4, 255));
  std::vector<int8_t> w(4 * 255);
  for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<int8_t>(static_cast<int>(i % 255) - 127);
  a.program(0, 0, 4, 255, w.data());
  const auto m = a.effective(1e6);
  EXPECT_EQ(m.chunks(), 4u);
  EXPECT_TRUE(m.v.empty());
  for (uint32_t r = 0; r < 4; ++r)
    for (uint32_t c = 0; c < 255; ++c) EXPECT_EQ(m.w[m.index(r, c)], w[r * 255 + c]);
  for (uint32_t c = 0; c < 255; ++c) EXPECT_EQ(m.w[m.index(4, c)], 127.0f);
}

TEST(Array, StuckFractionAndLevels) {
  ArrayConfig c = ideal(512, 512);
  c.stuck_kind = 2;
  c.programming_kind = 1;
  DeviceArray a(c);
  a.program(0, 0, 512, 512, std::vector<int8_t>(512 * 512, 64).data());
  int low = 0, high = 0;
  for (uint32_t r = 0; r < 512; ++r) {
    for (uint32_t k = 0; k < 512; ++k) {
      for (unsigned p = 0; p < 2; ++p) {
        if (!a.stuck(r, k, p)) continue;
        const double g = a.conductance_us(r, k, p);
        ASSERT_TRUE(g == 0 || g == 25) << g;
        ++(g == 0 ? low : high);
      }
    }
  }
  // 524288 devices: 262 +- 16 of each kind.
  EXPECT_NEAR(low, 262, 5 * 16.2);
  EXPECT_NEAR(high, 262, 5 * 16.2);
}

TEST(Array, StuckDevicesNeitherDriftNorFluctuate) {
  ArrayConfig c = ideal(256, 256);
  c.stuck_kind = 2;
  c.drift_kind = 3;
  c.read_noise = true;
  DeviceArray a(c);
  a.program(0, 0, 256, 256, std::vector<int8_t>(65536, 0).data());  // every other device is at 0 exactly
  const auto m = a.effective(1e8);
  int high = 0;
  for (uint32_t r = 0; r < 256; ++r) {
    for (uint32_t k = 0; k < 256; ++k) {
      const float w = m.w[m.index(r, k)];
      ASSERT_TRUE(w == 0 || w == 127 || w == -127) << w;
      high += w != 0;
      ASSERT_EQ(m.v[m.index(r, k)], 0.0f);
    }
  }
  EXPECT_NEAR(high, 65.5, 5 * 8.1);
}

TEST(Array, ProgrammingIsNamedByCellAndCountNotByOrder) {
  ArrayConfig c = ideal(16, 24);
  c.programming_kind = 1;
  c.drift_kind = 3;
  std::mt19937 g(6);
  const auto w = random_codes(16 * 24, g);
  DeviceArray whole(c), parts(c);
  whole.program(0, 0, 16, 24, w.data());
  for (int r = 15; r >= 0; --r)
    for (uint32_t col = 0; col < 24; col += 8)
      parts.program(static_cast<uint32_t>(r), col, 1, 8, w.data() + r * 24 + col);
  EXPECT_EQ(whole.effective(100).w, parts.effective(100).w);
  whole.program(0, 0, 16, 24, w.data());  // once more: another outcome of write-verify
  EXPECT_NE(whole.effective(100).w, parts.effective(100).w);
}

TEST(Array, UpdateEqualsRecomputing) {
  ArrayConfig c = ideal(16, 24);
  c.programming_kind = 1;
  c.drift_kind = 3;
  c.stuck_kind = 2;
  c.read_noise = true;
  std::mt19937 g(7);
  DeviceArray a(c);
  a.program(0, 0, 16, 24, random_codes(16 * 24, g).data());
  auto m = a.effective(1000);
  a.program(3, 5, 4, 7, random_codes(28, g).data());
  a.update(&m, 1000, 3, 5, 4, 7);
  const auto want = a.effective(1000);
  EXPECT_EQ(m.w, want.w);
  EXPECT_EQ(m.v, want.v);
}

TEST(Array, BadInputThrowsAndChangesNothing) {
  DeviceArray a(ideal(8, 8));
  const std::vector<int8_t> ok(64, 3);
  std::vector<int8_t> bad(64, 3);
  bad[63] = -128;
  EXPECT_THROW(a.program(0, 0, 8, 8, bad.data()), std::out_of_range);
  EXPECT_THROW(a.program(1, 0, 8, 8, ok.data()), std::out_of_range);
  EXPECT_THROW(a.program(0, 9, 1, 0, ok.data()), std::out_of_range);
  EXPECT_THROW(a.program(0xffffffffu, 0, 2, 1, ok.data()), std::out_of_range);
  EXPECT_THROW(a.effective(-1), std::domain_error);
  EXPECT_EQ(a.conductance_us(0, 0, 0), 0.0);
}

// Column noise against explicit noise of every device, redrawn every read: G+ (1 + rel n) - G- (1 + rel n).
TEST(ReadNoise, ColumnVarianceEqualsDeviceMonteCarlo) {
  constexpr uint32_t kRows = 24, kCols = 16;
  constexpr int kReads = 20000;
  constexpr double kAge = 5000;
  ArrayConfig c = ideal(kRows, kCols);
  c.read_noise = true;
  c.programming_kind = 1;
  std::mt19937 g(8);
  const auto w = random_codes(kRows * kCols, g);
  DeviceArray a(c);
  a.program(0, 0, kRows, kCols, w.data());
  const auto m = a.effective(kAge);
  auto x = random_codes(kRows + 1, g);
  ActiveRows rows;
  rows.assign(x.data(), kRows + 1);
  std::vector<float> s(kChunk), base(kChunk), var(kChunk);
  column_sums(m, rows, 0, base.data(), var.data());

  std::vector<double> model_var(kCols), mc_var(kCols), model_mean(kCols);
  const double noise = std::sqrt(std::log((kAge + 20 + 250e-9) / (2 * 250e-9)));
  std::normal_distribution<double> normal;
  for (int i = 0; i < kReads; ++i) {
    s = base;
    add_read_noise(0, 77, 4, static_cast<uint64_t>(i), 2, var.data(), s.data());
    for (uint32_t k = 0; k < kCols; ++k) {
      model_mean[k] += (s[k] - base[k]) / kReads;
      model_var[k] += std::pow(s[k] - base[k], 2) / kReads;
      double d = 0;
      for (uint32_t r = 0; r < kRows; ++r) {
        for (int p = 0; p < 2; ++p) {
          const int t = w[r * kCols + k];
          const double frac = (p == 0 ? std::max(t, 0) : std::max(-t, 0)) / 127.0;
          const double q = std::min(0.2, frac > 0 ? 0.0088 / std::pow(frac, 0.65) : 0.2);
          const double sigma = a.conductance_us(r, k, static_cast<unsigned>(p)) * q * noise * kUnit;
          d += x[r] * sigma * normal(g);
        }
      }
      mc_var[k] += d * d / kReads;
    }
  }
  for (uint32_t k = 0; k < kCols; ++k) {
    EXPECT_NEAR(model_var[k] / mc_var[k], 1, 6 * std::sqrt(4.0 / kReads)) << k;  // both estimates err by sqrt(2 / N)
    EXPECT_NEAR(model_mean[k], 0, 5 * std::sqrt(mc_var[k] / kReads)) << k;
  }
}

// With variance 1 the noise is the gaussian itself: compare with the documented formula in libm over Random123.
TEST(ReadNoise, FloatGaussianFollowsItsFormula) {
  constexpr uint32_t kN = 4096;
  std::vector<float> one(kN, 1.0f), s(kN);
  const double pi = std::acos(-1.0);
  double m1 = 0, m2 = 0, m4 = 0;
  int count = 0;
  for (uint64_t drive : {uint64_t{0}, uint64_t{1} << 33, uint64_t{12345}}) {
    std::fill(s.begin(), s.end(), 0.0f);
    for (uint32_t k = 0; k < kN; k += kChunk)
      add_read_noise(k / kChunk, 0x123456789abcdefull, 4, drive, 11, one.data() + k, s.data() + k);
    for (uint32_t k = 0; k < kN; ++k) {
      const auto r = philox(0x123456789abcdefull, Draw{4, drive, 11, static_cast<uint16_t>(k), 0});
      const double u = ((r[0] >> 1) + 1.0) * std::pow(2.0, -31);
      const double want = std::sqrt(-2 * std::log(u)) * std::sin(pi * static_cast<int32_t>(r[1]) * std::pow(2.0, -32));
      // float rounding of u near 1 moves a tiny radius: error of n is up to 2^-24 / radius there.
      ASSERT_NEAR(s[k], want, 2e-4) << k;
      if (std::fabs(want) > 0.1) {
        ASSERT_NEAR(s[k], want, 4e-6) << k;
      }
      m1 += s[k];
      m2 += s[k] * s[k];
      m4 += std::pow(s[k], 4);
      ++count;
    }
  }
  EXPECT_NEAR(m1 / count, 0, 0.045);  // 5 standard errors
  EXPECT_NEAR(m2 / count, 1, 0.064);
  EXPECT_NEAR(m4 / count, 3, 0.45);
}

std::vector<float> all_sums(const EffectiveMatrix& m, const ActiveRows& rows, std::vector<float>* var) {
  std::vector<float> s(m.chunks() * kChunk, -1.0f), v(s.size(), -1.0f);
  for (uint32_t k = 0; k < m.chunks(); ++k) column_sums(m, rows, k, s.data() + k * kChunk, v.data() + k * kChunk);
  if (var != nullptr) *var = v;
  return s;
}

TEST(ColumnSums, IntegerMatricesAreExact) {
  std::mt19937 g(9);
  DeviceArray a(ideal(256, 264));
  const auto w = random_codes(256 * 264, g);
  a.program(0, 0, 256, 264, w.data());
  const auto m = a.effective(0);
  for (int round = 0; round < 20; ++round) {
    auto x = random_codes(257, g);
    for (auto& v : x)
      if (static_cast<int>(g() % 20) < round) v = 0;
    ActiveRows rows;
    rows.assign(x.data(), 257);
    std::vector<float> s = all_sums(m, rows, nullptr);
    for (uint32_t k = 0; k < 264; ++k) {
      int want = 127 * x[256];
      for (uint32_t r = 0; r < 256; ++r) want += x[r] * w[r * 264 + k];
      ASSERT_EQ(s[k], static_cast<float>(want)) << k;
    }
  }
}

// Every level and the rows-left-out path against a plain loop over all rows with std::fma, signed zeros included.
TEST(ColumnSums, SameBitsAtEveryLevelWithAndWithoutZeroRows) {
  std::mt19937 g(10);
  const Simd before = simd_level();
  for (uint32_t cols : {8u, 24u, 32u, 104u, 256u, 328u}) {
    EffectiveMatrix m(40, cols, true);
    const uint32_t stride = m.chunks() * kChunk;
    for (auto& v : m.w) v = g() % 8 == 0 ? (g() % 2 ? -0.0f : 0.0f) : std::normal_distribution<float>(0, 50)(g);
    for (auto& v : m.v) v = std::uniform_real_distribution<float>(0, 4)(g);
    auto x = random_codes(41, g);
    for (auto& v : x)
      if (g() % 3 == 0) v = 0;
    ActiveRows rows;
    rows.assign(x.data(), 41);
    std::vector<float> want(stride), want_v(stride);
    for (uint32_t k = 0; k < stride; ++k) {
      float s = 0, v = 0;
      for (uint32_t r = 0; r < 41; ++r) {
        s = std::fma(static_cast<float>(x[r]), m.w[m.index(r, k)], s);
        v = std::fma(static_cast<float>(x[r] * x[r]), m.v[m.index(r, k)], v);
      }
      want[k] = s;
      want_v[k] = v;
    }
    std::vector<float> noisy;
    for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
      if (!simd_supported(level)) continue;
      force_simd(level);
      std::vector<float> v;
      std::vector<float> s = all_sums(m, rows, &v);
      EXPECT_EQ(std::memcmp(s.data(), want.data(), s.size() * 4), 0) << simd_name(level) << ' ' << cols;
      EXPECT_EQ(std::memcmp(v.data(), want_v.data(), v.size() * 4), 0) << simd_name(level) << ' ' << cols;
      for (uint32_t k = 0; k < m.chunks(); ++k)
        add_read_noise(k, 3, 4, 99, 1, v.data() + k * kChunk, s.data() + k * kChunk);
      if (noisy.empty()) noisy = s;
      EXPECT_EQ(std::memcmp(s.data(), noisy.data(), s.size() * 4), 0) << simd_name(level) << ' ' << cols;
    }
  }
  force_simd(before);
}

}  // namespace
