// SPDX-License-Identifier: Apache-2.0
#include "models/macro/snapshot.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

namespace ohmac {
namespace {

constexpr uint32_t kMagic = 0x534D484F;  // "OHMS"
constexpr size_t kHead = 12;             // kind and length of a section
constexpr uint32_t kChip = 1, kTile = 2, kFirmware = 3;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they are");

/// CRC-32 of IEEE 802.3, reflected. @param crc of what comes before, 0 at the start
uint32_t crc32(uint32_t crc, const uint8_t* p, size_t n) {
  static const auto kTable = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320u ^ c >> 1 : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  uint32_t c = ~crc;
  for (size_t i = 0; i < n; ++i) c = kTable[(c ^ p[i]) & 0xff] ^ c >> 8;
  return ~c;
}

class Writer {
 public:
  void u32(uint32_t v) { bytes(&v, sizeof v); }
  void u64(uint64_t v) { bytes(&v, sizeof v); }
  void f64(double v) { bytes(&v, sizeof v); }
  /// Count, then the elements.
  template <class T>
  void array(const std::vector<T>& v) {
    u32(static_cast<uint32_t>(v.size()));
    bytes(v.data(), v.size() * sizeof(T));
  }
  /// Kind, length, CRC of both and of the content, content.
  void section(uint32_t kind, const std::vector<uint8_t>& content) {
    const size_t head = out_.size();
    u32(kind);
    u64(content.size());
    u32(crc32(crc32(0, out_.data() + head, kHead), content.data(), content.size()));
    bytes(content.data(), content.size());
  }
  std::vector<uint8_t> take() { return std::move(out_); }

 private:
  void bytes(const void* p, size_t n) {
    const auto* b = static_cast<const uint8_t*>(p);
    out_.insert(out_.end(), b, b + n);
  }
  std::vector<uint8_t> out_;
};

class Reader {
 public:
  Reader(const uint8_t* p, size_t n, std::string where) : p_(p), left_(n), where_(std::move(where)) {}
  size_t left() const { return left_; }
  const uint8_t* here() const { return p_; }
  const uint8_t* bytes(size_t n) {
    if (n > left_) fail("ends too early: the file is cut off or damaged");
    const uint8_t* at = p_;
    p_ += n;
    left_ -= n;
    return at;
  }
  uint32_t u32() { return number<uint32_t>(); }
  uint64_t u64() { return number<uint64_t>(); }
  double f64() { return number<double>(); }
  template <class T>
  void array(std::vector<T>* v) {
    const uint64_t n = u32();
    if (n * sizeof(T) > left_) fail("an array is longer than its section");
    v->resize(n);
    if (n != 0) std::memcpy(v->data(), bytes(n * sizeof(T)), n * sizeof(T));
  }
  [[noreturn]] void fail(const std::string& what) const { throw SnapshotError(where_ + ": " + what); }
  void end() const {
    if (left_ != 0) fail(std::to_string(left_) + " bytes too many");
  }

