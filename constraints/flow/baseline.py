"""make baseline: the analog chip beside a digital MAC core of the same throughput (rtl/baseline), in 8 and 4 bits: energy of an inference, area,
accuracy, throughput, and where analog wins.

    python3 constraints/flow/baseline.py [--network mnist_mlp] [--images 1000] [--recorded 30] [--node 32] [--write]

Maps the core, records it while it infers real images (build/bin/dmac_activity), evaluates every net of the whole netlist over the recording, as
make power does for the chip, and reads the analog side from `ohmac run --energy` and the cost tables. Writes build/baseline/baseline.json and .md;
--write: constraints/costs/baseline/LIBRARY.toml, too."""

import argparse
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tomllib

import baseline_table
import design
import netlist
import power
import sta
import synth
from costs import CostError, MemoryCosts
from digital_table import folder_of
from library import DEFAULT, Library

BIN = design.ROOT / "build" / "bin"
OUT = design.ROOT / "build" / "baseline"
COSTS = design.ROOT / "constraints" / "costs"
BITS = (8, 4)
SLICE = "ohmac_dmac_slice"
STUB = f"{SLICE}_stub"


def run_tool(name, arguments):
    tool = BIN / name
    if not tool.exists():
        raise design.FlowError(f"{tool} is not built: make baseline builds it")
    run = subprocess.run([str(tool), *map(str, arguments)], capture_output=True, text=True)
    if run.returncode:
        raise design.FlowError(f"{name}: {run.stderr.strip()}")


def recording(folder):
    """activity.json of dmac_activity; its VCD files must be there."""
    folder = pathlib.Path(folder)
    try:
        found = json.loads((folder / "activity.json").read_text())
    except OSError:
        raise design.FlowError(f"{folder}/activity.json: no recording of the digital baseline; build/bin/dmac_activity --out {folder} makes it") from None
    for p in found["pieces"]:
        if not (folder / p["vcd"]).exists():
            raise design.FlowError(f"{folder}/{p['vcd']}: the recording of piece {p['name']} is missing; build/bin/dmac_activity --out {folder} makes it")
    return found


def join(core, slice_, out):
    """Writes netlist and stubs of the whole core, from those of the core around its slices and of a slice, which are mapped apart; names of the slices."""
    out.mkdir(parents=True, exist_ok=True)
    around, inner = (f / "netlist.v" for f in (core, slice_))
    modules, own = netlist.read(around), netlist.read(inner)
    if both := set(modules) & set(own):
        raise design.FlowError(f"{around} and {inner} both have a module {min(both)}")
    text = around.read_text()
    (out / "netlist.v").write_text(text.replace(f"  {STUB} ", f"  {SLICE} ") + inner.read_text())
    shutil.copy(slice_ / "stubs.lib", out / "stubs.lib")
    return [i for i, kind, _ in modules["ohmac_dmac"] if kind == STUB]


def joined_prices(core, slice_, slices, units, library):
    """power.prices() of the whole core."""
    around, inner = (power.prices(f, u, library) for f, u in zip((core, slice_), units))
    prices = {path: p for path, p in around.items() if path not in slices}
    for s in slices:
        prices |= {f"{s}/{path}": p for path, p in inner.items()}
    return prices


