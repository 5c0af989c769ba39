// SPDX-License-Identifier: Apache-2.0
// The runtime on the golden machine: inference, bring-up by pulses on a broken chip, recovery, maintenance, snapshots.
#include "sw/runtime/runtime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "tb/unit/driver/golden_rig.h"
#include "tb/unit/driver/image_builder.h"

using namespace ohmac;
using tb::one_tile;
using tb::Rig;
using tb::without_stuck;

namespace {

constexpr uint32_t kRange = 10, kVectors = 24;

/// A chip of one tile with a 256 x 256 matrix, and the runtime.
struct Machine : Rig {
  explicit Machine(EffectSet effects, const FaultConfig& faults = {}, uint64_t seed = 1)
      : Rig(one_tile(), effects, seed, faults),
        weights(tb::bell_weights(256, 256, 5)),
        runtime(std::make_unique<Runtime>(driver)) {
    image = tb::matmul_image({1, 1, 256, 256, 32, 0, 65536}, 256, 256, weights.data(), kRange).build();
    inputs.resize(256 * kVectors);
    uint32_t s = 17;
    for (int8_t& x : inputs) {
      s = s * 1664525u + 1013904223u;
      x = static_cast<int8_t>(static_cast<int>(s >> 25) - 63);
    }
    EXPECT_EQ(driver.probe(), Status::kOk);
  }
  Status load(const LoadOptions& options, LoadReport* report = nullptr) {
    return runtime->load(image.data(), image.size(), options, report);
  }
  Status infer(std::vector<int32_t>* out) {
    out->assign(256 * kVectors, 0);
    return runtime->infer(inputs.data(), kVectors, reinterpret_cast<uint8_t*>(out->data()));
  }
  Status recover() { return runtime->recover(image.data(), image.size()); }
  /// rms error of all outputs in % of the rms of the exact product.
  double error() {
    std::vector<int32_t> got;
    EXPECT_EQ(infer(&got), Status::kOk);
    double error = 0, power = 0;
    for (uint32_t v = 0; v < kVectors; ++v) {
      for (uint32_t c = 0; c < 256; ++c) {
        double exact = 0;
        for (uint32_t k = 0; k < 256; ++k) exact += double{1} * inputs[256 * v + k] * weights[256 * k + c];
        const double e = got[256 * v + c] / 256.0 * (1 << kRange) - exact;
        error += e * e;
        power += exact * exact;
      }
    }
    return 100 * std::sqrt(error / power);
  }
  std::vector<int8_t> weights, inputs;
  std::vector<uint8_t> image;
  std::unique_ptr<Runtime> runtime;
};

LoadOptions by_pulses() {
  LoadOptions o;
  o.programming = Programming::kPulse;
  return o;
}

}  // namespace

// An image without MVM: tile 0 sends its input back. Checks the schedule against a machine that executes it.
TEST(GoldenRuntime, EchoesAnyNumberOfVectors) {
  for (uint32_t parts : {1u, 8u, 9u, 12u}) {  // 8 parts fit a REPEAT, 9 do not
    for (uint32_t slots : {1u, 3u, 16u}) {
      Rig rig(tiny_geometry(), EffectSet::none(), 1);
      Runtime runtime(rig.driver);
      ASSERT_EQ(rig.driver.probe(), Status::kOk);
      const auto image = tb::echo_image(parts, slots).build();
      ASSERT_EQ(runtime.load(image.data(), image.size()), Status::kOk) << runtime.bad_reason();
      for (uint32_t n : {1u, slots, slots + 1, 100u}) {
        std::vector<int8_t> in(16 * parts * n);
        for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int8_t>(i * 31 + i / 977);
        std::vector<uint8_t> out(in.size());
        ASSERT_EQ(runtime.infer(in.data(), n, out.data()), Status::kOk)
            << parts << " parts, " << slots << " slots, " << n << " vectors: descriptor "
            << rig.driver.last_error().descriptor;
        for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(static_cast<int8_t>(out[i]), in[i]) << i;
      }
    }
  }
}

