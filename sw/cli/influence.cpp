// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/influence.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ohmac::cli {

double AblationResult::accuracy() const {
  size_t n = 0;
  for (uint8_t r : right) n += r;
  return right.empty() ? 0 : static_cast<double>(n) / static_cast<double>(right.size());
}

double accuracy_error(const AblationResult& r) {
  const double p = r.accuracy();
  return r.right.empty() ? 0 : std::sqrt(p * (1 - p) / static_cast<double>(r.right.size()));
}

Influence influence_of(const AblationResult& none, const AblationResult& alone, const AblationResult& without,
                       const AblationResult& all) {
  const size_t n = all.right.size();
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) {
    const double d = 0.5 * (none.right[i] - alone.right[i] + without.right[i] - all.right[i]);
    sum += d;
    squares += d * d;
  }
  if (n == 0) return {};
  const double mean = sum / static_cast<double>(n);
  const double variance = std::max(0.0, squares / static_cast<double>(n) - mean * mean);
  return {mean, n < 2 ? 0 : std::sqrt(variance / static_cast<double>(n - 1))};
}

}  // namespace ohmac::cli
