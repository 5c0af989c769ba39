# SPDX-License-Identifier: Apache-2.0
"""Runs the unit tests on the mutants of their modules; fails if a module has less than 90 % of them killed. See README.md."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib

from netlist import ROOT, run_yosys

LIMIT = 0.9
# A mutant may hang or loop without end: killed after this many times the time of the module itself, and a few seconds.
PATIENCE, PATIENCE_S = 20, 5
# Of a proof. In each round, inner signals that were found different are left out of the comparison.
ROUNDS = 4
AUDIT = 3  # killed mutants of each module that the prover must not call equivalent


def run(program, number, timeout):
    """One run of a unit test on mutant `number`: '' if it passes, else how it was killed. It stops at the first failure."""
    env = dict(os.environ, OHMAC_MUTANT=str(number), GTEST_BREAK_ON_FAILURE="1", GTEST_BRIEF="1")
    env.pop("OHMAC_SEED", None)
    try:
        p = subprocess.run([program], env=env, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return "timeout"
    return "" if p.returncode == 0 else f"exit {p.returncode}"


def equivalent(folder, top, ports, mutant, number):
    """Does Yosys prove that the mutant behaves like the module? Induction: what was equal for two cycles stays equal, for every
    state and input, reset included. Memories and modules inside count as ports."""
    out = folder.relative_to(ROOT)
    ignored = out / f"equivalent_{number}.ignore"
    names = set()
    for _ in range(ROUNDS):
        (ROOT / ignored).write_text("".join(n + "\n" for n in sorted(names)))
        code, text = run_yosys([
            f"read_rtlil {out}/base.il", f"copy {top} gold", f"copy {top} gate", f"delete {top}",
            mutant["command"].replace(f"-module {top} ", "-module gate "),
            "memory -nordff -nomap", "async2sync", "setundef -zero", "opt_clean",
            f"equiv_make -blacklist {ignored} gold gate equiv", "hierarchy -top equiv",
            "opt_merge -share_all",
            "equiv_simple -ignore-unknown-cells", "equiv_induct -ignore-unknown-cells -seq 2", "equiv_status -assert equiv"],
            folder / f"equivalent_{number}.ys")
        differ = set(re.findall(r"Unproven \$equiv .*: (\S+)_gold ", text)) - names - {"\\" + p for p in ports}
        if not code or not differ:
            break
        names |= differ
    return code == 0


def must_run(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if p.returncode:
        sys.exit(f"mutation: {' '.join(command)} fails\n{p.stdout[-5000:]}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("build", type=pathlib.Path, help="build folder")
    p.add_argument("--module", action="append", help="only this one; may repeat")
    p.add_argument("--mutants", type=int, help="only the first so many of each module")
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--quick", action="store_true", help="no proofs: equivalent mutants count as survivors")
    a = p.parse_args()
    build = a.build.resolve()
    plan = [line.split() for line in (build / "mutation.txt").read_text().splitlines()]
    unknown = set(a.module or []) - {top for top, _, _ in plan}
    if unknown:
        sys.exit(f"mutation: no mutants of {', '.join(sorted(unknown))}; the modules are {' '.join(sorted({t for t, _, _ in plan}))}")
    plan = [x for x in plan if not a.module or x[0] in a.module]
    must_run("cmake", "--build", str(build), "-j", str(a.jobs), "--target", *(name for _, name, _ in plan))

    reasons = tomllib.loads((pathlib.Path(__file__).parent / "equivalent.toml").read_text())
    failed = False
    rows, notes = [], []
    print(f"{'module':20}{'mutants':>8}{'killed':>8}{'equivalent':>12}{'survivors':>11}{'share':>8}{'seconds':>9}", flush=True)
    for top, name, folder in plan:
        folder = pathlib.Path(folder)
        netlist = json.loads((folder / "mutants.json").read_text())
        mutants = netlist["mutants"][:a.mutants]
        program = str(build / "bin" / name)
        start = time.monotonic()
        killed = run(program, 0, 600)
        if killed:
            sys.exit(f"mutation: {name} fails on the netlist without a mutant ({killed}); run OHMAC_MUTANT=0 {program}")
        timeout = PATIENCE_S + PATIENCE * (time.monotonic() - start)
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            verdicts = list(pool.map(lambda i: run(program, i, timeout), range(1, len(mutants) + 1)))
            alive = [i for i, v in enumerate(verdicts) if not v]
            audited = [i for i, v in enumerate(verdicts) if v][:AUDIT]
            tried = [] if a.quick else alive + audited
            proofs = pool.map(lambda i: equivalent(folder, top, netlist["ports"], mutants[i], i + 1), tried)
            proven = {i for i, same in zip(tried, proofs) if same}
        if proven & set(audited):
            sys.exit(f"mutation: Yosys calls mutant {min(proven & set(audited)) + 1} of {top} equivalent, which a test kills")
        known = {e["mutant"]: e["reason"] for e in reasons.get(top, [])}
        for stale in set(known) - {mutants[i]["name"] for i in alive} if not a.mutants else []:
            notes.append(f"{top}: equivalent.toml lists '{stale}', which is no survivor; remove it")
            failed = True
        argued = {i for i in alive if i not in proven and mutants[i]["name"] in known}
        survivors = [i for i in alive if i not in proven and i not in argued]
        dead = len(mutants) - len(alive)
        share = dead / max(1, dead + len(survivors))
        failed |= share < LIMIT
        rows.append((len(mutants), dead, len(proven) + len(argued), len(survivors)))
        print(f"{top:20}{len(mutants):8}{dead:8}{len(proven) + len(argued):12}{len(survivors):11}{100 * share:7.1f}%"
              f"{time.monotonic() - start:9.1f}", flush=True)
        for i in sorted(alive):
            m = mutants[i]
            how = "equivalent, proven" if i in proven else f"equivalent: {known[m['name']]}" if i in argued else "SURVIVES"
            notes.append(f"{top} {i + 1}: {m['name']}  {m['wire']}  {m['src']}  {how}")
    total = [sum(c) for c in zip(*rows)]
    print(f"{len(rows)} modules, {total[0]} mutants, {total[1]} killed, {total[2]} equivalent, {total[3]} survivors, "
          f"{100 * total[1] / max(1, total[1] + total[3]):.1f} %")
    print("\n".join(notes))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
