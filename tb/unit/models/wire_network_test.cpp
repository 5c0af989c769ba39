// SPDX-License-Identifier: Apache-2.0
// The wire network against ngspice, a dense solution in quadruple precision, and hand calculations.
#include "models/crossbar/wire_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/crossbar/wire_field.h"
#include "models/device/simd.h"
#include "tb/unit/models/ngspice.h"

namespace {

using namespace ohmac;

struct SpiceCase {
  const char* name;
  uint32_t rows, cols;
  WireOhms wires;
  double share_on;
};

class Spice : public testing::TestWithParam<SpiceCase> {};

TEST_P(Spice, CurrentsAgreeTo1e9OfTheLargest) {
  const SpiceCase& c = GetParam();
  Array a = random_array(c.rows, c.cols, c.wires, c.share_on, 7);
  if (c.share_on > 1) a.g.assign(a.g.size(), 100e-6);
  const auto v = random_inputs(c.rows, 3);
  EXPECT_LE(worst(product(a, a.effective(), v), ngspice(a, v)), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Spice,
    testing::Values(SpiceCase{"tall", 50, 17, {1, 1, 0, 0}, 1}, SpiceCase{"wide", 19, 61, {1, 1, 0, 0}, 1},
                    SpiceCase{"square", 44, 44, {1, 1, 0, 0}, 1}, SpiceCase{"one_cell", 1, 1, {2, 3, 5, 7}, 1},
                    SpiceCase{"one_row", 1, 40, {1, 2, 30, 50}, 1}, SpiceCase{"one_column", 40, 1, {1, 2, 30, 50}, 1},
                    SpiceCase{"driver_and_sense", 33, 30, {0.35, 2.82, 100, 1000}, 1},
                    SpiceCase{"sparse", 40, 40, {1, 2, 10, 20}, 0.03}, SpiceCase{"all_on", 40, 40, {3, 3, 10, 20}, 2},
                    SpiceCase{"ideal_rows", 20, 24, {0, 2, 0, 30}, 1},
                    SpiceCase{"ideal_row_wires", 20, 24, {0, 2, 50, 30}, 1},
                    SpiceCase{"ideal_columns", 20, 24, {2, 0, 50, 0}, 1},
                    SpiceCase{"ideal_column_wires", 20, 24, {2, 0, 50, 30}, 1},
                    SpiceCase{"driver_only", 20, 24, {0, 0, 50, 0}, 1},
                    SpiceCase{"sense_only", 20, 24, {0, 0, 0, 30}, 1},
                    SpiceCase{"driver_and_sense_only", 20, 24, {0, 0, 50, 30}, 1},
                    SpiceCase{"wires_only_in_rows", 20, 24, {2, 0, 0, 0}, 1}),
    [](const auto& p) { return p.param.name; });

/// Effective conductance by Gauss elimination of the nodal equations in quadruple precision.
std::vector<double> dense(const Array& a) {
  using Quad = __float128;
  Nodes nodes(a);
  const int first = static_cast<int>(a.rows) + 1, n = nodes.count - first;
  for (uint32_t j = 0; j < a.cols; ++j) nodes.sense(j);
  // The senses are held at 0 V: numbers of nodes that are senses map to -1.
  std::vector<int> unknown(static_cast<size_t>(nodes.count), -1);
  int m = 0;
  for (int k = first; k < nodes.count; ++k) {
    bool held = false;
    for (int s : nodes.senses) held |= s == k;
    if (!held) unknown[static_cast<size_t>(k)] = m++;
  }
  EXPECT_LE(m, n + static_cast<int>(a.cols));
  const auto size = static_cast<size_t>(m);
  std::vector<Quad> y(size * size), b(size * a.rows);
  for (const auto& e : nodes.branches) {
    const int ends[2] = {e.a, e.b};
    for (int k = 0; k < 2; ++k) {
      const int p = unknown[static_cast<size_t>(ends[k])], q = ends[1 - k];
      if (p < 0) continue;
      y[static_cast<size_t>(p) * size + static_cast<size_t>(p)] += e.siemens;
      if (unknown[static_cast<size_t>(q)] >= 0) {
        y[static_cast<size_t>(p) * size + static_cast<size_t>(unknown[static_cast<size_t>(q)])] -= e.siemens;
      } else if (q >= 1 && q < first) {
        b[static_cast<size_t>(p) * a.rows + static_cast<size_t>(q - 1)] += e.siemens;
      }
    }
  }
  for (size_t k = 0; k < size; ++k) {
    for (size_t i = k + 1; i < size; ++i) {
      const Quad f = y[i * size + k] / y[k * size + k];
      if (f == 0) continue;
      for (size_t j = k; j < size; ++j) y[i * size + j] -= f * y[k * size + j];
      for (size_t j = 0; j < a.rows; ++j) b[i * a.rows + j] -= f * b[k * a.rows + j];
    }
  }
  for (size_t k = size; k-- > 0;)
    for (size_t j = 0; j < a.rows; ++j) {
      for (size_t i = k + 1; i < size; ++i) b[k * a.rows + j] -= y[k * size + i] * b[i * a.rows + j];
      b[k * a.rows + j] /= y[k * size + k];
    }
  std::vector<double> out(static_cast<size_t>(a.rows) * a.cols);
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < a.cols; ++j) {
      Quad current = 0;
      for (const auto& e : nodes.branches) {
        const int s = nodes.senses[j];
        if (e.a != s && e.b != s) continue;
        const int q = e.a == s ? e.b : e.a, p = unknown[static_cast<size_t>(q)];
        if (p >= 0) current += e.siemens * b[static_cast<size_t>(p) * a.rows + i];
        if (q == 1 + static_cast<int>(i)) current += e.siemens;
      }
      out[static_cast<size_t>(i) * a.cols + j] = static_cast<double>(current);
    }
  return out;
}

// Every entry to 1e-13 of itself, however far wires and cells are apart: fixed-precision subtraction would lose up to
// all digits at 1e-9 ohm.
TEST(WireNetwork, EveryEntryIsAccurateAtAnyRatio) {
  for (double ohm : {1e-12, 1e-6, 1e-2, 1.0, 1e2, 1e5}) {
    for (const WireOhms& w : {WireOhms{ohm, ohm, 0, 0}, WireOhms{ohm, 3 * ohm, 1, 2}, WireOhms{0, ohm, 5, 0},
                              WireOhms{ohm, 0, 1e3, 1e-3}}) {
      const Array a = random_array(9, 10, w, 0.9, 11);
      const auto got = a.effective(), want = dense(a);
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], want[i], 1e-13 * want[i]) << ohm << " entry " << i;
      }
    }
  }
}

