// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "sw/cli/progress.h"
#include "sw/cli/session.h"
#include "sw/cli/workers.h"
#include "sw/hal/gen/ohmac_isa.h"

namespace ohmac::cli {
namespace {

namespace fs = std::filesystem;

/// Folder of the shipped networks: OHMAC_NETWORKS, or where the sources were when this was built.
fs::path networks_dir() {
  const char* env = std::getenv("OHMAC_NETWORKS");
  return env != nullptr ? fs::path(env) : fs::path(OHMAC_NETWORKS_DIR);
}

std::string data_file(const std::string& given, const char* shipped) {
  const fs::path p = given.empty() ? networks_dir() / "data" / shipped : fs::path(given);
  if (!fs::exists(p)) {
    throw UsageError(fmt::format("{}: no such file; the shipped digits are in sw/networks/data (OHMAC_NETWORKS names another "
                                 "folder), your own go with --test-images and --test-labels",
                                 p.string()));
  }
  return p.string();
}

struct Batch {
  std::vector<uint8_t> outputs;
  uint64_t cycles = 0;
  std::vector<uint64_t> events = std::vector<uint64_t>(isa::kNumCounters, 0);
};

std::string pack(const Batch& b) {
  const std::vector<uint8_t> bytes = nlohmann::json::to_msgpack(
      nlohmann::json{{"outputs", nlohmann::json::binary(b.outputs)}, {"cycles", b.cycles}, {"events", b.events}});
  return {bytes.begin(), bytes.end()};
}

Batch unpack(const std::string& bytes) {
  const auto j = nlohmann::json::from_msgpack(bytes.begin(), bytes.end());
  Batch b;
  b.outputs = j.at("outputs").get_binary();
  b.cycles = j.at("cycles");
  b.events = j.at("events").get<std::vector<uint64_t>>();
  return b;
}

/// One job on a brought-up chip: images first .. first+count-1.
Batch run_batch(Session& session, const Workload& work, uint32_t first, uint32_t count) {
  session.seek(first);
  const auto before = session.counters();
  const uint64_t start = session.chip().cycle();
  Batch b;
  b.outputs = session.infer(work.packed_inputs(first, count), count);
  b.cycles = session.chip().cycle() - start;
  const auto after = session.counters();
  for (size_t t = 0; t < after.size(); ++t) {
    for (size_t c = 0; c < after[t].size(); ++c) b.events[c] += static_cast<uint32_t>(after[t][c] - before[t][c]);
  }
  session.chip().check();
  return b;
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
  if (fs::is_directory(networks_dir())) {
    for (const auto& e : fs::directory_iterator(networks_dir())) {
      if (e.path().extension() == ".onnx") names.push_back(e.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string network_path(const std::string& network) {
  const fs::path shipped = networks_dir() / (network + ".onnx");
  if (network.find('/') == std::string::npos && fs::exists(shipped)) return shipped.string();
  if (fs::exists(network)) return network;
  throw UsageError(fmt::format("network '{}': neither a shipped network ({}) nor a file", network,
                               fmt::join(shipped_networks(), ", ")));
}

compiler::Compiled compile_network(const RunOptions& o) {
  const compiler::Network network = compiler::load_onnx(network_path(o.network));
  const compiler::Dataset calibration =
      compiler::load_digits(data_file("", "calibration-images.idx.gz"), data_file("", "calibration-labels.idx.gz"));
  compiler::CompileOptions c;
  c.geometry = o.geometry;
  c.lossless = o.lossless;
  c.adc_bits = o.adc_bits;
  return compiler::compile(network, calibration, c);
}

Workload prepare(const RunOptions& o) {
  Workload w;
  w.compiled = compile_network(o);
  w.test = compiler::load_digits(data_file(o.images_path, "test-images.idx.gz"), data_file(o.labels_path, "test-labels.idx.gz"));
  if (w.compiled.source.inputs() != w.test.size()) {
    throw UsageError(fmt::format("{}: the network takes {} inputs, the images have {} x {} pixels", w.compiled.source.file,
                                 w.compiled.source.inputs(), w.test.rows, w.test.cols));
  }
  if (o.images < 1 || o.images > w.test.count) {
    throw UsageError(fmt::format("--images {}: there are 1 to {} test images", o.images, w.test.count));
  }
  for (uint32_t i = 0; i < o.images; ++i) {
    w.inputs.push_back(w.compiled.quantise_input(w.test.input(i)));
    w.int8.push_back(w.compiled.run_int8(w.inputs[i]));
    w.int8_adc.push_back(w.compiled.run_int8_adc(w.inputs[i]));
  }
  w.accuracy_float =
      accuracy_of(w.test, o.images, [&](uint32_t i) { return compiler::classify(w.compiled.run_float(w.test.input(i))); });
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
  r.adc_bound_per_inference = work.compiled.adc_bound;
  r.chip_seed = o.chip_seed;
  r.run_seed = o.run_seed;
  r.age_s = o.age_s;
  r.lossless = o.lossless;
  r.geometry = o.geometry;
  r.threads = o.threads;
  for (uint32_t e = 0; e < kNumEffects; ++e) {
    if (!o.effects.has(static_cast<Effect>(e))) r.effects_off.push_back(kEffects[e].name);
  }

  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> answers;
  with_chip(o, [&](Chip& chip) {
    Session session(chip, work.compiled);
    r.programming.bringup_cycles = chip.cycle();
    for (const auto& p : work.compiled.pieces) {
      ++r.programming.tiles;
      r.programming.cells += uint64_t{p.k} * p.n * work.compiled.options.weight_slices;
      r.programming.calibration_drives += session.base_drives(p.tile);
    }
    SharedCounter done;
    Progress progress(fmt::format("{} {}", o.network, name_of(o.fidelity)), o.images);
    const uint32_t batches = (o.images + kBatchImages - 1) / kBatchImages;
    answers = run_forked(
        batches, o.threads,
        [&](uint32_t b) {
          const uint32_t first = b * kBatchImages, count = std::min(kBatchImages, o.images - first);
          uint64_t reported = 0;
          chip.set_progress([&](uint64_t vectors) {
            if (vectors <= reported || vectors > count) return;
            done.add(vectors - reported);
            reported = vectors;
          });
          const Batch batch = run_batch(session, work, first, count);
          done.add(count - reported);
          return pack(batch);
        },
        [&] { progress.update(done.value()); });
  });
  r.host_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  std::vector<uint64_t> events(isa::kNumCounters, 0);
  for (const std::string& a : answers) {
    const Batch b = unpack(a);
    out.outputs.insert(out.outputs.end(), b.outputs.begin(), b.outputs.end());
    r.cycles_total += b.cycles;
    for (size_t c = 0; c < events.size(); ++c) events[c] += b.events[c];
  }
  for (const isa::CounterInfo& c : isa::kCounters) r.events[c.name] = events[c.index];
  r.accuracy_analog = work.accuracy(out.outputs, o.images);
  r.outputs_sha256 = sha256_hex(out.outputs);
  return out;
}

}  // namespace ohmac::cli
