// SPDX-License-Identifier: Apache-2.0
// Small program images, written by hand for the tests of the reader and the runtime (the compiler has its own writer).
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "sw/hal/crc32.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "sw/runtime/image.h"

namespace ohmac::tb {

class ImageBuilder {
 public:
  using Bytes = std::vector<uint8_t>;

  image::GeometryRecord geometry{2, 1, 32, 32, 8, 0, 16384};
  image::NetworkRecord network{};
  std::vector<image::InputRecord> inputs;
  std::vector<image::TileRecord> tiles;
  std::vector<std::pair<image::DataRecord, Bytes>> data;
  std::vector<std::pair<image::CellsRecord, std::vector<int8_t>>> cells;
  std::string listing;

  template <typename T>
  static void append(Bytes& b, const T& t) {
    const auto* p = reinterpret_cast<const uint8_t*>(&t);
    b.insert(b.end(), p, p + sizeof t);
  }
  static void pad(Bytes& b) { b.resize((b.size() + 15) / 16 * 16); }

  Bytes build() const {
    std::vector<std::pair<image::SectionType, Bytes>> sections;
    Bytes b;
    append(b, network);
    sections.emplace_back(image::SectionType::kNetwork, b);
    b.clear();
    for (const auto& d : data) {
      append(b, d.first);
      b.insert(b.end(), d.second.begin(), d.second.end());
      pad(b);
    }
    if (!b.empty()) sections.emplace_back(image::SectionType::kTileData, b);
    b.clear();
    for (const auto& c : cells) {
      append(b, c.first);
      b.insert(b.end(), c.second.begin(), c.second.end());
      pad(b);
    }
    if (!b.empty()) sections.emplace_back(image::SectionType::kCells, b);
    b.clear();
    for (const auto& i : inputs) append(b, i);
    sections.emplace_back(image::SectionType::kInputs, b);
    b.clear();
    for (const auto& t : tiles) append(b, t);
    sections.emplace_back(image::SectionType::kTiles, b);
    if (!listing.empty()) sections.emplace_back(image::SectionType::kListing, Bytes(listing.begin(), listing.end()));

    Bytes table, body;
    const size_t start = (sizeof(image::Header) + sections.size() * sizeof(image::SectionRecord) + 15) / 16 * 16;
    for (const auto& s : sections) {
      append(table,
             image::SectionRecord{static_cast<uint32_t>(s.first), static_cast<uint32_t>(start + body.size()),
                                  static_cast<uint32_t>(s.second.size()), crc32(s.second.data(), s.second.size())});
      body.insert(body.end(), s.second.begin(), s.second.end());
      pad(body);
    }
    image::Header h{};
    h.magic = image::kMagic;
    h.version = image::kVersion;
    h.total_bytes = static_cast<uint32_t>(start + body.size());
    h.num_sections = static_cast<uint32_t>(sections.size());
    h.geometry = geometry;
    h.geometry_hash = crc32(&geometry, sizeof geometry);
    h.table_crc = crc32(table.data(), table.size());
    h.header_crc = crc32(&h, sizeof h);
    Bytes out;
    append(out, h);
    out.insert(out.end(), table.begin(), table.end());
    pad(out);
    out.insert(out.end(), body.begin(), body.end());
    return out;
  }
};

/// An image whose tile 0 sends every input vector back: input split into `parts` of 16 bytes, `slots` vectors in
/// flight.
inline ImageBuilder echo_image(uint32_t parts, uint32_t slots, uint32_t scalar = 1) {
  ImageBuilder b;
  const uint32_t bytes = 16 * parts, slot0 = 0x1000, result_token = 5;
  std::strcpy(b.network.name, "echo");
  b.network.input_bytes = bytes;
  b.network.output_count = bytes;
  b.network.output_elem_bytes = 1;
  b.network.output_stride = bytes + 16;
  b.network.result_token = result_token;
  b.network.in_flight = slots;
  b.network.adc_bound = 100;
  b.network.loop_scalar = scalar;
  for (uint32_t i = 0; i < parts; ++i) b.inputs.push_back({0, 16 * i, 16, slot0 + 16 * i, bytes, slots, 3, 0});
  b.tiles.push_back({0, 8, 1, 8, 2, 0, {0, 0}});
  std::vector<uint64_t> p;
  const auto agu = [&](uint32_t i, uint32_t addr, uint32_t inc0, uint32_t wrap) {
    const uint32_t w[7] = {addr, inc0, 0, 0, 0, wrap != 0 ? addr : 0, wrap};
    for (uint32_t k = 0; k < 7; ++k) p.push_back(isa::setr::make(isa::cfg::kAguBase + 8 * i + k, w[k]));
  };
  agu(0, slot0, bytes, bytes * slots);
  agu(1, 0, bytes + 16, 0);
  p.push_back(isa::loop::make(1, scalar, 2, 0));
  p.push_back(isa::wait::make(3, 3, parts));
  p.push_back(isa::send::make(isa::operand(0, 0), isa::kHostTile, isa::operand(1, 0), bytes, 1, result_token));
  p.push_back(isa::halt::make());
  ImageBuilder::Bytes code(64);  // program at instruction 8
  for (uint64_t i : p) ImageBuilder::append(code, i);
  b.data.push_back({{0, 0, static_cast<uint32_t>(code.size()), 0}, code});
  const uint32_t timing = 32 << 8 | 4;
  ImageBuilder::Bytes word;
  ImageBuilder::append(word, timing);
  b.data.push_back({{0, isa::cfg::noc_addr(isa::cfg::kTimingBase), 4, 0}, word});
  b.cells.push_back({{1, 4, 2, 2, 3, 0, 6}, {1, -2, 3, -4, 5, -127}});
  b.listing = "echo\n";
  return b;
}

/// An image whose tile 0 multiplies: psums (int32) of the first n columns, k inputs, weights [k x n] row-major.
inline ImageBuilder matmul_image(const image::GeometryRecord& geometry, uint32_t k, uint32_t n, const int8_t* weights,
                                 uint32_t range) {
  constexpr uint32_t kSlots = 4, kIn = 0x1000, kPsum = 0x2000, kTokIn = 0, kTokPsum = 1, kTokFree = 2, kResult = 5;
  ImageBuilder b;
  b.geometry = geometry;
  const uint32_t stride = (k + 15) / 16 * 16, mux = (n + geometry.lanes - 1) / geometry.lanes;
  std::strcpy(b.network.name, "matmul");
  b.network.input_bytes = stride;
  b.network.output_count = n;
  b.network.output_elem_bytes = 4;
  b.network.output_stride = (4 * n + 15) / 16 * 16;
  b.network.result_token = kResult;
  b.network.in_flight = kSlots;
  b.network.adc_bound = mux * 10;
  b.network.loop_scalar = 0;
  b.inputs.push_back({0, 0, stride, kIn, stride, kSlots, kTokIn, 0});
  b.tiles.push_back({0, 0, 1, 8, mux, range, {0, 0}});
  std::vector<uint64_t> p;
  const auto agu = [&](uint32_t i, uint32_t addr, uint32_t inc0, uint32_t wrap) {
    const uint32_t w[7] = {addr, inc0, 0, 0, 0, wrap != 0 ? addr : 0, wrap};
    for (uint32_t j = 0; j < 7; ++j) p.push_back(isa::setr::make(isa::cfg::kAguBase + 8 * i + j, w[j]));
  };
  agu(0, kIn, stride, stride * kSlots);
  agu(1, kPsum, 0, 0);
  agu(2, 0, b.network.output_stride, 0);
  const uint64_t slot[6] = {k, 1u << 16 | k, 0, 0, 8u << 12 | range << 16, mux << 24 | ((k + 3) / 4 * 4)};
  for (uint32_t j = 0; j < 6; ++j) p.push_back(isa::setr::make(isa::cfg::kMvmcfgBase + j, slot[j]));
  p.push_back(isa::signal::make(0, kTokFree, 1));
  p.push_back(isa::loop::make(1, 0, 7, 0));
  p.push_back(isa::wait::make(1, kTokIn, 1));
  p.push_back(isa::wait::make(1, kTokFree, 1));
  p.push_back(isa::mvm::make(isa::operand(0, 0), isa::operand(1, 0), 0));
  p.push_back(isa::signal::make(1, kTokPsum, 1));
  p.push_back(isa::wait::make(3, kTokPsum, 1));
  p.push_back(isa::send::make(isa::operand(1, 0), isa::kHostTile, isa::operand(2, 0), 4 * n, 1, kResult));
  p.push_back(isa::signal::make(3, kTokFree, 1));
  p.push_back(isa::wait::make(0, kTokFree, 1));
  p.push_back(isa::halt::make());
  ImageBuilder::Bytes code;
  for (uint64_t i : p) ImageBuilder::append(code, i);
  b.data.push_back({{0, 0, static_cast<uint32_t>(code.size()), 0}, code});
  b.cells.push_back({{0, 0, 0, static_cast<uint16_t>(k), static_cast<uint16_t>(n), 0, k * n},
                     std::vector<int8_t>(weights, weights + k * n)});
  return b;
}

}  // namespace ohmac::tb
