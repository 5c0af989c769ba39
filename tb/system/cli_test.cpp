// SPDX-License-Identifier: Apache-2.0
// The `ohmac` command as a person meets it: every wrong input is a clear message and exit code 2, nothing is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "models/device/simd.h"
#include "models/macro/macro.h"
#include "sw/compiler/compiler.h"
#include "sw/driver/calibration.h"
#include "tb/system/cli_fixture.h"

namespace ohmac::test {
namespace {

// --- Wrong input.

TEST_F(Cli, UnknownNetworkNamesTheShippedOnes) { expect_error(ohmac("run --network nosuch"), {"nosuch", "mnist_mlp"}); }

TEST_F(Cli, ANetlistThatIsNotBuiltNamesTheCommand) {
  const std::string line =
      "OHMAC_CHIPS=" + path("nowhere") + " " OHMAC_BINARY " run --network mnist_6x5 --fidelity netlist --geometry ";
  expect_error(shell(line + "tiny"), {"nowhere/netlist_2x1_32x32_l8_s16k.so", "no such file", "make netlist"});
  expect_error(shell(line + "reference"), {"netlist_4x4_256x256_l32_s64k.so", "--geometry tiny"});
}

TEST_F(Cli, WhatIsNoChipIsRefused) {
  file("netlist_2x1_32x32_l8_s16k.so", "no shared object");
  const Answer a = shell("OHMAC_CHIPS=" + path("") +
                         " " OHMAC_BINARY " run --network mnist_6x5 --images 1 --fidelity netlist --geometry tiny");
  EXPECT_EQ(a.code, 3) << a.text;
  EXPECT_NE(a.text.find("cannot be loaded"), std::string::npos) << a.text;
  EXPECT_NE(a.text.find("ninja -C build netlist_2x1_32x32_l8_s16k"), std::string::npos) << a.text;
}

TEST_F(Cli, TheTinyChipRunsItsNetworkAtBothFidelities) {
  const Answer a = ohmac("compare --network mnist_6x5 --geometry tiny --images 40 --rtl-images 10");
  EXPECT_EQ(a.code, 0) << a.text;
  EXPECT_NE(a.text.find("equal bit for bit"), std::string::npos) << a.text;
}

TEST_F(Cli, CorruptOnnxNamesTheFile) {
  const std::string garbage = file("garbage.onnx", "this is not a protobuf message at all");
  expect_error(ohmac("run --network " + garbage), {"garbage.onnx", "not a readable ONNX model"});
  expect_error(ohmac("run --network " + file("empty.onnx", "")), {"empty.onnx"});
  expect_error(ohmac("run --network " + path("")), {"is a directory"});
}

TEST_F(Cli, TruncatedOnnxIsRefusedWhereverItEnds) {
  std::ifstream f(OHMAC_SOURCE_DIR "/sw/networks/mnist_mlp.onnx", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(f)), {});
  ASSERT_GT(whole.size(), 100000u);
  for (const double part : {0.0001, 0.01, 0.3, 0.9, 0.9999}) {
    const size_t bytes = static_cast<size_t>(part * static_cast<double>(whole.size()));
    SCOPED_TRACE(bytes);
    expect_error(ohmac("compile --network " + file("cut.onnx", whole.substr(0, bytes))), {"cut.onnx"});
  }
}

TEST_F(Cli, UnsupportedOperatorNamesNodeAndRemedy) {
  const std::string conv = file("conv.onnx", onnx_mlp({16, 8, 4}, "Conv"));
  expect_error(ohmac("compile --network " + conv), {"conv.onnx", "fc1", "Conv", "not supported", "Gemm"});
}

TEST_F(Cli, NetworkLargerThanTheChipSaysHowManyTiles) {
  expect_error(ohmac("compile --geometry tiny"), {"needs 236 tiles", "chip has 2"});
  const std::string wide = file("wide.onnx", onnx_mlp({784, 1024, 512, 10}));
  // 784 rows: 4 K-tiles, 1024 columns: 4 N-tiles; 1024 x 512: 4 x 2; 512 x 10: 2 x 1
  expect_error(ohmac("run --network " + wide), {"wide.onnx", "needs 26 tiles", "chip has 16"});
}

TEST_F(Cli, WrongOptionValuesAreRefused) {
  const struct {
    const char* arguments;
    std::initializer_list<const char*> words;
  } kCases[] = {
      {"run --fidelity medium", {"--fidelity"}},
      {"run --geometry huge", {"--geometry"}},
      {"run --images 0", {"--images", "1 to"}},
      {"run --images 1001", {"--images 1001", "1000 test images"}},
      {"run --images -3", {"--images", "-3"}},
      {"run --images abc", {"--images", "abc"}},
      {"run --images 1.5", {"--images"}},
      {"run --images 4294967297", {"--images"}},
      {"run --images ''", {"--images"}},
      {"run --images", {"--images"}},
      {"run --age-s -1", {"--age-s"}},
      {"run --age-s nan", {"--age-s", "nan"}},
      {"run --age-s inf", {"--age-s", "inf"}},
      {"run --age-s 1e400", {"--age-s"}},
      {"run --age-s 1day", {"--age-s"}},
      {"run --chip-seed -1", {"--chip-seed"}},
      {"run --chip-seed 18446744073709551616", {"--chip-seed"}},
      {"run --run-seed x", {"--run-seed"}},
      {"run --adc-bits 9", {"--adc-bits", "4 to 8"}},
      {"run --adc-bits 3", {"--adc-bits", "4 to 8"}},
      {"run --threads 0", {"--threads"}},
      {"run --threads 1e9", {"--threads"}},
      {"run --fidelity rtl --stall-percent 100", {"--stall-percent"}},
      {"run --stall-percent 10", {"--stall-percent", "rtl"}},
      {"run --effect gravity=off", {"gravity", "read_noise"}},
      {"run --effect drift", {"drift=on", "drift=off"}},
      {"run --effect drift=maybe", {"drift=on", "drift=off"}},
      {"run --effect =off", {"no effect of that name"}},
      {"run --waves x.fst", {"--waves", "rtl"}},
      {"run --fidelity rtl --images 251 --waves x.fst", {"--waves", "250"}},
      {"compare --images 4 --rtl-images 5", {"--rtl-images 5"}},
      {"compare --chip-seeds 0", {"--chip-seeds"}},
      {"diff --rtl-run-seed x", {"--rtl-run-seed"}},
      {"run --fault open-rows=257", {"open-rows=257", "0 to 256"}},
      {"run --fault open-devices=2", {"open-devices=2", "0 to 1"}},
      {"run --technology pcm", {"technology 'pcm'", "pcm_generic", "reram"}},
      {"run --technology nosuch.toml", {"nosuch.toml", "No such file"}},
      {"run --read-noise loud", {"--read-noise"}},
      {"info --technology pcm", {"technology 'pcm'", "flash_nor"}},
      {"device --out x.csv", {"--target-us"}},
      {"device --target-us 5", {"--out"}},
      {"device --out x.csv --target-us -1", {"--target-us", "-1"}},
      {"device --out x.csv --target-us nan", {"--target-us", "nan"}},
      {"device --out x.csv --target-us 5uS", {"--target-us", "5uS"}},
      {"device --out x.csv --target-us 26", {"--target-us 26", "pcm_generic must be 0 to 25 uS"}},
      {"device --out x.csv --target-us 0.01 --technology flash_nor", {"0.02 to 10 uS"}},
      {"device --out x.csv --target-us 5 --count 0", {"--count"}},
      {"device --out x.csv --target-us 5 --count 1e5", {"--count", "whole number"}},
      {"device --out x.csv --target-us 5 --read-at -1", {"--read-at"}},
      {"device --out x.csv --target-us 5 --seed -1", {"--seed"}},
      {"device --out x.csv --target-us 5 --technology pcm", {"technology 'pcm'", "pcm_generic"}},
      {"run --dac laser", {"--dac", "pwm"}},
      {"run --chips 2", {"--ablate"}},
      {"run --ablate --chips 0", {"--chips", "1 to"}},
      {"run --ablate --save x.ohms", {"--ablate", "--save"}},
      {"run --ablate --timeline x.json", {"--ablate", "--timeline"}},
      {"mvm --technology pcm", {"technology 'pcm'", "pcm_generic"}},
      {"mvm --rows 0", {"--rows", "1 to 1020"}},
      {"mvm --rows 1021", {"--rows", "1 to 1020"}},
      {"mvm --cols 2049", {"--cols", "1 to 2048"}},
      {"mvm --cols 2.5", {"--cols"}},
      {"mvm --vectors 0", {"--vectors"}},
      {"mvm --adc-bits 9", {"--adc-bits", "4 to 8"}},
      {"mvm --age-s -1", {"--age-s"}},
      {"mvm --age-s nan", {"--age-s"}},
      {"mvm --clock-ns 0", {"--clock-ns"}},
      {"mvm --integrate-cycles 256", {"--integrate-cycles", "1 to 255"}},
      {"mvm --effect gravity=off", {"gravity", "sar_mismatch"}},
      {"mvm --row-ohm 1", {"--row-ohm", "wire=on"}},
      {"mvm --effect wire=on --row-ohm -1", {"--row-ohm"}},
      {"mvm --csv nosuch/x.csv", {"--csv", "nosuch"}},
      {"mvm --svg /dev/null/x --vectors 1 --rows 4 --cols 8", {"--svg"}},
      {"run --programming laser", {"--programming", "pulse"}},
      {"run --repair", {"--repair", "--self-test"}},
      {"run --fault stuck=2", {"--fault stuck=2"}},
      {"run --fault stuck", {"--fault stuck"}},
      {"run --fault open=257", {"--fault open=257", "256"}},
      {"run --fault dead=x", {"--fault dead=x"}},
      {"run --fault gravity=1", {"no such fault", "stuck=SHARE"}},
      {"run --restore nosuch.ohms", {"nosuch.ohms", "--save"}},
      {"run --images 251 --timeline x.json", {"--timeline", "250"}},
      {"life --age-s 5", {"--age-s", "--at"}},
      {"life --at -1", {"--at"}},
      {"run --nosuch", {"--nosuch"}},
      {"frobnicate", {"frobnicate", "compare"}},
      {"", {"subcommand"}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.arguments);
    expect_error(ohmac(c.arguments), c.words);
  }
  EXPECT_FALSE(fs::exists("x.fst"));
  EXPECT_FALSE(fs::exists("x.csv"));
}

TEST_F(Cli, WrongImagesAreNamed) {
  const std::string labels = file("labels.idx", idx({2}, "\1\2"));
  const auto run = [&](const std::string& images, const std::string& l) {
    return ohmac("run --images 1 --test-images " + images + " --test-labels " + l);
  };
  expect_error(run(path("none.idx"), labels), {"none.idx", "no such file", "--test-images"});
  expect_error(run(path(""), labels), {"is a directory"});
  expect_error(run(file("text.idx", "hello"), labels), {"text.idx", "not an IDX file"});
  expect_error(run(file("head.idx", idx({2, 28, 28}, "").substr(0, 10)), labels), {"head.idx", "not an IDX file"});
  expect_error(run(file("short.idx", idx({2, 28, 28}, std::string(1000, 0))), labels), {"short.idx", "1000", "1568"});
  expect_error(run(file("long.idx", idx({2, 28, 28}, std::string(2000, 0))), labels), {"long.idx", "2000", "1568"});
  expect_error(run(file("huge.idx", idx({0xffffffff, 28, 28}, "")), labels), {"huge.idx", "4 GiB"});
  expect_error(run(file("zip.idx", "\x1f\x8b\x08 broken"), labels), {"zip.idx", "corrupt"});
  expect_error(run(file("small.idx", idx({2, 20, 20}, std::string(800, 0))), labels), {"784 inputs", "20 x 20"});
  const std::string good = file("good.idx", idx({2, 28, 28}, std::string(1568, 0)));
  expect_error(run(good, file("three.idx", idx({3}, "\1\2\3"))), {"2 images", "3 labels"});
  expect_error(run(good, file("eleven.idx", idx({2}, "\13\1"))), {"label 11", "10 outputs"});
  expect_error(ohmac("run --images 1 --test-images " + good), {"2 images", "1000 labels"});
  expect_error(ohmac("run --images 3 --test-images " + good + " --test-labels " + labels),
               {"--images 3", "2 test images"});
  EXPECT_EQ(run(good, labels).code, 0);
}

TEST_F(Cli, WrongOutputFilesAreRefusedBeforeTheWork) {
  const std::string inside = path("no/such/dir/out");
  const struct {
    const char *arguments, *option;
  } kCases[] = {{"run --images 1 --json ", "--json"},
                {"run --images 1 --fidelity rtl --waves ", "--waves"},
                {"run --images 1 --save ", "--save"},
                {"run --images 1 --timeline ", "--timeline"},
                {"life --json ", "--json"},
                {"compile --out ", "--out"},
                {"compile --listing ", "--listing"},
                {"device --target-us 5 --out ", "--out"},
                {"xbar --conductance g --inputs v --out ", "--out"},
                {"compare --json ", "--json"}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.option);
    const Answer a = ohmac(c.arguments + inside);
    expect_error(a, {c.option, "no/such/dir/out", "cannot write"});
    EXPECT_EQ(a.text.find("sha256"), std::string::npos) << "the work was done before the error";
    expect_error(ohmac(c.arguments + path("")), {c.option, "directory"});
  }
  expect_error(ohmac("run --images 1 --json /dev/full"), {"/dev/full"});
  EXPECT_TRUE(fs::is_empty(dir_));
}

