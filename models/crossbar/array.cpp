// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/array.h"

#include <limits>
#include <stdexcept>
#include <string>

#include "models/crossbar/wired.h"
#include "models/device/philox.h"

namespace ohmac {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMaxEpochs = 65535;
// Q of read noise of a pulsed device: a table in steps of 1 / kQSteps of x = G / Gmax, linear between. Its error is
// below 1e-3 of Q; the law itself costs a power a device.
constexpr uint32_t kQSteps = 2048;
constexpr double kQLargest = 4;

/// Q by target magnitude 0..127.
std::shared_ptr<const std::vector<double>> q_by_target(const Technology& t, const std::vector<double>& x) {
  auto q = std::make_shared<std::vector<double>>(x.size());
  for (size_t k = 0; k < x.size(); ++k) (*q)[k] = read_noise_q(t, x[k]);
  return q;
}

std::shared_ptr<const std::vector<double>> q_by_conductance(const Technology& t) {
  const auto n = static_cast<size_t>(kQSteps * kQLargest);
  auto q = std::make_shared<std::vector<double>>(n + 1);
  for (size_t k = 0; k <= n; ++k) (*q)[k] = read_noise_q(t, static_cast<double>(k) / kQSteps);
  return q;
}

}  // namespace

DeviceArray::DeviceArray(const ArrayConfig& config)
    : config_(config), wear_least_(pulse_endurance_least(config.technology->pulse)) {
  const Technology& tech = *config.technology;
  if (config.spares > config.lanes) throw std::invalid_argument("array: more spare columns than lanes");
  if (!(config.stuck_fraction >= 0 && config.stuck_fraction <= 1))
    throw std::invalid_argument("array: stuck_fraction must be 0..1");
  if (!(config.open_fraction >= 0 && config.open_fraction <= 1))
    throw std::invalid_argument("array: open_fraction must be 0..1");
  x_min_ = config.on_off && tech.on_off < std::numeric_limits<double>::infinity() ? 1.0 / tech.on_off : 0.0;
  least_us_ = x_min_ * tech.gmax_us;
  unit_ = 127.0 / (tech.gmax_us - least_us_);
  for (int k = 0; k < 128; ++k) x_target_.push_back(target_x(k / 127.0, x_min_, config.levels ? tech.levels : 0));
  for (double x : x_target_) {
    sigma_us_.push_back(programming_sigma_us(tech, x));
    if (tech.ageing != Ageing::kDrift && tech.ageing != Ageing::kChargeLoss) continue;
    const bool drifts = tech.ageing == Ageing::kDrift;
    mean_.push_back((drifts ? tech.nu_mean : tech.loss_mean)(x));
    std_.push_back((drifts ? tech.nu_std : tech.loss_std)(x));
  }
  if (tech.ageing == Ageing::kRelaxation) {
    for (uint32_t knot = 1; knot <= tech.relaxation.size(); ++knot)
      for (double x : x_target_) relaxed_us_.push_back(relaxation_sigma_us(tech, x, knot, 0.0));
  }
  zero_stays_ =
      least_us_ == 0 && tech.noise_of_gmax == 0 && (tech.ageing == Ageing::kNone || tech.ageing == Ageing::kDrift);
  const size_t cells = static_cast<size_t>(config.rows) * (config.cols + config.spares);
  s_.g_us.assign(2 * cells, least_us_);
  s_.flags.assign(2 * cells, 0);
  s_.epoch.assign(2 * cells, 0);
  s_.pulses.assign(2 * cells, 0);
  s_.target.assign(cells, 0);
  s_.programmed.assign(cells, 0);
  s_.epochs.assign(1, 0.0);
  s_.spare_block.assign(config.spares, -1);
  routed_.assign(config.cols, 0);
  if (config.drift_kind != 0) deviate_.assign(2 * cells, kUnknown);
  if (config.read_noise) q_target_ = q_by_target(tech, x_target_);
  if (!config.open.empty()) open_.assign(config.cols + config.spares, 0);
  for (uint32_t c : config.open) {
    if (c >= open_.size())
      throw std::invalid_argument("array: open column " + std::to_string(c) + " does not exist; there are " +
                                  std::to_string(config.cols) + " and " + std::to_string(config.spares) + " spares");
    open_[c] = 1;
  }
  if (!config.open_rows.empty()) open_rows_.assign(config.rows, 0);
  for (uint32_t r : config.open_rows) {
    if (r >= config.rows)
      throw std::invalid_argument("array: open row " + std::to_string(r) + " does not exist; there are " +
                                  std::to_string(config.rows));
    open_rows_[r] = 1;
  }
  if (config.stuck_kind == 0) return;
  const auto none = static_cast<uint64_t>(config.open_fraction * 4294967296.0);
  const auto below = static_cast<uint64_t>(config.stuck_fraction * 4294967296.0);
  for (size_t c = 0; c < cells; ++c) {
    const RandomBlock r = philox(config.chip_seed, Draw{config.stuck_kind, c, config.tile, 0, 0});
    for (unsigned p = 0; p < 2; ++p) {
      if (r[2 + p] < none) {
        s_.flags[2 * c + p] = kStuck;
        s_.g_us[2 * c + p] = 0.0;
        continue;
      }
      if (r[p] >= below) continue;
      s_.flags[2 * c + p] = kStuck;
      s_.g_us[2 * c + p] = r[p] < below / 2 ? least_us_ : tech.gmax_us;
    }
  }
}

