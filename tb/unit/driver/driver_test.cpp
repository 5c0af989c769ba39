// SPDX-License-Identifier: Apache-2.0
// The driver against a strict ordered mock of the registers.
#include "sw/driver/driver.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "sw/hal/crc32.h"
#include "tb/unit/driver/mock_chip.h"

using namespace ohmac;
using namespace ohmac::tb;

class DriverTest : public ::testing::Test {
 protected:
  void probe() {
    expect_probe(platform);
    ASSERT_EQ(driver.probe(), Status::kOk);
    platform.verify();
  }
  MockPlatform platform;
  Driver driver{platform};
};

TEST(Hal, Crc32IsTheOneOfZlib) {  // check value of the CRC catalogue
  EXPECT_EQ(crc32("123456789", 9), 0xCBF43926u);
  EXPECT_EQ(crc32("6789", 4, crc32("12345", 5)), 0xCBF43926u);
  EXPECT_EQ(crc32("", 0), 0u);
}

TEST(Hal, EveryStatusHasItsOwnText) {
  for (uint8_t a = 0; a <= static_cast<uint8_t>(Status::kModelError); ++a) {
    EXPECT_STRNE(status_text(static_cast<Status>(a)), "unknown status") << int{a};
    for (uint8_t b = 0; b < a; ++b)
      EXPECT_STRNE(status_text(static_cast<Status>(a)), status_text(static_cast<Status>(b)));
  }
}

TEST_F(DriverTest, ProbeReadsIdentityAndOpensOneWindow) {
  probe();
  const ChipInfo& c = driver.chip();
  EXPECT_EQ(c.version_major, 1u);
  EXPECT_EQ(c.version_minor, 2u);
  EXPECT_EQ(c.tiles, 2u);
  EXPECT_EQ(c.mesh_x, 2u);
  EXPECT_EQ(c.mesh_y, 1u);
  EXPECT_EQ(c.rows, 32u);
  EXPECT_EQ(c.cols, 32u);
  EXPECT_EQ(c.lanes, 8u);
  EXPECT_EQ(c.adc_bits, 8u);
  EXPECT_EQ(c.mux(), 4u);
  EXPECT_EQ(c.windows, 4u);
  EXPECT_EQ(c.sram_bytes, 16384u);
  EXPECT_EQ(c.spares, 8u);
}

TEST_F(DriverTest, ProbeRefusesAnotherDevice) {
  platform.expect_read(0x000, 0xDEADBEEF);
  EXPECT_EQ(driver.probe(), Status::kWrongChip);
  EXPECT_FALSE(driver.ready());
}

TEST_F(DriverTest, ProbeRefusesImpossibleCapabilities) {
  struct Case {
    uint32_t chip, array, adc, sram, spares = 8;
  };
  const Case cases[] = {
      {0x02010202, kCapArray, kCapAdc, 16384},                                               // instruction set 2
      {0x01010200, kCapArray, kCapAdc, 16384},                                               // no tiles
      {0x01020202, kCapArray, kCapAdc, 16384},                                               // mesh 2x2, 2 tiles
      {kCapChip, 33u << 16 | 32, kCapAdc, 16384},                                            // 33 columns on 8 lanes
      {kCapChip, 32u << 16 | 0, kCapAdc, 16384},  {kCapChip, kCapArray, 0x12040800, 16384},  // no lanes
      {kCapChip, kCapArray, 0x12040908, 16384},                                              // 9 bits
      {kCapChip, kCapArray, 0x12000808, 16384},                                              // no window
      {kCapChip, kCapArray, kCapAdc, 0},          {kCapChip, kCapArray, 0x11040808, 16384},  // 17 counters
      {kCapChip, kCapArray, kCapAdc, 16384, 9},                                              // more spares than lanes
  };
  for (const Case& c : cases) {
    platform.expect_read(0x000, 0x4F484D43);
    platform.expect_read(0x004, 0x00010000);
    platform.expect_read(0x008, c.chip);
    platform.expect_read(0x00C, c.array);
    platform.expect_read(0x010, c.adc);
    platform.expect_read(0x014, c.sram);
    platform.expect_read(0x018, c.spares);
    EXPECT_EQ(driver.probe(), Status::kWrongChip)
        << std::hex << c.chip << " " << c.array << " " << c.adc << " " << c.sram;
    platform.verify();
  }
}

