#!/bin/sh
# Makes a Debian 12 machine ready: Debian packages (sudo where not root) and the pinned wheels of requirements.txt in build/venv.
# INSTALL=0 only prints what is missing. Does nothing, quickly, when all is there.
set -eu
cd "$(dirname "$0")/.."

packages="
  build-essential cmake ninja-build ccache perl python3 python3-venv
  libsystemc-dev libgtest-dev libbenchmark-dev librandom123-dev
  libonnx-dev libprotobuf-dev protobuf-compiler libtomlplusplus-dev
  libcli11-dev libfmt-dev nlohmann-json3-dev libssl-dev zlib1g-dev liblz4-dev
  z3 berkeley-abc ngspice libsuitesparse-dev libopenblas-dev
  opensta qflow-tech-osu018
  gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf
"

missing=""
for p in $packages; do
  if ! dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed'; then
    missing="$missing $p"
  fi
done
stamp=build/venv/requirements.stamp
wheels=no
if [ ! -e "$stamp" ] || ! cmp -s requirements.txt "$stamp"; then wheels=yes; fi

if [ -z "$missing" ] && [ $wheels = no ]; then exit 0; fi
if [ -n "$missing" ]; then echo "Debian packages to install:$missing"; fi
if [ $wheels = yes ]; then
  echo "Python wheels to install in build/venv:"
  grep -v '^#' requirements.txt | sed 's/^/  /'
fi
if [ "${INSTALL:-1}" = 0 ]; then
  echo "INSTALL=0: nothing installed."
  exit 1
fi

if [ -n "$missing" ]; then
  sudo=""
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Not root and no sudo: install the packages above, then run again." >&2
      exit 1
    fi
    sudo=sudo
  fi
  $sudo apt-get update -q
  # shellcheck disable=SC2086  # a list of words
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
fi
if [ $wheels = yes ]; then
  /usr/bin/python3 -m venv build/venv
  build/venv/bin/pip install -q --disable-pip-version-check -r requirements.txt
  cp requirements.txt "$stamp"
fi
