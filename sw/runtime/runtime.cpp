// SPDX-License-Identifier: Apache-2.0
// Inference and recovery; loading and maintenance are in runtime_load.cpp.
#include "sw/runtime/runtime.h"

#include <string.h>

#include "sw/driver/chip_words.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

constexpr uint32_t kMaxVectors = 65535;     // loop counts have 16 bits
constexpr uint64_t kOutboxBytes = 1 << 24;  // reach of a send to the host

/// Hands out 64-byte aligned pieces of a block from its start on; the caller has counted that they fit.
DmaBlock carve(DmaBlock* rest, uint32_t bytes) {
  const DmaBlock piece{rest->cpu, rest->bus, bytes};
  const uint32_t taken = (bytes + isa::kDescBytes - 1) / isa::kDescBytes * isa::kDescBytes;
  rest->cpu += taken;
  rest->bus += taken;
  rest->bytes -= taken;
  return piece;
}

}  // namespace

// Descriptors besides those of single vectors: loop counts, starts, two REPEATs with their bodies, WAIT, END; and the
// loop counts.
uint64_t Runtime::fixed_bytes() const { return (2 * num_tiles_ + 4 + 2 * isa::kMaxRepeatDesc) * isa::kDescBytes + 64; }

uint64_t Runtime::bytes_per_vector() const {
  const uint64_t descriptors = streams() ? 0 : num_inputs_;
  return descriptors * isa::kDescBytes + input_stride() + network_.output_stride;
}

uint32_t Runtime::batch_limit(uint64_t memory) const {
  const uint64_t overhead = fixed_bytes() + 3 * isa::kDescBytes;  // alignment of the three blocks
  if (!loaded_ || memory <= overhead) return 0;
  uint64_t n = (memory - overhead) / bytes_per_vector();
  if (n > kOutboxBytes / network_.output_stride) n = kOutboxBytes / network_.output_stride;
  return static_cast<uint32_t>(n < kMaxVectors ? n : kMaxVectors);
}

uint64_t Runtime::vector_cycles() const {
  return uint64_t{network_.adc_bound} + network_.input_bytes + network_.output_stride + 4096;
}

uint64_t Runtime::cycle_bound(uint32_t n) const {
  // A vector passes the tiles one after another at worst, each at the pace of the busiest; 16 for waits, sends and slow
  // memory.
  return 1000000 + 16 * vector_cycles() * (uint64_t{n} + num_tiles_);
}

