// SPDX-License-Identifier: Apache-2.0
#include "models/macro/effects.h"

namespace ohmac {

// In the order of enum Effect. Constants of the devices: models/device/technologies; of the rest:
// models/crossbar/array.h, models/converters/*.h.
const EffectInfo kEffects[kNumEffects] = {
    {"programming_noise", 1, "conductance spread left by write-verify, a device"},
    {"stuck", 2, "0.1 % of devices stuck, half at Gmin, half at Gmax"},
    {"drift", 3, "conductances change with time: drift, relaxation or charge loss, as the technology says"},
    {"read_noise", 4, "noise of the devices, redrawn each drive, a column"},
    {"settling", 0, "integration too short to settle, tau 16 ns"},
    {"droop", 0, "held value decays until its first trial, tau 100 us"},
    {"lane_gain", 5, "gain spread of the ADC lanes, 7 %"},
    {"lane_offset", 6, "offset of the ADC lanes, 1.5 steps"},
    {"comparator_noise", 7, "comparator noise, 0.3 steps a trial"},
    {"pulse_noise", 8, "step of a programming pulse, a pulse"},
    {"pulse_variation", 9, "step and largest conductance under pulses, a device"},
    {"wear", 10, "a device is stuck where it is after its number of pulses"},
    {"levels", 0, "targets of formula programming are rounded to the levels of the technology, if finite"},
    {"on_off", 0, "a device has at least Gmax / on_off of the technology, if finite"},
    {"wire", 0, "voltage drop in row and column wires, exact; off unless asked for"},
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
