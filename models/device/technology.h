// SPDX-License-Identifier: Apache-2.0
// A device technology: what one memory cell does when it is programmed, ages and is read. Constants come from preset
// files (technologies/*.toml, README.md there); this is the arithmetic.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/device/pulse.h"

namespace ohmac {

/// A preset file that cannot be taken: what() names file, line, field and remedy.
struct TechnologyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One piece of a law of x = G / Gmax.
struct LawPiece {
  enum class Form : uint8_t {
    kPolynomial,  ///< c[0] + c[1] x + c[2] x^2 ...; beyond x = 1, where fits end, the value at 1
    kLog,         ///< c[0] ln x + c[1]
    kPower,       ///< c[0] / x^c[1]
  };
  double below;  ///< end of the piece, exclusive; infinite in the last one
  Form form;
  std::vector<double> c;
  double least, most;  ///< the value is clamped to these; infinite: no limit
};

struct Law {
  std::vector<LawPiece> pieces;  ///< in ascending x
  /// @param x >= 0; logarithms and powers take their limit at 0
  double operator()(double x) const;
};

/// Standard deviation of a conductance as a law of x.
struct SpreadLaw {
  Law law;
  bool of_gmax = false;          ///< the law gives a share of Gmax, else microsiemens at reference_gmax_us
  double reference_gmax_us = 0;  ///< Gmax for which the law was fitted; it scales with Gmax / reference
};

/// How conductances change with time.
enum class Ageing : uint8_t {
  kNone,
  kDrift,       ///< G (t/t0)^-nu
  kRelaxation,  ///< the spread grows with time
  kChargeLoss,  ///< G + shift per decade of t/t0
};

/// Constants of one technology. Microsiemens, seconds, nanoseconds (pulse width).
struct Technology {
  std::string name, title;
  double gmax_us = 0;   ///< largest conductance of a weight
  double on_off = 0;    ///< Gmax over the least conductance; infinite: a device can be at 0
  uint32_t levels = 0;  ///< conductances that programming aims at, Gmin and Gmax included; 0: any
  double t0_s = 0;      ///< time of the verify read after programming: age 0 is t = t0

  bool has_programming = false;
  SpreadLaw programming;  ///< left by write-verify; relaxing technologies have relaxation[0] instead

  Ageing ageing = Ageing::kNone;
  Law nu_mean, nu_std;  ///< drift exponent
  struct Relaxed {
    double t_s;
    SpreadLaw sigma;
  };
  std::vector<Relaxed> relaxation;  ///< ascending in time; the first is at t0
  double relaxation_verify_s = 0;   ///< time of a verify read after a pulse: nothing has relaxed yet
  Law loss_mean, loss_std;          ///< charge loss: share of Gmax a decade of t/t0

  bool has_one_over_f = false;
  double t_read_s = 0;       ///< length of a read; sets the bandwidth of 1/f noise
  Law q;                     ///< 1/f noise, sigma / G = q(x) sqrt(ln((t + t_read) / (2 t_read)))
  double noise_of_gmax = 0;  ///< white noise, share of Gmax
  double noise_of_g = 0;     ///< white noise, share of G

  PulsePreset pulse = {};

  struct Origin {
    std::string source;
    std::string fitted;  ///< published figure that the constant was fitted to; empty: not fitted to one
  };
  std::map<std::string, Origin> origin;  ///< by field, as "drift.nu_mean"
};

// --- Presets.

/// Names of the technologies built in.
std::vector<std::string> technology_names();
/// A technology built in. Throws TechnologyError with the known names.
std::shared_ptr<const Technology> builtin_technology(std::string_view name);
/// A technology built in, or a preset file: what contains a slash or ends in .toml. Throws TechnologyError.
std::shared_ptr<const Technology> load_technology(const std::string& name_or_path);
/// Text of a preset file. @param file for messages. Throws TechnologyError.
Technology parse_technology(std::string_view toml, const std::string& file);
/// The preset file of a technology; parse_technology() gives the same constants, bit for bit.
std::string to_toml(const Technology& t);

/// One field of a preset.
struct Constant {
  std::string field, value, unit, source, fitted;
};
/// All fields, in the order of the file.
std::vector<Constant> constants(const Technology& t);
/// Field and both values of the first constant in which they differ; empty if the devices behave alike. Sources do not
/// count.
std::string first_difference(const Technology& has, const Technology& wants);

// --- Laws. x = G / Gmax; n is a standard gaussian.

/// Throws std::domain_error unless the age is finite and >= 0.
void check_age(double age_s);

/// x of a target: the nearest of `levels` steps from x_min to 1. @param share of the way from x_min to 1, 0..1
double target_x(double share, double x_min, uint32_t levels);

/// Spread of the conductance after write-verify, microsiemens. It is what verify leaves: never add it on top of
/// pulse-by-pulse programming.
double programming_sigma_us(const Technology& t, double x);

/// Programmed conductance, microsiemens: max(least, x Gmax + sigma(x) n).
double programmed_us(const Technology& t, double x, double n, double least_us = 0.0);

/// Drift exponent |mean(x) + std(x) n|. @param x target / Gmax, or what pulses reached
double drift_exponent(const Technology& t, double x, double n);

/// (t/t0)^-nu. @param log_age AgeTerms::log_age
double drift_factor(double nu, double log_age);

/// Spread of relaxing devices, linear in ln t between the times of the preset and constant after the last.
/// @param knot, part AgeTerms
double relaxation_sigma_us(const Technology& t, double x, uint32_t knot, double part);

/// Charge loss of a device, share of Gmax a decade: mean(x) + std(x) n.
double charge_loss(const Technology& t, double x, double n);
/// Conductance after charge loss: max(least, G + loss Gmax log10(t/t0)).
double after_charge_loss_us(const Technology& t, double g_us, double loss, double log_age, double least_us);

/// What devices of one age share.
struct AgeTerms {
  double log_age;    ///< ln(t / t0), t = age + t0
  double bandwidth;  ///< square root in the law of 1/f noise
  uint32_t knot;     ///< relaxation: the last time of the preset not after t, counted from 1; 0: before the first
  double part;       ///< relaxation: position between it and the next, 0..1 in ln t
};

/// @param pulsed programmed by pulses: relaxation starts at 0 at relaxation_verify_s after the pulse, while the
/// published spread, drawn by formula, includes what relaxed until t0. Throws std::domain_error as check_age().
AgeTerms age_terms(const Technology& t, double age_s, bool pulsed);

/// 1/f noise: its Q and, of an age, its square root. 0 if the technology has none.
double read_noise_q(const Technology& t, double x);
double read_noise_bandwidth(const Technology& t, double age_s);
/// Standard deviation of one read, microsiemens. @param q read_noise_q() of the target, or of what pulses reached
inline double read_sigma_us(const Technology& t, double g_us, double q, double bandwidth) {
  const double pink = g_us * (q * bandwidth);
  if (t.noise_of_gmax == 0 && t.noise_of_g == 0) return pink;
  const double white = t.noise_of_gmax * t.gmax_us, share = t.noise_of_g * g_us;
  return __builtin_sqrt(pink * pink + white * white + share * share);
}

}  // namespace ohmac
