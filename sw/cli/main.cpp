// SPDX-License-Identifier: Apache-2.0
// The `ohmac` command. Exit codes: 0 done, 1 a check failed (divergence), 2 wrong use or input, 3 the chip reported an
// error.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <tuple>

#include "models/macro/effects.h"
#include "models/systemc/chip_library.h"
#include "sw/cli/ablate.h"
#include "sw/cli/compare.h"
#include "sw/cli/costs.h"
#include "sw/cli/device.h"
#include "sw/cli/diff.h"
#include "sw/cli/files.h"
#include "sw/cli/life.h"
#include "sw/cli/mvm.h"
#include "sw/cli/run.h"
#include "sw/cli/xbar.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cli {
namespace {

/// Checks an option's text: digits only, least..most. CLI11's own check takes "-1" for a large number.
CLI::Validator whole(uint64_t least, uint64_t most) {
  const std::string allowed = most == std::numeric_limits<uint64_t>::max()
                                  ? fmt::format("a whole number from {}, below 2^64", least)
                                  : fmt::format("a whole number, {} to {}", least, most);
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        errno = 0;
        const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        const uint64_t v = digits ? std::strtoull(text.c_str(), nullptr, 10) : 0;
        if (digits && errno == 0 && v >= least && v <= most) {
          text = std::to_string(v);  // "010" is ten to people, eight to CLI11
          return {};
        }
        return fmt::format("'{}' is wrong; give {}", text, allowed);
      },
      "");
}
CLI::Validator any_whole() { return whole(0, std::numeric_limits<uint64_t>::max()); }
CLI::Validator count() { return whole(1, std::numeric_limits<uint32_t>::max()); }

/// A finite number, least..most; NaN is none.
CLI::Validator number(double least, double most) {
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        char* end = nullptr;
        const double v = std::strtod(text.c_str(), &end);
        if (!text.empty() && *end == '\0' && v >= least && v <= most) return {};
        return fmt::format("'{}' is wrong; give a number, {:g} to {:g}", text, least, most);
      },
      "");
}

/// A wire: 0, or a resistance in the bounds of the models.
CLI::Validator ohm() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        char* end = nullptr;
        const double v = std::strtod(text.c_str(), &end);
        if (!text.empty() && *end == '\0' && (v == 0 || (v >= kLeastOhm && v <= kMostOhm))) return {};
        return fmt::format("'{}' is wrong; give 0, or {:g} to {:g} ohm (above, the array would read nothing)", text,
                           kLeastOhm, kMostOhm);
      },
      "");
}

/// The four resistances of a network of wires.
std::vector<CLI::Option*> add_wires(CLI::App* app, WireOhms* w) {
  std::vector<CLI::Option*> all;
  for (const auto& [name, value, doc] : {std::tuple{"--row-ohm", &w->row, "row wire from device to device, ohm"},
                                         std::tuple{"--col-ohm", &w->col, "column wire from device to device, ohm"},
                                         std::tuple{"--driver-ohm", &w->driver, "driver of a row, ohm"},
                                         std::tuple{"--sense-ohm", &w->sense, "sense input of a column, ohm"}})
    all.push_back(app->add_option(name, *value, doc)->check(ohm())->capture_default_str());
  return all;
}

/// One --fault KIND=VALUE.
void add_fault(const std::string& text, const Geometry& g, FaultConfig* faults) {
  const size_t eq = text.find('=');
  const std::string kind = text.substr(0, eq);
  std::string value = eq == std::string::npos ? "" : text.substr(eq + 1);
  const auto checked = [&](const CLI::Validator& v) {
    const std::string wrong = v(value);
    if (!wrong.empty()) throw UsageError(fmt::format("--fault {}: {}", text, wrong));
  };
  if (kind == "stuck") {
    checked(number(0, 1));
    faults->stuck_fraction = std::strtod(value.c_str(), nullptr);
  } else if (kind == "open") {
    checked(whole(0, g.cols));
    faults->open_columns = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  } else if (kind == "open-devices") {
    checked(number(0, 1));
    faults->open_fraction = std::strtod(value.c_str(), nullptr);
  } else if (kind == "open-rows") {
    checked(whole(0, g.rows));
    faults->open_rows = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  } else if (kind == "dead") {
    checked(whole(0, g.lanes));
    faults->dead_lanes = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  } else {
    throw UsageError(
        fmt::format("--fault {}: no such fault; there are stuck=SHARE, open-devices=SHARE, open-rows=ROWS, "
                    "open=COLUMNS, dead=LANES",
                    text));
  }
}

