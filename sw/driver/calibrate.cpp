// SPDX-License-Identifier: Apache-2.0
// Calibration on the chip: one job that measures all tiles, one that writes their words.
#include <string.h>

#include "sw/driver/driver.h"
#include "sw/hal/try.h"

namespace ohmac {

Status Driver::reset_calibration(uint64_t mask) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  if ((mask & ~chip_.tile_mask()) != 0) return fail(Status::kBadArgument);
  if (mask == 0) return Status::kOk;
  release_all();
  JobBuilder job;
  DmaBlock words;
  OHMAC_TRY(begin_job(chip_.tiles + 1, &job));
  OHMAC_TRY(alloc(4 * chip_.cols, &words));
  for (uint32_t c = 0; c < chip_.cols; ++c) {
    const uint32_t w = kNeutralCal.word();
    memcpy(words.cpu + 4 * c, &w, 4);
  }
  for (uint32_t t = 0; t < chip_.tiles; ++t) {
    if (!(mask >> t & 1)) continue;
    Transfer m;
    m.tile = t;
    m.tile_addr = isa::cfg::noc_addr(isa::cfg::kCalBase);
    m.mem = words.bus;
    m.bytes = words.bytes;
    job.m2t(m);
  }
  return run(job, transfer_cycles(uint64_t{words.bytes} * chip_.tiles));
}

Status Driver::start_calibration(const CalTarget* targets, uint32_t count, const CalOptions& options) {
  uint64_t mask = 0, cycles = 0, bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {  // everything is checked before the chip is touched
    const CalTarget& t = targets[i];
    if (t.tile >= chip_.tiles || mask >> t.tile & 1 || t.adc_bits > chip_.adc_bits || t.mux_count == 0 ||
        t.mux_count > chip_.mux()) {
      return fail(Status::kBadArgument);
    }
    mask |= uint64_t{1} << t.tile;
    CalState& s = cal_[i];
    const Status planned = make_cal_plan(t.adc_bits, t.range, options, &s.plan);
    if (planned != Status::kOk) return fail(planned);
    if (s.plan.adc_bits > chip_.adc_bits) return fail(Status::kBadArgument);
    s.layout = cal_layout(t.mux_count * chip_.lanes);
    if (s.layout.total_bytes > chip_.sram_bytes) return fail(Status::kNoMemory);
    const uint64_t bound = cal_cycle_bound(s.plan, t.mux_count, s.layout.columns);
    if (bound > cycles) cycles = bound;
    bytes += s.layout.image_bytes + kCalVectors * s.layout.stride;
  }
  OHMAC_TRY(reset_calibration(mask));
  for (uint32_t i = 0; i < count; ++i) {
    OHMAC_TRY(read_counter(targets[i].tile, isa::Counter::kClips, &cal_[i].clips));
  }

  release_all();
  JobBuilder job;
  OHMAC_TRY(begin_job(2 * count + 3, &job));
  DmaBlock image;
  for (uint32_t i = 0; i < count; ++i) {
    CalState& s = cal_[i];
    const bool same = i != 0 && targets[i].adc_bits == targets[i - 1].adc_bits &&
                      targets[i].mux_count == targets[i - 1].mux_count && targets[i].range == targets[i - 1].range;
    if (!same) {
      OHMAC_TRY(alloc(s.layout.image_bytes, &image));
      encode_cal_image(s.plan, s.layout, chip_.rows, targets[i].mux_count, image.cpu);
    }
    OHMAC_TRY(alloc(kCalVectors * s.layout.stride, &s.sums));
    OHMAC_TRY(alloc(s.layout.stride, &s.words));
    Transfer t;
    t.tile = targets[i].tile;
    t.tile_addr = 0;
    t.mem = image.bus;
    t.bytes = image.bytes;
    job.m2t(t);
  }
  job.start(mask, 0);
  job.wait(kCalToken, count);
  for (uint32_t i = 0; i < count; ++i) {
    Transfer t;
    t.tile = targets[i].tile;
    t.tile_addr = cal_[i].layout.sums;
    t.mem = cal_[i].sums.bus;
    t.bytes = cal_[i].sums.bytes;
    job.t2m(t);
  }
  OHMAC_TRY(set_outbox(dma_bus_));  // the tiles send a token without data
  OHMAC_TRY(run(job, cycles + transfer_cycles(bytes)));
  return wait_halt(mask, transfer_cycles(0));
}

// What the calibration reads say about one column of a tile.
Status Driver::judge_column(const CalState& s, uint32_t column, CalWord* word, ColumnHealth* health, int64_t* size) {
  const uint32_t n = s.layout.columns;
  CalSums sums;
  int32_t* const vectors[kCalVectors] = {&sums.pos, &sums.neg, &sums.zero, &sums.check_pos, &sums.check_neg};
  for (uint32_t v = 0; v < kCalVectors; ++v) memcpy(vectors[v], s.sums.cpu + 4 * (v * n + column), 4);
  *size = sums.pos > -int64_t{sums.neg} ? sums.pos : -int64_t{sums.neg};
  *word = kNeutralCal;
  Status good = solve_cal(s.plan, sums, word);
  if (good != Status::kOk) {
    const int64_t measured = int64_t{sums.pos} - sums.neg;
    const int64_t expected =
        (int64_t{s.plan.reads} << isa::kPsumFracBits) * (s.plan.expected_pos - s.plan.expected_neg);
    *health = 8 * (measured < 0 ? -measured : measured) < expected ? ColumnHealth::kOpen : ColumnHealth::kCorrection;
    return good;
  }
  good = check_cal_range(s.plan, sums, *word);
  *health = good == Status::kOk ? ColumnHealth::kGood : ColumnHealth::kRange;
  return good;
}

