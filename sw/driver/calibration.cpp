// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/calibration.h"

#include <string.h>

#include "sw/driver/assembler.h"

namespace ohmac {
namespace {

using isa::Engine;

constexpr uint32_t kMinCalBits = 6;  // below, lane offsets alone fill the code range
constexpr uint32_t kProgramBytes = 1024;
constexpr uint32_t kLevelBytes = 64;  // 2 * kMaxCalLevels + 3, padded
constexpr uint32_t kPsumBuffers = 4;  // enough to hide post-processing and the vector add behind the conversions
constexpr int32_t kMinCheckCode = 2;
static_assert(2 * kMaxCalLevels + 3 <= kLevelBytes, "levels fit");

constexpr uint32_t kAguLevel = 0, kAguPsum = 1, kAguSum = 2, kAguHost = 3;
constexpr uint32_t kSlotLevels = 0, kSlotCheck = 1;  // MVM configurations
// Tile tokens: psum written, psum buffers free, sum written, all sums written.
constexpr uint32_t kTokPsum = 0, kTokFree = 1, kTokSum = 2, kTokDone = 3;

int64_t div_round(int64_t num, int64_t den) {  // den > 0, half away from zero
  return num >= 0 ? (num + den / 2) / den : -((-num + den / 2) / den);
}

/// Largest input whose code y leaves room: y * 1.21 + 4.5 (offset) + 2 (noise) + 0.5 (rounding) stays 2 codes under
/// 2^(bits-1).
int32_t top_input(uint32_t adc_bits, uint32_t range) {
  const int32_t top = ((1 << (adc_bits - 1)) - 9) * 100 * (1 << range) / (121 * 127);
  return top < 127 ? top : 127;
}

bool power_of_two(uint32_t v) { return v != 0 && (v & (v - 1)) == 0; }

}  // namespace

Status make_cal_plan(uint32_t adc_bits, uint32_t range, const CalOptions& o, CalPlan* plan) {
  if (adc_bits < 4 || adc_bits > 8 || range > kMaxAdcRange || !power_of_two(o.reads) || o.reads > kMaxCalReads ||
      o.levels < 2 || o.levels % 2 != 0 || o.levels > kMaxCalLevels) {
    return Status::kBadArgument;
  }
  CalPlan p{};
  p.reads = o.reads;
  p.levels = o.levels;
  p.adc_bits = adc_bits < kMinCalBits ? kMinCalBits : adc_bits;
  p.range = 7 + 8 - p.adc_bits;
  const int32_t unit = 1 << p.range;
  const int32_t top = top_input(p.adc_bits, p.range);
  const int32_t low = top * 3 / 10;
  int32_t error = 0;  // sum of (expected code - exact value), in 2^-range
  for (uint32_t k = 0; k < p.levels;
       ++k) {  // from both ends to the middle: a low and a high level round in opposite directions
    const uint32_t i = k % 2 == 0 ? k / 2 : p.levels - 1 - k / 2;
    const int32_t nominal = low + static_cast<int32_t>(i) * (top - low) / static_cast<int32_t>(p.levels - 1);
    int32_t best = 0, best_error = 0;
    for (int32_t x = nominal - 3; x <= nominal + 3; ++x) {
      const int32_t e = cal_expected_code(x, p.range) * unit - 127 * x;
      if (x > top || e == unit / 2) continue;  // never on a decision threshold
      const int32_t sum = error + e;
      if (best == 0 || (sum < 0 ? -sum : sum) < (best_error < 0 ? -best_error : best_error)) {
        best = x;
        best_error = sum;
      }
    }
    error = best_error;
    p.level[i] = static_cast<int8_t>(best);
    p.expected_pos += cal_expected_code(best, p.range);
    p.expected_neg += cal_expected_code(-best, p.range);
  }
  p.check_range = range;
  const int32_t x = top_input(p.adc_bits, range);
  if (cal_expected_code(x, range) >= kMinCheckCode) {
    p.check_input = static_cast<int8_t>(x);
    p.check_expected = cal_expected_code(x, range) - cal_expected_code(-x, range);
  }
  *plan = p;
  return Status::kOk;
}

Status solve_cal(const CalPlan& p, const CalSums& s, CalWord* out) {
  const int64_t one = int64_t{1} << isa::kPsumFracBits, unity = int64_t{1} << isa::kGainFracBits;
  const int64_t measured = int64_t{s.pos} - s.neg;
  const int64_t expected = one * p.reads * (p.expected_pos - p.expected_neg);
  if (measured <= 0) return Status::kCalibration;  // dead or inverted lane
  const int64_t gain = (unity * expected + measured / 2) / measured;
  if (gain < unity / 2 || gain > unity * 2) return Status::kCalibration;
  const int64_t total = int64_t{s.pos} + s.neg + s.zero;
  const int64_t expected_total = one * p.reads * (p.expected_pos + p.expected_neg);
  const int64_t samples = int64_t{p.reads} * (2 * p.levels + 1);
  const int64_t offset = div_round(unity * expected_total - gain * total, unity * samples);
  if (offset < -32768 || offset > 32767) return Status::kCalibration;
  *out = CalWord{static_cast<uint16_t>(gain), static_cast<int16_t>(offset)};
  return Status::kOk;
}

Status check_cal_range(const CalPlan& p, const CalSums& s, const CalWord& w) {
  if (p.check_input == 0) return Status::kOk;
  const int64_t step = int64_t{p.reads} << (isa::kPsumFracBits + isa::kGainFracBits);  // one step per read
  const int64_t error = w.gain * (int64_t{s.check_pos} - s.check_neg) - step * p.check_expected;
  return 4 * (error < 0 ? -error : error) < step * (p.check_expected + 4) ? Status::kOk : Status::kCalibration;
}

CalLayout cal_layout(uint32_t columns) {
  CalLayout l;
  l.columns = columns;
  l.stride = columns * 4;
  l.sums = kProgramBytes + kLevelBytes;
  l.image_bytes = l.sums + kCalVectors * l.stride;
  l.psums = l.image_bytes;
  l.total_bytes = l.psums + kPsumBuffers * l.stride;
  return l;
}

void encode_cal_image(const CalPlan& p, const CalLayout& l, uint32_t rows, uint32_t mux_count, uint8_t* image) {
  memset(image, 0, l.image_bytes);
  for (uint32_t i = 0; i < p.levels; ++i) {
    image[kProgramBytes + i] = static_cast<uint8_t>(p.level[i]);
    image[kProgramBytes + p.levels + i] = static_cast<uint8_t>(-p.level[i]);
  }  // the byte behind the levels is the input 0
  image[kProgramBytes + 2 * p.levels + 1] = static_cast<uint8_t>(p.check_input);
  image[kProgramBytes + 2 * p.levels + 2] = static_cast<uint8_t>(-p.check_input);

  namespace c = isa::cfg;
  Assembler a(image, kProgramBytes / 8);
  // Depth 0: sign, depth 1: level, depth 2: read.
  a.agu(kAguLevel, kProgramBytes, 0, 1, 0, 0);
  a.agu(kAguPsum, l.psums, 0, 0, l.stride, kPsumBuffers * l.stride);
  a.agu(kAguSum, l.sums, l.stride, 0, 0, 0);
  a.agu(kAguHost, 0, 0, 0, 0, 0);
  const bool check = p.check_input != 0;
  a.mvm_slot(kSlotLevels, rows, 1, p.adc_bits, p.range, 0, mux_count);
  if (check) a.mvm_slot(kSlotCheck, rows, 1, p.adc_bits, p.check_range, 0, mux_count);
  const uint32_t v = c::kVeccfgBase;  // slot 0
  a.setr(v + 0, c::veccfg::len.put(l.columns));
  a.setr(v + 1, 0);
  a.setr(v + 2, 0);

  const uint64_t level = isa::operand(kAguLevel, 0), psum = isa::operand(kAguPsum, 0), sum = isa::operand(kAguSum, 0);
  constexpr uint32_t kBody = 8;
  const auto nest = [&](uint32_t slot, uint32_t signs, uint32_t levels) {
    a.loop(kBody + 2, signs);
    a.loop(kBody + 1, levels);
    a.loop(kBody, p.reads);
    a.wait(Engine::kMvm, kTokFree, 1);
    a.emit(isa::mvm::make(level, psum, slot));
    a.signal(Engine::kMvm, kTokPsum, 1);
    a.wait(Engine::kVec, kTokPsum, 1);
    a.wait(Engine::kVec, kTokSum, 1);  // the sum of the previous read is in the SRAM
    a.emit(isa::vec::make(psum, sum, sum, 1, 0));
    a.signal(Engine::kVec, kTokSum, 1);
    a.signal(Engine::kVec, kTokFree, 1);
  };
  a.signal(Engine::kSeq, kTokFree, kPsumBuffers);
  a.signal(Engine::kSeq, kTokSum, 1);
  nest(kSlotLevels, 2, p.levels);
  nest(kSlotLevels, 1, 1);  // input 0
  if (check) nest(kSlotCheck, 2, 1);
  a.signal(Engine::kVec, kTokDone, 1);
  a.wait(Engine::kSeq, kTokDone, 1);
  a.wait(Engine::kSeq, kTokFree, kPsumBuffers);  // leave no token behind
  a.wait(Engine::kSeq, kTokSum, 1);
  a.send_token(isa::kHostTile, kAguHost, kCalToken);
  a.halt();
}

uint64_t cal_cycle_bound(const CalPlan& p, uint32_t mux_count, uint32_t columns) {
  // A read: phase, conversions, post-processing and vector add one after another, with room for slow timing registers.
  const uint64_t a_read = 1024 + uint64_t{mux_count} * (p.adc_bits + 2) + columns;
  return 100000 + 4 * a_read * p.reads * (2 * p.levels + 3);
}

}  // namespace ohmac