uint16_t DeviceArray::epoch_of(double now_s) {
  if (s_.epochs.back() == now_s) return static_cast<uint16_t>(s_.epochs.size() - 1);  // time does not go back
  if (s_.epochs.size() > kMaxEpochs) throw std::length_error("array: more than 65536 programming times");
  s_.epochs.push_back(now_s);
  return static_cast<uint16_t>(s_.epochs.size() - 1);
}

void DeviceArray::reserve_epoch() {
  if (s_.epochs.size() <= kMaxEpochs) return;
  std::vector<uint16_t> number(s_.epochs.size(), 0);
  for (uint16_t e : s_.epoch) number[e] = 1;
  std::vector<double> kept;
  for (size_t e = 0; e < number.size(); ++e) {
    if (number[e] == 0) continue;
    number[e] = static_cast<uint16_t>(kept.size());
    kept.push_back(s_.epochs[e]);
  }
  if (kept.size() > kMaxEpochs) throw std::length_error("array: 65536 programming times are in use");
  for (uint16_t& e : s_.epoch) e = number[e];
  s_.epochs = std::move(kept);
}

void DeviceArray::program(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets,
                          ArrayTime time) {
  if (row0 > config_.rows || rows > config_.rows - row0 || col0 > config_.cols || cols > config_.cols - col0)
    throw std::out_of_range("program_cells: region outside the array");
  for (size_t i = 0; i < static_cast<size_t>(rows) * cols; ++i)
    if (targets[i] == -128) throw std::out_of_range("program_cells: target -128; use -127..127");
  const Technology& tech = *config_.technology;
  const uint16_t now = epoch_of(time.now_s);
  for (uint32_t i = 0; i < rows; ++i) {
    for (uint32_t j = 0; j < cols; ++j) {
      const size_t c = cell(row0 + i, col0 + j);
      const int8_t target = targets[static_cast<size_t>(i) * cols + j];
      s_.target[c] = target;
      const size_t magnitude[2] = {target > 0 ? static_cast<size_t>(target) : 0,
                                   target < 0 ? static_cast<size_t>(-target) : 0};
      GaussianPair n = {0.0, 0.0};
      if (config_.programming_kind != 0)
        n = gaussian_pair(
            philox(config_.chip_seed, Draw{config_.programming_kind, c, config_.tile, 0, s_.programmed[c]}));
      for (unsigned p = 0; p < 2; ++p) {
        const size_t d = 2 * c + p;
        if (s_.flags[d] & (kStuck | kWorn)) continue;
        s_.flags[d] = 0;
        s_.epoch[d] = now;
        double g = x_target_[magnitude[p]] * tech.gmax_us;
        if (config_.programming_kind != 0) {
          g += sigma_us_[magnitude[p]] * (p == 0 ? n.a : n.b);
          g = g > least_us_ ? g : least_us_;
        }
        s_.g_us[d] = g;
      }
      ++s_.programmed[c];
      if (config_.drift_kind != 0) {
        deviate_[2 * c] = deviate_[2 * c + 1] = kUnknown;
        if (tech.ageing == Ageing::kDrift) {
          const GaussianPair d =
              gaussian_pair(philox(config_.chip_seed, Draw{config_.drift_kind, c, config_.tile, 0, 0}));
          for (unsigned p = 0; p < 2; ++p) {
            const double nu = mean_[magnitude[p]] + std_[magnitude[p]] * (p == 0 ? d.a : d.b);
            deviate_[2 * c + p] = nu < 0 ? -nu : nu;
          }
        }
      }
    }
  }
}

