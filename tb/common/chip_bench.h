// SPDX-License-Identifier: Apache-2.0
// A Verilated chip with its macros, memory and AXI4-Lite host, without SystemC: one call a cycle, and a reset at any
// time.
#pragma once
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "models/macro/macro.h"
#include "models/systemc/axi_memory.h"
#include "models/systemc/rtl_chip.h"

namespace ohmac::tb {

class ChipBench {
 public:
  /// In reset for four cycles, then ready. `host_stall`: chance a cycle, percent, that the host delays a valid or a
  /// ready.
  ChipBench(std::unique_ptr<RtlChip> chip, std::vector<Macro> macros, const AxiMemory::Config& memory,
            uint32_t host_stall = 0, uint64_t host_seed = 1)
      : macros_(std::move(macros)), chip_(std::move(chip)), memory_(memory), host_stall_(host_stall), rng_(host_seed) {
    reset(4);
  }

  void cycle() {
    if (before_edge) before_edge();
    AxiMasterOut axi;
    AxiLiteOut lite;
    chip_->get_axi(&axi);  // as settled before the edge
    chip_->get_axil(&lite);
    chip_->clock(true);
    ++now_;
    if (!in_reset_) {
      AxiSlaveOut answer = memory_.posedge(axi);
      if (change_answer) change_answer(axi, &answer);
      chip_->set_axi(answer);
      host(lite);
    }
    uint8_t cmp[256];
    for (uint32_t t = 0; t < macros_.size(); ++t) {
      PinsIn pins = unpack_pins(chip_->pins(t));
      pins.prog = unpack_prog(chip_->prog(t));
      macros_[t].step(pins, chip_->sar_codes(t), cmp);
      if (pins.sar_strobe) chip_->set_cmp(t, cmp);
    }
    chip_->clock(false);
  }
  /// Called with the clock low and everything settled, before the next rising edge; call settle() after a change.
  std::function<void()> before_edge;
  /// May change what the memory drives after an edge (`axi`: what the chip drove before it), each time it is driven.
  std::function<void(const AxiMasterOut& axi, AxiSlaveOut* answer)> change_answer;
  void settle() { chip_->clock(false); }
  /// Reset falls at once, between two clock edges, and rises after `cycles`. Accesses and bursts under way are
  /// forgotten.
  void reset(uint32_t cycles) {
    in_reset_ = true;
    memory_.reset();
    access_ = {};
    lite_ = {};
    chip_->set_axi(memory_.out());
    chip_->set_axil(lite_);
    chip_->set_reset(true);
    chip_->clock(false);
    for (uint32_t i = 0; i < cycles; ++i) {
      AxiMasterOut axi;
      AxiLiteOut lite;
      chip_->get_axi(&axi);
      chip_->get_axil(&lite);
      if (axi.awvalid || axi.wvalid || axi.arvalid || lite.bvalid || lite.rvalid || chip_->irq()) {
        throw std::runtime_error("a valid or the interrupt is high in reset");
      }
      cycle();
    }
    chip_->set_reset(false);
    chip_->clock(false);
    in_reset_ = false;
  }
  /// Starts an AXI4-Lite access, which cycle() carries on.
  void begin(bool write, uint32_t addr, uint32_t value = 0) {
    if (access_.busy) throw std::logic_error("AXI4-Lite: one access at a time");
    access_ = {true, write, true, write, addr, value};
    lite_ = {};
  }
  bool busy() const { return access_.busy; }
  uint32_t csr_read(uint32_t addr) {
    begin(false, addr);
    finish();
    return access_.value;
  }
  void csr_write(uint32_t addr, uint32_t value) {
    begin(true, addr, value);
    finish();
  }
  bool irq() const { return chip_->irq(); }
  /// Until the interrupt; false after max_cycles.
  bool run(uint64_t max_cycles) {
    for (uint64_t n = 0; n < max_cycles && !irq(); ++n) cycle();
    return irq();
  }
  uint8_t* memory() { return memory_.data(); }
  Macro& macro(uint32_t tile) { return macros_.at(tile); }
  uint64_t now() const { return now_; }

 private:
  struct Access {
    bool busy = false, write = false, addr_due = false, data_due = false;
    uint32_t addr = 0, value = 0;
  };
  bool pause() { return host_stall_ != 0 && rng_() % 100 < host_stall_; }
  /// Handshakes of the edge that has passed, then what the host drives after it.
  void host(const AxiLiteOut& o) {
    if (lite_.arvalid && o.arready) access_.addr_due = lite_.arvalid = false;
    if (lite_.awvalid && o.awready) access_.addr_due = lite_.awvalid = false;
    if (lite_.wvalid && o.wready) access_.data_due = lite_.wvalid = false;
    if ((lite_.rready && o.rvalid) || (lite_.bready && o.bvalid)) {
      if ((access_.write ? o.bresp : o.rresp) != kAxiOkay) throw std::runtime_error("AXI4-Lite: error response");
      if (!access_.write) access_.value = o.rdata;
      access_.busy = false;
    }
    const bool read = access_.busy && !access_.write, write = access_.busy && access_.write;
    lite_.arvalid = read && access_.addr_due && (lite_.arvalid || !pause());
    lite_.awvalid = write && access_.addr_due && (lite_.awvalid || !pause());
    lite_.wvalid = write && access_.data_due && (lite_.wvalid || !pause());
    lite_.rready = read && !pause();
    lite_.bready = write && !pause();
    lite_.araddr = lite_.awaddr = access_.addr;
    lite_.wdata = access_.value;
    chip_->set_axil(lite_);
  }
  void finish() {
    for (uint32_t n = 0; access_.busy; ++n) {
      if (n > 10000) throw std::runtime_error("AXI4-Lite: no answer");
      cycle();
    }
  }

  std::vector<Macro> macros_;
  std::unique_ptr<RtlChip> chip_;
  AxiMemory memory_;
  uint32_t host_stall_;
  std::mt19937_64 rng_;
  Access access_;
  AxiLiteIn lite_;
  bool in_reset_ = false;
  uint64_t now_ = 0;
};

}  // namespace ohmac::tb
