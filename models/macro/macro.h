// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/converters/row_dac.h"
#include "models/crossbar/array.h"
#include "models/crossbar/wire_network.h"
#include "models/device/technology.h"
#include "models/macro/effects.h"
#include "models/macro/geometry.h"

namespace ohmac {

/// Programming and repair pins; same fields as macro_prog_t in rtl/pkg/ohmac_pkg.sv.
struct ProgIn {
  bool en = false, mask_we = false;
  uint16_t row = 0;
  bool neg = false, set = false;
  uint8_t amp = 0;
  bool pulse = false, repair_we = false, repair_clr = false;
};

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
  ProgIn prog;
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

/// What was done to the array, for estimates of energy. Sums do not depend on how drives are split into calls.
struct ArrayActivity {
  std::vector<uint64_t> row_sum,
      row_square;  ///< [rows + 1] of |x| and x^2 over all drives; the last is the reference row
  uint64_t set_pulses = 0, reset_pulses = 0;  ///< device pulses: columns of the mask, summed over pulses
};

/// A lane whose comparator always answers `level`.
struct DeadLane {
  uint32_t lane;
  bool level;
};

/// What fabrication broke. Counts are drawn with the chip seed; lists are for tests and experiments.
struct FaultConfig {
  double stuck_fraction = kStuckFraction;  ///< of the devices, half at 0, half at Gmax; needs the effect `stuck`
  double open_fraction = 0;                ///< of the devices: no conductance at all; needs the effect `stuck`
  uint32_t open_rows = 0;                  ///< that no voltage reaches
  uint32_t open_columns = 0;               ///< that carry no current, of the columns and the spares
  uint32_t dead_lanes = 0;                 ///< whose comparator is constant, 0 or 1 drawn
  std::vector<uint32_t> open_row_list;     ///< besides
  std::vector<uint32_t> open_list;         ///< besides; cols + lane is the spare column of a lane
  std::vector<DeadLane> dead_lane_list;    ///< besides
};

/// Conversions of consecutive column blocks of a drive: block first_block + k has its first trial hold_cycles + k *
/// period_cycles after the sample cycle.
struct Conversions {
  uint32_t first_block = 0, blocks = 0;
  uint32_t hold_cycles = 0, period_cycles = 0;
  uint32_t range = 0, bits = 8;
};

struct DeviceState;

/// How the devices of a macro stand, spares included.
struct DeviceReport {
  uint32_t devices = 0;
  uint32_t stuck = 0;  ///< from fabrication
  uint32_t worn = 0;   ///< by pulses
  uint32_t most_pulses = 0;
  uint64_t pulses = 0;  ///< of all devices together
  double mean_pulses() const { return devices == 0 ? 0.0 : static_cast<double>(pulses) / devices; }
};

/// Effective weight minus target over a region, in weight units (127 = Gmax).
struct WeightError {
  double mean = 0, sigma = 0, largest = 0;  ///< largest: of the magnitudes
};

/// How read noise is drawn: both have the same law.
enum class ReadNoise : uint8_t {
  kColumn,  ///< one gaussian a column with the exact variance
  kDevice,  ///< one gaussian a device: slow, to hold the other against
};

/// Wires of the effect `wire`: 0.35 ohm from device to device is the default of IBM aihwkit's IR-drop model
/// (ir_drop_g_ratio = 1 / (0.35 ohm 5 uS) = 571428.57). Drivers and sense inputs are ideal: no source was found.
inline constexpr WireOhms kDefaultWires = {0.35, 0.35, 0, 0};

struct MacroConfig {
  Geometry geometry;
  uint32_t tile = 0;
  uint64_t chip_seed = 1, run_seed = 1;
  EffectSet effects;  ///< which effects are on
  double age_s = 0;   ///< age of what is programmed by formula
  double clock_ns = 4.0;
  FaultConfig faults;
  std::shared_ptr<const Technology> technology = builtin_technology("pcm_generic");
  ReadNoise read_noise = ReadNoise::kColumn;
  DacMode dac = DacMode::kVoltage;
  WireOhms wires = kDefaultWires;  ///< with the effect `wire`
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
  /// Sets the age of what is programmed by formula; the effective conductances are recomputed before the next drive.
  /// Throws std::domain_error if negative.
  void set_age(double age_s);
  /// Lets time pass: every device ages, those programmed later start anew. Throws std::domain_error if negative.
  void advance_time(double seconds);
  double chip_time_s() const;
  void set_run_seed(uint64_t seed);
  uint64_t drive_count() const;
  void set_drive_count(uint64_t n);
  void set_trace(ConversionTrace* trace);  ///< not owned, may be null
  /// Adds what happens from now on to `activity`, which it resizes; not owned, null: stop. A copy has none.
  void set_activity(ArrayActivity* activity);
  const MacroConfig& config() const;

  // --- For reports, tests and snapshots.
  DeviceReport device_report() const;
  /// Effective weights of cells (row0.., col0..) now, without read noise, row-major. Throws std::out_of_range.
  std::vector<float> weights(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols) const;
  WeightError weight_error(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets) const;
  /// Conductance that a row drives into the columns now, microsiemens, [rows + 1]: G+ and G- of its cells together,
  /// without read noise and wires. The last is the reference row, one device of Gmax a column that is not open.
  std::vector<double> row_conductances_us() const;
  std::vector<uint32_t> open_rows() const;     ///< ascending
  std::vector<uint32_t> open_columns() const;  ///< ascending; cols + lane is the spare column of a lane
  std::vector<DeadLane> dead_lanes() const;
  /// Devices, repair, chip time and drive count (models/macro/snapshot.h). What was sampled is not part of it.
  DeviceState device_state() const;
  /// Continues where a macro of the same configuration was. Throws std::invalid_argument before any change.
  void set_device_state(const DeviceState& state);

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
  /// drive() and the convert()s of n vectors x[n][rows + 1] in one call: the same codes and draws, faster. Nothing
  /// stays sampled. Throws before anything changes, except on an input of -128: then some vectors may have been driven.
  /// @param codes [n][blocks * lanes]
  void mvm(const int8_t* x, uint32_t n, uint32_t integrate_cycles, const Conversions& c, int8_t* codes);
  /// One programming pulse of `cycles` on the G+ or G- devices of a row under the column mask; bit i of word w is
  /// column 32 w + i, (cols + 31) / 32 words. Throws before any change.
  void pulse(uint32_t row, bool neg, bool set, uint32_t amp, uint32_t cycles, const uint32_t* mask);
  /// Routes the spare column of a lane to column block * lanes + lane, or frees it. Throws std::out_of_range if the
  /// lane has no spare or the block does not exist.
  void repair(uint32_t lane, bool enable, uint32_t block);
  void repair_clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a macro keeps over power-off and restart of a simulation.
struct DeviceState {
  uint64_t drive_count = 0;
  double chip_time_s = 0, age_s = 0;
  ArrayState array;
};

}  // namespace ohmac
