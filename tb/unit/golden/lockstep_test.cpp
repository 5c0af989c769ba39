// SPDX-License-Identifier: Apache-2.0
// Random programs on the Verilated tile, with the macro of the models and all its noise at the pins, against the golden
// tile: SRAM, tokens, flits, exact counters, devices and status are equal bit for bit, whatever the back-pressure;
// without back-pressure cycles agree too.
#include "Vgolden_lockstep_test_dut.h"
#include "tb/unit/golden/rtl_tile.h"

namespace ohmac::test {
namespace {

using Dut = Vgolden_lockstep_test_dut;
using tb::RandomOptions;

TEST(Lockstep, RandomPrograms) { compare_range<Dut>(200, {}, true); }

TEST(Lockstep, FaultyPrograms) {
  RandomOptions o;
  o.faulty = true;
  compare_range<Dut>(100, o, true);
}

TEST(Lockstep, WriteVerify) {
  RandomOptions o;
  o.prog = true;
  compare_range<Dut>(200, o, true);
}

// Flits that use every bank of the SRAM all the time.
TEST(Lockstep, BusySram) {
  RandomOptions o;
  o.prog = true;
  o.traps = true;
  o.faulty = true;
  o.traffic = 150;
  compare_range<Dut>(100, o, true);
}

TEST(Lockstep, WriteVerifyCycles) { expect_write_verify_cycles<Dut>(tiny_geometry(), 24); }

}  // namespace
}  // namespace ohmac::test
