// SPDX-License-Identifier: Apache-2.0
// The runtime against the strict ordered mock: loading order and the schedule of a job, descriptor by descriptor.
#include "sw/runtime/runtime.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tb/unit/driver/image_builder.h"
#include "tb/unit/driver/mock_chip.h"

using namespace ohmac;
using namespace ohmac::tb;

class RuntimeTest : public ::testing::Test {
 protected:
  explicit RuntimeTest(uint32_t dma = 1 << 20) : dma_bytes(dma), platform(dma) {}
  void SetUp() override {
    expect_probe(platform, dma_bytes);
    ASSERT_EQ(driver.probe(), Status::kOk);
  }
  /// Load without calibration: cells, neutral gains, tile data.
  void load(const ImageBuilder& b) {
    const auto bytes = b.build();
    platform.expect_read(0x024, 0);
    platform.expect_program(1);
    expect_job(platform, [&] { EXPECT_EQ(desc_word(platform, 0, 4), 0x800800u); });
    expect_job(platform, [&] { expect_tile_data(); });
    LoadOptions o;
    o.calibrate = false;
    ASSERT_EQ(runtime.load(bytes.data(), bytes.size(), o), Status::kOk) << runtime.bad_offset() << runtime.bad_reason();
    platform.verify();
  }
  void expect_tile_data() {
    EXPECT_EQ(desc_word(platform, 0, 4), 0x800400u);  // TIMING as after reset, TRAP: watchdog on, overflow is a fault
    EXPECT_EQ(desc_word(platform, 0, 1), 36u);
    EXPECT_EQ(written_words(platform, 0)[0], 32u << 8 | 4);
    EXPECT_NE(written_words(platform, 0)[8] & 0xFFFF, 0u);
    EXPECT_EQ(written_words(platform, 0)[8] >> 16, 1u);
    EXPECT_EQ(desc_word(platform, 1, 0), 1u);  // program
    EXPECT_EQ(desc_word(platform, 1, 4), 0u);
    EXPECT_EQ(desc_word(platform, 2, 4), 0x800400u);
    EXPECT_EQ(desc_word(platform, 2, 1), 4u);
    EXPECT_EQ(desc_word(platform, 3, 0), 0u);
  }
  uint64_t mem(uint32_t d) { return uint64_t{desc_word(platform, d, 3)} << 32 | desc_word(platform, d, 2); }
  void expect_infer(uint64_t outbox, std::function<void()> act) {
    platform.expect_write(0x048, static_cast<uint32_t>(outbox));
    platform.expect_write(0x04C, static_cast<uint32_t>(outbox >> 32));
    expect_job(platform, std::move(act));
    platform.expect_write(0x028, 0b1100);
    platform.expect_write(0x02C, 0b1100);
    platform.expect_read(0x404, 2);
  }

  uint32_t dma_bytes;
  MockPlatform platform;
  Driver driver{platform};
  Runtime runtime{driver};
};

TEST_F(RuntimeTest, InferBeforeLoadIsRefused) {
  int8_t in[16] = {};
  uint8_t out[16];
  EXPECT_EQ(runtime.infer(in, 1, out), Status::kNotReady);
  EXPECT_EQ(runtime.batch_limit(), 0u);
}

TEST_F(RuntimeTest, BadImageTouchesNothing) {
  auto bytes = echo_image(1, 1).build();
  bytes[100] ^= 1;
  const size_t before = platform.accesses();
  EXPECT_EQ(runtime.load(bytes.data(), bytes.size()), Status::kBadImage);
  ImageBuilder other = echo_image(1, 1);
  other.geometry.rows = 64;
  bytes = other.build();
  EXPECT_EQ(runtime.load(bytes.data(), bytes.size()), Status::kWrongGeometry);
  EXPECT_EQ(runtime.bad_offset(), 16u);
  EXPECT_EQ(platform.accesses(), before);
}

TEST_F(RuntimeTest, LoadWaitsForNobody) {
  const auto bytes = echo_image(1, 1).build();
  platform.expect_read(0x024, 2);  // a tile runs
  EXPECT_EQ(runtime.load(bytes.data(), bytes.size()), Status::kNotReady);
  platform.expect_read(0x024, 0);
  platform.expect_program(1, Status::kModelError);
  EXPECT_EQ(runtime.load(bytes.data(), bytes.size()), Status::kModelError);
  EXPECT_FALSE(runtime.loaded());
}