/// What makes a device age as it does: its drift exponent, the gaussian of its relaxation or its charge loss. Depends
/// on its target or on the conductance that pulses reached.
double DeviceArray::deviate(size_t d) const {
  const Technology& tech = *config_.technology;
  const size_t c = d / 2;
  const bool pulsed = (s_.flags[d] & kPulsed) != 0;
  Draw name = {config_.drift_kind, c, config_.tile, 0, 0};
  if (tech.ageing == Ageing::kRelaxation) {
    // A device relaxes anew whenever it was programmed; by formula it goes on in the direction of its programming
    // error.
    name.unit = pulsed ? 1 : 0;
    name.trial = pulsed ? s_.pulses[d] : s_.programmed[c] - 1;
    if (!pulsed && config_.programming_kind != 0) name.kind = config_.programming_kind;
  }
  const GaussianPair pair = gaussian_pair(philox(config_.chip_seed, name));
  const double n = d % 2 == 0 ? pair.a : pair.b;
  if (tech.ageing == Ageing::kRelaxation) return n;
  if (!pulsed) {
    const double v = mean_[target_of(d)] + std_[target_of(d)] * n;
    return tech.ageing == Ageing::kDrift && v < 0 ? -v : v;
  }
  const double x = s_.g_us[d] / tech.gmax_us;
  return tech.ageing == Ageing::kDrift ? drift_exponent(tech, x, n) : charge_loss(tech, x, n);
}

/// Conductance of a device at an age. Only with the effect drift, and for devices that can change.
double DeviceArray::aged(size_t d, const AgeTerms& age) const {
  const Technology& tech = *config_.technology;
  const double g = s_.g_us[d], known = deviate_[d];
  const auto own = [&] { return known == known ? known : deviate(d); };
  switch (tech.ageing) {
    case Ageing::kNone: break;
    case Ageing::kDrift:
      if (age.log_age != 0 && g != 0 && touched(d)) return g * drift_factor(own(), age.log_age);
      break;
    case Ageing::kChargeLoss:
      if (age.log_age != 0 && touched(d)) return after_charge_loss_us(tech, g, own(), age.log_age, least_us_);
      break;
    case Ageing::kRelaxation: {
      if (!touched(d)) break;
      if ((s_.flags[d] & kPulsed) != 0) {
        if (age.knot == 0 && age.part == 0) break;
        const double moved = g + relaxation_sigma_us(tech, g / tech.gmax_us, age.knot, age.part) * own();
        return moved > least_us_ ? moved : least_us_;
      }
      if (age.knot == 1 && age.part == 0) break;
      const size_t target = target_of(d);
      double sigma = relaxed_us_[(age.knot - 1) * 128 + target];
      if (age.part != 0) sigma += (relaxed_us_[age.knot * 128 + target] - sigma) * age.part;
      // Programming drew the same deviate with the spread at age 0; without that effect only the growth is left.
      const double from = config_.programming_kind != 0 ? x_target_[target] * tech.gmax_us : g;
      if (config_.programming_kind == 0) sigma -= relaxed_us_[target];
      const double moved = from + sigma * own();
      return moved > least_us_ ? moved : least_us_;
    }
  }
  return g;
}

