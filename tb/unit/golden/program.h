// SPDX-License-Identifier: Apache-2.0
// Small helpers to write tile programs in tests.
#pragma once
#include <cstring>
#include <initializer_list>
#include <vector>

#include "models/golden/golden_tile.h"

namespace ohmac::test {

namespace cfg = isa::cfg;
using golden::GoldenTile;

inline Macro ideal_macro(const Geometry& g, uint32_t tile = 0) {
  MacroConfig c;
  c.geometry = g;
  c.tile = tile;
  c.effects = EffectSet::none();
  return Macro(c);
}

constexpr uint32_t kSeq = 0, kMvm = 1, kVec = 2, kNet = 3;

/// Fields of an MVM slot, with the defaults of a plain one-group, one-slice operation.
struct Slot {
  uint32_t k = 4, row_base = 0, seg_len = 0, n_seg = 1;
  int32_t seg_stride = 0;
  uint32_t top = 0, bottom = 0, left = 0, right = 0;
  int32_t pad_value = 0;
  uint32_t in_slice = 0, w_slices = 0, adc_bits = 8, range = 0, group_rows = 1020, mux_first = 0, mux_count = 1;
};

inline void set_slot(GoldenTile& t, uint32_t i, Slot s) {
  namespace m = cfg::mvmcfg;
  if (s.seg_len == 0) s.seg_len = s.k / s.n_seg;
  const uint32_t w = cfg::kMvmcfgBase + i * cfg::kMvmcfgStride;
  const auto put = [](isa::Field f, int64_t v) { return static_cast<uint32_t>(f.put(static_cast<uint64_t>(v))); };
  t.write_config(w, put(m::k, s.k) | put(m::row_base, s.row_base));
  t.write_config(w + 1, put(m::seg_len, s.seg_len) | put(m::n_seg, s.n_seg));
  t.write_config(w + 2, put(m::seg_stride, s.seg_stride));
  t.write_config(w + 3, put(m::pad_top, s.top) | put(m::pad_bottom, s.bottom) | put(m::pad_left, s.left) |
                            put(m::pad_right, s.right));
  t.write_config(w + 4, put(m::pad_value, s.pad_value) | put(m::in_slice, s.in_slice) | put(m::w_slices, s.w_slices) |
                            put(m::adc_bits, s.adc_bits) | put(m::range, s.range));
  t.write_config(w + 5,
                 put(m::group_rows, s.group_rows) | put(m::mux_first, s.mux_first) | put(m::mux_count, s.mux_count));
}

inline void set_vec(GoldenTile& t, uint32_t i, uint32_t len, bool requant, bool relu, uint32_t mult = 1,
                    uint32_t shift = 0) {
  namespace v = cfg::veccfg;
  const uint32_t w = cfg::kVeccfgBase + i * cfg::kVeccfgStride;
  t.write_config(w, static_cast<uint32_t>(v::len.put(len) | v::requant.put(requant) | v::relu.put(relu)));
  t.write_config(w + 1, mult);
  t.write_config(w + 2, shift);
}

inline void set_agu(GoldenTile& t, uint32_t i, int32_t addr, std::initializer_list<int32_t> inc = {},
                    int32_t wrap_base = 0, uint32_t wrap_len = 0) {
  const uint32_t w = cfg::kAguBase + i * cfg::kAguStride;
  t.write_config(w, static_cast<uint32_t>(addr));
  uint32_t d = 1;
  for (const int32_t v : inc) t.write_config(w + d++, static_cast<uint32_t>(v));
  t.write_config(w + 5, static_cast<uint32_t>(wrap_base));
  t.write_config(w + 6, wrap_len);
}

/// Gain 1, offset 0 everywhere.
inline void unit_calibration(GoldenTile& t, uint32_t cols) {
  for (uint32_t c = 0; c < cols; ++c) t.write_config(cfg::kCalBase + c, 1u << isa::kGainFracBits);
}

inline void load(GoldenTile& t, uint32_t pc, const std::vector<uint64_t>& code) {
  std::memcpy(t.sram() + 8 * pc, code.data(), 8 * code.size());
}

template <class T>
T peek(const GoldenTile& t, uint32_t addr) {
  T v;
  std::memcpy(&v, t.sram() + addr, sizeof v);
  return v;
}
template <class T>
void poke(GoldenTile& t, uint32_t addr, T v) {
  std::memcpy(t.sram() + addr, &v, sizeof v);
}

inline uint64_t op(uint32_t agu, uint32_t offset16 = 0) { return isa::operand(agu, offset16); }

}  // namespace ohmac::test
