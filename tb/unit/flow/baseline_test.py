#!/usr/bin/env python3
"""Tests of the comparison with the digital baseline (constraints/flow/baseline.py). First argument: folder for what is written. Expected values
are calculated by hand."""

import json
import math
import os
import pathlib
import re
import shutil
import sys
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "constraints" / "flow"))

import baseline  # noqa: E402
import baseline_table as table  # noqa: E402
import design  # noqa: E402
import netlist  # noqa: E402

OUT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/baseline_test").resolve()

# 10 images on 2 of 4 tiles of 64 x 64 at 100 MHz, 400 cycles an image, tiles active in 300 of them; an MVM takes 20 cycles.
JOULE = {"adc": 40e-9, "dac": 8e-9, "array": 2e-9, "integrator": 3e-9, "sample_hold": 1e-9, "column_mux": 4e-9}
JOULE |= {"mvm_phase": 16e-9, "sar_logic": 20e-9, "accumulators": 60e-9, "post": 80e-9, "programming_logic": 0.0}
RECORD = {
    "images": 10,
    "accuracy": {"analog": 0.9},
    "cycles": {"per_inference": 400},
    "events": {"active": 6000, "conversions": 40000, "row_words": 800, "drives": 20},
    "geometry": {"tiles": 4, "rows": 64, "cols": 64},
    "programming": {"tiles": 2},
    "costs": {"clock_mhz": 100.0},
    "tops_peak": 2 * 64 * 64 * 4 / (20 * 10e-9) * 1e-12,
    "operations_per_inference": 8192,
    "energy_j": {"total": 500e-9, "per_inference": 50e-9, "by_block": {b: {"joule": j} for b, j in JOULE.items()}, "reasons": []},
    "programming_energy_j": {"total": 1e-3},
    "area_mm2": {"total": 20.0, "by_block": {b: {"mm2": 0.4} for b in (*table.MACRO, *table.ENGINE)}, "reasons": []},
}
DIGITAL = {"block": {b: {"clock_j_per_cycle": 1e-12, "leakage_w": 1e-6} for b in table.ENGINE}}
# Two images through two pieces.
PIECES = [
    {"rows": 64, "columns": 64, "cycles": 40, "sram_j": 4e-9, "slice_j": 8e-9, "tree_j": 0.2e-9, "control_j": 0.1e-9, "clock_j": 1.1e-9, "slice_clock_j": 1e-9, "free_j_per_cycle": 2e-12},
    {"rows": 32, "columns": 16, "cycles": 20, "sram_j": 1e-9, "slice_j": 1e-9, "tree_j": 0.5e-9, "control_j": 0.5e-9, "clock_j": 1e-9, "slice_clock_j": 0.2e-9, "free_j_per_cycle": 2e-12},
]
MEASURED = {
    "recorded": 2, "pieces": PIECES, "accuracy": 0.95, "mvm_cycles": 16, "sram_mm2": 1.0, "slice_mm2": 2.0, "tree_mm2": 0.5, "control_mm2": 0.1,
    "leakage_w": 1e-3, "retention_w": 0.5e-3, "load_j": 1e-6, "fmax_mhz": 90.0,
}


def scaling():
    return tomllib.loads((ROOT / "constraints/costs/scaling.toml").read_text())


