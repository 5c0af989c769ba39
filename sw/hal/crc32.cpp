// SPDX-License-Identifier: Apache-2.0
#include "sw/hal/crc32.h"

namespace ohmac {
namespace {

constexpr uint32_t kPolynomial = 0xEDB88320;  // reflected 0x04C11DB7

struct Table {
  uint32_t word[256];
  constexpr Table() : word{} {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = c & 1 ? c >> 1 ^ kPolynomial : c >> 1;
      word[i] = c;
    }
  }
};
constexpr Table kTable;

}  // namespace

uint32_t crc32(const void* data, size_t bytes, uint32_t crc) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (size_t i = 0; i < bytes; ++i) crc = kTable.word[(crc ^ p[i]) & 0xFF] ^ crc >> 8;
  return ~crc;
}

}  // namespace ohmac
