// SPDX-License-Identifier: Apache-2.0
// `make campaign`, first half: bits flipped in every class of state and errors of the AXI memory, on the tiny chip.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "models/systemc/axi.h"
#include "tb/campaign/campaign.h"

namespace ohmac::campaign {
namespace {

using nlohmann::json;

json to_json(const Tally& t) {
  json j;
  for (uint32_t i = 0; i < kNumOutcomes; ++i) j[name_of(static_cast<Outcome>(i))] = t.count[i];
  j["total"] = t.total();
  j["by_timeout"] = t.timeouts;
  return j;
}

void head(const char* first) {
  fmt::print("{:46}{:>9}{:>7}{:>8}{:>10}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}  {}\n", first, "bits", "runs", "masked",
             "miscount", "recovered", "bad rec", "reset", "reprog", "timeout", "silent", "silent %, 95 %");
}

void line(const std::string& name, uint64_t bits, const Tally& t) {
  const Interval i = wilson(t.of(Outcome::kSilent), t.total());
  fmt::print("{:46}{:>9}{:>7}{:>8}{:>10}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}  {:.1f} .. {:.1f}\n", name,
             bits ? fmt::to_string(bits) : "", t.total(), t.of(Outcome::kMasked), t.of(Outcome::kMiscount),
             t.of(Outcome::kRecovered), t.of(Outcome::kBadRecovery), t.of(Outcome::kReset), t.of(Outcome::kReprogram),
             t.timeouts, t.of(Outcome::kSilent), 100 * i.low, 100 * i.high);
}

Shot parse_shot(const Rig& rig, const std::string& text) {
  const size_t second = text.rfind(':'), first = second == std::string::npos ? second : text.rfind(':', second - 1);
  if (first == std::string::npos)
    throw std::runtime_error("--shot takes REGISTER:BIT:CYCLE, as the result file names it");
  const std::string name = text.substr(0, first);
  Shot s;
  s.bit = std::stoull(text.substr(first + 1));
  s.cycle = std::stoull(text.substr(second + 1));
  for (; s.reg < rig.registers().size(); ++s.reg) {
    const Register& r = rig.registers()[s.reg];
    if (r.scope + "." + r.name != name) continue;
    if (s.bit >= r.size()) throw std::runtime_error(fmt::format("--shot: {} has {} bits", name, r.size()));
    return s;
  }
  throw std::runtime_error(fmt::format("--shot: no register {}", name));
}

int campaign(uint64_t seed, uint32_t flips, uint32_t jobs, const std::string& out, const std::string& only) {
  const auto start = std::chrono::steady_clock::now();
  const Rig::Reference reference = Rig::measure();
  Rig rig;
  if (!only.empty()) {
    const Result r = run_all(rig, reference, std::vector<Shot>{parse_shot(rig, only)}, 1).at(0);
    fmt::print("{}{}{}, after {} cycles\n", name_of(r.outcome), r.sign.empty() ? "" : ", first sign: ", r.sign,
               r.latency);
    return 0;
  }
  std::vector<FlipRow> rows = plan_flips(rig, reference, seed, flips);
  uint64_t bits = 0;
  for (const Register& r : rig.registers()) bits += r.size();
  fmt::print(
      "Tiny chip: 2 tiles of 32 x 32, 8 lanes, 16 KiB; network 32-32-8, two jobs of {} vectors, {} cycles each; {} "
      "bits of state "
      "in {} registers\nSeed {}, {} flips a line, host patience {} cycles, watchdog {} cycles\n\n",
      Rig::kImages, reference.jobs[0].cycles, bits, rig.registers().size(), seed, flips, Rig::kPatience,
      256 * Rig::kWatchdog);
  json j;
  j["seed"] = seed;
  j["flips_per_row"] = flips;
  j["job_cycles"] = reference.jobs[0].cycles;
  j["state_bits"] = bits;

  std::vector<Shot> shots;
  for (const FlipRow& row : rows) shots.insert(shots.end(), row.shots.begin(), row.shots.end());
  const std::vector<Result> results = run_all(rig, reference, shots, jobs);
  head("bit flips in");
  Tally during, before, sram;
  std::map<std::string, uint32_t> signs;
  std::map<std::string, std::map<std::string, uint32_t>> silent;
  size_t at = 0;
  for (const FlipRow& row : rows) {
    Tally t;
    json notable = json::array();
    for (const Shot& s : row.shots) {
      const Result& r = results[at++];
      const Register& reg = rig.registers()[s.reg];
      t.add(r);
      if (!r.sign.empty()) ++signs[r.sign];
      if (r.outcome == Outcome::kSilent || r.outcome == Outcome::kBadRecovery) ++silent[row.part][reg.kind()];
      if (r.outcome == Outcome::kMasked) continue;
      notable.push_back({{"shot", fmt::format("{}.{}:{}:{}", reg.scope, reg.name, s.bit, s.cycle)},
                         {"outcome", name_of(r.outcome)},
                         {"sign", r.sign},
                         {"latency", r.latency}});
    }
    (row.part.find("before the job") == std::string::npos ? during : before) += t;
    if (row.part.rfind("SRAM data", 0) == 0 || row.part.rfind("SRAM parity", 0) == 0) sram += t;
    line(row.part, row.bits, t);
    json e = to_json(t);
    e["part"] = row.part;
    e["bits"] = row.bits;
    e["not_masked"] = notable;
    j["flips"].push_back(e);
  }
  line("all lines during the job", 0, during);
  line("all lines before the job", 0, before);

  fmt::print("\nfirst sign of the flips\n");
  for (const auto& [sign, n] : signs) fmt::print("  {:28}{:>6}\n", sign, n);
  fmt::print("\nsilent (or wrong after recovery), by register\n");
  for (const auto& [part, kinds] : silent) {
    fmt::print("  {}\n", part);
    std::vector<std::pair<uint32_t, std::string>> sorted;
    for (const auto& [kind, n] : kinds) sorted.push_back({n, kind});
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& [n, kind] : sorted) fmt::print("    {:56}{:>5}\n", kind, n);
  }

