// SPDX-License-Identifier: Apache-2.0
#include "models/converters/row_dac.h"

#include <utility>

#include "models/device/detmath.h"
#include "models/device/noise.h"
#include "models/device/philox.h"

namespace ohmac {
namespace {

constexpr uint32_t kMagnitudes = 1u << kDacBits;
constexpr double kMost = kMagnitudes - 1;

const DacErrors& errors_of(DacMode mode) { return mode == DacMode::kPwm ? kPwmDac : kVoltageDac; }

double clipped(uint64_t seed, const Draw& d) {
  const double n = gaussian_pair(philox(seed, d)).a;
  return n > kDacClipSigma ? kDacClipSigma : n < -kDacClipSigma ? -kDacClipSigma : n;
}

}  // namespace

double row_dac_level(const double* deviation, uint32_t magnitude) {
  double on = 0, all = 0;
  for (uint32_t k = 0; k < kDacBits; ++k) {
    const double c = static_cast<double>(1u << k) * (1.0 + deviation[k]);
    all += c;
    if ((magnitude >> k & 1) != 0) on += c;
  }
  return kMost * on / all;
}

double pwm_charge_ns(double width_ns, double time_ns, double tau_ns) {
  const double w = width_ns < time_ns ? width_ns : time_ns;
  return w - tau_ns * (det::exp(-(time_ns - w) / tau_ns) - det::exp(-time_ns / tau_ns));
}

RowDac::RowDac(const Config& c) : config_(c) {
  const DacErrors& e = errors_of(c.mode);
  if (e.unit == 0) config_.inl_kind = 0;
  config_.settling = c.settling && c.mode == DacMode::kPwm;
  any_ = (config_.gain_kind | config_.offset_kind | config_.inl_kind | config_.noise_kind) != 0 || config_.settling;
  if (!any_) return;
  auto fabricated = std::make_shared<Rows>();
  fabricated->level.resize(size_t{c.rows} * kMagnitudes);
  fabricated->offset.assign(c.rows, 0.0f);
  noise_.assign(draw_room(c.rows), 0.0f);
  for (uint32_t r = 0; r < c.rows; ++r) {
    double d[kDacBits] = {};
    for (uint16_t k = 0; k < kDacBits && config_.inl_kind != 0; ++k)
      d[k] = e.unit * clipped(c.chip_seed, Draw{c.inl_kind, r, c.tile, k, 0}) / __builtin_sqrt(1u << k);
    const double gain =
        config_.gain_kind != 0 ? 1.0 + e.gain * clipped(c.chip_seed, Draw{c.gain_kind, r, c.tile, 0, 0}) : 1.0;
    for (uint32_t m = 0; m < kMagnitudes; ++m)
      fabricated->level[r * kMagnitudes + m] =
          static_cast<float>(gain * (config_.inl_kind != 0 ? row_dac_level(d, m) : static_cast<double>(m)));
    if (config_.offset_kind != 0)
      fabricated->offset[r] = static_cast<float>(e.offset * clipped(c.chip_seed, Draw{c.offset_kind, r, c.tile, 0, 0}));
  }
  rows_ = std::move(fabricated);
}

void RowDac::apply(uint64_t run_seed, uint64_t drive, double integrate_ns, const uint32_t* row, uint32_t n, float* x,
                   float* x2) {
  if (!any_) return;
  const bool pwm = config_.mode == DacMode::kPwm;
  if (config_.noise_kind != 0)
    gaussians(run_seed, Draw{config_.noise_kind, drive, config_.tile, 0, 0}, config_.rows, noise_.data());
  const auto sigma = static_cast<float>(errors_of(config_.mode).noise);
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t r = row[i];
    const bool negative = x[r] < 0;
    const float magnitude = negative ? -x[r] : x[r];
    float level = rows_->level[r * kMagnitudes + static_cast<uint32_t>(magnitude)];
    const float error = __builtin_fmaf(sigma, noise_[r], rows_->offset[r]);
    if (pwm) {
      level = level + error;
      level = level > 0.0f ? level : 0.0f;
      if (config_.settling)
        level = static_cast<float>(pwm_charge_ns(level * kPwmLsbNs, integrate_ns, kPwmTauNs) / kPwmLsbNs);
      x[r] = negative ? -level : level;
    } else {
      x[r] = (negative ? -level : level) + error;
    }
    x2[r] = x[r] * x[r];
  }
}

}  // namespace ohmac
