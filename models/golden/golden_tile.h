// SPDX-License-Identifier: Apache-2.0
// One tile of the golden machine: executes tile programs bit-exact to rtl/tile and predicts when things happen.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "models/golden/flit.h"
#include "models/golden/timing.h"
#include "models/macro/macro.h"
#include "models/trace/timeline.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::golden {

struct TileStatus {
  bool running = false, halted = false;
  isa::Fault fault = isa::Fault::kNone;
  uint16_t pc = 0;  ///< oldest instruction not issued; after HALT of the HALT, after a fault of its instruction
};

enum class TileStop { kHalted, kFaulted, kBlocked, kTimeout };  ///< why GoldenTile::run() returned

/// A burst that leaves the tile: its first flit is at the local port at `at`, one a cycle from there on.
struct Departure {
  Tick at;
  Burst burst;
};

/// Actors (sequencer, MVM, vector, NET engine) with their own clocks, driven as discrete events: next_time() says when
/// the tile has something to do, step(now) does it. An operation acts on the SRAM at once when its engine takes it; its
/// completion, and so its SIGNAL, carries the time of the RTL. For race-free programs (rtl/tile/README.md) the end
/// state therefore equals the RTL's. Copyable; a copy shares only the device state of the macro.
class GoldenTile {
 public:
  GoldenTile(const Geometry& geometry, const Macro& macro);

  // --- Contents, without time (back door)
  uint8_t* sram() { return sram_.data(); }
  const uint8_t* sram() const { return sram_.data(); }
  uint32_t sram_bytes() const { return static_cast<uint32_t>(sram_.size()); }
  uint32_t config(uint32_t word) const;  ///< as last written, AGU.ADDR as it stands
  /// False if the word lies outside the configuration space, or is a REPAIR word that the tile refuses.
  bool write_config(uint32_t word, uint32_t value) { return set_config(word, value, now_) == isa::Fault::kNone; }
  uint8_t token(uint32_t i) const { return tokens_[i]; }
  uint32_t counter(isa::Counter c) const { return counters_[static_cast<size_t>(c)]; }
  TileStatus status() const;
  Macro& macro() { return macro_; }
  const Macro& macro() const { return macro_; }

  // --- Standalone use: a tile without a chip around it. Time starts at 0 and only run() and flits move it.
  void start(uint16_t pc) { start_at(pc, now_); }
  void deliver(const Flit& f) { receive(Burst::of(f), now_); }
  void stop() { stop_at(now_); }
  /// Runs until nothing is left to do or max_cycles have passed. SENDs to tile `self` come back to this tile.
  TileStop run(uint64_t max_cycles, uint32_t self = 0);
  const std::vector<Flit>& sent() const { return sent_; }  ///< flits of run() that left for elsewhere, in order
  void clear_sent() { sent_.clear(); }
  Tick now() const { return now_; }

  // --- In a chip
  void start_at(uint16_t pc, Tick now);
  void stop_at(Tick now);  ///< tile.ctrl.stop: a running tile halts with fault STOPPED
  /// tile.ctrl.clear: a tile that does not run forgets its tokens and its fault.
  void clear();
  /// rst_ni: everything but the devices of the macro and its drive count, time goes on.
  void reset();
  void receive(const Burst& b, Tick now);
  /// Fills the tracks of tile `number` from now on; null: stop.
  void set_timeline(ChipTimeline* timeline, uint32_t number) {
    timeline_ = timeline;
    number_ = number;
  }
  Tick next_time() const;
  void step(Tick now);
  /// Bursts that left since the last call of clear_departures().
  const std::vector<Departure>& departures() const { return departures_; }
  void clear_departures() { departures_.clear(); }
  /// The NoC takes no further flit of this tile before `t`.
  void hold_net(Tick t);

 private:
  static constexpr std::array<uint32_t, 3> kQueueDepth = {8, 16, 8};  ///< MVM, VEC, NET
  enum class ItemKind : uint8_t { kOp, kWait, kSignal };

