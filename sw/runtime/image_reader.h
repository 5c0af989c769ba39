// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sw/driver/driver.h"
#include "sw/runtime/image.h"

namespace ohmac {

/// Geometry record of a chip, as an image for it carries.
image::GeometryRecord geometry_of(const ChipInfo& chip);

/// Checks a program image and hands out its records. The image stays where it is (any alignment) and must outlive the
/// reader.
///
/// Layout rules beyond image.h: the given bytes are exactly one image; sections lie in ascending order without overlap,
/// and every byte between them (padding) is 0, so that each bit of an image is covered by a CRC or a check; exactly one
/// kNetwork, kInputs and kTiles section, any number of the others.
class ImageReader {
 public:
  /// Checks everything: magic, version, CRCs, geometry against the chip, the bounds of every record.
  /// kBadImage or kWrongGeometry; place() then says where.
  Status open(const uint8_t* data, size_t bytes, const ChipInfo& chip);
  /// Byte offset of the section, record or padding that was wrong, and a word about it.
  uint32_t bad_offset() const { return bad_offset_; }
  const char* bad_reason() const { return bad_reason_; }

  const image::NetworkRecord& network() const { return network_; }
  /// Covers, with the CRCs it covers, all of the image: tells images apart.
  uint32_t header_crc() const { return header_.header_crc; }
  uint32_t num_inputs() const { return num_inputs_; }
  uint32_t num_tiles() const { return num_tiles_; }
  image::InputRecord input(uint32_t i) const;
  image::TileRecord tile(uint32_t i) const;

  /// Walks over all records of all kTileData (kCells) sections. Start with a cursor of {}; false at the end.
  struct Cursor {
    uint32_t section = 0, offset = 0;
  };
  bool next_data(Cursor* c, image::DataRecord* record, const uint8_t** bytes) const;
  bool next_cells(Cursor* c, image::CellsRecord* record, const int8_t** targets) const;

 private:
  Status bad(uint32_t offset, const char* reason);
  image::SectionRecord section(uint32_t i) const;
  Status check_header(const ChipInfo& chip);
  Status check_sections();
  Status check_network();
  Status check_data(const image::SectionRecord& s, const ChipInfo& chip);
  Status check_cells(const image::SectionRecord& s, const ChipInfo& chip);
  Status check_tiles(const ChipInfo& chip);
  Status check_inputs(const ChipInfo& chip);

  const uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
  image::Header header_ = {};
  image::NetworkRecord network_ = {};
  uint32_t inputs_ = 0, num_inputs_ = 0, tiles_ = 0, num_tiles_ = 0;
  uint64_t tile_mask_ = 0;
  uint32_t bad_offset_ = 0;
  const char* bad_reason_ = "";
};

}  // namespace ohmac