/// One --effect NAME=on|off.
void set_effect(const std::string& e, EffectSet* effects) {
  const size_t eq = e.find('=');
  const std::string name = e.substr(0, eq), value = eq == std::string::npos ? "" : e.substr(eq + 1);
  Effect effect;
  if (!find_effect(name, &effect)) {
    std::string known;
    for (const EffectInfo& i : kEffects) known += std::string(known.empty() ? "" : ", ") + i.name;
    throw UsageError(fmt::format("--effect {}: no effect of that name; there are {}", e, known));
  }
  if (value != "on" && value != "off")
    throw UsageError(fmt::format("--effect {}: write {}=on or {}=off", e, name, name));
  effects->set(effect, value == "on");
}

/// Options that every verb which runs a chip shares.
struct CommonArgs {
  RunOptions run;
  std::string fidelity, geometry = "reference", json;
  std::string programming, technology = "pcm_generic", read_noise = "per-column", dac = "voltage";
  std::vector<std::string> effects, faults;
  std::vector<CLI::Option*> wires;
  std::vector<std::string> costs;
  bool ideal = false, with_costs = false;

  void add_costs(CLI::App* app) {
    with_costs = true;
    app->add_option("--costs", costs,
                    "cost tables, files or folders, that take the place of shipped ones (ohmac info --costs)");
    app->add_option("--cost-node", run.cost_node_nm, "scale costs to this node, nanometres (ohmac info --costs)")
        ->check(number(1, 1000));
  }

  /// `fidelities`: what --fidelity may be, the first if it is not given; none: no such option.
  void add(CLI::App* app, const std::vector<std::string>& fidelities) {
    app->add_option("--network", run.network, "shipped network (ohmac run --list) or ONNX file")->capture_default_str();
    if (!fidelities.empty()) {
      fidelity = fidelities.front();
      app->add_option("--fidelity", fidelity,
                      "fast: golden machine; rtl: Verilated RTL with the SystemC crossbar; netlist: rtl with tiles of "
                      "gates (make netlist)")
          ->check(CLI::IsMember(fidelities))
          ->capture_default_str();
    }
    app->add_option("--images", run.images, "test images")->check(count())->capture_default_str();
    app->add_option("--chip-seed", run.chip_seed, "fabrication and programming of the chip")
        ->check(any_whole())
        ->capture_default_str();
    app->add_option("--run-seed", run.run_seed, "read and comparator noise")->check(any_whole())->capture_default_str();
    app->add_option("--age-s", run.age_s, "seconds since programming")->check(number(0, 1e12))->capture_default_str();
    app->add_flag("--ideal", ideal, "switch every effect off");
    app->add_option("--effect", effects, "NAME=on|off, repeatable (ohmac info --effects)");
    wires = add_wires(app, &run.wires);
    app->add_option("--technology", technology,
                    "devices: a name (ohmac info --technologies) or a preset file PATH.toml")
        ->capture_default_str();
    app->add_option("--read-noise", read_noise, "per-column: exact in law; per-device: one draw a device, slow")
        ->check(CLI::IsMember({"per-column", "per-device"}))
        ->capture_default_str();
    app->add_option("--dac", dac, "rows: voltage: as high as the code; pwm: as long as the code, 1 ns a unit")
        ->check(CLI::IsMember({"voltage", "pwm"}))
        ->capture_default_str();
    app->add_option(
           "--programming", programming,
           "pulse: write-verify by the chip itself; formula: the published spread after it, drawn by the model "
           "(default: pulse, with --ideal formula)")
        ->check(CLI::IsMember({"pulse", "formula"}));
    app->add_option("--restore", run.restore,
                    "start with the devices of this snapshot instead of programming a fresh chip");
    app->add_flag("--self-test", run.self_test, "firmware tests lanes, columns and devices before it programs");
    app->add_flag("--repair", run.repair, "firmware puts spare columns in the place of bad ones (with --self-test)");
    app->add_option("--fault", faults,
                    "KIND=VALUE, repeatable, of every tile: stuck=SHARE of the devices, half low, half high, "
                    "open-devices=SHARE, open-rows=NUMBER, open=NUMBER of columns, dead=NUMBER of ADC lanes");
    app->add_flag("--lossless", run.lossless,
                  "1-bit inputs, two weight slices, groups of 8 rows: no code is rounded or clipped");
    app->add_option("--adc-bits", run.adc_bits, "ADC resolution")->check(whole(4, 8))->capture_default_str();
    app->add_option("--geometry", geometry, "reference: 16 tiles 256x256; tiny: 2 tiles 32x32")
        ->check(CLI::IsMember({"reference", "tiny"}))
        ->capture_default_str();
    app->add_option("--threads", run.threads, "processes that share the images")
        ->check(whole(1, 1024))
        ->capture_default_str();
    app->add_option("--test-images", run.images_path, "IDX file of images (default: shipped digits)");
    app->add_option("--test-labels", run.labels_path, "IDX file of labels");
    app->add_option("--calibration-images", run.calibration_path,
                    "IDX file of images that set scales and ADC ranges (default: shipped digits)");
  }

