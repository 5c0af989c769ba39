// SPDX-License-Identifier: Apache-2.0
#include "models/converters/adc.h"

#include <cstddef>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/philox.h"
#include "models/device/simd.h"

namespace ohmac {
namespace {

struct NoiseKey {
  bool on;
  uint64_t seed;
  uint32_t c0, c1, c2, c3;  // Philox counter of lane 0, trial 0
};

NoiseKey key_of(const ComparatorNoise& n) {
  const RandomBlock c = counter_of(Draw{n.kind, n.drive, n.tile, 0, n.mux_sel * 16});
  return {n.kind != 0, n.run_seed, c[0], c[1], c[2], c[3]};
}

#define OHMAC_KERNEL "models/converters/adc_kernel.inc"
#include "models/device/simd_variants.inc"

}  // namespace

LaneErrors fabricate_lanes(uint32_t lanes, uint16_t tile, uint64_t chip_seed, uint8_t gain_kind, uint8_t offset_kind) {
  constexpr uint32_t kVector = 16;
  const uint32_t size = (lanes + kVector - 1) / kVector * kVector;
  LaneErrors e{std::vector<float>(size, 1.0f), std::vector<float>(size, 0.0f)};
  const auto deviate = [&](uint8_t kind, uint32_t lane) {
    const double n = gaussian_pair(philox(chip_seed, Draw{kind, lane, tile, 0, 0})).a;
    return n > kLaneClipSigma ? kLaneClipSigma : n < -kLaneClipSigma ? -kLaneClipSigma : n;
  };
  for (uint32_t l = 0; l < lanes; ++l) {
    if (gain_kind != 0) e.gain[l] = static_cast<float>(1.0 + kLaneGainSigma * deviate(gain_kind, l));
    if (offset_kind != 0) e.offset[l] = static_cast<float>(kLaneOffsetSigmaSteps * deviate(offset_kind, l));
  }
  return e;
}

void adc_levels(const LaneErrors& e, const float* held, float droop, uint32_t range, uint32_t lanes, float* y) {
  const float step_inv = 1.0f / static_cast<float>(1u << range);  // a power of two: exact
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::levels(e.gain.data(), e.offset.data(), held, droop, step_inv, lanes, y);
    case Simd::kAvx2: return simd_avx2::levels(e.gain.data(), e.offset.data(), held, droop, step_inv, lanes, y);
#endif
    default: return simd_baseline::levels(e.gain.data(), e.offset.data(), held, droop, step_inv, lanes, y);
  }
}

void sar_trial(const ComparatorNoise& noise, uint32_t trial, const float* y, const int8_t* code, uint32_t lanes,
               uint8_t* cmp) {
  const NoiseKey k = key_of(noise);
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::trial(k, trial, y, code, lanes, cmp);
    case Simd::kAvx2: return simd_avx2::trial(k, trial, y, code, lanes, cmp);
#endif
    default: return simd_baseline::trial(k, trial, y, code, lanes, cmp);
  }
}

void sar_convert(const ComparatorNoise& noise, const float* y, uint32_t bits, uint32_t lanes, int8_t* codes) {
  const NoiseKey k = key_of(noise);
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::convert(k, y, bits, lanes, codes);
    case Simd::kAvx2: return simd_avx2::convert(k, y, bits, lanes, codes);
#endif
    default: return simd_baseline::convert(k, y, bits, lanes, codes);
  }
}

AdcColumns::AdcColumns(const LaneErrors& e, uint32_t lanes, uint32_t cols) {
  const uint32_t size = (cols + kAdcStep - 1) / kAdcStep * kAdcStep;
  gain.assign(size, 1.0f);
  offset.assign(size, 0.0f);
  droop.assign(size, 1.0f);
  lane.assign(size, 0);
  trial.assign(size, 0);
  for (uint32_t c = 0; c < cols; ++c) {
    lane[c] = c % lanes;
    gain[c] = e.gain[lane[c]];
    offset[c] = e.offset[lane[c]];
    trial[c] = c / lanes * 16;
  }
}

void adc_convert(const AdcColumns& a, const ComparatorNoise& noise, uint32_t first, uint32_t count, const float* held,
                 float settled, uint32_t range, uint32_t bits, int8_t* codes) {
  const NoiseKey k = key_of(noise);
  const float step_inv = 1.0f / static_cast<float>(1u << range);
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::columns(k, a, first, count, held, settled, step_inv, bits, codes);
    case Simd::kAvx2: return simd_avx2::columns(k, a, first, count, held, settled, step_inv, bits, codes);
#endif
    default: return simd_baseline::columns(k, a, first, count, held, settled, step_inv, bits, codes);
  }
}

}  // namespace ohmac
