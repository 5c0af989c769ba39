// SPDX-License-Identifier: Apache-2.0
// The `ohmac` command run as a person runs it, in a folder of its own.
#pragma once
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ohmac::test {

namespace fs = std::filesystem;

struct Answer {
  int code;
  std::string text;
};

/// Runs a shell command.
inline Answer shell(const std::string& line) {
  const std::string command = line + " 2>&1";
  std::FILE* p = popen(command.c_str(), "r");
  Answer a{-1, ""};
  std::array<char, 4096> buffer;
  while (const size_t n = std::fread(buffer.data(), 1, buffer.size(), p)) a.text.append(buffer.data(), n);
  const int status = pclose(p);
  a.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return a;
}

inline Answer ohmac(const std::string& arguments) { return shell(std::string(OHMAC_BINARY) + " " + arguments); }

/// An IDX file of unsigned bytes.
inline std::string idx(const std::vector<uint32_t>& dims, const std::string& data) {
  std::string s = {0, 0, 8, static_cast<char>(dims.size())};
  for (uint32_t d : dims) {
    for (int shift = 24; shift >= 0; shift -= 8) s += static_cast<char>(d >> shift);
  }
  return s + data;
}

/// Dense network of the given widths with small pseudo-random weights, ReLU between the layers; `last_op` takes the
/// place of the last layer's Gemm.
inline std::string onnx_mlp(const std::vector<uint32_t>& widths, const std::string& last_op = "Gemm") {
  onnx::ModelProto m;
  m.set_ir_version(7);
  m.add_opset_import()->set_version(13);
  onnx::GraphProto* g = m.mutable_graph();
  const auto value = [&](onnx::ValueInfoProto* v, const std::string& name, uint32_t width) {
    v->set_name(name);
    auto* t = v->mutable_type()->mutable_tensor_type();
    t->set_elem_type(onnx::TensorProto::FLOAT);
    t->mutable_shape()->add_dim()->set_dim_param("N");
    t->mutable_shape()->add_dim()->set_dim_value(width);
  };
  value(g->add_input(), "x", widths.front());
  std::string current = "x";
  uint32_t state = 1;
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    const std::string n = std::to_string(l);
    onnx::TensorProto* w = g->add_initializer();
    w->set_name("w" + n);
    w->set_data_type(onnx::TensorProto::FLOAT);
    w->add_dims(widths[l]);
    w->add_dims(widths[l + 1]);
    for (uint32_t i = 0; i < widths[l] * widths[l + 1]; ++i) {
      state = state * 1664525 + 1013904223;
      w->add_float_data(static_cast<float>(state >> 8) / (1 << 24) - 0.4f);
    }
    const bool last = l + 2 == widths.size();
    onnx::NodeProto* node = g->add_node();
    node->set_name("fc" + n);
    node->set_op_type(last ? last_op : "Gemm");
    node->add_input(current);
    node->add_input("w" + n);
    node->add_output(current = "y" + n);
    if (last) break;
    onnx::NodeProto* relu = g->add_node();
    relu->set_op_type("Relu");
    relu->add_input(current);
    relu->add_output(current = "r" + n);
  }
  value(g->add_output(), current, widths.back());
  return m.SerializeAsString();
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
  nlohmann::json record(const std::string& name) const {
    std::ifstream f(path(name));
    return nlohmann::json::parse(f);
  }
  std::string file_text(const std::string& name) const {
    std::ifstream f(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(f), {}};
  }
  /// Runs and returns outputs_sha256.
  std::string sha_of(const std::string& arguments, const std::string& environment = "") {
    const Answer a = shell(environment + " " + OHMAC_BINARY + " " + arguments + " --json " + path("sha.json"));
    EXPECT_EQ(a.code, 0) << a.text;
    return a.code == 0 ? record("sha.json").at("outputs_sha256").get<std::string>() : a.text;
  }
  fs::path dir_;
};

/// A chip small enough to be quick in RTL, a network for it and its data: 4 x 8 pixels, two layers on two tiles.
class TinyCli : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    std::string pixels, labels;
    for (int i = 0; i < 20 * 32; ++i) pixels += static_cast<char>(i * 37 % 256);
    for (int i = 0; i < 20; ++i) labels += static_cast<char>(i % 4);
    const std::string images = file("images.idx", idx({20, 4, 8}, pixels));
    arguments_ = " --network " + file("thin.onnx", onnx_mlp({32, 16, 4})) + " --calibration-images " + images +
                 " --test-images " + images + " --test-labels " + file("labels.idx", idx({20}, labels));
  }
  std::string arguments_;
};

template <class Word>
void expect_error_words(const Answer& a, std::initializer_list<Word> words) {
  EXPECT_EQ(a.code, 2) << a.text;
  for (const Word& w : words) EXPECT_NE(a.text.find(w), std::string::npos) << "no '" << w << "' in: " << a.text;
}
/// Exit code 2 and a message with all the words.
inline void expect_error(const Answer& a, std::initializer_list<const char*> words) { expect_error_words(a, words); }
inline void expect_error(const Answer& a, std::initializer_list<std::string> words) { expect_error_words(a, words); }

}  // namespace ohmac::test
