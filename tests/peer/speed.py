#!/usr/bin/env python3
"""Times morphist against pyhf with jax, nextstat and ROOT on the reference workspaces: one value, value with gradient,
one warm fit. All run in turns on one core; times are process CPU time. Only rivals whose minimum lies within 1e-6 (1e-5
on w9) of the recorded one count in the fit."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus
import morphist
from table import markdown, text

TARGETS = {"fit": 10, "gradient": 5, "value": 2}
BENCH_KEYS = {"fit": "fit_warm_s", "gradient": "gradient_s", "value": "twice_nll_s"}
HERE = Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB", help="comma-separated globs of reference names")
    parser.add_argument("--python-pyhf", default=sys.executable, help="interpreter with pyhf, jax and iminuit")
    parser.add_argument("--python-nextstat", help="interpreter with nextstat")
    parser.add_argument("--python-root", help="interpreter with ROOT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=sorted(os.sched_getaffinity(0))[-1])
    parser.add_argument("--write", default=corpus.CACHE, type=Path, help="folder of speed.md and speed.json")
    return parser.parse_args()


def main():
    options = arguments()
    os.sched_setaffinity(0, {options.core})
    entries = corpus.references(options.files)
    if not entries:
        raise SystemExit(f"no reference workspace fits {options.files!r}")
    ratios, all_times = [], []
    for entry in entries:
        times, notes = measure(options, entry)
        for metric in TARGETS:
            ratios.append(ratio(entry, metric, times[metric], notes))
        all_times += [
            dict(workspace=entry.name, metric=metric, program=name, **spread(values), note=notes.get((metric, name)))
            for metric in TARGETS
            for name, values in sorted(times[metric].items())
        ]
        all_times += [dict(workspace=entry.name, program=name, note=note) for name, note in notes.items() if isinstance(name, str)]
        print(text(list(ratios[0]), ratios[-3:]), flush=True)
    return report(options.write, ratios, all_times)


def measure(options, entry):
    """`{metric: {program: [seconds a round]}}`, and notes: `(metric, program)` why it does not count, `program` why missing."""
    times, notes = {metric: {} for metric in TARGETS}, {}
    rivals = start_rivals(options, entry, notes)
    check_our_minimum(options, entry, notes)
    for _ in range(options.rounds):
        ours = morphist.bench(options.morphist, entry.path)[0]
        for metric, key in BENCH_KEYS.items():
            times[metric].setdefault("morphist", []).append(ours[key])
        for name, process in list(rivals.items()):
            process.stdin.write("round\n")
            process.stdin.flush()
            answer = answer_of(name, process, notes)
            if answer is None:
                del rivals[name]
                continue
            add_round(entry, answer, name, times, notes)
    for process in rivals.values():
        process.stdin.close()
        process.wait(timeout=60)
    return times, notes


def start_rivals(options, entry, notes):
    """The rival processes, each compiled and warm; one that is not there is noted."""
    rivals = {}
    for name in ("pyhf", "nextstat", "root"):
        python = getattr(options, f"python_{name}")
        if python is None:
            notes[name] = f"missing: no --python-{name}"
            continue
        command = [python, str(HERE / f"speed_{name}.py"), str(entry.path)]
        try:
            said = tempfile.TemporaryFile("w+")
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
            process.said = said
        except OSError as problem:
            notes[name] = f"missing: {problem}"
            continue
        about = answer_of(name, process, notes)
        if about is None:
            continue
        recorded = entry.stats["points"][0]["twice_nll"]
        if about["start"] is not None and not abs(about["start"] - recorded) <= 1e-9 * max(1, abs(recorded)):
            notes[name] = f"left out: twice_nll at the start is {about['start']}, recorded {recorded}"
            process.kill()
            continue
        rivals[name] = process
    return rivals


def answer_of(name, process, notes):
    """The next line of a rival; its last words as a note where it has died."""
    line = process.stdout.readline()
    if line:
        return json.loads(line)
    process.wait()
    process.said.seek(0)
    lines = process.said.read().strip().splitlines()
    notes[name] = f"missing: {lines[-1] if lines else f'ended with code {process.returncode}'}"
    return None


def allowed(entry):
    return 1e-5 if entry.name.startswith("w9_") else 1e-6


def check_our_minimum(options, entry, notes):
    answer = morphist.fit(options.morphist, entry.path)
    above = (answer.get("twice_nll") or float("inf")) - entry.stats["fit"]["twice_nll"]
    if not (answer.get("valid") and above <= 1e-6):
        notes["fit", "morphist"] = f"not a valid minimum: {above:.1e} above the recorded one"


def add_round(entry, answer, name, times, notes):
    for metric in ("value", "gradient"):
        for way, seconds in answer[metric].items():
            times[metric].setdefault(f"{name} {way}", []).append(seconds)
    for way, result in answer["fit"].items():
        program = f"{name} {way}"
        if "failed" in result:
            notes["fit", program] = f"failed: {result['failed']}"
            times["fit"].setdefault(program, [])
            continue
        times["fit"].setdefault(program, []).append(result["seconds"])
        above = result["twice_nll"] - entry.stats["fit"]["twice_nll"]
        if not above <= allowed(entry):
            notes["fit", program] = f"{above:.1e} above the minimum"


def spread(values):
    return {"median_us": 1e6 * statistics.median(values), "least_us": 1e6 * min(values)} if values else {}


def ratio(entry, metric, times, notes):
    """One row: morphist against the fastest rival that counts, in medians and in minima over the rounds."""
    counting = {name: values for name, values in times.items() if name != "morphist" and values and (metric, name) not in notes}
    row = dict(workspace=entry.name, metric=metric, morphist_us=None, fastest=None, fastest_us=None, ratio=None, ratio_of_least=None,
               target=TARGETS[metric], met=False)
    row["morphist_us"] = 1e6 * statistics.median(times["morphist"])
    if not counting or (metric, "morphist") in notes:
        row["fastest"] = notes.get((metric, "morphist"), "no rival that counts")
        return row
    fastest = min(counting, key=lambda name: statistics.median(counting[name]))
    row["fastest"], row["fastest_us"] = fastest, 1e6 * statistics.median(counting[fastest])
    row["ratio"] = row["fastest_us"] / row["morphist_us"]
    row["ratio_of_least"] = min(min(values) for values in counting.values()) / min(times["morphist"])
    row["met"] = row["ratio"] >= row["target"]
    return row


def report(folder, ratios, all_times):
    """Writes both tables and prints them; exit code 1 where a target is missed."""
    columns = ["workspace", "metric", "program", "median_us", "least_us", "note"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps({"ratios": ratios, "times": all_times}, indent=1))
    (folder / "speed.md").write_text(markdown(list(ratios[0]), ratios) + "\n" + markdown(columns, all_times))
    print("\n" + text(columns, all_times) + "\n\n" + text(list(ratios[0]), ratios))
    missed = sum(not row["met"] for row in ratios)
    print(f"{len(ratios)} ratios, {missed} below the target; tables in {folder / 'speed.md'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
