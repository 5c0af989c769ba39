// SPDX-License-Identifier: Apache-2.0
// Runs of the main job in processes of their own, and what has to be the same in two of them.
#pragma once
#include <gtest/gtest.h>

#include "sw/cli/costs.h"
#include "sw/cli/run.h"
#include "sw/cli/workers.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cli {

/// Programmed by formula: pulses at the reference geometry take a million cycles, and have a test of their own.
inline RunOptions options(Fidelity f, uint32_t images) {
  RunOptions o;
  o.programming = Programming::kFormula;
  o.fidelity = f;
  o.images = images;
  o.costs = load_costs({});
  return o;
}

/// execute() in a process of its own, because SystemC elaborates once a process.
inline RunOutcome run(const Workload& work, const RunOptions& o) {
  const std::string bytes = run_forked(1, 1, [&](uint32_t) {
    const RunOutcome r = execute(work, o);
    const auto v = nlohmann::json::to_msgpack(nlohmann::json{{"outputs", nlohmann::json::binary(r.outputs)},
                                                             {"events", r.record.events},
                                                             {"cycles", r.record.cycles_total},
                                                             {"programming", to_json(r.record).at("programming")},
                                                             {"costs", r.record.costs},
                                                             {"sha", r.record.outputs_sha256}});
    return std::string(v.begin(), v.end());
  })[0];
  const auto j = nlohmann::json::from_msgpack(bytes.begin(), bytes.end());
  RunOutcome r;
  r.outputs = j.at("outputs").get_binary();
  r.record.events = j.at("events").get<std::map<std::string, uint64_t>>();
  r.record.cycles_total = j.at("cycles");
  r.record.outputs_sha256 = j.at("sha");
  r.record.programming = programming_from_json(j.at("programming"));
  r.record.costs = j.at("costs");
  return r;
}

/// Outputs, devices, counters, and the energy of what was counted.
inline void expect_same(const RunOutcome& a, const RunOutcome& b) {
  EXPECT_EQ(a.record.outputs_sha256, b.record.outputs_sha256);
  EXPECT_EQ(a.record.programming.snapshot_sha256, b.record.programming.snapshot_sha256);
  for (const isa::CounterInfo& c : isa::kCounters) {
    if (c.exact) {
      EXPECT_EQ(a.record.events.at(c.name), b.record.events.at(c.name)) << c.name;
    }
  }
  for (const char* energy : {"energy_j", "programming_energy_j"}) {
    for (const auto& [name, block] : a.record.costs.at(energy).at("by_block").items()) {
      if (block.at("follows") == "events") {
        EXPECT_EQ(block, b.record.costs.at(energy).at("by_block").at(name)) << energy << " " << name;
      }
    }
  }
}

}  // namespace ohmac::cli
