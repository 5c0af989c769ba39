#!/usr/bin/env python3
"""Emits the SV package, the C++ header and the reference page of the instruction set from isa.toml.

Usage: gen_isa.py            writes the three files
       gen_isa.py --check    exits 1 and names the file if one differs
"""
import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
isa = tomllib.loads((ROOT / "rtl/pkg/isa.toml").read_text())
NOTE = "Generated from rtl/pkg/isa.toml by rtl/pkg/gen_isa.py; do not edit."


def camel(name):
    return "".join(p.capitalize() for p in name.split("_"))


def fields_of(table):
    """(name, word, msb, lsb, doc) of every entry of a word/bits table."""
    return [(n, f["word"], *f["bits"], f["doc"]) for n, f in table.items()]


def emit_sv():
    o = ["// SPDX-License-Identifier: Apache-2.0", f"// {NOTE}", "package ohmac_isa_pkg;",
         f"  localparam int unsigned IsaVersion = {isa['version']};"]
    for n, (v, doc) in isa["constants"].items():
        o.append(f"  localparam int unsigned {n} = {v};  // {doc}")
    o.append("\n  typedef enum logic [1:0] {")
    o.append(",\n".join(f"    Engine{camel(n)} = 2'd{v}" for n, v in isa["engines"].items()))
    o.append("  } engine_e;\n\n  typedef enum logic [5:0] {")
    o.append(",\n".join(f"    Op{camel(n)} = 6'd{i['opcode']}" for n, i in isa["instructions"].items()))
    o.append("  } opcode_e;\n")
    for n, i in isa["instructions"].items():
        if "fields" not in i:
            continue
        bit, lines, pad = 63, [], 0
        for f, (hi, lo) in [("opcode", (63, 58))] + sorted(i["fields"].items(), key=lambda t: -t[1][0]):
            if bit > hi:
                lines.append(f"    logic [{bit - hi - 1}:0] rsvd{pad};")
                pad += 1
            lines.append(f"    logic [{hi - lo}:0] {f};")
            bit = lo - 1
        if bit >= 0:
            lines.append(f"    logic [{bit}:0] rsvd{pad};")
        o += [f"  // {i['doc']}", "  typedef struct packed {", *lines, f"  }} instr_{n.lower()}_t;\n"]
    o.append("  // Configuration space: word addresses")
    for n, c in isa["config"].items():
        o.append(f"  localparam logic [15:0] Cfg{camel(n)}Base = 16'h{c['base']:03X};  // {c['doc']}")
        o.append(f"  localparam int unsigned Cfg{camel(n)}Stride = {c['stride']};")
    for group, table in isa["config_fields"].items():
        for n, w, hi, lo, doc in fields_of(table):
            p = f"{camel(group)}{camel(n)}"
            o.append(f"  localparam int unsigned {p}Word = {w}, {p}Lsb = {lo}, {p}Bits = {hi - lo + 1};  // {doc}")
    o.append("\n  // Event counters")
    for n, c in isa["counters"].items():
        o.append(f"  localparam int unsigned Cnt{camel(n)} = {c['index']};  // {c['doc']}")
    o.append(f"  localparam int unsigned NumCounters = {1 + max(c['index'] for c in isa['counters'].values())};")
    o.append("\n  typedef enum logic [7:0] {")
    o.append(",\n".join(f"    Fault{camel(n)} = 8'd{f['code']}" for n, f in isa["faults"].items()))
    o.append("  } fault_e;\n\n  // DMA descriptor")
    for n, w, hi, lo, doc in fields_of(isa["descriptor"]):
        p = f"Desc{camel(n)}"
        o.append(f"  localparam int unsigned {p}Lsb = {32 * w + lo}, {p}Bits = {hi - lo + 1};  // {doc}".rstrip(" /"))
    o.append("\n  typedef enum logic [7:0] {")
    o.append(",\n".join(f"    Dma{camel(n)} = 8'd{f['code']}" for n, f in isa["descriptor_ops"].items()))
    o.append("  } dma_op_e;\n\n  typedef enum logic [7:0] {")
    o.append(",\n".join(f"    DmaErr{camel(n)} = 8'd{f['code']}" for n, f in isa["dma_errors"].items()))
    o.append("  } dma_err_e;\nendpackage")
    return "\n".join(o) + "\n"


