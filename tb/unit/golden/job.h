// SPDX-License-Identifier: Apache-2.0
// DMA jobs and a small two-tile network, for tests of the golden chip alone and against the RTL.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "sw/hal/gen/ohmac_csr.h"
#include "tb/unit/golden/program.h"

#define CSR(field) static_cast<uint32_t>(offsetof(ohmac_csr_t, field))

namespace ohmac::test {

/// One descriptor, fields as in ISA.md.
struct Desc {
  isa::DmaOp op = isa::DmaOp::kEnd;
  uint32_t tile = 0, len = 0;
  uint64_t mem = 0;
  uint32_t tile_addr = 0;
  int32_t mem_stride = 0;
  uint32_t tile_stride = 0, tile_slots = 0;
  int wait_token = -1;
  uint32_t wait_count = 1;
  int sig_token = -1;
  uint32_t mask = 0, repeat = 0;
};

constexpr uint64_t kBase = 0x8000'0000, kJob = kBase, kIn = kBase + 0x4000, kOut = kBase + 0x8000;

inline std::vector<uint32_t> encode(const std::vector<Desc>& job) {
  namespace d = isa::desc;
  std::vector<uint32_t> words(16 * job.size());
  for (size_t i = 0; i < job.size(); ++i) {
    const Desc& x = job[i];
    const auto put = [&](isa::Field f, uint64_t v) { words[16 * i + f.word] |= static_cast<uint32_t>(f.put(v)); };
    put(d::op, static_cast<uint64_t>(x.op));
    put(d::tile, x.tile);
    put(d::len, x.len);
    put(d::mem_lo, x.mem & 0xFFFFFFFF);
    put(d::mem_hi, x.mem >> 32);
    put(d::tile_addr, x.tile_addr);
    put(d::mem_stride, static_cast<uint32_t>(x.mem_stride));
    put(d::tile_stride, x.tile_stride);
    put(d::tile_slots, x.tile_slots);
    put(d::wait_en, x.wait_token >= 0);
    put(d::wait_token, static_cast<uint32_t>(std::max(x.wait_token, 0)));
    put(d::wait_count, x.wait_count);
    put(d::sig_en, x.sig_token >= 0);
    put(d::sig_token, static_cast<uint32_t>(std::max(x.sig_token, 0)));
    put(d::mask_lo, x.mask);
    put(d::repeat_desc, x.repeat);
  }
  return words;
}

/// Bytes for a NoC address of a tile.
struct Piece {
  uint32_t addr;
  std::vector<uint8_t> bytes;
};

/// Two tiles, a layer each: tile 0 gets an int8 vector of 32, MVM, ReLU and requantisation to 32 int8, SEND to tile 1;
/// tile 1 MVM, bias, int32 result of 8 to the outbox. Double-buffered everywhere, weights random.
struct Mlp {
  static constexpr uint32_t kMult = 77, kShift = 16, kRange1 = 7, kRange2 = 6;
  uint32_t images;
  std::vector<int8_t> w1, w2, input;
  std::vector<int32_t> bias;
  std::vector<Piece> pieces[2];  // programs, constants, configuration

