// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/macro/macro.h"
#include "sw/cli/options.h"
#include "sw/compiler/compiler.h"
#include "sw/driver/driver.h"
#include "sw/runtime/runtime.h"

namespace ohmac::cli {

/// A chip of either fidelity with the platform that the firmware runs on.
class Chip {
 public:
  virtual ~Chip() = default;
  virtual Platform& platform() = 0;
  virtual Macro& macro(uint32_t tile) = 0;
  virtual uint64_t cycle() = 0;  ///< simulated, or predicted at fidelity fast
  /// Throws std::runtime_error if a macro saw a protocol error.
  virtual void check() = 0;
  /// f is called now and then while the firmware waits, with the write bursts to memory since set_progress (0 where
  /// unknown).
  virtual void set_progress(std::function<void(uint64_t)> f) = 0;
};

/// Builds the chip that `options` describe and calls f with it. At fidelity rtl once a process.
void with_chip(const RunOptions& options, const std::function<void(Chip&)>& f);

/// Throws std::runtime_error with status, place and remedy unless s is kOk.
void require(Status s, const char* what, const Driver& driver);

/// Firmware on a chip, brought up for one network: probed, programmed, calibrated, loaded.
class Session {
 public:
  Session(Chip& chip, const compiler::Compiled& compiled, bool calibrate = true);
  /// Sets drive counters so that the next vector is number `first` of the run.
  void seek(uint32_t first);
  /// Output vectors of `count` int8 input vectors, output_stride bytes apart in the result's order, unpadded.
  std::vector<uint8_t> infer(const std::vector<int8_t>& inputs, uint32_t count);
  /// Event counters of every tile, [tile][counter].
  std::vector<std::vector<uint32_t>> counters();
  /// What the program image holds: tiles that run, cells programmed, bound of the schedule.
  uint32_t tiles() const { return tiles_; }
  uint64_t cells() const { return cells_; }
  uint32_t adc_bound() const { return runtime_.network().adc_bound; }
  Driver& driver() { return driver_; }
  Chip& chip() { return chip_; }
  /// Drives of a tile before the first vector, and for each vector (0: tile not in use).
  uint64_t base_drives(uint32_t tile) const { return base_drives_.at(tile); }
  uint32_t drives_per_vector(uint32_t tile) const { return drives_per_vector_.at(tile); }

 private:
  Chip& chip_;
  Driver driver_;
  Runtime runtime_;
  std::vector<uint64_t> base_drives_;        // after bring-up
  std::vector<uint32_t> drives_per_vector_;  // 0: tile not in use
  uint32_t tiles_ = 0;
  uint64_t cells_ = 0;
};

}  // namespace ohmac::cli
