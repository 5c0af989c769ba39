// SPDX-License-Identifier: Apache-2.0
// Configuration words of a chip as its ChipState says.
#pragma once
#include <stdint.h>

#include "sw/driver/driver.h"

namespace ohmac {

/// Writes the REPAIR words of the tiles of the mask.
Status write_repairs(Driver& driver, const ChipState& state, uint64_t mask);

/// Writes the CAL words of the tiles of the mask: with the drift compensation, or, if `verify_factor` is not 0, those
/// of the calibration times verify_factor / 2^14.
Status write_calibration(Driver& driver, const ChipState& state, uint64_t mask, uint32_t verify_factor = 0);

}  // namespace ohmac
