// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/driver.h"

#include <string.h>

#include "sw/hal/csr.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tile data and descriptors are copied as they lie in memory");

constexpr uint32_t kMinDmaBytes = 4096;
constexpr uint32_t kMaxTransfer = (1u << 24) - 16;
constexpr uint32_t kWriterDescriptors = 63;
constexpr uint64_t kAbortCycles = 100000;  // drain of outstanding bursts
constexpr uint32_t kQuietRounds = 64;      // looks at the status after a stop ...
constexpr uint64_t kQuietCycles = 10000;   // ... this far apart
constexpr uint32_t kConfigBytes = 4 * (isa::cfg::kCalBase + isa::cfg::kCalCount * isa::cfg::kCalStride);

uint32_t round_up(uint32_t v, uint32_t to) { return (v + to - 1) / to * to; }

}  // namespace

Status Driver::fail(Status s) {
  error_.status = s;
  return s;
}

Status Driver::fail_at(Status s, uint32_t tile, uint32_t column) {
  error_ = ErrorInfo{};
  error_.tile = tile;
  error_.column = column;
  return fail(s);
}

Status Driver::read(uint32_t addr, uint32_t* value) {
  const Status s = platform_.csr_read(addr, value);
  return s == Status::kOk ? s : fail(s);
}

Status Driver::write(uint32_t addr, uint32_t value) {
  const Status s = platform_.csr_write(addr, value);
  return s == Status::kOk ? s : fail(s);
}

Status Driver::probe() {
  ready_ = false;
  error_ = ErrorInfo{};
  outstanding_ = 0;
  release_all();
  uint32_t id, version, chip, array, adc, sram, repair;
  OHMAC_TRY(read(csr::kId, &id));
  if (id != csr::kIdValue) return fail(Status::kWrongChip);
  OHMAC_TRY(read(csr::kVersion, &version));
  OHMAC_TRY(read(csr::kCapChip, &chip));
  OHMAC_TRY(read(csr::kCapArray, &array));
  OHMAC_TRY(read(csr::kCapAdc, &adc));
  OHMAC_TRY(read(csr::kCapSram, &sram));
  OHMAC_TRY(read(csr::kCapRepair, &repair));

  using csr::get;
  ChipInfo c;
  c.version_major = get(version, OHMAC_CSR__VERSION__MAJOR_bm, OHMAC_CSR__VERSION__MAJOR_bp);
  c.version_minor = get(version, OHMAC_CSR__VERSION__MINOR_bm, OHMAC_CSR__VERSION__MINOR_bp);
  c.tiles = get(chip, OHMAC_CSR__CAP_CHIP__TILES_bm, OHMAC_CSR__CAP_CHIP__TILES_bp);
  c.mesh_x = get(chip, OHMAC_CSR__CAP_CHIP__MESH_X_bm, OHMAC_CSR__CAP_CHIP__MESH_X_bp);
  c.mesh_y = get(chip, OHMAC_CSR__CAP_CHIP__MESH_Y_bm, OHMAC_CSR__CAP_CHIP__MESH_Y_bp);
  c.isa_version = get(chip, OHMAC_CSR__CAP_CHIP__ISA_bm, OHMAC_CSR__CAP_CHIP__ISA_bp);
  c.rows = get(array, OHMAC_CSR__CAP_ARRAY__ROWS_bm, OHMAC_CSR__CAP_ARRAY__ROWS_bp);
  c.cols = get(array, OHMAC_CSR__CAP_ARRAY__COLS_bm, OHMAC_CSR__CAP_ARRAY__COLS_bp);
  c.lanes = get(adc, OHMAC_CSR__CAP_ADC__LANES_bm, OHMAC_CSR__CAP_ADC__LANES_bp);
  c.adc_bits = get(adc, OHMAC_CSR__CAP_ADC__ADC_BITS_bm, OHMAC_CSR__CAP_ADC__ADC_BITS_bp);
  c.windows = get(adc, OHMAC_CSR__CAP_ADC__WINDOWS_bm, OHMAC_CSR__CAP_ADC__WINDOWS_bp);
  c.counters = get(adc, OHMAC_CSR__CAP_ADC__COUNTERS_bm, OHMAC_CSR__CAP_ADC__COUNTERS_bp);
  c.sram_bytes = sram;
  c.spares = get(repair, OHMAC_CSR__CAP_REPAIR__SPARES_bm, OHMAC_CSR__CAP_REPAIR__SPARES_bp);
  const bool sane = c.isa_version == isa::kVersion && c.tiles >= 1 && c.tiles <= csr::kMaxTiles &&
                    c.mesh_x * c.mesh_y == c.tiles && c.rows >= 4 && c.rows % 4 == 0 && c.lanes >= 8 &&
                    c.lanes % 8 == 0 && c.cols >= c.lanes && c.cols % c.lanes == 0 && c.cols <= isa::cfg::kCalCount &&
                    c.adc_bits >= 4 && c.adc_bits <= 8 && c.windows >= 1 && c.windows <= csr::kMaxWindows &&
                    c.counters >= isa::kNumCounters && c.sram_bytes >= 1024 &&
                    c.sram_bytes <= 1u << isa::kCfgSpaceBit && c.spares <= c.lanes && c.lanes <= isa::cfg::kRepairCount;
  if (!sane) return fail(Status::kWrongChip);

  const size_t size = platform_.dma_size();
  const uint64_t bus = platform_.dma_bus_address();
  if (platform_.dma_memory() == nullptr || size < kMinDmaBytes) return fail(Status::kNoMemory);
  if (bus % isa::kDescBytes != 0) return fail(Status::kBadArgument);
  const uint32_t bytes =
      (size > 0xFFFFFFC0u ? 0xFFFFFFC0u : static_cast<uint32_t>(size)) / isa::kDescBytes * isa::kDescBytes;

  OHMAC_TRY(write(csr::kIrqEnable, 0));
  OHMAC_TRY(write(csr::kIrqCause, csr::kIrqAll));
  chip_ = c;
  dma_cpu_ = platform_.dma_memory();
  dma_bus_ = bus;
  dma_bytes_ = bytes;
  OHMAC_TRY(open_window());
  ready_ = true;
  return Status::kOk;
}

