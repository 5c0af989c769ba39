// SPDX-License-Identifier: Apache-2.0
// PROG in plain C++, written from rtl/tile/README.md: what the macro must see on its programming pins, in which order,
// and what the engine writes and counts. The devices are a toy with a few traits of real ones: a pulse moves a
// conductance by an amount that grows with amplitude and width and differs from device to device, and ends at the
// limits.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "tb/unit/tile_mvm/mvm_model.h"

namespace ohmac::tb {

struct ProgCfg {
  unsigned tolerance = 256, limit = 64, amp_first = 8, amp_last = 0, amp_every = 2, pulse = 4, verify_x = 127;

  uint64_t pack() const {
    uint64_t p = 0;
    auto put = [&p](unsigned v, unsigned width) { p = p << width | v; };
    put(tolerance, 16), put(limit, 8), put(amp_first, 4), put(amp_last, 4), put(amp_every, 8), put(pulse, 8);
    put(verify_x, 7);
    return p;
  }
  unsigned amp(unsigned iteration) const {
    const int steps = static_cast<int>(amp_every ? iteration / amp_every : 0);
    const int first = static_cast<int>(amp_first), last = static_cast<int>(amp_last);
    return static_cast<unsigned>(first < last ? std::min(first + steps, last) : std::max(first - steps, last));
  }
};

/// Conductance codes 0..127 of every pair.
struct Devices {
  unsigned cols = 0;
  std::vector<int> plus, minus;

  int weight(unsigned row, unsigned col) const {
    return plus[size_t{row} * cols + col] - minus[size_t{row} * cols + col];
  }
  void pulse(unsigned row, unsigned col, bool neg, bool set, unsigned amp, unsigned cycles) {
    const size_t i = size_t{row} * cols + col;
    const unsigned spread =
        1 + ((static_cast<uint32_t>(2 * i + neg) * 2654435761u) >> 30);  // 1..4, a trait of the device
    const int step = static_cast<int>(1 + amp * std::min(cycles, 64u) * spread / 16);
    int& g = neg ? minus[i] : plus[i];
    g = std::clamp(set ? g + step : g - step, 0, 127);
  }
  bool operator==(const Devices& d) const { return plus == d.plus && minus == d.minus; }
};

/// What happens on the programming pins, one entry a mask word or pulse.
struct ProgStep {
  bool is_pulse = false;
  unsigned address = 0;  ///< mask word
  uint32_t mask = 0;
  unsigned row = 0, neg = 0, set = 0, amp = 0, cycles = 0;
  uint64_t drives = 0;  ///< before this step

  bool operator==(const ProgStep& o) const {
    return is_pulse == o.is_pulse && address == o.address && mask == o.mask && row == o.row && neg == o.neg &&
           set == o.set && amp == o.amp && cycles == o.cycles && drives == o.drives;
  }
};

struct Compared {
  bool off, neg, set;
};

inline Compared compare(int32_t psum, int8_t target, unsigned tolerance) {
  const int64_t e = int64_t{psum} - 256 * int64_t{target};
  const bool too_small = target > 0 ? e < 0 : target < 0 ? e > 0 : false;
  return {std::abs(e) > int64_t{tolerance}, !(target > 0 || (target == 0 && e > 0)), too_small};
}

}  // namespace ohmac::tb
