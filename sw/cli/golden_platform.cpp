// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/golden_platform.h"

#include <exception>

namespace ohmac::cli {

Status GoldenPlatform::csr_read(uint32_t addr, uint32_t* value) {
  *value = chip_.csr_read(addr);
  return Status::kOk;
}

Status GoldenPlatform::csr_write(uint32_t addr, uint32_t value) {
  chip_.csr_write(addr, value);
  return Status::kOk;
}

Status GoldenPlatform::wait_irq(uint64_t cycles) { return chip_.run(cycles) ? Status::kOk : Status::kTimeout; }

Status GoldenPlatform::program_cells(uint32_t tile, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                                     const int8_t* targets) {
  if (tile >= chip_.tiles()) return Status::kModelError;
  try {
    chip_.macro(tile).program_cells(row0, col0, rows, cols, targets);
  } catch (const std::exception&) {
    return Status::kModelError;
  }
  return Status::kOk;
}

}  // namespace ohmac::cli
