// SPDX-License-Identifier: Apache-2.0
// Traps on the whole chip: a tile stops, the other one works on; a job fails, the next one runs; recovery without reset
// at any time. Tiny geometry, two tiles, AXI rules bound to both ports. Expected results: the integer network in
// tb/unit/golden/job.h; expected counters: those of a run without any fault.
#include <gtest/gtest.h>

#include <cstdio>

#include "Vchip_tiny_checked.h"
#include "tb/unit/golden/tiny_chip.h"

namespace ohmac::test {
namespace {

constexpr uint32_t kImages = 6;
constexpr uint64_t kJob2 = kBase + 0x1000, kPieces = kBase + 0xC000;

class ChipTraps : public TinyChip<Vchip_tiny_checked> {
 protected:
  ChipTraps() : TinyChip(kImages) {}
  void power_on(uint64_t seed, uint32_t stall = 0) {
    TinyChip::power_on(seed, stall);
    std::memcpy(at(kIn), mlp.input.data(), mlp.input.size());
    // Twice the memory: what lies behind it answers DECERR.
    write(CSR(window), kBase & 0xFFFFFFFF);
    write(CSR(window) + 8, 2 * kMemoryBytes);
    write(CSR(window) + 12, 3);
    write(CSR(out_base_lo), kOut & 0xFFFFFFFF);
  }
  void write(uint32_t addr, uint32_t value) { chip->csr_write(addr, value); }
  uint32_t read(uint32_t addr) { return chip->csr_read(addr); }
  uint32_t tile_status(uint32_t t) { return read(CSR(tile[0]) + 8 * t + 4); }
  void control(uint32_t t, uint32_t value) { write(CSR(tile[0]) + 8 * t, value); }
  static constexpr uint32_t kStart = 1 << 16, kStop = 1 << 17, kClear = 1 << 18;

