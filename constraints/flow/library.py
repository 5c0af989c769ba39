"""A standard-cell Liberty file: what the flow has to know of it, and what is put right for it (constraints/libraries)."""

import pathlib
import re
import tomllib

from design import ROOT, FlowError

DEFAULT = pathlib.Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")  # Debian package qflow-tech-osu018


def _groups(text, keyword):
    """(name, body) of every `keyword (name) { body }` on any level."""
    for m in re.finditer(r"\b" + keyword + r"\s*\(\s*\"?([^)\"]*)\"?\s*\)\s*\{", text):
        depth, i = 1, m.end()
        while depth and i < len(text):
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            i += 1
        yield m[1].strip(), text[m.end() : i - 1]


def _attribute(body, name):
    m = re.search(r"\b" + name + r"\s*:\s*\"?([^;\"]*)\"?\s*;", body)
    return m[1].strip() if m else None


class Library:
    """cells: {name: {"area", "pins": {pin: {"direction", "function", "clock"}}, "flop", "latch", "gate"}}."""

    def __init__(self, path=DEFAULT):
        self.path = pathlib.Path(path)
        try:
            text = self.path.read_text(errors="strict")
        except (OSError, UnicodeDecodeError) as e:
            raise FlowError(f"Liberty {path}: cannot be read ({e}); LIBERTY=FILE.lib names an uncompressed Liberty file") from None
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        text = re.sub(r"//[^\n]*", " ", text).replace("\\\n", " ")
        libraries = list(_groups(text, "library"))
        if len(libraries) != 1:
            raise FlowError(f"Liberty {path}: has {len(libraries)} `library (...) {{` groups, not one: not a Liberty file, or cut off")
        self.name, body = libraries[0]
        if text.count("{") != text.count("}"):
            raise FlowError(f"Liberty {path}: braces do not match ({text.count('{')} open, {text.count('}')} closed): the file is cut off")
        self.cells = {}
        for name, cell in _groups(body, "cell"):
            pins = {}
            for pin, p in _groups(cell, "pin"):
                pins[pin] = {
                    "direction": _attribute(p, "direction"),
                    "function": (_attribute(p, "function") or "").replace(" ", ""),
                    "clock": _attribute(p, "clock") == "true",
                }
            self.cells[name] = {
                "area": float(_attribute(cell, "area") or 0),
                "pins": pins,
                "flop": bool(re.search(r"\bff\s*\(", cell)),
                "latch": bool(re.search(r"\blatch\s*\(", cell)),
                "gate": _attribute(cell, "clock_gating_integrated_cell"),
            }
        settings = ROOT / "constraints" / "libraries" / f"{self.name}.toml"
        self.settings = tomllib.loads(settings.read_text()) if settings.exists() else {}
        for name, area in self.settings.get("area_um2", {}).items():
            self.cells[name]["area"] = area["value"]
        self.voltage = float(_attribute(body, "nom_voltage") or 0)
        self.default_wire_load = _attribute(body, "default_wire_load")
        self.wire_loads = [n for n, _ in _groups(body, "wire_load")]
        self._require(path)

    def _require(self, path):
        flops = [n for n, c in self.cells.items() if c["flop"]]
        missing = []
        if not flops:
            missing.append("a flip-flop (ff group)")
        if not any(c["latch"] for c in self.cells.values()) and not self.clock_gate():
            missing.append("a latch or an integrated clock gate")
        for what, function in (("an inverter", self.inverter), ("a buffer", self.buffer), ("a two-input AND", self.and2)):
            if function() is None:
                missing.append(what)
        if not missing and not self.wire_loads and "wire" not in self.settings:
            raise FlowError(
                f"Liberty {path}: library {self.name} has no wire_load group: write constraints/libraries/{self.name}.toml with a [wire] table "
                "(osu018_stdcells.toml shows one)"
            )
        if missing:
            raise FlowError(f"Liberty {path}: library {self.name} lacks {', '.join(missing)}; the chip cannot be mapped to it")

    def _single(self, form):
        """The smallest cell with one input A and one output whose function is `form`."""
        found = []
        for name, c in self.cells.items():
            ins = [p for p, v in c["pins"].items() if v["direction"] == "input"]
            outs = [v["function"] for v in c["pins"].values() if v["direction"] == "output"]
            if len(ins) == 1 and len(outs) == 1 and re.sub(r"[()]", "", outs[0]) in form(ins[0]) and not c["flop"] and not c["latch"]:
                found.append((c["area"], name))
        return min(found)[1] if found else None

    def wire_load(self):
        """Name of the wire-load model, and its Liberty text for the stubs if the library has none."""
        if "wire" not in self.settings:
            return self.default_wire_load or self.wire_loads[len(self.wire_loads) // 2], ""
        w = self.settings["wire"]
        length = w["length_um_per_fanout"]
        return "ohmac_wires", (
            f'  wire_load("ohmac_wires") {{ resistance : {w["resistance_kohm_per_um"]}; capacitance : {w["capacitance_pf_per_um"]}; area : 0; '
            f"slope : {length}; fanout_length(1, {length}); }}\n"
        )

    def pins_of(self, name):
        """Inputs (one name, or a tuple of several) and output of a cell."""
        pins = self.cells[name]["pins"]
        ins = tuple(p for p, v in pins.items() if v["direction"] == "input")
        return ins if len(ins) > 1 else ins[0], next(p for p, v in pins.items() if v["direction"] == "output")

    def and2(self):
        """The larger of the plain two-input ANDs: it drives a clock."""
        found = []
        for name, c in self.cells.items():
            ins = [p for p, v in c["pins"].items() if v["direction"] == "input"]
            outs = [re.sub(r"[()]", "", v["function"]) for v in c["pins"].values() if v["direction"] == "output"]
            if len(ins) == 2 and len(outs) == 1 and outs[0] in (f"{a}{op}{b}" for a, b in (ins, ins[::-1]) for op in ("&", "*", "")):
                found.append((c["area"], name))
        return max(found)[1] if found else None

    def inverter(self):
        return self._single(lambda a: (f"!{a}", f"{a}'"))

    def buffer(self):
        return self._single(lambda a: (a,))

    def clock_gate(self):
        """An integrated clock gate (latch, rising edge), or None."""
        return next((n for n, c in self.cells.items() if (c["gate"] or "").startswith("latch_posedge")), None)
