// SPDX-License-Identifier: Apache-2.0
// An integer network on one digital baseline core: piece by piece as the compiler cuts it for tiles, all images through
// each.
#pragma once
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/compiler/compiler.h"
#include "sw/compiler/quantise.h"
#include "tb/common/dmac_driver.h"

namespace ohmac::tb {

/// Name of a piece in files and messages: layer, place in K and N.
inline std::string piece_name(const compiler::QuantLayer& layer, const compiler::Piece& p) {
  return layer.name + "_" + std::to_string(p.k_index) + "_" + std::to_string(p.n_index);
}

/// Runs images, [image][inputs], through the network; the core does every product, this code what follows a layer.
/// @param core   DmacDriver or the like
/// @param begin  (piece, its name): weights are loaded, activations wait
/// @param end    (piece, its name, cycles since begin)
/// @return outputs [image][n]
/// @throws std::runtime_error if a product is not that of the integer network, or the core stands still
template <class Core, class Begin, class End>
std::vector<std::vector<int32_t>> run_network(Core& core, const DmacShape& shape,
                                              const compiler::IntegerNetwork& network,
                                              const std::vector<compiler::Piece>& pieces,
                                              std::vector<std::vector<int8_t>> act, const Begin& begin,
                                              const End& end) {
  std::vector<std::vector<int32_t>> out;
  for (size_t li = 0; li < network.layers.size(); ++li) {
    const compiler::QuantLayer& l = network.layers[li];
    std::vector<std::vector<int64_t>> sums(act.size(), std::vector<int64_t>(l.n, 0));
    for (const compiler::Piece& p : pieces) {
      if (p.layer != li) continue;
      const std::string name = piece_name(l, p);
      const unsigned columns = (p.n + 7) / 8 * 8;
      std::vector<int> weights(size_t{shape.rows} * shape.cols, 0);
      for (uint32_t r = 0; r < p.k; ++r)
        for (uint32_t c = 0; c < p.n; ++c) weights[r * shape.cols + c] = l.weight[size_t{p.k0 + r} * l.n + p.n0 + c];
      core.load(weights);
      core.use_columns(columns);
      core.results.clear();
      for (const auto& image : act) {
        std::vector<int> vector(shape.rows, 0);
        std::copy_n(image.begin() + p.k0, p.k, vector.begin());
        core.offer(vector);
      }
      begin(p, name);
      const uint64_t limit = act.size() * 2 * shape.mvm_cycles() + 100;
      uint64_t cycles = 0;
      for (; core.results.size() < act.size() * columns; ++cycles) {
        if (cycles == limit) throw std::runtime_error("piece " + name + ": the core stands still");
        core.cycle(true, true);
      }
      end(p, name, cycles);
      for (size_t i = 0; i < act.size(); ++i) {
        for (uint32_t c = 0; c < p.n; ++c) {
          int64_t want = 0;
          for (uint32_t r = 0; r < p.k; ++r) want += int64_t{act[i][p.k0 + r]} * weights[r * shape.cols + c];
          const int64_t got = core.results[i * columns + c];
          if (got != want) {
            throw std::runtime_error("piece " + name + ", image " + std::to_string(i) + ", column " +
                                     std::to_string(c) + ": the core says " + std::to_string(got) +
                                     ", the integer network " + std::to_string(want));
          }
          sums[i][p.n0 + c] += got;
        }
      }
    }
    for (size_t i = 0; i < act.size(); ++i) {
      compiler::Activation a = network.finish(li, sums[i]);
      act[i] = std::move(a.q);
      if (l.last) out.push_back(std::move(a.psum));
    }
  }
  return out;
}

}  // namespace ohmac::tb
