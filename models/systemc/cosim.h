// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/macro/macro.h"
#include "models/systemc/axi_memory.h"
#include "models/systemc/rtl_chip.h"
#include "models/trace/timeline.h"

namespace ohmac {

struct CosimConfig {
  Geometry geometry;
  AxiMemory::Config memory;
  std::vector<MacroConfig> macros;  ///< one a tile
  std::string chip_library;         ///< shared object with the chip (chip_library.h); empty: make_rtl_chip()
  std::string waves;                ///< FST file, empty: none
  bool stub_macro = false;          ///< bench only: comparators answer 0, no analog model
};

/// What firmware sees of the running co-simulation. Called from the firmware's SystemC thread only.
class CosimBus {
 public:
  virtual ~CosimBus() = default;
  /// AXI4-Lite accesses; return the response code (0 = OKAY).
  virtual uint8_t read(uint32_t addr, uint32_t* value) = 0;
  virtual uint8_t write(uint32_t addr, uint32_t value) = 0;
  /// Waits until irq is high or `cycles` have passed; false on timeout.
  virtual bool wait_irq(uint64_t cycles) = 0;
  virtual AxiMemory& memory() = 0;
  virtual Macro& macro(uint32_t tile) = 0;
  virtual uint64_t cycle() const = 0;
  /// Fills a trace from the next cycle on; null: stop.
  virtual void set_timeline(ChipTimeline* timeline) = 0;
  /// Throws std::runtime_error listing macro protocol errors, if any.
  virtual void check() = 0;
  /// Called about every 2,000 cycles during wait_irq.
  virtual void set_progress(std::function<void()> f) = 0;
};

/// Runs the Verilated chip with the analog macros and memory in SystemC until `firmware` returns.
/// One elaboration a process (SystemC E529): call once. Throws std::runtime_error listing macro protocol errors, if
/// any.
void run_cosim(const CosimConfig& config, const std::function<void(CosimBus&)>& firmware);

}  // namespace ohmac
