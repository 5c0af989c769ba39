// SPDX-License-Identifier: Apache-2.0
#include "models/golden/golden_tile.h"

#include <algorithm>
#include <cstring>

#include "models/golden/tile_parts.h"

namespace ohmac::golden {

using isa::Counter;
using isa::Fault;

namespace {

constexpr uint32_t kTokenMax = (1u << isa::kTokenBits) - 1;

/// x * mult / 2^shift, rounded half to even, clamped to +-127. |x * mult| < 2^62.
int8_t requantise(int32_t x, int64_t mult, uint32_t shift) {
  const int64_t p = x * mult;
  int64_t q = p >> shift;
  if (shift != 0) {
    const int64_t rest = p - (q << shift), half = int64_t{1} << (shift - 1);
    if (rest > half || (rest == half && (q & 1))) ++q;
  }
  return static_cast<int8_t>(std::clamp<int64_t>(q, -127, 127));
}

}  // namespace

GoldenTile::GoldenTile(const Geometry& geometry, const Macro& macro)
    : geometry_(geometry),
      macro_(macro),
      sram_(geometry.sram_bytes),
      in_(geometry.rows + 4),
      x_(geometry.rows + 1),
      codes_(geometry.cols),
      acc_(geometry.cols),
      off_(geometry.cols),
      mask_(ceil_div(geometry.cols, 32)) {
  macro_.repair_clear();  // what a reset does to the macro
  config_[isa::cfg::kTimingBase] =
      static_cast<uint32_t>(isa::cfg::timing::settle.put(4) | isa::cfg::timing::integ.put(32));
  config_[isa::cfg::kTrapBase] = static_cast<uint32_t>(isa::cfg::trap::overflow.put(1));
}

void GoldenTile::reset() {
  const Tick now = now_;
  ChipTimeline* const timeline = timeline_;
  const uint32_t number = number_;
  *this = GoldenTile(geometry_, macro_);
  now_ = now;
  set_timeline(timeline, number);
}

// ----------------------------------------------------------------------------------------------------------------
// configuration

uint32_t GoldenTile::config(uint32_t word) const {
  using namespace isa::cfg;
  if (word >= kConfigWords) return 0;
  if (word >= kAguBase && word < kAguBase + kAguCount * kAguStride && (word - kAguBase) % kAguStride == agu::addr.word)
    return static_cast<uint32_t>(agu_[(word - kAguBase) / kAguStride].addr) & kAddrMask;
  return config_[word];
}

/// A REPAIR word that enables a spare, or replaces a block, that the macro does not have.
bool GoldenTile::illegal_repair(uint32_t word, uint32_t value) const {
  using namespace isa::cfg;
  if (word < kRepairBase || word >= kRepairBase + kRepairCount || repair::en.get(value) == 0) return false;
  return word - kRepairBase >= geometry_.spares || repair::block.get(value) >= geometry_.mux();
}

Fault GoldenTile::set_config(uint32_t word, uint32_t value, Tick now) {
  using namespace isa::cfg;
  if (word >= kConfigWords) return Fault::kAddress;
  if (word >= kRepairBase && word < kRepairBase + kRepairCount) {
    const Engine& mvm = engine_[kMvm];
    const bool busy = mvm.size != 0 || mvm.waiting || mvm.done > now || prog_.active;
    if (busy || illegal_repair(word, value)) return Fault::kConfig;
    const uint32_t lane = word - kRepairBase;
    const bool en = repair::en.get(value) != 0;
    if (lane < geometry_.spares) macro_.repair(lane, en, en ? static_cast<uint32_t>(repair::block.get(value)) : 0);
  }
  config_[word] = value;
  if (word >= kAguBase && word < kAguBase + kAguCount * kAguStride) {
    Agu& a = agu_[(word - kAguBase) / kAguStride];
    const uint32_t field = (word - kAguBase) % kAguStride;
    if (field == agu::addr.word) a.addr = sext24(value);
    if (field >= agu::inc0.word && field <= agu::inc3.word) a.inc[field - agu::inc0.word] = sext24(value);
    if (field == agu::wrap_base.word) a.wrap_base = sext24(value);
    if (field == agu::wrap_len.word) a.wrap_len = value & kAddrMask;
  } else if (word == kTrapBase) {
    watchdog_ = trap::watchdog.get(value) * 256;
    trap_overflow_ = trap::overflow.get(value) != 0;
  } else if (word >= kMvmcfgBase && word < kRepairBase) {
    slots_stale_ = true;
  }
  return Fault::kNone;
}

void GoldenTile::refresh_slots() {
  if (!slots_stale_) return;
  for (uint32_t i = 0; i < isa::kNumMvmCfg; ++i) decode_mvm_slot(i);
  for (uint32_t i = 0; i < isa::kNumVecCfg; ++i) decode_vec_slot(i);
  decode_prog();
  slots_stale_ = false;
}

void GoldenTile::decode_mvm_slot(uint32_t i) {
  using namespace isa::cfg;
  const uint32_t* w = &config_[kMvmcfgBase + i * kMvmcfgStride];
  const auto get = [w](isa::Field f) { return static_cast<uint32_t>(f.get(w[f.word])); };
  MvmSlot& s = mvm_slot_[i];
  s.k = get(mvmcfg::k);
  s.row_base = get(mvmcfg::row_base);
  s.seg_len = get(mvmcfg::seg_len);
  s.n_seg = get(mvmcfg::n_seg);
  s.seg_stride = static_cast<int32_t>(mvmcfg::seg_stride.get_signed(w[mvmcfg::seg_stride.word]));
  s.pad_top = get(mvmcfg::pad_top);
  s.pad_bottom = get(mvmcfg::pad_bottom);
  s.pad_left = get(mvmcfg::pad_left);
  s.pad_right = get(mvmcfg::pad_right);
  s.pad_value = static_cast<uint8_t>(get(mvmcfg::pad_value));
  constexpr uint32_t kInBits[] = {7, 4, 2, 1}, kInSlices[] = {1, 2, 4, 7}, kWeightShift[] = {7, 4, 2, 0};
  s.in_bits = kInBits[get(mvmcfg::in_slice)];
  s.in_slices = kInSlices[get(mvmcfg::in_slice)];
  s.w_slices = 1u << get(mvmcfg::w_slices);
  s.w_shift = kWeightShift[get(mvmcfg::w_slices)];
  s.adc_bits = get(mvmcfg::adc_bits);
  s.range = get(mvmcfg::range);
  s.group_rows = get(mvmcfg::group_rows);
  s.mux_first = get(mvmcfg::mux_first);
  s.mux_count = get(mvmcfg::mux_count);
  const uint32_t t = config_[kTimingBase];
  s.valid = s.k >= 1 && s.k <= geometry_.rows && s.row_base % 4 == 0 &&
            (s.row_base + s.k <= geometry_.rows || (s.row_base == geometry_.rows && s.k <= 4)) &&
            s.n_seg * s.seg_len == s.k && s.w_slices <= 4 && s.adc_bits >= 4 && s.adc_bits <= 8 && s.group_rows != 0 &&
            (s.group_rows % 4 == 0 || s.group_rows >= s.k) && s.mux_count >= 1 &&
            (s.mux_first + s.mux_count) * geometry_.lanes <= geometry_.cols && isa::cfg::timing::settle.get(t) >= 1 &&
            isa::cfg::timing::integ.get(t) >= 1;
}

void GoldenTile::decode_vec_slot(uint32_t i) {
  using namespace isa::cfg;
  const uint32_t* w = &config_[kVeccfgBase + i * kVeccfgStride];
  VecSlot& s = vec_slot_[i];
  s.len = static_cast<uint32_t>(veccfg::len.get(w[veccfg::len.word]));
  s.requant = veccfg::requant.get(w[veccfg::requant.word]) != 0;
  s.relu = veccfg::relu.get(w[veccfg::relu.word]) != 0;
  s.mult = static_cast<int64_t>(veccfg::mult.get(w[veccfg::mult.word]));
  s.shift = static_cast<uint32_t>(veccfg::shift.get(w[veccfg::shift.word]));
  s.valid = s.len >= 1 && s.shift <= 62;
}

void GoldenTile::decode_prog() {
  using namespace isa::cfg;
  const uint32_t* w = &config_[kProgBase];
  const auto get = [w](isa::Field f) { return static_cast<uint32_t>(f.get(w[f.word])); };
  ProgSlot& s = prog_slot_;
  s.tolerance = static_cast<int32_t>(get(prog::tolerance));
  s.limit = get(prog::limit);
  s.amp_first = get(prog::amp_first);
  s.amp_last = get(prog::amp_last);
  s.amp_every = get(prog::amp_every);
  s.pulse = get(prog::pulse);
  s.verify_x = static_cast<int8_t>(get(prog::verify_x));
  s.valid = s.limit >= 1 && s.pulse >= 1 && s.verify_x >= 1;
}

// ------------------------------------------------------------------------------------------------------------ tokens
// and queues

void GoldenTile::add_token(uint32_t i, uint32_t n, Tick now) {
  tokens_[i] += n;
  if (tokens_[i] > kTokenMax) {
    tokens_[i] = kTokenMax;
    fault(Fault::kTokenOverflow, now);
  }
  for (Engine& e : engine_) {
    if (!e.waiting || e.held.token != i || tokens_[i] < e.held.count) continue;
    tokens_[i] -= e.held.count;
    release(e, now);
  }
  if (seq_block_ == Block::kToken) seq_wake_ = now;
}

/// A WAIT leaves the queue when the engine takes it and blocks the engine, not a place of the queue.
void GoldenTile::take_wait(Engine& e, Tick now) {
  e.held = e.front();
  const bool granted = draining_ || tokens_[e.held.token] >= e.held.count;
  if (granted && !draining_) tokens_[e.held.token] -= e.held.count;
  e.waiting = !granted;
  e.ready = granted ? now + timing::kWait : kNever;
  e.done = std::max(e.done, now + timing::kWait);
  pop(e, now);
}

/// The token of a blocked WAIT has come.
void GoldenTile::release(Engine& e, Tick now) {
  e.waiting = false;
  e.ready = now + timing::kGrant;
  e.done = std::max(e.done, e.ready);
  trace(part(e), e.held.at, e.ready);
  rearm(e);
  if (seq_block_ == Block::kIdle) seq_wake_ = now + 1;
}

/// The SIGNAL fires when everything before it is complete, at the earliest `latency` after it was taken; then the
/// engine goes on `busy` cycles after taking it.
void GoldenTile::take_signal(Engine& e, Tick now, Tick latency, Tick busy) {
  if (e.sig_size == e.signals.size()) {
    e.wake = e.first_signal().at + 1;
    return;
  }
  const Item& it = e.front();
  e.done = std::max(e.done, now + latency);
  e.signals[(e.sig_head + e.sig_size++) % e.signals.size()] = {e.done, it.token, it.count};
  e.ready = now + busy;
  pop(e, now);
}

void GoldenTile::pop(Engine& e, Tick now) {
  trace(part(e), e.front().at, now + 1);
  e.head = (e.head + 1) % e.queue.size();
  --e.size;
  rearm(e);
  if (seq_block_ == Block::kQueue || (seq_block_ == Block::kIdle && e.size == 0)) seq_wake_ = now + 1;
}

void GoldenTile::rearm(Engine& e) { e.wake = e.size == 0 || e.waiting ? kNever : std::max(e.ready, e.front().at); }

void GoldenTile::fire_signals(Engine& e, Tick now) {
  while (e.sig_size != 0 && e.first_signal().at <= now) {
    const Signal s = e.first_signal();
    e.sig_head = (e.sig_head + 1) % e.signals.size();
    --e.sig_size;
    add_token(s.token, s.count, now);
  }
}

void GoldenTile::fault(Fault cause, Tick now) {
  if (status_.fault != Fault::kNone) return;  // the first cause stays
  status_.fault = cause;
  if (!status_.running) {
    status_.halted = true;
    return;
  }
  draining_ = true;
  for (Engine& e : engine_)
    if (e.waiting) release(e, now);
  seq_block_ = Block::kNone;
  seq_wake_ = now;  // halts when all is drained
}

/// Something saturates at `when`, in an operation that was taken already.
void GoldenTile::overflow(Tick when) {
  if (trap_overflow_) trap_at_ = std::min(trap_at_, when);
}

/// When the watchdog bites if nothing happens until then.
Tick GoldenTile::watchdog_time() const {
  if (watchdog_ == 0 || !status_.running || status_.fault != Fault::kNone) return kNever;
  Tick t = progress_;
  for (const Engine& e : engine_) t = std::max(t, e.done);
  return t + watchdog_;
}

/// Stops the sequencer once queues and engines are empty. False if they are not, with the next look arranged.
bool GoldenTile::halt(Tick now) {
  Tick when;
  if (!engines_idle(now, &when)) {
    seq_block_ = when == kNever ? Block::kIdle : Block::kNone;
    seq_wake_ = when;
    return false;
  }
  count(Counter::kActive) += static_cast<uint32_t>(now + timing::kHalt - started_);
  trace(ChipTimeline::kSequencer, started_, now + timing::kHalt);
  status_.running = false;
  status_.halted = true;
  draining_ = false;
  seq_block_ = Block::kNone;
  seq_wake_ = kNever;
  return true;
}

// --------------------------------------------------------------------------------------------------------------------
// sequencer

void GoldenTile::start_at(uint16_t pc, Tick now) {
  if (status_.running) return;
  status_ = {};
  status_.running = true;
  pc_ = pc;
  depth_ = 0;
  draining_ = false;
  seq_block_ = Block::kNone;
  seq_wake_ = now + timing::kStart;
  started_ = now;
  progress_ = now;
}

void GoldenTile::stop_at(Tick now) {
  if (status_.running) fault(Fault::kStopped, now);
}

void GoldenTile::clear() {
  if (status_.running) return;
  tokens_.fill(0);
  status_.fault = Fault::kNone;
}

uint32_t GoldenTile::operand(uint64_t field, const Agu** agu) const {
  const Agu& a = agu_[field >> 12];
  if (agu != nullptr) *agu = &a;
  int64_t ea = int64_t{a.addr} + 16 * static_cast<int64_t>(field & 0xFFF);
  if (a.wrap_len != 0 && ea >= int64_t{a.wrap_base} + a.wrap_len) ea -= a.wrap_len;
  return static_cast<uint32_t>(ea) & kAddrMask;
}

/// Moves on to next_pc, through the ends of every loop whose body ended just before it.
void GoldenTile::advance(uint32_t next_pc, Tick& t) {
  for (bool further = false; depth_ != 0 && next_pc == loops_[depth_ - 1].last + 1; further = true) {
    Loop& l = loops_[depth_ - 1];
    for (Agu& a : agu_) {
      const int32_t inc = a.inc[depth_ - 1];
      if (inc != 0 || a.wrap_len != 0)
        a.addr = sext24(static_cast<uint32_t>(wrap_once(int64_t{a.addr} + inc, a.wrap_base, a.wrap_len)));
    }
    if (further) t += timing::kLoopEnd;
    if (--l.remaining != 0) {
      next_pc = l.first;
      if (pc_ / 4 - next_pc / 4 > 1) t += timing::kJump;
      break;
    }
    --depth_;
  }
  pc_ = next_pc;
}

bool GoldenTile::push(uint32_t engine, Item& item, Tick t) {
  Engine& e = engine_[engine];
  item.at = t + timing::kQueue;
  e.queue[(e.head + e.size++) % e.queue.size()] = item;
  if (e.size == 1) rearm(e);
  return true;
}

bool GoldenTile::engines_idle(Tick now, Tick* when) const {
  *when = now;
  for (const Engine& e : engine_) {
    if (e.size != 0 || e.waiting) return *when = kNever, false;
    *when = std::max(*when, e.done);
  }
  if (prog_.active) return *when = kNever, false;
  return *when <= now;
}

/// Issues instructions from `now` on. What only the sequencer sees (loops, AGUs, pushes with a time stamp) runs ahead
/// of the clock; whatever looks at the rest of the tile is retried at its own time.
void GoldenTile::step_sequencer(Tick now) {
  Tick t = now;
  seq_block_ = Block::kNone;
  if (draining_) return static_cast<void>(halt(now));
  const auto retry_at = [this](Tick when) { seq_wake_ = when; };
  const auto block = [this](Block why) {
    seq_block_ = why;
    seq_wake_ = kNever;
  };
  for (uint32_t budget = 64; budget != 0; --budget) {
    Fault bad = Fault::kNone;
    uint32_t next = pc_ + 1;
    if ((pc_ + 1) * 8 > sram_.size()) {
      if (t > now) return retry_at(t);
      return fault(Fault::kAddress, now);
    }
    uint64_t w;
    std::memcpy(&w, &sram_[pc_ * 8], 8);
    Item item;
    int queue = -1;
    switch (static_cast<isa::Op>(isa::kOpcode.get(w))) {
      case isa::Op::kNop: break;
      case isa::Op::kHalt:
        if (t > now) return retry_at(t);
        if (halt(now)) ++count(Counter::kInstr);
        return;
      case isa::Op::kLoop: {
        const uint32_t len = static_cast<uint32_t>(isa::loop::len.get(w));
        const uint32_t n = isa::loop::use_scalar.get(w)
                               ? config_[isa::cfg::kScalarBase + isa::loop::scalar.get(w)] & 0xFFFF
                               : static_cast<uint32_t>(isa::loop::count.get(w));
        if (len == 0 || depth_ == isa::kLoopDepth || pc_ + len > 0xFFFF ||
            (depth_ != 0 && pc_ + len > loops_[depth_ - 1].last)) {
          bad = Fault::kLoop;
        } else if (n == 0) {
          next += len;
        } else {
          loops_[depth_++] = {pc_ + 1, pc_ + len, n};
        }
        break;
      }
      case isa::Op::kSetr: {
        const uint32_t word = static_cast<uint32_t>(isa::setr::addr.get(w));
        const uint32_t value = static_cast<uint32_t>(isa::setr::imm.get(w));
        if (word >= kConfigWords) bad = Fault::kAddress;
        if (illegal_repair(word, value)) bad = Fault::kConfig;
        if (bad != Fault::kNone) break;
        if (word >= isa::cfg::kMvmcfgBase) {
          if (t > now) return retry_at(t);
          Tick when;
          if (!engines_idle(now, &when)) return when == kNever ? block(Block::kIdle) : retry_at(when);
        }
        set_config(word, value, now);
        break;
      }
      case isa::Op::kWait:
      case isa::Op::kSignal: {
        const bool is_wait = isa::kOpcode.get(w) == static_cast<uint64_t>(isa::Op::kWait);
        item.kind = is_wait ? ItemKind::kWait : ItemKind::kSignal;
        item.token = static_cast<uint8_t>(isa::wait::token.get(w));
        item.count = static_cast<uint8_t>(isa::wait::count.get(w));
        const uint32_t engine = static_cast<uint32_t>(isa::wait::engine.get(w));
        if (item.count == 0) {
          bad = Fault::kIllegalInstr;
        } else if (engine != kSeq) {
          queue = static_cast<int>(engine) - 1;
        } else if (t > now) {
          return retry_at(t);
        } else if (is_wait) {
          if (tokens_[item.token] < item.count) return block(Block::kToken);
          tokens_[item.token] -= item.count;
        } else {
          add_token(item.token, item.count, now);
          if (draining_) {  // overflow: issued all the same, a token fault names the next instruction
            ++count(Counter::kInstr);
            Tick ignored = now;
            return advance(next, ignored);
          }
        }
        break;
      }
      case isa::Op::kMvm: {
        refresh_slots();
        const Agu* agu;
        item.cfg = static_cast<uint8_t>(isa::mvm::cfg.get(w));
        item.a = operand(isa::mvm::src.get(w), &agu);
        item.wrap_base = agu->wrap_base;
        item.wrap_len = agu->wrap_len;
        item.dst = operand(isa::mvm::dst.get(w));
        const MvmSlot& s = mvm_slot_[item.cfg];
        if (!s.valid) {
          bad = Fault::kConfig;
        } else if (item.dst % kLine != 0 || !in_sram(item.dst, s.mux_count * geometry_.lanes / s.w_slices * 4)) {
          bad = Fault::kAddress;
        }
        queue = kMvm;
        break;
      }
      case isa::Op::kProg: {
        refresh_slots();
        item.prog = true;
        item.cfg = static_cast<uint8_t>(isa::prog::cfg.get(w));
        item.a = operand(isa::prog::src.get(w));
        item.dst = operand(isa::prog::dst.get(w));
        item.b = operand(isa::prog::fail.get(w));
        const uint32_t row = static_cast<uint32_t>(agu_[isa::prog::row_agu.get(w)].addr) & kAddrMask;
        item.row = static_cast<uint16_t>(row);
        const MvmSlot& s = mvm_slot_[item.cfg];
        const uint32_t n = s.mux_count * geometry_.lanes;
        if (!s.valid || !prog_slot_.valid) {
          bad = Fault::kConfig;
        } else if (row >= geometry_.rows || item.a % kLine != 0 || !in_sram(item.a, n) || item.dst % kLine != 0 ||
                   !in_sram(item.dst, 4 * n) || item.b % kLine != 0 || !in_sram(item.b, kLine * ceil_div(n, 256))) {
          bad = Fault::kAddress;
        }
        queue = kMvm;
        break;
      }
      case isa::Op::kVec: {
        refresh_slots();
        item.cfg = static_cast<uint8_t>(isa::vec::cfg.get(w));
        item.use_b = isa::vec::use_b.get(w) != 0;
        item.a = operand(isa::vec::a.get(w));
        item.b = operand(isa::vec::b.get(w));
        item.dst = operand(isa::vec::dst.get(w));
        const VecSlot& s = vec_slot_[item.cfg];
        if (!s.valid) {
          bad = Fault::kConfig;
        } else if (item.a % kLine != 0 || !in_sram(item.a, 4 * s.len) ||
                   (item.use_b && (item.b % kLine != 0 || !in_sram(item.b, 4 * s.len))) ||
                   item.dst % (s.requant ? 16 : kLine) != 0 || !in_sram(item.dst, s.requant ? s.len : 4 * s.len)) {
          bad = Fault::kAddress;
        }
        queue = kVec;
        break;
      }
      case isa::Op::kSend: {
        item.a = operand(isa::send::src.get(w));
        item.dst = operand(isa::send::dst.get(w));
        item.tile = static_cast<uint8_t>(isa::send::tile.get(w));
        item.len = static_cast<uint16_t>(isa::send::len.get(w));
        item.token_en = isa::send::token_en.get(w) != 0;
        item.token = static_cast<uint8_t>(isa::send::token.get(w));
        const bool host = item.tile == isa::kHostTile;
        if (!host && item.tile >= geometry_.tiles()) {
          bad = Fault::kIllegalInstr;
        } else if (item.len == 0 && !item.token_en) {
          bad = Fault::kConfig;
        } else if (item.a % 16 != 0 || item.dst % 16 != 0 || !in_sram(item.a, item.len) ||
                   (host ? item.dst >> isa::kCfgSpaceBit != 0 : !in_sram(item.dst, item.len))) {
          bad = Fault::kAddress;
        }
        queue = kNet;
        break;
      }
      default: bad = Fault::kIllegalInstr;
    }
    if (bad != Fault::kNone) {
      if (t > now) return retry_at(t);
      return fault(bad, now);
    }
    if (queue >= 0) {
      if (engine_[queue].size == kQueueDepth[queue]) return t > now ? retry_at(t) : block(Block::kQueue);
      push(static_cast<uint32_t>(queue), item, t);
    }
    ++count(Counter::kInstr);
    t += 1;
    advance(next, t);
  }
  retry_at(t);
}

// ------------------------------------------------------------------------------------------------------------------
// vector unit

void GoldenTile::step_vec(Tick now) {
  Engine& e = engine_[kVec];
  const Item& it = e.front();
  if (it.kind == ItemKind::kWait) return take_wait(e, now);
  if (it.kind == ItemKind::kSignal) return take_signal(e, now, timing::kVecSignal, timing::kVecItem);
  refresh_slots();
  const VecSlot& s = vec_slot_[it.cfg];
  e.ready = now + timing::kVec + ceil_div(s.len, 8);
  e.done = e.ready + timing::kVecPipe;
  trace(ChipTimeline::kVector, now, e.done);
  run_vec(it, s);
  pop(e, now);
}

void GoldenTile::run_vec(const Item& item, const VecSlot& s) {
  const uint32_t steps = ceil_div(s.len, 8);
  uint32_t sats = 0;
  for (uint32_t i0 = 0; i0 < s.len; i0 += 8) {
    const uint32_t n = std::min(8u, s.len - i0);
    int32_t a[8], b[8];
    std::memcpy(a, &sram_[item.a + 4 * i0], 4 * n);
    if (item.use_b) {
      std::memcpy(b, &sram_[item.b + 4 * i0], 4 * n);
      for (uint32_t i = 0; i < n; ++i) a[i] = sat32(int64_t{a[i]} + b[i], &sats);
    }
    if (s.relu)
      for (uint32_t i = 0; i < n; ++i) a[i] = std::max(a[i], 0);
    if (s.requant) {
      for (uint32_t i = 0; i < n; ++i)
        sram_[item.dst + i0 + i] = static_cast<uint8_t>(requantise(a[i], s.mult, s.shift));
    } else {
      std::memcpy(&sram_[item.dst + 4 * i0], a, 4 * n);
    }
  }
  count(Counter::kSats) += sats;
  if (sats != 0) overflow(engine_[kVec].done - 1);
  count(Counter::kVecLines) += steps;
  count(Counter::kSramRd) += steps * (item.use_b ? 2 : 1);
  count(Counter::kSramWr) += steps;
}

// -------------------------------------------------------------------------------------------------------------------
// NET engine

void GoldenTile::step_net(Tick now) {
  Engine& e = engine_[kNet];
  if (!net_job_.active && read_command_.active) {
    net_job_ = read_command_;
    read_command_.active = false;
  }
  if (net_job_.active) return emit(now);
  if (e.size == 0 || e.waiting) {
    e.wake = kNever;
    return;
  }
  const Item& it = e.front();
  if (it.at > now || e.ready > now) return rearm(e);
  if (it.kind == ItemKind::kWait) return take_wait(e, now);
  if (it.kind == ItemKind::kSignal) return take_signal(e, now, timing::kNetSignal, timing::kVecItem);
  net_job_ = {true, it.token_en, FlitKind::kWrite, it.tile, it.token, it.a, it.dst, it.len, -1};
  pop(e, now);
  emit(now);
}

/// Sends up to 16 flits of the job in progress.
void GoldenTile::emit(Tick now) {
  Engine& e = engine_[kNet];
  NetJob& j = net_job_;
  departures_.emplace_back();
  Departure& d = departures_.back();
  Burst& b = d.burst;
  const uint32_t bytes = std::min(j.len, 16 * kBurstFlits);
  d.at = now + timing::kSend;
  b.tile = j.tile;
  b.kind = j.kind;
  b.addr = j.dst;
  b.flits = std::max(1u, ceil_div(bytes, 16));
  b.last_strb = tail_strb(bytes);
  for (uint32_t done = 0; done < bytes;) {  // only an answer to a FlitRead can leave the SRAM: it reads 0 there
    const uint32_t n = std::min(16u, bytes - done), from = j.src + done;
    if (from + 16 <= sram_.size()) {
      std::memcpy(b.data + done, &sram_[from], 16);
      if (from / kLine != j.last_line) ++count(Counter::kSramRd);
      j.last_line = from / kLine;
    }
    done += n;
  }
  j.src += bytes;
  j.dst += bytes;
  j.len -= bytes;
  if (j.len == 0) {
    j.active = false;
    b.token_en = j.token_en;
    b.token = j.token;
  }
  count(Counter::kFlitsOut) += b.flits;
  const Tick next = now + b.flits + (j.active ? 0 : timing::kSendGap);
  if (!e.waiting) e.ready = next;
  e.done = std::max(e.done, d.at + b.flits);
  trace(ChipTimeline::kSend, now, d.at + b.flits);
  if (j.active || read_command_.active)
    e.wake = next;
  else
    rearm(e);
}

void GoldenTile::hold_net(Tick t) {
  Engine& e = engine_[kNet];
  if (e.waiting || t <= e.ready) return;
  e.ready = t;
  e.done = std::max(e.done, t + timing::kSend);
  if (e.wake != kNever) e.wake = std::max(e.wake, t);
}

void GoldenTile::receive(const Burst& b, Tick now) {
  count(Counter::kFlitsIn) += b.flits;
  trace(ChipTimeline::kReceive, now, now + b.flits);
  progress_ = now;
  if (b.kind == FlitKind::kRead) {
    uint16_t bytes;
    std::memcpy(&bytes, b.data, 2);
    if (b.addr % 16 != 0 || !in_sram(b.addr, bytes)) {
      fault(Fault::kAddress, now);
      bytes = 0;  // answered all the same, so that the host never hangs
    }
    read_command_ = {true, true, FlitKind::kResp, static_cast<uint8_t>(isa::kHostTile), 0, b.addr, 0, bytes, -1};
    Engine& e = engine_[kNet];
    // Answered between SENDs, before the queue head and past a WAIT.
    if (!net_job_.active) e.wake = e.waiting ? now : std::max(now, e.ready);
    return;
  }
  if (b.kind != FlitKind::kWrite) return;
  for (uint32_t i = 0; i < b.flits; ++i) {
    const uint32_t addr = b.addr + 16 * i;
    const uint16_t strb = i + 1 == b.flits ? b.last_strb : 0xFFFF;
    const uint8_t* data = b.data + 16 * i;
    if (strb == 0) continue;
    const bool config = addr >> isa::kCfgSpaceBit & 1;
    const uint32_t word = (addr & ((1u << isa::kCfgSpaceBit) - 1)) / 4;
    if (addr % 16 != 0 || (config ? word >= kConfigWords : addr >= sram_.size())) {
      fault(Fault::kAddress, now);
      if (i + 1 == b.flits) return;  // the token goes with its data
    } else if (config) {
      for (uint32_t k = 0; k < 4; ++k) {
        uint32_t v;
        std::memcpy(&v, data + 4 * k, 4);
        if ((strb >> (4 * k) & 0xF) != 0xF) continue;
        if (set_config(word + k, v, now) == Fault::kConfig) fault(Fault::kConfig, now);
      }
    } else {
      ++count(Counter::kSramWr);
      if (strb == 0xFFFF) {
        std::memcpy(&sram_[addr], data, 16);
      } else {
        for (uint32_t k = 0; k < 16; ++k)
          if (strb >> k & 1) sram_[addr + k] = data[k];
      }
    }
  }
  if (b.token_en) add_token(b.token, 1, now);
}

// --------------------------------------------------------------------------------------------------------------------------
// time

Tick GoldenTile::next_time() const {
  Tick t = std::min({seq_wake_, prog_.wake, trap_at_});
  for (const Engine& e : engine_) {
    t = std::min(t, e.wake);
    if (e.sig_size != 0) t = std::min(t, e.signals[e.sig_head].at);
  }
  return watchdog_ != 0 ? std::min(t, watchdog_time()) : t;
}

void GoldenTile::step(Tick now) {
  if (watchdog_time() <= now) fault(Fault::kWatchdog, now);
  progress_ = now;
  do {
    if (trap_at_ <= now) {
      trap_at_ = kNever;
      fault(Fault::kOverflow, now);
    }
    for (Engine& e : engine_) fire_signals(e, now);
    if (seq_wake_ <= now) step_sequencer(now);
    if (prog_.wake <= now) step_prog(now);
    if (engine_[kMvm].wake <= now) step_mvm(now);
    if (engine_[kVec].wake <= now) step_vec(now);
    if (engine_[kNet].wake <= now) step_net(now);
  } while (next_time() <= now);
}

TileStatus GoldenTile::status() const {
  TileStatus s = status_;
  s.pc = static_cast<uint16_t>(pc_);
  return s;
}

TileStop GoldenTile::run(uint64_t max_cycles, uint32_t self) {
  const Tick limit = now_ + max_cycles;
  for (Tick t = next_time(); t != kNever; t = next_time()) {
    if (t > limit) {
      now_ = limit;
      return TileStop::kTimeout;
    }
    now_ = t;
    step(t);
    for (const Departure& d : departures_) {
      if (d.burst.tile == self) {
        receive(d.burst, now_);
      } else {
        for (uint32_t i = 0; i < d.burst.flits; ++i) sent_.push_back(d.burst.flit(i));
      }
    }
    clear_departures();
  }
  for (const Engine& e : engine_)
    if (e.done != 0 && e.done > now_ && status_.halted) now_ = e.done;
  if (status_.fault != Fault::kNone && !status_.running) return TileStop::kFaulted;
  return status_.running ? TileStop::kBlocked : TileStop::kHalted;
}

}  // namespace ohmac::golden
