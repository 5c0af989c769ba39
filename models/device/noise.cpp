// SPDX-License-Identifier: Apache-2.0
#include "models/device/noise.h"

#include <cstddef>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/simd.h"

namespace ohmac {
namespace {
#define OHMAC_KERNEL "models/device/noise_kernel.inc"
#include "models/device/simd_variants.inc"
}  // namespace

void gaussians(uint64_t seed, const Draw& first, uint32_t count, float* out) {
  const RandomBlock c = counter_of(first);
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::gaussian_run(seed, c, draw_room(count), out);
    case Simd::kAvx2: return simd_avx2::gaussian_run(seed, c, draw_room(count), out);
#endif
    default: return simd_baseline::gaussian_run(seed, c, draw_room(count), out);
  }
}

void uniforms(uint64_t seed, const Draw& first, uint32_t count, float* out) {
  const RandomBlock c = counter_of(first);
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::uniform_run(seed, c, draw_room(count), out);
    case Simd::kAvx2: return simd_avx2::uniform_run(seed, c, draw_room(count), out);
#endif
    default: return simd_baseline::uniform_run(seed, c, draw_room(count), out);
  }
}

}  // namespace ohmac
