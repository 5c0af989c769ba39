// SPDX-License-Identifier: Apache-2.0
#include "tb/campaign/rig.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <random>
#include <stdexcept>

#include "Vchip_campaign.h"
#include "models/systemc/verilated_chip.h"
#include "sw/compiler/codegen.h"
#include "sw/hal/csr.h"

namespace ohmac::campaign {
namespace {

constexpr uint32_t kTiles = 2;
constexpr uint64_t kMemoryBase = 0x8000'0000;
constexpr size_t kMemoryBytes = 1 << 16;
constexpr uint64_t kRecoveryCycles =
    120000;  // that the firmware may wait in one recovery; more than its own drain bound
constexpr uint32_t kCopyTile = 1, kCopyBytes = 600;  // of the transfers around the job: three bursts, a tail

void check(Status s, const char* what) {
  if (s != Status::kOk) throw std::runtime_error(std::string("campaign: ") + what + ": " + status_text(s));
}

/// 32 -> 32 (ReLU) -> 8, weights and biases drawn; calibrated on 32 drawn images.
compiler::Compiled make_network() {
  std::mt19937 rng(11);
  const auto real = [&] { return (static_cast<int>(rng() % 2001) - 1000) / 1000.0f; };
  compiler::Network n;
  n.name = n.file = "campaign";
  for (const uint32_t outputs : {32u, 8u}) {
    compiler::Layer l;
    l.name = outputs == 32 ? "first" : "second";
    l.k = 32;
    l.n = outputs;
    l.relu = outputs == 32;
    for (uint32_t i = 0; i < l.k * l.n; ++i) l.weight.push_back(real());
    for (uint32_t i = 0; i < l.n; ++i) l.bias.push_back(real());
    n.layers.push_back(std::move(l));
  }
  compiler::Dataset images;
  images.count = 32;
  images.rows = 4;
  images.cols = 8;
  for (uint32_t i = 0; i < images.count * images.size(); ++i) images.pixels.push_back(static_cast<uint8_t>(rng()));
  compiler::CompileOptions o;
  o.geometry = tiny_geometry();
  o.in_flight = 4;  // fewer than the vectors of a job, so that the job waits for results
  return compiler::compile(n, images, o);
}

}  // namespace

const char* name_of(Outcome o) {
  constexpr const char* kNames[kNumOutcomes] = {"masked",      "miscount",          "recovered", "bad recovery",
                                                "needs reset", "needs programming", "silent"};
  return kNames[static_cast<size_t>(o)];
}

/// The port of the HAL to the bench, with a limit on what is waited.
class Rig::BenchPlatform final : public Platform {
 public:
  explicit BenchPlatform(tb::ChipBench& bench) : bench_(bench) {}
  /// From now on all waits together take `cycles` at most, then each answers at once.
  void allow(uint64_t cycles) { deadline_ = bench_.now() + cycles; }
  Status csr_read(uint32_t addr, uint32_t* value) override {
    return access([&] { *value = bench_.csr_read(addr); });
  }
  Status csr_write(uint32_t addr, uint32_t value) override {
    return access([&] { bench_.csr_write(addr, value); });
  }
  Status wait_irq(uint64_t cycles) override {
    const uint64_t left = deadline_ > bench_.now() ? deadline_ - bench_.now() : 0;
    return bench_.run(std::min({cycles, left, kPatience})) ? Status::kOk : Status::kTimeout;
  }
  uint8_t* dma_memory() override { return bench_.memory(); }
  uint64_t dma_bus_address() override { return kMemoryBase; }
  size_t dma_size() override { return kMemoryBytes; }
  Status program_cells(uint32_t tile, uint32_t row0, uint32_t col0, uint32_t rows, uint32_t cols,
                       const int8_t* targets) override {
    bench_.macro(tile).program_cells(row0, col0, rows, cols, targets);
    return Status::kOk;
  }

