// SPDX-License-Identifier: Apache-2.0
// Errors of MVMs against the laws that make them, integrated by hand.
#include "sw/cli/mvm_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace ohmac::cli {
namespace {

EffectSet only(Effect e) {
  EffectSet s = EffectSet::none();
  s.set(e, true);
  return s;
}

MvmReadout readout(const MvmWorkload& w) {
  MvmReadout r;
  r.range = finest_range(w, 8);
  return r;
}

MvmError measure(const MvmWorkload& w, EffectSet effects, const MvmReadout& r, uint64_t seed = 1, double age_s = 0) {
  MacroConfig c = mvm_macro(w.rows, w.cols);
  c.effects = effects;
  c.chip_seed = c.run_seed = seed;
  return measure_mvm(c, w, r, age_s);
}

TEST(MvmWorkload, IsUniformAndItsProductsAreExact) {
  const MvmWorkload w = random_workload(64, 48, 50, 3);
  double sum = 0, squares = 0;
  int least = 0, most = 0;
  for (int8_t v : w.weights) {
    sum += v;
    squares += v * v;
    least = std::min<int>(least, v);
    most = std::max<int>(most, v);
  }
  const double n = 64 * 48, variance = 127 * 128 / 3.0;  // of -127..127: n (n + 1) / 3
  EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n / variance, 1, 5 * std::sqrt(0.8 / n));  // uniform: fourth moment 9/5 of the square
  EXPECT_EQ(least, -127);
  EXPECT_EQ(most, 127);
  for (size_t v : {size_t{0}, size_t{49}}) {
    for (size_t c : {size_t{0}, size_t{47}}) {
      int64_t s = 0;
      for (size_t r = 0; r < 64; ++r) s += w.inputs[v][r] * w.weights[r * 48 + c];
      EXPECT_EQ(w.ideal[v * 48 + c], s);
    }
  }
}

TEST(MvmError, RangeIsTheFinestThatClipsNothing) {
  MvmWorkload w;
  w.rows = w.cols = 1;
  w.ideal = {127 * 127};
  EXPECT_EQ(finest_range(w, 8), 7u);  // 16129 <= 127 * 128
  w.ideal = {-127 * 128 - 1};
  EXPECT_EQ(finest_range(w, 8), 8u);
  w.ideal = {127, -127};
  EXPECT_EQ(finest_range(w, 8), 0u);
  EXPECT_EQ(finest_range(w, 4), 5u);  // 127 <= 7 * 32
}

TEST(MvmError, WithoutEffectsIsTheRoundingOfTheAdc) {
  const MvmWorkload w = random_workload(256, 64, 200, 1);
  const MvmReadout r = readout(w);
  const MvmError e = measure(w, EffectSet::none(), r);
  const double step = std::ldexp(1.0, static_cast<int>(r.range));
  EXPECT_EQ(e.full_scale, 256 * step);
  EXPECT_EQ(e.clipped, 0u);
  EXPECT_NEAR(e.sigma / (step / std::sqrt(12.0)), 1, 0.02);
  EXPECT_NEAR(e.effective_bits(), 8, 0.03);
  EXPECT_NEAR(e.gain, 1, 1e-3);
}

TEST(MvmError, OfAnyShape) {
  for (const auto& [rows, cols] : {std::pair{1u, 1u}, {5u, 3u}, {1020u, 9u}, {3u, 70u}}) {
    const MvmWorkload w = random_workload(rows, cols, 40, 2);
    const MvmReadout r = readout(w);
    const MvmError e = measure(w, EffectSet::none(), r);
    EXPECT_EQ(e.results, 40u * cols);
    EXPECT_LT(e.sigma, 0.6 * std::ldexp(1.0, static_cast<int>(r.range))) << rows << 'x' << cols;
  }
}

/// Mean square of the error that formula programming of generic PCM leaves on weight w, weight units: both devices
/// N(target, sigma), clamped at 0, with sigma = (0.26348 + 1.9650 x - 1.1731 x^2) / 25 * 127. Integrated numerically.
double programming_square(int w) {
  const auto error = [](double target, int power) {
    const double x = target / 127, sigma = (0.26348 + 1.9650 * x - 1.1731 * x * x) / 25 * 127;
    constexpr double kStep = 0.01;
    double sum = 0;
    for (double n = -8; n < 8; n += kStep) {
      const double g = std::max(0.0, target + sigma * n);
      sum += std::pow(g - target, power) * std::exp(-n * n / 2) * kStep / std::sqrt(2 * std::acos(-1.0));
    }
    return sum;
  };
  const double t = std::abs(w);
  return error(t, 2) + error(0, 2) - 2 * error(t, 1) * error(0, 1);
}

TEST(MvmError, OfProgrammingIsItsSpreadTimesTheInputs) {
  double per_weight = 0;
  for (int w = -127; w <= 127; ++w) per_weight += programming_square(w) / 255;
  double squares = 0;
  int chips = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed, ++chips) {
    const MvmWorkload w = random_workload(128, 64, 100, seed);
    const MvmReadout r = readout(w);
    const double rounding = std::ldexp(1.0, 2 * static_cast<int>(r.range)) / 12;
    const MvmError e = measure(w, only(Effect::kProgrammingNoise), r, seed);
    squares += (e.sigma * e.sigma - rounding) / (128 * (127 * 128 / 3.0));
  }
  // 4 x 64 columns of independent weights; the bias of G- adds a little correlation.
  EXPECT_NEAR(squares / chips / per_weight, 1, 0.05);
}

TEST(MvmError, CalibrationTakesTheLanesErrorsOut) {
  const MvmWorkload w = random_workload(256, 64, 100, 5);
  MvmReadout r = readout(w);
  EffectSet lanes = only(Effect::kLaneGain);
  lanes.set(Effect::kLaneOffset, true);
  r.calibrate = false;
  const MvmError raw = measure(w, lanes, r);
  r.calibrate = true;
  const MvmError calibrated = measure(w, lanes, r);
  // 7 % of the signal and 1.5 steps, of 32 lanes; calibrated close to the rounding.
  const double step = std::ldexp(1.0, static_cast<int>(r.range));
  EXPECT_NEAR(raw.sigma / std::hypot(0.07 * raw.signal, 1.5 * step), 1, 0.4);
  EXPECT_LT(calibrated.sigma, 0.35 * step);
  r.correct_gains = false;
  const MvmError offsets_only = measure(w, lanes, r);
  EXPECT_NEAR(offsets_only.sigma / (0.07 * raw.signal), 1, 0.4);
}

TEST(MvmError, OfDriftIsMostlyACommonGain) {
  const MvmWorkload w = random_workload(128, 64, 60, 6);
  const MvmReadout r = readout(w);
  const MvmError e = measure(w, only(Effect::kDrift), r, 1, 1e6);
  // nu is 0.049 +- 0.008 for strong devices, above for weak ones: (1e6 / 20)^-0.049 = 0.588.
  EXPECT_NEAR(e.gain, 0.58, 0.02);
  EXPECT_LT(e.residual, 0.2 * e.sigma);
}

}  // namespace
}  // namespace ohmac::cli
