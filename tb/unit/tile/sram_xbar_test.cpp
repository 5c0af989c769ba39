// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "Vtile_sram_xbar_test_dut.h"
#include "tb/unit/tile/xbar_bench.h"

using namespace ohmac::tb;

namespace {

using SramXbar = XbarBench<Vtile_sram_xbar_test_dut>;

constexpr unsigned kVector = 2;                          // the writer that takes turns with the readers
constexpr bool kDirect[kReaders] = {false, true, true};  // the others share a bus
constexpr unsigned kWait = 15;  // cycles to the access, of a direct reader; of a shared one its turn
constexpr unsigned kShared = 3;

struct Request {
  bool on = false;
  unsigned line = 0;
  uint32_t strb = 0;
  Line data{};
  unsigned age = 0;
};

// What a read returns is what the writes granted before its access left, byte by byte: data come a cycle after the
// access, so they are what the memory of this model holds before the writes of that cycle are put in it. Nobody waits
// too long.
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
  struct Read {
    bool out = false;
    unsigned line = 0, age = 0;
  };
  std::array<Read, kReaders> reads;
  std::array<bool, kBanks> wanted{}, written{};  // in the cycle before
  unsigned served = 0;
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
    std::array<unsigned, kBanks> used{};
    for (unsigned b = 0; b < kBanks; ++b) used[b] = written[b];
    for (unsigned r = 0; r < kReaders; ++r) {
      if (!(dut->rd_rvalid_o >> r & 1)) continue;
      ASSERT_TRUE(reads[r].out) << "cycle " << cycle << " reader " << r;
      ASSERT_EQ(rdata(r), memory[reads[r].line]) << "cycle " << cycle << " reader " << r;
      ++used[reads[r].line % kBanks];
      ++served;
      reads[r].out = false;
    }
    for (unsigned b = 0; b < kBanks; ++b) {
      ASSERT_LE(used[b], 1u) << "bank " << b << " cycle " << cycle;
      ASSERT_TRUE(used[b] || !wanted[b]) << "bank " << b << " idles, cycle " << cycle;
    }
    wanted = written = {};
    for (unsigned p = 0; p < kPorts; ++p) {
      Request& r = req[p];
      const bool granted = grants() >> p & 1;
      if (p < kWriters) {
        if (r.on) wanted[r.line % kBanks] = true;
        if (!granted) {
          if (r.on) {
            ASSERT_LT(++r.age, p == kVector ? 12u : 3u) << "writer " << p << " starves, cycle " << cycle;
          }
          continue;
        }
        ASSERT_TRUE(r.on);
        written[r.line % kBanks] = true;
        for (unsigned b = 0; b < 32; ++b) {
          if (r.strb >> b & 1) memory[r.line][b] = r.data[b];
        }
        r.on = false;
        continue;
      }
      Read& read = reads[p - kWriters];
      // Granted whenever the place is free: nothing is on its way (what comes now is not, any more).
      ASSERT_EQ(granted, r.on && !read.out) << "reader " << p - kWriters << " cycle " << cycle;
      if (granted) {
        read = {true, r.line, 0};
        r.on = false;
      }
      if (read.out) {
        ASSERT_LE(++read.age, kDirect[p - kWriters] ? kWait : kShared * kWait + 1) << "reader " << p - kWriters;
        if (kDirect[p - kWriters]) wanted[read.line % kBanks] = true;
      }
    }
    dut.tick();
  }
  EXPECT_GT(served, 30000u);
}

TEST_F(SramXbar, ReceiveAndResultsGoFirstButNotForEver) {
  unsigned writer = 0;
  for (unsigned cycle = 0; cycle < 24; ++cycle) {
    const bool walks = cycle < 12;  // a stream over the banks, then one bank again and again
    const unsigned line = walks ? cycle : 0;
    dut->wr_req_i = dut->rd_req_i = 0;
    drive_write(writer, line, ~0u, Line{});
    drive_read(1, line);
    drive_read(2, line);
    dut.settle();
    const bool granted = dut->wr_gnt_o != 0;
    EXPECT_EQ(granted, walks || cycle % 3 != 2) << cycle;
    dut.tick();
    writer ^= granted;
  }
}

TEST_F(SramXbar, DifferentBanksServeInOneCycle) {
  drive_read(4, 3);  // of the shared bus, a cycle before its access
  dut.settle();
  EXPECT_EQ(dut->rd_gnt_o, 0b10000);
  dut.tick();
  dut->rd_req_i = 0;
  drive_write(0, 0, ~0u, Line{});
  drive_write(1, 1, ~0u, Line{});
  drive_read(1, 2);
  dut.settle();
  EXPECT_EQ(dut->wr_gnt_o, 0b011);
  EXPECT_EQ(dut->rd_gnt_o, 0b00010);
  dut.tick();
  EXPECT_EQ(dut->rd_rvalid_o, 0b10010);
}

// A read whose bank is taken waits inside, and sees what was written while it waited.
TEST_F(SramXbar, AGrantedReadSeesTheWriteThatHeldItUp) {
  Line data{};
  data.fill(0x5A);
  drive_write(0, 8, ~0u, data);
  drive_read(1, 8);
  dut.settle();
  EXPECT_EQ(dut->wr_gnt_o, 0b001);
  EXPECT_EQ(dut->rd_gnt_o, 0b00010);
  dut.tick();
  dut->wr_req_i = dut->rd_req_i = 0;
  drive_read(1, 9);
  dut.settle();
  EXPECT_EQ(dut->rd_rvalid_o, 0);
  EXPECT_EQ(dut->rd_gnt_o, 0) << "its place is taken";
  EXPECT_TRUE(dut->busy_o);
  dut.tick();
  EXPECT_EQ(dut->rd_rvalid_o, 0b00010);
  EXPECT_EQ(rdata(1), data);
}

// A direct reader takes a line every cycle; three that share the bus take turns on it.
TEST_F(SramXbar, RatesOfTheReaders) {
  std::array<unsigned, kReaders> lines{};
  for (unsigned cycle = 0; cycle < 302; ++cycle) {
    dut->rd_req_i = 0;
    for (unsigned r = 0; r < kReaders; ++r) drive_read(r, (kDirect[r] ? r : 3 * (r != 0)) + 4 * (cycle % 8));
    dut.settle();
    for (unsigned r = 0; r < kReaders; ++r) lines[r] += dut->rd_rvalid_o >> r & 1;
    dut.tick();
  }
  EXPECT_EQ(lines[1], 301u);
  EXPECT_EQ(lines[2], 301u);
  for (const unsigned r : {0u, 3u, 4u}) EXPECT_EQ(lines[r], 100u) << r;
}

}  // namespace
