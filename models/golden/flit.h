// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace ohmac::golden {

enum class FlitKind : uint8_t { kWrite = 0, kRead = 1, kResp = 2 };

/// One NoC packet, as flit_t in rtl/pkg/ohmac_pkg.sv, with the tile number in place of mesh coordinates.
struct Flit {
  uint8_t tile = 0;  ///< destination, isa::kHostTile = host
  FlitKind kind = FlitKind::kWrite;
  bool token_en = false;
  uint8_t token = 0;
  uint16_t strb = 0;
  uint32_t addr = 0;
  uint8_t data[16] = {};
};

constexpr uint32_t kBurstFlits = 16;

/// Up to 16 flits that follow one another with consecutive addresses: the unit in which the golden machine moves data.
/// All strobes are set but the last flit's; the last one carries the token.
struct Burst {
  uint8_t tile = 0;
  FlitKind kind = FlitKind::kWrite;
  bool token_en = false;
  uint8_t token = 0;
  uint16_t last_strb = 0;
  uint32_t addr = 0;
  uint32_t flits = 1;
  uint8_t data[16 * kBurstFlits] = {};

  Flit flit(uint32_t i) const;
  static Burst of(const Flit& f);
};

/// Strobes of the last of the flits that carry `bytes` bytes.
constexpr uint16_t tail_strb(uint32_t bytes) {
  return bytes == 0 ? 0 : static_cast<uint16_t>(0xFFFFu >> (15 - (bytes - 1) % 16));
}

}  // namespace ohmac::golden
