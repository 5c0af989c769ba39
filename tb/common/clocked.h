// SPDX-License-Identifier: Apache-2.0
// Drives a Verilated module that has clk_i and rst_ni: set inputs, call tick(), read outputs.
#pragma once
#include <verilated.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>

namespace ohmac::tb {

/// A Verilated module with its own context, in reset from construction to the end of reset().
/// Inputs set before tick() are seen by the rising edge; outputs read after tick() follow it, with comb paths settled.
template <class Dut>
class Clocked {
 public:
  /// `setup` may set the context up (random values at power-on, plus arguments) before the module is made.
  explicit Clocked(const std::function<void(VerilatedContext&)>& setup = {}) {
    if (setup) setup(context_);
    dut_ = std::make_unique<Dut>(&context_);
    // An asynchronous reset is an edge to the simulator: flops behind a stopped clock would not see one that is low
    // from the start.
    dut_->clk_i = 0;
    dut_->rst_ni = 1;
    dut_->eval();
    dut_->rst_ni = 0;
    dut_->eval();
  }
  ~Clocked() { dut_->final(); }
  Clocked(const Clocked&) = delete;
  Clocked& operator=(const Clocked&) = delete;

  Dut* operator->() { return dut_.get(); }
  Dut& operator*() { return *dut_; }

  void reset() {
    dut_->rst_ni = 0;
    tick();
    tick();
    dut_->rst_ni = 1;
    settle();
  }
  /// Lets combinational outputs follow the inputs, without an edge.
  void settle() { dut_->eval(); }
  void tick() {
    tick([] {});
  }
  /// `settled` is called before the rising and before the falling edge.
  template <class Settled>
  void tick(const Settled& settled) {
    dut_->eval();
    settled();
    dut_->clk_i = 1;
    dut_->eval();
    settled();
    dut_->clk_i = 0;
    dut_->eval();
    ++cycle_;
  }
  uint64_t cycle() const { return cycle_; }

 private:
  VerilatedContext context_;
  std::unique_ptr<Dut> dut_;
  uint64_t cycle_ = 0;
};

/// Seed of a random test: OHMAC_SEED if set, else `fallback`. Tests print it in a SCOPED_TRACE, so a failure can be
/// rerun.
inline uint64_t test_seed(uint64_t fallback) {
  const char* s = std::getenv("OHMAC_SEED");
  return s ? std::strtoull(s, nullptr, 0) : fallback;
}

}  // namespace ohmac::tb
