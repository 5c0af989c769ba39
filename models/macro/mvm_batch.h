// SPDX-License-Identifier: Apache-2.0
// Input codes to ADC codes for one vector or many: product, read noise, settling, lanes. The kernels of
// models/crossbar/mvm.h and models/converters/adc.h behind one call, with the codes that Macro::drive() and
// Macro::convert() give.
#pragma once
#include <cstdint>
#include <vector>

#include "models/converters/adc.h"
#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/device/aligned.h"

namespace ohmac {

/// What the vectors of a batch have in common.
struct MvmSettings {
  uint64_t run_seed = 1;
  uint16_t tile = 0;
  uint8_t read_noise_kind = 0;  ///< random stream; used if the matrix has variances
  uint8_t comparator_kind = 0;  ///< random stream, 0: no comparator noise
  float settled = 1;            ///< part of the signal that the integration reaches
  uint32_t range = 0;           ///< ADC step 2^range unit products
  uint32_t bits = 8;            ///< of the ADC, 1..8
  uint32_t first_column = 0, columns = 0;
};

/// Scratch memory and the loop over vectors; one a thread.
class MvmBatch {
 public:
  /// Vectors first_drive, first_drive + 1 ...: inputs x[n][m.rows + 1], the last one of the reference row, to codes
  /// [n][columns]. Draws are named by drive and column, so batches may be cut anywhere. Throws std::out_of_range on an
  /// input of -128; codes of earlier vectors may be written then.
  /// @param adc of at least first_column + columns columns
  void run(const EffectiveMatrix& m, const AdcColumns& adc, const MvmSettings& s, const int8_t* x, uint32_t n,
           uint64_t first_drive, int8_t* codes);

 private:
  ActiveRows in_;
  AlignedVector<float> sum_, var_;
  std::vector<int8_t> codes_;
};

/// The same on some threads, each with a share of the vectors. @param threads >= 1
void run_mvm_batch(const EffectiveMatrix& m, const AdcColumns& adc, const MvmSettings& s, const int8_t* x, uint32_t n,
                   uint64_t first_drive, int8_t* codes, unsigned threads);

}  // namespace ohmac
