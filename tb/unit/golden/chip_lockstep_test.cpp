// SPDX-License-Identifier: Apache-2.0
// The Verilated chip (tiny geometry, macros with all their noise, AXI memory) against the golden chip through the same registers and
// the same jobs: memory, status, error codes, beats, exact counters are equal; cycles of jobs agree.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "Vgolden_chip_lockstep_test_dut.h"
#include "models/golden/golden_chip.h"
#include "models/systemc/axi_memory.h"
#include "sw/hal/gen/ohmac_csr.h"
#include "tb/common/clocked.h"
#include "tb/unit/golden/job.h"

namespace ohmac::test {
namespace {

using golden::ChipConfig;
using golden::GoldenChip;

constexpr uint64_t kMemoryBytes = 1 << 17;

PinsIn unpack(const uint32_t* words, uint32_t lsb) {
  const auto bits = [&](uint32_t at, uint32_t width) {
    uint64_t v = 0;
    for (uint32_t i = 0; i < width; ++i) v |= uint64_t{words[(lsb + at + i) / 32] >> ((lsb + at + i) % 32) & 1} << i;
    return static_cast<uint32_t>(v);
  };
  PinsIn o;
  o.range = static_cast<uint8_t>(bits(0, 4));
  o.mux_sel = static_cast<uint8_t>(bits(4, 6));
  o.mux_bank = bits(10, 1);
  o.sar_strobe = bits(11, 1);
  o.sample_bank = bits(12, 1);
  o.sample = bits(13, 1);
  o.int_rst = bits(14, 1);
  o.integrate = bits(15, 1);
  o.drive_bank = bits(16, 1);
  o.drive = bits(17, 1);
  o.row_clr = static_cast<uint8_t>(bits(18, 2));
  o.row_wdata = bits(20, 32);
  o.row_addr = static_cast<uint8_t>(bits(52, 8));
  o.row_bank = bits(60, 1);
  o.row_we = bits(61, 1);
  return o;
}

class RtlChip {
 public:
  explicit RtlChip(const std::vector<Macro>& macros) : macros_(macros), memory_(AxiMemory::Config{kBase, kMemoryBytes}) {
    set_axi(memory_.out());
    dut_->s_axil_awvalid = dut_->s_axil_wvalid = dut_->s_axil_arvalid = 0;
    dut_->s_axil_bready = dut_->s_axil_rready = 1;
    dut_->s_axil_wstrb = 0xF;
    dut_->cmp_i = 0;
    dut_->rst_ni = 1;  // flops behind a stopped clock gate need the falling edge of reset, not its level
    dut_.settle();
    dut_.reset();
  }
  void cycle() {
    dut_.settle();
    AxiMasterOut m;
    m.awvalid = dut_->m_axi_awvalid;
    m.awaddr = dut_->m_axi_awaddr;
    m.awlen = dut_->m_axi_awlen;
    m.wvalid = dut_->m_axi_wvalid;
    m.wlast = dut_->m_axi_wlast;
    m.wstrb = dut_->m_axi_wstrb;
    for (uint32_t i = 0; i < 4; ++i) m.wdata[i] = dut_->m_axi_wdata[i];
    m.bready = dut_->m_axi_bready;
    m.arvalid = dut_->m_axi_arvalid;
    m.araddr = dut_->m_axi_araddr;
    m.arlen = dut_->m_axi_arlen;
    m.rready = dut_->m_axi_rready;
    uint32_t cmp_bits = 0;
    for (uint32_t t = 0; t < 2; ++t) {
      int8_t codes[8];
      for (uint32_t l = 0; l < 8; ++l) codes[l] = static_cast<int8_t>(dut_->sar_code_o[2 * t + l / 4] >> (8 * (l % 4)));
      uint8_t cmp[8] = {};
      macros_[t].step(unpack(&dut_->pins_o[0], 62 * t), codes, cmp);
      for (uint32_t l = 0; l < 8; ++l) cmp_bits |= static_cast<uint32_t>(cmp[l]) << (8 * t + l);
    }
    dut_->cmp_i = static_cast<uint16_t>(cmp_bits);
    dut_.tick();
    set_axi(memory_.posedge(m));
    dut_.settle();
    ++now;
  }
  uint32_t csr_read(uint32_t addr) {
    dut_->s_axil_araddr = addr;
    dut_->s_axil_arvalid = 1;
    uint32_t v = 0;
    for (uint32_t n = 0; n < 100; ++n) {
      dut_.settle();
      const bool taken = dut_->s_axil_arvalid && dut_->s_axil_arready, done = dut_->s_axil_rvalid;
      if (done) v = dut_->s_axil_rdata;
      cycle();
      if (taken) dut_->s_axil_arvalid = 0;
      if (done) return v;
    }
    ADD_FAILURE() << "no answer to a read";
    return 0;
  }
  void csr_write(uint32_t addr, uint32_t value) {
    dut_->s_axil_awaddr = addr;
    dut_->s_axil_wdata = value;
    dut_->s_axil_awvalid = dut_->s_axil_wvalid = 1;
    for (uint32_t n = 0; n < 100; ++n) {
      dut_.settle();
      const bool aw = dut_->s_axil_awvalid && dut_->s_axil_awready, w = dut_->s_axil_wvalid && dut_->s_axil_wready, done = dut_->s_axil_bvalid;
      cycle();
      if (aw) dut_->s_axil_awvalid = 0;
      if (w) dut_->s_axil_wvalid = 0;
      if (done) return;
    }
    ADD_FAILURE() << "no answer to a write";
  }
  bool run(uint64_t max_cycles) {
    for (uint64_t n = 0; n < max_cycles && !dut_->irq_o; ++n) cycle();
    return dut_->irq_o;
  }
  uint8_t* memory() { return memory_.data(); }
  uint64_t cycle_count() const { return now; }
  Macro& macro(uint32_t i) { return macros_[i]; }
  uint64_t now = 0;

