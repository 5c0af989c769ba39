// SPDX-License-Identifier: Apache-2.0
// Preset files: one description of their fields, walked by the reader, the writer and the list of constants.
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

#include "models/device/technology.h"
#include "models/device/toml_check.h"

namespace ohmac {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Range {
  double least, most;
};

/// The fields of a preset, in the order of the file. V is told about sections, numbers and laws.
template <class T, class V>
void describe(T& t, V& v) {
  v.text("name", t.name);
  v.text("title", t.title);
  v.begin("device");
  v.number("gmax", t.gmax_us, "uS", {1e-6, 1e9});
  v.optional_number("on_off", t.on_off, "1", {1.001, kInf}, kInf);
  v.levels("levels", t.levels);
  v.number("t0", t.t0_s, "s", {1e-9, 1e9});
  v.end();
  if (v.begin_optional("programming", t.has_programming)) {
    v.spread("sigma", t.programming);
    v.end();
  }
  if (v.begin_ageing("drift", t.ageing, Ageing::kDrift)) {
    v.law("nu_mean", t.nu_mean, "1", {-1, 10});
    v.law("nu_std", t.nu_std, "1", {0, 10});
    v.end();
  }
  if (v.begin_ageing("relaxation", t.ageing, Ageing::kRelaxation)) {
    v.number("verify", t.relaxation_verify_s, "s", {1e-9, 1e9});
    v.relaxation("sigma", t.relaxation);
    v.end();
  }
  if (v.begin_ageing("charge_loss", t.ageing, Ageing::kChargeLoss)) {
    v.law("mean", t.loss_mean, "Gmax/decade", {-1, 1});
    v.law("std", t.loss_std, "Gmax/decade", {0, 1});
    v.end();
  }
  if (v.begin_optional("one_over_f", t.has_one_over_f)) {
    v.number("t_read", t.t_read_s, "s", {1e-12, 1});
    v.law("q", t.q, "1", {0, 10});
    v.end();
  }
  v.begin("white_noise");
  v.number("of_gmax", t.noise_of_gmax, "Gmax", {0, 1});
  v.number("of_g", t.noise_of_g, "G", {0, 1});
  v.end();
  auto& p = t.pulse;
  v.begin("pulse");
  v.number("step", p.step_us, "uS", {1e-9, 1e6});
  v.number("step_ratio", p.step_ratio, "1", {1, 10});
  v.number("reset_floor", p.reset_floor, "1", {0, 1});
  v.number("width", p.width_ns, "ns", {1e-3, 1e9});
  v.number("max", p.max_us, "uS", {1e-6, 1e9});
  v.number("step_spread", p.step_spread, "1", {0, 1});
  v.number("max_spread", p.max_spread, "1", {0, 0.3});
  v.number("clip", p.clip_sigma, "1", {0, 6});
  v.number("noise", p.noise, "1", {0, 10});
  v.end();
  v.begin("wear");
  v.number("endurance", p.endurance, "pulses", {1, 1e30});
  v.number("sigma", p.endurance_sigma, "1", {0, 3});
  v.end();
}

// --- Reader.

class Reader : private TomlCheck<TechnologyError> {
 public:
  Reader(const toml::table& file, std::string name, Technology* t) : TomlCheck(std::move(name)), t_(t), file_(file) {}

