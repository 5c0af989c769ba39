// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/divergence.h"

#include <gtest/gtest.h>

namespace ohmac::cli {
namespace {

using Kind = Divergence::Kind;

/// Two tiles, four drives each, two blocks of four lanes; code = a number of its own for each place.
Evidence run() {
  Evidence e;
  for (uint32_t tile : {2u, 5u}) {
    for (uint64_t drive = 0; drive < 4; ++drive) {
      for (uint32_t block = 0; block < 2; ++block) {
        std::vector<int8_t>& codes = e.conversions[{tile, drive, block}];
        for (int lane = 0; lane < 4; ++lane) {
          codes.push_back(static_cast<int8_t>(tile * 16 + drive * 8 + block * 4 + static_cast<uint32_t>(lane)));
        }
      }
    }
    e.memories[tile] = {1, 2, 3, static_cast<uint8_t>(tile)};
  }
  e.outputs = {10, 20, 30};
  return e;
}

/// Tile 5 is fed by tile 2. Tile 2: two calibration drives, one drive a vector; tile 5: none, two drives a vector.
const std::map<uint32_t, TileOrder> kOrder = {{2, {0, 2, 1}}, {5, {1, 0, 2}}};

TEST(FirstDivergence, EqualRunsHaveNone) { EXPECT_FALSE(first_divergence(run(), run(), kOrder)); }

TEST(FirstDivergence, NamesTileDriveColumnAndBothValues) {
  Evidence b = run();
  b.conversions[{5, 3, 1}][2] = -7;
  const auto d = first_divergence(run(), b);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, Kind::kValue);
  EXPECT_EQ(d->tile, 5u);
  EXPECT_EQ(d->drive, 3u);
  EXPECT_EQ(d->column, 1u * 4 + 2);
  EXPECT_EQ(d->a, 5 * 16 + 3 * 8 + 4 + 2);
  EXPECT_EQ(d->b, -7);
}

TEST(FirstDivergence, TakesTheFirstLaneBlockAndDrive) {
  Evidence b = run();
  b.conversions[{2, 1, 1}] = {0, 0, 0, 0};
  b.conversions[{2, 1, 0}][3] = 0;
  b.conversions[{2, 1, 0}][2] = 0;
  b.conversions[{2, 2, 0}][0] = 0;
  const auto d = first_divergence(run(), b);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->drive, 1u);
  EXPECT_EQ(d->column, 2u);
}

TEST(FirstDivergence, CauseComesBeforeEffectEvenAtALowerDriveNumber) {
  Evidence b = run();
  b.conversions[{2, 2, 0}][1] = 0;  // vector 0 on the tile that feeds
  b.conversions[{5, 0, 0}][0] = 0;  // vector 0 on the tile that is fed, at a lower drive number
  const auto d = first_divergence(run(), b, kOrder);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->tile, 2u);
  EXPECT_EQ(d->vector, 0);
}

TEST(FirstDivergence, AnEarlierVectorComesBeforeAnEarlierStage) {
  Evidence b = run();
  b.conversions[{2, 3, 0}][1] = 0;  // vector 1
  b.conversions[{5, 1, 0}][0] = 0;  // vector 0
  const auto d = first_divergence(run(), b, kOrder);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->tile, 5u);
  EXPECT_EQ(d->vector, 0);
}

TEST(FirstDivergence, CalibrationComesBeforeEveryVector) {
  Evidence b = run();
  b.conversions[{2, 1, 1}][3] = 0;
  b.conversions[{5, 0, 0}][0] = 0;
  const auto d = first_divergence(run(), b, kOrder);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->tile, 2u);
  EXPECT_EQ(d->vector, -1);
  EXPECT_EQ(d->column, 7u);
}

TEST(FirstDivergence, AConversionOnOneSideOnlyIsNamed) {
  Evidence b = run();
  b.conversions.erase({5, 2, 1});
  auto d = first_divergence(run(), b);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, Kind::kOnlyA);
  EXPECT_EQ(d->drive, 2u);
  EXPECT_EQ(d->column, 4u);
  d = first_divergence(b, run());
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, Kind::kOnlyB);
  EXPECT_EQ(d->tile, 5u);
  b.conversions[{2, 3, 0}][0] = 0;
  EXPECT_EQ(first_divergence(run(), b)->kind, Kind::kOnlyA) << "drive 2 of tile 5 stands before drive 3 of tile 2";
}

TEST(FirstDivergence, MemoriesCountWhenAllConversionsAreEqual) {
  Evidence b = run();
  b.memories[5][2] = 99;
  b.memories[5][3] = 98;
  b.outputs[0] = 97;
  const auto d = first_divergence(run(), b, kOrder);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, Kind::kMemory);
  EXPECT_EQ(d->tile, 5u);
  EXPECT_EQ(d->address, 2u);
  EXPECT_EQ(d->a, 3);
  EXPECT_EQ(d->b, 99);
  b.conversions[{5, 3, 1}][3] = 0;
  EXPECT_EQ(first_divergence(run(), b, kOrder)->kind, Kind::kValue);
}

TEST(FirstDivergence, OutputsCountLast) {
  Evidence b = run();
  b.outputs[2] = 31;
  auto d = first_divergence(run(), b, kOrder);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->kind, Kind::kOutput);
  EXPECT_EQ(d->address, 2u);
  EXPECT_EQ(d->a, 30);
  EXPECT_EQ(d->b, 31);
  b = run();
  b.outputs.push_back(40);  // longer is a difference as well
  d = first_divergence(run(), b, kOrder);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->address, 3u);
  EXPECT_EQ(d->a, -1);
}

TEST(DivergenceText, SaysWhatAPersonLooksFor) {
  Divergence d;
  d.tile = 3;
  d.drive = 273;
  d.vector = 1;
  d.column = 17;
  d.a = 5;
  d.b = -6;
  EXPECT_EQ(divergence_text(d, "fast", "rtl"), "tile 3, drive 273 (image 1), column 17: fast 5, rtl -6");
  d.vector = -1;
  d.kind = Kind::kOnlyB;
  EXPECT_EQ(divergence_text(d, "fast", "rtl"),
            "tile 3, drive 273 (calibration): the block from column 17 is converted in rtl only");
}

}  // namespace
}  // namespace ohmac::cli
