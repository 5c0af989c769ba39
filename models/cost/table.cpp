// SPDX-License-Identifier: Apache-2.0
#include "models/cost/table.h"

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "models/device/toml_check.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cost {
namespace {

namespace fs = std::filesystem;

constexpr double kMost = 1e15;

struct Field {
  const char *name, *unit;
  double least = 0, most = kMost;
};
struct Section {
  const char* name;
  std::vector<Field> fields;
};

/// The sections of an analog table besides [cell.NAME], and what their numbers are of.
const std::vector<Section>& analog_sections() {
  static const std::vector<Section> kSections = {
      {"adc", {{"energy_trial", "pJ"}, {"energy_conversion", "pJ"}, {"static_power", "uW"}, {"area", "um2"}}},
      {"dac", {{"energy_row", "pJ"}, {"area", "um2"}}},
      {"integrator", {{"energy_drive", "pJ"}, {"area", "um2"}}},
      {"sample_hold", {{"energy_sample", "pJ"}, {"area", "um2"}}},
      {"column_mux", {{"energy_conversion", "pJ"}, {"area", "um2"}}},
      {"reference", {{"static_power", "uW"}, {"area", "um2"}}},
      {"programming", {{"efficiency", "1", 1e-3, 1}, {"area_column", "um2"}, {"area_row", "um2"}}}};
  return kSections;
}

const std::vector<Field>& cell_fields() {
  static const std::vector<Field> kFields = {{"area_device", "F2"}, {"set_pulse", "pJ"}, {"reset_pulse", "pJ"}};
  return kFields;
}

const std::vector<Field>& memory_fields() {
  static const std::vector<Field> kFields = {
      {"area_cell", "um2"},       {"area_bit", "um2"},  {"area_bit2", "um2"},   {"access_base", "ns", -kMost},
      {"access_log2_word", "ns"}, {"access_bit", "ns"}, {"setup_share", "1"},   {"hold_share", "1"},
      {"read_cell", "pJ"},        {"read_bit", "pJ"},   {"read_bit2", "pJ"},    {"write_cell", "pJ"},
      {"write_bit", "pJ"},        {"write_bit2", "pJ"}, {"leakage_cell", "uW"}, {"leakage_bit", "uW"}};
  return kFields;
}

class File : private TomlCheck<CostError> {
 public:
  File(const toml::table& table, std::string file) : TomlCheck(std::move(file)), table_(table) {}

  /// A file with a library and no kind is digital.
  std::string kind() const {
    if (table_.get("kind") == nullptr && table_.get("library") != nullptr) return "digital";
    return text(*required(table_, "kind", "kind"), "kind");
  }
  [[noreturn]] void fail_kind(const std::string& kind) const {
    fail(*table_.get("kind"), "kind", "'" + kind + "' is unknown; there are analog, memory, digital, scaling");
  }

  AnalogTable analog() {
    AnalogTable t;
    std::vector<std::string> sections = {"cell"};
    for (const Section& s : analog_sections()) sections.push_back(s.name);
    head(&t, sections);
    for (const Section& s : analog_sections()) {
      const toml::table& section = table_of(*required(table_, s.name, s.name), s.name);
      t.rules.emplace_back(s.name, rule(section, s.name));
      numbers(&t, section, s.name, s.fields, {"scaling"});
    }
    const toml::node& cells = *required(table_, "cell", "cell");
    for (const auto& [key, node] : table_of(cells, "cell")) t.cells.push_back(cell(&t, std::string(key.str()), node));
    if (t.cells.empty()) fail(cells, "cell", "needs at least one section [cell.NAME]");
    return t;
  }

  MemoryTable memory() {
    MemoryTable t;
    head(&t, {"sram", "regfile"});
    for (const char* s : {"sram", "regfile"}) {
      numbers(&t, table_of(*required(table_, s, s), s), s, memory_fields(), {});
    }
    return t;
  }