  const std::vector<AxiShot> axi = plan_axi(reference);
  const std::vector<Result> answers = run_all(rig, reference, axi, jobs);
  std::map<std::string, Tally> phases;
  Tally all;
  uint32_t right_code = 0;
  for (size_t i = 0; i < axi.size(); ++i) {
    const AxiEvent& e = (axi[i].write ? reference.writes : reference.reads)[axi[i].index];
    phases[e.phase].add(answers[i]);
    all.add(answers[i]);
    right_code +=
        answers[i].sign == (axi[i].write ? "DMA: AXI write" : "DMA: AXI read") && answers[i].address == e.burst;
  }
  fmt::print("\n");
  head("AXI: SLVERR and DECERR at");
  for (const auto& [phase, t] : phases) {
    line(phase, 0, t);
    json e = to_json(t);
    e["phase"] = phase;
    j["axi"].push_back(e);
  }
  line("all", 0, all);
  fmt::print("right cause and address in the registers: {} of {}\n", right_code, axi.size());
  j["axi_right_cause"] = right_code;
  j["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("\n{} runs in {:.0f} s\n", shots.size() + axi.size(), j["seconds"].get<double>());
  if (!out.empty()) {
    std::ofstream file(out);
    file << j.dump(1) << "\n";
    if (!file.flush()) throw std::runtime_error(out + ": cannot be written; give another file with --out");
    fmt::print("every run that was not masked: {}\n", out);
  }
  // What must hold whatever the seed; the rest of the table is a measurement.
  bool kept = true;
  const auto promise = [&](bool holds, const char* text) {
    fmt::print("{}: {}\n", holds ? "holds" : "BROKEN", text);
    kept = kept && holds;
  };
  fmt::print("\n");
  promise(sram.of(Outcome::kMasked) + sram.of(Outcome::kRecovered) == sram.total() && sram.of(Outcome::kRecovered) != 0,
          "a flip in the SRAM is detected when its line is read, and recovered");
  promise(right_code == axi.size() && all.of(Outcome::kRecovered) == all.total(),
          "every AXI error is detected with its cause and address, and recovered");
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace ohmac::campaign

int main(int argc, char** argv) {
  uint64_t seed = 1;
  uint32_t flips = 200, jobs = std::max(1u, std::thread::hardware_concurrency());
  std::string out, shot;
  CLI::App app("Fault campaign on the tiny chip: bit flips in all state, errors of the AXI memory");
  app.add_option("--seed", seed, "of the flips")->capture_default_str();
  app.add_option("--flips", flips, "a line of the table")->capture_default_str()->check(CLI::Range(1, 100000));
  app.add_option("--jobs", jobs, "processes at once; no influence on the results")->check(CLI::Range(1, 1024));
  app.add_option("--out", out, "result file (JSON)");
  app.add_option("--shot", shot, "only this flip: REGISTER:BIT:CYCLE as in the result file");
  CLI11_PARSE(app, argc, argv);
  try {
    return ohmac::campaign::campaign(seed, flips, jobs, out, shot);
  } catch (const std::exception& e) {
    fmt::print(stderr, "fault_campaign: {}\n", e.what());
    return 1;
  }
}
