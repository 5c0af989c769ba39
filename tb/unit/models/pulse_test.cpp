// SPDX-License-Identifier: Apache-2.0
// Programming pulses: law of one device, draws, and what they do to an array.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "models/crossbar/array.h"
#include "models/device/philox.h"
#include "models/device/simd.h"

namespace {

using namespace ohmac;

const PulsePreset kLaw = builtin_technology("pcm_generic")->pulse;
constexpr double kUnit = 127 / 25.0;

// --- The law. Hand values from models/device/technologies/pcm_generic.toml: 0.25 uS, ratio 1.32, Gm 50 uS, RESET floor
// 1/2.

TEST(PulseLaw, StepIsGeometricInAmplitudeAndProportionalToWidth) {
  EXPECT_DOUBLE_EQ(pulse_step_us(kLaw, 0, 100), 0.25);
  EXPECT_NEAR(pulse_step_us(kLaw, 2, 100), 0.25 * 1.7424, 1e-15);  // 1.32^2
  EXPECT_NEAR(pulse_step_us(kLaw, 15, 100), 16.0897, 1e-4);        // 1.32^15 = 64.3590
  EXPECT_NEAR(pulse_step_us(kLaw, 3, 40), 0.4 * pulse_step_us(kLaw, 3, 100), 1e-15);
}

TEST(PulseLaw, SetFallsWithConductanceAndSaturates) {
  EXPECT_DOUBLE_EQ(pulse_set_us(0, 0.25, 50), 0.25);
  EXPECT_DOUBLE_EQ(pulse_set_us(0.25, 0.25, 50), 0.49875);  // 0.25 + 0.25 (1 - 0.005)
  EXPECT_DOUBLE_EQ(pulse_set_us(25, 4, 50), 27);
  EXPECT_DOUBLE_EQ(pulse_set_us(49, 100, 50), 50);  // 49 + 2, ends at Gm
  EXPECT_EQ(pulse_set_us(50, 9, 50), 50);
  EXPECT_EQ(pulse_set_us(60, 9, 50), 60);  // programmed by formula above Gm: stays
  EXPECT_EQ(pulse_set_us(1, -9, 50), 0);   // a pulse whose noise turned it around ends at 0
}

TEST(PulseLaw, ResetHasAConstantPartAndEndsAtZero) {
  EXPECT_DOUBLE_EQ(pulse_reset_us(kLaw, 50, 4, 50), 46);
  EXPECT_DOUBLE_EQ(pulse_reset_us(kLaw, 25, 4, 50), 22);    // 25 - 4 (1/2 + 1/4)
  EXPECT_DOUBLE_EQ(pulse_reset_us(kLaw, 2.5, 4, 50), 0.4);  // 2.5 - 4 (1/2 + 1/40)
  EXPECT_EQ(pulse_reset_us(kLaw, 1, 4, 50), 0);
  EXPECT_EQ(pulse_reset_us(kLaw, 0, 4, 50), 0);
  EXPECT_EQ(pulse_reset_us(kLaw, 49, -9, 50), 50);  // turned around: not above Gm
}

TEST(PulseLaw, EnduranceIsLognormal) {
  EXPECT_DOUBLE_EQ(pulse_endurance(kLaw, 0), 1e8);
  EXPECT_NEAR(pulse_endurance(kLaw, 2), 1e8 * std::exp(1.0), 1e-5);
  EXPECT_LE(pulse_endurance_least(kLaw), pulse_endurance(kLaw, -6.661));
}

// The draws against the documented formula in libm over Random123, at every level.
TEST(PulseDraws, AreTheFloatGaussiansOfTheirNames) {
  const PulseDraws names = {0x123456789abcdefull, 11, 8, 9};
  const double pi = std::acos(-1.0);
  const auto formula = [&](uint8_t kind, uint64_t device, uint32_t trial) {
    const auto r = philox(names.chip_seed, Draw{kind, device, names.tile, 0, trial});
    const double u = ((r[0] >> 1) + 1.0) * std::pow(2.0, -31);
    return std::sqrt(-2 * std::log(u)) * std::sin(pi * static_cast<int32_t>(r[1]) * std::pow(2.0, -32));
  };
  const Simd before = simd_level();
  PulseBatch first;
  for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(level)) continue;
    force_simd(level);
    PulseBatch b;
    for (uint32_t i = 0; i < PulseBatch::kSize; ++i) {
      b.device[i] = 0xfffff000u + 61 * i;
      b.count[i] = i * i * 1000003;
    }
    pulse_deviates(names, 53, &b);  // not a whole number of vectors
    for (uint32_t i = 0; i < 53; ++i) {
      ASSERT_NEAR(b.noise[i], formula(8, b.device[i], b.count[i]), 2e-4) << i;
      ASSERT_NEAR(b.step[i], formula(9, b.device[i], 0), 2e-4) << i;
      ASSERT_NEAR(b.maximum[i], formula(9, b.device[i], 1), 2e-4) << i;
      if (level == Simd::kBaseline) continue;
      ASSERT_EQ(b.noise[i], first.noise[i]) << simd_name(level);
      ASSERT_EQ(b.step[i], first.step[i]) << simd_name(level);
      ASSERT_EQ(b.maximum[i], first.maximum[i]) << simd_name(level);
    }
    if (level == Simd::kBaseline) first = b;
  }
  force_simd(before);
}

