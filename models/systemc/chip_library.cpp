// SPDX-License-Identifier: Apache-2.0
#include "models/systemc/chip_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac {

namespace fs = std::filesystem;

std::string geometry_name(const Geometry& g) {
  const auto by = [](uint32_t a, uint32_t b) { return std::to_string(a) + "x" + std::to_string(b); };
  return by(g.mesh_x, g.mesh_y) + "_" + by(g.rows, g.cols) + "_l" + std::to_string(g.lanes) + "_s" +
         std::to_string(g.sram_bytes / 1024) + "k";
}

std::string chip_library_path(const std::string& kind, const Geometry& g) {
  const char* env = std::getenv("OHMAC_CHIPS");
  const fs::path folder =
      env != nullptr ? fs::path(env) : fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib";
  return (folder / (kind + "_" + geometry_name(g) + ".so")).string();
}

std::unique_ptr<RtlChip> load_chip(const std::string& path, const Geometry& g) {
  const auto fail = [&](const std::string& what) {
    throw std::invalid_argument(path + ": " + what + "; build it with ninja -C build " +
                                fs::path(path).stem().string() +
                                ", a line ohmac_chip_library() in models/systemc/CMakeLists.txt");
  };
  if (!fs::exists(path)) fail("this chip is not built");
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) fail(std::string("cannot be loaded (") + dlerror() + ")");
  const auto* module = static_cast<const ChipLibrary*>(dlsym(handle, kChipLibrarySymbol));
  if (module == nullptr) fail("holds no chip for this program");
  if (module->isa_version != isa::kVersion)
    fail("made from sources of version " + std::to_string(module->isa_version) + ", this program is version " +
         std::to_string(isa::kVersion));
  if (!(module->geometry == g)) fail("holds a chip of geometry " + geometry_name(module->geometry));
  return std::unique_ptr<RtlChip>(module->make());
}

}  // namespace ohmac
