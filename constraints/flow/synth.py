"""Maps one unit of the chip to a standard-cell library: netlist (Verilog and JSON) and area of every instance."""

import argparse
import dataclasses
import hashlib
import json
import pathlib
import re
import sys

import design
import netlist
import stubs
import yosys
from costs import MemoryCosts
from library import DEFAULT, Library

CLOCK_FANOUT = 16
HOLD = "_held"
GATE = "ohmac_clk_gate"
MIN_GATED = 6  # flops: a gate of OSU (latch, inverter, AND: 104 um2) is smaller than three multiplexers and spares their clock
FLOW = pathlib.Path(__file__).resolve().parent


def _glob(name):
    """A Yosys pattern for exactly this name, but for its brackets."""
    return re.sub(r"[\[\]]", "?", name)


def read_command(unit, geometry, top=None):
    options = ["read_slang --threads 1 --ignore-assertions --keep-hierarchy", f"--top {top or unit.top}"]
    options += [f"-G {n}={v}" for n, v in [*geometry.verilog(unit.parameters).items(), *unit.fixed]]
    return " ".join(options + unit.files())


def macros(elaborated, unit):
    """{module: stub} of the memories and of other units in a design written by write_json."""
    found = {}
    for name, module in elaborated["modules"].items():
        kind = name.split("$")[0]
        if kind in unit.black_boxes:
            found[name] = stubs.Block(kind, tuple((p, v["direction"], len(v["bits"])) for p, v in module["ports"].items()))
        if kind not in design.MEMORIES:
            continue
        width = {p: len(v["bits"]) for p, v in module["ports"].items()}
        memory = next(iter(module["memories"].values()))
        found[name] = stubs.Memory(kind, width["wdata_i"], memory["size"])
    return found


# Adders and multipliers before technology mapping; OSU has no full-adder tree worth inferring, so ABC gets plain logic.
COARSE = """
proc
opt_expr
opt_clean
check -assert
opt -nodffe -nosdff
wreduce
peepopt
opt_clean
booth
alumacc
share
opt -nosdff
memory -nomap
opt_clean
memory_map
opt_hier
opt -full -nosdff
opt_hier
opt -full -nosdff
techmap
opt -fast -nosdff
opt_clean -purge
""".split("\n")

# Shared logic is cleaned, then depth is taken out of it (if -g), mapped with structural choices, large fan-outs get buffers and cells their sizes.
ABC = """strash
ifraig
scorr
dc2
strash
if -K 6 -g
strash
&get -n
&st
&dch
&nf
&put
buffer -c -N 12
topo
upsize -D {fast}
dnsize -D {period}
stime -p
"""


