// SPDX-License-Identifier: Apache-2.0
// A Verilated tiny chip without SystemC, its devices programmed for the two-layer network of job.h.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "models/systemc/verilated_chip.h"
#include "tb/common/chip_bench.h"
#include "tb/common/clocked.h"
#include "tb/unit/golden/job.h"

namespace ohmac::test {

template <class Model>
class TinyChip : public ::testing::Test {
 protected:
  static constexpr size_t kMemoryBytes = 1 << 16;

  explicit TinyChip(uint32_t images) : mlp(images) {
    MacroConfig m;
    m.geometry = tiny_geometry();
    m.effects = EffectSet::none();
    for (uint32_t t = 0; t < 2; ++t) {
      m.tile = t;
      macros.emplace_back(m);
      mlp.program(macros[t], t);
    }
  }
  /// A new chip with the same devices. Latencies, stalls and the power-on values of what has no reset follow the seed.
  void power_on(uint64_t seed, uint32_t stall) {
    AxiMemory::Config memory;
    memory.base = kBase;
    memory.bytes = kMemoryBytes;
    memory.read_latency = 1 + seed % 20;
    memory.write_latency = 1 + seed % 13;
    memory.stall_percent = stall;
    memory.stall_seed = seed;
    const auto random = [&](VerilatedContext& context) {
      context.randReset(2);
      context.randSeed(static_cast<int>(seed % 0x7FFFFFFF));
    };
    chip = std::make_unique<tb::ChipBench>(std::make_unique<VerilatedChip<Model>>(tiny_geometry(), random), macros,
                                           memory, stall, seed);
  }
  uint8_t* at(uint64_t bus) { return chip->memory() + (bus - kBase); }
  void expect_network() {
    for (uint32_t i = 0; i < mlp.images; ++i) {
      const std::vector<int32_t> want = mlp.expected(i);
      std::vector<int32_t> got(want.size());
      std::memcpy(got.data(), at(kOut + 32 * i), 32);
      ASSERT_EQ(got, want) << "image " << i;
    }
  }

  Mlp mlp;
  std::vector<Macro> macros;
  std::unique_ptr<tb::ChipBench> chip;
};

}  // namespace ohmac::test
