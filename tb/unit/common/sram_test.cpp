// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "Vsram_test_dut.h"
#include "tb/common/clocked.h"

TEST(Sram, StrobedWritesAndHeldReadsMatchAByteModel) {
  constexpr unsigned kDepth = 16, kBytes = 8;
  const uint64_t seed = ohmac::tb::test_seed(4);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  VerilatedContext context;
  Vsram_test_dut dut(&context);
  std::array<uint64_t, kDepth> model{};
  std::array<uint8_t, kDepth> parity{};  // stored as given
  uint64_t rdata = 0;
  uint8_t rpar = 0;
  bool read_once = false;
  const auto access = [&](bool req, bool we, unsigned addr, uint8_t strb, uint64_t data, uint8_t par) {
    dut.req_i = req, dut.we_i = we, dut.addr_i = static_cast<uint8_t>(addr), dut.strb_i = strb, dut.wdata_i = data,
    dut.wpar_i = par;
    dut.clk_i = 0, dut.eval();
    dut.clk_i = 1, dut.eval();
    if (req && we) {
      for (unsigned b = 0; b < kBytes; ++b) {
        const uint64_t mask = uint64_t{0xFF} << (8 * b);
        if (strb >> b & 1) model[addr] = (model[addr] & ~mask) | (data & mask);
      }
      parity[addr] = static_cast<uint8_t>((parity[addr] & ~strb) | (par & strb));
    } else if (req) {
      rdata = model[addr];
      rpar = parity[addr];
      read_once = true;
    }
  };
  for (unsigned a = 0; a < kDepth; ++a) access(true, true, a, 0xFF, rng(), static_cast<uint8_t>(rng()));
  for (int i = 0; i < 20000; ++i) {
    access(rng() & 1, rng() & 1, rng() % kDepth, static_cast<uint8_t>(rng()), rng(), static_cast<uint8_t>(rng()));
    if (read_once) {
      ASSERT_EQ(dut.rpar_o, rpar) << "cycle " << i;
      ASSERT_EQ(dut.rdata_o, rdata) << "cycle " << i;
    }
  }
}
