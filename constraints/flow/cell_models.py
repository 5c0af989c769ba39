"""What a mapped netlist needs to be simulated as the module it was made from: models of the cells written from the Liberty file, two-state and
without delays; memories, which are those of the RTL; and a shell with the name, parameters and ports of the module."""

import argparse
import pathlib
import re
import sys

import design
import function
import netlist
import stubs
from library import DEFAULT, Library

SUFFIX = "_netlist"  # of the mapped module inside its shell


class _Cell:
    """Writes one cell of a library."""

    def __init__(self, library, name):
        self.library, self.name, self.cell = library, name, library.cells[name]
        self.inputs = [p for p, v in self.cell["pins"].items() if v["direction"] == "input"]
        self.outputs = [p for p, v in self.cell["pins"].items() if v["direction"] == "output"]
        self.known = set(self.inputs)

    def error(self, what):
        return design.FlowError(f"Liberty {self.library.path}: library {self.library.name}, cell {self.name}{what}")

    def _parse(self, text, where):
        try:
            f = function.parse(text)
        except ValueError as e:
            raise self.error(f", {where} \"{text}\": {e}") from None
        unknown = sorted(function.pins(f) - self.known)
        if unknown:
            raise self.error(f", {where} \"{text}\": {unknown[0]} is neither an input pin nor a state of this cell")
        return f

    def _edge(self, f, wire, body):
        """Sensitivity to f becoming 1, and the level."""
        if f[0] == "pin":
            return f"posedge {f[1]}", f[1]
        if f[0] == "not" and f[1][0] == "pin":
            return f"negedge {f[1][1]}", f"~{f[1][1]}"
        body.append(f"  wire {wire} = {function.verilog(f)};")
        return f"posedge {wire}", wire

    def _forced(self, s):
        """[(function, value)] of clear and preset, the stronger first; value of the inverse state while both act, or None if it is the inverse."""
        clear, preset = (self._parse(s[a], a) if s[a] else None for a in ("clear", "preset"))
        if clear is None or preset is None:
            return [(f, v) for f, v in ((clear, 0), (preset, 1)) if f], None
        var1, var2 = s["clear_preset_var1"], s["clear_preset_var2"]
        for attribute, var in (("clear_preset_var1", var1), ("clear_preset_var2", var2)):
            used = attribute == "clear_preset_var1" or var is not None
            if used and var not in ("L", "H"):
                raise self.error(f", {s['kind']} group: {attribute} is {var}; a two-state model has L or H while clear and preset are both active")
        low = var1 == "L"
        # What is weaker acts only while the stronger does not, so that it acts when the stronger goes.
        strong, weak = ((clear, 0), (preset, 1)) if low else ((preset, 1), (clear, 0))
        rest = strong[0][1] if strong[0][0] == "not" else ("not", strong[0])
        weak = (("and", weak[0], rest), weak[1])
        return [strong, weak], None if var2 is None or (var2 == "H") == low else int(var2 == "H")

    def _register(self, s, body):
        if s["also"]:
            raise self.error(f", {s['kind']} group: a second clock ({s['also']}) has no model")
        if len(s["names"]) != 2 or not all(s["names"]):
            raise self.error(f", {s['kind']} group: needs two names, of the state and of its inverse, has {s['names']}")
        needed = ("clocked_on", "next_state") if s["kind"] == "ff" else ("enable", "data_in")
        missing = [a for a in needed if not s[a]]
        if missing:
            raise self.error(f", {s['kind']} group: has no {missing[0]}")
        q, qn = s["names"]
        for name in (q, qn):
            if name in self.cell["pins"]:
                raise self.error(f", {s['kind']} group: state {name} has the name of a pin")
            self.known.add(name)
        clock, data = (self._parse(s[a], a) for a in needed)
        forced, both = self._forced(s)
        body.append(f"  reg {q};")
        assign = "<=" if s["kind"] == "ff" else "="
        force = [(*self._edge(f, f"force{v}_", body), v) for f, v in forced]
        steps = [f"if ({level}) {q} {assign} 1'b{v};" for _, level, v in force]
        if s["kind"] == "ff":
            edges = [self._edge(clock, "clock_", body)[0]] + [edge for edge, _, _ in force]
            body.append(f"  always @({' or '.join(edges)})")
            steps.append(f"{q} {assign} {function.verilog(data)};")
        else:
            body.append("  always_latch")
            steps.append(f"if ({function.verilog(clock)}) {q} {assign} {function.verilog(data)};")
        body += [f"    {'else ' if i else ''}{step}" for i, step in enumerate(steps)]
        if both is None:
            body.append(f"  wire {qn} = ~{q};")
        else:
            clear, preset = (function.verilog(self._parse(s[a], a)) for a in ("clear", "preset"))
            body.append(f"  wire {qn} = ({clear} & {preset}) ? 1'b{both} : ~{q};")

    def _clock_gate(self, body):
        """Integrated clock gates are told by attributes of their pins, not by functions."""
        kind = self.cell["gate"]
        if kind not in ("latch_posedge", "latch_posedge_precontrol", "latch_posedge_postcontrol"):
            raise self.error(f": clock gate {kind} has no model; there are latch_posedge, alone or with precontrol or postcontrol")
        role = {v["gate_role"]: p for p, v in self.cell["pins"].items() if v["gate_role"]}
        needed = ["clock", "enable", "out"] + (["test"] if kind != "latch_posedge" else [])
        missing = [r for r in needed if r not in role]
        if missing:
            raise self.error(f": clock gate {kind} without a pin that is clock_gate_{missing[0]}_pin")
        others = [p for p in self.inputs + self.outputs if p not in [role[r] for r in needed]]
        if others:
            raise self.error(f", pin {others[0]}: has no part in a clock gate {kind}")
        enable = f"{role['enable']} | {role['test']}" if kind.endswith("precontrol") else role["enable"]
        gate = f"(open_ | {role['test']})" if kind.endswith("postcontrol") else "open_"
        body += ["  reg open_;", "  always_latch", f"    if (~{role['clock']}) open_ = {enable};"]
        body.append(f"  assign {role['out']} = {role['clock']} & {gate};")

    def verilog(self):
        body, ports = [], ", ".join([f"input {p}" for p in self.inputs] + [f"output {p}" for p in self.outputs])
        for pin, v in self.cell["pins"].items():
            if v["direction"] not in ("input", "output", "internal"):
                raise self.error(f", pin {pin}: direction {v['direction']} has no model")
            if v["three_state"]:
                raise self.error(f", pin {pin}: three_state \"{v['three_state']}\" has no two-state model")
        if self.cell["gate"]:
            self._clock_gate(body)
        else:
            if self.cell["other_state"]:
                raise self.error(f": a {self.cell['other_state'][0]} group has no model; ff and latch have")
            if len(self.cell["state"]) > 1:
                raise self.error(f": {len(self.cell['state'])} ff or latch groups; one has a model")
            for s in self.cell["state"]:
                self._register(s, body)
            for pin in self.outputs:
                text = self.cell["pins"][pin]["function"]
                if not text:
                    raise self.error(f", pin {pin}: an output without a function")
                body.append(f"  assign {pin} = {function.verilog(self._parse(text, f'pin {pin}, function'))};")
        return "\n".join([f"module {self.name} ({ports});", *body, "endmodule", ""])


