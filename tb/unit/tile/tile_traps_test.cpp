// SPDX-License-Identifier: Apache-2.0
// What stops a tile, what it leaves behind, and how it starts again; reset and clock gate. Expected values by hand from
// rtl/tile/README.md, section "Traps and control by the host".
#include "Vtile_test_dut___024root.h"
#include "tb/unit/tile/tile_bench.h"

namespace ohmac::tb {
namespace {

constexpr uint32_t kA = 0x1000, kB = 0x1100, kSum = 0x1200, kPsums = 0x1400, kVector = 0x1600;
constexpr unsigned kWork = 0x2000 / 8;  // program of the work below
constexpr uint32_t kTrapOff = 0;        // TRAP: no watchdog, no overflow

class TileTraps : public Tile {
 protected:
  /// AGUs, slots, data and program of one piece of work for every engine, which ends with `end` at kWork + 3.
  void set_up_work(uint64_t end = isa::halt::make()) {
    for (auto& b : data) b = static_cast<uint8_t>(rng());
    for (size_t i = 3; i < kSum - kA; i += 4) data[i] &= 0x3F;  // sums that do not saturate
    load_work(end);
  }
  void load_work(uint64_t end = isa::halt::make()) {
    write(kA, data);
    agu(0, kA);
    agu(1, kB);
    agu(2, kSum);
    agu(3, kVector);
    agu(4, kPsums);
    agu(5, 0);
    Cfg c;
    c.k = c.seg_len = 32;
    c.range = 12;
    c.group_rows = 32;
    c.mux_count = 4;
    mvm_slot(0, c);
    write_words(cfg::kVeccfgBase, {static_cast<uint32_t>(vc::len.put(64)), 0, 0, 0});
    // 32 columns, 64 sums of a and b, 256 bytes of a sent
    program(kWork, {isa::mvm::make(isa::operand(3, 0), isa::operand(4, 0), 0),
                    isa::vec::make(isa::operand(0, 0), isa::operand(1, 0), isa::operand(2, 0), 1, 0),
                    isa::send::make(isa::operand(0, 0), 64, isa::operand(5, 0), 256, 1, 3), end, isa::nop::make(),
                    isa::nop::make(), isa::halt::make(), isa::nop::make()});
    settle_all();
  }
  /// The work is done: psums, sums and flits.
  void expect_work() {
    std::vector<uint8_t> flits;
    for (const Flit& f : from_tile) {
      ASSERT_EQ(f.strb, 0xFFFFu);
      for (unsigned b = 0; b < 16; ++b) flits.push_back(f.byte(b));
    }
    std::vector<uint8_t> sums;
    for (unsigned i = 0; i < 64; ++i) {
      const uint32_t s = word(data, 4 * i) + word(data, 0x100 + 4 * i);
      for (unsigned b = 0; b < 4; ++b) sums.push_back(static_cast<uint8_t>(s >> (8 * b)));
    }
    EXPECT_TRUE(std::equal(flits.begin(), flits.end(), data.begin(), data.begin() + 256));
    EXPECT_TRUE(read(kSum, 256) == sums);
    const std::vector<uint8_t> psums = read(kPsums, 128);
    for (unsigned c = 0; c < kCols; ++c) {
      int64_t sum = 0;
      for (unsigned r = 0; r < kRows; ++r) {
        const int v = static_cast<int8_t>(data[kVector - kA + r]);
        sum += std::clamp(v, -127, 127) * macro.weights[r][c];
      }
      EXPECT_EQ(static_cast<int32_t>(word(psums, 4 * c)), adc_code(sum, 12, 8) * 256) << "column " << c;
    }
  }
  void calibrate() {
    write_words(cfg::kCalBase, std::vector<uint32_t>(kCols, 0x4000));
    settle_all();
  }
  static uint32_t word(const std::vector<uint8_t>& v, size_t at) {
    uint32_t w = 0;
    for (unsigned b = 4; b-- > 0;) w = w << 8 | v[at + b];
    return w;
  }
  void flip(uint32_t addr, unsigned bit) {
    auto& r = *dut->rootp;
    const uint32_t line = addr / 32, row = line / 4, at = addr % 32 * 8 + bit;
    VlWide<8>* mem[] = {&r.ohmac_tile__DOT__u_xbar__DOT__gen_bank__BRA__0__KET____DOT__u_sram__DOT__mem[row],
                        &r.ohmac_tile__DOT__u_xbar__DOT__gen_bank__BRA__1__KET____DOT__u_sram__DOT__mem[row],
                        &r.ohmac_tile__DOT__u_xbar__DOT__gen_bank__BRA__2__KET____DOT__u_sram__DOT__mem[row],
                        &r.ohmac_tile__DOT__u_xbar__DOT__gen_bank__BRA__3__KET____DOT__u_sram__DOT__mem[row]};
    (*mem[line % 4])[at / 32] ^= 1u << (at % 32);
  }
  /// Sum of every counter but ACTIVE: moves with each event.
  uint64_t events() {
    uint64_t sum = 0;
    for (const auto& c : isa::kCounters) {
      if (c.exact) sum += counter(static_cast<isa::Counter>(c.index));
    }
    return sum;
  }
  /// Runs until the fault shows; the cycles since the last event.
  unsigned cycles_to_fault(unsigned limit) {
    uint64_t before = events();
    unsigned since = 0;
    for (unsigned n = 0; n < limit && fault() == isa::Fault::kNone; ++n) {
      cycle();
      const uint64_t now = events();
      since = now == before ? since + 1 : 0;
      before = now;
    }
    return since;
  }

