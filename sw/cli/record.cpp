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
  j["programming"] = {{"mode", r.programming.mode},
                      {"tiles", r.programming.tiles},
                      {"cells", r.programming.cells},
                      {"calibration_drives", r.programming.calibration_drives},
                      {"bringup_cycles", r.programming.bringup_cycles}};
  j["seeds"] = {{"chip", r.chip_seed}, {"run", r.run_seed}};
  j["geometry"] = {
      {"tiles", r.geometry.tiles()}, {"rows", r.geometry.rows}, {"cols", r.geometry.cols}, {"lanes", r.geometry.lanes}};
  j["options"] = {{"age_s", r.age_s}, {"lossless", r.lossless}, {"effects_off", r.effects_off}};
  j["outputs_sha256"] = r.outputs_sha256;
  j["host"] = {{"seconds", r.host_seconds}, {"cycles_per_second", r.cycles_per_second()}, {"threads", r.threads}};
  return j;
}

std::string sha256_hex(const std::vector<uint8_t>& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(bytes.data(), bytes.size(), digest);
  std::string hex;
  for (unsigned char d : digest) hex += fmt::format("{:02x}", d);
  return hex;
}

}  // namespace ohmac::cli
