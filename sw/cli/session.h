// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/macro/snapshot.h"
#include "models/trace/timeline.h"
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
  /// Who works when, from now on into `timeline`; null: stop. Spans begin at the cycle of the call.
  virtual void set_timeline(ChipTimeline* timeline) = 0;
  /// f is called now and then while the firmware waits, with the write bursts to memory since set_progress (0 where
  /// unknown).
  virtual void set_progress(std::function<void(uint64_t)> f) = 0;
};

/// Builds the chip that `options` describe and calls f with it. At fidelity rtl once a process.
void with_chip(const RunOptions& options, const std::function<void(Chip&)>& f);

/// Throws std::runtime_error with status, place and remedy unless s is kOk.
void require(Status s, const char* what, const Driver& driver);

/// How a chip was brought up.
struct BringUp {
  LoadReport load;
  uint64_t cycles = 0;   ///< reset to ready
  DeviceReport devices;  ///< of all tiles in use together; most_pulses is the largest
  WeightError weights;   ///< reached weight - target over all cells of the network
};

/// Firmware on a chip, brought up for one network: probed, programmed (or restored), calibrated, loaded.
class Session {
 public:
  /// The chip must have been made with the same options.
  Session(Chip& chip, const compiler::Compiled& compiled, const RunOptions& options);
  /// Sets drive counters so that the next vector is number `first` of the run.
  void seek(uint32_t first);
  /// Output vectors of `count` int8 input vectors, output_stride bytes apart in the result's order, unpadded.
  std::vector<uint8_t> infer(const std::vector<int8_t>& inputs, uint32_t count);
  /// Event counters of every tile, [tile][counter].
  std::vector<std::vector<uint32_t>> counters();
  /// What the program image holds: tiles that run, cells programmed, bound of the schedule.
  const std::vector<uint32_t>& tiles() const { return tiles_; }
  uint64_t cells() const { return cells_; }
  uint32_t adc_bound() const { return runtime_.network().adc_bound; }
  const BringUp& bring_up() const { return bring_up_; }
  /// How the devices of the tiles in use stand now.
  DeviceReport devices() const;
  WeightError weights() const;
  /// Chip, devices and firmware state as they are now.
  Snapshot snapshot() const;

  // --- Life of the chip
  void advance_time(double seconds);
  CompensationReport compensate();
  RefreshReport refresh();

  Driver& driver() { return driver_; }
  Chip& chip() { return chip_; }
  /// Drives of a tile before the first vector, and for each vector (0: tile not in use).
  uint64_t base_drives(uint32_t tile) const { return base_drives_.at(tile); }
  uint32_t drives_per_vector(uint32_t tile) const { return drives_per_vector_.at(tile); }

 private:
  void restore();
  void note_drives();

  Chip& chip_;
  const compiler::Compiled& compiled_;
  const RunOptions& options_;
  BringUp bring_up_;
  DeviceProgramming programming_;  // of the devices, here or before a restore
  Driver driver_;
  Runtime runtime_;
  std::vector<uint64_t> base_drives_;        // after bring-up
  std::vector<uint32_t> drives_per_vector_;  // 0: tile not in use
  std::vector<uint32_t> tiles_;
  uint64_t cells_ = 0;
};

}  // namespace ohmac::cli
