// SPDX-License-Identifier: Apache-2.0
#include "models/macro/macro.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/converters/adc.h"
#include "models/converters/comparator.h"
#include "models/converters/integrator.h"
#include "models/converters/sample_hold.h"
#include "models/converters/sar_dac.h"
#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/crossbar/wired.h"
#include "models/device/philox.h"
#include "models/macro/mvm_batch.h"

namespace ohmac {
namespace {

constexpr uint32_t kBanks = 2;
constexpr uint32_t kMaxRange = 15;   // 4-bit pin
constexpr float kAlwaysOne = 1e9f;   // steps; above every threshold and its noise
constexpr size_t kMaxErrors = 1000;  // a broken sequencer breaks a rule every cycle; the first ones tell

/// A matrix of one (programmed state, time), computed by the first macro that needs it. Macros that share one have
/// equal devices, times and effects.
class EffectiveCache {
 public:
  EffectiveCache() = default;
  explicit EffectiveCache(const EffectiveMatrix& matrix) : ready_(true), matrix_(matrix) {}
  template <class F>
  const EffectiveMatrix& get(F&& compute) {
    if (!ready()) {
      std::call_once(once_, [&] {
        matrix_ = compute();
        ready_.store(true, std::memory_order_release);
      });
    }
    return matrix_;
  }
  bool ready() const { return ready_.load(std::memory_order_acquire); }
  EffectiveMatrix* matrix() { return &matrix_; }

 private:
  std::once_flag once_;
  std::atomic<bool> ready_{false};
  EffectiveMatrix matrix_;
};

/// Something that a copy of its owner starts without.
template <class T>
struct NotCopied {
  NotCopied() = default;
  NotCopied(const NotCopied&) {}
  NotCopied& operator=(const NotCopied&) {
    value = nullptr;
    return *this;
  }
  std::unique_ptr<T> value;
};

/// One bank of sample-and-holds. Columns are computed when they are first looked at, a chunk at a time: draws are named
/// by drive and column, so when it happens changes nothing.
struct HoldBank {
  bool valid = false;
  uint64_t drive = 0;         // number of the drive sampled
  uint64_t sample_cycle = 0;  // pin level
  ActiveRows rows;            // input of that drive
  ActiveRows one;             // with wires, if it drives one row: that row as row 0, the reference row as row 1
  bool has_one = false;
  uint32_t one_row = 0;
  float settled = 1;
  std::vector<uint8_t> done;  // [chunk] s is computed
  std::vector<float> s;       // [chunks * kChunk], unit products
};

const MacroConfig& checked(const MacroConfig& c) {
  const Geometry& g = c.geometry;
  if (g.rows == 0 || g.rows % 4 != 0 || g.rows > 1020)
    throw std::invalid_argument("macro: rows must be a multiple of 4, 4..1020");
  if (g.lanes == 0 || g.lanes % 8 != 0) throw std::invalid_argument("macro: lanes must be a multiple of 8");
  if (g.cols == 0 || g.cols % g.lanes != 0 || g.mux() > 256 || g.cols > 65535)
    throw std::invalid_argument("macro: cols must be a multiple of lanes, at most 256 blocks and 65535 columns");
  if (g.spares > g.lanes) throw std::invalid_argument("macro: spares must be at most lanes");
  if (c.faults.open_columns > g.cols + g.spares)
    throw std::invalid_argument("macro: more open columns than columns and spares");
  if (c.faults.open_rows > g.rows) throw std::invalid_argument("macro: more open rows than rows");
  if (c.faults.dead_lanes > g.lanes) throw std::invalid_argument("macro: more dead lanes than lanes");
  for (const DeadLane& d : c.faults.dead_lane_list)
    if (d.lane >= g.lanes)
      throw std::invalid_argument("macro: dead lane " + std::to_string(d.lane) + " does not exist");
  if (c.tile > 0xffff) throw std::invalid_argument("macro: tile must be below 65536");
  if (!(c.clock_ns > 0)) throw std::invalid_argument("macro: clock_ns must be > 0");
  if (c.technology == nullptr) throw std::invalid_argument("macro: no technology");
  check_age(c.age_s);
  check_wires(c.wires);
  if (c.effects.has(Effect::kWire) && c.read_noise == ReadNoise::kDevice)
    throw std::invalid_argument("macro: read noise drawn a device knows no wires; switch the effect wire off");
  return c;
}

uint8_t stream(const EffectSet& set, Effect e) {
  return set.has(e) ? kEffects[static_cast<unsigned>(e)].kind : uint8_t{0};
}

/// The `count` of n things with the smallest draws of a kind, in ascending order. The second word of a draw is at
/// `word[thing]`.
std::vector<uint32_t> drawn(const MacroConfig& c, uint8_t kind, uint32_t n, uint32_t count,
                            std::vector<uint32_t>* word = nullptr) {
  std::vector<std::pair<uint32_t, uint32_t>> draws(count == 0 ? 0 : n);
  if (word != nullptr) word->assign(n, 0);
  for (uint32_t i = 0; i < draws.size(); ++i) {
    const RandomBlock r = philox(c.chip_seed, Draw{kind, i, static_cast<uint16_t>(c.tile), 0, 0});
    draws[i] = {r[0], i};
    if (word != nullptr) (*word)[i] = r[1];
  }
  std::sort(draws.begin(), draws.end());
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < count; ++i) out.push_back(draws[i].second);
  std::sort(out.begin(), out.end());
  return out;
}

/// `count` of n drawn, and a list besides.
std::vector<uint32_t> fabricate_open(const MacroConfig& c, uint8_t kind, uint32_t n, uint32_t count,
                                     const std::vector<uint32_t>& list) {
  std::vector<uint32_t> open = drawn(c, kind, n, count);
  open.insert(open.end(), list.begin(), list.end());
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end()), open.end());
  return open;
}