  struct Item {
    ItemKind kind = ItemKind::kOp;
    uint8_t token = 0, count = 0, cfg = 0;
    bool use_b = false, token_en = false, prog = false;
    uint8_t tile = 0;
    uint16_t len = 0, row = 0;       // row: PROG
    uint32_t a = 0, b = 0, dst = 0;  // MVM, PROG, SEND: a = src; PROG: b = fail bits
    int32_t wrap_base = 0;
    uint32_t wrap_len = 0;
    Tick at = 0;  // visible at the queue head
  };

  struct Signal {
    Tick at;
    uint8_t token, count;
  };

  /// What the three engines have in common: queue, SIGNALs on their way, own clock.
  struct Engine {
    std::array<Item, 16> queue;  // ring, used up to the engine's depth
    uint32_t head = 0, size = 0;
    std::array<Signal, 32> signals;  // ring, times ascend
    uint32_t sig_head = 0, sig_size = 0;
    Tick ready = 0;        // can take the next item
    Tick wake = kNever;    // looks at the queue head
    Tick done = 0;         // everything taken so far is complete
    bool waiting = false;  // `held` lacks tokens
    Item held;             // the WAIT taken last
    Item& front() { return queue[head]; }
    Signal& first_signal() { return signals[sig_head]; }
  };

  struct Agu {
    int32_t addr = 0, wrap_base = 0;
    uint32_t wrap_len = 0;
    std::array<int32_t, isa::kLoopDepth> inc{};
  };

  struct MvmSlot {
    uint32_t k, row_base, seg_len, n_seg;
    int32_t seg_stride;
    uint32_t pad_top, pad_bottom, pad_left, pad_right;
    uint8_t pad_value;
    uint32_t in_bits, in_slices, w_slices, w_shift, adc_bits, range, group_rows, mux_first, mux_count;
    bool valid;
  };

  struct VecSlot {
    uint32_t len, shift;
    bool requant, relu, valid;
    int64_t mult;
  };

  struct Loop {
    uint32_t first, last, remaining;
  };

  enum class Block : uint8_t { kNone, kToken, kQueue, kIdle };  // what a sequencer without a wake time waits for

  /// Write-verify settings.
  struct ProgSlot {
    int32_t tolerance;
    uint32_t limit, amp_first, amp_last, amp_every, pulse;
    int8_t verify_x;
    bool valid;
  };

  struct ProgJob {  // the PROG in progress: verify, compare and pulse, verify, ...
    bool active = false, compare = false;
    Tick begin = 0, wake = kNever;
    Item item;
    uint32_t iteration = 0;
  };

  struct NetJob {  // a SEND or an answer to a FlitRead in progress
    bool active = false, token_en = false;
    FlitKind kind = FlitKind::kWrite;
    uint8_t tile = 0, token = 0;
    uint32_t src = 0, dst = 0, len = 0;
    int64_t last_line = -1;
  };

  // Sequencer
  void step_sequencer(Tick now);
  void advance(uint32_t next_pc, Tick& t);
  bool push(uint32_t engine, Item& item, Tick t);
  bool engines_idle(Tick now, Tick* when) const;
  void fault(isa::Fault cause, Tick now);
  void overflow(Tick when);
  Tick watchdog_time() const;
  bool illegal_repair(uint32_t word, uint32_t value) const;
  isa::Fault set_config(uint32_t word, uint32_t value, Tick now);
  bool halt(Tick now);
  uint32_t operand(uint64_t field, const Agu** agu = nullptr) const;
  bool in_sram(uint32_t ea, uint32_t bytes) const { return uint64_t{ea} + bytes <= sram_.size(); }
  void decode_mvm_slot(uint32_t i);
  void decode_vec_slot(uint32_t i);
  void decode_prog();
  void refresh_slots();
  /// Track of an engine, which like the RTL's busy bit also shows that work waits in its queue.
  ChipTimeline::Part part(const Engine& e) const {
    constexpr ChipTimeline::Part kPart[] = {ChipTimeline::kMvm, ChipTimeline::kVector, ChipTimeline::kSend};
    return kPart[&e - engine_.data()];
  }
  void trace(ChipTimeline::Part part, Tick first, Tick end) {
    if (timeline_ != nullptr) timeline_->tile_span(number_, part, first, end);
  }