TEST_F(Cli, NoPartialRecordAfterAnError) {
  expect_error(ohmac("run --images 5000 --json " + path("r.json")), {"5000"});
  EXPECT_TRUE(fs::is_empty(dir_));
}

TEST_F(Cli, ProgramImages) {
  const std::string image = path("mnist.ohmi"), tiny = path("tiny.ohmi"), small = path("small.ohmi");
  ASSERT_EQ(ohmac("compile --out " + image).code, 0);
  EXPECT_EQ(sha_of("run --images 5 --image " + image), sha_of("run --images 5"));

  const std::string net = file("small.onnx", onnx_mlp({784, 16, 10}));
  ASSERT_EQ(ohmac("compile --network " + net + " --out " + small).code, 0);
  expect_error(ohmac("run --image " + path("none.ohmi")), {"none.ohmi", "no such file"});
  expect_error(ohmac("run --image " + path("")), {"is a directory"});
  expect_error(ohmac("run --image " + net), {"not a program image"});
  std::ifstream f(image, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(f)), {});
  expect_error(ohmac("run --image " + file("cut.ohmi", bytes.substr(0, bytes.size() / 2))), {"corrupt", "offset"});
  bytes[bytes.size() / 2] ^= 1;
  expect_error(ohmac("run --image " + file("flipped.ohmi", bytes)), {"corrupt", "CRC"});
}

