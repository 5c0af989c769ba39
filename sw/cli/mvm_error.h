// SPDX-License-Identifier: Apache-2.0
// Error of the matrix-vector products of one macro, calibrated as firmware does, against the exact integers.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/macro/macro.h"

namespace ohmac::cli {

/// Macro that holds a matrix of any shape: rows and columns are rounded up to what a macro can have, what is beyond is
/// neither programmed nor driven. No spares.
MacroConfig mvm_macro(uint32_t rows, uint32_t cols);

struct MvmWorkload {
  uint32_t rows = 0, cols = 0;
  std::vector<int8_t> weights;              ///< [rows x cols], -127..127
  std::vector<std::vector<int8_t>> inputs;  ///< [vectors][rows], -127..127
  std::vector<int64_t> ideal;               ///< [vectors x cols], unit products
};

/// Uniform weights and inputs -127..127. The same seed gives the same workload everywhere.
MvmWorkload random_workload(uint32_t rows, uint32_t cols, uint32_t vectors, uint64_t seed);

/// Least range, so finest step, at which no ideal result clips.
uint32_t finest_range(const MvmWorkload& w, uint32_t adc_bits);

struct MvmReadout {
  uint32_t adc_bits = 8, range = 7;
  uint32_t integrate_cycles = 32;
  bool calibrate = true;      ///< gain and offset of every column by reads of the reference row, as firmware does
  bool correct_gains = true;  ///< else calibration corrects the offsets only
};

/// How far the results are off. Full scale: what the ADC spans, 2^bits steps.
struct MvmError {
  double full_scale = 0;  ///< unit products
  double sigma = 0;       ///< rms of result - ideal, unit products
  double gain = 1;        ///< common factor that fits the results best
  double residual = 0;    ///< rms of result - gain * ideal
  double signal = 0;      ///< rms of the ideal results
  uint64_t results = 0, clipped = 0;
  double share_of_full_scale() const { return full_scale > 0 ? sigma / full_scale : 0; }
  /// Bits of the ideal quantiser of that full scale that errs as much: log2(full scale / (sigma sqrt 12)).
  double effective_bits() const;
};

/// Programs the macro's devices with the matrix.
using MvmProgrammer = std::function<void(Macro*, const MvmWorkload&)>;
/// By formula: the published spread.
void program_by_formula(Macro* macro, const MvmWorkload& workload);

/// Fabricates, programs, calibrates, ages (`age_s` after calibration as on a chip in the field; 0: none) and measures.
/// @param results [vectors x cols] output if not null, unit products
MvmError measure_mvm(const MacroConfig& config, const MvmWorkload& workload, const MvmReadout& readout, double age_s,
                     const MvmProgrammer& program = program_by_formula, std::vector<double>* results = nullptr);

/// Gain and offset of every column as firmware finds them (sw/driver/calibration.h); neutral where it cannot.
struct ColumnCorrection {
  std::vector<double> gain, offset_steps;
};
ColumnCorrection calibrate_columns(Macro* macro, uint32_t cols, const MvmReadout& readout);

}  // namespace ohmac::cli
