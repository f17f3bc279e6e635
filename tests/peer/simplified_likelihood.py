#!/usr/bin/env python3
"""Imported simplified likelihoods beside −2 ln L in the shifts of the backgrounds themselves, in numpy and scipy:

    2 Σ (ν − n ln ν + ln Γ(n + 1)) + θᵀ V⁻¹ θ + rank V · ln 2π,   ν = μ s + b + θ

Minima and profiles by Newton's method from scipy's minimum. `fit` and `scan` of the imported workspace agree to 1e-8 in
twice_nll, 1e-6 of the uncertainty in μ, and 1e-6 in its uncertainty, relative. `--record` writes
fixtures/simplified_likelihood/fit_scan.json. Needs numpy and scipy."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import minimize
from scipy.special import gammaln

import corpus
import morphist
from table import text

FIXTURE = corpus.CRATE / "fixtures/simplified_likelihood"
# The correlation of `correlation_table.yaml`, written out.
CASES = {"covariance": (), "correlation": ("correlation_table.yaml",)}
CORRELATION = np.array([[1.0, -0.35, 0.0], [-0.35, 1.0, 0.0], [0.0, 0.0, 1.0]])
STRENGTHS = [0.0, 0.5, 1.0, 2.0, 3.5]


class Likelihood:
    def __init__(self, name):
        content = json.loads((FIXTURE / f"{name}.json").read_text())
        column = lambda key: np.array([region[key] for region in content["regions"]], float)
        self.n, self.b, self.s = column("observed"), column("background"), column("signal")
        if "covariance" in content:
            covariance = np.array(content["covariance"])
        else:
            sigma = column("uncertainty")
            covariance = CORRELATION * np.outer(sigma, sigma)
        self.moves = np.flatnonzero(np.diag(covariance) > 0)
        self.inverse = np.linalg.inv(covariance[np.ix_(self.moves, self.moves)])
        self.constant = 2 * gammaln(self.n + 1).sum() + len(self.moves) * np.log(2 * np.pi)

    def mean(self, mu, theta):
        nu = mu * self.s + self.b
        nu[self.moves] += theta
        return nu

    def value(self, mu, theta):
        nu = self.mean(mu, theta)
        if (nu <= 0).any():
            return np.inf
        return 2 * (nu - self.n * np.log(nu)).sum() + theta @ self.inverse @ theta + self.constant

    def derivatives(self, mu, theta):
        """In (μ, θ)."""
        nu = self.mean(mu, theta)
        jacobian = np.zeros((len(nu), 1 + len(theta)))
        jacobian[:, 0] = self.s
        jacobian[self.moves, 1 + np.arange(len(theta))] = 1
        gradient = jacobian.T @ (2 * (1 - self.n / nu))
        gradient[1:] += 2 * self.inverse @ theta
        hessian = jacobian.T @ np.diag(2 * self.n / nu**2) @ jacobian
        hessian[1:, 1:] += 2 * self.inverse
        return gradient, hessian

    def minimum(self, mu=None):
        """The minimum at a strength, or over all of at least 0: (value, μ, whole Hessian)."""
        start = np.zeros(len(self.moves))
        if mu is None:
            outer = scipy.optimize.minimize_scalar(lambda m: self.minimum(m)[0], bounds=(0, 10), method="bounded", options={"xatol": 1e-10})
            return self.polish(outer.x, self.minimum(outer.x)[3], free=outer.x > 1e-6)
        found = minimize(lambda t: self.value(mu, t), start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-6, "fatol": 1e-8})
        return self.polish(mu, found.x, free=False)

    def polish(self, mu, theta, free):
        mu = mu if free or mu > 1e-6 else 0.0
        for _ in range(30):
            gradient, hessian = self.derivatives(mu, theta)
            at = slice(0, None) if free else slice(1, None)
            step = np.linalg.solve(hessian[at, at], gradient[at])
            mu, theta = (mu - step[0], theta - step[1:]) if free else (mu, theta - step)
        return self.value(mu, theta), mu, hessian, theta


def numbers(name):
    likelihood = Likelihood(name)
    value, mu, hessian, _ = likelihood.minimum()
    heights = [likelihood.minimum(strength)[0] for strength in STRENGTHS]
    sigma = float(np.sqrt(2 * np.linalg.inv(hessian)[0, 0]))
    return {"twice_nll": float(value), "mu": float(mu), "sigma": sigma, "strengths": STRENGTHS, "profile": [float(h) for h in heights]}


def compare(program, name, peer, folder):
    document = Path(folder) / f"{name}.json"
    files = [FIXTURE / f"{name}.json", *(FIXTURE / table for table in CASES[name])]
    command = [program, "eft", "import", "--from", "simplified-likelihood", *files, "--output-file", document]
    subprocess.run([str(part) for part in command], check=True, timeout=morphist.LIMIT_S)
    ours = morphist.fit(program, document)
    row = {"file": name, "twice_nll": abs(ours["twice_nll"] - peer["twice_nll"])}
    row["mu"] = abs(ours["mle_parameters"]["mu"][0] - peer["mu"]) / peer["sigma"]
    row["sigma"] = abs(ours["uncertainties"]["mu"][0] / peer["sigma"] - 1)
    row["profile"] = 0.0
    for strength, height in zip(peer["strengths"], peer["profile"]):
        scan = morphist.run(program, "scan", document, "mu", "--lower-bound", strength, "--upper-bound", strength + 0.5, "--n-steps", 2)
        own = scan["points"][0]["delta_twice_nll"]
        row["profile"] = max(row["profile"], abs(own - (height - peer["twice_nll"])))
    row["missed"] = not (row["twice_nll"] < 1e-8 and row["mu"] < 1e-6 and row["sigma"] < 1e-6 and row["profile"] < 1e-8)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--record", action="store_true", help="write fit_scan.json and compare nothing")
    arguments = parser.parse_args()
    peers = {name: numbers(name) for name in CASES}
    if arguments.record:
        versions = f"numpy {np.__version__}, scipy {scipy.__version__}"
        record = {"provenance": f"{versions}; python tests/peer/simplified_likelihood.py --record", **peers}
        (FIXTURE / "fit_scan.json").write_text(json.dumps(record, indent=1) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [compare(arguments.morphist, name, peer, folder) for name, peer in peers.items()]
    print(text(["file", "twice_nll", "mu", "sigma", "profile", "missed"], rows))
    sys.exit(1 if any(row["missed"] for row in rows) else 0)


main()