TEST_F(Cli, WrongPresetsNameFileLineAndField) {
  const std::string good = ohmac("info --technology pcm_generic").text;
  ASSERT_NE(good.find("gmax = { value = 25,"), std::string::npos) << good;
  const auto wrong = [&](const std::string& what, const std::string& with) {
    std::string text = good;
    return file("mine.toml", text.replace(text.find(what), what.size(), with));
  };
  for (const std::string verb : {"run --images 1", "device --target-us 5 --out x.csv", "info"}) {
    SCOPED_TRACE(verb);
    expect_error(ohmac(verb + " --technology " + wrong("value = 25,", "value = -25,")),
                 {"mine.toml:5: device.gmax: -25 is out of range"});
    expect_error(ohmac(verb + " --technology " + wrong("[drift]", "[dirft]")), {"mine.toml:", "dirft: unknown"});
    expect_error(ohmac(verb + " --technology " + wrong("[wear]", "[wear")), {"mine.toml:", "not TOML"});
  }
  EXPECT_FALSE(fs::exists("x.csv"));
  const std::string ternary = wrong("[device]", "[device]\nlevels = { value = 2, unit = \"1\", source = \"x\" }");
  expect_error(ohmac("run --images 1 --technology " + ternary), {"2 levels", "--programming formula"});
  EXPECT_EQ(ohmac("run --images 1 --programming formula --technology " + ternary).code, 0);
}

TEST_F(Cli, WrongCrossbarsNameFileLineAndColumn) {
  const std::string g = file("g.csv", "1e-6,2e-6\n3e-6,4e-6\n"), v = file("v.csv", "0.1,0.2\n");
  const auto run = [&](const std::string& conductance, const std::string& inputs, const std::string& wires) {
    return ohmac("xbar --conductance " + conductance + " --inputs " + inputs + " --out " + path("i.csv") + " " + wires);
  };
  expect_error(run(file("negative.csv", "1e-6\n-2e-6\n"), v, ""), {"negative.csv:2: column 1", "'-2e-6'", "siemens"});
  expect_error(run(file("nan.csv", "1e-6,nan\n"), v, ""), {"nan.csv:1: column 2", "'nan'"});
  expect_error(run(file("empty.csv", ""), v, ""), {"empty.csv", "is empty"});
  expect_error(run(file("ragged.csv", "1,2\n3\n"), v, ""), {"ragged.csv:2", "first one has 2"});
  expect_error(run(g, file("wide.csv", "1,2,3\n"), ""), {"wide.csv", "vectors of 3", "has 2 rows"});
  for (const std::string ohm : {"-1", "nan", "inf", "1e10", "1e-20", "x"})
    for (const std::string option : {"--row-ohm", "--col-ohm", "--driver-ohm", "--sense-ohm"})
      expect_error(run(g, v, option + " " + ohm), {option, "'" + ohm + "' is wrong", "1e+09 ohm"});
  EXPECT_FALSE(fs::exists(path("i.csv")));
  EXPECT_EQ(run(g, v, "--row-ohm 0 --col-ohm 0").code, 0);
  std::ifstream f(path("i.csv"));
  std::string line;
  std::getline(f, line);
  double i[2];
  ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf", &i[0], &i[1]), 2) << line;
  EXPECT_DOUBLE_EQ(i[0], 0.1 * 1e-6 + 0.2 * 3e-6);
  EXPECT_DOUBLE_EQ(i[1], 0.1 * 2e-6 + 0.2 * 4e-6);
}

