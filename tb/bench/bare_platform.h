// SPDX-License-Identifier: Apache-2.0
// The Verilated chip without SystemC: a plain loop drives clock, memory and AXI4-Lite; comparators answer 0.
#pragma once
#include <memory>

#include "models/systemc/axi_memory.h"
#include "models/systemc/rtl_chip.h"
#include "sw/hal/platform.h"

namespace ohmac::bench {

class BarePlatform final : public Platform {
 public:
  BarePlatform(const Geometry& g, const AxiMemory::Config& memory) : chip_(make_rtl_chip(g)), memory_(memory) {
    chip_->set_reset(true);
    for (int i = 0; i < 4; ++i) cycle();
    chip_->set_reset(false);
    for (int i = 0; i < 4; ++i) cycle();
  }

  void cycle() {
    AxiMasterOut m;
    chip_->get_axi(&m);
    chip_->clock(true);
    chip_->set_axi(memory_.posedge(m));
    chip_->clock(false);
    ++cycles_;
  }
  uint64_t cycles() const { return cycles_; }

  Status csr_read(uint32_t addr, uint32_t* value) override {
    AxiLiteIn in;
    in.arvalid = in.rready = true;
    in.araddr = addr;
    return access(in, value);
  }
  Status csr_write(uint32_t addr, uint32_t value) override {
    AxiLiteIn in;
    in.awvalid = in.wvalid = in.bready = true;
    in.awaddr = addr;
    in.wdata = value;
    return access(in, nullptr);
  }
  Status wait_irq(uint64_t limit) override {
    for (uint64_t end = cycles_ + limit; !chip_->irq();) {
      if (cycles_ >= end) return Status::kTimeout;
      cycle();
    }
    return Status::kOk;
  }
  uint8_t* dma_memory() override { return memory_.data(); }
  uint64_t dma_bus_address() override { return memory_.base(); }
  size_t dma_size() override { return memory_.size(); }
  Status program_cells(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, const int8_t*) override { return Status::kOk; }

 private:
  Status access(AxiLiteIn in, uint32_t* value) {
    for (;;) {
      chip_->set_axil(in);
      AxiLiteOut out;
      chip_->get_axil(&out);
      const bool done = (out.bvalid && in.bready) || (out.rvalid && in.rready);
      cycle();
      if (done) {
        chip_->set_axil({});
        if (value != nullptr) *value = out.rdata;
        return (in.bready ? out.bresp : out.rresp) == 0 ? Status::kOk : Status::kBusError;
      }
      if (out.awready) in.awvalid = false;
      if (out.wready) in.wvalid = false;
      if (out.arready) in.arvalid = false;
    }
  }

  std::unique_ptr<RtlChip> chip_;
  AxiMemory memory_;
  uint64_t cycles_ = 0;
};

}  // namespace ohmac::bench