std::vector<DeadLane> fabricate_dead(const MacroConfig& c) {
  std::vector<uint32_t> word;
  std::vector<DeadLane> dead;
  for (uint32_t l : drawn(c, kDeadLaneKind, c.geometry.lanes, c.faults.dead_lanes, &word))
    dead.push_back({l, (word[l] & 1) != 0});
  for (const DeadLane& d : c.faults.dead_lane_list) dead.push_back(d);
  return dead;
}

ArrayConfig array_config(const MacroConfig& c) {
  ArrayConfig a;
  a.rows = c.geometry.rows;
  a.cols = c.geometry.cols;
  a.tile = static_cast<uint16_t>(c.tile);
  a.chip_seed = c.chip_seed;
  a.programming_kind = stream(c.effects, Effect::kProgrammingNoise);
  a.stuck_kind = stream(c.effects, Effect::kStuck);
  a.drift_kind = stream(c.effects, Effect::kDrift);
  a.read_noise = c.effects.has(Effect::kReadNoise);
  a.lanes = c.geometry.lanes;
  a.spares = c.geometry.spares;
  a.technology = c.technology;
  a.levels = c.effects.has(Effect::kLevels);
  a.on_off = c.effects.has(Effect::kOnOff);
  a.device_noise = c.read_noise == ReadNoise::kDevice;
  a.pulse_noise_kind = stream(c.effects, Effect::kPulseNoise);
  a.pulse_variation_kind = stream(c.effects, Effect::kPulseVariation);
  a.wear_kind = stream(c.effects, Effect::kWear);
  a.stuck_fraction = c.faults.stuck_fraction;
  a.open_fraction = c.faults.open_fraction;
  a.open = fabricate_open(c, kOpenColumnKind, c.geometry.cols + c.geometry.spares, c.faults.open_columns,
                          c.faults.open_list);
  a.open_rows = fabricate_open(c, kOpenRowKind, c.geometry.rows, c.faults.open_rows, c.faults.open_row_list);
  return a;
}

RowDac::Config dac_config(const MacroConfig& c) {
  RowDac::Config d;
  d.mode = c.dac;
  d.rows = c.geometry.rows + 1;
  d.tile = static_cast<uint16_t>(c.tile);
  d.chip_seed = c.chip_seed;
  d.gain_kind = stream(c.effects, Effect::kDacGain);
  d.offset_kind = stream(c.effects, Effect::kDacOffset);
  d.inl_kind = stream(c.effects, Effect::kDacInl);
  d.noise_kind = stream(c.effects, Effect::kDacNoise);
  d.settling = c.effects.has(Effect::kSettling);
  return d;
}

}  // namespace

struct Macro::Impl {
  explicit Impl(const MacroConfig& c)
      : config(checked(c)),
        lanes(c.geometry.lanes),
        devices(std::make_shared<DeviceArray>(array_config(c))),
        cache(std::make_shared<EffectiveCache>()),
        wired(c.effects.has(Effect::kWire) && c.wires.any()),
        wired_cache(std::make_shared<EffectiveCache>()),
        lane_errors(fabricate_lanes(lanes, static_cast<uint16_t>(c.tile), c.chip_seed,
                                    stream(c.effects, Effect::kLaneGain), stream(c.effects, Effect::kLaneOffset))),
        row_dac(dac_config(c)),
        settles(c.effects.has(Effect::kSettling) && c.dac == DacMode::kVoltage),
        bends(c.effects.has(Effect::kSaturation) || c.effects.has(Effect::kHoldNoise)),
        window(c.effects.has(Effect::kComparatorUncertainty) ? uncertain_window_steps(c.clock_ns) : 0.0f),
        dead_lanes(fabricate_dead(c)),
        y(lane_errors.gain.size(), 0.0f),
        bent(bends ? lanes : 0, 0.0f),
        adc(lane_errors, lanes, c.geometry.cols),
        codes(lanes, 0),
        mask((c.geometry.cols + 31) / 32, 0),
        driven(c.geometry.rows + 1, 0) {
    for (auto& l : latch) l.assign(c.geometry.rows + 1, 0);
    const uint32_t chunks = (c.geometry.cols + kChunk - 1) / kChunk;
    for (auto& h : hold) {
      h.done.assign(chunks, 0);
      h.s.assign(static_cast<size_t>(chunks) * kChunk, 0.0f);
    }
    if (c.effects.has(Effect::kSarMismatch)) {
      sar_dac = std::make_shared<const SarDac>(lanes, static_cast<uint16_t>(c.tile), c.chip_seed,
                                               stream(c.effects, Effect::kSarMismatch));
    }
    if (sar_dac != nullptr || window != 0) trial_y.assign(y.size(), 0.0f);
    for (const DeadLane& d : dead_lanes) {
      for (uint32_t col = d.lane; col < c.geometry.cols; col += lanes) {
        adc.gain[col] = 0;
        adc.offset[col] = d.level ? kAlwaysOne : -kAlwaysOne;
      }
    }
    noise.kind = stream(c.effects, Effect::kComparatorNoise);
    noise.tile = static_cast<uint16_t>(c.tile);
    noise.run_seed = c.run_seed;
  }