TEST(GoldenRuntime, SecondLoadDoesNotCalibrateAgain) {
  Rig rig(tiny_geometry(), EffectSet::none(), 1);
  Runtime runtime(rig.driver);
  ASSERT_EQ(rig.driver.probe(), Status::kOk);
  const auto image = tb::echo_image(1, 4).build();
  ASSERT_EQ(runtime.load(image.data(), image.size()), Status::kOk);
  const uint32_t drives = rig.chip.tile(0).counter(isa::Counter::kDrives);
  EXPECT_EQ(drives, 17u * 16);
  ASSERT_EQ(runtime.load(image.data(), image.size()), Status::kOk);
  EXPECT_EQ(rig.chip.tile(0).counter(isa::Counter::kDrives), drives);
  runtime.invalidate_calibration();
  ASSERT_EQ(runtime.load(image.data(), image.size()), Status::kOk);
  EXPECT_EQ(rig.chip.tile(0).counter(isa::Counter::kDrives), 2 * drives);
}

// Through 4 KiB of DMA memory, two jobs at a time.
TEST(GoldenRuntime, LongCallsAlternateBetweenTwoJobs) {
  for (uint32_t parts : {1u, 9u}) {
    Rig rig(tiny_geometry(), EffectSet::none(), 1);
    rig.platform.limit_memory(8192);
    Runtime runtime(rig.driver);
    ASSERT_EQ(rig.driver.probe(), Status::kOk);
    const auto image = tb::echo_image(parts, 3).build();
    LoadOptions options;
    options.calibrate = false;
    ASSERT_EQ(runtime.load(image.data(), image.size(), options), Status::kOk) << runtime.bad_reason();
    const uint32_t n = 10 * runtime.batch_limit() + 1;
    std::vector<int8_t> in(16 * parts * n);
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int8_t>(i * 31 + i / 977);
    std::vector<uint8_t> out(in.size());
    uint32_t before, after;
    ASSERT_EQ(rig.platform.csr_read(0x068, &before), Status::kOk);
    ASSERT_EQ(runtime.infer(in.data(), n, out.data()), Status::kOk) << rig.driver.last_error().descriptor;
    ASSERT_EQ(rig.platform.csr_read(0x068, &after), Status::kOk);
    EXPECT_GT((after & 0xFF) - (before & 0xFF), 20u) << "jobs of half the memory";
    for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(static_cast<int8_t>(out[i]), in[i]) << i;
  }
}

TEST(GoldenRecovery, AFaultCostsNeitherDevicesNorCalibration) {
  Machine m(EffectSet::none());
  ASSERT_EQ(m.load(by_pulses()), Status::kOk);
  std::vector<int32_t> before, after;
  ASSERT_EQ(m.infer(&before), Status::kOk);
  const uint32_t pulses = m.chip.tile(0).counter(isa::Counter::kPulses);
  const uint32_t cal = m.cal_word(0, 9);

  const uint64_t illegal = uint64_t{63} << 58;
  std::memcpy(m.chip.tile(0).sram() + 8 * 31, &illegal, 8);  // the MVM
  EXPECT_EQ(m.infer(&after), Status::kTileFault);
  EXPECT_EQ(m.driver.last_error().tile, 0u);
  EXPECT_EQ(m.driver.last_error().fault, isa::Fault::kIllegalInstr);
  EXPECT_EQ(m.driver.last_error().pc, 31u);
  // Tokens of the vectors on their way stay in the tile: a second run could give wrong outputs silently.
  EXPECT_TRUE(m.runtime->needs_recovery());
  EXPECT_EQ(m.infer(&after), Status::kNotReady);
  EXPECT_EQ(m.load(by_pulses()), Status::kNotReady);

  std::vector<uint8_t> other = m.image;
  other[20] ^= 1;
  EXPECT_EQ(m.runtime->recover(other.data(), other.size()), Status::kBadImage);
  const auto echo = tb::echo_image(1, 1).build();
  EXPECT_EQ(m.runtime->recover(echo.data(), echo.size()), Status::kWrongGeometry);
  EXPECT_FALSE(m.runtime->needs_reset());

  for (uint32_t t = 0; t < isa::kNumTokens; ++t) EXPECT_LE(m.chip.tile(0).token(t), 255);
  ASSERT_EQ(m.recover(), Status::kOk);
  for (uint32_t t = 0; t < isa::kNumTokens; ++t) EXPECT_EQ(m.chip.tile(0).token(t), 0) << t;
  EXPECT_FALSE(m.runtime->needs_recovery());
  ASSERT_EQ(m.infer(&after), Status::kOk);
  EXPECT_EQ(after, before);
  EXPECT_EQ(m.chip.tile(0).counter(isa::Counter::kPulses), pulses);
  EXPECT_EQ(m.cal_word(0, 9), cal);
}

