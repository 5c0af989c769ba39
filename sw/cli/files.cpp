// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sw/cli/options.h"

namespace ohmac::cli {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

void check_readable(const std::string& path, const std::string& remedy) {
  struct stat s;
  if (stat(path.c_str(), &s) != 0) {
    if (errno == ENOENT) throw UsageError(fmt::format("{}: no such file; {}", path, remedy));
    throw UsageError(fmt::format("{}: cannot read: {}; {}", path, std::strerror(errno), remedy));
  }
  if (S_ISDIR(s.st_mode)) throw UsageError(fmt::format("{}: is a directory; {}", path, remedy));
  if (access(path.c_str(), R_OK) != 0) {
    throw UsageError(fmt::format("{}: cannot read: {}; {}", path, std::strerror(errno), remedy));
  }
}

void check_writable(const std::string& option, const std::string& path) {
  if (path.empty()) return;
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format(
        "{} {}: cannot write: {}; name a file in a folder that exists and that you may write to", option, path, why));
  };
  struct stat s;
  if (stat(path.c_str(), &s) == 0) {
    if (S_ISDIR(s.st_mode)) refuse("it is a directory");
    if (access(path.c_str(), W_OK) != 0) refuse(std::strerror(errno));
    if (!S_ISREG(s.st_mode)) return;
  } else if (errno != ENOENT) {
    refuse(std::strerror(errno));
  }
  const std::string folder = folder_of(path);
  if (stat(folder.c_str(), &s) != 0) refuse(folder + ": " + std::strerror(errno));
  if (!S_ISDIR(s.st_mode)) refuse(folder + " is no folder");
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse(folder + ": " + std::strerror(errno));
}

std::string read_file(const std::string& path) {
  check_readable(path, "name a file that you may read");
  std::ifstream f(path, std::ios::binary);
  std::ostringstream bytes;
  if (f && f.peek() != std::ifstream::traits_type::eof()) bytes << f.rdbuf();  // of nothing, << would fail
  if (!f.is_open() || f.bad() || bytes.fail())
    throw UsageError(fmt::format("{}: cannot read: {}", path, std::strerror(errno)));
  return bytes.str();
}

void write_file(const std::string& path, const std::string& bytes) {
  struct stat s;
  const bool special = stat(path.c_str(), &s) == 0 && !S_ISREG(s.st_mode);
  const std::string target = special ? path : fs::weakly_canonical(path).string();  // a link stays a link
  const std::string temporary = special ? path : fmt::format("{}.{}.part", target, getpid());
  const auto refuse = [&] {
    const int cause = errno;
    if (!special) std::remove(temporary.c_str());
    throw UsageError(fmt::format("{}: cannot write: {}", path, std::strerror(cause)));
  };
  {
    std::ofstream f(temporary, std::ios::binary);
    f << bytes;
    f.close();
    if (!f) refuse();
  }
  if (!special && std::rename(temporary.c_str(), target.c_str()) != 0) refuse();
}

}  // namespace ohmac::cli
