"""Profile scans of `morphist scan` beside those that Combine wrote (reference/combine2pyhf/results, `*_combine.json`).

Where the likelihoods are the same function the curves must agree within 1e-3 below a height of 9. Where Combine means
something else, the size is shown, and for models of one bin Combine's own function is evaluated here (scipy): that it
agrees with the record shows that the difference is one of meaning.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import corpus
import morphist
import table

CRITERION = 1e-3
HIGHEST = 9.0
SAME = "same function"
ASYMMETRIC = "asymmetric normalisation: Combine joins ln(up) and ln(down) on |x| < 1/2, code 4 on |x| < 1"
STATISTICS = "autoMCStats: a Gaussian of width sqrt(sum (r e)^2) is added; staterror and shapesys scale the yields"

# (folder of the results, workspace, why they differ)
PAIRS = [
    *[(f"combine/{name}", f"fromcombine_{name}", SAME) for name in (
        "one-bin-sys-normsys-corr", "one-bin-sys-normsys-uncorr", "multi-bin-sys-normsys-corr",
        "multi-bin-sys-normsys-uncorr", "two-bin-sys-normfactor")],
    *[(f"pyhf/{name}", f"card_{name}", SAME) for name in (
        "one-bin-sys-histosys-corr", "one-bin-sys-histosys-uncorr", "two-bin-sys-normfactor")],
    *[(f"pyhf/multi-bin-sys-histosys-{kind}", f"pyhf-combine-pyhf_multi-bin-sys-histosys-{kind}", SAME)
      for kind in ("corr", "uncorr")],
    *[(f"combine/one-bin-sys-histosys-{kind}", f"fromcombine_one-bin-sys-histosys-{kind}", ASYMMETRIC)
      for kind in ("corr", "uncorr")],
    *[(f"pyhf/one-bin-sys-normsys-{kind}", f"card_one-bin-sys-normsys-{kind}", ASYMMETRIC)
      for kind in ("corr", "uncorr")],
    *[(f"combine/multi-bin-sys-histosys-{kind}", f"fromcombine_multi-bin-sys-histosys-{kind}", ASYMMETRIC)
      for kind in ("corr", "uncorr")],
    *[(f"pyhf/multi-bin-sys-normsys-{kind}", f"pyhf-combine-pyhf_multi-bin-sys-normsys-{kind}", ASYMMETRIC)
      for kind in ("corr", "uncorr")],
    ("pyhf/one-bin-stat-bbl", "card_one-bin-stat-bbl", STATISTICS),
    ("pyhf/one-bin-stat-full", "card_one-bin-stat-full", STATISTICS),
    ("combine/multi-bin-stat-bbl", "fromcombine_multi-bin-stat-bbl", STATISTICS),
    ("pyhf/multi-bin-stat-full", "pyhf-combine-pyhf_multi-bin-stat-full", STATISTICS),
]

# The models of one bin: yields of signal and background, their statistical errors, events.
SIGNAL, BACKGROUND = 148.8058319091797, 43.84315872192383
SIGNAL_ERROR, BACKGROUND_ERROR = 1.4363549397668944, 6.306722640645254


def combine_factor(x, up, down):
    """Combine's factor of an asymmetric normalisation uncertainty."""
    upward, downward = np.log(up), -np.log(down)
    if abs(x) >= 0.5:
        return np.exp(x * (upward if x > 0 else downward))
    y = 2 * x
    weight = 0.125 * y * (y * y * (3 * y * y - 10) + 15)
    return np.exp(x * 0.5 * (upward + downward + weight * (upward - downward)))


def normalisations(r, x):
    """Yield with one nuisance for both processes, or one for each."""
    return r * SIGNAL * combine_factor(x[0], 1.1, 0.9) + BACKGROUND * combine_factor(x[-1], 1.2, 0.8)


def statistics(r, x):
    """Yield with Combine's bin-by-bin nuisance."""
    return r * SIGNAL + BACKGROUND + x[0] * np.hypot(r * SIGNAL_ERROR, BACKGROUND_ERROR)


# Combine's function where it can be written in a line: yield and number of nuisances.
COMBINE = {
    "pyhf/one-bin-sys-normsys-corr": (normalisations, 1),
    "pyhf/one-bin-sys-normsys-uncorr": (normalisations, 2),
    "combine/one-bin-sys-histosys-corr": (normalisations, 1),
    "combine/one-bin-sys-histosys-uncorr": (normalisations, 2),
    "pyhf/one-bin-stat-bbl": (statistics, 1),
    "pyhf/one-bin-stat-full": (statistics, 1),
}


def combine_scan(expected, n_nuisances, observed, values):
    """The profile of 2 (nu - n + n ln(n/nu)) + x^2."""

    def height(r, x):
        nu = expected(r, x)
        return 2 * (nu - observed + observed * np.log(observed / nu)) + x @ x if nu > 0 else 1e9

    def lowest(function, starts):
        options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 8000}
        return min(minimize(function, start, method="Nelder-Mead", options=options).fun for start in starts)

    around = [np.full(n_nuisances, x) for x in (0.0, 0.3, -0.3)]
    best = lowest(lambda p: height(p[0], p[1:]), [np.r_[r, around[0]] for r in (1.0, 1.3)])
    return np.array([lowest(lambda x: height(r, x), around) for r in values]) - best


def asimov(document):
    """The workspace with what it expects at its start (all factors one) as observed."""
    for observation in document["observations"]:
        channel = next(c for c in document["channels"] if c["name"] == observation["name"])
        observation["data"] = [float(sum(bin)) for bin in zip(*(sample["data"] for sample in channel["samples"]))]
    return document


def compare(program, result, workspace, kind):
    record = json.loads((corpus.CORPUS / "reference/combine2pyhf/results" / result / f"{kind}_combine.json").read_text())
    document = json.loads((corpus.CORPUS / "corpus/pyhf/c2p_toy" / f"{workspace}.json").read_text())
    if kind == "asi":
        document = asimov(document)
    below = [(r, height) for r, height in zip(record["r"], record["nll"]) if height < HIGHEST]
    values, theirs = map(np.array, zip(*below))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.json"
        path.write_text(json.dumps(document))
        points = morphist.run(
            program, "scan", path, "r_sig", "--lower-bound", "0.5", "--upper-bound", "1.5", "--n-steps", "11"
        )["points"]
    ours = np.array([next(p["delta_twice_nll"] for p in points if abs(p["value"] - r) < 1e-9) for r in values])
    row = {"scan": result, "data": kind, "points": len(values), "largest difference": float(np.abs(ours - theirs).max())}
    if result in COMBINE:
        expected, n_nuisances = COMBINE[result]
        observed = sum(document["observations"][0]["data"])
        own = combine_scan(expected, n_nuisances, observed, values)
        row["Combine's function here"] = float(np.abs(own - theirs).max())
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    arguments = parser.parse_args()
    rows, missed = [], 0
    for result, workspace, why in PAIRS:
        for kind in ("obs", "asi"):
            row = compare(arguments.morphist, result, workspace, kind) | {"why": why}
            must = [row.get("Combine's function here", 0.0)] + ([row["largest difference"]] if why == SAME else [])
            missed += max(must) > CRITERION
            rows.append(row)
    print(table.markdown(["scan", "data", "points", "largest difference", "Combine's function here", "why"], rows))
    print(f"{missed} of {len(rows)} scans miss the criterion")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
