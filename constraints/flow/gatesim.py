"""Every net of a mapped netlist over the cycles of a recorded RTL simulation: flops and memory outputs are taken from the recording, the logic
between them is evaluated, 8 cycles a byte. Gives exact toggles without glitches, and checks the netlist against the RTL on the way: what each
flop would load must be what the RTL's register held in the next cycle."""

import re
from typing import NamedTuple

import numpy as np

import design
import function
import netlist

_TOKEN = re.compile(r"\s*(\\\S+ |[A-Za-z_][\w$]*|\d+'s?[hbd][0-9a-fxzA-FXZ]+|\[\d+(?::\d+)?\]|[{},])")


class Gate(NamedTuple):
    kind: str
    path: str  # of the instance, as OpenSTA has it
    pins: dict  # {pin: net}


class Flat:
    """A hierarchical netlist with one number for each net. Nets 0 and 1 are the constants.

    gates: cells of the library; memories: [(cell, path, {port: [nets, low bit first]})]; inputs: {port: (low bit, nets)}."""

    def __init__(self, path, top, cells, macro_ports):
        self._text = {}
        modules = netlist.read(path)
        self._widths, self._assigns = netlist.wires(path)
        self._modules, self._cells, self._macros = modules, cells, macro_ports
        self._parent = [0, 1]
        self.gates, self.memories = [], []
        self.names = {}  # net: (path, signal) of the first name met
        scope = {}
        for name, (low, high) in self._widths[top].items():
            scope[name] = self._new_bits("", name, low, high)
        self.inputs = {p: scope[p] for p in netlist.inputs(path, top)}  # {port: (low, nets)}
        self._walk(top, "", scope)

    def net(self, i):
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    @property
    def size(self):
        return len(self._parent)

    def _new_bits(self, path, name, low, high):
        first = len(self._parent)
        self._parent.extend(range(first, first + high - low + 1))
        if not name.startswith("_"):
            for i in range(high - low + 1):
                self.names[first + i] = (path, name, low + i, high == low)
        return (low, list(range(first, first + high - low + 1)))

    def _join(self, a, b):
        a, b = self.net(a), self.net(b)
        if a != b:
            if a > b:
                a, b = b, a
            self._parent[b] = a

    def _bits(self, text, scope):
        """Nets of an expression, low bit first."""
        out, i, name = [], 0, None
        tokens = _TOKEN.findall(text)
        for t in tokens:
            if t in "{},":
                continue
            if t[0] == "[":
                low, nets = scope[name]
                hi, _, lo = t[1:-1].partition(":")
                part = nets[int(lo or hi) - low : int(hi) - low + 1]
                out[-1] = part
            elif t[0].isdigit():
                width, value = t.split("'")
                width = int(width)
                value = value.removeprefix("s")
                digits = value[1:].replace("x", "0").replace("z", "0")
                number = int(digits, {"h": 16, "d": 10, "b": 2}[value[0]])
                out.append([number >> k & 1 for k in range(width)])
            else:
                name = netlist.plain(t)
                out.append(scope[name][1])
        return [n for part in reversed(out) for n in part]

    def _walk(self, module, path, scope):
        for name, (low, high) in self._widths[module].items():
            if name not in scope:
                scope[name] = self._new_bits(path, name, low, high)
        for left, right in self._assigns[module]:
            for a, b in zip(self._bits(left, scope), self._bits(right, scope)):
                self._join(a, b)
        for inst, kind, pins in self._modules[module]:
            where = f"{path}/{inst}" if path else inst
            if kind in self._cells:
                self.gates.append(Gate(kind, where, {p: self._bits(e, scope)[0] for p, e in pins.items() if e}))
            elif kind in self._modules:
                inner = {}
                for port, expression in pins.items():
                    low, high = self._widths[kind][port]
                    nets = self._bits(expression, scope)
                    if len(nets) < high - low + 1:  # left open
                        nets = nets + self._new_bits(where, "_open", 0, high - low - len(nets))[1]
                    inner[port] = (low, nets)
                self._walk(kind, where, inner)
            elif kind in self._macros:
                self.memories.append((kind, where, {p: self._bits(e, scope) for p, e in pins.items()}))
            else:
                raise design.FlowError(f"netlist: cell {where} is a {kind}, which neither the library nor the stubs have")


def evaluate(flat, library, values, cycles):
    """Fills `values` ({net: packed bits, one a cycle, or None}) for every net that gates drive; what it holds already is taken as given.

    Returns [(gate, net of its output)] in the order of evaluation."""
    ones, zeros = np.packbits(np.ones(cycles, np.uint8)), np.zeros((cycles + 7) // 8, np.uint8)
    values[0], values[1] = zeros, ones
    rules = {}
    for name, cell in library.cells.items():
        if cell["flop"]:
            continue
        out = next(p for p, v in cell["pins"].items() if v["direction"] == "output")
        if cell["latch"]:  # of a clock gate: open at the end of a cycle, when the clock is low
            data = next(p for p, v in cell["pins"].items() if v["direction"] == "input" and not v["clock"])
            rules[name] = (out, (data,), lambda d: d)
            continue
        pins = [p for p, v in cell["pins"].items() if v["direction"] == "input"]
        outs = {p: v["function"] for p, v in cell["pins"].items() if v["direction"] == "output"}
        rules[name] = (out, tuple(pins), eval(f"lambda {', '.join(pins)}: {function.verilog(function.parse(outs[out]))}"))
    waiting, users, ready = {}, {}, []
    for i, g in enumerate(flat.gates):
        if library.cells[g.kind]["flop"]:
            continue
        _, ins, _ = rules[g.kind]
        missing = {n for n in (flat.net(g.pins[p]) for p in ins if p in g.pins) if n not in values}
        waiting[i] = len(missing)
        for n in missing:
            users.setdefault(n, []).append(i)
        if not missing:
            ready.append(i)
    order = []
    while ready:
        i = ready.pop()
        g = flat.gates[i]
        out, ins, rule = rules[g.kind]
        net = flat.net(g.pins[out])
        values[net] = rule(*(values[flat.net(g.pins[p])] for p in ins))
        order.append((g, net))
        for u in users.pop(net, ()):
            waiting[u] -= 1
            if not waiting[u]:
                ready.append(u)
    stuck = [i for i, n in waiting.items() if n]
    if stuck:
        g = flat.gates[stuck[0]]
        open_pins = [p for p in rules[g.kind][1] if flat.net(g.pins[p]) not in values]
        raise design.FlowError(
            f"recording: {len(stuck)} gates cannot be evaluated, first {g.path} ({g.kind}) at pin {open_pins[0]}: a register, memory or port in "
            "front of it is not in the recording; was it made from the same RTL as the netlist?"
        )
    return order


def toggles(bits, cycles):
    """(transitions, cycles at 1) of packed bits."""
    x = np.unpackbits(bits, count=cycles)
    return int(np.count_nonzero(x[1:] != x[:-1])), int(x.sum())
