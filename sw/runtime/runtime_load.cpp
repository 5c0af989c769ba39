// SPDX-License-Identifier: Apache-2.0
// Loading and maintenance: self-test, repair, programming, calibration, compensation, refresh.
#include <string.h>

#include "sw/driver/chip_words.h"
#include "sw/hal/try.h"
#include "sw/runtime/runtime.h"

namespace ohmac {

// Failures that leave tiles in an unknown state.
Status Runtime::note(Status s) {
  if (s == Status::kTimeout || s == Status::kTileFault || s == Status::kJobError) stale_ = true;
  return s;
}

Status Runtime::attach() { return state_.attached() ? Status::kOk : state_.attach(driver_.chip()); }

void Runtime::invalidate_calibration() { memset(state_.calibrated, 0, sizeof state_.calibrated); }

Status Runtime::reopen(const uint8_t* data, size_t bytes, ImageReader* image) {
  if (!driver_.ready()) return Status::kNotReady;
  const Status opened = image->open(data, bytes, driver_.chip());
  bad_offset_ = image->bad_offset();
  bad_reason_ = image->bad_reason();
  OHMAC_TRY(opened);
  return image->header_crc() == image_crc_ ? Status::kOk : Status::kBadArgument;
}

// Regions of cells, and what the network uses of each tile that converts.
Status Runtime::collect_uses(const ImageReader& image) {
  num_regions_ = 0;
  ImageReader::Cursor at;
  image::CellsRecord cells;
  const int8_t* targets;
  while (image.next_cells(&at, &cells, &targets)) {
    if (num_regions_ == kMaxRegions) return Status::kNoMemory;
    regions_[num_regions_++] = CellRegion{cells.tile, cells.row0, cells.col0, cells.rows, cells.cols, targets, 0};
  }
  const uint32_t lanes = driver_.chip().lanes;
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    TileUse& u = uses_[i];
    u = TileUse{CalTarget{tiles_[i].tile, tiles_[i].adc_bits, tiles_[i].mux_count, tiles_[i].range}, 0, 0};
    for (uint32_t r = 0; r < num_regions_; ++r) {
      const CellRegion& c = regions_[r];
      if (c.tile != tiles_[i].tile) continue;
      if (c.row0 + c.rows > u.rows) u.rows = c.row0 + c.rows;
      if (c.col0 + c.cols > u.columns) u.columns = c.col0 + c.cols;
    }
    if (u.columns > tiles_[i].mux_count * lanes) u.columns = tiles_[i].mux_count * lanes;
  }
  return Status::kOk;
}

// Uses of the tiles of the mask that convert.
uint32_t Runtime::converting(TileUse* uses, uint64_t mask) const {
  uint32_t n = 0;
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    if (tiles_[i].mux_count != 0 && mask >> tiles_[i].tile & 1) uses[n++] = uses_[i];
  }
  return n;
}

Status Runtime::load(const uint8_t* data, size_t bytes, const LoadOptions& options, LoadReport* report) {
  LoadReport ignored;
  if (report == nullptr) report = &ignored;
  *report = LoadReport{};
  if (!driver_.ready() || stale_) return Status::kNotReady;
  loaded_ = false;
  ImageReader image;
  const Status opened = image.open(data, bytes, driver_.chip());
  bad_offset_ = image.bad_offset();
  bad_reason_ = image.bad_reason();
  OHMAC_TRY(opened);
  if (image.num_inputs() > kMaxInputs || image.num_tiles() > kMaxTiles) return Status::kNoMemory;
  if (check_program_options(options.program) != Status::kOk || options.max_bad_percent > 100 ||
      options.test.bad_level == 0 || options.test.bad_level > 255 || options.test.bad_percent > 100) {
    return driver_.fail(Status::kBadArgument);
  }
  OHMAC_TRY(attach());
  OHMAC_TRY(driver_.check_idle());

  test_ = options.test;
  network_ = image.network();
  image_crc_ = image.header_crc();
  num_inputs_ = image.num_inputs();
  num_tiles_ = image.num_tiles();
  tile_mask_ = 0;
  for (uint32_t i = 0; i < num_inputs_; ++i) inputs_[i] = image.input(i);
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    tiles_[i] = image.tile(i);
    tile_mask_ |= uint64_t{1} << tiles_[i].tile;
  }
  OHMAC_TRY(collect_uses(image));
  OHMAC_TRY(note(load_devices(image, options, report)));
  OHMAC_TRY(note(load_tiles(image)));
  loaded_ = true;
  return Status::kOk;
}

