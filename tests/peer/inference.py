#!/usr/bin/env python3
"""Tests, limits, intervals, impacts and yields of morphist beside those of other programs.

* references: CLs at 1 and upper limits recorded from pyhf's likelihood with polished minima (reference/pyhf/*.json);
  within 1e-5, or 1e-10; numbers that were not recorded are not compared, and are counted; where pyhf's own twice_nll at
  our minimum is below the recorded one, pyhf's likelihood is minimised again, from there too, and CLs at 1 and at our
  limits compared with that;
* toms748: pyhf's own root finding on small fixtures, which ends within its rtol; 2e-5;
* cabinetry: ranking by refits, yields before and after the fit, goodness of fit;
* minos: iminuit, whose intervals end where -2 ln L has risen by 1 within a few percent; both ends are put into pyhf's
  profile, and ours must be closer to 1 than 1e-4;
* random: CLs of seeded random workspaces at random values, minima by projected Newton on pyhf's derivatives; 1e-5."""

import argparse
import copy
import random
import sys
import tempfile
from pathlib import Path

import corpus
import morphist
import numpy as np
import peer_pyhf
import pyhf
import random_fits
import rival_fits
from objective import Objective
from scipy.stats import norm
from table import text

FIXTURES = corpus.CRATE / "fixtures"
BAND = (2, 1, 0, -1, -2)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--only", default="references,toms748,cabinetry,minos,random", help="comma-separated parts")
    parser.add_argument("--files", default="*", metavar="GLOBS", help="reference workspaces")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first random workspace (default 1)")
    parser.add_argument("--number", type=int, default=60, help="random workspaces (default 60)")
    parser.add_argument("--largest", type=int, default=30, metavar="N", help="leave out random models of more parameters (default 12)")
    return parser.parse_args()


class Tally:
    """Numbers compared, left out and missed, with the largest deviation of each kind."""

    def __init__(self):
        self.rows, self.missed = {}, 0

    def row(self, kind):
        return self.rows.setdefault(kind, {"what": kind, "numbers": 0, "left out": 0, "largest deviation": 0.0})

    def compare(self, kind, where, ours, theirs, relative, absolute=0.0):
        row = self.row(kind)
        if theirs is None:
            row["left out"] += 1
            return
        row["numbers"] += 1
        deviation = np.inf if ours is None else abs(ours - theirs)
        row["largest deviation"] = max(row["largest deviation"], float(deviation / max(abs(theirs), absolute, 1e-300)))
        if not deviation <= max(relative * abs(theirs), absolute):
            self.miss(where, f"{kind}: {ours}, the peer has {theirs}")

    def series(self, kind, where, ours, theirs, relative, absolute=0.0):
        if len(ours) != len(theirs):
            self.miss(where, f"{kind}: {len(ours)} numbers, the peer has {len(theirs)}")
        for a, b in zip(ours, theirs):
            self.compare(kind, where, a, b, relative, absolute)

    def left_out(self, kind):
        self.row(kind)["left out"] += 1

    def miss(self, where, what):
        self.missed += 1
        print(f"MISS {where}: {what}", flush=True)


def main():
    options = arguments()
    tally = Tally()
    for part in options.only.split(","):
        {"references": references, "toms748": toms748, "cabinetry": cabinetry, "minos": minos, "random": random_workspaces}[part](options, tally)
    if "random" in options.only.split(",") and not tally.row("random CLs")["numbers"]:
        tally.miss("random", "nothing was compared")
    print(text(["what", "numbers", "left out", "largest deviation"], list(tally.rows.values())))
    compared = sum(row["numbers"] for row in tally.rows.values())
    print(f"{compared} numbers compared, {tally.missed} missed")
    return 1 if tally.missed or not compared else 0


def references(options, tally):
    for entry in corpus.references(options.files):
        try:
            compare_reference(options, tally, entry)
        except morphist.Failed as failed:
            tally.miss(entry.name, str(failed))


