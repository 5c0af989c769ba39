// SPDX-License-Identifier: Apache-2.0
// The golden chip behind its registers: DMA, windows, errors, fences, and a two-tile network against plain integers.
#include <gtest/gtest.h>

#include "models/golden/golden_chip.h"
#include "tb/unit/golden/job.h"

namespace ohmac::test {
namespace {

using golden::ChipConfig;
using golden::GoldenChip;
using isa::Counter;
using isa::DmaError;
using isa::DmaOp;

class Chip : public ::testing::Test {
 protected:
  Chip() : chip(config(), macro_config()) {
    window(0, kBase, 1 << 16, 3);
    chip.csr_write(CSR(irq_enable), 0xF);
    set_wide(CSR(out_base_lo), kOut);
  }
  static ChipConfig config() {
    ChipConfig c;
    c.geometry = tiny_geometry();
    c.memory_base = kBase;
    c.memory_bytes = 1 << 17;
    return c;
  }
  static MacroConfig macro_config() {
    MacroConfig m;
    m.effects = EffectSet::none();
    return m;
  }
  void set_wide(uint32_t lo, uint64_t v) {
    chip.csr_write(lo, static_cast<uint32_t>(v));
    chip.csr_write(lo + 4, static_cast<uint32_t>(v >> 32));
  }
  void window(uint32_t i, uint64_t base, uint32_t size, uint32_t attr) {
    const uint32_t w = CSR(window) + 16 * i;
    set_wide(w, base);
    chip.csr_write(w + 8, size);
    chip.csr_write(w + 12, attr);
  }
  uint8_t* mem(uint64_t addr) { return chip.memory() + (addr - kBase); }
  void write_job(const std::vector<Desc>& job) {
    const std::vector<uint32_t> words = encode(job);
    std::memcpy(mem(kJob), words.data(), 4 * words.size());
  }
  void ring(uint64_t at = kJob) {
    set_wide(CSR(job_addr_lo), at);
    chip.csr_write(CSR(doorbell), 1);
  }
  /// Runs the job; true when it ended with job_done.
  bool run(const std::vector<Desc>& job) {
    write_job(job);
    ring();
    return finish();
  }
  bool finish() {
    for (;;) {
      if (!chip.run(1000000)) return false;
      const uint32_t cause = chip.csr_read(CSR(irq_cause));
      chip.csr_write(CSR(irq_cause), cause);
      causes |= cause;
      if (cause & 3) return (cause & 1) != 0;
    }
  }
  void expect_error(DmaError e, uint32_t index, uint64_t addr) {
    EXPECT_EQ(chip.csr_read(CSR(dma_status)) & ~OHMAC_CSR__DMA_STATUS__JOB_bm, static_cast<uint32_t>(e) | index << 16);
    EXPECT_EQ(chip.csr_read(CSR(dma_err_lo)), static_cast<uint32_t>(addr));
    EXPECT_EQ(chip.csr_read(CSR(dma_err_hi)), static_cast<uint32_t>(addr >> 32));
    EXPECT_EQ(chip.csr_read(CSR(status)) & 1, 0u);
  }
  void ramp(uint64_t at, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) *mem(at + i) = static_cast<uint8_t>(i * 7 + 3);
  }
  GoldenChip chip;
  uint32_t causes = 0;
};

TEST_F(Chip, PublishesItsGeometry) {
  EXPECT_EQ(chip.csr_read(CSR(id)), 0x4F484D43u);
  EXPECT_EQ(chip.csr_read(CSR(cap_chip)), 2u | 2u << 8 | 1u << 16 | isa::kVersion << 24);
  EXPECT_EQ(chip.csr_read(CSR(cap_array)), 32u | 32u << 16);
  EXPECT_EQ(chip.csr_read(CSR(cap_adc)), 8u | 8u << 8 | 4u << 16 | isa::kNumCounters << 24);
  EXPECT_EQ(chip.csr_read(CSR(cap_sram)), 16384u);
}

TEST_F(Chip, MovesDataThereAndBack) {
  ramp(kIn, 1000);
  ASSERT_TRUE(run({{.op = DmaOp::kM2t, .tile = 1, .len = 1000, .mem = kIn, .tile_addr = 0x100},
                   {.op = DmaOp::kT2m, .tile = 1, .len = 1000, .mem = kOut, .tile_addr = 0x100},
                   {}}));
  EXPECT_EQ(std::memcmp(mem(kIn), mem(kOut), 1000), 0);
  EXPECT_EQ(*mem(kOut + 1000), 0);
  EXPECT_EQ(std::memcmp(chip.tile(1).sram() + 0x100, mem(kIn), 1000), 0);
  EXPECT_EQ(chip.tile(1).sram()[0x100 + 1000], 0);
  EXPECT_EQ(chip.csr_read(CSR(axi_rd_beats)), 3 * 4u + 63);  // descriptors and 63 beats
  EXPECT_EQ(chip.csr_read(CSR(axi_wr_beats)), 63u);
  chip.csr_write(CSR(cnt_sel), 1 | static_cast<uint32_t>(Counter::kFlitsIn) << 8);
  EXPECT_EQ(chip.csr_read(CSR(cnt_value)), 64u);
  EXPECT_EQ(chip.csr_read(CSR(dma_status)), 0u);
}

TEST_F(Chip, WritesConfigurationSpace) {
  for (uint32_t i = 0; i < 8; ++i) {
    const uint32_t v = 0x100 + i;
    std::memcpy(mem(kIn + 4 * i), &v, 4);
  }
  ASSERT_TRUE(run({{.op = DmaOp::kM2t, .tile = 0, .len = 28, .mem = kIn, .tile_addr = cfg::noc_addr(cfg::kCalBase)},
                   {.op = DmaOp::kT2m, .tile = 0, .len = 16, .mem = kOut, .tile_addr = 0},
                   {}}));
  for (uint32_t i = 0; i < 7; ++i) EXPECT_EQ(chip.tile(0).config(cfg::kCalBase + i), 0x100 + i);
  EXPECT_EQ(chip.tile(0).config(cfg::kCalBase + 7), 0u);
}

// START fences: the program is in the SRAM before the tile starts, and its outbox token releases the WAIT after its
// data.
TEST_F(Chip, StartsAProgramAndWaitsForItsToken) {
  const std::vector<uint64_t> code{isa::setr::make(cfg::kAguBase, 0x200), isa::setr::make(cfg::kAguBase + 8, 0x40),
                                   isa::send::make(op(0), 64, op(1), 20, 1, 6), isa::halt::make()};
  std::memcpy(mem(kIn), code.data(), 8 * code.size());
  ramp(kIn + 0x100, 32);
  ASSERT_TRUE(run({{.op = DmaOp::kM2t, .tile = 1, .len = 32, .mem = kIn, .tile_addr = 0x40},
                   {.op = DmaOp::kM2t, .tile = 1, .len = 32, .mem = kIn + 0x100, .tile_addr = 0x200},
                   {.op = DmaOp::kStart, .tile_addr = 8, .mask = 2},
                   {.op = DmaOp::kWait, .wait_token = 6},
                   {}}));
  EXPECT_EQ(std::memcmp(mem(kOut + 0x40), mem(kIn + 0x100), 20), 0);
  EXPECT_EQ(*mem(kOut + 0x54), 0);
  EXPECT_TRUE(causes & OHMAC_CSR__IRQ_CAUSE__TILE_HALT_bm);
}

TEST_F(Chip, StartsATileByRegister) {
  load(chip.tile(0), 5, {isa::kOpcode.put(63)});
  chip.csr_write(CSR(tile[0].ctrl), 5 | 1 << 16);
  ASSERT_TRUE(chip.run(1000));
  for (uint32_t i = 0; i < 10; ++i) chip.csr_read(CSR(id));  // the fault shows at once, halted a little later
  EXPECT_EQ(chip.csr_read(CSR(tile[0].status)), 2u | 1u << 8 | 5u << 16);
  EXPECT_EQ(chip.csr_read(CSR(irq_cause)), 0xCu);
  EXPECT_EQ(chip.csr_read(CSR(tile[7].status)), 0u);
}

// Three vectors to two slots of a tile, each announced by token 2.
TEST_F(Chip, RepeatStridesAndSlots) {
  ramp(kIn, 256);
  ASSERT_TRUE(run({{.op = DmaOp::kRepeat, .len = 3, .repeat = 2},
                   {.op = DmaOp::kM2t,
                    .tile = 0,
                    .len = 16,
                    .mem = kIn,
                    .tile_addr = 0x100,
                    .mem_stride = 64,
                    .tile_stride = 32,
                    .tile_slots = 2,
                    .sig_token = 2},
                   {.op = DmaOp::kT2m,
                    .tile = 0,
                    .len = 16,
                    .mem = kOut,
                    .tile_addr = 0x100,
                    .mem_stride = 16,
                    .tile_stride = 32,
                    .tile_slots = 2},
                   {}}));
  EXPECT_EQ(std::memcmp(chip.tile(0).sram() + 0x100, mem(kIn + 128), 16), 0);
  EXPECT_EQ(std::memcmp(chip.tile(0).sram() + 0x120, mem(kIn + 64), 16), 0);
  for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(std::memcmp(mem(kOut + 16 * i), mem(kIn + 64 * i), 16), 0);
  EXPECT_EQ(chip.tile(0).token(2), 3);
  EXPECT_EQ(chip.csr_read(CSR(axi_rd_beats)), 4 * 4u + 3);  // the table is fetched once
}

TEST_F(Chip, WindowRefusesWhatLiesOutside) {
  ramp(kIn, 512);
  EXPECT_FALSE(
      run({{.op = DmaOp::kM2t, .tile = 0, .len = 512, .mem = kBase + (1 << 16) - 256, .tile_addr = 0x100}, {}}));
  expect_error(DmaError::kWindow, 0, kBase + (1 << 16));  // the first burst is inside
}
TEST_F(Chip, WindowRights) {
  window(0, kBase, 0x4000, 3);
  window(1, kIn, 0x1000, 1);
  window(2, kOut, 0x1000, 2);
  EXPECT_FALSE(run({{.op = DmaOp::kM2t, .tile = 0, .len = 16, .mem = kIn, .tile_addr = 0x100},
                    {.op = DmaOp::kT2m, .tile = 0, .len = 16, .mem = kIn, .tile_addr = 0x100},
                    {}}));
  expect_error(DmaError::kWindow, 1, kIn);
  EXPECT_FALSE(run({{.op = DmaOp::kM2t, .tile = 0, .len = 16, .mem = kOut, .tile_addr = 0x100}, {}}));
  expect_error(DmaError::kWindow, 0, kOut);
}
TEST_F(Chip, WindowOfTheDescriptor) {
  window(0, kBase + 64, 0x4000, 3);
  write_job({{}});
  ring();
  EXPECT_FALSE(finish());
  expect_error(DmaError::kWindow, 0, kJob);
}
TEST_F(Chip, OutboxOutsideTheWindowFailsTheJob) {
  load(chip.tile(0), 0,
       {isa::setr::make(cfg::kAguBase, 0x40000), isa::send::make(op(1), 64, op(0), 16, 1, 0), isa::halt::make()});
  EXPECT_FALSE(run({{.op = DmaOp::kStart, .mask = 1}, {.op = DmaOp::kWait, .wait_token = 0}, {}}));
  expect_error(DmaError::kWindow, 1, kOut + 0x40000);
}
TEST_F(Chip, DecodeErrors) {
  window(1, 0x1000, 0x1000, 3);
  EXPECT_FALSE(run({{.op = DmaOp::kM2t, .tile = 0, .len = 16, .mem = 0x1000, .tile_addr = 0x100}, {}}));
  expect_error(DmaError::kAxiRead, 0, 0x1000);
  EXPECT_FALSE(run({{.op = DmaOp::kT2m, .tile = 0, .len = 16, .mem = 0x1100, .tile_addr = 0x100}, {}}));
  expect_error(DmaError::kAxiWrite, 0, 0x1100);
}

struct BadDescriptor {
  const char* name;
  std::vector<Desc> job;
  uint32_t index;
};
class IllegalDescriptor : public Chip, public ::testing::WithParamInterface<BadDescriptor> {};
TEST_P(IllegalDescriptor, EndsTheJob) {
  EXPECT_FALSE(run(GetParam().job));
  expect_error(DmaError::kDescriptor, GetParam().index, kJob + 64 * GetParam().index);
}
const Desc kGood{.op = DmaOp::kM2t, .tile = 0, .len = 16, .mem = kIn, .tile_addr = 0x100};
Desc with(void (*change)(Desc*)) {
  Desc d = kGood;
  change(&d);
  return d;
}
INSTANTIATE_TEST_SUITE_P(
    Jobs, IllegalDescriptor,
    ::testing::Values(BadDescriptor{"Operation", {kGood, with([](Desc* d) { d->op = static_cast<DmaOp>(6); })}, 1},
                      BadDescriptor{"LengthZero", {with([](Desc* d) { d->len = 0; })}, 0},
                      BadDescriptor{"MemoryMisaligned", {with([](Desc* d) { d->mem += 8; })}, 0},
                      BadDescriptor{"TileAddressMisaligned", {with([](Desc* d) { d->tile_addr += 4; })}, 0},
                      BadDescriptor{"TileMissing", {kGood, kGood, with([](Desc* d) { d->tile = 2; })}, 2},
                      BadDescriptor{"StartOfMissingTile", {{.op = DmaOp::kStart, .mask = 4}}, 0},
                      BadDescriptor{"RepeatOfNothing", {{.op = DmaOp::kRepeat, .len = 1, .repeat = 0}}, 0},
                      BadDescriptor{"RepeatTooLong", {{.op = DmaOp::kRepeat, .len = 1, .repeat = 9}}, 0},
                      BadDescriptor{"RepeatZeroTimes", {{.op = DmaOp::kRepeat, .len = 0, .repeat = 1}, kGood}, 0},
                      BadDescriptor{"EndInRepeat", {{.op = DmaOp::kRepeat, .len = 2, .repeat = 2}, kGood, {}}, 2},
                      BadDescriptor{
                          "StrideMisaligns",
                          {{.op = DmaOp::kRepeat, .len = 2, .repeat = 1}, with([](Desc* d) { d->mem_stride = 8; })},
                          1}),
    [](const auto& i) { return i.param.name; });

TEST_F(Chip, MisalignedJob) {
  ring(kJob + 16);
  EXPECT_FALSE(finish());
  expect_error(DmaError::kDescriptor, 0, kJob + 16);
}

TEST_F(Chip, AJobCanFollowAFailedOne) {
  EXPECT_FALSE(run({with([](Desc* d) { d->len = 0; })}));
  EXPECT_TRUE(run({kGood, {}}));
  EXPECT_EQ(chip.csr_read(CSR(dma_status)), 0u);
}

TEST_F(Chip, DeadlockTimesOutAndAbortEndsIt) {
  write_job({{.op = DmaOp::kWait, .wait_token = 3}, {}});
  ring();
  const uint64_t before = chip.cycle();
  EXPECT_FALSE(chip.run(12345));
  EXPECT_EQ(chip.cycle(), before + 12345);
  EXPECT_EQ(chip.csr_read(CSR(status)), 1u);
  chip.csr_write(CSR(ctrl), 1);
  EXPECT_FALSE(finish());
  expect_error(DmaError::kNone, 0, 0);
  chip.csr_write(CSR(ctrl), 0);
  EXPECT_TRUE(run({{}}));
}

TEST_F(Chip, CycleCounterLatchesItsUpperHalf) {
  const uint32_t a = chip.csr_read(CSR(cycle_lo));
  chip.run(1000);
  const uint32_t b = chip.csr_read(CSR(cycle_lo));
  EXPECT_GE(b, a + 1000);
  EXPECT_EQ(chip.csr_read(CSR(cycle_hi)), 0u);
}

/// The two-tile network, loaded through the back door.
class Network : public Chip {
 protected:
  static constexpr uint32_t kImages = 12;
  Network() : mlp(kImages) {
    std::memcpy(mem(kIn), mlp.input.data(), mlp.input.size());
    for (uint32_t t = 0; t < 2; ++t) {
      mlp.program(chip.macro(t), t);
      for (const Piece& p : mlp.pieces[t]) {
        if (p.addr >> isa::kCfgSpaceBit & 1) {
          for (uint32_t i = 0; i < p.bytes.size(); i += 4) {
            uint32_t v;
            std::memcpy(&v, &p.bytes[i], 4);
            chip.tile(t).write_config((p.addr & 0xFFF) / 4 + i / 4, v);
          }
        } else {
          std::memcpy(chip.tile(t).sram() + p.addr, p.bytes.data(), p.bytes.size());
        }
      }
    }
  }
  void check(const GoldenChip& c) const {
    for (uint32_t n = 0; n < kImages; ++n) {
      std::vector<int32_t> got(8);
      std::memcpy(got.data(), c.memory() + (kOut - kBase) + 32 * n, 32);
      EXPECT_EQ(got, mlp.expected(n)) << "image " << n;
    }
  }
  const Mlp mlp;
};

TEST_F(Network, EqualsTheIntegerNetworkWithAdc) {
  ASSERT_TRUE(run(mlp.job()));
  check(chip);
  EXPECT_EQ(chip.tile(0).counter(Counter::kMvmOps), kImages);
  EXPECT_EQ(chip.tile(0).status().fault, isa::Fault::kNone);
  EXPECT_TRUE(chip.idle());
}

TEST_F(Network, ClonesRunAloneAndEqual) {
  GoldenChip clone = chip;
  ASSERT_TRUE(run(mlp.job()));
  for (uint32_t i = 0; i < 32 * kImages; ++i) EXPECT_EQ(clone.memory()[kOut - kBase + i], 0);
  EXPECT_EQ(clone.macro(0).drive_count(), 0u);
  const uint64_t cycles = chip.cycle();
  std::swap(chip, clone);
  ASSERT_TRUE(run(mlp.job()));
  check(chip);
  EXPECT_EQ(chip.cycle(), cycles);
}

// Noise on: twice the same bits, and another run seed gives others.
TEST_F(Chip, NoiseIsReproducible) {
  const auto outputs = [](uint64_t run_seed) {
    MacroConfig m;
    m.run_seed = run_seed;
    GoldenChip c(config(), m);
    std::vector<int8_t> w(32 * 32, 20);
    c.macro(0).program_cells(0, 0, 32, 32, w.data());
    GoldenTile& t = c.tile(0);
    unit_calibration(t, 32);
    for (uint32_t i = 0; i < 32; ++i) t.sram()[0x1000 + i] = static_cast<uint8_t>(i);
    set_slot(t, 0, {.k = 32, .range = 7, .mux_count = 4});
    set_agu(t, 0, 0x1000);
    set_agu(t, 1, 0x1100, {128});
    load(t, 0, {isa::loop::make(0, 0, 1, 8), isa::mvm::make(op(0), op(1), 0), isa::halt::make()});
    c.csr_write(CSR(irq_enable), 4);
    c.csr_write(CSR(tile[0].ctrl), 1 << 16);
    EXPECT_TRUE(c.run(100000));
    return std::vector<uint8_t>(t.sram() + 0x1100, t.sram() + 0x1500);
  };
  EXPECT_EQ(outputs(1), outputs(1));
  EXPECT_NE(outputs(1), outputs(2));
}

}  // namespace
}  // namespace ohmac::test
