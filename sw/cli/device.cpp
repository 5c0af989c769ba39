// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/device.h"

#include <fmt/format.h>

#include <iterator>

#include "models/device/sample.h"
#include "sw/cli/files.h"
#include "sw/cli/options.h"

namespace ohmac::cli {

int device(const DeviceOptions& o) {
  check_writable("--out", o.out);
  const auto technology = load_technology(o.technology);
  std::string csv;
  try {
    const DeviceSampler sample(*technology, o.target_us, o.read_at_s, o.seed);
    for (uint32_t d = 0; d < o.count; ++d) {
      const DeviceSample s = sample(d);
      fmt::format_to(std::back_inserter(csv), "{},{},{}\n", s.programmed_us, s.drifted_us, s.read_us);
    }
  } catch (const std::domain_error& e) {
    throw UsageError(fmt::format("--target-us {}: {}", o.target_us, e.what()));
  }
  write_file(o.out, csv);
  return 0;
}

}  // namespace ohmac::cli
