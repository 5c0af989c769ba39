// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tb/unit/driver/mock_chip.h"

using namespace ohmac;
using namespace ohmac::tb;

namespace {

// Ideal code of input x on the reference row, from the ADC formula in the architecture's Decisions.
int32_t ideal_code(int32_t x, uint32_t range) {
  return static_cast<int32_t>(std::floor(127.0 * x / std::pow(2.0, range) + 0.5));
}

/// Sums of an ideal macro: a psum is code * 256 with gain 1.
CalSums ideal_sums(const CalPlan& p) {
  CalSums s{0, 0, 0};
  for (uint32_t i = 0; i < p.levels; ++i) {
    s.pos += static_cast<int32_t>(p.reads) * 256 * ideal_code(p.level[i], p.range);
    s.neg += static_cast<int32_t>(p.reads) * 256 * ideal_code(-p.level[i], p.range);
  }
  s.check_pos = static_cast<int32_t>(p.reads) * 256 * ideal_code(p.check_input, p.check_range);
  s.check_neg = static_cast<int32_t>(p.reads) * 256 * ideal_code(-p.check_input, p.check_range);
  return s;
}

}  // namespace

TEST(Calibration, ExpectedCodesRoundHalfUpForBothSigns) {
  EXPECT_EQ(cal_expected_code(64, 7), 64);    // 63.5 -> 64
  EXPECT_EQ(cal_expected_code(-64, 7), -63);  // -63.5 -> -63
  for (int x = -127; x <= 127; ++x) {
    for (uint32_t r = 0; r <= 15; ++r) ASSERT_EQ(cal_expected_code(x, r), ideal_code(x, r)) << x << " " << r;
  }
}

TEST(Calibration, LevelsLeaveRoomForTheSpreadAndNeverSitOnAThreshold) {
  for (uint32_t bits = 4; bits <= 8; ++bits) {
    for (uint32_t levels = 2; levels <= 16; levels += 2) {
      CalPlan p;
      ASSERT_EQ(make_cal_plan(bits, 15, {16, levels}, &p), Status::kOk);
      EXPECT_EQ(p.adc_bits, bits < 6 ? 6 : bits);
      EXPECT_EQ(p.range, 15 - p.adc_bits);
      double error = 0, sum = 0;
      for (uint32_t i = 0; i < levels; ++i) {
        const double y = 127.0 * p.level[i] / (1 << p.range);
        EXPECT_GT(p.level[i], 12);
        // gain +21 %, offset 4.5 steps, noise 6.7 sigma of 0.3 steps: below the highest code
        EXPECT_LT(y * 1.21 + 4.5 + 2.01, (1 << (p.adc_bits - 1)) - 1.5);
        EXPECT_NE(y - std::floor(y), 0.5);
        error += ideal_code(p.level[i], p.range) - y;
        sum += y;
      }
      EXPECT_LT(std::fabs(error) / sum, levels >= 8 ? 0.001 : 0.003)
          << bits << " bits, " << levels << " levels: rounding errors cancel";
    }
  }
}

TEST(Calibration, IdealMacroGivesExactlyOneAndZero) {
  for (uint32_t bits = 4; bits <= 8; ++bits) {
    for (uint32_t levels = 2; levels <= 16; levels += 2) {
      for (uint32_t reads = 1; reads <= 1024; reads *= 2) {
        CalPlan p;
        ASSERT_EQ(make_cal_plan(bits, 15, {reads, levels}, &p), Status::kOk);
        CalWord w{};
        ASSERT_EQ(solve_cal(p, ideal_sums(p), &w), Status::kOk);
        ASSERT_EQ(w.gain, 16384);
        ASSERT_EQ(w.offset, 0);
      }
    }
  }
}

// A plan by hand: one read, levels 40 and 80, ideal codes +-40 (39.69) and +-79 (79.375), expected sums +-119.
// Column y = 1.25 s + 3 steps without quantisation: pos = 256 (1.25 * 119 + 2 * 3) = 39616, neg = 256 (-148.75 + 6) =
// -36544, zero = 256 * 3 = 768. gain = 2^14 * 256 * 238 / 76160 = 13107.2 -> 13107. Total 3840; offset = -13107 * 3840
// / (5 * 2^14) = -614.39 -> -614 (which is -3 steps * 0.8 in 2^-8 steps).
TEST(Calibration, HandComputedColumn) {
  CalPlan p{};
  p.reads = 1;
  p.levels = 2;
  p.adc_bits = 8;
  p.range = 7;
  p.level[0] = 40;
  p.level[1] = 80;
  p.expected_pos = 119;
  p.expected_neg = -119;
  CalWord w{};
  ASSERT_EQ(solve_cal(p, {39616, -36544, 768}, &w), Status::kOk);
  EXPECT_EQ(w.gain, 13107);
  EXPECT_EQ(w.offset, -614);
  EXPECT_EQ(w.word(), 0xFD9A3333u);  // -614 = 0xFD9A, 13107 = 0x3333
}

