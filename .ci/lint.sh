#!/bin/sh
# Lints the RTL: Verilator -Wall at both geometries with constraints/lint_waivers.vlt, verible with constraints/verible.rules.
set -eu
cd "$(dirname "$0")/.."
VERILATOR_ROOT=$(echo build/venv/lib/python3*/site-packages/verilator)
VERILATOR_ROOT=$(pwd)/$VERILATOR_ROOT
export VERILATOR_ROOT

dirs=""
for d in common analog_if tile noc top regs/gen; do dirs="$dirs -y rtl/$d"; done
pkgs="rtl/pkg/ohmac_isa_pkg.sv rtl/pkg/ohmac_pkg.sv rtl/regs/gen/ohmac_csr_pkg.sv"
tiny="-GMeshX=2 -GMeshY=1 -GRows=32 -GCols=32 -GLanes=8 -GSramBytes=16384 -GSramBanks=4"
for params in "" "$tiny"; do
  # shellcheck disable=SC2086  # lists of words
  "$VERILATOR_ROOT/bin/verilator" --lint-only -Wall --quiet --top-module ohmac_top $dirs $params \
    constraints/lint_waivers.vlt $pkgs rtl/top/ohmac_top.sv
done
echo "verilator -Wall: clean (reference and tiny geometry)"

files=$(find rtl -name '*.sv' ! -path 'rtl/regs/gen/*' ! -name ohmac_isa_pkg.sv | sort)  # not the generated ones
# shellcheck disable=SC2086
build/venv/bin/verible-cli verible-verilog-lint --rules_config constraints/verible.rules $files
echo "verible: clean"
