// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sw/cli/options.h"

namespace ohmac::cli {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  Files() : dir_(fs::temp_directory_path() / ("ohmac_files_test_" + std::to_string(getpid()))) {
    fs::create_directories(dir_);
  }
  ~Files() override { fs::remove_all(dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  size_t entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(dir_), {})); }
  fs::path dir_;
};

TEST_F(Files, WhatIsWrittenIsReadBack) {
  const std::string bytes("a\0b\n", 4);
  write_file(path("f"), bytes);
  EXPECT_EQ(read_file(path("f")), bytes);
  write_file(path("f"), "new");
  EXPECT_EQ(read_file(path("f")), "new");
  EXPECT_EQ(entries(), 1u) << "no temporary stays behind";
}

TEST_F(Files, AnEmptyFileIsNoError) {
  write_file(path("f"), "");
  EXPECT_EQ(read_file(path("f")), "");
}

TEST_F(Files, ALinkStaysALink) {
  write_file(path("target"), "old");
  fs::create_symlink(path("target"), path("link"));
  write_file(path("link"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("target")), "new");
}

TEST_F(Files, AFailedWriteLeavesNothing) {
  EXPECT_THROW(write_file(path("no/such/folder"), "x"), UsageError);
  EXPECT_EQ(entries(), 0u);
  EXPECT_THROW(write_file("/dev/full", std::string(100000, 'x')), UsageError);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Files, WritableIsToldBeforeTheWork) {
  EXPECT_NO_THROW(check_writable("--json", ""));
  EXPECT_NO_THROW(check_writable("--json", path("new")));
  EXPECT_NO_THROW(check_writable("--json", "/dev/null"));
  EXPECT_THROW(check_writable("--json", path("no/such")), UsageError);
  EXPECT_THROW(check_writable("--json", dir_.string()), UsageError);
  write_file(path("file"), "");
  EXPECT_THROW(check_writable("--json", path("file/x")), UsageError);
  EXPECT_EQ(entries(), 1u) << "checking creates nothing";
}

TEST_F(Files, ReadableNamesTheCause) {
  const auto cause = [&](const std::string& p) -> std::string {
    try {
      check_readable(p, "do this");
    } catch (const UsageError& e) {
      return e.what();
    }
    return {};
  };
  EXPECT_EQ(cause(path("none")), path("none") + ": no such file; do this");
  EXPECT_EQ(cause(dir_.string()), dir_.string() + ": is a directory; do this");
  write_file(path("f"), "x");
  EXPECT_EQ(cause(path("f")), "");
  EXPECT_NE(cause(path("f/g")).find("Not a directory"), std::string::npos);
}

TEST_F(Files, PermissionsAreRespected) {
  if (geteuid() == 0) GTEST_SKIP() << "root may do everything";
  write_file(path("f"), "x");
  chmod(path("f").c_str(), 0);
  EXPECT_THROW(check_readable(path("f"), ""), UsageError);
  EXPECT_THROW(check_writable("--json", path("f")), UsageError);
}

}  // namespace
}  // namespace ohmac::cli