/// Q of the read noise of a device after pulses, likewise.
double DeviceArray::pulsed_noise(size_t d) const {
  const double at = s_.g_us[d] / config_.technology->gmax_us * kQSteps;
  const std::vector<double>& q = *q_pulsed_;
  const auto k = static_cast<size_t>(at);
  if (k + 1 >= q.size()) return q.back();
  return q[k] + (q[k + 1] - q[k]) * (at - static_cast<double>(k));
}

void DeviceArray::pulse(const Pulse& p, const uint32_t* mask, ArrayTime time, EffectiveMatrix* m) {
  if (p.row >= config_.rows) throw std::out_of_range("pulse: no such row");
  if (p.amp >= kPulseAmplitudes) throw std::out_of_range("pulse: amplitude must be 0..15");
  const uint16_t now = epoch_of(time.now_s);
  if (m != nullptr) extend_ages(m, time);
  if (config_.read_noise && !q_pulsed_) q_pulsed_ = q_by_conductance(*config_.technology);
  const Technology& tech = *config_.technology;
  const PulsePreset& law = tech.pulse;
  const PulseDraws draws = {config_.chip_seed, config_.tile, config_.pulse_noise_kind, config_.pulse_variation_kind};
  const double mean_step = pulse_step_us(law, p.amp, p.width_ns);
  const auto now_us = [&](size_t d) {
    const bool pulsed = (s_.flags[d] & kPulsed) != 0;
    if (m != nullptr) return aged(d, m->ages[2 * s_.epoch[d] + (pulsed ? 1 : 0)]);
    return aged(d, age_terms(tech, (time.now_s - s_.epochs[s_.epoch[d]]) + (pulsed ? 0.0 : time.age_s), pulsed));
  };
  PulseBatch batch;
  uint32_t column[PulseBatch::kSize];
  for (uint32_t base = 0; base < config_.cols; base += PulseBatch::kSize) {
    uint64_t bits = mask[base / 32];
    if (base + 32 < config_.cols) bits |= uint64_t{mask[base / 32 + 1]} << 32;
    if (config_.cols - base < PulseBatch::kSize) bits &= (uint64_t{1} << (config_.cols - base)) - 1;
    uint32_t n = 0;
    for (; bits != 0; bits &= bits - 1) {
      const uint32_t col = base + static_cast<uint32_t>(__builtin_ctzll(bits));
      if (dark(p.row, col)) continue;  // no current, no heat
      const size_t d = 2 * cell(p.row, col) + p.neg;
      column[n] = col;
      batch.device[n] = static_cast<uint32_t>(d);
      batch.count[n++] = s_.pulses[d];
    }
    if (n == 0) continue;
    pulse_deviates(draws, n, &batch);
    for (uint32_t i = 0; i < n; ++i) {
      const size_t d = batch.device[i];
      const bool fixed = (s_.flags[d] & (kStuck | kWorn)) != 0;
      const double g = config_.drift_kind != 0 && !fixed ? now_us(d) : s_.g_us[d];  // may depend on the count
      if (s_.pulses[d] != UINT32_MAX) ++s_.pulses[d];
      if (fixed) continue;
      const double step = mean_step * pulse_step_factor(law, batch.step[i]) * pulse_noise_factor(law, batch.noise[i]);
      const double most = pulse_max_us(law, batch.maximum[i]);
      s_.g_us[d] = p.set ? pulse_set_us(g, step, most, least_us_) : pulse_reset_us(law, g, step, most, least_us_);
      s_.flags[d] |= kPulsed;
      s_.epoch[d] = now;
      if (config_.drift_kind != 0) deviate_[d] = kUnknown;
      if (config_.wear_kind != 0 && s_.pulses[d] >= wear_least_) wear(d);
      if (m != nullptr) update_cell(m, p.row, column[i]);
    }
  }
}

/// Ends the life of a device that has had its number of pulses.
void DeviceArray::wear(size_t d) {
  const double n = gaussian_pair(philox(config_.chip_seed, Draw{config_.wear_kind, d, config_.tile, 0, 0})).a;
  if (s_.pulses[d] >= pulse_endurance(config_.technology->pulse, n)) s_.flags[d] |= kWorn;
}

