// SPDX-License-Identifier: Apache-2.0
#include "models/converters/integrator.h"

#include <cstddef>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/detmath.h"
#include "models/device/philox.h"
#include "models/device/simd.h"

namespace ohmac {
namespace {
#define OHMAC_KERNEL "models/converters/integrator_kernel.inc"
#include "models/device/simd_variants.inc"
}  // namespace

float settling_factor(double t_ns) { return static_cast<float>(1.0 - det::exp(-t_ns / kSettlingTauNs)); }

void saturate(float* s, uint32_t n) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::saturate_run(s, n);
    case Simd::kAvx2: return simd_avx2::saturate_run(s, n);
#endif
    default: return simd_baseline::saturate_run(s, n);
  }
}

}  // namespace ohmac
