"""The compact global fits of corpus/smefit in numpy: χ², minima with bounds, and the documents that `eft import` makes."""

import json
import subprocess

import numpy as np
from scipy.optimize import least_squares

import corpus
import morphist

FOLDER = corpus.CORPUS / "corpus/smefit"
BASIS = ("--basis", "SMEFT/SMEFiT", "--lambda-tev", 1, "--input-scheme", "MW_MZ_GF")


def imported(program, folder, layout, path, *options):
    """The document that `eft import` makes."""
    document = folder / f"{layout}-{path.stem}.json"
    call(program, "eft", "import", "--from", layout, path, *options, *BASIS, "--output-file", document)
    return document


def call(program, *arguments):
    """A command whose answer is a file."""
    command = [str(part) for part in (program, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=morphist.LIMIT_S)
    if done.returncode != 0:
        raise morphist.Failed(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")


class Benchmark:
    """Residuals r(c) = K⁻¹ S⁻¹ (d − sm − L c − Σ q_ij c_i c_j), V = S K Kᵀ S, so that χ² = rᵀ r."""

    def __init__(self, name, quadratic):
        self.path = FOLDER / f"{name}.json"
        record = json.loads(self.path.read_text())
        self.operators, self.reference = record["operators"], record["reference"]
        self.low, self.high = np.array(record["bounds"]).T
        self.sizes = [(own["name"], own["n"]) for own in record["datasets"]]
        rows = [np.array(row, float) for row in record["covariance_lower"]]
        covariance = np.zeros((len(rows), len(rows)))
        for i, row in enumerate(rows):
            covariance[i, : i + 1] = covariance[: i + 1, i] = row
        self.columns = np.array(record["linear"])
        self.pairs, squares = [], []
        for i, j, points, values in record["quadratic_sparse"] if quadratic else []:
            self.pairs.append((i, j))
            squares.append(np.zeros(len(rows)))
            squares[-1][points] = values
        self.squares = np.array(squares).T if squares else np.zeros((len(rows), 0))
        self.residual = np.array(record["data"]) - np.array(record["sm"])
        self.covariance = covariance
        self.whiten()

    def whiten(self):
        scale = np.sqrt(np.diag(self.covariance))
        self.ln_det = 2 * np.log(scale).sum() + np.linalg.slogdet(self.covariance / np.outer(scale, scale))[1]
        factor = np.linalg.cholesky(self.covariance / np.outer(scale, scale))
        white = lambda matrix: np.linalg.solve(factor, (matrix.T / scale).T)
        self.y, self.a, self.q = white(self.residual), white(self.columns), white(self.squares)

    def without(self, name):
        """The same without a data set: its rows go, and what it shares stays an error of the others."""
        first = 0
        for own, n in self.sizes:
            keep = np.ones(len(self.residual), bool)
            if own == name:
                keep[first : first + n] = False
                break
            first += n
        other = object.__new__(Benchmark)
        other.__dict__ |= self.__dict__
        other.residual, other.columns, other.squares = self.residual[keep], self.columns[keep], self.squares[keep]
        other.covariance = self.covariance[np.ix_(keep, keep)]
        other.whiten()
        return other

    @property
    def constant(self):
        """What `twice_nll` has beside χ²."""
        return self.ln_det + len(self.y) * np.log(2 * np.pi)

    def products(self, c):
        return np.array([c[i] * c[j] for i, j in self.pairs])

    def residuals(self, c):
        return self.y - self.a @ c - (self.q @ self.products(c) if self.pairs else 0)

    def jacobian(self, c):
        out = -self.a.copy()
        for k, (i, j) in enumerate(self.pairs):
            out[:, i] -= self.q[:, k] * c[j]
            out[:, j] -= self.q[:, k] * c[i]
        return out

    def chi2(self, c):
        r = self.residuals(np.asarray(c, float))
        return float(r @ r)

    def hessian(self, c):
        r, j = self.residuals(c), self.jacobian(c)
        out = 2 * j.T @ j
        for k, (a, b) in enumerate(self.pairs):
            out[a, b] -= 2 * (r @ self.q[:, k])
            out[b, a] -= 2 * (r @ self.q[:, k])
        return out

    def minimum(self, starts, held=None):
        """The lowest χ² within the bounds from several starts, with one coefficient held at a value: (χ², c)."""
        free = [i for i in range(len(self.operators)) if held is None or i != held[0]]
        best = (np.inf, None)
        for start in starts:
            c = np.clip(np.array(start, float), self.low, self.high)
            if held is not None:
                c[held[0]] = held[1]

            def full(x):
                out = c.copy()
                out[free] = x
                return out

            # Strictly inside, as the method wants it.
            inside = np.clip(c[free], self.low[free] * (1 - 1e-9), self.high[free] * (1 - 1e-9))
            found = least_squares(lambda x: self.residuals(full(x)), inside, lambda x: self.jacobian(full(x))[:, free], bounds=(self.low[free], self.high[free]), x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-13, max_nfev=500)
            point = full(found.x)
            best = min(best, (self.chi2(point), tuple(point)))
        return best[0], np.array(best[1])