def emit_cpp():
    o = ["// SPDX-License-Identifier: Apache-2.0", f"// {NOTE}", "#pragma once", "#include <stdint.h>", "",
         "namespace ohmac::isa {", f"constexpr uint32_t kVersion = {isa['version']};"]
    for n, (v, doc) in isa["constants"].items():
        o.append(f"constexpr uint32_t k{n} = {v};  // {doc}")
    o.append("""
/// Bits [msb:lsb] of a 32-bit word or of a 64-bit instruction.
struct Field {
  uint32_t word, lsb, bits;
  constexpr uint64_t mask() const { return (uint64_t{1} << bits) - 1; }
  constexpr uint64_t put(uint64_t v) const { return (v & mask()) << lsb; }
  constexpr uint64_t get(uint64_t w) const { return (w >> lsb) & mask(); }
  constexpr int64_t get_signed(uint64_t w) const {
    const uint64_t v = get(w), sign = uint64_t{1} << (bits - 1);
    return static_cast<int64_t>(v ^ sign) - static_cast<int64_t>(sign);
  }
};
""")
    o.append("enum class Engine : uint8_t { " + ", ".join(f"k{camel(n)} = {v}" for n, v in isa["engines"].items()) + " };")
    o.append("enum class Op : uint8_t { " +
             ", ".join(f"k{camel(n)} = {i['opcode']}" for n, i in isa["instructions"].items()) + " };")
    o.append("constexpr Field kOpcode{0, 58, 6};")
    for n, i in isa["instructions"].items():
        o.append(f"/// {i['doc']}")
        o.append(f"namespace {n.lower()} {{")
        for f, (hi, lo) in i.get("fields", {}).items():
            o.append(f"constexpr Field {f}{{0, {lo}, {hi - lo + 1}}};")
        args = ", ".join(f"uint64_t {f}_v" for f in i.get("fields", {}))
        body = "".join(f" | {f}.put({f}_v)" for f in i.get("fields", {}))
        o.append(f"constexpr uint64_t make({args}) {{ return kOpcode.put({i['opcode']}){body}; }}")
        o.append(f"}}  // namespace {n.lower()}")
    o.append("/// Operand of MVM, VEC and SEND; offset in units of 16 bytes.")
    o.append("constexpr uint64_t operand(uint32_t agu, uint32_t offset16) "
             "{ return (uint64_t{agu} & 7) << 12 | (offset16 & 0xFFF); }")
    o.append("\nnamespace cfg {")
    for n, c in isa["config"].items():
        o.append(f"constexpr uint32_t k{camel(n)}Base = 0x{c['base']:03X}, k{camel(n)}Stride = {c['stride']}, "
                 f"k{camel(n)}Count = {c['count']};  // {c['doc']}")
    o.append("/// NoC byte address of a configuration word.")
    o.append("constexpr uint32_t noc_addr(uint32_t word) { return uint32_t{1} << kCfgSpaceBit | word << 2; }")
    for group, table in isa["config_fields"].items():
        o.append(f"namespace {group.lower()} {{")
        for n, w, hi, lo, doc in fields_of(table):
            o.append(f"constexpr Field {n.lower()}{{{w}, {lo}, {hi - lo + 1}}};  // {doc}")
        o.append(f"}}  // namespace {group.lower()}")
    o.append("}  // namespace cfg\n\nenum class Counter : uint8_t {")
    o += [f"  k{camel(n)} = {c['index']},  // {c['doc']}" for n, c in isa["counters"].items()]
    o.append("};\nstruct CounterInfo { const char* name; uint8_t index; bool exact; };")
    o.append("constexpr CounterInfo kCounters[] = {")
    o += [f'    {{"{n.lower()}", {c["index"]}, {str(c["exact"]).lower()}}},' for n, c in isa["counters"].items()]
    o.append("};")
    o.append(f"constexpr uint32_t kNumCounters = {1 + max(c['index'] for c in isa['counters'].values())};")
    for name, table in (("Fault", "faults"), ("DmaOp", "descriptor_ops"), ("DmaError", "dma_errors")):
        o.append(f"enum class {name} : uint8_t {{")
        o += [f"  k{camel(n)} = {c['code']},  // {c['doc']}".rstrip(" /") for n, c in isa[table].items()]
        o.append("};")
    o.append("namespace desc {")
    for n, w, hi, lo, doc in fields_of(isa["descriptor"]):
        o.append(f"constexpr Field {n.lower()}{{{w}, {lo}, {hi - lo + 1}}};  // {doc}".rstrip(" /"))
    o.append("}  // namespace desc\n}  // namespace ohmac::isa")
    return "\n".join(o) + "\n"


