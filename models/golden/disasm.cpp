// SPDX-License-Identifier: Apache-2.0
#include "models/golden/disasm.h"

#include <cstdio>
#include <vector>

namespace ohmac::golden {

namespace {

template <class... Args>
std::string text(const char* format, Args... args) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, format, args...);
  return buffer;
}

unsigned get(isa::Field f, uint64_t w) { return static_cast<unsigned>(f.get(w)); }

/// Operand {agu, offset in 16 bytes}: a3+0x40.
std::string operand(uint64_t field) {
  const auto agu = static_cast<unsigned>(field >> 12), offset = static_cast<unsigned>(field & 0xFFF) * 16;
  return offset != 0 ? text("a%u+0x%x", agu, offset) : text("a%u", agu);
}

const char* engine(uint64_t e) {
  static const char* const kNames[] = {"seq", "mvm", "vec", "net"};
  return kNames[e & 3];
}

}  // namespace

std::string config_word_name(uint32_t word) {
  using namespace isa::cfg;
  struct Group {
    const char* name;
    uint32_t base, stride, count;
  };
  constexpr Group kGroups[] = {{"SCALAR", kScalarBase, kScalarStride, kScalarCount},
                               {"AGU", kAguBase, kAguStride, kAguCount},
                               {"MVMCFG", kMvmcfgBase, kMvmcfgStride, kMvmcfgCount},
                               {"VECCFG", kVeccfgBase, kVeccfgStride, kVeccfgCount},
                               {"TIMING", kTimingBase, kTimingStride, kTimingCount},
                               {"TRAP", kTrapBase, kTrapStride, kTrapCount},
                               {"PROG", kProgBase, kProgStride, kProgCount},
                               {"REPAIR", kRepairBase, kRepairStride, kRepairCount},
                               {"CAL", kCalBase, kCalStride, kCalCount}};
  for (const Group& g : kGroups) {
    if (word < g.base || word >= g.base + g.stride * g.count) continue;
    const uint32_t i = (word - g.base) / g.stride, field = (word - g.base) % g.stride;
    return g.stride == 1 ? text("%s[%u]", g.name, i) : text("%s[%u].%u", g.name, i, field);
  }
  return text("0x%03X", word);
}

std::string disassemble(uint64_t w) {
  switch (static_cast<isa::Op>(isa::kOpcode.get(w))) {
    case isa::Op::kNop: return "NOP";
    case isa::Op::kHalt: return "HALT";
    case isa::Op::kLoop:
      return isa::loop::use_scalar.get(w) ? text("LOOP   s%u len=%u", get(isa::loop::scalar, w), get(isa::loop::len, w))
                                          : text("LOOP   %u len=%u", get(isa::loop::count, w), get(isa::loop::len, w));
    case isa::Op::kSetr:
      return text("SETR   %s = 0x%08x", config_word_name(get(isa::setr::addr, w)).c_str(), get(isa::setr::imm, w));
    case isa::Op::kWait:
      return text("WAIT   %s t%u >= %u", engine(isa::wait::engine.get(w)), get(isa::wait::token, w),
                  get(isa::wait::count, w));
    case isa::Op::kSignal:
      return text("SIGNAL %s t%u += %u", engine(isa::signal::engine.get(w)), get(isa::signal::token, w),
                  get(isa::signal::count, w));
    case isa::Op::kMvm:
      return text("MVM    src=%s dst=%s cfg=%u", operand(isa::mvm::src.get(w)).c_str(),
                  operand(isa::mvm::dst.get(w)).c_str(), get(isa::mvm::cfg, w));
    case isa::Op::kProg:
      return text("PROG   row=a%u src=%s", get(isa::prog::row_agu, w), operand(isa::prog::src.get(w)).c_str()) +
             text(" dst=%s fail=%s cfg=%u", operand(isa::prog::dst.get(w)).c_str(),
                  operand(isa::prog::fail.get(w)).c_str(), get(isa::prog::cfg, w));
    case isa::Op::kVec:
      return text("VEC    a=%s", operand(isa::vec::a.get(w)).c_str()) +
             (isa::vec::use_b.get(w) ? " b=" + operand(isa::vec::b.get(w)) : std::string()) +
             text(" dst=%s cfg=%u", operand(isa::vec::dst.get(w)).c_str(), get(isa::vec::cfg, w));
    case isa::Op::kSend: {
      const unsigned tile = get(isa::send::tile, w);
      return text("SEND   src=%s to=", operand(isa::send::src.get(w)).c_str()) +
             (tile == isa::kHostTile ? std::string("host") : text("%u", tile)) +
             text(" dst=%s len=%u", operand(isa::send::dst.get(w)).c_str(), get(isa::send::len, w)) +
             (isa::send::token_en.get(w) ? text(" t%u", get(isa::send::token, w)) : std::string());
    }
  }
  return text(".word 0x%016llx", static_cast<unsigned long long>(w));
}

std::string disassemble(const uint64_t* words, uint32_t n, uint32_t first_pc) {
  std::string out;
  std::vector<uint32_t> ends;  // pc after each open loop
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t pc = first_pc + i;
    while (!ends.empty() && ends.back() <= pc) ends.pop_back();
    out += text("%5u  ", pc) + std::string(2 * ends.size(), ' ') + disassemble(words[i]) + "\n";
    if (isa::kOpcode.get(words[i]) == static_cast<uint64_t>(isa::Op::kLoop))
      ends.push_back(pc + 1 + get(isa::loop::len, words[i]));
  }
  return out;
}

const char* fault_name(isa::Fault fault) {
  switch (fault) {
    case isa::Fault::kNone: return "NONE";
    case isa::Fault::kIllegalInstr: return "ILLEGAL_INSTR";
    case isa::Fault::kAddress: return "ADDRESS";
    case isa::Fault::kLoop: return "LOOP";
    case isa::Fault::kTokenOverflow: return "TOKEN_OVERFLOW";
    case isa::Fault::kConfig: return "CONFIG";
    case isa::Fault::kWatchdog: return "WATCHDOG";
    case isa::Fault::kSramParity: return "SRAM_PARITY";
    case isa::Fault::kOverflow: return "OVERFLOW";
    case isa::Fault::kStopped: return "STOPPED";
  }
  return "unknown";
}

}  // namespace ohmac::golden
