// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/self_test.h"

#include <string.h>

#include "sw/driver/psum_reads.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

constexpr uint32_t kLevels = 5, kMaxReads = 16, kTestRange = 7;
constexpr int8_t kLevel[kLevels] = {-96, -48, 0, 48, 96};  // at range 7: codes +-95, +-48, 0
constexpr int32_t kStep = 47;                              // codes between two levels, at 8 bits
constexpr int kCoarseLevel = 64;                           // weight units, of the thorough device test
constexpr uint32_t kCoarseLimit = 24, kCoarseFirst = 15, kCoarseLast = 10, kCoarseEvery = 2;  // reaches slow devices

int8_t level_of(uint32_t vector, uint32_t) { return kLevel[vector % kLevels]; }

/// Marks a column open unless its codes rise from level to level, by a quarter of the ideal step on average.
class RiseTest final : public PsumSink {
 public:
  explicit RiseTest(ChipState* state) : state_(state) {}
  void take(const PsumRequest& r, uint32_t, uint32_t vectors, const int32_t* psums) override {
    const uint32_t columns = r.mux_count * state_->lanes, reads = vectors / kLevels;
    for (uint32_t c = 0; c < columns; ++c) {
      int32_t sum[kLevels] = {};
      for (uint32_t v = 0; v < vectors; ++v) sum[v % kLevels] += psums[v * columns + c] >> isa::kPsumFracBits;
      for (uint32_t l = 1; l < kLevels; ++l) {
        if (sum[l] - sum[l - 1] < (static_cast<int32_t>(reads) * kStep >> (8 - r.adc_bits)) / 4) {
          state_->health[state_->column(r.tile, c)] = ColumnHealth::kOpen;
        }
      }
    }
  }

 private:
  ChipState* state_;
};

// A lane of which no column responds is dead.
void find_dead_lanes(const TileUse& t, ChipState* state) {
  for (uint32_t l = 0; l < state->lanes && t.cal.mux_count > 1; ++l) {
    bool dead = true;
    for (uint32_t b = 0; b < t.cal.mux_count; ++b) {
      dead = dead && state->health[state->column(t.cal.tile, b * state->lanes + l)] == ColumnHealth::kOpen;
    }
    for (uint32_t b = 0; b < t.cal.mux_count && dead; ++b) {
      state->health[state->column(t.cal.tile, b * state->lanes + l)] = ColumnHealth::kDeadLane;
    }
  }
}

/// All cells in use of every tile to `fill`; failures counted into `fails` (may be null).
Status program_all(Driver& driver, const TileUse* tiles, uint32_t count, int8_t fill, const ProgramOptions& options,
                   const ChipState* state, uint16_t* fails, SelfTestReport* report) {
  CellRegion regions[ChipState::kMaxTiles];
  ProgramReport done[ChipState::kMaxTiles];
  uint32_t n = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (tiles[i].rows == 0) continue;
    regions[n++] = CellRegion{tiles[i].cal.tile, 0, 0, tiles[i].rows, tiles[i].columns, nullptr, fill};
  }
  if (n == 0) return Status::kOk;
  OHMAC_TRY(program_cells(driver, regions, n, options, *state, done, fails));
  for (const ProgramReport& r : done) {
    report->reads += r.reads;
    report->pulses += r.pulses;
  }
  return Status::kOk;
}

}  // namespace

Status test_columns(Driver& driver, const TileUse* tiles, uint32_t count, uint32_t reads, ChipState* state) {
  if (tiles == nullptr || count == 0 || count > ChipState::kMaxTiles || state == nullptr || !state->attached() ||
      reads == 0 || reads > kMaxReads) {
    return driver.fail(Status::kBadArgument);
  }
  PsumRequest requests[ChipState::kMaxTiles];
  uint64_t mask = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const CalTarget& t = tiles[i].cal;
    if (t.tile >= state->tiles || t.mux_count > state->cols / state->lanes) return driver.fail(Status::kBadArgument);
    mask |= uint64_t{1} << t.tile;
    requests[i] = PsumRequest{
        t.tile, state->rows, 1, driver.chip().adc_bits, kTestRange + 8 - driver.chip().adc_bits, t.mux_count};
  }
  OHMAC_TRY(driver.reset_calibration(mask));  // codes as they are
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t tile = tiles[i].cal.tile;
    for (uint32_t c = 0; c < state->cols; ++c) {
      state->health[state->column(tile, c)] = ColumnHealth::kGood;
      state->cal[state->column(tile, c)] = kNeutralCal;
      state->scale[state->column(tile, c)] = ChipState::kUnity;
    }
    state->calibrated[tile] = {};
    state->reference[tile] = {};
  }
  RiseTest sink(state);
  OHMAC_TRY(read_psums(driver, requests, count, kLevels * reads, kLevels, level_of, sink));
  for (uint32_t i = 0; i < count; ++i) find_dead_lanes(tiles[i], state);
  return Status::kOk;
}

