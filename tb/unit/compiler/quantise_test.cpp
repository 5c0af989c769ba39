// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "sw/compiler/quantise.h"
#include "tb/unit/compiler/support.h"

namespace ohmac {
namespace {

using namespace compiler;

TEST(Requantise, RoundsHalvesToEvenAndSaturates) {
  // x / 2: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -0.5 -> 0, -1.5 -> -2, -2.5 -> -2
  const int32_t x[] = {1, 3, 5, -1, -3, -5};
  const int8_t want[] = {0, 2, 2, 0, -2, -2};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(requantise(x[i], 1, 1), want[i]) << x[i];
  EXPECT_EQ(requantise(1000, 1, 0), 127);
  EXPECT_EQ(requantise(-1000, 1, 0), -127);
  EXPECT_EQ(requantise(INT32_MIN, 0x7FFFFFFF, 0), -127);
  EXPECT_EQ(requantise(INT32_MAX, 0x7FFFFFFF, 62), 1);  // (1 - 2^-31)^2
}

TEST(Requantise, FactorIsCloseAndFitsTheFields) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> exponent(-40, 30);
  for (int i = 0; i < 10000; ++i) {
    const double m = std::exp2(exponent(rng));
    uint32_t mult, shift;
    requant_factor(m, &mult, &shift);
    ASSERT_LT(mult, 1u << 31);
    ASSERT_LE(shift, 62u);
    const double tolerance = std::max(m * std::exp2(-30), std::exp2(-63));
    EXPECT_NEAR(std::ldexp(static_cast<double>(mult), -static_cast<int>(shift)), m, tolerance);
  }
  uint32_t mult, shift;
  EXPECT_THROW(requant_factor(std::exp2(31), &mult, &shift), CompileError);
}

TEST(Slices, AddUpToTheValue) {
  for (uint32_t count : {1u, 2u, 4u}) {
    const Slicing sl = weight_slicing(count);
    for (int w = -127; w <= 127; ++w) {
      int sum = 0;
      for (uint32_t s = 0; s < count; ++s) {
        const int cell = cell_code(static_cast<int8_t>(w), s, sl);
        EXPECT_EQ(cell % (1 << (7 - sl.bits)), 0) << "aligned to 7 bits";
        sum += (cell >> (7 - sl.bits)) * (1 << (s * sl.bits));
      }
      EXPECT_EQ(sum, w);
    }
  }
  EXPECT_EQ(input_slicing(4).count, 2u);
  EXPECT_EQ(input_slicing(2).count, 4u);
  EXPECT_EQ(input_slicing(1).count, 7u);
}

/// Two layers by hand, in 4 bits. Input scale 1/7; weights are multiples of 0.1 with the largest 0.7, so scale 0.1
/// without error; psums count 1/7 * 0.1 / 256 = 1/17920.
TEST(Narrow, FourBitsByHand) {
  Network net;
  net.name = net.file = "hand";
  net.layers = {{"fc1", 2, 2, {0.7f, -0.3f, 0.3f, 0.2f}, {0.5f, -0.1f}, true},
                {"fc2", 2, 1, {0.7f, 0.1f}, {0.0f}, false}};
  Dataset one;
  one.count = one.rows = 1;
  one.cols = 2;
  one.pixels = {255, 109};  // 1, 0.42745
  const IntegerNetwork q = quantise_narrow(net, one, 4);
  EXPECT_EQ(q.limit, 7);
  EXPECT_EQ(q.layers[0].weight, (std::vector<int8_t>{7, -3, 3, 2}));
  EXPECT_EQ(q.layers[0].int8.bias, (std::vector<int32_t>{8960, -1792}));
  EXPECT_EQ(q.layers[1].weight, (std::vector<int8_t>{7, 1}));
  EXPECT_EQ(q.quantise_input(one.input(0)), (std::vector<int8_t>{7, 3}));
  // Column 0: 49 + 9 = 58, (58 * 256 + 8960) / 17920 = 1.32857 of 0.7 + 0.3 * 0.42745 + 0.5 = 1.32824, which is 7.
  // Column 1: -21 + 6 is negative.
  EXPECT_EQ(q.finish(0, {58, -15}).q, (std::vector<int8_t>{7, 0}));
  // 49 + 21 = 70: 1.5 / 1.32824 * 7 = 7.9, more than 4 bits hold.
  EXPECT_EQ(q.finish(0, {70, 0}).q, (std::vector<int8_t>{7, 0}));
  // 20: 0.78571 / 1.32824 * 7 = 4.14; 45: (45 * 256 - 1792) / 17920 = 0.54286, 2.86.
  EXPECT_EQ(q.finish(0, {20, 45}).q, (std::vector<int8_t>{4, 3}));
  EXPECT_EQ(q.run({7, 3}), (std::vector<int32_t>{(7 * 7 + 0) * 256}));
  EXPECT_NE(test::error_of([&] { quantise_narrow(net, one, 8); }).find("2 to 7"), std::string::npos);
}

/// With limit 127 the layers of the shipped network are its int8 reference.
TEST(Narrow, EightBitsAreTheInt8Reference) {
  const Compiled c = compile(test::mnist(), test::digits("calibration"), CompileOptions{});
  const IntegerNetwork q{c.layers, 127};
  const Dataset set = test::digits("test");
  for (uint32_t i = 0; i < 20; ++i) {
    const std::vector<float> x = set.input(i);
    ASSERT_EQ(q.quantise_input(x), c.quantise_input(x));
    EXPECT_EQ(q.run(q.quantise_input(x)), c.run_int8(c.quantise_input(x))) << "image " << i;
  }
}

/// tile_psums against the sentences of rtl/tile/README.md, written out naively in floating point.
TEST(TilePsums, FollowTheTilePage) {
  std::mt19937 rng(2);
  for (int trial = 0; trial < 60; ++trial) {
    CompileOptions o;
    o.input_slice_bits = std::vector<uint32_t>{7, 4, 2, 1}[rng() % 4];
    o.weight_slices = std::vector<uint32_t>{1, 2, 4}[rng() % 3];
    o.adc_bits = 4 + rng() % 5;
    o.group_rows = std::vector<uint32_t>{0, 8, 12}[rng() % 3];
    const uint32_t k = 1 + rng() % 40, n = 3, range = rng() % 16;
    std::vector<int8_t> x(k), w(k * n);
    for (auto& v : x) v = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
    for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
    QuantLayer l;
    l.k = k;
    l.n = n;
    l.weight = w;
    const std::vector<int32_t> got = tile_psums(o, range, x.data(), k, cell_codes(l, o, 0, k, 0, n).data(), n);

    const uint32_t ib = o.input_slice_bits, wb = o.weight_slices == 1 ? 7 : o.weight_slices == 2 ? 4 : 2;
    const uint32_t group = o.group_rows ? o.group_rows : k;
    for (uint32_t c = 0; c < n; ++c) {
      double psum = 0;
      for (uint32_t s = 0; s < o.weight_slices; ++s)
        for (uint32_t g = 0; g < k; g += group)
          for (uint32_t i = 0; i * ib < 7; ++i) {
            double signal = 0;
            for (uint32_t r = g; r < std::min(k, g + group); ++r) {
              const int xs = (std::abs(x[r]) >> (i * ib) & ((1 << ib) - 1)) << (7 - ib);
              const int ws = (std::abs(w[r * n + c]) >> (s * wb) & ((1 << wb) - 1)) << (7 - wb);
              signal += (x[r] < 0 ? -1 : 1) * (w[r * n + c] < 0 ? -1 : 1) * xs * ws;
            }
            const double top = std::exp2(o.adc_bits - 1);
            const double code = std::min(std::max(std::floor(signal / std::exp2(range) + 0.5), -top), top - 1);
            psum += code * std::exp2(i * ib) * std::exp2(s * wb) * 256;
          }
      EXPECT_EQ(got[c], psum) << "trial " << trial;
    }
  }
}

class Mnist : public ::testing::Test {
 protected:
  static Compiled compiled(bool lossless, uint32_t adc_bits = 8) {
    CompileOptions o;
    o.lossless = lossless;
    o.adc_bits = adc_bits;
    return compile(test::mnist(), test::digits("calibration"), o);
  }
};

TEST_F(Mnist, AccuracyOfTheReferences) {
  const Compiled c = compiled(false);
  const Dataset set = test::digits("test");
  uint32_t f = 0, int8 = 0, adc = 0;
  for (uint32_t i = 0; i < set.count; ++i) {
    const std::vector<float> x = set.input(i);
    const std::vector<int8_t> q = c.quantise_input(x);
    f += classify(c.run_float(x)) == set.labels[i];
    int8 += classify(c.run_int8(q)) == set.labels[i];
    adc += classify(c.run_int8_adc(q)) == set.labels[i];
  }
  std::printf("accuracy on %u test images: float %.1f %%, int8 %.1f %%, int8_adc %.1f %%\n", set.count, 0.1 * f,
              0.1 * int8, 0.1 * adc);
  EXPECT_GE(f, 970u);
  EXPECT_GE(int8 + 5, f) << "int8 loses at most 0.5 points";
  EXPECT_GE(adc + 5, int8) << "the ADC costs at most 0.5 points";
}

TEST_F(Mnist, LosslessAdcEqualsInt8BitForBit) {
  const Compiled c = compiled(true);
  const Dataset set = test::digits("test");
  for (uint32_t i = 0; i < 300; ++i) {
    const std::vector<int8_t> q = c.quantise_input(set.input(i));
    ASSERT_EQ(c.run_int8_adc(q), c.run_int8(q)) << "image " << i;
  }
}

TEST_F(Mnist, Int8DoesNotDependOnTheAnalogSettings) {
  const Compiled a = compiled(false), b = compiled(true);
  // Scales of later layers come from float activations, so the two compilations agree on everything int8 uses.
  const Dataset set = test::digits("test");
  for (uint32_t i = 0; i < 100; ++i)
    EXPECT_EQ(a.run_int8(a.quantise_input(set.input(i))), b.run_int8(b.quantise_input(set.input(i))));
}

TEST_F(Mnist, CoarserAdcTakesACoarserStep) {
  const Compiled c8 = compiled(false, 8), c5 = compiled(false, 5);
  for (size_t i = 0; i < c8.layers.size(); ++i) EXPECT_GT(c5.layers[i].range, c8.layers[i].range);
}

TEST(Quantise, LosslessHoldsForRandomNetworks) {
  for (uint32_t seed = 0; seed < 5; ++seed) {
    CompileOptions o;
    o.lossless = true;
    o.geometry = {4, 4, 64, 64, 8, 65536, 8};
    const Compiled c =
        compile(test::random_network({100 + 7 * seed, 40, 13}, seed), test::random_images(100 + 7 * seed, 20, seed), o);
    const Dataset set = test::random_images(100 + 7 * seed, 20, seed + 100);
    for (uint32_t i = 0; i < set.count; ++i) {
      const std::vector<int8_t> q = c.quantise_input(set.input(i));
      ASSERT_EQ(c.run_int8_adc(q), c.run_int8(q));
    }
  }
}

TEST(Quantise, WeightsFillTheRangeAndInputsAreSymmetric) {
  const Compiled c = compile(test::random_network({20, 10}, 1), test::random_images(20, 5, 1), {});
  int8_t top = 0, bottom = 0;
  for (int8_t w : c.layers[0].weight) top = std::max(top, w), bottom = std::min(bottom, w);
  EXPECT_EQ(std::max<int>(top, -bottom), 127);
  const std::vector<int8_t> q = c.quantise_input(std::vector<float>(20, -100.0f));
  EXPECT_EQ(q, std::vector<int8_t>(20, -127));
}

TEST(Quantise, RejectsWrongCalibrationData) {
  EXPECT_NE(test::error_of([] {
              compile(test::mnist(), test::random_images(10, 5, 1), {});
            }).find("takes 784 inputs, the calibration images have 1x10"),
            std::string::npos);
  EXPECT_NE(
      test::error_of([] { compile(test::mnist(), test::random_images(784, 0, 1), {}); }).find("no calibration images"),
      std::string::npos);
}

}  // namespace
}  // namespace ohmac
