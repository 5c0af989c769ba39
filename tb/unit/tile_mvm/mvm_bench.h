// SPDX-License-Identifier: Apache-2.0
// Runs the whole MVM engine against an ideal macro and an SRAM with random grants. Every pin of every cycle is compared
// with a schedule that is laid out from the specification when a drive starts, programming pins with the order of mask
// words and pulses and with the rules of the macro; SRAM, devices, signals and events are compared at the end.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "tb/common/clocked.h"
#include "tb/unit/tile_mvm/mvm_model.h"
#include "tb/unit/tile_mvm/prog_model.h"

namespace ohmac::tb {

inline uint32_t word_of(const uint32_t& port, unsigned) { return port; }
inline uint32_t word_of(const uint64_t& port, unsigned i) { return static_cast<uint32_t>(port >> (32 * i)); }
template <std::size_t N>
uint32_t word_of(const VlWide<N>& port, unsigned i) {
  return port[i];
}

template <class Dut, unsigned Rows, unsigned Cols, unsigned Lanes, unsigned SramBytes>
class MvmBench {
 public:
  static constexpr unsigned kRows = Rows, kCols = Cols, kLanes = Lanes, kSram = SramBytes, kMux = Cols / Lanes;

  explicit MvmBench(uint64_t seed) : rng(seed), sram(SramBytes), cal(Cols) {
    for (auto& b : sram) b = static_cast<uint8_t>(rng());
    devices.cols = Cols;
    devices.plus.assign(size_t{Rows + 1} * Cols, 0);
    devices.minus = devices.plus;
    for (unsigned i = 0; i < devices.plus.size(); ++i) {
      const int w = i / Cols == Rows ? 127 : static_cast<int>(rng() % 255) - 127;
      (w > 0 ? devices.plus : devices.minus)[i] = std::abs(w);
    }
    for (auto& l : latch) l.assign(Rows + 1, 0);
    dut->item_valid_i = dut->repair_we_i = 0;
    dut->rd_gnt_i = dut->rd_rvalid_i = dut->wr_gnt_i = dut->wait_gnt_i = 0;
    dut->drop_waits_i = dut->cal_we_i = 0;
    dut->cmp_i = 0;
    set_timing(4, 32);
    set_prog({});
    dut.reset();
  }

  /// Reset now, whatever is going on; SRAM, devices and CAL stay as they are and are where the model goes on from.
  void reset() {
    dut->item_valid_i = dut->repair_we_i = 0;
    dut->rd_gnt_i = dut->rd_rvalid_i = dut->wr_gnt_i = dut->wait_gnt_i = 0;
    dut->rst_ni = 0;
    dut.settle();
    const Pins p = unpack(dut->pins_o);
    const ProgPins g = unpack_prog(dut->prog_o);
    EXPECT_FALSE(p.row_we || p.row_clr || p.drive || p.integrate || p.int_rst || p.sample || p.strobe);
    EXPECT_FALSE(g.en || g.mask_we || g.pulse || g.repair_we);
    EXPECT_TRUE(g.repair_clr);
    end_of_pulse(false);
    dut.reset();
    dut.settle();
    EXPECT_FALSE(unpack_prog(dut->prog_o).repair_clr);
    was_driving_ = was_en_ = was_converting_ = false;
    drive_count_ = 0;
    items_.clear(), waits_.clear(), signals_.clear(), drives_.clear(), plan_.clear(), steps_.clear();
    model_sram_.clear();
    events = expected = {};
  }

  void set_timing(unsigned settle, unsigned integ) {
    settle_ = settle;
    integ_ = integ;
    dut->timing_i = static_cast<uint16_t>(settle << 8 | integ);
  }
  void set_prog(const ProgCfg& p) {
    prog = p;
    dut->prog_cfg_i = p.pack();
  }
  void set_cal(unsigned column, Cal c) {
    cal[column] = c;
    dut->cal_we_i = 1;
    dut->cal_addr_i = static_cast<uint16_t>(column);
    dut->cal_wdata_i = uint32_t{static_cast<uint16_t>(c.offset)} << 16 | c.gain;
    dut.tick();
    dut->cal_we_i = 0;
  }
  void set_cfgs(const std::vector<Cfg>& slots) {
    cfgs = slots;
    pack_cfgs(slots, dut->cfg_i);
  }