bool DeviceArray::repair_changes(uint32_t lane, bool enable, uint32_t block) const {
  if (!enable) return lane < config_.spares && s_.spare_block[lane] >= 0;
  if (lane >= config_.spares) throw std::out_of_range("repair: the lane has no spare column");
  if (block >= config_.cols / config_.lanes) throw std::out_of_range("repair: no such column block");
  return s_.spare_block[lane] != static_cast<int32_t>(block);
}

bool DeviceArray::repair(uint32_t lane, bool enable, uint32_t block, ArrayTime time, EffectiveMatrix* m) {
  if (!repair_changes(lane, enable, block)) return false;
  if (m != nullptr) extend_ages(m, time);
  const auto route = [&](uint32_t b, bool on) {
    const uint32_t col = b * config_.lanes + lane;
    routed_[col] = on;
    repaired_ += on ? 1u : ~0u;
    if (m != nullptr) update_column(m, col);
  };
  int32_t& at = s_.spare_block[lane];
  if (at >= 0) route(static_cast<uint32_t>(at), false);
  at = enable ? static_cast<int32_t>(block) : -1;
  if (enable) route(block, true);
  return true;
}

EffectiveMatrix DeviceArray::effective(ArrayTime time) const {
  EffectiveMatrix m(config_.rows, config_.cols, config_.read_noise, config_.read_noise && config_.device_noise);
  extend_ages(&m, time);
  for (uint32_t c = 0; c < m.cols; ++c) m.w[m.index(m.rows, c)] = open(c) ? 0.0f : 127.0f;
  update(&m, time, 0, 0, m.rows, m.cols);
  return m;
}

void DeviceArray::extend_ages(EffectiveMatrix* m, ArrayTime time) const {
  for (size_t e = m->ages.size() / 2; e < s_.epochs.size(); ++e) {
    for (bool pulsed : {false, true}) {
      const double age = (time.now_s - s_.epochs[e]) + (pulsed ? 0.0 : time.age_s);
      m->ages.push_back(age_terms(*config_.technology, age, pulsed));
    }
  }
}

void DeviceArray::update_column(EffectiveMatrix* m, uint32_t col) const {
  m->w[m->index(m->rows, col)] = open(col) ? 0.0f : 127.0f;
  for (uint32_t r = 0; r < m->rows; ++r) update_cell(m, r, col);
}

inline DeviceArray::Reading DeviceArray::reading(const EffectiveMatrix& m, size_t d) const {
  const Technology& tech = *config_.technology;
  Reading r = {s_.g_us[d], 0};
  const unsigned flags = s_.flags[d];
  // A stuck device neither ages nor fluctuates, nor does one without conductance or that nothing has touched yet.
  if ((flags & (kStuck | kWorn)) != 0 || (zero_stays_ ? r.g_us == 0 : !touched(d))) return r;
  const bool pulsed = (flags & kPulsed) != 0;
  const AgeTerms& age = m.ages[2 * s_.epoch[d] + (pulsed ? 1 : 0)];
  if (config_.drift_kind != 0) {
    if (tech.ageing != Ageing::kDrift) {
      r.g_us = aged(d, age);
    } else if (age.log_age != 0) {
      const double nu = deviate_[d];
      r.g_us *= drift_factor(nu == nu ? nu : deviate(d), age.log_age);
    }
  }
  if (config_.read_noise) {
    const double q = pulsed ? pulsed_noise(d) : (*q_target_)[target_of(d)];
    r.sigma_us = read_sigma_us(tech, r.g_us, q, age.bandwidth);
  }
  return r;
}

inline void DeviceArray::update_cell(EffectiveMatrix* m, uint32_t row, uint32_t col) const {
  const size_t c = cell(row, col);
  const size_t at = m->index(row, col);
  const bool no_current = dark(row, col);
  double g[2], variance = 0;
  for (unsigned p = 0; p < 2; ++p) {
    const Reading r = reading(*m, 2 * c + p);
    g[p] = r.g_us;
    const double sigma = r.sigma_us * unit_;
    variance += sigma * sigma;
    if (!m->s[p].empty()) m->s[p][at] = no_current ? 0.0f : static_cast<float>(sigma);
  }
  m->w[at] = no_current ? 0.0f : static_cast<float>((g[0] - g[1]) * unit_);
  if (config_.read_noise) m->v[at] = no_current ? 0.0f : static_cast<float>(variance);
}

