#!/usr/bin/env python3
"""Times limits, CLs and toy fits of morphist against nextstat and pyhf with jax on the reference workspaces, in turns
on one core, in process CPU time. Ours is the whole process less the same process that only reads and builds the model
(`inspect --model`); the rivals' is the call alone, warm. A rival counts where its answer is within 1e-3 of the recorded one."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus
import morphist
import speed
from table import text

HERE = Path(__file__).resolve().parent
RIGHT = 1e-3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="w1_*,w4_*,w5_*,w6_*,w8_*", metavar="GLOB", help="globs of reference names")
    parser.add_argument("--python-pyhf", default=sys.executable, help="interpreter with pyhf and jax")
    parser.add_argument("--python-nextstat", help="interpreter with nextstat")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=sorted(os.sched_getaffinity(0))[-1])
    return parser.parse_args()


def main():
    options = arguments()
    os.sched_setaffinity(0, {options.core})
    os.environ["RAYON_NUM_THREADS"] = "1"
    rows = []
    for entry in corpus.references(options.files):
        rows += compare(options, entry)
        print(text(["workspace", "what", "program", "median_s", "of ours", "right"], rows[-6:]), flush=True)
    return 0


def compare(options, entry):
    rivals, notes = start(options, entry), {}
    times, right = {}, {}
    for _ in range(options.rounds):
        base = own_seconds(options, ["inspect", entry.path, "--model"])
        for what, command in (("limit", ["limit", entry.path]), ("cls", ["hypotest", entry.path, "--test-poi", "1"])):
            times.setdefault((what, "morphist"), []).append(own_seconds(options, command) - base)
        for name, process in rivals.items():
            process.stdin.write("round\n")
            process.stdin.flush()
            for what, answer in (speed.answer_of(name, process, notes) or {}).items():
                if "failed" in answer:
                    notes[what, name] = answer["failed"]
                    continue
                seconds = answer["seconds"] / answer.get("number", 1)
                times.setdefault((what, name), []).append(seconds)
                right[what, name] = is_right(entry, what, answer["value"])
    for process in rivals.values():
        process.stdin.close()
        process.wait(timeout=60)
    for key, note in notes.items():
        print(f"{entry.name} {key}: {note}")
    return [row(entry, times, right, what, program) for what, program in times]


def row(entry, times, right, what, program):
    median = statistics.median(times[what, program])
    ours = times.get((what, "morphist"))
    ratio = median / statistics.median(ours) if ours and statistics.median(ours) > 0 else None
    return {"workspace": entry.name, "what": what, "program": program, "median_s": median, "of ours": ratio, "right": right.get((what, program))}


def is_right(entry, what, value):
    if what == "toys":
        return None
    recorded = entry.stats["upper_limit"] if what == "limit" else entry.stats["hypotest_mu1"]
    theirs = [recorded["obs"] if what == "limit" else recorded["cls"], *recorded["exp"]]
    pairs = [(a, b) for a, b in zip(value, theirs) if b is not None]
    return all(abs(a - b) <= RIGHT * abs(b) for a, b in pairs)


def start(options, entry):
    high = 2 * max(x for x in (entry.stats.get("upper_limit") or {}).get("exp", []) + [1.0] if x is not None)
    toys = "toys" if entry.name.startswith("w1_") else "none"
    commands = {"pyhf": [options.python_pyhf, HERE / "limit_speed_pyhf.py", entry.path]}
    if options.python_nextstat:
        commands["nextstat"] = [options.python_nextstat, HERE / "limit_speed_nextstat.py", entry.path, high, toys]
    rivals = {}
    for name, command in commands.items():
        said = tempfile.TemporaryFile("w+")
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        process.said = said
        if speed.answer_of(name, process, {}) is not None:
            rivals[name] = process
    return rivals


def own_seconds(options, command):
    """CPU seconds of one run of morphist."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([options.morphist, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.stderr[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
