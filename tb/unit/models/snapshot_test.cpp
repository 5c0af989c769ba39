// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "models/macro/snapshot.h"

namespace {

using namespace ohmac;

/// A chip with everything a snapshot has to keep: programmed by formula and by pulses at several times, worn and stuck
/// devices, faults, a repair.
struct Chip {
  explicit Chip(const Geometry& g, unsigned seed = 1) : rng(seed) {
    MacroConfig c;
    c.geometry = g;
    c.chip_seed = 0x123456789abcull;
    c.run_seed = 77;
    c.faults.stuck_fraction = 0.02;
    c.faults.open_fraction = 0.01;
    c.faults.open_rows = 1;
    c.faults.open_row_list = {0};
    c.faults.open_columns = 1;
    c.faults.dead_lanes = 1;
    c.faults.open_list = {2};
    c.faults.dead_lane_list = {{1, true}};
    Technology t = *c.technology;
    t.pulse.endurance = 3;
    c.technology = std::make_shared<const Technology>(t);
    c.age_s = 60;
    for (c.tile = 0; c.tile < g.tiles(); ++c.tile) {
      tiles.emplace_back(c);
      Macro& m = tiles.back();
      std::vector<int8_t> w(g.rows * g.cols);
      for (auto& v : w) v = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
      m.program_cells(0, 0, g.rows, g.cols, w.data());
      m.program_cells(0, 0, 1, g.cols, w.data());
      m.repair(0, true, g.mux() - 1);
      run(&m, 40, rng());
    }
  }
  /// Drives, conversions, pulses and passing time; returns all codes.
  static std::vector<int8_t> run(Macro* m, int steps, unsigned seed) {
    std::mt19937 g(seed);
    const Geometry& geo = m->config().geometry;
    std::vector<int8_t> out, x(geo.rows + 1), codes(geo.lanes);
    for (int i = 0; i < steps; ++i) {
      std::vector<uint32_t> mask((geo.cols + 31) / 32);
      for (auto& w : mask) w = static_cast<uint32_t>(g());
      m->pulse(g() % geo.rows, g() % 2, g() % 2, g() % 16, 25, mask.data());
      for (auto& v : x) v = static_cast<int8_t>(static_cast<int>(g() % 255) - 127);
      m->drive(x.data(), 20);
      for (uint32_t b = 0; b < geo.mux(); ++b) {
        m->convert(b, 2, 6, 8, codes.data());
        out.insert(out.end(), codes.begin(), codes.end());
      }
      if (i % 9 == 0) m->advance_time(1000.0 * i);
    }
    return out;
  }
  Snapshot snapshot() const {
    Snapshot s;
    s.chip = chip_identity(tiles[0].config());
    s.run_seed = tiles[0].config().run_seed;
    s.programming = DeviceProgramming::kPulses;
    for (const Macro& m : tiles) s.tiles.push_back(m.device_state());
    s.firmware = {1, 2, 3, 250, 0, 9};
    return s;
  }
  std::mt19937 rng;
  std::vector<Macro> tiles;
};

const Geometry kSmall = {1, 1, 4, 8, 8, 16384, 2};

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const SnapshotError& e) {
    return e.what();
  }
  return "";
}

TEST(Snapshot, ARestoredChipContinuesWithTheSameBits) {
  Chip chip(tiny_geometry());
  const std::string path = ::testing::TempDir() + "ohmac_snapshot_" + std::to_string(::getpid());
  write_snapshot(path, chip.snapshot());
  const Snapshot s = read_snapshot(path);
  std::filesystem::remove(path);
  EXPECT_EQ(s.firmware, chip.snapshot().firmware);
  EXPECT_EQ(s.programming, DeviceProgramming::kPulses);
  EXPECT_EQ(s.run_seed, 77u);
  for (uint32_t t = 0; t < 2; ++t) {
    Macro back = s.macro(t);
    EXPECT_GT(back.device_report().worn, 0u);
    EXPECT_EQ(back.chip_time_s(), chip.tiles[t].chip_time_s());
    EXPECT_EQ(back.weights(0, 0, 32, 32), chip.tiles[t].weights(0, 0, 32, 32));
    EXPECT_EQ(Chip::run(&back, 60, 5), Chip::run(&chip.tiles[t], 60, 5));
    back.repair_clear();
    chip.tiles[t].repair_clear();
    back.program_cells(0, 0, 1, 32, std::vector<int8_t>(32, 40).data());
    chip.tiles[t].program_cells(0, 0, 1, 32, std::vector<int8_t>(32, 40).data());
    EXPECT_EQ(Chip::run(&back, 10, 6), Chip::run(&chip.tiles[t], 10, 6));
    EXPECT_EQ(back.device_state().array.g_us, chip.tiles[t].device_state().array.g_us);
  }
}

TEST(Snapshot, WritingWhatWasReadGivesTheSameFile) {
  const auto bytes = encode_snapshot(Chip(kSmall).snapshot());
  EXPECT_EQ(encode_snapshot(decode_snapshot(bytes.data(), bytes.size(), "s")), bytes);
  EXPECT_EQ(std::memcmp(bytes.data(), "OHMS", 4), 0);
}

TEST(Snapshot, EveryTruncationAndEveryFlippedBitIsRefused) {
  const auto bytes = encode_snapshot(Chip(kSmall).snapshot());
  for (size_t n = 0; n < bytes.size(); ++n)
    ASSERT_NE(error_of([&] { decode_snapshot(bytes.data(), n, "s"); }), "") << n << " of " << bytes.size();
  auto damaged = bytes;
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    ASSERT_NE(error_of([&] { decode_snapshot(damaged.data(), damaged.size(), "s"); }), "") << "byte " << bit / 8;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  damaged.push_back(0);
  EXPECT_EQ(error_of([&] { decode_snapshot(damaged.data(), damaged.size(), "s"); }), "s: 1 bytes too many");
}

