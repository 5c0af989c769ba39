// SPDX-License-Identifier: Apache-2.0
// Which faults are tried, and what came of them.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tb/campaign/rig.h"

namespace ohmac::campaign {

/// Flips of one line of the table, drawn evenly over the bits of a part and over the cycles of the first job.
struct FlipRow {
  std::string part;   ///< line of the table
  uint64_t bits = 0;  ///< that it draws from
  std::vector<Shot> shots;
};

/// All parts of the chip, then configuration flipped before the job. The SRAM's lines in use and the others are lines
/// of their own. The same seed gives the same shots.
std::vector<FlipRow> plan_flips(const Rig& rig, const Rig::Reference& reference, uint64_t seed, uint32_t per_row);

/// SLVERR and DECERR for every R beat and every B of the transfers.
std::vector<AxiShot> plan_axi(const Rig::Reference& reference);

/// Each shot in a process of its own, at most `parallel` at once. `done` is told how many are finished.
template <class S>
std::vector<Result> run_all(Rig& rig, const Rig::Reference& reference, const std::vector<S>& shots, uint32_t parallel,
                            const std::function<void()>& idle = {});

struct Tally {
  uint32_t count[kNumOutcomes] = {};
  uint32_t timeouts = 0;  // of the signs, how many came from the host's patience alone
  uint32_t total() const;
  uint32_t of(Outcome o) const { return count[static_cast<size_t>(o)]; }
  void add(const Result& r);
  Tally& operator+=(const Tally& o);
};

/// 95 % interval of a share, after Wilson.
struct Interval {
  double low, high;
};
Interval wilson(uint32_t hits, uint32_t total);

}  // namespace ohmac::campaign