  /// Queues an item; operations are modelled at once, in order.
  void push(const Item& it) {
    items_.push_back(it);
    if (it.kind == Item::kSignal) signals_.push_back({it, expected.mvm_op, expected.sram_wr});
    if (it.kind == Item::kWait) waits_.push_back(it);
    if (it.kind != Item::kOp) return;
    if (model_sram_.empty()) {
      model_sram_ = sram;
      model_devices_ = devices;
    }
    if (it.prog) return model_prog(it);
    const Cfg& c = cfgs[it.cfg];
    const Fetched f = fetch(c, it, model_sram_);
    expect_fault |= f.out_of_range;
    ++expected.mvm_op;
    expected.sram_rd += f.lines;
    std::vector<int32_t> acc(c.mux_count * Lanes, 0);
    int64_t shift_sum = 0;
    for (const Phase& p : phases(c, f.v, Rows, it.cfg)) {
      shift_sum += int64_t{1} << p.shift;
      const std::vector<int32_t> codes = convert(c, p);
      for (unsigned i = 0; i < acc.size(); ++i) {
        acc[i] =
            static_cast<int32_t>(saturate<int64_t>(acc[i] + int64_t{codes[i]} * (1 << p.shift), 24, expected.sats));
      }
    }
    write_psums(it, c, acc, shift_sum);
  }

  /// A REPAIR word in the next cycle.
  void repair(unsigned lane, uint32_t word) {
    dut->repair_we_i = 1;
    dut->repair_lane_i = static_cast<uint8_t>(lane);
    dut->repair_wdata_i = word;
    cycle();
    dut->repair_we_i = 0;
    dut.settle();
    EXPECT_TRUE(unpack_prog(dut->prog_o).repair_we);
    EXPECT_EQ(unpack(dut->pins_o).row_addr, lane);
    EXPECT_EQ(unpack(dut->pins_o).row_wdata, word);
    ++expected_repairs;
  }

  /// Until everything queued is done. False on a time-out or after a mismatch.
  bool run(uint64_t max_cycles) {
    for (uint64_t i = 0; i < max_cycles; ++i) {
      cycle();
      if (::testing::Test::HasFailure()) return false;
      if (items_.empty() && dut->idle_o && !dut->item_valid_i) return true;
    }
    ADD_FAILURE() << "time-out, " << items_.size() << " items left";
    return false;
  }

  void check_end() {
    EXPECT_EQ(events.list(), expected.list());
    EXPECT_TRUE(drives_.empty());
    EXPECT_TRUE(steps_.empty());
    EXPECT_TRUE(signals_.empty());
    EXPECT_EQ(saw_fault, expect_fault);
    EXPECT_EQ(repairs, expected_repairs);
    if (!model_sram_.empty()) {
      EXPECT_TRUE(devices == model_devices_);
      unsigned shown = 0;
      for (unsigned a = 0; a < SramBytes && shown < 5; ++a) {
        if (sram[a] != model_sram_[a]) {
          ADD_FAILURE() << "SRAM byte " << a << ": " << int{sram[a]} << ", expected " << int{model_sram_[a]};
          ++shown;
        }
      }
    }
  }

  unsigned grant_percent = 100, token_percent = 100, item_percent = 100;
  std::mt19937_64 rng;
  Clocked<Dut> dut;
  std::vector<uint8_t> sram;
  std::vector<Cal> cal;
  std::vector<Cfg> cfgs;
  Devices devices;
  ProgCfg prog;
  /// The tile stops: in iteration `stop_at` of the next PROG that is queued, before its pulses or while they go on.
  unsigned stop_at = ~0u;
  bool stop_in_pulses = false;
  Events events, expected;
  unsigned repairs = 0, expected_repairs = 0;
  bool expect_fault = false, saw_fault = false;
  std::vector<uint64_t> drive_cycles, op_cycles;  ///< cycle numbers of first drive cycles and of finished operations
  std::vector<bool> adc_busy;                     ///< by cycle

