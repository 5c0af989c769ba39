// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/acting.h"

#include <limits>

#include "models/converters/comparator.h"

namespace ohmac::cli {
namespace {

/// More pulses than programming a fresh chip once gives any device.
constexpr double kPulsesOfAFreshChip = 1000;

}  // namespace

std::vector<Effect> acting_effects(const EffectSet& set, const Circumstances& c, std::vector<Effect>* idle) {
  const Technology& t = *c.technology;
  const auto acts = [&](Effect e) {
    switch (e) {
      case Effect::kProgrammingNoise: return !c.pulses && (t.has_programming || t.ageing == Ageing::kRelaxation);
      case Effect::kLevels: return !c.pulses && t.levels != 0;
      case Effect::kOnOff: return t.on_off < std::numeric_limits<double>::infinity();
      case Effect::kPulseNoise:
      case Effect::kPulseVariation: return c.pulses;
      case Effect::kWear: return c.pulses && pulse_endurance_least(t.pulse) < kPulsesOfAFreshChip;
      case Effect::kStuck: return c.faults;
      case Effect::kDrift: return t.ageing == Ageing::kRelaxation || (t.ageing != Ageing::kNone && c.age_s > 0);
      case Effect::kReadNoise: return t.has_one_over_f || t.noise_of_gmax > 0 || t.noise_of_g > 0;
      case Effect::kWire: return c.wires;
      case Effect::kDacInl: return c.dac == DacMode::kVoltage;
      case Effect::kComparatorUncertainty: return uncertain_window_steps(c.clock_ns) > 0;
      default: return true;
    }
  };
  std::vector<Effect> active;
  for (uint32_t i = 0; i < kNumEffects; ++i) {
    const auto e = static_cast<Effect>(i);
    if (set.has(e)) (acts(e) ? active : *idle).push_back(e);
  }
  return active;
}

}  // namespace ohmac::cli
