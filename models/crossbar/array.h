// SPDX-License-Identifier: Apache-2.0
// The devices of one crossbar and the weight matrix they amount to.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/crossbar/wire_network.h"
#include "models/device/aligned.h"
#include "models/device/pulse.h"
#include "models/device/technology.h"

namespace ohmac {

/// Fraction of devices that are stuck, half of them at the least conductance, half at Gmax. Assumption: yield above 99
/// % of devices is reported for HERMES cores (Nat. Electron. 2023); a mature array is taken ten times better.
inline constexpr double kStuckFraction = 1e-3;

/// Columns that are stored and multiplied together; a whole number of vectors at every SIMD level.
inline constexpr uint32_t kChunk = 64;

struct ArrayConfig {
  uint32_t rows = 0, cols = 0;     ///< cells, without the reference row
  uint32_t lanes = 0, spares = 0;  ///< lanes 0 .. spares-1 have a spare column each; lanes is used by repair() only
  uint16_t tile = 0;
  uint64_t chip_seed = 0;
  std::shared_ptr<const Technology> technology = builtin_technology("pcm_generic");
  bool levels = true, on_off = true;  ///< finite levels and least conductance, of technologies that have them
  /// Random streams of the fabrication and programming effects; 0 switches an effect off.
  uint8_t programming_kind = 0, stuck_kind = 0, drift_kind = 0;
  uint8_t pulse_noise_kind = 0, pulse_variation_kind = 0, wear_kind = 0;
  bool read_noise = false;
  bool device_noise = false;  ///< the matrix holds the read noise of every device, too
  double stuck_fraction = kStuckFraction;
  double open_fraction = 0;         ///< devices without any conductance, besides; with stuck_kind
  std::vector<uint32_t> open;       ///< columns that carry no current; cols + lane is the spare of a lane
  std::vector<uint32_t> open_rows;  ///< rows that no voltage reaches; the reference row is none of them
};

/// When an array is looked at. A device last changed by pulses is now_s minus the chip time of its last pulse old; one
/// programmed by formula is age_s older than that.
struct ArrayTime {
  double age_s, now_s;
  ArrayTime(double age = 0, double now = 0) : age_s(age), now_s(now) {}  // NOLINT: an age is a time
};

struct WireNoise;
struct PairReadings;

/// Effective signed weights and their variances, code units: w = (G+ - G-) unit, v = (s+^2 + s-^2) unit^2, unit =
/// 127 / (Gmax - Gmin), so that 127 is a cell with one device at Gmax, the other at Gmin. [chunk][rows + 1][kChunk], so
/// that a product of a few columns reads one stretch of memory; the last row is the reference row, +127 exactly, 0 in
/// an open column. Columns beyond cols are 0.
struct EffectiveMatrix {
  uint32_t rows = 0, cols = 0;
  AlignedVector<float> w;
  AlignedVector<float> v;                       ///< empty without read noise
  std::vector<float> s[2];                      ///< standard deviations of G+ and G-, with ArrayConfig::device_noise
  std::vector<AgeTerms> ages;                   ///< [epoch][by formula, by pulses]
  std::shared_ptr<const WireNoise> wire_noise;  ///< with wires and read noise
  EffectiveMatrix() = default;
  EffectiveMatrix(uint32_t num_rows, uint32_t num_cols, bool variances, bool each_device = false)
      : rows(num_rows),
        cols(num_cols),
        w(static_cast<size_t>(chunks()) * (num_rows + 1) * kChunk),
        v(variances ? w.size() : 0),
        s{std::vector<float>(each_device ? w.size() : 0), std::vector<float>(each_device ? w.size() : 0)} {}
  uint32_t chunks() const { return (cols + kChunk - 1) / kChunk; }
  size_t index(uint32_t row, uint32_t col) const {
    return (static_cast<size_t>(col / kChunk) * (rows + 1) + row) * kChunk + col % kChunk;
  }
};

/// One programming pulse on devices of a row.
struct Pulse {
  uint32_t row = 0;
  bool neg = false;  ///< the G- devices, not G+
  bool set = false;  ///< SET, not RESET
  uint32_t amp = 0;
  double width_ns = 0;
};

/// Everything about the devices that changes after fabrication.
struct ArrayState {
  std::vector<double> g_us;          ///< [device] microsiemens, when last programmed
  std::vector<uint8_t> flags;        ///< [device] DeviceArray::Flag
  std::vector<uint16_t> epoch;       ///< [device]
  std::vector<uint32_t> pulses;      ///< [device]
  std::vector<int8_t> target;        ///< [cell] of formula programming
  std::vector<uint32_t> programmed;  ///< [cell] times programmed by formula
  std::vector<double> epochs;        ///< chip times at which something was programmed
  std::vector<int32_t> spare_block;  ///< [spare] column block that it replaces, -1: none
};

/// Devices of rows x cols differential cells and of the spare columns. A device never programmed is at the least
/// conductance of its technology, 0 for most, and neither ages nor fluctuates.
/// Cell row * cols + col; the spare of a lane has cells rows * cols + row * spares + lane. Device 2 * cell is G+, the
/// next one G-. Draws are named by cell or device and by how often it has been programmed or pulsed, so the order in
/// which regions are programmed does not matter. Columns in calls are columns of the matrix: a repaired column means
/// the devices of its spare.
class DeviceArray {
 public:
  enum Flag : uint8_t { kStuck = 1, kWorn = 2, kPulsed = 4 };  ///< kPulsed: last changed by a pulse, not by formula

