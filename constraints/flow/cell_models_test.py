#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of cell_models.py and function.py. Gates: the Verilog that comes with the library (Yosys proves every output equal), truth tables by hand.
What registers of a model do is tested in simulation: tb/unit/netlist/cell_models_test.cpp."""

import itertools
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cell_models  # noqa: E402
import design  # noqa: E402
import function  # noqa: E402
import yosys  # noqa: E402
from library import DEFAULT, Library  # noqa: E402

FIXTURE = design.ROOT / "tb/unit/netlist/fixture.lib"
SEQUENTIAL = {"DFFNEGX1", "DFFPOSX1", "DFFSR", "LATCH"}  # user-defined primitives in the library's Verilog


def table(text, names):
    f = function.parse(text)
    return "".join(str(function.value(f, dict(zip(names, v)))) for v in itertools.product((0, 1), repeat=len(names)))


class Functions(unittest.TestCase):
    def test_operators(self):
        for text, by_hand in (("A B", "0001"), ("A*B", "0001"), ("A & B", "0001"), ("A+B", "0111"), ("A|B", "0111"), ("A^B", "0110"), ("!A B", "0100"),
                              ("A' B", "0100"), ("(A B)'", "1110"), ("!!A", "0011"), ("A''", "0011"), ("A B 0", "0000"), ("1", "1111"), ("!(A+B)'", "0111")):
            self.assertEqual(table(text, "AB"), by_hand, text)

    def test_order(self):
        # ABC = 000 .. 111
        self.assertEqual(table("A B ^ C", "ABC"), "00000110")  # A and (B xor C)
        self.assertEqual(table("A + B C", "ABC"), "00011111")
        self.assertEqual(table("A ^ B + C", "ABC"), "01111101")  # (A xor B) or C
        self.assertEqual(table("A ^ B' ^ C", "ABC"), "10010110")

    def test_what_is_no_function(self):
        for text, why in (("A +", "the end"), ("(A B", "')' expected"), ("A ? B", "'?'"), ("A) B", "')'"), ("", "the end"), ("* A", "'*'")):
            with self.assertRaisesRegex(ValueError, re.escape(why), msg=text):
                function.parse(text)


class Osu(unittest.TestCase):
    def test_gates_equal_the_verilog_of_the_library(self):
        library = Library()
        own = DEFAULT.with_suffix(".v").read_text()
        own = re.sub(r"\bspecify\b.*?\bendspecify\b", "", own, flags=re.S)
        # Yosys reads no user-defined primitives; the one of a gate by hand, from its table: out = sel ? in1 : in0.
        own = own.replace("udp_mux2 (I0_out", "udp_mux2 u_mux (I0_out")
        own = re.sub(r"\bprimitive\b.*?\bendprimitive\b", "", own, flags=re.S)
        own += "module udp_mux2 (output out, input in0, in1, sel); assign out = (in0 & ~sel) | (in1 & sel); endmodule\n"
        modules = {n: m for m, n in re.findall(r"^(module (\w+)\b.*?endmodule)", own, re.S | re.M)}
        gates = [n for n, c in library.cells.items() if n not in SEQUENTIAL and not any(v["three_state"] for v in c["pins"].values())]
        self.assertEqual(len(gates), 26)  # of 32: 4 registers, 2 three-state buffers
        with tempfile.TemporaryDirectory() as t:
            commands = []
            for n in gates:
                gold, gate = Path(t) / f"{n}_library.v", Path(t) / f"{n}.sv"
                inner = sorted(set(re.findall(r"\bI\d+_out\b", modules[n])))  # nets that the library does not declare
                declared = "".join(f"wire {w};\n" for w in inner) + "endmodule\n"
                gold.write_text(modules[n].replace(f"module {n} ", f"module {n}_library ", 1).replace("endmodule", declared) + modules["udp_mux2"])
                gate.write_text(cell_models.cell(library, n))
                commands += ["design -reset", f"read_verilog {gold}", f"read_verilog -sv {gate}", "proc", f"flatten {n}_library"]
                commands += [f"miter -equiv -flatten {n}_library {n} miter", "sat -verify -prove trigger 0 miter"]
            log = yosys.run("gates", commands, t)
        self.assertEqual(log.count("SAT proof finished - no model found: SUCCESS!"), len(gates))

    def test_a_wrong_gate_is_found(self):
        library = Library()
        library.cells["MUX2X1"]["pins"]["Y"]["function"] = "(S A) + (!S B)"
        with tempfile.TemporaryDirectory() as t:
            gold, gate = Path(t) / "library.v", Path(t) / "gate.sv"
            gold.write_text("module gold (input A, B, S, output Y); assign Y = S ? ~A : ~B; endmodule\n")
            gate.write_text(cell_models.cell(library, "MUX2X1"))
            with self.assertRaisesRegex(design.FlowError, "Yosys: "):
                yosys.run("gate", [f"read_verilog {gold}", f"read_verilog -sv {gate}", "miter -equiv -flatten gold MUX2X1 miter",
                                   "sat -verify -prove trigger 0 miter"], t)

    def test_registers(self):
        # DFFSR in osu018_stdcells.v: udp_dff on the inverted data with set = not R, clear = not S, where set wins (second line of its table
        # would be masked by clear), and an inverted output: R wins, Q = 0.
        text = cell_models.cell(Library(), "DFFSR")
        self.assertIn("always @(posedge CLK or negedge R or posedge force1_)", text)
        self.assertRegex(text, r"if \(~R\) P0002 <= 1'b0;\s+else if \(force1_\) P0002 <= 1'b1;\s+else P0002 <= D;")


class Errors(unittest.TestCase):
    def error(self, change, name, *words):
        with tempfile.TemporaryDirectory() as t:
            path = Path(t) / "broken.lib"
            path.write_text(change(FIXTURE.read_text()))
            with self.assertRaises(design.FlowError) as e:
                cell_models.cell(Library(path), name)
        for word in (str(path), "library fixture", f"cell {name}", *words):
            self.assertIn(word, str(e.exception))

    def replaced(self, old, new, name, *words):
        self.assertEqual(FIXTURE.read_text().count(old), 1, old)
        self.error(lambda text: text.replace(old, new), name, *words)

    def test_they_name_library_cell_and_pin(self):
        self.replaced('function : "A + B C ^ D"', 'function : "A + B E"', "MIX", "pin Y", "E is neither")
        self.replaced('function : "A + B C ^ D"', 'function : "A + ? B"', "MIX", "pin Y", "'?'")
        self.replaced('function : "A + B C ^ D"', "", "MIX", "pin Y", "without a function")
        self.replaced('function : "1"', 'function : "A"; three_state : "B"', "MIX", "pin ONE", "three_state")
        self.replaced("clocked_on : \"CK'\"", "clocked_on : \"CP'\"", "FFN", "clocked_on", "CP is neither")
        self.replaced("clear_preset_var1 : L", "clear_preset_var1 : X", "FFL", "clear_preset_var1 is X")
        self.replaced("clear_preset_var1 : L;", "", "FFL", "clear_preset_var1 is None")
        self.replaced("; data_in", '; enable_also : "D"; data_in', "LAT", "second clock")
        self.replaced("clock_gating_integrated_cell : latch_posedge;", "clock_gating_integrated_cell : latch_negedge;", "ICG", "latch_negedge")
        self.replaced("clock_gate_test_pin : true; } pin (GCK) { direction : output; clock_gate_out_pin : true; }\n  }\n}", "} pin (GCK) { direction : output; clock_gate_out_pin : true; }\n  }\n}", "ICGA", "clock_gate_test_pin")
        self.error(lambda t: t.replace("cell (BUF)", 'cell (TWO) { statetable ("A", "Q") { } pin (A) { direction : input; } pin (Q) { direction : output; } } cell (BUF)'), "TWO", "statetable")
        self.error(lambda t: t.replace("cell (BUF)", "cell (PAD) { pin (A) { direction : inout; } } cell (BUF)"), "PAD", "pin A", "inout")

    def test_an_unknown_cell(self):
        with self.assertRaisesRegex(design.FlowError, "cell RAM16 is neither .* nor a memory"):
            cell_models.models({"top": [("u_ram", "RAM16", {})]}, Library())


NETLIST = """module \\ohmac_fifo$tile.u_a (clk_i);
  NAND2X1 _01_ (
    .A(a),
    .B(b),
    .Y(next)
  );
  DFFPOSX1 \\wptr_q[0]__DFFPOSX1 (
    .CLK(clk_i),
    .D(next),
    .Q(q)
  );
