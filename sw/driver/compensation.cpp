// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/compensation.h"

#include <string.h>

#include "sw/driver/chip_words.h"
#include "sw/driver/psum_reads.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

constexpr uint32_t kMaxVectors = 64;

// Fixed signs, the same for ever: they are part of what a stored reference means. (Integer hash of 32 bits.)
int8_t input_of(uint32_t vector, uint32_t row) {
  uint32_t h = vector * 0x9E3779B9u + row * 0x85EBCA6Bu + 1;
  h = (h ^ h >> 16) * 0x7FEB352Du;
  h = (h ^ h >> 15) * 0x846CA68Bu;
  return h >> 31 ? 127 : -127;
}

/// Adds up |psum| of each column, in column_reference.
class Response final : public PsumSink {
 public:
  explicit Response(uint32_t* sums, const ChipState& state) : sums_(sums), state_(state) {}
  void take(const PsumRequest& r, uint32_t, uint32_t vectors, const int32_t* psums) override {
    const uint32_t columns = r.mux_count * state_.lanes;
    for (uint32_t v = 0; v < vectors; ++v) {
      for (uint32_t c = 0; c < columns; ++c) {
        const int32_t p = psums[v * columns + c];
        sums_[state_.column(r.tile, c)] += static_cast<uint32_t>(p < 0 ? -p : p);
      }
    }
  }

 private:
  uint32_t* sums_;
  const ChipState& state_;
};

Status check(Driver& driver, const TileUse* tiles, uint32_t count, const CompensationOptions& o, ChipState* state) {
  if (!driver.ready()) return driver.fail(Status::kNotReady);
  if (tiles == nullptr || count == 0 || count > ChipState::kMaxTiles || state == nullptr || !state->attached() ||
      o.vectors == 0 || o.vectors > kMaxVectors) {
    return driver.fail(Status::kBadArgument);
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (tiles[i].cal.tile >= state->tiles || tiles[i].rows == 0 || tiles[i].columns == 0 ||
        tiles[i].columns > tiles[i].cal.mux_count * state->lanes) {
      return driver.fail_at(Status::kBadArgument, tiles[i].cal.tile, ErrorInfo::kNone);
    }
  }
  return Status::kOk;
}

/// Response of every column with the words of the calibration, into `sums` (indexed like the state's columns).
Status measure(Driver& driver, const TileUse* tiles, uint32_t count, const CompensationOptions& o, ChipState* state,
               uint32_t* sums) {
  PsumRequest requests[ChipState::kMaxTiles];
  uint64_t mask = 0;
  const uint32_t bits = driver.chip().adc_bits;
  for (uint32_t i = 0; i < count; ++i) {
    const TileUse& t = tiles[i];
    requests[i] = PsumRequest{t.cal.tile, 0, t.rows, bits, response_range(t.rows, bits), t.cal.mux_count};
    mask |= uint64_t{1} << t.cal.tile;
    for (uint32_t c = 0; c < state->cols; ++c) {
      state->scale[state->column(t.cal.tile, c)] = ChipState::kUnity;
      sums[state->column(t.cal.tile, c)] = 0;
    }
  }
  OHMAC_TRY(write_calibration(driver, *state, mask));
  Response sink(sums, *state);
  return read_psums(driver, requests, count, o.vectors, 1, input_of, sink);
}

uint64_t total(const ChipState& s, const TileUse& t, const uint32_t* sums) {
  uint64_t sum = 0;
  for (uint32_t c = 0; c < t.columns; ++c) {
    const uint32_t k = s.column(t.cal.tile, c);
    if (usable(s.health[k])) sum += sums[k];
  }
  return sum;
}

}  // namespace

uint32_t response_range(uint32_t k, uint32_t adc_bits) {
  uint32_t range = 0;  // 4^range >= 254^2 k
  while (range < kMaxAdcRange && (uint64_t{1} << 2 * range) < uint64_t{254 * 254} * k) ++range;
  range += 8 - adc_bits;
  return range < kMaxAdcRange ? range : kMaxAdcRange;
}

Status take_reference(Driver& driver, const TileUse* tiles, uint32_t count, const CompensationOptions& o,
                      ChipState* state) {
  OHMAC_TRY(check(driver, tiles, count, o, state));
  for (uint32_t i = 0; i < count; ++i) state->reference[tiles[i].cal.tile] = {};
  OHMAC_TRY(measure(driver, tiles, count, o, state, state->column_reference));
  for (uint32_t i = 0; i < count; ++i) {
    const TileUse& t = tiles[i];
    state->reference[t.cal.tile] = {total(*state, t, state->column_reference), t.rows, t.columns, o.vectors, 0};
  }
  return Status::kOk;
}

Status compensate(Driver& driver, const TileUse* tiles, uint32_t count, const CompensationOptions& o, ChipState* state,
                  CompensationReport* report) {
  CompensationReport ignored;
  if (report == nullptr) report = &ignored;
  *report = CompensationReport{};
  OHMAC_TRY(check(driver, tiles, count, o, state));
  for (uint32_t i = 0; i < count; ++i) {
    const ChipState::Reference& r = state->reference[tiles[i].cal.tile];
    if (r.vectors != o.vectors || r.rows != tiles[i].rows || r.cols != tiles[i].columns) {
      return driver.fail_at(Status::kNotReady, tiles[i].cal.tile, ErrorInfo::kNone);
    }
  }
  uint32_t* now = state->response;
  OHMAC_TRY(measure(driver, tiles, count, o, state, now));
  const auto factor = [](uint64_t before, uint64_t after) -> uint32_t {  // 0: not expressible
    if (after == 0) return 0;
    const uint64_t f = (before * ChipState::kUnity + after / 2) / after;
    return f <= 0xFFFF ? static_cast<uint32_t>(f) : 0;
  };
  for (uint32_t i = 0; i < count; ++i) {  // all of them before anything changes
    const TileUse& t = tiles[i];
    if (factor(state->reference[t.cal.tile].sum, total(*state, t, now)) == 0) {
      return driver.fail_at(Status::kCalibration, t.cal.tile, ErrorInfo::kNone);
    }
  }
  uint64_t mask = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const TileUse& t = tiles[i];
    const uint32_t whole = factor(state->reference[t.cal.tile].sum, total(*state, t, now));
    mask |= uint64_t{1} << t.cal.tile;
    ++report->tiles;
    for (uint32_t c = 0; c < t.columns; ++c) {
      const uint32_t k = state->column(t.cal.tile, c);
      if (!usable(state->health[k])) continue;
      const uint32_t own = o.per_column ? factor(state->column_reference[k], now[k]) : 0;
      const uint16_t f = static_cast<uint16_t>(own != 0 ? own : whole);  // a column without response follows its tile
      state->scale[k] = f;
      bool limited;
      state->active_cal(t.cal.tile, c, &limited);
      report->limited += limited;
      if (report->least == 0 || f < report->least) report->least = f;
      if (f > report->most) report->most = f;
    }
  }
  return write_calibration(driver, *state, mask);
}

}  // namespace ohmac
