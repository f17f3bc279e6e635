#!/usr/bin/env python3
"""Compares morphist with pyhf's numpy backend on seeded random workspaces: whether they are accepted, every measurement's
configuration, and at the suggested start and two random points twice_nll and expectations with three pairs of
interpolation codes and two clips, under both modes of --compat; the gradient against differences of pyhf's value.

A difference may be max(1e-12 |f|, 4e-16 x the sum of the sizes of the terms that are added up), where a Poisson term
counts with the rounding of its expectation too. A workspace is named by its seed; --seed N --number 1 --keep F
repeats one and writes it to F."""

import argparse
import collections
import json
import random
import sys
import tempfile
from pathlib import Path

import exactness_pyhf
import morphist
import numpy as np
import peer_pyhf
import pyhf
import random_documents
from table import text

RELATIVE, OF_TERMS = 1e-12, 4e-16
STEP = 1e-3

# Rules by which morphist rejects what pyhf accepts (spec/validation.md), and those that --compat pyhf lets pass.
STRICTER = {"W101", "W102", "W111", "W112", "W113", "W122", "W123", "W140", "W141", "W143", "W144"}
COMPATIBLE = {"W104", "W109", "W145"}
# Failures of pyhf that have no name of their own.
CLASSES = {"TypeError": "InvalidModel", "AssertionError": "InvalidModel", "KeyError": "MissingObservation",
           "InvalidPdfData": "ObservationShape", "ValueError": "InvalidModifier"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first workspace (default 1)")
    parser.add_argument("--number", type=int, default=200, help="workspaces (default 200)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the last workspace here")
    return parser.parse_args()


def main():
    options = arguments()
    peer_pyhf.use("numpy")
    checks, outcomes = collections.Counter(), collections.Counter()
    misses = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.number):
            comparison = Comparison(options.morphist, seed, Path(folder) / "workspace.json")
            comparison.run()
            checks.update(comparison.checks)
            outcomes[comparison.outcome] += 1
            misses += comparison.misses
            for miss in comparison.misses:
                print(f"MISS seed {seed} [{miss['twist']}] {miss['what']}: {miss['reason']}", flush=True)
    if options.keep:
        options.keep.write_text(json.dumps(comparison.document, ensure_ascii=False, indent=1))
    print(text(["what", "number"], [dict(what=what, number=n) for what, n in sorted((checks + outcomes).items())]))
    print(f"{options.number} workspaces, {sum(checks.values())} checks, {len(misses)} missed")
    return 1 if misses else 0


