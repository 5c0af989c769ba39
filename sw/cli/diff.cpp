// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sw/cli/divergence.h"
#include "sw/cli/run.h"
#include "sw/cli/session.h"
#include "sw/cli/workers.h"

namespace ohmac::cli {
namespace {

class Recorder final : public ConversionTrace {
 public:
  explicit Recorder(Evidence* evidence) : evidence_(evidence) {}
  void conversion(uint32_t tile, uint64_t drive, uint32_t block, const int8_t* codes, uint32_t lanes) override {
    evidence_->conversions[{tile, drive, block}].assign(codes, codes + lanes);
  }

 private:
  Evidence* evidence_;
};

struct Gathered {
  Evidence evidence;
  std::map<uint32_t, TileOrder> order;
};

std::string pack(const Gathered& g) {
  using nlohmann::json;
  json j = {{"outputs", json::binary(g.evidence.outputs)}, {"memories", json::array()}};
  j["conversions"] = j["order"] = json::array();
  for (const auto& [k, codes] : g.evidence.conversions) {
    j["conversions"].push_back({k.tile, k.drive, k.block, json::binary({codes.begin(), codes.end()})});
  }
  for (const auto& [tile, sram] : g.evidence.memories) j["memories"].push_back({tile, json::binary(sram)});
  for (const auto& [tile, o] : g.order) j["order"].push_back({tile, o.stage, o.base_drives, o.drives_per_vector});
  const std::vector<uint8_t> v = json::to_msgpack(j);
  return {v.begin(), v.end()};
}

Gathered unpack(const std::string& bytes) {
  const auto j = nlohmann::json::from_msgpack(bytes.begin(), bytes.end());
  Gathered g;
  g.evidence.outputs = j.at("outputs").get_binary();
  for (const auto& c : j.at("conversions")) {
    const auto& codes = c[3].get_binary();
    g.evidence.conversions[{c[0], c[1], c[2]}] = {codes.begin(), codes.end()};
  }
  for (const auto& m : j.at("memories")) g.evidence.memories[m[0]] = m[1].get_binary();
  for (const auto& o : j.at("order")) g.order[o[0]] = {o[1], o[2], o[3]};
  return g;
}

/// Runs the whole job at one fidelity, in a process of its own.
Gathered gather(const Workload& work, const RunOptions& o) {
  return unpack(run_forked(1, 1, [&](uint32_t) {
    Gathered g;
    with_chip(o, [&](Chip& chip) {
      Recorder recorder(&g.evidence);
      for (const auto& p : work.compiled.pieces) chip.macro(p.tile).set_trace(&recorder);
      Session session(chip, work.compiled, o);
      session.seek(0);
      g.evidence.outputs = session.infer(work.packed_inputs(0, o.images), o.images);
      uint32_t stage = 0;  // pieces stand in the order of data: layer by layer, each chain from its head to its tail
      for (const auto& p : work.compiled.pieces) {
        g.order[p.tile] = {stage++, session.base_drives(p.tile), std::max(1u, session.drives_per_vector(p.tile))};
        std::vector<uint8_t>& sram = g.evidence.memories[p.tile];
        sram.resize(o.geometry.sram_bytes);
        require(session.driver().read_tile(p.tile, 0, sram.data(), o.geometry.sram_bytes), "reading a tile",
                session.driver());
        chip.macro(p.tile).flush_trace();
        chip.macro(p.tile).set_trace(nullptr);
      }
      chip.check();
    });
    return pack(g);
  })[0]);
}

}  // namespace

int diff(const DiffOptions& options) {
  const Workload work = prepare(options.run);
  RunOptions o = options.run;
  o.fidelity = Fidelity::kFast;
  const Gathered fast = gather(work, o);
  o.fidelity = options.run.fidelity;
  o.run_seed = options.rtl_run_seed.value_or(o.run_seed);
  const Gathered rtl = gather(work, o);
  if (const auto d = first_divergence(fast.evidence, rtl.evidence, fast.order)) {
    fmt::print("first divergence: {}\n", divergence_text(*d, "fast", name_of(o.fidelity)));
    return 1;
  }
  fmt::print("no divergence: {} conversions, {} tile memories and {} output bytes are equal\n",
             fast.evidence.conversions.size(), fast.evidence.memories.size(), fast.evidence.outputs.size());
  return 0;
}

}  // namespace ohmac::cli
