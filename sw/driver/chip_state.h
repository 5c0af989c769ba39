// SPDX-License-Identifier: Apache-2.0
// What the firmware knows about one chip instance and the chip cannot tell: configuration words cannot be read back.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sw/driver/calibration.h"
#include "sw/driver/program_options.h"
#include "sw/hal/status.h"

namespace ohmac {

struct ChipInfo;

enum class ColumnHealth : uint8_t {
  kGood = 0,
  kDeadLane,    // the lane's codes do not follow its input, in any column block
  kOpen,        // no response to the reference row, though the lane works
  kCorrection,  // gain or offset outside what a CAL word can express
  kRange,       // trim of the program's range is wrong
  kClips,       // a calibration read clipped
  kDevices,     // too many devices that do not take their target
};
/// One short English phrase, for messages.
const char* health_text(ColumnHealth h);
/// Calibrated and in use, if perhaps with bad devices.
constexpr bool usable(ColumnHealth h) { return h == ColumnHealth::kGood || h == ColumnHealth::kDevices; }
/// The codes carry a signal.
constexpr bool readable(ColumnHealth h) { return h != ColumnHealth::kOpen && h != ColumnHealth::kDeadLane; }

/// Fixed storage, arrays indexed by tile * cols + column or tile * lanes + lane of the attached chip. Columns are
/// physical addresses: after a repair the entry of a column describes the spare behind it.
struct ChipState {
  static constexpr uint32_t kMaxTiles = 64, kMaxColumns = 16384, kMaxLanes = 8192;
  static constexpr uint8_t kNoRepair = 0xFF, kBadSpare = 0xFE;  // `repair` of a lane that replaces nothing
  static constexpr uint16_t kUnity = 1 << 14;                   // of `scale`, Q2.14

  struct Calibrated {  // what a tile was calibrated for; mux_count 0: not yet
    uint8_t adc_bits, range, mux_count, reserved;
  };
  struct Reference {  // response right after programming (compensation.h); vectors 0: not taken
    uint64_t sum;
    uint32_t rows, cols, vectors, reserved;
  };

  uint32_t tiles = 0, rows = 0, cols = 0, lanes = 0, spares = 0;
  uint64_t programmed = 0;  // mask of tiles that pulses have been given to since the chip was fresh
  Calibrated calibrated[kMaxTiles];
  Reference reference[kMaxTiles];
  ProgramOptions program;       // of the last programming by pulses
  CalWord cal[kMaxColumns];     // as calibrated; the chip holds active_cal()
  uint16_t scale[kMaxColumns];  // drift compensation of the gain
  ColumnHealth health[kMaxColumns];
  uint16_t bad_devices[kMaxColumns];       // cells found bad or left outside the tolerance, saturating
  uint32_t column_reference[kMaxColumns];  // share of each column in reference.sum
  uint8_t repair[kMaxLanes];               // block that the lane's spare replaces
  uint32_t response[kMaxColumns];          // scratch of compensate(), not saved

  /// Empties the state and fits it to a chip. kNoMemory if the chip has more columns or lanes than fit.
  Status attach(const ChipInfo& chip);
  bool attached() const { return tiles != 0; }
  uint32_t column(uint32_t tile, uint32_t col) const { return tile * cols + col; }
  uint32_t lane(uint32_t tile, uint32_t l) const { return tile * lanes + l; }

  /// Word that belongs into CAL: gain and offset times `scale`, limited to what the fields hold. True in `limited` if
  /// something was cut.
  CalWord active_cal(uint32_t tile, uint32_t col, bool* limited = nullptr) const {
    return scaled_cal(tile, col, scale[column(tile, col)], limited);
  }
  /// The same with another factor, Q2.14, at most 0xFFFF.
  CalWord scaled_cal(uint32_t tile, uint32_t col, uint32_t factor, bool* limited = nullptr) const;

  // --- Serialised form, little-endian, with version, geometry and CRC-32; part of a device snapshot.
  size_t size() const;
  /// kNoMemory if `bytes` < size().
  Status save(void* to, size_t bytes) const;
  /// kBadImage for a wrong magic, version, length or CRC; kWrongGeometry for another chip. Unchanged then.
  Status load(const void* from, size_t bytes);
};

}  // namespace ohmac
