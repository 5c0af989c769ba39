// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>

#include "sw/cli/costs.h"
#include "sw/cli/files.h"
#include "sw/cli/progress.h"
#include "sw/cli/session.h"
#include "sw/cli/workers.h"
#include "sw/compiler/map.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cli {
namespace {

namespace fs = std::filesystem;

/// Folder of the shipped networks: OHMAC_NETWORKS, or where the sources were when this was built.
fs::path networks_dir() {
  const char* env = std::getenv("OHMAC_NETWORKS");
  return env != nullptr ? fs::path(env) : fs::path(OHMAC_NETWORKS_DIR);
}

/// The file that is given, or what is shipped: for this network, else for all.
std::string data_file(const std::string& given, const std::string& network, const std::string& shipped) {
  const fs::path own = networks_dir() / "data" / (network + "-" + shipped);
  std::error_code none;
  const std::string path = !given.empty()          ? given
                           : fs::exists(own, none) ? own.string()
                                                   : (networks_dir() / "data" / shipped).string();
  check_readable(path,
                 "the shipped digits are in sw/networks/data (OHMAC_NETWORKS names another folder), your own go with "
                 "--test-images, --test-labels and --calibration-images");
  return path;
}

struct Batch {
  std::vector<uint8_t> outputs;
  uint64_t cycles = 0;
  std::vector<uint64_t> events = std::vector<uint64_t>(isa::kNumCounters, 0);
  double array_j = 0;
};

std::string pack(const Batch& b) {
  const std::vector<uint8_t> bytes =
      nlohmann::json::to_msgpack(nlohmann::json{{"outputs", nlohmann::json::binary(b.outputs)},
                                                {"cycles", b.cycles},
                                                {"events", b.events},
                                                {"array_j", b.array_j}});
  return {bytes.begin(), bytes.end()};
}

Batch unpack(const std::string& bytes) {
  const auto j = nlohmann::json::from_msgpack(bytes.begin(), bytes.end());
  Batch b;
  b.outputs = j.at("outputs").get_binary();
  b.cycles = j.at("cycles");
  b.events = j.at("events").get<std::vector<uint64_t>>();
  b.array_j = j.at("array_j");
  return b;
}

/// What flows through the arrays of the tiles in use.
class ArrayMeter {
 public:
  ArrayMeter(Chip& chip, const RunOptions& o) : chip_(chip), options_(o), tiles_(o.geometry.tiles()) {
    reset();
    for (uint32_t t = 0; t < tiles_.size(); ++t) chip_.macro(t).set_activity(&tiles_[t]);
  }
  ~ArrayMeter() {
    for (uint32_t t = 0; t < tiles_.size(); ++t) chip_.macro(t).set_activity(nullptr);
  }
  ArrayMeter(const ArrayMeter&) = delete;
  ArrayMeter& operator=(const ArrayMeter&) = delete;

  void reset() {
    for (ArrayActivity& a : tiles_)
      a = {std::vector<uint64_t>(options_.geometry.rows + 1), std::vector<uint64_t>(options_.geometry.rows + 1), 0, 0};
  }
  /// Takes the conductances as they are now.
  void look(const std::vector<uint32_t>& tiles) {
    in_use_ = tiles;
    conductances_.clear();
    for (uint32_t t : in_use_) conductances_.push_back(chip_.macro(t).row_conductances_us());
  }
  /// Joules since reset() with the conductances of look().
  double array_j() const {
    const double drive_ns = cost::kDriveCycles * MacroConfig{}.clock_ns;
    double joule = 0;
    for (size_t i = 0; i < in_use_.size(); ++i)
      joule += cost::array_energy_j(tiles_[in_use_[i]], conductances_[i], options_.dac, drive_ns);
    return joule;
  }
  uint64_t set_pulses() const {
    uint64_t n = 0;
    for (const ArrayActivity& a : tiles_) n += a.set_pulses;
    return n;
  }
  uint64_t reset_pulses() const {
    uint64_t n = 0;
    for (const ArrayActivity& a : tiles_) n += a.reset_pulses;
    return n;
  }

