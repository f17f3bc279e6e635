"""Runs the morphist program and reads its JSON answers."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import corpus

LIMIT_S = 600


class Failed(Exception):
    """The program gave no answer; the message holds the command, the exit code and what it said."""


def add_arguments(parser):
    default = os.environ.get("MORPHIST", str(corpus.CRATE / "target/release/morphist"))
    parser.add_argument("--morphist", default=default, metavar="PATH", help="the program (default: $MORPHIST, or the release build)")


def run(program, *arguments, accept=(0,)):
    """The JSON that a command prints. `accept` lists the exit codes that come with an answer."""
    command = [str(program), *map(str, arguments), "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Failed(f"{' '.join(command)}: {problem}") from problem
    if done.returncode not in accept:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    try:
        return json.loads(done.stdout)
    except ValueError as problem:
        raise Failed(f"{' '.join(command)}: no JSON ({problem}): {done.stderr.strip()[-300:]}") from problem


def inspect_model(program, path):
    return run(program, "inspect", path, "--model")


def evaluate(program, path, parameters, *flags):
    """`evaluate` at a point given by name, `{name: [values]}`."""
    with tempfile.TemporaryDirectory() as folder:
        point = Path(folder) / "parameters.json"
        point.write_text(json.dumps(parameters))
        return run(program, "evaluate", path, "--parameters", point, *flags)


def fit(program, path):
    """`fit`; a failed fit still prints its result, no answer at all becomes `{"error": reason}`."""
    try:
        return run(program, "fit", path, accept=(0, 1))
    except Failed as problem:
        return {"error": str(problem)}


def bench(program, *paths):
    return run(program, "bench", *paths)
