// SPDX-License-Identifier: Apache-2.0
// flit_t of rtl/pkg/ohmac_pkg.sv as a C++ value, and its packing into Verilator's words (182 bits, host is the top
// bit).
#pragma once
#include <array>
#include <cstdint>

namespace ohmac::tb {

enum class FlitKind : uint8_t { kWrite = 0, kRead = 1, kResp = 2 };

struct Flit {
  bool host = false;
  uint8_t x = 0, y = 0;
  FlitKind kind = FlitKind::kWrite;
  bool token_en = false;
  uint8_t token = 0;
  uint32_t addr = 0;  // 24 bits
  uint16_t strb = 0;
  std::array<uint32_t, 4> data{};

  uint8_t byte(unsigned i) const { return static_cast<uint8_t>(data[i / 4] >> (8 * (i % 4))); }
  void set_byte(unsigned i, uint8_t v) {
    data[i / 4] = (data[i / 4] & ~(0xFFu << (8 * (i % 4)))) | uint32_t{v} << (8 * (i % 4));
  }
  bool operator==(const Flit& o) const {
    return host == o.host && x == o.x && y == o.y && kind == o.kind && token_en == o.token_en && token == o.token &&
           addr == o.addr && strb == o.strb && data == o.data;
  }
};

constexpr unsigned kFlitBits = 182;

/// Packs into 32-bit words, bit 0 of word 0 first. `words` is any indexable of 6 words (VlWide<6>).
template <class Words>
void pack(const Flit& f, Words& words) {
  for (unsigned i = 0; i < 4; ++i) words[i] = f.data[i];
  const uint64_t top = uint64_t{f.strb} | uint64_t{f.addr & 0xFFFFFFu} << 16 | uint64_t{f.token} << 40 |
                       uint64_t{f.token_en} << 44 | uint64_t{static_cast<uint8_t>(f.kind)} << 45 | uint64_t{f.y} << 47 |
                       uint64_t{f.x} << 50 | uint64_t{f.host} << 53;
  words[4] = static_cast<uint32_t>(top);
  words[5] = static_cast<uint32_t>(top >> 32);
}

template <class Words>
Flit unpack(const Words& words) {
  Flit f;
  for (unsigned i = 0; i < 4; ++i) f.data[i] = words[i];
  const uint64_t top = uint64_t{words[4]} | uint64_t{words[5]} << 32;
  f.strb = static_cast<uint16_t>(top);
  f.addr = static_cast<uint32_t>(top >> 16) & 0xFFFFFFu;
  f.token = top >> 40 & 0xF;
  f.token_en = top >> 44 & 1;
  f.kind = static_cast<FlitKind>(top >> 45 & 3);
  f.y = top >> 47 & 7;
  f.x = top >> 50 & 7;
  f.host = top >> 53 & 1;
  return f;
}

/// Element `index` of a packed array of flits (a port flit_t [N-1:0]): flits are not word aligned there.
template <class Words>
void pack_at(const Flit& f, Words& words, unsigned index) {
  std::array<uint32_t, 6> one{};
  pack(f, one);
  for (unsigned b = 0; b < kFlitBits; ++b) {
    const unsigned to = index * kFlitBits + b;
    const uint32_t bit = one[b / 32] >> (b % 32) & 1u;
    words[to / 32] = (words[to / 32] & ~(1u << (to % 32))) | bit << (to % 32);
  }
}

template <class Words>
Flit unpack_at(const Words& words, unsigned index) {
  std::array<uint32_t, 6> one{};
  for (unsigned b = 0; b < kFlitBits; ++b) {
    const unsigned from = index * kFlitBits + b;
    one[b / 32] |= (words[from / 32] >> (from % 32) & 1u) << (b % 32);
  }
  return unpack(one);
}

}  // namespace ohmac::tb
