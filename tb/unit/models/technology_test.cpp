// SPDX-License-Identifier: Apache-2.0
// Preset files: what they say, what is refused, the laws by hand, and what an array makes of them.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/crossbar/array.h"
#include "models/device/philox.h"
#include "models/device/sample.h"
#include "models/device/simd.h"
#include "models/macro/macro.h"

namespace {

using namespace ohmac;

std::string preset_text(const std::string& name) {
  std::ifstream in(OHMAC_TECHNOLOGY_DIR "/" + name + ".toml");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

std::string error_of(const std::string& text) {
  try {
    parse_technology(text, "my.toml");
  } catch (const TechnologyError& e) {
    return e.what();
  }
  return "";
}

std::shared_ptr<const Technology> changed(const std::string& name, const std::function<void(Technology&)>& change) {
  Technology t = *builtin_technology(name);
  change(t);
  return std::make_shared<const Technology>(t);
}

// --- Presets.

TEST(Presets, AllAreBuiltInUnderTheNameTheyStateWithASourceForEveryNumber) {
  EXPECT_EQ(technology_names(), (std::vector<std::string>{"ideal", "pcm_generic", "pcm_hermes_two", "pcm_hermes_one",
                                                          "reram", "flash_nor"}));
  for (const std::string& name : technology_names()) {
    const auto t = load_technology(name);
    EXPECT_EQ(t->name, name);
    for (const Constant& c : constants(*t)) {
      EXPECT_FALSE(c.value.empty()) << name << ' ' << c.field;
      if (c.field == "name" || c.field == "title") continue;
      EXPECT_FALSE(c.unit.empty()) << name << ' ' << c.field;
      EXPECT_FALSE(c.source.empty()) << name << ' ' << c.field;
    }
  }
}

TEST(Presets, WrittenAndReadAgainTheyAreTheSameToTheBit) {
  for (const std::string& name : technology_names()) {
    const auto t = builtin_technology(name);
    const Technology again = parse_technology(to_toml(*t), "again.toml");
    EXPECT_EQ(first_difference(again, *t), "");
    EXPECT_EQ(to_toml(again), to_toml(*t));
    for (double x : {0.0, 0.01, 0.0944, 0.0945, 0.2, 0.5, 1.0}) {
      EXPECT_EQ(programming_sigma_us(again, x), programming_sigma_us(*t, x));
      EXPECT_EQ(drift_exponent(again, x, 0.3), drift_exponent(*t, x, 0.3));
      EXPECT_EQ(read_noise_q(again, x), read_noise_q(*t, x));
    }
  }
}

TEST(Presets, AFileOfOnesOwnIsReadAndFittedConstantsKeepTheirMark) {
  const std::string path = ::testing::TempDir() + "/own.toml";
  std::ofstream(path) << replaced(preset_text("pcm_generic"), "value = 25.0", "value = 12");
  const auto t = load_technology(path);
  EXPECT_EQ(t->gmax_us, 12);
  EXPECT_NEAR(programming_sigma_us(*t, 1), 1.05538 * 12 / 25, 1e-12);  // scales with Gmax / 25
  EXPECT_NE(t->origin.at("programming.sigma").fitted.find("Joshi"), std::string::npos);
  EXPECT_EQ(t->origin.at("pulse.step").fitted, "");
  EXPECT_EQ(first_difference(*t, *builtin_technology("pcm_generic")), "device.gmax is 12 uS, wanted 25 uS");
  std::remove(path.c_str());
}

TEST(Presets, UnknownNamesAndFilesAreRefused) {
  const auto error = [](const std::string& name) -> std::string {
    try {
      load_technology(name);
    } catch (const TechnologyError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error("pcm"),
            "technology 'pcm': not known; there are ideal, pcm_generic, pcm_hermes_two, pcm_hermes_one, reram, "
            "flash_nor, and preset files (PATH.toml)");
  EXPECT_NE(error("nosuch.toml").find("nosuch.toml: cannot read the technology: No such file"), std::string::npos);
  EXPECT_NE(error("./").find("is no file"), std::string::npos);
  EXPECT_NE(error("").find("not known"), std::string::npos);
}

TEST(Presets, ErrorsNameFileLineAndField) {
  const std::string good = preset_text("pcm_hermes_two");
  ASSERT_EQ(error_of(good), "");
  const struct {
    const char *what, *with, *error;
  } kCases[] = {
      {"value = 20.7,", "value = -20.7,", "my.toml:7: device.gmax: -20.7 is out of range; give 1e-06 to 1e+09"},
      {"value = 20.7,", "value = \"20.7\",", "my.toml:7: device.gmax: must be a number"},
      {"value = 20.7,", "value = nan,", "my.toml:7: device.gmax: nan is out of range"},
      {"value = 20.7, ", "", "my.toml:7: device.gmax.value: is missing"},
      {"unit = \"uS\"", "unit = \"S\"", "my.toml:7: device.gmax: the unit is 'S'; give it in 'uS'"},
      {"unit = \"uS\", ", "", "my.toml:7: device.gmax.unit: is missing"},
      {"gmax = { value", "gmaxx = { value", "my.toml:6: device.gmax: is missing"},
      {"t0 = {", "t0 = 300 #", "my.toml:8: device.t0: must be a table { value, unit, source }"},
      {"[device]", "[device]\nlevels = { value = 2.5, unit = \"1\", source = \"x\" }",
       "my.toml:7: device.levels: must be a whole number"},
      {"[device]", "[device]\nt1 = { value = 2 }", "my.toml:7: device.t1: unknown; there are gmax, "},
      {"[device]", "[gadget]\n[device]", "my.toml:6: gadget: unknown; there are name, title, device, "},
      {"[wear]", "[worn]", "my.toml: section [wear] is missing"},
      {"[pulse]", "[[pulse]]", "pulse: must be a section, [pulse]"},
      {"name = \"pcm", "name = \"PCM", "my.toml:3: name: 'PCM_hermes_two' is no name"},
      {"title = ", "# title = ", "title: is missing"},
      {"polynomial = [0.16603222,", "polynomial = [-9.0,",
       "my.toml:11: programming.sigma: the law is -9 at x = 0; it must not be negative"},
      {"polynomial = [0.16603222, 4.7", "polynomial = [0.16603222, -4.7", "programming.sigma: the law is -"},
      {"reference_gmax = 20.7, ", "", "my.toml:11: programming.sigma.reference_gmax: is missing"},
      {"{ polynomial = [0.1", "{ cubic = [0.1",
       "my.toml:11: programming.sigma.pieces.cubic: unknown; there are below, "},
      {"{ polynomial = [0.16603222", "{ log = [1, 2], polynomial = [0.16603222",
       "my.toml:11: programming.sigma.pieces: each piece has one of polynomial, log and power"},
      {"log = [-0.0387, -0.0182]", "log = [-0.0387]",
       "my.toml:14: drift.nu_mean.pieces.log: must be a list of 2 numbers"},
      {", min = 0.0720, max = 0.13", "",
       "my.toml:14: drift.nu_mean.pieces: a logarithm or a power has no value at x = 0"},
      {"min = 0.0720", "min = 0.72", "my.toml:14: drift.nu_mean.pieces.max: is below min"},
      {"below = 0.0945, ", "", "my.toml:14: drift.nu_mean.pieces.below: is missing"},
      {"below = 0.0945", "below = 1.5", "my.toml:14: drift.nu_mean.pieces.below: 1.5 is out of range"},
      {"min = 0.0091", "min = -0.0091, most = 1", "my.toml:15: drift.nu_std.pieces.most: unknown"},
      {"value = 512e-9", "value = 0", "one_over_f.t_read: 0 is out of range"},
      {"[drift]", "[relaxation]\nverify = 1\n[drift]", "[relaxation]"},
      {"max_spread = { value = 0.05", "max_spread = { value = 0.4", "pulse.max_spread: 0.4 is out of range"},
      {"source = \"IBM", "source = \"\" #", "my.toml"},
      {"[device]", "[device", "my.toml:6: not TOML: "},
  };
  for (const auto& c : kCases) {
    const std::string e = error_of(replaced(good, c.what, c.with));
    EXPECT_NE(e.find(c.error), std::string::npos)
        << c.what << " -> " << c.with << "\n  got:  " << e << "\n  want: " << c.error;
    EXPECT_EQ(e.find("my.toml"), 0u) << e;
  }
  const std::string reram = preset_text("reram");
  EXPECT_NE(error_of(replaced(reram, "t = 172800.0", "t = 3600"))
                .find("relaxation.sigma.at.t: 3600 s does not come after 86400 s"),
            std::string::npos);
  EXPECT_NE(error_of(replaced(reram, "t = 1.0", "t = 2.0")).find("the first time must be device.t0, 1 s"),
            std::string::npos);
  EXPECT_NE(error_of(replaced(reram, "verify = { value = 1e-6", "verify = { value = 1"))
                .find("relaxation.verify: must be before"),
            std::string::npos);
  EXPECT_NE(error_of("").find("name: is missing"), std::string::npos);
  EXPECT_NE(error_of(std::string("\0\0", 2)), "");
}

// --- Laws by hand, from the published constants.

TEST(Laws, PcmGeneric) {
  const Technology& t = *builtin_technology("pcm_generic");
  EXPECT_DOUBLE_EQ(programming_sigma_us(t, 0), 0.26348);
  EXPECT_NEAR(programming_sigma_us(t, 1), 1.05538, 1e-12);     // 0.26348 + 1.9650 - 1.1731
  EXPECT_NEAR(programming_sigma_us(t, 0.5), 0.952705, 1e-12);  // 0.26348 + 0.9825 - 0.293275
  EXPECT_EQ(programmed_us(t, 0, -1), 0.0);                     // clamped
  EXPECT_NEAR(programmed_us(t, 0, 2), 0.52696, 1e-12);
  EXPECT_NEAR(drift_exponent(t, 1, 0), 0.049, 1e-15);    // mean law gives 0.0244: clamped
  EXPECT_NEAR(drift_exponent(t, 1, -10), 0.031, 1e-15);  // |0.049 - 10 * 0.008|
  EXPECT_NEAR(drift_exponent(t, 0, 1), 0.145, 1e-15);    // limits 0.1 + 0.045
  EXPECT_NEAR(drift_exponent(t, 0.05, 0), -0.0155 * std::log(0.05) + 0.0244, 1e-15);
  EXPECT_EQ(drift_factor(0.05, age_terms(t, 0, false).log_age), 1.0);
  EXPECT_NEAR(drift_factor(0.05, age_terms(t, 86400, false).log_age), std::pow(86420.0 / 20, -0.05), 1e-14);
  const auto relative = [&](double x, double age) {
    const double g = x * 25;
    return read_sigma_us(t, g == 0 ? 1 : g, read_noise_q(t, x), age_terms(t, age, false).bandwidth) / (g == 0 ? 1 : g);
  };
  EXPECT_NEAR(relative(1, 0), 0.0088 * std::sqrt(std::log((20 + 250e-9) / 500e-9)), 1e-14);
  EXPECT_NEAR(relative(0, 100), 0.2 * std::sqrt(std::log((120 + 250e-9) / 500e-9)), 1e-13);
  EXPECT_NEAR(relative(0.1, 100), 0.0088 / std::pow(0.1, 0.65) * std::sqrt(std::log((120 + 250e-9) / 500e-9)), 1e-14);
}

TEST(Laws, HermesIsPiecewiseAndHoldsItsFitsAtGmax) {
  const Technology& two = *builtin_technology("pcm_hermes_two");
  EXPECT_NEAR(programming_sigma_us(two, 1), 1.09269857,
              1e-8);                                                // 0.16603222 + 4.71806468 - 8.48101252 + 4.68961419
  EXPECT_NEAR(drift_exponent(two, 0.05, 0), 0.0977339, 1e-6);       // -0.0387 ln 0.05 - 0.0182
  EXPECT_NEAR(drift_exponent(two, 1e-6, 0), 0.13, 1e-15);           // clamped
  EXPECT_NEAR(drift_exponent(two, 0.5, 0), 0.0564, 1e-12);          // -0.0436/4 - 0.0126/2 + 0.0736
  EXPECT_NEAR(drift_exponent(two, 0.5, 1), 0.0564 + 0.009, 1e-12);  // -0.0118/4 + 0.0093/2 + 0.0073
  EXPECT_NEAR(read_noise_q(two, 0.05), 0.0281501, 1e-6);            // -0.0117 ln 0.05 - 0.0069
  EXPECT_NEAR(read_noise_q(two, 0.5), 0.0167125, 1e-12);            // 0.0069/8 - 0.0280/4 + 0.0211/2 + 0.0123
  EXPECT_EQ(drift_exponent(two, 1.7, 0), drift_exponent(two, 1, 0));
  const Technology& one = *builtin_technology("pcm_hermes_one");
  EXPECT_NEAR(programming_sigma_us(one, 0.5), 0.86531, 1e-5);  // 0.15781817 + 1.16221958 - 0.54077710 + 0.08605227
  EXPECT_EQ(two.t0_s, 300);
  EXPECT_EQ(one.t0_s, 200);
}

TEST(Laws, RelaxationIsLinearInLogTimeAndConstantAfterTheLastTime) {
  const Technology& t = *builtin_technology("reram");
  const auto sigma = [&](double x, double age, bool pulsed) {
    const AgeTerms a = age_terms(t, age, pulsed);
    return relaxation_sigma_us(t, x, a.knot, a.part);
  };
  const double s1 = 1.103, day = 2.651, days = 2.677;  // at x = 1: the sums of the published coefficients
  EXPECT_NEAR(sigma(1, 0, false), s1, 1e-12);
  EXPECT_EQ(programming_sigma_us(t, 1), sigma(1, 0, false));
  EXPECT_NEAR(sigma(1, 86399, false), day, 1e-12);  // t = age + 1 s
  EXPECT_NEAR(sigma(1, 3599, false), s1 + (day - s1) * std::log(3600.0) / std::log(86400.0), 1e-12);
  EXPECT_NEAR(sigma(1, 122189.6, false), day + (days - day) * std::log(122190.6 / 86400) / std::log(2.0), 1e-9);
  EXPECT_NEAR(sigma(1, 172799, false), days, 1e-12);
  EXPECT_NEAR(sigma(1, 1e8, false), days, 1e-12);
  // After a pulse: 0 at the verify read, 1 us after it, linear in log time to the first published one.
  EXPECT_EQ(sigma(1, 0, true), 0);
  EXPECT_NEAR(sigma(1, 1e-3 - 1e-6, true), s1 / 2, 1e-9);
  EXPECT_NEAR(sigma(1, 1 - 1e-6, true), s1, 1e-12);
  EXPECT_NEAR(sigma(1, 86400, true), day, 1e-6);
}

TEST(Laws, FlashShiftsByDecadesAndStopsAtItsLeastConductance) {
  const Technology& t = *builtin_technology("flash_nor");
  EXPECT_NEAR(charge_loss(t, 1, 0), -0.001, 1e-15);
  EXPECT_NEAR(charge_loss(t, 0.25, 2), 0.0015, 1e-15);
  const double decades4 = age_terms(t, 9999, false).log_age;  // t = age + 1 s
  EXPECT_NEAR(after_charge_loss_us(t, 10, -0.001, decades4, 0.02), 9.96, 1e-12);
  EXPECT_EQ(after_charge_loss_us(t, 0.03, -0.001, decades4, 0.02), 0.02);
  EXPECT_NEAR(read_sigma_us(t, 4, 0, 0), 0.02, 1e-15);
}

TEST(Laws, LevelsRoundToTheNearest) {
  EXPECT_EQ(target_x(0.3, 0, 0), 0.3);
  EXPECT_EQ(target_x(0.49, 0, 2), 0);  // with a pair: ternary
  EXPECT_EQ(target_x(0.51, 0, 2), 1);
  EXPECT_DOUBLE_EQ(target_x(0.3, 0, 5), 0.25);
  EXPECT_DOUBLE_EQ(target_x(0.4, 0.1, 5), 0.1 + 0.5 * 0.9);
}

TEST(Laws, BadAgesThrow) {
  const Technology& t = *builtin_technology("reram");
  for (double age : {-1.0, -1e-9, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(age_terms(t, age, false), std::domain_error);
    EXPECT_THROW(read_noise_bandwidth(t, age), std::domain_error);
  }
}

// --- Arrays of every technology.

ArrayConfig array_of(std::shared_ptr<const Technology> t, uint32_t rows, uint32_t cols) {
  ArrayConfig c;
  c.rows = rows;
  c.cols = cols;
  c.chip_seed = 5;
  c.technology = std::move(t);
  return c;
}

// The arrays hold the devices whose moments statistics_test.cpp compares with the laws.
TEST(TechnologyArray, HoldsTheDevicesOfTheSampler) {
  EXPECT_EQ(kEffects[static_cast<unsigned>(Effect::kProgrammingNoise)].kind, DeviceSampler::kProgrammingKind);
  EXPECT_EQ(kEffects[static_cast<unsigned>(Effect::kDrift)].kind, DeviceSampler::kDriftKind);
  EXPECT_EQ(kEffects[static_cast<unsigned>(Effect::kReadNoise)].kind, DeviceSampler::kReadKind);
  for (const std::string& name : technology_names()) {
    const auto t = builtin_technology(name);
    ArrayConfig c = array_of(t, 40, 64);
    c.programming_kind = 1;
    c.drift_kind = 3;
    c.read_noise = c.device_noise = true;
    const double least = t->gmax_us / t->on_off, unit = 127 / (t->gmax_us - least);
    for (int target : {0, 3, 50, 127}) {
      DeviceArray a(c);
      a.program(0, 0, 40, 64, std::vector<int8_t>(40 * 64, static_cast<int8_t>(target)).data());
      for (double age : {0.0, 3600.0, 2592000.0}) {
        const double g_us = least + target / 127.0 * (t->gmax_us - least);
        const DeviceSampler sample(*t, std::min(g_us, t->gmax_us), age, c.chip_seed);
        const EffectiveMatrix m = a.effective(age);
        for (uint32_t d = 0; d < a.cells(); ++d) {
          const DeviceSample s = sample(d);
          ASSERT_NEAR(a.conductance_us(d / 64, d % 64, 0), s.programmed_us, 1e-10) << name << ' ' << target;
          const double noise =
              read_sigma_us(*t, s.drifted_us, read_noise_q(*t, g_us / t->gmax_us), age_terms(*t, age, false).bandwidth);
          ASSERT_NEAR(m.s[0][m.index(d / 64, d % 64)], noise * unit, 2e-5 * noise * unit + 1e-9)
              << name << ' ' << target << ' ' << age;
        }
      }
    }
  }
}

TEST(TechnologyArray, IdealWeightsAreTheTargetsInEveryTechnologyWithoutEffects) {
  for (const std::string& name : technology_names()) {
    for (bool on_off : {true, false}) {
      ArrayConfig c = array_of(builtin_technology(name), 1, 255);
      c.on_off = on_off;
      std::vector<int8_t> w(255);
      for (int i = 0; i < 255; ++i) w[static_cast<size_t>(i)] = static_cast<int8_t>(i - 127);
      DeviceArray a(c);
      a.program(0, 0, 1, 255, w.data());
      const auto m = a.effective(1e6);
      for (uint32_t k = 0; k < 255; ++k) EXPECT_EQ(m.w[m.index(0, k)], w[k]) << name;
    }
  }
}

TEST(TechnologyArray, TernaryCellsTakeThreeValues) {
  ArrayConfig c = array_of(changed("ideal", [](Technology& t) { t.levels = 2; }), 1, 255);
  std::vector<int8_t> w(255);
  for (int i = 0; i < 255; ++i) w[static_cast<size_t>(i)] = static_cast<int8_t>(i - 127);
  for (bool levels : {true, false}) {
    c.levels = levels;
    DeviceArray a(c);
    a.program(0, 0, 1, 255, w.data());
    const auto m = a.effective({});
    for (uint32_t k = 0; k < 255; ++k)
      EXPECT_EQ(m.w[m.index(0, k)], !levels ? w[k] : w[k] >= 64 ? 127 : w[k] <= -64 ? -127 : 0) << int{w[k]};
  }
}

TEST(TechnologyArray, FiniteOnOffIsTheLeastConductanceOfDevicesAndPulses) {
  ArrayConfig c = array_of(changed("flash_nor", [](Technology& t) { t.on_off = 20; }), 2, 8);  // Gmin 0.5 uS
  DeviceArray a(c);
  EXPECT_DOUBLE_EQ(a.conductance_us(0, 0, 0), 0.5);  // never programmed
  const int8_t w[8] = {0, 127, -127, 64, 0, 0, 0, 0};
  a.program(0, 0, 1, 8, w);
  EXPECT_DOUBLE_EQ(a.conductance_us(0, 0, 1), 0.5);
  EXPECT_DOUBLE_EQ(a.conductance_us(0, 1, 0), 10);
  EXPECT_DOUBLE_EQ(a.conductance_us(0, 3, 0), 0.5 + 64 / 127.0 * 9.5);
  const uint32_t mask = 0xff;
  for (int i = 0; i < 50; ++i) a.pulse(Pulse{0, false, false, 15, 100}, &mask, {});
  for (uint32_t k = 0; k < 8; ++k) EXPECT_DOUBLE_EQ(a.conductance_us(0, k, 0), 0.5);
  c.stuck_kind = 2;
  c.stuck_fraction = 1;
  DeviceArray stuck(c);
  for (uint32_t k = 0; k < 8; ++k) {
    const double g = stuck.conductance_us(0, k, 0);
    EXPECT_TRUE(g == 0.5 || g == 10) << g;
  }
  c.on_off = false;
  EXPECT_EQ(DeviceArray(c).conductance_us(1, 1, 0) == 0.5, false);
}

TEST(TechnologyArray, UntouchedDevicesNeitherAgeNorFluctuate) {
  for (const std::string& name : technology_names()) {
    ArrayConfig c = array_of(builtin_technology(name), 4, 8);
    c.programming_kind = 1;
    c.drift_kind = 3;
    c.read_noise = true;
    const auto m = DeviceArray(c).effective(1e6);
    for (float w : std::vector<float>(m.w.begin(), m.w.begin() + 4 * kChunk)) EXPECT_EQ(w, 0.0f) << name;
    for (float v : m.v) EXPECT_EQ(v, 0.0f) << name;
  }
}

TEST(Faults, OpenDevicesAreAShareOfTheirOwnAndHaveNoConductance) {
  ArrayConfig c = array_of(builtin_technology("flash_nor"), 512, 512);
  c.stuck_kind = 2;
  c.open_fraction = 0.01;
  DeviceArray a(c);
  a.program(0, 0, 512, 512, std::vector<int8_t>(512 * 512, 127).data());
  int open = 0, low = 0, high = 0;
  for (uint32_t r = 0; r < 512; ++r)
    for (uint32_t k = 0; k < 512; ++k)
      for (unsigned p = 0; p < 2; ++p) {
        if (!a.stuck(r, k, p)) continue;
        const double g = a.conductance_us(r, k, p);
        ++(g == 0 ? open : g == 10 ? high : low);
        ASSERT_TRUE(g == 0 || g == 10 || std::fabs(g - 0.02) < 1e-12) << g;
      }
  // 524288 devices, 1 % open: 5243 +- 72; of the rest 0.05 % each: 260 +- 16.
  EXPECT_NEAR(open, 5243, 5 * 72);
  EXPECT_NEAR(low, 260, 5 * 16);
  EXPECT_NEAR(high, 260, 5 * 16);
}

TEST(Faults, AnOpenRowHasNoWeightAndTakesNoPulse) {
  ArrayConfig c = array_of(builtin_technology("pcm_generic"), 4, 8);
  c.read_noise = true;
  c.open_rows = {2};
  DeviceArray a(c);
  a.program(0, 0, 4, 8, std::vector<int8_t>(32, 100).data());
  const uint32_t mask = 0xff;
  for (uint32_t r : {1u, 2u}) a.pulse(Pulse{r, false, true, 10, 100}, &mask, {});
  const auto m = a.effective({});
  for (uint32_t k = 0; k < 8; ++k) {
    EXPECT_EQ(m.w[m.index(0, k)], 100);
    EXPECT_GT(m.w[m.index(1, k)], 100);
    EXPECT_EQ(m.w[m.index(2, k)], 0);
    EXPECT_EQ(m.v[m.index(2, k)], 0);
    EXPECT_EQ(m.w[m.index(4, k)], 127);  // the reference row
    EXPECT_EQ(a.pulses(2, k, 0), 0u);
    EXPECT_EQ(a.pulses(1, k, 0), 1u);
  }
  c.open_rows = {4};
  EXPECT_THROW(DeviceArray{c}, std::invalid_argument);
  c.open_rows = {};
  c.open_fraction = -0.1;
  EXPECT_THROW(DeviceArray{c}, std::invalid_argument);
  MacroConfig mc;
  mc.faults.open_rows = 3;
  mc.faults.open_row_list = {7};
  EXPECT_GE(Macro(mc).open_rows().size(), 3u);
  EXPECT_LE(Macro(mc).open_rows().size(), 4u);
  mc.faults.open_rows = 257;
  EXPECT_THROW(Macro{mc}, std::invalid_argument);
}

/// Mean and variance of the conductances that an effective matrix says G+ has, with G- left at its least.
struct Moments {
  double mean = 0, sigma = 0;
};
Moments moments(const EffectiveMatrix& m, double gmax_us) {
  Moments r;
  double second = 0;
  const double n = static_cast<double>(m.rows) * m.cols;
  for (uint32_t i = 0; i < m.rows; ++i)
    for (uint32_t k = 0; k < m.cols; ++k) {
      const double g = m.w[m.index(i, k)] * gmax_us / 127;
      r.mean += g / n;
      second += g * g / n;
    }
  r.sigma = std::sqrt(std::max(0.0, second - r.mean * r.mean));
  return r;
}

TEST(TechnologyArray, PulsedReramRelaxesAnewAfterEveryPulse) {
  ArrayConfig c = array_of(builtin_technology("reram"), 256, 256);
  c.drift_kind = 3;
  DeviceArray a(c);
  const std::vector<uint32_t> mask(8, ~0u);
  for (uint32_t r = 0; r < 256; ++r) a.pulse(Pulse{r, false, true, 15, 100}, mask.data(), {});
  const double g = 0.4 * std::pow(1.32, 15);  // 25.744 uS
  EXPECT_NEAR(a.conductance_us(3, 3, 0), g, 1e-9);
  EXPECT_NEAR(moments(a.effective({}), 40).sigma, 0, 1e-4);
  const auto poly = [&](std::vector<double> p) {
    const double x = g / 40;
    return p[0] + x * (p[1] + x * (p[2] + x * (p[3] + x * p[4])));
  };
  const double second = poly({0.348, 16.030, -43.853, 45.393, -16.815}),
               day = poly({0.701, 22.086, -50.773, 47.095, -16.458});
  const Moments s = moments(a.effective({0, 1}), 40), d = moments(a.effective({0, 86400}), 40);
  EXPECT_NEAR(s.sigma / second, 1, 0.01);  // 65536 devices: standard error 0.3 %
  EXPECT_NEAR(d.sigma / day, 1, 0.01);
  EXPECT_NEAR(s.mean, g, 5 * second / 256);
  EXPECT_NEAR(d.mean, g, 5 * day / 256);
  // A pulse of nothing but its count on the relaxed devices: what had relaxed stays, and relaxation starts anew.
  const EffectiveMatrix before = a.effective({0, 86400});
  for (uint32_t r = 0; r < 256; ++r) a.pulse(Pulse{r, false, true, 0, 1e-9}, mask.data(), {0, 86400});
  const EffectiveMatrix after = a.effective({0, 86400}), later = a.effective({0, 2 * 86400});
  for (size_t i = 0; i < before.w.size(); ++i) ASSERT_NEAR(after.w[i], before.w[i], 1e-4);
  double n = 0, moved = 0, along = 0;
  for (uint32_t r = 0; r < 256; ++r)
    for (uint32_t k = 0; k < 256; ++k) {
      const double u = (after.w[after.index(r, k)] * 40 / 127 - g) / day;
      const double v = (later.w[later.index(r, k)] - after.w[after.index(r, k)]) * 40 / 127 / day;
      n += 1;
      moved += v * v;
      along += u * v;
    }
  EXPECT_NEAR(std::sqrt(moved / n), 1, 0.05);  // its spread is a law of G, which has spread
  EXPECT_NEAR(along / n, 0, 0.02);
}

TEST(TechnologyArray, RelaxationAloneAddsWhatTheSpreadGrows) {
  ArrayConfig c = array_of(builtin_technology("reram"), 256, 256);
  c.drift_kind = 3;  // without programming noise
  DeviceArray a(c);
  a.program(0, 0, 256, 256, std::vector<int8_t>(65536, 127).data());
  EXPECT_NEAR(moments(a.effective({}), 40).sigma, 0, 1e-9);
  EXPECT_NEAR(moments(a.effective(86399), 40).sigma / (2.651 - 1.103), 1, 0.012);
}

// --- Every level of SIMD, every technology: programming by formula and by pulses, ageing, read noise of both kinds.
TEST(TechnologyMacro, SameBitsAtEverySimdLevel) {
  const Simd before = simd_level();
  for (const std::string& name : technology_names()) {
    for (ReadNoise noise : {ReadNoise::kColumn, ReadNoise::kDevice}) {
      std::vector<int8_t> first;
      std::vector<float> first_w;
      for (Simd level : {Simd::kBaseline, Simd::kAvx2, Simd::kAvx512}) {
        if (!simd_supported(level)) continue;
        force_simd(level);
        MacroConfig c;
        c.geometry = tiny_geometry();
        c.technology = builtin_technology(name);
        c.read_noise = noise;
        Macro m(c);
        std::vector<int8_t> w(32 * 32), x(33), codes;
        for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<int8_t>(static_cast<int>(i * 37 % 255) - 127);
        m.program_cells(0, 0, 32, 32, w.data());
        const uint32_t mask = 0x5a5af00fu;
        for (uint32_t i = 0; i < 40; ++i) m.pulse(i % 8, i % 3 == 0, i % 2 == 0, i % 16, 25, &mask);
        m.advance_time(5000);
        for (int d = 0; d < 8; ++d) {
          for (size_t i = 0; i < x.size(); ++i)
            x[i] = static_cast<int8_t>(static_cast<int>((i * 91 + 17 * static_cast<size_t>(d)) % 255) - 127);
          m.drive(x.data(), 32);
          std::vector<int8_t> block(8);
          for (uint32_t b = 0; b < 4; ++b) {
            m.convert(b, 3 + 10 * b, 9, 8, block.data());
            codes.insert(codes.end(), block.begin(), block.end());
          }
        }
        const std::vector<float> weights = m.weights(0, 0, 32, 32);
        if (first.empty()) {
          first = codes;
          first_w = weights;
        }
        EXPECT_EQ(codes, first) << name << ' ' << simd_name(level);
        EXPECT_EQ(weights, first_w) << name << ' ' << simd_name(level);
      }
    }
  }
  force_simd(before);
}

TEST(Sampler, BadTargetsAndAgesAreRefused) {
  const auto error = [](const char* name, double target, double age) -> std::string {
    try {
      DeviceSampler(*builtin_technology(name), target, age, 1);
    } catch (const std::domain_error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error("pcm_generic", 25, 0), "");
  EXPECT_EQ(error("pcm_generic", 25.1, 0), "a target of pcm_generic must be 0 to 25 uS");
  EXPECT_EQ(error("flash_nor", 0.01, 0), "a target of flash_nor must be 0.02 to 10 uS");
  EXPECT_NE(error("ideal", std::nan(""), 0), "");
  EXPECT_NE(error("ideal", -1, 0), "");
  EXPECT_NE(error("ideal", 1, -1), "");
}

}  // namespace
