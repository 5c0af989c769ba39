// SPDX-License-Identifier: Apache-2.0
// The compiler's public face: float ONNX MLP + calibration images -> quantised network -> program image, and the
// references the chip is held against. Host only. Every wrong input is a CompileError whose text names the place and
// the remedy.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/macro/geometry.h"

namespace ohmac::compiler {

struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// y = relu?(x W + b), float.
struct Layer {
  std::string name;
  uint32_t k = 0, n = 0;      ///< inputs, outputs
  std::vector<float> weight;  ///< [k][n]
  std::vector<float> bias;    ///< [n], zeros if the model has none
  bool relu = false;
};

struct Network {
  std::string name;  ///< file name without folder and ending
  std::string file;  ///< for messages
  std::vector<Layer> layers;
  uint32_t inputs() const { return layers.front().k; }
  uint32_t outputs() const { return layers.back().n; }
};

/// Reads a float32 MLP: Gemm, MatMul + Add, Relu, Flatten, Reshape, in one line from one input to one output.
Network load_onnx(const std::string& path);

/// Grey images and labels, from IDX files, plain or gzip.
struct Dataset {
  uint32_t count = 0, rows = 0, cols = 0;
  std::vector<uint8_t> pixels;  ///< [count][rows][cols]
  std::vector<uint8_t> labels;  ///< [count]; empty from load_images
  uint32_t size() const { return rows * cols; }
  /// Network input of image i: pixel / 255.
  std::vector<float> input(uint32_t i) const;
};
/// Images alone (calibration): no labels.
Dataset load_images(const std::string& images_path);
Dataset load_digits(const std::string& images_path, const std::string& labels_path);

struct CompileOptions {
  Geometry geometry;
  bool lossless =
      false;  ///< 1-bit inputs, 4+3-bit weights, groups of 8 rows, 8-bit ADC, range 9; overrides the next four
  uint32_t input_slice_bits = 7;  ///< magnitude bits a phase: 7, 4, 2, 1
  uint32_t weight_slices = 1;     ///< columns a weight: 1, 2, 4
  uint32_t group_rows = 0;        ///< rows driven together, multiple of 4; 0: all
  uint32_t adc_bits = 8;          ///< 4..8
  uint32_t in_flight = 24;        ///< most vectors in the chip; reduced if the SRAM is short
  /// Part of the code range the range choice may fill; the rest is for lane gain (up to +21 %) and offset before
  /// correction.
  double headroom = 0.8;
};

/// Bias and requantisation of a layer for psums that count 2^(step_log2 - 8) unit products of the integer network.
struct PsumScale {
  std::vector<int32_t> bias;  ///< [n]
  uint32_t mult = 0;          ///< u31; int8 = sat127(rne(psum * mult / 2^shift))
  uint32_t shift = 0;         ///< 0..62
};

/// One layer after quantisation. real value = scale * integer; symmetric, -127..127.
struct QuantLayer {
  std::string name;
  uint32_t k = 0, n = 0;
  bool relu = false, last = false;  ///< last: int32 psums leave the chip, no requantisation
  std::vector<int8_t> weight;       ///< [k][n]
  double input_scale = 1, weight_scale = 1, output_scale = 1;
  uint32_t range = 0;              ///< RANGE field: ADC step = 2^range unit products of the macro
  int step_log2 = 0;               ///< the same in unit products of the integer network
  PsumScale int8, adc;             ///< for step 1 and for step 2^step_log2
  std::vector<uint32_t> k_splits;  ///< first row of each K-tile, then k
};

/// Part of a layer on one tile.
struct Piece {
  uint32_t tile = 0, layer = 0;
  uint32_t k0 = 0, k = 0, k_index = 0, k_count = 1;
  uint32_t n0 = 0, n = 0, n_index = 0, n_count = 1;
  bool head() const { return k_index == 0; }            ///< adds the bias
  bool tail() const { return k_index + 1 == k_count; }  ///< requantises
};

struct Compiled {
  std::string name;
  CompileOptions options;  ///< as used: lossless applied
  Network source;
  std::vector<QuantLayer> layers;
  std::vector<Piece> pieces;                            ///< in placement order
  std::vector<std::vector<std::vector<int8_t>>> cells;  ///< [layer][K-tile] cell codes of all columns, for run_int8_adc
  std::vector<uint8_t> image;                           ///< sw/runtime/image.h
  std::string listing;
  uint32_t in_flight = 0;  ///< as in the image
  uint32_t adc_bound = 0;  ///< cycles of the busiest tile's conversions per vector
  uint32_t output_count = 0, output_stride = 0;

  /// Float input -> the chip's int8 input vector.
  std::vector<int8_t> quantise_input(const std::vector<float>& x) const;
  /// The three references. Integer outputs are the int32 vectors the chip sends (last layer's psums with bias).
  std::vector<float> run_float(const std::vector<float>& x) const;
  std::vector<int32_t> run_int8(const std::vector<int8_t>& x) const;
  std::vector<int32_t> run_int8_adc(const std::vector<int8_t>& x) const;
};

/// Index of the largest output; the first one of equals.
template <class T>
uint32_t classify(const std::vector<T>& outputs) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < outputs.size(); ++i)
    if (outputs[i] > outputs[best]) best = i;
  return best;
}

Compiled compile(const Network& network, const Dataset& calibration, const CompileOptions& options);

}  // namespace ohmac::compiler
