// SPDX-License-Identifier: Apache-2.0
// Which effects can act at all.
#pragma once
#include <vector>

#include "models/converters/row_dac.h"
#include "models/device/technology.h"
#include "models/macro/effects.h"

namespace ohmac::cli {

struct Circumstances {
  const Technology* technology;
  bool pulses;  ///< devices are programmed by pulses, not by formula
  double age_s;
  DacMode dac;
  double clock_ns;
  bool wires;   ///< some wire has a resistance
  bool faults;  ///< some devices are stuck or open
};

/// The effects of a set that can act, in the order of the table; `idle` gets those that cannot.
std::vector<Effect> acting_effects(const EffectSet& set, const Circumstances& c, std::vector<Effect>* idle);

}  // namespace ohmac::cli
