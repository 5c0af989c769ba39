// SPDX-License-Identifier: Apache-2.0
// The Verilated tile as tile 0 of a chip, with its clock gate and the macro of the models at its pins; and programs on
// it, compared with the golden tile.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "models/golden/disasm.h"
#include "tb/common/clocked.h"
#include "tb/common/flit.h"
#include "tb/common/random_program.h"
#include "tb/unit/golden/program.h"

namespace ohmac::test {

/// Takes packed structs of rtl/pkg/ohmac_pkg.sv apart, last field first.
class Unpacker {
 public:
  explicit Unpacker(uint64_t packed) : left_(packed) {}
  template <class T = uint8_t>
  T next(unsigned bits) {
    const uint64_t v = left_ & ((uint64_t{1} << bits) - 1);
    left_ >>= bits;
    return static_cast<T>(v);
  }

 private:
  uint64_t left_;
};

inline PinsIn unpack(uint64_t pins, uint32_t prog) {
  PinsIn o;
  Unpacker p(pins);
  o.range = p.next(4);
  o.mux_sel = p.next(6);
  o.mux_bank = p.next(1) != 0;
  o.sar_strobe = p.next(1) != 0;
  o.sample_bank = p.next(1) != 0;
  o.sample = p.next(1) != 0;
  o.int_rst = p.next(1) != 0;
  o.integrate = p.next(1) != 0;
  o.drive_bank = p.next(1) != 0;
  o.drive = p.next(1) != 0;
  o.row_clr = p.next(2);
  o.row_wdata = p.next<uint32_t>(32);
  o.row_addr = p.next(8);
  o.row_bank = p.next(1) != 0;
  o.row_we = p.next(1) != 0;
  Unpacker g(prog);
  o.prog.repair_clr = g.next(1) != 0;
  o.prog.repair_we = g.next(1) != 0;
  o.prog.pulse = g.next(1) != 0;
  o.prog.amp = g.next(4);
  o.prog.set = g.next(1) != 0;
  o.prog.neg = g.next(1) != 0;
  o.prog.row = g.next<uint16_t>(10);
  o.prog.mask_we = g.next(1) != 0;
  o.prog.en = g.next(1) != 0;
  return o;
}

inline tb::Flit to_rtl(const golden::Flit& f) {
  tb::Flit o;
  o.kind = static_cast<tb::FlitKind>(f.kind);
  o.token_en = f.token_en;
  o.token = f.token;
  o.addr = f.addr;
  o.strb = f.strb;
  std::memcpy(o.data.data(), f.data, 16);
  return o;
}

template <class Dut>
class RtlTile {
 public:
  RtlTile(const Geometry& geometry, const Macro& m, uint64_t seed,
          const std::function<void(VerilatedContext&)>& setup = {})
      : macro(m), dut_(setup), geometry_(geometry), rng_(seed) {
    dut_->start_i = 0;
    dut_->stop_i = 0;
    dut_->clear_i = 0;
    dut_->noc_i_valid = 0;
    dut_->noc_o_ready = 1;
    dut_->mesh_x_i = geometry.mesh_x;
    dut_->tiles_i = geometry.tiles();
    dut_->cmp_i = 0;
    dut_->cnt_sel_i = 0;
    reset();
  }
  /// Percent of cycles in which a flit is held back, either way.
  void set_stall(uint32_t percent) { stall_ = percent; }

  void cycle() {
    dut_->noc_i_valid = !in_.empty() && (offered_ || !stalls());
    if (dut_->noc_i_valid) tb::pack(in_.front(), dut_->noc_i_flit);
    dut_->noc_o_ready = !stalls();
    dut_.settle();
    ++now;
    if (!dut_->start_i && !dut_->stop_i && !dut_->clear_i && !dut_->noc_i_valid && !dut_->active_o) return;
    step_macro();
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
  }
  /// Until the tile rests; false after `limit` cycles.
  bool run(uint64_t limit) {
    for (uint64_t n = 0; n < limit; ++n) {
      cycle();
      if (resting()) return true;
    }
    return false;
  }
  bool resting() const { return in_.empty() && !dut_->active_o; }
  void start(uint16_t pc) {
    dut_->start_pc_i = pc;
    pulse(&dut_->start_i);
  }
  void stop() { pulse(&dut_->stop_i); }
  void clear() { pulse(&dut_->clear_i); }
  /// At once, between two edges; flits under way are forgotten.
  void reset() {
    in_.clear();
    back_.clear();
    sent.clear();
    offered_ = false;
    dut_->noc_i_valid = 0;
    dut_->rst_ni = 0;
    for (int i = 0; i < 3; ++i) {
      dut_.settle();
      step_macro();
      dut_.tick();
    }
    dut_->rst_ni = 1;
    dut_.settle();
  }

