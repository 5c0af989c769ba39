#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""state.py TREE.json OUT.vlt OUT.h: lists every flop and memory word of a design.

TREE.json is `verilator --json-only` of the design: a variable is state if a non-blocking assignment writes it. What
assertions remember ($past, CHECKERS) is not hardware and left out, so are latches of clock gates: transparent between the edges,
where the campaign flips. OUT.vlt makes the variables public; Verilator then tells type and place of each by itself, but
not of unpacked structs (the registers of PeakRDL): their members are in OUT.h, by the layout rules of C.
"""
import json
import pathlib
import sys


CHECKERS = ("ohmac_hold_check",)  # modules without outputs


def nodes(n):
    """Every node from n down."""
    if isinstance(n, list):
        for x in n:
            yield from nodes(x)
    elif isinstance(n, dict):
        yield n
        for x in n.values():
            if isinstance(x, (list, dict)):
                yield from nodes(x)


class Types:
    """Types of the tree by their address."""

    def __init__(self, tree):
        self.by_addr = {n["addr"]: n for n in nodes(tree) if "addr" in n}

    def of(self, node):
        t = self.by_addr[node["refDTypep" if "refDTypep" in node else "dtypep"]]
        return self.of(t) if t["type"] == "REFDTYPE" else t

    def is_struct(self, t):
        return t["type"] == "STRUCTDTYPE" and not t.get("packed")

    def all_bits(self, t):
        """Bits of any type."""
        return sum(bits for _, _, bits in self.leaves(t, "", 0)[0])

    def bits(self, t):
        """Bits of a packed type."""
        if t["type"] == "ENUMDTYPE":
            return self.bits(self.of(t))
        if t["type"] == "PACKARRAYDTYPE":
            high, low = (int(x) for x in t["declRange"].strip("[]").split(":"))
            return (abs(high - low) + 1) * self.bits(self.of(t))
        if t["type"] == "STRUCTDTYPE":
            return sum(self.bits(self.of(m)) for m in t["membersp"])
        if t["type"] != "BASICDTYPE":
            sys.exit(f"state.py: {t['type']} inside an unpacked struct is not known here")
        high, low = (int(x) for x in t.get("range", "0:0").split(":"))
        return high - low + 1

    def leaves(self, t, path, at):
        """Members [(path, offset, bits)] of an unpacked type at byte `at`; the byte behind it; its alignment."""
        if self.is_struct(t):
            parts = [(f"{path}.{m['name']}", self.of(m)) for m in t["membersp"]]
        elif t["type"] == "UNPACKARRAYDTYPE":
            high, low = (int(x) for x in t["declRange"].strip("[]").split(":"))
            parts = [(f"{path}[{i}]", self.of(t)) for i in range(min(high, low), max(high, low) + 1)]
        else:
            bits = self.bits(t)
            size = next((s for s in (1, 2, 4, 8) if bits <= 8 * s), (bits + 31) // 32 * 4)
            align = size if size <= 8 and bits <= 64 else 4
            at = (at + align - 1) // align * align
            return [(path, at, bits)], at + size, align
        align = max(self.leaves(p, "", 0)[2] for _, p in parts)
        at = (at + align - 1) // align * align
        found = []
        for name, part in parts:
            more, at, _ = self.leaves(part, name, at)
            found += more
        return found, (at + align - 1) // align * align, align


def main(tree, out_vlt, out_h):
    tree = json.loads(pathlib.Path(tree).read_text())
    types = Types(tree)
    state, members = set(), {}
    own, cells = {}, {}  # by address of the module: bits of state, modules inside
    for module in tree["modulesp"]:
        name = module.get("origName", module["name"])
        if name in CHECKERS:
            own[module["addr"]], cells[module["addr"]] = 0, []
            continue
        written = set()
        for assign in nodes(module):
            if assign.get("type") != "ASSIGNDLY":
                continue
            for ref in nodes(assign["lhsp"]):
                if ref.get("type") == "VARREF" and ref["access"] != "RD":
                    written.add((ref["name"], ref["varp"]))
        written = {(v, addr) for v, addr in written if not v.startswith(("_Vpast", "__V"))}
        own[module["addr"]] = 0
        for var, addr in written:
            state.add((name, var))
            t = types.of(types.by_addr[addr])
            own[module["addr"]] += types.all_bits(t)
            if types.is_struct(t):
                members[var] = types.leaves(t, "", 0)[0]
        cells[module["addr"]] = [n["modp"] for n in nodes(module) if n.get("type") == "CELL"]

    def total(module):
        return own[module] + sum(total(m) for m in cells[module])

    if not state:
        sys.exit("state.py: no non-blocking assignment in the design")
    lines = [f'public_flat_rw -module "{m}" -var "{v}"' for m, v in sorted(state)]
    pathlib.Path(out_vlt).write_text("`verilator_config\n" + "\n".join(lines) + "\n")
    rows = [f'    {{"{v}", "{path}", {at}, {bits}}},'
            for v, found in sorted(members.items()) for path, at, bits in found]
    top = tree["modulesp"][0]["addr"]
    pathlib.Path(out_h).write_text("\n".join([
        "// Generated by tb/campaign/state.py.", "#pragma once", "#include <cstdint>", "namespace ohmac::campaign {",
        "struct Member {", "  const char *variable, *path;", "  uint32_t offset, bits;", "};",
        "inline constexpr Member kMembers[] = {", *rows, "};",
        f"inline constexpr uint64_t kStateBits = {total(top)};  // of all instances",
        "}  // namespace ohmac::campaign", ""]))


if __name__ == "__main__":
    main(*sys.argv[1:])
