// SPDX-License-Identifier: Apache-2.0
// Which lanes, columns and devices of a chip work, found through registers and reads only. See README.md.
#pragma once
#include <stdint.h>

#include "sw/driver/programming.h"

namespace ohmac {

/// What a network uses of a tile: the column blocks and RANGE of its program, rows and columns (both from 0) with
/// cells.
struct TileUse {
  CalTarget cal;
  uint32_t rows = 0, columns = 0;
};

struct SelfTestOptions {
  uint32_t reads = 4;        // reads at each of five levels, 1..16
  uint32_t bad_level = 24;   // weight units that a cell may be off its target, 1..255; well above the noise of a read
  uint32_t bad_percent = 5;  // a column with more bad devices than this share of the rows in use has failed, 0..100
  bool devices = true;       // look for stuck-high devices: every pair must still be RESET (a fresh array)
  bool thorough = false;     // look for stuck-low devices as well: sets and resets every pair in use. Expensive.
};

struct SelfTestReport {
  uint32_t dead_lanes = 0, open_columns = 0, other_columns = 0;  // in use; other: correction, range, clips, devices
  uint32_t bad_devices = 0;                                      // cells in use
  uint32_t reads = 0, pulses = 0;                                // verify reads and pulses that the device tests took
};

/// Tests the lanes and columns of the tiles on the reference row, calibrates them (CAL words stay for programming),
/// then tests devices. Marks every column and the count of its bad devices in `state`. Bad columns are no failure.
/// kBadArgument, kNoMemory or a status of the jobs.
Status self_test(Driver& driver, const TileUse* tiles, uint32_t count, const SelfTestOptions& options,
                 const CalOptions& calibration, ChipState* state, SelfTestReport* report = nullptr);

/// The first part alone: a column is bad unless its codes rise with the input over five levels; a lane is dead if all
/// its columns are bad (with one column block this cannot be told from an open column, which it is then called). Leaves
/// gain 1 and offset 0 on the tiles.
Status test_columns(Driver& driver, const TileUse* tiles, uint32_t count, uint32_t reads, ChipState* state);

/// Marks columns with more bad devices than allowed; takes the mark from those that have fewer.
void judge_devices(const TileUse& tile, uint32_t bad_percent, ChipState* state);

}  // namespace ohmac
