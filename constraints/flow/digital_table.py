"""Measures the digital cost table of a geometry (constraints/costs/README.md): area from the mapped units, energy from recorded runs.

    python3 constraints/flow/digital_table.py [--geometry reference] [--images 30] [--write]

Records every tile and the chip around them with build/bin/chip_activity (make power builds it), prices them (power.py) and shares each block's energy
out: clocks that no gate stops over the cycles of the tile, all else over the events that the block works for."""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import subprocess
import sys

import blocks
import design
import power
import synth
from costs import CostError, MemoryCosts
from library import DEFAULT, Library

ACTIVITY = design.ROOT / "build" / "bin" / "chip_activity"
RECORDED = design.geometry("reference,mesh_x=3,mesh_y=2")  # tb/power/CMakeLists.txt


def folder_of(library, geometry, unit):
    return design.ROOT / "build" / "synth" / library.name / geometry.name / unit


def record(out, tile, images, during="inference"):
    """(VCD, {cycles, images, tiles: [{counter: events}], used, flit_hops}) of a run; tile -1 is the chip around the tiles."""
    out.mkdir(parents=True, exist_ok=True)
    vcd, js = out / f"{during}_{tile}.vcd", out / f"{during}_{tile}.json"
    if not ACTIVITY.exists():
        raise design.FlowError(f"{ACTIVITY} is not built: make power builds it")
    command = [ACTIVITY, "--during", during, "--images", str(images), "--tile", str(tile), "--vcd", vcd, "--json", js]
    run = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if run.returncode:
        raise design.FlowError(f"chip_activity: {run.stderr.strip()}")
    return vcd, json.loads(js.read_text())


@dataclasses.dataclass
class Sums:
    """Of one block over the recorded windows, in joule."""

    data: float = 0.0
    gated: float = 0.0
    free: float = 0.0
    ungated: float = 0.0
    leakage_w: float = 0.0


def measure(library, unit, table, folder, vcd, scope, costs):
    """{block: Sums} of a recording, and the SRAM's {reads, writes}. Raises if the netlist does not do what the RTL did."""
    run = power.Run(folder, unit, library, vcd, scope)
    wrong = run.check()
    if wrong:
        raise design.FlowError(
            f"{folder}/netlist.v: {len(wrong)} flops load something else than the RTL's registers in {vcd}, first {wrong[0][0]} in {wrong[0][1]} cycles"
        )
    seconds = run.cycles / power.HZ
    sums = collections.defaultdict(Sums)
    for path, p in power.by_block(run, power.prices(folder, unit, library)).items():
        s = sums[blocks.block_of(path, table)]
        s.data += p["data_w"] * seconds
        s.gated += p["gated_w"] * seconds
        s.free += p["free_w"] * seconds
        s.ungated += p["clock_ungated_w"] * seconds
        s.leakage_w += p["leakage_w"]
    sram = {"reads": 0, "writes": 0}
    for cell, path, reads, writes in run.accesses():
        kind, shape = cell.rsplit("_", 1)
        width, depth = map(int, shape.split("x"))
        if kind == "ohmac_sram":
            sram["reads"] += reads
            sram["writes"] += writes
            continue
        c = costs.regfile(width, depth)
        s = sums[blocks.block_of(path.rpartition("/")[0], table)]
        s.data += (reads * c.read_pj + writes * c.write_pj) * 1e-12
        s.leakage_w += c.leakage_uw * 1e-6
    return sums, sram, run.cycles


def areas(area, table):
    """{block: [um2, cells, flops, clock gates]}; the SRAM is a block of its own."""
    found = collections.defaultdict(lambda: [0.0, 0, 0, 0])
    for path, a in area.items():
        rows = found[blocks.block_of(path, table)]
        macro = a["macro_um2"]
        if any(m.startswith("ohmac_sram_") for m in a["macros"]):
            found[blocks.SRAM][0] += macro
            macro = 0.0
        rows[0] += a["area_um2"] + macro
        rows[1] += a["cells"]
        rows[2] += a["flops"]
        rows[3] += a["gates"]
    return found


