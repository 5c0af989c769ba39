// SPDX-License-Identifier: Apache-2.0
// Watchdog, overflow trap, stop, clear and reset of the golden tile.
#include "tb/unit/golden/tile_fixture.h"

namespace ohmac::test {
namespace {

using golden::Flit;
using golden::TileStop;
using isa::Counter;
using isa::Fault;

void traps(GoldenTile& t, uint32_t watchdog, bool overflow) {
  t.write_config(cfg::kTrapBase,
                 static_cast<uint32_t>(cfg::trap::watchdog.put(watchdog) | cfg::trap::overflow.put(overflow)));
}

Flit token_flit(uint32_t token) {
  Flit f;
  f.token_en = true;
  f.token = static_cast<uint8_t>(token);
  return f;
}

TEST_F(Tile, WatchdogEndsADeadlock) {
  traps(t, 3, false);
  fault(Fault::kWatchdog, 1, {isa::nop::make(), isa::wait::make(kSeq, 2, 1)});
  EXPECT_GE(t.now(), 3 * 256u);
  EXPECT_LE(t.now(), 3 * 256u + 20);
}

// Two engines, each with the token of the other behind its WAIT; the sequencer has come to its HALT.
TEST_F(Tile, WatchdogEndsACircle) {
  traps(t, 1, false);
  fault(Fault::kWatchdog, 4,
        {isa::wait::make(kMvm, 1, 1), isa::signal::make(kMvm, 2, 1), isa::wait::make(kVec, 2, 1),
         isa::signal::make(kVec, 1, 1)});
  EXPECT_EQ(t.token(1), 1);  // WAITs are dropped, SIGNALs are not
  EXPECT_EQ(t.token(2), 1);
}

TEST_F(Tile, WatchdogCountsFromTheLastEvent) {
  traps(t, 1, false);
  load(t, 0, {isa::wait::make(kSeq, 2, 2), isa::halt::make()});
  t.start(0);
  EXPECT_EQ(t.run(200), TileStop::kTimeout);
  t.deliver(token_flit(2));
  EXPECT_EQ(t.run(200), TileStop::kTimeout);
  EXPECT_EQ(t.run(100), TileStop::kFaulted);
  EXPECT_GE(t.now(), 200u + 256);
}

// 56 phases of 200 cycles and 2 conversions: the engine is at work all the time.
TEST_F(Tile, WatchdogLetsLongOperationsPass) {
  traps(t, 1, false);
  set_slot(t, 0, {.k = 32, .in_slice = 3, .group_rows = 4});
  t.write_config(cfg::kTimingBase, 100 | 100 << 8);
  EXPECT_EQ(go({isa::mvm::make(op(0), op(1), 0)}), TileStop::kHalted);
  EXPECT_GT(t.now(), 56u * 200);
}

TEST_F(Tile, WatchdogIsOffAtReset) { EXPECT_EQ(go({isa::wait::make(kSeq, 2, 1)}), TileStop::kBlocked); }

/// 2^31 - 1 twice, in one element of 8.
std::vector<uint64_t> overflowing(GoldenTile& t) {
  poke<int32_t>(t, 0x1000, INT32_MAX);
  set_vec(t, 0, 8, false, false);
  return {isa::vec::make(op(0), op(0), op(1), 1, 0), isa::wait::make(kSeq, 0, 1)};
}

TEST_F(Tile, OverflowIsAFaultFromResetOn) {
  fault(Fault::kOverflow, 1, overflowing(t));
  EXPECT_EQ(count(Counter::kSats), 1u);
  EXPECT_EQ(peek<int32_t>(t, 0x1200), INT32_MAX);
  EXPECT_EQ(t.config(cfg::kTrapBase), 1u << 16);
}

TEST_F(Tile, OverflowMayBeAllowed) {
  traps(t, 0, false);
  EXPECT_EQ(go(overflowing(t)), TileStop::kBlocked);
  EXPECT_EQ(count(Counter::kSats), 1u);
}

// Whatever follows, HALT included, the fault of an operation under way is not lost.
TEST_F(Tile, OverflowBeforeHalt) {
  std::vector<uint64_t> code = overflowing(t);
  code.pop_back();
  fault(Fault::kOverflow, -1, code);
}

TEST_F(Tile, StopHaltsARunningTile) {
  load(t, 0, {isa::signal::make(kSeq, 5, 3), isa::wait::make(kMvm, 1, 1), isa::wait::make(kSeq, 2, 1)});
  t.start(0);
  EXPECT_EQ(t.run(1000), TileStop::kBlocked);
  t.stop();
  EXPECT_EQ(t.run(1000), TileStop::kFaulted);
  EXPECT_EQ(t.status().fault, Fault::kStopped);
  EXPECT_EQ(t.status().pc, 2);
  EXPECT_TRUE(t.status().halted);
  EXPECT_EQ(t.token(5), 3);  // tokens stay
  t.clear();
  EXPECT_EQ(t.status().fault, Fault::kNone);
  EXPECT_TRUE(t.status().halted);
  EXPECT_EQ(t.token(5), 0);
}

TEST_F(Tile, StopDoesNothingToATileThatRests) {
  t.stop();
  EXPECT_EQ(t.status().fault, Fault::kNone);
  EXPECT_FALSE(t.status().halted);
}

TEST_F(Tile, ClearDoesNothingToARunningTile) {
  load(t, 0, {isa::signal::make(kSeq, 5, 3), isa::wait::make(kSeq, 2, 1)});
  t.start(0);
  t.run(1000);
  t.clear();
  EXPECT_EQ(t.token(5), 3);
  EXPECT_TRUE(t.status().running);
}

TEST_F(Tile, TheFirstFaultStays) {
  load(t, 0, {isa::wait::make(kSeq, 2, 1)});
  t.start(0);
  t.run(1000);
  t.stop();
  Flit f;
  f.addr = 16384;
  f.strb = 1;
  t.deliver(f);
  t.run(1000);
  EXPECT_EQ(t.status().fault, Fault::kStopped);
}

TEST_F(Tile, ResetForgetsAllButTheDevices) {
  cells({10}, 1, 1);
  poke<int8_t>(t, 0x1000, 100);
  set_slot(t, 0, {.k = 1});
  go({isa::signal::make(kSeq, 5, 3), isa::mvm::make(op(0), op(1), 0)});
  const uint64_t drives = t.macro().drive_count();
  t.reset();
  EXPECT_EQ(drives, 1u);
  EXPECT_EQ(t.macro().drive_count(), drives);
  EXPECT_EQ(t.macro().weights(0, 0, 1, 1)[0], 10.0f);
  for (uint32_t a = 0; a < t.sram_bytes(); ++a) ASSERT_EQ(t.sram()[a], 0) << a;
  for (uint32_t w = 0; w < 0x400; ++w)
    EXPECT_EQ(t.config(w), w == cfg::kTimingBase ? 4u | 32 << 8 : w == cfg::kTrapBase ? 1u << 16 : 0) << w;
  EXPECT_EQ(t.token(5), 0);
  for (const auto& info : isa::kCounters) EXPECT_EQ(count(static_cast<Counter>(info.index)), 0u);
  EXPECT_FALSE(t.status().halted);
}

}  // namespace
}  // namespace ohmac::test
