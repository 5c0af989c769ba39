// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/influence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sw/cli/acting.h"

namespace ohmac::cli {
namespace {

TEST(Influence, IsTheMeanOfBothEnds) {
  // Eight images. Alone it costs two answers, without it three come back, of which one image is both.
  const AblationResult none{{1, 1, 1, 1, 1, 1, 1, 0}, 0}, alone{{0, 0, 1, 1, 1, 1, 1, 0}, 0};
  const AblationResult all{{0, 1, 0, 0, 1, 1, 1, 0}, 0}, without{{1, 1, 1, 1, 1, 1, 1, 0}, 0};
  const Influence i = influence_of(none, alone, without, all);
  EXPECT_DOUBLE_EQ(i.share, (2 + 3) / 16.0);
  // Each image: 1, 1/2, 1/2, 1/2, 0, 0, 0, 0: mean 5/16, mean square 7/32; error sqrt((7/32 - 25/256) / 7).
  EXPECT_NEAR(i.error, std::sqrt((7 / 32.0 - 25 / 256.0) / 7), 1e-12);
  EXPECT_DOUBLE_EQ(none.accuracy(), 7 / 8.0);
  EXPECT_NEAR(accuracy_error(none), std::sqrt(7 / 64.0 / 8), 1e-12);
}

TEST(Influence, AnEffectThatHelpsIsNegative) {
  const AblationResult right{{1, 1}, 0}, wrong{{0, 0}, 0};
  EXPECT_EQ(influence_of(wrong, right, wrong, right).share, -1);
  EXPECT_EQ(influence_of(wrong, right, wrong, right).error, 0);
}

bool contains(const std::vector<Effect>& v, Effect e) {
  for (Effect x : v)
    if (x == e) return true;
  return false;
}

TEST(ActingEffects, KnowsWhatCannotAct) {
  const auto pcm = builtin_technology("pcm_generic"), ideal = builtin_technology("ideal"),
             flash = builtin_technology("flash_nor"), reram = builtin_technology("reram");
  const EffectSet all = EffectSet::all();
  std::vector<Effect> idle;
  const auto pulsed = acting_effects(all, {pcm.get(), true, 0, DacMode::kVoltage, 4, true, true}, &idle);
  EXPECT_EQ(pulsed.size() + idle.size(), kNumEffects);
  for (Effect e : {Effect::kProgrammingNoise, Effect::kDrift, Effect::kLevels, Effect::kOnOff, Effect::kWear,
                   Effect::kComparatorUncertainty})
    EXPECT_TRUE(contains(idle, e)) << kEffects[static_cast<unsigned>(e)].name;
  for (Effect e : {Effect::kPulseNoise, Effect::kReadNoise, Effect::kWire, Effect::kDacInl, Effect::kStuck})
    EXPECT_TRUE(contains(pulsed, e)) << kEffects[static_cast<unsigned>(e)].name;

  idle.clear();
  const auto old = acting_effects(all, {pcm.get(), false, 1, DacMode::kPwm, 0.5, false, false}, &idle);
  for (Effect e : {Effect::kProgrammingNoise, Effect::kDrift, Effect::kComparatorUncertainty})
    EXPECT_TRUE(contains(old, e)) << kEffects[static_cast<unsigned>(e)].name;
  for (Effect e : {Effect::kPulseNoise, Effect::kWear, Effect::kWire, Effect::kDacInl, Effect::kStuck})
    EXPECT_TRUE(contains(idle, e)) << kEffects[static_cast<unsigned>(e)].name;

  idle.clear();
  EXPECT_TRUE(
      contains(acting_effects(all, {flash.get(), false, 0, DacMode::kVoltage, 4, true, true}, &idle), Effect::kOnOff));
  EXPECT_TRUE(contains(acting_effects(all, {reram.get(), true, 0, DacMode::kVoltage, 4, true, true}, &idle),
                       Effect::kDrift));  // relaxes from the first second
  idle.clear();
  acting_effects(all, {ideal.get(), false, 1e6, DacMode::kVoltage, 4, true, true}, &idle);
  for (Effect e : {Effect::kProgrammingNoise, Effect::kDrift, Effect::kReadNoise})
    EXPECT_TRUE(contains(idle, e)) << kEffects[static_cast<unsigned>(e)].name;

  idle.clear();
  EXPECT_TRUE(acting_effects(EffectSet::none(), {pcm.get(), true, 1, DacMode::kVoltage, 4, true, true}, &idle).empty());
  EXPECT_TRUE(idle.empty());
}

}  // namespace
}  // namespace ohmac::cli
