// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/compiler.h"

#include <algorithm>

#include "sw/compiler/codegen.h"
#include "sw/compiler/map.h"
#include "sw/compiler/quantise.h"

namespace ohmac::compiler {
namespace {

/// Applies `lossless` and refuses what the hardware cannot do.
CompileOptions checked(CompileOptions o, const std::string& file) {
  if (o.lossless) {
    o.input_slice_bits = 1;
    o.weight_slices = 2;
    o.group_rows = 8;
    o.adc_bits = 8;
  }
  const auto refuse = [&](const std::string& option, const std::string& allowed) {
    throw CompileError(file + ": option " + option + ": must be " + allowed);
  };
  const Geometry& g = o.geometry;
  if (g.mesh_x < 1 || g.mesh_x > 15 || g.mesh_y < 1 || g.mesh_y > 15 || g.tiles() > 64)
    refuse("geometry (mesh)", "1 to 64 tiles, at most 15 a side");
  if (g.rows < 4 || g.rows > 1020 || g.rows % 4) refuse("geometry (rows)", "a multiple of 4 up to 1020");
  if (g.lanes < 8 || g.lanes % 8 || g.cols % g.lanes || g.cols == 0 || g.cols > 512)
    refuse("geometry (columns, lanes)", "lanes a multiple of 8, columns a multiple of lanes up to 512");
  if (g.sram_bytes < 1024 || g.sram_bytes > (1u << 20)) refuse("geometry (SRAM)", "1 KiB to 1 MiB");
  if (o.input_slice_bits != 7 && o.input_slice_bits != 4 && o.input_slice_bits != 2 && o.input_slice_bits != 1)
    refuse("input_slice_bits", "7, 4, 2 or 1");
  if (o.weight_slices != 1 && o.weight_slices != 2 && o.weight_slices != 4) refuse("weight_slices", "1, 2 or 4");
  if (o.group_rows % 4 || o.group_rows > g.rows)
    refuse("group_rows", "0 (all) or a multiple of 4 up to the rows of a tile");
  if (o.adc_bits < 4 || o.adc_bits > 8) refuse("adc_bits", "4 to 8");
  if (o.in_flight < 1 || o.in_flight > 254) refuse("in_flight", "1 to 254");
  if (!(o.headroom > 0 && o.headroom <= 1)) refuse("headroom", "above 0, at most 1");
  return o;
}

}  // namespace

Compiled compile(const Network& network, const Dataset& calibration, const CompileOptions& options) {
  Compiled c;
  c.name = network.name;
  c.source = network;
  c.options = checked(options, network.file);
  // The splits alone tell whether the network fits: say so before any calibration work.
  std::vector<QuantLayer> shapes;
  for (const Layer& l : network.layers) {
    QuantLayer q;
    q.name = l.name;
    q.k = l.k;
    q.n = l.n;
    q.k_splits = split_k(l.k, c.options, network.file, l.name);
    shapes.push_back(std::move(q));
  }
  c.pieces = place(shapes, c.options, network.file);
  c.layers = quantise(network, calibration, c.options);
  for (const QuantLayer& l : c.layers) {
    c.cells.emplace_back();
    for (size_t t = 0; t + 1 < l.k_splits.size(); ++t)
      c.cells.back().push_back(cell_codes(l, c.options, l.k_splits[t], l.k_splits[t + 1] - l.k_splits[t], 0, l.n));
  }
  c.output_count = network.outputs();
  c.output_stride = (4 * c.output_count + 15) / 16 * 16;
  const std::vector<TilePlan> plans = generate(c, &c.in_flight);
  for (const TilePlan& p : plans) c.adc_bound = std::max(c.adc_bound, p.conversion_cycles);
  c.listing = make_listing(c, plans);
  c.image = make_image(c, plans);
  return c;
}

}  // namespace ohmac::compiler
