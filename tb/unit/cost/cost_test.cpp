// SPDX-License-Identifier: Apache-2.0
// Cost tables and estimates against hand calculations from fixtures of round numbers.
#include "models/cost/table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <initializer_list>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "models/cost/estimate.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cost {
namespace {

constexpr double kPico = 1e-12;

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}
std::string fixture(const std::string& name) { return text_of(std::string(OHMAC_FIXTURES) + "/" + name); }
const std::string kCosts = OHMAC_COSTS_DIR;

/// The fixtures by kind, of which one may be changed.
std::map<std::string, std::string> fixtures() {
  return {{"analog.toml", fixture("analog_fixture.toml")},
          {"digital.toml", fixture("digital_fixture.toml")},
          {"memory.toml", fixture("memory_fixture.toml")},
          {"scaling.toml", text_of(kCosts + "/scaling.toml")}};
}
Tables parse(const std::map<std::string, std::string>& files) { return parse_tables({files.begin(), files.end()}); }
std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), with);
}

Chip tiny() {
  Chip c;
  c.geometry = tiny_geometry();
  c.sram_banks = 4;
  c.technology = "pcm_generic";
  return c;
}

Activity some_activity() {
  Activity a;
  a.events.assign(isa::kNumCounters, 0);
  const auto set = [&](isa::Counter c, uint64_t n) { a.events[static_cast<size_t>(c)] = n; };
  set(isa::Counter::kTrials, 800);
  set(isa::Counter::kConversions, 100);
  set(isa::Counter::kRowWords, 30);
  set(isa::Counter::kDrives, 10);
  set(isa::Counter::kSramRd, 40);
  set(isa::Counter::kSramWr, 20);
  set(isa::Counter::kInstr, 500);
  set(isa::Counter::kActive, 1500);
  a.cycles = 1000;  // 4 us
  a.flit_hops = 60;
  a.array_j = 1000 * kPico;
  return a;
}

const Figure& block(const Sum& s, const std::string& name) {
  for (const Figure& f : s.blocks)
    if (f.block == name) return f;
  ADD_FAILURE() << "no block " << name;
  static const Figure kNone;
  return kNone;
}

void expect_blocks(const Sum& s, double unit, const std::map<std::string, double>& want) {
  EXPECT_EQ(s.blocks.size(), want.size());
  double total = 0;
  for (const auto& [name, value] : want) {
    const Figure& f = block(s, name);
    ASSERT_TRUE(f.value) << name << ": " << f.reason;
    EXPECT_NEAR(*f.value, value * unit, 1e-9 * value * unit) << name;
    total += value * unit;
  }
  ASSERT_TRUE(s.total) << (s.reasons.empty() ? "" : s.reasons.front());
  EXPECT_NEAR(*s.total, total, 1e-9 * total);
}

// --- Estimates.

TEST(CostEstimate, EnergyOfEveryBlock) {
  // Memory: 128 words of 288 bits, 36864 cells: 65.664 pJ a read, 131.328 pJ a write, 3.9744 uW.
  expect_blocks(energy_j(parse(fixtures()), tiny(), some_activity()), kPico,
                {{"adc", 800 * 2.0 + 100 * 1.0},
                 {"dac", 4 * 30 * 5.0},
                 {"array", 1000},
                 {"integrator", 10 * 32 * 0.5},
                 {"sample_hold", 10 * 32 * 0.25},
                 {"column_mux", 100 * 0.125},
                 {"analog_static", 2 * (8 * 3.0 + 7.0) * 4},  // uW us
                 {"sram", 40 * 65.664 + 20 * 131.328},
                 {"sram_leakage", 2 * 4 * 3.9744 * 4},
                 {"sequencer", 500 * 2.0 + 40 * 1.0},
                 {"router", 60 * 3.0},
                 {"dma", 0},
                 {"clock", 1500 * 1.0 + 2 * 1000 * 2.0 + 1000 * 4.0},
                 {"leakage", (2 * 1.0 + 2 * 0.5 + 2.0) * 4}});
}

TEST(CostEstimate, PulsesPayForSetAndResetAndTheLossesOfTheSupply) {
  Activity a = some_activity();
  a.set_pulses = 3;
  a.reset_pulses = 2;
  const Sum s = energy_j(parse(fixtures()), tiny(), a);
  EXPECT_NEAR(*block(s, "pulses").value, (3 * 4.0 + 2 * 6.0) / 0.5 * kPico, 1e-20);
  EXPECT_EQ(block(s, "pulses").node_nm, 0) << "device energy is of no node, so it mixes with any";
  EXPECT_TRUE(s.total);
}

