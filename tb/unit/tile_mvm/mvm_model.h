// SPDX-License-Identifier: Apache-2.0
// The MVM engine in plain C++, written from rtl/tile/README.md: what an operation reads, drives, converts, writes and
// counts. Also packs the structs of ohmac_pkg.sv into Verilator ports. Everything here is exact integer arithmetic.
#pragma once
#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace ohmac::tb {

struct Cfg {
  unsigned k = 1, row_base = 0, seg_len = 1, n_seg = 1;
  int32_t seg_stride = 0;
  unsigned pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int8_t pad_value = 0;
  unsigned in_slice = 0, w_slices = 0, adc_bits = 8, range = 8, group_rows = 4, mux_first = 0, mux_count = 1;

  unsigned slice_bits() const { return (const unsigned[]){7, 4, 2, 1}[in_slice]; }
  unsigned slices() const { return (const unsigned[]){1, 2, 4, 7}[in_slice]; }
  unsigned groups() const { return (k + group_rows - 1) / group_rows; }
  unsigned phases() const { return groups() * slices(); }
};

struct Item {
  enum Kind { kOp = 0, kWait = 1, kSignal = 2 } kind = kOp;
  unsigned token = 0, count = 0, cfg = 0;
  int32_t src = 0, wrap_base = 0, wrap_len = 0;  ///< PROG: wrap_base = fail, wrap_len = row
  uint32_t dst = 0;
  bool prog = false;
};

/// Appends bit fields, most significant first as in a packed struct, to a Verilator wide port.
class Packer {
 public:
  explicit Packer(unsigned width) : bits_(width), at_(width) {}
  Packer& put(uint64_t value, unsigned width) {
    for (unsigned i = width; i-- > 0;) bits_[--at_] = (value >> i) & 1;
    return *this;
  }
  template <class Wide>
  void to(Wide& port) const {
    for (unsigned i = 0; i < bits_.size(); ++i) {
      const uint32_t mask = 1u << (i % 32);
      port[i / 32] = bits_[i] ? port[i / 32] | mask : port[i / 32] & ~mask;
    }
  }
  bool full() const { return at_ == 0; }

 private:
  std::vector<bool> bits_;
  unsigned at_;
};

constexpr unsigned kCfgBits = 138, kItemBits = 113, kCfgSlots = 4;

template <class Wide>
void pack_cfgs(const std::vector<Cfg>& slots, Wide& port) {
  Packer p(kCfgBits * kCfgSlots);
  for (unsigned i = kCfgSlots; i-- > 0;) {
    const Cfg c = i < slots.size() ? slots[i] : Cfg{};
    p.put(c.k, 10).put(c.row_base, 10).put(c.seg_len, 12).put(c.n_seg, 8).put(static_cast<uint32_t>(c.seg_stride), 24);
    p.put(c.pad_top, 8)
        .put(c.pad_bottom, 8)
        .put(c.pad_left, 8)
        .put(c.pad_right, 8)
        .put(static_cast<uint8_t>(c.pad_value), 8);
    p.put(c.in_slice, 2).put(c.w_slices, 2).put(c.adc_bits, 4).put(c.range, 4).put(c.group_rows, 10);
    p.put(c.mux_first, 6).put(c.mux_count, 6);
  }
  p.to(port);
}

template <class Wide>
void pack_item(const Item& i, Wide& port) {
  Packer p(kItemBits);
  p.put(i.kind, 2).put(i.token, 4).put(i.count, 8).put(i.prog, 1).put(static_cast<uint32_t>(i.src), 24);
  p.put(static_cast<uint32_t>(i.wrap_base), 24).put(static_cast<uint32_t>(i.wrap_len), 24).put(i.dst, 24).put(i.cfg, 2);
  p.to(port);
}

/// The events of mvm_events_t, summed.
struct Events {
  uint64_t mvm_op = 0, drive = 0, conversion = 0, trial = 0, clips = 0, row_word = 0, sats = 0, sram_rd = 0,
           sram_wr = 0, adc_busy = 0, prog_read = 0, pulses = 0, prog_fails = 0;
  static constexpr unsigned kAdcBusyBit = 21, kMvmOpBit = 44;
  void add(uint64_t port) {
    auto take = [&port](unsigned width) {
      const uint64_t v = port & ((uint64_t{1} << width) - 1);
      port >>= width;
      return v;
    };
    prog_fails += take(10);
    pulses += take(10);
    prog_read += take(1);
    adc_busy += take(1);
    sram_wr += take(1);
    sram_rd += take(1);
    sats += take(8);
    row_word += take(1);
    clips += take(8);
    trial += take(1);
    conversion += take(1);
    drive += take(1);
    mvm_op += take(1);
  }
  std::vector<uint64_t> list() const {
    return {mvm_op,  drive,   conversion, trial,     clips,  row_word,  sats,
            sram_rd, sram_wr, adc_busy,   prog_read, pulses, prog_fails};
  }
};