  DigitalTable digital() {
    DigitalTable t;
    t.file = file();
    known_only(table_, "", {"kind", "library", "node_nm", "voltage_v", "clock_mhz", "source", "geometry", "block"});
    t.library = top_text("library");
    t.source = top_text("source");
    t.node_nm = top_number("node_nm", 1, 1000);
    t.voltage_v = top_number("voltage_v", 0.1, 10);
    t.clock_mhz = top_number("clock_mhz", 1, 1e5);
    const toml::table& g = table_of(*required(table_, "geometry", "geometry"), "geometry");
    known_only(g, "geometry.", {"rows", "cols", "lanes", "sram_bytes", "sram_banks", "mesh_x", "mesh_y"});
    const auto count = [&](const char* key) {
      return static_cast<uint32_t>(whole(g, key, std::string("geometry.") + key, 1, 1u << 30));
    };
    t.geometry.rows = count("rows");
    t.geometry.cols = count("cols");
    t.geometry.lanes = count("lanes");
    t.geometry.sram_bytes = count("sram_bytes");
    t.sram_banks = count("sram_banks");
    t.geometry.mesh_x = count("mesh_x");
    t.geometry.mesh_y = count("mesh_y");
    const toml::node& blocks = *required(table_, "block", "block");
    for (const auto& [key, node] : table_of(blocks, "block")) t.blocks.push_back(block(std::string(key.str()), node));
    if (t.blocks.empty()) fail(blocks, "block", "needs at least one section [block.NAME]");
    return t;
  }

  ScalingTable scaling() {
    ScalingTable t;
    t.file = file();
    known_only(table_, "", {"kind", "name", "title", "source", "node", "adc"});
    t.name = top_text("name");
    t.title = top_text("title");
    t.source = top_text("source");
    const toml::node& list = *required(table_, "node", "node");
    if (list.as_array() == nullptr || list.as_array()->empty()) fail(list, "node", "must be sections [[node]]");
    for (const toml::node& n : *list.as_array()) t.nodes.push_back(scaling_node(table_of(n, "node")));
    for (size_t i = 1; i < t.nodes.size(); ++i)
      if (!(t.nodes[i].nm < t.nodes[i - 1].nm)) fail(list, "node.nm", "nodes must come from large to small");
    const toml::table& a = table_of(*required(table_, "adc", "adc"), "adc");
    known_only(a, "adc.", {"energy_exponent", "area_exponent", "area_energy_exponent", "source"});
    const auto exponent = [&](const char* key) {
      return in_range(*required(a, key, std::string("adc.") + key), std::string("adc.") + key, 0, 10);
    };
    t.adc_energy_exponent = exponent("energy_exponent");
    t.adc_area_exponent = exponent("area_exponent");
    t.adc_area_energy_exponent = exponent("area_energy_exponent");
    t.adc_source = text(*required(a, "source", "adc.source"), "adc.source");
    return t;
  }

 private:
  const toml::table& table_of(const toml::node& n, const std::string& name) const {
    if (n.as_table() == nullptr) fail(n, name, "must be a section, [" + name + "]");
    return *n.as_table();
  }
  std::string top_text(const char* key) const { return text(*required(table_, key, key), key); }
  double top_number(const char* key, double least, double most) const {
    return in_range(*required(table_, key, key), key, least, most);
  }
  double whole(const toml::table& t, const char* key, const std::string& field, double least, double most) const {
    const toml::node& n = *required(t, key, field);
    const double v = in_range(n, field, least, most);
    if (v != std::floor(v)) fail(n, field, shortest(v) + " is no whole number");
    return v;
  }

  /// What every table of numbers begins with.
  void head(NumberTable* t, std::vector<std::string> sections) {
    t->file = file();
    sections.insert(sections.begin(), {"kind", "name", "title", "node_nm", "voltage_v", "sources"});
    known_only(table_, "", sections);
    t->name = top_text("name");
    t->title = top_text("title");
    t->node_nm = top_number("node_nm", 1, 1000);
    t->voltage_v = top_number("voltage_v", 0.1, 10);
    const toml::node& sources = *required(table_, "sources", "sources");
    for (const auto& [key, node] : table_of(sources, "sources"))
      sources_[std::string(key.str())] = text(node, "sources." + std::string(key.str()));
  }

  Rule rule(const toml::table& section, const std::string& name) const {
    const std::string field = name + ".scaling";
    const toml::node& n = *required(section, "scaling", field);
    const std::string r = text(n, field);
    if (r == "digital") return Rule::kDigital;
    if (r == "adc") return Rule::kAdc;
    if (r == "voltage") return Rule::kVoltage;
    if (r == "none") return Rule::kNone;
    fail(n, field, "'" + r + "' is no rule; there are digital, adc, voltage, none");
  }

  void numbers(NumberTable* t, const toml::table& section, const std::string& name, const std::vector<Field>& fields,
               std::vector<std::string> others) {
    for (const Field& f : fields) others.push_back(f.name);
    known_only(section, name + ".", others);
    for (const Field& f : fields) t->numbers.push_back(number(*t, section, name + "." + f.name, f));
  }

