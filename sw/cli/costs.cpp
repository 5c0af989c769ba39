// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/costs.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "models/device/technology.h"

namespace ohmac::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Banks of the SRAM of a tile: no capability register tells; models/systemc/CMakeLists.txt builds the chips.
uint32_t sram_banks(const Geometry& g) { return g == tiny_geometry() ? 4 : 8; }

cost::Chip chip_of(const RunOptions& o) {
  cost::Chip c;
  c.geometry = o.geometry;
  c.sram_banks = sram_banks(o.geometry);
  c.technology = o.technology->name;
  c.clock_ns = MacroConfig{}.clock_ns;
  c.adc_bits = o.adc_bits;
  return c;
}

Json number_or_null(const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); }

Json blocks(const cost::Sum& sum, const char* unit, bool with_follows) {
  Json by_block = Json::object();
  for (const cost::Figure& f : sum.blocks) {
    Json& b = by_block[f.block];
    b[unit] = number_or_null(f.value);
    b["node_nm"] = f.node_nm != 0 ? Json(f.node_nm) : Json(nullptr);
    if (with_follows) b["follows"] = f.follows == cost::Follows::kEvents ? "events" : "cycles";
    if (!f.value) b["reason"] = f.reason;
  }
  return by_block;
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

Json table_list(const cost::Tables& t, const cost::DigitalTable* digital) {
  Json list = Json::array();
  for (const cost::NumberTable* n :
       {static_cast<const cost::NumberTable*>(&t.analog), static_cast<const cost::NumberTable*>(&t.memory)})
    list.push_back({{"name", n->name}, {"file", file_name(n->file)}, {"node_nm", n->node_nm}});
  if (digital != nullptr) {
    list.push_back({{"name", digital->library},
                    {"file", file_name(digital->file)},
                    {"node_nm", digital->node_nm},
                    {"source", digital->source}});
  }
  return list;
}

/// A number with a unit prefix, as "12.3 n".
std::string engineering(double v) {
  if (v == 0) return "0 ";
  constexpr const char* kPrefixes[] = {"f", "p", "n", "u", "m", ""};
  double unit = 1e-15;
  size_t p = 0;
  for (; p < 5 && v >= 1000 * unit; ++p) unit *= 1000;
  return fmt::format("{:.3g} {}", v / unit, kPrefixes[p]);
}

void print_blocks(const Json& sum, const char* key, double divide, const char* unit) {
  for (const auto& [name, b] : sum.at("by_block").items()) {
    const std::string value = b.at(key).is_null() ? "unknown" : engineering(b.at(key).get<double>() / divide) + unit;
    const std::string node = !b.at("node_nm").is_null() ? fmt::format("{} nm", b.at("node_nm").get<double>())
                             : b.at(key).is_null()      ? ""
                                                        : "devices";
    fmt::print("  {:<16} {:>12}  {:<8} {}\n", name, value, node, b.at("follows").get<std::string>());
  }
  for (const auto& reason : sum.at("reasons")) fmt::print("  no total: {}\n", reason.get<std::string>());
}

void print_number(const cost::Number& n) {
  fmt::print("  {:<26} {:g} {}, {:g} nm{}\n  {:<26}   source: {}\n", n.field, n.value, n.unit, n.node_nm,
             n.assumed ? ", assumed: " + n.reason : "", "", n.source);
}

}  // namespace

std::shared_ptr<const cost::Tables> load_costs(const std::vector<std::string>& paths) {
  const char* env = std::getenv("OHMAC_COSTS");
  std::vector<std::string> all = {env != nullptr ? env : OHMAC_COSTS_DIR};
  all.insert(all.end(), paths.begin(), paths.end());
  return std::make_shared<const cost::Tables>(cost::load_tables(all));
}