  std::vector<uint8_t> data = std::vector<uint8_t>(0x800);
};

TEST_F(TileTraps, FaultOfAnInstructionLetsEveryEngineFinish) {
  calibrate();
  struct Case {
    const char* name;
    uint64_t word;
    isa::Fault fault;
  };
  const Case cases[] = {
      {"opcode", isa::kOpcode.put(7), isa::Fault::kIllegalInstr},
      {"tile outside the mesh", isa::send::make(isa::operand(0, 0), 2, isa::operand(0, 0), 16, 0, 0),
       isa::Fault::kIllegalInstr},
      {"address", isa::vec::make(isa::operand(0, 1), 0, isa::operand(2, 0), 0, 0), isa::Fault::kAddress},
      {"loop", isa::loop::make(0, 0, 0, 1), isa::Fault::kLoop},
      {"slot", isa::mvm::make(isa::operand(3, 0), isa::operand(4, 0), 3), isa::Fault::kConfig},
      {"prog never set up", isa::prog::make(isa::operand(0, 0), isa::operand(1, 0), isa::operand(2, 0), 5, 0),
       isa::Fault::kConfig},
      {"repair", isa::setr::make(cfg::kRepairBase + kLanes, cfg::repair::en.put(1)), isa::Fault::kConfig}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    set_up_work(c.word);
    from_tile.clear();
    start(kWork);
    settle_all();
    EXPECT_EQ(fault(), c.fault);
    EXPECT_EQ(pc(), kWork + 3);
    EXPECT_TRUE(halted());
    EXPECT_FALSE(running());
    expect_work();
  }
}

TEST_F(TileTraps, TokenOverflowOfASignal) {
  calibrate();
  program(0, {isa::signal::make(0, 6, 255), isa::halt::make()});
  settle_all();
  start(0);
  set_up_work(isa::signal::make(2, 6, 1));
  from_tile.clear();
  start(kWork);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kTokenOverflow);
  expect_work();
}

TEST_F(TileTraps, WatchdogBitesAfterExactlyItsCycles) {
  for (const unsigned limit : {1u, 2u, 7u}) {
    write_words(cfg::kTrapBase, {limit, 0, 0, 0});
    program(0, {isa::nop::make(), isa::wait::make(0, 2, 1), isa::halt::make()});
    settle_all();
    start(0);
    // The last event in cycle e: the count is full in e + 2 + 256 n, the fault taken in the next and shown after it.
    EXPECT_EQ(cycles_to_fault(10000), 256 * limit + 3) << "counted from the cycle after e";
    settle_all();
    EXPECT_EQ(fault(), isa::Fault::kWatchdog);
    EXPECT_EQ(pc(), 1u);
    EXPECT_TRUE(halted());
  }
}

TEST_F(TileTraps, WatchdogSparesWhoeverMakesProgress) {
  write_words(cfg::kTrapBase, {1, 0, 0, 0});
  program(0, {isa::wait::make(0, 2, 20), isa::halt::make()});
  settle_all();
  start(0);
  for (int i = 0; i < 19; ++i) {  // one flit every 250 cycles
    for (int n = 0; n < 250; ++n) cycle();
    token(2);
  }
  for (int n = 0; n < 250; ++n) cycle();
  EXPECT_TRUE(running());
  token(2);
  settle_all();
  EXPECT_TRUE(halted());
  EXPECT_EQ(fault(), isa::Fault::kNone);
  // A tile that does not run is not watched, however long.
  for (int n = 0; n < 1000; ++n) cycle();
  write(0x100, {1});
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kNone);
}

