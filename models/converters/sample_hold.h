// SPDX-License-Identifier: Apache-2.0
// Sample-and-hold of a column: thermal noise of the sample and droop of the hold.
#pragma once
#include <cstdint>

namespace ohmac {

/// Droop time constant of the hold capacitor, nanoseconds. Assumption: 100 us, so that a hold of 1 us loses 1 %.
inline constexpr double kDroopTauNs = 100e3;

/// Part of a held value left after t_ns: exp(-t / tau_d). @param t_ns >= 0, nanoseconds
float droop_factor(double t_ns);

/// Full scale of the converters, volts for 2^8 steps, at every range: the range trim sets the integration capacitor.
/// Assumption: +-0.5 V.
inline constexpr double kFullScaleVolt = 1.0;
inline constexpr double kStepVolt = kFullScaleVolt / 256;
/// Hold capacitor, farads. Assumption: 50 fF, what fits the pitch of a column.
inline constexpr double kHoldFarad = 50e-15;
/// Temperature of the converters, kelvin.
inline constexpr double kKelvin = 300.0;
inline constexpr double kBoltzmann = 1.380649e-23;  ///< joules a kelvin, exact (SI 2019)

/// Standard deviation of the charge that a switch leaves on the hold capacitor, sqrt(kT / C), in steps: 0.074.
double hold_noise_sigma_steps();

/// Adds it to held values: s_c += sigma n_c, n_c the gaussian {kind, drive, tile, unit = column, 0} of the run seed. A
/// block that is converted twice holds the same noise.
/// @param s [count] in place, steps; @param first first column
void add_hold_noise(uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile, uint32_t first, uint32_t count,
                    float* s);

}  // namespace ohmac