// Everything that uses the SRAM of the tiles comes here, before the tiles are loaded.
Status Runtime::load_devices(const ImageReader& image, const LoadOptions& options, LoadReport* report) {
  TileUse uses[kMaxTiles];
  const uint32_t n = converting(uses);
  SelfTestOptions test = options.test;
  const bool pulses = options.programming == Programming::kPulse;
  // Only a fresh array is all RESET; the devices of others must not be disturbed either.
  for (uint32_t i = 0; i < n; ++i) {
    if (!pulses || state_.programmed >> uses[i].cal.tile & 1) test.devices = test.thorough = false;
  }
  const bool tests = options.self_test && n != 0, repairs = options.repair && options.calibrate && n != 0;
  if (tests) {
    OHMAC_TRY(self_test(driver_, uses, n, test, options.calibration, &state_, &report->test));
    if (test.thorough) state_.programmed |= tile_mask_;
  } else if (pulses || repairs) {
    OHMAC_TRY(calibrate(options));
  }
  if (repairs) OHMAC_TRY(repair_columns(driver_, uses, n, test, options.calibration, &state_, &report->repair));
  if (options.programming == Programming::kFormula) {
    ImageReader::Cursor at;
    image::CellsRecord cells;
    const int8_t* targets;
    while (image.next_cells(&at, &cells, &targets)) {
      OHMAC_TRY(driver_.platform().program_cells(cells.tile, cells.row0, cells.col0, cells.rows, cells.cols, targets));
    }
  }
  if (!tests && !pulses && !repairs) OHMAC_TRY(calibrate(options));
  if (pulses && num_regions_ != 0) OHMAC_TRY(program(options, report));
  OHMAC_TRY(judge(options, report));
  return options.reference ? take_reference(options.compensation) : Status::kOk;
}

Status Runtime::calibrate(const LoadOptions& options) {
  CalTarget targets[kMaxTiles];
  uint64_t missing = 0;
  uint32_t count = 0;
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    const image::TileRecord& t = tiles_[i];
    if (t.mux_count == 0) continue;  // converts nothing
    const ChipState::Calibrated& c = state_.calibrated[t.tile];
    if (c.mux_count >= t.mux_count && c.adc_bits == t.adc_bits && c.range == t.range) continue;
    missing |= uint64_t{1} << t.tile;
    targets[count++] = uses_[i].cal;
  }
  if (count == 0) return Status::kOk;
  for (uint32_t i = 0; i < count; ++i) state_.calibrated[targets[i].tile] = {};
  if (options.calibrate) return driver_.calibrate(targets, count, options.calibration, &state_);
  for (uint32_t i = 0; i < count; ++i) {
    for (uint32_t c = 0; c < state_.cols; ++c) {
      const uint32_t k = state_.column(targets[i].tile, c);
      state_.cal[k] = kNeutralCal;
      state_.scale[k] = ChipState::kUnity;
      state_.health[k] = ColumnHealth::kGood;
    }
  }
  return driver_.reset_calibration(missing);
}

// One verify read a row, no pulse; the totals over all tiles are added to `sum`.
Status Runtime::look(const CellRegion* regions, uint32_t count, uint32_t tolerance, ProgramReport* sum,
                     uint16_t* fails) {
  ProgramOptions once;
  once.tolerance = tolerance;
  once.limit = 1;
  for (ProgramReport& r : program_reports_) r = ProgramReport{};
  OHMAC_TRY(program_cells(driver_, regions, count, once, state_, program_reports_, fails));
  for (uint32_t t = 0; t < state_.tiles; ++t) *sum += program_reports_[t];
  return Status::kOk;
}

// What programming could not bring near its target, column by column.
Status Runtime::find_bad_cells(const CellRegion* regions, uint32_t count, ProgramReport* sum) {
  for (uint32_t i = 0; i < count; ++i) {
    memset(state_.bad_devices + state_.column(regions[i].tile, 0), 0, state_.cols * sizeof state_.bad_devices[0]);
  }
  OHMAC_TRY(look(regions, count, test_.bad_level << isa::kPsumFracBits, sum, state_.bad_devices));
  for (uint32_t i = 0; i < num_tiles_; ++i) judge_devices(uses_[i], test_.bad_percent, &state_);
  return Status::kOk;
}

