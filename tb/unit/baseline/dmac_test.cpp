// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "Vdmac_4x8.h"
#include "Vdmac_8x4.h"
#include "Vdmac_full4.h"
#include "Vdmac_full8.h"
#include "Vdmac_small4.h"
#include "Vdmac_small8.h"
#include "tb/common/dmac_network.h"
#include "tb/unit/compiler/support.h"

namespace ohmac::tb {
namespace {

using Numbers = std::vector<int>;

template <class DutT, unsigned Rows, unsigned Cols, unsigned WeightBits, unsigned ActBits>
struct Core {
  using Dut = DutT;
  static constexpr DmacShape kShape{Rows, Cols, WeightBits, ActBits};
};

/// How a random number is drawn: what multipliers, signs and gates of slices could get wrong.
enum class Draw { kUniform, kLowest, kHighest, kExtremes, kSparse, kZero };
constexpr Draw kDraws[] = {Draw::kUniform, Draw::kLowest, Draw::kHighest, Draw::kExtremes, Draw::kSparse, Draw::kZero};

template <class C>
class Dmac : public testing::Test {
 protected:
  static constexpr DmacShape kShape = C::kShape;

  Numbers draw(Draw how, size_t count, unsigned bits) {
    const int low = -(1 << (bits - 1)), high = -low - 1;
    Numbers out(count);
    for (size_t i = 0; i < count; ++i) {
      switch (how) {
        case Draw::kUniform: out[i] = low + static_cast<int>(rng() % (1u << bits)); break;
        case Draw::kLowest: out[i] = low; break;
        case Draw::kHighest: out[i] = high; break;
        case Draw::kExtremes: out[i] = rng() & 1 ? low : high; break;
        case Draw::kSparse: out[i] = rng() % 8 ? 0 : low + static_cast<int>(rng() % (1u << bits)); break;
        case Draw::kZero: out[i] = 0; break;
      }
    }
    return out;
  }
  Numbers draw_weights(Draw how) { return draw(how, size_t{kShape.rows} * kShape.cols, kShape.weight_bits); }
  Numbers draw_acts(Draw how) { return draw(how, kShape.rows, kShape.act_bits); }

  static void append_product(const Numbers& weights, const Numbers& acts, Numbers* out,
                             unsigned columns = kShape.cols) {
    for (unsigned c = 0; c < columns; ++c) {
      int sum = 0;
      for (unsigned r = 0; r < kShape.rows; ++r) sum += weights[r * kShape.cols + c] * acts[r];
      out->push_back(sum);
    }
  }
  /// Runs until `count` results were taken; offers and takes with a chance of so many percent a cycle.
  void run(size_t count, unsigned offer_percent = 100, unsigned take_percent = 100) {
    const uint64_t limit = core.dut.cycle() + 2000 + 100 * count;
    while (core.results.size() < count) {
      ASSERT_LT(core.dut.cycle(), limit) << core.results.size() << " of " << count << " results";
      core.cycle(rng() % 100 < offer_percent, rng() % 100 < take_percent);
    }
  }
  void expect_idle() {
    for (int i = 0; i < 20; ++i) {
      core.cycle(false, false);
      EXPECT_FALSE(core.dut->busy_o);
      EXPECT_FALSE(core.dut->sum_valid_o);
    }
  }

