// SPDX-License-Identifier: Apache-2.0
// Speed of whole 256 x 256 MVMs, DAC to ADC code, beside what a float product of the same shape costs in the same run:
// OpenBLAS with its fastest kernel for this CPU, and our own product alone. Repetitions are interleaved; the table at
// the end holds ratios of the best and of the median CPU times.
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "models/converters/adc.h"
#include "models/converters/integrator.h"
#include "models/converters/sample_hold.h"
#include "models/crossbar/array.h"
#include "models/crossbar/mvm.h"
#include "models/device/aligned.h"
#include "models/device/simd.h"
#include "models/macro/effects.h"
#include "models/macro/mvm_batch.h"

namespace {

using namespace ohmac;

constexpr uint32_t kN = 256;         // rows, columns and vectors of a batch
constexpr uint32_t kLanes = 32;      // columns of a block
constexpr uint32_t kRange = 10;      // ADC step 1024: random codes fill about a third of the range
constexpr uint32_t kShared = 32768;  // vectors that threads share: long enough for the system to place the threads

enum class Physics { kIdeal, kNoise, kFull };

uint8_t kind(Effect e) { return kEffects[static_cast<unsigned>(e)].kind; }

/// An array with its lanes and its inputs.
struct Setup {
  EffectiveMatrix matrix;
  AdcColumns adc;
  MvmSettings settings;
  std::vector<int8_t> x;  // [kShared][kN + 1]
};

Setup make_setup(Physics physics) {
  std::mt19937 g(1);
  const auto random_codes = [&](size_t n) {
    std::vector<int8_t> v(n);
    for (auto& c : v) c = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
    return v;
  };
  ArrayConfig c;
  c.rows = c.cols = kN;
  c.chip_seed = 1;
  if (physics != Physics::kIdeal) {
    c.programming_kind = kind(Effect::kProgrammingNoise);
    c.read_noise = true;
  }
  if (physics == Physics::kFull) {
    c.stuck_kind = kind(Effect::kStuck);
    c.drift_kind = kind(Effect::kDrift);
  }
  DeviceArray array(c);
  array.program(0, 0, kN, kN, random_codes(kN * kN).data());
  Setup s;
  s.matrix = array.effective(3600);
  const bool full = physics == Physics::kFull;
  s.adc = AdcColumns(fabricate_lanes(kLanes, 0, 1, full ? kind(Effect::kLaneGain) : uint8_t{0},
                                     full ? kind(Effect::kLaneOffset) : uint8_t{0}),
                     kLanes, kN);
  s.settings.columns = kN;
  s.settings.range = kRange;
  s.settings.read_noise_kind = kind(Effect::kReadNoise);
  if (full) {
    s.settings.comparator_kind = kind(Effect::kComparatorNoise);
    s.settings.settled = settling_factor(128);
    for (uint32_t k = 0; k < kN; ++k) s.adc.droop[k] = droop_factor(4.0 * (2 + 10 * (k / kLanes)));
  }
  s.x = random_codes(static_cast<size_t>(kShared) * (kN + 1));
  for (uint32_t v = 0; v < kShared; ++v) s.x[static_cast<size_t>(v) * (kN + 1) + kN] = 0;  // no reference row
  return s;
}

const Setup& setup(Physics p) {
  static const std::array<Setup, 3> s = {make_setup(Physics::kIdeal), make_setup(Physics::kNoise),
                                         make_setup(Physics::kFull)};
  return s[static_cast<size_t>(p)];
}

/// Row-major float matrices of random numbers.
AlignedVector<float> random_floats(size_t n, unsigned seed) {
  std::mt19937 g(seed);
  AlignedVector<float> v(n);
  for (auto& x : v) x = std::uniform_real_distribution<float>(-100, 100)(g);
  return v;
}

struct Floats {
  AlignedVector<float> x[2], w[2], y[2];
};
Floats& floats() {
  static Floats f = [] {
    Floats r;
    for (unsigned i = 0; i < 2; ++i) {
      r.x[i] = random_floats(kN * kN, 1 + i);
      r.w[i] = random_floats(kN * kN, 3 + i);
      r.y[i].resize(kN * kN);
    }
    return r;
  }();
  return f;
}

void blas_gemm(int i) {
  Floats& f = floats();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kN, kN, kN, 1, f.x[i].data(), kN, f.w[i].data(), kN, 0,
              f.y[i].data(), kN);
}
void blas_gemv(int i, bool transposed) {
  Floats& f = floats();
  cblas_sgemv(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, kN, kN, 1, f.w[i].data(), kN, f.x[i].data(), 1, 0,
              f.y[i].data(), 1);
}

