// SPDX-License-Identifier: Apache-2.0
// Voltages at the cells of a crossbar with wires. Same bits at every SIMD level.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/crossbar/wire_network.h"

namespace ohmac {

/// The network of effective_conductance(), solved for one input vector at a time: all node voltages, and so the column
/// currents, in O(rows x cols) an iteration. For a read of one row whose cells have just changed this is many times
/// cheaper than eliminating the whole network anew.
///
/// Rows and columns are ladders, which are solved directly; between them conjugate gradients iterate on the voltages of
/// the columns. A few iterations are enough where wires take a few percent of the voltage, thousands where they take
/// nearly all; where a wire outweighs a cell by many orders of magnitude, rounding limits the accuracy (1e-6 for 1 S
/// cells and 1e9 ohm wires), which it does not in effective_conductance().
class WireField {
 public:
  /// @param g siemens, row-major [rows x cols]. Throws like effective_conductance().
  WireField(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires);

  /// New conductances of the cells of a row. Throws std::domain_error or std::out_of_range before any change.
  void set_row(uint32_t row, const double* g);

  /// Solves for voltages at the inputs. Nothing is carried over from the last solution, so equal networks and inputs
  /// give equal bits. @param v [rows], volts
  /// @param tolerance of the error in the energy norm, relative to the first step. Throws std::runtime_error if it is
  /// not reached.
  void solve(const double* v, double tolerance = 1e-13);

  /// Of the last solution, volts.
  double row_volt(uint32_t row, uint32_t col) const { return row_volt_[at(row, col)]; }
  double col_volt(uint32_t row, uint32_t col) const { return col_volt_[at(row, col)]; }
  /// Share of a column node's current, rows at 0 V, that reaches the next node, from the last the sense node.
  double pass(uint32_t row, uint32_t col) const {
    if (wires_.col != 0) return col_share_[at(row, col)];
    return wires_.sense == 0 || row + 1 != rows_ ? 1.0 : 1 / (wires_.sense * col_sum_[col]);
  }
  /// Currents into the sense nodes, amperes.
  std::vector<double> currents() const;
  uint32_t iterations() const { return iterations_; }

  /// Effective conductances of a row, siemens: the currents for 1 V at its input alone. Solves.
  std::vector<double> row_conductance(uint32_t row, double tolerance = 1e-13);

 private:
  size_t at(uint32_t row, uint32_t col) const { return static_cast<size_t>(row + skip_) * width_ + col; }
  void factor();
  void rows_of(const double* col_volt, const double* v, double* row_volt);
  void columns_of(const double* current, double* col_volt) const;
  void into_columns(const double* row_volt, double* current) const;
  void column_currents(const double* col_volt, const double* row_volt, double* current) const;

  uint32_t rows_, cols_;
  WireOhms wires_;
  // Padded with cells that conduct nothing, at the open ends: rows on top, columns at the right.
  size_t height_, width_;
  uint32_t skip_;
  std::vector<double> g_, g_by_col_;  // [height x width], [width x height]
  bool factored_ = false;
  std::vector<double> col_share_, col_inverse_;  // [height x width]
  std::vector<double> row_share_, row_inverse_;  // [width x height]
  std::vector<double> col_sum_;                  // [width] of columns that are single nodes
  std::vector<double> row_volt_, col_volt_;      // [height x width]
  std::vector<double> p_, q_, z_, residual_, scratch_;
  uint32_t iterations_ = 0;
};

}  // namespace ohmac
