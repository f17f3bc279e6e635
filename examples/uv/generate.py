#!/usr/bin/env python3
"""Writes evolution.csv, an invented evolution matrix from 1 TeV to the scale of the document in examples/global, and
workspace.json: that document in terms of the mass and the couplings of a heavy vector.

Usage: python examples/uv/generate.py   (standard library only)
"""
import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent

# c(91 GeV) = U c(1 TeV), of the size that one loop of QCD and of the electroweak couplings has.
NAMES = ["ctG", "cQq83", "cW", "cHWB", "cHD"]
EVOLUTION = [
    [0.94, 0.02, 0.0, 0.0, 0.0],
    [-0.03, 0.9, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.97, 0.01, 0.0],
    [-0.05, 0.0, 0.08, 0.96, 0.01],
    [0.02, 0.01, 0.0, 0.02, 0.98],
]
HIGH, LOW = 1000.0, 91.1876


def above(name):
    return f"{name}_1000GeV"


def running(coefficients):
    bounds = {c["name"]: c["bounds"] for c in coefficients}
    return {
        "parameters": [{"name": above(name), "bounds": bounds[name], "init": 0.0} for name in NAMES],
        "linear": {"coefficients": NAMES, "parameters": [above(name) for name in NAMES], "matrix": EVOLUTION},
        "running": {"from_scale_GeV": HIGH, "to_scale_GeV": LOW},
    }


def heavy_vector():
    """At 1 TeV: cQq83 = -g_q²/M² and cHD = -2 g_H²/M², M in TeV; the other coefficients are zero there."""
    others = [above(name) for name in NAMES if name not in ("cQq83", "cHD")]
    relation = lambda name, factor, coupling: {"coefficient": above(name), "terms": [{"factor": factor, "powers": {coupling: 2, "M": -2}}]}
    return {
        "parameters": [
            {"name": "M", "bounds": [0.3, 50.0], "init": 3.0},
            {"name": "g_q", "bounds": [0.0, 3.5], "init": 1.0, "fixed": True},
            {"name": "g_H", "bounds": [0.0, 3.5], "init": 0.3, "fixed": True},
        ],
        "linear": {"coefficients": others, "parameters": [], "matrix": [[] for _ in others]},
        "relations": [relation("cQq83", -1.0, "g_q"), relation("cHD", -2.0, "g_H")],
    }


def main():
    lines = [",".join(["", *NAMES]), *(",".join([name, *map(str, row)]) for name, row in zip(NAMES, EVOLUTION))]
    (HERE / "evolution.csv").write_text("\n".join(lines) + "\n")
    document = json.loads((HERE.parent / "global/workspace.json").read_text())
    document["eft"]["parameter_transform"] = [running(document["eft"]["wilson_coefficients"]), heavy_vector()]
    document["measurements"][0]["config"]["poi"] = "M"
    collapse = lambda m: re.sub(r"\s+", " ", m.group(0)).replace("[ ", "[").replace(" ]", "]")
    (HERE / "workspace.json").write_text(re.sub(r"\[[^\[\]{}]*\]", collapse, json.dumps(document, indent=1)) + "\n")


if __name__ == "__main__":
    main()
