// SPDX-License-Identifier: Apache-2.0
// Programming, repair, faults and time of the macro, at pins and by calls.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "models/device/simd.h"
#include "models/macro/macro.h"
#include "tb/unit/models/pin_timeline.h"

namespace {

using namespace ohmac;
using test::PinTimeline;
using Codes = std::vector<int8_t>;

uint64_t test_seed() {
  const char* s = std::getenv("OHMAC_TEST_SEED");
  return s != nullptr ? std::strtoull(s, nullptr, 0) : 20240611;
}

Codes random_codes(size_t n, std::mt19937& g) {
  Codes v(n);
  for (auto& x : v) x = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
  return v;
}

MacroConfig config(const Geometry& g, const EffectSet& effects = EffectSet::none()) {
  MacroConfig c;
  c.geometry = g;
  c.effects = effects;
  return c;
}

/// Codes of every column with x on one row (rows: the reference row), 8 bits.
Codes read_row(Macro* m, uint32_t row, int8_t x, uint32_t range) {
  const Geometry& g = m->config().geometry;
  Codes in(g.rows + 1, 0), out(g.cols);
  in[row] = x;
  m->drive(in.data(), 32);
  for (uint32_t b = 0; b < g.mux(); ++b) m->convert(b, 2, range, 8, out.data() + b * g.lanes);
  return out;
}

/// One random sequence of phases, pulses and repairs as waveform and as calls.
class Sequence {
 public:
  Sequence(const Geometry& g, std::mt19937& rng, int length) : g_(g) {
    size_t t = 0;
    bool sampled = false;
    uint64_t hold_from = 0;
    for (int i = 0; i < length; ++i) {
      const uint32_t what = rng() % 8;
      t += rng() % 3;
      if (what < 3) {  // a phase; some conversions come after later pulses: they see what was sampled
        Step s{Step::kDrive, {}, {}, 0, 0};
        s.x.assign(g.rows + 1, 0);
        for (uint32_t r = rng() % g.rows, n = 1 + rng() % 3; n > 0 && r < g.rows; ++r, --n)
          s.x[r] = random_codes(1, rng)[0];
        t = pins.load(t, false, s.x);
        t = pins.drive(t, false, false, 2, 20);
        hold_from = t - 1;
        sampled = true;
        steps.push_back(s);
      }
      if (what < 5 && sampled) {
        Step s{Step::kConvert, {}, {}, static_cast<uint32_t>(rng() % g.mux()), 0};
        s.cycles = static_cast<uint32_t>(t + 1 - hold_from);
        t = pins.convert(t, false, static_cast<uint8_t>(s.number), 6, 8);
        steps.push_back(s);
      } else if (what == 5) {
        const uint32_t lane = rng() % g.lanes, block = rng() % g.mux();
        const bool enable = lane < g.spares && rng() % 4 != 0;
        if (rng() % 8 == 0) {
          pins.at(t++).prog.repair_clr = true;
          steps.push_back({Step::kClear, {}, {}, 0, 0});
        } else {
          t = pins.repair(t, lane, enable, block);
          Step s{Step::kRepair, {}, {}, lane, block};
          s.prog.en = enable;
          steps.push_back(s);
        }
      } else {
        Step s{Step::kPulse, {}, {}, 0, 1 + static_cast<uint32_t>(rng() % 40)};
        s.prog.row = static_cast<uint16_t>(rng() % g.rows);
        s.prog.neg = rng() % 2;
        s.prog.set = rng() % 2;
        s.prog.amp = static_cast<uint8_t>(rng() % 16);
        for (uint32_t w = 0; w < (g.cols + 31) / 32; ++w) s.mask.push_back(rng() & rng());
        t = pins.pulse(t, s.mask, s.prog, s.cycles);
        steps.push_back(s);
        if (rng() % 3 == 0) {  // once more with the mask still there
          pins.at(t).prog.en = true;
          t = pins.pulse(t, {}, s.prog, s.cycles);
          steps.push_back(s);
        }
      }
    }
    pins.at(t + 1);
  }

