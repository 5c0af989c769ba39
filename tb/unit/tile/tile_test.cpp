// SPDX-License-Identifier: Apache-2.0
// What a tile does when all is well. Expected values: the arithmetic of the MVM engine in tb/unit/tile_mvm/mvm_model.h,
// the rest by hand here. Traps: tile_traps_test.cpp.
#include "tb/unit/tile/tile_bench.h"

namespace ohmac::tb {
namespace {

TEST_F(Tile, MemoryIsWrittenAndReadOverTheNoc) {
  std::vector<uint8_t> bytes(1000);
  for (auto& b : bytes) b = static_cast<uint8_t>(rng());
  always = false;
  write(0x230, bytes);
  settle_all();
  EXPECT_EQ(read(0x230, 1000), bytes);
  EXPECT_EQ(read(0x240, 33), std::vector<uint8_t>(bytes.begin() + 16, bytes.begin() + 49));
  read(0, 0);  // the fence
  ASSERT_EQ(from_tile.size(), 1u);
  EXPECT_EQ(from_tile[0].strb, 0u);
  EXPECT_EQ(counter(isa::Counter::kFlitsIn), 63u + 3u);
  EXPECT_EQ(counter(isa::Counter::kFlitsOut), 63u + 3u + 1u);
  EXPECT_EQ(counter(isa::Counter::kSramWr), 63u);
  EXPECT_EQ(fault(), isa::Fault::kNone);
}

TEST_F(Tile, ClockStopsWhenNothingMovesAndTheStateStaysReadable) {
  settle_all();
  const uint64_t before = clocked;
  for (int i = 0; i < 100; ++i) cycle();
  EXPECT_EQ(clocked, before);
  const uint32_t active = counter(isa::Counter::kActive);
  program(0, {isa::nop::make(), isa::halt::make()});
  settle_all();
  start(0);
  settle_all();
  EXPECT_TRUE(halted());
  EXPECT_FALSE(running());
  EXPECT_EQ(pc(), 1u);
  EXPECT_EQ(counter(isa::Counter::kInstr), 2u);
  EXPECT_EQ(counter(isa::Counter::kActive) - active, clocked - before);
  EXPECT_LT(clocked - before, 60u);
}

TEST_F(Tile, RefusesWritesAndReadsOutsideItsSpaces) {
  write(kSram, {1, 2, 3});
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kAddress);
  EXPECT_TRUE(halted());
  program(0, {isa::halt::make()});
  settle_all();
  start(0);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kNone);
  from_tile.clear();
  Flit r;
  r.kind = kFlitRead;
  r.addr = kSram - 16;
  r.data[0] = 17;
  to_tile.push_back(r);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kAddress);
  ASSERT_EQ(from_tile.size(), 1u);  // still an answer
  EXPECT_EQ(from_tile[0].strb, 0u);
  EXPECT_TRUE(from_tile[0].token_en);
  write(0x802000, {1, 2, 3, 4});
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kAddress);
}

TEST_F(Tile, TokenOverflowStopsTheTile) {
  program(0, {isa::wait::make(0, 1, 1), isa::halt::make()});
  settle_all();
  start(0);
  for (int i = 0; i < 256; ++i) token(0);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kTokenOverflow);
  EXPECT_TRUE(halted());
  EXPECT_EQ(pc(), 0u);
}

TEST_F(Tile, FaultDropsQueuedWaitsAndFinishesQueuedWork) {
  std::vector<uint8_t> a(32);
  for (auto& b : a) b = static_cast<uint8_t>(rng());
  write(0x1000, a);
  agu(0, 0x1000);
  agu(1, 0x1100);
  write_words(cfg::kVeccfgBase, {static_cast<uint32_t>(vc::len.put(8)), 0, 0, 0});
  program(0, {isa::wait::make(2, 3, 1), isa::vec::make(isa::operand(0, 0), 0, isa::operand(1, 0), 0, 0),
              isa::wait::make(3, 4, 1), isa::wait::make(1, 5, 9), isa::signal::make(2, 6, 1), isa::kOpcode.put(5),
              isa::halt::make()});
  settle_all();
  start(0);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kIllegalInstr);
  EXPECT_EQ(pc(), 5u);
  EXPECT_EQ(read(0x1100, 32), a);
  program(0, {isa::wait::make(0, 6, 1), isa::halt::make()});  // the SIGNAL behind it fired
  settle_all();
  start(0);
  settle_all();
  EXPECT_TRUE(halted());
  EXPECT_EQ(fault(), isa::Fault::kNone);
}

