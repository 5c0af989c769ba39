// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/csv.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <string_view>
#include <system_error>

#include "sw/cli/files.h"
#include "sw/cli/options.h"

namespace ohmac::cli {
namespace {

std::string_view trimmed(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t") + 1 - first);
}

/// What a message may show of a wrong field.
std::string shown(std::string_view field) {
  constexpr size_t kMost = 40;
  std::string out(field.substr(0, kMost));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  return field.size() > kMost ? out + "..." : out;
}

}  // namespace

Table parse_csv(const std::string& text, const std::string& path, const Range& range) {
  Table t;
  std::string_view left = text;
  for (size_t line = 1; !left.empty(); ++line) {
    const size_t end = left.find('\n');
    std::string_view row = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
    if (trimmed(row).empty()) {
      throw UsageError(fmt::format("{}:{}: the line is empty; give {} on every line", path, line, range.what));
    }
    size_t column = 0;
    for (bool more = true; more;) {
      ++column;
      const size_t comma = row.find(',');
      more = comma != std::string_view::npos;
      std::string_view field = trimmed(row.substr(0, comma));
      if (more) row.remove_prefix(comma + 1);
      const auto refuse = [&](const std::string& why) {
        throw UsageError(fmt::format("{}:{}: column {}: {}", path, line, column, why));
      };
      if (field.empty()) refuse(fmt::format("there is no number; give {}", range.what));
      const std::string_view digits = field.front() == '+' ? field.substr(1) : field;
      double v = 0;
      const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
      if (error == std::errc::result_out_of_range) refuse(fmt::format("'{}' does not fit a double", shown(field)));
      if (error != std::errc() || stop != digits.data() + digits.size()) {
        refuse(fmt::format("'{}' is no number; the file has no header, only numbers and commas", shown(field)));
      }
      if (!(v >= range.least && v <= range.most)) {  // NaN is not in range
        refuse(fmt::format("'{}' is wrong; give {}, {:g} to {:g}", shown(field), range.what, range.least, range.most));
      }
      if (t.rows != 0 && column > t.cols) {
        refuse(fmt::format("the line has more numbers than the first one, which has {}", t.cols));
      }
      t.values.push_back(v);
    }
    if (t.rows != 0 && column != t.cols) {
      throw UsageError(fmt::format(
          "{}:{}: column {}: the line ends after {} numbers, the first one has {}; give every line the same", path,
          line, column, column, t.cols));
    }
    t.cols = column;
    ++t.rows;
  }
  if (t.rows == 0) throw UsageError(fmt::format("{}: is empty; give lines of numbers: {}", path, range.what));
  return t;
}

Table read_csv(const std::string& path, const Range& range, const std::string& remedy) {
  check_readable(path, remedy);
  return parse_csv(read_file(path), path, range);
}

std::string csv_text(const Table& table) {
  fmt::memory_buffer out;
  for (size_t i = 0; i < table.rows; ++i)
    for (size_t j = 0; j < table.cols; ++j)
      fmt::format_to(std::back_inserter(out), "{:.17g}{}", table.at(i, j), j + 1 == table.cols ? '\n' : ',');
  return fmt::to_string(out);
}

}  // namespace ohmac::cli
