// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "sw/hal/status.h"

namespace ohmac {

/// Piece of DMA memory: CPU pointer, bus address, bytes.
struct DmaBlock {
  uint8_t* cpu = nullptr;
  uint64_t bus = 0;
  uint32_t bytes = 0;
};

/// One M2T or T2M. The strides and slots matter only inside a REPEAT.
struct Transfer {
  uint32_t tile = 0;
  uint32_t tile_addr = 0;    // NoC byte address, multiple of 16
  uint64_t mem = 0;          // bus address, multiple of 16
  uint32_t bytes = 0;        // 1..2^24-1
  uint32_t mem_stride = 0;   // bytes an iteration, multiple of 16
  uint32_t tile_stride = 0;  // bytes an iteration, multiple of 16
  uint32_t tile_slots = 0;   // iterations after which the tile address starts again, 0: never
  uint32_t wait_count = 0;   // 1..255: wait for that many of `wait_token` first; 0: no wait
  uint32_t wait_token = 0;
  bool signal = false;  // the last flit increments `signal_token` of the tile (M2T only)
  uint32_t signal_token = 0;
};

/// Writes the descriptors of one DMA job. Arguments are checked as they come; the first bad one sticks, nothing more is
/// written, and end() returns it.
class JobBuilder {
 public:
  JobBuilder() = default;
  /// @param memory  room for the descriptors, bus address 64-byte aligned
  /// @param tiles   tiles of the chip
  JobBuilder(const DmaBlock& memory, uint32_t tiles);

  void m2t(const Transfer& t);
  void t2m(const Transfer& t);
  /// Starts the tiles of the mask at `pc` (instructions). The DMA lets earlier M2T data arrive first.
  void start(uint64_t mask, uint32_t pc);
  void wait(uint32_t token, uint32_t count);
  /// Runs the next `descriptors` (1..8; M2T, T2M, WAIT) `iterations` times.
  void repeat(uint32_t iterations, uint32_t descriptors);
  /// Closes the job.
  Status end();

  uint64_t bus() const { return memory_.bus; }
  uint32_t size() const { return count_; }
  uint32_t room() const { return memory_.bytes / 64 - count_; }
  bool closed() const { return closed_; }

 private:
  void transfer(uint32_t op, const Transfer& t);
  void put(const uint32_t* words, bool repeatable);
  void fail(Status s) {
    if (status_ == Status::kOk) status_ = s;
  }

  DmaBlock memory_;
  uint32_t tiles_ = 0;
  uint32_t count_ = 0;    // descriptors written
  uint32_t covered_ = 0;  // descriptors the running REPEAT still expects
  bool closed_ = false;
  Status status_ = Status::kOk;
};

}  // namespace ohmac