  void text(const char* field, std::string& value) {
    sections_.push_back(field);
    const toml::node* n = required(file_, field, field);
    value = TomlCheck::text(*n, field);
    if (std::strcmp(field, "name") == 0 &&
        value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
      fail(*n, field, "'" + value + "' is no name; use small letters, digits and underscores");
  }

  void begin(const char* section) {
    if (!open(section)) throw TechnologyError(file() + ": section [" + section + "] is missing");
  }
  bool begin_optional(const char* section, bool& present) { return present = open(section); }
  bool begin_ageing(const char* section, Ageing& ageing, Ageing kind) {
    if (!open(section)) return false;
    if (ageing != Ageing::kNone)
      throw TechnologyError(at(*table_) + "[" + section +
                            "]: devices age by drift, relaxation or charge_loss; give one");
    if (kind == Ageing::kRelaxation && t_->has_programming)
      throw TechnologyError(
          at(*table_) + "[relaxation]: its spread at the first time is that of programming; leave out [programming]");
    ageing = kind;
    return true;
  }
  void end() {
    known_only(*table_, section_ + ".", fields_);
    table_ = nullptr;
    section_.clear();
  }
  /// After the last section.
  void finish() { known_only(file_, "", sections_); }

  void number(const char* field, double& value, const char* unit, Range range) {
    const toml::table& f = quantity(field, unit, {"value"});
    value = in_range(*required_in(f, "value", path(field)), path(field), range);
  }
  void optional_number(const char* field, double& value, const char* unit, Range range, double absent) {
    value = absent;
    if (table_->get(field) != nullptr) number(field, value, unit, range);
  }
  void levels(const char* field, uint32_t& value) {
    value = 0;
    if (table_->get(field) == nullptr) return;
    double v = 0;
    number(field, v, "1", {2, 65536});
    if (v != std::floor(v)) fail(*table_->get(field), path(field), "must be a whole number, 2 to 65536");
    value = static_cast<uint32_t>(v);
  }
  void law(const char* field, Law& law, const char* unit, Range range) {
    pieces(quantity(field, unit, {"pieces"}), path(field), &law, range);
  }
  void spread(const char* field, SpreadLaw& s) {
    const toml::table& f = spread_quantity(field, "pieces", &s);
    pieces(f, path(field), &s.law, {0, kInf});
  }
  void relaxation(const char* field, std::vector<Technology::Relaxed>& at_times) {
    SpreadLaw all;
    const toml::table& f = spread_quantity(field, "at", &all);
    const toml::node* list = required_in(f, "at", path(field));
    if (list->as_array() == nullptr || list->as_array()->empty())
      fail(*list, path(field) + ".at", "must be a list of { t, pieces }");
    for (const toml::node& entry : *list->as_array()) {
      const std::string where = path(field) + ".at";
      const toml::table* e = entry.as_table();
      if (e == nullptr) fail(entry, where, "must be a list of { t, pieces }");
      known_only(*e, where + ".", {"t", "pieces"});
      Technology::Relaxed r = {in_range(*required_in(*e, "t", where), where + ".t", {1e-9, 1e12}), all};
      pieces(*e, where, &r.sigma.law, {0, kInf});
      if (!at_times.empty() && r.t_s <= at_times.back().t_s)
        fail(entry, where + ".t", shortest(r.t_s) + " s does not come after " + shortest(at_times.back().t_s) + " s");
      at_times.push_back(std::move(r));
    }
    if (at_times.front().t_s != t_->t0_s)
      fail(*list, path(field) + ".at",
           "the first time must be device.t0, " + shortest(t_->t0_s) + " s: what was programmed is at age 0 then");
    if (t_->relaxation_verify_s >= at_times.front().t_s)
      fail(*table_->get("verify"), "relaxation.verify", "must be before the first time of relaxation.sigma");
  }

 private:
  std::string path(const std::string& field) const { return section_ + "." + field; }

  bool open(const char* section) {
    sections_.push_back(section);
    const toml::node* n = file_.get(section);
    if (n == nullptr) return false;
    if (!n->is_table()) fail(*n, section, "must be a section, [" + std::string(section) + "]");
    table_ = n->as_table();
    section_ = section;
    fields_.clear();
    return true;
  }

  const toml::node* required_in(const toml::table& t, const char* key, const std::string& where) const {
    return required(t, key, where + "." + key);
  }
  double in_range(const toml::node& n, const std::string& field, Range range) const {
    return TomlCheck::in_range(n, field, range.least, range.most);
  }

  std::string string_of(const toml::table& f, const char* key, const std::string& field) const {
    return TomlCheck::text(*required_in(f, key, field), field + "." + key);
  }

  /// A field of the open section: a table with unit, source, perhaps what it was fitted to, and `values`.
  const toml::table& quantity(const char* field, const char* unit, std::vector<std::string> values) {
    const toml::table& f = field_table(field, std::move(values));
    const std::string u = string_of(f, "unit", path(field));
    if (u != unit) fail(*f.get("unit"), path(field), "the unit is '" + u + "'; give it in '" + unit + "'");
    return f;
  }

  const toml::table& field_table(const char* field, std::vector<std::string> values) {
    fields_.push_back(field);
    const toml::node* n = table_->get(field);
    if (n == nullptr) throw TechnologyError(at(*table_) + path(field) + ": is missing");
    const toml::table* f = n->as_table();
    if (f == nullptr) fail(*n, path(field), "must be a table { " + values.front() + ", unit, source }");
    values.insert(values.end(), {"unit", "source", "fitted"});
    known_only(*f, path(field) + ".", values);
    Technology::Origin o;
    o.source = string_of(*f, "source", path(field));
    if (f->get("fitted") != nullptr) o.fitted = string_of(*f, "fitted", path(field));
    t_->origin[path(field)] = std::move(o);
    return *f;
  }

  const toml::table& spread_quantity(const char* field, const char* values, SpreadLaw* s) {
    const toml::table& f = field_table(field, {values, "reference_gmax"});
    const std::string u = string_of(f, "unit", path(field));
    s->of_gmax = u == "Gmax";
    if (u == "uS") {
      s->reference_gmax_us =
          in_range(*required_in(f, "reference_gmax", path(field)), path(field) + ".reference_gmax", {1e-6, 1e9});
    } else if (u != "Gmax") {
      fail(*f.get("unit"), path(field), "the unit is '" + u + "'; give it in 'uS' or as a share of 'Gmax'");
    } else if (f.get("reference_gmax") != nullptr) {
      fail(*f.get("reference_gmax"), path(field), "a share of Gmax needs no reference_gmax; leave it out");
    }
    return f;
  }

  std::vector<double> numbers(const toml::node& n, const std::string& field, size_t least, size_t most) {
    const toml::array* a = n.as_array();
    if (a == nullptr || a->size() < least || a->size() > most)
      fail(n, field,
           "must be a list of " + std::to_string(least) + (least == most ? "" : " to " + std::to_string(most)) +
               " numbers");
    std::vector<double> c;
    for (const toml::node& v : *a) c.push_back(in_range(v, field, {-1e12, 1e12}));
    return c;
  }

  void pieces(const toml::table& f, const std::string& field, Law* law, Range range) {
    const std::string where = field + ".pieces";
    const toml::node* list = required_in(f, "pieces", field);
    const toml::array* a = list->as_array();
    if (a == nullptr || a->empty()) fail(*list, where, "must be a list of { polynomial | log | power = [...] }");
    double from = 0;
    for (size_t i = 0; i < a->size(); ++i) {
      const toml::node& n = *a->get(i);
      const toml::table* e = n.as_table();
      if (e == nullptr) fail(n, where, "must be a list of { polynomial | log | power = [...] }");
      known_only(*e, where + ".", {"below", "polynomial", "log", "power", "min", "max"});
      LawPiece p = {kInf, LawPiece::Form::kPolynomial, {}, -kInf, kInf};
      int forms = 0;
      const auto form = [&](const char* key, LawPiece::Form kind, size_t least, size_t most) {
        const toml::node* c = e->get(key);
        if (c == nullptr) return;
        ++forms;
        p.form = kind;
        p.c = numbers(*c, where + "." + key, least, most);
      };
      form("polynomial", LawPiece::Form::kPolynomial, 1, 8);
      form("log", LawPiece::Form::kLog, 2, 2);
      form("power", LawPiece::Form::kPower, 2, 2);
      if (forms != 1) fail(n, where, "each piece has one of polynomial, log and power");
      if (e->get("min") != nullptr) p.least = in_range(*e->get("min"), where + ".min", {-1e12, 1e12});
      if (e->get("max") != nullptr) p.most = in_range(*e->get("max"), where + ".max", {-1e12, 1e12});
      if (p.least > p.most) fail(*e->get("max"), where + ".max", "is below min");
      if (from == 0 && p.form != LawPiece::Form::kPolynomial && !(p.least > -kInf && p.most < kInf))
        fail(n, where, "a logarithm or a power has no value at x = 0; give min and max");
      const bool last = i + 1 == a->size();
      const toml::node* below = e->get("below");
      if (last && below != nullptr) fail(*below, where + ".below", "the last piece has no end; leave it out");
      if (!last) p.below = in_range(*required_in(*e, "below", where), where + ".below", {1e-9, 1});
      if (!(p.below > from)) fail(*below, where + ".below", "must be greater than in the piece before");
      from = p.below;
      law->pieces.push_back(std::move(p));
    }
    constexpr int kGrid = 4096;
    for (int k = 0; k <= kGrid; ++k) {
      const double x = static_cast<double>(k) / kGrid, v = (*law)(x);
      if (v >= range.least && v <= range.most) continue;
      const bool negative = range.least == 0 && v < 0;
      fail(*list, field,
           "the law is " + shortest(v) + " at x = " + shortest(x) +
               (negative ? "; it must not be negative"
                         : "; give " + shortest(range.least) + " to " + shortest(range.most)));
    }
  }

  Technology* t_;
  const toml::table& file_;
  const toml::table* table_ = nullptr;
  std::string section_;
  std::vector<std::string> sections_, fields_;  // known names
};

// --- Writer of files and of the list of constants.

std::string text_of(const Law& law) {
  std::string s = "[";
  for (const LawPiece& p : law.pieces) {
    s += s.size() == 1 ? "{ " : ", { ";
    if (p.below < kInf) s += "below = " + shortest(p.below) + ", ";
    constexpr const char* kForms[] = {"polynomial", "log", "power"};
    s += std::string(kForms[static_cast<unsigned>(p.form)]) + " = [";
    for (size_t i = 0; i < p.c.size(); ++i) s += (i == 0 ? "" : ", ") + shortest(p.c[i]);
    s += "]";
    if (p.least > -kInf) s += ", min = " + shortest(p.least);
    if (p.most < kInf) s += ", max = " + shortest(p.most);
    s += " }";
  }
  return s + "]";
}

class Lister {
 public:
  explicit Lister(const Technology& t) : t_(t) {}
  void text(const char* field, const std::string& value) { add(field, "value", value, ""); }
  void begin(const char* section) { section_ = std::string(section) + "."; }
  bool begin_optional(const char* section, bool present) {
    if (present) begin(section);
    return present;
  }
  bool begin_ageing(const char* section, Ageing ageing, Ageing kind) { return begin_optional(section, ageing == kind); }
  void end() { section_.clear(); }
  void number(const char* field, double value, const char* unit, Range) { add(field, "value", shortest(value), unit); }
  void optional_number(const char* field, double value, const char* unit, Range range, double absent) {
    if (value != absent) number(field, value, unit, range);
  }
  void levels(const char* field, uint32_t value) {
    if (value != 0) add(field, "value", std::to_string(value), "1");
  }
  void law(const char* field, const Law& law, const char* unit, Range) { add(field, "pieces", text_of(law), unit); }
  void spread(const char* field, const SpreadLaw& s) { add_spread(field, "pieces", text_of(s.law), s); }
  void relaxation(const char* field, const std::vector<Technology::Relaxed>& at) {
    std::string s = "[";
    for (const auto& r : at)
      s += (s.size() == 1 ? "{ t = " : ", { t = ") + shortest(r.t_s) + ", pieces = " + text_of(r.sigma.law) + " }";
    add_spread(field, "at", s + "]", at.front().sigma);
  }