TEST_F(DriverTest, ProbeRefusesUnusableDmaMemoryBeforeItWritesAnything) {
  const auto reads = [&] {
    platform.expect_read(0x000, 0x4F484D43);
    platform.expect_read(0x004, 0);
    platform.expect_read(0x008, kCapChip);
    platform.expect_read(0x00C, kCapArray);
    platform.expect_read(0x010, kCapAdc);
    platform.expect_read(0x014, 16384);
    platform.expect_read(0x018, kSpares);
  };
  platform.set_dma_size(4095);
  reads();
  EXPECT_EQ(driver.probe(), Status::kNoMemory);
  platform.set_dma_size(1 << 20);
  platform.set_bus_address(MockPlatform::kBus + 16);
  reads();
  EXPECT_EQ(driver.probe(), Status::kBadArgument);
}

TEST_F(DriverTest, ProbeStopsAtTheFirstBusError) {
  for (size_t fail_at = 0; fail_at < 17; ++fail_at) {
    MockPlatform p;
    Driver d(p);
    const uint32_t values[] = {0x4F484D43, 0x10002, kCapChip, kCapArray, kCapAdc, 16384, kSpares};
    const uint32_t reads[] = {0, 4, 8, 0xC, 0x10, 0x14, 0x18};
    const std::pair<uint32_t, uint32_t> writes[] = {{0x28, 0},
                                                    {0x2C, 0xF},
                                                    {0x9C, 0},
                                                    {0xAC, 0},
                                                    {0xBC, 0},
                                                    {0x8C, 0},
                                                    {0x80, static_cast<uint32_t>(MockPlatform::kBus)},
                                                    {0x84, 1},
                                                    {0x88, 1 << 20},
                                                    {0x8C, 3}};
    for (size_t i = 0; i <= fail_at; ++i) {
      const Status s = i == fail_at ? Status::kBusError : Status::kOk;
      if (i < 7)
        p.expect_read(reads[i], values[i], s);
      else
        p.expect_write(writes[i - 7].first, writes[i - 7].second, s);
    }
    EXPECT_EQ(d.probe(), Status::kBusError) << fail_at;
    EXPECT_EQ(d.last_error().status, Status::kBusError);
    EXPECT_FALSE(d.ready());
  }
}

TEST_F(DriverTest, EveryCallBeforeProbeIsRefusedWithoutAnAccess) {
  uint8_t b[16] = {};
  uint32_t v;
  DmaBlock block;
  JobBuilder job;
  const CalTarget t;
  EXPECT_EQ(driver.write_tile(0, 0, b, 16), Status::kNotReady);
  EXPECT_EQ(driver.read_tile(0, 0, b, 16), Status::kNotReady);
  EXPECT_EQ(driver.start_tiles(1, 0), Status::kNotReady);
  EXPECT_EQ(driver.wait_halt(1, 1), Status::kNotReady);
  EXPECT_EQ(driver.calibrate(&t, 1), Status::kNotReady);
  EXPECT_EQ(driver.reset_calibration(1), Status::kNotReady);
  EXPECT_EQ(driver.read_counter(0, isa::Counter::kClips, &v), Status::kNotReady);
  EXPECT_EQ(driver.check_idle(), Status::kNotReady);
  EXPECT_EQ(driver.alloc(1, &block), Status::kNotReady);
  EXPECT_EQ(driver.set_outbox(MockPlatform::kBus), Status::kNotReady);
  EXPECT_EQ(driver.run(job, 1), Status::kNotReady);
  EXPECT_EQ(driver.submit(job), Status::kNotReady);
  EXPECT_EQ(driver.wait_jobs(0, 1), Status::kNotReady);
  EXPECT_EQ(driver.quiesce(), Status::kNotReady);
  EXPECT_EQ(driver.clear_sram(1), Status::kNotReady);
  EXPECT_EQ(platform.accesses(), 0u);
}

