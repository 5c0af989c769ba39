// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/wire_field.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/simd.h"

namespace ohmac {
namespace {

#define OHMAC_KERNEL "models/crossbar/wire_field_kernel.inc"
#include "models/device/simd_variants.inc"

/// The kernels of one level.
struct Kernels {
  decltype(&simd_baseline::ladder_factor) factor;
  decltype(&simd_baseline::ladder_solve) solve;
  decltype(&simd_baseline::ladder_currents) currents;
  decltype(&simd_baseline::multiply) multiply;
  decltype(&simd_baseline::add_multiple) add_multiple;
  decltype(&simd_baseline::scale_add) scale_add;
  decltype(&simd_baseline::dot) dot;
  decltype(&simd_baseline::transpose) transpose;
};
#define OHMAC_LEVEL(level)                                                                                   \
  {                                                                                                          \
    level::ladder_factor, level::ladder_solve, level::ladder_currents, level::multiply, level::add_multiple, \
        level::scale_add, level::dot, level::transpose                                                       \
  }
const Kernels& kernels() {
  static constexpr Kernels kBaseline = OHMAC_LEVEL(simd_baseline);
#if defined(__x86_64__)
  static constexpr Kernels kAvx2 = OHMAC_LEVEL(simd_avx2), kAvx512 = OHMAC_LEVEL(simd_avx512);
  if (simd_level() == Simd::kAvx512) return kAvx512;
  if (simd_level() == Simd::kAvx2) return kAvx2;
#endif
  return kBaseline;
}
#undef OHMAC_LEVEL

constexpr uint32_t kMostIterations = 20000;

size_t padded(uint32_t n) { return (static_cast<size_t>(n) + 7) / 8 * 8; }

}  // namespace

WireField::WireField(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires)
    : rows_(rows),
      cols_(cols),
      wires_(wires),
      height_(padded(rows)),
      width_(padded(cols)),
      skip_(static_cast<uint32_t>(height_ - rows)) {
  check_wires(wires);
  check_conductances(rows, cols, g);
  const size_t n = height_ * width_;
  for (auto* v : {&g_, &g_by_col_, &col_share_, &col_inverse_, &row_share_, &row_inverse_, &row_volt_, &col_volt_, &p_,
                  &q_, &z_, &residual_, &scratch_})
    v->assign(n, 0.0);
  for (uint32_t i = 0; i < rows; ++i) std::copy_n(g + static_cast<size_t>(i) * cols, cols, &g_[at(i, 0)]);
}

void WireField::set_row(uint32_t row, const double* g) {
  if (row >= rows_) throw std::out_of_range("wire field: no such row");
  check_conductances(1, cols_, g);
  std::copy_n(g, cols_, &g_[at(row, 0)]);
  factored_ = false;
}

void WireField::factor() {
  const Kernels& k = kernels();
  k.transpose(height_, width_, g_.data(), g_by_col_.data());
  const auto step = static_cast<ptrdiff_t>(width_), back = -static_cast<ptrdiff_t>(height_);
  if (wires_.col != 0)
    k.factor(height_, width_, step, g_.data(), 1 / wires_.col, 1 / (wires_.col + wires_.sense), col_share_.data(),
             col_inverse_.data());
  if (wires_.col == 0) {
    col_sum_.assign(width_, wires_.sense == 0 ? 0.0 : 1 / wires_.sense);
    for (size_t i = 0; i < height_; ++i)
      for (size_t j = 0; j < width_; ++j) col_sum_[j] += g_[i * width_ + j];
  }
  const size_t last = (width_ - 1) * height_;  // the open end of the rows
  if (wires_.row != 0)
    k.factor(width_, height_, back, g_by_col_.data() + last, 1 / wires_.row, 1 / (wires_.row + wires_.driver),
             row_share_.data() + last, row_inverse_.data() + last);
  factored_ = true;
}

/// Voltages of the rows for those of the columns. @param v inputs, null: 0 V
void WireField::rows_of(const double* col_volt, const double* v, double* row_volt) {
  const Kernels& k = kernels();
  if (wires_.row != 0) {
    k.transpose(height_, width_, col_volt, q_.data());
    k.multiply(q_.size(), g_by_col_.data(), q_.data(), q_.data());
    const double first = 1 / (wires_.row + wires_.driver);
    for (uint32_t i = 0; v != nullptr && i < rows_; ++i) q_[skip_ + i] += first * v[i];
    const size_t last = (width_ - 1) * height_;
    k.solve(width_, height_, -static_cast<ptrdiff_t>(height_), q_.data() + last, row_share_.data() + last,
            row_inverse_.data() + last);
    return k.transpose(width_, height_, q_.data(), row_volt);
  }
  for (size_t i = 0; i < height_; ++i) {  // single nodes
    double volt = v != nullptr && i >= skip_ ? v[i - skip_] : 0.0;
    if (wires_.driver != 0) {
      const double first = 1 / wires_.driver;
      double sum = first, current = first * volt;
      for (size_t j = 0; j < width_; ++j) {
        sum += g_[i * width_ + j];
        current += g_[i * width_ + j] * col_volt[i * width_ + j];
      }
      volt = current / sum;
    }
    std::fill_n(row_volt + i * width_, width_, volt);
  }
}

/// Currents from rows into the nodes of columns held at 0 V. A column that is a single node has it in row 0.
void WireField::into_columns(const double* row_volt, double* current) const {
  kernels().multiply(g_.size(), g_.data(), row_volt, current);
  if (wires_.col != 0) return;
  for (size_t i = 1; i < height_; ++i) {
    for (size_t j = 0; j < width_; ++j) {
      current[j] += current[i * width_ + j];
      current[i * width_ + j] = 0;
    }
  }
}

/// Voltages of the columns for currents into their nodes, with rows at 0 V.
void WireField::columns_of(const double* current, double* col_volt) const {
  if (current != col_volt) std::copy_n(current, g_.size(), col_volt);
  if (wires_.col != 0) {
    kernels().solve(height_, width_, static_cast<ptrdiff_t>(width_), col_volt, col_share_.data(), col_inverse_.data());
    return;
  }
  for (size_t j = 0; j < width_; ++j) col_volt[j] = wires_.sense == 0 ? 0.0 : col_volt[j] / col_sum_[j];
  for (size_t i = 1; i < height_; ++i) std::copy_n(col_volt, width_, col_volt + i * width_);
}

/// Currents that must be fed into the nodes of columns at these voltages.
void WireField::column_currents(const double* col_volt, const double* row_volt, double* current) const {
  if (wires_.col != 0) {
    kernels().currents(height_, width_, col_volt, g_.data(), row_volt, 1 / wires_.col, 1 / (wires_.col + wires_.sense),
                       current);
    return;
  }
  into_columns(row_volt, current);
  for (size_t j = 0; j < width_; ++j) current[j] = col_sum_[j] * col_volt[j] - current[j];
}

void WireField::solve(const double* v, double tolerance) {
  if (!factored_) factor();
  const Kernels& k = kernels();
  const size_t n = g_.size();
  std::fill(col_volt_.begin(), col_volt_.end(), 0.0);
  rows_of(col_volt_.data(), v, row_volt_.data());
  into_columns(row_volt_.data(), residual_.data());
  columns_of(residual_.data(), z_.data());
  std::copy(z_.begin(), z_.end(), p_.begin());
  double energy = k.dot(n, residual_.data(), z_.data());
  const double enough = energy * tolerance * tolerance;
  for (iterations_ = 0; energy > enough;) {
    if (++iterations_ > kMostIterations) throw std::runtime_error("wire field: no solution to this tolerance");
    rows_of(p_.data(), nullptr, scratch_.data());
    column_currents(p_.data(), scratch_.data(), q_.data());
    const double length = energy / k.dot(n, p_.data(), q_.data());
    k.add_multiple(n, length, p_.data(), col_volt_.data());
    k.add_multiple(n, -length, q_.data(), residual_.data());
    columns_of(residual_.data(), z_.data());
    const double next = k.dot(n, residual_.data(), z_.data());
    k.scale_add(n, next / energy, z_.data(), p_.data());
    energy = next;
  }
  rows_of(col_volt_.data(), v, row_volt_.data());
  into_columns(row_volt_.data(), col_volt_.data());
  columns_of(col_volt_.data(), col_volt_.data());
}

std::vector<double> WireField::currents() const {
  std::vector<double> out(cols_);
  const double ohm = wires_.col + wires_.sense;
  for (uint32_t j = 0; j < cols_; ++j) {
    if (ohm != 0) {
      out[j] = col_volt(rows_ - 1, j) / ohm;
    } else {
      for (uint32_t i = 0; i < rows_; ++i) out[j] += g_[at(i, j)] * row_volt(i, j);
    }
  }
  return out;
}

std::vector<double> WireField::row_conductance(uint32_t row, double tolerance) {
  if (row >= rows_) throw std::out_of_range("wire field: no such row");
  std::vector<double> v(rows_);
  v[row] = 1;
  solve(v.data(), tolerance);
  return currents();
}

}  // namespace ohmac