  /// One clock cycle.
  void cycle() {
    // Queue
    if (!dut->item_valid_i && !items_.empty() && chance(item_percent)) {
      pack_item(items_.front(), dut->item_i);
      dut->item_valid_i = 1;
    }
    dut->rd_gnt_i = dut->rd_req_o && chance(grant_percent);
    dut->wr_gnt_i = dut->wr_req_o && chance(grant_percent);
    dut->wait_gnt_i = dut->wait_valid_o && chance(token_percent);
    macro();
    dut.settle();
    const bool taken = dut->item_valid_i && dut->item_ready_o;
    const bool read = dut->rd_gnt_i;
    const uint32_t line = dut->rd_addr_o;
    if (read) {
      ASSERT_LT(line * 32, SramBytes);
    }
    if (dut->wr_gnt_i) write();
    tokens();
    events.add(dut->events_o);
    adc_busy.push_back(dut->events_o >> Events::kAdcBusyBit & 1);
    if (dut->events_o >> Events::kMvmOpBit & 1) op_cycles.push_back(now_);
    if (dut->fault_o) {
      EXPECT_EQ(dut->fault_o, 2);
      saw_fault = true;
    }
    uint32_t data[8];
    if (read) std::copy_n(reinterpret_cast<const uint8_t*>(&sram[line * 32]), 32, reinterpret_cast<uint8_t*>(data));
    dut.tick();
    ++now_;
    dut->rd_rvalid_i = read;
    for (unsigned i = 0; i < 8; ++i) dut->rd_rdata_i[i] = read ? data[i] : static_cast<uint32_t>(rng());
    if (taken) {
      dut->item_valid_i = 0;
      items_.pop_front();
    }
    dut.settle();
  }

  uint64_t now() const { return now_; }
  bool pulsing() const { return pulse_cycles_ != 0; }
  size_t drives_seen() const { return drive_cycles.size(); }
  std::vector<ProgStep> steps_seen;

 private:
  struct Signal {
    Item item;
    uint64_t ops, writes;
  };
  struct Pins {
    bool row_we, row_bank, drive, drive_bank, integrate, int_rst, sample, sample_bank, strobe, mux_bank;
    unsigned row_addr, row_clr, mux_sel, range;
    uint32_t row_wdata;
  };
  struct ProgPins {
    bool en, mask_we, neg, set, pulse, repair_we, repair_clr;
    unsigned row, amp;
  };
  /// Pins that the schedule fixes in one cycle.
  struct Slot {
    bool drive = false, int_rst = false, integrate = false, sample = false, strobe = false, converting = false;
    unsigned mux_sel = 0, mux_bank = 0, range = 0;
  };

  std::vector<int64_t> columns(const std::vector<uint8_t>& bytes, const Devices& d) const {
    std::vector<int64_t> s(Cols, 0);
    for (unsigned r = 0; r <= Rows; ++r) {
      const int64_t x = latch_value(bytes[r]);
      if (x == 0) continue;
      for (unsigned c = 0; c < Cols; ++c) s[c] += x * d.weight(r, c);
    }
    return s;
  }

  static Pins unpack(uint64_t p) {
    Pins r{};
    auto take = [&p](unsigned n) {
      const uint64_t v = p & ((uint64_t{1} << n) - 1);
      p >>= n;
      return static_cast<uint32_t>(v);
    };
    r.range = take(4);
    r.mux_sel = take(6);
    r.mux_bank = take(1);
    r.strobe = take(1);
    r.sample_bank = take(1);
    r.sample = take(1);
    r.int_rst = take(1);
    r.integrate = take(1);
    r.drive_bank = take(1);
    r.drive = take(1);
    r.row_clr = take(2);
    r.row_wdata = take(32);
    r.row_addr = take(8);
    r.row_bank = take(1);
    r.row_we = take(1);
    return r;
  }

  static ProgPins unpack_prog(uint32_t p) {
    auto take = [&p](unsigned n) {
      const uint32_t v = p & ((1u << n) - 1);
      p >>= n;
      return v;
    };
    ProgPins r{};
    r.repair_clr = take(1);
    r.repair_we = take(1);
    r.pulse = take(1);
    r.amp = take(4);
    r.set = take(1);
    r.neg = take(1);
    r.row = take(10);
    r.mask_we = take(1);
    r.en = take(1);
    return r;
  }

