// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/csv.h"

#include <gtest/gtest.h>

#include <string>

#include "sw/cli/options.h"

namespace ohmac::cli {
namespace {

constexpr Range kAny = {-1e300, 1e300, "a number"};

std::string refusal(const std::string& text, const Range& range = kAny) {
  try {
    parse_csv(text, "f.csv", range);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

TEST(Csv, LinesOfNumbers) {
  const Table t = parse_csv("1,-2.5e-6, +3\r\n4 ,5,\t6e2", "f.csv", kAny);
  EXPECT_EQ(t.rows, 2u);
  EXPECT_EQ(t.cols, 3u);
  EXPECT_EQ(t.values, (std::vector<double>{1, -2.5e-6, 3, 4, 5, 600}));
  EXPECT_EQ(parse_csv("7\n", "f.csv", kAny).values, std::vector<double>{7});
}

TEST(Csv, WhatIsWrittenIsReadBackBitForBit) {
  const Table t{2, 2, {1.0 / 3, -1e-300, 4.9406564584124654e-324, 12345678.9}};
  EXPECT_EQ(csv_text(t), "0.33333333333333331,-1e-300\n4.9406564584124654e-324,12345678.9\n");
  EXPECT_EQ(parse_csv(csv_text(t), "f.csv", kAny).values, t.values);
}

TEST(Csv, WrongFilesNameLineAndColumn) {
  EXPECT_EQ(refusal(""), "f.csv: is empty; give lines of numbers: a number");
  EXPECT_EQ(refusal("1,2\n\n3,4\n"), "f.csv:2: the line is empty; give a number on every line");
  EXPECT_EQ(refusal("1,2\n3\n"),
            "f.csv:2: column 1: the line ends after 1 numbers, the first one has 2; give every line the same");
  EXPECT_EQ(refusal("1,2\n3,4,5\n"), "f.csv:2: column 3: the line has more numbers than the first one, which has 2");
  EXPECT_EQ(refusal("a,b\n1,2\n"),
            "f.csv:1: column 1: 'a' is no number; the file has no header, only numbers and commas");
  EXPECT_EQ(refusal("1,2\n3,\n"), "f.csv:2: column 2: there is no number; give a number");
  EXPECT_EQ(refusal("1,2x\n"), "f.csv:1: column 2: '2x' is no number; the file has no header, only numbers and commas");
  EXPECT_EQ(refusal("1,1e999\n"), "f.csv:1: column 2: '1e999' does not fit a double");
}

TEST(Csv, ValuesOutOfRangeNameLineAndColumn) {
  const Range siemens = {0, 1e6, "a conductance in siemens"};
  for (const char* wrong : {"-1e-6", "nan", "inf", "-inf", "1e7"})
    EXPECT_EQ(refusal(std::string("1,2\n3,") + wrong + "\n", siemens),
              std::string("f.csv:2: column 2: '") + wrong + "' is wrong; give a conductance in siemens, 0 to 1e+06");
}

}  // namespace
}  // namespace ohmac::cli
