// SPDX-License-Identifier: Apache-2.0
// Programming against the strict mock: the job, descriptor by descriptor, what is made of its results, and every
// failure.
#include "sw/driver/programming.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "tb/unit/driver/mock_chip.h"

using namespace ohmac;
using namespace ohmac::tb;

namespace {

class Programming : public ::testing::Test {
 protected:
  void SetUp() override {
    expect_probe(platform);
    ASSERT_EQ(driver.probe(), Status::kOk);
    ASSERT_EQ(state->attach(driver.chip()), Status::kOk);
    for (size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<int8_t>(i % 251 - 125);
    regions = {{0, 4, 3, 20, 10, targets.data(), 0}, {1, 0, 8, 20, 16, nullptr, -7}};
  }
  Status run() {
    return program_cells(driver, regions.data(), static_cast<uint32_t>(regions.size()), {}, *state, reports, fails);
  }
  void expect_counters(uint32_t tile, uint32_t reads, uint32_t pulses, uint32_t failed) {
    platform.expect_write(0x058, 15u << 8 | tile);
    platform.expect_read(0x05C, reads);
    platform.expect_write(0x058, 16u << 8 | tile);
    platform.expect_read(0x05C, pulses);
    platform.expect_write(0x058, 17u << 8 | tile);
    platform.expect_read(0x05C, failed);
  }
  /// CAL words of both tiles: gain and offset times `factor` / 16384.
  void expect_calibration(uint32_t gain) {
    expect_job(platform, [this, gain] {
      for (uint32_t t = 0; t < 2; ++t) {
        EXPECT_EQ(desc_word(platform, t, 0), t << 8 | 1u);
        EXPECT_EQ(desc_word(platform, t, 4), 0x800800u);
        EXPECT_EQ(desc_word(platform, t, 1), 128u);
        for (uint32_t c = 0; c < 32; ++c) EXPECT_EQ(written_words(platform, t)[c], gain) << c;
      }
    });
  }
  void expect_until_job() {
    expect_calibration(21845);  // 4/3
    expect_counters(0, 100, 200, 300);
    expect_counters(1, 10, 20, 0xFFFFFFFF);
    platform.expect_write(0x048, outbox);
    platform.expect_write(0x04C, 1);
  }
  // Job memory: 2 * 2 + (2 + 2 * 2) + 16 + 2 = 28 descriptors (1792 bytes), then a tile: program 512, targets, fail
  // lines. Tile 0: columns 0..15 (stride 32), 20 rows: 640, fail lines 640. Tile 1: columns 8..23, the same.
  static constexpr uint32_t kImage0 = 1792, kTargets0 = kImage0 + 512, kLines0 = kTargets0 + 640,
                            kImage1 = kLines0 + 640, kTargets1 = kImage1 + 512, kLines1 = kTargets1 + 640;
  uint32_t outbox = static_cast<uint32_t>(MockPlatform::kBus) + kLines0;
  uint64_t mem(uint32_t d) {
    return (uint64_t{desc_word(platform, d, 3)} << 32 | desc_word(platform, d, 2)) - MockPlatform::kBus;
  }

  MockPlatform platform;
  Driver driver{platform};
  std::unique_ptr<ChipState> state = std::make_unique<ChipState>();
  std::vector<int8_t> targets = std::vector<int8_t>(400);
  std::vector<CellRegion> regions;
  ProgramReport reports[2];
  uint16_t fails[64] = {};
};

}  // namespace

TEST_F(Programming, OneJobStreamsBothTiles) {
  expect_until_job();
  expect_job(platform, [this] {
    for (uint32_t t = 0; t < 2; ++t) {  // programs
      EXPECT_EQ(desc_word(platform, t, 0), t << 8 | 1u);
      EXPECT_EQ(desc_word(platform, t, 1), 512u);
      EXPECT_EQ(desc_word(platform, t, 4), 0u);
      EXPECT_EQ(mem(t), t == 0 ? kImage0 : kImage1);
    }
    EXPECT_EQ(desc_word(platform, 2, 0), 3u);  // START of both
    EXPECT_EQ(desc_word(platform, 2, 9), 3u);
    // REPEAT 4: the ring fills; REPEAT 16: each row waits for a token of its tile
    for (uint32_t block = 0; block < 2; ++block) {
      const uint32_t d = 3 + 3 * block;
      EXPECT_EQ(desc_word(platform, d, 0), 5u);
      EXPECT_EQ(desc_word(platform, d, 1), block == 0 ? 4u : 16u);
      EXPECT_EQ(desc_word(platform, d, 11), 2u);
      for (uint32_t t = 0; t < 2; ++t) {
        const uint32_t m = d + 1 + t;
        EXPECT_EQ(desc_word(platform, m, 0), t << 8 | 1u);
        EXPECT_EQ(desc_word(platform, m, 1), 32u);
        EXPECT_EQ(mem(m), (t == 0 ? kTargets0 : kTargets1) + (block == 0 ? 0 : 4 * 32u));
        EXPECT_EQ(desc_word(platform, m, 4), 512u);
        EXPECT_EQ(desc_word(platform, m, 5), 32u);
        EXPECT_EQ(desc_word(platform, m, 6), 32u);
        EXPECT_EQ(desc_word(platform, m, 7), 4u);
        EXPECT_EQ(desc_word(platform, m, 8), 1u << 16 | (block == 0 ? 0u : 1u << 8 | t << 4 | 1u));
      }
    }
    for (uint32_t t = 0; t < 2; ++t) {  // the last 4 rows of each, then its fail lines
      EXPECT_EQ(desc_word(platform, 9 + t, 0), 4u);
      EXPECT_EQ(desc_word(platform, 9 + t, 8), 4u << 8 | t << 4 | 1u);
      EXPECT_EQ(desc_word(platform, 11 + t, 0), t << 8 | 2u);
      EXPECT_EQ(desc_word(platform, 11 + t, 1), 640u);
      EXPECT_EQ(desc_word(platform, 11 + t, 4), 512u + 4 * 32 + 64) << "behind ring and psums";
      EXPECT_EQ(mem(11 + t), t == 0 ? kLines0 : kLines1);
    }
    EXPECT_EQ(desc_word(platform, 13, 0), 0u);
    // Targets: the region at column 3 of the blocks from 0, 0 around it; the other region fills columns 8..23.
    const uint8_t* base = platform.dma_memory();
    for (uint32_t r = 0; r < 20; ++r) {
      for (uint32_t c = 0; c < 16; ++c) {
        const int8_t expected = c >= 3 && c < 13 ? targets[10 * r + c - 3] : int8_t{0};
        EXPECT_EQ(static_cast<int8_t>(base[kTargets0 + 32 * r + c]), expected) << r << " " << c;
        EXPECT_EQ(static_cast<int8_t>(base[kTargets1 + 32 * r + c]), -7);
      }
    }
    // PROG words of tile 0: instructions behind 4 AGUs and an MVM slot (28 + 6).
    uint64_t i[64];
    std::memcpy(i, base + kImage0, sizeof i);
    EXPECT_EQ(i[34], uint64_t{3} << 58 | uint64_t{0x110} << 32 | 16u << 16 | 768u);
    EXPECT_EQ(i[35], uint64_t{3} << 58 | uint64_t{0x111} << 32 | 25u << 16 | 1u << 8 | 0u << 4 | 15u);
    EXPECT_EQ(i[36], uint64_t{3} << 58 | uint64_t{0x112} << 32 | 48u);
    EXPECT_EQ(i[0] & 0xFFFFFFFF, 4u) << "first row";

    uint8_t* line = platform.dma_memory() + kLines0;
    std::memset(line, 0, 1280);
    line[32 * 2 + 0] = 0x09;   // row 2: column 0 (outside the region) and 3
    line[32 * 19 + 1] = 0x10;  // row 19: column 12
    std::memset(platform.dma_memory() + kLines1, 0, 640);
    platform.dma_memory()[kLines1 + 32 * 5 + 1] = 0x80;  // row 5: column 15 of the blocks = 23
  });
  platform.expect_write(0x028, 0b1100);
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x404, 2);
  platform.expect_read(0x40C, 2);
  expect_counters(0, 180, 1200, 303);
  expect_counters(1, 30, 20, 0);  // the counter of failures wrapped around
  expect_calibration(16384);
  ASSERT_EQ(run(), Status::kOk);
  EXPECT_EQ(reports[0].rows, 20u);
  EXPECT_EQ(reports[0].rows_failed, 2u);
  EXPECT_EQ(reports[0].reads, 80u);
  EXPECT_EQ(reports[0].pulses, 1000u);
  EXPECT_EQ(reports[0].fails, 3u);
  EXPECT_EQ(reports[1].reads, 20u);
  EXPECT_EQ(reports[1].pulses, 0u);
  EXPECT_EQ(reports[1].fails, 1u);
  for (uint32_t i = 0; i < 64; ++i) EXPECT_EQ(fails[i], i == 3 || i == 12 || i == 32 + 23 ? 1 : 0) << i;
}