  const uint64_t seed = test_seed(11);
  testing::ScopedTrace trace{__FILE__, __LINE__, "OHMAC_SEED=" + std::to_string(seed)};
  std::mt19937_64 rng{seed};
  DmacDriver<typename C::Dut> core{kShape, [this](VerilatedContext& context) {
                                     context.randReset(2);
                                     context.randSeed(static_cast<int>(seed));
                                   }};
};

using Cores =
    testing::Types<Core<Vdmac_small8, 32, 16, 8, 8>, Core<Vdmac_small4, 64, 16, 4, 4>, Core<Vdmac_8x4, 64, 16, 8, 4>,
                   Core<Vdmac_4x8, 32, 32, 4, 8>, Core<Vdmac_full8, 256, 256, 8, 8>, Core<Vdmac_full4, 256, 256, 4, 4>>;
TYPED_TEST_SUITE(Dmac, Cores);

TYPED_TEST(Dmac, ProductsAreExactUnderBackPressureOnBothSides) {
  for (const Draw weight_draw : kDraws) {
    const Numbers weights = this->draw_weights(weight_draw);
    this->core.load(weights);
    Numbers expected;
    this->core.results.clear();
    for (const Draw act_draw : kDraws) {
      for (int repeat = 0; repeat < 2; ++repeat) {
        const Numbers acts = this->draw_acts(act_draw);
        this->core.offer(acts);
        this->append_product(weights, acts, &expected);
      }
    }
    const unsigned offer_percent = 10 + this->rng() % 91, take_percent = 10 + this->rng() % 91;
    this->run(expected.size(), offer_percent, take_percent);
    ASSERT_EQ(this->core.results, expected) << "weights drawn as " << static_cast<int>(weight_draw);
    this->expect_idle();
  }
}

TYPED_TEST(Dmac, BackToBackMvmsTakeTheirPromisedTimeAndNoMore) {
  const Numbers weights = this->draw_weights(Draw::kUniform);
  this->core.load(weights);
  constexpr unsigned kMvms = 10;
  Numbers expected;
  for (unsigned i = 0; i < kMvms; ++i) {
    const Numbers acts = this->draw_acts(Draw::kUniform);
    this->core.offer(acts);
    this->append_product(weights, acts, &expected);
  }
  std::vector<uint64_t> ends;
  const auto& shape = this->kShape;
  while (ends.size() < kMvms && this->core.dut.cycle() < 100000) {
    this->core.cycle(true, true);
    if (this->core.last_taken) ends.push_back(this->core.dut.cycle());
  }
  ASSERT_EQ(ends.size(), kMvms);
  // Vectors of many lines and few columns are bound by the activation port.
  const uint64_t lines = shape.rows / shape.line_rows();
  const uint64_t expected_cycles = std::max<uint64_t>(shape.mvm_cycles(), lines + 1);
  for (unsigned i = 1; i < kMvms; ++i) EXPECT_EQ(ends[i] - ends[i - 1], expected_cycles) << "MVM " << i;
  EXPECT_EQ(this->core.results, expected);
}

TYPED_TEST(Dmac, FewerColumnsTakeTheirTimeAndNoMore) {
  const Numbers weights = this->draw_weights(Draw::kUniform);
  this->core.load(weights);
  const auto& shape = this->kShape;
  for (const unsigned columns : {8u, shape.cols / 2, shape.cols}) {
    this->core.use_columns(columns);
    this->core.results.clear();
    Numbers expected;
    constexpr unsigned kMvms = 6;
    for (unsigned i = 0; i < kMvms; ++i) {
      const Numbers acts = this->draw_acts(Draw::kUniform);
      this->core.offer(acts);
      this->append_product(weights, acts, &expected, columns);
    }
    std::vector<uint64_t> ends;
    while (ends.size() < kMvms && this->core.dut.cycle() < 100000) {
      this->core.cycle(true, true);
      if (this->core.last_taken) ends.push_back(this->core.dut.cycle());
    }
    ASSERT_EQ(ends.size(), kMvms) << columns << " columns";
    EXPECT_EQ(this->core.results, expected) << columns << " columns";
    const uint64_t lines = shape.rows / shape.line_rows();
    const uint64_t cycles = std::max<uint64_t>(shape.mvm_cycles(columns), lines + 1);
    for (unsigned i = 1; i < kMvms; ++i) EXPECT_EQ(ends[i] - ends[i - 1], cycles) << columns << " columns, MVM " << i;
    this->expect_idle();
  }
}

TYPED_TEST(Dmac, FirstResultsComeEightCyclesAfterTheLastActivations) {
  const Numbers weights = this->draw_weights(Draw::kUniform);
  this->core.load(weights);
  this->core.offer(this->draw_acts(Draw::kUniform));
  EXPECT_FALSE(this->core.dut->busy_o);
  while (!this->core.all_taken()) this->core.cycle(true, true);
  const uint64_t taken = this->core.dut.cycle() - 1;  // index of the cycle
  uint64_t seen = 0;
  for (int i = 0; i < 50 && seen == 0; ++i) {
    EXPECT_TRUE(this->core.dut->busy_o);
    this->core.cycle(false, true);
    if (this->core.sums_taken) seen = this->core.dut.cycle() - 1;
  }
  EXPECT_EQ(seen - taken, 8u);
}

TYPED_TEST(Dmac, WeightsAreTakenBetweenMvmsAndTheNextMvmHasThem) {
  Numbers weights = this->draw_weights(Draw::kUniform);
  this->core.load(weights);
  const auto& shape = this->kShape;
  Numbers expected;
  for (int round = 0; round < 8; ++round) {
    const Numbers acts = this->draw_acts(Draw::kUniform);
    this->core.offer(acts);
    this->append_product(weights, acts, &expected);
  }
  this->run(4, 100, 100);  // in the middle of the first MVM
  // Weights that came now meet the vectors that have not begun. They change one column of one slice.
  const unsigned slice = shape.slices() - 1, word = shape.cols / 4 - 1;
  const Numbers before = weights;
  for (unsigned r = slice * shape.slice_rows(); r < shape.rows; ++r)
    for (unsigned c = 4 * word; c < shape.cols; ++c) weights[r * shape.cols + c] = before[r * shape.cols + c] ? 0 : 1;
  this->core.offer_word(weights, slice, word);
  unsigned waited = 0;
  for (bool taken = false; !taken; ++waited) {
    ASSERT_LT(waited, 4 * shape.mvm_cycles());
    this->core.dut.settle();
    taken = this->core.dut->w_ready_o;
    this->core.cycle(true, true);
  }
  this->core.dut->w_valid_i = 0;
  this->run(expected.size());
  // Each vector used the old matrix or the new one as a whole, the old ones first; the last had the new one.
  ASSERT_EQ(this->core.results.size(), expected.size());
  unsigned changed = 0;
  for (size_t mvm = 0; mvm < 8; ++mvm) {
    bool differs = false;
    for (unsigned c = 0; c < shape.cols; ++c) {
      const bool same = this->core.results[mvm * shape.cols + c] == expected[mvm * shape.cols + c];
      if (c < 4 * word) {
        EXPECT_TRUE(same) << "vector " << mvm << " column " << c;
      }
      differs = differs || !same;
    }
    if (changed) {
      EXPECT_TRUE(differs) << "vector " << mvm << " went back to old weights";
    }
    changed += differs;
  }
  EXPECT_GE(changed, 3u);
  EXPECT_LT(changed, 8u);
  const Numbers acts = this->draw_acts(Draw::kUniform);
  Numbers last;
  this->append_product(weights, acts, &last);
  this->core.results.clear();
  this->core.offer(acts);
  this->run(last.size());
  EXPECT_EQ(this->core.results, last);
}

TYPED_TEST(Dmac, AResetAtAnyTimeLeavesTheWeightsAndNothingElse) {
  const Numbers weights = this->draw_weights(Draw::kUniform);
  this->core.load(weights);
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 4; ++i) this->core.offer(this->draw_acts(Draw::kUniform));
    const unsigned cycles = this->rng() % (3 * this->kShape.mvm_cycles());
    for (unsigned i = 0; i < cycles; ++i) this->core.cycle(this->rng() % 4 != 0, this->rng() % 4 != 0);
    this->core.forget();
    this->core.dut->act_valid_i = 0;
    this->core.dut.reset();
    this->expect_idle();
    const Numbers acts = this->draw_acts(round % 2 ? Draw::kSparse : Draw::kUniform);
    Numbers expected;
    this->append_product(weights, acts, &expected);
    this->core.offer(acts);
    this->run(expected.size(), 70, 70);
    ASSERT_EQ(this->core.results, expected) << "round " << round << ", reset after " << cycles << " cycles";
    this->expect_idle();
    this->core.results.clear();
  }
}

