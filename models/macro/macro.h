// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/macro/effects.h"
#include "models/macro/geometry.h"

namespace ohmac {

/// Pins of one macro in one clock cycle; same fields as macro_pins_t in rtl/pkg/ohmac_pkg.sv.
struct PinsIn {
  bool row_we = false, row_bank = false;
  uint8_t row_addr = 0;
  uint32_t row_wdata = 0;
  uint8_t row_clr = 0;
  bool drive = false, drive_bank = false, integrate = false, int_rst = false;
  bool sample = false, sample_bank = false;
  bool sar_strobe = false, mux_bank = false;
  uint8_t mux_sel = 0, range = 0;
};

struct ProtocolError {
  uint64_t cycle;  ///< step() count of this macro
  uint32_t tile;
  std::string rule;  ///< what was violated, with the pin
};

/// Listener for finished conversions (`ohmac diff`): codes of all lanes of one column block of one drive.
class ConversionTrace {
 public:
  virtual ~ConversionTrace() = default;
  virtual void conversion(uint32_t tile, uint64_t drive, uint32_t block, const int8_t* codes, uint32_t lanes) = 0;
};

struct MacroConfig {
  Geometry geometry;
  uint32_t tile = 0;
  uint64_t chip_seed = 1, run_seed = 1;
  EffectSet effects;  ///< which effects are on
  double age_s = 0;   ///< t_inference
  double clock_ns = 4.0;
};

/// Analog half of one tile. Copies share the programmed device state and are independent otherwise (shards of a run).
class Macro {
 public:
  explicit Macro(const MacroConfig& config);
  ~Macro();
  Macro(const Macro&);
  Macro& operator=(const Macro&);

  /// Formula programming of cells (row0.., col0..) to targets -127..127, row-major [rows x cols]. Throws
  /// std::out_of_range.
  void program_cells(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets);
  /// Sets the age; the effective conductances are recomputed before the next drive. Throws std::domain_error if
  /// negative.
  void set_age(double age_s);
  void set_run_seed(uint64_t seed);
  uint64_t drive_count() const;
  void set_drive_count(uint64_t n);
  void set_trace(ConversionTrace* trace);  ///< not owned, may be null
  const MacroConfig& config() const;

  // --- Pin level (RTL in the loop). One call a clock cycle.
  /// @param sar_code signed trial threshold of each lane, read only when pins.sar_strobe.
  /// @param cmp      comparator bit of each lane (0/1), written only when pins.sar_strobe.
  void step(const PinsIn& pins, const int8_t* sar_code, uint8_t* cmp);
  /// Tells the trace about the last conversion, which no later pin change has closed yet.
  void flush_trace();
  const std::vector<ProtocolError>& protocol_errors() const;

  // --- Function level (golden machine): the same arithmetic and draws without pins.
  /// One drive: x[rows + 1] signed codes -127..127 (after slice alignment; the last one is the reference row), then
  /// sample.
  void drive(const int8_t* x, uint32_t integrate_cycles);
  /// Conversion of column block `block` of the last drive, whose first trial comes hold_cycles after the sample cycle.
  void convert(uint32_t block, uint32_t hold_cycles, uint32_t range, uint32_t bits, int8_t* codes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ohmac