void judge_devices(const TileUse& t, uint32_t bad_percent, ChipState* state) {
  for (uint32_t c = 0; c < t.columns; ++c) {
    const uint32_t i = state->column(t.cal.tile, c);
    if (!usable(state->health[i])) continue;
    const bool failed = uint32_t{state->bad_devices[i]} * 100 > bad_percent * t.rows;
    state->health[i] = failed ? ColumnHealth::kDevices : ColumnHealth::kGood;
  }
}

Status self_test(Driver& driver, const TileUse* tiles, uint32_t count, const SelfTestOptions& o,
                 const CalOptions& calibration, ChipState* state, SelfTestReport* report) {
  SelfTestReport ignored;
  if (report == nullptr) report = &ignored;
  *report = SelfTestReport{};
  if (o.bad_level == 0 || o.bad_level > 255 || o.bad_percent > 100) return driver.fail(Status::kBadArgument);
  OHMAC_TRY(test_columns(driver, tiles, count, o.reads, state));
  CalTarget targets[ChipState::kMaxTiles];
  for (uint32_t i = 0; i < count; ++i) targets[i] = tiles[i].cal;
  OHMAC_TRY(driver.calibrate(targets, count, calibration, state));

  for (uint32_t i = 0; i < count; ++i) {
    memset(state->bad_devices + state->column(tiles[i].cal.tile, 0), 0, state->cols * sizeof state->bad_devices[0]);
  }
  ProgramOptions reset;  // one read, no pulse
  reset.tolerance = o.bad_level << isa::kPsumFracBits;
  reset.limit = 1;
  if (o.devices || o.thorough)
    OHMAC_TRY(program_all(driver, tiles, count, 0, reset, state, state->bad_devices, report));
  if (o.thorough) {
    // A pair whose G+ cannot be set fails at +64, one whose G- cannot be set at -64, a stuck-high one at both: bad
    // pairs are the failures of both less those of the first test. These wait in column_reference, which is void now.
    const auto in_use = [&](auto f) {
      for (uint32_t i = 0; i < count; ++i) {
        for (uint32_t c = 0; c < tiles[i].columns; ++c) f(state->column(tiles[i].cal.tile, c));
      }
    };
    in_use([&](uint32_t k) {
      state->column_reference[k] = state->bad_devices[k];
      state->bad_devices[k] = 0;
    });
    ProgramOptions coarse;
    coarse.tolerance = o.bad_level << isa::kPsumFracBits;
    coarse.limit = kCoarseLimit;
    coarse.amp_first = kCoarseFirst;
    coarse.amp_last = kCoarseLast;
    coarse.amp_every = kCoarseEvery;
    for (int sign = 1; sign >= -1; sign -= 2) {
      const int8_t fill = static_cast<int8_t>(sign * kCoarseLevel);
      OHMAC_TRY(program_all(driver, tiles, count, fill, coarse, state, state->bad_devices, report));
      OHMAC_TRY(program_all(driver, tiles, count, 0, coarse, state, nullptr, report));
    }
    in_use([&](uint32_t k) {
      const uint32_t both = state->bad_devices[k], high = state->column_reference[k];
      state->bad_devices[k] = static_cast<uint16_t>(both > 2 * high ? both - high : high);
      state->column_reference[k] = 0;
    });
  }
  for (uint32_t i = 0; i < count; ++i) {
    judge_devices(tiles[i], o.bad_percent, state);
    const uint32_t tile = tiles[i].cal.tile;
    for (uint32_t c = 0; c < tiles[i].columns; ++c) {
      const uint32_t k = state->column(tile, c);
      switch (state->health[k]) {
        case ColumnHealth::kGood: break;
        case ColumnHealth::kDeadLane: report->dead_lanes += c < state->lanes; break;
        case ColumnHealth::kOpen: ++report->open_columns; break;
        default: ++report->other_columns;
      }
      if (!usable(state->health[k])) state->bad_devices[k] = 0;  // nothing can be said about them
      report->bad_devices += state->bad_devices[k];
    }
  }
  return Status::kOk;
}

}  // namespace ohmac
