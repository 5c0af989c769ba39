// SPDX-License-Identifier: Apache-2.0
#include "models/device/technology.h"

#include "models/device/detmath.h"

namespace ohmac {
namespace {

double clamp(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

constexpr double kLn10 = 2.302585092994045684;

double evaluate(const LawPiece& p, double x) {
  switch (p.form) {
    case LawPiece::Form::kLog:
      if (x <= 0) return p.c[0] < 0 ? p.most : p.least;
      return clamp(p.c[0] * det::log(x) + p.c[1], p.least, p.most);
    case LawPiece::Form::kPower: return x > 0 ? clamp(p.c[0] / det::pow(x, p.c[1]), p.least, p.most) : p.most;
    case LawPiece::Form::kPolynomial: break;
  }
  const double at = x < 1.0 ? x : 1.0;
  double v = p.c.back();
  for (size_t i = p.c.size() - 1; i-- > 0;) v = p.c[i] + at * v;
  return clamp(v, p.least, p.most);
}

double spread_us(const Technology& t, const SpreadLaw& s, double x) {
  return s.law(x) * (s.of_gmax ? t.gmax_us : t.gmax_us / s.reference_gmax_us);
}

}  // namespace

double Law::operator()(double x) const {
  for (const LawPiece& p : pieces)
    if (x < p.below) return evaluate(p, x);
  return pieces.empty() ? 0.0 : evaluate(pieces.back(), x);
}

void check_age(double age_s) {
  if (!(age_s >= 0 && age_s < 1e300)) throw std::domain_error("age: seconds since verify must be finite and >= 0");
}

double target_x(double share, double x_min, uint32_t levels) {
  if (levels != 0) {
    const double steps = levels - 1;
    share = static_cast<double>(static_cast<int64_t>(share * steps + 0.5)) / steps;
  }
  return x_min + share * (1.0 - x_min);
}

double programming_sigma_us(const Technology& t, double x) {
  if (t.ageing == Ageing::kRelaxation) return spread_us(t, t.relaxation.front().sigma, x);
  return t.has_programming ? spread_us(t, t.programming, x) : 0.0;
}

double programmed_us(const Technology& t, double x, double n, double least_us) {
  const double g = x * t.gmax_us + programming_sigma_us(t, x) * n;
  return g > least_us ? g : least_us;
}

double drift_exponent(const Technology& t, double x, double n) {
  const double nu = t.nu_mean(x) + t.nu_std(x) * n;
  return nu < 0 ? -nu : nu;
}

double drift_factor(double nu, double log_age) { return det::exp(-nu * log_age); }

double relaxation_sigma_us(const Technology& t, double x, uint32_t knot, double part) {
  const double from = knot == 0 ? 0.0 : spread_us(t, t.relaxation[knot - 1].sigma, x);
  if (part == 0) return from;
  return from + (spread_us(t, t.relaxation[knot].sigma, x) - from) * part;
}

double charge_loss(const Technology& t, double x, double n) { return t.loss_mean(x) + t.loss_std(x) * n; }

double after_charge_loss_us(const Technology& t, double g_us, double loss, double log_age, double least_us) {
  const double g = g_us + loss * t.gmax_us * (log_age / kLn10);
  return g > least_us ? g : least_us;
}

AgeTerms age_terms(const Technology& t, double age_s, bool pulsed) {
  check_age(age_s);
  AgeTerms a = {det::log((age_s + t.t0_s) / t.t0_s), read_noise_bandwidth(t, age_s), 0, 0.0};
  if (t.ageing != Ageing::kRelaxation) return a;
  // Knot 0 is the verify read after a pulse, then come the times of the preset.
  const double start_s = pulsed ? t.relaxation_verify_s : t.relaxation.front().t_s;
  const double now_s = age_s + start_s;
  while (a.knot < t.relaxation.size() && now_s >= t.relaxation[a.knot].t_s) ++a.knot;
  if (a.knot == t.relaxation.size()) return a;
  const double from_s = a.knot == 0 ? start_s : t.relaxation[a.knot - 1].t_s;
  a.part = det::log(now_s / from_s) / det::log(t.relaxation[a.knot].t_s / from_s);
  return a;
}

double read_noise_q(const Technology& t, double x) { return t.has_one_over_f ? t.q(x) : 0.0; }

double read_noise_bandwidth(const Technology& t, double age_s) {
  check_age(age_s);
  if (!t.has_one_over_f) return 0.0;
  return __builtin_sqrt(det::log((age_s + t.t0_s + t.t_read_s) / (2.0 * t.t_read_s)));
}

}  // namespace ohmac