def measure(bits, folder, library, geometry, costs):
    """What baseline_table.digital_engine() takes, of the recording in `folder`. Raises if the netlist does not do what the RTL did."""
    activity = recording(folder)
    if (activity["rows"], activity["cols"]) != (geometry.rows, geometry.cols):
        raise design.FlowError(f"{folder}: recorded with {activity['rows']} x {activity['cols']} cells, the geometry has {geometry.rows} x {geometry.cols}")
    units = [design.UNITS[f"{u}{bits}"] for u in ("dmac", "dmac_slice")]
    folders = [folder_of(library, geometry, u.name) for u in units]
    area = [synth.map_unit(u, geometry, library, f, costs) for u, f in zip(units, folders)]
    timing = [sta.timing(f, u, library, design.sdc(u)) for u, f in zip(units, folders)]
    whole = OUT / f"netlist{bits}"
    slices = join(*folders, whole)
    prices = joined_prices(*folders, set(slices), units, library)

    bank = next(m for a in area[1].values() for m in a["macros"])
    width, depth = map(int, bank.rsplit("_", 1)[1].split("x"))
    sram = costs.sram(width, depth, parity=False)  # the core writes and reads no parity
    n = len(slices)
    pieces = []
    for p in activity["pieces"]:
        run = power.Run(whole, units[0], library, pathlib.Path(folder) / p["vcd"], "TOP.ohmac_dmac")
        if wrong := run.check():
            raise design.FlowError(f"{whole}/netlist.v: {len(wrong)} flops load something else than the RTL's registers in {p['vcd']}, first {wrong[0][0]} in {wrong[0][1]} cycles")
        seconds, j = run.cycles / power.HZ, collections.Counter()
        leakage = 0.0  # of cells, the same in every piece
        for path, b in power.by_block(run, prices).items():
            part = "slice" if path.startswith("gen_slice") else "tree" if path.startswith("gen_col") else "control"
            j[f"{part}_j"] += b["data_w"] * seconds
            j["clock_j"] += (b["gated_w"] + b["free_w"]) * seconds
            j["slice_clock_j"] += b["gated_w"] * seconds if part == "slice" else 0.0
            j["free_j_per_cycle"] += b["free_w"] / power.HZ
            leakage += b["leakage_w"]
        j["sram_j"] = sram.read_pj * 1e-12 * sum(reads for _, _, reads, _ in run.accesses())
        pieces.append({**{k: p[k] for k in ("name", "rows", "columns", "cycles")}, **j})

    def cells(table, under=""):
        return sum(a["area_um2"] for path, a in table.items() if path.startswith(under)) / 1e6

    return {
        "recorded": activity["recorded"],
        "images": activity["images"],
        "accuracy": activity["accuracy"],
        "accuracy_float": activity["accuracy_float"],
        "mvm_cycles": activity["mvm_cycles"],
        "pieces": pieces,
        "sram_mm2": n * sram.area_um2 / 1e6,
        "slice_mm2": n * cells(area[1]),
        "tree_mm2": cells(area[0], "gen_col"),
        "control_mm2": cells(area[0]) - cells(area[0], "gen_col"),
        "leakage_w": leakage + n * sram.leakage_uw * 1e-6,
        "retention_w": n * sram.leakage_uw * 1e-6,
        "load_j": n * depth * sram.write_pj * 1e-12,
        "fmax_mhz": min(t["fmax_mhz"] for t in timing),
    }


def analog_fmax(library, geometry):
    """f_max of the mapped tile if `make synth` has seen the present netlist; else None."""
    folder = folder_of(library, geometry, "tile")
    stamp, timing = folder / "key", folder / "timing.json"
    if not stamp.exists() or not timing.exists() or timing.stat().st_mtime < stamp.stat().st_mtime:
        return None
    return json.loads(timing.read_text())["fmax_mhz"]


