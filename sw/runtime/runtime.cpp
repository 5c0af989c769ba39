// SPDX-License-Identifier: Apache-2.0
#include "sw/runtime/runtime.h"

#include <string.h>

#include "sw/hal/try.h"

namespace ohmac {
namespace {

constexpr uint32_t kMaxVectors = 65535;     // loop counts have 16 bits
constexpr uint64_t kOutboxBytes = 1 << 24;  // reach of a send to the host

}  // namespace

Status Runtime::load(const uint8_t* data, size_t bytes, const LoadOptions& options) {
  loaded_ = false;
  if (!driver_.ready() || stale_) return Status::kNotReady;
  ImageReader image;
  const Status opened = image.open(data, bytes, driver_.chip());
  bad_offset_ = image.bad_offset();
  bad_reason_ = image.bad_reason();
  OHMAC_TRY(opened);
  if (image.num_inputs() > kMaxInputs || image.num_tiles() > kMaxTiles) return Status::kNoMemory;

  OHMAC_TRY(driver_.check_idle());
  if (options.program) {
    ImageReader::Cursor at;
    image::CellsRecord cells;
    const int8_t* targets;
    while (image.next_cells(&at, &cells, &targets)) {
      OHMAC_TRY(driver_.platform().program_cells(cells.tile, cells.row0, cells.col0, cells.rows, cells.cols, targets));
    }
  }
  OHMAC_TRY(calibrate(image, options));  // before the tiles are loaded: it uses their SRAM

  TileWriter writer(driver_);
  ImageReader::Cursor at;
  image::DataRecord record;
  const uint8_t* content;
  while (image.next_data(&at, &record, &content))
    OHMAC_TRY(writer.add(record.tile, record.addr, content, record.bytes));
  OHMAC_TRY(writer.flush());

  network_ = image.network();
  num_inputs_ = image.num_inputs();
  num_tiles_ = image.num_tiles();
  tile_mask_ = 0;
  for (uint32_t i = 0; i < num_inputs_; ++i) inputs_[i] = image.input(i);
  for (uint32_t i = 0; i < num_tiles_; ++i) {
    tiles_[i] = image.tile(i);
    tile_mask_ |= uint64_t{1} << tiles_[i].tile;
  }
  loaded_ = true;
  return Status::kOk;
}

Status Runtime::calibrate(const ImageReader& image, const LoadOptions& options) {
  uint64_t missing = 0;
  uint32_t count = 0;
  for (uint32_t i = 0; i < image.num_tiles(); ++i) {
    const image::TileRecord t = image.tile(i);
    if (t.mux_count == 0) continue;  // converts nothing
    const bool known = calibrated_mask_ >> t.tile & 1 && cal_bits_[t.tile] == t.adc_bits &&
                       cal_range_[t.tile] == t.range && cal_mux_[t.tile] >= t.mux_count;
    if (known) continue;
    missing |= uint64_t{1} << t.tile;
    targets_[count++] = CalTarget{t.tile, t.adc_bits, t.mux_count, t.range};
  }
  if (count == 0) return Status::kOk;
  calibrated_mask_ &= ~missing;
  if (!options.calibrate) return driver_.reset_calibration(missing);
  const Status done = driver_.calibrate(targets_, count, options.calibration);
  if (done == Status::kTimeout || done == Status::kTileFault || done == Status::kJobError) stale_ = true;
  OHMAC_TRY(done);
  for (uint32_t i = 0; i < count; ++i) {
    cal_bits_[targets_[i].tile] = static_cast<uint8_t>(targets_[i].adc_bits);
    cal_range_[targets_[i].tile] = static_cast<uint8_t>(targets_[i].range);
    cal_mux_[targets_[i].tile] = static_cast<uint8_t>(targets_[i].mux_count);
  }
  calibrated_mask_ |= missing;
  return Status::kOk;
}

// Descriptors besides those of single vectors: loop counts, starts, two REPEATs with their bodies, WAIT, END; and the
// loop counts.
uint64_t Runtime::fixed_bytes() const { return (2 * num_tiles_ + 4 + 2 * isa::kMaxRepeatDesc) * isa::kDescBytes + 64; }

uint64_t Runtime::bytes_per_vector() const {
  const uint64_t descriptors = streams() ? 0 : num_inputs_;
  return descriptors * isa::kDescBytes + input_stride() + network_.output_stride;
}

uint32_t Runtime::batch_limit() const {
  const uint64_t memory = driver_.dma_bytes();
  const uint64_t overhead = fixed_bytes() + 3 * isa::kDescBytes;  // alignment of the three blocks
  if (!loaded_ || memory <= overhead) return 0;
  uint64_t n = (memory - overhead) / bytes_per_vector();
  if (n > kOutboxBytes / network_.output_stride) n = kOutboxBytes / network_.output_stride;
  return static_cast<uint32_t>(n < kMaxVectors ? n : kMaxVectors);
}

uint64_t Runtime::cycle_bound(uint32_t n) const {
  // A vector passes the tiles one after another at worst, each at the pace of the busiest; 16 for waits, sends and slow
  // memory.
  const uint64_t vector = uint64_t{network_.adc_bound} + network_.input_bytes + network_.output_stride + 4096;
  return 1000000 + 16 * vector * (uint64_t{n} + num_tiles_);
}

// The input parts of one vector (or of every vector of a REPEAT).
void Runtime::add_inputs(JobBuilder& job, uint64_t mem, uint32_t slot, bool wait, bool repeat) const {
  for (uint32_t i = 0; i < num_inputs_; ++i) {
    const image::InputRecord& r = inputs_[i];
    Transfer t;
    t.tile = r.tile;
    t.tile_addr = r.addr + slot * r.stride;
    t.mem = mem + r.src_offset;
    t.bytes = r.bytes;
    t.signal = true;
    t.signal_token = r.token;
    if (repeat) {
      t.mem_stride = input_stride();
      t.tile_stride = r.stride;
      t.tile_slots = r.slots;
    }
    if (wait && i == 0) {  // a slot is free once a vector has left the chip
      t.wait_count = 1;
      t.wait_token = network_.result_token;
    }
    job.m2t(t);
  }
}

Status Runtime::infer(const int8_t* inputs, uint32_t n, uint8_t* outputs) {
  if (!loaded_ || stale_ || !driver_.ready()) return Status::kNotReady;
  if (inputs == nullptr || outputs == nullptr || n == 0) return Status::kBadArgument;
  const uint32_t limit = batch_limit();
  if (limit == 0) return Status::kNoMemory;
  const uint64_t out_bytes = uint64_t{network_.output_count} * network_.output_elem_bytes;
  for (uint32_t done = 0; done < n;) {
    const uint32_t batch = n - done < limit ? n - done : limit;
    OHMAC_TRY(infer_batch(inputs + uint64_t{done} * network_.input_bytes, batch, outputs + done * out_bytes));
    done += batch;
  }
  return Status::kOk;
}

Status Runtime::infer_batch(const int8_t* inputs, uint32_t n, uint8_t* outputs) {
  const uint32_t stride = input_stride(), window = n < network_.in_flight ? n : network_.in_flight;
  const uint32_t scalar = network_.loop_scalar;
  JobBuilder job;
  DmaBlock counts, in, out;
  driver_.release_all();
  const uint32_t single = streams() ? 0 : n * num_inputs_;
  OHMAC_TRY(driver_.begin_job(2 * num_tiles_ + 4 + 2 * isa::kMaxRepeatDesc + single, &job));
  OHMAC_TRY(driver_.alloc(16, &counts));
  OHMAC_TRY(driver_.alloc(n * stride, &in));
  OHMAC_TRY(driver_.alloc(n * network_.output_stride, &out));
  for (uint32_t w = 0; w < 4; ++w) memcpy(counts.cpu + 4 * w, &n, 4);
  for (uint32_t i = 0; i < n; ++i) {
    uint8_t* to = in.cpu + i * stride;
    memcpy(to, inputs + uint64_t{i} * network_.input_bytes, network_.input_bytes);
    memset(to + network_.input_bytes, 0, stride - network_.input_bytes);
  }

  for (uint32_t i = 0; i < num_tiles_; ++i) {  // scalars of the group of four below loop_scalar get the same value
    Transfer t;
    t.tile = tiles_[i].tile;
    t.tile_addr = isa::cfg::noc_addr(isa::cfg::kScalarBase + scalar / 4 * 4);
    t.mem = counts.bus;
    t.bytes = 4 * (scalar % 4 + 1);
    job.m2t(t);
  }
  uint64_t started = 0;
  for (uint32_t i = 0; i < num_tiles_; ++i) {  // one START for all tiles with the same pc
    if (started >> tiles_[i].tile & 1) continue;
    uint64_t mask = 0;
    for (uint32_t j = i; j < num_tiles_; ++j) {
      if (tiles_[j].pc == tiles_[i].pc) mask |= uint64_t{1} << tiles_[j].tile;
    }
    job.start(mask, tiles_[i].pc);
    started |= mask;
  }
  if (streams()) {
    job.repeat(window, num_inputs_);
    add_inputs(job, in.bus, 0, false, true);
    if (n > window) {  // window = slots here, so this REPEAT goes on at slot 0
      job.repeat(n - window, num_inputs_);
      add_inputs(job, in.bus + uint64_t{window} * stride, 0, true, true);
    }
  } else {
    for (uint32_t i = 0; i < n; ++i)
      add_inputs(job, in.bus + uint64_t{i} * stride, i % network_.in_flight, i >= window, false);
  }
  job.wait(network_.result_token, window);
  OHMAC_TRY(driver_.set_outbox(out.bus));
  stale_ = true;  // until the job has ended well
  OHMAC_TRY(driver_.run(job, cycle_bound(n)));
  OHMAC_TRY(driver_.wait_halt(tile_mask_, cycle_bound(1)));
  stale_ = false;

  const uint32_t out_bytes = network_.output_count * network_.output_elem_bytes;
  for (uint32_t i = 0; i < n; ++i)
    memcpy(outputs + uint64_t{i} * out_bytes, out.cpu + i * network_.output_stride, out_bytes);
  return Status::kOk;
}

}  // namespace ohmac
