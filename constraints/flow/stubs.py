"""Liberty stubs of the hard macros of the chip. Their figures come from the cost tables of constraints/costs."""

import dataclasses
import math
import re

import design


# Percent of the supply; slews and delays of the stubs are plain numbers, so only that they are legal matters.
THRESHOLDS = {"input": 50, "output": 50, "slew_lower": 20, "slew_upper": 80}


@dataclasses.dataclass(frozen=True, order=True)
class Memory:
    kind: str  # ohmac_sram, ohmac_mvm_mem
    width: int
    depth: int

    @property
    def cell(self):
        return f"{self.kind}_{self.width}x{self.depth}"

    @property
    def bits(self):
        return self.depth * (self.width * 9 // 8 if self.kind == "ohmac_sram" else self.width)

    @property
    def ports(self):
        """{name: (direction, width)}"""
        addr = max(1, math.ceil(math.log2(self.depth)))
        w = self.width
        if self.kind == "ohmac_sram":
            return {
                "clk_i": ("input", 1), "req_i": ("input", 1), "we_i": ("input", 1), "addr_i": ("input", addr), "strb_i": ("input", w // 8),
                "wdata_i": ("input", w), "wpar_i": ("input", w // 8), "rdata_o": ("output", w), "rpar_o": ("output", w // 8),
            }
        return {
            "clk_i": ("input", 1), "we_i": ("input", 1), "waddr_i": ("input", addr), "wdata_i": ("input", w), "re_i": ("input", 1),
            "raddr_i": ("input", addr), "rdata_o": ("output", w),
        }


@dataclasses.dataclass(frozen=True, order=True)
class Block:
    """A unit that is mapped on its own, seen from outside: its ports have the budgets of its SDC file."""

    kind: str
    bundle: tuple  # (port, direction, width)

    @property
    def cell(self):
        return f"{self.kind}_stub"

    @property
    def ports(self):
        return {name: (direction, width) for name, direction, width in self.bundle}

    def budgets(self):
        """{port: ns of the period that the outside has}, from set_input_delay and set_output_delay."""
        text = (design.ROOT / "constraints" / "sdc" / f"{self.kind.removeprefix('ohmac_')}.sdc").read_text()
        found = {}
        for delay, ports in re.findall(r"^set_(?:in|out)put_delay -clock clk ([\d.]+) \[get_ports \{?([^}\]]*)\}?\]", text, re.M):
            found |= {p.rstrip("*"): float(delay) for p in ports.split()}
        return found


def _pin(name, direction, access, setup, hold, cap):
    out = [f"      direction : {direction};"]
    if name == "clk_i":
        out += ["      clock : true;", f"      capacitance : {cap * 4:.4f};"]
    elif direction == "input":
        out.append(f"      capacitance : {cap:.4f};")
        for kind, value in (("setup_rising", setup), ("hold_rising", hold)):
            if value is not None:
                out.append(
                    f'      timing() {{ related_pin : "clk_i"; timing_type : {kind}; rise_constraint(scalar) {{ values("{value:.4f}"); }} '
                    f'fall_constraint(scalar) {{ values("{value:.4f}"); }} }}'
                )
    else:
        out.append("      max_capacitance : 1.0;")
        tables = {"cell_rise": access, "cell_fall": access, "rise_transition": 0.15, "fall_transition": 0.15}
        out.append(
            '      timing() { related_pin : "clk_i"; timing_type : rising_edge; timing_sense : non_unate; '
            + " ".join(f'{t}(scalar) {{ values("{v:.4f}"); }}' for t, v in tables.items())
            + " }"
        )
    return out


def cell(name, ports, area, timing, cap=0.01):
    """Types and text of one cell; `timing(port, direction)` is (access or None, setup or None, hold or None) in ns."""
    types, body = {}, []
    for port, (direction, width) in ports.items():
        if width > 1:
            types[width] = f"bus{width}"
            body += [f"    bus({port}) {{", f"      bus_type : bus{width};"]
        else:
            body.append(f"    pin({port}) {{")
        body += _pin(port, direction, *timing(port, direction), cap) + ["    }"]
    return types, [f"  cell({name}) {{", f"    area : {area:.1f};", "    dont_touch : true;", "    interface_timing : true;", *body, "  }"]


def _memory(m):
    access = 2.2 if m.kind == "ohmac_sram" else 1.2
    return cell(m.cell, m.ports, 1000.0, lambda port, direction: (access, 0.3, 0.0))


def _block(b):
    budgets = b.budgets()

    def timing(port, direction):
        if port in ("clk_i", "rst_ni"):
            return None, None, None
        if port not in budgets:
            raise design.FlowError(f"constraints/sdc/{b.kind.removeprefix('ohmac_')}.sdc: port {port} has no set_{direction}_delay")
        left = design.PERIOD_NS * (1 - design.MARGIN) - budgets[port]
        return left, left, 0.0

    return cell(b.cell, b.ports, 0.0, timing)


def liberty(macros, extra):
    """A library of the macros, with `extra` groups."""
    types, cells = {}, []
    for m in sorted(macros, key=lambda m: m.cell):
        t, c = _memory(m) if isinstance(m, Memory) else _block(m)
        types |= t
        cells += c
    head = [
        "library(ohmac_macros) {", "  delay_model : table_lookup;", '  time_unit : "1ns";', '  voltage_unit : "1V";', '  current_unit : "1uA";',
        '  pulling_resistance_unit : "1kohm";', '  leakage_power_unit : "1nW";', "  capacitive_load_unit(1,pf);", "  nom_voltage : 1.8;",
        *(f"  {k}_threshold_pct_{e} : {v};" for k, v in THRESHOLDS.items() for e in ("rise", "fall")), "  nom_process : 1;",
        "  nom_temperature : 25;",
    ]
    for width, name in sorted(types.items()):
        head.append(
            f"  type({name}) {{ base_type : array; data_type : bit; bit_width : {width}; bit_from : {width - 1}; bit_to : 0; downto : true; }}"
        )
    return "\n".join([*head, extra, *cells, "}", ""])
