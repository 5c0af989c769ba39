// SPDX-License-Identifier: Apache-2.0
// Settings of PROG that suit the pulses of every technology behind the default converters.
// tb/unit/models/write_verify_test.cpp holds them to the published spreads.
#pragma once
#include <cstdint>

namespace ohmac {

/// Configuration words PROG and what goes with them.
struct WriteVerifySettings {
  uint32_t tolerance;              ///< 2^-8 weight units
  uint32_t limit;                  ///< verify reads of a row
  uint32_t amp_first, amp_last;    ///< coarse to fine: the step falls as the error does
  uint32_t amp_every;              ///< iterations between two amplitudes
  uint32_t pulse;                  ///< cycles: 100 ns at 4 ns
  uint32_t verify_x, range, bits;  ///< of the verify read
  uint32_t check_tolerance;        ///< with LIMIT 1, which pulses nothing: marks cells that programming did not reach
  uint32_t gain_num,
      gain_den;  ///< CAL gains and offsets are scaled by num / den = 2^range / verify_x while programming
};

/// One unit of weight in a verify read is verify_x / 2^range = 3/4 of an ADC step: +-127 leaves a quarter of the range
/// to lanes with a gain above 1. At one step a unit they clip, the row looks too small for ever and is driven too far.
/// Read noise of one read (4.7 units at Gmax) is the floor: some 40 % of the cells are outside +-3 units in any single
/// read, so the fail bits of a programming run say little; those of a check do: at +-20 units no cell that is off by 30
/// is missed and 0.2 % of the others are marked at most.
inline constexpr WriteVerifySettings kWriteVerify = {768, 16, 15, 0, 1, 25, 48, 6, 8, 20 * 256, 4, 3};

}  // namespace ohmac