TEST(WireNetwork, OneCellIsASeriesPath) {
  const double g = 40e-6;
  const auto e = effective_conductance(1, 1, &g, {2, 3, 50, 70});
  EXPECT_DOUBLE_EQ(e[0], 1 / (50 + 2 + 1 / 40e-6 + 3 + 70));
}

// By series and parallel conductances: the second cell hangs behind one more row wire.
TEST(WireNetwork, OneRowOfTwoCellsByHand) {
  const double g[] = {40e-6, 90e-6};
  const auto e = effective_conductance(1, 2, g, {2, 3, 50, 70});
  const double y1 = 1 / (1 / g[0] + 3 + 70), y2 = 1 / (2 + 1 / g[1] + 3 + 70), source = 1.0 / (50 + 2);
  const double v = source / (source + y1 + y2);
  EXPECT_NEAR(e[0], y1 * v, 1e-15 * e[0]);
  EXPECT_NEAR(e[1], y2 * v, 1e-15 * e[1]);
}

// Both inputs: the upper cell's current passes one more column wire, and the other input is at 0 V.
TEST(WireNetwork, OneColumnOfTwoCellsByHand) {
  const double g[] = {40e-6, 90e-6};
  const auto e = effective_conductance(2, 1, g, {2, 3, 50, 70});
  const double y1 = 1 / (50 + 2 + 1 / g[0] + 3), y2 = 1 / (50 + 2 + 1 / g[1]), sink = 1.0 / (3 + 70);
  EXPECT_NEAR(e[0], y1 * sink / (y1 + y2 + sink), 1e-15 * e[0]);
  EXPECT_NEAR(e[1], y2 * sink / (y1 + y2 + sink), 1e-15 * e[1]);
}

TEST(WireNetwork, WithoutWiresItIsTheCellsThemselves) {
  const Array a = random_array(13, 21, {}, 0.8, 5);
  EXPECT_EQ(a.effective(), a.g);
  for (const WireOhms& w : {WireOhms{1e-13, 1e-13, 0, 0}, WireOhms{1e-13, 0, 0, 0}, WireOhms{0, 0, 1e-13, 1e-13}}) {
    Array b = a;
    b.wires = w;
    const auto e = b.effective();
    for (size_t i = 0; i < e.size(); ++i) EXPECT_NEAR(e[i], a.g[i], 1e-12 * a.g[i] + 1e-30);
  }
}

// A resistance of 0 is the limit of a small one, though other code computes it.
TEST(WireNetwork, ZeroIsTheLimitOfSmallResistances) {
  for (unsigned zero = 1; zero < 16; ++zero) {
    const double r[4] = {1, 2, 20, 30};
    const auto with = [&](double small) {
      double q[4];
      for (unsigned k = 0; k < 4; ++k) q[k] = (zero >> k & 1) != 0 ? small : r[k];
      return WireOhms{q[0], q[1], q[2], q[3]};
    };
    const Array a = random_array(14, 11, with(0), 0.9, 5), b = random_array(14, 11, with(1e-13), 0.9, 5);
    const auto e = a.effective(), f = b.effective();
    for (size_t i = 0; i < e.size(); ++i) EXPECT_NEAR(e[i], f[i], 1e-12 * e[i] + 1e-18) << zero;
  }
}