  /// Codes of a phase, its counts.
  std::vector<int32_t> convert(const Cfg& c, const Phase& p) {
    drives_.push_back(p);
    ++expected.drive;
    expected.row_word += p.words;
    expected.conversion += c.mux_count;
    expected.trial += c.mux_count * c.adc_bits;
    expected.adc_busy += c.mux_count * (c.adc_bits + 2);
    const std::vector<int64_t> s = columns(p.latch, model_devices_);
    std::vector<int32_t> codes;
    for (unsigned i = 0; i < c.mux_count * Lanes; ++i) {
      codes.push_back(adc_code(s[c.mux_first * Lanes + i], c.range, c.adc_bits));
      const int32_t half = 1 << (c.adc_bits - 1);
      expected.clips += codes.back() == -half || codes.back() == half - 1;
    }
    return codes;
  }

  std::vector<int32_t> write_psums(const Item& it, const Cfg& c, const std::vector<int32_t>& acc, int64_t shift_sum) {
    expected.sram_wr += c.mux_count * Lanes / 8;
    const std::vector<int32_t> psums = post(c, acc, cal, Lanes, shift_sum, expected.sats);
    for (unsigned n = 0; n < psums.size(); ++n) {
      for (unsigned b = 0; b < 4; ++b)
        model_sram_[it.dst + 4 * n + b] = static_cast<uint8_t>(static_cast<uint32_t>(psums[n]) >> (8 * b));
    }
    return psums;
  }

  void model_prog(const Item& it) {
    Cfg c = cfgs[it.cfg];
    c.w_slices = 0;
    const unsigned row = static_cast<unsigned>(it.wrap_len), n = c.mux_count * Lanes, first = c.mux_first * Lanes;
    Phase read;
    read.latch.assign(Rows + 1, 0);
    read.latch[row] = static_cast<uint8_t>(prog.verify_x);
    read.words = 1;
    read.cfg = it.cfg;
    for (unsigned i = 0;; ++i) {
      ++expected.prog_read;
      expected.sram_rd += (n + 31) / 32;
      const std::vector<int32_t> psums = write_psums(it, c, convert(c, read), 1);
      std::vector<Compared> columns;
      unsigned off = 0;
      for (unsigned j = 0; j < n; ++j) {
        const auto target = static_cast<int8_t>(model_sram_[static_cast<unsigned>(it.src) + j]);
        columns.push_back(compare(psums[j], target, prog.tolerance));
        off += columns.back().off;
      }
      const bool stop = i == stop_at;
      bool end = off == 0 || i + 1 == prog.limit || (stop && !stop_in_pulses);
      for (unsigned k = 0; k < 4 && !end; ++k) {
        const bool neg = k >= 2, set = k % 2 == 0;
        std::vector<uint32_t> mask((Cols + 31) / 32);
        unsigned count = 0;
        for (unsigned j = 0; j < n; ++j) {
          if (!columns[j].off || columns[j].neg != neg || columns[j].set != set) continue;
          const unsigned col = first + j;
          mask[col / 32] |= 1u << (col % 32);
          ++count;
          model_devices_.pulse(row, col, neg, set, prog.amp(i), prog.pulse);
        }
        if (count == 0) continue;
        expected.pulses += count;
        for (unsigned w = 0; w < mask.size(); ++w) {
          ProgStep s;
          s.address = w;
          s.mask = mask[w];
          s.drives = expected.drive;
          steps_.push_back(s);
        }
        ProgStep s;
        s.is_pulse = true;
        s.row = row, s.neg = neg, s.set = set, s.amp = prog.amp(i), s.cycles = prog.pulse;
        s.drives = expected.drive;
        steps_.push_back(s);
      }
      if (!end && !stop) continue;
      const unsigned lines = (n + 255) / 256;
      expected.sram_wr += lines;
      expected.prog_fails += off;
      for (unsigned b = 0; b < 32 * lines; ++b) model_sram_[static_cast<unsigned>(it.wrap_base) + b] = 0;
      for (unsigned j = 0; j < n; ++j) {
        if (columns[j].off)
          model_sram_[static_cast<unsigned>(it.wrap_base) + j / 8] |= static_cast<uint8_t>(1u << (j % 8));
      }
      stop_at = ~0u;
      return;
    }
  }

