// SPDX-License-Identifier: Apache-2.0
#include "tb/common/random_program.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <stdexcept>

#include "models/golden/disasm.h"

namespace ohmac::tb {

namespace {

using isa::Engine;
namespace cfg = isa::cfg;

constexpr uint32_t kSeq = 0, kMvm = 1, kVec = 2, kNet = 3, kLoopback = 4;  // kLoopback: writes of SENDs to this tile
constexpr uint32_t kEngines = 4, kProducers = 5;
constexpr uint32_t kProgramBytes = 6144, kInboxBytes = 128, kMaxInstr = kProgramBytes / 8 - 80;
constexpr uint32_t kTail = 12;           // NOPs behind what fails
constexpr uint32_t kRowAgu = 7;          // counts rows of PROG where those are allowed
constexpr uint32_t kTrafficBytes = 256;  // one line a bank of the reference tile

struct Span {
  int64_t lo = 0, hi = 0;  // [lo, hi)
  bool meets(const Span& o) const { return lo < o.hi && o.lo < hi; }
};

/// What an operation may touch, over all iterations of the loops around it.
struct Access {
  uint32_t engine = 0, index = 0;
  std::vector<Span> reads, writes;
};

bool meet(const std::vector<Span>& a, const std::vector<Span>& b) {
  for (const Span& x : a)
    for (const Span& y : b)
      if (x.meets(y)) return true;
  return false;
}

/// Must `later` wait for `earlier`? An engine works in order: only reading what it wrote itself needs a token.
bool conflict(const Access& earlier, const Access& later) {
  if (meet(earlier.writes, later.reads)) return true;
  if (earlier.engine == later.engine) return false;
  return meet(earlier.writes, later.writes) || meet(earlier.reads, later.writes);
}

struct Agu {
  uint32_t align = 16;
  Span at;  // addresses it takes
  bool wrap = false, is_row = false;
  int64_t wrap_base = 0, wrap_len = 0;
};

struct Operand {
  uint64_t field = 0;
  Span ea;  // effective addresses
  uint32_t agu = 0;
};

struct MvmSlot {
  uint32_t k = 0, phases = 0, psum_bytes = 0, psums = 0, columns = 0;
  Span bytes;  // source bytes, relative to src; empty if all are pad
};

struct VecSlot {
  uint32_t len = 0;
  bool requant = false;
};

class Generator {
 public:
  Generator(uint64_t seed, const RandomOptions& o) : o_(o), g_(o.geometry), rng_(seed ^ 0x9E3779B97F4A7C15u) {
    p_.seed = seed;
    p_.geometry = g_;
  }

  RandomProgram run() {
    contents();
    inbox();
    traps();
    if (o_.prog) {
      prog_settings(true);
      for (uint32_t i = below(3); i != 0; --i) repair(true);
    }
    for (uint32_t i = 0; i < isa::kNumMvmCfg; ++i) mvm_slot(i, true);
    for (uint32_t i = 0; i < isa::kNumVecCfg; ++i) vec_slot(i, true);
    const uint32_t parts = 2 + below(4);
    for (uint32_t i = 0; i < parts && code_.size() < kMaxInstr / 2; ++i) {
      if (!inbox_open_ && chance(3)) open_inbox();
      if (chance(2)) mvm_slot(below(isa::kNumMvmCfg), false);
      if (chance(2)) vec_slot(below(isa::kNumVecCfg), false);
      if (chance(4)) timing(false);
      if (chance(4)) calibrate(below(g_.cols), false);
      if (o_.prog && chance(2)) prog_settings(false);
      if (chance(3))
        pipeline();
      else
        nest();
    }
    if (!inbox_open_) open_inbox();
    if (o_.faulty)
      break_it();
    else
      emit(isa::halt::make());
    if (code_.size() * 8 > kProgramBytes - 64)  // the last lines hold constants
      throw std::logic_error("random_program: seed " + std::to_string(p_.seed) + " does not fit its memory");
    add_traffic();
    std::memcpy(&p_.sram[program_base_], code_.data(), code_.size() * 8);
    p_.pc = static_cast<uint16_t>(program_base_ / 8);
    p_.instructions = static_cast<uint32_t>(code_.size());
    if (p_.fault_pc >= 0) p_.fault_pc += p_.pc;
    return std::move(p_);
  }

 private:
  // --- Chance
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(rng_() % n); }
  int32_t between(int32_t lo, int32_t hi) {
    return lo + static_cast<int32_t>(below(static_cast<uint32_t>(hi - lo + 1)));
  }
  bool chance(uint32_t one_in) { return below(one_in) == 0; }

  // --- Code
  uint32_t emit(uint64_t w) {
    code_.push_back(w);
    return static_cast<uint32_t>(code_.size() - 1);
  }
  void setr(uint32_t word, uint32_t value) { emit(isa::setr::make(word, value)); }
  void set_word(uint32_t word, uint32_t value, bool initial) {
    if (initial)
      p_.config.emplace_back(word, value);
    else
      setr(word, value);
    shadow_[word] = value;
  }

