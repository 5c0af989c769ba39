// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>

#include "models/device/detmath.h"
#include "models/device/philox.h"
#include "models/device/simd.h"

namespace ohmac_alt::det {  // detmath.cpp built with -O3 -mavx2 -mfma
double log(double x);
double exp(double x);
double pow(double x, double y);
struct SinCos {
  double sin, cos;
};
SinCos sincos_2pi(double u);
}  // namespace ohmac_alt::det

namespace {

using namespace ohmac;
constexpr double kInf = std::numeric_limits<double>::infinity();

double relative_error(double got, long double want) {
  return want == 0 ? std::fabs(got) : static_cast<double>(fabsl((got - want) / want));
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// --- detmath: the expected values are libm's in long double.

TEST(DetMath, LogIsWithinTwoUlp) {
  std::mt19937_64 g(1);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const double u = std::uniform_real_distribution<double>(-1, 1)(g);
    const double x = i % 3 == 0 ? std::pow(10.0, 300 * u) : i % 3 == 1 ? 1 + 0.3 * u : 1 + 1e-9 * u;
    worst = std::max(worst, relative_error(det::log(x), logl(x)));
  }
  EXPECT_LE(worst, 3e-16);
  EXPECT_EQ(det::log(1.0), 0.0);
  EXPECT_LE(relative_error(det::log(5e-324), logl(static_cast<long double>(5e-324))), 3e-16);
  EXPECT_EQ(det::log(0.0), -kInf);
  EXPECT_EQ(det::log(kInf), kInf);
  EXPECT_TRUE(std::isnan(det::log(-1.0)));
  EXPECT_TRUE(std::isnan(det::log(std::nan(""))));
}

TEST(DetMath, ExpIsWithinTwoUlp) {
  std::mt19937_64 g(2);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const double u = std::uniform_real_distribution<double>(-1, 1)(g);
    const double x = i % 2 ? 708 * u : u;
    worst = std::max(worst, relative_error(det::exp(x), expl(x)));
  }
  EXPECT_LE(worst, 5e-16);
  EXPECT_EQ(det::exp(0.0), 1.0);
  EXPECT_EQ(det::exp(1000.0), kInf);
  EXPECT_EQ(det::exp(-1000.0), 0.0);
  EXPECT_NEAR(det::exp(-740.0), std::exp(-740.0), 5e-324);
  EXPECT_TRUE(std::isnan(det::exp(std::nan(""))));
}

TEST(DetMath, PowIsWithinTwoUlpAlsoForLargeExponents) {
  std::mt19937_64 g(3);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const double x = std::pow(10.0, std::uniform_real_distribution<double>(-12, 12)(g));
    const double y = std::uniform_real_distribution<double>(-24, 24)(g);
    worst = std::max(worst, relative_error(det::pow(x, y), powl(x, y)));
  }
  EXPECT_LE(worst, 8e-16);
  EXPECT_EQ(det::pow(2.0, 10.0), 1024.0);
  EXPECT_EQ(det::pow(0.0, 0.65), 0.0);
  EXPECT_EQ(det::pow(0.0, -1.0), kInf);
  EXPECT_EQ(det::pow(7.0, 0.0), 1.0);
  EXPECT_TRUE(std::isnan(det::pow(-1.0, 0.5)));
}

TEST(DetMath, SinCosOfTurns) {
  std::mt19937_64 g(4);
  const long double two_pi = 2 * acosl(-1.0L);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const double u = std::uniform_real_distribution<double>(-2, 2)(g);
    const auto t = det::sincos_2pi(u);
    worst = std::max(worst, static_cast<double>(fabsl(t.sin - sinl(two_pi * u))));
    worst = std::max(worst, static_cast<double>(fabsl(t.cos - cosl(two_pi * u))));
  }
  EXPECT_LE(worst, 5e-16);
  EXPECT_EQ(det::sincos_2pi(0.25).sin, 1.0);
  EXPECT_EQ(det::sincos_2pi(0.5).cos, -1.0);
  EXPECT_EQ(det::sincos_2pi(0.5).sin, 0.0);
}

TEST(DetMath, SameBitsAtAnotherOptimisationLevelAndInstructionSet) {
#if defined(__x86_64__)
  if (!simd_supported(Simd::kAvx2)) GTEST_SKIP() << "the other build uses AVX2";
#endif
  std::mt19937_64 g(5);
  for (int i = 0; i < 200000; ++i) {
    const double u = std::uniform_real_distribution<double>(-1, 1)(g);
    const double x = std::exp(40 * u);
    ASSERT_TRUE(same_bits(det::log(x), ohmac_alt::det::log(x))) << x;
    ASSERT_TRUE(same_bits(det::exp(700 * u), ohmac_alt::det::exp(700 * u))) << u;
    ASSERT_TRUE(same_bits(det::pow(x, 3 * u), ohmac_alt::det::pow(x, 3 * u))) << x << ' ' << u;
    ASSERT_TRUE(same_bits(det::sincos_2pi(u).sin, ohmac_alt::det::sincos_2pi(u).sin)) << u;
    ASSERT_TRUE(same_bits(det::sincos_2pi(u).cos, ohmac_alt::det::sincos_2pi(u).cos)) << u;
  }
}

// --- Random numbers.

// Source: kat_vectors of Random123 1.14 (Salmon et al.), philox4x32 with 10 rounds; key words low first.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, RandomBlock{0, 0, 0, 0}), (RandomBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~uint64_t{0}, RandomBlock{~0u, ~0u, ~0u, ~0u}),
            (RandomBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822ull, RandomBlock{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (RandomBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, CounterLayout) {
  const auto c = counter_of(Draw{7, 0x12345678abcdull, 3, 9, 21});
  EXPECT_EQ(c, (RandomBlock{0x5678abcd, 0x1234u << 8 | 7, 3u << 16 | 9, 21}));
}

TEST(Gaussian, MomentsIndependenceAndBound) {
  constexpr int kN = 400000;
  double m[5] = {}, cross = 0;
  for (int i = 0; i < kN; ++i) {
    const auto p = gaussian_pair(philox(99, Draw{1, static_cast<uint64_t>(i), 0, 0, 0}));
    for (double n : {p.a, p.b}) {
      ASSERT_LE(std::fabs(n), 6.7);
      for (int k = 1; k < 5; ++k) m[k] += std::pow(n, k) / (2.0 * kN);
    }
    cross += p.a * p.b / kN;
  }
  // Standard errors at 8e5 samples: 0.0011, 0.0016, 0.0043, 0.011.
  EXPECT_NEAR(m[1], 0, 0.006);
  EXPECT_NEAR(m[2], 1, 0.008);
  EXPECT_NEAR(m[3], 0, 0.022);
  EXPECT_NEAR(m[4], 3, 0.055);
  EXPECT_NEAR(cross, 0, 0.008);
  // The extreme words stay inside the bound that the comparator relies on.
  EXPECT_LE(std::fabs(gaussian_pair({0, 0, 0, 0}).a), 6.7);
  EXPECT_EQ(gaussian_pair({~0u, 5, 6, 7}).a, 0.0);
}

TEST(SimdLevel, FollowsEnvironmentOrTakesTheWidest) {
  const char* wanted = std::getenv("OHMAC_SIMD");
  if (wanted != nullptr && *wanted != 0) {
    EXPECT_STREQ(simd_name(simd_level()), wanted);
  } else {
    EXPECT_EQ(simd_supported(Simd::kAvx512), simd_level() == Simd::kAvx512);
  }
  EXPECT_TRUE(simd_supported(Simd::kBaseline));
}

}  // namespace
