// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/wire_network.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "models/device/simd.h"

namespace ohmac {
namespace {

constexpr uint32_t kSide = 8;  // of a tile, and of a leaf in cells
constexpr size_t kTile = kSide * kSide;
constexpr size_t kLanes = 8;  // leaves made at a time

/// Work of one elimination of tiles of nodes. Weights are conductances between two nodes; diagonals mean nothing.
struct Elimination {
  uint32_t eliminated, kept;  // tiles of nodes
  /// Panels of `eliminated` tiles: weights among the nodes to eliminate (tiles on and above the diagonal), then of
  /// these to the kept nodes. Overwritten.
  double* x;
  const double* const* in;  // weights among kept nodes before, [kept x kept] tiles on and above the diagonal
  double* const* out;       // after; may be the same tile
  uint32_t cross;           // 0, or: only between the first `cross` kept tiles and the others
};

/// Cells of a leaf in each of 8 lanes and the wires on its left and below.
struct LeafLanes {
  double g[kTile * kLanes];
  double left[kLanes], down[kLanes];
  double row, col;
};

#define OHMAC_KERNEL "models/crossbar/wire_kernel.inc"
#include "models/device/simd_variants.inc"

void eliminate(const Elimination& e) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::eliminate(e);
    case Simd::kAvx2: return simd_avx2::eliminate(e);
#endif
    default: return simd_baseline::eliminate(e);
  }
}

void transpose(const double* from, double* to) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::transpose_tile(from, kSide, to, kSide);
    case Simd::kAvx2: return simd_avx2::transpose_tile(from, kSide, to, kSide);
#endif
    default: return simd_baseline::transpose_tile(from, kSide, to, kSide);
  }
}

constexpr size_t kLeafWork = 8 * (32 * 32 + 2 * (24 * 24 + 16 * 16 + 12 * 12 + 8 * 8 + 6 * 6 + 4 * 4));

void build_leaves(const LeafLanes& leaf, double* work, double* const (*tiles)[10]) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case Simd::kAvx512: return simd_avx512::build_leaves(leaf, work, tiles);
    case Simd::kAvx2: return simd_avx2::build_leaves(leaf, work, tiles);
#endif
    default: return simd_baseline::build_leaves(leaf, work, tiles);
  }
}

/// Memory aligned to cache lines.
struct Free {
  void operator()(double* p) const { std::free(p); }
};
using Memory = std::unique_ptr<double, Free>;
Memory allocate(size_t doubles) {
  void* p = std::aligned_alloc(64, (doubles * sizeof(double) + 63) / 64 * 64);
  if (p == nullptr) throw std::bad_alloc();
  return Memory(static_cast<double*>(p));
}

/// Tiles; one given back is the next one given out, while it is in the cache.
class TilePool {
 public:
  double* take() {
    if (free_.empty()) {
      constexpr size_t kMany = 512;
      slabs_.push_back(allocate(kMany * kTile));
      for (size_t i = kMany; i-- > 0;) free_.push_back(slabs_.back().get() + i * kTile);
    }
    double* t = free_.back();
    free_.pop_back();
    return t;
  }
  void give(double* t) { free_.push_back(t); }
  void give(std::vector<double*>* tiles) {
    for (double* t : *tiles)
      if (t != nullptr) give(t);
    tiles->clear();
  }

 private:
  std::vector<Memory> slabs_;
  std::vector<double*> free_;
};

/// A rectangle of cells seen from its ports: weights between them, in tiles. Left ports are the nodes before the
/// rectangle's first row wires, right ports its last row nodes, top ports its first column nodes, bottom ports the
/// nodes after its last column wires.
struct Block {
  uint32_t left = 0, right = 0, top = 0, bottom = 0;  // tiles of ports, in this order
  std::vector<double*> tile;                          // [ports x ports], on and above the diagonal
  uint32_t ports() const { return left + right + top + bottom; }
  double*& at(uint32_t i, uint32_t j) { return tile[static_cast<size_t>(i) * ports() + j]; }
};

void copy(const double* from, double* to) { std::memcpy(to, from, kTile * sizeof(double)); }

/// Memory of eliminations, kept for the next one of this thread: page faults would cost a fifth of the time.
struct Workspace {
  TilePool pool;
  Memory x;
  size_t x_size = 0;
  std::vector<const double*> in;
};

/// The whole elimination of an array whose row and column wires have resistance.
class Dissection {
 public:
  Dissection(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires)
      : rows_(rows), cols_(cols), g_(g), wires_(wires), work_(workspace()), pool_(work_.pool), zero_(allocate(kTile)) {
    std::fill_n(zero_.get(), kTile, 0.0);
    leaf_rows_ = (rows + kSide - 1) / kSide;
    leaf_cols_ = (cols + kSide - 1) / kSide;
  }

