"""nextstat as a rival in the speed of limits and toys: observed and expected limits by root finding, and fits of toys; one
thread."""

import os
import sys
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"

import nextstat
import speed_block

TOYS = 5000


def timed(work):
    began = time.process_time()
    value = work()
    return {"seconds": time.process_time() - began, "value": value}


def main():
    nextstat.set_threads(1)
    model = nextstat.from_pyhf(Path(sys.argv[1]).read_text())
    high = float(sys.argv[2])
    with_toys = sys.argv[3] == "toys"

    def limit():
        observed, expected = nextstat.upper_limit(model, method="root", lo=1e-3, hi=high, rtol=1e-6, max_iter=100)
        return [observed, *expected]

    def toys():
        start = model.suggested_init()
        fitted = nextstat.fit_toys(model, start, n_toys=TOYS, seed=1, batch=True, compute_hessian=False)
        return sum(bool(toy.converged) for toy in fitted)

    def measure():
        out = {"limit": speed_block.guarded(lambda: timed(limit))}
        if with_toys:
            out["toys"] = speed_block.guarded(lambda: timed(toys)) | {"number": TOYS}
        return out

    speed_block.serve({"version": nextstat.__version__, "start": None}, measure)


if __name__ == "__main__":
    main()
