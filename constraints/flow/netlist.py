"""Reads the structural Verilog that Yosys writes (write_verilog -noattr -noexpr)."""

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
    text = open(path).read()
    starts = [(m.start(), plain(m[1])) for m in _MODULE.finditer(text)] + [(len(text), None)]
    modules = {}
    for (begin, name), (end, _) in zip(starts, starts[1:]):
        body = text[begin:end]
        modules[name] = [(plain(m[2]), plain(m[1]), {plain(p): e for p, e in _PIN.findall(m[3])}) for m in _CELL.finditer(body)]
    return modules


def expression(modules, top, pin):
    """What a pin (path/of/instances/cell/PIN) is connected to, as written; None if there is no such pin."""
    *path, cell, name = pin.split("/")
    module = top
    for inst in path:
        module = next((kind for i, kind, _ in modules[module] if i == inst), None)
        if module not in modules:
            return None
    return next((pins.get(name) for i, _, pins in modules[module] if i == cell), None)


def tidy(path):
    """`rename -wire` joins signal and cell by a backslash, which no tool reads twice the same way: SIGNAL__CELL instead."""
    text = open(path).read()
    open(path, "w").write(re.sub(r"^(  \S+ \\[^\s\\]+)\\(\w+)  \($", r"\1__\2  (", text, flags=re.M))