  std::vector<double> effective() {
    make_leaves();
    Block root = build(0, 0, leaf_rows_, leaf_cols_);
    const uint32_t skip = leaf_rows_ * kSide - rows_;  // rows added at the open end of the columns
    std::vector<double> out(static_cast<size_t>(rows_) * cols_);
    for (uint32_t i = 0; i < rows_; ++i)
      for (uint32_t j = 0; j < cols_; ++j)
        out[static_cast<size_t>(i) * cols_ + j] =
            root.at((i + skip) / kSide, root.left + j / kSide)[(i + skip) % kSide * kSide + j % kSide];
    pool_.give(&root.tile);
    return out;
  }

 private:
  static Workspace& workspace() {
    static thread_local Workspace w;
    return w;
  }

  /// The array is padded to whole leaves with cells without conductance at the open ends of its rows and columns, where
  /// no current flows.
  void make_leaves() {
    const Memory work = allocate(kLeafWork);
    auto lanes = std::make_unique<LeafLanes>();
    lanes->row = 1 / wires_.row;
    lanes->col = 1 / wires_.col;
    const double first = 1 / (wires_.driver + wires_.row), last = 1 / (wires_.col + wires_.sense);
    const uint32_t skip = leaf_rows_ * kSide - rows_, count = leaf_rows_ * leaf_cols_;
    leaves_.resize(count);
    for (uint32_t base = 0; base < count; base += kLanes) {
      const uint32_t n = std::min<uint32_t>(kLanes, count - base);
      std::array<std::array<double*, 10>, kLanes> tiles;
      for (uint32_t l = 0; l < kLanes; ++l) {
        const uint32_t number = base + std::min(l, n - 1), lr = number / leaf_cols_, lc = number % leaf_cols_;
        for (uint32_t i = 0; i < kSide; ++i) {
          const int64_t row = int64_t{lr} * kSide + i - skip;
          for (uint32_t j = 0; j < kSide; ++j) {
            const uint32_t col = lc * kSide + j;
            lanes->g[(i * kSide + j) * kLanes + l] =
                row >= 0 && col < cols_ ? g_[static_cast<size_t>(row) * cols_ + col] : 0.0;
          }
        }
        lanes->left[l] = lc == 0 ? first : lanes->row;
        lanes->down[l] = lr + 1 == leaf_rows_ ? last : lanes->col;
        for (auto& t : tiles[l]) t = pool_.take();
      }
      double* pointers[kLanes][10];
      for (uint32_t l = 0; l < kLanes; ++l) std::copy(tiles[l].begin(), tiles[l].end(), pointers[l]);
      build_leaves(*lanes, work.get(), pointers);
      for (uint32_t l = 0; l < kLanes; ++l) {
        if (l >= n) {
          for (double* t : tiles[l]) pool_.give(t);
          continue;
        }
        Block b;
        b.left = b.right = b.top = b.bottom = 1;
        b.tile.assign(16, nullptr);
        uint32_t k = 0;
        for (uint32_t i = 0; i < 4; ++i)
          for (uint32_t j = i; j < 4; ++j) b.at(i, j) = tiles[l][k++];
        leaves_[base + l] = std::move(b);
      }
    }
  }

  Block build(uint32_t r0, uint32_t c0, uint32_t r1, uint32_t c1) {
    const uint32_t h = r1 - r0, c = c1 - c0;
    if (h == 1 && c == 1) {
      Block b = std::move(leaves_[static_cast<size_t>(r0) * leaf_cols_ + c0]);
      const uint32_t open = (c1 == leaf_cols_ ? 2u : 0u) | (r0 == 0 ? 4u : 0u);  // bits of port sides
      return open == 0 ? b : without(&b, open);
    }
    const bool root = h == leaf_rows_ && c == leaf_cols_;
    if (c >= h) {
      const uint32_t m = c0 + c / 2;
      Block a = build(r0, c0, r1, m), b = build(r0, m, r1, c1);
      return side_by_side(&a, &b, root);
    }
    const uint32_t m = r0 + h / 2;
    Block a = build(r0, c0, m, c1), b = build(m, c0, r1, c1);
    return above(&a, &b, root);
  }

