// SPDX-License-Identifier: Apache-2.0
// Drift compensation: devices lose conductance with age, so every gain is multiplied by how much the response to fixed
// vectors has fallen. See README.md.
#pragma once
#include <stdint.h>

#include "sw/driver/repair.h"

namespace ohmac {

struct CompensationOptions {
  uint32_t vectors = 16;    // vectors measured, 1..64; the reference must have been taken with as many
  bool per_column = false;  // one factor a column instead of one a tile
};

struct CompensationReport {
  uint32_t tiles = 0;            // compensated
  uint32_t limited = 0;          // columns whose gain or offset reached the end of its field
  uint16_t least = 0, most = 0;  // factors, Q2.14
};

/// Measures the response of the tiles and keeps it in `state`: take it right after programming and calibration.
/// Response: sum over vectors and good columns in use of |psum|, inputs +-127 pseudo-random, all rows in use.
Status take_reference(Driver& driver, const TileUse* tiles, uint32_t count, const CompensationOptions& options,
                      ChipState* state);

/// Measures again and writes CAL words with gain and offset (it stands behind the gain) times reference / response.
/// Measured with the words of the calibration, so that compensations do not pile up their roundings. kNotReady if a
/// tile has no reference of as many vectors, rows and columns; kCalibration names a tile whose response has fallen
/// below a quarter or vanished, which no gain can express. Nothing has changed then but that no compensation is in
/// force.
Status compensate(Driver& driver, const TileUse* tiles, uint32_t count, const CompensationOptions& options,
                  ChipState* state, CompensationReport* report = nullptr);

/// RANGE for k rows in use: ADC step 2^range >= 254 sqrt(k), so that a column of rms weight 48 has codes of rms 24.
uint32_t response_range(uint32_t k, uint32_t adc_bits);

}  // namespace ohmac