// The DMA memory and nothing else.
Status Driver::open_window() {
  for (uint32_t i = 1; i < chip_.windows; ++i) OHMAC_TRY(write(csr::window_attr(i), 0));
  OHMAC_TRY(write(csr::window_attr(0), 0));  // closed while it moves
  OHMAC_TRY(write(csr::window_base_lo(0), static_cast<uint32_t>(dma_bus_)));
  OHMAC_TRY(write(csr::window_base_hi(0), static_cast<uint32_t>(dma_bus_ >> 32)));
  OHMAC_TRY(write(csr::window_size(0), dma_bytes_));
  return write(csr::window_attr(0), WINDOW_RF__ATTR__READ_bm | WINDOW_RF__ATTR__WRITE_bm);
}

Status Driver::alloc(uint32_t bytes, DmaBlock* block) {
  if (!ready_) return fail(Status::kNotReady);
  if (bytes == 0 || block == nullptr) return fail(Status::kBadArgument);
  if (bytes > available()) return fail(Status::kNoMemory);
  *block = DmaBlock{dma_cpu_ + used_, dma_bus_ + used_, bytes};
  used_ = round_up(used_ + bytes, isa::kDescBytes);  // dma_bytes_ is a multiple of 64 as well
  return Status::kOk;
}

Status Driver::begin_job(uint32_t max_descriptors, JobBuilder* job) {
  if (max_descriptors == 0 || max_descriptors > dma_bytes_ / isa::kDescBytes) return fail(Status::kNoMemory);
  DmaBlock block;
  OHMAC_TRY(alloc(max_descriptors * isa::kDescBytes, &block));
  *job = JobBuilder(block, chip_.tiles);
  return Status::kOk;
}

Status Driver::set_outbox(uint64_t bus) {
  if (!ready_) return fail(Status::kNotReady);
  if (bus < dma_bus_ || bus - dma_bus_ >= dma_bytes_ || bus % 16 != 0) return fail(Status::kBadArgument);
  OHMAC_TRY(write(csr::kOutBaseLo, static_cast<uint32_t>(bus)));
  return write(csr::kOutBaseHi, static_cast<uint32_t>(bus >> 32));
}

