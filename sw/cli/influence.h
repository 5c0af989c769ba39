// SPDX-License-Identifier: Apache-2.0
// How much accuracy an effect costs, with its error.
#pragma once
#include <cstdint>
#include <vector>

namespace ohmac::cli {

/// Right answers and output error of one configuration over all chips and images.
struct AblationResult {
  std::vector<uint8_t> right;  ///< [chip][image] 0 or 1
  double output_error = 0;     ///< rms of outputs - int8_adc, over rms of int8_adc
  double accuracy() const;
};

struct Influence {
  double share = 0;  ///< of the answers
  double error = 0;  ///< standard error of it, from the spread over chips and images
};

/// Share of the right answers that an effect costs, from both ends: the mean of what it costs when nothing else is on,
/// none - alone, and of what comes back when it alone is switched off, without - all. Paired: the same chips and images
/// in all four.
Influence influence_of(const AblationResult& none, const AblationResult& alone, const AblationResult& without,
                       const AblationResult& all);

/// Standard error of an accuracy: binomial, sqrt(p (1 - p) / n).
double accuracy_error(const AblationResult& r);

}  // namespace ohmac::cli
