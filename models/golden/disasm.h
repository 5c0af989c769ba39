// SPDX-License-Identifier: Apache-2.0
// Readable text of instruction words, for listings and `ohmac diff`.
#pragma once
#include <cstdint>
#include <string>

#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::golden {

/// One instruction: `MVM   src=a0+0x20 dst=a1 cfg=2`. An unknown opcode reads `.word 0x...`.
std::string disassemble(uint64_t word);
/// `n` instructions, one a line with the program counter, loop bodies indented.
std::string disassemble(const uint64_t* words, uint32_t n, uint32_t first_pc = 0);
/// Name of a configuration word: `MVMCFG[1].3`, or `0x3F0` if it has none.
std::string config_word_name(uint32_t word);

/// As in ISA.md.
const char* fault_name(isa::Fault fault);

}  // namespace ohmac::golden