Status Driver::run(JobBuilder& job, uint64_t cycles) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  const Status built = job.end();
  if (built != Status::kOk) return fail(built);
  uint32_t status;
  OHMAC_TRY(read(csr::kStatus, &status));
  if (outstanding_ != 0 || status & OHMAC_CSR__STATUS__DMA_BUSY_bm) return fail(Status::kNotReady);
  OHMAC_TRY(write(csr::kIrqCause, csr::kIrqAll));
  OHMAC_TRY(write(csr::kIrqEnable, csr::kIrqJobDone | csr::kIrqJobError | csr::kIrqTileFault));
  OHMAC_TRY(ring(job));
  return wait_end(cycles);
}

Status Driver::ring(const JobBuilder& job) {
  OHMAC_TRY(write(csr::kJobAddrLo, static_cast<uint32_t>(job.bus())));
  OHMAC_TRY(write(csr::kJobAddrHi, static_cast<uint32_t>(job.bus() >> 32)));
  platform_.dma_sync();
  return write(csr::kDoorbell, OHMAC_CSR__DOORBELL__RING_bm);
}

Status Driver::submit(JobBuilder& job) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  const Status built = job.end();
  if (built != Status::kOk) return fail(built);
  uint32_t status;
  OHMAC_TRY(read(csr::kStatus, &status));
  const bool busy = outstanding_ == 0 && status & OHMAC_CSR__STATUS__DMA_BUSY_bm;  // by a job that never drained
  if (busy || status & OHMAC_CSR__STATUS__JOB_QUEUED_bm || outstanding_ == 2) return fail(Status::kNotReady);
  if (outstanding_ == 0) {
    uint32_t jobs;
    OHMAC_TRY(read(csr::kJobs, &jobs));
    ended_ = csr::get(jobs, OHMAC_CSR__JOBS__DONE_bm, OHMAC_CSR__JOBS__DONE_bp);
    OHMAC_TRY(write(csr::kIrqCause, csr::kIrqAll));
    OHMAC_TRY(write(csr::kIrqEnable, csr::kIrqJobDone | csr::kIrqJobError | csr::kIrqTileFault));
  }
  OHMAC_TRY(ring(job));
  ++outstanding_;
  return Status::kOk;
}

Status Driver::wait_jobs(uint32_t left, uint64_t cycles) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  while (outstanding_ > left) {
    const Status ended = wait_end(cycles);  // clears the cause before the look, so that no end is lost
    if (ended != Status::kOk) {
      const ErrorInfo first = error_;
      outstanding_ = 0;
      uint32_t status;
      OHMAC_TRY(read(csr::kStatus, &status));
      if (status & OHMAC_CSR__STATUS__DMA_BUSY_bm) OHMAC_TRY(abort_job());  // the other job goes on by itself
      error_ = first;
      return ended;
    }
    uint32_t jobs;
    OHMAC_TRY(read(csr::kJobs, &jobs));
    const uint32_t done = csr::get(jobs, OHMAC_CSR__JOBS__DONE_bm, OHMAC_CSR__JOBS__DONE_bp);
    const uint32_t ends = (done - ended_) & 0xFF;
    if (ends == 0 || ends > outstanding_) {  // an interrupt without an end, or jobs that are not ours
      outstanding_ = 0;
      OHMAC_TRY(abort_job());
      return fail(Status::kTimeout);
    }
    ended_ = done;
    outstanding_ -= ends;
  }
  return Status::kOk;
}

Status Driver::wait_end(uint64_t cycles) {
  const Status woken = platform_.wait_irq(cycles);
  if (woken == Status::kTimeout) {
    OHMAC_TRY(abort_job());
    return fail(Status::kTimeout);
  }
  if (woken != Status::kOk) return fail(woken);
  uint32_t cause;
  OHMAC_TRY(read(csr::kIrqCause, &cause));
  OHMAC_TRY(write(csr::kIrqCause, cause));
  if (cause & csr::kIrqJobError) OHMAC_TRY(record_dma_error());
  if (cause & csr::kIrqTileFault) {
    OHMAC_TRY(record_tile_fault());
    if (!(cause & (csr::kIrqJobDone | csr::kIrqJobError))) OHMAC_TRY(abort_job());  // it would wait for the dead tile
    return fail(Status::kTileFault);
  }
  if (cause & csr::kIrqJobError) return fail(Status::kJobError);
  if (!(cause & csr::kIrqJobDone)) {  // the line was high for no reason we enabled
    OHMAC_TRY(abort_job());
    return fail(Status::kTimeout);
  }
  platform_.dma_sync();
  return Status::kOk;
}