TEST_F(TileTraps, WatchdogSeesANocThatTakesNothing) {
  calibrate();
  set_up_work();
  write_words(cfg::kTrapBase, {2, 0, 0, 0});
  settle_all();
  from_tile.clear();
  blocked = true;
  start(kWork);
  EXPECT_EQ(cycles_to_fault(10000), 2 * 256 + 3);
  EXPECT_EQ(fault(), isa::Fault::kWatchdog);
  EXPECT_EQ(pc(), kWork + 3) << "waits for the engines at HALT";
  for (int n = 0; n < 1000; ++n) cycle();
  EXPECT_TRUE(running()) << "the sender still holds flits";
  EXPECT_FALSE(halted());
  blocked = false;
  settle_all();
  EXPECT_TRUE(halted());
  EXPECT_EQ(fault(), isa::Fault::kWatchdog);
  expect_work();
}

// A bit flipped in a line: found by each of the five readers and by nobody who does not read the line.
TEST_F(TileTraps, ParityIsCheckedForEveryReader) {
  calibrate();
  struct Case {
    const char* reader;
    uint32_t addr;
  };
  const Case cases[] = {{"MVM fetch", kVector + 9},
                        {"vector a", kA + 0xF1},
                        {"vector b", kB + 3},
                        {"instructions", 8 * kWork},
                        {"ahead, never run", 8 * kWork + 0x27}};
  for (const Case& c : cases) {
    for (const bool bad : {false, true}) {
      SCOPED_TRACE(c.reader);
      set_up_work();
      if (bad) flip(c.addr, c.addr == 8 * kWork ? 2 : static_cast<unsigned>(rng() % 8));  // not the opcode
      from_tile.clear();
      start(kWork);
      settle_all();
      EXPECT_EQ(fault(), bad ? isa::Fault::kSramParity : isa::Fault::kNone);
      EXPECT_TRUE(halted());
    }
  }
  // The sender reads what was written wrong after the vector unit.
  set_up_work();
  program(0, {isa::send::make(isa::operand(0, 0), 64, isa::operand(5, 0), 40, 1, 3), isa::halt::make()});
  settle_all();
  flip(kA + 63, 7);
  start(0);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kSramParity) << "the second line, beyond the 40 bytes";
  // A FlitRead of a tile at rest marks it, too; a write of the byte heals it.
  clear();
  EXPECT_EQ(fault(), isa::Fault::kNone);
  read(kA, 16);
  EXPECT_EQ(fault(), isa::Fault::kNone);
  read(kA + 32, 16);
  EXPECT_EQ(fault(), isa::Fault::kSramParity);
  EXPECT_TRUE(halted());
  clear();
  write(kA + 48, std::vector<uint8_t>(16, 5));
  settle_all();
  read(kA, 64);
  EXPECT_EQ(fault(), isa::Fault::kNone);
}

TEST_F(TileTraps, PartialWritesOfEveryWriterKeepParity) {
  calibrate();
  for (int round = 0; round < 20; ++round) {
    set_up_work();
    for (int i = 0; i < 30; ++i) {  // flits of any strobes
      Flit f;
      f.addr = kA + 16 * static_cast<uint32_t>(rng() % 0x60);
      f.strb = static_cast<uint16_t>(rng());
      for (auto& w : f.data) w = static_cast<uint32_t>(rng());
      to_tile.push_back(f);
    }
    write_words(cfg::kVeccfgBase,  // int8: 8 bytes a write
                {static_cast<uint32_t>(vc::len.put(1 + rng() % 64) | vc::requant.put(round & 1)), 1, 3, 0});
    write_words(cfg::kTrapBase, {kTrapOff, 0, 0, 0});
    settle_all();
    start(kWork);
    settle_all();
    read(0, 4096);
    read(4096, 4096);
    EXPECT_EQ(fault(), isa::Fault::kNone) << round;
  }
}