  // Tokens and queues
  void add_token(uint32_t i, uint32_t count, Tick now);
  void take_wait(Engine& e, Tick now);
  void release(Engine& e, Tick now);
  void take_signal(Engine& e, Tick now, Tick latency, Tick busy);
  void pop(Engine& e, Tick now);
  void rearm(Engine& e);
  void fire_signals(Engine& e, Tick now);

  // Engines
  void step_mvm(Tick now);
  void run_mvm(const Item& item, const MvmSlot& s, Tick begin);
  uint32_t fetch(const Item& item, const MvmSlot& s, Tick now);
  Tick schedule_phase(const MvmSlot& s, Tick staged, uint32_t words, Tick acc_free);
  void convert_phase(const MvmSlot& s, uint32_t shift, bool first, uint32_t* sats);
  void post(uint32_t dst, const MvmSlot& s, int64_t shift_sum, uint32_t* sats);
  void start_prog(Tick now);
  void step_prog(Tick now);
  void verify(Tick now);
  void compare(Tick now);
  uint32_t pulse_class(uint32_t c);
  void finish_prog(Tick now);
  void step_vec(Tick now);
  void run_vec(const Item& item, const VecSlot& s);
  void step_net(Tick now);
  void emit(Tick now);

  uint32_t& count(isa::Counter c) { return counters_[static_cast<size_t>(c)]; }

  Geometry geometry_;
  Macro macro_;
  std::vector<uint8_t> sram_;
  std::array<uint32_t, isa::kNumTokens> tokens_{};
  std::array<uint32_t, isa::kNumCounters> counters_{};
  TileStatus status_;

  // Configuration space; AGUs and calibration are kept decoded as well
  std::array<uint32_t, 0x400> config_{};
  std::array<Agu, isa::kNumAgu> agu_;
  std::array<MvmSlot, isa::kNumMvmCfg> mvm_slot_;
  std::array<VecSlot, isa::kNumVecCfg> vec_slot_;
  ProgSlot prog_slot_;
  bool slots_stale_ = true;

  // Sequencer
  uint32_t pc_ = 0;
  std::array<Loop, isa::kLoopDepth> loops_{};
  uint32_t depth_ = 0;
  Tick seq_wake_ = kNever;
  Block seq_block_ = Block::kNone;
  bool draining_ = false;  // after a fault: WAITs are dropped
  Tick started_ = 0;
  Tick watchdog_ = 0;      // cycles, 0: off
  Tick progress_ = 0;      // when something happened last
  Tick trap_at_ = kNever;  // OVERFLOW of an operation that is under way
  bool trap_overflow_ = true;

  std::array<Engine, 3> engine_;  // MVM, VEC, NET
  // MVM pipe: when each resource is free
  std::array<Tick, 2> stage_free_{}, bank_free_{}, acc_free_{};
  uint32_t op_parity_ = 0, drive_parity_ = 0;
  Tick load_free_ = 0, drive_free_ = 0, adc_free_ = 0, post_free_ = 0;
  std::vector<int8_t> in_, x_, codes_;
  std::vector<int32_t> acc_;
  ProgJob prog_;
  std::vector<uint8_t> off_;    // column of the PROG: 0 done, else 1 + class of its pulse
  std::vector<uint32_t> mask_;  // of one pulse, physical columns

  NetJob net_job_, read_command_;
  std::vector<Departure> departures_;

  ChipTimeline* timeline_ = nullptr;
  uint32_t number_ = 0;  ///< of this tile in the trace

  Tick now_ = 0;
  std::vector<Flit> sent_;
};

}  // namespace ohmac::golden
