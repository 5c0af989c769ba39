// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/chip_state.h"

#include <string.h>

#include "sw/driver/driver.h"
#include "sw/hal/crc32.h"

namespace ohmac {
namespace {

constexpr uint32_t kMagic = 0x5353484F;  // "OHSS"
constexpr uint32_t kVersion = 1;

struct Header {
  uint32_t magic, version, bytes;
  uint32_t tiles, rows, cols, lanes, spares;
  uint32_t crc;  // CRC-32 of everything with this field 0
};

static_assert(sizeof(Header) == 36 && sizeof(ProgramOptions) == 24 && sizeof(CalWord) == 4, "serialised as they are");
static_assert(sizeof(ChipState::Calibrated) == 4 && sizeof(ChipState::Reference) == 24, "serialised as they are");

/// Calls f(pointer, bytes) for every serialised field, in order.
template <typename State, typename F>
void fields(State& s, F f) {
  const uint32_t columns = s.tiles * s.cols;
  f(&s.programmed, sizeof s.programmed);
  f(s.calibrated, s.tiles * sizeof s.calibrated[0]);
  f(s.reference, s.tiles * sizeof s.reference[0]);
  f(&s.program, sizeof s.program);
  f(s.cal, columns * sizeof s.cal[0]);
  f(s.scale, columns * sizeof s.scale[0]);
  f(s.health, columns * sizeof s.health[0]);
  f(s.bad_devices, columns * sizeof s.bad_devices[0]);
  f(s.column_reference, columns * sizeof s.column_reference[0]);
  f(s.repair, s.tiles * s.lanes * sizeof s.repair[0]);
}

}  // namespace

const char* health_text(ColumnHealth h) {
  switch (h) {
    case ColumnHealth::kGood: return "good";
    case ColumnHealth::kDeadLane: return "dead lane";
    case ColumnHealth::kOpen: return "open column";
    case ColumnHealth::kCorrection: return "gain or offset beyond correction";
    case ColumnHealth::kRange: return "wrong range trim";
    case ColumnHealth::kClips: return "clipped calibration reads";
    case ColumnHealth::kDevices: return "too many bad devices";
  }
  return "unknown";
}

Status ChipState::attach(const ChipInfo& chip) {
  if (chip.tiles == 0 || chip.tiles > kMaxTiles || chip.tiles * chip.cols > kMaxColumns ||
      chip.tiles * chip.lanes > kMaxLanes) {
    return Status::kNoMemory;
  }
  memset(calibrated, 0, sizeof calibrated);
  memset(reference, 0, sizeof reference);
  memset(health, 0, sizeof health);
  memset(bad_devices, 0, sizeof bad_devices);
  memset(column_reference, 0, sizeof column_reference);
  memset(repair, kNoRepair, sizeof repair);
  for (uint32_t i = 0; i < kMaxColumns; ++i) {
    cal[i] = kNeutralCal;
    scale[i] = kUnity;
  }
  programmed = 0;
  program = ProgramOptions{};
  tiles = chip.tiles;
  rows = chip.rows;
  cols = chip.cols;
  lanes = chip.lanes;
  spares = chip.spares;
  return Status::kOk;
}

CalWord ChipState::scaled_cal(uint32_t tile, uint32_t col, uint32_t factor, bool* limited) const {
  const uint32_t i = column(tile, col);
  constexpr int32_t half = kUnity / 2;
  uint32_t gain = (uint32_t{cal[i].gain} * factor + half) / kUnity;
  const int32_t product = int32_t{cal[i].offset} * static_cast<int32_t>(factor);
  int32_t offset = product >= 0 ? (product + half) / kUnity : -((-product + half) / kUnity);
  bool cut = false;
  if (gain > 0xFFFF) gain = 0xFFFF, cut = true;
  if (offset > 32767) offset = 32767, cut = true;
  if (offset < -32768) offset = -32768, cut = true;
  if (limited != nullptr) *limited = cut;
  return CalWord{static_cast<uint16_t>(gain), static_cast<int16_t>(offset)};
}

size_t ChipState::size() const {
  size_t n = sizeof(Header);
  fields(*this, [&](const void*, size_t bytes) { n += bytes; });
  return n;
}

Status ChipState::save(void* to, size_t bytes) const {
  if (to == nullptr || !attached()) return Status::kBadArgument;
  const size_t total = size();
  if (bytes < total) return Status::kNoMemory;
  Header h = {kMagic, kVersion, static_cast<uint32_t>(total), tiles, rows, cols, lanes, spares, 0};
  uint8_t* p = static_cast<uint8_t*>(to);
  memcpy(p, &h, sizeof h);
  uint8_t* at = p + sizeof h;
  fields(*this, [&](const void* field, size_t n) {
    memcpy(at, field, n);
    at += n;
  });
  h.crc = crc32(p, total);
  memcpy(p, &h, sizeof h);
  return Status::kOk;
}

Status ChipState::load(const void* from, size_t bytes) {
  if (from == nullptr || !attached()) return Status::kBadArgument;
  const uint8_t* p = static_cast<const uint8_t*>(from);
  Header h;
  if (bytes < sizeof h) return Status::kBadImage;
  memcpy(&h, p, sizeof h);
  const uint32_t crc = h.crc;
  h.crc = 0;
  if (h.magic != kMagic || h.version != kVersion || h.bytes != bytes) return Status::kBadImage;
  if (crc32(p + sizeof h, bytes - sizeof h, crc32(&h, sizeof h)) != crc) return Status::kBadImage;
  if (h.tiles != tiles || h.rows != rows || h.cols != cols || h.lanes != lanes || h.spares != spares) {
    return Status::kWrongGeometry;
  }
  if (bytes != size()) return Status::kBadImage;
  const uint8_t* at = p + sizeof h;
  fields(*this, [&](void* field, size_t n) {
    memcpy(field, at, n);
    at += n;
  });
  return Status::kOk;
}

}  // namespace ohmac