// Every way a job ends badly, again and again on one chip.
TEST(GoldenRecovery, OneChipSurvivesManyFaults) {
  Machine m(EffectSet::none());
  ASSERT_EQ(m.load({}), Status::kOk);
  std::vector<int32_t> before, after;
  ASSERT_EQ(m.infer(&before), Status::kOk);
  // Program of tb::matmul_image: 27 SIGNAL, 28 LOOP, 29 WAIT input, 30 WAIT psum buffer, 31 MVM, 32 SIGNAL, 33 WAIT, 34
  // SEND.
  const struct {
    uint32_t at;
    uint64_t instruction;
    isa::Fault fault;
    uint32_t pc;
  } faults[] = {
      {31, uint64_t{63} << 58, isa::Fault::kIllegalInstr, 31},
      {31, isa::mvm::make(isa::operand(0, 0), isa::operand(1, 0xFFF), 0), isa::Fault::kAddress, 31},
      {30, isa::setr::make(isa::cfg::kMvmcfgBase, 0), isa::Fault::kConfig, 31},  // K = 0
      {30, isa::loop::make(0, 0, 0, 1), isa::Fault::kLoop, 30},
      {32, isa::signal::make(1, 1, 255), isa::Fault::kTokenOverflow, ErrorInfo::kNone},
      {29, isa::wait::make(1, 9, 1), isa::Fault::kWatchdog, ErrorInfo::kNone},  // a token that never comes
  };
  for (const auto& f : faults) {
    std::memcpy(m.chip.tile(0).sram() + 8 * f.at, &f.instruction, 8);
    EXPECT_EQ(m.infer(&after), Status::kTileFault) << static_cast<int>(f.fault);
    EXPECT_EQ(m.driver.last_error().fault, f.fault) << static_cast<int>(f.fault);
    if (f.pc != ErrorInfo::kNone) {
      EXPECT_EQ(m.driver.last_error().pc, f.pc);
    }
    ASSERT_EQ(m.recover(), Status::kOk) << static_cast<int>(f.fault);
    ASSERT_EQ(m.infer(&after), Status::kOk);
    EXPECT_EQ(after, before);
  }
}

// The DMA loses its window in the middle: the job ends with an error, tiles wait for data for ever.
TEST(GoldenRecovery, ADmaErrorIsRecoveredFrom) {
  Machine m(EffectSet::none());
  ASSERT_EQ(m.load({}), Status::kOk);
  std::vector<int32_t> before, after;
  ASSERT_EQ(m.infer(&before), Status::kOk);
  ASSERT_EQ(m.platform.csr_write(0x088, 4096), Status::kOk);  // window 0: descriptors and first inputs only
  EXPECT_EQ(m.infer(&after), Status::kJobError);
  EXPECT_EQ(m.driver.last_error().dma_error, isa::DmaError::kWindow);
  ASSERT_EQ(m.platform.csr_write(0x088, 16u << 20), Status::kOk);
  ASSERT_EQ(m.recover(), Status::kOk);
  ASSERT_EQ(m.infer(&after), Status::kOk);
  EXPECT_EQ(after, before);
}

