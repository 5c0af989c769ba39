// SPDX-License-Identifier: Apache-2.0
// Capacitor array of a SAR lane, whose mismatch bends the lane's thresholds.
#pragma once
#include <cstdint>
#include <vector>

namespace ohmac {

/// Binary-weighted array of 2^8 unit capacitors: bit k has 2^k of them, one more is always at ground. With a deviation
/// d_k of each, C_k = 2^k (1 + d_k), the level of offset-binary code u is 256 sum(u_k C_k) / (sum C_k + C_g) steps: no
/// error of gain or offset beyond what the mismatch itself makes, and the same at every range.
inline constexpr uint32_t kSarDacBits = 8;
/// Spread of one unit capacitor, relative; 2^k of them together spread by 1 / sqrt(2^k) of it. Metal fringe capacitors
/// of about 1 fF. Source: 0.8 % at 1.2 fF, 1.2 % at 0.45 fF, Tripathi and Murmann, TCAS-I 2014 (secondary note; see the
/// paper before quoting).
inline constexpr double kUnitCapSigma = 0.01;

/// Level of an offset-binary code 0..255, steps. @param deviation [9] d_0 .. d_7, then of the unit at ground
double sar_dac_level(const double* deviation, uint32_t code);

/// Arrays of the lanes of one tile.
class SarDac {
 public:
  /// Draws d = clamp(N, +-3) sigma / sqrt(2^k), the double gaussian {kind, lane, tile, unit = k (8: ground), 0} of the
  /// chip seed.
  SarDac(uint32_t lanes, uint16_t tile, uint64_t chip_seed, uint8_t kind);
  /// Arrays with given deviations. @param deviation [lanes][9]
  SarDac(uint32_t lanes, const double* deviation);
  /// How far the threshold of a signed trial code is off, steps: level - code.
  float shift(uint32_t lane, int8_t code) const { return shift_[lane * 256 + static_cast<uint8_t>(code + 128)]; }
  /// What the comparators compare to the ideal threshold in a trial: y - shift(code).
  void levels(const float* y, const int8_t* code, uint32_t lanes, float* out) const;

 private:
  std::vector<float> shift_;  // [lane][code + 128]
};

}  // namespace ohmac
