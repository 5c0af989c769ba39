// SPDX-License-Identifier: Apache-2.0
#include "models/macro/mvm_batch.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

namespace ohmac {
namespace {

// Vectors whose inputs and sums stay in the caches while a chunk of the matrix passes by.
constexpr uint32_t kVectors = 2 * kVectorGroup;

}  // namespace

void MvmBatch::run(const EffectiveMatrix& m, const AdcColumns& adc, const MvmSettings& s, const int8_t* x, uint32_t n,
                   uint64_t first_drive, int8_t* codes) {
  static_assert(kColumnStep % kAdcStep == 0);
  const uint32_t first = s.first_column / kColumnStep * kColumnStep, skip = s.first_column - first;
  const uint32_t count = (skip + s.columns + kColumnStep - 1) / kColumnStep * kColumnStep;
  if (s.first_column > m.cols || s.columns > m.cols - s.first_column || adc.gain.size() < first + count)
    throw std::out_of_range("mvm: columns outside the array or without ADC");
  if (s.bits < 1 || s.bits > kMaxAdcBits) throw std::out_of_range("mvm: bits must be 1..8");
  const bool noise = !m.v.empty(), direct = count == s.columns;
  const uint32_t inputs = m.rows + 1;
  const size_t size = static_cast<size_t>(std::min(n, kVectors)) * count;
  if (sum_.size() < size) sum_.resize(size);
  if (noise && var_.size() < size) var_.resize(size);
  if (codes_.size() < count) codes_.resize(count);
  ComparatorNoise comparator{s.comparator_kind, s.tile, s.run_seed, 0, 0};
  for (uint32_t done = 0; done < n; done += kVectors) {
    const uint32_t vectors = std::min(kVectors, n - done);
    in_.assign(x + static_cast<size_t>(done) * inputs, inputs, vectors, noise);
    column_sums(m, in_, first, count, sum_.data(), var_.data());
    for (uint32_t v = 0; v < vectors; ++v) {
      float* sum = sum_.data() + static_cast<size_t>(v) * count;
      comparator.drive = first_drive + done + v;
      if (noise)
        add_read_noise(first, count, s.run_seed, s.read_noise_kind, comparator.drive, s.tile,
                       var_.data() + static_cast<size_t>(v) * count, sum);
      int8_t* out = codes + static_cast<size_t>(done + v) * s.columns;
      adc_convert(adc, comparator, first, count, sum, s.settled, s.range, s.bits, direct ? out : codes_.data());
      if (!direct) std::memcpy(out, codes_.data() + skip, s.columns);
    }
  }
}

void run_mvm_batch(const EffectiveMatrix& m, const AdcColumns& adc, const MvmSettings& s, const int8_t* x, uint32_t n,
                   uint64_t first_drive, int8_t* codes, unsigned threads) {
  if (threads == 0) throw std::invalid_argument("mvm: threads must be >= 1");
  const uint32_t share = (n + threads - 1) / threads;
  std::vector<std::exception_ptr> failed(threads);
  const auto part = [&](unsigned t) {
    const uint32_t from = std::min(n, t * share), to = std::min(n, from + share);
    try {
      MvmBatch().run(m, adc, s, x + static_cast<size_t>(from) * (m.rows + 1), to - from, first_drive + from,
                     codes + static_cast<size_t>(from) * s.columns);
    } catch (...) {
      failed[t] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (unsigned t = 1; t < threads; ++t) others.emplace_back(part, t);
  part(0);
  for (auto& t : others) t.join();
  for (const auto& f : failed)
    if (f != nullptr) std::rethrow_exception(f);
}

}  // namespace ohmac
