// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "Vtile_noc_tx_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/flit.h"

using namespace ohmac::tb;

namespace {

constexpr unsigned kSram = 1 << 21;  // what line addresses reach

/// Contents of the SRAM.
uint8_t ram(unsigned addr) { return static_cast<uint8_t>((addr + 1) * 2654435761u >> 24); }
enum Kind { kOp = 0, kWait = 1, kSignal = 2 };

struct Item {
  Kind kind = kOp;
  unsigned token = 0, count = 0;
  bool token_en = false;
  unsigned src = 0, tile = 0, dst = 0, len = 0;
};
struct Command {
  unsigned addr, len;
};

class NocTx : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->item_valid_i = 0;
    dut->cmd_valid_i = 0;
    dut->wait_gnt_i = 0;
    dut->rd_gnt_i = 0;
    dut->rd_rvalid_i = 0;
    dut->flit_ready_i = 0;
    dut->drop_waits_i = 0;
    dut->mesh_x_i = 4;
    dut.reset();
  }
  /// The flits of one transfer, from rtl/tile/README.md.
  std::vector<Flit> expect(unsigned src, unsigned len, unsigned dst, const Flit& head, bool token_en, unsigned token) {
    std::vector<Flit> out;
    const unsigned n = len == 0 ? 1 : (len + 15) / 16;
    for (unsigned i = 0; i < n; ++i) {
      Flit f = head;
      f.addr = (dst + 16 * i) & 0xFFFFFF;
      for (unsigned b = 0; b < 16 && 16 * i + b < len; ++b) f.strb |= static_cast<uint16_t>(1u << b);
      for (unsigned b = 0; b < 16; ++b) {
        if (f.strb >> b & 1) f.data[b / 4] |= uint32_t{ram(src + 16 * i + b)} << (8 * (b % 4));
      }
      f.token_en = token_en && i == n - 1;
      f.token = f.token_en ? token : 0;
      out.push_back(f);
    }
    if (len) reads += (src + len + 31) / 32 - src / 32;
    return out;
  }
  std::vector<Flit> expect(const Item& it) {
    Flit head;
    head.host = it.tile == 64;
    if (!head.host) {
      head.x = it.tile % dut->mesh_x_i;
      head.y = it.tile / dut->mesh_x_i;
    }
    return expect(it.src, it.len, it.dst, head, it.token_en, it.token);
  }
  std::vector<Flit> expect(const Command& c) {
    Flit head;
    head.host = true;
    head.kind = kFlitResp;
    return expect(c.addr, c.len, 0, head, true, 0);
  }
  /// One cycle. `item`, `cmd`: offered if not null; returns what was taken in bits 0 and 1.
  unsigned step(const Item* item, const Command* cmd, bool grant, bool ready, bool token) {
    dut->item_valid_i = item != nullptr;
    if (item) {
      pack(dut->item_i, {{2, static_cast<uint64_t>(item->kind)},
                         {4, item->token},
                         {8, item->count},
                         {1, item->token_en},
                         {24, item->src},
                         {7, item->tile},
                         {24, item->dst},
                         {12, item->len}});
    }
    dut->cmd_valid_i = cmd != nullptr;
    if (cmd) {
      dut->cmd_addr_i = cmd->addr;
      dut->cmd_len_i = cmd->len;
    }
    dut->rd_rvalid_i = line >= 0;
    for (unsigned i = 0; i < 8; ++i) {
      uint32_t w = 0xDEADBEEF;
      if (line >= 0) {
        w = 0;
        for (unsigned b = 0; b < 4; ++b) w |= uint32_t{ram(static_cast<unsigned>(line) * 32 + 4 * i + b)} << (8 * b);
      }
      dut->rd_rdata_i[i] = w;
    }
    dut->rd_gnt_i = 0;
    dut->wait_gnt_i = 0;
    dut->flit_ready_i = ready;
    dut.settle();
    dut->rd_gnt_i = dut->rd_req_o && grant;
    dut->wait_gnt_i = dut->wait_valid_o && token;
    line = dut->rd_gnt_i ? dut->rd_addr_o : -1;
    dut.settle();
    if (dut->flit_valid_o && ready) sent.push_back(Flit::from(dut->flit_o));
    if (dut->sig_valid_o) signalled.push_back({dut->sig_token_o, dut->sig_count_o, static_cast<unsigned>(sent.size())});
    if (dut->wait_gnt_i) waited.push_back({dut->wait_token_o, dut->wait_count_o, static_cast<unsigned>(sent.size())});
    idle = dut->idle_o;
    counted_flits += dut->ev_flit_o;
    counted_reads += dut->ev_rd_o;
    const unsigned taken = (item && dut->item_ready_o ? 1u : 0u) | (cmd && dut->cmd_ready_o ? 2u : 0u);
    dut.tick();
    return taken;
  }
  struct Tok {
    unsigned token, count, after_flits;
  };
  Clocked<Vtile_noc_tx_test_dut> dut;
  std::vector<Flit> sent;
  std::vector<Tok> signalled, waited;
  int line = -1;
  bool idle = true;  // in the last step
  unsigned reads = 0, counted_reads = 0, counted_flits = 0;
};