TEST(CostEstimate, OnlyWhatFollowsCyclesChangesWithThem) {
  const Tables t = parse(fixtures());
  Activity a = some_activity(), longer = a;
  longer.cycles = 3000;
  longer.events[static_cast<size_t>(isa::Counter::kActive)] = 4500;
  const Sum s = energy_j(t, tiny(), a), l = energy_j(t, tiny(), longer);
  for (const Figure& f : s.blocks) {
    const double factor = f.follows == Follows::kEvents ? 1 : 3;
    EXPECT_DOUBLE_EQ(*block(l, f.block).value, *f.value * factor) << f.block;
  }
  EXPECT_EQ(*s.part(Follows::kEvents), *l.part(Follows::kEvents)) << "the same bits";
  EXPECT_DOUBLE_EQ(*l.part(Follows::kCycles), 3 * *s.part(Follows::kCycles));
  EXPECT_NEAR(*s.part(Follows::kEvents) + *s.part(Follows::kCycles), *s.total, 1e-9 * *s.total);
}

TEST(CostEstimate, AreaOfEveryBlock) {
  // Two tiles; array of 33 rows of 32 columns and 8 spares, 2 devices of 10 F^2 of 0.18 um.
  expect_blocks(area_mm2(parse(fixtures()), tiny()), 1e-6,
                {{"adc", 2 * 8 * 100.0},
                 {"dac", 2 * 33 * 10.0},
                 {"array", 2 * 33 * 40 * 2 * 10 * 0.0324},
                 {"integrator", 2 * 32 * 20.0},
                 {"sample_hold", 2 * 32 * 4.0},
                 {"column_mux", 2 * 32 * 2.0},
                 {"reference", 2 * 50.0},
                 {"programming", 2 * (32 * 6.0 + 32 * 8.0)},
                 {"sram", 2 * 4 * (36864 + 2 * 288 + 0.01 * 288 * 288)},
                 {"sequencer", 2 * 1000.0},
                 {"router", 2 * 500.0},
                 {"dma", 2000.0}});
}

TEST(CostEstimate, ASramAmongTheDigitalBlocksTakesThePlaceOfTheMemoryTable) {
  auto files = fixtures();
  files["digital.toml"] = replaced(files["digital.toml"], "[block.sequencer]", "[block.sram]");
  for (size_t at; (at = files["digital.toml"].find("block.sequencer")) != std::string::npos;)
    files["digital.toml"].replace(at, 15, "block.sram");
  const Tables t = parse(files);
  const Sum e = energy_j(t, tiny(), some_activity()), a = area_mm2(t, tiny());
  EXPECT_NEAR(*block(e, "sram").value, 1040 * kPico, 1e-20);
  EXPECT_NEAR(*block(a, "sram").value, 2000e-6, 1e-12);
  for (const Figure& f : e.blocks) EXPECT_NE(f.block, "sram_leakage");
}

TEST(CostEstimate, ArrayEnergyIsConductanceTimesVoltageSquaredTimesTime) {
  // Full code three times, 0.2 V, 100 uS, 148 ns: 3 * 1e-4 * 0.04 * 148e-9. The second row: half the voltage once.
  ArrayActivity a;
  a.row_square = {3 * 127 * 127, 0, 0};
  a.row_sum = {3 * 127, 0, 0};
  EXPECT_NEAR(array_energy_j(a, {100, 50, 7}, DacMode::kVoltage, 148), 1.776e-12, 1e-20);
  // PWM: full voltage for |x| ns.
  EXPECT_NEAR(array_energy_j(a, {100, 50, 7}, DacMode::kPwm, 148), 1e-4 * 0.04 * 381e-9, 1e-20);
  a.row_square[1] = 64 * 64;
  EXPECT_NEAR(array_energy_j(a, {0, 127 * 127, 0}, DacMode::kVoltage, 1), 64 * 64 * 0.04 * 1e-15, 1e-22);
}

TEST(CostEstimate, PeakThroughputIsEveryCellOnceAnMvm) {
  Chip c;
  c.geometry = reference_geometry();
  // 16 tiles * 65536 cells * 2 in 8 blocks of 8 + 2 cycles of 4 ns
  EXPECT_NEAR(peak_tops(c), 6.5536, 1e-9);
  c.adc_bits = 4;
  EXPECT_NEAR(peak_tops(c), 6.5536 * 10 / 6, 1e-9);
}