  struct Port {
    uint32_t block, number;
  };
  static void add(std::vector<Port>* p, uint32_t block, uint32_t first, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) p->push_back({block, first + i});
  }

  Block without(Block* a, uint32_t open) {
    const uint32_t size[4] = {a->left, a->right, a->top, a->bottom};
    std::vector<Port> kept, gone;
    Block out;
    uint32_t* sizes[4] = {&out.left, &out.right, &out.top, &out.bottom};
    for (uint32_t s = 0, first = 0; s < 4; first += size[s++]) {
      const bool drop = (open >> (s == 1 ? 1 : s == 2 ? 2 : 31) & 1) != 0;
      add(drop ? &gone : &kept, 0, first, size[s]);
      *sizes[s] = drop ? 0 : size[s];
    }
    eliminate_ports(a, nullptr, 0, gone, kept, 0, &out);
    return out;
  }

  Block side_by_side(Block* a, Block* b, bool root) {
    Block out;
    out.left = a->left;
    out.right = b->right;
    out.top = a->top + b->top;
    out.bottom = a->bottom + b->bottom;
    std::vector<Port> kept, gone;
    add(&gone, 0, a->left, a->right);
    add(&kept, 0, 0, a->left);
    add(&kept, 1, b->left, b->right);
    add(&kept, 0, a->left + a->right, a->top);
    add(&kept, 1, b->left + b->right, b->top);
    add(&kept, 0, a->left + a->right + a->top, a->bottom);
    add(&kept, 1, b->left + b->right + b->top, b->bottom);
    eliminate_ports(a, b, 0, gone, kept, root ? out.left : 0, &out);
    return out;
  }

  Block above(Block* a, Block* b, bool root) {
    Block out;
    out.left = a->left + b->left;
    out.right = a->right + b->right;
    out.top = a->top;
    out.bottom = b->bottom;
    std::vector<Port> kept, gone;
    add(&gone, 0, a->left + a->right + a->top, a->bottom);
    add(&kept, 0, 0, a->left);
    add(&kept, 1, 0, b->left);
    add(&kept, 0, a->left, a->right);
    add(&kept, 1, b->left, b->right);
    add(&kept, 0, a->left + a->right, a->top);
    add(&kept, 1, b->left + b->right + b->top, b->bottom);
    eliminate_ports(a, b, b->left + b->right, gone, kept, root ? out.left : 0, &out);
    return out;
  }

  /// Eliminates the ports `gone` of block a, which are also the ports from first_b of block b (if there is one).
  void eliminate_ports(Block* a, Block* b, uint32_t first_b, const std::vector<Port>& gone,
                       const std::vector<Port>& kept, uint32_t cross, Block* out) {
    const auto e = static_cast<uint32_t>(gone.size()), p = static_cast<uint32_t>(kept.size());
    const size_t need = static_cast<size_t>(e) * (e + p) * kTile;
    if (need > work_.x_size) {
      work_.x = allocate(need);
      work_.x_size = need;
    }
    double* const all = work_.x.get();
    Block* blocks[2] = {a, b};
    const auto shared = [&](uint32_t block, uint32_t i) { return block == 0 ? gone[i].number : first_b + i; };
    for (uint32_t j = 0; j < e; ++j) {
      for (uint32_t i = 0; i <= j; ++i) {
        double* x = all + (static_cast<size_t>(j) * e + i) * kTile;
        const double* s = a->at(gone[i].number, gone[j].number);
        if (b == nullptr) {
          copy(s, x);
        } else {
          const double* t = b->at(first_b + i, first_b + j);
          for (size_t k = 0; k < kTile; ++k) x[k] = s[k] + t[k];
        }
      }
    }
    for (uint32_t q = 0; q < p; ++q) {
      Block* from = blocks[kept[q].block];
      for (uint32_t i = 0; i < e; ++i) {
        double* x = all + (static_cast<size_t>(e + q) * e + i) * kTile;
        const uint32_t s = shared(kept[q].block, i), n = kept[q].number;
        if (s < n) {
          copy(from->at(s, n), x);
        } else {
          transpose(from->at(n, s), x);
        }
      }
    }
    // Give back what is used up, then take the tiles between kept ports of different blocks.
    for (uint32_t block = 0; block < (b != nullptr ? 2u : 1u); ++block) {
      Block* from = blocks[block];
      std::vector<uint8_t> is_gone(from->ports(), 0);
      for (uint32_t i = 0; i < e; ++i) is_gone[shared(block, i)] = 1;
      for (uint32_t i = 0; i < from->ports(); ++i)
        for (uint32_t j = i; j < from->ports(); ++j)
          if (is_gone[i] | is_gone[j]) pool_.give(from->at(i, j));
    }
    out->tile.assign(static_cast<size_t>(p) * p, nullptr);
    work_.in.assign(out->tile.size(), zero_.get());
    for (uint32_t i = 0; i < p; ++i) {
      for (uint32_t j = i; j < p; ++j) {
        if (cross != 0 && (i >= cross || j < cross)) {
          if (kept[i].block == kept[j].block) pool_.give(blocks[kept[i].block]->at(kept[i].number, kept[j].number));
          continue;
        }
        double*& t = out->at(i, j);
        if (kept[i].block == kept[j].block) {
          t = blocks[kept[i].block]->at(kept[i].number, kept[j].number);
          work_.in[static_cast<size_t>(i) * p + j] = t;
        } else {
          t = pool_.take();
        }
      }
    }
    eliminate(Elimination{e, p, all, work_.in.data(), out->tile.data(), cross});
  }

  uint32_t rows_, cols_, leaf_rows_, leaf_cols_;
  const double* g_;
  WireOhms wires_;
  Workspace& work_;
  TilePool& pool_;
  std::vector<Block> leaves_;
  Memory zero_;
};

