// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/session.h"

#include <fmt/format.h>

#include "models/golden/golden_chip.h"
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

Session::Session(Chip& chip, const compiler::Compiled& compiled, bool calibrate)
    : chip_(chip), driver_(chip.platform()), runtime_(driver_) {
  require(driver_.probe(), "probing the chip", driver_);
  LoadOptions load;
  load.calibrate = calibrate;
  const Status s = runtime_.load(compiled.image.data(), compiled.image.size(), load);
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
  for (uint32_t t = 0; t < driver_.chip().tiles; ++t) base_drives_.push_back(chip.macro(t).drive_count());
  drives_per_vector_.assign(driver_.chip().tiles, 0);
  ImageReader image;
  require(image.open(compiled.image.data(), compiled.image.size(), driver_.chip()), "reading the image", driver_);
  tiles_ = image.num_tiles();
  ImageReader::Cursor cursor;
  image::CellsRecord cells;
  const int8_t* targets;
  while (image.next_cells(&cursor, &cells, &targets)) cells_ += uint64_t{cells.rows} * cells.cols;
  for (uint32_t i = 0; i < image.num_tiles(); ++i)
    drives_per_vector_[image.tile(i).tile] = image.tile(i).drives_per_vector;
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
