// SPDX-License-Identifier: Apache-2.0
// The Verilated chip (tiny geometry, macros with all their noise, AXI memory) against the golden chip through the same
// registers and the same jobs: memory, status, error codes, beats, exact counters are equal; cycles of jobs agree.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "Vchip_tiny_checked.h"
#include "models/golden/golden_chip.h"
#include "models/systemc/verilated_chip.h"
#include "sw/hal/gen/ohmac_csr.h"
#include "tb/common/chip_bench.h"
#include "tb/common/clocked.h"
#include "tb/unit/golden/job.h"

namespace ohmac::test {
namespace {

using golden::ChipConfig;
using golden::GoldenChip;

constexpr uint64_t kMemoryBytes = 1 << 17;

class ChipLockstep : public ::testing::Test {
 protected:
  ChipLockstep() {
    MacroConfig m;
    m.geometry = tiny_geometry();
    for (uint32_t t = 0; t < 2; ++t) {
      m.tile = t;
      macros.emplace_back(m);
    }
  }
  void build() {
    ChipConfig c;
    c.geometry = tiny_geometry();
    c.memory_base = kBase;
    c.memory_bytes = kMemoryBytes;
    gold = std::make_unique<GoldenChip>(c, macros);
    AxiMemory::Config memory;
    memory.base = kBase;
    memory.bytes = kMemoryBytes;
    const auto random = [](VerilatedContext& context) {
      context.randReset(2);
      context.randSeed(static_cast<int>(tb::test_seed(1)));
    };
    rtl = std::make_unique<tb::ChipBench>(std::make_unique<VerilatedChip<Vchip_tiny_checked>>(tiny_geometry(), random),
                                          macros, memory);
    window(0, kBase, 1 << 16, 3);
    write(CSR(irq_enable), 3);
    set_wide(CSR(out_base_lo), kOut);
  }
  void write(uint32_t addr, uint32_t v) {
    gold->csr_write(addr, v);
    rtl->csr_write(addr, v);
  }
  void set_wide(uint32_t lo, uint64_t v) {
    write(lo, static_cast<uint32_t>(v));
    write(lo + 4, static_cast<uint32_t>(v >> 32));
  }
  void window(uint32_t i, uint64_t base, uint32_t size, uint32_t attr) {
    const uint32_t w = CSR(window) + 16 * i;
    set_wide(w, base);
    write(w + 8, size);
    write(w + 12, attr);
  }
  void store(uint64_t addr, const void* data, size_t bytes) {
    std::memcpy(gold->memory() + (addr - kBase), data, bytes);
    std::memcpy(rtl->memory() + (addr - kBase), data, bytes);
  }
  /// Runs a job on both; compares everything software can see. Returns cycles of the job, {rtl, golden}.
  std::pair<uint64_t, uint64_t> run(const std::vector<Desc>& job, bool exact_memory = true) {
    ring(job, kJob);
    const uint64_t r0 = rtl->now(), g0 = gold->cycle();
    EXPECT_TRUE(gold->run(1000000));
    EXPECT_TRUE(rtl->run(1000000));
    const std::pair<uint64_t, uint64_t> cycles{rtl->now() - r0, gold->cycle() - g0};
    compare(exact_memory);
    return cycles;
  }
  void ring(const std::vector<Desc>& job, uint64_t at) {
    const std::vector<uint32_t> words = encode(job);
    store(at, words.data(), 4 * words.size());
    set_wide(CSR(job_addr_lo), at);
    write(CSR(doorbell), 1);
  }
  /// Until every job that was taken has ended.
  void finish() {
    const auto open = [](uint32_t jobs) { return (jobs & 0xFF) != ((jobs >> 8 & 0xFF) + (jobs >> 16 & 0xFF)) % 256; };
    uint32_t polls = 0;
    while (open(gold->csr_read(CSR(jobs)))) ASSERT_LT(++polls, 100000u);
    while (open(rtl->csr_read(CSR(jobs)))) ASSERT_LT(++polls, 200000u);
  }
  /// Everything that software sees of two chips at rest.
  void compare(bool exact_memory) {
    for (uint32_t n = 0; n < 200; ++n) {  // tiles come to rest
      gold->csr_read(CSR(id));
      rtl->csr_read(CSR(id));
    }
    both(CSR(jobs), "jobs");
    both(CSR(irq_cause), "irq_cause");
    both(CSR(dma_status), "dma_status");
    both(CSR(dma_err_lo), "dma_err_lo");
    both(CSR(dma_err_hi), "dma_err_hi");
    both(CSR(status), "status");
    for (uint32_t t = 0; t < 2; ++t) both(CSR(tile[0]) + 8 * t + 4, "tile status");
    if (exact_memory) {
      both(CSR(axi_rd_beats), "rd_beats");
      both(CSR(axi_wr_beats), "wr_beats");
      for (uint32_t t = 0; t < 2; ++t)
        for (const auto& c : isa::kCounters) {
          if (!c.exact) continue;
          write(CSR(cnt_sel), t | static_cast<uint32_t>(c.index) << 8);
          both(CSR(cnt_value), c.name);
        }
      for (uint64_t a = 0; a < kMemoryBytes; ++a)
        if (gold->memory()[a] != rtl->memory()[a]) {
          ADD_FAILURE() << "memory +0x" << std::hex << a << " rtl " << int{rtl->memory()[a]} << " golden "
                        << int{gold->memory()[a]};
          break;
        }
    }
    write(CSR(irq_cause), 0xF);
  }
  void both(uint32_t addr, const char* name) { EXPECT_EQ(rtl->csr_read(addr), gold->csr_read(addr)) << name; }

