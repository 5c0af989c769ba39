// SPDX-License-Identifier: Apache-2.0
// Every flop and memory word of the Verilated chip: what it is called, which part of the chip it belongs to, how to
// flip a bit of it. The list comes from the model itself (state.py); only the classes are written by hand.
#pragma once
#include <verilated.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ohmac::campaign {

/// One register or memory of one instance.
struct Register {
  std::string scope, name;  ///< "gen_tile[0].u_tile.u_seq", "pc_q"
  std::string part;         ///< class of the campaign
  uint32_t words = 1, bits = 1;
  uint8_t* data = nullptr;
  uint32_t stride = 1;  ///< bytes a word
  uint64_t size() const { return uint64_t{words} * bits; }
  bool get(uint64_t bit) const { return data[byte(bit)] >> (bit % bits % 8) & 1; }
  void flip(uint64_t bit) const { data[byte(bit)] = static_cast<uint8_t>(data[byte(bit)] ^ 1u << (bit % bits % 8)); }
  /// Without the number of the tile or bank: the same for all instances of a module's register.
  std::string kind() const;

 private:
  uint64_t byte(uint64_t bit) const { return bit / bits * stride + bit % bits / 8; }
};

/// All state of the model of this context, ordered by scope and name. Throws std::runtime_error for a register that
/// fits no class.
std::vector<Register> find_registers(const VerilatedContext& context);

/// Bits of the lines of a tile's SRAM below `bytes`, of `mem` or of `par`, as {register, bit} pairs.
struct BitOf {
  uint32_t reg;
  uint64_t bit;
};
std::vector<BitOf> sram_bits(const std::vector<Register>& all, uint32_t tile, const char* name, uint32_t bytes);

}  // namespace ohmac::campaign