// Programs by pulses; columns that come out bad are repaired and their tiles programmed once more.
Status Runtime::program(const LoadOptions& options, LoadReport* report) {
  ProgramReport looks;
  state_.program = options.program;
  CellRegion some[kMaxRegions];
  uint32_t count = 0;
  // A new target may need the other device of a pair, so what an earlier network left is taken away first.
  for (uint32_t i = 0; i < num_regions_; ++i) {
    const CellRegion& r = regions_[i];
    if (state_.programmed >> r.tile & 1) some[count++] = CellRegion{r.tile, r.row0, r.col0, r.rows, r.cols, nullptr, 0};
  }
  for (ProgramReport& r : program_reports_) r = ProgramReport{};
  if (count != 0) OHMAC_TRY(program_cells(driver_, some, count, options.program, state_, program_reports_));
  for (uint32_t i = 0; i < num_regions_; ++i) state_.programmed |= uint64_t{1} << regions_[i].tile;
  OHMAC_TRY(program_cells(driver_, regions_, num_regions_, options.program, state_, program_reports_));
  for (const ProgramReport& r : program_reports_) report->program += r;
  OHMAC_TRY(find_bad_cells(regions_, num_regions_, &looks));

  TileUse uses[kMaxTiles];
  const uint32_t n = converting(uses);
  if (options.repair && options.calibrate && n != 0) {
    RepairReport second;
    OHMAC_TRY(repair_columns(driver_, uses, n, options.test, options.calibration, &state_, &second));
    report->repair.failed += second.failed;
    report->repair.repaired += second.repaired;
    report->repair.bad_spares += second.bad_spares;
    report->repair.tiles |= second.tiles;
    count = 0;
    for (uint32_t i = 0; i < num_regions_; ++i) {
      if (second.tiles >> regions_[i].tile & 1) some[count++] = regions_[i];
    }
    if (count != 0) {  // no erasing: the other columns hold the same targets
      for (ProgramReport& r : program_reports_) r = ProgramReport{};
      OHMAC_TRY(program_cells(driver_, some, count, options.program, state_, program_reports_));
      for (const ProgramReport& r : program_reports_) report->program += r;
      OHMAC_TRY(find_bad_cells(some, count, &looks));
    }
  }
  report->program.reads += looks.reads;
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    for (uint32_t c = 0; c < uses_[i].columns; ++c) {
      const uint32_t k = state_.column(uses_[i].cal.tile, c);
      if (usable(state_.health[k])) report->bad_cells += state_.bad_devices[k];
    }
  }
  return Status::kOk;
}

// Counts what is left of bad columns, and refuses where the options say so.
Status Runtime::judge(const LoadOptions& options, LoadReport* report) {
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    const TileUse& u = uses_[i];
    uint32_t bad = 0, first = ErrorInfo::kNone;
    for (uint32_t c = 0; c < u.columns; ++c) {
      const ColumnHealth h = state_.health[state_.column(u.cal.tile, c)];
      if (h == ColumnHealth::kGood) continue;
      if (first == ErrorInfo::kNone) first = c;
      bad += !usable(h);
      report->weak_columns += usable(h);
    }
    report->bad_columns += bad;
    const bool refused =
        (options.require_perfect && first != ErrorInfo::kNone) || bad * 100 > options.max_bad_percent * u.columns;
    if (refused) return driver_.fail_at(Status::kCalibration, u.cal.tile, first);
  }
  return Status::kOk;
}

// Traps and phase timing (as after reset; a recovery puts it right again), then programs and constants of all tiles,
// which may set their own.
Status Runtime::load_tiles(const ImageReader& image) {
  TileWriter writer(driver_);
  uint32_t words[isa::cfg::kTrapBase - isa::cfg::kTimingBase + 1] = {};  // what lies between them names nothing
  words[0] = static_cast<uint32_t>(isa::cfg::timing::settle.put(4) | isa::cfg::timing::integ.put(32));
  words[isa::cfg::kTrapBase - isa::cfg::kTimingBase] =
      static_cast<uint32_t>(isa::cfg::trap::watchdog.put(watchdog()) | isa::cfg::trap::overflow.put(1));
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    OHMAC_TRY(writer.add(tiles_[i].tile, isa::cfg::noc_addr(isa::cfg::kTimingBase), words, sizeof words));
  }
  ImageReader::Cursor at;
  image::DataRecord record;
  const uint8_t* content;
  while (image.next_data(&at, &record, &content)) {
    OHMAC_TRY(writer.add(record.tile, record.addr, content, record.bytes));
  }
  return writer.flush();
}

