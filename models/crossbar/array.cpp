// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/array.h"

#include <array>
#include <stdexcept>

#include "models/device/philox.h"

namespace ohmac {

DeviceArray::DeviceArray(const ArrayConfig& config) : config_(config) {
  const size_t cells = static_cast<size_t>(config.rows) * config.cols;
  g_us_.assign(2 * cells, 0.0);
  stuck_.assign(2 * cells, 0);
  target_.assign(cells, 0);
  programmed_.assign(cells, 0);
  if (config.drift_kind != 0) nu_.assign(2 * cells, 0.0);
  if (config.stuck_kind == 0) return;
  constexpr uint32_t kBelow = static_cast<uint32_t>(kStuckFraction * 4294967296.0);
  for (size_t c = 0; c < cells; ++c) {
    const RandomBlock r = philox(config.chip_seed, Draw{config.stuck_kind, c, config.tile, 0, 0});
    for (unsigned p = 0; p < 2; ++p) {
      if (r[p] >= kBelow) continue;
      stuck_[2 * c + p] = 1;
      g_us_[2 * c + p] = r[p] < kBelow / 2 ? 0.0 : config.pcm.gmax_us;
    }
  }
}

void DeviceArray::program(uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols, const int8_t* targets) {
  if (row0 > config_.rows || rows > config_.rows - row0 || col0 > config_.cols || cols > config_.cols - col0)
    throw std::out_of_range("program_cells: region outside the array");
  for (size_t i = 0; i < static_cast<size_t>(rows) * cols; ++i)
    if (targets[i] == -128) throw std::out_of_range("program_cells: target -128; use -127..127");
  const PcmPreset& pcm = config_.pcm;
  for (uint32_t i = 0; i < rows; ++i) {
    for (uint32_t j = 0; j < cols; ++j) {
      const size_t c = cell(row0 + i, col0 + j);
      const int8_t target = targets[static_cast<size_t>(i) * cols + j];
      target_[c] = target;
      const double x[2] = {(target > 0 ? target : 0) / 127.0, (target < 0 ? -target : 0) / 127.0};
      GaussianPair n = {0.0, 0.0};
      if (config_.programming_kind != 0)
        n = gaussian_pair(
            philox(config_.chip_seed, Draw{config_.programming_kind, c, config_.tile, 0, programmed_[c]}));
      for (unsigned p = 0; p < 2; ++p) {
        if (stuck_[2 * c + p]) continue;
        g_us_[2 * c + p] =
            config_.programming_kind != 0 ? pcm_programmed_us(pcm, x[p], p == 0 ? n.a : n.b) : x[p] * pcm.gmax_us;
      }
      if (config_.drift_kind != 0) {
        const GaussianPair d =
            gaussian_pair(philox(config_.chip_seed, Draw{config_.drift_kind, c, config_.tile, 0, 0}));
        nu_[2 * c] = pcm_drift_exponent(pcm, x[0], d.a);
        nu_[2 * c + 1] = pcm_drift_exponent(pcm, x[1], d.b);
      }
      ++programmed_[c];
    }
  }
}

EffectiveMatrix DeviceArray::effective(double age_s) const {
  EffectiveMatrix m(config_.rows, config_.cols, config_.read_noise);
  for (uint32_t c = 0; c < m.cols; ++c) m.w[m.index(m.rows, c)] = 127.0f;
  update(&m, age_s, 0, 0, m.rows, m.cols);
  return m;
}

void DeviceArray::update(EffectiveMatrix* m, double age_s, uint32_t row0, uint32_t col0, uint32_t rows,
                         uint32_t cols) const {
  const PcmPreset& pcm = config_.pcm;
  const double log_age = pcm_log_age(pcm, age_s);
  const bool drift = config_.drift_kind != 0 && log_age != 0;
  const double unit = 127.0 / pcm.gmax_us;
  std::array<double, 128> relative{};  // read noise over conductance, by target magnitude
  if (config_.read_noise)
    for (int k = 0; k < 128; ++k) relative[static_cast<size_t>(k)] = pcm_read_noise_relative(pcm, k / 127.0, age_s);
  for (uint32_t i = row0; i < row0 + rows; ++i) {
    for (uint32_t j = col0; j < col0 + cols; ++j) {
      const size_t c = cell(i, j);
      const int target = target_[c];
      const int magnitude[2] = {target > 0 ? target : 0, target < 0 ? -target : 0};
      double g[2], variance = 0;
      for (unsigned p = 0; p < 2; ++p) {
        g[p] = g_us_[2 * c + p];
        if (stuck_[2 * c + p] || g[p] == 0) continue;  // a stuck device neither drifts nor fluctuates
        if (drift) g[p] *= pcm_drift_factor(nu_[2 * c + p], log_age);
        const double sigma = g[p] * relative[static_cast<size_t>(magnitude[p])] * unit;
        variance += sigma * sigma;
      }
      const size_t at = m->index(i, j);
      m->w[at] = static_cast<float>((g[0] - g[1]) * unit);
      if (config_.read_noise) m->v[at] = static_cast<float>(variance);
    }
  }
}

}  // namespace ohmac
