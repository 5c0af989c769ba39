// SPDX-License-Identifier: Apache-2.0
#include <onnx/onnx_pb.h>

#include <zlib.h>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "tb/unit/compiler/support.h"

namespace ohmac {
namespace {

using compiler::load_onnx;

/// Small models: input [N,1,2] -> Flatten -> fc1 (Gemm 2x3) -> relu1 -> MatMul 3x2 -> Add.
class Import : public ::testing::Test {
 protected:
  Import() {
    model_.set_ir_version(8);
    auto* o = model_.add_opset_import();
    o->set_domain("");
    o->set_version(13);
    graph().set_name("g");
    input("x", {-1, 1, 2});
    graph().add_output()->set_name("y");
    tensor("w1", {2, 3}, {1, 2, 3, 4, 5, 6});
    tensor("b1", {3}, {0.5f, -20, 1});
    tensor("w2", {3, 2}, {1, -1, 2, -2, 3, -3});
    tensor("b2", {2}, {10, 20});
    node("Flatten", "flat", {"x"}, "f");
    node("Gemm", "fc1", {"f", "w1", "b1"}, "z1");
    node("Relu", "relu1", {"z1"}, "a1");
    node("MatMul", "mm", {"a1", "w2"}, "m");
    node("Add", "add", {"b2", "m"}, "y");
  }

  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  onnx::NodeProto& at(int i) { return *graph().mutable_node(i); }
  onnx::TensorProto& init(int i) { return *graph().mutable_initializer(i); }

  void input(const std::string& name, const std::vector<int>& dims) {
    auto* v = graph().add_input();
    v->set_name(name);
    auto* t = v->mutable_type()->mutable_tensor_type();
    t->set_elem_type(onnx::TensorProto::FLOAT);
    for (int d : dims) {
      auto* dim = t->mutable_shape()->add_dim();
      if (d < 0)
        dim->set_dim_param("N");
      else
        dim->set_dim_value(d);
    }
  }
  void tensor(const std::string& name, const std::vector<int>& dims, const std::vector<float>& v) {
    auto* t = graph().add_initializer();
    t->set_name(name);
    t->set_data_type(onnx::TensorProto::FLOAT);
    for (int d : dims) t->add_dims(d);
    for (float x : v) t->add_float_data(x);
  }
  void shape(const std::string& name, const std::vector<int64_t>& v) {
    auto* t = graph().add_initializer();
    t->set_name(name);
    t->set_data_type(onnx::TensorProto::INT64);
    t->add_dims(static_cast<int64_t>(v.size()));
    for (int64_t x : v) t->add_int64_data(x);
  }
  void node(const std::string& op, const std::string& name, const std::vector<std::string>& in,
            const std::string& out) {
    auto* n = graph().add_node();
    n->set_op_type(op);
    n->set_name(name);
    for (const auto& i : in) n->add_input(i);
    n->add_output(out);
  }
  void attribute(int i, const std::string& name, float f) {
    auto* a = at(i).add_attribute();
    a->set_name(name);
    a->set_type(onnx::AttributeProto::FLOAT);
    a->set_f(f);
  }
  void attribute_int(int i, const std::string& name, int64_t v) {
    auto* a = at(i).add_attribute();
    a->set_name(name);
    a->set_type(onnx::AttributeProto::INT);
    a->set_i(v);
  }
  /// A file of this test alone: tests run in parallel.
  static std::string file() {
    return ::testing::TempDir() + "import_" + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".onnx";
  }
  std::string save(size_t drop = 0) const {
    std::string bytes = model_.SerializeAsString();
    bytes.resize(bytes.size() - drop);
    std::ofstream(file(), std::ios::binary) << bytes;
    return file();
  }
  compiler::Network load() const { return load_onnx(save()); }
  std::string error() const {
    const std::string text = test::error_of([&] { load(); });
    EXPECT_EQ(text.rfind(file(), 0), 0u) << "names the file: " << text;
    return text;
  }
  /// The error names the node and says `what`.
  void refuses(const std::string& node_text, const std::string& what) const {
    const std::string text = error();
    EXPECT_NE(text.find("node '" + node_text), std::string::npos) << text;
    EXPECT_NE(text.find(what), std::string::npos) << text;
  }