  // --- Contents of the machine
  void contents() {
    p_.sram.resize(g_.sram_bytes);
    for (uint8_t& b : p_.sram) b = static_cast<uint8_t>(rng_());
    const bool at_end = chance(2);
    program_base_ = at_end ? g_.sram_bytes - kProgramBytes : 32 * below(4) + 8 * below(4);
    const int64_t data_lo = at_end ? 0 : 8192 - 1024, data_hi = at_end ? program_base_ : g_.sram_bytes;
    // With large psums small ones would drown: make half of the data small numbers.
    for (int64_t a = data_lo + 4 * 256; a < (data_lo + data_hi) / 2; a += 4) {
      const int32_t v = between(-100000, 100000);
      std::memcpy(&p_.sram[a], &v, 4);
    }
    inbox_ = {data_lo, data_lo + kInboxBytes};
    traffic_ = o_.traffic != 0 ? data_hi - kTrafficBytes : data_hi;
    arena_ = {data_lo + kInboxBytes, traffic_};
    p_.cells.resize(g_.rows * g_.cols);
    const uint32_t style = below(4);
    for (int8_t& c : p_.cells) {
      if (style == 0)
        c = static_cast<int8_t>(between(-127, 127));
      else if (style == 1)
        c = static_cast<int8_t>(between(-15, 15) * 8);
      else if (style == 2)
        c = static_cast<int8_t>(chance(8) ? between(-127, 127) : 0);
      else
        c = static_cast<int8_t>(between(-20, 20));
    }
    for (uint32_t c = 0; c < g_.cols; ++c) calibrate(c, true);
    timing(true);
    loop_token_role_ = {false, chance(2), chance(2), chance(2)};
  }

  void calibrate(uint32_t column, bool initial) {
    const auto gain = static_cast<uint32_t>(chance(20) ? below(65536) : between(14000, 19000));
    const int32_t offset = chance(20) ? between(-32768, 32767) : between(-600, 600);
    set_word(cfg::kCalBase + column,
             static_cast<uint32_t>(cfg::cal::gain.put(gain) | cfg::cal::offset.put(static_cast<uint32_t>(offset))),
             initial);
  }

  void timing(bool initial) {
    set_word(cfg::kTimingBase,
             static_cast<uint32_t>(cfg::timing::settle.put(1 + below(6)) |
                                   cfg::timing::integ.put(chance(4) ? 1 + below(40) : 1 + below(12))),
             initial);
  }

  void traps() {
    namespace t = cfg::trap;
    p_.may_overflow = o_.traps && chance(4);
    set_word(cfg::kTrapBase,
             static_cast<uint32_t>(t::watchdog.put(o_.traps ? 4 + below(8) : 0) | t::overflow.put(p_.may_overflow)),
             true);
  }

  void prog_settings(bool initial) {
    namespace f = cfg::prog;
    limit_ = 1 + below(6);
    const auto put = [](isa::Field x, uint64_t v) { return static_cast<uint32_t>(x.put(v)); };
    set_word(cfg::kProgBase, put(f::tolerance, chance(4) ? below(65536) : 256 * below(24)) | put(f::limit, limit_),
             initial);
    set_word(cfg::kProgBase + f::amp_first.word,
             put(f::amp_first, below(16)) | put(f::amp_last, below(16)) | put(f::amp_every, below(4)) |
                 put(f::pulse, 1 + below(chance(4) ? 100 : 20)),
             initial);
    set_word(cfg::kProgBase + f::verify_x.word, put(f::verify_x, chance(4) ? 1 + below(127) : 127), initial);
  }

  void repair(bool initial) {
    namespace r = cfg::repair;
    const bool en = !chance(4);
    const uint32_t lane = en ? below(g_.spares) : below(cfg::kRepairCount);
    set_word(cfg::kRepairBase + lane,
             static_cast<uint32_t>(r::en.put(en) | r::block.put(en ? below(g_.mux()) : below(64))), initial);
  }

  void mvm_slot(uint32_t i, bool initial) {
    MvmSlot& s = mvm_[i];
    const uint32_t mux = g_.mux(), in_slice = below(4), w_slices = below(3);
    constexpr uint32_t kSlices[] = {1, 2, 4, 7};
    const bool reference = chance(8);
    uint32_t k = reference ? 1 + below(4) : 1 + below(chance(2) ? g_.rows : 24);
    uint32_t seg_len = 1 + below(std::min(k, 255u)), n_seg = k / seg_len;
    if (chance(3)) n_seg = 1, seg_len = k;
    while (n_seg > 255) n_seg /= 2;
    k = n_seg * seg_len;
    const uint32_t row_base = reference ? g_.rows : 4 * below((g_.rows - k) / 4 + 1);
    uint32_t group = chance(2) ? k + below(5) : 4 * (1 + below(8));
    const auto phases = [&] { return (k + group - 1) / group * kSlices[in_slice]; };
    while (phases() > 40) group = group % 4 == 0 ? group * 2 : k;
    group = std::min(group, 1023u);
    const int32_t stride = chance(4) ? between(-80, 80) : static_cast<int32_t>(seg_len) + between(0, 40);
    const uint32_t top = chance(3) ? below(n_seg + 2) : 0, bottom = chance(3) ? below(n_seg + 2) : 0;
    const uint32_t left = chance(3) ? below(seg_len + 2) : 0, right = chance(3) ? below(seg_len + 2) : 0;
    const uint32_t mux_first = below(mux), mux_count = 1 + below(mux - mux_first);
    const uint32_t word = cfg::kMvmcfgBase + i * cfg::kMvmcfgStride;
    namespace m = cfg::mvmcfg;
    const auto put = [](isa::Field f, uint64_t v) { return static_cast<uint32_t>(f.put(v)); };
    set_word(word + m::k.word, put(m::k, k) | put(m::row_base, row_base), initial);
    set_word(word + m::seg_len.word, put(m::seg_len, seg_len) | put(m::n_seg, n_seg), initial);
    set_word(word + m::seg_stride.word, put(m::seg_stride, static_cast<uint32_t>(stride)), initial);
    set_word(word + m::pad_top.word,
             put(m::pad_top, top) | put(m::pad_bottom, bottom) | put(m::pad_left, std::min(left, 255u)) |
                 put(m::pad_right, std::min(right, 255u)),
             initial);
    set_word(word + m::pad_value.word,
             put(m::pad_value, chance(2) ? 0 : below(256)) | put(m::in_slice, in_slice) | put(m::w_slices, w_slices) |
                 put(m::adc_bits, 4 + below(5)) | put(m::range, chance(3) ? below(16) : 4 + below(6)),
             initial);
    set_word(word + m::group_rows.word,
             put(m::group_rows, group) | put(m::mux_first, mux_first) | put(m::mux_count, mux_count), initial);
    s.k = k;
    s.phases = phases();
    s.columns = mux_count * g_.lanes;
    s.psums = s.columns >> w_slices;
    s.psum_bytes = 4 * s.psums;
    s.bytes = {INT32_MAX, INT32_MIN};
    for (uint32_t seg = top; seg + bottom < n_seg; ++seg)
      for (uint32_t b = left; b + right < seg_len; ++b) {
        const int64_t a = int64_t{seg} * stride + b;
        s.bytes = {std::min(s.bytes.lo, a), std::max(s.bytes.hi, a + 1)};
      }
    if (s.bytes.lo > s.bytes.hi) s.bytes = {0, 0};
  }

