// SPDX-License-Identifier: Apache-2.0
#include "models/converters/sample_hold.h"

#include "models/device/detmath.h"

namespace ohmac {

float settling_factor(double t_ns) { return static_cast<float>(1.0 - det::exp(-t_ns / kSettlingTauNs)); }

float droop_factor(double t_ns) { return static_cast<float>(det::exp(-t_ns / kDroopTauNs)); }

}  // namespace ohmac
