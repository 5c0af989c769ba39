// SPDX-License-Identifier: Apache-2.0
// A read port of the SRAM crossbar as its user sees it, for benches that are the SRAM.
#pragma once

namespace ohmac::tb {

/// Grants while its place for one address is free; the access follows in a later cycle, in the order of the grants, and
/// the data one cycle after it.
class ReadPort {
 public:
  bool free() const { return !full_; }
  /// A clock edge. @param granted a read of `line` was granted in the cycle that ends; @param serve the bank is free in
  /// it.
  /// @return the line whose data are there in the next cycle, -1 for none.
  int edge(bool granted, unsigned line, bool serve) {
    const int read = full_ && serve ? static_cast<int>(line_) : -1;
    full_ = (full_ && !serve) || granted;
    if (granted) line_ = line;
    return read;
  }
  void reset() { full_ = false; }

 private:
  bool full_ = false;
  unsigned line_ = 0;
};

}  // namespace ohmac::tb