  struct Row {
    Constant constant;
    std::string key;  ///< of the value in the file
    double reference_gmax_us;
  };
  std::vector<Row> rows;

 private:
  void add(const char* field, const char* key, std::string value, const char* unit, double reference = 0) {
    Constant c = {section_ + field, std::move(value), unit, "", ""};
    if (const auto o = t_.origin.find(c.field); o != t_.origin.end()) {
      c.source = o->second.source;
      c.fitted = o->second.fitted;
    }
    rows.push_back({std::move(c), key, reference});
  }
  void add_spread(const char* field, const char* key, std::string value, const SpreadLaw& s) {
    add(field, key, std::move(value), s.of_gmax ? "Gmax" : "uS", s.of_gmax ? 0 : s.reference_gmax_us);
  }
  const Technology& t_;
  std::string section_;
};

std::vector<Lister::Row> list(const Technology& t) {
  Lister l(t);
  describe(t, l);
  return std::move(l.rows);
}

std::string quoted(const std::string& s) {
  std::string q = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') q += '\\';
    q += c == '\n' || c == '\t' ? ' ' : c;
  }
  return q + "\"";
}

}  // namespace

Technology parse_technology(std::string_view text, const std::string& file) {
  Technology t;
  try {
    const toml::table table = toml::parse(text, file);
    Reader r(table, file, &t);
    describe(t, r);
    r.finish();
  } catch (const toml::parse_error& e) {
    throw TechnologyError(file + ":" + std::to_string(e.source().begin.line) +
                          ": not TOML: " + std::string(e.description()));
  }
  if (!(t.pulse.max_us * (1 - t.pulse.max_spread * t.pulse.clip_sigma) > 0))
    throw TechnologyError(file + ": pulse.max_spread: reaches 0 at pulse.clip sigma; give a smaller one");
  return t;
}

