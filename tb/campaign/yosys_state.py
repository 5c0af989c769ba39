#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""yosys_state.py YOSYS SOURCE_DIR STATE.h FILE.sv... -- Name=value...: an independent count of the state of the chip.

Yosys reads the same files with its own front end; the bits of its flops and memories must be as many as state.py lists
(kStateBits in STATE.h).
"""
import json
import pathlib
import re
import subprocess
import sys

from state import CHECKERS


def main(yosys, root, header, *rest):
    split = rest.index("--")
    # The wheel sees no files outside the folder it runs in.
    files = " ".join(str(pathlib.Path(f).relative_to(root)) for f in rest[:split])
    parameters = " ".join(f"-G {p}" for p in rest[split + 1:])
    blackboxes = " ".join(f"--blackboxed-module {c}" for c in CHECKERS)
    script = f"read_slang --threads 1 --ignore-assertions {blackboxes} --top ohmac_top {parameters} {files}; stat -json -width"
    run = subprocess.run([yosys, "-Q", "-T", "-p", script], cwd=root, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"yosys_state.py: yosys fails\n{run.stderr[-2000:]}")
    stat = json.JSONDecoder().raw_decode(run.stdout[run.stdout.index('{\n   "creator"'):])[0]
    flops = memory = 0
    for module in stat["modules"].values():
        memory += module["num_memory_bits"]
        for kind, count in module["num_cells_by_type"].items():
            if "dff" in kind:
                flops += count * int(re.search(r"_(\d+)$", kind)[1])
    listed = int(re.search(r"kStateBits = (\d+)", pathlib.Path(header).read_text())[1])
    print(f"Yosys: {flops} bits in flops, {memory} in memories; listed: {listed}")
    if flops + memory != listed:
        sys.exit("yosys_state.py: the campaign does not list what Yosys finds; look at tb/campaign/state.py")


main(*sys.argv[1:])
