// SPDX-License-Identifier: Apache-2.0
// Toggles of every net of the flat chip while it works: SAIF for constraints/flow/power.py, and what the tiles counted meanwhile.
#include <verilated_saif_c.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "Vchip_power.h"
#include "models/systemc/verilated_chip.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "sw/cli/files.h"
#include "sw/cli/run.h"
#include "sw/cli/session.h"

namespace ohmac {
namespace {
const Geometry kGeometry{3, 2, 256, 256, 32, 65536, 32};  // tb/power/CMakeLists.txt
RtlChip* the_chip = nullptr;                                // of with_chip()
}  // namespace

std::unique_ptr<RtlChip> make_rtl_chip(const Geometry& g) {
  if (!(g == kGeometry)) throw std::invalid_argument("chip_activity has only the chip of tb/power/CMakeLists.txt");
  auto chip = std::make_unique<VerilatedChip<Vchip_power, VerilatedSaifC>>(g);
  the_chip = chip.get();
  return chip;
}

namespace {

using Counters = std::vector<std::vector<uint32_t>>;

nlohmann::json counted(const Counters& before, const Counters& after) {
  nlohmann::json tiles = nlohmann::json::array();
  for (size_t t = 0; t < after.size(); ++t) {
    nlohmann::json events;
    for (const isa::CounterInfo& c : isa::kCounters) events[c.name] = after[t][c.index] - before[t][c.index];
    tiles.push_back(std::move(events));
  }
  return tiles;
}

int run(int argc, char** argv) {
  CLI::App app("Toggles of every net of a flat chip (six reference tiles) during inference or programming of the MNIST network");
  cli::RunOptions o;
  o.fidelity = cli::Fidelity::kRtl;
  o.geometry = kGeometry;
  o.programming = Programming::kFormula;
  o.images = 100;
  std::string saif = "activity.saif", json = "activity.json", during = "inference";
  uint64_t from = 100000, cycles = 20000;
  app.add_option("--images", o.images, "images of the window")->check(CLI::Range(1u, 1000u));
  app.add_option("--during", during, "inference, or programming by pulses")->check(CLI::IsMember({"inference", "programming"}));
  app.add_option("--from", from, "programming: first cycle of the window");
  app.add_option("--cycles", cycles, "programming: about so many cycles");
  app.add_option("--saif", saif, "toggles");
  app.add_option("--json", json, "cycles and events of the window");
  CLI11_PARSE(app, argc, argv);
  const bool programming = during == "programming";
  if (programming) o.programming = Programming::kPulse;

  const cli::Workload work = cli::prepare(o);
  nlohmann::json out{{"during", during}, {"network", o.network}};
  cli::with_chip(o, [&](cli::Chip& chip) {
    if (programming) {
      throw std::runtime_error("not yet");
    }
    cli::Session session(chip, work.compiled, o);
    session.seek(0);
    const Counters before = session.counters();
    const uint64_t start = chip.cycle();
    the_chip->open_trace(saif);
    session.infer(work.packed_inputs(0, o.images), o.images);
    the_chip->close_trace();
    out["cycles"] = chip.cycle() - start;
    out["images"] = o.images;
    out["tiles"] = counted(before, session.counters());
    out["used"] = session.tiles();
  });
  cli::write_file(json, out.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace ohmac

int main(int argc, char** argv) {
  try {
    return ohmac::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "chip_activity: %s\n", e.what());
    return 2;
  }
}