def emit_md():
    o = ["# Instruction set, configuration map and DMA descriptors", "", f"{NOTE}", "", "## Instructions", "",
         "| instruction | opcode | fields | meaning |", "|---|---|---|---|"]
    for n, i in isa["instructions"].items():
        f = ", ".join(f"{k} [{a}:{b}]" for k, (a, b) in i.get("fields", {}).items())
        o.append(f"| {n} | {i['opcode']} | {f} | {i['doc']} |")
    o += ["", "## Configuration words", "", "| group | base word | count | stride | meaning |", "|---|---|---|---|---|"]
    o += [f"| {n} | 0x{c['base']:03X} | {c['count']} | {c['stride']} | {c['doc']} |" for n, c in isa["config"].items()]
    o += ["", "| field | word | bits | meaning |", "|---|---|---|---|"]
    for g, t in isa["config_fields"].items():
        o += [f"| {g}.{n} | {w} | {hi}:{lo} | {doc} |" for n, w, hi, lo, doc in fields_of(t)]
    o += ["", "## Counters", "", "| counter | index | equal in RTL and golden | meaning |", "|---|---|---|---|"]
    o += [f"| {n} | {c['index']} | {'yes' if c['exact'] else 'no'} | {c['doc']} |" for n, c in isa["counters"].items()]
    for title, t in (("Fault causes", "faults"), ("DMA operations", "descriptor_ops"), ("DMA errors", "dma_errors")):
        o += ["", f"## {title}", "", "| name | code | meaning |", "|---|---|---|"]
        o += [f"| {n} | {c['code']} | {c['doc']} |" for n, c in isa[t].items()]
    o += ["", "## DMA descriptor (64 bytes)", "", "| field | word | bits | meaning |", "|---|---|---|---|"]
    o += [f"| {n} | {w} | {hi}:{lo} | {doc} |" for n, w, hi, lo, doc in fields_of(isa["descriptor"])]
    o += ["", "## Constants", "", "| name | value | meaning |", "|---|---|---|"]
    o += [f"| {n} | {v} | {d} |" for n, (v, d) in isa["constants"].items()]
    return "\n".join(o) + "\n"


stale = []
for path, text in (("rtl/pkg/ohmac_isa_pkg.sv", emit_sv()), ("sw/hal/gen/ohmac_isa.h", emit_cpp()),
                   ("rtl/pkg/ISA.md", emit_md())):
    p = ROOT / path
    if "--check" in sys.argv:
        if not p.exists() or p.read_text() != text:
            stale.append(path)
    else:
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)
if stale:
    sys.exit("stale generated files: " + ", ".join(stale) + "; run rtl/pkg/gen_isa.py")
