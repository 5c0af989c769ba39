// SPDX-License-Identifier: Apache-2.0
// Matrix-vector product of the crossbar and its read noise. Same bits at every SIMD level.
#pragma once
#include <cstdint>
#include <vector>

#include "models/crossbar/array.h"

namespace ohmac {

/// Rows that a drive actually drives: index, input code and its square. A row at 0 V is left out, which changes no bit:
/// the sums start at +0, x * w = +-0 adds nothing, and a sum of finite terms that starts at +0 is never -0 when
/// rounding to nearest.
struct ActiveRows {
  std::vector<uint32_t> row;
  std::vector<float> x, x2;
  /// Takes the nonzero codes of x[n] in ascending order. Throws std::out_of_range on -128.
  void assign(const int8_t* codes, uint32_t n);
};

/// Column sums of one chunk: s_c = sum_r x_r w_rc, float, rows ascending, one fma a row; likewise var_c = sum_r x_r^2
/// v_rc if the matrix has variances.
/// @param s, var [kChunk] outputs; var is not touched without variances
void column_sums(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, float* s, float* var);

/// Read noise of one chunk in a drive: s_c = fma(sqrt(var_c), n_c, s_c), n_c the gaussian {kind, drive, tile, column,
/// 0}. Exact in law for independent gaussian devices redrawn each drive.
/// @param s, var [kChunk]
void add_read_noise(uint32_t chunk, uint64_t run_seed, uint8_t kind, uint64_t drive, uint16_t tile, const float* var,
                    float* s);

/// The same law with one gaussian a device, {kind, drive, tile, column, 2 row + (0: G+, 1: G-)}: s_c = fma(x_r s_rc, n,
/// s_c), rows ascending, G+ before G-. Slow; the matrix must hold the noise of every device.
void add_device_noise(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, uint64_t run_seed, uint8_t kind,
                      uint64_t drive, uint16_t tile, float* s);

}  // namespace ohmac
