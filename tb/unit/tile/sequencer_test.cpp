// SPDX-License-Identifier: Apache-2.0
// The sequencer against an instruction-set model written from rtl/tile/README.md: what it queues, in which order, and
// how it ends.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "Vtile_sequencer_test_dut.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/common/clocked.h"

using namespace ohmac::tb;
namespace isa = ohmac::isa;
namespace cfg = ohmac::isa::cfg;
namespace mc = ohmac::isa::cfg::mvmcfg;
namespace vc = ohmac::isa::cfg::veccfg;

namespace {

constexpr unsigned kRows = 32, kCols = 32, kLanes = 8;
constexpr int64_t kSram = 16384;
constexpr unsigned kPcs = kSram / 8;

/// What the sequencer does to the outside, as text: one string is easy to compare and to read in a failure.
using Log = std::vector<std::string>;

std::string text(std::initializer_list<int64_t> v) {
  std::string s;
  for (const int64_t x : v) s += std::to_string(x) + " ";
  return s;
}

int64_t signed24(int64_t v) { return (v & 0xFFFFFF) - ((v & 0x800000) << 1); }

/// Executes a program, one instruction after the other.
class Model {
 public:
  std::array<std::array<uint32_t, 8>, 8> agu{};  // words of each AGU
  std::array<uint32_t, 8> scalar{};
  std::array<std::array<uint32_t, 8>, 4> mvm{};
  std::array<std::array<uint32_t, 4>, 8> vec{};
  std::array<uint32_t, 4> prog{};
  uint32_t timing = 32u << 8 | 4;
  int64_t tiles = 64;
  std::array<Log, 4> queued;  // by engine; 0: SETR, WAIT and SIGNAL of SEQ
  isa::Fault fault = isa::Fault::kNone;
  unsigned pc = 0, instrs = 0;
  bool finished = false;  // HALT or fault within the budget

  void write(unsigned word, uint32_t v) {
    if (word < 8) scalar[word] = v & 0xFFFF;
    if (word >= 0x40 && word < 0x80) agu[(word - 0x40) / 8][word % 8] = v & 0xFFFFFF;
    if (word >= 0x80 && word < 0xA0) mvm[(word - 0x80) / 8][word % 8] = v;
    if (word >= 0xC0 && word < 0xE0) vec[(word - 0xC0) / 4][word % 4] = v;
    if (word == 0x100) timing = v;
    if (word >= 0x110 && word < 0x114) prog[word - 0x110] = v;
  }

  void run(const std::vector<uint64_t>& program, unsigned start, unsigned budget) {
    struct Loop {
      unsigned first, last, left;
    };
    std::vector<Loop> loops;
    pc = start;
    fault = isa::Fault::kNone;
    finished = false;
    while (budget-- > 0) {
      if (pc >= kPcs) return stop(isa::Fault::kAddress);
      const uint64_t w = program[pc];
      unsigned done = pc;  // the instruction whose end may end loops
      switch (static_cast<isa::Op>(isa::kOpcode.get(w))) {
        case isa::Op::kNop: break;
        case isa::Op::kHalt:
          ++instrs;
          finished = true;
          return;
        case isa::Op::kLoop: {
          const unsigned len = isa::loop::len.get(w), last = pc + len;
          if (loops.size() == 4 || len == 0 || (!loops.empty() && last > loops.back().last))
            return stop(isa::Fault::kLoop);
          const unsigned n = isa::loop::use_scalar.get(w) ? scalar[isa::loop::scalar.get(w)] : isa::loop::count.get(w);
          ++instrs;
          if (n != 0) {
            loops.push_back({pc + 1, last, n});
            ++pc;
            continue;
          }
          done = last;
          --instrs;  // counted below
          break;
        }
        case isa::Op::kSetr: {
          const unsigned a = isa::setr::addr.get(w);
          if (a >= 0x400) return stop(isa::Fault::kAddress);
          const uint64_t imm = isa::setr::imm.get(w);
          if (a >= 0x180 && a < 0x200 && cfg::repair::en.get(imm) &&
              (a - 0x180 >= kLanes || cfg::repair::block.get(imm) >= kCols / kLanes)) {
            return stop(isa::Fault::kConfig);
          }
          write(a, static_cast<uint32_t>(isa::setr::imm.get(w)));
          queued[0].push_back("setr " + text({a, static_cast<int64_t>(isa::setr::imm.get(w))}));
          break;
        }
        case isa::Op::kWait:
        case isa::Op::kSignal: {
          const bool is_wait = isa::kOpcode.get(w) == static_cast<uint64_t>(isa::Op::kWait);
          const int64_t n = static_cast<int64_t>(isa::wait::count.get(w));
          if (n == 0) return stop(isa::Fault::kIllegalInstr);
          queued[isa::wait::engine.get(w)].push_back((is_wait ? "wait " : "signal ") +
                                                     text({static_cast<int64_t>(isa::wait::token.get(w)), n}));
          break;
        }
        case isa::Op::kMvm: {
          const auto& s = mvm[isa::mvm::cfg.get(w)];
          if (!mvm_legal(s) || !(timing & 0xFF) || !(timing >> 8 & 0xFF)) return stop(isa::Fault::kConfig);
          const int64_t src = ea(isa::mvm::src.get(w)), dst = ea(isa::mvm::dst.get(w));
          const int64_t bytes = 4 * static_cast<int64_t>(mc::mux_count.get(s[5]) * kLanes >> mc::w_slices.get(s[4]));
          if (!inside(dst, bytes, 32)) return stop(isa::Fault::kAddress);
          const auto& a = agu[isa::mvm::src.get(w) >> 12];
          queued[1].push_back("op " + text({src, a[5], a[6], dst, static_cast<int64_t>(isa::mvm::cfg.get(w)), 0}));
          break;
        }
        case isa::Op::kProg: {
          const auto& s = mvm[isa::prog::cfg.get(w)];
          if (!mvm_legal(s) || !(timing & 0xFF) || !(timing >> 8 & 0xFF) || !cfg::prog::limit.get(prog[0]) ||
              !cfg::prog::pulse.get(prog[1]) || !cfg::prog::verify_x.get(prog[2])) {
            return stop(isa::Fault::kConfig);
          }
          const int64_t n = static_cast<int64_t>(mc::mux_count.get(s[5]) * kLanes);
          const int64_t src = ea(isa::prog::src.get(w)), dst = ea(isa::prog::dst.get(w)),
                        fail = ea(isa::prog::fail.get(w)), row = agu[isa::prog::row_agu.get(w)][0];
          if (!inside(src, n, 32) || !inside(dst, 4 * n, 32) || !inside(fail, 32 * ((n + 255) / 256), 32) ||
              row >= kRows) {
            return stop(isa::Fault::kAddress);
          }
          queued[1].push_back("op " + text({src, fail, row, dst, static_cast<int64_t>(isa::prog::cfg.get(w)), 1}));
          break;
        }
        case isa::Op::kVec: {
          const auto& s = vec[isa::vec::cfg.get(w)];
          const int64_t len = static_cast<int64_t>(vc::len.get(s[0]));
          const bool requant = vc::requant.get(s[0]), use_b = isa::vec::use_b.get(w);
          if (len == 0 || vc::shift.get(s[2]) > 62) return stop(isa::Fault::kConfig);
          const int64_t a = ea(isa::vec::a.get(w)), b = ea(isa::vec::b.get(w)), dst = ea(isa::vec::dst.get(w));
          if (!inside(a, 4 * len, 32) || (use_b && !inside(b, 4 * len, 32)) ||
              !(requant ? inside(dst, len, 16) : inside(dst, 4 * len, 32))) {
            return stop(isa::Fault::kAddress);
          }
          queued[2].push_back("op " + text({a, use_b ? b : 0, use_b, dst, static_cast<int64_t>(isa::vec::cfg.get(w))}));
          break;
        }
        case isa::Op::kSend: {
          const int64_t len = static_cast<int64_t>(isa::send::len.get(w)),
                        tile = static_cast<int64_t>(isa::send::tile.get(w));
          const bool token_en = isa::send::token_en.get(w);
          if (tile >= tiles && tile != 64) return stop(isa::Fault::kIllegalInstr);
          if (len == 0 && !token_en) return stop(isa::Fault::kConfig);
          const int64_t src = ea(isa::send::src.get(w)), dst = ea(isa::send::dst.get(w));
          if (!inside(src, len, 16)) return stop(isa::Fault::kAddress);
          if (tile == 64 ? (dst >> 23) != 0 || dst % 16 != 0 : !inside(dst, len, 16)) return stop(isa::Fault::kAddress);
          queued[3].push_back("op " +
                              text({src, tile, dst, len, token_en, static_cast<int64_t>(isa::send::token.get(w))}));
          break;
        }
        default: return stop(isa::Fault::kIllegalInstr);
      }
      ++instrs;
      pc = done + 1;
      while (!loops.empty() && loops.back().last == done) {
        for (auto& a : agu) step(a, loops.size() - 1);
        if (--loops.back().left > 0) {
          pc = loops.back().first;
          break;
        }
        loops.pop_back();
      }
    }
  }