  MacroConfig config;
  uint32_t lanes;
  std::shared_ptr<DeviceArray> devices;   // copied before a change if another macro shares it
  std::shared_ptr<EffectiveCache> cache;  // of the devices themselves
  const bool wired;
  std::shared_ptr<EffectiveCache> wired_cache;  // of the devices in their wires
  NotCopied<WiredRows> wired_rows;              // for drives of single rows, as verify reads are
  LaneErrors lane_errors;
  RowDac row_dac;
  const bool settles;                     // all columns by one factor
  const bool bends;                       // the value held is not the integrator's signal
  const float window;                     // of undecided trials, steps
  std::shared_ptr<const SarDac> sar_dac;  // null: ideal
  std::vector<DeadLane> dead_lanes;
  double now_s = 0;  // chip time
  uint64_t drive_count = 0;
  ConversionTrace* trace = nullptr;
  ArrayActivity* activity = nullptr;
  std::vector<ProtocolError> errors;

  HoldBank hold[kBanks];  // function level uses bank 0
  ComparatorNoise noise;  // of the conversion in progress
  std::vector<float> y;   // its levels at the comparators, steps

  // Scratch of a conversion.
  std::vector<uint8_t> cmp_bits;
  std::vector<float> bent, trial_y;  // what is held in place of the signal; y in place of shifted thresholds
  // Whole MVMs.
  AdcColumns adc;       // dead lanes included
  Conversions drooped;  // what adc.droop stands for
  MvmBatch batch;

  // Pin level.
  uint64_t steps = 0;
  std::vector<int8_t> latch[kBanks];
  bool driving = false, driven_bank = false;
  uint32_t integration = 0;  // cycles
  uint8_t mux_sel = 0;
  bool mux_bank = false;
  uint64_t mux_changed = ~uint64_t{0};
  bool converting = false;
  uint32_t trial = 0;
  uint8_t range = 0;
  uint64_t traced_drive = 0;
  uint32_t traced_block = 0;
  std::vector<int8_t> codes;   // what the trials so far amount to
  std::vector<uint32_t> mask;  // column mask of pulses
  bool was_enabled = false;    // program mode in the last cycle
  uint32_t pulse_cycles = 0;   // of the pulse in progress
  ProgIn pulsing;              // its pins

  // Scratch.
  std::vector<int8_t> driven;  // x of the drive in progress
  ActiveRows rows;             // taken by sample()
  uint32_t settled_cycles = 0;
  float settled = 1;

  void forget_observers() {
    trace = nullptr;
    activity = nullptr;
  }

  void error(const char* rule) {
    if (errors.size() < kMaxErrors) errors.push_back({steps - 1, config.tile, rule});
  }

  /// Counts the inputs of n drives, x[n][rows + 1].
  void note_drives(const int8_t* x, size_t n) {
    if (activity == nullptr) return;
    const size_t lines = config.geometry.rows + 1;
    for (size_t v = 0; v < n; ++v, x += lines) {
      for (size_t r = 0; r < lines; ++r) {
        const uint32_t magnitude = static_cast<uint32_t>(x[r] < 0 ? -x[r] : x[r]);
        activity->row_sum[r] += magnitude;
        activity->row_square[r] += magnitude * magnitude;
      }
    }
  }

  void note_pulse(bool set, const uint32_t* columns) {
    if (activity == nullptr) return;
    uint64_t devices_hit = 0;
    for (uint32_t c = 0; c < config.geometry.cols; ++c) devices_hit += columns[c / 32] >> (c % 32) & 1;
    (set ? activity->set_pulses : activity->reset_pulses) += devices_hit;
  }

  /// Part of the signal that an integration reaches.
  float settled_part(uint32_t integrate_cycles) {
    if (settles && integrate_cycles != settled_cycles) {
      settled_cycles = integrate_cycles;
      settled = settling_factor(integrate_cycles * config.clock_ns);
    }
    return settled;
  }

  /// Nothing acts that the kernels of whole MVMs do not know: wires, DACs, bends and searches other than the plain
  /// ones.
  bool plain() const {
    return !wired && row_dac.ideal() && !bends && sar_dac == nullptr && window == 0 &&
           config.read_noise == ReadNoise::kColumn;
  }

  float droop_part(uint64_t hold_cycles) const {
    return config.effects.has(Effect::kDroop) ? droop_factor(static_cast<double>(hold_cycles) * config.clock_ns) : 1.0f;
  }

  /// Sets adc.droop for these conversions.
  void hold_columns(const Conversions& c) {
    if (c.first_block == drooped.first_block && c.blocks == drooped.blocks && c.hold_cycles == drooped.hold_cycles &&
        c.period_cycles == drooped.period_cycles)
      return;
    for (uint32_t k = 0; k < c.blocks; ++k) {
      float* block = adc.droop.data() + static_cast<size_t>(c.first_block + k) * lanes;
      std::fill(block, block + lanes, droop_part(c.hold_cycles + uint64_t{k} * c.period_cycles));
    }
    drooped = c;
  }

