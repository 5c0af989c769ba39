#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Costs of the memories of the chip from a memory table (constraints/costs/README.md).

    from costs import MemoryCosts
    m = MemoryCosts().sram(width=256, depth=256)     # one bank of a tile: ohmac_sram #(.Width(256), .Depth(256))
    m.area_um2, m.access_ns, m.read_pj

    python3 constraints/flow/costs.py sram 256 256   # prints the same
"""

import math
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

DEFAULT_TABLE = Path(__file__).resolve().parent.parent / "costs" / "memory_180nm.toml"

MOST = 1e15
# Coefficients of a memory and their units: every one is required, nothing else is known.
COEFFICIENTS = {
    "area_cell": "um2",
    "area_bit": "um2",
    "area_bit2": "um2",
    "access_base": "ns",
    "access_log2_word": "ns",
    "access_bit": "ns",
    "setup_share": "1",
    "hold_share": "1",
    "read_cell": "pJ",
    "read_bit": "pJ",
    "read_bit2": "pJ",
    "write_cell": "pJ",
    "write_bit": "pJ",
    "write_bit2": "pJ",
    "leakage_cell": "uW",
    "leakage_bit": "uW",
}


class CostError(Exception):
    """A table that cannot be taken: file, field, what is wrong."""


class Memory(NamedTuple):
    """One macro."""

    area_um2: float
    access_ns: float  # clock to data
    setup_ns: float  # of every input, before the clock
    hold_ns: float
    read_pj: float  # one word
    write_pj: float  # one word, all bytes
    leakage_uw: float


class MemoryCosts:
    """A memory table. Raises CostError with file, field and remedy."""

    def __init__(self, path: Path | str = DEFAULT_TABLE):
        self._file = str(path)
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as e:
            raise CostError(f"{path}: cannot read: {e.strerror}; name a memory table") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise CostError(f"{path}: not TOML: {e}") from None
        if table.get("kind") != "memory":
            raise CostError(f"{path}: kind: is {table.get('kind')!r}; a memory table has kind = \"memory\"")
        self.node_nm = self._top_number(table, "node_nm")
        self.voltage_v = self._top_number(table, "voltage_v")
        self._sources = table.get("sources", {})
        self._coefficients = {name: self._section(table, name) for name in ("sram", "regfile")}

    def sram(self, width: int, depth: int, parity: bool = True) -> Memory:
        """ohmac_sram #(.Width(width), .Depth(depth)): every byte has a parity bit besides, if those are used."""
        self._shape("sram", width, depth)
        if width % 8 != 0:
            raise CostError(f"sram of {width} bits: the width must be a multiple of 8")
        return self._memory("sram", width // 8 * 9 if parity else width, depth)

    def regfile(self, width: int, depth: int) -> Memory:
        """ohmac_mvm_mem #(.Width(width), .Depth(depth)): one read and one write port."""
        self._shape("regfile", width, depth)
        return self._memory("regfile", width, depth)

    def _memory(self, kind: str, bits: int, words: int) -> Memory:
        c = self._coefficients[kind]
        cells = words * bits
        access = c["access_base"] + c["access_log2_word"] * math.log2(words) + c["access_bit"] * bits

        def energy(what: str) -> float:
            return c[f"{what}_cell"] * cells + c[f"{what}_bit"] * bits + c[f"{what}_bit2"] * bits * bits

        return Memory(
            area_um2=energy("area"),
            access_ns=access,
            setup_ns=c["setup_share"] * access,
            hold_ns=c["hold_share"] * access,
            read_pj=energy("read"),
            write_pj=energy("write"),
            leakage_uw=c["leakage_cell"] * cells + c["leakage_bit"] * bits,
        )

    @staticmethod
    def _shape(kind: str, width: int, depth: int) -> None:
        if width < 1 or depth < 1:
            raise CostError(f"{kind} of {depth} words of {width} bits: both must be at least 1")

    def _fail(self, field: str, what: str):
        raise CostError(f"{self._file}: {field}: {what}")

    def _top_number(self, table: dict, field: str) -> float:
        value = table.get(field)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            self._fail(field, "must be a number above 0")
        return float(value)

    def _section(self, table: dict, name: str) -> dict[str, float]:
        section = table.get(name)
        if not isinstance(section, dict):
            self._fail(f"[{name}]", "is missing")
        for field in section:
            if field not in COEFFICIENTS:
                self._fail(f"{name}.{field}", f"unknown; there are {', '.join(COEFFICIENTS)}")
        return {field: self._number(section, name, field, unit) for field, unit in COEFFICIENTS.items()}

    def _number(self, section: dict, name: str, field: str, unit: str) -> float:
        where = f"{name}.{field}"
        entry = section.get(field)
        if not isinstance(entry, dict):
            self._fail(where, "is missing; write { value, unit, node_nm, source }")
        if entry.get("unit") != unit:
            self._fail(where, f"the unit is {entry.get('unit')!r}; give it in {unit!r}")
        if entry.get("source") not in self._sources:
            self._fail(where, f"source {entry.get('source')!r} is not in [sources]")
        value = entry.get("value")
        least = -MOST if field == "access_base" else 0  # a fit may cross 0 below the smallest memory
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= MOST:
            self._fail(where, f"value is {value!r}; must be a number, {least:g} to {MOST:g}")
        return float(value)


def main(arguments: list[str]) -> int:
    if len(arguments) not in (3, 4) or arguments[0] not in ("sram", "regfile"):
        print("usage: costs.py sram|regfile WIDTH DEPTH [TABLE.toml]", file=sys.stderr)
        return 2
    try:
        width, depth = int(arguments[1]), int(arguments[2])
    except ValueError:
        print(f"costs.py: '{arguments[1]}', '{arguments[2]}': width and depth are whole numbers", file=sys.stderr)
        return 2
    try:
        memory = getattr(MemoryCosts(*arguments[3:]), arguments[0])(width, depth)
    except CostError as e:
        print(f"costs.py: {e}", file=sys.stderr)
        return 2
    for field, value in memory._asdict().items():
        print(f"{field:<12} {value:.6g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
