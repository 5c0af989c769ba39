// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/chip_words.h"

#include "sw/hal/try.h"

namespace ohmac {

Status write_repairs(Driver& driver, const ChipState& state, uint64_t mask) {
  if (state.spares == 0) return Status::kOk;
  TileWriter writer(driver);
  uint32_t words[isa::cfg::kRepairCount];
  for (uint32_t t = 0; t < state.tiles; ++t) {
    if (!(mask >> t & 1)) continue;
    for (uint32_t l = 0; l < state.spares; ++l) {
      const uint8_t block = state.repair[state.lane(t, l)];
      const bool on = block != ChipState::kNoRepair && block != ChipState::kBadSpare;
      words[l] = static_cast<uint32_t>(on ? isa::cfg::repair::en.put(1) | isa::cfg::repair::block.put(block) : 0);
    }
    OHMAC_TRY(writer.add(t, isa::cfg::noc_addr(isa::cfg::kRepairBase), words, 4 * state.spares));
  }
  return writer.flush();
}

Status write_calibration(Driver& driver, const ChipState& state, uint64_t mask, uint32_t verify_factor) {
  TileWriter writer(driver);
  uint32_t words[64];
  for (uint32_t t = 0; t < state.tiles; ++t) {
    if (!(mask >> t & 1)) continue;
    for (uint32_t c = 0; c < state.cols; c += 64) {
      const uint32_t n = state.cols - c < 64 ? state.cols - c : 64;
      for (uint32_t i = 0; i < n; ++i) {
        const CalWord w = verify_factor == 0 ? state.active_cal(t, c + i) : state.scaled_cal(t, c + i, verify_factor);
        words[i] = w.word();
      }
      OHMAC_TRY(writer.add(t, isa::cfg::noc_addr(isa::cfg::kCalBase + c), words, 4 * n));
    }
  }
  return writer.flush();
}

}  // namespace ohmac