TEST(Calibration, RefusesColumnsThatTheCorrectionCannotExpress) {
  CalPlan p;
  ASSERT_EQ(make_cal_plan(8, 15, {}, &p), Status::kOk);
  const CalSums ideal = ideal_sums(p);
  const CalWord before{1, 2};
  const auto refused = [&](double gain, double offset_steps) {
    const double n = 256.0 * p.reads * offset_steps;
    const CalSums s{static_cast<int32_t>(ideal.pos * gain + n * p.levels),
                    static_cast<int32_t>(ideal.neg * gain + n * p.levels), static_cast<int32_t>(n)};
    CalWord w = before;
    const Status status = solve_cal(p, s, &w);
    EXPECT_EQ(status == Status::kOk, w.word() != before.word()) << "unchanged after a failure";
    return status == Status::kCalibration;
  };
  EXPECT_TRUE(refused(0, 0)) << "dead lane";
  EXPECT_TRUE(refused(0, 127)) << "stuck lane";
  EXPECT_TRUE(refused(-1, 0)) << "inverted lane";
  EXPECT_TRUE(refused(0.49, 0)) << "correction 2.04";
  EXPECT_FALSE(refused(0.51, 0));
  EXPECT_TRUE(refused(2.01, 0)) << "correction 0.4975";
  EXPECT_FALSE(refused(1.99, 0));
  EXPECT_TRUE(refused(1, 128.1)) << "offset below -32768";
  EXPECT_TRUE(refused(1, -128.1)) << "offset above 32767";
  EXPECT_FALSE(refused(1, 127.9));
}