  RunOptions resolve() const {
    RunOptions o = run;
    o.fidelity = fidelity == "rtl" ? Fidelity::kRtl : fidelity == "netlist" ? Fidelity::kNetlist : Fidelity::kFast;
    o.geometry = geometry == "tiny" ? tiny_geometry() : reference_geometry();
    if (o.fidelity == Fidelity::kNetlist)
      check_readable(
          chip_library_path("netlist", o.geometry),
          "--fidelity netlist: `make netlist` maps the tile to gates and builds the chip of --geometry tiny");
    if (ideal) o.effects = EffectSet::none();
    o.programming =
        programming == "formula" || (programming.empty() && ideal) ? Programming::kFormula : Programming::kPulse;
    for (const std::string& f : faults) add_fault(f, o.geometry, &o.faults);
    if (!o.restore.empty()) {
      check_readable(o.restore, "--restore takes a snapshot written by ohmac run --save");
      if (!programming.empty() || o.self_test || o.repair) {
        throw UsageError(
            "--restore brings its devices and what firmware knows of them; leave out --programming, "
            "--self-test and --repair");
      }
    }
    o.technology = load_technology(technology);
    if (with_costs) {
      o.costs = load_costs(costs);
      if (o.cost_node_nm != 0) o.costs->scaling.node(o.cost_node_nm);  // throws
    }
    o.read_noise = read_noise == "per-device" ? ReadNoise::kDevice : ReadNoise::kColumn;
    o.dac = dac == "pwm" ? DacMode::kPwm : DacMode::kVoltage;
    if (o.repair && !o.self_test) throw UsageError("--repair: nothing is known to be bad; add --self-test");
    for (const std::string& e : effects) set_effect(e, &o.effects);
    if (o.effects.has(Effect::kWire) && o.read_noise == ReadNoise::kDevice)
      throw UsageError("--read-noise per-device: knows no wires; leave out --effect wire=on");
    for (const CLI::Option* w : wires)
      if (w->count() != 0 && !o.effects.has(Effect::kWire))
        throw UsageError(fmt::format("{}: the chip has no wires; add --effect wire=on", w->get_name()));
    if (o.technology->levels != 0 && o.effects.has(Effect::kLevels) && o.restore.empty() &&
        o.programming == Programming::kPulse) {
      throw UsageError(
          fmt::format("--technology {}: write-verify aims between its {} levels; use --programming formula, or "
                      "--effect levels=off",
                      o.technology->name, o.technology->levels));
    }
    return o;
  }
};

/// Options of `mvm`.
struct MvmArgs {
  MvmOptions options;
  std::string technology = "pcm_generic", dac = "voltage", age_s = "0", clock_ns = "4";
  std::vector<std::string> effects;
  std::vector<CLI::Option*> wires;
  bool ideal = false, raw = false;

