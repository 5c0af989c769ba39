// SPDX-License-Identifier: Apache-2.0
// The golden tile against hand calculations.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "models/golden/disasm.h"
#include "tb/unit/golden/tile_fixture.h"

namespace ohmac::test {
namespace {

using golden::Flit;
using golden::FlitKind;
using golden::TileStop;
using isa::Counter;
using isa::Fault;

TEST_F(Tile, HaltCountsItselfAndStaysAtItsPc) {
  EXPECT_EQ(go({isa::nop::make(), isa::nop::make()}), TileStop::kHalted);
  EXPECT_EQ(t.status().pc, 2);
  EXPECT_EQ(count(Counter::kInstr), 3u);
}

// One column, weights 10 and -3, x = 5 and 7: s = 50 - 21 = 29. Step 2^2: 29/4 + 1/2 = 7.75, floor 7. psum = 7 * 256.
TEST_F(Tile, MvmRoundsToTheStep) {
  cells({10, -3}, 2, 1);
  poke<int8_t>(t, 0x1000, 5);
  poke<int8_t>(t, 0x1001, 7);
  set_slot(t, 0, {.k = 2, .range = 2});
  ASSERT_EQ(go({isa::mvm::make(op(0), op(1), 0)}), TileStop::kHalted);
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 7 * 256);
  EXPECT_EQ(peek<int32_t>(t, 0x1204), 0);
  EXPECT_EQ(count(Counter::kDrives), 1u);
  EXPECT_EQ(count(Counter::kConversions), 8u);  // lanes x blocks
  EXPECT_EQ(count(Counter::kTrials), 64u);      // x 8 bits
  EXPECT_EQ(count(Counter::kAdcBusy), 10u);     // one block, bits + 2
  EXPECT_EQ(count(Counter::kRowWords), 1u);
  EXPECT_EQ(count(Counter::kSramRd), 1u);
  EXPECT_EQ(count(Counter::kSramWr), 1u);  // 8 columns, one line
  EXPECT_EQ(count(Counter::kMvmOps), 1u);
}

// 127 * 127 = 16129 at step 1 clips to 127; -16129 to -128. In the same lane group the other six columns are 0.
TEST_F(Tile, MvmClipsAndCounts) {
  cells({127, -127}, 1, 2);
  poke<int8_t>(t, 0x1000, 127);
  set_slot(t, 0, {.k = 1});
  ASSERT_EQ(go({isa::mvm::make(op(0), op(1), 0)}), TileStop::kHalted);
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 127 * 256);
  EXPECT_EQ(peek<int32_t>(t, 0x1204), -128 * 256);
  EXPECT_EQ(count(Counter::kClips), 2u);
}

// -128 counts as -127.
TEST_F(Tile, MvmInputMinus128) {
  cells({1}, 1, 1);
  poke<int8_t>(t, 0x1000, -128);
  set_slot(t, 0, {.k = 1});
  go({isa::mvm::make(op(0), op(1), 0)});
  EXPECT_EQ(peek<int32_t>(t, 0x1200), -127 * 256);
}

// Gain 1.5 = 24576, offset -100; x = 3, w = 2, two 4-bit slices. Slice 0: 3 << 3 = 24 times 2 = 48, range 3: 48/8 = 6;
// slice 1: 0. acc = 6, shift sum 1 + 16 = 17: (6 * 24576 + 32) >> 6 = 2304; 2304 - 1700 = 604.
TEST_F(Tile, GainAndOffset) {
  cells({2}, 1, 1);
  poke<int8_t>(t, 0x1000, 3);
  t.write_config(cfg::kCalBase, 24576u | static_cast<uint32_t>(static_cast<uint16_t>(-100)) << 16);
  set_slot(t, 0, {.k = 1, .in_slice = 1, .range = 3});
  go({isa::mvm::make(op(0), op(1), 0)});
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 604);
  EXPECT_EQ(count(Counter::kDrives), 2u);
}

// Two weight slices in columns 0 (low 4 bits) and 1 (high 3 bits), both as 4-bit slices at the top of the cell: 0x35 =
// 53 has low 5 << 3 = 40 and high 3 << 3 = 24. Range 3 takes the alignment back: (5 + 3 * 16) * 256.
TEST_F(Tile, WeightSlicesCombine) {
  cells({40, 24}, 1, 2);
  poke<int8_t>(t, 0x1000, 1);
  set_slot(t, 0, {.k = 1, .w_slices = 1, .range = 3});
  go({isa::mvm::make(op(0), op(1), 0)});
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 53 * 256);
  EXPECT_EQ(count(Counter::kSramWr), 1u);
}