// --- No totals without a reason.

TEST(CostEstimate, NoDigitalTableForTheTilesMeansNoTotal) {
  Chip c = tiny();
  c.geometry.lanes = 16;
  const Sum e = energy_j(parse(fixtures()), c, some_activity()), a = area_mm2(parse(fixtures()), c);
  for (const Sum* s : {&e, &a}) {
    EXPECT_FALSE(s->total);
    ASSERT_EQ(s->reasons.size(), 1u);
    EXPECT_NE(s->reasons[0].find("no digital cost table for tiles of 32 x 32 cells, 16 lanes"), std::string::npos);
    EXPECT_NE(s->reasons[0].find("make synth"), std::string::npos);
    EXPECT_TRUE(block(*s, "adc").value);
  }
  c = tiny();
  c.sram_banks = 8;
  EXPECT_FALSE(area_mm2(parse(fixtures()), c).total);
}

TEST(CostEstimate, AnotherMeshScalesInstancesButNotBlocksOfTheChip) {
  Chip c = tiny();
  c.geometry.mesh_x = 4;
  c.geometry.mesh_y = 4;
  const Sum a = area_mm2(parse(fixtures()), c), e = energy_j(parse(fixtures()), c, some_activity());
  EXPECT_NEAR(*block(a, "sequencer").value, 16 * 1000e-6, 1e-12);
  EXPECT_NEAR(*block(a, "router").value, 16 * 500e-6, 1e-12);
  EXPECT_FALSE(block(a, "dma").value);
  EXPECT_FALSE(a.total);
  EXPECT_NE(a.reasons.at(0).find("mesh of 2 x 1 tiles, this chip has 4 x 4"), std::string::npos) << a.reasons[0];
  EXPECT_FALSE(block(e, "dma").value);
  EXPECT_FALSE(block(e, "clock").value);
  EXPECT_FALSE(block(e, "leakage").value);
  EXPECT_TRUE(block(e, "sequencer").value);
}

TEST(CostEstimate, AnotherClockMeansNoDigitalFigures) {
  Chip c = tiny();
  c.clock_ns = 5;
  const Sum s = energy_j(parse(fixtures()), c, some_activity());
  EXPECT_FALSE(s.total);
  EXPECT_NE(s.reasons.at(0).find("made for 250 MHz, this chip runs at 200 MHz"), std::string::npos) << s.reasons[0];
}

TEST(CostEstimate, UnknownDevicesHaveNeitherAreaNorPulses) {
  Chip c = tiny();
  c.technology = "mine";
  Activity a = some_activity();
  EXPECT_TRUE(energy_j(parse(fixtures()), c, a).total) << "reading needs no table of devices";
  a.set_pulses = 1;
  const Sum e = energy_j(parse(fixtures()), c, a), area = area_mm2(parse(fixtures()), c);
  EXPECT_FALSE(e.total);
  EXPECT_FALSE(area.total);
  EXPECT_NE(area.reasons.at(0).find("technology mine"), std::string::npos);
}

// --- Nodes.

TEST(CostNodes, MixedNodesHaveNoTotal) {
  auto files = fixtures();
  for (const char* f : {"memory.toml"})
    for (size_t at; (at = files[f].find("node_nm = 180")) != std::string::npos;)
      files[f].replace(at, 13, "node_nm = 32");
  const Sum s = energy_j(parse(files), tiny(), some_activity());
  EXPECT_FALSE(s.total);
  ASSERT_EQ(s.reasons.size(), 1u);
  EXPECT_NE(s.reasons[0].find("32 nm: sram sram_leakage; 180 nm: adc"), std::string::npos) << s.reasons[0];
  EXPECT_FALSE(s.part(Follows::kEvents));
  EXPECT_EQ(block(s, "sram").node_nm, 32);
  EXPECT_TRUE(block(s, "sram").value) << "a block always has its own figure";
}

