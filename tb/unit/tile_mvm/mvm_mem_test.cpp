// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "Vmvm_mem_test_dut.h"
#include "tb/common/clocked.h"

TEST(MvmMem, ReadsWhatWasWrittenAndHoldsIt) {
  constexpr unsigned kDepth = 12;  // no power of two
  const uint64_t seed = ohmac::tb::test_seed(9);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  VerilatedContext context;
  Vmvm_mem_test_dut dut(&context);
  std::array<uint32_t, kDepth> model{};
  uint32_t rdata = 0;
  bool known = false;
  for (unsigned i = 0; i < 20000; ++i) {
    const bool fill = i < kDepth;
    const unsigned waddr = fill ? i : rng() % kDepth;
    const uint32_t data = static_cast<uint32_t>(rng());
    dut.we_i = fill || rng() & 1, dut.waddr_i = static_cast<uint8_t>(waddr), dut.wdata_i = data;
    dut.raddr_i = rng() % kDepth;
    dut.re_i = !fill && rng() & 1 && !(dut.we_i && dut.raddr_i == waddr);
    dut.clk_i = 0, dut.eval();
    dut.clk_i = 1, dut.eval();
    if (dut.re_i) rdata = model[dut.raddr_i], known = true;
    if (dut.we_i) model[waddr] = data;
    if (known) {
      ASSERT_EQ(dut.rdata_o, rdata) << "cycle " << i;
    }
  }
}
