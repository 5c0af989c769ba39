"""Static timing of a mapped unit with OpenSTA: setup and hold under constraints/sdc, and the worst paths in words."""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tomllib

import design
import netlist
from library import DEFAULT, Library

def opensta(script, log):
    """Output of a run; errors and warnings raise: OpenSTA goes on after both with less than it was given."""
    script = pathlib.Path(script)
    run = subprocess.run(["sta", "-no_splash", "-exit", str(script)], capture_output=True, text=True, cwd=design.ROOT)
    text = run.stdout + run.stderr
    pathlib.Path(log).write_text(text)
    bad = [line for line in text.splitlines() if re.match(r"(Error|Warning|invalid|wrong|can't)\b", line)]
    if bad or run.returncode:
        what = bad[0] if bad else f"exit code {run.returncode}"
        hint = ""
        if m := re.search(r"(\S+\.sdc), (\d+) (?:port|pin|instance|net) '(.*?)' not found", what):
            hint = f"\n  {m[1]} names {m[3]}, which the netlist does not have: mend the name, or the RTL if the port was lost"
        elif m := re.search(r"(?:Cell|module|Module) (\S+) not found", what):
            hint = f"\n  neither the library nor the stubs have the cell {m[1]}: the netlist was mapped to another library, or not mapped"
        raise design.FlowError(f"OpenSTA: {what}{hint}\n  log: {log}")
    return text


def setup(folder, unit, library, sdc):
    """Commands that read and constrain a mapped unit."""
    return [
        f"read_liberty {library.path}",
        f"read_liberty {folder}/stubs.lib",
        f"read_verilog {folder}/netlist.v",
        f"link_design {unit.top}",
        "set_wire_load_mode top",
        f"set_wire_load_model -name {library.wire_load()[0]}",
        f"set ohmac_period {design.PERIOD_NS}",
        f"set ohmac_margin {design.MARGIN}",
        f"set ohmac_buffer {library.buffer()}",
        f"source {sdc}",
    ]


_END = re.compile(r"^(\S+) \(.*?\) +(-?[\d.]+) +(-?[\d.]+) +(-?[\d.]+) \((?:MET|VIOLATED)\)$", re.M)


def _ends(text, start, stop):
    part = text[text.index(start) : text.index(stop)]
    return [(m[1], float(m[4]), float(m[3])) for m in _END.finditer(part)]


def bus(pin):
    """A register in words: u_vec/hi_q[3]__DFFPOSX1/D -> u_vec/hi_q."""
    return re.sub(r"\[\d+\]", "", re.sub(r"(__\w+)?/\w+$", "", pin)) if "__" in pin else re.sub(r"\[\d+\]", "", pin)


def timing(folder, unit, library, sdc):
    """{"setup_wns_ns", "hold_wns_ns", "fmax_mhz", "blocks": {path: worst setup slack}, "paths": [ten worst]}."""
    folder = pathlib.Path(folder)
    script = folder / "timing.tcl"
    script.write_text("\n".join([
        *setup(folder, unit, library, sdc),
        "check_setup -verbose -no_clock -multiple_clock -loops",
        'puts "== unconstrained"', "with_output_to_variable ohmac_text {check_setup -verbose -unconstrained_endpoints}",
        "puts [regsub {^Warning: } $ohmac_text {}]",
        'puts "== setup"', "report_checks -path_delay max -group_count 50000 -endpoint_count 1 -format end",
        'puts "== hold"', "report_checks -path_delay min -group_count 50000 -endpoint_count 1 -format end",
        'puts "== paths"', "report_checks -path_delay max -group_count 400 -endpoint_count 1 -format full",
        'puts "== done"',
    ]) + "\n")
    text = opensta(script, folder / "timing.log")
    _only_constants(unit, text[text.index("== unconstrained") : text.index("== setup")], folder)
    ends, hold = _ends(text, "== setup", "== hold"), _ends(text, "== hold", "== paths")
    if not ends or not hold:
        raise design.FlowError(f"OpenSTA found no path in {folder}/netlist.v, see {folder}/timing.log")
    wns = min(s for _, s, _ in ends)
    blocks = collections.defaultdict(lambda: [99.0, 0])
    for pin, slack, _ in ends:
        block = "/".join(pin.split("/")[:-2]) or "(ports and top)"
        blocks[block][0] = min(blocks[block][0], slack)
        blocks[block][1] += slack < 0
    return {
        "period_ns": design.PERIOD_NS, "margin": design.MARGIN,
        "setup_wns_ns": wns, "setup_tns_ns": round(sum(min(0, s) for _, s, _ in ends), 2), "failing": sum(s < 0 for _, s, _ in ends),
        "hold_wns_ns": min(s for _, s, _ in hold), "hold_failing": sum(s < 0 for _, s, _ in hold),
        # The margin is a share of the period, so a slower clock keeps it.
        "fmax_mhz": round(1e3 / (design.PERIOD_NS - wns / (1 - design.MARGIN)), 1),
        "blocks": {b: {"slack_ns": v[0], "failing": v[1]} for b, v in sorted(blocks.items(), key=lambda i: i[1][0])},
        "paths": worst(text[text.index("== paths") :]),
    }