 private:
  void stop(isa::Fault f) {
    fault = f;
    finished = true;
  }
  static bool mvm_legal(const std::array<uint32_t, 8>& w) {
    const auto f = [&w](const isa::Field& x) { return static_cast<unsigned>(x.get(w[x.word])); };
    const unsigned k = f(mc::k), row = f(mc::row_base), g = f(mc::group_rows);
    return k >= 1 && k <= kRows && row % 4 == 0 && (row + k <= kRows || (row == kRows && k <= 4)) &&
           f(mc::n_seg) * f(mc::seg_len) == k && f(mc::w_slices) <= 2 && f(mc::adc_bits) >= 4 && f(mc::adc_bits) <= 8 &&
           g >= 1 && (g % 4 == 0 || g >= k) && f(mc::mux_count) >= 1 &&
           (f(mc::mux_first) + f(mc::mux_count)) * kLanes <= kCols;
  }
  int64_t ea(uint64_t operand) const {
    const auto& a = agu[operand >> 12];
    int64_t v = signed24(a[0]) + 16 * static_cast<int64_t>(operand & 0xFFF);
    if (a[6] != 0 && v >= signed24(a[5]) + a[6]) v -= a[6];
    return v & 0xFFFFFF;
  }
  static bool inside(int64_t addr, int64_t len, int64_t align) {
    return !(addr >> 23) && addr % align == 0 && addr + len <= kSram;
  }
  static void step(std::array<uint32_t, 8>& a, size_t depth) {
    int64_t v = signed24(a[0]) + signed24(a[1 + depth]);
    const int64_t base = signed24(a[5]), len = a[6];
    if (len != 0) {
      if (v >= base + len) {
        v -= len;
      } else if (v < base) {
        v += len;
      }
    }
    a[0] = static_cast<uint32_t>(v & 0xFFFFFF);
  }
};

class Sequencer : public ::testing::Test {
 protected:
  void SetUp() override {
    program.assign(kPcs, isa::halt::make());
    dut->start_i = 0;
    dut->rd_gnt_i = dut->rd_rvalid_i = 0;
    dut->rx_valid_i = 0;
    dut->wait_gnt_i = 0;
    dut->mvm_ready_i = dut->vec_ready_i = dut->net_ready_i = 0;
    dut->engines_idle_i = 1;
    dut->stop_i = dut->clear_i = 0;
    dut->tiles_i = 64;
    dut->settled_i = 1;
    dut->mvm_fault_i = dut->rx_fault_i = 0;
    dut->token_fault_i = dut->parity_fault_i = dut->overflow_fault_i = dut->watchdog_i = 0;
    dut.reset();
  }
  void load(unsigned at, const std::vector<uint64_t>& words) {
    for (size_t i = 0; i < words.size(); ++i) program[at + i] = words[i];
  }
  /// Configuration by the NoC port, into the model as well.
  void configure(unsigned word, uint32_t v) {
    dut->rx_valid_i = 1;
    dut->rx_addr_i = word;
    dut->rx_wdata_i = v;
    dut.settle();
    while (!dut->rx_ready_o) dut.tick();
    dut.tick();
    dut->rx_valid_i = 0;
    model.write(word, v);
  }
  void start(unsigned pc) {
    dut->start_i = 1;
    dut->start_pc_i = pc;
    cycle();
    dut->start_i = 0;
  }
  /// One cycle of fetch memory, queues of depth 8 whose engines work at random, and token grants. speed 8: nothing ever
  /// waits.
  void cycle() {
    dut->rd_rvalid_i = line >= 0;
    for (unsigned i = 0; i < 8; ++i) {
      const uint64_t w = line >= 0 ? program[4 * static_cast<unsigned>(line) + i / 2] : rng();
      dut->rd_rdata_i[i] = static_cast<uint32_t>(i % 2 ? w >> 32 : w);
    }
    const auto lucky = [&] { return rng() % 8 < speed; };
    dut->mvm_ready_i = fill[1] < 8;
    dut->vec_ready_i = fill[2] < 8;
    dut->net_ready_i = fill[3] < 8;
    dut->engines_idle_i = fill[1] + fill[2] + fill[3] == 0 && busy == 0;
    dut->rd_gnt_i = dut->wait_gnt_i = 0;
    dut.settle();
    dut->rd_gnt_i = dut->rd_req_o && lucky();
    dut->wait_gnt_i = dut->wait_valid_o && grant_tokens && lucky();
    line = dut->rd_gnt_i ? dut->rd_addr_o : -1;
    dut.settle();
    ASSERT_LT(line, kSram / 32);
    if (dut->setr_o) {
      seen[0].push_back("setr " + text({dut->setr_addr_o, dut->setr_wdata_o}));
      if (dut->setr_addr_o >= 0x80) {
        ASSERT_TRUE(dut->engines_idle_i) << "SETR passed its fence";
      }
    }
    if (dut->wait_gnt_i) seen[0].push_back("wait " + text({dut->wait_token_o, dut->wait_count_o}));
    if (dut->sig_valid_o) seen[0].push_back("signal " + text({dut->sig_token_o, dut->sig_count_o}));
    const auto item = [&](unsigned e, unsigned kind, unsigned token, unsigned count, const std::string& op) {
      seen[e].push_back(kind == 0 ? "op " + op : (kind == 1 ? "wait " : "signal ") + text({token, count}));
      ++fill[e];
      max_fill = std::max(max_fill, fill[e]);
    };
    if (dut->mvm_valid_o && dut->mvm_ready_i) {
      item(1, dut->mvm_kind_o, dut->mvm_token_o, dut->mvm_count_o,
           text({dut->mvm_src_o, dut->mvm_wrap_base_o, dut->mvm_wrap_len_o, dut->mvm_dst_o, dut->mvm_cfg_o,
                 dut->mvm_prog_o}));
    }
    if (dut->vec_valid_o && dut->vec_ready_i) {
      item(
          2, dut->vec_kind_o, dut->vec_token_o, dut->vec_count_o,
          text({dut->vec_a_o, dut->vec_use_b_o ? dut->vec_b_o : 0u, dut->vec_use_b_o, dut->vec_dst_o, dut->vec_cfg_o}));
    }
    if (dut->net_valid_o && dut->net_ready_i) {
      item(3, dut->net_kind_o, dut->net_token_o, dut->net_count_o,
           text({dut->net_src_o, dut->net_tile_o, dut->net_dst_o, dut->net_len_o, dut->net_token_en_o,
                 dut->net_token_o}));
    }
    instrs += dut->ev_instr_o;
    if (busy > 0) --busy;
    for (unsigned e = 1; e < 4; ++e) {
      if (fill[e] > 0 && !hold_engines && (speed == 8 || rng() % 32 < speed)) {
        --fill[e];
        busy = speed == 8 ? 0 : rng() % 8;
      }
    }
    dut.tick();
  }
  /// Cycles from start to stop; fails the test after `limit`.
  unsigned run(unsigned limit = 200000) {
    unsigned n = 0;
    while (dut->running_o && n < limit) {
      cycle();
      ++n;
    }
    EXPECT_FALSE(dut->running_o) << "still running at pc " << dut->pc_o;
    return n;
  }
  void compare() {
    EXPECT_EQ(dut->fault_o, static_cast<unsigned>(model.fault));
    EXPECT_EQ(dut->pc_o, model.pc);
    EXPECT_TRUE(dut->halted_o);
    EXPECT_EQ(instrs, model.instrs);
    for (unsigned e = 0; e < 4; ++e) {
      ASSERT_EQ(seen[e].size(), model.queued[e].size()) << "engine " << e;
      for (size_t i = 0; i < seen[e].size(); ++i)
        ASSERT_EQ(seen[e][i], model.queued[e][i]) << "engine " << e << " item " << i;
    }
  }
  void run_both(unsigned at) {
    model.run(program, at, 100000);
    ASSERT_TRUE(model.finished);
    start(at);
    run();
    compare();
  }
  /// Slots and timing that make everything legal.
  void configure_slots() {
    for (unsigned s = 0; s < 4; ++s) {
      configure(cfg::kMvmcfgBase + 8 * s, static_cast<uint32_t>(mc::k.put(8 * (s + 1))));
      configure(cfg::kMvmcfgBase + 8 * s + 1, static_cast<uint32_t>(mc::seg_len.put(4) | mc::n_seg.put(2 * (s + 1))));
      configure(cfg::kMvmcfgBase + 8 * s + 4, static_cast<uint32_t>(mc::adc_bits.put(8) | mc::w_slices.put(s % 3)));
      configure(cfg::kMvmcfgBase + 8 * s + 5, static_cast<uint32_t>(mc::group_rows.put(32) | mc::mux_count.put(s + 1)));
    }
    for (unsigned s = 0; s < 8; ++s) {
      configure(cfg::kVeccfgBase + 4 * s, static_cast<uint32_t>(vc::len.put(3 + 13 * s) | vc::requant.put(s & 1)));
      configure(cfg::kVeccfgBase + 4 * s + 2, 5);
    }
  }

