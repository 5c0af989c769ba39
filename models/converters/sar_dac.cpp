// SPDX-License-Identifier: Apache-2.0
#include "models/converters/sar_dac.h"

#include "models/converters/adc.h"
#include "models/device/philox.h"

namespace ohmac {
namespace {

std::vector<double> fabricate_capacitors(uint32_t lanes, uint16_t tile, uint64_t chip_seed, uint8_t kind) {
  std::vector<double> d;
  for (uint32_t l = 0; l < lanes; ++l) {
    for (uint16_t k = 0; k <= kSarDacBits; ++k) {
      double n = gaussian_pair(philox(chip_seed, Draw{kind, l, tile, k, 0})).a;
      n = n > kLaneClipSigma ? kLaneClipSigma : n < -kLaneClipSigma ? -kLaneClipSigma : n;
      d.push_back(n * kUnitCapSigma / __builtin_sqrt(k == kSarDacBits ? 1.0 : static_cast<double>(1u << k)));
    }
  }
  return d;
}

}  // namespace

double sar_dac_level(const double* deviation, uint32_t code) {
  double on = 0, all = 1.0 + deviation[kSarDacBits];
  for (uint32_t k = 0; k < kSarDacBits; ++k) {
    const double c = static_cast<double>(1u << k) * (1.0 + deviation[k]);
    all += c;
    if ((code >> k & 1) != 0) on += c;
  }
  return 256.0 * on / all;
}

SarDac::SarDac(uint32_t lanes, const double* deviation) : shift_(size_t{lanes} * 256) {
  for (uint32_t l = 0; l < lanes; ++l) {
    for (uint32_t u = 0; u < 256; ++u) {
      shift_[l * 256 + u] = static_cast<float>(sar_dac_level(deviation + l * (kSarDacBits + 1), u) - u);
    }
  }
}

SarDac::SarDac(uint32_t lanes, uint16_t tile, uint64_t chip_seed, uint8_t kind)
    : SarDac(lanes, fabricate_capacitors(lanes, tile, chip_seed, kind).data()) {}

void SarDac::levels(const float* y, const int8_t* code, uint32_t lanes, float* out) const {
  for (uint32_t l = 0; l < lanes; ++l) out[l] = y[l] - shift(l, code[l]);
}

}  // namespace ohmac
