// SPDX-License-Identifier: Apache-2.0
// The real driver on the golden machine.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "sw/cli/golden_platform.h"
#include "sw/driver/driver.h"

namespace ohmac::tb {

/// A golden machine whose DMA memory can be made smaller (probe the driver again).
class LimitedPlatform final : public Platform {
 public:
  explicit LimitedPlatform(golden::GoldenChip& chip) : to_(chip) {}
  void limit_memory(size_t bytes) { limit_ = bytes; }
  Status csr_read(uint32_t addr, uint32_t* value) override { return to_.csr_read(addr, value); }
  Status csr_write(uint32_t addr, uint32_t value) override { return to_.csr_write(addr, value); }
  Status wait_irq(uint64_t cycles) override { return to_.wait_irq(cycles); }
  uint8_t* dma_memory() override { return to_.dma_memory(); }
  uint64_t dma_bus_address() override { return to_.dma_bus_address(); }
  size_t dma_size() override { return std::min(limit_, to_.dma_size()); }
  Status program_cells(uint32_t tile, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                       const int8_t* targets) override {
    return to_.program_cells(tile, row0, col0, rows, cols, targets);
  }

 private:
  cli::GoldenPlatform to_;
  size_t limit_ = SIZE_MAX;
};

inline Geometry one_tile() {
  Geometry g = reference_geometry();
  g.mesh_x = g.mesh_y = 1;
  return g;
}

inline EffectSet without_stuck() {
  EffectSet e;
  e.set(Effect::kStuck, false);
  return e;
}

struct Rig {
  Rig(const Geometry& g, EffectSet effects, uint64_t chip_seed, const FaultConfig& faults = {})
      : chip(golden::ChipConfig{g}, macro(g, effects, chip_seed, faults)), platform(chip), driver(platform) {}
  static MacroConfig macro(const Geometry& g, EffectSet effects, uint64_t chip_seed, const FaultConfig& faults) {
    MacroConfig m;
    m.geometry = g;
    m.effects = effects;
    m.chip_seed = chip_seed;
    m.faults = faults;
    return m;
  }
  std::vector<CalTarget> all_tiles(uint32_t bits = 8, uint32_t range = 9) {
    std::vector<CalTarget> t;
    for (uint32_t i = 0; i < driver.chip().tiles; ++i) t.push_back({i, bits, driver.chip().mux(), range});
    return t;
  }
  uint32_t cal_word(uint32_t tile, uint32_t col) { return chip.tile(tile).config(isa::cfg::kCalBase + col); }

  golden::GoldenChip chip;
  LimitedPlatform platform;
  Driver driver;
};

/// Weights with a bell-shaped distribution of rms 40, as trained layers have.
inline std::vector<int8_t> bell_weights(uint32_t rows, uint32_t cols, uint32_t seed) {
  std::vector<int8_t> w(rows * cols);
  for (int8_t& v : w) {
    int sum = 0;
    for (int i = 0; i < 4; ++i) {
      seed = seed * 1664525u + 1013904223u;
      sum += static_cast<int>(seed >> 24) - 128;
    }
    v = static_cast<int8_t>(std::max(-127, std::min(127, sum * 40 / 148)));
  }
  return w;
}

}  // namespace ohmac::tb
