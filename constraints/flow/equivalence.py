"""Proves that a mapped netlist is the RTL it was made from, module by module: the same next state of every register, the same outputs, the same
pins of every memory, for every state and input.

Yosys reads both (read_slang; read_liberty gives the functions of the cells) and flattens them to single gates and flops. Registers and memories of
the two are matched by name and cut, clock gates become enables, so that what is left is logic without state; ABC proves it equal (cec: simulation
and SAT sweeping), a module of the RTL at a time, each within a limit of time. Registers that mapping removed (constant, or a copy of another) are
proven to be that by induction in the same step: equality of their next states is one more thing to prove.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import time

import cell_models
import design
import netlist
import stubs
import synth
import yosys
from library import DEFAULT, Library

MEMORY_PINS = {k: {p: d for p, (d, _) in stubs.Memory(k, 8, 2).ports.items()} for k in design.MEMORIES}


class Aig:
    """And-inverter graph with structural hashing. A literal is 2 * node + inverted; 0 is false, 1 is true."""

    def __init__(self):
        self.left, self.right, self._known, self._leaf = [0], [0], {}, {}

    def leaf(self, key):
        """The literal of a free variable."""
        if key not in self._leaf:
            self._leaf[key] = 2 * self._node(-1, -1)
        return self._leaf[key]

    def leaves(self):
        """(key, literal) of every free variable."""
        return self._leaf.items()

    def _node(self, a, b):
        self.left.append(a)
        self.right.append(b)
        return len(self.left) - 1

    def both(self, a, b):
        if a > b:
            a, b = b, a
        if a < 2:
            return b if a else 0
        if a == b or a == b ^ 1:
            return a if a == b else 0
        if (a, b) not in self._known:
            self._known[a, b] = 2 * self._node(a, b)
        return self._known[a, b]

    def either(self, a, b):
        return self.both(a ^ 1, b ^ 1) ^ 1

    def differ(self, a, b):
        return self.either(self.both(a, b ^ 1), self.both(a ^ 1, b))

    def choose(self, s, one, zero):
        return self.either(self.both(s, one), self.both(s ^ 1, zero))

    def cone(self, literals):
        """Nodes below literals in topological order, leaves included."""
        seen, order, stack = {0}, [], [(lit >> 1, False) for lit in literals]
        while stack:
            n, done = stack.pop()
            if done:
                order.append(n)
            elif n not in seen:
                seen.add(n)
                stack.append((n, True))
                if self.left[n] >= 0:
                    stack += [(self.left[n] >> 1, False), (self.right[n] >> 1, False)]
        return order

    def write(self, path, literals, leaves):
        """Binary AIGER with these nodes as inputs and these literals as outputs."""
        order = self.cone(literals)
        ands = [n for n in order if self.left[n] >= 0]
        number = {n: i + 1 for i, n in enumerate(leaves + ands)} | {0: 0}
        new = lambda lit: 2 * number[lit >> 1] + (lit & 1)  # noqa: E731
        out = bytearray(f"aig {len(leaves) + len(ands)} {len(leaves)} 0 {len(literals)} {len(ands)}\n".encode())
        out += "".join(f"{new(lit)}\n" for lit in literals).encode()
        for n in ands:
            hi, lo = sorted((new(self.left[n]), new(self.right[n])), reverse=True)
            for delta in (2 * number[n] - hi, hi - lo):
                while delta > 0x7F:
                    out.append(delta & 0x7F | 0x80)
                    delta >>= 7
                out.append(delta)
        pathlib.Path(path).write_bytes(out)

    def values(self, literals, inputs):
        """0 or 1 of each literal, for inputs {node: 0 or 1}."""
        value = {0: 0} | inputs
        for n in self.cone(literals):
            if self.left[n] >= 0:
                a, b = self.left[n], self.right[n]
                value[n] = (value[a >> 1] ^ (a & 1)) & (value[b >> 1] ^ (b & 1))
        return [value[lit >> 1] ^ (lit & 1) for lit in literals]


_GATES = {
    "$_BUF_": ("A", lambda g, a: a),
    "$_NOT_": ("A", lambda g, a: a ^ 1),
    "$_AND_": ("AB", lambda g, a, b: g.both(a, b)),
    "$_NAND_": ("AB", lambda g, a, b: g.both(a, b) ^ 1),
    "$_OR_": ("AB", lambda g, a, b: g.either(a, b)),
    "$_NOR_": ("AB", lambda g, a, b: g.either(a, b) ^ 1),
    "$_XOR_": ("AB", lambda g, a, b: g.differ(a, b)),
    "$_XNOR_": ("AB", lambda g, a, b: g.differ(a, b) ^ 1),
    "$_ANDNOT_": ("AB", lambda g, a, b: g.both(a, b ^ 1)),
    "$_ORNOT_": ("AB", lambda g, a, b: g.either(a, b ^ 1)),
    "$_MUX_": ("SBA", lambda g, s, b, a: g.choose(s, b, a)),
    "$_NMUX_": ("SBA", lambda g, s, b, a: g.choose(s, b, a) ^ 1),
}
_FLOP = re.compile(r"\$_DFF_([PN])(?:([PN])([01]))?_|\$_DFFSR_([PN])([PN])([PN])_|\$_ALDFF_([PN])([PN])_")


class Design:
    """One side, from BLIF with -gates -icells -cname: {net: driver} and the names of nets."""

    def __init__(self, path, what):
        self.what = what
        self.gates, self.flops, self.latches, self.memories = {}, {}, {}, {}
        self.inputs, self.outputs = [], []
        self.alias = {"$false": "$false", "$true": "$true", "$undef": "$false"}  # {net: net it is a copy of}
        self.names = collections.defaultdict(list)  # {net: other names of it}
        self._read(path)

    def _read(self, path):
        last = None
        text = re.sub(r"\\\n", " ", pathlib.Path(path).read_text())
        lines = iter(text.splitlines())
        for line in lines:
            word, *rest = line.split() or [""]
            if word == ".end":  # the top comes first
                break
            if word == ".inputs":
                self.inputs += rest
            elif word == ".outputs":
                self.outputs += rest
            elif word == ".names":
                if len(rest) == 1 and rest[0] in self.alias:
                    continue
                row = next(lines, "")
                if len(rest) != 2 or row.split() != ["1", "1"]:
                    raise design.FlowError(f"{path}: a table that is no copy: {line}")
                self.alias[rest[1]] = rest[0]
            elif word in (".gate", ".subckt"):
                kind, pins = rest[0], dict(p.split("=", 1) for p in rest[1:])
                last = (kind, pins)
                if kind in _GATES:
                    self.gates[pins["Y"]] = last
                elif _FLOP.fullmatch(kind):
                    self.flops[pins["Q"]] = last
                elif kind in ("$_DLATCH_P_", "$_DLATCH_N_"):
                    self.latches[pins["Q"]] = last
                elif kind.startswith(design.MEMORIES):
                    pass
                else:
                    raise design.FlowError(f"{self.what}: a cell {kind} is neither a gate, a flop nor a memory")
            elif word == ".cname" and last and last[0].startswith(design.MEMORIES):
                self.memories[rest[0]] = last
        self.input_set = set(self.inputs)
        for net in self.alias:
            self.names[self.root(net)].append(net)

    def root(self, net):
        while self.alias.get(net, net) != net:
            net = self.alias[net]
        return net

    def clock(self, net):
        """(root of a clock, enables): a clock gate is an AND of the clock and a latch that is open while the clock is low."""
        net, enables = self.root(net), []
        while net in self.gates:
            kind, pins = self.gates[net]
            if kind == "$_BUF_":
                net = self.root(pins["A"])
                continue
            sides = [self.root(pins[p]) for p in "AB" if p in pins]
            gate = next((s for s in sides if s in self.latches), None)
            if kind != "$_AND_" or gate is None:
                raise design.FlowError(f"{self.what}: clock net {net} comes from a {kind} that is no clock gate")
            (clock,) = [s for s in sides if s != gate]
            latch, pins = self.latches[gate]
            open_, inverted = self.root(pins["E"]), latch == "$_DLATCH_N_"
            while open_ in self.gates and self.gates[open_][0] in ("$_NOT_", "$_BUF_"):
                inverted ^= self.gates[open_][0] == "$_NOT_"
                open_ = self.root(self.gates[open_][1]["A"])
            if not inverted or self.clock_root(open_) != self.clock_root(clock):
                raise design.FlowError(f"{self.what}: the latch {gate} of a clock gate is not open while the clock is low")
            enables.append(pins["D"])
            net = clock
        return net, enables

    def clock_root(self, net):
        return self.clock(net)[0]

    def names_of(self, net):
        return {net, self.root(net), *self.names[self.root(net)]}


class Logic:
    """The logic of a design as literals of an Aig. `register` gives the literal of a register's state by the net of its Q."""

    def __init__(self, d, aig, register):
        self.d, self.aig, self._register, self._of = d, aig, register, {}
        outs = {}
        for path, (kind, pins) in d.memories.items():
            directions = MEMORY_PINS[next(k for k in design.MEMORIES if kind.startswith(k))]
            for pin, net in pins.items():
                if directions[pin.split("[")[0]] == "output":
                    outs[d.root(net)] = (path, pin)
        self._memory_of = outs

    def _leaf(self, net):
        if net in ("$false", "$true"):
            return int(net == "$true")
        if net in self.d.flops:
            return self._register(net)
        if net in self._memory_of:
            return self.aig.leaf(self._memory_of[net])
        if net in self.d.latches:
            raise design.FlowError(f"{self.d.what}: the latch {net} is part of the logic, not of a clock gate")
        if net in self.d.input_set:
            return self.aig.leaf(("input", net))
        raise design.FlowError(f"{self.d.what}: nothing drives net {net}")

    def __call__(self, net):
        net = self.d.root(net)
        stack = [net]
        while stack:
            n = stack[-1]
            if n in self._of:
                stack.pop()
                continue
            gate = self.d.gates.get(n)
            if gate is None:
                self._of[n] = self._leaf(n)
                continue
            order, rule = _GATES[gate[0]]
            ins = [self.d.root(gate[1][p]) for p in order]
            waits = [i for i in ins if i not in self._of]
            if waits:
                stack += waits
            else:
                self._of[n] = rule(self.aig, *(self._of[i] for i in ins))
        return self._of[net]

    def next(self, q):
        """(next state of a register, clock and edge)."""
        kind, pins = self.d.flops[q]
        m = _FLOP.fullmatch(kind)
        clock, enables = self.d.clock(pins["C"])
        state = self(pins["D"])
        for e in enables:
            state = self.aig.choose(self(e), state, self(q))
        level = lambda pin, polarity: self(pins[pin]) ^ (polarity == "N")  # noqa: E731
        if m[4]:  # reset before set
            state = self.aig.either(state, level("S", m[5]))
            state = self.aig.both(state, level("R", m[6]) ^ 1)
        elif m[2]:
            state = self.aig.choose(level("R", m[2]), int(m[3]), state)
        elif m[7]:
            state = self.aig.choose(level("L", m[8]), self(pins["AD"]), state)
        return state, (clock, m[1] or m[4] or m[7])