TEST_F(Programming, EveryFailureOfTheJobEndsTheCall) {
  expect_until_job();  // the tiles never finish
  expect_ring(platform);
  platform.expect_irq(Status::kTimeout);
  expect_abort(platform);
  EXPECT_EQ(run(), Status::kTimeout);
  platform.verify();

  expect_until_job();  // a DMA error in the middle
  expect_ring(platform);
  platform.expect_irq();
  platform.expect_read(0x02C, 2);
  platform.expect_write(0x02C, 2);
  platform.expect_read(0x03C, 0x00080002);
  platform.expect_read(0x040, 0x100);
  platform.expect_read(0x044, 1);
  EXPECT_EQ(run(), Status::kJobError);
  EXPECT_EQ(driver.last_error().dma_error, isa::DmaError::kAxiRead);
  EXPECT_EQ(driver.last_error().descriptor, 8u);
  platform.verify();

  expect_until_job();  // tile 1 faults
  expect_ring(platform);
  platform.expect_irq();
  platform.expect_read(0x02C, 0b1000);
  platform.expect_write(0x02C, 0b1000);
  platform.expect_read(0x404, 1);
  platform.expect_read(0x40C, 0x00280602);
  expect_abort(platform);
  EXPECT_EQ(run(), Status::kTileFault);
  EXPECT_EQ(driver.last_error().tile, 1u);
  EXPECT_EQ(driver.last_error().fault, isa::Fault::kWatchdog);
  platform.verify();

  expect_until_job();  // all data came, but tile 0 does not halt
  expect_job(platform);
  platform.expect_write(0x028, 0b1100);
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x404, 1);
  platform.expect_read(0x40C, 2);
  platform.expect_irq(Status::kTimeout);
  EXPECT_EQ(run(), Status::kTimeout);
  EXPECT_EQ(driver.last_error().tile, 0u);
  platform.verify();

  platform.expect_read(0x024, 1);  // a job that never drained still runs
  EXPECT_EQ(run(), Status::kNotReady);
}

