#!/bin/sh
# finds_a_fault.sh TEST: runs a GoogleTest program on a design with a planted fault; passes if the test reports a failure or an assertion of
# the design stops it, fails if it passes or does not run.
set -u
if out=$("$1" 2>&1); then
  echo "$out"
  echo "$1 passes in spite of the planted fault"
  exit 1
fi
echo "$out" | grep -q -e '^\[ RUN' || { echo "$out"; echo "$1 did not run"; exit 1; }
echo "$out" | grep -m 3 -e ': Failure' -e 'Assertion failed' -e 'hangs' || { echo "$out"; echo "$1: no failure in its output"; exit 1; }
