// SPDX-License-Identifier: Apache-2.0
// Resistive arrays for tests, and ngspice to hold them against.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/crossbar/wire_network.h"

namespace ohmac {

struct Array {
  uint32_t rows, cols;
  std::vector<double> g;
  WireOhms wires;
  std::vector<double> effective() const { return effective_conductance(rows, cols, g.data(), wires); }
};

/// Log-uniform conductances 1..100 uS, a share of them on.
inline Array random_array(uint32_t rows, uint32_t cols, const WireOhms& wires, double share_on, unsigned seed) {
  Array a{rows, cols, {}, wires};
  std::mt19937_64 r(seed);
  std::uniform_real_distribution<double> u(0, 1);
  for (uint32_t i = 0; i < rows * cols; ++i) {
    const double g = 1e-6 * std::pow(100.0, u(r));
    a.g.push_back(u(r) < share_on ? g : 0);
  }
  return a;
}

inline std::vector<double> random_inputs(uint32_t n, unsigned seed) {
  std::mt19937_64 r(seed);
  std::uniform_real_distribution<double> u(-0.2, 0.2);
  std::vector<double> v(n);
  for (double& x : v) x = u(r);
  return v;
}

inline std::vector<double> product(const Array& a, const std::vector<double>& effective, const std::vector<double>& v) {
  std::vector<double> out(a.cols);
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < a.cols; ++j) out[j] += effective[i * a.cols + j] * v[i];
  return out;
}

/// Numbers the nodes of the network; those that a wire without resistance joins get one number. Node 0 is 0 V, 1 + i is
/// input i.
struct Nodes {
  explicit Nodes(const Array& a) : a_(a) {
    for (uint32_t i = 0; i <= a.rows; ++i) fresh();
    row.resize(a.rows * a.cols);
    col.resize(a.rows * a.cols);
    for (uint32_t i = 0; i < a.rows; ++i)
      for (uint32_t j = 0; j < a.cols; ++j) {
        const double r = a.wires.row + (j == 0 ? a.wires.driver : 0);
        row[i * a.cols + j] = wire(j == 0 ? 1 + i : row[i * a.cols + j - 1], r);
      }
    for (uint32_t j = 0; j < a.cols; ++j)
      for (uint32_t i = a.rows; i-- > 0;) {
        const double r = a.wires.col + (i + 1 == a.rows ? a.wires.sense : 0);
        col[i * a.cols + j] = wire(i + 1 == a.rows ? sense(j) : col[(i + 1) * a.cols + j], r);
      }
    for (uint32_t i = 0; i < a.rows * a.cols; ++i)
      if (a.g[i] != 0) branches.push_back({row[i], col[i], a.g[i]});
  }
  struct Branch {
    int a, b;
    double siemens;
  };
  /// The sense node of a column: a node of its own for ngspice, which measures its current.
  int sense(uint32_t j) {
    while (senses.size() <= j) senses.push_back(fresh());
    return senses[j];
  }
  std::vector<int> row, col, senses;
  std::vector<Branch> branches;
  int count = 0;

 private:
  int fresh() { return count++; }
  int wire(int from, double ohm) {
    if (ohm == 0) return from;
    const int n = fresh();
    branches.push_back({from, n, 1 / ohm});
    return n;
  }
  const Array& a_;
};

/// Currents into the sense nodes, computed by ngspice. @param volts if not null: of every row node, then of every
/// column node, row-major
inline std::vector<double> ngspice(const Array& a, const std::vector<double>& v, std::vector<double>* volts = nullptr) {
  char folder[] = "/tmp/ohmac_wires_XXXXXX";
  if (mkdtemp(folder) == nullptr) throw std::runtime_error("mkdtemp failed");
  const std::string base = std::string(folder) + "/net";
  Nodes nodes(a);
  for (uint32_t j = 0; j < a.cols; ++j) nodes.sense(j);
  std::string text = "* crossbar\n";
  char line[120];
  const auto emit = [&](auto... args) {
    std::snprintf(line, sizeof line, args...);
    text += line;
  };
  for (uint32_t i = 0; i < a.rows; ++i) emit("vin%u %u 0 dc %.17g\n", i, 1 + i, v[i]);
  for (uint32_t j = 0; j < a.cols; ++j) emit("vs%u %d 0 dc 0\n", j, nodes.senses[j]);
  for (size_t k = 0; k < nodes.branches.size(); ++k) {
    const auto& b = nodes.branches[k];
    emit("r%zu %d %d %.17g\n", k, b.a, b.b, 1 / b.siemens);
  }
  text += ".options reltol=1e-12 abstol=1e-18 vntol=1e-12 gmin=1e-20 numdgt=16\n.control\nset numdgt=16\nop\n";
  for (uint32_t j = 0; j < a.cols; ++j) emit("print i(vs%u)\n", j);
  if (volts != nullptr)
    for (int n : nodes.row) emit("print v(%d)\n", n);
  if (volts != nullptr)
    for (int n : nodes.col) emit("print v(%d)\n", n);
  text += ".endc\n.end\n";
  std::ofstream(base + ".cir") << text;
  const std::string command = "ngspice -b " + base + ".cir > " + base + ".out 2>" + base + ".err";
  const int status = std::system(command.c_str());
  std::ifstream in(base + ".out");
  std::vector<double> out(a.cols, std::nan(""));
  std::string all, row;
  while (std::getline(in, row)) {
    all += row + "\n";
    unsigned j;
    double value;
    if (std::sscanf(row.c_str(), "i(vs%u) = %lf", &j, &value) == 2 && j < a.cols) out[j] = value;
    if (volts != nullptr && std::sscanf(row.c_str(), "v(%u) = %lf", &j, &value) == 2) volts->push_back(value);
  }
  std::ifstream err(base + ".err");
  while (std::getline(err, row)) all += row + "\n";
  for (const char* end : {".cir", ".out", ".err"}) std::remove((base + end).c_str());
  rmdir(folder);
  for (double x : out)
    if (std::isnan(x))
      throw std::runtime_error("ngspice gave no current, exit " + std::to_string(status) + ":\n" + all);
  return out;
}

inline double worst(const std::vector<double>& got, const std::vector<double>& want) {
  double largest = 0, error = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::fabs(want[i]));
    error = std::max(error, std::fabs(got[i] - want[i]));
  }
  return error / largest;
}

}  // namespace ohmac