// Eight groups of 7 one-bit slices, all codes clipped at 127: acc = 8 * 127 * 127 = 129032; gain 65535: acc * 65535 >>
// 6 = 1.3e8, and four weight slices with shifts 0, 2, 4, 6 make 85 times that, 1.1e10 > 2^31. The other logical column
// is 0.
TEST_F(Tile, PsumSaturates) {
  std::vector<int8_t> w(32 * 4, 127);
  cells(w, 32, 4);
  for (uint32_t i = 0; i < 32; ++i) poke<int8_t>(t, 0x1000 + i, 127);
  for (uint32_t c = 0; c < 4; ++c) t.write_config(cfg::kCalBase + c, 65535);
  set_slot(t, 0, {.k = 32, .in_slice = 3, .w_slices = 2, .group_rows = 4});
  t.write_config(cfg::kTrapBase, 0);
  EXPECT_EQ(go({isa::mvm::make(op(0), op(1), 0)}), TileStop::kHalted);
  EXPECT_EQ(peek<int32_t>(t, 0x1200), INT32_MAX);
  EXPECT_EQ(peek<int32_t>(t, 0x1204), 0);
  EXPECT_EQ(count(Counter::kSats), 1u);
  EXPECT_EQ(count(Counter::kDrives), 56u);  // 8 groups x 7 slices
  EXPECT_EQ(count(Counter::kRowWords), 56u);
}

// Lossless configuration: 1-bit inputs, 4 + 3 bit weights, groups of 8 rows, 8-bit ADC: psum = 256 * exact dot product.
// Slices stand at the top of a cell (slice << 3) and an input bit is driven as 64, so one unit of slice x bit is 512
// products: RANGE 9.
TEST_F(Tile, LosslessConfigurationIsExact) {
  std::mt19937 rng(7);
  const uint32_t k = 32, outs = 16;
  std::vector<int8_t> w(k * 32), x(k);
  std::vector<int> logical(k * outs);
  for (auto& v : x) v = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
  for (uint32_t r = 0; r < k; ++r)
    for (uint32_t n = 0; n < outs; ++n) {
      const int v = static_cast<int>(rng() % 255) - 127, m = std::abs(v), s = v < 0 ? -1 : 1;
      logical[r * outs + n] = v;
      w[r * 32 + 2 * n] = static_cast<int8_t>(s * ((m & 15) << 3));
      w[r * 32 + 2 * n + 1] = static_cast<int8_t>(s * ((m >> 4) << 3));
    }
  cells(w, k, 32);
  for (uint32_t i = 0; i < k; ++i) poke<int8_t>(t, 0x1000 + i, x[i]);
  set_slot(t, 0, {.k = k, .in_slice = 3, .w_slices = 1, .range = 9, .group_rows = 8, .mux_count = 4});
  go({isa::mvm::make(op(0), op(1), 0)});
  for (uint32_t n = 0; n < outs; ++n) {
    int64_t dot = 0;
    for (uint32_t r = 0; r < k; ++r) dot += x[r] * logical[r * outs + n];
    EXPECT_EQ(peek<int32_t>(t, 0x1200 + 4 * n), 256 * dot) << n;
  }
  EXPECT_EQ(count(Counter::kClips), 0u);
  EXPECT_EQ(count(Counter::kSramWr), 4u);  // 32 physical columns, 8 a write
}

// Reference row: +127 in every column. x = 1: s = 127, step 2^1: 127/2 + 1/2 = 64.
TEST_F(Tile, ReferenceRow) {
  poke<int8_t>(t, 0x1000, 1);
  set_slot(t, 0, {.k = 1, .row_base = 32, .range = 1, .mux_count = 4});
  go({isa::mvm::make(op(0), op(1), 0)});
  for (uint32_t c = 0; c < 32; ++c) EXPECT_EQ(peek<int32_t>(t, 0x1200 + 4 * c), 64 * 256);
}

/// Reads the vector of an MVM back through an identity matrix.
class Fetch : public Tile {
 protected:
  Fetch() {
    std::vector<int8_t> eye(32 * 32, 0);
    for (uint32_t i = 0; i < 32; ++i) eye[i * 33] = 1;
    cells(eye, 32, 32);
    for (uint32_t a = 0x1000; a < 0x1100; ++a) poke<int8_t>(t, a, static_cast<int8_t>(a & 0x7F));
  }
  std::vector<int> fetched(Slot s) {
    s.mux_count = 4;
    set_slot(t, 0, s);
    EXPECT_EQ(go({isa::mvm::make(op(0), op(1), 0)}), TileStop::kHalted);
    std::vector<int> v;
    for (uint32_t i = 0; i < s.k; ++i) v.push_back(peek<int32_t>(t, 0x1200 + 4 * i) / 256);
    return v;
  }
};

