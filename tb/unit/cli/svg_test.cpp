// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/svg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sw/cli/mvm_pictures.h"

namespace ohmac::cli {
namespace {

/// Whether every element is closed in order and every attribute quoted, as XML wants.
testing::AssertionResult well_formed(const std::string& s) {
  std::vector<std::string> open;
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '&' && s.compare(i, 5, "&amp;") != 0 && s.compare(i, 4, "&lt;") != 0 && s.compare(i, 4, "&gt;") != 0 &&
        s.compare(i, 6, "&quot;") != 0)
      return testing::AssertionFailure() << "a bare & at " << i;
    if (s[i] != '<') continue;
    size_t end = i;
    bool quoted = false;
    for (; end < s.size() && (quoted || s[end] != '>'); ++end) quoted ^= s[end] == '"';
    if (end == s.size()) return testing::AssertionFailure() << "an element does not end: " << s.substr(i, 60);
    const std::string tag = s.substr(i + 1, end - i - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (name[0] == '/') {
      if (open.empty() || "/" + open.back() != name) return testing::AssertionFailure() << name << " closes nothing";
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    i = end;
  }
  if (!open.empty()) return testing::AssertionFailure() << open.back() << " is not closed";
  return testing::AssertionSuccess();
}

size_t count(const std::string& s, const std::string& part) {
  size_t n = 0;
  for (size_t at = s.find(part); at != std::string::npos; at = s.find(part, at + part.size())) ++n;
  return n;
}

TEST(Svg, TicksAreNiceNumbers) {
  EXPECT_EQ(ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(ticks(-1, 1, 4), (std::vector<double>{-1, -0.5, 0, 0.5, 1}));
  const std::vector<double> t = ticks(0.13, 0.92, 4);
  ASSERT_EQ(t.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(t[i], 0.2 * (static_cast<double>(i) + 1), 1e-12);
  EXPECT_TRUE(ticks(1, 1, 5).empty());
  EXPECT_TRUE(ticks(0, std::numeric_limits<double>::infinity(), 5).empty());
}

TEST(Svg, PageIsWellFormedWhateverIsDrawn) {
  const double nan = std::nan("");
  Chart a("a < b & \"c\"", "x", "y");
  a.line({{0, 1}, {1, nan}, {2, 3}}, 0, "R&D");
  a.band({0, 1}, {0, 0}, {1, 2}, 1);
  Chart b("log", "s", "y");
  b.log_x();
  b.dots({{-1, 1}, {0, 1}, {10, 1}, {1000, 2}}, 2);
  Chart map("map", "col", "row");
  map.map({0, 1, 2, 3, 4, nan}, 2, 3, 20, 30, 0, 4, "lost, %");
  const Chart empty("empty", "x", "y");
  const std::string s = svg_page({a, b, map, empty}, 2, 300, 200);
  EXPECT_TRUE(well_formed(s));
  EXPECT_NE(s.find("width=\"600\" height=\"400\""), std::string::npos);
  EXPECT_EQ(count(s, "<circle"), 2u);  // what a logarithm cannot show is left out
  EXPECT_EQ(s.find("nan"), std::string::npos);
  EXPECT_EQ(s.find("inf"), std::string::npos);
  EXPECT_NE(s.find("a &lt; b &amp; &quot;c&quot;"), std::string::npos);
}

TEST(Svg, PointsAreWhereTheAxesSay) {
  Chart c("", "", "");
  c.x_range(0, 10);
  c.y_range(0, 100);
  c.dots({{0, 0}, {10, 100}, {5, 50}}, 0, 2);
  const std::string s = c.draw(0, 0, 280, 182);  // the plot is 62..262 x 34..134
  EXPECT_NE(s.find("cx=\"62.0\" cy=\"134.0\""), std::string::npos) << s;
  EXPECT_NE(s.find("cx=\"262.0\" cy=\"34.0\""), std::string::npos);
  EXPECT_NE(s.find("cx=\"162.0\" cy=\"84.0\""), std::string::npos);
}

TEST(Svg, MapsShrinkToMeansOfBlocks) {
  size_t rows = 3, cols = 4;
  const std::vector<double> v = shrunk({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, &rows, &cols, 2);
  EXPECT_EQ(rows, 2u);
  EXPECT_EQ(cols, 2u);
  EXPECT_EQ(v, (std::vector<double>{3.5, 5.5, 9.5, 11.5}));
  rows = 1;
  cols = 3;
  EXPECT_EQ(shrunk({1, 2, 3}, &rows, &cols, 64), (std::vector<double>{1, 2, 3}));
}

}  // namespace
}  // namespace ohmac::cli