  std::vector<Macro> macros;
  std::unique_ptr<GoldenChip> gold;
  std::unique_ptr<tb::ChipBench> rtl;
};

TEST_F(ChipLockstep, PipelinedMlp) {
  const Mlp mlp(48);
  for (uint32_t t = 0; t < 2; ++t) mlp.program(macros[t], t);
  build();
  store(kIn, mlp.input.data(), mlp.input.size());
  // Programs, constants and configuration by DMA.
  std::vector<Desc> load;
  uint64_t at = kBase + 0xC000;
  for (uint32_t t = 0; t < 2; ++t)
    for (const Piece& p : mlp.pieces[t]) {
      store(at, p.bytes.data(), p.bytes.size());
      load.push_back({.op = isa::DmaOp::kM2t,
                      .tile = t,
                      .len = static_cast<uint32_t>(p.bytes.size()),
                      .mem = at,
                      .tile_addr = p.addr});
      at += (p.bytes.size() + 15) / 16 * 16;
    }
  load.push_back({});
  const auto l = run(load);
  const auto c = run(mlp.job());
  std::printf("load: rtl %lu golden %lu; %u images: rtl %lu golden %lu (%+.2f %%)\n", l.first, l.second, mlp.images,
              c.first, c.second, 100.0 * (static_cast<double>(c.second) / static_cast<double>(c.first) - 1));
  EXPECT_NEAR(static_cast<double>(c.second), static_cast<double>(c.first), 0.02 * static_cast<double>(c.first));
}

TEST_F(ChipLockstep, RandomJobs) {
  build();
  std::mt19937_64 rng(tb::test_seed(1));
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(rng() % n); };
  std::vector<uint8_t> data(0x4000);
  for (uint8_t& b : data) b = static_cast<uint8_t>(rng());
  store(kIn, data.data(), data.size());
  // Known tile memories, or T2M would read what the RTL's SRAM happened to hold.
  run({{.op = isa::DmaOp::kM2t, .tile = 0, .len = 16384, .mem = kIn, .tile_addr = 0},
       {.op = isa::DmaOp::kM2t, .tile = 1, .len = 16384, .mem = kIn, .tile_addr = 0},
       {}});
  uint64_t r = 0, g = 0;
  for (uint32_t n = 0; n < 60 && !HasFailure(); ++n) {
    SCOPED_TRACE("job " + std::to_string(n));
    std::vector<Desc> job;
    const auto move = [&](bool repeated) {
      Desc d;
      d.op = below(2) ? isa::DmaOp::kM2t : isa::DmaOp::kT2m;
      d.tile = below(2);
      d.len = 1 + below(below(3) ? 300 : 5000);
      d.mem = (d.op == isa::DmaOp::kM2t ? kIn : kOut) + 16 * below(400);
      d.tile_addr = 0x1000 + 16 * below(300);
      if (d.op == isa::DmaOp::kM2t && below(4) == 0) d.sig_token = static_cast<int>(below(16));
      if (repeated) {
        d.len = 1 + below(200);
        d.mem_stride = 16 * static_cast<int32_t>(below(16));
        d.tile_stride = 16 * below(16);
        d.tile_slots = below(4);
      }
      return d;
    };
    const uint32_t parts = 1 + below(5);
    for (uint32_t i = 0; i < parts; ++i) {
      if (below(3) == 0) {
        const uint32_t k = 1 + below(4);
        job.push_back({.op = isa::DmaOp::kRepeat, .len = 1 + below(5), .repeat = k});
        for (uint32_t j = 0; j < k; ++j) job.push_back(move(true));
      } else {
        job.push_back(move(false));
      }
    }
    job.push_back({});
    const auto c = run(job);
    r += c.first;
    g += c.second;
  }
  std::printf("random jobs: rtl %lu golden %lu (%+.2f %%)\n", r, g,
              100.0 * (static_cast<double>(g) / static_cast<double>(r) - 1));
}

TEST_F(ChipLockstep, Capabilities) {
  build();
  both(CSR(id), "id");
  both(CSR(version), "version");
  both(CSR(cap_chip), "cap_chip");
  both(CSR(cap_array), "cap_array");
  both(CSR(cap_adc), "cap_adc");
  both(CSR(cap_sram), "cap_sram");
  both(CSR(cap_repair), "cap_repair");
  EXPECT_EQ(rtl->csr_read(CSR(cap_repair)), tiny_geometry().spares);
}

/// Sends itself, 16 bytes at 0x20 of tile 0, to the start of the outbox, with token 0.
std::vector<uint8_t> sender() {
  const uint64_t code[] = {isa::send::make(op(0, 2), isa::kHostTile, op(0), 16, 1, 0), isa::halt::make()};
  std::vector<uint8_t> v(16);
  std::memcpy(v.data(), code, 16);
  return v;
}

// The second job waits for the first one and writes to the outbox that its own doorbell found; a third doorbell is
// lost.
TEST_F(ChipLockstep, TwoJobs) {
  build();
  store(kIn, sender().data(), 16);
  const std::vector<Desc> job{{.op = isa::DmaOp::kM2t, .tile = 0, .len = 16, .mem = kIn, .tile_addr = 0x20},
                              {.op = isa::DmaOp::kStart, .tile_addr = 4, .mask = 1},
                              {.op = isa::DmaOp::kWait, .wait_token = 0},
                              {}};
  const std::vector<Desc> bad{{.op = isa::DmaOp::kM2t, .tile = 0, .len = 0, .mem = kIn, .tile_addr = 0x20}};
  set_wide(CSR(out_base_lo), kOut);
  ring(job, kJob);
  set_wide(CSR(out_base_lo), kOut + 0x100);
  ring(job, kJob + 0x400);
  both(CSR(status), "status");
  EXPECT_EQ(rtl->csr_read(CSR(status)) & OHMAC_CSR__STATUS__JOB_QUEUED_bm, OHMAC_CSR__STATUS__JOB_QUEUED_bm);
  set_wide(CSR(out_base_lo), kOut + 0x200);
  ring(bad, kJob + 0x800);
  finish();
  compare(true);
  EXPECT_EQ(rtl->csr_read(CSR(jobs)), 0x0202u);
  for (const uint32_t at : {0u, 0x100u})
    EXPECT_EQ(std::memcmp(rtl->memory() + (kOut - kBase) + at, sender().data(), 16), 0) << at;
  // A failed job does not keep the next one; the status tells of the first error.
  ring(bad, kJob);
  ring(job, kJob + 0x400);
  finish();
  compare(false);
  EXPECT_EQ(rtl->csr_read(CSR(jobs)), 0x010304u);
  EXPECT_EQ(rtl->csr_read(CSR(dma_status)), 4u | 3u << 8);
  ring(job, kJob);
  ring(bad, kJob + 0x400);
  finish();
  compare(false);
  EXPECT_EQ(rtl->csr_read(CSR(jobs)), 0x020406u);
  EXPECT_EQ(rtl->csr_read(CSR(dma_status)), 4u | 6u << 8);
  // Both misaligned: one after the other.
  for (int i = 0; i < 2; ++i) {
    set_wide(CSR(job_addr_lo), kJob + 16);
    write(CSR(doorbell), 1);
  }
  finish();
  compare(false);
  EXPECT_EQ(rtl->csr_read(CSR(jobs)), 0x040408u);
}

TEST_F(ChipLockstep, AbortDropsTheQueuedJob) {
  build();
  const std::vector<Desc> stuck{{.op = isa::DmaOp::kWait, .wait_token = 3}, {}};
  ring(stuck, kJob);
  ring({{}}, kJob + 0x400);
  write(CSR(ctrl), 1);
  finish();
  compare(false);
  EXPECT_EQ(rtl->csr_read(CSR(jobs)), 0x020002u);
  ring({{}}, kJob);  // refused
  both(CSR(jobs), "jobs");
  write(CSR(ctrl), 0);
  ring({{}}, kJob);
  finish();
  compare(false);
  EXPECT_EQ(rtl->csr_read(CSR(jobs)), 0x020103u);
}

TEST_F(ChipLockstep, RandomQueue) {
  build();
  std::mt19937_64 rng(tb::test_seed(1));
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(rng() % n); };
  std::vector<uint8_t> data(0x4000);
  for (uint8_t& b : data) b = static_cast<uint8_t>(rng());
  store(kIn, data.data(), data.size());
  for (uint32_t n = 0; n < 100 && !HasFailure(); ++n) {
    SCOPED_TRACE("pair " + std::to_string(n));
    bool failing = false;
    for (uint32_t j = 0; j < 2; ++j) {
      std::vector<Desc> job;
      for (uint32_t i = below(4); i != 0; --i) {
        Desc d;
        d.op = below(2) ? isa::DmaOp::kM2t : isa::DmaOp::kT2m;
        d.tile = below(2);
        d.len = 1 + below(600);
        d.mem = (d.op == isa::DmaOp::kM2t ? kIn : kOut) + 16 * below(400);
        d.tile_addr = 0x1000 + 16 * below(300);
        if (below(8) == 0) d.len = 0;
        if (below(8) == 0) d.tile = 2;
        failing |= d.len == 0 || d.tile == 2;
        job.push_back(d);
      }
      job.push_back({});
      ring(job, kJob + 0x1000 * j);
      for (uint32_t i = below(60); i != 0; --i) {
        gold->csr_read(CSR(id));
        rtl->csr_read(CSR(id));
      }
    }
    finish();
    both(CSR(jobs), "jobs");
    // Whether the second doorbell still found a job may differ, so what it cleared, too.
    if (!failing) compare(true);
    write(CSR(irq_cause), 0xF);
  }
}