TEST_F(TileTraps, OverflowStopsOnlyWhereItIsAskedFor) {
  calibrate();
  for (const bool of_mvm : {false, true}) {
    for (const bool trap : {true, false}) {
      SCOPED_TRACE((of_mvm ? "MVM, " : "vector, ") + std::string(trap ? "trapped" : "not"));
      dut.reset();
      for (auto& b : data) b = 0x7F;
      for (auto& row : macro.weights) row.assign(kCols, 127);
      load_work();
      calibrate();
      if (!trap) write_words(cfg::kTrapBase, {kTrapOff, 0, 0, 0});
      if (of_mvm) {  // 8 groups that clip in 7 slices: 8 * 127 * 127 in the accumulator, times 4, times 2^6
        Cfg c;
        c.k = c.seg_len = 32;
        c.range = 0;
        c.in_slice = 3;
        c.w_slices = 2;
        c.group_rows = 4;
        c.mux_count = 4;
        mvm_slot(0, c);
        write_words(cfg::kCalBase, std::vector<uint32_t>(kCols, 0xFFFF));
        write_words(cfg::kVeccfgBase, {static_cast<uint32_t>(vc::len.put(8)), 0, 0, 0});
      }
      settle_all();
      const uint64_t a = of_mvm ? isa::mvm::make(isa::operand(3, 0), isa::operand(4, 0), 0)
                                : isa::vec::make(isa::operand(0, 0), isa::operand(1, 0), isa::operand(2, 0), 1, 0);
      program(0, {a, isa::wait::make(0, 9, 1), isa::halt::make()});
      token(9);
      token(9);
      settle_all();
      start(0);
      settle_all();
      EXPECT_TRUE(halted());
      EXPECT_EQ(counter(isa::Counter::kSats), of_mvm ? 8u : 64u);
      EXPECT_EQ(fault(), trap ? isa::Fault::kOverflow : isa::Fault::kNone);
      const std::vector<uint8_t> out = read(of_mvm ? kPsums : kSum, 32);
      for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(word(out, 4 * i), 0x7FFFFFFFu);
    }
  }
}

// Programs of random instructions: most of them would hang or fault. Whatever they do, a stop halts them, and after a
// clear the work runs as on a fresh tile.
TEST_F(TileTraps, StopAtAnyTimeHaltsAndTheTileIsAsNew) {
  const uint64_t seed = test_seed(21);
  SCOPED_TRACE(seed);
  rng.seed(seed);
  calibrate();
  set_up_work();
  const auto pick = [this](unsigned n) { return static_cast<unsigned>(rng() % n); };
  unsigned stopped = 0, longest = 0;
  for (int round = 0; round < 150 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Cfg c;
    c.k = c.seg_len = 32;
    c.range = 10;
    c.group_rows = 4 * (1 + pick(8));
    c.in_slice = pick(4);
    c.mux_count = 1 + pick(4);
    mvm_slot(1, c);
    write_words(cfg::kVeccfgBase + 4,
                {static_cast<uint32_t>(vc::len.put(1 + pick(100)) | vc::requant.put(pick(2))), 3, 4, 0});
    write_words(cfg::kProgBase, {0x20'0000u | pick(2000), 0x04'0155, 127, 0});
    write_words(cfg::kTrapBase, {pick(3), 0, 0, 0});
    std::vector<uint64_t> words;
    for (unsigned i = 0; i < 60; ++i) {
      const uint64_t a = isa::operand(pick(5), 2 * pick(30)), b = isa::operand(pick(5), 2 * pick(30)),
                     d = isa::operand(pick(5), 2 * pick(30));
      switch (pick(9)) {
        case 0: words.push_back(isa::mvm::make(a, b, 1)); break;
        case 1: words.push_back(isa::vec::make(a, b, d, pick(2), 1)); break;
        case 2: words.push_back(isa::send::make(a, 64, b, 1 + pick(300), pick(2), pick(16))); break;
        case 3: words.push_back(isa::prog::make(a, b, d, 5, 1)); break;  // row 0
        case 4: words.push_back(isa::wait::make(pick(4), pick(4), 1 + pick(2))); break;
        case 5:
        case 6: words.push_back(isa::signal::make(pick(4), pick(4), 1 + pick(2))); break;
        case 7: words.push_back(isa::loop::make(0, 0, 1 + pick(3), pick(5))); break;
        default: words.push_back(isa::setr::make(cfg::kTimingBase, 0x0404)); break;
      }
    }
    words.push_back(isa::halt::make());
    program(0, words);
    always = pick(2);
    settle_all();
    start(0);
    for (unsigned n = pick(pick(4) ? 400 : 8000); n > 0; --n) cycle();
    const bool ran = running() && fault() == isa::Fault::kNone;
    blocked = pick(4) == 0;
    stop();
    if (blocked) {
      for (unsigned n = pick(500); n > 0; --n) cycle();
      blocked = false;
    }
    const uint64_t from = chip_cycles;
    settle_all(60000);
    longest = std::max<unsigned>(longest, static_cast<unsigned>(chip_cycles - from));
    ASSERT_TRUE(halted());
    ASSERT_FALSE(running());
    if (ran) {
      ASSERT_NE(fault(), isa::Fault::kNone);
      stopped += fault() == isa::Fault::kStopped;
    }
    clear();
    ASSERT_EQ(fault(), isa::Fault::kNone);
    always = true;
    write_words(cfg::kTimingBase, {4 | 32 << 8, 0, 0, 0});
    write_words(cfg::kTrapBase, {0, 0, 0, 0});
    load_work();
    from_tile.clear();
    start(kWork);
    settle_all();
    ASSERT_EQ(fault(), isa::Fault::kNone);
    expect_work();
    program(0, {isa::wait::make(0, pick(4), 1), isa::halt::make()});  // no token was left
    settle_all();
    start(0);
    for (int n = 0; n < 100; ++n) cycle();
    ASSERT_TRUE(running());
    stop();
    settle_all();
    clear();
  }
  std::printf("seed %llu: %u stopped, at most %u cycles to the halt\n", static_cast<unsigned long long>(seed), stopped,
              longest);
  EXPECT_GT(stopped, 50u);
}