TEST_F(Tile, MvmSegmentOutsideTheSramStopsTheTile) {
  Cfg c;
  c.k = c.seg_len = 16;
  c.group_rows = 32;
  mvm_slot(0, c);
  agu(0, 0xFFFFF8);  // -8: half of the segment lies before the SRAM
  agu(1, 0x1000);
  program(0, {isa::mvm::make(isa::operand(0, 0), isa::operand(1, 0), 0), isa::wait::make(0, 1, 1), isa::halt::make()});
  settle_all();
  start(0);
  settle_all();
  EXPECT_EQ(fault(), isa::Fault::kAddress);
  EXPECT_TRUE(halted());
  EXPECT_EQ(pc(), 1u);
}

// Vectors stream in, go through MVM, bias, ReLU and requantisation, and stream out, every hand-over by tokens over
// rings of four.
class Pipeline : public Tile {
 protected:
  static constexpr unsigned kVectors = 24, kIn = 0x0000, kPsum = 0x0400, kBias = 0x0C00, kOut = 0x1000,
                            kCode = 0x3000 / 8;
  // tokens
  enum { kInput = 0, kPsums = 1, kPsumFree = 3, kOutput = 4, kOutFree = 6, kGo = 7 };

  struct Result {
    std::vector<std::vector<uint8_t>> outputs;
    std::map<std::string, uint32_t> counters;
    uint64_t cycles = 0;
  };

