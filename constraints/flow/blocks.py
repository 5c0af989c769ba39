"""Blocks of the chip for reports and cost tables: which instances belong to one, and what its work is counted by."""

import re

import design

# block: (pattern of instance paths of a tile, counter of rtl/pkg/ISA.md whose events its data energy is shared out over). First match wins.
TILE = {
    "sequencer": (r"u_seq(/.*)?", "INSTR"),
    "queues": (r"u_(mvm|vec|net)_queue(/.*)?", "INSTR"),
    "tokens": (r"(u_tokens|u_watchdog)(/.*)?", "INSTR"),
    "configuration": (r"u_cfg(/.*)?", "INSTR"),
    "counters": (r"u_counters(/.*)?", "CONVERSIONS"),
    "sram_crossbar": (r"u_xbar(/.*)?", "SRAM_WR"),
    "mvm_fetch": (r"u_mvm/u_fetch(/.*)?", "ROW_WORDS"),
    "mvm_phase": (r"u_mvm/u_phase(/.*)?|u_mvm", "ROW_WORDS"),
    "sar_logic": (r"u_mvm/u_adc/u_sar(/.*)?", "TRIALS"),
    "accumulators": (r"u_mvm/u_adc(/.*)?", "CONVERSIONS"),
    "post": (r"u_mvm/u_post(/.*)?", "CONVERSIONS"),
    "programming_logic": (r"u_mvm/u_prog(/.*)?", "PROG_READS"),
    "vector": (r"u_vec(/.*)?", "VEC_LINES"),
    "noc_receive": (r"u_rx(/.*)?", "FLITS_IN"),
    "noc_send": (r"u_tx(/.*)?", "FLITS_OUT"),
    "tile_top": (r"", "INSTR"),
}
CHIP = {
    "router": (r"u_mesh(/.*)?", "FLIT_HOPS"),
    "dma": (r"u_dma(/.*)?", "FLITS_IN"),
    "registers": (r"u_csr(/.*)?", "FLITS_IN"),
    "chip_top": (r"|gen_tile.*", "FLITS_IN"),
}
SRAM = "sram"  # the banks of a tile; register files belong to the block that holds them


def block_of(path, table):
    """Block of an instance path of a module."""
    for name, (pattern, _) in table.items():
        if re.fullmatch(pattern, path):
            return name
    raise design.FlowError(f"no block for instance {path}: add it to constraints/flow/blocks.py")