// --- What it does.
TEST_F(Cli, DevicesAreTheSameOnEverySimdLevelAndFollowTheSeed) {
  const auto csv = [&](const std::string& arguments, const std::string& environment = "") {
    const std::string out = path("devices.csv");
    fs::remove(out);
    const Answer a = shell(environment + " " + OHMAC_BINARY + " device --target-us 12.5 --count 1000 --read-at 86400 " +
                           arguments + " --out " + out);
    EXPECT_EQ(a.code, 0) << a.text;
    std::ifstream f(out);
    return std::string(std::istreambuf_iterator<char>(f), {});
  };
  const std::string first = csv("--seed 3");
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 1000);
  EXPECT_EQ(csv("--seed 3", "OHMAC_SIMD=baseline"), first);
  EXPECT_NE(csv("--seed 4"), first);
  // Law: 12.5 uS, sigma 0.26348 + 1.9650 / 2 - 1.1731 / 4 = 0.9527; drifted by (86420 / 20)^-nu, nu = 0.049 +- 0.008.
  std::istringstream lines(first);
  double sum[3] = {};
  for (std::string line; std::getline(lines, line);) {
    double v[3];
    ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%lf", &v[0], &v[1], &v[2]), 3) << line;
    ASSERT_EQ(std::count(line.begin(), line.end(), ','), 2) << line;
    for (int k = 0; k < 3; ++k) sum[k] += v[k] / 1000;
  }
  EXPECT_NEAR(sum[0], 12.5, 5 * 0.9527 / std::sqrt(1000.0));
  const double drifted = 12.5 * std::pow(4321.0, -0.049) * std::exp(0.5 * std::pow(0.008 * std::log(4321.0), 2));
  EXPECT_NEAR(sum[1], drifted, 0.15);
  EXPECT_NEAR(sum[2], drifted, 0.25);
}

TEST_F(Cli, APrintedPresetIsTheTechnology) {
  const std::string mine = file("mine.toml", ohmac("info --technology reram").text);
  EXPECT_EQ(ohmac("info --technology " + mine).text, ohmac("info --technology reram").text);
  EXPECT_EQ(sha_of("run --images 5 --technology " + mine), sha_of("run --images 5 --technology reram"));
  EXPECT_EQ(record("sha.json").at("options").at("technology"), "reram");
  const Answer all = ohmac("info --technologies");
  for (const char* w : {"pcm_hermes_two", "drift.nu_mean", "source: ", "fitted to: ", "flash_nor", "Gmax/decade"})
    EXPECT_NE(all.text.find(w), std::string::npos) << w;
}

TEST_F(TinyCli, TechnologiesGiveTheSameBitsInRtlAndFastAndTheirSnapshotsKnowThem) {
  const std::string base = "run --geometry tiny --images 8 --age-s 3600" + arguments_;
  std::vector<std::string> seen;
  for (const std::string t : {"pcm_generic", "pcm_hermes_two", "reram", "flash_nor"}) {
    SCOPED_TRACE(t);
    const std::string one = base + " --technology " + t;
    const std::string fast = sha_of(one);
    EXPECT_EQ(sha_of(one + " --fidelity rtl"), fast);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), fast), 0);
    seen.push_back(fast);
  }
  const std::string snapshot = path("chip.snap");
  EXPECT_EQ(ohmac(base + " --technology reram --save " + snapshot).code, 0);
  const Answer other = ohmac(base + " --restore " + snapshot);
  EXPECT_NE(other.code, 0);
  EXPECT_NE(other.text.find("technology is reram, wanted pcm_generic"), std::string::npos) << other.text;
  const std::string again = sha_of(base + " --technology reram --restore " + snapshot);
  EXPECT_EQ(again, seen[2]);
  // Drawn a device, read noise is another draw of the same law, in both fidelities alike.
  const std::string each = sha_of(base + " --read-noise per-device");
  EXPECT_EQ(sha_of(base + " --read-noise per-device --fidelity rtl"), each);
  EXPECT_NE(each, seen[0]);
}

TEST_F(Cli, RunListNamesTheNetworks) {
  const Answer a = ohmac("run --list");
  EXPECT_EQ(a.code, 0);
  EXPECT_NE(a.text.find("mnist_mlp"), std::string::npos);
}