  Clocked<Vtile_sequencer_test_dut> dut;
  std::vector<uint64_t> program;
  Model model;
  std::mt19937_64 rng{1};
  unsigned speed = 8;
  bool grant_tokens = true, hold_engines = false;
  int line = -1;
  std::array<Log, 4> seen;
  std::array<unsigned, 4> fill{};
  unsigned busy = 0, max_fill = 0, instrs = 0;
};

// ---------------------------------------------------------------- directed

const uint64_t kSignalVec = isa::signal::make(2, 1, 1);

TEST_F(Sequencer, NestedLoopsFourDeepThatEndTogether) {
  load(0, {isa::loop::make(0, 0, 6, 2), isa::nop::make(), isa::loop::make(0, 0, 4, 3), isa::loop::make(0, 0, 3, 2),
           isa::loop::make(0, 0, 2, 4), kSignalVec, isa::vec::make(isa::operand(1, 0), 0, isa::operand(2, 0), 0, 1),
           isa::halt::make()});
  configure_slots();
  for (unsigned d = 0; d < 4; ++d) {  // distinct increments: every combination of iterations has its own address
    configure(cfg::kAguBase + 8 + 1 + d, 32u << (2 * (3 - d)));
    configure(cfg::kAguBase + 16 + 1 + d, 16 + 16 * d);
  }
  run_both(0);
  EXPECT_EQ(seen[2].size(), 2u * 2 * 3 * 2 * 4);
}

TEST_F(Sequencer, CountZeroSkipsTheBodyAndStillEndsTheOuterLoop) {
  configure(cfg::kAguBase + 1, 32);
  configure_slots();
  load(5, {isa::loop::make(0, 0, 4, 3), isa::vec::make(isa::operand(0, 0), 0, isa::operand(1, 0), 0, 0),
           isa::loop::make(0, 0, 2, 0), kSignalVec, kSignalVec, isa::loop::make(0, 0, 1, 0), kSignalVec, kSignalVec,
           isa::halt::make()});
  run_both(5);
  EXPECT_EQ(seen[2].size(), 4u);  // three VEC, the last SIGNAL
}

TEST_F(Sequencer, ScalarCountsFollowSetrAtOnce) {
  load(0, {isa::setr::make(3, 5), isa::loop::make(1, 3, 2, 99), isa::setr::make(4, 2), kSignalVec,
           isa::setr::make(4, 0), isa::loop::make(1, 4, 1, 7), kSignalVec, isa::halt::make()});
  run_both(0);
  EXPECT_EQ(seen[2].size(), 5u);
}

TEST_F(Sequencer, AguWrapsBothWays) {
  configure_slots();
  configure(cfg::kAguBase, 1024);  // forward over the end
  configure(cfg::kAguBase + 1, 96);
  configure(cfg::kAguBase + 5, 1024);
  configure(cfg::kAguBase + 6, 256);
  configure(cfg::kAguBase + 8, 0);  // backward over the start; base 0, so the sum is negative
  configure(cfg::kAguBase + 8 + 1, 0xFFFFFF & -96);
  configure(cfg::kAguBase + 8 + 6, 256);
  load(0, {isa::loop::make(0, 0, 1, 20), isa::vec::make(isa::operand(0, 8), 0, isa::operand(1, 0), 0, 0),
           isa::halt::make()});
  run_both(0);
}

TEST_F(Sequencer, SetrFenceWaitsForQueuesAndEngines) {
  configure_slots();
  load(0, {kSignalVec, kSignalVec, isa::setr::make(0x41, 7), isa::setr::make(0x100, 0x0203), isa::setr::make(0x200, 9),
           kSignalVec, isa::halt::make()});
  hold_engines = true;
  model.run(program, 0, 100);
  start(0);
  for (int i = 0; i < 50; ++i) cycle();
  EXPECT_EQ(seen[0].size(), 1u);  // the AGU word passed, the timing word waits
  EXPECT_EQ(seen[2].size(), 2u);
  hold_engines = false;
  run();
  compare();
}

TEST_F(Sequencer, FullQueueStallsIssue) {
  load(0, {isa::loop::make(0, 0, 1, 20), kSignalVec, isa::halt::make()});
  hold_engines = true;
  model.run(program, 0, 100);
  start(0);
  for (int i = 0; i < 60; ++i) cycle();
  EXPECT_EQ(fill[2], 8u);
  hold_engines = false;
  run();
  EXPECT_EQ(max_fill, 8u);
  compare();
}

TEST_F(Sequencer, IssuesOneInstructionACycle) {
  std::vector<uint64_t> straight(400, isa::nop::make());
  load(0, straight);
  start(0);
  EXPECT_LE(run(), 400u + 8u);
}

TEST_F(Sequencer, LoopJumpsCostAtMostFourCycles) {
  for (const unsigned body : {1u, 2u, 3u, 7u, 8u, 9u, 13u, 40u}) {
    for (unsigned at = 0; at < 4; ++at) {
      std::vector<uint64_t> words(body, isa::nop::make());
      words.insert(words.begin(), isa::loop::make(0, 0, body, 50));
      words.push_back(isa::halt::make());
      load(at, words);
      start(at);
      EXPECT_LE(run(), 50 * (body + (body >= 8 ? 4 : 1)) + 10) << "body " << body << " at " << at;
    }
  }
}

TEST_F(Sequencer, EveryFaultStopsAtItsInstruction) {
  struct Case {
    const char* name;
    uint64_t word;
    isa::Fault fault;
  };
  const auto vec = [](uint64_t a, uint64_t b, uint64_t dst, bool use_b, unsigned slot) {
    return isa::vec::make(a, b, dst, use_b, slot);
  };
  const uint64_t ok = isa::operand(0, 0), odd = isa::operand(3, 0), half = isa::operand(0, 1), end = isa::operand(4, 0),
                 high = isa::operand(5, 0);
  const Case cases[] = {
      {"opcode", isa::kOpcode.put(7), isa::Fault::kIllegalInstr},
      {"opcode 63", isa::kOpcode.put(63), isa::Fault::kIllegalInstr},
      {"wait 0", isa::wait::make(1, 0, 0), isa::Fault::kIllegalInstr},
      {"signal 0 on SEQ", isa::signal::make(0, 0, 0), isa::Fault::kIllegalInstr},
      {"tile 65", isa::send::make(ok, 65, ok, 16, 0, 0), isa::Fault::kIllegalInstr},
      {"empty send", isa::send::make(ok, 1, ok, 0, 0, 0), isa::Fault::kConfig},
      {"empty send, bad address too", isa::send::make(odd, 1, ok, 0, 0, 0), isa::Fault::kConfig},
      {"send src", isa::send::make(odd, 1, ok, 16, 0, 0), isa::Fault::kAddress},
      {"send src end", isa::send::make(end, 1, ok, 33, 0, 0), isa::Fault::kAddress},
      {"send dst end", isa::send::make(ok, 1, end, 33, 0, 0), isa::Fault::kAddress},
      {"send dst config space", isa::send::make(ok, 1, high, 16, 0, 0), isa::Fault::kAddress},
      {"send host high", isa::send::make(ok, 64, high, 16, 0, 0), isa::Fault::kAddress},
      {"vec a", vec(half, ok, ok, false, 0), isa::Fault::kAddress},
      {"vec b", vec(ok, half, ok, true, 0), isa::Fault::kAddress},
      {"vec dst int32", vec(ok, ok, half, false, 0), isa::Fault::kAddress},
      {"vec dst int8", vec(ok, ok, odd, false, 1), isa::Fault::kAddress},
      {"vec a end", vec(end, ok, ok, false, 2), isa::Fault::kAddress},
      {"mvm dst", isa::mvm::make(ok, half, 0), isa::Fault::kAddress},
      {"mvm dst end", isa::mvm::make(ok, end, 3), isa::Fault::kAddress},
      {"loop length 0", isa::loop::make(0, 0, 0, 1), isa::Fault::kLoop},
      {"setr", isa::setr::make(0x400, 0), isa::Fault::kAddress},
  };
  configure_slots();
  configure(cfg::kAguBase + 3 * 8, 8);
  configure(cfg::kAguBase + 4 * 8, kSram - 32);
  configure(cfg::kAguBase + 5 * 8, 0x800000);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    load(0, {isa::nop::make(), kSignalVec, c.word, kSignalVec, isa::halt::make()});
    run_both(0);
    EXPECT_EQ(dut->fault_o, static_cast<unsigned>(c.fault));
    EXPECT_EQ(dut->pc_o, 2u);
  }
  // The same operands are legal where the rules say so.
  load(0, {vec(ok, half, ok, false, 0), isa::send::make(ok, 64, isa::operand(4, 2), 64, 0, 0),
           isa::mvm::make(odd, ok, 0), isa::mvm::make(high, ok, 0), vec(ok, ok, half, false, 1), isa::halt::make()});
  run_both(0);
  EXPECT_EQ(dut->fault_o, 0u);
}