  void push(const tb::Flit& f) { in_.push_back(f); }
  void write(uint32_t addr, const void* bytes, uint16_t strb = 0xFFFF) {
    tb::Flit f;
    f.addr = addr;
    f.strb = strb;
    std::memcpy(f.data.data(), bytes, 16);
    push(f);
  }
  void write_config(uint32_t word, uint32_t value) {
    const uint32_t data[4] = {value, value, value, value};
    write(cfg::noc_addr(word & ~3u), data, static_cast<uint16_t>(0xF << (4 * (word % 4))));
  }
  /// The whole SRAM, through the NoC.
  std::vector<uint8_t> read_sram() {
    std::vector<uint8_t> v;
    for (uint32_t a = 0; a < geometry_.sram_bytes; a += 4096) {
      tb::Flit f;
      f.kind = tb::FlitKind::kRead;
      f.addr = a;
      f.data[0] = 4096;
      f.strb = 0xFFFF;
      push(f);
      const size_t first = sent.size();
      EXPECT_TRUE(run(100000));
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
  golden::TileStatus status() const {
    golden::TileStatus s;
    const uint32_t w = dut_->status_o;
    s.running = w >> 25 & 1;
    s.halted = w >> 24 & 1;
    s.fault = static_cast<isa::Fault>(w >> 16 & 0xFF);
    s.pc = static_cast<uint16_t>(w);
    return s;
  }

  Dut& dut() { return *dut_; }

  Macro macro;
  std::vector<tb::Flit> sent;
  uint64_t now = 0;

 private:
  void step_macro() {
    const uint32_t bytes = geometry_.lanes;
    uint8_t cmp[256] = {};
    int8_t codes[256];
    std::memcpy(codes, &dut_->sar_code_o, bytes);
    macro.step(unpack(dut_->pins_o, dut_->prog_o), codes, cmp);
    uint64_t bits = 0;
    for (uint32_t l = 0; l < bytes; ++l) bits |= uint64_t{cmp[l]} << l;
    dut_->cmp_i = static_cast<std::remove_reference_t<decltype(dut_->cmp_i)>>(bits);
    dut_.settle();
  }
  void pulse(CData* pin) {
    *pin = 1;
    cycle();
    *pin = 0;
    cycle();  // registered: the tile acts a cycle later
  }
  bool stalls() { return stall_ != 0 && rng_() % 100 < stall_; }

  mutable tb::Clocked<Dut> dut_;
  Geometry geometry_;
  std::deque<tb::Flit> in_, back_;
  bool offered_ = false;
  uint32_t stall_ = 0;
  std::mt19937_64 rng_;
};

// --- Programs

/// Zero in every word that software may have left behind, then the configuration of the program.
template <class Tile>
void load(Tile& r, const tb::RandomProgram& p, bool after_reset) {
  if (!after_reset) {
    const uint32_t zero[4] = {};
    for (uint32_t word = 0; word < cfg::kRepairBase + cfg::kRepairCount; word += 4) r.write(cfg::noc_addr(word), zero);
  }
  for (uint32_t a = 0; a < p.sram.size(); a += 16) r.write(a, &p.sram[a]);
  for (const auto& [word, value] : p.config) r.write_config(word, value);
  EXPECT_TRUE(r.run(1000000));
}

inline void load_golden(GoldenTile& g, const tb::RandomProgram& p) {
  std::memcpy(g.sram(), p.sram.data(), p.sram.size());
  for (const auto& [word, value] : p.config) EXPECT_TRUE(g.write_config(word, value)) << std::hex << word;
}

inline void expect_same_devices(const Macro& rtl, const Macro& gold) {
  EXPECT_EQ(rtl.drive_count(), gold.drive_count());
  const ArrayState a = rtl.device_state().array, b = gold.device_state().array;
  EXPECT_EQ(a.g_us, b.g_us) << "conductances differ";
  EXPECT_EQ(a.pulses, b.pulses) << "pulse counts differ";
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.spare_block, b.spare_block) << "repairs differ";
}

inline void expect_same_flits(const std::vector<tb::Flit>& rtl, const std::vector<golden::Flit>& gold) {
  EXPECT_EQ(rtl.size(), gold.size());
  for (size_t i = 0; i < std::min(rtl.size(), gold.size()); ++i) {
    tb::Flit want = to_rtl(gold[i]);
    want.host = true;
    tb::Flit got = rtl[i];
    for (unsigned b = 0; b < 16; ++b)  // bytes without strobe are no data
      if ((want.strb >> b & 1) == 0) {
        want.set_byte(b, 0);
        got.set_byte(b, 0);
      }
    EXPECT_TRUE(got == want) << "flit " << i << " to " << std::hex << want.addr;
  }
}

inline void expect_same_sram(const std::vector<uint8_t>& rtl, const uint8_t* gold) {
  uint32_t differences = 0;
  for (uint32_t a = 0; a < rtl.size() && differences < 4; ++a)
    if (rtl[a] != gold[a]) {
      ++differences;
      ADD_FAILURE() << "SRAM 0x" << std::hex << a << ": rtl " << int{rtl[a]} << " golden " << int{gold[a]};
    }
}

/// A program that ends well only if every token counts as much as `count` says: takes that many, then 255 more fit.
/// Leaves all of them 0.
template <class Tile>
void expect_tokens(Tile& r, const std::function<uint32_t(uint32_t)>& count) {
  std::vector<uint64_t> code;
  for (uint32_t t = 0; t < isa::kNumTokens; ++t) {
    if (count(t) != 0) code.push_back(isa::wait::make(kSeq, t, count(t)));
    code.push_back(isa::signal::make(kSeq, t, 255));
    code.push_back(isa::wait::make(kSeq, t, 255));
  }
  code.push_back(isa::halt::make());
  code.push_back(0);
  for (uint32_t i = 0; i + 1 < code.size(); i += 2) r.write(8 * i, &code[i]);
  EXPECT_TRUE(r.run(10000));
  r.start(0);
  EXPECT_TRUE(r.run(3000)) << "a token lacks, the one before instruction " << r.status().pc;
  EXPECT_EQ(r.status().fault, isa::Fault::kNone) << "tokens too many, before instruction " << r.status().pc;
}

/// The golden tile through a program, from its start. Its flits all come at once.
inline golden::TileStop run_golden(GoldenTile& g, const tb::RandomProgram& p) {
  load_golden(g, p);
  g.start(p.pc);
  for (const golden::Flit& f : p.flits) g.deliver(f);
  return g.run(uint64_t{1} << 32);
}

inline std::string text(const golden::TileStatus& s) {
  return std::string(s.running  ? "running"
                     : s.halted ? "halted"
                                : "idle") +
         ", fault " + golden::fault_name(s.fault) + " at " + std::to_string(s.pc);
}

/// Values of the counters that must be equal; `before` is what they were at the start of the program.
template <class Tile>
std::vector<uint32_t> exact_counters(Tile& r, const std::vector<uint32_t>& before = {}) {
  std::vector<uint32_t> v;
  for (const auto& info : isa::kCounters)
    if (info.exact) v.push_back(r.counter(info.index));
  for (size_t i = 0; i < before.size(); ++i) v[i] -= before[i];
  return v;
}

template <class Tile>
void expect_same_counters(Tile& r, const std::vector<uint32_t>& before, const GoldenTile& g) {
  const std::vector<uint32_t> rtl = exact_counters(r, before);
  size_t i = 0;
  for (const auto& info : isa::kCounters)
    if (info.exact) {
      EXPECT_EQ(rtl[i++], g.counter(static_cast<isa::Counter>(info.index))) << info.name;
    }
}

inline void expect_no_protocol_error(Macro& m) {
  m.flush_trace();
  EXPECT_TRUE(m.protocol_errors().empty())
      << m.protocol_errors()[0].rule << " in cycle " << m.protocol_errors()[0].cycle;
}

/// Everything but SRAM and tokens, which cannot be looked at without cycles.
template <class Tile>
void expect_same_end(Tile& r, const std::vector<uint32_t>& before, const GoldenTile& g) {
  expect_same_counters(r, before, g);
  expect_same_devices(r.macro, g.macro());
  expect_same_flits(r.sent, g.sent());
}

struct Cycles {
  uint64_t rtl = 0, golden = 0;
};

/// An overflow that was not planned may end a program at any time, also before one that was.
inline bool overflowed(const tb::RandomProgram& p, const golden::TileStatus& s) {
  return p.may_overflow && s.fault == isa::Fault::kOverflow;
}

/// One program on both, from a reset of the RTL to the last bit.
template <class Dut>
Cycles compare(const tb::RandomProgram& p, uint32_t stall) {
  MacroConfig mc;
  mc.geometry = p.geometry;
  Macro macro(mc);
  macro.program_cells(0, 0, p.geometry.rows, p.geometry.cols, p.cells.data());
  GoldenTile g(p.geometry, macro);
  const golden::TileStop stop = run_golden(g, p);
  const isa::Fault cause = overflowed(p, g.status()) ? isa::Fault::kOverflow : p.fault;
  EXPECT_EQ(stop, cause == isa::Fault::kNone ? golden::TileStop::kHalted : golden::TileStop::kFaulted);

  RtlTile<Dut> r(p.geometry, macro, p.seed);
  load(r, p, true);
  const std::vector<uint32_t> before = exact_counters(r);
  r.set_stall(stall);
  const uint64_t from = r.now;
  r.start(p.pc);
  for (const golden::Flit& f : p.flits) r.push(to_rtl(f));
  EXPECT_TRUE(r.run(5000000)) << "the RTL does not come to rest: " << text(r.status());
  const Cycles cycles{r.now - from, g.now()};
  r.set_stall(0);

  const golden::TileStatus s = g.status(), rs = r.status();
  EXPECT_EQ(rs.running, s.running);
  EXPECT_EQ(rs.halted, s.halted);
  EXPECT_EQ(rs.fault, s.fault);
  EXPECT_EQ(s.fault, cause);
  expect_no_protocol_error(r.macro);
  if (overflowed(p, s)) return cycles;
  if (p.fault == isa::Fault::kNone || p.fault_pc >= 0) {
    EXPECT_EQ(rs.pc, s.pc);
  }
  if (!p.compare_state) return cycles;
  expect_same_end(r, before, g);
  expect_same_sram(r.read_sram(), g.sram());
  expect_tokens(r, [&](uint32_t t) { return g.token(t); });
  return cycles;
}

/// Seeds 0..n-1, or OHMAC_COUNT of them; OHMAC_SEED reruns one.
inline std::pair<uint64_t, uint64_t> seed_range(uint64_t n) {
  if (const char* s = std::getenv("OHMAC_SEED")) {
    const uint64_t v = std::strtoull(s, nullptr, 0);
    return {v, v + 1};
  }
  if (const char* s = std::getenv("OHMAC_COUNT")) n = std::strtoull(s, nullptr, 0);
  return {0, n};
}

/// What reruns a seed of the running test; for its trace.
inline std::string rerun(uint64_t seed) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return "rerun with OHMAC_SEED=" + std::to_string(seed) + " <this program> --gtest_filter=" + test->test_suite_name() +
         "." + test->name();
}

/// Compares `n` random programs; prints predicted against real cycles of those without stalls.
template <class Dut>
void compare_range(uint64_t n, const tb::RandomOptions& o, bool may_stall) {
  const auto [first, last] = seed_range(n);
  double worst = 0;
  Cycles sum;
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE(rerun(seed));
    const tb::RandomProgram p = tb::random_program(seed, o);
    const uint32_t stall = may_stall ? static_cast<uint32_t>(seed % 4 * 25) : 0;
    const Cycles c = compare<Dut>(p, stall);
    if (::testing::Test::HasFailure()) {
      std::printf("%s", p.listing().c_str());
      return;
    }
    if (stall != 0) continue;
    sum.rtl += c.rtl;
    sum.golden += c.golden;
    worst = std::max(worst, std::abs(static_cast<double>(c.golden) / static_cast<double>(c.rtl) - 1));
    if (std::getenv("OHMAC_VERBOSE")) std::printf("seed %3lu rtl %6lu golden %6lu\n", seed, c.rtl, c.golden);
  }
  std::printf("cycles without stalls: rtl %lu, golden %lu (%+.2f %%), worst program %.1f %%\n", sum.rtl, sum.golden,
              100.0 * (static_cast<double>(sum.golden) / static_cast<double>(sum.rtl) - 1), 100 * worst);
}

