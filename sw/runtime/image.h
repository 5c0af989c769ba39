// SPDX-License-Identifier: Apache-2.0
// Program image: what the compiler emits and the driver loads. Little-endian; every section has a CRC-32 (IEEE 802.3,
// as zlib).
#pragma once
#include <stdint.h>

namespace ohmac::image {

constexpr uint32_t kMagic = 0x494D484F;  // "OHMI"
constexpr uint32_t kVersion = 1;

struct GeometryRecord {  // shape the image was made for
  uint16_t mesh_x, mesh_y, rows, cols, lanes, reserved;
  uint32_t sram_bytes;
};

struct Header {
  uint32_t magic, version;
  uint32_t total_bytes;   // whole image
  uint32_t num_sections;  // the table of SectionRecord follows the header
  GeometryRecord geometry;
  uint32_t geometry_hash;  // CRC-32 of `geometry`
  uint32_t table_crc;      // CRC-32 of the section table
  uint32_t header_crc;     // CRC-32 of the header with this field 0
};

enum class SectionType : uint32_t {
  kNetwork = 1,   // one NetworkRecord
  kTileData = 2,  // DataRecord + bytes (padded to 16), repeated: programs, constants, configuration words
  kCells = 3,     // CellsRecord + int8 targets row-major (padded to 16), repeated
  kInputs = 4,    // InputRecord, repeated: how an input vector is split over tiles
  kTiles = 5,     // TileRecord, repeated: tiles that run
  kListing = 6,   // text for people
};

struct SectionRecord {
  uint32_t type, offset, bytes, crc;  // offset from the start of the image, multiple of 16
};

struct NetworkRecord {
  char name[32];
  uint32_t input_bytes;        // int8 input vector
  uint32_t output_count;       // elements of an output vector
  uint32_t output_elem_bytes;  // 1: int8, 4: int32
  uint32_t output_stride;      // bytes between output vectors in the outbox, multiple of 16
  uint32_t result_token;       // DMA token incremented once per finished output vector
  uint32_t in_flight;          // most input vectors in the chip at once; every inter-tile buffer has that many slots
  uint32_t adc_bound;          // cycles of the busiest tile's conversions per input vector
  uint32_t loop_scalar;        // scalar register that takes the number of input vectors of a job, on every tile
};

struct DataRecord {
  uint32_t tile;
  uint32_t addr;   // NoC byte address (SRAM, or configuration space with bit 23), multiple of 16
  uint32_t bytes;  // multiple of 4
  uint32_t reserved;
};

struct CellsRecord {
  uint16_t tile, row0, col0, rows, cols, reserved;
  uint32_t bytes;  // rows * cols
};

struct InputRecord {
  uint32_t tile;
  uint32_t src_offset;  // in the input vector, multiple of 16
  uint32_t bytes;
  uint32_t addr;    // tile byte address of slot 0, multiple of 16
  uint32_t stride;  // bytes between slots, multiple of 16
  uint32_t slots;   // = in_flight
  uint32_t token;   // incremented when a vector's part has arrived
  uint32_t reserved;
};

struct TileRecord {
  uint32_t tile;
  uint32_t pc;                 // first instruction
  uint32_t drives_per_vector;  // drives this tile spends on one input vector
  uint32_t adc_bits;           // resolution the program uses, for calibration
  uint32_t mux_count;          // column blocks in use (from block 0), for calibration
  uint32_t range;              // RANGE field of the program's MVM slot, for the check of its trim
  uint32_t reserved[2];
};

}  // namespace ohmac::image
