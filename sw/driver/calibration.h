// SPDX-License-Identifier: Apache-2.0
// Arithmetic and tile program of the lane calibration; Driver::calibrate runs it on the chip.
#pragma once
#include <stdint.h>

#include "sw/hal/status.h"

namespace ohmac {

constexpr uint32_t kMaxCalLevels = 16;
constexpr uint32_t kMaxCalReads = 1024;

struct CalOptions {
  uint32_t reads = 16;  // reads averaged at each level, power of two, 1..1024
  uint32_t levels = 8;  // input levels of each sign, even, 2..16
};

/// What one tile needs: program resolution and column blocks in use (from block 0).
struct CalTarget {
  uint32_t tile = 0;
  uint32_t adc_bits = 8;
  uint32_t mux_count = 1;
};

/// Levels, ADC setting and expected codes of a calibration at one resolution.
struct CalPlan {
  uint32_t reads, levels;
  uint32_t adc_bits;            // resolution of the conversions, 6..8
  uint32_t range;               // ADC step = 2^range unit products
  int8_t level[kMaxCalLevels];  // positive levels, ascending; the negative ones are their opposites
  int32_t expected_pos;         // sum of the ideal codes over the positive levels, one read each
  int32_t expected_neg;
};

/// Sums of one physical column over all levels of a sign and all reads, in 2^-8 of the ADC step (gain 1, offset 0
/// loaded).
struct CalSums {
  int32_t pos, neg, zero;
};

struct CalWord {
  uint16_t gain;   // unsigned Q2.14
  int16_t offset;  // 2^-8 of the ADC step
  uint32_t word() const { return static_cast<uint32_t>(static_cast<uint16_t>(offset)) << 16 | gain; }
};
constexpr CalWord kNeutralCal{1 << 14, 0};

/// Ideal code of input x on the reference row (127): floor(127 x / 2^range + 1/2).
constexpr int32_t cal_expected_code(int32_t x, uint32_t range) {
  return (127 * x + (1 << (range - 1))) >> range;  // arithmetic shift = floor
}

/// Chooses levels for a resolution: the highest leaves room for a gain of +21 %, an offset of 4.5 steps and comparator
/// noise; the rounding errors of the expected codes cancel over the levels as far as they can. kBadArgument for illegal
/// options.
Status make_cal_plan(uint32_t adc_bits, const CalOptions& options, CalPlan* plan);

/// Correction of one column. With y = g s + o measured as sums: gain = expected difference / measured difference, then
/// the offset that makes the mean right: (expected total - gain * total) / reads. kCalibration if the gain is outside
/// 0.5..2 or the offset outside s16 (then `out` is unchanged).
Status solve_cal(const CalPlan& plan, const CalSums& sums, CalWord* out);

/// Byte addresses of the calibration program in a tile's SRAM.
struct CalLayout {
  uint32_t columns;      // physical columns = column blocks * lanes
  uint32_t stride;       // bytes of one vector of int32 sums
  uint32_t image_bytes;  // program, levels and cleared sums: what is written, from address 0
  uint32_t sums;         // three vectors: positive, negative, zero
  uint32_t psums;        // circular buffer of psum vectors
  uint32_t total_bytes;  // SRAM needed
};
CalLayout cal_layout(uint32_t columns);

/// Host token that a tile increments when its sums are ready.
constexpr uint32_t kCalToken = 0;

/// Writes the image (layout.image_bytes) for a tile: it starts at pc 0, ends with a token to the host and HALT, and
/// leaves every tile token at 0.
void encode_cal_image(const CalPlan& plan, const CalLayout& layout, uint32_t rows, uint32_t mux_count, uint8_t* image);

/// Cycles that surely suffice for one tile's program.
uint64_t cal_cycle_bound(const CalPlan& plan, uint32_t mux_count, uint32_t columns);

}  // namespace ohmac
