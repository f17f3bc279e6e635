"""nextstat as a rival in speed: nll, grad_nll, and minimisation without covariance at three settings, one thread."""

import os
import sys
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"

import nextstat
import speed_block

SETTINGS = {
    "default": {},
    "m=50, tol=1e-10": {"m": 50, "tol": 1e-10, "max_iter": 5000},
    "tol=1e-12": {"tol": 1e-12, "max_iter": 10000},
}


def main():
    nextstat.set_threads(1)
    model = nextstat.from_pyhf(Path(sys.argv[1]).read_text())
    start, bounds = list(model.suggested_init()), list(model.suggested_bounds())
    points = speed_block.moved(start, [low for low, _ in bounds], [high for _, high in bounds])
    estimators = {name: nextstat.MaximumLikelihoodEstimator(**options) for name, options in SETTINGS.items()}

    def fit(estimator):
        return float(estimator.fit_minimum(model).twice_nll)

    def measure():
        return {
            "value": {"nll": speed_block.seconds_per_call(model.nll, points)},
            "gradient": {"grad_nll": speed_block.seconds_per_call(model.grad_nll, points)},
            "fit": {
                name: speed_block.guarded(lambda: speed_block.timed_fit(lambda: fit(estimator)))
                for name, estimator in estimators.items()
            },
        }

    speed_block.serve({"version": nextstat.__version__, "start": 2 * model.nll(start)}, measure)


if __name__ == "__main__":
    main()