  void vec_slot(uint32_t i, bool initial, uint32_t len = 0, bool requant = false) {
    VecSlot& s = vec_[i];
    s.requant = requant || chance(2);
    s.len = len != 0 ? len : 1 + below(chance(4) ? 120 : 40);
    const uint32_t word = cfg::kVeccfgBase + i * cfg::kVeccfgStride;
    namespace v = cfg::veccfg;
    set_word(word, static_cast<uint32_t>(v::len.put(s.len) | v::requant.put(s.requant) | v::relu.put(chance(2))),
             initial);
    const uint32_t shift = chance(4) ? below(63) : 20 + below(20);
    set_word(word + v::mult.word, chance(8) ? below(1u << 31) : below(1u << std::min(30u, shift + 1)), initial);
    set_word(word + v::shift.word, shift, initial);
  }

  void inbox() {
    const uint32_t n = 1 + below(5);
    for (uint32_t i = 0; i < n; ++i) {
      golden::Flit f;
      f.addr = static_cast<uint32_t>(inbox_.lo) + 16 * below(kInboxBytes / 16);
      f.strb = static_cast<uint16_t>(chance(4) ? 0 : chance(2) ? 0xFFFF : rng_());
      f.token_en = i + 1 == n || chance(2);
      if (f.token_en) ++inbox_tokens_;
      for (uint8_t& b : f.data) b = static_cast<uint8_t>(rng_());
      p_.flits.push_back(f);
    }
    if (chance(2)) {  // a configuration word through the NoC: a scalar that no loop uses
      golden::Flit f;
      f.addr = cfg::noc_addr(cfg::kScalarBase + 4);
      f.strb = static_cast<uint16_t>(0xF000);
      f.token_en = true;
      ++inbox_tokens_;
      for (uint8_t& b : f.data) b = static_cast<uint8_t>(rng_());
      p_.flits.push_back(f);
    }
  }

  void open_inbox() {
    uint32_t left = inbox_tokens_;
    while (left != 0) {
      const uint32_t n = 1 + below(left);
      emit(isa::wait::make(kSeq, 0, n));
      left -= n;
    }
    arena_.lo = inbox_.lo;
    inbox_open_ = true;
  }

  // --- Tokens. Token 4p + c goes from engine p to engine c; 0 is the inbox, 1..3 are loopback or SIGNALs of the
  // sequencer. known_[p][c]: the operations of p up to this index are complete before anything that c does from here
  // on.
  static uint32_t token(uint32_t p, uint32_t c) { return 4 * p + c; }

  void learn(uint32_t from, uint32_t c) {
    for (uint32_t q = 0; q < kProducers; ++q) known_[q][c] = std::max(known_[q][c], known_[q][from]);
    if (c != kSeq) return;
    for (uint32_t e = kMvm; e < kEngines; ++e)  // whatever is issued from now on comes after
      for (uint32_t q = 0; q < kProducers; ++q) known_[q][e] = std::max(known_[q][e], known_[q][kSeq]);
  }

  void sync(uint32_t p, uint32_t c) {
    const uint32_t n = chance(4) ? 1 + below(5) : 1;
    emit(isa::signal::make(p, token(p, c), n));
    if (chance(6)) emit(isa::nop::make());
    emit(isa::wait::make(c, token(p, c), n));
    known_[p][c] = issued_[p];
    learn(p, c);
  }

  void barrier() {
    for (uint32_t e = kMvm; e < kEngines; ++e) sync(e, kSeq);
  }

  /// Orders engine `c` after every earlier operation that conflicts with `a`.
  void order(const Access& a, uint32_t c) {
    for (const Access& x : history_) {
      if (x.index <= known_[x.engine][c] || !conflict(x, a)) continue;
      if (x.engine != kLoopback) {
        sync(x.engine, c);
        continue;
      }
      if (a.engine == kLoopback && !meet(x.writes, a.reads)) continue;  // flits to one tile keep their order
      for (uint32_t by = 0; by < kEngines; ++by)
        if (known_[kLoopback][by] >= x.index) {
          sync(by, c);
          break;
        }
    }
  }

  void record(Access a) {
    a.index = ++issued_[a.engine];
    history_.push_back(a);
  }

  // --- Address generators of one nest
  void set_agu(uint32_t i, uint32_t field, int64_t value) {
    const uint32_t word = cfg::kAguBase + i * cfg::kAguStride + field, v = static_cast<uint32_t>(value) & 0xFFFFFF;
    if (field != cfg::agu::addr.word && shadow_[word] == v) return;
    setr(word, v);
    shadow_[word] = v;
  }

