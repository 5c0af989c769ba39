// SPDX-License-Identifier: Apache-2.0
// The real driver on the golden machine: bring-up, calibration (ideal and with every effect on).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tb/unit/driver/golden_rig.h"

using namespace ohmac;
using tb::Rig;

namespace {

/// Codes of a drive of x on the reference row, straight from a copy of the macro, averaged over `reads` drives. For the
/// whole array.
std::vector<double> mean_codes(Macro macro, const Geometry& g, int x, uint32_t reads) {
  std::vector<double> mean(g.cols);
  std::vector<int8_t> in(g.rows + 1), codes(g.lanes);
  in.back() = static_cast<int8_t>(x);
  for (uint32_t r = 0; r < reads; ++r) {
    macro.drive(in.data(), 32);
    for (uint32_t b = 0; b < g.mux(); ++b) {
      macro.convert(b, 2 + 10 * b, 7, 8, codes.data());
      for (uint32_t l = 0; l < g.lanes; ++l) mean[b * g.lanes + l] += double{1} * codes[l] / reads;
    }
  }
  return mean;
}

}  // namespace

TEST(GoldenCalibration, ProbeFindsTheGeometry) {
  for (const Geometry& g : {tiny_geometry(), reference_geometry()}) {
    Rig rig(g, EffectSet::none(), 1);
    ASSERT_EQ(rig.driver.probe(), Status::kOk);
    EXPECT_EQ(rig.driver.chip().tiles, g.tiles());
    EXPECT_EQ(rig.driver.chip().rows, g.rows);
    EXPECT_EQ(rig.driver.chip().cols, g.cols);
    EXPECT_EQ(rig.driver.chip().lanes, g.lanes);
    EXPECT_EQ(rig.driver.chip().sram_bytes, g.sram_bytes);
  }
}

TEST(GoldenDriver, TileMemoryComesBackForAnyLength) {
  Rig rig(tiny_geometry(), EffectSet::none(), 1);
  ASSERT_EQ(rig.driver.probe(), Status::kOk);
  for (uint32_t bytes : {1u, 15u, 16u, 17u, 255u, 4096u, 4097u, 16384u}) {
    std::vector<uint8_t> data(bytes), got(bytes);
    for (uint32_t i = 0; i < bytes; ++i) data[i] = static_cast<uint8_t>(i * 13 + bytes);
    const uint32_t addr = bytes == 16384 ? 0 : 0x40;
    ASSERT_EQ(rig.driver.write_tile(1, addr, data.data(), bytes), Status::kOk) << bytes;
    ASSERT_EQ(rig.driver.read_tile(1, addr, got.data(), bytes), Status::kOk) << bytes;
    EXPECT_EQ(got, data) << bytes;
  }
}

TEST(GoldenCalibration, IdealChipGetsExactlyOneAndZero) {
  for (const Geometry& g : {tiny_geometry(), reference_geometry()}) {
    for (uint32_t bits : {8u, 7u, 6u, 5u, 4u}) {
      if (bits != 8 && g.rows != 32) continue;
      Rig rig(g, EffectSet::none(), 1);
      ASSERT_EQ(rig.driver.probe(), Status::kOk);
      const auto targets = rig.all_tiles(bits);
      ASSERT_EQ(rig.driver.calibrate(targets.data(), static_cast<uint32_t>(targets.size())), Status::kOk);
      for (uint32_t t = 0; t < g.tiles(); ++t) {
        for (uint32_t c = 0; c < g.cols; ++c) ASSERT_EQ(rig.cal_word(t, c), 0x4000u) << t << " " << c;
        for (uint32_t k = 0; k < isa::kNumTokens; ++k)
          EXPECT_EQ(rig.chip.tile(t).token(k), 0) << "token " << k << " left behind";
        // 8 levels of 2 signs, zero and 2 inputs at the program's range, 16 reads each
        EXPECT_EQ(rig.chip.tile(t).counter(isa::Counter::kMvmOps), 19u * 16);
      }
    }
  }
}

TEST(GoldenCalibration, MixedTilesOfOneJob) {
  Rig rig(tiny_geometry(), EffectSet::none(), 1);
  ASSERT_EQ(rig.driver.probe(), Status::kOk);
  const CalTarget targets[] = {{1, 6, 3, 10}, {0, 8, 1, 15}};
  ASSERT_EQ(rig.driver.calibrate(targets, 2, {4, 16}), Status::kOk);
  for (uint32_t c = 0; c < 32; ++c) {
    EXPECT_EQ(rig.cal_word(0, c), 0x4000u);  // neutral beyond the calibrated blocks as well
    EXPECT_EQ(rig.cal_word(1, c), 0x4000u);
  }
  EXPECT_EQ(rig.chip.tile(0).counter(isa::Counter::kConversions), 33u * 4 * 8);   // 33 levels, 4 reads, 8 lanes
  EXPECT_EQ(rig.chip.tile(1).counter(isa::Counter::kConversions), 35u * 4 * 24);  // and the range check
}

