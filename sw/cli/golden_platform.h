// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "models/golden/golden_chip.h"
#include "sw/hal/platform.h"

namespace ohmac::cli {

/// Port of the HAL to the golden machine.
class GoldenPlatform final : public Platform {
 public:
  explicit GoldenPlatform(golden::GoldenChip& chip) : chip_(chip) {}
  Status csr_read(uint32_t addr, uint32_t* value) override;
  Status csr_write(uint32_t addr, uint32_t value) override;
  Status wait_irq(uint64_t cycles) override;
  uint8_t* dma_memory() override { return chip_.memory(); }
  uint64_t dma_bus_address() override { return chip_.memory_base(); }
  size_t dma_size() override { return chip_.memory_bytes(); }
  Status program_cells(uint32_t tile, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                       const int8_t* targets) override;

 private:
  golden::GoldenChip& chip_;
};

}  // namespace ohmac::cli
