// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "sw/cli/options.h"

namespace ohmac::cli {

struct DiffOptions {
  RunOptions run;
  /// Another noise seed for rtl, to see that a divergence is found. Not set: the same as run.run_seed.
  std::optional<uint64_t> rtl_run_seed;
};

/// Runs both fidelities and prints the first divergence. Returns 0 if there is none, else 1.
int diff(const DiffOptions& options);

}  // namespace ohmac::cli