  Result run(const Cfg& c, uint64_t noc_seed, bool no_stalls) {
    std::mt19937_64 data(77);
    std::vector<uint8_t> sram(kSram);
    std::vector<Cal> cal(kCols);
    std::vector<uint32_t> cal_words;
    for (auto& k : cal) {
      k.gain = static_cast<uint16_t>(14000 + data() % 5000);
      k.offset = static_cast<int16_t>(data() % 200 - 100);
      cal_words.push_back(uint32_t{static_cast<uint16_t>(k.offset)} << 16 | k.gain);
    }
    const unsigned outputs = (c.mux_count * kLanes) >> c.w_slices;
    constexpr uint32_t kMult = 1234567, kShift = 28;
    std::vector<int32_t> bias(outputs);
    std::vector<uint8_t> bias_bytes;
    for (auto& b : bias) {
      b = static_cast<int32_t>(data() % 20000) - 10000;
      for (unsigned i = 0; i < 4; ++i) bias_bytes.push_back(static_cast<uint8_t>(static_cast<uint32_t>(b) >> (8 * i)));
    }
    // Rings of four: 64 bytes an input, 256 a psum vector, 32 an output. The MVM of the next vector is issued before
    // the rest of this one, so that the queues of the other engines do not hold it up: its operands are one ring place
    // ahead.
    const auto mvm_part = [](unsigned ahead) {
      return std::vector<uint64_t>{isa::wait::make(1, kInput, 1), isa::wait::make(1, kPsumFree, 1),
                                   isa::mvm::make(isa::operand(0, 4 * ahead), isa::operand(1, 16 * ahead), 2),
                                   isa::signal::make(1, kPsums, 1)};
    };
    const std::vector<uint64_t> rest{isa::wait::make(2, kPsums, 1),
                                     isa::wait::make(2, kOutFree, 1),
                                     isa::vec::make(isa::operand(1, 0), isa::operand(2, 0), isa::operand(3, 0), 1, 5),
                                     isa::signal::make(2, kPsumFree, 1),
                                     isa::signal::make(2, kOutput, 1),
                                     isa::wait::make(3, kOutput, 1),
                                     isa::send::make(isa::operand(3, 0), 64, isa::operand(4, 0), outputs, 1, 9),
                                     isa::signal::make(3, kOutFree, 1),
                                     isa::send::make(isa::operand(3, 0), 64, isa::operand(4, 0), 0, 1, 5)};
    std::vector<uint64_t> words{isa::signal::make(0, kPsumFree, 4), isa::signal::make(0, kOutFree, 4),
                                isa::wait::make(0, kGo, 2)};
    const auto add = [&words](const std::vector<uint64_t>& part) {
      words.insert(words.end(), part.begin(), part.end());
    };
    add(mvm_part(0));
    add({isa::loop::make(1, 2, 13, 0)});
    add(mvm_part(1));
    add(rest);
    add(rest);
    add({isa::halt::make()});
    program(kCode, words);
    write_words(cfg::kScalarBase, {0, 0, kVectors - 1, 0});
    agu(0, kIn, 64, kIn, 256);
    agu(1, kPsum, 256, kPsum, 1024);
    agu(2, kBias);
    agu(3, kOut, 32, kOut, 128);
    agu(4, 0x4000, 64);  // outbox: beyond the SRAM of a tile
    mvm_slot(2, c);
    write_words(cfg::kVeccfgBase + 20,
                {static_cast<uint32_t>(vc::len.put(outputs) | vc::requant.put(1) | vc::relu.put(1)), kMult, kShift, 0});
    write_words(cfg::kCalBase, cal_words);
    write_words(cfg::kTimingBase, {3 | 9 << 8, 0, 0, 0});
    write(kBias, bias_bytes);
    rng.seed(noc_seed);
    always = no_stalls;
    settle_all();
    start(kCode);
    const uint64_t began = chip_cycles;

    Result r;
    uint64_t rd = 0, sats = 0, clips = 0, row_words = 0;
    int64_t drives = 0;
    unsigned credits = 4, sent = 0;
    token(kGo);
    token(kGo);
    from_tile.clear();
    size_t looked = 0;
    std::map<unsigned, std::vector<uint8_t>> got;
    for (unsigned n = 0; n < 400000 && (running() || !quiet()) && !HasFatalFailure(); ++n) {
      if (credits > 0 && sent < kVectors) {
        std::vector<uint8_t> v(c.k);
        for (auto& b : v) b = static_cast<uint8_t>(data() % 3 ? data() : 0);
        write(kIn + 64 * (sent % 4), v, kInput);
        // Expected result of this vector.
        for (unsigned i = 0; i < c.k; ++i) sram[kIn + 64 * (sent % 4) + i] = v[i];
        Item it;
        it.src = static_cast<int32_t>(kIn + 64 * (sent % 4));
        const Fetched f = fetch(c, it, sram);
        rd += f.lines;
        std::vector<int32_t> acc(c.mux_count * kLanes, 0);
        int64_t shift_sum = 0;
        for (const Phase& p : phases(c, f.v, kRows, 0)) {
          ++drives;
          row_words += p.words;
          shift_sum += int64_t{1} << p.shift;
          const auto s = macro.columns(p.latch);
          for (unsigned i = 0; i < acc.size(); ++i) {
            const int32_t code = adc_code(s[c.mux_first * kLanes + i], c.range, c.adc_bits),
                          half = 1 << (c.adc_bits - 1);
            clips += code == -half || code == half - 1;
            acc[i] = static_cast<int32_t>(saturate<int64_t>(acc[i] + int64_t{code} * (1 << p.shift), 24, sats));
          }
        }
        std::vector<uint8_t> out;
        const auto psums = post(c, acc, cal, kLanes, shift_sum, sats);
        for (unsigned i = 0; i < outputs; ++i) {
          const int64_t x = std::max<int64_t>(saturate<int64_t>(int64_t{psums[i]} + bias[i], 32, sats), 0);
          const int64_t p = x * kMult, q = p >> kShift, remainder = p & ((int64_t{1} << kShift) - 1),
                        half = int64_t{1} << (kShift - 1);
          const int64_t y = q + (remainder > half || (remainder == half && (q & 1)));
          out.push_back(static_cast<uint8_t>(std::min<int64_t>(y, 127)));
        }
        r.outputs.push_back(out);
        ++sent;
        --credits;
      }
      cycle();
      for (; looked < from_tile.size(); ++looked) {
        const Flit& f = from_tile[looked];
        EXPECT_TRUE(f.host);
        if (f.token_en && f.token == 5) {
          ++credits;
          continue;
        }
        auto& out = got[(f.addr - 0x4000) / 64];
        for (unsigned b = 0; b < 16; ++b) {
          if (f.strb >> b & 1) out.push_back(f.byte(b));
        }
        const bool last = out.size() == outputs;
        EXPECT_EQ(f.token_en, last);
        if (last) {
          EXPECT_EQ(f.token, 9u);
        }
      }
    }
    r.cycles = chip_cycles - began;
    EXPECT_TRUE(halted());
    EXPECT_EQ(fault(), isa::Fault::kNone);
    EXPECT_EQ(got.size(), kVectors);
    for (unsigned i = 0; i < kVectors; ++i) EXPECT_EQ(got[i], r.outputs[i]) << "vector " << i;
    for (const auto& info : isa::kCounters) {
      if (info.exact) r.counters[info.name] = counter(static_cast<isa::Counter>(info.index));
    }
    const unsigned steps = (outputs + 7) / 8, out_flits = (outputs + 15) / 16;
    const unsigned conversions = static_cast<unsigned>(drives) * c.mux_count;
    EXPECT_EQ(r.counters["instr"], 3 + 4 + 1 + 13 * (kVectors - 1) + 9 + 1);
    EXPECT_EQ(r.counters["mvm_ops"], kVectors);
    EXPECT_EQ(r.counters["drives"], drives);
    EXPECT_EQ(r.counters["conversions"], conversions * kLanes);
    EXPECT_EQ(r.counters["trials"], conversions * kLanes * c.adc_bits);
    EXPECT_EQ(r.counters["adc_busy"], conversions * (c.adc_bits + 2));
    EXPECT_EQ(r.counters["clips"], clips);
    EXPECT_EQ(r.counters["row_words"], row_words);
    EXPECT_EQ(r.counters["sats"], sats);
    EXPECT_EQ(r.counters["vec_lines"], kVectors * steps);
    EXPECT_EQ(r.counters["flits_out"], kVectors * (out_flits + 1));
    EXPECT_EQ(r.counters["sram_rd"], rd + kVectors * (2 * steps + (outputs + 31) / 32));
    return r;
  }
};

