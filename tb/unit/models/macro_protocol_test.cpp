// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/macro/macro.h"
#include "tb/unit/models/pin_timeline.h"

namespace {

using namespace ohmac;
using test::PinTimeline;

/// A legal phase: bank 0 loaded in cycles 0..1, driven in 10..18 (settle 2, integrate 6), sampled into bank 0 in cycle
/// 18, conversions of blocks 0 and 1 in cycles 19..28 and 29..38.
class MacroProtocol : public ::testing::Test {
 protected:
  MacroProtocol()
      : macro_([] {
          MacroConfig c;
          c.geometry = tiny_geometry();
          c.tile = 5;
          c.effects = EffectSet::none();
          return c;
        }()) {
    std::vector<int8_t> x(33, 0);
    x[0] = 1;
    pins_.load(0, false, x);
    pins_.drive(10, false, false, 2, 6);
    pins_.convert(19, false, 0, 3, 8);
    pins_.convert(29, false, 1, 3, 8);
    pins_.at(45);
  }
  PinsIn& at(size_t cycle) { return pins_.at(cycle); }
  /// Runs; expects one error, in that cycle, of a rule that starts with `rule`.
  void expect_error(uint64_t cycle, const std::string& rule) {
    pins_.run(&macro_);
    const auto& e = macro_.protocol_errors();
    ASSERT_FALSE(e.empty());
    EXPECT_EQ(e[0].cycle, cycle) << e[0].rule;
    EXPECT_EQ(e[0].tile, 5u);
    EXPECT_EQ(e[0].rule.substr(0, rule.size()), rule);
  }
  Macro macro_;
  PinTimeline pins_;
};

TEST_F(MacroProtocol, LegalPhaseHasNoError) {
  pins_.run(&macro_);
  EXPECT_TRUE(macro_.protocol_errors().empty()) << macro_.protocol_errors()[0].rule;
  EXPECT_EQ(macro_.drive_count(), 1u);
}
TEST_F(MacroProtocol, DrivesMayFollowWithoutAGap) {
  pins_.drive(19, true, true, 2, 6);
  pins_.run(&macro_);
  EXPECT_TRUE(macro_.protocol_errors().empty()) << macro_.protocol_errors()[0].rule;
  EXPECT_EQ(macro_.drive_count(), 2u);
}
TEST_F(MacroProtocol, TheOtherBankMayBeLoadedDuringADrive) {
  pins_.load(11, true, std::vector<int8_t>(33, 7));
  pins_.run(&macro_);
  EXPECT_TRUE(macro_.protocol_errors().empty()) << macro_.protocol_errors()[0].rule;
}
TEST_F(MacroProtocol, WritingTheDrivenBank) {
  at(12).row_we = true;
  expect_error(12, "row_we:");
}
TEST_F(MacroProtocol, WritingTheDrivenBankInTheFirstCycleOfTheDrive) {
  at(10).row_we = true;
  expect_error(10, "row_we:");
}
TEST_F(MacroProtocol, ClearingTheDrivenBank) {
  at(13).row_clr = 1;
  expect_error(13, "row_clr:");
}
TEST_F(MacroProtocol, RowAddressBeyondTheReferenceRow) {
  at(5).row_we = true;
  at(5).row_addr = 9;  // word 8 is the reference row of 32 rows
  expect_error(5, "row_addr:");
}
TEST_F(MacroProtocol, DriveWithoutIntegratorReset) {
  at(10).int_rst = false;
  expect_error(10, "drive: int_rst");
}
TEST_F(MacroProtocol, DriveBankChangesDuringADrive) {
  at(14).drive_bank = true;
  expect_error(14, "drive_bank:");
}
TEST_F(MacroProtocol, IntegrateOutsideADrive) {
  at(7).integrate = true;
  expect_error(7, "integrate:");
}
TEST_F(MacroProtocol, SampleWithoutDrive) {
  at(40).sample = true;
  expect_error(40, "sample: drive");
}
TEST_F(MacroProtocol, SampleWithoutIntegration) {
  at(11).sample = true;
  expect_error(11, "sample: nothing was integrated");
}
TEST_F(MacroProtocol, SampleIntoTheBankBeingConverted) {
  pins_.drive(20, true, false, 2, 6);  // samples bank 0 in cycle 28
  at(28).sample = false;
  at(27).sample = true;
  expect_error(27, "sample: the bank is being converted");
}
TEST_F(MacroProtocol, StrobeOfABankNeverSampled) {
  pins_.convert(39, true, 0, 3, 4);
  expect_error(40, "sar_strobe: mux_bank selects a bank that was never sampled");
}
TEST_F(MacroProtocol, StrobeInTheCycleTheMuxMoves) {
  at(29).sar_strobe = true;
  expect_error(29, "sar_strobe: mux_sel or mux_bank changed in this cycle");
}
TEST_F(MacroProtocol, MuxMovesDuringAConversion) {
  at(24).mux_sel = 3;
  expect_error(24, "mux_sel, mux_bank: changed during a conversion");
}
TEST_F(MacroProtocol, MuxBankMovesDuringAConversion) {
  at(24).mux_bank = true;
  expect_error(24, "mux_sel, mux_bank: changed during a conversion");
}
TEST_F(MacroProtocol, RangeChangesDuringAConversion) {
  at(24).range = 4;
  expect_error(24, "range: changed during a conversion");
}
TEST_F(MacroProtocol, NoSuchColumnBlock) {
  pins_.convert(39, false, 4, 3, 4);  // 32 columns, 8 lanes: blocks 0..3
  expect_error(40, "mux_sel: no such column block");
}
TEST_F(MacroProtocol, TooManyTrials) {
  at(28).sar_strobe = true;
  expect_error(28, "sar_strobe: more than 8 trials");
}
// Programming: en in cycle 50, the mask word in 51, a pulse in 52..56.
class ProgProtocol : public MacroProtocol {
 protected:
  ProgProtocol() {
    ProgIn settings;
    settings.row = 3;
    settings.amp = 9;
    settings.set = true;
    pins_.pulse(50, {0xffu}, settings, 5);
    pins_.at(65);
  }
};

TEST_F(ProgProtocol, LegalPulseAndRepairHaveNoError) {
  pins_.repair(60, 7, true, 3);
  at(61).prog.repair_clr = true;
  pins_.run(&macro_);
  EXPECT_TRUE(macro_.protocol_errors().empty()) << macro_.protocol_errors()[0].rule;
  EXPECT_EQ(macro_.device_report().pulses, 8u);
}
TEST_F(ProgProtocol, MaskWithoutEnableInTheCycleBefore) {
  at(50).prog.en = false;
  expect_error(51, "prog.en: must be 1 in the cycle before");
}
TEST_F(ProgProtocol, PulseWithoutEnableInTheCycleBefore) {
  at(59).prog.pulse = at(59).prog.en = true;
  expect_error(59, "prog.en: must be 1 in the cycle before");
}
TEST_F(ProgProtocol, EnableDropsDuringAPulse) {
  at(54).prog.en = false;
  expect_error(54, "prog.en: must be 1 in the cycle before the first mask_we or pulse and through them");
}
TEST_F(ProgProtocol, DriveInProgramMode) {
  at(50).drive = at(50).int_rst = true;
  expect_error(50, "prog.en: drive, integrate");
}
TEST_F(ProgProtocol, IntegrateInProgramMode) {
  at(53).integrate = true;
  expect_error(53, "prog.en: drive, integrate");
}
TEST_F(ProgProtocol, SampleInProgramMode) {
  at(53).sample = true;
  expect_error(53, "prog.en: drive, integrate");
}
TEST_F(ProgProtocol, StrobeInProgramMode) {
  at(53).sar_strobe = true;
  expect_error(53, "prog.en: drive, integrate");
}
TEST_F(ProgProtocol, MaskTogetherWithARowWrite) {
  at(51).row_we = true;
  expect_error(51, "prog.mask_we: not together");
}
TEST_F(ProgProtocol, MaskTogetherWithAPulse) {
  at(53).prog.mask_we = true;
  expect_error(53, "prog.mask_we: not together");
}
TEST_F(ProgProtocol, MaskWordThatDoesNotExist) {
  at(51).row_addr = 1;  // 32 columns: word 0 only
  expect_error(51, "prog.mask_we: row_addr beyond the column mask");
}
TEST_F(ProgProtocol, RowThatDoesNotExist) {
  for (size_t c = 52; c < 57; ++c) at(c).prog.row = 32;
  expect_error(57, "prog.row: no such row");
  EXPECT_EQ(macro_.device_report().pulses, 0u);
}
TEST_F(ProgProtocol, PinsChangeDuringAPulse) {
  const std::string rule = "prog.row, neg, set, amp: changed during a pulse";
  for (int pin = 0; pin < 4; ++pin) {
    Macro m(macro_);
    PinTimeline pins(pins_);
    ProgIn& p = pins.at(55).prog;
    if (pin == 0) p.row = 2;
    if (pin == 1) p.neg = true;
    if (pin == 2) p.set = false;
    if (pin == 3) p.amp = 8;
    pins.run(&m);
    ASSERT_FALSE(m.protocol_errors().empty()) << pin;
    EXPECT_EQ(m.protocol_errors()[0].cycle, 55u);
    EXPECT_EQ(m.protocol_errors()[0].rule, rule);
  }
}
TEST_F(ProgProtocol, RepairInProgramMode) {
  pins_.repair(60, 2, true, 1);
  at(60).prog.en = true;
  expect_error(60, "prog.repair_we: en, drive and row_we");
}
TEST_F(ProgProtocol, RepairDuringADrive) {
  pins_.repair(12, 2, true, 1);
  expect_error(12, "prog.repair_we: en, drive and row_we");
}
TEST_F(ProgProtocol, RepairTogetherWithARowWrite) {
  pins_.repair(60, 2, true, 1);
  at(60).row_we = true;
  expect_error(60, "prog.repair_we: en, drive and row_we");
}
TEST_F(ProgProtocol, RepairOfALaneWithoutSpare) {
  pins_.repair(60, 8, true, 1);
  expect_error(60, "prog.repair_we: the lane has no spare column");
}
TEST_F(ProgProtocol, RepairOfABlockThatDoesNotExist) {
  pins_.repair(60, 2, true, 4);
  expect_error(60, "prog.repair_we: no such column block");
}
TEST_F(MacroProtocol, TheModelGoesOnAndTheListIsBounded) {
  std::vector<int8_t> code(8, 0);
  std::vector<uint8_t> cmp(8, 1);
  PinsIn p;
  p.sar_strobe = true;
  for (int i = 0; i < 5000; ++i) macro_.step(p, code.data(), cmp.data());
  EXPECT_EQ(cmp, std::vector<uint8_t>(8, 0));
  EXPECT_EQ(macro_.protocol_errors().size(), 1000u);
  PinTimeline again;
  again.drive(0, false, false, 2, 6);
  again.convert(9, false, 0, 3, 8);
  again.run(&macro_);
  EXPECT_EQ(macro_.drive_count(), 1u);
}

}  // namespace