  onnx::ModelProto model_;
};

TEST(ImportShipped, FloatReferenceEqualsOnnxRuntime) {
  const compiler::Network net = test::mnist();
  ASSERT_EQ(net.layers.size(), 3u);
  EXPECT_EQ(net.name, "mnist_mlp");
  const compiler::Dataset set = test::digits("test");
  compiler::Compiled c;
  c.source = net;
  std::ifstream golden(std::string(OHMAC_SOURCE_DIR) + "/tb/unit/compiler/mnist_mlp_ort.txt");
  std::string line;
  std::getline(golden, line);  // comment
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(std::getline(golden, line));
    std::istringstream values(line);
    for (float v : c.run_float(set.input(i))) {
      float want;
      ASSERT_TRUE(values >> want);
      EXPECT_NEAR(v, want, 1e-4) << "image " << i;
    }
  }
}

TEST_F(Import, ReadsGemmMatMulAddAndRelu) {
  const compiler::Network net = load();
  ASSERT_EQ(net.layers.size(), 2u);
  EXPECT_EQ(net.layers[0].name, "fc1");
  EXPECT_TRUE(net.layers[0].relu);
  EXPECT_FALSE(net.layers[1].relu);
  compiler::Compiled c;
  c.source = net;
  // x = (1, 2): z1 = (9.5, -8, 16), a1 = (9.5, 0, 16), y = (9.5 + 48 + 10, -9.5 - 48 + 20)
  EXPECT_EQ(c.run_float({1, 2}), (std::vector<float>{67.5f, -37.5f}));
}

TEST_F(Import, AppliesAlphaBetaAndTransB) {
  attribute(1, "alpha", 2);
  attribute(1, "beta", 0.5f);
  attribute_int(1, "transB", 1);
  init(0).set_dims(0, 3);
  init(0).set_dims(1, 2);
  const compiler::Layer l = load().layers[0];
  EXPECT_EQ(l.weight, (std::vector<float>{2, 6, 10, 4, 8, 12}));  // w1 = [[1,2],[3,4],[5,6]] transposed, doubled
  EXPECT_EQ(l.bias, (std::vector<float>{0.25f, -10, 0.5f}));
}

TEST_F(Import, ReadsRawDataConstantsAndReshape) {
  const float w[6] = {1, 2, 3, 4, 5, 6};
  init(0).clear_float_data();
  init(0).set_raw_data(w, sizeof w);
  at(0).set_op_type("Reshape");
  at(0).add_input("s");
  auto* c = graph().add_node();
  c->set_op_type("Constant");
  c->add_output("s");
  auto* a = c->add_attribute();
  a->set_name("value");
  auto* t = a->mutable_t();
  t->set_data_type(onnx::TensorProto::INT64);
  t->add_dims(2);
  t->add_int64_data(-1);
  t->add_int64_data(2);
  EXPECT_EQ(load().layers[0].weight, (std::vector<float>(w, w + 6)));
}

TEST_F(Import, MissingFile) {
  EXPECT_EQ(test::error_of([] { load_onnx("/nonexistent/a.onnx"); }), "/nonexistent/a.onnx: cannot open the file");
}

TEST_F(Import, EveryTruncationIsAnError) {
  const size_t size = model_.SerializeAsString().size();
  for (size_t drop = 1; drop <= size; ++drop) {
    save(drop);
    EXPECT_THROW(load_onnx(file()), compiler::CompileError) << drop << " of " << size << " bytes cut";
  }
}

TEST_F(Import, DamagedBytesNeverCrash) {
  const std::string good = model_.SerializeAsString();
  std::mt19937 rng(7);
  for (int i = 0; i < 500; ++i) {
    std::string bad = good;
    for (int j = 0; j < 3; ++j) bad[rng() % bad.size()] = static_cast<char>(rng());
    std::ofstream(file(), std::ios::binary) << bad;
    try {
      load_onnx(file());  // may be a legal model with other numbers
    } catch (const compiler::CompileError&) {
    }
  }
}

TEST_F(Import, NotOnnx) {
  std::ofstream(file()) << "hello, this is text";
  EXPECT_NE(test::error_of([&] { load_onnx(file()); }).find("not a readable ONNX model"), std::string::npos);
}

TEST_F(Import, UnsupportedOperatorNamesNodeOperatorAndRemedy) {
  at(2).set_op_type("Conv");
  at(2).set_name("conv2");
  EXPECT_EQ(
      error(),
      file() + ": node 'conv2' (Conv): not supported; this version maps Gemm, MatMul+Add, Relu, Flatten, Reshape");
  at(2).set_op_type("Softmax");
  refuses("conv2' (Softmax)", "remove it");
  at(2).set_op_type("Dropout");
  refuses("conv2' (Dropout)", "for inference");
  at(2).set_op_type("Relu");
  at(2).set_domain("com.example");
  refuses("conv2' (Relu)", "domain 'com.example'");
}

TEST_F(Import, UnsupportedAttributes) {
  attribute_int(1, "transA", 1);
  refuses("fc1' (Gemm)", "transA=1 is not supported; use transA=0");
  at(1).clear_attribute();
  attribute(1, "gamma", 1);
  refuses("fc1' (Gemm)", "attribute 'gamma'");
  at(1).clear_attribute();
  attribute(1, "alpha", std::nanf(""));
  refuses("fc1' (Gemm)", "alpha is NaN");
  at(1).clear_attribute();
  attribute_int(0, "axis", 2);
  refuses("flat' (Flatten)", "axis=2 is not supported; use axis=1");
}

TEST_F(Import, ReshapeToAnotherWidth) {
  at(0).set_op_type("Reshape");
  at(0).add_input("s");
  shape("s", {-1, 3});
  refuses("flat' (Reshape)", "shape [-1,3] is not supported; use [-1,2]");
}

TEST_F(Import, MissingInitialiser) {
  init(0).set_name("other");
  refuses("fc1' (Gemm)", "'w1' is not a constant: its initialiser is missing");
  input("w1", {2, 3});
  EXPECT_NE(error().find("more than one input ('x', 'w1')"), std::string::npos);
}

TEST_F(Import, WrongShapes) {
  init(0).set_dims(0, 3);
  init(0).set_dims(1, 2);
  refuses("fc1' (Gemm)", "weight 'w1' has shape [3,2], but its input has 2 elements");
  init(0).set_dims(0, 2);
  refuses("fc1' (Gemm)", "holds 6 values, its shape needs 4");
  init(0).set_dims(1, -3);
  refuses("fc1' (Gemm)", "bad shape");
  init(0).set_dims(1, 3);
  init(1).set_dims(0, 2);
  init(1).mutable_float_data()->RemoveLast();
  refuses("fc1' (Gemm)", "bias 'b1' has shape [2], expected [3]");
}

TEST_F(Import, NanAndInfinity) {
  init(0).set_float_data(4, std::nanf(""));
  refuses("fc1' (Gemm)", "initialiser 'w1': element 4 is NaN or infinite");
  init(0).set_float_data(4, 1);
  init(3).set_float_data(1, INFINITY);
  refuses("add' (Add)", "initialiser 'b2': element 1 is NaN or infinite");
}

TEST_F(Import, OtherDataTypesAndExternalData) {
  init(0).set_data_type(onnx::TensorProto::FLOAT16);
  refuses("fc1' (Gemm)", "data type FLOAT16; only float32");
  init(0).set_data_type(onnx::TensorProto::FLOAT);
  init(0).set_data_location(onnx::TensorProto::EXTERNAL);
  refuses("fc1' (Gemm)", "stored in another file");
  init(0).clear_data_location();
  graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::UINT8);
  EXPECT_NE(error().find("input 'x': only float32"), std::string::npos);
}

