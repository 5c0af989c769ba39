// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "models/systemc/axi.h"

namespace ohmac {

/// AXI4 slave memory, 128 bits, INCR bursts, in order, cycle accurate. DECERR outside its range.
/// With stalls on, every ready and valid is held back at random (seeded), which must not change any result.
class AxiMemory {
 public:
  struct Config {
    uint64_t base = 0x80000000;  ///< bus address of byte 0, multiple of 4096
    size_t bytes = 16u << 20;
    uint32_t read_latency = 20;   ///< cycles from AR handshake to the first beat
    uint32_t write_latency = 10;  ///< cycles from the last W beat to B
    uint32_t stall_percent = 0;   ///< chance a cycle that a channel stalls
    uint64_t stall_seed = 0;
  };

  explicit AxiMemory(const Config& config);

  uint8_t* data() { return mem_.data(); }
  size_t size() const { return mem_.size(); }
  uint64_t base() const { return config_.base; }

  /// One rising edge: `m` is what the master drove before it. Returns what the memory drives after it.
  const AxiSlaveOut& posedge(const AxiMasterOut& m);
  const AxiSlaveOut& out() const { return out_; }
  /// Drops everything in flight (chip reset); contents stay.
  void reset();

  uint64_t write_bursts() const { return write_bursts_; }

 private:
  struct Burst {
    uint64_t addr;
    uint32_t beats;
    uint64_t ready_at;
  };
  bool stalls();
  bool holds(uint64_t addr) const { return addr >= config_.base && addr - config_.base <= mem_.size() - 16; }
  void take_writes(const AxiMasterOut& m);
  void present_read(const AxiMasterOut& m);

  Config config_;
  std::vector<uint8_t> mem_;
  AxiSlaveOut out_;
  std::deque<Burst> reads_, writes_;
  struct Response {
    uint64_t ready_at;
    uint8_t resp;
  };
  std::deque<Response> responses_;
  struct Beat {
    AxiData data;
    uint16_t strb;
    bool last;
  };
  std::deque<Beat> beats_;
  uint8_t write_resp_ = kAxiOkay;
  uint64_t cycle_ = 0, write_bursts_ = 0;
  std::mt19937_64 rng_;
};

}  // namespace ohmac
