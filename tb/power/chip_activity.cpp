// SPDX-License-Identifier: Apache-2.0
// Every bit of one tile, or of the chip around the tiles, while it works: VCD for constraints/flow/power.py, and what
// the tiles counted meanwhile.
#include <verilated_vcd_c.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "Vchip_power.h"
#include "models/systemc/verilated_chip.h"
#include "sw/cli/files.h"
#include "sw/cli/run.h"
#include "sw/cli/session.h"
#include "sw/compiler/map.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/power/tool.h"

namespace ohmac {
namespace {
const Geometry kGeometry{3, 2, 256, 256, 32, 65536, 32};  // tb/power/CMakeLists.txt
using PowerChip = VerilatedChip<Vchip_power, VerilatedVcdC>;
PowerChip* the_chip = nullptr;  // of with_chip()
}  // namespace

std::unique_ptr<RtlChip> make_rtl_chip(const Geometry& g) {
  if (!(g == kGeometry)) throw std::invalid_argument("chip_activity has only the chip of tb/power/CMakeLists.txt");
  auto chip = std::make_unique<PowerChip>(g);
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

std::vector<std::pair<int, std::string>> scopes(int tile) {
  const std::string top = "TOP.ohmac_top", all = ".gen_tile[";
  if (tile >= 0) return {{99, top + all + std::to_string(tile) + "].u_tile"}};
  std::vector<std::pair<int, std::string>> around{
      {1, top}, {99, top + ".u_csr"}, {99, top + ".u_dma"}, {99, top + ".u_mesh"}};
  for (uint32_t t = 0; t < kGeometry.tiles(); ++t) {
    around.emplace_back(1, top + all + std::to_string(t) + "]");
    around.emplace_back(1, top + all + std::to_string(t) + "].u_gate");
    around.emplace_back(1, top + all + std::to_string(t) + "].u_tile");
  }
  return around;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Values of every bit of a flat chip (six reference tiles) during inference or programming of the MNIST network");
  cli::RunOptions o;
  o.fidelity = cli::Fidelity::kRtl;
  o.geometry = kGeometry;
  o.programming = Programming::kFormula;
  o.images = 100;
  std::string vcd = "activity.vcd", json = "activity.json", during = "inference";
  int tile = 0;
  uint64_t from = 100000, cycles = 20000;
  app.add_option("--images", o.images, "images of the window")->check(CLI::Range(1u, 1000u));
  app.add_option("--during", during, "inference, or programming by pulses")
      ->check(CLI::IsMember({"inference", "programming"}));
  app.add_option("--from", from, "programming: first cycle of the window");
  app.add_option("--cycles", cycles, "programming: about so many cycles");
  app.add_option("--tile", tile, "tile to look at; -1: the chip around the tiles")->check(CLI::Range(-1, 5));
  app.add_option("--vcd", vcd, "values");
  app.add_option("--json", json, "cycles and events of the window");
  CLI11_PARSE(app, argc, argv);
  const bool programming = during == "programming";
  if (programming) o.programming = Programming::kPulse;

  const cli::Workload work = cli::prepare(o);
  nlohmann::json out{{"during", during}, {"network", o.network}};
  cli::with_chip(o, [&](cli::Chip& chip) {
    bool open = false, done = false;
    uint64_t start = 0;
    if (programming) {
      chip.set_progress([&](uint64_t) {
        if (!done && !open && chip.cycle() >= from) {
          the_chip->open_trace(vcd, scopes(tile));
          start = chip.cycle();
          open = true;
        } else if (open && chip.cycle() >= start + cycles) {
          the_chip->close_trace();
          out["cycles"] = chip.cycle() - start;
          open = false;
          done = true;
        }
      });
    }
    cli::Session session(chip, work.compiled, o);
    if (programming) {
      chip.set_progress({});
      if (!done) throw std::runtime_error("programming was over before the window; --from and --cycles ask for less");
      return;
    }
    session.seek(0);
    const Counters before = session.counters();
    start = chip.cycle();
    the_chip->open_trace(vcd, scopes(tile));
    session.infer(work.packed_inputs(0, o.images), o.images);
    the_chip->close_trace();
    out["cycles"] = chip.cycle() - start;
    out["images"] = o.images;
    out["tiles"] = counted(before, session.counters());
    out["used"] = session.tiles();
    out["flit_hops"] = compiler::flit_hops(o.geometry, work.compiled.pieces, work.compiled.layers) * o.images;
  });
  cli::write_file(json, out.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace ohmac

int main(int argc, char** argv) { return ohmac::tool_main("chip_activity", ohmac::run, argc, argv); }
