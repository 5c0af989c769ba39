// SPDX-License-Identifier: Apache-2.0
// Verilated chips in shared objects, made apart from the program that loads them: netlists, other geometries.
#pragma once
#include <memory>
#include <string>

#include "models/systemc/rtl_chip.h"

namespace ohmac {

/// "2x1_32x32_l8_s16k": what a shared object is named by.
std::string geometry_name(const Geometry& g);

/// What a shared object exports under this name.
struct ChipLibrary {
  uint32_t isa_version;  ///< of the sources that it was made from
  Geometry geometry;
  RtlChip* (*make)();  ///< a new chip; the caller deletes it
};
constexpr const char* kChipLibrarySymbol = "ohmac_chip_library";

/// File of a chip of this kind ("netlist", "rtl") and geometry: OHMAC_CHIPS/KIND_GEOMETRY.so, or where the build puts
/// it, in ../lib from the folder of the program.
std::string chip_library_path(const std::string& kind, const Geometry& g);

/// A chip out of a shared object, which stays loaded. Throws std::invalid_argument: no such file, not a chip, made from
/// other sources, another geometry; and how it is built, a target of its name (ohmac_chip_library() in CMakeLists.txt).
std::unique_ptr<RtlChip> load_chip(const std::string& path, const Geometry& g);

}  // namespace ohmac