 private:
  /// A bus that never answers or answers with an error is one to the firmware: it sees the bus error of its machine.
  template <class F>
  Status access(F&& f) {
    if (dead_) return Status::kBusError;
    try {
      f();
    } catch (const std::exception&) {
      dead_ = true;
      return Status::kBusError;
    }
    return Status::kOk;
  }
  tb::ChipBench& bench_;
  uint64_t deadline_ = 0;
  bool dead_ = false;
};

Rig::Rig() : compiled_(make_network()) {
  std::mt19937 rng(12);
  for (auto& in : inputs_) {
    in.resize(size_t{kImages} * compiled_.source.inputs());
    for (int8_t& v : in) v = static_cast<int8_t>(rng() % 128);
  }
  uint32_t in_flight = 0;
  for (const compiler::TilePlan& p : compiler::generate(compiled_, &in_flight))
    sram_used_.at(p.piece.tile) = p.sram_used;
  std::vector<Macro> macros;
  for (uint32_t t = 0; t < kTiles; ++t) {
    MacroConfig m;
    m.geometry = tiny_geometry();
    m.effects = EffectSet::none();
    m.tile = t;
    macros.emplace_back(m);
  }
  AxiMemory::Config memory;
  memory.base = kMemoryBase;
  memory.bytes = kMemoryBytes;
  const auto setup = [this](VerilatedContext& context) {
    context_ = &context;
    context.assertOn(false);  // not part of the chip
  };
  bench_ = std::make_unique<tb::ChipBench>(std::make_unique<VerilatedChip<Vchip_campaign>>(tiny_geometry(), setup),
                                           std::move(macros), memory);
  registers_ = find_registers(*context_);
  platform_ = std::make_unique<BenchPlatform>(*bench_);
  driver_ = std::make_unique<Driver>(*platform_);
  runtime_ = std::make_unique<Runtime>(*driver_);
  platform_->allow(10 * kRecoveryCycles);
  check(driver_->probe(), "probing the chip");
  LoadOptions load;
  load.calibrate = false;  // the macro is ideal
  check(runtime_->load(compiled_.image.data(), compiled_.image.size(), load), "loading the network");
  check(arm_watchdogs(), "arming the watchdogs");
  for (uint32_t t = 0; t < kTiles; ++t) weights_.push_back(bench_->macro(t).weights(0, 0, 32, 32));
}

// Verilator takes the scopes of a model from the context used last, which may be that of another rig.
Rig::~Rig() { Verilated::threadContextp(context_); }

Status Rig::arm_watchdogs() {
  const uint32_t trap =
      static_cast<uint32_t>(isa::cfg::trap::watchdog.put(kWatchdog) | isa::cfg::trap::overflow.put(1));
  for (uint32_t t = 0; t < kTiles; ++t) {
    const Status s = driver_->write_tile(t, isa::cfg::noc_addr(isa::cfg::kTrapBase), &trap, sizeof trap);
    if (s != Status::kOk) return s;
  }
  return Status::kOk;
}

Status Rig::read_counts(Counts* counts) {
  counts->clear();
  for (uint32_t t = 0; t < kTiles; ++t) {
    for (const isa::CounterInfo& c : isa::kCounters) {
      if (!c.exact) continue;
      uint32_t v = 0;
      const Status s = driver_->read_counter(t, static_cast<isa::Counter>(c.index), &v);
      if (s != Status::kOk) return s;
      counts->push_back(v);
    }
  }
  for (const uint32_t addr : {csr::kAxiRdBeats, csr::kAxiWrBeats}) {
    uint32_t v = 0;
    const Status s = platform_->csr_read(addr, &v);
    if (s != Status::kOk) return s;
    counts->push_back(v);
  }
  uint64_t cycle = 0;
  const uint64_t now = bench_->now();
  const Status s = driver_->read_cycles(&cycle);
  // Against the bench's own count, because a fault may delay a job without harm.
  counts->push_back(static_cast<uint32_t>(cycle - now));
  counts->push_back(static_cast<uint32_t>((cycle - now) >> 32));
  return s;
}

Rig::Job Rig::job(uint32_t number) {
  Job j;
  j.outputs.resize(size_t{kImages} * compiled_.output_count * sizeof(int32_t));
  platform_->allow(10 * kPatience);
  const uint64_t called = bench_->now();
  Counts before;
  j.status = read_counts(&before);
  if (j.status != Status::kOk) return j;
  j.begin = bench_->now() - called;
  j.status = runtime_->infer(inputs_[number].data(), kImages, j.outputs.data());
  j.cycles = bench_->now() - called - j.begin;
  if (j.status != Status::kOk) return j;
  j.status = read_counts(&j.counts);
  for (size_t i = 0; i < j.counts.size() && i < before.size(); ++i) j.counts[i] -= before[i];
  return j;
}

std::string Rig::sign_of(Status s) const {
  const ErrorInfo& e = driver_->last_error();
  constexpr const char* kFaults[] = {"none",     "illegal instruction", "address",  "loop",   "token", "configuration",
                                     "watchdog", "SRAM parity",         "overflow", "stopped"};
  constexpr const char* kErrors[] = {"none", "window", "AXI read", "AXI write", "descriptor", "token"};
  switch (s) {
    case Status::kTileFault: {
      const auto f = static_cast<size_t>(e.fault);
      return std::string("tile: ") + (f < std::size(kFaults) ? kFaults[f] : "unknown fault");
    }
    case Status::kJobError: {
      const auto d = static_cast<size_t>(e.dma_error);
      return std::string("DMA: ") + (d < std::size(kErrors) ? kErrors[d] : "unknown error");
    }
    case Status::kTimeout: return "timeout";
    case Status::kBusError: return "register access";
    case Status::kNotReady: return "busy";
    default: return status_text(s);
  }
}

/// What stands in the registers although both jobs went well; false if reading fails.
bool Rig::look(std::string* sign) {
  uint32_t status = 0;
  for (uint32_t t = 0; t < kTiles; ++t) {
    if (platform_->csr_read(csr::tile_status(t), &status) != Status::kOk) return false;
    if (csr::get(status, TILE_RF__STATUS__FAULT_bm, TILE_RF__STATUS__FAULT_bp) != 0) *sign = "tile status";
  }
  if (platform_->csr_read(csr::kDmaStatus, &status) != Status::kOk) return false;
  if (csr::get(status, OHMAC_CSR__DMA_STATUS__ERROR_bm, OHMAC_CSR__DMA_STATUS__ERROR_bp) != 0) *sign = "DMA status";
  return true;
}

bool Rig::devices_changed() {
  for (uint32_t t = 0; t < kTiles; ++t) {
    if (bench_->macro(t).device_report().pulses != 0) return true;
    if (bench_->macro(t).weights(0, 0, 32, 32) != weights_[t]) return true;
  }
  return false;
}

Rig::Reference Rig::measure() {
  Reference r;
  {
    Rig rig;
    for (uint32_t i = 0; i < 2; ++i) {
      r.jobs[i] = rig.job(i);
      check(r.jobs[i].status, "the job without a fault");
      r.memory[i].assign(rig.bench_->memory(), rig.bench_->memory() + kMemoryBytes);
      for (uint32_t v = 0; v < kImages; ++v) {
        const auto first = rig.inputs_[i].begin() + v * rig.compiled_.source.inputs();
        const std::vector<int32_t> want = rig.compiled_.run_int8_adc({first, first + rig.compiled_.source.inputs()});
        if (std::memcmp(want.data(), r.jobs[i].outputs.data() + v * 4 * want.size(), 4 * want.size()) != 0) {
          throw std::runtime_error("campaign: the chip without a fault differs from the integer network");
        }
      }
    }
    if (rig.devices_changed()) throw std::runtime_error("campaign: the job changes devices");
  }
  Rig rig;
  // Reads of descriptors follow one another from the job address on; everything else is data.
  const auto register_named = [&](const std::string& name) -> const Register& {
    for (const Register& x : rig.registers_) {
      if (x.scope + "." + x.name == name) return x;
    }
    throw std::runtime_error("campaign: no register " + name);
  };
  const Register& job_addr = register_named("u_csr.u_csr.field_storage.job_addr_lo.value.value");
  uint64_t next_descriptor = 0;
  uint32_t table_left = 0;
  AxiSlaveOut shown;
  rig.bench_->change_answer = [&](const AxiMasterOut& m, AxiSlaveOut* answer) {
    if (m.arvalid && shown.arready) {
      uint32_t job = 0;
      std::memcpy(&job, job_addr.data, sizeof job);
      if (m.araddr == job) next_descriptor = job;
      std::string what = "M2T data";
      if (m.araddr == next_descriptor && m.arlen == 3) {
        next_descriptor += isa::kDescBytes;
        uint32_t words[16];
        std::memcpy(words, rig.bench_->memory() + (m.araddr - kMemoryBase), sizeof words);
        const auto op = static_cast<isa::DmaOp>(words[isa::desc::op.word] & isa::desc::op.mask());
        constexpr const char* kOps[] = {"END", "M2T", "T2M", "START", "WAIT", "REPEAT"};
        what = std::string("fetch of ") + kOps[static_cast<size_t>(op)];
        if (table_left != 0) {
          --table_left;
          what = "fetch into the REPEAT table";
        } else if (op == isa::DmaOp::kRepeat) {
          table_left = words[isa::desc::repeat_desc.word] >> isa::desc::repeat_desc.lsb & isa::desc::repeat_desc.mask();
        }
      }
      for (uint32_t b = 0; b <= m.arlen; ++b) {
        const char* place = m.arlen == 0 ? "only" : b == 0 ? "first" : b == m.arlen ? "last" : "middle";
        r.reads.push_back({m.araddr, what + ", " + place + " beat"});
      }
    }
    if (m.awvalid && shown.awready) r.writes.push_back({m.awaddr, ""});
    shown = *answer;
  };
  std::vector<uint8_t> outputs, copied;
  const uint64_t start = rig.bench_->now();
  check(rig.transfers(&outputs, &copied), "the transfers without a fault");
  r.transfer_cycles = rig.bench_->now() - start;
  if (outputs != r.jobs[0].outputs) throw std::runtime_error("campaign: the transfers change the job's results");
  // One write burst a vector comes from the outbox, what follows is the copy.
  for (size_t i = 0; i < r.writes.size(); ++i) r.writes[i].phase = i < kImages ? "outbox write, B" : "T2M data, B";
  return r;
}

/// Data to a tile, a job, the data back.
Status Rig::transfers(std::vector<uint8_t>* outputs, std::vector<uint8_t>* copied) {
  const uint32_t at = (sram_used_[kCopyTile] + 63) / 64 * 64;
  std::vector<uint8_t> data(kCopyBytes);
  for (uint32_t i = 0; i < kCopyBytes; ++i) data[i] = static_cast<uint8_t>(17 * i + i / 256);
  platform_->allow(10 * kPatience);
  Status s = driver_->write_tile(kCopyTile, at, data.data(), kCopyBytes);
  if (s != Status::kOk) return s;
  outputs->assign(size_t{kImages} * compiled_.output_count * sizeof(int32_t), 0);
  s = runtime_->infer(inputs_[0].data(), kImages, outputs->data());
  if (s != Status::kOk) return s;
  copied->assign(kCopyBytes, 0);
  s = driver_->read_tile(kCopyTile, at, copied->data(), kCopyBytes);
  if (s != Status::kOk) return s;
  if (*copied != data) throw std::runtime_error("campaign: the copy differs without a fault");
  return s;
}

/// As the firmware would go on after the sign: recover, the next job; if that fails, reset.
Outcome Rig::recover(const Reference& reference) {
  const auto right = [&](const Job& j) {
    return j.outputs == reference.jobs[1].outputs && j.counts == reference.jobs[1].counts;
  };
  platform_->allow(kRecoveryCycles);
  Status s = runtime_->recover(compiled_.image.data(), compiled_.image.size());
  if (s == Status::kOk) s = arm_watchdogs();
  if (s == Status::kOk) {
    const Job j = job(1);
    if (j.status == Status::kOk) {
      if (right(j) && !devices_changed()) return Outcome::kRecovered;
      return Outcome::kBadRecovery;
    }
  }
  bench_->reset(4);
  platform_ = std::make_unique<BenchPlatform>(*bench_);
  driver_ = std::make_unique<Driver>(*platform_);
  runtime_ = std::make_unique<Runtime>(*driver_);
  platform_->allow(kRecoveryCycles);
  LoadOptions load;
  load.programming = Programming::kNone;
  load.calibrate = false;
  s = driver_->probe();
  if (s == Status::kOk) s = runtime_->load(compiled_.image.data(), compiled_.image.size(), load);
  if (s == Status::kOk) s = arm_watchdogs();
  if (s != Status::kOk) throw std::runtime_error(std::string("a reset does not help: ") + status_text(s));
  const Job j = job(1);
  return j.status == Status::kOk && j.outputs == reference.jobs[1].outputs && !devices_changed() ? Outcome::kReset
                                                                                                 : Outcome::kReprogram;
}

Result Rig::run(const Shot& shot, const Reference& reference) {
  const auto flip = [&] {
    registers_.at(shot.reg).flip(shot.bit);
    for (const BitOf& b : shot.also) registers_.at(b.reg).flip(b.bit);
    bench_->settle();
  };
  const uint64_t at = bench_->now() + shot.cycle;
  bool fired = false;
  bench_->before_edge = [&] {
    if (fired || bench_->now() < at) return;
    fired = true;
    flip();
    if (shot.twice) flip();
  };
  Result result;
  bool wrong = false, miscount = false;
  for (uint32_t i = 0; i < 2 && result.sign.empty(); ++i) {
    const Job j = job(i);
    if (j.status != Status::kOk) {
      result.sign = sign_of(j.status);
    } else {
      wrong |= std::memcmp(bench_->memory(), reference.memory[i].data(), kMemoryBytes) != 0;
      wrong |= j.outputs != reference.jobs[i].outputs;
      miscount |= j.counts != reference.jobs[i].counts;
    }
  }
  if (!fired) throw std::runtime_error("the flip comes after the jobs");
  if (result.sign.empty() && !look(&result.sign)) result.sign = "register access";
  if (!result.sign.empty()) {
    result.latency = bench_->now() - at;
    result.by_timeout = result.sign == "timeout";
    result.outcome = recover(reference);
  } else if (wrong || devices_changed()) {
    result.outcome = Outcome::kSilent;
  } else if (miscount) {
    result.outcome = Outcome::kMiscount;
  }
  return result;
}

Result Rig::run(const AxiShot& shot, const Reference& reference) {
  uint32_t beats = 0, responses = 0;  // offered so far
  bool r_held = false, b_held = false;
  uint64_t at = 0;
  bench_->change_answer = [&](const AxiMasterOut& m, AxiSlaveOut* answer) {
    if (r_held && m.rready) r_held = false;
    if (b_held && m.bready) b_held = false;
    if (answer->rvalid && !r_held) r_held = true, ++beats;
    if (answer->bvalid && !b_held) b_held = true, ++responses;
    const bool now = shot.write ? b_held && responses == shot.index + 1 : r_held && beats == shot.index + 1;
    if (!now) return;
    if (at == 0) at = bench_->now();
    if (shot.write) {
      answer->bresp = shot.resp;
    } else {  // data of an error mean nothing
      answer->rresp = shot.resp;
      for (auto& w : answer->rdata) w = ~w;
    }
  };
  Result result;
  std::vector<uint8_t> outputs, copied;
  const Status s = transfers(&outputs, &copied);
  if (at == 0) throw std::runtime_error("the error comes after the transfers");
  bench_->change_answer = {};
  if (s == Status::kOk) {
    result.outcome = outputs == reference.jobs[0].outputs ? Outcome::kMasked : Outcome::kSilent;
    return result;
  }
  result.sign = sign_of(s);
  result.address = driver_->last_error().address;
  result.latency = bench_->now() - at;
  result.by_timeout = s == Status::kTimeout;
  result.outcome = recover(reference);
  return result;
}

}  // namespace ohmac::campaign
