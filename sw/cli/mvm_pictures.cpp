// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/mvm_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "models/converters/row_dac.h"
#include "models/converters/sar_dac.h"
#include "models/crossbar/wire_field.h"
#include "models/device/sample.h"
#include "sw/cli/files.h"
#include "sw/cli/options.h"
#include "sw/cli/svg.h"

namespace ohmac::cli {
namespace {

constexpr double kReadVolt = 0.2;
constexpr uint32_t kDevices = 400;  // a target, for quantiles
constexpr size_t kMostDots = 4000;  // of a scatter
constexpr size_t kMostCells = 64;   // of a side of a map
constexpr uint32_t kLanesDrawn = 6;

double quantile(std::vector<double> v, double q) {
  const auto at = static_cast<long>(q * static_cast<double>(v.size() - 1) + 0.5);
  std::nth_element(v.begin(), v.begin() + at, v.end());
  return v[static_cast<size_t>(at)];
}

std::vector<Chart> conductance_charts(const MacroConfig& config) {
  const Technology& t = *config.technology;
  const double least = std::isinf(t.on_off) ? 0 : t.gmax_us / t.on_off;
  Chart spread("Programmed conductance, " + t.name, "target, uS", "programmed - target, uS");
  std::vector<double> x, low, high, low2, high2;
  std::vector<Point> dots;
  for (uint32_t k = 0; k <= 24; ++k) {
    const double target = least + (t.gmax_us - least) * k / 24.0;
    const DeviceSampler sample(t, target, 0, config.chip_seed);
    std::vector<double> error;
    for (uint32_t d = 0; d < kDevices; ++d) error.push_back(sample(d + k * kDevices).programmed_us - target);
    x.push_back(target);
    low.push_back(quantile(error, 0.159));
    high.push_back(quantile(error, 0.841));
    low2.push_back(quantile(error, 0.023));
    high2.push_back(quantile(error, 0.977));
    for (size_t d = 0; d < 40; ++d) dots.push_back({target, error[d]});
  }
  spread.band(x, low2, high2, 0);
  spread.band(x, low, high, 0);
  spread.dots(dots, 6, 1.2);

  Chart time("Conductance with time: median, 16 % to 84 %", "seconds after programming", "conductance, uS");
  time.log_x();
  unsigned colour = 0;
  for (double share : {1.0, 0.75, 0.5, 0.25, 0.1}) {
    const double target = least + (t.gmax_us - least) * share;
    std::vector<double> at, below, above;
    std::vector<Point> median;
    for (double lg = 0; lg <= 7.51; lg += 0.5) {
      const double age = std::pow(10.0, lg);
      const DeviceSampler sample(t, target, age, config.chip_seed);
      std::vector<double> g;
      for (uint32_t d = 0; d < kDevices; ++d) g.push_back(sample(d).drifted_us);
      at.push_back(age);
      below.push_back(quantile(g, 0.159));
      above.push_back(quantile(g, 0.841));
      median.push_back({age, quantile(g, 0.5)});
    }
    time.band(at, below, above, colour);
    time.line(median, colour, fmt::format("target {:.3g} uS", target));
    ++colour;
  }
  return {spread, time};
}

/// Voltage that the wires take from every cell with all rows driven by the read voltage.
std::vector<Chart> wire_charts(const MacroConfig& config, const MvmWorkload& w, double age_s) {
  Macro m(config);
  program_by_formula(&m, w);
  m.advance_time(age_s);
  const Geometry& g = config.geometry;
  const ArrayState devices = m.device_state().array;
  std::vector<double> siemens(size_t{w.rows} * 2 * w.cols);
  for (size_t r = 0; r < w.rows; ++r)
    for (size_t c = 0; c < 2 * size_t{w.cols}; ++c)
      siemens[r * 2 * w.cols + c] = 1e-6 * devices.g_us[r * 2 * g.cols + c];
  WireField field(w.rows, 2 * w.cols, siemens.data(), config.wires);
  field.solve(std::vector<double>(w.rows, kReadVolt).data());
  std::vector<double> lost(size_t{w.rows} * w.cols);
  for (uint32_t r = 0; r < w.rows; ++r) {
    for (uint32_t c = 0; c < w.cols; ++c) {
      double v = 0;
      for (uint32_t p = 0; p < 2; ++p) v += (field.row_volt(r, 2 * c + p) - field.col_volt(r, 2 * c + p)) / 2;
      lost[r * w.cols + c] = 100 * (1 - v / kReadVolt);
    }
  }
  size_t rows = w.rows, cols = w.cols;
  const std::vector<double> map = shrunk(lost, &rows, &cols, kMostCells);
  Chart chart(
      fmt::format("Voltage lost in wires of {:g} ohm (row), {:g} ohm (column)", config.wires.row, config.wires.col),
      "column; all rows driven", "row");
  const double most = *std::max_element(map.begin(), map.end()), least = *std::min_element(map.begin(), map.end());
  chart.map(map, rows, cols, w.rows, w.cols, std::min(0.0, least), most, "lost, %");
  return {chart};
}

std::vector<Chart> error_charts(const MvmWorkload& w, const std::vector<double>& results, const MvmError& e) {
  Chart scatter("Results against exact products", "exact, share of full scale", "result, share of full scale");
  Chart error("Error", "exact, share of full scale", "result - exact, % of full scale");
  std::vector<Point> against, off;
  const size_t every = std::max<size_t>(1, results.size() / kMostDots);
  double most = 0;
  for (size_t i = 0; i < results.size(); i += every) {
    const double x = static_cast<double>(w.ideal[i]) / e.full_scale, y = results[i] / e.full_scale;
    against.push_back({x, y});
    off.push_back({x, 100 * (y - x)});
    most = std::max(most, std::fabs(x));
  }
  scatter.line({{-most, -most}, {most, most}}, 6, "exact", true);
  scatter.dots(against, 0);
  error.dots(off, 0);
  for (double sign : {1.0, -1.0}) {
    const double s = sign * 100 * e.share_of_full_scale();
    error.line({{-most, s}, {most, s}}, 1, sign > 0 ? fmt::format("sigma {:.3f} %", std::fabs(s)) : "", true);
  }
  return {scatter, error};
}

std::vector<Chart> linearity_charts(const MacroConfig& config) {
  const Geometry& g = config.geometry;
  const auto kind = [](Effect e) { return kEffects[static_cast<unsigned>(e)].kind; };
  const SarDac sar(g.lanes, static_cast<uint16_t>(config.tile), config.chip_seed, kind(Effect::kSarMismatch));
  Chart sar_inl("INL of SAR lanes (sar_mismatch)", "code", "threshold - ideal, steps");
  Chart sar_dnl("DNL of SAR lanes", "code", "width of the code - 1, steps");
  for (uint32_t l = 0; l < std::min(g.lanes, kLanesDrawn); ++l) {
    std::vector<Point> inl, dnl;
    for (int c = -127; c < 128; ++c) {
      const double at = sar.shift(l, static_cast<int8_t>(c));
      inl.push_back({static_cast<double>(c), at});
      if (c < 127) dnl.push_back({static_cast<double>(c), sar.shift(l, static_cast<int8_t>(c + 1)) - at});
    }
    sar_inl.line(inl, l, fmt::format("lane {}", l));
    sar_dnl.line(dnl, l);
  }
  RowDac::Config c;
  c.rows = g.rows + 1;
  c.chip_seed = config.chip_seed;
  c.tile = static_cast<uint16_t>(config.tile);
  c.inl_kind = kind(Effect::kDacInl);
  RowDac dac(c);
  std::vector<float> level(c.rows), square(c.rows);
  Chart dac_inl("INL of row DACs in voltage mode (dac_inl)", "code", "level - code, LSB");
  Chart dac_dnl("DNL of row DACs", "code", "step - 1, LSB");
  for (uint32_t r = 0; r < std::min(g.rows, kLanesDrawn); ++r) {
    std::vector<Point> inl, dnl;
    double before = 0;
    for (int code = 1; code < 128; ++code) {
      level[r] = static_cast<float>(code);
      dac.apply(0, 0, 0, &r, 1, level.data(), square.data());
      const auto x = static_cast<double>(level[r]);
      inl.push_back({static_cast<double>(code), x - code});
      dnl.push_back({static_cast<double>(code), x - before - 1});
      before = x;
    }
    dac_inl.line(inl, r, fmt::format("row {}", r));
    dac_dnl.line(dnl, r);
  }
  return {sar_inl, sar_dnl, dac_inl, dac_dnl};
}

}  // namespace

std::vector<double> shrunk(const std::vector<double>& values, size_t* rows, size_t* cols, size_t most) {
  const size_t down = (*rows + most - 1) / most, across = (*cols + most - 1) / most;
  const size_t new_rows = (*rows + down - 1) / down, new_cols = (*cols + across - 1) / across;
  std::vector<double> out(new_rows * new_cols), n(out.size());
  for (size_t r = 0; r < *rows; ++r) {
    for (size_t c = 0; c < *cols; ++c) {
      const size_t to = r / down * new_cols + c / across;
      out[to] += values[r * *cols + c];
      ++n[to];
    }
  }
  for (size_t i = 0; i < out.size(); ++i) out[i] /= n[i];
  *rows = new_rows;
  *cols = new_cols;
  return out;
}

std::vector<std::string> draw_mvm(const std::string& folder, const MacroConfig& config, const MvmWorkload& workload,
                                  const MvmReadout& readout, double age_s) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw UsageError(fmt::format("--svg {}: cannot make the folder: {}", folder, failed.message()));
  std::vector<double> results;
  const MvmError e = measure_mvm(config, workload, readout, age_s, program_by_formula, &results);
  const struct {
    const char* name;
    std::vector<Chart> charts;
  } pages[] = {{"conductance.svg", conductance_charts(config)},
               {"ir_drop.svg", wire_charts(config, workload, age_s)},
               {"error.svg", error_charts(workload, results, e)},
               {"linearity.svg", linearity_charts(config)}};
  std::vector<std::string> paths;
  for (const auto& page : pages) {
    paths.push_back((std::filesystem::path(folder) / page.name).string());
    write_file(paths.back(), svg_page(page.charts, page.charts.size() == 1 ? 1 : 2));
  }
  return paths;
}

}  // namespace ohmac::cli