def simulate(aig, order, states, fixed, cycles=24, seed=1):
    """{literal of a register: what it was in 64 random runs from all 0}, a number; `states`: {literal: literal of its next state}, `fixed`: {literal of
    an input: 0 or 1}."""
    rng = random.Random(seed)
    ones = (1 << 64) - 1
    value = {n: 0 for n in order} | {0: 0}
    value |= {lit >> 1: ones * v for lit, v in fixed.items()}
    leaves = [n for n in order if aig.left[n] < 0 and 2 * n not in states and 2 * n not in fixed]
    ands = [(n, aig.left[n] >> 1, ones * (aig.left[n] & 1), aig.right[n] >> 1, ones * (aig.right[n] & 1)) for n in order if aig.left[n] >= 0]
    history = dict.fromkeys(states, 0)
    for _ in range(cycles):
        for n in leaves:
            value[n] = rng.getrandbits(64)
        for n, a, ia, b, ib in ands:
            value[n] = (value[a] ^ ia) & (value[b] ^ ib)
        after = {q: value[d >> 1] ^ ones * (d & 1) for q, d in states.items()}
        for q, v in after.items():
            value[q >> 1] = v
            history[q] = history[q] << 64 | v
    return history, ones * sum(1 << 64 * c for c in range(cycles))


