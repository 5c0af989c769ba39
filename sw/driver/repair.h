// SPDX-License-Identifier: Apache-2.0
// Spare columns: one a lane, routed by the macro to the column that failed. See README.md.
#pragma once
#include <stdint.h>

#include "sw/driver/self_test.h"

namespace ohmac {

struct RepairReport {
  uint32_t failed = 0;      // columns in use that were bad
  uint32_t repaired = 0;    // of these, replaced by a spare that passed
  uint32_t bad_spares = 0;  // spares that failed themselves
  uint64_t tiles = 0;       // mask of tiles with a new repair: program their columns again
};

/// Puts a spare in the place of every bad column in use whose lane has a free one (columns that do not work at all
/// before those with bad devices only), tests and calibrates the tiles again, and gives spares back that fail. Columns
/// of dead lanes cannot be repaired: the spare sits on the same lane. What is left stays marked in `state`.
/// @param options  `devices`: a spare must be all RESET (true for one never used)
Status repair_columns(Driver& driver, const TileUse* tiles, uint32_t count, const SelfTestOptions& options,
                      const CalOptions& calibration, ChipState* state, RepairReport* report = nullptr);

}  // namespace ohmac
