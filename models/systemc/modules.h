// SPDX-License-Identifier: Apache-2.0
// The SystemC modules of the co-simulation. Clocked values pass through interface ports, not through pin signals: a
// signal a pin costs more than the whole Verilated tile (see README.md).
#pragma once
#include <systemc>

#include "models/macro/macro.h"
#include "models/systemc/axi_memory.h"
#include "models/systemc/cosim.h"
#include "models/systemc/rtl_chip.h"
#include "models/trace/timeline.h"

namespace ohmac {

/// Pin contract of a macro as seen from the chip: one call a cycle, at the falling clock edge.
class MacroIf : public virtual sc_core::sc_interface {
 public:
  /// @return true if cmp was written.
  virtual bool step(const PinsIn& pins, const int8_t* sar_code, uint8_t* cmp) = 0;
};

/// Thin module around Macro.
class MacroModule : public sc_core::sc_module, public MacroIf {
 public:
  MacroModule(sc_core::sc_module_name name, const MacroConfig& config) : sc_module(name), macro_(config) {
    face.bind(*this);
  }
  bool step(const PinsIn& pins, const int8_t* sar_code, uint8_t* cmp) override {
    macro_.step(pins, sar_code, cmp);
    return pins.sar_strobe;
  }
  Macro& macro() { return macro_; }
  sc_core::sc_export<MacroIf> face{"face"};

 private:
  Macro macro_;
};

/// Answers every comparison with 0: the cost of the chip without analog physics (bench).
class StubMacroModule : public sc_core::sc_module, public MacroIf {
 public:
  explicit StubMacroModule(sc_core::sc_module_name name) : sc_module(name) { face.bind(*this); }
  bool step(const PinsIn&, const int8_t*, uint8_t*) override { return false; }
  sc_core::sc_export<MacroIf> face{"face"};
};

/// Memory behind the chip's AXI master: one call a rising edge.
class MemoryIf : public virtual sc_core::sc_interface {
 public:
  virtual const AxiSlaveOut& posedge(const AxiMasterOut& m) = 0;
  virtual void reset() = 0;
};

class MemoryModule : public sc_core::sc_module, public MemoryIf {
 public:
  MemoryModule(sc_core::sc_module_name name, const AxiMemory::Config& config) : sc_module(name), memory_(config) {
    face.bind(*this);
  }
  const AxiSlaveOut& posedge(const AxiMasterOut& m) override { return memory_.posedge(m); }
  void reset() override { memory_.reset(); }
  AxiMemory& memory() { return memory_; }
  sc_core::sc_export<MemoryIf> face{"face"};

 private:
  AxiMemory memory_;
};

/// The Verilated chip: evaluates on both clock edges, calls the macros at the falling edge and the memory at the rising
/// edge, and carries out one AXI4-Lite access at a time for the firmware thread.
class ChipModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(ChipModule);
  ChipModule(sc_core::sc_module_name name, std::unique_ptr<RtlChip> chip);

  sc_core::sc_in<bool> clk{"clk"};
  sc_core::sc_in<bool> rst_n{"rst_n"};
  sc_core::sc_vector<sc_core::sc_port<MacroIf>> macros;
  sc_core::sc_port<MemoryIf> memory{"memory"};

  /// From a thread: one AXI4-Lite access; returns the response code.
  uint8_t access(bool write, uint32_t addr, uint32_t* value);
  bool irq() const { return irq_; }
  const sc_core::sc_event& irq_event() const { return irq_event_; }
  uint64_t cycle() const { return cycle_; }
  RtlChip& chip() { return *chip_; }
  /// Fills a trace from the next cycle on; null: stop.
  void set_timeline(ChipTimeline* timeline) { timeline_ = timeline; }

 private:
  void on_clock();
  void rising();
  void falling();
  void advance_axil();
  void trace_cycle();

  std::unique_ptr<RtlChip> chip_;
  std::vector<uint64_t> last_pins_;
  bool last_prog_ = false;  // any macro had programming or repair pins high
  std::vector<PinsIn> pins_;
  AxiMasterOut axi_;
  AxiLiteIn axil_;
  enum class Access { kIdle, kWrite, kRead } access_ = Access::kIdle;
  uint32_t access_data_ = 0;
  uint8_t access_resp_ = 0;
  sc_core::sc_event access_done_, irq_event_;
  bool irq_ = false;
  uint64_t cycle_ = 0;
  ChipTimeline* timeline_ = nullptr;
};

}  // namespace ohmac
