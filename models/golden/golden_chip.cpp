// SPDX-License-Identifier: Apache-2.0
#include "models/golden/golden_chip.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

#include "sw/hal/gen/ohmac_csr.h"

namespace ohmac::golden {

using isa::DmaError;
using isa::DmaOp;

namespace {

constexpr uint32_t kCauseDone = OHMAC_CSR__IRQ_CAUSE__JOB_DONE_bm, kCauseError = OHMAC_CSR__IRQ_CAUSE__JOB_ERROR_bm,
                   kCauseHalt = OHMAC_CSR__IRQ_CAUSE__TILE_HALT_bm, kCauseFault = OHMAC_CSR__IRQ_CAUSE__TILE_FAULT_bm;
constexpr uint32_t kId = 0x4F484D43, kVersionMajor = 1, kVersionMinor = 1;
constexpr uint32_t kPorts = 5, kLocal = 0, kNorth = 1, kEast = 2, kSouth = 3, kWest = 4;
constexpr uint32_t kBeat = 16, kPage = 4096;

void set_lo(uint64_t& v, uint32_t lo) { v = (v & ~uint64_t{0xFFFFFFFF}) | lo; }
void set_hi(uint64_t& v, uint32_t hi) { v = (v & 0xFFFFFFFF) | uint64_t{hi} << 32; }

std::vector<Macro> make_macros(const ChipConfig& config, MacroConfig macro) {
  std::vector<Macro> v;
  v.reserve(config.geometry.tiles());
  macro.geometry = config.geometry;
  for (uint32_t i = 0; i < config.geometry.tiles(); ++i) {
    macro.tile = i;
    v.emplace_back(macro);
  }
  return v;
}

}  // namespace

GoldenChip::GoldenChip(const ChipConfig& config, const MacroConfig& macro)
    : GoldenChip(config, make_macros(config, macro)) {}

GoldenChip::GoldenChip(const ChipConfig& config, const std::vector<Macro>& macros)
    : config_(config),
      memory_(config.memory_bytes),
      next_(config.geometry.tiles(), kNever),
      seen_(config.geometry.tiles()),
      link_free_(config.geometry.tiles() * kPorts),
      tile_pc_(config.geometry.tiles()) {
  if (macros.size() != config.geometry.tiles())
    throw std::invalid_argument("GoldenChip: " + std::to_string(macros.size()) + " macros for " +
                                std::to_string(config.geometry.tiles()) + " tiles");
  tiles_.reserve(macros.size());
  for (const Macro& m : macros) tiles_.emplace_back(config.geometry, m);
}

void GoldenChip::set_timeline(ChipTimeline* timeline) {
  timeline_ = timeline;
  for (uint32_t i = 0; i < tiles_.size(); ++i) tiles_[i].set_timeline(timeline, i);
}

// ----------------------------------------------------------------------------------------------------------------------
// registers

uint32_t GoldenChip::csr_read(uint32_t addr) {
  advance_to(now_ + timing::kCsrAccess);
  const Geometry& g = config_.geometry;
  const auto tile_base = static_cast<uint32_t>(offsetof(ohmac_csr_t, tile));
  if (addr >= tile_base) {
    const uint32_t i = (addr - tile_base) / sizeof(tile_rf_t);
    if (i >= tiles_.size()) return 0;
    if ((addr - tile_base) % sizeof(tile_rf_t) == offsetof(tile_rf_t, ctrl)) return tile_pc_[i];
    const TileStatus s = tiles_[i].status();
    return (s.running ? TILE_RF__STATUS__RUNNING_bm : 0) | (s.halted ? TILE_RF__STATUS__HALTED_bm : 0) |
           static_cast<uint32_t>(s.fault) << TILE_RF__STATUS__FAULT_bp | uint32_t{s.pc} << TILE_RF__STATUS__PC_bp;
  }
  const auto window_base = static_cast<uint32_t>(offsetof(ohmac_csr_t, window));
  if (addr >= window_base && addr < window_base + 4 * window_.size()) return window_[(addr - window_base) / 4];
  switch (addr) {
    case offsetof(ohmac_csr_t, id): return kId;
    case offsetof(ohmac_csr_t, version): return kVersionMajor << 16 | kVersionMinor;
    case offsetof(ohmac_csr_t, cap_chip):
      return g.tiles() | g.mesh_x << OHMAC_CSR__CAP_CHIP__MESH_X_bp | g.mesh_y << OHMAC_CSR__CAP_CHIP__MESH_Y_bp |
             isa::kVersion << OHMAC_CSR__CAP_CHIP__ISA_bp;
    case offsetof(ohmac_csr_t, cap_array): return g.rows | g.cols << 16;
    case offsetof(ohmac_csr_t, cap_adc):
      return g.lanes | 8u << OHMAC_CSR__CAP_ADC__ADC_BITS_bp | 4u << OHMAC_CSR__CAP_ADC__WINDOWS_bp |
             isa::kNumCounters << OHMAC_CSR__CAP_ADC__COUNTERS_bp;
    case offsetof(ohmac_csr_t, cap_sram): return g.sram_bytes;
    case offsetof(ohmac_csr_t, cap_repair): return g.spares;
    case offsetof(ohmac_csr_t, ctrl): return ctrl_;
    case offsetof(ohmac_csr_t, status): {
      bool running = false;
      for (const GoldenTile& t : tiles_) running |= t.status().running;
      return (dma_.state != DmaState::kIdle || job_queued_ ? OHMAC_CSR__STATUS__DMA_BUSY_bm : 0) |
             (running ? OHMAC_CSR__STATUS__TILE_RUNNING_bm : 0) |
             (flights_.empty() ? 0 : OHMAC_CSR__STATUS__NOC_BUSY_bm) |
             (job_queued_ ? OHMAC_CSR__STATUS__JOB_QUEUED_bm : 0);
    }
    case offsetof(ohmac_csr_t, irq_enable): return irq_enable_;
    case offsetof(ohmac_csr_t, irq_cause): return irq_cause_;
    case offsetof(ohmac_csr_t, job_addr_lo): return static_cast<uint32_t>(job_addr_);
    case offsetof(ohmac_csr_t, job_addr_hi): return static_cast<uint32_t>(job_addr_ >> 32);
    case offsetof(ohmac_csr_t, dma_status):
      return first_error_.error | uint32_t{first_error_.job} << OHMAC_CSR__DMA_STATUS__JOB_bp |
             first_error_.index << OHMAC_CSR__DMA_STATUS__INDEX_bp;
    case offsetof(ohmac_csr_t, dma_err_lo): return static_cast<uint32_t>(first_error_.addr);
    case offsetof(ohmac_csr_t, dma_err_hi): return static_cast<uint32_t>(first_error_.addr >> 32);
    case offsetof(ohmac_csr_t, out_base_lo): return static_cast<uint32_t>(out_base_);
    case offsetof(ohmac_csr_t, out_base_hi): return static_cast<uint32_t>(out_base_ >> 32);
    case offsetof(ohmac_csr_t, cycle_lo):
      cycle_hi_ = static_cast<uint32_t>(now_ >> 32);
      return static_cast<uint32_t>(now_);
    case offsetof(ohmac_csr_t, cycle_hi): return cycle_hi_;
    case offsetof(ohmac_csr_t, cnt_sel): return cnt_sel_;
    case offsetof(ohmac_csr_t, cnt_value): {
      const uint32_t tile = cnt_sel_ & OHMAC_CSR__CNT_SEL__TILE_bm;
      const uint32_t index = (cnt_sel_ & OHMAC_CSR__CNT_SEL__INDEX_bm) >> OHMAC_CSR__CNT_SEL__INDEX_bp;
      return tile < tiles_.size() && index < isa::kNumCounters ? tiles_[tile].counter(static_cast<isa::Counter>(index))
                                                               : 0;
    }
    case offsetof(ohmac_csr_t, axi_rd_beats): return rd_beats_;
    case offsetof(ohmac_csr_t, axi_wr_beats): return wr_beats_;
    case offsetof(ohmac_csr_t, jobs):
      return jobs_accepted_ | uint32_t{jobs_done_} << OHMAC_CSR__JOBS__DONE_bp |
             uint32_t{jobs_failed_} << OHMAC_CSR__JOBS__FAILED_bp;
    default: return 0;
  }
}

void GoldenChip::csr_write(uint32_t addr, uint32_t value) {
  advance_to(now_ + timing::kCsrAccess);
  const auto tile_base = static_cast<uint32_t>(offsetof(ohmac_csr_t, tile));
  if (addr >= tile_base) {
    const uint32_t i = (addr - tile_base) / sizeof(tile_rf_t);
    if (i >= tiles_.size() || (addr - tile_base) % sizeof(tile_rf_t) != offsetof(tile_rf_t, ctrl)) return;
    tile_pc_[i] = value & TILE_RF__CTRL__PC_bm;
    GoldenTile& t = tiles_[i];
    if (t.status().running) {
      if (value & TILE_RF__CTRL__STOP_bm) {
        t.stop_at(now_);
        watch(i);
      }
      return;
    }
    if (value & TILE_RF__CTRL__CLEAR_bm) t.clear();
    if (value & TILE_RF__CTRL__START_bm) t.start_at(static_cast<uint16_t>(tile_pc_[i]), now_);
    seen_[i] = t.status();
    touch(i);
    return;
  }
  const auto window_base = static_cast<uint32_t>(offsetof(ohmac_csr_t, window));
  if (addr >= window_base && addr < window_base + 4 * window_.size()) {
    window_[(addr - window_base) / 4] = value;
    return;
  }
  switch (addr) {
    case offsetof(ohmac_csr_t, ctrl):
      ctrl_ = value & OHMAC_CSR__CTRL__DMA_ABORT_bm;
      if (ctrl_ == 0) break;
      if (job_queued_) {
        job_queued_ = false;
        ++jobs_failed_;
        irq_cause_ |= kCauseError;
      }
      if (dma_.state != DmaState::kIdle && dma_.state != DmaState::kDrain) dma_.wake = std::min(dma_.wake, now_ + 1);
      break;
    case offsetof(ohmac_csr_t, irq_enable): irq_enable_ = value & 0xF; break;
    case offsetof(ohmac_csr_t, irq_cause): irq_cause_ &= ~value; break;
    case offsetof(ohmac_csr_t, doorbell):
      if (value & 1) ring(now_);
      break;
    case offsetof(ohmac_csr_t, job_addr_lo): set_lo(job_addr_, value); break;
    case offsetof(ohmac_csr_t, job_addr_hi): set_hi(job_addr_, value); break;
    case offsetof(ohmac_csr_t, out_base_lo): set_lo(out_base_, value); break;
    case offsetof(ohmac_csr_t, out_base_hi): set_hi(out_base_, value); break;
    case offsetof(ohmac_csr_t, cnt_sel): cnt_sel_ = value; break;
    default: break;
  }
}

// ---------------------------------------------------------------------------------------------------------------------------
// time

Tick GoldenChip::next_event() const {
  Tick t = dma_.wake;
  for (const Tick n : next_) t = std::min(t, n);
  if (!flights_.empty()) t = std::min(t, flights_.front().at);
  if (dma_token_head_ < dma_tokens_.size()) t = std::min(t, dma_tokens_[dma_token_head_].at);
  return t;
}

void GoldenChip::step(Tick now) {
  now_ = now;
  while (!flights_.empty() && flights_.front().at <= now) {
    const Flight f = flights_.front();
    std::pop_heap(flights_.begin(), flights_.end());
    flights_.pop_back();
    const Burst& b = bursts_[f.slot];
    if (b.tile == isa::kHostTile) {
      host_receive(b, now);
    } else {
      tiles_[b.tile].receive(b, now);
      watch(b.tile);
    }
    free_bursts_.push_back(f.slot);
  }
  while (dma_token_head_ < dma_tokens_.size() && dma_tokens_[dma_token_head_].at <= now)
    dma_token(dma_tokens_[dma_token_head_++].token, now);
  if (dma_token_head_ == dma_tokens_.size()) {
    dma_tokens_.clear();
    dma_token_head_ = 0;
  }
  if (dma_.wake <= now) dma_step(now);
  for (uint32_t i = 0; i < next_.size(); ++i) {
    if (next_[i] > now) continue;
    tiles_[i].step(now);
    drain_tile(i);
    watch(i);
  }
}

void GoldenChip::watch(uint32_t i) {
  const TileStatus s = tiles_[i].status();
  if (s.halted && !seen_[i].halted) irq_cause_ |= kCauseHalt;
  if (s.fault != isa::Fault::kNone && seen_[i].fault == isa::Fault::kNone) irq_cause_ |= kCauseFault;
  seen_[i] = s;
  touch(i);
}

void GoldenChip::advance_to(Tick t) {
  for (Tick n = next_event(); n <= t; n = next_event()) step(n);
  now_ = t;
}

bool GoldenChip::run(uint64_t max_cycles) {
  const Tick limit = now_ + max_cycles;
  while (!irq()) {
    const Tick n = next_event();
    if (n > limit) {
      now_ = limit;
      return false;
    }
    step(std::max(n, now_));
  }
  return true;
}

// ----------------------------------------------------------------------------------------------------------------------------
// NoC

/// One output port: the head of the burst leaves a hop after it came in, or when the port is free.
Tick GoldenChip::cross(uint32_t link, Tick head, uint32_t busy) {
  Tick& free = link_free_[link];
  head = std::max(head + timing::kHop, free);
  free = head + busy;
  return head;
}

/// XY route from the router of `source` (host: router 0). Returns the cycle in which the last flit is taken; *released
/// is when the source can inject again after this burst.
Tick GoldenChip::route(uint32_t source, const Burst& b, Tick at, Tick* released) {
  const uint32_t mesh_x = config_.geometry.mesh_x;
  const bool host = b.tile == isa::kHostTile;
  const uint32_t to = host ? 0 : b.tile;
  uint32_t x = source % mesh_x, y = source / mesh_x;
  const uint32_t to_x = to % mesh_x, to_y = to / mesh_x;
  bool first = true;
  const auto hop = [&](uint32_t port, uint32_t busy) {
    at = cross((y * mesh_x + x) * kPorts + port, at, busy);
    if (first) *released = at + busy > timing::kFifo ? at + busy - timing::kFifo : 0;
    first = false;
  };
  while (x != to_x) {
    hop(x < to_x ? kEast : kWest, b.flits);
    x = x < to_x ? x + 1 : x - 1;
  }
  while (y != to_y) {
    hop(y < to_y ? kSouth : kNorth, b.flits);
    y = y < to_y ? y + 1 : y - 1;
  }
  const bool config = !host && b.kind == FlitKind::kWrite && (b.addr >> isa::kCfgSpaceBit & 1);
  const Tick busy = config ? b.flits * timing::kConfigWords : b.flits;
  hop(host ? kWest : kLocal, static_cast<uint32_t>(busy));
  return at + busy - 1;
}

void GoldenChip::launch(const Burst& b, Tick at) {
  uint32_t slot;
  if (free_bursts_.empty()) {
    slot = static_cast<uint32_t>(bursts_.size());
    bursts_.push_back(b);
  } else {
    slot = free_bursts_.back();
    free_bursts_.pop_back();
    bursts_[slot] = b;
  }
  flights_.push_back({at, order_++, slot});
  std::push_heap(flights_.begin(), flights_.end());
}

void GoldenChip::drain_tile(uint32_t i) {
  GoldenTile& t = tiles_[i];
  for (const Departure& d : t.departures()) {
    if (d.burst.tile != isa::kHostTile && d.burst.tile >= tiles_.size())
      continue;  // a compiler error that no tile sees
    Tick released = 0;
    const Tick taken = route(i, d.burst, d.at, &released);
    launch(d.burst, taken + (d.burst.tile == isa::kHostTile ? timing::kHostReceive : timing::kReceive));
    if (released > timing::kSend) t.hold_net(released - timing::kSend);
  }
  t.clear_departures();
}

// --------------------------------------------------------------------------------------------------------------- DMA,
// memory side

bool GoldenChip::window_allows(uint64_t addr, uint64_t bytes, bool write) const {
  for (uint32_t i = 0; i < window_.size(); i += 4) {
    const uint64_t base = window_[i] | uint64_t{window_[i + 1]} << 32, size = window_[i + 2];
    const uint32_t right = write ? WINDOW_RF__ATTR__WRITE_bm : WINDOW_RF__ATTR__READ_bm;
    if ((window_[i + 3] & right) && addr >= base && bytes <= size && addr - base <= size - bytes) return true;
  }
  return false;
}

uint8_t* GoldenChip::memory_at(uint64_t addr, uint64_t bytes) {
  if (addr < config_.memory_base || bytes > memory_.size() || addr - config_.memory_base > memory_.size() - bytes)
    return nullptr;
  return &memory_[addr - config_.memory_base];
}

/// One read burst, not over 4 KiB. *first: cycle of its first data beat.
bool GoldenChip::dma_read_memory(uint64_t addr, uint32_t bytes, uint8_t* out, Tick now, Tick* first, DmaError* error) {
  const uint32_t beats = (bytes + kBeat - 1) / kBeat;  // whole beats are read, the window is asked for the bytes
  if (!window_allows(addr, bytes, false)) return *error = DmaError::kWindow, false;
  const Tick data = std::max(now + timing::kArIssue + timing::kMemRead, dma_.read_free);
  *first = data;
  dma_.read_free = data + beats;
  if (timeline_ != nullptr) timeline_->dma_span(ChipTimeline::kDmaRead, data, data + beats);
  rd_beats_ += beats;
  const uint8_t* p = memory_at(addr, beats * kBeat);
  if (p == nullptr) return *error = DmaError::kAxiRead, false;
  std::memcpy(out, p, beats * kBeat);
  return true;
}

void GoldenChip::host_receive(const Burst& b, Tick now) {
  Dma& m = dma_;
  const bool resp = b.kind == FlitKind::kResp;
  const bool drop = resp && m.failed;  // the job is over: consumed, not written
  const uint64_t out_base = m.state == DmaState::kIdle ? out_base_ : m.out_base;
  const uint64_t base = (resp ? m.read_base : out_base & ~uint64_t{15}) + b.addr;
  bool refused = false;
  if (!drop && b.last_strb != 0) m.write_free = std::max(m.write_free, now) + timing::kWriteBurst;
  for (uint32_t i = 0; i < b.flits && !drop; ++i) {
    const uint16_t strb = i + 1 == b.flits ? b.last_strb : 0xFFFF;
    if (strb == 0) continue;
    const uint64_t addr = base + 16 * i;
    uint32_t bytes = 16;  // to the last strobed byte
    while ((strb >> (bytes - 1) & 1) == 0) --bytes;
    refused = !window_allows(addr, bytes, true);
    if (refused) {
      dma_fail(DmaError::kWindow, addr, now);
      continue;
    }
    m.write_free = std::max(m.write_free, now) + 1;
    m.write_done = std::max(m.write_done, m.write_free + timing::kMemWrite + (b.token_en ? 0 : timing::kCoalesce));
    ++wr_beats_;
    uint8_t* p = memory_at(addr, 16);
    if (p == nullptr) {
      dma_fail(DmaError::kAxiWrite, addr, m.write_done);
      refused = true;
    } else if (strb == 0xFFFF) {
      std::memcpy(p, b.data + 16 * i, 16);
    } else {
      for (uint32_t k = 0; k < 16; ++k)
        if (strb >> k & 1) p[k] = b.data[16 * i + k];
    }
  }
  if (!drop && timeline_ != nullptr) timeline_->dma_span(ChipTimeline::kDmaWrite, now, m.write_done);
  if (!b.token_en) return;
  if (!resp) {
    if (!refused) dma_tokens_.push_back({std::max(m.write_done, now + timing::kNote) + timing::kDmaToken, b.token});
    return;
  }
  m.resp_due = false;
  if (m.state == DmaState::kRead || m.state == DmaState::kFence || m.state == DmaState::kDrain)
    m.wake = std::max(now + timing::kNote, m.write_done);
}

void GoldenChip::dma_token(uint32_t token, Tick now) {
  Dma& m = dma_;
  if (m.state == DmaState::kIdle) return;  // tokens count while a job runs
  if (++m.tokens[token] > (1u << isa::kTokenBits) - 1) {
    m.tokens[token] = (1u << isa::kTokenBits) - 1;
    dma_fail(DmaError::kToken, 0, now);
  } else if (m.state == DmaState::kTokens) {
    m.wake = now;
  }
}

// ------------------------------------------------------------------------------------------------------------------
// DMA, the job

GoldenChip::Descriptor GoldenChip::decode(const uint32_t* w) {
  namespace f = isa::desc;
  const auto get = [w](isa::Field x) { return static_cast<uint32_t>(x.get(w[x.word])); };
  Descriptor d;
  d.op_code = static_cast<uint8_t>(get(f::op));
  d.op = static_cast<DmaOp>(d.op_code);
  d.tile = static_cast<uint8_t>(get(f::tile));
  d.len = get(f::len);
  d.mem = get(f::mem_lo) | uint64_t{get(f::mem_hi)} << 32;
  d.tile_addr = get(f::tile_addr);
  d.mem_stride = static_cast<int32_t>(get(f::mem_stride));
  d.tile_stride = get(f::tile_stride);
  d.tile_slots = get(f::tile_slots);
  d.wait_en = get(f::wait_en) != 0;
  d.wait_token = static_cast<uint8_t>(get(f::wait_token));
  d.wait_count = static_cast<uint8_t>(get(f::wait_count));
  d.sig_en = get(f::sig_en) != 0;
  d.sig_token = static_cast<uint8_t>(get(f::sig_token));
  d.mask = get(f::mask_lo) | uint64_t{get(f::mask_hi)} << 32;
  d.repeat_desc = get(f::repeat_desc);
  return d;
}

bool GoldenChip::legal() const {
  const Descriptor& d = dma_.d;
  switch (d.op) {
    case DmaOp::kWait: return true;
    case DmaOp::kEnd: return !dma_.repeating;
    case DmaOp::kStart: return !dma_.repeating && (tiles_.size() == 64 || d.mask >> tiles_.size() == 0);
    case DmaOp::kRepeat:
      return !dma_.repeating && d.len != 0 && d.repeat_desc >= 1 && d.repeat_desc <= isa::kMaxRepeatDesc;
    case DmaOp::kM2t:
    case DmaOp::kT2m: return d.len != 0 && d.mem % kBeat == 0 && d.tile_addr % kBeat == 0 && d.tile < tiles_.size();
    default: return false;
  }
}

/// A doorbell: the job starts, or waits for the one that runs.
void GoldenChip::ring(Tick now) {
  if (ctrl_ != 0 || job_queued_) return;
  const Job job{job_addr_, out_base_, ++jobs_accepted_};
  if (dma_.state != DmaState::kIdle) {
    queued_ = job;
    job_queued_ = true;
    return;
  }
  first_error_ = {};
  start_job(job, now);
}

void GoldenChip::start_job(const Job& job, Tick now) {
  Dma d;  // what a new job keeps of the old one: the write side and the tiles awaiting a fence
  d.dirty = dma_.dirty;
  d.read_free = dma_.read_free;
  d.noc_free = dma_.noc_free;
  d.write_free = dma_.write_free;
  d.write_done = dma_.write_done;
  d.desc_addr = job.addr;
  d.out_base = job.out_base;
  d.number = job.number;
  d.wake = now + timing::kDoorbell;
  d.state = DmaState::kFetch;
  dma_ = d;
  if (job.addr % isa::kDescBytes != 0) dma_fail(DmaError::kDescriptor, job.addr, now);
}

void GoldenChip::end_job(Tick now) {
  Dma& m = dma_;
  const bool bad = m.failed || m.aborted;
  irq_cause_ |= bad ? kCauseError : kCauseDone;
  ++(bad ? jobs_failed_ : jobs_done_);
  m.failed = m.aborted = false;
  m.state = DmaState::kIdle;
  if (!job_queued_) return;
  job_queued_ = false;
  start_job(queued_, now + 1);
}

/// Ends the job; what is on its way is drained first. The first error is kept. Outside a job only the outbox can fail.
void GoldenChip::dma_fail(DmaError error, uint64_t addr, Tick now) {
  Dma& m = dma_;
  if (m.state == DmaState::kIdle ? first_error_.error != 0 : m.failed || m.aborted) return;
  if (first_error_.error == 0) first_error_ = {static_cast<uint32_t>(error), m.index, m.number, addr};
  if (m.state == DmaState::kIdle) {
    irq_cause_ |= kCauseError;
    return;
  }
  m.failed = error != DmaError::kNone;
  m.aborted = !m.failed;
  m.state = DmaState::kDrain;
  m.wake = std::max({now + 1, m.read_free, m.write_done});
}

/// The next descriptor: of the table while repeating, else from memory.
void GoldenChip::dma_next(Tick now) {
  Dma& m = dma_;
  m.wake = now + (m.repeating ? timing::kTable : timing::kNext);
  if (m.repeating) {
    if (++m.table_pos == m.table_size) {
      m.table_pos = 0;
      if (++m.iteration == m.iterations) {
        m.repeating = false;
        m.index = m.repeat_index + m.table_size + 1;
        m.desc_addr = m.repeat_addr + isa::kDescBytes * (m.table_size + 1);
        m.wake = now + timing::kNext;
        m.state = DmaState::kFetch;
        return;
      }
    }
    return load_table();
  }
  ++m.index;
  m.desc_addr += isa::kDescBytes;
  m.state = DmaState::kFetch;
}

void GoldenChip::dma_step(Tick now) {
  Dma& m = dma_;
  if (ctrl_ != 0 && m.state != DmaState::kDrain && m.state != DmaState::kIdle) return dma_fail(DmaError::kNone, 0, now);
  m.wake = kNever;
  switch (m.state) {
    case DmaState::kFetch:
    case DmaState::kTable: {
      if (m.issue_free > now) {
        m.wake = m.issue_free;
        return;
      }
      uint32_t w[isa::kDescBytes / 4];
      Tick first;
      DmaError error;
      if (!dma_read_memory(m.desc_addr, isa::kDescBytes, reinterpret_cast<uint8_t*>(w), now, &first, &error))
        return dma_fail(error, m.desc_addr, now);
      m.wake = m.read_free + timing::kDecode;
      if (m.state == DmaState::kFetch) {
        m.d = decode(w);
        m.state = DmaState::kDecode;
        return;
      }
      m.table[m.table_size++] = decode(w);
      if (m.table_size < m.d.repeat_desc) {
        ++m.index;
        m.desc_addr += isa::kDescBytes;
        return;
      }
      m.iterations = m.d.len;
      m.iteration = 0;
      m.table_pos = 0;
      m.repeating = true;
      load_table();
      return;
    }
    case DmaState::kDecode:
      if (!legal()) return dma_fail(DmaError::kDescriptor, m.desc_addr, now);
      m.state = DmaState::kTokens;
      [[fallthrough]];
    case DmaState::kTokens:
      if (m.d.wait_en) {
        if (m.tokens[m.d.wait_token] < m.d.wait_count) return;  // dma_token() wakes
        m.tokens[m.d.wait_token] -= m.d.wait_count;
      }
      m.state = DmaState::kExecute;
      [[fallthrough]];
    case DmaState::kExecute: return dma_execute(now);
    case DmaState::kStream: return dma_stream(now);
    case DmaState::kRead: return dma_read_tile(now);
    case DmaState::kFence: return dma_fence(now);
    case DmaState::kDrain:
      if (m.resp_due) return;  // host_receive() wakes
      if (m.write_done > now) {
        m.wake = m.write_done;
        return;
      }
      return end_job(now);
    case DmaState::kIdle: return;
  }
}

/// Takes the descriptor at table_pos for the current iteration.
void GoldenChip::load_table() {
  Dma& m = dma_;
  const uint32_t i = m.iteration;
  m.d = m.table[m.table_pos];
  m.d.mem += static_cast<uint64_t>(int64_t{m.d.mem_stride} * i);
  m.d.tile_addr =
      (m.d.tile_addr + (m.d.tile_slots ? i % m.d.tile_slots : i) * m.d.tile_stride) & ((1u << isa::kAddrBits) - 1);
  m.index = m.repeat_index + 1 + m.table_pos;
  m.desc_addr = m.repeat_addr + isa::kDescBytes * (m.table_pos + 1);
  m.state = DmaState::kDecode;
}

void GoldenChip::dma_execute(Tick now) {
  Dma& m = dma_;
  const Descriptor& d = m.d;
  const bool fenced = d.op != DmaOp::kM2t && d.op != DmaOp::kRepeat;
  if (fenced && m.noc_free > now) {  // earlier M2T data leave for the NoC first
    m.wake = m.noc_free;
    return;
  }
  switch (d.op) {
    case DmaOp::kEnd:
      m.state = DmaState::kDrain;
      m.wake = std::max(now + timing::kDrain, m.write_done);
      return;
    case DmaOp::kWait: return dma_next(now);
    case DmaOp::kStart:
      m.state = DmaState::kFence;
      m.wake = now + timing::kStartOrder;
      return;
    case DmaOp::kRepeat:
      m.repeat_index = m.index;
      m.repeat_addr = m.desc_addr;
      m.table_size = 0;
      ++m.index;
      m.desc_addr += isa::kDescBytes;
      m.state = DmaState::kTable;
      m.wake = now + 1;
      return;
    case DmaOp::kM2t:
    case DmaOp::kT2m:
      m.mem = d.mem;
      m.tile_addr = d.tile_addr;
      m.left = d.len;
      if (d.op == DmaOp::kM2t) {
        m.state = DmaState::kStream;
        return dma_stream(now);
      }
      m.state = DmaState::kRead;
      m.wake = now + timing::kReadOrder;
      return;
  }
}

/// One burst of an M2T: memory to flits.
void GoldenChip::dma_stream(Tick now) {
  Dma& m = dma_;
  const Tick slot_free = m.read_end[m.read_slot];  // the burst four before has been read
  if (slot_free > now) {
    m.wake = slot_free;
    return;
  }
  const uint32_t to_page = kPage - static_cast<uint32_t>(m.mem % kPage);
  const uint32_t bytes = std::min({m.left, kBeat * kBurstFlits, to_page});
  const uint32_t beats = (bytes + kBeat - 1) / kBeat;
  Burst b;
  Tick first;
  DmaError error;
  if (!dma_read_memory(m.mem, bytes, b.data, now - 1, &first, &error)) return dma_fail(error, m.mem, now);
  b.tile = m.d.tile;
  b.addr = m.tile_addr;
  b.flits = beats;
  b.last_strb = tail_strb(bytes);
  m.left -= bytes;
  if (m.left == 0) {
    b.token_en = m.d.sig_en;
    b.token = m.d.sig_token;
  }
  Tick released = 0;
  const Tick inject = std::max(first + timing::kReadToNoc, m.noc_free);
  launch(b, route(0, b, inject, &released) + timing::kReceive);
  m.noc_free = std::max(inject + beats, released);
  m.read_end[m.read_slot] = m.read_free =
      std::max(m.read_free, released > timing::kReadToNoc ? released - timing::kReadToNoc : 0);
  m.read_slot = (m.read_slot + 1) % timing::kOutstandingReads;
  m.dirty |= uint64_t{1} << m.d.tile;
  m.mem += bytes;
  m.tile_addr += bytes;
  if (m.left != 0)
    m.wake = now + timing::kArIssue;
  else
    dma_next(now + timing::kHandOver);
  m.issue_free = now + timing::kArIssue;
}

/// The next FlitRead of a T2M, when the answer to the one before is complete.
void GoldenChip::dma_read_tile(Tick now) {
  Dma& m = dma_;
  if (m.left == 0) return dma_next(now);
  if (m.noc_free > now) {
    m.wake = m.noc_free;
    return;
  }
  const auto bytes = static_cast<uint16_t>(
      std::min(m.left, kPage - static_cast<uint32_t>(m.mem % kPage)));  // a chunk ends with its page
  if (!window_allows(m.mem, bytes, true)) return dma_fail(DmaError::kWindow, m.mem, now);
  Burst b;
  b.kind = FlitKind::kRead;
  b.tile = m.d.tile;
  b.addr = m.tile_addr;
  b.last_strb = 0xFFFF;
  std::memcpy(b.data, &bytes, 2);
  Tick released = 0;
  launch(b, route(0, b, now, &released) + timing::kReceive);
  m.noc_free = now + 1;
  m.resp_due = true;
  m.read_base = m.mem;
  m.mem += bytes;
  m.tile_addr += bytes;
  m.left -= bytes;
}

/// Zero-length FlitReads to the tiles written since the last fence, one after another, then the start pulses.
void GoldenChip::dma_fence(Tick now) {
  Dma& m = dma_;
  if (m.dirty != 0) {
    uint32_t tile = 0;
    while ((m.dirty >> tile & 1) == 0) ++tile;
    m.dirty &= ~(uint64_t{1} << tile);
    Burst b;
    b.kind = FlitKind::kRead;
    b.tile = static_cast<uint8_t>(tile);
    b.last_strb = 0xFFFF;
    Tick released = 0;
    launch(b, route(0, b, now, &released) + timing::kReceive);
    m.resp_due = true;
    return;
  }
  for (uint32_t i = 0; i < tiles_.size(); ++i) {
    if ((m.d.mask >> i & 1) == 0) continue;
    tiles_[i].start_at(static_cast<uint16_t>(m.d.tile_addr), now);
    seen_[i] = tiles_[i].status();
    touch(i);
  }
  dma_next(now);
}

}  // namespace ohmac::golden
