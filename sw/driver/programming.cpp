// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/programming.h"

#include <string.h>

#include "sw/driver/assembler.h"
#include "sw/driver/chip_words.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

using isa::Engine;

constexpr uint32_t kAguRow = 0, kAguTarget = 1, kAguPsum = 2, kAguFail = 3;
// Tile tokens: targets of a row have arrived, row done, then one a member of the group.
constexpr uint32_t kTokTarget = 0, kTokDone = 1, kTokMember = 2;
constexpr uint32_t kMaxRounds = 255;  // tokens of a group that may be pending at once
static_assert(kTokMember + kProgramMembers <= isa::kNumTokens, "tile tokens");
static_assert((1 + kProgramMembers) * isa::kNumTokens >= ChipState::kMaxTiles, "groups cover every tile");

uint32_t round_up(uint32_t v, uint32_t to) { return (v + to - 1) / to * to; }
uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

/// Rectangle of rows and column blocks that covers the regions of one tile.
struct Extent {
  uint32_t tile, row0, row1, block0, block1;
};

/// One call of program_cells.
class Programmer {
 public:
  Programmer(Driver& driver, const CellRegion* regions, uint32_t count, const ProgramOptions& options,
             const ChipState& state, ProgramReport* reports, uint16_t* fails_per_column)
      : driver_(driver),
        chip_(driver.chip()),
        regions_(regions),
        count_(count),
        options_(options),
        state_(state),
        reports_(reports),
        fails_(fails_per_column) {}

  Status run() {
    OHMAC_TRY(check());
    uint64_t mask = 0;
    for (uint32_t i = 0; i < num_extents_; ++i) mask |= uint64_t{1} << extents_[i].tile;
    OHMAC_TRY(write_calibration(driver_, state_, mask, kVerifyFactor));
    OHMAC_TRY(run_jobs());
    return write_calibration(driver_, state_, mask);
  }

 private:
  struct Before {  // counters of a tile
    uint32_t reads, pulses, fails;
  };

  Status run_jobs() {
    for (uint32_t first = 0; first < num_extents_;) {  // all tiles at once, unless DMA memory is short
      uint32_t n = num_extents_ - first;
      while (n != 0 && rows_that_fit(first, n) == 0) n = n == 1 ? 0 : (n + 1) / 2;
      if (n == 0) return driver_.fail(Status::kNoMemory);
      uint32_t rows = 0;
      for (uint32_t i = first; i < first + n; ++i) rows = max(rows, extents_[i].row1 - extents_[i].row0);
      const uint32_t jobs = (rows + rows_that_fit(first, n) - 1) / rows_that_fit(first, n);
      const uint32_t step = (rows + jobs - 1) / jobs;
      for (uint32_t done = 0; done < rows; done += step) OHMAC_TRY(run_job(first, n, done, step));
      first += n;
    }
    return Status::kOk;
  }

  Status check() {
    if (!driver_.ready()) return driver_.fail(Status::kNotReady);
    if (check_program_options(options_) != Status::kOk || regions_ == nullptr || count_ == 0 ||
        state_.tiles != chip_.tiles || state_.cols != chip_.cols) {
      return driver_.fail(Status::kBadArgument);
    }
    for (uint32_t i = 0; i < count_; ++i) {
      const CellRegion& r = regions_[i];
      if (r.tile >= chip_.tiles || r.rows == 0 || r.cols == 0 || r.rows > chip_.rows || r.cols > chip_.cols ||
          r.row0 > chip_.rows - r.rows || r.col0 > chip_.cols - r.cols || r.fill == -128) {
        return driver_.fail_at(Status::kBadArgument, r.tile, ErrorInfo::kNone);
      }
      Extent* e = nullptr;
      for (uint32_t k = 0; k < num_extents_; ++k) e = extents_[k].tile == r.tile ? &extents_[k] : e;
      if (e == nullptr) {
        e = &extents_[num_extents_++];
        *e = Extent{r.tile, r.row0, r.row0 + r.rows, r.col0 / chip_.lanes, (r.col0 + r.cols - 1) / chip_.lanes + 1};
        continue;
      }
      e->row0 = min(e->row0, r.row0);
      e->row1 = max(e->row1, r.row0 + r.rows);
      e->block0 = min(e->block0, r.col0 / chip_.lanes);
      e->block1 = max(e->block1, (r.col0 + r.cols - 1) / chip_.lanes + 1);
    }
    return Status::kOk;
  }

