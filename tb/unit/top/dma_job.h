// SPDX-License-Identifier: Apache-2.0
// DMA descriptors and what a job of them does to memory and tiles, in plain C++ from ISA.md and rtl/top/README.md.
// Sequential: it knows nothing of bursts, outstanding transfers or time.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "tb/common/axi_memory.h"

namespace ohmac::tb {

enum DmaOp : uint8_t { kEnd = 0, kM2t = 1, kT2m = 2, kStart = 3, kWait = 4, kRepeat = 5 };
enum DmaErr : uint8_t { kNone = 0, kWindow = 1, kAxiRead = 2, kAxiWrite = 3, kDescriptor = 4, kToken = 5 };

struct Desc {
  uint8_t op = kEnd;
  unsigned tile = 0;
  uint32_t len = 0;
  uint64_t mem = 0;
  uint32_t tile_addr = 0;
  int32_t mem_stride = 0;
  uint32_t tile_stride = 0;
  unsigned tile_slots = 0;
  bool wait_en = false;
  unsigned wait_token = 0, wait_count = 0;
  bool sig_en = false;
  unsigned sig_token = 0;
  uint64_t mask = 0;
  unsigned repeat_desc = 0;

  /// 16 little-endian words, ISA.md.
  std::vector<uint8_t> bytes() const {
    std::array<uint32_t, 16> w{};
    w[0] = op | tile << 8;
    w[1] = len;
    w[2] = static_cast<uint32_t>(mem);
    w[3] = static_cast<uint32_t>(mem >> 32);
    w[4] = tile_addr;
    w[5] = static_cast<uint32_t>(mem_stride);
    w[6] = tile_stride;
    w[7] = tile_slots;
    w[8] = (wait_en ? 1u : 0u) | wait_token << 4 | wait_count << 8 | (sig_en ? 1u << 16 : 0u) | sig_token << 20;
    w[9] = static_cast<uint32_t>(mask);
    w[10] = static_cast<uint32_t>(mask >> 32);
    w[11] = repeat_desc;
    std::vector<uint8_t> out;
    for (uint32_t v : w) {
      for (int b = 0; b < 4; ++b) out.push_back(static_cast<uint8_t>(v >> (8 * b)));
    }
    return out;
  }
};

inline Desc m2t(unsigned tile, uint64_t mem, uint32_t tile_addr, uint32_t len) {
  Desc d;
  d.op = kM2t, d.tile = tile, d.mem = mem, d.tile_addr = tile_addr, d.len = len;
  return d;
}
inline Desc t2m(unsigned tile, uint32_t tile_addr, uint64_t mem, uint32_t len) {
  Desc d = m2t(tile, mem, tile_addr, len);
  d.op = kT2m;
  return d;
}
inline Desc start(uint64_t mask, uint32_t pc) {
  Desc d;
  d.op = kStart, d.mask = mask, d.tile_addr = pc;
  return d;
}
inline Desc wait(unsigned token, unsigned count) {
  Desc d;
  d.op = kWait, d.wait_en = true, d.wait_token = token, d.wait_count = count;
  return d;
}
inline Desc repeat(unsigned n, uint32_t times) {
  Desc d;
  d.op = kRepeat, d.repeat_desc = n, d.len = times;
  return d;
}
inline Desc end() { return Desc{}; }

/// Byte spaces of the tiles, and how often each of their tokens was raised.
struct TileSpaces {
  std::map<unsigned, SparseMemory> bytes;
  std::map<std::pair<unsigned, unsigned>, unsigned> tokens;  // {tile, token}
};

struct JobModel {
  SparseMemory memory;
  TileSpaces tiles;
  std::vector<std::pair<uint64_t, uint32_t>> starts;  // mask, pc

  void run(const std::vector<Desc>& job) {
    for (size_t i = 0; i < job.size() && job[i].op != kEnd; ++i) {
      if (job[i].op != kRepeat) {
        step(job[i], 0);
        continue;
      }
      for (uint32_t n = 0; n < job[i].len; ++n) {
        for (unsigned k = 1; k <= job[i].repeat_desc; ++k) step(job[i + k], n);
      }
      i += job[i].repeat_desc;
    }
  }

 private:
  void step(const Desc& d, uint32_t i) {
    const uint64_t mem = d.mem + static_cast<int64_t>(i) * d.mem_stride;
    const uint32_t tile_addr = (d.tile_addr + (d.tile_slots ? i % d.tile_slots : i) * d.tile_stride) & 0xFFFFFF;
    SparseMemory& tile = tiles.bytes[d.tile];
    for (uint32_t b = 0; d.op == kM2t && b < d.len; ++b) tile.write(tile_addr + b, memory.read(mem + b));
    for (uint32_t b = 0; d.op == kT2m && b < d.len; ++b) memory.write(mem + b, tile.read(tile_addr + b));
    if (d.op == kM2t && d.sig_en) ++tiles.tokens[{d.tile, d.sig_token}];
    if (d.op == kStart) starts.push_back({d.mask, d.tile_addr & 0xFFFF});
  }
};

}  // namespace ohmac::tb
