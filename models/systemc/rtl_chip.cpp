// SPDX-License-Identifier: Apache-2.0
// The geometries that are built. Alone in its file: a test with a chip of its own defines make_rtl_chip() itself.
#include "models/systemc/rtl_chip.h"

#include <stdexcept>

#include "Vchip_reference.h"
#include "Vchip_tiny.h"
#include "models/systemc/verilated_chip.h"

namespace ohmac {

std::unique_ptr<RtlChip> make_rtl_chip(const Geometry& g) {
  if (g == reference_geometry()) return std::make_unique<VerilatedChip<Vchip_reference>>(g);
  if (g == tiny_geometry()) return std::make_unique<VerilatedChip<Vchip_tiny>>(g);
  throw std::invalid_argument(
      "no Verilated chip of this geometry; built are reference and tiny (models/systemc/CMakeLists.txt)");
}

}  // namespace ohmac
