// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "sw/cli/options.h"

namespace ohmac::cli {

struct LifeOptions {
  RunOptions run;
  std::vector<double> ages_s;  ///< seconds after programming; each age is a life of its own of the same programmed chip
  std::string json;            ///< file of the table; empty: none
};

/// The life of a chip: program, calibrate, infer; then for each age: age, infer, compensate drift, infer, refresh,
/// infer. Prints accuracy, cycles, pulses and wear of each step. @return exit code
int life(const LifeOptions& options);

}  // namespace ohmac::cli
