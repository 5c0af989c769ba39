// SPDX-License-Identifier: Apache-2.0
// The life of a chip's devices under the real driver, on the golden machine: programming by pulses, self-test, repair,
// drift compensation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "sw/driver/chip_words.h"
#include "sw/driver/compensation.h"
#include "sw/driver/psum_reads.h"
#include "tb/unit/driver/golden_rig.h"

using namespace ohmac;
using tb::one_tile;
using tb::Rig;
using tb::without_stuck;

namespace {

/// Calibrated chip with its state.
struct Lab : Rig {
  Lab(const Geometry& g, EffectSet effects, uint64_t seed, const FaultConfig& faults = {})
      : Rig(g, effects, seed, faults), state(std::make_unique<ChipState>()) {
    EXPECT_EQ(driver.probe(), Status::kOk);
    EXPECT_EQ(state->attach(driver.chip()), Status::kOk);
  }
  void calibrate() {
    const auto t = all_tiles();
    ASSERT_EQ(driver.calibrate(t.data(), static_cast<uint32_t>(t.size()), {}, state.get()), Status::kOk);
  }
  std::vector<TileUse> uses(uint32_t rows, uint32_t columns) {
    std::vector<TileUse> u;
    for (const CalTarget& t : all_tiles()) u.push_back({t, rows, columns});
    return u;
  }
  Status program(const std::vector<CellRegion>& regions, const ProgramOptions& options = {}) {
    reports.assign(chip.tiles(), ProgramReport{});
    return program_cells(driver, regions.data(), static_cast<uint32_t>(regions.size()), options, *state, reports.data(),
                         state->bad_devices);
  }
  std::unique_ptr<ChipState> state;
  std::vector<ProgramReport> reports;
};

}  // namespace

TEST(GoldenProgramming, ReachesTheSpreadOfTheLiterature) {
  const Geometry g = one_tile();
  Lab lab(g, without_stuck(), 1);
  lab.calibrate();
  const auto w = tb::bell_weights(g.rows, g.cols, 1);
  uint64_t before, after;
  ASSERT_EQ(lab.driver.read_cycles(&before), Status::kOk);
  ASSERT_EQ(lab.program({{0, 0, 0, g.rows, g.cols, w.data(), 0}}), Status::kOk);
  ASSERT_EQ(lab.driver.read_cycles(&after), Status::kOk);
  const ProgramReport& r = lab.reports[0];
  EXPECT_EQ(r.rows, g.rows);
  EXPECT_EQ(r.reads, lab.chip.tile(0).counter(isa::Counter::kProgReads));
  EXPECT_EQ(r.pulses, lab.chip.tile(0).counter(isa::Counter::kPulses));
  EXPECT_EQ(r.fails, lab.chip.tile(0).counter(isa::Counter::kProgFails));
  uint32_t by_column = 0;
  for (uint32_t c = 0; c < g.cols; ++c) by_column += lab.state->bad_devices[c];
  EXPECT_EQ(r.fails, by_column) << "the fail lines say the same as the counter";
  for (uint32_t c = 0; c < g.cols; ++c) ASSERT_EQ(lab.cal_word(0, c), lab.state->active_cal(0, c).word()) << c;

  // Spread of weight bins against the published one after write-verify (Joshi et al. 2020), sigma in weight units.
  const std::vector<float> got = lab.chip.macro(0).weights(0, 0, g.rows, g.cols);
  double all = 0;
  for (int low = 0; low < 128; low += 32) {
    double sum = 0, published = 0;
    size_t n = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      if (std::abs(w[i]) < low || std::abs(w[i]) >= low + 32) continue;
      const double e = got[i] - w[i], x = std::abs(w[i]) / 127.0;
      sum += e * e;
      all += e * e;
      published += std::pow((0.26348 + 1.9650 * x - 1.1731 * x * x) / 25 * 127, 2);
      ++n;
    }
    std::printf("|w| %3d..%3d: sigma %.2f, published %.2f (%zu cells)\n", low, low + 31, std::sqrt(sum / n),
                std::sqrt(published / n), n);
    EXPECT_LT(sum, published);
  }
  std::printf("sigma %.2f of 127; %u reads, %u pulses, %llu cycles with the CAL words\n", std::sqrt(all / w.size()),
              r.reads, r.pulses, static_cast<unsigned long long>(after - before));
}

