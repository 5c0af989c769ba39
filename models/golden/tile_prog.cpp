// SPDX-License-Identifier: Apache-2.0
// PROG: write-verify of one row, in the MVM engine of the golden tile.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "models/golden/golden_tile.h"
#include "models/golden/tile_parts.h"

namespace ohmac::golden {

using isa::Counter;

namespace {

constexpr uint32_t kClasses = 4;  // G+ SET, G+ RESET, G- SET, G- RESET, in the order of their pulses

uint32_t amplitude(uint32_t first, uint32_t last, uint32_t every, uint32_t iteration) {
  const uint32_t steps = every == 0 ? 0 : iteration / every;
  return first < last ? std::min(first + steps, last) : first - std::min(steps, first - last);
}

}  // namespace

/// Takes the PROG at the queue head. It begins when the pipe is empty; until its end the engine takes nothing more.
void GoldenTile::start_prog(Tick now) {
  Engine& e = engine_[kMvm];
  prog_ = {};
  prog_.active = true;
  prog_.item = e.front();
  prog_.wake = e.done = prog_.begin = std::max(now, e.done) + timing::kProg;
  e.ready = kNever;
  pop(e, now);
}

void GoldenTile::step_prog(Tick now) {
  if (prog_.compare) return compare(now);
  if (draining_ && prog_.iteration != 0) return finish_prog(now);  // stopped while it pulsed
  verify(now);
}

/// One read of the row: psums at dst as of an MVM with one 7-bit slice, one group and no weight slices.
void GoldenTile::verify(Tick now) {
  refresh_slots();
  MvmSlot s = mvm_slot_[prog_.item.cfg];
  s.w_slices = 1;
  const uint32_t n = s.mux_count * geometry_.lanes;
  uint32_t sats = 0;  // stays 0: one code and its offset fit
  x_[prog_.item.row] = prog_slot_.verify_x;
  convert_phase(s, 0, true, &sats);
  x_[prog_.item.row] = 0;
  post(prog_.item.dst, s, 1, &sats);
  ++count(Counter::kRowWords);
  ++count(Counter::kProgReads);
  count(Counter::kSramRd) += ceil_div(n, kLine);
  const Tick converted = schedule_phase(s, now, 1, 0);
  prog_.compare = true;
  prog_.wake = engine_[kMvm].done = converted + timing::kPost + n / 8 + timing::kCompare;
}

void GoldenTile::compare(Tick now) {
  const ProgSlot& p = prog_slot_;
  const MvmSlot& s = mvm_slot_[prog_.item.cfg];
  const uint32_t n = s.mux_count * geometry_.lanes;
  bool any = false;
  for (uint32_t c = 0; c < n; ++c) {
    int32_t psum;
    std::memcpy(&psum, &sram_[prog_.item.dst + 4 * c], 4);
    const int32_t target = static_cast<int8_t>(sram_[prog_.item.a + c]), e = psum - target * 256;
    if (std::abs(e) <= p.tolerance) {
      off_[c] = 0;
      continue;
    }
    const bool neg = target < 0 || (target == 0 && e < 0), set = target > 0 ? e < 0 : target < 0 && e > 0;
    off_[c] = static_cast<uint8_t>(1 + 2 * neg + !set);
    any = true;
  }
  if (!any || prog_.iteration + 1 == p.limit || draining_) return finish_prog(now);
  Tick t = now;
  for (uint32_t k = 0; k < kClasses; ++k)
    if (pulse_class(k) != 0) t += mask_.size() + p.pulse + timing::kPulse;
  ++prog_.iteration;
  prog_.compare = false;
  prog_.wake = engine_[kMvm].done = t + timing::kVerify;
}

/// One pulse for the columns of a class. Returns how many there are.
uint32_t GoldenTile::pulse_class(uint32_t k) {
  const ProgSlot& p = prog_slot_;
  const MvmSlot& s = mvm_slot_[prog_.item.cfg];
  const uint32_t first = s.mux_first * geometry_.lanes, n = s.mux_count * geometry_.lanes;
  uint32_t columns = 0;
  std::fill(mask_.begin(), mask_.end(), 0);
  for (uint32_t c = 0; c < n; ++c) {
    if (off_[c] != 1 + k) continue;
    mask_[(first + c) / 32] |= 1u << ((first + c) % 32);
    ++columns;
  }
  if (columns == 0) return 0;
  macro_.pulse(prog_.item.row, k >= 2, k % 2 == 0, amplitude(p.amp_first, p.amp_last, p.amp_every, prog_.iteration),
               p.pulse, mask_.data());
  count(Counter::kPulses) += columns;
  return columns;
}

/// Writes the fail bits of the last verify; the engine goes on.
void GoldenTile::finish_prog(Tick now) {
  const uint32_t n = mvm_slot_[prog_.item.cfg].mux_count * geometry_.lanes, lines = ceil_div(n, 256);
  uint8_t* fail = &sram_[prog_.item.b];
  std::memset(fail, 0, kLine * lines);
  for (uint32_t c = 0; c < n; ++c) {
    if (off_[c] == 0) continue;
    fail[c / 8] = static_cast<uint8_t>(fail[c / 8] | 1u << (c % 8));
    ++count(Counter::kProgFails);
  }
  count(Counter::kSramWr) += lines;
  Engine& e = engine_[kMvm];
  e.done = now + lines * timing::kFailLine + timing::kProgEnd;
  trace(ChipTimeline::kProgram, prog_.begin, e.done);
  trace(ChipTimeline::kMvm, prog_.begin, e.done);
  prog_ = {};
  e.ready = e.done;
  rearm(e);
  if (seq_block_ == Block::kIdle) seq_wake_ = now + 1;
}

}  // namespace ohmac::golden
