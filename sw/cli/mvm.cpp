// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/mvm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sw/cli/acting.h"
#include "sw/cli/files.h"
#include "sw/cli/mvm_error.h"
#include "sw/cli/mvm_pictures.h"
#include "sw/cli/options.h"
#include "sw/cli/workers.h"

namespace ohmac::cli {
namespace {

using Json = nlohmann::ordered_json;

MvmError mean_of(const std::vector<MvmError>& chips) {
  MvmError m = chips[0];
  double sigma = 0, residual = 0, gain = 0;
  m.results = m.clipped = 0;
  for (const MvmError& e : chips) {
    sigma += e.sigma * e.sigma;
    residual += e.residual * e.residual;
    gain += e.gain;
    m.results += e.results;
    m.clipped += e.clipped;
  }
  const auto n = static_cast<double>(chips.size());
  m.sigma = std::sqrt(sigma / n);
  m.residual = std::sqrt(residual / n);
  m.gain = gain / n;
  return m;
}

struct Row {
  std::string name;
  MvmError alone, without;
  double alone_share = 0, without_share = 0;
};

std::string percent(double share) { return fmt::format("{:.3f} %", 100 * share); }

Json to_json(const MvmError& e) {
  return {{"sigma_of_full_scale", e.share_of_full_scale()},
          {"effective_bits", e.effective_bits()},
          {"sigma", e.sigma},
          {"gain", e.gain},
          {"residual_of_full_scale", e.residual / e.full_scale}};
}

}  // namespace

int mvm(const MvmOptions& o) {
  const MvmWorkload work = random_workload(o.rows, o.cols, o.vectors, o.run_seed);
  MvmReadout readout;
  readout.adc_bits = o.adc_bits;
  readout.range = finest_range(work, o.adc_bits);
  readout.integrate_cycles = o.integrate_cycles;
  readout.calibrate = o.calibrate;
  MacroConfig config = mvm_macro(o.rows, o.cols);
  config.technology = o.technology;
  config.dac = o.dac;
  config.effects = o.effects;
  config.wires = o.wires;
  config.clock_ns = o.clock_ns;

  std::vector<Effect> idle;
  const std::vector<Effect> effects = acting_effects(
      o.effects,
      {o.technology.get(), false, o.age_s, o.dac, o.clock_ns, o.wires.any(), config.faults.stuck_fraction > 0}, &idle);
  std::vector<EffectSet> todo = {o.effects, EffectSet::none()};
  std::vector<Row> rows;
  for (Effect e : effects) {
    EffectSet alone = EffectSet::none(), without = o.effects;
    alone.set(e, true);
    without.set(e, false);
    todo.push_back(alone);
    todo.push_back(without);
    rows.push_back({kEffects[static_cast<unsigned>(e)].name, {}, {}});
  }
  const auto jobs = static_cast<uint32_t>(todo.size()) * o.chips;
  const auto answers = run_forked(jobs, o.threads, [&](uint32_t job) {
    MacroConfig c = config;
    c.effects = todo[job / o.chips];
    c.chip_seed = o.chip_seed + job % o.chips;
    c.run_seed = o.run_seed + job % o.chips;
    const MvmError e = measure_mvm(c, work, readout, o.age_s);
    return std::string(reinterpret_cast<const char*>(&e), sizeof e);
  });
  std::vector<MvmError> results;
  for (size_t t = 0; t < todo.size(); ++t) {
    std::vector<MvmError> chips(o.chips);
    for (size_t s = 0; s < o.chips; ++s) std::memcpy(&chips[s], answers[t * o.chips + s].data(), sizeof(MvmError));
    results.push_back(mean_of(chips));
  }
  const MvmError &all = results[0], &none = results[1];
  const auto square = [](double v) { return v * v; };
  const double caused = square(all.sigma) - square(none.sigma);
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r].alone = results[2 + 2 * r];
    rows[r].without = results[3 + 2 * r];
    rows[r].alone_share = caused > 0 ? (square(rows[r].alone.sigma) - square(none.sigma)) / caused : 0;
    rows[r].without_share = caused > 0 ? (square(all.sigma) - square(rows[r].without.sigma)) / caused : 0;
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.alone_share + a.without_share > b.alone_share + b.without_share;
  });

  fmt::print(
      "MVM of {} x {} cells, {}, {} vectors, {} chip{}, {} DAC, {}-bit ADC of step 2^{}, integration {:g} ns, age {:g} "
      "s{}\n\n",
      o.rows, o.cols, o.technology->name, o.vectors, o.chips, o.chips == 1 ? "" : "s", name_of(o.dac), o.adc_bits,
      readout.range, o.integrate_cycles * o.clock_ns, o.age_s, o.calibrate ? "" : ", not calibrated");
  fmt::print("{:<24} {:>12} {:>10}\n", "", "sigma", "eff. bits");
  for (const auto& [what, e] : {std::pair{"no effect", &none}, std::pair{"every effect", &all}})
    fmt::print("{:<24} {:>12} {:>10.2f}\n", what, percent(e->share_of_full_scale()), e->effective_bits());
  fmt::print("{:<24} {:>12}   common gain {:.4f} taken out\n", "", percent(all.residual / all.full_scale), all.gain);
  fmt::print("\n{:<24} {:>22} {:>22} {:>22}\n", "", "alone", "all but it", "share of the variance");
  fmt::print("{:<24} {:>11} {:>10} {:>11} {:>10} {:>10} {:>11}\n", "effect", "sigma", "eff. bits", "sigma", "eff. bits",
             "alone", "all but it");
  for (const Row& r : rows) {
    fmt::print("{:<24} {:>11} {:>10.2f} {:>11} {:>10.2f} {:>8.2f} % {:>9.2f} %\n", r.name,
               percent(r.alone.share_of_full_scale()), r.alone.effective_bits(),
               percent(r.without.share_of_full_scale()), r.without.effective_bits(), 100 * r.alone_share,
               100 * r.without_share);
  }
  fmt::print(
      "\nsigma: rms of result - exact product over full scale, 2^bits steps ({:.0f} unit products; rms of the products "
      "{:.2f} %); "
      "eff. bits: log2(full scale / (sigma sqrt 12)); {} of {} results clipped\n",
      all.full_scale, 100 * all.signal / all.full_scale, all.clipped, all.results);
  std::vector<std::string> idle_names, off;
  for (Effect e : idle) idle_names.emplace_back(kEffects[static_cast<unsigned>(e)].name);
  for (uint32_t e = 0; e < kNumEffects; ++e)
    if (!o.effects.has(static_cast<Effect>(e))) off.emplace_back(kEffects[e].name);
  if (!idle_names.empty()) fmt::print("on, but cannot act here: {}\n", fmt::join(idle_names, ", "));
  if (!off.empty()) fmt::print("off: {}\n", fmt::join(off, ", "));

  if (!o.csv.empty()) {
    std::string csv;
    for (const Row& r : rows)
      csv += fmt::format("{},{},{},{},{}\n", r.name, r.alone.share_of_full_scale(), r.without.share_of_full_scale(),
                         r.alone_share, r.without_share);
    write_file(o.csv, csv);
  }
  if (!o.json.empty()) {
    Json j = {{"schema", "ohmac-mvm/1"},
              {"rows", o.rows},
              {"cols", o.cols},
              {"vectors", o.vectors},
              {"chips", o.chips},
              {"technology", o.technology->name},
              {"age_s", o.age_s},
              {"dac", name_of(o.dac)},
              {"adc_bits", o.adc_bits},
              {"range", readout.range},
              {"full_scale", all.full_scale},
              {"signal_rms", all.signal},
              {"results", all.results},
              {"clipped", all.clipped},
              {"every_effect", to_json(all)},
              {"no_effect", to_json(none)},
              {"effects", Json::array()}};
    for (const Row& r : rows) {
      j["effects"].push_back({{"name", r.name},
                              {"alone", to_json(r.alone)},
                              {"without", to_json(r.without)},
                              {"alone_share", r.alone_share},
                              {"without_share", r.without_share}});
    }
    j["idle"] = idle_names;
    j["off"] = off;
    write_file(o.json, j.dump(2) + "\n");
  }
  if (!o.svg.empty()) {
    config.chip_seed = o.chip_seed;
    config.run_seed = o.run_seed;
    for (const std::string& path : draw_mvm(o.svg, config, work, readout, o.age_s)) fmt::print("wrote {}\n", path);
  }
  return 0;
}

}  // namespace ohmac::cli
