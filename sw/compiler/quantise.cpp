// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/quantise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sw/compiler/map.h"

namespace ohmac::compiler {
namespace {

constexpr uint32_t kRanges = 16;        // values of the RANGE field
constexpr uint32_t kLosslessRange = 9;  // 1-bit inputs weigh 2^6, 4-bit weight slices 2^3: step = 1 unit product
constexpr int32_t kAccMax = (1 << 23) - 1, kAccMin = -(1 << 23);

/// Column signals of one phase, in the macro's unit products: s[c] = sum over rows of x * cell. Exact in int32 (rows <=
/// 1023).
void column_signals(const int8_t* x, uint32_t k, const int8_t* cells, uint32_t cols, int32_t* s) {
  std::fill(s, s + cols, 0);
  for (uint32_t r = 0; r < k; ++r) {
    const int32_t v = x[r];
    if (v == 0) continue;
    const int8_t* w = cells + size_t{r} * cols;
    for (uint32_t c = 0; c < cols; ++c) s[c] += v * w[c];
  }
}

/// Slice i of an input, aligned to 7 bits, signed.
int8_t drive_code(int8_t v, uint32_t i, Slicing sl) {
  const int32_t mag = std::min<int32_t>(v < 0 ? -v : v, 127);
  const int32_t code = ((mag >> (i * sl.bits)) & ((1 << sl.bits) - 1)) << (7 - sl.bits);
  return static_cast<int8_t>(v < 0 ? -code : code);
}

int32_t adc_code(int32_t s, uint32_t range, int32_t lo, int32_t hi) {
  const int32_t half = range ? 1 << (range - 1) : 0;
  return std::clamp((s + half) >> range, lo, hi);  // arithmetic shift = floor
}

/// Calls fn(signals, shift) for each phase of one K-tile: signals of all physical columns, position of the input slice.
template <class Fn>
void for_each_phase(const CompileOptions& o, const int8_t* x, uint32_t k, const int8_t* cells, uint32_t cols, Fn fn) {
  const Slicing in = input_slicing(o.input_slice_bits);
  const uint32_t group = o.group_rows ? o.group_rows : k;
  std::vector<int8_t> driven(group);
  std::vector<int32_t> s(cols);
  for (uint32_t g = 0; g < k; g += group) {
    const uint32_t rows = std::min(group, k - g);
    for (uint32_t i = 0; i < in.count; ++i) {
      for (uint32_t r = 0; r < rows; ++r) driven[r] = drive_code(x[g + r], i, in);
      column_signals(driven.data(), rows, cells + size_t{g} * cols, cols, s.data());
      fn(s, i * in.bits);
    }
  }
}

/// Physical columns -> logical psums (gain 2^14: acc * 2^14 + 2^5 >> 6 = acc * 256 exactly).
std::vector<int32_t> combine(const CompileOptions& o, const std::vector<int32_t>& acc, uint32_t n) {
  const Slicing ws = weight_slicing(o.weight_slices);
  std::vector<int32_t> psum(n);
  for (uint32_t c = 0; c < n; ++c) {
    int64_t sum = 0;
    for (uint32_t s = 0; s < ws.count; ++s) sum += (int64_t{acc[c * ws.count + s]} << 8) << (s * ws.bits);
    psum[c] = sat32(sum);
  }
  return psum;
}

std::vector<int64_t> dot(const QuantLayer& l, const std::vector<int8_t>& x) {
  std::vector<int32_t> part(l.n);
  column_signals(x.data(), l.k, l.weight.data(), l.n, part.data());  // k * 127 * 127 < 2^31 for k <= 133,000
  return {part.begin(), part.end()};
}

Activation finish(const QuantLayer& l, const PsumScale& p, std::vector<int32_t> psum) {
  Activation a;
  if (l.relu)
    for (int32_t& v : psum) v = std::max(v, 0);
  if (l.last) {
    a.psum = std::move(psum);
  } else {
    a.q.resize(l.n);
    for (uint32_t c = 0; c < l.n; ++c) a.q[c] = requantise(psum[c], p.mult, p.shift);
  }
  return a;
}

double quantise_to(double v, int limit) { return std::clamp(std::nearbyint(v), -1.0 * limit, 1.0 * limit); }

float largest(const std::vector<std::vector<float>>& values) {
  float top = 0;
  for (const auto& v : values)
    for (float x : v) top = std::max(top, std::fabs(x));
  return top;
}

/// Scale of the network's inputs, which are never clipped.
double input_scale(const std::vector<std::vector<float>>& inputs, int limit) {
  const float top = largest(inputs);
  return top > 0 ? top / static_cast<float>(limit) : 1;
}

void check_calibration(const Network& net, const Dataset& calibration) {
  if (calibration.count == 0) throw CompileError(net.file + ": no calibration images; give at least one");
  if (calibration.size() != net.inputs())
    throw CompileError(net.file + ": takes " + std::to_string(net.inputs()) + " inputs, the calibration images have " +
                       std::to_string(calibration.rows) + "x" + std::to_string(calibration.cols) +
                       " pixels; give images of the network's size");
}

std::vector<std::vector<float>> inputs_of(const Dataset& set) {
  std::vector<std::vector<float>> inputs(set.count);
  for (uint32_t i = 0; i < set.count; ++i) inputs[i] = set.input(i);
  return inputs;
}

/// Shape of a layer, without numbers.
QuantLayer shape_of(const Layer& f, bool last) {
  QuantLayer l;
  l.name = f.name;
  l.k = f.k;
  l.n = f.n;
  l.relu = f.relu;
  l.last = last;
  return l;
}

/// Float activations through one layer, in place.
void forward(const Layer& f, std::vector<std::vector<float>>* act) {
  Network one;
  one.layers = {f};
  for (auto& v : *act) v = forward_float(one, v, 1);
}

/// Scale of values that become -limit..limit: the clip, from max down to half of it, with the least squared error over
/// them.
double clip_scale(const std::vector<std::vector<float>>& values, int limit) {
  const float top = largest(values);
  if (top == 0) return 1.0;
  double best = std::numeric_limits<double>::infinity(), best_scale = 1;
  for (int step = 0; step <= 20; ++step) {
    const double scale = top * (1.0 - 0.025 * step) / limit;
    double error = 0;
    for (const auto& v : values)
      for (float x : v) {
        const double d = scale * quantise_to(x / scale, limit) - x;
        error += d * d;
      }
    if (error < best) best = error, best_scale = scale;
  }
  return best_scale;
}

/// Bias and requantisation for psums that count 2^(step_log2 - 8) unit products.
PsumScale psum_scale(const QuantLayer& l, const std::vector<float>& bias, int step_log2, const std::string& file) {
  PsumScale p;
  const double unit = l.input_scale * l.weight_scale * std::ldexp(1.0, step_log2 - 8);  // real value of one psum count
  for (float b : bias) {
    const double v = std::nearbyint(b / unit);
    if (!(std::fabs(v) < 2147483647.0))
      throw CompileError(file + ": layer '" + l.name +
                         "': a bias is too large for its weights (more than 2^31 psum counts); rescale the layer");
    p.bias.push_back(static_cast<int32_t>(v));
  }
  if (!l.last) requant_factor(unit / l.output_scale, &p.mult, &p.shift);
  return p;
}

/// The range with the least squared error of the layer's sums on the calibration inputs. The ADC is held to `headroom`
/// of its codes.
uint32_t choose_range(const QuantLayer& l, const CompileOptions& o, const std::vector<std::vector<int8_t>>& cells,
                      const std::vector<std::vector<int8_t>>& inputs) {
  const Slicing in = input_slicing(o.input_slice_bits), ws = weight_slicing(o.weight_slices);
  const int32_t hi = std::max(1, static_cast<int32_t>(((1 << (o.adc_bits - 1)) - 1) * o.headroom)), lo = -hi;
  const int align = static_cast<int>(14 - in.bits - ws.bits);  // macro products of a slice pair per unit product, log2
  const uint32_t cols = l.n * ws.count;
  double error[kRanges] = {};
  std::vector<std::vector<int32_t>> acc(kRanges, std::vector<int32_t>(cols));
  std::vector<std::vector<int64_t>> sum(kRanges, std::vector<int64_t>(l.n));
  // Many phases a vector: fewer vectors say as much.
  const bool slow = in.count * ws.count * (o.group_rows ? (l.k + o.group_rows - 1) / o.group_rows : 1) > 8;
  const size_t use = slow ? std::min<size_t>(inputs.size(), 32) : inputs.size();
  for (size_t v = 0; v < use; ++v) {
    const std::vector<int64_t> exact = dot(l, inputs[v]);
    for (auto& s : sum) std::fill(s.begin(), s.end(), 0);
    for (size_t t = 0; t + 1 < l.k_splits.size(); ++t) {
      for (auto& a : acc) std::fill(a.begin(), a.end(), 0);
      for_each_phase(o, inputs[v].data() + l.k_splits[t], l.k_splits[t + 1] - l.k_splits[t], cells[t].data(), cols,
                     [&](const std::vector<int32_t>& s, uint32_t shift) {
                       for (uint32_t r = 0; r < kRanges; ++r)
                         for (uint32_t c = 0; c < cols; ++c) acc[r][c] += adc_code(s[c], r, lo, hi) * (1 << shift);
                     });
      for (uint32_t r = 0; r < kRanges; ++r)
        for (uint32_t c = 0; c < cols; ++c) sum[r][c / ws.count] += int64_t{acc[r][c]} << (c % ws.count * ws.bits);
    }
    for (uint32_t r = 0; r < kRanges; ++r) {
      const double step = std::ldexp(1.0, static_cast<int>(r) - align);
      for (uint32_t c = 0; c < l.n; ++c) {
        const double d = static_cast<double>(sum[r][c]) * step - static_cast<double>(exact[c]);
        error[r] += d * d;
      }
    }
  }
  return static_cast<uint32_t>(std::min_element(error, error + kRanges) - error);
}

}  // namespace

Slicing input_slicing(uint32_t slice_bits) { return {slice_bits, (7 + slice_bits - 1) / slice_bits}; }

Slicing weight_slicing(uint32_t slices) { return {slices == 1 ? 7u : slices == 2 ? 4u : 2u, slices}; }

int8_t cell_code(int8_t w, uint32_t s, Slicing sl) { return drive_code(w, s, sl); }

int8_t quantise_value(double v) { return static_cast<int8_t>(quantise_to(v, 127)); }

void requant_factor(double m, uint32_t* mult, uint32_t* shift) {
  int exponent;
  const double f = std::frexp(m, &exponent);  // m = f * 2^exponent, f in [0.5, 1)
  int s = 31 - exponent;
  double v = std::nearbyint(std::ldexp(f, 31));
  if (v == 2147483648.0) v /= 2, --s;
  if (s < 0)
    throw CompileError("requantisation factor " + std::to_string(m) +
                       " is too large for the vector unit; rescale the network");
  if (s > 62) v = std::nearbyint(std::ldexp(m, 62)), s = 62;
  *mult = static_cast<uint32_t>(v);
  *shift = static_cast<uint32_t>(s);
}

int32_t sat32(int64_t v) {
  return static_cast<int32_t>(
      std::clamp<int64_t>(v, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

int8_t requantise(int32_t x, uint32_t mult, uint32_t shift) {
  const int64_t p = int64_t{x} * mult;  // |p| < 2^62
  int64_t q = p >> shift;
  if (shift) {
    const int64_t rest = p - (q << shift), half = int64_t{1} << (shift - 1);
    if (rest > half || (rest == half && (q & 1))) ++q;
  }
  return static_cast<int8_t>(std::clamp<int64_t>(q, -127, 127));
}

std::vector<int32_t> tile_psums(const CompileOptions& o, uint32_t range, const int8_t* x, uint32_t k,
                                const int8_t* cells, uint32_t n) {
  const uint32_t cols = n * o.weight_slices;
  const int32_t lo = -(1 << (o.adc_bits - 1)), hi = -lo - 1;
  std::vector<int32_t> acc(cols, 0);
  for_each_phase(o, x, k, cells, cols, [&](const std::vector<int32_t>& s, uint32_t shift) {
    for (uint32_t c = 0; c < cols; ++c)
      acc[c] = std::clamp(acc[c] + adc_code(s[c], range, lo, hi) * (1 << shift), kAccMin, kAccMax);
  });
  return combine(o, acc, n);
}

std::vector<int8_t> cell_codes(const QuantLayer& l, const CompileOptions& o, uint32_t k0, uint32_t k, uint32_t n0,
                               uint32_t n) {
  const Slicing ws = weight_slicing(o.weight_slices);
  std::vector<int8_t> out(size_t{k} * n * ws.count);
  for (uint32_t r = 0; r < k; ++r)
    for (uint32_t c = 0; c < n; ++c)
      for (uint32_t s = 0; s < ws.count; ++s)
        out[(size_t{r} * n + c) * ws.count + s] = cell_code(l.weight[size_t{k0 + r} * l.n + n0 + c], s, ws);
  return out;
}

std::vector<float> forward_float(const Network& net, const std::vector<float>& x, size_t layers) {
  std::vector<float> a = x;
  for (size_t i = 0; i < layers; ++i) {
    const Layer& l = net.layers[i];
    std::vector<float> y(l.bias);
    for (uint32_t r = 0; r < l.k; ++r) {
      const float v = a[r];
      if (v == 0) continue;
      for (uint32_t c = 0; c < l.n; ++c) y[c] += v * l.weight[size_t{r} * l.n + c];
    }
    if (l.relu)
      for (float& v : y) v = std::max(v, 0.0f);
    a = std::move(y);
  }
  return a;
}

Activation finish_int8(const QuantLayer& l, const std::vector<int64_t>& sums) {
  std::vector<int32_t> psum(l.n);
  for (uint32_t c = 0; c < l.n; ++c) psum[c] = sat32(sums[c] * 256 + l.int8.bias[c]);
  return finish(l, l.int8, std::move(psum));
}

Activation layer_int8(const QuantLayer& l, const std::vector<int8_t>& x) { return finish_int8(l, dot(l, x)); }

Activation layer_int8_adc(const QuantLayer& l, const CompileOptions& o, const std::vector<std::vector<int8_t>>& cells,
                          const std::vector<int8_t>& x) {
  std::vector<int32_t> sum;
  for (size_t t = 0; t + 1 < l.k_splits.size(); ++t) {
    const uint32_t k0 = l.k_splits[t];
    const std::vector<int32_t> p = tile_psums(o, l.range, x.data() + k0, l.k_splits[t + 1] - k0, cells[t].data(), l.n);
    const std::vector<int32_t>& other = t == 0 ? l.adc.bias : sum;  // the head adds the bias, the others what arrived
    std::vector<int32_t> next(l.n);
    for (uint32_t c = 0; c < l.n; ++c) next[c] = sat32(int64_t{p[c]} + other[c]);
    sum = std::move(next);
  }
  return finish(l, l.adc, std::move(sum));
}

std::vector<QuantLayer> quantise(const Network& net, const Dataset& calibration, const CompileOptions& o) {
  check_calibration(net, calibration);
  const Slicing in = input_slicing(o.input_slice_bits), ws = weight_slicing(o.weight_slices);
  const int align = static_cast<int>(14 - in.bits - ws.bits);

  std::vector<std::vector<float>> act = inputs_of(calibration);  // float input of the layer
  std::vector<std::vector<int8_t>> q(calibration.count);         // the same through the int8_adc network so far
  double scale = input_scale(act, 127);
  for (uint32_t i = 0; i < calibration.count; ++i)
    for (float x : act[i]) q[i].push_back(quantise_value(x / scale));

  std::vector<QuantLayer> out;
  for (const Layer& f : net.layers) {
    QuantLayer l = shape_of(f, &f == &net.layers.back());
    l.k_splits = split_k(f.k, o, net.file, f.name);
    l.input_scale = scale;
    float wmax = 0;
    for (float w : f.weight) wmax = std::max(wmax, std::fabs(w));
    if (!std::isfinite(wmax)) throw CompileError(net.file + ": layer '" + f.name + "': a weight is not finite");
    l.weight_scale = wmax > 0 ? wmax / 127.0 : 1;
    l.weight.reserve(f.weight.size());
    for (float w : f.weight) l.weight.push_back(quantise_value(w / l.weight_scale));

    forward(f, &act);
    l.output_scale = l.last ? 1 : clip_scale(act, 127);

    std::vector<std::vector<int8_t>> cells;
    for (size_t t = 0; t + 1 < l.k_splits.size(); ++t)
      cells.push_back(cell_codes(l, o, l.k_splits[t], l.k_splits[t + 1] - l.k_splits[t], 0, l.n));
    l.range = o.lossless ? kLosslessRange : choose_range(l, o, cells, q);
    l.step_log2 = static_cast<int>(l.range) - align;
    l.int8 = psum_scale(l, f.bias, 0, net.file);
    l.adc = psum_scale(l, f.bias, l.step_log2, net.file);
    if (o.lossless) {  // then int8_adc = int8 only if no sum on the way can saturate
      for (uint32_t c = 0; c < l.n; ++c) {
        int64_t worst = std::abs(int64_t{l.int8.bias[c]});
        for (uint32_t r = 0; r < l.k; ++r) worst += int64_t{std::abs(l.weight[size_t{r} * l.n + c])} * 127 * 256;
        if (worst > std::numeric_limits<int32_t>::max())
          throw CompileError(net.file + ": layer '" + f.name + "': column " + std::to_string(c) +
                             " could overflow the 32-bit psum in the lossless configuration; compile without it");
      }
    }
    if (!l.last)
      for (auto& v : q) v = layer_int8_adc(l, o, cells, v).q;
    scale = l.output_scale;
    out.push_back(std::move(l));
  }
  return out;
}

IntegerNetwork quantise_narrow(const Network& net, const Dataset& calibration, uint32_t bits) {
  if (bits < 2 || bits > 7)
    throw CompileError("narrow network of " + std::to_string(bits) + " bits: 2 to 7; quantise() makes 8");
  check_calibration(net, calibration);
  IntegerNetwork out;
  out.limit = (1 << (bits - 1)) - 1;
  std::vector<std::vector<float>> act = inputs_of(calibration);  // float input of the layer
  double scale = input_scale(act, out.limit);
  for (const Layer& f : net.layers) {
    QuantLayer l = shape_of(f, &f == &net.layers.back());
    l.input_scale = scale;
    l.weight_scale = clip_scale({f.weight}, out.limit);
    for (float w : f.weight) l.weight.push_back(static_cast<int8_t>(quantise_to(w / l.weight_scale, out.limit)));
    forward(f, &act);
    l.output_scale = l.last ? 1 : clip_scale(act, out.limit);
    l.int8 = psum_scale(l, f.bias, 0, net.file);
    scale = l.output_scale;
    out.layers.push_back(std::move(l));
  }
  return out;
}

std::vector<int8_t> IntegerNetwork::quantise_input(const std::vector<float>& x) const {
  std::vector<int8_t> q;
  for (float v : x) q.push_back(static_cast<int8_t>(quantise_to(v / layers.front().input_scale, limit)));
  return q;
}

Activation IntegerNetwork::finish(size_t layer, const std::vector<int64_t>& sums) const {
  Activation a = finish_int8(layers[layer], sums);
  for (int8_t& v : a.q) v = static_cast<int8_t>(std::clamp<int>(v, -limit, limit));
  return a;
}

std::vector<int32_t> IntegerNetwork::run(const std::vector<int8_t>& x) const {
  Activation a;
  a.q = x;
  for (size_t i = 0; i < layers.size(); ++i) a = finish(i, dot(layers[i], a.q));
  return a.psum;
}

std::vector<int8_t> Compiled::quantise_input(const std::vector<float>& x) const {
  if (x.size() != source.inputs())
    throw CompileError(source.file + ": takes " + std::to_string(source.inputs()) + " inputs, got " +
                       std::to_string(x.size()));
  std::vector<int8_t> q;
  for (float v : x) q.push_back(quantise_value(v / layers.front().input_scale));
  return q;
}

std::vector<float> Compiled::run_float(const std::vector<float>& x) const {
  return forward_float(source, x, source.layers.size());
}

std::vector<int32_t> Compiled::run_int8(const std::vector<int8_t>& x) const {
  Activation a;
  a.q = x;
  for (const QuantLayer& l : layers) a = layer_int8(l, a.q);
  return a.psum;
}

std::vector<int32_t> Compiled::run_int8_adc(const std::vector<int8_t>& x) const {
  Activation a;
  a.q = x;
  for (size_t i = 0; i < layers.size(); ++i) a = layer_int8_adc(layers[i], options, cells[i], a.q);
  return a.psum;
}

}  // namespace ohmac::compiler