TEST_F(ChipLockstep, StopAndClear) {
  build();
  const uint64_t code[] = {isa::signal::make(kSeq, 5, 7), isa::wait::make(kMvm, 1, 1), isa::wait::make(kSeq, 2, 1),
                           isa::wait::make(kSeq, 5, 7),   isa::halt::make(),           0};
  store(kIn, code, sizeof code);
  const uint32_t ctrl = CSR(tile[0]) + 8, status = ctrl + 4;
  run({{.op = isa::DmaOp::kM2t, .tile = 1, .len = sizeof code, .mem = kIn, .tile_addr = 0},
       {.op = isa::DmaOp::kStart, .mask = 2},
       {}});
  both(status, "running");
  EXPECT_EQ(rtl->csr_read(status), 1u | 2u << 16);
  const uint32_t start = TILE_RF__CTRL__START_bm, stop = TILE_RF__CTRL__STOP_bm, clear = TILE_RF__CTRL__CLEAR_bm;
  write(ctrl, clear);  // ignored: it runs
  both(status, "running");
  write(ctrl, stop);
  compare(true);
  EXPECT_EQ(rtl->csr_read(status), 2u | 9u << 8 | 2u << 16);
  write(ctrl, start | 3);  // token 5 is still there
  compare(true);
  EXPECT_EQ(rtl->csr_read(status), 2u | 4u << 16);
  write(ctrl, stop);  // does not run: nothing
  compare(true);
  write(ctrl, start | 0);
  compare(true);
  write(ctrl, stop);
  compare(true);
  write(ctrl, clear | start | 3);  // clear first: now the token lacks
  compare(true);
  EXPECT_EQ(rtl->csr_read(status), 1u | 3u << 16);
  write(ctrl, stop);
  compare(true);
  write(ctrl, clear);
  compare(true);
  EXPECT_EQ(rtl->csr_read(status), 2u | 3u << 16);
}

