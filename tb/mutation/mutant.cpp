// SPDX-License-Identifier: Apache-2.0
// Which mutant a program runs: OHMAC_MUTANT, 0 (the module itself) if not set.
#include <cstdlib>

extern "C" unsigned ohmac_mutant_number() {
  const char* number = std::getenv("OHMAC_MUTANT");
  return number ? static_cast<unsigned>(std::strtoul(number, nullptr, 10)) : 0;
}