  /// Throws std::invalid_argument.
  explicit DeviceArray(const ArrayConfig& config);

  /// Programs cells (row0.., col0..) to targets -127..127 by formula, row-major [rows x cols]. Throws std::out_of_range
  /// before any change.
  void program(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets, ArrayTime time = {});

  /// Pulses the devices of a row whose mask bit is 1, and updates the matrix of that time if there is one.
  /// @param mask (cols + 31) / 32 words, bit i of word w: column 32 w + i. Throws std::out_of_range before any change.
  void pulse(const Pulse& p, const uint32_t* mask, ArrayTime time, EffectiveMatrix* m = nullptr);

  /// Routes the spare of a lane to a column block, or frees it; updates the matrix of that time if there is one. False
  /// if nothing changes. Throws std::out_of_range on a lane or block that does not exist.
  bool repair(uint32_t lane, bool enable, uint32_t block, ArrayTime time = {}, EffectiveMatrix* m = nullptr);
  bool repaired() const { return repaired_ != 0; }
  /// Whether repair() would change something.
  bool repair_changes(uint32_t lane, bool enable, uint32_t block) const;

  /// Effective matrix at a time. Throws std::domain_error if an age is negative or not finite.
  EffectiveMatrix effective(ArrayTime time) const;
  /// Recomputes the cells (row0.., col0..) of a matrix that effective() returned for the same time.
  void update(EffectiveMatrix* m, ArrayTime time, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols) const;

  /// The matrix with the devices in these wires. @param m effective() of the same time
  EffectiveMatrix wired(const EffectiveMatrix& m, const WireOhms& wires) const;
  /// Conductances and standard deviations of read noise of the devices of a row, siemens, [2 cols]: G+, G- of each
  /// cell; 0 where no current flows. @param m effective() of the time
  void read_row(const EffectiveMatrix& m, uint32_t row, double* g, double* sigma) const;
  PairReadings readings(const EffectiveMatrix& m) const;  ///< of all rows (models/crossbar/wired.h)
  /// Weight units a siemens.
  double unit_per_siemens() const { return 1e6 * unit_; }

  /// Makes room for a programming time: call before time moves on. Throws std::length_error if 65535 different times
  /// are in use; a matrix from before is no longer valid.
  void reserve_epoch();

