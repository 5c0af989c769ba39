#!/bin/sh
# Regenerates the instruction set and register files in a scratch folder and compares them with what is checked in.
# With --write it updates the checked-in files instead.
set -eu
cd "$(dirname "$0")/.."
out=build/generated
rm -rf $out && mkdir -p $out/regs
peakrdl=build/venv/bin/peakrdl
$peakrdl regblock rtl/regs/ohmac_csr.rdl -o $out/regs --cpuif axi4-lite-flat --default-reset arst_n
$peakrdl c-header rtl/regs/ohmac_csr.rdl -o $out/ohmac_csr.h
$peakrdl markdown rtl/regs/ohmac_csr.rdl -o $out/regs/ohmac_csr.md
if [ "${1:-}" = --write ]; then
  cp $out/regs/* rtl/regs/gen/
  cp $out/ohmac_csr.h sw/hal/gen/ohmac_csr.h
  build/venv/bin/python3 rtl/pkg/gen_isa.py
  exit 0
fi
build/venv/bin/python3 rtl/pkg/gen_isa.py --check
for f in ohmac_csr.sv ohmac_csr_pkg.sv ohmac_csr.md; do
  diff -u rtl/regs/gen/$f $out/regs/$f || { echo "rtl/regs/gen/$f is stale: .ci/check_generated.sh --write"; exit 1; }
done
diff -u sw/hal/gen/ohmac_csr.h $out/ohmac_csr.h || { echo "sw/hal/gen/ohmac_csr.h is stale: .ci/check_generated.sh --write"; exit 1; }
echo "generated files: up to date"
