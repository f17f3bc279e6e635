"""smefit 4.0.0 on files of its own formats: its loader, its coefficients, its χ² and its analytic fit."""

import contextlib
import logging
import os
import tempfile
import warnings
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np
import yaml
from smefit.chi2 import compute_chi2
from smefit.coefficients import CoefficientManager
from smefit.loader import load_datasets
from smefit.optimize.analytic import ALOptimizer


class Fit:
    """A runcard, loaded by smefit. Paths in the runcard lead from its own folder."""

    def __init__(self, runcard):
        self.path = Path(runcard)
        self.config = yaml.safe_load(self.path.read_text())
        self.use_quad = self.config["use_quad"]
        self.relative = self.config.get("use_multiplicative_prescription", False)
        with contextlib.chdir(self.path.parent):
            self.datasets = load_datasets(
                self.config["data_path"],
                self.config["datasets"],
                self.config["coefficients"],
                self.use_quad,
                self.config["use_theory_covmat"],
                self.config["use_t0"],
                self.relative,
                self.config.get("default_order", "LO"),
                self.config["theory_path"],
                cutoff_scale=self.config.get("cutoff_scale"),
                has_uv_couplings=self.config.get("uv_couplings", False),
            )
        self.coefficients = CoefficientManager.from_dict(self.config["coefficients"])
        assert list(self.datasets.OperatorsNames) == list(self.coefficients.name)

    @property
    def free(self):
        """Names of the free coefficients, in smefit's order."""
        return [str(name) for name in self.coefficients.free_parameters.index]

    def bounds(self):
        table = self.coefficients.free_parameters
        return np.array([table.minimum, table.maximum], float).T

    def chi2(self, point):
        """χ² at values of the free coefficients, in smefit's order."""
        self.coefficients.set_free_parameters(np.array(point, float))
        self.coefficients.set_constraints()
        return float(compute_chi2(self.datasets, self.coefficients.value, self.use_quad, self.relative))

    def constant(self):
        """What −2 ln L has beside χ²: n ln 2π + ln det V, from V⁻¹ scaled to a unit diagonal."""
        inverse = self.datasets.InvCovMat
        scale = np.sqrt(np.diag(inverse))
        log_det = np.linalg.slogdet(inverse / np.outer(scale, scale))[1] + 2 * np.log(scale).sum()
        return len(inverse) * np.log(2 * np.pi) - log_det

    def analytic(self):
        """smefit's linear solution, {name: value}, and the χ² there. It knows no factors on the prediction, so that the
        tables are given to it as they were loaded and multiplied out."""
        datasets = self.datasets
        if self.relative:
            datasets = datasets._replace(LinearCorrections=datasets.LinearCorrections * datasets.SMTheory[:, None])
        with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            (Path(folder) / "fit").mkdir()
            optimizer = ALOptimizer(datasets, self.coefficients, folder, "fit", False, 0)
            optimizer.run_sampling()
        best = [float(x) for x in self.coefficients.free_parameters.value]
        return dict(zip(self.free, best)), self.chi2(best)

    def points(self, n, seed):
        """Random points, half of them anywhere in the box and half in a tenth of it."""
        rng = np.random.default_rng(seed)
        low, high = self.bounds().T
        return [rng.uniform(low, high) * (1.0 if i % 2 == 0 else 0.1) for i in range(n)]