class Proof:
    """goals: what has to be shown, by path of an instance: [(what, literal of the RTL, literal of the netlist that must be equal)]."""

    def __init__(self, gold, gate, paths):
        self.aig, self.gold, self.gate = Aig(), gold, gate
        self._paths = sorted(paths, key=len, reverse=True)
        self._match()
        stands = self._reduce()
        self.goals = collections.defaultdict(list)
        used = set()

        def register(q):
            used.add(q)
            return stands.get(q, self.aig.leaf(("register", q)))

        g, m = Logic(gold, self.aig, register), Logic(gate, self.aig, self._gate_register)
        for q in gate.flops:
            self._register_goal(g, m, q)
        for net in gold.outputs:
            self._goal("", f"output {net}", g(net), m(net))
        if gold.memories.keys() != gate.memories.keys():
            odd = sorted(gold.memories.keys() ^ gate.memories.keys())
            raise design.FlowError(f"memories differ: {odd[0]} is only in {'the RTL' if odd[0] in gold.memories else 'the netlist'}")
        for path, (kind, pins) in gold.memories.items():
            directions = MEMORY_PINS[next(k for k in design.MEMORIES if kind.startswith(k))]
            for pin, net in pins.items():
                if directions[pin.split("[")[0]] == "input":
                    other = gate.memories[path][1][pin]
                    clock = pin == "clk_i"
                    a, b = (gold.clock_root(net), gate.clock_root(other)) if clock else (g(net), m(other))
                    self._goal(self._owner(path), f"pin {pin} of memory {path}", *((0, int(a != b)) if clock else (a, b)))
        self._copies(g, stands, used)
        self.free = sorted(q for q in used if q not in stands and q not in self.matched)

    def _owner(self, name):
        return next((p for p in self._paths if name.startswith(p + ".")), "")

    def _match(self):
        """gold_of: {Q of the netlist: Q of the RTL}, by any name that both have."""
        by_name = {}
        for q in self.gold.flops:
            for name in self.gold.names_of(q):
                by_name[name] = q
        self.gold_of = {}
        for q in self.gate.flops:
            found = {by_name[n] for n in self.gate.names_of(q) if n in by_name}
            if found:
                self.gold_of[q] = min(found)
        self.matched = set(self.gold_of.values())

    def _gate_register(self, q):
        if q not in self.gold_of:
            raise design.FlowError(f"netlist: register {q} has the name of none in the RTL")
        return self.aig.leaf(("register", self.gold_of[q]))

    def _reduce(self):
        """{Q of the RTL that mapping has removed: literal that stands for it}, guessed from random runs; _copies proves it."""
        gold, aig = self.gold, Aig()
        logic = Logic(gold, aig, lambda q: aig.leaf(("register", q)))
        states = {aig.leaf(("register", q)): logic.next(q)[0] for q in gold.flops}
        fixed = {aig.leaf(("input", n)): 1 for n in gold.inputs if n == "rst_ni"}
        history, ones = simulate(aig, aig.cone(list(states.values()) + list(states)), states, fixed)
        stands, lead = {}, {0: 0, ones: 1}
        key = lambda q: aig.leaf(("register", q))  # noqa: E731
        # Matched registers lead; of the others the first of each kind.
        for q in sorted(gold.flops, key=lambda q: (q not in self.matched, q)):
            h = history[key(q)]
            if q in self.matched:
                lead.setdefault(h, self.aig.leaf(("register", q)))
                lead.setdefault(h ^ ones, self.aig.leaf(("register", q)) ^ 1)
            elif h in lead:
                stands[q] = lead[h]
            else:
                lead[h] = self.aig.leaf(("register", q))
                lead[h ^ ones] = lead[h] ^ 1
        return stands

    def _register_goal(self, g, m, q):
        (a, clock_a), (b, clock_b) = g.next(self.gold_of[q]), m.next(q) if q in self.gold_of else (0, None)
        owner = self._owner(self.gold_of[q])
        self._goal(owner, f"register {self.gold_of[q]}", a, b)
        if clock_a != clock_b:
            self._goal(owner, f"clock of register {self.gold_of[q]}", 0, 1)

    def _copies(self, g, stands, used):
        """Goals for the removed registers that other goals depend on."""
        of_leaf = {lit: key[1] for key, lit in self.aig.leaves() if key[0] == "register"}
        self.removed = set()
        while todo := [q for q in used if q in stands and q not in self.removed]:
            for q in todo:
                self.removed.add(q)
                (a, clock), b = g.next(q), stands[q]
                if b > 1:
                    b, other_clock = g.next(of_leaf[b & ~1])
                    b ^= stands[q] & 1
                    if clock != other_clock:
                        a, b = 0, 1
                self._goal(self._owner(q), f"register {q}, which mapping has removed,", a, b)

    def _goal(self, owner, what, a, b):
        self.goals[owner].append((what, a, b))