  std::vector<Codes> call(Macro* m) const {
    std::vector<Codes> out;
    for (const Step& s : steps) {
      switch (s.what) {
        case Step::kDrive: m->drive(s.x.data(), 20); break;
        case Step::kConvert:
          out.emplace_back(g_.lanes);
          m->convert(s.number, s.cycles, 6, 8, out.back().data());
          break;
        case Step::kPulse: m->pulse(s.prog.row, s.prog.neg, s.prog.set, s.prog.amp, s.cycles, s.mask.data()); break;
        case Step::kRepair: m->repair(s.number, s.prog.en, s.cycles); break;
        case Step::kClear: m->repair_clear(); break;
      }
    }
    return out;
  }

  struct Step {
    enum What { kDrive, kConvert, kPulse, kRepair, kClear } what;
    Codes x;
    std::vector<uint32_t> mask;
    uint32_t number, cycles;
    ProgIn prog = {};
  };
  std::vector<Step> steps;
  PinTimeline pins;

 private:
  Geometry g_;
};

class ProgOnGeometry : public ::testing::TestWithParam<Geometry> {};
INSTANTIATE_TEST_SUITE_P(Sizes, ProgOnGeometry,
                         ::testing::Values(tiny_geometry(), reference_geometry(), Geometry{1, 1, 16, 120, 24, 16384, 5},
                                           Geometry{1, 1, 4, 8, 8, 16384, 0}));

TEST_P(ProgOnGeometry, PinLevelEqualsFunctionLevelWithEveryEffectOn) {
  const Geometry g = GetParam();
  std::mt19937 rng(static_cast<unsigned>(test_seed()));
  for (int round = 0; round < 5; ++round) {
    MacroConfig c = config(g, EffectSet());
    c.tile = rng() % 16;
    c.chip_seed = rng();
    c.faults.stuck_fraction = 0.02;
    c.faults.open_columns = round % 3;
    c.faults.dead_lanes = round % 2;
    Technology worn = *c.technology;
    worn.pulse.endurance = 30;
    c.technology = std::make_shared<const Technology>(worn);
    Macro by_pins(c);
    if (round % 2 != 0) by_pins.program_cells(0, 0, g.rows, g.cols, random_codes(g.rows * g.cols, rng).data());
    Macro by_calls(by_pins);
    for (int part = 0; part < 2; ++part) {
      Sequence s(g, rng, 150);
      const auto pins = s.pins.run(&by_pins);
      ASSERT_TRUE(by_pins.protocol_errors().empty()) << by_pins.protocol_errors()[0].rule;
      ASSERT_EQ(pins, s.call(&by_calls)) << "seed " << test_seed() << " round " << round;
      by_pins.advance_time(1e5);
      by_calls.advance_time(1e5);
    }
    ASSERT_EQ(by_pins.device_state().array.g_us, by_calls.device_state().array.g_us);
    EXPECT_GT(by_pins.device_report().pulses, 0u);
  }
}

TEST_P(ProgOnGeometry, EverySimdLevelGivesTheSameDevices) {
  const Geometry g = GetParam();
  const Simd before = simd_level();
  std::vector<double> want;
  for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
    if (!simd_supported(level)) continue;
    force_simd(level);
    std::mt19937 rng(6);
    Macro m(config(g, EffectSet()));
    Sequence(g, rng, 100).call(&m);
    if (want.empty()) want = m.device_state().array.g_us;
    EXPECT_EQ(m.device_state().array.g_us, want) << simd_name(level);
  }
  force_simd(before);
}

// --- Pulses, one at a time; ideal unless said. Weight units of a pulse: 127 / 25 uS.

TEST(MacroPulse, MovesTheWeightByTheHandValue) {
  Macro m(config(tiny_geometry()));
  const uint32_t mask = 0x10001;
  m.pulse(4, false, true, 10, 25, &mask);  // 0.25 uS 1.32^10 = 4.0149 uS = 20.396 units
  m.pulse(4, true, true, 10, 50, &mask);   // twice as long: 8.0298 uS on the other side
  Codes want(32, 0);
  want[0] = want[16] = -20;
  EXPECT_EQ(read_row(&m, 4, 1, 0), want);
  EXPECT_NEAR(m.weights(4, 16, 1, 1)[0], -20.396, 1e-3);
  EXPECT_EQ(m.weights(3, 16, 1, 1)[0], 0.0f);
}

TEST(MacroPulse, ASampleKeepsTheDevicesOfItsTime) {
  Macro m(config(tiny_geometry()));
  const uint32_t mask = ~0u;
  m.program_cells(0, 0, 1, 32, Codes(32, 40).data());
  Codes x(33, 0), out(8);
  x[0] = 1;
  m.drive(x.data(), 32);
  m.pulse(0, false, false, 15, 25, &mask);
  m.repair(0, true, 0);
  m.convert(0, 2, 0, 8, out.data());
  EXPECT_EQ(out, Codes(8, 40));
  EXPECT_NE(read_row(&m, 0, 1, 0)[1], 40);
}

