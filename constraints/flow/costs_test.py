#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of costs.py: hand calculations from the coefficients, and what CACTI itself says of the shapes of the chip."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from costs import DEFAULT_TABLE, CostError, MemoryCosts  # noqa: E402


class Formulas(unittest.TestCase):
    def test_a_bank_of_the_reference_tile(self):
        # 256 words of 256 data and 32 parity bits: 288 bits, 73728 cells, 82944 = 288^2.
        m = MemoryCosts().sram(256, 256)
        self.assertAlmostEqual(m.area_um2, 453206.016 + 17887.68 + 158920.704, places=2)
        self.assertAlmostEqual(m.access_ns, 0.007586 + 8 * 0.2512 + 288 * 0.0006648, places=6)
        self.assertAlmostEqual(m.setup_ns, 0.149 * 2.2086484, places=6)
        self.assertAlmostEqual(m.hold_ns, 0.117 * 2.2086484, places=6)
        self.assertAlmostEqual(m.read_pj, 29.6091648 + 72.72 + 61.4449152, places=5)
        self.assertAlmostEqual(m.write_pj, 188.301312 + 68.2272 + 78.3323136, places=5)
        self.assertAlmostEqual(m.leakage_uw, 74.686464 + 1.055808, places=5)

    def test_a_bank_without_parity(self):
        # A bank of the digital baseline: 64 words of 128 bits, 8192 cells, 16384 = 128^2.
        m = MemoryCosts().sram(128, 64, parity=False)
        self.assertAlmostEqual(m.read_pj, 0.0004016 * 8192 + 0.2525 * 128 + 0.0007408 * 16384, places=6)

    def test_a_register_file(self):
        # 32 words of 24 bits: 768 cells. No parity.
        m = MemoryCosts().regfile(24, 32)
        self.assertAlmostEqual(m.area_um2, 14.01 * 768 + 349.4 * 24, places=3)
        self.assertAlmostEqual(m.access_ns, 0.561 + 5 * 0.1633, places=6)
        self.assertAlmostEqual(m.read_pj, 0.0008853 * 768 + 0.3352 * 24, places=6)
        self.assertAlmostEqual(m.write_pj, 0.003076 * 768 + 0.3777 * 24, places=6)

    def test_slices_side_by_side_cost_as_much_as_one(self):
        m, slice_ = MemoryCosts().regfile(768, 8), MemoryCosts().regfile(64, 8)
        self.assertAlmostEqual(m.area_um2, 12 * slice_.area_um2, places=3)
        self.assertEqual(m.access_ns, slice_.access_ns)


class AgainstCacti(unittest.TestCase):
    # CACTI 7.0 at 180 nm: words, stored bits -> area um2, access ns, read pJ, write pJ, leakage uW.
    SRAM = {
        (256, 288): (630206, 2.13246, 161.5, 349.663, 77.8088),
        (128, 288): (405998, 1.8727, 150.259, 240.646, 39.5419),
    }
    REGFILE = {(128, 32): (69965.4, 1.61986, 14.6128, 27.4948, 5.75222)}

    def check(self, memory, cacti, within):
        got = (memory.area_um2, memory.access_ns, memory.read_pj, memory.write_pj, memory.leakage_uw)
        for value, want in zip(got, cacti):
            self.assertLess(abs(value / want - 1), within, f"{value} against {want}")

    def test_sram_banks_of_both_geometries(self):
        for (words, bits), cacti in self.SRAM.items():
            self.check(MemoryCosts().sram(bits * 8 // 9, words), cacti, 0.05)

    def test_staging_buffer(self):
        for (words, bits), cacti in self.REGFILE.items():
            self.check(MemoryCosts().regfile(bits, words), cacti, 0.11)


class Errors(unittest.TestCase):
    def refused(self, text, *words):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bad.toml"
            path.write_text(text, encoding="utf-8")
            with self.assertRaises(CostError) as e:
                MemoryCosts(path)
        for word in ("bad.toml", *words):
            self.assertIn(word, str(e.exception))

    def test_tables(self):
        text = DEFAULT_TABLE.read_text(encoding="utf-8")
        self.refused("kind = ", "not TOML")
        self.refused(text.replace('kind = "memory"', 'kind = "analog"'), "kind", "analog")
        self.refused(text.replace("read_bit2 = { value = 0.0007408", "read_bit3 = { value = 0.0007408"), "sram.read_bit3")
        self.refused(text.replace("value = 6.147", "value = -1"), "sram.area_cell", "-1")
        self.refused(text.replace("value = 6.147", "value = true"), "sram.area_cell")
        self.refused(text.replace("value = 6.147", "value = inf"), "sram.area_cell")
        self.refused(text.replace('6.147, unit = "um2"', '6.147, unit = "mm2"'), "sram.area_cell", "mm2")
        self.refused(text.replace("gf180 =", "gf =", 1), "sram.setup_share", "[sources]")
        self.refused(text[: text.index("[regfile]")], "[regfile]", "missing")
        self.refused(text.replace("node_nm = 180", 'node_nm = "180"', 1), "node_nm")
        with self.assertRaisesRegex(CostError, "nosuch.toml: cannot read"):
            MemoryCosts("nosuch.toml")

    def test_shapes(self):
        with self.assertRaisesRegex(CostError, "multiple of 8"):
            MemoryCosts().sram(30, 16)
        with self.assertRaisesRegex(CostError, "at least 1"):
            MemoryCosts().regfile(32, 0)


if __name__ == "__main__":
    unittest.main()