// With `state`: marks every column of tile i and puts the words into it.
void Driver::judge_tile(const CalTarget& target, CalState& s, uint32_t clips, ChipState* state) {
  const uint32_t n = s.layout.columns, tile = target.tile, blocks = target.mux_count;
  uint32_t extreme = 0, bad = 0;
  int64_t largest = -1;
  for (uint32_t c = 0; c < n; ++c) {
    const uint32_t i = state->column(tile, c);
    const ColumnHealth before = state->health[i];
    CalWord word;
    ColumnHealth health;
    int64_t size;
    const Status good = judge_column(s, c, &word, &health, &size);
    if (before == ColumnHealth::kDeadLane) health = before;
    if (before == ColumnHealth::kDevices && good == Status::kOk) health = before;
    state->cal[i] = usable(health) ? word : kNeutralCal;
    state->scale[i] = ChipState::kUnity;
    state->health[i] = health;
    bad += !usable(health);
    if (size > largest) {
      largest = size;
      extreme = c;
    }
  }
  if (clips != s.clips && bad == 0) {  // whose clips they are is not known; a bad column explains them
    state->health[state->column(tile, extreme)] = ColumnHealth::kClips;
    state->cal[state->column(tile, extreme)] = kNeutralCal;
  }
  for (uint32_t l = 0; l < chip_.lanes && blocks > 1; ++l) {
    bool dead = true;
    for (uint32_t b = 0; b < blocks; ++b) {
      const ColumnHealth h = state->health[state->column(tile, b * chip_.lanes + l)];
      dead = dead && h != ColumnHealth::kGood && h != ColumnHealth::kDevices && h != ColumnHealth::kRange;
    }
    for (uint32_t b = 0; b < blocks && dead; ++b) {
      state->health[state->column(tile, b * chip_.lanes + l)] = ColumnHealth::kDeadLane;
    }
  }
  for (uint32_t c = n; c < chip_.cols; ++c) {  // the chip holds neutral words there
    state->cal[state->column(tile, c)] = kNeutralCal;
    state->scale[state->column(tile, c)] = ChipState::kUnity;
  }
  for (uint32_t c = 0; c < n; ++c) {
    if (!readable(state->health[state->column(tile, c)])) state->cal[state->column(tile, c)] = kMutedCal;
    const uint32_t w = state->cal[state->column(tile, c)].word();
    memcpy(s.words.cpu + 4 * c, &w, 4);
  }
  state->calibrated[tile] = {static_cast<uint8_t>(target.adc_bits), static_cast<uint8_t>(target.range),
                             static_cast<uint8_t>(target.mux_count), 0};
}

// Without state: the first bad column is the failure.
Status Driver::require_tile(const CalTarget& target, CalState& s, uint32_t clips) {
  uint32_t extreme = 0;  // column with the largest sum: where a clip is to be looked for
  int64_t largest = -1;
  for (uint32_t c = 0; c < s.layout.columns; ++c) {
    CalWord word;
    ColumnHealth health;
    int64_t size;
    const Status good = judge_column(s, c, &word, &health, &size);
    if (good != Status::kOk) {
      const Status failed = fail_at(good, target.tile, c);
      if (health == ColumnHealth::kRange) error_.range = s.plan.check_range;
      error_.clips = clips - s.clips;
      return failed;
    }
    const uint32_t w = word.word();
    memcpy(s.words.cpu + 4 * c, &w, 4);
    if (size > largest) {
      largest = size;
      extreme = c;
    }
  }
  if (clips == s.clips) return Status::kOk;
  const Status failed = fail_at(Status::kCalibration, target.tile, extreme);
  error_.clips = clips - s.clips;
  return failed;
}

Status Driver::calibrate(const CalTarget* targets, uint32_t count, const CalOptions& options, ChipState* state) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  if (targets == nullptr || count == 0 || count > chip_.tiles) return fail(Status::kBadArgument);
  if (state != nullptr && (state->tiles != chip_.tiles || state->cols != chip_.cols)) return fail(Status::kBadArgument);
  OHMAC_TRY(start_calibration(targets, count, options));
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t clips;
    OHMAC_TRY(read_counter(targets[i].tile, isa::Counter::kClips, &clips));
    if (state != nullptr) {
      judge_tile(targets[i], cal_[i], clips, state);
    } else {
      OHMAC_TRY(require_tile(targets[i], cal_[i], clips));
    }
  }

  // The first job is over: its descriptors, at the start of DMA memory, make room for the second.
  const uint32_t used = used_;
  release_all();
  JobBuilder job;
  OHMAC_TRY(begin_job(count + 1, &job));
  used_ = used;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    Transfer t;
    t.tile = targets[i].tile;
    t.tile_addr = isa::cfg::noc_addr(isa::cfg::kCalBase);
    t.mem = cal_[i].words.bus;
    t.bytes = cal_[i].words.bytes;
    bytes += t.bytes;
    job.m2t(t);
  }
  return run(job, transfer_cycles(bytes));
}

}  // namespace ohmac
