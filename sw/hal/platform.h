// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sw/hal/status.h"

namespace ohmac {

/// What the driver needs of the machine it runs on. One chip a platform.
class Platform {
 public:
  /// Reads / writes a 32-bit CSR at byte offset `addr` (generated header). In program order.
  virtual Status csr_read(uint32_t addr, uint32_t* value) = 0;
  virtual Status csr_write(uint32_t addr, uint32_t value) = 0;

  /// Waits until the interrupt line is high. kTimeout after about `cycles` clock cycles.
  virtual Status wait_irq(uint64_t cycles) = 0;

  /// Memory that both the CPU and the chip's DMA reach: CPU pointer, bus address (64-byte aligned), bytes.
  virtual uint8_t* dma_memory() = 0;
  virtual uint64_t dma_bus_address() = 0;
  virtual size_t dma_size() = 0;
  /// Orders CPU writes to DMA memory before the next CSR write, and device writes before the next CPU read.
  virtual void dma_sync() {}

  /// Formula programming through the model's API: cell targets -127..127, [rows x cols] row-major, written at (row0,
  /// col0) of a tile. Cells never named stay at 0. kModelError where the platform has no model behind it.
  virtual Status program_cells(uint32_t tile, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                               const int8_t* targets) = 0;

 protected:
  ~Platform() = default;
};

}  // namespace ohmac