  void agus(const std::vector<uint32_t>& counts) {
    for (uint32_t i = 0; i < isa::kNumAgu; ++i) {
      Agu& a = agu_[i];
      a.align = i == 0 ? 1 : i < 3 ? 16 : 32;
      const int64_t align = a.align, room = arena_.hi - arena_.lo;
      a.is_row = o_.prog && i == kRowAgu;
      if (a.is_row) {
        row_agu(counts);
        continue;
      }
      a.wrap = chance(3);
      std::array<int64_t, 4> inc{};
      if (a.wrap) {
        a.wrap_len = align * (4 + below(static_cast<uint32_t>(600 / align) + 2));
        a.wrap_base = (arena_.lo + align - 1) / align * align +
                      align * below(static_cast<uint32_t>((room - a.wrap_len - 1100) / align));
        a.at = {a.wrap_base, a.wrap_base + a.wrap_len - align + 1};
        set_agu(i, cfg::agu::addr.word, a.wrap_base + align * below(static_cast<uint32_t>(a.wrap_len / align)));
        for (size_t d = 0; d < counts.size(); ++d)
          inc[d] = align *
                   between(static_cast<int32_t>(1 - a.wrap_len / align), static_cast<int32_t>(a.wrap_len / align - 1));
      } else {
        int64_t lo = 0, hi = 0;
        std::array<int64_t, 5> stride{};
        for (size_t d = 0; d < counts.size(); ++d) {
          stride[d] = chance(3) ? 0 : align * between(-3, 5);
          lo += std::min<int64_t>(0, stride[d] * counts[d]);
          hi += std::max<int64_t>(0, stride[d] * counts[d]);
        }
        for (size_t d = 0; d < counts.size(); ++d)  // an outer increment takes the inner ones back
          inc[d] = stride[d] - (d + 1 < counts.size() ? stride[d + 1] * counts[d + 1] : 0);
        int64_t base = (arena_.lo - lo + align - 1) / align * align;
        base += align * below(static_cast<uint32_t>(std::max<int64_t>(1, (arena_.hi - 1100 - hi - base) / align)));
        a.at = {base + lo, base + hi + 1};
        a.wrap_base = a.wrap_len = 0;
        set_agu(i, cfg::agu::addr.word, base);
      }
      for (uint32_t d = 0; d < isa::kLoopDepth; ++d) set_agu(i, cfg::agu::inc0.word + d, inc[d]);
      set_agu(i, cfg::agu::wrap_base.word, a.wrap_base);
      set_agu(i, cfg::agu::wrap_len.word, a.wrap_len);
    }
  }

  /// Addresses of this generator are rows: it wraps in 0..Rows-1.
  void row_agu(const std::vector<uint32_t>& counts) {
    const auto rows = static_cast<int32_t>(g_.rows);
    set_agu(kRowAgu, cfg::agu::addr.word, below(g_.rows));
    for (uint32_t d = 0; d < isa::kLoopDepth; ++d)
      set_agu(kRowAgu, cfg::agu::inc0.word + d, d < counts.size() ? between(1 - rows, rows - 1) : 0);
    set_agu(kRowAgu, cfg::agu::wrap_base.word, 0);
    set_agu(kRowAgu, cfg::agu::wrap_len.word, rows);
  }

  /// An operand of `bytes` = [lo, hi) relative to its address, inside the arena. False if chance did not find one.
  bool operand(uint32_t align, Span bytes, bool wraps_bytes, Operand* out) {
    for (uint32_t attempt = 0; attempt < 12; ++attempt) {
      const uint32_t i = below(isa::kNumAgu);
      const Agu& a = agu_[i];
      if (a.align % align != 0 || a.is_row) continue;
      const uint32_t unit = std::max(align, 16u) / 16;
      uint32_t offset = 0;
      Span ea = a.at;
      if (a.wrap) {
        offset = unit * below(static_cast<uint32_t>(a.wrap_len / (16 * unit)) + 1);
        if (16 * int64_t{offset} >= a.wrap_len) offset = 0;
        ea = {a.wrap_base, a.wrap_base + a.wrap_len};
        if (wraps_bytes) {
          if (bytes.lo < -a.wrap_len || bytes.hi > a.wrap_len) continue;
          out->ea = ea;
          out->agu = i;
          out->field = isa::operand(i, offset);
          return true;
        }
        ea.hi -= align - 1;
      } else {
        offset = unit * below(24);
        ea = {a.at.lo + 16 * offset, a.at.hi + 16 * offset};
      }
      const Span touched{ea.lo + bytes.lo, ea.hi - 1 + bytes.hi};
      if (bytes.lo < bytes.hi && (touched.lo < arena_.lo || touched.hi > arena_.hi)) continue;
      if (ea.lo < 0) continue;
      out->ea = touched;
      out->agu = i;
      out->field = isa::operand(i, offset);
      return true;
    }
    return false;
  }

  // --- Operations
  void operation(uint32_t iterations, uint32_t depth) {
    if (o_.prog && chance(4)) return chance(4) ? repair(false) : program_row(iterations);
    switch (below(14)) {
      case 0:
      case 1:
      case 2:
      case 3: return mvm(iterations);
      case 4:
      case 5:
      case 6:
      case 7: return vec();
      case 8:
      case 9:
      case 10: return send();
      case 11: {
        const uint32_t c = 1 + below(3);
        if (loop_token_role_[c]) return static_cast<void>(emit(isa::nop::make()));
        const uint32_t n = 1 + below(3);
        emit(isa::signal::make(kSeq, token(kSeq, c), n));
        emit(isa::wait::make(c, token(kSeq, c), n));
        return;
      }
      case 12: {  // a slot word with the value it has: waits for idle engines
        const uint32_t word = cfg::kMvmcfgBase + below(isa::kNumMvmCfg) * cfg::kMvmcfgStride + below(6);
        return setr(word, shadow_[word]);
      }
      default: {
        if (depth == isa::kLoopDepth) return;
        const uint32_t n = 1 + below(4);
        emit(isa::loop::make(0, 0, n, 0));
        for (uint32_t i = 0; i < n; ++i) emit(rng_());  // never executed
      }
    }
  }

