// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace ohmac::cli {

/// UsageError with path, cause and `remedy` unless the path names something other than a directory that can be read.
void check_readable(const std::string& path, const std::string& remedy);

/// UsageError with option, path and cause unless a file can be written there. Called before the work, so that a wrong
/// path costs nothing. An empty path (option not given) is fine.
void check_writable(const std::string& option, const std::string& path);

/// The bytes of a file; UsageError if it cannot be read.
std::string read_file(const std::string& path);

/// Writes a whole file through a temporary in the same folder: a failed write leaves the old file and no partial one.
/// What is no regular file (a device, a pipe) is written directly. UsageError with path and cause.
void write_file(const std::string& path, const std::string& bytes);

}  // namespace ohmac::cli
