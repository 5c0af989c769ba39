// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "sw/compiler/map.h"
#include "tb/unit/compiler/support.h"

namespace ohmac {
namespace {

using namespace compiler;

QuantLayer shape(uint32_t k, uint32_t n, const CompileOptions& o) {
  QuantLayer l;
  l.name = "fc";
  l.k = k;
  l.n = n;
  l.k_splits = split_k(k, o, "m", "fc");
  return l;
}

TEST(Split, KOnSixteenByteBounds) {
  const CompileOptions o;
  EXPECT_EQ(split_k(784, o, "m", "fc"), (std::vector<uint32_t>{0, 208, 400, 592, 784}));
  EXPECT_EQ(split_k(256, o, "m", "fc"), (std::vector<uint32_t>{0, 256}));
  EXPECT_EQ(split_k(257, o, "m", "fc"), (std::vector<uint32_t>{0, 144, 257}));
  EXPECT_EQ(split_k(3, o, "m", "fc"), (std::vector<uint32_t>{0, 3}));
}

TEST(Split, CoversEverySizeWithinTheTile) {
  for (uint32_t rows : {16u, 32u, 60u, 256u}) {
    CompileOptions o;
    o.geometry.rows = rows;
    for (uint32_t k = 1; k < 1100; ++k) {
      const std::vector<uint32_t> s = split_k(k, o, "m", "fc");
      ASSERT_EQ(s.front(), 0u);
      ASSERT_EQ(s.back(), k);
      for (size_t i = 0; i + 1 < s.size(); ++i) {
        ASSERT_LT(s[i], s[i + 1]) << k;
        ASSERT_LE(s[i + 1] - s[i], rows) << k;
        ASSERT_EQ(s[i] % 16, 0u) << k;
      }
    }
  }
}

TEST(Split, WeightSlicesTakeColumns) {
  CompileOptions o;
  o.weight_slices = 2;
  EXPECT_EQ(split_n(256, o, "m", "fc"), (std::vector<uint32_t>{0, 128, 256}));
  EXPECT_EQ(split_n(128, o, "m", "fc"), (std::vector<uint32_t>{0, 128}));
  o.geometry = tiny_geometry();
  o.weight_slices = 4;
  EXPECT_NE(test::error_of([&] {
              split_n(9, o, "m", "fc");
            }).find("m: layer 'fc': 9 outputs must be split over tiles, but a tile holds only 8"),
            std::string::npos);
}

TEST(Place, SnakesVisitEveryTileThroughNeighbours) {
  for (const Geometry& g : {Geometry{4, 4}, Geometry{2, 1}, Geometry{3, 5}, Geometry{8, 8}})
    for (uint32_t v = 0; v < kSnakes; ++v) {
      std::set<uint32_t> seen;
      for (uint32_t i = 0; i < g.tiles(); ++i) {
        seen.insert(snake(g, v, i));
        if (i == 0) continue;
        const int a = static_cast<int>(snake(g, v, i - 1)), b = static_cast<int>(snake(g, v, i)),
                  mx = static_cast<int>(g.mesh_x);
        EXPECT_EQ(std::abs(a % mx - b % mx) + std::abs(a / mx - b / mx), 1);
      }
      EXPECT_EQ(seen.size(), g.tiles());
      EXPECT_LT(*seen.rbegin(), g.tiles());
    }
}

TEST(Place, LinkLoadByHand) {
  // 784x256 along the first row, eastwards: link 0 -> 1 carries the inputs of tiles 1..3 (12 flits each) and 64 flits
  // of partial sums.
  const CompileOptions o;
  const std::vector<QuantLayer> layers{shape(784, 256, o)};
  const std::vector<Piece> pieces = place(layers, o, "m");
  const std::vector<Flow> all = flows(pieces, layers);
  EXPECT_EQ(link_load(o.geometry, all, {0, 1, 2, 3}).max, 100u);
  EXPECT_EQ(link_load(o.geometry, all, {3, 2, 1, 0}).max, 64u);  // partial sums westwards meet no input
}

TEST(Place, FlitHopsByHand) {
  // The same along the first row: inputs of 13, 12, 12, 12 flits pass 0, 1, 2, 3 links (72), three times 64 flits of
  // partial sums pass one (192), 64 flits of results three (192). A router more than links for each of 305 flits.
  const CompileOptions o;
  const std::vector<QuantLayer> layers{shape(784, 256, o)};
  std::vector<Piece> pieces = place(layers, o, "m");
  for (uint32_t i = 0; i < 4; ++i) pieces[i].tile = i;
  EXPECT_EQ(flit_hops(o.geometry, pieces, layers), 72u + 192 + 192 + 305);
}

TEST(Place, MnistKeepsEveryLinkBelowTheAdcBound) {
  const CompileOptions o;
  const std::vector<QuantLayer> layers{shape(784, 256, o), shape(256, 128, o), shape(128, 10, o)};
  const std::vector<Piece> pieces = place(layers, o, "m");
  ASSERT_EQ(pieces.size(), 6u);
  std::vector<uint32_t> tile;
  for (const Piece& p : pieces) tile.push_back(p.tile);
  EXPECT_EQ(std::set<uint32_t>(tile.begin(), tile.end()).size(), 6u);
  EXPECT_LE(link_load(o.geometry, flows(pieces, layers), tile).max, 70u);
}

TEST(Place, TooLargeNetworkSaysHowManyTiles) {
  CompileOptions o;
  o.geometry = tiny_geometry();
  const std::string text = test::error_of([&] { compile(test::mnist(), test::digits("calibration"), o); });
  // 784 / 32 -> 25 K-tiles x 8, 256 / 32 x 128 / 32 = 32, 128 / 32 = 4
  EXPECT_NE(text.find("mnist_mlp.onnx: network needs 236 tiles, chip has 2 (fc1 200, fc2 32, fc3 4)"),
            std::string::npos)
      << text;
}

TEST(Place, LosslessNeedsMoreTiles) {
  CompileOptions o;
  o.geometry.mesh_y = 2;  // 8 tiles: enough for 6, not for 10
  EXPECT_EQ(compile(test::mnist(), test::digits("calibration"), o).pieces.size(), 6u);
  o.lossless = true;
  EXPECT_NE(test::error_of([&] {
              compile(test::mnist(), test::digits("calibration"), o);
            }).find("network needs 10 tiles, chip has 8"),
            std::string::npos);
}

TEST(Options, WrongValuesAreNamed) {
  const auto refuses = [](const char* what, auto set) {
    CompileOptions o;
    set(o);
    const std::string text = test::error_of([&] {
      compile(test::random_network({8, 4}, 1), test::random_images(8, 4, 1), o);
    });
    EXPECT_NE(text.find(what), std::string::npos) << text;
  };
  refuses("option adc_bits: must be 4 to 8", [](CompileOptions& o) { o.adc_bits = 3; });
  refuses("option adc_bits", [](CompileOptions& o) { o.adc_bits = 9; });
  refuses("option input_slice_bits: must be 7, 4, 2 or 1", [](CompileOptions& o) { o.input_slice_bits = 3; });
  refuses("option weight_slices", [](CompileOptions& o) { o.weight_slices = 3; });
  refuses("option group_rows", [](CompileOptions& o) { o.group_rows = 6; });
  refuses("option group_rows", [](CompileOptions& o) { o.group_rows = 260; });
  refuses("option in_flight", [](CompileOptions& o) { o.in_flight = 0; });
  refuses("option headroom", [](CompileOptions& o) { o.headroom = 0; });
  refuses("option geometry (mesh)", [](CompileOptions& o) { o.geometry.mesh_x = 0; });
  refuses("option geometry (columns, lanes)", [](CompileOptions& o) { o.geometry.lanes = 12; });
}

}  // namespace
}  // namespace ohmac
