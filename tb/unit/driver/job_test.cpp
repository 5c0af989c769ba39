// SPDX-License-Identifier: Apache-2.0
// Descriptors, word by word against the table in rtl/pkg/ISA.md (bit positions written out here).
#include "sw/driver/job.h"

#include <gtest/gtest.h>

#include <cstring>

using ohmac::DmaBlock;
using ohmac::JobBuilder;
using ohmac::Status;
using ohmac::Transfer;

class Job : public ::testing::Test {
 protected:
  static constexpr uint64_t kBus = 0x123456780;
  Job() : job(DmaBlock{memory, kBus & ~63ull, sizeof memory}, 40) { std::memset(memory, 0xEE, sizeof memory); }
  uint32_t word(uint32_t d, uint32_t w) {
    uint32_t v;
    std::memcpy(&v, memory + 64 * d + 4 * w, 4);
    return v;
  }
  Transfer plain() {
    Transfer t;
    t.tile = 39;
    t.tile_addr = 0x800A00;
    t.mem = 0xA'BCDE'F010;
    t.bytes = 0x123456;
    return t;
  }
  alignas(64) uint8_t memory[64 * 12];
  JobBuilder job;
};

TEST_F(Job, EncodesEveryFieldOfATransfer) {
  Transfer t = plain();
  t.mem_stride = 0x310;
  t.tile_stride = 0x40;
  t.tile_slots = 200;
  t.wait_count = 255;
  t.wait_token = 9;
  t.signal = true;
  t.signal_token = 13;
  job.m2t(t);
  ASSERT_EQ(job.end(), Status::kOk);
  EXPECT_EQ(word(0, 0), 39u << 8 | 1u);
  EXPECT_EQ(word(0, 1), 0x123456u);
  EXPECT_EQ(word(0, 2), 0xBCDEF010u);
  EXPECT_EQ(word(0, 3), 0xAu);
  EXPECT_EQ(word(0, 4), 0x800A00u);
  EXPECT_EQ(word(0, 5), 0x310u);
  EXPECT_EQ(word(0, 6), 0x40u);
  EXPECT_EQ(word(0, 7), 200u);
  EXPECT_EQ(word(0, 8), 13u << 20 | 1u << 16 | 255u << 8 | 9u << 4 | 1u);
  for (uint32_t w = 9; w < 16; ++w) EXPECT_EQ(word(0, w), 0u);
  for (uint32_t w = 0; w < 16; ++w) EXPECT_EQ(word(1, w), 0u) << "END";
}

TEST_F(Job, EncodesReadStartWaitAndRepeat) {
  job.t2m(plain());
  job.start(0xC0'0000'0011, 513);
  job.repeat(70000, 2);
  job.wait(5, 3);
  job.m2t(plain());
  ASSERT_EQ(job.end(), Status::kOk);
  EXPECT_EQ(word(0, 0), 39u << 8 | 2u);
  EXPECT_EQ(word(0, 8), 0u);
  EXPECT_EQ(word(1, 0), 3u);
  EXPECT_EQ(word(1, 4), 513u);
  EXPECT_EQ(word(1, 9), 0x11u);
  EXPECT_EQ(word(1, 10), 0xC0u);
  EXPECT_EQ(word(2, 0), 5u);
  EXPECT_EQ(word(2, 1), 70000u);
  EXPECT_EQ(word(2, 11), 2u);
  EXPECT_EQ(word(3, 0), 4u);
  EXPECT_EQ(word(3, 8), 3u << 8 | 5u << 4 | 1u);
  EXPECT_EQ(job.size(), 6u);
}

TEST_F(Job, RefusesIllegalTransfers) {
  const auto refused = [&](auto change) {
    JobBuilder j(DmaBlock{memory, 0, sizeof memory}, 40);
    Transfer t = plain();
    change(t);
    j.m2t(t);
    EXPECT_EQ(j.size(), 0u);
    EXPECT_EQ(j.end(), Status::kBadArgument);
  };
  refused([](Transfer& t) { t.tile = 40; });
  refused([](Transfer& t) { t.tile_addr += 8; });
  refused([](Transfer& t) { t.tile_addr = 1 << 24; });
  refused([](Transfer& t) { t.mem += 4; });
  refused([](Transfer& t) { t.bytes = 0; });
  refused([](Transfer& t) { t.bytes = 1 << 24; });
  refused([](Transfer& t) { t.mem_stride = 24; });
  refused([](Transfer& t) { t.tile_stride = 8; });
  refused([](Transfer& t) { t.tile_slots = 256; });
  refused([](Transfer& t) { t.wait_count = 256; });
  refused([](Transfer& t) { t.wait_token = 16; });
  refused([](Transfer& t) { t.signal_token = 16; });
}

TEST_F(Job, RefusesIllegalControl) {
  const auto refused = [&](auto build) {
    JobBuilder j(DmaBlock{memory, 0, sizeof memory}, 40);
    build(j);
    EXPECT_EQ(j.end(), Status::kBadArgument);
  };
  refused([](JobBuilder& j) { j.start(0, 0); });
  refused([](JobBuilder& j) { j.start(uint64_t{1} << 40, 0); });
  refused([](JobBuilder& j) { j.start(1, 65536); });
  refused([](JobBuilder& j) { j.wait(16, 1); });
  refused([](JobBuilder& j) { j.wait(0, 0); });
  refused([](JobBuilder& j) { j.wait(0, 256); });
  refused([](JobBuilder& j) { j.repeat(0, 1); });
  refused([](JobBuilder& j) { j.repeat(1 << 24, 1); });
  refused([](JobBuilder& j) { j.repeat(1, 9); });
  refused([](JobBuilder& j) { j.repeat(1, 0); });
  refused([](JobBuilder& j) { j.repeat(3, 1); });  // nothing follows
  refused([](JobBuilder& j) {
    j.repeat(3, 1);
    j.start(1, 0);
  });
  refused([](JobBuilder& j) {
    Transfer t;
    t.bytes = 4;
    t.signal = true;
    j.t2m(t);
  });
}

TEST_F(Job, RefusesToGrowOverItsMemoryAndToCloseTwice) {
  for (int i = 0; i < 12; ++i) job.wait(0, 1);
  EXPECT_EQ(job.room(), 0u);
  EXPECT_EQ(job.end(), Status::kNoMemory);
  JobBuilder other(DmaBlock{memory, 0, sizeof memory}, 2);
  EXPECT_EQ(other.end(), Status::kOk);
  EXPECT_EQ(other.end(), Status::kBadArgument);
  JobBuilder misaligned(DmaBlock{memory, 32, sizeof memory}, 2);
  EXPECT_EQ(misaligned.end(), Status::kBadArgument);
}
