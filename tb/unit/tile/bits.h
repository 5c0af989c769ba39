// SPDX-License-Identifier: Apache-2.0
// Packed structs on Verilated ports, written and read field by field, most significant field first as in the
// SystemVerilog.
#pragma once
#include <verilated.h>

#include <cstdint>
#include <initializer_list>
#include <type_traits>

namespace ohmac::tb {

struct Bits {
  unsigned width;
  uint64_t value;
};

template <class T>
bool get_bit(const T& word, unsigned i) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<uint64_t>(word) >> i & 1;
  } else {
    return word[i / 32] >> (i % 32) & 1;
  }
}

template <class T>
void set_bit(T& word, unsigned i, bool v) {
  if constexpr (std::is_integral_v<T>) {
    const T mask = static_cast<T>(uint64_t{1} << i);
    word = static_cast<T>(v ? (word | mask) : (word & ~mask));
  } else {
    const uint32_t mask = uint32_t{1} << (i % 32);
    word[i / 32] = v ? (word[i / 32] | mask) : (word[i / 32] & ~mask);
  }
}

template <class T>
uint64_t get_bits(const T& word, unsigned lsb, unsigned width) {
  uint64_t v = 0;
  for (unsigned i = 0; i < width; ++i) v |= static_cast<uint64_t>(get_bit(word, lsb + i)) << i;
  return v;
}

template <class T>
void set_bits(T& word, unsigned lsb, unsigned width, uint64_t v) {
  for (unsigned i = 0; i < width; ++i) set_bit(word, lsb + i, v >> i & 1);
}

/// Writes the fields, the last one ending at bit `lsb`.
template <class T>
void pack(T& word, std::initializer_list<Bits> fields, unsigned lsb = 0) {
  for (auto f = fields.end(); f != fields.begin();) {
    --f;
    set_bits(word, lsb, f->width, f->value);
    lsb += f->width;
  }
}

}  // namespace ohmac::tb