  Number number(const NumberTable& t, const toml::table& section, const std::string& field, const Field& f) const {
    const toml::node& node = *required(section, f.name, field);
    const toml::table* n = node.as_table();
    if (n == nullptr) fail(node, field, "must be a table { value, unit, node_nm, source }");
    known_only(*n, field + ".", {"value", "unit", "node_nm", "source", "assumed", "reason"});
    Number v;
    v.field = field;
    v.value = in_range(*required(*n, "value", field + ".value"), field, f.least, f.most);
    v.unit = text(*required(*n, "unit", field + ".unit"), field + ".unit");
    if (v.unit != f.unit) fail(*n, field, "the unit is '" + v.unit + "'; give it in '" + f.unit + "'");
    v.node_nm = in_range(*required(*n, "node_nm", field + ".node_nm"), field + ".node_nm", 1, 1000);
    const std::string source = text(*required(*n, "source", field + ".source"), field + ".source");
    const auto s = sources_.find(source);
    if (s == sources_.end()) fail(*n, field + ".source", "'" + source + "' is not in [sources]");
    v.source = s->second;
    if (const toml::node* a = n->get("assumed"); a != nullptr) {
      if (a->as_boolean() == nullptr) fail(*a, field + ".assumed", "must be true or false");
      v.assumed = a->as_boolean()->get();
    }
    if (v.assumed) {
      v.reason = text(*required(*n, "reason", field + ".reason"), field + ".reason");
    } else if (n->get("reason") != nullptr) {
      fail(*n, field + ".reason", "only an assumption needs a reason; add assumed = true");
    }
    if (v.node_nm != t.node_nm && !v.assumed)
      fail(*n, field,
           "is of " + shortest(v.node_nm) + " nm in a table of " + shortest(t.node_nm) +
               " nm; say why with assumed = true and reason");
    return v;
  }

  Cell cell(AnalogTable* t, const std::string& name, const toml::node& node) {
    const std::string where = "cell." + name;
    const toml::table& section = table_of(node, where);
    Cell c;
    c.name = name;
    const toml::node& list = *required(section, "technologies", where + ".technologies");
    if (list.as_array() == nullptr || list.as_array()->empty())
      fail(list, where + ".technologies", "must be a list of names of device technologies");
    for (const toml::node& n : *list.as_array()) {
      const std::string technology = text(n, where + ".technologies");
      if (t->cell_of(technology) != nullptr ||
          std::find(c.technologies.begin(), c.technologies.end(), technology) != c.technologies.end())
        fail(n, where + ".technologies", "'" + technology + "' is named already");
      c.technologies.push_back(technology);
    }
    c.devices = static_cast<uint32_t>(whole(section, "devices", where + ".devices", 1, 64));
    numbers(t, section, where, cell_fields(), {"technologies", "devices"});
    return c;
  }

  DigitalTable::Block block(const std::string& name, const toml::node& node) const {
    const std::string where = "block." + name;
    const toml::table& s = table_of(node, where);
    known_only(s, where + ".",
               {"per", "clock", "area_um2", "gates", "flops", "leakage_w", "clock_j_per_cycle", "events"});
    const auto number = [&](const char* key) {
      return in_range(*required(s, key, where + "." + key), where + "." + key, 0, kMost);
    };
    DigitalTable::Block b;
    b.name = name;
    const toml::node& per = *required(s, "per", where + ".per");
    const std::string p = text(per, where + ".per");
    using Per = DigitalTable::Per;
    if (p != "tile" && p != "router" && p != "chip")
      fail(per, where + ".per", "'" + p + "' is wrong; there are tile, router, chip");
    b.per = p == "tile" ? Per::kTile : p == "router" ? Per::kRouter : Per::kChip;
    b.clock = b.per == Per::kTile ? DigitalTable::Clock::kActive : DigitalTable::Clock::kAlways;
    if (const toml::node* n = s.get("clock"); n != nullptr) {
      const std::string c = text(*n, where + ".clock");
      if (c != "active" && c != "always") fail(*n, where + ".clock", "'" + c + "' is wrong; there are active, always");
      if (c == "active" && b.per == Per::kChip)
        fail(*n, where + ".clock", "a block of the chip has no tile whose activity it could follow; give always");
      b.clock = c == "active" ? DigitalTable::Clock::kActive : DigitalTable::Clock::kAlways;
    }
    b.area_um2 = number("area_um2");
    b.leakage_w = number("leakage_w");
    b.clock_j_per_cycle = number("clock_j_per_cycle");
    b.gates = static_cast<uint64_t>(whole(s, "gates", where + ".gates", 0, kMost));
    b.flops = static_cast<uint64_t>(whole(s, "flops", where + ".flops", 0, kMost));
    if (const toml::node* list = s.get("events"); list != nullptr) {
      const std::string field = where + ".events";
      if (list->as_array() == nullptr) fail(*list, field, "must be sections [[" + field + "]]");
      for (const toml::node& e : *list->as_array()) b.events.push_back(event(e, field));
    }
    return b;
  }

