// SPDX-License-Identifier: Apache-2.0
// Which effect costs how much accuracy.
#pragma once
#include <cstdint>
#include <string>

#include "sw/cli/options.h"

namespace ohmac::cli {

/// Runs the chips with every effect, none, each alone and all but each, prints the table by influence and writes it as
/// JSON if `json` is not empty. @return exit code
int ablate(const RunOptions& options, uint32_t chips, const std::string& json);

}  // namespace ohmac::cli
