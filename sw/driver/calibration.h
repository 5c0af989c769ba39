// SPDX-License-Identifier: Apache-2.0
// Arithmetic and tile program of the lane calibration; Driver::calibrate runs it on the chip.
#pragma once
#include <stdint.h>

#include "sw/hal/status.h"

namespace ohmac {

constexpr uint32_t kMaxCalLevels = 16;
constexpr uint32_t kMaxCalReads = 1024;
constexpr uint32_t kMaxAdcRange = 15;  // RANGE field: 4 bits

struct CalOptions {
  uint32_t reads = 16;  // reads averaged at each level, power of two, 1..1024
  uint32_t levels = 8;  // input levels of each sign, even, 2..16
};

/// What one tile needs: program resolution, column blocks in use (from block 0) and the program's RANGE field.
struct CalTarget {
  uint32_t tile = 0;
  uint32_t adc_bits = 8;
  uint32_t mux_count = 1;
  uint32_t range = 0;
};

/// Levels, ADC settings and expected codes of a calibration at one resolution, with the check of one range.
struct CalPlan {
  uint32_t reads, levels;
  uint32_t adc_bits;            // resolution of the conversions, 6..8
  uint32_t range;               // ADC step = 2^range unit products
  int8_t level[kMaxCalLevels];  // positive levels, ascending; the negative ones are their opposites
  int32_t expected_pos;         // sum of the ideal codes over the positive levels, one read each
  int32_t expected_neg;
  uint32_t check_range;    // RANGE field whose trim is checked, 0..15
  int8_t check_input;      // read at +- this; 0: this range cannot be checked, nothing is read
  int32_t check_expected;  // difference of the two ideal codes
};

/// Sums of one physical column over all levels of a sign and all reads, in 2^-8 of the ADC step (gain 1, offset 0
/// loaded).
struct CalSums {
  int32_t pos, neg, zero;
  int32_t check_pos = 0, check_neg = 0;  // the two inputs of the range check
};

struct CalWord {
  uint16_t gain;   // unsigned Q2.14
  int16_t offset;  // 2^-8 of the ADC step
  uint32_t word() const { return static_cast<uint32_t>(static_cast<uint16_t>(offset)) << 16 | gain; }
};
constexpr CalWord kNeutralCal{1 << 14, 0};
constexpr CalWord kMutedCal{0, 0};  // psum 0: of a column whose codes carry no signal

/// Ideal code of input x on the reference row (127): floor(127 x / 2^range + 1/2).
constexpr int32_t cal_expected_code(int32_t x, uint32_t range) {
  return (2 * 127 * x + (1 << range)) >> (range + 1);  // arithmetic shift = floor
}

/// Chooses levels for a resolution: the highest leaves room for a gain of +21 %, an offset of 4.5 steps and comparator
/// noise; the rounding errors of the expected codes cancel over the levels as far as they can. The range check uses 127
/// or, where the code would not leave that room, the largest input that does; it is left out if that input is 0 or its
/// code below 2. kBadArgument for illegal options.
Status make_cal_plan(uint32_t adc_bits, uint32_t range, const CalOptions& options, CalPlan* plan);

/// Correction of one column. With y = g s + o measured as sums: gain = expected difference / measured difference, then
/// the offset that makes the mean right: (expected total - gain * total) / reads. kCalibration if the gain is outside
/// 0.5..2 or the offset outside s16 (then `out` is unchanged).
Status solve_cal(const CalPlan& plan, const CalSums& sums, CalWord* out);

/// Verifies the trim of the program's range on one column, with its correction from solve_cal (offsets cancel in the
/// difference). kCalibration unless |gain * measured / 2^14 - expected| < expected / 4 + one step per read. A trim off
/// by one RANGE step is a factor of two: it moves the difference by -1/2 or +1 of the expected one, so a quarter
/// separates right from wrong; the step is for the rounding of the two codes. Too fine a step is always found, too
/// coarse a one for certain if the expected difference is above 8 (D/2 - 1 > D/4 + 1), below that unless lane offset
/// and noise hide it. kOk if the plan checks nothing.
Status check_cal_range(const CalPlan& plan, const CalSums& sums, const CalWord& word);

constexpr uint32_t kCalVectors = 5;

/// Byte addresses of the calibration program in a tile's SRAM.
struct CalLayout {
  uint32_t columns;      // physical columns = column blocks * lanes
  uint32_t stride;       // bytes of one vector of int32 sums
  uint32_t image_bytes;  // program, levels and cleared sums: what is written, from address 0
  uint32_t sums;         // kCalVectors vectors: positive, negative, zero, range check positive, negative
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
