// SPDX-License-Identifier: Apache-2.0
// The golden machine: tiles, NoC, DMA and registers of one chip, with host memory. Same CSR map, images and results as
// the RTL.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "models/golden/golden_tile.h"

namespace ohmac::golden {

struct ChipConfig {
  Geometry geometry;
  uint64_t memory_base = 0x8000'0000;  ///< bus address of the host memory, 64-byte aligned
  size_t memory_bytes = 16u << 20;     ///< accesses elsewhere end with DECERR
};

/// Copyable: a copy has its own tiles, memory and registers and shares the device state of the macros (shards of a
/// run).
class GoldenChip {
 public:
  /// One macro a tile, in tile order. Throws std::invalid_argument if the numbers differ.
  GoldenChip(const ChipConfig& config, const std::vector<Macro>& macros);
  /// Macros made from `macro`, with the tile number and the geometry filled in.
  GoldenChip(const ChipConfig& config, const MacroConfig& macro);

  // --- What a driver sees. Each access takes timing::kCsrAccess cycles, in which the chip goes on.
  uint32_t csr_read(uint32_t addr);
  void csr_write(uint32_t addr, uint32_t value);
  bool irq() const { return (irq_cause_ & irq_enable_) != 0; }
  /// Advances until the interrupt line is high. False after max_cycles, or if the chip has come to rest without one
  /// (deadlock, or nothing started); the clock then stands at the limit, as it would in the RTL.
  bool run(uint64_t max_cycles);

  uint8_t* memory() { return memory_.data(); }
  const uint8_t* memory() const { return memory_.data(); }
  uint64_t memory_base() const { return config_.memory_base; }
  size_t memory_bytes() const { return memory_.size(); }

  // --- What a test or a report sees
  const Geometry& geometry() const { return config_.geometry; }
  uint32_t tiles() const { return static_cast<uint32_t>(tiles_.size()); }
  GoldenTile& tile(uint32_t i) { return tiles_[i]; }
  const GoldenTile& tile(uint32_t i) const { return tiles_[i]; }
  Macro& macro(uint32_t i) { return tiles_[i].macro(); }
  uint64_t cycle() const { return now_; }
  /// Fills a trace from now on; null: stop. Copies of the chip fill the same one.
  void set_timeline(ChipTimeline* timeline);
  bool idle() const { return next_event() == kNever; }

 private:
  enum class DmaState : uint8_t { kIdle, kFetch, kDecode, kTable, kTokens, kExecute, kStream, kRead, kFence, kDrain };

  struct Descriptor {
    isa::DmaOp op;
    uint8_t op_code, tile;
    uint32_t len, tile_addr, tile_stride, tile_slots;
    uint64_t mem;
    int32_t mem_stride;
    bool wait_en, sig_en;
    uint8_t wait_token, wait_count, sig_token;
    uint64_t mask;
    uint32_t repeat_desc;
  };

  struct Dma {
    DmaState state = DmaState::kIdle;
    Tick wake = kNever;
    uint64_t desc_addr = 0;  ///< of the descriptor in hand
    uint32_t index = 0;      ///< of it, in the job
    Descriptor d{};
    bool repeating = false;
    uint32_t table_size = 0, table_pos = 0, iteration = 0, iterations = 0, repeat_index = 0;
    uint64_t repeat_addr = 0;
    std::array<Descriptor, isa::kMaxRepeatDesc> table{};
    std::array<uint32_t, isa::kNumTokens> tokens{};
    uint64_t mem = 0;  ///< running stream: next memory address, tile address, bytes left
    uint32_t tile_addr = 0, left = 0;
    uint64_t read_base = 0;  ///< memory address of the running FlitRead
    uint64_t dirty = 0;      ///< tiles written since the last fence
    Tick issue_free = 0, read_free = 0, noc_free = 0, write_free = 0, write_done = 0;
    std::array<Tick, timing::kOutstandingReads> read_end{};
    uint32_t read_slot = 0;
    bool resp_due = false;  // a FlitRead is out, its last answer not yet here
    bool failed = false, aborted = false;
    uint64_t out_base = 0;  ///< of the outbox, as the doorbell found it
    uint8_t number = 0;     ///< as jobs.accepted counted it
  };

  /// What dma_status tells: the first error since a doorbell that found no job. An abort leaves `error` 0.
  struct FirstError {
    uint32_t error = 0, index = 0;
    uint8_t job = 0;
    uint64_t addr = 0;
  };

  struct Job {  // taken by a doorbell, not started yet
    uint64_t addr = 0, out_base = 0;
    uint8_t number = 0;
  };

  struct Flight {  // a burst in the NoC
    Tick at;       // its last flit is taken at the destination
    uint64_t order;
    uint32_t slot;
    bool operator<(const Flight& o) const { return at != o.at ? at > o.at : order > o.order; }  // heap: earliest on top
  };

  struct TokenEvent {
    Tick at;
    uint8_t token;
  };

  Tick next_event() const;
  void step(Tick now);
  void advance_to(Tick t);
  void touch(uint32_t tile) { next_[tile] = tiles_[tile].next_time(); }
  void watch(uint32_t tile);

  Tick route(uint32_t source, const Burst& b, Tick at, Tick* released);
  Tick cross(uint32_t link, Tick head, uint32_t flits);
  void launch(const Burst& b, Tick at);
  void drain_tile(uint32_t tile);
  void host_receive(const Burst& b, Tick now);

  void ring(Tick now);
  void start_job(const Job& job, Tick now);
  void end_job(Tick now);
  void dma_step(Tick now);
  void dma_next(Tick now);
  void dma_fail(isa::DmaError error, uint64_t addr, Tick now);
  void dma_execute(Tick now);
  void dma_stream(Tick now);
  void dma_read_tile(Tick now);
  void dma_fence(Tick now);
  void dma_token(uint32_t token, Tick now);
  bool dma_read_memory(uint64_t addr, uint32_t bytes, uint8_t* out, Tick now, Tick* first, isa::DmaError* error);
  void load_table();
  bool legal() const;
  static Descriptor decode(const uint32_t* w);
  bool window_allows(uint64_t addr, uint64_t bytes, bool write) const;
  uint8_t* memory_at(uint64_t addr, uint64_t bytes);

  ChipConfig config_;
  std::vector<uint8_t> memory_;
  std::vector<GoldenTile> tiles_;
  std::vector<Tick> next_;        // next event of each tile
  std::vector<TileStatus> seen_;  // tile status already reported in irq_cause
  std::vector<Tick> link_free_;   // [router][Local, N, E, S, W]

  std::vector<Flight> flights_;  // heap
  std::vector<Burst> bursts_;    // payloads of flights, recycled
  std::vector<uint32_t> free_bursts_;
  uint64_t order_ = 0;

  Dma dma_;
  FirstError first_error_;
  Job queued_;
  bool job_queued_ = false;
  uint8_t jobs_accepted_ = 0, jobs_done_ = 0, jobs_failed_ = 0;
  std::vector<TokenEvent> dma_tokens_;  // times ascend; consumed from dma_token_head_
  size_t dma_token_head_ = 0;
  ChipTimeline* timeline_ = nullptr;

  Tick now_ = 0;
  uint32_t irq_cause_ = 0, irq_enable_ = 0, ctrl_ = 0, cycle_hi_ = 0, cnt_sel_ = 0, rd_beats_ = 0, wr_beats_ = 0;
  uint64_t job_addr_ = 0, out_base_ = 0;
  std::array<uint32_t, 16> window_{};  // base_lo, base_hi, size, attr of each
  std::vector<uint32_t> tile_pc_;
};

}  // namespace ohmac::golden
