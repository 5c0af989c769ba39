// SPDX-License-Identifier: Apache-2.0
// The devices of one crossbar and the weight matrix they amount to.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/device/pcm.h"

namespace ohmac {

/// Fraction of devices that are stuck, half of them at 0, half at Gmax. Assumption: yield above 99 % of devices is
/// reported for HERMES cores (Nat. Electron. 2023); a mature array is taken ten times better.
inline constexpr double kStuckFraction = 1e-3;

/// Columns that are stored and multiplied together; a whole number of vectors at every SIMD level.
inline constexpr uint32_t kChunk = 64;

struct ArrayConfig {
  uint32_t rows = 0, cols = 0;  ///< cells, without the reference row
  uint16_t tile = 0;
  uint64_t chip_seed = 0;
  PcmPreset pcm = kPcmGeneric;
  /// Random streams of the fabrication effects; 0 switches an effect off.
  uint8_t programming_kind = 0, stuck_kind = 0, drift_kind = 0;
  bool read_noise = false;
};

/// Effective signed weights and their variances, code units (127 = Gmax): w = (G+ - G-) 127 / Gmax, v = (s+^2 + s-^2)
/// (127 / Gmax)^2. [chunk][rows + 1][kChunk], so that a product of a few columns reads one stretch of memory; the last
/// row is the reference row, +127 exactly. Columns beyond cols are 0.
struct EffectiveMatrix {
  uint32_t rows = 0, cols = 0;
  std::vector<float> w;
  std::vector<float> v;  ///< empty without read noise
  EffectiveMatrix() = default;
  EffectiveMatrix(uint32_t num_rows, uint32_t num_cols, bool variances)
      : rows(num_rows),
        cols(num_cols),
        w(static_cast<size_t>(chunks()) * (num_rows + 1) * kChunk),
        v(variances ? w.size() : 0) {}
  uint32_t chunks() const { return (cols + kChunk - 1) / kChunk; }
  size_t index(uint32_t row, uint32_t col) const {
    return (static_cast<size_t>(col / kChunk) * (rows + 1) + row) * kChunk + col % kChunk;
  }
};

/// Devices of rows x cols differential cells. A device never programmed has conductance 0. Draws are named by the cell
/// and by how often it has been programmed, so the order in which regions are programmed does not matter.
class DeviceArray {
 public:
  explicit DeviceArray(const ArrayConfig& config);

  /// Programs cells (row0.., col0..) to targets -127..127, row-major [rows x cols]. Throws std::out_of_range before any
  /// change.
  void program(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets);

  /// Effective matrix at an age. @param age_s seconds since verify, >= 0 (std::domain_error)
  EffectiveMatrix effective(double age_s) const;
  /// Recomputes the cells (row0.., col0..) of a matrix that effective() returned for the same age.
  void update(EffectiveMatrix* m, double age_s, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols) const;

  const ArrayConfig& config() const { return config_; }
  /// Conductance of a device at age 0, microsiemens. @param polarity 0 = G+, 1 = G-
  double conductance_us(uint32_t row, uint32_t col, unsigned polarity) const {
    return g_us_[2 * cell(row, col) + polarity];
  }
  bool stuck(uint32_t row, uint32_t col, unsigned polarity) const { return stuck_[2 * cell(row, col) + polarity]; }

 private:
  size_t cell(uint32_t row, uint32_t col) const { return static_cast<size_t>(row) * config_.cols + col; }

  ArrayConfig config_;
  std::vector<double> g_us_;          // [cell][polarity], at age 0
  std::vector<double> nu_;            // [cell][polarity]; empty without drift
  std::vector<uint8_t> stuck_;        // [cell][polarity]
  std::vector<int8_t> target_;        // [cell]
  std::vector<uint32_t> programmed_;  // [cell] how often
};

}  // namespace ohmac
