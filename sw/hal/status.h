// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

namespace ohmac {

/// Outcome of every driver and platform call. kOk is the only success.
enum class [[nodiscard]] Status : uint8_t{
    kOk = 0,
    kBusError,       // a CSR access was answered with SLVERR or DECERR
    kTimeout,        // no interrupt within the given cycles
    kWrongChip,      // ID or instruction set version is not the driver's
    kBadImage,       // magic, version, bounds or CRC of the program image
    kWrongGeometry,  // image made for another geometry
    kBadArgument,    // size, alignment or range of an argument
    kNoMemory,       // DMA memory too small for the request
    kJobError,       // DMA job ended with an error, see Driver::last_error()
    kTileFault,      // a tile stopped with a fault
    kCalibration,    // a column's gain, offset or range is outside what the calibration allows
    kNotReady,       // call out of order (infer before load ...)
    kModelError,     // the platform's programming hook failed
};

/// One short English sentence for a status, for messages.
const char* status_text(Status s);

}  // namespace ohmac
