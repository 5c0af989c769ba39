"""Power of a mapped unit while it works: what a recorded RTL run did, on every net of the netlist, priced by OpenSTA.

The run is checked on the way: with the recorded values in front of it, every flop of the netlist has to load what the RTL's register held in the
next cycle. Clock power is apart from that of data: a clock gate spares it, so it is counted by the cycles in which a clock really ran."""

import collections
import json
import pathlib
import re

import numpy as np

import design
import gatesim
import sta
from library import macro_ports
from recording import Recording

UNPACKED = (r"u_csr(/.*)?",)  # modules whose registers are unpacked structs
MOST_LOST = 0.02  # share of flops elsewhere that may have no name in the recording
HZ = 1e9 / design.PERIOD_NS


class Run:
    """A netlist over a recording: values of all nets, edges of all clocks."""

    def __init__(self, folder, unit, library, vcd, scope):
        folder = pathlib.Path(folder)
        self.library = library
        macros = macro_ports(folder / "stubs.lib")
        self.flat = flat = gatesim.Flat(folder / "netlist.v", unit.top, library.cells, macros)
        named = {}
        for net, name in flat.names.items():
            named.setdefault(flat.net(net), name)
        self.flops = {}  # Gate: (register, index or None)
        wanted = set(flat.inputs)
        for g in flat.gates:
            if library.cells[g.kind]["flop"]:
                path, _, inst = g.path.rpartition("/")
                if "__" in inst:
                    name = key(path, inst.rpartition("__")[0])
                else:  # Yosys found no name of its own for it: that of the net, where it has one
                    where, signal, index, scalar = named.get(flat.net(g.pins[self.out(g)]), (path, inst, 0, True))
                    name = key(where, signal) + ("" if scalar else f"[{index}]")
                m = re.fullmatch(r"(.*)\[(\d+)\]", name)
                self.flops[g.path] = (name, m[1] if m else name, int(m[2]) if m else None)
                wanted |= {name, m[1] if m else name}
        outputs = []
        for cell, path, pins in flat.memories:
            for port in pins:
                if macros[cell][port] == "output":
                    outputs.append((key(path, port), pins[port]))
        wanted |= {name for name, _ in outputs}
        # Requests of memories, to count their accesses.
        self.recording = rec = Recording(vcd, scope, wanted.__contains__)
        self.cycles = rec.cycles
        self.values = values = {}
        cache = {}

        def bits(name):
            if name not in rec:
                raise design.FlowError(f"{vcd}: no signal {name} below {scope}; was it recorded from the same RTL as {folder}/netlist.v?")
            if name not in cache:
                cache[name] = rec.bits(name)
            return cache[name]

        # Fields of unpacked structs (generated registers) are not recorded under their name, and a few flops lose theirs in mapping: taken as
        # still at 0, and what they reach unchecked.
        self.unrecorded = set()
        lost, nothing = [], np.zeros((self.cycles + 7) // 8, np.uint8)
        for g in flat.gates:
            if g.path in self.flops:
                whole, base, index = self.flops[g.path]
                q = flat.net(g.pins[self.out(g)])
                if base not in rec and not (whole in rec and len(bits(whole)) == 1):
                    if not any(re.fullmatch(e, g.path.rpartition("/")[0]) for e in UNPACKED):
                        lost.append(base)
                    self.unrecorded.add(q)
                    values[q] = nothing
                    continue
                one = bits(whole) if whole in rec else {}
                values[q] = next(iter(one.values())) if len(one) == 1 else bits(base)[index]
        if len(lost) > MOST_LOST * len(self.flops):
            bits(lost[0])  # says what is missing
        zeros = np.zeros((self.cycles + 7) // 8, np.uint8)
        for port, (low, nets) in flat.inputs.items():
            for i, n in enumerate(nets):
                # At the end of a cycle the clock is low: gates are shut, their latches open.
                values[flat.net(n)] = zeros if port == "clk_i" else bits(port)[low + i]
        for name, nets in outputs:
            have = bits(name)
            low = min(have)
            for i, n in enumerate(nets):
                values[flat.net(n)] = have[low + i]
        self.order = gatesim.evaluate(flat, library, values, self.cycles)
        self.drivers = {net: g for g, net in self.order}
        self.unchecked = set(self.unrecorded)
        for g, net in self.order:
            if any(flat.net(g.pins[p]) in self.unchecked for p in self._ins(g) if p in g.pins):
                self.unchecked.add(net)
        self.root = flat.net(flat.inputs["clk_i"][1][0])
        self._edges = {self.root: rec.clocked}

    def out(self, gate):
        return next(p for p, v in self.library.cells[gate.kind]["pins"].items() if v["direction"] == "output")

    def _ins(self, gate):
        return [p for p, v in self.library.cells[gate.kind]["pins"].items() if v["direction"] == "input"]

    def edges(self, net):
        """Packed: whether this clock rises into a cycle. Follows buffers and clock gates up to the root."""
        if net not in self._edges:
            g = self.drivers[net]
            ins = [self.flat.net(g.pins[p]) for p in self._ins(g)]
            if len(ins) == 1:
                self._edges[net] = self.edges(ins[0])
            else:
                latch = next(i for i in ins if i in self.drivers and self.library.cells[self.drivers[i].kind]["latch"])
                clock = next(i for i in ins if i != latch)
                # The enable at the end of a cycle lets the next edge through.
                open_ = np.unpackbits(self.values[latch], count=self.cycles)
                late = np.concatenate([open_[:1], open_[:-1]])
                self._edges[net] = np.packbits(late) & self.edges(clock)
        return self._edges[net]

    def _latch_of(self, clock):
        """Nets of the latches between the root and a clock."""
        found = []
        while clock != self.root:
            g = self.drivers[clock]
            ins = [self.flat.net(g.pins[p]) for p in self._ins(g)]
            latches = [i for i in ins if i in self.drivers and self.library.cells[self.drivers[i].kind]["latch"]]
            found += latches
            clock = next(i for i in ins if i not in latches)
        return found

    def clocks(self):
        """Nets of the clock tree: the root and what buffers and clock gates make of it."""
        if not hasattr(self, "_clocks"):
            clocks, pins = {self.root}, []
            for g in self.flat.gates:
                if g.path in self.flops:
                    pins.append(self.flat.net(g.pins[next(p for p, v in self.library.cells[g.kind]["pins"].items() if v["clock"])]))
            for net in pins:
                while net not in clocks:
                    clocks.add(net)
                    g = self.drivers[net]
                    ins = [self.flat.net(g.pins[p]) for p in self._ins(g)]
                    net = next(i for i in ins if not (i in self.drivers and self.library.cells[self.drivers[i].kind]["latch"]))
            self._clocks = clocks
        return self._clocks

    def check(self):
        """Flops that would load something else than the RTL's register did: [(path, cycles)], empty if the netlist is the RTL."""
        bad = []
        for g in self.flat.gates:
            if g.path not in self.flops or any(re.fullmatch(e, g.path.rpartition("/")[0]) for e in UNPACKED):
                continue
            pins = self.library.cells[g.kind]["pins"]
            clock = self.flat.net(g.pins[next(p for p, v in pins.items() if v["clock"])])
            if self.unchecked & {self.flat.net(g.pins["D"]), clock, *(self._latch_of(clock))}:
                continue
            d = np.unpackbits(self.values[self.flat.net(g.pins["D"])], count=self.cycles)
            q = np.unpackbits(self.values[self.flat.net(g.pins[self.out(g)])], count=self.cycles)
            load = np.unpackbits(self.edges(clock), count=self.cycles)[1:]
            wrong = np.count_nonzero(np.where(load, d[:-1], q[:-1]) != q[1:])
            if wrong:
                bad.append((g.path, int(wrong)))
        return bad

    def accesses(self):
        """[(cell, path, reads, writes)] of every memory."""
        found = []
        edge = np.unpackbits(self.recording.clocked, count=self.cycles)
        late = np.concatenate([edge[1:], [0]])  # the edge at the end of the cycle takes the request
        for cell, path, pins in self.flat.memories:
            v = {p: np.unpackbits(self.values[self.flat.net(n[0])], count=self.cycles) for p, n in pins.items() if p in ("req_i", "we_i", "re_i")}
            if "req_i" in v:
                reads, writes = v["req_i"] & ~v["we_i"] & 1, v["req_i"] & v["we_i"]
            elif "re_i" in v:
                reads, writes = v["re_i"], v["we_i"]
            else:
                continue  # another unit
            found.append((cell, path, int((reads & late).sum()), int((writes & late).sum())))
        return found


def key(path, signal):
    """A netlist signal as the recording names it: generate blocks are scopes there."""
    return "/".join(p for p in (path.replace(".", "/"), signal.replace(".", "/")) if p)


def prices(folder, unit, library):
    """{cell path: (W for one transition a cycle at its output and data inputs, clock W if its clock runs in every cycle, leakage W)}.

    OpenSTA 2.0.17 takes no activity of inner pins: `set_power_activity -pins` fails in its Tcl, and the function behind it has no effect. Power is
    linear in activity, so its prices are taken (every pin at one transition a cycle, less every pin still) and multiplied by what each net did.
    Slews, loads and wire loads are OpenSTA's."""
    folder = pathlib.Path(folder)
    stamp = (folder / "key").read_text()  # of what the netlist was made from
    kept = folder / "prices.json"
    if kept.exists():
        known = json.loads(kept.read_text())
        if known["key"] == stamp:
            return known["cells"]
    report = "foreach i [get_cells -hierarchical *] { puts \"[get_full_name $i] [sta::instance_power $i [sta::cmd_corner]]\" }"
    script = folder / "power.tcl"
    script.write_text("\n".join([
        *sta.setup(folder, unit, library, design.sdc(unit)),
        "set_power_activity -global -activity 0 -duty 0", 'puts "== still"', report,
        "set_power_activity -global -activity 1 -duty 0.5", 'puts "== moving"', report, 'puts "== done"',
    ]) + "\n")
    text = sta.opensta(script, folder / "power.log")
    part = []
    for start, stop in (("== still", "== moving"), ("== moving", "== done")):
        block = text[text.index(start) : text.index(stop)]
        part.append({m[1]: [float(x) for x in m[2].split()] for m in re.finditer(r"^(\S+) (\S+ \S+ \S+ \S+)$", block, re.M)})
    still, moving = part
    cells = {i: (m[0] + m[1] - still[i][0] - still[i][1], still[i][0] + still[i][1], m[2]) for i, m in moving.items()}
    kept.write_text(json.dumps({"key": stamp, "cells": cells}))
    return cells


def by_block(run, priced, flat=None):
    """{block path: {"data_w", "gated_w", "free_w", "clock_ungated_w", "leakage_w", "cells"}} of the recorded run, from prices(). Blocks are instances of modules. Clock power is
    gated_w behind clock gates of the netlist and free_w before them; clock_ungated_w is what all of it would be without gates.

    flat: (transitions a cycle, share of cycles in which clocks run) in place of what was recorded, as one would guess."""
    table = collections.defaultdict(lambda: dict.fromkeys(("data_w", "gated_w", "free_w", "clock_ungated_w", "leakage_w", "cells"), 0.0))
    clocks, rates, shares = run.clocks(), {}, {}

    def rate(net):
        if net not in rates:
            rates[net] = gatesim.toggles(run.values[net], run.cycles)[0] / (run.cycles - 1)
        return rates[net]

    def tick(block, clock, net):
        """Clock power of a cell whose clock is `net`, by the cycles in which that runs."""
        block["free_w" if share(net) == share(run.root) else "gated_w"] += clock * (flat[1] if flat else share(net))
        block["clock_ungated_w"] += clock

    def share(net):
        if net not in shares:
            shares[net] = np.count_nonzero(np.unpackbits(run.edges(net), count=run.cycles)) / run.cycles
        return shares[net]

    for g in run.flat.gates:
        moving, clock, leakage = priced[g.path]
        cell = run.library.cells[g.kind]
        block = table[g.path.rpartition("/")[0]]
        block["cells"] += 1
        block["leakage_w"] += leakage
        out = run.flat.net(g.pins[run.out(g)]) if run.out(g) in g.pins else None
        if out in clocks:  # buffers and gates of the clock tree
            tick(block, clock, out)
            continue
        if clock:  # a flop, or latch and inverter of a clock gate
            pin = next((p for p, v in cell["pins"].items() if v["clock"]), None)
            net = run.flat.net(g.pins[pin]) if pin else run.root
            net = net if net in clocks else run.root
            tick(block, clock, net)
        if flat:
            block["data_w"] += moving * flat[0]
        elif cell["flop"]:
            d = run.library.data_pin_pj(g.kind) * 1e-12 * HZ
            block["data_w"] += d * rate(run.flat.net(g.pins["D"])) + (moving - d) * rate(out)
        elif out is not None:
            block["data_w"] += moving * rate(out)
    return table
