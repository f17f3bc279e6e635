#!/usr/bin/env python3
"""χ², value and gradient a point of a benchmark of corpus/smefit, smefit 4.0.0 with jax beside `morphist bench`, on one core
in process CPU time.

smefit: its own data objects of the files that smefit_files.py writes, and its own compute_chi2, under jax.jit as its nested
sampling has it; `vmap` is a hundred points at once, a point each; the gradient is jax.value_and_grad of the same.
morphist: the medians of `bench` on the document that `eft import --from smefit-benchmark` makes. In turns, three rounds,
the least of each.

Run nothing beside it; the load of the machine before the start is printed. Needs an interpreter with smefit==4.0.0."""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("RAYON_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus
import morphist
import smefit_files
import smefit_peer
import speed_block
from benchmark import imported
from table import text

import jax
import jax.numpy as jnp
from smefit.chi2 import compute_chi2

ROUNDS = 3
MANY = 100


def calls(fit):
    """What is timed, by name: (function of a point or of many, points, points a call)."""
    chi2 = lambda c: compute_chi2(fit.datasets, c, fit.use_quad, fit.relative)
    compiled = {"value": (jax.jit(chi2), 1), "value, vmap": (jax.jit(jax.vmap(chi2)), MANY)}
    compiled["value and gradient"] = (jax.jit(jax.value_and_grad(chi2)), 1)
    rows = 0.1 * jnp.array(fit.points(8, 1))
    table = {}
    for name, (function, many) in compiled.items():
        points = list(rows) if many == 1 else [jnp.tile(rows, (MANY // 8 + 1, 1))[:MANY]]
        run = lambda point, function=function: jax.block_until_ready(function(point))
        for point in points:
            run(point)
        table[name] = (run, points, many)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="global_quad,global_lin", metavar="NAME,NAME", help="benchmarks of the corpus")
    parser.add_argument("--core", type=int, default=sorted(os.sched_getaffinity(0))[-1])
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.2f}")
    os.sched_setaffinity(0, {arguments.core})
    rows = []
    for name in arguments.files.split(","):
        path = corpus.CORPUS / f"corpus/smefit/{name}.json"
        with tempfile.TemporaryDirectory() as folder:
            runcard = smefit_files.write(json.loads(path.read_text()), Path(folder))[-1]
            fit = smefit_peer.Fit(runcard)
            document = imported(arguments.morphist, Path(folder), "smefit-benchmark", path)
            timed = calls(fit)
            best = {}
            for _ in range(ROUNDS):
                for what, (run, points, many) in timed.items():
                    seconds = speed_block.seconds_per_call(run, points) / many
                    best[what, "smefit"] = min(best.get((what, "smefit"), seconds), seconds)
                [ours] = morphist.bench(arguments.morphist, document)
                for what, key in (("value", "twice_nll_s"), ("value and gradient", "gradient_s"), ("Hessian", "hessian_s"), ("fit from the SM", "fit_warm_s")):
                    best[what, "morphist"] = min(best.get((what, "morphist"), ours[key]), ours[key])
        for what in dict.fromkeys(what for what, _ in best):
            pair = [best.get((what, program)) for program in ("smefit", "morphist")]
            rows.append({"file": name, "what": what, "smefit_us": pair[0] and 1e6 * pair[0], "morphist_us": pair[1] and 1e6 * pair[1]})
    for row in rows:
        row["ratio"] = row["smefit_us"] / row["morphist_us"] if row["smefit_us"] and row["morphist_us"] else None
    print(text(["file", "what", "smefit_us", "morphist_us", "ratio"], rows))


main()
