#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of equivalence.py: small designs by hand whose equality or difference is plain, and a FIFO of the RTL through the whole flow."""

import itertools
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import design  # noqa: E402
import equivalence  # noqa: E402
import synth  # noqa: E402
from library import DEFAULT, Library  # noqa: E402

HEAD = ".model top\n.inputs clk_i rst_ni a b en\n.outputs y\n.names $false\n.names $true\n1\n"

# q <= en ? a & b : q with reset; a copy of q; a register that stays 0; y = copy | zero.
GOLD = HEAD + """.gate $_AND_ A=a B=b Y=ab
.gate $_MUX_ A=q B=ab S=en Y=d
.gate $_DFF_PN0_ C=clk_i D=d Q=q R=rst_ni
.gate $_DFF_PN0_ C=clk_i D=copy_d Q=copy R=rst_ni
.gate $_MUX_ A=copy B=ab S=en Y=copy_d
.gate $_DFF_PN0_ C=clk_i D=zero_d Q=zero R=rst_ni
.gate $_AND_ A=zero B=a Y=zero_d
.gate $_OR_ A=copy B=zero Y=y
.end
"""
# The same with one register behind a clock gate; NAND and NOT.
GATE = HEAD + """.gate $_NAND_ A=a B=b Y=nab
.gate $_NOT_ A=nab Y=ab
.gate $_NOT_ A=clk_i Y=low
.gate $_DLATCH_P_ D=en E=low Q=open
.gate $_AND_ A=clk_i B=open Y=gated
.gate $_DFF_PN0_ C=gated D=ab Q=q R=rst_ni
.names q y
1 1
.end
"""


def verdicts(gold, gate):
    with tempfile.TemporaryDirectory() as t:
        files = []
        for name, text in (("gold", gold), ("gate", gate)):
            files.append(Path(t) / name)
            files[-1].write_text(text)
        proof = equivalence.Proof(equivalence.Design(files[0], "RTL"), equivalence.Design(files[1], "netlist"), {})
        return proof, equivalence.decide(proof.aig, proof.goals[""], Path(t), "", 20)


class Graph(unittest.TestCase):
    def test_gates_and_their_file(self):
        truth = {"$_AND_": "0001", "$_NAND_": "1110", "$_OR_": "0111", "$_NOR_": "1000", "$_XOR_": "0110", "$_XNOR_": "1001", "$_ANDNOT_": "0010",
                 "$_ORNOT_": "1011"}  # AB = 00, 01, 10, 11
        aig = equivalence.Aig()
        a, b, s = (aig.leaf(n) for n in "abs")
        outs = {k: equivalence._GATES[k][1](aig, a, b) for k in truth}
        mux = equivalence._GATES["$_MUX_"][1](aig, s, b, a)  # pins S, B, A: S takes B
        for x, y, z in itertools.product((0, 1), repeat=3):
            values = aig.values([*outs.values(), mux], {a >> 1: x, b >> 1: y, s >> 1: z})
            self.assertEqual("".join(map(str, values[:-1])), "".join(truth[k][2 * x + y] for k in outs))
            self.assertEqual(values[-1], y if z else x)
        self.assertEqual(aig.both(a, a ^ 1), 0)
        self.assertEqual(aig.either(a, a ^ 1), 1)

    def test_aiger(self):
        # AIGER format 1.9 by hand: inputs 1 and 2, node 3 = 4 & 2 is literal 6, deltas 6 - 4 and 4 - 2; output inverted.
        aig = equivalence.Aig()
        a, b = aig.leaf("a"), aig.leaf("b")
        with tempfile.TemporaryDirectory() as t:
            aig.write(f"{t}/x.aig", [aig.both(a, b) ^ 1], [a >> 1, b >> 1])
            self.assertEqual(Path(f"{t}/x.aig").read_bytes(), b"aig 3 2 0 1 1\n7\n" + bytes([2, 2]))


class ByHand(unittest.TestCase):
    def test_equal_with_a_clock_gate_a_copy_and_a_constant(self):
        proof, parts = verdicts(GOLD, GATE)
        self.assertEqual({v for v, _, _ in parts}, {"proven"})
        self.assertEqual(proof.removed, {"copy", "zero"})
        self.assertEqual(proof.free, [])

    def test_what_differs_is_named(self):
        for old, new, what in (
            ("$_NAND_ A=a", "$_NOR_ A=a", "register q"),
            ("D=en E=low", "D=a E=low", "register q"),
            ("$_DFF_PN0_", "$_DFF_PN1_", "register q"),
            ("$_DFF_PN0_ C=gated", "$_DFF_NN0_ C=gated", "clock of register q"),
            (".names q y\n1 1", ".gate $_OR_ A=q B=a Y=y", "output y"),
        ):
            self.assertEqual(GATE.count(old), 1, old)
            _, parts = verdicts(GOLD, GATE.replace(old, new))
            wrong = [why for v, _, why in parts if v == "DIFFERS"]
            self.assertEqual(len(wrong), 1, new)
            self.assertTrue(wrong[0].startswith(what), wrong)

    def test_a_copy_that_is_none_is_no_copy(self):
        # In the RTL `copy` has no enable: what the netlist shows is another register.
        proof, parts = verdicts(GOLD.replace("S=en Y=copy_d", "S=$true Y=copy_d"), GATE)
        self.assertIn("DIFFERS", {v for v, _, _ in parts})

    def test_what_is_no_clock_gate(self):
        for old, new, why in (("E=low", "E=clk_i", "not open while the clock is low"), ("$_AND_ A=clk_i", "$_OR_ A=clk_i", "no clock gate")):
            with self.assertRaisesRegex(design.FlowError, why):
                verdicts(GOLD, GATE.replace(old, new))


class Flow(unittest.TestCase):
    def test_a_fifo_is_proven_and_a_fault_found(self):
        unit, geometry = design.unit("ohmac_fifo"), design.geometry("tiny")
        with tempfile.TemporaryDirectory() as t:
            synth.map_unit(unit, geometry, Library(), t)
            line = [t, "--unit", "ohmac_fifo", "--geometry", "tiny", "--seconds", "30"]
            self.assertEqual(equivalence.run(equivalence.options(line)), 0)
            self.assertEqual(equivalence.run(equivalence.options(line + ["--fault", "ohmac_fifo:wptr_q"])), 0)


if __name__ == "__main__":
    unittest.main()