def map_unit(unit, geometry, library, out, costs=None, period_ps=3200):
    """Writes OUT/netlist.v, netlist.json, stubs.lib and area.json; returns the latter. Skips the work if nothing has changed."""
    costs = costs or MemoryCosts()
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    key = _key(unit, geometry, library, costs, period_ps)
    stamp = out / "key"
    if stamp.exists() and stamp.read_text() == key:
        return json.loads((out / "area.json").read_text())
    stamp.unlink(missing_ok=True)

    read = read_command(unit, geometry)
    yosys.run("elaborate", [read, f"write_json {out}/elaborated.json"], out)
    elaborated = json.loads((out / "elaborated.json").read_text())
    (out / "elaborated.json").unlink()
    found = macros(elaborated, unit)
    (out / "stubs.lib").write_text(stubs.liberty(set(found.values()), costs, library.wire_load()[1]))
    (out / "abc.script").write_text(ABC.format(period=period_ps, fast=int(0.6 * period_ps)))
    (out / "abc.constr").write_text(f"set_driving_cell {library.buffer()}\nset_load 0.05\n")

    lib = library.path
    # Small memories written by the flop before them would see their data change too early.
    held = {m for m in found.values() if isinstance(m, stubs.Memory) and m.kind == "ohmac_mvm_mem"}
    (out / "hold_map.v").write_text("".join(stubs.verilog(m, m.cell + HOLD) + _hold_buffers(m, library) for m in sorted(held)))
    replace = [f"read_liberty -lib -ignore_miss_func {lib}", f"read_liberty -lib -ignore_miss_func {out}/stubs.lib"]
    replace += [f"read_verilog -lib {out}/hold_map.v"] if held else []
    for module, memory in sorted(found.items()):
        cell = memory.cell + HOLD if memory in held else memory.cell
        replace += [f"chtype -set {cell} t:{_glob(module)}", f"delete ={_glob(module)}"]
    # Clock gates of the RTL become cells as those that are inferred.
    gates = [m for m in elaborated["modules"] if m.startswith(GATE + "$")]
    (out / "clock_gate.v").write_text(f"(* blackbox *) module {GATE} (input clk_i, input en_i, output clk_o); endmodule\n")
    replace.append(f"read_verilog -lib {out}/clock_gate.v")
    if gates:
        replace += [f"chtype -set {GATE} t:{GATE}$*", f"delete ={GATE}$*"]
    if any(m.startswith("ohmac_hold_check$") for m in elaborated["modules"]):  # holds assertions only
        replace += ["delete t:ohmac_hold_check*", "delete =ohmac_hold_check*"]
    commands = [
        read,
        *replace,
        f"hierarchy -check -top {unit.top}",
        *COARSE,
        "select -assert-none t:$_DLATCH* t:$_SR_* t:$_ALDFF* %u %u",
        # Registers with an enable get a clock gate where there are enough of them; the others a multiplexer.
        f"clockgate -pos {GATE} en_i:clk_i:clk_o -min_net_size {MIN_GATED}",
        f"techmap -map {_clock_gate_map(library, out)}",
        f"techmap -map {out}/hold_map.v",
        f"dfflibmap -liberty {lib}",
        "opt -fast -nosdff",
        f"abc -liberty {lib} -constr {out}/abc.constr -D {period_ps} -script {out}/abc.script",
        "setundef -zero",
        "opt_clean -purge",
        "select -assert-none t:$*",
        "check -mapped -assert",
        *(f"rename -wire t:{n}" for n, c in sorted(library.cells.items()) if c["flop"] or c["latch"]),  # flops tell their signal
        f"write_verilog -noattr -noexpr -simple-lhs {out}/netlist.v",
    ]
    yosys.run("map", [c for c in commands if c], out)
    netlist.tidy(out / "netlist.v")
    clocks = {n: next(p for p, v in c["pins"].items() if v["clock"]) for n, c in library.cells.items() if c["flop"]}
    netlist.buffer_clocks(out / "netlist.v", clocks, library.clock_buffer(CLOCK_FANOUT), CLOCK_FANOUT)
    broadcast = {m.cell: {p: w for p, (d, w) in m.ports.items() if d == "input" and p not in ("clk_i", "rst_ni")} for m in found.values() if isinstance(m, stubs.Block)}
    netlist.buffer_broadcasts(out / "netlist.v", broadcast, library.clock_buffer(CLOCK_FANOUT), CLOCK_FANOUT)
    area = area_of(netlist.read(out / "netlist.v"), unit.top, library, {m.cell: m.costs(costs).area_um2 if isinstance(m, stubs.Memory) else 0.0 for m in found.values()})
    (out / "area.json").write_text(json.dumps(area, indent=1))
    stamp.write_text(key)
    return area


def _key(unit, geometry, library, costs, period_ps):
    h = hashlib.sha256(repr((unit.name, dataclasses.astuple(geometry), costs.sram(256, 256), costs.regfile(32, 32), period_ps)).encode())
    own = [FLOW / f"{m}.py" for m in ("synth", "design", "library", "netlist", "stubs", "yosys", "costs")]
    settings = design.ROOT / "constraints" / "libraries" / f"{library.name}.toml"
    for f in [*unit.files(), *own, library.path, settings]:
        p = design.ROOT / f
        if p.is_file():
            h.update(p.read_bytes())
    return h.hexdigest()