/// The BLAS against a plain loop in double.
bool blas_is_right() {
  Floats& f = floats();
  const auto right = [&](uint32_t vectors, bool transposed) {
    for (uint32_t v = 0; v < vectors; ++v) {
      for (uint32_t c = 0; c < kN; ++c) {
        double want = 0;
        for (uint32_t r = 0; r < kN; ++r)
          want += static_cast<double>(f.x[0][v * kN + r]) * f.w[0][transposed ? r * kN + c : c * kN + r];
        // 256 products of up to 1e4, each rounded to 6e-8 of a sum that stays below 1e6.
        if (!(std::fabs(f.y[0][v * kN + c] - want) < 16)) return false;
      }
    }
    return true;
  };
  blas_gemm(0);
  if (!right(kN, true)) return false;
  blas_gemv(0, true);
  if (!right(1, true)) return false;
  blas_gemv(0, false);
  return right(1, false);
}

void BlasGemv(benchmark::State& state) {
  for (auto _ : state) blas_gemv(0, true);
  state.SetItemsProcessed(state.iterations());
}
void BlasGemvOtherLayout(benchmark::State& state) {
  for (auto _ : state) blas_gemv(0, false);
  state.SetItemsProcessed(state.iterations());
}
void BlasTwoGemv(benchmark::State& state) {
  for (auto _ : state) {
    blas_gemv(0, true);
    blas_gemv(1, true);
  }
  state.SetItemsProcessed(state.iterations());
}
void BlasTwoGemvOtherLayout(benchmark::State& state) {
  for (auto _ : state) {
    blas_gemv(0, false);
    blas_gemv(1, false);
  }
  state.SetItemsProcessed(state.iterations());
}
void BlasGemm(benchmark::State& state) {
  for (auto _ : state) blas_gemm(0);
  state.SetItemsProcessed(state.iterations() * kN);
}
void BlasTwoGemm(benchmark::State& state) {
  for (auto _ : state) {
    blas_gemm(0);
    blas_gemm(1);
  }
  state.SetItemsProcessed(state.iterations() * kN);
}

/// Our product alone, inputs taken before the clock starts; Physics::kNoise: with the product of the variances.
void OwnProduct(benchmark::State& state, Physics p, uint32_t vectors) {
  const Setup& s = setup(p);
  constexpr uint32_t kPass = 24;
  std::vector<ActiveRows> in((vectors + kPass - 1) / kPass);
  for (uint32_t i = 0; i < in.size(); ++i)
    in[i].assign(s.x.data() + i * kPass * (kN + 1), kN + 1, std::min(kPass, vectors - i * kPass));
  AlignedVector<float> sum(kPass * kN), var(kPass * kN);
  for (auto _ : state) {
    for (const ActiveRows& rows : in) column_sums(s.matrix, rows, 0, kN, sum.data(), var.data());
    benchmark::DoNotOptimize(sum.data());
  }
  state.SetItemsProcessed(state.iterations() * vectors);
}
void OwnGemv(benchmark::State& state) { OwnProduct(state, Physics::kIdeal, 1); }
void OwnTwoGemv(benchmark::State& state) { OwnProduct(state, Physics::kNoise, 1); }
void OwnGemm(benchmark::State& state) { OwnProduct(state, Physics::kIdeal, kN); }
void OwnTwoGemm(benchmark::State& state) { OwnProduct(state, Physics::kNoise, kN); }

