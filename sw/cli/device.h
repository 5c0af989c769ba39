// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace ohmac::cli {

struct DeviceOptions {
  std::string technology = "pcm_generic";  ///< name or preset file
  double target_us = 0;
  uint32_t count = 1000;
  double read_at_s = 0;  ///< t_inference
  uint64_t seed = 1;
  std::string out;
};

/// Writes programmed_us,drifted_us,read_us of every device, each the shortest decimal that reads back to the same
/// double. Throws UsageError or TechnologyError.
int device(const DeviceOptions& options);

}  // namespace ohmac::cli