TEST_F(DriverTest, WriteTileCopiesRingsAndWaits) {
  probe();
  std::vector<uint8_t> data(37);
  std::iota(data.begin(), data.end(), 1);
  expect_job(platform, [&] {
    EXPECT_EQ(desc_word(platform, 0, 0), 1u << 8 | 1u);  // M2T to tile 1
    EXPECT_EQ(desc_word(platform, 0, 1), 37u);
    EXPECT_EQ(desc_word(platform, 0, 4), 0x120u);
    EXPECT_EQ(desc_word(platform, 0, 8), 0u);
    const uint64_t mem = uint64_t{desc_word(platform, 0, 3)} << 32 | desc_word(platform, 0, 2);
    EXPECT_EQ(mem % 16, 0u);
    EXPECT_EQ(std::memcmp(platform.at(mem), data.data(), data.size()), 0);
    EXPECT_EQ(desc_word(platform, 1, 0), 0u);  // END
  });
  EXPECT_EQ(driver.write_tile(1, 0x120, data.data(), 37), Status::kOk);
}

TEST_F(DriverTest, ReadTileReturnsWhatTheDmaWrote) {
  probe();
  std::vector<uint8_t> got(100);
  expect_job(platform, [&] {
    EXPECT_EQ(desc_word(platform, 0, 0), 2u);  // T2M of tile 0
    EXPECT_EQ(desc_word(platform, 0, 1), 100u);
    EXPECT_EQ(desc_word(platform, 0, 4), 0x40u);
    const uint64_t mem = uint64_t{desc_word(platform, 0, 3)} << 32 | desc_word(platform, 0, 2);
    for (int i = 0; i < 100; ++i) platform.at(mem)[i] = static_cast<uint8_t>(3 * i);
  });
  ASSERT_EQ(driver.read_tile(0, 0x40, got.data(), 100), Status::kOk);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(got[i], static_cast<uint8_t>(3 * i));
}

TEST(DriverSmallMemory, SplitsLongTransfersOverJobs) {
  MockPlatform p(4096);
  Driver d(p);
  expect_probe(p, 4096);
  ASSERT_EQ(d.probe(), Status::kOk);
  // 4096 bytes: 32 descriptors (2048) and a bounce area of 2048 for writes.
  std::vector<uint8_t> data(5000), tile(16384), got(5000);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 7 + i / 256);
  const auto play = [&] {  // copies as the DMA would
    for (uint32_t i = 0; desc_word(p, i, 0) != 0; ++i) {
      uint8_t* mem = p.at(uint64_t{desc_word(p, i, 3)} << 32 | desc_word(p, i, 2));
      uint8_t* sram = tile.data() + desc_word(p, i, 4);
      const bool m2t = (desc_word(p, i, 0) & 0xFF) == 1;
      std::memcpy(m2t ? sram : mem, m2t ? mem : sram, desc_word(p, i, 1));
    }
  };
  for (int i = 0; i < 3; ++i) expect_job(p, play);  // 2048 + 2048 + 904
  ASSERT_EQ(d.write_tile(0, 0x100, data.data(), 5000), Status::kOk);
  EXPECT_EQ(std::memcmp(tile.data() + 0x100, data.data(), 5000), 0);
  for (int i = 0; i < 2; ++i) expect_job(p, play);  // reads take 4096 - 128 = 3968 a job
  ASSERT_EQ(d.read_tile(0, 0x100, got.data(), 5000), Status::kOk);
  EXPECT_EQ(got, data);
}

