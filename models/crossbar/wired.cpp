// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/wired.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/simd.h"

namespace ohmac {
namespace {

constexpr uint32_t kMostBlocks = 64;  // 1024 rows
/// Read noise takes an ideal wire as one of so little resistance.
constexpr double kNearlyIdealOhm = 1e-6;
/// Error of the voltages of a field, relative; that of currents is of second order: 1e-10, below the rounding of
/// weights.
constexpr double kTolerance = 1e-5;

#define OHMAC_KERNEL "models/crossbar/wired_kernel.inc"
#include "models/device/simd_variants.inc"

/// Nearest float of 16 bits (8 of the mantissa), as its upper half. @param x finite, >= 0
uint32_t half_float(double x) {
  const auto f = static_cast<float>(x);
  uint32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

double series(double a, double b) { return a * (b / (a + b)); }

/// Arrays of one number a device, [rows x width].
struct Devices {
  Devices(uint32_t num_rows, size_t num_cols) : rows(num_rows), width(num_cols), v(num_rows * num_cols) {}
  double& operator()(size_t i, size_t j) { return v[i * width + j]; }
  double operator()(size_t i, size_t j) const { return v[i * width + j]; }
  size_t rows, width;
  std::vector<double> v;
};

/// Responses of rows and columns as ladders with loads, each with what the other side adds in series to its devices.
class Ladders {
 public:
  Ladders(uint32_t rows, size_t width, const std::vector<double>& g, const WireOhms& wires)
      : across(rows, width), pass(rows, width), rho(rows, width), adjoint(rows, width), g_(rows, width) {
    g_.v = g;
    row_ = 1 / std::max(wires.row, kNearlyIdealOhm);
    col_ = 1 / std::max(wires.col, kNearlyIdealOhm);
    first_ = 1 / std::max(wires.row + wires.driver, kNearlyIdealOhm);
    last_ = 1 / std::max(wires.col + wires.sense, kNearlyIdealOhm);
    columns();
    rows_of();
    adjoints();
  }
  Devices across;   ///< resistance to ground of a column node, rows at 0 V, ohm
  Devices pass;     ///< share of a column node's current that reaches the next one
  Devices rho;      ///< voltage of a row node for 1 V at its input alone
  Devices adjoint;  ///< voltage across a device for 1 V at its column's sense node alone

 private:
  void columns() {
    const size_t n = g_.rows, width = g_.width;
    Devices down(static_cast<uint32_t>(n), width);
    for (size_t j = 0; j < width; ++j) down(n - 1, j) = last_;
    for (size_t i = n - 1; i-- > 0;)
      for (size_t j = 0; j < width; ++j) down(i, j) = series(col_, g_(i + 1, j) + down(i + 1, j));
    std::vector<double> up(width, 0.0);
    for (size_t i = 0; i < n; ++i) {
      const double next = i + 1 == n ? last_ : col_;
      for (size_t j = 0; j < width; ++j) {
        const double g = g_(i, j), others = up[j] + down(i, j);
        across(i, j) = 1 / (others + g);
        pass(i, j) = next / (up[j] + g + next);
        rho(i, j) = g / (1 + g / others);  // for rows_of(): the device and its column in series
        up[j] = (up[j] + g) * pass(i, j);
      }
    }
  }

  void rows_of() {
    const size_t n = g_.rows, width = g_.width;
    std::vector<double> right(width);
    for (size_t i = 0; i < n; ++i) {
      // Column nodes at 0 V: what a device sees of its row, for adjoints().
      right[width - 1] = 0;
      for (size_t j = width - 1; j-- > 0;) right[j] = series(row_, g_(i, j + 1) + right[j + 1]);
      double left = first_;
      for (size_t j = 0; j < width; ++j) {
        adjoint(i, j) = 1 / (left + right[j]);
        left = series(row_, left + g_(i, j));
      }
      // Devices in series with their columns: the row's own response.
      right[width - 1] = 0;
      for (size_t j = width - 1; j-- > 0;) right[j] = series(row_, rho(i, j + 1) + right[j + 1]);
      double volt = 1;
      for (size_t j = 0; j < width; ++j) {
        const double wire = j == 0 ? first_ : row_;
        volt *= wire / (wire + rho(i, j) + right[j]);
        rho(i, j) = volt;
      }
    }
  }

  /// From the driving-point resistances of the rows.
  void adjoints() {
    const size_t n = g_.rows, width = g_.width;
    Devices up(static_cast<uint32_t>(n), width);
    const auto load = [&](size_t i, size_t j) { return g_(i, j) / (1 + g_(i, j) * adjoint(i, j)); };
    for (size_t i = 1; i < n; ++i)
      for (size_t j = 0; j < width; ++j) up(i, j) = series(col_, load(i - 1, j) + up(i - 1, j));
    std::vector<double> volt(width, 1.0);
    for (size_t i = n; i-- > 0;) {
      const double wire = i + 1 == n ? last_ : col_;
      for (size_t j = 0; j < width; ++j) {
        volt[j] *= wire / (wire + load(i, j) + up(i, j));
        adjoint(i, j) = volt[j] / (1 + g_(i, j) * adjoint(i, j));
      }
    }
  }

  Devices g_;
  double row_, col_, first_, last_;
};

/// Read noise of a matrix from its devices.
void apply_noise(const PairReadings& d, const WireOhms& wires, double unit, EffectiveMatrix* m) {
  const uint32_t n = m->rows;
  const size_t width = 2 * static_cast<size_t>(m->cols);
  const Ladders l(n, width, d.g, wires);
  WireField field(n, static_cast<uint32_t>(width), d.g.data(), wires);
  field.solve(std::vector<double>(n, 1.0).data(), kTolerance);  // all rows driven: what they add to each other

  auto noise = std::make_shared<WireNoise>();
  noise->blocks = (n + kNoiseBlock - 1) / kNoiseBlock;
  if (noise->blocks > kMostBlocks) throw std::invalid_argument("wires: more than 1024 rows");
  noise->rows.assign(static_cast<size_t>(m->chunks()) * n * 2 * kChunk, 0);
  noise->consts.assign(static_cast<size_t>(m->chunks()) * noise->blocks * WireNoise::kConsts * 2 * kChunk, 0.0f);
  for (uint32_t col = 0; col < m->cols; ++col) {
    const uint32_t chunk = col / kChunk, c = col % kChunk;
    for (uint32_t r = 0; r < n; ++r) m->v[m->index(r, col)] = 0;
    for (uint32_t p = 0; p < 2; ++p) {
      const size_t j = 2 * static_cast<size_t>(col) + p;
      for (uint32_t b = 0; b < noise->blocks; ++b) {
        const uint32_t r0 = b * kNoiseBlock, r1 = std::min(n, r0 + kNoiseBlock), size = r1 - r0;
        double sum[WireNoise::kConsts] = {};
        double rise = 0, lifted = 0;
        for (uint32_t r = r0; r < r1; ++r) {
          const double s = d.sigma[r * width + j] * l.adjoint(r, j) * unit, v = s * s, rho = l.rho(r, j);
          const double others = field.row_volt(r, static_cast<uint32_t>(j)) - rho;
          noise->rows[((static_cast<size_t>(chunk) * n + r) * 2 + p) * kChunk + c] =
              half_float(v * rho) | half_float(d.g[r * width + j] * rho) << 16;
          float& own = m->v[m->index(r, col)];
          own = static_cast<float>(own + v * rho * rho);
          sum[WireNoise::kN] += v;
          rise += others;
          lifted += v * others;
          sum[WireNoise::kCurrent] += d.g[r * width + j] * others;
          // Mean over pairs of rows: voltage at the one by a current into the other.
          double path = l.across(r, j);
          sum[WireNoise::kOwn] += path;
          for (uint32_t k = r; k-- > r0;) {
            path *= l.pass(k, j);
            sum[WireNoise::kOwn] += 2 * path;
          }
        }
        sum[WireNoise::kOwn] /= static_cast<double>(size) * size;
        sum[WireNoise::kRise] = sum[WireNoise::kN] > 0 ? lifted / sum[WireNoise::kN] : rise / size;
        const uint32_t center = r0 + size / 2;
        sum[WireNoise::kAcross] = l.across(center, j);
        sum[WireNoise::kPass] = 1;
        if (r1 < n) {
          const uint32_t next = r1 + std::min(kNoiseBlock, n - r1) / 2;
          for (uint32_t k = center; k < next; ++k) sum[WireNoise::kPass] *= l.pass(k, j);
        }
        for (uint32_t k = 0; k < WireNoise::kConsts; ++k)
          noise->consts[((static_cast<size_t>(chunk) * noise->blocks + b) * WireNoise::kConsts + k) * 2 * kChunk +
                        p * kChunk + c] = static_cast<float>(sum[k]);
      }
    }
  }
  m->wire_noise = std::move(noise);
}

}  // namespace

void apply_wires(const PairReadings& d, const WireOhms& wires, double unit, EffectiveMatrix* m) {
  const std::vector<double> e = effective_differential(m->rows, m->cols, d.g.data(), wires);
  for (uint32_t r = 0; r < m->rows; ++r)
    for (uint32_t c = 0; c < m->cols; ++c)
      m->w[m->index(r, c)] = static_cast<float>(e[static_cast<size_t>(r) * m->cols + c] * unit);
  if (!m->v.empty()) apply_noise(d, wires, unit, m);
}

void add_wire_variance(const EffectiveMatrix& m, const ActiveRows& rows, uint32_t chunk, float* var) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::add_wire_variance(*m.wire_noise, m.rows, rows, chunk, var);
    case Simd::kAvx2: return simd_avx2::add_wire_variance(*m.wire_noise, m.rows, rows, chunk, var);
#endif
    default: return simd_baseline::add_wire_variance(*m.wire_noise, m.rows, rows, chunk, var);
  }
}

