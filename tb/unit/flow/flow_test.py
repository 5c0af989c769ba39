#!/usr/bin/env python3
"""Tests of constraints/flow on ohmac_watchdog, a module of one second. First argument: folder for what is written."""

import pathlib
import re
import shutil
import sys
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "constraints" / "flow"))

import design  # noqa: E402
import gatesim  # noqa: E402
import netlist  # noqa: E402
import sta  # noqa: E402
import synth  # noqa: E402
from library import DEFAULT, Library  # noqa: E402

OUT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/flow_test").resolve()
UNIT = design.unit("ohmac_watchdog")


class Liberty(unittest.TestCase):
    def refused(self, text, *words):
        path = OUT / "bad.lib"
        path.write_text(text)
        with self.assertRaises(design.FlowError) as e:
            Library(path)
        for w in (str(path), *words):
            self.assertIn(w, str(e.exception))

    def test_missing_file(self):
        with self.assertRaisesRegex(design.FlowError, "none.lib: cannot be read"):
            Library(OUT / "none.lib")

    def test_not_liberty(self):
        self.refused("module x; endmodule\n", "not a Liberty file")

    def test_cut_off(self):
        self.refused(DEFAULT.read_text()[:100000], "cut off")

    def test_without_flop(self):
        self.refused(re.sub(r"\bff \(", "fff (", DEFAULT.read_text()), "flip-flop")

    def test_without_wire_load(self):
        self.refused(DEFAULT.read_text().replace("library(osu018_stdcells)", "library(other)"), "wire_load", "other.toml")

    def test_area_of_the_latch(self):  # Liberty says 0; 5.6 um by 10 um in the LEF file of the package
        self.assertEqual(Library().cells["LATCH"]["area"], 56.0)


