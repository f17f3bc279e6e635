#!/usr/bin/env python3
"""-ln L of ROOT's exports whose densities ROOT integrates or approximates, with mpmath to 30 digits.

ROOT's own numbers (`*.ref.json` of the corpus) are off by what the last column but one says; morphist has mpmath's.
`--record` writes tests/hs3/quadrature.json, the numbers that tests/hs3/graph.rs compares with.
Needs mpmath: `pip install mpmath==1.4.1`.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus
import morphist
from mpmath import mp, mpf

mp.dps = 30
TOLERANCE = 1e-9
RECORD = corpus.CRATE / "tests/hs3/quadrature.json"


# Each: the density of an event at the parameters p, not normalised, and where its range is to be cut for quadrature.
def generic(x, p):
    return mp.exp(-p["a"] * x) + p["b"] * x * x


def product(x, p):
    """A Gaussian of width 2 and an exponential exp(c x)."""
    return mp.exp(-(((x - p["mx"]) / 2) ** 2) / 2) * mp.exp(p["c"] * x)


def exp_poly(x, p):
    """1 stands in the export for a_0."""
    return mp.exp(1 + p["a1"] * x + p["a2"] * x * x)


def functions(x, p):
    return mpf("1.5") + mp.sin(p["a"] * x) + p["b"] * mp.sqrt(x) + x * x * mpf("0.01") + max(p["c"], x)


def numeric(density, cuts=lambda p: []):
    def nll(document, p, entries):
        (axis,) = document["data"][0]["axes"]
        ends = [mpf(axis["min"]), *sorted(c for c in cuts(p) if axis["min"] < c < axis["max"]), mpf(axis["max"])]
        whole = mp.quad(lambda x: density(x, p), ends)
        return -mp.fsum(mp.log(density(mpf(x), p) / whole) for (x,) in entries)

    return nll


def normal_of_two(document, p, entries):
    """Over all of space: the range holds more than four standard deviations."""
    (v00, v01), (_, v11) = [[mpf(repr(x)) for x in row] for row in document["distributions"][0]["covariances"]]
    det = v00 * v11 - v01 * v01
    constant = mp.log(2 * mp.pi) + mp.log(det) / 2
    terms = []
    for x, y in entries:
        dx, dy = mpf(x) - p["mx"], mpf(y) - p["my"]
        terms.append((v11 * dx * dx - 2 * v01 * dx * dy + v00 * dy * dy) / det / 2 + constant)
    return mp.fsum(terms)


def landau_integral(kernel, low):
    """1/pi of the integral of exp(-t ln t) sin(pi t) kernel(t); for `low`, the least lambda, the largest terms cancel."""
    peak = mp.exp(-low - 1)
    top = 60 + 4 * peak
    cuts = [mpf(0), mpf(1) / 16, *range(1, int(top), max(1, int(top / 60))), top]
    with mp.workdps(40 + int(peak)):
        return mp.quad(lambda t: mp.exp(-t * mp.log(t)) * mp.sin(mp.pi * t) * kernel(t) if t else mpf(0), cuts) / mp.pi


def landau(document, p, entries):
    (axis,) = document["data"][0]["axes"]
    scaled = lambda x: (mpf(x) - p["mean"]) / p["sigma"]
    # Below -5 there is less than exp(-exp(4)).
    low, high = max(scaled(axis["min"]), mpf(-5)), scaled(axis["max"])
    whole = landau_integral(lambda t: (mp.exp(-low * t) - mp.exp(-high * t)) / t, low)
    terms = [mp.log(landau_integral(lambda t, l=scaled(x): mp.exp(-l * t), min(scaled(x), mpf(0)))) for (x,) in entries]
    return -mp.fsum(terms) + len(entries) * (mp.log(whole) + mp.log(p["sigma"]))


FILES = {
    "generic_dist": numeric(generic),
    "generic_dist_functions": numeric(functions, lambda p: [p["c"]]),
    "landau_dist": landau,
    "legacy_exp_poly_dist": numeric(exp_poly),
    "multivariate_normal_dist": normal_of_two,
    "product_dist_same_obs": numeric(product),
}


def ours(arguments, file, values):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as point:
        json.dump(values, point)
        point.flush()
        command = [arguments.morphist, "evaluate", str(file), "--parameters", point.name, "--format", "json"]
        done = subprocess.run([str(x) for x in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["nll_roofit"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    morphist.add_arguments(parser)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    folder, good, recorded = corpus.CORPUS / "corpus/hs3/root", True, {}
    print(f"{'file':26} {'point':7} {'-ln L':>22} {'ROOT':>9} {'morphist':>9}")
    for name, nll in FILES.items():
        document, reference = (json.loads((folder / f"{name}{end}").read_text()) for end in (".json", ".ref.json"))
        stored = {p["name"]: p["value"] for p in document["parameter_points"][0]["parameters"]}
        for point in reference["points"]:
            p = {n: mpf(v) for n, v in {**stored, **point["values"]}.items()}
            value = nll(document, p, document["data"][0]["entries"])
            own = mpf(ours(arguments, folder / f"{name}.json", point["values"]))
            fine = abs(own - value) < TOLERANCE
            good &= bool(fine)
            print(f"{name:26} {point['name']:7} {mp.nstr(value, 18):>22} {float(point['nll'] - value):9.1e} {float(own - value):9.1e}{'' if fine else ' OFF'}", flush=True)
            recorded.setdefault(name, {})[point["name"]] = float(value)
    if arguments.record:
        text = {"provenance": "mpmath 1.4.1, 30 digits: python tests/peer/hs3_quadrature.py --record", "nll": recorded}
        RECORD.write_text(json.dumps(text, indent=1) + "\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