  void ring(const std::vector<Desc>& j, uint64_t job_at = kJob) {
    const std::vector<uint32_t> words = encode(j);
    std::memcpy(at(job_at), words.data(), 4 * words.size());
    write(CSR(job_addr_lo), job_at & 0xFFFFFFFF);
    write(CSR(doorbell), 1);
  }
  void finish(uint64_t cycles = 200000) {
    const uint64_t end = chip->now() + cycles;
    while (read(CSR(status)) & 1) ASSERT_LT(chip->now(), end) << "the job hangs";
  }
  std::vector<Desc> load(const std::vector<std::pair<uint32_t, Piece>>& pieces) {
    std::vector<Desc> job;
    uint64_t from = kPieces;
    for (const auto& [tile, p] : pieces) {
      std::memcpy(at(from), p.bytes.data(), p.bytes.size());
      job.push_back({.op = isa::DmaOp::kM2t,
                     .tile = tile,
                     .len = static_cast<uint32_t>(p.bytes.size()),
                     .mem = from,
                     .tile_addr = p.addr});
      from += (p.bytes.size() + 15) / 16 * 16;
    }
    job.push_back({});
    return job;
  }
  void load_network() {
    std::vector<std::pair<uint32_t, Piece>> pieces;
    for (uint32_t t = 0; t < 2; ++t) {
      for (const Piece& p : mlp.pieces[t]) pieces.push_back({t, p});
    }
    ring(load(pieces));
    finish();
  }
  void expect_layer() {
    for (uint32_t i = 0; i < kImages; ++i) {
      int32_t got[8];
      std::memcpy(got, at(kOut + 32 * i), 32);
      for (uint32_t j = 0; j < 8; ++j) {
        int64_t s = 0;
        for (uint32_t k = 0; k < 32; ++k) s += mlp.input[32 * i + k] * mlp.w2[8 * k + j];
        const double code = std::clamp(std::floor(static_cast<double>(s) / (1 << Mlp::kRange2) + 0.5), -128.0, 127.0);
        ASSERT_EQ(got[j], static_cast<int32_t>(code) * 256 + mlp.bias[j]) << "image " << i << " output " << j;
      }
    }
  }
  std::map<std::string, uint32_t> counters(uint32_t tile) {
    std::map<std::string, uint32_t> v;
    for (const auto& c : isa::kCounters) {
      if (!c.exact) continue;
      write(CSR(cnt_sel), tile | static_cast<uint32_t>(c.index) << 8);
      v[c.name] = read(CSR(cnt_value));
    }
    return v;
  }
};

TEST_F(ChipTraps, FaultOfOneTileDoesNotTouchTheOther) {
  struct Case {
    const char* name;
    std::vector<uint64_t> program;
    uint32_t pc;
    isa::Fault fault;  // NONE: tile 0 is not started
    bool stop = false;
  };
  const uint64_t wait = isa::wait::make(kSeq, 9, 1), sum = isa::vec::make(op(5), op(5), op(6), 1, 7);
  const std::vector<Case> cases{
      {"baseline", {isa::halt::make()}, 0, isa::Fault::kNone},
      {"opcode", {isa::nop::make(), isa::kOpcode.put(63)}, 1, isa::Fault::kIllegalInstr},
      {"tile", {isa::send::make(op(0), 2, op(0), 16, 0, 0)}, 0, isa::Fault::kIllegalInstr},
      {"address", {isa::setr::make(0x400, 0)}, 0, isa::Fault::kAddress},
      {"loop", {isa::loop::make(0, 0, 0, 1)}, 0, isa::Fault::kLoop},
      {"tokens", {isa::signal::make(kSeq, 9, 255), isa::signal::make(kSeq, 9, 1), wait}, 2, isa::Fault::kTokenOverflow},
      {"slot", {isa::mvm::make(op(0), op(1), 3)}, 0, isa::Fault::kConfig},
      {"deadlock", {isa::setr::make(cfg::kTrapBase, 1), wait}, 1, isa::Fault::kWatchdog},
      {"overflow", {sum, wait}, 1, isa::Fault::kOverflow},
      {"host", {wait}, 0, isa::Fault::kStopped, true}};
  std::map<std::string, uint32_t> baseline;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    power_on(5);
    // a5 reads 0x7FFFFFFF, a6 is free; vector slot 7 has 8 elements
    std::vector<std::pair<uint32_t, Piece>> pieces{
        {0, Mlp::piece(0, c.program)},
        {0, Mlp::piece(0x3000, std::vector<uint32_t>(8, 0x7FFFFFFF))},
        {0, Mlp::piece(cfg::noc_addr(cfg::kAguBase + 40),
                       std::vector<uint32_t>{0x3000, 0, 0, 0, 0, 0, 0, 0, 0x3100, 0, 0, 0})},
        {0, Mlp::piece(cfg::noc_addr(cfg::kVeccfgBase + 28), std::vector<uint32_t>{8, 0, 0, 0})}};
    for (const Piece& p : mlp.pieces[1]) pieces.push_back({1, p});
    ring(load(pieces));
    finish();
    write(CSR(irq_cause), 0xF);
    ring(mlp.second_layer());
    if (c.fault != isa::Fault::kNone) {
      control(0, kStart);
      if (c.stop) {
        for (int i = 0; i < 100; ++i) chip->cycle();
        EXPECT_EQ(tile_status(0) & 3, 1u);
        control(0, kStop);
      }
      const uint64_t end = chip->now() + 2000;
      while (tile_status(0) & 1) ASSERT_LT(chip->now(), end) << "tile 0 does not stop";
      EXPECT_EQ(tile_status(0), c.pc << 16 | static_cast<uint32_t>(c.fault) << 8 | 2u);
      EXPECT_EQ(read(CSR(irq_cause)) & 0xC, 0xCu);
      write(CSR(irq_enable), 8);
      EXPECT_TRUE(chip->irq());
    }
    finish();
    while (read(CSR(status)) & 2) {
    }
    EXPECT_EQ(read(CSR(irq_cause)) & 3, 1u);
    EXPECT_EQ(tile_status(1) >> 8 & 0xFF, 0u);
    expect_layer();
    const auto now = counters(1);
    if (baseline.empty()) baseline = now;
    EXPECT_EQ(now, baseline);
    if (c.fault != isa::Fault::kNone) {
      control(0, kClear);
      EXPECT_EQ(tile_status(0), c.pc << 16 | 2u);
    }
  }
  EXPECT_EQ(baseline["mvm_ops"], kImages);
}

TEST_F(ChipTraps, JobThatFailsDoesNotHarmTheOneBehindIt) {
  using isa::DmaOp;
  const uint64_t unmapped = kBase + kMemoryBytes, closed = kBase + 4 * kMemoryBytes;
  const std::vector<std::pair<isa::DmaError, Desc>> bad{
      {isa::DmaError::kWindow, {.op = DmaOp::kM2t, .tile = 1, .len = 32, .mem = closed, .tile_addr = 0x2000}},
      {isa::DmaError::kWindow, {.op = DmaOp::kT2m, .tile = 1, .len = 32, .mem = closed, .tile_addr = 0x2000}},
      {isa::DmaError::kAxiRead, {.op = DmaOp::kM2t, .tile = 1, .len = 32, .mem = unmapped, .tile_addr = 0x2000}},
      {isa::DmaError::kAxiWrite, {.op = DmaOp::kT2m, .tile = 1, .len = 32, .mem = unmapped, .tile_addr = 0x2000}},
      {isa::DmaError::kDescriptor, {.op = DmaOp::kM2t, .tile = 2, .len = 32, .mem = kIn, .tile_addr = 0x2000}}};
  for (size_t n = 0; n < bad.size(); ++n) {
    for (const bool bad_first : {true, false}) {
      SCOPED_TRACE(std::to_string(n) + (bad_first ? " first" : " second"));
      power_on(n + 1);
      load_network();
      const std::vector<Desc> fails{{.op = DmaOp::kWait, .wait_token = 0, .wait_count = 0}, bad[n].second, {}};
      write(CSR(irq_cause), 0xF);
      bool seen_busy = false;
      ring(bad_first ? fails : mlp.second_layer());
      ring(bad_first ? mlp.second_layer() : fails, kJob2);
      if (!bad_first) {
        EXPECT_EQ(read(CSR(status)) & 9, 9u) << "one runs, one waits";
      }
      while (read(CSR(status)) & 1) seen_busy |= read(CSR(status)) >> 2 & 1;
      while (read(CSR(status)) & 2) {
      }
      EXPECT_TRUE(seen_busy) << "status.noc_busy";
      EXPECT_EQ(read(CSR(irq_cause)) & 3, 3u) << "one done, one failed";
      EXPECT_EQ(read(CSR(jobs)), 1u << 16 | 2u << 8 | 3u);
      const uint32_t number = bad_first ? 2 : 3;  // the first loaded the network
      EXPECT_EQ(read(CSR(dma_status)), 1u << 16 | number << 8 | static_cast<uint32_t>(bad[n].first));
      expect_layer();
      EXPECT_EQ(tile_status(1) >> 8 & 0xFF, 0u);
      EXPECT_EQ(read(CSR(status)), 0u);
    }
  }
}

// Abort, stop, clear at any time, as the firmware does it; the chip then computes as if nothing had happened.
TEST_F(ChipTraps, RecoversWithoutResetAtAnyTime) {
  const uint64_t seed = tb::test_seed(3);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  uint32_t cut = 0;
  for (uint32_t n = 0; n < 200 && !HasFailure(); ++n) {
    SCOPED_TRACE("OHMAC_SEED=" + std::to_string(seed) + ", point " + std::to_string(n));
    std::mt19937_64 rng(seed * 1000 + n);
    if (n % 20 == 0) {
      power_on(rng(), n % 60);
      load_network();
    }
    std::memset(at(kOut), 0, 0x2000);
    ring(mlp.job());
    if (rng() & 1) ring(mlp.job(), kJob2);
    for (uint64_t i = rng() % 1200; i > 0; --i) chip->cycle();
    const bool running = read(CSR(status)) & 3;
    cut += running;
    // Recovery
    write(CSR(ctrl), 1);
    const uint64_t end = chip->now() + 60000;
    while (read(CSR(status)) & 1) ASSERT_LT(chip->now(), end) << "abort hangs";
    for (uint32_t t = 0; t < 2; ++t) control(t, kStop);
    while (read(CSR(status)) & 6) ASSERT_LT(chip->now(), end) << "the tiles do not come to rest";
    for (uint32_t t = 0; t < 2; ++t) control(t, kClear);
    write(CSR(ctrl), 0);
    write(CSR(irq_cause), 0xF);
    for (uint32_t t = 0; t < 2; ++t) ASSERT_EQ(tile_status(t) & 0xFF01, 0u);
    // AGUs and data as after loading; macros and calibration as they are.
    std::memset(at(kOut), 0, 0x2000);
    load_network();
    ring(mlp.job());
    finish();
    while (read(CSR(status)) & 2) ASSERT_LT(chip->now(), end + 100000) << "a tile does not halt";
    ASSERT_EQ(read(CSR(irq_cause)), 5u);
    expect_network();
    for (uint32_t t = 0; t < 2; ++t) {
      ASSERT_TRUE(chip->macro(t).protocol_errors().empty()) << chip->macro(t).protocol_errors()[0].rule;
    }
  }
  std::printf("%u of 200 points in the middle of work\n", cut);
  EXPECT_GT(cut, 100u);
}

}  // namespace
}  // namespace ohmac::test
