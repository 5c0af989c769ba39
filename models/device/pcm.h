// SPDX-License-Identifier: Apache-2.0
// Phase-change memory, generic: programming spread, drift and read noise of one device.
#pragma once

namespace ohmac {

/// Constants of one PCM technology.
struct PcmPreset {
  double gmax_us;     ///< largest programmed conductance, microsiemens
  double t0_s;        ///< time of the verify read after programming, seconds: age 0 is t = t0
  double t_read_s;    ///< length of one read, seconds; sets the bandwidth of 1/f noise
  double prog_us[3];  ///< sigma = prog[0] + prog[1] x + prog[2] x^2, microsiemens at gmax_us
  double nu_mean[2];  ///< mean of the drift exponent = nu_mean[0] ln x + nu_mean[1], dimensionless
  double nu_mean_min, nu_mean_max;
  double nu_std[2];  ///< spread of the drift exponent = nu_std[0] ln x + nu_std[1]
  double nu_std_min, nu_std_max;
  double q_scale, q_power, q_max;  ///< read noise: Q = min(q_scale / x^q_power, q_max)
};

/// Generic PCM. Source: constants of IBM aihwkit's PCMLikeNoiseModel, from Joshi et al., Nat. Commun. 11, 2473 (2020).
inline constexpr PcmPreset kPcmGeneric = {
    25.0,   20.0, 250e-9, {0.26348, 1.9650, -1.1731}, {-0.0155, 0.0244}, 0.049, 0.1, {-0.0125, -0.0059}, 0.008, 0.045,
    0.0088, 0.65, 0.2};

/// Spread of the conductance after write-verify, microsiemens: sigma = c0 + c1 x + c2 x^2, x = target / Gmax in 0..1.
/// It is what verify leaves: never add it on top of pulse-by-pulse programming.
double pcm_programming_sigma_us(const PcmPreset& p, double x);

/// Programmed conductance, microsiemens: max(0, x Gmax + sigma(x) n), n a standard gaussian.
double pcm_programmed_us(const PcmPreset& p, double x, double n);

/// Drift exponent, dimensionless: nu = |mean(x) + std(x) n|, with the clamped laws of the preset; x = 0 takes the
/// limits x -> 0.
/// @param x target / Gmax in 0..1
/// @param n standard gaussian of the device (fabrication)
double pcm_drift_exponent(const PcmPreset& p, double x, double n);

/// ln(t / t0), t = age + t0: what every device of an array shares in the drift law.
/// @param age_s seconds since verify, >= 0; negative or not finite throws std::domain_error
double pcm_log_age(const PcmPreset& p, double age_s);

/// Conductance after drift over conductance at age 0: (t / t0)^-nu, t = age + t0.
/// @param log_age pcm_log_age of the age
/// Source: Joshi et al. 2020.
double pcm_drift_factor(double nu, double log_age);

/// Relative read noise of a device, sigma / G = Q sqrt(ln((t + t_read) / (2 t_read))), t = age + t0, Q = min(q_scale /
/// x^q_power, q_max).
/// @param age_s as in pcm_log_age
double pcm_read_noise_relative(const PcmPreset& p, double x, double age_s);
/// Its two factors: Q of the device and the square root that all devices of an age share.
double pcm_read_noise_q(const PcmPreset& p, double x);
double pcm_read_noise_bandwidth(const PcmPreset& p, double age_s);

}  // namespace ohmac
