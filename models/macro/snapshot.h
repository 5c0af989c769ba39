// SPDX-License-Identifier: Apache-2.0
// Snapshot file of a chip: the devices of every tile, what they were fabricated from, and the firmware's own data.
// Layout: README.md.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/macro/macro.h"

namespace ohmac {

inline constexpr uint32_t kSnapshotVersion = 4;  ///< of the file
/// Of the analog model: raised when the same state no longer behaves the same.
inline constexpr uint32_t kModelVersion = 1;

/// How the devices were programmed.
enum class DeviceProgramming : uint32_t { kNone = 0, kFormula = 1, kPulses = 2 };

/// What a chip is fabricated from, apart from its tiles' numbers.
struct ChipIdentity {
  Geometry geometry;
  EffectSet effects;
  FaultConfig faults;
  std::shared_ptr<const Technology> technology = builtin_technology("pcm_generic");
  DacMode dac = DacMode::kVoltage;
  uint64_t chip_seed = 1;
  double clock_ns = 4.0;
  WireOhms wires = kDefaultWires;
};

struct Snapshot {
  ChipIdentity chip;
  uint64_t run_seed = 1;
  ReadNoise read_noise = ReadNoise::kColumn;
  DeviceProgramming programming = DeviceProgramming::kNone;
  std::vector<DeviceState> tiles;  ///< one a tile of the mesh
  std::vector<uint8_t> firmware;   ///< as given by whoever wrote it

  /// Configuration of the macro of a tile, for Macro(config) and set_device_state(tiles[tile]).
  MacroConfig macro_config(uint32_t tile) const;
  /// The macro of a tile as it was.
  Macro macro(uint32_t tile) const;
};

/// A file that is no snapshot, or not one that this build can take. what() names file, place and remedy.
class SnapshotError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Identity of a chip from the configuration of one of its macros.
ChipIdentity chip_identity(const MacroConfig& config);

/// Throws SnapshotError if `s` is of another chip than `wanted`, naming the first difference. @param name of the file
void require_same_chip(const Snapshot& s, const ChipIdentity& wanted, const std::string& name);

std::vector<uint8_t> encode_snapshot(const Snapshot& s);
/// Throws SnapshotError. @param name for messages
Snapshot decode_snapshot(const uint8_t* bytes, size_t size, const std::string& name);

/// Writes beside the file and renames, so that an old snapshot survives a failure. Throws SnapshotError.
void write_snapshot(const std::string& path, const Snapshot& s);
Snapshot read_snapshot(const std::string& path);

}  // namespace ohmac
