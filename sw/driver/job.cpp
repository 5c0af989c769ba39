// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/job.h"

#include <string.h>

#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac {
namespace {

namespace desc = isa::desc;
constexpr uint32_t kWords = isa::kDescBytes / 4;
static_assert(isa::kDescBytes == 64, "room() counts descriptors of 64 bytes");

void set(uint32_t* words, const isa::Field& f, uint64_t value) { words[f.word] |= static_cast<uint32_t>(f.put(value)); }
bool fits(const isa::Field& f, uint64_t value) { return value <= f.mask(); }

}  // namespace

JobBuilder::JobBuilder(const DmaBlock& memory, uint32_t tiles) : memory_(memory), tiles_(tiles) {
  if (memory.cpu == nullptr || memory.bus % isa::kDescBytes != 0 || tiles == 0) fail(Status::kBadArgument);
}

void JobBuilder::put(const uint32_t* words, bool repeatable) {
  if (status_ != Status::kOk) return;
  if (closed_ || (covered_ != 0 && !repeatable)) return fail(Status::kBadArgument);
  if (room() == 0) return fail(Status::kNoMemory);
  memcpy(memory_.cpu + count_ * isa::kDescBytes, words, isa::kDescBytes);
  ++count_;
  if (covered_ != 0) --covered_;
}

void JobBuilder::transfer(uint32_t op, const Transfer& t) {
  const bool aligned = (t.tile_addr | t.mem | t.mem_stride | t.tile_stride) % 16 == 0;
  const bool in_range = t.tile < tiles_ && t.bytes >= 1 && fits(desc::len, t.bytes) &&
                        fits(desc::tile_addr, t.tile_addr) && fits(desc::tile_stride, t.tile_stride) &&
                        fits(desc::tile_slots, t.tile_slots) && fits(desc::wait_count, t.wait_count) &&
                        t.wait_token < isa::kNumTokens && t.signal_token < isa::kNumTokens;
  if (!aligned || !in_range) return fail(Status::kBadArgument);
  uint32_t w[kWords] = {};
  set(w, desc::op, op);
  set(w, desc::tile, t.tile);
  set(w, desc::len, t.bytes);
  set(w, desc::mem_lo, t.mem & 0xFFFFFFFF);
  set(w, desc::mem_hi, t.mem >> 32);
  set(w, desc::tile_addr, t.tile_addr);
  set(w, desc::mem_stride, t.mem_stride);
  set(w, desc::tile_stride, t.tile_stride);
  set(w, desc::tile_slots, t.tile_slots);
  if (t.wait_count != 0) {
    set(w, desc::wait_en, 1);
    set(w, desc::wait_token, t.wait_token);
    set(w, desc::wait_count, t.wait_count);
  }
  if (t.signal) {
    set(w, desc::sig_en, 1);
    set(w, desc::sig_token, t.signal_token);
  }
  put(w, true);
}

void JobBuilder::m2t(const Transfer& t) { transfer(static_cast<uint32_t>(isa::DmaOp::kM2t), t); }

void JobBuilder::t2m(const Transfer& t) {
  if (t.signal) return fail(Status::kBadArgument);
  transfer(static_cast<uint32_t>(isa::DmaOp::kT2m), t);
}

void JobBuilder::start(uint64_t mask, uint32_t pc) {
  if (mask == 0 || (tiles_ < 64 && mask >> tiles_ != 0) || pc > 0xFFFF) return fail(Status::kBadArgument);
  uint32_t w[kWords] = {};
  set(w, desc::op, static_cast<uint32_t>(isa::DmaOp::kStart));
  set(w, desc::tile_addr, pc);
  set(w, desc::mask_lo, mask & 0xFFFFFFFF);
  set(w, desc::mask_hi, mask >> 32);
  put(w, false);
}

void JobBuilder::wait(uint32_t token, uint32_t count) {
  if (token >= isa::kNumTokens || count == 0 || !fits(desc::wait_count, count)) return fail(Status::kBadArgument);
  uint32_t w[kWords] = {};
  set(w, desc::op, static_cast<uint32_t>(isa::DmaOp::kWait));
  set(w, desc::wait_en, 1);
  set(w, desc::wait_token, token);
  set(w, desc::wait_count, count);
  put(w, true);
}

void JobBuilder::repeat(uint32_t iterations, uint32_t descriptors) {
  if (iterations == 0 || !fits(desc::len, iterations) || descriptors == 0 || descriptors > isa::kMaxRepeatDesc) {
    return fail(Status::kBadArgument);
  }
  uint32_t w[kWords] = {};
  set(w, desc::op, static_cast<uint32_t>(isa::DmaOp::kRepeat));
  set(w, desc::len, iterations);
  set(w, desc::repeat_desc, descriptors);
  put(w, false);
  covered_ = descriptors;
}

Status JobBuilder::end() {
  const uint32_t w[kWords] = {};  // op END = 0
  static_assert(static_cast<uint32_t>(isa::DmaOp::kEnd) == 0, "END is all zeros");
  put(w, false);
  closed_ = status_ == Status::kOk;
  return status_;
}

}  // namespace ohmac
