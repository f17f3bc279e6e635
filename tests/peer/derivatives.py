#!/usr/bin/env python3
"""Compares morphist's gradient and Hessian with those that jax derives from pyhf's model, at the suggested start and two
seeded random points of the reference workspaces and the fixtures (`--corpus`: of the corpus workspaces too).

A gradient component may differ by 1e-7 max(1, |g|), an element of the Hessian by 1e-6 max(1, |h|)."""

import argparse
import sys

import corpus
import morphist
import numpy as np
import peer_pyhf
from objective import Objective
from table import text

GRADIENT = 1e-7
HESSIAN = 1e-6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB", help="comma-separated globs of names (default all)")
    parser.add_argument("--fixtures", default=corpus.CRATE / "fixtures", type=corpus.Path, help="folder of fixtures")
    parser.add_argument("--corpus", action="store_true", help="the corpus workspaces too (half an hour)")
    return parser.parse_args()


def main():
    options = arguments()
    entries = [*corpus.fixtures(options.fixtures, options.files), *corpus.references(options.files)]
    if options.corpus:
        entries += corpus.workspaces(options.files)
    if not entries:
        raise SystemExit(f"no workspace fits {options.files!r}")
    rows = []
    for entry in entries:
        rows += compare(options.morphist, entry)
    rows.sort(key=lambda row: -row["of_allowed"])
    missed = [row for row in rows if not row["of_allowed"] <= 1]
    print(text(["of_allowed", "what", "ours", "peer", "file"], rows[: max(12, len(missed))]))
    print(f"{len(entries)} workspaces, {len(rows)} checks, {len(missed)} missed")
    return 1 if missed else 0


def compare(program, entry):
    """One row for the gradient and one for the Hessian at each point: the worst component."""
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(entry.path)
    start, *_ = peer_pyhf.arrays(model)
    points = peer_pyhf.random_points(model, data, entry.seed, 2)
    inside = peer_pyhf.in_domain(peer_pyhf.main_rates(model, start), data[: model.config.nmaindata])
    rows = [] if len(points) == 2 else [_miss(entry, "no random points in the domain")]
    labelled = [*([("init", start)] if inside else []), *((f"random {i}", point) for i, point in enumerate(points))]
    values = [peer_pyhf.twice_nll(model, data, point) for _, point in labelled]
    peer_pyhf.use("jax")
    objective = Objective(model, data)
    for (label, point), value in zip(labelled, values):
        if not abs(objective.value(point) - value) <= 1e-9 * max(1, abs(value)):
            rows.append(_miss(entry, f"at {label} the derived function is not pyhf's: {objective.value(point)}, {value}"))
            continue
        rows += at_point(program, entry, model, label, point, objective.derivatives(point))
    return rows


def at_point(program, entry, model, label, point, peer):
    names = model.config
    parameters = {name: [float(x) for x in point[names.par_slice(name)]] for name in names.par_order}
    try:
        answer = morphist.evaluate(program, entry.path, parameters, "--gradient", "--hessian")
        gradient = np.asarray([x for name in names.par_order for x in answer["gradient"][name]], dtype=float)
        labels, hessian = answer["hessian"]["labels"], np.asarray(answer["hessian"]["values"], dtype=float)
    except (morphist.Failed, KeyError, TypeError) as problem:
        return [_miss(entry, f"at {label}: {problem!r}")]
    if list(labels) != list(names.par_names):
        return [_miss(entry, f"at {label}: the Hessian's labels are not pyhf's parameter names")]
    return [
        worst(entry, f"gradient at {label}", names.par_names, gradient, peer[0], GRADIENT),
        worst(entry, f"Hessian at {label}", names.par_names, hessian, peer[1], HESSIAN),
    ]


def worst(entry, what, names, ours, peer, allowed):
    """The component that uses up most of what is allowed; one that is not finite on either side is a miss."""
    if ours.shape != peer.shape:
        return _miss(entry, f"{what}: shape {ours.shape}, expected {peer.shape}")
    used = np.abs(ours - peer) / (allowed * np.maximum(1, np.abs(peer)))
    used = np.where(np.isfinite(used), used, np.inf)
    where = np.unravel_index(np.argmax(used), used.shape)
    component = ", ".join(names[i] for i in where)
    return dict(file=entry.name, what=f"{what} [{component}]", ours=float(ours[where]), peer=float(peer[where]), of_allowed=float(used[where]))


def _miss(entry, what):
    return dict(file=entry.name, what=what, ours=None, peer=None, of_allowed=float("inf"))


if __name__ == "__main__":
    peer_pyhf.require_version()
    sys.exit(main())
