// SPDX-License-Identifier: Apache-2.0
// Random programs on the Verilated tile, with the macro of the models and all its noise at the pins, against the golden
// tile: SRAM, flits, exact counters, drives and status are equal bit for bit, whatever the back-pressure; without
// back-pressure cycles agree too.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <deque>

#include "Vgolden_lockstep_test_dut.h"
#include "tb/common/clocked.h"
#include "tb/common/flit.h"
#include "tb/common/random_program.h"
#include "tb/unit/golden/program.h"

namespace ohmac::test {
namespace {

using golden::TileStop;
using tb::RandomOptions;
using tb::RandomProgram;

PinsIn unpack(uint64_t p) {
  const auto bits = [p](unsigned lsb, unsigned width) {
    return static_cast<uint32_t>(p >> lsb & ((uint64_t{1} << width) - 1));
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

tb::Flit to_rtl(const golden::Flit& f) {
  tb::Flit o;
  o.kind = static_cast<tb::FlitKind>(f.kind);
  o.token_en = f.token_en;
  o.token = f.token;
  o.addr = f.addr;
  o.strb = f.strb;
  std::memcpy(o.data.data(), f.data, 16);
  return o;
}

/// The tile as tile 0 of a chip, with its clock gate. `stall`: percent of cycles in which a flit is held back, either
/// way.
class RtlTile {
 public:
  RtlTile(const Macro& m, uint32_t stall, uint64_t seed) : macro(m), stall_(stall), rng_(seed) {
    dut_->start_i = 0;
    dut_->noc_i_valid = 0;
    dut_->noc_o_ready = 1;
    dut_->mesh_x_i = 2;
    dut_->cmp_i = 0;
    dut_->cnt_sel_i = 0;
    dut_.reset();
  }
  void cycle() {
    dut_->noc_i_valid = !in_.empty() && (offered_ || !stalls());
    if (dut_->noc_i_valid) tb::pack(in_.front(), dut_->noc_i_flit);
    dut_->noc_o_ready = !stalls();
    dut_.settle();
    if (!dut_->start_i && !dut_->noc_i_valid && !dut_->active_o) return static_cast<void>(++now);
    const uint64_t code = dut_->sar_code_o;
    uint8_t cmp[8] = {};
    int8_t codes[8];
    std::memcpy(codes, &code, 8);
    macro.step(unpack(dut_->pins_o), codes, cmp);
    uint32_t bits = 0;
    for (uint32_t l = 0; l < 8; ++l) bits |= static_cast<uint32_t>(cmp[l]) << l;
    dut_->cmp_i = static_cast<uint8_t>(bits);
    dut_.settle();
    const bool taken = dut_->noc_i_valid && dut_->noc_i_ready;
    offered_ = dut_->noc_i_valid && !taken;
    if (dut_->noc_o_valid && dut_->noc_o_ready) {
      const tb::Flit f = tb::unpack(dut_->noc_o_flit);
      if (f.host)
        sent.push_back(f);
      else
        back_.push_back(f);
    }
    dut_.tick();
    if (taken) in_.pop_front();
    while (!back_.empty()) {
      in_.push_back(back_.front());
      back_.pop_front();
    }
    ++now;
  }
  bool run(uint64_t limit) {
    for (uint64_t n = 0; n < limit; ++n) {
      cycle();
      if (in_.empty() && !dut_->active_o) return true;
    }
    return false;
  }
  void start(uint16_t pc) {
    dut_->start_i = 1;
    dut_->start_pc_i = pc;
    cycle();
    dut_->start_i = 0;
  }
  void push(const tb::Flit& f) { in_.push_back(f); }
  void write(uint32_t addr, const void* bytes, uint16_t strb = 0xFFFF) {
    tb::Flit f;
    f.addr = addr;
    f.strb = strb;
    std::memcpy(f.data.data(), bytes, 16);
    push(f);
  }
  std::vector<uint8_t> read(uint32_t bytes) {
    std::vector<uint8_t> v;
    for (uint32_t a = 0; a < bytes; a += 4096) {
      tb::Flit f;
      f.kind = tb::FlitKind::kRead;
      f.addr = a;
      f.data[0] = 4096;
      f.strb = 0xFFFF;
      push(f);
      const size_t first = sent.size();
      run(10000);
      for (size_t i = first; i < sent.size(); ++i)
        for (unsigned b = 0; b < 16; ++b) v.push_back(sent[i].byte(b));
      sent.resize(first);
    }
    return v;
  }
  uint32_t counter(uint32_t i) {
    dut_->cnt_sel_i = static_cast<uint8_t>(i);
    dut_.settle();
    return dut_->cnt_o;
  }
  uint32_t status() const { return dut_->status_o; }

  Macro macro;
  std::vector<tb::Flit> sent;
  uint64_t now = 0;

 private:
  bool stalls() { return stall_ != 0 && rng_() % 100 < stall_; }
  mutable tb::Clocked<Vgolden_lockstep_test_dut> dut_;
  std::deque<tb::Flit> in_, back_;
  bool offered_ = false;
  uint32_t stall_;
  std::mt19937_64 rng_;
};

struct Cycles {
  uint64_t rtl = 0, golden = 0;
};

Cycles compare(const RandomProgram& p, uint32_t stall) {
  MacroConfig mc;
  mc.geometry = p.geometry;
  Macro macro(mc);
  macro.program_cells(0, 0, p.geometry.rows, p.geometry.cols, p.cells.data());

  GoldenTile g(p.geometry, macro);
  std::memcpy(g.sram(), p.sram.data(), p.sram.size());
  for (const auto& [word, value] : p.config) g.write_config(word, value);
  g.start(p.pc);
  for (const golden::Flit& f : p.flits) g.deliver(f);
  const TileStop stop = g.run(uint64_t{1} << 32);
  EXPECT_EQ(stop, p.fault == isa::Fault::kNone ? TileStop::kHalted : TileStop::kFaulted);

  RtlTile r(macro, stall, p.seed);
  for (uint32_t a = 0; a < p.sram.size(); a += 16) r.write(a, &p.sram[a]);
  for (const auto& [word, value] : p.config) {
    uint32_t data[4] = {value, value, value, value};
    r.write(cfg::noc_addr(word & ~3u), data, static_cast<uint16_t>(0xF << (4 * (word % 4))));
  }
  EXPECT_TRUE(r.run(100000));
  std::vector<uint32_t> before;
  for (uint32_t i = 0; i < isa::kNumCounters; ++i) before.push_back(r.counter(i));
  const uint64_t from = r.now;
  r.start(p.pc);
  for (const golden::Flit& f : p.flits) r.push(to_rtl(f));
  EXPECT_TRUE(r.run(5000000)) << "the RTL does not come to rest, status " << std::hex << r.status();
  const Cycles cycles{r.now - from, g.now()};

  const golden::TileStatus s = g.status();
  EXPECT_EQ(r.status() >> 25 & 1, s.running);
  EXPECT_EQ(r.status() >> 24 & 1, s.halted);
  EXPECT_EQ(static_cast<isa::Fault>(r.status() >> 16 & 0xFF), s.fault);
  EXPECT_EQ(s.fault, p.fault);
  if (p.fault == isa::Fault::kNone || p.fault_pc >= 0) {
    EXPECT_EQ(r.status() & 0xFFFF, s.pc);
  }
  if (!p.compare_state) return cycles;
  for (const auto& info : isa::kCounters)
    if (info.exact) {
      EXPECT_EQ(r.counter(info.index) - before[info.index], g.counter(static_cast<isa::Counter>(info.index)))
          << info.name;
    }
  EXPECT_EQ(r.macro.drive_count(), g.macro().drive_count());
  r.macro.flush_trace();
  EXPECT_TRUE(r.macro.protocol_errors().empty()) << r.macro.protocol_errors()[0].rule;
  EXPECT_EQ(r.sent.size(), g.sent().size());
  for (size_t i = 0; i < std::min(r.sent.size(), g.sent().size()); ++i) {
    tb::Flit want = to_rtl(g.sent()[i]);
    want.host = true;
    tb::Flit got = r.sent[i];
    for (unsigned b = 0; b < 16; ++b)  // bytes without strobe are no data
      if ((want.strb >> b & 1) == 0) {
        want.set_byte(b, 0);
        got.set_byte(b, 0);
      }
    EXPECT_TRUE(got == want) << "flit " << i << " to " << std::hex << want.addr;
  }
  const std::vector<uint8_t> sram = r.read(g.sram_bytes());
  EXPECT_EQ(sram.size(), g.sram_bytes());
  uint32_t differences = 0;
  for (uint32_t a = 0; a < sram.size() && differences < 4; ++a)
    if (sram[a] != g.sram()[a]) {
      ++differences;
      ADD_FAILURE() << "SRAM 0x" << std::hex << a << ": rtl " << int{sram[a]} << " golden " << int{g.sram()[a]};
    }
  return cycles;
}

/// Seeds 0..n-1, or OHMAC_COUNT of them; OHMAC_SEED reruns one.
void range(uint64_t n, const RandomOptions& o, bool may_stall) {
  uint64_t first = 0, last = n;
  if (const char* s = std::getenv("OHMAC_COUNT")) last = std::strtoull(s, nullptr, 0);
  if (const char* s = std::getenv("OHMAC_SEED")) last = (first = std::strtoull(s, nullptr, 0)) + 1;
  double worst = 0;
  Cycles sum;
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE("OHMAC_SEED=" + std::to_string(seed));
    const RandomProgram p = tb::random_program(seed, o);
    const uint32_t stall = may_stall ? static_cast<uint32_t>(seed % 4 * 25) : 0;
    const Cycles c = compare(p, stall);
    if (::testing::Test::HasFailure()) {
      std::printf("%s", p.listing().c_str());
      return;
    }
    if (stall == 0) {
      sum.rtl += c.rtl;
      sum.golden += c.golden;
      worst = std::max(worst, std::abs(static_cast<double>(c.golden) / static_cast<double>(c.rtl) - 1));
      if (std::getenv("OHMAC_VERBOSE")) std::printf("seed %3lu rtl %6lu golden %6lu\n", seed, c.rtl, c.golden);
    }
  }
  std::printf("cycles without stalls: rtl %lu, golden %lu (%+.2f %%), worst program %.1f %%\n", sum.rtl, sum.golden,
              100.0 * (static_cast<double>(sum.golden) / static_cast<double>(sum.rtl) - 1), 100 * worst);
}

TEST(Lockstep, RandomPrograms) { range(200, {}, true); }

TEST(Lockstep, FaultyPrograms) {
  RandomOptions o;
  o.faulty = true;
  range(100, o, true);
}

}  // namespace
}  // namespace ohmac::test