TEST_F(DriverTest, TileWriterPutsManyWritesIntoOneJob) {
  probe();
  const uint8_t b[16] = {1, 2, 3};
  TileWriter writer(driver);
  for (uint32_t i = 0; i < 63; ++i) ASSERT_EQ(writer.add(i % 2, 16 * i, b, 16), Status::kOk);
  EXPECT_EQ(platform.accesses(), 17u) << "nothing but the probe yet";
  expect_job(platform, [&] { EXPECT_EQ(desc_word(platform, 62, 4), 16u * 62); });
  ASSERT_EQ(writer.add(0, 0, b, 16), Status::kOk);  // the 64th starts a second job
  expect_job(platform, [&] { EXPECT_EQ(desc_word(platform, 1, 0), 0u); });
  EXPECT_EQ(writer.flush(), Status::kOk);
  EXPECT_EQ(writer.flush(), Status::kOk);
}

TEST_F(DriverTest, IllegalTileRangesAreRefusedWithoutAnAccess) {
  probe();
  const size_t before = platform.accesses();
  uint8_t b[64] = {};
  EXPECT_EQ(driver.write_tile(2, 0, b, 16), Status::kBadArgument);
  EXPECT_EQ(driver.write_tile(0, 8, b, 16), Status::kBadArgument);
  EXPECT_EQ(driver.write_tile(0, 0, b, 0), Status::kBadArgument);
  EXPECT_EQ(driver.write_tile(0, 0, nullptr, 16), Status::kBadArgument);
  EXPECT_EQ(driver.write_tile(0, 16384, b, 16), Status::kBadArgument);
  EXPECT_EQ(driver.write_tile(0, 16368, b, 17), Status::kBadArgument);
  EXPECT_EQ(driver.write_tile(0, 0x800000, b, 6), Status::kBadArgument);  // part of a configuration word
  EXPECT_EQ(driver.write_tile(0, 0x801000, b, 4), Status::kBadArgument);  // behind CAL
  EXPECT_EQ(driver.read_tile(0, 0x800000, b, 16), Status::kBadArgument);  // configuration cannot be read
  EXPECT_EQ(driver.read_tile(0, 0, nullptr, 16), Status::kBadArgument);
  EXPECT_EQ(driver.start_tiles(4, 0), Status::kBadArgument);
  EXPECT_EQ(driver.wait_halt(4, 1), Status::kBadArgument);
  EXPECT_EQ(platform.accesses(), before);
}

TEST_F(DriverTest, JobErrorIsDecoded) {
  probe();
  expect_ring(platform);
  platform.expect_irq();
  platform.expect_read(0x02C, 2);
  platform.expect_write(0x02C, 2);
  platform.expect_read(0x03C, 0x00050001);  // descriptor 5, WINDOW
  platform.expect_read(0x040, 0x89ABCDE0);
  platform.expect_read(0x044, 0x12);
  uint8_t b[16] = {};
  EXPECT_EQ(driver.write_tile(0, 0, b, 16), Status::kJobError);
  EXPECT_EQ(driver.last_error().status, Status::kJobError);
  EXPECT_EQ(driver.last_error().dma_error, isa::DmaError::kWindow);
  EXPECT_EQ(driver.last_error().descriptor, 5u);
  EXPECT_EQ(driver.last_error().address, 0x12'89AB'CDE0u);
}

TEST_F(DriverTest, TileFaultEndsTheJobAndNamesTheTile) {
  probe();
  expect_ring(platform);
  platform.expect_irq();
  platform.expect_read(0x02C, 0b1000);
  platform.expect_write(0x02C, 0b1000);
  platform.expect_read(0x404, 0x00000001);  // tile 0 runs
  platform.expect_read(0x40C, 0x00210202);  // tile 1: pc 33, ADDRESS, halted
  expect_abort(platform);
  uint8_t b[16] = {};
  EXPECT_EQ(driver.write_tile(0, 0, b, 16), Status::kTileFault);
  EXPECT_EQ(driver.last_error().tile, 1u);
  EXPECT_EQ(driver.last_error().fault, isa::Fault::kAddress);
  EXPECT_EQ(driver.last_error().pc, 33u);
  EXPECT_EQ(driver.last_error().descriptor, 7u);
}