void Mvm(benchmark::State& state, Physics p, uint32_t vectors) {
  const Setup& s = setup(p);
  std::vector<int8_t> codes(static_cast<size_t>(vectors) * kN);
  MvmBatch batch;
  uint64_t drive = 0;
  for (auto _ : state) {
    batch.run(s.matrix, s.adc, s.settings, s.x.data() + (drive % kN) * (vectors == 1 ? kN + 1 : 0), vectors, drive,
              codes.data());
    drive += vectors;
    benchmark::DoNotOptimize(codes.data());
  }
  state.SetItemsProcessed(state.iterations() * vectors);
}
void IdealOne(benchmark::State& state) { Mvm(state, Physics::kIdeal, 1); }
void IdealBatch(benchmark::State& state) { Mvm(state, Physics::kIdeal, kN); }
void NoiseOne(benchmark::State& state) { Mvm(state, Physics::kNoise, 1); }
void NoiseBatch(benchmark::State& state) { Mvm(state, Physics::kNoise, kN); }
void FullOne(benchmark::State& state) { Mvm(state, Physics::kFull, 1); }
void FullBatch(benchmark::State& state) { Mvm(state, Physics::kFull, kN); }

/// Parts of an MVM alone, for the profile of FullBatch; items are vectors.
void PartInputs(benchmark::State& state) {
  const Setup& s = setup(Physics::kNoise);
  ActiveRows rows;
  for (auto _ : state)
    for (uint32_t v = 0; v + 24 <= kN; v += 24) rows.assign(s.x.data() + v * (kN + 1), kN + 1, 24);
  state.SetItemsProcessed(state.iterations() * (kN / 24 * 24));
}
void PartReadNoise(benchmark::State& state) {
  AlignedVector<float> sum(kN), var(kN, 1.0f);
  uint64_t drive = 0;
  for (auto _ : state) {
    for (uint32_t v = 0; v < kN; ++v)
      add_read_noise(0, kN, 1, kind(Effect::kReadNoise), drive++, 0, var.data(), sum.data());
    benchmark::DoNotOptimize(sum.data());
  }
  state.SetItemsProcessed(state.iterations() * kN);
}
void PartAdc(benchmark::State& state, Physics p) {
  const Setup& s = setup(p);
  AlignedVector<float> sum(kN), var(kN);
  ActiveRows rows;
  rows.assign(s.x.data(), kN + 1);
  column_sums(s.matrix, rows, 0, kN, sum.data(), var.data());
  std::vector<int8_t> codes(kN);
  ComparatorNoise noise{s.settings.comparator_kind, 0, 1, 0, 0};
  for (auto _ : state) {
    for (uint32_t v = 0; v < kN; ++v) {
      ++noise.drive;
      adc_convert(s.adc, noise, 0, kN, sum.data(), s.settings.settled, kRange, 8, codes.data());
    }
    benchmark::DoNotOptimize(codes.data());
  }
  state.SetItemsProcessed(state.iterations() * kN);
}
void PartAdcQuiet(benchmark::State& state) { PartAdc(state, Physics::kNoise); }
void PartAdcNoisy(benchmark::State& state) { PartAdc(state, Physics::kFull); }

