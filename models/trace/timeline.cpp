// SPDX-License-Identifier: Apache-2.0
#include "models/trace/timeline.h"

#include <algorithm>
#include <cstdio>

namespace ohmac {

uint32_t Timeline::add_group(const std::string& name) {
  groups_.push_back(name);
  return static_cast<uint32_t>(groups_.size() - 1);
}

uint32_t Timeline::add_track(uint32_t group, const std::string& name) {
  tracks_.push_back({group, name});
  return static_cast<uint32_t>(tracks_.size() - 1);
}

void Timeline::span(uint32_t track, uint64_t first, uint64_t end) {
  if (end <= first) return;
  if (spans_.size() == kMaxSpans) {
    ++dropped_;
    return;
  }
  spans_.push_back({first, static_cast<uint32_t>(std::min<uint64_t>(end - first, UINT32_MAX)), track});
}

std::string Timeline::json() const {
  std::string out = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  char line[256];
  const char* comma = "\n";
  const auto meta = [&](const char* what, size_t pid, size_t tid, const char* key, const std::string& value) {
    std::snprintf(line, sizeof line, "%s{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%zu,\"tid\":%zu,\"args\":{\"%s\":%s}}",
                  comma, what, pid, tid, key, value.c_str());
    out += line;
    comma = ",\n";
  };
  for (size_t g = 0; g < groups_.size(); ++g) {
    meta("process_name", g + 1, 0, "name", '"' + groups_[g] + '"');
    meta("process_sort_index", g + 1, 0, "sort_index", std::to_string(g));
  }
  for (size_t t = 0; t < tracks_.size(); ++t) {
    meta("thread_name", tracks_[t].group + 1, t + 1, "name", '"' + tracks_[t].name + '"');
    meta("thread_sort_index", tracks_[t].group + 1, t + 1, "sort_index", std::to_string(t));
  }
  const double us = clock_ns_ * 1e-3;
  for (const Span& s : spans_) {
    std::snprintf(line, sizeof line, "%s{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%.4f,\"dur\":%.4f}",
                  comma, tracks_[s.track].name.c_str(), tracks_[s.track].group + 1, s.track + 1,
                  static_cast<double>(s.first) * us, s.cycles * us);
    out += line;
    comma = ",\n";
  }
  out += "\n]}\n";
  return out;
}

namespace {
constexpr const char* kTileTracks[ChipTimeline::kTileParts] = {
    "sequencer", "MVM engine", "row drive", "ADC", "write-verify", "vector unit", "NoC send", "NoC receive"};
constexpr const char* kDmaTracks[ChipTimeline::kDmaParts] = {"DMA read", "DMA write"};
}  // namespace

ChipTimeline::ChipTimeline(uint32_t tiles, double clock_ns)
    : tiles_(tiles),
      timeline_(clock_ns),
      level_(tiles + 1, 0),
      since_(tiles * kTileParts + kDmaParts, 0),
      until_(since_) {
  for (uint32_t t = 0; t < tiles; ++t) {
    const uint32_t group = timeline_.add_group("tile " + std::to_string(t));
    for (const char* name : kTileTracks) timeline_.add_track(group, name);
  }
  const uint32_t group = timeline_.add_group("DMA");
  for (const char* name : kDmaTracks) timeline_.add_track(group, name);
}

void ChipTimeline::levels(uint32_t track0, uint32_t* last, uint32_t busy, uint64_t now) {
  uint32_t changed = *last ^ busy;
  *last = busy;
  for (uint32_t bit = 0; changed != 0; ++bit, changed >>= 1) {
    if ((changed & 1) == 0) continue;
    if ((busy >> bit & 1) != 0) {
      since_[track0 + bit] = now;
    } else {
      timeline_.span(track0 + bit, since_[track0 + bit], now);
    }
  }
}

void ChipTimeline::merge(uint32_t track, uint64_t first, uint64_t end) {
  if (end <= first) return;
  if (until_[track] != 0 && first <= until_[track]) {
    until_[track] = std::max(until_[track], end);
    return;
  }
  timeline_.span(track, since_[track], until_[track]);
  since_[track] = first;
  until_[track] = end;
}

void ChipTimeline::finish(uint64_t now) {
  for (uint32_t track = 0; track < until_.size(); ++track) {
    if (until_[track] == 0) continue;
    timeline_.span(track, since_[track], until_[track]);
    until_[track] = 0;
  }
  for (uint32_t t = 0; t < tiles_; ++t) tile_levels(t, 0, now);
  dma_levels(0, now);
}

}  // namespace ohmac
