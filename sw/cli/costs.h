// SPDX-License-Identifier: Apache-2.0
// Energy, area and throughput of a run, from the cost tables.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/cost/estimate.h"
#include "sw/cli/options.h"
#include "sw/compiler/compiler.h"

namespace ohmac::cli {

/// The shipped tables (folder OHMAC_COSTS, or where the sources were when this was built), then those of `paths`.
/// Throws cost::CostError.
std::shared_ptr<const cost::Tables> load_costs(const std::vector<std::string>& paths);

/// What of a run costs something.
struct CostInputs {
  cost::Activity inference, bring_up;
  uint64_t images = 0;
};

/// The keys of the run record that come from the cost tables (result.schema.json): costs, energy_j,
/// programming_energy_j, area_mm2, operations_per_inference, tops, tops_peak, tops_per_watt.
/// @param options with costs
nlohmann::ordered_json cost_record(const RunOptions& options, const compiler::Compiled& compiled,
                                   const CostInputs& inputs);

/// One line; with `by_block` the whole table.
void print_costs(const nlohmann::ordered_json& record, bool by_block);
/// Every number of the tables with unit, node and source.
void print_cost_tables(const cost::Tables& tables);

}  // namespace ohmac::cli