TEST_F(Fetch, Segments) {
  EXPECT_EQ(fetched({.k = 6, .seg_len = 2, .n_seg = 3, .seg_stride = 32}), (std::vector<int>{0, 1, 32, 33, 64, 65}));
  EXPECT_EQ(count(Counter::kSramRd), 3u);
}

TEST_F(Fetch, PadsAreNotRead) {
  set_agu(t, 0, 0x1010);
  EXPECT_EQ(fetched({.k = 12,
                     .seg_len = 4,
                     .n_seg = 3,
                     .seg_stride = 32,
                     .top = 1,
                     .bottom = 1,
                     .left = 1,
                     .right = 2,
                     .pad_value = -5}),
            (std::vector<int>{-5, -5, -5, -5, -5, 0x31, -5, -5, -5, -5, -5, -5}));
  EXPECT_EQ(count(Counter::kSramRd), 1u);
}

TEST_F(Fetch, NegativeStrideAndLineCount) {
  set_agu(t, 0, 0x1040);
  EXPECT_EQ(fetched({.k = 4, .seg_len = 2, .n_seg = 2, .seg_stride = -2}), (std::vector<int>{0x40, 0x41, 0x3E, 0x3F}));
  EXPECT_EQ(count(Counter::kSramRd), 2u);
}

// Window [0x1010, 0x1020): 12 bytes from 0x101A wrap after 0x101F.
TEST_F(Fetch, WrapsInTheWindow) {
  set_agu(t, 0, 0x101A, {}, 0x1010, 16);
  EXPECT_EQ(fetched({.k = 12}), (std::vector<int>{26, 27, 28, 29, 30, 31, 16, 17, 18, 19, 20, 21}));
  EXPECT_EQ(count(Counter::kSramRd), 1u);  // one line all along
}

// A source before the SRAM is legal where the vector is padded.
TEST_F(Fetch, SourceBeforeTheSramUnderPad) {
  set_agu(t, 0, -4);
  poke<int8_t>(t, 0, 0);
  const std::vector<int> v = fetched({.k = 8, .left = 4, .pad_value = 9});
  EXPECT_EQ((std::vector<int>(v.begin(), v.begin() + 4)), (std::vector<int>{9, 9, 9, 9}));
  EXPECT_EQ(t.status().fault, Fault::kNone);
}

// Half to even: 5 * 1 / 2 = 2.5 -> 2, 7/2 = 3.5 -> 4, -5/2 = -2.5 -> -2, -7/2 -> -4, 6/2 = 3, 1000/2 clamps, -1000/2
// clamps, 1/2 -> 0.
TEST_F(Tile, RequantiseRoundsHalfToEven) {
  const int32_t in[] = {5, 7, -5, -7, 6, 1000, -1000, 1, 3};
  const int8_t out[] = {2, 4, -2, -4, 3, 127, -127, 0, 2};
  for (uint32_t i = 0; i < 9; ++i) poke(t, 0x1000 + 4 * i, in[i]);
  poke<int8_t>(t, 0x1209, 77);
  set_vec(t, 0, 9, true, false, 1, 1);
  go({isa::vec::make(op(0), 0, op(1), 0, 0)});
  for (uint32_t i = 0; i < 9; ++i) EXPECT_EQ(peek<int8_t>(t, 0x1200 + i), out[i]) << i;
  EXPECT_EQ(peek<int8_t>(t, 0x1209), 77);  // the tail is masked
  EXPECT_EQ(count(Counter::kVecLines), 2u);
  EXPECT_EQ(count(Counter::kSramRd), 2u);
  EXPECT_EQ(count(Counter::kSramWr), 2u);
}

// 2^31-1 times 2^31-1 over 2^62 is just below 1: rounds to 1. Shift 61: 2.
TEST_F(Tile, RequantiseLargestProduct) {
  poke<int32_t>(t, 0x1000, INT32_MAX);
  poke<int32_t>(t, 0x1004, INT32_MIN);
  set_vec(t, 0, 2, true, false, 0x7FFFFFFF, 62);
  go({isa::vec::make(op(0), 0, op(1), 0, 0)});
  EXPECT_EQ(peek<int8_t>(t, 0x1200), 1);
  EXPECT_EQ(peek<int8_t>(t, 0x1201), -1);
}