TEST_F(Sequencer, SendKnowsTheTilesOfItsMesh) {
  dut->tiles_i = 6;
  model.tiles = 6;
  load(0,
       {isa::send::make(0, 5, 0, 16, 0, 0), isa::send::make(0, 64, 0, 16, 0, 0), isa::send::make(0, 6, 0, 16, 0, 0)});
  run_both(0);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kIllegalInstr));
  EXPECT_EQ(dut->pc_o, 2u);
}

TEST_F(Sequencer, ProgIsCheckedWhenItIsIssued) {
  const uint64_t ok = isa::operand(0, 0), half = isa::operand(0, 1), end = isa::operand(4, 0);
  constexpr unsigned kRow = 1, kBelow = 2, kNegative = 3;  // AGUs
  struct Case {
    const char* name;
    uint64_t word;
    isa::Fault fault;
  };
  const Case cases[] = {
      {"src", isa::prog::make(half, ok, ok, kRow, 0), isa::Fault::kAddress},
      {"src end", isa::prog::make(end, ok, ok, kRow, 2), isa::Fault::kNone},  // 24 bytes
      {"src end, 32 columns", isa::prog::make(end, ok, ok, kRow, 3), isa::Fault::kNone},
      {"dst", isa::prog::make(ok, half, ok, kRow, 0), isa::Fault::kAddress},
      {"dst end", isa::prog::make(ok, end, ok, kRow, 1), isa::Fault::kAddress},  // 16 psums although W_SLICES is 1
      {"dst end, 8 columns", isa::prog::make(ok, end, ok, kRow, 0), isa::Fault::kNone},
      {"fail", isa::prog::make(ok, ok, half, kRow, 0), isa::Fault::kAddress},
      {"fail end", isa::prog::make(ok, ok, end, kRow, 0), isa::Fault::kNone},
      {"row 32", isa::prog::make(ok, ok, ok, kBelow, 0), isa::Fault::kAddress},
      {"row -1", isa::prog::make(ok, ok, ok, kNegative, 0), isa::Fault::kAddress},
  };
  configure_slots();
  configure(cfg::kProgBase, static_cast<uint32_t>(cfg::prog::limit.put(1)));
  configure(cfg::kProgBase + 1, static_cast<uint32_t>(cfg::prog::pulse.put(1)));
  configure(cfg::kProgBase + 2, static_cast<uint32_t>(cfg::prog::verify_x.put(1)));
  configure(cfg::kAguBase + 8 * kRow, kRows - 1);
  configure(cfg::kAguBase + 8 * kBelow, kRows);
  configure(cfg::kAguBase + 8 * kNegative, 0xFFFFFF);
  configure(cfg::kAguBase + 8 * 4, kSram - 32);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    load(0, {c.word, isa::halt::make()});
    run_both(0);
    EXPECT_EQ(dut->fault_o, static_cast<unsigned>(c.fault));
  }
  // Every field that must not be 0; a SETR before it counts.
  for (unsigned word = 0; word < 3; ++word) {
    SCOPED_TRACE(word);
    const uint32_t keep = model.prog[word];
    load(0, {isa::setr::make(cfg::kProgBase + word, 0), isa::prog::make(ok, ok, half, kRow, 0), isa::halt::make()});
    run_both(0);
    EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kConfig));  // before the address
    EXPECT_EQ(dut->pc_o, 1u);
    configure(cfg::kProgBase + word, keep);
  }
}

