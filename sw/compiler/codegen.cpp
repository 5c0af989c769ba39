// SPDX-License-Identifier: Apache-2.0
// One tile runs one loop over the input vectors of a job. Each engine has its own short list of operations per vector,
// ordered against the others by tokens only:
//
//   MVM   WAIT in ...          MVM in -> psum                                                 SIGNAL go
//   VEC   WAIT go WAIT chain   VEC psum (+ bias | + chain) in place, the tail requantises     SIGNAL out
//   NET   WAIT out             SEND to the next K-tile, to the tiles of the next layer, or to the host
//
// An MVM takes three ADC periods from fetch to psum, and on a K-tile its vector operation waits for the chain besides,
// so four vectors must be in flight. The sequencer issues in order: what lies between two MVMs has to find room in the
// queues. That is why the vector queue (16 entries, four a vector) is twice as deep as the others; with 8 a K-tile
// would take 104 cycles a vector where its conversions take 80. Waiting for the chain anywhere else (in the MVM queue,
// say) would hold up the MVMs behind it and make every step of the chain one MVM longer.
//
// No buffer needs a credit: every one has `in_flight` slots, and the driver lets no more vectors than that into the
// chip.
#include "sw/compiler/codegen.h"

#include <fmt/format.h>
#include <algorithm>

#include "models/golden/disasm.h"
#include "sw/compiler/quantise.h"
#include "sw/hal/gen/ohmac_isa.h"
#include "sw/runtime/image.h"

namespace ohmac::compiler {
namespace {

using isa::Engine;

enum Agu : uint32_t { kIn = 0, kPsum = 1, kChain = 2, kDest = 3, kGather = 4, kConst = 5 };
constexpr uint32_t kMaxSend = 2048;      // bytes of one SEND (12-bit field), multiple of 16
constexpr uint32_t kMaxElements = 4095;  // VEC LEN field
constexpr uint32_t kLoopScalar = 0;
constexpr uint32_t kLine = 32;      // bytes of an SRAM line; bank = line % banks
constexpr uint32_t kBankCycle = 8;  // lines: every geometry has at most so many banks

uint32_t round_up(uint32_t v, uint32_t unit) { return (v + unit - 1) / unit * unit; }

/// Overlap of the outputs of `from` with the inputs of `to`: [begin, end) in elements of the vector between them; empty
/// if begin >= end.
struct Overlap {
  uint32_t begin, end;
};
Overlap overlap(const Piece& from, const Piece& to) {
  return {std::max(from.n0, to.k0), std::min(from.n0 + from.n, to.k0 + to.k)};
}

class Assembler {
 public:
  explicit Assembler(TilePlan* p) : p_(p) {}
  void emit(uint64_t word, std::string note = "") {
    p_->program.push_back(word);
    p_->notes.push_back(std::move(note));
  }
  void setr(uint32_t addr, uint32_t value, std::string note = "") {
    emit(isa::setr::make(addr, value), std::move(note));
  }
  void agu(uint32_t i, const Buffer& b, uint32_t slots, const char* note) {
    using namespace isa::cfg;
    const uint32_t base = kAguBase + i * kAguStride;
    setr(base + agu::addr.word, b.addr, note);
    setr(base + agu::inc0.word, b.stride);
    setr(base + agu::wrap_base.word, b.addr);
    setr(base + agu::wrap_len.word, slots * b.stride);
  }
  void wait(Engine e, uint32_t token, std::string note = "") {
    emit(isa::wait::make(static_cast<uint64_t>(e), token, 1), std::move(note));
  }
  void signal(Engine e, uint32_t token, std::string note = "") {
    emit(isa::signal::make(static_cast<uint64_t>(e), token, 1), std::move(note));
  }
  /// `bytes` from src to dst, in SENDs of at most kMaxSend; the last one carries the token.
  void send(uint32_t src_agu, uint32_t src16, uint32_t tile, uint32_t dst_agu, uint32_t dst16, uint32_t bytes,
            bool token_en, uint32_t token, const std::string& note) {
    for (uint32_t done = 0; done < bytes; done += kMaxSend) {
      const uint32_t len = std::min(kMaxSend, bytes - done);
      const bool last = done + len == bytes;
      emit(isa::send::make(isa::operand(src_agu, src16 + done / 16), tile, isa::operand(dst_agu, dst16 + done / 16),
                           len, last && token_en, last && token_en ? token : 0),
           note);
    }
  }

