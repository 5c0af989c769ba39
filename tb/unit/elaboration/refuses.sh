#!/bin/sh
# refuses.sh TEXT... -- COMMAND...: passes if the command fails and its output contains every TEXT.
texts=""
while [ "$1" != -- ]; do
  texts="$texts$1
"
  shift
done
shift
if output=$("$@" 2>&1); then
  echo "accepted: $*"
  exit 1
fi
printf '%s' "$texts" | while read -r text; do
  case $output in
    *"$text"*) ;;
    *) printf 'not said: %s\n%s\n' "$text" "$output"; exit 1 ;;
  esac
done
