// SPDX-License-Identifier: Apache-2.0
// Unpacking of the macro's pin structs; bit positions by hand from rtl/pkg/ohmac_pkg.sv (the last field is lowest).
#include <gtest/gtest.h>

#include "models/systemc/rtl_chip.h"

namespace {

using namespace ohmac;

TEST(Pins, ProgrammingPinsUnpackFieldByField) {
  EXPECT_TRUE(unpack_prog(1u << 20).en);
  EXPECT_TRUE(unpack_prog(1u << 19).mask_we);
  EXPECT_EQ(unpack_prog(0x2a5u << 9).row, 0x2a5);
  EXPECT_TRUE(unpack_prog(1u << 8).neg);
  EXPECT_TRUE(unpack_prog(1u << 7).set);
  EXPECT_EQ(unpack_prog(0xbu << 3).amp, 0xb);
  EXPECT_TRUE(unpack_prog(1u << 2).pulse);
  EXPECT_TRUE(unpack_prog(1u << 1).repair_we);
  EXPECT_TRUE(unpack_prog(1u << 0).repair_clr);
  for (uint32_t bit = 0; bit < 21; ++bit) {  // no bit reaches two fields
    const ProgIn p = unpack_prog(1u << bit);
    EXPECT_EQ(p.en + p.mask_we + (p.row != 0) + p.neg + p.set + (p.amp != 0) + p.pulse + p.repair_we + p.repair_clr, 1)
        << bit;
  }
}

TEST(Pins, MacroPinsUnpackFieldByField) {
  EXPECT_TRUE(unpack_pins(uint64_t{1} << 61).row_we);
  EXPECT_TRUE(unpack_pins(uint64_t{1} << 60).row_bank);
  EXPECT_EQ(unpack_pins(uint64_t{0xa5} << 52).row_addr, 0xa5);
  EXPECT_EQ(unpack_pins(uint64_t{0xdeadbeef} << 20).row_wdata, 0xdeadbeef);
  EXPECT_EQ(unpack_pins(uint64_t{2} << 18).row_clr, 2);
  EXPECT_TRUE(unpack_pins(uint64_t{1} << 17).drive);
  EXPECT_TRUE(unpack_pins(uint64_t{1} << 12).sample_bank);
  EXPECT_TRUE(unpack_pins(uint64_t{1} << 11).sar_strobe);
  EXPECT_EQ(unpack_pins(uint64_t{0x2b} << 4).mux_sel, 0x2b);
  EXPECT_EQ(unpack_pins(uint64_t{0xd}).range, 0xd);
}

}  // namespace
