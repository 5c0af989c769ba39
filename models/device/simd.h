// SPDX-License-Identifier: Apache-2.0
// Which vector instructions the kernels use. Every level gives the same bits; only the speed differs.
#pragma once
#include <cstdint>

namespace ohmac {

enum class Simd : uint8_t { kBaseline, kAvx2, kAvx512 };

/// True if this machine can run kernels of that level.
bool simd_supported(Simd level);

/// Level in use: what OHMAC_SIMD=baseline|avx2|avx512 asks for, else the widest the machine has. Read once, at the
/// first call; an unknown or unsupported OHMAC_SIMD throws std::runtime_error.
Simd simd_level();

/// Overrides the level, for tests and benchmarks. Throws std::runtime_error if the machine cannot run it.
void force_simd(Simd level);

const char* simd_name(Simd level);

/// Largest magnitude of a float gaussian of random_kernel.inc: sqrt(62 ln 2).
inline constexpr float kGaussianMost = 6.5556f;

}  // namespace ohmac
