#!/usr/bin/env python3
"""Documents with `parameter_transform` on global fits of the corpus, beside numpy that puts the relations in by itself.

* Rotation: `eft directions -o` of global_quad, its eigenvectors, values at random points, and `fit` from the Standard Model
  through the transform. The minimum that is recorded is the lowest of those inside the box of the coefficients; what lies
  lower outside of it has its χ² in numpy, and is the minimum of the plain document with bounds that contain it.
* Running with an invented matrix, on top of it Oll1221 = O3pl1 and held coefficients: values, and gradients by the chain rule.
* Heavy particles: a singlet (C_H□ = −g²/2M²) with a coloured vector in four-quark operators (−g_q²/2M², g_q g_t/M²): values,
  and the limit of `eft mass` for held couplings, by CLs from the polynomial in x = 1/M² (spec/inference.md, eq. 3, 8 to 10, 54).

Criteria, relative: values 1e-12; gradients 1e-9 of the largest component; minima 1e-6, absolute; limits 1e-6."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

import morphist
from benchmark import Benchmark, call, imported
from table import text

N_POINTS = 6


def written(document, path, steps, scale=None):
    """The document with the steps."""
    value = json.loads(document.read_text())
    value["eft"]["parameter_transform"] = steps
    value["measurements"][0]["config"]["poi"] = ""
    if scale:
        value["eft"]["basis"]["scale_GeV"] = scale
    path.write_text(json.dumps(value))
    return path


def values(program, document, fit, names, points, coefficients):
    """The largest deviation of χ², relative; `coefficients` is what numpy makes of a point."""
    worst = 0.0
    for p in points:
        ours = morphist.evaluate(program, document, {name: [float(x)] for name, x in zip(names, p)})["twice_nll"]
        wanted = fit.chi2(coefficients(p))
        worst = max(worst, abs(ours - fit.constant - wanted) / max(wanted, abs(fit.constant)))
    return worst


def gradients(program, document, fit, names, points, coefficients, jacobian):
    """The same of gradients: by the chain rule, of the largest component."""
    worst = 0.0
    for p in points:
        report = morphist.evaluate(program, document, {name: [float(x)] for name, x in zip(names, p)}, "--gradient")
        ours = np.array([report["gradient"][name][0] for name in names])
        c = coefficients(p)
        wanted = 2 * (fit.residuals(c) @ fit.jacobian(c)) @ jacobian(p)
        worst = max(worst, np.abs(ours - wanted).max() / np.abs(wanted).max())
    return worst


def rotation(arguments, folder):
    fit = Benchmark("global_quad", True)
    document, rotated = imported(arguments.morphist, folder, "smefit-benchmark", fit.path), folder / "rotated.json"
    call(arguments.morphist, "eft", "directions", document, "-o", rotated, "--output-file", folder / "directions.json", "--format", "json")
    step = json.loads(rotated.read_text())["eft"]["parameter_transform"][0]
    names, matrix = step["linear"]["parameters"], np.array(step["linear"]["matrix"])
    order = [fit.operators.index(name) for name in step["linear"]["coefficients"]]
    back = np.empty_like(matrix)
    back[order] = matrix
    # Eigenvectors of the whitened design matrix, by numpy: V⁻¹ rounds at 1e-15 of the largest eigenvalue.
    information = fit.a.T @ fit.a
    eigenvalues = np.array(step["directions"]["eigenvalues"])
    scale = eigenvalues.max()
    spectrum = max(np.abs(back.T @ back - np.eye(len(names))).max(), np.abs(information @ back - back * eigenvalues).max() / scale)
    rng = np.random.default_rng(3)
    box = np.array([p["bounds"] for p in step["parameters"]])
    points = [back.T @ (scale * rng.uniform(fit.low, fit.high)) for scale in (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)]
    assert all(((p >= box[:, 0]) & (p <= box[:, 1])).all() for p in points)
    row = {"document": "global_quad, rotated", "eigenvectors": spectrum, "values": values(arguments.morphist, rotated, fit, names, points, lambda p: back @ p)}
    found = morphist.run(arguments.morphist, "fit", rotated)
    assert found["valid"] and not found["at_limit"], (found["reason"], found["at_limit"])
    derived = {entry["name"]: entry for entry in found["derived"]}
    c = np.array([derived[name]["value"] for name in fit.operators])
    row["lowest"] = found["twice_nll"] - fit.constant
    row["values"] = max(row["values"], abs(fit.chi2(c) - row["lowest"]) / row["lowest"])
    # The box of the eigenvectors is larger than that of the coefficients: the recorded minimum is the lowest inside of it ...
    inside = [m["twice_nll"] - fit.constant for m in found["minima"]["minima"] if within(fit, back, names, m["parameters"])]
    row["minimum"], row["recorded"] = min(inside), fit.reference["quadratic_fit"]["chi2_min"]
    # ... and the lowest of all is that of the plain document with the bounds that it leaves made wider.
    wide = [part for name, entry in derived.items() if entry["outside_bounds"] for part in ("--bounds", f"{name}=-{2 * abs(entry['value'])},{2 * abs(entry['value'])}")]
    plain = morphist.run(arguments.morphist, "fit", document, *wide)
    row["plain"] = plain["twice_nll"] - fit.constant
    return row


def within(fit, back, names, parameters):
    c = back @ np.array([parameters[name][0] for name in names])
    return bool(((c >= fit.low) & (c <= fit.high)).all())


def running(arguments, folder):
    """c(91 GeV) = U c(1 TeV), U near one; Oll1221 = O3pl1 there, four coefficients held at zero."""
    fit = Benchmark("global_quad", True)
    n, rng = len(fit.operators), np.random.default_rng(5)
    evolution = np.eye(n) + 0.05 * rng.standard_normal((n, n)) * (rng.random((n, n)) < 0.2)
    above = [f"{name}_1TeV" for name in fit.operators]
    boxes = [[float(2 * low), float(2 * high)] for low, high in zip(fit.low, fit.high)]
    first = {
        "parameters": [{"name": name, "bounds": bounds} for name, bounds in zip(above, boxes)],
        "linear": {"coefficients": fit.operators, "parameters": above, "matrix": evolution.tolist()},
        "running": {"from_scale_GeV": 1000.0, "to_scale_GeV": 91.1876},
    }
    held = ["OQQ1_1TeV", "OQQ8_1TeV", "OQt1_1TeV", "OQt8_1TeV"]
    second = {
        "linear": {"coefficients": held, "parameters": [], "matrix": [[]] * 4},
        "relations": [{"coefficient": "Oll1221_1TeV", "terms": [{"factor": 1.0, "powers": {"O3pl1_1TeV": 1}}]}],
    }
    names = [name for name in above if name not in [*held, "Oll1221_1TeV"]]
    whole = np.zeros((n, len(names)))
    for i, name in enumerate(above):
        if name not in held:
            whole[i, names.index("O3pl1_1TeV" if name == "Oll1221_1TeV" else name)] = 1
    whole = evolution @ whole
    document = imported(arguments.morphist, folder, "smefit-benchmark", fit.path)
    path = written(document, folder / "running.json", [first, second], 91.1876)
    points = [scale * rng.uniform(-1, 1, len(names)) for scale in np.geomspace(0.02, 0.5, N_POINTS)]
    at = lambda p: whole @ p
    return {
        "document": "global_quad, running",
        "values": values(arguments.morphist, path, fit, names, points, at),
        "gradients": gradients(arguments.morphist, path, fit, names, points, at, lambda p: whole),
    }


def heavy(arguments, folder):
    fit = Benchmark("global_quad", True)
    relations = {"OpBox": [(-0.5, {"g": 2, "M": -2})], "O81qq": [(-0.5, {"gq": 2, "M": -2})], "O8qt": [(1.0, {"gq": 1, "gt": 1, "M": -2})], "O8ut": [(1.0, {"gq": 1, "gt": 1, "M": -2})], "OQQ8": [(-0.5, {"gt": 2, "M": -2})]}
    names = ["g", "gq", "gt", "M"]
    others = [name for name in fit.operators if name not in relations]
    step = {
        "parameters": [{"name": name, "bounds": [-3.0, 3.0], "init": 1.0} for name in names[:3]] + [{"name": "M", "bounds": [0.3, 50.0], "init": 2.0}],
        "linear": {"coefficients": others, "parameters": [], "matrix": [[]] * len(others)},
        "relations": [{"coefficient": name, "terms": [{"factor": a, "powers": powers} for a, powers in terms]} for name, terms in relations.items()],
    }
    document = imported(arguments.morphist, folder, "smefit-benchmark", fit.path)
    path = written(document, folder / "heavy.json", [step])

    def coefficients(p):
        point, c = dict(zip(names, p)), np.zeros(len(fit.operators))
        for name, terms in relations.items():
            c[fit.operators.index(name)] = sum(a * np.prod([point[k] ** n for k, n in powers.items()]) for a, powers in terms)
        return c

    def jacobian(p):
        steps = np.diag([1e-3] * 4)
        return np.array([(8 * (coefficients(p + h) - coefficients(p - h)) - (coefficients(p + 2 * h) - coefficients(p - 2 * h))) / 12e-3 for h in steps]).T

    rng = np.random.default_rng(9)
    points = [np.append(rng.uniform(-2, 2, 3), m) for m in np.geomspace(0.7, 20, N_POINTS)]
    row = {"document": "global_quad, heavy particles", "values": values(arguments.morphist, path, fit, names, points, coefficients)}
    row["gradients"] = gradients(arguments.morphist, path, fit, names, points, coefficients, jacobian)
    row["limit"] = 0.0
    for couplings in ((1.0, 0.0, 0.0), (0.5, 0.7, -0.4), (0.0, 1.0, 1.0)):
        wanted = mass_limit(fit, coefficients(np.array([*couplings, 1.0])), 0.3**-2)
        fixed = [part for name, value in zip(names, couplings) for part in ("--fix", f"{name}={value}")]
        report = morphist.run(arguments.morphist, "eft", "mass", path, "M", *fixed)
        found = [report["observed_lower_limit"], report["expected_lower_limit"][2]]
        row["limit"] = max(row["limit"], *(abs(a / b - 1) for a, b in zip(found, wanted)))
    return row


def mass_limit(fit, c, highest):
    """Observed and median lower limit at 95 % from CLs of x = 1/M² ≥ 0 with nothing to profile, where the coefficients are
    x c: χ² of data, and of Asimov data at x = 0, are polynomials in x."""
    mean = [fit.a @ c, fit.q @ fit.products(c)]
    dots = lambda a, b: np.array([u @ v for u in a for v in b])
    line = [fit.y, -mean[0], -mean[1]]
    quartic = np.zeros(5)
    np.add.at(quartic, [i + j for i in range(3) for j in range(3)], dots(line, line))
    flat = np.zeros(5)
    np.add.at(flat, [2 + i + j for i in range(2) for j in range(2)], dots(mean, mean))
    observed = lambda x: np.polynomial.polynomial.polyval(x, quartic)
    asimov = lambda x: np.polynomial.polynomial.polyval(x, flat)
    turning = np.roots(np.polynomial.polynomial.polyder(quartic)[::-1])
    minima = [0.0, *(t.real for t in turning if abs(t.imag) < 1e-9 * (1 + abs(t)) and t.real > 0)]

    def cls(x):
        lowest = min(observed(t) for t in [*minima, x] if t <= x)
        q, q_a = observed(x) - lowest, asimov(x)
        if observed(0.0) <= lowest and q > q_a:
            return norm.sf((q + q_a) / (2 * q_a**0.5)) / norm.sf((q - q_a) / (2 * q_a**0.5))
        return norm.sf(q**0.5) / norm.sf(q**0.5 - q_a**0.5)

    grid = np.geomspace(1e-6, 1, 4001) * highest
    last = max(k for k, x in enumerate(grid) if cls(x) >= 0.05)
    x = brentq(lambda x: cls(x) - 0.05, grid[last], grid[last + 1], xtol=1e-14, rtol=1e-12)
    root = norm.ppf(1 - 0.05 * norm.cdf(0))
    median = brentq(lambda x: asimov(x) ** 0.5 - root, 1e-9, highest, xtol=1e-14, rtol=1e-12)
    return x**-0.5, median**-0.5


def late(row):
    limits = {"values": 1e-12, "eigenvectors": 1e-12, "gradients": 1e-9, "limit": 1e-6}
    found = [name for name, limit in limits.items() if not row.get(name, 0) <= limit]
    if "recorded" in row and not (abs(row["minimum"] - row["recorded"]) <= 1e-6 and abs(row["lowest"] - row["plain"]) <= 1e-6):
        found.append("minimum")
    return ", ".join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [of(arguments, Path(folder)) for of in (running, heavy, rotation)]
    for row in rows:
        row["missed"] = late(row)
    print(text(["document", "values", "gradients", "eigenvectors", "limit", "minimum", "recorded", "lowest", "plain", "missed"], rows))
    sys.exit(1 if any(row["missed"] for row in rows) else 0)


main()
