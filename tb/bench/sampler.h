// SPDX-License-Identifier: Apache-2.0
// Sampling profiler of the own process: SIGPROF notes the program counter, `nm` names the functions afterwards. No tool
// to install beyond binutils; the cost is one signal a tick of the kernel (1 to 4 ms).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ohmac::bench {

/// Where time goes; every function of the program belongs to one.
enum class Part : uint32_t { kTiles, kChip, kSystemC, kPorts, kMvm, kTrials, kMacro, kLibrary, kOther, kCount };
const char* part_name(Part p);

/// Shares of the time between start() and stop(), by part; they add up to 1. One sampler a process at a time.
class Sampler {
 public:
  void start();
  std::vector<double> stop();
};

/// The part a function belongs to, by its demangled name. Empty name: outside of the program (C library, kernel).
Part part_of(const std::string& function);

}  // namespace ohmac::bench
