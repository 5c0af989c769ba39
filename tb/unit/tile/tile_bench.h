// SPDX-License-Identifier: Apache-2.0
// One tile at the tiny geometry: programs and data arrive as flits, an ideal macro hangs at the pins, the clock stops
// as the chip's gate stops it.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "Vtile_test_dut.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "tb/common/clocked.h"
#include "tb/unit/tile/flit.h"
#include "tb/unit/tile_mvm/mvm_model.h"

namespace ohmac::tb {

namespace cfg = isa::cfg;
namespace mc = isa::cfg::mvmcfg;
namespace vc = isa::cfg::veccfg;

constexpr unsigned kRows = 32, kCols = 32, kLanes = 8, kSram = 16384;

/// Integer macro at the pins: no effects.
class IdealMacro {
 public:
  IdealMacro() : weights(kRows + 1, std::vector<int>(kCols)) {
    for (auto& l : latch_) l.assign(kRows + 4, 0);
  }
  std::vector<std::vector<int>> weights;

  std::vector<int64_t> columns(const std::vector<uint8_t>& latch) const {
    std::vector<int64_t> s(kCols, 0);
    for (unsigned r = 0; r <= kRows; ++r) {
      for (unsigned c = 0; c < kCols; ++c) s[c] += int64_t{latch_value(latch[r])} * weights[r][c];
    }
    return s;
  }
  /// One cycle: pins in, comparator bits out.
  unsigned step(uint64_t pins, uint64_t sar_code) {
    const auto bits = [pins](unsigned lsb, unsigned width) {
      return static_cast<unsigned>(pins >> lsb & ((uint64_t{1} << width) - 1));
    };
    for (unsigned b = 0; b < 2; ++b) {
      if (bits(18 + b, 1)) std::fill(latch_[b].begin(), latch_[b].end(), uint8_t{0});
    }
    if (bits(61, 1)) {
      for (unsigned i = 0; i < 4; ++i)
        latch_[bits(60, 1)][4 * bits(52, 8) + i] = static_cast<uint8_t>(bits(20 + 8 * i, 8));
    }
    unsigned cmp = 0;
    if (bits(11, 1)) {
      for (unsigned l = 0; l < kLanes; ++l) {
        const int64_t code = static_cast<int8_t>(sar_code >> (8 * l)),
                      s = held_[bits(10, 1)].at(bits(4, 6) * kLanes + l);
        if (2 * s >= (2 * code - 1) * (int64_t{1} << bits(0, 4))) cmp |= 1u << l;
      }
    }
    if (bits(13, 1)) held_[bits(12, 1)] = columns(latch_[bits(16, 1)]);
    return cmp;
  }

