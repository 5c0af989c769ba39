// SPDX-License-Identifier: Apache-2.0
// Energy, area and throughput of a chip from cost tables and what was counted. README.md says which event pays for
// what.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/cost/table.h"
#include "models/macro/macro.h"

namespace ohmac::cost {

/// The chip whose cost is asked.
struct Chip {
  Geometry geometry;
  uint32_t sram_banks = 8;  ///< of a tile
  std::string technology;   ///< name of the devices' preset
  double clock_ns = 4.0;
  uint32_t adc_bits = 8;  ///< of a conversion, for the peak throughput
};

/// What a chip did in some time.
struct Activity {
  std::vector<uint64_t> events;  ///< [isa::kNumCounters] counters summed over tiles
  uint64_t cycles = 0;           ///< of the chip
  uint64_t flit_hops = 0;        ///< flits times routers that they pass
  double array_j = 0;            ///< array_energy_j() of every tile
  uint64_t set_pulses = 0, reset_pulses = 0;
};

/// What the energy of a block is proportional to.
enum class Follows : uint8_t {
  kEvents,  ///< counted events: the same bits at every fidelity
  kCycles,  ///< cycles, which fidelity fast predicts
};

/// One block. No value: `reason` says why.
struct Figure {
  std::string block;
  std::optional<double> value;
  double node_nm = 0;  ///< 0: of the device models, which have no node
  Follows follows = Follows::kEvents;
  std::string reason;
};

/// Blocks and their sum. The sum has a value if every block has one and all are of one node.
struct Sum {
  std::vector<Figure> blocks;
  std::optional<double> total;
  std::vector<std::string> reasons;  ///< why there is no total
  /// Sum of the blocks that follow one or the other, if all of them have a value of one node.
  std::optional<double> part(Follows f) const;
};

/// Joules of an activity. @param to_node_nm scales every block to this node; 0: every block at its own.
/// Throws CostError if the scaling table does not know a node.
Sum energy_j(const Tables& tables, const Chip& chip, const Activity& activity, double to_node_nm = 0);
/// Square millimetres of the chip.
Sum area_mm2(const Tables& tables, const Chip& chip, double to_node_nm = 0);

/// Joules that flow through the array of one tile while its rows are driven: sum over rows of G V^2 t, with the
/// conductance and inputs that really were there.
/// @param row_conductances_us Macro::row_conductances_us(), [rows + 1]
/// @param drive_ns length of a drive; in PWM mode a row conducts |x| ns of it
double array_energy_j(const ArrayActivity& activity, const std::vector<double>& row_conductances_us, DacMode dac,
                      double drive_ns);

/// Highest voltage of a row, volts: models/macro/README.md.
inline constexpr double kReadVolts = 0.2;
/// Cycles of a drive with the reset values of TIMING (settle 4, integrate 32, sample 1), which no program changes.
inline constexpr uint32_t kDriveCycles = 4 + 32 + 1;

/// Operations (a multiplication and an addition are two) of an MVM with every cell of every tile over the time of one,
/// 10^12 a second: Mux conversions of bits + 2 cycles.
double peak_tops(const Chip& chip);

/// Factor of a block from one node to another, of its energy and of its area. nullopt: the rule has none.
struct Factors {
  double energy, area;
};
std::optional<Factors> scale(const ScalingTable& table, Rule rule, double from_nm, double to_nm);
/// The rules in words, with their sources.
std::string scaling_rule(const ScalingTable& table);

}  // namespace ohmac::cost
