// SPDX-License-Identifier: Apache-2.0
// Write-verify and repair on the golden tile, by hand. All effects are off, so a pulse is the mean law of
// models/device/pulse.h.
#include <bitset>

#include "models/device/technology.h"
#include "tb/unit/golden/tile_fixture.h"

namespace ohmac::test {
namespace {

using golden::Flit;
using golden::TileStop;
using isa::Counter;
using isa::Fault;

const PulsePreset kLaw = builtin_technology("pcm_generic")->pulse;

struct Settings {
  uint32_t tolerance = 128, limit = 2, first = 0, last = 0, every = 0, pulse = 25, x = 127;
};

class Prog : public Tile {
 protected:
  Prog() {
    set_slot(t, 0, {.range = 7});  // 127 x 127 / 2^7: one unit of weight is about one step
    settings({});
    set_agu(t, 7, kRow);
  }
  void settings(const Settings& s) {
    namespace p = cfg::prog;
    t.write_config(cfg::kProgBase, static_cast<uint32_t>(p::tolerance.put(s.tolerance) | p::limit.put(s.limit)));
    t.write_config(cfg::kProgBase + 1, static_cast<uint32_t>(p::amp_first.put(s.first) | p::amp_last.put(s.last) |
                                                             p::amp_every.put(s.every) | p::pulse.put(s.pulse)));
    t.write_config(cfg::kProgBase + 2, static_cast<uint32_t>(p::verify_x.put(s.x)));
  }
  void targets(std::initializer_list<int> v) {
    uint32_t a = kTargets;
    for (const int x : v) poke<int8_t>(t, a++, static_cast<int8_t>(x));
  }
  /// Device of a column in the row that is programmed.
  static uint32_t device(uint32_t column, bool neg) { return 2 * (kRow * 32 + column) + neg; }
  uint32_t pulses(uint32_t column, bool neg) const {
    return t.macro().device_state().array.pulses[device(column, neg)];
  }
  static uint64_t prog() { return isa::prog::make(op(0), op(1), op(2), 7, 0); }
  static constexpr uint32_t kTargets = 0x1000, kPsums = 0x1200, kFails = 0x1400, kRow = 5;
};

// Targets 0 on a fresh chip: one read, no pulse, a clean line of fail bits over what was there.
TEST_F(Prog, WhatIsInToleranceIsLeftAlone) {
  poke<uint64_t>(t, kFails, ~uint64_t{0});
  poke<uint64_t>(t, kFails + 24, ~uint64_t{0});
  ASSERT_EQ(go({prog()}), TileStop::kHalted);
  EXPECT_EQ(count(Counter::kProgReads), 1u);
  EXPECT_EQ(count(Counter::kPulses), 0u);
  EXPECT_EQ(count(Counter::kProgFails), 0u);
  EXPECT_EQ(count(Counter::kDrives), 1u);
  EXPECT_EQ(count(Counter::kRowWords), 1u);
  EXPECT_EQ(count(Counter::kConversions), 8u);
  EXPECT_EQ(count(Counter::kMvmOps), 0u);
  EXPECT_EQ(count(Counter::kSramRd), 1u);
  EXPECT_EQ(count(Counter::kSramWr), 2u);  // psums, fail line
  EXPECT_EQ(peek<uint64_t>(t, kFails), 0u);
  EXPECT_EQ(peek<uint64_t>(t, kFails + 24), 0u);
}

// The row is read alone: its neighbours in the latch word, and the reference row, rest.
TEST_F(Prog, VerifiesItsRowOnly) {
  std::vector<int8_t> w(32 * 32, 100);
  for (uint32_t c = 0; c < 32; ++c) w[kRow * 32 + c] = static_cast<int8_t>(c);
  cells(w, 32, 32);
  settings({.limit = 1});
  targets({0, 1, 2, 3, 4, 5, 6, 0});
  ASSERT_EQ(go({prog()}), TileStop::kHalted);
  for (int32_t c = 0; c < 8; ++c)  // floor(c * 127 / 2^7 + 1/2) = c steps
    EXPECT_EQ(peek<int32_t>(t, kPsums + 4 * static_cast<uint32_t>(c)), c * 256);
  EXPECT_EQ(peek<uint32_t>(t, kFails), 0x80u);  // column 7: 7 for a target of 0
  EXPECT_EQ(count(Counter::kProgFails), 1u);
}

// Six cases of sign and direction; the other device of each pair is never touched.
TEST_F(Prog, PulsesTheDeviceOfTheTarget) {
  std::vector<int8_t> w(32 * 8);
  const int now[] = {0, 60, 0, -60, 60, -60, 20, 0}, want[] = {50, 20, -50, -20, 0, 0, 20, 0};
  for (uint32_t c = 0; c < 8; ++c) w[kRow * 8 + c] = static_cast<int8_t>(now[c]);
  cells(w, 32, 8);
  const std::vector<double> before = t.macro().device_state().array.g_us;
  targets({50, 20, -50, -20, 0, 0, 20, 0});
  ASSERT_EQ(go({prog()}), TileStop::kHalted);
  const std::vector<double> after = t.macro().device_state().array.g_us;
  const struct {
    bool neg;
    int change;
  } expected[] = {{false, 1}, {false, -1}, {true, 1}, {true, -1}, {false, -1}, {true, -1}, {false, 0}, {false, 0}};
  for (uint32_t c = 0; c < 8; ++c) {
    const uint32_t d = device(c, expected[c].neg), other = device(c, !expected[c].neg);
    EXPECT_EQ((after[d] > before[d]) - (after[d] < before[d]), expected[c].change) << now[c] << " to " << want[c];
    EXPECT_EQ(after[other], before[other]) << c;
    EXPECT_EQ(pulses(c, expected[c].neg), expected[c].change != 0) << c;
  }
  EXPECT_EQ(count(Counter::kPulses), 6u);
  EXPECT_EQ(count(Counter::kProgReads), 2u);
  EXPECT_EQ(count(Counter::kSramRd), 2u);
  EXPECT_EQ(count(Counter::kProgFails), std::bitset<32>(peek<uint32_t>(t, kFails)).count());
}

// Amplitudes 3, 3, 4, 4, 5, 5, 5: two iterations each, and not beyond the last.
TEST_F(Prog, AmplitudeFollowsTheIteration) {
  settings({.limit = 8, .first = 3, .last = 5, .every = 2, .pulse = 10});
  targets({127});
  ASSERT_EQ(go({prog()}), TileStop::kHalted);
  double g = 0;
  for (const uint32_t amp : {3, 3, 4, 4, 5, 5, 5}) g = pulse_set_us(g, pulse_step_us(kLaw, amp, 10 * 4.0), kLaw.max_us);
  EXPECT_NEAR(t.macro().device_state().array.g_us[device(0, false)], g, 1e-6 * g);
  EXPECT_EQ(count(Counter::kProgReads), 8u);
  EXPECT_EQ(count(Counter::kPulses), 7u);
  EXPECT_EQ(peek<uint32_t>(t, kFails), 1u);
}

TEST_F(Prog, AmplitudeMayFallAndStaysWithoutSteps) {
  for (const auto& [every, amps] : {std::pair<uint32_t, std::vector<uint32_t>>{1, {4, 3, 2, 2}}, {0, {4, 4, 4, 4}}}) {
    GoldenTile fresh = t;
    std::swap(t, fresh);
    settings({.limit = 5, .first = 4, .last = 2, .every = every, .pulse = 10});
    targets({-127});
    ASSERT_EQ(go({prog()}), TileStop::kHalted);
    double g = 0;
    for (const uint32_t amp : amps) g = pulse_set_us(g, pulse_step_us(kLaw, amp, 10 * 4.0), kLaw.max_us);
    EXPECT_NEAR(t.macro().device_state().array.g_us[device(0, true)], g, 1e-6 * g);
    std::swap(t, fresh);
  }
}

TEST_F(Prog, ReachesTargets) {
  settings({.tolerance = 256, .limit = 200, .first = 2, .pulse = 10});
  set_slot(t, 0, {.range = 7, .mux_count = 4});
  for (uint32_t c = 0; c < 32; ++c) poke<int8_t>(t, kTargets + c, static_cast<int8_t>(6 * static_cast<int>(c) - 90));
  ASSERT_EQ(go({prog()}), TileStop::kHalted);
  EXPECT_EQ(count(Counter::kProgFails), 0u);
  for (uint32_t c = 0; c < 32; ++c)
    EXPECT_NEAR(peek<int32_t>(t, kPsums + 4 * c) / 256, 6 * static_cast<int>(c) - 90, 1) << c;
}

TEST_F(Prog, IllegalSettings) {
  for (const Settings& s : {Settings{.limit = 0}, Settings{.pulse = 0}, Settings{.x = 0}}) {
    settings(s);
    fault(Fault::kConfig, 0, {prog()});
  }
  settings({});
  set_agu(t, 7, 32);
  fault(Fault::kAddress, 0, {prog()});  // row
  set_agu(t, 7, -1);
  fault(Fault::kAddress, 0, {prog()});
  set_agu(t, 7, 31);
  for (const uint32_t agu : {0u, 1u, 2u}) {
    set_agu(t, agu, 0x1010);
    fault(Fault::kAddress, 0, {prog()});  // 16 bytes are not enough
    set_agu(t, agu, 16384);
    fault(Fault::kAddress, 0, {prog()});
    set_agu(t, agu, 0x2000 + 0x200 * static_cast<int32_t>(agu));
  }
  EXPECT_EQ(go({prog()}), TileStop::kHalted);
}

// A stop lets the running iteration end: pulses of an iteration that has begun them, no further read, fail bits.
TEST_F(Prog, StopEndsAfterTheIteration) {
  settings({.tolerance = 0, .limit = 255, .pulse = 200});
  targets({127});
  load(t, 0, {prog(), isa::halt::make()});
  t.start(0);
  EXPECT_EQ(t.run(3000), TileStop::kTimeout);
  t.stop();
  EXPECT_EQ(t.run(1000), TileStop::kFaulted);
  EXPECT_EQ(t.status().fault, Fault::kStopped);
  EXPECT_EQ(peek<uint32_t>(t, kFails), 1u);
  EXPECT_EQ(count(Counter::kProgFails), 1u);
  EXPECT_LT(count(Counter::kProgReads), 20u);
  EXPECT_LE(count(Counter::kProgReads) - count(Counter::kPulses), 1u);
}

// --- Repair. Column 11 is lane 3 of block 1.

class Repair : public Prog {
 protected:
  Repair() {
    std::vector<int8_t> w(32 * 32, 50);
    cells(w, 32, 32);
    poke<int8_t>(t, kTargets, 64);
    set_slot(t, 1, {.k = 1, .range = 5, .mux_count = 4});
  }
  static constexpr uint32_t kWord = cfg::kRepairBase + 3;
  static uint32_t word(bool en, uint32_t block) {
    return static_cast<uint32_t>(cfg::repair::en.put(en) | cfg::repair::block.put(block));
  }
  /// psum of a column: 64 * 50 / 2^5 = 100 steps, 0 from a fresh spare.
  int32_t column(uint32_t c) {
    EXPECT_EQ(go({isa::mvm::make(op(0), op(3), 1)}), TileStop::kHalted);
    return peek<int32_t>(t, 0x1600 + 4 * c) / 256;
  }
};

TEST_F(Repair, SpareStandsInForItsColumn) {
  ASSERT_TRUE(t.write_config(kWord, word(true, 1)));
  EXPECT_EQ(column(11), 0);
  EXPECT_EQ(column(10), 100);
  EXPECT_EQ(column(3), 100);
  ASSERT_TRUE(t.write_config(kWord, word(false, 1)));
  EXPECT_EQ(column(11), 100);
}

TEST_F(Repair, ResetFreesSpares) {
  ASSERT_TRUE(t.write_config(kWord, word(true, 1)));
  GoldenTile again(tiny_geometry(), t.macro());
  EXPECT_EQ(again.macro().device_state().array.spare_block, std::vector<int32_t>(8, -1));
  t.reset();
  EXPECT_EQ(t.macro().device_state().array.spare_block, std::vector<int32_t>(8, -1));
}

TEST_F(Repair, PulsesGoToTheSpare) {
  settings({.limit = 2});
  set_slot(t, 0, {.range = 7, .mux_first = 1});
  targets({50, 50, 50, 127, 50, 50, 50, 50});
  const double cell = t.macro().device_state().array.g_us[device(11, false)];
  go({isa::setr::make(kWord, word(true, 1)), prog()});
  const ArrayState a = t.macro().device_state().array;
  EXPECT_EQ(a.g_us[device(11, false)], cell);
  EXPECT_EQ(a.pulses[device(11, false)], 0u);
  EXPECT_EQ(a.pulses[2 * (32 * 32 + kRow * 8 + 3)], 1u);  // devices of spares follow those of the columns
}

TEST_F(Repair, RefusesWhatDoesNotExist) {
  const struct {
    uint32_t lane;
    uint32_t value;
    bool legal;
  } words[] = {{7, word(true, 3), true},   {8, word(true, 0), false},    {0, word(true, 4), false},
               {0, word(true, 63), false}, {127, word(false, 63), true}, {0, word(false, 63), true}};
  for (const auto& w : words) {
    GoldenTile fresh = t;
    EXPECT_EQ(t.write_config(cfg::kRepairBase + w.lane, w.value), w.legal) << w.lane;
    if (w.legal)
      EXPECT_EQ(go({isa::setr::make(cfg::kRepairBase + w.lane, w.value)}), TileStop::kHalted);
    else
      fault(Fault::kConfig, 0, {isa::setr::make(cfg::kRepairBase + w.lane, w.value)});
    t = fresh;
  }
}

// From the NoC it comes at any time, also while the engine works.
TEST_F(Repair, NotWhileTheEngineWorks) {
  Flit f;
  f.addr = cfg::noc_addr(kWord & ~3u);
  f.strb = 0xF000;
  const uint32_t value = word(true, 1);
  std::memcpy(f.data + 12, &value, 4);
  load(t, 0, {isa::mvm::make(op(0), op(3), 1), isa::halt::make()});
  t.start(0);
  t.run(30);
  t.deliver(f);
  EXPECT_EQ(t.run(100000), TileStop::kFaulted);
  EXPECT_EQ(t.status().fault, Fault::kConfig);
  EXPECT_EQ(t.config(kWord), 0u);
  t.deliver(f);
  EXPECT_EQ(t.config(kWord), value);
}

}  // namespace
}  // namespace ohmac::test
