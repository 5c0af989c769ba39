// SPDX-License-Identifier: Apache-2.0
// Parity and clear after reset of the SRAM crossbar, with bits flipped behind its ports (sram_backdoor.vlt).
#include <gtest/gtest.h>

#include <array>

#include "Vtile_sram_parity_test_dut.h"
#include "Vtile_sram_parity_test_dut___024root.h"
#include "tb/unit/tile/xbar_bench.h"

using namespace ohmac::tb;

namespace {

class SramParity : public XbarBench<Vtile_sram_parity_test_dut> {
 protected:
  /// The storage of a line, behind the ports (sram_backdoor.vlt).
  VlWide<8>& stored(unsigned line) {
    auto& r = *dut->rootp;
    const unsigned row = line / kBanks;
    switch (line % kBanks) {
      case 0: return r.ohmac_sram_xbar__DOT__gen_bank__BRA__0__KET____DOT__u_sram__DOT__mem[row];
      case 1: return r.ohmac_sram_xbar__DOT__gen_bank__BRA__1__KET____DOT__u_sram__DOT__mem[row];
      case 2: return r.ohmac_sram_xbar__DOT__gen_bank__BRA__2__KET____DOT__u_sram__DOT__mem[row];
      default: return r.ohmac_sram_xbar__DOT__gen_bank__BRA__3__KET____DOT__u_sram__DOT__mem[row];
    }
  }
  void write(unsigned line, uint32_t strb, const Line& data) {
    drive_write(2, line, strb, data);
    dut.tick();
    dut->wr_req_i = 0;
  }
};

TEST_F(SramParity, ClearsItselfAfterResetAndGrantsNothingMeanwhile) {
  for (unsigned l = 0; l < kLines; ++l) stored(l)[l % 8] = 1u << (l % 32);  // as at power-on: data that fit no parity
  dut.reset();
  drive_write(0, 5, ~0u, Line{1, 2, 3});
  drive_read(1, 6);
  unsigned cycles = 0;
  for (; dut->clearing_o; ++cycles) {
    dut.settle();
    ASSERT_EQ(grants(), 0u);
    ASSERT_TRUE(dut->busy_o);
    dut.tick();
  }
  EXPECT_EQ(cycles, kLines / kBanks);
  dut.settle();
  EXPECT_EQ(grants(), 1u << (kWriters + 1) | 1u);
  dut.tick();
  drive_write(0, 5, ~0u, Line{});
  dut.tick();
  dut->wr_req_i = dut->rd_req_i = 0;
  for (unsigned l = 0; l < kLines; ++l) {
    drive_read(l % kReaders, l);
    dut.tick();
    dut->rd_req_i = 0;
    ASSERT_EQ(rdata(l % kReaders), Line{}) << l;
    dut.tick();
    ASSERT_FALSE(dut->parity_o) << l;
  }
}

// Every reader, every byte of a line, data and parity bit: found in the cycle after the data, once; not by others.
TEST_F(SramParity, FindsAFlippedBitForEveryReader) {
  const uint64_t seed = test_seed(6);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (unsigned n = 0; n < 1000; ++n) {
    const unsigned line = static_cast<unsigned>(rng() % kLines), bit = n % 256, reader = n % kReaders;
    Line data;
    for (auto& b : data) b = static_cast<uint8_t>(rng());
    write(line, ~0u, data);
    for (const bool flipped : {false, true}) {
      if (flipped) stored(line)[bit / 32] ^= 1u << (bit % 32);
      drive_read(reader, line);
      drive_read((reader + 1) % kReaders, (line + 1) % kLines);  // a good line beside it
      dut.tick();
      dut->rd_req_i = 0;
      dut.settle();
      ASSERT_FALSE(dut->parity_o);
      ASSERT_TRUE(dut->busy_o);
      dut.tick();
      ASSERT_EQ(dut->parity_o, flipped) << "bit " << bit << " reader " << reader;
      ASSERT_EQ(dut->busy_o, flipped);
      dut.tick();
      ASSERT_FALSE(dut->parity_o);
      ASSERT_FALSE(dut->busy_o);
    }
    // A write of some bytes heals those and leaves the others as they are.
    const uint32_t heal = n % 2 ? 1u << (bit / 8) : ~(1u << (bit / 8));
    for (auto& b : data) b = static_cast<uint8_t>(rng());
    write(line, heal, data);
    drive_read(reader, line);
    dut.tick();
    dut->rd_req_i = 0;
    dut.tick();
    ASSERT_EQ(dut->parity_o, n % 2 == 0);
    dut.tick();
    write(line, ~0u, Line{});
  }
}

}  // namespace