TEST_F(Import, GraphsThatAreNotALine) {
  at(4).set_input(1, "z1");
  refuses("add' (Add)", "not the output of the node before it ('m')");
  at(4).set_input(1, "m");
  graph().mutable_output(0)->set_name("m");
  EXPECT_NE(error().find("the graph output must be the result of the last node ('y')"), std::string::npos);
  graph().mutable_output(0)->set_name("y");
  at(3).set_op_type("Relu");
  at(3).mutable_input()->RemoveLast();
  refuses("add' (Add)", "only a bias right after a MatMul");
}

TEST_F(Import, InputShapes) {
  auto* dims = graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  dims->mutable_dim(2)->set_dim_param("width");
  EXPECT_NE(error().find("dimension 2 must be a fixed positive number"), std::string::npos);
  dims->mutable_dim(2)->set_dim_value(2);
  at(0).set_op_type("Relu");  // no Flatten: Gemm on 3 dimensions
  refuses("flat' (Relu)", "only after a Gemm or MatMul");
  graph().mutable_node()->DeleteSubrange(0, 1);
  at(0).set_input(0, "x");
  refuses("fc1' (Gemm)", "put Flatten before it");
}

TEST_F(Import, OpsetAndEmptyGraph) {
  model_.mutable_opset_import(0)->set_version(6);
  EXPECT_NE(error().find("opset 6 is not supported"), std::string::npos);
  model_.clear_opset_import();
  EXPECT_NE(error().find("no opset version"), std::string::npos);
  model_.add_opset_import()->set_version(13);
  graph().mutable_node()->DeleteSubrange(1, 4);
  graph().mutable_output(0)->set_name("f");
  EXPECT_NE(error().find("no Gemm or MatMul"), std::string::npos);
}

