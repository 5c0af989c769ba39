// SPDX-License-Identifier: Apache-2.0
// Matrix-vector product of the crossbar and its read noise, for one vector or many. Same bits at every SIMD level and
// for every number of vectors.
#pragma once
#include <cstdint>
#include <vector>

#include "models/crossbar/array.h"
#include "models/device/aligned.h"

namespace ohmac {

/// Vectors that share a pass over the matrix; with 64 columns they fill the registers of an AVX-512 machine.
inline constexpr uint32_t kVectorGroup = 6;
/// Columns are computed in steps of this many: a whole number of vectors at every SIMD level.
inline constexpr uint32_t kColumnStep = 16;

/// Inputs of some drives as floats, and the rows that any drive of a group drives. A row at 0 V in all of them is left
/// out, which changes no bit: the sums start at +0, x * w = +-0 adds nothing, and a sum of finite terms that starts at
/// +0 is never -0 when rounding to nearest.
class ActiveRows {
 public:
  /// Takes `vectors` inputs of n codes each, one after the other. Throws std::out_of_range on -128.
  /// @param squares the squares are needed, too (the matrix has variances)
  void assign(const int8_t* codes, uint32_t n, uint32_t vectors = 1, bool squares = true);

  uint32_t vectors() const { return vectors_; }
  uint32_t groups() const { return (vectors_ + kVectorGroup - 1) / kVectorGroup; }
  /// Input v, and its squares, by row.
  const float* x(uint32_t v) const { return x_.data() + static_cast<size_t>(v) * stride_; }
  const float* x2(uint32_t v) const { return x2_.data() + static_cast<size_t>(v) * stride_; }
  /// For errors of the DACs: rows that are driven may be changed, the others stay 0.
  float* x(uint32_t v) { return x_.data() + static_cast<size_t>(v) * stride_; }
  float* x2(uint32_t v) { return x2_.data() + static_cast<size_t>(v) * stride_; }
  uint32_t stride() const { return stride_; }  ///< from one vector to the next in x and x2
  /// Rows of a group, ascending.
  const uint32_t* rows(uint32_t group) const { return row_.data() + static_cast<size_t>(group) * stride_; }
  uint32_t count(uint32_t group) const { return count_[group]; }

 private:
  uint32_t vectors_ = 0, stride_ = 0;
  AlignedVector<float> x_, x2_;
  std::vector<uint32_t> row_, count_;
};

/// Column sums s_vc = sum_r x_vr w_rc of all vectors in columns first .. first + count - 1, float, rows ascending, one
/// fma a row; likewise var_vc = sum_r x_vr^2 v_rc if the matrix has variances.
/// @param first, count multiples of kColumnStep inside the padded matrix
/// @param s, var [vectors][count] outputs; var is not touched without variances
void column_sums(const EffectiveMatrix& m, const ActiveRows& in, uint32_t first, uint32_t count, float* s, float* var);

/// Column sums of one chunk and the first vector. @param s, var [kChunk]
inline void column_sums(const EffectiveMatrix& m, const ActiveRows& in, uint32_t chunk, float* s, float* var) {
  column_sums(m, in, chunk * kChunk, kChunk, s, var);
}

/// Read noise of columns first .. first + count - 1 in a drive: s_c = fma(sqrt(var_c), n_c, s_c), n_c the gaussian
/// {kind, drive, tile, column, 0}. Exact in law for independent gaussian devices redrawn each drive.
/// @param first, count multiples of kColumnStep. @param s, var [count]
void add_read_noise(uint32_t first, uint32_t count, uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile,
                    const float* var, float* s);

/// Read noise of one chunk. @param s, var [kChunk]
inline void add_read_noise(uint32_t chunk, uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile,
                           const float* var, float* s) {
  add_read_noise(chunk * kChunk, kChunk, run_seed, kind, drive, tile, var, s);
}

/// The same law with one gaussian a device, {kind, drive, tile, column, 2 row + (0: G+, 1: G-)}: s_c = fma(x_r s_rc, n,
/// s_c), rows ascending, G+ before G-. Slow; the matrix must hold the noise of every device.
void add_device_noise(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, uint64_t run_seed, uint8_t kind,
                      uint64_t drive, uint16_t tile, float* s);

}  // namespace ohmac
