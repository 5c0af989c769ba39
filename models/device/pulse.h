// SPDX-License-Identifier: Apache-2.0
// Response of one device to a programming pulse, and how many pulses it lives.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ohmac {

inline constexpr uint32_t kPulseAmplitudes = 16;  ///< 4-bit pin

/// Constants of the pulse response of one technology. Sources and assumptions: technologies/*.toml.
struct PulsePreset {
  double step_us;          ///< SET of a device at 0, amplitude 0, nominal width: mean step, microsiemens
  double step_ratio;       ///< step of an amplitude over the step of the one below
  double reset_floor;      ///< RESET step of a device near 0 over that of a device at max_us
  double width_ns;         ///< nominal width; the step is proportional to the width
  double max_us;           ///< largest conductance that pulses reach, mean of the devices
  double step_spread;      ///< relative spread of the step, a device
  double max_spread;       ///< relative spread of max_us, a device
  double clip_sigma;       ///< fabrication screens both spreads at this many sigma
  double noise;            ///< relative noise of the step, a pulse
  double endurance;        ///< median of the pulses a device takes before it is stuck
  double endurance_sigma;  ///< spread of its logarithm
};

/// Mean step of a device without spread at 0, microsiemens: step_us * step_ratio^amp * width / width_ns.
/// @param amp 0..15
double pulse_step_us(const PulsePreset& p, uint32_t amp, double width_ns);

/// Conductance after a SET pulse, microsiemens: G + step (1 - G / Gm), in least..Gm; a device at or above Gm stays.
/// @param step_us with spread and noise, @param max_us Gm of the device, @param least_us of the technology
double pulse_set_us(double g_us, double step_us, double max_us, double least_us = 0.0);

/// Conductance after a RESET pulse, microsiemens: G - step (f + (1 - f) G / Gm), f = reset_floor, in
/// least..max(G, Gm).
double pulse_reset_us(const PulsePreset& p, double g_us, double step_us, double max_us, double least_us = 0.0);

/// Pulses that a device takes: endurance * exp(endurance_sigma n), n a standard gaussian of the device. The pulse that
/// reaches it is the last one that acts.
double pulse_endurance(const PulsePreset& p, double n);

/// No device is worn before this many pulses (double gaussians are bounded).
double pulse_endurance_least(const PulsePreset& p);

/// Name of the pulse draws of an array; a kind of 0 switches its spread off.
struct PulseDraws {
  uint64_t chip_seed = 0;
  uint16_t tile = 0;
  uint8_t noise_kind = 0, variation_kind = 0;
};

/// Devices of one pulse, a batch at a time. Arrays are whole vectors long, so that the kernels need no tail.
struct PulseBatch {
  static constexpr uint32_t kSize = 64;
  uint32_t device[kSize];             ///< input
  uint32_t count[kSize];              ///< input: pulses the device has had before
  float noise[kSize];                 ///< gaussian {noise_kind, device, tile, 0, count}
  float step[kSize], maximum[kSize];  ///< gaussians {variation_kind, device, tile, 0, 0 / 1}
};

/// Draws the gaussians of the first n devices; same bits at every SIMD level.
void pulse_deviates(const PulseDraws& d, uint32_t n, PulseBatch* batch);

/// The device's own step over the mean one, its own largest conductance, and the step of one pulse over the device's.
double pulse_step_factor(const PulsePreset& p, float n);
double pulse_max_us(const PulsePreset& p, float n);
double pulse_noise_factor(const PulsePreset& p, float n);

}  // namespace ohmac
