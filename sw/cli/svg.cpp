// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace ohmac::cli {
namespace {

constexpr double kLeft = 62, kRight = 18, kTop = 34, kBottom = 48, kScale = 74;  // pixels around the plot
constexpr const char* kPalette[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444"};
constexpr unsigned kColours = sizeof kPalette / sizeof kPalette[0];
constexpr const char* kFont = "font-family=\"Helvetica, Arial, sans-serif\"";

const char* colour_of(unsigned c) { return kPalette[c % kColours]; }

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

/// Dark blue over green to yellow, even in lightness.
std::string map_colour(double part) {
  static constexpr double kStops[][3] = {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};
  constexpr int kLast = 4;
  const double at = std::clamp(part, 0.0, 1.0) * kLast;
  const int i = std::min(static_cast<int>(at), kLast - 1);
  int rgb[3];
  for (int k = 0; k < 3; ++k)
    rgb[k] = static_cast<int>(std::lround(kStops[i][k] + (at - i) * (kStops[i + 1][k] - kStops[i][k])));
  return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

std::string text(double x, double y, const std::string& words, double size, const char* anchor, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:g}\" text-anchor=\"{}\" {} {}>{}</text>\n", x, y,
                     size, anchor, kFont, more, escaped(words));
}

}  // namespace

std::vector<double> ticks(double least, double most, unsigned count) {
  std::vector<double> out;
  if (!(most > least) || count == 0 || !std::isfinite(most - least)) return out;
  const double raw = (most - least) / count, power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (double nice : {1.0, 2.0, 5.0}) {
    if (nice * power < raw * 0.999) continue;
    step = nice * power;
    break;
  }
  const double first = std::ceil(least / step - 1e-9);
  for (double i = first; i * step <= most + 1e-9 * step; ++i) out.push_back(i * step == 0 ? 0.0 : i * step);
  return out;
}

Chart::Chart(std::string title, std::string x_label, std::string y_label)
    : title_(std::move(title)), x_label_(std::move(x_label)), y_label_(std::move(y_label)) {}

void Chart::x_range(double least, double most) {
  fixed_[0] = true;
  range_[0][0] = least;
  range_[0][1] = most;
}

void Chart::y_range(double least, double most) {
  fixed_[1] = true;
  range_[1][0] = least;
  range_[1][1] = most;
}

void Chart::line(const std::vector<Point>& points, unsigned colour, const std::string& name, bool dashed) {
  Layer l;
  l.kind = Layer::Kind::kLine;
  l.points = points;
  l.colour = colour;
  l.name = name;
  l.dashed = dashed;
  layers_.push_back(std::move(l));
}

void Chart::band(const std::vector<double>& x, const std::vector<double>& low, const std::vector<double>& high,
                 unsigned colour) {
  Layer l;
  l.kind = Layer::Kind::kBand;
  for (size_t i = 0; i < x.size(); ++i) l.points.push_back({x[i], low[i]});
  for (size_t i = x.size(); i-- > 0;) l.points.push_back({x[i], high[i]});
  l.colour = colour;
  layers_.push_back(std::move(l));
}

void Chart::dots(const std::vector<Point>& points, unsigned colour, double radius, const std::string& name) {
  Layer l;
  l.kind = Layer::Kind::kDots;
  l.points = points;
  l.colour = colour;
  l.radius = radius;
  l.name = name;
  layers_.push_back(std::move(l));
}

void Chart::map(const std::vector<double>& values, size_t rows, size_t cols, double height, double width, double least,
                double most, const std::string& scale_label) {
  Layer l;
  l.kind = Layer::Kind::kMap;
  l.values = values;
  l.rows = rows;
  l.cols = cols;
  l.least = least;
  l.most = most > least ? most : least + 1;
  l.name = scale_label;
  l.cell_width = width / static_cast<double>(cols);
  l.cell_height = height / static_cast<double>(rows);
  layers_.push_back(std::move(l));
  x_range(0, width);
  y_range(height, 0);
}