TEST_F(Sequencer, SetrOfARepairWordIsCheckedWhenItIsIssued) {
  const auto setr = [](unsigned lane, unsigned en, unsigned block) {
    return isa::setr::make(cfg::kRepairBase + lane, cfg::repair::en.put(en) | cfg::repair::block.put(block));
  };
  load(0, {setr(7, 1, 3), setr(8, 0, 0), setr(0, 0, 63), isa::halt::make()});
  run_both(0);
  EXPECT_EQ(dut->fault_o, 0u);
  for (const uint64_t bad : {setr(8, 1, 0), setr(127, 1, 0), setr(0, 1, 4)}) {
    load(0, {kSignalVec, bad, kSignalVec});
    run_both(0);
    EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kConfig));
    EXPECT_EQ(dut->pc_o, 1u);
  }
}

TEST_F(Sequencer, LoopFaults) {
  const auto l = [](unsigned len) { return isa::loop::make(0, 0, len, 2); };
  load(0, {l(9), l(7), l(5), l(3), l(1), isa::nop::make()});  // a fifth loop
  run_both(0);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kLoop));
  EXPECT_EQ(dut->pc_o, 4u);
  load(0, {l(2), isa::nop::make(), l(1), isa::nop::make(), isa::halt::make()});  // ends after its outer loop
  run_both(0);
  EXPECT_EQ(dut->pc_o, 2u);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kLoop));
}