TEST(MacroPulse, CopiesAreIndependent) {
  std::mt19937 rng(3);
  Macro a(config(tiny_geometry(), EffectSet()));
  a.program_cells(0, 0, 32, 32, random_codes(1024, rng).data());
  const auto before = a.weights(0, 0, 32, 32);  // the matrix is computed and shared
  Macro b(a), c(a);
  const uint32_t mask = 0xff00ff00;
  b.pulse(5, false, true, 9, 25, &mask);
  b.repair(1, true, 2);
  c.advance_time(1e6);
  EXPECT_EQ(a.weights(0, 0, 32, 32), before);
  auto others = b.weights(0, 0, 32, 32);
  EXPECT_NE(others, before);
  for (uint32_t r = 0; r < 32; ++r)
    for (uint32_t k = 0; k < 32; ++k)
      if (!(r == 5 && (mask >> k & 1) != 0) && k != 17) {
        EXPECT_EQ(others[r * 32 + k], before[r * 32 + k]) << r << ' ' << k;
      }
  Macro d(b);
  d.pulse(5, false, true, 9, 25, &mask);
  b.pulse(5, false, true, 9, 25, &mask);
  EXPECT_EQ(d.weights(0, 0, 32, 32), b.weights(0, 0, 32, 32));  // the same draws
}

TEST(MacroPulse, CopiesPulseOnThreadsWithTheSameResult) {
  std::mt19937 rng(3);
  Macro base(config(tiny_geometry(), EffectSet()));
  base.program_cells(0, 0, 32, 32, random_codes(1024, rng).data());
  const Sequence s(tiny_geometry(), rng, 60);
  Macro own(base);
  const auto want = s.call(&own);
  std::vector<Codes> got[4];
  std::vector<std::thread> threads;
  for (auto& out : got) threads.emplace_back([copy = Macro(base), &out, &s]() mutable { out = s.call(&copy); });
  for (auto& t : threads) t.join();
  for (const auto& out : got) EXPECT_EQ(out, want);
}

// --- Time.

TEST(MacroTime, AdvancingAfterFormulaProgrammingEqualsAnAge) {
  std::mt19937 rng(8);
  const Codes w = random_codes(1024, rng);
  Macro a(config(tiny_geometry(), EffectSet())), b(config(tiny_geometry(), EffectSet()));
  for (Macro* m : {&a, &b}) m->program_cells(0, 0, 32, 32, w.data());
  a.set_age(86400);
  b.advance_time(400);
  b.advance_time(86000);
  EXPECT_EQ(b.chip_time_s(), 86400);
  EXPECT_EQ(a.weights(0, 0, 32, 32), b.weights(0, 0, 32, 32));
  EXPECT_EQ(read_row(&a, 3, 100, 7), read_row(&b, 3, 100, 7));
}

TEST(MacroTime, ARefreshedRowStartsAnew) {
  EffectSet drift = EffectSet::none();
  drift.set(Effect::kDrift, true);
  Macro m(config(tiny_geometry(), drift));
  m.program_cells(0, 0, 32, 32, Codes(1024, 100).data());
  m.advance_time(1e6);
  const auto old = m.weights(0, 0, 2, 32);
  for (float w : old) EXPECT_LT(w, 85);  // (5e4)^-0.05 = 0.58
  m.program_cells(1, 0, 1, 32, Codes(32, 100).data());
  const auto now = m.weights(0, 0, 2, 32);
  for (uint32_t k = 0; k < 32; ++k) {
    EXPECT_EQ(now[k], old[k]);
    EXPECT_NEAR(now[32 + k], 100, 1e-4);
  }
  // Another 1e6 s: the old row decays by (2e6 / 1e6)^-nu more, the new one as the old one did at first.
  m.advance_time(1e6);
  const auto later = m.weights(0, 0, 2, 32);
  for (uint32_t k = 0; k < 32; ++k) {
    const double nu = std::log(100 / old[k]) / std::log(1 + 1e6 / 20);
    EXPECT_NEAR(later[k], 100 * std::pow(1 + 2e6 / 20, -nu), 1e-3);
    EXPECT_NEAR(later[32 + k], old[32 + k], 1e-4);
  }
}