TEST_F(Cli, RecordFollowsItsSchema) {
  const std::string check =
      std::string(OHMAC_PYTHON) +
      " -c 'import json, sys, jsonschema; jsonschema.Draft202012Validator.check_schema(json.load(open(sys.argv[2]))); "
      "jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))' ";
  const std::string schema = " " OHMAC_SOURCE_DIR "/sw/cli/result.schema.json";
  for (const std::string fidelity : {"fast", "rtl"}) {
    const Answer a =
        ohmac("run --images 2 --age-s 60 --effect drift=off --fidelity " + fidelity + " --json " + path("r.json"));
    ASSERT_EQ(a.code, 0) << a.text;
    const Answer valid = shell(check + path("r.json") + schema);
    EXPECT_EQ(valid.code, 0) << valid.text;
    // The schema must be worth something: every required key is missed, a wrong type and a wrong hash are seen.
    const nlohmann::json good = record("r.json");
    EXPECT_EQ(good.at("fidelity"), fidelity);
    for (const auto& [key, value] : good.items()) {
      static const std::set<std::string> kAddedLater = {
          "options", "costs",     "energy_j",      "programming_energy_j",    "area_mm2",
          "tops",    "tops_peak", "tops_per_watt", "operations_per_inference"};
      if (kAddedLater.count(key) != 0) continue;  // records of earlier versions are still right
      nlohmann::json bad = good;
      bad.erase(key);
      EXPECT_NE(shell(check + file("bad.json", bad.dump()) + schema).code, 0) << "without " << key;
      if (fidelity == "rtl") break;  // once is enough
    }
    nlohmann::json bad = good;
    bad["energy_j"]["by_block"]["adc"].erase("node_nm");
    EXPECT_NE(shell(check + file("bad.json", bad.dump()) + schema).code, 0);
    bad = good;
    bad["outputs_sha256"] = "xyz";
    EXPECT_NE(shell(check + file("bad.json", bad.dump()) + schema).code, 0);
  }
}

TEST_F(Cli, RecordSaysWhatWasRun) {
  const Answer a = ohmac("run --images 20 --chip-seed 7 --run-seed 8 --json " + path("r.json"));
  ASSERT_EQ(a.code, 0) << a.text;
  const auto j = record("r.json");
  EXPECT_EQ(j.at("network"), "mnist_mlp");
  EXPECT_EQ(j.at("images"), 20);
  EXPECT_EQ(j.at("seeds").at("chip"), 7);
  EXPECT_EQ(j.at("seeds").at("run"), 8);
  EXPECT_EQ(j.at("geometry").at("tiles"), 16);
  EXPECT_EQ(j.at("geometry").at("lanes"), 32);
  EXPECT_EQ(j.at("programming").at("cells"), 784 * 256 + 256 * 128 + 128 * 10);
  EXPECT_GT(j.at("events").at("conversions").get<uint64_t>(), 0u);
  EXPECT_GT(j.at("host").at("seconds").get<double>(), 0);
  const double total = j.at("cycles").at("total"), bound = j.at("cycles").at("adc_bound_per_inference");
  EXPECT_DOUBLE_EQ(j.at("cycles").at("per_inference"), total / 20);
  EXPECT_DOUBLE_EQ(j.at("cycles").at("adc_utilisation"), bound * 20 / total);
}

// --- Costs.

TEST_F(Cli, WrongCostTablesNameFileAndField) {
  const std::string tables = OHMAC_SOURCE_DIR "/constraints/costs/";
  std::ifstream in(tables + "analog_180nm.toml");
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  std::string bad = good;
  bad.replace(bad.find("value = 4.75"), 12, "value = -475");
  const std::string analog = file("analog.toml", bad);
  for (const std::string verb : {"run --images 1", "info", "compare --images 1"}) {
    SCOPED_TRACE(verb);
    expect_error(ohmac(verb + " --costs " + analog), {"analog.toml:", "adc.energy_trial: -475 is out of range"});
    expect_error(ohmac(verb + " --costs " + path("nosuch.toml")), {"nosuch.toml: no such file or folder"});
  }
  expect_error(ohmac("run --images 1 --cost-node 28"), {"scaling.toml: no factors for 28 nm; there are 180, 130"});
  expect_error(ohmac("run --images 1 --cost-node small"), {"--cost-node"});
  expect_error_words(shell("OHMAC_COSTS=" + path("none") + " " OHMAC_BINARY " run --images 1"),
                     {std::string("none: no such file or folder")});
}

TEST_F(Cli, InfoListsEveryNumberOfTheCostTables) {
  const Answer a = ohmac("info --costs");
  EXPECT_EQ(a.code, 0);
  for (const char* words :
       {"adc.energy_trial", "4.75 pJ, 180 nm, assumed:", "source: J. Li et al., VLSI Symposium 2019",
        "cell.pcm.set_pulse", "sram.read_cell", "CACTI 7.0", "Stillmaker"})
    EXPECT_NE(a.text.find(words), std::string::npos) << words;
  const Answer isaac = ohmac("info --costs " OHMAC_SOURCE_DIR "/constraints/costs/isaac_32nm");
  EXPECT_NE(isaac.text.find("0.2083 pJ, 32 nm"), std::string::npos);
  EXPECT_EQ(isaac.text.find("4.75 pJ"), std::string::npos);
}

TEST_F(Cli, WithoutADigitalTableTheRecordSaysWhyThereIsNoTotal) {
  const Answer a = ohmac("run --images 2 --json " + path("r.json") +
                         " --costs " OHMAC_SOURCE_DIR "/tb/unit/cost/digital_fixture.toml");  // of the tiny chip
  ASSERT_EQ(a.code, 0) << a.text;
  const auto r = record("r.json");
  EXPECT_TRUE(r.at("energy_j").at("total").is_null());
  EXPECT_TRUE(r.at("area_mm2").at("total").is_null());
  EXPECT_TRUE(r.at("tops_per_watt").is_null());
  EXPECT_NE(
      r.at("energy_j").at("reasons").at(0).get<std::string>().find("no digital cost table for tiles of 256 x 256"),
      std::string::npos);
  EXPECT_GT(r.at("energy_j").at("by_block").at("adc").at("joule").get<double>(), 0);
}

