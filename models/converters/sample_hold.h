// SPDX-License-Identifier: Apache-2.0
// Integrator and sample-and-hold of a column.
#pragma once

namespace ohmac {

/// Settling time constant of row line, integrator and column line together, nanoseconds. Assumption: the default
/// integration of 128 ns (HERMES, JSSC 2022) settles to 8 time constants, 0.03 %.
inline constexpr double kSettlingTauNs = 16.0;
/// Droop time constant of the hold capacitor, nanoseconds. Assumption: 100 us, so that a hold of 1 us loses 1 %.
inline constexpr double kDroopTauNs = 100e3;

/// Part of the signal an integration of t_ns reaches: 1 - exp(-t / tau). @param t_ns >= 0, nanoseconds
float settling_factor(double t_ns);

/// Part of a held value left after t_ns: exp(-t / tau_d). @param t_ns >= 0, nanoseconds
float droop_factor(double t_ns);

}  // namespace ohmac
