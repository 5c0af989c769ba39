// SPDX-License-Identifier: Apache-2.0
// Devices of a technology outside any array: what `ohmac device` writes and the statistics tests look at.
#pragma once
#include <cstdint>

#include "models/device/technology.h"

namespace ohmac {

struct DeviceSample {
  double programmed_us;  ///< just after write-verify
  double drifted_us;     ///< at the age
  double read_us;        ///< one read at the age; noise may take it below 0
};

/// Devices programmed by formula to one target and read once at one age. Device n is G+ of cell n of tile 0 on the chip
/// with that seed, stuck devices left out; its read is a draw of its own.
class DeviceSampler {
 public:
  /// Random streams, kinds of the effect table.
  static constexpr uint8_t kProgrammingKind = 1, kDriftKind = 3, kReadKind = 4;

  /// @param target_us Gmin..Gmax; finite levels take the nearest one
  /// @param age_s t_inference. Throws std::domain_error, naming what is wrong and what is allowed.
  DeviceSampler(const Technology& t, double target_us, double age_s, uint64_t seed);
  DeviceSample operator()(uint64_t device) const;

 private:
  const Technology& t_;
  uint64_t seed_;
  double x_, least_us_;
  AgeTerms age_;
  double q_;
  double relaxed_us_ = 0;  ///< spread of relaxing devices at the age
};

}  // namespace ohmac