TEST(Calibration, RefusesIllegalOptions) {
  CalPlan p;
  EXPECT_EQ(make_cal_plan(3, 15, {}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(9, 15, {}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 16, {}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 15, {0, 8}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 15, {12, 8}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 15, {2048, 8}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 15, {16, 1}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 15, {16, 7}, &p), Status::kBadArgument);
  EXPECT_EQ(make_cal_plan(8, 15, {16, 18}, &p), Status::kBadArgument);
}

// By hand: 8 bits, codes up to (128 - 9) / 1.21 = 98.3. 127 * 127 = 16129; / 2^9 = 31.50 -> 32 and -31.50 -> -32
// (31.502 is past the half); / 2^13 = 1.97 -> 2; / 2^14 = 0.98 -> 1, not checked. At range 7, x = 99 gives 98.2 -> 98;
// at range 1, x = 1 gives 63.5 -> 64 and -63; at range 0 even x = 1 gives 127. 6 bits: (32 - 9) / 1.21 = 19.0: range 9,
// x = 76 gives 18.85 -> 19. A 4-bit program is checked with 6 bits as well.
TEST(Calibration, RangeCheckInputsByHand) {
  const struct {
    uint32_t bits, range;
    int input, expected;
  } rows[] = {{8, 9, 127, 64}, {8, 13, 127, 4}, {8, 14, 0, 0},  {8, 15, 0, 0}, {8, 7, 99, 196}, {8, 1, 1, 127},
              {8, 0, 0, 0},    {6, 9, 76, 38},  {4, 9, 76, 38}, {6, 3, 1, 32}, {6, 2, 0, 0}};
  for (const auto& r : rows) {
    CalPlan p;
    ASSERT_EQ(make_cal_plan(r.bits, r.range, {}, &p), Status::kOk);
    EXPECT_EQ(p.check_range, r.range);
    EXPECT_EQ(p.check_input, r.input) << r.bits << " bits, range " << r.range;
    EXPECT_EQ(p.check_expected, r.expected) << r.bits << " bits, range " << r.range;
  }
}

// Range 9, one read: expected difference 64 steps, so 64 +- 17 exclusive. Trim too coarse: +-15.75 -> 32; too fine:
// +-63.0 -> 126.
TEST(Calibration, RangeCheckByHand) {
  CalPlan p;
  ASSERT_EQ(make_cal_plan(8, 9, {1, 8}, &p), Status::kOk);
  const auto status = [&](int32_t pos, int32_t neg, CalWord w = kNeutralCal) {
    CalSums s{0, 0, 0};
    s.check_pos = 256 * pos;
    s.check_neg = 256 * neg;
    return check_cal_range(p, s, w);
  };
  EXPECT_EQ(status(32, -32), Status::kOk);
  EXPECT_EQ(status(36, -28), Status::kOk) << "an offset cancels";
  EXPECT_EQ(status(16, -16), Status::kCalibration) << "too coarse";
  EXPECT_EQ(status(63, -63), Status::kCalibration) << "too fine";
  EXPECT_EQ(status(24, -24), Status::kOk);
  EXPECT_EQ(status(24, -23), Status::kCalibration);
  EXPECT_EQ(status(40, -40), Status::kOk);
  EXPECT_EQ(status(41, -40), Status::kCalibration);
  EXPECT_EQ(status(-32, 32), Status::kCalibration) << "inverted";
  // lane gain 1.25, corrected by 13107 / 2^14 = 0.8: 80 steps measured; twice that is wrong all the same
  EXPECT_EQ(status(40, -40, {13107, 0}), Status::kOk);
  EXPECT_EQ(status(50, -50, {13107, 0}), Status::kOk);
  EXPECT_EQ(status(20, -20, {13107, 0}), Status::kCalibration);
}

TEST(Calibration, RangeCheckFindsOneStepEitherWay) {
  for (uint32_t bits = 4; bits <= 8; ++bits) {
    for (uint32_t range = 0; range <= 15; ++range) {
      for (uint32_t reads : {1u, 16u, 1024u}) {
        CalPlan p;
        ASSERT_EQ(make_cal_plan(bits, range, {reads, 8}, &p), Status::kOk);
        const auto with_trim = [&](uint32_t trim) {
          const int32_t half = 1 << (p.adc_bits - 1);
          CalSums s = ideal_sums(p);
          s.check_pos = std::min(half - 1, ideal_code(p.check_input, trim)) * 256 * static_cast<int32_t>(reads);
          s.check_neg = std::max(-half, ideal_code(-p.check_input, trim)) * 256 * static_cast<int32_t>(reads);
          return check_cal_range(p, s, kNeutralCal);
        };
        EXPECT_EQ(with_trim(range), Status::kOk);
        const Status wrong = p.check_input == 0 ? Status::kOk : Status::kCalibration;
        EXPECT_EQ(with_trim(range + 1), wrong) << bits << " bits, range " << range;
        if (range > 0) {
          EXPECT_EQ(with_trim(range - 1), wrong) << bits << " bits, range " << range;
        }
      }
    }
  }
}

class CalibrateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    expect_probe(platform);
    ASSERT_EQ(driver.probe(), Status::kOk);
    ASSERT_EQ(make_cal_plan(8, 9, {}, &plan), Status::kOk);
  }
  /// Everything until the sums are read; `fill` gives the sums of tile 1's columns.
  void expect_measurement(std::function<CalSums(uint32_t)> fill, uint32_t clips_after) {
    expect_job(platform, [&] {  // gain 1, offset 0: word 0x200 of the configuration space, 32 columns
      EXPECT_EQ(desc_word(platform, 0, 0), 1u << 8 | 1);
      EXPECT_EQ(desc_word(platform, 0, 1), 128u);
      EXPECT_EQ(desc_word(platform, 0, 4), 0x800800u);
      const uint64_t mem = uint64_t{desc_word(platform, 0, 3)} << 32 | desc_word(platform, 0, 2);
      for (int c = 0; c < 32; ++c) EXPECT_EQ(reinterpret_cast<uint32_t*>(platform.at(mem))[c], 0x4000u);
    });
    platform.expect_write(0x058, 0x501);
    platform.expect_read(0x05C, 100);
    platform.expect_write(0x048, static_cast<uint32_t>(MockPlatform::kBus));
    platform.expect_write(0x04C, 1);
    expect_job(platform, [this, fill] {
      EXPECT_EQ(desc_word(platform, 0, 0), 1u << 8 | 1);  // M2T program
      EXPECT_EQ(desc_word(platform, 0, 4), 0u);
      EXPECT_EQ(desc_word(platform, 1, 0), 3u);  // START
      EXPECT_EQ(desc_word(platform, 1, 9), 2u);
      EXPECT_EQ(desc_word(platform, 2, 0), 4u);  // WAIT token 0, one tile
      EXPECT_EQ(desc_word(platform, 2, 8), 1u << 8 | 1u);
      EXPECT_EQ(desc_word(platform, 3, 0), 1u << 8 | 2);  // T2M: five sums of 24 columns
      EXPECT_EQ(desc_word(platform, 3, 1), 5u * 24 * 4);
      EXPECT_EQ(desc_word(platform, 4, 0), 0u);
      const uint64_t mem = uint64_t{desc_word(platform, 3, 3)} << 32 | desc_word(platform, 3, 2);
      int32_t* sums = reinterpret_cast<int32_t*>(platform.at(mem));
      for (uint32_t c = 0; c < 24; ++c) {
        const CalSums s = fill(c);
        sums[c] = s.pos;
        sums[24 + c] = s.neg;
        sums[48 + c] = s.zero;
        sums[72 + c] = s.check_pos;
        sums[96 + c] = s.check_neg;
      }
    });
    platform.expect_write(0x028, 0b1100);
    platform.expect_write(0x02C, 0b1100);
    platform.expect_read(0x40C, 2);
    platform.expect_write(0x058, 0x501);
    platform.expect_read(0x05C, clips_after);
  }
  MockPlatform platform;
  Driver driver{platform};
  CalPlan plan;
  CalTarget target{1, 8, 3, 9};  // tile 1, 3 column blocks of 8 lanes, range 9
};