  void mvm(uint32_t iterations) {
    const uint32_t i = below(isa::kNumMvmCfg);
    const MvmSlot& s = mvm_[i];
    if (phases_ + s.phases * iterations > o_.max_phases) return;
    Operand src, dst;
    if (!operand(1, s.bytes, true, &src) || !operand(32, {0, s.psum_bytes}, false, &dst)) return;
    Access a;
    a.engine = kMvm;
    if (s.bytes.lo < s.bytes.hi) a.reads = {src.ea};
    a.writes = {dst.ea};
    order(a, kMvm);
    emit(isa::mvm::make(src.field, dst.field, i));
    record(a);
    phases_ += s.phases * iterations;
  }

  void program_row(uint32_t iterations) {
    const uint32_t i = below(isa::kNumMvmCfg), n = mvm_[i].columns;
    if (!agu_[kRowAgu].is_row || phases_ + limit_ * iterations > o_.max_phases) return;
    Operand src, dst, fail;
    if (!operand(32, {0, n}, false, &src) || !operand(32, {0, 4 * n}, false, &dst) ||
        !operand(32, {0, (n + 255) / 256 * 32}, false, &fail))
      return;
    if (src.ea.meets(dst.ea) || src.ea.meets(fail.ea) || dst.ea.meets(fail.ea)) return;
    Access a;
    a.engine = kMvm;
    a.reads = {src.ea};
    a.writes = {dst.ea, fail.ea};
    order(a, kMvm);
    emit(isa::prog::make(src.field, dst.field, fail.field, kRowAgu, i));
    record(a);
    phases_ += limit_ * iterations;
  }

  void vec() {
    const uint32_t i = below(isa::kNumVecCfg);
    const VecSlot& s = vec_[i];
    const Span in{0, (4 * s.len + 31) / 32 * 32};
    const Span out{0, s.requant ? s.len : 4 * s.len};
    const bool use_b = chance(2);
    Operand a, b, dst;
    if (!operand(32, in, false, &a) || !operand(32, in, false, &b)) return;
    if (chance(3)) {  // in place
      dst = a;
      if (use_b && b.field != a.field && b.ea.meets(a.ea)) return;
    } else {
      if (!operand(s.requant ? 16 : 32, out, false, &dst)) return;
      if (dst.ea.meets(a.ea) || (use_b && dst.ea.meets(b.ea))) return;
    }
    Access x;
    x.engine = kVec;
    x.reads = {a.ea};
    if (use_b) x.reads.push_back(b.ea);
    x.writes = {dst.ea};
    order(x, kVec);
    emit(isa::vec::make(a.field, b.field, dst.field, use_b, i));
    record(x);
  }

  void send() {
    const uint32_t consumer = 1 + below(3);
    const bool loopback = chance(3) && loop_token_role_[consumer];
    const uint32_t len = chance(8) ? 0 : 1 + below(chance(4) ? 400 : 70);
    Operand src, dst;
    if (!operand(16, {0, len}, false, &src) || !operand(16, {0, len}, false, &dst)) return;
    if (loopback && dst.ea.meets(src.ea)) return;
    Access a;
    a.engine = kNet;
    if (len != 0) a.reads = {src.ea};
    Access w;
    w.engine = kLoopback;
    if (loopback && len != 0) w.writes = {dst.ea};
    order(a, kNet);
    order(w, kNet);
    const bool token_en = loopback || len == 0 || chance(2);
    emit(isa::send::make(src.field, loopback ? 0 : isa::kHostTile, dst.field, len, token_en,
                         loopback ? token(kSeq, consumer) : below(16)));
    record(a);
    if (!loopback) return;
    record(w);
    emit(isa::wait::make(consumer, token(kSeq, consumer), 1));
    known_[kLoopback][consumer] = issued_[kLoopback];
    // The SEND itself has read its data when they arrive.
    known_[kNet][consumer] = std::max(known_[kNet][consumer], issued_[kNet]);
    learn(consumer, consumer);
  }

  // --- Structure
  void nest() {
    const uint32_t depth = below(isa::kLoopDepth + 1);
    std::vector<uint32_t> counts(depth);
    for (uint32_t& c : counts) c = 1 + below(3);
    agus(counts);
    level(counts, 0, 1);
  }

  void level(const std::vector<uint32_t>& counts, uint32_t d, uint32_t iterations) {
    if (d == counts.size()) {
      const uint32_t n = 1 + below(6);
      for (uint32_t i = 0; i < n; ++i) operation(iterations, d);
      return;
    }
    iterations *= counts[d];
    const size_t first_access = history_.size();
    const bool scalar = chance(3);
    const uint32_t s = 4 * below(2) + below(3);  // not 7: the inbox writes it
    if (scalar) setr(cfg::kScalarBase + s, counts[d] | (chance(2) ? 0xABCD0000u : 0));
    const uint32_t at = emit(0);
    const uint32_t before = d + 1 == counts.size() ? 1 + below(5) : below(3);
    for (uint32_t i = 0; i < before; ++i) operation(iterations, d + 1);
    if (d + 1 < counts.size()) level(counts, d + 1, iterations);
    const uint32_t after = below(3);
    for (uint32_t i = 0; i < after; ++i) operation(iterations, d + 1);
    bool carried = false;  // does an iteration depend on the one before?
    for (size_t i = first_access; i < history_.size(); ++i)
      for (size_t j = first_access; j < history_.size(); ++j) carried |= conflict(history_[i], history_[j]);
    if (carried)
      barrier();
    else if (chance(5))
      emit(isa::nop::make());
    if (code_.size() == at + 1) emit(isa::nop::make());
    const uint64_t len = code_.size() - at - 1;
    code_[at] = isa::loop::make(scalar, s, len, scalar ? below(65536) : counts[d]);
  }

