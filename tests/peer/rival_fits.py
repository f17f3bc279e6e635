"""Rival minima of one workspace: pyhf with SLSQP and with iminuit, and a projected Newton method on pyhf's jax
gradient and Hessian. Every minimum is reported with the smallest expectation at it, so that those outside the domain
of the likelihood can be told apart."""

import signal
import time

import jax
import numpy as np
import peer_pyhf
import pyhf
from objective import Objective

FIT_LIMIT_S = 240


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
            advance = _leave_saddle(objective, point, value, hessian, free, barrier)
        else:
            direction = _step(objective, point, gradient, hessian, free)
            advance = _line_search(objective, point, value, gradient, direction, barrier)
        if advance is None:
            break
        point, value = advance
    return point, value, remaining


def _step(objective, point, gradient, hessian, free):
    """Newton step of the free parameters; those it would carry over a bound go to the bound, and the others' step is
    found again with that move given."""
    moving, direction = free.copy(), np.zeros_like(point)
    for _ in range(20):
        settled = free & ~moving
        pull = gradient[moving] + hessian[np.ix_(moving, settled)] @ direction[settled]
        direction[moving] = _descent(pull, hessian[np.ix_(moving, moving)])
        target = point + direction
        over = moving & ((target < objective.low) | (target > objective.high))
        if not over.any() or not (moving & ~over).any():
            break
        direction[over] = np.clip(target[over], objective.low[over], objective.high[over]) - point[over]
        moving &= ~over
    if gradient @ direction >= 0:
        direction[free] = _descent(gradient[free], hessian[np.ix_(free, free)])
    return direction


def _descent(gradient, hessian):
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-8))
    curvature, axes = np.linalg.eigh((hessian + hessian.T) / 2 * np.outer(scale, scale))
    curvature = np.maximum(np.abs(curvature), 1e-9 * max(1.0, float(np.max(np.abs(curvature)))))
    step = -scale * (axes @ ((axes.T @ (scale * gradient)) / curvature))
    longest = float(np.max(np.abs(step)))
    return step if longest < 20 else step * (20 / longest)


def _leave_saddle(objective, point, value, hessian, free, barrier):
    """A lower point along the most negative curvature, None at a minimum. Templates whose two variations are equal make
    the start a saddle with no gradient at all."""
    if not free.any():
        return None
    curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
    if curvature[0] >= -1e-8 * max(1.0, abs(curvature[-1])):
        return None
    direction, flat = np.zeros_like(point), np.zeros_like(point)
    direction[free] = axes[:, 0]
    forward = _line_search(objective, point, value, flat, direction, barrier)
    return forward or _line_search(objective, point, value, flat, -direction, barrier)


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
    if not any((_gradient(item)) < 1e-6 for item in found):
        for origin, point in origins[:2]:
            attempt = _guarded(f"barrier from {origin}", objective, lambda: newton_with_barrier(objective, point))
            found.append(attempt)
    lowest = min((item for item in found if item["in_domain"]), key=lambda item: item["twice_nll"], default=None)
    if lowest is not None and not lowest["rival"].startswith("newton"):
        polish = _guarded(f"newton from {lowest['rival']}", objective, lambda: newton(objective, lowest["point"]))
        found.append(polish)
    return found, objective


def _gradient(item):
    """Largest free gradient component at the end; infinite where the fit failed or does not give it."""
    return np.inf if item.get("gradient") is None else item["gradient"]


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
