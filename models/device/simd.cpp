// SPDX-License-Identifier: Apache-2.0
#include "models/device/simd.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace ohmac {
namespace {

Simd initial_level() {
  constexpr Simd kAll[] = {Simd::kAvx512, Simd::kAvx2, Simd::kBaseline};
  const char* wanted = std::getenv("OHMAC_SIMD");
  for (Simd s : kAll) {
    if (wanted != nullptr && *wanted != 0 && std::string(wanted) != simd_name(s)) continue;
    if (simd_supported(s)) return s;
    if (wanted != nullptr && *wanted != 0)
      throw std::runtime_error(std::string("OHMAC_SIMD=") + wanted + ": not supported by this machine");
  }
  throw std::runtime_error(std::string("OHMAC_SIMD=") + wanted + ": use baseline, avx2 or avx512");
}

std::atomic<Simd>& level() {
  static std::atomic<Simd> l{initial_level()};
  return l;
}

}  // namespace

bool simd_supported(Simd s) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (s == Simd::kAvx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (s == Simd::kAvx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2");
#endif
  return s == Simd::kBaseline;
}

Simd simd_level() { return level().load(std::memory_order_relaxed); }

void force_simd(Simd s) {
  if (!simd_supported(s)) throw std::runtime_error(std::string("force_simd: this machine has no ") + simd_name(s));
  level().store(s, std::memory_order_relaxed);
}

const char* simd_name(Simd s) {
  constexpr const char* kNames[] = {"baseline", "avx2", "avx512"};
  return kNames[static_cast<unsigned>(s)];
}

}  // namespace ohmac
