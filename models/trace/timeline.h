// SPDX-License-Identifier: Apache-2.0
// Which part of a chip worked when: spans on tracks, written in the Trace Event Format that Perfetto and
// chrome://tracing open (ts and dur in microseconds of chip time).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ohmac {

class Timeline {
 public:
  /// Spans kept at most; later ones are counted in dropped() only.
  static constexpr size_t kMaxSpans = 2'000'000;

  explicit Timeline(double clock_ns) : clock_ns_(clock_ns) {}

  /// Adds a track of a group and returns its number.
  uint32_t add_track(uint32_t group, const std::string& name);
  /// Adds a group of tracks, shown in the order of creation, and returns its number.
  uint32_t add_group(const std::string& name);
  /// Work of a track in the cycles first .. end - 1; nothing if there is none.
  void span(uint32_t track, uint64_t first, uint64_t end);

  size_t spans() const { return spans_.size(); }
  uint64_t dropped() const { return dropped_; }
  std::string json() const;

 private:
  struct Track {
    uint32_t group;
    std::string name;
  };
  struct Span {
    uint64_t first;
    uint32_t cycles, track;
  };
  double clock_ns_;
  std::vector<std::string> groups_;
  std::vector<Track> tracks_;
  std::vector<Span> spans_;
  uint64_t dropped_ = 0;
};

/// Tracks of one chip, the same at every fidelity.
class ChipTimeline {
 public:
  /// What a tile shows, one track each.
  enum Part : uint32_t { kSequencer, kMvm, kDrive, kAdc, kProgram, kVector, kSend, kReceive, kTileParts };
  /// What the DMA shows.
  enum DmaPart : uint32_t { kDmaRead, kDmaWrite, kDmaParts };

  ChipTimeline(uint32_t tiles, double clock_ns);
  Timeline& timeline() { return timeline_; }
  uint32_t tiles() const { return tiles_; }

  /// Spans of a part whose beginnings ascend; those that touch or overlap become one. Shown after finish().
  void tile_span(uint32_t tile, Part part, uint64_t first, uint64_t end) {
    merge(tile * kTileParts + part, first, end);
  }
  void dma_span(DmaPart part, uint64_t first, uint64_t end) { merge(tiles_ * kTileParts + part, first, end); }

  /// Levels instead of spans: bit i of `busy` is part i in cycle `now`. Cycles come in ascending order.
  void tile_levels(uint32_t tile, uint32_t busy, uint64_t now) { levels(tile * kTileParts, &level_[tile], busy, now); }
  void dma_levels(uint32_t busy, uint64_t now) { levels(tiles_ * kTileParts, &level_[tiles_], busy, now); }
  /// Closes what is still open.
  void finish(uint64_t now);

 private:
  void merge(uint32_t track, uint64_t first, uint64_t end);
  void levels(uint32_t track0, uint32_t* last, uint32_t busy, uint64_t now);

  uint32_t tiles_;
  Timeline timeline_;
  std::vector<uint32_t> level_;  // [tiles + DMA] bits of the cycle before
  std::vector<uint64_t> since_;  // [track] first cycle of the open span
  std::vector<uint64_t> until_;  // [track] its end, where spans are given; 0: none is open
};

}  // namespace ohmac
