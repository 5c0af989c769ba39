// SPDX-License-Identifier: Apache-2.0
#include "sw/runtime/image_reader.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "tb/unit/driver/image_builder.h"

using namespace ohmac;
using namespace ohmac::tb;

namespace {

ChipInfo tiny_chip() {
  ChipInfo c{};
  c.tiles = 2;
  c.mesh_x = 2;
  c.mesh_y = 1;
  c.rows = 32;
  c.cols = 32;
  c.lanes = 8;
  c.adc_bits = 8;
  c.sram_bytes = 16384;
  return c;
}

Status open_status(const ImageBuilder::Bytes& b) {
  ImageReader r;
  return r.open(b.data(), b.size(), tiny_chip());
}

}  // namespace

TEST(Image, RecordsComeBack) {
  const ImageBuilder b = echo_image(2, 4);
  ImageBuilder::Bytes bytes = b.build();
  bytes.insert(bytes.begin(), 0);  // any alignment will do
  ImageReader r;
  ASSERT_EQ(r.open(bytes.data() + 1, bytes.size() - 1, tiny_chip()), Status::kOk)
      << r.bad_offset() << " " << r.bad_reason();
  EXPECT_STREQ(r.network().name, "echo");
  EXPECT_EQ(r.network().in_flight, 4u);
  ASSERT_EQ(r.num_inputs(), 2u);
  EXPECT_EQ(r.input(1).src_offset, 16u);
  ASSERT_EQ(r.num_tiles(), 1u);
  EXPECT_EQ(r.tile(0).pc, 8u);
  ImageReader::Cursor at;
  image::DataRecord d;
  const uint8_t* content;
  ASSERT_TRUE(r.next_data(&at, &d, &content));
  EXPECT_EQ(d.addr, 0u);
  EXPECT_EQ(std::memcmp(content, b.data[0].second.data(), d.bytes), 0);
  ASSERT_TRUE(r.next_data(&at, &d, &content));
  EXPECT_EQ(d.addr, 0x800400u);
  EXPECT_FALSE(r.next_data(&at, &d, &content));
  at = {};
  image::CellsRecord c;
  const int8_t* targets;
  ASSERT_TRUE(r.next_cells(&at, &c, &targets));
  EXPECT_EQ(c.row0, 4);
  EXPECT_EQ(targets[5], -127);
  EXPECT_FALSE(r.next_cells(&at, &c, &targets));
}

TEST(Image, EveryTruncationIsAnError) {
  const auto bytes = echo_image(3, 4).build();
  for (size_t n = 0; n < bytes.size(); ++n) {
    const ImageBuilder::Bytes cut(
        bytes.begin(), bytes.begin() + static_cast<long>(n));  // own storage, so that a sanitizer sees overruns
    ASSERT_EQ(open_status(cut), Status::kBadImage) << n;
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(open_status(longer), Status::kBadImage);
  ImageReader r;
  EXPECT_EQ(r.open(nullptr, 0, tiny_chip()), Status::kBadImage);
}

TEST(Image, EveryFlippedBitIsAnError) {
  auto bytes = echo_image(3, 4).build();
  ASSERT_EQ(open_status(bytes), Status::kOk);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= static_cast<uint8_t>(1 << bit);
      ASSERT_EQ(open_status(bytes), Status::kBadImage) << "byte " << i << " bit " << bit;
      bytes[i] ^= static_cast<uint8_t>(1 << bit);
    }
  }
}

TEST(Image, AnotherGeometryIsNamedAsSuch) {
  const std::function<void(image::GeometryRecord&)> changes[] = {
      [](auto& g) { g.mesh_x = 1; }, [](auto& g) { g.mesh_y = 2; }, [](auto& g) { g.rows = 64; },
      [](auto& g) { g.cols = 64; },  [](auto& g) { g.lanes = 16; }, [](auto& g) { g.sram_bytes = 65536; }};
  for (const auto& change : changes) {
    ImageBuilder b = echo_image(1, 1);
    change(b.geometry);
    EXPECT_EQ(open_status(b.build()), Status::kWrongGeometry);
  }
}