// The devices depend on drives and pulses, not on how the targets came: DMA memory from roomy to just enough.
TEST(GoldenProgramming, SmallMemoryGivesTheSameDevices) {
  const Geometry g = tiny_geometry();
  const auto w = tb::bell_weights(g.rows, g.cols, 3), v = tb::bell_weights(g.rows, g.cols, 4);
  std::vector<float> first;
  for (size_t memory : {size_t{16} << 20, size_t{8192}, size_t{4096}}) {
    Lab lab(g, without_stuck(), 5);
    lab.calibrate();
    lab.platform.limit_memory(memory);
    ASSERT_EQ(lab.driver.probe(), Status::kOk);
    ASSERT_EQ(lab.program({{0, 0, 0, 32, 32, w.data(), 0}, {1, 0, 0, 32, 32, v.data(), 0}}), Status::kOk) << memory;
    EXPECT_EQ(lab.reports[0].rows, 32u);
    std::vector<float> got = lab.chip.macro(0).weights(0, 0, 32, 32);
    const std::vector<float> other = lab.chip.macro(1).weights(0, 0, 32, 32);
    got.insert(got.end(), other.begin(), other.end());
    if (first.empty()) first = got;
    EXPECT_EQ(got, first) << memory;
  }
}

// 64 tiles: more than DMA tokens, so groups report through a leader; their tasks differ in length.
TEST(GoldenProgramming, SixtyFourTilesOfDifferentHeight) {
  Geometry g = tiny_geometry();
  g.mesh_x = g.mesh_y = 8;
  Lab lab(g, EffectSet::none(), 1);
  lab.calibrate();
  const auto w = tb::bell_weights(32, 32, 7);
  std::vector<CellRegion> regions;
  for (uint32_t t = 0; t < 64; ++t) {
    if (t % 7 == 3) continue;  // 55 of them
    regions.push_back({t, t % 5, 8 * (t % 3), 1 + (t * 11) % 28, 5 + t % 12, w.data(), 0});
  }
  ASSERT_EQ(lab.program(regions), Status::kOk);
  for (const CellRegion& r : regions) {
    const WeightError e = lab.chip.macro(r.tile).weight_error(r.row0, r.col0, r.rows, r.cols, w.data());
    EXPECT_LT(e.largest, 4.5) << "tile " << r.tile << ": tolerance 3 and half a code";
    EXPECT_EQ(lab.reports[r.tile].rows, r.rows);
    for (uint32_t k = 0; k < isa::kNumTokens; ++k) EXPECT_EQ(lab.chip.tile(r.tile).token(k), 0) << r.tile << " " << k;
  }
}

namespace {

/// Columns 5, 77 and 130 open (lanes 5, 13, 2), the spare of lane 13 too; lanes 3 and 20 dead: 16 columns.
FaultConfig broken(double stuck) {
  FaultConfig f;
  f.open_list = {5, 77, 130, 256 + 13};
  f.dead_lane_list = {{3, true}, {20, false}};
  f.stuck_fraction = stuck;
  return f;
}

bool lost(uint32_t c) { return c == 5 || c == 77 || c == 130 || c % 32 == 3 || c % 32 == 20; }

/// Cells of readable columns whose weight, told by the model, is off the target by more than `limit`.
std::vector<bool> off_cells(const Macro& macro, const Geometry& g, int target, double limit) {
  const std::vector<float> w = macro.weights(0, 0, g.rows, g.cols);
  std::vector<bool> off(w.size());
  for (size_t i = 0; i < w.size(); ++i) off[i] = std::fabs(w[i] - target) > limit && !lost(i % g.cols);
  return off;
}

}  // namespace