// A tile is without an event at most while vectors before its own pass the tiles before it. 0 (never) where that is
// more than the field holds.
uint32_t Runtime::watchdog() const {
  const uint64_t units = (1000000 + 4 * vector_cycles() * (uint64_t{network_.in_flight} + num_tiles_)) / 256;
  return units <= isa::cfg::trap::watchdog.mask() ? static_cast<uint32_t>(units) : 0;
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

// One job for n vectors, with all that it moves in `memory`.
Status Runtime::set_up(const DmaBlock& memory, const int8_t* inputs, uint32_t n, Batch* batch) const {
  const uint32_t stride = input_stride(), window = n < network_.in_flight ? n : network_.in_flight;
  const uint32_t scalar = network_.loop_scalar;
  const uint32_t single = streams() ? 0 : n * num_inputs_;
  DmaBlock rest = memory;
  const DmaBlock descriptors = carve(&rest, (2 * num_tiles_ + 4 + 2 * isa::kMaxRepeatDesc + single) * isa::kDescBytes);
  const DmaBlock counts = carve(&rest, 16), in = carve(&rest, n * stride);
  batch->out = carve(&rest, n * network_.output_stride);
  batch->n = n;
  batch->job = JobBuilder(descriptors, driver_.chip().tiles);
  JobBuilder& job = batch->job;
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
  return Status::kOk;  // a bad descriptor shows when the job is closed
}

void Runtime::collect(const Batch& batch, uint8_t* outputs) const {
  for (uint32_t i = 0; i < batch.n; ++i) {
    memcpy(outputs + uint64_t{i} * output_bytes(), batch.out.cpu + i * network_.output_stride, output_bytes());
  }
}

Status Runtime::infer(const int8_t* inputs, uint32_t n, uint8_t* outputs) {
  if (!loaded_ || stale_ || !driver_.ready()) return Status::kNotReady;
  if (inputs == nullptr || outputs == nullptr || n == 0) return Status::kBadArgument;
  const uint32_t limit = batch_limit();
  if (limit == 0) return Status::kNoMemory;
  if (n <= limit) return infer_at_once(inputs, n, outputs);
  const uint32_t half = batch_limit(driver_.dma_bytes() / 2 / isa::kDescBytes * isa::kDescBytes);
  if (half != 0) return infer_alternating(inputs, n, half, outputs);
  for (uint32_t done = 0; done < n;) {  // memory for one job only
    const uint32_t batch = n - done < limit ? n - done : limit;
    OHMAC_TRY(infer_at_once(inputs + uint64_t{done} * network_.input_bytes, batch,
                            outputs + uint64_t{done} * output_bytes()));
    done += batch;
  }
  return Status::kOk;
}

Status Runtime::infer_at_once(const int8_t* inputs, uint32_t n, uint8_t* outputs) {
  driver_.release_all();
  DmaBlock memory;
  Batch batch;
  OHMAC_TRY(driver_.alloc(driver_.available(), &memory));
  OHMAC_TRY(set_up(memory, inputs, n, &batch));
  OHMAC_TRY(driver_.set_outbox(batch.out.bus));
  stale_ = true;  // until the job has ended well
  OHMAC_TRY(driver_.run(batch.job, cycle_bound(n) + uint64_t{watchdog()} * 256));
  OHMAC_TRY(driver_.wait_halt(tile_mask_, cycle_bound(1)));
  stale_ = false;
  collect(batch, outputs);
  return Status::kOk;
}

// Two batches in the two halves of DMA memory: one runs, the other is set up and queued behind it. The tiles of a batch
// halt when its last result has left, long before the next job has fetched its descriptors, fenced its counts and come
// to START; a tile still running would miss that START and the job would end with kTimeout, never with wrong results.
Status Runtime::infer_alternating(const int8_t* inputs, uint32_t n, uint32_t limit, uint8_t* outputs) {
  driver_.release_all();
  const uint32_t half = driver_.available() / 2 / isa::kDescBytes * isa::kDescBytes;
  DmaBlock memory[2];
  Batch batches[2];
  for (DmaBlock& m : memory) OHMAC_TRY(driver_.alloc(half, &m));
  const uint64_t cycles = cycle_bound(limit) + uint64_t{watchdog()} * 256;
  uint32_t begun = 0, submitted = 0, collected = 0;  // vectors, batches, batches
  for (;;) {
    while (begun < n && submitted - collected < 2) {
      Batch& b = batches[submitted % 2];
      const uint32_t size = n - begun < limit ? n - begun : limit;
      OHMAC_TRY(set_up(memory[submitted % 2], inputs + uint64_t{begun} * network_.input_bytes, size, &b));
      b.first = begun;
      OHMAC_TRY(driver_.set_outbox(b.out.bus));
      stale_ = true;  // until the last job has ended well
      OHMAC_TRY(driver_.submit(b.job));
      begun += size;
      ++submitted;
    }
    if (submitted == collected) break;
    OHMAC_TRY(driver_.wait_jobs(driver_.outstanding() - 1, cycles));
    for (; submitted - collected > driver_.outstanding(); ++collected) {
      const Batch& b = batches[collected % 2];
      collect(b, outputs + uint64_t{b.first} * output_bytes());
    }
  }
  OHMAC_TRY(driver_.wait_halt(tile_mask_, cycle_bound(1)));
  stale_ = false;
  return Status::kOk;
}

Status Runtime::recover(const uint8_t* data, size_t bytes) {
  if (!driver_.ready() || dead_) return Status::kNotReady;
  ImageReader image;
  if (loaded_) OHMAC_TRY(reopen(data, bytes, &image));
  stale_ = true;
  dead_ = true;  // until all has gone well
  OHMAC_TRY(driver_.quiesce());
  OHMAC_TRY(driver_.clear_sram(driver_.chip().tile_mask()));
  if (state_.attached()) OHMAC_TRY(write_calibration(driver_, state_, driver_.chip().tile_mask()));
  if (loaded_) OHMAC_TRY(load_tiles(image));
  stale_ = false;
  dead_ = false;
  return Status::kOk;
}

}  // namespace ohmac
