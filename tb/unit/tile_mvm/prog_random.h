// SPDX-License-Identifier: Apache-2.0
// Random PROGs between MVMs, WAITs and SIGNALs for any geometry, and rows that have to converge.
#pragma once
#include "tb/unit/tile_mvm/mvm_bench.h"

namespace ohmac::tb {

template <class Bench>
Item random_prog(Bench& b, unsigned slot) {
  const Cfg& c = b.cfgs[slot];
  const unsigned n = c.mux_count * Bench::kLanes, half = Bench::kSram / 2;
  Item it;
  it.prog = true;
  it.cfg = slot;
  it.src = static_cast<int32_t>(32 * (b.rng() % ((half - n) / 32)));
  it.wrap_len = static_cast<int32_t>(b.rng() % Bench::kRows);
  it.dst = static_cast<uint32_t>(half + 32 * (b.rng() % ((half - 4 * n) / 32)));
  do {
    it.wrap_base = static_cast<int32_t>(half + 32 * (b.rng() % (half / 32 - 1)));
  } while (static_cast<uint32_t>(it.wrap_base) + 64 > it.dst && static_cast<uint32_t>(it.wrap_base) < it.dst + 4 * n);
  return it;
}

template <class Bench>
ProgCfg random_prog_cfg(Bench& b, unsigned max_limit) {
  auto pick = [&b](unsigned lo, unsigned hi) { return lo + static_cast<unsigned>(b.rng() % (hi - lo + 1)); };
  ProgCfg p;
  p.tolerance = (const unsigned[]){0, pick(0, 400), pick(100, 4000), pick(0, 65535)}[pick(0, 3)];
  p.limit = pick(1, max_limit);
  p.amp_first = pick(0, 15);
  p.amp_last = pick(0, 15);
  p.amp_every = pick(0, 3);
  p.pulse = pick(0, 9) ? pick(1, 6) : pick(1, 255);
  p.verify_x = pick(1, 127);
  return p;
}

/// One run of `items` items.
template <class Bench>
void random_programs(Bench& b, unsigned items, unsigned max_limit, uint64_t max_cycles) {
  b.set_timing(1 + b.rng() % 6, 1 + b.rng() % 40);
  b.grant_percent = b.rng() % 3 ? 20 + b.rng() % 80 : 100;
  b.token_percent = b.rng() % 2 ? 20 : 100;
  b.item_percent = b.rng() % 4 ? 100 : 10;
  for (unsigned i = 0; i < Bench::kCols; ++i) {
    b.set_cal(i, {static_cast<uint16_t>(b.rng() % 4 ? 16384 - 500 + b.rng() % 1000 : b.rng()),
                  static_cast<int16_t>(b.rng() % 4 ? b.rng() % 200 : b.rng())});
  }
  std::vector<Cfg> cfgs;
  for (unsigned i = 0; i < kCfgSlots; ++i) {
    cfgs.push_back(random_cfg(b.rng, Bench::kRows, Bench::kLanes, Bench::kMux));
    if (i % 2) cfgs.back().range = 5 + b.rng() % 4;  // where one row is within the range of the ADC
  }
  b.set_cfgs(cfgs);
  b.set_prog(random_prog_cfg(b, max_limit));
  for (unsigned i = 0; i < items; ++i) {
    Item it;
    it.token = b.rng() % 16;
    it.count = 1 + b.rng() % 255;
    const unsigned what = b.rng() % 6, slot = b.rng() % kCfgSlots;
    it.kind = what == 0 ? Item::kWait : Item::kSignal;
    if (what == 2 || what == 3) it = random_op(b.rng, cfgs[slot], slot, Bench::kSram, Bench::kLanes);
    if (what >= 4) it = random_prog(b, slot);
    b.push(it);
  }
  ASSERT_TRUE(b.run(max_cycles));
  b.check_end();
}

/// Eight-bit reads of all columns in which code and weight agree to half a step, so a psum is 256 times the weight
/// within 1/2 + 1 %.
template <class Bench>
void exact_reads(Bench& b) {
  Cfg c;
  c.k = c.seg_len = c.group_rows = 4;
  c.mux_count = Bench::kMux;
  c.range = 7;
  b.set_cfgs({c});
  for (unsigned i = 0; i < Bench::kCols; ++i) b.set_cal(i, {16384 * 128 / 127, 0});
  ProgCfg p;
  p.tolerance = 140;  // less than one weight step
  p.amp_first = 15;   // coarse first, one code a pulse in the end
  p.pulse = 8;
  b.set_prog(p);
}

/// Programs fresh rows to random weights and looks at the devices.
template <class Bench>
void converge(Bench& b, const std::vector<unsigned>& rows) {
  exact_reads(b);
  std::fill(b.devices.plus.begin(), b.devices.plus.begin() + Bench::kRows * Bench::kCols, 0);
  std::fill(b.devices.minus.begin(), b.devices.minus.begin() + Bench::kRows * Bench::kCols, 0);
  for (unsigned i = 0; i < Bench::kCols * rows.size(); ++i)
    b.sram[i] = static_cast<uint8_t>(b.rng() % 255 + 129);  // -127..127
  unsigned at = 0;
  for (const unsigned row : rows) {
    Item it;
    it.prog = true;
    it.src = static_cast<int32_t>(at);
    it.dst = Bench::kSram / 2;
    it.wrap_base = Bench::kSram - 64;
    it.wrap_len = static_cast<int32_t>(row);
    b.push(it);
    at += Bench::kCols;
  }
  ASSERT_TRUE(b.run(100000 * rows.size()));
  b.check_end();
  EXPECT_EQ(b.events.prog_fails, 0u);
  EXPECT_GT(b.events.pulses, Bench::kCols);
  at = 0;
  for (const unsigned row : rows) {
    for (unsigned c = 0; c < Bench::kCols; ++c) {
      const auto target = static_cast<int8_t>(b.sram[at + c]);
      EXPECT_NEAR(b.devices.weight(row, c), target, 1) << "row " << row << " column " << c;
      const size_t i = size_t{row} * Bench::kCols + c;
      EXPECT_EQ(target >= 0 ? b.devices.minus[i] : b.devices.plus[i], 0) << "the device that the target does not use";
    }
    at += Bench::kCols;
  }
}

}  // namespace ohmac::tb