TEST_F(Sequencer, RunningOffTheSramIsAnAddressFault) {
  load(kPcs - 2, {isa::nop::make(), isa::nop::make()});
  run_both(kPcs - 2);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kAddress));
  EXPECT_EQ(dut->pc_o, kPcs);
  run_both(40000);
}

TEST_F(Sequencer, ConfigFaultsOfSlotsAndTiming) {
  load(0, {isa::mvm::make(0, 0, 1), isa::halt::make()});
  run_both(0);  // slot never written
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kConfig));
  load(0, {isa::vec::make(0, 0, 0, 0, 1), isa::halt::make()});
  run_both(0);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kConfig));
  configure_slots();
  // SETR breaks the slot in the instruction before: the check must see it.
  load(0,
       {isa::mvm::make(0, 0, 1), isa::setr::make(cfg::kMvmcfgBase + 8, 0), isa::mvm::make(0, 0, 1), isa::halt::make()});
  run_both(0);
  EXPECT_EQ(dut->pc_o, 2u);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kConfig));
  load(0, {isa::setr::make(cfg::kTimingBase, 0x0400), isa::mvm::make(0, 0, 0), isa::halt::make()});
  run_both(0);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kConfig));
}

TEST_F(Sequencer, StopDropsWaitsAndLetsEnginesFinish) {
  load(0, {kSignalVec, isa::kOpcode.put(7)});
  hold_engines = true;
  model.run(program, 0, 10);
  start(0);
  for (int i = 0; i < 30; ++i) cycle();
  EXPECT_TRUE(dut->running_o);
  EXPECT_FALSE(dut->halted_o);
  EXPECT_TRUE(dut->drop_waits_o);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kIllegalInstr));  // visible at once
  hold_engines = false;
  run();
  EXPECT_FALSE(dut->drop_waits_o);
  compare();
  load(0, {kSignalVec, isa::halt::make()});  // the next start clears it
  run_both(0);
  EXPECT_EQ(dut->fault_o, 0u);
}

TEST_F(Sequencer, FaultsOfOtherPartsStopARunAndMarkAnIdleTile) {
  load(0, {isa::nop::make(), isa::wait::make(0, 2, 1), isa::halt::make()});
  grant_tokens = false;
  start(0);
  for (int i = 0; i < 20; ++i) cycle();
  EXPECT_EQ(dut->pc_o, 1u);
  dut->start_i = 1;  // ignored while running
  dut->start_pc_i = 77;
  cycle();
  dut->start_i = 0;
  EXPECT_EQ(dut->pc_o, 1u);
  dut->rx_fault_i = static_cast<unsigned>(isa::Fault::kAddress);
  cycle();
  dut->rx_fault_i = 0;
  run(10);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kAddress));
  EXPECT_EQ(dut->pc_o, 1u);
  EXPECT_TRUE(dut->halted_o);
  dut->token_fault_i = 1;  // the first fault stays
  cycle();
  dut->token_fault_i = 0;
  cycle();
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kAddress));
  grant_tokens = true;
  start(0);
  run();
  EXPECT_EQ(dut->fault_o, 0u);
  dut->token_fault_i = 1;
  cycle();
  dut->token_fault_i = 0;
  EXPECT_TRUE(dut->active_o);  // keeps its clock until the fault is in the status
  cycle();
  EXPECT_FALSE(dut->active_o);
  EXPECT_FALSE(dut->running_o);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kTokenOverflow));
}