WiredRows::WiredRows(uint32_t rows, uint32_t cols, PairReadings devices, const WireOhms& wires, double unit)
    : rows_(rows),
      cols_(cols),
      sigma_(std::move(devices.sigma)),
      unit_(unit),
      field_(rows, 2 * cols, devices.g.data(), wires),
      known_(rows) {}

void WiredRows::set_row(uint32_t row, const double* g, const double* sigma) {
  field_.set_row(row, g);
  std::copy_n(sigma, 2 * static_cast<size_t>(cols_), &sigma_[row * 2 * static_cast<size_t>(cols_)]);
  std::fill(known_.begin(), known_.end(), nullptr);
}

std::shared_ptr<const EffectiveMatrix> WiredRows::read(uint32_t row, const EffectiveMatrix& unwired) {
  if (known_[row] != nullptr) return known_[row];
  const std::vector<double> g = field_.row_conductance(row, kTolerance);
  const bool noise = !unwired.v.empty();
  auto m = std::make_shared<EffectiveMatrix>(1, cols_, noise);
  for (uint32_t c = 0; c < cols_; ++c) {
    m->w[m->index(0, c)] = static_cast<float>((g[2 * c] - g[2 * c + 1]) * unit_);
    m->w[m->index(1, c)] = unwired.w[unwired.index(rows_, c)];
  }
  if (noise) {
    // With the field at hand: the voltage across each device, and the share of its current that reaches the sense node
    // as the adjoint. The row's own part of the adjoint, g times its wire, is left out.
    const size_t width = 2 * static_cast<size_t>(cols_);
    std::vector<double> share(width, 1.0), variance(width, 0.0);
    for (uint32_t r = rows_; r-- > 0;) {
      for (uint32_t j = 0; j < width; ++j) {
        share[j] *= field_.pass(r, j);
        const double a = (field_.row_volt(r, j) - field_.col_volt(r, j)) * share[j] * (sigma_[r * width + j] * unit_);
        variance[j] += a * a;
      }
    }
    for (uint32_t c = 0; c < cols_; ++c)
      m->v[m->index(0, c)] = static_cast<float>(variance[2 * c] + variance[2 * c + 1]);
  }
  known_[row] = m;
  return m;
}

}  // namespace ohmac