/// What an operation reads.
struct Fetched {
  std::vector<int8_t> v;
  unsigned lines = 0;  ///< SRAM line reads
  bool out_of_range = false;
};

inline Fetched fetch(const Cfg& c, const Item& it, const std::vector<uint8_t>& sram) {
  Fetched f;
  int64_t last_line = -1;
  for (unsigned seg = 0; seg < c.n_seg; ++seg) {
    for (unsigned i = 0; i < c.seg_len; ++i) {
      if (seg < c.pad_top || seg + c.pad_bottom >= c.n_seg || i < c.pad_left || i + c.pad_right >= c.seg_len) {
        f.v.push_back(c.pad_value);
        continue;
      }
      int64_t a = int64_t{it.src} + int64_t{seg} * c.seg_stride + i;
      if (it.wrap_len != 0) {
        if (a >= int64_t{it.wrap_base} + it.wrap_len)
          a -= it.wrap_len;
        else if (a < it.wrap_base)
          a += it.wrap_len;
      }
      if (a < 0 || a >= static_cast<int64_t>(sram.size())) {
        f.out_of_range = true;
        f.v.push_back(0);
        continue;
      }
      if (a / 32 != last_line) ++f.lines;
      last_line = a / 32;
      f.v.push_back(static_cast<int8_t>(sram[static_cast<size_t>(a)]));
    }
  }
  return f;
}

/// Latch byte {sign, magnitude} of one slice of a value.
inline uint8_t slice_byte(int8_t v, unsigned bits, unsigned index) {
  const int mag = std::min(v < 0 ? -int{v} : int{v}, 127);
  const int s = mag / (1 << (bits * index)) % (1 << bits);
  return static_cast<uint8_t>((v < 0 ? 128 : 0) + s * (1 << (7 - bits)));
}

inline int32_t latch_value(uint8_t b) { return (b & 0x80) ? -int32_t(b & 0x7f) : int32_t(b & 0x7f); }

inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// code = clamp(floor(s / step + 1/2))
inline int32_t adc_code(int64_t s, unsigned range, unsigned bits) {
  const int64_t step = int64_t{1} << range;
  const int64_t half = int64_t{1} << (bits - 1);
  return static_cast<int32_t>(std::clamp<int64_t>(floor_div(2 * s + step, 2 * step), -half, half - 1));
}

template <class T>
inline T saturate(T x, unsigned bits, uint64_t& count) {
  const T hi = (T{1} << (bits - 1)) - 1, lo = -hi - 1;
  if (x < lo || x > hi) ++count;
  return std::clamp(x, lo, hi);
}

struct Cal {
  uint16_t gain = 1 << 14;
  int16_t offset = 0;
};

/// Psums of `acc` (columns in order from MUX_FIRST * Lanes), with `shift_sum` the sum of 2^shift over the phases.
inline std::vector<int32_t> post(const Cfg& c, const std::vector<int32_t>& acc, const std::vector<Cal>& cal,
                                 unsigned lanes, int64_t shift_sum, uint64_t& sats) {
  const unsigned per_weight = 1u << c.w_slices;
  const unsigned slice_shift = (const unsigned[]){7, 4, 2}[c.w_slices];
  std::vector<int32_t> psums;
  for (unsigned n = 0; n < c.mux_count * lanes / per_weight; ++n) {
    int64_t sum = 0;
    for (unsigned s = 0; s < per_weight; ++s) {
      const unsigned col = n * per_weight + s;
      const Cal& k = cal[c.mux_first * lanes + col];
      const int64_t corrected = floor_div(int64_t{acc[col]} * k.gain + 32, 64) + int64_t{k.offset} * shift_sum;
      sum += corrected * (int64_t{1} << (s * slice_shift));
    }
    psums.push_back(static_cast<int32_t>(saturate<int64_t>(sum, 32, sats)));
  }
  return psums;
}

/// One phase as the macro must see it.
struct Phase {
  std::vector<uint8_t> latch;  ///< Rows + 1 bytes
  unsigned shift = 0, words = 0, cfg = 0;
};

inline std::vector<Phase> phases(const Cfg& c, const std::vector<int8_t>& v, unsigned rows, unsigned slot) {
  std::vector<Phase> list;
  for (unsigned g = 0; g < c.groups(); ++g) {
    const unsigned first = g * c.group_rows, end = std::min(c.k, first + c.group_rows);
    for (unsigned i = 0; i < c.slices(); ++i) {
      Phase p;
      p.latch.assign(rows + 1, 0);
      for (unsigned k = first; k < end; ++k) {
        if (c.row_base + k <= rows) p.latch[c.row_base + k] = slice_byte(v[k], c.slice_bits(), i);
      }
      p.shift = i * c.slice_bits();
      p.words = (end - first + 3) / 4;
      p.cfg = slot;
      list.push_back(p);
    }
  }
  return list;
}

}  // namespace ohmac::tb