  static uint32_t group_size(uint32_t tiles) { return (tiles + isa::kNumTokens - 1) / isa::kNumTokens; }
  // REPEAT needs the same rows everywhere and a token a tile; else every row of every tile has its own descriptor.
  bool streams(uint32_t first, uint32_t n) const {
    bool same = n <= isa::kMaxRepeatDesc;
    for (uint32_t i = first; i < first + n; ++i) {
      same = same && extents_[i].row1 - extents_[i].row0 == extents_[first].row1 - extents_[first].row0;
    }
    return same;
  }
  uint32_t descriptors(uint32_t first, uint32_t n, uint32_t rows) const {
    const uint32_t targets = streams(first, n) ? 2 + 2 * n : n * rows;
    return 2 * n + targets + isa::kNumTokens + 2;  // programs, fail lines; waits, START and END
  }

  /// Most rows a job can take, 0 if not even one fits.
  uint32_t rows_that_fit(uint32_t first, uint32_t n) const {
    uint32_t rows = n > isa::kNumTokens ? kMaxRounds : chip_.rows;
    for (uint32_t i = first; i < first + n; ++i) {
      rows = min(rows, program_layout(chip_, extents_[i].block1 - extents_[i].block0).max_rows);
    }
    const auto bytes = [&](uint32_t r) {
      uint64_t b = uint64_t{descriptors(first, n, r)} * isa::kDescBytes;
      for (uint32_t i = first; i < first + n; ++i) {
        const ProgramLayout l = program_layout(chip_, extents_[i].block1 - extents_[i].block0);
        b += kProgramBytes + round_up(r * l.stride, 64) + round_up(r * l.fail_bytes, 64);
      }
      return b;
    };
    if (rows == 0 || bytes(1) > driver_.dma_bytes()) return 0;
    uint32_t low = 1;  // fits
    while (low < rows) {
      const uint32_t mid = (low + rows + 1) / 2;
      if (bytes(mid) <= driver_.dma_bytes()) {
        low = mid;
      } else {
        rows = mid - 1;
      }
    }
    return low;
  }

  /// Targets of one row of the blocks of an extent.
  void fill_row(const Extent& e, uint32_t row, uint32_t columns, int8_t* to) const {
    memset(to, 0, columns);
    const uint32_t col0 = e.block0 * chip_.lanes;
    for (uint32_t i = 0; i < count_; ++i) {
      const CellRegion& r = regions_[i];
      if (r.tile != e.tile || row < r.row0 || row >= r.row0 + r.rows) continue;
      int8_t* at = to + (r.col0 - col0);
      if (r.targets != nullptr) {
        memcpy(at, r.targets + uint64_t{row - r.row0} * r.cols, r.cols);
      } else {
        memset(at, r.fill, r.cols);
      }
    }
    for (uint32_t c = 0; c < columns; ++c) {  // a muted column reads 0: target 0 means no pulse
      if (!readable(state_.health[state_.column(e.tile, col0 + c)])) to[c] = 0;
    }
  }

  bool covered(uint32_t tile, uint32_t row, uint32_t col) const {
    for (uint32_t i = 0; i < count_; ++i) {
      const CellRegion& r = regions_[i];
      if (r.tile == tile && row - r.row0 < r.rows && col - r.col0 < r.cols) return true;
    }
    return false;
  }

  Status counters(uint32_t tile, Before* b) {
    OHMAC_TRY(driver_.read_counter(tile, isa::Counter::kProgReads, &b->reads));
    OHMAC_TRY(driver_.read_counter(tile, isa::Counter::kPulses, &b->pulses));
    return driver_.read_counter(tile, isa::Counter::kProgFails, &b->fails);
  }

