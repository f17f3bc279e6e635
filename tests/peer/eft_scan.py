"""Profile of one Wilson coefficient over the whole range of another, by brute force: the numbers of tests/eft/inference.rs.

Three bins, yields l * (A + sum of monomials) + l * background with a luminosity l that is constrained by a normal
distribution. With the yields before luminosity given, the best l solves a quadratic equation; the other coefficient is
looked for on a dense grid and refined around each local minimum. Needs numpy and scipy.

    python tests/peer/eft_scan.py
"""

import numpy as np
from scipy.optimize import brentq, minimize_scalar

SIGMA = 0.03
OBSERVED = np.array([130.0, 165.0, 98.0])
BACKGROUND = np.array([40.0, 50.0, 30.0])
MONOMIALS = {
    (0, 0): [60.0, 45.0, 20.0],
    (1, 0): [12.0, -6.0, 9.0],
    (2, 0): [7.0, 15.0, 11.0],
    (0, 1): [-8.0, 10.0, 2.0],
    (1, 1): [9.0, -14.0, 6.0],
    (0, 2): [10.0, 18.0, 13.0],
}
BOUNDS = (-4.0, 4.0)


def twice_nll(a, b):
    """-2 ln L against its saturated part with the luminosity at its best; b may be an array."""
    b = np.asarray(b, dtype=float)[..., None]
    yields = BACKGROUND + sum(np.array(v) * a**i * b**j for (i, j), v in MONOMIALS.items())
    n, total = OBSERVED.sum(), yields.sum(axis=-1)
    p = total - 1 / SIGMA**2
    l = 0.5 * SIGMA**2 * (-p + np.sqrt(p * p + 4 * n / SIGMA**2))
    mean = l[..., None] * yields
    terms = mean - OBSERVED + OBSERVED * np.log(OBSERVED / mean)
    return 2 * terms.sum(axis=-1) + ((l - 1) / SIGMA) ** 2


def minima(f, low, high, n=4001):
    """All local minima of a function of one variable: (value, place), the lowest first."""
    x = np.linspace(low, high, n)
    y = f(x)
    inner = [k for k in range(1, n - 1) if y[k] <= y[k - 1] and y[k] <= y[k + 1]]
    found = [(y[0], x[0]), (y[-1], x[-1])]
    for k in inner:
        r = minimize_scalar(lambda b: float(f(b)), bracket=(x[k - 1], x[k], x[k + 1]), method="brent", tol=1e-14)
        found.append((r.fun, r.x))
    return sorted(found)


def profile(a):
    return minima(lambda b: twice_nll(a, b), *BOUNDS)[0]


def main():
    grid = np.linspace(*BOUNDS, 801)
    heights = np.array([profile(a)[0] for a in grid])
    places = [k for k in range(1, 800) if heights[k] <= heights[k - 1] and heights[k] <= heights[k + 1]]
    lows = []
    for k in places:
        r = minimize_scalar(lambda a: profile(a)[0], bounds=(grid[k - 1], grid[k + 1]), method="bounded",
                            options={"xatol": 1e-11})
        lows.append((r.fun, r.x, profile(r.x)[1]))
    best = min(lows)
    print("minima: height, ca, cb")
    for fun, a, b in sorted(lows):
        print(f"  {fun - best[0]:.9f} {a:.7f} {b:.7f}")
    print("saturated", repr(best[0]))
    for level in (1.0, 3.841458820694124):
        f = lambda a: profile(a)[0] - best[0] - level
        ends = [brentq(f, grid[k], grid[k + 1], xtol=1e-12) for k in range(800)
                if (heights[k] - best[0] - level) * (heights[k + 1] - best[0] - level) < 0]
        print("ends at", level, [float(f"{e:.9f}") for e in ends])
    print("points: ca, height, cb")
    for a in np.linspace(-3.5, 3.5, 29):
        h, b = profile(a)
        print(f"    ({a:.2f}, {h - best[0]:.9f}), // cb = {b:.4f}")


main()
