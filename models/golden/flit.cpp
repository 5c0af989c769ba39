// SPDX-License-Identifier: Apache-2.0
#include "models/golden/flit.h"

#include <cstring>

namespace ohmac::golden {

Flit Burst::flit(uint32_t i) const {
  Flit f;
  const bool last = i + 1 == flits;
  f.tile = tile;
  f.kind = kind;
  f.token_en = last && token_en;
  f.token = f.token_en ? token : 0;
  f.strb = last ? last_strb : 0xFFFF;
  f.addr = addr + 16 * i;
  std::memcpy(f.data, data + 16 * i, 16);
  return f;
}

Burst Burst::of(const Flit& f) {
  Burst b;
  b.tile = f.tile;
  b.kind = f.kind;
  b.token_en = f.token_en;
  b.token = f.token;
  b.last_strb = f.strb;
  b.addr = f.addr;
  std::memcpy(b.data, f.data, 16);
  return b;
}

}  // namespace ohmac::golden
