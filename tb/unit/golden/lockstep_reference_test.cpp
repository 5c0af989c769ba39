// SPDX-License-Identifier: Apache-2.0
// As lockstep_test, at the reference geometry.
#include "Vgolden_lockstep_reference_test_dut.h"
#include "tb/unit/golden/rtl_tile.h"

namespace ohmac::test {
namespace {

TEST(LockstepReference, WriteVerify) {
  tb::RandomOptions o;
  o.geometry = reference_geometry();
  o.prog = true;
  o.max_phases = 100;
  compare_range<Vgolden_lockstep_reference_test_dut>(12, o, true);
}

TEST(LockstepReference, WriteVerifyCycles) {
  expect_write_verify_cycles<Vgolden_lockstep_reference_test_dut>(reference_geometry(), 24);
}

}  // namespace
}  // namespace ohmac::test