/// Arrays whose rows are single nodes (no resistance in the row wires). All recursions add positive numbers only.
class SingleNodeRows {
 public:
  SingleNodeRows(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires)
      : rows_(rows), cols_(cols), g_(g), wires_(wires), k_(static_cast<size_t>(rows) * cols) {
    if (wires.driver != 0) w_.assign(static_cast<size_t>(rows) * rows, 0.0);
  }

  std::vector<double> effective() {
    for (uint32_t j = 0; j < cols_; ++j) {
      if (wires_.col != 0) {
        ladder(j);
      } else {
        star(j);
      }
    }
    return wires_.driver == 0 ? std::move(k_) : drivers();
  }

 private:
  /// Column j is a ladder: t[i] is the share of the current at node i that flows on downwards, if all rows are at 0 V.
  void ladder(uint32_t j) {
    const double wire = 1 / wires_.col, last = 1 / (wires_.col + wires_.sense);
    std::vector<double> t(rows_), above(rows_),
        below(rows_);  // conductance from node i to rows 0..i, to the sense node
    for (uint32_t i = 0; i < rows_; ++i) {
      above[i] = g(i, j) + (i == 0 ? 0.0 : above[i - 1] * t[i - 1]);
      const double down = i + 1 == rows_ ? last : wire;
      t[i] = down / (above[i] + down);
    }
    for (uint32_t i = rows_; i-- > 0;) {
      const double beyond = i + 1 == rows_ ? 0.0 : g(i + 1, j) + below[i + 1];
      below[i] = i + 1 == rows_ ? last : wire * (beyond / (wire + beyond));
    }
    double path = 1;
    for (uint32_t i = rows_; i-- > 0;) {
      path *= t[i];
      k_[static_cast<size_t>(i) * cols_ + j] = g(i, j) * path;
    }
    if (w_.empty()) return;
    std::vector<double> reach(rows_);  // g times the share that arrives at node i
    for (uint32_t i = 0; i < rows_; ++i) {
      const double share = g(i, j) / (above[i] + below[i]);
      double* w = w_.data() + static_cast<size_t>(i) * rows_;
      for (uint32_t l = 0; l < i; ++l) {
        reach[l] *= t[i - 1];
        w[l] += reach[l] * share;
      }
      reach[i] = g(i, j);
    }
  }

  /// Column j is one node.
  void star(uint32_t j) {
    const double down = wires_.sense == 0 ? 0.0 : 1 / wires_.sense;
    double sum = down;
    for (uint32_t i = 0; i < rows_; ++i) sum += g(i, j);
    for (uint32_t i = 0; i < rows_; ++i) {
      const double share = wires_.sense == 0 ? g(i, j) : g(i, j) / sum;
      k_[static_cast<size_t>(i) * cols_ + j] = wires_.sense == 0 ? share : share * down;
      if (wires_.sense == 0 || w_.empty()) continue;
      double* w = w_.data() + static_cast<size_t>(i) * rows_;
      for (uint32_t l = 0; l < i; ++l) w[l] += share * g(l, j);
    }
  }

