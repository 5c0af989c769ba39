// SPDX-License-Identifier: Apache-2.0
// Narrow reading of an ONNX graph: one line of Flatten / Reshape / Gemm / MatMul + Add / Relu from one input to one
// output.
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "sw/compiler/compiler.h"

namespace ohmac::compiler {
namespace {

const char* const kMapped = "this version maps Gemm, MatMul+Add, Relu, Flatten, Reshape";

struct Tensor {
  std::vector<int64_t> dims;
  std::vector<float> f;    // FLOAT
  std::vector<int64_t> i;  // INT64
};

class Importer {
 public:
  explicit Importer(const std::string& path) : path_(path) {}

  Network run() {
    read();
    const onnx::GraphProto& g = model_.graph();
    for (const onnx::TensorProto& t : g.initializer()) initialisers_[t.name()] = &t;
    for (const onnx::NodeProto& n : g.node())
      if (n.op_type() == "Constant" && n.output_size() == 1) constant(n);
    find_input(g);
    for (int i = 0; i < g.node_size(); ++i) {
      const onnx::NodeProto& n = g.node(i);
      if (n.op_type() == "Constant") continue;
      node(n, i);
    }
    if (g.output_size() != 1 || g.output(0).name() != current_)
      fail("the graph output must be the result of the last node ('" + current_ +
           "'); export a network with one output");
    finish_layer();
    if (net_.layers.empty()) fail("no Gemm or MatMul in the graph; " + std::string(kMapped));
    return std::move(net_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw CompileError(path_ + ": " + what); }
  [[noreturn]] void fail(const onnx::NodeProto& n, const std::string& what) const {
    const std::string name = n.name().empty() ? (n.output_size() ? n.output(0) : std::string("?")) : n.name();
    fail("node '" + name + "' (" + n.op_type() + "): " + what);
  }

  void read() {
    std::ifstream f(path_, std::ios::binary);
    if (!f) fail("cannot open the file");
    if (!model_.ParseFromIstream(&f) || !model_.has_graph() || model_.graph().node_size() == 0)
      fail("not a readable ONNX model (truncated, corrupt or another format); export it again");
    bool default_domain = false;
    for (const auto& o : model_.opset_import())
      if (o.domain().empty() || o.domain() == "ai.onnx") {
        default_domain = true;
        if (o.version() < 7)
          fail("opset " + std::to_string(o.version()) + " is not supported; export with opset 7 or newer");
      }
    if (!default_domain) fail("no opset version of the ONNX domain (corrupt file); export it again");
    const size_t slash = path_.find_last_of('/');
    net_.name = path_.substr(slash == std::string::npos ? 0 : slash + 1);
    if (const size_t dot = net_.name.rfind('.'); dot != std::string::npos && dot > 0) net_.name.resize(dot);
    net_.file = path_;
  }

  void constant(const onnx::NodeProto& n) {
    for (const onnx::AttributeProto& a : n.attribute())
      if (a.name() == "value" && a.has_t()) {
        initialisers_[n.output(0)] = &a.t();
        return;
      }
    fail(n, "only the attribute value=<tensor> is supported");
  }

  void find_input(const onnx::GraphProto& g) {
    const onnx::ValueInfoProto* in = nullptr;
    for (const onnx::ValueInfoProto& v : g.input()) {
      if (initialisers_.count(v.name())) continue;  // IR version 3 lists initialisers as inputs
      if (in)
        fail("more than one input ('" + in->name() + "', '" + v.name() + "'); if '" + v.name() +
             "' is a weight, its initialiser is missing");
      in = &v;
    }
    if (!in) fail("the graph has no input");
    if (!in->type().has_tensor_type() || in->type().tensor_type().elem_type() != onnx::TensorProto::FLOAT)
      fail("input '" + in->name() + "': only float32 is supported");
    current_ = in->name();
    const auto& shape = in->type().tensor_type().shape();
    if (shape.dim_size() < 2) fail("input '" + in->name() + "': shape must be [batch, ...]");
    rank_ = shape.dim_size();
    width_ = 1;
    for (int i = 1; i < shape.dim_size(); ++i) {
      if (!shape.dim(i).has_dim_value() || shape.dim(i).dim_value() < 1 || shape.dim(i).dim_value() > (1 << 20))
        fail("input '" + in->name() + "': dimension " + std::to_string(i) + " must be a fixed positive number");
      width_ *= shape.dim(i).dim_value();
      if (width_ > (1 << 20)) fail("input '" + in->name() + "': more than 2^20 elements");
    }
  }

  Tensor tensor(const onnx::NodeProto& n, const std::string& name, int32_t type) const {
    const auto it = initialisers_.find(name);
    if (it == initialisers_.end()) fail(n, "'" + name + "' is not a constant: its initialiser is missing");
    const onnx::TensorProto& t = *it->second;
    if (t.data_location() == onnx::TensorProto::EXTERNAL || t.external_data_size())
      fail(n, "initialiser '" + name + "' is stored in another file; save the model with its data inside");
    if (t.data_type() != type)
      fail(n, "initialiser '" + name + "' has data type " +
                  onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(t.data_type())) + "; only " +
                  (type == onnx::TensorProto::FLOAT ? "float32" : "int64") + " is supported here");
    Tensor out;
    uint64_t count = 1;
    for (int64_t d : t.dims()) {
      if (d < 1 || d > (1 << 24) || (count *= static_cast<uint64_t>(d)) > (1u << 26))
        fail(n, "initialiser '" + name + "': bad shape");
      out.dims.push_back(d);
    }
    const size_t width = type == onnx::TensorProto::FLOAT ? 4 : 8;
    size_t have;
    if (t.has_raw_data()) {
      have = t.raw_data().size() / width;
      if (t.raw_data().size() % width) have = 0;
    } else {
      have = static_cast<size_t>(type == onnx::TensorProto::FLOAT ? t.float_data_size() : t.int64_data_size());
    }
    if (have != count)
      fail(n, "initialiser '" + name + "' holds " + std::to_string(have) + " values, its shape needs " +
                  std::to_string(count) + " (corrupt file)");
    if (type == onnx::TensorProto::FLOAT) {
      out.f.resize(count);
      if (t.has_raw_data())
        std::memcpy(out.f.data(), t.raw_data().data(), count * 4);  // ONNX and every host we run on: little-endian
      else
        out.f.assign(t.float_data().begin(), t.float_data().end());
      for (size_t i = 0; i < count; ++i)
        if (!std::isfinite(out.f[i]))
          fail(n, "initialiser '" + name + "': element " + std::to_string(i) + " is NaN or infinite");
    } else {
      out.i.resize(count);
      if (t.has_raw_data())
        std::memcpy(out.i.data(), t.raw_data().data(), count * 8);
      else
        out.i.assign(t.int64_data().begin(), t.int64_data().end());
    }
    return out;
  }

