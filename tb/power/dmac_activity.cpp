// SPDX-License-Identifier: Apache-2.0
// The digital baseline (rtl/baseline) running a network on real images: VCD of its registers for
// constraints/flow/baseline.py. Every product of the recorded images is checked against the integer network, so what is
// recorded is an inference.
#include <verilated_vcd_c.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "Vdmac_power4.h"
#include "Vdmac_power8.h"
#include "models/systemc/rtl_chip.h"
#include "sw/cli/files.h"
#include "sw/cli/run.h"
#include "sw/compiler/quantise.h"
#include "tb/common/dmac_network.h"
#include "tb/power/tool.h"

namespace ohmac {

std::unique_ptr<RtlChip> make_rtl_chip(const Geometry&) {
  throw std::invalid_argument("dmac_activity has no chip, only the digital baseline");
}

namespace {

constexpr unsigned kRows = 256, kCols = 256;  // tb/power/CMakeLists.txt

/// As tb::Clocked, and writes every settled half cycle while a trace is open: inputs of a cycle are seen with the low
/// clock before it.
template <class Dut>
class Recorded : public tb::Clocked<Dut> {
 public:
  explicit Recorded(const std::function<void(VerilatedContext&)>& setup)
      : tb::Clocked<Dut>([&](VerilatedContext& context) {
          context.traceEverOn(true);
          if (setup) setup(context);
        }) {}

  void open(const std::string& path, const std::vector<std::pair<int, std::string>>& scopes) {
    if (!std::ofstream(path))
      throw std::runtime_error(path + ": cannot write the recording");  // isOpen() does not tell
    trace_ = std::make_unique<VerilatedVcdC>();
    (*this)->trace(trace_.get(), 99);
    for (const auto& [depth, scope] : scopes) trace_->dumpvars(depth, scope);
    trace_->open(path.c_str());
  }
  void close() {
    if (trace_) trace_->close();
    trace_.reset();
  }

  void tick() {
    tb::Clocked<Dut>::tick([&] {
      if (trace_) trace_->dump(++half_cycles_);
    });
  }

 private:
  std::unique_ptr<VerilatedVcdC> trace_;
  uint64_t half_cycles_ = 0;
};

/// Registers and memory outputs of the core; not the numbers between its adders.
std::vector<std::pair<int, std::string>> scopes(const tb::DmacShape& shape) {
  const std::string top = "TOP.ohmac_dmac";
  std::vector<std::pair<int, std::string>> all{{1, top}};
  for (unsigned s = 0; s < shape.slices(); ++s) {
    const std::string slice = top + ".gen_slice[" + std::to_string(s) + "].u_slice";
    all.emplace_back(1, slice);
    all.emplace_back(1, slice + ".u_bank");
    all.emplace_back(1, slice + ".gen_col[0]");  // negs_q has the name of what it is added to in netlists
  }
  for (unsigned c = 0; c < 4; ++c) all.emplace_back(1, top + ".gen_col[" + std::to_string(c) + "].u_column");
  return all;
}

struct Options {
  uint32_t bits = 8, images = 1000, recorded = 30;
  std::string folder = "dmac";
};

/// Records every piece but the loading of its weights; their list.
/// @throws std::runtime_error if a product or an output is not that of the integer network
template <class Dut>
nlohmann::json record(const Options& o, const cli::Workload& work, const compiler::IntegerNetwork& network) {
  const tb::DmacShape shape{kRows, kCols, o.bits, o.bits};
  tb::DmacDriver<Dut, Recorded<Dut>> core(shape);
  std::vector<std::vector<int8_t>> inputs;
  for (uint32_t i = 0; i < o.recorded; ++i) inputs.push_back(network.quantise_input(work.test.input(i)));
  nlohmann::json pieces = nlohmann::json::array();
  const auto outputs = tb::run_network(
      core, shape, network, work.compiled.pieces, inputs,
      [&](const compiler::Piece&, const std::string& name) {
        core.dut.open(o.folder + "/" + name + ".vcd", scopes(shape));
      },
      [&](const compiler::Piece& p, const std::string& name, uint64_t cycles) {
        core.dut.close();
        pieces.push_back({{"name", name}, {"rows", p.k}, {"columns", p.n}, {"cycles", cycles}, {"vcd", name + ".vcd"}});
      });
  for (uint32_t i = 0; i < o.recorded; ++i) {
    if (outputs[i] != network.run(inputs[i]))
      throw std::runtime_error("image " + std::to_string(i) + ": not the outputs of the integer network");
  }
  return pieces;
}

int run(int argc, char** argv) {
  CLI::App app("A network on the digital baseline: its registers while it infers, and its accuracy");
  Options o;
  cli::RunOptions run;
  app.add_option("--network", run.network, "shipped network or ONNX file");
  app.add_option("--bits", o.bits, "of weights and activations")->check(CLI::IsMember({4u, 8u}));
  app.add_option("--images", o.images, "images that the integer network classifies")->check(CLI::Range(1u, 1000u));
  app.add_option("--recorded", o.recorded, "the first of them, which the core infers, recorded")
      ->check(CLI::Range(1u, 1000u));
  app.add_option("--out", o.folder, "folder for a VCD a piece and activity.json");
  CLI11_PARSE(app, argc, argv);
  o.recorded = std::min(o.recorded, o.images);
  run.images = o.images;
  std::filesystem::create_directories(o.folder);

  const cli::Workload work = cli::prepare(run);
  const compiler::IntegerNetwork network =
      o.bits == 8 ? compiler::IntegerNetwork{work.compiled.layers, 127}
                  : compiler::quantise_narrow(work.compiled.source, cli::calibration_images(run), o.bits);
  uint32_t right = 0;
  for (uint32_t i = 0; i < o.images; ++i)
    right += compiler::classify(network.run(network.quantise_input(work.test.input(i)))) == work.test.labels[i];
  nlohmann::json out{{"bits", o.bits},
                     {"network", run.network},
                     {"images", o.images},
                     {"recorded", o.recorded},
                     {"rows", kRows},
                     {"cols", kCols},
                     {"mvm_cycles", tb::DmacShape::mvm_cycles(kCols)},
                     {"accuracy", static_cast<double>(right) / o.images},
                     {"accuracy_float", work.accuracy_float}};
  out["pieces"] = o.bits == 8 ? record<Vdmac_power8>(o, work, network) : record<Vdmac_power4>(o, work, network);
  cli::write_file(o.folder + "/activity.json", out.dump(1) + "\n");
  return 0;
}

}  // namespace
}  // namespace ohmac

int main(int argc, char** argv) { return ohmac::tool_main("dmac_activity", ohmac::run, argc, argv); }