// Stops the running job. The chip stays usable when the DMA drains; otherwise it stays busy and run() refuses.
Status Driver::abort_job() {
  OHMAC_TRY(write(csr::kIrqEnable, csr::kIrqJobDone | csr::kIrqJobError));
  OHMAC_TRY(write(csr::kCtrl, OHMAC_CSR__CTRL__DMA_ABORT_bm));
  const Status drained = platform_.wait_irq(kAbortCycles);
  if (drained != Status::kOk && drained != Status::kTimeout) return fail(drained);
  uint32_t status;
  OHMAC_TRY(read(csr::kStatus, &status));
  if (!(status & OHMAC_CSR__STATUS__DMA_BUSY_bm)) OHMAC_TRY(write(csr::kCtrl, 0));
  OHMAC_TRY(record_dma_error());  // index: where the job stood
  return write(csr::kIrqCause, csr::kIrqAll);
}

Status Driver::record_dma_error() {
  uint32_t status, lo, hi;
  OHMAC_TRY(read(csr::kDmaStatus, &status));
  OHMAC_TRY(read(csr::kDmaErrLo, &lo));
  OHMAC_TRY(read(csr::kDmaErrHi, &hi));
  error_.dma_error =
      static_cast<isa::DmaError>(csr::get(status, OHMAC_CSR__DMA_STATUS__ERROR_bm, OHMAC_CSR__DMA_STATUS__ERROR_bp));
  error_.descriptor = csr::get(status, OHMAC_CSR__DMA_STATUS__INDEX_bm, OHMAC_CSR__DMA_STATUS__INDEX_bp);
  error_.address = uint64_t{hi} << 32 | lo;
  return Status::kOk;
}

Status Driver::record_tile_fault() {
  for (uint32_t t = 0; t < chip_.tiles; ++t) {
    uint32_t s;
    OHMAC_TRY(read(csr::tile_status(t), &s));
    const uint32_t fault = csr::get(s, TILE_RF__STATUS__FAULT_bm, TILE_RF__STATUS__FAULT_bp);
    if (fault == 0) continue;
    error_.tile = t;
    error_.fault = static_cast<isa::Fault>(fault);
    error_.pc = csr::get(s, TILE_RF__STATUS__PC_bm, TILE_RF__STATUS__PC_bp);
    return Status::kOk;
  }
  return Status::kOk;
}

Status Driver::check_tile_range(uint32_t tile, uint32_t addr, uint32_t bytes, bool config_allowed) {
  const uint32_t config = 1u << isa::kCfgSpaceBit;
  if (tile >= chip_.tiles || addr % 16 != 0 || bytes == 0) return fail(Status::kBadArgument);
  const bool is_config = addr >= config;
  if (is_config && (!config_allowed || bytes % 4 != 0)) return fail(Status::kBadArgument);
  const uint32_t space = is_config ? kConfigBytes : chip_.sram_bytes;
  const uint32_t offset = is_config ? addr - config : addr;
  if (offset >= space || bytes > space - offset) return fail(Status::kBadArgument);
  return Status::kOk;
}

Status Driver::write_tile(uint32_t tile, uint32_t addr, const void* data, uint32_t bytes) {
  TileWriter writer(*this);
  OHMAC_TRY(writer.add(tile, addr, data, bytes));
  return writer.flush();
}

Status Driver::read_tile(uint32_t tile, uint32_t addr, void* data, uint32_t bytes) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  if (data == nullptr) return fail(Status::kBadArgument);
  OHMAC_TRY(check_tile_range(tile, addr, bytes, false));
  uint8_t* to = static_cast<uint8_t*>(data);
  for (uint32_t done = 0; done < bytes;) {
    release_all();
    JobBuilder job;
    DmaBlock bounce;
    OHMAC_TRY(begin_job(2, &job));
    const uint32_t room = available() < kMaxTransfer ? available() : kMaxTransfer;
    const uint32_t chunk = bytes - done < room ? bytes - done : room;
    OHMAC_TRY(alloc(chunk, &bounce));
    Transfer t;
    t.tile = tile;
    t.tile_addr = addr + done;
    t.mem = bounce.bus;
    t.bytes = chunk;
    job.t2m(t);
    OHMAC_TRY(run(job, transfer_cycles(chunk)));
    memcpy(to + done, bounce.cpu, chunk);
    done += chunk;
  }
  return Status::kOk;
}

