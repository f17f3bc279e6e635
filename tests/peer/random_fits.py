#!/usr/bin/env python3
"""Fits of seeded random workspaces, half of them with counts drawn from the model: a valid fit of morphist must not end
more than 1e-6 above the lowest minimum in the domain that pyhf's optimizers (iminuit, SLSQP) find from the suggested and
two random starts. Invalid fits are counted by reason; those where the rivals have a regular minimum are listed (with
--strict they are misses too)."""

import argparse
import collections
import json
import sys
import tempfile
from pathlib import Path

import morphist
import numpy as np
import peer_pyhf
import pyhf
import random_documents

ALLOWED_ABOVE = 1e-6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first workspace (default 1)")
    parser.add_argument("--number", type=int, default=50, help="workspaces (default 50)")
    parser.add_argument("--largest", type=int, default=12, metavar="N", help="leave out models of more parameters (default 12)")
    parser.add_argument("--strict", action="store_true", help="an invalid fit where a regular minimum exists is a miss")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the workspaces of listed seeds here")
    return parser.parse_args()


def main():
    options = arguments()
    peer_pyhf.use("numpy")
    outcomes, missed = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.number):
            document, model, data = workspace(seed)
            if model is None or model.config.npars > options.largest:
                outcomes["no model" if model is None else "too large"] += 1
                continue
            path = Path(folder) / "workspace.json"
            path.write_text(json.dumps(document))
            outcome, listed, miss = compare(options.morphist, path, model, data, seed)
            outcomes[outcome] += 1
            missed += bool(miss or (listed and options.strict))
            if listed:
                print(f"{'MISS' if miss else 'note'} seed {seed}: {outcome}: {listed}", flush=True)
                if options.keep:
                    (options.keep / f"{seed}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1))
    for outcome, number in sorted(outcomes.items()):
        print(f"{number:6} {outcome}")
    print(f"{options.number} workspaces, {missed} missed")
    return 1 if missed else 0


def workspace(seed):
    """A workspace that pyhf builds, with its model and data; none where it has a twist that forbids this."""
    maker = random_documents.Maker(seed)
    document = maker.workspace()
    try:
        model = pyhf.Workspace(document).model(measurement_index=0, poi_name=None)
        if maker.chance(0.5):
            draw_counts(document, model, seed)
        return document, model, np.asarray(pyhf.Workspace(document).data(model), dtype=float)
    except Exception:  # noqa: BLE001 - twisted workspaces fail in many ways, which is no matter here
        return document, None, None


def draw_counts(document, model, seed):
    """Counts from the model at its start."""
    generator = np.random.default_rng(seed)
    rates = peer_pyhf.main_rates(model, model.config.suggested_init())
    for observation in document["observations"]:
        part = rates[model.config.channel_slices[observation["name"]]]
        observation["data"] = [int(n) for n in generator.poisson(np.clip(part, 0, 1e6))]


def compare(program, path, model, data, seed):
    """(outcome, what is to be listed, whether it is a miss)"""
    answer = morphist.fit(program, path)
    if "error" in answer:
        return "rejected", answer["error"] if "no JSON" not in answer["error"] else None, "no JSON" not in answer["error"]
    found = rivals(model, data, seed)
    best = min((value for value, _, _ in found), default=None)
    code = (answer.get("reason") or {}).get("code")
    if answer["valid"]:
        if answer["twice_nll"] is None:
            return "valid", "without twice_nll", True
        above = None if best is None else answer["twice_nll"] - best
        if above is None or above <= ALLOWED_ABOVE:
            return "valid, no rival lower", None, False
        rival = min(found, key=lambda item: item[0])
        again = restarted(program, path, model, rival[1])
        return "valid, above a rival", f"{above:.3g} above {best} of {rival[2]}, from whose minimum {again} is reached", True
    if code is None:
        return "invalid", "no reason", True
    if best is None:
        return f"{code}, no rival in the domain", None, False
    value, point, name = min(found, key=lambda item: item[0])
    regular = regularity(program, path, model, point)
    text = f"rival {name} has {value} at {point.tolist()}, {regular}; morphist {answer['twice_nll']}: {answer['reason']['message']}"
    if regular:
        return f"{code}, though a regular minimum exists", text, False
    return f"{code}, no regular minimum known", None, False


def rivals(model, data, seed):
    """(value, point, name) of each minimum in the domain."""
    start, low, high, fixed = peer_pyhf.arrays(model)
    starts = [start, *peer_pyhf.random_points(model, data, seed, 2, frozen=True)]
    found = []
    for optimizer in ("minuit", "scipy"):
        pyhf.set_backend("numpy", optimizer, precision="64b")
        for number, origin in enumerate(starts if optimizer == "minuit" else starts[:1]):
            try:
                point = pyhf.infer.mle.fit(data.tolist(), model, init_pars=list(origin))
            except Exception:  # noqa: BLE001, S112 - a rival that fails gives no minimum
                continue
            point = np.clip(np.asarray(point, dtype=float), low, high)
            point[fixed] = start[fixed]
            if peer_pyhf.in_domain(peer_pyhf.main_rates(model, point), data[: model.config.nmaindata]):
                value = peer_pyhf.twice_nll(model, data, point)
                if np.isfinite(value):
                    found.append((value, point, f"{optimizer} from start {number}"))
    return found


def restarted(program, path, model, point):
    """What morphist's own fit reaches from a rival's minimum: the same value where it stopped in another minimum."""
    point = np.where(np.asarray(model.config.suggested_fixed()), model.config.suggested_init(), point)
    pairs = [f"{name}={float(x)!r}" for name, x in zip(model.config.par_names, point)]
    try:
        return morphist.run(program, "fit", path, *[word for pair in pairs for word in ("--init", pair)], accept=(0, 1))["twice_nll"]
    except morphist.Failed as failed:
        return str(failed)


def regularity(program, path, model, point):
    """What makes the rival's minimum regular: small gradient and positive curvature of the parameters off the bounds and
    not fixed, all expectations above zero. None where it is not."""
    _, low, high, fixed = peer_pyhf.arrays(model)
    names = model.config
    answer = morphist.evaluate(program, path, {n: [float(x) for x in point[names.par_slice(n)]] for n in names.par_order}, "--hessian", "--gradient")
    if answer["twice_nll"] is None or min(peer_pyhf.main_rates(model, point)) < 1e-6:
        return None
    gradient = np.asarray([x for n in names.par_order for x in answer["gradient"][n]], dtype=float)
    hessian = np.asarray(answer["hessian"]["values"], dtype=float)
    near = 1e-5 * np.maximum(1, high - low)
    held = ((point - low < near) & (gradient > 1e-4)) | ((high - point < near) & (gradient < -1e-4))
    free = ~(fixed | held)
    if not free.any():
        return "all parameters held"
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)[free]), 1e-12))
    curvature = np.linalg.eigvalsh(hessian[np.ix_(free, free)] / np.outer(scale, scale))
    if curvature[0] < 1e-7:
        return None
    distance = 0.5 * gradient[free] @ np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
    return f"edm {distance:.2g}, least scaled curvature {curvature[0]:.2g}" if distance < 1e-2 else None


if __name__ == "__main__":
    peer_pyhf.require_version()
    sys.exit(main())
