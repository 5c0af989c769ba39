// SPDX-License-Identifier: Apache-2.0
// Constants and arithmetic that the files of GoldenTile share; of no use to others.
#pragma once
#include <cstdint>

#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::golden {

constexpr uint32_t kSeq = 0, kMvm = 0, kVec = 1, kNet = 2;  // engines index engine_[]; SEQ has no queue
constexpr uint32_t kLine = 32;                              // bytes of an SRAM line
constexpr uint32_t kConfigWords = 0x400;
constexpr uint32_t kAddrMask = (1u << isa::kAddrBits) - 1;

/// AGU ADDR, INC and WRAP_BASE are signed 24-bit numbers.
constexpr int32_t sext24(uint32_t v) { return static_cast<int32_t>(v << 8) >> 8; }

constexpr uint32_t ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

inline int32_t sat32(int64_t v, uint32_t* sats) {
  if (v > INT32_MAX) return ++*sats, INT32_MAX;
  if (v < INT32_MIN) return ++*sats, INT32_MIN;
  return static_cast<int32_t>(v);
}

/// Address moved into [base, base + len) by at most one len. Same rule for operands of increments and of MVM segments.
inline int64_t wrap_once(int64_t a, int64_t base, uint32_t len) {
  if (len == 0) return a;
  if (a >= base + len) return a - len;
  if (a < base) return a + len;
  return a;
}

}  // namespace ohmac::golden
