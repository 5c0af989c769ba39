"""Reads, and where Yosys cannot do it changes, the structural Verilog that Yosys writes (write_verilog -noattr -noexpr)."""

import collections
import pathlib
import re

_NAME = r"(?:\\\S+ |[A-Za-z_][\w$]*)"
_MODULE = re.compile(rf"^module ({_NAME})\s*\(", re.M)
_CELL = re.compile(rf"^  ({_NAME}) ({_NAME}) \(\n((?:    \..*\n)+)  \);$", re.M)
_PIN = re.compile(rf"^    \.({_NAME})\((.*?)\),?$", re.M)


def plain(name):
    """A Verilog identifier without its escape."""
    return name[1:].rstrip() if name.startswith("\\") else name


def read(path):
    """{module: [(instance, cell or module, {pin: net expression})]}; names without escapes, expressions as written."""
    text = pathlib.Path(path).read_text()
    starts = [(m.start(), plain(m[1])) for m in _MODULE.finditer(text)] + [(len(text), None)]
    modules = {}
    for (begin, name), (end, _) in zip(starts, starts[1:]):
        body = text[begin:end]
        modules[name] = [(plain(m[2]), plain(m[1]), {plain(p): e for p, e in _PIN.findall(m[3])}) for m in _CELL.finditer(body)]
    return modules


def expression(modules, top, pin):
    """What a pin (path/of/instances/cell/PIN) is connected to, as written; None if there is no such pin."""
    if "/" not in pin:
        return None  # a port
    *path, cell, name = pin.split("/")
    module = top
    for inst in path:
        module = next((kind for i, kind, _ in modules[module] if i == inst), None)
        if module not in modules:
            return None
    return next((pins.get(name) for i, _, pins in modules[module] if i == cell), None)


def tidy(path):
    """`rename -wire` joins signal and cell by a backslash, which no tool reads twice the same way: SIGNAL__CELL instead."""
    text = pathlib.Path(path).read_text()
    pathlib.Path(path).write_text(re.sub(r"^(  \S+ \\[^\s\\]+)\\(\w+)  \($", r"\1__\2  (", text, flags=re.M))


_DECLARATION = re.compile(rf"^  (?:wire|input|output) (?:\[(\d+):(\d+)\] )?({_NAME});$", re.M)
_ASSIGN = re.compile(r"^  assign (.*?) = (.*?);$", re.M)


def wires(path):
    """({module: {signal: (low, high)}}, {module: [(left, right)]}): what is declared, and what is assigned."""
    text = pathlib.Path(path).read_text()
    starts = [(m.start(), plain(m[1])) for m in _MODULE.finditer(text)] + [(len(text), None)]
    widths, assigns = {}, {}
    for (begin, name), (end, _) in zip(starts, starts[1:]):
        body = text[begin:end]
        widths[name] = {plain(m[3]): (int(m[2] or 0), int(m[1] or 0)) for m in _DECLARATION.finditer(body)}
        assigns[name] = _ASSIGN.findall(body)
    return widths, assigns


def inputs(path, module):
    """Input ports of a module."""
    text = pathlib.Path(path).read_text()
    begin = next(m.start() for m in _MODULE.finditer(text) if plain(m[1]) == module)
    body = text[begin : text.index("\nendmodule", begin)]
    return [plain(n) for n in re.findall(rf"^  input (?:\[\d+:\d+\] )?({_NAME});$", body, re.M)]


def buffer_clocks(path, clock_pins, buffer, fanout):
    """Trees of buffers in front of clock pins: no clock net inside a module has more than `fanout` flops or buffers.

    clock_pins: {cell: its clock pin}; buffer: (cell, input, output). Clocks of modules and memories stay on the root."""
    cell, a, y = buffer
    text = pathlib.Path(path).read_text()
    starts = [m.start() for m in _MODULE.finditer(text)]
    out = [text[: starts[0]]]
    for begin, end in zip(starts, starts[1:] + [len(text)]):
        body = text[begin:end]
        sinks = collections.defaultdict(list)
        for m in _CELL.finditer(body):
            pin = clock_pins.get(plain(m[1]))
            if pin:
                sinks[re.search(rf"\.{pin}\((.*?)\)", m[3])[1]].append(m.start())
        new, moved, n = [], {}, 0
        for net, flops in sinks.items():
            # Level by level from the flops up, until the rest may hang on the net itself.
            loads = [("flop", f) for f in flops]
            while len(loads) > fanout:
                above = []
                for i in range(0, len(loads), fanout):
                    wire = f"clock_tree_{n}_"
                    n += 1
                    new.append([f"  wire {wire};\n", wire, net])
                    for kind, what in loads[i : i + fanout]:
                        if kind == "flop":
                            moved[what] = wire
                        else:
                            new[what][2] = wire
                    above.append(("buffer", len(new) - 1))
                loads = above
        if new:
            def rewire(m, moved=moved):
                wire = moved.get(m.start())
                pin = clock_pins.get(plain(m[1]))
                return re.sub(rf"\.{pin}\(.*?\)", f".{pin}({wire})", m[0], count=1) if wire else m[0]

            body = _CELL.sub(rewire, body)
            wires_ = "".join(w for w, _, _ in new)
            cells = "".join(f"  {cell} u_{wire} (\n    .{a}({source}),\n    .{y}({wire})\n  );\n" for _, wire, source in new)
            head = body.index(";\n") + 2
            tail = body.index("endmodule")
            body = body[:head] + wires_ + body[head:tail] + cells + body[tail:]
        out.append(body)
    pathlib.Path(path).write_text("".join(out))


def buffer_broadcasts(path, ports, buffer, fanout):
    """Buffers in front of what is broadcast to many units that are mapped on their own: Yosys sees no load in their pins.

    ports: {cell: {input: width}}; buffer: (cell, input, output). One level: at most fanout^2 units."""
    cell, a, y = buffer
    text = pathlib.Path(path).read_text()
    sinks = collections.defaultdict(list)
    for m in _CELL.finditer(text):
        for pin, expression_ in _PIN.findall(m[3]):
            if plain(pin) in ports.get(plain(m[1]), ()):
                sinks[pin, expression_].append(m)
    declared, cells, moved = "", "", collections.defaultdict(dict)
    n = 0
    for (pin, source), users in sinks.items():
        groups = -(-len(users) // fanout)
        for g in range(groups) if groups > 1 else ():
            wire, width = f"broadcast_{n}_", ports[plain(users[0][1])][plain(pin)]
            n += 1
            declared += f"  wire [{width - 1}:0] {wire};\n  wire [{width - 1}:0] {wire}in;\n  assign {wire}in = {source};\n"
            cells += "".join(f"  {cell} u_{wire}{i} (\n    .{a}({wire}in[{i}]),\n    .{y}({wire}[{i}])\n  );\n" for i in range(width))
            for m in users[g::groups]:
                moved[m.start()][pin] = wire

    def rewire(m):
        wires_of = moved.get(m.start(), {})
        return _PIN.sub(lambda p: p[0].replace(f"({p[2]})", f"({wires_of[p[1]]})", 1) if p[1] in wires_of else p[0], m[0])

    if moved:
        head = text.index(";\n", text.rindex("\nmodule ", 0, min(moved))) + 2  # of the one module that holds the units
        body = _CELL.sub(rewire, text)
        tail = body.index("endmodule", head)
        pathlib.Path(path).write_text(body[:head] + declared + body[head:tail] + cells + body[tail:])