def build(library, geometry, images, costs):
    """The table as a dict, and [(block, Sums, ...)] for reports."""
    tile = design.UNITS["tile"]
    chip = design.UNITS["chip"]
    tile_folder = folder_of(library, geometry, "tile")
    tile_area = synth.map_unit(tile, geometry, library, tile_folder, costs)
    chip_area = synth.map_unit(chip, geometry, library, folder_of(library, geometry, "chip"), costs)
    around = folder_of(library, RECORDED, "chip")
    synth.map_unit(chip, RECORDED, library, around, costs)
    out = design.ROOT / "build" / "power"

    totals, events, cycles, sram = collections.defaultdict(Sums), collections.Counter(), 0, collections.Counter()
    windows = []
    for t in range(RECORDED.tiles):
        vcd, info = record(out, t, images)
        if t not in info["used"]:
            continue
        sums, accesses, _ = measure(library, tile, blocks.TILE, tile_folder, vcd, f"TOP.ohmac_top.gen_tile[{t}].u_tile", costs)
        vcd.unlink()
        counted = {k.upper(): v for k, v in info["tiles"][t].items()}
        windows.append((t, sums, counted))
        for name, s in sums.items():
            total = totals[name]
            for f in ("data", "gated", "free", "ungated"):
                setattr(total, f, getattr(total, f) + getattr(s, f))
            total.leakage_w = s.leakage_w
        events.update(counted)
        sram.update(accesses)
    vcd, info = record(out, -1, images)
    chip_sums, _, chip_cycles = measure(library, chip, blocks.CHIP, around, vcd, "TOP.ohmac_top", costs)
    vcd.unlink()

    found = {}
    for name, (um2, cells, flops, gates) in areas(tile_area, blocks.TILE).items():
        found[name] = entry("tile", um2, cells, flops)
        found[name]["clock_gates"] = gates
    for name, s in totals.items():
        e, counter = found[name], blocks.TILE[name][1]
        e["leakage_w"] = s.leakage_w
        e["clock_j_per_cycle"] = s.free / events["ACTIVE"]
        share(e, counter, s.data + s.gated, events[counter])
    bank = next(m for a in tile_area.values() for m in a["macros"] if m.startswith("ohmac_sram_"))
    width, depth = map(int, bank.rsplit("_", 1)[1].split("x"))
    c = costs.sram(width, depth)
    e = found[blocks.SRAM]
    e["leakage_w"] = c.leakage_uw * 1e-6 * geometry.sram_banks
    e["events"] = [
        {"counter": "SRAM_RD", "joule": c.read_pj * 1e-12 * sram["reads"] / events["SRAM_RD"]},
        {"counter": "SRAM_WR", "joule": c.write_pj * 1e-12 * sram["writes"] / events["SRAM_WR"]},
    ]
    routers = RECORDED.tiles
    for name, (um2, cells, flops, gates) in areas(chip_area, blocks.CHIP).items():
        per = "router" if name == "router" else "chip"
        n = geometry.tiles if per == "router" else 1
        found[name] = entry(per, um2 / n, cells // n, flops // n)
        found[name]["clock_gates"] = gates // n
        s, counter = chip_sums[name], blocks.CHIP[name][1]
        found[name]["leakage_w"] = s.leakage_w / (routers if per == "router" else 1)
        happened = info["flit_hops"] if counter == "FLIT_HOPS" else sum(t["flits_in"] for t in info["tiles"])
        if per == "router":  # its clock runs while flits pass: part of their energy
            share(found[name], counter, s.data + s.gated + s.free, happened)
        else:
            found[name]["clock_j_per_cycle"] = s.free / chip_cycles
            share(found[name], counter, s.data + s.gated, happened)
    return {
        "library": library.name.removesuffix("_stdcells"),
        "node_nm": library.settings.get("node_nm"),
        "voltage_v": library.voltage,
        "clock_mhz": 1e3 / design.PERIOD_NS,
        "source": f"python3 constraints/flow/digital_table.py --images {images}",
        "geometry": {k: getattr(geometry, k) for k in ("rows", "cols", "lanes", "sram_bytes", "sram_banks", "mesh_x", "mesh_y")},
        "block": found,
    }, windows, totals


def entry(per, um2, cells, flops):
    return {"per": per, "area_um2": um2, "gates": cells, "flops": flops, "leakage_w": 0.0, "clock_j_per_cycle": 0.0}


def share(entry, counter, joule, happened):
    if happened:
        entry["events"] = [{"counter": counter, "joule": joule / happened}]


def to_toml(table):
    """Five digits: what is below depends on the version of the math library."""
    def value(v):
        return json.dumps(v) if isinstance(v, (str, int)) else f"{v:.5g}" if "e" in f"{v:.5g}" or "." in f"{v:.5g}" else f"{v:.5g}.0"

    lines = ["# Written by constraints/flow/digital_table.py --write; do not edit. Format: README.md."]
    lines += [f"{k} = {value(v)}" for k, v in table.items() if k not in ("geometry", "block")]
    lines += ["[geometry]", *(f"{k} = {v}" for k, v in table["geometry"].items())]
    for name, b in table["block"].items():
        lines.append(f"[block.{name}]")
        lines += [f"{k} = {value(v)}" for k, v in b.items() if k not in ("events", "clock_gates")]
        for e in b.get("events", []):
            lines += [f"[[block.{name}.events]]", f'counter = "{e["counter"]}"', f"joule = {value(e['joule'])}"]
    return "\n".join(lines) + "\n"


def predicted(table, counted):
    """Energy of one tile by the table, without leakage and SRAM."""
    j = 0.0
    for name, b in table["block"].items():
        if b["per"] == "tile" and name != blocks.SRAM:
            j += b["clock_j_per_cycle"] * counted["ACTIVE"] + sum(e["joule"] * counted[e["counter"]] for e in b.get("events", []))
    return j


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--geometry", default="reference")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--memories", help="memory table; default constraints/costs/memory_180nm.toml")
    p.add_argument("--images", type=int, default=30)
    p.add_argument("--write", action="store_true", help="write constraints/costs/digital_LIBRARY.toml")
    a = p.parse_args()
    try:
        library = Library(a.liberty)
        costs = MemoryCosts(a.memories) if a.memories else MemoryCosts()
        table, windows, totals = build(library, design.geometry(a.geometry), a.images, costs)
    except (design.FlowError, CostError) as e:
        sys.exit(f"power: {e}")
    text = to_toml(table)
    (design.ROOT / "build" / "power" / "digital.toml").write_text(text)
    if a.write:
        (design.ROOT / "constraints" / "costs" / f"digital_{table['library']}.toml").write_text(text)
    cycles = sum(c["ACTIVE"] for _, _, c in windows)
    print(f"{'block':18}{'data':>9}{'clock':>9}{'ungated':>9}   mW in a running tile at {table['clock_mhz']:.0f} MHz")
    watt = power.HZ / cycles * 1e3
    for name, s in sorted(totals.items(), key=lambda i: -(i[1].data + i[1].gated + i[1].free)):
        print(f"{name:18}{s.data * watt:9.2f}{(s.gated + s.free) * watt:9.2f}{s.ungated * watt:9.2f}")
    for t, sums, counted in windows:
        real = sum(s.data + s.gated + s.free for s in sums.values())
        print(f"tile {t}: {real * 1e9:.1f} nJ measured, {predicted(table, counted) * 1e9:.1f} nJ by the table")


if __name__ == "__main__":
    main()