  /// Rows `done` .. done + step - 1 of each of n extents (those that have so many).
  Status run_job(uint32_t first, uint32_t n, uint32_t done, uint32_t step) {
    const uint32_t group = group_size(n);
    uint32_t used = 0, rounds = 0;
    uint64_t mask = 0, row_cycles = 0, bytes = 0;
    for (uint32_t i = 0; i < n; ++i) {
      const Extent& e = extents_[first + i];
      const uint32_t rows = e.row1 - e.row0;
      if (rows <= done) continue;
      ProgramTask& t = tasks_[used];
      t = ProgramTask{};
      t.tile = e.tile;
      t.row0 = e.row0 + done;
      t.rows = min(step, rows - done);
      t.block0 = e.block0;
      t.blocks = e.block1 - e.block0;
      extent_[used++] = first + i;
      mask |= uint64_t{1} << e.tile;
      rounds = max(rounds, t.rows);
      row_cycles = row_cycle_bound(chip_, t.blocks, options_) > row_cycles ? row_cycle_bound(chip_, t.blocks, options_)
                                                                           : row_cycles;
      bytes += uint64_t{t.rows} * program_layout(chip_, t.blocks).stride + kProgramBytes;
      OHMAC_TRY(counters(e.tile, &before_[used - 1]));
    }
    for (uint32_t i = 0; i < used; ++i) {
      ProgramTask& t = tasks_[i];
      const uint32_t lead = i / group * group, end = min(lead + group, used);
      t.leader = tasks_[lead].tile;
      t.members = i == lead ? end - lead - 1 : 0;
      t.token = i == lead ? i / group : i - lead - 1;
      for (uint32_t k = lead; k < end; ++k) t.rounds = max(t.rounds, tasks_[k].rows);
    }
    // A tile waits for others kProgramRing rows long at most, besides the DMA.
    const uint64_t patience = ((kProgramRing + 1) * row_cycles + transfer_cycles(bytes)) / 256;
    const uint32_t watchdog = patience < 0xFFFF ? static_cast<uint32_t>(patience) : 0xFFFF;

    driver_.release_all();
    JobBuilder job;
    OHMAC_TRY(driver_.begin_job(descriptors(first, n, step), &job));
    for (uint32_t i = 0; i < used; ++i) {
      const ProgramTask& t = tasks_[i];
      const ProgramLayout l = program_layout(chip_, t.blocks);
      DmaBlock image;
      OHMAC_TRY(driver_.alloc(kProgramBytes, &image));
      OHMAC_TRY(driver_.alloc(t.rows * l.stride, &targets_[i]));
      OHMAC_TRY(driver_.alloc(t.rows * l.fail_bytes, &lines_[i]));
      encode_program(t, l, options_, chip_.adc_bits, watchdog, image.cpu);
      memset(targets_[i].cpu, 0, targets_[i].bytes);
      for (uint32_t r = 0; r < t.rows; ++r) {
        fill_row(extents_[extent_[i]], t.row0 + r, l.columns,
                 reinterpret_cast<int8_t*>(targets_[i].cpu + r * l.stride));
      }
      Transfer m;
      m.tile = t.tile;
      m.mem = image.bus;
      m.bytes = image.bytes;
      job.m2t(m);
    }
    job.start(mask, 0);
    stream_targets(job, used, rounds);
    for (uint32_t i = 0; i < used; ++i) {
      Transfer m;
      m.tile = tasks_[i].tile;
      m.tile_addr = program_layout(chip_, tasks_[i].blocks).fails;
      m.mem = lines_[i].bus;
      m.bytes = lines_[i].bytes;
      job.t2m(m);
    }
    OHMAC_TRY(driver_.set_outbox(lines_[0].bus));  // the tiles send tokens without data
    OHMAC_TRY(driver_.run(job, 2 * (rounds + 1) * row_cycles + transfer_cycles(2 * bytes)));
    OHMAC_TRY(driver_.wait_halt(mask, transfer_cycles(0)));
    for (uint32_t i = 0; i < used; ++i) OHMAC_TRY(account(i));
    return Status::kOk;
  }

  Transfer target_row(uint32_t i, uint32_t row) const {
    const ProgramLayout l = program_layout(chip_, tasks_[i].blocks);
    Transfer m;
    m.tile = tasks_[i].tile;
    m.tile_addr = l.ring + row % kProgramRing * l.stride;
    m.mem = targets_[i].bus + uint64_t{row} * l.stride;
    m.bytes = l.stride;
    m.mem_stride = l.stride;
    m.tile_stride = l.stride;
    m.tile_slots = kProgramRing;
    m.signal = true;
    m.signal_token = kTokTarget;
    return m;
  }