  /// Samples the drive with the input in `rows`.
  void sample(HoldBank* bank, uint64_t drive, uint32_t integrate_cycles) {
    row_dac.apply(config.run_seed, drive, integrate_cycles * config.clock_ns, rows.rows(0), rows.count(0), rows.x(0),
                  rows.x2(0));
    bank->settled = settled_part(integrate_cycles);
    bank->valid = true;
    bank->drive = drive;
    std::swap(bank->rows, rows);
    if (wired) single_row(bank);
    std::fill(bank->done.begin(), bank->done.end(), uint8_t{0});
  }

  /// Whether a drive drives one row and nothing else but the reference row.
  void single_row(HoldBank* bank) {
    const uint32_t reference = config.geometry.rows;
    const ActiveRows& all = bank->rows;
    const uint32_t* row = all.rows(0);
    const uint32_t n = all.count(0);
    const bool has_reference = n != 0 && row[n - 1] == reference;
    bank->has_one = n == (has_reference ? 2u : 1u) && row[0] != reference;
    if (!bank->has_one) return;
    bank->one_row = row[0];
    const int8_t driven_rows[2] = {1, has_reference ? int8_t{1} : int8_t{0}};
    bank->one.assign(driven_rows, 2);
    for (uint32_t k = 0; k < n; ++k) {
      bank->one.x(0)[k] = all.x(0)[row[k]];
      bank->one.x2(0)[k] = all.x2(0)[row[k]];
    }
  }

  const EffectiveMatrix& unwired_matrix() {
    return cache->get([&] { return devices->effective(time()); });
  }
  /// Matrix of a drive of several rows.
  const EffectiveMatrix& matrix() {
    if (!wired) return unwired_matrix();
    return wired_cache->get([&] { return devices->wired(unwired_matrix(), config.wires); });
  }
  /// Matrix of a drive of one row. Always computed in this way, so that its bits do not depend on what was read before.
  std::shared_ptr<const EffectiveMatrix> row_matrix(uint32_t row) {
    const EffectiveMatrix& m = unwired_matrix();
    if (wired_rows.value == nullptr)
      wired_rows.value =
          std::make_unique<WiredRows>(m.rows, m.cols, devices->readings(m), config.wires, devices->unit_per_siemens());
    return wired_rows.value->read(row, m);
  }
  /// Devices or time have changed.
  void forget_wires() {
    if (!wired) return;
    wired_cache = std::make_shared<EffectiveCache>();
    wired_rows.value = nullptr;
  }

  /// Column values of a chunk: product, read noise, settling.
  void compute(HoldBank* bank, uint32_t chunk) {
    const bool one = wired && bank->has_one;
    const std::shared_ptr<const EffectiveMatrix> of_row = one ? row_matrix(bank->one_row) : nullptr;
    const EffectiveMatrix& m = one ? *of_row : matrix();
    const ActiveRows& driven_rows = one ? bank->one : bank->rows;
    float* s = bank->s.data() + static_cast<size_t>(chunk) * kChunk;
    float variance[kChunk];
    column_sums(m, driven_rows, chunk, s, variance);
    if (m.wire_noise != nullptr) add_wire_variance(m, driven_rows, chunk, variance);
    if (!m.s[0].empty()) {
      add_device_noise(m, driven_rows, chunk, config.run_seed, kDeviceNoiseKind, bank->drive,
                       static_cast<uint16_t>(config.tile), s);
    } else if (!m.v.empty()) {
      add_read_noise(chunk, config.run_seed, kEffects[static_cast<unsigned>(Effect::kReadNoise)].kind, bank->drive,
                     static_cast<uint16_t>(config.tile), variance, s);
    }
    if (settles)
      for (uint32_t c = 0; c < kChunk; ++c) s[c] *= bank->settled;
    bank->done[chunk] = 1;
  }

  /// Computes what is sampled and not yet looked at, before devices, age or seed change.
  void finish_samples() {
    for (auto& bank : hold)
      for (uint32_t k = 0; bank.valid && k < bank.done.size(); ++k)
        if (!bank.done[k]) compute(&bank, k);
  }

  ArrayTime time() const { return {config.age_s, now_s}; }

  /// Devices that no other macro shares, to be changed.
  DeviceArray& own_devices() {
    if (devices.use_count() != 1) devices = std::make_shared<DeviceArray>(*devices);
    std::atomic_thread_fence(std::memory_order_acquire);  // the macro that shared them may have ended on another thread
    return *devices;
  }

  /// Matrix that no other macro shares, to be changed along with the devices; null if it is still to be computed.
  EffectiveMatrix* own_matrix() {
    if (cache.use_count() != 1)
      cache = cache->ready() ? std::make_shared<EffectiveCache>(*cache->matrix()) : std::make_shared<EffectiveCache>();
    std::atomic_thread_fence(std::memory_order_acquire);
    return cache->ready() ? cache->matrix() : nullptr;
  }

  void pulse(uint32_t row, bool neg, bool set, uint32_t amp, uint32_t cycles, const uint32_t* columns) {
    finish_samples();
    note_pulse(set, columns);
    own_devices().pulse(Pulse{row, neg, set, amp, cycles * config.clock_ns}, columns, time(), own_matrix());
    if (!wired) return;
    wired_cache = std::make_shared<EffectiveCache>();
    if (wired_rows.value == nullptr) return;
    const size_t width = 2 * static_cast<size_t>(config.geometry.cols);
    std::vector<double> g(width), sigma(width);
    devices->read_row(unwired_matrix(), row, g.data(), sigma.data());
    wired_rows.value->set_row(row, g.data(), sigma.data());
  }

