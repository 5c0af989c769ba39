// SPDX-License-Identifier: Apache-2.0
#include "models/cost/estimate.h"

#include <cmath>
#include <set>

#include "models/device/toml_check.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cost {
namespace {

constexpr double kPico = 1e-12, kMicro = 1e-6, kNano = 1e-9, kMm2PerUm2 = 1e-6;

double count_of(const Activity& a, isa::Counter c) { return static_cast<double>(a.events.at(static_cast<size_t>(c))); }

std::string nm(double node) { return shortest(node) + " nm"; }

/// Collects blocks, takes them to another node on the way.
class Builder {
 public:
  Builder(const Tables& tables, double to_node, bool area) : tables_(tables), to_node_(to_node), area_(area) {
    if (to_node != 0) tables.scaling.node(to_node);  // throws
  }

  void add(const std::string& block, double value, double node, Rule rule, Follows follows = Follows::kEvents) {
    Figure f = {block, value, node, follows, {}};
    if (to_node_ != 0 && node != 0) {
      f.node_nm = to_node_;
      const auto factors = scale(tables_.scaling, rule, node, to_node_);
      if (factors) {
        *f.value *= area_ ? factors->area : factors->energy;
      } else if (value != 0) {
        f.value.reset();
        f.reason = "no rule takes it from " + nm(node) + " to " + nm(to_node_);
      }
    }
    sum_.blocks.push_back(f);
  }
  /// A block that costs the same at any node.
  void keep(const std::string& block, double value, double node, Follows follows) {
    sum_.blocks.push_back({block, value, to_node_ != 0 ? to_node_ : node, follows, {}});
  }
  void missing(const std::string& block, double node, const std::string& reason, Follows follows = Follows::kEvents) {
    sum_.blocks.push_back({block, std::nullopt, to_node_ != 0 && node != 0 ? to_node_ : node, follows, reason});
  }

  Sum finish() {
    double total = 0;
    std::set<double> nodes;
    for (const Figure& f : sum_.blocks) {
      if (!f.value) sum_.reasons.push_back(f.block + ": " + f.reason);
      if (f.node_nm != 0) nodes.insert(f.node_nm);
      total += f.value.value_or(0);
    }
    if (nodes.size() > 1) {
      std::string all;
      for (double n : nodes) {
        all += (all.empty() ? "" : "; ") + nm(n) + ":";
        for (const Figure& f : sum_.blocks)
          if (f.node_nm == n) all += " " + f.block;
      }
      sum_.reasons.push_back("blocks of different nodes (" + all + "); scale them to one with --cost-node");
    }
    if (sum_.reasons.empty()) sum_.total = total;
    return std::move(sum_);
  }

 private:
  const Tables& tables_;
  double to_node_;
  bool area_;
  Sum sum_;
};

std::string shape(const Chip& chip) {
  const Geometry& g = chip.geometry;
  return "tiles of " + std::to_string(g.rows) + " x " + std::to_string(g.cols) + " cells, " + std::to_string(g.lanes) +
         " lanes, " + std::to_string(g.sram_bytes) + " bytes of SRAM in " + std::to_string(chip.sram_banks) + " banks";
}

/// Instances of a block on this chip; 0: the table does not say what one would cost here.
double instances(const DigitalTable& d, const DigitalTable::Block& b, const Geometry& g) {
  if (b.per != DigitalTable::Per::kChip) return g.tiles();
  return d.geometry.mesh_x == g.mesh_x && d.geometry.mesh_y == g.mesh_y ? 1 : 0;
}

std::string other_mesh(const DigitalTable& d, const Geometry& g) {
  const auto mesh = [](const Geometry& m) { return std::to_string(m.mesh_x) + " x " + std::to_string(m.mesh_y); };
  return "synthesised for a mesh of " + mesh(d.geometry) + " tiles, this chip has " + mesh(g) +
         "; make it again: " + d.source;
}

/// The digital table to use, or why there is none.
const DigitalTable* digital_table(const Tables& t, const Chip& chip, std::string* reason) {
  const DigitalTable* d = t.digital_for(chip.geometry, chip.sram_banks);
  if (d == nullptr) {
    *reason = "no digital cost table for " + shape(chip) + "; make one: make synth && make power";
    return nullptr;
  }
  const double mhz = 1e3 / chip.clock_ns;
  if (std::abs(d->clock_mhz - mhz) > 1e-6 * mhz) {
    *reason = d->file + ": made for " + shortest(d->clock_mhz) + " MHz, this chip runs at " + shortest(mhz) +
              " MHz; make it again: " + d->source;
    return nullptr;
  }
  return d;
}

/// The banks of a tile: lines of 32 bytes.
MemoryCost sram_bank(const Tables& t, const Chip& chip) {
  constexpr uint32_t kLineBytes = 32;
  return t.memory.sram(8 * kLineBytes, chip.geometry.sram_bytes / kLineBytes / chip.sram_banks);
}

std::string unknown_devices(const Tables& t, const Chip& chip) {
  return t.analog.file + ": no [cell.*] names the technology " + chip.technology + "; add it to `technologies` of one";
}

void digital_energy(Builder* out, const Tables& t, const Chip& chip, const Activity& a, double seconds) {
  std::string reason;
  const DigitalTable* d = digital_table(t, chip, &reason);
  if (d == nullptr) return out->missing("digital", 0, reason);
  double clock = 0, leakage = 0;
  std::string chip_blocks;
  for (const DigitalTable::Block& b : d->blocks) {
    double joule = 0;
    for (const DigitalTable::Event& e : b.events)
      joule += e.joule * static_cast<double>(e.counter == isa::kNumCounters ? a.flit_hops : a.events.at(e.counter));
    const double n = instances(*d, b, chip.geometry);
    if (n == 0) {
      out->missing(b.name, d->node_nm, other_mesh(*d, chip.geometry));
      chip_blocks += " " + b.name;
      continue;
    }
    out->add(b.name, joule, d->node_nm, Rule::kDigital);
    const double running = b.clock == DigitalTable::Clock::kActive ? count_of(a, isa::Counter::kActive)
                                                                   : n * static_cast<double>(a.cycles);
    clock += b.clock_j_per_cycle * running;
    leakage += n * b.leakage_w * seconds;
  }
  if (!chip_blocks.empty()) {
    out->missing("clock", d->node_nm, "unknown of" + chip_blocks, Follows::kCycles);
    out->missing("leakage", d->node_nm, "unknown of" + chip_blocks, Follows::kCycles);
    return;
  }
  out->add("clock", clock, d->node_nm, Rule::kDigital, Follows::kCycles);
  out->keep("leakage", leakage, d->node_nm, Follows::kCycles);
}

/// Whether the SRAM is not among the digital blocks.
bool sram_apart(const Tables& t, const Chip& chip) {
  std::string reason;
  const DigitalTable* d = digital_table(t, chip, &reason);
  return d == nullptr || !d->has("sram");
}

}  // namespace