def si(value, unit):
    for factor, prefix in ((1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p")):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def part_rows(engines, cell):
    """One row for each part of any engine. cell(part): its name and text; no text, no row."""
    found = {}
    for i, e in enumerate(engines):
        for name, text in map(cell, e["parts"]):
            if text:
                found.setdefault(f"- {name}", [""] * len(engines))[i] = text
    return [[name, *texts] for name, texts in found.items()]


def report(analog, digitals, nodes, record, fmax):
    """Rows [what, analog, digital ...] of the table. fmax: of the analog tile, None if not known."""
    all_ = [analog, *digitals.values()]
    clock, clocks = record["costs"]["clock_mhz"], [fmax, *(d["fmax_mhz"] for d in digitals.values())]
    cells = 2 * record["geometry"]["rows"] * record["geometry"]["cols"]

    def row(what, value):
        return [what, *(value(e) for e in all_)]

    rows = [
        row(f"accuracy, {record['images']} images", lambda e: f"{e['accuracy']:.2%}"),
        row("energy of an inference: MVM engine", lambda e: si(e["energy_j"], "J")),
    ]
    rows += part_rows(all_, lambda part: (part[0], si(part[1], "J")))
    rows += [
        row("energy of an inference: whole chip", lambda e: si(e["chip_j"], "J")),
        row("TOPS/W, whole chip (MVM engine)", lambda e: f"{analog['operations'] / e['chip_j'] * 1e-12:.3f} ({analog['operations'] / e['energy_j'] * 1e-12:.3f})"),
        row("area of the MVM engine of a tile, mm2", lambda e: f"{e['area_mm2']:.2f}"),
    ]
    rows += part_rows(all_, lambda part: (f"{part[0]}, mm2", f"{part[2]:.2f}" if part[2] else ""))
    rows += [
        row(f"area of the chip of {analog['tiles']} tiles, mm2", lambda e: f"{e['chip_mm2']:.0f}"),
        row("cycles of a full MVM", lambda e: f"{e['mvm_cycles']:.0f}"),
        row(f"TOPS of a tile, full MVMs, {clock:.0f} MHz", lambda e: f"{cells * clock / e['mvm_cycles'] * 1e-6:.3f}"),
        ["f_max of the mapped netlist, MHz", *("make synth" if f is None else f"{f:.0f}" for f in clocks)],
        ["TOPS of a tile, full MVMs, f_max", *("" if f is None else f"{cells * f / e['mvm_cycles'] * 1e-6:.3f}" for f, e in zip(clocks, all_))],
        row("standby of a tile: weights held", lambda e: si(e["retention_w"], "W")),
        row("loading the weights of a tile", lambda e: si(e["load_j"], "J")),
    ]
    columns = record["geometry"]["cols"]
    for n in baseline_table.ROWS:
        if n <= record["geometry"]["rows"]:
            rows.append(row(f"energy of an MVM, {n} rows, {columns} columns", lambda e, n=n: si(baseline_table.mvm_j(e, n, columns), "J")))
    for nm, found in nodes.items():
        rows.append([f"MVM engine at {nm} nm, scaled: energy, mm2", *(f"{si(j, 'J')}, {mm2:.2f}" for j, mm2 in found.values())])
    return rows


def markdown(head, rows, lines):
    text = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(r) + " |" for r in rows)]
    return "\n".join([*text, "", *(f"- {line}" for line in lines), ""])


