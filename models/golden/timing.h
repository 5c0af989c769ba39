// SPDX-License-Identifier: Apache-2.0
// Latencies of the golden machine, in clock cycles. Everything that is a rule of the architecture (ADC periods, issue
// rule, rates) is code; what depends on how many registers the RTL has is a constant here, so that calibration touches
// one file.
#pragma once
#include <cstdint>

namespace ohmac::golden {

using Tick = uint64_t;  ///< clock cycles since reset
constexpr Tick kNever = ~Tick{0};

namespace timing {
// Sequencer
constexpr Tick kStart = 6;  ///< start_i -> first instruction issues
constexpr Tick kQueue = 2;  ///< executed -> visible at the queue head
constexpr Tick kJump =
    1;  ///< jump out of the two line buffers: what the prefetch of the loop's first line leaves of the refill
constexpr Tick kLoopEnd = 1;  ///< each further loop that ends at the same instruction
constexpr Tick kWait = 2;     ///< WAIT taken with its token there -> next item
constexpr Tick kGrant = 1;    ///< token visible to a blocked WAIT -> next item
constexpr Tick kItem = 1;     ///< SIGNAL in the MVM queue -> next item
constexpr Tick kHalt = 2;     ///< all idle -> halted
// MVM engine
constexpr Tick kFetch = 2;        ///< item taken -> address of its first segment; then one cycle a segment and a chunk
constexpr Tick kSegment = 1;      ///< start of a segment
constexpr Tick kStage = 3;        ///< last chunk's address -> vector staged
constexpr Tick kLoad = 2;         ///< start of a load -> first row word; the next load starts when the last word is in
constexpr Tick kDrive = 1;        ///< bank loaded -> drive
constexpr Tick kDriveGap = 1;     ///< rows at rest between two drives
constexpr Tick kPost = 2;         ///< end of the last conversion -> first columns read
constexpr Tick kRelease = 2;      ///< last columns read -> a drive may claim the accumulator bank
constexpr Tick kPostPipe = 7;     ///< last columns read -> their line written, SIGNAL visible
constexpr Tick kMvmSignal = 2;    ///< SIGNAL taken by an idle engine -> token visible
constexpr Tick kSettleTrial = 1;  ///< mux settle cycle of a conversion, before its trials
// PROG
constexpr Tick kProg = 1;       ///< pipe empty -> first verify loads its row word
constexpr Tick kCompare = 5;    ///< last columns of a verify read -> compared
constexpr Tick kPulse = 1;      ///< of a pulse, besides its mask words and its width
constexpr Tick kVerify = 2;     ///< last pulse -> next verify loads its row word
constexpr Tick kProgEnd = 3;    ///< compared -> next item, besides the fail lines
constexpr Tick kFailLine = 34;  ///< fail bits of 256 columns, 8 a cycle, and their write
// Vector unit
constexpr Tick kVec = 4;        ///< item taken -> first step; and between the steps of two operations
constexpr Tick kVecPipe = 6;    ///< last step -> line written
constexpr Tick kVecSignal = 8;  ///< SIGNAL taken -> through the pipeline, token visible
constexpr Tick kVecItem = 2;    ///< SIGNAL taken -> next item (vector unit, NET engine)
// NoC port of a tile
constexpr Tick kSend = 3;         ///< item taken -> first flit at the router
constexpr Tick kSendGap = 3;      ///< last flit of a SEND -> next item
constexpr Tick kNetSignal = 2;    ///< SIGNAL taken -> token visible
constexpr Tick kReceive = 3;      ///< flit at the local port -> written (one cycle in the line register), token visible
constexpr Tick kConfigWords = 4;  ///< cycles of the local port for a flit of configuration words
// NoC
constexpr Tick kHop = 1;   ///< cycles a router
constexpr Tick kFifo = 9;  ///< flits on the way into a slow tile: FIFOs of DMA, router and receive
// DMA and memory
constexpr Tick kDoorbell = 2;          ///< CSR write -> first descriptor address
constexpr Tick kDecode = 5;            ///< descriptor in -> operation
constexpr Tick kNext = 1;              ///< operation -> fetch of the next descriptor
constexpr Tick kTable = 5;             ///< operation -> the next operation, in a REPEAT
constexpr Tick kDrain = 2;             ///< END -> done, nothing in flight
constexpr Tick kStartOrder = 2;        ///< START -> first fence or start
constexpr Tick kReadOrder = 2;         ///< T2M -> FlitRead
constexpr Tick kNote = 6;              ///< flit without data at the write side -> its token or end of read
constexpr Tick kDmaToken = 2;          ///< note out of the write side -> a waiting descriptor goes on
constexpr Tick kWriteBurst = 1;        ///< between two write bursts
constexpr Tick kMemRead = 20;          ///< AR -> first data beat (of the memory, not of the chip)
constexpr Tick kMemWrite = 15;         ///< flit at the write side -> B of its burst: coalescer, AW, memory (10)
constexpr Tick kReadToNoc = 0;         ///< data beat -> flit at the host port
constexpr Tick kHostReceive = 2;       ///< flit at the host port -> W beat
constexpr Tick kCoalesce = 16;         ///< flush of an incomplete write burst without a token
constexpr Tick kHandOver = 1;          ///< M2T: its last burst is with the read side -> next descriptor
constexpr Tick kArIssue = 3;           ///< cycles a read burst takes to issue
constexpr Tick kOutstandingReads = 4;  ///< read bursts in flight
constexpr Tick kCsrAccess = 4;         ///< AXI4-Lite access
}  // namespace timing
}  // namespace ohmac::golden
