// SPDX-License-Identifier: Apache-2.0
// AXI4 memory slave in plain C++ on references to the ports of a Verilated module (128 bits, one id, INCR). Each cycle:
// settle the module, sample(), clock edge, drive(). Latency, random stalls and error responses are settings; every
// burst accepted is logged.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace ohmac::tb {

/// Sparse byte memory; bytes never written read as 0.
class SparseMemory {
 public:
  uint8_t read(uint64_t addr) const {
    const auto page = pages_.find(addr >> 12);
    return page == pages_.end() ? uint8_t{0} : page->second[addr & 0xFFF];
  }
  void write(uint64_t addr, uint8_t value) { pages_[addr >> 12][addr & 0xFFF] = value; }
  void write(uint64_t addr, const std::vector<uint8_t>& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) write(addr + i, bytes[i]);
  }
  const std::unordered_map<uint64_t, std::array<uint8_t, 4096>>& pages() const { return pages_; }
  /// Same bytes everywhere; a page of zeros equals a missing one. On a difference `where` is its address.
  bool equals(const SparseMemory& other, uint64_t* where) const {
    return covers(other, where) && other.covers(*this, where);
  }

 private:
  bool covers(const SparseMemory& other, uint64_t* where) const {
    for (const auto& [page, bytes] : pages_) {
      for (unsigned i = 0; i < 4096; ++i) {
        const uint64_t addr = page << 12 | i;
        if (bytes[i] != other.read(addr)) return *where = addr, false;
      }
    }
    return true;
  }
  std::unordered_map<uint64_t, std::array<uint8_t, 4096>> pages_;
};

/// References to the master's ports; r_data and w_data point at 4 words.
struct AxiPorts {
  const uint64_t& ar_addr;
  const uint8_t& ar_len;
  const uint8_t& ar_valid;
  uint8_t& ar_ready;
  uint32_t* r_data;
  uint8_t& r_resp;
  uint8_t& r_last;
  uint8_t& r_valid;
  const uint8_t& r_ready;
  const uint64_t& aw_addr;
  const uint8_t& aw_len;
  const uint8_t& aw_valid;
  uint8_t& aw_ready;
  const uint32_t* w_data;
  const uint16_t& w_strb;
  const uint8_t& w_last;
  const uint8_t& w_valid;
  uint8_t& w_ready;
  uint8_t& b_resp;
  uint8_t& b_valid;
  const uint8_t& b_ready;
};

/// Ports named as those of ohmac_dma.
template <class Dut>
AxiPorts dma_axi_ports(Dut& d) {
  return {d.ar_addr_o, d.ar_len_o,  d.ar_valid_o, d.ar_ready_i, &d.r_data_i[0], d.r_resp_i,   d.r_last_i,
          d.r_valid_i, d.r_ready_o, d.aw_addr_o,  d.aw_len_o,   d.aw_valid_o,   d.aw_ready_i, &d.w_data_o[0],
          d.w_strb_o,  d.w_last_o,  d.w_valid_o,  d.w_ready_i,  d.b_resp_i,     d.b_valid_i,  d.b_ready_o};
}
/// Ports named as those of ohmac_top.
template <class Dut>
AxiPorts top_axi_ports(Dut& d) {
  return {d.m_axi_araddr,  d.m_axi_arlen,     d.m_axi_arvalid, d.m_axi_arready, &d.m_axi_rdata[0], d.m_axi_rresp,
          d.m_axi_rlast,   d.m_axi_rvalid,    d.m_axi_rready,  d.m_axi_awaddr,  d.m_axi_awlen,     d.m_axi_awvalid,
          d.m_axi_awready, &d.m_axi_wdata[0], d.m_axi_wstrb,   d.m_axi_wlast,   d.m_axi_wvalid,    d.m_axi_wready,
          d.m_axi_bresp,   d.m_axi_bvalid,    d.m_axi_bready};
}

struct AxiSettings {
  unsigned read_latency = 1;   // cycles from AR handshake to the first RVALID, >= 1
  unsigned write_latency = 1;  // cycles from the last W handshake to BVALID, >= 1
  double stall = 0;            // probability that a channel of the slave pauses in a cycle
  unsigned max_reads = 64;     // bursts accepted and not finished
  uint64_t seed = 1;
};

class AxiMemory {
 public:
  struct Burst {
    uint64_t addr;
    unsigned beats;
    uint64_t cycle;  // of the address handshake
  };
  static constexpr uint8_t kOkay = 0, kSlvErr = 2, kDecErr = 3;

  AxiMemory(AxiPorts ports, AxiSettings settings) : p_(ports), s_(settings), rng_(settings.seed) { drive(); }

  SparseMemory memory;
  /// Response of a read beat / a write burst (with its first address); default OKAY. A failed write is not done.
  std::function<uint8_t(uint64_t addr)> read_response, write_response;
  std::vector<Burst> reads, writes;  // accepted
  uint64_t read_beats = 0, write_beats = 0, responses = 0;
  unsigned max_outstanding_reads = 0, max_outstanding_writes = 0;
  AxiSettings& settings() { return s_; }
  bool idle() const { return read_queue_.empty() && aw_queue_.empty() && w_queue_.empty() && b_queue_.empty(); }

