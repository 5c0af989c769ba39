// SPDX-License-Identifier: Apache-2.0
// `make campaign`, second half: stuck devices on the reference chip (fidelity fast, every effect on), the shipped MNIST
// network programmed by pulses; without and with self-test and repair by firmware.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "sw/cli/run.h"
#include "sw/cli/session.h"
#include "sw/cli/workers.h"

namespace ohmac::campaign {
namespace {

using nlohmann::json;

constexpr double kTolerance = 0.002;  // of accuracy: within it a chip counts as good as the one without the fault

struct Mode {
  const char* name;
  bool self_test, repair;
};
constexpr Mode kModes[] = {
    {"programming alone", false, false}, {"self-test", true, false}, {"self-test, repair", true, true}};

/// What came of one chip.
struct Chip {
  bool refused = false;  // load() failed
  std::string status;
  uint32_t bad_devices = 0, bad_cells = 0, weak_columns = 0, bad_columns = 0, repaired = 0;
  double accuracy = 0;
  std::vector<uint8_t> classes;
  /// What the firmware tells a person. Some cells are always off, because some devices are slow: only more of them than
  /// `usual` are a sign.
  bool sign(double usual) const {
    return refused || bad_devices + weak_columns + bad_columns + repaired != 0 || bad_cells > usual;
  }
};

Chip run_chip(const cli::Workload& work, cli::RunOptions o, const Mode& mode) {
  o.self_test = mode.self_test;
  o.repair = mode.repair;
  Chip c;
  try {
    cli::with_chip(o, [&](cli::Chip& chip) {
      cli::Session session(chip, work.compiled, o);
      const LoadReport& load = session.bring_up().load;
      c.bad_devices = load.test.bad_devices;
      c.bad_cells = load.bad_cells;
      c.weak_columns = load.weak_columns;
      c.bad_columns = load.bad_columns;
      c.repaired = load.repair.repaired;
      std::vector<uint8_t> outputs;
      for (uint32_t first = 0; first < o.images; first += cli::kBatchImages) {
        const uint32_t n = std::min(cli::kBatchImages, o.images - first);
        session.seek(first);
        const std::vector<uint8_t> part = session.infer(work.packed_inputs(first, n), n);
        outputs.insert(outputs.end(), part.begin(), part.end());
      }
      c.accuracy = work.accuracy(outputs, o.images);
      const uint32_t count = work.compiled.output_count;
      for (uint32_t i = 0; i < o.images; ++i) {
        std::vector<int32_t> v(count);
        std::memcpy(v.data(), outputs.data() + size_t{i} * count * sizeof(int32_t), count * sizeof(int32_t));
        c.classes.push_back(static_cast<uint8_t>(compiler::classify(v)));
      }
    });
  } catch (const std::runtime_error& e) {  // the firmware's own refusal
    c.refused = true;
    c.status = e.what();
  }
  return c;
}

std::string pack(const Chip& c) {
  json j = {{"refused", c.refused},
            {"status", c.status},
            {"bad_devices", c.bad_devices},
            {"bad_cells", c.bad_cells},
            {"weak_columns", c.weak_columns},
            {"bad_columns", c.bad_columns},
            {"repaired", c.repaired},
            {"accuracy", c.accuracy},
            {"classes", json::binary(c.classes)}};
  const auto v = json::to_msgpack(j);
  return {v.begin(), v.end()};
}

Chip unpack(const std::string& s) {
  const json j = json::from_msgpack(s);
  Chip c;
  c.refused = j["refused"];
  c.status = j["status"];
  c.bad_devices = j["bad_devices"];
  c.bad_cells = j["bad_cells"];
  c.weak_columns = j["weak_columns"];
  c.bad_columns = j["bad_columns"];
  c.repaired = j["repaired"];
  c.accuracy = j["accuracy"];
  c.classes = j["classes"].get_binary();
  return c;
}

/// @param good the same chip without stuck devices
bool fine(const Chip& c, const Chip& good) { return !c.refused && c.accuracy >= good.accuracy - kTolerance - 1e-9; }

/// @param plain_fine whether the same chip with programming alone is fine
const char* outcome(const Chip& c, const Chip& good, bool plain_fine, double usual) {
  if (c.refused) return "refused";
  if (!c.sign(usual)) return c.classes == good.classes ? "masked" : fine(c, good) ? "harmless" : "silent";
  if (!fine(c, good)) return "detected";
  return plain_fine ? "tolerated" : "recovered";
}

int campaign(uint32_t seeds, uint32_t images, uint32_t jobs, const std::vector<double>& rates, const std::string& out) {
  const auto start = std::chrono::steady_clock::now();
  cli::RunOptions o;
  o.images = images;
  o.programming = Programming::kPulse;
  const cli::Workload work = cli::prepare(o);

  struct Task {
    double rate;
    uint64_t seed;
    const Mode* mode;
  };
  std::vector<Task> tasks;
  std::vector<double> all_rates{0};  // the chip without the fault comes first
  all_rates.insert(all_rates.end(), rates.begin(), rates.end());
  for (const double rate : all_rates) {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      for (const Mode& m : kModes) tasks.push_back({rate, seed, &m});
    }
  }
  const auto task = [&](uint32_t i) {
    cli::RunOptions mine = o;
    mine.chip_seed = tasks[i].seed;
    mine.faults.stuck_fraction = tasks[i].rate;
    return pack(run_chip(work, mine, *tasks[i].mode));
  };
  const std::vector<std::string> answers = cli::run_forked(static_cast<uint32_t>(tasks.size()), jobs, task);

