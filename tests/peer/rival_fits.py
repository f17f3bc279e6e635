"""Rival minima of one workspace: pyhf with SLSQP and with iminuit, and a projected Newton method on pyhf's jax
gradient and Hessian. Every minimum is reported with the smallest expectation at it, so that those outside the domain
of the likelihood can be told apart."""

import signal
import time

import jax
import jax.numpy as jnp
import numpy as np
import peer_pyhf
import pyhf
from jax.scipy.special import gammaln

FIT_LIMIT_S = 240


class Objective:
    """twice_nll of a model, compiled by jax, +inf outside the domain.

    `barrier` t adds -2 t sum ln(nu_b) over bins with nothing observed. A minimum on nu_b = 0 is approached from
    inside the domain by letting t go to zero.
    """

    def __init__(self, model, data):
        self.start, self.low, self.high, self.fixed = peer_pyhf.arrays(model)
        observed = jnp.asarray(data[: model.config.nmaindata])
        auxdata = jnp.asarray(data[model.config.nmaindata :])
        empty = observed == 0

        def rates(point):
            return model.main_model.make_pdf(point).expected_data()

        def terms(point, barrier):
            nu = rates(point)
            inside = jnp.where(nu > 0, nu, 1.0)
            main = jnp.where(nu > 0, observed * jnp.log(inside) - nu - gammaln(observed + 1), -nu)
            value = -2 * jnp.sum(main) - 2 * barrier * jnp.sum(jnp.where(empty, jnp.log(inside), 0.0))
            if model.constraint_model.has_pdf():
                value = value - 2 * model.constraint_model.logpdf(auxdata, point)
            outside = jnp.any((nu < 0) | ((nu <= 0) & ~empty))
            return jnp.where(outside, jnp.inf, value)

        def derivatives(point, barrier):
            def along(direction):
                return jax.jvp(lambda q: jax.grad(terms)(q, barrier), (point,), (direction,))

            gradients, hessian = jax.lax.map(along, jnp.eye(len(point)))
            return gradients[0], hessian

        self._rates = jax.jit(rates)
        self._value = jax.jit(terms)
        self._derivatives = jax.jit(derivatives)
        self.observed = np.asarray(observed)

    def value(self, point, barrier=0.0):
        value = float(self._value(jnp.asarray(point), barrier))
        return value if np.isfinite(value) else np.inf

    def derivatives(self, point, barrier=0.0):
        gradient, hessian = self._derivatives(jnp.asarray(point), barrier)
        return np.asarray(gradient), np.asarray(hessian)

    def rates(self, point):
        return np.asarray(self._rates(jnp.asarray(point)))

    def free(self, point, gradient):
        """Parameters that may move: not fixed and not held at a bound by the gradient."""
        held = ((point <= self.low) & (gradient > 0)) | ((point >= self.high) & (gradient < 0))
        return ~(self.fixed | held)


def newton(objective, start, barrier=0.0, steps=200, tolerance=1e-9):
    """Projected Newton: eigenvalues of the free Hessian made positive, step halved along the projected path.

    Returns the point, its value and the largest free gradient component.
    """
    point = np.clip(np.asarray(start, dtype=float), objective.low, objective.high)
    point[objective.fixed] = objective.start[objective.fixed]
    value, remaining = objective.value(point, barrier), np.inf
    for _ in range(steps):
        gradient, hessian = objective.derivatives(point, barrier)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))):
            return point, value, np.inf
        free = objective.free(point, gradient)
        remaining = float(np.max(np.abs(gradient[free]), initial=0.0))
        if remaining < tolerance:
            break
        direction = np.zeros_like(point)
        direction[free] = _descent(gradient[free], hessian[np.ix_(free, free)])
        advance = _line_search(objective, point, value, gradient, direction, barrier)
        if advance is None:
            break
        point, value = advance
    return point, value, remaining


def _descent(gradient, hessian):
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-8))
    curvature, axes = np.linalg.eigh((hessian + hessian.T) / 2 * np.outer(scale, scale))
    curvature = np.maximum(np.abs(curvature), 1e-9 * max(1.0, float(np.max(np.abs(curvature)))))
    step = -scale * (axes @ ((axes.T @ (scale * gradient)) / curvature))
    longest = float(np.max(np.abs(step)))
    return step if longest < 20 else step * (20 / longest)