def _only_constants(unit, text, folder):
    if unit.name not in design.UNITS:
        return  # parameters of a module on its own make more logic constant than the chip has
    allowed = tomllib.loads((design.ROOT / "constraints/sdc/constant.toml").read_text()).get(unit.name, {})
    pins = re.findall(r"^  (\S+)$", text, re.M)
    bad = [p for p in pins if not any(re.fullmatch(a, p) for a in allowed)]
    if bad:  # flops that load a constant when enabled
        cells = netlist.read(folder / "netlist.v")
        bad = [p for p in bad if not re.fullmatch(r"\d+'h0*[01]", netlist.expression(cells, unit.top, p) or "")]
    if bad:
        raise design.FlowError(
            f"no constraint reaches {bad[0]}" + (f" and {len(bad) - 1} more" if len(bad) > 1 else "")
            + f": give it a clock or a delay in constraints/sdc/{unit.name}.sdc; list in {folder}/timing.log"
        )


def worst(text, count=10):
    """The worst paths of different registers: {"from", "to", "slack_ns", "delay_ns", "cells", "through": {block: cells}}."""
    seen, out = set(), []
    for path in text.split("Startpoint: ")[1:]:
        begin, end = path.split()[0], re.search(r"Endpoint: (\S+)", path)[1]
        pins = re.findall(r"^ +-?[\d.]+ +(-?[\d.]+) [\^v] (\S+)/(\S+) \((\S+)\)$", path, re.M)
        slack = float(re.search(r"(-?[\d.]+) +slack", path)[1])
        arrival = float(re.search(r"([\d.]+) +data arrival time", path)[1])
        key = (bus(begin + "/Q"), bus(end + "/D"))
        if key[1] in seen:
            continue
        seen.add(key[1])
        through = collections.Counter("/".join(i.split("/")[:-1]) or "top" for _, i, _, _ in pins[2:-1])
        out.append({"from": key[0], "to": key[1], "slack_ns": slack, "delay_ns": arrival, "cells": sum(through.values()), "through": dict(through)})
    return sorted(out, key=lambda p: p["slack_ns"])[:count]


def in_words(t):
    lines = [
        f"setup: worst slack {t['setup_wns_ns']:.2f} ns, {t['failing']} endpoints fail; hold: {t['hold_wns_ns']:.2f} ns, {t['hold_failing']} fail; "
        f"f_max {t['fmax_mhz']:.0f} MHz with {t['margin']:.0%} margin"
    ]
    for i, p in enumerate(t["paths"], 1):
        by = ", ".join(f"{n} in {b}" for b, n in p["through"].items()) or "no cell"
        lines.append(f"{i:3}. {p['slack_ns']:6.2f} ns: from {p['from']} to {p['to']}, {p['delay_ns']:.2f} ns through {p['cells']} cells ({by})")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--unit", default="tile", help="tile, chip, or a module of rtl/ on its own")
    p.add_argument("--geometry", default="reference")
    p.add_argument("--liberty", default=str(DEFAULT))
    p.add_argument("--sdc")
    p.add_argument("--blocks", action="store_true", help="worst slack of every block")
    a = p.parse_args()
    try:
        library = Library(a.liberty)
        folder = design.ROOT / "build" / "synth" / library.name / design.geometry(a.geometry).name / a.unit
        unit = design.unit(a.unit)
        t = timing(folder, unit, library, a.sdc or design.sdc(unit))
    except design.FlowError as e:
        sys.exit(f"sta: {e}")
    (folder / "timing.json").write_text(json.dumps(t, indent=1))
    print(in_words(t))
    if a.blocks:
        for b, v in t["blocks"].items():
            print(f"  {v['slack_ns']:7.2f} ns {v['failing']:6} {b}")


if __name__ == "__main__":
    main()