def _blif(what, commands, top, folder):
    path = folder / f"{what}.blif"
    # One clock edge and reset a flop; enables become multiplexers.
    lower = ["flatten", "opt_clean", "dffunmap", "techmap", "opt_clean", "simplemap", "opt_expr -fine", "opt_clean", f"hierarchy -top {top}"]
    write = f"write_blif -top {top} -gates -icells -cname {path}"
    yosys.run(what, [*commands, *lower, write], folder)
    return path


def read_both(unit, geometry, library, mapped, folder):
    """(RTL, netlist, {instance path: module})."""
    read = synth.read_command(unit, geometry) + "".join(f" --blackboxed-module {m}" for m in design.MEMORIES)
    gold = [read, f"hierarchy -top {unit.top}", "proc", "opt_expr", "opt_clean", "memory -nomap", "memory_map"]
    gate = [f"read_liberty -ignore_miss_func {library.path}", f"read_liberty -lib -ignore_miss_func {mapped}/stubs.lib",
            f"read_verilog {folder}/netlist.v", f"hierarchy -check -top {unit.top}"]
    paths = {}

    def walk(module, path):
        for inst, kind, _ in modules[module]:
            if kind in modules:
                paths[f"{path}{inst}"] = kind.split("$")[0]
                walk(kind, f"{path}{inst}.")

    modules = netlist.read(folder / "netlist.v")
    walk(unit.top, "")
    return Design(_blif("rtl", gold, unit.top, folder), "RTL"), Design(_blif("netlist", gate, unit.top, folder), "netlist"), paths