void expect_same(const Flit& a, const Flit& b, size_t i) {
  ASSERT_EQ(a.host, b.host) << i;
  ASSERT_EQ(a.x, b.x) << i;
  ASSERT_EQ(a.y, b.y) << i;
  ASSERT_EQ(a.kind, b.kind) << i;
  ASSERT_EQ(a.addr, b.addr) << i;
  ASSERT_EQ(a.strb, b.strb) << i;
  ASSERT_EQ(a.token_en, b.token_en) << i;
  if (a.token_en) {
    ASSERT_EQ(a.token, b.token) << i;
  }
  for (unsigned k = 0; k < 16; ++k) {
    if (a.strb >> k & 1) {
      ASSERT_EQ(a.byte(k), b.byte(k)) << i;
    }
  }
}

TEST_F(NocTx, SendsWhatItWasToldWithRandomStalls) {
  const uint64_t seed = test_seed(10);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (unsigned mesh_x = 1; mesh_x <= 8; ++mesh_x) {
    dut->mesh_x_i = mesh_x;
    std::vector<Flit> expected;
    std::vector<Tok> expected_sig, expected_wait;
    sent.clear();
    signalled.clear();
    waited.clear();
    bool have_item = false, have_cmd = false;
    Item item;
    Command cmd{};
    for (int cycle = 0; cycle < 8000; ++cycle) {
      if (!have_item && rng() % 4 && cycle < 7000) {
        item.kind = rng() % 4 ? kOp : rng() % 2 ? kWait : kSignal;
        item.token = rng() % 16;
        item.count = 1 + rng() % 255;
        item.len = rng() % 4 ? rng() % 100 : rng() % 2 ? 0 : rng() % 600;
        item.token_en = item.len == 0 || rng() % 2;
        item.src = static_cast<unsigned>(rng() % (kSram - 640)) & ~15u;
        item.dst = static_cast<unsigned>(rng()) & 0xFFFFF0;
        item.tile = rng() % 8 ? rng() % (8 * mesh_x) : 64;
        have_item = true;
      }
      if (!have_cmd && rng() % 64 == 0 && cycle < 7000) {
        cmd.len = rng() % 3 ? rng() % 200 : rng() % 2 ? 0 : rng() % 4097;
        cmd.addr = static_cast<unsigned>(rng() % (kSram - 4096)) & ~15u;
        have_cmd = true;
      }
      const bool fast = (cycle / 256) % 2;
      const size_t sent_before = sent.size();
      const bool waits = signalled.size() < expected_sig.size() || waited.size() < expected_wait.size();
      const unsigned taken = step(have_item ? &item : nullptr, have_cmd ? &cmd : nullptr, fast || rng() % 3 == 0,
                                  fast || rng() % 3 == 0, rng() % 4 == 0);
      ASSERT_FALSE(idle && (waits || sent_before < expected.size())) << "idle with work left, cycle " << cycle;
      if (taken & 2) {
        ASSERT_FALSE(taken & 1);
        for (const Flit& f : expect(cmd)) expected.push_back(f);
        have_cmd = false;
      }
      if (taken & 1) {
        if (item.kind == kOp) {
          for (const Flit& f : expect(item)) expected.push_back(f);
        } else {
          (item.kind == kSignal ? expected_sig : expected_wait)
              .push_back({item.token, item.count, static_cast<unsigned>(expected.size())});
        }
        have_item = false;
      }
    }
    for (int i = 0; i < 10000 && (!dut->idle_o || have_item || have_cmd); ++i) {
      ASSERT_TRUE(true);
      const unsigned taken = step(nullptr, nullptr, true, true, true);
      ASSERT_EQ(taken, 0u);
      have_item = have_cmd = false;
    }
    ASSERT_TRUE(dut->idle_o);
    ASSERT_EQ(sent.size(), expected.size());
    for (size_t i = 0; i < sent.size(); ++i) expect_same(expected[i], sent[i], i);
    ASSERT_EQ(signalled.size(), expected_sig.size());
    for (size_t i = 0; i < signalled.size(); ++i) {
      ASSERT_EQ(signalled[i].token, expected_sig[i].token);
      ASSERT_EQ(signalled[i].count, expected_sig[i].count);
      ASSERT_EQ(signalled[i].after_flits, expected_sig[i].after_flits) << "a signal passed a flit";
    }
    ASSERT_EQ(waited.size(), expected_wait.size());
    for (size_t i = 0; i < waited.size(); ++i) {
      ASSERT_EQ(waited[i].token, expected_wait[i].token);
      ASSERT_EQ(waited[i].count, expected_wait[i].count);
    }
    ASSERT_EQ(counted_reads, reads);
  }
}

