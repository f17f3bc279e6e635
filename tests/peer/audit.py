"""Templates of `morphist audit` along each systematic with pyhf's yields by sample: which are one-sided, negative within ±1σ, or
make a total negative, in which bins, and the numbers of the worst. pyhf evaluates 21 places from −1σ to +1σ; templates with all
factors at one, totals with what does not interpolate at its start."""

import argparse
import collections
import json
import sys

import numpy
import pyhf

import corpus
import morphist

ROUNDING = 1e-12
STEPS = numpy.linspace(-1.0, 1.0, 21)


def templates(model):
    """By parameter of normsys and histosys an array of places, samples and bins, with all factors at one and as they start; and
    both arrays without a variation."""
    config = model.config
    at = lambda point: numpy.asarray(model.main_model.expected_data(point, return_by_sample=True))
    fixed = config.suggested_fixed()
    kinds = collections.defaultdict(set)
    for name, kind in config.modifiers:
        kinds[name].add(kind)
    ones = numpy.ones(config.npars)
    start = numpy.asarray(config.suggested_init(), dtype=float)
    places = [config.par_slice(name) for name, of_name in kinds.items() if of_name <= {"normsys", "histosys"}]
    for place in places:
        ones[place] = start[place] = 0.0
    is_one = (ones == start).all()
    found = {}
    for name, of_name in kinds.items():
        place = config.par_slice(name)
        if of_name <= {"normsys", "histosys"} and not fixed[place.start]:
            moved = []
            for point in (ones, start)[: 1 if is_one else 2]:
                points = numpy.tile(point, (len(STEPS), 1))
                points[:, place.start] = STEPS
                moved.append(numpy.stack([at(point) for point in points]))
            found[name] = (moved[0], moved[-1])
    return found, at(ones), at(start)


def expected(model, workspace):
    """{(code, channel, sample, parameter): (bins, numbers)} for the codes that are compared."""
    along, nominal, begin = templates(model)
    slices = model.config.channel_slices
    has = collections.defaultdict(set)
    for channel in workspace["channels"]:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                has[modifier["name"]].add((channel["name"], sample["name"]))
    result = {}
    with numpy.errstate(all="ignore"):
        for name, (moved, yields) in along.items():
            for s, sample in enumerate(model.config.samples):
                for channel, bins in slices.items():
                    if (channel, sample) not in has[name]:
                        continue
                    own, all_places = nominal[s, bins], moved[:, s, bins]
                    up, down = all_places[-1] - own, all_places[0] - own
                    small = ROUNDING * numpy.abs(own)
                    if (numpy.abs(up) <= small).all() and (numpy.abs(down) <= small).all():
                        continue
                    both = numpy.minimum(numpy.abs(up), numpy.abs(down))
                    one_sided = (up * down > 0) & (both > 0.01 * numpy.abs(own))
                    if one_sided.any():
                        numbers = [(own[b], own[b] + up[b], own[b] + down[b]) for b in numpy.flatnonzero(one_sided)]
                        result["one_sided", channel, sample, name] = (one_sided, numbers)
                    lowest = all_places.min(axis=0)
                    negative = (own >= 0) & (lowest < -ROUNDING * numpy.abs(own).max())
                    if negative.any():
                        numbers = [(own[b], lowest[b]) for b in numpy.flatnonzero(negative)]
                        result["negative_template", channel, sample, name] = (negative, numbers)
            for channel, bins in slices.items():
                total, own = yields.sum(axis=1)[:, bins], begin.sum(axis=0)[bins]
                lowest = total.min(axis=0)
                negative = (own >= 0) & (lowest < -ROUNDING * own)
                if negative.any():
                    numbers = [(own[b], lowest[b]) for b in numpy.flatnonzero(negative)]
                    result["negative_expectation", channel, None, name] = (negative, numbers)
    return result


NUMBERS = {
    "one_sided": ("nominal", "up", "down"),
    "negative_template": ("nominal", "lowest"),
    "negative_expectation": ("nominal", "lowest"),
}


def compare(program, path):
    """Problems, and how many findings were compared."""
    workspace = json.loads(path.read_text())
    model = pyhf.Workspace(workspace, validate=False).model(validate=False, poi_name=None)
    theirs = expected(model, workspace)
    ours = {}
    report = morphist.run(program, "audit", path, "--only", ",".join(NUMBERS))
    for finding in report["findings"]:
        key = (finding["code"], finding["channel"], finding.get("sample"), finding["modifier"])
        ours[key] = finding
    problems = [f"{key}: morphist alone" for key in ours.keys() - theirs.keys()]
    problems += [f"{key}: pyhf alone" for key in theirs.keys() - ours.keys()]
    for key in ours.keys() & theirs.keys():
        finding, (flags, numbers) = ours[key], theirs[key]
        if finding["bins"] != numpy.flatnonzero(flags).tolist():
            problems.append(f"{key}: bins {finding['bins']}, pyhf {numpy.flatnonzero(flags).tolist()}")
            continue
        worst = finding["bins"].index(int(finding["values"]["worst_bin"]))
        for name, number in zip(NUMBERS[key[0]], numbers[worst]):
            if abs(finding["values"][name] - number) > 1e-9 * max(1.0, abs(number)):
                problems.append(f"{key}: {name} {finding['values'][name]}, pyhf {number}")
    return problems, len(theirs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB,GLOB")
    arguments, _ = parser.parse_known_args()
    missed, total = 0, 0
    entries = corpus.workspaces(arguments.files) if (corpus.CORPUS / "corpus").is_dir() else []
    for entry in entries + corpus.fixtures(corpus.CRATE / "fixtures", arguments.files):
        problems, compared = compare(arguments.morphist, entry.path)
        total += compared
        missed += bool(problems)
        for problem in problems[:8]:
            print(f"missed {entry.name}: {problem}")
    print(f"audit: {total} findings of pyhf compared, {missed} files with differences")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