  /// Eliminates the row nodes, which drivers tie to the inputs.
  std::vector<double> drivers() {
    const uint32_t e = (rows_ + kSide - 1) / kSide, c = (cols_ + kSide - 1) / kSide, kept = e + c;
    const Memory x = allocate(static_cast<size_t>(e) * (e + kept) * kTile), zero = allocate(kTile),
                 result = allocate(static_cast<size_t>(e) * c * kTile);
    std::fill_n(x.get(), static_cast<size_t>(e) * (e + kept) * kTile, 0.0);
    std::fill_n(zero.get(), kTile, 0.0);
    const auto at = [&](uint32_t i, uint32_t j) -> double& {
      return x.get()[(static_cast<size_t>(j / kSide) * e + i / kSide) * kTile + i % kSide * kSide + j % kSide];
    };
    for (uint32_t i = 0; i < rows_; ++i) {
      for (uint32_t l = 0; l < i; ++l) at(l, i) = w_[static_cast<size_t>(i) * rows_ + l];
      at(i, e * kSide + i) = 1 / wires_.driver;
      for (uint32_t j = 0; j < cols_; ++j) at(i, 2 * e * kSide + j) = k_[static_cast<size_t>(i) * cols_ + j];
    }
    const std::vector<const double*> in(static_cast<size_t>(kept) * kept, zero.get());
    std::vector<double*> out(in.size(), nullptr);
    for (uint32_t i = 0; i < e; ++i)
      for (uint32_t j = 0; j < c; ++j)
        out[static_cast<size_t>(i) * kept + e + j] = result.get() + (static_cast<size_t>(i) * c + j) * kTile;
    eliminate(Elimination{e, kept, x.get(), in.data(), out.data(), e});
    for (uint32_t i = 0; i < rows_; ++i)
      for (uint32_t j = 0; j < cols_; ++j)
        k_[static_cast<size_t>(i) * cols_ + j] =
            out[static_cast<size_t>(i / kSide) * kept + e + j / kSide][i % kSide * kSide + j % kSide];
    return std::move(k_);
  }

  double g(uint32_t i, uint32_t j) const { return g_[static_cast<size_t>(i) * cols_ + j]; }

  uint32_t rows_, cols_;
  const double* g_;
  WireOhms wires_;
  std::vector<double> k_;  // [rows x cols] weights between row nodes and sense nodes
  std::vector<double> w_;  // [rows x rows] among row nodes, below the diagonal; empty if rows are ideal sources
};

/// The same network with inputs and sense nodes exchanged: the element (i, j) of the one is (cols - 1 - j, rows - 1 -
/// i) of the other. By reciprocity this holds for the effective conductances, too.
std::vector<double> turned(uint32_t rows, uint32_t cols, const double* m) {
  std::vector<double> out(static_cast<size_t>(rows) * cols);
  for (uint32_t i = 0; i < rows; ++i)
    for (uint32_t j = 0; j < cols; ++j)
      out[static_cast<size_t>(cols - 1 - j) * rows + rows - 1 - i] = m[static_cast<size_t>(i) * cols + j];
  return out;
}

}  // namespace

void check_wires(const WireOhms& w) {
  const std::pair<const char*, double> all[] = {
      {"row", w.row}, {"column", w.col}, {"driver", w.driver}, {"sense", w.sense}};
  for (const auto& [name, r] : all) {
    if (r == 0 || (r >= kLeastOhm && r <= kMostOhm)) continue;
    throw std::domain_error(std::string(name) + " resistance " + std::to_string(r) +
                            " ohm: must be 0, or 1e-15 to 1e9 ohm");
  }
}

void check_conductances(uint32_t rows, uint32_t cols, const double* g) {
  if (rows == 0 || cols == 0) throw std::invalid_argument("crossbar: it has no cells");
  for (uint32_t i = 0; i < rows; ++i)
    for (uint32_t j = 0; j < cols; ++j) {
      const double x = g[static_cast<size_t>(i) * cols + j];
      if (x >= 0 && x <= kMostSiemens) continue;
      throw std::domain_error("conductance of cell (" + std::to_string(i) + ", " + std::to_string(j) + ") is " +
                              std::to_string(x) + " S: must be 0 to 1e6 S");
    }
}

std::vector<double> effective_conductance(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires) {
  check_wires(wires);
  check_conductances(rows, cols, g);
  if (!wires.any()) return std::vector<double>(g, g + static_cast<size_t>(rows) * cols);
  if (wires.row == 0) return SingleNodeRows(rows, cols, g, wires).effective();
  if (wires.col == 0) {
    const std::vector<double> other = turned(rows, cols, g);
    const std::vector<double> result =
        SingleNodeRows(cols, rows, other.data(), {wires.col, wires.row, wires.sense, wires.driver}).effective();
    return turned(cols, rows, result.data());
  }
  return Dissection(rows, cols, g, wires).effective();
}

std::vector<double> effective_differential(uint32_t rows, uint32_t cols, const double* g, const WireOhms& wires) {
  std::vector<double> pairs = effective_conductance(rows, 2 * cols, g, wires);
  const size_t cells = static_cast<size_t>(rows) * cols;
  for (size_t c = 0; c < cells; ++c) pairs[c] = pairs[2 * c] - pairs[2 * c + 1];
  pairs.resize(cells);
  return pairs;
}

}  // namespace ohmac
