"""HS3 documents in pyhs3's words: pyhs3 0.4.2 reads what `morphist convert --target pyhs3` makes of ROOT's exports and of
public files, and its −ln L is compared with ours of the document as it was, at the start and at random points. Extended
densities have a constant ln N! in ours; constants are printed, and anything else fails."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy

import corpus
import morphist
from convert import CRATE, pyhs3_nll

FOLDERS = ["corpus/hs3/root", "corpus/hs3/root/pyhf", "corpus/hs3/public"]


def convert(program, path, analysis, output):
    """The findings with which the conversion is refused; none where it is written."""
    command = [program, "convert", path, "--to", "hs3", "--target", "pyhs3", "--output-file", output]
    command += ["--measurement", analysis, "--report", output.with_suffix(".report")]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    return [line for line in done.stderr.splitlines() if "error[" in line] if done.returncode else []


def points(model, seed, number):
    """The start, and points at most a third of the way to the ends of the ranges; what is constant stays."""
    random = numpy.random.default_rng(seed)
    each = list(zip(model["par_names"], model["suggested_init"], model["suggested_bounds"], model["suggested_fixed"]))
    yield {name: start for name, start, _, _ in each}
    for _ in range(number):
        point = {}
        for name, start, (low, high), fixed in each:
            step = 0.0 if fixed else random.uniform(-0.3, 0.3)
            end = high if step > 0 else low
            room = 0.1 if end is None or low is None or high is None else min(abs(end - start), (high - low) / 20)
            point[name] = start + step * room
        yield point


def compare(arguments, path, analysis):
    """(refusals, constant, largest difference beside it, the allowed one)"""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "pyhs3.json"
        refused = convert(arguments.morphist, path, analysis, written)
        if refused:
            return refused, None, None, None
        losses = json.loads(written.with_suffix(".report").read_text())["losses"]
        # Ranges of constraints may change −ln L by this (spec/hs3-convert.md, section 4).
        allowed = 1e-6 if any("over a range" in loss["found"] for loss in losses) else 1e-8
        model = morphist.run(arguments.morphist, "inspect", path, "--model", "--measurement", analysis)
        chosen = list(points(model, zlib.crc32(path.name.encode()), arguments.points))
        flags = ["--measurement", analysis]
        ours = [morphist.evaluate(arguments.morphist, path, {n: [v] for n, v in p.items()}, *flags) for p in chosen]
        if any(found["twice_nll"] is None for found in ours):
            raise RuntimeError("−ln L is no number")
        ours = [0.5 * found["twice_nll"] for found in ours]
        name = json.loads(written.read_text())["analyses"]
        name = next((a["name"] for a in name if a["name"] == analysis), name[0]["name"])
        theirs = pyhs3_nll(arguments.pyhs3, written, name, chosen)
    moved = [a - b for a, b in zip(theirs, ours)]
    return [], moved[0], max(abs(x - moved[0]) for x in moved), allowed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--morphist", default=os.environ.get("MORPHIST", str(CRATE / "target/release/morphist")))
    parser.add_argument("--pyhs3", required=True, metavar="PYTHON", help="an interpreter with pyhs3 0.4.2")
    parser.add_argument("--files", default="*")
    parser.add_argument("--points", type=int, default=3)
    parser.add_argument("--largest", type=float, default=3e5, metavar="BYTES", help="leave larger files out")
    arguments = parser.parse_args()
    missed = 0
    for folder in FOLDERS:
        for path in sorted((corpus.CORPUS / folder).rglob("*.json") if "public" in folder else (corpus.CORPUS / folder).glob("*.json")):
            if path.name.endswith(".ref.json") or not corpus.matches(path.name, arguments.files) or path.stat().st_size > arguments.largest:
                continue
            document = json.loads(path.read_text())
            analyses = [a["name"] for a in document.get("analyses", [])] if isinstance(document, dict) else []
            if not analyses:
                continue
            analysis = next((name for name in analyses if "asimov" not in name), analyses[0])
            try:
                refused, constant, largest, allowed = compare(arguments, path, analysis)
            except Exception as problem:
                missed += 1
                print(f"{path.name:45} failed: {str(problem)[-300:]}", flush=True)
                continue
            if refused:
                print(f"{path.name:45} refused: {refused[0].split('error', 1)[1][:140]}", flush=True)
                continue
            good = largest <= allowed
            missed += not good
            print(f"{path.name:45} constant {constant:10.3e} beside it {largest:9.1e}{'' if good else ' MISSED'}", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