  void repair(uint32_t lane, bool enable, uint32_t block) {
    if (!devices->repair_changes(lane, enable, block)) return;  // throws
    finish_samples();
    own_devices().repair(lane, enable, block, time(), own_matrix());
    forget_wires();
  }

  void repair_clear() {
    for (uint32_t l = 0; devices->repaired() && l < config.geometry.spares; ++l) repair(l, false, 0);
  }

  /// What is held of the signals of a block: integrator and sample work in steps, as the range trims their gain.
  const float* bend(const float* signal, uint64_t drive, uint32_t block, uint32_t step_range) {
    const auto step = static_cast<float>(1u << step_range);  // a power of two: exact
    for (uint32_t l = 0; l < lanes; ++l) bent[l] = signal[l] * (1.0f / step);
    if (config.effects.has(Effect::kSaturation)) saturate(bent.data(), lanes);
    if (const uint8_t kind = stream(config.effects, Effect::kHoldNoise); kind != 0) {
      add_hold_noise(config.run_seed, kind, drive, static_cast<uint16_t>(config.tile), block * lanes, lanes,
                     bent.data());
    }
    for (uint32_t l = 0; l < lanes; ++l) bent[l] *= step;
    return bent.data();
  }

  /// Comparator bits of one trial of the conversion in progress.
  void compare(uint32_t number, const int8_t* code, uint8_t* cmp) {
    const float* level = y.data();
    if (!trial_y.empty()) {
      if (sar_dac != nullptr) {
        sar_dac->levels(level, code, lanes, trial_y.data());
      } else {
        std::copy(y.begin(), y.end(), trial_y.begin());
      }
      if (window != 0) {
        add_uncertainty(config.run_seed, stream(config.effects, Effect::kComparatorUncertainty), noise.drive,
                        static_cast<uint16_t>(config.tile), noise.mux_sel * 16 + number, window, lanes, trial_y.data());
      }
      level = trial_y.data();
    }
    sar_trial(noise, number, level, code, lanes, cmp);
  }

  /// The search of a whole conversion, trial by trial.
  void search(uint32_t bits, int8_t* out) {
    const int32_t half = 1 << (bits - 1);
    cmp_bits.resize(lanes);
    std::fill(out, out + lanes, static_cast<int8_t>(-half));
    for (uint32_t i = 0; i < bits; ++i) {
      for (uint32_t l = 0; l < lanes; ++l) out[l] = static_cast<int8_t>(out[l] + (half >> i));
      compare(i, out, cmp_bits.data());
      for (uint32_t l = 0; l < lanes; ++l)
        if (cmp_bits[l] == 0) out[l] = static_cast<int8_t>(out[l] - (half >> i));
    }
  }

  /// First trial of a conversion: what the comparators see and which noise they draw.
  void begin_conversion(HoldBank& bank, uint32_t block, uint64_t hold_cycles, uint32_t step_range) {
    for (uint32_t k = block * lanes / kChunk; k <= (block * lanes + lanes - 1) / kChunk; ++k)
      if (!bank.done[k]) compute(&bank, k);
    const float* held = bank.s.data() + static_cast<size_t>(block) * lanes;
    if (bends) held = bend(held, bank.drive, block, step_range);
    adc_levels(lane_errors, held, droop_part(hold_cycles), step_range, lanes, y.data());
    for (const DeadLane& d : dead_lanes) y[d.lane] = d.level ? kAlwaysOne : -kAlwaysOne;
    noise.drive = bank.drive;
    noise.mux_sel = block;
  }

  void program_pins(const PinsIn& p) {
    const ProgIn& g = p.prog;
    if (pulse_cycles != 0 && !g.pulse) {
      if (pulsing.row >= config.geometry.rows) {
        error("prog.row: no such row");
      } else {
        pulse(pulsing.row, pulsing.neg, pulsing.set, pulsing.amp, pulse_cycles, mask.data());
      }
      pulse_cycles = 0;
    }
    if ((g.mask_we | g.pulse) && !(g.en && was_enabled))
      error("prog.en: must be 1 in the cycle before the first mask_we or pulse and through them");
    if (g.en && (p.drive | p.integrate | p.sample | p.sar_strobe))
      error("prog.en: drive, integrate, sample and sar_strobe must be 0 in program mode");
    was_enabled = g.en;
    if (g.mask_we) write_mask(p);
    if (g.pulse) {
      if (pulse_cycles != 0 &&
          (g.row != pulsing.row || g.neg != pulsing.neg || g.set != pulsing.set || g.amp != pulsing.amp))
        error("prog.row, neg, set, amp: changed during a pulse");
      if (pulse_cycles == 0) pulsing = g;
      ++pulse_cycles;
    }
    if (g.repair_clr) repair_clear();
    if (g.repair_we) repair_pins(p);
  }

  void write_mask(const PinsIn& p) {
    if (p.row_we | p.prog.pulse) error("prog.mask_we: not together with row_we or pulse");
    if (p.row_addr >= mask.size()) return error("prog.mask_we: row_addr beyond the column mask");
    mask[p.row_addr] = p.row_wdata;
  }

  void repair_pins(const PinsIn& p) {
    if (p.prog.en | p.drive | p.row_we) error("prog.repair_we: en, drive and row_we must be 0");
    const bool enable = (p.row_wdata >> 8 & 1) != 0;
    const uint32_t lane = p.row_addr, block = p.row_wdata & 0x3f;
    if (enable && lane >= config.geometry.spares) return error("prog.repair_we: the lane has no spare column");
    if (enable && block >= config.geometry.mux()) return error("prog.repair_we: no such column block");
    repair(lane, enable, block);
  }