TEST_F(NocTx, AnswersReadsOfEveryLength) {
  for (const unsigned len : {1u, 4095u, 4097u, 16384u + 17u, 32768u + 31u, 65535u}) {
    for (const unsigned addr : {0u, 0x1234F0u, kSram - 65536u}) {
      const Command cmd{addr, len};
      const std::vector<Flit> expected = expect(cmd);
      sent.clear();
      ASSERT_EQ(step(nullptr, &cmd, true, true, false), 2u);
      for (int i = 0; i < 4200 && (sent.size() < expected.size() || !idle); ++i) {
        step(nullptr, nullptr, true, true, false);
      }
      ASSERT_EQ(sent.size(), expected.size()) << len;
      for (size_t i = 0; i < sent.size(); ++i) expect_same(expected[i], sent[i], i);
      ASSERT_EQ(counted_reads, reads);
    }
  }
}

TEST_F(NocTx, OneFlitACycleWhenNothingStalls) {
  Item it;
  it.src = 16;
  it.len = 1600;
  it.tile = 3;
  EXPECT_EQ(step(&it, nullptr, true, true, false), 1u);
  for (int i = 0; i < 103; ++i) step(nullptr, nullptr, true, true, false);
  EXPECT_EQ(sent.size(), 100u);
  EXPECT_TRUE(dut->idle_o);
}

TEST_F(NocTx, AnswersTheHostWhileAWaitBlocksTheQueue) {
  Item wait;
  wait.kind = kWait;
  wait.token = 2;
  wait.count = 1;
  step(&wait, nullptr, true, true, false);
  step(nullptr, nullptr, true, true, false);
  const Command fence{0, 0};
  EXPECT_EQ(step(nullptr, &fence, true, true, false), 2u);
  for (int i = 0; i < 5; ++i) step(nullptr, nullptr, true, true, false);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].strb, 0u);
  EXPECT_EQ(sent[0].kind, static_cast<unsigned>(kFlitResp));
  EXPECT_TRUE(sent[0].token_en);
  EXPECT_TRUE(dut->wait_valid_o);  // the WAIT is still there
  step(nullptr, nullptr, true, true, true);
  EXPECT_TRUE(dut->idle_o);
}

TEST_F(NocTx, DropsWaitsWhenTheTileStops) {
  Item wait;
  wait.kind = kWait;
  wait.count = 1;
  dut->drop_waits_i = 1;
  step(&wait, nullptr, true, true, false);
  step(nullptr, nullptr, true, true, false);
  EXPECT_TRUE(dut->idle_o);
}

}  // namespace
