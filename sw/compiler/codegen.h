// SPDX-License-Identifier: Apache-2.0
// Tile programs, buffers and the program image.
#pragma once
#include <string>
#include <vector>

#include "sw/compiler/compiler.h"

namespace ohmac::compiler {

/// One circular buffer in a tile's SRAM: slot i of in_flight at addr + i * stride.
struct Buffer {
  uint32_t addr = 0, stride = 0;
};

/// Everything that goes to one tile.
struct TilePlan {
  Piece piece;
  Buffer in;      ///< int8 input vectors, written by the host or by the tiles of the layer before
  Buffer chain;   ///< int32 partial sums from the K-tile before; stride 0: head of the chain
  Buffer psum;    ///< int32 psums; the vector unit works in place
  Buffer gather;  ///< whole output vectors, on the last tile of an output split over tiles; stride 0: none
  uint32_t bias_addr = 0, program_addr = 0, sram_used = 0;
  std::vector<int32_t> bias;  ///< empty: none
  std::vector<uint64_t> program;
  std::vector<std::string> notes;  ///< one a program word, for the listing
  uint32_t in_tokens = 0;          ///< parts of an input vector = tokens 0 .. in_tokens-1
  uint32_t drives = 0;             ///< phases a vector
  uint32_t mux_count = 0;
  uint32_t conversion_cycles = 0;  ///< ADC cycles a vector
};

/// Buffers, tokens and programs of all pieces. Sets in_flight to what fits.
std::vector<TilePlan> generate(const Compiled& c, uint32_t* in_flight);

/// Text for people: network, tiles, buffers, programs.
std::string make_listing(const Compiled& c, const std::vector<TilePlan>& plans);

/// The image of sw/runtime/image.h.
std::vector<uint8_t> make_image(const Compiled& c, const std::vector<TilePlan>& plans);

}  // namespace ohmac::compiler
