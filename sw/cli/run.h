// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "sw/cli/options.h"
#include "sw/cli/record.h"
#include "sw/compiler/compiler.h"

namespace ohmac::cli {

/// Images of one batch. A batch is one job of a freshly brought-up chip, so the split into batches, not the number of
/// threads, decides cycles; drive counters continue over batches as if one chip had done them all.
constexpr uint32_t kBatchImages = 250;

/// A compiled network with the test images it will see, and what the references say to them.
struct Workload {
  compiler::Compiled compiled;
  compiler::Dataset test;
  std::vector<std::vector<int8_t>> inputs;  ///< quantised, one an image
  std::vector<std::vector<int32_t>> int8, int8_adc;
  double accuracy_float = 0, accuracy_int8 = 0, accuracy_int8_adc = 0;

  std::vector<int8_t> packed_inputs(uint32_t first, uint32_t count) const;
  double accuracy(const std::vector<uint8_t>& outputs, uint32_t images) const;
};

/// Path of the ONNX file behind a network name or path; UsageError if there is none.
std::string network_path(const std::string& network);
/// Names of the shipped networks.
std::vector<std::string> shipped_networks();

compiler::Dataset calibration_images(const RunOptions& options);
compiler::Compiled compile_network(const RunOptions& options);

/// Compiles and evaluates the references on the first `options.images` test images.
Workload prepare(const RunOptions& options);

struct RunOutcome {
  RunRecord record;
  std::vector<uint8_t> outputs;  ///< final vectors in image order, unpadded
};

RunOutcome execute(const Workload& work, const RunOptions& options);

/// The reference's output vectors as the chip would send them.
std::vector<uint8_t> reference_bytes(const std::vector<std::vector<int32_t>>& outputs, uint32_t images);

}  // namespace ohmac::cli
