// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sw/driver/compensation.h"
#include "sw/driver/driver.h"
#include "sw/runtime/image_reader.h"

namespace ohmac {

enum class Programming : uint8_t {
  kFormula,  // through the model's API: the published spread after write-verify
  kPulse,    // by the chip itself, pulse by pulse
  kNone,     // the devices hold the network already
};

struct LoadOptions {
  Programming programming = Programming::kFormula;
  bool calibrate = true;   // calibrate tiles not calibrated yet; false: gain 1, offset 0 on those
  bool self_test = false;  // test lanes and columns (kPulse and tiles never programmed: devices too), then calibrate
  bool repair = false;     // put spare columns in the place of bad ones, before programming and after it
  bool reference = false;  // take the reference response that compensate() needs
  bool require_perfect = false;   // any bad column in use, or one with too many bad devices, is a failure
  uint32_t max_bad_percent = 25;  // of the columns in use of a tile; more cannot be called a network any more
  CalOptions calibration;
  ProgramOptions program;
  SelfTestOptions test;
  CompensationOptions compensation;
};

/// What load() found and did. Which columns: Runtime::state().
struct LoadReport {
  uint32_t bad_columns = 0;   // in use, without a usable correction, after repair
  uint32_t weak_columns = 0;  // in use, with too many bad devices
  SelfTestReport test;
  RepairReport repair;  // both rounds
  ProgramReport
      program;  // all tiles; of a repaired tile the repetition as well. Its fails are those of one noisy read.
  uint32_t bad_cells = 0;  // kPulse: cells in use off by more than SelfTestOptions::bad_level afterwards
};

struct RefreshReport {
  uint32_t rows = 0, rows_touched = 0;  // rows in use; of these, with a cell outside the tolerance at first sight
  uint32_t cells_touched = 0;           // such cells
  uint32_t reads = 0, pulses = 0;       // verify reads (with those of the looks before and after) and pulses
  uint32_t bad_cells = 0;               // cells off by more than SelfTestOptions::bad_level afterwards
};

/// Puts a network on a chip and runs it. Fixed storage; the image is needed only during the calls that take it.
class Runtime {
 public:
  static constexpr uint32_t kMaxInputs = 128, kMaxTiles = 64, kMaxRegions = 256;

  explicit Runtime(Driver& driver) : driver_(driver) {}

  /// Checks the whole image, tests, repairs, programs and calibrates as the options say (calibration once per chip,
  /// resolution and column blocks) and loads the tiles. Bad columns are left out and reported, unless the options
  /// forbid (kCalibration, last_error() names one). Without success nothing is loaded: infer() refuses.
  Status load(const uint8_t* image, size_t bytes, const LoadOptions& options = {}, LoadReport* report = nullptr);
  bool loaded() const { return loaded_; }
  const image::NetworkRecord& network() const { return network_; }
  /// Where load() found the image wrong (kBadImage, kWrongGeometry).
  uint32_t bad_offset() const { return bad_offset_; }
  const char* bad_reason() const { return bad_reason_; }

  /// Runs n input vectors of network().input_bytes each (contiguous); outputs are contiguous, output_count *
  /// output_elem_bytes each.
  Status infer(const int8_t* inputs, uint32_t n, uint8_t* outputs);
  /// Most vectors one DMA job takes with the DMA memory of this platform. Longer calls are split into jobs of half the
  /// memory, of which one is set up while the other runs.
  uint32_t batch_limit() const { return batch_limit(driver_.dma_bytes()); }