Json cost_record(const RunOptions& o, const compiler::Compiled& compiled, const CostInputs& in) {
  const cost::Tables& t = *o.costs;
  const cost::Chip chip = chip_of(o);
  const auto images = static_cast<double>(in.images);
  uint64_t weights = 0;
  for (const compiler::QuantLayer& l : compiled.layers) weights += uint64_t{l.k} * l.n;
  const double operations = 2.0 * static_cast<double>(weights);
  const double seconds = static_cast<double>(in.inference.cycles) * chip.clock_ns * 1e-9;

  Json j;
  j["costs"] = {{"tables", table_list(t, t.digital_for(chip.geometry, chip.sram_banks))},
                {"node_nm", o.cost_node_nm != 0 ? Json(o.cost_node_nm) : Json(nullptr)},
                {"clock_mhz", 1e3 / chip.clock_ns}};
  if (o.cost_node_nm != 0) j["costs"]["scaling_rule"] = cost::scaling_rule(t.scaling);

  const cost::Sum energy = cost::energy_j(t, chip, in.inference, o.cost_node_nm);
  std::optional<double> per_inference;
  if (energy.total) per_inference = *energy.total / images;
  j["energy_j"] = {{"total", number_or_null(energy.total)},
                   {"per_inference", number_or_null(per_inference)},
                   {"of_events", number_or_null(energy.part(cost::Follows::kEvents))},
                   {"of_cycles", number_or_null(energy.part(cost::Follows::kCycles))},
                   {"by_block", blocks(energy, "joule", true)},
                   {"reasons", energy.reasons}};
  const cost::Sum bring_up = cost::energy_j(t, chip, in.bring_up, o.cost_node_nm);
  j["programming_energy_j"] = {{"total", number_or_null(bring_up.total)},
                               {"set_pulses", in.bring_up.set_pulses},
                               {"reset_pulses", in.bring_up.reset_pulses},
                               {"by_block", blocks(bring_up, "joule", true)},
                               {"reasons", bring_up.reasons}};
  const cost::Sum area = cost::area_mm2(t, chip, o.cost_node_nm);
  j["area_mm2"] = {
      {"total", number_or_null(area.total)}, {"by_block", blocks(area, "mm2", false)}, {"reasons", area.reasons}};
  j["operations_per_inference"] = 2 * weights;
  j["tops"] = operations * images / seconds * 1e-12;
  j["tops_peak"] = cost::peak_tops(chip);
  j["tops_per_watt"] = per_inference ? Json(operations / *per_inference * 1e-12) : Json(nullptr);
  return j;
}

void print_costs(const Json& r, bool by_block) {
  const Json &energy = r.at("energy_j"), &area = r.at("area_mm2");
  const auto text = [](const Json& v, const char* unit) {
    return v.is_null() ? "unknown" : engineering(v.get<double>()) + unit;
  };
  const auto plain = [](const Json& v, const char* unit) {
    return v.is_null() ? "unknown" : fmt::format("{:.3g}{}", v.get<double>(), unit);
  };
  fmt::print("cost       energy of an inference {}, of the bring-up {}; area {}; {} TOPS of at most {}; TOPS/W {}{}\n",
             text(energy.at("per_inference"), "J"), text(r.at("programming_energy_j").at("total"), "J"),
             plain(area.at("total"), " mm2"), plain(r.at("tops"), ""), plain(r.at("tops_peak"), ""),
             plain(r.at("tops_per_watt"), ""), by_block || energy.at("reasons").empty() ? "" : " (--energy says why)");
  if (!by_block) return;
  const double images = r.at("images").get<double>();
  fmt::print("energy of an inference\n");
  print_blocks(energy, "joule", images, "J");
  fmt::print("energy of the bring-up\n");
  print_blocks(r.at("programming_energy_j"), "joule", 1, "J");
  fmt::print("area, mm2\n");
  for (const auto& [name, b] : area.at("by_block").items()) {
    const std::string node = b.at("node_nm").is_null() ? "" : fmt::format("{} nm", b.at("node_nm").get<double>());
    fmt::print("  {:<16} {:>12}  {}\n", name, plain(b.at("mm2"), ""), node);
  }
  for (const auto& reason : area.at("reasons")) fmt::print("  no total: {}\n", reason.get<std::string>());
}

void print_cost_tables(const cost::Tables& t) {
  for (const cost::NumberTable* n :
       {static_cast<const cost::NumberTable*>(&t.analog), static_cast<const cost::NumberTable*>(&t.memory)}) {
    fmt::print("{} ({}): {}; {:g} V\n", n->name, file_name(n->file), n->title, n->voltage_v);
    for (const cost::Number& v : n->numbers) print_number(v);
  }
  for (const cost::DigitalTable& d : t.digital) {
    const Geometry& g = d.geometry;
    fmt::print(
        "{} ({}): {} x {} tiles, {} x {} cells, {} lanes, {} bytes of SRAM in {} banks; {:g} nm, {:g} V, {:g} MHz\n",
        d.library, file_name(d.file), g.mesh_x, g.mesh_y, g.rows, g.cols, g.lanes, g.sram_bytes, d.sram_banks,
        d.node_nm, d.voltage_v, d.clock_mhz);
    for (const cost::DigitalTable::Block& b : d.blocks) {
      fmt::print("  {:<26} {:g} um2, {} gates, {} flops, leakage {}W, clock {}J a cycle\n", b.name, b.area_um2, b.gates,
                 b.flops, engineering(b.leakage_w), engineering(b.clock_j_per_cycle));
    }
    fmt::print("  {:<26}   source: {}\n", "", d.source);
  }
  fmt::print("{} ({}): {}\n", t.scaling.name, file_name(t.scaling.file), t.scaling.title);
  for (const cost::ScalingTable::Node& n : t.scaling.nodes) {
    fmt::print("  {:<26} {:g} V, area {:g}, energy {:.4g}\n", fmt::format("{:g} nm", n.nm), n.voltage_v, n.area,
               n.energy_at_voltage());
  }
  fmt::print("  rules: {}\n", cost::scaling_rule(t.scaling));
}

}  // namespace ohmac::cli
