// SPDX-License-Identifier: Apache-2.0
#include "tb/campaign/registers.h"

#include <verilated_syms.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <stdexcept>

#include "chip_campaign_state.h"

namespace ohmac::campaign {
namespace {

/// Where a register belongs: the first row whose text occurs in "scope.name" names it, so parts stand before the whole.
struct Rule {
  const char *text, *part;
};
constexpr Rule kRules[] = {
    {"u_xbar.gen_bank[].u_sram.mem", "SRAM data"},
    {"u_xbar.gen_bank[].u_sram.par", "SRAM parity bits"},
    {"u_xbar.gen_bank[].u_sram.r", "SRAM output registers"},
    {"u_xbar", "SRAM crossbar"},
    {"u_mvm_queue", "queues"},
    {"u_vec_queue", "queues"},
    {"u_net_queue", "queues"},
    {"u_seq.gen_agu", "sequencer: address generators"},
    {"u_seq.buf_", "sequencer: line buffers"},
    {"u_seq.fly_", "sequencer: line buffers"},
    {"u_seq.s2_q", "sequencer: pipeline"},
    {"u_seq.s3_q", "sequencer: pipeline"},
    {"u_seq", "sequencer: control"},
    {"u_tokens", "tokens"},
    {"u_mvm.u_fetch", "MVM: fetch"},
    {"u_mvm.u_phase", "MVM: phase and drive"},
    {"u_mvm.u_adc.gen_bank[].u_acc", "MVM: accumulators"},
    {"u_mvm.u_adc", "MVM: converters"},
    {"u_mvm.u_post.gen_cal", "calibration words"},
    {"u_mvm.u_post", "MVM: correction"},
    {"u_mvm.u_prog", "programming"},
    {"u_mvm.", "MVM: phase and drive"},  // the repair strobe
    {"u_vec.u_read", "read buffers"},
    {"u_tx.u_read", "read buffers"},
    {"u_vec", "vector unit"},
    {"u_cfg", "tile configuration"},
    {"u_rx", "NoC receiver"},
    {"u_tx", "NoC sender"},
    {"u_counters", "event counters"},
    {"u_watchdog", "traps"},
    {"u_tile.overflow_q", "traps"},
    {"u_tile.start_", "tile commands"},
    {"u_tile.stop_q", "tile commands"},
    {"u_tile.clear_q", "tile commands"},
    {"u_tile.mesh_x_q", "tile commands"},
    {"u_tile.tiles_q", "tile commands"},
    {"u_mesh", "NoC routers"},
    {"u_dma.u_rd", "DMA: read side"},
    {"u_dma.u_wr", "DMA: write side"},
    {"u_dma", "DMA: jobs"},
    {"u_csr", "host registers"},
    {".noc_busy_q", "host registers"},
};

std::string without_numbers(const std::string& s) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    if (out.empty() || out.back() != '[' || !std::isdigit(static_cast<unsigned char>(s[i]))) out += s[i];
  }
  return out;
}

uint32_t bytes_of(VerilatedVarType type, uint32_t bits) {
  switch (type) {
    case VLVT_UINT8: return 1;
    case VLVT_UINT16: return 2;
    case VLVT_UINT32: return 4;
    case VLVT_UINT64: return 8;
    case VLVT_WDATA: return (bits + 31) / 32 * 4;
    default: return 0;
  }
}

void classify(Register* r) {
  const std::string full = "." + without_numbers(r->scope + "." + r->name);
  for (const Rule& rule : kRules) {
    if (full.find(rule.text) == std::string::npos) continue;
    r->part = rule.part;
    return;
  }
  throw std::runtime_error("registers: " + r->scope + "." + r->name + " belongs to no class; add a rule for it");
}

}  // namespace

std::string Register::kind() const {
  std::string s = without_numbers(scope + "." + name);
  constexpr const char* kTile = "gen_tile[].u_tile.";
  if (s.rfind(kTile, 0) == 0) s.erase(0, std::char_traits<char>::length(kTile));
  return s;
}

std::vector<Register> find_registers(const VerilatedContext& context) {
  std::vector<Register> all;
  // The maps are not const in Verilator, nor is reading them a change.
  for (const auto& [scope_name, scope] : *const_cast<VerilatedContext&>(context).scopeNameMap()) {
    if (scope->varsp() == nullptr) continue;
    for (const auto& [name, var] : *scope->varsp()) {
      if (!var.isPublicRW() || var.isParam()) continue;
      Register r;
      r.scope = scope->name();
      r.name = name;
      constexpr const char* kTop = "TOP.ohmac_top";
      if (r.scope.rfind(kTop, 0) != 0) continue;  // ports of the model
      r.scope.erase(0, std::char_traits<char>::length(kTop));
      if (!r.scope.empty()) r.scope.erase(0, 1);
      r.data = static_cast<uint8_t*>(var.datap());
      bool is_struct = false;
      for (const Member& m : kMembers) {
        if (std::strcmp(m.variable, name) != 0) continue;
        is_struct = true;
        Register part = r;
        part.name += m.path;
        part.bits = m.bits;
        part.data += m.offset;
        part.stride = (m.bits + 7) / 8;
        classify(&part);
        all.push_back(std::move(part));
      }
      if (is_struct) continue;
      r.bits = var.entBits();
      for (int d = 0; d < var.udims(); ++d) r.words *= static_cast<uint32_t>(var.unpackedRanges()[d].elements());
      r.stride = bytes_of(var.vltype(), r.bits);
      if (r.stride == 0 || 8 * r.stride < r.bits) {
        throw std::runtime_error("registers: " + r.scope + "." + r.name + " has a type that is not known here");
      }
      classify(&r);
      all.push_back(std::move(r));
    }
  }
  uint64_t bits = 0;
  for (const Register& r : all) bits += r.size();
  if (bits != kStateBits) {
    throw std::runtime_error("registers: the model shows " + std::to_string(bits) + " bits of state, the design has " +
                             std::to_string(kStateBits));
  }
  std::sort(all.begin(), all.end(), [](const Register& a, const Register& b) {
    return a.scope != b.scope ? a.scope < b.scope : a.name < b.name;
  });
  return all;
}

std::vector<BitOf> sram_bits(const std::vector<Register>& all, uint32_t tile, const char* name, uint32_t bytes) {
  std::vector<uint32_t> banks;
  const std::string prefix = "gen_tile[" + std::to_string(tile) + "].u_tile.u_xbar.gen_bank[";
  for (uint32_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name && all[i].scope.rfind(prefix, 0) == 0) banks.push_back(i);
  }
  std::vector<BitOf> bits;
  for (uint32_t b = 0; b < banks.size(); ++b) {  // fewer than ten banks: sorted by number
    const Register& r = all[banks[b]];
    for (uint32_t w = 0; w < r.words; ++w) {
      if ((uint64_t{w} * banks.size() + b) * 32 >= bytes) continue;
      for (uint32_t i = 0; i < r.bits; ++i) bits.push_back({banks[b], uint64_t{w} * r.bits + i});
    }
  }
  return bits;
}

}  // namespace ohmac::campaign