TEST_F(TileTraps, RepairWordWhileTheMvmEngineWorks) {
  calibrate();
  set_up_work();
  start(kWork);
  for (int n = 0; n < 60; ++n) cycle();
  ASSERT_TRUE(running());
  write_words(cfg::kRepairBase, {1u << 8, 0, 0, 0});
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kConfig);
  clear();
  write_words(cfg::kRepairBase, {1u << 8, 0, 0, 0});
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kNone);
}

// ---------------------------------------------------------------- reset and clock

TEST_F(TileTraps, StartsAndTakesDataWhileItClearsItsSram) {
  write(kA, {1, 2, 3, 4});  // waits in the receiver
  program(0, {isa::halt::make()});
  start(0);
  settle_all();
  EXPECT_TRUE(halted());
  EXPECT_EQ(pc(), 0u);
  EXPECT_EQ(fault(), isa::Fault::kNone);
  EXPECT_EQ(read(kA, 4), (std::vector<uint8_t>{1, 2, 3, 4}));
}

TEST_F(TileTraps, SramIsZeroAfterReset) {
  write(0x80, std::vector<uint8_t>(0x900, 0xA5));
  settle_all();
  dut.reset();
  settle_all();
  for (uint32_t a = 0; a < kSram; a += 4096) EXPECT_EQ(read(a, 4096), std::vector<uint8_t>(4096));
  EXPECT_EQ(fault(), isa::Fault::kNone);
  EXPECT_LE(counter(isa::Counter::kActive), kSram / 32 / 4 + 3 * (3 * 256 + 100) + 600);
}

// Flits, starts, stops and clears in every cycle relation to the moment the clock stops: nothing is lost.
TEST_F(TileTraps, NothingIsLostWhenTheClockStops) {
  program(0, {isa::nop::make(), isa::halt::make()});
  program(4, {isa::wait::make(0, 1, 2), isa::wait::make(0, 2, 1), isa::halt::make()});
  settle_all();
  for (unsigned at = 0; at < 40; ++at) {
    for (unsigned second = 0; second < 6; ++second) {
      SCOPED_TRACE("cycle " + std::to_string(at) + " and " + std::to_string(second) + " later");
      start(0);  // halts by itself within these cycles
      for (unsigned n = 0; n < at; ++n) cycle();
      token(1);
      for (unsigned n = 0; n < second; ++n) cycle();
      write(0x400, {static_cast<uint8_t>(at), static_cast<uint8_t>(second)}, 2);
      token(1);
      settle_all();
      ASSERT_TRUE(halted());
      ASSERT_EQ(pc(), 1u);
      start(4);
      settle_all();
      ASSERT_TRUE(halted()) << "a token was lost";
      ASSERT_EQ(read(0x400, 2), (std::vector<uint8_t>{static_cast<uint8_t>(at), static_cast<uint8_t>(second)}));
    }
  }
  for (unsigned at = 0; at < 40; ++at) {  // an answer, and a start while the tile falls asleep
    start(0);
    for (unsigned n = 0; n < at; ++n) cycle();
    ASSERT_EQ(read(0x400, 2).size(), 2u);
    start(0);
    for (unsigned n = 0; n < at; ++n) cycle();
    if (!running()) {
      start(1);
      settle_all();
      ASSERT_EQ(pc(), 1u);
    }
    settle_all();
    ASSERT_TRUE(halted());
    token(1);
    for (unsigned n = 0; n < at; ++n) cycle();
    clear();
    settle_all();
    start(4);
    for (unsigned n = 0; n < 50; ++n) cycle();
    ASSERT_TRUE(running()) << "the token came before the clear, or with it";
    token(1), token(1), token(2);
    settle_all();
    ASSERT_TRUE(halted());
  }
}

}  // namespace
}  // namespace ohmac::tb
