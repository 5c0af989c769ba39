#!/bin/sh
# Proofs of tb/formal and the planted bugs they must find; -h lists the options, names of proofs run only those.
set -eu
cd "$(dirname "$0")/.."
exec build/venv/bin/python3 tb/formal/formal.py "$@"
