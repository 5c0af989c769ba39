// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "Vtile_noc_rx_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/flit.h"

using namespace ohmac::tb;

namespace {

constexpr unsigned kSram = 16384;
constexpr unsigned kFaultAddress = 2;

/// Everything that receive does to the rest of the tile, in order.
struct Effect {
  enum Kind { kByteWrite, kConfig, kToken, kCommand, kFault } kind;
  uint32_t addr, value;
  bool operator==(const Effect& o) const { return kind == o.kind && addr == o.addr && value == o.value; }
};

/// What one flit must do, from rtl/tile/README.md.
void effects_of(const Flit& f, std::vector<Effect>& out, unsigned& lines) {
  const bool aligned = f.addr % 16 == 0, cfg = f.addr >> 23;
  if (f.kind == kFlitWrite) {
    if (f.strb != 0) {
      const bool inside = cfg ? (f.addr & 0x7FFFFF) < 4096 : f.addr < kSram;
      if (!aligned || !inside) {
        out.push_back({Effect::kFault, 0, kFaultAddress});
        return;
      }
      if (cfg) {
        for (unsigned w = 0; w < 4; ++w) {
          if ((f.strb >> (4 * w) & 15) == 15) out.push_back({Effect::kConfig, (f.addr & 0xFFF) / 4 + w, f.data[w]});
        }
      } else {
        ++lines;
        for (unsigned b = 0; b < 16; ++b) {
          if (f.strb >> b & 1) out.push_back({Effect::kByteWrite, f.addr + b, f.byte(b)});
        }
      }
    }
    if (f.token_en) out.push_back({Effect::kToken, 0, f.token});
  } else if (f.kind == kFlitRead) {
    const unsigned len = f.data[0] & 0xFFFF;
    const bool ok = aligned && !cfg && f.addr + len <= kSram;
    if (!ok) out.push_back({Effect::kFault, 0, kFaultAddress});
    out.push_back({Effect::kCommand, ok && len ? f.addr : 0, ok ? len : 0});
  }
}

class NocRx : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->flit_valid_i = 0;
    dut->wr_gnt_i = 0;
    dut->cfg_ready_i = 0;
    dut->cmd_ready_i = 0;
    dut.reset();
  }
  /// One cycle: offers `f` if any; grants as told. Returns whether the flit was taken.
  bool step(const Flit* f, bool wr, bool cfg, bool cmd) {
    dut->flit_valid_i = f != nullptr;
    if (f) f->to(dut->flit_i);
    dut->wr_gnt_i = 0;
    dut->cfg_ready_i = cfg;
    dut->cmd_ready_i = cmd;
    dut.settle();
    dut->wr_gnt_i = dut->wr_req_o && wr;
    dut.settle();
    if (dut->wr_gnt_i) {
      for (unsigned b = 0; b < 32; ++b) {
        if (dut->wr_strb_o >> b & 1) {
          seen.push_back({Effect::kByteWrite, dut->wr_addr_o * 32u + b,
                          static_cast<uint32_t>(get_bits(dut->wr_data_o, 8 * b, 8))});
        }
      }
    }
    if (dut->cfg_valid_o && cfg) seen.push_back({Effect::kConfig, dut->cfg_addr_o, dut->cfg_wdata_o});
    if (dut->fault_o) seen.push_back({Effect::kFault, 0, dut->fault_o});
    if (dut->tok_valid_o) seen.push_back({Effect::kToken, 0, dut->tok_token_o});
    if (dut->cmd_valid_o && cmd) {
      seen_commands.push_back({Effect::kCommand, dut->cmd_len_o ? dut->cmd_addr_o : 0u, dut->cmd_len_o});
      --reads_out;
    }
    lines += dut->ev_wr_o;
    flits += dut->ev_flit_o;
    const bool taken = f && dut->flit_ready_o;
    dut.tick();
    return taken;
  }
  Clocked<Vtile_noc_rx_test_dut> dut;
  std::vector<Effect> seen, seen_commands;
  unsigned lines = 0, flits = 0;
  int reads_out = 0;
};