  const ArrayConfig& config() const { return config_; }
  size_t cells() const { return s_.target.size(); }
  /// Conductance of a device when it was last programmed, microsiemens. @param polarity 0 = G+, 1 = G-
  double conductance_us(uint32_t row, uint32_t col, unsigned polarity) const {
    return s_.g_us[2 * cell(row, col) + polarity];
  }
  bool stuck(uint32_t row, uint32_t col, unsigned polarity) const {
    return (s_.flags[2 * cell(row, col) + polarity] & (kStuck | kWorn)) != 0;
  }
  uint32_t pulses(uint32_t row, uint32_t col, unsigned polarity) const {
    return s_.pulses[2 * cell(row, col) + polarity];
  }
  const ArrayState& state() const { return s_; }
  /// Takes the state of an array of the same configuration. Throws std::invalid_argument, naming the field, if a size
  /// or value does not fit; nothing has changed then.
  void set_state(const ArrayState& state);

 private:
  size_t cell(uint32_t row, uint32_t col) const {
    if (repaired_ != 0 && routed_[col])
      return static_cast<size_t>(config_.rows) * config_.cols + static_cast<size_t>(row) * config_.spares +
             col % config_.lanes;
    return static_cast<size_t>(row) * config_.cols + col;
  }
  bool dark(uint32_t row, uint32_t col) const { return open(col) || (!open_rows_.empty() && open_rows_[row]); }
  bool open(uint32_t col) const {
    return !open_.empty() && open_[routed_[col] ? config_.cols + col % config_.lanes : col];
  }
  uint16_t epoch_of(double now_s);
  void extend_ages(EffectiveMatrix* m, ArrayTime time) const;
  void update_cell(EffectiveMatrix* m, uint32_t row, uint32_t col) const;
  void update_column(EffectiveMatrix* m, uint32_t col) const;
  /// Conductance and standard deviation of a read of a device, microsiemens.
  struct Reading {
    double g_us, sigma_us;
  };
  Reading reading(const EffectiveMatrix& m, size_t device) const;
  double deviate(size_t device) const;
  double aged(size_t device, const AgeTerms& age) const;
  /// Magnitude that formula programming gave a device, 0..127.
  size_t target_of(size_t device) const {
    const int t = device % 2 == 0 ? s_.target[device / 2] : -s_.target[device / 2];
    return t > 0 ? static_cast<size_t>(t) : 0;
  }
  double pulsed_noise(size_t device) const;
  bool touched(size_t device) const { return s_.programmed[device / 2] != 0 || (s_.flags[device] & kPulsed) != 0; }
  void wear(size_t device);
  void check_state(const ArrayState& s) const;

  ArrayConfig config_;
  ArrayState s_;
  // What follows from the state.
  std::vector<double> deviate_;     // [device] deviate(), not a number: not known yet; empty without drift
  std::vector<uint8_t> routed_;     // [column] its spare is used
  uint32_t repaired_ = 0;           // columns routed
  std::vector<uint8_t> open_rows_;  // [row]; empty if none
  std::vector<uint8_t> open_;       // [column, then spare]; empty if none
  double wear_least_;               // no device is worn with fewer pulses
  std::shared_ptr<const std::vector<double>> q_target_, q_pulsed_;  // read noise, by target and by conductance
  double x_min_, least_us_, unit_;                                  // Gmin / Gmax, Gmin, weight units a microsiemens
  std::vector<double> x_target_;                                    // [0..127] G / Gmax of a target
  std::vector<double> sigma_us_;                                    // [0..127] spread of formula programming, by target
  std::vector<double> mean_, std_;  // [0..127] of drift exponent or charge loss, by target
  std::vector<double> relaxed_us_;  // [knot][0..127] spread of relaxing devices by target
  bool zero_stays_;                 // untouched devices are at 0, and one at 0 neither ages nor fluctuates
};

}  // namespace ohmac
