"""pyhf's side: its model of a workspace, its numbers, and seeded random points in the domain of the likelihood."""

import json
import logging
import os
import warnings

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
import pyhf
from scipy.special import gammaln, xlogy

PYHF_VERSION = "0.7.6"
DEFAULT_CODES = {"normsys": "code4", "histosys": "code4p"}
LINEAR_CODES = {"normsys": "code1", "histosys": "code0"}

logging.getLogger("pyhf").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore")


def use(backend, optimizer="scipy"):
    pyhf.set_backend(backend, optimizer, precision="64b")


def require_version():
    """The numbers of other versions differ; better no comparison than one with the wrong peer."""
    if pyhf.__version__ != PYHF_VERSION:
        raise SystemExit(f"pyhf {PYHF_VERSION} is required, this is {pyhf.__version__}")


def load(path, codes=DEFAULT_CODES):
    """Model and data of the first measurement; without a POI where the measurement's is not in the model.

    The schema check is left out: the index records that pyhf accepts the file, and it costs more than the model.
    """
    document = json.loads(path.read_text())
    workspace = pyhf.Workspace(document, validate=False)
    settings = {kind: {"interpcode": code} for kind, code in codes.items()}
    try:
        model = workspace.model(measurement_index=0, modifier_settings=settings, validate=False)
    except pyhf.exceptions.InvalidModel as problem:
        if "parameter of interest" not in str(problem):
            raise
        model = workspace.model(measurement_index=0, modifier_settings=settings, validate=False, poi_name=None)
    return model, np.asarray(workspace.data(model), dtype=float)


def arrays(model):
    """Suggested start, lower bounds, upper bounds and fixed flags of a model."""
    bounds = np.asarray(model.config.suggested_bounds(), dtype=float).reshape(-1, 2)
    start = np.asarray(model.config.suggested_init(), dtype=float)
    return start, bounds[:, 0], bounds[:, 1], np.asarray(model.config.suggested_fixed(), dtype=bool)


def twice_nll(model, data, point):
    """-2 ln L by pyhf's numpy backend."""
    return float(np.asarray(-2 * model.logpdf(np.asarray(point), data)).ravel()[0])


def main_rates(model, point):
    return np.asarray(model.main_model.make_pdf(np.asarray(point)).expected_data(), dtype=float)


def in_domain(rates, observed):
    """The domain of the likelihood: no negative expectation, none of zero where something was observed."""
    return bool(np.all(np.isfinite(rates)) and np.all(rates >= 0) and np.all((rates > 0) | (observed == 0)))


def sum_of_terms(model, data, point):
    """Sum of the sizes of everything added up in twice_nll (numpy backend): the scale on which rounding happens."""
    point = np.asarray(point)
    observed, auxdata = data[: model.config.nmaindata], data[model.config.nmaindata :]
    total = _poisson_size(observed, main_rates(model, point))
    gaussians = model.constraint_model.constraints_gaussian
    poissons = model.constraint_model.constraints_poisson
    if gaussians.has_pdf():
        pulls = (auxdata[gaussians.normal_data] - point[gaussians.access_field[0]]) / gaussians.sigmas
        total += np.sum(pulls**2) + 2 * np.sum(np.abs(np.log(gaussians.sigmas * np.sqrt(2 * np.pi))))
    if poissons.has_pdf():
        rates = point[poissons.access_field[0]] * poissons.batched_factors[0]
        total += _poisson_size(auxdata[poissons.poisson_data], rates)
    return float(total)


def sum_of_rate_terms(model, point):
    """For each bin, the sum over samples of |product of factors| (|nominal| + sum |histosys deltas|)."""
    deltas, factors = model._modifications(np.asarray(point))
    offsets = np.sum(np.abs(np.concatenate([*deltas, model.nominal_rates])), axis=0)
    scales = np.abs(np.prod(np.concatenate(factors), axis=0)) if factors else 1.0
    return np.sum(scales * offsets, axis=0)[0]


def _poisson_size(counts, rates):
    return float(2 * np.sum(np.abs(xlogy(counts, np.abs(rates))) + np.abs(rates) + np.abs(gammaln(counts + 1))))


def random_points(model, data, seed, count, frozen=False):
    """`count` points scattered around the suggested start by the constraint widths, all in the domain.

    `frozen` leaves fixed parameters where they are. Gives fewer points where the domain is hardly ever hit.
    """
    generator = np.random.default_rng(seed)
    start, low, high, fixed = arrays(model)
    width = _widths(model)
    width[fixed & frozen] = 0
    margin = 1e-3 * np.minimum(1, high - low)
    observed = data[: model.config.nmaindata]
    points = []
    for _ in range(count):
        scale = 1.0
        for _ in range(60):
            move = scale * width * generator.standard_normal(len(start))
            point = np.where(width > 0, np.clip(start + move, low + margin, high - margin), start)
            rates = main_rates(model, point)
            if in_domain(rates, observed) and np.all((rates > 1e-6) | (observed == 0)):
                points.append(point)
                break
            scale *= 0.7
    return points


def _widths(model):
    """Constraint width of each parameter; 0.3 where there is none."""
    widths = []
    for name in model.config.par_order:
        parameters = model.config.param_set(name)
        if not parameters.constrained:
            widths += [0.3] * parameters.n_parameters
        elif parameters.pdf_type == "normal":
            widths += list(np.ravel(parameters.width()))
        else:
            widths += list(1 / np.sqrt(np.ravel(parameters.factors)))
    return np.asarray(widths, dtype=float)
