// SPDX-License-Identifier: Apache-2.0
// Pin waveforms of a tile as rtl/tile/README.md times them, for tests of the macro without RTL.
#pragma once
#include <cstdint>
#include <vector>

#include "models/macro/macro.h"

namespace ohmac::test {

/// Overlapping pin activities are written at cycles of one time axis, then run against a macro with a SAR search of its
/// own.
class PinTimeline {
 public:
  PinsIn& at(size_t cycle) {
    if (cycle >= pins_.size()) {
      pins_.resize(cycle + 1);
      mux_.resize(cycle + 1, false);
      conversion_.resize(cycle + 1, -1);
      trial_.resize(cycle + 1, -1);
    }
    return pins_[cycle];
  }

  /// Clears bank, then writes the words of x[rows + 1] that hold a nonzero; returns the first cycle after.
  size_t load(size_t t, bool bank, const std::vector<int8_t>& x) {
    at(t).row_clr = bank ? 2 : 1;
    at(t).row_bank = bank;
    for (size_t word = 0; word * 4 < x.size(); ++word) {
      uint32_t data = 0;
      for (size_t i = 0; i < 4 && word * 4 + i < x.size(); ++i) {
        const int v = x[word * 4 + i];
        data |= static_cast<uint32_t>(v < 0 ? 0x80 | -v : v) << (8 * i);
      }
      if (data == 0) continue;
      PinsIn& p = at(++t);
      p.row_we = true;
      p.row_bank = bank;
      p.row_addr = static_cast<uint8_t>(word);
      p.row_wdata = data;
    }
    return t + 1;
  }

  /// Drive with `settle` cycles before `integrate` ones; the sample is in cycle t + settle + integrate, the next drive
  /// may start after it.
  size_t drive(size_t t, bool bank, bool sample_bank, uint32_t settle, uint32_t integrate) {
    for (uint32_t c = 0; c <= settle + integrate; ++c) {
      PinsIn& p = at(t + c);
      p.drive = true;
      p.drive_bank = bank;
      p.int_rst = c == 0;
      p.integrate = c >= settle && c < settle + integrate;
      p.sample = c == settle + integrate;
      p.sample_bank = sample_bank;
    }
    return t + settle + integrate + 1;
  }

  /// Conversion of bits + 2 cycles, first trial in cycle t + 1; returns the first cycle after. Its codes are
  /// results()[number].
  size_t convert(size_t t, bool bank, uint8_t block, uint8_t range, uint32_t bits) {
    for (uint32_t c = 0; c < bits + 2; ++c) {
      PinsIn& p = at(t + c);
      p.mux_bank = bank;
      p.mux_sel = block;
      p.range = range;
      mux_[t + c] = true;
      if (c < 1 || c > bits) continue;
      p.sar_strobe = true;
      conversion_[t + c] = static_cast<int>(bits_.size());
      trial_[t + c] = static_cast<int>(c - 1);
    }
    bits_.push_back(bits);
    return t + bits + 2;
  }

  /// Program mode: every word of the column mask, then one pulse; returns the first cycle after it, in which it acts.
  size_t pulse(size_t t, const std::vector<uint32_t>& mask, const ProgIn& settings, uint32_t cycles) {
    at(t).prog.en = true;
    for (size_t w = 0; w < mask.size(); ++w) {
      PinsIn& p = at(++t);
      p.prog.en = p.prog.mask_we = true;
      p.row_addr = static_cast<uint8_t>(w);
      p.row_wdata = mask[w];
    }
    for (uint32_t c = 0; c < cycles; ++c) {
      PinsIn& p = at(++t);
      p.prog = settings;
      p.prog.en = p.prog.pulse = true;
    }
    at(t + 1);
    return t + 1;
  }

  /// A REPAIR word of a lane; returns the cycle after.
  size_t repair(size_t t, uint32_t lane, bool enable, uint32_t block) {
    PinsIn& p = at(t);
    p.prog.repair_we = true;
    p.row_addr = static_cast<uint8_t>(lane);
    p.row_wdata = (enable ? 0x100u : 0u) | block;
    return t + 1;
  }

  /// Runs every cycle; codes of all conversions, in the order of the calls of convert().
  std::vector<std::vector<int8_t>> run(Macro* m) {
    const uint32_t lanes = m->config().geometry.lanes;
    std::vector<std::vector<int>> u(bits_.size(), std::vector<int>(lanes, 0));
    std::vector<int8_t> code(lanes, 0);
    std::vector<uint8_t> cmp(lanes, 0);
    for (size_t c = 0; c < pins_.size(); ++c) {
      PinsIn& p = pins_[c];
      if (c > 0 && !mux_[c]) {  // mux and range stay where the last conversion left them
        p.mux_bank = pins_[c - 1].mux_bank;
        p.mux_sel = pins_[c - 1].mux_sel;
        p.range = pins_[c - 1].range;
      }
      const int k = conversion_[c];
      int half = 0, bit = 0;
      if (k >= 0) {
        half = 1 << (bits_[static_cast<size_t>(k)] - 1);
        bit = half >> trial_[c];
        for (uint32_t l = 0; l < lanes; ++l) code[l] = static_cast<int8_t>((u[static_cast<size_t>(k)][l] | bit) - half);
      }
      m->step(p, code.data(), cmp.data());
      if (k >= 0)
        for (uint32_t l = 0; l < lanes; ++l) u[static_cast<size_t>(k)][l] |= cmp[l] ? bit : 0;
    }
    m->flush_trace();
    std::vector<std::vector<int8_t>> out(bits_.size(), std::vector<int8_t>(lanes));
    for (size_t k = 0; k < bits_.size(); ++k)
      for (uint32_t l = 0; l < lanes; ++l) out[k][l] = static_cast<int8_t>(u[k][l] - (1 << (bits_[k] - 1)));
    return out;
  }

 private:
  std::vector<PinsIn> pins_;
  std::vector<bool> mux_;        // a conversion sets the mux pins in this cycle
  std::vector<int> conversion_;  // number of the conversion that strobes in this cycle, -1 = none
  std::vector<int> trial_;
  std::vector<uint32_t> bits_;
};

}  // namespace ohmac::test
