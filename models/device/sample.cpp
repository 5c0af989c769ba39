// SPDX-License-Identifier: Apache-2.0
#include "models/device/sample.h"

#include <stdexcept>
#include <string>

#include "models/device/philox.h"

namespace ohmac {
namespace {

std::string short_text(double v) {
  std::string s = std::to_string(v);
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  return s;
}

}  // namespace

DeviceSampler::DeviceSampler(const Technology& t, double target_us, double age_s, uint64_t seed)
    : t_(t), seed_(seed), least_us_(t.gmax_us / t.on_off), age_(age_terms(t, age_s, false)) {
  if (!(target_us >= least_us_ && target_us <= t.gmax_us))
    throw std::domain_error("a target of " + t.name + " must be " + short_text(least_us_) + " to " +
                            short_text(t.gmax_us) + " uS");
  const double x_min = 1.0 / t.on_off;
  x_ = t.levels == 0 ? target_us / t.gmax_us
                     : target_x((target_us / t.gmax_us - x_min) / (1.0 - x_min), x_min, t.levels);
  q_ = read_noise_q(t, x_);
  if (t.ageing == Ageing::kRelaxation) relaxed_us_ = relaxation_sigma_us(t, x_, age_.knot, age_.part);
}

DeviceSample DeviceSampler::operator()(uint64_t device) const {
  const auto gaussian = [&](uint8_t kind) { return gaussian_pair(philox(seed_, Draw{kind, device, 0, 0, 0})).a; };
  const double n = gaussian(kProgrammingKind);
  DeviceSample s;
  s.programmed_us = programmed_us(t_, x_, n, least_us_);
  s.drifted_us = s.programmed_us;
  switch (t_.ageing) {
    case Ageing::kNone: break;
    case Ageing::kDrift:
      s.drifted_us *= drift_factor(drift_exponent(t_, x_, gaussian(kDriftKind)), age_.log_age);
      break;
    case Ageing::kRelaxation: {
      const double g = x_ * t_.gmax_us + relaxed_us_ * n;
      s.drifted_us = g > least_us_ ? g : least_us_;
      break;
    }
    case Ageing::kChargeLoss:
      s.drifted_us =
          after_charge_loss_us(t_, s.programmed_us, charge_loss(t_, x_, gaussian(kDriftKind)), age_.log_age, least_us_);
      break;
  }
  s.read_us = s.drifted_us + read_sigma_us(t_, s.drifted_us, q_, age_.bandwidth) * gaussian(kReadKind);
  return s;
}

}  // namespace ohmac
