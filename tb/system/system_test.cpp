// SPDX-License-Identifier: Apache-2.0
// The main job on real digits: rtl against fast against the integer references, at the reference geometry.
#include <gtest/gtest.h>

#include "sw/cli/session.h"
#include "tb/system/main_job.h"

namespace ohmac::cli {
namespace {

TEST(MainJob, RtlEqualsFastWithEveryEffectOn) {
  const Workload w = prepare(options(Fidelity::kRtl, 40));
  const RunOutcome rtl = run(w, options(Fidelity::kRtl, 40)), fast = run(w, options(Fidelity::kFast, 40));
  expect_same(rtl, fast);
  EXPECT_NE(rtl.outputs, reference_bytes(w.int8_adc, 40)) << "the effects must do something";
  EXPECT_GE(w.accuracy(rtl.outputs, 40), 0.9);
}

TEST(MainJob, ProgramsByPulsesToTheSameDevices) {
  RunOptions o = options(Fidelity::kRtl, 20);
  o.programming = Programming::kPulse;
  const Workload w = prepare(o);
  const RunOutcome rtl = run(w, o);
  o.fidelity = Fidelity::kFast;
  const RunOutcome fast = run(w, o);
  expect_same(rtl, fast);
  const RunRecord::Programming &p = rtl.record.programming, &q = fast.record.programming;
  EXPECT_EQ(p.pulses, q.pulses);
  EXPECT_EQ(p.reads, q.reads);
  EXPECT_NEAR(static_cast<double>(p.bringup_cycles), static_cast<double>(q.bringup_cycles),
              0.01 * static_cast<double>(p.bringup_cycles))
      << "fast predicts the cycles of programming";
  EXPECT_GT(p.yield(), 0.99);
  EXPECT_LT(p.weight_sigma, 0.053 * 127) << "HERMES reaches 4.8 to 5.3 % of the range";
}

TEST(MainJob, RtlEqualsFastAtAnotherAgeAndSeed) {
  const Workload w = prepare(options(Fidelity::kRtl, 4));
  RunOptions o = options(Fidelity::kRtl, 4);
  o.age_s = 86400;
  o.chip_seed = 77;
  o.run_seed = 78;
  const RunOutcome rtl = run(w, o);
  o.fidelity = Fidelity::kFast;
  expect_same(rtl, run(w, o));
}

TEST(MainJob, RtlEqualsFastWithEachEffectAlone) {
  const Workload w = prepare(options(Fidelity::kRtl, 2));
  for (uint32_t e = 0; e < kNumEffects; ++e) {
    SCOPED_TRACE(kEffects[e].name);
    RunOptions o = options(Fidelity::kRtl, 2);
    o.effects = EffectSet::none();
    o.effects.set(static_cast<Effect>(e), true);
    o.age_s = 3600;
    const RunOutcome rtl = run(w, o);
    o.fidelity = Fidelity::kFast;
    expect_same(rtl, run(w, o));
  }
}

TEST(MainJob, IdealChipIsInt8AdcBitForBit) {
  const Workload w = prepare(options(Fidelity::kFast, 1000));
  for (const auto& [fidelity, images] : {std::pair{Fidelity::kFast, 1000u}, std::pair{Fidelity::kRtl, 20u}}) {
    RunOptions o = options(fidelity, images);
    o.effects = EffectSet::none();
    EXPECT_EQ(run(w, o).outputs, reference_bytes(w.int8_adc, images)) << name_of(fidelity);
  }
}

TEST(MainJob, LosslessIdealChipIsInt8BitForBit) {
  RunOptions lossless = options(Fidelity::kFast, 100);
  lossless.lossless = true;
  lossless.effects = EffectSet::none();
  const Workload w = prepare(lossless);
  EXPECT_EQ(run(w, lossless).outputs, reference_bytes(w.int8, 100));
  lossless.fidelity = Fidelity::kRtl;
  lossless.images = 2;
  EXPECT_EQ(run(w, lossless).outputs, reference_bytes(w.int8, 2));
}

TEST(MainJob, ThreadsAndBatchesDoNotChangeABit) {
  const uint32_t images = 2 * kBatchImages + 10;
  const Workload w = prepare(options(Fidelity::kFast, images));
  RunOptions o = options(Fidelity::kFast, images);
  const RunOutcome one = run(w, o);
  o.threads = 2;
  const RunOutcome two = run(w, o);
  expect_same(one, two);
  EXPECT_EQ(one.record.cycles_total, two.record.cycles_total);
}

TEST(MainJob, BackPressureDoesNotChangeABit) {
  const Workload w = prepare(options(Fidelity::kRtl, 8));
  const RunOutcome calm = run(w, options(Fidelity::kRtl, 8));
  for (uint32_t percent : {30u, 80u}) {
    RunOptions o = options(Fidelity::kRtl, 8);
    o.stall_percent = percent;
    o.stall_seed = percent;
    const RunOutcome stalled = run(w, o);
    expect_same(calm, stalled);
    EXPECT_GT(stalled.record.cycles_total, calm.record.cycles_total);
  }
}

TEST(MainJob, FewerAdcBitsRunAtBothFidelities) {
  RunOptions o = options(Fidelity::kRtl, 4);
  o.adc_bits = 6;
  const Workload w = prepare(o);
  const RunOutcome rtl = run(w, o);
  o.fidelity = Fidelity::kFast;
  expect_same(rtl, run(w, o));
}

TEST(MainJob, MacroProtocolErrorFailsTheRun) {
  const auto violate = [](uint32_t) {
    with_chip(options(Fidelity::kRtl, 1), [](Chip& chip) {
      PinsIn pins;
      pins.sar_strobe = true;  // a bank that was never sampled
      std::vector<int8_t> codes(reference_geometry().lanes);
      std::vector<uint8_t> cmp(reference_geometry().lanes);
      chip.macro(3).step(pins, codes.data(), cmp.data());
    });
    return std::string();
  };
  try {
    run_forked(1, 1, violate);
    FAIL() << "the run must fail";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("protocol error"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("tile 3"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace ohmac::cli

/// Not gtest_main: the SystemC library brings a main() of its own, which the linker may prefer.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
