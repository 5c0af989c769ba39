// SPDX-License-Identifier: Apache-2.0
#include "sw/hal/status.h"

namespace ohmac {

const char* status_text(Status s) {
  switch (s) {
    case Status::kOk: return "no error";
    case Status::kBusError: return "a register access was answered with a bus error";
    case Status::kTimeout: return "the chip did not answer within the cycle bound";
    case Status::kWrongChip: return "the chip's identity or instruction set version is not this driver's";
    case Status::kBadImage: return "the program image is corrupt or not a program image";
    case Status::kWrongGeometry: return "the program image was made for another chip geometry";
    case Status::kBadArgument: return "an argument has an illegal size, alignment or range";
    case Status::kNoMemory: return "the DMA memory is too small for the request";
    case Status::kJobError: return "a DMA job ended with an error";
    case Status::kTileFault: return "a tile stopped with a fault";
    case Status::kCalibration: return "a column's gain, offset or range is outside what the calibration allows";
    case Status::kNotReady: return "the call is out of order";
    case Status::kModelError: return "the platform could not program the cells";
  }
  return "unknown status";
}

}  // namespace ohmac