def cell(library, name):
    """Verilog module of one cell. FlowError names library, cell and pin of what has no model."""
    return _Cell(library, name).verilog()


def memory(name):
    """Verilog module of a memory by the name of its stub (ohmac_sram_256x128): the memory of the RTL. None if it is no such name."""
    m = re.fullmatch(rf"({'|'.join(design.MEMORIES)})_(\d+)x(\d+)", name)
    if not m:
        return None
    stub = stubs.Memory(m[1], int(m[2]), int(m[3]))
    return f"{stubs.verilog(stub, name)}  {stub.kind} #(.Width({stub.width}), .Depth({stub.depth})) u_mem (.*);\nendmodule\n"


def models(modules, library):
    """Verilog of all that the modules of a netlist (netlist.read) are made of."""
    text = []
    for kind in sorted({kind for body in modules.values() for _, kind, _ in body} - set(modules)):
        model = cell(library, kind) if kind in library.cells else memory(kind)
        if model is None:
            raise design.FlowError(f"netlist: cell {kind} is neither in Liberty {library.path} (library {library.name}) nor a memory of the RTL")
        text.append(model)
    return "\n".join(text)


def shell(unit, geometry):
    """The module of the RTL around its netlist; another geometry than that of the netlist fails at elaboration."""
    source = next(design.ROOT / f for f in unit.files() if f.endswith(f"/{unit.top}.sv")).read_text()
    head = source[: source.index("\n);\n") + 4]
    fixed = geometry.verilog(unit.parameters)
    different = " || ".join(f"{name} != {value}" for name, value in fixed.items())
    wanted = ", ".join(f"{name}={value}" for name, value in fixed.items())
    return head + f'  if ({different}) $error("%m: this is the netlist of {wanted}");\n  {unit.top}{SUFFIX} u_netlist (.*);\nendmodule\n'


def _swap(library, kind):
    """A gate with the pins of `kind` and another function, or None."""
    one = library.cells[kind]
    outs = [p for p, v in one["pins"].items() if v["direction"] == "output"]
    if len(outs) != 1 or one["state"] or one["gate"]:
        return None
    function_of = lambda c: re.sub(r"\s", "", c["pins"][outs[0]]["function"])
    fits = (n for n, c in sorted(library.cells.items()) if c["pins"].keys() == one["pins"].keys() and not c["state"] and not c["gate"])
    return next((n for n in fits if function_of(library.cells[n]) != function_of(one)), None)


