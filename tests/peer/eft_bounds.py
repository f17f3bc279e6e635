#!/usr/bin/env python3
"""Intervals of `eft individual` and `eft compare --without --order` on global fits of the corpus, beside numpy.

* One coefficient alone, the others at zero: χ² is a quartic in it, whose crossings of the level are roots (numpy).
* Linear means and wide bounds: profiled and Gaussian intervals are ĉ ± k σ of the normal equations of the whitened design
  matrix (by QR), and the recorded analytic fit.
* Quadratic means or bounds that matter: at every end of a profiled interval the lowest χ² with the coefficient held there,
  from many starts within the bounds (scipy), lies at the level; and at points between the bounds χ² is below the level
  inside of the intervals and above it outside.
* Gaussian: ĉ ± k √(2 H⁻¹) of the Hessian in closed form at the lowest of many minima.

Criteria, in units of the uncertainty or of the interval's length: 1e-6; heights at ends: 1e-5."""

import argparse
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import chi2

import morphist
from benchmark import Benchmark, imported
from table import text

LEVELS = (0.6826894921370859, 0.95)
WIDE = 1000.0
N_STARTS = 8


class Judge:
    """Compares the intervals of one coefficient and keeps the largest deviations."""

    def __init__(self, fit, linear):
        self.fit = fit
        self.worst = {"individual": 0.0, "profiled": 0.0, "height": 0.0, "Gaussian": 0.0}
        self.intervals, self.misplaced = 0, 0
        rng = np.random.default_rng(11)
        self.starts = [np.zeros(len(fit.low)), *(rng.uniform(0.3 * fit.low, 0.3 * fit.high) for _ in range(N_STARTS - 1))]
        self.unbounded = linear and bool((fit.high == WIDE).all())
        if self.unbounded:
            q, r = np.linalg.qr(fit.a)
            self.best = np.linalg.solve(r, q.T @ fit.y)
            inverse = np.linalg.inv(r)
            self.covariance = inverse @ inverse.T
            self.lowest = fit.chi2(self.best)
        else:
            self.lowest, self.best = fit.minimum(self.starts)
            self.covariance = 2 * np.linalg.inv(fit.hessian(self.best))

    def note(self, what, deviation):
        assert math.isfinite(deviation), what
        self.worst[what] = max(self.worst[what], deviation)

    def individual(self, i, report):
        """Roots of the quartic that χ² is in one coefficient."""
        r = [self.fit.y, -self.fit.a[:, i], np.zeros_like(self.fit.y)]
        for k, pair in enumerate(self.fit.pairs):
            if pair == (i, i):
                r[2] = -self.fit.q[:, k]
        quartic = np.array([r[0] @ r[0], 2 * r[0] @ r[1], r[1] @ r[1] + 2 * r[0] @ r[2], 2 * r[1] @ r[2], r[2] @ r[2]])
        low, high = self.fit.low[i], self.fit.high[i]
        turning = np.roots(np.polynomial.polynomial.polyder(quartic)[::-1])
        places = [x.real for x in turning if abs(x.imag) < 1e-9 * (1 + abs(x)) and low < x.real < high] + [low, high]
        value = lambda x: np.polynomial.polynomial.polyval(x, quartic)
        lowest = min(map(value, places))
        for level, region in zip(LEVELS, report["intervals"]):
            shifted = quartic - np.array([lowest + chi2.ppf(level, 1), 0, 0, 0, 0])
            roots = sorted(x.real for x in np.roots(shifted[::-1]) if abs(x.imag) < 1e-9 * (1 + abs(x)) and low < x.real < high)
            edges = [low, *roots, high]
            wanted = [[a, b] for a, b in zip(edges, edges[1:]) if value((a + b) / 2) < lowest + chi2.ppf(level, 1)]
            self.same("individual", wanted, region["intervals"], low, high)

    def same(self, what, wanted, found, low, high):
        assert len(wanted) == len(found), (what, wanted, found)
        for (a, b), interval in zip(wanted, found):
            self.intervals += 1
            for end, own, bound in ((a, interval["lower"], low), (b, interval["upper"], high)):
                assert own["open_at_bound"] == (end == bound), (what, end, own)
                self.note(what, abs(own["value"] - end) / (b - a))

    def profiled(self, i, report):
        sigma = math.sqrt(self.covariance[i, i])
        for level, region in zip(LEVELS, report["intervals"]):
            k = math.sqrt(chi2.ppf(level, 1))
            if self.unbounded:
                self.same("profiled", [[self.best[i] - k * sigma, self.best[i] + k * sigma]], region["intervals"], -WIDE, WIDE)
                continue
            self.heights(i, level, region["intervals"])

    def heights(self, i, level, intervals):
        """At ends, and at places inside and outside."""
        low, high, target = self.fit.low[i], self.fit.high[i], chi2.ppf(level, 1)
        height = lambda x: self.fit.minimum([self.best, *self.starts], (i, x))[0] - self.lowest
        ends = [(own["lower"], own["upper"]) for own in intervals]
        for end in (end for pair in ends for end in pair):
            self.intervals += 0.5
            if not end["open_at_bound"]:
                self.note("height", abs(height(end["value"]) - target))
        for x in np.linspace(low, high, 13):
            inside = any(a["value"] <= x <= b["value"] for a, b in ends)
            # Next to an end either will do.
            if all(abs(x - end["value"]) > 1e-4 * (high - low) for pair in ends for end in pair) or not ends:
                self.misplaced += (height(x) < target) != inside

    def gaussian(self, i, report):
        sigma = math.sqrt(self.covariance[i, i])
        self.note("Gaussian", abs(report["best_fit"] - self.best[i]) / sigma)
        for level, interval in zip(LEVELS, report["intervals"]):
            half = math.sqrt(chi2.ppf(level, 1)) * sigma
            self.note("Gaussian", max(abs(interval["lower"] - self.best[i] + half), abs(interval["upper"] - self.best[i] - half)) / sigma)

    def row(self, document, what):
        late = [name for name, x in self.worst.items() if x > (1e-5 if name == "height" else 1e-6)]
        late += ["places"] if self.misplaced else []
        return {"document": document, "command": what, "intervals": int(self.intervals), **self.worst, "missed": ", ".join(late)}