TEST_F(Tile, VectorAddSaturatesThenRelu) {
  const int32_t a[] = {INT32_MAX, INT32_MIN, -5, 3}, b[] = {1, -1, 2, 4};
  for (uint32_t i = 0; i < 4; ++i) {
    poke(t, 0x1000 + 4 * i, a[i]);
    poke(t, 0x1200 + 4 * i, b[i]);
  }
  set_vec(t, 0, 4, false, false);
  set_vec(t, 1, 4, false, true);
  go({isa::vec::make(op(0), op(1), op(2), 1, 0), isa::vec::make(op(0), op(1), op(3), 1, 1)});
  const int32_t sum[] = {INT32_MAX, INT32_MIN, -3, 7}, relu[] = {INT32_MAX, 0, 0, 7};
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(peek<int32_t>(t, 0x1400 + 4 * i), sum[i]);
    EXPECT_EQ(peek<int32_t>(t, 0x1600 + 4 * i), relu[i]);
  }
  EXPECT_EQ(count(Counter::kSats), 4u);
  EXPECT_EQ(count(Counter::kSramRd), 4u);
}

// Outer loop of 3, inner of 2: a2 steps 16 inside, and the outer increment takes the inner ones back and adds 64.
// Destinations: 0, 16, 64, 80, 128, 144.
TEST_F(Tile, NestedLoopsAndRewind) {
  set_agu(t, 2, 0, {64 - 32, 16});
  go({isa::loop::make(0, 0, 2, 3), isa::loop::make(0, 0, 1, 2),
      isa::send::make(op(0), isa::kHostTile, op(2), 4, 0, 0)});
  ASSERT_EQ(t.sent().size(), 6u);
  const uint32_t addr[] = {0, 16, 64, 80, 128, 144};
  for (uint32_t i = 0; i < 6; ++i) EXPECT_EQ(t.sent()[i].addr, addr[i]);
  EXPECT_EQ(t.config(cfg::kAguBase + 2 * 8), 192u);  // 3 * 64: increments happen at the end of the last iteration too
  EXPECT_EQ(count(Counter::kInstr), 1u + 3 + 6 + 1);
}

// Window of 48 bytes from 0x100: 0x100, 0x120, 0x140 -> 0x110, 0x130, 0x150 -> 0x120.
TEST_F(Tile, AguWrapsOnce) {
  set_agu(t, 2, 0x100, {32}, 0x100, 48);
  go({isa::loop::make(0, 0, 1, 4), isa::send::make(op(0), isa::kHostTile, op(2), 4, 0, 0)});
  const uint32_t addr[] = {0x100, 0x120, 0x110, 0x100};
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(t.sent()[i].addr, addr[i]) << i;
}

TEST_F(Tile, AguWrapsDownAndByOffset) {
  set_agu(t, 2, 0x100, {-16}, 0x100, 48);
  go({isa::loop::make(0, 0, 2, 2), isa::send::make(op(0), isa::kHostTile, op(2), 4, 0, 0),
      isa::send::make(op(0), isa::kHostTile, op(2, 2), 4, 0, 0)});
  const uint32_t addr[] = {0x100, 0x120, 0x120, 0x110};  // second pass: 0x100 - 16 -> 0x120; 0x120 + 32 -> 0x110
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(t.sent()[i].addr, addr[i]) << i;
}

TEST_F(Tile, ScalarCountAndSkippedBodyEndTheOuterLoop) {
  set_agu(t, 2, 0, {16});
  // Outer loop of s2 = 3 whose body ends with a skipped loop.
  go({isa::setr::make(cfg::kScalarBase + 2, 0x70003), isa::loop::make(1, 2, 4, 999),
      isa::send::make(op(0), isa::kHostTile, op(2), 4, 0, 0), isa::loop::make(0, 0, 2, 0), ~uint64_t{0}, ~uint64_t{0}});
  EXPECT_EQ(t.status().fault, Fault::kNone);
  ASSERT_EQ(t.sent().size(), 3u);
  EXPECT_EQ(t.sent()[2].addr, 32u);
  EXPECT_EQ(count(Counter::kInstr), 1u + 1 + 6 + 1);
}

