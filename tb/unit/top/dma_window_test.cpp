// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "Vdma_window_test_dut.h"
#include "tb/common/clocked.h"

namespace {

class DmaWindow : public ::testing::Test {
 protected:
  struct Window {
    uint64_t base = 0;
    uint32_t size = 0;
    bool enabled = false;
  };
  void set(unsigned i, Window w) {
    windows[i] = w;
    dut.win_base_i[2 * i] = static_cast<uint32_t>(w.base);
    dut.win_base_i[2 * i + 1] = static_cast<uint32_t>(w.base >> 32);
    dut.win_size_i[i] = w.size;
    dut.win_en_i = static_cast<uint8_t>((dut.win_en_i & ~(1u << i)) | unsigned{w.enabled} << i);
  }
  bool ok(uint64_t addr, unsigned len) {
    dut.addr_i = addr;
    dut.len_i = static_cast<uint16_t>(len);
    dut.eval();
    return dut.ok_o;
  }
  /// Byte by byte, in arithmetic that does not wrap.
  bool model(uint64_t addr, unsigned len) const {
    for (const Window& w : windows) {
      bool inside = w.enabled;
      for (unsigned i = 0; i < len && inside; ++i) {
        const auto byte = static_cast<unsigned __int128>(addr) + i;
        inside = byte >= w.base && byte < static_cast<unsigned __int128>(w.base) + w.size;
      }
      if (inside) return true;
    }
    return false;
  }
  Window windows[4];
  VerilatedContext context;
  Vdma_window_test_dut dut{&context};
};

TEST_F(DmaWindow, EdgesCountToTheByte) {
  set(2, {0x1000, 0x100, true});
  EXPECT_TRUE(ok(0x1000, 0x100));
  EXPECT_TRUE(ok(0x10FF, 1));
  EXPECT_FALSE(ok(0x1000, 0x101));
  EXPECT_FALSE(ok(0x0FFF, 2));
  EXPECT_FALSE(ok(0x1100, 1));
}

TEST_F(DmaWindow, TwoAdjoiningWindowsAreNotOne) {
  set(0, {0x1000, 0x100, true});
  set(1, {0x1100, 0x100, true});
  EXPECT_FALSE(ok(0x10F0, 0x20));
  EXPECT_TRUE(ok(0x10F0, 0x10));
}

TEST_F(DmaWindow, ClosedOrForbiddenWindowsLetNothingThrough) {
  set(0, {0x1000, 0, true});
  set(1, {0x2000, 0x100, false});
  EXPECT_FALSE(ok(0x1000, 1));
  EXPECT_FALSE(ok(0x2000, 1));
}

TEST_F(DmaWindow, AnAccessThatWrapsRoundTheTopIsInNoWindow) {
  set(0, {0xFFFF'FFFF'FFFF'F000, 0x1000, true});
  set(1, {0, 0x1000, true});
  EXPECT_TRUE(ok(0xFFFF'FFFF'FFFF'FFF0, 16));
  EXPECT_FALSE(ok(0xFFFF'FFFF'FFFF'FFF0, 17));
}

TEST_F(DmaWindow, EdgesOfWindowsOfEverySizeAnywhere) {
  const uint64_t seed = ohmac::tb::test_seed(6);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (int i = 0; i < 3000; ++i) {
    const unsigned w = rng() % 4;
    set(w, {rng(), static_cast<uint32_t>(rng()) >> rng() % 32, true});
    const unsigned len = 1 + rng() % 0x1000;
    for (int off = -1; off <= 1; ++off) {
      for (const uint64_t addr : {windows[w].base + off, windows[w].base + windows[w].size - len + off}) {
        ASSERT_EQ(ok(addr, len), model(addr, len)) << std::hex << addr << ' ' << len;
      }
    }
  }
}

TEST_F(DmaWindow, RandomAccessesMatchAByteModel) {
  const uint64_t seed = ohmac::tb::test_seed(5);
  SCOPED_TRACE(seed);
  std::mt19937_64 rng(seed);
  for (int i = 0; i < 3000; ++i) {
    const uint64_t top = rng() & 1 ? 0 : 0xFFFF'FFFF'FFFF'E000;  // around 0 and around the top of memory
    for (unsigned w = 0; w < 4; ++w) {
      if (rng() & 1) set(w, {top + rng() % 0x2000, static_cast<uint32_t>(rng() % 0x1800), (rng() & 3) != 0});
    }
    const uint64_t addr = top + rng() % 0x2000;
    const unsigned len = 1 + rng() % 0x1000;
    ASSERT_EQ(ok(addr, len), model(addr, len)) << std::hex << addr << ' ' << len;
  }
}

}  // namespace
