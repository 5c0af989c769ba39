// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: a draw is named by what is drawn, never by when (Random123 Philox4x32-10).
#pragma once
#include <Random123/philox.h>

#include <array>
#include <cstdint>

#include "models/device/detmath.h"

namespace ohmac {

using RandomBlock = std::array<uint32_t, 4>;

/// Name of a draw. Fabrication and programming draws use `index` = lane or cell, noise draws the number of the drive.
struct Draw {
  uint8_t kind = 0;    ///< random stream, kEffects[].kind
  uint64_t index = 0;  ///< drive, cell or lane number, below 2^56
  uint16_t tile = 0;
  uint16_t unit = 0;  ///< column or lane
  uint32_t trial = 0;
};

/// Philox counter words of a draw: {index low, kind | index high << 8, tile << 16 | unit, trial}.
inline RandomBlock counter_of(const Draw& d) {
  return {static_cast<uint32_t>(d.index), static_cast<uint32_t>(d.index >> 32) << 8 | d.kind,
          static_cast<uint32_t>(d.tile) << 16 | d.unit, d.trial};
}

/// Philox4x32-10 with the key {seed low, seed high}.
inline RandomBlock philox(uint64_t seed, const RandomBlock& counter) {
  const r123::Philox4x32::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32::key_type k = {{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}};
  const auto r = r123::Philox4x32()(c, k);
  return {r[0], r[1], r[2], r[3]};
}
inline RandomBlock philox(uint64_t seed, const Draw& d) { return philox(seed, counter_of(d)); }

struct GaussianPair {
  double a, b;
};

/// Two independent standard gaussians of one block (Box-Muller in double): u1 = (r0 + 1) / 2^32, so |n| <= sqrt(64 ln
/// 2) = 6.661; angle = (r1 2^32 + r2's top 21 bits) / 2^53 turns.
inline GaussianPair gaussian_pair(const RandomBlock& r) {
  const double u1 = (static_cast<double>(r[0]) + 1.0) * 0x1p-32;
  const double u2 = static_cast<double>(static_cast<uint64_t>(r[1]) << 21 | r[2] >> 11) * 0x1p-53;
  const double radius = __builtin_sqrt(-2.0 * det::log(u1));
  const det::SinCos t = det::sincos_2pi(u2);
  return {radius * t.cos, radius * t.sin};
}

}  // namespace ohmac