// Exchange inputs and sense nodes: the turned network has the turned conductances.
TEST(WireNetwork, Reciprocity) {
  const Array a = random_array(37, 52, {1.5, 0.7, 12, 80}, 0.9, 8);
  Array b{a.cols, a.rows, std::vector<double>(a.g.size()), {0.7, 1.5, 80, 12}};
  const auto turn = [&](uint32_t i, uint32_t j) { return (a.cols - 1 - j) * a.rows + a.rows - 1 - i; };
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < a.cols; ++j) b.g[turn(i, j)] = a.g[i * a.cols + j];
  const auto e = a.effective(), f = b.effective();
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < a.cols; ++j) EXPECT_NEAR(e[i * a.cols + j], f[turn(i, j)], 1e-13 * e[i * a.cols + j]);
}

// Cells that conduct nothing at the open ends of rows and columns are not there. The split into blocks differs.
TEST(WireNetwork, OpenEndsCarryNothing) {
  const Array a = random_array(30, 21, {1, 2, 3, 4}, 1, 9);
  const Array b{45, 40, std::vector<double>(45 * 40), a.wires};
  Array c = b;
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < a.cols; ++j) c.g[(i + 15) * 40 + j] = a.g[i * 21 + j];
  const auto e = a.effective(), f = c.effective();
  for (uint32_t i = 0; i < a.rows; ++i)
    for (uint32_t j = 0; j < a.cols; ++j) EXPECT_NEAR(e[i * 21 + j], f[(i + 15) * 40 + j], 1e-13 * e[i * 21 + j]);
  EXPECT_EQ(b.effective(), b.g);  // nothing at all
}

TEST(WireNetwork, DifferentialPairsAreNeighbouringColumns) {
  const Array a = random_array(12, 26, {1, 2, 3, 4}, 0.9, 9);
  const auto d = effective_differential(12, 13, a.g.data(), a.wires);
  const auto v = random_inputs(12, 4);
  const auto i = ngspice(a, v);
  std::vector<double> got(13), want(13);
  for (uint32_t j = 0; j < 13; ++j) {
    want[j] = i[2 * j] - i[2 * j + 1];
    for (uint32_t r = 0; r < 12; ++r) got[j] += d[r * 13 + j] * v[r];
  }
  EXPECT_LE(worst(got, want), 1e-9);
}

// Every combination of resistances that are zero, and an array with large drops.
TEST(WireField, CurrentsAreThoseOfTheEliminatedNetwork) {
  for (unsigned zero = 0; zero < 16; ++zero) {
    const double r[4] = {3, 2, 20, 30};
    double q[4];
    for (unsigned k = 0; k < 4; ++k) q[k] = (zero >> k & 1) != 0 ? 0 : r[k];
    for (const auto& [rows, cols] : {std::pair{1u, 1u}, {1u, 19u}, {19u, 1u}, {60u, 43u}}) {
      const Array a = random_array(rows, cols, {q[0], q[1], q[2], q[3]}, 0.9, 14);
      WireField f(rows, cols, a.g.data(), a.wires);
      const auto v = random_inputs(rows, 15);
      f.solve(v.data());
      EXPECT_LE(worst(f.currents(), product(a, a.effective(), v)), 1e-12) << zero << ": " << rows << " x " << cols;
    }
  }
}

TEST(WireField, VoltagesAgreeWithNgspice) {
  for (const WireOhms& w : {WireOhms{3, 2, 20, 30}, WireOhms{0, 2, 20, 0}, WireOhms{3, 0, 0, 30}}) {
    const Array a = random_array(21, 18, w, 0.9, 14);
    const auto v = random_inputs(a.rows, 15);
    std::vector<double> want, got;
    ngspice(a, v, &want);
    ASSERT_EQ(want.size(), 2 * a.g.size());
    WireField f(a.rows, a.cols, a.g.data(), w);
    f.solve(v.data());
    for (uint32_t i = 0; i < a.rows; ++i)
      for (uint32_t j = 0; j < a.cols; ++j) got.push_back(f.row_volt(i, j));
    for (uint32_t i = 0; i < a.rows; ++i)
      for (uint32_t j = 0; j < a.cols; ++j) got.push_back(f.col_volt(i, j));
    EXPECT_LE(worst(got, want), 1e-11);
  }
}

