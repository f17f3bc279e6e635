#!/usr/bin/env python3
"""q of 10 000 events of the WH sample (corpus, eft/wh_10000.parquet) by the equations of spec/unbinned.md in numpy
(fixtures/eft_unbinned_terms.py, extended precision): ratios alone, with learned nuisances, with replicas; Asimov data and closure.

Events are taken from the rows of the sample at equal steps of the sum of w(c) at a point, so that every program takes the same.
`--record` writes tests/events/unbinned_wh.json, with which tests/events/unbinned_wh.rs compares. Needs numpy, pyarrow."""

import json
import sys

import numpy as np
import pyarrow.parquet as pq

import corpus

sys.path.insert(0, str(corpus.CRATE / "fixtures"))
from eft_polynomials import REAL  # noqa: E402
from eft_unbinned_terms import Term  # noqa: E402

NAMES = ["w00", "w01", "w02", "w11", "w12", "w22"]
MONOMIALS = [[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]]
N, TRUTH = 10_000, (0.4, -0.3)
ORDER = {"cHW": 1, "cHWtil": 1}


def sample(path):
    """Columns of the sample, and those that are made of them."""
    table = pq.read_table(path)
    t = {name: table[name].to_numpy() for name in (*NAMES, "pTW", "Qcosd")}
    x, y = t["pTW"] / (t["pTW"] + 200.0), t["Qcosd"]
    t |= {"up": 0.1 * x - 0.03, "up2": 0.01 * y * y, "base": 1.0 + 0.1 * y, "slope": 0.05 * x * y, "mixed": 0.02 * y}
    for j in (1, 2):
        # As if the coefficients of an event were a little larger or smaller: no such ratio is negative.
        k = 1.0 + 0.03 * j * (x - 0.4)
        for name in NAMES[1:]:
            t[f"{name}_r{j}"] = t[name] * (k if name in ("w01", "w02") else k * k)
    return t


def drawn(t):
    """Rows at equal steps of the summed weight."""
    c, s = TRUTH
    w = t["w00"] + t["w01"] * c + t["w02"] * s + t["w11"] * (c * c) + t["w12"] * (c * s) + t["w22"] * (s * s)
    steps = (np.arange(N) + 0.5) / N * np.cumsum(w)[-1]
    return np.searchsorted(np.cumsum(w), steps, side="right"), float(np.cumsum(w)[-1])


def main():
    path = corpus.CORPUS / "corpus/eft/wh_10000.parquet"
    t = sample(path)
    rows, total = drawn(t)
    tables = {"events": {"columns": {k: v[rows] for k, v in t.items()}}, "reference": {"events": {"columns": t}}}
    events = N * len(t["w00"]) / total
    signal = {"name": "WH", "yields": {"kind": "reference", "events": events}, "ratio_of": "yields"}
    signal["ratio"] = {"kind": "polynomial", "monomials": MONOMIALS, "columns": NAMES, "truncation": "none"}
    learned = {
        "tilt": {"kind": "log_quadratic", "linear": "up", "quadratic": "up2"},
        "scale": {"kind": "power", "column": "base"},
        "slope": {"kind": "linear", "column": "slope"},
    }
    replicas = [["w00", *(f"{name}_r{j}" for name in NAMES[1:])] for j in (1, 2)]
    forms = {
        "ratios": signal,
        "nuisances": signal | {"systematics": learned, "correlated": [{"systematics": ["tilt", "scale"], "column": "mixed"}]},
        "replicas": signal | {"replicas": {"columns": replicas, "central": "mean_ratio", "nuisances": ["net0", "net1", "net2"]}},
    }
    points = [
        {"cHW": 0.4, "cHWtil": -0.3},
        {},
        {"cHW": -0.2, "cHWtil": 0.5, "tilt": 0.7, "scale": -1.1, "slope": 0.4, "net0": 0.3, "net1": -0.2, "net2": 0.4},
        {"cHW": 0.9, "cHWtil": -0.1, "tilt": -1.3, "scale": 0.2, "slope": 2.0, "net0": -0.4, "net1": 0.3, "net2": 0.1},
        {"cHW": 0.35, "cHWtil": -0.25, "tilt": 0.1, "scale": 0.3, "slope": -0.8, "net0": 0.2, "net1": 0.4, "net2": -0.3},
        {"cHW": -1.5, "cHWtil": 1.2, "tilt": 2.2, "scale": 1.7, "slope": -1.9, "net0": 0.0, "net1": -0.3, "net2": 0.2},
    ]
    every = sorted({name for point in points for name in point})
    at = [{name: REAL(point.get(name, 0.0)) for name in every} for point in points]
    numbers = {"points": points, "rows": int(rows.sum()), "events": events, "forms": {}}
    for name, component in forms.items():
        term = Term({"name": name, **tables, "components": [component]}, ORDER, None)
        values = [term.twice_nll(p)[0] for p in at]
        s = term.asimov(at[0])
        seen = [term.twice_nll(p, term.reference, s)[0] for p in at]
        numbers["forms"][name] = {
            "twice_nll": [float(v) for v in values],
            "q": [float(v - values[0]) for v in values],
            "lambda_nc": [float(v - seen[0]) for v in seen],
            "expected": [float(term.intensities(term.events, p)[0]) for p in at],
        }
    numbers["provenance"] = f"equations of spec/unbinned.md in numpy {np.__version__}, extended precision; python tests/peer/unbinned_wh.py --record"
    if "--record" in sys.argv[1:]:
        (corpus.CRATE / "tests/events/unbinned_wh.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(json.dumps(numbers["forms"], indent=1))


main()
