// SPDX-License-Identifier: Apache-2.0
// Speed of the wire network: effective conductance beside a sparse Cholesky factorisation with one solve an input, and
// beside the multiply rate of the machine.
#include <benchmark/benchmark.h>
#include <cholmod.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>
#include <stdexcept>
#include <vector>

#include "models/crossbar/wire_network.h"
#include "models/device/simd.h"
#include "models/macro/macro.h"

extern "C" void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*, const double*,
                       const int*, const double*, const int*, const double*, double*, const int*);

namespace {

using namespace ohmac;

/// Processor time of this thread: other work on the machine does not count.
double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Log-uniform 1..100 uS.
std::vector<double> conductances(size_t n) {
  std::mt19937_64 r(1);
  std::uniform_real_distribution<double> u(0, 1);
  std::vector<double> g(n);
  for (double& x : g) x = 1e-6 * std::pow(100.0, u(r));
  return g;
}

constexpr WireOhms kWires = {1, 1, 0, 0};

/// Floating-point operations of the eliminations of 8 x 8 blocks and above (a fused multiply-add is two): `gone` nodes,
/// `kept` ports.
double flops(double gone, double kept, bool root) {
  const double factor = gone * gone * gone / 3, rows = gone * gone * kept;
  return factor + rows + (root ? gone * kept * kept / 2 : gone * kept * kept);
}

/// The recursion of the library: leaves r0..r1 x c0..c1 of an array of rows x cols leaves of 8 x 8.
double flops(uint32_t r0, uint32_t c0, uint32_t r1, uint32_t c1, uint32_t rows, uint32_t cols) {
  const uint32_t h = r1 - r0, c = c1 - c0;
  if (h == 1 && c == 1) return 0;
  const double kept = 8.0 * (h + (c1 == cols ? 0 : h) + (r0 == 0 ? 0 : c) + c);
  const bool root = h == rows && c == cols;
  if (c >= h) {
    const uint32_t m = c0 + c / 2;
    return flops(8.0 * h, kept, root) + flops(r0, c0, r1, m, rows, cols) + flops(r0, m, r1, c1, rows, cols);
  }
  const uint32_t m = r0 + h / 2;
  return flops(8.0 * c, kept, root) + flops(r0, c0, m, c1, rows, cols) + flops(m, c0, r1, c1, rows, cols);
}

void EffectiveConductance(benchmark::State& state) {
  const auto rows = static_cast<uint32_t>(state.range(0)), cols = static_cast<uint32_t>(state.range(1));
  const auto level = static_cast<Simd>(state.range(2));
  if (!simd_supported(level)) return state.SkipWithError("not supported by this machine");
  const Simd before = simd_level();
  force_simd(level);
  state.SetLabel(simd_name(level));
  const auto g = conductances(static_cast<size_t>(rows) * cols);
  for (auto _ : state) benchmark::DoNotOptimize(effective_conductance(rows, cols, g.data(), kWires));
  state.counters["flop/s"] =
      benchmark::Counter(flops(0, 0, (rows + 7) / 8, (cols + 7) / 8, (rows + 7) / 8, (cols + 7) / 8),
                         benchmark::Counter::kIsIterationInvariantRate);
  force_simd(before);
}
BENCHMARK(EffectiveConductance)
    ->ArgNames({"rows", "cols", "simd"})
    ->Args({64, 64, 2})
    ->Args({128, 128, 2})
    ->Args({256, 256, 2})
    ->Args({256, 512, 2})
    ->Args({512, 512, 2})
    ->Args({256, 256, 1})
    ->Unit(benchmark::kMillisecond);

/// The rate of the BLAS that CHOLMOD uses, a bound for both.
void Dgemm(benchmark::State& state) {
  const int n = static_cast<int>(state.range(0));
  const double one = 1, zero = 0;
  std::vector<double> a(static_cast<size_t>(n) * n, 1e-3), b = a, c = a;
  for (auto _ : state) dgemm_("N", "N", &n, &n, &n, &one, a.data(), &n, b.data(), &n, &zero, c.data(), &n);
  state.counters["flop/s"] = benchmark::Counter(2.0 * n * n * n, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Dgemm)->Arg(512)->Unit(benchmark::kMillisecond);

/// Factor once, solve for all inputs together; supernodal, the ordering given.
class Cholesky {
 public:
  Cholesky(uint32_t n, const std::vector<double>& g, int ordering) : n_(n), g_(g) {
    cholmod_start(&c_);
    c_.supernodal = CHOLMOD_SUPERNODAL;
    c_.nmethods = 1;
    c_.method[0].ordering = ordering;
    c_.postorder = 1;
  }
  ~Cholesky() { cholmod_finish(&c_); }

  /// Column currents for 1 V at each input: [input][column].
  std::vector<double> effective() {
    const uint32_t cells = n_ * n_;
    cholmod_triplet* t =
        cholmod_allocate_triplet(2 * cells, 2 * cells, 5 * static_cast<size_t>(cells) * 2, 1, CHOLMOD_REAL, &c_);
    std::vector<double> diagonal(2 * static_cast<size_t>(cells));
    size_t k = 0;
    const auto put = [&](uint32_t i, uint32_t j, double y) {
      static_cast<int*>(t->i)[k] = static_cast<int>(std::min(i, j));
      static_cast<int*>(t->j)[k] = static_cast<int>(std::max(i, j));
      static_cast<double*>(t->x)[k++] = y;
    };
    const auto branch = [&](uint32_t i, uint32_t j, double y) {
      diagonal[i] += y;
      diagonal[j] += y;
      put(i, j, -y);
    };
    for (uint32_t i = 0; i < n_; ++i) {
      for (uint32_t j = 0; j < n_; ++j) {
        const uint32_t row = i * n_ + j, col = cells + row;
        branch(row, col, g_[row]);
        if (j == 0) diagonal[row] += 1 / (kWires.driver + kWires.row);
        if (j != 0) branch(row - 1, row, 1 / kWires.row);
        if (i != 0) branch(col - n_, col, 1 / kWires.col);
        if (i + 1 == n_) diagonal[col] += 1 / (kWires.col + kWires.sense);
      }
    }
    for (uint32_t i = 0; i < 2 * cells; ++i) put(i, i, diagonal[i]);
    t->nnz = k;
    cholmod_sparse* a = cholmod_triplet_to_sparse(t, k, &c_);
    cholmod_dense* b = cholmod_zeros(2 * cells, n_, CHOLMOD_REAL, &c_);
    for (uint32_t i = 0; i < n_; ++i)
      static_cast<double*>(b->x)[static_cast<size_t>(i) * 2 * cells + i * n_] = 1 / (kWires.driver + kWires.row);
    const double start = cpu_seconds();
    cholmod_factor* l = cholmod_analyze(a, &c_);
    analyze_s = cpu_seconds() - start;
    cholmod_factorize(a, l, &c_);
    factor_s = cpu_seconds() - start - analyze_s;
    cholmod_dense* x = cholmod_solve(CHOLMOD_A, l, b, &c_);
    solve_s = cpu_seconds() - start - analyze_s - factor_s;
    if (x == nullptr || c_.status != CHOLMOD_OK) throw std::runtime_error("CHOLMOD failed");
    std::vector<double> out(static_cast<size_t>(n_) * n_);
    for (uint32_t i = 0; i < n_; ++i)
      for (uint32_t j = 0; j < n_; ++j)
        out[static_cast<size_t>(i) * n_ + j] =
            static_cast<double*>(x->x)[static_cast<size_t>(i) * 2 * cells + 2 * cells - n_ + j] /
            (kWires.col + kWires.sense);
    cholmod_free_dense(&x, &c_);
    cholmod_free_dense(&b, &c_);
    cholmod_free_factor(&l, &c_);
    cholmod_free_sparse(&a, &c_);
    cholmod_free_triplet(&t, &c_);
    return out;
  }
  double analyze_s = 0, factor_s = 0, solve_s = 0;

 private:
  uint32_t n_;
  const std::vector<double>& g_;
  cholmod_common c_;
};

/// The same matrix by CHOLMOD. "ratio": its processor time for factor and solves, without ordering, over ours, best of
/// three each, in turns; "difference": the largest, of the largest entry. Run with one BLAS thread.
void CholeskyOverOurs(benchmark::State& state) {
  const auto n = static_cast<uint32_t>(state.range(0));
  const auto g = conductances(static_cast<size_t>(n) * n);
  Cholesky cholesky(n, g, state.range(1) != 0 ? CHOLMOD_METIS : CHOLMOD_AMD);
  state.SetLabel(state.range(1) != 0 ? "METIS" : "AMD");
  double ours = 1e300, theirs = 1e300, order = 0, factor = 0, solve = 0, worst = 0, largest = 0;
  for (auto _ : state) {
    for (int round = 0; round < 3; ++round) {
      for (int k = 0; k < 3; ++k) {
        const double start = cpu_seconds();
        benchmark::DoNotOptimize(effective_conductance(n, n, g.data(), kWires));
        ours = std::min(ours, cpu_seconds() - start);
      }
      const auto want = cholesky.effective(), got = effective_conductance(n, n, g.data(), kWires);
      for (size_t i = 0; i < want.size(); ++i) {
        worst = std::max(worst, std::fabs(got[i] - want[i]));
        largest = std::max(largest, want[i]);
      }
      if (cholesky.factor_s + cholesky.solve_s > theirs) continue;
      order = cholesky.analyze_s;
      factor = cholesky.factor_s;
      solve = cholesky.solve_s;
      theirs = factor + solve;
    }
  }
  state.counters["ours_ms"] = 1e3 * ours;
  state.counters["order_ms"] = 1e3 * order;
  state.counters["factor_ms"] = 1e3 * factor;
  state.counters["solve_ms"] = 1e3 * solve;
  state.counters["ratio"] = theirs / ours;
  state.counters["difference"] = worst / largest;
}
BENCHMARK(CholeskyOverOurs)
    ->ArgNames({"n", "metis"})
    ->Args({64, 0})
    ->Args({64, 1})
    ->Args({256, 0})
    ->Args({256, 1})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

/// One drive of 256 dense rows and eight conversions, as macro_bench does it: with wires the product is the same kernel
/// on another matrix; read noise needs the currents of blocks of rows besides.
void MacroMvm(benchmark::State& state) {
  MacroConfig c;
  c.effects = EffectSet::none();
  c.effects.set(Effect::kWire, state.range(0) != 0);
  c.effects.set(Effect::kReadNoise, state.range(1) != 0);
  Macro m(c);
  std::mt19937 r(1);
  std::vector<int8_t> w(65536), x(257);
  for (auto& k : w) k = static_cast<int8_t>(static_cast<int>(r() % 255) - 127);
  for (auto& k : x) k = static_cast<int8_t>(static_cast<int>(r() % 255) - 127);
  x[256] = 0;
  m.program_cells(0, 0, 256, 256, w.data());
  m.weights(0, 0, 1, 1);  // the matrix is ready
  int8_t out[32];
  for (auto _ : state) {
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 8; ++b) m.convert(b, 2 + 10 * b, 10, 8, out);
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MacroMvm)->ArgNames({"wires", "noise"})->ArgsProduct({{0, 1}, {0, 1}});

/// A verify read after a pulse: one row is driven, 8 conversions.
void MacroVerifyRead(benchmark::State& state) {
  MacroConfig c;
  c.effects.set(Effect::kWire, state.range(0) != 0);
  Macro m(c);
  std::mt19937 r(1);
  std::vector<int8_t> w(65536), x(257);
  for (auto& k : w) k = static_cast<int8_t>(static_cast<int>(r() % 255) - 127);
  x[100] = 127;
  m.program_cells(0, 0, 256, 256, w.data());
  const std::vector<uint32_t> mask(8, 0x11111111);
  int8_t out[32];
  for (auto _ : state) {
    m.pulse(100, false, true, 0, 25, mask.data());
    m.drive(x.data(), 32);
    for (uint32_t b = 0; b < 8; ++b) m.convert(b, 2 + 10 * b, 5, 8, out);
  }
}
BENCHMARK(MacroVerifyRead)->ArgName("wires")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
