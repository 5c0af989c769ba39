// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/mvm.h"

#include <cstddef>
#include <stdexcept>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/philox.h"
#include "models/device/simd.h"

namespace ohmac {
namespace {
#define OHMAC_KERNEL "models/crossbar/mvm_kernel.inc"
#include "models/device/simd_variants.inc"
}  // namespace

void ActiveRows::assign(const int8_t* codes, uint32_t n) {
  row.resize(n);
  x.resize(n);
  x2.resize(n);
  size_t k = 0;
  int lowest = 0;
  for (uint32_t r = 0; r < n; ++r) {
    const int c = codes[r];
    lowest = c < lowest ? c : lowest;
    row[k] = r;
    x[k] = static_cast<float>(c);
    x2[k] = static_cast<float>(c * c);
    k += c != 0;
  }
  row.resize(k);
  x.resize(k);
  x2.resize(k);
  if (lowest == -128) throw std::out_of_range("drive: input code -128; use -127..127");
}

void column_sums(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, float* s, float* var) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::column_sums(m, rows, chunk, s, var);
    case Simd::kAvx2: return simd_avx2::column_sums(m, rows, chunk, s, var);
#endif
    default: return simd_baseline::column_sums(m, rows, chunk, s, var);
  }
}

void add_read_noise(uint32_t chunk, uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile, const float* var,
                    float* s) {
  const RandomBlock counter = counter_of(Draw{kind, drive, tile, static_cast<uint16_t>(chunk * kChunk), 0});
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::add_read_noise(run_seed, counter, var, s);
    case Simd::kAvx2: return simd_avx2::add_read_noise(run_seed, counter, var, s);
#endif
    default: return simd_baseline::add_read_noise(run_seed, counter, var, s);
  }
}

void add_device_noise(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, uint64_t run_seed, uint8_t kind,
                      uint64_t drive, uint16_t tile, float* s) {
  const RandomBlock counter = counter_of(Draw{kind, drive, tile, static_cast<uint16_t>(chunk * kChunk), 0});
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::add_device_noise(m, rows, chunk, run_seed, counter, s);
    case Simd::kAvx2: return simd_avx2::add_device_noise(m, rows, chunk, run_seed, counter, s);
#endif
    default: return simd_baseline::add_device_noise(m, rows, chunk, run_seed, counter, s);
  }
}

}  // namespace ohmac