TEST_F(Tile, SendMasksTheTailAndCarriesTheToken) {
  for (uint32_t i = 0; i < 21; ++i) poke<uint8_t>(t, 0x1010 + i, static_cast<uint8_t>(i));
  set_agu(t, 2, 0x40);
  go({isa::send::make(op(0, 1), isa::kHostTile, op(2), 21, 1, 9), isa::send::make(op(0), 1, op(2), 0, 1, 3)});
  ASSERT_EQ(t.sent().size(), 3u);
  EXPECT_EQ(t.sent()[0].strb, 0xFFFF);
  EXPECT_FALSE(t.sent()[0].token_en);
  EXPECT_EQ(t.sent()[1].addr, 0x50u);
  EXPECT_EQ(t.sent()[1].strb, 0x001F);
  EXPECT_TRUE(t.sent()[1].token_en);
  EXPECT_EQ(t.sent()[1].token, 9);
  EXPECT_EQ(t.sent()[1].data[4], 20);
  EXPECT_EQ(t.sent()[2].tile, 1);
  EXPECT_EQ(t.sent()[2].strb, 0);
  EXPECT_EQ(count(Counter::kFlitsOut), 3u);
  EXPECT_EQ(count(Counter::kSramRd), 2u);  // bytes 0x1010..0x1024 lie in two lines
}

TEST_F(Tile, FlitsWriteSramConfigurationAndTokens) {
  load(t, 0, {isa::wait::make(kSeq, 5, 2), isa::halt::make()});
  t.start(0);
  EXPECT_EQ(t.run(1000), TileStop::kBlocked);
  Flit f;
  f.addr = 0x800;
  f.strb = 0x0003;
  f.token_en = true;
  f.token = 5;
  f.data[0] = 0x34;
  f.data[1] = 0x12;
  t.deliver(f);
  EXPECT_EQ(t.run(1000), TileStop::kBlocked);
  f.addr = cfg::noc_addr(cfg::kScalarBase);
  f.strb = 0x00FF;
  f.data[4] = 7;
  t.deliver(f);
  EXPECT_EQ(t.run(1000), TileStop::kHalted);
  EXPECT_EQ(peek<uint16_t>(t, 0x800), 0x1234);
  EXPECT_EQ(t.config(cfg::kScalarBase), 0x1234u);
  EXPECT_EQ(t.config(cfg::kScalarBase + 1), 7u);
  EXPECT_EQ(t.token(5), 0);
  EXPECT_EQ(count(Counter::kFlitsIn), 2u);
  EXPECT_EQ(count(Counter::kSramWr), 1u);
}

TEST_F(Tile, FlitReadIsAnsweredPastABlockedWait) {
  for (uint32_t i = 0; i < 40; ++i) poke<uint8_t>(t, 0x1000 + i, static_cast<uint8_t>(i + 1));
  load(t, 0, {isa::wait::make(kNet, 1, 1), isa::halt::make()});
  t.start(0);
  EXPECT_EQ(t.run(1000), TileStop::kBlocked);
  Flit f;
  f.kind = FlitKind::kRead;
  f.addr = 0x1000;
  f.strb = 0xFFFF;
  f.data[0] = 40;
  t.deliver(f);
  t.run(1000);
  ASSERT_EQ(t.sent().size(), 3u);
  EXPECT_EQ(t.sent()[2].kind, FlitKind::kResp);
  EXPECT_EQ(t.sent()[2].addr, 32u);
  EXPECT_EQ(t.sent()[2].strb, 0x00FF);
  EXPECT_TRUE(t.sent()[2].token_en);
  EXPECT_EQ(t.sent()[2].data[7], 40);
  EXPECT_EQ(count(Counter::kSramRd), 2u);
}

TEST_F(Tile, BadFlitReadIsAnsweredEmptyAndFaults) {
  Flit f;
  f.kind = FlitKind::kRead;
  f.addr = 16384 - 16;
  f.strb = 0xFFFF;
  f.data[0] = 32;
  t.deliver(f);
  t.run(1000);
  ASSERT_EQ(t.sent().size(), 1u);
  EXPECT_EQ(t.sent()[0].strb, 0);
  EXPECT_TRUE(t.sent()[0].token_en);
  EXPECT_EQ(t.status().fault, Fault::kAddress);
}

