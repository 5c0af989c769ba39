// SPDX-License-Identifier: Apache-2.0
#include "models/systemc/cosim.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "models/systemc/chip_library.h"
#include "models/systemc/modules.h"

namespace ohmac {
namespace {

constexpr uint64_t kProgressCycles = 2000;
constexpr size_t kErrorsShown = 10;

/// Clock, reset, chip, macros, memory and the thread that runs the firmware.
class Bench : public sc_core::sc_module, public CosimBus {
 public:
  SC_HAS_PROCESS(Bench);
  Bench(sc_core::sc_module_name name, const CosimConfig& config, const std::function<void(CosimBus&)>& firmware)
      : sc_module(name),
        clk_("clk", sc_core::sc_time(config.macros.at(0).clock_ns, sc_core::SC_NS), 0.5,
             sc_core::sc_time(1, sc_core::SC_NS)),
        chip_("chip", config.chip_library.empty() ? make_rtl_chip(config.geometry)
                                                  : load_chip(config.chip_library, config.geometry)),
        mem_("mem", config.memory),
        firmware_(firmware),
        period_(config.macros.at(0).clock_ns, sc_core::SC_NS) {
    chip_.clk(clk_);
    chip_.rst_n(rst_n_);
    chip_.memory(mem_.face);
    for (uint32_t t = 0; t < config.geometry.tiles(); ++t) {
      const std::string tile = "macro" + std::to_string(t);
      if (config.stub_macro) {
        stubs_.push_back(std::make_unique<StubMacroModule>(tile.c_str()));
        chip_.macros[t](stubs_.back()->face);
      } else {
        macros_.push_back(std::make_unique<MacroModule>(tile.c_str(), config.macros.at(t)));
        chip_.macros[t](macros_.back()->face);
      }
    }
    if (!config.waves.empty()) chip_.chip().open_trace(config.waves);
    SC_THREAD(run);
    set_stack_size(4u << 20);  // firmware and result handling run on it
  }

  uint8_t read(uint32_t addr, uint32_t* value) override { return chip_.access(false, addr, value); }
  uint8_t write(uint32_t addr, uint32_t value) override { return chip_.access(true, addr, &value); }
  bool wait_irq(uint64_t cycles) override {
    const uint64_t end = chip_.cycle() + cycles;
    while (!chip_.irq()) {
      if (chip_.cycle() >= end) return false;
      sc_core::wait(period_ * static_cast<double>(std::min(kProgressCycles, end - chip_.cycle())), chip_.irq_event());
      if (progress_) progress_();
    }
    return true;
  }
  AxiMemory& memory() override { return mem_.memory(); }
  Macro& macro(uint32_t tile) override { return macros_.at(tile)->macro(); }
  uint64_t cycle() const override { return chip_.cycle(); }
  void set_timeline(ChipTimeline* t) override { chip_.set_timeline(t); }
  void set_progress(std::function<void()> f) override { progress_ = std::move(f); }

  void check() override {
    std::string errors;
    size_t count = 0;
    for (const auto& m : macros_) {
      for (const ProtocolError& e : m->macro().protocol_errors()) {
        if (++count <= kErrorsShown) {
          errors += "\n  tile " + std::to_string(e.tile) + ", cycle " + std::to_string(e.cycle) + ": " + e.rule;
        }
      }
    }
    if (count) throw std::runtime_error(std::to_string(count) + " macro protocol errors:" + errors);
  }

  void finish() {
    chip_.chip().close_trace();
    if (error_) std::rethrow_exception(error_);
    check();
  }

 private:
  void wait_cycles(uint64_t cycles) { sc_core::wait(period_ * static_cast<double>(cycles)); }

  void run() {
    rst_n_.write(false);
    wait_cycles(4);
    rst_n_.write(true);
    wait_cycles(4);
    try {
      firmware_(*this);
    } catch (...) {
      error_ = std::current_exception();  // an exception must not cross the kernel
    }
    sc_core::sc_stop();
  }

  sc_core::sc_clock clk_;
  sc_core::sc_signal<bool> rst_n_{"rst_n"};
  ChipModule chip_;
  MemoryModule mem_;
  std::vector<std::unique_ptr<MacroModule>> macros_;
  std::vector<std::unique_ptr<StubMacroModule>> stubs_;
  const std::function<void(CosimBus&)>& firmware_;
  sc_core::sc_time period_;
  std::function<void()> progress_;
  std::exception_ptr error_;
};

}  // namespace

void run_cosim(const CosimConfig& config, const std::function<void(CosimBus&)>& firmware) {
  if (config.macros.size() != config.geometry.tiles()) {
    throw std::invalid_argument("run_cosim: one macro configuration a tile is needed");
  }
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                          sc_core::SC_DO_NOTHING);  // "stopped by user"
  Bench bench("bench", config, firmware);
  sc_core::sc_start();
  bench.finish();
}

}  // namespace ohmac

/// The library brings a main() of its own, which calls this: a program that lacks a main must not look like a success.
int sc_main(int, char**) { return 1; }