  /// Handshakes of the coming edge, from settled ports.
  void sample() {
    ++cycle_;
    if (p_.ar_valid && p_.ar_ready) {
      check(p_.ar_addr, p_.ar_len, "AR");
      reads.push_back({p_.ar_addr, p_.ar_len + 1u, cycle_});
      read_queue_.push_back({p_.ar_addr, p_.ar_len + 1u, cycle_ + s_.read_latency});
      max_outstanding_reads = std::max<unsigned>(max_outstanding_reads, read_queue_.size());
    }
    if (p_.r_valid && p_.r_ready) {
      ++read_beats;
      r_shown_ = false;
      read_queue_.front().addr += 16;
      if (--read_queue_.front().beats == 0) read_queue_.pop_front();
    }
    if (p_.aw_valid && p_.aw_ready) {
      check(p_.aw_addr, p_.aw_len, "AW");
      writes.push_back({p_.aw_addr, p_.aw_len + 1u, cycle_});
      aw_queue_.push_back({p_.aw_addr, p_.aw_len + 1u, 0});
    }
    if (p_.w_valid && p_.w_ready) {
      ++write_beats;
      Beat beat;
      for (unsigned i = 0; i < 16; ++i) beat.bytes[i] = static_cast<uint8_t>(p_.w_data[i / 4] >> (8 * (i % 4)));
      beat.strb = p_.w_strb;
      beat.last = p_.w_last;
      w_queue_.push_back(beat);
    }
    if (p_.b_valid && p_.b_ready) {
      ++responses;
      b_shown_ = false;
      b_queue_.pop_front();
    }
    finish_writes();
    max_outstanding_writes = std::max<unsigned>(max_outstanding_writes, aw_queue_.size() + b_queue_.size());
  }

  /// New outputs after the edge. What is offered and not taken stays.
  void drive() {
    p_.ar_ready = !pause() && read_queue_.size() < s_.max_reads;
    p_.aw_ready = !pause();
    p_.w_ready = !pause();
    if (!r_shown_) r_shown_ = !read_queue_.empty() && cycle_ + 1 >= read_queue_.front().due && !pause();
    p_.r_valid = r_shown_;
    if (r_shown_) {
      const Read& r = read_queue_.front();
      p_.r_resp = read_response ? read_response(r.addr) : kOkay;
      p_.r_last = r.beats == 1;
      for (unsigned w = 0; w < 4; ++w) {
        p_.r_data[w] = 0;
        for (unsigned i = 0; i < 4; ++i) p_.r_data[w] |= uint32_t{memory.read(r.addr + 4 * w + i)} << (8 * i);
      }
    }
    if (!b_shown_) b_shown_ = !b_queue_.empty() && cycle_ + 1 >= b_queue_.front().due && !pause();
    p_.b_valid = b_shown_;
    if (b_shown_) p_.b_resp = b_queue_.front().resp;
  }

 private:
  struct Read {
    uint64_t addr;
    unsigned beats;
    uint64_t due;
  };
  struct Beat {
    std::array<uint8_t, 16> bytes;
    uint16_t strb;
    bool last;
  };
  struct Answer {
    uint64_t due;
    uint8_t resp;
  };

  bool pause() { return s_.stall > 0 && std::uniform_real_distribution<>(0, 1)(rng_) < s_.stall; }
  static void check(uint64_t addr, uint8_t len, const char* channel) {
    if (addr % 16 != 0 || len > 15 || (addr & 0xFFF) + 16u * (len + 1u) > 4096) {
      throw std::runtime_error(std::string(channel) + ": illegal burst at " + std::to_string(addr));
    }
  }
  /// Carries out bursts whose data are complete; the bytes are in memory before B is offered.
  void finish_writes() {
    while (!aw_queue_.empty() && w_queue_.size() >= aw_queue_.front().beats) {
      const Read aw = aw_queue_.front();
      aw_queue_.pop_front();
      const uint8_t resp = write_response ? write_response(aw.addr) : kOkay;
      for (unsigned n = 0; n < aw.beats; ++n) {
        const Beat beat = w_queue_.front();
        w_queue_.pop_front();
        if (beat.last != (n + 1 == aw.beats)) throw std::runtime_error("W: WLAST in the wrong beat");
        for (unsigned i = 0; i < 16; ++i) {
          if (resp == kOkay && (beat.strb >> i & 1)) memory.write(aw.addr + 16u * n + i, beat.bytes[i]);
        }
      }
      b_queue_.push_back({cycle_ + s_.write_latency, resp});
    }
  }

  AxiPorts p_;
  AxiSettings s_;
  std::mt19937_64 rng_;
  uint64_t cycle_ = 0;
  std::deque<Read> read_queue_, aw_queue_;
  std::deque<Beat> w_queue_;
  std::deque<Answer> b_queue_;
  bool r_shown_ = false, b_shown_ = false;
};

}  // namespace ohmac::tb
