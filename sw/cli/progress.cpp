// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ohmac::cli {
namespace {
constexpr int kBarWidth = 30;
constexpr auto kRedraw = std::chrono::milliseconds(100);
}  // namespace

Progress::Progress(std::string what, uint64_t total)
    : what_(std::move(what)),
      total_(std::max<uint64_t>(total, 1)),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_(start_ - kRedraw) {}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::update(uint64_t done) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - last_ < kRedraw) return;
  last_ = now;
  done = std::min(done, total_);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const int filled = static_cast<int>(kBarWidth * done / total_);
  std::string line =
      fmt::format("\r\x1b[K{} [{:#<{}}{: <{}}] {}/{}", what_, "", filled, "", kBarWidth - filled, done, total_);
  if (rate > 0) line += fmt::format("  {:.1f}/s  {:.0f} s left", rate, static_cast<double>(total_ - done) / rate);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace ohmac::cli
