// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "models/macro/geometry.h"
#include "models/macro/macro.h"
#include "models/systemc/axi.h"

namespace ohmac {

/// The Verilated chip behind a geometry-independent face. One object is one chip; no SystemC here.
class RtlChip {
 public:
  virtual ~RtlChip() = default;
  RtlChip(const RtlChip&) = delete;
  RtlChip& operator=(const RtlChip&) = delete;

  const Geometry& geometry() const { return geometry_; }

  virtual void set_reset(bool active) = 0;
  /// Sets the clock level and lets everything settle.
  virtual void clock(bool level) = 0;

  virtual void get_axi(AxiMasterOut* out) const = 0;
  virtual void set_axi(const AxiSlaveOut& in) = 0;
  virtual void get_axil(AxiLiteOut* out) const = 0;
  virtual void set_axil(const AxiLiteIn& in) = 0;
  virtual bool irq() const = 0;

  /// Packed macro_pins_t of a tile (62 bits).
  virtual uint64_t pins(uint32_t tile) const = 0;
  /// Packed macro_prog_t of a tile (21 bits).
  virtual uint32_t prog(uint32_t tile) const = 0;
  /// False if prog() is 0 for every tile, which it nearly always is.
  virtual bool any_prog() const = 0;
  /// Packed tile_busy_t of a tile (6 bits), and {read, write} of the DMA.
  virtual uint32_t busy(uint32_t tile) const = 0;
  virtual uint32_t dma_busy() const = 0;
  /// Trial thresholds of a tile, one signed byte a lane.
  virtual const int8_t* sar_codes(uint32_t tile) const = 0;
  /// Comparator bits of a tile, one byte (0/1) a lane.
  virtual void set_cmp(uint32_t tile, const uint8_t* cmp) = 0;

  virtual void open_trace(const std::string& path) = 0;
  virtual void close_trace() = 0;

 protected:
  explicit RtlChip(const Geometry& g) : geometry_(g) {}
  Geometry geometry_;
};

/// Unpacks macro_pins_t; field order as in rtl/pkg/ohmac_pkg.sv, last field in the lowest bits.
PinsIn unpack_pins(uint64_t packed);
/// Likewise macro_prog_t.
ProgIn unpack_prog(uint32_t packed);

/// The Verilated chip of this geometry: one that is part of the program, or from a shared object (chip_library.h).
/// Throws std::invalid_argument if there is neither.
std::unique_ptr<RtlChip> make_rtl_chip(const Geometry& geometry);

}  // namespace ohmac