  void add(CLI::App* app) {
    MvmOptions& o = options;
    app->add_option("--technology", technology, "a name (ohmac info --technologies) or a file PATH.toml")
        ->capture_default_str();
    app->add_option("--rows", o.rows, "rows that are driven")->check(whole(1, kMostMvmRows))->capture_default_str();
    app->add_option("--cols", o.cols, "columns that are read")->check(whole(1, kMostMvmCols))->capture_default_str();
    app->add_option("--vectors", o.vectors, "random input vectors")->check(whole(1, 1000000))->capture_default_str();
    app->add_option("--chips", o.chips, "macros, seeds counting up")->check(whole(1, 10000))->capture_default_str();
    app->add_option("--adc-bits", o.adc_bits, "ADC resolution")->check(whole(4, 8))->capture_default_str();
    app->add_option("--integrate-cycles", o.integrate_cycles, "clock cycles of integration")
        ->check(whole(1, 255))
        ->capture_default_str();
    app->add_option("--clock-ns", clock_ns, "clock period")->check(number(0.01, 1e6))->capture_default_str();
    app->add_option("--age-s", age_s, "seconds between calibration and the products")
        ->check(number(0, 1e10))
        ->capture_default_str();
    app->add_option("--dac", dac, "rows: voltage or pwm")
        ->check(CLI::IsMember({"voltage", "pwm"}))
        ->capture_default_str();
    app->add_flag("--raw", raw, "results as the lanes give them, not calibrated");
    app->add_flag("--ideal", ideal, "switch every effect off");
    app->add_option("--effect", effects, "NAME=on|off, repeatable (ohmac info --effects)");
    wires = add_wires(app, &o.wires);
    app->add_option("--chip-seed", o.chip_seed, "fabrication and programming")
        ->check(any_whole())
        ->capture_default_str();
    app->add_option("--run-seed", o.run_seed, "weights, inputs and noise")->check(any_whole())->capture_default_str();
    app->add_option("--threads", o.threads, "processes")->check(whole(1, 1024))->capture_default_str();
    app->add_option("--csv", o.csv,
                    "write effect, sigma alone, sigma of all but it, share alone, share of all but it; no header");
    app->add_option("--json", o.json, "write the table");
    app->add_option("--svg", o.svg, "folder for pictures: conductance, IR drop, error, linearity");
  }

  MvmOptions resolve() const {
    MvmOptions o = options;
    o.technology = load_technology(technology);
    o.dac = dac == "pwm" ? DacMode::kPwm : DacMode::kVoltage;
    o.age_s = std::strtod(age_s.c_str(), nullptr);
    o.clock_ns = std::strtod(clock_ns.c_str(), nullptr);
    o.calibrate = !raw;
    if (ideal) o.effects = EffectSet::none();
    for (const std::string& e : effects) set_effect(e, &o.effects);
    for (const CLI::Option* w : wires)
      if (w->count() != 0 && !o.effects.has(Effect::kWire) && o.svg.empty())
        throw UsageError(fmt::format("{}: the array has no wires; add --effect wire=on", w->get_name()));
    return o;
  }
};

void print_record(const RunRecord& r, bool energy) {
  fmt::print("{} at fidelity {}, {} images, chip seed {}, run seed {}, devices {}\n", r.network, r.fidelity, r.images,
             r.chip_seed, r.run_seed, r.technology);
  fmt::print("accuracy   float {:.2f} %, int8 {:.2f} %, int8_adc {:.2f} %, chip {:.2f} %\n", 100 * r.accuracy_float,
             100 * r.accuracy_int8, 100 * r.accuracy_int8_adc, 100 * r.accuracy_analog);
  fmt::print("cycles     {} in total{}, {:.1f} an inference, ADC bound {}, utilisation {:.1f} %\n", r.cycles_total,
             r.fidelity == "fast" ? " (predicted)" : "", r.cycles_per_inference(), r.adc_bound_per_inference,
             100 * r.adc_utilisation());
  fmt::print("events    ");
  for (const auto& [name, n] : r.events) fmt::print(" {} {}", name, n);
  const RunRecord::Programming& p = r.programming;
  fmt::print(
      "\nbring-up   {} cells on {} tiles by {}, {} drives, {} cycles; weights off by {:.2f} on average, sigma {:.2f} "
      "of 127\n",
      p.cells, p.tiles, p.mode, p.bringup_drives, p.bringup_cycles, p.weight_mean, p.weight_sigma);
  if (p.reads != 0) {
    fmt::print(
        "pulses     {} verify reads, {} pulses, {:.2f} a device, {} at most; {:.3f} % of the cells took their target\n",
        p.reads, p.pulses, p.pulses_per_device(), p.most_pulses, 100 * p.yield());
  }
  if (p.repaired_columns + p.bad_columns + p.weak_columns != 0) {
    fmt::print("columns    {} repaired by spares, {} left without a correction, {} with too many bad devices\n",
               p.repaired_columns, p.bad_columns, p.weak_columns);
  }
  print_costs(to_json(r), energy);
  fmt::print("outputs    sha256 {}\n", r.outputs_sha256);
  fmt::print("host       {:.2f} s for bring-up, {:.2f} s for the images, {:.3g} cycles/s\n", r.bringup_seconds,
             r.host_seconds, r.cycles_per_second());
}