TEST_F(DriverTest, TimeoutAbortsTheJob) {
  probe();
  expect_ring(platform);
  platform.expect_irq(Status::kTimeout);
  expect_abort(platform);
  EXPECT_EQ(driver.start_tiles(1, 0), Status::kTimeout);
  EXPECT_EQ(driver.last_error().status, Status::kTimeout);
  EXPECT_EQ(driver.last_error().descriptor, 7u);
  platform.verify();

  expect_ring(platform);  // nothing drains: no hang, and the next job is refused
  platform.expect_irq(Status::kTimeout);
  expect_abort(platform, false);
  EXPECT_EQ(driver.start_tiles(1, 0), Status::kTimeout);
  platform.expect_read(0x024, 1);
  EXPECT_EQ(driver.start_tiles(1, 0), Status::kNotReady);
}

TEST_F(DriverTest, SpuriousInterruptDoesNotHang) {
  probe();
  expect_ring(platform);
  platform.expect_irq();
  platform.expect_read(0x02C, 0);
  platform.expect_write(0x02C, 0);
  expect_abort(platform);
  EXPECT_EQ(driver.start_tiles(1, 0), Status::kTimeout);
}

TEST_F(DriverTest, BusErrorsOfAJobAreReturned) {
  probe();
  // A job's accesses in order; each in turn fails.
  const std::pair<uint32_t, uint32_t> steps[] = {{0x024, 0},      {0x02C, 0xF},
                                                 {0x028, 0b1011}, {0x034, static_cast<uint32_t>(MockPlatform::kBus)},
                                                 {0x038, 1},      {0x030, 1}};
  for (size_t fail_at = 0; fail_at < 8; ++fail_at) {
    for (size_t i = 0; i <= fail_at && i < 6; ++i) {
      const Status s = i == fail_at ? Status::kBusError : Status::kOk;
      if (i == 0)
        platform.expect_read(steps[i].first, 0, s);
      else
        platform.expect_write(steps[i].first, steps[i].second, s);
    }
    if (fail_at >= 6) platform.expect_irq(fail_at == 6 ? Status::kBusError : Status::kOk);
    if (fail_at == 7) platform.expect_read(0x02C, 1, Status::kBusError);
    EXPECT_EQ(driver.start_tiles(1, 0), Status::kBusError) << fail_at;
    platform.verify();
  }
}

TEST_F(DriverTest, StartGoesThroughTheDma) {
  probe();
  expect_job(platform, [&] {
    EXPECT_EQ(desc_word(platform, 0, 0), 3u);
    EXPECT_EQ(desc_word(platform, 0, 4), 77u);
    EXPECT_EQ(desc_word(platform, 0, 9), 3u);
    EXPECT_EQ(desc_word(platform, 0, 10), 0u);
  });
  EXPECT_EQ(driver.start_tiles(3, 77), Status::kOk);
}

TEST_F(DriverTest, WaitHaltLooksAfterEachHalt) {
  probe();
  platform.expect_write(0x028, 0b1100);
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x404, 1);
  platform.expect_read(0x40C, 1);
  platform.expect_irq();
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x404, 2);  // tile 0 has halted
  platform.expect_read(0x40C, 1);
  platform.expect_irq();
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x40C, 2);
  EXPECT_EQ(driver.wait_halt(3, 1000), Status::kOk);
  EXPECT_EQ(platform.last_wait_cycles(), 1000u);
}

