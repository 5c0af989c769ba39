"""Toggles of a simulation (SAIF of Verilator) as activities of the flops and ports of a mapped netlist."""

import re
from typing import NamedTuple


class Toggles(NamedTuple):
    count: int  # transitions
    duty: float  # share of the time at 1


_LINE = re.compile(r"\((\S+) \(T0 (\d+)\) \(T1 (\d+)\) \(TZ \d+\) \(TX \d+\) \(TB \d+\) \(TC (\d+)\)\)")


def read_saif(path, below):
    """{scope/.../signal[bit]: Toggles} of everything below the scope `below` (a/b/c), names relative to it."""
    scopes, found = [], {}
    wanted = below.split("/")
    n = len(wanted)
    with open(path) as f:
        for line in f:
            line = line.strip()
            if line.startswith("(INSTANCE "):
                scopes.append(line[10:].strip())
            elif line.startswith("(NET") or line.startswith("(SAIFILE"):
                scopes.append(None)
            elif line == ")":
                if scopes:
                    scopes.pop()
            elif scopes and line.startswith("("):
                path_now = [s for s in scopes if s]
                if path_now[:n] != wanted:
                    continue
                m = _LINE.match(line)
                if m:
                    name = "/".join(path_now[n:] + [m[1].replace("\\", "")])
                    t0, t1 = int(m[2]), int(m[3])
                    found[name] = Toggles(int(m[4]), t1 / (t0 + t1) if t0 + t1 else 0.0)
    return found


def key(path, signal):
    """Name of a netlist signal as read_saif has it: generate blocks are scopes there."""
    return "/".join(p for p in (path.replace(".", "/"), signal.replace(".", "/")) if p)