  static const onnx::AttributeProto* attribute(const onnx::NodeProto& n, const char* name) {
    for (const onnx::AttributeProto& a : n.attribute())
      if (a.name() == name) return &a;
    return nullptr;
  }
  static int64_t attribute_int(const onnx::NodeProto& n, const char* name, int64_t otherwise) {
    const auto* a = attribute(n, name);
    return a ? a->i() : otherwise;
  }
  float attribute_float(const onnx::NodeProto& n, const char* name) const {
    const auto* a = attribute(n, name);
    const float v = a ? a->f() : 1.0f;
    if (!std::isfinite(v)) fail(n, std::string(name) + " is NaN or infinite");
    return v;
  }
  void only(const onnx::NodeProto& n, std::initializer_list<const char*> names) const {
    for (const onnx::AttributeProto& a : n.attribute()) {
      bool known = false;
      for (const char* x : names) known |= a.name() == x;
      if (!known) fail(n, "attribute '" + a.name() + "' is not supported; export without it");
    }
  }
  void inputs(const onnx::NodeProto& n, int least, int most) const {
    if (n.input_size() < least || n.input_size() > most || n.output_size() != 1)
      fail(n, "has " + std::to_string(n.input_size()) + " inputs and " + std::to_string(n.output_size()) +
                  " outputs (corrupt file)");
  }
  std::string dims_text(const std::vector<int64_t>& d) const {
    std::string s = "[";
    for (size_t i = 0; i < d.size(); ++i) s += (i ? "," : "") + std::to_string(d[i]);
    return s + "]";
  }

