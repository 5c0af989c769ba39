// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/divergence.h"

#include <fmt/format.h>

#include <algorithm>

namespace ohmac::cli {
namespace {

/// Sort key of a conversion: vector, stage, tile, drive, block.
using Moment = std::tuple<int64_t, uint32_t, uint32_t, uint64_t, uint32_t>;

Moment moment_of(const Evidence::Key& k, const std::map<uint32_t, TileOrder>& order) {
  const auto at = order.find(k.tile);
  const TileOrder o = at == order.end() ? TileOrder{} : at->second;
  const int64_t vector =
      k.drive < o.base_drives ? -1 : static_cast<int64_t>((k.drive - o.base_drives) / o.drives_per_vector);
  return {vector, vector < 0 ? 0 : o.stage, k.tile, k.drive, k.block};
}

}  // namespace

std::optional<Divergence> first_divergence(const Evidence& a, const Evidence& b,
                                           const std::map<uint32_t, TileOrder>& order) {
  using Kind = Divergence::Kind;
  std::optional<Divergence> first;
  Moment first_moment;
  const auto report = [&](const Evidence::Key& k, Divergence d) {
    const Moment m = moment_of(k, order);
    if (first && m >= first_moment) return;
    first_moment = m;
    d.tile = k.tile;
    d.drive = k.drive;
    d.vector = std::get<0>(m);
    first = d;
  };
  for (const auto& [key, codes] : a.conversions) {
    Divergence d;
    d.column = key.block * static_cast<uint32_t>(codes.size());
    const auto other = b.conversions.find(key);
    if (other == b.conversions.end()) {
      d.kind = Kind::kOnlyA;
      report(key, d);
      continue;
    }
    const size_t lanes = std::min(codes.size(), other->second.size());
    for (size_t l = 0; l < lanes; ++l) {
      if (codes[l] == other->second[l]) continue;
      d.column += static_cast<uint32_t>(l);
      d.a = codes[l];
      d.b = other->second[l];
      report(key, d);
      break;
    }
  }
  for (const auto& [key, codes] : b.conversions) {
    if (a.conversions.count(key) != 0) continue;
    Divergence d;
    d.kind = Kind::kOnlyB;
    d.column = key.block * static_cast<uint32_t>(codes.size());
    report(key, d);
  }
  if (first) return first;

  const auto compare_bytes = [&](Kind kind, uint32_t tile, const std::vector<uint8_t>& x,
                                 const std::vector<uint8_t>& y) {
    for (size_t i = 0; !first && i < std::max(x.size(), y.size()); ++i) {
      if (i < x.size() && i < y.size() && x[i] == y[i]) continue;
      Divergence d;
      d.kind = kind;
      d.tile = tile;
      d.address = i;
      d.a = i < x.size() ? x[i] : -1;  // -1: there is no such byte
      d.b = i < y.size() ? y[i] : -1;
      first = d;
    }
  };
  for (const auto& [tile, sram] : a.memories) {
    const auto other = b.memories.find(tile);
    compare_bytes(Kind::kMemory, tile, sram, other == b.memories.end() ? std::vector<uint8_t>{} : other->second);
  }
  compare_bytes(Kind::kOutput, 0, a.outputs, b.outputs);
  return first;
}

std::string divergence_text(const Divergence& d, const std::string& name_a, const std::string& name_b) {
  using Kind = Divergence::Kind;
  const std::string vector = d.vector < 0 ? "calibration" : fmt::format("image {}", d.vector);
  const std::string drive = fmt::format("tile {}, drive {} ({})", d.tile, d.drive, vector);
  switch (d.kind) {
    case Kind::kValue: return fmt::format("{}, column {}: {} {}, {} {}", drive, d.column, name_a, d.a, name_b, d.b);
    case Kind::kOnlyA:
    case Kind::kOnlyB:
      return fmt::format("{}: the block from column {} is converted in {} only", drive, d.column,
                         d.kind == Kind::kOnlyA ? name_a : name_b);
    case Kind::kMemory:
      return fmt::format("all conversions equal; tile {}, SRAM address 0x{:04x}: {} {}, {} {}", d.tile, d.address,
                         name_a, d.a, name_b, d.b);
    case Kind::kOutput:
      return fmt::format("all conversions and memories equal; output byte {}: {} {}, {} {}", d.address, name_a, d.a,
                         name_b, d.b);
  }
  return {};
}

}  // namespace ohmac::cli