/// Philox and Box-Muller, and the fma that adds a gaussian to a column; items are gaussians.
void Normals(benchmark::State& state) {
  constexpr uint32_t kCount = 4096;
  AlignedVector<float> sum(kCount), var(kCount, 1.0f);
  uint64_t drive = 0;
  for (auto _ : state) {
    add_read_noise(0, kCount, 1, 4, drive++, 0, var.data(), sum.data());
    benchmark::DoNotOptimize(sum.data());
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}

void Threads(benchmark::State& state, unsigned threads) {
  const Setup& s = setup(Physics::kNoise);
  std::vector<int8_t> codes(static_cast<size_t>(kShared) * kN);
  for (auto _ : state) run_mvm_batch(s.matrix, s.adc, s.settings, s.x.data(), kShared, 0, codes.data(), threads);
  state.SetItemsProcessed(state.iterations() * kShared);
}
void OneThread(benchmark::State& state) { Threads(state, 1); }
void TwoThreads(benchmark::State& state) { Threads(state, 2); }

BENCHMARK(BlasGemv);
BENCHMARK(BlasGemvOtherLayout);
BENCHMARK(OwnGemv);
BENCHMARK(IdealOne);
BENCHMARK(BlasTwoGemv);
BENCHMARK(BlasTwoGemvOtherLayout);
BENCHMARK(OwnTwoGemv);
BENCHMARK(NoiseOne);
BENCHMARK(FullOne);
BENCHMARK(BlasGemm);
BENCHMARK(OwnGemm);
BENCHMARK(IdealBatch);
BENCHMARK(BlasTwoGemm);
BENCHMARK(OwnTwoGemm);
BENCHMARK(NoiseBatch);
BENCHMARK(FullBatch);
BENCHMARK(PartInputs);
BENCHMARK(PartReadNoise);
BENCHMARK(PartAdcQuiet);
BENCHMARK(PartAdcNoisy);
BENCHMARK(Normals);
BENCHMARK(OneThread)->UseRealTime();
BENCHMARK(TwoThreads)->UseRealTime();

/// Collects items a second of every repetition.
class Rates : public benchmark::ConsoleReporter {
 public:
  Rates() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& r : runs)
      if (r.run_type == Run::RT_Iteration && !r.error_occurred)
        rates_[r.run_name.function_name].push_back(r.counters.at("items_per_second"));
  }
  double best(const std::string& name) const {
    const auto at = rates_.find(name);
    return at == rates_.end() ? 0 : *std::max_element(at->second.begin(), at->second.end());
  }
  double median(const std::string& name) const {
    const auto at = rates_.find(name);
    if (at == rates_.end()) return 0;
    std::vector<double> v = at->second;
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> rates_;
};

/// Prints a rate and its share of the largest of some bounds.
void print_row(const Rates& r, const char* name, const std::vector<const char*>& bounds, double target) {
  if (r.best(name) == 0) return;
  const char* bound = nullptr;
  for (const char* b : bounds)
    if (bound == nullptr || r.best(b) > r.best(bound)) bound = b;
  std::printf("%-14s %9.0f /s", name, r.best(name));
  if (bound == nullptr || r.best(bound) == 0) {
    std::printf("\n");
    return;
  }
  std::printf("   %5.1f %% (median %5.1f %%) of %s %.0f /s", 100 * r.best(name) / r.best(bound),
              100 * r.median(name) / r.median(bound), bound, r.best(bound));
  if (target > 0) std::printf(", target %.0f %%", target);
  std::printf("\n");
}

void print_table(const Rates& r) {
  std::printf("\nMVMs of 256 x 256, 8-bit DAC and ADC, %s; best of the repetitions:\n", simd_name(simd_level()));
  for (const char* b : {"BlasGemv", "BlasGemvOtherLayout", "OwnGemv", "BlasTwoGemv", "BlasTwoGemvOtherLayout",
                        "OwnTwoGemv", "BlasGemm", "OwnGemm", "BlasTwoGemm", "OwnTwoGemm"})
    if (r.best(b) > 0) std::printf("%-22s %9.0f /s\n", b, r.best(b));
  const std::vector<const char*> gemv = {"BlasGemv", "BlasGemvOtherLayout", "OwnGemv"},
                                 gemv2 = {"BlasTwoGemv", "BlasTwoGemvOtherLayout", "OwnTwoGemv"},
                                 gemm = {"BlasGemm", "OwnGemm"}, gemm2 = {"BlasTwoGemm", "OwnTwoGemm"};
  print_row(r, "IdealOne", gemv, 80);
  print_row(r, "NoiseOne", gemv2, 60);
  print_row(r, "FullOne", gemv2, 0);
  print_row(r, "IdealBatch", gemm, 0);
  print_row(r, "NoiseBatch", gemm2, 75);
  print_row(r, "FullBatch", gemm2, 0);
  for (const char* part : {"OwnTwoGemm", "PartInputs", "PartReadNoise", "PartAdcQuiet", "PartAdcNoisy"})
    if (r.best(part) > 0) std::printf("%-14s %9.0f ns a vector\n", part, 1e9 / r.best(part));
  if (r.best("Normals") > 0) std::printf("Normals        %.3g /s\n", r.best("Normals"));
  if (r.best("TwoThreads") > 0 && r.best("OneThread") > 0)
    std::printf("TwoThreads     %9.0f /s   %.2f times OneThread %.0f /s (median %.2f), target 1.8\n",
                r.best("TwoThreads"), r.best("TwoThreads") / r.best("OneThread"), r.best("OneThread"),
                r.median("TwoThreads") / r.median("OneThread"));
}