TEST_F(CalibrateTest, WritesOneWordAColumn) {
  // Column c: gain 1 and an offset of c - 12 steps, exact in the sums: word offset -(c - 12) * 256.
  expect_measurement(
      [&](uint32_t c) {
        const int32_t o = 256 * static_cast<int32_t>(plan.reads) * (static_cast<int32_t>(c) - 12);
        CalSums s = ideal_sums(plan);
        s.pos += o * static_cast<int32_t>(plan.levels);
        s.neg += o * static_cast<int32_t>(plan.levels);
        s.zero += o;
        return s;
      },
      100);
  expect_job(platform, [&] {
    EXPECT_EQ(desc_word(platform, 0, 0), 1u << 8 | 1);
    EXPECT_EQ(desc_word(platform, 0, 1), 96u);
    EXPECT_EQ(desc_word(platform, 0, 4), 0x800800u);
    const uint64_t mem = uint64_t{desc_word(platform, 0, 3)} << 32 | desc_word(platform, 0, 2);
    for (int c = 0; c < 24; ++c) {
      const uint32_t w = reinterpret_cast<uint32_t*>(platform.at(mem))[c];
      EXPECT_EQ(w & 0xFFFF, 16384u) << c;
      EXPECT_EQ(static_cast<int16_t>(w >> 16), -(c - 12) * 256) << c;
    }
  });
  EXPECT_EQ(driver.calibrate(&target, 1), Status::kOk);
}

TEST_F(CalibrateTest, NamesADeadColumnAndWritesNothing) {
  expect_measurement([&](uint32_t c) { return c == 17 ? CalSums{0, 0, 0} : ideal_sums(plan); }, 100);
  EXPECT_EQ(driver.calibrate(&target, 1), Status::kCalibration);
  EXPECT_EQ(driver.last_error().tile, 1u);
  EXPECT_EQ(driver.last_error().column, 17u);
  EXPECT_EQ(driver.last_error().range, ErrorInfo::kNone);
}

// The sums of a chip whose trim of the program's range is off by one step on one column.
TEST_F(CalibrateTest, NamesAColumnWithAWrongRangeTrim) {
  for (const bool fine : {false, true}) {
    expect_measurement(
        [&](uint32_t c) {
          CalSums s = ideal_sums(plan);
          if (c == 9) s.check_pos = fine ? 2 * s.check_pos : s.check_pos / 2;
          if (c == 9) s.check_neg = fine ? 2 * s.check_neg : s.check_neg / 2;
          return s;
        },
        100);
    EXPECT_EQ(driver.calibrate(&target, 1), Status::kCalibration);
    EXPECT_EQ(driver.last_error().tile, 1u);
    EXPECT_EQ(driver.last_error().column, 9u);
    EXPECT_EQ(driver.last_error().range, 9u);
  }
}

TEST_F(CalibrateTest, ClippedCodesFail) {
  expect_measurement(
      [&](uint32_t c) {
        CalSums s = ideal_sums(plan);
        if (c == 5) s.pos += 256 * 16 * 30;
        return s;
      },
      103);
  EXPECT_EQ(driver.calibrate(&target, 1), Status::kCalibration);
  EXPECT_EQ(driver.last_error().tile, 1u);
  EXPECT_EQ(driver.last_error().column, 5u) << "the most extreme one";
  EXPECT_EQ(driver.last_error().clips, 3u);
}

TEST_F(CalibrateTest, RefusesIllegalTargetsWithoutAnAccess) {
  const size_t before = platform.accesses();
  const auto refused = [&](CalTarget t) { EXPECT_EQ(driver.calibrate(&t, 1), Status::kBadArgument); };
  refused({2, 8, 1});
  refused({0, 9, 1});
  refused({0, 3, 1});
  refused({0, 8, 0});
  refused({0, 8, 5});
  refused({0, 8, 1, 16});
  const CalTarget twice[] = {{0, 8, 1}, {0, 8, 1}};
  EXPECT_EQ(driver.calibrate(twice, 2), Status::kBadArgument);
  EXPECT_EQ(driver.calibrate(twice, 0), Status::kBadArgument);
  EXPECT_EQ(driver.calibrate(nullptr, 1), Status::kBadArgument);
  EXPECT_EQ(driver.calibrate(&target, 1, {3, 8}), Status::kBadArgument);
  EXPECT_EQ(platform.accesses(), before);
}
