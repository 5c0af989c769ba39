"""Runs a Yosys script (pyosys wheel) in a process of its own; its log is a file; errors and warnings come back as text."""

import pathlib
import re
import subprocess
import sys

from design import ROOT, FlowError

# Warnings that are expected, each with its reason. Anything else fails.
EXPECTED = [
    # Memories mapped to flops (FIFOs, instruction buffers) are what is wanted; large ones are macros (design.MEMORIES).
    re.compile(r"Replacing memory \S+ with list of registers"),
    # The technology mapper says it of each multiplier whose constant operand leaves one partial product.
    re.compile(r"ABC: .*"),
]

_WORKER = "import sys; from pyosys import libyosys as ys; d = ys.Design(); ys.run_pass('script ' + sys.argv[1], d)"


def run(name, commands, folder):
    """Runs `commands` in the root of the project; FOLDER/NAME.ys and NAME.log stay. Raises on errors and unexpected warnings."""
    folder = pathlib.Path(folder)
    script, log = folder / f"{name}.ys", folder / f"{name}.log"
    script.write_text("\n".join(commands) + "\n")
    with open(log, "w") as f:
        code = subprocess.run([sys.executable, "-c", _WORKER, str(script)], stdout=f, stderr=subprocess.STDOUT, cwd=ROOT).returncode
    text = log.read_text(errors="replace")
    errors = [line for line in text.splitlines() if re.search(r"\bERROR\b|Assertion failed|^terminate|: error:", line)]
    if code or errors:
        raise FlowError(f"Yosys: {errors[0] if errors else f'exit code {code}'}\n  log: {log}")
    warnings = [line for line in text.splitlines() if re.search(r"\bWarning: |: warning:", line)]
    unexpected = [w for w in warnings if not any(e.search(w) for e in EXPECTED)]
    if unexpected:
        more = f"\n  and {len(unexpected) - 1} more" if len(unexpected) > 1 else ""
        raise FlowError(f"Yosys warns, which fails the flow (constraints/flow/yosys.py lists what is expected):\n  {unexpected[0]}{more}\n  log: {log}")
    return text