/// Programs `rows` rows, all columns, one PROG each in a loop; a fresh chip, the ADC steps of an ideal verify at
/// VERIFY_X 127.
inline tb::RandomProgram write_verify_program(const Geometry& g, uint32_t rows, uint32_t limit, uint32_t pulse) {
  tb::RandomProgram p;
  p.geometry = g;
  p.sram.resize(g.sram_bytes);
  p.cells.resize(g.rows * g.cols);
  constexpr uint32_t kTargets = 0x1000, kPsums = 0x400, kFails = 0x200;
  std::mt19937 rng(limit);
  for (uint32_t i = 0; i < rows * g.cols; ++i) p.sram[kTargets + i] = static_cast<uint8_t>(rng() % 255 - 127);
  const auto set = [&](uint32_t word, uint64_t v) { p.config.emplace_back(word, static_cast<uint32_t>(v)); };
  for (uint32_t c = 0; c < g.cols; ++c) set(cfg::kCalBase + c, cfg::cal::gain.put(1u << isa::kGainFracBits));
  namespace m = cfg::mvmcfg;
  set(cfg::kMvmcfgBase + m::k.word, m::k.put(4));
  set(cfg::kMvmcfgBase + m::seg_len.word, m::seg_len.put(4) | m::n_seg.put(1));
  set(cfg::kMvmcfgBase + m::adc_bits.word, m::adc_bits.put(8) | m::range.put(7));  // 127 x 127 / 2^7 = 126
  set(cfg::kMvmcfgBase + m::group_rows.word, m::group_rows.put(4) | m::mux_count.put(g.mux()));
  namespace f = cfg::prog;
  set(cfg::kProgBase, f::tolerance.put(512) | f::limit.put(limit));
  set(cfg::kProgBase + f::amp_first.word,
      f::amp_first.put(8) | f::amp_last.put(2) | f::amp_every.put(2) | f::pulse.put(pulse));
  set(cfg::kProgBase + f::verify_x.word, f::verify_x.put(127));
  const uint32_t agu[][2] = {{kTargets, g.cols}, {kPsums, 0}, {kFails, 0}, {0, 1}};
  for (uint32_t a = 0; a < 4; ++a) {
    set(cfg::kAguBase + a * cfg::kAguStride + cfg::agu::addr.word, agu[a][0]);
    set(cfg::kAguBase + a * cfg::kAguStride + cfg::agu::inc0.word, agu[a][1]);
  }
  const uint64_t code[] = {isa::loop::make(0, 0, 1, rows), isa::prog::make(op(0), op(1), op(2), 3, 0),
                           isa::halt::make()};
  std::memcpy(p.sram.data(), code, sizeof code);
  p.instructions = 3;
  return p;
}

/// Predicted cycles of write-verify are within 1 % of the real ones.
template <class Dut>
void expect_write_verify_cycles(const Geometry& g, uint32_t rows) {
  for (const uint32_t limit : {1u, 3u, 12u})
    for (const uint32_t pulse : {1u, 25u}) {
      const Cycles c = compare<Dut>(write_verify_program(g, rows, limit, pulse), 0);
      const double error = static_cast<double>(c.golden) / static_cast<double>(c.rtl) - 1;
      std::printf("%u rows of %u, limit %2u, pulse %2u: rtl %lu, golden %lu (%+.2f %%)\n", rows, g.cols, limit, pulse,
                  c.rtl, c.golden, 100 * error);
      EXPECT_LT(std::abs(error), 0.01);
    }
}

}  // namespace ohmac::test