TEST_F(TinyCli, EnergyOfEventsHasTheSameBitsInRtlAndFast) {
  const std::string base = "run --geometry tiny --images 8 --age-s 3600 --costs " OHMAC_SOURCE_DIR
                           "/tb/unit/cost/digital_fixture.toml" +
                           arguments_ + " --json ";
  ASSERT_EQ(ohmac(base + path("fast.json")).code, 0);
  ASSERT_EQ(ohmac(base + path("rtl.json") + " --fidelity rtl").code, 0);
  const auto fast = record("fast.json"), rtl = record("rtl.json");
  const double fast_cycles = fast.at("cycles").at("total"), rtl_cycles = rtl.at("cycles").at("total");
  EXPECT_NE(fast_cycles, rtl_cycles) << "a prediction; or the parts by cycles could not differ";
  for (const char* of : {"energy_j", "programming_energy_j"}) {
    SCOPED_TRACE(of);
    const auto &f = fast.at(of).at("by_block"), &r = rtl.at(of).at("by_block");
    ASSERT_EQ(f.size(), r.size());
    for (const auto& [name, block] : r.items()) {
      if (block.at("follows") == "events") {
        EXPECT_EQ(f.at(name), block) << name;
      }
    }
  }
  const auto &f = fast.at("energy_j"), &r = rtl.at("energy_j");
  EXPECT_EQ(f.at("of_events"), r.at("of_events"));
  EXPECT_NE(f.at("of_cycles"), r.at("of_cycles"));
  const auto joule = [](const nlohmann::json& e, const char* b) {
    return e.at("by_block").at(b).at("joule").get<double>();
  };
  EXPECT_NEAR(joule(f, "leakage") / fast_cycles, joule(r, "leakage") / rtl_cycles,
              1e-6 * joule(r, "leakage") / rtl_cycles);
  EXPECT_EQ(fast.at("area_mm2"), rtl.at("area_mm2"));
  EXPECT_EQ(fast.at("programming_energy_j").at("set_pulses"), rtl.at("programming_energy_j").at("set_pulses"));

  // By hand: 4.75 pJ a trial; (32 * 16 + 16 * 4) weights; 4 ns a cycle; the sequencer of the fixture.
  const auto events = rtl.at("events");
  EXPECT_NEAR(joule(r, "adc"), 4.75e-12 * events.at("trials").get<double>(), 1e-18);
  EXPECT_NEAR(joule(r, "sequencer"),
              2e-12 * events.at("instr").get<double>() + 1e-12 * events.at("sram_rd").get<double>(), 1e-18);
  EXPECT_EQ(rtl.at("operations_per_inference"), 2 * (32 * 16 + 16 * 4));
  EXPECT_NEAR(rtl.at("tops").get<double>(), 1152 * 8 / (rtl_cycles * 4e-9) * 1e-12, 1e-9);
  const double total = r.at("total"), each = r.at("per_inference");
  EXPECT_DOUBLE_EQ(each, total / 8);
  EXPECT_NEAR(rtl.at("tops_per_watt").get<double>(), 1152 / each * 1e-12, 1e-9);
  EXPECT_EQ(rtl.at("programming_energy_j").at("set_pulses").get<uint64_t>() +
                rtl.at("programming_energy_j").at("reset_pulses").get<uint64_t>(),
            rtl.at("programming").at("pulses").get<uint64_t>());
}

TEST_F(TinyCli, CostsChangeNoBit) {
  const std::string base = "run --geometry tiny --images 4" + arguments_;
  EXPECT_EQ(sha_of(base), sha_of(base + " --cost-node 65 --energy"));
}

TEST_F(Cli, DigitalAccuracyIsThatOfInt8) {
  // At 4 bits the ADC costs accuracy, the plain integer network knows no ADC.
  std::map<int, nlohmann::json> accuracy;
  for (const int bits : {8, 4}) {
    ASSERT_EQ(ohmac("run --images 1000 --adc-bits " + std::to_string(bits) + " --json " + path("r.json")).code, 0);
    accuracy[bits] = record("r.json").at("accuracy");
  }
  EXPECT_EQ(accuracy[8].at("digital"), accuracy[4].at("digital"));
  EXPECT_NE(accuracy[8].at("digital_adc"), accuracy[4].at("digital_adc"));
  using namespace ohmac::compiler;
  const std::string data = OHMAC_SOURCE_DIR "/sw/networks/data/";
  const Dataset test = load_digits(data + "test-images.idx.gz", data + "test-labels.idx.gz");
  const Compiled c = compile(load_onnx(OHMAC_SOURCE_DIR "/sw/networks/mnist_mlp.onnx"),
                             load_images(data + "calibration-images.idx.gz"), {});
  int right = 0;
  for (uint32_t i = 0; i < 1000; ++i) right += classify(c.run_int8(c.quantise_input(test.input(i)))) == test.labels[i];
  EXPECT_DOUBLE_EQ(accuracy[8].at("digital"), right / 1000.0);
}

TEST_F(Cli, SameCommandGivesTheSameBits) {
  const std::string run = "run --images 260 --age-s 3600";  // two batches
  const std::string sha = sha_of(run);
  EXPECT_EQ(sha_of(run), sha);
  EXPECT_EQ(sha_of(run + " --threads 2"), sha);
  EXPECT_NE(sha_of(run + " --run-seed 2"), sha);
  EXPECT_NE(sha_of(run + " --chip-seed 2"), sha);
}

TEST_F(Cli, EverySimdLevelGivesTheSameBits) {
  const std::string run = "run --images 20";
  const std::string sha = sha_of(run);
  int levels = 0;
  for (const ohmac::Simd level : {ohmac::Simd::kBaseline, ohmac::Simd::kAvx2, ohmac::Simd::kAvx512}) {
    if (!ohmac::simd_supported(level)) continue;
    ++levels;
    EXPECT_EQ(sha_of(run, std::string("OHMAC_SIMD=") + ohmac::simd_name(level)), sha) << ohmac::simd_name(level);
  }
  EXPECT_GE(levels, 1);
}

TEST_F(Cli, OutputsHoldNothingOfTheSimulator) {
  const Answer a = ohmac("run --images 1 --fidelity rtl");
  EXPECT_EQ(a.code, 0);
  EXPECT_EQ(a.text.find("SystemC"), std::string::npos) << a.text;
  EXPECT_EQ(a.text.rfind("mnist_mlp at fidelity rtl", 0), 0u) << a.text;
}