class Table(unittest.TestCase):
    def setUp(self):
        self.analog = table.analog_engine(RECORD, DIGITAL)
        self.digital = table.digital_engine(MEASURED, self.analog)

    def parts(self, engine, expected):
        self.assertEqual(len(engine["parts"]), len(expected))
        for (name, joule, _), nj in zip(engine["parts"], expected):
            self.assertAlmostEqual(joule * 1e9, nj, places=9, msg=name)
        self.assertAlmostEqual(engine["energy_j"] * 1e9, sum(expected), places=9)

    def test_analog_engine(self):
        # ADC and multiplexers (40 + 4) / 10; (8 + 3 + 1) / 10; array; no pulses; (20 + 60 + 16) / 10; post; clocks: 5 blocks of 1 pJ in 600
        # cycles of both tiles; leakage: 5 uW of two tiles for 4 us.
        self.parts(self.analog, [4.4, 1.2, 0.2, 0.0, 9.6, 8.0, 3.0, 0.04])
        self.assertAlmostEqual(self.analog["area_mm2"], 13 * 0.1)
        self.assertAlmostEqual(self.analog["mvm_cycles"], 20)
        self.assertAlmostEqual(self.analog["load_j"], 0.5e-3)

    def test_an_mvm_of_the_analog_engine(self):
        # Rows: (8 + 2 + 16) / 10 nJ over 4 * 80; columns: 204 / 10 nJ over 4000; drives: 4 / 10 nJ over 2; clocks: 5 pJ in 20 cycles.
        self.assertAlmostEqual(table.mvm_j(self.analog, 32, 64) * 1e9, 32 * 0.008125 + 64 * 0.0051 + 0.2 + 0.1, places=9)

    def test_digital_engine(self):
        # Means of two images; clocks also in 300 - 20 and 300 - 10 cycles of waiting, 2 pJ each; leakage: 1 mW of two tiles for 4 us.
        self.parts(self.digital, [2.5, 4.5, 0.35, 0.3, 1.05 + 1.14, 8.0])
        self.assertAlmostEqual(self.digital["area_mm2"], 3.6)

    def test_the_rest_of_the_chip_is_the_same(self):
        self.assertAlmostEqual(self.digital["chip_j"] * 1e9, 50 - 26.44 + 17.84, places=9)
        self.assertAlmostEqual(self.digital["chip_mm2"], 20 + 4 * (3.6 - 1.3))

    def test_rows_from_which_analog_wins(self):
        # Row: 64 * 13 nJ / 8192 = 101.5625 pJ against 8.125; rest: 0.6264 nJ against 64 * 0.4 nJ / 128 = 0.2 nJ.
        even = table.even_rows(self.analog, self.digital, 64)
        self.assertAlmostEqual(even, 426.4 / 93.4375, places=6)
        self.assertGreater(table.mvm_j(self.analog, even - 1, 64), table.mvm_j(self.digital, even - 1, 64))
        self.assertLess(table.mvm_j(self.analog, even + 1, 64), table.mvm_j(self.digital, even + 1, 64))
        cheap = {**self.digital, "row_column_j": 1e-13}
        self.assertIsNone(table.even_rows(self.analog, cheap, 64))

    def test_another_node(self):
        f = table.factors(scaling(), 32)
        # Stillmaker and Baas: 0.8367 * 0.81 - 0.4341 * 0.9 + 0.1701 over 24.64 * 1.8 - 17.98
        self.assertAlmostEqual(f["digital"][0], 0.457137 / 26.372, places=7)
        self.assertAlmostEqual(f["adc"][0], math.exp(1.88 * math.log(32 / 180)), places=9)
        rules = {b: "voltage" for b in table.MACRO} | {"adc": "adc", "array": "cells"}
        found = table.at_node(self.analog, {"int8": self.digital}, rules, scaling(), 32)
        d, a = f["digital"][0], f["adc"][0]
        self.assertAlmostEqual(found["analog"][0] * 1e9, 4.0 * a + (0.4 + 1.2) * 0.25 + 0.2 + (9.6 + 8.0 + 3.0) * d + 0.04, places=9)
        self.assertAlmostEqual(found["int8"][0] * 1e9, 9.84 * d + 8.0, places=9)
        self.assertAlmostEqual(found["int8"][1], 3.6 * 0.025, places=9)
        with self.assertRaisesRegex(design.FlowError, "33 nm.*32"):
            table.factors(scaling(), 33)

    def test_the_verdict_follows_the_numbers(self):
        def lines(digital):
            nodes = {32: {"analog": (3.0, 1.0), "int8": (2.0, 4.0)}}
            return table.verdict(self.analog, {"int8": digital}, nodes, 1000, 64, 64, 100.0)

        text = "\n".join(lines(self.digital))
        self.assertIn("analog takes 1.48 times that of int8: int8 wins", text)  # 26.44 / 17.84
        self.assertIn("Area of the MVM engine: analog takes 0.36 times", text)  # 1.3 / 3.6
        self.assertIn("At 32 nm, scaled: 1.50 times the energy of int8 (int8 wins), 0.25 times its area (analog wins).", text)
        self.assertIn("from 5 rows driven together on, within the 64", text)
        self.assertIn("below 116279 inferences/s", text)  # 2 * 0.5 mW / 8.6 nJ
        self.assertIn("does not earn it back", text)
        self.assertIn("-5.0 points from int8", text)
        dear = table.digital_engine({**MEASURED, "pieces": [{**p, "slice_j": p["slice_j"] * 10} for p in PIECES]}, self.analog)
        text = "\n".join(lines(dear))
        self.assertIn("analog wins", text.split("\n")[0])
        self.assertIn("earned back after", text)
        self.assertNotIn("inferences/s", text)

    def test_a_cost_table_without_the_blocks_of_the_engine(self):
        with self.assertRaisesRegex(design.FlowError, "no block post"):
            table.analog_engine(RECORD, {"block": {b: v for b, v in DIGITAL["block"].items() if b != "post"}})

    def test_a_run_without_energy(self):
        energy = {**RECORD["energy_j"], "total": None, "reasons": ["no digital table fits"]}
        with self.assertRaisesRegex(design.FlowError, "no digital table fits"):
            table.analog_engine({**RECORD, "energy_j": energy}, DIGITAL)


