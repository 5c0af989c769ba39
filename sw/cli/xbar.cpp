// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/xbar.h"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>
#include <vector>

#include "sw/cli/csv.h"
#include "sw/cli/files.h"
#include "sw/cli/options.h"

namespace ohmac::cli {
namespace {

constexpr size_t kMostLines = 2048;  // of rows or columns: about 10 s and 1 GB
constexpr double kMostVolt = 1e6;

}  // namespace

int xbar(const XbarOptions& o) {
  const Table g = read_csv(o.conductance, {0, kMostSiemens, "a conductance in siemens"},
                           "--conductance takes a CSV file of conductances in siemens, one row of the crossbar a line");
  if (g.rows > kMostLines || g.cols > kMostLines) {
    throw UsageError(fmt::format("{}: {} x {} cells; a crossbar has at most {} rows and columns", o.conductance, g.rows,
                                 g.cols, kMostLines));
  }
  const Table v = read_csv(o.inputs, {-kMostVolt, kMostVolt, "a voltage in volts"},
                           "--inputs takes a CSV file of voltages, one vector a line");
  if (v.cols != g.rows) {
    throw UsageError(fmt::format("{}: vectors of {} voltages, but {} has {} rows; give one voltage for each row",
                                 o.inputs, v.cols, o.conductance, g.rows));
  }
  std::vector<double> effective;
  try {
    effective =
        effective_conductance(static_cast<uint32_t>(g.rows), static_cast<uint32_t>(g.cols), g.values.data(), o.wires);
  } catch (const std::domain_error& e) {
    throw UsageError(fmt::format("--row-ohm, --col-ohm, --driver-ohm, --sense-ohm: {}", e.what()));
  }
  Table i{v.rows, g.cols, std::vector<double>(v.rows * g.cols)};
  for (size_t k = 0; k < v.rows; ++k)
    for (size_t r = 0; r < g.rows; ++r)
      for (size_t c = 0; c < g.cols; ++c) i.values[k * g.cols + c] += effective[r * g.cols + c] * v.at(k, r);
  if (o.out == "-") {
    fmt::print("{}", csv_text(i));
  } else {
    write_file(o.out, csv_text(i));
  }
  return 0;
}

}  // namespace ohmac::cli
