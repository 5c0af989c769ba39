// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/ablate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "sw/cli/acting.h"
#include "sw/cli/files.h"
#include "sw/cli/influence.h"
#include "sw/cli/progress.h"
#include "sw/cli/run.h"
#include "sw/cli/workers.h"

namespace ohmac::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kSigmas = 2;  // an influence beyond so many standard errors counts as seen

const char* name_of(Effect e) { return kEffects[static_cast<unsigned>(e)].name; }

/// One set of effects to run.
struct Configuration {
  EffectSet effects;
  FaultConfig faults;
};

/// Rows of the table: an effect, or the faults of --fault.
struct Row {
  std::string name;
  AblationResult alone, without;
  Influence influence = {};
};

std::vector<int32_t> values_of(const std::vector<uint8_t>& bytes) {
  std::vector<int32_t> v(bytes.size() / sizeof(int32_t));
  std::memcpy(v.data(), bytes.data(), v.size() * sizeof(int32_t));
  return v;
}

AblationResult judge(const Workload& work, uint32_t images, const std::vector<std::vector<uint8_t>>& chips) {
  AblationResult r;
  double error = 0, size = 0;
  const size_t n = work.compiled.output_count;
  for (const std::vector<uint8_t>& bytes : chips) {
    const std::vector<int32_t> out = values_of(bytes);
    for (uint32_t i = 0; i < images; ++i) {
      const std::vector<int32_t> v(out.begin() + static_cast<long>(i * n),
                                   out.begin() + static_cast<long>((i + 1) * n));
      r.right.push_back(compiler::classify(v) == work.test.labels[i]);
      for (size_t k = 0; k < n; ++k) {
        error += std::pow(static_cast<double>(v[k]) - work.int8_adc[i][k], 2);
        size += std::pow(static_cast<double>(work.int8_adc[i][k]), 2);
      }
    }
  }
  r.output_error = size > 0 ? std::sqrt(error / size) : 0;
  return r;
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }
std::string points(double share) { return fmt::format("{:+.2f}", 100 * share); }

Json to_json(const AblationResult& r) {
  return {{"accuracy", r.accuracy()}, {"accuracy_error", accuracy_error(r)}, {"output_error", r.output_error}};
}

bool any_fault(const FaultConfig& f) { return f.open_fraction > 0 || f.open_rows + f.open_columns + f.dead_lanes != 0; }

}  // namespace