TEST_F(Programming, ColumnsThatCannotBeReadGetNoTarget) {
  state->health[state->column(0, 4)] = ColumnHealth::kOpen;
  state->health[state->column(0, 5)] = ColumnHealth::kDeadLane;
  state->health[state->column(0, 6)] = ColumnHealth::kDevices;
  expect_until_job();
  expect_ring(platform);
  platform.expect_irq(Status::kBusError, [this] {
    const uint8_t* row = platform.dma_memory() + kTargets0;
    EXPECT_NE(row[3], 0);
    EXPECT_EQ(row[4], 0);
    EXPECT_EQ(row[5], 0);
    EXPECT_NE(row[6], 0) << "programmed as well as it goes";
  });
  EXPECT_EQ(run(), Status::kBusError);
}

TEST_F(Programming, IllegalArgumentsTouchNothing) {
  const size_t before = platform.accesses();
  const auto options = [&](ProgramOptions o) {
    EXPECT_EQ(program_cells(driver, regions.data(), 2, o, *state), Status::kBadArgument);
  };
  options({65536, 16, 15, 0, 1, 25});
  options({768, 0, 15, 0, 1, 25});
  options({768, 256, 15, 0, 1, 25});
  options({768, 16, 16, 0, 1, 25});
  options({768, 16, 15, 16, 1, 25});
  options({768, 16, 15, 0, 256, 25});
  options({768, 16, 15, 0, 1, 0});
  options({768, 16, 15, 0, 1, 256});
  const auto region = [&](CellRegion r) { EXPECT_EQ(program_cells(driver, &r, 1, {}, *state), Status::kBadArgument); };
  region({2, 0, 0, 1, 1, nullptr, 0});
  region({0, 0, 0, 0, 1, nullptr, 0});
  region({0, 0, 0, 1, 0, nullptr, 0});
  region({0, 32, 0, 1, 1, nullptr, 0});
  region({0, 1, 0, 32, 1, nullptr, 0});
  region({0, 0, 32, 1, 1, nullptr, 0});
  region({0, 0, 0, 1, 33, nullptr, 0});
  region({0, 0xFFFFFFFF, 0, 2, 1, nullptr, 0});
  region({0, 0, 0, 1, 1, nullptr, -128});
  EXPECT_EQ(program_cells(driver, nullptr, 1, {}, *state), Status::kBadArgument);
  EXPECT_EQ(program_cells(driver, regions.data(), 0, {}, *state), Status::kBadArgument);
  const auto other = std::make_unique<ChipState>();  // not this chip's
  EXPECT_EQ(program_cells(driver, regions.data(), 2, {}, *other), Status::kBadArgument);
  EXPECT_EQ(platform.accesses(), before);
  Driver unprobed(platform);
  EXPECT_EQ(program_cells(unprobed, regions.data(), 2, {}, *state), Status::kNotReady);
}

