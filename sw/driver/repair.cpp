// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/repair.h"

#include "sw/driver/chip_words.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

constexpr uint32_t kMaxCandidates = 256;  // spares tried at once

struct Candidate {
  uint32_t use, lane, block;  // index of the tile's TileUse
  ColumnHealth health;        // of the column before
  uint16_t bad_devices;
};

class Repairer {
 public:
  Repairer(Driver& driver, const TileUse* tiles, uint32_t count, const SelfTestOptions& options,
           const CalOptions& calibration, ChipState* state, RepairReport* report)
      : driver_(driver),
        tiles_(tiles),
        count_(count),
        options_(options),
        calibration_(calibration),
        state_(state),
        report_(report) {}

  Status run() {
    for (uint32_t i = 0; i < count_; ++i) {
      for (uint32_t c = 0; c < tiles_[i].columns; ++c) report_->failed += at(i, c) != ColumnHealth::kGood;
    }
    for (const bool devices : kOrder) {
      for (;;) {  // ends: every round uses up a spare
        collect(devices);
        if (num_ == 0) break;
        OHMAC_TRY(try_spares());
      }
    }
    return Status::kOk;
  }

 private:
  static constexpr bool kOrder[2] = {false, true};  // first what does not work at all

  ColumnHealth& at(uint32_t use, uint32_t col) const {
    return state_->health[state_->column(tiles_[use].cal.tile, col)];
  }

  void collect(bool devices) {
    num_ = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      for (uint32_t c = 0; c < tiles_[i].columns && num_ < kMaxCandidates; ++c) {
        const ColumnHealth h = at(i, c);
        const uint32_t lane = c % state_->lanes, k = state_->column(tiles_[i].cal.tile, c);
        if (h == ColumnHealth::kGood || h == ColumnHealth::kDeadLane || lane >= state_->spares) continue;
        if (!devices && h == ColumnHealth::kDevices) continue;
        uint8_t& spare = state_->repair[state_->lane(tiles_[i].cal.tile, lane)];
        if (spare != ChipState::kNoRepair) continue;
        spare = static_cast<uint8_t>(c / state_->lanes);
        candidates_[num_++] = Candidate{i, lane, c / state_->lanes, h, state_->bad_devices[k]};
      }
    }
  }

  uint32_t column(const Candidate& c) const { return c.block * state_->lanes + c.lane; }

  Status measure(uint64_t mask) {
    TileUse uses[ChipState::kMaxTiles];
    CalTarget targets[ChipState::kMaxTiles];
    uint32_t n = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      if (!(mask >> tiles_[i].cal.tile & 1)) continue;
      targets[n] = tiles_[i].cal;
      uses[n++] = tiles_[i];
    }
    OHMAC_TRY(test_columns(driver_, uses, n, options_.reads, state_));
    OHMAC_TRY(driver_.calibrate(targets, n, calibration_, state_));
    for (uint32_t i = 0; i < n; ++i) judge_devices(uses[i], options_.bad_percent, state_);
    return Status::kOk;
  }

  Status try_spares() {
    uint64_t mask = 0;
    for (uint32_t i = 0; i < num_; ++i) {
      const Candidate& c = candidates_[i];
      mask |= uint64_t{1} << tiles_[c.use].cal.tile;
      state_->bad_devices[state_->column(tiles_[c.use].cal.tile, column(c))] = 0;
    }
    OHMAC_TRY(write_repairs(driver_, *state_, mask));
    OHMAC_TRY(measure(mask));
    if (options_.devices) OHMAC_TRY(test_devices());
    uint64_t given_back = 0;
    for (uint32_t i = 0; i < num_; ++i) {
      const Candidate& c = candidates_[i];
      const uint32_t tile = tiles_[c.use].cal.tile, k = state_->column(tile, column(c));
      if (state_->health[k] == ColumnHealth::kGood) {
        ++report_->repaired;
        report_->tiles |= uint64_t{1} << tile;
        continue;
      }
      ++report_->bad_spares;
      state_->repair[state_->lane(tile, c.lane)] = ChipState::kBadSpare;
      state_->health[k] = c.health;
      state_->bad_devices[k] = c.bad_devices;
      given_back |= uint64_t{1} << tile;
    }
    if (given_back == 0) return Status::kOk;
    OHMAC_TRY(write_repairs(driver_, *state_, given_back));
    return measure(given_back);
  }

  // The columns of the new spares, one read a row: all pairs must be RESET.
  Status test_devices() {
    CellRegion regions[kMaxCandidates];
    uint32_t n = 0;
    for (uint32_t i = 0; i < num_; ++i) {
      const TileUse& t = tiles_[candidates_[i].use];
      if (t.rows != 0) regions[n++] = CellRegion{t.cal.tile, 0, column(candidates_[i]), t.rows, 1, nullptr, 0};
    }
    if (n == 0) return Status::kOk;
    ProgramOptions o;
    o.tolerance = options_.bad_level << isa::kPsumFracBits;
    o.limit = 1;
    OHMAC_TRY(program_cells(driver_, regions, n, o, *state_, nullptr, state_->bad_devices));
    for (uint32_t i = 0; i < count_; ++i) judge_devices(tiles_[i], options_.bad_percent, state_);
    return Status::kOk;
  }

  Driver& driver_;
  const TileUse* tiles_;
  uint32_t count_;
  const SelfTestOptions& options_;
  const CalOptions& calibration_;
  ChipState* state_;
  RepairReport* report_;
  Candidate candidates_[kMaxCandidates];
  uint32_t num_ = 0;
};
constexpr bool Repairer::kOrder[2];

}  // namespace

Status repair_columns(Driver& driver, const TileUse* tiles, uint32_t count, const SelfTestOptions& options,
                      const CalOptions& calibration, ChipState* state, RepairReport* report) {
  if (!driver.ready()) return driver.fail(Status::kNotReady);
  if (tiles == nullptr || count == 0 || count > ChipState::kMaxTiles || state == nullptr || !state->attached() ||
      options.bad_level == 0 || options.bad_level > 255 || options.bad_percent > 100) {
    return driver.fail(Status::kBadArgument);
  }
  for (uint32_t i = 0; i < count; ++i) {
    const TileUse& t = tiles[i];
    if (t.cal.tile >= state->tiles || t.columns > t.cal.mux_count * state->lanes || t.rows > state->rows) {
      return driver.fail_at(Status::kBadArgument, t.cal.tile, ErrorInfo::kNone);
    }
  }
  RepairReport ignored;
  if (report == nullptr) report = &ignored;
  *report = RepairReport{};
  return Repairer(driver, tiles, count, options, calibration, state, report).run();
}

}  // namespace ohmac