TEST(GoldenSelfTest, FindsWhatFabricationBroke) {
  const Geometry g = one_tile();
  for (const bool thorough : {false, true}) {
    Lab lab(g, EffectSet{}, 1, broken(0.01));
    const std::vector<bool> high = off_cells(lab.chip.macro(0), g, 0, 60);
    std::vector<bool> bad = high;
    if (thorough) {  // by formula on copies: what does not come near +64 or -64
      for (const int8_t target : {int8_t{64}, int8_t{-64}}) {
        Macro copy = lab.chip.macro(0);
        const std::vector<int8_t> all(g.rows * g.cols, target);
        copy.program_cells(0, 0, g.rows, g.cols, all.data());
        const std::vector<bool> off = off_cells(copy, g, target, 24);
        for (size_t i = 0; i < bad.size(); ++i) bad[i] = bad[i] || off[i];
      }
    }
    SelfTestReport report;
    SelfTestOptions options;
    options.thorough = thorough;
    uint64_t before, after;
    const auto uses = lab.uses(g.rows, g.cols);
    ASSERT_EQ(lab.driver.read_cycles(&before), Status::kOk);
    ASSERT_EQ(self_test(lab.driver, uses.data(), 1, options, {}, lab.state.get(), &report), Status::kOk);
    ASSERT_EQ(lab.driver.read_cycles(&after), Status::kOk);
    for (uint32_t c = 0; c < g.cols; ++c) {
      const bool lane = c % 32 == 3 || c % 32 == 20;
      const ColumnHealth expected = lane      ? ColumnHealth::kDeadLane
                                    : lost(c) ? ColumnHealth::kOpen
                                              : ColumnHealth::kGood;
      EXPECT_EQ(health_text(lab.state->health[c]), health_text(expected)) << c;
    }
    EXPECT_EQ(report.dead_lanes, 2u);
    EXPECT_EQ(report.open_columns, 3u);
    EXPECT_EQ(report.other_columns, 0u) << "1 % of bad devices is below the limit of 5 %";
    const auto expected = static_cast<uint32_t>(std::count(bad.begin(), bad.end(), true));
    std::printf("%s: %u bad pairs found of %u; %u reads of a row, %u pulses, %llu cycles\n",
                thorough ? "thorough" : "quick", report.bad_devices, expected, report.reads, report.pulses,
                static_cast<unsigned long long>(after - before));
    if (thorough) {
      EXPECT_NEAR(report.bad_devices, expected, 0.15 * expected);
    } else {
      EXPECT_NEAR(report.bad_devices, expected, 2) << "stuck-high pairs stand far above the limit";
    }
  }
}

TEST(GoldenSelfTest, AGoodChipHasNothing) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Lab lab(tiny_geometry(), without_stuck(), seed);
    const auto uses = lab.uses(32, 32);
    SelfTestReport report;
    ASSERT_EQ(self_test(lab.driver, uses.data(), 2, {}, {}, lab.state.get(), &report), Status::kOk);
    EXPECT_EQ(report.dead_lanes + report.open_columns + report.other_columns + report.bad_devices, 0u) << seed;
    RepairReport repair;
    ASSERT_EQ(repair_columns(lab.driver, uses.data(), 2, {}, {}, lab.state.get(), &repair), Status::kOk);
    EXPECT_EQ(repair.failed + repair.repaired, 0u);
  }
}

TEST(GoldenRepair, SparesReplaceOpenColumns) {
  const Geometry g = one_tile();
  Lab lab(g, EffectSet{}, 1, broken(0.001));
  const auto uses = lab.uses(g.rows, g.cols);
  ASSERT_EQ(self_test(lab.driver, uses.data(), 1, {}, {}, lab.state.get()), Status::kOk);
  RepairReport report;
  ASSERT_EQ(repair_columns(lab.driver, uses.data(), 1, {}, {}, lab.state.get(), &report), Status::kOk);
  EXPECT_EQ(report.failed, 3u + 16);
  EXPECT_EQ(report.repaired, 2u);
  EXPECT_EQ(report.bad_spares, 1u) << "that of lane 13";
  EXPECT_EQ(report.tiles, 1u);
  for (uint32_t l = 0; l < 32; ++l) {  // REPAIR words: EN and the block of column 5 and 130, nothing else
    const uint32_t expected = l == 5 ? 0x100u : l == 2 ? 0x100u + 130 / 32 : 0u;
    EXPECT_EQ(lab.chip.tile(0).config(isa::cfg::kRepairBase + l), expected) << l;
  }
  EXPECT_EQ(lab.state->health[77], ColumnHealth::kOpen);
  EXPECT_EQ(lab.state->health[5], ColumnHealth::kGood);

  // The repaired columns take weights like the others; the muted ones get no pulse at all.
  const auto w = tb::bell_weights(g.rows, g.cols, 9);
  ASSERT_EQ(lab.program({{0, 0, 0, g.rows, g.cols, w.data(), 0}}), Status::kOk);
  for (uint32_t c : {4u, 5u, 130u}) {
    std::vector<int8_t> column(g.rows);
    for (uint32_t r = 0; r < g.rows; ++r) column[r] = w[r * g.cols + c];
    EXPECT_LT(lab.chip.macro(0).weight_error(0, c, g.rows, 1, column.data()).sigma, 9) << c;
  }
  for (uint32_t c : {77u, 3u, 20u}) {
    EXPECT_EQ(lab.cal_word(0, c), 0u) << "muted: gain 0 and offset 0";
    EXPECT_EQ(lab.state->bad_devices[c], 0u);
  }
  for (uint32_t k = 0; k < isa::kNumTokens; ++k) EXPECT_EQ(lab.chip.tile(0).token(k), 0) << k;
}

