// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/macro/geometry.h"

namespace ohmac::cli {

/// What one run reports; the same for every fidelity. JSON keys are fixed by result.schema.json: the schema only grows.
struct RunRecord {
  std::string network, fidelity;
  uint32_t images = 0;
  double accuracy_float = 0, accuracy_int8 = 0, accuracy_int8_adc = 0, accuracy_analog = 0;
  uint64_t cycles_total = 0;
  uint64_t adc_bound_per_inference = 0;
  std::map<std::string, uint64_t> events;  ///< summed over tiles and batches, inference only
  struct Programming {
    std::string mode = "formula";  ///< formula, pulse, restore
    uint32_t tiles = 0;
    uint64_t cells = 0;
    uint64_t bringup_drives = 0;     ///< drives of all tiles before the first inference: tests, calibration, verify
    uint64_t bringup_cycles = 0;     ///< reset to ready: probe, calibration, programming, loading
    uint64_t reads = 0, pulses = 0;  ///< verify reads of rows and device pulses
    uint64_t fails = 0;              ///< cells outside the tolerance in the last, noisy verify read of their row
    uint64_t bad_cells = 0;          ///< cells off by more than SelfTestOptions::bad_level when all was programmed
    uint32_t most_pulses = 0;        ///< of one device, since fabrication
    uint32_t stuck_devices = 0;      ///< on the tiles in use, spares included
    double weight_mean = 0, weight_sigma = 0;  ///< reached weight - target, weight units (127 = Gmax)
    std::string snapshot_sha256;               ///< devices and firmware state when ready
    uint32_t repaired_columns = 0, bad_columns = 0, weak_columns = 0;

    double pulses_per_device() const {
      return cells ? static_cast<double>(pulses) / (2.0 * static_cast<double>(cells)) : 0;
    }
    /// Share of cells that took their target.
    double yield() const { return cells ? 1 - static_cast<double>(bad_cells) / static_cast<double>(cells) : 0; }
  } programming;
  uint64_t chip_seed = 0, run_seed = 0;
  double age_s = 0;
  std::vector<std::string> effects_off;
  std::string technology, technology_sha256;  ///< name, and hash of its preset as `ohmac info --technology` prints it
  std::string read_noise = "per_column";
  std::string dac = "voltage";
  std::vector<double> wire_ohm;  ///< row, column, driver, sense; empty without wires
  bool lossless = false;
  Geometry geometry;
  std::string outputs_sha256;
  nlohmann::ordered_json costs;  ///< keys of the record that come from cost tables (costs.h); null: none
  double host_seconds = 0;       ///< of the inference
  double bringup_seconds = 0;    ///< of building the chip and bringing it up
  uint32_t threads = 1;

  double cycles_per_inference() const { return images ? static_cast<double>(cycles_total) / images : 0; }
  double adc_utilisation() const {
    return cycles_total ? static_cast<double>(adc_bound_per_inference) * images / static_cast<double>(cycles_total) : 0;
  }
  double cycles_per_second() const { return host_seconds > 0 ? static_cast<double>(cycles_total) / host_seconds : 0; }
};

nlohmann::ordered_json to_json(const RunRecord& r);
/// The part of a record under "programming", read back.
RunRecord::Programming programming_from_json(const nlohmann::json& j);

/// SHA-256 of bytes, lower-case hex.
std::string sha256_hex(const std::vector<uint8_t>& bytes);

}  // namespace ohmac::cli