endmodule
"""


class Netlists(unittest.TestCase):
    def test_memories_are_those_of_the_rtl(self):
        text = cell_models.memory("ohmac_sram_256x128")
        self.assertIn("ohmac_sram #(.Width(256), .Depth(128)) u_mem (.*);", text)
        self.assertIn("input [6:0] addr_i", text)
        self.assertIsNone(cell_models.memory("ohmac_fifo_8x4"))

    def test_a_planted_fault_changes_one_gate(self):
        text, what = cell_models.plant(NETLIST, Library(), "ohmac_fifo", "wptr_q")
        changed = [(a, b) for a, b in zip(NETLIST.splitlines(), text.splitlines()) if a != b]
        self.assertEqual(len(changed), 1)
        self.assertEqual(changed[0][0], "  NAND2X1 _01_ (")
        self.assertRegex(changed[0][1], r"^  (AND2X1|NOR2X1|OR2X1|XOR2X1|XNOR2X1|AND2X2|OR2X2) _01_ \($")
        self.assertIn("_01_ in front of \\wptr_q[0]__DFFPOSX1", what)

    def test_a_fault_with_a_switch_leaves_the_gate(self):
        text, what = cell_models.switch(NETLIST, Library(), "ohmac_fifo", "wptr_q")
        self.assertIn("NAND2X1 _01_ (\n    .A(a),\n    .B(b),\n    .Y(fault_[0])\n  );", text)
        self.assertRegex(text, r"\w+ u_fault_gate \(\n    \.A\(a\),\n    \.B\(b\),\n    \.Y\(fault_\[1\]\)\n  \);")
        self.assertIn("assign next = fault_on ? fault_[1] : fault_[0];", text)
        self.assertIn("OHMAC_MUTANT=1", what)
        self.assertEqual(text.count("  DFFPOSX1 "), 1)

    def test_a_fault_that_cannot_be_planted(self):
        with self.assertRaisesRegex(design.FlowError, "no flop rptr_q"):
            cell_models.plant(NETLIST, Library(), "ohmac_fifo", "rptr_q")

    def test_the_shell_has_the_ports_of_the_rtl_and_refuses_another_geometry(self):
        text = cell_models.shell(design.unit("tile"), design.geometry("tiny"))
        self.assertIn("output macro_pins_t                      pins_o", text)
        self.assertIn("Rows != 32 || Cols != 32 || Lanes != 8 || SramBytes != 16384 || SramBanks != 4", text)


if __name__ == "__main__":
    unittest.main()