  std::vector<Chip> chips;
  for (const std::string& a : answers) chips.push_back(unpack(a));
  // Tasks of one rate and seed lie side by side, one a mode, programming alone first. Other reads at bring-up mean
  // other noise afterwards, so each chip is compared with the one brought up in the same way.
  constexpr size_t kNumModes = std::size(kModes);
  double reference = 0, mean = 0, square = 0;
  for (size_t i = 0; i < seeds; ++i) {
    const Chip& c = chips[i * kNumModes];
    if (c.refused) throw std::runtime_error("the chip without stuck devices does not come up: " + c.status);
    reference += c.accuracy / seeds;
    mean += static_cast<double>(c.bad_cells) / seeds;
    square += static_cast<double>(c.bad_cells) * c.bad_cells / seeds;
  }
  const double usual = mean + 3 * std::sqrt(std::max(mean, square - mean * mean));

  struct Row {
    std::map<std::string, uint32_t> count;
    uint32_t chips = 0, running = 0, signs = 0;
    uint64_t bad = 0, repaired = 0;
    double sum = 0, worst = 1;
  };
  std::map<std::pair<double, const Mode*>, Row> rows;
  json j;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const Chip& c = chips[i];
    const Task& t = tasks[i];
    const Chip& plain = chips[i / kNumModes * kNumModes];
    const Chip& good = chips[(t.seed - 1) * kNumModes + i % kNumModes];  // brought up in the same way
    const char* result = outcome(c, good, fine(plain, chips[(t.seed - 1) * kNumModes]), usual);
    Row& row = rows[{t.rate, t.mode}];
    ++row.count[result];
    ++row.chips;
    row.signs += c.sign(usual);
    row.bad += std::max(c.bad_devices, c.bad_cells);
    row.repaired += c.repaired;
    if (!c.refused) {
      ++row.running;
      row.sum += c.accuracy;
      row.worst = std::min(row.worst, c.accuracy);
    }
    j["chips"].push_back({{"stuck", t.rate},
                          {"seed", t.seed},
                          {"mode", t.mode->name},
                          {"outcome", result},
                          {"status", c.status},
                          {"bad_devices", c.bad_devices},
                          {"bad_cells", c.bad_cells},
                          {"weak_columns", c.weak_columns},
                          {"bad_columns", c.bad_columns},
                          {"repaired_columns", c.repaired},
                          {"accuracy", c.accuracy}});
  }
  fmt::print(
      "mnist_mlp, reference chip at fidelity fast, every effect on, programmed by pulses, {} images, chip seeds 1 .. "
      "{}; without stuck "
      "devices {:.2f} %\nA sign: refused, a bad, weak or repaired column, a bad device in the self-test, or more than "
      "{:.0f} cells off "
      "their target after programming ({:.0f} on a chip without stuck devices)\n\n",
      images, seeds, 100 * reference, usual, mean);
  fmt::print("{:>8}  {:20}{:>6}{:>8}{:>10}{:>8}{:>11}{:>10}{:>10}{:>9}{:>11}{:>10}{:>11}{:>11}\n", "stuck", "bring-up",
             "chips", "masked", "harmless", "silent", "tolerated", "detected", "recovered", "refused", "bad, mean",
             "repaired", "accuracy", "worst");
  for (const auto& [key, row] : rows) {
    const auto n = [&](const char* name) { return row.count.count(name) ? row.count.at(name) : 0u; };
    fmt::print("{:>6.2f} %  {:20}{:>6}{:>8}{:>10}{:>8}{:>11}{:>10}{:>10}{:>9}{:>11.0f}{:>10}", 100 * key.first,
               key.second->name, row.chips, n("masked"), n("harmless"), n("silent"), n("tolerated"), n("detected"),
               n("recovered"), n("refused"), static_cast<double>(row.bad) / row.chips, row.repaired);
    if (row.running != 0) fmt::print("{:>9.2f} %{:>9.2f} %", 100 * row.sum / row.running, 100 * row.worst);
    fmt::print("\n");
  }
  // The promise: many stuck devices are never overlooked where the self-test looks for them, nor seen where there are
  // none.
  bool kept = true;
  for (const auto& [key, row] : rows) {
    if (!key.second->self_test) continue;
    if (key.first == 0 && row.signs != 0) kept = false;
    if (key.first >= 0.001 && row.signs != row.chips) kept = false;
  }
  fmt::print("\n{}: with the self-test every chip with 0.1 % or more is reported, none without stuck devices\n",
             kept ? "holds" : "BROKEN");
  j["images"] = images;
  j["accuracy_without"] = reference;
  j["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{} chips in {:.0f} s\n", tasks.size(), j["seconds"].get<double>());
  if (!out.empty()) {
    std::ofstream file(out);
    file << j.dump(1) << "\n";
    if (!file.flush()) throw std::runtime_error(out + ": cannot be written; give another file with --out");
    fmt::print("every chip: {}\n", out);
  }
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace ohmac::campaign

int main(int argc, char** argv) {
  uint32_t seeds = 5, images = 1000, jobs = std::max(1u, std::thread::hardware_concurrency());
  std::vector<double> rates{0.0001, 0.001, 0.01, 0.05};
  std::string out;
  CLI::App app("Fault campaign: stuck devices");
  app.add_option("--seeds", seeds, "chips")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--images", images, "test images")->capture_default_str();
  app.add_option("--rates", rates, "shares of stuck devices")->check(CLI::Range(1e-7, 1.0));
  app.add_option("--jobs", jobs, "processes at once; no influence on the results")->check(CLI::Range(1, 1024));
  app.add_option("--out", out, "result file (JSON)");
  CLI11_PARSE(app, argc, argv);
  try {
    return ohmac::campaign::campaign(seeds, images, jobs, rates, out);
  } catch (const std::exception& e) {
    fmt::print(stderr, "device_campaign: {}\n", e.what());
    return 1;
  }
}
