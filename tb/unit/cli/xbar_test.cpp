// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/xbar.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "sw/cli/csv.h"
#include "sw/cli/files.h"
#include "sw/cli/options.h"

namespace ohmac::cli {
namespace {

namespace fs = std::filesystem;

class Xbar : public ::testing::Test {
 protected:
  Xbar() : dir_(fs::temp_directory_path() / ("ohmac_xbar_test_" + std::to_string(getpid()))) {
    fs::create_directories(dir_);
    write_file(path("g"), "40e-6,90e-6\n");
    write_file(path("v"), "0.2\n-0.1\n");
  }
  ~Xbar() override { fs::remove_all(dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  XbarOptions options() const { return {path("g"), path("v"), path("i"), {2, 3, 50, 70}}; }
  std::string refusal(const XbarOptions& o) const {
    try {
      xbar(o);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "";
  }
  fs::path dir_;
};

// By series and parallel conductances, as a person computes one row of two cells.
TEST_F(Xbar, CurrentsOfTwoCellsByHand) {
  EXPECT_EQ(xbar(options()), 0);
  const Table i = read_csv(path("i"), {-1, 1, "a current"}, "");
  const double y1 = 1 / (1 / 40e-6 + 3 + 70), y2 = 1 / (2 + 1 / 90e-6 + 3 + 70), source = 1.0 / (50 + 2);
  const double v = source / (source + y1 + y2);
  ASSERT_EQ(i.rows, 2u);
  ASSERT_EQ(i.cols, 2u);
  EXPECT_NEAR(i.at(0, 0), 0.2 * v * y1, 1e-20);
  EXPECT_NEAR(i.at(0, 1), 0.2 * v * y2, 1e-20);
  EXPECT_NEAR(i.at(1, 0), -0.1 * v * y1, 1e-20);
  EXPECT_NEAR(i.at(1, 1), -0.1 * v * y2, 1e-20);
}

TEST_F(Xbar, WithoutWiresTheCurrentIsTheProduct) {
  XbarOptions o = options();
  o.wires = {};
  xbar(o);
  EXPECT_EQ(read_file(path("i")), csv_text({2, 2, {0.2 * 40e-6, 0.2 * 90e-6, -0.1 * 40e-6, -0.1 * 90e-6}}));
}

TEST_F(Xbar, WrongInputNamesFileLineAndColumn) {
  XbarOptions o = options();
  write_file(path("g"), "1e-6,2e-6\n1e-6,-2e-6\n");
  EXPECT_NE(refusal(o).find("g:2: column 2: '-2e-6' is wrong; give a conductance in siemens"), std::string::npos);
  write_file(path("g"), "1e-6,nan\n");
  EXPECT_NE(refusal(o).find("g:1: column 2: 'nan' is wrong"), std::string::npos);
  write_file(path("g"), "1e-6,2e-6\n1e-6\n");
  EXPECT_NE(refusal(o).find("g:2: column 1: the line ends"), std::string::npos);
  write_file(path("g"), "");
  EXPECT_NE(refusal(o).find("g: is empty"), std::string::npos);
  write_file(path("g"), "1e-6\n2e-6\n3e-6\n");
  EXPECT_NE(refusal(o).find("v: vectors of 1 voltages, but"), std::string::npos);
  EXPECT_NE(refusal(o).find("has 3 rows; give one voltage for each row"), std::string::npos);
  write_file(path("v"), "1,2,inf\n");
  EXPECT_NE(refusal(o).find("v:1: column 3: 'inf' is wrong; give a voltage"), std::string::npos);
  o.inputs = path("none");
  EXPECT_NE(refusal(o).find("none: no such file; --inputs takes"), std::string::npos);
  EXPECT_FALSE(fs::exists(path("i"))) << "nothing is written";
}

TEST_F(Xbar, AbsurdWiresAreNamed) {
  for (const double ohm : {-1.0, 1e10, 1e-20, std::numeric_limits<double>::quiet_NaN()}) {
    XbarOptions o = options();
    o.wires.col = ohm;
    EXPECT_NE(refusal(o).find("column resistance"), std::string::npos) << ohm;
  }
}

TEST_F(Xbar, UnwritableOutput) {
  XbarOptions o = options();
  o.out = path("no/such/folder");
  EXPECT_NE(refusal(o).find("no/such/folder"), std::string::npos);
}

}  // namespace
}  // namespace ohmac::cli
