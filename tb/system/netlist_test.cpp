// SPDX-License-Identifier: Apache-2.0
// The tiny chip with its tiles as gates against the same chip as RTL and against the golden machine, through the
// command: real digits, devices programmed by pulses, every effect on. And that a wrong gate would be seen. Needs `make
// netlist`.
#include "tb/system/cli_fixture.h"

namespace ohmac::test {
namespace {

class Netlist : public Cli {
 protected:
  nlohmann::json run(const std::string& fidelity, const std::string& options) {
    const std::string record = path(fidelity + ".json");
    const Answer a =
        ohmac("run --network mnist_6x5 --geometry tiny --fidelity " + fidelity + " " + options + " --json " + record);
    EXPECT_EQ(a.code, 0) << a.text;
    std::ifstream f(record);
    return a.code == 0 ? nlohmann::json::parse(f) : nlohmann::json();
  }
};

TEST_F(Netlist, EqualsRtlInEveryBitAndCycleAndFastInEveryBit) {
  const std::string options = "--images 25 --chip-seed 7 --run-seed 9";
  const auto netlist = run("netlist", options), rtl = run("rtl", options), fast = run("fast", options);
  ASSERT_FALSE(HasFailure());
  EXPECT_EQ(netlist.at("fidelity"), "netlist");
  for (const char* key : {"outputs_sha256", "events", "cycles", "programming"})
    EXPECT_EQ(netlist.at(key), rtl.at(key)) << key;
  EXPECT_EQ(netlist.at("outputs_sha256"), fast.at("outputs_sha256"));
  EXPECT_EQ(netlist.at("programming").at("snapshot_sha256"), fast.at("programming").at("snapshot_sha256"));
  EXPECT_GT(netlist.at("programming").at("pulses"), 1000);
  EXPECT_GT(netlist.at("accuracy").at("analog"), 0.6);  // the chip does classify
}

TEST_F(Netlist, DiffFindsNothingAndFindsAWrongGate) {
  const std::string line =
      "diff --network mnist_6x5 --geometry tiny --fidelity netlist --images 2 --programming formula";
  const Answer good = ohmac(line);
  EXPECT_EQ(good.code, 0) << good.text;
  EXPECT_NE(good.text.find("no divergence"), std::string::npos) << good.text;
  setenv("OHMAC_MUTANT", "1", 1);
  const Answer bad = ohmac(line);
  unsetenv("OHMAC_MUTANT");
  EXPECT_NE(bad.code, 0) << "the wrong gate is not found: " << bad.text;
}

}  // namespace
}  // namespace ohmac::test
