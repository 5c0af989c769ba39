// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sw/driver/driver.h"

namespace ohmac::cli {

/// One line for people: "a tile stopped with a fault: tile 3, ADDRESS (address outside ...) at instruction 17".
std::string error_text(const ErrorInfo& error);
const char* dma_error_name(isa::DmaError e);
const char* fault_name(isa::Fault f);

}  // namespace ohmac::cli