  void write_latches(const PinsIn& p) {
    for (uint32_t b = 0; b < kBanks; ++b) {
      if ((p.row_clr >> b & 1) == 0) continue;
      if (p.drive && p.drive_bank == (b == 1)) error("row_clr: clears the latch bank that is being driven");
      latch[b].assign(latch[b].size(), 0);
    }
    if (!p.row_we) return;
    if (p.drive && p.drive_bank == p.row_bank) error("row_we: writes the latch bank that is being driven");
    const uint32_t row = p.row_addr * 4u;
    if (row > config.geometry.rows) {
      error("row_addr: beyond the word of the reference row");
      return;
    }
    auto& l = latch[p.row_bank];
    for (uint32_t i = 0; i < 4 && row + i < l.size(); ++i) {
      const uint32_t byte = p.row_wdata >> (8 * i) & 0xff;
      const int magnitude = static_cast<int>(byte & 0x7f);
      l[row + i] = static_cast<int8_t>((byte & 0x80) != 0 ? -magnitude : magnitude);
    }
  }

  void drive_and_integrate(const PinsIn& p) {
    if (p.drive && (!driving || p.int_rst)) {
      if (!p.int_rst) error("drive: int_rst must be 1 in the first cycle of a drive");
      ++drive_count;
      driven_bank = p.drive_bank;
      driven = latch[p.drive_bank];
      note_drives(driven.data(), 1);
    } else if (p.drive && p.drive_bank != driven_bank) {
      error("drive_bank: changed during a drive");
      driven_bank = p.drive_bank;
    }
    driving = p.drive;
    if (p.int_rst) integration = 0;
    if (!p.integrate) return;
    if (p.drive) {
      ++integration;
    } else {
      error("integrate: must lie inside drive");
    }
  }

  void strobe(const PinsIn& p, const int8_t* sar_code, uint8_t* cmp) {
    const bool moved = mux_changed == steps - 1;
    HoldBank& bank = hold[p.mux_bank];
    if (converting && (moved || p.range != range)) {
      error(moved ? "mux_sel, mux_bank: changed during a conversion" : "range: changed during a conversion");
      close_conversion();
    } else if (moved) {
      error("sar_strobe: mux_sel or mux_bank changed in this cycle; strobe one cycle later at the earliest");
    }
    if (p.mux_sel >= config.geometry.mux() || !bank.valid) {
      error(bank.valid ? "mux_sel: no such column block"
                       : "sar_strobe: mux_bank selects a bank that was never sampled");
      close_conversion();
      for (uint32_t l = 0; l < lanes; ++l) cmp[l] = 0;
      return;
    }
    if (!converting) {
      converting = true;
      trial = 0;
      range = p.range;
      traced_drive = bank.drive;
      traced_block = p.mux_sel;
      begin_conversion(bank, p.mux_sel, steps - 1 - bank.sample_cycle, p.range);
    }
    if (trial == kMaxAdcBits) error("sar_strobe: more than 8 trials in a conversion");
    compare(trial < kMaxAdcBits ? trial : kMaxAdcBits, sar_code, cmp);
    if (trial <= kMaxAdcBits) ++trial;
    if (trace == nullptr) return;
    // The last trial decides between its threshold and the code below.
    for (uint32_t l = 0; l < lanes; ++l) codes[l] = static_cast<int8_t>(sar_code[l] - (cmp[l] ? 0 : 1));
  }

  void close_conversion() {
    if (converting && trace != nullptr) trace->conversion(config.tile, traced_drive, traced_block, codes.data(), lanes);
    converting = false;
  }

  void sample_pin(const PinsIn& p) {
    if (p.sar_strobe && p.mux_bank == p.sample_bank) error("sample: the bank is being converted");
    if (!p.drive) return error("sample: drive must be 1");
    if (integration == 0) return error("sample: nothing was integrated since int_rst");
    rows.assign(driven.data(), static_cast<uint32_t>(driven.size()));
    HoldBank& bank = hold[p.sample_bank];
    sample(&bank, drive_count - 1, integration);
    bank.sample_cycle = steps - 1;
  }
};

Macro::Macro(const MacroConfig& config) : impl_(std::make_unique<Impl>(config)) {}
Macro::~Macro() = default;
Macro::Macro(const Macro& o) : impl_(std::make_unique<Impl>(*o.impl_)) { impl_->forget_observers(); }
Macro& Macro::operator=(const Macro& o) {
  if (this != &o) {
    impl_ = std::make_unique<Impl>(*o.impl_);
    impl_->forget_observers();
  }
  return *this;
}

void Macro::program_cells(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets) {
  Impl& s = *impl_;
  s.finish_samples();
  s.own_devices().program(row0, col0, rows, cols, targets, s.time());
  s.forget_wires();
  if (s.cache.use_count() == 1 && s.cache->ready()) {
    s.devices->update(s.cache->matrix(), s.time(), row0, col0, rows, cols);
  } else if (s.cache.use_count() != 1) {
    s.cache = std::make_shared<EffectiveCache>();
  }
}

void Macro::set_age(double age_s) {
  check_age(age_s);
  if (age_s == impl_->config.age_s) return;
  impl_->finish_samples();
  impl_->config.age_s = age_s;
  impl_->cache = std::make_shared<EffectiveCache>();
  impl_->forget_wires();
}

