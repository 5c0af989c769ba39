// SPDX-License-Identifier: Apache-2.0
// Generated from rtl/pkg/isa.toml by rtl/pkg/gen_isa.py; do not edit.
#pragma once
#include <stdint.h>

namespace ohmac::isa {
constexpr uint32_t kVersion = 1;
constexpr uint32_t kInstrBits = 64;  // instruction word, little-endian
constexpr uint32_t kNumTokens = 16;  // token counters in a tile, and in the DMA
constexpr uint32_t kTokenBits = 8;  // bits of one token counter; overflow is a fault
constexpr uint32_t kNumAgu = 8;  // address generators in a tile
constexpr uint32_t kLoopDepth = 4;  // nested hardware loops
constexpr uint32_t kNumScalar = 8;  // scalar registers (loop counts set by firmware)
constexpr uint32_t kNumMvmCfg = 4;  // MVM configuration slots
constexpr uint32_t kNumVecCfg = 8;  // vector configuration slots
constexpr uint32_t kAddrBits = 24;  // byte address on the NoC; bit 23 selects the configuration space
constexpr uint32_t kCfgSpaceBit = 23;  // NoC address bit that selects the configuration space
constexpr uint32_t kPsumFracBits = 8;  // fraction bits of a psum: it counts 2^-8 of the nominal ADC step
constexpr uint32_t kGainFracBits = 14;  // column gain is unsigned Q2.14
constexpr uint32_t kDescBytes = 64;  // size of one DMA descriptor
constexpr uint32_t kMaxRepeatDesc = 8;  // descriptors that a REPEAT may cover
constexpr uint32_t kHostTile = 64;  // destination number of the host (DMA) in SEND

/// Bits [msb:lsb] of a 32-bit word or of a 64-bit instruction.
struct Field {
  uint32_t word, lsb, bits;
  constexpr uint64_t mask() const { return (uint64_t{1} << bits) - 1; }
  constexpr uint64_t put(uint64_t v) const { return (v & mask()) << lsb; }
  constexpr uint64_t get(uint64_t w) const { return (w >> lsb) & mask(); }
  constexpr int64_t get_signed(uint64_t w) const {
    const uint64_t v = get(w), sign = uint64_t{1} << (bits - 1);
    return static_cast<int64_t>(v ^ sign) - static_cast<int64_t>(sign);
  }
};

enum class Engine : uint8_t { kSeq = 0, kMvm = 1, kVec = 2, kNet = 3 };
enum class Op : uint8_t { kNop = 0, kHalt = 1, kLoop = 2, kSetr = 3, kWait = 4, kSignal = 5, kMvm = 8, kVec = 9, kSend = 10, kProg = 11 };
constexpr Field kOpcode{0, 58, 6};
/// Does nothing for one cycle.
namespace nop {
constexpr uint64_t make() { return kOpcode.put(0); }
}  // namespace nop
/// Waits until every queue is empty and every engine idle, then stops the sequencer.
namespace halt {
constexpr uint64_t make() { return kOpcode.put(1); }
}  // namespace halt
/// Runs the next `len` instructions `count` times (count 0: skips them). At the end of every iteration of a loop at depth d each AGU adds inc[d].
namespace loop {
constexpr Field use_scalar{0, 57, 1};
constexpr Field scalar{0, 54, 3};
constexpr Field len{0, 32, 12};
constexpr Field count{0, 0, 16};
constexpr uint64_t make(uint64_t use_scalar_v, uint64_t scalar_v, uint64_t len_v, uint64_t count_v) { return kOpcode.put(2) | use_scalar.put(use_scalar_v) | scalar.put(scalar_v) | len.put(len_v) | count.put(count_v); }
}  // namespace loop
/// Writes `imm` to configuration word `addr`. Words at or above 0x080 wait until all engines are idle and their queues empty.
namespace setr {
constexpr Field addr{0, 32, 16};
constexpr Field imm{0, 0, 32};
constexpr uint64_t make(uint64_t addr_v, uint64_t imm_v) { return kOpcode.put(3) | addr.put(addr_v) | imm.put(imm_v); }
}  // namespace setr
/// Queues on `engine`: blocks it until token >= count, then subtracts count (count >= 1).
namespace wait {
constexpr Field engine{0, 56, 2};
constexpr Field token{0, 52, 4};
constexpr Field count{0, 0, 8};
constexpr uint64_t make(uint64_t engine_v, uint64_t token_v, uint64_t count_v) { return kOpcode.put(4) | engine.put(engine_v) | token.put(token_v) | count.put(count_v); }
}  // namespace wait
/// Queues on `engine`: adds count to a token of this tile once all earlier operations of that engine are complete.
namespace signal {
constexpr Field engine{0, 56, 2};
constexpr Field token{0, 52, 4};
constexpr Field count{0, 0, 8};
constexpr uint64_t make(uint64_t engine_v, uint64_t token_v, uint64_t count_v) { return kOpcode.put(5) | engine.put(engine_v) | token.put(token_v) | count.put(count_v); }
}  // namespace signal
/// Reads the input vector at src as MVM slot `cfg` says, multiplies, writes int32 psums at dst.
namespace mvm {
constexpr Field src{0, 43, 15};
constexpr Field dst{0, 28, 15};
constexpr Field cfg{0, 0, 2};
constexpr uint64_t make(uint64_t src_v, uint64_t dst_v, uint64_t cfg_v) { return kOpcode.put(8) | src.put(src_v) | dst.put(dst_v) | cfg.put(cfg_v); }
}  // namespace mvm
/// dst = f(a [+ b]) over the elements of vector slot `cfg`; a and b int32, dst int32 or int8.
namespace vec {
constexpr Field a{0, 43, 15};
constexpr Field b{0, 28, 15};
constexpr Field dst{0, 13, 15};
constexpr Field use_b{0, 3, 1};
constexpr Field cfg{0, 0, 3};
constexpr uint64_t make(uint64_t a_v, uint64_t b_v, uint64_t dst_v, uint64_t use_b_v, uint64_t cfg_v) { return kOpcode.put(9) | a.put(a_v) | b.put(b_v) | dst.put(dst_v) | use_b.put(use_b_v) | cfg.put(cfg_v); }
}  // namespace vec
/// Remote write of len bytes (0: token only) to dst of a tile (64 = host); the last flit increments `token` there if token_en.
namespace send {
constexpr Field src{0, 43, 15};
constexpr Field tile{0, 36, 7};
constexpr Field dst{0, 21, 15};
constexpr Field len{0, 9, 12};
constexpr Field token_en{0, 8, 1};
constexpr Field token{0, 4, 4};
constexpr uint64_t make(uint64_t src_v, uint64_t tile_v, uint64_t dst_v, uint64_t len_v, uint64_t token_en_v, uint64_t token_v) { return kOpcode.put(10) | src.put(src_v) | tile.put(tile_v) | dst.put(dst_v) | len.put(len_v) | token_en.put(token_en_v) | token.put(token_v); }
}  // namespace send
/// Queues on MVM: programs row AGU[row_agu].addr by write-verify to the int8 targets at src; psums of the last verify read at dst, one bit a column that failed at fail. Converts as MVM slot `cfg` says.
namespace prog {
constexpr Field src{0, 43, 15};
constexpr Field dst{0, 28, 15};
constexpr Field fail{0, 13, 15};
constexpr Field row_agu{0, 10, 3};
constexpr Field cfg{0, 0, 2};
constexpr uint64_t make(uint64_t src_v, uint64_t dst_v, uint64_t fail_v, uint64_t row_agu_v, uint64_t cfg_v) { return kOpcode.put(11) | src.put(src_v) | dst.put(dst_v) | fail.put(fail_v) | row_agu.put(row_agu_v) | cfg.put(cfg_v); }
}  // namespace prog
/// Operand of MVM, VEC and SEND; offset in units of 16 bytes.
constexpr uint64_t operand(uint32_t agu, uint32_t offset16) { return (uint64_t{agu} & 7) << 12 | (offset16 & 0xFFF); }

namespace cfg {
constexpr uint32_t kScalarBase = 0x000, kScalarStride = 1, kScalarCount = 8;  // loop count registers
constexpr uint32_t kAguBase = 0x040, kAguStride = 8, kAguCount = 8;  // address generators
constexpr uint32_t kMvmcfgBase = 0x080, kMvmcfgStride = 8, kMvmcfgCount = 4;  // MVM slots
constexpr uint32_t kVeccfgBase = 0x0C0, kVeccfgStride = 4, kVeccfgCount = 8;  // vector slots
constexpr uint32_t kTimingBase = 0x100, kTimingStride = 1, kTimingCount = 1;  // analog phase timing
constexpr uint32_t kTrapBase = 0x108, kTrapStride = 1, kTrapCount = 1;  // what stops a tile besides errors of its program
constexpr uint32_t kProgBase = 0x110, kProgStride = 4, kProgCount = 1;  // write-verify
constexpr uint32_t kRepairBase = 0x180, kRepairStride = 1, kRepairCount = 128;  // spare column of each lane
constexpr uint32_t kCalBase = 0x200, kCalStride = 1, kCalCount = 512;  // gain and offset of each physical column
/// NoC byte address of a configuration word.
constexpr uint32_t noc_addr(uint32_t word) { return uint32_t{1} << kCfgSpaceBit | word << 2; }
namespace agu {
constexpr Field addr{0, 0, 24};  // byte address
constexpr Field inc0{1, 0, 24};  // signed increment, outermost loop
constexpr Field inc1{2, 0, 24};  // signed increment, depth 1
constexpr Field inc2{3, 0, 24};  // signed increment, depth 2
constexpr Field inc3{4, 0, 24};  // signed increment, depth 3
constexpr Field wrap_base{5, 0, 24};  // first byte of the circular window
constexpr Field wrap_len{6, 0, 24};  // bytes of the circular window, 0 = no wrap
}  // namespace agu
namespace mvmcfg {
constexpr Field k{0, 0, 10};  // input vector length = rows driven, 1..Rows
constexpr Field row_base{0, 16, 10};  // first physical row, multiple of 4; Rows selects the reference row
constexpr Field seg_len{1, 0, 12};  // bytes of one contiguous segment
constexpr Field n_seg{1, 16, 8};  // segments; N_SEG * SEG_LEN must equal K
constexpr Field seg_stride{2, 0, 24};  // signed bytes between segment starts
constexpr Field pad_top{3, 0, 8};  // leading segments that read PAD_VALUE
constexpr Field pad_bottom{3, 8, 8};  // trailing segments that read PAD_VALUE
constexpr Field pad_left{3, 16, 8};  // leading bytes of each segment that read PAD_VALUE
constexpr Field pad_right{3, 24, 8};  // trailing bytes of each segment that read PAD_VALUE
constexpr Field pad_value{4, 0, 8};  // int8 pad value
constexpr Field in_slice{4, 8, 2};  // input magnitude bits a phase: 0 = 7, 1 = 4, 2 = 2, 3 = 1
constexpr Field w_slices{4, 10, 2};  // columns a weight: 0 = 1 (7 bits), 1 = 2 (4+3), 2 = 4 (2+2+2+1)
constexpr Field adc_bits{4, 12, 4};  // 4..8
constexpr Field range{4, 16, 4};  // ADC step = 2^RANGE products of unit input and unit cell
constexpr Field group_rows{5, 0, 10};  // rows driven together, multiple of 4 (or >= K for one group)
constexpr Field mux_first{5, 16, 6};  // first column block; physical column = block * Lanes + lane
constexpr Field mux_count{5, 24, 6};  // column blocks converted, >= 1
}  // namespace mvmcfg
namespace veccfg {
constexpr Field len{0, 0, 12};  // elements, 1..4095
constexpr Field requant{0, 16, 1};  // 1: int8 out = sat127(rne(x * MULT >> SHIFT)); 0: int32 out
constexpr Field relu{0, 17, 1};  // max(x, 0) before requantisation
constexpr Field mult{1, 0, 31};  // unsigned multiplier
constexpr Field shift{2, 0, 6};  // 0..62
}  // namespace veccfg
namespace timing {
constexpr Field settle{0, 0, 8};  // cycles from drive to the start of integration, >= 1 (reset 4)
constexpr Field integ{0, 8, 8};  // cycles of integration, >= 1 (reset 32)
}  // namespace timing
namespace trap {
constexpr Field watchdog{0, 0, 16};  // a running tile without any event for this many times 256 cycles stops with WATCHDOG; 0: never (reset 0)
constexpr Field overflow{0, 16, 1};  // 1: a saturated column accumulator, psum or vector sum is a fault (reset 1); it is counted either way
}  // namespace trap
namespace prog {
constexpr Field tolerance{0, 0, 16};  // largest accepted |psum - (target << 8)|, 2^-8 of an ADC step
constexpr Field limit{0, 16, 8};  // verify reads of a row at most, >= 1
constexpr Field amp_first{1, 0, 4};  // pulse amplitude of the first iteration
constexpr Field amp_last{1, 4, 4};  // amplitude that later iterations move to, one step at a time
constexpr Field amp_every{1, 8, 8};  // iterations between two amplitude steps; 0: AMP_FIRST throughout
constexpr Field pulse{1, 16, 8};  // pulse width, cycles, >= 1
constexpr Field verify_x{2, 0, 7};  // magnitude driven on the row in a verify read (positive), 1..127
}  // namespace prog
namespace repair {
constexpr Field block{0, 0, 6};  // column block of this lane that the lane's spare column replaces
constexpr Field en{0, 8, 1};  // 1: replaced (reset 0)
}  // namespace repair
namespace cal {
constexpr Field gain{0, 0, 16};  // unsigned Q2.14
constexpr Field offset{0, 16, 16};  // signed, 2^-8 of the nominal step, added once per unit of shift sum
}  // namespace cal
}  // namespace cfg

enum class Counter : uint8_t {
  kInstr = 0,  // instructions issued
  kMvmOps = 1,  // MVM operations finished
  kDrives = 2,  // phases driven
  kConversions = 3,  // SAR conversions (lanes x column blocks)
  kTrials = 4,  // comparator trials (conversions x bits)
  kClips = 5,  // conversions that ended at the lowest or highest code
  kRowWords = 6,  // 32-bit words written to the row latches
  kVecLines = 7,  // vector unit steps of 8 elements
  kSats = 8,  // saturated column accumulators, psums and vector sums
  kFlitsOut = 9,  // flits sent to the NoC
  kFlitsIn = 10,  // flits received from the NoC
  kSramRd = 11,  // 32-byte lines read by engines (not instruction fetch)
  kSramWr = 12,  // lines written by engines and NoC (whole or part)
  kAdcBusy = 13,  // cycles with a conversion in progress
  kActive = 14,  // cycles with the tile clock running
  kProgReads = 15,  // verify reads of PROG
  kPulses = 16,  // device pulses: columns of the mask, summed over pulses
  kProgFails = 17,  // columns that PROG left outside the tolerance
};
struct CounterInfo { const char* name; uint8_t index; bool exact; };
constexpr CounterInfo kCounters[] = {
    {"instr", 0, true},
    {"mvm_ops", 1, true},
    {"drives", 2, true},
    {"conversions", 3, true},
    {"trials", 4, true},
    {"clips", 5, true},
    {"row_words", 6, true},
    {"vec_lines", 7, true},
    {"sats", 8, true},
    {"flits_out", 9, true},
    {"flits_in", 10, true},
    {"sram_rd", 11, true},
    {"sram_wr", 12, true},
    {"adc_busy", 13, true},
    {"active", 14, false},
    {"prog_reads", 15, true},
    {"pulses", 16, true},
    {"prog_fails", 17, true},
};
constexpr uint32_t kNumCounters = 18;
enum class Fault : uint8_t {
  kNone = 0,
  kIllegalInstr = 1,  // unknown opcode or field
  kAddress = 2,  // address outside the SRAM or misaligned
  kLoop = 3,  // loops nested deeper than LoopDepth, or an inner loop that ends after its outer one
  kTokenOverflow = 4,  // a token counter passed its maximum
  kConfig = 5,  // an MVM, vector, timing, PROG or REPAIR word with an illegal value
  kWatchdog = 6,  // no event for longer than TRAP.WATCHDOG allows: tokens are in deadlock, or data never came
  kSramParity = 7,  // a byte read from the SRAM does not match its parity bit
  kOverflow = 8,  // a column accumulator, psum or vector sum saturated (TRAP.OVERFLOW)
  kStopped = 9,  // stopped by the host (tile.ctrl.stop)
};
enum class DmaOp : uint8_t {
  kEnd = 0,  // drains all writes, then job done
  kM2t = 1,  // memory to tile SRAM or configuration space
  kT2m = 2,  // tile SRAM to memory
  kStart = 3,  // starts the tiles of the mask at TILE_ADDR
  kWait = 4,  // only the token wait
  kRepeat = 5,  // repeats the next REPEAT_DESC descriptors (M2T, T2M, WAIT only) LEN times
};
enum class DmaError : uint8_t {
  kNone = 0,
  kWindow = 1,  // address outside every open window, or no right for the direction
  kAxiRead = 2,  // SLVERR or DECERR on a read
  kAxiWrite = 3,  // SLVERR or DECERR on a write
  kDescriptor = 4,  // unknown operation, zero length, misaligned address, tile that does not exist
  kToken = 5,  // a DMA token counter passed its maximum
};
namespace desc {
constexpr Field op{0, 0, 8};  // operation
constexpr Field tile{0, 8, 6};  // tile number
constexpr Field len{1, 0, 24};  // bytes, 1..2^24-1 (REPEAT: iterations)
constexpr Field mem_lo{2, 0, 32};  // memory address, 16-byte aligned
constexpr Field mem_hi{3, 0, 32};  // memory address, upper half
constexpr Field tile_addr{4, 0, 24};  // tile byte address, 16-byte aligned (START: program counter in instructions)
constexpr Field mem_stride{5, 0, 32};  // signed bytes added to the memory address each iteration of a REPEAT
constexpr Field tile_stride{6, 0, 24};  // bytes added to the tile address each iteration
constexpr Field tile_slots{7, 0, 8};  // iterations after which the tile address returns to TILE_ADDR; 0: never
constexpr Field wait_en{8, 0, 1};  // wait for a DMA token before this descriptor
constexpr Field wait_token{8, 4, 4};
constexpr Field wait_count{8, 8, 8};  // subtracted when reached
constexpr Field sig_en{8, 16, 1};  // the last flit increments a token of the tile
constexpr Field sig_token{8, 20, 4};
constexpr Field mask_lo{9, 0, 32};  // START: tiles 0..31
constexpr Field mask_hi{10, 0, 32};  // START: tiles 32..63
constexpr Field repeat_desc{11, 0, 4};  // REPEAT: number of descriptors that follow and are repeated, 1..8
}  // namespace desc
}  // namespace ohmac::isa
