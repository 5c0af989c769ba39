// SPDX-License-Identifier: Apache-2.0
#include "tb/bench/sampler.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace ohmac::bench {
namespace {

constexpr size_t kMaxSamples = 1 << 20;
constexpr int kPeriodUs = 1000;

std::vector<uintptr_t> g_samples;  // a signal handler reaches globals only; sized before the timer starts
std::atomic<size_t> g_count{0};

void on_sigprof(int, siginfo_t*, void* context) {
  const auto* c = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  const auto pc = static_cast<uintptr_t>(c->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  const auto pc = static_cast<uintptr_t>(c->uc_mcontext.pc);
#else
#error "sampler: where is the program counter on this machine?"
#endif
  const size_t i = g_count.fetch_add(1, std::memory_order_relaxed);
  if (i < g_samples.size()) g_samples[i] = pc;
}

void set_timer(int period_us) {
  const itimerval t{{0, period_us}, {0, period_us}};
  setitimer(ITIMER_PROF, &t, nullptr);
}

/// Load address of the program: the first object that the loader lists.
uintptr_t program_base() {
  uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<uintptr_t*>(out) = info->dlpi_addr;
        return 1;
      },
      &base);
  return base;
}

/// Functions of the program: (address, name), ascending.
std::vector<std::pair<uintptr_t, std::string>> functions() {
  char exe[PATH_MAX] = {};
  if (readlink("/proc/self/exe", exe, sizeof exe - 1) <= 0)
    throw std::runtime_error("sampler: cannot find the program");
  std::FILE* p = popen(("nm -C -n --defined-only '" + std::string(exe) + "'").c_str(), "r");
  if (p == nullptr) throw std::runtime_error("sampler: cannot run nm (package binutils)");
  std::vector<std::pair<uintptr_t, std::string>> all;
  char* line = nullptr;
  size_t capacity = 0;
  for (ssize_t n; (n = getline(&line, &capacity, p)) > 0;) {
    const std::string s(line, static_cast<size_t>(n - 1));
    const size_t type = s.find(' ');
    if (type == std::string::npos || s.size() < type + 4) continue;
    all.emplace_back(std::strtoull(s.c_str(), nullptr, 16), s.substr(type + 3));
  }
  std::free(line);
  pclose(p);
  return all;
}

bool starts_with(const std::string& s, const char* prefix) { return s.rfind(prefix, 0) == 0; }
bool contains(const std::string& s, const char* part) { return s.find(part) != std::string::npos; }

}  // namespace

const char* part_name(Part p) {
  switch (p) {
    case Part::kTiles: return "RTL of the tiles";
    case Part::kChip: return "RTL of mesh, DMA, CSRs; tile ports";
    case Part::kSystemC: return "SystemC kernel";
    case Part::kPorts: return "memory, ports of the chip";
    case Part::kMvm: return "macro: dot products and read noise";
    case Part::kTrials: return "macro: comparators";
    case Part::kMacro: return "macro: pins and sequence";
    case Part::kLibrary: return "C library, operating system";
    case Part::kOther: return "driver, rest";
    case Part::kCount: break;
  }
  return "";
}

Part part_of(const std::string& f) {
  if (f.empty()) return Part::kLibrary;
  if (starts_with(f, "Vohmac_tile_block")) return Part::kTiles;
  if (starts_with(f, "Vchip_") || starts_with(f, "ohmac_tile_block_") || contains(f, "Verilated") ||
      starts_with(f, "Vl") || starts_with(f, "VL_")) {
    return Part::kChip;
  }
  if (starts_with(f, "sc_") || contains(f, "sc_core::") || contains(f, "sc_dt::")) return Part::kSystemC;
  if (contains(f, "AxiMemory") || contains(f, "ChipModule") || contains(f, "BarePlatform") ||
      contains(f, "VerilatedChip") || contains(f, "unpack_pins") || contains(f, "std::_Deque") ||
      contains(f, "std::deque")) {
    return Part::kPorts;
  }
  if (contains(f, "column_sums") || contains(f, "::mvm(") || contains(f, "read_noise") || contains(f, "ActiveRows") ||
      contains(f, "take_group") || contains(f, "MvmBatch"))
    return Part::kMvm;
  if (contains(f, "::trial(") || contains(f, "::levels(") || contains(f, "sar_") || contains(f, "adc_levels") ||
      contains(f, "droop"))
    return Part::kTrials;
  if (contains(f, "Macro") || contains(f, "ohmac::det::")) return Part::kMacro;
  return Part::kOther;
}

void Sampler::start() {
  g_samples.assign(kMaxSamples, 0);
  g_count = 0;
  struct sigaction a {};
  a.sa_sigaction = on_sigprof;
  a.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGPROF, &a, nullptr);
  set_timer(kPeriodUs);
}

std::vector<double> Sampler::stop() {
  set_timer(0);
  const size_t n = std::min(g_count.load(), g_samples.size());
  std::vector<double> share(static_cast<size_t>(Part::kCount), 0.0);
  const auto all = functions();
  const uintptr_t base = program_base();
  for (size_t i = 0; i < n; ++i) {
    const uintptr_t pc = g_samples[i] - base;
    const auto next =
        std::upper_bound(all.begin(), all.end(), pc, [](uintptr_t x, const auto& f) { return x < f.first; });
    const bool outside = next == all.begin() || next == all.end();
    Part part = part_of(outside ? "" : std::prev(next)->second);
    Dl_info info;
    if (outside && dladdr(reinterpret_cast<void*>(g_samples[i]), &info) != 0 && contains(info.dli_fname, "systemc")) {
      part = Part::kSystemC;
    }
    share[static_cast<size_t>(part)] += 1.0 / static_cast<double>(n);
  }
  return share;
}

}  // namespace ohmac::bench