TEST(CostNodes, RulesOfTheScalingTable) {
  const ScalingTable t = parse(fixtures()).scaling;
  // Stillmaker and Baas: 24.64 * 1.8 - 17.98 = 26.372 at 180 nm; 0.8367 * 0.81 - 0.4341 * 0.9 + 0.1701 = 0.457137
  // at 32.
  const Factors d = *scale(t, Rule::kDigital, 180, 32);
  EXPECT_NEAR(d.energy, 0.457137 / 26.372, 1e-9);
  EXPECT_NEAR(d.area, 1 / 40.0, 1e-9) << "their table: 180 nm is 40 times 32 nm";
  // (32 / 180)^1.88 = exp(-1.72722 * 1.88); area exp(-1.72722 * 0.9933 - 3.24717 * 0.2991)
  const Factors a = *scale(t, Rule::kAdc, 180, 32);
  EXPECT_NEAR(a.energy, 0.038884, 2e-6);
  EXPECT_NEAR(a.area, 0.068098, 5e-6);
  const Factors v = *scale(t, Rule::kVoltage, 180, 32);
  EXPECT_NEAR(v.energy, 0.25, 1e-12);
  EXPECT_EQ(v.area, 1);
  EXPECT_FALSE(scale(t, Rule::kNone, 180, 32));
  EXPECT_EQ(scale(t, Rule::kNone, 180, 180)->energy, 1);
  EXPECT_THROW(scale(t, Rule::kDigital, 180, 28), CostError);
}

TEST(CostNodes, EveryBlockGoesToTheNodeByItsOwnRule) {
  auto files = fixtures();
  files["analog.toml"] = replaced(files["analog.toml"], "scaling = \"none\"", "scaling = \"voltage\"");
  const Tables t = parse(files);
  const Sum s = energy_j(t, tiny(), some_activity(), 32);
  const double digital = 0.457137 / 26.372;
  EXPECT_NEAR(*block(s, "dac").value, 600 * 0.25 * kPico, 1e-20);
  EXPECT_NEAR(*block(s, "sequencer").value, 1040 * digital * kPico, 1e-18);
  EXPECT_NEAR(*block(s, "clock").value, 9500 * digital * kPico, 1e-17);
  EXPECT_NEAR(*block(s, "leakage").value, 20 * kPico, 1e-20) << "no rule: as in the table";
  EXPECT_NEAR(*block(s, "array").value, 1000 * kPico, 1e-20) << "of the devices";
  EXPECT_TRUE(s.total);
  const Sum a = area_mm2(t, tiny(), 32);
  EXPECT_NEAR(*block(a, "array").value, 2 * 33 * 40 * 2 * 10 * 0.001024e-6, 1e-15) << "squares of 32 nm";
  EXPECT_NEAR(*block(a, "sequencer").value, 2000e-6 / 40, 1e-12);
  for (const Figure& f : a.blocks) EXPECT_EQ(f.node_nm, 32) << f.block;
}

TEST(CostNodes, WithoutARuleThereIsNoFigure) {
  const Sum s = energy_j(parse(fixtures()), tiny(), some_activity(), 32);  // the integrator of the fixture has none
  EXPECT_FALSE(block(s, "integrator").value);
  EXPECT_EQ(s.reasons, std::vector<std::string>{"integrator: no rule takes it from 180 nm to 32 nm"});
  EXPECT_THROW(energy_j(parse(fixtures()), tiny(), some_activity(), 28), CostError);
}

// --- Tables.

TEST(CostTables, ShippedOnesLoadAndHaveASourceForEveryNumber) {
  const Tables t = load_tables({kCosts});
  EXPECT_EQ(t.analog.node_nm, 180);
  EXPECT_EQ(t.memory.node_nm, 180);
  for (const NumberTable* n :
       {static_cast<const NumberTable*>(&t.analog), static_cast<const NumberTable*>(&t.memory)}) {
    for (const Number& v : n->numbers) {
      EXPECT_GT(v.source.size(), 10u) << v.field;
      EXPECT_EQ(v.assumed, !v.reason.empty()) << v.field;
    }
  }
  for (const std::string& name : technology_names()) EXPECT_NE(t.analog.cell_of(name), nullptr) << name;
  const Tables isaac = load_tables({kCosts, kCosts + "/isaac_32nm"});
  EXPECT_EQ(isaac.analog.node_nm, 32);
  EXPECT_EQ(isaac.memory.node_nm, 32);
  EXPECT_EQ(isaac.scaling.nodes.size(), 11u);
  // ISAAC: 16 mW of eight ADCs of 1.2 GS/s
  EXPECT_NEAR(8 * isaac.analog.value("adc.energy_trial"), 16e-3 / 8 / 1.2e9 * 1e12, 0.001);
}

