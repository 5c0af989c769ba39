// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/map.h"

#include <algorithm>

namespace ohmac::compiler {
namespace {

constexpr uint32_t kUnit = 16;  // NoC flits and SRAM operands are 16 bytes

std::vector<uint32_t> split(uint32_t total, uint32_t capacity, const char* what, const std::string& file,
                            const std::string& layer) {
  if (total <= capacity) return {0, total};
  if (capacity < kUnit)
    throw CompileError(file + ": layer '" + layer + "': " + std::to_string(total) + " " + what +
                       " must be split over tiles, but a tile holds only " + std::to_string(capacity) + " (at least " +
                       std::to_string(kUnit) + " needed); use a larger geometry or fewer weight slices");
  const uint32_t units = (total + kUnit - 1) / kUnit, per_tile = capacity / kUnit,
                 tiles = (units + per_tile - 1) / per_tile;
  std::vector<uint32_t> out{0};
  for (uint32_t t = 0; t < tiles; ++t)
    out.push_back(std::min(total, out.back() + kUnit * (units / tiles + (t < units % tiles))));
  return out;
}

}  // namespace

std::vector<uint32_t> split_k(uint32_t k, const CompileOptions& o, const std::string& file, const std::string& layer) {
  return split(k, o.geometry.rows, "inputs", file, layer);
}

std::vector<uint32_t> split_n(uint32_t n, const CompileOptions& o, const std::string& file, const std::string& layer) {
  return split(n, o.geometry.cols / o.weight_slices, "outputs", file, layer);
}

uint32_t snake(const Geometry& g, uint32_t variant, uint32_t i) {
  const bool columns = variant & 1, backwards = variant & 2;
  if (backwards) i = g.tiles() - 1 - i;
  const uint32_t run = columns ? g.mesh_y : g.mesh_x;
  const uint32_t line = i / run, at = line % 2 ? run - 1 - i % run : i % run;
  return columns ? at * g.mesh_x + line : line * g.mesh_x + at;
}

std::vector<Flow> flows(const std::vector<Piece>& pieces, const std::vector<QuantLayer>& layers) {
  std::vector<Flow> out;
  const auto add = [&](int from, int to, uint32_t bytes) { out.push_back({from, to, (bytes + kUnit - 1) / kUnit}); };
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& p = pieces[i];
    const int self = static_cast<int>(i);
    if (p.layer == 0) add(kHost, self, p.k);
    if (!p.tail()) {
      add(self, self + 1, 4 * p.n);  // the next K-tile is the next piece
    } else if (p.layer + 1 == layers.size()) {
      if (p.n_index + 1 == p.n_count)
        add(self, kHost, 4 * layers.back().n);
      else
        add(self, static_cast<int>(pieces.size()) - 1, 4 * p.n);
    } else {
      for (size_t j = 0; j < pieces.size(); ++j) {
        if (pieces[j].layer != p.layer + 1) continue;
        const uint32_t begin = std::max(p.n0, pieces[j].k0), end = std::min(p.n0 + p.n, pieces[j].k0 + pieces[j].k);
        if (begin < end) add(self, static_cast<int>(j), end - begin);
      }
    }
  }
  return out;
}

LinkLoad link_load(const Geometry& g, const std::vector<Flow>& all, const std::vector<uint32_t>& tile) {
  enum { kEast, kWest, kSouth, kNorth, kPorts };
  std::vector<uint32_t> load(g.tiles() * kPorts, 0);
  LinkLoad r;
  for (const Flow& f : all) {
    const uint32_t from = f.from == kHost ? 0 : tile[f.from],
                   to = f.to == kHost ? 0 : tile[f.to];  // the host is at router 0
    uint32_t x = from % g.mesh_x, y = from / g.mesh_x;
    const auto hop = [&](uint32_t port) {
      r.total += f.flits;
      r.max = std::max(r.max, load[(y * g.mesh_x + x) * kPorts + port] += f.flits);
    };
    for (; x < to % g.mesh_x; ++x) hop(kEast);
    for (; x > to % g.mesh_x; --x) hop(kWest);
    for (; y < to / g.mesh_x; ++y) hop(kSouth);
    for (; y > to / g.mesh_x; --y) hop(kNorth);
  }
  return r;
}

uint64_t flit_hops(const Geometry& g, const std::vector<Piece>& pieces, const std::vector<QuantLayer>& layers) {
  const std::vector<Flow> traffic = flows(pieces, layers);
  std::vector<uint32_t> tile;
  for (const Piece& p : pieces) tile.push_back(p.tile);
  uint64_t hops = link_load(g, traffic, tile).total;
  for (const Flow& f : traffic) hops += f.flits;
  return hops;
}

std::vector<Piece> place(const std::vector<QuantLayer>& layers, const CompileOptions& o, const std::string& file) {
  std::vector<Piece> out;
  for (size_t l = 0; l < layers.size(); ++l) {
    const std::vector<uint32_t>& ks = layers[l].k_splits;
    const std::vector<uint32_t> ns = split_n(layers[l].n, o, file, layers[l].name);
    for (size_t n = 0; n + 1 < ns.size(); ++n)
      for (size_t k = 0; k + 1 < ks.size(); ++k) {
        Piece p;
        p.layer = static_cast<uint32_t>(l);
        p.k0 = ks[k];
        p.k = ks[k + 1] - ks[k];
        p.k_index = static_cast<uint32_t>(k);
        p.k_count = static_cast<uint32_t>(ks.size() - 1);
        p.n0 = ns[n];
        p.n = ns[n + 1] - ns[n];
        p.n_index = static_cast<uint32_t>(n);
        p.n_count = static_cast<uint32_t>(ns.size() - 1);
        out.push_back(p);
      }
  }
  if (out.size() > o.geometry.tiles()) {
    std::string detail;
    for (size_t l = 0; l < layers.size(); ++l) {
      size_t tiles = 0;
      for (const Piece& p : out) tiles += p.layer == l;
      detail += (l ? ", " : "") + layers[l].name + " " + std::to_string(tiles);
    }
    throw CompileError(file + ": network needs " + std::to_string(out.size()) + " tiles, chip has " +
                       std::to_string(o.geometry.tiles()) + " (" + detail + "); use a larger chip" +
                       (o.weight_slices > 1 ? ", fewer weight slices" : "") + " or a smaller network");
  }
  const std::vector<Flow> traffic = flows(out, layers);
  const uint32_t used = static_cast<uint32_t>(out.size());
  LinkLoad best;
  bool any = false;
  std::vector<uint32_t> tile(used);
  for (uint32_t variant = 0; variant < kSnakes; ++variant)
    for (uint32_t start = 0; start + used <= o.geometry.tiles(); ++start) {
      for (uint32_t i = 0; i < used; ++i) tile[i] = snake(o.geometry, variant, start + i);
      const LinkLoad load = link_load(o.geometry, traffic, tile);
      if (any && (load.max > best.max || (load.max == best.max && load.total >= best.total))) continue;
      any = true;
      best = load;
      for (uint32_t i = 0; i < used; ++i) out[i].tile = tile[i];
    }
  return out;
}

}  // namespace ohmac::compiler
