// SPDX-License-Identifier: Apache-2.0
// Which part of which layer sits on which tile.
#pragma once
#include <string>
#include <vector>

#include "sw/compiler/compiler.h"

namespace ohmac::compiler {

/// First row of each K-tile, then k. Splits fall on multiples of 16 input bytes, as even as that allows: 784 on 256
/// rows gives 208 + 192 + 192 + 192.
std::vector<uint32_t> split_k(uint32_t k, const CompileOptions& o, const std::string& file, const std::string& layer);

/// The same for output columns; a tile holds Cols / weight_slices of them.
std::vector<uint32_t> split_n(uint32_t n, const CompileOptions& o, const std::string& file, const std::string& layer);

/// Tile number at place i of a line that runs through the whole mesh, so that neighbours in the line are neighbours in
/// the mesh. Variant bit 0: column by column instead of row by row; bit 1: from the other end.
constexpr uint32_t kSnakes = 4;
uint32_t snake(const Geometry& g, uint32_t variant, uint32_t i);

/// Flits that one vector moves between two pieces (indices into the list of pieces), or from or to the host.
constexpr int kHost = -1;
struct Flow {
  int from, to;
  uint32_t flits;
};
std::vector<Flow> flows(const std::vector<Piece>& pieces, const std::vector<QuantLayer>& layers);

/// Flits a vector on the busiest link between routers, and over all of them, with XY routing and the host at router 0.
struct LinkLoad {
  uint32_t max = 0, total = 0;
};
LinkLoad link_load(const Geometry& g, const std::vector<Flow>& all, const std::vector<uint32_t>& tile);

/// Flits of one vector times the routers that each passes: one more than links. Without what starts a job.
uint64_t flit_hops(const Geometry& g, const std::vector<Piece>& pieces, const std::vector<QuantLayer>& layers);

/// Pieces of all layers along a snake; the K-tiles of one column part are consecutive. Of all snakes and starting
/// places the one with the least loaded busiest link is taken, then the one with the fewest flit hops: inputs from the
/// host and chains of partial sums otherwise share links, and a link, not the ADC, becomes the bound (784x256: 100
/// flits against 80 cycles).
/// @throws CompileError "network needs N tiles, chip has M"
std::vector<Piece> place(const std::vector<QuantLayer>& layers, const CompileOptions& o, const std::string& file);

}  // namespace ohmac::compiler
