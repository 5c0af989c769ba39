// SPDX-License-Identifier: Apache-2.0
// A tiny golden tile with an ideal macro, for hand calculations.
#pragma once
#include <gtest/gtest.h>

#include "tb/unit/golden/program.h"

namespace ohmac::test {

class Tile : public ::testing::Test {
 protected:
  Tile() : t(tiny_geometry(), ideal_macro(tiny_geometry())) {
    unit_calibration(t, 32);
    for (uint32_t i = 0; i < 8; ++i)
      set_agu(t, i, 0x1000 + 0x200 * static_cast<int32_t>(i));  // a0 = 0x1000, a1 = 0x1200, ...
  }
  void cells(const std::vector<int8_t>& w, uint32_t rows, uint32_t cols) {
    t.macro().program_cells(0, 0, rows, cols, w.data());
  }
  golden::TileStop go(std::vector<uint64_t> code, uint64_t cycles = 1000000) {
    code.push_back(isa::halt::make());
    load(t, 0, code);
    t.start(0);
    return t.run(cycles);
  }
  golden::TileStop fault(isa::Fault cause, int pc, std::vector<uint64_t> code) {
    const golden::TileStop s = go(std::move(code));
    EXPECT_EQ(t.status().fault, cause);
    EXPECT_TRUE(t.status().halted);
    EXPECT_FALSE(t.status().running);
    if (pc >= 0) {
      EXPECT_EQ(t.status().pc, pc);
    }
    return s;
  }
  uint32_t count(isa::Counter c) const { return t.counter(c); }
  GoldenTile t;
};

}  // namespace ohmac::test