TEST(GoldenCalibration, IdealChipPassesTheCheckOfEveryRange) {
  for (uint32_t bits : {8u, 6u, 4u}) {
    for (uint32_t range = 0; range <= 15; ++range) {
      Rig rig(tiny_geometry(), EffectSet::none(), 1);
      ASSERT_EQ(rig.driver.probe(), Status::kOk);
      const auto targets = rig.all_tiles(bits, range);
      ASSERT_EQ(rig.driver.calibrate(targets.data(), static_cast<uint32_t>(targets.size())), Status::kOk) << range;
      for (uint32_t c = 0; c < 32; ++c) ASSERT_EQ(rig.cal_word(1, c), 0x4000u) << range << " " << c;
      const bool checked = range < 14 && range >= (bits == 8 ? 1u : 3u);
      EXPECT_EQ(rig.chip.tile(1).counter(isa::Counter::kDrives), checked ? 19u * 16 : 17u * 16) << range;
    }
  }
}

// Every effect on. The words are the same whatever range is checked: the check comes last and changes nothing.
TEST(GoldenCalibration, NoisyChipPassesTheCheckOfEveryRange) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    for (uint32_t bits : {8u, 6u}) {
      std::vector<uint32_t> first;
      for (uint32_t range = 0; range <= 15; ++range) {
        Rig rig(tiny_geometry(), EffectSet{}, seed);
        ASSERT_EQ(rig.driver.probe(), Status::kOk);
        const auto targets = rig.all_tiles(bits, range);
        ASSERT_EQ(rig.driver.calibrate(targets.data(), static_cast<uint32_t>(targets.size())), Status::kOk)
            << "seed " << seed << " range " << range << " tile " << rig.driver.last_error().tile << " column "
            << rig.driver.last_error().column;
        std::vector<uint32_t> words;
        for (uint32_t t = 0; t < 2; ++t)
          for (uint32_t c = 0; c < 32; ++c) words.push_back(rig.cal_word(t, c));
        if (range == 0) first = words;
        EXPECT_EQ(words, first) << range;
      }
    }
  }
}

TEST(GoldenCalibration, NoisyChipIsCorrected) {
  const Geometry g = reference_geometry();
  double gain_sq = 0, offset_sq = 0, raw_gain_sq = 0, raw_offset_sq = 0, worst_gain = 0, worst_offset = 0;
  uint64_t cycles = 0;
  size_t n = 0;
  for (uint64_t seed : {1, 2, 3, 4, 5}) {
    Rig rig(g, EffectSet{}, seed);
    ASSERT_EQ(rig.driver.probe(), Status::kOk);
    const auto targets = rig.all_tiles();
    ASSERT_EQ(rig.driver.calibrate(targets.data(), static_cast<uint32_t>(targets.size())), Status::kOk)
        << "tile " << rig.driver.last_error().tile << " column " << rig.driver.last_error().column;
    ASSERT_EQ(rig.driver.read_cycles(&cycles), Status::kOk);
    for (uint32_t t = 0; t < 4; ++t) {
      // Independent measurement at other levels and far more reads; +-73 and +-41, 200 drives each.
      const std::vector<int> xs = {73, 41, 97, 30};
      std::vector<double> slope(g.cols), mid(g.cols);
      double span = 0;
      for (int x : xs) {
        const auto hi = mean_codes(rig.chip.macro(t), g, x, 200), lo = mean_codes(rig.chip.macro(t), g, -x, 200);
        for (uint32_t c = 0; c < g.cols; ++c) {
          slope[c] += hi[c] - lo[c];
          mid[c] += (hi[c] + lo[c]) / (2.0 * xs.size());
        }
        span += 2 * x * 127.0 / 128.0;
      }
      for (uint32_t c = 0; c < g.cols; ++c) {
        const uint32_t w = rig.cal_word(t, c);
        const double gain = (w & 0xFFFF) / 16384.0, offset = static_cast<int16_t>(w >> 16) / 256.0;
        const double ge = slope[c] / span * gain - 1, oe = mid[c] * gain + offset;
        gain_sq += ge * ge;
        offset_sq += oe * oe;
        raw_gain_sq += std::pow(slope[c] / span - 1, 2);
        raw_offset_sq += mid[c] * mid[c];
        worst_gain = std::max(worst_gain, std::fabs(ge));
        worst_offset = std::max(worst_offset, std::fabs(oe));
        ++n;
      }
    }
  }
  std::printf(
      "%zu columns: gain error rms %.3f %% (before %.2f %%), worst %.3f %%; offset rms %.4f steps (before %.3f), worst "
      "%.4f; "
      "%llu cycles from reset\n",
      n, 100 * std::sqrt(gain_sq / n), 100 * std::sqrt(raw_gain_sq / n), 100 * worst_gain, std::sqrt(offset_sq / n),
      std::sqrt(raw_offset_sq / n), worst_offset, static_cast<unsigned long long>(cycles));
  EXPECT_LT(std::sqrt(gain_sq / n), 0.002);
  EXPECT_LT(worst_gain, 0.006);
  EXPECT_LT(std::sqrt(offset_sq / n), 0.05);
  EXPECT_LT(worst_offset, 0.2);
}