 private:
  TilePlan* p_;
};

uint32_t phases(const CompileOptions& o, uint32_t k) {
  return input_slicing(o.input_slice_bits).count * (o.group_rows ? (k + o.group_rows - 1) / o.group_rows : 1);
}

/// Buffers for `slots` vectors; the bytes used before the program. The two operands of the vector unit start two banks
/// apart: read side by side from the same bank they would take three cycles for two steps.
uint32_t lay_out(TilePlan* p, uint32_t slots, uint32_t in_stride, uint32_t psum_stride, uint32_t gather_stride) {
  uint32_t at = 0;
  const auto from_bank = [&](uint32_t bank) {
    at = round_up(at, kLine) + kLine * ((bank + kBankCycle - round_up(at, kLine) / kLine % kBankCycle) % kBankCycle);
  };
  const auto take = [&](uint32_t stride) {
    const Buffer b{at, stride};
    at = round_up(at + slots * stride, kLine);
    return b;
  };
  p->in = take(in_stride);  // first: the same address on every tile of a layer, so a sender needs one address generator
  from_bank(0);
  p->chain = p->piece.head() ? Buffer{} : take(round_up(4 * p->piece.n, kLine));
  if (!p->bias.empty()) {
    p->bias_addr = at;
    at += 4 * static_cast<uint32_t>(p->bias.size());
  }
  from_bank(2);
  p->psum = take(psum_stride);
  p->gather = gather_stride ? take(gather_stride) : Buffer{};
  return at;
}

}  // namespace

std::vector<TilePlan> generate(const Compiled& c, uint32_t* in_flight) {
  const CompileOptions& o = c.options;
  const Geometry& g = o.geometry;
  std::vector<TilePlan> plans;
  for (const Piece& piece : c.pieces) {
    TilePlan p;
    p.piece = piece;
    const QuantLayer& l = c.layers[piece.layer];
    p.mux_count = (piece.n * o.weight_slices + g.lanes - 1) / g.lanes;
    p.drives = phases(o, piece.k);
    p.conversion_cycles = p.drives * p.mux_count * (o.adc_bits + 2);
    if (piece.head()) {
      p.bias.assign(l.adc.bias.begin() + piece.n0, l.adc.bias.begin() + piece.n0 + piece.n);
      if (std::all_of(p.bias.begin(), p.bias.end(), [](int32_t b) { return b == 0; })) p.bias.clear();
    }
    if (piece.n > kMaxElements)
      throw CompileError(fmt::format(
          "{}: layer '{}': {} outputs on one tile, the vector unit takes at most {}; use a geometry with fewer columns",
          c.source.file, l.name, piece.n, kMaxElements));
    for (const Piece& from : c.pieces)
      if (from.layer + 1 == piece.layer && from.tail()) {
        const Overlap v = overlap(from, piece);
        p.in_tokens += v.begin < v.end;
      }
    if (piece.layer == 0) p.in_tokens = 1;
    plans.push_back(std::move(p));
  }
  std::vector<uint32_t> in_stride(c.layers.size(), 0);
  for (const TilePlan& p : plans)
    in_stride[p.piece.layer] = std::max(in_stride[p.piece.layer], round_up(p.piece.k, 16));
  const auto is_last = [&](const TilePlan& p) { return c.layers[p.piece.layer].last; };
  const auto collects = [&](const TilePlan& p) {
    return is_last(p) && p.piece.tail() && p.piece.n_count > 1 && p.piece.n_index + 1 == p.piece.n_count;
  };
  const uint32_t out_bytes = round_up(4 * c.output_count, 32);
  const auto plan_of = [&](auto match) -> const TilePlan& {
    return *std::find_if(plans.begin(), plans.end(), [&](const TilePlan& p) { return match(p.piece); });
  };

  const auto arrange = [&](uint32_t slots) {
    uint32_t end = 0;
    for (TilePlan& p : plans)
      end = std::max(
          end, lay_out(&p, slots, in_stride[p.piece.layer],
                       round_up(4 * p.mux_count * g.lanes / o.weight_slices, kLine), collects(p) ? out_bytes : 0));
    for (TilePlan& p : plans) p.program_addr = end;  // the same on all tiles: one START descriptor starts them
  };

  const auto program = [&](TilePlan& p, uint32_t slots) {
    const Piece& piece = p.piece;
    const QuantLayer& l = c.layers[piece.layer];
    p.program.clear();
    p.notes.clear();
    Assembler a(&p);

    // Tokens of this tile: input parts, then the rest.
    const uint32_t go = p.in_tokens, out = go + 1, chain = out + 1, gather = chain + 1;
    const uint32_t used = collects(p) ? gather + piece.n_count - 1 : gather;
    if (used > isa::kNumTokens)
      throw CompileError(
          fmt::format("{}: layer '{}': needs {} tokens on a tile, the hardware has {}; use a geometry with more "
                      "columns, so that fewer tiles meet in one place",
                      c.source.file, l.name, used, isa::kNumTokens));

    a.agu(kIn, p.in, slots, "input slots");
    a.agu(kPsum, p.psum, slots, "psum slots");
    if (!piece.head()) a.agu(kChain, p.chain, slots, "partial sums from the K-tile before");
    if (!p.bias.empty()) {
      a.setr(isa::cfg::kAguBase + kConst * isa::cfg::kAguStride, p.bias_addr, "bias");
      a.setr(isa::cfg::kAguBase + kConst * isa::cfg::kAguStride + isa::cfg::agu::inc0.word, 0);
      a.setr(isa::cfg::kAguBase + kConst * isa::cfg::kAguStride + isa::cfg::agu::wrap_len.word, 0);
    }
    {
      using namespace isa::cfg;
      const uint32_t in_code = o.input_slice_bits == 7   ? 0
                               : o.input_slice_bits == 4 ? 1
                               : o.input_slice_bits == 2 ? 2
                                                         : 3;
      const uint32_t w_code = o.weight_slices == 1 ? 0 : o.weight_slices == 2 ? 1 : 2;
      const uint32_t group = o.group_rows ? o.group_rows : round_up(piece.k, 4);
      const uint32_t w[6] = {static_cast<uint32_t>(mvmcfg::k.put(piece.k)),
                             static_cast<uint32_t>(mvmcfg::seg_len.put(piece.k) | mvmcfg::n_seg.put(1)),
                             0,
                             0,
                             static_cast<uint32_t>(mvmcfg::in_slice.put(in_code) | mvmcfg::w_slices.put(w_code) |
                                                   mvmcfg::adc_bits.put(o.adc_bits) | mvmcfg::range.put(l.range)),
                             static_cast<uint32_t>(mvmcfg::group_rows.put(group) | mvmcfg::mux_count.put(p.mux_count))};
      for (uint32_t i = 0; i < 6; ++i)
        a.setr(kMvmcfgBase + i, w[i],
               i ? "" : fmt::format("MVM {} rows, {} column blocks, range {}", piece.k, p.mux_count, l.range));
      const bool requant = piece.tail() && !l.last, relu = piece.tail() && l.relu;
      a.setr(kVeccfgBase + veccfg::len.word,
             static_cast<uint32_t>(veccfg::len.put(piece.n) | veccfg::requant.put(requant) | veccfg::relu.put(relu)),
             fmt::format("{} elements{}{}", piece.n, relu ? ", ReLU" : "", requant ? ", to int8" : ", int32"));
      a.setr(kVeccfgBase + veccfg::mult.word, requant ? l.adc.mult : 0);
      a.setr(kVeccfgBase + veccfg::shift.word, requant ? l.adc.shift : 0);
    }

    // Where the results go.
    struct Target {
      uint32_t tile, dst16, src16, bytes, token;
      bool token_en;
      std::string note;
    };
    std::vector<Target> targets;
    uint32_t send_src = kPsum;
    if (!piece.tail()) {
      const TilePlan& next = plan_of([&](const Piece& q) {
        return q.layer == piece.layer && q.n_index == piece.n_index && q.k_index == piece.k_index + 1;
      });
      a.agu(kDest, next.chain, slots, "partial sums on the next K-tile");
      targets.push_back({next.piece.tile, 0, 0, 4 * piece.n, next.in_tokens + 2, true, "partial sums"});
    } else if (!l.last) {
      bool first = true;
      for (const TilePlan& to : plans) {
        if (to.piece.layer != piece.layer + 1) continue;
        if (first) a.agu(kDest, to.in, slots, "input slots of the next layer");
        first = false;
        const Overlap v = overlap(piece, to.piece);
        if (v.begin >= v.end) continue;
        uint32_t token = 0;  // parts from lower columns come first
        for (const Piece& other : c.pieces)
          if (other.layer == piece.layer && other.tail() && other.n_index < piece.n_index) {
            const Overlap w = overlap(other, to.piece);
            token += w.begin < w.end;
          }
        targets.push_back({to.piece.tile, (v.begin - to.piece.k0) / 16, (v.begin - piece.n0) / 16, v.end - v.begin,
                           token, true, "activations"});
      }
    } else if (piece.n_count > 1 && !collects(p)) {
      const TilePlan& last =
          plan_of([&](const Piece& q) { return q.layer == piece.layer && q.tail() && q.n_index + 1 == q.n_count; });
      a.agu(kDest, last.gather, slots, "output vectors on the last tile");
      targets.push_back({last.piece.tile, piece.n0 / 4, 0, 4 * piece.n, last.in_tokens + 3 + piece.n_index, true,
                         "part of the output"});
    } else {
      const uint32_t base = isa::cfg::kAguBase + kDest * isa::cfg::kAguStride;
      a.setr(base + isa::cfg::agu::addr.word, 0, "outbox");
      a.setr(base + isa::cfg::agu::inc0.word, c.output_stride);
      a.setr(base + isa::cfg::agu::wrap_len.word, 0);
      if (collects(p)) {
        a.agu(kGather, p.gather, slots, "whole output vectors");
        send_src = kGather;
      }
      targets.push_back({isa::kHostTile, 0, 0, 4 * c.output_count, 0, true, "output vector"});
    }

    // The loop.
    const size_t loop_at = p.program.size();
    a.emit(0, "for every input vector of the job");
    for (uint32_t t = 0; t < p.in_tokens; ++t) a.wait(Engine::kMvm, t, "input has arrived");
    a.emit(isa::mvm::make(isa::operand(kIn, 0), isa::operand(kPsum, 0), 0), l.name);
    a.signal(Engine::kMvm, go);
    a.wait(Engine::kVec, go);
    if (!piece.head()) a.wait(Engine::kVec, chain, "partial sums have arrived");
    {
      const bool use_b = !piece.head() || !p.bias.empty();
      const uint64_t b = !piece.head() ? isa::operand(kChain, 0) : !p.bias.empty() ? isa::operand(kConst, 0) : 0;
      const uint64_t dst = collects(p) ? isa::operand(kGather, piece.n0 / 4) : isa::operand(kPsum, 0);
      a.emit(isa::vec::make(isa::operand(kPsum, 0), b, dst, use_b, 0), !piece.head() ? "add the chain"
                                                                       : use_b       ? "add the bias"
                                                                                     : "");
    }
    a.signal(Engine::kVec, out);
    a.wait(Engine::kNet, out);
    if (collects(p))
      for (uint32_t i = 0; i + 1 < piece.n_count; ++i)
        a.wait(Engine::kNet, gather + i, "part of the output has arrived");
    for (const Target& t : targets)
      a.send(send_src, t.src16, t.tile, kDest, t.dst16, t.bytes, t.token_en, t.token, t.note);
    p.program[loop_at] = isa::loop::make(1, kLoopScalar, p.program.size() - loop_at - 1, 0);
    a.emit(isa::halt::make());
  };

  for (uint32_t slots = o.in_flight; slots >= 1; --slots) {
    arrange(slots);
    bool fits = true;
    for (TilePlan& p : plans) {
      program(p, slots);
      p.sram_used = p.program_addr + static_cast<uint32_t>(8 * p.program.size());
      fits &= p.sram_used <= g.sram_bytes;
    }
    if (fits) {
      *in_flight = slots;
      return plans;
    }
  }
  const TilePlan& worst = *std::max_element(
      plans.begin(), plans.end(), [](const TilePlan& x, const TilePlan& y) { return x.sram_used < y.sram_used; });
  throw CompileError(
      fmt::format("{}: layer '{}': tile {} needs {} bytes of SRAM for one vector in flight, it has {}; use a geometry "
                  "with more SRAM or fewer columns",
                  c.source.file, c.layers[worst.piece.layer].name, worst.piece.tile, worst.sram_used, g.sram_bytes));
}

std::string make_listing(const Compiled& c, const std::vector<TilePlan>& plans) {
  const CompileOptions& o = c.options;
  const Geometry& g = o.geometry;
  std::string s = fmt::format("network {}: {} inputs, {} outputs (int32), {} of {} tiles\n", c.name, c.source.inputs(),
                              c.output_count, plans.size(), g.tiles());
  s += fmt::format("chip {}x{} tiles, {}x{} cells, {} lanes, {} bytes of SRAM\n", g.mesh_x, g.mesh_y, g.rows, g.cols,
                   g.lanes, g.sram_bytes);
  s += fmt::format("inputs {} bit(s) a phase, weights in {} slice(s), {}, ADC {} bits{}\n", o.input_slice_bits,
                   o.weight_slices, o.group_rows ? fmt::format("groups of {} rows", o.group_rows) : "all rows together",
                   o.adc_bits, o.lossless ? " (lossless)" : "");
  s += fmt::format("{} vectors in flight, ADC bound {} cycles a vector\n\nlayers\n", c.in_flight, c.adc_bound);
  for (const QuantLayer& l : c.layers) {
    s += fmt::format("  {:12} {:5} x {:<5} input scale {:.6g}, weight scale {:.6g}, ADC step 2^{} = 2^{} unit products",
                     l.name, l.k, l.n, l.input_scale, l.weight_scale, l.range, l.step_log2);
    s += l.last ? ", int32 out\n"
                : fmt::format(", requantise {} >> {}{}\n", l.adc.mult, l.adc.shift, l.relu ? ", ReLU" : "");
  }
  for (const TilePlan& p : plans) {
    const auto buffer = [&](const char* name, const Buffer& b) {
      if (b.stride)
        s += fmt::format("  {:8} 0x{:04x} .. 0x{:04x}  {} slots of {} bytes\n", name, b.addr,
                         b.addr + c.in_flight * b.stride, c.in_flight, b.stride);
    };
    const Piece& q = p.piece;
    s += fmt::format(
        "\ntile {}: {} rows {}..{}, columns {}..{} (K-tile {} of {}); {} drives, {} conversion cycles a vector; SRAM "
        "{} of {}\n",
        q.tile, c.layers[q.layer].name, q.k0, q.k0 + q.k - 1, q.n0, q.n0 + q.n - 1, q.k_index + 1, q.k_count, p.drives,
        p.conversion_cycles, p.sram_used, g.sram_bytes);
    buffer("input", p.in);
    buffer("chain", p.chain);
    buffer("psum", p.psum);
    buffer("output", p.gather);
    if (!p.bias.empty())
      s += fmt::format("  {:8} 0x{:04x} .. 0x{:04x}\n", "bias", p.bias_addr, p.bias_addr + 4 * p.bias.size());
    s += fmt::format("  {:8} 0x{:04x} .. 0x{:04x}\n", "program", p.program_addr, p.sram_used);
    for (size_t i = 0; i < p.program.size(); ++i) {
      const std::string text = golden::disassemble(p.program[i]);
      s += fmt::format("  {:5}  {:016x}  {}{}\n", p.program_addr / 8 + i, p.program[i],
                       p.notes[i].empty() ? text : fmt::format("{:34}; ", text), p.notes[i]);
    }
  }
  return s;
}

}  // namespace ohmac::compiler
