// SPDX-License-Identifier: Apache-2.0
// Calibrated quantisation and the integer references. The arithmetic is that of rtl/tile/README.md with gain 1 and
// offset 0.
#pragma once
#include <cstdint>
#include <vector>

#include "sw/compiler/compiler.h"

namespace ohmac::compiler {

/// Bits of one input or weight slice and how many there are: input {7,1} {4,2} {2,4} {1,7}; weight {7,1} {4,2} {2,4}.
struct Slicing {
  uint32_t bits, count;
};
Slicing input_slicing(uint32_t slice_bits);
Slicing weight_slicing(uint32_t slices);

/// Cell code of slice s of weight w: sign x slice, aligned to 7 bits.
int8_t cell_code(int8_t w, uint32_t s, Slicing slicing);

/// round(v), halves to even, limited to -127..127; NaN is a CompileError of the caller's making, not checked here.
int8_t quantise_value(double v);

/// mult in [2^30, 2^31) and shift with mult / 2^shift = m to 2^-30, or the nearest that shift <= 62 allows; m > 0.
/// @throws CompileError if m >= 2^31 (no shift left)
void requant_factor(double m, uint32_t* mult, uint32_t* shift);

int32_t sat32(int64_t v);
/// int8 = clamp(rne(x * mult / 2^shift), -127, 127)
int8_t requantise(int32_t x, uint32_t mult, uint32_t shift);

/// psums of one K-tile, before any addition: groups, input slices, ADC, column accumulation, weight slices.
/// @param cells  [k][n * weight slices] cell codes;  @param range  RANGE field, 0..15
std::vector<int32_t> tile_psums(const CompileOptions& o, uint32_t range, const int8_t* x, uint32_t k,
                                const int8_t* cells, uint32_t n);

/// Cell codes of rows k0..k0+k-1, columns n0..n0+n-1 of a layer: [k][n * weight slices].
std::vector<int8_t> cell_codes(const QuantLayer& l, const CompileOptions& o, uint32_t k0, uint32_t k, uint32_t n0,
                               uint32_t n);

/// Scales, weights, biases, requantisation and the range of every layer.
std::vector<QuantLayer> quantise(const Network& net, const Dataset& calibration, const CompileOptions& o);

/// Float network up to and with layer `layers`.
std::vector<float> forward_float(const Network& net, const std::vector<float>& x, size_t layers);

/// Activation after one layer (int8, or int32 for the last, in `psum`).
struct Activation {
  std::vector<int8_t> q;
  std::vector<int32_t> psum;
};
Activation layer_int8(const QuantLayer& l, const std::vector<int8_t>& x);
/// Bias, ReLU and requantisation of exact dot products [n].
Activation finish_int8(const QuantLayer& l, const std::vector<int64_t>& sums);
/// `cells`: one block per K-tile, all columns, as cell_codes() makes them.
Activation layer_int8_adc(const QuantLayer& l, const CompileOptions& o, const std::vector<std::vector<int8_t>>& cells,
                          const std::vector<int8_t>& x);

/// A plain integer network, -limit..limit. 127: the layers of quantise(), whose reference is Compiled::run_int8.
struct IntegerNetwork {
  std::vector<QuantLayer> layers;
  int limit = 127;
  std::vector<int8_t> quantise_input(const std::vector<float>& x) const;
  /// What follows the dot products [n] of a layer.
  Activation finish(size_t layer, const std::vector<int64_t>& sums) const;
  std::vector<int32_t> run(const std::vector<int8_t>& x) const;
};
/// The network in fewer bits, 2 to 7, for the digital baseline: inputs not clipped; weights (one scale a layer) and
/// activations with the clip between half and all of the largest that has the least squared error. Only what
/// IntegerNetwork uses is set in its layers.
/// @throws CompileError
IntegerNetwork quantise_narrow(const Network& net, const Dataset& calibration, uint32_t bits);

}  // namespace ohmac::compiler
