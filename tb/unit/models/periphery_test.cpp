// SPDX-License-Identifier: Apache-2.0
// Row DACs, integrator, sample-and-hold, SAR capacitors and comparator against hand values and their variances.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "models/converters/adc.h"
#include "models/converters/comparator.h"
#include "models/converters/integrator.h"
#include "models/converters/row_dac.h"
#include "models/converters/sample_hold.h"
#include "models/converters/sar_dac.h"
#include "models/device/noise.h"
#include "models/device/simd.h"

namespace {

using namespace ohmac;

struct Moments {
  double mean = 0, var = 0;
};
Moments moments(const std::vector<double>& v) {
  Moments m;
  for (double x : v) m.mean += x / static_cast<double>(v.size());
  for (double x : v) m.var += (x - m.mean) * (x - m.mean) / static_cast<double>(v.size());
  return m;
}
/// Of a gaussian clipped at 3 sigma: variance 0.9950 (integral of min(x^2, 9) over the density).
constexpr double kClippedVariance = 0.9950;
double tolerance(size_t n) { return 5 * std::sqrt(2.0 / static_cast<double>(n)); }

// --- Noise runs

TEST(NoiseRun, IsTheNamedDrawsAtEveryLevel) {
  const Simd before = simd_level();
  for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(level)) continue;
    force_simd(level);
    float g[48], u[48];
    const Draw first{23, (uint64_t{1} << 33) + 5, 9, 40, 7};
    gaussians(31, first, 41, g);
    uniforms(31, first, 41, u);
    for (uint32_t i = 0; i < 41; ++i) {
      Draw d = first;
      d.unit = static_cast<uint16_t>(40 + i);
      const RandomBlock r = philox(31, d);
      EXPECT_EQ(u[i], static_cast<float>(static_cast<int32_t>(r[0])) / 2147483648.0f);
      const double radius = std::sqrt(-2 * std::log(((r[0] >> 1) + 1.0) / 2147483648.0));
      const double n = radius * std::sin(std::acos(-1.0) * static_cast<int32_t>(r[1]) / 4294967296.0);
      EXPECT_NEAR(g[i], n, 2e-6 * std::max(1.0, std::fabs(n)));
    }
  }
  force_simd(before);
}

// --- SAR capacitors

TEST(SarDac, LevelsByHand) {
  double d[9] = {};
  for (uint32_t u = 0; u < 256; ++u) EXPECT_EQ(sar_dac_level(d, u), u);
  d[7] = 0.02;                                          // 130.56 instead of 128 units, 258.56 in all
  EXPECT_NEAR(sar_dac_level(d, 128), 129.26733, 1e-5);  // 256 * 130.56 / 258.56
  EXPECT_NEAR(sar_dac_level(d, 127), 125.74257, 1e-5);  // 256 * 127 / 258.56
  EXPECT_NEAR(sar_dac_level(d, 255), 255.00990, 1e-5);  // 256 * 257.56 / 258.56
  EXPECT_EQ(sar_dac_level(d, 0), 0);
  d[7] = 0;
  d[8] = 0.5;  // the unit at ground is a gain error alone: 256 u / 256.5
  EXPECT_NEAR(sar_dac_level(d, 200), 199.61014, 1e-5);
}

TEST(SarDac, SpreadOfTheThresholdsIsThatOfTheUnits) {
  // To first order level(u) - u has variance sigma^2 u (256 - u) / 256: of u units, less their share of the whole.
  constexpr uint32_t kLanes = 40;
  constexpr int kTiles = 1000;
  for (int u : {32, 128, 200, 255}) {
    std::vector<double> shift;
    for (uint16_t tile = 0; tile < kTiles; ++tile) {
      const SarDac dac(kLanes, tile, 11, 25);
      for (uint32_t l = 0; l < kLanes; ++l) shift.push_back(dac.shift(l, static_cast<int8_t>(u - 128)));
    }
    const Moments m = moments(shift);
    const double sigma2 = 1e-4 * u * (256 - u) / 256.0;
    EXPECT_NEAR(m.mean, 0, 5 * std::sqrt(sigma2 / static_cast<double>(shift.size())) + 1e-4) << u;
    EXPECT_NEAR(m.var / (sigma2 * kClippedVariance), 1, tolerance(shift.size()) + 0.005) << u;
  }
}

