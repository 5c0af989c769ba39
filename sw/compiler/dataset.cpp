// SPDX-License-Identifier: Apache-2.0
// IDX files (big-endian; magic 0x00000801 labels, 0x00000803 images), plain or gzip: zlib reads both.
#include <zlib.h>

#include "sw/compiler/compiler.h"

namespace ohmac::compiler {
namespace {

std::vector<uint8_t> read_all(const std::string& path) {
  gzFile f = gzopen(path.c_str(), "rb");
  if (!f)
    throw CompileError(path + ": cannot open; run sw/networks/train_mnist_mlp.py to make the data, or check the path");
  std::vector<uint8_t> out;
  uint8_t chunk[1 << 16];
  int got;
  while ((got = gzread(f, chunk, sizeof chunk)) > 0) out.insert(out.end(), chunk, chunk + got);
  int status = Z_OK;
  gzerror(f, &status);
  const int closed = gzclose(f);
  if (got < 0 || status != Z_OK || closed != Z_OK) throw CompileError(path + ": truncated or corrupt gzip data");
  return out;
}

/// Checks the header and returns the sizes of all dimensions.
std::vector<uint32_t> dims(const std::string& path, const std::vector<uint8_t>& d, uint32_t want) {
  const size_t head = 4 + 4 * want;
  if (d.size() < head || d[0] || d[1] || d[2] != 8 || d[3] != want)
    throw CompileError(path + ": not an IDX file of unsigned bytes with " + std::to_string(want) + " dimension(s)");
  std::vector<uint32_t> out;
  uint64_t bytes = 1;
  for (uint32_t i = 0; i < want; ++i) {
    const uint8_t* p = &d[4 + 4 * i];
    out.push_back(uint32_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3]);
    bytes *= out.back();
    if (bytes > (uint64_t{1} << 32)) throw CompileError(path + ": the header asks for more than 4 GiB");
  }
  if (d.size() - head != bytes)
    throw CompileError(path + ": holds " + std::to_string(d.size() - head) + " bytes of data, the header says " +
                       std::to_string(bytes));
  return out;
}

}  // namespace

Dataset load_images(const std::string& path) {
  const std::vector<uint8_t> images = read_all(path);
  const std::vector<uint32_t> d = dims(path, images, 3);
  Dataset s;
  s.count = d[0];
  s.rows = d[1];
  s.cols = d[2];
  s.pixels.assign(images.begin() + 16, images.end());
  return s;
}

Dataset load_digits(const std::string& images_path, const std::string& labels_path) {
  Dataset s = load_images(images_path);
  const std::vector<uint8_t> labels = read_all(labels_path);
  const std::vector<uint32_t> d = dims(labels_path, labels, 1);
  if (s.count != d[0])
    throw CompileError(images_path + ": " + std::to_string(s.count) + " images, but " + labels_path + " has " +
                       std::to_string(d[0]) + " labels");
  s.labels.assign(labels.begin() + 8, labels.end());
  return s;
}

std::vector<float> Dataset::input(uint32_t i) const {
  std::vector<float> x(size());
  const uint8_t* p = pixels.data() + size_t{i} * size();
  for (uint32_t j = 0; j < size(); ++j) x[j] = static_cast<float>(p[j]) / 255.0f;
  return x;
}

}  // namespace ohmac::compiler
