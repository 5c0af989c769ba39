// SPDX-License-Identifier: Apache-2.0
// Tile programs that the driver makes at run time (calibration, programming, reference response).
#pragma once
#include <stdint.h>
#include <string.h>

#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac {

/// Writes instructions one after another; what does not fit is counted, not written.
class Assembler {
 public:
  /// @param at        first instruction, any alignment
  /// @param capacity  instructions that fit
  Assembler(uint8_t* at, uint32_t capacity) : at_(at), capacity_(capacity) {}
  bool fits() const { return count_ <= capacity_; }

  void emit(uint64_t instr) {
    if (count_ < capacity_) memcpy(at_ + 8 * count_, &instr, 8);
    ++count_;
  }
  void setr(uint32_t word, uint64_t value) { emit(isa::setr::make(word, value)); }
  void wait(isa::Engine e, uint32_t token, uint32_t n) { emit(isa::wait::make(static_cast<uint64_t>(e), token, n)); }
  void signal(isa::Engine e, uint32_t token, uint32_t n) {
    emit(isa::signal::make(static_cast<uint64_t>(e), token, n));
  }
  void loop(uint32_t len, uint32_t count) { emit(isa::loop::make(0, 0, len, count)); }
  /// A token without data, to the same address on another tile or on the host. `agu` must hold a legal address.
  void send_token(uint32_t tile, uint32_t agu, uint32_t token) {
    emit(isa::send::make(isa::operand(agu, 0), tile, isa::operand(agu, 0), 0, 1, token));
  }
  void halt() { emit(isa::halt::make()); }

  /// Address generator: increments at depth 0..2; wrap_len 0: no window, else the window starts at `addr`.
  void agu(uint32_t i, uint32_t addr, uint32_t inc0, uint32_t inc1, uint32_t inc2, uint32_t wrap_len) {
    const uint32_t words[7] = {addr, inc0, inc1, inc2, 0, wrap_len != 0 ? addr : 0, wrap_len};
    const uint32_t base = isa::cfg::kAguBase + i * isa::cfg::kAguStride;
    for (uint32_t w = 0; w < 7; ++w) setr(base + w, words[w]);
  }
  /// MVM slot: k rows from row_base in one group, 7-bit inputs, one column a weight, no padding.
  void mvm_slot(uint32_t slot, uint32_t row_base, uint32_t k, uint32_t adc_bits, uint32_t range, uint32_t mux_first,
                uint32_t mux_count) {
    namespace f = isa::cfg::mvmcfg;
    const uint32_t base = isa::cfg::kMvmcfgBase + slot * isa::cfg::kMvmcfgStride;
    setr(base + 0, f::k.put(k) | f::row_base.put(row_base));
    setr(base + 1, f::seg_len.put(k) | f::n_seg.put(1));
    setr(base + 2, f::seg_stride.put(0));
    setr(base + 3, 0);  // no padding
    setr(base + 4, f::in_slice.put(0) | f::w_slices.put(0) | f::adc_bits.put(adc_bits) | f::range.put(range));
    setr(base + 5, f::group_rows.put((k + 3) / 4 * 4) | f::mux_first.put(mux_first) | f::mux_count.put(mux_count));
  }

 private:
  uint8_t* at_;
  uint32_t capacity_, count_ = 0;
};

}  // namespace ohmac
