// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/compare.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "sw/cli/files.h"
#include "sw/cli/run.h"
#include "sw/cli/workers.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cli {
namespace {

/// Runs in a process of its own: SystemC elaborates once a process, and the compare needs several chips.
RunOutcome execute_apart(const Workload& work, const RunOptions& o) {
  const std::string bytes = run_forked(1, 1, [&](uint32_t) {
    const RunOutcome r = execute(work, o);
    nlohmann::json j;
    j["outputs"] = nlohmann::json::binary(r.outputs);
    j["cycles"] = r.record.cycles_total;
    j["events"] = r.record.events;
    j["programming"] = to_json(r.record)["programming"];
    j["accuracy"] = r.record.accuracy_analog;
    j["seconds"] = r.record.host_seconds;
    j["costs"] = r.record.costs;
    const auto v = nlohmann::json::to_msgpack(j);
    return std::string(v.begin(), v.end());
  })[0];
  const auto j = nlohmann::json::from_msgpack(bytes.begin(), bytes.end());
  RunOutcome out;
  out.outputs = j.at("outputs").get_binary();
  RunRecord& r = out.record;
  r.network = o.network;
  r.fidelity = name_of(o.fidelity);
  r.images = o.images;
  r.cycles_total = j.at("cycles");
  r.events = j.at("events").get<std::map<std::string, uint64_t>>();
  r.programming = programming_from_json(j.at("programming"));
  r.accuracy_analog = j.at("accuracy");
  r.host_seconds = j.at("seconds");
  r.costs = j.at("costs");
  r.adc_bound_per_inference = work.compiled.adc_bound;
  r.outputs_sha256 = sha256_hex(out.outputs);
  return out;
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

/// One line a chip: what bring-up cost and reached.
void print_bring_up(const std::string& what, const RunRecord::Programming& p) {
  fmt::print("{:<22} {:>8} {:>12} {:>8} {:>10.2f} {:>8} {:>10} {:>10.3f} {:>10.3f}\n", what, p.mode, p.bringup_cycles,
             p.reads, p.pulses_per_device(), p.most_pulses, percent(p.yield()), p.weight_mean, p.weight_sigma);
}

void print_row(const std::string& what, uint32_t images, double accuracy, const RunRecord* r) {
  if (r == nullptr) {
    fmt::print("{:<22} {:>7} {:>10}\n", what, images, percent(accuracy));
    return;
  }
  fmt::print("{:<22} {:>7} {:>10} {:>12.1f} {:>10} {:>12} {:>12}\n", what, images, percent(accuracy),
             r->cycles_per_inference(), percent(r->adc_utilisation()),
             fmt::format("{:.0f}/s", r->images / r->host_seconds), fmt::format("{:.3g}/s", r->cycles_per_second()));
}

/// Exact event counters in which the two differ.
std::vector<std::string> event_differences(const RunRecord& a, const RunRecord& b) {
  std::vector<std::string> d;
  for (const isa::CounterInfo& c : isa::kCounters) {
    if (c.exact && a.events.at(c.name) != b.events.at(c.name)) {
      d.push_back(
          fmt::format("{}: {} {}, {} {}", c.name, a.fidelity, a.events.at(c.name), b.fidelity, b.events.at(c.name)));
    }
  }
  return d;
}

/// Two-sided 95 % quantile of Student's t; n - 1 degrees of freedom. Table: any textbook; interpolated downwards (wider
/// interval).
double student_t95(size_t n) {
  static constexpr struct {
    size_t dof;
    double t;
  } kTable[] = {{1, 12.706}, {2, 4.303},  {3, 3.182},  {4, 2.776},  {5, 2.571},  {6, 2.447},
                {7, 2.365},  {8, 2.306},  {9, 2.262},  {10, 2.228}, {12, 2.179}, {15, 2.131},
                {19, 2.093}, {24, 2.064}, {29, 2.045}, {49, 2.010}, {99, 1.984}};
  double t = kTable[0].t;
  for (const auto& row : kTable) {
    if (row.dof <= n - 1) t = row.t;
  }
  return t;
}

}  // namespace

int compare(const CompareOptions& c) {
  const RunOptions& o = c.run;
  const Workload work = prepare(o);

  RunOptions fast = c.run, rtl = c.run, twin = c.run;
  fast.fidelity = twin.fidelity = Fidelity::kFast;
  rtl.images = twin.images = c.rtl_images;
  const std::string rtl_name = name_of(rtl.fidelity);  // or netlist
  const RunOutcome r_rtl = execute_apart(work, rtl);
  const RunOutcome r_twin = execute_apart(work, twin);  // the same images as rtl
  const RunOutcome r_fast = execute_apart(work, fast);

  fmt::print("{}: {} tiles of {} x {} cells, {} SAR lanes, {} tiles used, chip seed {}, run seed {}\n\n", c.run.network,
             o.geometry.tiles(), o.geometry.rows, o.geometry.cols, o.geometry.lanes, work.compiled.pieces.size(),
             c.run.chip_seed, c.run.run_seed);
  fmt::print("{:<22} {:>7} {:>10} {:>12} {:>10} {:>12} {:>12}\n", "", "images", "accuracy", "cycles/inf.", "ADC use",
             "host images", "host cycles");
  print_row("float", o.images, work.accuracy_float, nullptr);
  print_row("int8", o.images, work.accuracy_int8, nullptr);
  print_row("int8_adc", o.images, work.accuracy_int8_adc, nullptr);
  print_row("analog, fast", fast.images, r_fast.record.accuracy_analog, &r_fast.record);
  print_row("analog, fast", twin.images, r_twin.record.accuracy_analog, &r_twin.record);
  print_row("analog, " + rtl_name, rtl.images, r_rtl.record.accuracy_analog, &r_rtl.record);

  fmt::print("\n{:<22} {:>8} {:>12} {:>8} {:>10} {:>8} {:>10} {:>10} {:>10}\n", "bring-up", "devices", "cycles",
             "reads", "pulses/dev", "most", "yield", "w mean", "w sigma");
  print_bring_up("fast", r_twin.record.programming);
  print_bring_up(rtl_name, r_rtl.record.programming);
  const bool devices_equal = r_rtl.record.programming.snapshot_sha256 == r_twin.record.programming.snapshot_sha256;
  fmt::print("{} cells on {} tiles; snapshots of {} and fast {}\n", r_rtl.record.programming.cells,
             r_rtl.record.programming.tiles, rtl_name, devices_equal ? "equal bit for bit" : "DIFFER");

  const bool outputs_equal = r_rtl.outputs == r_twin.outputs;
  const std::vector<std::string> events = event_differences(r_rtl.record, r_twin.record);
  fmt::print("\n{} and fast, {} images: outputs {}, event counts {}\n", rtl_name, c.rtl_images,
             outputs_equal ? "equal bit for bit" : "DIFFER (ohmac diff finds where)",
             events.empty() ? "equal" : "DIFFER: " + fmt::format("{}", fmt::join(events, "; ")));
  const double predicted = static_cast<double>(r_twin.record.cycles_total),
               simulated = static_cast<double>(r_rtl.record.cycles_total);
  fmt::print("cycles: {} {}, fast predicts {} ({:+.2f} %)\n", rtl_name, r_rtl.record.cycles_total,
             r_twin.record.cycles_total, 100 * (predicted - simulated) / simulated);
  fmt::print("outputs_sha256: {}\n", r_rtl.record.outputs_sha256);

  nlohmann::ordered_json j;
  if (c.chip_seeds > 1) {
    std::vector<double> drops;  // points below int8, chip by chip, same images
    double int8 = 0;
    {
      uint32_t right = 0;
      for (uint32_t i = 0; i < fast.images; ++i) right += compiler::classify(work.int8[i]) == work.test.labels[i];
      int8 = static_cast<double>(right) / fast.images;
    }
    for (uint32_t s = 0; s < c.chip_seeds; ++s) {
      RunOptions chip = fast;
      chip.chip_seed = c.run.chip_seed + s;
      chip.run_seed = c.run.run_seed + s;
      drops.push_back(100 * (int8 - execute_apart(work, chip).record.accuracy_analog));
    }
    const double n = static_cast<double>(drops.size());
    const double mean = std::accumulate(drops.begin(), drops.end(), 0.0) / n;
    double squares = 0;
    for (double d : drops) squares += (d - mean) * (d - mean);
    const double half = student_t95(drops.size()) * std::sqrt(squares / (n - 1) / n);
    fmt::print(
        "\n{} chips, the same {} images: analog is {:.2f} points below int8 on average (95 % interval {:.2f} .. "
        "{:.2f}; worst chip {:.2f})\n",
        drops.size(), fast.images, mean, mean - half, mean + half, *std::max_element(drops.begin(), drops.end()));
    j["chips"] = {{"points_below_int8", drops}, {"mean", mean}, {"interval95", {mean - half, mean + half}}};
  }
  if (!c.json.empty()) {
    j[rtl_name] = to_json(r_rtl.record);
    j["fast"] = to_json(r_fast.record);
    j["equal"] = outputs_equal && devices_equal && events.empty();
    write_file(c.json, j.dump(2) + "\n");
  }
  return outputs_equal && devices_equal && events.empty() ? 0 : 1;
}

}  // namespace ohmac::cli