def _hold_buffers(memory, library):
    """Body of the techmap rule MEMORY_held -> MEMORY with a buffer in front of every input but the clock."""
    buffer = library.buffer()
    a, y = library.pins_of(buffer)
    body, pins = [], []
    for port, (direction, width) in memory.ports.items():
        if direction == "output" or port == "clk_i":
            pins.append(f".{port}({port})")
            continue
        body.append(f"  wire [{width - 1}:0] late_{port};")
        for i in range(width):
            body.append(f"  {buffer} hold_{port}_{i} (.{a}({port}{f'[{i}]' if width > 1 else ''}), .{y}(late_{port}[{i}]));")
        pins.append(f".{port}(late_{port})")
    return "\n".join([*body, f"  {memory.cell} _TECHMAP_REPLACE_ ({', '.join(pins)});", "endmodule", ""])


def _clock_gate_map(library, out):
    """Verilog that maps ohmac_clk_gate to an integrated clock gate of the library, or to latch, inverter and AND."""
    latch, cell = next((n, c) for n, c in sorted(library.cells.items()) if c["latch"])
    enable = next(p for p, v in cell["pins"].items() if v["clock"])
    data = next(p for p, v in cell["pins"].items() if v["direction"] == "input" and p != enable)
    q = next(p for p, v in cell["pins"].items() if v["direction"] == "output")
    inv, a, y = library.inverter(), *library.pins_of(library.inverter())
    both, (b0, b1), z = library.and2(), *library.pins_of(library.and2())
    path = out / "clock_gate_map.v"
    path.write_text(
        f"""// An inverted clock opens the latch: the enable passes while the clock is low.
module {GATE} (input clk_i, en_i, output clk_o);
  wire low, open;
  {inv} u_inv (.{a}(clk_i), .{y}(low));
  {latch} u_latch (.{enable}(low), .{data}(en_i), .{q}(open));
  {both} u_and (.{b0}(clk_i), .{b1}(open), .{z}(clk_o));
endmodule
"""
    )
    return path


def area_of(modules, top, library, stub_cells):
    """{instance path: {"module", "area_um2", "cells", "flops", "gates" (clock gates) of its own cells, "macro_um2", "macros": {stub: number}}};
    the path of the top is "". `stub_cells`: {name: area in um2}."""
    table = {}

    def walk(name, path):
        own = {"module": name.split("$")[0], "area_um2": 0.0, "cells": 0, "flops": 0, "gates": 0, "macro_um2": 0.0, "macros": {}}
        table[path] = own
        for inst, kind, _ in modules[name]:
            if kind in library.cells:
                own["area_um2"] += library.cells[kind]["area"]
                own["cells"] += 1
                own["flops"] += library.cells[kind]["flop"]
                own["gates"] += library.cells[kind]["latch"] or bool(library.cells[kind]["gate"])
            elif kind in stub_cells:
                own["macros"][kind] = own["macros"].get(kind, 0) + 1
                own["macro_um2"] += stub_cells[kind]
            elif kind in modules:
                walk(kind, f"{path}/{inst}" if path else inst)
            else:
                raise design.FlowError(f"netlist of {top}: cell {path}/{inst} is a {kind}, which neither {library.path} nor the stubs have")

    walk(top, "")
    return table


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--unit", default="tile", help="tile, chip, or a module of rtl/ on its own")
    p.add_argument("--geometry", default="reference")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--out", default=None)
    a = p.parse_args()
    try:
        g = design.geometry(a.geometry)
        library = Library(a.liberty)
        out = pathlib.Path(a.out or design.ROOT / "build" / "synth" / library.name / g.name / a.unit)
        area = map_unit(design.unit(a.unit), g, library, out)
    except design.FlowError as e:
        sys.exit(f"synth: {e}")
    print(
        f"{sum(r['area_um2'] for r in area.values()) / 1e6:.3f} mm2 of cells, {sum(r['macro_um2'] for r in area.values()) / 1e6:.3f} mm2 of memories, "
        f"{sum(r['cells'] for r in area.values())} cells, in {out}"
    )


if __name__ == "__main__":
    main()
