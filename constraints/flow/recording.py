"""A recorded simulation (VCD of Verilator): what chosen signals were at the end of each cycle."""

import re

import numpy as np

import design

_SCALAR = re.compile(r"^([01xz])(\S+)$")


class Recording:
    """Signals below `scope` (A.B.C), named scope/.../signal relative to it; generate blocks are scopes.

    bits(name) is {index: packed array} of its bits, as declared; each is `cycles` long; `clocked`: packed, whether the clock rose into a cycle."""

    def __init__(self, path, scope, wanted, clock="clk_i"):
        """`wanted(name)` says which signals to keep. `clock`: below the scope; gated clocks rise in some cycles only."""
        self._path = path
        ids, widths = {}, {}
        clock_id = None
        with open(path) as f:
            scopes = []
            for line in f:
                words = line.split()
                if not words:
                    continue
                if words[0] == "$scope":
                    scopes.append(words[2])
                elif words[0] == "$upscope":
                    scopes.pop()
                elif words[0] == "$var":
                    here = ".".join(scopes)
                    if here == scope or here.startswith(scope + "."):
                        inner = here[len(scope) + 1 :].replace(".", "/")
                        name = f"{inner}/{words[4]}" if inner else words[4]
                        if name == clock:
                            clock_id = words[3]
                        if wanted(name):
                            ids.setdefault(words[3], []).append(name)
                            low = int(words[5].strip("[]").split(":")[-1]) if words[5] != "$end" else 0
                            widths[words[3]] = (int(words[2]), low)
                elif words[0] == "$enddefinitions":
                    break
            if clock_id is None:
                raise design.FlowError(f"{path}: no signal {clock} below {scope}; record this scope")
            changes = {i: [] for i in ids}
            rises, now, times = [], None, []
            for line in f:
                c = line[0]
                if c == "#":
                    now = int(line[1:])
                    times.append(now)
                elif c == "b":
                    value, _, i = line[1:].rstrip().partition(" ")
                    if i in changes:
                        changes[i].append((now, value))
                elif c in "01xz":
                    i = line[1:].rstrip()
                    if i in changes:
                        changes[i].append((now, c))
                    if i == clock_id and c == "1":
                        rises.append(now)
        if not rises:
            raise design.FlowError(f"{path}: {clock} of {scope} never rises in the recording")
        # Two dumps a cycle, the rising edge first; what settled after the falling edge is what the next edge sees.
        step = min(b - a for a, b in zip(times, times[1:]))
        self._half, edge = step, rises[0] % (2 * step)
        first = next(t for t in times if t % (2 * step) == edge)
        self._first = first + step
        self.cycles = (times[-1] - self._first) // (2 * step) + 1
        up = np.zeros(self.cycles, np.uint8)
        for t in rises:
            k = (t + step - self._first) // (2 * step)
            if 0 <= k < self.cycles:
                up[k] = 1
        self.clocked = np.packbits(up)
        self._signals = {}
        for i, names in ids.items():
            for n in names:
                self._signals[n] = (widths[i], changes[i])

    def __contains__(self, name):
        return name in self._signals

    def bits(self, name):
        (width, low), changes = self._signals[name]
        if not changes:
            raise design.FlowError(f"{self._path}: {name} has no value")
        at = [max(0, -((self._first - t) // (2 * self._half))) for t, _ in changes]  # first sample at or after the change
        rows = np.array([[ch == "1" for ch in v.zfill(width)[::-1]] for _, v in changes], np.uint8)
        if at[0] != 0:
            raise design.FlowError(f"{self._path}: {name} has no value at the start")
        # Of changes in one cycle the last counts.
        keep = [k for k in range(len(at)) if at[k] < self.cycles and (k + 1 == len(at) or at[k + 1] != at[k])]
        starts = [at[k] for k in keep]
        lengths = np.diff(starts + [self.cycles])
        full = np.repeat(rows[keep], lengths, axis=0)
        return {low + b: np.packbits(full[:, b]) for b in range(width)}
