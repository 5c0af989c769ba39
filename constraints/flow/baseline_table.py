"""What the analog chip and the digital baseline cost, beside each other. Arithmetic only: baseline.py measures, and hands in plain numbers.

Joule are of an inference unless a name says otherwise; um2, W and sums are of one tile unless a name says chip."""

import design

# Blocks that the digital core takes the place of: what the analog macro is made of (analog cost table), and its digital half (digital cost table).
# All other blocks are the rest of the chip, the same in both.
MACRO = {"adc": "adc", "dac": "dac", "array": "cells", "integrator": "integrator", "sample_hold": "sample_hold", "column_mux": "column_mux", "reference": "reference", "programming": "programming"}
ENGINE = ("mvm_phase", "sar_logic", "accumulators", "post", "programming_logic")
# Parts of the table: (what, blocks)
PARTS = (
    ("ADC, with column multiplexers", ("adc", "column_mux")),
    ("DAC, integrators, sample-and-holds", ("dac", "integrator", "sample_hold", "reference")),
    ("array", ("array",)),
    ("programming", ("programming", "programming_logic")),
    ("SAR logic, accumulators, phases", ("sar_logic", "accumulators", "mvm_phase")),
    ("post-processing of columns", ("post",)),
)
ROWS = (16, 64, 128, 256)


def analog_engine(record, digital):
    """Engine of the analog chip, from the record of `ohmac run --energy` and the digital cost table (parsed)."""
    blocks, table = record["energy_j"]["by_block"], digital["block"]
    missing = [b for b in ENGINE if b not in table]
    if missing:
        raise design.FlowError(f"digital cost table: no block {', '.join(missing)}; baseline_table.py names the blocks of the MVM engine, blocks.py may have new ones")
    if record["energy_j"]["total"] is None or record["area_mm2"]["total"] is None:
        raise design.FlowError(f"ohmac run: no energy or area of the analog chip: {'; '.join(record['energy_j']['reasons'] + record['area_mm2']['reasons'])}")
    images, tiles, events = record["images"], record["geometry"]["tiles"], record["events"]
    used, active = record["programming"]["tiles"], events["active"] / images
    seconds = record["cycles"]["per_inference"] / (1e6 * record["costs"]["clock_mhz"])
    macro = [b for b in MACRO if b in blocks]
    data = {b: blocks[b]["joule"] / images for b in (*macro, *ENGINE)}
    clock = sum(table[b]["clock_j_per_cycle"] for b in ENGINE)
    leakage_w = sum(table[b]["leakage_w"] for b in ENGINE)
    area = {b: record["area_mm2"]["by_block"][b]["mm2"] / tiles for b in (*MACRO, *ENGINE)}
    parts = [(name, sum(data.get(b, 0.0) for b in of), sum(area[b] for b in of)) for name, of in PARTS]
    parts += [("clocks of the engine", clock * active, 0.0), ("leakage of the engine", leakage_w * seconds * used, 0.0)]
    columns, drives = events["conversions"], events["drives"]
    peak_cycles = 2 * record["geometry"]["rows"] * record["geometry"]["cols"] * tiles / (record["tops_peak"] * 1e12) * 1e6 * record["costs"]["clock_mhz"]
    return {
        "parts": parts,
        "energy_j": sum(p[1] for p in parts),
        "area_mm2": sum(area.values()),
        "storage_mm2": area["array"],
        "leakage_w": leakage_w,
        "accuracy": record["accuracy"]["analog"],
        "mvm_cycles": peak_cycles,
        # of an MVM: for each row, for all that follows columns
        "row_j": (data["dac"] + data["array"] + data["mvm_phase"]) / (4 * events["row_words"] / images),
        "column_j": (data["adc"] + data["column_mux"] + sum(data[b] for b in ("sar_logic", "accumulators", "post"))) / (columns / images),
        "drive_j": (data["integrator"] + data["sample_hold"]) / (drives / images),
        "clock_j": clock,
        "load_j": record["programming_energy_j"]["total"] / used,
        "retention_w": 0.0,
        "seconds": seconds,
        "active_per_tile": active / used,
        "tiles": tiles,
        "used": used,
        "chip_j": record["energy_j"]["per_inference"],
        "chip_mm2": record["area_mm2"]["total"],
        "operations": record["operations_per_inference"],
        "nodes": {"data": data, "area": area, "clock": clock * active, "leakage": leakage_w * seconds * used},
    }


