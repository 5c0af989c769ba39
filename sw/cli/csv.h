// SPDX-License-Identifier: Apache-2.0
// Tables of numbers as CSV without a header.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ohmac::cli {

struct Table {
  size_t rows = 0, cols = 0;
  std::vector<double> values;  ///< row-major
  double at(size_t row, size_t col) const { return values[row * cols + col]; }
};

/// Values that a table may hold, both ends included.
struct Range {
  double least, most;
  const char* what;  ///< with its unit, for the message: "a conductance in siemens"
};

/// Parses CSV: lines of the same number of decimal numbers, separated by commas; spaces around a number and CR LF are
/// fine. UsageError with path, line and column unless every value is a number in range and there is at least one.
Table parse_csv(const std::string& text, const std::string& path, const Range& range);

/// The same from a file. @param remedy what the file should be, for the message if it cannot be read
Table read_csv(const std::string& path, const Range& range, const std::string& remedy);

/// Numbers with 17 significant digits, which give back the same double.
std::string csv_text(const Table& table);

}  // namespace ohmac::cli
