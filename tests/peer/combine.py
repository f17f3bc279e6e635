#!/usr/bin/env python3
"""`morphist combine` beside `pyhf.Workspace.combine`: a seeded sample of pairs of published workspaces, from one analysis
and from two, and seeded random pairs, by every join, with and without merged channels.

Both refuse, for the same kind of conflict; or both give the same document, value by value and in the same order. What
morphist alone refuses must be of the rules W305, W307, W317 or of those for sound workspaces, and pyhf must confirm it: samples
that differ, a constraint that changes, a model that cannot be built. With `--compat pyhf` only the last remains. Where
morphist accepts, pyhf's model of the result must keep every constraint of the parts.
"""

import argparse
import collections
import copy
import json
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pyhf

import corpus
import morphist
import peer_pyhf
from random_documents import Maker
from table import text

JOINS = [(join, merge) for join in ("none", "outer", "left outer", "right outer") for merge in (False, True)]
JOINS.remove(("none", True))

# What pyhf says, and the rule of spec/combine.md.
CONFLICTS = [
    ("channels in common with the same name", "W301"),
    ("observations in common with the same name", "W301"),
    ("measurements in common with the same name", "W301"),
    ("channels in common with incompatible structure", "W302"),
    ("observations in common with incompatible structure", "W302"),
    ("incompatible POI", "W303"),
    ("incompatible parameter configs", "W304"),
]
LENIENT = {"W305", "W307", "W317"}
# What pyhf's models let pass and spec/validation.md does not.
STRICTER = {"W104", "W109", "W111", "W112", "W113", "W122", "W123", "W140", "W141", "W143", "W144", "W145"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB,GLOB", help="published workspaces to choose from")
    parser.add_argument("--pairs", type=int, default=30, help="pairs of published workspaces (default 30)")
    parser.add_argument("--random", type=int, default=60, help="random pairs (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    peer_pyhf.require_version()
    peer_pyhf.use("numpy")
    checks, misses = collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        pairs = published_pairs(options)
        pairs += [random_pair(seed, options.morphist) for seed in range(options.seed, options.seed + options.random)]
        for name, left, right in pairs:
            for join, merge in JOINS:
                comparison = Comparison(options.morphist, Path(folder), left, right, join, merge)
                comparison.run()
                checks.update(comparison.checks)
                for reason in comparison.misses:
                    misses.append(reason)
                    print(f"MISS {name}, {join}{', merged' if merge else ''}: {reason}", flush=True)
    print(text(["what", "number"], [dict(what=what, number=n) for what, n in sorted(checks.items())]))
    print(f"{len(pairs)} pairs, {sum(checks.values())} checks, {len(misses)} missed")
    return 1 if misses or not pairs else 0


def published_pairs(options):
    """Half of the pairs from one folder, half from two; large documents are left out, pyhf compares them too slowly."""
    entries = [e for e in corpus.workspaces(options.files) if e.path.stat().st_size < 2_000_000] if options.pairs else []
    draw = random.Random(options.seed)
    folders = collections.defaultdict(list)
    for entry in entries:
        folders[Path(entry.name).parts[0]].append(entry)
    several = [group for group in folders.values() if len(group) > 1]
    pairs = []
    for index in range(options.pairs if entries else 0):
        if index % 2 == 0 and several:
            left, right = draw.sample(draw.choice(several), 2)
        else:
            left, right = (draw.choice(draw.choice(list(folders.values()))) for _ in range(2))
        pairs.append((f"{left.name} and {right.name}", json.loads(left.path.read_text()), json.loads(right.path.read_text())))
    return pairs


def random_pair(seed, program):
    """A random workspace and a relative of it or another one, with names apart or not."""
    draw = random.Random(f"pair {seed}")
    left = sound(draw, program)
    right = copy.deepcopy(left) if draw.random() < 0.6 else sound(draw, program)
    if draw.random() < 0.5:
        for item in right["channels"] + right["observations"]:
            item["name"] += "'"
    if draw.random() < 0.5:
        for item in right["measurements"]:
            item["name"] += "'"
    for _ in range(draw.choice([0, 1, 1, 2])):
        change(draw, right)
    return f"random pair {seed}", left, right


def sound(draw, program):
    while True:
        maker = Maker(draw.randrange(10**9))
        document = maker.workspace()
        if maker.twist is None and buildable(document) and is_valid(document, program):
            return document


def is_valid(document, program):
    command = [str(program), "validate", "-", "--format", "json"]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, timeout=morphist.LIMIT_S)
    return done.returncode == 0


def buildable(document):
    try:
        pyhf.Workspace(document)
        build(document, 0)
    except Exception:  # pyhf fails in many ways
        return False
    return True


def change(draw, document):
    """One difference of the kind that joins are about; the document stays sound."""
    channel = draw.choice(document["channels"])
    config = draw.choice(document["measurements"])["config"]
    kind = draw.choice(["count", "yield", "sample", "poi", "parameter", "auxdata", "lose parameters", "integers"])
    if kind == "count":
        draw.choice(document["observations"])["data"][0] += 1
    elif kind == "yield":
        sample = draw.choice(channel["samples"])
        sample["data"][0] = abs(sample["data"][0]) + 1
    elif kind == "sample":
        draw.choice(channel["samples"])["name"] += "'"
    elif kind == "poi":
        config["poi"] = ""
    elif kind == "parameter" and config["parameters"]:
        draw.choice(config["parameters"])["fixed"] = True
    elif kind == "auxdata":
        constrained = [p for p in config["parameters"] if "auxdata" in p]
        for parameter in constrained[:1]:
            parameter["auxdata"][0] += 0.25
    elif kind == "lose parameters":
        config["parameters"] = [p for p in config["parameters"] if p["name"] == "lumi"]
    elif kind == "integers":
        for sample in channel["samples"]:
            sample["data"] = [float(x) for x in sample["data"]]


class Comparison:
    def __init__(self, program, folder, left, right, join, merge):
        self.program, self.folder, self.left, self.right, self.join, self.merge = program, folder, left, right, join, merge
        self.checks, self.misses = collections.Counter(), []

    def miss(self, reason):
        self.misses.append(reason)

    def run(self):
        theirs = self.pyhf()
        result, rules = self.morphist("strict")
        if isinstance(theirs, str):
            expected = {rule for words, rule in CONFLICTS if words in theirs}
            # morphist checks each document before it looks for conflicts between them.
            unsound = bool(rules) and all(rule < "W300" for rule in rules)
            self.checks["both refuse, morphist one of the documents by itself" if unsound else "both refuse"] += 1
            if result is not None or not (unsound or expected & rules):
                self.miss(f"pyhf: {theirs[:160]}; morphist: {sorted(rules)}")
        elif result is not None:
            self.checks["both combine"] += 1
            self.compare(result, theirs)
            self.check_constraints(result)
        else:
            self.checks[f"only pyhf combines: {', '.join(sorted(rules))}"] += 1
            self.confirm(theirs, rules)

    def pyhf(self):
        left, right = (pyhf.Workspace(copy.deepcopy(d), validate=False) for d in (self.left, self.right))
        try:
            return dict(pyhf.Workspace.combine(left, right, join=self.join, merge_channels=self.merge))
        except pyhf.exceptions.InvalidWorkspaceOperation as problem:
            return str(problem)

    def morphist(self, compat):
        paths = [self.folder / "left.json", self.folder / "right.json"]
        for path, document in zip(paths, (self.left, self.right)):
            path.write_text(json.dumps(document))
        merge = ["--merge-channels"] if self.merge else []
        command = [self.program, "combine", *paths, "--join", self.join, "--compat", compat, *merge]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=morphist.LIMIT_S)
        if done.returncode == 0:
            return json.loads(done.stdout), set()
        rules = set(re.findall(r"error\[(W\d+)\]", done.stderr))
        if not rules:
            self.miss(f"exit code {done.returncode}: {done.stderr[-300:]}")
        return None, rules

    def compare(self, ours, theirs):
        """Kinds of numbers and order of items included; only keys may be in another order."""
        same = json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True)
        in_order = pyhf.Workspace.sorted(ours) == pyhf.Workspace.sorted(theirs)
        if not same:
            self.miss("the documents differ" if not in_order else "the documents differ in their order")

    def confirm(self, theirs, rules):
        """pyhf's own view of what only morphist refuses."""
        lenient = rules & LENIENT
        if lenient == rules:
            result, left = self.morphist("pyhf")
            if result is not None:
                self.compare(result, theirs)
            elif left & LENIENT:
                self.miss(f"--compat pyhf still refuses: {left}")
            else:
                rules = left | rules
        if "W305" in rules and not self.samples_differ():
            self.miss("W305, and all merged samples are equal")
        if "W307" in rules and not self.changed(theirs, range(len(theirs["measurements"]))):
            self.miss("W307, and no constraint changes")
        if "W317" in rules and not self.same_data():
            self.miss("W317, and no data are the same")
        others = rules - LENIENT
        if others and not others & STRICTER and buildable(theirs):
            self.miss(f"{sorted(others)}, and pyhf builds the model")

    def same_data(self):
        """Under different names."""
        return any(a["name"] != b["name"] and a["data"] == b["data"] for a in self.left["observations"] for b in self.right["observations"])

    def samples_differ(self):
        samples = lambda d: {(c["name"], s["name"]): s for c in d["channels"] for s in c["samples"]}
        left, right = samples(self.left), samples(self.right)
        return any(left[key] != right[key] for key in left.keys() & right.keys())

    def check_constraints(self, result):
        """What morphist accepts keeps every constraint in the measurement that is used by default."""
        changed = self.changed(result, [0])
        self.checks["constraints kept"] += 1
        if changed:
            self.miss(f"accepted, and the constraint of {changed[0]} changes")

    def changed(self, result, measurements):
        """Parameters whose constraint differs between the result and a part: in its measurement of the same name, else in
        its first. Where a side wins by the join, the other side's measurement of the name is not asked."""
        changed = []
        for index in measurements:
            name = result["measurements"][index]["name"]
            holders = [part for part in (self.left, self.right) if name in measurement_names(part)]
            combined = constraints(result, index)
            if combined is None:
                # No model of the whole: what the document says that the measurement is of.
                combined = constraints(holders[0], measurement_names(holders[0]).index(name)) or {}
            for side, part in (("left outer", self.left), ("right outer", self.right)):
                if self.join.endswith(" outer") and self.join != side and len(holders) == 2:
                    continue
                names = measurement_names(part)
                own = constraints(part, names.index(name) if name in names else 0)
                changed += [p for p in own or {} if p in combined and own[p] != combined[p]]
        return changed


def measurement_names(document):
    return [measurement["name"] for measurement in document["measurements"]]


def build(document, index):
    workspace = pyhf.Workspace(document, validate=False)
    try:
        return workspace.model(measurement_index=index, validate=False)
    except pyhf.exceptions.InvalidModel as problem:
        if "parameter of interest" not in str(problem):
            raise
        return workspace.model(measurement_index=index, validate=False, poi_name=None)


def constraints(document, index):
    """Auxiliary datum and width of the constrained scalars in pyhf's model, and for other sets what the measurement says:
    what follows from templates may change as channels are merged. None where there is no model."""
    try:
        model = build(document, index)
    except Exception:
        return None
    said = {p["name"]: p for p in document["measurements"][index]["config"]["parameters"]}
    found = {}
    for name, entry in model.config.par_map.items():
        paramset = entry["paramset"]
        if paramset.constrained and paramset.is_scalar:
            found[name] = (list(paramset.auxdata), list(getattr(paramset, "sigmas", None) or [1.0]))
        elif paramset.constrained:
            found[name] = [said.get(name, {}).get(key) for key in ("auxdata", "sigmas", "factors")]
    return found


if __name__ == "__main__":
    sys.exit(main())