// Records with good CRCs and bad contents: what a broken compiler would write.
TEST(Image, EveryBoundIsChecked) {
  const std::function<void(ImageBuilder&)> changes[] = {
      [](auto& b) { std::memset(b.network.name, 'a', 32); },
      [](auto& b) { b.network.input_bytes = 0; },
      [](auto& b) { b.network.input_bytes = 47; },  // the last part ends at 48
      [](auto& b) { b.network.output_count = 0; },
      [](auto& b) { b.network.output_count = 0xFFFFFFFF; },
      [](auto& b) { b.network.output_elem_bytes = 2; },
      [](auto& b) { b.network.output_stride = 40; },
      [](auto& b) { b.network.output_stride = 32; },
      [](auto& b) { b.network.output_stride = 1 << 25; },
      [](auto& b) { b.network.result_token = 16; },
      [](auto& b) { b.network.in_flight = 0; },
      [](auto& b) { b.network.in_flight = 255; },
      [](auto& b) { b.network.in_flight = 3; },  // slots are 4
      [](auto& b) { b.network.loop_scalar = 8; },
      [](auto& b) { b.tiles[0].tile = 2; },
      [](auto& b) { b.tiles[0].pc = 2048; },
      [](auto& b) { b.tiles[0].mux_count = 5; },
      [](auto& b) { b.tiles[0].adc_bits = 3; },
      [](auto& b) { b.tiles[0].adc_bits = 9; },
      [](auto& b) { b.tiles[0].range = 16; },
      [](auto& b) { b.tiles.push_back(b.tiles[0]); },
      [](auto& b) { b.tiles.clear(); },
      [](auto& b) { b.tiles[0].tile = 1; },  // the inputs' tile does not run
      [](auto& b) { b.inputs.clear(); },
      [](auto& b) { b.inputs[0].tile = 64; },
      [](auto& b) { b.inputs[0].src_offset = 8; },
      [](auto& b) { b.inputs[0].src_offset = 0xFFFFFFF0; },
      [](auto& b) { b.inputs[0].bytes = 0; },
      [](auto& b) { b.inputs[0].addr = 0x1008; },
      [](auto& b) { b.inputs[0].addr = 0x3F80; },
      [](auto& b) { b.inputs[0].addr = 0xFFFFFFF0; },
      [](auto& b) { b.inputs[0].stride = 0; },
      [](auto& b) { b.inputs[0].stride = 0xFFFFFFF0; },
      [](auto& b) { b.inputs[0].slots = 5; },
      [](auto& b) { b.inputs[0].token = 16; },
      [](auto& b) { b.data[0].first.tile = 2; },
      [](auto& b) { b.data[0].first.addr = 4; },
      [](auto& b) { b.data[0].first.addr = 16384; },
      [](auto& b) { b.data[0].first.addr = 0x1800000; },
      [](auto& b) { b.data[0].first.bytes = 0; },
      [](auto& b) { b.data[0].first.bytes = 6; },
      [](auto& b) { b.data[0].first.bytes = 0xFFFFFFFC; },
      [](auto& b) { b.data[1].first.addr = 0x801000; },
      [](auto& b) { b.cells[0].first.tile = 2; },
      [](auto& b) { b.cells[0].first.row0 = 31; },
      [](auto& b) { b.cells[0].first.col0 = 30; },
      [](auto& b) { b.cells[0].first.rows = 3; },
      [](auto& b) { b.cells[0].first.bytes = 0; },
      [](auto& b) { b.cells[0].second[2] = -128; },
  };
  for (size_t i = 0; i < sizeof changes / sizeof *changes; ++i) {
    ImageBuilder b = echo_image(3, 4);
    changes[i](b);
    EXPECT_EQ(open_status(b.build()), Status::kBadImage) << "change " << i;
  }
}
