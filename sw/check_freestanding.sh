#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles HAL, driver and runtime freestanding for RV32 into build/rv32/ and checks that they need nothing but each other,
# memcpy, memset, memcmp, memmove and libgcc's integer arithmetic. One line a file; exit 1 at any failure.
cd "$(dirname "$0")/.." || exit 1
out=build/rv32
mkdir -p "$out" || exit 1
cxx=riscv64-unknown-elf-g++
arch='-march=rv32imc -mabi=ilp32'
# picolibc.specs: only for the C headers (string.h, assert.h); nothing of it is linked.
flags="-std=c++17 $arch -Os -ffreestanding -fno-exceptions -fno-rtti -Wall -Wextra -Werror --specs=picolibc.specs -I."
failed=0
objects=
for src in sw/hal/*.cpp sw/driver/*.cpp sw/runtime/*.cpp; do
  obj="$out/$(echo "${src%.cpp}" | tr / _).o"
  if $cxx $flags -c "$src" -o "$obj"; then
    size=$(riscv64-unknown-elf-size "$obj" | awk 'NR==2 {print $1 " bytes of code, " $2 + $3 " of data"}')
    echo "ok    $src  $size"
    objects="$objects $obj"
  else
    echo "FAIL  $src  does not compile"
    failed=1
  fi
done
if [ "$failed" -eq 0 ]; then
  # Link all objects into one relocatable file: what is still undefined comes from outside.
  $cxx $arch -nostdlib -r -o "$out/all.o" $objects || exit 1
  outside=$(riscv64-unknown-elf-nm -u "$out/all.o" | awk '{print $2}' |
    grep -Ev '^(memcpy|memset|memcmp|memmove|__u?(div|mod|mul|ashl|ashr|lshr)[a-z]*[sdt]i3)$')
  if [ -n "$outside" ]; then
    echo "FAIL  symbols from outside:" $outside
    failed=1
  fi
  sections=$(riscv64-unknown-elf-size -A "$out/all.o" | awk '/init_array|ctors|eh_frame/ && $2 > 0 {print $1}')
  if [ -n "$sections" ]; then
    echo "FAIL  static constructors or exception tables:" $sections
    failed=1
  fi
fi
exit $failed
