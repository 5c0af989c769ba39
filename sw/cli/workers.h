// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ohmac::cli {

/// Counter in memory shared with worker processes.
class SharedCounter {
 public:
  SharedCounter();
  ~SharedCounter();
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  void add(uint64_t n);
  uint64_t value() const;

 private:
  uint64_t* p_;
};

/// Runs job(0) .. job(count-1), each in a process of its own forked from the caller's state at this moment, at most
/// `parallel` at once. Every job therefore starts from the same bits, whatever runs beside it. A job returns bytes for
/// the caller; an exception in a job becomes a std::runtime_error here with its message. `idle` is called about ten
/// times a second meanwhile.
std::vector<std::string> run_forked(uint32_t count, uint32_t parallel, const std::function<std::string(uint32_t)>& job,
                                    const std::function<void()>& idle = {});

}  // namespace ohmac::cli