// --- Arrays.

class PulsedArray : public ::testing::Test {
 protected:
  static ArrayConfig config(uint32_t rows, uint32_t cols) {
    ArrayConfig c;
    c.rows = rows;
    c.cols = cols;
    c.lanes = 8;
    c.spares = 8;
    c.chip_seed = 5;
    return c;
  }
  static Pulse set(uint32_t row, uint32_t amp, double width_ns = 100) { return {row, false, true, amp, width_ns}; }
  static Pulse reset(uint32_t row, uint32_t amp) { return {row, false, false, amp, 100}; }
  static std::vector<uint32_t> all(const DeviceArray& a) {
    return std::vector<uint32_t>((a.config().cols + 31) / 32, ~0u);
  }
  static std::vector<double> row(const DeviceArray& a, uint32_t r, unsigned polarity = 0) {
    std::vector<double> g;
    for (uint32_t c = 0; c < a.config().cols; ++c) g.push_back(a.conductance_us(r, c, polarity));
    return g;
  }
};

TEST_F(PulsedArray, OnlyTheDevicesOfTheMaskMove) {
  DeviceArray a(config(8, 40));
  const uint32_t mask[2] = {0x80000001u, 0xffffff02u};  // columns 0, 31, 33; bits beyond column 39 are ignored
  a.pulse(Pulse{3, true, true, 0, 200}, mask, {});
  for (uint32_t r = 0; r < 8; ++r)
    for (uint32_t c = 0; c < 40; ++c)
      for (unsigned p = 0; p < 2; ++p) {
        const bool hit = r == 3 && p == 1 && (c == 0 || c == 31 || c == 33);
        EXPECT_EQ(a.conductance_us(r, c, p), hit ? 0.5 : 0.0) << r << ' ' << c << ' ' << p;
        EXPECT_EQ(a.pulses(r, c, p), hit ? 1u : 0u);
      }
}

TEST_F(PulsedArray, IdealPulsesFollowTheCurveAndSaturate) {
  DeviceArray a(config(8, 8));
  const auto mask = all(a);
  double want = 0;
  for (int i = 0; i < 400; ++i) {
    a.pulse(set(2, 6), mask.data(), {});
    want += 0.25 * std::pow(1.32, 6) * (1 - want / 50);
    ASSERT_NEAR(a.conductance_us(2, 7, 0), want, 1e-12) << i;
  }
  EXPECT_NEAR(want, 50 * (1 - std::pow(1 - 0.25 * std::pow(1.32, 6) / 50, 400)), 1e-9);  // the closed form
  EXPECT_LT(a.conductance_us(2, 7, 0), 50);
  int pulses = 0;
  while (a.conductance_us(2, 0, 0) > 0 && ++pulses < 1000) a.pulse(reset(2, 6), mask.data(), {});
  // dG/dn = -s (1/2 + G / 100), s = 1.3224: n = 100 / s ln(2) = 52.4 from 50 uS, in steps a little less.
  EXPECT_NEAR(pulses, 52, 2);
}

