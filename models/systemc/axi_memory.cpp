// SPDX-License-Identifier: Apache-2.0
#include "models/systemc/axi_memory.h"

#include <cstring>

namespace ohmac {
namespace {
constexpr size_t kQueueDepth = 8;  // bursts of each direction that the memory accepts ahead
}

AxiMemory::AxiMemory(const Config& config) : config_(config), mem_(config.bytes), rng_(config.stall_seed) {}

void AxiMemory::reset() {
  out_ = {};
  reads_.clear();
  writes_.clear();
  responses_.clear();
  beats_.clear();
  write_resp_ = kAxiOkay;
}

bool AxiMemory::stalls() { return config_.stall_percent != 0 && rng_() % 100 < config_.stall_percent; }

void AxiMemory::take_writes(const AxiMasterOut& m) {
  if (m.awvalid && out_.awready) writes_.push_back({m.awaddr, m.awlen + 1u, 0});
  if (m.wvalid && out_.wready) beats_.push_back({m.wdata, m.wstrb, m.wlast});
  while (!writes_.empty() && !beats_.empty()) {
    Burst& w = writes_.front();
    const Beat& b = beats_.front();
    if (holds(w.addr)) {
      uint8_t bytes[16];
      std::memcpy(bytes, b.data.data(), 16);
      uint8_t* dst = mem_.data() + (w.addr - config_.base);
      for (int i = 0; i < 16; ++i) {
        if (b.strb >> i & 1) dst[i] = bytes[i];
      }
    } else {
      write_resp_ = kAxiDecErr;
    }
    w.addr += 16;
    --w.beats;
    const bool last = b.last;
    beats_.pop_front();
    if (last != (w.beats == 0)) write_resp_ = kAxiSlvErr;  // WLAST in the wrong beat
    if (w.beats == 0) {
      responses_.push_back({cycle_ + config_.write_latency, write_resp_});
      write_resp_ = kAxiOkay;
      ++write_bursts_;
      writes_.pop_front();
    }
  }
}

void AxiMemory::present_read(const AxiMasterOut& m) {
  if (m.arvalid && out_.arready) reads_.push_back({m.araddr, m.arlen + 1u, cycle_ + config_.read_latency});
  if (out_.rvalid && m.rready) out_.rvalid = false;
  if (out_.rvalid || reads_.empty() || reads_.front().ready_at > cycle_ || stalls()) return;
  Burst& r = reads_.front();
  out_.rvalid = true;
  if (holds(r.addr)) {
    std::memcpy(out_.rdata.data(), mem_.data() + (r.addr - config_.base), 16);
    out_.rresp = kAxiOkay;
  } else {
    out_.rdata = {};
    out_.rresp = kAxiDecErr;
  }
  r.addr += 16;
  out_.rlast = --r.beats == 0;
  if (out_.rlast) reads_.pop_front();
}

const AxiSlaveOut& AxiMemory::posedge(const AxiMasterOut& m) {
  ++cycle_;
  take_writes(m);
  present_read(m);
  if (out_.bvalid && m.bready) out_.bvalid = false;
  if (!out_.bvalid && !responses_.empty() && responses_.front().ready_at <= cycle_ && !stalls()) {
    out_.bvalid = true;
    out_.bresp = responses_.front().resp;
    responses_.pop_front();
  }
  out_.arready = reads_.size() < kQueueDepth && !stalls();
  out_.awready = writes_.size() < kQueueDepth && !stalls();
  out_.wready = beats_.size() < 2 * kQueueDepth && !stalls();
  return out_;
}

}  // namespace ohmac