  // Rows go out round by round, one to every tile; from row kProgramRing on a group's round waits until all of the
  // group have finished one more row. Ends when every row is finished.
  void stream_targets(JobBuilder& job, uint32_t used, uint32_t rounds) {
    const uint32_t group = group_size(used);
    bool same = used <= isa::kMaxRepeatDesc;
    for (uint32_t i = 0; i < used; ++i) same = same && tasks_[i].rows == rounds;
    uint32_t waited[isa::kNumTokens] = {};
    if (same) {  // group = 1
      const uint32_t window = min(rounds, kProgramRing);
      job.repeat(window, used);
      for (uint32_t i = 0; i < used; ++i) job.m2t(target_row(i, 0));
      if (rounds > window) job.repeat(rounds - window, used);  // window = slots: goes on at slot 0
      for (uint32_t i = 0; i < used && rounds > window; ++i) {
        Transfer m = target_row(i, window);
        m.tile_addr = target_row(i, 0).tile_addr;
        m.wait_count = 1;
        m.wait_token = tasks_[i].token;
        waited[i] = rounds - window;
        job.m2t(m);
      }
    } else {
      for (uint32_t r = 0; r < rounds; ++r) {
        uint32_t ready = isa::kNumTokens;  // group that this round has waited for
        for (uint32_t i = 0; i < used; ++i) {
          if (r >= tasks_[i].rows) continue;
          Transfer m = target_row(i, r);
          if (r >= kProgramRing && ready != i / group) {
            ready = i / group;
            m.wait_count = 1;
            m.wait_token = ready;
            ++waited[ready];
          }
          job.m2t(m);
        }
      }
    }
    for (uint32_t i = 0; i < used; i += group) {
      const uint32_t left = tasks_[i].rounds - waited[i / group];
      if (left != 0) job.wait(i / group, left);
    }
  }

  Status account(uint32_t i) {
    const ProgramTask& t = tasks_[i];
    const ProgramLayout l = program_layout(chip_, t.blocks);
    Before now;
    OHMAC_TRY(counters(t.tile, &now));
    uint32_t rows_failed = 0;
    for (uint32_t r = 0; r < t.rows; ++r) {
      const uint8_t* line = lines_[i].cpu + r * l.fail_bytes;
      bool any = false;
      for (uint32_t c = 0; c < l.columns; ++c) {
        if (!(line[c / 8] >> c % 8 & 1)) continue;
        any = true;
        if (fails_ == nullptr || !covered(t.tile, t.row0 + r, t.block0 * chip_.lanes + c)) continue;
        uint16_t& f = fails_[t.tile * chip_.cols + t.block0 * chip_.lanes + c];
        if (f != 0xFFFF) ++f;
      }
      rows_failed += any;
    }
    if (reports_ == nullptr) return Status::kOk;
    ProgramReport& report = reports_[t.tile];
    report.rows += t.rows;
    report.rows_failed += rows_failed;
    report.reads += now.reads - before_[i].reads;
    report.pulses += now.pulses - before_[i].pulses;
    report.fails += now.fails - before_[i].fails;
    return Status::kOk;
  }

  Driver& driver_;
  const ChipInfo& chip_;
  const CellRegion* regions_;
  uint32_t count_;
  const ProgramOptions& options_;
  const ChipState& state_;
  ProgramReport* reports_;
  uint16_t* fails_;
  Extent extents_[ChipState::kMaxTiles];
  uint32_t num_extents_ = 0;
  ProgramTask tasks_[ChipState::kMaxTiles];  // of the running job
  uint32_t extent_[ChipState::kMaxTiles];
  Before before_[ChipState::kMaxTiles];
  DmaBlock targets_[ChipState::kMaxTiles], lines_[ChipState::kMaxTiles];
};

}  // namespace

Status check_program_options(const ProgramOptions& o) {
  namespace f = isa::cfg::prog;
  const bool good = o.tolerance <= f::tolerance.mask() && o.limit >= 1 && o.limit <= f::limit.mask() &&
                    o.amp_first <= f::amp_first.mask() && o.amp_last <= f::amp_last.mask() &&
                    o.amp_every <= f::amp_every.mask() && o.pulse_cycles >= 1 && o.pulse_cycles <= f::pulse.mask();
  return good ? Status::kOk : Status::kBadArgument;
}