class Comparison:
    """One workspace in both programs."""

    def __init__(self, program, seed, path):
        self.program, self.seed, self.path = program, seed, path
        maker = random_documents.Maker(seed)
        self.document = maker.workspace()
        self.twist, self.draw = maker.twist, random.Random(-seed)
        self.checks, self.misses, self.outcome = collections.Counter(), [], None
        path.write_text(json.dumps(self.document, ensure_ascii=self.draw.random() < 0.5))

    def run(self):
        rejected = self.pyhf_rejects()
        answer = morphist.run(self.program, "validate", self.path, accept=(0, 1))
        errors = [finding for finding in answer["findings"] if finding["severity"] == "error"]
        self.checks["accepted or rejected"] += 1
        self.outcome = "both reject" if errors and rejected else "both accept"
        if rejected:
            self.compare_rejection(rejected, errors)
        elif errors:
            self.compare_stricter(errors)
        else:
            self.compare_all([])

    def compare_rejection(self, rejected, errors):
        name = CLASSES.get(rejected, rejected)
        if name not in {finding["class"] for finding in errors}:
            self.miss("rejection", f"pyhf: {rejected}; morphist: {[(e['rule'], e['class'], e['found']) for e in errors]}")
        if errors:
            self.expect_failure()

    def compare_stricter(self, errors):
        rules = {finding["rule"] for finding in errors}
        self.outcome = f"rejected by {', '.join(sorted(rules))} alone"
        lumi_list = all(e["rule"] == "W139" and self.is_lumi(e["pointer"]) for e in errors)
        if not rules <= STRICTER | COMPATIBLE and not lumi_list:
            self.miss("acceptance", f"pyhf accepts; morphist: {[(e['rule'], e['found']) for e in errors]}")
        elif rules <= COMPATIBLE:
            self.compare_all(["--compat", "pyhf"])
        else:
            self.expect_failure()

    def is_lumi(self, pointer):
        """A list of the configuration of lumi, whose length pyhf does not check."""
        _, _, measurement, _, _, config, *_ = pointer.split("/")
        return self.document["measurements"][int(measurement)]["config"]["parameters"][int(config)]["name"] == "lumi"

    def expect_failure(self):
        """Evaluation must fail too, with exit code 1."""
        if self.document["measurements"]:
            try:
                names = [measurement["name"] for measurement in self.document["measurements"]]
                for name in names:
                    morphist.run(self.program, "evaluate", self.path, "--measurement", name)
            except morphist.Failed as failed:
                if "exit code 1:" not in str(failed):
                    self.miss("evaluate", str(failed))
                return
            self.miss("evaluate", "accepts what validate rejects")

    def pyhf_rejects(self):
        """Name of pyhf's exception for any measurement, None where it accepts all; a lost POI alone does not count."""
        try:
            workspace = pyhf.Workspace(self.document)
            for index in range(len(workspace["measurements"])):
                model = self.model(index, random_documents.CODES[0])
                data = workspace.data(model)
                start = model.config.suggested_init()
                if len(start) != sum(model.config.param_set(name).n_parameters for name in model.config.par_order):
                    return None
                model.config.suggested_bounds()
                model.logpdf(start, data)
        except Exception as problem:  # noqa: BLE001 - whatever pyhf says is the answer that is compared
            return type(problem).__name__
        return None

    def model(self, index, codes, **clips):
        workspace = pyhf.Workspace(self.document, validate=False)
        settings = dict(zip(("normsys", "histosys"), ({"interpcode": code} for code in codes)))
        parameters = dict(measurement_index=index, modifier_settings=settings, validate=False, **clips)
        try:
            return workspace.model(**parameters)
        except pyhf.exceptions.InvalidModel as problem:
            if "parameter of interest" not in str(problem):
                raise
            return workspace.model(**parameters, poi_name=None)

    def compare_all(self, flags):
        for index, measurement in enumerate(self.document["measurements"]):
            flags_here = [*flags, "--measurement", measurement["name"]]
            models = [(codes, {}) for codes in random_documents.CODES] if index == 0 else [(random_documents.CODES[0], {})]
            if index == 0:
                clip = self.draw.choice([0, 1e-6, 0.5, 3.0])
                models += [(self.draw.choice(random_documents.CODES), {self.draw.choice(["clip_sample_data", "clip_bin_data"]): clip})]
            base = self.model(index, random_documents.CODES[0])
            self.compare_config(base, flags_here)
            points = [peer_pyhf.arrays(base)[0], self.point(base), self.point(base)]
            for codes, clips in models:
                model = self.model(index, codes, **clips)
                self.compare_model(model, codes, clips, points, flags_here)

    def compare_config(self, model, flags):
        self.checks["configuration"] += 1
        ours = morphist.run(self.program, "inspect", self.path, "--model", *flags)
        for key, peer in exactness_pyhf.config(model).items():
            if key == "auxdata":
                self.series("auxdata", ours[key], peer, [0.0] * len(peer))
            elif ours[key] != peer:
                self.miss(key, f"{ours[key]}, pyhf has {peer}")

    def point(self, model):
        """Anywhere within the bounds, often on special values; half the time gently, so that the domain is hit."""
        start, low, high, _ = peer_pyhf.arrays(model)
        gentle, values = self.draw.random() < 0.5, []
        for centre, lowest, highest in zip(start, low, high):
            width = 0.3 if gentle else 1.5
            value = self.draw.choice([self.draw.gauss(centre, width)] * 6 + [0.0, 1.0, -1.0])
            values.append(float(min(max(value, lowest), highest)))
        return np.asarray(values)

    def compare_model(self, model, codes, clips, points, flags):
        workspace = pyhf.Workspace(self.document, validate=False)
        data = np.asarray(workspace.data(model), dtype=float)
        flags = [*flags, "--interpolation", f"normsys={codes[0]},histosys={codes[1]}"]
        for name, value in clips.items():
            flags += [f"--{name.replace('_', '-')}", str(value)]
        for number, point in enumerate(points):
            modes = [[], ["--compat", "pyhf"]] if "--compat" not in flags else [[]]
            for mode in modes:
                self.compare_point(Point(model, data, codes, clips, point, number), flags + mode)

    def compare_point(self, peer, flags):
        what = f"{','.join(peer.codes)} {peer.clips or ''} point {peer.number} {' '.join(flags)}"
        compat = "--compat" in flags
        if peer.codes[1] == "code2" and not compat and peer.beyond_one():
            return
        gradient = peer.smooth() and self.draw.random() < 0.3
        try:
            answer = morphist.evaluate(self.program, self.path, peer.parameters(), *flags, *(["--gradient"] if gradient else []))
        except morphist.Failed as failed:
            self.miss(what, str(failed))
            return
        self.checks["points"] += 1
        expected = answer["expected_data"]
        self.series(f"main, {what}", [x for rates in expected["main"].values() for x in rates], peer.rates, peer.scales)
        self.series(f"auxiliary, {what}", expected["auxdata"], peer.auxiliary, [0.0] * len(peer.auxiliary))
        self.compare_value(what, answer, peer, compat)
        if gradient and answer["twice_nll"] is not None and peer.inside():
            ours = np.asarray([x for name in peer.model.config.par_order for x in answer["gradient"][name]], dtype=float)
            self.compare_gradient(what, ours, peer)

    def compare_value(self, what, answer, peer, compat):
        if peer.on_the_edge():
            self.checks["values left out: an expectation is zero within rounding"] += 1
            return
        self.checks["values"] += 1
        exists = np.isfinite(peer.value) and (compat or peer.inside())
        if not exists:
            if answer["twice_nll"] is not None or answer["reason"]["code"] != "out_of_domain":
                self.miss(f"value, {what}", f"{answer['twice_nll']} {answer.get('reason')} outside the domain; pyhf has {peer.value}")
        elif answer["twice_nll"] is None:
            self.miss(f"value, {what}", f"none ({answer['reason']['message']}); pyhf has {peer.value}")
        else:
            self.series(f"value, {what}", [answer["twice_nll"]], [peer.value], [peer.scale])

    def compare_gradient(self, what, ours, peer):
        difference, error = peer.gradient()
        if not np.all(np.isfinite(error)):
            self.checks["gradients left out: the domain ends within a step"] += 1
            return
        self.checks["gradients"] += 1
        excess = np.abs(ours - difference) / (1e-7 * np.maximum(1, np.abs(difference)) + error)
        worst = int(np.argmax(np.where(np.isfinite(excess), excess, np.inf)))
        if not excess[worst] <= 1:
            name = peer.model.config.par_names[worst]
            self.miss(f"gradient [{name}], {what}", f"{ours[worst]}, differences give {difference[worst]} ± {error[worst]}")

    def series(self, what, ours, peer, scales):
        if len(ours) != len(peer):
            self.miss(what, f"{len(ours)} values, pyhf has {len(peer)}")
            return
        for index, (a, b, scale) in enumerate(zip(ours, peer, scales)):
            if a is None or not abs(a - b) <= max(RELATIVE * abs(b), OF_TERMS * scale):
                self.miss(f"{what} [{index}]", f"{a}, pyhf has {b}, scale {scale}")
                return

    def miss(self, what, reason):
        self.misses.append(dict(seed=self.seed, twist=self.twist, what=what, reason=reason))


