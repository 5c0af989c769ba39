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

/// Where the inputs of one group of vectors go.
struct GroupInput {
  const int8_t* codes;  // [vectors][n]
  uint32_t n, vectors;
  float *x, *x2;  // [vectors][stride]; x2 null if not needed
  uint32_t stride;
  uint32_t* row;
};

/// Product of one group of vectors with one of the two matrices in some columns of a chunk.
struct GroupProduct {
  const float* matrix;  // row 0 of the first column; rows are kChunk apart
  const float* x;       // [vectors][stride]
  uint32_t stride;
  const uint32_t* row;
  uint32_t rows;
  float* out;  // [vectors][out_stride]
  uint32_t out_stride;
};

#define OHMAC_KERNEL "models/crossbar/mvm_kernel.inc"
#include "models/device/simd_variants.inc"

bool take_group(const GroupInput& in, uint32_t* count) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::take_group(in, count);
    case Simd::kAvx2: return simd_avx2::take_group(in, count);
#endif
    default: return simd_baseline::take_group(in, count);
  }
}

}  // namespace

void ActiveRows::assign(const int8_t* codes, uint32_t n, uint32_t vectors, bool squares) {
  vectors_ = vectors;
  stride_ = (n + kColumnStep - 1) / kColumnStep * kColumnStep;
  const size_t size = static_cast<size_t>(vectors) * stride_;
  if (x_.size() < size) x_.resize(size);
  if (squares && x2_.size() < size) x2_.resize(size);
  if (row_.size() < static_cast<size_t>(groups()) * stride_) row_.resize(static_cast<size_t>(groups()) * stride_);
  if (count_.size() < groups()) count_.resize(groups());
  bool ok = true;
  for (uint32_t g = 0; g < groups(); ++g) {
    const uint32_t first = g * kVectorGroup, left = vectors - first;
    const size_t at = static_cast<size_t>(first) * stride_;
    const GroupInput in{
        codes + static_cast<size_t>(first) * n, n,       left < kVectorGroup ? left : kVectorGroup,     x_.data() + at,
        squares ? x2_.data() + at : nullptr,    stride_, row_.data() + static_cast<size_t>(g) * stride_};
    ok &= take_group(in, &count_[g]);
  }
  if (!ok) throw std::out_of_range("drive: input code -128; use -127..127");
}

void column_sums(const EffectiveMatrix& m, const ActiveRows& in, uint32_t first, uint32_t count, float* s, float* var) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::column_sums(m, in, first, count, s, var);
    case Simd::kAvx2: return simd_avx2::column_sums(m, in, first, count, s, var);
#endif
    default: return simd_baseline::column_sums(m, in, first, count, s, var);
  }
}

void add_read_noise(uint32_t first, uint32_t count, uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile,
                    const float* var, float* s) {
  const RandomBlock counter = counter_of(Draw{kind, drive, tile, static_cast<uint16_t>(first), 0});
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::add_read_noise(run_seed, counter, count, var, s);
    case Simd::kAvx2: return simd_avx2::add_read_noise(run_seed, counter, count, var, s);
#endif
    default: return simd_baseline::add_read_noise(run_seed, counter, count, var, s);
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