def compare_reference(options, tally, entry):
    recorded = entry.stats["hypotest_mu1"]
    ours = morphist.run(options.morphist, "hypotest", entry.path, "--test-poi", "1")
    lower = lower_minimum(options, entry)
    if lower is not None:
        compare_anew(options, tally, entry, ours, lower)
        return
    for key, name in (("CLs_obs", "cls"), ("CLsb", "clsb"), ("CLb", "clb")):
        tally.compare("reference CLs", entry.name, ours[key], recorded[name], 1e-5, 1e-10)
    tally.series("reference CLs", entry.name, ours["CLs_exp"], recorded["exp"], 1e-5, 1e-10)
    recorded = entry.stats.get("upper_limit")
    if recorded is None:
        tally.left_out("reference limits")
        return
    ours = morphist.run(options.morphist, "limit", entry.path)
    tally.compare("reference limits", entry.name, ours["observed_limit"], recorded["obs"], 1e-5, 1e-10)
    tally.series("reference limits", entry.name, ours["expected_limit"], recorded["exp"], 1e-5, 1e-10)


def lower_minimum(options, entry):
    """Our minima without and with the POI at 0, where the first is below the recorded one by pyhf's own value."""
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(entry.path)
    poi = model.config.par_names[model.config.poi_index]
    points = []
    for flags in ([], ["--fix", f"{poi}=0"]):
        fit = morphist.run(options.morphist, "fit", entry.path, "--no-hesse", *flags, accept=(0, 1))
        points.append(np.array([x for name in model.config.par_order for x in fit["mle_parameters"][name]], float))
    below = peer_pyhf.twice_nll(model, data, points[0]) < entry.stats["fit"]["twice_nll"] - 1e-6
    return points if below else None


def compare_anew(options, tally, entry, ours, starts):
    kind = "reference CLs, minimised anew"
    model, data = peer_pyhf.load(entry.path)
    peer_pyhf.use("jax")
    poi, recorded = model.config.poi_index, np.array(list(entry.stats["fit"]["bestfit"].values()))
    test = Polished(model, data, poi, [*starts, recorded])
    found = test.at(1.0, "qtilde")
    tally.compare(kind, entry.name, ours["CLs_obs"], found["CLs_obs"], 1e-5, 1e-10)
    tally.series(kind, entry.name, ours["CLs_exp"], found["CLs_exp"], 1e-5, 1e-10)
    limits = morphist.run(options.morphist, "limit", entry.path)
    tally.compare("CLs at our limits", entry.name, test.at(limits["observed_limit"], "qtilde")["CLs_obs"], 0.05, 1e-5)
    for k, limit in enumerate(limits["expected_limit"]):
        tally.compare("CLs at our limits", entry.name, test.at(limit, "qtilde")["CLs_exp"][k], 0.05, 1e-5)


def toms748(options, tally):
    peer_pyhf.use("numpy")
    for name in ("uncorrelated_background", "shapesys", "normsys_staterror", "lumi"):
        path = FIXTURES / name / "workspace.json"
        model, data = peer_pyhf.load(path)
        low, high = model.config.suggested_bounds()[model.config.poi_index]
        # From just above 0, where pyhf's CLs is NaN.
        observed, band = pyhf.infer.intervals.upper_limits.toms748_scan(data, model, max(low, 1e-3 * high), high, rtol=1e-6)
        ours = morphist.run(options.morphist, "limit", path)
        theirs = [float(x) for x in (observed, *band)]
        tally.series("toms748 limits", name, [ours["observed_limit"], *ours["expected_limit"]], theirs, 2e-5)


def cabinetry(options, tally):
    import cabinetry as peer

    peer_pyhf.use("jax", "minuit")
    for name in ("all_modifiers", "normsys_staterror", "histosys"):
        path = FIXTURES / name / "workspace.json"
        model, data = peer_pyhf.load(path)
        fit = polished_fit(peer, model, data)
        compare_ranking(options, tally, path, model, data, fit)
        compare_yields(options, tally, path, model, fit)
        ours = morphist.run(options.morphist, "gof", path)
        theirs = peer.fit._goodness_of_fit(model, list(data), fit.best_twice_nll)
        tally.compare("goodness of fit", name, ours["p_value"], float(theirs) if np.isfinite(theirs) else None, 1e-6)


