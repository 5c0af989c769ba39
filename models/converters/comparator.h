// SPDX-License-Identifier: Apache-2.0
// Comparator that is strobed too fast: an input near the threshold is decided by chance.
#pragma once
#include <cstdint>

namespace ohmac {

/// A latch that regenerates amplifies its input by exp(t / tau). Inputs that have not reached the logic swing when the
/// result is taken are undecided: |y - threshold| < w = swing / step * exp(-t / tau), t half a clock period, as the
/// other half is the DAC's. Such a trial is 1 with a probability that grows linearly from 0 at -w to 1 at w. tau: C /
/// gm of a StrongARM latch. Assumption: 100 ps, 0.18 um, the node of the digital library. Swing: 1 V.
inline constexpr double kRegenerationTauNs = 0.1;
inline constexpr double kLogicSwingVolt = 1.0;
/// Windows smaller than the resolution of a float at full scale are none: nothing is drawn.
inline constexpr double kLeastWindowSteps = 0x1p-17;

/// Half width w of the undecided window, steps; 0 if below kLeastWindowSteps. 5e-7, so 0, at 4 ns.
/// @param clock_ns trials come once a clock cycle
float uncertain_window_steps(double clock_ns);

/// Moves levels by w u, u the uniform -1 .. 1 of the draw {kind, drive, tile, unit = lane, mux_sel 16 + trial} of the
/// run seed, which decides inside the window as said above and nowhere else.
/// @param y [draw_room(lanes)] in place, steps
void add_uncertainty(uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile, uint32_t number, float window,
                     uint32_t lanes, float* y);

}  // namespace ohmac