void Macro::advance_time(double seconds) {
  Impl& s = *impl_;
  if (!(seconds >= 0)) throw std::domain_error("advance_time: seconds must be >= 0");
  check_age(s.config.age_s + (s.now_s + seconds));
  if (seconds == 0) return;
  s.finish_samples();
  s.own_devices().reserve_epoch();
  s.now_s += seconds;
  s.cache = std::make_shared<EffectiveCache>();
  s.forget_wires();
}

double Macro::chip_time_s() const { return impl_->now_s; }

void Macro::set_run_seed(uint64_t seed) {
  impl_->finish_samples();
  impl_->config.run_seed = seed;
  impl_->noise.run_seed = seed;
}

uint64_t Macro::drive_count() const { return impl_->drive_count; }
void Macro::set_drive_count(uint64_t n) { impl_->drive_count = n; }
void Macro::set_trace(ConversionTrace* trace) { impl_->trace = trace; }
void Macro::set_activity(ArrayActivity* activity) {
  impl_->activity = activity;
  if (activity == nullptr) return;
  activity->row_sum.resize(impl_->config.geometry.rows + 1);
  activity->row_square.resize(impl_->config.geometry.rows + 1);
}
const MacroConfig& Macro::config() const { return impl_->config; }
const std::vector<ProtocolError>& Macro::protocol_errors() const { return impl_->errors; }

void Macro::step(const PinsIn& pins, const int8_t* sar_code, uint8_t* cmp) {
  Impl& s = *impl_;
  const uint64_t now = s.steps++;
  if ((pins.mux_sel != s.mux_sel) | (pins.mux_bank != s.mux_bank)) {
    s.mux_sel = pins.mux_sel;
    s.mux_bank = pins.mux_bank;
    s.mux_changed = now;
  }
  const bool busy = pins.row_we | (pins.row_clr != 0) | pins.drive | pins.integrate | pins.int_rst | pins.sample |
                    pins.sar_strobe | s.driving | s.converting;
  const ProgIn& g = pins.prog;
  if (g.en | g.mask_we | g.pulse | g.repair_we | g.repair_clr | s.was_enabled | (s.pulse_cycles != 0))
    s.program_pins(pins);
  if (!busy) return;
  if (pins.row_we | (pins.row_clr != 0)) s.write_latches(pins);
  if (pins.drive | pins.integrate | pins.int_rst | s.driving) s.drive_and_integrate(pins);
  if (pins.sar_strobe) {
    s.strobe(pins, sar_code, cmp);
  } else if (s.converting) {
    s.close_conversion();
  }
  if (pins.sample) s.sample_pin(pins);  // at the end of the cycle
}

void Macro::pulse(uint32_t row, bool neg, bool set, uint32_t amp, uint32_t cycles, const uint32_t* mask) {
  if (row >= impl_->config.geometry.rows) throw std::out_of_range("pulse: no such row");
  if (amp >= kPulseAmplitudes) throw std::out_of_range("pulse: amplitude must be 0..15");
  if (cycles == 0) throw std::invalid_argument("pulse: cycles must be >= 1");
  impl_->pulse(row, neg, set, amp, cycles, mask);
}

void Macro::repair(uint32_t lane, bool enable, uint32_t block) { impl_->repair(lane, enable, block); }
void Macro::repair_clear() { impl_->repair_clear(); }

DeviceReport Macro::device_report() const {
  const ArrayState& a = impl_->devices->state();
  DeviceReport r;
  r.devices = static_cast<uint32_t>(a.flags.size());
  for (size_t d = 0; d < a.flags.size(); ++d) {
    r.stuck += (a.flags[d] & DeviceArray::kStuck) != 0;
    r.worn += (a.flags[d] & DeviceArray::kWorn) != 0;
    r.pulses += a.pulses[d];
    r.most_pulses = std::max(r.most_pulses, a.pulses[d]);
  }
  return r;
}

std::vector<float> Macro::weights(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols) const {
  const Geometry& g = impl_->config.geometry;
  if (row0 > g.rows || rows > g.rows - row0 || col0 > g.cols || cols > g.cols - col0)
    throw std::out_of_range("weights: region outside the array");
  const EffectiveMatrix& m = impl_->matrix();
  std::vector<float> w;
  w.reserve(static_cast<size_t>(rows) * cols);
  for (uint32_t r = row0; r < row0 + rows; ++r)
    for (uint32_t c = col0; c < col0 + cols; ++c) w.push_back(m.w[m.index(r, c)]);
  return w;
}

WeightError Macro::weight_error(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                                const int8_t* targets) const {
  const std::vector<float> w = weights(row0, col0, rows, cols);
  WeightError e;
  double second = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    const double d = static_cast<double>(w[i]) - targets[i];
    e.mean += d;
    second += d * d;
    e.largest = std::max(e.largest, d < 0 ? -d : d);
  }
  if (w.empty()) return e;
  e.mean /= static_cast<double>(w.size());
  e.sigma = __builtin_sqrt(std::max(0.0, second / static_cast<double>(w.size()) - e.mean * e.mean));
  return e;
}

