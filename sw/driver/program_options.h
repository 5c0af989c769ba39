// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

namespace ohmac {

/// Write-verify of the hardware's PROG (rtl/tile/README.md, "Programming"). One weight unit is 1/127 of Gmax. The
/// defaults go from coarse to fine, as the error falls.
struct ProgramOptions {
  uint32_t tolerance = 768;    // largest accepted deviation, 2^-8 weight units, 0..65535
  uint32_t limit = 16;         // verify reads of a row at most, 1..255
  uint32_t amp_first = 15;     // pulse amplitude of the first iteration, 0..15
  uint32_t amp_last = 0;       // amplitude that later iterations move to, 0..15
  uint32_t amp_every = 1;      // iterations between two amplitude steps, 0..255; 0: amp_first throughout
  uint32_t pulse_cycles = 25;  // pulse width, 1..255
};

}  // namespace ohmac
