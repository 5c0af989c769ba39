// SPDX-License-Identifier: Apache-2.0
#include "models/converters/sample_hold.h"

#include "models/device/detmath.h"
#include "models/device/noise.h"

namespace ohmac {

float droop_factor(double t_ns) { return static_cast<float>(det::exp(-t_ns / kDroopTauNs)); }

double hold_noise_sigma_steps() { return __builtin_sqrt(kBoltzmann * kKelvin / kHoldFarad) / kStepVolt; }

void add_hold_noise(uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile, uint32_t first, uint32_t count,
                    float* s) {
  constexpr uint32_t kPiece = 64;
  const auto sigma = static_cast<float>(hold_noise_sigma_steps());
  float n[kPiece];
  for (uint32_t c = 0; c < count; c += kPiece) {
    const uint32_t m = count - c < kPiece ? count - c : kPiece;
    gaussians(run_seed, Draw{kind, drive, tile, static_cast<uint16_t>(first + c), 0}, m, n);
    for (uint32_t i = 0; i < m; ++i) s[c + i] = __builtin_fmaf(sigma, n[i], s[c + i]);
  }
}

}  // namespace ohmac