// SETR of a slot waits for idle engines, so each MVM sees the slot as it was when it was issued.
TEST_F(Tile, SlotsChangeOnlyBetweenOperations) {
  cells({1}, 1, 1);
  poke<int8_t>(t, 0x1000, 64);
  set_slot(t, 0, {.k = 1});
  const uint32_t word = cfg::kMvmcfgBase + cfg::mvmcfg::range.word;
  const uint32_t value = t.config(word) | static_cast<uint32_t>(cfg::mvmcfg::range.put(5));
  go({isa::mvm::make(op(0), op(1), 0), isa::setr::make(word, value), isa::mvm::make(op(0), op(2), 0)});
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 64 * 256);
  EXPECT_EQ(peek<int32_t>(t, 0x1400), 2 * 256);
}

// --- Faults

TEST_F(Tile, FaultIllegalOpcode) {
  fault(Fault::kIllegalInstr, 1, {isa::nop::make(), isa::kOpcode.put(63)});
  EXPECT_EQ(count(Counter::kInstr), 1u);
}
TEST_F(Tile, FaultWaitWithCountZero) { fault(Fault::kIllegalInstr, 0, {isa::wait::make(kVec, 0, 0)}); }
TEST_F(Tile, FaultSendBeyondHost) { fault(Fault::kIllegalInstr, 0, {isa::send::make(op(0), 65, op(1), 4, 0, 0)}); }
// The tiny chip has tiles 0 and 1.
TEST_F(Tile, FaultSendOutsideTheMesh) {
  fault(Fault::kIllegalInstr, 0, {isa::send::make(op(0), 2, op(1), 4, 0, 0)});
  fault(Fault::kIllegalInstr, 0, {isa::send::make(op(0), 63, op(1), 0, 0, 0)});  // before CONFIG
  EXPECT_EQ(go({isa::send::make(op(0), 1, op(1), 4, 0, 0)}), TileStop::kHalted);
}
TEST_F(Tile, FaultEmptySend) { fault(Fault::kConfig, 0, {isa::send::make(op(0), 64, op(1), 0, 0, 0)}); }
TEST_F(Tile, FaultMisalignedVector) {
  set_vec(t, 0, 8, false, false);
  fault(Fault::kAddress, 0, {isa::vec::make(op(0, 1), 0, op(1), 0, 0)});
}
TEST_F(Tile, Int8DestinationNeeds16Bytes) {
  set_vec(t, 0, 8, true, false);
  EXPECT_EQ(go({isa::vec::make(op(0), op(0, 1), op(1, 1), 0, 0)}),
            TileStop::kHalted);  // b is not checked without use_b
}
TEST_F(Tile, FaultVectorBeyondSram) {
  set_vec(t, 0, 9, false, false);
  set_agu(t, 0, 16384 - 32);
  fault(Fault::kAddress, 0, {isa::vec::make(op(0), 0, op(1), 0, 0)});
}
TEST_F(Tile, FaultMvmDestination) {
  set_slot(t, 0, {.mux_count = 4});
  set_agu(t, 1, 16384 - 96);
  fault(Fault::kAddress, 0, {isa::mvm::make(op(0), op(1), 0)});
}
TEST_F(Tile, FaultSendToHostBit23) {
  set_agu(t, 1, 1 << 23);
  fault(Fault::kAddress, 0, {isa::send::make(op(0), 64, op(1), 4, 0, 0)});
}
TEST_F(Tile, OutboxMayBeLargerThanTheSram) {
  set_agu(t, 1, 1 << 22);
  EXPECT_EQ(go({isa::send::make(op(0), 64, op(1), 4, 0, 0)}), TileStop::kHalted);
}
TEST_F(Tile, FaultSetrOutsideConfiguration) { fault(Fault::kAddress, 0, {isa::setr::make(0x400, 0)}); }
TEST_F(Tile, FaultPcOutsideSram) {
  load(t, 2047, {isa::nop::make()});
  t.start(2047);
  EXPECT_EQ(t.run(1000), TileStop::kFaulted);
  EXPECT_EQ(t.status().fault, Fault::kAddress);
  EXPECT_EQ(t.status().pc, 2048);
}
TEST_F(Tile, FaultSegmentOutsideSramWhileReading) {
  set_slot(t, 0, {.k = 8, .n_seg = 2, .seg_stride = 16384});
  fault(Fault::kAddress, -1, {isa::mvm::make(op(0), op(1), 0), isa::wait::make(kSeq, 0, 1)});
  EXPECT_EQ(count(Counter::kMvmOps), 1u);  // what is queued is finished
}
TEST_F(Tile, FaultFiveLoops) {
  std::vector<uint64_t> code;
  for (uint32_t i = 0; i < 5; ++i) code.push_back(isa::loop::make(0, 0, 10 - i, 1));
  fault(Fault::kLoop, 4, code);
}
TEST_F(Tile, FaultEmptyLoop) { fault(Fault::kLoop, 0, {isa::loop::make(0, 0, 0, 0)}); }
TEST_F(Tile, FaultInnerLoopEndsAfterOuter) {
  fault(Fault::kLoop, 1, {isa::loop::make(0, 0, 2, 1), isa::loop::make(0, 0, 2, 0)});
}
TEST_F(Tile, FaultTokenOverflow) {
  fault(Fault::kTokenOverflow, -1,
        {isa::signal::make(kSeq, 3, 255), isa::signal::make(kSeq, 3, 1), isa::wait::make(kSeq, 0, 1)});
  EXPECT_EQ(t.token(3), 255);
}
TEST_F(Tile, TokensReach255) {
  EXPECT_EQ(go({isa::signal::make(kSeq, 3, 255), isa::wait::make(kSeq, 3, 255)}), TileStop::kHalted);
  EXPECT_EQ(t.token(3), 0);
}
TEST_F(Tile, FaultFlitOutsideSramLosesItsToken) {
  Flit f;
  f.addr = 16384;
  f.strb = 1;
  f.token_en = true;
  t.deliver(f);
  EXPECT_EQ(t.status().fault, Fault::kAddress);
  EXPECT_TRUE(t.status().halted);
  EXPECT_EQ(t.token(0), 0);
}

