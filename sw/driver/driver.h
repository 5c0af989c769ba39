// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "sw/driver/calibration.h"
#include "sw/driver/chip_state.h"
#include "sw/driver/job.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "sw/hal/platform.h"

namespace ohmac {

/// What the chip says about itself (capability registers).
struct ChipInfo {
  uint32_t version_major, version_minor, isa_version;
  uint32_t tiles, mesh_x, mesh_y;
  uint32_t rows, cols, lanes, adc_bits;
  uint32_t windows, counters, sram_bytes;
  uint32_t spares;  // lanes 0 .. spares-1 have a spare column
  uint32_t mux() const { return cols / lanes; }
  uint64_t tile_mask() const { return tiles >= 64 ? ~uint64_t{0} : (uint64_t{1} << tiles) - 1; }
};

/// Details of the last failure; fields that do not apply keep their default.
struct ErrorInfo {
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  Status status = Status::kOk;
  isa::DmaError dma_error = isa::DmaError::kNone;
  uint32_t descriptor = kNone;  // index in the job
  uint64_t address = 0;         // of the refused or failed access
  uint32_t tile = kNone;
  isa::Fault fault = isa::Fault::kNone;
  uint32_t pc = 0;          // of the faulting tile, in instructions
  uint32_t column = kNone;  // physical column (calibration)
  uint32_t range = kNone;   // RANGE field whose trim is wrong (calibration); kNone: gain, offset or clips
  uint32_t clips = 0;       // conversions that clipped during the calibration of `tile`
};

/// Cycles that surely suffice to move `bytes` by DMA.
constexpr uint64_t transfer_cycles(uint64_t bytes) { return 100000 + 16 * bytes; }

/// One chip. Every call returns within a bounded number of chip cycles; details of a failure are in last_error().
/// Not reentrant: DMA memory is shared by all calls, and each call starts with all of it free.
class Driver {
 public:
  explicit Driver(Platform& platform) : platform_(platform) {}

  /// Identifies the chip, opens the DMA memory as the only DMA window and silences the interrupts.
  Status probe();
  bool ready() const { return ready_; }
  const ChipInfo& chip() const { return chip_; }
  const ErrorInfo& last_error() const { return error_; }
  Platform& platform() { return platform_; }

  /// Copies to / from a tile (SRAM, or configuration space with bit 23; SRAM only for reads). `addr` multiple of 16,
  /// any length.
  Status write_tile(uint32_t tile, uint32_t addr, const void* data, uint32_t bytes);
  Status read_tile(uint32_t tile, uint32_t addr, void* data, uint32_t bytes);
  /// Starts the tiles of the mask at one pc, after everything written before has arrived.
  Status start_tiles(uint64_t mask, uint32_t pc);
  /// Waits until every tile of the mask has halted. kTileFault names the first that stopped with a fault.
  Status wait_halt(uint64_t mask, uint64_t cycles);

  /// kNotReady while a DMA job or a tile runs.
  Status check_idle();

  /// Measures the reference row of the given tiles (all at once), verifies the trim of their ranges and writes their
  /// gain and offset words. Overwrites tile SRAM from address 0 on. Drives and conversions count as any others.
  /// Without `state`, kCalibration names tile and column, and the range if its trim is wrong; every gain is then 1 and
  /// every offset 0. With it a bad column is no failure: it is marked in `state`, stays neutral (muted if its codes
  /// carry no signal), and the others are calibrated; a lane whose columns are all bad is dead. Lanes that were dead
  /// before and columns with too many bad devices keep that mark. Drift compensation of the tiles is forgotten.
  Status calibrate(const CalTarget* targets, uint32_t count, const CalOptions& options = {},
                   ChipState* state = nullptr);
  /// Writes gain 1 and offset 0 to every column of the tiles of the mask.
  Status reset_calibration(uint64_t mask);

  Status read_counter(uint32_t tile, isa::Counter counter, uint32_t* value);
  Status read_cycles(uint64_t* value);

  // --- For schedules of one's own (the runtime).
  /// Takes DMA memory, 64-byte aligned, until release_all().
  Status alloc(uint32_t bytes, DmaBlock* block);
  void release_all() { used_ = 0; }
  uint32_t available() const { return dma_bytes_ - used_; }
  uint32_t dma_bytes() const { return dma_bytes_; }
  Status begin_job(uint32_t max_descriptors, JobBuilder* job);
  /// Address that host sends are relative to; must lie in DMA memory.
  Status set_outbox(uint64_t bus);
  /// Closes the job, rings the doorbell and waits. On kTimeout and kTileFault the job is aborted.
  Status run(JobBuilder& job, uint64_t cycles);
  /// Closes the job and hands it over: it starts at once, or when the running one has ended. At most two are
  /// outstanding; kNotReady for a third. set_outbox() before it belongs to this job.
  Status submit(JobBuilder& job);
  /// Waits until at most `left` submitted jobs are outstanding, `cycles` for each end. Any failure aborts all of them.
  Status wait_jobs(uint32_t left, uint64_t cycles);
  uint32_t outstanding() const { return outstanding_; }

  /// Brings chip to rest after a failure, without reset: aborts the DMA, stops every tile, waits until none runs and no
  /// flit is under way, clears tokens and faults of every tile, opens the DMA window anew. Devices, calibration,
  /// repairs and tile SRAM stay. kTimeout if the chip does not come to rest: only a reset helps then.
  Status quiesce();
  /// Writes 0 to the whole SRAM of the tiles of the mask, which also repairs wrong parity.
  Status clear_sram(uint64_t mask);

  /// For functions built on the driver: record a failure and return its status.
  Status fail(Status s);
  Status fail_at(Status s, uint32_t tile, uint32_t column);

 private:
  friend class TileWriter;
  Status read(uint32_t addr, uint32_t* value);
  Status write(uint32_t addr, uint32_t value);
  Status wait_end(uint64_t cycles);
  Status ring(const JobBuilder& job);
  Status abort_job();
  Status open_window();
  Status record_dma_error();
  Status record_tile_fault();
  Status check_tile_range(uint32_t tile, uint32_t addr, uint32_t bytes, bool config_allowed);
  struct CalState;
  Status start_calibration(const CalTarget* targets, uint32_t count, const CalOptions& options);
  Status judge_column(const CalState& s, uint32_t column, CalWord* word, ColumnHealth* health, int64_t* size);
  void judge_tile(const CalTarget& target, CalState& s, uint32_t clips, ChipState* state);
  Status require_tile(const CalTarget& target, CalState& s, uint32_t clips);

  Platform& platform_;
  ChipInfo chip_ = {};
  ErrorInfo error_;
  bool ready_ = false;
  uint8_t* dma_cpu_ = nullptr;
  uint64_t dma_bus_ = 0;
  uint32_t dma_bytes_ = 0, used_ = 0;
  uint32_t outstanding_ = 0, ended_ = 0;  // jobs of submit(): not ended yet; ends seen, modulo 256

  struct CalState {  // one tile of a running calibration
    CalPlan plan;
    CalLayout layout;
    DmaBlock sums, words;
    uint32_t clips;
  };
  CalState cal_[64];
};

/// Collects writes to tiles into few DMA jobs. flush() at the end; until then data may not have left.
class TileWriter {
 public:
  explicit TileWriter(Driver& driver) : driver_(driver) {}
  Status add(uint32_t tile, uint32_t addr, const void* data, uint32_t bytes);
  Status flush();

 private:
  Status begin();

  Driver& driver_;
  JobBuilder job_;
  DmaBlock buffer_;
  uint32_t used_ = 0;
  bool open_ = false;
};

}  // namespace ohmac
