// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/chip_state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "sw/driver/compensation.h"

using namespace ohmac;

namespace {

ChipInfo tiny() {
  ChipInfo c = {};
  c.tiles = 2;
  c.rows = c.cols = 32;
  c.lanes = c.spares = 8;
  return c;
}

std::unique_ptr<ChipState> fresh() {
  auto s = std::make_unique<ChipState>();
  EXPECT_EQ(s->attach(tiny()), Status::kOk);
  return s;
}

std::vector<uint8_t> saved(const ChipState& s) {
  std::vector<uint8_t> b(s.size());
  EXPECT_EQ(s.save(b.data(), b.size()), Status::kOk);
  return b;
}

}  // namespace

TEST(ChipState, EverythingComesBack) {
  const auto a = fresh(), b = fresh();
  a->programmed = 2;
  a->calibrated[1] = {8, 9, 4, 0};
  a->reference[1] = {uint64_t{1} << 40, 32, 30, 16, 0};
  a->program.limit = 99;
  a->cal[40] = {13107, -614};
  a->scale[41] = 20000;
  a->health[42] = ColumnHealth::kOpen;
  a->bad_devices[43] = 7;
  a->column_reference[44] = 123456;
  a->repair[9] = 3;
  const auto bytes = saved(*a);
  ASSERT_EQ(b->load(bytes.data(), bytes.size()), Status::kOk);
  EXPECT_EQ(b->programmed, 2u);
  EXPECT_EQ(b->calibrated[1].range, 9);
  EXPECT_EQ(b->reference[1].sum, uint64_t{1} << 40);
  EXPECT_EQ(b->program.limit, 99u);
  EXPECT_EQ(b->cal[40].offset, -614);
  EXPECT_EQ(b->scale[41], 20000);
  EXPECT_EQ(b->health[42], ColumnHealth::kOpen);
  EXPECT_EQ(b->bad_devices[43], 7);
  EXPECT_EQ(b->column_reference[44], 123456u);
  EXPECT_EQ(b->repair[9], 3);
  EXPECT_EQ(saved(*b), bytes);
}

TEST(ChipState, RefusesEveryCutAndEveryFlippedBit) {
  const auto a = fresh(), b = fresh();
  const auto bytes = saved(*a);
  for (size_t n = 0; n < bytes.size(); ++n) ASSERT_EQ(b->load(bytes.data(), n), Status::kBadImage) << n;
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    auto other = bytes;
    other[i / 8] ^= static_cast<uint8_t>(1u << i % 8);
    ASSERT_EQ(b->load(other.data(), other.size()), Status::kBadImage) << i;
  }
  EXPECT_EQ(saved(*b), bytes) << "unchanged";
  std::vector<uint8_t> small(bytes.size() - 1);
  EXPECT_EQ(a->save(small.data(), small.size()), Status::kNoMemory);
  EXPECT_EQ(a->save(nullptr, 0), Status::kBadArgument);
}

TEST(ChipState, RefusesAnotherGeometry) {
  const auto bytes = saved(*fresh());
  ChipInfo other = tiny();
  other.spares = 4;
  ChipState s;
  EXPECT_EQ(s.load(bytes.data(), bytes.size()), Status::kBadArgument) << "no chip yet";
  ASSERT_EQ(s.attach(other), Status::kOk);
  EXPECT_EQ(s.load(bytes.data(), bytes.size()), Status::kWrongGeometry);
  other.tiles = 64;
  other.cols = 512;  // 32768 columns
  EXPECT_EQ(s.attach(other), Status::kNoMemory);
}

// By hand: 16384 * 1.5 = 24576; -614 * 1.5 = -921; 13107 * 1.1 (18022 / 16384 = 1.09998) = 14417.5 -> 14417 or 14418:
// 13107 * 18022 = 236214354, / 16384 = 14417.38 -> 14417.
TEST(ChipState, ScaledWordsByHand) {
  const auto s = fresh();
  s->cal[0] = {16384, -614};
  s->scale[0] = 24576;
  bool limited = true;
  EXPECT_EQ(s->active_cal(0, 0, &limited).gain, 24576);
  EXPECT_EQ(s->active_cal(0, 0).offset, -921);
  EXPECT_FALSE(limited);
  s->cal[1] = {13107, 101};
  s->scale[1] = 18022;
  EXPECT_EQ(s->active_cal(0, 1).gain, 14417);
  EXPECT_EQ(s->active_cal(0, 1).offset, 111);
  s->cal[2] = {40000, 0};
  s->scale[2] = 32768;  // 80000 does not fit
  EXPECT_EQ(s->active_cal(0, 2, &limited).gain, 65535);
  EXPECT_TRUE(limited);
  s->cal[3] = {16384, -20000};
  s->scale[3] = 32768;
  EXPECT_EQ(s->active_cal(0, 3, &limited).offset, -32768);
  EXPECT_TRUE(limited);
  s->cal[4] = kMutedCal;
  s->scale[4] = 32768;
  EXPECT_EQ(s->active_cal(0, 4).word(), 0u);
}

// 254 sqrt(k): 256 rows 4064 -> 2^12, 32 rows 1437 -> 2^11, 1 row 254 -> 2^8; a bit less, a step twice as coarse.
TEST(Compensation, RangeByHand) {
  EXPECT_EQ(response_range(256, 8), 12u);
  EXPECT_EQ(response_range(32, 8), 11u);
  EXPECT_EQ(response_range(1, 8), 8u);
  EXPECT_EQ(response_range(256, 6), 14u);
  EXPECT_EQ(response_range(256, 4), 15u) << "the coarsest there is";
}

TEST(ChipState, EveryHealthHasItsOwnText) {
  for (uint8_t a = 0; a <= static_cast<uint8_t>(ColumnHealth::kDevices); ++a) {
    EXPECT_STRNE(health_text(static_cast<ColumnHealth>(a)), "unknown") << int{a};
    for (uint8_t b = 0; b < a; ++b) {
      EXPECT_STRNE(health_text(static_cast<ColumnHealth>(a)), health_text(static_cast<ColumnHealth>(b)));
    }
  }
}
