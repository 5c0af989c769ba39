// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/mvm_error.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/device/philox.h"
#include "sw/driver/calibration.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cli {
namespace {

constexpr uint32_t kFirstHold = 2;  // cycles from sample to the first trial of block 0, as on the chip

constexpr uint32_t round_up(uint32_t v, uint32_t step) { return (v + step - 1) / step * step; }

/// Codes of all column blocks after a drive.
void read_columns(Macro* m, const std::vector<int8_t>& x, const MvmReadout& r, uint32_t range,
                  std::vector<int8_t>* codes) {
  const Geometry& g = m->config().geometry;
  m->drive(x.data(), r.integrate_cycles);
  for (uint32_t b = 0; b < g.mux(); ++b)
    m->convert(b, kFirstHold + b * (r.adc_bits + 2), range, r.adc_bits, codes->data() + size_t{b} * g.lanes);
}

}  // namespace

MacroConfig mvm_macro(uint32_t rows, uint32_t cols) {
  MacroConfig c;
  Geometry& g = c.geometry;
  g.mesh_x = g.mesh_y = 1;
  g.rows = round_up(rows, 4);
  g.lanes = std::min(32u, round_up(cols, 8));
  g.cols = round_up(cols, g.lanes);
  g.spares = 0;
  return c;
}

MvmWorkload random_workload(uint32_t rows, uint32_t cols, uint32_t vectors, uint64_t seed) {
  MvmWorkload w;
  w.rows = rows;
  w.cols = cols;
  const auto code = [&](uint16_t stream, uint64_t i) {
    const RandomBlock r = philox(seed, Draw{0, i, 0, stream, 0});
    return static_cast<int8_t>(static_cast<int>((uint64_t{r[0]} * 255) >> 32) - 127);
  };
  for (uint64_t i = 0; i < uint64_t{rows} * cols; ++i) w.weights.push_back(code(0, i));
  for (uint64_t v = 0; v < vectors; ++v) {
    std::vector<int8_t> x;
    for (uint64_t r = 0; r < rows; ++r) x.push_back(code(1, v * rows + r));
    w.inputs.push_back(std::move(x));
  }
  w.ideal.assign(size_t{vectors} * cols, 0);
  for (size_t v = 0; v < vectors; ++v)
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < cols; ++c) w.ideal[v * cols + c] += w.inputs[v][r] * w.weights[r * cols + c];
  return w;
}

uint32_t finest_range(const MvmWorkload& w, uint32_t adc_bits) {
  int64_t most = 0;
  for (int64_t s : w.ideal) most = std::max(most, std::abs(s));
  uint32_t range = 0;
  while (range < kMaxAdcRange && most > ((int64_t{1} << (adc_bits - 1)) - 1) << range) ++range;
  return range;
}

double MvmError::effective_bits() const { return sigma > 0 ? std::log2(full_scale / (sigma * std::sqrt(12.0))) : 0; }

void program_by_formula(Macro* m, const MvmWorkload& w) { m->program_cells(0, 0, w.rows, w.cols, w.weights.data()); }

ColumnCorrection calibrate_columns(Macro* m, uint32_t cols, const MvmReadout& r) {
  const Geometry g = m->config().geometry;
  ColumnCorrection out{std::vector<double>(cols, 1.0), std::vector<double>(cols, 0.0)};
  CalPlan plan;
  if (make_cal_plan(r.adc_bits, r.range, {}, &plan) != Status::kOk) throw std::logic_error("mvm: no calibration plan");
  MvmReadout read = r;
  read.adc_bits = plan.adc_bits;
  std::vector<CalSums> sums(cols, CalSums{0, 0, 0});
  std::vector<int8_t> x(g.rows + 1, 0), codes(g.cols);
  const auto add = [&](int level, int32_t CalSums::*sum) {
    x[g.rows] = static_cast<int8_t>(level);
    for (uint32_t k = 0; k < plan.reads; ++k) {
      read_columns(m, x, read, plan.range, &codes);
      for (uint32_t c = 0; c < cols; ++c) sums[c].*sum += codes[c] * (1 << isa::kPsumFracBits);
    }
  };
  for (uint32_t l = 0; l < plan.levels; ++l) {
    add(plan.level[l], &CalSums::pos);
    add(-plan.level[l], &CalSums::neg);
  }
  add(0, &CalSums::zero);
  for (uint32_t c = 0; c < cols; ++c) {
    CalWord word = kNeutralCal;
    if (solve_cal(plan, sums[c], &word) != Status::kOk) continue;
    out.gain[c] = std::ldexp(word.gain, -static_cast<int>(isa::kGainFracBits));
    out.offset_steps[c] = std::ldexp(word.offset, -static_cast<int>(isa::kPsumFracBits));
  }
  return out;
}

MvmError measure_mvm(const MacroConfig& config, const MvmWorkload& w, const MvmReadout& r, double age_s,
                     const MvmProgrammer& program, std::vector<double>* results) {
  Macro m(config);
  program(&m, w);
  ColumnCorrection cal{std::vector<double>(w.cols, 1.0), std::vector<double>(w.cols, 0.0)};
  if (r.calibrate) cal = calibrate_columns(&m, w.cols, r);
  if (!r.correct_gains) {
    for (size_t c = 0; c < w.cols; ++c) cal.offset_steps[c] /= cal.gain[c];
    cal.gain.assign(w.cols, 1.0);
  }
  m.advance_time(age_s);
  const Geometry& g = config.geometry;
  const double step = std::ldexp(1.0, static_cast<int>(r.range));
  const int lowest = -(1 << (r.adc_bits - 1)), highest = -lowest - 1;
  std::vector<int8_t> x(g.rows + 1, 0), codes(g.cols);
  MvmError e;
  e.full_scale = std::ldexp(step, static_cast<int>(r.adc_bits));
  double ee = 0, ss = 0, rs = 0, rr = 0;
  if (results != nullptr) results->clear();
  for (size_t v = 0; v < w.inputs.size(); ++v) {
    std::copy(w.inputs[v].begin(), w.inputs[v].end(), x.begin());
    read_columns(&m, x, r, r.range, &codes);
    for (size_t c = 0; c < w.cols; ++c) {
      const double result = (codes[c] * cal.gain[c] + cal.offset_steps[c]) * step;
      const auto ideal = static_cast<double>(w.ideal[v * w.cols + c]);
      ee += (result - ideal) * (result - ideal);
      ss += ideal * ideal;
      rs += result * ideal;
      rr += result * result;
      e.clipped += codes[c] == lowest || codes[c] == highest;
      if (results != nullptr) results->push_back(result);
    }
  }
  e.results = w.ideal.size();
  if (e.results == 0) return e;
  const auto n = static_cast<double>(e.results);
  e.sigma = std::sqrt(ee / n);
  e.signal = std::sqrt(ss / n);
  e.gain = ss > 0 ? rs / ss : 1;
  e.residual = std::sqrt(std::max(0.0, rr - (ss > 0 ? rs * rs / ss : 0)) / n);
  return e;
}

}  // namespace ohmac::cli
