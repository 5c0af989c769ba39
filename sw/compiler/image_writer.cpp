// SPDX-License-Identifier: Apache-2.0
// Little-endian: records are copied as they lie in memory, which is the contract of every host and firmware we run on.
#include <zlib.h>
#include <algorithm>
#include <cstring>

#include "sw/compiler/codegen.h"
#include "sw/compiler/quantise.h"
#include "sw/runtime/image.h"

namespace ohmac::compiler {
namespace {

using Bytes = std::vector<uint8_t>;

uint32_t crc(const void* p, size_t n) {
  return static_cast<uint32_t>(crc32(crc32(0, nullptr, 0), static_cast<const Bytef*>(p), static_cast<uInt>(n)));
}

template <class T>
void append(Bytes* b, const T* data, size_t count) {
  const auto* p = reinterpret_cast<const uint8_t*>(data);
  b->insert(b->end(), p, p + count * sizeof(T));
}

void pad16(Bytes* b) { b->resize((b->size() + 15) / 16 * 16, 0); }

template <class T>
void data_record(Bytes* b, uint32_t tile, uint32_t addr, const std::vector<T>& v) {
  const image::DataRecord r{tile, addr, static_cast<uint32_t>(v.size() * sizeof(T)), 0};
  append(b, &r, 1);
  append(b, v.data(), v.size());
  pad16(b);
}

}  // namespace

std::vector<uint8_t> make_image(const Compiled& c, const std::vector<TilePlan>& plans) {
  struct Section {
    image::SectionType type;
    Bytes bytes;
  };
  std::vector<Section> sections;

  image::NetworkRecord net{};
  std::strncpy(net.name, c.name.c_str(), sizeof net.name - 1);
  net.input_bytes = c.source.inputs();
  net.output_count = c.output_count;
  net.output_elem_bytes = 4;
  net.output_stride = c.output_stride;
  net.result_token = 0;
  net.in_flight = c.in_flight;
  net.adc_bound = c.adc_bound;
  net.loop_scalar = 0;
  Bytes b;
  append(&b, &net, 1);
  sections.push_back({image::SectionType::kNetwork, b});

  Bytes data, cells, inputs, tiles;
  for (const TilePlan& p : plans) {
    const Piece& q = p.piece;
    if (!p.bias.empty()) data_record(&data, q.tile, p.bias_addr, p.bias);
    data_record(&data, q.tile, p.program_addr, p.program);

    const std::vector<int8_t> w = cell_codes(c.layers[q.layer], c.options, q.k0, q.k, q.n0, q.n);
    image::CellsRecord cr{};
    cr.tile = static_cast<uint16_t>(q.tile);
    cr.rows = static_cast<uint16_t>(q.k);
    cr.cols = static_cast<uint16_t>(q.n * c.options.weight_slices);
    cr.bytes = static_cast<uint32_t>(w.size());
    append(&cells, &cr, 1);
    append(&cells, w.data(), w.size());
    pad16(&cells);

    if (q.layer == 0) {
      const image::InputRecord ir{q.tile, q.k0, q.k, p.in.addr, p.in.stride, c.in_flight, 0, 0};
      append(&inputs, &ir, 1);
    }
    const image::TileRecord tr{q.tile,      p.program_addr / 8,      p.drives, c.options.adc_bits,
                               p.mux_count, c.layers[q.layer].range, {}};
    append(&tiles, &tr, 1);
  }
  sections.push_back({image::SectionType::kTileData, data});
  sections.push_back({image::SectionType::kCells, cells});
  sections.push_back({image::SectionType::kInputs, inputs});
  sections.push_back({image::SectionType::kTiles, tiles});
  sections.push_back({image::SectionType::kListing, Bytes(c.listing.begin(), c.listing.end())});

  image::Header h{};
  h.magic = image::kMagic;
  h.version = image::kVersion;
  h.num_sections = static_cast<uint32_t>(sections.size());
  const Geometry& g = c.options.geometry;
  h.geometry = {static_cast<uint16_t>(g.mesh_x),
                static_cast<uint16_t>(g.mesh_y),
                static_cast<uint16_t>(g.rows),
                static_cast<uint16_t>(g.cols),
                static_cast<uint16_t>(g.lanes),
                0,
                g.sram_bytes};
  h.geometry_hash = crc(&h.geometry, sizeof h.geometry);

  Bytes out(sizeof h + sections.size() * sizeof(image::SectionRecord), 0);
  pad16(&out);
  std::vector<image::SectionRecord> table;
  for (const Section& s : sections) {
    table.push_back({static_cast<uint32_t>(s.type), static_cast<uint32_t>(out.size()),
                     static_cast<uint32_t>(s.bytes.size()), crc(s.bytes.data(), s.bytes.size())});
    append(&out, s.bytes.data(), s.bytes.size());
    pad16(&out);
  }
  h.total_bytes = static_cast<uint32_t>(out.size());
  h.table_crc = crc(table.data(), table.size() * sizeof table[0]);
  h.header_crc = crc(&h, sizeof h);  // the field itself is still 0
  std::memcpy(out.data(), &h, sizeof h);
  std::memcpy(out.data() + sizeof h, table.data(), table.size() * sizeof table[0]);
  return out;
}

}  // namespace ohmac::compiler
