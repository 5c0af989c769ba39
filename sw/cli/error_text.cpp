// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/error_text.h"

#include <cstdio>

namespace ohmac::cli {
namespace {

std::string hex(uint64_t v) {
  char b[32];
  std::snprintf(b, sizeof b, "0x%llx", static_cast<unsigned long long>(v));
  return b;
}

}  // namespace

const char* dma_error_name(isa::DmaError e) {
  switch (e) {
    case isa::DmaError::kNone: return "none (aborted)";
    case isa::DmaError::kWindow: return "address outside every open window";
    case isa::DmaError::kAxiRead: return "bus error on a read";
    case isa::DmaError::kAxiWrite: return "bus error on a write";
    case isa::DmaError::kDescriptor: return "illegal descriptor";
    case isa::DmaError::kToken: return "token counter overflow";
  }
  return "unknown error";
}

const char* fault_name(isa::Fault f) {
  switch (f) {
    case isa::Fault::kNone: return "none";
    case isa::Fault::kIllegalInstr: return "illegal instruction";
    case isa::Fault::kAddress: return "address outside the SRAM or misaligned";
    case isa::Fault::kLoop: return "illegal loop nest";
    case isa::Fault::kTokenOverflow: return "token counter overflow";
    case isa::Fault::kConfig: return "illegal value in a configuration slot";
    case isa::Fault::kWatchdog:
      return "nothing happened for longer than the watchdog allows (a token or data never came)";
    case isa::Fault::kSramParity: return "parity error in the tile memory";
    case isa::Fault::kOverflow: return "a column accumulator, psum or vector sum saturated";
    case isa::Fault::kStopped: return "stopped by the host";
  }
  return "unknown fault";
}

std::string error_text(const ErrorInfo& e) {
  std::string s = status_text(e.status);
  const char* sep = ": ";
  const auto add = [&](const std::string& part) {
    s += sep + part;
    sep = ", ";
  };
  if (e.tile != ErrorInfo::kNone) add("tile " + std::to_string(e.tile));
  if (e.fault != isa::Fault::kNone) add(std::string(fault_name(e.fault)) + " at instruction " + std::to_string(e.pc));
  if (e.column != ErrorInfo::kNone) add("column " + std::to_string(e.column));
  if (e.range != ErrorInfo::kNone) add("trim of ADC range " + std::to_string(e.range));
  if (e.clips != 0) add(std::to_string(e.clips) + " conversions clipped");
  if (e.descriptor != ErrorInfo::kNone) {
    add("DMA descriptor " + std::to_string(e.descriptor) + " (" + dma_error_name(e.dma_error) + ")");
    if (e.address != 0) add("address " + hex(e.address));
  }
  return s;
}

}  // namespace ohmac::cli
