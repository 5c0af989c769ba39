// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <verilated.h>
#include <verilated_fst_c.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/systemc/rtl_chip.h"

namespace ohmac {

/// One Verilated geometry. Wide ports are arrays of 32-bit words in little-endian order, so bytes can be addressed
/// directly. `Trace` is the recorder of Verilator that the model was made for.
template <class V, class Trace = VerilatedFstC>
class VerilatedChip final : public RtlChip {
 public:
  /// `setup` may set the context up (plus arguments, random values) before the model is made.
  explicit VerilatedChip(const Geometry& g, const std::function<void(VerilatedContext&)>& setup = {}) : RtlChip(g) {
    if (setup) setup(context_);
    context_.traceEverOn(true);
    top_ = std::make_unique<V>(&context_);
    std::memset(&top_->cmp_i, 0, sizeof top_->cmp_i);
    set_axil({});
    set_axi({});
    // An asynchronous reset is an edge to the simulator: flops behind a stopped clock would not see one that is low
    // from the start.
    top_->clk_i = 0;
    top_->rst_ni = 1;
    top_->eval();
    top_->rst_ni = 0;
    top_->eval();
  }
  ~VerilatedChip() override { top_->final(); }

  void set_reset(bool active) override { top_->rst_ni = !active; }
  void clock(bool level) override {
    top_->clk_i = level;
    top_->eval();
    if (trace_) trace_->dump(++half_cycles_ * 2);  // 2 ns a half cycle
  }

  void get_axi(AxiMasterOut* o) const override {
    o->awvalid = top_->m_axi_awvalid;
    o->wvalid = top_->m_axi_wvalid;
    o->bready = top_->m_axi_bready;
    o->arvalid = top_->m_axi_arvalid;
    o->rready = top_->m_axi_rready;
    if (o->awvalid) {
      o->awaddr = top_->m_axi_awaddr;
      o->awlen = top_->m_axi_awlen;
    }
    if (o->wvalid) {
      std::memcpy(o->wdata.data(), top_->m_axi_wdata.data(), sizeof o->wdata);
      o->wstrb = top_->m_axi_wstrb;
      o->wlast = top_->m_axi_wlast;
    }
    if (o->arvalid) {
      o->araddr = top_->m_axi_araddr;
      o->arlen = top_->m_axi_arlen;
    }
  }
  void set_axi(const AxiSlaveOut& i) override {
    top_->m_axi_awready = i.awready;
    top_->m_axi_wready = i.wready;
    top_->m_axi_bvalid = i.bvalid;
    top_->m_axi_bresp = i.bresp;
    top_->m_axi_bid = 0;
    top_->m_axi_arready = i.arready;
    top_->m_axi_rvalid = i.rvalid;
    top_->m_axi_rresp = i.rresp;
    top_->m_axi_rlast = i.rlast;
    top_->m_axi_rid = 0;
    std::memcpy(top_->m_axi_rdata.data(), i.rdata.data(), sizeof i.rdata);
  }
  void get_axil(AxiLiteOut* o) const override {
    o->awready = top_->s_axil_awready;
    o->wready = top_->s_axil_wready;
    o->bvalid = top_->s_axil_bvalid;
    o->bresp = top_->s_axil_bresp;
    o->arready = top_->s_axil_arready;
    o->rvalid = top_->s_axil_rvalid;
    o->rresp = top_->s_axil_rresp;
    o->rdata = top_->s_axil_rdata;
  }
  void set_axil(const AxiLiteIn& i) override {
    top_->s_axil_awvalid = i.awvalid;
    top_->s_axil_awaddr = i.awaddr & 0x7FF;
    top_->s_axil_wvalid = i.wvalid;
    top_->s_axil_wdata = i.wdata;
    top_->s_axil_wstrb = 0xF;
    top_->s_axil_bready = i.bready;
    top_->s_axil_arvalid = i.arvalid;
    top_->s_axil_araddr = i.araddr & 0x7FF;
    top_->s_axil_rready = i.rready;
  }
  bool irq() const override { return top_->irq_o; }

  uint64_t pins(uint32_t tile) const override {
    const unsigned bit = tile * kPinBits;
    const auto* words = reinterpret_cast<const uint32_t*>(&top_->pins_o) + bit / 32;
    const unsigned shift = bit % 32;
    uint64_t v = (uint64_t{words[1]} << 32 | words[0]) >> shift;
    if (shift > 64 - kPinBits) v |= uint64_t{words[2]} << (64 - shift);
    return v & ((uint64_t{1} << kPinBits) - 1);
  }
  uint32_t prog(uint32_t tile) const override {
    const unsigned bit = tile * kProgBits, shift = bit % 32;
    const auto* words = reinterpret_cast<const uint32_t*>(&top_->prog_o) + bit / 32;
    uint64_t v = words[0];
    if (shift + kProgBits > 32) v |= uint64_t{words[1]} << 32;
    return static_cast<uint32_t>(v >> shift) & ((1u << kProgBits) - 1);
  }
  uint32_t busy(uint32_t tile) const override {
    const unsigned bit = tile * kBusyBits, shift = bit % 32;
    const auto* words = reinterpret_cast<const uint32_t*>(&top_->trace_o) + bit / 32;
    uint64_t v = words[0];
    if (shift + kBusyBits > 32) v |= uint64_t{words[1]} << 32;
    return static_cast<uint32_t>(v >> shift) & ((1u << kBusyBits) - 1);
  }
  uint32_t dma_busy() const override { return top_->trace_dma_o; }
  bool any_prog() const override {
    static_assert(sizeof top_->prog_o % sizeof(uint32_t) == 0, "prog_o is narrower than a word");
    const auto* words = reinterpret_cast<const uint32_t*>(&top_->prog_o);
    uint32_t any = 0;
    for (size_t i = 0; i < sizeof top_->prog_o / sizeof *words; ++i) any |= words[i];
    return any != 0;
  }
  const int8_t* sar_codes(uint32_t tile) const override {
    return reinterpret_cast<const int8_t*>(&top_->sar_code_o) + tile * geometry_.lanes;
  }
  void set_cmp(uint32_t tile, const uint8_t* cmp) override {
    auto* bytes = reinterpret_cast<uint8_t*>(&top_->cmp_i) + tile * geometry_.lanes / 8;
    for (uint32_t l = 0; l < geometry_.lanes; l += 8) {
      uint8_t b = 0;
      for (uint32_t i = 0; i < 8; ++i) b = static_cast<uint8_t>(b | (cmp[l + i] & 1) << i);
      bytes[l / 8] = b;
    }
  }

  void open_trace(const std::string& path) override { open_trace(path, {}); }
  /// Only these scopes, each to a depth, if any are given.
  void open_trace(const std::string& path, const std::vector<std::pair<int, std::string>>& scopes) {
    if (!std::ofstream(path)) throw std::runtime_error(path + ": cannot write waves");  // isOpen() does not tell
    trace_ = std::make_unique<Trace>();
    top_->trace(trace_.get(), 99);
    for (const auto& [depth, scope] : scopes) trace_->dumpvars(depth, scope);
    trace_->open(path.c_str());
  }
  void close_trace() override {
    if (trace_) trace_->close();
    trace_.reset();
  }

 private:
  static constexpr unsigned kPinBits = 62;   // macro_pins_t
  static constexpr unsigned kProgBits = 21;  // macro_prog_t
  static constexpr unsigned kBusyBits = 6;   // tile_busy_t
  VerilatedContext context_;
  std::unique_ptr<V> top_;
  std::unique_ptr<Trace> trace_;
  uint64_t half_cycles_ = 0;
};

}  // namespace ohmac