class Recording(unittest.TestCase):
    def setUp(self):
        self.folder = OUT / "recording"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def test_none(self):
        with self.assertRaisesRegex(design.FlowError, r"recording/activity\.json: no recording.*dmac_activity --out"):
            baseline.recording(self.folder)

    def test_a_piece_is_missing(self):
        (self.folder / "activity.json").write_text(json.dumps({"pieces": [{"name": "fc1_0_0", "vcd": "fc1_0_0.vcd"}]}))
        with self.assertRaisesRegex(design.FlowError, r"fc1_0_0\.vcd.*piece fc1_0_0 is missing"):
            baseline.recording(self.folder)
        (self.folder / "fc1_0_0.vcd").touch()
        self.assertEqual(baseline.recording(self.folder)["pieces"][0]["name"], "fc1_0_0")

    def test_a_tool_that_is_not_built(self):
        with self.assertRaisesRegex(design.FlowError, "no_such_tool is not built: make baseline"):
            baseline.run_tool("no_such_tool", [])


class Clock(unittest.TestCase):
    def test_timing_of_another_netlist_does_not_count(self):
        class Somewhere:
            name = str(OUT / "timing")  # folder_of() joins paths: an absolute one wins

        folder = baseline.folder_of(Somewhere, design.Geometry(), "tile")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.assertIsNone(baseline.analog_fmax(Somewhere, design.Geometry()))
        (folder / "key").write_text("k")
        (folder / "timing.json").write_text('{"fmax_mhz": 76.5}')
        os.utime(folder / "key", (100, 100))
        os.utime(folder / "timing.json", (200, 200))
        self.assertEqual(baseline.analog_fmax(Somewhere, design.Geometry()), 76.5)
        os.utime(folder / "key", (300, 300))
        self.assertIsNone(baseline.analog_fmax(Somewhere, design.Geometry()))


def core(units):
    """A netlist of that many slices, all with the same step, each with its own load; in the style of Yosys."""
    text = "\nmodule ohmac_dmac(clk_i, step, load);\n  input clk_i;\n  input [1:0] step;\n  input [63:0] load;\n"
    for i in range(units):
        text += f"  {baseline.STUB} \\gen_slice[{i}].u_slice  (\n    .clk_i(clk_i),\n    .load_i(load[{i}]),\n    .word_i(step)\n  );\n"
    return text + "endmodule\n"


class Netlists(unittest.TestCase):
    def write(self, name, text):
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "netlist.v").write_text(text)
        (folder / "stubs.lib").write_text(name)
        return folder

    def test_broadcasts_get_buffers(self):
        path = self.write("broadcast", core(40)) / "netlist.v"
        netlist.buffer_broadcasts(path, {baseline.STUB: {"word_i": 2, "load_i": 1}}, ("BUFX4", "A", "Y"), 16)
        cells = netlist.read(path)["ohmac_dmac"]
        words = [pins["word_i"] for _, kind, pins in cells if kind == baseline.STUB]
        # 40 slices in three groups of at most 16, each with a buffer a bit, all from `step`.
        self.assertEqual(sorted(words.count(w) for w in set(words)), [13, 13, 14])
        buffers = [pins for _, kind, pins in cells if kind == "BUFX4"]
        self.assertEqual({p["Y"] for p in buffers}, {f"{w}[{i}]" for w in set(words) for i in (0, 1)})
        assigned = dict(netlist.wires(path)[1]["ohmac_dmac"])
        self.assertEqual([assigned[re.sub(r"\[\d\]$", "", p["A"])] for p in buffers], ["step"] * 6)
        self.assertEqual([p["Y"].replace("[", "in[") for p in buffers], [p["A"] for p in buffers])
        # What is not broadcast stays, and so do clocks.
        self.assertEqual([pins["load_i"] for _, kind, pins in cells if kind == baseline.STUB], [f"load[{i}]" for i in range(40)])
        self.assertEqual({pins["clk_i"] for _, kind, pins in cells if kind == baseline.STUB}, {"clk_i"})

    def test_few_units_get_none(self):
        path = self.write("few", core(16)) / "netlist.v"
        netlist.buffer_broadcasts(path, {baseline.STUB: {"word_i": 2}}, ("BUFX4", "A", "Y"), 16)
        self.assertEqual(path.read_text(), core(16))

    def test_core_and_slices_are_joined(self):
        slice_ = "\nmodule ohmac_dmac_slice(clk_i, load_i, word_i);\n  input clk_i;\n  input load_i;\n  input [1:0] word_i;\nendmodule\n"
        folders = self.write("core", core(3)), self.write("slice", slice_)
        names = baseline.join(*folders, OUT / "joined")
        self.assertEqual(names, [f"gen_slice[{i}].u_slice" for i in range(3)])
        modules = netlist.read(OUT / "joined" / "netlist.v")
        self.assertEqual([kind for _, kind, _ in modules["ohmac_dmac"]], ["ohmac_dmac_slice"] * 3)
        self.assertEqual(modules["ohmac_dmac_slice"], [])
        self.assertEqual((OUT / "joined" / "stubs.lib").read_text(), "slice")
        with self.assertRaisesRegex(design.FlowError, "both have a module ohmac_dmac"):
            baseline.join(folders[0], folders[0], OUT / "joined")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    unittest.main()
