// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "Vtile_sram_xbar_test_dut.h"
#include "tb/unit/tile/xbar_bench.h"

using namespace ohmac::tb;

namespace {

using SramXbar = XbarBench<Vtile_sram_xbar_test_dut>;

struct Request {
  bool on = false;
  unsigned line = 0;
  uint32_t strb = 0;
  Line data{};
  unsigned age = 0;
};

// What a read returns is what the granted writes before it left, byte by byte. Writers 0 and 1 wait for each other and
// one of the rest at most; the rest take turns, and before each turn the two may go twice.
TEST_F(SramXbar, KeepsMemoryOrderAndServesEveryone) {
  const uint64_t seed = test_seed(4);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  std::vector<Line> memory(kLines);
  std::array<Request, kPorts> req;
  for (unsigned l = 0; l < kLines; ++l) {  // define every byte
    for (auto& b : memory[l]) b = static_cast<uint8_t>(rng());
    dut->wr_req_i = 0;
    drive_write(0, l, ~0u, memory[l]);
    dut.tick();
  }
  std::array<bool, kReaders> due{};
  std::array<Line, kReaders> expected{};
  for (int cycle = 0; cycle < 30000; ++cycle) {
    const unsigned span = (cycle / 1000) % 2 ? kLines : 8;  // crowded at times
    dut->wr_req_i = 0;
    dut->rd_req_i = 0;
    for (unsigned p = 0; p < kPorts; ++p) {
      Request& r = req[p];
      if (!r.on && rng() % 4 != 0) {
        r = {true, static_cast<unsigned>(rng() % span), static_cast<uint32_t>(rng() & rng()), {}, 0};
        for (auto& b : r.data) b = static_cast<uint8_t>(rng());
      }
      if (!r.on) continue;
      if (p < kWriters) {
        drive_write(p, r.line, r.strb, r.data);
      } else {
        drive_read(p - kWriters, r.line);
      }
    }
    dut.settle();
    ASSERT_FALSE(dut->parity_o) << "cycle " << cycle;
    for (unsigned r = 0; r < kReaders; ++r) {
      ASSERT_EQ(dut->rd_rvalid_o >> r & 1, due[r]) << "cycle " << cycle;
      if (due[r]) {
        ASSERT_EQ(rdata(r), expected[r]) << "cycle " << cycle << " reader " << r;
      }
    }
    std::array<unsigned, kBanks> used{}, wanted{};
    due = {};
    for (unsigned p = 0; p < kPorts; ++p) {
      Request& r = req[p];
      if (r.on) ++wanted[r.line % kBanks];
      if (!(grants() >> p & 1)) {
        if (r.on) {
          ASSERT_LT(++r.age, p < 2 ? 3 : 3 * (kPorts - 2)) << "port " << p << " starves, cycle " << cycle;
        }
        continue;
      }
      ASSERT_TRUE(r.on);
      ++used[r.line % kBanks];
      if (p >= kWriters) {
        due[p - kWriters] = true;
        expected[p - kWriters] = memory[r.line];
      } else {
        for (unsigned b = 0; b < 32; ++b) {
          if (r.strb >> b & 1) memory[r.line][b] = r.data[b];
        }
      }
      r.on = false;
    }
    for (unsigned b = 0; b < kBanks; ++b) {
      ASSERT_EQ(used[b], wanted[b] ? 1u : 0u) << "bank " << b << " cycle " << cycle;
    }
    dut.tick();
  }
}

TEST_F(SramXbar, ReceiveAndResultsGoFirstButNotForEver) {
  unsigned writer = 0;
  for (unsigned cycle = 0; cycle < 24; ++cycle) {
    const bool walks = cycle < 12;  // a stream over the banks, then one bank again and again
    const unsigned line = walks ? cycle : 0;
    dut->wr_req_i = dut->rd_req_i = 0;
    drive_write(writer, line, ~0u, Line{});
    drive_read(0, line);
    drive_read(2, line);
    dut.settle();
    const bool granted = dut->wr_gnt_o != 0;
    EXPECT_EQ(granted, walks || cycle % 3 != 2) << cycle;
    dut.tick();
    writer ^= granted;
  }
}

TEST_F(SramXbar, DifferentBanksServeInOneCycle) {
  drive_write(0, 0, ~0u, Line{});
  drive_write(1, 1, ~0u, Line{});
  drive_read(0, 2);
  drive_read(4, 3);
  dut.settle();
  EXPECT_EQ(dut->wr_gnt_o, 0b011);
  EXPECT_EQ(dut->rd_gnt_o, 0b10001);
}

}  // namespace