  void step(const ProgStep& seen) {
    steps_seen.push_back(seen);
    ASSERT_FALSE(steps_.empty()) << "mask word or pulse without a reason in cycle " << now_;
    const ProgStep& want = steps_.front();
    EXPECT_EQ(seen.is_pulse, want.is_pulse);
    EXPECT_EQ(seen.address, want.address);
    EXPECT_EQ(seen.mask, want.mask) << "word " << seen.address;
    EXPECT_EQ(seen.row, want.row);
    EXPECT_EQ(seen.neg, want.neg);
    EXPECT_EQ(seen.set, want.set);
    EXPECT_EQ(seen.amp, want.amp);
    EXPECT_EQ(seen.cycles, want.cycles);
    EXPECT_EQ(seen.drives, want.drives);
    steps_.pop_front();
  }

  /// The pulse acts when it ends, with the length it had.
  void end_of_pulse(bool check) {
    if (pulse_cycles_ == 0) return;
    for (unsigned c = 0; c < Cols; ++c) {
      if (mask_[c / 32] >> (c % 32) & 1)
        devices.pulse(pulse_.row, c, pulse_.neg, pulse_.set, pulse_.amp, pulse_cycles_);
    }
    ProgStep s;
    s.is_pulse = true;
    s.row = pulse_.row, s.neg = pulse_.neg, s.set = pulse_.set, s.amp = pulse_.amp, s.cycles = pulse_cycles_;
    s.drives = pulse_drives_;
    pulse_cycles_ = 0;
    if (check) step(s);
  }

  /// The rules of models/macro/README.md, 5.
  void programming(const Pins& p, bool converting) {
    const ProgPins g = unpack_prog(dut->prog_o);
    if (g.en) {
      EXPECT_FALSE(p.drive || p.integrate || p.sample || p.strobe || converting) << "cycle " << now_;
      EXPECT_FALSE(was_driving_ || was_converting_) << "en not low between conversions and mask, cycle " << now_;
    }
    if (p.drive) {
      EXPECT_FALSE(was_en_) << "en not low between pulse and drive, cycle " << now_;
    }
    if (g.mask_we || g.pulse) {
      EXPECT_TRUE(g.en && was_en_) << "cycle " << now_;
    }
    if (!g.pulse) end_of_pulse(true);
    if (g.mask_we) {
      EXPECT_FALSE(p.row_we || g.pulse) << "cycle " << now_;
      ASSERT_LT(p.row_addr, (Cols + 31) / 32);
      mask_[p.row_addr] = p.row_wdata;
      ProgStep s;
      s.address = p.row_addr;
      s.mask = p.row_wdata;
      s.drives = drive_count_;
      step(s);
    }
    if (g.pulse) {
      if (pulse_cycles_++ == 0) {
        pulse_ = g;
        pulse_drives_ = drive_count_;
      }
      EXPECT_TRUE(g.row == pulse_.row && g.neg == pulse_.neg && g.set == pulse_.set && g.amp == pulse_.amp);
    }
    if (g.repair_we) {
      ++repairs;
      EXPECT_FALSE(g.en || p.drive || p.row_we) << "cycle " << now_;
    }
    EXPECT_FALSE(g.repair_clr);
    was_en_ = g.en;
    was_converting_ = converting;
  }

  bool chance(unsigned percent) { return rng() % 100 < percent; }

  void write() {
    const uint32_t base = dut->wr_addr_o * 32u;
    ASSERT_LE(base + 32, SramBytes);
    for (unsigned b = 0; b < 32; ++b) {
      if (dut->wr_strb_o >> b & 1) sram[base + b] = static_cast<uint8_t>(dut->wr_data_o[b / 4] >> (8 * (b % 4)));
    }
  }