/// Table of the constants of every technology built in.
void print_technologies() {
  for (const std::string& name : technology_names()) {
    const auto t = builtin_technology(name);
    fmt::print("{}: {}\n", name, t->title);
    for (const Constant& c : constants(*t)) {
      if (c.field == "name" || c.field == "title") continue;
      fmt::print("  {:<20} {} {}\n  {:<20}   source: {}\n", c.field, c.value, c.unit, "", c.source);
      if (!c.fitted.empty()) fmt::print("  {:<20}   fitted to: {}; no prediction of it\n", "", c.fitted);
    }
  }
}

int info(bool effects, bool technologies, const std::string& technology) {
  if (!technology.empty()) {
    fmt::print("{}", to_toml(*load_technology(technology)));
    return 0;
  }
  if (technologies) {
    print_technologies();
    return 0;
  }
  if (effects) {
    for (const EffectInfo& e : kEffects) fmt::print("{:<24} {}\n", e.name, e.doc);
    return 0;
  }
  fmt::print("ohmac, register map and instruction set version {}\n", isa::kVersion);
  for (const auto& [name, g] : {std::pair{"reference", reference_geometry()}, std::pair{"tiny", tiny_geometry()}}) {
    fmt::print("geometry {:<10} {} x {} tiles, {} x {} cells, {} lanes, {} bytes of SRAM a tile\n", name, g.mesh_x,
               g.mesh_y, g.rows, g.cols, g.lanes, g.sram_bytes);
  }
  fmt::print("networks: {}\n", fmt::join(shipped_networks(), ", "));
  fmt::print("technologies: {}\n", fmt::join(technology_names(), ", "));
  return 0;
}

