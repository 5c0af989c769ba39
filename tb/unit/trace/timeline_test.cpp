// SPDX-License-Identifier: Apache-2.0
#include "models/trace/timeline.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

namespace ohmac {
namespace {

using nlohmann::json;

/// Complete events by track name within its group.
std::multimap<std::string, json> spans(const json& j) {
  std::map<std::pair<int, int>, std::string> tracks;
  std::map<int, std::string> groups;
  std::multimap<std::string, json> out;
  for (const json& e : j.at("traceEvents")) {
    if (e.at("ph") == "M" && e.at("name") == "process_name") groups[e.at("pid")] = e.at("args").at("name");
    if (e.at("ph") == "M" && e.at("name") == "thread_name")
      tracks[{e.at("pid"), e.at("tid")}] = e.at("args").at("name");
  }
  for (const json& e : j.at("traceEvents")) {
    if (e.at("ph") == "X") out.emplace(groups.at(e.at("pid")) + "/" + tracks.at({e.at("pid"), e.at("tid")}), e);
  }
  return out;
}

TEST(Timeline, SpansAreMicrosecondsOfChipTime) {
  ChipTimeline t(2, 4.0);
  t.tile_span(1, ChipTimeline::kAdc, 1000, 1080);
  t.dma_span(ChipTimeline::kDmaWrite, 5, 6);
  t.finish(2000);
  const auto s = spans(json::parse(t.timeline().json()));
  ASSERT_EQ(s.size(), 2u);
  EXPECT_DOUBLE_EQ(s.find("tile 1/ADC")->second.at("ts").get<double>(), 4.0);    // 1000 cycles of 4 ns
  EXPECT_DOUBLE_EQ(s.find("tile 1/ADC")->second.at("dur").get<double>(), 0.32);  // 80 cycles
  EXPECT_DOUBLE_EQ(s.find("DMA/DMA write")->second.at("dur").get<double>(), 0.004);
}

TEST(Timeline, LevelsBecomeSpans) {
  ChipTimeline t(1, 1000.0);  // a cycle a microsecond
  t.tile_levels(0, 1u << ChipTimeline::kMvm, 10);
  t.tile_levels(0, 1u << ChipTimeline::kMvm | 1u << ChipTimeline::kDrive, 12);
  t.tile_levels(0, 1u << ChipTimeline::kMvm, 15);
  t.dma_levels(1, 16);
  t.finish(20);
  t.finish(21);  // nothing is open any more
  const auto s = spans(json::parse(t.timeline().json()));
  ASSERT_EQ(s.size(), 3u);
  EXPECT_DOUBLE_EQ(s.find("tile 0/MVM engine")->second.at("ts").get<double>(), 10);
  EXPECT_DOUBLE_EQ(s.find("tile 0/MVM engine")->second.at("dur").get<double>(), 10);
  EXPECT_DOUBLE_EQ(s.find("tile 0/row drive")->second.at("dur").get<double>(), 3);
  EXPECT_DOUBLE_EQ(s.find("DMA/DMA read")->second.at("dur").get<double>(), 4);
}

TEST(Timeline, SpansThatTouchOrOverlapAreOne) {
  ChipTimeline t(1, 1000.0);
  t.tile_span(0, ChipTimeline::kMvm, 0, 10);
  t.tile_span(0, ChipTimeline::kMvm, 4, 8);    // inside
  t.tile_span(0, ChipTimeline::kMvm, 10, 12);  // touches
  t.tile_span(0, ChipTimeline::kMvm, 13, 20);
  t.finish(30);
  const json j = json::parse(t.timeline().json());
  const auto s = spans(j);
  ASSERT_EQ(s.size(), 2u);
  auto first = s.begin();
  EXPECT_DOUBLE_EQ(first->second.at("dur").get<double>(), 12);
  EXPECT_DOUBLE_EQ(std::next(first)->second.at("ts").get<double>(), 13);
}

TEST(Timeline, EmptySpansAreNone) {
  ChipTimeline t(1, 4.0);
  t.tile_span(0, ChipTimeline::kMvm, 7, 7);
  t.finish(9);
  EXPECT_EQ(t.timeline().spans(), 0u);
  EXPECT_TRUE(spans(json::parse(t.timeline().json())).empty());
}

TEST(Timeline, AFullTraceCountsWhatItDrops) {
  Timeline t(4.0);
  const uint32_t track = t.add_track(t.add_group("tile 0"), "ADC");
  for (size_t i = 0; i < Timeline::kMaxSpans + 3; ++i) t.span(track, 2 * i, 2 * i + 1);
  EXPECT_EQ(t.spans(), Timeline::kMaxSpans);
  EXPECT_EQ(t.dropped(), 3u);
}

}  // namespace
}  // namespace ohmac
