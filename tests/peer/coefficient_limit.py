"""Limits on a Wilson coefficient of one bin, from their definition (spec/inference.md, "Limits on a Wilson coefficient"),
with numpy and scipy on a dense grid. Prints the numbers of tests/eft/coefficient_limits.rs.

    python tests/peer/coefficient_limit.py
"""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

N = [2, 1, 0, -1, -2]
STEPS = 400_001


def deviance(n, nu):
    return 2 * (nu - n + n * np.log(n / nu))


def side(rate, n, box, sign, level=0.05):
    """Allowed ranges as distances from 0 in the direction of sign, and the expected limits (None beyond the box)."""
    low, high = box
    distances = sign * np.linspace(low, high, STEPS)
    distances.sort()
    # f falls to 0 where the rate passes the count.
    rates = rate(sign * distances)
    f = deviance(n, rates)
    passes = np.append(np.diff(np.sign(rates - n)) != 0, False)
    f = np.where(passes, 0.0, f)
    f = np.where(distances >= 0, f, np.inf)
    lowest = np.minimum.accumulate(f)
    background = rate(0.0)

    def statistics(u):
        here, at_zero = deviance(n, rate(sign * u)), deviance(n, background)
        against = min(here, at_zero, lowest[max(np.searchsorted(distances, u) - 1, 0)])
        return here - against, deviance(background, rate(sign * u)), against >= at_zero - 1e-9

    def cls(u):
        q, q_a, at_boundary = statistics(u)
        root, s = np.sqrt(q), np.sqrt(q_a)
        if s == 0:
            return 1.0
        t = (q - q_a) / (2 * s) if at_boundary and root > s else root - s
        return np.exp(norm.logsf(t + s) - norm.logsf(t))

    farthest_u = sign * (high if sign > 0 else low)
    grid = np.linspace(0.0, farthest_u, 8001)

    def crossings(f):
        values = np.array([f(u) for u in grid])
        places = np.nonzero((values[:-1] >= 0) != (values[1:] >= 0))[0]
        return [brentq(f, grid[i], grid[i + 1], xtol=1e-13) for i in places], values

    ends, values = crossings(lambda u: cls(u) - level)
    ends = ([0.0] if values[0] >= 0 else []) + ends + ([farthest_u] if values[-1] >= 0 else [])
    expected = []
    for k in N:
        s_n = -norm.ppf(level * norm.cdf(-k)) - k
        found, at = crossings(lambda u: s_n - np.sqrt(statistics(u)[1]))
        expected.append(None if at[-1] >= 0 else found[-1])
    return ends, expected


def show(name, a, b, q, n, box):
    rate = lambda c: a + b * c + q * c * c
    print(f"{name}: λ = {a} + {b} c + {q} c², n = {n}, box {box}")
    for sign in (1, -1):
        ends, expected = side(rate, n, box, sign)
        print("  ", "upper" if sign > 0 else "lower", [f"{sign * u:.10f}" for u in ends])
        print("     expected", [None if u is None else f"{sign * u:.10f}" for u in expected])


show("square", 40, 0, 8, 53, (-5, 5))
show("square", 40, 0, 8, 33, (-5, 5))
show("mirror", 48, 16, 8, 53, (-6, 4))
show("mirror", 48, 16, 8, 40, (-6, 4))
show("narrow", 48, 16, 8, 53, (-2.5, 4))
show("valley", 100, 120, 40, 100, (-6, 4))
show("valley", 100, 120, 40, 88, (-6, 4))
show("valley", 100, 120, 40, 150, (-6, 4))
show("linear", 50, -10, 0, 52, (-10, 4.9))