 private:
  void set_axi(const AxiSlaveOut& i) {
    dut_->m_axi_awready = i.awready;
    dut_->m_axi_wready = i.wready;
    dut_->m_axi_bvalid = i.bvalid;
    dut_->m_axi_bresp = i.bresp;
    dut_->m_axi_bid = 0;
    dut_->m_axi_arready = i.arready;
    dut_->m_axi_rvalid = i.rvalid;
    dut_->m_axi_rresp = i.rresp;
    dut_->m_axi_rlast = i.rlast;
    dut_->m_axi_rid = 0;
    for (uint32_t w = 0; w < 4; ++w) dut_->m_axi_rdata[w] = i.rdata[w];
  }
  std::vector<Macro> macros_;
  AxiMemory memory_;
  tb::Clocked<Vgolden_chip_lockstep_test_dut> dut_;
};

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
    rtl = std::make_unique<RtlChip>(macros);
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
    const std::vector<uint32_t> words = encode(job);
    store(kJob, words.data(), 4 * words.size());
    set_wide(CSR(job_addr_lo), kJob);
    write(CSR(doorbell), 1);
    const uint64_t r0 = rtl->now, g0 = gold->cycle();
    EXPECT_TRUE(gold->run(1000000));
    EXPECT_TRUE(rtl->run(1000000));
    const std::pair<uint64_t, uint64_t> cycles{rtl->now - r0, gold->cycle() - g0};
    for (uint32_t n = 0; n < 200; ++n) {  // tiles come to rest
      gold->csr_read(CSR(id));
      rtl->csr_read(CSR(id));
    }
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
          ADD_FAILURE() << "memory +0x" << std::hex << a << " rtl " << int{rtl->memory()[a]} << " golden " << int{gold->memory()[a]};
          break;
        }
    }
    write(CSR(irq_cause), 0xF);
    return cycles;
  }
  void both(uint32_t addr, const char* name) { EXPECT_EQ(rtl->csr_read(addr), gold->csr_read(addr)) << name; }

  std::vector<Macro> macros;
  std::unique_ptr<GoldenChip> gold;
  std::unique_ptr<RtlChip> rtl;
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
      load.push_back({.op = isa::DmaOp::kM2t, .tile = t, .len = static_cast<uint32_t>(p.bytes.size()), .mem = at, .tile_addr = p.addr});
      at += (p.bytes.size() + 15) / 16 * 16;
    }
  load.push_back({});
  const auto l = run(load);
  const auto c = run(mlp.job());
  std::printf("load: rtl %lu golden %lu; %u images: rtl %lu golden %lu (%+.2f %%)\n", l.first, l.second, mlp.images, c.first, c.second,
              100.0 * (static_cast<double>(c.second) / static_cast<double>(c.first) - 1));
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
  run({{.op = isa::DmaOp::kM2t, .tile = 0, .len = 16384, .mem = kIn, .tile_addr = 0}, {.op = isa::DmaOp::kM2t, .tile = 1, .len = 16384, .mem = kIn, .tile_addr = 0}, {}});
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
  std::printf("random jobs: rtl %lu golden %lu (%+.2f %%)\n", r, g, 100.0 * (static_cast<double>(g) / static_cast<double>(r) - 1));
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
      {with([](Desc* d) { d->op = DmaOp::kT2m, d->tile_addr = 0x3FF0, d->len = 64, d->mem = kOut; }), {}},  // the tile answers empty
      {good, {}}};
  for (size_t i = 0; i < jobs.size() && !HasFailure(); ++i) {
    SCOPED_TRACE("job " + std::to_string(i));
    run(jobs[i], false);
  }
}

}  // namespace
}  // namespace ohmac::test
