// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace ohmac {

/// Shape of a chip; the RTL takes the same numbers as parameters and publishes them in its capability registers.
struct Geometry {
  uint32_t mesh_x = 4, mesh_y = 4;  ///< tiles in the mesh, tile = y * mesh_x + x
  uint32_t rows = 256, cols = 256;  ///< cells of a macro (physical columns)
  uint32_t lanes = 32;              ///< SAR lanes; column = block * lanes + lane
  uint32_t sram_bytes = 65536;      ///< SRAM of a tile
  uint32_t spares = 32;             ///< spare columns, one each for lanes 0 .. spares-1
  uint32_t tiles() const { return mesh_x * mesh_y; }
  uint32_t mux() const { return cols / lanes; }
  bool operator==(const Geometry& o) const {
    return mesh_x == o.mesh_x && mesh_y == o.mesh_y && rows == o.rows && cols == o.cols && lanes == o.lanes &&
           sram_bytes == o.sram_bytes && spares == o.spares;
  }
};

inline Geometry reference_geometry() { return {}; }
inline Geometry tiny_geometry() { return {2, 1, 32, 32, 8, 16384, 8}; }

}  // namespace ohmac