def _gate_before(text, library, kind, register):
    """(start, match of the gate, gate that may stand for it, name of the flop): the first flop whose name begins with `register` in the first module
    of that kind of the RTL that has a gate with a swap at its data input."""
    for m in re.finditer(r"^module (\\\S+ |\w+).*?^endmodule$", text, re.M | re.S):
        if netlist.plain(m[1]).split("$")[0] != kind:
            continue
        cells = [g for g in re.finditer(r"^  (\w+) (\S+)\s*\(\n((?:    \..*\n)+)  \);\n", m[0], re.M) if g[1] in library.cells]
        driver = {_pin(g, _output(library, g[1])): g for g in cells}
        for flop in cells:
            if not library.cells[flop[1]]["flop"] or not netlist.plain(flop[2] + " ").startswith(register):
                continue
            for pin in function.pins(function.parse(library.cells[flop[1]]["state"][0]["next_state"])):
                gate = driver.get(_pin(flop, pin))
                other = gate and _swap(library, gate[1])
                if other:
                    return m.start() + gate.start(), gate, other, flop[2]
    raise design.FlowError(f"netlist: no flop {register}* in a module {kind} has a gate in front of it that can be swapped; name another register")


def _output(library, kind):
    return next(p for p, v in library.cells[kind]["pins"].items() if v["direction"] == "output")


def _pin(instance, pin):
    m = re.search(rf"\.{pin}\((.*?)\)", instance[3])
    return m and m[1]


def plant(text, library, kind, register):
    """The netlist with the gate in front of a register of a module of the RTL (`ohmac_vector`, `a_q`) replaced by another; (text, what was done)."""
    at, gate, other, flop = _gate_before(text, library, kind, register)
    return text[:at] + text[at:].replace(gate[1], other, 1), f"{kind}: {gate[1]} {gate[2]} in front of {flop} is {other} now"


def switch(text, library, kind, register):
    """The same fault beside the gate: what the gate gives is taken unless the environment says OHMAC_MUTANT=1 (tb/mutation)."""
    at, gate, other, flop = _gate_before(text, library, kind, register)
    out = _output(library, gate[1])
    net = _pin(gate, out)
    right, wrong = (gate[0].replace(f".{out}({net})", f".{out}(fault_{i})") for i in range(2))
    wrong = wrong.replace(f"{gate[1]} {gate[2]}", f"{other} u_fault_gate", 1)
    text_of = f"  wire [1:0] fault_;\n  wire fault_on;\n  ohmac_mutant #(.Width(1)) u_fault (.mutant_o(fault_on));\n"
    both = right.replace("fault_0", "fault_[0]") + wrong.replace("fault_1", "fault_[1]") + f"  assign {net} = fault_on ? fault_[1] : fault_[0];\n"
    return text[:at] + text_of + both + text[at + len(gate[0]) :], f"{kind}: {gate[1]} {gate[2]} in front of {flop} is {other} with OHMAC_MUTANT=1"


def write(unit, geometry, library, folder, out, fault=None):
    """OUT/netlist.v, cells.sv and shell.sv from FOLDER/netlist.v; `fault` is MODULE:REGISTER (switch)."""
    text = (pathlib.Path(folder) / "netlist.v").read_text()
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if fault:
        text, where = switch(text, library, *fault.split(":"))
        (out / "fault.txt").write_text(where + "\n")
    text, n = re.subn(rf"^module {unit.top}\b", f"module {unit.top}{SUFFIX}", text, flags=re.M)
    if n != 1:
        raise design.FlowError(f"{folder}/netlist.v: has {n} modules {unit.top}, not one")
    (out / "netlist.v").write_text(text)
    (out / "cells.sv").write_text(models(netlist.read(out / "netlist.v"), library))
    (out / "shell.sv").write_text(shell(unit, geometry))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("netlist", nargs="?", help="folder that synth.py has written; without it, OUT/cells.sv has every cell of the library")
    p.add_argument("--out", required=True, help="folder")
    p.add_argument("--unit", default="tile")
    p.add_argument("--geometry", default="reference")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--fault", metavar="MODULE:REGISTER", help="with OHMAC_MUTANT=1 the gate in front of this register is another")
    a = p.parse_args()
    try:
        library = Library(a.liberty)
        if a.netlist:
            write(design.unit(a.unit), design.geometry(a.geometry), library, a.netlist, a.out, a.fault)
        else:
            pathlib.Path(a.out).mkdir(parents=True, exist_ok=True)
            (pathlib.Path(a.out) / "cells.sv").write_text("\n".join(cell(library, n) for n in library.cells))
    except design.FlowError as e:
        sys.exit(f"cell_models: {e}")


if __name__ == "__main__":
    main()