TEST_F(PulsedArray, MomentsOfNoiseAndVariation) {
  for (bool noise : {true, false}) {
    ArrayConfig c = config(64, 1024);
    c.lanes = c.spares = 0;
    (noise ? c.pulse_noise_kind : c.pulse_variation_kind) = noise ? 8 : 9;
    DeviceArray a(c);
    const auto mask = all(a);
    double mean[2] = {}, second[2] = {}, cross = 0;
    constexpr double kN = 65536;
    for (uint32_t r = 0; r < 64; ++r) {
      a.pulse(set(r, 8), mask.data(), {});
      const auto one = row(a, r);
      a.pulse(set(r, 8), mask.data(), {});
      const double step = 0.25 * std::pow(1.32, 8);
      for (uint32_t k = 0; k < 1024; ++k) {
        const double g = one[k], f[2] = {g / step - 1, (a.conductance_us(r, k, 0) - g) / (step * (1 - g / 50)) - 1};
        for (int i = 0; i < 2; ++i) {
          mean[i] += f[i] / kN;
          second[i] += f[i] * f[i] / kN;
        }
        cross += f[0] * f[1] / kN;
      }
    }
    for (int i = 0; i < 2; ++i) {
      EXPECT_NEAR(mean[i], 0, 0.006) << noise;
      EXPECT_NEAR(std::sqrt(second[i]), 0.3, 0.006) << noise;  // clipped at 3 sigma: 0.2960
    }
    // Noise is new each pulse; the step stays the device's own. Gm differs by 5 %: (1 - G / Gm) hides it here.
    EXPECT_NEAR(cross / 0.09, noise ? 0 : 1, 0.05);
  }
}

TEST_F(PulsedArray, OrderAndGroupingOfDevicesDoNotMatter) {
  ArrayConfig c = config(8, 72);
  c.pulse_noise_kind = 8;
  c.pulse_variation_kind = 9;
  DeviceArray whole(c), parts(c);
  c.spares = 0;  // spare columns change nothing for the others
  DeviceArray bare(c);
  const auto mask = all(whole);
  for (int i = 0; i < 3; ++i)
    for (uint32_t r = 0; r < 8; ++r) {
      whole.pulse(set(r, 9), mask.data(), {});
      bare.pulse(set(r, 9), mask.data(), {});
    }
  for (uint32_t k = 72; k-- > 0;)
    for (int i = 0; i < 3; ++i)
      for (uint32_t r = 8; r-- > 0;) {
        std::vector<uint32_t> one(3, 0);
        one[k / 32] = 1u << (k % 32);
        parts.pulse(set(r, 9), one.data(), {});
      }
  for (uint32_t r = 0; r < 8; ++r) {
    EXPECT_EQ(row(whole, r), row(parts, r));
    EXPECT_EQ(row(whole, r), row(bare, r));
  }
}

TEST_F(PulsedArray, StuckDevicesAndOpenColumnsDoNotMove) {
  ArrayConfig c = config(8, 32);
  c.stuck_kind = 2;
  c.stuck_fraction = 1;
  c.open = {5};
  DeviceArray a(c);
  const auto before = row(a, 1), mask = std::vector<double>();
  a.pulse(set(1, 15), all(a).data(), {});
  EXPECT_EQ(row(a, 1), before);
  EXPECT_EQ(a.pulses(1, 4, 0), 1u);
  EXPECT_EQ(a.pulses(1, 5, 0), 0u);
  EXPECT_TRUE(a.stuck(1, 5, 0));
  c.stuck_kind = 0;
  DeviceArray b(c);
  b.pulse(set(1, 15), all(b).data(), {});
  EXPECT_EQ(b.conductance_us(1, 5, 0), 0);
  EXPECT_GT(b.conductance_us(1, 4, 0), 0);
}

