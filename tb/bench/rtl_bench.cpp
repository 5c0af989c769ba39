// SPDX-License-Identifier: Apache-2.0
// Speed of the cycle-accurate chip: the MLP streams through six busy tiles of the reference geometry, three ways in one run:
// Verilated alone, in SystemC with a stub for the macros, in SystemC with the analog macros. The differences are the profile.
// Then the cost of an idle tile against a busy one.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "models/systemc/cosim.h"
#include "sw/cli/cosim_platform.h"
#include "sw/cli/run.h"
#include "sw/cli/workers.h"
#include "sw/driver/driver.h"
#include "sw/runtime/runtime.h"
#include "tb/bench/bare_platform.h"

namespace ohmac::bench {
namespace {

constexpr uint32_t kImages = 400;
constexpr uint32_t kIdleCycles = 20000;
constexpr int kRounds = 3;  // best of, interleaved, so that a slow moment of the machine hits every variant

struct Timing {
  double seconds = 0;
  uint64_t cycles = 0;
  double per_cycle_us() const { return 1e6 * seconds / static_cast<double>(cycles); }
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void must(Status s, const char* what) {
  if (s != Status::kOk) throw std::runtime_error(fmt::format("{}: {}", what, status_text(s)));
}

/// Brings the network up (uncalibrated: the stub's comparators say nothing) and times one job.
template <class Cycles>
Timing time_inference(Platform& platform, const cli::Workload& work, Cycles&& cycles) {
  Driver driver(platform);
  Runtime runtime(driver);
  must(driver.probe(), "probe");
  LoadOptions load;
  load.calibrate = false;
  must(runtime.load(work.compiled.image.data(), work.compiled.image.size(), load), "load");
  const std::vector<int8_t> inputs = work.packed_inputs(0, kImages);
  std::vector<uint8_t> outputs(size_t{kImages} * work.compiled.output_count * 4);
  Timing t;
  const uint64_t c0 = cycles();
  const double t0 = now();
  must(runtime.infer(inputs.data(), kImages, outputs.data()), "infer");
  t.seconds = now() - t0;
  t.cycles = cycles() - c0;
  return t;
}

CosimConfig cosim_config(const Geometry& g, bool stub) {
  CosimConfig c;
  c.geometry = g;
  c.stub_macro = stub;
  for (uint32_t t = 0; t < g.tiles(); ++t) {
    MacroConfig m;
    m.geometry = g;
    m.tile = t;
    c.macros.push_back(m);
  }
  return c;
}

/// Runs f in a process of its own (one SystemC elaboration each) and brings its Timing back.
Timing apart(const std::function<Timing()>& f) {
  const std::string bytes = cli::run_forked(1, 1, [&](uint32_t) {
    const Timing t = f();
    return std::string(reinterpret_cast<const char*>(&t), sizeof t);
  })[0];
  Timing t;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&t));
  return t;
}

Timing bare(const cli::Workload& work) {
  BarePlatform platform(reference_geometry(), {});
  return time_inference(platform, work, [&] { return platform.cycles(); });
}

Timing in_systemc(const cli::Workload& work, bool stub) {
  Timing t;
  run_cosim(cosim_config(reference_geometry(), stub), [&](CosimBus& bus) {
    cli::CosimPlatform platform(bus);
    if (!stub) {
      t = time_inference(platform, work, [&] { return bus.cycle(); });
      return;
    }
    class NoCells final : public Platform {  // the stub has no devices to program
     public:
      explicit NoCells(Platform& p) : p_(p) {}
      Status csr_read(uint32_t a, uint32_t* v) override { return p_.csr_read(a, v); }
      Status csr_write(uint32_t a, uint32_t v) override { return p_.csr_write(a, v); }
      Status wait_irq(uint64_t c) override { return p_.wait_irq(c); }
      uint8_t* dma_memory() override { return p_.dma_memory(); }
      uint64_t dma_bus_address() override { return p_.dma_bus_address(); }
      size_t dma_size() override { return p_.dma_size(); }
      Status program_cells(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, const int8_t*) override { return Status::kOk; }

     private:
      Platform& p_;
    } no_cells(platform);
    t = time_inference(no_cells, work, [&] { return bus.cycle(); });
  });
  return t;
}

/// A chip on which nothing runs.
Timing idle(const Geometry& g) {
  BarePlatform platform(g, {});
  Timing t;
  const double t0 = now();
  for (uint32_t i = 0; i < kIdleCycles; ++i) platform.cycle();
  t.seconds = now() - t0;
  t.cycles = kIdleCycles;
  return t;
}

Timing best(const std::vector<Timing>& t) {
  return *std::min_element(t.begin(), t.end(), [](const Timing& a, const Timing& b) { return a.per_cycle_us() < b.per_cycle_us(); });
}

int main_checked() {
  cli::RunOptions o;
  o.images = kImages;
  const cli::Workload work = cli::prepare(o);
  const uint32_t busy = static_cast<uint32_t>(work.compiled.pieces.size());

  const Geometry one = single_geometry();
  std::vector<Timing> bare_t, stub_t, macro_t, idle_t, idle_one_t;
  for (int r = 0; r < kRounds; ++r) {
    bare_t.push_back(apart([&] { return bare(work); }));
    stub_t.push_back(apart([&] { return in_systemc(work, true); }));
    macro_t.push_back(apart([&] { return in_systemc(work, false); }));
    idle_t.push_back(apart([&] { return idle(reference_geometry()); }));
    idle_one_t.push_back(apart([&] { return idle(one); }));
  }
  const Timing b = best(bare_t), s = best(stub_t), m = best(macro_t), i = best(idle_t), i1 = best(idle_one_t);

  fmt::print("reference geometry, {} tiles busy, {} images, best of {} interleaved rounds\n\n", busy, kImages, kRounds);
  fmt::print("{:<38} {:>12} {:>12} {:>8}\n", "", "cycles/s", "us/cycle", "ratio");
  const auto row = [&](const char* what, const Timing& t) {
    fmt::print("{:<38} {:>12.0f} {:>12.3f} {:>8.2f}\n", what, 1e6 / t.per_cycle_us(), t.per_cycle_us(),
               t.per_cycle_us() / b.per_cycle_us());
  };
  row("bare Verilated", b);
  row("SystemC, stub macros", s);
  row("SystemC, analog macros", m);
  row("bare Verilated, all 16 tiles idle", i);
  row("bare Verilated, one idle tile alone", i1);
  fmt::print("\nmacro against stub: {:.2f}\n", m.per_cycle_us() / s.per_cycle_us());
  fmt::print("profile of a cycle: Verilated {:.0f} %, SystemC and memory {:.0f} %, analog macros {:.0f} %\n",
             100 * b.per_cycle_us() / m.per_cycle_us(), 100 * (s.per_cycle_us() - b.per_cycle_us()) / m.per_cycle_us(),
             100 * (m.per_cycle_us() - s.per_cycle_us()) / m.per_cycle_us());
  const double idle_tile = (i.per_cycle_us() - i1.per_cycle_us()) / (reference_geometry().tiles() - 1);
  const double busy_tile = (b.per_cycle_us() - i.per_cycle_us()) / busy + idle_tile;
  fmt::print("a busy tile costs {:.3f} us a cycle, an idle one {:.4f} us ({:.1f} % of it)\n", busy_tile, idle_tile,
             100 * idle_tile / busy_tile);
  return 0;
}

}  // namespace
}  // namespace ohmac::bench

int main() {
  try {
    return ohmac::bench::main_checked();
  } catch (const std::exception& e) {
    fmt::print(stderr, "rtl_bench: {}\n", e.what());
    return 1;
  }
}