std::optional<double> Sum::part(Follows f) const {
  double sum = 0, node = 0;
  for (const Figure& b : blocks) {
    if (b.follows != f) continue;
    if (!b.value || (b.node_nm != 0 && node != 0 && b.node_nm != node)) return std::nullopt;
    if (b.node_nm != 0) node = b.node_nm;
    sum += *b.value;
  }
  return sum;
}

Sum energy_j(const Tables& t, const Chip& chip, const Activity& a, double to_node_nm) {
  Builder out(t, to_node_nm, false);
  const AnalogTable& n = t.analog;
  const double node = n.node_nm, cols = chip.geometry.cols, tiles = chip.geometry.tiles();
  const double seconds = static_cast<double>(a.cycles) * chip.clock_ns * kNano;
  const double drives = count_of(a, isa::Counter::kDrives), conversions = count_of(a, isa::Counter::kConversions);
  const auto analog = [&](const char* section, double pico) { out.add(section, pico * kPico, node, n.rule(section)); };

  analog("adc", count_of(a, isa::Counter::kTrials) * n.value("adc.energy_trial") +
                    conversions * n.value("adc.energy_conversion"));
  analog("dac", 4 * count_of(a, isa::Counter::kRowWords) * n.value("dac.energy_row"));
  out.add("array", a.array_j, 0, Rule::kNone);
  analog("integrator", drives * cols * n.value("integrator.energy_drive"));
  analog("sample_hold", drives * cols * n.value("sample_hold.energy_sample"));
  analog("column_mux", conversions * n.value("column_mux.energy_conversion"));
  if (a.set_pulses + a.reset_pulses != 0) {
    const Cell* cell = n.cell_of(chip.technology);
    if (cell == nullptr) {
      out.missing("pulses", 0, unknown_devices(t, chip));
    } else {
      const std::string of = "cell." + cell->name;
      const double pico = static_cast<double>(a.set_pulses) * n.value(of + ".set_pulse") +
                          static_cast<double>(a.reset_pulses) * n.value(of + ".reset_pulse");
      out.add("pulses", pico * kPico / n.value("programming.efficiency"), 0, Rule::kNone);
    }
  }
  out.keep("analog_static",
           tiles * (chip.geometry.lanes * n.value("adc.static_power") + n.value("reference.static_power")) * kMicro *
               seconds,
           node, Follows::kCycles);
  if (sram_apart(t, chip)) {
    const MemoryCost bank = sram_bank(t, chip);
    const double pico =
        count_of(a, isa::Counter::kSramRd) * bank.read_pj + count_of(a, isa::Counter::kSramWr) * bank.write_pj;
    out.add("sram", pico * kPico, t.memory.node_nm, Rule::kDigital);
    out.keep("sram_leakage", tiles * chip.sram_banks * bank.leakage_uw * kMicro * seconds, t.memory.node_nm,
             Follows::kCycles);
  }
  digital_energy(&out, t, chip, a, seconds);
  return out.finish();
}