TEST(CostTables, MemoriesAsThePythonReaderHasThem) {
  // constraints/flow/costs_test.py: the same hand calculations.
  const MemoryTable m = load_tables({kCosts}).memory;
  const MemoryCost s = m.sram(256, 256), r = m.regfile(24, 32);
  EXPECT_NEAR(s.area_um2, 453206.016 + 17887.68 + 158920.704, 0.01);
  EXPECT_NEAR(s.access_ns, 0.007586 + 8 * 0.2512 + 288 * 0.0006648, 1e-6);
  EXPECT_NEAR(s.setup_ns, 0.149 * 2.2086484, 1e-6);
  EXPECT_NEAR(s.hold_ns, 0.117 * 2.2086484, 1e-6);
  EXPECT_NEAR(s.read_pj, 29.6091648 + 72.72 + 61.4449152, 1e-5);
  EXPECT_NEAR(s.write_pj, 188.301312 + 68.2272 + 78.3323136, 1e-5);
  EXPECT_NEAR(s.leakage_uw, 74.686464 + 1.055808, 1e-5);
  EXPECT_NEAR(r.area_um2, 14.01 * 768 + 349.4 * 24, 1e-3);
  EXPECT_NEAR(r.access_ns, 0.561 + 5 * 0.1633, 1e-6);
}

TEST(CostTables, LaterPathsTakeThePlaceOfEarlierOnes) {
  const Tables t = load_tables({kCosts, std::string(OHMAC_FIXTURES) + "/memory_fixture.toml"});
  EXPECT_EQ(t.memory.name, "memory_fixture");
  EXPECT_EQ(t.analog.name, "analog_180nm");
}

TEST(CostTables, ADigitalTableOfTheSameMeshIsTakenBeforeOthers) {
  auto files = fixtures();
  files["digital_4x4.toml"] =
      replaced(replaced(files["digital.toml"], "mesh_x = 2", "mesh_x = 4"), "mesh_y = 1", "mesh_y = 4");
  const Tables t = parse(files);
  Geometry g = tiny_geometry();
  EXPECT_EQ(t.digital_for(g, 4)->file, "digital.toml");
  g.mesh_x = g.mesh_y = 4;
  EXPECT_EQ(t.digital_for(g, 4)->file, "digital_4x4.toml");
  EXPECT_EQ(t.digital_for(reference_geometry(), 8), nullptr);
}

void expect_refused(const std::string& file, const std::string& old, const std::string& with,
                    std::initializer_list<const char*> words) {
  auto files = fixtures();
  files[file] = replaced(files[file], old, with);
  try {
    parse(files);
    ADD_FAILURE() << "taken: " << with;
  } catch (const CostError& e) {
    for (const char* w : words) EXPECT_NE(std::string(e.what()).find(w), std::string::npos) << w << " in: " << e.what();
  }
}