// By hand: SRAM of 1 KiB, 32 columns: program 512, ring 4 x 32, psums 128: 256 bytes are left, 8 fail lines. With 512
// columns the ring takes 2048.
TEST(ProgramLayout, RowsThatFit) {
  ChipInfo chip = {};
  chip.lanes = 8;
  chip.sram_bytes = 1024;
  const ProgramLayout l = program_layout(chip, 4);
  EXPECT_EQ(l.stride, 32u);
  EXPECT_EQ(l.psums, 640u);
  EXPECT_EQ(l.fails, 768u);
  EXPECT_EQ(l.max_rows, 8u);
  EXPECT_EQ(program_layout(chip, 64).max_rows, 0u);
  chip.sram_bytes = 65536;
  EXPECT_EQ(program_layout(chip, 64).fail_bytes, 64u) << "512 columns";
}

TEST(ProgramLayout, NoRoomForARowIsRefused) {
  MockPlatform p;
  Driver d(p);
  p.expect_read(0x000, 0x4F484D43);
  p.expect_read(0x004, 0);
  p.expect_read(0x008, 1u << 24 | 1 << 16 | 1 << 8 | 1);
  p.expect_read(0x00C, 512u << 16 | 32);  // 512 columns on 1 KiB of SRAM
  p.expect_read(0x010, kCapAdc);
  p.expect_read(0x014, 1024);
  p.expect_read(0x018, 0);
  p.expect_write(0x028, 0);
  p.expect_write(0x02C, 0xF);
  for (uint32_t w : {1, 2, 3}) p.expect_write(0x08C + 0x10 * w, 0);
  p.expect_write(0x08C, 0);
  p.expect_write(0x080, static_cast<uint32_t>(MockPlatform::kBus));
  p.expect_write(0x084, 1);
  p.expect_write(0x088, 1 << 20);
  p.expect_write(0x08C, 3);
  ASSERT_EQ(d.probe(), Status::kOk);
  const auto state = std::make_unique<ChipState>();
  ASSERT_EQ(state->attach(d.chip()), Status::kOk);
  expect_job(p);  // CAL words
  const CellRegion r{0, 0, 0, 1, 512, nullptr, 1};
  EXPECT_EQ(program_cells(d, &r, 1, {}, *state), Status::kNoMemory);
}