  void tokens() {
    if (dut->wait_gnt_i) {
      ASSERT_FALSE(waits_.empty());
      EXPECT_EQ(dut->wait_token_o, waits_.front().token);
      EXPECT_EQ(dut->wait_count_o, waits_.front().count);
      waits_.pop_front();
    }
    if (dut->sig_valid_o) {
      ASSERT_FALSE(signals_.empty());
      EXPECT_EQ(dut->sig_token_o, signals_.front().item.token);
      EXPECT_EQ(dut->sig_count_o, signals_.front().item.count);
      EXPECT_EQ(events.mvm_op, signals_.front().ops) << "signal before its operations";
      EXPECT_EQ(events.sram_wr, signals_.front().writes) << "signal before its writes";
      signals_.pop_front();
    }
  }

  /// Lays out the pins of a phase that starts now.
  void schedule() {
    ASSERT_FALSE(drives_.empty()) << "drive without a phase";
    const Phase& p = drives_.front();
    const Cfg& c = cfgs[p.cfg];
    const unsigned bank = drive_count_ & 1;
    EXPECT_EQ(latch[bank], p.latch) << "drive " << drive_count_;
    const uint64_t sample_at = now_ + settle_ + integ_;
    for (uint64_t t = now_; t <= sample_at; ++t) {
      EXPECT_FALSE(plan_[t].drive);
      plan_[t].drive = true;
      plan_[t].int_rst = t == now_;
      plan_[t].integrate = t >= now_ + settle_ && t < sample_at;
      plan_[t].sample = t == sample_at;
    }
    uint64_t t = sample_at + 1;
    for (unsigned m = 0; m < c.mux_count; ++m) {
      for (unsigned i = 0; i < c.adc_bits + 2; ++i, ++t) {
        Slot& s = plan_[t];
        EXPECT_FALSE(s.converting) << "conversions overlap";
        s.converting = true;
        s.strobe = i >= 1 && i <= c.adc_bits;
        s.mux_sel = c.mux_first + m;
        s.mux_bank = bank;
        s.range = c.range;
      }
    }
    drive_cycles.push_back(now_);
    held_next_ = columns(latch[bank], devices);
    drives_.pop_front();
    ++drive_count_;
  }

  void macro() {
    const Pins p = unpack(dut->pins_o);
    const bool rising = p.drive && !was_driving_;
    if (rising) schedule();
    const Slot s = plan_.count(now_) ? plan_[now_] : Slot{};
    plan_.erase(now_);
    EXPECT_EQ(p.drive, s.drive) << "cycle " << now_;
    EXPECT_EQ(p.int_rst, s.int_rst) << "cycle " << now_;
    EXPECT_EQ(p.integrate, s.integrate) << "cycle " << now_;
    EXPECT_EQ(p.sample, s.sample) << "cycle " << now_;
    EXPECT_EQ(p.strobe, s.strobe) << "cycle " << now_;
    EXPECT_EQ(bool(dut->events_o >> Events::kAdcBusyBit & 1), s.converting) << "cycle " << now_;
    const unsigned bank = (drive_count_ - 1) & 1;
    if (p.drive) {
      EXPECT_EQ(p.drive_bank, bank);
      EXPECT_FALSE((p.row_we && p.row_bank == p.drive_bank) || (p.row_clr >> p.drive_bank & 1))
          << "driven bank written";
    }
    if (p.sample) {
      EXPECT_EQ(p.sample_bank, bank);
      held_[bank] = held_next_;
    }
    if (s.converting) {
      EXPECT_EQ(p.mux_sel, s.mux_sel) << "cycle " << now_;
      EXPECT_EQ(p.mux_bank, s.mux_bank);
      EXPECT_EQ(p.range, s.range);
    }
    for (unsigned b = 0; b < 2; ++b) {
      if (p.row_clr >> b & 1) latch[b].assign(Rows + 1, 0);
    }
    if (p.row_we) {
      for (unsigned i = 0; i < 4; ++i) {
        if (p.row_addr * 4 + i <= Rows)
          latch[p.row_bank][p.row_addr * 4 + i] = static_cast<uint8_t>(p.row_wdata >> (8 * i));
      }
    }
    uint32_t cmp = static_cast<uint32_t>(rng());  // means nothing without a strobe
    if (p.strobe) {
      cmp = 0;
      for (unsigned l = 0; l < Lanes; ++l) {
        const auto code = static_cast<int8_t>(word_of(dut->sar_code_o, l / 4) >> (8 * (l % 4)));
        const int64_t y = held_[p.mux_bank].at(p.mux_sel * Lanes + l);
        if (2 * y >= (2 * int64_t{code} - 1) * (int64_t{1} << p.range)) cmp |= 1u << l;
      }
    }
    dut->cmp_i = static_cast<std::decay_t<decltype(dut->cmp_i)>>(cmp);
    programming(p, s.converting);
    was_driving_ = p.drive;
  }