// 3 parts, 4 slots, 10 vectors: loop count, START, REPEAT 4 x 3, REPEAT 6 x 3 with a wait for one result, WAIT 4, END.
TEST_F(RuntimeTest, ScheduleOfAJob) {
  load(echo_image(3, 4, 6));
  // Job memory: 2 tiles' worth: 2 * 1 + 4 + 16 = 22 descriptors = 1408 bytes, counts 64, inputs 10 * 48 = 480 -> 512,
  // then outputs.
  const uint64_t out = MockPlatform::kBus + 1408 + 64 + 512;
  int8_t in[480];
  for (int i = 0; i < 480; ++i) in[i] = static_cast<int8_t>(i % 101 - 50);
  expect_infer(out, [&] {
    EXPECT_EQ(desc_word(platform, 0, 0), 1u);  // M2T of the loop counts to tile 0: scalars 4..6
    EXPECT_EQ(desc_word(platform, 0, 4), 0x800010u);
    EXPECT_EQ(desc_word(platform, 0, 1), 12u);
    EXPECT_EQ(reinterpret_cast<uint32_t*>(platform.at(mem(0)))[2], 10u);
    EXPECT_EQ(desc_word(platform, 1, 0), 3u);  // START
    EXPECT_EQ(desc_word(platform, 1, 4), 8u);
    EXPECT_EQ(desc_word(platform, 1, 9), 1u);
    EXPECT_EQ(desc_word(platform, 2, 0), 5u);  // REPEAT
    EXPECT_EQ(desc_word(platform, 2, 1), 4u);
    EXPECT_EQ(desc_word(platform, 2, 11), 3u);
    const uint64_t inputs = mem(3);
    EXPECT_EQ(std::memcmp(platform.at(inputs), in, 480), 0);
    for (uint32_t part = 0; part < 3; ++part) {
      for (uint32_t block = 0; block < 2; ++block) {
        const uint32_t d = (block == 0 ? 3 : 7) + part;
        EXPECT_EQ(desc_word(platform, d, 0), 1u);
        EXPECT_EQ(desc_word(platform, d, 1), 16u);
        EXPECT_EQ(mem(d), inputs + 16 * part + (block == 0 ? 0 : 4 * 48));
        EXPECT_EQ(desc_word(platform, d, 4), 0x1000 + 16 * part) << "slot 0 again: 4 vectors before, 4 slots";
        EXPECT_EQ(desc_word(platform, d, 5), 48u);
        EXPECT_EQ(desc_word(platform, d, 6), 48u);
        EXPECT_EQ(desc_word(platform, d, 7), 4u);
        const uint32_t wait = block == 1 && part == 0 ? 1u << 8 | 5u << 4 | 1u : 0u;
        EXPECT_EQ(desc_word(platform, d, 8), 3u << 20 | 1u << 16 | wait);
      }
    }
    EXPECT_EQ(desc_word(platform, 6, 0), 5u);
    EXPECT_EQ(desc_word(platform, 6, 1), 6u);
    EXPECT_EQ(desc_word(platform, 10, 0), 4u);  // WAIT for the last 4
    EXPECT_EQ(desc_word(platform, 10, 8), 4u << 8 | 5u << 4 | 1u);
    EXPECT_EQ(desc_word(platform, 11, 0), 0u);
    for (int v = 0; v < 10; ++v) std::memset(platform.at(out) + 64 * v, v + 1, 48);
  });
  uint8_t got[480];
  ASSERT_EQ(runtime.infer(in, 10, got), Status::kOk);
  for (int i = 0; i < 480; ++i) EXPECT_EQ(got[i], i / 48 + 1);
}

TEST_F(RuntimeTest, FewVectorsNeedOneBlock) {
  load(echo_image(1, 4));
  int8_t in[32] = {};
  uint8_t out[32];
  expect_infer(MockPlatform::kBus + 1408 + 64 + 64, [&] {
    EXPECT_EQ(desc_word(platform, 0, 4), 0x800000u);  // scalar 1: words 0 and 1
    EXPECT_EQ(desc_word(platform, 0, 1), 8u);
    EXPECT_EQ(desc_word(platform, 2, 1), 2u);
    EXPECT_EQ(desc_word(platform, 4, 8), 2u << 8 | 5u << 4 | 1u);
    EXPECT_EQ(desc_word(platform, 5, 0), 0u);
  });
  EXPECT_EQ(runtime.infer(in, 2, out), Status::kOk);
}

// 9 parts do not fit a REPEAT: plain descriptors, slot and wait of each vector spelt out.
TEST_F(RuntimeTest, ManyPartsUsePlainDescriptors) {
  load(echo_image(9, 2));
  std::vector<int8_t> in(3 * 144);
  std::vector<uint8_t> got(3 * 144);
  // 22 + 27 descriptors = 3136 bytes, counts 64, inputs 432 -> 448
  expect_infer(MockPlatform::kBus + 3136 + 64 + 448, [&] {
    for (uint32_t v = 0; v < 3; ++v) {
      for (uint32_t part = 0; part < 9; ++part) {
        const uint32_t d = 2 + 9 * v + part;
        EXPECT_EQ(desc_word(platform, d, 0), 1u);
        EXPECT_EQ(mem(d), mem(2) + 144 * v + 16 * part);
        EXPECT_EQ(desc_word(platform, d, 4), 0x1000 + 144 * (v % 2) + 16 * part);
        EXPECT_EQ(desc_word(platform, d, 8) & 0xFFFF, v == 2 && part == 0 ? 1u << 8 | 5u << 4 | 1u : 0u);
      }
    }
    EXPECT_EQ(desc_word(platform, 29, 0), 4u);
    EXPECT_EQ(desc_word(platform, 30, 0), 0u);
  });
  EXPECT_EQ(runtime.infer(in.data(), 3, got.data()), Status::kOk);
}