Status Runtime::take_reference(const CompensationOptions& options) {
  TileUse uses[kMaxTiles];
  uint32_t n = 0;
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    if (tiles_[i].mux_count != 0 && uses_[i].rows != 0 && uses_[i].columns != 0) uses[n++] = uses_[i];
  }
  return n == 0 ? Status::kOk : ohmac::take_reference(driver_, uses, n, options, &state_);
}

Status Runtime::compensate(const uint8_t* data, size_t bytes, const CompensationOptions& options,
                           CompensationReport* report) {
  if (!loaded_ || stale_) return Status::kNotReady;
  ImageReader image;
  OHMAC_TRY(reopen(data, bytes, &image));
  OHMAC_TRY(driver_.check_idle());
  TileUse uses[kMaxTiles];
  uint32_t n = 0;
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    if (tiles_[i].mux_count != 0 && uses_[i].rows != 0 && uses_[i].columns != 0) uses[n++] = uses_[i];
  }
  const Status done = n == 0 ? Status::kOk : note(ohmac::compensate(driver_, uses, n, options, &state_, report));
  if (stale_) return done;
  OHMAC_TRY(note(load_tiles(image)));  // the measurement took their SRAM, also where it failed
  return done;
}

Status Runtime::refresh(const uint8_t* data, size_t bytes, RefreshReport* report) {
  RefreshReport ignored;
  if (report == nullptr) report = &ignored;
  *report = RefreshReport{};
  if (!loaded_ || stale_) return Status::kNotReady;
  ImageReader image;
  OHMAC_TRY(reopen(data, bytes, &image));
  OHMAC_TRY(driver_.check_idle());
  OHMAC_TRY(collect_uses(image));
  if (num_regions_ == 0) return Status::kOk;

  const auto maintain = [&]() -> Status {
    for (uint32_t i = 0; i < ChipState::kMaxColumns; ++i) state_.scale[i] = ChipState::kUnity;
    ProgramReport before, pulsed, after;
    OHMAC_TRY(look(regions_, num_regions_, state_.program.tolerance, &before, nullptr));
    report->rows = before.rows;
    report->rows_touched = before.rows_failed;
    report->cells_touched = before.fails;
    if (before.rows_failed != 0) {
      for (ProgramReport& r : program_reports_) r = ProgramReport{};
      OHMAC_TRY(program_cells(driver_, regions_, num_regions_, state_.program, state_, program_reports_));
      for (const ProgramReport& r : program_reports_) pulsed += r;
    }
    OHMAC_TRY(find_bad_cells(regions_, num_regions_, &after));
    report->reads = before.reads + pulsed.reads + after.reads;
    report->pulses = pulsed.pulses;
    report->bad_cells = after.fails;
    CompensationOptions again;
    again.vectors = 0;
    for (uint32_t i = 0; i < num_tiles_; ++i) {
      const uint32_t vectors = state_.reference[tiles_[i].tile].vectors;
      if (vectors != 0) again.vectors = vectors;
    }
    return again.vectors != 0 ? take_reference(again) : Status::kOk;
  };
  const Status done = note(maintain());
  if (stale_) return done;
  OHMAC_TRY(note(load_tiles(image)));
  return done;
}

Status Runtime::restore_state(const void* from, size_t bytes) {
  if (!driver_.ready() || stale_) return Status::kNotReady;
  loaded_ = false;
  OHMAC_TRY(attach());
  OHMAC_TRY(state_.load(from, bytes));
  OHMAC_TRY(driver_.check_idle());
  OHMAC_TRY(note(write_repairs(driver_, state_, driver_.chip().tile_mask())));
  return note(write_calibration(driver_, state_, driver_.chip().tile_mask()));
}

}  // namespace ohmac