TEST(MacroTime, BadTimeThrows) {
  Macro m(config(tiny_geometry()));
  EXPECT_THROW(m.advance_time(-1), std::domain_error);
  EXPECT_THROW(m.advance_time(std::nan("")), std::domain_error);
  EXPECT_THROW(m.advance_time(std::numeric_limits<double>::infinity()), std::domain_error);
  EXPECT_EQ(m.chip_time_s(), 0);
}

// --- Faults and repair.

TEST(MacroFaults, AnOpenColumnReadsNothingUntilItsSpareReplacesIt) {
  const Geometry g = tiny_geometry();
  MacroConfig c = config(g);
  c.faults.open_list = {13};  // block 1, lane 5
  Macro m(c);
  const Codes w(32, 50);
  m.program_cells(2, 0, 1, 32, w.data());
  Codes want = w;
  want[13] = 0;
  EXPECT_EQ(read_row(&m, 2, 1, 0), want);
  EXPECT_EQ(read_row(&m, 32, 1, 0)[13], 0);  // reference row
  EXPECT_EQ(read_row(&m, 32, 1, 0)[12], 127);
  const uint32_t only = 1u << 13;
  m.pulse(2, false, true, 15, 25, &only);
  EXPECT_EQ(m.device_report().pulses, 0u);
  m.repair(5, true, 1);
  EXPECT_EQ(read_row(&m, 2, 1, 0), want);  // a spare that was never programmed
  EXPECT_EQ(read_row(&m, 32, 1, 0), Codes(32, 127));
  m.pulse(2, false, true, 10, 25, &only);
  EXPECT_EQ(read_row(&m, 2, 1, 0)[13], 20);  // 20.396 units
  m.program_cells(2, 0, 1, 32, w.data());
  EXPECT_EQ(read_row(&m, 2, 1, 0), w);
  m.repair(5, true, 3);  // moves on to column 29
  Codes moved = want;
  moved[29] = 50;
  EXPECT_EQ(read_row(&m, 2, 1, 0), moved);
  EXPECT_EQ(m.weights(2, 29, 1, 1)[0], 50.0f);
  m.repair_clear();
  EXPECT_EQ(read_row(&m, 2, 1, 0), want);
}

TEST(MacroFaults, ASpareCanBeOpenToo) {
  MacroConfig c = config(tiny_geometry());
  c.faults.open_list = {32 + 3};
  Macro m(c);
  m.program_cells(0, 0, 1, 32, Codes(32, 9).data());
  EXPECT_EQ(read_row(&m, 0, 1, 0), Codes(32, 9));
  m.repair(3, true, 0);
  Codes want(32, 127);
  want[3] = 0;
  EXPECT_EQ(read_row(&m, 32, 1, 0), want);
}

TEST(MacroFaults, SparesAndFaultsElsewhereChangeNoOtherColumn) {
  std::mt19937 rng(4);
  const Codes w = random_codes(1024, rng), x = random_codes(33, rng);
  const auto read = [&](uint32_t spares, const FaultConfig& faults) {
    MacroConfig c = config(tiny_geometry(), EffectSet());
    c.geometry.spares = spares;
    c.faults = faults;
    Macro m(c);
    m.program_cells(0, 0, 32, 32, w.data());
    Codes out(32);
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 4; ++b) m.convert(b, 2, 9, 8, out.data() + 8 * b);
    return out;
  };
  const Codes plain = read(0, {});
  EXPECT_EQ(read(8, {}), plain);
  FaultConfig faults;
  faults.open_list = {7};
  faults.dead_lane_list = {{2, false}};
  const Codes broken = read(8, faults);
  for (uint32_t k = 0; k < 32; ++k)
    if (k != 7 && k % 8 != 2) {
      EXPECT_EQ(broken[k], plain[k]) << k;
    }
}

