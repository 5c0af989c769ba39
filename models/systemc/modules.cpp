// SPDX-License-Identifier: Apache-2.0
#include "models/systemc/modules.h"

#include <iterator>

namespace ohmac {

ChipModule::ChipModule(sc_core::sc_module_name name, std::unique_ptr<RtlChip> chip)
    : sc_module(name), macros("macro", chip->geometry().tiles()), chip_(std::move(chip)) {
  last_pins_.assign(macros.size(), 0);
  pins_.resize(macros.size());
  SC_METHOD(on_clock);
  sensitive << clk;
  dont_initialize();
}

void ChipModule::on_clock() {
  if (clk.read()) {
    rising();
  } else {
    falling();
  }
}

void ChipModule::rising() {
  ++cycle_;
  chip_->get_axi(&axi_);  // what the master drove before the edge
  AxiLiteOut lite;
  if (access_ != Access::kIdle) chip_->get_axil(&lite);
  chip_->clock(true);
  if (!rst_n.read()) {
    memory->reset();
  } else {
    chip_->set_axi(memory->posedge(axi_));
    if (access_ != Access::kIdle) {
      // Handshakes of the edge that just passed.
      if (lite.awready) axil_.awvalid = false;
      if (lite.wready) axil_.wvalid = false;
      if (lite.arready) axil_.arvalid = false;
      const bool done = access_ == Access::kWrite ? lite.bvalid && axil_.bready : lite.rvalid && axil_.rready;
      if (done) {
        access_resp_ = access_ == Access::kWrite ? lite.bresp : lite.rresp;
        access_data_ = lite.rdata;
        axil_ = {};
        access_ = Access::kIdle;
        access_done_.notify(sc_core::SC_ZERO_TIME);
      }
      chip_->set_axil(axil_);
    }
  }
  const bool irq = chip_->irq();
  if (irq && !irq_) irq_event_.notify(sc_core::SC_ZERO_TIME);
  irq_ = irq;
}

void ChipModule::falling() {
  chip_->set_reset(!rst_n.read());
  uint8_t cmp[256];
  const bool prog = chip_->any_prog();
  const bool prog_changes = prog | last_prog_;
  last_prog_ = prog;
  for (size_t t = 0; t < pins_.size(); ++t) {
    const uint64_t packed = chip_->pins(static_cast<uint32_t>(t));
    if (packed != last_pins_[t]) {
      last_pins_[t] = packed;
      const ProgIn kept = pins_[t].prog;
      pins_[t] = unpack_pins(packed);
      pins_[t].prog = kept;
    }
    if (prog_changes) pins_[t].prog = unpack_prog(chip_->prog(static_cast<uint32_t>(t)));
    if (macros[t]->step(pins_[t], chip_->sar_codes(static_cast<uint32_t>(t)), cmp)) {
      chip_->set_cmp(static_cast<uint32_t>(t), cmp);
    }
  }
  if (timeline_ != nullptr) trace_cycle();
  chip_->clock(false);
}

void ChipModule::trace_cycle() {
  using T = ChipTimeline;
  // tile_busy_t, last field in the lowest bit.
  constexpr T::Part kBusy[] = {T::kProgram, T::kReceive, T::kSend, T::kVector, T::kMvm, T::kSequencer};
  for (uint32_t t = 0; t < pins_.size(); ++t) {
    const uint32_t packed = chip_->busy(t);
    uint32_t busy = 0;
    for (unsigned i = 0; i < std::size(kBusy); ++i) busy |= (packed >> i & 1) << kBusy[i];
    if (pins_[t].drive) busy |= 1u << T::kDrive;
    if (pins_[t].sar_strobe) busy |= 1u << T::kAdc;
    timeline_->tile_levels(t, busy, cycle_);
  }
  const uint32_t dma = chip_->dma_busy();
  timeline_->dma_levels((dma >> 1 & 1) << T::kDmaRead | (dma & 1) << T::kDmaWrite, cycle_);
}

uint8_t ChipModule::access(bool write, uint32_t addr, uint32_t* value) {
  sc_assert(access_ == Access::kIdle);
  axil_ = {};
  if (write) {
    axil_.awvalid = axil_.wvalid = axil_.bready = true;
    axil_.awaddr = addr;
    axil_.wdata = *value;
    access_ = Access::kWrite;
  } else {
    axil_.arvalid = axil_.rready = true;
    axil_.araddr = addr;
    access_ = Access::kRead;
  }
  chip_->set_axil(axil_);
  sc_core::wait(access_done_);
  if (!write) *value = access_data_;
  return access_resp_;
}

}  // namespace ohmac