TEST_F(PulsedArray, DevicesWearOutAtALognormalNumberOfPulses) {
  ArrayConfig c = config(4, 1024);
  c.lanes = c.spares = 0;
  c.wear_kind = 10;
  c.drift_kind = 3;
  c.read_noise = true;
  Technology short_lived = *c.technology;
  short_lived.pulse.endurance = 60;
  c.technology = std::make_shared<const Technology>(short_lived);
  DeviceArray a(c);
  const auto mask = all(a);
  std::vector<double> life(4096, 0), at(4096, 0);
  for (uint32_t n = 1; n <= 1000; ++n) {
    for (uint32_t r = 0; r < 4; ++r) {
      a.pulse(n % 2 != 0 ? set(r, 8) : reset(r, 8), mask.data(), {});
      for (uint32_t k = 0; k < 1024; ++k) {
        const size_t i = r * 1024 + k;
        if (life[i] == 0 && a.stuck(r, k, 0)) {
          life[i] = n;
          at[i] = a.conductance_us(r, k, 0);
        }
      }
    }
  }
  double mean = 0, var = 0;
  for (double n : life) {
    ASSERT_GT(n, 0);  // exp(6.6 * 0.5) * 60 = 1630 at most, 4096 devices: 3.7 sigma, 380
    mean += std::log(n - 0.5) / 4096;
  }
  for (double n : life) var += std::pow(std::log(n - 0.5) - mean, 2) / 4096;
  EXPECT_NEAR(mean, std::log(60.0), 5 * 0.5 / 64);
  EXPECT_NEAR(std::sqrt(var), 0.5, 5 * 0.5 / std::sqrt(2 * 4096));
  // Stuck where it was, without drift and noise; formula programming does not move it either.
  a.program(0, 0, 4, 1024, std::vector<int8_t>(4096, 100).data());
  const auto m = a.effective({1e6, 0});
  for (uint32_t k = 0; k < 1024; ++k) {
    ASSERT_EQ(a.conductance_us(2, k, 0), at[2048 + k]);
    ASSERT_EQ(m.w[m.index(2, k)], static_cast<float>(at[2048 + k] * kUnit));
    ASSERT_EQ(m.v[m.index(2, k)], 0.0f);
  }
}

// Drift counts from the last pulse: (1 + t / t0)^-nu, with the exponent of the conductance that it reached.
TEST_F(PulsedArray, APulseActsOnTheDriftedDeviceAndStartsItAnew) {
  ArrayConfig c = config(4, 8);
  c.drift_kind = 3;
  DeviceArray a(c);
  a.program(0, 0, 4, 8, std::vector<int8_t>(32, 127).data());
  const auto nu = [&](uint32_t r, uint32_t k, double x) {
    const double n = gaussian_pair(philox(5, Draw{3, r * 8 + k, 0, 0, 0})).a;
    return std::fabs(0.049 * (x >= 0.2) + (x < 0.2) * std::min(0.1, std::max(0.049, -0.0155 * std::log(x) + 0.0244)) +
                     std::min(0.045, std::max(0.008, -0.0125 * std::log(x) - 0.0059)) * n);
  };
  const double t1 = 1e4, t2 = 3e6;
  a.pulse(reset(1, 12), all(a).data(), {0, t1});
  const double step = 0.25 * std::pow(1.32, 12);
  const auto now = a.effective({0, t1}), later = a.effective({0, t1 + t2});
  const auto update = [&] {
    auto m = a.effective({0, t1});
    a.update(&m, {0, t1}, 0, 0, 4, 8);
    return m.w;
  };
  EXPECT_EQ(update(), now.w);
  for (uint32_t k = 0; k < 8; ++k) {
    const double untouched = 25 * std::pow(1 + t1 / 20, -nu(0, k, 1));
    EXPECT_NEAR(now.w[now.index(0, k)], untouched * kUnit, 1e-4);
    const double drifted = 25 * std::pow(1 + t1 / 20, -nu(1, k, 1));
    const double g = drifted - step * (0.5 + 0.5 * drifted / 50);
    EXPECT_NEAR(a.conductance_us(1, k, 0), g, 1e-9);
    EXPECT_NEAR(now.w[now.index(1, k)], g * kUnit, 1e-4);
    EXPECT_NEAR(later.w[later.index(1, k)], g * std::pow(1 + t2 / 20, -nu(1, k, g / 25)) * kUnit, 1e-4);
  }
  // Age of formula programming does not touch pulsed devices.
  const auto aged = a.effective({1e6, t1});
  EXPECT_EQ(aged.w[aged.index(1, 0)], now.w[now.index(1, 0)]);
  EXPECT_LT(aged.w[aged.index(0, 0)], now.w[now.index(0, 0)]);
  // Programming by formula starts anew, too.
  a.program(0, 0, 1, 8, std::vector<int8_t>(8, 127).data(), {0, t1});
  const auto again = a.effective({0, t1});
  EXPECT_EQ(again.w[again.index(0, 3)], 127.0f);
}