TEST_F(Pipeline, StreamsVectorsThroughMvmVectorUnitAndSender) {
  Cfg c;
  c.k = 32;
  c.seg_len = 8;
  c.n_seg = 4;
  c.seg_stride = 8;
  c.in_slice = 0;
  c.range = 12;
  c.group_rows = 32;
  c.mux_count = 4;
  run(c, 5, true);
}

TEST_F(Pipeline, SlicesAndGroupsUnderRandomNocStalls) {
  Cfg c;
  c.k = 24;
  c.seg_len = 6;
  c.n_seg = 4;
  c.seg_stride = 6;
  c.in_slice = 2;
  c.w_slices = 1;
  c.range = 6;
  c.adc_bits = 7;
  c.group_rows = 8;
  c.mux_first = 1;
  c.mux_count = 3;
  c.row_base = 8;
  const uint64_t seed = test_seed(12);
  SCOPED_TRACE(seed);
  run(c, seed, false);
}

TEST_F(Pipeline, AdcIsTheBound) {
  // 4 blocks of 10 cycles and one phase a vector: everything else must hide behind the conversions.
  Cfg c;
  c.k = c.seg_len = 32;
  c.range = 12;
  c.group_rows = 32;
  c.mux_count = 4;
  const Result r = run(c, 6, true);
  RecordProperty("cycles", static_cast<int>(r.cycles));
  EXPECT_LE(r.cycles, kVectors * 40 + 110);
}

}  // namespace
}  // namespace ohmac::tb
