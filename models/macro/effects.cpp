// SPDX-License-Identifier: Apache-2.0
#include "models/macro/effects.h"

namespace ohmac {

// In the order of enum Effect. Constants of each law: models/device/pcm.h, models/device/pulse.h,
// models/crossbar/array.h, models/converters/*.h.
const EffectInfo kEffects[kNumEffects] = {
    {"programming_noise", 1, "conductance spread left by write-verify, a device"},
    {"stuck", 2, "0.1 % of devices stuck, half at 0, half at Gmax"},
    {"drift", 3, "conductance decays as (t/t0)^-nu, nu a device"},
    {"read_noise", 4, "1/f noise of the devices, redrawn each drive, a column"},
    {"settling", 0, "integration too short to settle, tau 16 ns"},
    {"droop", 0, "held value decays until its first trial, tau 100 us"},
    {"lane_gain", 5, "gain spread of the ADC lanes, 7 %"},
    {"lane_offset", 6, "offset of the ADC lanes, 1.5 steps"},
    {"comparator_noise", 7, "comparator noise, 0.3 steps a trial"},
    {"pulse_noise", 8, "step of a programming pulse, 30 % a pulse"},
    {"pulse_variation", 9, "step and largest conductance under pulses, a device"},
    {"wear", 10, "a device is stuck where it is after its number of pulses, median 1e8"},
};

bool find_effect(std::string_view name, Effect* out) {
  for (uint32_t i = 0; i < kNumEffects; ++i) {
    if (name != kEffects[i].name) continue;
    *out = static_cast<Effect>(i);
    return true;
  }
  return false;
}

}  // namespace ohmac