def digital_engine(measured, analog):
    """Engine of the baseline, from baseline.measure(). It waits in the same cycles as the analog one: the rest of the chip is the same."""
    n, pieces = measured["recorded"], measured["pieces"]
    idle = sum(max(0.0, analog["active_per_tile"] - p["cycles"] / n) * p["free_j_per_cycle"] for p in pieces)

    def total(key):
        return sum(p[key] for p in pieces) / n

    parts = [
        ("weight SRAM, reads", total("sram_j"), measured["sram_mm2"]),
        ("multipliers and adders of the slices", total("slice_j"), measured["slice_mm2"]),
        ("adder trees of the columns", total("tree_j"), measured["tree_mm2"]),
        ("control and results", total("control_j"), measured["control_mm2"]),
        ("clocks of the engine", total("clock_j") + idle, 0.0),
        ("leakage of the engine", measured["leakage_w"] * analog["seconds"] * analog["used"], 0.0),
    ]
    # The wide layers say what a row and a column cost: they fill the core.
    most = max(p["columns"] for p in pieces)
    wide = [p for p in pieces if p["columns"] == most]
    rows = sum(p["rows"] for p in wide) * n * most
    return {
        "parts": parts,
        "energy_j": sum(p[1] for p in parts),
        "area_mm2": sum(p[2] for p in parts),
        "storage_mm2": measured["sram_mm2"],
        "leakage_w": measured["leakage_w"],
        "accuracy": measured["accuracy"],
        "mvm_cycles": measured["mvm_cycles"],
        "row_column_j": sum(p["sram_j"] + p["slice_j"] + p["slice_clock_j"] for p in wide) / rows,
        "column_j": sum(p["tree_j"] + p["control_j"] + p["clock_j"] - p["slice_clock_j"] for p in wide) / (len(wide) * n * most),
        "load_j": measured["load_j"],
        "retention_w": measured["retention_w"],
        "fmax_mhz": measured["fmax_mhz"],
        "sram_share": parts[0][1] / sum(p[1] for p in parts),
        "chip_j": analog["chip_j"] - analog["energy_j"] + sum(p[1] for p in parts),
        "chip_mm2": analog["chip_mm2"] + analog["tiles"] * (sum(p[2] for p in parts) - analog["area_mm2"]),
    }


def mvm_j(engine, rows, columns):
    """Energy of one MVM by row and column figures of its wide layers."""
    if "row_column_j" in engine:
        return columns * (engine["column_j"] + rows * engine["row_column_j"])
    return rows * engine["row_j"] + columns * engine["column_j"] + engine["drive_j"] + engine["clock_j"] * engine["mvm_cycles"]


def even_rows(analog, digital, columns):
    """Rows from which the analog MVM takes less energy; None if it never does, however many rows."""
    saved = columns * digital["row_column_j"] - analog["row_j"]
    more = mvm_j(analog, 0, columns) - mvm_j(digital, 0, columns)
    return None if saved <= 0 else max(0.0, more / saved)


def factors(scaling, to_nm):
    """{rule: (energy, area)} from 180 nm by constraints/costs/scaling.toml, as models/cost does."""
    nodes = {n["nm"]: n for n in scaling["node"]}
    if to_nm not in nodes:
        raise design.FlowError(f"node {to_nm} nm: scaling.toml has {', '.join(str(n) for n in nodes)}")
    a, b = nodes[180], nodes[to_nm]

    def energy(n):
        c2, c1, c0 = n["energy"]
        return c2 * n["voltage_v"] ** 2 + c1 * n["voltage_v"] + c0

    adc = (to_nm / 180) ** scaling["adc"]["energy_exponent"]
    return {
        "digital": (energy(b) / energy(a), b["area"] / a["area"]),
        "adc": (adc, (to_nm / 180) ** scaling["adc"]["area_exponent"] * adc ** scaling["adc"]["area_energy_exponent"]),
        "voltage": ((b["voltage_v"] / a["voltage_v"]) ** 2, 1.0),
        "cells": (1.0, (to_nm / 180) ** 2),
        "none": (1.0, 1.0),
    }


