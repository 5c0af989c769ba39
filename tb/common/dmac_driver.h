// SPDX-License-Identifier: Apache-2.0
// Drives a Verilated ohmac_dmac: loads weights, offers activations, collects results. rtl/baseline/README.md has
// the ports.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <vector>

#include "tb/common/clocked.h"
#include "tb/unit/tile/bits.h"

namespace ohmac::tb {

/// Parameters of the module.
struct DmacShape {
  unsigned rows, cols, weight_bits, act_bits;

  unsigned slice_rows() const { return 128 / (4 * weight_bits); }
  unsigned slices() const { return rows / slice_rows(); }
  unsigned line_rows() const { return 256 / act_bits; }
  unsigned sum_bits() const {
    unsigned log2_rows = 0;
    while (1u << log2_rows < rows) ++log2_rows;
    return weight_bits + act_bits + log2_rows;
  }
  unsigned mvm_cycles() const { return mvm_cycles(cols); }
  static unsigned mvm_cycles(unsigned columns) { return columns / 4 + 1; }
};

/// `Clock`: Clocked, or a class like it that records.
template <class Dut, class Clock = Clocked<Dut>>
class DmacDriver {
 public:
  explicit DmacDriver(const DmacShape& shape, const std::function<void(VerilatedContext&)>& setup = {})
      : dut(setup), shape_(shape) {
    dut->w_valid_i = 0;
    dut->act_valid_i = 0;
    dut->sum_ready_i = 0;
    use_columns(shape.cols);
    dut.reset();
  }

  /// Columns of the next MVMs, a multiple of 8; the core must be idle.
  void use_columns(unsigned columns) { dut->last_word_i = static_cast<uint8_t>(columns / 4 - 1); }

  /// Offers 4 columns of a slice on the weight port; `weights` [rows][cols].
  void offer_word(const std::vector<int>& weights, unsigned slice, unsigned word) {
    const unsigned k = shape_.slice_rows(), bits = shape_.weight_bits;
    for (unsigned c = 0; c < 4; ++c) {
      for (unsigned r = 0; r < k; ++r) {
        const int w = weights[(slice * k + r) * shape_.cols + 4 * word + c];
        set_bits(dut->w_data_i, (c * k + r) * bits, bits, static_cast<uint64_t>(w));
      }
    }
    dut->w_slice_i = static_cast<uint8_t>(slice);
    dut->w_word_i = static_cast<uint8_t>(word);
    dut->w_valid_i = 1;
  }
  /// Loads all weights; the core must be idle.
  void load(const std::vector<int>& weights) {
    for (unsigned s = 0; s < shape_.slices(); ++s) {
      for (unsigned word = 0; word < shape_.cols / 4; ++word) {
        offer_word(weights, s, word);
        dut.settle();
        if (!dut->w_ready_o) throw std::runtime_error("ohmac_dmac takes no weights though it is idle");
        dut.tick();
      }
    }
    dut->w_valid_i = 0;
  }

  /// Queues one vector of activations.
  void offer(const std::vector<int>& acts) {
    for (unsigned r = 0; r < shape_.rows; r += shape_.line_rows())
      lines_.emplace_back(acts.begin() + r, acts.begin() + r + shape_.line_rows());
  }
  bool all_taken() const { return lines_.empty(); }
  void forget() {
    lines_.clear();
    act_stands_ = false;
    results.clear();
  }

  /// One cycle. A line that was offered stays so until it is taken, whatever `offer_line` says.
  void cycle(bool offer_line, bool take_sums) {
    act_stands_ = !lines_.empty() && (act_stands_ || offer_line);
    dut->act_valid_i = act_stands_;
    if (act_stands_) {
      for (unsigned r = 0; r < shape_.line_rows(); ++r)
        set_bits(dut->act_data_i, r * shape_.act_bits, shape_.act_bits, static_cast<uint64_t>(lines_.front()[r]));
    }
    dut->sum_ready_i = take_sums;
    dut.settle();
    act_taken = act_stands_ && dut->act_ready_o;
    sums_taken = take_sums && dut->sum_valid_o;
    last_taken = sums_taken && dut->sum_last_o;
    if (sums_taken) {
      for (unsigned c = 0; c < 8; ++c) {
        const unsigned bits = shape_.sum_bits(), up = 64 - bits;
        const uint64_t raw = get_bits(dut->sum_data_o, c * bits, bits);
        results.push_back(static_cast<int>(static_cast<int64_t>(raw << up) >> up));
      }
    }
    if (act_taken) {
      lines_.pop_front();
      act_stands_ = false;
    }
    dut.tick();
  }

  Clock dut;
  std::vector<int> results;                                        ///< taken so far, column after column
  bool act_taken = false, sums_taken = false, last_taken = false;  ///< in the last cycle()

 private:
  DmacShape shape_;
  std::deque<std::vector<int>> lines_;
  bool act_stands_ = false;
};

}  // namespace ohmac::tb
