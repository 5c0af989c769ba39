// SPDX-License-Identifier: Apache-2.0
#include "sw/runtime/image_reader.h"

#include <string.h>

#include "sw/hal/crc32.h"
#include "sw/hal/try.h"

namespace ohmac {

using image::CellsRecord;
using image::DataRecord;
using image::GeometryRecord;
using image::Header;
using image::InputRecord;
using image::NetworkRecord;
using image::SectionRecord;
using image::SectionType;
using image::TileRecord;

namespace {

// The structs are the format: no padding, whatever the compiler.
static_assert(sizeof(GeometryRecord) == 16 && sizeof(Header) == 44 && sizeof(SectionRecord) == 16, "image format");
static_assert(sizeof(NetworkRecord) == 64 && sizeof(DataRecord) == 16 && sizeof(CellsRecord) == 16, "image format");
static_assert(sizeof(InputRecord) == 32 && sizeof(TileRecord) == 32, "image format");

constexpr uint32_t kMaxSections = 4096;
constexpr uint32_t kConfigBytes = 4 * (isa::cfg::kCalBase + isa::cfg::kCalCount * isa::cfg::kCalStride);

template <typename T>
T get(const uint8_t* at) {
  T t;
  memcpy(&t, at, sizeof t);
  return t;
}

uint64_t padded(uint64_t bytes) { return (bytes + 15) / 16 * 16; }

bool all_zero(const uint8_t* p, uint64_t bytes) {
  for (uint64_t i = 0; i < bytes; ++i) {
    if (p[i] != 0) return false;
  }
  return true;
}

}  // namespace

GeometryRecord geometry_of(const ChipInfo& chip) {
  GeometryRecord g = {};
  g.mesh_x = static_cast<uint16_t>(chip.mesh_x);
  g.mesh_y = static_cast<uint16_t>(chip.mesh_y);
  g.rows = static_cast<uint16_t>(chip.rows);
  g.cols = static_cast<uint16_t>(chip.cols);
  g.lanes = static_cast<uint16_t>(chip.lanes);
  g.sram_bytes = chip.sram_bytes;
  return g;
}

Status ImageReader::bad(uint32_t offset, const char* reason) {
  bad_offset_ = offset;
  bad_reason_ = reason;
  return Status::kBadImage;
}

SectionRecord ImageReader::section(uint32_t i) const {
  return get<SectionRecord>(data_ + sizeof(Header) + i * sizeof(SectionRecord));
}

InputRecord ImageReader::input(uint32_t i) const { return get<InputRecord>(data_ + inputs_ + i * sizeof(InputRecord)); }
TileRecord ImageReader::tile(uint32_t i) const { return get<TileRecord>(data_ + tiles_ + i * sizeof(TileRecord)); }

Status ImageReader::open(const uint8_t* data, size_t bytes, const ChipInfo& chip) {
  *this = ImageReader{};
  if (data == nullptr) return bad(0, "no image");
  data_ = data;
  bytes_ = bytes;
  OHMAC_TRY(check_header(chip));
  OHMAC_TRY(check_sections());
  OHMAC_TRY(check_network());
  OHMAC_TRY(check_tiles(chip));
  OHMAC_TRY(check_inputs(chip));
  for (uint32_t i = 0; i < header_.num_sections; ++i) {
    const SectionRecord s = section(i);
    if (s.type == static_cast<uint32_t>(SectionType::kTileData)) OHMAC_TRY(check_data(s, chip));
    if (s.type == static_cast<uint32_t>(SectionType::kCells)) OHMAC_TRY(check_cells(s, chip));
  }
  return Status::kOk;
}

Status ImageReader::check_header(const ChipInfo& chip) {
  if (bytes_ < sizeof(Header)) return bad(0, "shorter than the header");
  Header h = get<Header>(data_);
  if (h.magic != image::kMagic) return bad(0, "not a program image (magic)");
  if (h.version != image::kVersion) return bad(4, "unknown image version");
  const uint32_t header_crc = h.header_crc;
  h.header_crc = 0;
  if (crc32(&h, sizeof h) != header_crc) return bad(0, "header CRC");
  if (h.total_bytes != bytes_) return bad(8, "truncated, or bytes after the end");
  if (h.num_sections == 0 || h.num_sections > kMaxSections ||
      sizeof(Header) + h.num_sections * sizeof(SectionRecord) > bytes_) {
    return bad(12, "number of sections");
  }
  if (crc32(data_ + sizeof(Header), h.num_sections * sizeof(SectionRecord)) != h.table_crc) {
    return bad(sizeof(Header), "section table CRC");
  }
  if (crc32(&h.geometry, sizeof h.geometry) != h.geometry_hash) return bad(16, "geometry hash");
  const GeometryRecord own = geometry_of(chip);
  if (h.geometry_hash != crc32(&own, sizeof own) || memcmp(&own, &h.geometry, sizeof own) != 0) {
    bad_offset_ = 16;
    bad_reason_ = "made for another chip geometry";
    return Status::kWrongGeometry;
  }
  header_ = h;
  header_.header_crc = header_crc;
  return Status::kOk;
}

Status ImageReader::check_sections() {
  uint64_t end = sizeof(Header) + header_.num_sections * sizeof(SectionRecord);
  uint32_t networks = 0, inputs = 0, tiles = 0;
  for (uint32_t i = 0; i < header_.num_sections; ++i) {
    const SectionRecord s = section(i);
    const uint32_t at = static_cast<uint32_t>(sizeof(Header) + i * sizeof(SectionRecord));
    if (s.offset % 16 != 0 || s.offset < end || s.offset > bytes_ || s.bytes > bytes_ - s.offset) {
      return bad(at, "section outside the image, overlapping or misaligned");
    }
    if (!all_zero(data_ + end, s.offset - end)) return bad(static_cast<uint32_t>(end), "padding not zero");
    if (crc32(data_ + s.offset, s.bytes) != s.crc) return bad(s.offset, "section CRC");
    end = uint64_t{s.offset} + s.bytes;
    switch (static_cast<SectionType>(s.type)) {
      case SectionType::kNetwork:
        if (s.bytes != sizeof(NetworkRecord) || ++networks > 1) return bad(s.offset, "network section");
        network_ = get<NetworkRecord>(data_ + s.offset);
        break;
      case SectionType::kInputs:
        if (s.bytes == 0 || s.bytes % sizeof(InputRecord) != 0 || ++inputs > 1) return bad(s.offset, "inputs section");
        inputs_ = s.offset;
        num_inputs_ = s.bytes / sizeof(InputRecord);
        break;
      case SectionType::kTiles:
        if (s.bytes == 0 || s.bytes % sizeof(TileRecord) != 0 || ++tiles > 1) return bad(s.offset, "tiles section");
        tiles_ = s.offset;
        num_tiles_ = s.bytes / sizeof(TileRecord);
        break;
      case SectionType::kTileData:
      case SectionType::kCells:
      case SectionType::kListing: break;
      default: return bad(at, "unknown section type");
    }
  }
  if (!all_zero(data_ + end, bytes_ - end)) return bad(static_cast<uint32_t>(end), "padding not zero");
  if (networks == 0 || inputs == 0 || tiles == 0)
    return bad(sizeof(Header), "network, inputs or tiles section missing");
  return Status::kOk;
}

Status ImageReader::check_network() {
  const NetworkRecord& n = network_;
  const uint64_t out = uint64_t{n.output_count} * n.output_elem_bytes;
  if (n.name[sizeof n.name - 1] != 0) return bad(0, "network name not terminated");
  if (n.input_bytes == 0 || n.input_bytes >= 1u << 24) return bad(0, "network: input_bytes");
  if (n.output_elem_bytes != 1 && n.output_elem_bytes != 4) return bad(0, "network: output_elem_bytes");
  if (out == 0 || n.output_stride % 16 != 0 || n.output_stride < out || n.output_stride > 1u << 24) {
    return bad(0, "network: output_stride");
  }
  if (n.result_token >= isa::kNumTokens) return bad(0, "network: result_token");
  if (n.in_flight == 0 || n.in_flight >= 255) return bad(0, "network: in_flight");  // a DMA token counts to 255
  if (n.loop_scalar >= isa::kNumScalar) return bad(0, "network: loop_scalar");
  return Status::kOk;
}

Status ImageReader::check_tiles(const ChipInfo& chip) {
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    const TileRecord t = tile(i);
    const uint32_t at = static_cast<uint32_t>(tiles_ + i * sizeof(TileRecord));
    if (t.tile >= chip.tiles || tile_mask_ >> t.tile & 1) return bad(at, "tile: number");
    if (t.pc > 0xFFFF || t.pc >= chip.sram_bytes / 8) return bad(at, "tile: pc");
    if (t.mux_count > chip.mux()) return bad(at, "tile: mux_count");
    if (t.mux_count != 0 && (t.adc_bits < 4 || t.adc_bits > chip.adc_bits)) return bad(at, "tile: adc_bits");
    if (t.range > kMaxAdcRange) return bad(at, "tile: range");
    tile_mask_ |= uint64_t{1} << t.tile;
  }
  return Status::kOk;
}