TEST(GoldenRecovery, AfterAFailedLoadThereIsNothingToReload) {
  Machine m(EffectSet{});
  m.platform.limit_memory(16u << 20);
  ASSERT_EQ(m.platform.csr_write(0x088, 4096), Status::kOk);  // the calibration's sums lie outside
  EXPECT_EQ(m.load(by_pulses()), Status::kJobError);
  EXPECT_TRUE(m.runtime->needs_recovery());
  ASSERT_EQ(m.platform.csr_write(0x088, 16u << 20), Status::kOk);
  ASSERT_EQ(m.runtime->recover(nullptr, 0), Status::kOk);
  EXPECT_FALSE(m.runtime->loaded());
  EXPECT_EQ(m.load({}), Status::kOk);
}

TEST(GoldenRuntime, DeadlockIsFoundByTheWatchdog) {
  Rig rig(tiny_geometry(), EffectSet::none(), 1);
  Runtime runtime(rig.driver);
  ASSERT_EQ(rig.driver.probe(), Status::kOk);
  tb::ImageBuilder b = tb::echo_image(1, 4);
  b.inputs[0].token = 4;  // nobody waits for this one
  const auto image = b.build();
  std::vector<int8_t> in(16 * 20, 7);
  std::vector<uint8_t> out(in.size());
  ASSERT_EQ(runtime.load(image.data(), image.size()), Status::kOk);
  EXPECT_EQ(runtime.infer(in.data(), 20, out.data()), Status::kTileFault);
  EXPECT_EQ(rig.driver.last_error().fault, isa::Fault::kWatchdog);
  // 0 loop count, 1 START, 2 REPEAT, 3 its M2T, 4 REPEAT, 5 its M2T, which waits for a result
  EXPECT_EQ(rig.driver.last_error().descriptor, 5u);
  uint32_t status;
  ASSERT_EQ(rig.platform.csr_read(0x024, &status), Status::kOk);
  EXPECT_EQ(status & 1, 0u) << "the DMA is free again";
}

// Open columns, a dead lane and stuck devices: what can be repaired is, the rest is muted and reported.
TEST(GoldenLife, ABrokenChipIsBroughtUp) {
  FaultConfig broken;
  broken.stuck_fraction = 0.001;
  broken.open_list = {5, 77, 130};
  Machine good(EffectSet{}), repaired(EffectSet{}, broken), left(EffectSet{}, broken);
  LoadOptions options = by_pulses();
  options.self_test = true;
  LoadReport report;
  ASSERT_EQ(good.load(options, &report), Status::kOk);
  EXPECT_EQ(report.bad_columns, 0u);
  ASSERT_EQ(left.load(options, &report), Status::kOk);
  EXPECT_EQ(report.test.open_columns, 3u);
  EXPECT_EQ(report.bad_columns, 3u);
  options.repair = true;
  ASSERT_EQ(repaired.load(options, &report), Status::kOk);
  EXPECT_EQ(report.repair.repaired, 3u);
  EXPECT_EQ(report.bad_columns, 0u);
  const double e_good = good.error(), e_repaired = repaired.error(), e_left = left.error();
  std::printf("error: good chip %.2f %%, three open columns %.2f %%, repaired %.2f %%; %u bad cells, %u pulses\n",
              e_good, e_left, e_repaired, report.bad_cells, report.program.pulses);
  EXPECT_LT(e_repaired, 1.15 * e_good);
  EXPECT_GT(e_left, 10) << "3 of 256 columns read 0: sqrt(3 / 256) = 10.8 % at least";

  broken.dead_lane_list = {{3, true}};  // 8 columns that no spare can replace
  Machine dead(EffectSet{}, broken);
  ASSERT_EQ(dead.load(options, &report), Status::kOk);
  EXPECT_EQ(report.bad_columns, 8u);
  options.require_perfect = true;
  Machine strict(EffectSet{}, broken);
  EXPECT_EQ(strict.load(options, &report), Status::kCalibration);
  EXPECT_EQ(strict.driver.last_error().tile, 0u);
  EXPECT_EQ(strict.driver.last_error().column, 3u);
  EXPECT_FALSE(strict.runtime->loaded());
  options.require_perfect = false;
  options.max_bad_percent = 3;  // 8 of 256 is 3.1 %
  Machine many(EffectSet{}, broken);
  EXPECT_EQ(many.load(options, &report), Status::kCalibration);
}