TEST_F(DriverTest, WaitHaltReportsFaultsTimeoutsAndEndlessInterrupts) {
  probe();
  platform.expect_write(0x028, 0b1100);
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x40C, 0x00100502);
  EXPECT_EQ(driver.wait_halt(2, 1000), Status::kTileFault);
  EXPECT_EQ(driver.last_error().tile, 1u);
  EXPECT_EQ(driver.last_error().fault, isa::Fault::kConfig);
  EXPECT_EQ(driver.last_error().pc, 16u);

  platform.expect_write(0x028, 0b1100);
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x40C, 1);
  platform.expect_irq(Status::kTimeout);
  EXPECT_EQ(driver.wait_halt(2, 1000), Status::kTimeout);
  EXPECT_EQ(driver.last_error().tile, 1u);

  platform.expect_write(0x028, 0b1100);
  for (int i = 0; i < 3; ++i) {
    platform.expect_write(0x02C, 0b1100);
    platform.expect_read(0x40C, 1);
    platform.expect_irq();
  }
  EXPECT_EQ(driver.wait_halt(2, 1000), Status::kTimeout);
}

TEST_F(DriverTest, CountersAndCycles) {
  probe();
  platform.expect_write(0x058, 5 << 8 | 1);  // tile 1, CLIPS
  platform.expect_read(0x05C, 1234);
  uint32_t v = 0;
  EXPECT_EQ(driver.read_counter(1, isa::Counter::kClips, &v), Status::kOk);
  EXPECT_EQ(v, 1234u);
  platform.expect_read(0x050, 0x80000001);
  platform.expect_read(0x054, 2);
  uint64_t cycles = 0;
  EXPECT_EQ(driver.read_cycles(&cycles), Status::kOk);
  EXPECT_EQ(cycles, 0x2'8000'0001u);
  EXPECT_EQ(driver.read_counter(2, isa::Counter::kClips, &v), Status::kBadArgument);
}

TEST_F(DriverTest, IdleMeansNoJobAndNoTile) {
  probe();
  for (uint32_t status : {1u, 2u, 3u}) {
    platform.expect_read(0x024, status);
    EXPECT_EQ(driver.check_idle(), Status::kNotReady);
  }
  platform.expect_read(0x024, 0);
  EXPECT_EQ(driver.check_idle(), Status::kOk);
}

TEST_F(DriverTest, MemoryIsAlignedAndBounded) {
  probe();
  DmaBlock a, b;
  ASSERT_EQ(driver.alloc(10, &a), Status::kOk);
  ASSERT_EQ(driver.alloc(10, &b), Status::kOk);
  EXPECT_EQ(a.bus, MockPlatform::kBus);
  EXPECT_EQ(b.bus, MockPlatform::kBus + 64);
  EXPECT_EQ(driver.alloc(driver.available() + 1, &b), Status::kNoMemory);
  EXPECT_EQ(driver.alloc(driver.available(), &b), Status::kOk);
  EXPECT_EQ(driver.available(), 0u);
  EXPECT_EQ(driver.alloc(1, &b), Status::kNoMemory);
  EXPECT_EQ(driver.set_outbox(MockPlatform::kBus - 16), Status::kBadArgument);
  EXPECT_EQ(driver.set_outbox(MockPlatform::kBus + (1 << 20)), Status::kBadArgument);
  EXPECT_EQ(driver.set_outbox(MockPlatform::kBus + 8), Status::kBadArgument);
  platform.expect_write(0x048, static_cast<uint32_t>(MockPlatform::kBus + 64));
  platform.expect_write(0x04C, 1);
  EXPECT_EQ(driver.set_outbox(MockPlatform::kBus + 64), Status::kOk);
}