struct BadSlot {
  const char* name;
  Slot slot;
};
class FaultConfig : public Tile, public ::testing::WithParamInterface<BadSlot> {};
TEST_P(FaultConfig, AtIssue) {
  set_slot(t, 0, GetParam().slot);
  fault(Fault::kConfig, 0, {isa::mvm::make(op(0), op(1), 0)});
}
INSTANTIATE_TEST_SUITE_P(
    Slots, FaultConfig,
    ::testing::Values(BadSlot{"KZero", {.k = 0, .seg_len = 0}}, BadSlot{"KBeyondRows", {.k = 33}},
                      BadSlot{"RowBaseUnaligned", {.row_base = 2}}, BadSlot{"RowsBeyond", {.k = 8, .row_base = 28}},
                      BadSlot{"ReferenceTooLong", {.k = 5, .row_base = 32}},
                      BadSlot{"SegmentsDoNotFillK", {.k = 7, .seg_len = 2, .n_seg = 3}},
                      BadSlot{"WSlices3", {.w_slices = 3}}, BadSlot{"AdcBits3", {.adc_bits = 3}},
                      BadSlot{"AdcBits9", {.adc_bits = 9}}, BadSlot{"GroupZero", {.group_rows = 0}},
                      BadSlot{"GroupUnaligned", {.k = 8, .group_rows = 6}}, BadSlot{"NoBlocks", {.mux_count = 0}},
                      BadSlot{"BlocksBeyond", {.mux_first = 3, .mux_count = 2}}),
    [](const auto& i) { return i.param.name; });

TEST_F(Tile, FaultTimingZero) {
  set_slot(t, 0, {});
  t.write_config(cfg::kTimingBase, 4);
  fault(Fault::kConfig, 0, {isa::mvm::make(op(0), op(1), 0)});
}
TEST_F(Tile, FaultVectorSlots) {
  set_vec(t, 0, 0, false, false);
  fault(Fault::kConfig, 0, {isa::vec::make(op(0), 0, op(1), 0, 0)});
  set_vec(t, 0, 8, false, false, 1, 63);
  fault(Fault::kConfig, 0, {isa::vec::make(op(0), 0, op(1), 0, 0)});
}

TEST_F(Tile, FaultDropsWaitsAndTheNextStartClearsIt) {
  fault(Fault::kIllegalInstr, 2, {isa::wait::make(kMvm, 1, 1), isa::wait::make(kVec, 1, 1), isa::kOpcode.put(63)});
  load(t, 100, {isa::halt::make()});
  t.start(100);
  EXPECT_EQ(t.run(1000), TileStop::kHalted);
  EXPECT_EQ(t.status().fault, Fault::kNone);
}

// --- Deadlock

TEST_F(Tile, WaitWithoutSignalBlocks) {
  EXPECT_EQ(go({isa::wait::make(kSeq, 2, 1)}), TileStop::kBlocked);
  EXPECT_TRUE(t.status().running);
}

