// SPDX-License-Identifier: Apache-2.0
// Runs of draws whose names differ in the unit alone: noise of neighbouring rows, columns or lanes. Same bits at every
// SIMD level.
#pragma once
#include <cstdint>

#include "models/device/philox.h"

namespace ohmac {

/// Draws come in steps of this many: a whole number of vectors at every SIMD level.
inline constexpr uint32_t kDrawStep = 16;
/// Room that a run of `count` draws needs.
constexpr uint32_t draw_room(uint32_t count) { return (count + kDrawStep - 1) / kDrawStep * kDrawStep; }

/// out[i] = standard gaussian of the draw `first` with unit + i, in float (random_kernel.inc).
/// @param out [draw_room(count)]; what is beyond count is overwritten, too
void gaussians(uint64_t seed, const Draw& first, uint32_t count, float* out);

/// out[i] = uniform of the same draws in -1 .. 1: the first word as a signed number / 2^31.
void uniforms(uint64_t seed, const Draw& first, uint32_t count, float* out);

}  // namespace ohmac