TEST_F(Sequencer, FaultFromOutsideSplitsNoInstruction) {
  const uint64_t seed = test_seed(13);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  for (unsigned i = 0; i < 400; ++i) {  // each leaves exactly one trace
    const uint64_t choice[] = {isa::signal::make(0, 1, 1), isa::wait::make(0, 1, 1), isa::setr::make(i % 8, i),
                               kSignalVec};
    program[i] = choice[rng() % 4];
  }
  for (int round = 0; round < 300; ++round) {
    speed = 1 + rng() % 8;
    seen = {};
    instrs = 0;
    start(0);
    for (unsigned n = static_cast<unsigned>(rng() % 300); n > 0; --n) cycle();
    dut->token_fault_i = 1;
    cycle();
    dut->token_fault_i = 0;
    run(2000);
    ASSERT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kTokenOverflow));
    ASSERT_EQ(dut->pc_o, instrs) << "round " << round;
    ASSERT_EQ(seen[0].size() + seen[2].size(), instrs) << "round " << round;
  }
}

TEST_F(Sequencer, HostStopsARunAndClearsItsFault) {
  load(0, {kSignalVec, isa::wait::make(0, 2, 1), isa::halt::make()});
  dut->stop_i = 1;  // nothing runs
  cycle();
  dut->stop_i = 0;
  cycle();
  EXPECT_EQ(dut->fault_o, 0u);
  EXPECT_FALSE(dut->halted_o);
  grant_tokens = false;
  start(0);
  for (int i = 0; i < 20; ++i) cycle();
  dut->clear_i = 1;  // ignored while it runs
  cycle();
  EXPECT_FALSE(dut->clear_o);
  dut->clear_i = 0;
  dut->stop_i = 1;
  cycle();
  dut->stop_i = 0;
  run(20);
  EXPECT_EQ(dut->fault_o, static_cast<unsigned>(isa::Fault::kStopped));
  EXPECT_EQ(dut->pc_o, 1u);
  EXPECT_TRUE(dut->halted_o);
  dut->clear_i = 1;
  dut.settle();
  EXPECT_TRUE(dut->clear_o);
  cycle();
  dut->clear_i = 0;
  EXPECT_EQ(dut->fault_o, 0u);
  EXPECT_TRUE(dut->halted_o);
  EXPECT_EQ(dut->pc_o, 1u);
  grant_tokens = true;
  dut->clear_i = 1;  // clear and start in one cycle
  start(0);
  dut->clear_i = 0;
  run();
  EXPECT_EQ(dut->fault_o, 0u);
}

// A stop in any cycle of a program, also in the one in which it halts by itself or starts.
TEST_F(Sequencer, StopInAnyCycleHaltsOrComesTooLate) {
  load(0, {isa::loop::make(0, 0, 2, 3), kSignalVec, isa::setr::make(0x101, 1), isa::halt::make()});
  unsigned stopped = 0, late = 0;
  for (unsigned at = 0; at < 60; ++at) {
    dut->stop_i = at == 0;
    start(0);
    dut->stop_i = 0;
    for (unsigned n = 1; n < at; ++n) cycle();
    dut->stop_i = at != 0;
    const bool ran = dut->running_o;
    cycle();
    dut->stop_i = 0;
    run(30);
    ASSERT_TRUE(dut->halted_o) << at;
    if (dut->fault_o == static_cast<unsigned>(isa::Fault::kStopped)) {
      ++stopped;
      ASSERT_TRUE(ran) << at;
    } else {
      ASSERT_EQ(dut->fault_o, 0u) << at;
      ASSERT_EQ(dut->pc_o, 3u) << at;
      ++late;
    }
    cycle(), cycle();
    ASSERT_FALSE(dut->active_o);
  }
  EXPECT_GT(stopped, 10u);
  EXPECT_GT(late, 10u);
}

TEST_F(Sequencer, TrapsStopARunOneCauseEach) {
  struct Case {
    uint8_t* wire;
    isa::Fault fault;
    bool idle_too;
  };
  const Case cases[] = {{&dut->parity_fault_i, isa::Fault::kSramParity, true},
                        {&dut->overflow_fault_i, isa::Fault::kOverflow, true},
                        {&dut->watchdog_i, isa::Fault::kWatchdog, false},
                        {&dut->stop_i, isa::Fault::kStopped, false}};
  for (size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(i);
    load(0, {isa::wait::make(0, 2, 1), isa::halt::make()});
    grant_tokens = false;
    start(0);
    for (int n = 0; n < 20; ++n) cycle();
    for (size_t j = i; j < std::size(cases); ++j) *cases[j].wire = 1;  // the first one counts
    cycle();
    for (const Case& c : cases) *c.wire = 0;
    run(10);
    EXPECT_EQ(dut->fault_o, static_cast<unsigned>(cases[i].fault));
    EXPECT_EQ(dut->pc_o, 0u);
    grant_tokens = true;
    start(0);
    run();
    EXPECT_EQ(dut->fault_o, 0u);
    *cases[i].wire = 1;
    cycle();
    *cases[i].wire = 0;
    cycle();
    EXPECT_EQ(dut->fault_o, cases[i].idle_too ? static_cast<unsigned>(cases[i].fault) : 0u);
  }
}

