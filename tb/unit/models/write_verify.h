// SPDX-License-Identifier: Apache-2.0
// Write-verify of a row as PROG does it (rtl/tile/README.md), at function level, with a calibration of its own.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "models/device/write_verify.h"
#include "models/macro/macro.h"

namespace ohmac::test {

struct RowResult {
  uint32_t reads = 0, pulses = 0, fails = 0;
};

class RowProgrammer {
 public:
  /// Measures gain and offset of every column with the reference row.
  RowProgrammer(Macro* m, const WriteVerifySettings& settings, uint32_t reads = 32)
      : m_(m), g_(m->config().geometry), w_(settings) {
    std::vector<double> level[2];
    for (int sign : {1, -1}) {
      std::vector<int8_t> x(g_.rows + 1, 0);
      x[g_.rows] = static_cast<int8_t>(48 * sign);
      std::vector<double>& sum = level[sign < 0];
      sum.assign(g_.cols, 0.0);
      for (uint32_t k = 0; k < reads; ++k) {
        const std::vector<int8_t> codes = convert(x);
        for (uint32_t c = 0; c < g_.cols; ++c) sum[c] += codes[c] / static_cast<double>(reads);
      }
    }
    // A verify read of weight w must come out as w, not as verify_x w / 2^range.
    const double want = 48 * 127.0 / (1u << w_.range) * w_.gain_num / w_.gain_den;
    for (uint32_t c = 0; c < g_.cols; ++c) {
      const double span = (level[0][c] - level[1][c]) / 2, gain = span > 1 ? want / span : 1;
      gain_.push_back(static_cast<int32_t>(std::lround(std::min(gain, 3.99) * 16384)));
      offset_.push_back(static_cast<int32_t>(std::lround(-(level[0][c] + level[1][c]) / 2 * gain * 256)));
    }
  }

  /// psum of every column with x on one row: 2^-8 of an ADC step.
  std::vector<int32_t> verify(uint32_t row) {
    std::vector<int8_t> x(g_.rows + 1, 0);
    x[row] = static_cast<int8_t>(w_.verify_x);
    const std::vector<int8_t> codes = convert(x);
    std::vector<int32_t> psum(g_.cols);
    for (uint32_t c = 0; c < g_.cols; ++c) psum[c] = ((codes[c] * gain_[c] + 32) >> 6) + offset_[c];
    return psum;
  }

  RowResult program(uint32_t row, const int8_t* target) {
    const WriteVerifySettings& w = w_;
    RowResult r;
    uint32_t amp = w.amp_first;
    const size_t words = (g_.cols + 31) / 32;
    for (uint32_t i = 0;; ++i) {
      const std::vector<int32_t> psum = verify(row);
      ++r.reads;
      std::vector<uint32_t> mask[4];
      for (auto& m : mask) m.assign(words, 0);
      r.fails = 0;
      uint32_t count[4] = {};
      for (uint32_t c = 0; c < g_.cols; ++c) {
        const int32_t e = psum[c] - target[c] * 256;
        if (std::abs(e) <= static_cast<int32_t>(w.tolerance)) continue;
        ++r.fails;
        const bool neg = target[c] < 0 || (target[c] == 0 && e < 0);
        const bool set = target[c] > 0 ? e < 0 : target[c] < 0 && e > 0;
        const unsigned k = 2u * neg + (set ? 0u : 1u);
        mask[k][c / 32] |= 1u << (c % 32);
        ++count[k];
      }
      if (r.fails == 0 || i + 1 == w.limit) return r;
      if (i != 0 && w.amp_every != 0 && i % w.amp_every == 0 && amp != w.amp_last) amp += amp < w.amp_last ? 1 : ~0u;
      for (unsigned k = 0; k < 4; ++k) {
        if (count[k] == 0) continue;
        r.pulses += count[k];
        m_->pulse(row, k >= 2, k % 2 == 0, amp, w.pulse, mask[k].data());
      }
    }
  }

 private:
  std::vector<int8_t> convert(const std::vector<int8_t>& x) {
    m_->drive(x.data(), 32);
    std::vector<int8_t> codes(g_.cols);
    for (uint32_t b = 0; b < g_.mux(); ++b)
      m_->convert(b, 2 + (w_.bits + 2) * b, w_.range, w_.bits, codes.data() + b * g_.lanes);
    return codes;
  }

  Macro* m_;
  Geometry g_;
  WriteVerifySettings w_;
  std::vector<int32_t> gain_, offset_;
};

/// Published spread after write-verify of a generic PCM device, in weight units (aihwkit, from Joshi et al. 2020).
inline double published_sigma(int target) {
  const double x = std::abs(target) / 127.0;
  return (0.26348 + 1.9650 * x - 1.1731 * x * x) / 25 * 127;
}

}  // namespace ohmac::test
