// SPDX-License-Identifier: Apache-2.0
// The `ohmac` command as a person meets it: every wrong input is a clear message and exit code 2, nothing is lost.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

namespace fs = std::filesystem;

struct Answer {
  int code;
  std::string text;
};

Answer ohmac(const std::string& arguments) {
  const std::string command = std::string(OHMAC_BINARY) + " " + arguments + " 2>&1";
  std::FILE* p = popen(command.c_str(), "r");
  Answer a{-1, ""};
  std::array<char, 4096> buffer;
  while (const size_t n = std::fread(buffer.data(), 1, buffer.size(), p)) a.text.append(buffer.data(), n);
  const int status = pclose(p);
  a.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return a;
}

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("ohmac_cli_test_" + std::to_string(getpid()));
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  std::string file(const std::string& name, const std::string& content) {
    std::ofstream(dir_ / name, std::ios::binary) << content;
    return (dir_ / name).string();
  }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  fs::path dir_;
};

void expect_error(const Answer& a, std::initializer_list<const char*> words) {
  EXPECT_EQ(a.code, 2) << a.text;
  for (const char* w : words) EXPECT_NE(a.text.find(w), std::string::npos) << "no '" << w << "' in: " << a.text;
}

TEST_F(Cli, UnknownNetworkNamesTheShippedOnes) { expect_error(ohmac("run --network nosuch"), {"nosuch", "mnist_mlp"}); }

TEST_F(Cli, CorruptAndTruncatedOnnxNameTheFile) {
  const std::string garbage = file("garbage.onnx", "this is not a protobuf message at all");
  expect_error(ohmac("run --network " + garbage), {"garbage.onnx"});
  expect_error(ohmac("run --network " + file("empty.onnx", "")), {"empty.onnx"});
}

TEST_F(Cli, NetworkLargerThanTheChipSaysHowManyTiles) {
  expect_error(ohmac("compile --geometry tiny"), {"tiles", "2"});
}

TEST_F(Cli, WrongOptionValuesAreRefused) {
  expect_error(ohmac("run --fidelity medium"), {"--fidelity"});
  expect_error(ohmac("run --images 0"), {"--images"});
  expect_error(ohmac("run --images 1000000"), {"--images", "test images"});
  expect_error(ohmac("run --images -3"), {"--images"});
  expect_error(ohmac("run --age-s -1"), {"--age-s"});
  expect_error(ohmac("run --adc-bits 9"), {"--adc-bits"});
  expect_error(ohmac("run --threads 0"), {"--threads"});
  expect_error(ohmac("run --effect gravity=off"), {"gravity", "read_noise"});
  expect_error(ohmac("run --effect drift"), {"drift=on", "drift=off"});
  expect_error(ohmac("run --waves x.fst"), {"rtl"});
  expect_error(ohmac("run --nosuch"), {"--nosuch"});
  expect_error(ohmac("frobnicate"), {"frobnicate"});
}

TEST_F(Cli, MissingDataIsNamed) {
  expect_error(ohmac("run --test-images " + path("none.idx")), {"none.idx", "no such file"});
}

TEST_F(Cli, CorruptImagesAreRefused) {
  expect_error(ohmac("run --test-images " + file("short.idx", std::string("\x00\x00\x08\x03\x00\x00", 6))), {"short.idx"});
}

TEST_F(Cli, RunListNamesTheNetworks) {
  const Answer a = ohmac("run --list");
  EXPECT_EQ(a.code, 0);
  EXPECT_NE(a.text.find("mnist_mlp"), std::string::npos);
}

TEST_F(Cli, RecordHasTheFixedKeys) {
  const Answer a = ohmac("run --images 20 --fidelity fast --json " + path("r.json"));
  ASSERT_EQ(a.code, 0) << a.text;
  std::ifstream f(path("r.json"));
  const auto j = nlohmann::json::parse(f);
  EXPECT_EQ(j.at("schema"), "ohmac-run/1");
  EXPECT_EQ(j.at("network"), "mnist_mlp");
  EXPECT_EQ(j.at("fidelity"), "fast");
  EXPECT_EQ(j.at("images"), 20);
  for (const char* k : {"float", "digital", "analog"}) EXPECT_GT(j.at("accuracy").at(k).get<double>(), 0.5) << k;
  for (const char* k : {"total", "per_inference", "adc_bound_per_inference", "adc_utilisation"}) EXPECT_GT(j.at("cycles").at(k).get<double>(), 0) << k;
  EXPECT_GT(j.at("events").at("conversions").get<uint64_t>(), 0u);
  EXPECT_TRUE(j.at("programming").is_object());
  EXPECT_EQ(j.at("seeds").at("chip"), 1);
  EXPECT_EQ(j.at("seeds").at("run"), 1);
  EXPECT_EQ(j.at("geometry").at("tiles"), 16);
  EXPECT_EQ(j.at("geometry").at("lanes"), 32);
  EXPECT_EQ(j.at("outputs_sha256").get<std::string>().size(), 64u);
  EXPECT_GT(j.at("host").at("seconds").get<double>(), 0);
}

TEST_F(Cli, SameCommandTwiceGivesTheSameBits) {
  ASSERT_EQ(ohmac("run --images 30 --json " + path("a.json")).code, 0);
  ASSERT_EQ(ohmac("run --images 30 --threads 2 --json " + path("b.json")).code, 0);
  const auto sha = [&](const std::string& name) {
    std::ifstream f(path(name));
    return nlohmann::json::parse(f).at("outputs_sha256").get<std::string>();
  };
  EXPECT_EQ(sha("a.json"), sha("b.json"));
}

TEST_F(Cli, UnwritableRecordIsAnErrorWithThePath) {
  const Answer a = ohmac("run --images 2 --json " + path("no/such/dir/r.json"));
  EXPECT_NE(a.code, 0);
  EXPECT_NE(a.text.find("no/such/dir/r.json"), std::string::npos);
}

TEST_F(Cli, DiffFindsNoDivergence) {
  const Answer a = ohmac("diff --images 2");
  EXPECT_EQ(a.code, 0) << a.text;
  EXPECT_NE(a.text.find("no divergence"), std::string::npos);
}

TEST_F(Cli, WavesAreWritten) {
  const Answer a = ohmac("run --images 1 --fidelity rtl --waves " + path("w.fst"));
  EXPECT_EQ(a.code, 0) << a.text;
  EXPECT_GT(fs::file_size(path("w.fst")), 1000u);
}

}  // namespace
