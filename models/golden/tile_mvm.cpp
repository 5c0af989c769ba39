// SPDX-License-Identifier: Apache-2.0
// MVM engine of the golden tile: fetch, phases, conversions, columns to psums.
#include <algorithm>
#include <cstring>

#include "models/golden/golden_tile.h"
#include "models/golden/tile_parts.h"

namespace ohmac::golden {

using isa::Counter;
using isa::Fault;

namespace {

constexpr int32_t kAccMax = (1 << 23) - 1, kAccMin = -(1 << 23);  // ColAccBits = 24

}  // namespace

void GoldenTile::step_mvm(Tick now) {
  Engine& e = engine_[kMvm];
  const Item& it = e.front();
  if (it.kind == ItemKind::kWait) return take_wait(e, now);
  if (it.kind == ItemKind::kSignal) return take_signal(e, now, timing::kMvmSignal, timing::kItem);
  if (it.prog) return start_prog(now);
  const Tick begin = std::max(now, stage_free_[op_parity_]);
  if (begin > now) {
    e.wake = begin;
    return;
  }
  refresh_slots();
  run_mvm(it, mvm_slot_[it.cfg], now);
  pop(e, now);
}

/// Reads the input vector into in_. Returns the cycles of the staging.
uint32_t GoldenTile::fetch(const Item& item, const MvmSlot& s, Tick now) {
  uint32_t cycles = 0, lines = 0;
  int64_t last_line = -1;
  bool outside = false;
  int8_t* out = in_.data();
  const auto pad = [&](uint32_t n) {
    std::memset(out, s.pad_value, n);
    out += n;
    cycles += ceil_div(n, 4);
  };
  const int64_t last_seg = int64_t{s.n_seg} - s.pad_bottom;
  const uint32_t lo = std::min(s.pad_left, s.seg_len);
  const uint32_t hi = std::max<int64_t>(lo, int64_t{s.seg_len} - s.pad_right);
  cycles += s.n_seg * static_cast<uint32_t>(timing::kSegment);
  for (uint32_t seg = 0; seg < s.n_seg; ++seg) {
    if (seg < s.pad_top || seg >= last_seg || lo == hi) {
      pad(s.seg_len);
      continue;
    }
    if (lo != 0) pad(lo);
    int64_t a = int64_t{sext24(item.a)} + int64_t{seg} * s.seg_stride + lo;
    for (uint32_t left = hi - lo; left != 0;) {
      uint32_t n = left;  // bytes up to the next edge of the window
      if (item.wrap_len != 0) {
        const int64_t base = item.wrap_base, end = base + item.wrap_len;
        if (a < base)
          n = static_cast<uint32_t>(std::min<int64_t>(n, base - a));
        else if (a < end)
          n = static_cast<uint32_t>(std::min<int64_t>(n, end - a));
      }
      const int64_t from = wrap_once(a, item.wrap_base, item.wrap_len);
      if (from < 0 || from + n > static_cast<int64_t>(sram_.size())) {
        outside = true;
        for (uint32_t i = 0; i < n; ++i) {
          const bool inside = from + i >= 0 && from + i < static_cast<int64_t>(sram_.size());
          out[i] = inside ? static_cast<int8_t>(sram_[from + i]) : int8_t{0};
          if (!inside) continue;
          lines += (from + i) / kLine != last_line;
          last_line = (from + i) / kLine;
        }
      } else {
        std::memcpy(out, &sram_[from], n);
        const int64_t first = from / kLine, last = (from + n - 1) / kLine;
        lines += static_cast<uint32_t>(last - first) + (first != last_line);
        last_line = last;
      }
      const uint32_t head = std::min<uint32_t>(n, 16 - (from & 15)), rest = n - head;
      cycles += ceil_div(head, 4) + rest / 16 * 4 + ceil_div(rest % 16, 4);
      out += n;
      a += n;
      left -= n;
    }
    if (hi != s.seg_len) pad(s.seg_len - hi);
  }
  count(Counter::kSramRd) += lines;
  if (outside) fault(Fault::kAddress, now);
  return cycles;
}

/// Times of one phase in the pipe: latch bank loaded, driven, converted. Returns when its conversions are over.
Tick GoldenTile::schedule_phase(const MvmSlot& s, Tick staged, uint32_t words, Tick acc_free) {
  const Tick period = s.adc_bits + 2, adc_cycles = s.mux_count * period;
  const uint32_t word = config_[isa::cfg::kTimingBase];
  const Tick phase_cycles = isa::cfg::timing::settle.get(word) + isa::cfg::timing::integ.get(word) + 1;
  const Tick load = std::max({load_free_, staged, bank_free_[drive_parity_]});
  load_free_ = load + timing::kLoad + words;
  Tick start = std::max(load_free_ + timing::kDrive, drive_free_ + timing::kDriveGap);
  if (adc_free_ > start + phase_cycles) start = adc_free_ - phase_cycles;
  start = std::max(start, acc_free);
  drive_free_ = start + phase_cycles;
  bank_free_[drive_parity_] = drive_free_;
  adc_free_ = drive_free_ + adc_cycles;
  trace(ChipTimeline::kDrive, start, drive_free_);
  for (Tick t = drive_free_ + timing::kSettleTrial; t < adc_free_; t += period) {
    trace(ChipTimeline::kAdc, t, t + s.adc_bits);
  }
  drive_parity_ ^= 1;
  return adc_free_;
}

/// Drives x_ and adds the codes of the slot's blocks to the accumulators.
void GoldenTile::convert_phase(const MvmSlot& s, uint32_t shift, bool first, uint32_t* sats) {
  const uint32_t lanes = geometry_.lanes, period = s.adc_bits + 2;
  const int8_t lowest = static_cast<int8_t>(-(1 << (s.adc_bits - 1))), highest = static_cast<int8_t>(~lowest);
  uint32_t clips = 0;
  // Sample in cycle S+I, conversion m starts at S+I+1 + m * period, its first trial one cycle later.
  const Conversions blocks{s.mux_first, s.mux_count, static_cast<uint32_t>(1 + timing::kSettleTrial),
                           period,      s.range,     s.adc_bits};
  macro_.mvm(x_.data(), 1, static_cast<uint32_t>(isa::cfg::timing::integ.get(config_[isa::cfg::kTimingBase])), blocks,
             codes_.data());
  const uint32_t conversions = s.mux_count * lanes;
  int32_t* acc = acc_.data() + s.mux_first * lanes;
  for (uint32_t c = 0; c < conversions; ++c) clips += codes_[c] == lowest || codes_[c] == highest;
  if (first) {
    for (uint32_t c = 0; c < conversions; ++c) acc[c] = codes_[c] * (1 << shift);
  } else {
    for (uint32_t c = 0; c < conversions; ++c) {
      const int32_t sum = acc[c] + codes_[c] * (1 << shift);
      acc[c] = std::clamp(sum, kAccMin, kAccMax);
      *sats += acc[c] != sum;
    }
  }
  ++count(Counter::kDrives);
  count(Counter::kConversions) += conversions;
  count(Counter::kTrials) += conversions * s.adc_bits;
  count(Counter::kAdcBusy) += s.mux_count * period;
  count(Counter::kClips) += clips;
}

void GoldenTile::run_mvm(const Item& item, const MvmSlot& s, Tick begin) {
  const Tick taken = begin + timing::kFetch + fetch(item, s, begin), staged = taken + timing::kStage;
  uint32_t sats = 0;
  bool first = true;
  int64_t shift_sum = 0;
  for (uint32_t g0 = 0; g0 < s.k; g0 += s.group_rows) {
    const uint32_t n = std::min(s.group_rows, s.k - g0), words = ceil_div(n, 4);
    const uint32_t rows = std::min(n, geometry_.rows + 1 - s.row_base - g0);  // the reference row is one byte of a word
    int8_t* x = &x_[s.row_base + g0];
    for (uint32_t i = 0; i < s.in_slices; ++i, first = false) {
      const uint32_t shift = i * s.in_bits, mask = (1u << s.in_bits) - 1, align = 7 - s.in_bits;
      for (uint32_t r = 0; r < rows; ++r) {
        const int32_t v = in_[g0 + r];
        const int32_t mag = std::min(v < 0 ? -v : v, 127);
        const int32_t slice = static_cast<int32_t>((static_cast<uint32_t>(mag) >> shift & mask) << align);
        x[r] = static_cast<int8_t>(v < 0 ? -slice : slice);
      }
      const uint32_t before = sats;
      convert_phase(s, shift, first, &sats);
      shift_sum += int64_t{1} << shift;
      count(Counter::kRowWords) += words;
      const Tick converted = schedule_phase(s, staged, words, first ? acc_free_[op_parity_] : 0);
      if (sats != before) overflow(converted);
    }
    std::memset(x, 0, rows);
  }
  ++count(Counter::kMvmOps);
  uint32_t psum_sats = 0;
  post(item.dst, s, shift_sum, &psum_sats);
  count(Counter::kSats) += sats + psum_sats;

  const Tick post_start = std::max(adc_free_ + timing::kPost, post_free_);
  post_free_ = post_start + s.mux_count * geometry_.lanes / 8;
  stage_free_[op_parity_] = load_free_;
  acc_free_[op_parity_] = post_free_ + timing::kRelease;
  op_parity_ ^= 1;
  Engine& e = engine_[kMvm];
  e.ready = taken;
  e.done = std::max(e.done, post_free_ + timing::kPostPipe);
  trace(ChipTimeline::kMvm, begin, e.done);
  if (psum_sats != 0) overflow(post_free_ + timing::kPostPipe - 1);
}

/// Accumulators of the slot's columns, corrected and combined, to dst.
void GoldenTile::post(uint32_t dst, const MvmSlot& s, int64_t shift_sum, uint32_t* sats) {
  const uint32_t first = s.mux_first * geometry_.lanes, columns = s.mux_count * geometry_.lanes;
  uint8_t* out = &sram_[dst];
  for (uint32_t c = 0; c < columns; c += s.w_slices, out += 4) {
    int64_t psum = 0;
    for (uint32_t i = 0; i < s.w_slices; ++i) {
      const uint32_t cal = config_[isa::cfg::kCalBase + first + c + i];
      const int64_t gain = cal & 0xFFFF, offset = static_cast<int16_t>(cal >> 16);
      const int64_t corrected = ((acc_[first + c + i] * gain + 32) >> 6) + offset * shift_sum;
      psum += corrected * (int64_t{1} << (i * s.w_shift));
    }
    const int32_t v = sat32(psum, sats);
    std::memcpy(out, &v, 4);
  }
  count(Counter::kSramWr) += columns / 8;
}

}  // namespace ohmac::golden