Status ImageReader::check_inputs(const ChipInfo& chip) {
  for (uint32_t i = 0; i < num_inputs_; ++i) {
    const InputRecord r = input(i);
    const uint32_t at = static_cast<uint32_t>(inputs_ + i * sizeof(InputRecord));
    if (r.tile >= chip.tiles || !(tile_mask_ >> r.tile & 1)) return bad(at, "input: tile does not run");
    if (r.src_offset % 16 != 0 || r.bytes == 0 || uint64_t{r.src_offset} + r.bytes > network_.input_bytes) {
      return bad(at, "input: part outside the input vector");
    }
    if (r.slots != network_.in_flight) return bad(at, "input: slots differ from in_flight");
    if (r.addr % 16 != 0 || r.stride % 16 != 0 || r.stride < padded(r.bytes) ||
        uint64_t{r.addr} + uint64_t{r.slots} * r.stride > chip.sram_bytes) {
      return bad(at, "input: slots outside the tile's memory or overlapping");
    }
    if (r.token >= isa::kNumTokens) return bad(at, "input: token");
  }
  return Status::kOk;
}

Status ImageReader::check_data(const SectionRecord& s, const ChipInfo& chip) {
  uint64_t at = s.offset;
  const uint64_t end = uint64_t{s.offset} + s.bytes;
  while (at < end) {
    const uint32_t place = static_cast<uint32_t>(at);
    if (end - at < sizeof(DataRecord)) return bad(place, "data: record cut");
    const DataRecord r = get<DataRecord>(data_ + at);
    at += sizeof(DataRecord);
    if (r.bytes == 0 || r.bytes % 4 != 0 || padded(r.bytes) > end - at) return bad(place, "data: bytes");
    if (r.tile >= chip.tiles || r.addr % 16 != 0 || r.addr >= 1u << isa::kAddrBits)
      return bad(place, "data: tile or address");
    const bool config = r.addr >> isa::kCfgSpaceBit & 1;
    const uint64_t offset = r.addr & ((1u << isa::kCfgSpaceBit) - 1);
    if (offset + r.bytes > (config ? kConfigBytes : chip.sram_bytes))
      return bad(place, "data: outside the tile's memory");
    at += padded(r.bytes);
  }
  return Status::kOk;
}