/// The shipped network on digits, pieces as on the chip, in 4 bits.
class DmacNetwork : public testing::Test {
 protected:
  const compiler::Network net = test::mnist();
  const compiler::Dataset calibration = test::digits("calibration"), digits = test::digits("test");
  const compiler::Compiled compiled = compiler::compile(net, calibration, {});
  const compiler::IntegerNetwork network = compiler::quantise_narrow(net, calibration, 4);
  const DmacShape shape{256, 256, 4, 4};
  std::vector<std::string> begun;
  uint64_t cycles = 0;

  std::vector<std::vector<int8_t>> inputs(uint32_t count) const {
    std::vector<std::vector<int8_t>> all;
    for (uint32_t i = 0; i < count; ++i) all.push_back(network.quantise_input(digits.input(i)));
    return all;
  }
  template <class AnyCore>
  std::vector<std::vector<int32_t>> run(AnyCore& core, uint32_t images) {
    return run_network(
        core, shape, network, compiled.pieces, inputs(images),
        [&](const compiler::Piece&, const std::string& name) { begun.push_back(name); },
        [&](const compiler::Piece&, const std::string&, uint64_t n) { cycles += n; });
  }
};

TEST_F(DmacNetwork, InfersDigitsAsTheIntegerNetwork) {
  DmacDriver<Vdmac_full4> core(shape);
  const auto outputs = run(core, 10);
  ASSERT_EQ(outputs.size(), 10u);
  unsigned right = 0;
  for (uint32_t i = 0; i < 10; ++i) {
    EXPECT_EQ(outputs[i], network.run(network.quantise_input(digits.input(i)))) << "image " << i;
    right += compiler::classify(outputs[i]) == digits.labels[i];
  }
  EXPECT_GE(right, 9u);  // 97.6 % of all test images (make baseline)
  EXPECT_EQ(begun, (std::vector<std::string>{"fc1_0_0", "fc1_1_0", "fc1_2_0", "fc1_3_0", "fc2_0_0", "fc3_0_0"}));
  // 4 x 65 + 33 a vector, 5 for 16 columns; filling: 4 lines and 8 cycles a piece.
  EXPECT_NEAR(static_cast<double>(cycles), 10 * (4 * 65 + 33 + 5) + 6 * 12, 24);
}

/// A core of one wrong product.
struct WrongCore {
  DmacDriver<Vdmac_full4> core;
  std::vector<int>& results = core.results;
  void load(const std::vector<int>& weights) { core.load(weights); }
  void use_columns(unsigned columns) { core.use_columns(columns); }
  void offer(const std::vector<int>& acts) { core.offer(acts); }
  void cycle(bool offer_line, bool take) {
    const size_t before = results.size();
    core.cycle(offer_line, take);
    if (before <= 300 && results.size() > 300) ++results[300];  // second image, column 44
  }
};

TEST_F(DmacNetwork, AWrongProductIsReportedWithItsPlace) {
  WrongCore core{DmacDriver<Vdmac_full4>(shape)};
  try {
    run(core, 2);
    FAIL() << "no error";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string(e.what()).rfind("piece fc1_0_0, image 1, column 44: the core says ", 0), 0u) << e.what();
  }
}

}  // namespace
}  // namespace ohmac::tb