ProgramLayout program_layout(const ChipInfo& chip, uint32_t blocks) {
  ProgramLayout l = {};
  l.columns = blocks * chip.lanes;
  l.stride = round_up(l.columns, 32);
  l.fail_bytes = (l.columns + 255) / 256 * 32;
  l.ring = kProgramBytes;
  l.psums = l.ring + kProgramRing * l.stride;
  l.fails = l.psums + round_up(4 * l.columns, 32);
  l.max_rows = l.fails < chip.sram_bytes ? min((chip.sram_bytes - l.fails) / l.fail_bytes, 0xFFFF) : 0;
  return l;
}

void encode_program(const ProgramTask& t, const ProgramLayout& l, const ProgramOptions& o, uint32_t adc_bits,
                    uint32_t watchdog, uint8_t* image) {
  namespace c = isa::cfg;
  memset(image, 0, kProgramBytes);
  Assembler a(image, kProgramBytes / 8);
  a.agu(kAguRow, t.row0, 1, 0, 0, 0);
  a.agu(kAguTarget, l.ring, l.stride, 0, 0, kProgramRing * l.stride);
  a.agu(kAguPsum, l.psums, 0, 0, 0, 0);
  a.agu(kAguFail, l.fails, l.fail_bytes, 0, 0, 0);
  a.mvm_slot(0, 0, 4, adc_bits, kVerifyRange, t.block0, t.blocks);
  a.setr(c::kProgBase + 0, c::prog::tolerance.put(o.tolerance) | c::prog::limit.put(o.limit));
  a.setr(c::kProgBase + 1, c::prog::amp_first.put(o.amp_first) | c::prog::amp_last.put(o.amp_last) |
                               c::prog::amp_every.put(o.amp_every) | c::prog::pulse.put(o.pulse_cycles));
  a.setr(c::kProgBase + 2, c::prog::verify_x.put(kVerifyInput));
  a.setr(c::kTrapBase, c::trap::watchdog.put(watchdog) | c::trap::overflow.put(1));

  const bool leads = t.leader == t.tile;
  // What follows every row: the leader waits for its members, then tells the host; a member tells the leader. The
  // addresses of the tokens do not matter, kAguPsum holds a legal one.
  const uint32_t tail = 1 + (leads ? t.members : 0);
  const auto tell = [&] {
    for (uint32_t m = 0; leads && m < t.members; ++m) a.wait(Engine::kNet, kTokMember + m, 1);
    a.send_token(leads ? isa::kHostTile : t.leader, kAguPsum, leads ? t.token : kTokMember + t.token);
  };
  a.loop(4 + tail, t.rows);
  a.wait(Engine::kMvm, kTokTarget, 1);
  a.emit(
      isa::prog::make(isa::operand(kAguTarget, 0), isa::operand(kAguPsum, 0), isa::operand(kAguFail, 0), kAguRow, 0));
  a.signal(Engine::kMvm, kTokDone, 1);
  a.wait(Engine::kNet, kTokDone, 1);
  tell();
  if (t.rounds > t.rows) {  // others of the group have more rows
    a.loop(tail, t.rounds - t.rows);
    tell();
  }
  a.halt();
}

uint64_t row_cycle_bound(const ChipInfo& chip, uint32_t blocks, const ProgramOptions& o) {
  // Verify: phase, conversions, correction; four pulses with their masks. Twice, with room for slow timing registers.
  const uint64_t verify = 1024 + uint64_t{blocks} * (chip.adc_bits + 2) + blocks * chip.lanes;
  const uint64_t pulses = 4 * (uint64_t{o.pulse_cycles} + chip.cols / 32 + 16);
  return 2 * o.limit * (verify + pulses) + 4096;
}

Status program_cells(Driver& driver, const CellRegion* regions, uint32_t count, const ProgramOptions& options,
                     const ChipState& state, ProgramReport* reports, uint16_t* fails_per_column) {
  return Programmer(driver, regions, count, options, state, reports, fails_per_column).run();
}

}  // namespace ohmac