TEST_F(Cli, DiffFindsNoDivergence) {
  const Answer a = ohmac("diff --images 2");
  EXPECT_EQ(a.code, 0) << a.text;
  EXPECT_NE(a.text.find("no divergence"), std::string::npos);
}

/// Only the comparator noise differs between the sides, so the macro alone, driven as the calibration drives its
/// reference row, says where the first difference must be.
TEST_F(TinyCli, DiffFindsTheFirstConversionThatDiffers) {
  using namespace ohmac;
  const Answer a =
      ohmac("diff --images 1 --geometry tiny --ideal --effect comparator_noise=on --run-seed 5 --rtl-run-seed 6" +
            arguments_);
  ASSERT_EQ(a.code, 1) << a.text;
  std::smatch m;
  ASSERT_TRUE(std::regex_search(
      a.text, m, std::regex(R"(tile (\d+), drive (\d+) \(calibration\), column (\d+): fast (-?\d+), rtl (-?\d+))")))
      << a.text;

  CalPlan plan;
  ASSERT_EQ(make_cal_plan(8, kMaxAdcRange, {}, &plan), Status::kOk);
  MacroConfig c;
  c.geometry = tiny_geometry();
  c.effects = EffectSet::none();
  c.effects.set(Effect::kComparatorNoise, true);
  c.run_seed = 5;
  Macro fast(c);  // tile 0: the first in the order of a diff
  c.run_seed = 6;
  Macro rtl(c);
  const uint32_t blocks = 2;  // 16 outputs on 8 lanes
  std::vector<int8_t> x(c.geometry.rows + 1, 0), y_fast(8), y_rtl(8);
  for (uint32_t drive = 0; drive < plan.reads * (2 * plan.levels + 1); ++drive) {
    const uint32_t step = drive / plan.reads;
    x.back() = step == 2 * plan.levels
                   ? int8_t{0}
                   : static_cast<int8_t>(step < plan.levels ? plan.level[step] : -plan.level[step - plan.levels]);
    fast.drive(x.data(), 32);
    rtl.drive(x.data(), 32);
    for (uint32_t block = 0; block < blocks; ++block) {
      fast.convert(block, 2, plan.range, plan.adc_bits, y_fast.data());
      rtl.convert(block, 2, plan.range, plan.adc_bits, y_rtl.data());
      for (uint32_t l = 0; l < 8; ++l) {
        if (y_fast[l] == y_rtl[l]) continue;
        EXPECT_EQ(m[1], "0");
        EXPECT_EQ(m[2], std::to_string(drive));
        EXPECT_EQ(m[3], std::to_string(block * 8 + l));
        EXPECT_EQ(m[4], std::to_string(y_fast[l]));
        EXPECT_EQ(m[5], std::to_string(y_rtl[l]));
        return;
      }
    }
  }
  FAIL() << "the seeds give the same codes all through the calibration; " << a.text;
}

TEST_F(TinyCli, RtlEqualsFastWithANetworkOfOnesOwn) {
  EXPECT_EQ(sha_of("run --geometry tiny --images 20 --fidelity rtl" + arguments_),
            sha_of("run --geometry tiny --images 20 --fidelity fast" + arguments_));
  const Answer a = ohmac("diff --geometry tiny --images 5" + arguments_);
  EXPECT_EQ(a.code, 0) << a.text;
}

TEST_F(TinyCli, RtlEqualsFastWithWires) {
  const std::string tiny = "--geometry tiny" + arguments_;
  const std::string wires = tiny + " --images 2 --effect wire=on --row-ohm 3 --col-ohm 3 --driver-ohm 50";
  const Answer a = ohmac("diff " + wires);
  EXPECT_EQ(a.code, 0) << a.text;
  EXPECT_NE(sha_of("run " + wires), sha_of("run " + tiny + " --images 2"));
  expect_error(ohmac("run " + tiny + " --row-ohm 3"), {"--row-ohm", "--effect wire=on"});
  expect_error(ohmac("run " + tiny + " --effect wire=on --read-noise per-device"), {"--read-noise", "wire"});
}

TEST_F(TinyCli, ProgramImageForAnotherGeometryIsRefused) {
  const std::string image = path("tiny.ohmi");
  ASSERT_EQ(ohmac("compile --geometry tiny --out " + image + arguments_).code, 0);
  EXPECT_EQ(ohmac("run --geometry tiny --images 2 --image " + image + arguments_).code, 0);
  for (const char* fidelity : {"fast", "rtl"}) {
    expect_error(ohmac(std::string("run --images 2 --fidelity ") + fidelity + " --image " + image + arguments_),
                 {"another chip geometry", "--geometry"});
  }
}

TEST_F(TinyCli, ProgramImageOfAnotherNetworkIsRefused) {
  const std::string image = path("other.ohmi");
  const std::string other = file("other.onnx", onnx_mlp({32, 8}));
  ASSERT_EQ(ohmac("compile --geometry tiny --out " + image + arguments_ + " --network " + other).code, 2)
      << "an option given twice";
  ASSERT_EQ(ohmac("compile --geometry tiny --network " + other + " --calibration-images " + path("images.idx") +
                  " --out " + image)
                .code,
            0);
  expect_error(ohmac("run --geometry tiny --images 2 --image " + image + arguments_), {"8 outputs", "has 32 and 4"});
}

TEST_F(TinyCli, CalibrationImagesOfAnotherSizeNameTheOption) {
  expect_error(ohmac("compile --geometry tiny --network " + path("thin.onnx")),
               {"32 inputs", "28 x 28", "--calibration-images"});
  expect_error(
      ohmac("compile --geometry tiny --network " + path("thin.onnx") + " --calibration-images " + path("none.idx")),
      {"none.idx", "no such file"});
}

