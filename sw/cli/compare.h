// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sw/cli/options.h"

namespace ohmac::cli {

struct CompareOptions {
  RunOptions run;             ///< images: of the fast part
  uint32_t rtl_images = 100;  ///< <= run.images
  uint32_t chip_seeds = 20;   ///< chips of the accuracy statistics
  std::string json;           ///< file of the records, empty: none
};

/// One table: float, int8, int8_adc, analog fast and rtl; then the mean over many chips with its 95 % interval.
/// Returns 0 only if rtl and fast agree bit for bit in outputs and exact event counts.
int compare(const CompareOptions& options);

}  // namespace ohmac::cli
