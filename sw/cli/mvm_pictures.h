// SPDX-License-Identifier: Apache-2.0
// Pictures of what `ohmac mvm` measures, as SVG.
#pragma once
#include <string>
#include <vector>

#include "sw/cli/mvm_error.h"

namespace ohmac::cli {

/// Writes conductance.svg (spread and change with time), ir_drop.svg (voltage lost in the wires, all rows on),
/// error.svg (results against exact products), linearity.svg (INL and DNL of SAR lanes and row DACs) into a folder,
/// which is made if it is not there. @return their paths; UsageError if one cannot be written
std::vector<std::string> draw_mvm(const std::string& folder, const MacroConfig& config, const MvmWorkload& workload,
                                  const MvmReadout& readout, double age_s);

/// Means of blocks of a matrix so that no side is longer than `most`. @param rows, cols of the matrix, then of the
/// result
std::vector<double> shrunk(const std::vector<double>& values, size_t* rows, size_t* cols, size_t most);

}  // namespace ohmac::cli