TEST_F(ChipLockstep, Errors) {
  build();
  window(1, 0x1000, 0x1000, 3);
  window(2, kBase + 0x10000, 0x100, 2);
  using isa::DmaOp;
  const Desc good{.op = DmaOp::kM2t, .tile = 0, .len = 16, .mem = kIn, .tile_addr = 0x100};
  const auto with = [&](void (*change)(Desc*)) {
    Desc d = good;
    change(&d);
    return d;
  };
  const std::vector<std::vector<Desc>> jobs{
      {good, with([](Desc* d) { d->op = static_cast<DmaOp>(6); })},
      {with([](Desc* d) { d->len = 0; })},
      {with([](Desc* d) { d->mem += 8; })},
      {with([](Desc* d) { d->tile_addr += 4; })},
      {good, good, with([](Desc* d) { d->tile = 2; })},
      {{.op = DmaOp::kStart, .mask = 4}},
      {{.op = DmaOp::kRepeat, .len = 1, .repeat = 0}},
      {{.op = DmaOp::kRepeat, .len = 1, .repeat = 9}},
      {{.op = DmaOp::kRepeat, .len = 2, .repeat = 2}, good, {}},
      {{.op = DmaOp::kRepeat, .len = 2, .repeat = 1}, with([](Desc* d) { d->mem_stride = 8; })},
      {with([](Desc* d) { d->mem = kBase + 0xFF00, d->len = 512; }), {}},
      {good, with([](Desc* d) { d->mem = kBase + 0x10000; }), {}},
      {with([](Desc* d) { d->mem = 0x1000; }), {}},
      {with([](Desc* d) { d->op = DmaOp::kT2m, d->mem = 0x1100; }), {}},
      {with([](Desc* d) { d->op = DmaOp::kT2m, d->mem = kBase + 0x20000; }), {}},
      {with([](Desc* d) { d->op = DmaOp::kT2m, d->tile_addr = 0x3FF0, d->len = 64, d->mem = kOut; }),
       {}},  // the tile answers empty
      {good, {}}};
  for (size_t i = 0; i < jobs.size() && !HasFailure(); ++i) {
    SCOPED_TRACE("job " + std::to_string(i));
    run(jobs[i], false);
  }
}

}  // namespace
}  // namespace ohmac::test