class QueueTest : public DriverTest {
 protected:
  void SetUp() override { probe(); }
  JobBuilder job() {
    DmaBlock memory;
    EXPECT_EQ(driver.alloc(128, &memory), Status::kOk);
    next_bus = memory.bus;
    JobBuilder j(memory, 2);
    j.wait(0, 1);
    return j;
  }
  void expect_doorbell() {
    platform.expect_write(0x034, static_cast<uint32_t>(next_bus));
    platform.expect_write(0x038, 1);
    platform.expect_write(0x030, 1);
  }
  /// Two jobs handed over; 7 had ended before.
  void submit_two() {
    JobBuilder a = job();
    platform.expect_read(0x024, 0);
    platform.expect_read(0x068, 0x00000707);
    platform.expect_write(0x02C, 0xF);
    platform.expect_write(0x028, 0b1011);
    expect_doorbell();
    ASSERT_EQ(driver.submit(a), Status::kOk);
    JobBuilder b = job();
    platform.expect_read(0x024, 1);  // the first runs
    expect_doorbell();
    ASSERT_EQ(driver.submit(b), Status::kOk);
    EXPECT_EQ(driver.outstanding(), 2u);
  }
  void expect_end(uint32_t jobs) {
    platform.expect_irq();
    platform.expect_read(0x02C, 1);
    platform.expect_write(0x02C, 1);
    platform.expect_read(0x068, jobs);
  }
  uint64_t next_bus = 0;
};

TEST_F(QueueTest, JobsEndOneAfterAnother) {
  submit_two();
  JobBuilder third = job();
  platform.expect_read(0x024, 9);  // one runs, one is queued
  EXPECT_EQ(driver.submit(third), Status::kNotReady);
  expect_end(0x00000809);
  EXPECT_EQ(driver.wait_jobs(1, 1000), Status::kOk);
  EXPECT_EQ(driver.outstanding(), 1u);
  EXPECT_EQ(driver.wait_jobs(1, 1000), Status::kOk) << "nothing to wait for";
  expect_end(0x00000909);
  EXPECT_EQ(driver.wait_jobs(0, 1000), Status::kOk);
  EXPECT_EQ(driver.outstanding(), 0u);
}

TEST_F(QueueTest, BothMayHaveEndedAtOnce) {
  submit_two();
  expect_end(0x00000909);
  EXPECT_EQ(driver.wait_jobs(1, 1000), Status::kOk);
  EXPECT_EQ(driver.outstanding(), 0u);
}

TEST_F(QueueTest, TheCountOfEndsWrapsAround) {
  JobBuilder a = job();
  platform.expect_read(0x024, 0);
  platform.expect_read(0x068, 0x0000FFFF);
  platform.expect_write(0x02C, 0xF);
  platform.expect_write(0x028, 0b1011);
  expect_doorbell();
  ASSERT_EQ(driver.submit(a), Status::kOk);
  expect_end(0x00000000);
  EXPECT_EQ(driver.wait_jobs(0, 1000), Status::kOk);
}

TEST_F(QueueTest, AnErrorEndsTheOtherJobToo) {
  submit_two();
  platform.expect_irq();
  platform.expect_read(0x02C, 2);
  platform.expect_write(0x02C, 2);
  platform.expect_read(0x03C, 0x00010802);  // descriptor 1 of job 8: AXI_READ
  platform.expect_read(0x040, 0x1230);
  platform.expect_read(0x044, 0);
  platform.expect_read(0x024, 1);  // the queued job has started
  expect_abort(platform);
  EXPECT_EQ(driver.wait_jobs(0, 1000), Status::kJobError);
  EXPECT_EQ(driver.last_error().dma_error, isa::DmaError::kAxiRead);
  EXPECT_EQ(driver.last_error().descriptor, 1u);
  EXPECT_EQ(driver.last_error().address, 0x1230u);
  EXPECT_EQ(driver.outstanding(), 0u);
}

TEST_F(QueueTest, ATimeoutAbortsBoth) {
  submit_two();
  platform.expect_irq(Status::kTimeout);
  expect_abort(platform);
  platform.expect_read(0x024, 0);
  EXPECT_EQ(driver.wait_jobs(0, 1000), Status::kTimeout);
  EXPECT_EQ(driver.outstanding(), 0u);
}

