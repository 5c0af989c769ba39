// SPDX-License-Identifier: Apache-2.0
// Cost tables: what a conversion, a driven row, an SRAM access, a gate costs. Files and their formats:
// constraints/costs/README.md.
#pragma once
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/macro/geometry.h"

namespace ohmac::cost {

/// A table that cannot be taken: what() names file, line, field and remedy.
struct CostError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One number of a table with where it comes from.
struct Number {
  std::string field;  ///< as "adc.energy_trial"
  double value = 0;
  std::string unit;
  double node_nm = 0;
  std::string source;
  bool assumed = false;
  std::string reason;  ///< why, if assumed
};

/// How a block follows to another node (scaling.h).
enum class Rule : uint8_t { kNone, kDigital, kAdc, kVoltage };

/// A table of numbers in sections: analog blocks, memories.
struct NumberTable {
  std::string file, name, title;
  double node_nm = 0, voltage_v = 0;
  std::vector<Number> numbers;
  std::vector<std::pair<std::string, Rule>> rules;  ///< of the sections of an analog table

  /// Value of a field as "adc.energy_trial", in the unit of the format. Throws std::out_of_range.
  double value(std::string_view field) const;
  Rule rule(std::string_view section) const;
};

/// Devices of one kind: section [cell.NAME] of an analog table, numbers under "cell.NAME.".
struct Cell {
  std::string name;
  std::vector<std::string> technologies;  ///< names of device presets that it stands for
  uint32_t devices = 2;                   ///< in a differential cell
};

struct AnalogTable : NumberTable {
  std::vector<Cell> cells;
  /// The kind of devices of a technology; null: none.
  const Cell* cell_of(std::string_view technology) const;
};

/// One memory of a memory table.
struct MemoryCost {
  double area_um2 = 0, access_ns = 0, setup_ns = 0, hold_ns = 0, read_pj = 0, write_pj = 0, leakage_uw = 0;
};
struct MemoryTable : NumberTable {
  /// @param width data bits of a word, a multiple of 8: every byte has a parity bit besides
  MemoryCost sram(uint32_t width, uint32_t depth) const;
  MemoryCost regfile(uint32_t width, uint32_t depth) const;

 private:
  MemoryCost memory(const std::string& section, double bits, double words) const;
};

/// What events of a digital block may name besides the counters of a tile: flits times the routers that they pass.
inline constexpr const char* kFlitHops = "FLIT_HOPS";

/// What synthesis says of the digital blocks, for one geometry.
struct DigitalTable {
  enum class Per : uint8_t { kTile, kRouter, kChip };
  enum class Clock : uint8_t { kAlways, kActive };  ///< when it runs: always, or while its tile is active
  struct Event {
    uint32_t counter = 0;  ///< index of a counter of the tile; isa::kNumCounters: FLIT_HOPS
    double joule = 0;
  };
  struct Block {
    std::string name;
    Per per = Per::kTile;
    Clock clock = Clock::kAlways;
    double area_um2 = 0, leakage_w = 0, clock_j_per_cycle = 0;  ///< of one instance
    uint64_t gates = 0, flops = 0;
    std::vector<Event> events;
  };
  std::string file, library, source;
  double node_nm = 0, voltage_v = 0, clock_mhz = 0;
  Geometry geometry;  ///< spares are not part of it
  uint32_t sram_banks = 0;
  std::vector<Block> blocks;

  /// Made for tiles like those of `g`; its mesh may differ.
  bool fits_tiles_of(const Geometry& g, uint32_t banks) const;
  bool has(std::string_view block) const;
};

/// Factors between nodes.
struct ScalingTable {
  struct Node {
    double nm, voltage_v;
    double area;       ///< relative to the first node
    double energy[3];  ///< a V^2 + b V + c, V the supply
    double energy_at_voltage() const { return (energy[0] * voltage_v + energy[1]) * voltage_v + energy[2]; }
  };
  std::string file, name, title, source;
  std::vector<Node> nodes;
  double adc_energy_exponent = 0, adc_area_exponent = 0, adc_area_energy_exponent = 0;
  std::string adc_source;
  /// Throws CostError naming the nodes there are.
  const Node& node(double nm) const;
};

struct Tables {
  AnalogTable analog;
  MemoryTable memory;
  ScalingTable scaling;
  std::vector<DigitalTable> digital;
  /// The digital table for tiles like those of `g`: one of the same mesh before others. Null: none.
  const DigitalTable* digital_for(const Geometry& g, uint32_t banks) const;
};

/// Reads files and folders (their *.toml), in this order: a table takes the place of one of its kind from an earlier
/// path. Throws CostError, also if a path holds two of a kind (but digital ones, of which it must not hold two for the
/// same geometry) or a kind other than digital is missing in the end.
Tables load_tables(const std::vector<std::string>& paths);

/// The same for texts, as of one folder. Names are for messages.
Tables parse_tables(const std::vector<std::pair<std::string, std::string>>& names_and_texts);

}  // namespace ohmac::cost
