// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/record.h"

#include <fmt/format.h>
#include <openssl/sha.h>

namespace ohmac::cli {

nlohmann::ordered_json to_json(const RunRecord& r) {
  nlohmann::ordered_json j;
  j["schema"] = "ohmac-run/1";
  j["network"] = r.network;
  j["fidelity"] = r.fidelity;
  j["images"] = r.images;
  j["accuracy"] = {{"float", r.accuracy_float},
                   {"digital", r.accuracy_int8},
                   {"analog", r.accuracy_analog},
                   {"digital_adc", r.accuracy_int8_adc}};
  j["cycles"] = {{"total", r.cycles_total},
                 {"per_inference", r.cycles_per_inference()},
                 {"adc_bound_per_inference", r.adc_bound_per_inference},
                 {"adc_utilisation", r.adc_utilisation()}};
  j["events"] = r.events;
  const RunRecord::Programming& p = r.programming;
  j["programming"] = {
      {"mode", p.mode},
      {"tiles", p.tiles},
      {"cells", p.cells},
      {"calibration_drives", p.bringup_drives},
      {"bringup_cycles", p.bringup_cycles},
      {"verify_reads", p.reads},
      {"pulses", p.pulses},
      {"fails", p.fails},
      {"bad_cells", p.bad_cells},
      {"most_pulses", p.most_pulses},
      {"stuck_devices", p.stuck_devices},
      {"snapshot_sha256", p.snapshot_sha256},
      {"weight_error", {{"mean", p.weight_mean}, {"sigma", p.weight_sigma}}},
      {"columns", {{"repaired", p.repaired_columns}, {"bad", p.bad_columns}, {"weak", p.weak_columns}}}};
  j["seeds"] = {{"chip", r.chip_seed}, {"run", r.run_seed}};
  j["geometry"] = {
      {"tiles", r.geometry.tiles()}, {"rows", r.geometry.rows}, {"cols", r.geometry.cols}, {"lanes", r.geometry.lanes}};
  j["options"] = {{"age_s", r.age_s},
                  {"lossless", r.lossless},
                  {"effects_off", r.effects_off},
                  {"read_noise", r.read_noise},
                  {"dac", r.dac},
                  {"technology", r.technology},
                  {"technology_sha256", r.technology_sha256}};
  if (!r.wire_ohm.empty()) j["options"]["wire_ohm"] = r.wire_ohm;
  if (r.costs.is_object()) j.update(r.costs);
  j["outputs_sha256"] = r.outputs_sha256;
  j["host"] = {{"seconds", r.host_seconds},
               {"bringup_seconds", r.bringup_seconds},
               {"cycles_per_second", r.cycles_per_second()},
               {"threads", r.threads}};
  return j;
}

RunRecord::Programming programming_from_json(const nlohmann::json& j) {
  RunRecord::Programming p;
  p.mode = j.at("mode");
  p.tiles = j.at("tiles");
  p.cells = j.at("cells");
  p.bringup_drives = j.at("calibration_drives");
  p.bringup_cycles = j.at("bringup_cycles");
  p.reads = j.at("verify_reads");
  p.pulses = j.at("pulses");
  p.fails = j.at("fails");
  p.bad_cells = j.at("bad_cells");
  p.most_pulses = j.at("most_pulses");
  p.stuck_devices = j.at("stuck_devices");
  p.snapshot_sha256 = j.at("snapshot_sha256");
  p.weight_mean = j.at("weight_error").at("mean");
  p.weight_sigma = j.at("weight_error").at("sigma");
  p.repaired_columns = j.at("columns").at("repaired");
  p.bad_columns = j.at("columns").at("bad");
  p.weak_columns = j.at("columns").at("weak");
  return p;
}

std::string sha256_hex(const std::vector<uint8_t>& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(bytes.data(), bytes.size(), digest);
  std::string hex;
  for (unsigned char d : digest) hex += fmt::format("{:02x}", d);
  return hex;
}

}  // namespace ohmac::cli