 private:
  template <class T>
  T number() {
    T v;
    std::memcpy(&v, bytes(sizeof v), sizeof v);
    return v;
  }
  const uint8_t* p_;
  size_t left_;
  std::string where_;
};

/// Content of the next section, which must be of that kind.
Reader section(Reader* file, const std::string& name, uint32_t kind, const std::string& what) {
  const std::string where = name + ": " + what + " section";
  Reader head(file->here(), file->left(), where);
  const uint8_t* covered = head.bytes(kHead);
  Reader fields(covered, kHead, where);
  const uint32_t got = fields.u32();
  const uint64_t size = fields.u64();
  const uint32_t crc = head.u32();
  if (size > head.left()) head.fail("ends too early: the file is cut off or damaged");
  const uint8_t* content = head.bytes(size);
  if (crc32(crc32(0, covered, kHead), content, size) != crc) head.fail("wrong CRC: the file is damaged");
  if (got != kind) head.fail("there is a section of kind " + std::to_string(got) + " in its place");
  file->bytes(kHead + sizeof crc + size);
  return {content, size, where};
}

std::vector<uint8_t> encode_chip(const Snapshot& s) {
  Writer w;
  const ChipIdentity& c = s.chip;
  const Geometry& g = c.geometry;
  w.u32(kModelVersion);
  for (uint32_t v : {g.mesh_x, g.mesh_y, g.rows, g.cols, g.lanes, g.sram_bytes, g.spares}) w.u32(v);
  w.u32(c.effects.bits());
  w.f64(c.faults.stuck_fraction);
  w.f64(c.faults.open_fraction);
  w.u32(c.faults.open_rows);
  w.u32(c.faults.open_columns);
  w.u32(c.faults.dead_lanes);
  w.array(c.faults.open_row_list);
  w.array(c.faults.open_list);
  w.u32(static_cast<uint32_t>(c.faults.dead_lane_list.size()));
  for (const DeadLane& d : c.faults.dead_lane_list) w.u32(d.lane << 1 | d.level);
  const std::string technology = to_toml(*c.technology);
  w.array(std::vector<char>(technology.begin(), technology.end()));
  w.u64(c.chip_seed);
  w.f64(c.clock_ns);
  for (double v : {c.wires.row, c.wires.col, c.wires.driver, c.wires.sense}) w.f64(v);
  w.u64(s.run_seed);
  w.u32(static_cast<uint32_t>(s.read_noise));
  w.u32(static_cast<uint32_t>(c.dac));
  w.u32(static_cast<uint32_t>(s.programming));
  return w.take();
}

/// @param technology preset text, to be read when the whole file is known to be sound
void decode_chip(Reader r, Snapshot* s, std::string* technology) {
  const uint32_t model = r.u32();
  if (model != kModelVersion)
    r.fail("made by analog model version " + std::to_string(model) + ", this is version " +
           std::to_string(kModelVersion) + "; program the chip again");
  ChipIdentity& c = s->chip;
  Geometry& g = c.geometry;
  for (uint32_t* v : {&g.mesh_x, &g.mesh_y, &g.rows, &g.cols, &g.lanes, &g.sram_bytes, &g.spares}) *v = r.u32();
  const uint32_t effects = r.u32();
  for (uint32_t e = 0; e < kNumEffects; ++e) c.effects.set(static_cast<Effect>(e), (effects >> e & 1) != 0);
  if (effects >> kNumEffects != 0) r.fail("unknown effects");
  c.faults.stuck_fraction = r.f64();
  c.faults.open_fraction = r.f64();
  c.faults.open_rows = r.u32();
  c.faults.open_columns = r.u32();
  c.faults.dead_lanes = r.u32();
  r.array(&c.faults.open_row_list);
  r.array(&c.faults.open_list);
  const uint32_t dead = r.u32();
  for (uint32_t i = 0; i < dead; ++i) {
    const uint32_t d = r.u32();
    c.faults.dead_lane_list.push_back({d >> 1, (d & 1) != 0});
  }
  std::vector<char> text;
  r.array(&text);
  technology->assign(text.begin(), text.end());
  c.chip_seed = r.u64();
  c.clock_ns = r.f64();
  for (double* v : {&c.wires.row, &c.wires.col, &c.wires.driver, &c.wires.sense}) *v = r.f64();
  s->run_seed = r.u64();
  const uint32_t read_noise = r.u32();
  if (read_noise > static_cast<uint32_t>(ReadNoise::kDevice)) r.fail("unknown kind of read noise");
  s->read_noise = static_cast<ReadNoise>(read_noise);
  const uint32_t dac = r.u32();
  if (dac > static_cast<uint32_t>(DacMode::kPwm)) r.fail("unknown kind of row DAC");
  c.dac = static_cast<DacMode>(dac);
  const uint32_t programming = r.u32();
  if (programming > static_cast<uint32_t>(DeviceProgramming::kPulses)) r.fail("unknown kind of programming");
  s->programming = static_cast<DeviceProgramming>(programming);
  r.end();
}

std::vector<uint8_t> encode_tile(const DeviceState& t) {
  Writer w;
  w.u64(t.drive_count);
  w.f64(t.chip_time_s);
  w.f64(t.age_s);
  w.array(t.array.epochs);
  w.array(t.array.g_us);
  w.array(t.array.flags);
  w.array(t.array.epoch);
  w.array(t.array.pulses);
  w.array(t.array.target);
  w.array(t.array.programmed);
  w.array(t.array.spare_block);
  return w.take();
}

void decode_tile(Reader r, DeviceState* t) {
  t->drive_count = r.u64();
  t->chip_time_s = r.f64();
  t->age_s = r.f64();
  r.array(&t->array.epochs);
  r.array(&t->array.g_us);
  r.array(&t->array.flags);
  r.array(&t->array.epoch);
  r.array(&t->array.pulses);
  r.array(&t->array.target);
  r.array(&t->array.programmed);
  r.array(&t->array.spare_block);
  r.end();
}

}  // namespace

MacroConfig Snapshot::macro_config(uint32_t tile) const {
  MacroConfig c;
  c.geometry = chip.geometry;
  c.tile = tile;
  c.chip_seed = chip.chip_seed;
  c.run_seed = run_seed;
  c.effects = chip.effects;
  c.age_s = tiles.at(tile).age_s;
  c.clock_ns = chip.clock_ns;
  c.faults = chip.faults;
  c.technology = chip.technology;
  c.read_noise = read_noise;
  c.dac = chip.dac;
  c.wires = chip.wires;
  return c;
}

Macro Snapshot::macro(uint32_t tile) const {
  Macro m(macro_config(tile));
  m.set_device_state(tiles.at(tile));
  return m;
}

ChipIdentity chip_identity(const MacroConfig& c) {
  return {c.geometry, c.effects, c.faults, c.technology, c.dac, c.chip_seed, c.clock_ns, c.wires};
}

void require_same_chip(const Snapshot& s, const ChipIdentity& wanted, const std::string& name) {
  const ChipIdentity& c = s.chip;
  const auto differ = [&](const char* what, const std::string& has, const std::string& wants) {
    throw SnapshotError(name + ": snapshot of another chip: " + what + " is " + has + ", wanted " + wants);
  };
  const Geometry &g = c.geometry, &h = wanted.geometry;
  const struct {
    const char* name;
    uint64_t has, wants;
  } numbers[] = {{"mesh_x", g.mesh_x, h.mesh_x}, {"mesh_y", g.mesh_y, h.mesh_y},
                 {"rows", g.rows, h.rows},       {"cols", g.cols, h.cols},
                 {"lanes", g.lanes, h.lanes},    {"sram_bytes", g.sram_bytes, h.sram_bytes},
                 {"spares", g.spares, h.spares}, {"chip seed", c.chip_seed, wanted.chip_seed}};
  for (const auto& n : numbers)
    if (n.has != n.wants) differ(n.name, std::to_string(n.has), std::to_string(n.wants));
  for (uint32_t e = 0; e < kNumEffects; ++e) {
    const bool has = c.effects.has(static_cast<Effect>(e)), wants = wanted.effects.has(static_cast<Effect>(e));
    if (has != wants) differ(kEffects[e].name, has ? "on" : "off", wants ? "on" : "off");
  }
  const std::string other = first_difference(*c.technology, *wanted.technology);
  if (!other.empty() && c.technology->name != wanted.technology->name)
    differ("technology", c.technology->name, wanted.technology->name);
  if (!other.empty())
    throw SnapshotError(name + ": snapshot of another chip: its technology " + c.technology->name +
                        " has other constants: " + other);
  const auto mode = [](DacMode d) { return d == DacMode::kPwm ? "pwm" : "voltage"; };
  if (c.dac != wanted.dac) differ("row DAC", mode(c.dac), mode(wanted.dac));
  // What is left has no short name each: compare as it is stored.
  Snapshot a, b;
  a.chip = c;
  b.chip = wanted;
  a.chip.technology = b.chip.technology;
  if (encode_chip(a) != encode_chip(b)) differ("a fault, the clock or a wire", "as stored", "another");
}

std::vector<uint8_t> encode_snapshot(const Snapshot& s) {
  if (s.tiles.size() != s.chip.geometry.tiles())
    throw SnapshotError("snapshot: " + std::to_string(s.tiles.size()) + " tiles given, the chip has " +
                        std::to_string(s.chip.geometry.tiles()));
  Writer w;
  w.u32(kMagic);
  w.u32(kSnapshotVersion);
  w.section(kChip, encode_chip(s));
  for (const DeviceState& t : s.tiles) w.section(kTile, encode_tile(t));
  w.section(kFirmware, s.firmware);
  return w.take();
}

Snapshot decode_snapshot(const uint8_t* bytes, size_t size, const std::string& name) {
  Reader file(bytes, size, name);
  if (file.left() < 8 || file.u32() != kMagic) throw SnapshotError(name + ": not a snapshot of ohmac");
  const uint32_t version = file.u32();
  if (version != kSnapshotVersion)
    file.fail("snapshot format version " + std::to_string(version) + ", this program reads version " +
              std::to_string(kSnapshotVersion));
  Snapshot s;
  std::string technology;
  decode_chip(section(&file, name, kChip, "chip"), &s, &technology);
  const Geometry& g = s.chip.geometry;
  if (g.mesh_x == 0 || g.mesh_y == 0 || g.mesh_x > 64 || g.mesh_y > 64) file.fail("a chip of this mesh does not exist");
  for (uint32_t t = 0; t < g.tiles(); ++t) {
    const std::string what = "tile " + std::to_string(t);
    s.tiles.emplace_back();
    decode_tile(section(&file, name, kTile, what), &s.tiles.back());
  }
  Reader firmware = section(&file, name, kFirmware, "firmware");
  s.firmware.assign(firmware.here(), firmware.here() + firmware.left());
  file.end();
  try {
    s.chip.technology = std::make_shared<const Technology>(parse_technology(technology, name + ": technology"));
  } catch (const TechnologyError& e) {
    throw SnapshotError(e.what());
  }
  return s;
}

void write_snapshot(const std::string& path, const Snapshot& s) {
  const std::vector<uint8_t> bytes = encode_snapshot(s);
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out || std::rename(part.c_str(), path.c_str()) != 0) {
    std::remove(part.c_str());
    throw SnapshotError(path + ": cannot write the snapshot");
  }
}

Snapshot read_snapshot(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw SnapshotError(path + ": cannot open the snapshot");
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) throw SnapshotError(path + ": cannot read the snapshot");
  return decode_snapshot(bytes.data(), bytes.size(), path);
}

}  // namespace ohmac
