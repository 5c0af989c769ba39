// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <vector>

#include "sw/hal/platform.h"

namespace ohmac::tb {

/// Strict ordered platform: every CSR access, interrupt wait and cell programming must be the next one expected, with
/// the expected value; anything else fails the test and is answered with kBusError. Expectations left at the end fail
/// the test as well.
class MockPlatform final : public Platform {
 public:
  static constexpr uint64_t kBus = 0x1'8000'0000;  // above 4 GiB, so that the upper address halves matter

  explicit MockPlatform(size_t dma_bytes = 1 << 20) : storage_(dma_bytes + 64) {
    const size_t a = reinterpret_cast<uintptr_t>(storage_.data()) % 64;
    memory_ = storage_.data() + (64 - a) % 64;
    size_ = dma_bytes;
  }
  ~MockPlatform() { verify(); }

  // --- Expectations, in order
  void expect_read(uint32_t addr, uint32_t value, Status s = Status::kOk) {
    add({Kind::kRead, addr, value, s, {}, false});
  }
  void expect_write(uint32_t addr, uint32_t value, Status s = Status::kOk) {
    add({Kind::kWrite, addr, value, s, {}, false});
  }
  /// `act` plays the chip at this moment.
  void expect_irq(Status s = Status::kOk, std::function<void()> act = {}) {
    add({Kind::kIrq, 0, 0, s, std::move(act), false});
  }
  void expect_program(uint32_t tile, Status s = Status::kOk) { add({Kind::kProgram, tile, 0, s, {}, false}); }
  void verify() {
    EXPECT_TRUE(queue_.empty()) << queue_.size() << " expected accesses did not happen";
    queue_.clear();
  }
  size_t accesses() const { return accesses_; }
  void set_bus_address(uint64_t a) { bus_ = a; }
  void set_dma_size(size_t n) { size_ = n; }
  uint64_t last_wait_cycles() const { return last_cycles_; }
  uint8_t* at(uint64_t bus) { return memory_ + (bus - bus_); }

  // --- Platform
  Status csr_read(uint32_t addr, uint32_t* value) override {
    const Step s = next(Kind::kRead, addr);
    *value = s.value;
    return s.status;
  }
  Status csr_write(uint32_t addr, uint32_t value) override {
    const Step s = next(Kind::kWrite, addr);
    if (!s.refused) {
      EXPECT_EQ(value, s.value) << "value of the write to 0x" << std::hex << addr;
    }
    return s.status;
  }
  Status wait_irq(uint64_t cycles) override {
    EXPECT_GT(cycles, 0u);
    EXPECT_LT(cycles, uint64_t{1} << 40) << "no cycle bound worth the name";
    last_cycles_ = cycles;
    const Step s = next(Kind::kIrq, 0);
    if (s.act) s.act();
    return s.status;
  }
  uint8_t* dma_memory() override { return memory_; }
  uint64_t dma_bus_address() override { return bus_; }
  size_t dma_size() override { return size_; }
  Status program_cells(uint32_t tile, uint32_t, uint32_t, uint32_t, uint32_t, const int8_t*) override {
    return next(Kind::kProgram, tile).status;
  }

 private:
  enum class Kind { kRead, kWrite, kIrq, kProgram };
  struct Step {
    Kind kind;
    uint32_t addr, value;
    Status status;
    std::function<void()> act;
    bool refused = false;  // the access was not the expected one
  };
  void add(Step s) { queue_.push_back(std::move(s)); }
  Step next(Kind kind, uint32_t addr) {
    ++accesses_;
    static const char* const kNames[] = {"read of", "write to", "interrupt wait", "cell programming of tile"};
    const char* name = kNames[static_cast<int>(kind)];
    if (queue_.empty() || queue_.front().kind != kind || queue_.front().addr != addr) {
      ADD_FAILURE() << "unexpected " << name << " 0x" << std::hex << addr
                    << (queue_.empty() ? ", expected nothing more" : ", expected ")
                    << (queue_.empty() ? "" : kNames[static_cast<int>(queue_.front().kind)]) << " 0x"
                    << (queue_.empty() ? 0 : queue_.front().addr);
      return Step{kind, addr, 0, Status::kBusError, {}, true};
    }
    Step s = std::move(queue_.front());
    queue_.pop_front();
    return s;
  }

  std::vector<uint8_t> storage_;
  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
  uint64_t bus_ = kBus;
  std::deque<Step> queue_;
  size_t accesses_ = 0;
  uint64_t last_cycles_ = 0;
};

}  // namespace ohmac::tb
