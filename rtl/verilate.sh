#!/bin/sh
# verilate.sh DIR NAME VERILATOR ARGS...: runs Verilator quietly (its output only on failure or with a warning) and merges the
# archives of the model and of its hierarchical blocks into DIR/libNAME_all.a. Writes the sources read to DIR/NAME.deps (make format).
set -eu
dir=$1 name=$2
shift 2
# What an interrupted run left behind would look complete to Verilator.
[ -e "$dir/complete" ] || rm -rf "$dir"
mkdir -p "$dir"
rm -f "$dir/complete"
if ! "$@" >"$dir/verilate.log" 2>&1; then
  grep -v -e '^ccache' -e '^g++' -e '^/usr/bin/g++' -e '^make' "$dir/verilate.log" >&2
  exit 1
fi
grep -A4 '^%Warning' "$dir/verilate.log" >&2 || true
rm -f "$dir/lib${name}_all.a"
{
  echo "create $dir/lib${name}_all.a"
  echo "addlib $dir/V${name}__ALL.a"
  for a in "$dir"/*/lib*.a; do
    if [ -e "$a" ]; then echo "addlib $a"; fi
  done
  echo save
  echo end
} | ar -M
{
  printf '%s: ' "$dir/lib${name}_all.a"
  cat "$dir"/V*__ver.d "$dir"/*/V*__ver.d 2>/dev/null | tr ' ' '\n' | grep '/rtl/.*\.sv$' | sort -u | tr '\n' ' '
  echo
} >"$dir/$name.deps"
touch "$dir/complete"