TEST_F(QueueTest, AnInterruptWithoutAnEndIsNoEndlessLoop) {
  submit_two();
  expect_end(0x00000709);
  expect_abort(platform);
  EXPECT_EQ(driver.wait_jobs(0, 1000), Status::kTimeout);
}

class QuiesceTest : public DriverTest {
 protected:
  void SetUp() override { probe(); }
  void expect_stop() {
    platform.expect_write(0x028, 0);
    platform.expect_write(0x400, 1u << 17);
    platform.expect_write(0x408, 1u << 17);
  }
  void expect_clear(uint32_t status1 = 2) {
    platform.expect_write(0x020, 0);
    platform.expect_write(0x400, 1u << 18);
    platform.expect_write(0x408, 1u << 18);
    platform.expect_read(0x404, 2);
    platform.expect_read(0x40C, status1);
  }
};

TEST_F(QuiesceTest, StopsClearsAndLeavesNoCause) {
  platform.expect_read(0x024, 0);
  expect_stop();
  platform.expect_read(0x024, 0);
  expect_clear();
  expect_window(platform);
  platform.expect_write(0x02C, 0xF);
  EXPECT_EQ(driver.quiesce(), Status::kOk);
}

TEST_F(QuiesceTest, WaitsForTheJobTheTilesAndTheNoc) {
  platform.expect_read(0x024, 7);
  expect_abort(platform);
  expect_stop();
  for (uint32_t status : {6u, 4u}) {  // a tile still runs, a flit is still on its way
    platform.expect_read(0x024, status);
    platform.expect_irq(Status::kTimeout);  // a sleep: no interrupt is enabled
  }
  platform.expect_read(0x024, 0);
  expect_clear();
  expect_window(platform);
  platform.expect_write(0x02C, 0xF);
  EXPECT_EQ(driver.quiesce(), Status::kOk);
}

TEST_F(QuiesceTest, GivesUpOnAChipThatNeverRests) {
  platform.expect_read(0x024, 0);
  expect_stop();
  for (int i = 0; i < 64; ++i) {
    platform.expect_read(0x024, 4);
    platform.expect_irq(Status::kTimeout);
  }
  platform.expect_read(0x024, 4);
  EXPECT_EQ(driver.quiesce(), Status::kTimeout);
}

TEST_F(QuiesceTest, GivesUpOnAFaultThatStays) {
  platform.expect_read(0x024, 0);
  expect_stop();
  platform.expect_read(0x024, 0);
  expect_clear(0x00000702);
  EXPECT_EQ(driver.quiesce(), Status::kTimeout);
  EXPECT_EQ(driver.last_error().tile, 1u);
}

TEST_F(DriverTest, ClearSramWritesZerosEverywhere) {
  probe();
  expect_job(platform, [&] {
    EXPECT_EQ(desc_word(platform, 0, 0), 5u);   // REPEAT 16 x
    EXPECT_EQ(desc_word(platform, 0, 1), 16u);  // 16 KiB in pieces of 1 KiB
    EXPECT_EQ(desc_word(platform, 0, 11), 2u);
    for (uint32_t t = 0; t < 2; ++t) {
      EXPECT_EQ(desc_word(platform, 1 + t, 0), t << 8 | 1u);
      EXPECT_EQ(desc_word(platform, 1 + t, 1), 1024u);
      EXPECT_EQ(desc_word(platform, 1 + t, 5), 0u) << "the same zeros again";
      EXPECT_EQ(desc_word(platform, 1 + t, 6), 1024u);
      for (uint32_t i = 0; i < 256; ++i) ASSERT_EQ(written_words(platform, 1 + t)[i], 0u);
    }
    EXPECT_EQ(desc_word(platform, 3, 0), 0u);
  });
  EXPECT_EQ(driver.clear_sram(3), Status::kOk);
  EXPECT_EQ(driver.clear_sram(4), Status::kBadArgument);
}