def at_node(analog, digitals, rules, scaling, to_nm):
    """{name: (J an inference, mm2) of the engine} at another node; leakage and time stay. rules: {block of the macro: rule}."""
    f = factors(scaling, to_nm)
    n = analog["nodes"]

    def rule(block):
        return f[rules[block]] if block in MACRO else f["digital"]

    found = {
        "analog": (
            sum(j * rule(b)[0] for b, j in n["data"].items()) + n["clock"] * f["digital"][0] + n["leakage"],
            sum(a * rule(b)[1] for b, a in n["area"].items()),
        )
    }
    for name, d in digitals.items():
        leakage = d["parts"][-1][1]
        found[name] = ((d["energy_j"] - leakage) * f["digital"][0] + leakage, d["area_mm2"] * f["digital"][1])
    return found


def winner(ratio, name):
    return "analog wins" if ratio < 1 else f"{name} wins"


def verdict(analog, digitals, nodes, images, rows, columns, clock_mhz):
    """Lines that say where analog wins and where it does not; every word follows from the numbers. nodes: {nm: at_node()}."""
    lines, weights = [], rows * columns
    for name, d in digitals.items():
        e, a = analog["energy_j"] / d["energy_j"], analog["area_mm2"] / d["area_mm2"]
        lines.append(
            f"Energy of the MVM engine: analog takes {e:.2f} times that of {name}: {winner(e, name)}. Whole chip: {analog['chip_j'] / d['chip_j']:.2f} times."
        )
        lines.append(f"Area of the MVM engine: analog takes {a:.2f} times that of {name}: {winner(a, name)}. Whole chip: {analog['chip_mm2'] / d['chip_mm2']:.2f} times.")
        for nm, engines in nodes.items():
            e, a = (x / y for x, y in zip(engines["analog"], engines[name]))
            lines.append(f"At {nm} nm, scaled: {e:.2f} times the energy of {name} ({winner(e, name)}), {a:.2f} times its area ({winner(a, name)}).")
        even = even_rows(analog, d, columns)
        if even is None:
            lines.append(f"Rows: another row costs {name} less than analog, so more rows do not help analog.")
        else:
            here = "within" if even <= rows else "beyond"
            lines.append(f"Rows: analog wins in energy from {even:.0f} rows driven together on, {here} the {rows} of this array, at the activity of this network: converters and post-processing are shared by all rows of a column.")
        lines.append(f"Batch: {d['sram_share']:.0%} of the energy of {name} are reads of weights, which a core that kept them for several vectors would save in part; analog gains nothing from a batch.")
        lines.append(
            f"Weights in store: {analog['storage_mm2'] / weights * 1e6:.1f} um2 a weight of analog cells, {d['storage_mm2'] / weights * 1e6:.1f} of {name} SRAM; whole engine {analog['area_mm2'] / weights * 1e6:.0f} and {d['area_mm2'] / weights * 1e6:.0f}."
        )
        hold = d["load_j"] / d["retention_w"]
        lines.append(
            f"Standby: a tile's weights leak {d['retention_w'] * 1e6:.0f} uW in {name} SRAM and nothing in the cells. Holding them for {hold * 1e3:.2g} ms costs what writing them again costs ({d['load_j'] * 1e6:.2g} uJ, without their way to the chip)."
        )
        gap = analog["energy_j"] - d["energy_j"]
        if gap > 0:
            rate = analog["used"] * d["retention_w"] / gap
            lines.append(f"Rate: if all but weights is switched off between inferences, analog takes less power below {rate:.0f} inferences/s than {name}, whose SRAM leaks on.")
        loads = (analog["load_j"] - d["load_j"]) * analog["used"]
        lines.append(
            f"Loading: programming a tile by pulses takes {analog['load_j'] * 1e3:.2g} mJ, writing it in {name} {d['load_j'] * 1e6:.2g} uJ"
            + (f": earned back after {loads / -gap:.2g} inferences." if gap < 0 else "; analog does not earn it back by inferring.")
        )
        t_analog, t_digital = (2 * rows * columns * clock_mhz / x["mvm_cycles"] * 1e-6 for x in (analog, d))
        lines.append(f"Throughput of a tile at {clock_mhz:.0f} MHz: analog {t_analog:.2f} TOPS, {name} {t_digital:.2f}; a mm2 of engine: {t_analog / analog['area_mm2']:.3f} and {t_digital / d['area_mm2']:.3f}.")
        points, error = 100 * (analog["accuracy"] - d["accuracy"]), 100 * (d["accuracy"] * (1 - d["accuracy"]) / images) ** 0.5
        lines.append(f"Accuracy: analog is {points:+.1f} points from {name}, on one chip and {images} images (binomial error {error:.1f}); {name} is the same on every chip and at every age.")
    return lines