TEST_F(PulsedArray, ReadNoiseFollowsTheConductanceReached) {
  ArrayConfig c = config(4, 8);
  c.read_noise = true;
  DeviceArray a(c);
  for (uint32_t k = 0; k < 8; ++k)
    for (uint32_t i = 0; i <= 3 * k; ++i) {
      const uint32_t mask = 1u << k;
      a.pulse(set(0, k), &mask, {});
    }
  const auto m = a.effective({});
  for (uint32_t k = 0; k < 8; ++k) {
    const double g = a.conductance_us(0, k, 0), q = std::min(0.2, 0.0088 / std::pow(g / 25, 0.65));
    const double sigma = g * q * std::sqrt(std::log((20 + 250e-9) / 500e-9)) * kUnit;
    EXPECT_NEAR(std::sqrt(m.v[m.index(0, k)]) / sigma, 1, 1e-3) << g;
  }
}

TEST_F(PulsedArray, PulsesAndRepairsKeepAMatrixUpToDate) {
  ArrayConfig c = config(16, 72);
  c.pulse_noise_kind = 8;
  c.pulse_variation_kind = 9;
  c.drift_kind = 3;
  c.stuck_kind = 2;
  c.stuck_fraction = 0.05;
  c.read_noise = true;
  c.open = {3, 70, 72 + 2};
  DeviceArray a(c);
  std::mt19937 g(3);
  std::vector<int8_t> w(16 * 72);
  for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
  a.program(0, 0, 16, 72, w.data());
  ArrayTime time = {100, 0};
  for (int round = 0; round < 4; ++round) {
    auto m = a.effective(time);
    for (int i = 0; i < 60; ++i) {
      uint32_t mask[3] = {static_cast<uint32_t>(g()), static_cast<uint32_t>(g()), static_cast<uint32_t>(g())};
      if (i % 7 == 0) a.repair(g() % 8, g() % 3 != 0, g() % 9, time, &m);
      a.pulse(Pulse{static_cast<uint32_t>(g() % 16), g() % 2 == 0, g() % 2 == 0, static_cast<uint32_t>(g() % 16), 60},
              mask, time, &m);
    }
    const auto want = a.effective(time);
    EXPECT_EQ(m.w, want.w);
    EXPECT_EQ(m.v, want.v);
    time.now_s += 5000;
  }
}

TEST_F(PulsedArray, EpochsThatNothingUsesMakeRoom) {
  ArrayConfig c = config(4, 8);
  c.drift_kind = 3;
  DeviceArray a(c);
  const uint32_t first = 1, second = 2;
  a.pulse(set(0, 9), &first, {0, 0.5});
  for (int i = 1; i <= 70000; ++i) {
    a.reserve_epoch();
    a.pulse(set(1, 0), &second, {0, static_cast<double>(i)});
  }
  EXPECT_LE(a.state().epochs.size(), 65536u);
  const auto m = a.effective({0, 70000});
  const double g = a.conductance_us(0, 0, 0), n = gaussian_pair(philox(5, Draw{3, 0, 0, 0, 0})).a;
  const double want =
      g * std::pow(1 + (70000 - 0.5) / 20, -drift_exponent(*builtin_technology("pcm_generic"), g / 25, n));
  EXPECT_NEAR(m.w[m.index(0, 0)], want * kUnit, 1e-5);
}

TEST_F(PulsedArray, BadInputThrowsAndChangesNothing) {
  DeviceArray a(config(4, 16));
  const uint32_t mask = ~0u;
  EXPECT_THROW(a.pulse(set(4, 0), &mask, {}), std::out_of_range);
  EXPECT_THROW(a.pulse(set(0, 16), &mask, {}), std::out_of_range);
  EXPECT_THROW(a.repair(8, true, 0), std::out_of_range);
  EXPECT_THROW(a.repair(0, true, 2), std::out_of_range);
  EXPECT_FALSE(a.repair(0, false, 9));
  EXPECT_EQ(row(a, 0), std::vector<double>(16, 0));
  ArrayConfig c = config(4, 16);
  c.open = {24};
  EXPECT_THROW(DeviceArray{c}, std::invalid_argument);
  c = config(4, 16);
  c.stuck_fraction = 1.5;
  EXPECT_THROW(DeviceArray{c}, std::invalid_argument);
  c = config(4, 16);
  c.spares = 9;
  EXPECT_THROW(DeviceArray{c}, std::invalid_argument);
}

}  // namespace