TEST(MacroFaults, ADeadLaneAnswersItsLevelAtBothLevels) {
  MacroConfig c = config(tiny_geometry(), EffectSet());
  c.faults.dead_lane_list = {{1, true}, {6, false}};
  Macro m(c);
  for (uint32_t range : {0u, 15u}) {
    const Codes codes = read_row(&m, 32, 127, range);
    for (uint32_t b = 0; b < 4; ++b) {
      EXPECT_EQ(codes[8 * b + 1], 127);
      EXPECT_EQ(codes[8 * b + 6], -128);
    }
    PinTimeline pins;
    Codes x(33, 0);
    x[32] = 127;
    pins.load(0, false, x);
    pins.drive(12, false, false, 2, 32);
    pins.convert(47, false, 2, static_cast<uint8_t>(range), 4);
    const auto got = pins.run(&m);
    EXPECT_EQ(got[0][1], 7);
    EXPECT_EQ(got[0][6], -8);
  }
}

TEST(MacroFaults, CountsAreDrawnExactlyAndWithTheChip) {
  MacroConfig c = config(reference_geometry());
  c.faults.open_columns = 40;
  c.faults.dead_lanes = 8;
  int spares = 0, ones = 0, same = 0;
  std::vector<uint32_t> last;
  for (uint64_t chip = 1; chip <= 50; ++chip) {
    c.chip_seed = chip;
    const Macro m(c);
    const auto open = m.open_columns();
    ASSERT_EQ(open.size(), 40u);
    for (size_t i = 1; i < open.size(); ++i) ASSERT_LT(open[i - 1], open[i]);
    for (uint32_t k : open) spares += k >= 256;
    ASSERT_EQ(m.dead_lanes().size(), 8u);
    for (const DeadLane& d : m.dead_lanes()) ones += d.level;
    same += open == last;
    last = open;
    EXPECT_EQ(Macro(c).open_columns(), open);
  }
  EXPECT_EQ(same, 0);
  EXPECT_NEAR(spares, 2000 * 32 / 288.0, 5 * 14);
  EXPECT_NEAR(ones, 200, 5 * 10);
}

TEST(MacroFaults, StuckFractionIsAConfiguration) {
  EffectSet stuck = EffectSet::none();
  stuck.set(Effect::kStuck, true);
  MacroConfig c = config(reference_geometry(), stuck);
  c.faults.stuck_fraction = 0.1;
  const DeviceReport r = Macro(c).device_report();
  EXPECT_EQ(r.devices, 2 * 256 * 288u);
  EXPECT_NEAR(r.stuck, 0.1 * r.devices, 5 * std::sqrt(0.09 * r.devices));
  EXPECT_EQ(r.worn, 0u);
}

TEST(MacroFaults, BadFaultsAndCallsThrow) {
  MacroConfig c = config(tiny_geometry());
  c.faults.open_list = {40};
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = config(tiny_geometry());
  c.faults.dead_lane_list = {{8, true}};
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = config(tiny_geometry());
  c.faults.open_columns = 41;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = config(tiny_geometry());
  c.faults.dead_lanes = 9;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  c = config(tiny_geometry());
  c.geometry.spares = 9;
  EXPECT_THROW(Macro{c}, std::invalid_argument);
  Macro m(config(tiny_geometry()));
  const uint32_t mask = 1;
  EXPECT_THROW(m.pulse(32, false, true, 0, 25, &mask), std::out_of_range);
  EXPECT_THROW(m.pulse(0, false, true, 16, 25, &mask), std::out_of_range);
  EXPECT_THROW(m.pulse(0, false, true, 0, 0, &mask), std::invalid_argument);
  EXPECT_THROW(m.repair(8, true, 0), std::out_of_range);
  EXPECT_THROW(m.repair(0, true, 4), std::out_of_range);
  EXPECT_THROW(m.weights(0, 1, 1, 32), std::out_of_range);
  EXPECT_EQ(m.device_report().pulses, 0u);
}

// --- Reports.

TEST(MacroReport, CountsPulsesWornDevicesAndWeightErrors) {
  EffectSet wear = EffectSet::none();
  wear.set(Effect::kWear, true);
  MacroConfig c = config(tiny_geometry(), wear);
  Technology t = *c.technology;
  t.pulse.endurance = 5;
  t.pulse.endurance_sigma = 0;
  c.technology = std::make_shared<const Technology>(t);
  Macro m(c);
  const uint32_t mask = 0xf, one = 1;
  for (int i = 0; i < 4; ++i) m.pulse(0, false, true, 0, 25, &mask);
  m.pulse(0, false, true, 0, 25, &one);
  const DeviceReport r = m.device_report();
  EXPECT_EQ(r.devices, 2 * 32 * 40u);
  EXPECT_EQ(r.pulses, 17u);
  EXPECT_EQ(r.most_pulses, 5u);
  EXPECT_EQ(r.worn, 1u);
  EXPECT_DOUBLE_EQ(r.mean_pulses(), 17 / 2560.0);
  Macro w(config(tiny_geometry()));
  const Codes programmed = {10, 20, 30, 40}, wanted = {12, 20, 27, 40};  // errors -2, 0, 3, 0
  w.program_cells(1, 3, 2, 2, programmed.data());
  const WeightError e = w.weight_error(1, 3, 2, 2, wanted.data());
  EXPECT_NEAR(e.mean, 0.25, 1e-5);
  EXPECT_NEAR(e.sigma, std::sqrt(13 / 4.0 - 0.0625), 1e-5);
  EXPECT_NEAR(e.largest, 3, 1e-5);
}