int ablate(const RunOptions& o, uint32_t chips, const std::string& json) {
  const Workload work = prepare(o);
  std::vector<Effect> idle;
  const Circumstances here = {o.technology.get(),
                              o.programming == Programming::kPulse,
                              o.age_s,
                              o.dac,
                              MacroConfig{}.clock_ns,
                              o.wires.any(),
                              o.faults.stuck_fraction > 0 || o.faults.open_fraction > 0};
  const std::vector<Effect> effects = acting_effects(o.effects, here, &idle);
  FaultConfig no_faults = o.faults;
  no_faults.open_fraction = 0;
  no_faults.open_rows = no_faults.open_columns = no_faults.dead_lanes = 0;
  const bool faults = any_fault(o.faults);

  std::vector<Row> rows;
  std::vector<Configuration> todo = {{o.effects, o.faults}, {EffectSet::none(), no_faults}};
  for (Effect e : effects) {
    EffectSet alone = EffectSet::none(), without = o.effects;
    alone.set(e, true);
    without.set(e, false);
    todo.push_back({alone, no_faults});
    todo.push_back({without, o.faults});
    rows.push_back({name_of(e), {}, {}, {}});
  }
  if (faults) {
    todo.push_back({EffectSet::none(), o.faults});
    todo.push_back({o.effects, no_faults});
    rows.push_back({"faults", {}, {}, {}});
  }

  // Every configuration is a chip of its own, fabricated, programmed and calibrated with those effects.
  const auto jobs = static_cast<uint32_t>(todo.size()) * chips;
  SharedCounter done;
  Progress progress(fmt::format("ablation of {} {}", o.network, cli::name_of(o.fidelity)), jobs);
  const std::vector<std::string> answers = run_forked(
      jobs, o.threads,
      [&](uint32_t job) {
        RunOptions run = o;
        run.effects = todo[job / chips].effects;
        run.faults = todo[job / chips].faults;
        run.chip_seed += job % chips;
        run.run_seed += job % chips;
        run.threads = 1;
        const std::vector<uint8_t> out = execute(work, run).outputs;
        done.add(1);
        return std::string(out.begin(), out.end());
      },
      [&] { progress.update(done.value()); });
  std::vector<AblationResult> results;
  for (size_t c = 0; c < todo.size(); ++c) {
    std::vector<std::vector<uint8_t>> outputs;
    for (uint32_t s = 0; s < chips; ++s)
      outputs.emplace_back(answers[c * chips + s].begin(), answers[c * chips + s].end());
    results.push_back(judge(work, o.images, outputs));
  }
  const AblationResult &all = results[0], &none = results[1];
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r].alone = results[2 + 2 * r];
    rows[r].without = results[3 + 2 * r];
    rows[r].influence = influence_of(none, rows[r].alone, rows[r].without, all);
  }
  // First what the answers show beyond their error; behind it what the outputs show, which tell effects apart sooner.
  const auto square = [](double v) { return v * v; };
  const auto output_share = [&](const Row& r) {
    return square(r.alone.output_error) - square(none.output_error) + square(all.output_error) -
           square(r.without.output_error);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    const bool sure_a = a.influence.share > kSigmas * a.influence.error,
               sure_b = b.influence.share > kSigmas * b.influence.error;
    if (sure_a != sure_b) return sure_a;
    return sure_a ? a.influence.share > b.influence.share : output_share(a) > output_share(b);
  });

  const char* programming = o.programming == Programming::kPulse ? "pulse" : "formula";
  fmt::print(
      "{} at fidelity {}, {} chip{} of {} images, chip seed {}, run seed {}, devices {}, programming {}, age {:g} "
      "s\n\n",
      o.network, cli::name_of(o.fidelity), chips, chips == 1 ? "" : "s", o.images, o.chip_seed, o.run_seed,
      o.technology->name, programming, o.age_s);
  fmt::print("{:<24} {:>9} {:>13}\n", "", "accuracy", "output error");
  const auto line = [](const char* what, double accuracy, double error, double output) {
    fmt::print("{:<24} {:>9} {:>13}{}\n", what, percent(accuracy), percent(output),
               error > 0 ? fmt::format("   +- {:.2f} points (binomial)", 100 * error) : "");
  };
  line("int8_adc", work.accuracy_int8_adc, 0, 0);
  line("no effect", none.accuracy(), accuracy_error(none), none.output_error);
  line("every effect", all.accuracy(), accuracy_error(all), all.output_error);
  fmt::print("\n{:<24} {:>20} {:>26} {:>22}\n", "", "alone", "all but it", "influence");
  fmt::print("{:<24} {:>9} {:>13} {:>11} {:>13} {:>20}\n", "effect", "accuracy", "output error", "accuracy",
             "output error", "points, paired error");
  for (const Row& r : rows) {
    fmt::print("{:<24} {:>9} {:>13} {:>11} {:>13} {:>13} +- {:.2f}\n", r.name, percent(r.alone.accuracy()),
               percent(r.alone.output_error), percent(r.without.accuracy()), percent(r.without.output_error),
               points(r.influence.share), 100 * r.influence.error);
  }
  fmt::print(
      "\ninfluence: mean of (no effect - alone) and (all but it - every effect), the same chips and images; output "
      "error: "
      "rms of outputs - int8_adc over rms of int8_adc; ordered by influence where "
      "it is beyond its error, then by output error\n");
  if (!idle.empty()) {
    std::vector<std::string> names;
    for (Effect e : idle) names.emplace_back(name_of(e));
    fmt::print("on, but cannot act here: {}\n", fmt::join(names, ", "));
  }
  std::vector<std::string> off;
  for (uint32_t e = 0; e < kNumEffects; ++e)
    if (!o.effects.has(static_cast<Effect>(e))) off.emplace_back(kEffects[e].name);
  if (!off.empty()) fmt::print("off: {}\n", fmt::join(off, ", "));
  fmt::print("{:.2f} points are lost to all effects together", 100 * (none.accuracy() - all.accuracy()));
  if (rows.empty()) {
    fmt::print("\n");
  } else if (rows[0].influence.share > kSigmas * rows[0].influence.error) {
    fmt::print("; most of it goes to {}: {} points without it\n", rows[0].name,
               points(rows[0].without.accuracy() - all.accuracy()));
  } else {
    fmt::print("; no effect stands out of the error ({:g} sigma), in the outputs {} is the largest\n", kSigmas,
               rows[0].name);
  }

  if (!json.empty()) {
    Json j = {{"schema", "ohmac-ablate/1"},
              {"network", o.network},
              {"fidelity", cli::name_of(o.fidelity)},
              {"images", o.images},
              {"chips", chips},
              {"seeds", {{"chip", o.chip_seed}, {"run", o.run_seed}}},
              {"technology", o.technology->name},
              {"programming", programming},
              {"age_s", o.age_s},
              {"accuracy_int8_adc", work.accuracy_int8_adc},
              {"every_effect", to_json(all)},
              {"no_effect", to_json(none)},
              {"effects", Json::array()}};
    for (const Row& r : rows) {
      j["effects"].push_back({{"name", r.name},
                              {"alone", to_json(r.alone)},
                              {"without", to_json(r.without)},
                              {"influence", r.influence.share},
                              {"influence_error", r.influence.error}});
    }
    j["idle"] = Json::array();
    for (Effect e : idle) j["idle"].push_back(name_of(e));
    j["off"] = off;
    write_file(json, j.dump(2) + "\n");
  }
  return 0;
}

}  // namespace ohmac::cli