 private:
  std::vector<uint8_t> latch_[2];
  std::vector<int64_t> held_[2];
};

class Tile : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->start_i = dut->stop_i = dut->clear_i = 0;
    dut->noc_i_valid = 0;
    dut->noc_o_ready = 1;
    dut->mesh_x_i = 2;
    dut->tiles_i = 2;
    dut->cmp_i = 0;
    dut->cnt_sel_i = 0;
    dut.reset();
    for (auto& row : macro.weights) {
      for (auto& w : row) w = static_cast<int>(rng() % 255) - 127;
    }
    for (auto& w : macro.weights[kRows]) w = 127;
  }
  /// One cycle of the chip; the tile's clock runs only when its gate is open.
  void cycle() {
    dut->noc_i_valid = !to_tile.empty() && (always || rng() % 3 != 0 || offered);
    if (dut->noc_i_valid) to_tile.front().to(dut->noc_i_flit);
    dut->noc_o_ready = !blocked && (always || rng() % 3 != 0);
    dut.settle();
    const uint64_t pins = dut->pins_o, code = dut->sar_code_o;
    const bool gate = dut->start_i || dut->stop_i || dut->clear_i || dut->noc_i_valid || dut->active_o;
    if (gate) {
      dut->cmp_i = macro.step(pins, code);
      dut.settle();
      const bool taken = dut->noc_i_valid && dut->noc_i_ready;
      offered = dut->noc_i_valid && !taken;
      if (dut->noc_o_valid && dut->noc_o_ready) from_tile.push_back(Flit::from(dut->noc_o_flit));
      dut.tick();
      if (taken) to_tile.pop_front();
      ++clocked;
    } else {
      ASSERT_FALSE(dut->noc_o_valid) << "clock stopped with a flit at the output";
      ASSERT_EQ(pins & (uint64_t{1} << 17 | uint64_t{1} << 11), 0u) << "clock stopped in a drive or a trial";
    }
    ++chip_cycles;
  }
  bool quiet() { return to_tile.empty() && !dut->active_o; }
  void settle_all(unsigned limit = 200000) {
    unsigned n = 0;
    do {
      cycle();
    } while (!quiet() && ++n < limit && !HasFatalFailure());
    ASSERT_TRUE(quiet()) << "still active at pc " << pc();
  }
  void start(unsigned at) {
    dut->start_i = 1;
    dut->start_pc_i = at;
    cycle();
    dut->start_i = 0;
    cycle();
  }
  /// A host's stop or clear. Commands are registered: the tile acts a cycle later.
  void stop() {
    dut->stop_i = 1;
    cycle();
    dut->stop_i = 0;
    cycle();
  }
  void clear() {
    dut->clear_i = 1;
    cycle();
    dut->clear_i = 0;
    cycle();
  }
  bool running() { return dut->status_o >> 25 & 1; }
  bool halted() { return dut->status_o >> 24 & 1; }
  isa::Fault fault() { return static_cast<isa::Fault>(dut->status_o >> 16 & 0xFF); }
  unsigned pc() { return dut->status_o & 0xFFFF; }
  uint32_t counter(isa::Counter c) {
    dut->cnt_sel_i = static_cast<uint8_t>(c);
    dut.settle();
    return dut->cnt_o;
  }

  void write(uint32_t addr, const std::vector<uint8_t>& bytes, int token = -1) {
    for (size_t i = 0; i < bytes.size(); i += 16) {
      Flit f;
      f.addr = addr + static_cast<uint32_t>(i);
      for (unsigned b = 0; b < 16 && i + b < bytes.size(); ++b) {
        f.strb |= static_cast<uint16_t>(1u << b);
        f.data[b / 4] |= uint32_t{bytes[i + b]} << (8 * (b % 4));
      }
      f.token_en = token >= 0 && i + 16 >= bytes.size();
      f.token = f.token_en ? static_cast<unsigned>(token) : 0;
      to_tile.push_back(f);
    }
  }
  void write_words(uint32_t word, const std::vector<uint32_t>& v) {
    std::vector<uint8_t> bytes;
    for (const uint32_t w : v) {
      for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(w >> (8 * i)));
    }
    write(cfg::noc_addr(word), bytes);
  }
  void program(unsigned at, const std::vector<uint64_t>& words) {
    std::vector<uint8_t> bytes;
    for (const uint64_t w : words) {
      for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<uint8_t>(w >> (8 * i)));
    }
    write(8 * at, bytes);
  }
  void agu(unsigned n, uint32_t addr, uint32_t inc0 = 0, uint32_t base = 0, uint32_t len = 0) {
    write_words(cfg::kAguBase + 8 * n, {addr, inc0, 0, 0, 0, base, len, 0});
  }
  void token(unsigned t) {
    Flit f;
    f.token_en = true;
    f.token = t;
    to_tile.push_back(f);
  }
  /// Reads SRAM as the DMA does.
  std::vector<uint8_t> read(uint32_t addr, unsigned len) {
    from_tile.clear();
    Flit f;
    f.kind = kFlitRead;
    f.addr = addr;
    f.data[0] = len;
    to_tile.push_back(f);
    settle_all();
    std::vector<uint8_t> out(len);
    EXPECT_EQ(from_tile.size(), len == 0 ? 1 : (len + 15) / 16);
    for (size_t i = 0; i < from_tile.size(); ++i) {
      const Flit& r = from_tile[i];
      EXPECT_EQ(r.kind, static_cast<unsigned>(kFlitResp));
      EXPECT_TRUE(r.host);
      EXPECT_EQ(r.addr, 16 * i);
      EXPECT_EQ(r.token_en, i + 1 == from_tile.size());
      for (unsigned b = 0; b < 16 && r.addr + b < len; ++b) out[r.addr + b] = r.byte(b);
    }
    return out;
  }
  void mvm_slot(unsigned s, const Cfg& c) {
    write_words(
        cfg::kMvmcfgBase + 8 * s,
        {static_cast<uint32_t>(mc::k.put(c.k) | mc::row_base.put(c.row_base)),
         static_cast<uint32_t>(mc::seg_len.put(c.seg_len) | mc::n_seg.put(c.n_seg)),
         static_cast<uint32_t>(c.seg_stride) & 0xFFFFFF,
         static_cast<uint32_t>(mc::pad_top.put(c.pad_top) | mc::pad_bottom.put(c.pad_bottom) |
                               mc::pad_left.put(c.pad_left) | mc::pad_right.put(c.pad_right)),
         static_cast<uint32_t>(mc::pad_value.put(static_cast<uint8_t>(c.pad_value)) | mc::in_slice.put(c.in_slice) |
                               mc::w_slices.put(c.w_slices) | mc::adc_bits.put(c.adc_bits) | mc::range.put(c.range)),
         static_cast<uint32_t>(mc::group_rows.put(c.group_rows) | mc::mux_first.put(c.mux_first) |
                               mc::mux_count.put(c.mux_count)),
         0, 0});
  }

  Clocked<Vtile_test_dut> dut;
  IdealMacro macro;
  std::mt19937_64 rng{1};
  std::deque<Flit> to_tile;
  std::vector<Flit> from_tile;
  bool always = true, offered = false, blocked = false;  // always: the NoC never stalls; blocked: it takes nothing
  uint64_t clocked = 0, chip_cycles = 0;
};

}  // namespace ohmac::tb
