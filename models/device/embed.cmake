# SPDX-License-Identifier: Apache-2.0
# Writes OUT, a C++ file with the text of every preset in FILES (separated by commas).
string(REPLACE "," ";" files "${FILES}")
set(entries "")
set(count 0)
foreach(file IN LISTS files)
  file(READ "${file}" text)
  get_filename_component(name "${file}" NAME_WE)
  string(APPEND entries "    {\"${name}\", R\"~toml~(${text})~toml~\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE "${OUT}" "// Generated from models/device/technologies by embed.cmake.
#include <cstddef>
namespace ohmac {
struct EmbeddedTechnology {
  const char *name, *text;
};
extern const EmbeddedTechnology kEmbeddedTechnologies[];
const EmbeddedTechnology kEmbeddedTechnologies[] = {
${entries}};
extern const size_t kNumEmbeddedTechnologies;
const size_t kNumEmbeddedTechnologies = ${count};
}  // namespace ohmac
")