TEST(CostTables, ErrorsNameFileLineFieldAndRemedy) {
  const char *a = "analog.toml", *d = "digital.toml", *m = "memory.toml", *s = "scaling.toml";
  expect_refused(a, "kind = ", "kind : ", {"analog.toml:2: not TOML"});
  expect_refused(a, "\"analog\"", "\"analogue\"", {"analog.toml:2: kind: 'analogue' is unknown", "analog, memory"});
  expect_refused(a, "kind = \"analog\"\n", "", {"analog.toml", "kind: is missing"});
  expect_refused(a, "title = \"for tests\"", "title = 3", {"analog.toml:4: title", "text"});
  expect_refused(a, "[reference]", "[references]", {"references: unknown", "reference"});
  expect_refused(a, "energy_trial = { value = 2.0, unit = \"pJ\"", "energy_trial = { value = 2.0, unit = \"nJ\"",
                 {"analog.toml:13: adc.energy_trial: the unit is 'nJ'; give it in 'pJ'"});
  expect_refused(a, "energy_trial = { value = 2.0", "energy_trial = { value = -2.0", {":13: adc.energy_trial: -2"});
  expect_refused(a, "energy_trial = { value = 2.0", "energy_trial = { value = nan", {"adc.energy_trial"});
  expect_refused(a, "energy_trial = { value = 2.0", "energy_trial = { value = \"2\"", {"must be a number"});
  expect_refused(a, "energy_trial = { value = 2.0, unit = \"pJ\", node_nm = 180, source = \"none\" }",
                 "energy_trial = 2.0", {":13: adc.energy_trial: must be a table { value, unit, node_nm, source }"});
  expect_refused(a, "energy_trial", "energy_trail", {"adc.energy_trail: unknown", "energy_trial"});
  expect_refused(a, "node_nm = 180, source = \"none\" }", "source = \"none\" }",
                 {"adc.energy_trial.node_nm: is missing"});
  expect_refused(a, "node_nm = 180, source = \"none\" }", "node_nm = 90, source = \"none\" }",
                 {"is of 90 nm in a table of 180 nm", "assumed = true"});
  expect_refused(a, "node_nm = 180, source = \"none\" }", "node_nm = 180, source = \"nobody\" }",
                 {"'nobody' is not in [sources]"});
  expect_refused(a, "node_nm = 180, source = \"none\" }", "node_nm = 180, source = \"none\", assumed = true }",
                 {"adc.energy_trial.reason: is missing"});
  expect_refused(a, "node_nm = 180, source = \"none\" }", "node_nm = 180, source = \"none\", reason = \"x\" }",
                 {"add assumed = true"});
  expect_refused(a, "scaling = \"adc\"", "scaling = \"moore\"", {":12: adc.scaling: 'moore' is no rule", "voltage"});
  expect_refused(a, "value = 0.5, unit = \"1\"", "value = 1.5, unit = \"1\"", {"programming.efficiency", "0.001 to 1"});
  expect_refused(a, "[\"pcm_generic\", \"ideal\"]", "\"pcm_generic\"", {"cell.pcm.technologies", "list"});
  expect_refused(a, "[\"pcm_generic\", \"ideal\"]", "[\"ideal\", \"ideal\"]", {"'ideal' is named already"});
  expect_refused(a, "devices = 2", "devices = 1.5", {"cell.pcm.devices: 1.5 is no whole number"});
  expect_refused(m, "[regfile]", "[registers]", {"memory.toml", "registers: unknown", "regfile"});
  expect_refused(d, "per = \"tile\"", "per = \"bank\"",
                 {"block.sequencer.per: 'bank' is wrong; there are tile, router"});
  expect_refused(d, "\"INSTR\"", "\"INSTRUCTIONS\"", {"'INSTRUCTIONS' is no counter; there are INSTR", "FLIT_HOPS"});
  expect_refused(d, "\"INSTR\"", "\"ACTIVE\"", {"ACTIVE is no event", "clock_j_per_cycle"});
  expect_refused(d, "joule = 2e-12", "joule = -2e-12", {"block.sequencer.events.joule"});
  expect_refused(d, "gates = 10\n", "", {"block.sequencer.gates: is missing"});
  expect_refused(d, "per = \"chip\"", "per = \"chip\"\nclock = \"active\"", {"block.dma.clock", "always"});
  expect_refused(d, "sram_banks = 4\n", "", {"geometry.sram_banks: is missing"});
  expect_refused(d, "leakage_w = 1e-6", "leakage_mw = 1e-6", {"block.sequencer.leakage_mw: unknown"});
  expect_refused(s, "energy = [0.0, 24.64, -17.98]", "energy = [0.0, 24.64]", {"node.energy", "three coefficients"});
  expect_refused(s, "energy = [0.0, 24.64, -17.98]", "energy = [0.0, 0.0, -17.98]", {"not above 0"});
  expect_refused(s, "nm = 130", "nm = 230", {"node.nm", "large to small"});
}

TEST(CostTables, TheDigitalExampleOfTheReadmeIsOne) {
  const std::string readme = text_of(kCosts + "/README.md");
  const size_t begin = readme.find("    library ="), end = readme.find("\n\n", begin);
  ASSERT_NE(begin, std::string::npos);
  auto files = fixtures();
  files["digital.toml"] = readme.substr(begin, end - begin);
  const Tables t = parse(files);
  const DigitalTable* d = t.digital_for(reference_geometry(), 8);
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->blocks.at(0).name, "sequencer");
  EXPECT_EQ(d->blocks.at(0).clock, DigitalTable::Clock::kActive);
  EXPECT_EQ(d->blocks.at(0).events.size(), 1u);
}

TEST(CostTables, OneOfAKindInAFolderAndNoneMissing) {
  auto files = fixtures();
  files["analog2.toml"] = files["analog.toml"];
  EXPECT_THROW(parse(files), CostError);
  files = fixtures();
  files["digital2.toml"] = files["digital.toml"];
  EXPECT_THROW(parse(files), CostError);
  files = fixtures();
  files.erase("scaling.toml");
  EXPECT_THROW(parse(files), CostError);
  EXPECT_THROW(load_tables({"nosuch"}), CostError);
  EXPECT_THROW(load_tables({kCosts + "/../flow"}), CostError) << "a folder without tables";
}

}  // namespace
}  // namespace ohmac::cost