  /// The shape of a compiled layer: MVM -> VEC -> SEND over two buffers each, handed on and back by tokens.
  void pipeline() {
    const uint32_t slot = below(isa::kNumMvmCfg), n = 2 + below(6);
    const MvmSlot& s = mvm_[slot];
    const int64_t psum = (s.psum_bytes + 31) / 32 * 32, out = (s.psums + 31) / 32 * 32;
    const int64_t input = s.bytes.hi - std::min<int64_t>(0, s.bytes.lo) + 16 * n;
    if (phases_ + n * s.phases > o_.max_phases || input + 2 * psum + 2 * out + 64 > arena_.hi - arena_.lo)
      return nest();
    phases_ += n * s.phases;
    barrier();
    const uint32_t vslot = below(isa::kNumVecCfg);
    vec_slot(vslot, false, s.psums, true);
    const int64_t psum_at = (arena_.lo + 31) / 32 * 32, out_at = psum_at + 2 * psum;
    const int64_t in_at = out_at + 2 * out - std::min<int64_t>(0, s.bytes.lo);
    struct Setting {
      int64_t addr, inc, base, len;
    };
    const Setting settings[] = {{in_at, 16, 0, 0},
                                {psum_at, psum, psum_at, 2 * psum},
                                {out_at, out, out_at, 2 * out},
                                {64, 16 * between(1, 20), 0, 0}};
    for (uint32_t i = 0; i < 4; ++i) {
      set_agu(i, cfg::agu::addr.word, settings[i].addr);
      set_agu(i, cfg::agu::inc0.word, settings[i].inc);
      set_agu(i, cfg::agu::wrap_base.word, settings[i].base);
      set_agu(i, cfg::agu::wrap_len.word, settings[i].len);
    }
    const uint32_t psum_free = token(kVec, kMvm), psum_full = token(kMvm, kVec), out_free = token(kNet, kVec),
                   out_full = token(kVec, kNet);
    emit(isa::signal::make(kSeq, psum_free, 2));
    emit(isa::signal::make(kSeq, out_free, 2));
    const uint32_t at = emit(0);
    emit(isa::wait::make(kMvm, psum_free, 1));
    emit(isa::mvm::make(isa::operand(0, 0), isa::operand(1, 0), slot));
    emit(isa::signal::make(kMvm, psum_full, 1));
    emit(isa::wait::make(kVec, psum_full, 1));
    emit(isa::wait::make(kVec, out_free, 1));
    emit(isa::vec::make(isa::operand(1, 0), 0, isa::operand(2, 0), 0, vslot));
    emit(isa::signal::make(kVec, psum_free, 1));
    emit(isa::signal::make(kVec, out_full, 1));
    emit(isa::wait::make(kNet, out_full, 1));
    emit(isa::send::make(isa::operand(2, 0), isa::kHostTile, isa::operand(3, 0), s.psums, 1, below(16)));
    emit(isa::signal::make(kNet, out_free, 1));
    code_[at] = isa::loop::make(0, 0, code_.size() - at - 1, n);
    emit(isa::wait::make(kMvm, psum_free, 2));
    emit(isa::wait::make(kVec, out_free, 2));
    for (uint32_t e = kMvm; e < kEngines; ++e) ++issued_[e];
    barrier();
  }

  /// What was emitted last saturates: OVERFLOW, while the sequencer waits for ever.
  void overflows() {
    p_.fault = isa::Fault::kOverflow;
    p_.fault_pc = static_cast<int32_t>(emit(isa::wait::make(kSeq, token(kNet, kSeq), 1)));
  }

  /// Flits to memory that the program does not touch, anywhere among the others.
  void add_traffic() {
    for (uint32_t i = 0; i < o_.traffic; ++i) {
      golden::Flit f;
      f.addr = static_cast<uint32_t>(traffic_) + 16 * below(kTrafficBytes / 16);
      f.strb = static_cast<uint16_t>(chance(2) ? 0xFFFF : rng_());
      for (uint8_t& b : f.data) b = static_cast<uint8_t>(rng_());
      p_.flits.insert(p_.flits.begin() + below(static_cast<uint32_t>(p_.flits.size()) + 1), f);
    }
  }