TEST_F(TinyCli, WavesShowTheInferenceToo) {
  const auto run = [&](int images) {
    const Answer a = ohmac("run --geometry tiny --fidelity rtl --images " + std::to_string(images) + " --waves " +
                           path("w.fst") + " --json " + path("r.json") + arguments_);
    EXPECT_EQ(a.code, 0) << a.text;
    return record("r.json");
  };
  const auto j = run(20);
  // FST header: block type, u64 length, u64 start time, u64 end time, big-endian; 2 ns a half cycle.
  std::ifstream f(path("w.fst"), std::ios::binary);
  std::array<unsigned char, 25> head{};
  f.read(reinterpret_cast<char*>(head.data()), head.size());
  uint64_t end = 0;
  for (int i = 17; i < 25; ++i) end = end << 8 | head[static_cast<size_t>(i)];
  const uint64_t bringup = j.at("programming").at("bringup_cycles"), inference = j.at("cycles").at("total");
  EXPECT_GE(end, 4 * (bringup + inference));
  EXPECT_LT(end, 4 * (bringup + inference) + 40000) << "reading counters costs some cycles";
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 5)
      << "only inputs, waves and record";
}

// --- Ablation and MVM errors.

TEST_F(Cli, AblationFindsThePlantedCause) {
  // A chip three years old: generic PCM keeps (1e8 / 20)^-0.05 = 0.46 of its strongest conductances, less of the
  // others.
  const std::string chip = "run --ideal --programming formula --images 100 --age-s 1e8 --effect droop=on ";
  const Answer a = ohmac(chip + "--effect drift=on --effect wear=on --threads 2 --ablate --json " + path("a.json"));
  ASSERT_EQ(a.code, 0) << a.text;
  const auto j = record("a.json");
  const auto& effects = j.at("effects");
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[0].at("name"), "drift");
  EXPECT_EQ(effects[1].at("name"), "droop");
  EXPECT_EQ(j.at("idle"), nlohmann::json({"wear"}));
  EXPECT_GT(effects[0].at("influence").get<double>(), 2 * effects[0].at("influence_error").get<double>()) << a.text;
  EXPECT_NE(a.text.find("most of it goes to drift"), std::string::npos) << a.text;
  // Every line is what a run of its own gives.
  const auto accuracy = [&](const std::string& arguments) {
    const Answer run = ohmac(arguments + " --json " + path("r.json"));
    EXPECT_EQ(run.code, 0) << run.text;
    return record("r.json").at("accuracy").at("analog").get<double>();
  };
  EXPECT_EQ(j.at("every_effect").at("accuracy"), accuracy(chip + "--effect drift=on"));
  EXPECT_EQ(effects[0].at("without").at("accuracy"), accuracy(chip));
  EXPECT_EQ(effects[1].at("alone").at("accuracy"), accuracy(chip));
  EXPECT_EQ(effects[0].at("alone").at("accuracy"), accuracy(chip + "--effect drift=on --effect droop=off"));
  EXPECT_EQ(j.at("no_effect").at("accuracy"), j.at("accuracy_int8_adc"));
  EXPECT_EQ(j.at("no_effect").at("output_error"), 0.0);
}

TEST_F(TinyCli, AblationOfSeveralChipsDoesNotDependOnThreads) {
  const std::string run = "run --geometry tiny --images 10 --ablate --chips 2 " + arguments_;
  ASSERT_EQ(ohmac(run + " --json " + path("one.json")).code, 0);
  ASSERT_EQ(ohmac(run + " --threads 3 --json " + path("three.json")).code, 0);
  EXPECT_EQ(record("one.json"), record("three.json"));
  EXPECT_EQ(record("one.json").at("chips"), 2);
}

TEST_F(Cli, MvmTellsErrorsAndSharesInEveryForm) {
  const Answer a =
      ohmac("mvm --technology pcm_hermes_two --rows 64 --cols 40 --vectors 50 --dac pwm --threads 2 --csv " +
            path("m.csv") + " --json " + path("m.json") + " --svg " + path("pictures"));
  ASSERT_EQ(a.code, 0) << a.text;
  const auto j = record("m.json");
  EXPECT_EQ(j.at("results"), 50 * 40);
  EXPECT_NEAR(j.at("no_effect").at("effective_bits").get<double>(), 8, 0.1);
  EXPECT_LT(j.at("every_effect").at("effective_bits").get<double>(), 7.5);
  std::istringstream csv(file_text("m.csv"));
  size_t lines = 0;
  double sum = 0;
  for (std::string line; std::getline(csv, line); ++lines) {
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 4) << line;
    EXPECT_EQ(line.substr(0, line.find(',')), j.at("effects")[lines].at("name"));
    sum += j.at("effects")[lines].at("alone_share").get<double>();
  }
  EXPECT_EQ(lines, j.at("effects").size());
  EXPECT_NEAR(sum, 1, 0.15) << "effects that act independently: their variances add";
  for (const char* name : {"conductance", "ir_drop", "error", "linearity"})
    EXPECT_GT(fs::file_size(dir_ / "pictures" / (std::string(name) + ".svg")), 2000u) << name;
}

TEST_F(Cli, PwmAndVoltageAreTheSameWithoutEffects) {
  EXPECT_EQ(sha_of("run --ideal --images 20 --dac pwm"), sha_of("run --ideal --images 20"));
  EXPECT_NE(sha_of("run --images 20 --effect dac_gain=on --dac pwm"), sha_of("run --images 20 --effect dac_gain=on"));
}

TEST_F(TinyCli, EveryConverterEffectIsTheSameInRtlAndFast) {
  const std::string all =
      " --geometry tiny --images 5 --effect dac_gain=on --effect dac_offset=on --effect dac_inl=on --effect "
      "dac_noise=on "
      "--effect saturation=on --effect hold_noise=on --effect sar_mismatch=on" +
      arguments_;
  for (const char* dac : {" --dac voltage", " --dac pwm"})
    EXPECT_EQ(sha_of("run --fidelity rtl" + all + dac), sha_of("run --fidelity fast" + all + dac)) << dac;
}

}  // namespace
}  // namespace ohmac::test
