// SPDX-License-Identifier: Apache-2.0
// Port bundles of the chip's two AXI interfaces, as plain values sampled once a clock edge.
#pragma once
#include <array>
#include <cstdint>

namespace ohmac {

using AxiData = std::array<uint32_t, 4>;  ///< 128 bits, word 0 = lowest bytes

/// What the chip's AXI4 master drives.
struct AxiMasterOut {
  bool awvalid = false, wvalid = false, wlast = false, bready = false, arvalid = false, rready = false;
  uint8_t awlen = 0, arlen = 0;  ///< beats - 1
  uint16_t wstrb = 0;
  uint64_t awaddr = 0, araddr = 0;
  AxiData wdata{};
};

/// What the memory drives back.
struct AxiSlaveOut {
  bool awready = false, wready = false, bvalid = false, arready = false, rvalid = false, rlast = false;
  uint8_t bresp = 0, rresp = 0;
  AxiData rdata{};
};

/// What the host drives on the chip's AXI4-Lite port.
struct AxiLiteIn {
  bool awvalid = false, wvalid = false, bready = false, arvalid = false, rready = false;
  uint32_t awaddr = 0, wdata = 0, araddr = 0;
};

struct AxiLiteOut {
  bool awready = false, wready = false, bvalid = false, arready = false, rvalid = false;
  uint8_t bresp = 0, rresp = 0;
  uint32_t rdata = 0;
};

constexpr uint8_t kAxiOkay = 0, kAxiSlvErr = 2, kAxiDecErr = 3;

}  // namespace ohmac