std::string to_toml(const Technology& t) {
  std::string out, section;
  for (const Lister::Row& r : list(t)) {
    const Constant& c = r.constant;
    const size_t dot = c.field.find('.');
    if (dot == std::string::npos) {
      out += c.field + " = " + quoted(c.value) + "\n";
      continue;
    }
    if (c.field.substr(0, dot) != section) {
      section = c.field.substr(0, dot);
      out += "\n[" + section + "]\n";
    }
    out += c.field.substr(dot + 1) + " = { " + r.key + " = " + c.value + ", unit = " + quoted(c.unit);
    if (r.reference_gmax_us != 0) out += ", reference_gmax = " + shortest(r.reference_gmax_us);
    out += ", source = " + quoted(c.source.empty() ? "not stated" : c.source);
    if (!c.fitted.empty()) out += ", fitted = " + quoted(c.fitted);
    out += " }\n";
  }
  return out;
}

std::vector<Constant> constants(const Technology& t) {
  std::vector<Constant> out;
  for (const Lister::Row& r : list(t)) {
    out.push_back(r.constant);
    if (r.reference_gmax_us != 0) out.back().unit += " at Gmax " + shortest(r.reference_gmax_us) + " uS";
  }
  return out;
}

std::string first_difference(const Technology& has, const Technology& wants) {
  const auto value = [](const Constant* c) { return c == nullptr ? "absent" : c->value + " " + c->unit; };
  const std::vector<Constant> a = constants(has), b = constants(wants);
  const auto find = [](const std::vector<Constant>& in, const std::string& field) -> const Constant* {
    for (const Constant& c : in)
      if (c.field == field) return &c;
    return nullptr;
  };
  const auto differ = [&](const Constant* x, const Constant* y) {
    return x == nullptr || y == nullptr || value(x) != value(y);
  };
  for (const auto* side : {&a, &b}) {
    for (const Constant& c : *side) {
      if (c.field == "name" || c.field == "title") continue;
      const Constant *x = find(a, c.field), *y = find(b, c.field);
      if (differ(x, y)) return c.field + " is " + value(x) + ", wanted " + value(y);
    }
  }
  return {};
}

