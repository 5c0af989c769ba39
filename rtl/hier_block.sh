#!/bin/sh
# hier_block.sh OUT Name=value... < ohmac_tile.sv, with the packages in $PACKAGES: writes OUT, where the tile is a block without
# parameters (ohmac_tile_block, the given values fixed) inside a shell with the tile's own name, parameters and ports.
# Verilator (rev. 5.48) compiles a hierarchical block with parameters apart and then does not use it; one without it uses. It also reads the
# file of a block before all others, so the packages have to stand in the same file.
set -eu
out=$1
shift
tile=$(cat)
fix=""
for p in "$@"; do
  fix="$fix;s/parameter int unsigned ${p%%=*} *= *[0-9A-Za-z]*/localparam int unsigned ${p%%=*} = ${p#*=}/"
done
fix="$fix;s/parameter int unsigned/localparam int unsigned/"  # the others keep their defaults
{
  # shellcheck disable=SC2086  # a list of files
  cat $PACKAGES
  printf '%s\n' "$tile" | sed "s/^module ohmac_tile$/module ohmac_tile_block/$fix"
  printf '%s\n' "$tile" | sed '/^);/q'
  echo '  ohmac_tile_block u_block (.*);'
  echo 'endmodule'
} >"$out"