def decide(aig, goals, folder, name, seconds):
    """[(verdict, goals, why)] of a module: "proven", "DIFFERS" or "open". If all goals together are too much, register by register."""
    verdict, why = _decide(aig, goals, folder, name, seconds)
    if verdict != "open":
        return [(verdict, goals, why)]
    groups = collections.defaultdict(list)
    for g in goals:
        groups[re.sub(r"\[\d+\]$|\[\d+\](?= of memory)", "", g[0])].append(g)
    end = time.time() + seconds
    parts = []
    for n, (what, part) in enumerate(groups.items()):
        share = max(1, int((end - time.time()) / (len(groups) - n)))
        verdict, why = _decide(aig, part, folder, name, share) if time.time() < end else ("open", f"no time left of {seconds} s")
        parts.append((verdict, part, why if verdict == "DIFFERS" else f"{what}: {why}"))
    return parts


def _decide(aig, goals, folder, name, seconds):
    """(verdict, why)"""
    left = [g for g in goals if g[1] != g[2]]
    wrong = next((what for what, a, b in left if a == b ^ 1), None)
    if wrong:
        return "DIFFERS", wrong
    if not left:
        return "proven", "equal as built"
    path = folder / (re.sub(r"[^A-Za-z0-9_.]", "_", name) or "top")
    sides = [lit for _, lit, _ in left], [lit for _, _, lit in left]
    leaves = sorted(n for n in aig.cone(sides[0] + sides[1]) if aig.left[n] < 0)
    files = [f"{path}_{side}.aig" for side in ("rtl", "netlist")]
    for file, side in zip(files, sides):
        aig.write(file, side, leaves)
    (abc,) = (design.ROOT / "build" / "venv").glob("lib/python3*/site-packages/pyosys/yosys-abc")
    run = subprocess.Popen([abc, "-c", f"&r {files[0]}; &cec -C 1000000 -T {seconds} {files[1]}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        out, _ = run.communicate(timeout=seconds + 60)  # ABC looks at its clock now and then
    except subprocess.TimeoutExpired:
        run.kill()
        return "open", f"no answer in {seconds} s"
    if "Networks are equivalent" in out:
        return "proven", "ABC"
    example = re.search(r"INPUT: a = \d+'h([0-9A-Fa-f]+)", out)
    if example:
        bits = int(example[1], 16)
        inputs = {n: bits >> i & 1 for i, n in enumerate(leaves)}
        failing = [g[0] for g, a, b in zip(left, *(aig.values(side, inputs) for side in sides)) if a != b]
        if failing:
            return "DIFFERS", f"{failing[0]}, {len(failing)} in all in this example" if len(failing) > 1 else failing[0]
    if "NOT EQUIVALENT" in out:
        return "DIFFERS", "ABC: " + out.strip().splitlines()[-1]
    if "UNDECIDED" in out or "timeout" in out.lower():
        return "open", f"no answer in {seconds} s"
    raise design.FlowError(f"ABC on {files[0]}: {out.strip() or f'exit code {run.returncode}'}")


def options(line=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("mapped", help="folder that synth.py has written")
    p.add_argument("--unit", default="tile")
    p.add_argument("--geometry", default="reference")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--seconds", type=int, default=60, help="limit of a module")
    p.add_argument("--fault", metavar="MODULE:REGISTER", help="change the gate in front of this register first: fails unless it is found")
    p.add_argument("--only", metavar="MODULE", help="of the RTL")
    p.add_argument("--json", help="write the table")
    return p.parse_args(line)


def main():
    try:
        sys.exit(run(options()))
    except design.FlowError as e:
        sys.exit(f"equivalence: {e}")


def run(a):
    unit, geometry, library = design.unit(a.unit), design.geometry(a.geometry), Library(a.liberty)
    folder = pathlib.Path(a.mapped) / ("equivalence_fault" if a.fault else "equivalence")
    folder.mkdir(exist_ok=True)
    text = (pathlib.Path(a.mapped) / "netlist.v").read_text()
    if a.fault:
        text, where = cell_models.plant(text, library, *a.fault.split(":"))
        print(where)
    (folder / "netlist.v").write_text(text)
    start = time.time()
    gold, gate, paths = read_both(unit, geometry, library, pathlib.Path(a.mapped), folder)
    print(f"read: {len(gold.flops)} registers and {len(gold.gates)} gates of the RTL, {len(gate.flops)} and {len(gate.gates)} of the netlist, "
          f"{time.time() - start:.0f} s", flush=True)
    proof = Proof(gold, gate, paths)
    print(f"matched: {len(proof.gold_of)} registers by name, {len(proof.removed)} removed by mapping, {len(proof.aig.left)} nodes, "
          f"{time.time() - start:.0f} s", flush=True)
    if proof.free:
        print(f"{len(proof.free)} registers of the RTL are neither in the netlist nor found constant or a copy: {', '.join(proof.free[:5])} ...")
    table, differs = [], []
    for path in sorted(proof.goals):
        module = paths.get(path, unit.top)
        if a.only and module != a.only:
            continue
        began = time.time()
        parts = decide(proof.aig, proof.goals[path], folder, path, a.seconds)
        by = {v: [p for p in parts if p[0] == v] for v in ("DIFFERS", "open", "proven")}
        verdict = next(v for v, found in by.items() if found)
        differs += [f"{path}: {why}" for _, _, why in by["DIFFERS"]]
        row = {"path": path or unit.top, "module": module, "goals": len(proof.goals[path]), "proven": sum(len(p[1]) for p in by["proven"]),
               "verdict": verdict, "seconds": round(time.time() - began, 1), "why": [why for _, _, why in by[verdict]] if verdict != "proven" else []}
        table.append(row)
        why = f"  {row['why'][0]}" + (f" and {len(row['why']) - 1} more" if len(row["why"]) > 1 else "") if row["why"] else ""
        print(f"{row['path']:<40} {module:<20} {row['proven']:>6} of {row['goals']:>6} {verdict:<8} {row['seconds']:>7} s{why}", flush=True)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(table, indent=1))
    whole = sum(r["verdict"] == "proven" for r in table)
    print(f"{whole} of {len(table)} instances proven; {sum(r['proven'] for r in table)} of {sum(r['goals'] for r in table)} next states, outputs and pins")
    if a.fault:
        print(f"the fault is {'found' if differs else 'NOT FOUND'}")
        return 0 if differs else 1
    return 1 if differs else 0


if __name__ == "__main__":
    main()
