// SPDX-License-Identifier: Apache-2.0
// The resistive network of a crossbar with wires. Same bits at every SIMD level.
#pragma once
#include <cstdint>
#include <vector>

namespace ohmac {

/// Resistances of the wires, ohm. Row i is driven from the left through driver + row into its first cell, with `row`
/// from cell to cell, its right end open; column j is open at the top, with `col` from cell to cell and col + sense
/// from its last cell to 0 V at the bottom. Each is 0 (exactly no resistance) or kLeastOhm .. kMostOhm.
struct WireOhms {
  double row = 0, col = 0, driver = 0, sense = 0;
  bool any() const { return row != 0 || col != 0 || driver != 0 || sense != 0; }
};

/// Below, a wire is a superconductor and meant to be 0; above, it is an insulator: a thousand times the largest
/// resistance of a memory cell, so the array would read nothing.
inline constexpr double kLeastOhm = 1e-15, kMostOhm = 1e9;
/// A conductance above is a mistake of units: 1 S is far beyond any cell.
inline constexpr double kMostSiemens = 1e6;

/// Throws std::domain_error that names the resistance.
void check_wires(const WireOhms& wires);

/// Throws std::domain_error that names the cell, or std::invalid_argument if rows or cols is 0.
void check_conductances(uint32_t rows, uint32_t cols, const double* g);

/// Effective conductance of a crossbar, siemens, row-major [rows x cols]: I = G^T V exactly, I_j the current into the
/// sense node of column j. All nodes but inputs and sense nodes are eliminated by star-mesh transformations, which only
/// multiply, divide and add positive numbers: the relative error of every entry is a few hundred roundings at any ratio
/// of conductances.
/// @param g conductances of the cells, siemens, row-major [rows x cols]
/// Throws std::domain_error on a wire or conductance that is negative, not finite or out of bounds, and
/// std::invalid_argument if rows or cols is 0.
std::vector<double> effective_conductance(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires);

/// The same for differential pairs: G+ and G- of a cell are neighbours in the row, each with its column wire; the
/// output of a cell's column is I+ - I-. @param g [rows x 2 cols]: G+, G- of each cell. @return [rows x cols], siemens
std::vector<double> effective_differential(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires);

}  // namespace ohmac
