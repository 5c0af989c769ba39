"""make synth: maps the units of the chip, and says what they take and how fast they are. Area by block, timing with the worst paths in words.

    python3 constraints/flow/silicon.py [--geometry reference|tiny|reference,lanes=64,...] [--liberty FILE.lib] [--check]

--check fails if a unit is slower than constraints/sdc/slack.toml allows, or has a hold violation."""

import argparse
import json
import sys
import tomllib

import blocks
import design
import sta
import synth
from costs import CostError, MemoryCosts
from digital_table import areas, folder_of
from library import DEFAULT, Library

# Instances of a unit's block in the chip.
UNITS = (("tile", blocks.TILE), ("chip", blocks.CHIP))


def area_table(area, geometry):
    """Lines: area, cells, flops and clock gates of each block, of one tile and of the chip."""
    lines = [f"{'block':20}{'mm2':>9}{'cells':>9}{'flops':>8}{'gates':>7}{'share':>8}   one tile"]
    tile = areas(area["tile"], blocks.TILE)
    total = sum(r[0] for r in tile.values())
    for name, (um2, cells, flops, gates) in sorted(tile.items(), key=lambda i: -i[1][0]):
        lines.append(f"{name:20}{um2 / 1e6:9.4f}{cells:9}{flops:8}{gates:7}{um2 / total:8.1%}")
    lines.append(f"{'tile':20}{total / 1e6:9.4f}{sum(r[1] for r in tile.values()):9}{sum(r[2] for r in tile.values()):8}")
    chip = areas(area["chip"], blocks.CHIP)
    whole = geometry.tiles * total + sum(r[0] for r in chip.values())
    lines.append(f"{'block':20}{'mm2':>9}{'cells':>9}{'flops':>8}{'gates':>7}{'share':>8}   chip of {geometry.tiles} tiles, without the analog macros")
    lines.append(f"{'tiles':20}{geometry.tiles * total / 1e6:9.4f}{'':24}{geometry.tiles * total / whole:8.1%}")
    for name, (um2, cells, flops, gates) in sorted(chip.items(), key=lambda i: -i[1][0]):
        lines.append(f"{name:20}{um2 / 1e6:9.4f}{cells:9}{flops:8}{gates:7}{um2 / whole:8.1%}")
    lines.append(f"{'chip':20}{whole / 1e6:9.4f}")
    return "\n".join(lines)


def allowed(library, geometry):
    """{unit: least setup slack in ns} of this library and geometry; 0 where nothing is written down."""
    table = tomllib.loads((design.ROOT / "constraints/sdc/slack.toml").read_text()).get(library.name, {})
    name = next((n for n, g in design.NAMED.items() if g == geometry), None)
    return table.get(name, {})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--geometry", default="reference")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--memories", help="memory table; default constraints/costs/memory_180nm.toml")
    p.add_argument("--check", action="store_true")
    a = p.parse_args()
    slow = []
    try:
        library, geometry = Library(a.liberty), design.geometry(a.geometry)
        costs = MemoryCosts(a.memories) if a.memories else MemoryCosts()
        area, limits = {}, allowed(library, geometry)
        for name, _ in UNITS:
            area[name] = synth.map_unit(design.UNITS[name], geometry, library, folder_of(library, geometry, name), costs)
        print(f"library {library.name}, geometry {geometry.name}")
        print(area_table(area, geometry))
        for name, _ in UNITS:
            folder = folder_of(library, geometry, name)
            t = sta.timing(folder, design.UNITS[name], library, design.sdc(design.UNITS[name]))
            (folder / "timing.json").write_text(json.dumps(t, indent=1))
            print(f"\n{name}: {sta.in_words(t)}")
            if t["setup_wns_ns"] < limits.get(name, 0.0):
                slow.append(f"{name}: setup slack {t['setup_wns_ns']:.2f} ns, {limits.get(name, 0.0):.2f} is allowed")
            if t["hold_wns_ns"] < 0:
                slow.append(f"{name}: hold slack {t['hold_wns_ns']:.2f} ns")
    except (design.FlowError, CostError) as e:
        sys.exit(f"synth: {e}")
    if a.check and slow:
        sys.exit("synth: too slow (constraints/sdc/slack.toml): " + "; ".join(slow))


if __name__ == "__main__":
    main()
