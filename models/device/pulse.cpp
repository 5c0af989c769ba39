// SPDX-License-Identifier: Apache-2.0
#include "models/device/pulse.h"

#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/detmath.h"
#include "models/device/philox.h"
#include "models/device/simd.h"

namespace ohmac {
namespace {

#define OHMAC_KERNEL "models/device/pulse_kernel.inc"
#include "models/device/simd_variants.inc"

constexpr double kLargestGaussian = 6.67;  // of gaussian_pair(), rounded up

void draw(const PulseDraws& d, uint8_t kind, const uint32_t* device, const uint32_t* trial, uint32_t n, float* out) {
  if (kind == 0) {
    std::memset(out, 0, n * sizeof *out);
    return;
  }
  const RandomBlock c = counter_of(Draw{kind, 0, d.tile, 0, 0});
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::deviates(d.chip_seed, device, c[1], c[2], trial, n, out);
    case Simd::kAvx2: return simd_avx2::deviates(d.chip_seed, device, c[1], c[2], trial, n, out);
#endif
    default: return simd_baseline::deviates(d.chip_seed, device, c[1], c[2], trial, n, out);
  }
}

double clip(double n, double limit) { return n > limit ? limit : n < -limit ? -limit : n; }

}  // namespace

double pulse_step_us(const PulsePreset& p, uint32_t amp, double width_ns) {
  double step = p.step_us * (width_ns / p.width_ns);
  for (uint32_t i = 0; i < amp; ++i) step *= p.step_ratio;
  return step;
}

double pulse_set_us(double g_us, double step_us, double max_us, double least_us) {
  if (g_us >= max_us) return g_us;
  const double g = g_us + step_us * (1.0 - g_us / max_us);
  return g < least_us ? least_us : g > max_us ? max_us : g;
}

double pulse_reset_us(const PulsePreset& p, double g_us, double step_us, double max_us, double least_us) {
  const double g = g_us - step_us * (p.reset_floor + (1.0 - p.reset_floor) * (g_us / max_us));
  const double most = g_us > max_us ? g_us : max_us;
  return g < least_us ? least_us : g > most ? most : g;
}

double pulse_endurance(const PulsePreset& p, double n) { return p.endurance * det::exp(p.endurance_sigma * n); }
double pulse_endurance_least(const PulsePreset& p) { return pulse_endurance(p, -kLargestGaussian); }

void pulse_deviates(const PulseDraws& d, uint32_t n, PulseBatch* b) {
  static constexpr uint32_t kStep[PulseBatch::kSize] = {};
  static constexpr auto kMaximum = [] {
    struct {
      uint32_t v[PulseBatch::kSize];
    } ones = {};
    for (auto& v : ones.v) v = 1;
    return ones;
  }();
  draw(d, d.noise_kind, b->device, b->count, n, b->noise);
  draw(d, d.variation_kind, b->device, kStep, n, b->step);
  draw(d, d.variation_kind, b->device, kMaximum.v, n, b->maximum);
}

double pulse_step_factor(const PulsePreset& p, float n) { return 1.0 + p.step_spread * clip(n, p.clip_sigma); }
double pulse_max_us(const PulsePreset& p, float n) { return p.max_us * (1.0 + p.max_spread * clip(n, p.clip_sigma)); }
double pulse_noise_factor(const PulsePreset& p, float n) { return 1.0 + p.noise * static_cast<double>(n); }

}  // namespace ohmac
