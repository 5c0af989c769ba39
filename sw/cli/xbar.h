// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "models/crossbar/wire_network.h"

namespace ohmac::cli {

struct XbarOptions {
  std::string conductance;  ///< CSV [rows x cols], siemens
  std::string inputs;       ///< CSV [vectors x rows], volts
  std::string out;          ///< CSV [vectors x cols], amperes; - for standard output
  WireOhms wires;
};

/// Column currents of a single-ended crossbar with wires, exact, in double. @return exit code; UsageError on wrong
/// input
int xbar(const XbarOptions& options);

}  // namespace ohmac::cli
