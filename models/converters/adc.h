// SPDX-License-Identifier: Apache-2.0
// ADC lanes: gain and offset of a lane, comparator, SAR search. Same bits at every SIMD level; a conversion as a whole
// and the same conversion trial by trial give the same codes.
#pragma once
#include <cstdint>
#include <vector>

namespace ohmac {

/// Gain spread of a lane, relative. Source: 7.09 % after calibration, HERMES (secondary note; see the paper before
/// quoting).
inline constexpr double kLaneGainSigma = 0.07;
/// Offset of a lane, ADC steps. Assumption.
inline constexpr double kLaneOffsetSigmaSteps = 1.5;
/// Fabrication screens lanes beyond this many sigma. Assumption.
inline constexpr double kLaneClipSigma = 3.0;
/// Comparator noise a trial, ADC steps. Assumption: below half a step, as an 8-bit SAR needs.
inline constexpr float kComparatorSigmaSteps = 0.3f;
/// A threshold farther than this many sigma is decided without a draw: gaussians are bounded by 6.56, so the draw could
/// not change it.
inline constexpr float kNoDrawSigma = 7.0f;
inline constexpr uint32_t kMaxAdcBits = 8;
/// Columns are converted in steps of this many: a whole number of vectors at every SIMD level.
inline constexpr uint32_t kAdcStep = 16;

/// Lanes of one tile: factor 1 + g and offset in steps, padded to full vectors.
struct LaneErrors {
  std::vector<float> gain, offset;
};

/// Draws the lanes of a tile; g = clamp(N, +-3) * 0.07, o = clamp(N, +-3) * 1.5. A kind of 0 switches its error off.
LaneErrors fabricate_lanes(uint32_t lanes, uint16_t tile, uint64_t chip_seed, uint8_t gain_kind, uint8_t offset_kind);

/// Comparator noise of one conversion: draw = {kind, drive, tile, lane, mux_sel * 16 + trial}. kind 0 = no noise.
struct ComparatorNoise {
  uint8_t kind = 0;
  uint16_t tile = 0;
  uint64_t run_seed = 0, drive = 0;
  uint32_t mux_sel = 0;
};

/// Signal at the comparators, in steps: y = (held * droop / 2^range) (1 + g) + o.
/// @param held [lanes], @param y [padded lanes] output
void adc_levels(const LaneErrors& e, const float* held, float droop, uint32_t range, uint32_t lanes, float* y);

/// One trial of every lane: cmp = (y + noise >= code - 1/2).
/// @param trial number of the trial in its conversion, from 0
void sar_trial(const ComparatorNoise& noise, uint32_t trial, const float* y, const int8_t* code, uint32_t lanes,
               uint8_t* cmp);

/// Whole conversion of one column block: offset-binary search from the most significant bit; without noise code =
/// clamp(floor(y + 1/2), -2^(b-1), 2^(b-1) - 1).
/// The same codes as by sar_trial() with fewer draws.
/// @param bits 1..8
void sar_convert(const ComparatorNoise& noise, const float* y, uint32_t bits, uint32_t lanes, int8_t* codes);

/// What a column meets on its way to a code: column c is converted by lane c % lanes in block c / lanes. One entry a
/// column, padded to a multiple of kAdcStep.
struct AdcColumns {
  std::vector<float> gain, offset;  ///< of the lane
  std::vector<float> droop;         ///< factor of the block
  std::vector<uint32_t> lane;       ///< unit of its draws
  std::vector<uint32_t> trial;      ///< number of its first trial in draws: block * 16
  AdcColumns() = default;
  /// Droop is 1.
  AdcColumns(const LaneErrors& e, uint32_t lanes, uint32_t cols);
};

/// adc_levels() and sar_convert() of many columns of one drive at once, with equal codes. The mux_sel of the noise is
/// not used.
/// @param first, count multiples of kAdcStep inside the padded columns
/// @param held [count] column values before settling, @param settled factor on them, @param codes [count]
void adc_convert(const AdcColumns& a, const ComparatorNoise& noise, uint32_t first, uint32_t count, const float* held,
                 float settled, uint32_t range, uint32_t bits, int8_t* codes);

}  // namespace ohmac