void DeviceArray::read_row(const EffectiveMatrix& m, uint32_t row, double* g, double* sigma) const {
  for (uint32_t col = 0; col < config_.cols; ++col) {
    for (unsigned p = 0; p < 2; ++p) {
      const Reading r = dark(row, col) ? Reading{0, 0} : reading(m, 2 * cell(row, col) + p);
      g[2 * col + p] = 1e-6 * r.g_us;
      sigma[2 * col + p] = 1e-6 * r.sigma_us;
    }
  }
}

PairReadings DeviceArray::readings(const EffectiveMatrix& m) const {
  const size_t width = 2 * static_cast<size_t>(config_.cols);
  PairReadings d{std::vector<double>(config_.rows * width), std::vector<double>(config_.rows * width)};
  for (uint32_t r = 0; r < config_.rows; ++r) read_row(m, r, &d.g[r * width], &d.sigma[r * width]);
  return d;
}

EffectiveMatrix DeviceArray::wired(const EffectiveMatrix& m, const WireOhms& wires) const {
  EffectiveMatrix out = m;
  apply_wires(readings(m), wires, unit_per_siemens(), &out);
  return out;
}

void DeviceArray::update(EffectiveMatrix* m, ArrayTime time, uint32_t row0, uint32_t col0, uint32_t rows,
                         uint32_t cols) const {
  extend_ages(m, time);
  for (uint32_t i = row0; i < row0 + rows; ++i)
    for (uint32_t j = col0; j < col0 + cols; ++j) update_cell(m, i, j);
}

void DeviceArray::check_state(const ArrayState& s) const {
  const auto size = [](const char* field, size_t got, size_t want) {
    if (got != want)
      throw std::invalid_argument("array state: " + std::string(field) + " has " + std::to_string(got) +
                                  " entries, this array has " + std::to_string(want));
  };
  const size_t n = cells();
  size("g_us", s.g_us.size(), 2 * n);
  size("flags", s.flags.size(), 2 * n);
  size("epoch", s.epoch.size(), 2 * n);
  size("pulses", s.pulses.size(), 2 * n);
  size("target", s.target.size(), n);
  size("programmed", s.programmed.size(), n);
  size("spare_block", s.spare_block.size(), config_.spares);
  if (s.epochs.empty() || s.epochs.size() > kMaxEpochs + 1)
    throw std::invalid_argument("array state: epochs must have 1..65536 entries");
  const auto require = [](bool ok, const char* what) {
    if (!ok) throw std::invalid_argument("array state: " + std::string(what));
  };
  double last = 0;
  for (double t : s.epochs) {
    require(t >= last && t < 1e300, "epochs must ascend from 0");
    last = t;
  }
  for (double g : s.g_us) require(g >= 0 && g < 1e300, "a conductance is negative or not finite");
  for (uint8_t f : s.flags) require((f & ~(kStuck | kWorn | kPulsed)) == 0, "unknown device flags");
  for (uint16_t e : s.epoch) require(e < s.epochs.size(), "a device names an epoch that does not exist");
  for (int8_t t : s.target) require(t != -128, "target -128");
  for (int32_t b : s.spare_block)
    require(b >= -1 && b < static_cast<int32_t>(config_.cols / config_.lanes), "a spare replaces no column block");
}

void DeviceArray::set_state(const ArrayState& s) {
  check_state(s);
  s_ = s;
  repaired_ = 0;
  routed_.assign(config_.cols, 0);
  for (uint32_t lane = 0; lane < s_.spare_block.size(); ++lane) {
    if (s_.spare_block[lane] < 0) continue;
    routed_[static_cast<uint32_t>(s_.spare_block[lane]) * config_.lanes + lane] = 1;
    ++repaired_;
  }
  if (config_.read_noise) q_pulsed_ = q_by_conductance(*config_.technology);
  deviate_.assign(deviate_.size(), kUnknown);
}

}  // namespace ohmac
