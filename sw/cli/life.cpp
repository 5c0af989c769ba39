// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/life.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sw/cli/files.h"
#include "sw/cli/progress.h"
#include "sw/cli/run.h"
#include "sw/cli/session.h"
#include "sw/cli/workers.h"

namespace ohmac::cli {
namespace {

using Json = nlohmann::ordered_json;

/// One line of the table. Cycles, reads and pulses are those of the step before the inference.
struct Step {
  double age_s;
  const char* what;
  uint64_t cycles, reads, pulses, bad_cells;
};

/// Firmware and test set on one chip.
class Life {
 public:
  Life(Session& session, const Workload& work, uint32_t images) : session_(session), work_(work), images_(images) {}

  /// Classifies the images and returns the line.
  Json measure(const Step& s) {
    session_.seek(0);
    const uint64_t start = session_.chip().cycle();
    const std::vector<uint8_t> outputs = session_.infer(work_.packed_inputs(0, images_), images_);
    const uint64_t cycles = session_.chip().cycle() - start;
    session_.chip().check();
    const DeviceReport d = session_.devices();
    const WeightError w = session_.weights();
    return {{"age_s", s.age_s},
            {"step", s.what},
            {"step_cycles", s.cycles},
            {"verify_reads", s.reads},
            {"pulses", s.pulses},
            {"bad_cells", s.bad_cells},
            {"accuracy", work_.accuracy(outputs, images_)},
            {"inference_cycles", cycles},
            {"outputs_sha256", sha256_hex(outputs)},
            {"most_pulses", d.most_pulses},
            {"mean_pulses", d.mean_pulses()},
            {"worn_devices", d.worn},
            {"weight_error", {{"mean", w.mean}, {"sigma", w.sigma}}}};
  }

  Json at_age(double age_s) {
    Json steps = Json::array();
    session_.advance_time(age_s);
    steps.push_back(measure({age_s, "aged", 0, 0, 0, 0}));
    uint64_t start = session_.chip().cycle();
    session_.compensate();
    steps.push_back(measure({age_s, "compensated", session_.chip().cycle() - start, 0, 0, 0}));
    start = session_.chip().cycle();
    const RefreshReport r = session_.refresh();
    steps.push_back(measure({age_s, "refreshed", session_.chip().cycle() - start, r.reads, r.pulses, r.bad_cells}));
    return steps;
  }

 private:
  Session& session_;
  const Workload& work_;
  uint32_t images_;
};

std::string age_text(double s) {
  if (s >= 86400) return fmt::format("{:g} d", s / 86400);
  if (s >= 3600) return fmt::format("{:g} h", s / 3600);
  return fmt::format("{:g} s", s);
}

void print(const Json& j) {
  fmt::print("{:>8} {:<12} {:>10} {:>12} {:>9} {:>10} {:>8} {:>8} {:>8} {:>9} {:>9}\n", age_text(j.at("age_s")),
             j.at("step").get<std::string>(), fmt::format("{:.2f} %", 100 * j.at("accuracy").get<double>()),
             j.at("step_cycles").get<uint64_t>(), j.at("verify_reads").get<uint64_t>(), j.at("pulses").get<uint64_t>(),
             j.at("bad_cells").get<uint64_t>(), j.at("most_pulses").get<uint32_t>(),
             fmt::format("{:.2f}", j.at("mean_pulses").get<double>()),
             fmt::format("{:.2f}", j.at("weight_error").at("mean").get<double>()),
             fmt::format("{:.2f}", j.at("weight_error").at("sigma").get<double>()));
}

}  // namespace

int life(const LifeOptions& options) {
  RunOptions o = options.run;
  o.reference = true;
  const Workload work = prepare(o);
  Json steps = Json::array();
  with_chip(o, [&](Chip& chip) {
    Session session(chip, work.compiled, o);
    Life life(session, work, o.images);
    // Every life goes on from this chip, in a process of its own.
    const uint32_t lives = static_cast<uint32_t>(options.ages_s.size()) + 1;
    Progress progress(fmt::format("life of {} {}", o.network, name_of(o.fidelity)), lives);
    const auto answers = run_forked(lives, o.threads, [&](uint32_t i) {
      if (i > 0) return life.at_age(options.ages_s[i - 1]).dump();
      const BringUp& b = session.bring_up();
      return Json::array({life.measure({0, o.restore.empty() ? "programmed" : "restored", b.cycles,
                                        b.load.program.reads, b.load.program.pulses, b.load.bad_cells})})
          .dump();
    });
    for (const std::string& a : answers) {
      for (const Json& s : Json::parse(a)) steps.push_back(s);
    }
  });
  fmt::print("{} at fidelity {}, {} images, chip seed {}, run seed {}; int8 {:.2f} %\n\n", o.network,
             name_of(o.fidelity), o.images, o.chip_seed, o.run_seed, 100 * work.accuracy_int8);
  fmt::print("{:>8} {:<12} {:>10} {:>12} {:>9} {:>10} {:>8} {:>8} {:>8} {:>9} {:>9}\n", "age", "after", "accuracy",
             "cycles", "reads", "pulses", "bad", "most", "mean", "w mean", "w sigma");
  for (const Json& s : steps) print(s);
  fmt::print(
      "\ncycles, reads (of rows), pulses: what the step before the inference took; bad: cells that it left off by more "
      "than 24 units;\nmost, mean: pulses a device since fabrication; w: weight reached - target, of 127 units\n");
  if (!options.json.empty()) {
    const Json j = {{"network", o.network},   {"fidelity", name_of(o.fidelity)},
                    {"images", o.images},     {"chip_seed", o.chip_seed},
                    {"run_seed", o.run_seed}, {"accuracy_int8", work.accuracy_int8},
                    {"steps", steps}};
    write_file(options.json, j.dump(2) + "\n");
  }
  return 0;
}

}  // namespace ohmac::cli
