// SPDX-License-Identifier: Apache-2.0
// AXI4-Lite master in plain C++ on references to s_axil_* ports (32 bits). One access at a time: begin_read() or
// begin_write(), then each cycle settle, sample(), clock edge, drive(), until done(). read() and write() do that with a
// function that runs one cycle.
#pragma once
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>

namespace ohmac::tb {

struct AxilPorts {
  uint16_t& aw_addr;
  uint8_t& aw_valid;
  const uint8_t& aw_ready;
  uint32_t& w_data;
  uint8_t& w_strb;
  uint8_t& w_valid;
  const uint8_t& w_ready;
  const uint8_t& b_resp;
  const uint8_t& b_valid;
  uint8_t& b_ready;
  uint16_t& ar_addr;
  uint8_t& ar_valid;
  const uint8_t& ar_ready;
  const uint32_t& r_data;
  const uint8_t& r_resp;
  const uint8_t& r_valid;
  uint8_t& r_ready;
};

template <class Dut>
AxilPorts axil_ports(Dut& d) {
  return {d.s_axil_awaddr,  d.s_axil_awvalid, d.s_axil_awready, d.s_axil_wdata,  d.s_axil_wstrb,  d.s_axil_wvalid,
          d.s_axil_wready,  d.s_axil_bresp,   d.s_axil_bvalid,  d.s_axil_bready, d.s_axil_araddr, d.s_axil_arvalid,
          d.s_axil_arready, d.s_axil_rdata,   d.s_axil_rresp,   d.s_axil_rvalid, d.s_axil_rready};
}

class AxilMaster {
 public:
  /// @param stall probability a cycle that a valid or ready of the master comes later
  explicit AxilMaster(AxilPorts ports, double stall = 0, uint64_t seed = 1) : p_(ports), stall_(stall), rng_(seed) {
    drive();
  }
  void begin_read(uint32_t addr) { begin(addr, 0, 0, false); }
  void begin_write(uint32_t addr, uint32_t data, uint8_t strb = 0xF) { begin(addr, data, strb, true); }
  bool done() const { return !busy_; }
  uint32_t data() const { return data_; }

  void sample() {
    if (p_.ar_valid && p_.ar_ready) addr_due_ = false;
    if (p_.aw_valid && p_.aw_ready) addr_due_ = false;
    if (p_.w_valid && p_.w_ready) data_due_ = false;
    if (p_.r_valid && p_.r_ready) finish(p_.r_data, p_.r_resp);
    if (p_.b_valid && p_.b_ready) finish(0, p_.b_resp);
  }
  void drive() {
    p_.ar_valid = busy_ && !write_ && addr_due_ && (p_.ar_valid || !pause());
    p_.ar_addr = static_cast<uint16_t>(addr_);
    p_.aw_valid = busy_ && write_ && addr_due_ && (p_.aw_valid || !pause());
    p_.aw_addr = static_cast<uint16_t>(addr_);
    p_.w_valid = busy_ && write_ && data_due_ && (p_.w_valid || !pause());
    p_.w_data = wdata_;
    p_.w_strb = strb_;
    p_.r_ready = busy_ && !write_ && !pause();
    p_.b_ready = busy_ && write_ && !pause();
  }

  uint32_t read(uint32_t addr, const std::function<void()>& cycle) {
    begin_read(addr);
    run(cycle);
    return data_;
  }
  void write(uint32_t addr, uint32_t data, const std::function<void()>& cycle, uint8_t strb = 0xF) {
    begin_write(addr, data, strb);
    run(cycle);
  }

 private:
  void begin(uint32_t addr, uint32_t data, uint8_t strb, bool write) {
    if (busy_) throw std::logic_error("AXI4-Lite: one access at a time");
    busy_ = addr_due_ = data_due_ = true;
    addr_ = addr, wdata_ = data, strb_ = strb, write_ = write;
    drive();
  }
  void finish(uint32_t data, uint8_t resp) {
    if (resp != 0) throw std::runtime_error("AXI4-Lite: error response");
    data_ = data;
    busy_ = false;
  }
  void run(const std::function<void()>& cycle) {
    for (int n = 0; busy_; ++n) {
      if (n > 10000) throw std::runtime_error("AXI4-Lite: no answer");
      cycle();
    }
  }
  bool pause() { return stall_ > 0 && std::uniform_real_distribution<>(0, 1)(rng_) < stall_; }

  AxilPorts p_;
  double stall_;
  std::mt19937_64 rng_;
  bool busy_ = false, write_ = false, addr_due_ = false, data_due_ = false;
  uint32_t addr_ = 0, wdata_ = 0, data_ = 0;
  uint8_t strb_ = 0;
};

}  // namespace ohmac::tb
