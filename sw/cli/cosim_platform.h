// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "models/systemc/cosim.h"
#include "sw/hal/platform.h"

namespace ohmac::cli {

/// Port of the HAL to the co-simulation: CSRs over AXI4-Lite, DMA memory behind the AXI master, the interrupt line.
class CosimPlatform final : public Platform {
 public:
  explicit CosimPlatform(CosimBus& bus) : bus_(bus) {}
  Status csr_read(uint32_t addr, uint32_t* value) override {
    return bus_.read(addr, value) == 0 ? Status::kOk : Status::kBusError;
  }
  Status csr_write(uint32_t addr, uint32_t value) override {
    return bus_.write(addr, value) == 0 ? Status::kOk : Status::kBusError;
  }
  Status wait_irq(uint64_t cycles) override { return bus_.wait_irq(cycles) ? Status::kOk : Status::kTimeout; }
  uint8_t* dma_memory() override { return bus_.memory().data(); }
  uint64_t dma_bus_address() override { return bus_.memory().base(); }
  size_t dma_size() override { return bus_.memory().size(); }
  Status program_cells(uint32_t tile, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                       const int8_t* targets) override {
    try {
      bus_.macro(tile).program_cells(row0, col0, rows, cols, targets);
    } catch (const std::exception&) {
      return Status::kModelError;
    }
    return Status::kOk;
  }

 private:
  CosimBus& bus_;
};

}  // namespace ohmac::cli