  void node(const onnx::NodeProto& n, int index) {
    const std::string& op = n.op_type();
    if (!n.domain().empty() && n.domain() != "ai.onnx")
      fail(n, "domain '" + n.domain() + "' is not supported; " + kMapped);
    static const std::set<std::string> known{"Gemm", "MatMul", "Add", "Relu", "Flatten", "Reshape"};
    if (!known.count(op)) {
      std::string remedy;
      if (op == "Softmax" || op == "LogSoftmax") remedy = "; remove it, it does not change the largest output";
      if (op == "Dropout" || op == "Identity") remedy = "; export the model for inference, with constant folding";
      if (op == "BatchNormalization") remedy = "; fold it into the layer before it";
      fail(n, "not supported; " + std::string(kMapped) + remedy);
    }
    int data = 0;
    if (op == "Add" && n.input_size() == 2 && n.input(1) == current_) data = 1;
    if (n.input_size() <= data || n.input(data) != current_)
      fail(n,
           "its data input is not the output of the node before it ('" + current_ + "'); branches are not supported");
    (void)index;
    if (op == "Flatten") {
      inputs(n, 1, 1);
      only(n, {"axis"});
      if (const int64_t axis = attribute_int(n, "axis", 1); axis != 1 && !(axis < 0 && rank_ + axis == 1))
        fail(n, "axis=" + std::to_string(axis) + " is not supported; use axis=1");
      rank_ = 2;
    } else if (op == "Reshape") {
      inputs(n, 2, 2);
      only(n, {"allowzero"});
      const Tensor t = tensor(n, n.input(1), onnx::TensorProto::INT64);
      if (t.i.size() != 2 || (t.i[1] != width_ && t.i[1] != -1) || (t.i[0] == -1 && t.i[1] == -1) || t.i[0] > 1)
        fail(n, "shape " + dims_text(t.i) + " is not supported; use [-1," + std::to_string(width_) +
                    "] (batch, elements of an input)");
      rank_ = 2;
    } else if (op == "Gemm") {
      inputs(n, 2, 3);
      only(n, {"alpha", "beta", "transA", "transB"});
      if (attribute_int(n, "transA", 0) != 0) fail(n, "transA=1 is not supported; use transA=0");
      dense(n, attribute_int(n, "transB", 0) != 0, attribute_float(n, "alpha"));
      if (n.input_size() == 3 && !n.input(2).empty()) add_bias(n, n.input(2), attribute_float(n, "beta"));
      can_add_ = false;
    } else if (op == "MatMul") {
      inputs(n, 2, 2);
      only(n, {});
      dense(n, false, 1.0f);
    } else if (op == "Add") {
      inputs(n, 2, 2);
      only(n, {});
      if (!open_ || !can_add_) fail(n, "only a bias right after a MatMul is supported");
      add_bias(n, n.input(1 - data), 1.0f);
      can_add_ = false;
    } else {  // Relu
      inputs(n, 1, 1);
      only(n, {});
      if (!open_) fail(n, "only after a Gemm or MatMul");
      layer_.relu = true;
      can_add_ = false;
    }
    current_ = n.output(0);
  }

  void dense(const onnx::NodeProto& n, bool transposed, float alpha) {
    finish_layer();
    if (rank_ != 2) fail(n, "its input has " + std::to_string(rank_) + " dimensions; put Flatten before it");
    const Tensor t = tensor(n, n.input(1), onnx::TensorProto::FLOAT);
    if (t.dims.size() != 2)
      fail(n, "weight '" + n.input(1) + "' has shape " + dims_text(t.dims) + "; it must have 2 dimensions");
    const int64_t k = t.dims[transposed ? 1 : 0], cols = t.dims[transposed ? 0 : 1];
    if (k != width_)
      fail(n, "weight '" + n.input(1) + "' has shape " + dims_text(t.dims) + (transposed ? " (transB=1)" : "") +
                  ", but its input has " + std::to_string(width_) + " elements");
    layer_ = Layer{};
    layer_.name = n.name().empty() ? n.output(0) : n.name();
    layer_.k = static_cast<uint32_t>(k);
    layer_.n = static_cast<uint32_t>(cols);
    layer_.weight.resize(t.f.size());
    for (int64_t r = 0; r < k; ++r)
      for (int64_t c = 0; c < cols; ++c)
        layer_.weight[r * cols + c] = alpha * t.f[transposed ? c * k + r : r * cols + c];
    layer_.bias.assign(layer_.n, 0.0f);
    width_ = cols;
    open_ = can_add_ = true;
  }

  void add_bias(const onnx::NodeProto& n, const std::string& name, float beta) {
    const Tensor t = tensor(n, name, onnx::TensorProto::FLOAT);
    const bool scalar = t.f.size() == 1;
    bool shape_ok = scalar || (!t.dims.empty() && t.dims.back() == layer_.n && t.f.size() == layer_.n);
    if (t.dims.size() > 2) shape_ok = false;
    if (!shape_ok)
      fail(n, "bias '" + name + "' has shape " + dims_text(t.dims) + ", expected [" + std::to_string(layer_.n) + "]");
    for (uint32_t i = 0; i < layer_.n; ++i) layer_.bias[i] += beta * t.f[scalar ? 0 : i];
  }

  void finish_layer() {
    if (open_) net_.layers.push_back(std::move(layer_));
    open_ = false;
  }

  std::string path_;
  onnx::ModelProto model_;
  std::map<std::string, const onnx::TensorProto*> initialisers_;
  Network net_;
  Layer layer_;
  bool open_ = false, can_add_ = false;  // a layer is being read; an Add may follow it
  std::string current_;                  // value the next node must read
  int rank_ = 0;
  int64_t width_ = 0;  // elements of an input at this place
};

}  // namespace

Network load_onnx(const std::string& path) { return Importer(path).run(); }

}  // namespace ohmac::compiler
