// SPDX-License-Identifier: Apache-2.0
// Speed of the cycle-accurate chip: the MLP streams through six busy tiles of the reference geometry, three ways in one
// run: Verilated alone, in SystemC with a stub for the macros, in SystemC with the analog macros; then a chip on which
// nothing runs. A sampling profile says where the time goes and what a busy and an idle tile cost; tile counters give
// the ADC utilisation.
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
#include "tb/bench/sampler.h"

namespace ohmac::bench {
namespace {

constexpr uint32_t kImages = 1000;
constexpr uint32_t kFillImages =
    100;  // a job of its own before the timed one; the difference of the two is the steady state
constexpr uint32_t kIdleCycles = 80000;
constexpr int kRounds = 3;  // best of, interleaved, so that a slow moment of the machine hits every variant

struct Timing {
  double seconds = 0;
  uint64_t cycles = 0;
  double share[static_cast<size_t>(Part::kCount)] = {};
  double utilisation = 0;    ///< of the first layer's ADCs, steady state
  double steady_cycles = 0;  ///< an inference
  double us(Part p) const { return share[static_cast<size_t>(p)] * per_cycle_us(); }
  double per_cycle_us() const { return 1e6 * seconds / static_cast<double>(cycles); }
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void must(Status s, const char* what) {
  if (s != Status::kOk) throw std::runtime_error(fmt::format("{}: {}", what, status_text(s)));
}

/// Conversion cycles so far of the ADCs of the first layer's tiles, averaged over the tiles.
double first_layer_adc_busy(Driver& driver, const cli::Workload& work) {
  double sum = 0, tiles = 0;
  for (const auto& p : work.compiled.pieces) {
    uint32_t busy;
    if (p.layer != 0) continue;
    must(driver.read_counter(p.tile, isa::Counter::kAdcBusy, &busy), "read_counter");
    sum += busy;
    ++tiles;
  }
  return sum / tiles;
}

void profile(Timing* t, Sampler* sampler) {
  const std::vector<double> share = sampler->stop();
  std::copy(share.begin(), share.end(), t->share);
}

/// Brings the network up and times one job: uncalibrated, because a stub's comparators say nothing, and with its cells
/// programmed where there are `devices`.
template <class Cycles>
Timing time_inference(Platform& platform, const cli::Workload& work, bool devices, Cycles&& cycles) {
  Driver driver(platform);
  Runtime runtime(driver);
  must(driver.probe(), "probe");
  LoadOptions load;
  load.programming = devices ? Programming::kFormula : Programming::kNone;
  load.calibrate = false;
  must(runtime.load(work.compiled.image.data(), work.compiled.image.size(), load), "load");
  const std::vector<int8_t> inputs = work.packed_inputs(0, kImages);
  std::vector<uint8_t> outputs(size_t{kImages} * work.compiled.output_count * 4);
  Timing t;
  const double busy0 = first_layer_adc_busy(driver, work);
  const uint64_t c0 = cycles();
  must(runtime.infer(inputs.data(), kFillImages, outputs.data()), "infer");
  const uint64_t fill_cycles = cycles() - c0;
  const double busy1 = first_layer_adc_busy(driver, work);

  Sampler sampler;
  sampler.start();
  const uint64_t c1 = cycles();
  const double t0 = now();
  must(runtime.infer(inputs.data(), kImages, outputs.data()), "infer");
  t.seconds = now() - t0;
  t.cycles = cycles() - c1;
  profile(&t, &sampler);
  const double busy2 = first_layer_adc_busy(driver, work);
  const double steady = static_cast<double>(t.cycles - fill_cycles);
  t.utilisation = ((busy2 - busy1) - (busy1 - busy0)) / steady;
  t.steady_cycles = steady / (kImages - kFillImages);
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
  return time_inference(platform, work, false, [&] { return platform.cycles(); });
}

Timing in_systemc(const cli::Workload& work, bool stub) {
  Timing t;
  run_cosim(cosim_config(reference_geometry(), stub), [&](CosimBus& bus) {
    cli::CosimPlatform platform(bus);
    t = time_inference(platform, work, !stub, [&] { return bus.cycle(); });
  });
  return t;
}

/// A chip on which nothing runs.
Timing idle(const Geometry& g) {
  BarePlatform platform(g, {});
  Timing t;
  Sampler sampler;
  sampler.start();
  const double t0 = now();
  for (uint32_t i = 0; i < kIdleCycles; ++i) platform.cycle();
  t.seconds = now() - t0;
  t.cycles = kIdleCycles;
  profile(&t, &sampler);
  return t;
}

/// The fastest round, with the profile of all.
Timing best(const std::vector<Timing>& rounds) {
  const auto faster = [](const Timing& a, const Timing& b) { return a.per_cycle_us() < b.per_cycle_us(); };
  Timing t = *std::min_element(rounds.begin(), rounds.end(), faster);
  for (double& s : t.share) {
    s = 0;
    for (const Timing& r : rounds) s += r.share[&s - t.share] / static_cast<double>(rounds.size());
  }
  return t;
}

int main_checked() {
  cli::RunOptions o;
  o.images = kImages;
  const cli::Workload work = cli::prepare(o);
  const uint32_t busy = static_cast<uint32_t>(work.compiled.pieces.size());

  std::vector<Timing> bare_t, stub_t, macro_t, idle_t;
  for (int r = 0; r < kRounds; ++r) {
    bare_t.push_back(apart([&] { return bare(work); }));
    stub_t.push_back(apart([&] { return in_systemc(work, true); }));
    macro_t.push_back(apart([&] { return in_systemc(work, false); }));
    idle_t.push_back(apart([&] { return idle(reference_geometry()); }));
  }
  const Timing b = best(bare_t), s = best(stub_t), m = best(macro_t), i = best(idle_t);

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
  fmt::print("\nmacro against stub: {:.2f}\n", m.per_cycle_us() / s.per_cycle_us());
  fmt::print("ADCs of the {} x {} layer, steady state: busy {:.1f} % of the cycles, {:.1f} cycles an inference\n\n",
             work.compiled.layers[0].k, work.compiled.layers[0].n, 100 * m.utilisation, m.steady_cycles);

  fmt::print("profile, us a cycle (processor time, sampled)\n{:<38} {:>12} {:>12} {:>12} {:>12}\n", "", "bare", "stub",
             "macros", "idle chip");
  for (uint32_t p = 0; p < static_cast<uint32_t>(Part::kCount); ++p) {
    const Part part = static_cast<Part>(p);
    fmt::print("{:<38} {:>12.3f} {:>12.3f} {:>12.3f} {:>12.3f}\n", part_name(part), b.us(part), s.us(part), m.us(part),
               i.us(part));
  }
  const uint32_t tiles = reference_geometry().tiles();
  const double idle_tile = i.us(Part::kTiles) / tiles;
  const double busy_tile = (b.us(Part::kTiles) - (tiles - busy) * idle_tile) / busy;
  fmt::print("\na busy tile costs {:.3f} us a cycle, an idle one {:.3f} us ({:.1f} % of it)\n", busy_tile, idle_tile,
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
