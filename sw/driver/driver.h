// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "sw/driver/calibration.h"
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
  /// kCalibration names tile and column, and the range if its trim is wrong; every gain is then 1 and every offset 0.
  Status calibrate(const CalTarget* targets, uint32_t count, const CalOptions& options = {});
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

 private:
  friend class TileWriter;
  Status fail(Status s);
  Status read(uint32_t addr, uint32_t* value);
  Status write(uint32_t addr, uint32_t value);
  Status wait_job(uint64_t cycles);
  Status abort_job();
  Status record_dma_error();
  Status record_tile_fault();
  Status check_tile_range(uint32_t tile, uint32_t addr, uint32_t bytes, bool config_allowed);
  Status start_calibration(const CalTarget* targets, uint32_t count, const CalOptions& options);

  Platform& platform_;
  ChipInfo chip_ = {};
  ErrorInfo error_;
  bool ready_ = false;
  uint8_t* dma_cpu_ = nullptr;
  uint64_t dma_bus_ = 0;
  uint32_t dma_bytes_ = 0, used_ = 0;

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