 private:
  Chip& chip_;
  const RunOptions& options_;
  std::vector<ArrayActivity> tiles_;
  std::vector<uint32_t> in_use_;
  std::vector<std::vector<double>> conductances_;
};

/// Counters since reset summed over tiles. Below 2^32 each: bring-up is short.
std::vector<uint64_t> summed(const std::vector<std::vector<uint32_t>>& counters) {
  std::vector<uint64_t> sum(isa::kNumCounters, 0);
  for (const auto& tile : counters)
    for (size_t c = 0; c < tile.size(); ++c) sum[c] += tile[c];
  return sum;
}

/// One job on a brought-up chip: images first .. first+count-1.
Batch run_batch(Session& session, const Workload& work, uint32_t first, uint32_t count, ArrayMeter* meter) {
  session.seek(first);
  if (meter != nullptr) meter->reset();
  const auto before = session.counters();
  const uint64_t start = session.chip().cycle();
  Batch b;
  b.outputs = session.infer(work.packed_inputs(first, count), count);
  b.cycles = session.chip().cycle() - start;
  const auto after = session.counters();
  for (size_t t = 0; t < after.size(); ++t) {
    for (size_t c = 0; c < after[t].size(); ++c) b.events[c] += static_cast<uint32_t>(after[t][c] - before[t][c]);
  }
  if (meter != nullptr) b.array_j = meter->array_j();
  session.chip().check();
  return b;
}

/// Formula programming takes the age into its devices; what pulses programmed ages by waiting.
bool ages_after_load(const RunOptions& o) {
  return o.age_s > 0 && (o.programming != Programming::kFormula || !o.restore.empty());
}

RunRecord::Programming programming_record(const Session& session, const RunOptions& o) {
  const BringUp& b = session.bring_up();
  RunRecord::Programming p;
  p.mode = !o.restore.empty() ? "restore" : o.programming == Programming::kPulse ? "pulse" : "formula";
  p.tiles = static_cast<uint32_t>(session.tiles().size());
  p.cells = session.cells();
  for (uint32_t t = 0; t < o.geometry.tiles(); ++t) p.bringup_drives += session.base_drives(t);
  p.bringup_cycles = b.cycles;
  p.reads = b.load.program.reads;
  p.pulses = b.load.program.pulses;
  p.fails = b.load.program.fails;
  p.bad_cells = b.load.bad_cells;
  p.most_pulses = b.devices.most_pulses;
  p.stuck_devices = b.devices.stuck;
  p.snapshot_sha256 = sha256_hex(encode_snapshot(session.snapshot()));
  p.weight_mean = b.weights.mean;
  p.weight_sigma = b.weights.sigma;
  p.repaired_columns = b.load.repair.repaired;
  p.bad_columns = b.load.bad_columns;
  p.weak_columns = b.load.weak_columns;
  return p;
}

template <class F>
double accuracy_of(const compiler::Dataset& test, uint32_t images, F&& predict) {
  uint32_t right = 0;
  for (uint32_t i = 0; i < images; ++i) right += predict(i) == test.labels[i];
  return static_cast<double>(right) / images;
}

}  // namespace

