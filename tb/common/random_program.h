// SPDX-License-Identifier: Apache-2.0
// Random tile programs for lockstep tests of the RTL and the golden machine. A program is race-free: every pair of
// operations that touch the same bytes from different engines (or read what the same engine wrote) is ordered by
// tokens, so its end state does not depend on timing. It covers every instruction, nested loops, wrapping AGUs, pads
// and segments, all slice, group and ADC settings, requantised and in-place vector operations, SENDs to the host and to
// itself, and flits that arrive at any time; by option also write-verify with spare columns, traps, and faults.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/golden/flit.h"
#include "models/macro/geometry.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::tb {

struct RandomOptions {
  Geometry geometry = tiny_geometry();
  bool faulty = false;        ///< ends in a fault of a known cause instead of HALT
  bool prog = false;          ///< PROG instructions and REPAIR words among the others
  bool traps = false;         ///< watchdog on, overflow trap on where `may_overflow` says so; more kinds of faults
  uint32_t traffic = 0;       ///< flits that only keep the SRAM busy, written to memory of their own
  uint32_t max_phases = 300;  ///< bound of the run time: drives of the whole program
};

/// The tile is number 0: a SEND to tile 0 must come back to it, in order.
struct RandomProgram {
  uint64_t seed = 0;
  Geometry geometry;
  std::vector<uint8_t> sram;                          ///< initial contents of the whole SRAM, program included
  std::vector<std::pair<uint32_t, uint32_t>> config;  ///< {word, value} to write before the start
  std::vector<int8_t> cells;                          ///< targets, [rows x cols]
  std::vector<golden::Flit> flits;                    ///< deliver in this order, at any time after the start
  uint16_t pc = 0;
  uint32_t instructions = 0;  ///< words from pc on

  isa::Fault fault = isa::Fault::kNone;  ///< what the program ends with
  int32_t fault_pc = -1;                 ///< status.pc then; -1: depends on timing
  bool compare_state = true;             ///< SRAM, tokens and exact counters are defined after the fault
  bool may_overflow = false;             ///< the overflow trap is on: OVERFLOW may come before all this

  /// Disassembly, for messages of a failed test.
  std::string listing() const;
};

RandomProgram random_program(uint64_t seed, const RandomOptions& options = {});

}  // namespace ohmac::tb
