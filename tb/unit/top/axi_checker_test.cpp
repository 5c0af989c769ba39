// SPDX-License-Identifier: Apache-2.0
// The rules must bite: each violation ends the process, the legal traffic does not.
#include <gtest/gtest.h>
#include <unistd.h>

#include "Vaxi_checker_test_dut.h"
#include "tb/common/clocked.h"

namespace ohmac::tb {
namespace {

class AxiChecker : public ::testing::Test {
 protected:
  void SetUp() override {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // each violation runs in a process of its own
    dut->aw_size_i = dut->ar_size_i = 4, dut->aw_burst_i = dut->ar_burst_i = 1;
    dut.reset();
  }
  void aw(uint64_t addr, unsigned len, bool ready = true) {
    dut->aw_addr_i = addr, dut->aw_len_i = static_cast<uint8_t>(len), dut->aw_valid_i = 1, dut->aw_ready_i = ready;
    dut.tick();
    dut->aw_valid_i = 0;
  }
  void ar(uint64_t addr, unsigned len) {
    dut->ar_addr_i = addr, dut->ar_len_i = static_cast<uint8_t>(len), dut->ar_valid_i = 1, dut->ar_ready_i = 1;
    dut.tick();
    dut->ar_valid_i = 0;
  }
  void w(bool last) {
    dut->w_valid_i = 1, dut->w_ready_i = 1, dut->w_last_i = last;
    dut.tick();
    dut->w_valid_i = 0;
  }
  void b() {
    dut->b_valid_i = 1, dut->b_ready_i = 1;
    dut.tick();
    dut->b_valid_i = 0;
  }
  void r(bool last) {
    dut->r_valid_i = 1, dut->r_ready_i = 1, dut->r_last_i = last;
    dut.tick();
    dut->r_valid_i = 0;
  }
  /// The model reports on stdout; a death test reads stderr.
  static void to_stderr() { dup2(STDERR_FILENO, STDOUT_FILENO); }
  void idle() {
    for (int i = 0; i < 4; ++i) dut.tick();
  }
  Clocked<Vaxi_checker_test_dut> dut;
};

TEST_F(AxiChecker, AcceptsLegalTraffic) {
  w(false), w(true), aw(0xFE0, 1), b();  // data ahead of the address
  ar(0xF00, 15);
  for (int i = 0; i < 16; ++i) r(i == 15);
  idle();
}
TEST_F(AxiChecker, AddressWithdrawn) { EXPECT_DEATH((to_stderr(), aw(0, 0, false), idle()), "AwHolds"); }
TEST_F(AxiChecker, AddressChanged) { EXPECT_DEATH((to_stderr(), aw(0, 0, false), aw(16, 0), idle()), "AwHolds"); }
TEST_F(AxiChecker, WriteOverThePage) { EXPECT_DEATH((to_stderr(), aw(0xFF0, 1), idle()), "AwInPage"); }
TEST_F(AxiChecker, ReadOverThePage) { EXPECT_DEATH((to_stderr(), ar(0xF10, 15), idle()), "ArInPage"); }
TEST_F(AxiChecker, BurstTooLong) { EXPECT_DEATH((to_stderr(), ar(0, 16), idle()), "ArBurst"); }
TEST_F(AxiChecker, LastTooEarly) { EXPECT_DEATH((to_stderr(), aw(0, 1), w(true), idle()), "WLastInTheRightBeat"); }
TEST_F(AxiChecker, LastTooLate) {
  EXPECT_DEATH((to_stderr(), aw(0, 0), w(false), w(true), idle()), "WLastInTheRightBeat");
}
TEST_F(AxiChecker, AnswerBeforeTheLastBeat) {
  EXPECT_DEATH((to_stderr(), aw(0, 1), w(false), b()), "BAfterAwAndLastW");
}
TEST_F(AxiChecker, AnswerBeforeTheAddress) { EXPECT_DEATH((to_stderr(), w(true), b()), "BAfterAwAndLastW"); }
TEST_F(AxiChecker, DataUnasked) { EXPECT_DEATH((to_stderr(), r(true)), "RAfterAr"); }
TEST_F(AxiChecker, ReadLastWrong) { EXPECT_DEATH((to_stderr(), ar(0, 1), r(true)), "RLastInTheRightBeat"); }
TEST_F(AxiChecker, ForgetsWhatResetCut) {
  aw(0, 1), w(false), ar(0, 3), r(false);
  dut->rst_ni = 0;
  idle();
  dut->rst_ni = 1;
  aw(0, 0), w(true), b();
  ar(0, 0), r(true);
  idle();
}
TEST_F(AxiChecker, ValidInReset) {
  dut->rst_ni = 0;
  EXPECT_DEATH((to_stderr(), w(true), idle()), "ValidLowInReset");
}

}  // namespace
}  // namespace ohmac::tb