/// Best rate of the BLAS in this process, MVMs a second of gemm; 0 if its results are wrong.
double probe() {
  if (!blas_is_right()) return 0;
  double best = 1e9;
  for (int i = 0; i < 50; ++i) {
    const auto t = std::chrono::steady_clock::now();
    blas_gemm(0);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count());
  }
  return kN / best;
}

/// OpenBLAS chooses its kernels when it is loaded, and old versions do not know new CPUs: try the kernels, one process
/// each, and start again with the fastest that computes correctly.
void choose_kernels(char** argv) {
  if (std::getenv("OHMAC_BLAS_CHOSEN") != nullptr) return;
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OHMAC_BLAS_PROBE", "1", 1);
  std::string fastest;
  double most = 0;
  for (const char* core : {"SkylakeX", "Zen", "Haswell", "Nehalem"}) {
    if (std::strcmp(core, "SkylakeX") == 0 && !simd_supported(Simd::kAvx512)) continue;
    if (std::strcmp(core, "Nehalem") != 0 && !simd_supported(Simd::kAvx2)) continue;
    setenv("OPENBLAS_CORETYPE", core, 1);
    FILE* p = popen(("'" + std::string(argv[0]) + "'").c_str(), "r");
    double rate = 0;
    const bool read = p != nullptr && std::fscanf(p, "%lf", &rate) == 1;
    if (p != nullptr) pclose(p);
    std::printf("OpenBLAS %-9s %s\n", core, read && rate > 0 ? (std::to_string(rate) + " MVM/s").c_str() : "unusable");
    if (!read || rate <= most) continue;
    most = rate;
    fastest = core;
  }
  std::fflush(stdout);
  unsetenv("OHMAC_BLAS_PROBE");
  if (fastest.empty()) {
    unsetenv("OPENBLAS_CORETYPE");
  } else {
    setenv("OPENBLAS_CORETYPE", fastest.c_str(), 1);
  }
  setenv("OHMAC_BLAS_CHOSEN", "1", 1);
  execv("/proc/self/exe", argv);
  std::perror("mvm_bench: exec");
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (std::getenv("OHMAC_BLAS_PROBE") != nullptr) {
    std::printf("%f\n", probe());
    return 0;
  }
  choose_kernels(argv);
  if (!blas_is_right()) {
    std::fprintf(stderr, "mvm_bench: the BLAS computes wrong products (OPENBLAS_CORETYPE)\n");
    return 1;
  }
  char interleave[] = "--benchmark_enable_random_interleaving=true", repeat[] = "--benchmark_repetitions=15",
       time[] = "--benchmark_min_time=0.02";
  std::vector<char*> args = {argv[0], interleave, repeat, time};
  args.insert(args.end(), argv + 1, argv + argc);
  int count = static_cast<int>(args.size());
  benchmark::Initialize(&count, args.data());
  if (benchmark::ReportUnrecognizedArguments(count, args.data())) return 1;
  Rates rates;
  benchmark::RunSpecifiedBenchmarks(&rates);
  print_table(rates);
  return 0;
}
