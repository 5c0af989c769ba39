// SPDX-License-Identifier: Apache-2.0
// Psums of given input vectors on many tiles at once: what self-test and drift compensation measure with.
#pragma once
#include <stdint.h>

#include "sw/driver/driver.h"

namespace ohmac {

/// MVMs of one tile: k rows from row_base in one group, 7-bit inputs, column blocks 0 .. mux_count-1.
struct PsumRequest {
  uint32_t tile = 0;
  uint32_t row_base = 0;  // multiple of 4; chip.rows: the reference row (k = 1)
  uint32_t k = 1;
  uint32_t adc_bits = 8, range = 7;
  uint32_t mux_count = 1;
};

/// Takes results.
class PsumSink {
 public:
  /// Vectors first .. first + vectors - 1 of one tile. psums: int32 [vectors x columns of the request], corrected by
  /// the CAL words, 2^-8 ADC steps.
  virtual void take(const PsumRequest& request, uint32_t first, uint32_t vectors, const int32_t* psums) = 0;

 protected:
  ~PsumSink() = default;
};

/// Input of row k of vector v, -127..127.
using PsumInput = int8_t (*)(uint32_t v, uint32_t k);

/// Runs `vectors` MVMs on every tile of the requests (a tile at most once). Overwrites tile SRAM from address 0 on,
/// uses tile token 0 (left at 0) and DMA token 0. As many tiles and vectors a job as DMA memory and SRAM allow;
/// kNoMemory if not even `unit` vectors of one tile fit.
/// @param unit  vectors that the sink gets together; divides `vectors`
Status read_psums(Driver& driver, const PsumRequest* requests, uint32_t count, uint32_t vectors, uint32_t unit,
                  PsumInput input, PsumSink& sink);

}  // namespace ohmac
