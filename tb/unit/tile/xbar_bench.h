// SPDX-License-Identifier: Apache-2.0
// Ports of a Verilated ohmac_sram_xbar, reset and cleared.
#pragma once
#include <gtest/gtest.h>

#include <array>

#include "tb/common/clocked.h"
#include "tb/unit/tile/bits.h"

namespace ohmac::tb {

constexpr unsigned kWriters = 3, kReaders = 5, kPorts = kWriters + kReaders;
constexpr unsigned kLines = 4096 / 32, kBanks = 4;
using Line = std::array<uint8_t, 32>;

template <class Dut>
class XbarBench : public ::testing::Test {
 protected:
  void SetUp() override {
    dut->wr_req_i = 0;
    dut->rd_req_i = 0;
    dut.reset();
    while (dut->clearing_o) dut.tick();
  }
  void drive_write(unsigned w, unsigned line, uint32_t strb, const Line& data) {
    dut->wr_req_i |= 1u << w;
    set_bits(dut->wr_addr_i, 16 * w, 16, line);
    set_bits(dut->wr_strb_i, 32 * w, 32, strb);
    for (unsigned b = 0; b < 32; ++b) set_bits(dut->wr_data_i, 256 * w + 8 * b, 8, data[b]);
  }
  void drive_read(unsigned r, unsigned line) {
    dut->rd_req_i |= 1u << r;
    set_bits(dut->rd_addr_i, 16 * r, 16, line);
  }
  Line rdata(unsigned r) {
    Line l;
    for (unsigned b = 0; b < 32; ++b) l[b] = static_cast<uint8_t>(get_bits(dut->rd_rdata_o, 256 * r + 8 * b, 8));
    return l;
  }
  unsigned grants() { return dut->wr_gnt_o | static_cast<unsigned>(dut->rd_gnt_o) << kWriters; }
  Clocked<Dut> dut;
};

}  // namespace ohmac::tb