// A verify read: one row is driven, its cells have just changed.
TEST(WireField, AChangedRowReadsAsInTheWholeNetwork) {
  for (const WireOhms& w : {WireOhms{1, 1, 0, 0}, WireOhms{0, 2, 3, 4}, WireOhms{2, 0, 3, 4}}) {
    Array a = random_array(70, 50, w, 0.9, 16);
    WireField f(a.rows, a.cols, a.g.data(), w);
    for (uint32_t row : {0u, 33u, 69u}) {
      const Array other = random_array(1, a.cols, w, 0.9, row);
      std::copy(other.g.begin(), other.g.end(), a.g.begin() + row * a.cols);
      f.set_row(row, other.g.data());
      const auto e = a.effective();
      const std::vector<double> want(e.begin() + row * a.cols, e.begin() + (row + 1) * a.cols);
      EXPECT_LE(worst(f.row_conductance(row), want), 1e-12);
      EXPECT_LE(worst(f.row_conductance(row, 1e-6), want), 1e-10) << "the error is of second order in the tolerance";
    }
    EXPECT_THROW(f.set_row(70, a.g.data()), std::out_of_range);
    EXPECT_THROW(f.row_conductance(70), std::out_of_range);
    a.g[3] = -1;
    EXPECT_THROW(f.set_row(0, a.g.data()), std::domain_error);
  }
}

TEST(WireField, LargeDropsTakeMoreIterations) {
  const Array a = random_array(200, 180, {30, 30, 0, 0}, 1, 17);
  WireField f(a.rows, a.cols, a.g.data(), a.wires);
  const auto v = random_inputs(a.rows, 15);
  f.solve(v.data());
  EXPECT_LE(worst(f.currents(), product(a, a.effective(), v)), 1e-11);
  EXPECT_GT(f.iterations(), 10u);
}

TEST(WireField, EverySimdLevelGivesTheSameBits) {
  const Simd before = simd_level();
  for (const WireOhms& w : {WireOhms{1, 2, 3, 4}, WireOhms{0, 2, 3, 4}, WireOhms{1, 0, 3, 4}}) {
    const Array a = random_array(33, 50, w, 0.9, 18);
    const auto bits = [&](Simd s) {
      force_simd(s);
      WireField f(a.rows, a.cols, a.g.data(), w);
      return f.row_conductance(11);
    };
    const auto want = bits(Simd::kBaseline);
    for (Simd s : {Simd::kAvx2, Simd::kAvx512}) {
      if (!simd_supported(s)) continue;
      EXPECT_EQ(std::memcmp(bits(s).data(), want.data(), want.size() * sizeof(double)), 0) << simd_name(s);
    }
  }
  force_simd(before);
}

TEST(WireNetwork, EverySimdLevelGivesTheSameBits) {
  const Simd before = simd_level();
  for (const auto& [rows, cols] : {std::pair{1u, 1u}, {5u, 3u}, {40u, 75u}, {100u, 64u}}) {
    for (const WireOhms& w : {WireOhms{1, 2, 3, 4}, WireOhms{0, 2, 3, 4}, WireOhms{1, 0, 3, 4}}) {
      const Array a = random_array(rows, cols, w, 0.9, 10);
      force_simd(Simd::kBaseline);
      const auto want = a.effective();
      for (Simd s : {Simd::kAvx2, Simd::kAvx512}) {
        if (!simd_supported(s)) continue;
        force_simd(s);
        const auto got = a.effective();
        EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof(double)), 0) << simd_name(s);
      }
    }
  }
  force_simd(before);
}

TEST(WireNetwork, ShapesUpTo512) {
  for (const auto& [rows, cols] : {std::pair{512u, 1u}, {1u, 512u}, {511u, 9u}, {9u, 510u}}) {
    const Array a = random_array(rows, cols, {1, 1, 10, 10}, 1, 12);
    const auto v = random_inputs(rows, 3);
    EXPECT_LE(worst(product(a, a.effective(), v), ngspice(a, v)), 1e-9) << rows << " x " << cols;
  }
}

TEST(WireNetwork, WrongInputIsNamed) {
  const auto text = [](const WireOhms& w, double g) {
    try {
      effective_conductance(1, 1, &g, w);
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(text({-1, 1, 0, 0}, 1e-6).find("row resistance"), std::string::npos);
  EXPECT_NE(text({1, std::nan(""), 0, 0}, 1e-6).find("column resistance"), std::string::npos);
  EXPECT_NE(text({1, 1, INFINITY, 0}, 1e-6).find("driver resistance"), std::string::npos);
  EXPECT_NE(text({1, 1, 0, 2e9}, 1e-6).find("sense resistance"), std::string::npos);
  for (double g : {-1e-6, std::nan(""), double{INFINITY}, 1e7})
    EXPECT_NE(text({1, 1, 0, 0}, g).find("cell (0, 0)"), std::string::npos) << g;
  EXPECT_THROW(effective_conductance(0, 1, nullptr, {}), std::invalid_argument);
}

}  // namespace