Status Driver::start_tiles(uint64_t mask, uint32_t pc) {
  if (!ready_) return fail(Status::kNotReady);
  release_all();
  JobBuilder job;
  OHMAC_TRY(begin_job(2, &job));
  job.start(mask, pc);
  return run(job, transfer_cycles(0));
}

Status Driver::wait_halt(uint64_t mask, uint64_t cycles) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  if ((mask & ~chip_.tile_mask()) != 0) return fail(Status::kBadArgument);
  OHMAC_TRY(write(csr::kIrqEnable, csr::kIrqTileHalt | csr::kIrqTileFault));
  // Each round ends by the halt of a tile at least, so there are no more rounds than tiles (and one to look first).
  for (uint32_t round = 0; round <= chip_.tiles; ++round) {
    OHMAC_TRY(
        write(csr::kIrqCause, csr::kIrqTileHalt | csr::kIrqTileFault));  // before the look, so that no halt is lost
    uint64_t running = 0;
    for (uint32_t t = 0; t < chip_.tiles; ++t) {
      if (!(mask >> t & 1)) continue;
      uint32_t s;
      OHMAC_TRY(read(csr::tile_status(t), &s));
      const uint32_t fault = csr::get(s, TILE_RF__STATUS__FAULT_bm, TILE_RF__STATUS__FAULT_bp);
      if (fault != 0) {
        error_.tile = t;
        error_.fault = static_cast<isa::Fault>(fault);
        error_.pc = csr::get(s, TILE_RF__STATUS__PC_bm, TILE_RF__STATUS__PC_bp);
        return fail(Status::kTileFault);
      }
      if (s & TILE_RF__STATUS__RUNNING_bm) {
        running |= uint64_t{1} << t;
        error_.tile = t;
      }
    }
    if (running == 0) {
      error_ = ErrorInfo{};
      return Status::kOk;
    }
    mask = running;
    const Status woken = platform_.wait_irq(cycles);
    if (woken != Status::kOk) return fail(woken);
  }
  return fail(Status::kTimeout);
}

Status Driver::check_idle() {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  uint32_t status;
  OHMAC_TRY(read(csr::kStatus, &status));
  const uint32_t busy = OHMAC_CSR__STATUS__DMA_BUSY_bm | OHMAC_CSR__STATUS__TILE_RUNNING_bm;
  return status & busy ? fail(Status::kNotReady) : Status::kOk;
}

Status Driver::quiesce() {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  outstanding_ = 0;
  uint32_t status;
  OHMAC_TRY(read(csr::kStatus, &status));
  if (status & OHMAC_CSR__STATUS__DMA_BUSY_bm) OHMAC_TRY(abort_job());
  error_ = ErrorInfo{};
  OHMAC_TRY(write(csr::kIrqEnable, 0));
  for (uint32_t t = 0; t < chip_.tiles; ++t) OHMAC_TRY(write(csr::tile_ctrl(t), TILE_RF__CTRL__STOP_bm));
  const uint32_t busy =
      OHMAC_CSR__STATUS__DMA_BUSY_bm | OHMAC_CSR__STATUS__TILE_RUNNING_bm | OHMAC_CSR__STATUS__NOC_BUSY_bm;
  for (uint32_t round = 0;; ++round) {
    OHMAC_TRY(read(csr::kStatus, &status));
    if (!(status & busy)) break;
    if (round == kQuietRounds) return fail(Status::kTimeout);
    const Status slept = platform_.wait_irq(kQuietCycles);  // nothing is enabled: a bounded sleep
    if (slept != Status::kOk && slept != Status::kTimeout) return fail(slept);
  }
  OHMAC_TRY(write(csr::kCtrl, 0));  // an abort that had not drained in time
  for (uint32_t t = 0; t < chip_.tiles; ++t) OHMAC_TRY(write(csr::tile_ctrl(t), TILE_RF__CTRL__CLEAR_bm));
  for (uint32_t t = 0; t < chip_.tiles; ++t) {
    OHMAC_TRY(read(csr::tile_status(t), &status));
    if (status & (TILE_RF__STATUS__FAULT_bm | TILE_RF__STATUS__RUNNING_bm)) {
      error_.tile = t;
      return fail(Status::kTimeout);
    }
  }
  OHMAC_TRY(open_window());  // a register may be what had failed
  return write(csr::kIrqCause, csr::kIrqAll);
}

