// SPDX-License-Identifier: Apache-2.0
// Byte offsets and fields of the host registers, derived from the generated header; nothing is typed twice.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "sw/hal/gen/ohmac_csr.h"

namespace ohmac::csr {

constexpr uint32_t kIdValue = 0x4F484D43;  // "OHMC"

constexpr uint32_t kId = offsetof(ohmac_csr_t, id);
constexpr uint32_t kVersion = offsetof(ohmac_csr_t, version);
constexpr uint32_t kCapChip = offsetof(ohmac_csr_t, cap_chip);
constexpr uint32_t kCapArray = offsetof(ohmac_csr_t, cap_array);
constexpr uint32_t kCapAdc = offsetof(ohmac_csr_t, cap_adc);
constexpr uint32_t kCapSram = offsetof(ohmac_csr_t, cap_sram);
constexpr uint32_t kCapRepair = offsetof(ohmac_csr_t, cap_repair);
constexpr uint32_t kCtrl = offsetof(ohmac_csr_t, ctrl);
constexpr uint32_t kStatus = offsetof(ohmac_csr_t, status);
constexpr uint32_t kIrqEnable = offsetof(ohmac_csr_t, irq_enable);
constexpr uint32_t kIrqCause = offsetof(ohmac_csr_t, irq_cause);
constexpr uint32_t kDoorbell = offsetof(ohmac_csr_t, doorbell);
constexpr uint32_t kJobAddrLo = offsetof(ohmac_csr_t, job_addr_lo);
constexpr uint32_t kJobAddrHi = offsetof(ohmac_csr_t, job_addr_hi);
constexpr uint32_t kDmaStatus = offsetof(ohmac_csr_t, dma_status);
constexpr uint32_t kDmaErrLo = offsetof(ohmac_csr_t, dma_err_lo);
constexpr uint32_t kDmaErrHi = offsetof(ohmac_csr_t, dma_err_hi);
constexpr uint32_t kOutBaseLo = offsetof(ohmac_csr_t, out_base_lo);
constexpr uint32_t kOutBaseHi = offsetof(ohmac_csr_t, out_base_hi);
constexpr uint32_t kCycleLo = offsetof(ohmac_csr_t, cycle_lo);
constexpr uint32_t kCycleHi = offsetof(ohmac_csr_t, cycle_hi);
constexpr uint32_t kCntSel = offsetof(ohmac_csr_t, cnt_sel);
constexpr uint32_t kCntValue = offsetof(ohmac_csr_t, cnt_value);
constexpr uint32_t kAxiRdBeats = offsetof(ohmac_csr_t, axi_rd_beats);
constexpr uint32_t kAxiWrBeats = offsetof(ohmac_csr_t, axi_wr_beats);
constexpr uint32_t kJobs = offsetof(ohmac_csr_t, jobs);

constexpr uint32_t kMaxWindows = sizeof(ohmac_csr_t::window) / sizeof(window_rf_t);
constexpr uint32_t kMaxTiles = sizeof(ohmac_csr_t::tile) / sizeof(tile_rf_t);

constexpr uint32_t window(uint32_t i) { return offsetof(ohmac_csr_t, window) + i * sizeof(window_rf_t); }
constexpr uint32_t window_base_lo(uint32_t i) { return window(i) + offsetof(window_rf_t, base_lo); }
constexpr uint32_t window_base_hi(uint32_t i) { return window(i) + offsetof(window_rf_t, base_hi); }
constexpr uint32_t window_size(uint32_t i) { return window(i) + offsetof(window_rf_t, size); }
constexpr uint32_t window_attr(uint32_t i) { return window(i) + offsetof(window_rf_t, attr); }
constexpr uint32_t tile(uint32_t i) { return offsetof(ohmac_csr_t, tile) + i * sizeof(tile_rf_t); }
constexpr uint32_t tile_ctrl(uint32_t i) { return tile(i) + offsetof(tile_rf_t, ctrl); }
constexpr uint32_t tile_status(uint32_t i) { return tile(i) + offsetof(tile_rf_t, status); }

constexpr uint32_t kIrqJobDone = OHMAC_CSR__IRQ_CAUSE__JOB_DONE_bm;
constexpr uint32_t kIrqJobError = OHMAC_CSR__IRQ_CAUSE__JOB_ERROR_bm;
constexpr uint32_t kIrqTileHalt = OHMAC_CSR__IRQ_CAUSE__TILE_HALT_bm;
constexpr uint32_t kIrqTileFault = OHMAC_CSR__IRQ_CAUSE__TILE_FAULT_bm;
constexpr uint32_t kIrqAll = kIrqJobDone | kIrqJobError | kIrqTileHalt | kIrqTileFault;

/// Field of a register value: mask and position are the generated `..._bm` and `..._bp`.
constexpr uint32_t get(uint32_t value, uint32_t mask, uint32_t position) { return (value & mask) >> position; }

}  // namespace ohmac::csr