def to_toml(library, digitals, measured, arguments, clock_mhz):
    """The measured cores: numbers of baseline.measure(), five digits."""
    lines = [
        "# Written by constraints/flow/baseline.py --write; do not edit. Format: README.md.",
        f'library = "{library.name.removesuffix("_stdcells")}"',
        f"node_nm = {library.settings.get('node_nm')}",
        f"voltage_v = {library.voltage}",
        f"clock_mhz = {clock_mhz}",
        f'source = "python3 constraints/flow/baseline.py {arguments}"',
    ]
    for name, m in measured.items():
        n, d = m["recorded"], digitals[name]
        lines += [f"[{name}]", *(f"{k} = {m[k]:.5g}" for k in ("accuracy", "mvm_cycles", "fmax_mhz", "sram_mm2", "slice_mm2", "tree_mm2", "control_mm2", "leakage_w", "retention_w", "load_j"))]
        lines += [f"row_column_j = {d['row_column_j']:.5g}", f"column_j = {d['column_j']:.5g}"]
        for p in m["pieces"]:
            lines += [f"[[{name}.piece]]  # joule of an image", f'name = "{p["name"]}"', f"rows = {p['rows']}", f"columns = {p['columns']}"]
            lines += [f"{k} = {p[k] / n:.5g}" for k in ("cycles", "sram_j", "slice_j", "tree_j", "control_j", "clock_j")]
            lines.append(f"free_j_per_cycle = {p['free_j_per_cycle']:.5g}")
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--network", default="mnist_mlp")
    p.add_argument("--images", type=int, default=1000, help="images to classify, the same for all")
    p.add_argument("--recorded", type=int, default=30, help="the first of them, whose energy is measured in the digital core; as in make power")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--node", type=int, nargs="*", default=[32], help="other nodes, by the rules of constraints/costs/scaling.toml")
    p.add_argument("--keep-recording", action="store_true", help="in build/baseline: 600 MB")
    p.add_argument("--use-recording", action="store_true", help="that an earlier call kept")
    p.add_argument("--write", action="store_true", help="write constraints/costs/baseline/LIBRARY.toml")
    a = p.parse_args()
    try:
        library, geometry, costs = Library(a.liberty), design.NAMED["reference"], MemoryCosts()
        OUT.mkdir(parents=True, exist_ok=True)
        run_tool("ohmac", ["run", "--network", a.network, "--images", a.images, "--energy", "--json", OUT / "analog.json"])
        record = json.loads((OUT / "analog.json").read_text())
        table = next(t["file"] for t in record["costs"]["tables"] if t["file"].startswith("digital"))
        analog = baseline_table.analog_engine(record, tomllib.loads((COSTS / table).read_text()))
        measured = {}
        for bits in BITS:
            folder = OUT / f"int{bits}"
            if not a.use_recording:
                run_tool("dmac_activity", ["--network", a.network, "--bits", bits, "--images", a.images, "--recorded", a.recorded, "--out", folder])
            measured[f"int{bits}"] = measure(bits, folder, library, geometry, costs)
            if not (a.keep_recording or a.use_recording):
                for vcd in folder.glob("*.vcd"):
                    vcd.unlink()
        digitals = {name: baseline_table.digital_engine(m, analog) for name, m in measured.items()}
        rules = {b: tomllib.loads((COSTS / "analog_180nm.toml").read_text()).get(b, {}).get("scaling", "none") for b in baseline_table.MACRO} | {"array": "cells"}
        scaling = tomllib.loads((COSTS / "scaling.toml").read_text())
        nodes = {nm: baseline_table.at_node(analog, digitals, rules, scaling, nm) for nm in a.node}
    except (design.FlowError, CostError) as e:
        sys.exit(f"baseline: {e}")
    fmax = analog_fmax(library, geometry)
    rows = report(analog, digitals, nodes, record, fmax)
    g = record["geometry"]
    lines = baseline_table.verdict(analog, digitals, nodes, record["images"], g["rows"], g["cols"], record["costs"]["clock_mhz"])
    head = ["", "analog", *digitals]
    (OUT / "baseline.md").write_text(markdown(head, rows, lines))
    (OUT / "baseline.json").write_text(json.dumps({"analog": analog, **digitals, "measured": measured, "nodes": nodes, "lines": lines}, indent=1) + "\n")
    if a.write:
        (COSTS / "baseline").mkdir(exist_ok=True)
        arguments = f"--images {a.images} --recorded {a.recorded}"
        (COSTS / "baseline" / f"{library.name.removesuffix('_stdcells')}.toml").write_text(to_toml(library, digitals, measured, arguments, 1e3 / design.PERIOD_NS))
    wide = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    for r in [head, *rows]:
        print(r[0].ljust(wide[0]) + "".join(c.rjust(w + 3) for c, w in zip(r[1:], wide[1:])))
    print("\n" + "\n".join(lines))
    print(f"\nin {OUT.relative_to(design.ROOT)}: baseline.md, baseline.json")


if __name__ == "__main__":
    main()