  /// Everything done, then one thing wrong.
  void break_it() {
    barrier();
    set_agu(3, cfg::agu::wrap_len.word, 0);
    set_agu(4, cfg::agu::wrap_len.word, 0);
    set_agu(4, cfg::agu::addr.word, (arena_.lo + 31) / 32 * 32);  // a4: a good address
    const uint64_t good = isa::operand(4, 0), bad = isa::operand(3, 0);
    const auto fails = [this](isa::Fault f, uint64_t w) {
      p_.fault = f;
      p_.fault_pc = static_cast<int32_t>(emit(w));
    };
    mvm_slot(0, false);
    vec_slot(0, false);
    const uint32_t outside = g_.sram_bytes - 32;
    switch (below(o_.traps ? 24 : 15)) {
      case 0: fails(isa::Fault::kIllegalInstr, isa::kOpcode.put(12 + below(52)) | below(1u << 30)); break;
      case 1: fails(isa::Fault::kIllegalInstr, isa::kOpcode.put(6 + below(2))); break;
      case 2: fails(isa::Fault::kIllegalInstr, isa::wait::make(below(4), below(16), 0)); break;
      case 3: {  // outside the mesh
        const uint32_t tile = g_.tiles() + below(127 - g_.tiles());
        fails(isa::Fault::kIllegalInstr, isa::send::make(good, tile + (tile >= isa::kHostTile), good, 4, 0, 0));
        break;
      }
      case 4:
        set_agu(3, cfg::agu::addr.word, arena_.lo / 32 * 32 + 48);
        fails(isa::Fault::kAddress, isa::mvm::make(good, bad, 0));
        break;
      case 5:
        vec_slot(0, false, 16);
        set_agu(3, cfg::agu::addr.word, outside);
        fails(isa::Fault::kAddress,
              chance(2) ? isa::vec::make(bad, good, good, 0, 0) : isa::vec::make(good, bad, good, 1, 0));
        break;
      case 6:
        set_agu(3, cfg::agu::addr.word, chance(2) ? outside + 24 : outside + 16);
        fails(isa::Fault::kAddress, isa::send::make(bad, isa::kHostTile, good, 17, 0, 0));
        break;
      case 7:
        set_agu(3, cfg::agu::addr.word, chance(2) ? 1 << 23 : -32);
        fails(isa::Fault::kAddress, isa::send::make(good, isa::kHostTile, bad, 16, 0, 0));
        break;
      case 8: fails(isa::Fault::kAddress, isa::setr::make(0x400 + below(0xFC00), 0)); break;
      case 9:
        if (chance(2)) {
          fails(isa::Fault::kLoop, isa::loop::make(0, 0, 0, below(3)));
        } else {
          for (uint32_t i = 0; i < 4; ++i) emit(isa::loop::make(0, 0, 10 - i, 2));
          fails(isa::Fault::kLoop, isa::loop::make(0, 0, 2, 1));
        }
        break;
      case 10:
        emit(isa::loop::make(0, 0, 3, 2));
        fails(isa::Fault::kLoop, isa::loop::make(0, 0, 3, below(2)));
        break;
      case 11:
        emit(isa::signal::make(kSeq, token(kMvm, kSeq), 255));
        emit(isa::signal::make(kSeq, token(kMvm, kSeq), 1 + below(255)));
        fails(isa::Fault::kTokenOverflow, isa::wait::make(kSeq, token(kSeq, kSeq), 1));  // the first one not issued
        break;
      case 12: {
        const uint32_t word = cfg::kMvmcfgBase + cfg::mvmcfg::adc_bits.word;
        const uint32_t bits = chance(2) ? below(4) : 9 + below(7);
        setr(word,
             static_cast<uint32_t>((shadow_[word] & ~cfg::mvmcfg::adc_bits.put(15)) | cfg::mvmcfg::adc_bits.put(bits)));
        fails(isa::Fault::kConfig, isa::mvm::make(good, good, 0));
        break;
      }
      case 13:
        if (chance(2))
          setr(cfg::kVeccfgBase, 1 << 16);
        else
          setr(cfg::kVeccfgBase + cfg::veccfg::shift.word, 63);
        fails(isa::Fault::kConfig, isa::vec::make(good, good, good, 0, 0));
        break;
      case 15: {  // a PROG that cannot be
        uint64_t f[] = {good, good, good};
        set_agu(3, cfg::agu::addr.word, chance(2) ? arena_.lo / 32 * 32 + 48 : g_.sram_bytes);
        set_agu(kRowAgu, cfg::agu::wrap_len.word, 0);
        prog_settings(false);
        const uint32_t which = below(4);
        if (which < 3) f[which] = bad;
        set_agu(kRowAgu, cfg::agu::addr.word, which == 3 ? (chance(2) ? g_.rows + below(9) : -1) : below(g_.rows));
        fails(isa::Fault::kAddress, isa::prog::make(f[0], f[1], f[2], kRowAgu, 0));
        break;
      }
      case 16: {
        prog_settings(false);
        constexpr isa::Field kZero[] = {cfg::prog::limit, cfg::prog::pulse, cfg::prog::verify_x};
        const isa::Field& f = kZero[below(3)];
        const uint32_t word = cfg::kProgBase + f.word;
        setr(word, static_cast<uint32_t>(shadow_[word] & ~f.put(f.mask())));
        fails(isa::Fault::kConfig, isa::prog::make(good, good, good, kRowAgu, 0));
        break;
      }
      case 17: {  // a spare or a block that does not exist
        const bool lane = g_.spares < cfg::kRepairCount && chance(2);
        const uint32_t spare = lane ? g_.spares + below(cfg::kRepairCount - g_.spares) : below(g_.spares);
        const uint32_t block = lane ? below(g_.mux()) : g_.mux() + below(64 - g_.mux());
        fails(isa::Fault::kConfig,
              isa::setr::make(cfg::kRepairBase + spare, cfg::repair::en.put(1) | cfg::repair::block.put(block)));
        break;
      }
      case 18: {  // deadlocks: a token that never comes, on any engine, with a full queue behind it or none
        p_.fault = isa::Fault::kWatchdog;
        const uint32_t engine = below(4), more = chance(2) ? below(4) : 20;
        const uint32_t room = engine == kVec ? 16 : 8;  // of the queue behind the WAIT
        const uint32_t at = emit(isa::wait::make(engine, token(kNet, kSeq), 1 + below(255)));
        for (uint32_t i = 0; i < more; ++i) emit(isa::signal::make(engine, token(kMvm, kSeq), 1));
        const uint32_t issued = engine == kSeq ? 0 : more > room ? 1 + room : 1 + more + kTail;
        p_.fault_pc = static_cast<int32_t>(at + issued);
        break;
      }
      case 19: {  // two engines wait for each other
        p_.fault = isa::Fault::kWatchdog;
        emit(isa::wait::make(kMvm, token(kVec, kMvm), 1));
        emit(isa::signal::make(kMvm, token(kMvm, kVec), 1));
        emit(isa::wait::make(kVec, token(kMvm, kVec), 1));
        emit(isa::signal::make(kVec, token(kVec, kMvm), 1));
        emit(isa::wait::make(kSeq, token(kNet, kSeq), 1));
        p_.fault_pc = static_cast<int32_t>(code_.size() - 1);
        break;
      }
      case 20: {  // 2^31 - 1 twice, from behind the program
        setr(cfg::kTrapBase, shadow_[cfg::kTrapBase] | static_cast<uint32_t>(cfg::trap::overflow.put(1)));
        vec_slot(0, false, 8);
        const uint32_t at = (program_base_ + kProgramBytes) / 32 * 32 - 32;
        const int32_t most = INT32_MAX;
        for (uint32_t i = 0; i < 8; ++i) std::memcpy(&p_.sram[at + 4 * i], &most, 4);
        set_agu(3, cfg::agu::addr.word, at);
        emit(isa::vec::make(bad, bad, good, 1, 0));
        overflows();
        break;
      }
      case 21: {  // psums: pads of 0, gain 0, the largest offset times 8 x 127 shifts and 85 for four weight slices
        namespace m = cfg::mvmcfg;
        setr(cfg::kTrapBase, shadow_[cfg::kTrapBase] | static_cast<uint32_t>(cfg::trap::overflow.put(1)));
        const uint32_t word = cfg::kMvmcfgBase;
        const auto put = [](isa::Field x, uint64_t v) { return static_cast<uint32_t>(x.put(v)); };
        const uint32_t offset = chance(2) ? 32767 : 32768;
        for (uint32_t c = 0; c < g_.lanes; ++c)
          setr(cfg::kCalBase + c, static_cast<uint32_t>(cfg::cal::offset.put(offset)));
        setr(word + m::k.word, put(m::k, 32));
        setr(word + m::seg_len.word, put(m::seg_len, 32) | put(m::n_seg, 1));
        setr(word + m::pad_top.word, put(m::pad_top, 1));
        setr(word + m::pad_value.word,
             put(m::in_slice, 3) | put(m::w_slices, 2) | put(m::adc_bits, 8) | put(m::range, 9));
        setr(word + m::group_rows.word, put(m::group_rows, 4) | put(m::mux_count, 1));
        emit(isa::mvm::make(good, good, 0));
        overflows();
        break;
      }
      case 22: {  // a flit that the tile must refuse, at any time
        golden::Flit f;
        for (uint8_t& b : f.data) b = 0xFF;
        f.strb = 0xFFFF;
        p_.fault = isa::Fault::kAddress;
        switch (below(4)) {
          case 0: f.addr = g_.sram_bytes + 16 * below(1000); break;
          case 1: f.addr = 8 + 16 * below(100); break;
          case 2: f.addr = cfg::noc_addr(0x400 + 4 * below(1000)); break;
          default: f.addr = cfg::noc_addr(cfg::kRepairBase); p_.fault = isa::Fault::kConfig;
        }
        p_.flits.push_back(f);
        p_.compare_state = p_.may_overflow = false;  // or both causes could come first
        for (auto& [word, value] : p_.config)
          if (word == cfg::kTrapBase) value &= ~static_cast<uint32_t>(cfg::trap::overflow.put(1));
        emit(isa::wait::make(kSeq, token(kNet, kSeq), 1));
        break;
      }
      case 23: {  // too many tokens from an engine
        emit(isa::signal::make(kVec, token(kMvm, kSeq), 255));
        emit(isa::signal::make(kVec, token(kMvm, kSeq), 255));
        p_.fault_pc = static_cast<int32_t>(emit(isa::wait::make(kSeq, token(kNet, kSeq), 1)));
        p_.fault = isa::Fault::kTokenOverflow;
        break;
      }
      default: {  // a segment outside the SRAM, seen while it is read
        namespace m = cfg::mvmcfg;
        const uint32_t word = cfg::kMvmcfgBase;
        setr(word + m::pad_top.word, 0);
        setr(word + m::seg_stride.word, g_.sram_bytes);
        setr(word + m::k.word, static_cast<uint32_t>(m::k.put(8)));
        setr(word + m::seg_len.word, static_cast<uint32_t>(m::seg_len.put(4) | m::n_seg.put(2)));
        setr(word + m::group_rows.word, static_cast<uint32_t>(m::group_rows.put(8) | m::mux_count.put(1)));
        emit(isa::mvm::make(good, good, 0));
        emit(isa::wait::make(kSeq, token(kSeq, kSeq), 1));
        p_.fault = isa::Fault::kAddress;
      }
    }
    for (uint32_t i = 0; i < kTail; ++i) emit(isa::nop::make());
    emit(isa::halt::make());
  }

