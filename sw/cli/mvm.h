// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "models/macro/macro.h"

namespace ohmac::cli {

struct MvmOptions {
  std::shared_ptr<const Technology> technology = builtin_technology("pcm_generic");
  uint32_t rows = 256, cols = 256, vectors = 200, chips = 1;
  uint32_t adc_bits = 8, integrate_cycles = 32;
  bool calibrate = true;
  double age_s = 0, clock_ns = 4;
  DacMode dac = DacMode::kVoltage;
  EffectSet effects;
  WireOhms wires = kDefaultWires;
  uint64_t chip_seed = 1, run_seed = 1;
  uint32_t threads = 1;
  std::string csv, json, svg;  ///< files, and the folder of the pictures; empty: none
};

/// Most rows and columns of one macro.
inline constexpr uint32_t kMostMvmRows = 1020, kMostMvmCols = 2048;

/// Error of the products of one macro and each effect's share of it, as a table, CSV, JSON and pictures.
/// @return exit code; UsageError on wrong input
int mvm(const MvmOptions& options);

}  // namespace ohmac::cli