int main_checked(int argc, char** argv) {
  CLI::App app{"ohmac: analog in-memory-compute accelerator, RTL and models in one command"};
  app.require_subcommand(1);

  CommonArgs run_args, compare_args, diff_args, compile_args, life_args;
  auto* run = app.add_subcommand("run", "classify test images on a simulated chip");
  run_args.add(run, {"fast", "rtl", "netlist"});
  run_args.add_costs(run);
  bool list = false, energy = false;
  run->add_flag("--energy", energy, "print energy and area of every block");
  run->add_flag("--list", list, "list the shipped networks");
  run->add_option("--json", run_args.json, "write the result record");
  bool with_ablation = false;
  uint32_t ablation_chips = 1;
  auto* ablation = run->add_flag("--ablate", with_ablation,
                                 "accuracy with every effect, each alone and all but each: what costs how much");
  run->add_option("--chips", ablation_chips, "chips of --ablate, seeds counting up")
      ->check(whole(1, 10000))
      ->needs(ablation)
      ->capture_default_str();
  run->add_option("--save", run_args.run.save, "write a snapshot of the chip when it is ready");
  run->add_option("--timeline", run_args.run.timeline,
                  "write a trace of who worked when, for Perfetto (up to 250 images)");
  run->add_option("--waves", run_args.run.waves, "write an FST of the chip (rtl, up to 250 images)");
  run->add_option("--stall-percent", run_args.run.stall_percent, "random back-pressure of the memory, percent (rtl)")
      ->check(whole(0, 95));
  run->add_option("--stall-seed", run_args.run.stall_seed, "seed of the back-pressure")->check(any_whole());

  run->add_option("--image", run_args.run.image_path, "program image to load (ohmac compile --out); default: compile");

  auto* cmp =
      app.add_subcommand("compare", "one table: references, fast and rtl (or netlist); fails if they differ in a bit");
  compare_args.run.images = 1000;
  compare_args.add(cmp, {"rtl", "netlist"});
  compare_args.add_costs(cmp);
  CompareOptions compare_options;
  auto* rtl_images = cmp->add_option("--rtl-images", compare_options.rtl_images,
                                     "images at fidelity rtl or netlist (default: 100, or --images if that is less)")
                         ->check(count());
  cmp->add_option("--chip-seeds", compare_options.chip_seeds, "chips of the accuracy statistics")
      ->check(whole(1, 100000))
      ->capture_default_str();
  cmp->add_option("--json", compare_args.json, "write the records");

  auto* lif =
      app.add_subcommand("life", "program, infer, age, infer, compensate drift, infer, refresh, infer; one table");
  life_args.run.images = 250;
  life_args.add(lif, {"fast", "rtl", "netlist"});
  std::vector<std::string> ages;
  lif->add_option("--at", ages, "ages in seconds (default: 1, 3600, 86400, 2592000)")->check(number(0, 1e10));
  lif->add_option("--json", life_args.json, "write the table");

  auto* dif = app.add_subcommand(
      "diff", "find the first divergence between rtl (or netlist) and fast (tile, drive, column, value)");
  diff_args.run.images = 2;
  diff_args.add(dif, {"rtl", "netlist"});
  std::optional<uint64_t> rtl_run_seed;
  dif->add_option("--rtl-run-seed", rtl_run_seed, "another noise seed for rtl alone, to see a divergence found")
      ->check(any_whole());

  auto* comp = app.add_subcommand("compile", "compile a network to a program image");
  compile_args.add(comp, {});
  std::string out, listing;
  comp->add_option("--out", out, "image file");
  comp->add_option("--listing", listing, "listing file, - for standard output")->capture_default_str();

  auto* xb = app.add_subcommand("xbar", "column currents of a resistive crossbar with wires: CSV in, CSV out");
  XbarOptions xbar_options;
  xb->add_option("--conductance", xbar_options.conductance,
                 "CSV of the cells' conductances, siemens, one row of the crossbar a line")
      ->required();
  xb->add_option("--inputs", xbar_options.inputs, "CSV of input voltages, volts, one vector a line")->required();
  xb->add_option("--out", xbar_options.out, "CSV of column currents, amperes, one vector a line; - for standard output")
      ->required();
  add_wires(xb, &xbar_options.wires);

  auto* mv = app.add_subcommand("mvm", "error of the products of one macro and each effect's share; pictures");
  MvmArgs mvm_args;
  mvm_args.add(mv);

  auto* dev = app.add_subcommand(
      "device", "program, age and read devices outside any array; CSV: programmed_us, drifted_us, read_us");
  DeviceOptions device_options;
  std::string target_us, read_at = "0";
  dev->add_option("--technology", device_options.technology, "a name (ohmac info --technologies) or a file PATH.toml")
      ->capture_default_str();
  dev->add_option("--target-us", target_us, "target conductance, microsiemens")->check(number(0, 1e9))->required();
  dev->add_option("--count", device_options.count, "devices")->check(whole(1, 10000000))->capture_default_str();
  dev->add_option("--read-at", read_at, "seconds after verify at which they are read")
      ->check(number(0, 1e12))
      ->capture_default_str();
  dev->add_option("--seed", device_options.seed, "fabrication, programming and reading")
      ->check(any_whole())
      ->capture_default_str();
  dev->add_option("--out", device_options.out, "CSV file without header, one device a line")->required();

  auto* inf = app.add_subcommand("info", "geometries, networks, effects, technologies");
  bool effects = false, technologies = false;
  std::string technology;
  inf->add_flag("--effects", effects, "the effect table");
  inf->add_flag("--technologies", technologies, "constants of all technologies, with units and sources");
  inf->add_option("--technology", technology, "write a technology as a preset file to standard output");
  std::vector<std::string> cost_paths;
  auto* info_costs = inf->add_option("--costs", cost_paths,
                                     "every number of the cost tables with unit, node and source; files or folders "
                                     "take the place of shipped ones")
                         ->expected(0, 1000);

  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  if (argc > 1 && argv[1][0] != '-' && std::find(verbs.begin(), verbs.end(), argv[1]) == verbs.end()) {
    throw UsageError(fmt::format("'{}' is no verb; there are {}", argv[1], fmt::join(verbs, ", ")));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;
  }

  if (*inf && info_costs->count() != 0) {
    cost_paths.erase(std::remove(cost_paths.begin(), cost_paths.end(), ""), cost_paths.end());
    print_cost_tables(*load_costs(cost_paths));
    return 0;
  }
  if (*inf) return info(effects, technologies, technology);
  if (*dev) {
    device_options.target_us = std::strtod(target_us.c_str(), nullptr);
    device_options.read_at_s = std::strtod(read_at.c_str(), nullptr);
    return device(device_options);
  }
  for (const auto& [option, path] :
       {std::pair{"--json", &run_args.json}, std::pair{"--json", &mvm_args.options.json},
        std::pair{"--csv", &mvm_args.options.csv}, std::pair{"--waves", &run_args.run.waves},
        std::pair{"--save", &run_args.run.save}, std::pair{"--timeline", &run_args.run.timeline},
        std::pair{"--json", &compare_args.json}, std::pair{"--json", &life_args.json}, std::pair{"--out", &out},
        std::pair{"--listing", &listing}, std::pair{"--out", &xbar_options.out}}) {
    if (*path != "-" || (path != &listing && path != &xbar_options.out)) check_writable(option, *path);
  }
  if (*xb) return xbar(xbar_options);
  if (*mv) return mvm(mvm_args.resolve());
  if (*run) {
    if (list) {
      for (const std::string& n : shipped_networks()) fmt::print("{}\n", n);
      return 0;
    }
    const RunOptions o = run_args.resolve();
    if (o.fidelity == Fidelity::kFast && (!o.waves.empty() || o.stall_percent != 0)) {
      throw UsageError("--waves and --stall-percent need --fidelity rtl or netlist");
    }
    if ((!o.waves.empty() || !o.timeline.empty()) && o.images > kBatchImages) {
      throw UsageError(fmt::format("--waves, --timeline: at most {} images, one batch", kBatchImages));
    }
    if (with_ablation) {
      if (!o.restore.empty() || !o.save.empty() || !o.waves.empty() || !o.timeline.empty()) {
        throw UsageError(
            "--ablate fabricates chips with other effects; leave out --restore, --save, --waves, --timeline");
      }
      return ablate(o, ablation_chips, run_args.json);
    }
    const RunOutcome r = execute(prepare(o), o);
    print_record(r.record, energy);
    if (!run_args.json.empty()) write_file(run_args.json, to_json(r.record).dump(2) + "\n");
    return 0;
  }
  if (*cmp) {
    compare_options.run = compare_args.resolve();
    compare_options.json = compare_args.json;
    if (rtl_images->count() == 0) {
      compare_options.rtl_images = std::min(compare_options.rtl_images, compare_options.run.images);
    } else if (compare_options.rtl_images > compare_options.run.images) {
      throw UsageError(
          fmt::format("--rtl-images {}: rtl runs the first of the --images {} that fast runs; give at most that many",
                      compare_options.rtl_images, compare_options.run.images));
    }
    return compare(compare_options);
  }
  if (*lif) {
    LifeOptions life_options{life_args.resolve(), {1, 3600, 86400, 2592000}, life_args.json};
    if (!ages.empty()) {
      life_options.ages_s.clear();
      for (const std::string& a : ages) life_options.ages_s.push_back(std::strtod(a.c_str(), nullptr));
    }
    if (life_options.run.age_s != 0) throw UsageError("--age-s: life ages the chip itself; say when with --at SECONDS");
    return life(life_options);
  }
  if (*dif) return diff({diff_args.resolve(), rtl_run_seed});

  const compiler::Compiled c = compile_network(compile_args.resolve());
  if (!out.empty()) write_file(out, std::string(c.image.begin(), c.image.end()));
  if (listing == "-" || (listing.empty() && out.empty())) {
    fmt::print("{}", c.listing);
  } else if (!listing.empty()) {
    write_file(listing, c.listing);
  }
  return 0;
}

}  // namespace
}  // namespace ohmac::cli

int main(int argc, char** argv) {
  try {
    return ohmac::cli::main_checked(argc, argv);
  } catch (const ohmac::cli::UsageError& e) {
    fmt::print(stderr, "ohmac: {}\n", e.what());
    return 2;
  } catch (const ohmac::TechnologyError& e) {
    fmt::print(stderr, "ohmac: {}\n", e.what());
    return 2;
  } catch (const ohmac::cost::CostError& e) {
    fmt::print(stderr, "ohmac: {}\n", e.what());
    return 2;
  } catch (const ohmac::compiler::CompileError& e) {
    fmt::print(stderr, "ohmac: {}\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    fmt::print(stderr, "ohmac: {}\n", e.what());
    return 3;
  }
}