def bounds(fit, wide):
    if wide:
        fit.low, fit.high = np.full_like(fit.low, -WIDE), np.full_like(fit.high, WIDE)
    return ("--bounds", f"*=-{WIDE},{WIDE}") if wide else ()


def individual(arguments, folder, name, quadratic, wide):
    fit = Benchmark(name, quadratic)
    document = imported(arguments.morphist, folder, "smefit-benchmark", fit.path)
    flags = (*bounds(fit, wide), *(() if quadratic else ("--truncation", "linear")))
    report = morphist.run(arguments.morphist, "eft", "individual", document, *flags)
    judge = Judge(fit, not quadratic)
    recorded = fit.reference["linear_fit"]
    for i, entry in enumerate(report["coefficients"]):
        assert entry["name"] == fit.operators[i]
        judge.individual(i, entry["individual"])
        judge.profiled(i, entry["profiled"])
        if wide or quadratic:
            judge.gaussian(i, entry["gaussian"])
        if wide and not quadratic:
            # The recorded analytic fit, in its own words.
            judge.note("Gaussian", abs(entry["gaussian"]["best_fit"] - recorded["best"][i]) / recorded["sigma"][i])
            judge.note("Gaussian", abs(entry["gaussian"]["uncertainty"] / recorded["sigma"][i] - 1))
            judge.note("individual", abs(entry["individual"]["best_fit"] - recorded["individual"][i]["best"]) / recorded["individual"][i]["sigma"])
    means = "quadratic" if quadratic else "linear"
    return judge.row(f"{name}, {means}{', wide bounds' if wide else ''}", "individual")


def compare(arguments, folder, name, without):
    """Linear, quadratic, --order 1 and the document's own, with all data and without one data set."""
    whole = {"linear": Benchmark(name, False), "quadratic": Benchmark(name, True)}
    document = imported(arguments.morphist, folder, "smefit-benchmark", whole["linear"].path)
    report = morphist.run(arguments.morphist, "eft", "compare", document, "--order", 1, "--without", without)
    judges = {}
    for i, entry in enumerate(report["coefficients"]):
        assert len(entry["truncations"]) == 8
        for of in entry["truncations"]:
            means = "linear" if of["truncation"] in ("linear", "order") else "quadratic"
            if (means, of["without"]) not in judges:
                fit = whole[means].without(of["without"]) if of["without"] else whole[means]
                judges[means, of["without"]] = Judge(fit, means == "linear")
            judge = judges[means, of["without"]]
            judge.individual(i, of["individual"])
            # What is the same model is compared once.
            if of["truncation"] in ("order", "document"):
                judge.profiled(i, of["profiled"])
            else:
                same = next(t for t in entry["truncations"] if t["without"] == of["without"] and t["truncation"] == {"linear": "order", "quadratic": "document"}[of["truncation"]])
                judge.same("profiled", [[a["lower"]["value"], a["upper"]["value"]] for r in same["profiled"]["intervals"] for a in r["intervals"]], [a for r in of["profiled"]["intervals"] for a in r["intervals"]], judge.fit.low[i], judge.fit.high[i])
    return [judge.row(f"{name}, {means}", f"compare --without {left_out}" if left_out else "compare") for (means, left_out), judge in judges.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rows = [individual(arguments, folder, "tt6", quadratic, wide) for quadratic, wide in ((False, False), (False, True), (True, False))]
        rows.append(individual(arguments, folder, "global_lin", False, True))
        rows += compare(arguments, folder, "tt6", "ATLAS_tt_13TeV_asy_2022")
    columns = ["document", "command", "intervals", "individual", "profiled", "height", "Gaussian", "missed"]
    print(text(columns, rows))
    sys.exit(1 if any(row["missed"] for row in rows) else 0)


main()