TEST(Snapshot, ErrorsSayWhereAndWhy) {
  const auto bytes = encode_snapshot(Chip(kSmall).snapshot());
  const auto error = [&](size_t size, size_t byte, uint8_t flip) {
    auto b = bytes;
    b.resize(size);
    if (flip != 0) b[byte] ^= flip;
    return error_of([&] { decode_snapshot(b.data(), b.size(), "chip.snap"); });
  };
  EXPECT_EQ(error(bytes.size(), 0, 1), "chip.snap: not a snapshot of ohmac");
  EXPECT_EQ(error(bytes.size(), 4, 2), "chip.snap: snapshot format version 6, this program reads version 4");
  EXPECT_EQ(error(bytes.size(), 60, 1), "chip.snap: chip section: wrong CRC: the file is damaged");
  EXPECT_EQ(error(bytes.size() - 8, 0, 0),
            "chip.snap: firmware section: ends too early: the file is cut off or damaged");
  EXPECT_EQ(error_of([] { read_snapshot("/nonexistent/x"); }), "/nonexistent/x: cannot open the snapshot");
  EXPECT_EQ(error_of([&] { write_snapshot("/nonexistent/x", Chip(kSmall).snapshot()); }),
            "/nonexistent/x: cannot write the snapshot");
  Snapshot s = Chip(kSmall).snapshot();
  s.tiles.emplace_back();
  EXPECT_EQ(error_of([&] { encode_snapshot(s); }), "snapshot: 2 tiles given, the chip has 1");
}

TEST(Snapshot, AnotherChipIsRefusedByName) {
  const Snapshot s = Chip(kSmall).snapshot();
  const auto error = [&](const std::function<void(ChipIdentity&)>& change) {
    ChipIdentity wanted = s.chip;
    change(wanted);
    return error_of([&] { require_same_chip(s, wanted, "f"); });
  };
  EXPECT_EQ(error([](ChipIdentity&) {}), "");
  EXPECT_EQ(error([](ChipIdentity& c) { c.geometry.cols = 16; }), "f: snapshot of another chip: cols is 8, wanted 16");
  EXPECT_EQ(error([](ChipIdentity& c) { c.geometry.spares = 0; }),
            "f: snapshot of another chip: spares is 2, wanted 0");
  EXPECT_EQ(error([](ChipIdentity& c) { c.chip_seed = 9; }),
            "f: snapshot of another chip: chip seed is 20015998343868, wanted 9");
  EXPECT_EQ(error([](ChipIdentity& c) { c.effects.set(Effect::kDrift, false); }),
            "f: snapshot of another chip: drift is on, wanted off");
  for (const auto& change : std::vector<std::function<void(ChipIdentity&)>>{
           [](ChipIdentity& c) { c.faults.open_columns = 2; }, [](ChipIdentity& c) { c.faults.open_rows = 2; },
           [](ChipIdentity& c) { c.faults.open_fraction = 0; },
           [](ChipIdentity& c) { c.faults.dead_lane_list[0].level = false; }, [](ChipIdentity& c) { c.clock_ns = 5; }})
    EXPECT_NE(error(change).find("a fault, the clock or a wire"), std::string::npos);
  EXPECT_EQ(error([](ChipIdentity& c) { c.technology = builtin_technology("reram"); }),
            "f: snapshot of another chip: technology is pcm_generic, wanted reram");
  EXPECT_EQ(error([](ChipIdentity& c) {
              Technology t = *c.technology;
              t.pulse.noise = 0.2;
              c.technology = std::make_shared<const Technology>(t);
            }),
            "f: snapshot of another chip: its technology pcm_generic has other constants: pulse.noise is 0.3 1, wanted "
            "0.2 1");
}

TEST(Snapshot, AStateThatDoesNotFitIsRefusedAndChangesNothing) {
  Chip chip(kSmall);
  Macro& m = chip.tiles[0];
  const DeviceState good = m.device_state();
  const auto before = encode_snapshot(chip.snapshot());
  for (const auto& spoil : std::vector<std::function<void(DeviceState&)>>{
           [](DeviceState& s) { s.array.g_us.pop_back(); }, [](DeviceState& s) { s.array.g_us[3] = -1; },
           [](DeviceState& s) { s.array.flags[0] = 64; }, [](DeviceState& s) { s.array.epoch[1] = 60000; },
           [](DeviceState& s) { s.array.epochs.clear(); }, [](DeviceState& s) { s.array.epochs.back() = 1e12; },
           [](DeviceState& s) { std::swap(s.array.epochs.front(), s.array.epochs.back()); },
           [](DeviceState& s) { s.array.spare_block[1] = 1; }, [](DeviceState& s) { s.array.target[0] = -128; },
           [](DeviceState& s) { s.array.pulses.push_back(0); }, [](DeviceState& s) { s.array.programmed.clear(); }}) {
    DeviceState bad = good;
    spoil(bad);
    EXPECT_THROW(m.set_device_state(bad), std::invalid_argument);
  }
  DeviceState bad = good;
  bad.age_s = -1;
  EXPECT_THROW(m.set_device_state(bad), std::domain_error);
  EXPECT_EQ(encode_snapshot(chip.snapshot()), before);
}

}  // namespace
