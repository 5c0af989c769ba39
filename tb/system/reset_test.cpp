// SPDX-License-Identifier: Apache-2.0
// Reset at any time: it falls between two clock edges while the chip is brought up, computes or is aborted, under
// random stalls, and the chip then works as after power-on. Tiny geometry, AXI rules bound to both ports, random
// power-on values of what has no reset.
#include <gtest/gtest.h>

#include <cstdio>

#ifdef OHMAC_UNRESET  // the chip with a fault that this test must find
#include "Vchip_tiny_unreset.h"
using TestedChip = Vchip_tiny_unreset;
#else
#include "Vchip_tiny_checked.h"
using TestedChip = Vchip_tiny_checked;
#endif
#include "tb/unit/golden/tiny_chip.h"

namespace ohmac::test {
namespace {

constexpr uint32_t kImages = 4, kPoints = 400;

class Reset : public TinyChip<TestedChip> {
 protected:
  Reset() : TinyChip(kImages) {}
  /// Carries out f one cycle at a time; false if the budget of cycles ends first.
  bool write(uint32_t addr, uint32_t value) {
    chip->begin(true, addr, value);
    while (chip->busy() && budget-- > 0) chip->cycle();
    return !chip->busy();
  }
  bool job(const std::vector<Desc>& j) {
    const std::vector<uint32_t> words = encode(j);
    std::memcpy(at(kJob), words.data(), 4 * words.size());
    if (!write(CSR(irq_cause), 0xF) || !write(CSR(job_addr_lo), kJob & 0xFFFFFFFF) ||
        !write(CSR(job_addr_hi), kJob >> 32) || !write(CSR(doorbell), 1)) {
      return false;
    }
    while (!chip->irq() && budget-- > 0) chip->cycle();
    return chip->irq();
  }
  /// Windows, outbox, load, inference: as the firmware does it. False if `budget` ended before.
  bool work() {
    std::memcpy(at(kIn), mlp.input.data(), mlp.input.size());
    std::vector<Desc> load;
    uint64_t from = kBase + 0xC000;
    for (uint32_t t = 0; t < 2; ++t) {
      for (const Piece& p : mlp.pieces[t]) {
        std::memcpy(at(from), p.bytes.data(), p.bytes.size());
        load.push_back({.op = isa::DmaOp::kM2t,
                        .tile = t,
                        .len = static_cast<uint32_t>(p.bytes.size()),
                        .mem = from,
                        .tile_addr = p.addr});
        from += (p.bytes.size() + 15) / 16 * 16;
      }
    }
    // Read back what was loaded, so that reset meets T2M as well.
    load.push_back({.op = isa::DmaOp::kT2m, .tile = 1, .len = 0x200, .mem = kOut + 0x1000, .tile_addr = 0});
    load.push_back({});
    return write(CSR(window), kBase & 0xFFFFFFFF) && write(CSR(window) + 4, kBase >> 32) &&
           write(CSR(window) + 8, kMemoryBytes) && write(CSR(window) + 12, 3) && write(CSR(irq_enable), 3) &&
           write(CSR(out_base_lo), kOut & 0xFFFFFFFF) && write(CSR(out_base_hi), kOut >> 32) && job(load) &&
           job(mlp.job());
  }
  void expect_fresh() {
    EXPECT_EQ(chip->csr_read(CSR(id)), 0x4F484D43u);
    EXPECT_EQ(chip->csr_read(CSR(cap_chip)) & 0xFF, 2u);
    for (const uint32_t addr :
         {CSR(status), CSR(irq_enable), CSR(irq_cause), CSR(dma_status), CSR(axi_rd_beats), CSR(axi_wr_beats),
          CSR(window), CSR(window) + 8, CSR(window) + 12, CSR(out_base_lo), CSR(tile[0]) + 4, CSR(tile[0]) + 12}) {
      EXPECT_EQ(chip->csr_read(addr), 0u) << "register 0x" << std::hex << addr;
    }
    for (uint32_t t = 0; t < 2; ++t) {
      for (const auto& c : isa::kCounters) {
        chip->csr_write(CSR(cnt_sel), t | static_cast<uint32_t>(c.index) << 8);
        const uint32_t clears = c.exact ? 0 : 16384 / 32 / 4;  // cycles in which a tile clears its SRAM
        EXPECT_LE(chip->csr_read(CSR(cnt_value)), clears) << c.name;
      }
    }
  }
  void expect_results() {
    expect_network();
    for (uint32_t t = 0; t < 2; ++t)
      EXPECT_TRUE(chip->macro(t).protocol_errors().empty()) << chip->macro(t).protocol_errors()[0].rule;
  }
  int64_t budget = 0;
};

TEST_F(Reset, AtAnyTimeLeavesAWorkingChip) {
  const uint64_t seed = tb::test_seed(1);
  std::printf("seed %llu, %u points\n", static_cast<unsigned long long>(seed), kPoints);
  uint32_t cut = 0, finished = 0;
  for (uint32_t n = 0; n < kPoints && !HasFailure(); ++n) {
    const uint64_t s = seed * 100000 + n;
    SCOPED_TRACE("OHMAC_SEED=" + std::to_string(seed) + ", point " + std::to_string(n));
    std::mt19937_64 rng(s);
    if (n % 20 == 0)
      power_on(s, n % 60);  // 0, 20 or 40 % stalls; the other points go on with the chip of the one before
    if (n % 20 == 0) expect_fresh();
    budget = static_cast<int64_t>(rng() % 1500);
    const bool done = work();
    (done ? finished : cut) += 1;
    if (!done && rng() % 8 == 0 && !chip->busy()) {  // reset while an abort drains
      budget = static_cast<int64_t>(rng() % 40);
      write(CSR(ctrl), OHMAC_CSR__CTRL__DMA_ABORT_bm);
    }
    if (rng() % 4 == 0 && !chip->busy()) {  // reset in the middle of a register access
      chip->begin(rng() & 1, CSR(tile[0]) + 8 * (rng() % 2) + 4 * (rng() & 1));
      for (uint64_t i = rng() % 4; i > 0 && chip->busy(); --i) chip->cycle();
    }
    chip->reset(1 + static_cast<uint32_t>(rng() % 12));
    for (uint32_t t = 0; t < 2; ++t) chip->macro(t) = macros[t];  // the macro has no reset pin: its power-on state
    std::memset(at(kOut), 0, 0x2000);
    expect_fresh();
    budget = 200000;
    ASSERT_TRUE(work()) << "the chip hangs after reset";
    EXPECT_EQ(chip->csr_read(CSR(irq_cause)) & 3, 1u);
    expect_results();
  }
  std::printf("%u points in the middle of work, %u after it\n", cut, finished);
  EXPECT_GT(cut, kPoints / 2);
}

}  // namespace
}  // namespace ohmac::test
