// SPDX-License-Identifier: Apache-2.0
// Row DACs: what voltage, or what pulse, a row's code becomes.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace ohmac {

/// How a row is driven. A code 0 connects the row to the 0 V reference in both: no offset, no noise.
enum class DacMode : uint8_t {
  kVoltage,  ///< the row holds a voltage of |x| LSB as long as the drive lasts
  kPwm,      ///< the row holds full voltage for |x| LSB of time from the start of integration, with the sign of x
};

/// Errors of one kind of DAC, standard deviations, LSB = one unit of the input code.
struct DacErrors {
  double gain;    ///< of a row, relative
  double offset;  ///< of a row, LSB
  double unit;    ///< of a unit element of the binary-weighted magnitude DAC, relative: INL and DNL
  double noise;   ///< of a drive, LSB
};

/// Voltage mode: 7-bit magnitude DAC and buffer a row, 0.2 V for 127 LSB, so 1 LSB = 1.57 mV.
///   gain    0.5 %. Assumption: matched resistor string and buffer.
///   offset  0.5 LSB = 0.79 mV. Assumption: Pelgrom, A_VT 3.5 mV um over an input pair of 20 um^2.
///   unit    1 %, as the capacitors of the SAR lanes (sar_dac.h).
///   noise   sqrt(kT / C) of a row line of 100 fF at 300 K, 0.203 mV = 0.13 LSB. Assumption: the capacitance.
inline constexpr DacErrors kVoltageDac{0.005, 0.5, 0.01, 0.129};
/// PWM mode: a counter of 1 ns a LSB (HERMES, JSSC 2022) switches the row between 0 V and the common read voltage.
///   gain    0.1 %. Assumption: the rows differ by their switches' resistance only.
///   offset  50 ps = 0.05 LSB between the delays of the two edges. Assumption.
///   unit    0: a counter is linear.
///   noise   jitter of two edges of 10 ps rms each, 0.014 LSB. Assumption.
inline constexpr DacErrors kPwmDac{0.001, 0.05, 0.0, 0.0141};
inline constexpr double kPwmLsbNs = 1.0;
/// Settling time constant of row and column lines, nanoseconds: PWM is integrated as charge and does not wait for an
/// amplifier. Assumption: 1 kohm of driver and line into 1 pF of line.
inline constexpr double kPwmTauNs = 1.0;
inline constexpr double kDacClipSigma = 3.0;
inline constexpr uint32_t kDacBits = 7;

/// Level of a magnitude 0..127 of a binary-weighted DAC: 127 sum(m_k C_k) / sum(C_k), C_k = 2^k (1 + d_k), so that both
/// ends are exact: what is left is INL and DNL. @param deviation [7] d_k
double row_dac_level(const double* deviation, uint32_t magnitude);

/// Charge of a pulse of `width_ns` from the start of an integration of `time_ns` behind a line of time constant tau, as
/// a width: w - tau (exp(-(T - w) / tau) - exp(-T / tau)) with w cut at T. Exact for a single pole: what the rising
/// edge lacks comes back in the tail, as far as the integration sees it.
double pwm_charge_ns(double width_ns, double time_ns, double tau_ns);

/// Row DACs of one tile, the reference row's included.
class RowDac {
 public:
  struct Config {
    DacMode mode = DacMode::kVoltage;
    uint32_t rows = 0;  ///< the reference row included
    uint16_t tile = 0;
    uint64_t chip_seed = 0;
    /// Random streams; 0 switches an error off.
    uint8_t gain_kind = 0, offset_kind = 0, inl_kind = 0, noise_kind = 0;
    bool settling = false;  ///< PWM: pulses are cut by, and tails lost after, the integration
  };
  /// Draws of the chip seed, double gaussians clipped at 3 sigma: gain and offset {kind, row, tile, 0, 0}, elements of
  /// the magnitude DAC {kind, row, tile, unit = bit, 0}.
  explicit RowDac(const Config& config);
  /// Whether codes are levels and apply() would change nothing.
  bool ideal() const { return !any_; }
  /// Codes of a drive to levels, LSB: sign(x) level(|x|) (1 + g) + o + sigma n; offset and noise of PWM go with the
  /// sign, and its pulses end at 0. n: gaussian {kind, drive, tile, unit = row, 0} of the run seed.
  /// @param row [n] rows with codes other than 0; @param x codes -127..127 by row, in place; @param x2 output, squares
  /// @param integrate_ns length of the integration
  void apply(uint64_t run_seed, uint64_t drive, double integrate_ns, const uint32_t* row, uint32_t n, float* x,
             float* x2);

 private:
  Config config_;
  bool any_ = false;
  struct Rows {
    std::vector<float> level;   // [row][magnitude] of a code, with gain
    std::vector<float> offset;  // [row]
  };
  std::shared_ptr<const Rows> rows_;  // copies share it
  std::vector<float> noise_;          // scratch, [draw_room(rows)]
};

}  // namespace ohmac
