// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/golden/golden_chip.h"
#include "models/systemc/chip_library.h"
#include "models/systemc/cosim.h"
#include "sw/cli/cosim_platform.h"
#include "sw/cli/error_text.h"
#include "sw/cli/golden_platform.h"

namespace ohmac::cli {
namespace {

constexpr uint64_t kMemoryBase = 0x8000'0000;
constexpr size_t kMemoryBytes = 16u << 20;

class GoldenRun final : public Chip {
 public:
  explicit GoldenRun(golden::GoldenChip& chip) : chip_(chip), platform_(chip) {}
  Platform& platform() override { return platform_; }
  Macro& macro(uint32_t tile) override { return chip_.macro(tile); }
  uint64_t cycle() override { return chip_.cycle(); }
  void check() override {}
  void set_timeline(ChipTimeline* t) override { chip_.set_timeline(t); }
  void set_progress(std::function<void(uint64_t)>) override {}

 private:
  golden::GoldenChip& chip_;
  GoldenPlatform platform_;
};

class CosimRun final : public Chip {
 public:
  explicit CosimRun(CosimBus& bus) : bus_(bus), platform_(bus) {}
  Platform& platform() override { return platform_; }
  Macro& macro(uint32_t tile) override { return bus_.macro(tile); }
  uint64_t cycle() override { return bus_.cycle(); }
  void check() override { bus_.check(); }
  void set_timeline(ChipTimeline* t) override { bus_.set_timeline(t); }
  void set_progress(std::function<void(uint64_t)> f) override {
    if (!f) return bus_.set_progress({});
    const uint64_t start = bus_.memory().write_bursts();
    bus_.set_progress([this, start, f = std::move(f)] { f(bus_.memory().write_bursts() - start); });
  }