// --- What estimates of energy are made from.

TEST(Activity, PinsAndCallsCountTheSameDrivesAndPulses) {
  const Geometry g{1, 1, 16, 64, 16, 16384, 16};
  std::mt19937 rng(static_cast<uint32_t>(test_seed()));
  Sequence sequence(g, rng, 60);
  Macro calls(config(g)), pins(config(g));
  ArrayActivity by_calls, by_pins;
  calls.set_activity(&by_calls);
  pins.set_activity(&by_pins);
  sequence.call(&calls);
  sequence.pins.run(&pins);
  EXPECT_EQ(by_calls.row_sum, by_pins.row_sum);
  EXPECT_EQ(by_calls.row_square, by_pins.row_square);
  EXPECT_EQ(by_calls.set_pulses, by_pins.set_pulses);
  EXPECT_EQ(by_calls.reset_pulses, by_pins.reset_pulses);
  uint64_t drives = 0;
  for (uint64_t n : by_calls.row_sum) drives += n;
  EXPECT_GT(drives, 0u);
  EXPECT_GT(by_calls.set_pulses, 0u);
  EXPECT_GT(by_calls.reset_pulses, 0u);
  EXPECT_EQ(by_calls.set_pulses + by_calls.reset_pulses, calls.device_report().pulses);
}

TEST(Activity, SumsInputsOfBatchesUntilItIsTakenAway) {
  const Geometry g{1, 1, 4, 16, 16, 16384, 0};
  Macro m(config(g));
  ArrayActivity a;
  m.set_activity(&a);
  const Codes x = {127, -3, 0, 5, 0, -127, 4, 0, 0, 1};  // two vectors of four rows and the reference row
  Codes codes(2 * 16);
  m.mvm(x.data(), 2, 32, Conversions{0, 1, 2, 10, 6, 8}, codes.data());
  EXPECT_EQ(a.row_sum, (std::vector<uint64_t>{254, 7, 0, 5, 1}));
  EXPECT_EQ(a.row_square, (std::vector<uint64_t>{2 * 127 * 127, 9 + 16, 0, 25, 1}));
  Macro copy(m);
  copy.drive(x.data(), 32);
  m.set_activity(nullptr);
  m.drive(x.data(), 32);
  EXPECT_EQ(a.row_sum[0], 254u) << "a copy and a macro without activity count nothing";
}

TEST(Activity, RowConductancesAreThoseOfTheDevices) {
  const Geometry g{1, 1, 4, 16, 16, 16384, 0};
  Macro m(config(g));  // ideal: 25 uS times |weight| / 127
  Codes w(4 * 16, 0);
  w[0] = 127;
  w[1] = -127;
  w[16 + 2] = 64;
  m.program_cells(0, 0, 4, 16, w.data());
  const std::vector<double> s = m.row_conductances_us();
  ASSERT_EQ(s.size(), 5u);
  EXPECT_NEAR(s[0], 50, 1e-9);
  EXPECT_NEAR(s[1], 25 * 64 / 127.0, 1e-9);
  EXPECT_EQ(s[2], 0);
  EXPECT_NEAR(s[4], 16 * 25, 1e-9) << "the reference row";
  MacroConfig open = config(g);
  open.faults.open_list = {1};
  open.faults.open_row_list = {1};
  Macro o(open);
  o.program_cells(0, 0, 4, 16, w.data());
  EXPECT_NEAR(o.row_conductances_us()[0], 25, 1e-9);
  EXPECT_EQ(o.row_conductances_us()[1], 0);
  EXPECT_NEAR(o.row_conductances_us()[4], 15 * 25, 1e-9);
}

}  // namespace
