// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sw/cli/compare.h"
#include "sw/cli/record.h"
#include "sw/cli/run.h"
#include "sw/cli/session.h"
#include "sw/cli/workers.h"

namespace ohmac::cli {
namespace {

struct Conversion {
  uint32_t tile;
  uint64_t drive;
  uint32_t block;
  std::vector<int8_t> codes;
};

class Recorder final : public ConversionTrace {
 public:
  void conversion(uint32_t tile, uint64_t drive, uint32_t block, const int8_t* codes, uint32_t lanes) override {
    log.push_back({tile, drive, block, {codes, codes + lanes}});
  }
  std::vector<Conversion> log;
};

/// All that a run leaves behind: conversions by (tile, drive, block), tile memories, outputs.
struct Evidence {
  std::map<std::tuple<uint32_t, uint64_t, uint32_t>, std::vector<int8_t>> conversions;
  std::map<uint32_t, std::vector<uint8_t>> memories;
  std::vector<uint8_t> outputs;
};

Evidence gather(const Workload& work, const RunOptions& o) {
  const std::string bytes = run_forked(1, 1, [&](uint32_t) {
    nlohmann::json j;
    with_chip(o, [&](Chip& chip) {
      Recorder recorder;
      for (const auto& p : work.compiled.pieces) chip.macro(p.tile).set_trace(&recorder);
      Session session(chip, work.compiled);
      session.seek(0);
      const std::vector<uint8_t> outputs = session.infer(work.packed_inputs(0, o.images), o.images);
      for (const auto& p : work.compiled.pieces) {
        std::vector<uint8_t> sram(o.geometry.sram_bytes);
        require(session.driver().read_tile(p.tile, 0, sram.data(), o.geometry.sram_bytes), "reading a tile", session.driver());
        j["memories"][std::to_string(p.tile)] = nlohmann::json::binary(sram);
      }
      for (const auto& p : work.compiled.pieces) {
        chip.macro(p.tile).flush_trace();
        chip.macro(p.tile).set_trace(nullptr);
      }
      j["outputs"] = nlohmann::json::binary(outputs);
      for (const Conversion& c : recorder.log) {
        j["log"].push_back({c.tile, c.drive, c.block, nlohmann::json::binary({c.codes.begin(), c.codes.end()})});
      }
      chip.check();
    });
    const auto v = nlohmann::json::to_msgpack(j);
    return std::string(v.begin(), v.end());
  })[0];
  const auto j = nlohmann::json::from_msgpack(bytes.begin(), bytes.end());
  Evidence e;
  e.outputs = j.at("outputs").get_binary();
  for (const auto& [tile, sram] : j.at("memories").items()) e.memories[static_cast<uint32_t>(std::stoul(tile))] = sram.get_binary();
  for (const auto& c : j.at("log")) {
    const auto& codes = c[3].get_binary();
    e.conversions[{c[0], c[1], c[2]}] = {codes.begin(), codes.end()};
  }
  return e;
}

}  // namespace

int diff(const RunOptions& options) {
  const Workload work = prepare(options);
  RunOptions o = options;
  o.fidelity = Fidelity::kFast;
  const Evidence fast = gather(work, o);
  o.fidelity = Fidelity::kRtl;
  const Evidence rtl = gather(work, o);

  // Tile by tile the drive counter orders events; over tiles the lowest drive is reported, which is what a person looks at first.
  bool found = false;
  std::tuple<uint64_t, uint32_t, uint32_t> first{};
  std::string what;
  const auto report = [&](const std::tuple<uint32_t, uint64_t, uint32_t>& key, std::string text) {
    const auto [tile, drive, block] = key;
    if (found && std::make_tuple(drive, tile, block) >= first) return;
    found = true;
    first = {drive, tile, block};
    what = std::move(text);
  };
  for (const auto& [key, codes] : fast.conversions) {
    const auto [tile, drive, block] = key;
    const auto other = rtl.conversions.find(key);
    if (other == rtl.conversions.end()) {
      report(key, fmt::format("tile {}, drive {}: column block {} is converted in fast only", tile, drive, block));
      continue;
    }
    for (size_t l = 0; l < codes.size(); ++l) {
      if (codes[l] == other->second[l]) continue;
      report(key, fmt::format("tile {}, drive {}, column {}: fast {}, rtl {}", tile, drive, block * codes.size() + l, codes[l],
                              other->second[l]));
      break;
    }
  }
  for (const auto& [key, codes] : rtl.conversions) {
    if (fast.conversions.count(key) == 0) {
      report(key, fmt::format("tile {}, drive {}: column block {} is converted in rtl only", std::get<0>(key),
                              std::get<1>(key), std::get<2>(key)));
    }
  }
  if (found) {
    fmt::print("first divergence: {}\n", what);
    return 1;
  }
  for (const auto& [tile, sram] : fast.memories) {
    const auto& other = rtl.memories.at(tile);
    for (size_t a = 0; a < sram.size(); ++a) {
      if (sram[a] == other[a]) continue;
      fmt::print("conversions equal; first divergence: tile {}, SRAM address 0x{:04x}: fast 0x{:02x}, rtl 0x{:02x}\n", tile, a,
                 sram[a], other[a]);
      return 1;
    }
  }
  if (fast.outputs != rtl.outputs) {
    const auto at = std::mismatch(fast.outputs.begin(), fast.outputs.end(), rtl.outputs.begin()).first - fast.outputs.begin();
    fmt::print("conversions and memories equal; first divergence: output byte {}\n", at);
    return 1;
  }
  fmt::print("no divergence: {} conversions, {} tile memories and {} output bytes are equal\n", fast.conversions.size(),
             fast.memories.size(), fast.outputs.size());
  return 0;
}

}  // namespace ohmac::cli
