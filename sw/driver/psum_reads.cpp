// SPDX-License-Identifier: Apache-2.0
#include "sw/driver/psum_reads.h"

#include <string.h>

#include "sw/driver/assembler.h"
#include "sw/hal/try.h"

namespace ohmac {
namespace {

using isa::Engine;

constexpr uint32_t kCodeBytes = 512, kAguInput = 0, kAguPsum = 1, kTokDone = 0, kHostToken = 0;

uint32_t round_up(uint32_t v, uint32_t to) { return (v + to - 1) / to * to; }

struct Layout {
  uint32_t input_stride, psum_stride, psums, total;
};

Layout layout(const ChipInfo& chip, const PsumRequest& r, uint32_t vectors) {
  Layout l;
  l.input_stride = round_up(r.k, 16);
  l.psum_stride = 4 * r.mux_count * chip.lanes;  // lanes is a multiple of 8
  l.psums = round_up(kCodeBytes + vectors * l.input_stride, 32);
  l.total = l.psums + vectors * l.psum_stride;
  return l;
}

void encode(const ChipInfo& chip, const PsumRequest& r, uint32_t first, uint32_t vectors, PsumInput input,
            uint8_t* image) {
  const Layout l = layout(chip, r, vectors);
  memset(image, 0, l.psums);
  for (uint32_t v = 0; v < vectors; ++v) {
    for (uint32_t k = 0; k < r.k; ++k) {
      image[kCodeBytes + v * l.input_stride + k] = static_cast<uint8_t>(input(first + v, k));
    }
  }
  Assembler a(image, kCodeBytes / 8);
  a.agu(kAguInput, kCodeBytes, l.input_stride, 0, 0, 0);
  a.agu(kAguPsum, l.psums, l.psum_stride, 0, 0, 0);
  a.mvm_slot(0, r.row_base, r.k, r.adc_bits, r.range, 0, r.mux_count);
  a.loop(1, vectors);
  a.emit(isa::mvm::make(isa::operand(kAguInput, 0), isa::operand(kAguPsum, 0), 0));
  a.signal(Engine::kMvm, kTokDone, 1);
  a.wait(Engine::kSeq, kTokDone, 1);
  a.setr(isa::cfg::kAguBase + kAguPsum * isa::cfg::kAguStride, 0);  // a legal address for a token without data
  a.send_token(isa::kHostTile, kAguPsum, kHostToken);
  a.halt();
}

Status run_job(Driver& driver, const PsumRequest* requests, uint32_t count, uint32_t first, uint32_t vectors,
               PsumInput input, PsumSink& sink) {
  const ChipInfo& chip = driver.chip();
  driver.release_all();
  JobBuilder job;
  DmaBlock psums[ChipState::kMaxTiles];
  OHMAC_TRY(driver.begin_job(2 * count + 3, &job));
  uint64_t mask = 0, bytes = 0, cycles = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const PsumRequest& r = requests[i];
    const Layout l = layout(chip, r, vectors);
    DmaBlock image;
    OHMAC_TRY(driver.alloc(l.psums, &image));
    OHMAC_TRY(driver.alloc(vectors * l.psum_stride, &psums[i]));
    encode(chip, r, first, vectors, input, image.cpu);
    Transfer t;
    t.tile = r.tile;
    t.mem = image.bus;
    t.bytes = image.bytes;
    job.m2t(t);
    mask |= uint64_t{1} << r.tile;
    bytes += l.total;
    const uint64_t an_mvm = 1024 + r.k + uint64_t{r.mux_count} * (r.adc_bits + 2) + l.psum_stride / 4;
    if (4 * an_mvm * vectors > cycles) cycles = 4 * an_mvm * vectors;
  }
  job.start(mask, 0);
  job.wait(kHostToken, count);
  for (uint32_t i = 0; i < count; ++i) {
    Transfer t;
    t.tile = requests[i].tile;
    t.tile_addr = layout(chip, requests[i], vectors).psums;
    t.mem = psums[i].bus;
    t.bytes = psums[i].bytes;
    job.t2m(t);
  }
  OHMAC_TRY(driver.set_outbox(psums[0].bus));
  OHMAC_TRY(driver.run(job, cycles + transfer_cycles(bytes)));
  OHMAC_TRY(driver.wait_halt(mask, transfer_cycles(0)));
  for (uint32_t i = 0; i < count; ++i) {
    sink.take(requests[i], first, vectors, reinterpret_cast<const int32_t*>(psums[i].cpu));
  }
  return Status::kOk;
}

}  // namespace

Status read_psums(Driver& driver, const PsumRequest* requests, uint32_t count, uint32_t vectors, uint32_t unit,
                  PsumInput input, PsumSink& sink) {
  if (!driver.ready()) return driver.fail(Status::kNotReady);
  const ChipInfo& chip = driver.chip();
  if (requests == nullptr || count == 0 || count > chip.tiles || vectors == 0 || unit == 0 || vectors % unit != 0 ||
      input == nullptr) {
    return driver.fail(Status::kBadArgument);
  }
  uint64_t mask = 0;
  uint32_t most = vectors;  // that fit the SRAM of every tile
  for (uint32_t i = 0; i < count; ++i) {
    const PsumRequest& r = requests[i];
    const bool reference = r.row_base == chip.rows && r.k <= 4;
    const bool bad = r.tile >= chip.tiles || mask >> r.tile & 1 || r.k == 0 || r.row_base % 4 != 0 ||
                     (!reference && (r.k > chip.rows || r.row_base > chip.rows - r.k)) || r.adc_bits < 4 ||
                     r.adc_bits > chip.adc_bits || r.range > kMaxAdcRange || r.mux_count == 0 ||
                     r.mux_count > chip.mux();
    if (bad) return driver.fail_at(Status::kBadArgument, r.tile, ErrorInfo::kNone);
    mask |= uint64_t{1} << r.tile;
    while (most != 0 && layout(chip, r, most).total > chip.sram_bytes) most -= unit;
  }
  if (most == 0) return driver.fail(Status::kNoMemory);
  const auto fits = [&](uint32_t first, uint32_t n) {
    uint64_t bytes = uint64_t{2 * n + 3} * isa::kDescBytes;
    for (uint32_t i = first; i < first + n; ++i) {
      const Layout l = layout(chip, requests[i], most);
      bytes += round_up(l.psums, 64) + round_up(most * l.psum_stride, 64);
    }
    return bytes <= driver.dma_bytes();
  };
  for (uint32_t first = 0; first < count;) {
    uint32_t n = count - first;
    while (!fits(first, n) && n > 1) n = (n + 1) / 2;
    while (!fits(first, n) && most > unit) most -= unit;
    if (!fits(first, n)) return driver.fail(Status::kNoMemory);
    for (uint32_t v = 0; v < vectors; v += most) {
      OHMAC_TRY(run_job(driver, requests + first, n, v, vectors - v < most ? vectors - v : most, input, sink));
    }
    first += n;
  }
  return Status::kOk;
}

}  // namespace ohmac
