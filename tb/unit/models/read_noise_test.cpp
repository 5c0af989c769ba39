// SPDX-License-Identifier: Apache-2.0
// Read noise drawn a column, with the exact variance, against read noise drawn a device, and both against the law.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/device/philox.h"
#include "models/macro/macro.h"

namespace {

using namespace ohmac;

constexpr uint32_t kRows = 24, kCols = 16;
constexpr int kReads = 40000;
constexpr double kAge = 5000;
constexpr uint8_t kColumnKind = 4;

/// Kolmogorov-Smirnov distance that is exceeded once in 10^4 when the laws are equal, times sqrt(n):
/// sqrt(-ln(1e-4 / 2) / 2).
constexpr double kSmirnov = 2.225;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

/// Largest distance of the empirical distribution from a normal one.
double distance_to_normal(std::vector<double> v, double sigma) {
  std::sort(v.begin(), v.end());
  double d = 0;
  const double n = static_cast<double>(v.size());
  for (size_t i = 0; i < v.size(); ++i) {
    const double p = normal_cdf(v[i] / sigma), k = static_cast<double>(i);
    d = std::max({d, p - k / n, (k + 1) / n - p});
  }
  return d;
}

/// Largest distance of two empirical distributions of the same size.
double distance(std::vector<double> a, std::vector<double> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  size_t i = 0, k = 0, most = 0;
  while (i < a.size() && k < b.size()) {
    (a[i] <= b[k] ? i : k)++;
    most = std::max(most, i > k ? i - k : k - i);
  }
  return static_cast<double>(most) / static_cast<double>(a.size());
}

double mean(const std::vector<double>& v) {
  double s = 0;
  for (double x : v) s += x;
  return s / static_cast<double>(v.size());
}
double variance(const std::vector<double>& v) {
  const double m = mean(v);
  double s = 0;
  for (double x : v) s += (x - m) * (x - m);
  return s / static_cast<double>(v.size());
}

/// Noise of one read of a device in microsiemens, from the published laws in libm.
double law_us(const std::string& technology, double x_target, double g_us) {
  if (technology == "reram") return 0.4;
  if (technology == "flash_nor") return 0.005 * g_us;
  const double q = x_target > 0 ? std::min(0.2, 0.0088 / std::pow(x_target, 0.65)) : 0.2;
  return g_us * q * std::sqrt(std::log((kAge + 20 + 250e-9) / (2 * 250e-9)));
}

class ReadNoiseOf : public ::testing::TestWithParam<std::string> {
 protected:
  ReadNoiseOf() {
    ArrayConfig c;
    c.rows = kRows;
    c.cols = kCols;
    c.chip_seed = 3;
    c.technology = builtin_technology(GetParam());
    c.programming_kind = 1;
    c.read_noise = c.device_noise = true;
    DeviceArray a(c);
    std::mt19937 g(8);
    std::vector<int8_t> w(kRows * kCols), x(kRows + 1);
    for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
    for (auto& v : x) v = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
    a.program(0, 0, kRows, kCols, w.data());
    const EffectiveMatrix m = a.effective(kAge);
    rows_.assign(x.data(), kRows + 1);

    // What the law says of each column: without the effect drift conductances stay as programmed.
    const double gmin = c.technology->gmax_us / c.technology->on_off, span = c.technology->gmax_us - gmin;
    for (uint32_t k = 0; k < kCols; ++k) {
      double v = 0;
      for (uint32_t r = 0; r < kRows; ++r) {
        for (unsigned p = 0; p < 2; ++p) {
          const int t = p == 0 ? w[r * kCols + k] : -w[r * kCols + k];
          const double target = gmin + std::max(t, 0) / 127.0 * span;
          const double s = law_us(GetParam(), target / c.technology->gmax_us, a.conductance_us(r, k, p)) * 127 / span;
          v += x[r] * x[r] * s * s;
        }
      }
      sigma_.push_back(std::sqrt(v));
    }

    std::vector<float> base(kChunk), var(kChunk), s(kChunk);
    column_sums(m, rows_, 0, base.data(), var.data());
    by_column_.assign(kCols, {});
    by_device_.assign(kCols, {});
    for (int i = 0; i < kReads; ++i) {
      s = base;
      add_read_noise(0, 77, kColumnKind, static_cast<uint64_t>(i), 2, var.data(), s.data());
      for (uint32_t k = 0; k < kCols; ++k) by_column_[k].push_back(static_cast<double>(s[k]) - base[k]);
      s = base;
      add_device_noise(m, rows_, 0, 77, kDeviceNoiseKind, static_cast<uint64_t>(i), 2, s.data());
      for (uint32_t k = 0; k < kCols; ++k) by_device_[k].push_back(static_cast<double>(s[k]) - base[k]);
    }
  }
  ActiveRows rows_;
  std::vector<double> sigma_;                               // [column] of the law
  std::vector<std::vector<double>> by_column_, by_device_;  // [column][read]
};

TEST_P(ReadNoiseOf, ColumnAndDeviceDrawsHaveOneLaw) {
  const double n = kReads;
  for (uint32_t k = 0; k < kCols; ++k) {
    for (const auto* v : {&by_column_[k], &by_device_[k]}) {
      EXPECT_NEAR(mean(*v) / sigma_[k], 0, 5 / std::sqrt(n)) << k;
      EXPECT_NEAR(variance(*v) / (sigma_[k] * sigma_[k]), 1, 5 * std::sqrt(2 / n)) << k;
      EXPECT_LT(distance_to_normal(*v, sigma_[k]), kSmirnov / std::sqrt(n)) << k;
    }
    EXPECT_NEAR(variance(by_device_[k]) / variance(by_column_[k]), 1, 5 * std::sqrt(4 / n)) << k;
    EXPECT_LT(distance(by_device_[k], by_column_[k]), kSmirnov * std::sqrt(2 / n)) << k;
    // Draws of their own: no more alike than chance.
    double cross = 0;
    for (int i = 0; i < kReads; ++i)
      cross += by_device_[k][static_cast<size_t>(i)] * by_column_[k][static_cast<size_t>(i)];
    EXPECT_NEAR(cross / (n * sigma_[k] * sigma_[k]), 0, 5 / std::sqrt(n)) << k;
  }
}

// A test of laws is worth what it refuses: a noise 5 % too large, and one with the right variance but the wrong law.
TEST_P(ReadNoiseOf, AWrongLawWouldBeSeen) {
  std::vector<double> large = by_device_[0], uniform(kReads);
  for (double& v : large) v *= 1.05;
  EXPECT_GT(variance(large) / (sigma_[0] * sigma_[0]), 1 + 5 * std::sqrt(2.0 / kReads));
  std::mt19937 g(1);
  for (double& v : uniform) v = sigma_[0] * std::sqrt(3.0) * std::uniform_real_distribution<double>(-1, 1)(g);
  EXPECT_GT(distance_to_normal(uniform, sigma_[0]), kSmirnov / std::sqrt(kReads));
  EXPECT_GT(distance(uniform, by_column_[0]), kSmirnov * std::sqrt(2.0 / kReads));
}

// Columns of a read are independent, and so are reads of a column.
TEST_P(ReadNoiseOf, DrawsOfColumnsAndReadsAreIndependent) {
  for (const auto* all : {&by_column_, &by_device_}) {
    for (uint32_t k = 1; k < kCols; ++k) {
      double columns = 0, reads = 0;
      for (size_t i = 1; i < kReads; ++i) {
        columns += (*all)[k][i] * (*all)[k - 1][i] / (sigma_[k] * sigma_[k - 1]);
        reads += (*all)[k][i] * (*all)[k][i - 1] / (sigma_[k] * sigma_[k]);
      }
      EXPECT_NEAR(columns / kReads, 0, 5 / std::sqrt(kReads)) << k;
      EXPECT_NEAR(reads / kReads, 0, 5 / std::sqrt(kReads)) << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Technologies, ReadNoiseOf, ::testing::Values("pcm_generic", "reram", "flash_nor"),
                         [](const auto& i) { return i.param; });

// One device with noise 1 and input 1: the gaussian itself, by its name.
TEST(DeviceNoise, DrawsAreTheFloatGaussiansOfTheirNames) {
  const double pi = std::acos(-1.0);
  for (uint32_t row : {0u, 7u}) {
    for (uint32_t p : {0u, 1u}) {
      EffectiveMatrix m(8, 70, true, true);
      for (uint32_t k = 0; k < 70; ++k) m.s[p][m.index(row, k)] = 1;
      std::vector<int8_t> x(9, 0);
      x[row] = 1;
      x[8] = 127;  // the reference row is silent
      ActiveRows rows;
      rows.assign(x.data(), 9);
      std::vector<float> s(2 * kChunk, 0.0f);
      for (uint32_t chunk : {0u, 1u})
        add_device_noise(m, rows, chunk, 0x123456789abcdefull, 13, (uint64_t{1} << 33) + 5, 9,
                         s.data() + chunk * kChunk);
      for (uint32_t k = 0; k < 70; ++k) {
        const auto r =
            philox(0x123456789abcdefull, Draw{13, (uint64_t{1} << 33) + 5, 9, static_cast<uint16_t>(k), 2 * row + p});
        const double u = ((r[0] >> 1) + 1.0) * std::pow(2.0, -31);
        EXPECT_NEAR(s[k], std::sqrt(-2 * std::log(u)) * std::sin(pi * static_cast<int32_t>(r[1]) * std::pow(2.0, -32)),
                    2e-4);
      }
    }
  }
}

// At the pins: the macro with either kind converts the same signal with the same spread.
TEST(DeviceNoise, MacroConvertsTheSameSpread) {
  constexpr int kDrives = 4000;
  double sum[2] = {}, square[2] = {};
  for (ReadNoise kind : {ReadNoise::kColumn, ReadNoise::kDevice}) {
    MacroConfig c;
    c.geometry = tiny_geometry();
    c.effects = EffectSet::none();
    c.effects.set(Effect::kReadNoise, true);
    c.read_noise = kind;
    Macro m(c);
    const std::vector<int8_t> w(32 * 32, 90), x(33, 60);
    m.program_cells(0, 0, 32, 32, w.data());
    std::vector<int8_t> input = x, codes(8);
    input[32] = -127;
    for (int d = 0; d < kDrives; ++d) {
      m.drive(input.data(), 32);
      m.convert(1, 4, 11, 8, codes.data());
      const int i = kind == ReadNoise::kDevice;
      sum[i] += codes[0];
      square[i] += codes[0] * codes[0];
    }
  }
  double v[2];
  for (int i : {0, 1}) v[i] = square[i] / kDrives - std::pow(sum[i] / kDrives, 2);
  EXPECT_NEAR((sum[0] - sum[1]) / kDrives, 0, 5 * std::sqrt(2 * v[0] / kDrives));
  EXPECT_NEAR(v[1] / v[0], 1, 5 * std::sqrt(4.0 / kDrives));
  // By hand: 32 rows of x = 60 and G+ at 90/127 of Gmax, age 0: s = 90 Q(90/127) sqrt(ln(20 / 500 ns)), one step is
  // 2048.
  const double s = 90 * 0.0088 / std::pow(90 / 127.0, 0.65) * std::sqrt(std::log(20.00000025 / 500e-9));
  const double steps = 60 * s * std::sqrt(32.0) / 2048;
  EXPECT_NEAR(v[0] / (steps * steps + 1 / 12.0), 1, 5 * std::sqrt(2.0 / kDrives) + 0.1);  // rounding adds about 1/12
}

}  // namespace
