// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vcsr_top_test_dut.h"
#include "sw/hal/gen/ohmac_csr.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/common/axil_master.h"
#include "tb/common/clocked.h"

namespace ohmac::tb {
namespace {

// 2 x 1 tiles; a tile's status is 26 bits: {running, halted, fault[8], pc[16]}.
class CsrTop : public ::testing::Test {
 protected:
  static constexpr unsigned kTile = 0x400;
  enum Reg : uint32_t {
    kId = 0x00,
    kVersion = 0x04,
    kCapChip = 0x08,
    kCapArray = 0x0C,
    kCapAdc = 0x10,
    kCapSram = 0x14,
    kCapRepair = 0x18,
    kCtrl = 0x20,
    kStatus = 0x24,
    kIrqEnable = 0x28,
    kIrqCause = 0x2C,
    kDoorbell = 0x30,
    kJobLo = 0x34,
    kJobHi = 0x38,
    kDmaStatus = 0x3C,
    kErrLo = 0x40,
    kErrHi = 0x44,
    kOutLo = 0x48,
    kOutHi = 0x4C,
    kCycleLo = 0x50,
    kCycleHi = 0x54,
    kCntSel = 0x58,
    kCntValue = 0x5C,
    kRdBeats = 0x60,
    kWrBeats = 0x64,
    kJobs = 0x68,
    kWindow = 0x80
  };
  CsrTop() : axil(axil_ports(*dut), 0.3, 7) {}
  void SetUp() override { dut.reset(); }
  void tick() {
    dut.settle();
    axil.sample();
    starts[0] += dut->start_o & 1;
    starts[1] += dut->start_o >> 1 & 1;
    for (unsigned t = 0; t < 2; ++t) {
      if (dut->start_o >> t & 1) start_pc[t] = static_cast<uint16_t>(dut->start_pc_o >> (16 * t));
    }
    for (unsigned t = 0; t < 2; ++t) {
      stops[t] += dut->stop_o >> t & 1;
      clears[t] += dut->clear_o >> t & 1;
    }
    doorbells += dut->doorbell_o;
    dut.tick();
    axil.drive();
    dut->dma_done_i = dut->dma_error_i = 0;
    dut->dma_start_i = 0;
  }
  uint32_t read(uint32_t a) {
    return axil.read(a, [this] { tick(); });
  }
  void write(uint32_t a, uint32_t v, uint8_t strb = 0xF) {
    axil.write(
        a, v, [this] { tick(); }, strb);
  }
  void status(unsigned t, bool running, bool halted, unsigned fault, unsigned pc) {
    const uint64_t v = uint64_t{running} << 25 | uint64_t{halted} << 24 | uint64_t{fault} << 16 | pc;
    dut->status_i = (dut->status_i & ~(0x3FFFFFFull << (26 * t))) | v << (26 * t);
  }
  Clocked<Vcsr_top_test_dut> dut;
  AxilMaster axil;
  unsigned starts[2] = {}, stops[2] = {}, clears[2] = {}, doorbells = 0;
  uint16_t start_pc[2] = {};
};

TEST_F(CsrTop, PublishesItsGeometry) {
  EXPECT_EQ(read(kId), 0x4F484D43u);
  EXPECT_EQ(read(kCapChip), 1u << 24 | 1u << 16 | 2u << 8 | 2u);
  EXPECT_EQ(read(kCapArray), 32u << 16 | 32u);
  EXPECT_EQ(read(kVersion), 1u << 16 | 1u);
  EXPECT_EQ(read(kCapAdc), isa::kNumCounters << 24 | 4u << 16 | 8u << 8 | 8u);
  EXPECT_EQ(read(kCapSram), 16384u);
  EXPECT_EQ(read(kCapRepair), 5u);
}

TEST_F(CsrTop, WindowsAndAddressesReachTheDma) {
  for (unsigned w = 0; w < 4; ++w) {
    write(kWindow + 16 * w, 0x1000'0000 + w);
    write(kWindow + 16 * w + 4, 0x20 + w);
    write(kWindow + 16 * w + 8, 0x300 + w);
    write(kWindow + 16 * w + 12, w);
  }
  write(kJobLo, 0x1234'5640), write(kJobHi, 0x77);
  write(kOutLo, 0xABCD'0000), write(kOutHi, 0x66);
  for (unsigned w = 0; w < 4; ++w) {
    EXPECT_EQ(dut->win_base_o[2 * w], 0x1000'0000 + w);
    EXPECT_EQ(dut->win_base_o[2 * w + 1], 0x20 + w);
    EXPECT_EQ(dut->win_size_o[w], 0x300 + w);
    EXPECT_EQ(read(kWindow + 16 * w + 12), w);
  }
  EXPECT_EQ(dut->win_read_o, 0b1010);
  EXPECT_EQ(dut->win_write_o, 0b1100);
  EXPECT_EQ(dut->job_addr_o, 0x77'1234'5640u);
  EXPECT_EQ(dut->out_base_o, 0x66'ABCD'0000u);
}

TEST_F(CsrTop, DoorbellIsOnePulseAndAbortALevel) {
  write(kDoorbell, 1);
  write(kDoorbell, 0);
  for (int i = 0; i < 5; ++i) tick();
  EXPECT_EQ(doorbells, 1u);
  write(kCtrl, 1);
  EXPECT_TRUE(dut->abort_o);
  write(kCtrl, 0);
  EXPECT_FALSE(dut->abort_o);
}

TEST_F(CsrTop, CausesAreStickyClearedByOneAndMasked) {
  dut->dma_done_i = 1, tick();
  EXPECT_EQ(read(kIrqCause), 1u);
  EXPECT_FALSE(dut->irq_o);
  write(kIrqEnable, 0xF);
  EXPECT_TRUE(dut->irq_o);
  write(kIrqCause, 0xE);
  EXPECT_EQ(read(kIrqCause), 1u);
  write(kIrqCause, 1);
  EXPECT_EQ(read(kIrqCause), 0u);
  EXPECT_FALSE(dut->irq_o);
  dut->dma_error_i = 1, tick();
  EXPECT_EQ(read(kIrqCause), 2u);
  EXPECT_TRUE(dut->irq_o);
}

TEST_F(CsrTop, AnEventInTheCycleOfItsClearIsKept) {
  // The event comes in every cycle of the write, so it also comes in the cycle that clears.
  axil.begin_write(kIrqCause, 1);
  while (!axil.done()) {
    dut->dma_done_i = 1;
    tick();
  }
  EXPECT_EQ(read(kIrqCause), 1u);
}

TEST_F(CsrTop, TileEventsOnTheEdgeOfTheStatus) {
  status(1, true, false, 0, 5), tick();
  EXPECT_EQ(read(kStatus), 2u);
  EXPECT_EQ(read(kTile + 8 + 4), 5u << 16 | 1u);
  status(1, false, true, 0, 9), tick();
  EXPECT_EQ(read(kIrqCause), 4u);
  write(kIrqCause, 4);
  EXPECT_EQ(read(kIrqCause), 0u) << "a level does not set it again";
  EXPECT_EQ(read(kTile + 8 + 4), 9u << 16 | 2u);
  status(0, false, true, 2, 0x1234), tick();
  EXPECT_EQ(read(kIrqCause), 0xCu);
  EXPECT_EQ(read(kTile + 4), 0x1234u << 16 | 2u << 8 | 2u);
  EXPECT_EQ(read(kStatus), 0u);
}

TEST_F(CsrTop, StartsTiles) {
  write(kTile, 0x0000'0123);
  EXPECT_EQ(starts[0], 0u);
  EXPECT_EQ(read(kTile), 0x123u);
  write(kTile, 0x0001'0456);
  tick();
  EXPECT_EQ(starts[0], 1u);
  EXPECT_EQ(start_pc[0], 0x456);
  EXPECT_EQ(read(kTile), 0x456u) << "start reads 0";
  write(kTile, 0x0001'0000, 0x4);  // only the byte with start
  tick();
  EXPECT_EQ(starts[0], 2u);
  EXPECT_EQ(start_pc[0], 0x456);
  dut->dma_start_i = 2, dut->dma_start_pc_i = 0x789, tick();
  EXPECT_EQ(starts[1], 1u);
  EXPECT_EQ(start_pc[1], 0x789);
  EXPECT_EQ(read(kTile + 8), 0u);
}

TEST_F(CsrTop, StopsAndClearsTiles) {
  write(kTile + 8, 0x0002'0007), tick();
  EXPECT_EQ(stops[1], 1u);
  write(kTile + 8, 0x0004'0000), tick();
  EXPECT_EQ(clears[1], 1u);
  write(kTile + 8, 0x0006'0000, 0x3), tick();  // not the byte that holds them
  write(kTile + 12, 0x0006'0000), tick();      // the status
  EXPECT_EQ(stops[1], 1u);
  EXPECT_EQ(clears[1], 1u);
  EXPECT_EQ(stops[0] + clears[0] + starts[0] + starts[1], 0u);
  write(kTile, 0x0007'0000), tick();
  EXPECT_EQ(starts[0], 1u);
  EXPECT_EQ(stops[0], 1u);
  EXPECT_EQ(clears[0], 1u);
  EXPECT_EQ(read(kTile), 0u) << "all three read 0";
}

TEST_F(CsrTop, TilesThatDoNotExistReadZero) {
  for (unsigned t : {2u, 63u}) {
    write(kTile + 8 * t, 0x0007'0005);
    EXPECT_EQ(read(kTile + 8 * t), 0u);
    EXPECT_EQ(read(kTile + 8 * t + 4), 0u);
  }
  EXPECT_EQ(starts[0] + starts[1] + stops[0] + stops[1] + clears[0] + clears[1], 0u);
}

TEST_F(CsrTop, CountersOfTheSelectedTile) {
  dut->cnt_i = 0x2222'2222'1111'1111;
  write(kCntSel, 13u << 8 | 1);
  EXPECT_EQ(dut->cnt_sel_o, 13);
  EXPECT_EQ(read(kCntValue), 0x2222'2222u);
  write(kCntSel, 0);
  EXPECT_EQ(read(kCntValue), 0x1111'1111u);
  write(kCntSel, 2);
  EXPECT_EQ(read(kCntValue), 0u);
}

TEST_F(CsrTop, CountsCyclesAndBeats) {
  const uint32_t a = read(kCycleLo);
  const uint64_t c0 = dut.cycle();
  for (int i = 0; i < 100; ++i) tick();
  const uint32_t b = read(kCycleLo);
  EXPECT_NEAR(b - a, dut.cycle() - c0, 12);
  EXPECT_EQ(read(kCycleHi), 0u);
  dut->rd_beat_i = 1, dut->wr_beat_i = 1, tick(), tick();
  dut->wr_beat_i = 0, tick();
  dut->rd_beat_i = 0;
  EXPECT_EQ(read(kRdBeats), 3u);
  EXPECT_EQ(read(kWrBeats), 2u);
}

TEST_F(CsrTop, ShowsTheDmaError) {
  dut->dma_err_code_i = 4, dut->dma_err_index_i = 0x1234, dut->dma_err_addr_i = 0xAA'BBBB'CCCC, dut->dma_busy_i = 1;
  dut->dma_err_job_i = 0x56;
  EXPECT_EQ(read(kDmaStatus), 0x1234u << 16 | 0x56u << 8 | 4u);
  EXPECT_EQ(read(kErrLo), 0xBBBB'CCCCu);
  EXPECT_EQ(read(kErrHi), 0xAAu);
  EXPECT_EQ(read(kStatus), 1u);
}

TEST_F(CsrTop, ShowsJobsAndTheNoc) {
  dut->dma_accepted_i = 0x11, dut->dma_succeeded_i = 0x22, dut->dma_failed_i = 0x33;
  EXPECT_EQ(read(kJobs), 0x332211u);
  dut->noc_busy_i = 1;
  EXPECT_EQ(read(kStatus), 4u);
  dut->noc_busy_i = 0, dut->dma_queued_i = 1;
  EXPECT_EQ(read(kStatus), 8u);
}

TEST_F(CsrTop, AddressesAreThoseOfTheHeader) {
  EXPECT_EQ(offsetof(ohmac_csr_t, irq_cause), size_t{kIrqCause});
  EXPECT_EQ(offsetof(ohmac_csr_t, axi_wr_beats), size_t{kWrBeats});
  EXPECT_EQ(offsetof(ohmac_csr_t, cap_repair), size_t{kCapRepair});
  EXPECT_EQ(offsetof(ohmac_csr_t, jobs), size_t{kJobs});
  EXPECT_EQ(offsetof(ohmac_csr_t, window), size_t{kWindow});
  EXPECT_EQ(offsetof(ohmac_csr_t, tile), size_t{kTile});
}

}  // namespace
}  // namespace ohmac::tb