TEST_F(Sequencer, NobodyHaltsBeforeReadsAreChecked) {
  for (const uint64_t last : {isa::halt::make(), isa::kOpcode.put(7)}) {
    load(0, {last});
    dut->settled_i = 0;
    start(0);
    for (int i = 0; i < 20; ++i) cycle();
    EXPECT_TRUE(dut->running_o);
    EXPECT_FALSE(dut->halted_o);
    dut->settled_i = 1;
    run(3);
    EXPECT_TRUE(dut->halted_o);
  }
}

TEST_F(Sequencer, StartDropsWhatWasFetchedBefore) {
  load(0, {kSignalVec, isa::halt::make()});
  run_both(0);
  load(0, {isa::signal::make(2, 9, 3), isa::halt::make()});
  run_both(0);
}

// ---------------------------------------------------------------- random programs

class Generator {
 public:
  explicit Generator(std::mt19937_64& rng) : rng_(rng) {}
  /// A block of instructions; loops nest down to `depth` more levels.
  void block(std::vector<uint64_t>& out, unsigned depth, unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
      if (depth > 0 && pick(5) == 0) {
        std::vector<uint64_t> body;
        block(body, depth - 1, 1 + pick(5));
        out.push_back(pick(3) ? isa::loop::make(0, pick(8), body.size(), pick(4))
                              : isa::loop::make(1, pick(8), body.size(), pick(9)));
        out.insert(out.end(), body.begin(), body.end());
        if (pick(3)) out.push_back(instruction());
      } else {
        out.push_back(instruction());
      }
    }
  }
  uint32_t agu_word(unsigned word) {
    switch (word) {
      case 0: return 32 * pick(400);
      case 5: return 32 * pick(200);
      case 6: return pick(3) ? 32 * (1 + pick(64)) : 0;
      case 7: return static_cast<uint32_t>(rng_());
      default: return (32u * pick(24) - 32 * 12) & 0xFFFFFF;
    }
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(rng_() % n); }
  uint64_t operand() { return isa::operand(pick(7), 2 * pick(40)); }
  uint64_t instruction() {
    const unsigned evil = pick(400);
    if (evil == 0) return rng_();
    if (evil == 1) return isa::vec::make(isa::operand(pick(8), pick(4096)), operand(), operand(), 1, pick(8));
    switch (pick(13)) {
      case 0: return isa::nop::make();
      case 12:
        if (pick(4)) return isa::prog::make(operand(), operand(), operand(), 7, pick(4));
        return pick(2) ? isa::setr::make(cfg::kRepairBase + pick(8), cfg::repair::en.put(pick(2)) | pick(4))
                       : isa::setr::make(cfg::kProgBase + pick(4), pick(20) ? rng_() | 0x01'0001 : 0);
      case 1: return isa::setr::make(cfg::kScalarBase + pick(8), pick(4));
      case 2: {
        const unsigned word = pick(8);
        return isa::setr::make(cfg::kAguBase + 8 * pick(7) + word, agu_word(word));  // not AGU 7, see below
      }
      case 3: return isa::wait::make(pick(4), pick(16), 1 + pick(255));
      case 4: return isa::signal::make(pick(4), pick(16), 1 + pick(255));
      case 5:
        return pick(3) ? isa::nop::make()
                       : isa::setr::make(cfg::kVeccfgBase + 4 * pick(8),
                                         vc::len.put(1 + pick(40)) | vc::requant.put(pick(2)));
      case 6: return pick(3) ? isa::nop::make() : isa::setr::make(cfg::kCalBase + pick(512), rng_());
      case 7:
      case 8: return isa::mvm::make(operand(), operand(), pick(4));
      case 9:
      case 10: return isa::vec::make(operand(), operand(), operand(), pick(2), pick(8));
      default: return isa::send::make(operand(), pick(65), operand(), pick(200), 1, pick(16));
    }
  }
  std::mt19937_64& rng_;
};

TEST_F(Sequencer, RandomProgramsFollowTheModel) {
  const uint64_t seed = test_seed(11);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  Generator generate(rng);
  configure_slots();
  unsigned faults = 0, total = 0, ran = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<uint64_t> words;
    generate.block(words, 4, 3 + rng() % 30);
    words.push_back(isa::halt::make());
    const unsigned at = static_cast<unsigned>(rng() % (kPcs - words.size()));
    load(at, words);
    if (words.size() > kPcs / 2) continue;
    for (unsigned a = 0; a < 8; ++a) {
      for (unsigned w = 0; w < 7; ++w) configure(cfg::kAguBase + 8 * a + w, generate.agu_word(w));
    }
    for (unsigned s = 0; s < 8; ++s) {
      configure(s, static_cast<uint32_t>(rng() % 4));
      configure(cfg::kVeccfgBase + 4 * s,
                static_cast<uint32_t>(vc::len.put(1 + rng() % 40) | vc::requant.put(rng() % 2)));
    }
    if (round % 8) {  // AGU 7 counts rows, for PROG
      for (const unsigned w : {0u, 1u, 2u, 3u, 4u, 6u}) configure(cfg::kAguBase + 8 * 7 + w, w == 0 ? 3 : w == 1);
    }
    for (unsigned w = 0; w < 3; ++w) configure(cfg::kProgBase + w, 0x02'0002);
    const Model before = model;
    model.run(program, at, 3000);
    if (!model.finished) {
      model = before;
      continue;
    }
    speed = 1 + rng() % 8;
    start(at);
    run();
    compare();
    ASSERT_FALSE(HasFailure()) << "round " << round << " at " << at;
    faults += model.fault != isa::Fault::kNone;
    total += static_cast<unsigned>(model.instrs - before.instrs);
    ++ran;
    seen = {};
    model.queued = {};
  }
  EXPECT_GT(ran, 300u);
  EXPECT_GT(faults, 20u);
  EXPECT_GT(total, 10000u);
}

}  // namespace
