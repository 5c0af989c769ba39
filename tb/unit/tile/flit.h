// SPDX-License-Identifier: Apache-2.0
// flit_t of rtl/pkg/ohmac_pkg.sv as a C++ struct.
#pragma once
#include <array>
#include <cstdint>

#include "tb/unit/tile/bits.h"

namespace ohmac::tb {

enum FlitKind { kFlitWrite = 0, kFlitRead = 1, kFlitResp = 2 };

struct Flit {
  bool host = false;
  unsigned x = 0, y = 0, kind = kFlitWrite;
  bool token_en = false;
  unsigned token = 0;
  uint32_t addr = 0;
  uint16_t strb = 0;
  std::array<uint32_t, 4> data{};

  template <class T>
  void to(T& port) const {
    pack(port, {{1, host},
                {3, x},
                {3, y},
                {2, kind},
                {1, token_en},
                {4, token},
                {24, addr},
                {16, strb},
                {32, data[3]},
                {32, data[2]},
                {32, data[1]},
                {32, data[0]}});
  }
  template <class T>
  static Flit from(const T& port) {
    Flit f;
    for (unsigned i = 0; i < 4; ++i) f.data[i] = static_cast<uint32_t>(get_bits(port, 32 * i, 32));
    f.strb = static_cast<uint16_t>(get_bits(port, 128, 16));
    f.addr = static_cast<uint32_t>(get_bits(port, 144, 24));
    f.token = static_cast<unsigned>(get_bits(port, 168, 4));
    f.token_en = get_bit(port, 172);
    f.kind = static_cast<unsigned>(get_bits(port, 173, 2));
    f.y = static_cast<unsigned>(get_bits(port, 175, 3));
    f.x = static_cast<unsigned>(get_bits(port, 178, 3));
    f.host = get_bit(port, 181);
    return f;
  }
  uint8_t byte(unsigned i) const { return static_cast<uint8_t>(data[i / 4] >> (8 * (i % 4))); }
};

}  // namespace ohmac::tb
