// SPDX-License-Identifier: Apache-2.0
// A chip under test with its firmware: the tiny chip, a two-layer network made by the compiler, the real driver and
// runtime. Experiments are run in forked processes (sw/cli/workers.h), so each starts from the same bits.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sw/compiler/compiler.h"
#include "sw/runtime/runtime.h"
#include "tb/campaign/registers.h"
#include "tb/common/chip_bench.h"

namespace ohmac::campaign {

/// How an experiment ended.
enum class Outcome : uint8_t {
  kMasked,       ///< both jobs as without the fault: memory, event counters, devices
  kMiscount,     ///< memory right, an event or cycle counter wrong, no sign
  kRecovered,    ///< a sign; after Runtime::recover() the chip works as before
  kBadRecovery,  ///< a sign; recover() went well, the next job has wrong results without a sign
  kReset,        ///< a sign; only a reset of the chip helps
  kReprogram,    ///< a sign; after a reset the results are still wrong: devices were changed
  kSilent,       ///< wrong memory or changed devices, no sign
};
constexpr uint32_t kNumOutcomes = 7;
const char* name_of(Outcome o);

struct Result {
  Outcome outcome = Outcome::kMasked;
  bool by_timeout = false;  ///< the first sign was the host's patience
  std::string sign;         ///< what the firmware saw first; empty: nothing
  uint64_t address = 0;     ///< dma_err, of an AXI error
  uint64_t latency = 0;     ///< cycles from the fault to the sign, as the firmware returned
};

/// One bit that changes. `cycle` counts from the start of the first job.
struct Shot {
  uint32_t reg = 0;
  uint64_t bit = 0, cycle = 0;
  bool twice = false;       ///< and back at once: nothing may come of it
  std::vector<BitOf> also;  ///< bits that change with it
};

/// One answer of the memory that is an error.
struct AxiShot {
  bool write = false;  ///< B, otherwise a beat of R
  uint32_t index = 0;  ///< beat or B, counted from the start
  uint8_t resp = 0;
};
/// A beat of R or a B of the undisturbed transfers: address of its burst, and what it is for.
struct AxiEvent {
  uint64_t burst = 0;
  std::string phase;
};

class Rig {
 public:
  static constexpr uint32_t kImages = 8;        // vectors a job
  static constexpr uint64_t kPatience = 20000;  // cycles the host waits for an interrupt
  static constexpr uint32_t kWatchdog = 8;      // TRAP.WATCHDOG, in 256 cycles

  /// Powers on and loads the network; runs nothing.
  Rig();
  ~Rig();
  Rig(const Rig&) = delete;

  const std::vector<Register>& registers() const { return registers_; }
  tb::ChipBench& bench() { return *bench_; }
  uint32_t csr(uint32_t addr) { return bench_->csr_read(addr); }
  uint32_t sram_used(uint32_t tile) const { return sram_used_.at(tile); }
  const compiler::Compiled& compiled() const { return compiled_; }

  /// What the two jobs and the AXI transfers leave behind in a chip without fault; the rig cannot be used afterwards.
  struct Reference;
  static Reference measure();

  /// In a forked process: the chip cannot be used afterwards.
  Result run(const Shot& shot, const Reference& reference);
  Result run(const AxiShot& shot, const Reference& reference);

 private:
  class BenchPlatform;
  using Counts = std::vector<uint32_t>;
  struct Job {
    Status status = Status::kOk;
    std::vector<uint8_t> outputs;
    Counts counts;                   // events of this job alone
    uint64_t begin = 0, cycles = 0;  // of the inference, from the call
  };

  Status bring_up();
  Status arm_watchdogs();
  Status read_counts(Counts* counts);
  Job job(uint32_t number);
  bool look(std::string* sign);
  std::string sign_of(Status s) const;
  bool devices_changed();
  Outcome recover(const Reference& reference);
  Result judge(const Job* jobs, const Reference& reference);
  Status transfers(std::vector<uint8_t>* outputs, std::vector<uint8_t>* copied);

  compiler::Compiled compiled_;
  std::array<uint32_t, 2> sram_used_{};
  std::array<std::vector<int8_t>, 2> inputs_;
  VerilatedContext* context_ = nullptr;
  std::unique_ptr<tb::ChipBench> bench_;
  std::unique_ptr<BenchPlatform> platform_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Runtime> runtime_;
  std::vector<Register> registers_;
  std::vector<std::vector<float>> weights_;
};

struct Rig::Reference {
  std::array<Job, 2> jobs;
  std::array<std::vector<uint8_t>, 2> memory;  // DMA memory after each job
  std::vector<AxiEvent> reads, writes;         // of transfers()
  uint64_t transfer_cycles = 0;
};

}  // namespace ohmac::campaign