TEST(Digits, SplitIsBalancedAndDisjoint) {
  const compiler::Dataset test = test::digits("test"), calibration = test::digits("calibration");
  ASSERT_EQ(test.count, 1000u);
  ASSERT_EQ(calibration.count, 256u);
  for (uint32_t i = 0; i < test.count; ++i) EXPECT_EQ(test.labels[i], i % 10);
  for (uint32_t i = 0; i < calibration.count; ++i) EXPECT_EQ(calibration.labels[i], i % 10);
  std::set<std::vector<uint8_t>> seen;
  for (const auto* d : {&test, &calibration})
    for (uint32_t i = 0; i < d->count; ++i)
      EXPECT_TRUE(seen.emplace(d->pixels.begin() + i * 784, d->pixels.begin() + (i + 1) * 784).second) << i;
}

TEST(Digits, MissingDamagedAndMismatchedFiles) {
  const std::string images = test::networks() + "data/test-images.idx.gz",
                    labels = test::networks() + "data/test-labels.idx.gz";
  EXPECT_NE(test::error_of([&] { compiler::load_digits("/nonexistent", labels); }).find("/nonexistent: cannot open"),
            std::string::npos);
  EXPECT_NE(
      test::error_of([&] { compiler::load_digits(labels, labels); }).find("not an IDX file of unsigned bytes with 3"),
      std::string::npos);
  EXPECT_NE(test::error_of([&] {
              compiler::load_digits(images, test::networks() + "data/calibration-labels.idx.gz");
            }).find("1000 images, but"),
            std::string::npos);
  std::ifstream in(images, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  const std::string cut = ::testing::TempDir() + "cut.gz";
  std::ofstream(cut, std::ios::binary) << all.str().substr(0, 5000);
  EXPECT_NE(test::error_of([&] { compiler::load_digits(cut, labels); }).find("truncated or corrupt gzip"),
            std::string::npos);
  const std::string plain = ::testing::TempDir() + "plain.idx";
  std::ofstream(plain, std::ios::binary) << std::string("\0\0\10\3\0\0\0\2\0\0\0\1\0\0\0\1a", 17);
  EXPECT_NE(
      test::error_of([&] { compiler::load_digits(plain, labels); }).find("holds 1 bytes of data, the header says 2"),
      std::string::npos);
}

}  // namespace
}  // namespace ohmac