std::vector<std::string> shipped_networks() {
  std::vector<std::string> names;
  std::error_code none;  // a folder that is not there or not readable holds no networks
  for (const auto& e : fs::directory_iterator(networks_dir(), none)) {
    if (e.path().extension() == ".onnx") names.push_back(e.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string network_path(const std::string& network) {
  const fs::path shipped = networks_dir() / (network + ".onnx");
  std::error_code none;
  if (network.find('/') == std::string::npos && fs::exists(shipped, none)) return shipped.string();
  if (!fs::exists(network, none)) {
    throw UsageError(fmt::format("--network {}: neither a shipped network ({}) nor a file", network,
                                 fmt::join(shipped_networks(), ", ")));
  }
  check_readable(network, "--network takes a shipped network (ohmac run --list) or an ONNX file");
  return network;
}

compiler::Dataset calibration_images(const RunOptions& o) {
  return compiler::load_images(data_file(o.calibration_path, o.network, "calibration-images.idx.gz"));
}

compiler::Compiled compile_network(const RunOptions& o) {
  const compiler::Network network = compiler::load_onnx(network_path(o.network));
  const compiler::Dataset calibration = calibration_images(o);
  if (calibration.size() != network.inputs()) {
    throw UsageError(
        fmt::format("{}: the network takes {} inputs, the calibration images have {} x {} pixels; give images of "
                    "its size with --calibration-images",
                    network.file, network.inputs(), calibration.rows, calibration.cols));
  }
  compiler::CompileOptions c;
  c.geometry = o.geometry;
  c.lossless = o.lossless;
  c.adc_bits = o.adc_bits;
  return compiler::compile(network, calibration, c);
}

Workload prepare(const RunOptions& o) {
  Workload w;
  w.compiled = compile_network(o);
  if (!o.image_path.empty()) {
    const std::string image = read_file(o.image_path);
    w.compiled.image.assign(image.begin(), image.end());
  }
  w.test = compiler::load_digits(data_file(o.images_path, o.network, "test-images.idx.gz"),
                                 data_file(o.labels_path, o.network, "test-labels.idx.gz"));
  if (w.compiled.source.inputs() != w.test.size()) {
    throw UsageError(
        fmt::format("{}: the network takes {} inputs, the images have {} x {} pixels; give images of its size "
                    "with --test-images",
                    w.compiled.source.file, w.compiled.source.inputs(), w.test.rows, w.test.cols));
  }
  if (o.images < 1 || o.images > w.test.count) {
    throw UsageError(fmt::format("--images {}: the data set holds {} test images; ask for at most that many", o.images,
                                 w.test.count));
  }
  for (uint32_t i = 0; i < o.images; ++i) {
    if (w.test.labels[i] >= w.compiled.source.outputs()) {
      throw UsageError(
          fmt::format("label {} of image {}: the network has {} outputs, labels are 0 to {}; give the labels of "
                      "this network with --test-labels",
                      w.test.labels[i], i, w.compiled.source.outputs(), w.compiled.source.outputs() - 1));
    }
  }
  for (uint32_t i = 0; i < o.images; ++i) {
    w.inputs.push_back(w.compiled.quantise_input(w.test.input(i)));
    w.int8.push_back(w.compiled.run_int8(w.inputs[i]));
    w.int8_adc.push_back(w.compiled.run_int8_adc(w.inputs[i]));
  }
  w.accuracy_float = accuracy_of(w.test, o.images,
                                 [&](uint32_t i) { return compiler::classify(w.compiled.run_float(w.test.input(i))); });
  w.accuracy_int8 = accuracy_of(w.test, o.images, [&](uint32_t i) { return compiler::classify(w.int8[i]); });
  w.accuracy_int8_adc = accuracy_of(w.test, o.images, [&](uint32_t i) { return compiler::classify(w.int8_adc[i]); });
  return w;
}

std::vector<int8_t> Workload::packed_inputs(uint32_t first, uint32_t count) const {
  std::vector<int8_t> all;
  for (uint32_t i = first; i < first + count; ++i) all.insert(all.end(), inputs[i].begin(), inputs[i].end());
  return all;
}

double Workload::accuracy(const std::vector<uint8_t>& outputs, uint32_t images) const {
  const uint32_t n = compiled.output_count;
  return accuracy_of(test, images, [&](uint32_t i) {
    std::vector<int32_t> v(n);
    std::memcpy(v.data(), outputs.data() + size_t{i} * n * sizeof(int32_t), n * sizeof(int32_t));
    return compiler::classify(v);
  });
}

std::vector<uint8_t> reference_bytes(const std::vector<std::vector<int32_t>>& outputs, uint32_t images) {
  std::vector<uint8_t> bytes;
  for (uint32_t i = 0; i < images; ++i) {
    const auto* p = reinterpret_cast<const uint8_t*>(outputs[i].data());
    bytes.insert(bytes.end(), p, p + outputs[i].size() * sizeof(int32_t));
  }
  return bytes;
}

RunOutcome execute(const Workload& work, const RunOptions& o) {
  RunOutcome out;
  RunRecord& r = out.record;
  r.network = o.network;
  r.fidelity = name_of(o.fidelity);
  r.images = o.images;
  r.accuracy_float = work.accuracy_float;
  r.accuracy_int8 = work.accuracy_int8;
  r.accuracy_int8_adc = work.accuracy_int8_adc;
  r.chip_seed = o.chip_seed;
  r.run_seed = o.run_seed;
  r.age_s = o.age_s;
  r.lossless = o.lossless;
  r.geometry = o.geometry;
  r.technology = o.technology->name;
  const std::string preset = to_toml(*o.technology);
  r.technology_sha256 = sha256_hex({preset.begin(), preset.end()});
  r.read_noise = name_of(o.read_noise);
  r.dac = name_of(o.dac);
  if (o.effects.has(Effect::kWire)) r.wire_ohm = {o.wires.row, o.wires.col, o.wires.driver, o.wires.sense};
  r.threads = o.threads;
  for (uint32_t e = 0; e < kNumEffects; ++e) {
    if (!o.effects.has(static_cast<Effect>(e))) r.effects_off.push_back(kEffects[e].name);
  }

  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto seconds_since = [&](std::chrono::steady_clock::time_point t) {
    return std::chrono::duration<double>(now() - t).count();
  };
  auto start = now();
  std::vector<std::string> answers;
  CostInputs costs;
  with_chip(o, [&](Chip& chip) {
    std::optional<ArrayMeter> meter;
    if (o.costs != nullptr) meter.emplace(chip, o);
    Session session(chip, work.compiled, o);
    r.adc_bound_per_inference = session.adc_bound();
    r.programming = programming_record(session, o);
    if (!o.save.empty()) {
      const std::vector<uint8_t> snapshot = encode_snapshot(session.snapshot());
      write_file(o.save, {snapshot.begin(), snapshot.end()});
    }
    if (meter) {
      meter->look(session.tiles());
      costs.bring_up = {summed(session.counters()), session.bring_up().cycles, 0,
                        meter->array_j(),           meter->set_pulses(),       meter->reset_pulses()};
    }
    if (ages_after_load(o)) {
      session.advance_time(o.age_s);
      if (meter) meter->look(session.tiles());
    }
    r.bringup_seconds = seconds_since(start);
    start = now();
    ChipTimeline timeline(o.geometry.tiles(), chip.macro(0).config().clock_ns);
    if (!o.timeline.empty()) chip.set_timeline(&timeline);
    SharedCounter done;
    Progress progress(fmt::format("{} {}", o.network, name_of(o.fidelity)), o.images);
    const uint32_t batches = (o.images + kBatchImages - 1) / kBatchImages;
    // A forked child would write its waves and spans behind the back of this process.
    const bool here = !o.waves.empty() || !o.timeline.empty();
    const auto job = [&](uint32_t b) {
      const uint32_t first = b * kBatchImages, count = std::min(kBatchImages, o.images - first);
      uint64_t reported = 0;
      chip.set_progress([&](uint64_t vectors) {
        if (vectors > reported && vectors <= count) {
          done.add(vectors - reported);
          reported = vectors;
        }
        if (here) progress.update(done.value());
      });
      const Batch batch = run_batch(session, work, first, count, meter ? &*meter : nullptr);
      chip.set_progress({});
      done.add(count - reported);
      return pack(batch);
    };
    if (here) {
      for (uint32_t b = 0; b < batches; ++b) answers.push_back(job(b));
    } else {
      answers = run_forked(batches, o.threads, job, [&] { progress.update(done.value()); });
    }
    if (!o.timeline.empty()) {
      chip.set_timeline(nullptr);
      timeline.finish(chip.cycle());
      if (timeline.timeline().dropped() != 0) {
        throw UsageError(
            fmt::format("--timeline: {} spans are more than the {} that a trace may hold; run fewer images",
                        timeline.timeline().spans() + timeline.timeline().dropped(), Timeline::kMaxSpans));
      }
      write_file(o.timeline, timeline.timeline().json());
    }
  });
  r.host_seconds = seconds_since(start);

  std::vector<uint64_t> events(isa::kNumCounters, 0);
  for (const std::string& a : answers) {
    const Batch b = unpack(a);
    out.outputs.insert(out.outputs.end(), b.outputs.begin(), b.outputs.end());
    r.cycles_total += b.cycles;
    for (size_t c = 0; c < events.size(); ++c) events[c] += b.events[c];
    costs.inference.array_j += b.array_j;
  }
  for (const isa::CounterInfo& c : isa::kCounters) r.events[c.name] = events[c.index];
  r.accuracy_analog = work.accuracy(out.outputs, o.images);
  r.outputs_sha256 = sha256_hex(out.outputs);
  if (o.costs != nullptr) {
    costs.images = o.images;
    costs.inference.events = events;
    costs.inference.cycles = r.cycles_total;
    costs.inference.flit_hops = compiler::flit_hops(o.geometry, work.compiled.pieces, work.compiled.layers) * o.images;
    r.costs = cost_record(o, work.compiled, costs);
  }
  return out;
}

}  // namespace ohmac::cli