class Mapped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.library = Library()
        cls.folder = OUT / "watchdog"
        cls.area = synth.map_unit(UNIT, design.Geometry(), cls.library, cls.folder)

    def test_area_is_the_sum_of_the_cells(self):
        text = (self.folder / "netlist.v").read_text()
        area = sum(c["area"] * len(re.findall(rf"^  {n} ", text, re.M)) for n, c in self.library.cells.items())
        self.assertGreater(area, 0)
        self.assertAlmostEqual(self.area[""]["area_um2"], area)
        self.assertEqual(self.area[""]["flops"], 25)  # 24 bits of count_q, quiet_q

    def test_no_clock_net_has_more_than_its_flops(self):
        loads = {}
        for inst, kind, pins in netlist.read(self.folder / "netlist.v")[UNIT.top]:
            if self.library.cells[kind]["flop"]:
                loads[pins["CLK"]] = loads.get(pins["CLK"], 0) + 1
        self.assertEqual(sum(loads.values()), 25)
        self.assertLessEqual(max(loads.values()), synth.CLOCK_FANOUT)

    def test_timing_in_words(self):
        t = sta.timing(self.folder, UNIT, self.library, design.sdc(UNIT))
        self.assertGreaterEqual(len(t["paths"]), 3)
        self.assertEqual(len({p["to"] for p in t["paths"]}), len(t["paths"]))
        self.assertTrue(any(p["to"] == "count_q" for p in t["paths"]), t["paths"])
        # A path of the report adds up: period - margin - setup of some 0.1 .. 0.4 ns - arrival.
        for p in t["paths"]:
            if p["to"].startswith("count_q"):
                self.assertAlmostEqual(p["slack_ns"], 3.2 - 0.25 - p["delay_ns"], delta=0.2)

    def test_sdc_with_a_pin_that_is_missing(self):
        sdc = OUT / "bad.sdc"
        sdc.write_text(design.sdc(UNIT).read_text() + "set_input_delay -clock clk 1.0 [get_ports evnet_i]\n")
        with self.assertRaises(design.FlowError) as e:
            sta.timing(self.folder, UNIT, self.library, sdc)
        self.assertRegex(str(e.exception), r"bad\.sdc.*evnet_i")

    def test_sdc_that_leaves_a_port_out(self):
        sdc = OUT / "open.sdc"
        sdc.write_text("".join(line for line in design.sdc(UNIT).read_text().splitlines(True) if "output_delay" not in line))
        chip = design.Unit("tile", UNIT.top, UNIT.parameters, UNIT.folders)  # units of the chip may leave nothing open
        with self.assertRaisesRegex(design.FlowError, "no constraint reaches bite_o"):
            sta.timing(self.folder, chip, self.library, sdc)

    def broken(self, change):
        folder = OUT / "broken"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        path = folder / "netlist.v"
        text = path.read_text()
        changed = change(text)
        self.assertNotEqual(text, changed)
        path.write_text(changed)
        return folder

    def test_netlist_with_an_unmapped_cell(self):
        folder = self.broken(lambda t: re.sub(r"^  (?:NAND2X1|NOR2X1) ", "  MYSTERY ", t, count=1, flags=re.M))
        with self.assertRaises(design.FlowError) as e:
            synth.area_of(netlist.read(folder / "netlist.v"), UNIT.top, self.library, {})
        self.assertIn("MYSTERY", str(e.exception))
        with self.assertRaises(design.FlowError) as e:
            sta.timing(folder, UNIT, self.library, design.sdc(UNIT))
        self.assertIn("MYSTERY", str(e.exception))

    def test_gates_evaluate_as_the_rtl_says(self):
        """count_q of the watchdog: the next value of the netlist against 0, or count + 1, saturating."""
        flat = gatesim.Flat(self.folder / "netlist.v", UNIT.top, self.library.cells, set())
        rng = np.random.default_rng(1)
        cycles = 512
        count = rng.integers(0, 1 << 24, cycles)
        count[:64] = (1 << 24) - 1 - np.arange(64) // 32  # saturates
        values = {}
        quiet = rng.integers(0, 2, cycles).astype(np.uint8)
        for g in flat.gates:
            if self.library.cells[g.kind]["flop"]:
                name = g.path.rpartition("__")[0]
                bit = re.fullmatch(r"count_q\[(\d+)\]", name)
                bits = count >> int(bit[1]) & 1 if bit else quiet
                values[flat.net(g.pins["Q"])] = np.packbits(bits.astype(np.uint8))
        for port, (_, nets) in flat.inputs.items():
            for n in nets:
                values[flat.net(n)] = np.zeros(cycles // 8, np.uint8)
        gatesim.evaluate(flat, self.library, values, cycles)
        drivers = {}
        for g in flat.gates:
            for p, v in self.library.cells[g.kind]["pins"].items():
                if v["direction"] == "output" and p in g.pins:
                    drivers[flat.net(g.pins[p])] = g

        def opened(net):  # enable of the clock gate in front of a flop; None without
            g = drivers.get(net)
            while g is not None and not self.library.cells[g.kind]["latch"]:
                ins = [flat.net(g.pins[p]) for p, v in self.library.cells[g.kind]["pins"].items() if v["direction"] == "input"]
                latch = [i for i in ins if i in drivers and self.library.cells[drivers[i].kind]["latch"]]
                g = drivers[latch[0]] if latch else drivers.get(ins[0])
            return values[flat.net(g.pins["D"])] if g else None

        expected = np.where(quiet == 1, np.minimum(count + 1, (1 << 24) - 1), 0)
        for g in flat.gates:
            m = re.fullmatch(r"count_q\[(\d+)\]__\w+", g.path)
            if not m:
                continue
            d = np.unpackbits(values[flat.net(g.pins["D"])], count=cycles)
            e = opened(flat.net(g.pins["CLK"]))
            q = (count >> int(m[1]) & 1).astype(np.uint8)
            got = d if e is None else np.where(np.unpackbits(e, count=cycles) == 1, d, q)
            self.assertTrue(np.array_equal(got, expected >> int(m[1]) & 1), g.path)


class Geometry(unittest.TestCase):
    def test_names(self):
        self.assertEqual(design.geometry("tiny").lanes, 8)
        self.assertEqual(design.geometry("reference,lanes=64,cols=512").cols, 512)
        with self.assertRaisesRegex(design.FlowError, "lane=64"):
            design.geometry("lane=64")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    unittest.main()
