// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/error_text.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "tb/common/mock_platform.h"

using namespace ohmac;

TEST(ErrorText, NamesThePlace) {
  ErrorInfo e;
  e.status = Status::kTileFault;
  e.tile = 3;
  e.fault = isa::Fault::kAddress;
  e.pc = 17;
  EXPECT_EQ(cli::error_text(e),
            "a tile stopped with a fault: tile 3, address outside the SRAM or misaligned at instruction 17");
  e = ErrorInfo{};
  e.status = Status::kJobError;
  e.descriptor = 5;
  e.dma_error = isa::DmaError::kWindow;
  e.address = 0x1200;
  EXPECT_EQ(cli::error_text(e),
            "a DMA job ended with an error: DMA descriptor 5 (address outside every open window), address 0x1200");
  e = ErrorInfo{};
  e.status = Status::kCalibration;
  e.tile = 1;
  e.column = 40;
  e.clips = 2;
  EXPECT_EQ(cli::error_text(e),
            "a column's gain, offset or range is outside what the calibration allows: tile 1, column 40, 2 conversions "
            "clipped");
  e.clips = 0;
  e.range = 9;
  EXPECT_EQ(cli::error_text(e),
            "a column's gain, offset or range is outside what the calibration allows: tile 1, column 40, trim of ADC "
            "range 9");
}

// The mock is what the other tests lean on: it has to refuse.
TEST(MockPlatform, FailsOnAnythingUnexpected) {
  tb::MockPlatform p;
  uint32_t v;
  Status s = Status::kOk;
  EXPECT_NONFATAL_FAILURE(s = p.csr_read(0, &v), "unexpected read");
  EXPECT_EQ(s, Status::kBusError);
  p.expect_write(4, 1);
  EXPECT_NONFATAL_FAILURE(s = p.csr_write(8, 1), "unexpected write");
  EXPECT_NONFATAL_FAILURE(s = p.csr_write(4, 2), "value of the write");
  p.expect_read(4, 1);
  EXPECT_NONFATAL_FAILURE(s = p.wait_irq(5), "unexpected interrupt wait");
  EXPECT_NONFATAL_FAILURE(p.verify(), "did not happen");
}
