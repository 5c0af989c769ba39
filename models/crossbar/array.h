// SPDX-License-Identifier: Apache-2.0
// The devices of one crossbar and the weight matrix they amount to.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/device/aligned.h"
#include "models/device/pcm.h"
#include "models/device/pulse.h"

namespace ohmac {

/// Fraction of devices that are stuck, half of them at 0, half at Gmax. Assumption: yield above 99 % of devices is
/// reported for HERMES cores (Nat. Electron. 2023); a mature array is taken ten times better.
inline constexpr double kStuckFraction = 1e-3;

/// Columns that are stored and multiplied together; a whole number of vectors at every SIMD level.
inline constexpr uint32_t kChunk = 64;

struct ArrayConfig {
  uint32_t rows = 0, cols = 0;     ///< cells, without the reference row
  uint32_t lanes = 0, spares = 0;  ///< lanes 0 .. spares-1 have a spare column each; lanes is used by repair() only
  uint16_t tile = 0;
  uint64_t chip_seed = 0;
  PcmPreset pcm = kPcmGeneric;
  PulsePreset pulse = kPulseGeneric;
  /// Random streams of the fabrication and programming effects; 0 switches an effect off.
  uint8_t programming_kind = 0, stuck_kind = 0, drift_kind = 0;
  uint8_t pulse_noise_kind = 0, pulse_variation_kind = 0, wear_kind = 0;
  bool read_noise = false;
  double stuck_fraction = kStuckFraction;
  std::vector<uint32_t> open;  ///< columns that carry no current; cols + lane is the spare of a lane
};

/// When an array is looked at. A device last changed by pulses is now_s minus the chip time of its last pulse old; one
/// programmed by formula is age_s older than that.
struct ArrayTime {
  double age_s, now_s;
  ArrayTime(double age = 0, double now = 0) : age_s(age), now_s(now) {}  // NOLINT: an age is a time
};

/// What devices of one epoch have in common at a time.
struct AgeTerms {
  double log_age;    ///< ln(t / t0) of the drift law
  double bandwidth;  ///< square root in the law of read noise, 0 without read noise
};

/// Effective signed weights and their variances, code units (127 = Gmax): w = (G+ - G-) 127 / Gmax, v = (s+^2 + s-^2)
/// (127 / Gmax)^2. [chunk][rows + 1][kChunk], so that a product of a few columns reads one stretch of memory; the last
/// row is the reference row, +127 exactly, 0 in an open column. Columns beyond cols are 0.
struct EffectiveMatrix {
  uint32_t rows = 0, cols = 0;
  AlignedVector<float> w;
  AlignedVector<float> v;      ///< empty without read noise
  std::vector<AgeTerms> ages;  ///< [epoch][by formula, by pulses]
  EffectiveMatrix() = default;
  EffectiveMatrix(uint32_t num_rows, uint32_t num_cols, bool variances)
      : rows(num_rows),
        cols(num_cols),
        w(static_cast<size_t>(chunks()) * (num_rows + 1) * kChunk),
        v(variances ? w.size() : 0) {}
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

/// Devices of rows x cols differential cells and of the spare columns. A device never programmed has conductance 0.
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
  bool open(uint32_t col) const {
    return !open_.empty() && open_[routed_[col] ? config_.cols + col % config_.lanes : col];
  }
  uint16_t epoch_of(double now_s);
  void extend_ages(EffectiveMatrix* m, ArrayTime time) const;
  void update_cell(EffectiveMatrix* m, uint32_t row, uint32_t col) const;
  void update_column(EffectiveMatrix* m, uint32_t col) const;
  double exponent(size_t device) const;
  double pulsed_noise(size_t device) const;
  void wear(size_t device);
  void check_state(const ArrayState& s) const;

  ArrayConfig config_;
  ArrayState s_;
  // What follows from the state.
  std::vector<double> nu_;       // [device], not a number: not known yet; empty without drift
  std::vector<uint8_t> routed_;  // [column] its spare is used
  uint32_t repaired_ = 0;        // columns routed
  std::vector<uint8_t> open_;    // [column, then spare]; empty if none
  double wear_least_;            // no device is worn with fewer pulses
  std::shared_ptr<const std::vector<double>> q_target_, q_pulsed_;  // read noise, by target and by conductance
};

}  // namespace ohmac