def polished_fit(peer, model, data):
    """A fit result for cabinetry from polished minima and jax's Hessian: that of Minuit is off by up to a percent for
    parameters with bounds."""
    objective = Objective(model, data)
    point, value = minimum(objective)
    _, hessian = objective.derivatives(point)
    free = np.flatnonzero(~objective.fixed)
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = 2 * np.linalg.inv(hessian[np.ix_(free, free)])
    sigma = np.sqrt(np.diag(covariance))
    scale = np.where(sigma > 0, sigma, 1.0)
    correlation = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return peer.fit.FitResults(point, sigma, model.config.par_names, correlation, value)


def compare_ranking(options, tally, path, model, data, fit):
    import cabinetry as peer

    theirs = peer.fit.ranking(model, list(data), fit_results=fit, strategy=2, tolerance=1e-4)
    ours = {entry["name"]: entry for entry in morphist.run(options.morphist, "ranking", path)["parameters"]}
    sigma = float(fit.uncertainty[model.config.poi_index])
    for at, label in enumerate(theirs.labels):
        if label not in ours:
            if fit.uncertainty[model.config.par_names.index(label)] > 0:
                tally.miss(path.parent.name, f"no impact of {label}")
            continue
        for kind in ("prefit", "postfit"):
            pair = [float(getattr(theirs, f"{kind}_{side}")[at]) for side in ("down", "up")]
            # Minuit's minima are good to about 1e-3 standard deviations.
            tally.series("impacts", f"{path.parent.name} {label} {kind}", ours[label][kind], pair, 2e-3, 2e-3 * sigma)


def compare_yields(options, tally, path, model, fit):
    import cabinetry as peer

    for kind, flags, fitted in (("prefit", [], None), ("postfit", ["--postfit"], fit)):
        theirs = peer.model_utils.prediction(model, fit_results=fitted)
        ours = morphist.run(options.morphist, "yields", path, "--propagation", "variations", *flags)
        for c, channel in enumerate(model.config.channels):
            found = next(entry for entry in ours["channels"] if entry["name"] == channel)
            total = [float(x) for x in np.sum(theirs.model_yields[c], axis=0)]
            deviation = [float(x) for x in theirs.total_stdev_model_bins[c][-1]]
            tally.series(f"{kind} yields", path.parent.name, found["total"], total, 1e-6)
            tally.series(f"{kind} yield uncertainties", path.parent.name, found["total_uncertainties"], deviation, 1e-6)


def minos(options, tally):
    import iminuit

    peer_pyhf.use("jax")
    for name in ("normsys_staterror", "uncorrelated_background", "histosys"):
        path = FIXTURES / name / "workspace.json"
        model, data = peer_pyhf.load(path)
        objective = Objective(model, data)
        best = minimum(objective)
        minuit = iminuit.Minuit(objective.value, best[0], grad=lambda p: objective.derivatives(p)[0], name=model.config.par_names)
        minuit.errordef, minuit.strategy = 1, 2
        minuit.limits, minuit.fixed = list(zip(objective.low, objective.high)), list(objective.fixed)
        minuit.migrad()
        ours = morphist.run(options.morphist, "minos", path)
        for label, entry in ours["parameters"].items():
            at = model.config.par_names.index(label)
            ends = {side: entry[side]["error"] for side in ("lower", "upper")}
            for end in ends.values():
                if end is None:
                    tally.left_out("MINOS against pyhf's profile")
                    continue
                height = minimum(hold(objective, at, best[0][at] + end), [best[0]])[1] - best[1]
                tally.compare("MINOS against pyhf's profile", f"{name} {label}", height, 1.0, 1e-4)
            minuit.minos(label)
            errors = minuit.merrors[label]
            if errors.is_valid and None not in ends.values():
                tally.compare("MINOS of iminuit", f"{name} {label}", ends["upper"], errors.upper, 0.03)
                tally.compare("MINOS of iminuit", f"{name} {label}", ends["lower"], errors.lower, 0.03)


def hold(objective, index, value):
    """The same objective with a parameter held."""
    held = copy.copy(objective)
    held.fixed, held.start = objective.fixed.copy(), objective.start.copy()
    held.fixed[index], held.start[index] = True, value
    return held


def minimum(objective, starts=()):
    """The lowest (point, value) by Newton steps from the starts and the suggested one; None without a regular one."""
    found = [rival_fits.newton(objective, start) for start in [*starts, objective.start]]
    good = [(point, value) for point, value, gradient in found if gradient < 1e-6 and np.isfinite(value)]
    return min(good, key=lambda item: item[1], default=None)


