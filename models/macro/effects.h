// SPDX-License-Identifier: Apache-2.0
// The effect table: every non-ideality of the macro, its switch and its constants.
#pragma once
#include <cstdint>
#include <string_view>

namespace ohmac {

enum class Effect : uint8_t {
  kProgrammingNoise,
  kStuck,
  kDrift,
  kReadNoise,
  kSettling,
  kDroop,
  kLaneGain,
  kLaneOffset,
  kComparatorNoise,
  kPulseNoise,
  kPulseVariation,
  kWear,
  kLevels,
  kOnOff,
  kDacGain,
  kDacOffset,
  kDacInl,
  kDacNoise,
  kSaturation,
  kHoldNoise,
  kSarMismatch,
  kComparatorUncertainty,
  kWire,
};
constexpr uint32_t kNumEffects = 23;

/// Random streams of faults, which are counted in FaultConfig instead of switched.
constexpr uint8_t kOpenColumnKind = 11, kDeadLaneKind = 12;
/// Random stream of read noise drawn a device (ReadNoise::kDevice).
constexpr uint8_t kDeviceNoiseKind = 13;
/// Random stream of open rows.
constexpr uint8_t kOpenRowKind = 14;

struct EffectInfo {
  const char* name;  ///< as in `--effect NAME=off`
  uint8_t kind;      ///< random stream, part of the Philox counter; 0 = draws nothing
  const char* doc;
};
extern const EffectInfo kEffects[kNumEffects];

constexpr uint32_t mask_of(Effect e) { return 1u << static_cast<unsigned>(e); }
/// Off unless asked for: what costs much time and hardly any accuracy (models/macro/README.md).
constexpr uint32_t kOffByDefault = mask_of(Effect::kDacGain) | mask_of(Effect::kDacOffset) | mask_of(Effect::kDacInl) |
                                   mask_of(Effect::kDacNoise) | mask_of(Effect::kSaturation) |
                                   mask_of(Effect::kHoldNoise) | mask_of(Effect::kSarMismatch) | mask_of(Effect::kWire);

/// Set of enabled effects; all on by default but kOffByDefault.
class EffectSet {
 public:
  bool has(Effect e) const { return (bits_ & mask_of(e)) != 0; }
  void set(Effect e, bool on) { bits_ = on ? bits_ | mask_of(e) : bits_ & ~mask_of(e); }
  static EffectSet none() {
    EffectSet s;
    s.bits_ = 0;
    return s;
  }
  static EffectSet all() {
    EffectSet s;
    s.bits_ = (1u << kNumEffects) - 1;
    return s;
  }
  uint32_t bits() const { return bits_; }

 private:
  uint32_t bits_ = ((1u << kNumEffects) - 1) & ~kOffByDefault;
};

/// Effect of this name, or false.
bool find_effect(std::string_view name, Effect* out);

}  // namespace ohmac