// An engine holds its WAIT and its queue is filled by 8 more items, that of the vector unit by 16; the next one stops
// the sequencer before the SIGNAL that would help.
TEST_F(Tile, QueueDepthDecidesDeadlock) {
  const std::pair<uint32_t, uint32_t> depths[] = {{kMvm, 8}, {kVec, 16}, {kNet, 8}};
  for (const auto& [engine, depth] : depths)
    for (const uint32_t items : {depth, depth + 1}) {
      GoldenTile copy = t;
      std::vector<uint64_t> code{isa::wait::make(engine, 1, 1)};
      for (uint32_t i = 0; i < items; ++i) code.push_back(isa::signal::make(engine, 2, 1));
      code.push_back(isa::signal::make(kSeq, 1, 1));
      code.push_back(isa::halt::make());
      load(copy, 0, code);
      copy.start(0);
      EXPECT_EQ(copy.run(100000), items == depth ? TileStop::kHalted : TileStop::kBlocked) << engine << " " << items;
    }
}

TEST_F(Tile, CopiesAreIndependent) {
  cells({3}, 1, 1);
  poke<int8_t>(t, 0x1000, 5);
  set_slot(t, 0, {.k = 1});
  load(t, 0, {isa::mvm::make(op(0), op(1), 0), isa::halt::make()});
  GoldenTile copy = t;
  t.start(0);
  t.run(100000);
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 15 * 256);
  EXPECT_EQ(peek<int32_t>(copy, 0x1200), 0);
  EXPECT_EQ(copy.macro().drive_count(), 0u);
  poke<int8_t>(copy, 0x1000, 2);
  copy.start(0);
  copy.run(100000);
  EXPECT_EQ(peek<int32_t>(copy, 0x1200), 6 * 256);
  EXPECT_EQ(peek<int32_t>(t, 0x1200), 15 * 256);
}

// Steady state of pipelined MVMs: the ADC sets the pace, mux x (bits + 2) cycles an operation of one phase.
TEST_F(Tile, AdcBoundThroughput) {
  set_slot(t, 0, {.k = 32, .mux_count = 4});
  t.write_config(cfg::kTimingBase, 4 | 16 << 8);
  const auto cycles = [&](uint32_t n) {
    GoldenTile c = t;
    load(c, 0, {isa::loop::make(0, 0, 1, n), isa::mvm::make(op(0), op(1), 0), isa::halt::make()});
    c.start(0);
    c.run(1u << 30);
    return c.now();
  };
  EXPECT_EQ(cycles(200) - cycles(100), 100u * 4 * 10);
}

TEST(Disassembler, ReadsEveryInstruction) {
  EXPECT_EQ(golden::disassemble(isa::mvm::make(op(1, 2), op(3), 2)), "MVM    src=a1+0x20 dst=a3 cfg=2");
  EXPECT_EQ(golden::disassemble(isa::vec::make(op(1), op(2), op(3, 1), 1, 4)), "VEC    a=a1 b=a2 dst=a3+0x10 cfg=4");
  EXPECT_EQ(golden::disassemble(isa::send::make(op(0), 64, op(1), 12, 1, 3)), "SEND   src=a0 to=host dst=a1 len=12 t3");
  EXPECT_EQ(golden::disassemble(isa::prog::make(op(1), op(2, 4), op(3), 5, 1)),
            "PROG   row=a5 src=a1 dst=a2+0x40 fail=a3 cfg=1");
  EXPECT_EQ(golden::disassemble(isa::setr::make(0x183, 0x102)), "SETR   REPAIR[3] = 0x00000102");
  EXPECT_EQ(golden::disassemble(isa::wait::make(kNet, 4, 2)), "WAIT   net t4 >= 2");
  EXPECT_EQ(golden::disassemble(isa::signal::make(kVec, 4, 2)), "SIGNAL vec t4 += 2");
  EXPECT_EQ(golden::disassemble(isa::setr::make(0x08C, 0x10)), "SETR   MVMCFG[1].4 = 0x00000010");
  EXPECT_EQ(golden::disassemble(isa::loop::make(0, 0, 3, 7)), "LOOP   7 len=3");
  EXPECT_EQ(golden::disassemble(isa::loop::make(1, 5, 3, 0)), "LOOP   s5 len=3");
  EXPECT_EQ(golden::disassemble(isa::kOpcode.put(20)), ".word 0x5000000000000000");
  const uint64_t code[] = {isa::loop::make(0, 0, 1, 2), isa::nop::make(), isa::halt::make()};
  EXPECT_EQ(golden::disassemble(code, 3, 8), "    8  LOOP   2 len=1\n    9    NOP\n   10  HALT\n");
}

}  // namespace
}  // namespace ohmac::test