  explicit Mlp(uint32_t n) : images(n), w1(32 * 32), w2(32 * 8), input(32 * n), bias(8) {
    std::mt19937 rng(3);
    const auto int8 = [&] { return static_cast<int8_t>(static_cast<int>(rng() % 255) - 127); };
    for (auto& v : w1) v = int8();
    for (auto& v : w2) v = int8();
    for (auto& v : input) v = int8();
    for (auto& v : bias) v = static_cast<int32_t>(rng() % 20000) - 10000;
    // A tile that is filled through its back door, and read out into pieces.
    GoldenTile a(tiny_geometry(), ideal_macro(tiny_geometry())), b = a;
    unit_calibration(a, 32);
    unit_calibration(b, 32);
    set_slot(a, 0, {.k = 32, .range = kRange1, .mux_count = 4});
    set_vec(a, 0, 32, true, true, kMult, kShift);
    // a0 input slots, a1 psums, a2 int8, a3 input of tile 1: two of each
    set_agu(a, 0, 0x1000, {32}, 0x1000, 64);
    set_agu(a, 1, 0x1100, {128}, 0x1100, 256);
    set_agu(a, 2, 0x1200, {32}, 0x1200, 64);
    set_agu(a, 3, 0x1000, {32}, 0x1000, 64);
    // Tokens: 0 input there, 1 psum free, 2 psum there, 3 int8 free, 4 int8 there, 5 slot of tile 1 free
    const std::vector<uint64_t> code_a{
        isa::signal::make(kSeq, 1, 2),
        isa::signal::make(kSeq, 3, 2),
        isa::signal::make(kSeq, 5, 2),
        isa::loop::make(0, 0, 14, n),
        isa::wait::make(kMvm, 0, 1),
        isa::wait::make(kMvm, 1, 1),
        isa::mvm::make(op(0), op(1), 0),
        isa::signal::make(kMvm, 2, 1),
        isa::wait::make(kVec, 2, 1),
        isa::wait::make(kVec, 3, 1),
        isa::vec::make(op(1), 0, op(2), 0, 0),
        isa::signal::make(kVec, 1, 1),
        isa::signal::make(kVec, 4, 1),
        isa::wait::make(kNet, 4, 1),
        isa::wait::make(kNet, 5, 1),
        isa::send::make(op(2), 1, op(3), 32, 1, 0),
        isa::signal::make(kNet, 3, 1),
        isa::send::make(op(2), isa::kHostTile, op(3), 0, 1, 1),  // the host may refill the input slot
        isa::halt::make()};
    set_slot(b, 0, {.k = 32, .range = kRange2, .mux_count = 1});
    set_vec(b, 0, 8, false, false);
    set_agu(b, 0, 0x1000, {32}, 0x1000, 64);
    set_agu(b, 1, 0x1100, {32}, 0x1100, 64);
    set_agu(b, 2, 0x1200);
    set_agu(b, 3, 0x1300, {32}, 0x1300, 64);
    set_agu(b, 4, 0, {32});
    const std::vector<uint64_t> code_b{isa::signal::make(kSeq, 1, 2),
                                       isa::signal::make(kSeq, 3, 2),
                                       isa::loop::make(0, 0, 13, n),
                                       isa::wait::make(kMvm, 0, 1),
                                       isa::wait::make(kMvm, 1, 1),
                                       isa::mvm::make(op(0), op(1), 0),
                                       isa::signal::make(kMvm, 2, 1),
                                       isa::wait::make(kVec, 2, 1),
                                       isa::wait::make(kVec, 3, 1),
                                       isa::vec::make(op(1), op(2), op(3), 1, 0),
                                       isa::signal::make(kVec, 1, 1),
                                       isa::signal::make(kVec, 4, 1),
                                       isa::wait::make(kNet, 4, 1),
                                       isa::send::make(op(3), isa::kHostTile, op(4), 32, 1, 0),
                                       isa::signal::make(kNet, 3, 1),
                                       isa::send::make(op(3), 0, op(4), 0, 1, 5),
                                       isa::halt::make()};
    pieces[0].push_back(piece(0, code_a));
    pieces[1].push_back(piece(0, code_b));
    pieces[1].push_back(piece(0x1200, bias));
    for (uint32_t t = 0; t < 2; ++t) {
      const GoldenTile& from = t == 0 ? a : b;
      for (const auto& [first, count] : {std::pair<uint32_t, uint32_t>{cfg::kAguBase, 64},
                                         {cfg::kMvmcfgBase, 8},
                                         {cfg::kVeccfgBase, 4},
                                         {cfg::kCalBase, 32}}) {
        std::vector<uint32_t> words;
        for (uint32_t w = 0; w < count; ++w) words.push_back(from.config(first + w));
        pieces[t].push_back(piece(cfg::noc_addr(first), words));
      }
    }
  }
  template <class T>
  static Piece piece(uint32_t addr, const std::vector<T>& v) {
    Piece p{addr, std::vector<uint8_t>(v.size() * sizeof(T))};
    std::memcpy(p.bytes.data(), v.data(), p.bytes.size());
    return p;
  }

  void program(Macro& m, uint32_t tile) const {
    if (tile == 0)
      m.program_cells(0, 0, 32, 32, w1.data());
    else
      m.program_cells(0, 0, 32, 8, w2.data());
  }

  /// Two vectors ahead, the rest as slots come free; done when every result is in memory.
  std::vector<Desc> job() const { return stream(3, 0, 1, images); }
  /// The second layer alone, tile 1: each input goes to it, each result to the outbox.
  std::vector<Desc> second_layer() const { return stream(2, 1, 0, 2); }

  /// The inputs to one tile of those started. @param slot_token DMA token of a free slot; @param results tokens 0 that
  /// are left to wait for at the end
  std::vector<Desc> stream(uint32_t started, uint32_t tile, uint8_t slot_token, uint32_t results) const {
    using isa::DmaOp;
    return {{.op = DmaOp::kStart, .mask = started},
            {.op = DmaOp::kM2t, .tile = tile, .len = 32, .mem = kIn, .tile_addr = 0x1000, .sig_token = 0},
            {.op = DmaOp::kM2t, .tile = tile, .len = 32, .mem = kIn + 32, .tile_addr = 0x1020, .sig_token = 0},
            {.op = DmaOp::kRepeat, .len = images - 2, .repeat = 1},
            {.op = DmaOp::kM2t,
             .tile = tile,
             .len = 32,
             .mem = kIn + 64,
             .tile_addr = 0x1000,
             .mem_stride = 32,
             .tile_stride = 32,
             .tile_slots = 2,
             .wait_token = slot_token,
             .sig_token = 0},
            {.op = DmaOp::kWait, .wait_token = 0, .wait_count = results},
            {}};
  }

  /// int8_adc: the integer network with the ADC's rounding and clipping.
  std::vector<int32_t> expected(uint32_t image) const {
    const auto code = [](int64_t s, uint32_t range) {
      return static_cast<int>(std::clamp(std::floor(static_cast<double>(s) / (1 << range) + 0.5), -128.0, 127.0));
    };
    int8_t hidden[32];
    for (uint32_t j = 0; j < 32; ++j) {
      int64_t s = 0;
      for (uint32_t i = 0; i < 32; ++i) s += input[32 * image + i] * w1[32 * i + j];
      const double y = std::max(0, code(s, kRange1) * 256) * static_cast<double>(kMult) / (1 << kShift);
      hidden[j] = static_cast<int8_t>(std::clamp(std::nearbyint(y), -127.0, 127.0));  // half to even
    }
    std::vector<int32_t> out(8);
    for (uint32_t j = 0; j < 8; ++j) {
      int64_t s = 0;
      for (uint32_t i = 0; i < 32; ++i) s += hidden[i] * w2[8 * i + j];
      out[j] = code(s, kRange2) * 256 + bias[j];
    }
    return out;
  }
};

}  // namespace ohmac::test