/// Codes of a ramp through one array.
std::vector<int> ramp_codes(const std::vector<double>& deviation) {
  const SarDac dac(8, deviation.data());
  std::vector<int> codes;
  for (int i = -129 * 64; i <= 129 * 64; ++i) {
    const std::vector<float> y(16, static_cast<float>(i) / 64.0f);
    std::vector<float> level(16, 0.0f);
    int8_t code[8];
    uint8_t cmp[8];
    int u = 0;
    for (int half = 128, trial = 0; half != 0; half >>= 1, ++trial) {
      for (auto& c : code) c = static_cast<int8_t>((u | half) - 128);
      dac.levels(y.data(), code, 8, level.data());
      sar_trial({}, static_cast<uint32_t>(trial), level.data(), code, 8, cmp);
      if (cmp[0]) u |= half;
    }
    codes.push_back(u - 128);
  }
  return codes;
}

TEST(SarDac, TooSmallALargeCapacitorLosesCodes) {
  std::vector<double> d(8 * 9, 0.0);
  const std::vector<int> good = ramp_codes(d);
  EXPECT_EQ(std::set<int>(good.begin(), good.end()).size(), 256u);
  for (int l = 0; l < 8; ++l) d[static_cast<size_t>(l) * 9 + 7] = -0.02;  // 125.44 units of 253.44
  const std::vector<int> bad = ramp_codes(d);
  const std::set<int> seen(bad.begin(), bad.end());
  // Levels 256 * 125.44 / 253.44 = 126.707 of code 128, 126.263 of 125, 127.273 of 126, 128.283 of 127: whatever is
  // above that of 128 has the largest bit, so 126 and 127 cannot come.
  for (int u = 0; u < 256; ++u) EXPECT_EQ(seen.count(u - 128), u == 126 || u == 127 ? 0u : 1u) << u;
  for (size_t i = 1; i < bad.size(); ++i) ASSERT_GE(bad[i], bad[i - 1]);  // a search never runs backwards
}

TEST(SarDac, OneSigmaOfMismatchKeepsEveryCode) {
  // DNL of the largest step has sigma 0.01 sqrt(255) = 0.16 steps; a code is lost beyond -1, 6 sigma, more than the
  // clip.
  for (uint16_t tile = 0; tile < 10; ++tile) {
    const SarDac dac(32, tile, 5, 25);
    for (uint32_t l = 0; l < 32; ++l)
      for (int c = -127; c < 128; ++c)
        EXPECT_GT(c + dac.shift(l, static_cast<int8_t>(c)), c - 1 + dac.shift(l, static_cast<int8_t>(c - 1)));
  }
}

// --- Sample and hold

TEST(HoldNoise, IsThermalNoiseOfTheCapacitor) {
  // sqrt(1.380649e-23 * 300 / 50e-15) = 287.82 uV; a step is 1 V / 256 = 3.90625 mV.
  EXPECT_NEAR(hold_noise_sigma_steps(), 0.0736813, 1e-7);
  std::vector<double> v;
  for (uint64_t drive = 0; drive < 400; ++drive) {
    std::vector<float> s(100, 5.0f);
    add_hold_noise(3, 24, drive, 2, 60, 100, s.data());
    for (float x : s) v.push_back(x - 5.0);
  }
  const Moments m = moments(v);
  EXPECT_NEAR(m.mean, 0, 5 * 0.0737 / std::sqrt(v.size()));
  EXPECT_NEAR(m.var / (0.07368 * 0.07368), 1, tolerance(v.size()));
  // A column's noise does not depend on the block it is looked at with.
  std::vector<float> all(100, 0.0f), part(8, 0.0f);
  add_hold_noise(3, 24, 7, 2, 60, 100, all.data());
  add_hold_noise(3, 24, 7, 2, 84, 8, part.data());
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(part[i], all[24 + i]);
}

// --- Integrator