def _line_search(objective, point, value, gradient, direction, barrier):
    length = 1.0
    for _ in range(50):
        trial = np.clip(point + length * direction, objective.low, objective.high)
        trial_value = objective.value(trial, barrier)
        predicted = float(gradient @ (trial - point))
        if trial_value <= value + 1e-4 * min(predicted, 0.0) and trial_value < value:
            return trial, trial_value
        length /= 2
    return None


def newton_with_barrier(objective, start):
    """Minimum on the edge of the domain: a decreasing barrier in the bins with nothing observed, then none."""
    point, _, _ = newton(objective, start, barrier=1.0)
    for power in range(1, 13):
        point, _, _ = newton(objective, point, barrier=10.0**-power, steps=50)
    return newton(objective, point, steps=50)


class TooLong(Exception):
    """A fit that ran past its limit."""


def _alarm(_signal, _frame):
    raise TooLong(f"stopped after {FIT_LIMIT_S} s")


def minima(model, data, seed, starts=3):
    """All rival minima of one workspace, each `{rival, twice_nll, point, smallest_rate, in_domain, ...}`."""
    signal.signal(signal.SIGALRM, _alarm)
    objective = Objective(model, data)
    origins = [("start", objective.start)]
    origins += [
        (f"random {number}", point)
        for number, point in enumerate(_random_starts(model, data, seed, starts))
    ]
    found = []
    for optimizer in ("scipy", "minuit"):
        found.append(_guarded(f"pyhf-jax {optimizer}", objective, lambda: _pyhf_fit(model, data, optimizer)))
    for origin, point in origins:
        found.append(_guarded(f"newton from {origin}", objective, lambda: newton(objective, point)))
    edge = all(item.get("gradient", np.inf) > 1e-6 for item in found if item["rival"].startswith("newton"))
    if edge:
        for origin, point in origins[:2]:
            attempt = _guarded(f"barrier from {origin}", objective, lambda: newton_with_barrier(objective, point))
            found.append(attempt)
    lowest = min((item for item in found if item["in_domain"]), key=lambda item: item["twice_nll"], default=None)
    if lowest is not None and not lowest["rival"].startswith("newton"):
        polish = _guarded(f"newton from {lowest['rival']}", objective, lambda: newton(objective, lowest["point"]))
        found.append(polish)
    return found, objective


def forget():
    """Drops compiled functions, which hold their models; every living model is rebuilt at each change of backend."""
    jax.clear_caches()


def _random_starts(model, data, seed, count):
    peer_pyhf.use("numpy")
    points = peer_pyhf.random_points(model, data, seed, count, frozen=True)
    peer_pyhf.use("jax")
    return points


def _pyhf_fit(model, data, optimizer):
    pyhf.set_backend("jax", optimizer, precision="64b")
    point, value = pyhf.infer.mle.fit(data.tolist(), model, return_fitted_val=True)
    return np.asarray(point, dtype=float), float(value), None


def _guarded(rival, objective, fit):
    """Runs a fit within its time limit; a failure is recorded with its reason, never dropped."""
    began = time.process_time()
    signal.alarm(FIT_LIMIT_S)
    try:
        point, reported, gradient = fit()
    except Exception as problem:  # noqa: BLE001 - rivals fail in many ways; each is a result worth recording
        reason = f"{type(problem).__name__}: {problem}".strip().splitlines()[0][:200]
        return {"rival": rival, "failed": reason, "in_domain": False, "cpu_s": time.process_time() - began}
    finally:
        signal.alarm(0)
    point = np.clip(point, objective.low, objective.high)
    rates = objective.rates(point)
    value = objective.value(point)
    result = {
        "rival": rival,
        "twice_nll": value if np.isfinite(value) else None,
        "reported": reported if np.isfinite(reported) else None,
        "smallest_rate": float(np.min(rates)),
        "in_domain": peer_pyhf.in_domain(rates, objective.observed) and bool(np.isfinite(value)),
        "cpu_s": time.process_time() - began,
        "point": point,
    }
    if gradient is not None:
        result["gradient"] = gradient if np.isfinite(gradient) else None
    return result