Status Driver::clear_sram(uint64_t mask) {
  error_ = ErrorInfo{};
  if (!ready_) return fail(Status::kNotReady);
  if ((mask & ~chip_.tile_mask()) != 0) return fail(Status::kBadArgument);
  if (mask == 0) return Status::kOk;
  release_all();
  JobBuilder job;
  DmaBlock zeros;
  OHMAC_TRY(begin_job(chip_.tiles + chip_.tiles / isa::kMaxRepeatDesc + 3, &job));
  uint32_t bytes = 1024;  // divides every legal SRAM size or is cut below
  while (chip_.sram_bytes % bytes != 0) bytes /= 2;
  OHMAC_TRY(alloc(bytes, &zeros));
  memset(zeros.cpu, 0, bytes);
  uint32_t left = 0;  // tiles not covered yet
  for (uint32_t t = 0; t < chip_.tiles; ++t) left += mask >> t & 1;
  const uint32_t all = left;
  uint32_t covered = 0;
  for (uint32_t t = 0; t < chip_.tiles; ++t) {
    if (!(mask >> t & 1)) continue;
    if (covered == 0) {
      covered = left < isa::kMaxRepeatDesc ? left : isa::kMaxRepeatDesc;
      job.repeat(chip_.sram_bytes / bytes, covered);
    }
    Transfer m;
    m.tile = t;
    m.mem = zeros.bus;
    m.bytes = bytes;
    m.tile_stride = bytes;
    job.m2t(m);
    --covered;
    --left;
  }
  return run(job, transfer_cycles(uint64_t{all} * chip_.sram_bytes));
}

Status Driver::read_counter(uint32_t tile, isa::Counter counter, uint32_t* value) {
  if (!ready_) return fail(Status::kNotReady);
  if (tile >= chip_.tiles) return fail(Status::kBadArgument);
  OHMAC_TRY(write(csr::kCntSel, tile << OHMAC_CSR__CNT_SEL__TILE_bp | static_cast<uint32_t>(counter)
                                                                          << OHMAC_CSR__CNT_SEL__INDEX_bp));
  return read(csr::kCntValue, value);
}

Status Driver::read_cycles(uint64_t* value) {
  uint32_t lo, hi;
  OHMAC_TRY(read(csr::kCycleLo, &lo));  // latches the upper half
  OHMAC_TRY(read(csr::kCycleHi, &hi));
  *value = uint64_t{hi} << 32 | lo;
  return Status::kOk;
}

Status TileWriter::begin() {
  driver_.release_all();
  OHMAC_TRY(driver_.begin_job(
      kWriterDescriptors < driver_.available() / 128 ? kWriterDescriptors + 1 : driver_.available() / 128, &job_));
  OHMAC_TRY(driver_.alloc(driver_.available(), &buffer_));
  used_ = 0;
  open_ = true;
  return Status::kOk;
}

Status TileWriter::add(uint32_t tile, uint32_t addr, const void* data, uint32_t bytes) {
  driver_.error_ = ErrorInfo{};
  if (!driver_.ready()) return driver_.fail(Status::kNotReady);
  if (data == nullptr) return driver_.fail(Status::kBadArgument);
  OHMAC_TRY(driver_.check_tile_range(tile, addr, bytes, true));
  const uint8_t* from = static_cast<const uint8_t*>(data);
  while (bytes != 0) {
    if (open_ && (job_.room() < 2 || buffer_.bytes - used_ < 16)) OHMAC_TRY(flush());
    if (!open_) OHMAC_TRY(begin());
    uint32_t room = (buffer_.bytes - used_) / 16 * 16;
    if (room > kMaxTransfer) room = kMaxTransfer;
    const uint32_t chunk = bytes < room ? bytes : room;
    memcpy(buffer_.cpu + used_, from, chunk);
    Transfer t;
    t.tile = tile;
    t.tile_addr = addr;
    t.mem = buffer_.bus + used_;
    t.bytes = chunk;
    job_.m2t(t);
    used_ += round_up(chunk, 16);
    addr += chunk;
    from += chunk;
    bytes -= chunk;
  }
  return Status::kOk;
}

Status TileWriter::flush() {
  if (!open_) return Status::kOk;
  open_ = false;
  return driver_.run(job_, transfer_cycles(used_));
}

}  // namespace ohmac
