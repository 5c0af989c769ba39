// SPDX-License-Identifier: Apache-2.0
// Charts as SVG text: lines, bands, dots and maps on axes, several panels a page.
#pragma once
#include <string>
#include <vector>

namespace ohmac::cli {

struct Point {
  double x, y;
};

/// One chart. Values that are not finite, or not positive on a logarithmic axis, are left out.
class Chart {
 public:
  Chart(std::string title, std::string x_label, std::string y_label);
  void log_x() { log_x_ = true; }
  /// Ranges of the axes; without, those of the data. A range without extent is widened.
  void x_range(double least, double most);
  void y_range(double least, double most);

  /// @param colour index of the palette; @param name for the legend, empty: none
  void line(const std::vector<Point>& points, unsigned colour, const std::string& name = "", bool dashed = false);
  /// Area between two lines over the same x.
  void band(const std::vector<double>& x, const std::vector<double>& low, const std::vector<double>& high,
            unsigned colour);
  void dots(const std::vector<Point>& points, unsigned colour, double radius = 1.5, const std::string& name = "");
  /// Rectangles of a matrix, row 0 on top, on axes 0..width and 0..height, coloured from `least` to `most`, with a
  /// scale beside it. @param values [rows x cols]
  void map(const std::vector<double>& values, size_t rows, size_t cols, double height, double width, double least,
           double most, const std::string& scale_label);

  /// The chart inside a rectangle of the page.
  std::string draw(double left, double top, double width, double height) const;

 private:
  struct Layer {
    enum class Kind { kLine, kBand, kDots, kMap } kind = Kind::kLine;
    std::vector<Point> points;   // of a band: low, then high backwards
    std::vector<double> values;  // of a map
    size_t rows = 0, cols = 0;
    double cell_width = 1, cell_height = 1, least = 0, most = 0;  // of a map
    double radius = 0;
    unsigned colour = 0;
    bool dashed = false;
    std::string name;
  };
  std::string title_, x_label_, y_label_;
  bool log_x_ = false;
  bool fixed_[2] = {false, false};
  double range_[2][2] = {{0, 1}, {0, 1}};
  std::vector<Layer> layers_;
};

/// A page of charts, `columns` side by side, each of width x height pixels.
std::string svg_page(const std::vector<Chart>& charts, unsigned columns, double width = 520, double height = 380);

/// "Nice" positions of ticks in least..most: 1, 2 or 5 times a power of ten apart, about `count` of them.
std::vector<double> ticks(double least, double most, unsigned count);

}  // namespace ohmac::cli