TEST(Saturation, IsASmoothLimit) {
  const Simd before = simd_level();
  for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(level)) continue;
    force_simd(level);
    std::vector<float> s;
    for (int i = -400; i <= 400; ++i) s.push_back(static_cast<float>(i));
    for (float far : {1e6f, -1e6f, 1e20f, -1e20f}) s.push_back(far);
    std::vector<float> y = s;
    saturate(y.data(), static_cast<uint32_t>(y.size()));
    for (size_t i = 0; i < s.size(); ++i) {
      const double x = s[i], want = x / std::pow(1 + std::pow(std::fabs(x) / 160, 8), 0.125);
      EXPECT_NEAR(y[i], want, 1e-6 * std::fabs(want) + 1e-5) << x;
    }
    EXPECT_EQ(y[400], 0.0f);
    EXPECT_NEAR(y[400 + 160], 146.7206, 1e-3);  // 160 / 2^(1/8)
    EXPECT_NEAR(y[400 + 128], 125.5423, 1e-3);  // 128 / (1 + 0.8^8)^(1/8)
  }
  force_simd(before);
}

// --- Comparator

TEST(Uncertainty, WindowFollowsTheClock) {
  EXPECT_EQ(uncertain_window_steps(4.0), 0.0f);
  EXPECT_NEAR(uncertain_window_steps(0.5), 256 * std::exp(-2.5), 1e-4);
  EXPECT_NEAR(uncertain_window_steps(1.0), 256 * std::exp(-5.0), 1e-5);
}

TEST(Uncertainty, DecidesByChanceInsideTheWindowOnly) {
  constexpr float kWindow = 2.0f;
  const double distance[] = {-2.1, -1.0, -0.5, 0.0, 1.0, 1.5, 2.1};
  constexpr int kDraws = 20000;
  for (double d : distance) {
    int ones = 0;
    for (uint64_t drive = 0; drive < kDraws / 16; ++drive) {
      std::vector<float> y(16, static_cast<float>(d) - 0.5f);  // threshold of code 0
      const std::vector<int8_t> code(16, 0);
      std::vector<uint8_t> cmp(16);
      add_uncertainty(5, 26, drive, 1, 16 * 3 + 2, kWindow, 16, y.data());
      sar_trial({}, 2, y.data(), code.data(), 16, cmp.data());
      ones += std::accumulate(cmp.begin(), cmp.end(), 0);
    }
    const double p = std::min(1.0, std::max(0.0, 0.5 + d / 4));
    EXPECT_NEAR(ones / static_cast<double>(kDraws), p, 5 * std::sqrt(p * (1 - p) / kDraws)) << d;
  }
}

// --- Row DACs

TEST(RowDac, LevelsByHand) {
  double d[7] = {};
  for (uint32_t m = 0; m < 128; ++m) EXPECT_NEAR(row_dac_level(d, m), m, 1e-12);
  d[6] = 0.1;                                         // 70.4 instead of 64 units, 133.4 in all
  EXPECT_NEAR(row_dac_level(d, 64), 67.02249, 1e-5);  // 127 * 70.4 / 133.4
  EXPECT_NEAR(row_dac_level(d, 63), 59.97751, 1e-5);  // 127 * 63 / 133.4
  EXPECT_NEAR(row_dac_level(d, 127), 127, 1e-12);
  EXPECT_EQ(row_dac_level(d, 0), 0);
}

/// Levels of code x of many rows and tiles with these errors on.
std::vector<double> levels(RowDac::Config c, int x, int tiles, uint64_t drives = 1) {
  std::vector<double> v;
  c.rows = 257;
  c.chip_seed = 8;
  for (int tile = 0; tile < tiles; ++tile) {
    c.tile = static_cast<uint16_t>(tile);
    RowDac dac(c);
    for (uint64_t drive = 0; drive < drives; ++drive) {
      std::vector<uint32_t> row(257);
      std::iota(row.begin(), row.end(), 0u);
      std::vector<float> level(257, static_cast<float>(x)), square(257);
      dac.apply(3, drive, 128, row.data(), 257, level.data(), square.data());
      for (size_t r = 0; r < 257; ++r) {
        EXPECT_EQ(square[r], level[r] * level[r]);
        v.push_back(level[r]);
      }
    }
  }
  return v;
}

