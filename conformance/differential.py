#!/usr/bin/env python3
"""Asks two programs the same about seeded random workspaces, and compares their answers: whether each workspace is accepted,
every measurement's configuration (names, order, starts, bounds, auxiliary data, widths), and at the suggested start and one
random point −2 ln L and the expected data, with random interpolation codes and clips.

    python conformance/differential.py --number 200 --left "morphist conformance serve" \\
        --right "python conformance/adapters/pyhf.py"

Numbers may differ by max(1e-12 |x|, 4e-16 × the sum of the sizes of the terms that are added up), which a program tells that is
asked for `scales` (tests/peer/random_workspaces.py says what counts). Where both programs differ as spec/ has decided, the
outcome names the rule or the chapter; every other difference is printed with the seed of its workspace, and the exit code
is then 1. differential.md has the outcome of 10,000 workspaces.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import pathlib
import random
import re
import shlex
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent / "tests/peer"))
import random_documents

RELATIVE, OF_TERMS = 1e-12, 4e-16
BATCH = 40  # workspaces asked at once, so that neither program waits for the other
PATIENCE = 600  # seconds without an answer

# Rules of spec/validation.md that refuse what pyhf takes.
STRICTER = {"W101", "W102", "W104", "W109", "W111", "W112", "W113", "W122", "W123", "W140", "W141", "W143", "W144", "W145"}
# pyhf refuses it, here it is a warning: a parameter of interest that is none is missed where one is needed.
LENIENT = {"W132", "W133"}
# Failures of pyhf that have no name of their own, and the classes that they may stand for.
UNNAMED = {
    "TypeError": {"InvalidModel"}, "AssertionError": {"InvalidModel"}, "IndexError": {"InvalidModel"}, "KeyError": {"MissingObservation"},
    "InvalidPdfData": {"ObservationShape"}, "ZeroDivisionError": {"InvalidModifier"}, "ValueError": {"InvalidModifier", "InvalidModel"},
}
OUTSIDE = "both accept; a Poisson mean is negative or zero: the left has no value, the right has one or none (likelihood.md, eq. 7)"


class Program:
    """An adapter that lives as long as this object (README.md, Joining)."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")

    def ask(self, requests):
        """The answers, in the order of the requests; those are written while answers are read, as pipes are short."""
        def write():
            for request in requests:
                self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

        writer = threading.Thread(target=write, daemon=True)
        watch = threading.Timer(PATIENCE, self.process.kill)
        writer.start()
        watch.start()
        try:
            return [self.answer(request) for request in requests]
        finally:
            watch.cancel()

    def answer(self, request):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.command} ended at {request['id']}")
        answer = json.loads(line)
        if answer["id"] != request["id"]:
            raise SystemExit(f"{self.command} answered {answer['id']}, asked was {request['id']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Question:
    """One workspace, what is asked about it, and what became of it."""

    def __init__(self, seed):
        self.seed, self.draw = seed, random.Random(-seed)
        maker = random_documents.Maker(seed)
        self.document = maker.workspace()
        self.twist = maker.twist
        self.text = json.dumps(self.document, ensure_ascii=self.draw.random() < 0.5)
        self.names = [m["name"] for m in self.document["measurements"]]
        self.misses, self.outcome = [], None
        self.checks = collections.Counter()

    def request(self, what, operation, document="workspace", **input):
        return {"id": f"{self.seed}/{what}", "operation": operation, "documents": {document: self.text}, "input": input}

    def first(self):
        models = [self.request(f"model/{name}", "model", measurement=name) for name in self.names]
        return [self.request("validate", "validate", "document", kind="workspace"), *models]

    def second(self, answers):
        """Evaluations, where both programs make a model of the first measurement."""
        models = [answer[1].get("result") if len(answer) > 1 else None for answer in answers]
        if not all(models):
            return []
        codes = self.draw.choice(random_documents.CODES[:2] * 3 + random_documents.CODES[2:])
        self.codes = dict(zip(("normsys", "histosys"), codes))
        clips = {}
        if self.draw.random() < 0.15:
            clips[self.draw.choice(["clip_sample_data", "clip_bin_data"])] = self.draw.choice([0, 1e-6, 0.5, 3.0])
        self.points = [{p["name"]: list(p["init"]) for p in models[0]["parameters"]}, self.point(models[0]["parameters"])]
        input = {"measurement": self.names[0], "interpolation": self.codes, "scales": True, **clips}
        return [self.request(f"evaluate/{i}", "evaluate", **input, parameters=point) for i, point in enumerate(self.points)]

    def point(self, parameters):
        """Anywhere within the bounds, often on special values; half the time gently, so that the domain is hit."""
        width = 0.3 if self.draw.random() < 0.5 else 1.5
        value = lambda start, low, high: min(max(self.draw.choice([self.draw.gauss(start, width)] * 6 + [0.0, 1.0, -1.0]), low), high)
        bounds = lambda pair: pair if len(pair) == 2 else (-5.0, 5.0)
        return {p["name"]: [float(value(x, *bounds(pair))) for x, pair in zip(p["init"], p["bounds"])] for p in parameters}

    # Comparison

    def compare(self, left, right):
        """Answers of both programs: to `first`, then to `second`."""
        if any("unsupported" in answer for answer in [*left, *right]):
            self.outcome = "unsupported"
            return
        rules = self.rules(left)
        refusals = [self.refusals(side) for side in (left, right)]
        if all(refusals):
            self.outcome = "both refuse, for the same kind of fault"
            self.same_class(refusals)
        elif refusals[0]:
            self.only_left(rules["error"], left[0]["result"]["findings"])
        elif refusals[1]:
            self.only_right(rules["warning"], refusals[1])
        else:
            self.outcome = "both accept, and agree"
            for name, a, b in zip(self.names, left[1:], right[1:]):
                self.same_configuration(name, a["result"], b["result"])
            for i, (a, b) in enumerate(zip(left[1 + len(self.names) :], right[1 + len(self.names) :])):
                self.same_numbers(i, a["result"], b["result"])
        if self.misses:
            self.outcome = "DIFFER"

    def rules(self, answers):
        found = collections.defaultdict(set)
        for finding in answers[0].get("result", {}).get("findings", []):
            found[finding["severity"]].add(finding.get("rule"))
        return found

    def refusals(self, answers):
        """Classes of all errors."""
        classes = {a["error"]["class"] for a in answers if "error" in a}
        first = answers[0].get("result", {})
        return classes | {f["class"] for f in first.get("findings", []) if f["severity"] == "error"}

    def same_class(self, refusals):
        named = [set().union(*(UNNAMED.get(name, {name}) for name in names)) for names in refusals]
        if not named[0] & named[1]:
            self.miss("refusal", f"{sorted(refusals[0])} and {sorted(refusals[1])}")

    def only_left(self, rules, findings):
        # Lengths of the lists that a measurement gives for lumi are not looked at by pyhf.
        lumi = all(f["rule"] == "W139" and self.is_lumi(f["pointer"]) for f in findings if f["severity"] == "error")
        if rules and (rules <= STRICTER or lumi):
            self.outcome = f"only the left refuses: {', '.join(sorted(rules))}{' (a list of lumi)' if lumi else ''}"
        else:
            self.miss("only the left refuses", f"{sorted(rules)}")

    def is_lumi(self, pointer):
        _, _, measurement, _, _, entry, *_ = pointer.split("/")
        return self.document["measurements"][int(measurement)]["config"]["parameters"][int(entry)]["name"] == "lumi"

    def only_right(self, rules, refusals):
        if rules & LENIENT and refusals == {"InvalidModel"}:
            self.outcome = f"only the right refuses: {', '.join(sorted(rules & LENIENT))}, a warning"
        else:
            self.miss("only the right refuses", f"{sorted(refusals)}")

    def same_configuration(self, name, a, b):
        self.checks["configurations"] += 1
        for key in ("poi", "channels", "samples", "auxdata_order"):
            # An empty name is that of no parameter.
            if (a[key] or None) != (b[key] or None):
                return self.miss(f"{key} of {name}", f"{a[key]} and {b[key]}")
        if [p["name"] for p in a["parameters"]] != [p["name"] for p in b["parameters"]]:
            return self.miss(f"parameters of {name}", f"{[p['name'] for p in a['parameters']]} and {[p['name'] for p in b['parameters']]}")
        for p, q in zip(a["parameters"], b["parameters"]):
            for key in sorted(p.keys() | q.keys()):
                if not same(p.get(key), q.get(key)):
                    self.miss(f"{key} of {p['name']!r} of {name}", f"{p.get(key)} and {q.get(key)}")

    def same_numbers(self, i, a, b):
        if self.codes["histosys"] == "code2" and self.beyond_one(self.points[i]):
            self.outcome = "both accept; code 2 beyond one standard deviation, where it jumps in pyhf (interpolation.md, Compatibility)"
            return
        scales = b.get("scales") or a.get("scales") or {"twice_nll": 0.0, "main": {}}
        self.checks["points"] += 1
        main, auxiliary = a["expected_data"]["main"], a["expected_data"]["auxdata"]
        for kind, ours in (("main", main), ("auxdata", auxiliary)):
            theirs = b["expected_data"][kind]
            if list(ours) != list(theirs):
                return self.miss(f"{kind} of point {i}", f"{list(ours)} and {list(theirs)}")
            for name in ours:
                self.close(f"{kind} of {name!r}, point {i}, {self.codes}", ours[name], theirs[name], scales["main"].get(name, [0.0] * len(theirs[name])) if kind == "main" else [0.0] * len(theirs[name]))
        self.same_value(i, a, b, scales)

    def same_value(self, i, a, b, scales):
        of = lambda side: [(x, s) for name, xs in side["expected_data"]["main"].items() for x, s in zip(xs, scales["main"].get(name, [0.0] * len(xs)))]
        main = of(b)
        # Such a mean may be a little above zero in one program, and zero or a little below in the other.
        if any(not missing(x) and x != 0 and abs(x) < 1e-12 * s for x, s in of(a) + main):
            self.checks["values left out: a mean is zero within rounding"] += 1
        elif a["twice_nll"] is None:
            poissons = [x for x, _ in main] + self.poisson_means(b)
            if any(not x > 0 for x in poissons):
                self.checks[f"values outside of the domain, {'a value' if b['twice_nll'] is not None else 'none'} in the right"] += 1
                self.outcome = self.outcome if b["twice_nll"] is None else OUTSIDE
            else:
                self.miss(f"value, point {i}", f"none and {b['twice_nll']}")
        else:
            self.checks["values"] += 1
            self.close(f"value, point {i}, {self.codes}", [a["twice_nll"]], [b["twice_nll"]], [scales["twice_nll"]])

    def poisson_means(self, answer):
        shapesys = {m["name"] for c in self.document["channels"] for s in c["samples"] for m in s["modifiers"] if m["type"] == "shapesys"}
        return [x for name, xs in answer["expected_data"]["auxdata"].items() if name in shapesys for x in xs]

    def beyond_one(self, point):
        names = {m["name"] for c in self.document["channels"] for s in c["samples"] for m in s["modifiers"] if m["type"] == "histosys"}
        return any(abs(x) > 1 for name in names for x in point.get(name, []))

    def close(self, what, ours, theirs, scales):
        if len(ours) != len(theirs):
            return self.miss(what, f"{len(ours)} and {len(theirs)} values")
        for a, b, scale in zip(ours, theirs, scales):
            if missing(a) and missing(b):
                continue
            if missing(a) or missing(b) or not abs(a - b) <= max(RELATIVE * abs(b), OF_TERMS * scale):
                return self.miss(what, f"{a} and {b}, scale {scale}")

    def miss(self, what, reason):
        self.misses.append(f"seed {self.seed} [{self.twist}] {what}: {reason}"[:400])


def missing(x):
    return x is None or math.isnan(x)


def same(a, b):
    """Equal up to rounding."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
        return a == b
    return abs(a - b) <= RELATIVE * abs(b)


def ask_both(programs, requests):
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda program, some: program.ask(some), programs, requests))


def batch(programs, seeds):
    """The questions of these seeds, answered and compared."""
    questions = [Question(seed) for seed in seeds]
    first = [q.first() for q in questions]
    both = [grouped(answers, first) for answers in ask_both(programs, [sum(first, [])] * 2)]
    second = [q.second([side[i] for side in both]) for i, q in enumerate(questions)]
    again = [grouped(answers, second) for answers in ask_both(programs, [sum(second, [])] * 2)]
    for i, question in enumerate(questions):
        question.compare(*(side[i] + more[i] for side, more in zip(both, again)))
    return questions


def grouped(answers, requests):
    answers = iter(answers)
    return [[next(answers) for _ in group] for group in requests]


def version(program):
    about = program.ask([{"id": "about", "operation": "about", "documents": {}, "input": {}}])[0].get("result", {})
    return f"{about.get('program', program.command)} {about.get('version', '')}".strip()


def worker(options, seeds):
    programs = [Program(options.left), Program(options.right)]
    versions = [version(program) for program in programs]
    done = []
    for start in range(0, len(seeds), BATCH):
        for question in batch(programs, seeds[start : start + BATCH]):
            done.append((question.outcome, question.checks, question.misses))
            for miss in question.misses:
                print(f"DIFFER {miss}", flush=True)
    for program in programs:
        program.close()
    return versions, done


def reasons():
    """What spec/validation.md says of each rule."""
    rows = re.findall(r"^\| (W\d+) \| .*?\| .*? \| .*? \| (.*?) \|", (HERE.parent / "spec/validation.md").read_text(), re.M)
    return dict(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", default="morphist conformance serve", metavar="COMMAND")
    parser.add_argument("--right", default=f"{shlex.quote(sys.executable)} {shlex.quote(str(HERE / 'adapters/pyhf.py'))}", metavar="COMMAND")
    parser.add_argument("--number", type=int, default=200, help="workspaces (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first (default 1)")
    parser.add_argument("--jobs", type=int, default=1, help="pairs of programs at work (default 1)")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE", help="the workspace of --seed, to look at it; nothing is asked")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the counts here")
    options = parser.parse_args()
    if options.write:
        options.write.write_text(json.dumps(Question(options.seed).document, ensure_ascii=False, indent=1) + "\n")
        return 0
    seeds = range(options.seed, options.seed + options.number)
    outcomes, checks, misses = collections.Counter(), collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as threads:
        for versions, done in threads.map(lambda job: worker(options, seeds[job :: options.jobs]), range(options.jobs)):
            for outcome, counted, missed in done:
                outcomes[outcome] += 1
                checks.update(counted)
                misses += len(missed)
    print(table(outcomes, checks))
    print(f"left: {versions[0]}; right: {versions[1]}; seeds {seeds[0]} to {seeds[-1]}; {misses} differences that nothing explains")
    if options.json:
        options.json.write_text(json.dumps({"versions": versions, "seeds": [seeds[0], seeds[-1]], "outcomes": outcomes, "checks": checks, "differences": misses}, indent=1, ensure_ascii=False) + "\n")
    return 1 if misses else 0


def table(outcomes, checks):
    said = reasons()
    rows = ["| outcome | workspaces |", "|---|---:|"]
    rows += [f"| {outcome} | {n} |" for outcome, n in sorted(outcomes.items(), key=lambda item: -item[1])]
    rows += ["", "| compared | number |", "|---|---:|", *(f"| {what} | {n} |" for what, n in sorted(checks.items()))]
    rules = sorted({rule for outcome in outcomes for rule in re.findall(r"W\d+", outcome)})
    return "\n".join([*rows, "", *(f"* {rule}: {said.get(rule, '')}" for rule in rules)])


if __name__ == "__main__":
    sys.exit(main())