// A column whose spare is taken stays bad: lane 5 has two open columns and one spare.
TEST(GoldenRepair, OneSpareALane) {
  FaultConfig f;
  f.open_list = {5, 13, 37 - 32 + 8};  // tiny: lanes 5, 5 (twice the same column in the list)
  Lab lab(tiny_geometry(), without_stuck(), 1, f);
  const auto uses = lab.uses(32, 32);
  ASSERT_EQ(self_test(lab.driver, uses.data(), 2, {}, {}, lab.state.get()), Status::kOk);
  RepairReport report;
  ASSERT_EQ(repair_columns(lab.driver, uses.data(), 2, {}, {}, lab.state.get(), &report), Status::kOk);
  EXPECT_EQ(report.failed, 4u) << "the list holds for both tiles";
  EXPECT_EQ(report.repaired, 2u);
  EXPECT_EQ(report.tiles, 3u);
  for (uint32_t t = 0; t < 2; ++t) {
    EXPECT_EQ(lab.state->health[lab.state->column(t, 5)], ColumnHealth::kGood);
    EXPECT_EQ(lab.state->health[lab.state->column(t, 13)], ColumnHealth::kOpen);
  }
}

// Error of a matrix product against the programmed weights, with no compensation, one factor a tile, one a column.
TEST(GoldenCompensation, BringsTheResponseBack) {
  const Geometry g = one_tile();
  const auto w = tb::bell_weights(g.rows, g.cols, 2);
  const double minute = 60, day = 86400, month = 30 * day, year = 365 * day;
  const auto product_error = [&](Lab& lab) {  // rms over columns and vectors, in % of the rms of the exact product
    struct Sink final : PsumSink {
      std::vector<int32_t> psums;
      void take(const PsumRequest& r, uint32_t, uint32_t vectors, const int32_t* p) override {
        psums.insert(psums.end(), p, p + size_t{vectors} * r.mux_count * 32);
      }
    } sink;
    const auto input = [](uint32_t v, uint32_t k) {
      return static_cast<int8_t>(static_cast<int>((v * 2654435761u + k * 40503u * 9973u) >> 7 & 0xFF) % 127 - 63);
    };
    const PsumRequest request{0, 0, g.rows, 8, 11, g.mux()};
    EXPECT_EQ(read_psums(lab.driver, &request, 1, 32, 1, input, sink), Status::kOk);
    double error = 0, power = 0;
    for (uint32_t v = 0; v < 32; ++v) {
      for (uint32_t c = 0; c < g.cols; ++c) {
        double exact = 0;
        for (uint32_t k = 0; k < g.rows; ++k) exact += double{1} * input(v, k) * w[k * g.cols + c];
        const double got = sink.psums[v * g.cols + c] / 256.0 * 2048;
        error += (got - exact) * (got - exact);
        power += exact * exact;
      }
    }
    return 100 * std::sqrt(error / power);
  };
  Lab lab(g, without_stuck(), 3);
  lab.calibrate();
  ASSERT_EQ(lab.program({{0, 0, 0, g.rows, g.cols, w.data(), 0}}), Status::kOk);
  const auto uses = lab.uses(g.rows, g.cols);
  ASSERT_EQ(take_reference(lab.driver, uses.data(), 1, {}, lab.state.get()), Status::kOk);
  const double fresh = product_error(lab);
  double at = 0;
  std::printf("fresh: error %.2f %%\n", fresh);
  for (double age : {minute, day, month, year}) {
    lab.chip.macro(0).advance_time(age - at);
    at = age;
    for (uint32_t c = 0; c < g.cols; ++c) lab.state->scale[c] = ChipState::kUnity;
    ASSERT_EQ(write_calibration(lab.driver, *lab.state, 1), Status::kOk);
    const double none = product_error(lab);
    CompensationReport report;
    CompensationOptions options;
    ASSERT_EQ(compensate(lab.driver, uses.data(), 1, options, lab.state.get(), &report), Status::kOk);
    const double tile = product_error(lab);
    const double factor = report.most / 16384.0;
    EXPECT_EQ(report.least, report.most);
    EXPECT_EQ(report.limited, 0u);
    options.per_column = true;
    ASSERT_EQ(compensate(lab.driver, uses.data(), 1, options, lab.state.get(), &report), Status::kOk);
    const double column = product_error(lab);
    std::printf("%.0f s: error %.2f %%, compensated by %.3f a tile %.2f %%, by %.3f to %.3f a column %.2f %%\n", age,
                none, factor, tile, report.least / 16384.0, report.most / 16384.0, column);
    EXPECT_GT(factor, 1);
    EXPECT_LT(tile, none);
    EXPECT_LT(column, none);
    if (age >= day) {
      EXPECT_LT(tile, 0.4 * none);
    }
  }
}