Status ImageReader::check_cells(const SectionRecord& s, const ChipInfo& chip) {
  uint64_t at = s.offset;
  const uint64_t end = uint64_t{s.offset} + s.bytes;
  while (at < end) {
    const uint32_t place = static_cast<uint32_t>(at);
    if (end - at < sizeof(CellsRecord)) return bad(place, "cells: record cut");
    const CellsRecord r = get<CellsRecord>(data_ + at);
    at += sizeof(CellsRecord);
    if (r.tile >= chip.tiles || uint32_t{r.row0} + r.rows > chip.rows || uint32_t{r.col0} + r.cols > chip.cols) {
      return bad(place, "cells: outside the array");
    }
    if (r.bytes == 0 || r.bytes != uint32_t{r.rows} * r.cols || padded(r.bytes) > end - at)
      return bad(place, "cells: bytes");
    for (uint32_t i = 0; i < r.bytes; ++i) {
      if (data_[at + i] == 0x80) return bad(static_cast<uint32_t>(at + i), "cells: target -128");
    }
    at += padded(r.bytes);
  }
  return Status::kOk;
}

bool ImageReader::next_data(Cursor* c, DataRecord* record, const uint8_t** bytes) const {
  for (; c->section < header_.num_sections; ++c->section, c->offset = 0) {
    const SectionRecord s = section(c->section);
    if (s.type != static_cast<uint32_t>(SectionType::kTileData) || c->offset >= s.bytes) continue;
    *record = get<DataRecord>(data_ + s.offset + c->offset);
    *bytes = data_ + s.offset + c->offset + sizeof(DataRecord);
    c->offset += static_cast<uint32_t>(sizeof(DataRecord) + padded(record->bytes));
    return true;
  }
  return false;
}

bool ImageReader::next_cells(Cursor* c, CellsRecord* record, const int8_t** targets) const {
  for (; c->section < header_.num_sections; ++c->section, c->offset = 0) {
    const SectionRecord s = section(c->section);
    if (s.type != static_cast<uint32_t>(SectionType::kCells) || c->offset >= s.bytes) continue;
    *record = get<CellsRecord>(data_ + s.offset + c->offset);
    *targets = reinterpret_cast<const int8_t*>(data_ + s.offset + c->offset + sizeof(CellsRecord));
    c->offset += static_cast<uint32_t>(sizeof(CellsRecord) + padded(record->bytes));
    return true;
  }
  return false;
}

}  // namespace ohmac