  DigitalTable::Event event(const toml::node& node, const std::string& field) const {
    const toml::table& e = table_of(node, field);
    known_only(e, field + ".", {"counter", "joule"});
    const toml::node& n = *required(e, "counter", field + ".counter");
    const std::string name = text(n, field + ".counter");
    DigitalTable::Event out = {isa::kNumCounters,
                               in_range(*required(e, "joule", field + ".joule"), field + ".joule", 0, 1)};
    if (name == kFlitHops) return out;
    std::string all;
    for (const isa::CounterInfo& c : isa::kCounters) {
      std::string upper;
      for (const char* p = c.name; *p != '\0'; ++p) upper += static_cast<char>(std::toupper(*p));
      if (c.exact) all += upper + ", ";
      if (name != upper) continue;
      if (!c.exact)
        fail(n, field + ".counter", name + " is no event; give cycles as clock_j_per_cycle, clock = \"active\"");
      out.counter = c.index;
      return out;
    }
    fail(n, field + ".counter", "'" + name + "' is no counter; there are " + all + kFlitHops);
  }

  ScalingTable::Node scaling_node(const toml::table& s) const {
    known_only(s, "node.", {"nm", "voltage_v", "area", "energy"});
    const auto number = [&](const char* key, double least, double most) {
      return in_range(*required(s, key, std::string("node.") + key), std::string("node.") + key, least, most);
    };
    ScalingTable::Node n = {number("nm", 1, 1000), number("voltage_v", 0.1, 10), number("area", 1e-9, 1e9), {}};
    const toml::node& e = *required(s, "energy", "node.energy");
    if (e.as_array() == nullptr || e.as_array()->size() != 3)
      fail(e, "node.energy", "must be three coefficients [a, b, c] of a V^2 + b V + c");
    for (size_t i = 0; i < 3; ++i) n.energy[i] = in_range(*e.as_array()->get(i), "node.energy", -kMost, kMost);
    if (!(n.energy_at_voltage() > 0)) fail(e, "node.energy", "is not above 0 at node.voltage_v");
    return n;
  }

  const toml::table& table_;
  std::map<std::string, std::string> sources_;
};

/// What one path holds.
struct Found {
  std::optional<AnalogTable> analog;
  std::optional<MemoryTable> memory;
  std::optional<ScalingTable> scaling;
  std::vector<DigitalTable> digital;
};

template <class T>
void take(std::optional<T>* place, T&& table, const char* kind) {
  if (place->has_value())
    throw CostError(table.file + ": kind: a second " + kind + " table beside " + (*place)->file +
                    "; keep one in a folder");
  *place = std::move(table);
}

void read(const std::string& file, const std::string& text, Found* found) {
  toml::table table;
  try {
    table = toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    throw CostError(file + ":" + std::to_string(e.source().begin.line) + ": not TOML: " + std::string(e.description()));
  }
  File f(table, file);
  const std::string kind = f.kind();
  if (kind == "analog") {
    take(&found->analog, f.analog(), "analog");
  } else if (kind == "memory") {
    take(&found->memory, f.memory(), "memory");
  } else if (kind == "scaling") {
    take(&found->scaling, f.scaling(), "scaling");
  } else if (kind == "digital") {
    DigitalTable d = f.digital();
    for (const DigitalTable& o : found->digital)
      if (o.fits_tiles_of(d.geometry, d.sram_banks) && o.geometry.mesh_x == d.geometry.mesh_x &&
          o.geometry.mesh_y == d.geometry.mesh_y)
        throw CostError(file + ": geometry: the same as in " + o.file + "; keep one in a folder");
    found->digital.push_back(std::move(d));
  } else {
    f.fail_kind(kind);
  }
}

void replace(Tables* t, bool* has, Found&& found) {
  if (found.analog) t->analog = std::move(*found.analog), has[0] = true;
  if (found.memory) t->memory = std::move(*found.memory), has[1] = true;
  if (found.scaling) t->scaling = std::move(*found.scaling), has[2] = true;
  if (!found.digital.empty()) t->digital = std::move(found.digital);
}

void require_all(const bool* has, const std::string& where) {
  for (const auto& [kind, there] : {std::pair{"analog", has[0]}, {"memory", has[1]}, {"scaling", has[2]}})
    if (!there) throw CostError(where + ": no table of kind " + kind + "; add one (constraints/costs has them)");
}

std::string file_text(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) throw CostError(path + ": cannot read the cost table: " + std::strerror(errno));
  return text;
}