void expect_moments(const std::vector<double>& v, double mean, double sigma, double part = kClippedVariance) {
  const Moments m = moments(v);
  EXPECT_NEAR(m.mean, mean, 5 * sigma / std::sqrt(static_cast<double>(v.size())) + 1e-4);
  EXPECT_NEAR(m.var / (sigma * sigma * part), 1, tolerance(v.size()) + 0.005);
}

TEST(RowDac, VoltageErrorsHaveTheirSpread) {
  RowDac::Config c;
  c.gain_kind = 20;
  expect_moments(levels(c, 100, 100), 100, 0.5);
  expect_moments(levels(c, -20, 100), -20, 0.1);
  c = {};
  c.offset_kind = 21;
  expect_moments(levels(c, 100, 100), 100, 0.5);
  expect_moments(levels(c, -1, 100), -1, 0.5);
  c = {};
  c.inl_kind = 22;
  // As of the SAR array, without the unit at ground: variance 1e-4 m (127 - m) / 127.
  expect_moments(levels(c, 64, 100), 64, 0.01 * std::sqrt(64 * 63 / 127.0));
  expect_moments(levels(c, -21, 100), -21, 0.01 * std::sqrt(21 * 106 / 127.0));
  for (double x : levels(c, 127, 3)) EXPECT_NEAR(x, 127, 1e-4);
  c = {};
  c.noise_kind = 23;
  expect_moments(levels(c, 50, 1, 300), 50, 0.129, 1);
}

TEST(RowDac, PwmErrorsGoWithTheSignAndPulsesEndAtZero) {
  RowDac::Config c;
  c.mode = DacMode::kPwm;
  c.offset_kind = 21;
  const std::vector<double> up = levels(c, 40, 100), down = levels(c, -40, 100);
  expect_moments(up, 40, 0.05);
  for (size_t i = 0; i < up.size(); ++i) EXPECT_EQ(up[i], -down[i]);
  c = {};
  c.mode = DacMode::kPwm;
  c.gain_kind = 20;
  expect_moments(levels(c, 100, 100), 100, 0.1);
  c = {};
  c.mode = DacMode::kPwm;
  c.inl_kind = 22;  // a counter is linear
  EXPECT_TRUE(RowDac(c).ideal());
}

TEST(RowDac, PwmChargeIsTheIntegralOfTheLinesResponse) {
  // Euler steps of tau dv/dt = pulse - v, summed over the integration.
  const auto integral = [](double w, double t, double tau) {
    constexpr double kStep = 1e-4;
    double v = 0, sum = 0;
    for (double at = 0; at < t; at += kStep) {
      sum += v * kStep;
      v += kStep / tau * ((at < w ? 1.0 : 0.0) - v);
    }
    return sum;
  };
  for (const auto& [w, t, tau] :
       {std::tuple{127.0, 128.0, 1.0}, {127.0, 128.0, 16.0}, {5.0, 128.0, 1.0}, {100.0, 40.0, 3.0}, {1.0, 4.0, 2.0}})
    EXPECT_NEAR(pwm_charge_ns(w, t, tau), integral(w, t, tau), 1e-3 + 2e-4 * w) << w << ' ' << t << ' ' << tau;
}

TEST(RowDac, SettlingCutsPulsesOnlyWhenTheIntegrationIsTooShort) {
  RowDac::Config c;
  c.mode = DacMode::kPwm;
  c.rows = 5;
  c.settling = true;
  RowDac dac(c);
  const uint32_t row[] = {0, 1, 4};
  float x[] = {127, -30, 0, 0, 5}, x2[5];
  dac.apply(1, 0, 40, row, 3, x, x2);
  EXPECT_NEAR(x[0], 39, 1e-4);   // cut at 40 ns, less the rising edge's 1 ns
  EXPECT_NEAR(x[1], -30, 1e-3);  // 10 ns of tail: e^-10
  EXPECT_NEAR(x[4], 5, 1e-4);
  c.mode = DacMode::kVoltage;
  EXPECT_TRUE(RowDac(c).ideal());
}

}  // namespace
