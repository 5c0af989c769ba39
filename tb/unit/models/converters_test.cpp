// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "models/converters/adc.h"
#include "models/converters/integrator.h"
#include "models/converters/sample_hold.h"
#include "models/device/philox.h"
#include "models/device/simd.h"

namespace {

using namespace ohmac;

TEST(SampleHold, Laws) {
  EXPECT_NEAR(settling_factor(128), 1 - std::exp(-8.0), 1e-7);
  EXPECT_NEAR(settling_factor(16), 1 - std::exp(-1.0), 1e-7);
  EXPECT_EQ(droop_factor(0), 1.0f);
  EXPECT_NEAR(droop_factor(10e3), std::exp(-0.1), 1e-7);
}

TEST(Lanes, SpreadIsClippedGaussian) {
  std::vector<double> g, o;
  for (uint16_t tile = 0; tile < 1000; ++tile) {
    const auto e = fabricate_lanes(24, tile, 4, 5, 6);
    ASSERT_EQ(e.gain.size(), 32u);
    for (int l = 0; l < 24; ++l) {
      g.push_back(e.gain[static_cast<size_t>(l)] - 1.0);
      o.push_back(e.offset[static_cast<size_t>(l)]);
    }
  }
  const auto check = [](const std::vector<double>& v, double sigma) {
    double mean = 0, var = 0, top = 0;
    for (double x : v) {
      mean += x / static_cast<double>(v.size());
      var += x * x / static_cast<double>(v.size());
      top = std::max(top, std::fabs(x));
    }
    EXPECT_NEAR(mean, 0, 5 * sigma / std::sqrt(v.size()));
    EXPECT_NEAR(var / (sigma * sigma), 0.995, 0.05);  // clamping at 3 sigma takes 0.5 % of the variance
    EXPECT_NEAR(top, 3 * sigma, 1e-6);                // 65 of 24000 draws are clipped
  };
  check(g, 0.07);
  check(o, 1.5);
  const auto off = fabricate_lanes(8, 0, 4, 0, 0);
  for (int l = 0; l < 8; ++l) {
    EXPECT_EQ(off.gain[static_cast<size_t>(l)], 1.0f);
    EXPECT_EQ(off.offset[static_cast<size_t>(l)], 0.0f);
  }
}

TEST(Sar, NoiselessCodesEqualTheRoundingFormula) {
  std::mt19937 g(1);
  for (uint32_t bits = 1; bits <= 8; ++bits) {
    for (int round = 0; round < 200; ++round) {
      float y[48];
      int8_t codes[40];
      for (auto& v : y)
        v = std::ldexp(static_cast<float>(static_cast<int>(g() % 4001) - 2000), -3);  // eighths: ties too
      sar_convert({}, y, bits, 40, codes);
      const double half = 1 << (bits - 1);
      for (int l = 0; l < 40; ++l)
        EXPECT_EQ(codes[l], std::min(half - 1, std::max(-half, std::floor(y[l] + 0.5)))) << y[l];
    }
  }
}

TEST(Sar, ComparatorDecidesWithTheProbabilityOfItsLaw) {
  constexpr int kTrials = 20000;
  const float y[16] = {-0.9f, -0.6f, -0.3f, 0.0f,
                       0.2f,  0.5f,  0.8f,  1.4f};  // distance to the threshold of code 1 is y - 0.5
  const int8_t code[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  int ones[8] = {};
  for (int i = 0; i < kTrials; ++i) {
    uint8_t cmp[8];
    sar_trial({7, 3, 12, static_cast<uint64_t>(i), 5}, 2, y, code, 8, cmp);
    for (int l = 0; l < 8; ++l) ones[l] += cmp[l];
  }
  for (int l = 0; l < 8; ++l) {
    const double p = 0.5 * std::erfc(-(y[l] - 0.5) / 0.3 / std::sqrt(2.0));
    EXPECT_NEAR(ones[l] / static_cast<double>(kTrials), p, 5 * std::sqrt(p * (1 - p) / kTrials) + 1e-4) << y[l];
  }
}

/// The comparator without the shortcut: the draw is always made, in double with libm, and trusted only off the knife's
/// edge.
TEST(Sar, ShortcutWithoutDrawNeverChangesADecision) {
  std::mt19937 g(2);
  int checked = 0;
  for (int i = 0; i < 3000; ++i) {
    float y[16];
    int8_t code[16];
    uint8_t cmp[16];
    for (int l = 0; l < 16; ++l) {
      y[l] = std::uniform_real_distribution<float>(-6, 6)(g);
      code[l] = static_cast<int8_t>(static_cast<int>(g() % 9) - 4);
    }
    sar_trial({7, 9, 31, static_cast<uint64_t>(i), 3}, 6, y, code, 16, cmp);
    for (int l = 0; l < 16; ++l) {
      const auto r = philox(31, Draw{7, static_cast<uint64_t>(i), 9, static_cast<uint16_t>(l), 3 * 16 + 6});
      const double u = ((r[0] >> 1) + 1.0) * std::pow(2.0, -31);
      const double n =
          std::sqrt(-2 * std::log(u)) * std::sin(std::acos(-1.0) * static_cast<int32_t>(r[1]) * std::pow(2.0, -32));
      const double margin = y[l] + 0.3 * n - (code[l] - 0.5);
      if (std::fabs(margin) < 1e-4) continue;
      EXPECT_EQ(cmp[l], margin > 0) << y[l] << ' ' << int{code[l]} << ' ' << n;
      ++checked;
    }
  }
  EXPECT_GT(checked, 47000);
}

TEST(Sar, SameBitsAtEveryLevelAndTrialByTrial) {
  std::mt19937 g(3);
  const Simd before = simd_level();
  for (uint32_t lanes : {8u, 16u, 24u, 32u, 40u}) {
    for (int round = 0; round < 100; ++round) {
      const auto e = fabricate_lanes(lanes, 1, g(), 5, 6);
      std::vector<float> held(lanes), y0, y(e.gain.size());
      for (auto& v : held) v = std::normal_distribution<float>(0, 9000)(g);
      const ComparatorNoise noise{7, 1, g(), g(), static_cast<uint32_t>(round % 8)};
      const uint32_t bits = 1 + g() % 8;
      std::vector<int8_t> codes0, codes(lanes);
      for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
        if (!simd_supported(level)) continue;
        force_simd(level);
        adc_levels(e, held.data(), 0.99f, 7, lanes, y.data());
        sar_convert(noise, y.data(), bits, lanes, codes.data());
        if (codes0.empty()) {
          codes0 = codes;
          y0 = y;
        }
        EXPECT_EQ(y, y0) << simd_name(level);
        EXPECT_EQ(codes, codes0) << simd_name(level);
        // The search as the RTL makes it.
        std::vector<int> u(lanes, 0);
        std::vector<int8_t> t(lanes);
        std::vector<uint8_t> cmp(lanes);
        const int half = 1 << (bits - 1);
        for (uint32_t i = 0; i < bits; ++i) {
          for (uint32_t l = 0; l < lanes; ++l) t[l] = static_cast<int8_t>((u[l] | half >> i) - half);
          sar_trial(noise, i, y.data(), t.data(), lanes, cmp.data());
          for (uint32_t l = 0; l < lanes; ++l) u[l] |= cmp[l] ? half >> i : 0;
        }
        for (uint32_t l = 0; l < lanes; ++l) EXPECT_EQ(codes[l], u[l] - half);
      }
    }
  }
  force_simd(before);
}

}  // namespace
