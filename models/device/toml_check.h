// SPDX-License-Identifier: Apache-2.0
// What the readers of TOML files share: checks whose errors name file, line, field and remedy.
#pragma once
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace ohmac {

/// The shortest text that reads back as the same double.
inline std::string shortest(double v) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, v).ptr;
  return {text, end};
}

/// Checks of one file. @tparam Error what is thrown, made from a text
template <class Error>
class TomlCheck {
 public:
  explicit TomlCheck(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  /// "file:line: "
  std::string at(const toml::node& n) const {
    const auto line = n.source().begin.line;
    return line == 0 ? file_ + ": " : file_ + ":" + std::to_string(line) + ": ";
  }
  [[noreturn]] void fail(const toml::node& n, const std::string& field, const std::string& what) const {
    throw Error(at(n) + field + ": " + what);
  }
  const toml::node* required(const toml::table& t, const char* key, const std::string& field) const {
    const toml::node* n = t.get(key);
    if (n == nullptr) throw Error(at(t) + field + ": is missing");
    return n;
  }
  /// @param where what stands before the name of a field in messages
  void known_only(const toml::table& t, const std::string& where, const std::vector<std::string>& known) const {
    for (const auto& [key, node] : t) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string all;
      for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
      fail(node, where + name, "unknown; there are " + all);
    }
  }
  double in_range(const toml::node& n, const std::string& field, double least, double most) const {
    if (!n.is_number()) fail(n, field, "must be a number");
    const double v =
        n.as_integer() != nullptr ? static_cast<double>(n.as_integer()->get()) : n.as_floating_point()->get();
    if (!(v >= least && v <= most))
      fail(n, field, shortest(v) + " is out of range; give " + shortest(least) + " to " + shortest(most));
    return v;
  }
  std::string text(const toml::node& n, const std::string& field) const {
    const auto* s = n.as_string();
    if (s == nullptr || s->get().empty()) fail(n, field, "must be a text that is not empty");
    return s->get();
  }

 private:
  std::string file_;
};

}  // namespace ohmac