class Point:
    """pyhf's numbers of a model at one point."""

    def __init__(self, model, data, codes, clips, point, number):
        self.model, self.data, self.codes, self.clips = model, data, codes, clips
        self.point, self.number = point, number
        expected = np.asarray(model.expected_data(point), dtype=float)
        self.rates, self.auxiliary = expected[: model.config.nmaindata], expected[model.config.nmaindata :]
        self.observed = data[: model.config.nmaindata]
        clip = sum(abs(x) for x in clips.values()) * len(model.config.samples)
        self.scales = self._rate_terms() + clip
        self.value = peer_pyhf.twice_nll(model, data, point)
        slope = np.abs(1 - self.observed / np.where(self.rates == 0, np.inf, self.rates))
        self.scale = peer_pyhf.sum_of_terms(model, data, point) + 2 * float(np.sum(slope * self.scales))

    def _rate_terms(self):
        """`sum_of_rate_terms`, where the symmetric and the antisymmetric part of a shift count each (spec/modifiers.md,
        eq. 1): together they are no larger than the shifts at α and −α."""
        mirror = self.point.copy()
        for name, kind in self.model.config.modifiers:
            if kind == "histosys":
                mirror[self.model.config.par_slice(name)] = -self.point[self.model.config.par_slice(name)]
        deltas, factors = self.model._modifications(self.point)
        deltas = [*deltas, *self.model._modifications(mirror)[0], self.model.nominal_rates]
        scales = np.abs(np.prod(np.concatenate(factors), axis=0)) if factors else 1.0
        return np.sum(scales * np.sum(np.abs(np.concatenate(deltas)), axis=0), axis=0)[0]

    def parameters(self):
        names = self.model.config
        return {name: [float(x) for x in self.point[names.par_slice(name)]] for name in names.par_order}

    def interpolated(self):
        """Values of the parameters that interpolate."""
        names = [name for name, kind in self.model.config.modifiers if kind in ("histosys", "normsys")]
        return np.asarray([self.point[self.model.config.par_slice(name).start] for name in names])

    def beyond_one(self):
        return bool(np.any(np.abs(self.interpolated()) > 1))

    def smooth(self):
        """No kink or joint of pieces within the steps of the differences."""
        kinks = np.abs(self.interpolated()[:, None] - np.asarray([-1, 0, 1]))
        return not self.clips and not np.any(kinks < 3 * STEP)

    def inside(self):
        """In the domain of the likelihood, auxiliary measurements included."""
        poissons = self.model.constraint_model.constraints_poisson
        auxiliary = True
        if poissons.has_pdf():
            means = self.point[poissons.access_field[0]] * poissons.batched_factors[0]
            auxiliary = peer_pyhf.in_domain(means, self.data[self.model.config.nmaindata :][poissons.poisson_data])
        return auxiliary and peer_pyhf.in_domain(self.rates, self.observed)

    def on_the_edge(self):
        return bool(np.any((np.abs(self.rates) < 1e-12 * self.scales) & (self.rates != 0)))

    def gradient(self):
        """Fourth-order differences with two steps: the better one, and an estimate of its error."""
        wide, narrow = self._differences(STEP), self._differences(STEP / 2)
        return narrow, np.abs(wide - narrow) + 20 * 2.2e-16 * self.scale / STEP

    def _differences(self, step):
        def value(index, move):
            point = self.point.copy()
            point[index] += move * step
            return peer_pyhf.twice_nll(self.model, self.data, point)

        return np.asarray([(value(i, -2) - 8 * value(i, -1) + 8 * value(i, 1) - value(i, 2)) / (12 * step) for i in range(len(self.point))])


if __name__ == "__main__":
    peer_pyhf.require_version()
    sys.exit(main())