  const RandomOptions& o_;
  const Geometry g_;
  std::mt19937_64 rng_;
  RandomProgram p_;
  std::vector<uint64_t> code_;
  std::array<uint32_t, 0x400> shadow_{};
  uint32_t program_base_ = 0, inbox_tokens_ = 0, phases_ = 0, limit_ = 1;
  int64_t traffic_ = 0;
  Span inbox_, arena_;
  bool inbox_open_ = false;
  std::array<bool, kEngines> loop_token_role_{};  // token c: loopback, else SIGNALs of the sequencer
  std::array<Agu, isa::kNumAgu> agu_;
  std::array<MvmSlot, isa::kNumMvmCfg> mvm_;
  std::array<VecSlot, isa::kNumVecCfg> vec_;
  std::array<uint32_t, kProducers> issued_{};
  std::array<std::array<uint32_t, kEngines>, kProducers> known_{};
  std::vector<Access> history_;
};

}  // namespace

std::string RandomProgram::listing() const {
  std::vector<uint64_t> words(instructions);
  std::memcpy(words.data(), &sram[pc * 8u], words.size() * 8);
  return golden::disassemble(words.data(), instructions, pc);
}

RandomProgram random_program(uint64_t seed, const RandomOptions& options) { return Generator(seed, options).run(); }

}  // namespace ohmac::tb