  unsigned settle_ = 4, integ_ = 32;
  uint64_t now_ = 0, drive_count_ = 0;
  bool was_driving_ = false, was_en_ = false, was_converting_ = false;
  std::deque<Item> items_, waits_;
  std::deque<Signal> signals_;
  std::deque<Phase> drives_;
  std::map<uint64_t, Slot> plan_;
  std::vector<uint8_t> latch[2], model_sram_;
  std::vector<int64_t> held_[2], held_next_;
  Devices model_devices_;
  std::deque<ProgStep> steps_;
  std::array<uint32_t, (Cols + 31) / 32> mask_{};
  ProgPins pulse_{};
  unsigned pulse_cycles_ = 0;
  uint64_t pulse_drives_ = 0;
};

/// A legal random slot and an operation that reads the lower half of the SRAM and writes the upper half.
inline Cfg random_cfg(std::mt19937_64& rng, unsigned rows, unsigned lanes, unsigned mux) {
  auto pick = [&rng](unsigned lo, unsigned hi) { return lo + static_cast<unsigned>(rng() % (hi - lo + 1)); };
  Cfg c;
  const bool reference = pick(0, 7) == 0;
  const unsigned max_k = reference ? 4 : rows;
  c.n_seg = pick(0, 2) ? pick(1, std::min(max_k, 6u)) : 1;
  c.seg_len = pick(1, max_k / c.n_seg);
  if (pick(0, 3) == 0) c.seg_len = max_k / c.n_seg;
  c.k = c.n_seg * c.seg_len;
  c.row_base = reference ? rows : 4 * pick(0, (rows - c.k) / 4);
  c.seg_stride = static_cast<int32_t>(pick(0, 400)) - 200;
  if (pick(0, 2) == 0) c.pad_top = pick(0, c.n_seg + 1);
  if (pick(0, 2) == 0) c.pad_bottom = pick(0, c.n_seg + 1);
  if (pick(0, 2) == 0) c.pad_left = pick(0, std::min(255u, c.seg_len + 2));
  if (pick(0, 2) == 0) c.pad_right = pick(0, std::min(255u, c.seg_len + 2));
  c.pad_value = static_cast<int8_t>(pick(0, 255));
  c.in_slice = pick(0, 3);
  c.w_slices = pick(0, 2);
  c.adc_bits = pick(4, 8);
  c.range = pick(0, 3) ? pick(6, 14) : pick(0, 15);
  c.group_rows = pick(0, 2) ? 4 * pick(1, (c.k + 3) / 4) : pick(c.k, 1023);
  c.mux_first = pick(0, mux - 1);
  c.mux_count = pick(1, mux - c.mux_first);
  (void)lanes;
  return c;
}

inline Item random_op(std::mt19937_64& rng, const Cfg& c, unsigned slot, unsigned sram, unsigned lanes) {
  auto pick = [&rng](unsigned lo, unsigned hi) { return lo + static_cast<unsigned>(rng() % (hi - lo + 1)); };
  Item it;
  it.kind = Item::kOp;
  it.cfg = slot;
  if (pick(0, 1)) {  // circular window inside the lower half, src inside the window
    it.wrap_len = static_cast<int32_t>(pick(1400, 2000));
    it.wrap_base = static_cast<int32_t>(pick(0, sram / 2 - 2000));
    it.src = it.wrap_base + static_cast<int32_t>(pick(0, static_cast<unsigned>(it.wrap_len) - 1));
  } else {
    it.src = static_cast<int32_t>(pick(1400, sram / 2 - 1700));
  }
  const unsigned bytes = 4 * c.mux_count * lanes >> c.w_slices;
  it.dst = sram / 2 + 32 * pick(0, (sram / 2 - bytes) / 32 - 1);
  return it;
}

}  // namespace ohmac::tb