def random_workspaces(options, tally):
    peer_pyhf.use("jax")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.number):
            compare_random(options, tally, seed, Path(folder) / "workspace.json")
            rival_fits.forget()


def compare_random(options, tally, seed, path):
    kind = "random CLs"
    document, model, data = random_fits.workspace(seed)
    factors = [] if model is None else [n for n, t in model.config.modifiers if t == "normfactor"]
    if not factors or model.config.npars > options.largest:
        tally.left_out("random workspaces without a model, a strength, or too large")
        return
    path.write_text(random_fits.json.dumps(document))
    draw = random.Random(seed)
    name = draw.choice(sorted(set(factors)))
    index = model.config.par_slice(name).start
    value = draw.choice([0.0, 0.3, 1.0, 1.7, draw.uniform(0, 4)])
    start, low, high, fixed = peer_pyhf.arrays(model)
    if fixed[index] or not low[index] <= value <= high[index]:
        tally.left_out("random values beyond the bounds")
        return
    try:
        stat = "qtilde" if low[index] >= 0 else "q"
        label = model.config.par_names[index]
        ours = morphist.run(options.morphist, "hypotest", path, "--test-poi", f"{label}={value!r}", "--test-stat", stat, accept=(0, 1))
    except morphist.Failed as failed:
        tally.left_out("random workspaces that morphist rejects")
        if "exit code" not in str(failed) and "no JSON" not in str(failed):
            tally.miss(f"seed {seed}", str(failed))
        return
    if not ours["valid"]:
        tally.left_out(f"random tests without an answer: {ours['reason']['code']}")
        return
    found = polished_test(model, data, seed, index, value, stat)
    if found is None:
        tally.left_out("random tests without a regular minimum of the peer")
        return
    where = f"seed {seed}, {label} = {value}, q {ours['q']}, {found['q']}; q_A {ours['q_A']}, {found['q_A']}"
    tally.compare(kind, where, ours["CLs_obs"], found["CLs_obs"], 1e-5, 1e-7)
    tally.series(kind, where, ours["CLs_exp"], found["CLs_exp"], 1e-5, 1e-7)


class Polished:
    """The asymptotic test with minima by Newton steps on pyhf's derivatives, each from all the starts given."""

    def __init__(self, model, data, index, starts):
        self.objective, self.index, self.starts = Objective(model, data), index, starts
        self.low, self.high = self.objective.low[index], self.objective.high[index]
        self.best = minimum(self.objective, starts)
        self.made = minimum(hold(self.objective, index, 0.0), starts) if self.low <= 0 else None
        if self.made is not None:
            self.asimov = Objective(model, np.asarray(model.expected_data(self.made[0]), dtype=float))

    def at(self, value, stat):
        """None without a regular minimum."""
        for objective in (self.objective, self.asimov) if self.made else ():
            objective.high[self.index] = max(self.high, value)
        tested = minimum(hold(self.objective, self.index, value), self.starts)
        if None in (self.best, self.made, tested):
            return None
        if tested[1] < self.best[1]:
            self.best = minimum(self.objective, [tested[0]])
        tested_asimov = minimum(hold(self.asimov, self.index, value), [self.made[0]])
        if tested_asimov is None:
            return None
        q = 0.0 if self.best[0][self.index] > value else max(0.0, tested[1] - self.best[1])
        q_asimov = max(0.0, tested_asimov[1] - self.asimov.value(self.made[0])) if value >= 0 else 0.0
        root, shift = np.sqrt(q), np.sqrt(q_asimov)
        statistic = (q - q_asimov) / (2 * shift) if stat == "qtilde" and root > shift > 0 else root - shift
        ratio = lambda x: float(np.exp(norm.logcdf(-(x + shift)) - norm.logcdf(-x)))
        return {"q": q, "q_A": q_asimov, "CLs_obs": ratio(statistic), "CLs_exp": [ratio(n) for n in BAND]}


def polished_test(model, data, seed, index, value, stat):
    peer_pyhf.use("numpy")
    starts = peer_pyhf.random_points(model, data, seed, 2, frozen=True)
    peer_pyhf.use("jax")
    return Polished(model, data, index, starts).at(value, stat)


if __name__ == "__main__":
    peer_pyhf.require_version()
    sys.exit(main())