 private:
  CosimBus& bus_;
  CosimPlatform platform_;
};

MacroConfig macro_config(const RunOptions& o, uint32_t tile) {
  MacroConfig m;
  m.geometry = o.geometry;
  m.tile = tile;
  m.chip_seed = o.chip_seed;
  m.run_seed = o.run_seed;
  m.effects = o.effects;
  m.age_s = o.age_s;
  m.faults = o.faults;
  m.technology = o.technology;
  m.read_noise = o.read_noise;
  m.dac = o.dac;
  m.wires = o.wires;
  return m;
}

}  // namespace

void with_chip(const RunOptions& o, const std::function<void(Chip&)>& f) {
  if (o.fidelity == Fidelity::kFast) {
    golden::ChipConfig c;
    c.geometry = o.geometry;
    c.memory_base = kMemoryBase;
    c.memory_bytes = kMemoryBytes;
    golden::GoldenChip chip(c, macro_config(o, 0));
    GoldenRun run(chip);
    f(run);
    return;
  }
  CosimConfig c;
  c.geometry = o.geometry;
  c.memory.base = kMemoryBase;
  c.memory.bytes = kMemoryBytes;
  c.memory.stall_percent = o.stall_percent;
  c.memory.stall_seed = o.stall_seed;
  c.waves = o.waves;
  if (o.fidelity == Fidelity::kNetlist) c.chip_library = chip_library_path("netlist", o.geometry);
  for (uint32_t t = 0; t < o.geometry.tiles(); ++t) c.macros.push_back(macro_config(o, t));
  run_cosim(c, [&](CosimBus& bus) {
    CosimRun run(bus);
    f(run);
  });
}

void require(Status s, const char* what, const Driver& driver) {
  if (s == Status::kOk) return;
  const ErrorInfo& e = driver.last_error();
  throw std::runtime_error(fmt::format("{}: {}", what, e.status == s ? error_text(e) : status_text(s)));
}

namespace {

/// Cells of a program image, one call a region.
template <class F>
void each_region(const compiler::Compiled& compiled, const ChipInfo& chip, F&& f) {
  ImageReader image;
  if (image.open(compiled.image.data(), compiled.image.size(), chip) != Status::kOk) return;  // load() has said why
  ImageReader::Cursor cursor;
  image::CellsRecord cells;
  const int8_t* targets;
  while (image.next_cells(&cursor, &cells, &targets)) f(cells, targets);
}

}  // namespace

Session::Session(Chip& chip, const compiler::Compiled& compiled, const RunOptions& options)
    : chip_(chip),
      compiled_(compiled),
      options_(options),
      programming_(options.programming == Programming::kPulse ? DeviceProgramming::kPulses
                                                              : DeviceProgramming::kFormula),
      driver_(chip.platform()),
      runtime_(driver_) {
  require(driver_.probe(), "probing the chip", driver_);
  if (!options.restore.empty()) restore();
  LoadOptions load;
  load.programming = options.restore.empty() ? options.programming : Programming::kNone;
  load.self_test = options.self_test;
  load.repair = options.repair;
  load.reference = options.reference;
  const Status s = runtime_.load(compiled.image.data(), compiled.image.size(), load, &bring_up_.load);
  if (s == Status::kBadImage || s == Status::kWrongGeometry) {
    throw UsageError(
        fmt::format("program image of {}: {} (offset {}: {}); compile it again for this chip: ohmac compile "
                    "--geometry ... --out FILE",
                    compiled.name, status_text(s), runtime_.bad_offset(), runtime_.bad_reason()));
  }
  require(s, "loading the network", driver_);
  const image::NetworkRecord& n = runtime_.network();
  if (n.input_bytes != compiled.source.inputs() || n.output_count != compiled.output_count ||
      n.output_elem_bytes != 4) {
    throw UsageError(
        fmt::format("program image: made for {} inputs and {} outputs, the network {} has {} and {}; compile "
                    "this network again: ohmac compile --network ... --out FILE",
                    n.input_bytes, n.output_count, compiled.name, compiled.source.inputs(), compiled.output_count));
  }
  drives_per_vector_.assign(driver_.chip().tiles, 0);
  ImageReader image;
  require(image.open(compiled.image.data(), compiled.image.size(), driver_.chip()), "reading the image", driver_);
  for (uint32_t i = 0; i < image.num_tiles(); ++i) {
    tiles_.push_back(image.tile(i).tile);
    drives_per_vector_[image.tile(i).tile] = image.tile(i).drives_per_vector;
  }
  each_region(compiled, driver_.chip(),
              [&](const image::CellsRecord& c, const int8_t*) { cells_ += uint64_t{c.rows} * c.cols; });
  note_drives();
  bring_up_.cycles = chip.cycle();
  bring_up_.devices = devices();
  bring_up_.weights = weights();
}

void Session::note_drives() {
  base_drives_.clear();
  for (uint32_t t = 0; t < driver_.chip().tiles; ++t) base_drives_.push_back(chip_.macro(t).drive_count());
}

void Session::restore() {
  Snapshot s;
  try {
    s = read_snapshot(options_.restore);
    require_same_chip(s, chip_identity(chip_.macro(0).config()), options_.restore);
  } catch (const SnapshotError& e) {
    throw UsageError(e.what());
  }
  if (s.run_seed != options_.run_seed) {
    throw UsageError(
        fmt::format("{}: of run seed {}; continue it with --run-seed {}", options_.restore, s.run_seed, s.run_seed));
  }
  if (s.read_noise != options_.read_noise) {
    const char* option = s.read_noise == ReadNoise::kColumn ? "per-column" : "per-device";
    throw UsageError(fmt::format("{}: its read noise is drawn {}; continue it with --read-noise {}", options_.restore,
                                 option, option));
  }
  programming_ = s.programming;
  for (uint32_t t = 0; t < driver_.chip().tiles; ++t) chip_.macro(t).set_device_state(s.tiles.at(t));
  if (s.firmware.empty()) return;
  require(runtime_.restore_state(s.firmware.data(), s.firmware.size()),
          (options_.restore + ": taking over the firmware's state").c_str(), driver_);
}

Snapshot Session::snapshot() const {
  Snapshot s;
  s.chip = chip_identity(chip_.macro(0).config());
  s.run_seed = options_.run_seed;
  s.read_noise = options_.read_noise;
  s.programming = programming_;
  for (uint32_t t = 0; t < driver_.chip().tiles; ++t) s.tiles.push_back(chip_.macro(t).device_state());
  s.firmware.resize(runtime_.state_size());
  if (!s.firmware.empty()) {
    require(runtime_.save_state(s.firmware.data(), s.firmware.size()), "saving the firmware's state", driver_);
  }
  return s;
}

DeviceReport Session::devices() const {
  DeviceReport all;
  for (uint32_t t : tiles_) {
    const DeviceReport r = chip_.macro(t).device_report();
    all.devices += r.devices;
    all.stuck += r.stuck;
    all.worn += r.worn;
    all.pulses += r.pulses;
    all.most_pulses = std::max(all.most_pulses, r.most_pulses);
  }
  return all;
}

WeightError Session::weights() const {
  WeightError all;
  double n = 0, sum = 0, squares = 0;
  each_region(compiled_, driver_.chip(), [&](const image::CellsRecord& c, const int8_t* targets) {
    const WeightError e = chip_.macro(c.tile).weight_error(c.row0, c.col0, c.rows, c.cols, targets);
    const double cells = static_cast<double>(c.rows) * c.cols;
    n += cells;
    sum += cells * e.mean;
    squares += cells * (e.sigma * e.sigma + e.mean * e.mean);
    all.largest = std::max(all.largest, e.largest);
  });
  if (n == 0) return all;
  all.mean = sum / n;
  all.sigma = std::sqrt(std::max(0.0, squares / n - all.mean * all.mean));
  return all;
}

void Session::advance_time(double seconds) {
  for (uint32_t t = 0; t < driver_.chip().tiles; ++t) chip_.macro(t).advance_time(seconds);
}

CompensationReport Session::compensate() {
  CompensationReport report;
  require(runtime_.compensate(compiled_.image.data(), compiled_.image.size(), {}, &report), "drift compensation",
          driver_);
  note_drives();
  return report;
}

RefreshReport Session::refresh() {
  RefreshReport report;
  require(runtime_.refresh(compiled_.image.data(), compiled_.image.size(), &report), "refresh", driver_);
  note_drives();
  return report;
}

void Session::seek(uint32_t first) {
  for (uint32_t t = 0; t < drives_per_vector_.size(); ++t) {
    if (drives_per_vector_[t] != 0)
      chip_.macro(t).set_drive_count(base_drives_[t] + uint64_t{first} * drives_per_vector_[t]);
  }
}

std::vector<uint8_t> Session::infer(const std::vector<int8_t>& inputs, uint32_t count) {
  std::vector<uint8_t> outputs(size_t{count} * runtime_.network().output_count * runtime_.network().output_elem_bytes);
  require(runtime_.infer(inputs.data(), count, outputs.data()), "inference", driver_);
  return outputs;
}

std::vector<std::vector<uint32_t>> Session::counters() {
  std::vector<std::vector<uint32_t>> all;
  for (uint32_t t = 0; t < driver_.chip().tiles; ++t) {
    std::vector<uint32_t> tile(isa::kNumCounters);
    for (const isa::CounterInfo& c : isa::kCounters) {
      require(driver_.read_counter(t, static_cast<isa::Counter>(c.index), &tile[c.index]), "reading a counter",
              driver_);
    }
    all.push_back(std::move(tile));
  }
  return all;
}

}  // namespace ohmac::cli
