// SPDX-License-Identifier: Apache-2.0
// Programming by pulses: the hardware's PROG on all tiles at once, targets streamed from DMA memory. See README.md.
#pragma once
#include <stdint.h>

#include "sw/driver/driver.h"

namespace ohmac {

/// Verify reads: a weight unit is 48 / 2^6 = 3/4 of an ADC step, so that 127 leaves a quarter of the code range to
/// lanes whose gain is above 1. CAL words are 4/3 of those of the calibration meanwhile: psums count 2^-8 weight units.
constexpr uint32_t kVerifyInput = 48, kVerifyRange = 6;
constexpr uint32_t kVerifyFactor = ((uint32_t{1} << kVerifyRange << 14) + kVerifyInput / 2) / kVerifyInput;  // Q2.14

/// A rectangle of cells of one tile and its targets.
struct CellRegion {
  uint32_t tile = 0, row0 = 0, col0 = 0, rows = 0, cols = 0;
  const int8_t* targets = nullptr;  // -127..127, [rows x cols] row-major; null: `fill` everywhere
  int8_t fill = 0;
};

/// What programming did to one tile.
struct ProgramReport {
  uint32_t rows = 0;         // rows written
  uint32_t rows_failed = 0;  // of these, rows with a cell outside the tolerance at the end
  uint32_t reads = 0;        // verify reads of a row
  uint32_t pulses = 0;       // device pulses
  uint32_t fails = 0;        // cells outside the tolerance in the last read, the noise of that read included

  ProgramReport& operator+=(const ProgramReport& o) {
    rows += o.rows;
    rows_failed += o.rows_failed;
    reads += o.reads;
    pulses += o.pulses;
    fails += o.fails;
    return *this;
  }
};

/// Programs regions: every cell of the rectangle of rows and column blocks that covers a tile's regions is brought to
/// its target, cells of it outside any region to 0. Cells outside the rectangle are not touched. Overlapping regions:
/// the last one wins. Calibrate first: verify reads are corrected by the CAL words. These are written anew at the end
/// (after a failure they are not those of `state` and must be written before the next read).
///
/// Uses tile SRAM from address 0 on, tile tokens 0..kProgramMembers+1 (left at 0), all DMA tokens, TRAP.WATCHDOG; DMA
/// memory as much as there is, in several jobs if need be (kNoMemory if one row of one tile does not fit).
/// @param state             calibration and health of the columns: those that cannot be read are left alone
/// @param reports           [chip.tiles] or null: added to, by tile number
/// @param fails_per_column  [chip.tiles * chip.cols] or null: cells of the regions that failed, added to, saturating at
///                          65535
Status program_cells(Driver& driver, const CellRegion* regions, uint32_t count, const ProgramOptions& options,
                     const ChipState& state, ProgramReport* reports = nullptr, uint16_t* fails_per_column = nullptr);

/// kBadArgument for a field beyond its bits, a limit or a width of 0.
Status check_program_options(const ProgramOptions& options);

// --- The tile program, for tests.
constexpr uint32_t kProgramRing = 4;     // rows of targets a tile holds
constexpr uint32_t kProgramMembers = 3;  // most tiles that report to a leader
constexpr uint32_t kProgramBytes = 512;

/// One tile of a programming job. Up to 16 groups have a DMA token each; where there are more tiles a group has a
/// leader that collects the tokens of the others, row by row.
struct ProgramTask {
  uint32_t tile;
  uint32_t row0, rows;      // of this job
  uint32_t rounds;          // rows of the group's longest task
  uint32_t block0, blocks;  // column blocks
  uint32_t leader;          // tile that collects; = tile: this one
  uint32_t members;         // leader: tiles besides itself
  uint32_t token;           // leader: DMA token of the group; member: its number in the group, from 0
};

/// Byte addresses in the tile's SRAM, n = columns of the blocks.
struct ProgramLayout {
  uint32_t columns;     // n
  uint32_t stride;      // bytes of one row of targets, n rounded up to 32
  uint32_t fail_bytes;  // of one row, ceil(n / 256) * 32
  uint32_t ring, psums, fails;
  uint32_t max_rows;  // rows whose fail lines fit; 0: the SRAM is too small
};
ProgramLayout program_layout(const ChipInfo& chip, uint32_t blocks);

/// Writes kProgramBytes. `watchdog` in units of 256 cycles.
void encode_program(const ProgramTask& task, const ProgramLayout& layout, const ProgramOptions& options,
                    uint32_t adc_bits, uint32_t watchdog, uint8_t* image);

/// Cycles that surely suffice for PROG on one row.
uint64_t row_cycle_bound(const ChipInfo& chip, uint32_t blocks, const ProgramOptions& options);

}  // namespace ohmac