std::vector<std::string> files_of(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw CostError(path + ": no such file or folder; name cost tables");
  if (!fs::is_directory(status)) return {path};
  std::vector<std::string> files;
  for (const auto& e : fs::directory_iterator(path, error))
    if (e.path().extension() == ".toml" && !e.is_directory()) files.push_back(e.path().string());
  if (error) throw CostError(path + ": cannot read the folder: " + error.message());
  if (files.empty()) throw CostError(path + ": no cost table (*.toml) in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

double NumberTable::value(std::string_view field) const {
  for (const Number& n : numbers)
    if (n.field == field) return n.value;
  throw std::out_of_range("cost table: no field " + std::string(field));
}

Rule NumberTable::rule(std::string_view section) const {
  for (const auto& [of, r] : rules)
    if (of == section) return r;
  throw std::out_of_range("cost table: no section " + std::string(section));
}

const Cell* AnalogTable::cell_of(std::string_view technology) const {
  for (const Cell& c : cells)
    for (const std::string& t : c.technologies)
      if (t == technology) return &c;
  return nullptr;
}

MemoryCost MemoryTable::memory(const std::string& section, double bits, double words) const {
  const auto v = [&](const std::string& field) { return value(section + "." + field); };
  const auto shape = [&](const std::string& what) {
    return v(what + "_cell") * (words * bits) + v(what + "_bit") * bits + v(what + "_bit2") * (bits * bits);
  };
  MemoryCost m;
  m.area_um2 = shape("area");
  m.access_ns = v("access_base") + v("access_log2_word") * std::log2(words) + v("access_bit") * bits;
  m.setup_ns = v("setup_share") * m.access_ns;
  m.hold_ns = v("hold_share") * m.access_ns;
  m.read_pj = shape("read");
  m.write_pj = shape("write");
  m.leakage_uw = v("leakage_cell") * (words * bits) + v("leakage_bit") * bits;
  return m;
}

MemoryCost MemoryTable::sram(uint32_t width, uint32_t depth) const { return memory("sram", width / 8 * 9, depth); }
MemoryCost MemoryTable::regfile(uint32_t width, uint32_t depth) const { return memory("regfile", width, depth); }

bool DigitalTable::fits_tiles_of(const Geometry& g, uint32_t banks) const {
  return geometry.rows == g.rows && geometry.cols == g.cols && geometry.lanes == g.lanes &&
         geometry.sram_bytes == g.sram_bytes && sram_banks == banks;
}

bool DigitalTable::has(std::string_view block) const {
  for (const Block& b : blocks)
    if (b.name == block) return true;
  return false;
}

const ScalingTable::Node& ScalingTable::node(double nm) const {
  std::string all;
  for (const Node& n : nodes) {
    if (n.nm == nm) return n;
    all += (all.empty() ? "" : ", ") + shortest(n.nm);
  }
  throw CostError(file + ": no factors for " + shortest(nm) + " nm; there are " + all);
}

const DigitalTable* Tables::digital_for(const Geometry& g, uint32_t banks) const {
  const DigitalTable* found = nullptr;
  for (const DigitalTable& d : digital) {
    if (!d.fits_tiles_of(g, banks)) continue;
    if (d.geometry.mesh_x == g.mesh_x && d.geometry.mesh_y == g.mesh_y) return &d;
    found = &d;
  }
  return found;
}

Tables load_tables(const std::vector<std::string>& paths) {
  Tables t;
  bool has[3] = {};
  for (const std::string& path : paths) {
    Found found;
    for (const std::string& file : files_of(path)) read(file, file_text(file), &found);
    replace(&t, has, std::move(found));
  }
  require_all(has, paths.empty() ? "cost tables" : paths.front());
  return t;
}

Tables parse_tables(const std::vector<std::pair<std::string, std::string>>& names_and_texts) {
  Tables t;
  bool has[3] = {};
  Found found;
  for (const auto& [file, text] : names_and_texts) read(file, text, &found);
  replace(&t, has, std::move(found));
  require_all(has, "cost tables");
  return t;
}

}  // namespace ohmac::cost