TEST_F(RuntimeTest, ErrorsOfAJobAreReturned) {
  load(echo_image(1, 4));
  int8_t in[16] = {};
  uint8_t out[16];
  EXPECT_EQ(runtime.infer(nullptr, 1, out), Status::kBadArgument);
  EXPECT_EQ(runtime.infer(in, 0, out), Status::kBadArgument);
  platform.expect_write(0x048, static_cast<uint32_t>(MockPlatform::kBus + 1408 + 64 + 64));
  platform.expect_write(0x04C, 1);
  expect_ring(platform);
  platform.expect_irq(Status::kTimeout);
  expect_abort(platform);
  EXPECT_EQ(runtime.infer(in, 1, out), Status::kTimeout);
  EXPECT_TRUE(runtime.needs_recovery());
  EXPECT_FALSE(runtime.needs_reset());
  EXPECT_EQ(runtime.infer(in, 1, out), Status::kNotReady);
}

class RuntimeSmallMemory : public RuntimeTest {
 protected:
  RuntimeSmallMemory() : RuntimeTest(4096) {}
};

// Halves of 2048 bytes: 2048 - 1472 - 192 = 384 bytes for vectors of 16 + 32 each, so 8 a job; 60 take 8 jobs. While
// one runs the next is set up in the other half and queued.
TEST_F(RuntimeSmallMemory, LongCallsAlternateBetweenTwoHalves) {
  load(echo_image(1, 4));
  EXPECT_EQ(runtime.batch_limit(), 50u) << "(4096 - 1472 - 192) / 48";
  std::vector<int8_t> in(60 * 16);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int8_t>(i / 16);
  std::vector<uint8_t> got(60 * 16);
  const auto half = [](uint32_t job) { return MockPlatform::kBus + 2048 * (job % 2); };
  const auto size = [](uint32_t job) { return job == 7 ? 4u : 8u; };
  const auto out = [&](uint32_t job) { return half(job) + 1408 + 64 + (job == 7 ? 64 : 128); };
  const auto expect_submit = [&](uint32_t job) {
    platform.expect_write(0x048, static_cast<uint32_t>(out(job)));
    platform.expect_write(0x04C, 1);
    platform.expect_read(0x024, job == 0 ? 0 : 1);
    if (job == 0) {
      platform.expect_read(0x068, 0x0303);
      platform.expect_write(0x02C, 0xF);
      platform.expect_write(0x028, 0b1011);
    }
    platform.expect_write(0x034, static_cast<uint32_t>(half(job)));
    platform.expect_write(0x038, 1);
    platform.expect_write(0x030, 1);
  };
  const auto expect_end = [&](uint32_t job) {
    platform.expect_irq(Status::kOk, [&, job] {  // echoes the inputs of the job, descriptor 3, into its outbox
      uint32_t lo;
      std::memcpy(&lo, platform.at(half(job)) + 64 * 3 + 8, 4);
      const uint8_t* inputs = platform.at(uint64_t{1} << 32 | lo);
      for (uint32_t v = 0; v < size(job); ++v) std::memcpy(platform.at(out(job)) + 32 * v, inputs + 16 * v, 16);
    });
    platform.expect_read(0x02C, 1);
    platform.expect_write(0x02C, 1);
    platform.expect_read(0x068, (4 + job) << 8);
  };
  expect_submit(0);
  for (uint32_t job = 0; job < 8; ++job) {
    if (job + 1 < 8) expect_submit(job + 1);
    expect_end(job);
  }
  platform.expect_write(0x028, 0b1100);
  platform.expect_write(0x02C, 0b1100);
  platform.expect_read(0x404, 2);
  ASSERT_EQ(runtime.infer(in.data(), 60, got.data()), Status::kOk);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], i / 16);
}

TEST_F(RuntimeSmallMemory, AVectorThatDoesNotFitIsRefused) {
  ImageBuilder b = echo_image(1, 1);
  b.network.input_bytes = 1 << 20;
  load(b);
  EXPECT_EQ(runtime.batch_limit(), 0u);
  std::vector<int8_t> in(1 << 20);
  uint8_t out[16];
  EXPECT_EQ(runtime.infer(in.data(), 1, out), Status::kNoMemory);
}
