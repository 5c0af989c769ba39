// SPDX-License-Identifier: Apache-2.0
// ohmac_dma between a memory model and model tiles behind a slow, lossless, in-order NoC.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <set>

#include "Vdma_test_dut.h"
#include "tb/common/axi_memory.h"
#include "tb/common/clocked.h"
#include "tb/common/flit.h"
#include "tb/unit/top/dma_job.h"

namespace ohmac::tb {

class DmaBench : public ::testing::Test {
 protected:
  static constexpr unsigned kMeshX = 4, kTiles = 8;
  static constexpr uint64_t kJob = 0x1'0000'4000;  // above 4 GiB on purpose
  static constexpr unsigned kReadRight = 1, kWriteRight = 2;

  DmaBench() : mem(dma_axi_ports(*dut), AxiSettings{}) {}
  void SetUp() override {
    dut->noc_o_ready = 1;
    dut.reset();
    window(0, 0, 0xFFFF'FFFF, kReadRight | kWriteRight);
    window(1, 0x1'0000'0000, 0xFFFF'FFFF, kReadRight | kWriteRight);
  }

  void window(unsigned i, uint64_t base, uint32_t size, unsigned rights) {
    dut->win_base_i[2 * i] = static_cast<uint32_t>(base);
    dut->win_base_i[2 * i + 1] = static_cast<uint32_t>(base >> 32);
    dut->win_size_i[i] = size;
    dut->win_read_i = (dut->win_read_i & ~(1u << i)) | (rights & 1u) << i;
    dut->win_write_i = (dut->win_write_i & ~(1u << i)) | (rights >> 1 & 1u) << i;
  }
  void close_windows() {
    for (unsigned i = 0; i < 4; ++i) window(i, 0, 0, 0);
  }

  /// A flit of a tile to the outbox.
  static Flit outbox(uint32_t addr, uint8_t fill, uint16_t strb = 0xFFFF, int token = -1) {
    Flit f;
    f.host = true;
    f.addr = addr;
    f.strb = strb;
    for (unsigned i = 0; i < 16; ++i) f.set_byte(i, static_cast<uint8_t>(fill + i));
    f.token_en = token >= 0;
    f.token = token >= 0 ? static_cast<uint8_t>(token) : uint8_t{0};
    return f;
  }

  void tick() {
    const uint64_t now = dut.cycle();
    dut.settle();
    mem.sample();
    if (dut->noc_o_valid && dut->noc_o_ready) {
      const Flit f = unpack(dut->noc_o_flit);
      EXPECT_FALSE(f.host);
      to_tile[f.y * kMeshX + f.x].push_back({now + noc_latency, f});
    }
    if (dut->noc_i_valid && dut->noc_i_ready) {
      to_host.pop_front();
      host_shown = false;
    }
    if (dut->start_o) {
      EXPECT_EQ(dut->busy_o, 1);
      starts.push_back({dut->start_o, dut->start_pc_o});
      for (auto& [tile, queue] : to_tile) {
        for (auto& flit : queue)
          EXPECT_NE(flit.second.kind, FlitKind::kWrite) << "start overtook data of tile " << tile;
      }
    }
    done += dut->done_o;
    error += dut->error_o;
    dut.tick();
    mem.drive();
    for (auto& [tile, queue] : to_tile) {
      if (!queue.empty() && queue.front().first <= now) {
        arrive(tile, queue.front().second);
        queue.pop_front();
      }
    }
    dut->noc_o_ready = !chance(noc_stall);
    if (!host_shown) host_shown = !to_host.empty() && to_host.front().first <= now && !chance(noc_stall);
    dut->noc_i_valid = host_shown;
    if (host_shown) pack(to_host.front().second, dut->noc_i_flit);
    dut->doorbell_i = 0;
    dut.settle();
  }
  void ticks(unsigned n) {
    while (n--) tick();
  }
  void send(const Flit& f) { to_host.push_back({dut.cycle(), f}); }

  void ring(const std::vector<Desc>& job, uint64_t at = kJob) {
    for (size_t i = 0; i < job.size(); ++i) mem.memory.write(at + 64 * i, job[i].bytes());
    done = error = 0;
    dut->job_addr_i = at;
    dut->doorbell_i = 1;
    tick();
  }
  /// Runs to the end of the job; fails after `limit` cycles.
  void finish(unsigned limit = 200000) {
    while (dut->busy_o && limit-- && !HasFailure()) tick();
    ASSERT_FALSE(dut->busy_o) << "the job hangs";
  }
  void run(const std::vector<Desc>& job) {
    ring(job);
    finish();
  }
  void expect_done() {
    EXPECT_EQ(done, 1u);
    EXPECT_EQ(error, 0u);
    EXPECT_EQ(dut->err_code_o, kNone);
  }
  void expect_error(DmaErr code, unsigned index, uint64_t addr) {
    EXPECT_EQ(done, 0u);
    EXPECT_EQ(error, 1u);
    EXPECT_EQ(dut->err_code_o, code);
    EXPECT_EQ(dut->err_index_o, index);
    EXPECT_EQ(dut->err_addr_o, addr);
    EXPECT_TRUE(mem.idle()) << "something is still outstanding";
  }
  void fill(uint64_t addr, unsigned len, unsigned seed) {
    for (unsigned i = 0; i < len; ++i) mem.memory.write(addr + i, pattern(seed, i));
  }
  static uint8_t pattern(unsigned seed, unsigned i) {
    return static_cast<uint8_t>(seed * 37 + i * 11 + (i >> 8) * 5 + 1);
  }
  bool chance(double p) { return p > 0 && std::uniform_real_distribution<>(0, 1)(rng) < p; }
  void expect_tiles(const TileSpaces& expected) {
    uint64_t where = 0;
    for (unsigned t = 0; t < kTiles; ++t) {
      auto it = expected.bytes.find(t);
      const SparseMemory& want = it == expected.bytes.end() ? empty_ : it->second;
      EXPECT_TRUE(tiles.bytes[t].equals(want, &where)) << "tile " << t << " differs at 0x" << std::hex << where;
    }
    EXPECT_EQ(tiles.tokens, expected.tokens);
  }
  /// Lets what is under way in the model NoC arrive.
  void settle_noc() { ticks(noc_latency + 200); }

  Clocked<Vdma_test_dut> dut;
  AxiMemory mem;
  TileSpaces tiles;
  std::vector<std::pair<uint64_t, uint32_t>> starts;
  std::map<unsigned, std::deque<std::pair<uint64_t, Flit>>> to_tile;
  std::deque<std::pair<uint64_t, Flit>> to_host;
  std::vector<std::pair<uint64_t, unsigned>> arrivals;  // cycle, tile: of written flits
  unsigned noc_latency = 5, done = 0, error = 0;
  double noc_stall = 0;
  bool host_shown = false;
  std::mt19937_64 rng{1};
  std::function<void(unsigned tile, const Flit&)> on_write;
  std::set<unsigned> mute;  // tiles that do not answer a FlitRead before answer()
  std::optional<std::pair<unsigned, Flit>> unanswered;

 private:
  void arrive(unsigned tile, const Flit& f) {
    if (f.kind == FlitKind::kWrite) {
      for (unsigned i = 0; i < 16; ++i) {
        if (f.strb >> i & 1) tiles.bytes[tile].write(f.addr + i, f.byte(i));
      }
      if (f.token_en) ++tiles.tokens[{tile, f.token}];
      arrivals.push_back({dut.cycle(), tile});
      if (on_write) on_write(tile, f);
      return;
    }
    ASSERT_EQ(f.kind, FlitKind::kRead);
    EXPECT_FALSE(unanswered) << "a second FlitRead before the answer to the first";
    unanswered = {tile, f};
    if (mute.count(tile) == 0) answer();
  }

 public:
  /// The tile answers the FlitRead it holds.
  void answer() {
    const auto [tile, f] = *unanswered;
    unanswered.reset();
    const unsigned len = f.data[0] & 0xFFFF;
    ASSERT_LE(len, 4096u);
    const unsigned flits = len == 0 ? 1 : (len + 15) / 16;
    for (unsigned n = 0; n < flits; ++n) {
      Flit r;
      r.host = true;
      r.kind = FlitKind::kResp;
      r.addr = 16 * n;
      r.token_en = n + 1 == flits;
      for (unsigned i = 0; i < 16 && 16 * n + i < len; ++i) {
        r.strb |= static_cast<uint16_t>(1u << i);
        r.set_byte(i, tiles.bytes[tile].read(f.addr + 16 * n + i));
      }
      to_host.push_back({dut.cycle() + noc_latency, r});
    }
  }

 private:
  SparseMemory empty_;
};

}  // namespace ohmac::tb
