// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace ohmac::cli {

/// Progress bar on standard error with rate and time left; silent where standard error is no terminal.
class Progress {
 public:
  Progress(std::string what, uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(uint64_t done);

 private:
  std::string what_;
  uint64_t total_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace ohmac::cli
