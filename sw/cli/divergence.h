// SPDX-License-Identifier: Apache-2.0
// The first place at which two runs of the same job part.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace ohmac::cli {

/// Where a tile stands in the flow of data, and how its drive counter counts vectors.
struct TileOrder {
  uint32_t stage = 0;              ///< 0 = gets the inputs; a tile feeds only tiles of the same or a higher stage
  uint64_t base_drives = 0;        ///< drives before the first vector (calibration)
  uint32_t drives_per_vector = 1;  ///< >= 1
};

/// All that a run leaves behind.
struct Evidence {
  struct Key {
    uint32_t tile;
    uint64_t drive;  ///< number since power-on, from 0
    uint32_t block;  ///< column block: column = block * lanes + lane
    friend bool operator<(const Key& a, const Key& b) {
      return std::tie(a.tile, a.drive, a.block) < std::tie(b.tile, b.drive, b.block);
    }
  };
  std::map<Key, std::vector<int8_t>> conversions;     ///< one code a lane
  std::map<uint32_t, std::vector<uint8_t>> memories;  ///< [tile] SRAM at the end
  std::vector<uint8_t> outputs;
};

struct Divergence {
  enum class Kind { kValue, kOnlyA, kOnlyB, kMemory, kOutput } kind = Kind::kValue;
  // kValue, kOnlyA, kOnlyB: a conversion (for kOnlyA and kOnlyB `column` is the first of the block).
  uint32_t tile = 0;
  uint64_t drive = 0;
  int64_t vector = -1;  ///< input vector of that drive, -1: before the first (calibration)
  uint32_t column = 0;
  uint64_t address = 0;  ///< kMemory: SRAM byte; kOutput: output byte
  int a = 0, b = 0;      ///< the two values
};

/// First divergence in the order of cause and effect: conversions vector by vector, within one along the flow of data
/// (stage, tile), then by drive and column; then memories by tile and address; then outputs. Nothing if the two are
/// equal. Tiles without an entry in `order` count as stage 0.
std::optional<Divergence> first_divergence(const Evidence& a, const Evidence& b,
                                           const std::map<uint32_t, TileOrder>& order = {});

/// "tile 3, drive 272 (image 0), column 17: fast 5, rtl 6".
std::string divergence_text(const Divergence& d, const std::string& name_a, const std::string& name_b);

}  // namespace ohmac::cli
