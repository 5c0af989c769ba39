// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "sw/compiler/compiler.h"

namespace ohmac::test {

inline std::string networks() { return std::string(OHMAC_SOURCE_DIR) + "/sw/networks/"; }
inline compiler::Network mnist() { return compiler::load_onnx(networks() + "mnist_mlp.onnx"); }
inline compiler::Dataset digits(const std::string& set) {
  const std::string base = networks() + "data/" + set;
  return compiler::load_digits(base + "-images.idx.gz", base + "-labels.idx.gz");
}

/// Random network of the given widths, ReLU between the layers.
inline compiler::Network random_network(const std::vector<uint32_t>& widths, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  compiler::Network net;
  net.name = net.file = "random";
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    compiler::Layer l;
    l.name = "fc" + std::to_string(i + 1);
    l.k = widths[i];
    l.n = widths[i + 1];
    for (uint32_t j = 0; j < l.k * l.n; ++j) l.weight.push_back(normal(rng) / std::sqrt(static_cast<float>(l.k)));
    for (uint32_t j = 0; j < l.n; ++j) l.bias.push_back(0.1f * normal(rng));
    l.relu = i + 2 < widths.size();
    net.layers.push_back(l);
  }
  return net;
}

inline compiler::Dataset random_images(uint32_t pixels, uint32_t count, uint32_t seed) {
  std::mt19937 rng(seed);
  compiler::Dataset d;
  d.count = count;
  d.rows = 1;
  d.cols = pixels;
  for (uint32_t i = 0; i < pixels * count; ++i) d.pixels.push_back(static_cast<uint8_t>(rng() % 256));
  d.labels.assign(count, 0);
  return d;
}

/// The text of the CompileError that f throws; empty (and a test failure) if it throws none.
template <class Fn>
std::string error_of(Fn f) {
  try {
    f();
  } catch (const compiler::CompileError& e) {
    return e.what();
  }
  ADD_FAILURE() << "no CompileError";
  return {};
}

}  // namespace ohmac::test
