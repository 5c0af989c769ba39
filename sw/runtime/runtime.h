// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sw/driver/driver.h"
#include "sw/runtime/image_reader.h"

namespace ohmac {

struct LoadOptions {
  bool program = true;    // program the cells
  bool calibrate = true;  // calibrate tiles not calibrated yet; false: gain 1, offset 0 on those
  CalOptions calibration;
};

/// Puts a network on a chip and runs it. Fixed storage; the image is needed only during load().
class Runtime {
 public:
  static constexpr uint32_t kMaxInputs = 128, kMaxTiles = 64;

  explicit Runtime(Driver& driver) : driver_(driver) {}

  /// Checks the whole image, programs cells, calibrates (once per chip, resolution and column blocks) and loads the
  /// tiles. Without success nothing is loaded: infer() refuses.
  Status load(const uint8_t* image, size_t bytes, const LoadOptions& options = {});
  bool loaded() const { return loaded_; }
  const image::NetworkRecord& network() const { return network_; }
  /// Where load() found the image wrong (kBadImage, kWrongGeometry).
  uint32_t bad_offset() const { return bad_offset_; }
  const char* bad_reason() const { return bad_reason_; }

  /// A job failed half-way: tokens and queues of the tiles are unknown, and nothing in the chip clears them. load() and
  /// infer() answer kNotReady from then on; reset the chip and take a new Driver and Runtime.
  bool needs_reset() const { return stale_; }

  /// Runs n input vectors of network().input_bytes each (contiguous); outputs are contiguous, output_count *
  /// output_elem_bytes each.
  Status infer(const int8_t* inputs, uint32_t n, uint8_t* outputs);
  /// Most vectors one DMA job takes with the DMA memory of this platform; infer() splits longer calls.
  uint32_t batch_limit() const;
  /// Forget the calibration, so that the next load() measures again.
  void invalidate_calibration() { calibrated_mask_ = 0; }

 private:
  Status calibrate(const ImageReader& image, const LoadOptions& options);
  Status infer_batch(const int8_t* inputs, uint32_t n, uint8_t* outputs);
  void add_inputs(JobBuilder& job, uint64_t mem, uint32_t slot, bool wait, bool repeat) const;
  uint64_t fixed_bytes() const;
  uint64_t bytes_per_vector() const;
  bool streams() const { return num_inputs_ <= isa::kMaxRepeatDesc; }
  uint32_t input_stride() const { return (network_.input_bytes + 15) / 16 * 16; }
  uint64_t cycle_bound(uint32_t n) const;

  Driver& driver_;
  bool loaded_ = false, stale_ = false;
  image::NetworkRecord network_ = {};
  uint32_t num_inputs_ = 0, num_tiles_ = 0;
  image::InputRecord inputs_[kMaxInputs];
  image::TileRecord tiles_[kMaxTiles];
  uint64_t tile_mask_ = 0;
  uint64_t calibrated_mask_ = 0;
  uint8_t cal_bits_[kMaxTiles] = {}, cal_range_[kMaxTiles] = {}, cal_mux_[kMaxTiles] = {};
  CalTarget targets_[kMaxTiles];
  uint32_t bad_offset_ = 0;
  const char* bad_reason_ = "";
};

}  // namespace ohmac