std::vector<double> Macro::row_conductances_us() const {
  const Geometry& g = impl_->config.geometry;
  const EffectiveMatrix& m = impl_->unwired_matrix();
  std::vector<double> conductance(g.rows + 1), devices(2 * static_cast<size_t>(g.cols)), sigma(devices.size());
  for (uint32_t r = 0; r < g.rows; ++r) {
    impl_->devices->read_row(m, r, devices.data(), sigma.data());
    double sum = 0;
    for (double d : devices) sum += d;
    conductance[r] = 1e6 * sum;
  }
  for (uint32_t c = 0; c < g.cols; ++c)
    conductance[g.rows] += m.w[m.index(g.rows, c)] / 127.0 * impl_->config.technology->gmax_us;
  return conductance;
}

std::vector<uint32_t> Macro::open_rows() const { return impl_->devices->config().open_rows; }
std::vector<uint32_t> Macro::open_columns() const { return impl_->devices->config().open; }
std::vector<DeadLane> Macro::dead_lanes() const { return impl_->dead_lanes; }

DeviceState Macro::device_state() const {
  const Impl& s = *impl_;
  return {s.drive_count, s.now_s, s.config.age_s, s.devices->state()};
}

void Macro::set_device_state(const DeviceState& state) {
  Impl& s = *impl_;
  check_age(state.age_s + state.chip_time_s);
  check_age(state.age_s);
  for (double t : state.array.epochs)
    if (!(t <= state.chip_time_s))
      throw std::invalid_argument("device state: something was programmed after chip time");
  auto devices = std::make_shared<DeviceArray>(*s.devices);
  devices->set_state(state.array);
  s.devices = std::move(devices);
  s.cache = std::make_shared<EffectiveCache>();
  s.forget_wires();
  s.drive_count = state.drive_count;
  s.now_s = state.chip_time_s;
  s.config.age_s = state.age_s;
  for (auto& bank : s.hold) bank.valid = false;
}

void Macro::flush_trace() { impl_->close_conversion(); }

void Macro::drive(const int8_t* x, uint32_t integrate_cycles) {
  Impl& s = *impl_;
  if (integrate_cycles == 0) throw std::invalid_argument("drive: integrate_cycles must be >= 1");
  s.note_drives(x, 1);
  s.rows.assign(x, s.config.geometry.rows + 1);
  s.sample(&s.hold[0], s.drive_count++, integrate_cycles);
}

void Macro::convert(uint32_t block, uint32_t hold_cycles, uint32_t range, uint32_t bits, int8_t* codes) {
  Impl& s = *impl_;
  if (block >= s.config.geometry.mux()) throw std::out_of_range("convert: no such column block");
  if (range > kMaxRange) throw std::out_of_range("convert: range must be 0..15");
  if (bits < 1 || bits > kMaxAdcBits) throw std::out_of_range("convert: bits must be 1..8");
  if (!s.hold[0].valid) throw std::logic_error("convert: nothing was driven yet");
  s.begin_conversion(s.hold[0], block, hold_cycles, range);
  if (s.trial_y.empty()) {
    sar_convert(s.noise, s.y.data(), bits, s.lanes, codes);
  } else {
    s.search(bits, codes);
  }
  if (s.trace != nullptr) s.trace->conversion(s.config.tile, s.hold[0].drive, block, codes, s.lanes);
}

void Macro::mvm(const int8_t* x, uint32_t n, uint32_t integrate_cycles, const Conversions& c, int8_t* codes) {
  Impl& s = *impl_;
  const uint32_t mux = s.config.geometry.mux();
  if (integrate_cycles == 0) throw std::invalid_argument("mvm: integrate_cycles must be >= 1");
  if (c.first_block > mux || c.blocks > mux - c.first_block) throw std::out_of_range("mvm: no such column block");
  if (c.range > kMaxRange) throw std::out_of_range("mvm: range must be 0..15");
  if (c.bits < 1 || c.bits > kMaxAdcBits) throw std::out_of_range("mvm: bits must be 1..8");
  if (!s.plain()) {
    for (uint32_t v = 0; v < n; ++v) {
      drive(x + static_cast<size_t>(v) * (s.config.geometry.rows + 1), integrate_cycles);
      for (uint32_t k = 0; k < c.blocks; ++k) {
        convert(c.first_block + k, c.hold_cycles + k * c.period_cycles, c.range, c.bits,
                codes + (static_cast<size_t>(v) * c.blocks + k) * s.lanes);
      }
    }
    s.hold[0].valid = false;
    return;
  }
  s.note_drives(x, n);
  s.hold_columns(c);
  MvmSettings m;
  m.run_seed = s.config.run_seed;
  m.tile = static_cast<uint16_t>(s.config.tile);
  m.read_noise_kind = kEffects[static_cast<unsigned>(Effect::kReadNoise)].kind;
  m.comparator_kind = s.noise.kind;
  m.settled = s.settled_part(integrate_cycles);
  m.range = c.range;
  m.bits = c.bits;
  m.first_column = c.first_block * s.lanes;
  m.columns = c.blocks * s.lanes;
  const uint64_t first_drive = s.drive_count;
  s.drive_count += n;
  s.hold[0].valid = false;
  s.batch.run(s.unwired_matrix(), s.adc, m, x, n, first_drive, codes);
  for (uint32_t v = 0; s.trace != nullptr && v < n; ++v)
    for (uint32_t k = 0; k < c.blocks; ++k)
      s.trace->conversion(s.config.tile, first_drive + v, c.first_block + k,
                          codes + (static_cast<size_t>(v) * c.blocks + k) * s.lanes, s.lanes);
}

}  // namespace ohmac
