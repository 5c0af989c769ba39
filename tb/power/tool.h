// SPDX-License-Identifier: Apache-2.0
// What the tools of this folder share.
#pragma once
#include <cstdio>
#include <exception>

namespace ohmac {

/// main() of a tool: an error is one line and status 2.
inline int tool_main(const char* name, int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", name, e.what());
    return 2;
  }
}

}  // namespace ohmac
