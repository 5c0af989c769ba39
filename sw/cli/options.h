// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/cost/table.h"
#include "models/macro/macro.h"
#include "sw/runtime/runtime.h"

namespace ohmac::cli {

/// A wrong option, or a file that cannot be read or written: one line with the remedy, exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Fidelity { kFast, kRtl, kNetlist };
inline const char* name_of(Fidelity f) {
  return f == Fidelity::kFast ? "fast" : f == Fidelity::kRtl ? "rtl" : "netlist";
}
inline const char* name_of(ReadNoise r) { return r == ReadNoise::kColumn ? "per_column" : "per_device"; }

inline const char* name_of(DacMode d) { return d == DacMode::kVoltage ? "voltage" : "pwm"; }

/// What defines the bits of a run, and how to run it.
struct RunOptions {
  std::string network = "mnist_mlp";  ///< name of a shipped network or path of an ONNX file
  Fidelity fidelity = Fidelity::kFast;
  uint32_t images = 100;
  uint64_t chip_seed = 1, run_seed = 1;
  double age_s = 0;
  EffectSet effects;
  WireOhms wires = kDefaultWires;  ///< with the effect `wire`
  FaultConfig faults;              ///< of fabrication
  std::shared_ptr<const Technology> technology = builtin_technology("pcm_generic");
  ReadNoise read_noise = ReadNoise::kColumn;
  DacMode dac = DacMode::kVoltage;
  Programming programming = Programming::kPulse;  ///< ignored with `restore`
  bool self_test = false, repair = false;
  bool reference = false;  ///< measure what drift compensation needs
  std::string restore;     ///< snapshot to start from instead of a fresh chip; empty: none
  bool lossless = false;
  uint32_t adc_bits = 8;
  Geometry geometry;
  // How, without influence on the bits:
  std::shared_ptr<const cost::Tables> costs;  ///< null: the record says nothing of energy and area
  double cost_node_nm = 0;                    ///< scales costs to this node; 0: every block at its own
  uint32_t threads = 1;
  std::string waves;
  std::string timeline;        ///< file of the activity trace; empty: none
  std::string save;            ///< snapshot to write after bring-up; empty: none
  uint32_t stall_percent = 0;  ///< random back-pressure of the memory (rtl)
  uint64_t stall_seed = 1;
  std::string images_path, labels_path;  ///< test set; empty: the shipped digits
  std::string calibration_path;          ///< images for the compiler; empty: the shipped digits
  std::string image_path;                ///< program image to load instead of compiling one; empty: compile
};

}  // namespace ohmac::cli