// Reprogramming takes the old weights away first.
TEST(GoldenLife, ASecondNetworkReplacesTheFirst) {
  Machine m(without_stuck());
  ASSERT_EQ(m.load(by_pulses()), Status::kOk);
  const double first = m.error();
  for (int8_t& w : m.weights) w = static_cast<int8_t>(-w);
  m.image = tb::matmul_image({1, 1, 256, 256, 32, 0, 65536}, 256, 256, m.weights.data(), kRange).build();
  ASSERT_EQ(m.load(by_pulses()), Status::kOk);
  const double second = m.error();
  std::printf("error: first network %.2f %%, its opposite %.2f %%\n", first, second);
  EXPECT_LT(second, 1.3 * first);
}

TEST(GoldenLife, DriftCompensationAndRefresh) {
  Machine m(without_stuck());
  LoadOptions options = by_pulses();
  options.reference = true;
  ASSERT_EQ(m.load(options), Status::kOk);
  const double fresh = m.error();
  m.chip.macro(0).advance_time(30 * 86400.0);
  const double aged = m.error();
  CompensationReport compensation;
  ASSERT_EQ(m.runtime->compensate(m.image.data(), m.image.size(), {}, &compensation), Status::kOk);
  const double compensated = m.error();
  RefreshReport refresh;
  ASSERT_EQ(m.runtime->refresh(m.image.data(), m.image.size(), &refresh), Status::kOk);
  const double refreshed = m.error();
  std::printf(
      "error: fresh %.2f %%, after 30 days %.2f %%, compensated by %.3f %.2f %%, refreshed %.2f %%; refresh: %u of "
      "%u rows, %u cells off, %u reads, %u pulses, %u cells left bad\n",
      fresh, aged, compensation.most / 16384.0, compensated, refreshed, refresh.rows_touched, refresh.rows,
      refresh.cells_touched, refresh.reads, refresh.pulses, refresh.bad_cells);
  EXPECT_LT(compensated, 0.5 * aged);
  EXPECT_LT(refreshed, 1.2 * fresh);
  EXPECT_LT(refreshed, compensated);
  EXPECT_EQ(refresh.rows, 256u);
  EXPECT_GT(refresh.pulses, 0u);
  for (uint32_t c = 0; c < 256; ++c) EXPECT_EQ(m.runtime->state().scale[c], ChipState::kUnity);
  // A second time: the new reference fits the refreshed devices.
  ASSERT_EQ(m.runtime->compensate(m.image.data(), m.image.size(), {}, &compensation), Status::kOk);
  EXPECT_NEAR(compensation.most / 16384.0, 1, 0.01);
}

// Devices and firmware state go to another session: it continues with the same bits, noise and repairs included.
TEST(GoldenLife, ARestoredChipContinues) {
  FaultConfig broken;
  broken.open_list = {5};
  Machine m(EffectSet{}, broken), other(EffectSet{}, broken);
  LoadOptions options = by_pulses();
  options.self_test = options.repair = options.reference = true;
  ASSERT_EQ(m.load(options), Status::kOk);
  std::vector<uint8_t> state(m.runtime->state_size());
  ASSERT_EQ(m.runtime->save_state(state.data(), state.size()), Status::kOk);
  std::printf("%zu bytes of state\n", state.size());
  other.chip.macro(0).set_device_state(m.chip.macro(0).device_state());
  ASSERT_EQ(other.runtime->restore_state(state.data(), state.size()), Status::kOk);
  LoadOptions restored;
  restored.programming = Programming::kNone;
  ASSERT_EQ(other.load(restored), Status::kOk);
  std::vector<int32_t> a, b;
  ASSERT_EQ(m.infer(&a), Status::kOk);
  ASSERT_EQ(other.infer(&b), Status::kOk);
  EXPECT_EQ(a, b);
  CompensationReport report;
  EXPECT_EQ(other.runtime->compensate(other.image.data(), other.image.size(), {}, &report), Status::kOk)
      << "the reference came along";
}
