// SPDX-License-Identifier: Apache-2.0
// The life of a chip through the `ohmac` command: pulses, snapshots, faults and repair, ageing, timelines; rtl against
// fast everywhere.
#include <map>
#include <utility>

#include "tb/system/cli_fixture.h"

namespace ohmac::test {
namespace {

using nlohmann::json;

class Life : public TinyCli {
 protected:
  json run(const std::string& arguments) {
    const Answer a = ohmac("run --geometry tiny --images 20 --json " + path("r.json") + " " + arguments + arguments_);
    EXPECT_EQ(a.code, 0) << a.text;
    return a.code == 0 ? record("r.json") : json();
  }
  /// At fast and at rtl; their records must say the same of devices and outputs.
  json run_both(const std::string& arguments) {
    const json fast = run("--fidelity fast " + arguments), rtl = run("--fidelity rtl " + arguments);
    if (fast.is_null() || rtl.is_null()) return fast;
    EXPECT_EQ(fast.at("outputs_sha256"), rtl.at("outputs_sha256")) << arguments;
    for (const char* key : {"snapshot_sha256", "verify_reads", "pulses", "fails", "bad_cells", "most_pulses",
                            "stuck_devices", "columns", "weight_error", "calibration_drives"}) {
      EXPECT_EQ(fast.at("programming").at(key), rtl.at("programming").at(key)) << key << " " << arguments;
    }
    return fast;
  }
  std::string bytes(const std::string& name) const {
    std::ifstream f(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(f), {}};
  }
};

TEST_F(Life, PulsesGiveTheSameDevicesAtBothFidelities) {
  const json j = run_both("");
  EXPECT_EQ(j.at("programming").at("mode"), "pulse");
  EXPECT_GT(j.at("programming").at("pulses"), 500);
  const double sigma = j.at("programming").at("weight_error").at("sigma");
  EXPECT_LT(sigma, 127 * 0.053) << "HERMES reaches 4.8 to 5.3 % of the range";
  EXPECT_GT(sigma, 0.4);
}

TEST_F(Life, SnapshotOfOneFidelityGoesOnAtTheOther) {
  const json first = run("--fidelity fast --save " + path("fast.ohms"));
  run("--fidelity rtl --save " + path("rtl.ohms"));
  EXPECT_EQ(bytes("fast.ohms"), bytes("rtl.ohms"));
  const json on_rtl = run("--fidelity rtl --restore " + path("fast.ohms"));
  const json on_fast = run("--fidelity fast --restore " + path("rtl.ohms"));
  EXPECT_EQ(first.at("outputs_sha256"), on_rtl.at("outputs_sha256")) << "a restored chip goes on with the same bits";
  EXPECT_EQ(on_fast.at("outputs_sha256"), on_rtl.at("outputs_sha256"));
  EXPECT_EQ(on_rtl.at("programming").at("mode"), "restore");
  EXPECT_EQ(on_rtl.at("programming").at("pulses"), 0);
  EXPECT_EQ(on_rtl.at("programming").at("snapshot_sha256"), first.at("programming").at("snapshot_sha256"))
      << "a restore that changes nothing leaves the same snapshot";
  const json aged = run_both("--age-s 86400 --restore " + path("fast.ohms"));
  EXPECT_NE(aged.at("outputs_sha256"), first.at("outputs_sha256"));
}

TEST_F(Life, WrongSnapshotsAreRefused) {
  run("--save " + path("s.ohms"));
  const std::string good = bytes("s.ohms");
  const auto restore = [&](const std::string& snapshot, const std::string& more = "") {
    return ohmac("run --geometry tiny --images 2 " + more + " --restore " + snapshot + arguments_);
  };
  EXPECT_EQ(restore(path("s.ohms")).code, 0);
  expect_error(restore(path("s.ohms"), "--chip-seed 2"), {"s.ohms", "chip seed", "is 1, wanted 2"});
  expect_error(restore(path("s.ohms"), "--run-seed 2"), {"s.ohms", "--run-seed 1"});
  expect_error(restore(path("s.ohms"), "--effect drift=off"), {"s.ohms", "drift"});
  expect_error(restore(path("s.ohms"), "--programming pulse"), {"--restore", "--programming"});
  expect_error(restore(file("cut.ohms", good.substr(0, good.size() / 2))), {"cut.ohms"});
  expect_error(restore(file("empty.ohms", "")), {"empty.ohms"});
  std::string flipped = good;
  flipped[good.size() / 3] = static_cast<char>(flipped[good.size() / 3] ^ 4);
  expect_error(restore(file("flipped.ohms", flipped)), {"flipped.ohms", "CRC"});
  expect_error(ohmac("run --images 2 --restore " + path("s.ohms")), {"s.ohms", "another chip", "mesh_x"});
}

TEST_F(Life, SparesReplaceWhatTheSelfTestFinds) {
  const std::string faults = "--fault open=3 --fault stuck=0.002 --chip-seed 5 ";
  const json left = run_both(faults + "--self-test");
  const json repaired = run_both(faults + "--self-test --repair");
  const auto bad = [](const json& j) {
    const json& c = j.at("programming").at("columns");
    return c.at("bad").get<int>() + c.at("weak").get<int>();
  };
  EXPECT_GT(bad(left), 0) << "three open columns on each tile, and half of the columns in use";
  EXPECT_GT(repaired.at("programming").at("columns").at("repaired"), 0);
  EXPECT_LT(bad(repaired), bad(left));
}

/// A dead lane takes its spare with it: it can be found and told, not repaired.
TEST_F(Life, DeadLanesAreReported) {
  const json j = run_both("--fault dead=1 --self-test --repair");
  EXPECT_GT(j.at("programming").at("columns").at("bad"), 0);
}

TEST_F(Life, TableIsTheSameAtBothFidelities) {
  std::map<std::string, json> tables;
  for (const char* fidelity : {"fast", "rtl"}) {
    const Answer a = ohmac(std::string("life --geometry tiny --images 20 --at 1 --at 2592000 --fidelity ") + fidelity +
                           " --json " + path("l.json") + arguments_);
    ASSERT_EQ(a.code, 0) << a.text;
    tables[fidelity] = record("l.json").at("steps");
  }
  ASSERT_EQ(tables["fast"].size(), 7u) << "programmed, then aged, compensated, refreshed for each age";
  for (size_t i = 0; i < 7; ++i) {
    json f = tables["fast"][i], r = tables["rtl"][i];
    for (const char* cycles : {"step_cycles", "inference_cycles"}) {
      EXPECT_NEAR(f.at(cycles).get<double>(), r.at(cycles).get<double>(), 0.03 * r.at(cycles).get<double>() + 60)
          << i << " " << cycles << ": predicted and real";
      f.erase(cycles);
      r.erase(cycles);
    }
    EXPECT_EQ(f, r) << i;
  }
  const json& t = tables["fast"];
  const auto off = [&](size_t i) { return t[i].at("weight_error").at("sigma").get<double>(); };
  EXPECT_GT(off(4), 1.5 * off(0)) << "a month of drift must show";
  EXPECT_EQ(off(5), off(4)) << "compensation touches no device";
  EXPECT_LT(off(6), 0.6 * off(4)) << "refresh brings the weights back";
  EXPECT_GT(t[6].at("mean_pulses"), t[0].at("mean_pulses"));
}

/// Cycles of work of every track, "tile 0/ADC" and the like, and the number of its spans.
std::map<std::string, std::pair<double, int>> busy(const json& trace) {
  std::map<int, std::string> groups;
  std::map<int, std::string> tracks;
  std::map<std::string, std::pair<double, int>> out;
  for (const json& e : trace.at("traceEvents")) {
    const std::string kind = e.at("name");
    if (e.at("ph") == "M" && kind == "process_name") groups[e.at("pid")] = e.at("args").at("name");
    if (e.at("ph") == "M" && kind == "thread_name")
      tracks[e.at("tid")] = groups.at(e.at("pid")) + "/" + e.at("args").at("name").get<std::string>();
  }
  for (const json& e : trace.at("traceEvents")) {
    if (e.at("ph") != "X") continue;
    auto& [cycles, spans] = out[tracks.at(e.at("tid"))];
    cycles += e.at("dur").get<double>() * 250;  // 4 ns a cycle
    ++spans;
  }
  return out;
}

TEST_F(Life, TimelinesShowTheSameWorkAtBothFidelities) {
  std::map<std::string, std::map<std::string, std::pair<double, int>>> work;
  json events;
  for (const char* fidelity : {"fast", "rtl"}) {
    events = run(std::string("--timeline ") + path("t.json") + " --fidelity " + fidelity).at("events");
    work[fidelity] = busy(record("t.json"));
  }
  double strobes = 0;
  for (const char* tile : {"tile 0/", "tile 1/"}) {
    for (const char* part : {"row drive", "ADC"}) {
      const auto f = work["fast"].at(tile + std::string(part)), r = work["rtl"].at(tile + std::string(part));
      EXPECT_NEAR(f.first, r.first, 0.5) << tile << part << ": pin intervals are constant";
      EXPECT_EQ(f.second, r.second) << tile << part;
    }
    strobes += work["rtl"].at(tile + std::string("ADC")).first;
    for (const char* part : {"sequencer", "MVM engine", "vector unit", "NoC send"}) {
      const double f = work["fast"].at(tile + std::string(part)).first,
                   r = work["rtl"].at(tile + std::string(part)).first;
      EXPECT_NEAR(f, r, 0.1 * r + 20) << tile << part;
    }
  }
  EXPECT_NEAR(strobes, events.at("trials").get<double>() / 8, 0.5) << "8 lanes a trial cycle";
  for (const char* part : {"tile 0/NoC receive", "tile 1/NoC receive", "DMA/DMA read", "DMA/DMA write"}) {
    EXPECT_GT(work["fast"].at(part).first, 0) << part;
    EXPECT_GT(work["rtl"].at(part).first, 0) << part;
  }
}

}  // namespace
}  // namespace ohmac::test
