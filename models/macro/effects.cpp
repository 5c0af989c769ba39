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
    {"dac_gain", 20, "gain spread of the row DACs, 0.5 % (PWM 0.1 %)"},
    {"dac_offset", 21, "offset of the row DACs, 0.5 LSB (PWM 0.05 LSB)"},
    {"dac_inl", 22, "nonlinearity of the row DACs, 1 % a unit element (PWM none)"},
    {"dac_noise", 23, "noise of the row DACs, redrawn each drive, 0.13 LSB (PWM 0.014 LSB)"},
    {"saturation", 0, "swing of the integrators ends at 1.25 times full scale"},
    {"hold_noise", 24, "thermal noise of the hold capacitors, redrawn each drive, 0.074 steps"},
    {"sar_mismatch", 25, "nonlinearity of the SAR lanes, 1 % a unit capacitor"},
    {"comparator_uncertainty", 26, "trials near the threshold decided by chance if the clock is too fast, tau 0.1 ns"},
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
