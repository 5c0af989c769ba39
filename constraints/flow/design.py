"""The RTL as the flow sees it: geometries, source files, and the units that are mapped one by one."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

PERIOD_NS = 4.0  # 250 MHz
MARGIN = 0.2  # of the period; reasons in constraints/sdc/tile.sdc


class FlowError(Exception):
    """What went wrong, where, and what to do; printed without a traceback."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Parameters of ohmac_top."""

    mesh_x: int = 4
    mesh_y: int = 4
    rows: int = 256
    cols: int = 256
    lanes: int = 32
    sram_bytes: int = 65536
    sram_banks: int = 8

    @property
    def tiles(self):
        return self.mesh_x * self.mesh_y

    @property
    def name(self):
        return (
            f"{self.mesh_x}x{self.mesh_y}_{self.rows}x{self.cols}_l{self.lanes}_s{self.sram_bytes // 1024}k{self.sram_banks}"
        )

    def verilog(self, names):
        """The parameters among `names` as {name of RTL: value}."""
        rtl = {
            "MeshX": self.mesh_x,
            "MeshY": self.mesh_y,
            "Rows": self.rows,
            "Cols": self.cols,
            "Lanes": self.lanes,
            "SramBytes": self.sram_bytes,
            "SramBanks": self.sram_banks,
        }
        return {n: v for n, v in rtl.items() if n in names}


NAMED = {
    "reference": Geometry(),
    "tiny": Geometry(mesh_x=2, mesh_y=1, rows=32, cols=32, lanes=8, sram_bytes=16384, sram_banks=4),
}


def geometry(text):
    """A name of NAMED, or changes to one: `reference,lanes=64,cols=512`."""
    first, *changes = text.split(",")
    if "=" in first:
        first, changes = "reference", [first, *changes]
    if first not in NAMED:
        raise FlowError(f"geometry {first!r} is unknown: use {', '.join(NAMED)}, or reference,lanes=64 and the like")
    fields = {}
    for change in changes:
        m = re.fullmatch(r"(\w+)=(\d+)", change)
        if not m or m[1] not in Geometry.__dataclass_fields__:
            raise FlowError(f"geometry: {change!r} is not one of {', '.join(Geometry.__dataclass_fields__)} = a number")
        fields[m[1]] = int(m[2])
    return dataclasses.replace(NAMED[first], **fields)


PACKAGES = ["rtl/pkg/ohmac_isa_pkg.sv", "rtl/pkg/ohmac_pkg.sv", "rtl/regs/gen/ohmac_csr_pkg.sv"]
MEMORIES = ("ohmac_sram", "ohmac_mvm_mem")  # hard macros, with Liberty stubs from constraints/costs


@dataclasses.dataclass(frozen=True)
class Unit:
    """A part of the chip mapped on its own; the rest of the chip sees only its ports."""

    name: str
    top: str
    parameters: tuple  # of the top module
    folders: tuple  # of rtl/
    black_boxes: tuple = ()  # modules that are units of their own: here a stub with the budgets of their SDC file
    fixed: tuple = ()  # (parameter, value) of the top module, whatever the geometry
    sdc: str = ""  # name of its file in constraints/sdc, if not that of the unit

    def files(self):
        found = [str(f.relative_to(ROOT)) for d in self.folders for f in sorted((ROOT / "rtl" / d).glob("*.sv"))]
        own_packages = [f for f in found if f.endswith("_pkg.sv") and f not in PACKAGES]
        return PACKAGES + own_packages + [f for f in found if not f.endswith("_pkg.sv")]


_TILE = ("Rows", "Cols", "Lanes", "SramBytes", "SramBanks")
UNITS = {
    "tile": Unit("tile", "ohmac_tile", _TILE, ("common", "analog_if", "tile")),
    # Everything but the tiles: mesh, DMA, registers, clock gates.
    "chip": Unit("chip", "ohmac_top", ("MeshX", "MeshY", *_TILE), ("common", "analog_if", "tile", "noc", "regs/gen", "top"), ("ohmac_tile",)),
}
for _bits in 8, 4:  # the digital baseline: all of it, and its slice, of which there are 64 or 32
    _precision = (("WeightBits", _bits), ("ActBits", _bits))
    UNITS |= {
        f"dmac{_bits}": Unit(f"dmac{_bits}", "ohmac_dmac", ("Rows", "Cols"), ("common", "baseline"), ("ohmac_dmac_slice",), _precision, "dmac"),
        f"dmac_slice{_bits}": Unit(f"dmac_slice{_bits}", "ohmac_dmac_slice", (), ("common", "baseline"), (), _precision, "dmac_slice"),
    }


def unit(name):
    """A unit by name, or any module of the chip on its own with its default parameters (--unit ohmac_vector)."""
    if name in UNITS:
        return UNITS[name]
    if not list((ROOT / "rtl").glob(f"*/{name}.sv")):
        raise FlowError(f"unit {name!r} is neither one of {', '.join(UNITS)} nor a module of rtl/")
    return Unit(name, name, (), ("common", "analog_if", "tile", "noc", "regs/gen", "top", "baseline"))


def sdc(unit):
    """Constraints of a unit; a module on its own has those of constraints/sdc/module.sdc."""
    return ROOT / "constraints" / "sdc" / (f"{unit.sdc or unit.name}.sdc" if unit.name in UNITS else "module.sdc")
