// SPDX-License-Identifier: Apache-2.0
#include "models/converters/comparator.h"

#include "models/converters/sample_hold.h"
#include "models/device/detmath.h"
#include "models/device/noise.h"

namespace ohmac {

float uncertain_window_steps(double clock_ns) {
  const double w = kLogicSwingVolt / kStepVolt * det::exp(-0.5 * clock_ns / kRegenerationTauNs);
  return w < kLeastWindowSteps ? 0.0f : static_cast<float>(w);
}

void add_uncertainty(uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile, uint32_t number, float window,
                     uint32_t lanes, float* y) {
  constexpr uint32_t kPiece = 64;
  float u[kPiece];
  for (uint32_t l = 0; l < lanes; l += kPiece) {
    const uint32_t m = lanes - l < kPiece ? lanes - l : kPiece;
    uniforms(run_seed, Draw{kind, drive, tile, static_cast<uint16_t>(l), number}, m, u);
    for (uint32_t i = 0; i < m; ++i) y[l + i] = __builtin_fmaf(window, u[i], y[l + i]);
  }
}

}  // namespace ohmac
