// SPDX-License-Identifier: Apache-2.0
// The geometries that are built. Alone in its file: a test with a chip of its own defines make_rtl_chip() itself.
#include "models/systemc/rtl_chip.h"

#include "Vchip_reference.h"
#include "Vchip_tiny.h"
#include "models/systemc/chip_library.h"
#include "models/systemc/verilated_chip.h"

namespace ohmac {

std::unique_ptr<RtlChip> make_rtl_chip(const Geometry& g) {
  if (g == reference_geometry()) return std::make_unique<VerilatedChip<Vchip_reference>>(g);
  if (g == tiny_geometry()) return std::make_unique<VerilatedChip<Vchip_tiny>>(g);
  return load_chip(chip_library_path("rtl", g), g);
}

}  // namespace ohmac