TEST_F(NocRx, DoesWhatEachFlitSaysInOrder) {
  const uint64_t seed = test_seed(9);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  std::vector<Effect> expected, expected_commands;
  unsigned expected_lines = 0, sent = 0;
  bool have = false;
  Flit f;
  for (int cycle = 0; cycle < 60000; ++cycle) {
    if (!have && rng() % 4) {
      f = Flit{};
      const unsigned what = rng() % 16;
      f.kind = what == 0 && reads_out == 0 ? kFlitRead : what == 1 ? kFlitResp : kFlitWrite;
      f.x = rng() % 8;
      f.y = rng() % 8;
      f.token_en = rng() % 4 == 0;
      f.token = rng() % 16;
      f.addr = static_cast<uint32_t>(rng() % kSram) & ~15u;
      if (rng() % 3 == 0) f.addr = 1u << 23 | (rng() % 4096 & ~15u);
      if (rng() % 20 == 0) f.addr = static_cast<uint32_t>(rng()) & 0xFFFFFF;
      if (rng() % 40 == 0) f.addr = kSram - 16 + 16 * (rng() % 2);
      f.strb = rng() % 3 == 0 ? static_cast<uint16_t>(rng()) : 0xFFFF;
      if (rng() % 8 == 0) f.strb = 0;
      for (auto& d : f.data) d = static_cast<uint32_t>(rng());
      if (f.kind == kFlitRead) {
        f.data[0] = rng() % 4 ? rng() % 256 : rng() % 65536;
        ++reads_out;
      }
      have = true;
    }
    const bool fast = (cycle / 500) % 3 == 0;
    if (step(have ? &f : nullptr, fast || rng() % 3 == 0, fast || rng() % 3 == 0, rng() % 3 == 0)) {
      have = false;
      ++sent;
      std::vector<Effect> e;
      effects_of(f, e, expected_lines);
      for (const Effect& x : e) (x.kind == Effect::kCommand ? expected_commands : expected).push_back(x);
    }
  }
  for (int i = 0; i < 20; ++i) step(nullptr, true, true, true);
  EXPECT_TRUE(dut->idle_o);
  ASSERT_EQ(seen.size(), expected.size());
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_TRUE(seen[i] == expected[i]) << i;
  ASSERT_EQ(seen_commands.size(), expected_commands.size());
  for (size_t i = 0; i < seen_commands.size(); ++i) ASSERT_TRUE(seen_commands[i] == expected_commands[i]) << i;
  EXPECT_EQ(lines, expected_lines);
  EXPECT_EQ(flits, sent);
}

TEST_F(NocRx, TakesOneFlitACycleIntoSram) {
  unsigned taken = 0;
  for (unsigned i = 0; i < 100; ++i) {
    Flit f;
    f.addr = 16 * i;
    f.strb = 0xFFFF;
    taken += step(&f, true, true, true);
  }
  EXPECT_EQ(taken, 100u);
}

TEST_F(NocRx, TwoHalvesOfALineAreOneWrite) {
  unsigned writes = 0;
  const auto send = [&](const Flit* f) {
    step(f, true, true, true);
    writes += dut->wr_req_o;
  };
  for (unsigned i = 0; i < 16; ++i) {
    Flit f;
    f.addr = 1024 + 16 * i;
    f.strb = 0xFFFF;
    send(&f);
  }
  for (int i = 0; i < 4; ++i) send(nullptr);
  EXPECT_EQ(seen.size(), 256u);
  EXPECT_EQ(lines, 16u);  // counted by the flit: which halves meet depends on the traffic
  EXPECT_LE(writes, 9u);
}

// A refusal a line costs a stream nothing.
TEST_F(NocRx, StreamSurvivesARefusalALine) {
  unsigned taken = 0, cycles = 0;
  for (bool refused = false; taken < 200; ++cycles) {
    Flit f;
    f.addr = 16 * taken;
    f.strb = 0xFFFF;
    dut.settle();
    const bool grant = refused || !dut->wr_req_o;
    refused = dut->wr_req_o && !grant;
    taken += step(&f, grant, true, true);
  }
  EXPECT_LE(cycles, 204u);
}

TEST_F(NocRx, TokenFollowsTheWrite) {
  Flit f;
  f.addr = 32;
  f.strb = 1;
  f.token_en = true;
  f.token = 4;
  ASSERT_TRUE(step(&f, false, false, false));
  for (int i = 0; i < 5; ++i) step(nullptr, false, false, false);
  EXPECT_TRUE(seen.empty());  // no token while the write waits
  step(nullptr, true, false, false);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].kind, Effect::kToken);
}

TEST_F(NocRx, ReadProvesEarlierWrites) {
  Flit w, r;
  w.addr = 64;
  w.strb = 0xFFFF;
  r.kind = kFlitRead;
  step(&w, false, false, false);
  step(&r, false, false, false);
  for (int i = 0; i < 5; ++i) {
    step(nullptr, false, false, false);
    EXPECT_FALSE(dut->cmd_valid_o);
  }
  step(nullptr, true, false, false);
  step(nullptr, true, false, false);
  EXPECT_TRUE(dut->cmd_valid_o);
}

}  // namespace
