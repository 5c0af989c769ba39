// SPDX-License-Identifier: Apache-2.0
#include "tb/campaign/campaign.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>

#include "models/systemc/axi.h"
#include "sw/cli/workers.h"

namespace ohmac::campaign {
namespace {

std::string pack(const Result& r) {
  std::string s(18, '\0');
  s[0] = static_cast<char>(r.outcome);
  s[1] = static_cast<char>(r.by_timeout);
  std::memcpy(&s[2], &r.address, 8);
  std::memcpy(&s[10], &r.latency, 8);
  return s + r.sign;
}

Result unpack(const std::string& s) {
  Result r;
  r.outcome = static_cast<Outcome>(s.at(0));
  r.by_timeout = s.at(1) != 0;
  std::memcpy(&r.address, &s.at(2), 8);
  std::memcpy(&r.latency, &s.at(10), 8);
  r.sign = s.substr(18);
  return r;
}

std::string describe(const Rig& rig, const Shot& s) {
  const Register& r = rig.registers()[s.reg];
  return r.scope + "." + r.name + ":" + std::to_string(s.bit) + ":" + std::to_string(s.cycle);
}
std::string describe(const Rig&, const AxiShot& s) {
  return std::string(s.write ? "B " : "R beat ") + std::to_string(s.index) + ", response " + std::to_string(s.resp);
}

/// Draws that are the same on every machine.
uint64_t below(std::mt19937_64& rng, uint64_t n) { return rng() % n; }

}  // namespace

std::vector<FlipRow> plan_flips(const Rig& rig, const Rig::Reference& reference, uint64_t seed, uint32_t per_row) {
  const std::vector<Register>& all = rig.registers();
  const auto& job = reference.jobs[0];
  std::mt19937_64 rng(seed);
  std::vector<FlipRow> rows;
  // `bit(i)` is the i-th of the bits to draw from.
  const auto add = [&](const std::string& part, uint64_t bits, bool idle, const std::function<BitOf(uint64_t)>& bit) {
    FlipRow row;
    row.part = part;
    row.bits = bits;
    for (uint32_t n = 0; n < per_row; ++n) {
      Shot s;
      const BitOf b = bit(below(rng, bits));
      s.reg = b.reg;
      s.bit = b.bit;
      s.cycle = idle ? 0 : job.begin + below(rng, job.cycles);
      row.shots.push_back(s);
    }
    rows.push_back(std::move(row));
  };
  const auto add_part = [&](const std::string& part, bool idle) {
    uint64_t bits = 0;
    for (const Register& r : all) bits += r.part == part ? r.size() : 0;
    if (bits == 0) throw std::runtime_error("campaign: the chip has no state of the class " + part);
    add(idle ? part + ", before the job" : part, bits, idle, [&](uint64_t i) {
      for (uint32_t r = 0; r < all.size(); ++r) {
        if (all[r].part != part) continue;
        if (i < all[r].size()) return BitOf{r, i};
        i -= all[r].size();
      }
      throw std::logic_error("bit outside the class");
    });
  };
  const auto add_sram = [&](const std::string& part, const char* name, bool used, bool idle) {
    std::vector<BitOf> bits;
    for (uint32_t t = 0; t < 2; ++t) {
      const std::vector<BitOf> whole = sram_bits(all, t, name, tiny_geometry().sram_bytes);
      const std::vector<BitOf> in_use = sram_bits(all, t, name, rig.sram_used(t));
      if (used) {
        bits.insert(bits.end(), in_use.begin(), in_use.end());
        continue;
      }
      const auto before = [](const BitOf& a, const BitOf& b) { return a.reg != b.reg ? a.reg < b.reg : a.bit < b.bit; };
      std::set_difference(whole.begin(), whole.end(), in_use.begin(), in_use.end(), std::back_inserter(bits), before);
    }
    add(part, bits.size(), idle, [&](uint64_t i) { return bits[i]; });
  };

  std::vector<std::string> parts;
  for (const Register& r : all) {
    if (std::find(parts.begin(), parts.end(), r.part) == parts.end()) parts.push_back(r.part);
  }
  std::sort(parts.begin(), parts.end());
  for (const std::string& part : parts) {
    if (part == "SRAM data") {
      add_sram("SRAM data, lines in use", "mem", true, false);
      add_sram("SRAM data, other lines", "mem", false, false);
    } else if (part == "SRAM parity bits") {
      add_sram("SRAM parity bits, lines in use", "par", true, false);
    } else {
      add_part(part, false);
    }
  }
  add_sram("SRAM data, lines in use, before the job", "mem", true, true);
  for (const char* part :
       {"calibration words", "host registers", "sequencer: address generators", "tile configuration", "tokens"}) {
    add_part(part, true);
  }
  return rows;
}

std::vector<AxiShot> plan_axi(const Rig::Reference& reference) {
  std::vector<AxiShot> shots;
  for (const uint8_t resp : {kAxiSlvErr, kAxiDecErr}) {
    for (uint32_t i = 0; i < reference.reads.size(); ++i) shots.push_back({false, i, resp});
    for (uint32_t i = 0; i < reference.writes.size(); ++i) shots.push_back({true, i, resp});
  }
  return shots;
}

template <class S>
std::vector<Result> run_all(Rig& rig, const Rig::Reference& reference, const std::vector<S>& shots, uint32_t parallel,
                            const std::function<void()>& idle) {
  const auto one = [&](uint32_t i) {
    try {
      return pack(rig.run(shots[i], reference));
    } catch (const std::exception& e) {
      throw std::runtime_error(describe(rig, shots[i]) + ": " + e.what());
    }
  };
  std::vector<Result> results;
  for (const std::string& s : cli::run_forked(static_cast<uint32_t>(shots.size()), parallel, one, idle)) {
    results.push_back(unpack(s));
  }
  return results;
}
template std::vector<Result> run_all(Rig&, const Rig::Reference&, const std::vector<Shot>&, uint32_t,
                                     const std::function<void()>&);
template std::vector<Result> run_all(Rig&, const Rig::Reference&, const std::vector<AxiShot>&, uint32_t,
                                     const std::function<void()>&);

uint32_t Tally::total() const {
  uint32_t n = 0;
  for (const uint32_t c : count) n += c;
  return n;
}

void Tally::add(const Result& r) {
  ++count[static_cast<size_t>(r.outcome)];
  timeouts += r.by_timeout;
}

Tally& Tally::operator+=(const Tally& o) {
  for (uint32_t i = 0; i < kNumOutcomes; ++i) count[i] += o.count[i];
  timeouts += o.timeouts;
  return *this;
}

Interval wilson(uint32_t hits, uint32_t total) {
  if (total == 0) return {0, 1};
  constexpr double kZ = 1.959964;  // 97.5 % point of the normal distribution
  const double n = total, p = hits / n, z2 = kZ * kZ;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

}  // namespace ohmac::campaign
