// SPDX-License-Identifier: Apache-2.0
// Generated from rtl/pkg/isa.toml by rtl/pkg/gen_isa.py; do not edit.
package ohmac_isa_pkg;
  localparam int unsigned IsaVersion = 1;
  localparam int unsigned InstrBits = 64;  // instruction word, little-endian
  localparam int unsigned NumTokens = 16;  // token counters in a tile, and in the DMA
  localparam int unsigned TokenBits = 8;  // bits of one token counter; overflow is a fault
  localparam int unsigned NumAgu = 8;  // address generators in a tile
  localparam int unsigned LoopDepth = 4;  // nested hardware loops
  localparam int unsigned NumScalar = 8;  // scalar registers (loop counts set by firmware)
  localparam int unsigned NumMvmCfg = 4;  // MVM configuration slots
  localparam int unsigned NumVecCfg = 8;  // vector configuration slots
  localparam int unsigned AddrBits = 24;  // byte address on the NoC; bit 23 selects the configuration space
  localparam int unsigned CfgSpaceBit = 23;  // NoC address bit that selects the configuration space
  localparam int unsigned PsumFracBits = 8;  // fraction bits of a psum: it counts 2^-8 of the nominal ADC step
  localparam int unsigned GainFracBits = 14;  // column gain is unsigned Q2.14
  localparam int unsigned DescBytes = 64;  // size of one DMA descriptor
  localparam int unsigned MaxRepeatDesc = 8;  // descriptors that a REPEAT may cover
  localparam int unsigned HostTile = 64;  // destination number of the host (DMA) in SEND

  typedef enum logic [1:0] {
    EngineSeq = 2'd0,
    EngineMvm = 2'd1,
    EngineVec = 2'd2,
    EngineNet = 2'd3
  } engine_e;

  typedef enum logic [5:0] {
    OpNop = 6'd0,
    OpHalt = 6'd1,
    OpLoop = 6'd2,
    OpSetr = 6'd3,
    OpWait = 6'd4,
    OpSignal = 6'd5,
    OpMvm = 6'd8,
    OpVec = 6'd9,
    OpSend = 6'd10,
    OpProg = 6'd11
  } opcode_e;

  // Runs the next `len` instructions `count` times (count 0: skips them). At the end of every iteration of a loop at depth d each AGU adds inc[d].
  typedef struct packed {
    logic [5:0] opcode;
    logic [0:0] use_scalar;
    logic [2:0] scalar;
    logic [9:0] rsvd0;
    logic [11:0] len;
    logic [15:0] rsvd1;
    logic [15:0] count;
  } instr_loop_t;

  // Writes `imm` to configuration word `addr`. Words at or above 0x080 wait until all engines are idle and their queues empty.
  typedef struct packed {
    logic [5:0] opcode;
    logic [9:0] rsvd0;
    logic [15:0] addr;
    logic [31:0] imm;
  } instr_setr_t;

  // Queues on `engine`: blocks it until token >= count, then subtracts count (count >= 1).
  typedef struct packed {
    logic [5:0] opcode;
    logic [1:0] engine;
    logic [3:0] token;
    logic [43:0] rsvd0;
    logic [7:0] count;
  } instr_wait_t;

  // Queues on `engine`: adds count to a token of this tile once all earlier operations of that engine are complete.
  typedef struct packed {
    logic [5:0] opcode;
    logic [1:0] engine;
    logic [3:0] token;
    logic [43:0] rsvd0;
    logic [7:0] count;
  } instr_signal_t;

  // Reads the input vector at src as MVM slot `cfg` says, multiplies, writes int32 psums at dst.
  typedef struct packed {
    logic [5:0] opcode;
    logic [14:0] src;
    logic [14:0] dst;
    logic [25:0] rsvd0;
    logic [1:0] cfg;
  } instr_mvm_t;

  // dst = f(a [+ b]) over the elements of vector slot `cfg`; a and b int32, dst int32 or int8.
  typedef struct packed {
    logic [5:0] opcode;
    logic [14:0] a;
    logic [14:0] b;
    logic [14:0] dst;
    logic [8:0] rsvd0;
    logic [0:0] use_b;
    logic [2:0] cfg;
  } instr_vec_t;

  // Remote write of len bytes (0: token only) to dst of a tile (64 = host); the last flit increments `token` there if token_en.
  typedef struct packed {
    logic [5:0] opcode;
    logic [14:0] src;
    logic [6:0] tile;
    logic [14:0] dst;
    logic [11:0] len;
    logic [0:0] token_en;
    logic [3:0] token;
    logic [3:0] rsvd0;
  } instr_send_t;

  // Queues on MVM: programs row AGU[row_agu].addr by write-verify to the int8 targets at src; psums of the last verify read at dst, one bit a column that failed at fail. Converts as MVM slot `cfg` says.
  typedef struct packed {
    logic [5:0] opcode;
    logic [14:0] src;
    logic [14:0] dst;
    logic [14:0] fail;
    logic [2:0] row_agu;
    logic [7:0] rsvd0;
    logic [1:0] cfg;
  } instr_prog_t;

  // Configuration space: word addresses
  localparam logic [15:0] CfgScalarBase = 16'h000;  // loop count registers
  localparam int unsigned CfgScalarStride = 1;
  localparam logic [15:0] CfgAguBase = 16'h040;  // address generators
  localparam int unsigned CfgAguStride = 8;
  localparam logic [15:0] CfgMvmcfgBase = 16'h080;  // MVM slots
  localparam int unsigned CfgMvmcfgStride = 8;
  localparam logic [15:0] CfgVeccfgBase = 16'h0C0;  // vector slots
  localparam int unsigned CfgVeccfgStride = 4;
  localparam logic [15:0] CfgTimingBase = 16'h100;  // analog phase timing
  localparam int unsigned CfgTimingStride = 1;
  localparam logic [15:0] CfgTrapBase = 16'h108;  // what stops a tile besides errors of its program
  localparam int unsigned CfgTrapStride = 1;
  localparam logic [15:0] CfgProgBase = 16'h110;  // write-verify
  localparam int unsigned CfgProgStride = 4;
  localparam logic [15:0] CfgRepairBase = 16'h180;  // spare column of each lane
  localparam int unsigned CfgRepairStride = 1;
  localparam logic [15:0] CfgCalBase = 16'h200;  // gain and offset of each physical column
  localparam int unsigned CfgCalStride = 1;
  localparam int unsigned AguAddrWord = 0, AguAddrLsb = 0, AguAddrBits = 24;  // byte address
  localparam int unsigned AguInc0Word = 1, AguInc0Lsb = 0, AguInc0Bits = 24;  // signed increment, outermost loop
  localparam int unsigned AguInc1Word = 2, AguInc1Lsb = 0, AguInc1Bits = 24;  // signed increment, depth 1
  localparam int unsigned AguInc2Word = 3, AguInc2Lsb = 0, AguInc2Bits = 24;  // signed increment, depth 2
  localparam int unsigned AguInc3Word = 4, AguInc3Lsb = 0, AguInc3Bits = 24;  // signed increment, depth 3
  localparam int unsigned AguWrapBaseWord = 5, AguWrapBaseLsb = 0, AguWrapBaseBits = 24;  // first byte of the circular window
  localparam int unsigned AguWrapLenWord = 6, AguWrapLenLsb = 0, AguWrapLenBits = 24;  // bytes of the circular window, 0 = no wrap
  localparam int unsigned MvmcfgKWord = 0, MvmcfgKLsb = 0, MvmcfgKBits = 10;  // input vector length = rows driven, 1..Rows
  localparam int unsigned MvmcfgRowBaseWord = 0, MvmcfgRowBaseLsb = 16, MvmcfgRowBaseBits = 10;  // first physical row, multiple of 4; Rows selects the reference row
  localparam int unsigned MvmcfgSegLenWord = 1, MvmcfgSegLenLsb = 0, MvmcfgSegLenBits = 12;  // bytes of one contiguous segment
  localparam int unsigned MvmcfgNSegWord = 1, MvmcfgNSegLsb = 16, MvmcfgNSegBits = 8;  // segments; N_SEG * SEG_LEN must equal K
  localparam int unsigned MvmcfgSegStrideWord = 2, MvmcfgSegStrideLsb = 0, MvmcfgSegStrideBits = 24;  // signed bytes between segment starts
  localparam int unsigned MvmcfgPadTopWord = 3, MvmcfgPadTopLsb = 0, MvmcfgPadTopBits = 8;  // leading segments that read PAD_VALUE
  localparam int unsigned MvmcfgPadBottomWord = 3, MvmcfgPadBottomLsb = 8, MvmcfgPadBottomBits = 8;  // trailing segments that read PAD_VALUE
  localparam int unsigned MvmcfgPadLeftWord = 3, MvmcfgPadLeftLsb = 16, MvmcfgPadLeftBits = 8;  // leading bytes of each segment that read PAD_VALUE
  localparam int unsigned MvmcfgPadRightWord = 3, MvmcfgPadRightLsb = 24, MvmcfgPadRightBits = 8;  // trailing bytes of each segment that read PAD_VALUE
  localparam int unsigned MvmcfgPadValueWord = 4, MvmcfgPadValueLsb = 0, MvmcfgPadValueBits = 8;  // int8 pad value
  localparam int unsigned MvmcfgInSliceWord = 4, MvmcfgInSliceLsb = 8, MvmcfgInSliceBits = 2;  // input magnitude bits a phase: 0 = 7, 1 = 4, 2 = 2, 3 = 1
  localparam int unsigned MvmcfgWSlicesWord = 4, MvmcfgWSlicesLsb = 10, MvmcfgWSlicesBits = 2;  // columns a weight: 0 = 1 (7 bits), 1 = 2 (4+3), 2 = 4 (2+2+2+1)
  localparam int unsigned MvmcfgAdcBitsWord = 4, MvmcfgAdcBitsLsb = 12, MvmcfgAdcBitsBits = 4;  // 4..8
  localparam int unsigned MvmcfgRangeWord = 4, MvmcfgRangeLsb = 16, MvmcfgRangeBits = 4;  // ADC step = 2^RANGE products of unit input and unit cell
  localparam int unsigned MvmcfgGroupRowsWord = 5, MvmcfgGroupRowsLsb = 0, MvmcfgGroupRowsBits = 10;  // rows driven together, multiple of 4 (or >= K for one group)
  localparam int unsigned MvmcfgMuxFirstWord = 5, MvmcfgMuxFirstLsb = 16, MvmcfgMuxFirstBits = 6;  // first column block; physical column = block * Lanes + lane
  localparam int unsigned MvmcfgMuxCountWord = 5, MvmcfgMuxCountLsb = 24, MvmcfgMuxCountBits = 6;  // column blocks converted, >= 1
  localparam int unsigned VeccfgLenWord = 0, VeccfgLenLsb = 0, VeccfgLenBits = 12;  // elements, 1..4095
  localparam int unsigned VeccfgRequantWord = 0, VeccfgRequantLsb = 16, VeccfgRequantBits = 1;  // 1: int8 out = sat127(rne(x * MULT >> SHIFT)); 0: int32 out
  localparam int unsigned VeccfgReluWord = 0, VeccfgReluLsb = 17, VeccfgReluBits = 1;  // max(x, 0) before requantisation
  localparam int unsigned VeccfgMultWord = 1, VeccfgMultLsb = 0, VeccfgMultBits = 31;  // unsigned multiplier
  localparam int unsigned VeccfgShiftWord = 2, VeccfgShiftLsb = 0, VeccfgShiftBits = 6;  // 0..62
  localparam int unsigned TimingSettleWord = 0, TimingSettleLsb = 0, TimingSettleBits = 8;  // cycles from drive to the start of integration, >= 1 (reset 4)
  localparam int unsigned TimingIntegWord = 0, TimingIntegLsb = 8, TimingIntegBits = 8;  // cycles of integration, >= 1 (reset 32)
  localparam int unsigned TrapWatchdogWord = 0, TrapWatchdogLsb = 0, TrapWatchdogBits = 16;  // a running tile without any event for this many times 256 cycles stops with WATCHDOG; 0: never (reset 0)
  localparam int unsigned TrapOverflowWord = 0, TrapOverflowLsb = 16, TrapOverflowBits = 1;  // 1: a saturated column accumulator, psum or vector sum is a fault (reset 1); it is counted either way
  localparam int unsigned ProgToleranceWord = 0, ProgToleranceLsb = 0, ProgToleranceBits = 16;  // largest accepted |psum - (target << 8)|, 2^-8 of an ADC step
  localparam int unsigned ProgLimitWord = 0, ProgLimitLsb = 16, ProgLimitBits = 8;  // verify reads of a row at most, >= 1
  localparam int unsigned ProgAmpFirstWord = 1, ProgAmpFirstLsb = 0, ProgAmpFirstBits = 4;  // pulse amplitude of the first iteration
  localparam int unsigned ProgAmpLastWord = 1, ProgAmpLastLsb = 4, ProgAmpLastBits = 4;  // amplitude that later iterations move to, one step at a time
  localparam int unsigned ProgAmpEveryWord = 1, ProgAmpEveryLsb = 8, ProgAmpEveryBits = 8;  // iterations between two amplitude steps; 0: AMP_FIRST throughout
  localparam int unsigned ProgPulseWord = 1, ProgPulseLsb = 16, ProgPulseBits = 8;  // pulse width, cycles, >= 1
  localparam int unsigned ProgVerifyXWord = 2, ProgVerifyXLsb = 0, ProgVerifyXBits = 7;  // magnitude driven on the row in a verify read (positive), 1..127
  localparam int unsigned RepairBlockWord = 0, RepairBlockLsb = 0, RepairBlockBits = 6;  // column block of this lane that the lane's spare column replaces
  localparam int unsigned RepairEnWord = 0, RepairEnLsb = 8, RepairEnBits = 1;  // 1: replaced (reset 0)
  localparam int unsigned CalGainWord = 0, CalGainLsb = 0, CalGainBits = 16;  // unsigned Q2.14
  localparam int unsigned CalOffsetWord = 0, CalOffsetLsb = 16, CalOffsetBits = 16;  // signed, 2^-8 of the nominal step, added once per unit of shift sum

  // Event counters
  localparam int unsigned CntInstr = 0;  // instructions issued
  localparam int unsigned CntMvmOps = 1;  // MVM operations finished
  localparam int unsigned CntDrives = 2;  // phases driven
  localparam int unsigned CntConversions = 3;  // SAR conversions (lanes x column blocks)
  localparam int unsigned CntTrials = 4;  // comparator trials (conversions x bits)
  localparam int unsigned CntClips = 5;  // conversions that ended at the lowest or highest code
  localparam int unsigned CntRowWords = 6;  // 32-bit words written to the row latches
  localparam int unsigned CntVecLines = 7;  // vector unit steps of 8 elements
  localparam int unsigned CntSats = 8;  // saturated column accumulators, psums and vector sums
  localparam int unsigned CntFlitsOut = 9;  // flits sent to the NoC
  localparam int unsigned CntFlitsIn = 10;  // flits received from the NoC
  localparam int unsigned CntSramRd = 11;  // 32-byte lines read by engines (not instruction fetch)
  localparam int unsigned CntSramWr = 12;  // lines written by engines and NoC (whole or part)
  localparam int unsigned CntAdcBusy = 13;  // cycles with a conversion in progress
  localparam int unsigned CntActive = 14;  // cycles with the tile clock running
  localparam int unsigned CntProgReads = 15;  // verify reads of PROG
  localparam int unsigned CntPulses = 16;  // device pulses: columns of the mask, summed over pulses
  localparam int unsigned CntProgFails = 17;  // columns that PROG left outside the tolerance
  localparam int unsigned NumCounters = 18;

  typedef enum logic [7:0] {
    FaultNone = 8'd0,
    FaultIllegalInstr = 8'd1,
    FaultAddress = 8'd2,
    FaultLoop = 8'd3,
    FaultTokenOverflow = 8'd4,
    FaultConfig = 8'd5,
    FaultWatchdog = 8'd6,
    FaultSramParity = 8'd7,
    FaultOverflow = 8'd8,
    FaultStopped = 8'd9
  } fault_e;

  // DMA descriptor
  localparam int unsigned DescOpLsb = 0, DescOpBits = 8;  // operation
  localparam int unsigned DescTileLsb = 8, DescTileBits = 6;  // tile number
  localparam int unsigned DescLenLsb = 32, DescLenBits = 24;  // bytes, 1..2^24-1 (REPEAT: iterations)
  localparam int unsigned DescMemLoLsb = 64, DescMemLoBits = 32;  // memory address, 16-byte aligned
  localparam int unsigned DescMemHiLsb = 96, DescMemHiBits = 32;  // memory address, upper half
  localparam int unsigned DescTileAddrLsb = 128, DescTileAddrBits = 24;  // tile byte address, 16-byte aligned (START: program counter in instructions)
  localparam int unsigned DescMemStrideLsb = 160, DescMemStrideBits = 32;  // signed bytes added to the memory address each iteration of a REPEAT
  localparam int unsigned DescTileStrideLsb = 192, DescTileStrideBits = 24;  // bytes added to the tile address each iteration
  localparam int unsigned DescTileSlotsLsb = 224, DescTileSlotsBits = 8;  // iterations after which the tile address returns to TILE_ADDR; 0: never
  localparam int unsigned DescWaitEnLsb = 256, DescWaitEnBits = 1;  // wait for a DMA token before this descriptor
  localparam int unsigned DescWaitTokenLsb = 260, DescWaitTokenBits = 4;
  localparam int unsigned DescWaitCountLsb = 264, DescWaitCountBits = 8;  // subtracted when reached
  localparam int unsigned DescSigEnLsb = 272, DescSigEnBits = 1;  // the last flit increments a token of the tile
  localparam int unsigned DescSigTokenLsb = 276, DescSigTokenBits = 4;
  localparam int unsigned DescMaskLoLsb = 288, DescMaskLoBits = 32;  // START: tiles 0..31
  localparam int unsigned DescMaskHiLsb = 320, DescMaskHiBits = 32;  // START: tiles 32..63
  localparam int unsigned DescRepeatDescLsb = 352, DescRepeatDescBits = 4;  // REPEAT: number of descriptors that follow and are repeated, 1..8

  typedef enum logic [7:0] {
    DmaEnd = 8'd0,
    DmaM2t = 8'd1,
    DmaT2m = 8'd2,
    DmaStart = 8'd3,
    DmaWait = 8'd4,
    DmaRepeat = 8'd5
  } dma_op_e;

  typedef enum logic [7:0] {
    DmaErrNone = 8'd0,
    DmaErrWindow = 8'd1,
    DmaErrAxiRead = 8'd2,
    DmaErrAxiWrite = 8'd3,
    DmaErrDescriptor = 8'd4,
    DmaErrToken = 8'd5
  } dma_err_e;
endpackage
