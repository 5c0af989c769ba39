// SPDX-License-Identifier: Apache-2.0
#include "models/systemc/rtl_chip.h"

namespace ohmac {

PinsIn unpack_pins(uint64_t p) {
  const auto bits = [&p](unsigned n) {
    const uint64_t v = p & ((uint64_t{1} << n) - 1);
    p >>= n;
    return v;
  };
  PinsIn o;
  o.range = static_cast<uint8_t>(bits(4));
  o.mux_sel = static_cast<uint8_t>(bits(6));
  o.mux_bank = bits(1);
  o.sar_strobe = bits(1);
  o.sample_bank = bits(1);
  o.sample = bits(1);
  o.int_rst = bits(1);
  o.integrate = bits(1);
  o.drive_bank = bits(1);
  o.drive = bits(1);
  o.row_clr = static_cast<uint8_t>(bits(2));
  o.row_wdata = static_cast<uint32_t>(bits(32));
  o.row_addr = static_cast<uint8_t>(bits(8));
  o.row_bank = bits(1);
  o.row_we = bits(1);
  return o;
}

ProgIn unpack_prog(uint32_t p) {
  const auto bits = [&p](unsigned n) {
    const uint32_t v = p & ((1u << n) - 1);
    p >>= n;
    return v;
  };
  ProgIn o;
  o.repair_clr = bits(1);
  o.repair_we = bits(1);
  o.pulse = bits(1);
  o.amp = static_cast<uint8_t>(bits(4));
  o.set = bits(1);
  o.neg = bits(1);
  o.row = static_cast<uint16_t>(bits(10));
  o.mask_we = bits(1);
  o.en = bits(1);
  return o;
}

}  // namespace ohmac
