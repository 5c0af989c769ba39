// SPDX-License-Identifier: Apache-2.0
// Integrator of a column: what it reaches in the time it is given, and where its swing ends.
#pragma once
#include <cstdint>

namespace ohmac {

/// Settling time constant of row line, integrator and column line together, nanoseconds. Assumption: the default
/// integration of 128 ns (HERMES, JSSC 2022) settles to 8 time constants, 0.03 %.
inline constexpr double kSettlingTauNs = 16.0;

/// Part of the signal an integration of t_ns reaches when the rows hold their voltages: 1 - exp(-t / tau).
/// @param t_ns >= 0, nanoseconds
float settling_factor(double t_ns);

/// Swing of the integrator, steps: 1.25 times the full scale of 128 steps. The range trim sets the integration
/// capacitor, so that full scale is the same voltage at every range. Assumption: +-0.5 V of full scale in +-0.625 V of
/// output swing.
inline constexpr float kSwingSteps = 160.0f;

/// Output of an amplifier that runs out of swing: s / (1 + (s / swing)^8)^(1/8); 1.9 % less at full scale, 8e-5 at half
/// of it. Assumption: the usual smooth limiter, with the sharpness of a cascode's output.
/// @param s [n] in place, steps
void saturate(float* s, uint32_t n);

}  // namespace ohmac