  // --- Maintenance of a loaded network; `image` must be the one that was loaded (else kBadArgument).
  /// After a failed job: brings the chip to rest, clears tokens, faults and tile SRAM and loads the tiles again.
  /// Devices, repairs and calibration stay. Where load() has failed there is nothing to load: then the image is not
  /// looked at. kTimeout or an error of the jobs sets needs_reset(); a wrong image changes nothing, call it again.
  Status recover(const uint8_t* image, size_t bytes);
  /// A job failed half-way: tokens and queues of the tiles are unknown. load() and infer() answer kNotReady until
  /// recover().
  bool needs_recovery() const { return stale_; }
  /// recover() failed as well. Reset the chip and take a new Driver and Runtime.
  bool needs_reset() const { return dead_; }
  /// Multiplies the gains by how much the response has fallen since load() took the reference.
  Status compensate(const uint8_t* image, size_t bytes, const CompensationOptions& options = {},
                    CompensationReport* report = nullptr);
  /// Pulses the devices of the network that have left the tolerance back to their targets, as the last load by pulses
  /// did. Compensation ends; a reference is taken again if there was one.
  Status refresh(const uint8_t* image, size_t bytes, RefreshReport* report = nullptr);

  /// What the firmware knows of the chip. A snapshot of the devices is of use only with it.
  const ChipState& state() const { return state_; }
  size_t state_size() const { return state_.attached() ? state_.size() : 0; }
  Status save_state(void* to, size_t bytes) const { return state_.save(to, bytes); }
  /// Takes over the state of a chip whose devices were restored: writes repairs and calibration. load() with
  /// Programming::kNone follows.
  Status restore_state(const void* from, size_t bytes);
  /// Forget the calibration, so that the next load() measures again.
  void invalidate_calibration();

 private:
  struct Batch {
    JobBuilder job;
    DmaBlock out;
    uint32_t n = 0, first = 0;
  };
  Status attach();
  Status reopen(const uint8_t* data, size_t bytes, ImageReader* image);
  Status note(Status s);
  Status collect_uses(const ImageReader& image);
  Status load_devices(const ImageReader& image, const LoadOptions& options, LoadReport* report);
  Status calibrate(const LoadOptions& options);
  Status program(const LoadOptions& options, LoadReport* report);
  Status look(const CellRegion* regions, uint32_t count, uint32_t tolerance, ProgramReport* sum, uint16_t* fails);
  Status find_bad_cells(const CellRegion* regions, uint32_t count, ProgramReport* sum);
  Status judge(const LoadOptions& options, LoadReport* report);
  Status load_tiles(const ImageReader& image);
  Status take_reference(const CompensationOptions& options);
  uint32_t converting(TileUse* uses, uint64_t mask = ~uint64_t{0}) const;

  Status set_up(const DmaBlock& memory, const int8_t* inputs, uint32_t n, Batch* batch) const;
  void collect(const Batch& batch, uint8_t* outputs) const;
  Status infer_at_once(const int8_t* inputs, uint32_t n, uint8_t* outputs);
  Status infer_alternating(const int8_t* inputs, uint32_t n, uint32_t limit, uint8_t* outputs);
  void add_inputs(JobBuilder& job, uint64_t mem, uint32_t slot, bool wait, bool repeat) const;
  uint32_t batch_limit(uint64_t memory) const;
  uint64_t fixed_bytes() const;
  uint64_t bytes_per_vector() const;
  bool streams() const { return num_inputs_ <= isa::kMaxRepeatDesc; }
  uint32_t input_stride() const { return (network_.input_bytes + 15) / 16 * 16; }
  uint32_t output_bytes() const { return network_.output_count * network_.output_elem_bytes; }
  uint64_t vector_cycles() const;
  uint64_t cycle_bound(uint32_t n) const;
  uint32_t watchdog() const;

  Driver& driver_;
  bool loaded_ = false, stale_ = false, dead_ = false;
  image::NetworkRecord network_ = {};
  uint32_t image_crc_ = 0;  // of the header: which image is loaded
  uint32_t num_inputs_ = 0, num_tiles_ = 0;
  image::InputRecord inputs_[kMaxInputs];
  image::TileRecord tiles_[kMaxTiles];
  TileUse uses_[kMaxTiles];  // of tiles_
  uint64_t tile_mask_ = 0;
  CellRegion regions_[kMaxRegions];  // targets point into the image of the running call
  uint32_t num_regions_ = 0;
  ProgramReport program_reports_[kMaxTiles];
  SelfTestOptions test_;  // of the last load
  ChipState state_;
  uint32_t bad_offset_ = 0;
  const char* bad_reason_ = "";
};

}  // namespace ohmac
