// SPDX-License-Identifier: Apache-2.0
// The image against the format of sw/runtime/image.h, and compiled networks run by the real runtime on the golden
// machine.
#include <cstring>

#include "models/golden/golden_chip.h"
#include "sw/cli/golden_platform.h"
#include "sw/compiler/codegen.h"
#include "sw/hal/crc32.h"
#include "sw/runtime/runtime.h"
#include "tb/unit/compiler/support.h"

namespace ohmac {
namespace {

using namespace compiler;

class ImageFile : public ::testing::Test {
 protected:
  ImageFile() : c_(compile(test::mnist(), test::digits("calibration"), {})) {
    std::memcpy(&h_, c_.image.data(), sizeof h_);
  }
  image::SectionRecord section(uint32_t i) const {
    image::SectionRecord s;
    std::memcpy(&s, c_.image.data() + sizeof h_ + i * sizeof s, sizeof s);
    return s;
  }
  image::SectionRecord section(image::SectionType t) const {
    for (uint32_t i = 0; i < h_.num_sections; ++i)
      if (section(i).type == static_cast<uint32_t>(t)) return section(i);
    ADD_FAILURE() << "no section";
    return {};
  }
  Compiled c_;
  image::Header h_;
};

TEST_F(ImageFile, HeaderBoundsAndCrcs) {
  EXPECT_EQ(h_.magic, image::kMagic);
  EXPECT_EQ(h_.version, image::kVersion);
  ASSERT_EQ(h_.total_bytes, c_.image.size());
  image::Header blank = h_;
  blank.header_crc = 0;
  EXPECT_EQ(h_.header_crc, crc32(&blank, sizeof blank));
  EXPECT_EQ(h_.geometry_hash, crc32(&h_.geometry, sizeof h_.geometry));
  EXPECT_EQ(h_.table_crc, crc32(c_.image.data() + sizeof h_, h_.num_sections * sizeof(image::SectionRecord)));
  for (uint32_t i = 0; i < h_.num_sections; ++i) {
    const image::SectionRecord s = section(i);
    EXPECT_EQ(s.offset % 16, 0u);
    ASSERT_LE(uint64_t{s.offset} + s.bytes, c_.image.size());
    EXPECT_EQ(s.crc, crc32(c_.image.data() + s.offset, s.bytes));
  }
}

TEST_F(ImageFile, NetworkRecord) {
  image::NetworkRecord n;
  std::memcpy(&n, c_.image.data() + section(image::SectionType::kNetwork).offset, sizeof n);
  EXPECT_STREQ(n.name, "mnist_mlp");
  EXPECT_EQ(n.input_bytes, 784u);
  EXPECT_EQ(n.output_count, 10u);
  EXPECT_EQ(n.output_elem_bytes, 4u);
  EXPECT_EQ(n.output_stride, 48u);
  EXPECT_EQ(n.in_flight, 24u);
  EXPECT_EQ(n.adc_bound, 80u);  // 1 phase x 8 column blocks x (8 + 2)
}

TEST_F(ImageFile, InputsCoverTheVector) {
  const image::SectionRecord s = section(image::SectionType::kInputs);
  uint32_t next = 0;
  for (uint32_t at = 0; at < s.bytes; at += sizeof(image::InputRecord)) {
    image::InputRecord r;
    std::memcpy(&r, c_.image.data() + s.offset + at, sizeof r);
    EXPECT_EQ(r.src_offset, next);
    next += r.bytes;
    EXPECT_EQ(r.slots, c_.in_flight);
  }
  EXPECT_EQ(next, 784u);
}

TEST_F(ImageFile, SameInputSameImage) {
  EXPECT_EQ(c_.image, compile(test::mnist(), test::digits("calibration"), {}).image);
}

TEST_F(ImageFile, TilesNameTheRangeOfTheirProgram) {
  const image::SectionRecord s = section(image::SectionType::kTiles);
  uint32_t slots = 0;
  const std::vector<TilePlan> plans = generate(c_, &slots);
  ASSERT_EQ(s.bytes, plans.size() * sizeof(image::TileRecord));
  for (size_t i = 0; i < plans.size(); ++i) {
    image::TileRecord r;
    std::memcpy(&r, c_.image.data() + s.offset + i * sizeof r, sizeof r);
    EXPECT_EQ(r.tile, plans[i].piece.tile);
    EXPECT_EQ(r.range, c_.layers[plans[i].piece.layer].range);
  }
}

TEST_F(ImageFile, ListingNamesTilesBuffersAndInstructions) {
  for (const char* text : {"network mnist_mlp: 784 inputs", "6 of 16 tiles", "ADC bound 80 cycles", "fc1 rows 0..207",
                           "partial sums", "24 slots of 1024 bytes", "output vector"})
    EXPECT_NE(c_.listing.find(text), std::string::npos) << text;
}

TEST(Buffers, ProgramsStartTogetherAndOperandsInDifferentBanks) {
  for (const bool lossless : {false, true}) {
    CompileOptions o;
    o.lossless = lossless;
    const Compiled c = compile(test::mnist(), test::digits("calibration"), o);
    uint32_t slots = 0;
    const std::vector<TilePlan> plans = generate(c, &slots);
    for (const TilePlan& p : plans) {
      EXPECT_EQ(p.program_addr, plans.front().program_addr);
      EXPECT_LE(p.sram_used, c.options.geometry.sram_bytes);
      if (p.piece.head() && p.bias.empty()) continue;
      const uint32_t added = p.piece.head() ? p.bias_addr : p.chain.addr;
      EXPECT_EQ((p.psum.addr / 32 + 8 - added / 32 % 8) % 8, 2u) << "tile " << p.piece.tile;
    }
  }
}

/// One golden chip with the driver and the runtime on it.
struct Machine {
  Machine(const Geometry& g, EffectSet effects)
      : chip(config(g), macro(g, effects)), platform(chip), driver(platform), runtime(driver) {}
  static golden::ChipConfig config(const Geometry& g) {
    golden::ChipConfig c;
    c.geometry = g;
    return c;
  }
  static MacroConfig macro(const Geometry& g, EffectSet effects) {
    MacroConfig m;
    m.geometry = g;
    m.effects = effects;
    return m;
  }
  void load(const Compiled& c, bool calibrate = false) {
    ASSERT_EQ(driver.probe(), Status::kOk);
    LoadOptions o;
    o.calibrate = calibrate;
    ASSERT_EQ(runtime.load(c.image.data(), c.image.size(), o), Status::kOk)
        << runtime.bad_reason() << " at " << runtime.bad_offset();
  }
  std::vector<std::vector<int32_t>> infer(const Compiled& c, const Dataset& set, uint32_t first, uint32_t n) {
    std::vector<int8_t> in;
    for (uint32_t i = first; i < first + n; ++i) {
      const std::vector<int8_t> q = c.quantise_input(set.input(i));
      in.insert(in.end(), q.begin(), q.end());
    }
    std::vector<int32_t> out(size_t{n} * c.output_count);
    const Status s = runtime.infer(in.data(), n, reinterpret_cast<uint8_t*>(out.data()));
    EXPECT_EQ(s, Status::kOk) << status_text(s) << ", tile " << driver.last_error().tile << ", pc "
                              << driver.last_error().pc;
    std::vector<std::vector<int32_t>> split;
    for (uint32_t i = 0; i < n; ++i)
      split.emplace_back(out.begin() + i * c.output_count, out.begin() + (i + 1) * c.output_count);
    return split;
  }
  golden::GoldenChip chip;
  cli::GoldenPlatform platform;
  Driver driver;
  Runtime runtime;
};

TEST(OnGolden, IdealChipEqualsInt8Adc) {
  const Compiled c = compile(test::mnist(), test::digits("calibration"), {});
  const Dataset set = test::digits("test");
  Machine m({}, EffectSet::none());
  m.load(c);
  for (const uint32_t n : {100u, 1u, 30u}) {  // jobs one after another: the prologue sets everything up again
    const auto out = m.infer(c, set, n, n);
    for (uint32_t i = 0; i < n; ++i)
      ASSERT_EQ(out[i], c.run_int8_adc(c.quantise_input(set.input(n + i)))) << "image " << n + i;
  }
  for (uint32_t t = 0; t < m.chip.tiles(); ++t)
    for (uint32_t i = 0; i < isa::kNumTokens; ++i)
      EXPECT_EQ(m.chip.tile(t).token(i), 0) << "tile " << t << " token " << i;
}

TEST(OnGolden, LosslessIdealChipEqualsInt8) {
  CompileOptions o;
  o.lossless = true;
  const Compiled c = compile(test::mnist(), test::digits("calibration"), o);
  const Dataset set = test::digits("test");
  Machine m({}, EffectSet::none());
  m.load(c);
  const auto out = m.infer(c, set, 0, 5);
  for (uint32_t i = 0; i < 5; ++i) EXPECT_EQ(out[i], c.run_int8(c.quantise_input(set.input(i))));
}

TEST(OnGolden, RealisticChipStaysWithinAPointOfInt8) {
  const Compiled c = compile(test::mnist(), test::digits("calibration"), {});
  const Dataset set = test::digits("test");
  Machine m({}, EffectSet{});
  m.load(c, true);
  const auto out = m.infer(c, set, 0, set.count);
  uint32_t analog = 0, int8 = 0;
  for (uint32_t i = 0; i < set.count; ++i) {
    analog += classify(out[i]) == set.labels[i];
    int8 += classify(c.run_int8(c.quantise_input(set.input(i)))) == set.labels[i];
  }
  std::printf("chip 1: analog %.1f %%, int8 %.1f %%\n", 0.1 * analog, 0.1 * int8);
  EXPECT_GE(analog + 10, int8);
}

TEST(OnGolden, PredictedPeriodIsNearTheAdcBound) {
  const Compiled c = compile(test::mnist(), test::digits("calibration"), {});
  Machine m({}, EffectSet::none());
  m.load(c);
  const Dataset set = test::digits("test");
  const uint64_t begin = m.chip.cycle();
  m.infer(c, set, 0, 100);
  const uint64_t middle = m.chip.cycle();
  m.infer(c, set, 0, 500);
  const double period =
      static_cast<double>(m.chip.cycle() - middle - (middle - begin)) / 400;  // filling and draining cancel
  std::printf("predicted %.1f cycles a vector, ADC bound %u\n", period, c.adc_bound);
  EXPECT_LE(period, 1.02 * c.adc_bound);
}

/// Splits in every combination: K chains, N parts that meet in the next layer, outputs gathered on the last tile, few
/// slots.
TEST(OnGolden, RandomNetworksInEverySplit) {
  const std::vector<std::vector<uint32_t>> shapes{{20, 7},      {40, 32},        {33, 70},      {70, 40, 20},
                                                  {32, 80, 33}, {17, 50, 50, 9}, {100, 40, 20}, {16, 16, 16, 16, 1}};
  const Geometry g{4, 4, 32, 32, 8, 16384, 8};
  uint32_t ran = 0;
  for (size_t i = 0; i < shapes.size(); ++i)
    for (const uint32_t in_flight : {1u, 3u, 24u}) {
      for (uint32_t variant = 0; variant < 3; ++variant) {
        CompileOptions o;
        o.geometry = g;
        o.in_flight = in_flight;
        o.input_slice_bits = variant == 1 ? 2 : 7;
        o.weight_slices = variant == 2 ? 2 : 1;
        o.group_rows = variant == 1 ? 12 : 0;
        o.adc_bits = 8 - variant;
        const uint32_t seed = static_cast<uint32_t>(100 * i + 10 * in_flight + variant);
        SCOPED_TRACE("seed " + std::to_string(seed));
        const Dataset set = test::random_images(shapes[i][0], 30, seed);
        Compiled c;
        try {
          c = compile(test::random_network(shapes[i], seed), set, o);
        } catch (const CompileError& e) {
          EXPECT_NE(std::string(e.what()).find("network needs"), std::string::npos) << e.what();
          continue;
        }
        ++ran;
        Machine m(g, EffectSet::none());
        m.load(c);
        const auto out = m.infer(c, set, 0, 30);
        for (uint32_t v = 0; v < 30; ++v)
          ASSERT_EQ(out[v], c.run_int8_adc(c.quantise_input(set.input(v)))) << "vector " << v;
      }
    }
  EXPECT_EQ(ran, 72u) << "some network did not fit the chip";
}

/// One vector's items overfill a queue: 10 SENDs to the next layer and 9 gathered parts; 8 parts of an input.
TEST(OnGolden, ManyTilesMeetWithoutDeadlock) {
  struct Case {
    std::vector<uint32_t> widths;
    Geometry geometry;
    uint32_t weight_slices;
  };
  const Case cases[] = {{{16, 16, 300}, {4, 4, 32, 32, 8, 16384, 8}, 1},
                        {{16, 128, 8}, {8, 2, 128, 32, 8, 16384, 8}, 2}};
  for (const Case& k : cases)
    for (const uint32_t in_flight : {1u, 2u, 24u}) {
      CompileOptions o;
      o.geometry = k.geometry;
      o.weight_slices = k.weight_slices;
      o.in_flight = in_flight;
      const Dataset set = test::random_images(k.widths[0], 12, 9);
      const Compiled c = compile(test::random_network(k.widths, 4), set, o);
      Machine m(o.geometry, EffectSet::none());
      m.load(c);
      const auto out = m.infer(c, set, 0, 12);
      for (uint32_t v = 0; v < 12; ++v)
        ASSERT_EQ(out[v], c.run_int8_adc(c.quantise_input(set.input(v))))
            << "vector " << v << ", " << in_flight << " in flight";
    }
}

TEST(OnGolden, TinyGeometry) {
  CompileOptions o;
  o.geometry = tiny_geometry();
  const Dataset set = test::random_images(48, 20, 5);
  for (const std::vector<uint32_t>& widths : {std::vector<uint32_t>{48, 10}, std::vector<uint32_t>{24, 30, 10}}) {
    const Dataset images = test::random_images(widths[0], 20, 5);
    const Compiled c = compile(test::random_network(widths, 3), images, o);
    EXPECT_EQ(c.pieces.size(), 2u);
    Machine m(o.geometry, EffectSet::none());
    m.load(c);
    const auto out = m.infer(c, images, 0, 20);
    for (uint32_t v = 0; v < 20; ++v) EXPECT_EQ(out[v], c.run_int8_adc(c.quantise_input(images.input(v))));
  }
}

TEST(Sram, SlotsAreReducedToFitAndTheRestIsAnError) {
  CompileOptions o;
  o.geometry = {2, 1, 64, 64, 8, 4096, 8};
  const Network net = test::random_network({64, 64, 64}, 1);
  const Dataset set = test::random_images(64, 8, 1);
  const Compiled c = compile(net, set, o);
  EXPECT_LT(c.in_flight, 24u);
  EXPECT_GE(c.in_flight, 8u);
  Machine m(o.geometry, EffectSet::none());
  m.load(c);
  const auto out = m.infer(c, set, 0, 8);
  for (uint32_t v = 0; v < 8; ++v) EXPECT_EQ(out[v], c.run_int8_adc(c.quantise_input(set.input(v))));
  o.geometry.sram_bytes = 1024;
  o.geometry.rows = o.geometry.cols = 256;
  const std::string text = test::error_of([&] {
    compile(test::random_network({256, 256}, 1), test::random_images(256, 4, 1), o);
  });
  EXPECT_NE(text.find("bytes of SRAM for one vector in flight, it has 1024"), std::string::npos) << text;
}

}  // namespace
}  // namespace ohmac
