// SPDX-License-Identifier: Apache-2.0
// What wires make of the devices of an array: weights, and read noise by the linearised adjoint form.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/crossbar/wire_field.h"

namespace ohmac {

/// Rows whose column voltages count as one in read noise.
inline constexpr uint32_t kNoiseBlock = 16;

/// Coefficients of read noise with wires. A device with noise s adds s u a to the current of its column: u is the
/// voltage across it in this drive, a the voltage across it when 1 V at the column's sense node is the only source.
/// With x the input codes, u_r = rho_r x_r + d_r m - c_r: rho_r the row's own response, d_r m the rise of the row by
/// the columns that the other rows feed, at the mean input m, c_r the column's voltage. So the variance is sum v x^2
/// (the product without wires, v = (s a rho)^2) + sum_b 2 e_b B_b + e_b^2 N_b over blocks of rows, e = d m - c, B = sum
/// s^2 a^2 rho x, N = sum s^2 a^2, and c follows from the currents sum g rho x of the blocks.
struct WireNoise {
  uint32_t blocks = 0;
  /// Coefficients of the sums over rows, [chunk][row][+, -][kChunk]: upper halves of floats, B's in the low 16 bits,
  /// I's in the high ones. Half the memory is half the time.
  std::vector<uint32_t> rows;
  std::vector<float> consts;  ///< [chunk][block][kConsts][+, -][kChunk]
  enum Const { kN, kRise, kCurrent, kPass, kOwn, kAcross, kConsts };
};

/// Conductances and read noise of the devices, siemens, [rows x 2 cols]: G+, G- of each cell.
struct PairReadings {
  std::vector<double> g, sigma;
};

/// Weights (but those of the reference row) and noise of a matrix whose devices sit in wires. Undriven rows are at 0 V.
/// @param unit weight units a siemens
void apply_wires(const PairReadings& devices, const WireOhms& wires, double unit, EffectiveMatrix* m);

/// Adds to the variances of column_sums() what wires change. @param var [kChunk]
void add_wire_variance(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, float* var);

/// Reads of single rows while devices change: the row's weights by WireField instead of a new elimination.
class WiredRows {
 public:
  WiredRows(uint32_t rows, uint32_t cols, PairReadings devices, const WireOhms& wires, double unit);
  /// New devices of a row, [2 cols].
  void set_row(uint32_t row, const double* g, const double* sigma);
  /// Matrix of the given row and the reference row, for reads of that row alone. Kept until devices change.
  /// @param unwired where the reference row comes from, and whether there is noise
  std::shared_ptr<const EffectiveMatrix> read(uint32_t row, const EffectiveMatrix& unwired);

 private:
  uint32_t rows_, cols_;
  std::vector<double> sigma_;
  double unit_;
  WireField field_;
  std::vector<std::shared_ptr<const EffectiveMatrix>> known_;  // [row]
};

}  // namespace ohmac