// --- Presets by name. The files are compiled in (embed.cmake).

struct EmbeddedTechnology {
  const char *name, *text;
};
extern const EmbeddedTechnology kEmbeddedTechnologies[];
extern const size_t kNumEmbeddedTechnologies;

std::vector<std::string> technology_names() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kNumEmbeddedTechnologies; ++i) names.push_back(kEmbeddedTechnologies[i].name);
  return names;
}

std::shared_ptr<const Technology> builtin_technology(std::string_view name) {
  static const auto kAll = [] {
    std::map<std::string, std::shared_ptr<const Technology>, std::less<>> all;
    for (size_t i = 0; i < kNumEmbeddedTechnologies; ++i) {
      const EmbeddedTechnology& e = kEmbeddedTechnologies[i];
      all[e.name] = std::make_shared<const Technology>(parse_technology(e.text, std::string(e.name) + ".toml"));
    }
    return all;
  }();
  if (const auto it = kAll.find(name); it != kAll.end()) return it->second;
  std::string known;
  for (const std::string& n : technology_names()) known += (known.empty() ? "" : ", ") + n;
  throw TechnologyError("technology '" + std::string(name) + "': not known; there are " + known +
                        ", and preset files (PATH.toml)");
}

std::shared_ptr<const Technology> load_technology(const std::string& name_or_path) {
  const bool file = name_or_path.find('/') != std::string::npos ||
                    (name_or_path.size() > 5 && name_or_path.compare(name_or_path.size() - 5, 5, ".toml") == 0);
  if (!file) return builtin_technology(name_or_path);
  struct stat s;
  if (stat(name_or_path.c_str(), &s) != 0)
    throw TechnologyError(name_or_path + ": cannot read the technology: " + std::strerror(errno));
  if (!S_ISREG(s.st_mode)) throw TechnologyError(name_or_path + ": is no file; name a technology file");
  std::ifstream in(name_or_path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw TechnologyError(name_or_path + ": cannot read the technology");
  return std::make_shared<const Technology>(parse_technology(text, name_or_path));
}

}  // namespace ohmac