Sum area_mm2(const Tables& t, const Chip& chip, double to_node_nm) {
  Builder out(t, to_node_nm, true);
  const AnalogTable& n = t.analog;
  const Geometry& g = chip.geometry;
  const double tiles = g.tiles(), rows = g.rows, cols = g.cols;
  const auto analog = [&](const char* section, double um2) {
    out.add(section, tiles * um2 * kMm2PerUm2, n.node_nm, n.rule(section));
  };
  analog("adc", g.lanes * n.value("adc.area"));
  analog("dac", (rows + 1) * n.value("dac.area"));  // the reference row has one, too
  if (const Cell* cell = n.cell_of(chip.technology); cell != nullptr) {
    // The area is in squares of the node: it is simply that of the node asked for.
    const double feature_um = (to_node_nm != 0 ? to_node_nm : n.node_nm) * 1e-3;
    const double device_um2 = n.value("cell." + cell->name + ".area_device") * feature_um * feature_um;
    out.keep("array", tiles * (rows + 1) * (cols + g.spares) * cell->devices * device_um2 * kMm2PerUm2, n.node_nm,
             Follows::kEvents);
  } else {
    out.missing("array", n.node_nm, unknown_devices(t, chip));
  }
  analog("integrator", cols * n.value("integrator.area"));
  analog("sample_hold", cols * n.value("sample_hold.area"));
  analog("column_mux", cols * n.value("column_mux.area"));
  analog("reference", n.value("reference.area"));
  analog("programming", cols * n.value("programming.area_column") + rows * n.value("programming.area_row"));
  if (sram_apart(t, chip))
    out.add("sram", tiles * chip.sram_banks * sram_bank(t, chip).area_um2 * kMm2PerUm2, t.memory.node_nm,
            Rule::kDigital);
  std::string reason;
  const DigitalTable* d = digital_table(t, chip, &reason);
  if (d == nullptr) {
    out.missing("digital", 0, reason);
    return out.finish();
  }
  for (const DigitalTable::Block& b : d->blocks) {
    const double count = instances(*d, b, g);
    if (count == 0)
      out.missing(b.name, d->node_nm, other_mesh(*d, g));
    else
      out.add(b.name, count * b.area_um2 * kMm2PerUm2, d->node_nm, Rule::kDigital);
  }
  return out.finish();
}

double array_energy_j(const ArrayActivity& a, const std::vector<double>& row_conductances_us, DacMode dac,
                      double drive_ns) {
  double joule = 0;
  for (size_t r = 0; r < row_conductances_us.size(); ++r) {
    const double siemens = 1e-6 * row_conductances_us[r];
    if (dac == DacMode::kVoltage) {
      const double volts2 = static_cast<double>(a.row_square.at(r)) * (kReadVolts / 127) * (kReadVolts / 127);
      joule += siemens * volts2 * drive_ns * kNano;
    } else {
      joule += siemens * kReadVolts * kReadVolts * static_cast<double>(a.row_sum.at(r)) * kNano;
    }
  }
  return joule;
}

double peak_tops(const Chip& chip) {
  const Geometry& g = chip.geometry;
  const double operations = 2.0 * g.tiles() * g.rows * g.cols;
  return operations / (g.mux() * (chip.adc_bits + 2) * chip.clock_ns * kNano) * kPico;
}

std::optional<Factors> scale(const ScalingTable& table, Rule rule, double from_nm, double to_nm) {
  if (from_nm == to_nm) return Factors{1, 1};
  const ScalingTable::Node &from = table.node(from_nm), &to = table.node(to_nm);
  switch (rule) {
    case Rule::kDigital: return Factors{to.energy_at_voltage() / from.energy_at_voltage(), to.area / from.area};
    case Rule::kAdc: {
      const double ratio = to_nm / from_nm, energy = std::pow(ratio, table.adc_energy_exponent);
      return Factors{energy,
                     std::pow(ratio, table.adc_area_exponent) * std::pow(energy, table.adc_area_energy_exponent)};
    }
    case Rule::kVoltage: {
      const double v = to.voltage_v / from.voltage_v;
      return Factors{v * v, 1};
    }
    case Rule::kNone: break;
  }
  return std::nullopt;
}

std::string scaling_rule(const ScalingTable& t) {
  return "digital blocks and memories: energy by the polynomials at nominal supplies, area by the ratios of: " +
         t.source + ". ADC: energy ~ node^" + shortest(t.adc_energy_exponent) + ", area ~ node^" +
         shortest(t.adc_area_exponent) + " energy^" + shortest(t.adc_area_energy_exponent) + ": " + t.adc_source +
         ". Other analog blocks: energy ~ V^2 with capacitors and areas as they are. Cells: area in squares of the "
         "node. "
         "Array and pulse energy are those of the devices; leakage and static power stay as in the tables.";
}

}  // namespace ohmac::cost
