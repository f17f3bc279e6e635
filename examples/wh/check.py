#!/usr/bin/env python3
"""The numbers of this example computed once more with numpy and scipy alone, from the events and the documents.

Writes expected.json: yields and their statistical variances, -2 ln L above its minimum at some points, the minima, and
the 95 % intervals of both coefficients with all other parameters profiled. Nothing here comes from morphist.
"""
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
from scipy.optimize import brentq, minimize

HERE = pathlib.Path(__file__).parent
NUISANCES = ["background_norm", "background_slope", "luminosity", "WH_theory"]
POINTS = [[0.0, 0.0], [0.2, -0.1], [-0.15, 0.3], [0.6, 0.9]]
HEIGHT = 3.841458820694124  # the 95 % quantile of chi2 with one degree of freedom


def phi(c):
    return np.array([1.0, c[0], c[1], c[0] ** 2, c[0] * c[1], c[1] ** 2])


def normsys(alpha, lo, hi):
    """Interpolation code 4: exponential outside [-1, 1], inside the polynomial of degree 6 that meets it smoothly."""
    if abs(alpha) >= 1:
        return hi**alpha if alpha > 0 else lo**-alpha
    rows, right = [], []
    for x, base, sign in ((1.0, hi, 1.0), (-1.0, lo, -1.0)):
        for order in range(3):
            powers = np.arange(1, 7)
            factor = np.ones(6) if order == 0 else powers if order == 1 else powers * (powers - 1)
            rows.append(factor * x ** np.maximum(powers - order, 0))
            right.append(base * (sign * np.log(base)) ** order - (order == 0))
    return 1 + np.linalg.solve(rows, right) @ alpha ** np.arange(1, 7)


def histosys(alpha, lo, nominal, hi):
    """Interpolation code 4p: linear outside [-1, 1]."""
    half_sum, half_difference = 0.5 * (hi + lo) - nominal, 0.5 * (hi - lo)
    q = abs(alpha) if abs(alpha) > 1 else alpha**2 * (15 - 10 * alpha**2 + 3 * alpha**4) / 8
    return half_difference * alpha + half_sum * q


class Analysis:
    def __init__(self, path):
        document = json.loads(path.read_text())
        signal, background = document["channels"][0]["samples"]
        database = document["eft"]["event_databases"][0]
        table = pq.read_table(HERE / database["uri"])
        column = lambda name: table[name].to_numpy().astype(float)
        weights = np.stack([column(name) for name in database["weights"]["columns"]], axis=-1)
        weights *= database["normalisation"]["luminosity"] * 1000.0
        place = np.zeros(len(weights), dtype=int)
        self.n_bins = 1
        for axis in signal["modifiers"][0]["data"]["axes"]:
            edges = np.array([float(edge) for edge in axis["edges"]])
            values = column(database["observables"][axis["observable"]]["column"])
            index = np.searchsorted(edges, values, side="right") - 1
            index[values == edges[-1]] = len(edges) - 2
            place = place * (len(edges) - 1) + index
            self.n_bins *= len(edges) - 1
        self.first = np.zeros((self.n_bins, 6))
        np.add.at(self.first, place, weights)
        self.second = np.zeros((self.n_bins, 6, 6))
        np.add.at(self.second, place, weights[:, :, None] * weights[:, None, :])
        self.modifiers = {(s["name"], m["name"]): m["data"] for s in (signal, background) for m in s["modifiers"]}
        self.background = np.array(background["data"])
        self.observed = np.array(document["observations"][0]["data"])

    def factor(self, sample, name, alpha):
        data = self.modifiers[sample, name]
        return normsys(alpha, data["lo"], data["hi"])

    def expected(self, theta):
        """Yields and the variance of the simulation."""
        norm, slope, luminosity, theory = theta[2:]
        signal = self.factor("WH", "luminosity", luminosity) * self.factor("WH", "WH_theory", theory)
        shape = self.modifiers["background", "background_slope"]
        template = self.background + histosys(slope, np.array(shape["lo_data"]), self.background, np.array(shape["hi_data"]))
        scale = self.factor("background", "luminosity", luminosity) * self.factor("background", "background_norm", norm)
        monomials = phi(theta[:2])
        variance = signal**2 * np.einsum("bkl,k,l->b", self.second, monomials, monomials)
        return signal * (self.first @ monomials) + scale * template, variance

    def twice_nll(self, theta):
        """Up to a constant. The mean of each bin is mean + eta sigma with a unit normal eta at its best value."""
        mean, variance = self.expected(theta)
        if (mean <= 0).any():
            return np.inf
        n = self.observed
        best = 0.5 * (mean - variance + np.sqrt((mean - variance) ** 2 + 4 * variance * n))
        return 2 * np.sum(best - n * np.log(best)) + np.sum((best - mean) ** 2 / variance) + np.sum(theta[2:] ** 2)

    def minimum(self, held=None, starts=((0.0, 0.0), (0.0, 0.3), (0.0, -0.3), (-0.3, 0.0))):
        """The lowest minimum from several starts; `held` is (index, value)."""
        free = [i for i in range(6) if held is None or i != held[0]]
        bounds = [(-1.5, 1.5)] * 2 + [(-5.0, 5.0)] * 4

        def run(start):
            theta = np.array([*start, 0.0, 0.0, 0.0, 0.0])
            if held is not None:
                theta[held[0]] = held[1]

            def value(x):
                full = theta.copy()
                full[free] = x
                return self.twice_nll(full)

            x, f = theta[free], np.inf
            # Twice, so that the second run ends what the first may have given up.
            for method in ("L-BFGS-B", "Nelder-Mead", "L-BFGS-B"):
                options = {"xatol": 1e-9, "fatol": 1e-11, "maxfev": 40000} if method == "Nelder-Mead" else {"ftol": 1e-15, "gtol": 1e-9}
                result = minimize(value, x, method=method, bounds=[bounds[i] for i in free], options=options)
                if result.fun <= f:
                    x, f = result.x, result.fun
            theta[free] = x
            return f, theta

        return min((run(start) for start in starts), key=lambda pair: pair[0])

    def interval(self, index, best, at):
        """Where the profile crosses the level, outwards from the best value."""
        above = lambda value: self.minimum((index, value))[0] - best - HEIGHT
        ends = []
        for sign in (-1, 1):
            step = 0.02
            while above(at + sign * step) < 0:
                step *= 1.5
            ends.append(brentq(above, at + sign * step / 1.5, at + sign * step, xtol=1e-7) if step > 0.02 else None)
        return ends


def main():
    result = {}
    for name in ("pt", "pt_angle"):
        analysis = Analysis(HERE / f"{name}.json")
        best, at = analysis.minimum()
        points = []
        for c in POINTS:
            theta = np.array([*c, 0.5, -0.3, 0.2, 1.2])
            signal = analysis.first @ phi(c)
            variance = np.einsum("bkl,k,l->b", analysis.second, phi(c), phi(c))
            points.append({
                "coefficients": c, "signal": signal.tolist(), "variance": variance.tolist(),
                "nuisances": dict(zip(NUISANCES, theta[2:])), "above_minimum": analysis.twice_nll(theta) - best,
            })
        result[name] = {
            "points": points,
            "best_fit": dict(zip(["cHW", "cHWtil", *NUISANCES], at)),
            "intervals_95": {
                "cHW": analysis.interval(0, best, at[0]), "cHWtil": analysis.interval(1, best, at[1]),
            },
        }
        print(name, result[name]["best_fit"], result[name]["intervals_95"])
    (HERE / "expected.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
