// SPDX-License-Identifier: Apache-2.0
// Expected CSR sequences of a tiny chip (2 tiles of 32x32, 8 lanes, 16 KiB) for the strict mock. Addresses and values
// are written out from rtl/regs/ohmac_csr.rdl, not taken from the driver's headers.
#pragma once
#include <cstdint>
#include <functional>

#include "sw/driver/driver.h"
#include "tb/common/mock_platform.h"

namespace ohmac::tb {

constexpr uint32_t kCapChip = 1u << 24 | 1 << 16 | 2 << 8 | 2;  // isa 1, mesh 2x1, 2 tiles
constexpr uint32_t kCapArray = 32u << 16 | 32;
constexpr uint32_t kCapAdc = 18u << 24 | 4 << 16 | 8 << 8 | 8;  // 18 counters, 4 windows, 8 bits, 8 lanes
constexpr uint32_t kSpares = 8;

inline void expect_window(MockPlatform& p, uint32_t dma_bytes = 1 << 20) {
  for (uint32_t w : {1, 2, 3}) p.expect_write(0x08C + 0x10 * w, 0);
  p.expect_write(0x08C, 0);
  p.expect_write(0x080, static_cast<uint32_t>(MockPlatform::kBus));
  p.expect_write(0x084, static_cast<uint32_t>(MockPlatform::kBus >> 32));
  p.expect_write(0x088, dma_bytes);
  p.expect_write(0x08C, 3);
}

inline void expect_probe(MockPlatform& p, uint32_t dma_bytes = 1 << 20) {
  p.expect_read(0x000, 0x4F484D43);
  p.expect_read(0x004, 0x00010002);
  p.expect_read(0x008, kCapChip);
  p.expect_read(0x00C, kCapArray);
  p.expect_read(0x010, kCapAdc);
  p.expect_read(0x014, 16384);
  p.expect_read(0x018, kSpares);
  p.expect_write(0x028, 0);
  p.expect_write(0x02C, 0xF);
  expect_window(p, dma_bytes);
}

/// Doorbell of a job at the start of DMA memory, until the interrupt wait.
inline void expect_ring(MockPlatform& p) {
  p.expect_read(0x024, 0);
  p.expect_write(0x02C, 0xF);
  p.expect_write(0x028, 0b1011);  // done, error, fault
  p.expect_write(0x034, static_cast<uint32_t>(MockPlatform::kBus));
  p.expect_write(0x038, static_cast<uint32_t>(MockPlatform::kBus >> 32));
  p.expect_write(0x030, 1);
}

inline void expect_job(MockPlatform& p, std::function<void()> act = {}) {
  expect_ring(p);
  p.expect_irq(Status::kOk, std::move(act));
  p.expect_read(0x02C, 1);
  p.expect_write(0x02C, 1);
}

/// What descriptor `d` of the job at the start of DMA memory moves.
inline const uint32_t* written_words(MockPlatform& p, uint32_t d) {
  uint32_t lo, hi;
  std::memcpy(&lo, p.dma_memory() + 64 * d + 8, 4);
  std::memcpy(&hi, p.dma_memory() + 64 * d + 12, 4);
  return reinterpret_cast<const uint32_t*>(p.at(uint64_t{hi} << 32 | lo));
}

/// Abort of a running job: DMA error details are read afterwards.
inline void expect_abort(MockPlatform& p, bool drains = true) {
  p.expect_write(0x028, 0b0011);
  p.expect_write(0x020, 1);
  p.expect_irq(drains ? Status::kOk : Status::kTimeout);
  p.expect_read(0x024, drains ? 0 : 1);
  if (drains) p.expect_write(0x020, 0);
  p.expect_read(0x03C, 0x00070000);
  p.expect_read(0x040, 0);
  p.expect_read(0x044, 0);
  p.expect_write(0x02C, 0xF);
}

/// Word `w` of descriptor `d` of the job at the start of DMA memory.
inline uint32_t desc_word(MockPlatform& p, uint32_t d, uint32_t w) {
  uint32_t v;
  std::memcpy(&v, p.dma_memory() + 64 * d + 4 * w, 4);
  return v;
}

}  // namespace ohmac::tb
