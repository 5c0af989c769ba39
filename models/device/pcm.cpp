// SPDX-License-Identifier: Apache-2.0
#include "models/device/pcm.h"

#include <stdexcept>

#include "models/device/detmath.h"

namespace ohmac {
namespace {

double clamp(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

double clamped_log_law(const double c[2], double x, double lo, double hi) {
  if (x <= 0) return c[0] < 0 ? hi : lo;
  return clamp(c[0] * det::log(x) + c[1], lo, hi);
}

void check_age(double age_s) {
  if (!(age_s >= 0 && age_s < 1e300)) throw std::domain_error("age: seconds since verify must be finite and >= 0");
}

}  // namespace

double pcm_programming_sigma_us(const PcmPreset& p, double x) {
  return p.prog_us[0] + x * (p.prog_us[1] + x * p.prog_us[2]);
}

double pcm_programmed_us(const PcmPreset& p, double x, double n) {
  const double g = x * p.gmax_us + pcm_programming_sigma_us(p, x) * n;
  return g > 0 ? g : 0.0;
}

double pcm_drift_exponent(const PcmPreset& p, double x, double n) {
  const double nu = clamped_log_law(p.nu_mean, x, p.nu_mean_min, p.nu_mean_max) +
                    clamped_log_law(p.nu_std, x, p.nu_std_min, p.nu_std_max) * n;
  return nu < 0 ? -nu : nu;
}

double pcm_log_age(const PcmPreset& p, double age_s) {
  check_age(age_s);
  return det::log((age_s + p.t0_s) / p.t0_s);
}

double pcm_drift_factor(double nu, double log_age) { return det::exp(-nu * log_age); }

double pcm_read_noise_relative(const PcmPreset& p, double x, double age_s) {
  return pcm_read_noise_q(p, x) * pcm_read_noise_bandwidth(p, age_s);
}

double pcm_read_noise_q(const PcmPreset& p, double x) {
  return x > 0 ? clamp(p.q_scale / det::pow(x, p.q_power), 0.0, p.q_max) : p.q_max;
}

double pcm_read_noise_bandwidth(const PcmPreset& p, double age_s) {
  check_age(age_s);
  return __builtin_sqrt(det::log((age_s + p.t0_s + p.t_read_s) / (2.0 * p.t_read_s)));
}

}  // namespace ohmac