std::string Chart::draw(double left, double top, double width, double height) const {
  const auto has_map =
      std::any_of(layers_.begin(), layers_.end(), [](const Layer& l) { return l.kind == Layer::Kind::kMap; });
  const double x0 = left + kLeft, x1 = left + width - kRight - (has_map ? kScale : 0), y0 = top + height - kBottom,
               y1 = top + kTop;
  const auto along_x = [&](double x) { return log_x_ ? std::log10(x) : x; };
  const auto usable = [&](const Point& p) { return std::isfinite(p.x) && std::isfinite(p.y) && (!log_x_ || p.x > 0); };
  double range[2][2];
  for (int axis : {0, 1}) {
    double least = range_[axis][0], most = range_[axis][1];
    if (!fixed_[axis]) {
      least = INFINITY;
      most = -INFINITY;
      for (const Layer& l : layers_) {
        for (const Point& p : l.points) {
          if (!usable(p)) continue;
          least = std::min(least, axis == 0 ? p.x : p.y);
          most = std::max(most, axis == 0 ? p.x : p.y);
        }
      }
      if (!(least <= most)) {
        least = log_x_ && axis == 0 ? 1 : 0;
        most = least;
      }
      if (axis == 1) {
        const double margin = 0.05 * (most - least);
        least -= margin;
        most += margin;
      }
    }
    if (axis == 0 && log_x_) {
      least = std::log10(least);
      most = std::log10(most);
    }
    if (least == most) {
      least -= 0.5;
      most += 0.5;
    }
    range[axis][0] = least;
    range[axis][1] = most;
  }
  const auto px = [&](double x) { return x0 + (along_x(x) - range[0][0]) / (range[0][1] - range[0][0]) * (x1 - x0); };
  const auto py = [&](double y) { return y0 + (y - range[1][0]) / (range[1][1] - range[1][0]) * (y1 - y0); };

  std::string s = text((x0 + x1) / 2, top + 20, title_, 14, "middle", "font-weight=\"bold\"");
  const std::string clip = fmt::format("c{:.0f}_{:.0f}", left, top);
  s += fmt::format(
      "<clipPath id=\"{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/></clipPath>\n", clip, x0,
      y1, x1 - x0, y0 - y1);

  // Grid and ticks.
  const auto x_ticks = ticks(range[0][0], range[0][1], 6),
             y_ticks = ticks(std::min(range[1][0], range[1][1]), std::max(range[1][0], range[1][1]), 6);
  for (double t : x_ticks) {
    if (log_x_ && t != std::floor(t)) continue;
    const double x = x0 + (t - range[0][0]) / (range[0][1] - range[0][0]) * (x1 - x0);
    s += fmt::format("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"#dddddd\"/>\n", x, y0,
                     y1);
    s += text(x, y0 + 16, log_x_ ? fmt::format("{:g}", std::pow(10.0, t)) : fmt::format("{:g}", t), 11, "middle");
  }
  for (double t : y_ticks) {
    const double y = py(t);
    s += fmt::format("<line x1=\"{1:.1f}\" y1=\"{0:.1f}\" x2=\"{2:.1f}\" y2=\"{0:.1f}\" stroke=\"#dddddd\"/>\n", y, x0,
                     x1);
    s += text(x0 - 6, y + 4, fmt::format("{:g}", t), 11, "end");
  }

  std::vector<const Layer*> legend;
  s += fmt::format("<g clip-path=\"url(#{})\">\n", clip);
  for (const Layer& l : layers_) {
    const char* colour = colour_of(l.colour);
    if (l.kind != Layer::Kind::kMap && !l.name.empty()) legend.push_back(&l);
    switch (l.kind) {
      case Layer::Kind::kLine:
      case Layer::Kind::kBand: {
        fmt::memory_buffer points;
        for (const Point& p : l.points)
          if (usable(p)) fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", px(p.x), py(p.y));
        if (l.kind == Layer::Kind::kBand) {
          s += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.2\"/>\n", fmt::to_string(points),
                           colour);
        } else {
          s += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"{}/>\n",
                           fmt::to_string(points), colour, l.dashed ? " stroke-dasharray=\"5 4\"" : "");
        }
        break;
      }
      case Layer::Kind::kDots:
        for (const Point& p : l.points) {
          if (!usable(p)) continue;
          s += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:g}\" fill=\"{}\" fill-opacity=\"0.4\"/>\n",
                           px(p.x), py(p.y), l.radius, colour);
        }
        break;
      case Layer::Kind::kMap:
        for (size_t r = 0; r < l.rows; ++r) {
          for (size_t c = 0; c < l.cols; ++c) {
            const double v = l.values[r * l.cols + c];
            if (!std::isfinite(v)) continue;
            const double x = px(static_cast<double>(c) * l.cell_width), y = py(static_cast<double>(r) * l.cell_height);
            // A little too large, so that no gaps show between neighbours.
            s += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n", x, y,
                             px(static_cast<double>(c + 1) * l.cell_width) - x + 0.3,
                             py(static_cast<double>(r + 1) * l.cell_height) - y + 0.3,
                             map_colour((v - l.least) / (l.most - l.least)));
          }
        }
        break;
    }
  }
  s += "</g>\n";
  s += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" stroke=\"#333333\"/>\n", x0, y1,
      x1 - x0, y0 - y1);
  s += text((x0 + x1) / 2, y0 + 36, x_label_, 12, "middle");
  const double middle = (y0 + y1) / 2, side = left + 16;
  s += text(side, middle, y_label_, 12, "middle",
            fmt::format("transform=\"rotate(-90 {:.1f} {:.1f})\"", side, middle).c_str());
  double at = y1 + 16;
  if (!legend.empty()) {
    size_t longest = 0;
    for (const Layer* l : legend) longest = std::max(longest, l->name.size());
    s += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"white\" fill-opacity=\"0.8\"/>\n",
        x0 + 3, y1 + 3, 32 + 6.2 * static_cast<double>(longest), 4 + 15.0 * static_cast<double>(legend.size()));
  }
  for (const Layer* l : legend) {
    s += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"14\" height=\"4\" fill=\"{}\"/>\n", x0 + 8, at - 6,
                     colour_of(l->colour));
    s += text(x0 + 28, at, l->name, 11, "start");
    at += 15;
  }
  for (const Layer& l : layers_) {
    if (l.kind != Layer::Kind::kMap) continue;
    constexpr int kSteps = 64;
    for (int i = 0; i < kSteps; ++i) {
      const double h = (y0 - y1) / kSteps;
      s += fmt::format("<rect x=\"{:.1f}\" y=\"{:.2f}\" width=\"14\" height=\"{:.2f}\" fill=\"{}\"/>\n", x1 + 14,
                       y0 - (i + 1) * h, h + 0.3, map_colour((i + 0.5) / kSteps));
    }
    for (double t : ticks(l.least, l.most, 5))
      s += text(x1 + 32, y0 - (t - l.least) / (l.most - l.least) * (y0 - y1) + 4, fmt::format("{:g}", t), 11, "start");
    s += text(x1 + 12, y1 - 6, l.name, 11, "start");
  }
  return s;
}

std::string svg_page(const std::vector<Chart>& charts, unsigned columns, double width, double height) {
  columns = std::max(columns, 1u);
  const size_t rows = (charts.size() + columns - 1) / columns;
  std::string s = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width * columns, height * static_cast<double>(rows));
  for (size_t i = 0; i < charts.size(); ++i)
    s += charts[i].draw(width * static_cast<double>(i % columns), height * static_cast<double>(i / columns), width,
                        height);
  return s + "</svg>\n";
}

}  // namespace ohmac::cli
